/*
 * Every way in which a frame ends without being used, by its name: hostile, broken and unlucky
 * ones. Nothing of it may change a counter, make an event or send a frame.
 */
#include "lorawan/frame.h"
#include "ns/ns_priv.h"
#include "tests/flow/radio.h"
#include "tests/suite.h"

#include <string.h>

#define GATEWAY  0x0102030405060708u
#define DEVICE   0x70b3d57ed0000001u
#define JOIN_EUI 0x1122334455667788u
#define ADDR     0x26011234u

static const struct lw_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
static const struct lw_key wrong = {{9}};

static struct world world;
static struct radio radio;

static void activate(uint64_t eui, uint32_t addr)
{
    struct ns_call *call = ns_call_new(ACT_ACTIVATE, (struct lw_eui){eui});

    call->session.dev_addr.v = addr;
    call->session.keys = (struct lw_session_keys){key, key, key, key};
    ck_assert_int_eq(world_ask(&world, call)->result, OK);
    ns_call_free(call);
}

static void begin_as(int i, enum lw_version version, void (*profile)(struct device_profile *))
{
    const struct world_options options = {
        .seed = (uint64_t)i, .version = version, .profile = profile};

    world_open(&world, &options);
    world_gateway(&world, GATEWAY);
    world_device(&world, DEVICE);
    radio_open(&world, &radio, GATEWAY);
}

static void begin(int i)
{
    begin_as(i, LW_1_0_3, NULL);
}

struct shape {
    uint32_t addr, fcnt;
    uint8_t fctrl;
    const char *text;
    const struct lw_key *mic;
    bool confirmed;
};

static struct bytes frame_of(uint8_t *room, const struct shape *shape)
{
    struct lw_seal seal = {.fcnt = shape->fcnt,
                           .f_nwk_s_int = shape->mic ? shape->mic : &key,
                           .nwk_s_enc = &key,
                           .app_s_key = &key};
    struct lw_data data = {
        .dev_addr = {shape->addr ? shape->addr : ADDR},
        .fctrl = shape->fctrl,
        .port = 10,
        .payload = {(const uint8_t *)shape->text, shape->text ? strlen(shape->text) : 0}};
    struct wr wr = wr_of(room, 255);

    ck_assert_int_eq(
        lw_data_write(&wr, shape->confirmed ? LW_CONFIRMED_UP : LW_UNCONFIRMED_UP, &data, &seal),
        OK);
    return wr_bytes(&wr);
}

static void hear(struct bytes phy)
{
    radio_heard(&world, &radio, phy, 868100000, "SF7BW125", 7);
    world_run(&world, 300000);
}

static void hear_shape(const struct shape *shape)
{
    uint8_t room[255];

    hear(frame_of(room, shape));
}

static void hear_join(uint64_t join_eui, uint64_t dev_eui, uint16_t nonce, const struct lw_key *by)
{
    struct lw_join_request join = {{join_eui}, {dev_eui}, nonce};
    uint8_t room[23];
    struct wr wr = wr_of(room, sizeof(room));

    ck_assert_int_eq(lw_join_request_write(&wr, &join, by), OK);
    hear(wr_bytes(&wr));
}

static void give_keys(void)
{
    struct device_keys keys = {.app_key = key, .has_app_key = true};

    world_keys(&world, DEVICE, &keys);
}

static int64_t before[DROP_COUNT];

static void watch(enum drop reason)
{
    before[reason] = metric_read(&ns_drops, reason);
}

/* The reason was counted once more since watch(), and nothing came of the frame. */
static void must_drop(enum drop reason)
{
    ck_assert_msg(metric_read(&ns_drops, reason) == before[reason] + 1, "%s: %lld, was %lld",
                  drop_label(reason), (long long)metric_read(&ns_drops, reason),
                  (long long)before[reason]);
}

static void must_be_silent(void)
{
    struct world_event event;
    struct radio_down down;
    size_t at = 0;

    world_run(&world, 7000000);
    ck_assert_uint_eq(world_events(&world, DEVICE, &event, 1), 0);
    ck_assert(!radio_down(&world, &radio, &at, &down));
    world_close(&world);
}

START_TEST(an_address_of_nobody)
{
    begin(_i);
    watch(DROP_UNKNOWN_DEVADDR);
    hear_shape(&(struct shape){.addr = 0x01020304});
    must_drop(DROP_UNKNOWN_DEVADDR);
    must_be_silent();
}
END_TEST

START_TEST(a_wrong_mic)
{
    begin(_i);
    activate(DEVICE, ADDR);
    watch(DROP_MIC);
    hear_shape(&(struct shape){.mic = &wrong});
    must_drop(DROP_MIC);
    must_be_silent();
}
END_TEST

START_TEST(a_disabled_device)
{
    struct record_key record_key = record_key_eui((struct lw_eui){DEVICE});
    void *stored;

    begin(_i);
    activate(DEVICE, ADDR);
    ck_assert_int_eq(store_record_get(world.reader, REC_DEVICE, &record_key, &world.arena, &stored),
                     OK);
    ((struct device_record *)stored)->is_disabled = true;
    world_put(&world, REC_DEVICE, stored);
    watch(DROP_DEVICE_DISABLED);
    hear_shape(&(struct shape){0});
    must_drop(DROP_DEVICE_DISABLED);
    must_be_silent();
}
END_TEST

START_TEST(another_tenants_private_gateway)
{
    struct record_key record_key = record_key_eui((struct lw_eui){GATEWAY});
    struct tenant other = {.name = "other", .description = ""};
    struct gateway_config *gateway;
    void *stored;

    begin(_i);
    activate(DEVICE, ADDR);
    other.id = uuid_new(clock_utc(&world.clock.clock));
    world_put(&world, REC_TENANT, &other);
    ck_assert_int_eq(
        store_record_get(world.reader, REC_GATEWAY, &record_key, &world.arena, &stored), OK);
    gateway = stored;
    gateway->tenant_id = other.id;
    gateway->is_private = true;
    world_put(&world, REC_GATEWAY, gateway);
    watch(DROP_PRIVATE_GATEWAY);
    hear_shape(&(struct shape){0});
    must_drop(DROP_PRIVATE_GATEWAY);
    must_be_silent();
}
END_TEST

static void of_us915(struct device_profile *profile)
{
    profile->region_name = "US915";
}

START_TEST(a_device_of_another_region)
{
    begin_as(_i, LW_1_0_3, of_us915);
    activate(DEVICE, ADDR);
    watch(DROP_REGION);
    hear_shape(&(struct shape){0});
    must_drop(DROP_REGION);
    must_be_silent();
}
END_TEST

START_TEST(longer_than_the_data_rate_allows)
{
    char text[240];
    uint8_t room[255];

    memset(text, 'x', sizeof(text));
    text[200] = '\0';
    begin_as(_i, LW_1_0_4, NULL);
    activate(DEVICE, ADDR);
    watch(DROP_TOO_LONG);
    radio_heard(&world, &radio, frame_of(room, &(struct shape){.text = text}), 868100000,
                "SF12BW125", 7);
    world_run(&world, 300000);
    must_drop(DROP_TOO_LONG);
    must_be_silent();
}
END_TEST

START_TEST(all_counters_spent)
{
    struct ns_call *call;

    begin(_i);
    call = ns_call_new(ACT_ACTIVATE, (struct lw_eui){DEVICE});
    call->session.dev_addr.v = ADDR;
    call->session.keys = (struct lw_session_keys){key, key, key, key};
    call->session.fcnt_up_next = UINT32_MAX;
    ck_assert_int_eq(world_ask(&world, call)->result, OK);
    ns_call_free(call);
    watch(DROP_FCNT_EXHAUSTED);
    hear_shape(&(struct shape){.fcnt = UINT32_MAX});
    must_drop(DROP_FCNT_EXHAUSTED);
    must_be_silent();
}
END_TEST

START_TEST(a_repeated_frame)
{
    struct world_event events[4];

    begin(_i);
    activate(DEVICE, ADDR);
    hear_shape(&(struct shape){0});
    world_run(&world, 2000000);
    hear_shape(&(struct shape){0});
    watch(DROP_LATE_COPY);
    hear_shape(
        &(struct shape){0}); /* the same moment by the gateway's clock, but after the window */
    must_drop(DROP_LATE_COPY);
    ck_assert_uint_eq(world_events(&world, DEVICE, events, 4), 1);
    world_close(&world);
}
END_TEST

/* ---- joins ----------------------------------------------------------------------------------- */

START_TEST(a_join_of_nobody)
{
    begin(_i);
    watch(DROP_UNKNOWN_DEVICE);
    hear_join(JOIN_EUI, 0x1234, 1, &key);
    must_drop(DROP_UNKNOWN_DEVICE);
    must_be_silent();
}
END_TEST

START_TEST(a_join_without_keys)
{
    begin(_i);
    watch(DROP_NO_KEYS);
    hear_join(JOIN_EUI, DEVICE, 1, &key);
    must_drop(DROP_NO_KEYS);
    must_be_silent();
}
END_TEST

START_TEST(a_join_with_a_wrong_key)
{
    begin(_i);
    give_keys();
    watch(DROP_JOIN_MIC);
    hear_join(JOIN_EUI, DEVICE, 1, &wrong);
    must_drop(DROP_JOIN_MIC);
    must_be_silent();
}
END_TEST

START_TEST(a_join_with_another_join_eui)
{
    static const uint8_t eui[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct record_key record_key = record_key_eui((struct lw_eui){DEVICE});
    void *stored;

    begin(_i);
    give_keys();
    ck_assert_int_eq(store_record_get(world.reader, REC_DEVICE, &record_key, &world.arena, &stored),
                     OK);
    ((struct device_record *)stored)->join_eui = (struct bytes){eui, 8};
    world_put(&world, REC_DEVICE, stored);
    watch(DROP_JOIN_EUI);
    hear_join(JOIN_EUI, DEVICE, 1, &key);
    must_drop(DROP_JOIN_EUI);
    must_be_silent();
}
END_TEST

static void no_otaa(struct device_profile *profile)
{
    profile->supports_otaa = false;
}

START_TEST(a_join_of_an_abp_device)
{
    begin_as(_i, LW_1_0_3, no_otaa);
    give_keys();
    watch(DROP_NOT_OTAA);
    hear_join(JOIN_EUI, DEVICE, 1, &key);
    must_drop(DROP_NOT_OTAA);
    must_be_silent();
}
END_TEST

START_TEST(a_join_flood)
{
    begin(_i);
    give_keys();
    watch(DROP_JOIN_RATE);
    for (uint16_t nonce = 0; nonce < 4; nonce++)
        hear_join(JOIN_EUI, DEVICE, nonce, &wrong);
    must_drop(DROP_JOIN_RATE);
    must_be_silent();
}
END_TEST

START_TEST(the_join_server_switched_off)
{
    begin(_i);
    give_keys();
    world.ns->options.join_server = false;
    watch(DROP_JOIN_SERVER_OFF);
    hear_join(JOIN_EUI, DEVICE, 1, &key);
    must_drop(DROP_JOIN_SERVER_OFF);
    must_be_silent();
}
END_TEST

START_TEST(a_rejoin_request)
{
    struct lw_rejoin rejoin = {.type = 0, .net_id = {0x13}, .dev_eui = {DEVICE}};
    uint8_t room[24];
    struct wr wr = wr_of(room, sizeof(room));

    begin(_i);
    ck_assert_int_eq(lw_rejoin_write(&wr, &rejoin, &key), OK);
    watch(DROP_REJOIN);
    hear(wr_bytes(&wr));
    must_drop(DROP_REJOIN);
    must_be_silent();
}
END_TEST

/* The session of a join whose accept was not heard; its keys as the device would have them. */
static void pending(struct session *session)
{
    struct device *device;

    give_keys();
    hear_join(JOIN_EUI, DEVICE, 1, &key);
    world_run(&world, 8000000);
    world.sent_count = 0;
    device = ns_device(ns_home(world.ns, (struct lw_eui){DEVICE}), (struct lw_eui){DEVICE});
    ck_assert_ptr_nonnull(device);
    ck_assert(session_unpack(device->pending, session));
    radio_pull(&world, &radio);
}

static size_t ups(void)
{
    struct world_event events[8];
    size_t n = world_events(&world, DEVICE, events, 8), count = 0;

    for (size_t i = 0; i < n; i++)
        count += events[i].stored.type == EVENT_UP;
    return count;
}

START_TEST(an_ack_on_a_session_that_never_spoke)
{
    struct session session;
    struct lw_data data = {.fctrl = LW_FCTRL_ACK, .port = LW_PORT_NONE};
    struct lw_seal seal = {0};
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));

    begin(_i);
    pending(&session);
    data.dev_addr = session.dev_addr;
    seal.f_nwk_s_int = seal.nwk_s_enc = &session.keys.f_nwk_s_int;
    seal.app_s_key = &session.keys.app_s_key;
    ck_assert_int_eq(lw_data_write(&wr, LW_UNCONFIRMED_UP, &data, &seal), OK);
    watch(DROP_PENDING_ACK);
    hear(wr_bytes(&wr));
    must_drop(DROP_PENDING_ACK);
    ck_assert_uint_eq(ups(), 0);
    world_close(&world);
}
END_TEST

START_TEST(a_1_1_session_without_rekey_ind)
{
    struct device_keys keys = {
        .app_key = key, .nwk_key = key, .has_app_key = true, .has_nwk_key = true};
    struct session session;
    struct lw_data data = {.port = LW_PORT_NONE};
    struct lw_seal seal = {.v11 = true, .fopts = LW_FOPTS_1_1, .tx_dr = 5, .tx_ch = 0};
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));

    begin_as(_i, LW_1_1_0, NULL);
    world_keys(&world, DEVICE, &keys);
    hear_join(JOIN_EUI, DEVICE, 1, &key);
    world_run(&world, 8000000);
    ck_assert(session_unpack(
        ns_device(ns_home(world.ns, (struct lw_eui){DEVICE}), (struct lw_eui){DEVICE})->pending,
        &session));
    radio_pull(&world, &radio);
    data.dev_addr = session.dev_addr;
    seal.f_nwk_s_int = &session.keys.f_nwk_s_int;
    seal.s_nwk_s_int = &session.keys.s_nwk_s_int;
    seal.nwk_s_enc = &session.keys.nwk_s_enc;
    seal.app_s_key = &session.keys.app_s_key;
    ck_assert_int_eq(lw_data_write(&wr, LW_UNCONFIRMED_UP, &data, &seal), OK);
    watch(DROP_NO_REKEY_IND);
    hear(wr_bytes(&wr));
    must_drop(DROP_NO_REKEY_IND);
    ck_assert_uint_eq(ups(), 0);
    world_close(&world);
}
END_TEST

/* ---- jobs ------------------------------------------------------------------------------------ */

START_TEST(nothing_to_say)
{
    struct ns_call *call;

    begin(_i);
    activate(DEVICE, ADDR);
    world.covered = true;
    watch(DROP_NOTHING_TO_SEND);
    hear_shape(&(struct shape){0});
    must_drop(DROP_NOTHING_TO_SEND);
    call = world_ask(&world, ns_call_new(ACT_STATE, (struct lw_eui){DEVICE}));
    ck_assert_uint_eq(call->session.n_fcnt_down, 0);
    ns_call_free(call);
    world_close(&world);
}
END_TEST

START_TEST(a_gateway_that_may_not_send)
{
    struct record_key record_key = record_key_eui((struct lw_eui){GATEWAY});
    void *stored;

    begin(_i);
    activate(DEVICE, ADDR);
    ck_assert_int_eq(
        store_record_get(world.reader, REC_GATEWAY, &record_key, &world.arena, &stored), OK);
    ((struct gateway_config *)stored)->downlink = DOWNLINK_NO;
    world_put(&world, REC_GATEWAY, stored);
    watch(DROP_NO_DOWNLINK_PATH);
    hear_shape(&(struct shape){.confirmed = true});
    must_drop(DROP_NO_DOWNLINK_PATH);
    world_close(&world);
}
END_TEST

START_TEST(a_damaged_session)
{
    begin(_i);
    activate(DEVICE, ADDR);
    ns_device(ns_home(world.ns, (struct lw_eui){DEVICE}), (struct lw_eui){DEVICE})->flags |=
        DEVICE_CORRUPT;
    watch(DROP_CORRUPT);
    hear_shape(&(struct shape){0});
    must_drop(DROP_CORRUPT);
    must_be_silent();
}
END_TEST

START_TEST(a_race_that_is_lost_three_times)
{
    struct device *device;

    begin(_i);
    activate(DEVICE, ADDR);
    device = ns_device(ns_home(world.ns, (struct lw_eui){DEVICE}), (struct lw_eui){DEVICE});
    device->rev += 5; /* the store knows another rev than this process */
    watch(DROP_CONFLICT);
    hear_shape(&(struct shape){0});
    must_drop(DROP_CONFLICT);
    device->rev -= 5;
    hear_shape(&(struct shape){.fcnt = 1});
    ck_assert_uint_eq(ups(), 1);
    world_close(&world);
}
END_TEST

START_TEST(too_many_jobs_on_one_device)
{
    struct device *device;

    begin(_i);
    activate(DEVICE, ADDR);
    device = ns_device(ns_home(world.ns, (struct lw_eui){DEVICE}), (struct lw_eui){DEVICE});
    device->waiting_count = DEVICE_WAITING_MAX;
    device->flags |= DEVICE_BUSY;
    watch(DROP_DEVICE_BUSY);
    hear_shape(&(struct shape){0});
    must_drop(DROP_DEVICE_BUSY);
    device->waiting_count = 0;
    device->flags &= (uint8_t)~DEVICE_BUSY;
    hear_shape(&(struct shape){.fcnt = 1});
    ck_assert_uint_eq(ups(), 1);
    world_close(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_drops");
    TCase *tc = tcase_create("flow_drops");
    const TTest *const tests[] = {an_address_of_nobody,
                                  a_wrong_mic,
                                  a_disabled_device,
                                  another_tenants_private_gateway,
                                  a_device_of_another_region,
                                  longer_than_the_data_rate_allows,
                                  all_counters_spent,
                                  a_repeated_frame,
                                  a_join_of_nobody,
                                  a_join_without_keys,
                                  a_join_with_a_wrong_key,
                                  a_join_with_another_join_eui,
                                  a_join_of_an_abp_device,
                                  a_join_flood,
                                  the_join_server_switched_off,
                                  a_rejoin_request,
                                  an_ack_on_a_session_that_never_spoke,
                                  a_1_1_session_without_rekey_ind,
                                  nothing_to_say,
                                  a_gateway_that_may_not_send,
                                  a_damaged_session,
                                  a_race_that_is_lost_three_times,
                                  too_many_jobs_on_one_device,
                                  NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
