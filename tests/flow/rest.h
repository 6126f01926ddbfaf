/*
 * rest.h - the REST interface on top of a world: requests in process, handlers stepped by the test.
 */
#pragma once

#include "api/api.h"
#include "core/node.h"
#include "tests/flow/world.h"

#define REST_ADMIN_KEY "0123456789abcdef0123456789abcdef"

struct rest {
    struct world world;
    struct api *api;
    struct httpd *httpd;
    /* Of the frame log; may be changed before a restart. Ring 0: the usual one; bytes 0: 1 MiB. */
    char frames_dir[96];
    unsigned frames_ring;
    uint64_t frames_max_bytes;
    const char *if_match, *content_type, *last_event_id; /* of the next request */
};

/* world_open, then the interface; unknown gateways wait in the inbox. */
void rest_open(struct rest *rest, const struct world_options *options);
/* Stops everything and starts it on the same folder. */
void rest_restart(struct rest *rest);
void rest_close(struct rest *rest);

struct rest_answer {
    int status;
    const char *type, *body, *location, *etag, *allow, *retry_after; /* "" if absent */
    const struct node *json;                                         /* NULL if it is none */
};

/* `key` NULL: the admin key; "": none. `body` NULL: none. Lives in world.arena. */
struct rest_answer rest_send(struct rest *rest, const char *key, const char *method,
                             const char *path, const char *body);
/* The same as administrator, expecting a status. */
struct rest_answer rest_must(struct rest *rest, int status, const char *method, const char *path,
                             const char *body);

/* Sends as administrator and leaves the handler unrun until rest_step; http_inject_close ends it.
 */
struct http_exchange *rest_inject(struct rest *rest, const char *method, const char *path,
                                  const char *body);
void rest_step(struct rest *rest);

/* Opens a stream; read with http_captured, close with http_inject_close. */
struct http_exchange *rest_stream(struct rest *rest, const char *key, const char *path);

/* A member of an object as text, by a path of names ("adr.maxDr"); NULL if absent. */
const char *rest_text(const struct node *json, const char *path);
/* Element `at` of the array `items`. */
const struct node *rest_item(const struct node *json, size_t at);
/* Whether errors[] names the field. */
bool rest_complains(const struct rest_answer *answer, const char *field);

/* Formats into world.arena. */
const char *rest_print(struct rest *rest, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *rest_id(struct rest *rest, const struct uuid *id);
