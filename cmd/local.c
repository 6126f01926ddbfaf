/* local.c - the API by UNIX socket, or in this process when no server runs. */
#include "cmd/local.h"

#include "api/api.h"
#include "core/json.h"
#include "core/log.h"
#include "net/httpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The parts that the API stands on, stepped by hand. */
struct office {
    struct store *store;
    struct committer *committer;
    struct ns *ns;
    struct api *api;
    struct httpd *httpd;
};

static void on_record(void *ctx, enum record_type type, const struct record_key *key,
                      const void *record)
{
    struct office *office = ctx;

    ns_record(office->ns, type, key, record);
    api_record(office->api, type, key, record);
}

static void nothing_sent(void *ctx, struct tx_request *request)
{
    (void)ctx;
    free(request); /* no gateway is connected to this process */
}

static size_t step_all(struct office *office)
{
    size_t done = worker_step(committer_worker(office->committer), 0);

    for (unsigned i = 0; i < ns_worker_count(office->ns); i++)
        done += worker_step(ns_worker(office->ns, i), 0);
    /* Answers to a waiting handler arrive at the API's worker of streams, see api.h. */
    done += worker_step(api_worker(office->api, api_worker_count(office->api) - 2), 0);
    return done;
}

/* Called while a handler waits: lets the others work. */
static void pump(void *ctx)
{
    (void)step_all(ctx);
}

static int office_open(struct office *office, const struct settings *settings, struct arena *arena)
{
    struct commit_observer observer = {.ctx = office, .record = on_record};
    struct ns_options ns = {.clock = clock_system(), .workers = 1};
    struct ns_ops ops = {.ctx = office, .transmit = nothing_sent};
    struct api_options api = {.clock = clock_system(), .pump = pump, .pump_ctx = office};
    struct httpd_config http = {.on_request = api_request};
    const char *why = "";
    bool created;
    int status = cmd_open_store(settings, arena, &office->store);

    if (status != EXIT_SUCCESS)
        return status;
    office->committer = committer_new(office->store, clock_system(), &observer);
    ns.store = office->store;
    ns.committer = office->committer;
    office->ns = ns_new(&ns, &ops);
    api.store = office->store;
    api.committer = office->committer;
    api.ns = office->ns;
    if (api_bootstrap(office->store, clock_system(), settings->data_dir, &created) ||
        ns_load(office->ns) || ns_load_records(office->ns, NULL) || api_new(&api, &office->api))
        return cmd_fail("the store cannot be read");
    http.owner = office->api;
    return httpd_start(&http, &office->httpd, &why) ? cmd_fail("%s", why) : EXIT_SUCCESS;
}

static void office_close(struct office *office)
{
    if (office->httpd)
        httpd_stop(office->httpd);
    if (office->api)
        api_free(office->api);
    if (office->ns)
        ns_free(office->ns);
    if (office->committer)
        committer_free(office->committer);
    if (office->store)
        store_close(office->store);
}

static void ask_here(struct office *office, const struct http_inject *inject,
                     struct local_answer *answer)
{
    struct http_exchange *exchange = httpd_inject(office->httpd, inject);
    struct http_captured captured = http_captured(exchange);

    for (int idle = 0; !captured.ended && idle < 1000; captured = http_captured(exchange)) {
        size_t done = step_all(office);

        for (unsigned i = 0; i < api_worker_count(office->api); i++)
            done += worker_step(api_worker(office->api, i), 0);
        idle = done ? 0 : idle + 1;
    }
    answer->status = captured.status;
    answer->body = xmalloc(captured.body.n + 1);
    if (captured.body.n)
        memcpy(answer->body, captured.body.p, captured.body.n);
    answer->body[captured.body.n] = '\0';
    http_inject_close(exchange);
}

static const struct http_pair json_header = {"Content-Type", "application/json"};

static int request_here(const struct settings *settings, struct arena *arena,
                        struct http_inject *inject, struct local_answer *answer)
{
    static bool registered;
    struct office office = {0};
    int status;

    if (!registered) {
        ns_metrics_register();
        api_metrics_register();
        registered = true;
    }
    status = office_open(&office, settings, arena);

    if (status == EXIT_SUCCESS)
        ask_here(&office, inject, answer);
    office_close(&office);
    return status;
}

static int request_there(const char *socket, const struct http_inject *inject,
                         struct local_answer *answer)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct httpc_request request = {.method = inject->method,
                                    .url = inject->target,
                                    .unix_path = socket,
                                    .headers = headers,
                                    .body = inject->body};
    struct httpc_response response = {0};
    const char *why = "";

    if (httpc_do(&request, &response, &why))
        return cmd_fail("%s: %s", socket, why);
    answer->status = response.status;
    answer->body = response.body;
    return EXIT_SUCCESS;
}

int local_request(const struct settings *settings, const char *method, const char *target,
                  const char *body, struct local_answer *answer)
{
    struct http_inject inject = {.method = method,
                                 .target = target,
                                 .headers = &json_header,
                                 .header_count = 1,
                                 .body = {(const uint8_t *)body, body ? strlen(body) : 0},
                                 .local = true};
    struct arena arena;
    const char *socket;
    int status;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    log_setup(LOG_LEVEL_WARN, LOG_TEXT);
    if (cmd_server_runs(settings, &arena, &socket))
        status = request_there(socket, &inject, answer);
    else
        status = request_here(settings, &arena, &inject, answer);
    arena_reset(&arena);
    return status;
}

int local_problem(const struct local_answer *answer)
{
    struct arena arena;
    const struct node *root = NULL, *detail, *errors;
    const char *why;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (json_read(answer->body, strlen(answer->body), &arena, &root, &why) != OK)
        root = NULL;
    detail = node_get(root, "detail");
    errors = node_get(root, "errors");
    (void)cmd_fail("%s (%d)", detail ? detail->text : "refused", answer->status);
    for (const struct node *e = errors ? errors->child : NULL; e; e = e->next) {
        const struct node *field = node_get(e, "field"), *message = node_get(e, "message");

        (void)fprintf(stderr, "  %s %s\n", field ? field->text : "", message ? message->text : "");
    }
    arena_reset(&arena);
    return EXIT_FAILURE;
}
