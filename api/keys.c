/*
 * keys.c - root keys of a device and the memory of its DevNonces.
 *
 * 1.0.x has the AppKey alone, 1.1 the NwkKey beside it (TS001-1.1 6.1.1). Reading is audited.
 */
#include "api/api_priv.h"
#include "api/routes.h"
#include "js/js.h"

#include <string.h>

/* clang-format off */
const struct field keys_fields[] = {
    {"appKey",    F_HEX, F_SECRET, AT(struct device_keys, app_key), .size = 16, .help = "1.0.x: the only root key; 1.1: of the application."},
    {"nwkKey",    F_HEX, F_SECRET, AT(struct device_keys, nwk_key), .size = 16, .help = "1.1 only."},
    {"genAppKey", F_HEX, F_SECRET, AT(struct device_keys, gen_app_key), .size = 16, .help = "For multicast set-up of 1.0.x devices."},
    {0},
};
/* clang-format on */

enum { BIT_APP = 1, BIT_NWK = 2, BIT_GEN = 4 };

static int open_keys(struct call *call, struct device_keys *keys)
{
    struct lw_eui dev_eui = call_eui(call, "devEui");
    struct bytes sealed = {0};
    enum err err = store_keys_get(call->reader, dev_eui, &call->arena, &sealed);

    if (err == ERR_NOT_FOUND)
        return call_fail(call, 404, "the device has no keys");
    if (!err)
        err = js_keys_open(store_secret(call->api->options.store), dev_eui, sealed, keys);
    return err ? call_err(call, err) : 0;
}

static void audit_device(struct call *call, const struct device_view *view, const char *action)
{
    struct record_key key = record_key_eui(view->device->dev_eui);
    struct audit audit = {.action = action,
                          .type = "device",
                          .id = call_key_text(call, REC_DEVICE, &key),
                          .tenant = &view->application->tenant_id};

    call_audit(call, &audit);
}

static void print_key(struct jw *jw, const char *name, const struct lw_key *key, bool has)
{
    if (!has)
        return;
    jw_key(jw, name);
    jw_hex(jw, key->b, sizeof(key->b));
}

int keys_get(struct call *call)
{
    struct device_view view;
    struct device_keys keys = {0};
    enum err err;
    int status = call_device(call, &view);

    if (!status)
        status = open_keys(call, &keys);
    if (status)
        return status;
    audit_device(call, &view, "read-keys");
    err = call_save(call);
    if (err)
        return call_err(call, err);
    jw_object(&call->out);
    print_key(&call->out, "appKey", &keys.app_key, keys.has_app_key);
    print_key(&call->out, "nwkKey", &keys.nwk_key, keys.has_nwk_key);
    print_key(&call->out, "genAppKey", &keys.gen_app_key, keys.has_gen_app_key);
    jw_end_object(&call->out);
    lw_key_wipe(&keys.app_key);
    lw_key_wipe(&keys.nwk_key);
    lw_key_wipe(&keys.gen_app_key);
    return 200;
}

static void check_keys(struct call *call, const struct device_view *view,
                       const struct device_keys *keys)
{
    bool v11 = view->profile->version >= LW_1_1_0;

    if (!keys->has_app_key)
        field_error_add(&call->errors, "appKey", 0, "is missing");
    if (v11 && !keys->has_nwk_key)
        field_error_add(&call->errors, "nwkKey", 0, "is missing");
    if (!v11 && keys->has_nwk_key)
        field_error_add(&call->errors, "nwkKey", 0, "is for 1.1 only; the profile says %s",
                        lw_version_text((enum lw_version)view->profile->version));
}

static int seal_keys(struct call *call, struct lw_eui dev_eui, const struct device_keys *keys)
{
    struct op *op = call_op(call, OP_KEYS_PUT);
    enum err err;

    op->keys.dev_eui = dev_eui;
    err = js_keys_seal(store_secret(call->api->options.store), dev_eui, keys, &call->arena,
                       &op->keys.sealed);
    return err ? call_err(call, err) : 0;
}

int keys_put(struct call *call)
{
    struct device_view view;
    struct device_keys keys = {0};
    uint64_t present = 0;
    enum err err;
    int status = call_device(call, &view);

    if (!status)
        status = call_read(call, keys_fields, &keys, FIELD_CREATE, &present);
    if (status)
        return status;
    keys.has_app_key = present & BIT_APP;
    keys.has_nwk_key = present & BIT_NWK;
    keys.has_gen_app_key = present & BIT_GEN;
    check_keys(call, &view, &keys);
    status = call_checked(call);
    if (!status)
        status = seal_keys(call, view.device->dev_eui, &keys);
    lw_key_wipe(&keys.app_key);
    lw_key_wipe(&keys.nwk_key);
    lw_key_wipe(&keys.gen_app_key);
    if (status)
        return status;
    audit_device(call, &view, "write-keys");
    err = call_save(call);
    jw_object(&call->out);
    jw_end_object(&call->out);
    return call_err(call, err);
}

int keys_delete(struct call *call)
{
    struct device_view view;
    struct bytes sealed;
    enum err err;
    int status = call_device(call, &view);

    if (status)
        return status;
    err = store_keys_get(call->reader, view.device->dev_eui, &call->arena, &sealed);
    if (err == ERR_NOT_FOUND)
        return call_fail(call, 404, "the device has no keys");
    if (!err) {
        call_op(call, OP_KEYS_PUT)->keys.dev_eui = view.device->dev_eui;
        audit_device(call, &view, "delete-keys");
        err = call_save(call);
    }
    return err ? call_err(call, err) : 204;
}

int nonces_delete(struct call *call)
{
    struct device_view view;
    enum err err;
    int status = call_device(call, &view);

    if (status)
        return status;
    call_op(call, OP_NONCE_CLEAR)->nonce.dev_eui = view.device->dev_eui;
    audit_device(call, &view, "clear-dev-nonces");
    err = call_save(call);
    return err ? call_err(call, err) : 204;
}
