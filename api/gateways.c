/*
 * gateways.c - the inbox of unknown gateways and their adoption.
 */
#include "api/api_priv.h"
#include "api/crud.h"

#include <stdlib.h>
#include <string.h>

static void list_came(struct worker *worker, struct mail *mail)
{
    (void)worker;
    call_arrived(((struct unknown_query *)mail)->arg);
}

static struct unknown_query *ask_unknown(struct call *call)
{
    struct unknown_query *query = arena_new(&call->arena, struct unknown_query);

    if (!call->api->options.udp)
        return query;
    query->reply_to = &call->api->streams.worker;
    query->reply = list_came;
    query->arg = call;
    call_expect(call, 1);
    udp_ask_unknown(call->api->options.udp, query);
    call_wait(call);
    return query;
}

static void print_unknown(struct jw *jw, const struct gateway_unknown *unknown)
{
    char text[ADDRESS_TEXT];

    jw_object(jw);
    jw_key_str(jw, "gatewayId", lw_eui_text(text, unknown->id));
    jw_key_str(jw, "address", address_text(text, &unknown->address));
    jw_key_str(jw, "protocol", unknown->protocol);
    jw_key(jw, "firstSeenAt");
    jw_time(jw, unknown->first_seen_utc_us);
    jw_key(jw, "lastSeenAt");
    jw_time(jw, unknown->last_seen_utc_us);
    jw_key_uint(jw, "frames", unknown->frames);
    jw_key_str(jw, "reason", unknown->reason);
    jw_end_object(jw);
}

/* Nobody's yet: whoever may read gateways anywhere sees the list. */
int gateways_unknown(struct call *call)
{
    const struct unknown_query *query = ask_unknown(call);
    struct jw *jw = &call->out;

    jw_object(jw);
    jw_key(jw, "items");
    jw_array(jw);
    for (size_t i = 0; i < query->count; i++)
        print_unknown(jw, &query->list[i]);
    jw_end_array(jw);
    jw_key(jw, "nextCursor");
    jw_null(jw);
    jw_key_uint(jw, "totalCount", query->count);
    jw_end_object(jw);
    return 200;
}

/* ---- adoption -------------------------------------------------------------------------------- */

static bool is_unknown(struct call *call, struct lw_eui id)
{
    const struct unknown_query *query = ask_unknown(call);

    for (size_t i = 0; i < query->count; i++) {
        if (lw_eui_equal(query->list[i].id, id))
            return true;
    }
    return false;
}

/* The tenant `default`, or else the oldest. */
static const char *default_tenant(struct call *call)
{
    char text[UUID_TEXT];
    const struct tenant *tenant, *first = NULL;
    const char *found = NULL;
    uint32_t at = 0;

    api_lock(call->api);
    while ((tenant = directory_next(&call->api->directory, REC_TENANT, &at))) {
        if (!auth_may(&call->who, &tenant->id, SCOPE_GATEWAYS_WRITE))
            continue;
        if (!first || strcmp(tenant->name, "default") == 0)
            first = tenant;
        if (strcmp(first->name, "default") == 0)
            break;
    }
    if (first)
        found = arena_strdup(&call->arena, uuid_text(text, &first->id));
    api_unlock(call->api);
    return found;
}

/* Adds a member to the body if the client left it out. */
static void supply(struct call *call, struct node *body, const char *key, const char *value)
{
    struct node *node;

    if (node_get(body, key) || !value)
        return;
    node = node_new(&call->arena, NODE_STRING);
    node->key = key;
    node->text = value;
    node->len = strlen(value);
    node_append(body, node);
}

static int adopt_body(struct call *call, const char *id)
{
    struct node *body;
    int status = call->request->body.n ? call_body(call) : 0;

    if (status)
        return status;
    if (call->body && call->body->kind != NODE_OBJECT)
        return call_fail(call, 422, "the body must be an object");
    if (node_get(call->body, "gatewayId"))
        field_error_add(&call->errors, "gatewayId", 0, "stands in the path");
    body = node_new(&call->arena, NODE_OBJECT);
    if (call->body)
        *body = *call->body;
    supply(call, body, "gatewayId", id);
    supply(call, body, "name", id);
    supply(call, body, "tenantId", default_tenant(call));
    call->body = body;
    return 0;
}

int gateway_adopt(struct call *call)
{
    struct gateway_config *gateway = arena_new(&call->arena, struct gateway_config);
    struct lw_eui id = call_eui(call, "gatewayId");
    char text[LW_EUI_TEXT];
    int status;

    if (!is_unknown(call, id))
        return call_fail(call, 404, "no such gateway waits in the inbox");
    status = adopt_body(call, arena_strdup(&call->arena, lw_eui_text(text, id)));
    if (!status)
        status = call_read(call, record_types[REC_GATEWAY].fields, gateway, FIELD_CREATE, NULL);
    if (!status && record_resolve(REC_GATEWAY, gateway, &call->errors) && !call->errors.n)
        status = 422;
    if (!status)
        status = resource_check(call, REC_GATEWAY, NULL, gateway);
    if (!status)
        status = call_checked(call);
    return status ? status : crud_store_new(call, REC_GATEWAY, gateway);
}
