/*
 * routes.c - the table of endpoints, and finding a row in it.
 */
#include "api/routes.h"

#include <string.h>

/* clang-format off */
#define CRUD(base, item, read, write, kind, name, many)                                                  \
    {"GET",    base, read,  EP_LIST, kind, 200, crud_list,    NULL, NULL, "List " many},       \
    {"POST",   base, write, 0,       kind, 201, crud_create,  NULL, NULL, "Create " name},       \
    {"GET",    item, read,  0,       kind, 200, crud_get,     NULL, NULL, "Read " name},         \
    {"PUT",    item, write, 0,       kind, 200, crud_replace, NULL, NULL, "Replace " name},      \
    {"PATCH",  item, write, 0,       kind, 200, crud_merge,   NULL, NULL, "Change members of " name}, \
    {"DELETE", item, write, 0,       kind, 204, crud_delete,  NULL, NULL, "Delete " name}

#define ADMIN_CRUD(base, item, kind, name, many)                                                         \
    {"GET",    base, SCOPE_ADMIN, EP_LIST | EP_ADMIN, kind, 200, crud_list,    NULL, NULL, "List " many},       \
    {"POST",   base, SCOPE_ADMIN, EP_ADMIN,           kind, 201, crud_create,  NULL, NULL, "Create " name},       \
    {"GET",    item, SCOPE_ADMIN, EP_ADMIN,           kind, 200, crud_get,     NULL, NULL, "Read " name},         \
    {"PUT",    item, SCOPE_ADMIN, EP_ADMIN,           kind, 200, crud_replace, NULL, NULL, "Replace " name},      \
    {"PATCH",  item, SCOPE_ADMIN, EP_ADMIN,           kind, 200, crud_merge,   NULL, NULL, "Change members of " name}, \
    {"DELETE", item, SCOPE_ADMIN, EP_ADMIN,           kind, 204, crud_delete,  NULL, NULL, "Delete " name}

#define V1     "/api/v1"
#define NO     EP_NO_TYPE
#define DEVICE V1 "/devices/{devEui}"

const struct endpoint api_endpoints[] = {
    {"GET",  "/",        SCOPE_NONE, EP_OPEN | EP_HERE | EP_TEXT | EP_PAGE, NO, 200, health_page,    NULL, NULL, "Status page"},
    {"GET",  "/healthz", SCOPE_NONE, EP_OPEN | EP_HERE | EP_TEXT, NO, 200, health_alive,   NULL, NULL, "Whether the process lives"},
    {"GET",  "/readyz",  SCOPE_NONE, EP_OPEN | EP_HERE, NO, 200, health_ready,   NULL, NULL, "Whether it can do its work, else 503 with reasons"},
    {"GET",  "/metrics", SCOPE_NONE, EP_OPEN | EP_HERE | EP_TEXT, NO, 200, health_metrics, NULL, NULL, "Metrics for Prometheus"},
    {"GET",  V1 "/openapi.json", SCOPE_NONE, EP_OPEN, NO, 200, openapi_get, NULL, NULL, "This document"},
    {"GET",  V1 "/docs",         SCOPE_NONE, EP_OPEN | EP_HERE | EP_TEXT | EP_PAGE, NO, 200, docs_get, NULL, NULL, "A page to read this document"},
    {"POST", V1 "/login",        SCOPE_NONE, EP_OPEN, NO, 200, login_post, login_fields, token_fields, "Get a session token for e-mail and password"},
    {"GET",  V1 "/audit",        SCOPE_ADMIN, EP_LIST, NO, 200, audit_list, NULL, NULL, "Who changed what, newest first"},

    {"GET",    V1 "/tenants",            SCOPE_TENANTS_READ,  EP_LIST,  REC_TENANT, 200, crud_list,    NULL, NULL, "List tenants"},
    {"POST",   V1 "/tenants",            SCOPE_TENANTS_WRITE, EP_ADMIN, REC_TENANT, 201, crud_create,  NULL, NULL, "Create a tenant"},
    {"GET",    V1 "/tenants/{tenantId}", SCOPE_TENANTS_READ,  0,        REC_TENANT, 200, crud_get,     NULL, NULL, "Read a tenant"},
    {"PUT",    V1 "/tenants/{tenantId}", SCOPE_TENANTS_WRITE, EP_ADMIN, REC_TENANT, 200, crud_replace, NULL, NULL, "Replace a tenant"},
    {"PATCH",  V1 "/tenants/{tenantId}", SCOPE_TENANTS_WRITE, EP_ADMIN, REC_TENANT, 200, crud_merge,   NULL, NULL, "Change members of a tenant"},
    {"DELETE", V1 "/tenants/{tenantId}", SCOPE_TENANTS_WRITE, EP_ADMIN, REC_TENANT, 204, crud_delete,  NULL, NULL, "Delete a tenant that owns nothing"},
    ADMIN_CRUD(V1 "/users", V1 "/users/{userId}", REC_USER, "a user", "users"),
    CRUD(V1 "/tenants/{tenantId}/users", V1 "/tenants/{tenantId}/users/{userId}", SCOPE_ADMIN, SCOPE_ADMIN, REC_TENANT_USER, "a user of a tenant", "the users of a tenant"),
    CRUD(V1 "/api-keys", V1 "/api-keys/{id}", SCOPE_ADMIN, SCOPE_ADMIN, REC_API_KEY, "an API key", "API keys"),
    CRUD(V1 "/applications", V1 "/applications/{id}", SCOPE_APPLICATIONS_READ, SCOPE_APPLICATIONS_WRITE, REC_APPLICATION, "an application", "applications"),
    CRUD(V1 "/device-profiles", V1 "/device-profiles/{id}", SCOPE_DEVICES_READ, SCOPE_DEVICES_WRITE, REC_DEVICE_PROFILE, "a device profile", "device profiles"),
    CRUD(V1 "/devices", DEVICE, SCOPE_DEVICES_READ, SCOPE_DEVICES_WRITE, REC_DEVICE, "a device", "devices"),

    {"GET",    DEVICE "/keys",       SCOPE_KEYS_READ,     0, NO, 200, keys_get,    NULL, keys_fields, "Read the root keys (audited)"},
    {"PUT",    DEVICE "/keys",       SCOPE_DEVICES_WRITE, 0, NO, 200, keys_put,    keys_fields, NULL, "Set the root keys"},
    {"DELETE", DEVICE "/keys",       SCOPE_DEVICES_WRITE, 0, NO, 204, keys_delete, NULL, NULL, "Forget the root keys"},
    {"DELETE", DEVICE "/dev-nonces", SCOPE_DEVICES_WRITE, 0, NO, 204, nonces_delete, NULL, NULL, "Forget the DevNonces that were used (audited)"},
    {"GET",    DEVICE "/activation", SCOPE_DEVICES_READ,  0, NO, 200, activation_get,    NULL, activation_fields, "Read the session; its keys with keys:read"},
    {"PUT",    DEVICE "/activation", SCOPE_DEVICES_WRITE, 0, NO, 200, activation_put,    activation_fields, activation_fields, "Activate by personalisation"},
    {"DELETE", DEVICE "/activation", SCOPE_DEVICES_WRITE, 0, NO, 204, activation_delete, NULL, NULL, "End the session"},
    {"GET",    DEVICE "/queue",      SCOPE_DEVICES_READ,  EP_LIST, NO, 200, queue_list, NULL, queue_fields, "List the downlink queue"},
    {"POST",   DEVICE "/queue",      SCOPE_QUEUE_WRITE,   0, NO, 201, queue_add,    queue_fields, queue_fields, "Add a downlink"},
    {"DELETE", DEVICE "/queue",      SCOPE_QUEUE_WRITE,   0, NO, 204, queue_clear,  NULL, NULL, "Empty the queue"},
    {"DELETE", DEVICE "/queue/{id}", SCOPE_QUEUE_WRITE,   0, NO, 204, queue_remove, NULL, NULL, "Take one item out of the queue"},
    {"GET",    DEVICE "/adr",        SCOPE_DEVICES_READ,  0, NO, 200, adr_get,       NULL, NULL, "What ADR sees and wants"},
    {"GET",    DEVICE "/diagnosis",  SCOPE_DEVICES_READ,  0, NO, 200, diagnosis_get, NULL, NULL, "What is wrong with the device, in plain words"},
    {"GET",    DEVICE "/events",        SCOPE_EVENTS_READ, EP_LIST,   NO, 200, events_of_device, NULL, NULL, "Events, newest first"},
    {"GET",    DEVICE "/events/stream", SCOPE_EVENTS_READ, EP_STREAM, NO, 200, stream_device,    NULL, NULL, "Events as they happen"},
    {"GET",    DEVICE "/frames",        SCOPE_EVENTS_READ, EP_LIST,   NO, 200, frames_of_device, NULL, NULL, "Frame log, newest first"},
    {"GET",    DEVICE "/frames/stream", SCOPE_EVENTS_READ, EP_STREAM, NO, 200, stream_device_frames, NULL, NULL, "Frames as they happen"},
    {"GET",    V1 "/applications/{id}/events",        SCOPE_EVENTS_READ, EP_LIST,   NO, 200, events_of_application, NULL, NULL, "Events of an application, newest first"},
    {"GET",    V1 "/applications/{id}/events/stream", SCOPE_EVENTS_READ, EP_STREAM, NO, 200, stream_application,    NULL, NULL, "Events of an application as they happen"},
    {"GET",    V1 "/events/stream",                   SCOPE_EVENTS_READ, EP_STREAM, NO, 200, stream_all,            NULL, NULL, "All events as they happen"},

    {"GET",    V1 "/gateways:unknown",           SCOPE_GATEWAYS_READ,  EP_LIST, NO, 200, gateways_unknown, NULL, NULL, "Gateways that are heard but not known"},
    {"POST",   V1 "/gateways/{gatewayId}:adopt", SCOPE_GATEWAYS_WRITE, 0, REC_GATEWAY, 201, gateway_adopt, NULL, NULL, "Make an unknown gateway one of ours"},
    CRUD(V1 "/gateways", V1 "/gateways/{gatewayId}", SCOPE_GATEWAYS_READ, SCOPE_GATEWAYS_WRITE, REC_GATEWAY, "a gateway", "gateways"),
    {"GET",    V1 "/gateways/{gatewayId}/frames",        SCOPE_GATEWAYS_READ, EP_LIST,   NO, 200, frames_of_gateway,     NULL, NULL, "Frame log of a gateway, newest first"},
    {"GET",    V1 "/gateways/{gatewayId}/frames/stream", SCOPE_GATEWAYS_READ, EP_STREAM, NO, 200, stream_gateway_frames, NULL, NULL, "Frames of a gateway as they happen"},
};
/* clang-format on */

const size_t api_endpoint_count = sizeof(api_endpoints) / sizeof(api_endpoints[0]);

/* ---- matching -------------------------------------------------------------------------------- */

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A parameter's text as it was meant; false if it cannot be an id. */
static bool decode(const char *from, size_t n, char *to, size_t room)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        char c = from[i];

        if (c == '%' && i + 2 < n + 0 && nibble(from[i + 1]) >= 0 && nibble(from[i + 2]) >= 0) {
            c = (char)(nibble(from[i + 1]) * 16 + nibble(from[i + 2]));
            i += 2;
        }
        if (at + 1 >= room || !c)
            return false;
        to[at++] = c;
    }
    to[at] = '\0';
    return true;
}

struct match {
    const char *at[CALL_PARAMS], *name[CALL_PARAMS];
    size_t len[CALL_PARAMS];
    size_t count;
};

/* How long the parameter is: up to the next slash, less what the template has after it. */
static bool take_param(const char *template, const char *route, struct match *match, size_t *len)
{
    const char *after = strchr(template, '}') + 1;
    size_t suffix = strcspn(after, "/"), n = strcspn(route, "/");

    if (n <= suffix || strncmp(route + n - suffix, after, suffix) != 0)
        return false;
    match->name[match->count] = template + 1;
    match->at[match->count] = route;
    match->len[match->count++] = *len = n - suffix;
    return true;
}

static bool matches(const char *template, const char *route, struct match *match)
{
    size_t len;

    match->count = 0;
    while (*template) {
        if (*template != '{') {
            if (*template ++ != *route++)
                return false;
            continue;
        }
        if (!take_param(template, route, match, &len))
            return false;
        route += len;
        template = strchr(template, '}') + 1;
    }
    return *route == '\0';
}

static bool is_eui_name(const char *name)
{
    return strcmp(name, "devEui") == 0 || strcmp(name, "gatewayId") == 0;
}

static int read_params(struct call *call, const struct match *match)
{
    for (size_t i = 0; i < match->count; i++) {
        struct call_param *param = &call->params[call->param_count++];
        char text[64];
        uint8_t raw[8];
        struct rd rd = rd_of(raw, sizeof(raw));
        bool good = decode(match->at[i], match->len[i], text, sizeof(text));

        param->name = arena_strndup(&call->arena, match->name[i], strcspn(match->name[i], "}"));
        param->is_eui = is_eui_name(param->name);
        if (good && param->is_eui)
            good = hex_read(raw, sizeof(raw), text, strlen(text));
        else if (good)
            good = uuid_read(&param->uuid, text);
        if (!good)
            return call_fail(call, 400, "%s is malformed", param->name);
        param->eui.v = param->is_eui ? rd_u64be(&rd) : 0;
    }
    return 0;
}

static int not_allowed(struct call *call, const char *path)
{
    const char *allow = "";

    for (size_t i = 0; i < api_endpoint_count; i++) {
        const struct endpoint *e = &api_endpoints[i];

        if (strcmp(e->path, path) != 0)
            continue;
        allow = arena_printf(&call->arena, "%s%s%s%s", allow, *allow ? ", " : "", e->method,
                             strcmp(e->method, "GET") == 0 ? ", HEAD" : "");
    }
    call_header(call, "Allow", allow);
    return call_fail(call, 405, "allowed: %s", allow);
}

int route_find(struct call *call, const char *method, const char *route)
{
    const char *path = NULL;
    struct match match = {0};

    for (size_t i = 0; i < api_endpoint_count; i++) {
        const struct endpoint *e = &api_endpoints[i];

        if (path ? strcmp(path, e->path) != 0 : !matches(e->path, route, &match))
            continue;
        path = e->path;
        if (strcmp(method, e->method) != 0)
            continue;
        call->endpoint = e;
        return read_params(call, &match);
    }
    return path ? not_allowed(call, path) : call_fail(call, 404, "there is nothing at this path");
}
