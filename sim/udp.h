/*
 * udp.h - the simulator's sockets: connected, non-blocking UDP, many datagrams per system call.
 * One thread.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

#define SIM_UDP_BATCH 64

struct sim_udp_batch;

struct sim_udp {
    int fd;
    struct sim_udp_batch *batch; /* what waits to be sent */
};

/* `server` is HOST:PORT or [HOST]:PORT. ERR_INVALID: not that; ERR_NOT_FOUND: no such host;
 * ERR_IO. */
MUST_CHECK enum err sim_udp_open(const char *server, struct sim_udp *udp);
void sim_udp_close(struct sim_udp *udp);

/* Puts a datagram into the batch, which is sent when full or flushed. What the kernel refuses is
 * lost, as on a network. */
void sim_udp_send(struct sim_udp *udp, struct bytes datagram);
void sim_udp_flush(struct sim_udp *udp);

/* Calls `take` for each datagram that waits, at most a batch; true if there may be more. */
bool sim_udp_receive(struct sim_udp *udp, void (*take)(void *arg, struct bytes datagram),
                     void *arg);
