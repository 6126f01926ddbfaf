/*
 * httpd.h - an HTTP server on libmicrohttpd: listeners, limits, suspended requests, streams.
 *
 * Each listener has one thread of libmicrohttpd. It parses, collects the body and calls
 * `on_request`, which must not block and may be called by several listeners' threads at once. The
 * handler answers at once or keeps the request and answers later from any thread; meanwhile the
 * connection is suspended. Who got a request must call exactly one of http_answer and
 * http_stream_open for it, after which the request is gone for him. That holds also when its
 * deadline has passed (the client then has its 504) or the server has stopped: a late answer is
 * dropped.
 *
 * libmicrohttpd sees neither a disconnect nor a time-out while a connection is suspended; a worker
 * of our own (`httpd_tick`) watches deadlines, streams and slow senders.
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct httpd;

struct http_pair {
    const char *key, *value;
};

/* All of it lives as long as the request. */
struct http_request {
    const char *method; /* as sent; HEAD comes as GET with `head` set */
    bool head;
    const char *path;  /* percent-decoded, without the query; valid UTF-8 without NUL */
    const char *route; /* the path as it was sent, still encoded */
    struct http_pair *query;
    size_t query_count;
    struct http_pair *headers;
    size_t header_count;
    struct bytes body;
    char remote[64];     /* numeric address; "unix" */
    bool local;          /* came by a UNIX socket */
    struct arena *arena; /* for the handler too; ends with the request */
    void *user;          /* the handler's own */
};

/* A query parameter (case-sensitive) or header (not so); NULL if absent. */
const char *http_query(const struct http_request *request, const char *key);
const char *http_header(const struct http_request *request, const char *key);

struct http_reply {
    int status;
    const char *content_type; /* NULL: none */
    const struct http_pair *headers;
    size_t header_count;
    struct bytes body;
};

/* Answers; everything is copied. From any thread. Ends the request for the caller. */
void http_answer(struct http_request *request, const struct http_reply *reply);

/* Answers with application/problem+json of a status and a detail text (may be NULL). */
void http_answer_problem(struct http_request *request, int status, const char *detail);

/* The reason phrase of a status, "" if unknown. */
const char *http_reason(int status);

/* ---- streams -------------------------------------------------------------------------------- */

struct http_stream;

struct http_stream_options {
    const char *content_type;
    size_t limit;    /* bytes that may wait for the client; 0: 256 KiB */
    int64_t idle_us; /* after so long without a write `: \n\n` is sent; 0: 15 s, negative: never */
    /* The client went away or the server stops. Called at most once, under a lock: it may post a
     * mail or set a flag and must not call http_* functions. Never called once http_stream_close
     * has returned. The owner still has to close the stream. */
    void (*closed)(void *arg);
    void *arg;
};

/* Begins an answer of status 200 that goes on. NULL if the request was over already. */
struct http_stream *http_stream_open(struct http_request *request,
                                     const struct http_stream_options *options);

/* Adds all or nothing. ERR_FULL if the client does not read (close the stream then), ERR_BAD_STATE
 * if it is gone. From any thread. */
enum err http_stream_write(struct http_stream *stream, const void *p, size_t n) MUST_CHECK;

/* Sends what waits and ends the answer; after ERR_FULL the connection is cut instead. */
void http_stream_close(struct http_stream *stream);

/* ---- the server ----------------------------------------------------------------------------- */

#define HTTPD_LISTENERS_MAX 4

struct httpd_listener {
    const char *address;            /* "127.0.0.1:8080", "[::1]:0", ":8080", or NULL */
    const char *path;               /* of a UNIX socket, mode 0600, or NULL */
    const char *cert_pem, *key_pem; /* TLS if both are given: the text, not a file name */
};

struct httpd_config {
    void (*on_request)(void *owner, struct http_request *request);
    /* Greatest body for a route; NULL or 0: `body_max`. Called before the body is read. */
    size_t (*body_limit)(void *owner, const char *method, const char *path);
    void *owner;
    struct clock *clock; /* NULL: the machine's */
    struct httpd_listener listeners[HTTPD_LISTENERS_MAX];
    size_t listener_count; /* 0: for httpd_inject only */
    size_t body_max;       /* 1 MiB */
    unsigned connections;  /* of each listener; 2048 */
    unsigned per_address;  /* connections of one address; 0: no limit */
    size_t header_max;     /* 32 KiB */
    unsigned idle_s;       /* without any byte; 30 */
    int64_t receive_us;    /* for a whole request to arrive; 60 s */
    int64_t deadline_us;   /* for an answer; 30 s */
};

/* Makes and starts the server. On an error *why says what (in static memory or from strerror). */
enum err httpd_start(const struct httpd_config *config, struct httpd **httpd,
                     const char **why) MUST_CHECK;

/* Answers what waits with 503, ends all streams, closes all connections; within two seconds. The
 * handle is gone afterwards. */
void httpd_stop(struct httpd *httpd);

/* Another certificate and key for a listener with TLS, from the next connection on; open ones keep
 * theirs. On an error (*why, static) all stays as it was. ERR_FULL: connections of eight former
 * certificates are still open. From the thread that stops the server. */
enum err httpd_renew(struct httpd *httpd, size_t listener, const char *cert_pem,
                     const char *key_pem, const char **why) MUST_CHECK;

/* The port a TCP listener got (port 0 asks for any). */
uint16_t httpd_port(const struct httpd *httpd, size_t listener);

/* Looks at deadlines, idle streams and dead clients. The server's worker calls it four times a
 * second; a test without listeners calls it itself. */
void httpd_tick(struct httpd *httpd);

/* Requests waiting for an answer, and open streams. */
size_t httpd_waiting(struct httpd *httpd);
size_t httpd_streams(struct httpd *httpd);

/* ---- in-process end for tests --------------------------------------------------------------- */

struct http_exchange;

struct http_inject {
    const char *method;
    const char *target; /* path and query as sent, percent-encoded */
    const struct http_pair *headers;
    size_t header_count;
    struct bytes body;
    bool local;
};

/* What came of it so far; points into the exchange. */
struct http_captured {
    int status;         /* 0: not answered yet */
    bool stream, ended; /* ended: the answer is complete */
    const char *content_type;
    const struct http_pair *headers;
    size_t header_count;
    struct bytes body; /* for a stream what was written and not yet drained */
};

/* Runs on_request in the caller's thread. */
struct http_exchange *httpd_inject(struct httpd *httpd, const struct http_inject *inject);
struct http_captured http_captured(struct http_exchange *exchange);
const char *http_captured_header(struct http_exchange *exchange, const char *key);
/* The client has read what a stream sent so far. */
void http_inject_drain(struct http_exchange *exchange);
/* The client goes away; the exchange is gone for the caller. */
void http_inject_close(struct http_exchange *exchange);
