/*
 * What is special to a region, seen from the device: sub-bands and RX1 of US915, dwell time of
 * AS923. The device's own tables (sim/plan.c) judge channel and data rate of each downlink.
 */
#include "tests/flow/talk.h"
#include "tests/suite.h"

#include <stdio.h>

static struct talk talk;

/* ---- US915 ----------------------------------------------------------------------------------- */

#define FSB2 2
#define WIDE 65 /* the 500 kHz channel of FSB2 */

static struct talk_options us915(int i, uint16_t flags)
{
    return (struct talk_options){.world = {.seed = (uint64_t)i,
                                           .version = (enum lw_version)(i % TALK_VERSIONS),
                                           .region = "US915",
                                           .sub_band = FSB2},
                                 .flags = flags,
                                 .sub_band = 9};
}

static void has_fsb2_alone(void)
{
    struct chmask wanted = region_sub_band(region_get(REGION_US915), FSB2);

    for (unsigned i = 0; i < 72; i++)
        ck_assert_msg(sim_device_channel_on(&talk.device, i) == ((i >= 8 && i < 16) || i == WIDE),
                      "channel %u", i);
    ck_assert(chmask_equal(&talk_session(&talk)->enabled, &wanted));
}

START_TEST(a_sub_band_leaves_its_channels_alone)
{
    /* Before 1.0.2 a device without ADR refuses the first half of the block. */
    struct talk_options options = us915(_i, _i % TALK_VERSIONS < LW_1_0_2 ? SIM_ADR : 0);
    struct lw_link_adr_req last;
    size_t blocks = 0;

    talk_begin(&talk, &options);
    talk_join(&talk);
    if (_i % TALK_VERSIONS >= LW_1_0_3)
        has_fsb2_alone(); /* by the CFList already */
    blocks += talk_link_adr(&talk, &last) > 1;
    for (int i = 0; i < 4; i++) {
        talk_speak(&talk, 1, false);
        (void)talk_listen(&talk);
        blocks += talk_link_adr(&talk, &last) > 1;
    }
    has_fsb2_alone();
    ck_assert_uint_eq(blocks, _i % TALK_VERSIONS < LW_1_0_3 ? 1 : 0); /* asked once, and taken */
    talk_end(&talk);
}
END_TEST

START_TEST(the_block_of_a_sub_band_is_atomic)
{
    struct talk_options options = us915(LW_1_0_2, 0);
    struct lw_link_adr_req req;

    options.world.seed = (uint64_t)_i;
    talk_begin(&talk, &options);
    talk_join(&talk);
    /* All 125 kHz channels off and one of 500 kHz on; then eight of the first sixteen. */
    ck_assert_uint_eq(talk_link_adr(&talk, &req), 2);
    ck_assert_uint_eq(talk.verdict.commands_n, 10);
    ck_assert(lw_link_adr_req_read((struct bytes){talk.verdict.commands + 1, 4}, &req));
    ck_assert_uint_eq(req.ch_mask_cntl, 7);
    ck_assert_uint_eq(req.ch_mask, 0x0002);
    ck_assert(lw_link_adr_req_read((struct bytes){talk.verdict.commands + 6, 4}, &req));
    ck_assert_uint_eq(req.ch_mask_cntl, 0);
    ck_assert_uint_eq(req.ch_mask, 0xff00);
    ck_assert_uint_eq(req.dr, 0);
    ck_assert_uint_eq(req.nb_trans, 1);
    /* One of its two answers is a refusal: nothing of the block has happened. */
    ck_assert_uint_eq(talk.device.once_n, 4);
    talk.device.once[3] = 6;
    talk_speak(&talk, 1, false);
    (void)talk_listen(&talk);
    ck_assert_uint_eq(chmask_count(&talk_session(&talk)->enabled), 72);
    talk_end(&talk);
}
END_TEST

START_TEST(adr_in_a_sub_band_stays_in_it)
{
    struct talk_options options = us915(_i, SIM_ADR);

    talk_begin(&talk, &options);
    talk.snr = 10;
    talk_join(&talk);
    for (int i = 0; i < 8; i++) {
        talk_speak(&talk, 1, false);
        (void)talk_listen(&talk);
    }
    ck_assert_uint_eq(talk.device.dr, 3); /* DR4 is 500 kHz: no step of ADR leads there */
    ck_assert_uint_gt(talk.device.tx_power, 0);
    ck_assert_uint_eq(talk_session(&talk)->dr, talk.device.dr);
    ck_assert_uint_eq(talk_session(&talk)->tx_power, talk.device.tx_power);
    has_fsb2_alone();
    talk_speak(&talk, 1, false);
    ck_assert(!talk_listen(&talk)); /* it has what it should have: nothing more is asked */
    talk_end(&talk);
}
END_TEST

START_TEST(channels_of_all_groups_are_asked_for_when_all_are_heard)
{
    struct talk_options options = us915(_i, SIM_ADR);

    options.world.sub_band = 0;
    talk_begin(&talk, &options);
    talk_join(&talk);
    for (int i = 0; i < 4; i++) {
        talk_speak(&talk, 1, false);
        (void)talk_listen(&talk);
    }
    for (unsigned i = 0; i < 72; i++)
        ck_assert(sim_device_channel_on(&talk.device, i));
    ck_assert_uint_eq(talk.device.dr, 3);
    talk_end(&talk);
}
END_TEST

/* ---- RX1 of US915 ---------------------------------------------------------------------------- */

static uint8_t offset;

static void with_offset(struct device_profile *profile)
{
    profile->rx1_dr_offset = offset;
}

/* RP002 2.5.7: from DR10 (SF10) on by the uplink's rate, one slower for each offset, not below DR8.
 */
static unsigned rx1_sf(unsigned dr, unsigned off)
{
    unsigned down = (dr == 4 ? 13 : 10 + dr) - off + (dr == 4 && off > 0);

    return 20 - (down < 8 ? 8 : down);
}

START_TEST(rx1_follows_channel_and_offset)
{
    struct talk_options options = us915(_i, 0);
    char rate[16];

    offset = (uint8_t)(_i % 4);
    options.world.profile = with_offset;
    options.world.sub_band = 0;
    talk_begin(&talk, &options);
    talk_join(&talk);
    for (unsigned dr = 0; dr <= 4; dr++) {
        talk.device.dr = (uint8_t)dr;
        talk_speak(&talk, 1, true);
        ck_assert(talk_listen(&talk));
        ck_assert_uint_eq(talk.tx.dr, dr);
        ck_assert_uint_eq(talk.tx.rate.bandwidth_hz, dr == 4 ? 500000 : 125000);
        ck_assert_uint_eq(talk.verdict.window, 0);
        ck_assert_uint_eq(talk.down.frequency_hz, 923300000 + talk.tx.channel % 8 * 600000);
        (void)snprintf(rate, sizeof(rate), "SF%uBW500", rx1_sf(dr, offset));
        ck_assert_str_eq(talk.down.rate, rate);
    }
    talk_end(&talk);
}
END_TEST

/* ---- AS923 ----------------------------------------------------------------------------------- */

static struct talk_options as923(int i, uint16_t flags)
{
    return (struct talk_options){.world = {.seed = (uint64_t)i,
                                           .version = (enum lw_version)(i % TALK_VERSIONS),
                                           .region = "AS923"},
                                 .flags = flags,
                                 .dr = 2};
}

static void slow_profile(struct device_profile *profile)
{
    profile->adr.max_dr = 1;
}

START_TEST(adr_names_no_rate_that_dwell_time_forbids)
{
    struct talk_options options = as923(_i, SIM_ADR);
    struct lw_link_adr_req last = {.dr = 15};

    options.world.profile = slow_profile;
    talk_begin(&talk, &options);
    talk_join(&talk);
    talk.device.dr = 4;
    for (int i = 0; i < 6; i++) {
        talk_speak(&talk, 1, false);
        if (talk_listen(&talk) && talk_link_adr(&talk, &last))
            ck_assert_uint_eq(last.dr, 2);
    }
    ck_assert_uint_eq(last.dr, 2); /* it was asked, and for the slowest that may be */
    ck_assert_uint_eq(talk.device.dr, 2);
    talk_end(&talk);
}
END_TEST

START_TEST(adr_reaches_the_fast_rate_under_dwell_time)
{
    struct talk_options options = as923(_i, SIM_ADR);

    talk_begin(&talk, &options);
    talk_join(&talk);
    for (int i = 0; i < 4; i++) {
        talk_speak(&talk, 1, false);
        (void)talk_listen(&talk);
    }
    ck_assert_uint_eq(talk.device.dr, 5);
    talk_end(&talk);
}
END_TEST

START_TEST(an_uplink_beyond_dwell_time_is_refused)
{
    struct talk_options options = as923(LW_1_0_4, 0);

    options.world.seed = (uint64_t)_i;
    talk_begin(&talk, &options);
    talk_join(&talk);
    talk_speak(&talk, 11, false); /* DR2: 11 octets in 400 ms */
    (void)talk_listen(&talk);
    ck_assert_uint_eq(talk_events(&talk, EVENT_UP, NULL), 2);
    talk.device.state &= (uint16_t)~SIM_UP_DWELL; /* a device that keeps no dwell time */
    talk_speak(&talk, 12, true);
    ck_assert(!talk_listen(&talk));
    ck_assert_int_eq(talk.world.last_drop, DROP_TOO_LONG);
    ck_assert_uint_eq(talk_events(&talk, EVENT_UP, NULL), 2);
    talk_end(&talk);
}
END_TEST

/* As TxParamSetupReq would leave both sides, once it is sent. */
static void set_downlink_dwell(void)
{
    talk_session(&talk)->flags |= SESSION_DL_DWELL;
    talk_session_keep(&talk);
    talk.device.state |= SIM_DOWN_DWELL;
}

static void offset_5(struct device_profile *profile)
{
    profile->rx1_dr_offset = 5;
}

START_TEST(rx1_keeps_the_least_rate_of_dwell_time)
{
    struct talk_options options = as923(_i, 0);

    options.world.profile = offset_5;
    talk_begin(&talk, &options);
    talk_join(&talk);
    talk_speak(&talk, 1, true); /* DR2 less 5: DR0 without dwell time */
    ck_assert(talk_listen(&talk));
    ck_assert_str_eq(talk.down.rate, "SF12BW125");
    set_downlink_dwell();
    for (unsigned dr = 2; dr <= 5; dr++) {
        talk.device.dr = (uint8_t)dr;
        talk_speak(&talk, 1, true);
        ck_assert(talk_listen(&talk));
        ck_assert_str_eq(talk.down.rate, "SF10BW125"); /* DR2 */
    }
    talk_end(&talk);
}
END_TEST

START_TEST(an_item_beyond_dwell_time_waits_for_a_faster_rate)
{
    struct talk_options options = as923(_i, 0);
    unsigned state = 0;

    talk_begin(&talk, &options);
    talk_join(&talk);
    set_downlink_dwell();
    talk_queue(&talk, 12); /* DR2 carries 11 */
    talk_queue(&talk, 11);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert_uint_eq(talk.verdict.payload_n, 11); /* the one that fits passes the other */
    ck_assert_uint_eq(talk_queued(&talk, &state), 1);
    ck_assert_uint_eq(state, QUEUE_TOO_LONG);
    talk.device.dr = 3; /* 53 octets, in RX1 alone */
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert_uint_eq(talk.verdict.payload_n, 12);
    ck_assert_uint_eq(talk.verdict.window, 0);
    ck_assert_uint_eq(talk_queued(&talk, NULL), 0);
    talk_end(&talk);
}
END_TEST

/* ---- RX2 of the configuration ---------------------------------------------------------------- */

static void rx2_dr_5(struct device_profile *profile)
{
    profile->rx2_dr = 5;
}

static void rx2_is(const struct talk_options *options, uint8_t dr, const char *rate)
{
    talk_begin(&talk, options);
    talk_join(&talk);
    ck_assert_uint_eq(talk.device.rx.rx2_dr, dr);
    ck_assert_uint_eq(talk_session(&talk)->rx2_dr, dr);
    talk_speak(&talk, 1, true);
    ck_assert(talk_listen_rx2(&talk));
    ck_assert_uint_eq(talk.verdict.window, 1);
    ck_assert_str_eq(talk.down.rate, rate);
    talk_end(&talk);
}

START_TEST(the_network_gives_its_rx2_rate)
{
    struct talk_options options = {.world = {.seed = (uint64_t)_i,
                                             .version = (enum lw_version)(_i % TALK_VERSIONS),
                                             .rx2_dr = 3}};

    rx2_is(&options, 3, "SF9BW125");
    options.world.profile = rx2_dr_5;
    rx2_is(&options, 5, "SF7BW125"); /* the profile is nearer to the device */
    options.world.profile = NULL;
    options.world.rx2_dr = 12; /* of RP002-1.0.5: none of these devices could hear it */
    rx2_is(&options, 0, "SF12BW125");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_region");
    TCase *tc = tcase_create("flow_region");
    const TTest *const tests[] = {a_sub_band_leaves_its_channels_alone,
                                  the_block_of_a_sub_band_is_atomic,
                                  adr_in_a_sub_band_stays_in_it,
                                  channels_of_all_groups_are_asked_for_when_all_are_heard,
                                  rx1_follows_channel_and_offset,
                                  adr_names_no_rate_that_dwell_time_forbids,
                                  adr_reaches_the_fast_rate_under_dwell_time,
                                  an_uplink_beyond_dwell_time_is_refused,
                                  rx1_keeps_the_least_rate_of_dwell_time,
                                  an_item_beyond_dwell_time_waits_for_a_faster_rate,
                                  the_network_gives_its_rx2_rate,
                                  NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2 * TALK_VERSIONS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
