/* world.c - wiring as cmd/serve.c does it, without threads and sockets. */
#include "tests/flow/world.h"

#include "db/event.h"
#include "tests/flow/chance.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- wiring ---------------------------------------------------------------------------------- */

static void on_heard(void *ctx, struct heard *chain, size_t count)
{
    ns_heard(((struct world *)ctx)->ns, chain, count);
}

static bool on_channel(void *ctx, struct copy *copy)
{
    return ns_channel(((struct world *)ctx)->ns, copy);
}

static void on_gateway_drop(void *ctx, struct lw_eui gateway, enum drop reason)
{
    (void)gateway;
    ((struct world *)ctx)->last_drop = reason;
}

static void on_send(void *ctx, const struct address *to, const void *data, size_t n)
{
    struct world *world = ctx;
    struct world_sent *sent = &world->sent[world->sent_count];

    ck_assert(world->sent_count < WORLD_SENT && n <= sizeof(sent->data));
    *sent = (struct world_sent){.to = *to, .at_us = clock_mono(&world->clock.clock), .n = n};
    memcpy(sent->data, data, n);
    world->sent_count++;
}

static void on_transmit(void *ctx, struct tx_request *request)
{
    udp_transmit(((struct world *)ctx)->udp, request);
}

static void on_join(void *ctx, struct js_request *request)
{
    js_ask(((struct world *)ctx)->js, request);
}

static bool on_covered(void *ctx, const struct uuid *tenant, const struct uuid *application,
                       struct lw_eui dev_eui)
{
    struct world *world = ctx;

    return world->covered ||
           (world->on_covered && world->on_covered(world->hook, tenant, application, dev_eui));
}

static void on_frame(void *ctx, const struct frame_entry *entry)
{
    struct world *world = ctx;

    world->frames++;
    if (world->on_frame)
        world->on_frame(world->hook, entry);
    if (entry->direction == LW_UP)
        world->last_drop = entry->drop;
}

static void on_record(void *ctx, enum record_type type, const struct record_key *key,
                      const void *record)
{
    struct world *world = ctx;
    const struct gateway_config *config = record;
    struct gateway_record gateway = {.region = GATEWAY_REGION_UNSET,
                                     .max_eirp_dbm = GATEWAY_EIRP_NO_LIMIT,
                                     .stats_interval_s = 30};

    ns_record(world->ns, type, key, record);
    if (world->on_record)
        world->on_record(world->hook, type, key, record);
    if (type != REC_GATEWAY || !config)
        return;
    gateway.id = config->gateway_id;
    gateway.rev = (int64_t)config->head.rev;
    gateway.downlink = config->downlink;
    gateway.is_private = config->is_private;
    udp_gateways_put(world->udp, &gateway, 1);
}

static void on_outbox(void *ctx, uint64_t end)
{
    struct world *world = ctx;

    if (world->on_outbox)
        world->on_outbox(world->hook, end);
}

static const struct gateway_ops gateway_ops = {
    .heard = on_heard, .channel = on_channel, .dropped = on_gateway_drop};

static void load_gateway(void *arg, enum record_type type, const void *record, struct arena *arena)
{
    (void)arena;
    if (type == REC_GATEWAY) {
        struct record_key key = record_key_of(type, record);

        on_record(arg, type, &key, record);
    }
}

static void add_worker(struct world *world, struct worker *worker)
{
    world->workers[world->worker_count++] = worker;
}

static struct world_options last_options;

static void start(struct world *world)
{
    struct store_options store = {.url = "sqlite:godwit.db",
                                  .data_dir = world->dir,
                                  .clock = &world->clock.clock,
                                  .vfs = last_options.vfs,
                                  .outbox_max_bytes = last_options.outbox_max_bytes,
                                  .segment_bytes = last_options.segment_bytes,
                                  .outbox_max_age_us = last_options.outbox_max_age_us,
                                  .master_key = world->master};
    struct commit_observer observer = {.ctx = world, .record = on_record, .outbox = on_outbox};
    struct udp_config udp = {.send = on_send, .send_ctx = world, .overload = &world->overload};
    struct ns_options options = {.clock = &world->clock.clock,
                                 .workers = last_options.workers ? last_options.workers : 2,
                                 .net_id = {0x000013},
                                 .region_count = 1,
                                 .dedup_window_us = 200000,
                                 .app_reply_us = last_options.app_reply_us,
                                 .join_server = true,
                                 .overload = &world->overload};
    struct ns_ops ops = {.ctx = world,
                         .transmit = on_transmit,
                         .join = on_join,
                         .frame = on_frame,
                         .covered = on_covered};
    const char *why = NULL;
    enum region_id id;

    world->worker_count = 0;
    overload_init(&world->overload);
    ck_assert_msg(store_open(&store, &world->arena, &world->store, &why) == OK, "%s", why);
    world->committer = committer_new(world->store, &world->clock.clock, &observer);
    ck_assert_int_eq(region_find(last_options.region ? last_options.region : "EU868", &id), OK);
    options.regions[0].region = region_get(id);
    options.regions[0].rx2_dr = last_options.rx2_dr ? last_options.rx2_dr : -1;
    region_channels_init(options.regions[0].region, &options.regions[0].channels);
    region_channels_add_extras(options.regions[0].region, &options.regions[0].channels);
    options.regions[0].enabled = last_options.sub_band
                                     ? region_sub_band(region_get(id), last_options.sub_band)
                                     : options.regions[0].channels.defined;
    options.store = world->store;
    options.committer = world->committer;
    world->ns = ns_new(&options, &ops);
    ck_assert_int_eq(udp_open(&udp, &world->clock.clock, &gateway_ops, world, &world->udp), OK);
    ck_assert_int_eq(ns_load(world->ns), OK);
    ck_assert_int_eq(ns_load_records(world->ns, NULL), OK);
    ck_assert_int_eq(js_new(world->store, &world->clock.clock, &world->js), OK);
    ck_assert_int_eq(store_reader_open(world->store, &world->reader), OK);
    add_worker(world, committer_worker(world->committer));
    add_worker(world, js_worker(world->js));
    add_worker(world, udp_worker(world->udp));
    for (unsigned i = 0; i < ns_worker_count(world->ns); i++)
        add_worker(world, ns_worker(world->ns, i));
}

static void load_gateways(struct world *world)
{
    const enum record_type type = REC_GATEWAY;
    struct record_query query = {.limit = 1000};
    struct record_page page;

    ck_assert_int_eq(store_record_list(world->reader, type, &query, &world->arena, &page), OK);
    for (size_t i = 0; i < page.n; i++)
        load_gateway(world, type, page.records[i], NULL);
    world_run(world, 0);
}

void world_open(struct world *world, const struct world_options *options)
{
    struct tenant tenant = {.can_have_gateways = true, .name = "tenant", .description = ""};
    struct application application = {.name = "application", .description = ""};
    struct device_profile *profile;

    memset(world, 0, sizeof(*world));
    last_options = *options;
    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/godwit-flow-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world->dir));
    arena_init(&world->arena, ARENA_REQUEST_LIMIT);
    world->random = chance_seed(options->seed);
    memset(world->master, 7, sizeof(world->master));
    clock_double_init(&world->clock, 1000000000, 1780000000 * (int64_t)US_PER_S);
    start(world);
    world->tenant = tenant.id = uuid_new(clock_utc(&world->clock.clock));
    world_put(world, REC_TENANT, &tenant);
    application.tenant_id = tenant.id;
    world->application = application.id = uuid_new(clock_utc(&world->clock.clock));
    world_put(world, REC_APPLICATION, &application);
    profile = arena_new(&world->arena, struct device_profile);
    field_defaults(record_types[REC_DEVICE_PROFILE].fields, profile, &world->arena);
    profile->name = "profile";
    profile->region_name = options->region ? options->region : "EU868";
    profile->version = (uint8_t)options->version;
    profile->status_interval_s = 0;
    profile->tenant_id = tenant.id;
    world->profile = profile->id = uuid_new(clock_utc(&world->clock.clock));
    if (options->profile)
        options->profile(profile);
    ck_assert_int_eq(record_resolve(REC_DEVICE_PROFILE, profile, NULL), OK);
    world_put(world, REC_DEVICE_PROFILE, profile);
}

static void stop(struct world *world, bool crash)
{
    if (!crash)
        world_run(world, 0);
    store_reader_close(world->reader);
    js_free(world->js);
    udp_close(world->udp);
    ns_free(world->ns);
    committer_free(world->committer);
    store_close(world->store);
}

void world_stop_crashed(struct world *world)
{
    stop(world, true);
}

void world_start(struct world *world)
{
    start(world);
    load_gateways(world);
}

void world_restart(struct world *world, bool crash)
{
    stop(world, crash);
    world_start(world);
}

void world_close(struct world *world)
{
    char command[96];

    stop(world, false);
    arena_reset(&world->arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", world->dir);
    ck_assert_int_eq(system(command), 0);
}

/* ---- running --------------------------------------------------------------------------------- */

static size_t draw(struct world *world, size_t n)
{
    world->random = hash_u64(world->random + 0x9e3779b97f4a7c15u);
    return (size_t)(world->random % n);
}

static void run_until_quiet(struct world *world)
{
    size_t quiet = 0;

    while (quiet < 4 * world->worker_count) {
        struct worker *worker = world->workers[draw(world, world->worker_count)];

        if (worker_due(worker) <= clock_mono(&world->clock.clock)) {
            (void)worker_step(worker, 1);
            quiet = 0;
        } else {
            quiet++;
        }
    }
    /* The draw may have missed one: make sure that all are quiet. */
    for (size_t i = 0; i < world->worker_count; i++) {
        if (worker_due(world->workers[i]) <= clock_mono(&world->clock.clock)) {
            run_until_quiet(world);
            return;
        }
    }
}

void world_run(struct world *world, int64_t us)
{
    int64_t until = clock_mono(&world->clock.clock) + us;

    for (;;) {
        int64_t next = CLOCK_NEVER;

        run_until_quiet(world);
        for (size_t i = 0; i < world->worker_count; i++) {
            int64_t due = worker_due(world->workers[i]);

            next = due < next ? due : next;
        }
        if (next > until)
            break;
        clock_double_set(&world->clock, next);
    }
    clock_double_set(&world->clock, until);
}

void world_datagram(struct world *world, const struct address *from, const void *data, size_t n)
{
    udp_input(world->udp, from, data, n);
    world_run(world, 0);
}

/* ---- administration -------------------------------------------------------------------------- */

struct saving {
    struct worker worker;
    struct change change;
    struct arena arena;
    bool done;
};

static void saved(struct worker *worker, struct mail *mail)
{
    (void)mail;
    ((struct saving *)worker->owner)->done = true;
}

/* A change of the test itself, so that it can wait in the committer's box with others. */
static struct saving posted;

void world_post(struct world *world, struct change *change)
{
    memset(&posted, 0, sizeof(posted));
    worker_init(&posted.worker, "test", &world->clock.clock, &posted);
    change->reply_to = &posted.worker;
    change->reply_lane = LANE_BULK;
    change->done = saved;
    committer_submit(world->committer, change);
}

bool world_posted(struct world *world)
{
    world_run(world, 0);
    (void)worker_step(&posted.worker, 0);
    worker_fini(&posted.worker);
    return posted.done;
}

static void save(struct world *world, struct saving *saving)
{
    saving->change.reply_to = &saving->worker;
    saving->change.reply_lane = LANE_BULK;
    saving->change.done = saved;
    committer_submit(world->committer, &saving->change);
    world_run(world, 0);
    (void)worker_step(&saving->worker, 0);
    ck_assert(saving->done);
    ck_assert_int_eq(saving->change.result, OK);
    arena_reset(&saving->arena);
    worker_fini(&saving->worker);
    world_run(world, 0);
}

static void saving_begin(struct world *world, struct saving *saving)
{
    memset(saving, 0, sizeof(*saving));
    arena_init(&saving->arena, ARENA_JOB_LIMIT);
    worker_init(&saving->worker, "test", &world->clock.clock, saving);
}

void world_put(struct world *world, enum record_type type, void *record)
{
    struct saving saving;
    struct op *op;

    saving_begin(world, &saving);
    op = change_add(&saving.change, &saving.arena, OP_RECORD_PUT);
    op->record = (struct op_record){.type = type,
                                    .key = record_key_of(type, record),
                                    .record = record,
                                    .expected_rev = ((struct record_head *)record)->rev,
                                    .utc_us = clock_utc(&world->clock.clock)};
    save(world, &saving);
}

void world_gateway(struct world *world, uint64_t id)
{
    struct gateway_config *gateway = arena_new(&world->arena, struct gateway_config);

    field_defaults(record_types[REC_GATEWAY].fields, gateway, &world->arena);
    gateway->gateway_id.v = id;
    gateway->tenant_id = world->tenant;
    gateway->name = "gateway";
    world_put(world, REC_GATEWAY, gateway);
}

void world_device(struct world *world, uint64_t dev_eui)
{
    struct device_record *device = arena_new(&world->arena, struct device_record);

    field_defaults(record_types[REC_DEVICE].fields, device, &world->arena);
    device->dev_eui.v = dev_eui;
    device->name = "device";
    device->application_id = world->application;
    device->device_profile_id = world->profile;
    world_put(world, REC_DEVICE, device);
}

void world_keys(struct world *world, uint64_t dev_eui, const struct device_keys *keys)
{
    struct saving saving;
    struct op *op;

    saving_begin(world, &saving);
    op = change_add(&saving.change, &saving.arena, OP_KEYS_PUT);
    op->keys.dev_eui.v = dev_eui;
    ck_assert_int_eq(js_keys_seal(store_secret(world->store), op->keys.dev_eui, keys, &saving.arena,
                                  &op->keys.sealed),
                     OK);
    save(world, &saving);
}

static void answered(struct worker *worker, struct mail *mail)
{
    struct ns_call *call = (struct ns_call *)mail;

    (void)worker;
    *(bool *)call->owner = true;
}

struct ns_call *world_ask(struct world *world, struct ns_call *call)
{
    bool done = false;

    call->reply = answered;
    call->owner = &done;
    ns_ask(world->ns, call);
    world_run(world, 0);
    ck_assert(done);
    return call;
}

size_t world_events(struct world *world, uint64_t dev_eui, struct world_event *events, size_t room)
{
    size_t n = 0;
    struct stored_event event;

    for (uint64_t pos = 1; pos < store_outbox_end(world->store) && n < room; pos++) {
        ck_assert_int_eq(store_event_at(world->reader, pos, &world->arena, &event), OK);
        if (event.dev_eui.v != dev_eui)
            continue;
        events[n].stored = event;
        ck_assert_int_eq(event_facts_read((enum event_type)event.type, event.facts, &world->arena,
                                          &events[n].facts),
                         OK);
        n++;
    }
    return n;
}
