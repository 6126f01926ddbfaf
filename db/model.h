/*
 * model.h - the records that people configure, and the one table of record types.
 *
 * Each record starts with struct record_head and is described by a field table (core/field.h) that
 * serves REST and the row alike. A row has columns for the key, the parents, what is searched and
 * what start-up must read quickly; the whole record is in its `doc` column as JSON, so that a new
 * field needs no migration. What is secret is not in `doc`: see OP_KEYS in db/store.h.
 *
 * Records read from the store live in the arena given for it; records in the directory
 * (db/directory.h) are immutable and shared between threads.
 */
#pragma once

#include "core/field.h"
#include "lorawan/types.h"

/* Kept by the store, printed by REST as createdAt, updatedAt and the ETag. */
struct record_head {
    uint64_t rev; /* 1 when created, +1 with each change */
    int64_t created_us, updated_us;
};

struct uuid {
    uint8_t b[16];
};

#define UUID_TEXT 37

bool uuid_is_zero(const struct uuid *id);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
uint64_t uuid_hash(const struct uuid *id);
char *uuid_text(char *to, const struct uuid *id);
bool uuid_read(struct uuid *id, const char *text);

/* A new version 7 UUID (RFC 9562 5.7): time in ms, then random; lists come in order of creation. */
struct uuid uuid_new(int64_t utc_us);
/* A version 5 UUID (RFC 9562 5.5) of some bytes in Godwit's own name space. */
struct uuid uuid_derive(const void *name, size_t n);

struct tenant {
    struct record_head head;
    struct uuid id;
    const char *name, *description;
    bool can_have_gateways, private_gateways;
    uint32_t max_devices, max_gateways; /* 0: no limit */
    struct array dev_addr_prefixes;     /* const char * */
    struct tags tags;
};

struct user {
    struct record_head head;
    struct uuid id;
    const char *email;
    const char *password;      /* write only: the clear text of a request, never kept */
    const char *password_hash; /* argon2id, encoded */
    bool is_admin, is_active;
    uint32_t token_epoch; /* tokens of an older epoch are void: raised with each new password */
};

enum tenant_role { ROLE_ADMIN, ROLE_DEVICE_ADMIN, ROLE_GATEWAY_ADMIN, ROLE_VIEWER, ROLE_COUNT };

struct tenant_user {
    struct record_head head;
    struct uuid tenant_id, user_id;
    const char *email; /* of the user, for reading */
    uint8_t role;
};

struct api_key {
    struct record_head head;
    struct uuid id;
    const char *name;
    struct uuid tenant_id; /* zero: all tenants */
    bool is_admin;
    struct array scopes; /* const char * */
    int64_t expires_us;  /* 0: never */
    int64_t last_used_us;
    uint8_t secret_hash[32]; /* SHA-256 of the key */
};

struct application {
    struct record_head head;
    struct uuid id, tenant_id;
    const char *name, *description;
    struct tags tags;
};

enum mobility { MOBILITY_STATIC, MOBILITY_MOBILE };
enum byte_order { ORDER_BIG, ORDER_LITTLE };

struct profile_adr {
    const char *algorithm;
    uint8_t min_dr, max_dr, min_tx_power, max_tx_power, max_nb_trans;
    double margin_db;
    bool shadow;
};

struct device_profile {
    struct record_head head;
    struct uuid id, tenant_id;
    const char *name;
    const char *region_name;
    uint8_t region;            /* enum region_id, from region_name */
    uint8_t version;           /* enum lw_version */
    const char *revision_name; /* NULL: the version's default */
    uint8_t revision;          /* enum region_revision, from the name or the version */
    bool supports_otaa, supports_class_b, supports_class_c;
    uint8_t rx1_delay, rx1_dr_offset;
    int32_t rx2_dr;            /* -1: the region's */
    uint32_t rx2_frequency_hz; /* 0: the region's */
    uint32_t class_b_timeout_s, class_c_timeout_s;
    uint8_t ping_slot_periodicity, ping_slot_dr;
    uint32_t ping_slot_frequency_hz;
    uint32_t uplink_interval_s, status_interval_s;
    bool flush_queue_on_activate;
    uint8_t confirmed_retries;
    uint32_t confirmed_timeout_s;
    uint8_t mobility, force_rejoin_order;
    struct profile_adr adr;
    const struct node *relay, *codec, *roaming;
    struct tags tags;
};

struct device_record {
    struct record_head head;
    struct lw_eui dev_eui;
    const char *name, *description;
    struct uuid application_id, device_profile_id;
    struct bytes join_eui; /* 8 bytes, most significant first; empty: any */
    bool is_disabled, skip_fcnt_check;
    const struct node *desired, *roaming;
    struct tags tags, variables;
    /* read only, from the live state */
    int64_t last_seen_us;
    const struct node *battery, *margin; /* number or null */
    const char *class_name;
    const char *dev_addr;
};

struct gateway_location {
    double latitude, longitude, altitude;
};

enum downlink_use { DOWNLINK_YES, DOWNLINK_NO, DOWNLINK_PREFER_NOT };

struct gateway_config {
    struct record_head head;
    struct lw_eui gateway_id;
    struct uuid tenant_id;
    const char *name, *description;
    struct gateway_location location;
    uint32_t stats_interval_s;
    double antenna_gain_dbi;
    double max_eirp_dbm; /* 0: the region's */
    uint8_t downlink;    /* enum downlink_use */
    bool is_private, roaming;
    const char *region_name;        /* NULL: by the frequency */
    struct array allowed_addresses; /* const char *, CIDR or address */
    struct tags tags;
};

/* The root keys of a device, as REST reads and writes them; sealed in the store. */
struct device_keys {
    struct lw_key app_key, nwk_key, gen_app_key;
    bool has_app_key, has_nwk_key, has_gen_app_key;
};

enum record_type {
    REC_TENANT,
    REC_USER,
    REC_TENANT_USER,
    REC_API_KEY,
    REC_APPLICATION,
    REC_DEVICE_PROFILE,
    REC_DEVICE,
    REC_GATEWAY,
    REC_TYPE_COUNT
};

/* A record's key in every type: 16 bytes for UUIDs, 8 for EUIs (most significant first), 32 for a
 * tenant's user (tenant, user). Compared as bytes; lists are in this order. */
struct record_key {
    uint8_t b[32];
    uint8_t n;
};

struct record_type_info {
    const char *name;  /* "tenant" */
    const char *table; /* SQL name */
    const struct field *fields;
    size_t size;   /* of the struct */
    size_t key_at; /* offset of the key member */
    uint8_t key_n;
    bool shared; /* kept in the directory of every thread */
};

extern const struct record_type_info record_types[REC_TYPE_COUNT];

struct record_key record_key_of(enum record_type type, const void *record);
struct record_key record_key_uuid(const struct uuid *id);
struct record_key record_key_eui(struct lw_eui eui);
void record_key_put(enum record_type type, void *record, const struct record_key *key);

/* Resolves names to numbers after a record was read (region, revision); ERR_INVALID with the member
 * and reason added to `errors` (may be NULL). */
enum err record_resolve(enum record_type type, void *record,
                        struct field_errors *errors) MUST_CHECK;

/* The scopes an API key may have, NULL-terminated. */
extern const char *const api_scopes[];
