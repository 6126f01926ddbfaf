/*
 * model.c - the field tables of the records: what REST reads and prints, and what a row holds.
 *
 * One line per member. Times and `rev` are in struct record_head and put by the store.
 */
#include "db/model.h"

#include "region/region.h"

#include <string.h>

/* clang-format off */
#define HEAD                                                                                       \
    {"createdAt", F_TIME, F_RO | F_NO_ROW, AT(struct record_head, created_us), .help = "When it was created."}, \
    {"updatedAt", F_TIME, F_RO | F_NO_ROW, AT(struct record_head, updated_us), .help = "When it was last changed."}

static const char *check_name(const void *value)
{
    const char *name = *(const char *const *)value;

    return name && *name ? NULL : "must not be empty";
}

static const char *check_eui_blob(const void *value)
{
    const struct bytes *b = value;

    return b->n == 0 || b->n == 8 ? NULL : "must be an EUI of 16 hex digits";
}

static const char *check_email(const void *value)
{
    const char *email = *(const char *const *)value, *at = email ? strchr(email, '@') : NULL;

    return at && at > email && at[1] && !strpbrk(email, " \t\r\n") ? NULL : "must be an e-mail address";
}

static const struct field tenant_fields[] = {
    {"id",                F_UUID, F_RO | F_KEY,  AT(struct tenant, id)},
    {"name",              F_STR,  F_REQ | F_SEARCH, AT(struct tenant, name), .size = 100, .check = check_name, .help = "Name for people."},
    {"description",       F_STR,  0, AT(struct tenant, description), .size = 4096, .def = ""},
    {"canHaveGateways",   F_BOOL, 0, AT(struct tenant, can_have_gateways), .def = "true", .help = "Whether the tenant may own gateways."},
    {"maxDevices",        F_U32,  0, AT(struct tenant, max_devices), .def = "0", .help = "Greatest number of devices; 0: no limit."},
    {"maxGateways",       F_U32,  0, AT(struct tenant, max_gateways), .def = "0", .help = "Greatest number of gateways; 0: no limit."},
    {"privateGateways",   F_BOOL, 0, AT(struct tenant, private_gateways), .def = "false", .help = "Its gateways serve its own devices only."},
    {"devAddrPrefixes",   F_ARR,  F_LATER, AT(struct tenant, dev_addr_prefixes), .size = sizeof(const char *), .elem = F_STR, .help = "Blocks of DevAddr for its devices."},
    {"tags",              F_TAGS, 0, AT(struct tenant, tags)},
    HEAD,
    {0},
};

static const struct field user_fields[] = {
    {"id",           F_UUID, F_RO | F_KEY, AT(struct user, id)},
    {"email",        F_STR,  F_REQ | F_SEARCH, AT(struct user, email), .size = 254, .check = check_email},
    {"password",     F_STR,  F_WO | F_NO_ROW, AT(struct user, password), .size = 128, .help = "At least 10 characters; kept as an argon2id hash."},
    {"passwordHash", F_STR,  F_NO_REST, AT(struct user, password_hash), .size = 512},
    {"isAdmin",      F_BOOL, 0, AT(struct user, is_admin), .def = "false", .help = "May do everything in every tenant."},
    {"isActive",     F_BOOL, 0, AT(struct user, is_active), .def = "true"},
    {"tokenEpoch",   F_U32,  F_NO_REST, AT(struct user, token_epoch), .def = "0"},
    HEAD,
    {0},
};

static const char *const role_names[] = {"admin", "device-admin", "gateway-admin", "viewer", NULL};

static const struct field tenant_user_fields[] = {
    {"tenantId", F_UUID, F_RO | F_PARENT, AT(struct tenant_user, tenant_id)},
    {"userId",   F_UUID, F_RO | F_PARENT, AT(struct tenant_user, user_id)},
    {"email",    F_STR,  F_REQ | F_FIXED, AT(struct tenant_user, email), .size = 254, .check = check_email, .help = "E-mail of a user that exists."},
    {"role",     F_ENUM, F_REQ, AT(struct tenant_user, role), .names = role_names},
    HEAD,
    {0},
};

static const struct field api_key_fields[] = {
    {"id",         F_UUID, F_RO | F_KEY, AT(struct api_key, id)},
    {"name",       F_STR,  F_REQ | F_SEARCH, AT(struct api_key, name), .size = 100, .check = check_name},
    {"tenantId",   F_UUID, F_PARENT | F_FIXED | F_OPTIONAL | F_NULLABLE, AT(struct api_key, tenant_id), .help = "Absent: all tenants."},
    {"isAdmin",    F_BOOL, F_FIXED, AT(struct api_key, is_admin), .def = "false", .help = "Implies every scope."},
    {"scopes",     F_ARR,  0, AT(struct api_key, scopes), .size = sizeof(const char *), .elem = F_STR},
    {"expiresAt",  F_TIME, F_OPTIONAL | F_NULLABLE, AT(struct api_key, expires_us)},
    {"lastUsedAt", F_TIME, F_RO | F_OPTIONAL | F_NO_ROW, AT(struct api_key, last_used_us)},
    {"secretHash", F_HEX,  F_NO_REST | F_SECRET, AT(struct api_key, secret_hash), .size = 32},
    HEAD,
    {0},
};

static const struct field application_fields[] = {
    {"id",          F_UUID, F_RO | F_KEY, AT(struct application, id)},
    {"tenantId",    F_UUID, F_REQ | F_PARENT | F_FIXED, AT(struct application, tenant_id)},
    {"name",        F_STR,  F_REQ | F_SEARCH, AT(struct application, name), .size = 100, .check = check_name},
    {"description", F_STR,  0, AT(struct application, description), .size = 4096, .def = ""},
    {"tags",        F_TAGS, 0, AT(struct application, tags)},
    HEAD,
    {0},
};

static const char *const version_names[] = {"1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.1.0", NULL};
static const char *const mobility_names[] = {"static", "mobile", NULL};
static const char *const order_names[] = {"big", "little", NULL};

static const struct field adr_fields[] = {
    {"algorithm",  F_STR,    0, AT(struct profile_adr, algorithm), .size = 32, .def = "default", .help = "default or off."},
    {"minDr",      F_U8,     0, AT(struct profile_adr, min_dr), .range = {0, 15}, .def = "0"},
    {"maxDr",      F_U8,     0, AT(struct profile_adr, max_dr), .range = {0, 15}, .def = "15"},
    {"minTxPower", F_U8,     0, AT(struct profile_adr, min_tx_power), .range = {0, 15}, .def = "0", .help = "Smallest TXPower index (0 is the strongest)."},
    {"maxTxPower", F_U8,     0, AT(struct profile_adr, max_tx_power), .range = {0, 15}, .def = "15"},
    {"maxNbTrans", F_U8,     0, AT(struct profile_adr, max_nb_trans), .range = {1, 15}, .def = "3"},
    {"marginDb",   F_DOUBLE, 0, AT(struct profile_adr, margin_db), .range = {0, 40}, .def = "10", .help = "Installation margin in dB."},
    {"shadow",     F_BOOL,   0, AT(struct profile_adr, shadow), .def = "false", .help = "Decide and log, but send nothing."},
    {0},
};

static const struct field device_profile_fields[] = {
    {"id",                   F_UUID, F_RO | F_KEY, AT(struct device_profile, id)},
    {"tenantId",             F_UUID, F_REQ | F_PARENT | F_FIXED, AT(struct device_profile, tenant_id)},
    {"name",                 F_STR,  F_REQ | F_SEARCH, AT(struct device_profile, name), .size = 100, .check = check_name},
    {"region",               F_STR,  F_REQ, AT(struct device_profile, region_name), .size = 16, .help = "EU868, US915, AS923 ..."},
    {"macVersion",           F_ENUM, F_REQ, AT(struct device_profile, version), .names = version_names},
    {"regParamsRevision",    F_STR,  F_OPTIONAL | F_NULLABLE, AT(struct device_profile, revision_name), .size = 16, .help = "Default: 1.0.0-1.0.2 RP001-1.0.2B, 1.0.3 RP001-1.0.3A, 1.0.4 RP002-1.0.4, 1.1.0 RP001-1.1B."},
    {"supportsOtaa",         F_BOOL, 0, AT(struct device_profile, supports_otaa), .def = "true"},
    {"supportsClassB",       F_BOOL, F_LATER, AT(struct device_profile, supports_class_b), .def = "false"},
    {"supportsClassC",       F_BOOL, F_LATER, AT(struct device_profile, supports_class_c), .def = "false"},
    {"rx1Delay",             F_U8,   0, AT(struct device_profile, rx1_delay), .range = {1, 15}, .def = "1", .help = "Seconds."},
    {"rx1DrOffset",          F_U8,   0, AT(struct device_profile, rx1_dr_offset), .range = {0, 7}, .def = "0"},
    {"rx2Dr",                F_I32,  F_NULLABLE, AT(struct device_profile, rx2_dr), .range = {-1, 15}, .def = "-1", .help = "-1: the region's."},
    {"rx2Frequency",         F_U32,  F_NULLABLE, AT(struct device_profile, rx2_frequency_hz), .def = "0", .help = "Hz; 0: the region's."},
    {"classBTimeoutS",       F_U32,  F_LATER, AT(struct device_profile, class_b_timeout_s), .def = "600"},
    {"pingSlotPeriodicity",  F_U8,   F_LATER, AT(struct device_profile, ping_slot_periodicity), .range = {0, 7}, .def = "7"},
    {"pingSlotDr",           F_U8,   F_LATER, AT(struct device_profile, ping_slot_dr), .range = {0, 15}, .def = "0"},
    {"pingSlotFrequency",    F_U32,  F_LATER, AT(struct device_profile, ping_slot_frequency_hz), .def = "0"},
    {"classCTimeoutS",       F_U32,  F_LATER, AT(struct device_profile, class_c_timeout_s), .def = "300"},
    {"uplinkIntervalS",      F_U32,  0, AT(struct device_profile, uplink_interval_s), .range = {1, 31536000}, .def = "3600", .help = "How often the device is expected to speak."},
    {"deviceStatusReqIntervalS", F_U32, 0, AT(struct device_profile, status_interval_s), .range = {0, 31536000}, .def = "86400", .help = "DevStatusReq; 0: never."},
    {"flushQueueOnActivate", F_BOOL, 0, AT(struct device_profile, flush_queue_on_activate), .def = "true"},
    {"confirmedRetries",     F_U8,   0, AT(struct device_profile, confirmed_retries), .range = {0, 15}, .def = "0"},
    {"confirmedTimeoutS",    F_U32,  0, AT(struct device_profile, confirmed_timeout_s), .range = {0, 31536000}, .def = "0", .help = "Greatest wait for an ACK; 0: until the next uplink."},
    {"mobility",             F_ENUM, 0, AT(struct device_profile, mobility), .names = mobility_names, .def = "static"},
    {"forceRejoinOrder",     F_ENUM, F_LATER, AT(struct device_profile, force_rejoin_order), .names = order_names, .def = "big"},
    {"adr",                  F_OBJ,  0, AT(struct device_profile, adr), .sub = adr_fields},
    {"relay",                F_RAW,  F_LATER | F_OPTIONAL, AT(struct device_profile, relay)},
    {"codec",                F_RAW,  F_LATER | F_OPTIONAL, AT(struct device_profile, codec)},
    {"roaming",              F_RAW,  F_LATER | F_OPTIONAL, AT(struct device_profile, roaming)},
    {"tags",                 F_TAGS, 0, AT(struct device_profile, tags)},
    HEAD,
    {0},
};

static const struct field device_fields[] = {
    {"devEui",          F_EUI,  F_REQ | F_KEY | F_FIXED, AT(struct device_record, dev_eui)},
    {"name",            F_STR,  F_REQ | F_SEARCH, AT(struct device_record, name), .size = 100, .check = check_name},
    {"applicationId",   F_UUID, F_REQ | F_PARENT, AT(struct device_record, application_id)},
    {"deviceProfileId", F_UUID, F_REQ | F_PARENT, AT(struct device_record, device_profile_id)},
    {"description",     F_STR,  0, AT(struct device_record, description), .size = 4096, .def = ""},
    {"joinEui",         F_HEXBLOB, F_COLUMN | F_OPTIONAL | F_NULLABLE, AT(struct device_record, join_eui), .size = 8, .check = check_eui_blob, .help = "Absent: any is accepted and the first heard is kept."},
    {"isDisabled",      F_BOOL, F_COLUMN, AT(struct device_record, is_disabled), .def = "false"},
    {"skipFcntCheck",   F_BOOL, F_COLUMN, AT(struct device_record, skip_fcnt_check), .def = "false", .help = "A frame whose raw 16-bit counter matches resets the session's uplink counter."},
    {"desired",         F_RAW,  F_LATER | F_OPTIONAL, AT(struct device_record, desired)},
    {"roaming",         F_RAW,  F_LATER | F_OPTIONAL, AT(struct device_record, roaming)},
    {"tags",            F_TAGS, 0, AT(struct device_record, tags)},
    {"variables",       F_TAGS, 0, AT(struct device_record, variables)},
    {"lastSeenAt",      F_TIME, F_RO | F_OPTIONAL | F_NO_ROW, AT(struct device_record, last_seen_us)},
    {"battery",         F_RAW,  F_RO | F_OPTIONAL | F_NO_ROW, AT(struct device_record, battery)},
    {"margin",          F_RAW,  F_RO | F_OPTIONAL | F_NO_ROW, AT(struct device_record, margin)},
    {"class",           F_STR,  F_RO | F_OPTIONAL | F_NO_ROW, AT(struct device_record, class_name)},
    {"devAddr",         F_STR,  F_RO | F_OPTIONAL | F_NO_ROW, AT(struct device_record, dev_addr)},
    HEAD,
    {0},
};

static const struct field location_fields[] = {
    {"latitude",  F_DOUBLE, 0, AT(struct gateway_location, latitude), .range = {-90, 90}, .def = "0"},
    {"longitude", F_DOUBLE, 0, AT(struct gateway_location, longitude), .range = {-180, 180}, .def = "0"},
    {"altitude",  F_DOUBLE, 0, AT(struct gateway_location, altitude), .range = {-12000, 100000}, .def = "0"},
    {0},
};

static const char *const downlink_names[] = {"yes", "no", "prefer-not", NULL};

static const struct field gateway_fields[] = {
    {"gatewayId",        F_EUI,    F_REQ | F_KEY | F_FIXED, AT(struct gateway_config, gateway_id)},
    {"tenantId",         F_UUID,   F_REQ | F_PARENT | F_FIXED, AT(struct gateway_config, tenant_id)},
    {"name",             F_STR,    F_REQ | F_SEARCH, AT(struct gateway_config, name), .size = 100, .check = check_name},
    {"description",      F_STR,    0, AT(struct gateway_config, description), .size = 4096, .def = ""},
    {"location",         F_OBJ,    0, AT(struct gateway_config, location), .sub = location_fields},
    {"statsIntervalS",   F_U32,    0, AT(struct gateway_config, stats_interval_s), .range = {1, 86400}, .def = "30"},
    {"antennaGainDbi",   F_DOUBLE, 0, AT(struct gateway_config, antenna_gain_dbi), .range = {-20, 40}, .def = "0"},
    {"maxEirpDbm",       F_DOUBLE, F_NULLABLE, AT(struct gateway_config, max_eirp_dbm), .range = {0, 50}, .def = "0", .help = "0: the region's."},
    {"downlink",         F_ENUM,   0, AT(struct gateway_config, downlink), .names = downlink_names, .def = "yes"},
    {"private",          F_BOOL,   0, AT(struct gateway_config, is_private), .def = "false", .help = "Serves devices of its own tenant only."},
    {"roaming",          F_BOOL,   F_LATER, AT(struct gateway_config, roaming), .def = "true"},
    {"region",           F_STR,    F_OPTIONAL | F_NULLABLE, AT(struct gateway_config, region_name), .size = 16, .help = "Absent: by frequency and data rate."},
    {"allowedAddresses", F_ARR,    0, AT(struct gateway_config, allowed_addresses), .size = sizeof(const char *), .elem = F_STR, .most = 8, .help = "Addresses or CIDR blocks; empty: any."},
    {"tags",             F_TAGS,   0, AT(struct gateway_config, tags)},
    HEAD,
    {0},
};

#define RECORD(name, table, fields, type, key, n, shared)                                          \
    {(name), (table), (fields), sizeof(type), offsetof(type, key), (n), (shared)}

const struct record_type_info record_types[REC_TYPE_COUNT] = {
    [REC_TENANT]         = RECORD("tenant", "tenant", tenant_fields, struct tenant, id, 16, true),
    [REC_USER]           = RECORD("user", "user", user_fields, struct user, id, 16, true),
    [REC_TENANT_USER]    = RECORD("tenant user", "tenant_user", tenant_user_fields, struct tenant_user, tenant_id, 32, true),
    [REC_API_KEY]        = RECORD("API key", "api_key", api_key_fields, struct api_key, id, 16, true),
    [REC_APPLICATION]    = RECORD("application", "application", application_fields, struct application, id, 16, true),
    [REC_DEVICE_PROFILE] = RECORD("device profile", "device_profile", device_profile_fields, struct device_profile, id, 16, true),
    [REC_DEVICE]         = RECORD("device", "device", device_fields, struct device_record, dev_eui, 8, false),
    [REC_GATEWAY]        = RECORD("gateway", "gateway", gateway_fields, struct gateway_config, gateway_id, 8, true),
};

const char *const api_scopes[] = {
    "tenants:read", "tenants:write", "applications:read", "applications:write", "devices:read",
    "devices:write", "gateways:read", "gateways:write", "relays:read", "relays:write",
    "roaming:read", "roaming:write", "integrations:read", "integrations:write", "keys:read",
    "events:read", "queue:write", "admin", NULL,
};
/* clang-format on */

/* Keys are contiguous in each struct: a UUID, an EUI, or (tenant user) two UUIDs. */
struct record_key record_key_of(enum record_type type, const void *record)
{
    const struct record_type_info *info = &record_types[type];
    const char *at = (const char *)record + info->key_at;
    struct record_key key = {.n = info->key_n};
    struct lw_eui eui;

    if (info->key_n == 8) {
        memcpy(&eui, at, sizeof(eui));
        return record_key_eui(eui);
    }
    memcpy(key.b, at, info->key_n);
    return key;
}

struct record_key record_key_uuid(const struct uuid *id)
{
    struct record_key key = {.n = 16};

    memcpy(key.b, id->b, 16);
    return key;
}

struct record_key record_key_eui(struct lw_eui eui)
{
    struct record_key key = {.n = 8};
    struct wr wr = wr_of(key.b, 8);

    wr_u64be(&wr, eui.v);
    return key;
}

void record_key_put(enum record_type type, void *record, const struct record_key *key)
{
    const struct record_type_info *info = &record_types[type];
    char *at = (char *)record + info->key_at;
    struct rd rd = rd_of(key->b, 8);
    struct lw_eui eui = {rd_u64be(&rd)};

    if (info->key_n == 8)
        memcpy(at, &eui, sizeof(eui));
    else
        memcpy(at, key->b, info->key_n);
}

static bool complain(struct field_errors *errors, const char *where, const char *what)
{
    if (errors)
        field_error_add(errors, where, 0, "%s", what);
    return false;
}

static bool resolve_region(const char *name, uint8_t *region, struct field_errors *errors)
{
    enum region_id id = REGION_NONE;
    enum err err = region_find(name ? name : "", &id);

    *region = (uint8_t)id;
    return err ? complain(errors, "region", "must be the name of a region, such as EU868") : true;
}

static bool resolve_profile(struct device_profile *profile, struct field_errors *errors)
{
    enum region_revision revision = region_revision_default((enum lw_version)profile->version);
    bool good = resolve_region(profile->region_name, &profile->region, errors);
    const struct region *region = good ? region_get((enum region_id)profile->region) : NULL;

    if (profile->revision_name && !region_revision_find(profile->revision_name, &revision))
        good = complain(errors, "regParamsRevision",
                        "must be a revision of the regional parameters, such as RP002-1.0.4");
    profile->revision = (uint8_t)revision;
    if (profile->adr.algorithm && strcmp(profile->adr.algorithm, "default") != 0 &&
        strcmp(profile->adr.algorithm, "off") != 0)
        good = complain(errors, "adr.algorithm", "must be default or off");
    if (profile->adr.min_dr > profile->adr.max_dr)
        good = complain(errors, "adr.minDr", "must not be above maxDr");
    if (profile->adr.min_tx_power > profile->adr.max_tx_power)
        good = complain(errors, "adr.minTxPower", "must not be above maxTxPower");
    if (!region)
        return good;
    if (profile->rx1_dr_offset > region->max_dr_offset)
        good = complain(errors, "rx1DrOffset", "is above what the region allows");
    if (profile->rx2_dr >= 0 && !region_down_dr_usable(region, revision, (unsigned)profile->rx2_dr))
        good = complain(errors, "rx2Dr", "is no downlink data rate of the region");
    if (profile->rx2_frequency_hz && !region_frequency_valid(region, profile->rx2_frequency_hz))
        good = complain(errors, "rx2Frequency", "is outside the region's band");
    return good;
}

static bool scope_known(const char *scope)
{
    for (const char *const *s = api_scopes; *s; s++) {
        if (strcmp(*s, scope) == 0)
            return true;
    }
    return false;
}

static bool resolve_api_key(const struct api_key *key, struct field_errors *errors)
{
    const char *const *scopes = key->scopes.p;
    bool good = true;

    for (size_t i = 0; i < key->scopes.n; i++) {
        if (!scope_known(scopes[i]))
            good = complain(errors, "scopes", "holds a scope that does not exist");
    }
    if (!key->is_admin && key->scopes.n == 0)
        good = complain(errors, "scopes", "must not be empty unless isAdmin");
    return good;
}

enum err record_resolve(enum record_type type, void *record, struct field_errors *errors)
{
    bool good = true;
    struct gateway_config *gateway = record;
    uint8_t region;

    switch (type) {
    case REC_DEVICE_PROFILE: good = resolve_profile(record, errors); break;
    case REC_API_KEY: good = resolve_api_key(record, errors); break;
    case REC_GATEWAY:
        if (gateway->region_name && *gateway->region_name)
            good = resolve_region(gateway->region_name, &region, errors);
        break;
    case REC_TENANT:
    case REC_USER:
    case REC_TENANT_USER:
    case REC_APPLICATION:
    case REC_DEVICE:
    case REC_TYPE_COUNT: break;
    }
    return good ? OK : ERR_INVALID;
}
