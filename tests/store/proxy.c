/* proxy.c - see proxy.h. */
#include "tests/store/proxy.h"

#include "core/arena.h"
#include "core/bytes.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAIRS 16

struct pair {
    int client, server;
    bool started;
    uint8_t *held; /* of the client, not forwarded yet */
    size_t n, room;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `order` */
static struct {
    unsigned at, count, hits;
    bool forever;
    enum proxy_cut cut;
} order;
static struct pair pairs[PAIRS];
static struct sockaddr_un upstream = {.sun_family = AF_UNIX};
static int listener = -1;
static char folder[64];

void proxy_arm(unsigned at, bool forever, enum proxy_cut cut)
{
    (void)pthread_mutex_lock(&lock);
    order.at = at;
    order.forever = forever;
    order.cut = cut;
    order.count = order.hits = 0;
    (void)pthread_mutex_unlock(&lock);
}

void proxy_mend(void)
{
    (void)pthread_mutex_lock(&lock);
    order.at = 0;
    (void)pthread_mutex_unlock(&lock);
}

unsigned proxy_count(void)
{
    unsigned count;

    (void)pthread_mutex_lock(&lock);
    count = order.count;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

unsigned proxy_hits(void)
{
    unsigned hits;

    (void)pthread_mutex_lock(&lock);
    hits = order.hits;
    (void)pthread_mutex_unlock(&lock);
    return hits;
}

/* Whether the next unit is cut; `counts`: it is one, not a connection. */
static bool is_cut(bool counts, enum proxy_cut *cut)
{
    bool yes;

    (void)pthread_mutex_lock(&lock);
    order.count += counts;
    yes = order.at && (counts && order.count == order.at);
    yes = yes || (order.at && order.forever && order.count >= order.at);
    order.hits += yes;
    *cut = order.cut;
    (void)pthread_mutex_unlock(&lock);
    return yes;
}

static void send_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        p += sent;
        n -= (size_t)sent;
    }
}

static void end_pair(struct pair *pair)
{
    if (pair->client < 0)
        return;
    (void)close(pair->client);
    (void)close(pair->server);
    free(pair->held);
    *pair = (struct pair){.client = -1, .server = -1};
}

/* Reads the server's answer to its end (ReadyForQuery) and lets it fall. */
static void swallow_answer(int fd)
{
    static uint8_t body[1 << 20];
    uint8_t head[5];

    while (recv(fd, head, sizeof(head), MSG_WAITALL) == (ssize_t)sizeof(head)) {
        struct rd rd = rd_of(head + 1, 4);
        size_t n = rd_u32be(&rd) - 4;

        if (n > sizeof(body) || (n && recv(fd, body, n, MSG_WAITALL) != (ssize_t)n) ||
            head[0] == 'Z')
            return;
    }
}

static void forward_unit(struct pair *pair, size_t n)
{
    enum proxy_cut cut;

    if (!is_cut(true, &cut)) {
        send_all(pair->server, pair->held, n);
        pair->n -= n;
        memmove(pair->held, pair->held + n, pair->n);
        return;
    }
    if (cut != CUT_BEFORE)
        send_all(pair->server, pair->held, cut == CUT_HALF ? n / 2 : n);
    if (cut == CUT_AFTER)
        swallow_answer(pair->server);
    end_pair(pair);
}

/* Octets of the first whole unit that is held; 0: it is not whole yet. */
static size_t unit_length(struct pair *pair)
{
    for (size_t at = 0; at + 8 <= pair->n || (pair->started && at + 5 <= pair->n);) {
        struct rd rd = rd_of(pair->held + at + pair->started, 4);
        size_t end = at + rd_u32be(&rd) + pair->started;
        uint8_t type = pair->started ? pair->held[at] : 'S';

        if (end > pair->n)
            return 0;
        pair->started = true;
        if (type == 'S' || type == 'Q' || type == 'X')
            return end;
        at = end;
    }
    return 0;
}

static void from_client(struct pair *pair)
{
    size_t n;
    ssize_t got;

    if (pair->room - pair->n < 65536) {
        pair->room = 2 * pair->room + 65536;
        pair->held = xrealloc(pair->held, pair->room);
    }
    got = recv(pair->client, pair->held + pair->n, pair->room - pair->n, 0);
    if (got <= 0) {
        end_pair(pair);
        return;
    }
    pair->n += (size_t)got;
    while (pair->client >= 0 && (n = unit_length(pair)) > 0)
        forward_unit(pair, n);
}

static void from_server(struct pair *pair)
{
    static uint8_t buffer[65536];
    ssize_t got = recv(pair->server, buffer, sizeof(buffer), 0);

    if (got <= 0)
        end_pair(pair);
    else
        send_all(pair->client, buffer, (size_t)got);
}

static void accept_client(void)
{
    int client = accept(listener, NULL, NULL), server = socket(AF_UNIX, SOCK_STREAM, 0);
    enum proxy_cut cut;

    for (size_t i = 0; i < PAIRS; i++) {
        if (pairs[i].client >= 0)
            continue;
        if (!is_cut(false, &cut) &&
            connect(server, (struct sockaddr *)&upstream, sizeof(upstream)) == 0) {
            pairs[i] = (struct pair){.client = client, .server = server};
            return;
        }
        break;
    }
    (void)close(client);
    (void)close(server);
}

static void *thread_main(void *arg)
{
    struct pollfd fds[1 + 2 * PAIRS];

    (void)arg;
    for (;;) {
        fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        for (size_t i = 0; i < PAIRS; i++) {
            fds[1 + 2 * i] = (struct pollfd){.fd = pairs[i].client, .events = POLLIN};
            fds[2 + 2 * i] = (struct pollfd){.fd = pairs[i].server, .events = POLLIN};
        }
        if (poll(fds, 1 + 2 * PAIRS, -1) < 0)
            continue;
        for (size_t i = 0; i < PAIRS; i++) {
            if (fds[1 + 2 * i].revents && pairs[i].client >= 0)
                from_client(&pairs[i]);
            if (fds[2 + 2 * i].revents && pairs[i].client >= 0)
                from_server(&pairs[i]);
        }
        if (fds[0].revents)
            accept_client();
    }
    return NULL;
}

static void remove_folder(void)
{
    char path[100];

    (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

const char *proxy_start(const char *host, unsigned port)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    pthread_t thread;

    if (listener >= 0)
        return folder;
    for (size_t i = 0; i < PAIRS; i++)
        pairs[i].client = pairs[i].server = -1;
    (void)snprintf(upstream.sun_path, sizeof(upstream.sun_path), "%s/.s.PGSQL.%u", host, port);
    (void)snprintf(folder, sizeof(folder), "/tmp/godwit-proxy-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)atexit(remove_folder);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", folder);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, PAIRS), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, thread_main, NULL), 0);
    (void)pthread_detach(thread);
    return folder;
}
