/* Data frames of ABP devices: delivery, counters, repetitions, many sessions, a restart. */
#include "lorawan/frame.h"
#include "tests/flow/radio.h"
#include "tests/suite.h"

#include <string.h>

#define GATEWAY 0x0102030405060708u
#define DEVICE  0x70b3d57ed0000001u

static const struct lw_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static void activate(struct world *world, uint64_t eui, uint32_t addr, uint8_t salt)
{
    struct ns_call *call = ns_call_new(ACT_ACTIVATE, (struct lw_eui){eui});

    call->session.dev_addr.v = addr;
    call->session.keys = (struct lw_session_keys){key, key, key, key};
    call->session.keys.f_nwk_s_int.b[0] = salt;
    call->session.keys.s_nwk_s_int.b[0] = salt;
    call->session.keys.nwk_s_enc.b[0] = salt;
    ck_assert_int_eq(world_ask(world, call)->result, OK);
    ns_call_free(call);
}

static struct bytes uplink(uint8_t *room, uint32_t addr, uint8_t salt, uint32_t fcnt,
                           const char *text, bool confirmed)
{
    struct lw_key nwk = key;
    struct lw_seal seal = {.fcnt = fcnt,
                           .f_nwk_s_int = &nwk,
                           .s_nwk_s_int = &nwk,
                           .nwk_s_enc = &nwk,
                           .app_s_key = &key};
    struct lw_data data = {
        .dev_addr = {addr}, .port = 10, .payload = {(const uint8_t *)text, strlen(text)}};
    struct wr wr = wr_of(room, 255);

    nwk.b[0] = salt;
    ck_assert_int_eq(
        lw_data_write(&wr, confirmed ? LW_CONFIRMED_UP : LW_UNCONFIRMED_UP, &data, &seal), OK);
    return wr_bytes(&wr);
}

static struct world world;
static struct radio radio;

static void begin(uint64_t seed)
{
    const struct world_options options = {.seed = seed, .version = LW_1_0_3};

    world_open(&world, &options);
    world_gateway(&world, GATEWAY);
    world_device(&world, DEVICE);
    activate(&world, DEVICE, 0x26011234, 1);
    radio_open(&world, &radio, GATEWAY);
}

static void transmit(uint32_t fcnt, const char *text, bool confirmed)
{
    uint8_t room[255];

    radio_heard(&world, &radio, uplink(room, 0x26011234, 1, fcnt, text, confirmed), 868100000,
                "SF7BW125", 7.5);
    world_run(&world, 300000);
}

START_TEST(an_uplink_becomes_an_event)
{
    struct world_event events[4];

    begin((uint64_t)_i);
    transmit(0, "hello", false);
    ck_assert_uint_eq(world_events(&world, DEVICE, events, 4), 1);
    ck_assert_int_eq(events[0].stored.type, EVENT_UP);
    ck_assert_uint_eq(events[0].facts.fcnt, 0);
    ck_assert_uint_eq(events[0].facts.f_port, 10);
    ck_assert_uint_eq(events[0].facts.dr, 5);
    ck_assert_uint_eq(events[0].facts.copy_count, 1);
    ck_assert_uint_eq(events[0].facts.data.n, 5);
    ck_assert_int_eq(memcmp(events[0].facts.data.p, "hello", 5), 0);
    world_close(&world);
}
END_TEST

START_TEST(counters_only_grow)
{
    struct world_event events[8];

    begin((uint64_t)_i);
    transmit(5, "a", false);
    transmit(5, "b", false);
    ck_assert_int_eq(world.last_drop, DROP_FCNT_REPLAY);
    transmit(4, "c", false);
    ck_assert_int_eq(world.last_drop, DROP_FCNT_REPLAY);
    transmit(70000, "d", false);
    ck_assert_int_eq(world.last_drop, DROP_MIC);
    transmit(65530, "e", false);
    transmit(65536, "f", false);
    ck_assert_uint_eq(world_events(&world, DEVICE, events, 8), 3);
    ck_assert_uint_eq(events[2].facts.fcnt, 65536);
    world_close(&world);
}
END_TEST

START_TEST(a_confirmed_uplink_is_acknowledged_in_rx1)
{
    struct radio_down down;
    struct lw_frame frame;
    int64_t heard;
    size_t at = 0;

    begin((uint64_t)_i);
    heard = world.clock.mono;
    transmit(0, "x", true);
    ck_assert(radio_down(&world, &radio, &at, &down));
    ck_assert_int_eq(radio_delay_us(&radio, &down, heard), 1000000);
    ck_assert_uint_eq(down.frequency_hz, 868100000);
    ck_assert_str_eq(down.rate, "SF7BW125");
    ck_assert_int_eq(lw_frame_read((struct bytes){down.phy, down.phy_n}, &frame), DROP_NONE);
    ck_assert(frame.data.fctrl & LW_FCTRL_ACK);
    ck_assert_uint_eq(frame.data.fcnt, 0);
    radio_ack(&world, &radio, &down, NULL);
    world_run(&world, 5000000);
    ck_assert(!radio_down(&world, &radio, &at, &down));
    world_close(&world);
}
END_TEST

START_TEST(a_repetition_is_answered_but_not_delivered)
{
    struct world_event events[8];
    struct radio_down down;
    size_t at = 0, ups = 0, n;

    begin((uint64_t)_i);
    transmit(0, "x", true);
    ck_assert(radio_down(&world, &radio, &at, &down));
    radio_ack(&world, &radio, &down, NULL);
    world_run(&world, 2000000);
    transmit(0, "x", true);
    world_run(&world, 5000000);
    ck_assert(radio_down(&world, &radio, &at, &down));
    ck_assert_uint_eq(down.phy[6], 1); /* another counter */
    n = world_events(&world, DEVICE, events, 8);
    for (size_t i = 0; i < n; i++)
        ups += events[i].stored.type == EVENT_UP;
    ck_assert_uint_eq(ups, 1);
    world_close(&world);
}
END_TEST

START_TEST(an_error_falls_down_the_ladder_with_the_same_bytes)
{
    struct radio_down first, second;
    int64_t heard;
    size_t at = 0;

    begin((uint64_t)_i);
    heard = world.clock.mono;
    transmit(0, "x", true);
    ck_assert(radio_down(&world, &radio, &at, &first));
    radio_ack(&world, &radio, &first, "COLLISION_PACKET");
    world_run(&world, 100000);
    ck_assert(radio_down(&world, &radio, &at, &second));
    ck_assert_uint_eq(second.frequency_hz, 869525000);
    ck_assert_str_eq(second.rate, "SF12BW125");
    ck_assert_int_eq(radio_delay_us(&radio, &second, heard), 2000000);
    ck_assert_uint_eq(first.phy_n, second.phy_n);
    ck_assert_int_eq(memcmp(first.phy, second.phy, first.phy_n), 0);
    world_close(&world);
}
END_TEST

START_TEST(many_sessions_share_an_address)
{
    struct world_event events[4];
    uint8_t room[255];

    begin((uint64_t)_i);
    for (uint8_t i = 2; i < 40; i++) {
        world_device(&world, DEVICE + i);
        activate(&world, DEVICE + i, 0x26011234, i);
    }
    radio_heard(&world, &radio, uplink(room, 0x26011234, 33, 0, "mine", false), 868300000,
                "SF9BW125", 1);
    world_run(&world, 300000);
    ck_assert_uint_eq(world_events(&world, DEVICE + 33, events, 4), 1);
    radio_heard(&world, &radio, uplink(room, 0x26011234, 77, 0, "nobody", false), 868300000,
                "SF9BW125", 1);
    world_run(&world, 300000);
    ck_assert_int_eq(world.last_drop, DROP_MIC);
    world_close(&world);
}
END_TEST

START_TEST(nothing_is_lost_by_a_restart)
{
    struct world_event events[8];
    struct ns_call *call;

    begin((uint64_t)_i);
    transmit(0, "a", true);
    transmit(1, "b", false);
    world_restart(&world, _i & 1);
    radio_pull(&world, &radio);
    transmit(1, "b2", false);
    ck_assert_int_eq(world.last_drop, DROP_FCNT_REPLAY);
    transmit(2, "c", false);
    call = world_ask(&world, ns_call_new(ACT_STATE, (struct lw_eui){DEVICE}));
    ck_assert_uint_eq(call->session.fcnt_up_next, 3);
    ck_assert_uint_eq(call->session.n_fcnt_down, 1);
    ns_call_free(call);
    ck_assert_uint_eq(world_events(&world, DEVICE, events, 8), 3);
    ck_assert_uint_eq(events[2].stored.prev, events[1].stored.pos);
    world_close(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_uplink");
    TCase *tc = tcase_create("flow_uplink");
    const TTest *const tests[] = {an_uplink_becomes_an_event,
                                  counters_only_grow,
                                  a_confirmed_uplink_is_acknowledged_in_rx1,
                                  a_repetition_is_answered_but_not_delivered,
                                  an_error_falls_down_the_ladder_with_the_same_bytes,
                                  many_sessions_share_an_address,
                                  nothing_is_lost_by_a_restart,
                                  NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 10); /* ten seeds each */
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
