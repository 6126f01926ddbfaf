/* Channels of a device: what the region and the network define, and what LinkADRReq makes of it. */
#include "region/region.h"
#include "tests/suite.h"

#include <string.h>

START_TEST(device_channels)
{
    const struct region *eu = region_get(REGION_EU868), *us = region_get(REGION_US915);
    struct region_channel good = {867100000, 0, 0, 5, 0}, bad = good, off = {0};
    struct region_channels channels;

    region_channels_init(eu, &channels);
    ck_assert_int_eq(region_channels_put(eu, &channels, 2, &good), ERR_IN_USE);
    ck_assert_int_eq(region_channels_put(eu, &channels, 16, &good), ERR_INVALID);
    bad.frequency_hz = 900000000;
    ck_assert_int_eq(region_channels_put(eu, &channels, 3, &bad), ERR_INVALID);
    bad = good;
    bad.min_dr = 6;
    ck_assert_int_eq(region_channels_put(eu, &channels, 3, &bad), ERR_INVALID);
    bad = good;
    bad.min_dr = bad.max_dr = 14;
    ck_assert_int_eq(region_channels_put(eu, &channels, 3, &bad), ERR_INVALID);
    bad = good;
    bad.max_dr = 14;
    ck_assert_int_eq(region_channels_put(eu, &channels, 3, &bad), ERR_INVALID);
    bad = good;
    bad.rx1_hz = 1;
    ck_assert_int_eq(region_channels_put(eu, &channels, 3, &bad), ERR_INVALID);
    good.rx1_hz = 869525000;
    ck_assert_int_eq(region_channels_put(eu, &channels, 5, &good), OK);
    ck_assert_uint_eq(region_rx1_hz(eu, &channels, 5), 869525000);
    ck_assert_int_eq(region_channel_find(&channels, 867100000, 5, 0), 5);
    ck_assert_int_eq(region_channel_find(&channels, 867100000, 6, 0), -1);
    ck_assert_int_eq(region_channels_put(eu, &channels, 7, &good), OK);
    ck_assert_int_eq(region_channel_find(&channels, 867100000, 5, 1), 7);
    ck_assert_int_eq(region_channels_put(eu, &channels, 7, &off), OK);
    ck_assert(!chmask_test(&channels.defined, 7));
    region_channels_add_extras(eu, &channels); /* 3, 4, 6, 7, 8 */
    ck_assert_uint_eq(channels.at[6].frequency_hz, 867500000);
    ck_assert_uint_eq(channels.at[8].frequency_hz, 867900000);
    region_channels_init(us, &channels);
    ck_assert_int_eq(region_channels_put(us, &channels, 3, &good), ERR_INVALID);
    ck_assert_uint_eq(region_rx1_hz(us, &channels, REGION_CHANNELS_MAX), 0);
    ck_assert_uint_eq(channels.at[64].frequency_hz, 903000000);
    region_channels_add_extras(us, &channels);
    ck_assert_uint_eq(chmask_count(&channels.defined), 72);
}
END_TEST

START_TEST(answers_to_link_adr)
{
    const struct region *eu = region_get(REGION_EU868);
    struct region_channels channels;
    struct chmask enabled, before;
    struct lw_link_adr_req reqs[2] = {{.ch_mask = 1, .dr = 99}, {.ch_mask = 3, .dr = 5}};

    region_channels_init(eu, &channels);
    enabled = before = channels.defined;
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 7);
    ck_assert_uint_eq(chmask_word(&enabled, 0), 3);
    enabled = before;
    reqs[1].dr = 6;
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 5);
    ck_assert(chmask_equal(&enabled, &before));
    reqs[1].dr = 14; /* there is no such rate */
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 5);
    reqs[1] = (struct lw_link_adr_req){.ch_mask = 8, .dr = 15, .tx_power = 8};
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 2);
    reqs[1] = (struct lw_link_adr_req){.ch_mask = 1, .dr = 15, .tx_power = 15};
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 7);
    /* before 1.0.4 and 1.1 there is no value that means "keep" */
    ck_assert_uint_eq(region_link_adr_answer(eu, RP001_1_0_2B, &channels, reqs, 2, &enabled), 1);
    ck_assert_uint_eq(region_link_adr_answer(eu, RP001_1_0_3A, &channels, reqs, 2, &enabled), 1);
    ck_assert_uint_eq(region_link_adr_answer(eu, RP001_1_1B, &channels, reqs, 2, &enabled), 7);
    reqs[1].dr = 5;
    ck_assert_uint_eq(region_link_adr_answer(eu, RP001_1_0_3A, &channels, reqs, 2, &enabled), 3);
    reqs[1].dr = 15;
    reqs[1].tx_power = 7; /* the greatest index */
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 7);
    reqs[1].tx_power = 8;
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 3);
}
END_TEST

/* The data rate must fit the channels that the block leaves, not those before it. */
START_TEST(a_rate_comes_with_its_channels)
{
    const struct region *us = region_get(REGION_US915);
    struct region_channels channels;
    struct chmask enabled = {{0xff}};
    struct lw_link_adr_req wide = {.ch_mask = 2, .ch_mask_cntl = 7, .dr = 4};
    struct lw_link_adr_req narrow = {.ch_mask = 0, .ch_mask_cntl = 6, .dr = 4};

    region_channels_init(us, &channels);
    ck_assert_uint_eq(region_link_adr_answer(us, RP002_1_0_4, &channels, &wide, 1, &enabled), 7);
    ck_assert_uint_eq(chmask_count(&enabled), 1);
    ck_assert(chmask_test(&enabled, 65));
    ck_assert_uint_eq(region_link_adr_answer(us, RP002_1_0_4, &channels, &narrow, 1, &enabled), 5);
    ck_assert_uint_eq(chmask_count(&enabled), 1);
}
END_TEST

START_TEST(extras_end_with_the_slots)
{
    struct region small = *region_get(REGION_EU868);
    struct region_channels channels;

    small.max_channels = 5;
    region_channels_init(&small, &channels);
    region_channels_add_extras(&small, &channels);
    ck_assert_uint_eq(chmask_count(&channels.defined), 5);
    small.max_channels = CHMASK_CHANNELS + 1; /* more than a mask has */
    ck_assert_int_eq(region_channels_put(&small, &channels, CHMASK_CHANNELS, &small.extras[0]),
                     ERR_INVALID);
}
END_TEST

/* As full as a table can be: four default channels, eight further ones. */
START_TEST(a_table_without_a_gap)
{
    struct region full = *region_get(REGION_EU868);
    struct region_channels channels;

    full.defaults[3] = (struct region_channel){868700000, 0, 0, 5, 0};
    for (uint32_t i = 0; i < REGION_EXTRAS_MAX; i++)
        full.extras[i] = (struct region_channel){863100000 + 200000 * i, 0, 0, 5, 0};
    region_channels_init(&full, &channels);
    ck_assert_uint_eq(chmask_count(&channels.defined), 4);
    region_channels_add_extras(&full, &channels);
    ck_assert_uint_eq(chmask_count(&channels.defined), 12);
    ck_assert_uint_eq(channels.at[11].frequency_hz, 864500000);
}
END_TEST

START_TEST(frequencies)
{
    const struct region *eu = region_get(REGION_EU868), *ism = region_get(REGION_ISM2400);
    struct region_channels channels;

    ck_assert(!region_frequency_valid(eu, 868100010)); /* no multiple of 100 Hz */
    ck_assert(!region_frequency_valid(eu, 862900000));
    ck_assert(!region_frequency_valid(eu, 870100000));
    ck_assert(region_frequency_valid(ism, 2403000200));
    ck_assert(!region_frequency_valid(ism, 2403000100)); /* 200 Hz there */
    region_channels_init(eu, &channels);
    ck_assert(!region_channel_carries(&channels.at[0], REGION_DRS));
    ck_assert(!region_channel_carries(&channels.at[9], 0));
}
END_TEST

START_TEST(a_channel_carries_what_a_frame_was_heard_at)
{
    const struct region *us = region_get(REGION_US915);
    struct data_rate rate = {.kind = MOD_LORA, .sf = 5, .bandwidth_hz = 125000};
    struct region_channels channels;
    struct chmask none = {0}, few = {{1u << 3}};
    uint8_t dr = 99, channel = 99;

    region_channels_init(us, &channels);
    ck_assert(region_uplink_find(us, &channels, 902300000, &rate, &dr, &channel));
    ck_assert(dr == 8 && channel == 0);                      /* beside DR0..DR3 */
    ck_assert(!region_channel_carries(&channels.at[64], 3)); /* it begins with DR4 */
    ck_assert(!region_uplink_find(us, &channels, 903000000, &rate, &dr, &channel));
    rate.sf = 4;
    ck_assert(!region_uplink_find(us, &channels, 902300000, &rate, &dr, &channel));
    ck_assert_uint_eq(region_enabled_drs(&channels, &none), 0);
    ck_assert_uint_eq(region_enabled_drs(&channels, &few), 0x18f);
    few = (struct chmask){{0, 0, 1u << 20}}; /* a channel that is not defined */
    ck_assert_uint_eq(region_enabled_drs(&channels, &few), 0);
}
END_TEST

/* Eight channels in a row, with the 500 kHz channel where a plan has them. */
START_TEST(sub_bands)
{
    static const struct {
        enum region_id id;
        unsigned bands, channels;
    } plans[] = {{REGION_US915, 8, 9},     {REGION_AU915, 8, 9},     {REGION_CN470, 12, 8},
                 {REGION_CN470_20A, 8, 8}, {REGION_CN470_26B, 6, 8}, {REGION_EU868, 0, 0}};

    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        const struct region *r = region_get(plans[i].id);
        struct region_channels channels;
        struct chmask all = {0};

        region_channels_init(r, &channels);
        for (unsigned b = 1; b <= plans[i].bands; b++) {
            struct chmask band = region_sub_band(r, b), both = chmask_and(&band, &all);

            ck_assert_uint_eq(chmask_count(&band), plans[i].channels);
            ck_assert_uint_eq(chmask_word(&band, 8 * (b - 1)) & 0xff, 0xff);
            ck_assert(chmask_is_empty(&both));
            all = chmask_or(&all, &band);
        }
        ck_assert(r->plan == REGION_DYNAMIC || chmask_equal(&all, &channels.defined));
        all = region_sub_band(r, plans[i].bands + 1);
        ck_assert(chmask_is_empty(&all));
        all = region_sub_band(r, 0);
        ck_assert(chmask_is_empty(&all));
    }
}
END_TEST

START_TEST(a_sub_band_without_a_wide_channel)
{
    struct region few = *region_get(REGION_US915);
    struct chmask band;

    few.uplinks[1].count = 1;
    band = region_sub_band(&few, 1);
    ck_assert_uint_eq(chmask_count(&band), 9);
    band = region_sub_band(&few, 2);
    ck_assert_uint_eq(chmask_count(&band), 8);
}
END_TEST

START_TEST(data_rate_ranges)
{
    const struct region *eu = region_get(REGION_EU868), *us = region_get(REGION_US915);

    ck_assert_uint_eq(region_dr_range(eu, RP001_1_0_2B, 3, 3), 8);
    ck_assert_uint_eq(region_dr_range(eu, RP001_1_0_2B, 0, 15), 0xffff);
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_4, 1, 0), 0);
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_5, 2, 1), 0);
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_5, 7, 0), 0);
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_5, 16, 16), 0);
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_5, 0, 16), 0);
    ck_assert_uint_eq(region_dr_range(us, RP002_1_0_5, 1, 0), 0);
    ck_assert_uint_eq(region_dr_range(region_get(REGION_CN779), RP002_1_0_5, 1, 0), 0);
}
END_TEST

/* Every DrRange that has a meaning comes back from its data rates; no other set has one. */
START_TEST(data_rates_as_a_range)
{
    const struct region *eu = region_get(REGION_EU868), *us = region_get(REGION_US915);
    uint8_t min_dr = 0, max_dr = 0;

    for (unsigned range = 0; range < 512; range++) {
        enum region_revision revision = range & 256 ? RP002_1_0_5 : RP002_1_0_4;
        unsigned min = range & 15, max = range >> 4 & 15;
        uint16_t drs = region_dr_range(eu, revision, min, max);

        ck_assert_int_eq(region_dr_range_of(eu, revision, drs, &min_dr, &max_dr), drs != 0);
        ck_assert(!drs || (min_dr == min && max_dr == max));
    }
    ck_assert(region_dr_range_of(eu, RP002_1_0_5, 0x303f, &min_dr, &max_dr));
    ck_assert(min_dr == 1 && max_dr == 0);
    ck_assert(!region_dr_range_of(eu, RP002_1_0_4, 0x303f, &min_dr, &max_dr));
    ck_assert(!region_dr_range_of(us, RP002_1_0_5, 0x303f, &min_dr, &max_dr));
    ck_assert(!region_dr_range_of(eu, RP002_1_0_5, 0x3037, &min_dr, &max_dr)); /* a gap */
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {device_channels,
                                  answers_to_link_adr,
                                  a_rate_comes_with_its_channels,
                                  extras_end_with_the_slots,
                                  frequencies,
                                  a_channel_carries_what_a_frame_was_heard_at,
                                  sub_bands,
                                  a_sub_band_without_a_wide_channel,
                                  a_table_without_a_gap,
                                  data_rate_ranges,
                                  data_rates_as_a_range,
                                  NULL};

    return run_suite(suite_of("region_channels", tests));
}
