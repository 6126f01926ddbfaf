/*
 * httpc.h - a small blocking HTTP client on libcurl, for subcommands that talk to a server.
 *
 * One call, one request; any thread that may block. Redirects are not followed. Only net/httpc.c
 * knows libcurl.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct httpc_request {
    const char *method;         /* NULL: GET */
    const char *url;            /* "http://host:port/path"; of a UNIX socket the path alone */
    const char *unix_path;      /* the UNIX socket to use, or NULL */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    struct bytes body;
    int64_t timeout_us; /* for all of it, 0: 30 s; a stream: for the connection only */
    size_t body_max;    /* of the answer; 0: 64 MiB */
};

struct httpc_response {
    int status;
    char *body; /* NUL-terminated; free with httpc_free */
    size_t len;
};

/* ERR_TIMEOUT, ERR_LIMIT (answer too large), else ERR_IO if there is no answer; then *why is a
 * static text. A status of 400 and more is an answer. */
enum err httpc_do(const struct httpc_request *request, struct httpc_response *response,
                  const char **why) MUST_CHECK;
void httpc_free(struct httpc_response *response);

/* Calls `line` for each line (without its end) until it answers false or the server ends: both OK.
 * With a status other than 200 no line is called; the body is in `response` (up to 1 MiB). */
enum err httpc_stream(const struct httpc_request *request,
                      bool (*line)(void *arg, const char *text, size_t len), void *arg,
                      struct httpc_response *response, const char **why) MUST_CHECK;
