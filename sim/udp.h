/*
 * udp.h - the simulator's sockets: non-blocking UDP, many datagrams per system call. One thread.
 *
 * A socket is connected to the server, or shared: then it sends from as many addresses of the
 * loopback network as there are gateways, and says to which of them a datagram came (IP_PKTINFO).
 * So 25,000 gateways need no 25,000 descriptors.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define SIM_UDP_BATCH 64

struct sim_udp_batch;

struct sim_udp {
    int fd;
    bool shared;
    struct sim_udp_batch *batch; /* what waits to be sent */
    struct sockaddr_in server;   /* of a shared one */
};

/* `server` is HOST:PORT or [HOST]:PORT. ERR_INVALID: not that; ERR_NOT_FOUND: no such host;
 * ERR_IO. */
MUST_CHECK enum err sim_udp_open(const char *server, struct sim_udp *udp);

/* The same for many gateways. ERR_UNSUPPORTED: the server is not at 127.0.0.0/8. */
MUST_CHECK enum err sim_udp_open_shared(const char *server, struct sim_udp *udp);
void sim_udp_close(struct sim_udp *udp);

/* Puts a datagram into the batch, which is sent when full or flushed. What the kernel refuses is
 * lost, as on a network. `gateway` counts with a shared socket only: whose address it leaves from.
 */
void sim_udp_send(struct sim_udp *udp, uint32_t gateway, struct bytes datagram);
void sim_udp_flush(struct sim_udp *udp);

/* Calls `take` for each datagram that waits, at most a batch; true if there may be more. `gateway`:
 * to whose address it came, 0 with a socket that is not shared. */
typedef void sim_udp_take(void *arg, uint32_t gateway, struct bytes datagram);
bool sim_udp_receive(struct sim_udp *udp, sim_udp_take *take, void *arg);
