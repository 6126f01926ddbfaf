#include "sim/udp.h"

#include "core/arena.h"
#include "sim/gateway.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_BUFFER (4 << 20)
#define SHARED_BUFFER (16 << 20)
#define LOOPBACK      0x7f010000u /* 127.1.0.0: the first gateway's address */

/* Room for the one control message there is, aligned as the kernel wants it. */
struct info {
    _Alignas(struct cmsghdr) char octets[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct sim_udp_batch {
    unsigned count;
    struct iovec parts[SIM_UDP_BATCH];
    struct mmsghdr messages[SIM_UDP_BATCH];
    struct info infos[SIM_UDP_BATCH];
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

static enum err look_up(const char *server, int family, struct addrinfo **found)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
    char text[256], *host, *port;

    if (strlen(server) >= sizeof(text))
        return ERR_INVALID;
    memcpy(text, server, strlen(server) + 1);
    if (!split(text, &host, &port))
        return ERR_INVALID;
    return getaddrinfo(host, port, &hints, found) ? ERR_NOT_FOUND : OK;
}

enum err sim_udp_open(const char *server, struct sim_udp *udp)
{
    struct addrinfo *found = NULL;
    enum err err;

    *udp = (struct sim_udp){.fd = -1};
    err = look_up(server, AF_UNSPEC, &found);
    if (err)
        return err;
    udp->fd = connect_first(found);
    freeaddrinfo(found);
    return udp->fd < 0 ? ERR_IO : OK;
}

/* A socket at any address and a free port. */
static int bind_any(void)
{
    const struct sockaddr_in any = {.sin_family = AF_INET};
    const int size = SHARED_BUFFER, on = 1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (!setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) &&
        !bind(fd, (const struct sockaddr *)&any, sizeof(any)))
        return fd;
    close(fd);
    return -1;
}

enum err sim_udp_open_shared(const char *server, struct sim_udp *udp)
{
    struct addrinfo *found = NULL;

    *udp = (struct sim_udp){.fd = -1, .shared = true};
    if (look_up(server, AF_INET, &found))
        return ERR_UNSUPPORTED;
    memcpy(&udp->server, found->ai_addr, sizeof(udp->server));
    freeaddrinfo(found);
    if (ntohl(udp->server.sin_addr.s_addr) >> 24 != 127)
        return ERR_UNSUPPORTED;
    udp->fd = bind_any();
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

/* Where a shared socket sends to, and from which of its addresses. */
static void address_from(struct sim_udp *udp, unsigned at, uint32_t gateway)
{
    struct msghdr *header = &udp->batch->messages[at].msg_hdr;
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(LOOPBACK + gateway)};
    struct cmsghdr *control;

    header->msg_name = &udp->server;
    header->msg_namelen = sizeof(udp->server);
    header->msg_control = udp->batch->infos[at].octets;
    header->msg_controllen = sizeof(udp->batch->infos[at].octets);
    control = CMSG_FIRSTHDR(header);
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof(info));
    memcpy(CMSG_DATA(control), &info, sizeof(info));
}

void sim_udp_send(struct sim_udp *udp, uint32_t gateway, struct bytes datagram)
{
    if (!udp->batch)
        udp->batch = xcalloc(1, sizeof(*udp->batch));
    struct sim_udp_batch *batch = udp->batch;
    unsigned at = batch->count++;

    memcpy(batch->room[at], datagram.p, datagram.n);
    batch->parts[at] = (struct iovec){batch->room[at], datagram.n};
    batch->messages[at].msg_hdr = (struct msghdr){.msg_iov = &batch->parts[at], .msg_iovlen = 1};
    if (udp->shared)
        address_from(udp, at, gateway);
    if (batch->count == SIM_UDP_BATCH)
        sim_udp_flush(udp);
}

/* To which gateway's address a datagram came. */
static uint32_t address_to(struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        struct in_pktinfo info;

        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
            continue;
        memcpy(&info, CMSG_DATA(c), sizeof(info));
        return ntohl(info.ipi_addr.s_addr) - LOOPBACK;
    }
    return 0;
}

bool sim_udp_receive(struct sim_udp *udp, sim_udp_take *take, void *arg)
{
    static _Thread_local uint8_t room[SIM_UDP_BATCH][SIM_DATAGRAM_MAX];
    struct iovec parts[SIM_UDP_BATCH];
    struct mmsghdr messages[SIM_UDP_BATCH] = {0};
    struct info infos[SIM_UDP_BATCH];

    for (unsigned i = 0; i < SIM_UDP_BATCH; i++) {
        parts[i] = (struct iovec){room[i], SIM_DATAGRAM_MAX};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        if (udp->shared) {
            messages[i].msg_hdr.msg_control = infos[i].octets;
            messages[i].msg_hdr.msg_controllen = sizeof(infos[i].octets);
        }
    }
    int n = recvmmsg(udp->fd, messages, SIM_UDP_BATCH, MSG_DONTWAIT, NULL);

    for (int i = 0; i < n; i++)
        take(arg, udp->shared ? address_to(&messages[i].msg_hdr) : 0,
             (struct bytes){room[i], messages[i].msg_len});
    return n == SIM_UDP_BATCH;
}
