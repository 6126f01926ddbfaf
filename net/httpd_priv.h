/*
 * httpd_priv.h - exchanges: a request, its answer and its stream, apart from libmicrohttpd.
 *
 * An exchange is shared by its client side (a connection or an injecting test) and its owner (the
 * handler), each holding one reference. `lock` of the server guards state, answer, stream and
 * lists. Order of locks: ours, then libmicrohttpd's.
 */
#pragma once

#include "core/worker.h"
#include "net/httpd.h"

#include <pthread.h>
#include <stdatomic.h>

enum exchange_state {
    EXCHANGE_READING, /* the request is not complete */
    EXCHANGE_RUNNING, /* with its owner */
    EXCHANGE_ANSWERED,
    EXCHANGE_STREAM,
    EXCHANGE_GONE, /* the client side ended */
};

struct http_stream {
    char *p; /* what waits for the client */
    size_t n, room, limit;
    int64_t idle_us, last_us;
    void (*closed)(void *arg);
    void *arg;
    bool ending;     /* the owner has closed it */
    bool overflowed; /* a write did not fit */
    bool cut;        /* the connection is shut down */
};

struct http_exchange {
    struct http_request request; /* first: the owner's handle */
    struct http_stream stream;
    struct httpd *httpd;
    struct arena arena;
    atomic_uint refs;
    enum exchange_state state;
    int64_t deadline_us;
    struct http_exchange *next, **link; /* in the list of what waits or streams; NULL: in none */
    bool suspended;

    /* the answer */
    int status;
    struct arena out; /* headers and content type */
    const char *content_type;
    struct http_pair *headers;
    size_t header_count;
    char *body;
    size_t body_len;

    /* the client side */
    void *connection; /* of libmicrohttpd; NULL: injected */
    int fd;           /* of the connection, -1: none */
    char *in;         /* the body as it comes */
    size_t in_len, in_room, in_max;
    bool too_large, malformed;
};

/* One of libmicrohttpd's, with the secrets it was started with (NULL without TLS). */
struct httpd_mhd {
    void *mhd;
    char *cert, *key;
};

#define HTTPD_RETIRED_MAX 8

struct httpd_daemon {
    struct httpd_mhd now;
    /* After renewals: they take no connection any more and end with the last they have. */
    struct httpd_mhd retired[HTTPD_RETIRED_MAX];
    size_t retired_count;
    struct httpd *httpd;
    uint16_t port;
    bool local;
    const char *path; /* of a UNIX socket */
};

/* A connection, for what happens before its request is complete. */
struct httpd_connection {
    struct httpd_connection *next, **link;
    struct httpd *httpd;
    int fd;
    int64_t since_us; /* it has been sending a request for so long; CLOCK_NEVER: it waits for us */
};

struct httpd {
    struct httpd_config config;
    atomic_uint refs; /* the server itself and every exchange */
    pthread_mutex_t lock;
    pthread_cond_t quiet; /* no exchange is left at a connection */
    bool stopping;
    size_t live; /* exchanges at connections */
    struct http_exchange *waiting, *streams;
    size_t waiting_count, stream_count;
    struct httpd_connection *connections;
    struct httpd_daemon daemons[HTTPD_LISTENERS_MAX];
    size_t daemon_count;
    struct arena arena;
    struct worker worker;
    struct timer tick;
    void (*resume)(struct http_exchange *exchange); /* wakes a suspended connection */
};

/* ---- exchange.c ---- */
struct http_exchange *exchange_new(struct httpd *httpd, const char *method);
void exchange_unref(struct http_exchange *exchange);
void httpd_unref(struct httpd *httpd);

/* Path and query from the request target; false if it is malformed. */
bool exchange_set_target(struct http_exchange *exchange, const char *path);
/* Decodes %XX in place. false: malformed, NUL or not UTF-8. */
bool http_decode(char *text);

/* Gives the complete request to the handler. */
void exchange_run(struct http_exchange *exchange);

/* With the lock held: answers on the server's behalf, if there is no answer yet. */
void exchange_refuse(struct http_exchange *exchange, int status, const char *detail);
/* With the lock held: into the list of what waits, and out of any list. */
void exchange_wait(struct http_exchange *exchange);
void exchange_unlist(struct http_exchange *exchange);
/* With the lock held: the client side has ended. */
void exchange_gone(struct http_exchange *exchange);
/* With the lock held: all answered with 503, all streams ended. */
void exchange_end_all(struct httpd *httpd);

/* ---- listen.c ---- */
/* A listening socket, or -1 with *why. */
int listen_tcp(const char *address, uint16_t *port, const char **why);
int listen_unix(const char *path, const char **why);
