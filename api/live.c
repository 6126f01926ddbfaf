/*
 * live.c - the read-only members of devices and gateways, asked of those who know: all questions of
 * a page leave at once, then the handler waits.
 */
#include "api/api_priv.h"
#include "api/crud.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const class_names[] = {"A", "B", "C"};
static const char *const state_names[] = {"never-seen", "online", "offline"};

/* ---- devices --------------------------------------------------------------------------------- */

static struct node *number(struct call *call, double value)
{
    struct node *node = node_new(&call->arena, NODE_DOUBLE);

    node->number = value;
    return node;
}

/* Battery in percent as in the `status` event; absent while unknown or powered from outside. */
static void take_state(struct call *call, struct device_record *device,
                       const struct ns_call *question)
{
    char addr[LW_DEV_ADDR_TEXT];
    const struct device_status *status = &question->status;

    device->class_name = class_names[LW_CLASS_A];
    if (question->result)
        return;
    device->last_seen_us = status->last_seen_us;
    if (status->has_status) {
        device->margin = number(call, status->margin);
        if (status->battery >= 1 && status->battery <= 254)
            device->battery = number(call, round(status->battery * 10000.0 / 254.0) / 100.0);
    }
    if (question->has_session || question->has_pending)
        device->dev_addr =
            arena_strdup(&call->arena, lw_dev_addr_text(addr, question->session.dev_addr));
}

static void devices_live(struct call *call, void **records, size_t n)
{
    struct ns_call **questions = arena_array(&call->arena, struct ns_call *, n + 1);

    for (size_t i = 0; i < n; i++)
        questions[i] = ns_call_new(ACT_STATE, ((struct device_record *)records[i])->dev_eui);
    call_ask_all(call, questions, n);
    for (size_t i = 0; i < n; i++) {
        take_state(call, records[i], questions[i]);
        ns_call_free(questions[i]);
    }
}

/* ---- gateways -------------------------------------------------------------------------------- */

static void status_came(struct worker *worker, struct mail *mail)
{
    (void)worker;
    call_arrived(((struct gateway_query *)mail)->arg);
}

/* The answer stays in the call's arena until its page is printed. */
static void gateways_live(struct call *call, void **records, size_t n)
{
    struct gateway_query *query =
        arena_alloc(&call->arena, sizeof(*query) + n * sizeof(query->status[0]));

    call->live = query->status;
    if (!call->api->options.udp)
        return;
    query->reply_to = &call->api->streams.worker;
    query->reply = status_came;
    query->arg = call;
    query->count = n;
    for (size_t i = 0; i < n; i++)
        query->status[i].id = ((const struct gateway_config *)records[i])->gateway_id;
    call_expect(call, 1);
    udp_ask_status(call->api->options.udp, query);
    call_wait(call);
}

static void print_duty(struct jw *jw, const struct gateway_status *status)
{
    jw_key(jw, "dutyCycle");
    jw_array(jw);
    for (size_t i = 0; i < status->duty_count; i++) {
        const struct gateway_duty *duty = &status->duty[i];

        jw_object(jw);
        jw_key_uint(jw, "minFrequency", duty->min_hz);
        jw_key_uint(jw, "maxFrequency", duty->max_hz);
        jw_key(jw, "limitPercent");
        jw_double(jw, duty->limit_ppm / 10000.0);
        jw_key(jw, "usedPercent");
        jw_double(jw, duty->used_ppm / 10000.0);
        jw_key_int(jw, "usedUs", duty->used_us);
        jw_key_int(jw, "freeUs", duty->free_us);
        jw_end_object(jw);
    }
    jw_end_array(jw);
}

static void print_gateway_live(struct jw *jw, const struct gateway_status *status)
{
    jw_key(jw, "lastSeenAt");
    if (status->last_seen_utc_us)
        jw_time(jw, status->last_seen_utc_us);
    else
        jw_null(jw);
    jw_key_str(jw, "state", state_names[status->found ? status->state : GATEWAY_NEVER_SEEN]);
    jw_key(jw, "rttMs");
    if (status->found && status->rtt_ms >= 0)
        jw_int(jw, status->rtt_ms);
    else
        jw_null(jw);
    jw_key_bool(jw, "gpsLocked", status->gps_locked);
    print_duty(jw, status);
}

/* ---- all ------------------------------------------------------------------------------------- */

void resource_live(struct call *call, enum record_type type, void **records, size_t n)
{
    if (type == REC_DEVICE)
        devices_live(call, records, n);
    else if (type == REC_GATEWAY)
        gateways_live(call, records, n);
    for (size_t i = 0; type == REC_API_KEY && i < n; i++) {
        struct api_key *key = records[i];

        key->last_used_us = auth_last_used(call->api, &key->id);
    }
}

void resource_print(struct call *call, enum record_type type, const void *record, size_t at)
{
    jw_object(&call->out);
    field_print_members(record_types[type].fields, record, &call->out, FIELD_VIEW_PUBLIC);
    if (type == REC_GATEWAY)
        print_gateway_live(&call->out, &call->live[at]);
    jw_end_object(&call->out);
}
