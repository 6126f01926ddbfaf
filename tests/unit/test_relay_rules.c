/* What a relay decides: windows, scans, filter, limits, configuration; at their edges. */
#include "lorawan/airtime.h"
#include "relay/conf.h"
#include "relay/filter.h"
#include "relay/limit.h"
#include "relay/sync.h"
#include "relay/window.h"
#include "tests/suite.h"

#include <string.h>

static const struct region *eu(void)
{
    return region_get(REGION_EU868);
}

/* ---- windows --------------------------------------------------------------------------------- */

START_TEST(a_window_must_hold_the_frame_and_make_rxr)
{
    const struct data_rate fast = {
        .kind = MOD_LORA, .sf = 7, .coding_rate = 1, .bandwidth_hz = 125000};
    const struct data_rate slow = {
        .kind = MOD_LORA, .sf = 12, .coding_rate = 1, .bandwidth_hz = 125000};
    struct relay_timing timing = {.uplink_airtime_us = 400000};
    struct relay_opening openings[RELAY_WINDOWS] = {{&fast, 222}, {&slow, 51}};
    struct relay_load load = {.nested = 51};

    ck_assert_uint_eq(relay_windows(&timing, RELAY_MARGIN_US, openings, &load), 3);
    load.fopts = 1; /* SF12 holds no 52 octets */
    ck_assert_uint_eq(relay_windows(&timing, RELAY_MARGIN_US, openings, &load), 1);
    openings[RELAY_RX1].rate = NULL;
    ck_assert_uint_eq(relay_windows(&timing, RELAY_MARGIN_US, openings, &load), 0);
    load.fopts = 0;
    ck_assert_uint_eq(relay_windows(&timing, RELAY_MARGIN_US, openings, &load), 2);
    timing.rx1_delay_s = 14;
    ck_assert_uint_eq(relay_windows(&timing, RELAY_MARGIN_US, openings, &load), 0);
    openings[RELAY_RX1].rate = &fast;
    ck_assert_uint_eq(relay_windows(&timing, RELAY_MARGIN_US, openings, &load), 1);
    ck_assert_uint_eq(relay_windows(&timing, 4 * RELAY_MARGIN_CSMA_US, openings, &load), 0);
}
END_TEST

START_TEST(the_margin_is_just_kept)
{
    const struct data_rate rate = {
        .kind = MOD_LORA, .sf = 7, .coding_rate = 1, .bandwidth_hz = 125000};
    const struct relay_opening openings[RELAY_WINDOWS] = {{&rate, 222}};
    const struct relay_timing timing = {.uplink_airtime_us = 400000};
    const struct relay_load load = {.nested = 20};
    int64_t slack =
        relay_slack_us(&timing, RELAY_RX1, lw_airtime_frame_us(&rate, 20 + 13, LW_DOWN));

    ck_assert_uint_eq(relay_windows(&timing, slack, openings, &load), 1);
    ck_assert_uint_eq(relay_windows(&timing, slack + 1, openings, &load), 0);
}
END_TEST

START_TEST(slack_counts_every_part)
{
    struct relay_timing timing = {.uplink_airtime_us = 1000, .held_us = 20, .rx1_delay_s = 0};
    int64_t rx1 = relay_slack_us(&timing, RELAY_RX1, 300);

    ck_assert_int_eq(rx1, 18000000 - 50000 - 20 - 1000 - 1000000 - 300);
    ck_assert_int_eq(relay_slack_us(&timing, RELAY_RX2, 300), rx1 - 1000000);
    timing.rx1_delay_s = 1; /* the same as 0 */
    ck_assert_int_eq(relay_slack_us(&timing, RELAY_RX1, 300), rx1);
    timing.rx1_delay_s = 15;
    ck_assert_int_eq(relay_slack_us(&timing, RELAY_RX1, 300), rx1 - 14000000);
    ck_assert_int_eq(relay_nested_end_us(9000000, 700000), 9000000 - 700000 - 50000);
}
END_TEST

START_TEST(sizes_never_wrap)
{
    for (unsigned n = 0; n < 256; n++) {
        for (unsigned fopts = 0; fopts <= 15; fopts++) {
            ck_assert_uint_le(relay_down_phy_max(n, fopts), n);
            ck_assert_uint_le(relay_down_max(n, 255, fopts), n);
            ck_assert_uint_le(relay_up_max(255, n, fopts), n);
            ck_assert_int_eq(relay_up_carries_join(n, fopts), n >= 29 + fopts);
        }
    }
    ck_assert_uint_eq(relay_down_max(222, 51, 0), 51); /* RXR is slower */
    ck_assert_uint_eq(relay_up_max(11, 222, 0), 11);   /* the device is */
}
END_TEST

START_TEST(rxr_has_no_offset)
{
    struct region_rx1 rx1 = {.uplink_dr = 5, .offset = 3, .revision = RP002_1_0_4};
    struct relay_channel rxr;

    ck_assert(relay_rxr(eu(), &rx1, 865100000, &rxr));
    ck_assert_uint_eq(rxr.dr, 5);
    ck_assert_uint_eq(rxr.frequency_hz, 865100000);
    rx1.uplink_dr = 15;
    ck_assert(!relay_rxr(eu(), &rx1, 865100000, &rxr));
}
END_TEST

/* ---- synchronisation ------------------------------------------------------------------------- */

START_TEST(preambles)
{
    struct data_rate wor = {.kind = MOD_LORA, .sf = 9, .coding_rate = 1, .bandwidth_hz = 125000};
    struct data_rate none = wor, fsk = {.kind = MOD_FSK, .bit_rate = 50000};
    struct relay_state state = {.cad_periodicity = 0, .xtal_accuracy = 3, .cad_to_rx = 0};
    struct relay_sync sync;
    struct relay_wake wake;

    none.bandwidth_hz = 0;
    ck_assert_uint_eq(relay_preamble_unsync(&none, 0, 0), 0);
    ck_assert_uint_eq(relay_preamble_unsync(&fsk, 0, 0), 0);
    ck_assert_uint_eq(relay_preamble_unsync(&wor, 6, 0), 0);
    ck_assert(!relay_sync_of(&fsk, 0, 8, &state, 20, &sync));
    ck_assert(relay_sync_of(&wor, 0, 8, &state, 20, &sync));

    wake = relay_sync_next(&sync, sync.scan_us + 1000);
    ck_assert_int_eq(wake.start_us, sync.scan_us + 1000000 - 30);
    ck_assert_uint_eq(wake.preamble, 9); /* 60 us of drift: detection, and two symbols to turn */
    ck_assert_int_eq(relay_sync_next(&sync, wake.start_us).start_us, wake.start_us);
    /* The scan that was met is over. */
    ck_assert_int_eq(relay_sync_next(&sync, sync.scan_us).start_us, wake.start_us);
    /* A day later the drift is 5 s: the WOR begins 2.6 s early and lasts 5.2 s. */
    wake = relay_sync_next(&sync, sync.scan_us + INT64_C(86400000000));
    ck_assert_int_ge(wake.start_us, sync.scan_us + INT64_C(86400000000));
    ck_assert_int_lt(wake.start_us, sync.scan_us + INT64_C(86401000000));
    ck_assert_uint_eq(wake.preamble, 5184179 / 4096 + 9);
    ck_assert(relay_sync_of(&wor, 0, 8, &state, 220, &sync)); /* a poor crystal stays poor */
    wake = relay_sync_next(&sync, sync.scan_us + 1000);
    ck_assert_int_eq(wake.start_us, sync.scan_us + 1000000 - 130);
    ck_assert(relay_sync_of(&wor, 0, 8, &state, RELAY_XTAL_PPM_MAX, &sync));
    ck_assert_uint_eq(sync.ppm, 1040);
    ck_assert(!relay_sync_of(&wor, 0, 8, &state, RELAY_XTAL_PPM_MAX + 1, &sync));
    state.cad_periodicity = 7;
    ck_assert(!relay_sync_of(&wor, 0, 8, &state, 20, &sync));
}
END_TEST

/* ---- filter ---------------------------------------------------------------------------------- */

static const struct lw_eui join_eui = {0xabcdef0011223344}, dev_eui = {0x70b3d57ed0000001};

static unsigned put(struct relay_filter *filter, const struct lw_filter_list_req *rule)
{
    struct lw_filter_list_ans ans;

    relay_filter_put(filter, rule, &ans);
    ck_assert_int_eq(relay_filter_accepted(&ans),
                     ans.action_ack && ans.length_ack && ans.combined_rules_ack);
    return ans.action_ack | ans.length_ack << 1 | ans.combined_rules_ack << 2;
}

START_TEST(the_longest_prefix_decides)
{
    struct relay_filter filter;
    struct lw_filter_list_req rule;

    relay_filter_init(&filter);
    ck_assert(relay_filter_forwards(&filter, join_eui, dev_eui));
    rule = relay_filter_rule(0, RELAY_FILTER_DROP, join_eui, dev_eui, 0);
    ck_assert_uint_eq(put(&filter, &rule), 7);
    ck_assert(!relay_filter_forwards(&filter, join_eui, dev_eui));
    rule = relay_filter_rule(9, RELAY_FILTER_FORWARD, join_eui, dev_eui, 3);
    ck_assert_uint_eq(put(&filter, &rule), 7);
    ck_assert(relay_filter_forwards(&filter, join_eui, dev_eui));
    ck_assert(!relay_filter_forwards(&filter, (struct lw_eui){0xabcdee0011223344}, dev_eui));
    rule = relay_filter_rule(1, RELAY_FILTER_DROP, join_eui, dev_eui, 99); /* 16 */
    ck_assert_uint_eq(put(&filter, &rule), 7);
    ck_assert(!relay_filter_forwards(&filter, join_eui, dev_eui));
    ck_assert(relay_filter_forwards(&filter, join_eui, (struct lw_eui){dev_eui.v + 1}));
    rule.index = 2; /* as long, and higher */
    rule.action = RELAY_FILTER_FORWARD;
    ck_assert_uint_eq(put(&filter, &rule), 7);
    ck_assert(relay_filter_forwards(&filter, join_eui, dev_eui));
    rule = (struct lw_filter_list_req){.index = 2, .action = RELAY_FILTER_NONE};
    ck_assert_uint_eq(put(&filter, &rule), 7);
    ck_assert(!relay_filter_forwards(&filter, join_eui, dev_eui));
}
END_TEST

START_TEST(rules_that_are_refused)
{
    static const struct {
        struct lw_filter_list_req rule;
        unsigned answer;
    } rows[] = {
        {{0, RELAY_FILTER_NONE, 0, {0}}, 3},
        {{0, RELAY_FILTER_FORWARD, 1, {0}}, 3},
        {{0, RELAY_FILTER_DROP, 0, {0}}, 7},
        {{1, RELAY_FILTER_NONE, 1, {0}}, 3},
        {{1, RELAY_FILTER_FORWARD, 0, {0}}, 3},
        {{15, RELAY_FILTER_DROP, 17, {0}}, 5},
        {{15, 3, 1, {0}}, 6},
        {{15, RELAY_FILTER_NONE, 0, {0}}, 7},
    };
    struct relay_filter before, filter;

    relay_filter_init(&before);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        filter = before;
        ck_assert_uint_eq(put(&filter, &rows[i].rule), rows[i].answer);
        if (rows[i].answer != 7)
            ck_assert(!memcmp(&filter, &before, sizeof(before)));
    }
}
END_TEST

/* As a relay hears it: a whole rule is DevEUI and JoinEUI, least significant octet first. */
START_TEST(a_rule_on_air)
{
    static const uint8_t expected[] = {0x42, 0xb0, 0x00, 0x01, 0,    0,    0xd0, 0x7e, 0xd5, 0xb3,
                                       0x70, 0x44, 0x33, 0x22, 0x11, 0x00, 0xef, 0xcd, 0xab};
    struct lw_filter_list_req rule =
        relay_filter_rule(1, RELAY_FILTER_FORWARD, join_eui, dev_eui, 16);
    uint8_t octets[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(octets, sizeof(octets));

    lw_filter_list_req_write(&wr, &rule);
    ck_assert_uint_eq(wr_len(&wr), sizeof(expected));
    ck_assert_mem_eq(octets, expected, sizeof(expected));
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

START_TEST(a_relay_begins_with_eight_an_hour)
{
    struct relay_limits limits = relay_limits_default();
    struct relay_bucket device = relay_device_bucket(
        &(struct lw_update_uplink_list_req){.reload_rate = RELAY_DEVICE_RATE_UNLIMITED});
    unsigned forwarded = 0;

    while (relay_limits_take_uplink(&limits, &device))
        forwarded++;
    ck_assert_uint_eq(forwarded, 8);
    ck_assert(!relay_limits_take_join(&limits)); /* all share the overall bucket */
    ck_assert(!relay_limits_take_notify(&limits));
    ck_assert_uint_eq(limits.join.tokens, 4); /* and nothing was taken from one alone */
    for (unsigned hour = 0; hour < 3; hour++)
        relay_limits_reload(&limits);
    ck_assert_uint_eq(limits.overall.tokens, 16);
    ck_assert_uint_eq(limits.join.tokens, 8);
    ck_assert(relay_limits_take_join(&limits) && relay_limits_take_notify(&limits));
    ck_assert_uint_eq(limits.overall.tokens, 14);
}
END_TEST

START_TEST(a_device_has_its_own_bucket)
{
    struct relay_limits limits = relay_limits_default();
    struct lw_configure_fwd_limit_req unlimited = relay_limits_for(1000, 100);
    struct relay_bucket device = relay_device_bucket(
        &(struct lw_update_uplink_list_req){.reload_rate = 3, .bucket_size = 3});
    unsigned forwarded = 0;

    relay_limits_configure(&limits, &unlimited);
    ck_assert_uint_eq(relay_bucket_capacity(&device), 36);
    ck_assert_uint_eq(
        relay_device_bucket(&(struct lw_update_uplink_list_req){.reload_rate = 62}).rate, 62);
    ck_assert_uint_eq(
        relay_device_bucket(&(struct lw_update_uplink_list_req){.reload_rate = 63}).rate,
        RELAY_RATE_UNLIMITED);
    ck_assert_uint_eq(relay_bucket_capacity(&limits.overall), 0);
    for (unsigned hour = 0; hour < 50; hour++)
        relay_bucket_reload(&device);
    while (relay_limits_take_uplink(&limits, &device))
        forwarded++;
    ck_assert_uint_eq(forwarded, 36);
}
END_TEST

START_TEST(resetting_limits)
{
    static const unsigned tokens[] = {[RELAY_RESET_ZERO] = 0,
                                      [RELAY_RESET_RATE] = 10,
                                      [RELAY_RESET_CAPACITY] = 40,
                                      [RELAY_RESET_KEEP] = 8};
    struct lw_configure_fwd_limit_req req = {.overall_reload = 10, .overall_size = 2};
    struct relay_limits limits;

    for (req.reset_counters = 0; req.reset_counters < 4; req.reset_counters++) {
        limits = relay_limits_default();
        relay_limits_configure(&limits, &req);
        ck_assert_uint_eq(limits.overall.tokens, tokens[req.reset_counters]);
    }
    req = (struct lw_configure_fwd_limit_req){.overall_reload = 1,
                                              .reset_counters = RELAY_RESET_KEEP};
    limits = relay_limits_default();
    relay_limits_configure(&limits, &req);
    ck_assert_uint_eq(limits.overall.tokens, 1); /* what fits */
}
END_TEST

/* While there is no limit nothing is counted: what was left before is left afterwards. */
START_TEST(tokens_outlive_a_time_without_limit)
{
    struct lw_configure_fwd_limit_req req = {.overall_reload = RELAY_RATE_UNLIMITED,
                                             .global_uplink_reload = 8,
                                             .global_uplink_size = 1,
                                             .reset_counters = RELAY_RESET_KEEP};
    struct relay_limits limits = relay_limits_default();
    struct relay_bucket device = {.rate = RELAY_RATE_UNLIMITED};

    ck_assert(relay_limits_take_uplink(&limits, &device));
    relay_limits_configure(&limits, &req);
    ck_assert(relay_limits_take_uplink(&limits, &device));
    relay_limits_reload(&limits);
    req.overall_reload = 8;
    req.overall_size = 1;
    relay_limits_configure(&limits, &req);
    ck_assert_uint_eq(limits.overall.tokens, 7);
    ck_assert_uint_eq(limits.uplink.tokens, 14);
}
END_TEST

/* Each of the four by its own numbers. */
START_TEST(limits_are_not_mixed_up)
{
    struct lw_configure_fwd_limit_req req = {.overall_reload = 10,
                                             .global_uplink_reload = 20,
                                             .notify_reload = 30,
                                             .join_req_reload = 40,
                                             .overall_size = 0,
                                             .global_uplink_size = 1,
                                             .notify_size = 2,
                                             .join_req_size = 3,
                                             .reset_counters = RELAY_RESET_ZERO};
    struct relay_limits limits = relay_limits_default();
    struct relay_bucket device = {.rate = RELAY_RATE_UNLIMITED};

    ck_assert_uint_eq(limits.overall.tokens, 8);
    ck_assert_uint_eq(limits.uplink.tokens, 8);
    ck_assert_uint_eq(limits.notify.tokens, 4);
    ck_assert_uint_eq(limits.join.tokens, 4);
    relay_limits_configure(&limits, &req);
    ck_assert_uint_eq(relay_bucket_capacity(&limits.overall), 10);
    ck_assert_uint_eq(relay_bucket_capacity(&limits.uplink), 40);
    ck_assert_uint_eq(relay_bucket_capacity(&limits.notify), 120);
    ck_assert_uint_eq(relay_bucket_capacity(&limits.join), 480);
    relay_limits_reload(&limits);
    ck_assert(relay_limits_take_uplink(&limits, &device));
    ck_assert(relay_limits_take_notify(&limits) && relay_limits_take_notify(&limits));
    for (unsigned i = 0; i < 3; i++)
        ck_assert(relay_limits_take_join(&limits));
    ck_assert_uint_eq(limits.overall.tokens, 4);
    ck_assert_uint_eq(limits.uplink.tokens, 19);
    ck_assert_uint_eq(limits.notify.tokens, 28);
    ck_assert_uint_eq(limits.join.tokens, 37);
}
END_TEST

START_TEST(limits_for_a_number_of_devices)
{
    struct lw_configure_fwd_limit_req few = relay_limits_for(1, 1), some = relay_limits_for(10, 4);

    ck_assert_uint_eq(few.overall_reload, 8); /* never below the defaults */
    ck_assert_uint_eq(few.notify_reload, 4);
    ck_assert_uint_eq(few.reset_counters, RELAY_RESET_RATE);
    ck_assert(few.overall_size == 1 && few.global_uplink_size == 1 && few.notify_size == 1 &&
              few.join_req_size == 1);
    ck_assert_uint_eq(few.join_req_reload, 4);
    ck_assert_uint_eq(some.global_uplink_reload, 80);
    ck_assert_uint_eq(some.join_req_reload, 20);
    ck_assert_uint_eq(some.overall_reload, 100);
    ck_assert_uint_eq(relay_limits_for(16, 4).overall_reload, RELAY_RATE_UNLIMITED);
    ck_assert_uint_eq(relay_limits_for(UINT32_MAX, UINT32_MAX).global_uplink_reload,
                      RELAY_RATE_UNLIMITED);
    /* twice their product is four more than 64 bits hold */
    ck_assert_uint_eq(relay_limits_for(2147549185, 4294836226).global_uplink_reload,
                      RELAY_RATE_UNLIMITED);
    ck_assert_uint_eq(relay_limits_for(1, 63).global_uplink_reload, 126);
    ck_assert_uint_eq(relay_limits_for(1, 64).global_uplink_reload, RELAY_RATE_UNLIMITED);
}
END_TEST

/* ---- configuration --------------------------------------------------------------------------- */

/* The octet of RelayConfAns. */
static unsigned conf_answer(const struct region *region, const struct lw_relay_conf_req *req)
{
    struct lw_relay_conf_ans ans;
    uint8_t octets[2] = {0};
    struct wr wr = wr_of(octets, sizeof(octets));

    relay_conf_answer(region, req, &ans);
    lw_relay_conf_ans_write(&wr, &ans);
    ck_assert_int_eq(relay_conf_accepted(&ans), octets[1] == 0x3f);
    return octets[1];
}

static struct lw_relay_conf_req good_conf(void)
{
    return (struct lw_relay_conf_req){.start = true,
                                      .cad_periodicity = 3,
                                      .second_ch_idx = 1,
                                      .second_ch_dr = 4,
                                      .second_ch_ack_offset = 1,
                                      .second_ch_hz = 868100000};
}

START_TEST(a_relay_answers_bit_by_bit)
{
    struct lw_relay_conf_req conf = good_conf();

    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3f);
    conf.second_ch_ack_offset = 6;
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3d);
    conf = good_conf();
    conf.second_ch_hz = 869900000; /* its ACK lies beyond the band */
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3d);
    conf.second_ch_hz = 915000000;
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3c);
    conf.second_ch_idx = 0; /* then none of it counts */
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3f);
    conf = good_conf();
    conf.second_ch_dr = 7; /* FSK */
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3b);
    conf.second_ch_dr = 15;
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3b);
    conf = good_conf();
    conf.second_ch_idx = 2;
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x37);
    conf.second_ch_idx = 1;
    conf.default_ch_idx = 2;
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x2f);
    conf.start = false;
    ck_assert_uint_eq(conf_answer(eu(), &conf), 0x3f);
    /* In US915 WOR is at DR10, a data rate of downlinks. */
    conf = good_conf();
    conf.second_ch_hz = 916900000;
    conf.second_ch_dr = 10;
    ck_assert_uint_eq(conf_answer(region_get(REGION_US915), &conf), 0x3f);
}
END_TEST

START_TEST(a_scan_needs_its_time)
{
    struct region slow = *eu();
    struct lw_relay_conf_req conf = {.start = true};

    for (conf.cad_periodicity = 0; conf.cad_periodicity < 8; conf.cad_periodicity++) {
        struct lw_relay_conf_req second = good_conf();

        /* 20 ms: 8.2 of symbols and 10 fit */
        ck_assert_int_eq(conf_answer(eu(), &conf) == 0x3f, conf.cad_periodicity < 6);
        second.cad_periodicity = conf.cad_periodicity; /* two scans: 10 ms each do not */
        ck_assert_int_eq(conf_answer(eu(), &second) == 0x3f, conf.cad_periodicity < 5);
    }
    /* The second channel is scanned as well: at SF12 two symbols take 65 ms. */
    for (conf.cad_periodicity = 0; conf.cad_periodicity < 6; conf.cad_periodicity++) {
        struct lw_relay_conf_req second = good_conf();

        second.cad_periodicity = conf.cad_periodicity;
        second.second_ch_dr = 0;
        ck_assert_uint_eq(conf_answer(eu(), &second), conf.cad_periodicity < 3 ? 0x3f : 0x1f);
        second.second_ch_dr = 15; /* one mistake, one bit */
        ck_assert_uint_eq(conf_answer(eu(), &second), conf.cad_periodicity < 5 ? 0x3b : 0x1b);
    }
    /* In US915 DR8 of a WOR is SF12 at 500 kHz, not the SF5 that uplinks may have since 1.0.5: two
     * symbols take 16 ms, which 25 less 10 do not hold. */
    for (conf.cad_periodicity = 3; conf.cad_periodicity < 5; conf.cad_periodicity++) {
        struct lw_relay_conf_req second = good_conf();

        second.cad_periodicity = conf.cad_periodicity;
        second.second_ch_hz = 916900000;
        second.second_ch_dr = 8;
        ck_assert_uint_eq(conf_answer(region_get(REGION_US915), &second),
                          conf.cad_periodicity == 3 ? 0x3f : 0x1f);
        second.second_ch_dr = 7; /* of 1.0.5 alone: SF6 */
        ck_assert_uint_eq(conf_answer(region_get(REGION_US915), &second), 0x3f);
    }
    conf.cad_periodicity = 4; /* 50 ms and SF12: two symbols take 65 */
    slow.relay[0].dr = 0;
    ck_assert_uint_eq(conf_answer(&slow, &conf), 0x1f);
    conf.cad_periodicity = 0;
    slow.relay[0].dr = 15;
    ck_assert_uint_eq(conf_answer(&slow, &conf), 0x1f);
    /* No WOR channels are known: it cannot begin. */
    ck_assert_uint_eq(conf_answer(region_get(REGION_EU433), &conf), 0x0f);
}
END_TEST

static unsigned end_device_answer(const struct lw_end_device_conf_req *req)
{
    struct lw_end_device_conf_ans ans;
    uint8_t octets[2] = {0};
    struct wr wr = wr_of(octets, sizeof(octets));

    relay_end_device_answer(eu(), req, &ans);
    lw_end_device_conf_ans_write(&wr, &ans);
    ck_assert_int_eq(relay_end_device_accepted(&ans), octets[1] == 0x0f);
    return octets[1];
}

START_TEST(a_served_device_answers)
{
    struct lw_end_device_conf_req conf = {.activation = RELAY_MODE_DYNAMIC,
                                          .second_ch_idx = 1,
                                          .second_ch_dr = 4,
                                          .second_ch_ack_offset = 1,
                                          .second_ch_hz = 868100000};

    ck_assert_uint_eq(end_device_answer(&conf), 0x0f);
    conf.second_ch_hz = 915000000;
    ck_assert_uint_eq(end_device_answer(&conf), 0x06);
    conf.activation = RELAY_MODE_OFF;
    ck_assert_uint_eq(end_device_answer(&conf), 0x0f);
    conf.activation = RELAY_MODE_ON;
    conf.second_ch_hz = 868100000;
    conf.second_ch_dr = 15;
    ck_assert_uint_eq(end_device_answer(&conf), 0x0d);
    conf.second_ch_dr = 4;
    conf.second_ch_ack_offset = 7;
    ck_assert_uint_eq(end_device_answer(&conf), 0x07);
    conf.second_ch_ack_offset = 0;
    conf.second_ch_idx = 2;
    ck_assert_uint_eq(end_device_answer(&conf), 0x0b);
    conf.second_ch_idx = 0;
    conf.second_ch_dr = 15;
    ck_assert_uint_eq(end_device_answer(&conf), 0x0f);
}
END_TEST

START_TEST(small_rules)
{
    struct relay_channel second = {868100000, 4}, ack;

    ck_assert(relay_second_ack(&second, 5, &ack));
    ck_assert_uint_eq(ack.frequency_hz, 871300000);
    ck_assert_uint_eq(ack.dr, 4);
    ck_assert(!relay_second_ack(&second, 7, &ack));
    second.frequency_hz = UINT32_MAX;
    ck_assert(!relay_second_ack(&second, 5, &ack));
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(relay_smart_enable_uplinks(i), 8u << i);
    ck_assert(relay_sends_unanswered(0, 1));
    ck_assert(!relay_sends_unanswered(8, 8));
    ck_assert(relay_sends_unanswered(8, 9));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_window_must_hold_the_frame_and_make_rxr,
                                  the_margin_is_just_kept,
                                  slack_counts_every_part,
                                  sizes_never_wrap,
                                  rxr_has_no_offset,
                                  preambles,
                                  the_longest_prefix_decides,
                                  rules_that_are_refused,
                                  a_rule_on_air,
                                  a_relay_begins_with_eight_an_hour,
                                  a_device_has_its_own_bucket,
                                  resetting_limits,
                                  tokens_outlive_a_time_without_limit,
                                  limits_are_not_mixed_up,
                                  limits_for_a_number_of_devices,
                                  a_relay_answers_bit_by_bit,
                                  a_scan_needs_its_time,
                                  a_served_device_answers,
                                  small_rules,
                                  NULL};

    return run_suite(suite_of("relay_rules", tests));
}
