/*
 * object.c - finding what a request is about, and whether the sender may have it; the audit log.
 *
 * An object of a tenant that the sender has nothing to do with does not exist for him (404); one
 * that he sees without holding the scope is 403.
 */
#include "api/api_priv.h"
#include "api/call.h"
#include "api/routes.h"

#include <string.h>

const char *call_key_text(struct call *call, enum record_type type, const struct record_key *key)
{
    char *text = arena_alloc(&call->arena, UUID_TEXT);
    struct uuid id;

    if (key->n == 8)
        return hex_write(text, key->b, 8);
    memcpy(id.b, type == REC_TENANT_USER ? key->b + 16 : key->b, 16);
    return uuid_text(text, &id);
}

static struct uuid tenant_of_application(struct call *call, const struct uuid *id)
{
    struct record_key key = record_key_uuid(id);
    void *application = NULL;

    if (store_record_get(call->reader, REC_APPLICATION, &key, &call->arena, &application))
        return (struct uuid){{0}};
    return ((const struct application *)application)->tenant_id;
}

struct uuid call_tenant_of(struct call *call, enum record_type type, const void *record)
{
    switch (type) {
    case REC_TENANT: return ((const struct tenant *)record)->id;
    case REC_TENANT_USER: return ((const struct tenant_user *)record)->tenant_id;
    case REC_API_KEY: return ((const struct api_key *)record)->tenant_id;
    case REC_APPLICATION: return ((const struct application *)record)->tenant_id;
    case REC_DEVICE_PROFILE: return ((const struct device_profile *)record)->tenant_id;
    case REC_GATEWAY: return ((const struct gateway_config *)record)->tenant_id;
    case REC_DEVICE:
        return tenant_of_application(call, &((const struct device_record *)record)->application_id);
    case REC_USER:
    case REC_TYPE_COUNT: break;
    }
    return (struct uuid){{0}};
}

static int none(struct call *call, enum record_type type)
{
    call->detail = NULL;
    return call_fail(call, 404, "there is no such %s", record_types[type].name);
}

int call_object(struct call *call, enum record_type type, const struct record_key *key,
                void **record)
{
    enum err err = store_record_get(call->reader, type, key, &call->arena, record);
    struct uuid tenant;

    if (err == ERR_NOT_FOUND)
        return none(call, type);
    if (err)
        return call_err(call, err);
    tenant = call_tenant_of(call, type, *record);
    if (!auth_sees(&call->who, &tenant))
        return none(call, type);
    if (!auth_may(&call->who, &tenant, (enum scope)call->endpoint->scope))
        return call_fail(call, 403, "the scope %s is needed", api_scopes[call->endpoint->scope]);
    return 0;
}

int call_device(struct call *call, struct device_view *view)
{
    struct record_key key = record_key_eui(call_eui(call, "devEui"));
    void *record = NULL, *application = NULL, *profile = NULL;
    int status = call_object(call, REC_DEVICE, &key, &record);
    enum err err;

    if (status)
        return status;
    view->device = record;
    key = record_key_uuid(&view->device->application_id);
    err = store_record_get(call->reader, REC_APPLICATION, &key, &call->arena, &application);
    key = record_key_uuid(&view->device->device_profile_id);
    if (!err)
        err = store_record_get(call->reader, REC_DEVICE_PROFILE, &key, &call->arena, &profile);
    view->application = application;
    view->profile = profile;
    return err ? call_err(call, err) : 0;
}

/* ---- audit ----------------------------------------------------------------------------------- */

static const char *const who_names[] = {"nobody", "local", "admin-key", "api-key", "user"};

static void print_who(struct call *call, struct jw *jw)
{
    jw_object(jw);
    jw_key_str(jw, "kind", who_names[call->who.kind]);
    if (!uuid_is_zero(&call->who.id)) {
        jw_key(jw, "id");
        jw_uuid(jw, call->who.id.b);
    }
    jw_key_str(jw, "name", call->who.name);
    jw_key_str(jw, "address", call->request->remote);
    jw_end_object(jw);
}

void call_audit(struct call *call, const struct audit *audit)
{
    struct op *op = call_op(call, OP_AUDIT);
    struct bytes text;
    struct jw jw;

    jw_init(&jw, (size_t)64 * 1024);
    jw_object(&jw);
    jw_key(&jw, "who");
    print_who(call, &jw);
    jw_key_str(&jw, "action", audit->action);
    jw_key_str(&jw, "type", audit->type);
    jw_key_str(&jw, "id", audit->id);
    if (audit->tenant && !uuid_is_zero(audit->tenant)) {
        jw_key(&jw, "tenantId");
        jw_uuid(&jw, audit->tenant->b);
    }
    jw_key(&jw, "changed");
    jw_array(&jw);
    for (size_t i = 0; i < audit->changed_count; i++)
        jw_str(&jw, audit->changed[i]);
    jw_end_array(&jw);
    jw_end_object(&jw);
    text = jw_bytes(&jw);
    op->audit.utc_us = clock_utc(call->clock);
    op->audit.json = (struct bytes){arena_memdup(&call->arena, text.p, text.n), text.n};
    jw_free(&jw);
}
