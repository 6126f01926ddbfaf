/* listen.c - listening sockets of our own, so that a port can be chosen and a path be private. */
#include "net/httpd_priv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* "ADDR:PORT" in its parts; an empty address stands for all. */
static bool split(const char *address, char *host, size_t room, const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;

    if (!colon || !colon[1] || n >= room)
        return false;
    if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
        address++;
        n -= 2;
    }
    memcpy(host, address, n);
    host[n] = '\0';
    *port = colon + 1;
    return strspn(*port, "0123456789") == strlen(*port);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): getsockname has written it */
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static int fail(int fd, const char **why)
{
    *why = strerror(errno);
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static int bind_and_listen(const struct addrinfo *info, const char **why)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd < 0)
        return fail(fd, why);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0)
        return fail(fd, why);
    return fd;
}

int listen_tcp(const char *address, uint16_t *port, const char **why)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *info;
    const char *service;
    char host[256];
    int fd, error;

    if (!split(address, host, sizeof(host), &service)) {
        *why = "an address must be HOST:PORT";
        return -1;
    }
    error = getaddrinfo(*host ? host : "0.0.0.0", service, &hints, &info);
    if (error) {
        *why = gai_strerror(error);
        return -1;
    }
    fd = bind_and_listen(info, why);
    freeaddrinfo(info);
    if (fd >= 0)
        *port = port_of(fd);
    return fd;
}

int listen_unix(const char *path, const char **why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat old;
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        *why = "the path of a UNIX socket is too long";
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    /* A socket left by a process that was killed; the caller holds the lock of the directory. */
    if (lstat(path, &old) == 0 && S_ISSOCK(old.st_mode))
        (void)unlink(path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* On Linux the mode of the unbound socket is that of the file bind makes: no moment open. */
    if (fd < 0 || fchmod(fd, 0600) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || chmod(path, 0600) != 0 ||
        listen(fd, SOMAXCONN) != 0)
        return fail(fd, why);
    return fd;
}
