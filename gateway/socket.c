/* socket.c - see socket.h. */
#include "gateway/socket.h"

#include "core/arena.h"
#include "core/clock.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_BUFFER (16 * 1024 * 1024)

/* Room for the kernel's note of when a datagram came. */
struct control {
    _Alignas(struct cmsghdr) uint8_t octets[CMSG_SPACE(sizeof(struct timespec))];
};

struct udp_socket {
    int fd, family;
    uint16_t port;
    struct mmsghdr in[SOCKET_BATCH], out[SOCKET_BATCH];
    struct iovec in_vec[SOCKET_BATCH], out_vec[SOCKET_BATCH];
    struct sockaddr_storage in_from[SOCKET_BATCH], out_to[SOCKET_BATCH];
    uint8_t ack[SOCKET_BATCH][SOCKET_ACK];
    struct control in_control[SOCKET_BATCH];
    size_t acks;
    uint8_t *octets; /* [SOCKET_BATCH][SOCKET_OCTETS]; pages come as they are used */
};

static void prepare(struct udp_socket *s)
{
    s->octets = xmalloc((size_t)SOCKET_BATCH * SOCKET_OCTETS);
    for (size_t i = 0; i < SOCKET_BATCH; i++) {
        s->in_vec[i] =
            (struct iovec){.iov_base = s->octets + i * SOCKET_OCTETS, .iov_len = SOCKET_OCTETS};
        s->in[i].msg_hdr =
            (struct msghdr){.msg_name = &s->in_from[i], .msg_iov = &s->in_vec[i], .msg_iovlen = 1};
        s->out_vec[i] = (struct iovec){.iov_base = s->ack[i], .iov_len = SOCKET_ACK};
        s->out[i].msg_hdr =
            (struct msghdr){.msg_name = &s->out_to[i], .msg_iov = &s->out_vec[i], .msg_iovlen = 1};
    }
}

/* The buffer bridges a pause of the worker: 16 MiB are 0.3 s at 50,000 datagrams a second. Without
 * CAP_NET_ADMIN the kernel gives what rmem_max allows. */
static void set_options(int fd)
{
    int size = RECEIVE_BUFFER, off = 0, on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
}

enum err socket_open(const char *listen, struct udp_socket **socket_out)
{
    struct udp_socket *s;
    struct sockaddr_storage sa = {0};
    struct address address;
    socklen_t len;
    int family, fd;

    if (address_read(listen, &address) != OK)
        return ERR_INVALID;
    family = *listen == '[' ? AF_INET6 : AF_INET;
    fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ERR_IO;
    set_options(fd);
    len = address_to_sockaddr(&address, family, &sa);
    if (bind(fd, (struct sockaddr *)&sa, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
        (void)close(fd);
        return ERR_IO;
    }
    s = xcalloc(1, sizeof(*s));
    s->fd = fd;
    s->family = family;
    s->port = address_of_sockaddr((struct sockaddr *)&sa).port;
    prepare(s);
    *socket_out = s;
    return OK;
}

void socket_close(struct udp_socket *s)
{
    if (!s)
        return;
    (void)close(s->fd);
    free(s->octets);
    free(s);
}

int socket_fd(const struct udp_socket *s)
{
    return s->fd;
}

uint16_t socket_port(const struct udp_socket *s)
{
    return s->port;
}

uint32_t socket_overflowed(const struct udp_socket *s)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof(info);

    return getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &len) == 0 ? info[SK_MEMINFO_DROPS] : 0;
}

static int64_t came_at(struct msghdr *msg)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    struct timespec came;

    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
        return 0;
    memcpy(&came, CMSG_DATA(c), sizeof(came));
    return came.tv_sec * US_PER_S + came.tv_nsec / 1000;
}

size_t socket_receive(struct udp_socket *s, struct datagram *batch)
{
    int n;

    for (size_t i = 0; i < SOCKET_BATCH; i++) {
        s->in[i].msg_hdr.msg_namelen = sizeof(s->in_from[i]);
        s->in[i].msg_hdr.msg_control = &s->in_control[i];
        s->in[i].msg_hdr.msg_controllen = sizeof(s->in_control[i]);
    }
    n = recvmmsg(s->fd, s->in, SOCKET_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        batch[i] = (struct datagram){
            .from = address_of_sockaddr((struct sockaddr *)&s->in_from[i]),
            .data = s->octets + (size_t)i * SOCKET_OCTETS,
            .n = s->in[i].msg_len,
            .utc_us = came_at(&s->in[i].msg_hdr),
        };
    return n > 0 ? (size_t)n : 0;
}

void socket_flush(struct udp_socket *s)
{
    size_t done = 0;

    while (done < s->acks) {
        int n = sendmmsg(s->fd, s->out + done, (unsigned)(s->acks - done), MSG_DONTWAIT);

        done += n > 0 ? (size_t)n : 1; /* steps over the one that was refused */
    }
    s->acks = 0;
}

void socket_ack(struct udp_socket *s, const struct address *to, const uint8_t *ack)
{
    size_t at;

    if (s->acks == SOCKET_BATCH)
        socket_flush(s);
    at = s->acks++;
    memcpy(s->ack[at], ack, SOCKET_ACK);
    s->out[at].msg_hdr.msg_namelen = address_to_sockaddr(to, s->family, &s->out_to[at]);
}

void socket_send(struct udp_socket *s, const struct address *to, const void *data, size_t n)
{
    struct sockaddr_storage sa;
    socklen_t len = address_to_sockaddr(to, s->family, &sa);

    /* Lost like any datagram: the missing TX_ACK tells. */
    if (sendto(s->fd, data, n, MSG_DONTWAIT, (struct sockaddr *)&sa, len) < 0)
        return;
}
