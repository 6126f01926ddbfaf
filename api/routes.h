/*
 * routes.h - the one table of endpoints (private to api/).
 *
 * Routing, the 405 answer, authentication, scopes, bodies and the OpenAPI document follow from it.
 */
#pragma once

#include "api/call.h"

enum endpoint_flag {
    EP_OPEN = 1 << 0,   /* needs no key */
    EP_ADMIN = 1 << 1,  /* only for administrators of the whole server */
    EP_LIST = 1 << 2,   /* answers a page of items */
    EP_STREAM = 1 << 3, /* text/event-stream */
    EP_HERE = 1 << 4,   /* answered in libmicrohttpd's thread: never blocks */
    EP_TEXT = 1 << 5,   /* no JSON */
    EP_PAGE = 1 << 6,   /* HTML */
};

#define EP_NO_TYPE 0xff

struct endpoint {
    const char *method, *path;
    uint8_t scope; /* enum scope */
    uint8_t flags; /* enum endpoint_flag */
    uint8_t type;  /* enum record_type of the generic handlers, or EP_NO_TYPE */
    int status;    /* of success */
    int (*handle)(struct call *call);
    const struct field *body, *answer; /* NULL: none, or of `type` */
    const char *summary;
};

extern const struct endpoint api_endpoints[];
extern const size_t api_endpoint_count;

/* Finds the endpoint and fills the path's parameters. 0, or 404, 405 (with Allow), 400. */
int route_find(struct call *call, const char *method, const char *route);

/* ---- handlers, by file ----------------------------------------------------------------------- */

int crud_list(struct call *call);
int crud_create(struct call *call);
int crud_get(struct call *call);
int crud_replace(struct call *call);
int crud_merge(struct call *call);
int crud_delete(struct call *call);

int login_post(struct call *call);
int audit_list(struct call *call);

int keys_get(struct call *call);
int keys_put(struct call *call);
int keys_delete(struct call *call);
int nonces_delete(struct call *call);

int activation_get(struct call *call);
int activation_put(struct call *call);
int activation_delete(struct call *call);

int queue_list(struct call *call);
int queue_add(struct call *call);
int queue_clear(struct call *call);
int queue_remove(struct call *call);

int adr_get(struct call *call);
int diagnosis_get(struct call *call);

int events_of_device(struct call *call);
int events_of_application(struct call *call);
int frames_of_device(struct call *call);
int frames_of_gateway(struct call *call);

int stream_all(struct call *call);
int stream_application(struct call *call);
int stream_device(struct call *call);
int stream_device_frames(struct call *call);
int stream_gateway_frames(struct call *call);

int gateways_unknown(struct call *call);
int gateway_adopt(struct call *call);

int openapi_get(struct call *call);
int docs_get(struct call *call);
int health_alive(struct call *call);
int health_ready(struct call *call);
int health_metrics(struct call *call);
int health_page(struct call *call);

extern const struct field login_fields[], token_fields[], keys_fields[], activation_fields[],
    queue_fields[];
