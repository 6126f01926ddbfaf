/*
 * api.c - the room's parts put together, and a request's way from libmicrohttpd to a handler.
 */
#include "api/api.h"

#include "api/api_priv.h"
#include "api/call.h"
#include "api/routes.h"
#include "core/log.h"
#include "core/metric.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char *const class_labels[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};

static const char *class_label(unsigned at)
{
    return class_labels[at];
}

static struct metric answers = {.name = "godwit_api_answers_total",
                                .kind = METRIC_COUNTER,
                                .help = "REST answers by status class; streams count as 2xx.",
                                .label = "status",
                                .count = 5,
                                .value_name = class_label};

void api_metrics_register(void)
{
    metric_register(&answers);
    metric_register(&stream_cuts);
    frames_metrics_register();
}

void api_lock(struct api *api)
{
    (void)pthread_mutex_lock(&api->lock);
}

void api_unlock(struct api *api)
{
    (void)pthread_mutex_unlock(&api->lock);
}

/* ---- making ---------------------------------------------------------------------------------- */

static enum err open_workers(struct api *api)
{
    unsigned threads = api->options.threads ? api->options.threads : 2;
    enum err err = streams_init(&api->streams, api);

    threads = threads > API_THREADS_MAX ? API_THREADS_MAX : threads;
    while (!err && api->worker_count < threads) {
        struct api_worker *at = &api->workers[api->worker_count];

        err = store_reader_open(api->options.store, &at->reader);
        if (!err) {
            worker_init(&at->worker, "api", api->options.clock, at);
            api->worker_count++;
        }
    }
    return err;
}

enum err api_new(const struct api_options *options, struct api **out)
{
    struct api *api = xcalloc(1, sizeof(*api));
    enum err err;

    api->options = *options;
    if (options->admin_key)
        (void)EVP_Digest(options->admin_key, strlen(options->admin_key), api->admin_hash, NULL,
                         EVP_sha256(), NULL);
    secret_derive(store_secret(options->store), "session token", api->token_key);
    (void)pthread_mutex_init(&api->lock, NULL);
    directory_init(&api->directory);
    map_init(&api->used);
    frames_init(&api->frames, &(struct frames_options){.clock = options->clock,
                                                       .dir = options->frames_dir,
                                                       .max_bytes = options->frames_max_bytes,
                                                       .max_age_us = options->frames_max_age_us,
                                                       .ring = options->frames_ring,
                                                       .file_bytes = options->frames_file_bytes});
    err = open_workers(api);
    if (!err && options->records)
        directory_share(&api->directory, options->records);
    else if (!err)
        err = directory_load(&api->directory, options->store);
    if (err) {
        api_free(api);
        return err;
    }
    *out = api;
    return OK;
}

void api_free(struct api *api)
{
    struct map_slot *slot;
    size_t at = 0;

    for (unsigned i = 0; i < api->worker_count; i++) {
        worker_fini(&api->workers[i].worker);
        store_reader_close(api->workers[i].reader);
    }
    streams_fini(&api->streams);
    frames_fini(&api->frames);
    while ((slot = map_next(&api->used, &at)))
        free(slot->value);
    map_fini(&api->used);
    directory_fini(&api->directory);
    (void)pthread_mutex_destroy(&api->lock);
    OPENSSL_cleanse(api->token_key, sizeof(api->token_key));
    free(api);
}

void api_start(struct api *api)
{
    worker_start(&api->frames.worker);
    worker_start(&api->streams.worker);
    for (unsigned i = 0; i < api->worker_count; i++)
        worker_start(&api->workers[i].worker);
}

/* The stream worker ends last: handlers still wait for what comes back through it. */
void api_stop(struct api *api)
{
    for (unsigned i = 0; i < api->worker_count; i++)
        worker_stop(&api->workers[i].worker);
    worker_stop(&api->streams.worker);
    worker_stop(&api->frames.worker);
}

unsigned api_worker_count(const struct api *api)
{
    return api->worker_count + 2;
}

struct worker *api_worker(struct api *api, unsigned at)
{
    return at < api->worker_count    ? &api->workers[at].worker
           : at == api->worker_count ? &api->streams.worker
                                     : &api->frames.worker;
}

/* ---- what others tell ------------------------------------------------------------------------ */

void api_record(struct api *api, enum record_type type, const struct record_key *key,
                const void *record)
{
    struct shared_record *shared;

    if (!record_types[type].shared)
        return;
    shared = shared_record_new(type, key, record);
    api_lock(api);
    directory_apply(&api->directory, shared);
    api_unlock(api);
}

void api_outbox(struct api *api, uint64_t end)
{
    (void)end;
    streams_wake(&api->streams);
}

bool api_covered(struct api *api, const struct uuid *tenant, const struct uuid *application,
                 struct lw_eui dev_eui)
{
    return streams_covered(&api->streams, tenant, application, dev_eui);
}

void api_frame(struct api *api, const struct frame_entry *entry)
{
    frames_add(&api->frames, entry);
    streams_wake(&api->streams);
}

/* ---- requests -------------------------------------------------------------------------------- */

static int authorise(struct call *call)
{
    const struct endpoint *endpoint = call->endpoint;

    if (endpoint->flags & EP_OPEN)
        return 0;
    if (!auth_recognise(call->api, call->request, &call->arena, &call->who))
        return call_fail(call, 401, "a valid API key or session token is needed");
    if (endpoint->flags & EP_ADMIN && !call->who.is_admin)
        return call_fail(call, 403, "only administrators of the server may do this");
    if (!auth_may_somewhere(&call->who, (enum scope)endpoint->scope))
        return call_fail(call, 403, "the scope %s is needed", api_scopes[endpoint->scope]);
    return 0;
}

static void finish(struct call *call, int status)
{
    metric_add(&answers, status == CALL_HANDED ? 1 : (unsigned)(status / 100 - 1), 1);
    call_end(call, status);
}

static void call_run(struct worker *worker, struct mail *mail)
{
    struct call *call = (struct call *)mail;

    call->reader = ((struct api_worker *)worker->owner)->reader;
    finish(call, call->endpoint->handle(call));
}

void api_request(void *owner, struct http_request *request)
{
    struct api *api = owner;
    struct call *call = call_new(api, request);
    int status = route_find(call, request->method, request->route);
    struct worker *worker;

    /* A malformed id is told only to those who may ask. */
    if (call->endpoint && (status == 0 || status == 400)) {
        int verdict = authorise(call);

        status = verdict ? verdict : status;
    }
    assert(status || call->endpoint);
    if (!status && call->endpoint->flags & EP_HERE)
        status = call->endpoint->handle(call);
    if (status) {
        finish(call, status);
        return;
    }
    call->mail.take = call_run;
    worker = &api->workers[atomic_fetch_add(&api->turn, 1) % api->worker_count].worker;
    if (!mail_try(worker, LANE_BULK, &call->mail)) {
        call_header(call, "Retry-After", "1");
        finish(call, call_fail(call, 503, "too many requests wait"));
    }
}
