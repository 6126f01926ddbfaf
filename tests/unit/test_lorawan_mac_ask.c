/* Requests from a wanted state, and the octets they may have. */
#include "lorawan/mac_ask.h"
#include "tests/suite.h"

#include <stddef.h>
#include <string.h>

static struct bytes hex(const char *text, uint8_t *room)
{
    return (struct bytes){room, hex_read_any(room, 64, text, strlen(text))};
}

/* ---- the budget ------------------------------------------------------------------------------ */

START_TEST(room_for_requests_and_answers)
{
    struct lw_mac_budget b = lw_mac_budget_of(LW_1_0_3, LW_MAC_IN_FOPTS, 51, 40, 51);

    ck_assert(b.down == 11 && b.up == 15 && !b.more);
    b = lw_mac_budget_of(LW_1_0_3, LW_MAC_IN_FOPTS, 222, 40, 11);
    ck_assert(b.down == 15 && b.up == 11);
    b = lw_mac_budget_of(LW_1_0_3, LW_MAC_IN_FOPTS, 11, 12, 11);
    ck_assert_uint_eq(b.down, 0);
    b = lw_mac_budget_of(LW_1_0_3, LW_MAC_ON_PORT_0, 51, 0, 222);
    ck_assert(b.down == 51 && b.up == 15);
}
END_TEST

START_TEST(what_answers_take)
{
    static const struct {
        const char *requests;
        size_t len_1_0, len_1_1;
    } known[] = {
        {"", 0, 0},
        {"06", 3, 3},                       /* DevStatus */
        {"0350ff0001", 2, 2},               /* LinkADR */
        {"0350ff00010350ff0001", 4, 2},     /* a block of two */
        {"0350ff0001060350ff0001", 7, 7},   /* two blocks */
        {"0d0102030405020506", 0, 0},       /* answers */
        {"0e1c25", 0, 0},                   /* ForceRejoinReq has none */
        {"05030102040801", 3, 3},           /* RXParamSetup, RXTimingSetup */
        {"0703184f84500703184f8450", 4, 4}, /* each NewChannelReq */
        {"4413", 6, 6},                     /* CtrlUplinkListReq */
    };
    uint8_t room[64];

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct bytes requests = hex(known[i].requests, room);

        ck_assert_uint_eq(lw_mac_answers_len(requests, LW_1_0_4), known[i].len_1_0);
        ck_assert_uint_eq(lw_mac_answers_len(requests, LW_1_1_0), known[i].len_1_1);
    }
}
END_TEST

START_TEST(a_block_is_taken_whole)
{
    struct lw_mac_budget b = {.version = LW_1_0_3, .down = 10, .up = 5};
    uint8_t room[64];

    ck_assert(lw_mac_budget_take(&b, hex("0350ff0001", room)));
    ck_assert(b.down == 5 && b.up == 3 && !b.more);
    ck_assert(!lw_mac_budget_take(&b, hex("0703184f8450", room))); /* six octets */
    ck_assert(b.down == 5 && b.up == 3 && b.more);
    ck_assert(lw_mac_budget_take(&b, hex("06", room)));
    ck_assert(b.down == 4 && b.up == 0);
    ck_assert(!lw_mac_budget_take(&b, hex("0801", room))); /* no room for its answer */
    ck_assert(lw_mac_budget_take(&b, hex("0e1c25", room)));
    ck_assert_uint_eq(b.down, 1);
}
END_TEST

START_TEST(answers_agree_or_not)
{
    static const struct {
        const char *answer;
        bool agrees;
    } known[] = {{"0307", true},  {"0306", false},        {"0703", true},         {"0701", false},
                 {"08", true},    {"06ff00", true},       {"0f00", true},         {"403f", true},
                 {"401f", false}, {"440105000000", true}, {"440005000000", false}};
    uint8_t room[64];

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct lw_cmd_iter iter = lw_mac_iter_of(hex(known[i].answer, room), LW_UP);
        struct lw_cmd cmd;

        ck_assert(lw_cmd_next(&iter, &cmd));
        ck_assert_msg(lw_mac_agrees(&cmd) == known[i].agrees, "%s", known[i].answer);
    }
}
END_TEST

/* ---- requests -------------------------------------------------------------------------------- */

static uint32_t seed = 3;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

static uint32_t any_hz(void)
{
    return draw(4) ? 863000000 + 100 * draw(70000) : 0;
}

static struct lw_mac_state any_state(void)
{
    struct lw_mac_state s = {
        .duty_cycle = (uint8_t)draw(16),
        .tx = {draw(2), draw(2), (uint8_t)draw(16)},
        .rx = {(uint8_t)draw(8), (uint8_t)draw(16), any_hz()},
        .rx1_delay_s = (uint8_t)(1 + draw(15)),
        .adr = {(uint8_t)draw(16), (uint8_t)draw(16)},
        .rejoin = {(uint8_t)draw(16), (uint8_t)draw(16)},
        .ping = {any_hz(), (uint8_t)draw(16)},
        .beacon_hz = any_hz(),
    };

    for (size_t i = 0; i < LW_MAC_CHANNELS; i++) {
        s.channels[i] = (struct lw_mac_channel){any_hz(), (uint8_t)draw(8), (uint8_t)draw(8), 0};
        if (s.channels[i].frequency_hz)
            s.channels[i].rx1_hz = any_hz();
    }
    return s;
}

/* One downlink: what is asked fits, and the device agrees to all of it. Octets that were sent. */
static size_t one_downlink(struct lw_mac_state *now, const struct lw_mac_state *wanted,
                           struct lw_mac_asked *asked, struct lw_mac_budget *budget)
{
    struct lw_mac_budget before = *budget;
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_cmd_iter iter;
    struct lw_cmd cmd;
    uint32_t seen = 0;

    lw_mac_ask(now, wanted, asked, budget, &wr);
    ck_assert(!wr.failed && wr_len(&wr) == (size_t)before.down - budget->down);
    ck_assert_uint_eq(lw_mac_answers_len(wr_bytes(&wr), (enum lw_version)budget->version),
                      (size_t)before.up - budget->up);
    iter = lw_mac_iter_of(wr_bytes(&wr), LW_DOWN);
    while (lw_cmd_next(&iter, &cmd)) {
        ck_assert_uint_le(cmd.def->since, budget->version);
        seen |= UINT32_C(1) << cmd.cid;
        lw_mac_apply(now, &cmd);
    }
    ck_assert_int_eq(iter.stop, LW_CMD_END);
    ck_assert_uint_eq(seen, asked->done);
    return wr_len(&wr);
}

/* Whatever the states, a number of small downlinks leads from one to the other, and then there is
 * nothing more to ask. */
START_TEST(the_wanted_state_is_reached)
{
    for (int round = 0; round < 200; round++) {
        struct lw_mac_state now = any_state(), wanted = any_state();
        struct lw_mac_asked asked = {.class_b = true, .tx_params = true, .new_channels = true};
        unsigned n_up = 11 + draw(10), downlinks = 0;
        struct lw_mac_budget budget;
        size_t sent;

        do {
            budget = lw_mac_budget_of(LW_1_1_0, LW_MAC_IN_FOPTS, 11 + draw(20), 0, n_up);
            sent = one_downlink(&now, &wanted, &asked, &budget);
            ck_assert(sent > 0 || !budget.more);
            ck_assert_int_lt(++downlinks, 60);
        } while (sent);
        ck_assert(now.duty_cycle == wanted.duty_cycle && now.rx1_delay_s == wanted.rx1_delay_s);
        ck_assert_uint_eq(now.rx.frequency_hz, wanted.rx.frequency_hz);
        ck_assert_uint_eq(now.beacon_hz, wanted.beacon_hz);
        ck_assert_uint_eq(now.ping.frequency_hz, wanted.ping.frequency_hz);
        ck_assert(now.adr.limit_exp == wanted.adr.limit_exp &&
                  now.rejoin.max_count_n == wanted.rejoin.max_count_n &&
                  now.tx.max_eirp_index == wanted.tx.max_eirp_index);
        for (size_t i = 0; i < LW_MAC_CHANNELS; i++)
            ck_assert_uint_eq(now.channels[i].frequency_hz, wanted.channels[i].frequency_hz);
    }
}
END_TEST

/* Each thing that can be set is asked for if it alone differs, and then is as wanted. */
START_TEST(one_difference_is_enough)
{
    static const struct {
        size_t at, size;
        uint8_t cid;
    } members[] = {
#define MEMBER(member, cid)                                                                        \
    {offsetof(struct lw_mac_state, member), sizeof(((struct lw_mac_state *)0)->member), cid}
        MEMBER(duty_cycle, LW_CID_DUTY_CYCLE),
        MEMBER(tx.downlink_dwell, LW_CID_TX_PARAM_SETUP),
        MEMBER(tx.uplink_dwell, LW_CID_TX_PARAM_SETUP),
        MEMBER(tx.max_eirp_index, LW_CID_TX_PARAM_SETUP),
        MEMBER(rx.rx1_dr_offset, LW_CID_RX_PARAM_SETUP),
        MEMBER(rx.rx2_dr, LW_CID_RX_PARAM_SETUP),
        MEMBER(rx.frequency_hz, LW_CID_RX_PARAM_SETUP),
        MEMBER(rx1_delay_s, LW_CID_RX_TIMING_SETUP),
        MEMBER(adr.limit_exp, LW_CID_ADR_PARAM_SETUP),
        MEMBER(adr.delay_exp, LW_CID_ADR_PARAM_SETUP),
        MEMBER(rejoin.max_time_n, LW_CID_REJOIN_PARAM),
        MEMBER(rejoin.max_count_n, LW_CID_REJOIN_PARAM),
        MEMBER(ping.frequency_hz, LW_CID_PING_SLOT_CHANNEL),
        MEMBER(ping.dr, LW_CID_PING_SLOT_CHANNEL),
        MEMBER(beacon_hz, LW_CID_BEACON_FREQ),
        MEMBER(channels[15].frequency_hz, LW_CID_NEW_CHANNEL),
        MEMBER(channels[0].min_dr, LW_CID_NEW_CHANNEL),
        MEMBER(channels[0].max_dr, LW_CID_NEW_CHANNEL),
        MEMBER(channels[0].rx1_hz, LW_CID_DL_CHANNEL),
#undef MEMBER
    };
    const struct lw_mac_state calm = {.rx1_delay_s = 5, .channels = {{868100000, 0, 5, 868100000}}};
    const uint32_t hz = 868300000;

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct lw_mac_asked asked = {.class_b = true, .tx_params = true, .new_channels = true};
        struct lw_mac_budget budget = {.version = LW_1_1_0, .down = 200, .up = 200};
        struct lw_mac_state now = calm, wanted = calm;
        uint8_t *member = (uint8_t *)&wanted + members[i].at;

        if (members[i].size == sizeof(hz))
            memcpy(member, &hz, sizeof(hz));
        else
            *member = 1;
        (void)one_downlink(&now, &wanted, &asked, &budget);
        ck_assert_msg(asked.done == UINT32_C(1) << members[i].cid, "member %zu", i);
        ck_assert_msg(!memcmp((uint8_t *)&now + members[i].at, member, members[i].size),
                      "member %zu", i);
    }
}
END_TEST

START_TEST(what_a_region_has_not_is_not_asked)
{
    struct lw_mac_state now = {.rx1_delay_s = 1}, wanted = now;
    struct lw_mac_asked asked = {0};
    struct lw_mac_budget budget = {.version = LW_1_1_0, .down = 200, .up = 200};

    wanted.tx.max_eirp_index = 5;
    wanted.channels[3].frequency_hz = 867100000;
    wanted.ping.dr = 3;
    wanted.beacon_hz = 869525000;
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 0);
}
END_TEST

START_TEST(a_device_is_asked_what_it_knows)
{
    struct lw_mac_state now = {.rx1_delay_s = 1}, wanted = any_state();
    struct lw_mac_asked asked = {0};
    struct lw_mac_budget budget = {.version = LW_1_0_0, .down = 200, .up = 200};

    wanted.duty_cycle = 3;
    wanted.rx = (struct lw_rx_param_setup_req){1, 2, 869525000};
    wanted.rx1_delay_s = 5;
    (void)one_downlink(&now, &wanted, &asked, &budget);
    ck_assert_uint_eq(asked.done, 1u << LW_CID_DUTY_CYCLE | 1u << LW_CID_RX_PARAM_SETUP |
                                      1u << LW_CID_RX_TIMING_SETUP);
    ck_assert(!budget.more);
}
END_TEST

START_TEST(not_again_what_a_sticky_answer_may_be_to)
{
    struct lw_mac_state now = {.rx1_delay_s = 1}, wanted = {.rx1_delay_s = 5, .duty_cycle = 1};
    struct lw_mac_asked asked = {.not_now = 1u << LW_CID_RX_TIMING_SETUP};
    struct lw_mac_budget budget = lw_mac_budget_of(LW_1_0_3, LW_MAC_IN_FOPTS, 51, 0, 51);

    (void)one_downlink(&now, &wanted, &asked, &budget);
    ck_assert_uint_eq(asked.done, 1u << LW_CID_DUTY_CYCLE);
    asked.not_now = 0;
    (void)one_downlink(&now, &wanted, &asked, &budget);
    ck_assert_uint_eq(asked.done, 1u << LW_CID_RX_TIMING_SETUP);
}
END_TEST

START_TEST(channels_go_three_at_a_time)
{
    struct lw_mac_state now = {.rx1_delay_s = 1}, wanted = {.rx1_delay_s = 1};
    struct lw_mac_asked asked = {.new_channels = true};
    struct lw_mac_budget budget = {.version = LW_1_0_3, .down = 222, .up = 200};

    for (size_t i = 0; i < 5; i++)
        wanted.channels[i] = (struct lw_mac_channel){867100000 + 200000 * (uint32_t)i, 0, 5, 0};
    wanted.channels[1].rx1_hz = 869525000;
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 18);
    ck_assert(budget.more);
    budget.more = false;
    /* the two that are left, and RX1 of one that the device has by now */
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 17);
    ck_assert_uint_eq(now.channels[1].rx1_hz, 869525000);
    ck_assert(!budget.more);
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 0);
    wanted.channels[1].rx1_hz = 0; /* back to the uplink's */
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 5);
    ck_assert_uint_eq(now.channels[1].rx1_hz, 867300000);
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 0);
    wanted.channels[4].frequency_hz = 0; /* rates of a channel that is off do not matter */
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 6);
    wanted.channels[4].max_dr = 2;
    wanted.channels[3].min_dr = 1;
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 6);
    wanted.channels[3].max_dr = 4;
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 6);
}
END_TEST

START_TEST(what_cannot_be_asked)
{
    struct lw_mac_state now = {.rx1_delay_s = 1}, wanted = {.rx1_delay_s = 1}, before;
    struct lw_mac_asked asked = {0};
    struct lw_mac_budget budget = lw_mac_budget_of(LW_1_0_3, LW_MAC_IN_FOPTS, 51, 0, 51);
    uint8_t room[64];
    struct lw_cmd_iter iter;
    struct lw_cmd cmd;

    wanted.rx.frequency_hz = 869525050; /* no multiple of 100 Hz */
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 0);
    /* what cannot be said does not keep others back */
    for (size_t i = 0; i < 4; i++)
        wanted.channels[i].frequency_hz = i < 3 ? 867100050 : 867100000;
    asked.new_channels = true;
    ck_assert_uint_eq(one_downlink(&now, &wanted, &asked, &budget), 6);
    now.channels[3].frequency_hz = 0;
    wanted = (struct lw_mac_state){.rx1_delay_s = 1};
    /* what sets nothing here, indices beyond the list, and cut payloads change nothing */
    before = now;
    iter = lw_mac_iter_of(hex("060710184f84500a10107a84", room), LW_DOWN);
    while (lw_cmd_next(&iter, &cmd))
        lw_mac_apply(&now, &cmd);
    for (uint8_t cid = 0; cid < 0x21; cid++)
        lw_mac_apply(&now, &(struct lw_cmd){.cid = cid});
    ck_assert_mem_eq(&now, &before, sizeof(now));
    iter = lw_mac_iter_of(hex("0800", room), LW_DOWN); /* 0 is one second */
    ck_assert(lw_cmd_next(&iter, &cmd));
    now.rx1_delay_s = 7;
    lw_mac_apply(&now, &cmd);
    ck_assert_uint_eq(now.rx1_delay_s, 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {room_for_requests_and_answers,
                                  what_answers_take,
                                  a_block_is_taken_whole,
                                  answers_agree_or_not,
                                  the_wanted_state_is_reached,
                                  one_difference_is_enough,
                                  what_a_region_has_not_is_not_asked,
                                  a_device_is_asked_what_it_knows,
                                  not_again_what_a_sticky_answer_may_be_to,
                                  channels_go_three_at_a_time,
                                  what_cannot_be_asked,
                                  NULL};

    return run_suite(suite_of("lorawan_mac_ask", tests));
}
