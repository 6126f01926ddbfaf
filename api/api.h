/*
 * api.h - the REST interface: what people and their scripts ask of the server.
 *
 * The table in api/routes.c names every endpoint; routing, methods, scopes, tenant rules, body
 * fields and the OpenAPI document follow from it. libmicrohttpd's thread runs api_request: it
 * parses, authenticates and authorises from memory and answers what it can; all else it posts to
 * one of a few API workers, each with a store reader of its own, where a handler may block until
 * the committer or a device's home worker has answered (mechanics 37). Streams live at one worker
 * more, which reads the outbox once for all subscribers.
 *
 * Everything the API needs of others is in struct api_options; nothing of it is owned.
 */
#pragma once

#include "core/clock.h"
#include "db/committer.h"
#include "db/secret.h"
#include "gateway/udp.h"
#include "net/httpd.h"
#include "ns/ns.h"

struct api;

#define API_CHECKS_MAX 8

/* A reason why the server may not be ready. */
struct api_check {
    const char *name; /* "udp" */
    void *ctx;
    /* NULL: fine; else a static text. Any thread; must not block. */
    const char *(*failing)(void *ctx);
};

struct api_options {
    struct clock *clock;
    struct store *store;
    struct committer *committer;
    struct ns *ns;
    struct udp *udp;                 /* NULL: no gateways by UDP */
    const struct overload *overload; /* for /readyz; NULL: none */
    const char *admin_key; /* GODWIT_ADMIN_API_KEY, 32 characters or more; NULL: none. Copied. */
    unsigned threads;      /* API workers: 1..4, 0: 2 */
    uint8_t net_id[3];     /* for the status page, most significant octet first */
    /* Lets others work while a handler waits; NULL: the handler's thread sleeps until the answer
     * came. Single-threaded tests step their workers here. */
    void (*pump)(void *ctx);
    void *pump_ctx;
    /* The frame log's files (api/frames.h). Folder NULL: none, it lies in memory only. */
    const char *frames_dir;
    uint64_t frames_max_bytes;
    int64_t frames_max_age_us;
    unsigned frames_ring; /* 0: the default; tests make it small */
    uint64_t frames_file_bytes;
    struct api_check checks[API_CHECKS_MAX]; /* beside the store, for /readyz */
    size_t check_count;
    const struct directory *records; /* read already; NULL: read here. Not kept */
};

/* Opens its readers and fills its directory. Before threads start. */
enum err api_new(const struct api_options *options, struct api **api) MUST_CHECK;
/* Starts and stops the workers' threads. Order at the end: httpd_stop, api_stop, then the committer
 * and ns; api_free last. */
void api_start(struct api *api);
void api_stop(struct api *api);
void api_free(struct api *api);

/* Its workers, for tests that step them: first the API workers, then that of the streams and that
 * of the frame log. */
unsigned api_worker_count(const struct api *api);
struct worker *api_worker(struct api *api, unsigned at);

/* httpd_config.on_request; `api` is the owner. */
void api_request(void *owner, struct http_request *request);

/* commit_observer.record and .outbox; at the committer, they copy and post only. */
void api_record(struct api *api, enum record_type type, const struct record_key *key,
                const void *record);
void api_outbox(struct api *api, uint64_t end);

/* ns_ops.covered: whether an open event stream covers the device. Any thread. */
bool api_covered(struct api *api, const struct uuid *tenant, const struct uuid *application,
                 struct lw_eui dev_eui);

/* ns_ops.frame: keeps it in the frame log. Any thread. */
void api_frame(struct api *api, const struct frame_entry *entry);

/* First start: in a store without users, makes tenant `default` and user admin@localhost with a
 * random password in `<data_dir>/admin-password` (0600). *created: it did. Goes through
 * store_commit and so must run before the committer does. */
enum err api_bootstrap(struct store *store, struct clock *clock, const char *data_dir,
                       bool *created) MUST_CHECK;

/* Registers this room's metrics; once, before threads start. */
void api_metrics_register(void);
