/* rest.c - see rest.h. */
#include "tests/flow/rest.h"

#include "core/json.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void pump(void *ctx)
{
    world_run(&((struct rest *)ctx)->world, 0);
}

static void hook_record(void *hook, enum record_type type, const struct record_key *key,
                        const void *record)
{
    api_record(((struct rest *)hook)->api, type, key, record);
}

static void hook_outbox(void *hook, uint64_t end)
{
    api_outbox(((struct rest *)hook)->api, end);
}

static void hook_frame(void *hook, const struct frame_entry *entry)
{
    api_frame(((struct rest *)hook)->api, entry);
}

static bool hook_covered(void *hook, const struct uuid *tenant, const struct uuid *application,
                         struct lw_eui dev_eui)
{
    return api_covered(((struct rest *)hook)->api, tenant, application, dev_eui);
}

static void start(struct rest *rest)
{
    struct api_options api = {.admin_key = REST_ADMIN_KEY,
                              .pump = pump,
                              .pump_ctx = rest,
                              .frames_dir = rest->frames_dir,
                              .frames_max_bytes =
                                  rest->frames_max_bytes ? rest->frames_max_bytes : 1u << 20,
                              .frames_max_age_us = 7 * 86400 * (int64_t)US_PER_S,
                              .frames_ring = rest->frames_ring,
                              .frames_file_bytes = 8192};
    struct httpd_config config = {.on_request = api_request};
    const char *why = NULL;

    api.clock = config.clock = &rest->world.clock.clock;
    api.store = rest->world.store;
    api.committer = rest->world.committer;
    api.ns = rest->world.ns;
    api.udp = rest->world.udp;
    api.overload = &rest->world.overload;
    ck_assert_int_eq(api_new(&api, &rest->api), OK);
    rest->world.hook = rest;
    rest->world.on_record = hook_record;
    rest->world.on_outbox = hook_outbox;
    rest->world.on_frame = hook_frame;
    rest->world.on_covered = hook_covered;
    /* The handlers' workers are stepped by rest_send alone: a handler may be at work already. */
    for (unsigned i = api_worker_count(rest->api) - 2; i < api_worker_count(rest->api); i++)
        rest->world.workers[rest->world.worker_count++] = api_worker(rest->api, i);
    config.owner = rest->api;
    ck_assert_msg(httpd_start(&config, &rest->httpd, &why) == OK, "%s", why);
}

static void stop(struct rest *rest)
{
    world_run(&rest->world, 0);
    httpd_stop(rest->httpd);
    world_run(&rest->world, 0);
    rest->world.worker_count -= 2;
    rest->world.on_record = NULL;
    rest->world.on_outbox = NULL;
    rest->world.on_frame = NULL;
    rest->world.on_covered = NULL;
    api_free(rest->api);
}

void rest_open(struct rest *rest, const struct world_options *options)
{
    static bool registered;

    if (!registered) {
        api_metrics_register();
        ns_metrics_register();
        udp_metrics_register();
    }
    registered = true;
    memset(rest, 0, sizeof(*rest));
    world_open(&rest->world, options);
    (void)snprintf(rest->frames_dir, sizeof(rest->frames_dir), "%s/frames", rest->world.dir);
    start(rest);
}

void rest_restart(struct rest *rest)
{
    stop(rest);
    world_restart(&rest->world, false);
    start(rest);
}

void rest_close(struct rest *rest)
{
    stop(rest);
    world_close(&rest->world);
}

void rest_step(struct rest *rest)
{
    for (unsigned i = 0; i + 2 < api_worker_count(rest->api); i++)
        (void)worker_step(api_worker(rest->api, i), 0);
    world_run(&rest->world, 0);
}

static struct http_exchange *send_only(struct rest *rest, const char *key, const char *method,
                                       const char *path, const char *body)
{
    struct http_pair headers[4];
    struct http_inject request = {.method = method,
                                  .target = path,
                                  .headers = headers,
                                  .body = {(const uint8_t *)body, body ? strlen(body) : 0}};
    struct http_exchange *exchange;

    key = key ? key : REST_ADMIN_KEY;
    if (*key)
        headers[request.header_count++] =
            (struct http_pair){"Authorization", arena_printf(&rest->world.arena, "Bearer %s", key)};
    if (rest->if_match)
        headers[request.header_count++] = (struct http_pair){"If-Match", rest->if_match};
    if (rest->content_type)
        headers[request.header_count++] = (struct http_pair){"Content-Type", rest->content_type};
    if (rest->last_event_id)
        headers[request.header_count++] = (struct http_pair){"Last-Event-ID", rest->last_event_id};
    exchange = httpd_inject(rest->httpd, &request);
    rest->if_match = rest->content_type = rest->last_event_id = NULL;
    return exchange;
}

static struct http_exchange *inject(struct rest *rest, const char *key, const char *method,
                                    const char *path, const char *body)
{
    struct http_exchange *exchange = send_only(rest, key, method, path, body);

    rest_step(rest);
    return exchange;
}

struct http_exchange *rest_inject(struct rest *rest, const char *method, const char *path,
                                  const char *body)
{
    return send_only(rest, NULL, method, path, body);
}

static const char *header(struct rest *rest, struct http_exchange *exchange, const char *key)
{
    const char *value = http_captured_header(exchange, key);

    return arena_strdup(&rest->world.arena, value ? value : "");
}

struct rest_answer rest_send(struct rest *rest, const char *key, const char *method,
                             const char *path, const char *body)
{
    struct http_exchange *exchange = inject(rest, key, method, path, body);
    struct http_captured got = http_captured(exchange);
    struct arena *arena = &rest->world.arena;
    struct rest_answer answer = {.status = got.status};
    const char *why;

    ck_assert_msg(got.status != 0, "%s %s was not answered", method, path);
    answer.type = arena_strdup(arena, got.content_type ? got.content_type : "");
    answer.location = header(rest, exchange, "Location");
    answer.etag = header(rest, exchange, "ETag");
    answer.allow = header(rest, exchange, "Allow");
    answer.retry_after = header(rest, exchange, "Retry-After");
    answer.body = arena_strndup(arena, (const char *)got.body.p, got.body.n);
    if (got.body.n && strstr(answer.type, "json"))
        ck_assert_msg(json_read(answer.body, got.body.n, arena, &answer.json, &why) == OK, "%s: %s",
                      why, answer.body);
    http_inject_close(exchange);
    return answer;
}

struct rest_answer rest_must(struct rest *rest, int status, const char *method, const char *path,
                             const char *body)
{
    struct rest_answer answer = rest_send(rest, NULL, method, path, body);

    ck_assert_msg(answer.status == status, "%s %s: %d, not %d: %s", method, path, answer.status,
                  status, answer.body);
    return answer;
}

struct http_exchange *rest_stream(struct rest *rest, const char *key, const char *path)
{
    return inject(rest, key, "GET", path, NULL);
}

const char *rest_text(const struct node *json, const char *path)
{
    char name[64];

    while (json && *path) {
        size_t n = strcspn(path, ".");

        (void)snprintf(name, sizeof(name), "%.*s", (int)n, path);
        json = node_get(json, name);
        path += n + (path[n] == '.');
    }
    if (json && json->kind == NODE_BOOL)
        return json->boolean ? "true" : "false";
    return json ? json->text : NULL;
}

const struct node *rest_item(const struct node *json, size_t at)
{
    const struct node *items = node_get(json, "items"), *item = items ? items->child : NULL;

    while (item && at-- > 0)
        item = item->next;
    return item;
}

bool rest_complains(const struct rest_answer *answer, const char *field)
{
    const struct node *errors = node_get(answer->json, "errors");

    for (const struct node *e = errors ? errors->child : NULL; e; e = e->next) {
        const char *at = rest_text(e, "field");

        if (at && strcmp(at, field) == 0)
            return true;
    }
    return false;
}

const char *rest_print(struct rest *rest, const char *format, ...)
{
    char text[2048];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    return arena_strdup(&rest->world.arena, text);
}

const char *rest_id(struct rest *rest, const struct uuid *id)
{
    char text[UUID_TEXT];

    return arena_strdup(&rest->world.arena, uuid_text(text, id));
}
