/* kit.c - see kit.h. */
#include "tests/store/kit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct kit_engine *const all_engines[] = {&kit_sqlite, &kit_postgres};

const struct kit_engine *kit_engine(int i)
{
    return all_engines[i];
}

int kit_engine_count(void)
{
    return getenv("GODWIT_TEST_POSTGRES") ? 2 : 1;
}

/* ---- opening --------------------------------------------------------------------------------- */

enum err kit_try_open(struct kit *kit, const struct store_loader *loader, const char **why)
{
    static const struct store_loader nothing;
    enum err err;

    kit->options.url = kit->url;
    kit->options.data_dir = kit->dir;
    kit->options.clock = &kit->clock.clock;
    kit->options.master_key = kit->master;
    err = store_open(&kit->options, &kit->arena, &kit->store, why);
    if (err)
        return err;
    err = store_load(kit->store, loader ? loader : &nothing);
    if (!err)
        err = store_reader_open(kit->store, &kit->reader);
    if (err)
        store_close(kit->store);
    return err;
}

static void open_again(struct kit *kit, const struct store_loader *loader)
{
    const char *why = NULL;
    enum err err = kit_try_open(kit, loader, &why);

    ck_assert_msg(err == OK, "%s: %s", err_name(err), why ? why : "");
}

void kit_open(struct kit *kit, int engine, const struct store_options *tune)
{
    memset(kit, 0, sizeof(*kit));
    kit->engine = kit_engine(engine);
    kit->random = 1;
    (void)snprintf(kit->dir, sizeof(kit->dir), "/tmp/godwit-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(kit->dir));
    memset(kit->master, 9, sizeof(kit->master));
    clock_double_init(&kit->clock, 1000000000, 1780000000 * (int64_t)US_PER_S);
    arena_init(&kit->arena, (size_t)1 << 30);
    if (tune)
        kit->options = *tune;
    kit->engine->fresh(kit);
    open_again(kit, NULL);
}

void kit_open_records(struct kit *kit, int engine, const struct store_options *tune)
{
    struct tenant *tenant;
    struct application *application;
    struct device_profile *profile;

    kit_open(kit, engine, tune);
    tenant = kit_record(kit, REC_TENANT);
    kit->tenant = tenant->id;
    ck_ok(kit_put(kit, REC_TENANT, tenant, 0));
    application = kit_record(kit, REC_APPLICATION);
    kit->application = application->id;
    ck_ok(kit_put(kit, REC_APPLICATION, application, 0));
    profile = kit_record(kit, REC_DEVICE_PROFILE);
    kit->profile = profile->id;
    ck_ok(kit_put(kit, REC_DEVICE_PROFILE, profile, 0));
}

void kit_shell(const char *command)
{
    ck_assert_int_eq(system(command), 0);
}

void kit_close(struct kit *kit)
{
    char command[96];

    store_reader_close(kit->reader);
    store_close(kit->store);
    arena_reset(&kit->arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", kit->dir);
    kit_shell(command);
}

void kit_reopen(struct kit *kit, const struct store_loader *loader)
{
    store_reader_close(kit->reader);
    store_close(kit->store);
    open_again(kit, loader);
}

void kit_crash(struct kit *kit, const struct store_loader *loader)
{
    kit->engine->crash(kit);
    open_again(kit, loader);
}

/* ---- changes --------------------------------------------------------------------------------- */

uint64_t kit_draw(struct kit *kit, uint64_t n)
{
    kit->random = hash_u64(kit->random + 0x9e3779b97f4a7c15u);
    return kit->random % n;
}

struct bytes kit_text(struct kit *kit, const char *format, ...)
{
    char text[256];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return (struct bytes){.p = arena_memdup(&kit->arena, text, (size_t)n), .n = (size_t)n};
}

struct change *kit_change(struct kit *kit)
{
    return arena_new(&kit->arena, struct change);
}

struct op *kit_op(struct kit *kit, struct change *change, enum op_kind kind)
{
    return change_add(change, &kit->arena, kind);
}

enum err kit_commit(struct kit *kit, struct change *change)
{
    size_t done = 0;
    enum err err = store_commit(kit->store, &change, 1, &done);

    ck_assert_uint_eq(done, err ? 0 : 1);
    return err ? err : change->result;
}

void kit_housekeep(struct kit *kit)
{
    bool more = true;

    while (more)
        ck_ok(store_housekeep(kit->store, &more));
}

enum err kit_put(struct kit *kit, enum record_type type, void *record, uint64_t expected_rev)
{
    struct change *change = kit_change(kit);

    kit_op(kit, change, OP_RECORD_PUT)->record =
        (struct op_record){.type = type,
                           .key = record_key_of(type, record),
                           .record = record,
                           .expected_rev = expected_rev,
                           .utc_us = clock_utc(&kit->clock.clock)};
    return kit_commit(kit, change);
}

enum err kit_delete(struct kit *kit, enum record_type type, const struct record_key *key,
                    uint64_t expected_rev)
{
    struct change *change = kit_change(kit);

    kit_op(kit, change, OP_RECORD_DEL)->record =
        (struct op_record){.type = type, .key = *key, .expected_rev = expected_rev};
    return kit_commit(kit, change);
}

struct uuid kit_uuid(uint64_t n)
{
    struct uuid id = {{0}};
    struct wr wr = wr_of(id.b, sizeof(id.b));

    wr_u64be(&wr, n);
    wr_u64be(&wr, 1);
    return id;
}

void *kit_record(struct kit *kit, enum record_type type)
{
    void *record = arena_alloc(&kit->arena, record_types[type].size);

    field_defaults(record_types[type].fields, record, &kit->arena);
    switch (type) {
    case REC_TENANT:
        ((struct tenant *)record)->id = uuid_new(clock_utc(&kit->clock.clock));
        ((struct tenant *)record)->name = "tenant";
        break;
    case REC_USER:
        ((struct user *)record)->id = uuid_new(clock_utc(&kit->clock.clock));
        ((struct user *)record)->email = "a@example.org";
        break;
    case REC_API_KEY:
        ((struct api_key *)record)->id = uuid_new(clock_utc(&kit->clock.clock));
        ((struct api_key *)record)->name = "key";
        ((struct api_key *)record)->is_admin = true;
        break;
    case REC_APPLICATION:
        ((struct application *)record)->id = uuid_new(clock_utc(&kit->clock.clock));
        ((struct application *)record)->tenant_id = kit->tenant;
        ((struct application *)record)->name = "application";
        break;
    case REC_DEVICE_PROFILE:
        ((struct device_profile *)record)->id = uuid_new(clock_utc(&kit->clock.clock));
        ((struct device_profile *)record)->tenant_id = kit->tenant;
        ((struct device_profile *)record)->name = "profile";
        ((struct device_profile *)record)->region_name = "EU868";
        break;
    case REC_DEVICE:
        ((struct device_record *)record)->name = "device";
        ((struct device_record *)record)->application_id = kit->application;
        ((struct device_record *)record)->device_profile_id = kit->profile;
        break;
    case REC_GATEWAY:
        ((struct gateway_config *)record)->name = "gateway";
        ((struct gateway_config *)record)->tenant_id = kit->tenant;
        break;
    case REC_TENANT_USER: ((struct tenant_user *)record)->email = "a@example.org"; break;
    case REC_TYPE_COUNT: break;
    }
    return record;
}

enum err kit_device(struct kit *kit, uint64_t dev_eui)
{
    struct device_record *device = kit_record(kit, REC_DEVICE);

    device->dev_eui.v = dev_eui;
    return kit_put(kit, REC_DEVICE, device, 0);
}

struct op *kit_state(struct kit *kit, struct change *change, uint64_t dev_eui, uint64_t rev,
                     struct bytes state)
{
    struct op *op = kit_op(kit, change, OP_STATE);

    op->state = (struct op_state){.dev_eui = {dev_eui}, .rev = rev, .state = state};
    return op;
}

struct op *kit_event(struct kit *kit, struct change *change, uint64_t dev_eui, struct bytes facts)
{
    struct op *op = kit_op(kit, change, OP_EVENT);

    op->event = (struct op_event){
        .dev_eui = {dev_eui}, .utc_us = clock_utc(&kit->clock.clock), .type = 1, .facts = facts};
    return op;
}

struct op *kit_queue(struct kit *kit, struct change *change, uint64_t dev_eui, uint64_t id)
{
    struct op *op = kit_op(kit, change, OP_QUEUE_PUT);

    op->queue = (struct op_queue){.id = kit_uuid(id),
                                  .dev_eui = {dev_eui},
                                  .order = id,
                                  .item = kit_text(kit, "item %llu", (unsigned long long)id)};
    return op;
}

Suite *store_suite(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);

    tcase_set_timeout(tc, 0);
    for (; *tests; tests++)
        tcase_add_loop_test(tc, *tests, 0, kit_engine_count());
    suite_add_tcase(suite, tc);
    return suite;
}
