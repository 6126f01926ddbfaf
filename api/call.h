/*
 * call.h - one REST request on its way through an API worker (private to api/).
 *
 * A handler runs at an API worker and returns the HTTP status. Below 400 the body is what it wrote
 * into `out`; from 400 on a problem is sent, with `errors` or `detail`. CALL_HANDED: the request
 * went to someone else. Handlers may block (call_save, call_wait); all they need is in `arena`.
 */
#pragma once

#include "api/api.h"
#include "api/auth.h"
#include "core/field.h"
#include "core/json.h"

#include <pthread.h>
#include <stdarg.h>

#define CALL_HANDED  0
#define CALL_PARAMS  3
#define CALL_HEADERS 4
#define CALL_OUT_MAX ((size_t)64 * 1024 * 1024)

struct endpoint;
struct api_worker;

struct call_param {
    const char *name; /* of the template */
    struct uuid uuid;
    struct lw_eui eui;
    bool is_eui;
};

struct call {
    struct mail mail;
    struct api *api;
    struct clock *clock;
    struct store_reader *reader; /* of the worker that runs it */
    struct http_request *request;
    const struct endpoint *endpoint;
    struct principal who;
    struct call_param params[CALL_PARAMS];
    size_t param_count;
    struct arena arena;
    const struct node *body;
    struct field_errors errors;
    const char *detail; /* of a problem */
    const char *content_type;
    struct http_pair headers[CALL_HEADERS];
    size_t header_count;
    struct jw out;
    const struct gateway_status *live; /* of the gateways of the page */
    struct change change;
    bool plain; /* `out` is the body whatever the status */
    /* What the handler waits for. A mutex and condition, since API workers are the one place where
     * a thread may sleep for an answer; held for a few instructions. */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned pending;
};

struct call *call_new(struct api *api, struct http_request *request);
/* Sends what the handler left and frees the call. */
void call_end(struct call *call, int status);
void call_free(struct call *call);

/* Returns `status`, keeping a text for people. */
int call_fail(struct call *call, int status, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));
/* The status of an error; OK is 200. */
int call_err(struct call *call, enum err err);
/* 422 if any error was noted, else 0. */
int call_checked(struct call *call);
void call_header(struct call *call, const char *key, const char *value);

const struct call_param *call_param(const struct call *call, const char *name);
struct lw_eui call_eui(const struct call *call, const char *name);

/* Reads the body as an object: 0, or 400, 415. */
int call_body(struct call *call);
/* The same and reads it into a struct by its table; mistakes are in `errors`. */
int call_read(struct call *call, const struct field *table, void *object, enum field_mode mode,
              uint64_t *present);

/* Query values: 0, or 400. */
int call_query_uint(struct call *call, const char *key, uint64_t most, uint64_t *value);
int call_query_limit(struct call *call, size_t *limit);
int call_query_position(struct call *call, const char *key, uint64_t *position);

/* ---- waiting --------------------------------------------------------------------------------- */

void call_expect(struct call *call, unsigned answers);
void call_arrived(struct call *call);
void call_wait(struct call *call);

/* Asks the device's home worker and waits; free with ns_call_free. */
enum err call_ask(struct call *call, struct ns_call *question);
/* Asks many at once. */
void call_ask_all(struct call *call, struct ns_call **questions, size_t count);

/* Appends to the change; then commits it and waits. */
struct op *call_op(struct call *call, enum op_kind kind);
enum err call_save(struct call *call);

/* ---- audit ----------------------------------------------------------------------------------- */

struct audit {
    const char *action; /* "create", "update", "delete", "read-keys" ... */
    const char *type;   /* "device" */
    const char *id;
    const struct uuid *tenant; /* NULL: none */
    const char **changed;      /* member names, never values */
    size_t changed_count;
};
/* Appends the entry to the change. */
void call_audit(struct call *call, const struct audit *audit);

/* ---- objects that handlers need ---------------------------------------------------------------
 * 0 and the object if the principal sees it and holds the endpoint's scope there; else 404 or 403.
 */
int call_object(struct call *call, enum record_type type, const struct record_key *key,
                void **record);
/* The device named by the path, with its application. */
struct device_view {
    struct device_record *device;
    struct application *application;
    struct device_profile *profile;
};
int call_device(struct call *call, struct device_view *view);

/* The tenant of a record; zero if it has none. */
struct uuid call_tenant_of(struct call *call, enum record_type type, const void *record);
const char *call_key_text(struct call *call, enum record_type type, const struct record_key *key);
