/*
 * health.c - alive, ready, metrics, and the page at `/`. All answered in the HTTP thread.
 */
#include "api/api_priv.h"
#include "api/routes.h"
#include "core/metric.h"

#include <stdlib.h>
#include <string.h>

#define AWAY_GRACE (2 * (int64_t)US_PER_S) /* mechanics 16 */

static void put_text(struct call *call, const char *text)
{
    jw_raw(&call->out, text, strlen(text));
}

int health_alive(struct call *call)
{
    call->content_type = "text/plain; charset=utf-8";
    put_text(call, "ok\n");
    return 200;
}

static bool store_is_away(struct call *call)
{
    int64_t since = committer_away_since(call->api->options.committer);

    return since && clock_mono(call->clock) - since >= AWAY_GRACE;
}

static size_t print_reasons(struct call *call)
{
    const struct api_options *options = &call->api->options;
    struct jw *jw = &call->out;
    size_t n = 0;

    jw_array(jw);
    if (store_is_away(call)) {
        jw_str(jw, "store: it cannot be reached or written");
        n++;
    }
    for (size_t i = 0; i < options->check_count; i++) {
        const struct api_check *check = &options->checks[i];
        const char *why = check->failing(check->ctx);

        if (!why)
            continue;
        jw_str(jw, arena_printf(&call->arena, "%s: %s", check->name, why));
        n++;
    }
    jw_end_array(jw);
    return n;
}

/* What does not keep it from its work, but somebody should know. */
static void print_remarks(struct call *call)
{
    struct aside_counts counts = asides_all(store_asides(call->api->options.store));
    struct jw *jw = &call->out;

    const char *trouble = frames_trouble(&call->api->frames);
    const char *overload = overload_text(call->api->options.overload);

    jw_key(jw, "remarks");
    jw_array(jw);
    if (overload)
        jw_str(jw, arena_printf(&call->arena, "overload: %s", overload));
    if (trouble)
        jw_str(jw, arena_printf(&call->arena, "frame log: %s", trouble));
    for (unsigned kind = 0; kind < ASIDE_KIND_COUNT; kind++) {
        if (counts.n[kind])
            jw_str(jw, arena_printf(&call->arena,
                                    "store: %zu rows of kind %s cannot be read and were set aside",
                                    counts.n[kind], aside_name(kind)));
    }
    jw_end_array(jw);
}

int health_ready(struct call *call)
{
    bool ready = print_reasons(call) == 0;
    struct jw reasons = call->out;

    jw_init(&call->out, CALL_OUT_MAX);
    jw_object(&call->out);
    jw_key_bool(&call->out, "ready", ready);
    jw_key(&call->out, "reasons");
    jw_raw(&call->out, reasons.p, reasons.n);
    print_remarks(call);
    jw_end_object(&call->out);
    jw_free(&reasons);
    call->plain = true;
    return ready ? 200 : 503;
}

int health_metrics(struct call *call)
{
    size_t n;
    char *text = metric_text(&n);

    call->content_type = "text/plain; version=0.0.4; charset=utf-8";
    jw_raw(&call->out, text, n);
    free(text);
    return 200;
}

static const char page[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Godwit</title>"
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}"
    "</style><h1>Godwit</h1><p>This LoRaWAN network server is running.</p><ul>"
    "<li><a href=\"/api/v1/docs\">The REST interface</a></li>"
    "<li><a href=\"/readyz\">Is it ready?</a></li>"
    "<li><a href=\"/metrics\">Metrics</a></li></ul>\n";

int health_page(struct call *call)
{
    call->content_type = "text/html; charset=utf-8";
    put_text(call, page);
    return 200;
}
