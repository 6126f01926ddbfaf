#include "sim/udp.h"

#include "core/arena.h"
#include "sim/gateway.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_BUFFER (4 << 20)

struct sim_udp_batch {
    unsigned count;
    struct iovec parts[SIM_UDP_BATCH];
    struct mmsghdr messages[SIM_UDP_BATCH];
    uint8_t room[SIM_UDP_BATCH][SIM_DATAGRAM_MAX];
};

/* Splits HOST:PORT in place; the host may stand in brackets. */
static bool split(char *text, char **host, char **port)
{
    char *colon = strrchr(text, ':');

    if (!colon || colon == text || !colon[1])
        return false;
    *colon = 0;
    *host = text;
    *port = colon + 1;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = 0;
        ++*host;
    }
    return true;
}

static int connect_first(const struct addrinfo *list)
{
    const int size = SOCKET_BUFFER;

    for (; list; list = list->ai_next) {
        int fd = socket(list->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        if (!connect(fd, list->ai_addr, list->ai_addrlen))
            return fd;
        close(fd);
    }
    return -1;
}

enum err sim_udp_open(const char *server, struct sim_udp *udp)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct addrinfo *found = NULL;
    char text[256], *host, *port;

    *udp = (struct sim_udp){.fd = -1};
    if (strlen(server) >= sizeof(text))
        return ERR_INVALID;
    memcpy(text, server, strlen(server) + 1);
    if (!split(text, &host, &port))
        return ERR_INVALID;
    if (getaddrinfo(host, port, &hints, &found))
        return ERR_NOT_FOUND;
    udp->fd = connect_first(found);
    freeaddrinfo(found);
    return udp->fd < 0 ? ERR_IO : OK;
}

void sim_udp_close(struct sim_udp *udp)
{
    if (udp->fd >= 0)
        close(udp->fd);
    free(udp->batch);
    *udp = (struct sim_udp){.fd = -1};
}

void sim_udp_flush(struct sim_udp *udp)
{
    struct sim_udp_batch *batch = udp->batch;
    unsigned sent = 0;

    while (batch && sent < batch->count) {
        int n = sendmmsg(udp->fd, batch->messages + sent, batch->count - sent, 0);

        sent += n > 0 ? (unsigned)n : 1; /* the refused one is lost */
    }
    if (batch)
        batch->count = 0;
}

void sim_udp_send(struct sim_udp *udp, struct bytes datagram)
{
    if (!udp->batch)
        udp->batch = xcalloc(1, sizeof(*udp->batch));
    struct sim_udp_batch *batch = udp->batch;
    unsigned at = batch->count++;

    memcpy(batch->room[at], datagram.p, datagram.n);
    batch->parts[at] = (struct iovec){batch->room[at], datagram.n};
    batch->messages[at].msg_hdr = (struct msghdr){.msg_iov = &batch->parts[at], .msg_iovlen = 1};
    if (batch->count == SIM_UDP_BATCH)
        sim_udp_flush(udp);
}

bool sim_udp_receive(struct sim_udp *udp, void (*take)(void *arg, struct bytes datagram), void *arg)
{
    static _Thread_local uint8_t room[SIM_UDP_BATCH][SIM_DATAGRAM_MAX];
    struct iovec parts[SIM_UDP_BATCH];
    struct mmsghdr messages[SIM_UDP_BATCH] = {0};

    for (unsigned i = 0; i < SIM_UDP_BATCH; i++) {
        parts[i] = (struct iovec){room[i], SIM_DATAGRAM_MAX};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    int n = recvmmsg(udp->fd, messages, SIM_UDP_BATCH, MSG_DONTWAIT, NULL);

    for (int i = 0; i < n; i++)
        take(arg, (struct bytes){room[i], messages[i].msg_len});
    return n == SIM_UDP_BATCH;
}
