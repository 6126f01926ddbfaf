/*
 * Each region once: join, up, down, ADR. What is expected stands here as numbers, from the facts in
 * tests/vectors/regions/; neither region/ nor sim/ is asked.
 */
#include "tests/flow/talk.h"
#include "tests/suite.h"

#include <string.h>

struct block {
    uint8_t cntl;
    uint16_t mask;
};

/* A channel on which a device of CN470 asks to join, and its windows. */
struct join_hz {
    uint32_t up, rx1, rx2;
};

static const struct plan {
    const char *name;
    uint8_t sub_band; /* that the network hears; 0: no fixed plan */
    uint8_t dr, adr_dr;
    const char *join_rate, *rx1_rate, *rx2_rate; /* of the downlinks; RX1 for `dr` */
    uint32_t rx2_hz;
    int8_t power_dbm, strong_dbm; /* the latter from strong_hz[0] to below strong_hz[1] */
    uint32_t strong_hz[2];
    uint32_t up_hz[2], down_hz; /* fixed plans: first uplink channel of 125, 500 kHz; downlink */
    uint32_t down_step_hz;
    uint8_t modulus;         /* 0: RX1 on the uplink's frequency */
    uint32_t channels_hz[8]; /* dynamic plans: what the device has in the end */
    uint8_t old_n;           /* fixed plans: to a device without CFList */
    struct block old_block[6];
    struct join_hz joins[8];
} plans[] = {
    /* clang-format off */
    {.name = "EU868", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF12BW125", .rx2_hz = 869525000, .power_dbm = 16, .strong_dbm = 29, .strong_hz = {869400000, 869650000},
     .channels_hz = {868100000, 868300000, 868500000, 867100000, 867300000, 867500000, 867700000, 867900000}},
    {.name = "US915", .sub_band = 2, .dr = 2, .adr_dr = 3, .join_rate = "SF10BW500", .rx1_rate = "SF8BW500",
     .rx2_rate = "SF12BW500", .rx2_hz = 923300000, .power_dbm = 21,
     .up_hz = {902300000, 903000000}, .down_hz = 923300000, .down_step_hz = 600000, .modulus = 8,
     .old_n = 2, .old_block = {{7, 0x0002}, {0, 0xff00}}},
    {.name = "AU915", .sub_band = 2, .dr = 3, .adr_dr = 5, .join_rate = "SF10BW500", .rx1_rate = "SF9BW500",
     .rx2_rate = "SF12BW500", .rx2_hz = 923300000, .power_dbm = 30,
     .up_hz = {915200000, 915900000}, .down_hz = 923300000, .down_step_hz = 600000, .modulus = 8,
     .old_n = 2, .old_block = {{7, 0x0002}, {0, 0xff00}}},
    {.name = "AS923", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF10BW125", .rx2_hz = 923200000, .power_dbm = 16,
     .channels_hz = {923200000, 923400000, 922200000, 922400000, 922600000, 922800000, 923000000}},
    {.name = "AS923-2", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF10BW125", .rx2_hz = 921400000, .power_dbm = 16, .channels_hz = {921400000, 921600000}},
    {.name = "AS923-3", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF10BW125", .rx2_hz = 916600000, .power_dbm = 16, .channels_hz = {916600000, 916800000}},
    {.name = "AS923-4", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF10BW125", .rx2_hz = 917300000, .power_dbm = 16, .channels_hz = {917300000, 917500000}},
    {.name = "CN470", .sub_band = 11, .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF12BW125", .rx2_hz = 505300000, .power_dbm = 19,
     .up_hz = {470300000}, .down_hz = 500300000, .down_step_hz = 200000, .modulus = 48,
     .old_n = 6, .old_block = {{5, 0x00ff}, {0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}}},
    {.name = "CN470-20A", .sub_band = 2, .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF11BW125", .power_dbm = 19,
     .up_hz = {470300000}, .down_hz = 483900000, .down_step_hz = 200000, .modulus = 64,
     .old_n = 2, .old_block = {{7, 0}, {0, 0xff00}},
     .joins = {{470900000, 484500000, 485300000}, {472500000, 486100000, 486900000},
               {474100000, 487700000, 488500000}, {475700000, 489300000, 490100000},
               {504100000, 490900000, 491700000}, {505700000, 492500000, 493300000},
               {507300000, 494100000, 494900000}, {508900000, 495700000, 496500000}}},
    {.name = "CN470-20B", .sub_band = 3, .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF11BW125", .power_dbm = 19, .old_n = 2, .old_block = {{7, 0}, {1, 0x00ff}},
     .joins = {{479900000, 479900000, 478300000}, {499900000, 499900000, 498300000}}},
    {.name = "CN470-26A", .sub_band = 2, .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF11BW125", .power_dbm = 19,
     .up_hz = {470300000}, .down_hz = 490100000, .down_step_hz = 200000, .modulus = 24,
     .old_n = 2, .old_block = {{4, 0}, {0, 0xff00}},
     .joins = {{470300000, 492500000, 492500000}, {472300000, 492500000, 492500000},
               {474300000, 492500000, 492500000}, {476300000, 492500000, 492500000},
               {478300000, 492500000, 492500000}}},
    {.name = "CN470-26B", .sub_band = 6, .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF11BW125", .power_dbm = 19,
     .up_hz = {480300000}, .down_hz = 500100000, .down_step_hz = 200000, .modulus = 24,
     .old_n = 2, .old_block = {{4, 0}, {2, 0xff00}},
     .joins = {{480300000, 502500000, 502500000}, {482300000, 502500000, 502500000},
               {484300000, 502500000, 502500000}, {486300000, 502500000, 502500000},
               {488300000, 502500000, 502500000}}},
    {.name = "CN779", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF12BW125", .rx2_hz = 786000000, .power_dbm = 12,
     .channels_hz = {779500000, 779700000, 779900000, 780500000, 780700000, 780900000}},
    {.name = "EU433", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF12BW125", .rx2_hz = 434665000, .power_dbm = 12,
     .channels_hz = {433175000, 433375000, 433575000, 433775000, 433975000, 434175000, 434375000, 434575000}},
    {.name = "KR920", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF12BW125", .rx2_hz = 921900000, .power_dbm = 23,
     .channels_hz = {922100000, 922300000, 922500000, 922700000, 922900000, 923100000, 923300000}},
    {.name = "IN865", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF10BW125", .rx2_hz = 866550000, .power_dbm = 30,
     .channels_hz = {865062500, 865402500, 865985000}},
    {.name = "RU864", .dr = 3, .adr_dr = 5, .join_rate = "SF7BW125", .rx1_rate = "SF9BW125",
     .rx2_rate = "SF12BW125", .rx2_hz = 869100000, .power_dbm = 16, .strong_dbm = 22, .strong_hz = {868700000, 869200000},
     .channels_hz = {868900000, 869100000, 864100000, 864300000, 864500000, 864700000, 864900000}},
    {.name = "ISM2400", .dr = 3, .adr_dr = 7, .join_rate = "SF5BW812", .rx1_rate = "SF9BW812",
     .rx2_rate = "SF12BW812", .rx2_hz = 2423000000, .power_dbm = 10,
     .channels_hz = {2403000000, 2425000000, 2479000000}},
    /* clang-format on */
};

#define PLANS    (sizeof(plans) / sizeof(plans[0]))
#define VERSIONS 2

static struct talk talk;

/* 1.0.2 knows no CFList of a fixed plan, 1.0.4 does. */
static bool is_old(int i)
{
    return i % VERSIONS == 0;
}

static const struct plan *begin(int i, uint16_t flags)
{
    const struct plan *plan = &plans[i / VERSIONS];
    struct talk_options options = {.world = {.seed = (uint64_t)i,
                                             .version = is_old(i) ? LW_1_0_2 : LW_1_0_4,
                                             .region = plan->name,
                                             .sub_band = plan->sub_band},
                                   .flags = flags,
                                   .dr = plan->dr,
                                   .sub_band = 9};

    talk_begin(&talk, &options);
    return plan;
}

/* ---- what is expected ----------------------------------------------------------------------- */

static uint32_t rx1_hz(const struct plan *plan)
{
    uint32_t up = talk.tx.frequency_hz;
    bool wide = plan->up_hz[1] && talk.tx.rate.bandwidth_hz == 500000;
    uint32_t n = (up - plan->up_hz[wide]) / (wide ? 1600000 : 200000);

    if (!plan->modulus)
        return up;
    if (plan->modulus == 64 && up >= 503500000) /* CN470-20A: channel 32 and up */
        n = 32 + (up - 503500000) / 200000;
    return plan->down_hz + plan->down_step_hz * (n % plan->modulus);
}

static struct join_hz join_hz(const struct plan *plan)
{
    for (size_t i = 0; plan->joins[0].up; i++) {
        ck_assert_msg(i < 8 && plan->joins[i].up, "no join channel: %u", talk.tx.frequency_hz);
        if (plan->joins[i].up == talk.tx.frequency_hz)
            return plan->joins[i];
    }
    return (struct join_hz){talk.tx.frequency_hz, rx1_hz(plan), plan->rx2_hz};
}

static void is_down(const struct plan *plan, uint32_t hz, const char *rate, int64_t seconds)
{
    bool strong = hz >= plan->strong_hz[0] && hz < plan->strong_hz[1];

    ck_assert_uint_eq(talk.down.frequency_hz, hz);
    ck_assert_str_eq(talk.down.rate, rate);
    ck_assert_str_eq(talk.down.coding, strstr(rate, "BW812") ? "4/8LI" : "4/5");
    ck_assert_int_eq(talk.down.power_dbm, strong ? plan->strong_dbm : plan->power_dbm);
    ck_assert_int_eq(radio_delay_us(&talk.radio, &talk.down, talk.tx.end_us), seconds * 1000000);
}

/* The network's channels, in the device and in what is known of it. */
static void has_channels(const struct plan *plan)
{
    struct chmask wanted = {0};
    unsigned count = 0, on = 0;

    while (count < 8 && plan->channels_hz[count]) {
        ck_assert_uint_eq(sim_device_channel_hz(&talk.device, count), plan->channels_hz[count]);
        count++;
    }
    if (plan->sub_band)
        chmask_set_range(&wanted, (plan->sub_band - 1) * 8u, 8, true);
    if (plan->up_hz[1])
        chmask_set(&wanted, 63u + plan->sub_band);
    chmask_set_range(&wanted, 0, count, true);
    ck_assert(chmask_equal(&talk_session(&talk)->enabled, &wanted));
    for (unsigned i = 0; i < CHMASK_CHANNELS; i++) {
        ck_assert_int_eq(sim_device_channel_on(&talk.device, i), chmask_test(&wanted, i));
        on += sim_device_channel_on(&talk.device, i);
    }
    ck_assert_uint_eq(on, chmask_count(&wanted));
}

/* ---- join ----------------------------------------------------------------------------------- */

START_TEST(a_join_is_answered_in_rx1)
{
    const struct plan *plan = begin(_i, 0);

    talk_ask(&talk);
    ck_assert_msg(talk_listen(&talk), "%s: %s", plan->name, drop_label(talk.world.last_drop));
    ck_assert(talk.verdict.flags & SIM_GOT_JOIN);
    is_down(plan, join_hz(plan).rx1, plan->join_rate, 5);
    /* 33 octets with a CFList: frequencies always, masks since 1.0.3 */
    ck_assert_uint_eq(talk.down.phy_n, plan->sub_band ? (is_old(_i) ? 17 : 33)
                                       : plan->channels_hz[3] || !strcmp(plan->name, "AS923") ? 33
                                                                                              : 17);
    talk_speak(&talk, 1, false);
    (void)talk_listen(&talk);
    if (!plan->sub_band || !is_old(_i))
        has_channels(plan);
    talk_end(&talk);
}
END_TEST

START_TEST(a_join_is_answered_in_rx2)
{
    const struct plan *plan = begin(_i, 0);
    uint32_t rx2;

    talk_ask(&talk);
    rx2 = join_hz(plan).rx2;
    ck_assert(talk_listen_rx2(&talk));
    ck_assert(talk.verdict.flags & SIM_GOT_JOIN);
    ck_assert_uint_eq(talk.verdict.window, 1);
    is_down(plan, rx2, plan->rx2_rate, 6);
    talk_speak(&talk, 1, true); /* RX2 stays there for the session */
    ck_assert(talk_listen_rx2(&talk));
    ck_assert_uint_eq(talk.verdict.window, 1);
    ck_assert(talk.verdict.flags & SIM_GOT_ACK);
    is_down(plan, rx2, plan->rx2_rate, 2);
    talk_end(&talk);
}
END_TEST

/* ---- up and down ---------------------------------------------------------------------------- */

START_TEST(an_uplink_is_answered_in_rx1)
{
    const struct plan *plan = begin(_i, 0);

    talk_join(&talk);
    for (int i = 0; i < 6; i++) {
        talk_queue(&talk, 10);
        talk_speak(&talk, 10, true);
        ck_assert(talk_listen(&talk));
        ck_assert_uint_eq(talk.tx.dr, plan->dr);
        ck_assert(talk.verdict.flags & SIM_GOT_ACK);
        ck_assert_uint_eq(talk.verdict.payload_n, 10);
        is_down(plan, rx1_hz(plan), plan->rx1_rate, 1);
    }
    ck_assert_uint_eq(talk_events(&talk, EVENT_UP, NULL), 7);
    ck_assert_uint_eq(talk_queued(&talk, NULL), 0);
    talk_end(&talk);
}
END_TEST

/* ---- ADR ------------------------------------------------------------------------------------ */

static size_t block_heard(struct lw_link_adr_req reqs[CHMASK_REQS_MAX])
{
    struct lw_cmd_iter iter =
        lw_mac_iter_of((struct bytes){talk.verdict.commands, talk.verdict.commands_n}, LW_DOWN);
    struct lw_cmd cmd;
    size_t n = 0;

    while (n < CHMASK_REQS_MAX && lw_cmd_next(&iter, &cmd)) {
        if (cmd.cid == LW_CID_LINK_ADR)
            n += lw_link_adr_req_read(cmd.payload, &reqs[n]);
    }
    return n;
}

/* The first block says what channels; to who has them already, it says them again. */
static void is_first_block(const struct plan *plan, int i, const struct lw_link_adr_req *reqs,
                           size_t n)
{
    const struct block *want = plan->old_block;

    if (!plan->sub_band || !is_old(i)) {
        ck_assert_uint_eq(n, 1);
        return;
    }
    ck_assert_uint_eq(n, plan->old_n);
    for (size_t k = 0; k < n; k++) {
        ck_assert_uint_eq(reqs[k].ch_mask_cntl, want[k].cntl);
        ck_assert_uint_eq(reqs[k].ch_mask, want[k].mask);
    }
}

static void answers_seven(const struct sim_device *device, size_t n)
{
    ck_assert_uint_eq(device->once_n, 2 * n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(device->once[2 * i], LW_CID_LINK_ADR);
        ck_assert_uint_eq(device->once[2 * i + 1], 7);
    }
}

START_TEST(adr_brings_the_fastest_rate)
{
    const struct plan *plan = begin(_i, SIM_ADR);
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    unsigned blocks = 0;

    talk.snr = 20;
    talk_ask(&talk);
    ck_assert(talk_listen(&talk));
    for (int i = 0; i < 8; i++) {
        size_t n;

        talk_speak(&talk, 1, false);
        n = talk_listen(&talk) ? block_heard(reqs) : 0;
        if (!n)
            continue;
        if (blocks++ == 0)
            is_first_block(plan, _i, reqs, n);
        answers_seven(&talk.device, n);
    }
    ck_assert_uint_gt(blocks, 0);
    ck_assert_uint_eq(talk.device.dr, plan->adr_dr);
    ck_assert_uint_gt(talk.device.tx_power, 0);
    ck_assert_uint_eq(talk_session(&talk)->dr, talk.device.dr);
    ck_assert_uint_eq(talk_session(&talk)->tx_power, talk.device.tx_power);
    has_channels(plan);
    talk_end(&talk);
}
END_TEST

_Static_assert(PLANS == REGION_COUNT, "a region without its scenario");

int main(void)
{
    Suite *suite = suite_create("flow_plans");
    TCase *tc = tcase_create("flow_plans");
    const TTest *const tests[] = {a_join_is_answered_in_rx1, a_join_is_answered_in_rx2,
                                  an_uplink_is_answered_in_rx1, adr_brings_the_fastest_rate, NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, (int)PLANS * VERSIONS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
