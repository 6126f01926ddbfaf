/*
 * resource.c - what is special about each type of record: references, limits, rights, live state.
 *
 * A reference to something of another tenant is the same mistake as one to nothing at all.
 */
#include "api/api_priv.h"
#include "api/crud.h"
#include "api/password.h"

#include <stdlib.h>
#include <string.h>

static const char nothing[] = "refers to something that does not exist";

static void complain(struct call *call, const char *where, const char *what)
{
    field_error_add(&call->errors, where, 0, "%s", what);
}

/* A record that is referred to; NULL and a mistake noted if it is not there or not seen. */
static const void *referred(struct call *call, enum record_type type, const struct uuid *id,
                            const char *where)
{
    struct record_key key = record_key_uuid(id);
    void *record = NULL;
    struct uuid tenant;

    if (uuid_is_zero(id))
        return NULL;
    if (!store_record_get(call->reader, type, &key, &call->arena, &record)) {
        tenant = call_tenant_of(call, type, record);
        if (auth_sees(&call->who, &tenant))
            return record;
    }
    complain(call, where, nothing);
    return NULL;
}

static int need(struct call *call, const struct uuid *tenant)
{
    enum scope scope = (enum scope)call->endpoint->scope;

    if (auth_may(&call->who, tenant, scope))
        return 0;
    return call_fail(call, 403, "the scope %s is needed in that tenant", api_scopes[scope]);
}

/* Whether one more would be too many. */
static void check_limit(struct call *call, enum record_type type, const struct uuid *tenant,
                        uint32_t most)
{
    struct record_query query = {.tenants = tenant, .tenant_count = 1};
    uint64_t count = 0;

    if (most && !store_record_count(call->reader, type, &query, &count) && count >= most)
        complain(call, type == REC_DEVICE ? "applicationId" : "tenantId",
                 type == REC_DEVICE ? "the tenant has its greatest number of devices (maxDevices)"
                                    : "the tenant has its greatest number of gateways "
                                      "(maxGateways)");
}

/* ---- types ----------------------------------------------------------------------------------- */

static int check_owner(struct call *call, const struct uuid *tenant, const struct tenant **found)
{
    *found = referred(call, REC_TENANT, tenant, "tenantId");
    return *found ? need(call, tenant) : 0;
}

static int check_gateway(struct call *call, const struct gateway_config *old,
                         const struct gateway_config *gateway)
{
    const struct tenant *tenant = NULL;
    int status = old ? 0 : check_owner(call, &gateway->tenant_id, &tenant);
    const char *const *allowed = gateway->allowed_addresses.p;

    for (size_t i = 0; i < gateway->allowed_addresses.n; i++) {
        struct cidr cidr;

        if (cidr_read(allowed[i], &cidr))
            complain(call, "allowedAddresses", "must hold addresses or CIDR blocks");
    }
    if (!tenant || status)
        return status;
    if (!tenant->can_have_gateways)
        complain(call, "tenantId", "the tenant may not have gateways (canHaveGateways)");
    check_limit(call, REC_GATEWAY, &tenant->id, tenant->max_gateways);
    return 0;
}

static void check_device_limit(struct call *call, const struct uuid *tenant_id)
{
    struct record_key key = record_key_uuid(tenant_id);
    void *tenant = NULL;

    if (!store_record_get(call->reader, REC_TENANT, &key, &call->arena, &tenant))
        check_limit(call, REC_DEVICE, tenant_id, ((const struct tenant *)tenant)->max_devices);
}

static int check_device(struct call *call, const struct device_record *old,
                        const struct device_record *device)
{
    const struct application *application =
        referred(call, REC_APPLICATION, &device->application_id, "applicationId");
    const struct device_profile *profile =
        referred(call, REC_DEVICE_PROFILE, &device->device_profile_id, "deviceProfileId");
    struct uuid was = old ? call_tenant_of(call, REC_DEVICE, old) : (struct uuid){{0}};
    int status = application ? need(call, &application->tenant_id) : 0;

    if (status || !application)
        return status;
    if (profile && !uuid_equal(&profile->tenant_id, &application->tenant_id))
        complain(call, "deviceProfileId", "is of another tenant than the application");
    if (!uuid_equal(&was, &application->tenant_id))
        check_device_limit(call, &application->tenant_id);
    return 0;
}

static int check_user(struct call *call, const struct user *old, struct user *user)
{
    struct user *other = NULL;

    if (!store_user_by_email(call->reader, user->email ? user->email : "", &call->arena, &other) &&
        !uuid_equal(&other->id, &user->id))
        return call_fail(call, 409, "there is a user with this e-mail");
    if (user->password && strlen(user->password) < PASSWORD_MIN)
        complain(call, "password", "must have at least 10 characters");
    if (old && (old->is_active != user->is_active || old->is_admin != user->is_admin))
        user->token_epoch = old->token_epoch + 1;
    if (!user->password || call->errors.n)
        return 0;
    user->password_hash = password_hash(user->password, &call->arena);
    user->token_epoch = old ? old->token_epoch + 1 : 0;
    return user->password_hash ? 0 : 500;
}

/* Nobody gives away more than he has. */
static int check_grant(struct call *call, const struct uuid *tenant, uint32_t scopes)
{
    if ((auth_scopes(&call->who, tenant) & scopes) == scopes)
        return 0;
    return call_fail(call, 403, "more rights than you hold cannot be given");
}

static int check_tenant_user(struct call *call, const struct tenant_user *old,
                             const struct tenant_user *member)
{
    uint32_t scopes = auth_role_scopes((enum tenant_role)member->role);

    if (old)
        scopes |= auth_role_scopes((enum tenant_role)old->role);
    return check_grant(call, &member->tenant_id, scopes);
}

static int check_api_key(struct call *call, const struct api_key *old, const struct api_key *key)
{
    bool all = uuid_is_zero(&key->tenant_id);

    if (all && !call->who.global)
        return call_fail(call, 403, "a key for all tenants needs a right in all of them");
    if (all && key->is_admin && !call->who.is_admin)
        return call_fail(call, 403, "only an administrator can make an administrator's key");
    if (!old && !all && !referred(call, REC_TENANT, &key->tenant_id, "tenantId"))
        return 0;
    if (!all && need(call, &key->tenant_id))
        return 403;
    return check_grant(call, all ? NULL : &key->tenant_id, auth_key_scopes(key));
}

int resource_check(struct call *call, enum record_type type, const void *old, void *record)
{
    const struct tenant *tenant;

    switch (type) {
    case REC_GATEWAY: return check_gateway(call, old, record);
    case REC_DEVICE: return check_device(call, old, record);
    case REC_USER: return check_user(call, old, record);
    case REC_TENANT_USER: return check_tenant_user(call, old, record);
    case REC_API_KEY: return check_api_key(call, old, record);
    case REC_APPLICATION:
        return old ? 0 : check_owner(call, &((struct application *)record)->tenant_id, &tenant);
    case REC_DEVICE_PROFILE:
        return old ? 0 : check_owner(call, &((struct device_profile *)record)->tenant_id, &tenant);
    case REC_TENANT:
    case REC_TYPE_COUNT: break;
    }
    return 0;
}

static void key_of_member(struct call *call, struct tenant_user *member)
{
    struct user *user = NULL;

    member->tenant_id = call->params[0].uuid;
    if (!member->email || !*member->email)
        return;
    if (store_user_by_email(call->reader, member->email, &call->arena, &user)) {
        complain(call, "email", "no user has this e-mail");
        return;
    }
    member->user_id = user->id;
    member->email = user->email;
}

int resource_key(struct call *call, enum record_type type, void *record)
{
    struct uuid id;
    struct record_key key;
    void *there;

    if (type == REC_TENANT_USER) {
        key_of_member(call, record);
    } else if (record_types[type].key_n == 16) {
        id = uuid_new(clock_utc(call->clock));
        key = record_key_uuid(&id);
        record_key_put(type, record, &key);
    } else {
        key = record_key_of(type, record);
        if (bytes_equal((struct bytes){key.b, 8}, (struct bytes){(const uint8_t[8]){0}, 8}))
            complain(call, type == REC_DEVICE ? "devEui" : "gatewayId", "must not be zero");
        /* Before limits are looked at: the more telling answer. */
        if (!store_record_get(call->reader, type, &key, &call->arena, &there))
            return call_fail(call, 409, "there is a %s with this id", record_types[type].name);
    }
    return 0;
}
