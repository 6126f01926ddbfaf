/* The rules of region/ on the real tables and on a region that is made up here by a table alone. */
#include "region/region.h"
#include "tests/suite.h"

#include <string.h>

/* clang-format off */
static const struct region_payloads moon_payloads = {{
    [0][0][LW_UP] = {20, 40}, [0][0][LW_DOWN] = {10, 30},
    [0][1][LW_UP] = {0, 11},  [0][1][LW_DOWN] = {0, 7},
}};

/* Twelve narrow and two wide uplink channels, three downlink channels. */
static const struct region moon = {
    .id = REGION_NONE,
    .plan = REGION_FIXED,
    .min_hz = 500000000,
    .max_hz = 510000000,
    .rates[LW_UP] = {
        [0] = {.kind = MOD_LORA, .sf = 9, .bandwidth_hz = 125000},
        [1] = {.kind = MOD_LORA, .sf = 8, .bandwidth_hz = 500000},
    },
    .rates[LW_DOWN] = {
        [0] = {.kind = MOD_LORA, .sf = 10, .bandwidth_hz = 500000},
        [1] = {.kind = MOD_LORA, .sf = 7, .bandwidth_hz = 500000},
    },
    .uplinks = {
        {.first = 0, .count = 16, .base_hz = 500000000, .step_hz = 100000, .max_dr = 0},
        {.first = 16, .count = 2, .base_hz = 505000000, .step_hz = 500000, .min_dr = 1, .max_dr = 1},
    },
    .downlinks = {{.first = 0, .count = 3, .base_hz = 509000000, .step_hz = 200000}},
    .max_channels = 18,
    .rx1_modulus = 3,
    .max_dr_offset = 1,
    .offsets = {[0] = {{[0] = {0, 0}, [1] = {1, 0}}}, [1] = {{[0] = {1, 1}, [1] = {1, 1}}}},
    .tx_param_setup = true,
    .down_eirp_dbm = 10,
    .dwell_ms = 400,
    .max_eirp_cdbm = 1215,
    .max_tx_power = 3,
    .bands = {{"crater", 509000000, 509300000, 20, 14}},
    .payloads = {[RP002_1_0_4] = &moon_payloads},
};
/* clang-format on */

START_TEST(a_table_makes_a_region)
{
    struct region_channels channels;
    struct data_rate rate = {.kind = MOD_LORA, .sf = 8, .coding_rate = 3, .bandwidth_hz = 500000};
    struct region_rx1 rx1 = {.uplink_dr = 1, .revision = RP002_1_0_4};
    struct region_size size = {.revision = RP002_1_0_4, .direction = LW_DOWN, .dr = 1};
    struct chmask band;
    uint8_t dr = 99, channel = 99;

    region_channels_init(&moon, &channels);
    ck_assert_uint_eq(chmask_count(&channels.defined), 18);
    ck_assert(region_uplink_find(&moon, &channels, 505500000, &rate, &dr, &channel));
    ck_assert(dr == 1 && channel == 17);
    ck_assert(!region_uplink_find(&moon, &channels, 500100000, &rate, &dr, &channel));
    ck_assert_uint_eq(region_rx1_hz(&moon, &channels, 17), 509400000);
    ck_assert_int_eq(region_rx1_dr(&moon, &rx1), 1);
    rx1.offset = 1;
    ck_assert_int_eq(region_rx1_dr(&moon, &rx1), 0);
    rx1.downlink_dwell = true;
    ck_assert_int_eq(region_rx1_dr(&moon, &rx1), 1);
    rx1.offset = 2;
    ck_assert_int_eq(region_rx1_dr(&moon, &rx1), -1);
    ck_assert_uint_eq(region_max_payload(&moon, &size), 30);
    size.dwell = true;
    ck_assert_uint_eq(region_max_payload(&moon, &size), 7);
    size.revision = RP002_1_0_5; /* the table has one revision: the nearest counts */
    ck_assert_uint_eq(region_max_payload(&moon, &size), 7);
    size.revision = RP001_1_0_2B;
    ck_assert_uint_eq(region_max_payload(&moon, &size), 7);
    size.dr = REGION_DRS;
    ck_assert_uint_eq(region_max_payload(&moon, &size), 0);
    size = (struct region_size){.revision = REGION_REVISION_COUNT, .dr = 1};
    ck_assert_uint_eq(region_max_payload(&moon, &size), 0);
    ck_assert_int_eq(region_down_eirp(&moon, 509100000), 14);
    ck_assert_int_eq(region_down_eirp(&moon, 509300000), 10);
    band = region_sub_band(&moon, 2);
    ck_assert_uint_eq(chmask_count(&band), 9);
    ck_assert(chmask_test(&band, 8) && chmask_test(&band, 17));
    band = region_sub_band(&moon, 3);
    ck_assert(chmask_is_empty(&band));
}
END_TEST

START_TEST(a_table_that_is_full)
{
    struct region full = moon;
    struct region_channels channels;

    region_channels_init(&full, &channels);
    full.rx1_modulus = 5; /* of three downlink channels */
    ck_assert_uint_eq(region_rx1_hz(&full, &channels, 2), 509400000);
    ck_assert_uint_eq(region_rx1_hz(&full, &channels, 3), 0);
    full.downlinks[1] = (struct region_block){.first = 4, .count = 1, .base_hz = 501000000};
    ck_assert_uint_eq(region_rx1_hz(&full, &channels, 3), 0);
    ck_assert_uint_eq(region_rx1_hz(&full, &channels, 4), 501000000);
    for (uint32_t i = 0; i < REGION_BANDS_MAX; i++)
        full.bands[i] = (struct region_band){"x", 500000000 + i, 500000001 + i, 10, 14};
    ck_assert_ptr_eq(region_band(&full, 500000007), &full.bands[7]);
    ck_assert_ptr_null(region_band(&full, 500000008));
}
END_TEST

START_TEST(what_a_table_leaves_out)
{
    static const struct region_payloads later = {{[0][0][LW_DOWN] = {12}}};
    struct region gaps = moon;
    struct region_size size = {.direction = LW_DOWN, .revision = RP001_1_1B};

    /* The revision before counts, not the first one. */
    gaps.payloads[RP001_1_0_3A] = &later;
    gaps.payloads[RP002_1_0_2] = &moon_payloads;
    gaps.payloads[RP002_1_0_4] = NULL;
    ck_assert_uint_eq(region_max_payload(&gaps, &size), 12);
    size.revision = RP002_1_0_3;
    ck_assert_uint_eq(region_max_payload(&gaps, &size), 10);
    size.revision = RP002_1_0_5;
    ck_assert_uint_eq(region_max_payload(&gaps, &size), 10);
    size.revision = RP001_1_0_2B;
    ck_assert_uint_eq(region_max_payload(&gaps, &size), 12);
    gaps.bands[0].max_eirp_dbm = 9; /* a lower limit is the gateway's matter */
    ck_assert_int_eq(region_down_eirp(&gaps, 509100000), 10);
}
END_TEST

START_TEST(names)
{
    enum region_id id = REGION_NONE;
    enum region_revision revision;

    ck_assert_int_eq(region_find("EU868", &id), OK);
    ck_assert_int_eq(id, REGION_EU868);
    ck_assert_int_eq(region_find("AS923-1", &id), OK);
    ck_assert_str_eq(region_name(id), "AS923");
    ck_assert_int_eq(region_find("eu868", &id), ERR_NOT_FOUND);
    ck_assert_int_eq(region_find("", &id), ERR_NOT_FOUND);
    ck_assert_str_eq(region_name(REGION_NONE), "");
    ck_assert_ptr_null(region_get(REGION_NONE));
    for (unsigned i = 0; i < REGION_COUNT; i++) {
        ck_assert(region_get(i) && region_get(i)->id == i);
        ck_assert(region_find(region_name(i), &id) == OK && id == i);
    }
    ck_assert_str_eq(region_revision_text(REGION_REVISION_COUNT), "");
    ck_assert(region_revision_find("RP002-1.0.3", &revision) && revision == RP002_1_0_3);
    ck_assert(!region_revision_find("RP002", &revision));
    ck_assert_int_eq(region_revision_default(LW_1_0_2), RP001_1_0_2B);
    ck_assert_int_eq(region_revision_default(LW_1_0_3), RP001_1_0_3A);
    ck_assert_int_eq(region_revision_default(LW_1_0_4), RP002_1_0_4);
    ck_assert_int_eq(region_revision_default(LW_1_1_0), RP001_1_1B);
}
END_TEST

/* A data rate that can be sent has a size in the newest revision, and an answer; and no other. */
static void sizes_hold_together(const struct region *r)
{
    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        struct region_size size = {RP002_1_0_5, LW_UP, (uint8_t)dr, false, false};
        struct region_rx1 rx1 = {(uint8_t)dr, 0, false, RP002_1_0_5};
        const struct data_rate *rate = region_rate(r, LW_UP, dr);
        bool silent = r->rx2_dr == 1 && !dr; /* CN470 of RP002: DR0 is too slow */

        ck_assert_int_eq(!!region_max_payload(r, &size), rate && !silent);
        if (!rate)
            continue;
        ck_assert_int_eq(region_dr(r, LW_UP, rate), (int)dr);
        ck_assert_int_ge(region_rx1_dr(r, &rx1), 0);
        ck_assert_int_lt(region_dr_backoff(r, dr), REGION_DRS);
    }
}

START_TEST(tables_hold_together)
{
    const struct region *r = region_get((enum region_id)_i);
    struct region_channels channels;

    region_channels_init(r, &channels);
    region_channels_add_extras(r, &channels);
    ck_assert_uint_le(chmask_count(&channels.defined), r->max_channels);
    for (int c = -1; (c = chmask_next(&channels.defined, c + 1)) >= 0;) {
        ck_assert(region_frequency_valid(r, channels.at[c].frequency_hz));
        ck_assert(region_frequency_valid(r, region_rx1_hz(r, &channels, (unsigned)c)));
        ck_assert(region_rate(r, LW_UP, channels.at[c].min_dr));
        ck_assert(region_rate(r, LW_UP, channels.at[c].max_dr));
    }
    for (unsigned i = 0; i < REGION_DEFAULTS_MAX && r->defaults[i].frequency_hz && r->bands[0].name;
         i++)
        ck_assert_ptr_nonnull(region_band(r, r->defaults[i].frequency_hz));
    ck_assert(region_frequency_valid(r, r->rx2_hz) && region_rate(r, LW_DOWN, r->rx2_dr));
    ck_assert(region_rate(r, LW_DOWN, r->beacon_dr) && region_rate(r, LW_DOWN, r->ping_dr));
    ck_assert(region_rate(r, LW_UP, r->adr_max_dr) && r->join_drs);
    ck_assert(!(r->join_drs & ~region_enabled_drs(&channels, &channels.defined)));
    sizes_hold_together(r);
}
END_TEST

START_TEST(limits)
{
    const struct region *eu = region_get(REGION_EU868), *as = region_get(REGION_AS923_1);
    const struct region *cn = region_get(REGION_CN470_20A);
    struct region_rx1 rx1 = {.uplink_dr = 7, .revision = RP001_1_0_2B};

    ck_assert_int_eq(region_down_eirp(eu, 869525000), 29);
    ck_assert_int_eq(region_down_eirp(eu, 868100000), 16);
    ck_assert_uint_eq(region_band(eu, 869525000)->duty_permille, 100);
    ck_assert_str_eq(region_band(eu, 868000000)->name, "M");
    ck_assert_ptr_null(region_band(eu, 868650000));
    ck_assert_ptr_null(region_band(region_get(REGION_US915), 923300000));
    ck_assert_uint_eq(region_max_tx_power(region_get(REGION_US915), RP001_1_0_2B), 10);
    ck_assert_uint_eq(region_max_tx_power(region_get(REGION_US915), RP001_1_0_3A), 14);
    ck_assert_uint_eq(region_max_tx_power(region_get(REGION_US915), RP002_1_0_4), 14);
    ck_assert_uint_eq(region_max_tx_power(region_get(REGION_IN865), RP002_1_0_4), 10);
    ck_assert_uint_eq(region_max_tx_power(region_get(REGION_IN865), RP002_1_0_5), 14);
    ck_assert_int_eq(region_max_eirp_cdbm(region_get(REGION_IN865), RP002_1_0_5), 2920);
    ck_assert_int_eq(region_max_eirp_cdbm(eu, RP002_1_0_5), 1600);
    ck_assert_int_eq(region_rx1_dr(as, &rx1), 5); /* RP001 clamps at DR5 */
    rx1.revision = RP002_1_0_4;
    ck_assert_int_eq(region_rx1_dr(as, &rx1), 7);
    ck_assert(!region_dr_valid(eu, RP001_1_0_3A, LW_UP, 8));
    ck_assert(region_dr_valid(eu, RP002_1_0_2, LW_UP, 8));
    ck_assert(!region_dr_valid(eu, RP002_1_0_2, LW_DOWN, 8));
    ck_assert(region_down_dr_usable(eu, RP002_1_0_5, 12));
    ck_assert(!region_down_dr_usable(eu, RP002_1_0_4, 12));
    ck_assert(!region_down_dr_usable(eu, RP002_1_0_5, 8));
    ck_assert(!region_down_dr_usable(eu, RP002_1_0_5, 256));
    ck_assert(region_down_dr_usable(cn, RP002_1_0_0, 0)); /* later too long on air for any frame */
    ck_assert(!region_down_dr_usable(cn, RP002_1_0_1, 0));
    ck_assert(region_down_dr_usable(cn, RP002_1_0_1, 1));
    ck_assert_ptr_null(region_rate(eu, LW_UP, 16));
    ck_assert_int_eq(region_dr_backoff(eu, 10), 0); /* LR-FHSS: back to LoRa */
    ck_assert_int_eq(region_dr_backoff(eu, 0), -1);
    ck_assert_int_eq(region_dr_backoff(eu, 14), -1);
    ck_assert_ptr_null(region_relay_channel(eu, REGION_RELAYS));
    ck_assert_ptr_null(region_relay_channel(region_get(REGION_CN779), 0));
}
END_TEST

/* A rate as a gateway heard it: another code rate of LoRa is the same data rate, one of LR-FHSS is
 * not; what a region does not have is none. */
START_TEST(data_rates_are_found)
{
    const struct region *eu = region_get(REGION_EU868);
    struct data_rate lora = {.kind = MOD_LORA, .sf = 7, .coding_rate = 4, .bandwidth_hz = 250000};
    struct data_rate fsk = {.kind = MOD_FSK, .bit_rate = 50000};
    struct data_rate fhss = {.kind = MOD_LR_FHSS, .coding_rate = 2, .bandwidth_hz = 336000};

    ck_assert_int_eq(region_dr(eu, LW_UP, &lora), 6);
    lora.bandwidth_hz = 125000;
    ck_assert_int_eq(region_dr(eu, LW_UP, &lora), 5);
    lora.sf = 4;
    ck_assert_int_eq(region_dr(eu, LW_UP, &lora), -1);
    ck_assert_int_eq(region_dr(eu, LW_UP, &fsk), 7);
    fsk.bit_rate = 25000;
    ck_assert_int_eq(region_dr(eu, LW_UP, &fsk), -1);
    ck_assert_int_eq(region_dr(eu, LW_UP, &fhss), 11);
    ck_assert_int_eq(region_dr(eu, LW_DOWN, &fhss), -1);
    ck_assert_int_eq(
        region_dr(region_get(REGION_ISM2400), LW_UP,
                  &(struct data_rate){
                      .kind = MOD_LORA, .sf = 5, .coding_rate = 4, .bandwidth_hz = 812500}),
        7);
}
END_TEST

START_TEST(offsets_that_are_no_answer)
{
    struct region_rx1 rx1 = {.uplink_dr = 14, .revision = RP002_1_0_4};
    struct region odd = moon;

    ck_assert_int_eq(region_rx1_dr(region_get(REGION_EU868), &rx1), -1); /* no such uplink */
    rx1.uplink_dr = 0;
    odd.offsets[0].dr[0][0] = 9; /* a table whose answer does not exist */
    ck_assert_int_eq(region_rx1_dr(&odd, &rx1), -1);
    odd.tx_param_setup = false; /* then dwell time is in the one table */
    rx1 = (struct region_rx1){.uplink_dr = 1, .offset = 1, .downlink_dwell = true};
    ck_assert_int_eq(region_rx1_dr(&odd, &rx1), 0);
    odd.tx_param_setup = true;
    odd.dwell_ms = 0;
    ck_assert_int_eq(region_rx1_dr(&odd, &rx1), 0);
}
END_TEST

START_TEST(joins_of_cn470)
{
    const struct region *a20 = region_get(REGION_CN470_20A), *b26 = region_get(REGION_CN470_26B);
    struct region_channels channels;

    ck_assert_ptr_null(region_common_join(REGION_COMMON_JOINS));
    for (unsigned i = 0; i < REGION_COMMON_JOINS; i++) {
        const struct region_join *join = region_common_join(i);
        const struct region *r = region_get(join->plan);
        int channel;

        region_channels_init(r, &channels);
        channel = region_channel_find(&channels, join->uplink_hz, 5, 0);
        ck_assert_int_ge(channel, 0); /* a gateway of the plan hears it */
        ck_assert_uint_eq(region_join_index(r, join->uplink_hz), i);
        ck_assert_uint_eq(region_join_rx1_hz(r, &channels, (unsigned)channel), join->rx1_hz);
        ck_assert_uint_eq(region_join_rx2_hz(r, join->uplink_hz), join->rx2_hz);
    }
    /* On any other channel the windows of data frames. */
    region_channels_init(b26, &channels);
    ck_assert_uint_eq(region_join_index(b26, 480500000), REGION_NO_JOIN);
    ck_assert_uint_eq(region_join_rx1_hz(b26, &channels, 1), 500300000);
    ck_assert_uint_eq(region_join_rx2_hz(b26, 480500000), 502500000);
    ck_assert_uint_eq(region_join_rx1_hz(b26, &channels, REGION_CHANNELS_MAX), 0);
    /* 470.9 MHz is of the 20 MHz plan A, and no join channel of 26 MHz plan A. */
    ck_assert_uint_eq(region_join_index(a20, 470900000), 0);
    ck_assert_uint_eq(region_join_index(region_get(REGION_CN470_26A), 470900000), REGION_NO_JOIN);
    ck_assert_uint_eq(region_join_index(region_get(REGION_CN470), 470900000), REGION_NO_JOIN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("region");
    TCase *tc = tcase_create("region");
    const TTest *const tests[] = {
        a_table_makes_a_region, a_table_that_is_full, what_a_table_leaves_out,    names, limits,
        data_rates_are_found,   joins_of_cn470,       offsets_that_are_no_answer, NULL};

    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_test(tc, *t);
    tcase_add_loop_test(tc, tables_hold_together, 0, REGION_COUNT);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
