/*
 * seed.c - fills a data directory for the benchmark: a tenant, an application, a profile, gateways
 * and devices as `godwit simulate --seed S` will use them, ABP devices with their session.
 *
 *     seed DATA_DIR SEED DEVICES GATEWAYS abp|otaa|crowd
 *
 * The store is SQLite in the data directory, or what GODWIT_DATABASE_URL names. crowd: ABP, and all
 * but the first CROWD_FIRST devices have one DevAddr, 26ffffff.
 */
#include "db/committer.h"
#include "db/secret.h"
#include "js/js.h"
#include "ns/session.h"
#include "sim/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BATCH       500
#define CROWD_FIRST 40
#define CROWD_ADDR  0x26ffffffu

static struct store *store;
static struct change *batch[BATCH];
static size_t waiting;
static struct arena arena; /* of one batch */
static struct uuid tenant_id, application_id, profile_id;
static struct device_profile *profile;

static void die(const char *what)
{
    (void)fprintf(stderr, "seed: %s\n", what);
    exit(EXIT_FAILURE);
}

static void flush(void)
{
    size_t done = 0;

    if (waiting && store_commit(store, batch, waiting, &done))
        die("the store refuses");
    for (size_t i = 0; i < waiting; i++) {
        if (batch[i]->result)
            die(err_text(batch[i]->result));
    }
    waiting = 0;
    arena_reset(&arena);
}

static struct change *change_new(void)
{
    struct change *change;

    if (waiting == BATCH)
        flush();
    change = arena_new(&arena, struct change);
    batch[waiting++] = change;
    return change;
}

static void put(struct change *change, enum record_type type, void *record)
{
    struct op *op = change_add(change, &arena, OP_RECORD_PUT);

    op->record = (struct op_record){.type = type,
                                    .key = record_key_of(type, record),
                                    .record = record,
                                    .utc_us = clock_utc(clock_system())};
}

static void *record_new(enum record_type type)
{
    void *record = arena_alloc(&arena, record_types[type].size);

    field_defaults(record_types[type].fields, record, &arena);
    return record;
}

static void configure(void)
{
    static struct arena kept;
    struct tenant *tenant;
    struct application *application;

    tenant = record_new(REC_TENANT);
    tenant->name = "bench";
    tenant_id = tenant->id = uuid_new(clock_utc(clock_system()));
    put(change_new(), REC_TENANT, tenant);
    application = record_new(REC_APPLICATION);
    application->name = "bench";
    application->tenant_id = tenant_id;
    application_id = application->id = uuid_new(clock_utc(clock_system()));
    put(change_new(), REC_APPLICATION, application);
    arena_init(&kept, ARENA_REQUEST_LIMIT);
    profile = arena_alloc(&kept, sizeof(*profile));
    field_defaults(record_types[REC_DEVICE_PROFILE].fields, profile, &kept);
    profile->name = "bench";
    profile->tenant_id = tenant_id;
    profile->region_name = "EU868";
    profile->version = LW_1_0_3;
    profile->status_interval_s = 0;
    profile_id = profile->id = uuid_new(clock_utc(clock_system()));
    if (record_resolve(REC_DEVICE_PROFILE, profile, NULL))
        die("profile");
    put(change_new(), REC_DEVICE_PROFILE, profile);
    flush();
}

static void add_gateway(uint32_t i)
{
    struct change *change = change_new(); /* first: it may empty the arena */
    struct gateway_config *gateway = record_new(REC_GATEWAY);

    gateway->gateway_id = sim_fleet_gateway(i);
    gateway->tenant_id = tenant_id;
    gateway->name = "bench";
    put(change, REC_GATEWAY, gateway);
}

static void add_session(struct change *change, const struct sim_identity *who)
{
    struct device_status status = {0};
    struct session session;
    struct op *op = change_add(change, &arena, OP_STATE);

    session_init(&session, profile);
    session.flags |= SESSION_ABP;
    session.dev_addr = who->dev_addr;
    session.keys = (struct lw_session_keys){who->f_nwk, who->f_nwk, who->f_nwk, who->app_s};
    op->state = (struct op_state){.dev_eui = who->dev_eui,
                                  .state = session_state_write(&session, &status, &arena),
                                  .set = STATE_SET_ACTIVE};
    if (session_seal(&session, store_secret(store), who->dev_eui, "active", &arena,
                     &op->state.active))
        die("seal");
}

static void add_keys(struct change *change, const struct sim_identity *who)
{
    struct device_keys keys = {.app_key = who->app_key, .has_app_key = true};
    struct op *op = change_add(change, &arena, OP_KEYS_PUT);

    op->keys.dev_eui = who->dev_eui;
    if (js_keys_seal(store_secret(store), who->dev_eui, &keys, &arena, &op->keys.sealed))
        die("seal");
}

static void add_device(uint64_t seed, uint32_t i, const char *kind)
{
    struct sim_identity who;
    struct change *change = change_new();
    struct device_record *device = record_new(REC_DEVICE);

    sim_fleet_identity(seed, i, &who);
    if (strcmp(kind, "crowd") == 0 && i >= CROWD_FIRST)
        who.dev_addr.v = CROWD_ADDR;
    device->dev_eui = who.dev_eui;
    device->name = "bench";
    device->application_id = application_id;
    device->device_profile_id = profile_id;
    put(change, REC_DEVICE, device);
    if (strcmp(kind, "otaa") == 0)
        add_keys(change, &who);
    else
        add_session(change, &who);
}

int main(int argc, char **argv)
{
    uint8_t master[32];
    const char *url = getenv("GODWIT_DATABASE_URL");
    struct store_options options = {
        .url = url ? url : "sqlite:godwit.db", .clock = clock_system(), .master_key = master};
    struct arena opening;
    const char *why = "";

    if (argc != 6)
        die("DATA_DIR SEED DEVICES GATEWAYS abp|otaa|crowd");
    (void)mkdir(argv[1], 0750);
    arena_init(&opening, ARENA_REQUEST_LIMIT);
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    options.data_dir = argv[1];
    if (secret_load_master(argv[1], true, master, &opening, &why) ||
        store_open(&options, &opening, &store, &why))
        die(why);
    if (store_load(store, &(struct store_loader){0}))
        die("the store cannot be read");
    configure();
    for (uint32_t i = 0; i < strtoul(argv[4], NULL, 10); i++)
        add_gateway(i);
    for (uint32_t i = 0; i < strtoul(argv[3], NULL, 10); i++)
        add_device(strtoull(argv[2], NULL, 10), i, argv[5]);
    flush();
    store_close(store);
    arena_reset(&opening);
    return EXIT_SUCCESS;
}
