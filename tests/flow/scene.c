/* scene.c - see scene.h. */
#include "tests/flow/scene.h"

#include "ns/ns_priv.h"
#include "tests/store/damage.h"
#include "tests/store/fault_vfs.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

const struct lw_key app_key = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
const struct lw_key nwk_key = {{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};

struct world world;
struct radio radio;
struct sim_device device;
struct sim_tx tx;
struct sim_verdict verdict;
struct radio_down down;
size_t seen;
unsigned retries;

static void the_profile(struct device_profile *profile)
{
    profile->flush_queue_on_activate = false;
    profile->confirmed_retries = (uint8_t)retries;
}

struct sim_device_config device_config(int i, uint64_t join_eui)
{
    return (struct sim_device_config){.dev_eui = {DEVICE},
                                      .join_eui = {join_eui},
                                      .app_key = app_key,
                                      .nwk_key = nwk_key,
                                      .version = (uint8_t)(i % VERSIONS),
                                      .dr = 5,
                                      .dev_nonce = join_eui == JOIN_EUI ? 0 : 100,
                                      .seed = (uint64_t)i + join_eui};
}

int64_t now(void)
{
    return world.clock.mono;
}

void on_air(const struct sim_tx *sent)
{
    char rate[32];

    world_run(&world, sent->end_us - now());
    radio_pull(&world, &radio);
    (void)snprintf(rate, sizeof(rate), "SF%uBW%u", sent->rate.sf, sent->rate.bandwidth_hz / 1000);
    radio_heard(&world, &radio, (struct bytes){sent->phy, sent->len}, sent->frequency_hz, rate, 8);
}

bool told(void)
{
    for (int i = 0; i < 30; i++) {
        world_run(&world, 100000);
        if (radio_down(&world, &radio, &seen, &down))
            return true;
    }
    return false;
}

void hears(void)
{
    unsigned sf = 0, khz = 0;
    struct sim_rx rx;

    ck_assert_int_eq(sscanf(down.rate, "SF%uBW%u", &sf, &khz), 2);
    rx = (struct sim_rx){
        .phy = {down.phy, down.phy_n},
        .start_us = tx.end_us + radio_delay_us(&radio, &down, tx.end_us),
        .frequency_hz = down.frequency_hz,
        .rate = {.kind = MOD_LORA, .sf = (uint8_t)sf, .bandwidth_hz = khz * 1000, .coding_rate = 1},
        .snr_db = -9};
    sim_device_receive(&device, &rx, &verdict);
    ck_assert_msg(verdict.code == SIM_OK, "%s", sim_verdict_text(verdict.code));
}

bool listens(void)
{
    bool any = told();

    if (any) {
        radio_ack(&world, &radio, &down, NULL);
        hears();
    }
    world_run(&world, 8000000);
    radio_pull(&world, &radio);
    return any;
}

void speak(const char *text, bool confirmed)
{
    struct sim_message message = {
        .port = 7, .confirmed = confirmed, .payload = {(const uint8_t *)text, strlen(text)}};

    ck_assert_int_eq(sim_device_uplink(&device, now(), &message, &tx), OK);
    on_air(&tx);
}

void join(void)
{
    ck_assert_int_eq(sim_device_join(&device, now(), &tx), OK);
    on_air(&tx);
    ck_assert_msg(listens(), "no join-accept: %s", drop_label(world.last_drop));
    ck_assert(verdict.flags & SIM_GOT_JOIN);
}

void begin_with(int i, unsigned workers)
{
    const struct world_options options = {.seed = (uint64_t)i,
                                          .workers = workers,
                                          .vfs = "fault",
                                          .version = (enum lw_version)(i % VERSIONS),
                                          .profile = the_profile};
    struct sim_device_config config = device_config(i, JOIN_EUI);
    struct device_keys keys = {.app_key = app_key,
                               .nwk_key = nwk_key,
                               .has_app_key = true,
                               .has_nwk_key = i % VERSIONS >= LW_1_1_0};

    fault_register();
    fault_reset();
    world_open(&world, &options);
    world_gateway(&world, GATEWAY);
    world_device(&world, DEVICE);
    world_keys(&world, DEVICE, &keys);
    radio_open(&world, &radio, GATEWAY);
    sim_device_init(&device, &config);
    seen = 0;
    join();
    speak("first", false);
    (void)listens();
}

void begin(int i)
{
    begin_with(i, 2);
}

void end(void)
{
    ck_assert_uint_eq(metric_read(&ns_internal_errors, 0), 0);
    world_close(&world);
    retries = 0;
}

struct uuid queue_as(const struct wish *wish)
{
    struct ns_call *call = ns_call_new(ACT_QUEUE_ADD, (struct lw_eui){DEVICE});
    size_t n = wish->text ? strlen(wish->text) : wish->n;
    struct uuid id;

    call->item = queue_item_new(n);
    if (wish->text)
        memcpy(call->item->data, wish->text, n);
    call->item->f_port = 9;
    call->item->confirmed = wish->confirmed;
    call->item->on_uncertain = wish->fail ? UNCERTAIN_FAIL : UNCERTAIN_RESEND;
    call->item->is_encrypted = call->item->has_fcnt = wish->encrypted;
    call->item->fcnt_down = wish->fcnt;
    call->item->expires_us = wish->expires_us;
    ck_assert_int_eq(world_ask(&world, call)->result, OK);
    id = call->items[0]->id;
    ns_call_free(call);
    return id;
}

void queue(const char *text, bool confirmed)
{
    (void)queue_as(&(struct wish){.text = text, .confirmed = confirmed});
}

size_t queued(unsigned *state)
{
    struct ns_call *call = world_ask(&world, ns_call_new(ACT_QUEUE_LIST, (struct lw_eui){DEVICE}));
    size_t n = call->item_count;

    if (state && n)
        *state = call->items[0]->state;
    ns_call_free(call);
    return n;
}

size_t count_events(enum event_type type, struct event_facts *last)
{
    struct world_event *events = arena_array(&world.arena, struct world_event, 200);
    size_t n = world_events(&world, DEVICE, events, 200), count = 0;

    for (size_t i = 0; i < n; i++) {
        if (events[i].stored.type != type)
            continue;
        count++;
        if (last)
            *last = events[i].facts;
    }
    return count;
}

bool carries(const char *text)
{
    return verdict.payload_n == strlen(text) &&
           memcmp(verdict.payload, text, verdict.payload_n) == 0;
}

void restart(bool crash)
{
    world_restart(&world, crash);
    radio_pull(&world, &radio);
    seen = world.sent_count;
}

void spoil(const char *sql)
{
    char file[96];

    (void)snprintf(file, sizeof(file), "%s/godwit.db", world.dir);
    world_stop_crashed(&world);
    ck_assert_int_gt(damage(file, sql), 0);
    world_start(&world);
    radio_pull(&world, &radio);
    seen = world.sent_count;
}

void delete_device(void)
{
    struct change change = {0};
    struct arena arena;
    struct op *op;

    arena_init(&arena, ARENA_JOB_LIMIT);
    op = change_add(&change, &arena, OP_RECORD_DEL);
    op->record = (struct op_record){.type = REC_DEVICE,
                                    .key = record_key_eui((struct lw_eui){DEVICE}),
                                    .expected_rev = UINT64_MAX};
    world_post(&world, &change);
    ck_assert(world_posted(&world));
    ck_assert_int_eq(change.result, OK);
    arena_reset(&arena);
}
