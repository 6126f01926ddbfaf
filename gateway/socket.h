/*
 * socket.h - one UDP socket, read and written in batches. One thread.
 *
 * Sending is the most expensive part of a frame (1.8 us, three times the receiving), hence the
 * queue of acknowledgements that leaves as one sendmmsg.
 */
#pragma once

#include "gateway/address.h"

#include <stddef.h>

#define SOCKET_BATCH  64
#define SOCKET_ACK    4
#define SOCKET_OCTETS 65536 /* above the greatest UDP payload, 65507 */

struct datagram {
    struct address from;
    const uint8_t *data;
    size_t n;
    int64_t utc_us; /* when it came, by the kernel's note; 0 where there is none */
};

struct udp_socket;

/* Binds. ERR_INVALID: the text is no address; ERR_IO: it cannot be bound. */
MUST_CHECK enum err socket_open(const char *listen, struct udp_socket **socket);
void socket_close(struct udp_socket *socket);
int socket_fd(const struct udp_socket *socket);
uint16_t socket_port(const struct udp_socket *socket);

/* How many datagrams its buffer had no room for, since it was opened; wraps. */
uint32_t socket_overflowed(const struct udp_socket *socket);

/* Up to SOCKET_BATCH datagrams, valid until the next call; 0: none waits. */
size_t socket_receive(struct udp_socket *socket, struct datagram *batch);

/* Queues SOCKET_ACK octets; a full queue is flushed. What the kernel refuses is lost, as any
 * datagram may be. */
void socket_ack(struct udp_socket *socket, const struct address *to, const uint8_t *ack);
void socket_flush(struct udp_socket *socket);

void socket_send(struct udp_socket *socket, const struct address *to, const void *data, size_t n);
