/*
 * MAC commands end to end: refused LinkADRReq, many answers, questions and their answers, status.
 */
#include "tests/flow/talk.h"
#include "tests/suite.h"

#include <string.h>

static struct talk talk;

static struct talk_options options_of(int i, uint16_t flags)
{
    return (struct talk_options){
        .world = {.seed = (uint64_t)i, .version = (enum lw_version)(i % TALK_VERSIONS)},
        .flags = flags,
        .dr = 5};
}

static void begin(int i, uint16_t flags)
{
    struct talk_options options = options_of(i, flags);

    talk_begin(&talk, &options);
    talk_join(&talk);
}

static void ask(const uint8_t *octets, size_t n)
{
    memcpy(talk.device.once + talk.device.once_n, octets, n);
    talk.device.once_n = (uint8_t)(talk.device.once_n + n);
}

/* ---- refused LinkADRReq ---------------------------------------------------------------------- */

/* What the device cannot do. */
struct limits {
    uint8_t dr, power, least_power;
    bool no_mask;
};

/* An uplink and its answer; a LinkADRReq beyond the limits is refused as TS001 says: nothing of it
 * is done, and each LinkADRAns has the bits. Returns whether a LinkADRReq came. */
static bool exchange(const struct limits *limits)
{
    struct sim_device before;
    struct lw_link_adr_req last;
    uint8_t bits;

    talk_speak(&talk, 1, false);
    before = talk.device;
    if (!talk_listen(&talk) || !talk_link_adr(&talk, &last))
        return false;
    bits =
        (uint8_t)((limits->no_mask ? 0 : 1) | (last.dr <= limits->dr ? 2 : 0) |
                  (last.tx_power <= limits->power && last.tx_power >= limits->least_power ? 4 : 0));
    if (bits == 7)
        return true;
    talk.device.dr = before.dr;
    talk.device.tx_power = before.tx_power;
    talk.device.nb_trans = before.nb_trans;
    for (uint8_t at = 0; at + 1 < talk.device.once_n; at += 2) {
        ck_assert_uint_eq(talk.device.once[at], LW_CID_LINK_ADR);
        talk.device.once[at + 1] = bits;
    }
    return true;
}

static unsigned exchanges(const struct limits *limits, unsigned uplinks)
{
    unsigned asked = 0;

    for (unsigned i = 0; i < uplinks; i++)
        asked += exchange(limits);
    return asked;
}

START_TEST(a_power_that_is_refused_does_not_cost_the_rate)
{
    const struct limits limits = {.dr = 5, .power = 2};
    unsigned asked;

    begin(_i, SIM_ADR);
    talk.snr = 25; /* enough for the least power */
    talk.device.dr = 0;
    asked = exchanges(&limits, 12);
    ck_assert_uint_eq(talk.device.dr, 5);
    ck_assert_uint_eq(talk.device.tx_power, 2);
    ck_assert_uint_eq(talk_session(&talk)->dr, 5);
    ck_assert_uint_eq(talk_session(&talk)->tx_power, 2);
    ck_assert_uint_le(asked, 10);
    ck_assert_uint_eq(exchanges(&limits, 6), 0); /* it has what it can do */
    talk_end(&talk);
}
END_TEST

START_TEST(a_rate_that_is_refused_is_not_asked_again)
{
    const struct limits limits = {.dr = 3, .power = 7};

    begin(_i, SIM_ADR);
    talk.device.dr = 0;
    ck_assert_uint_le(exchanges(&limits, 10), 6); /* DR5, DR4, DR3, then power */
    ck_assert_uint_eq(talk.device.dr, 3);
    ck_assert_uint_eq(talk_session(&talk)->dr, 3);
    ck_assert_uint_eq(exchanges(&limits, 6), 0);
    /* A restart does not forget it. */
    world_restart(&talk.world, _i & 1);
    radio_pull(&talk.world, &talk.radio);
    ck_assert_uint_eq(exchanges(&limits, 5), 0);
    /* The device does it by itself after all: then it can. */
    talk.device.dr = 5;
    (void)exchange(&(struct limits){.dr = 5, .power = 7});
    ck_assert_uint_eq(talk_session(&talk)->refused_dr, 0);
    talk_end(&talk);
}
END_TEST

START_TEST(a_mask_that_is_refused_is_asked_ever_more_rarely)
{
    const struct limits limits = {.dr = 5, .power = 7, .no_mask = true};
    struct chmask before;

    begin(_i, SIM_ADR);
    talk.device.dr = 0;
    before = talk_session(&talk)->enabled;
    ck_assert_uint_le(exchanges(&limits, 30), 4); /* after 1, 4 and 16 uplinks */
    ck_assert_uint_eq(talk_session(&talk)->dr, 0);
    ck_assert_uint_eq(talk_session(&talk)->tx_power, 0);
    ck_assert(chmask_equal(&talk_session(&talk)->enabled, &before));
    /* It is not given up for ever: the device learns, and gets its rate. */
    talk.device.fcnt_up = 255;
    ck_assert_uint_eq(exchanges(&(struct limits){.dr = 5, .power = 7}, 1), 1);
    talk_speak(&talk, 1, false);
    (void)talk_listen(&talk);
    ck_assert_uint_eq(talk.device.dr, 5);
    ck_assert_uint_eq(talk_session(&talk)->adr_nacks, 0);
    talk_end(&talk);
}
END_TEST

START_TEST(a_device_that_refuses_everything_is_left_alone)
{
    const struct limits limits = {.dr = 0, .power = 0};

    begin(_i, SIM_ADR);
    talk.snr = 25;
    talk.device.dr = 0;
    ck_assert_uint_le(exchanges(&limits, 16), 12); /* each rate and each power once */
    ck_assert_uint_eq(talk_session(&talk)->dr, 0);
    ck_assert_uint_eq(exchanges(&limits, 6), 0);
    talk_end(&talk);
}
END_TEST

/* RN2483 1.0.3 refuses TXPower 0, whatever the rate. */
START_TEST(a_device_without_power_0_gets_its_rate)
{
    const struct limits limits = {.dr = 5, .power = 7, .least_power = 1};

    begin(_i, SIM_ADR);
    talk.snr = 0; /* DR0 to DR3 and no power to spare */
    talk.device.dr = 0;
    ck_assert_uint_le(exchanges(&limits, 10), 3);
    ck_assert_uint_gt(talk.device.dr, 0);
    ck_assert_uint_eq(talk_session(&talk)->dr, talk.device.dr);
    talk_end(&talk);
}
END_TEST

START_TEST(early_1_1_devices_answer_each_request)
{
    struct talk_options options = options_of(LW_1_1_0, SIM_ADR | SIM_FORCE_ADR_ANSWERS);
    struct lw_link_adr_req last;

    options.world.seed = (uint64_t)_i;
    options.world.region = "US915";
    options.world.sub_band = 2;
    options.dr = 0;
    talk_begin(&talk, &options);
    talk_join(&talk);
    /* As if the CFList had not been obeyed: a block of two requests is due. */
    chmask_set_range(&talk_session(&talk)->enabled, 0, 72, true);
    talk_session_keep(&talk);
    memset(talk.device.mask, 0xff, sizeof(talk.device.mask));
    talk.device.once_n = 0;
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert_uint_eq(talk_link_adr(&talk, &last), 2);
    ck_assert_uint_eq(talk.device.once_n, 4);
    talk_speak(&talk, 1, false);
    (void)talk_listen(&talk);
    ck_assert_uint_eq(chmask_count(&talk_session(&talk)->enabled), 9);
    ck_assert_uint_eq(talk.device.dr, 3);
    ck_assert_uint_eq(talk_session(&talk)->dr, 3);
    talk_end(&talk);
}
END_TEST

/* ---- answers --------------------------------------------------------------------------------- */

/* PingSlotInfoReq, BeaconTimingReq and LinkCheckReq, DeviceModeInd (1.1): answers of 1, 4, 3 and 2
 * octets; that to DeviceTimeReq has 6. */
static const uint8_t many[] = {0x10, 0x03, 0x12, 0x02, 0x20, 0x02};
#define MANY_1_0 4

/* DeviceTimeReq is of 1.0.3. */
static int since_1_0_3(int i)
{
    return LW_1_0_3 + i % 3;
}

START_TEST(answers_beyond_fopts_go_on_port_0_and_the_item_waits)
{
    struct talk_options options = options_of(LW_1_1_0, 0);

    options.world.seed = (uint64_t)_i;
    talk_begin(&talk, &options);
    talk_join(&talk);
    talk_queue(&talk, 5);
    ask(many, sizeof(many));
    sim_device_ask_time(&talk.device);
    talk_speak(&talk, 1, true);
    ck_assert(talk_listen(&talk));
    ck_assert(talk.verdict.flags & SIM_GOT_ACK);
    ck_assert_uint_eq(talk.verdict.commands_n, 16);
    ck_assert_int_eq(talk.verdict.port, 0);
    ck_assert_uint_eq(talk.verdict.payload_n, 0);
    ck_assert(talk.verdict.flags & SIM_GOT_PENDING);
    ck_assert(talk.verdict.flags & SIM_GOT_TIME);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert_uint_eq(talk.verdict.payload_n, 5);
    ck_assert_uint_eq(talk_queued(&talk, NULL), 0);
    talk_end(&talk);
}
END_TEST

START_TEST(answers_and_an_item_share_a_frame)
{
    begin(_i, 0);
    talk_queue(&talk, 5);
    sim_device_ask_link(&talk.device);
    ask((const uint8_t[]){0x10, 0x03}, 2);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert_int_eq(talk.verdict.port, 9);
    ck_assert_uint_eq(talk.verdict.payload_n, 5);
    /* In the order of the questions; in 1.1 the FOpts were encrypted. */
    ck_assert_uint_eq(talk.verdict.commands_n, 4);
    ck_assert_uint_eq(talk.verdict.commands[0], LW_CID_PING_SLOT_INFO);
    ck_assert_uint_eq(talk.verdict.commands[1], LW_CID_LINK_CHECK);
    ck_assert((talk.down.phy[8] == LW_CID_PING_SLOT_INFO) == (_i % TALK_VERSIONS < LW_1_1_0));
    talk_end(&talk);
}
END_TEST

static void with_status(struct device_profile *profile)
{
    profile->status_interval_s = 86400;
}

/* Answers come first, then requests as far as FOpts go; the others wait for the next frame. */
START_TEST(requests_wait_behind_answers)
{
    begin(since_1_0_3(_i), SIM_ADR);
    talk.device.dr = 0;
    ask(many, MANY_1_0);
    sim_device_ask_time(&talk.device); /* 14 octets of answers: one is left */
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert(!talk_heard(&talk, LW_CID_LINK_ADR));
    ck_assert(talk.verdict.flags & SIM_GOT_PENDING);
    ck_assert_int_eq(talk.verdict.port, -1);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert(talk_heard(&talk, LW_CID_LINK_ADR));
    ck_assert_uint_eq(talk.device.dr, 5);
    talk_end(&talk);
}
END_TEST

START_TEST(a_sticky_answer_gets_the_downlink_it_waits_for)
{
    begin(_i, 0);
    talk.device.sticky[0] = LW_CID_RX_TIMING_SETUP;
    talk.device.sticky_n = 1;
    talk_speak(&talk, 1, false);
    ck_assert(talk_miss(&talk)); /* not heard: the answer is repeated, and answered again */
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert_uint_eq(talk.verdict.commands_n, 0);
    ck_assert_uint_eq(talk.device.sticky_n, 0);
    ck_assert_uint_eq(talk_session(&talk)->rx1_delay, 1);
    talk_speak(&talk, 1, false);
    ck_assert(!talk_listen(&talk));
    talk_end(&talk);
}
END_TEST

START_TEST(answers_that_no_window_carries_leave_the_ack)
{
    struct talk_options options = options_of(since_1_0_3(_i), 0);

    options.world.region = "AS923";
    options.dr = 2;
    talk_begin(&talk, &options);
    talk_join(&talk);
    talk_session(&talk)->flags |= SESSION_DL_DWELL; /* 11 octets in both windows */
    talk_session_keep(&talk);
    talk.device.state |= SIM_DOWN_DWELL;
    ask(many, MANY_1_0);
    sim_device_ask_time(&talk.device);
    talk_speak(&talk, 0, true);
    ck_assert(talk_listen(&talk));
    ck_assert(talk.verdict.flags & SIM_GOT_ACK);
    ck_assert_uint_le(talk.verdict.commands_n, 11);
    ck_assert(talk_heard(&talk, LW_CID_LINK_CHECK));
    ck_assert(!talk_heard(&talk, LW_CID_DEVICE_TIME)); /* the last one: asked again */
    talk_end(&talk);
}
END_TEST

/* ---- questions ------------------------------------------------------------------------------- */

START_TEST(a_question_asked_twice_gets_one_answer)
{
    begin(_i, 0);
    ask((const uint8_t[]){0x02, 0x02, 0x02, 0x02}, 4);
    sim_device_ask_link(&talk.device);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert(talk.verdict.flags & SIM_GOT_LINK);
    ck_assert_uint_eq(talk.verdict.commands_n, 3);
    talk_end(&talk);
}
END_TEST

START_TEST(an_unknown_command_ends_the_reading)
{
    begin(_i, 0);
    /* The device's room moves pairs: LinkCheckReq, then 0x7f and a DeviceTimeReq behind it. */
    ask((const uint8_t[]){0x02, 0x7f, 0x0d}, 3);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert(talk.verdict.flags & SIM_GOT_LINK);
    ck_assert(!(talk.verdict.flags & SIM_GOT_TIME));
    ck_assert_uint_eq(talk_events(&talk, EVENT_UP, NULL), 2); /* the frame counts all the same */
    talk_end(&talk);
}
END_TEST

/* Among octets that are decrypted in the wrong form there are commands by chance: that turns
 * nothing. */
START_TEST(unknown_commands_do_not_change_the_form_of_fopts)
{
    begin(LW_1_1_0, 0);
    for (unsigned i = 0; i < 300; i++) {
        ask((const uint8_t[]){0x7f}, 1);
        talk_speak(&talk, 1, false);
        (void)talk_listen(&talk);
        ck_assert_msg(!(talk_session(&talk)->flags & SESSION_OLD_FOPTS), "uplink %u, flags %x", i,
                      talk_session(&talk)->flags);
    }
    talk_end(&talk);
}
END_TEST

/* Strict 1.1.0 (finding F-4): recognised by its announcement, understood and answered in its form,
 * also in the sessions after. */
START_TEST(fopts_before_the_erratum)
{
    begin(LW_1_1_0, SIM_FOPTS_OLD);
    for (unsigned i = 0; i < 6; i++) {
        ck_assert(talk_session(&talk)->flags & SESSION_OLD_FOPTS);
        ask((const uint8_t[]){0x02, 0x0d}, 2);
        talk_speak(&talk, 1, false);
        ck_assert(talk_listen(&talk));
        ck_assert(talk.verdict.flags & SIM_GOT_LINK);
        ck_assert(talk.verdict.flags & SIM_GOT_TIME);
        if (i % 2)
            talk_join(&talk);
    }
    talk_end(&talk);
}
END_TEST

/* An ABP device has no first frame that tells; it is recognised when it resets. */
START_TEST(fopts_before_the_erratum_by_a_reset)
{
    begin(LW_1_1_0, SIM_FOPTS_OLD);
    talk_session(&talk)->flags |= SESSION_ABP;
    talk.session.flags &= ~SESSION_OLD_FOPTS;
    talk_session_keep(&talk);
    ask((const uint8_t[]){0x02, 0x0d}, 2);
    talk_speak(&talk, 1, false);
    (void)talk_miss(&talk); /* an answer to what was read by chance is in the wrong form too */
    ck_assert(!(talk_session(&talk)->flags & SESSION_OLD_FOPTS));
    ask((const uint8_t[]){0x01, 0x01}, 2);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert(talk_session(&talk)->flags & SESSION_OLD_FOPTS);
    ck_assert(talk_heard(&talk, LW_CID_RESET));
    talk_end(&talk);
}
END_TEST

START_TEST(the_time_is_that_of_the_gateways_gps)
{
    const int64_t gps_ms = 1464000000500;

    begin(since_1_0_3(_i), 0);
    talk.radio.gps_ms = gps_ms;
    sim_device_ask_time(&talk.device);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert(talk.verdict.flags & SIM_GOT_TIME);
    ck_assert_int_eq(talk.verdict.gps_us, gps_ms * 1000); /* 128/256 of a second is exact */
    talk.radio.gps_ms = gps_ms + 10003;
    sim_device_ask_time(&talk.device);
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert_int_le(talk.radio.gps_ms * 1000 - talk.verdict.gps_us, 1000000 / 256);
    ck_assert_int_ge(talk.radio.gps_ms * 1000 - talk.verdict.gps_us, 0);
    talk_end(&talk);
}
END_TEST

START_TEST(the_status_is_asked_for_once_a_day)
{
    struct talk_options options = options_of(_i, 0);
    struct event_facts status, up;

    options.world.profile = with_status;
    talk_begin(&talk, &options);
    talk.device.battery = 128;
    talk_join(&talk); /* asked already */
    talk_speak(&talk, 1, false);
    ck_assert(!talk_listen(&talk));
    ck_assert_uint_eq(talk_events(&talk, EVENT_STATUS, &status), 1);
    ck_assert_uint_eq(status.battery, 128);
    ck_assert_int_eq(status.margin, 5);
    (void)talk_events(&talk, EVENT_UP, &up);
    ck_assert_mem_eq(&status.dedup_id, &up.dedup_id, sizeof(up.dedup_id));
    /* A day in one step: what falls due in it, falls due once. */
    clock_double_set(&talk.world.clock, talk.world.clock.mono + 86400 * (int64_t)US_PER_S);
    world_run(&talk.world, 0);
    radio_pull(&talk.world, &talk.radio);
    talk.device.battery = 64;
    talk_speak(&talk, 1, false);
    ck_assert(talk_listen(&talk));
    ck_assert(talk_heard(&talk, LW_CID_DEV_STATUS));
    talk_speak(&talk, 1, false);
    (void)talk_listen(&talk);
    ck_assert_uint_eq(talk_events(&talk, EVENT_STATUS, &status), 2);
    ck_assert_uint_eq(status.battery, 64);
    talk_end(&talk);
}
END_TEST

/* Of the kit itself: what a seed gives, it gives again, and another seed something else. */
static struct session drawn(int seed)
{
    struct session session;

    begin(seed, 0);
    session = *talk_session(&talk);
    talk_end(&talk);
    return session;
}

START_TEST(a_seed_replays)
{
    struct session once = drawn(LW_1_1_0), again = drawn(LW_1_1_0),
                   other = drawn(LW_1_1_0 + TALK_VERSIONS);

    ck_assert_uint_eq(once.number, again.number);
    ck_assert_mem_eq(&once.keys, &again.keys, sizeof(once.keys));
    ck_assert_uint_eq(once.dev_addr.v, again.dev_addr.v);
    ck_assert_uint_ne(once.number, other.number);
    ck_assert_uint_ne(once.dev_addr.v, other.dev_addr.v);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_mac");
    TCase *tc = tcase_create("flow_mac");
    const TTest *const tests[] = {a_power_that_is_refused_does_not_cost_the_rate,
                                  a_rate_that_is_refused_is_not_asked_again,
                                  a_mask_that_is_refused_is_asked_ever_more_rarely,
                                  a_device_that_refuses_everything_is_left_alone,
                                  a_device_without_power_0_gets_its_rate,
                                  early_1_1_devices_answer_each_request,
                                  answers_beyond_fopts_go_on_port_0_and_the_item_waits,
                                  answers_and_an_item_share_a_frame,
                                  requests_wait_behind_answers,
                                  a_sticky_answer_gets_the_downlink_it_waits_for,
                                  answers_that_no_window_carries_leave_the_ack,
                                  a_question_asked_twice_gets_one_answer,
                                  an_unknown_command_ends_the_reading,
                                  the_time_is_that_of_the_gateways_gps,
                                  the_status_is_asked_for_once_a_day,
                                  NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, TALK_VERSIONS);
    tcase_add_test(tc, unknown_commands_do_not_change_the_form_of_fopts);
    tcase_add_test(tc, fopts_before_the_erratum);
    tcase_add_test(tc, fopts_before_the_erratum_by_a_reset);
    tcase_add_test(tc, a_seed_replays);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
