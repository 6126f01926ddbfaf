/*
 * Joins and conversations with devices of every version. The device side is sim/, written from the
 * specification apart from the server: it checks time, channel, MIC and counter of each downlink.
 */
#include "lorawan/gps.h"
#include "sim/device.h"
#include "tests/flow/radio.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

#define GATEWAY  0x0102030405060708u
#define DEVICE   0x70b3d57ed0000001u
#define JOIN_EUI 0x1122334455667788u

static const struct lw_key app_key = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
static const struct lw_key nwk_key = {{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};

static struct world world;
static struct radio radio;
static struct sim_device device;
static struct sim_tx tx;
static struct sim_verdict verdict;
static size_t seen; /* in world.sent */

static void begin_as(const struct world_options *options, uint16_t flags)
{
    struct sim_device_config config = {.dev_eui = {DEVICE},
                                       .join_eui = {JOIN_EUI},
                                       .app_key = app_key,
                                       .nwk_key = nwk_key,
                                       .version = (uint8_t)options->version,
                                       .flags = flags,
                                       .dr = 5,
                                       .seed = options->seed + 1};
    struct device_keys keys = {.app_key = app_key,
                               .nwk_key = nwk_key,
                               .has_app_key = true,
                               .has_nwk_key = options->version >= LW_1_1_0};

    world_open(&world, options);
    world_gateway(&world, GATEWAY);
    world_device(&world, DEVICE);
    world_keys(&world, DEVICE, &keys);
    radio_open(&world, &radio, GATEWAY);
    sim_device_init(&device, &config);
    seen = 0;
}

static void begin(int i)
{
    const struct world_options options = {.seed = (uint64_t)i, .version = (enum lw_version)(i % 6)};

    begin_as(&options, 0);
}

static int64_t now(void)
{
    return world.clock.mono;
}

/* The transmission ends and is heard. */
static void on_air(const struct sim_tx *sent)
{
    char rate[LW_PHY_MAX];

    world_run(&world, sent->end_us - now());
    radio_pull(&world, &radio);
    (void)snprintf(rate, sizeof(rate), "SF%uBW%u", sent->rate.sf, sent->rate.bandwidth_hz / 1000);
    radio_heard(&world, &radio, (struct bytes){sent->phy, sent->len}, sent->frequency_hz, rate, 8);
}

/* Lets the windows pass; gives the device what the gateway was told to send. True if it was. */
static bool listen_as(const char *tx_ack_error)
{
    struct radio_down down;
    struct sim_rx rx;
    unsigned sf = 0, khz = 0;
    bool heard = false;

    for (int i = 0; i < 60 && !heard; i++) {
        world_run(&world, 100000);
        heard = radio_down(&world, &radio, &seen, &down);
    }
    if (!heard)
        return false;
    ck_assert_int_eq(sscanf(down.rate, "SF%uBW%u", &sf, &khz), 2);
    rx = (struct sim_rx){
        .phy = {down.phy, down.phy_n},
        .start_us = tx.end_us + radio_delay_us(&radio, &down, tx.end_us),
        .frequency_hz = down.frequency_hz,
        .rate = {.kind = MOD_LORA, .sf = (uint8_t)sf, .bandwidth_hz = khz * 1000, .coding_rate = 1},
        .snr_db = 5};
    radio_ack(&world, &radio, &down, tx_ack_error);
    world_run(&world, 7000000);
    sim_device_receive(&device, &rx, &verdict);
    return true;
}

static bool listens(void)
{
    return listen_as(NULL);
}

static void must_be_ok(void)
{
    ck_assert_msg(verdict.code == SIM_OK, "%s, %lld us off", sim_verdict_text(verdict.code),
                  (long long)verdict.off_us);
}

static void join(void)
{
    ck_assert_int_eq(sim_device_join(&device, now(), &tx), OK);
    on_air(&tx);
    ck_assert_msg(listens(), "no join-accept: %s", drop_label(world.last_drop));
    must_be_ok();
    ck_assert(verdict.flags & SIM_GOT_JOIN);
}

static void speak(const char *text, bool confirmed)
{
    struct sim_message message = {
        .port = 7, .confirmed = confirmed, .payload = {(const uint8_t *)text, strlen(text)}};

    ck_assert_int_eq(sim_device_uplink(&device, now(), &message, &tx), OK);
    on_air(&tx);
}

static void queue(const char *text, bool confirmed)
{
    struct ns_call *call = ns_call_new(ACT_QUEUE_ADD, (struct lw_eui){DEVICE});

    call->item = queue_item_new(strlen(text));
    memcpy(call->item->data, text, strlen(text));
    call->item->f_port = 9;
    call->item->confirmed = confirmed;
    ck_assert_int_eq(world_ask(&world, call)->result, OK);
    ns_call_free(call);
}

static size_t queued(void)
{
    struct ns_call *call = world_ask(&world, ns_call_new(ACT_QUEUE_LIST, (struct lw_eui){DEVICE}));
    size_t n = call->item_count;

    ns_call_free(call);
    return n;
}

/* How often an event of a type stands in the outbox; the last one's facts. */
static size_t count_events(enum event_type type, struct event_facts *last)
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

START_TEST(every_version_joins_and_speaks)
{
    struct event_facts up;

    begin(_i);
    join();
    ck_assert_uint_eq(count_events(EVENT_JOIN, NULL), 1);
    speak("first", false);
    (void)listens();
    speak("second", true);
    ck_assert(listens());
    must_be_ok();
    ck_assert(verdict.flags & SIM_GOT_ACK);
    ck_assert_uint_eq(count_events(EVENT_UP, &up), 2);
    ck_assert_uint_eq(up.data.n, 6);
    ck_assert_int_eq(memcmp(up.data.p, "second", 6), 0);
    ck_assert(up.confirmed);
    world_close(&world);
}
END_TEST

START_TEST(the_channels_of_the_cflist_are_used)
{
    begin(_i);
    join();
    ck_assert(sim_device_channel_on(&device, 7));
    ck_assert_uint_eq(sim_device_channel_hz(&device, 3), 867100000);
    for (int i = 0; i < 12; i++) {
        speak("x", true);
        ck_assert(listens());
        must_be_ok();
    }
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 12);
    world_close(&world);
}
END_TEST

START_TEST(a_queue_item_reaches_the_device)
{
    struct event_facts facts;

    begin(_i);
    join();
    queue("hello", false);
    queue("again", false);
    speak("a", false);
    (void)listens();
    /* The queue of before the activation is flushed with the first frame. */
    ck_assert_uint_eq(queued(), 0);
    queue("hello", false);
    queue("again", false);
    speak("b", false);
    ck_assert(listens());
    must_be_ok();
    ck_assert_int_eq(verdict.port, 9);
    ck_assert_int_eq(memcmp(verdict.payload, "hello", 5), 0);
    ck_assert(verdict.flags & SIM_GOT_PENDING);
    ck_assert_uint_eq(queued(), 1);
    ck_assert_uint_ge(count_events(EVENT_TXACK, &facts), 1);
    speak("c", false);
    ck_assert(listens());
    ck_assert_int_eq(memcmp(verdict.payload, "again", 5), 0);
    ck_assert_uint_eq(queued(), 0);
    world_close(&world);
}
END_TEST

static void no_flush(struct device_profile *profile)
{
    profile->flush_queue_on_activate = false;
    profile->confirmed_retries = 1;
}

START_TEST(a_forwarder_that_tells_nothing_is_believed)
{
    const struct world_options options = {
        .seed = (uint64_t)_i, .version = (enum lw_version)(_i % 6), .profile = no_flush};
    struct radio_down down;

    begin_as(&options, 0);
    join();
    speak("a", false);
    (void)listens();
    radio.version = 1; /* no TX_ACK in that protocol */
    radio_pull(&world, &radio);
    queue("once", false);
    seen = world.sent_count;
    speak("b", false);
    world_run(&world, 6000000);
    ck_assert(radio_down(&world, &radio, &seen, &down));
    ck_assert_uint_eq(queued(), 0);
    world_close(&world);
}
END_TEST

START_TEST(a_confirmed_downlink_is_acknowledged)
{
    const struct world_options options = {
        .seed = (uint64_t)_i, .version = (enum lw_version)(_i % 6), .profile = no_flush};
    struct event_facts facts;

    begin_as(&options, 0);
    join();
    speak("a", false);
    (void)listens();
    queue("sure?", true);
    speak("b", false);
    ck_assert(listens());
    must_be_ok();
    ck_assert(verdict.flags & SIM_GOT_CONFIRMED);
    ck_assert_uint_eq(queued(), 1);
    speak("c", false); /* with the ACK */
    (void)listens();
    ck_assert_uint_eq(queued(), 0);
    ck_assert_uint_eq(count_events(EVENT_ACK, &facts), 1);
    ck_assert(facts.acknowledged);
    world_close(&world);
}
END_TEST

START_TEST(a_confirmed_downlink_that_is_not_heard_is_repeated_then_given_up)
{
    const struct world_options options = {
        .seed = (uint64_t)_i, .version = (enum lw_version)(_i % 6), .profile = no_flush};
    struct radio_down down;
    struct event_facts facts;

    begin_as(&options, 0);
    join();
    speak("a", false);
    (void)listens();
    queue("lost", true);
    for (int attempt = 0; attempt < 2; attempt++) {
        speak("b", false);
        world_run(&world, 900000);
        ck_assert(radio_down(&world, &radio, &seen, &down));
        radio_ack(&world, &radio, &down, NULL); /* sent, but the device hears nothing */
        world_run(&world, 8000000);
        ck_assert_uint_eq(queued(), 1);
        ck_assert_uint_eq(count_events(EVENT_ACK, NULL), 0);
    }
    speak("c", false);
    (void)listens();
    ck_assert_uint_eq(queued(), 0);
    ck_assert_uint_eq(count_events(EVENT_ACK, &facts), 1);
    ck_assert(!facts.acknowledged);
    world_close(&world);
}
END_TEST

START_TEST(link_check_and_device_time_are_answered)
{
    int64_t gps;

    begin(_i);
    join();
    speak("a", false);
    (void)listens();
    sim_device_ask_link(&device);
    if (_i % 6 >= LW_1_0_3) /* older devices have no DeviceTimeReq */
        sim_device_ask_time(&device);
    speak("b", false);
    gps = lw_gps_of_utc(world.clock.utc);
    ck_assert(listens());
    must_be_ok();
    ck_assert(verdict.flags & SIM_GOT_LINK);
    ck_assert_uint_eq(verdict.link_margin_db, 15); /* 8 dB over -7.5 dB, whole dB */
    ck_assert_uint_eq(verdict.link_gateways, 1);
    ck_assert(!(verdict.flags & SIM_GOT_TIME) == (_i % 6 < LW_1_0_3));
    if (verdict.flags & SIM_GOT_TIME)
        ck_assert_int_le(llabs(verdict.gps_us - gps), 5000);
    world_close(&world);
}
END_TEST

static void with_status(struct device_profile *profile)
{
    profile->status_interval_s = 86400;
}

START_TEST(the_device_status_is_asked_for)
{
    const struct world_options options = {
        .seed = (uint64_t)_i, .version = (enum lw_version)(_i % 6), .profile = with_status};
    struct event_facts facts;

    begin_as(&options, 0);
    device.battery = 254;
    join();
    speak("a", false);
    ck_assert(listens());
    must_be_ok();
    speak("b", false);
    (void)listens();
    ck_assert_uint_eq(count_events(EVENT_STATUS, &facts), 1);
    ck_assert_uint_eq(facts.battery, 254);
    ck_assert_int_eq(facts.margin, 5);
    speak("c", false);
    ck_assert(!listens()); /* not again before a day is over */
    world_close(&world);
}
END_TEST

START_TEST(adr_moves_a_strong_device_to_the_fast_rate)
{
    const struct world_options options = {.seed = (uint64_t)_i,
                                          .version = (enum lw_version)(_i % 6)};

    begin_as(&options, SIM_ADR);
    device.config_dr = 0;
    join();
    device.dr = 0;
    for (int i = 0; i < 6 && device.dr != 5; i++) {
        speak("x", false);
        (void)listens();
    }
    ck_assert_uint_eq(device.dr, 5);
    speak("y", false);
    (void)listens();
    world_close(&world);
}
END_TEST

START_TEST(a_join_request_is_used_once)
{
    struct sim_tx first;

    begin(_i);
    ck_assert_int_eq(sim_device_join(&device, now(), &tx), OK);
    first = tx;
    on_air(&tx);
    ck_assert(listens());
    must_be_ok();
    speak("a", false);
    (void)listens();
    /* The same octets later: within the tombstone a repetition, after it a used DevNonce. */
    radio_heard(&world, &radio, (struct bytes){first.phy, first.len}, first.frequency_hz,
                "SF7BW125", 3);
    world_run(&world, 3000000);
    ck_assert(world.last_drop == DROP_REPETITION || world.last_drop == DROP_DEV_NONCE_USED);
    world_run(&world, 30000000);
    radio_pull(&world, &radio);
    radio_heard(&world, &radio, (struct bytes){first.phy, first.len}, first.frequency_hz,
                "SF7BW125", 3);
    world_run(&world, 3000000);
    ck_assert_int_eq(world.last_drop, DROP_DEV_NONCE_USED);
    world_restart(&world, _i & 1);
    radio_pull(&world, &radio);
    radio_heard(&world, &radio, (struct bytes){first.phy, first.len}, first.frequency_hz,
                "SF7BW125", 3);
    world_run(&world, 3000000);
    ck_assert_int_eq(world.last_drop, DROP_DEV_NONCE_USED);
    ck_assert_uint_eq(count_events(EVENT_JOIN, NULL), 1);
    speak("b", true);
    ck_assert(listens());
    must_be_ok();
    world_close(&world);
}
END_TEST

START_TEST(the_old_session_lives_until_the_new_one_speaks)
{
    struct sim_device before;
    struct sim_tx kept;

    begin(_i);
    join();
    speak("a", false);
    (void)listens();
    before = device;
    ck_assert_int_eq(sim_device_join(&device, now(), &tx), OK);
    kept = tx;
    on_air(&kept);
    world_run(&world, 8000000);
    seen = world.sent_count; /* the accept is lost: the device goes on as before */
    device = before;
    radio_pull(&world, &radio);
    speak("b", true);
    ck_assert(listens());
    must_be_ok();
    ck_assert(verdict.flags & SIM_GOT_ACK);
    world_close(&world);
}
END_TEST

START_TEST(an_application_that_answers_reaches_the_same_window)
{
    const struct world_options options = {.seed = (uint64_t)_i,
                                          .version = (enum lw_version)(_i % 6),
                                          .app_reply_us = 100000,
                                          .profile = no_flush};

    begin_as(&options, 0);
    join();
    speak("a", false);
    (void)listens();
    world.covered = true;
    speak("b", false);
    world_run(&world, 250000); /* the window of 200 ms is over, the event is out */
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 2);
    queue("quick", false);
    ck_assert(listens());
    must_be_ok();
    ck_assert_int_eq(memcmp(verdict.payload, "quick", 5), 0);
    world_close(&world);
}
END_TEST

START_TEST(restarts_lose_no_counter_and_no_item)
{
    begin(_i);
    join();
    speak("a", true);
    ck_assert(listens());
    queue("kept", false);
    world_restart(&world, _i & 1);
    radio_pull(&world, &radio);
    seen = world.sent_count;
    speak("b", true);
    ck_assert(listens());
    must_be_ok();
    ck_assert_int_eq(memcmp(verdict.payload, "kept", 4), 0);
    world_close(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_device");
    TCase *tc = tcase_create("flow_device");
    const TTest *const tests[] = {every_version_joins_and_speaks,
                                  the_channels_of_the_cflist_are_used,
                                  a_queue_item_reaches_the_device,
                                  a_forwarder_that_tells_nothing_is_believed,
                                  a_confirmed_downlink_is_acknowledged,
                                  a_confirmed_downlink_that_is_not_heard_is_repeated_then_given_up,
                                  link_check_and_device_time_are_answered,
                                  the_device_status_is_asked_for,
                                  adr_moves_a_strong_device_to_the_fast_rate,
                                  a_join_request_is_used_once,
                                  the_old_session_lives_until_the_new_one_speaks,
                                  an_application_that_answers_reaches_the_same_window,
                                  restarts_lose_no_counter_and_no_item,
                                  NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 12); /* every version, two seeds each */
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
