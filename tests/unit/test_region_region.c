/* The rules of region/ on the real tables and on a region that is made up here by a table alone. */
#include "region/cflist.h"
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
    .max_eirp_dbm = 12,
    .max_tx_power = 3,
    .cflist_type = 1,
    .cflist_words = 2,
    .chmask = {
        [0] = {CHMASK_GROUP, 0, 16},
        [1] = {CHMASK_GROUP, 16, 2},
        [7] = {CHMASK_ALL_OFF, 0, 0},
    },
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
    size.revision = RP002_1_0_5;
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

START_TEST(names)
{
    enum region_id id = REGION_NONE;
    enum region_revision revision;

    ck_assert_int_eq(region_find("EU868", &id), OK);
    ck_assert_int_eq(id, REGION_EU868);
    ck_assert_int_eq(region_find("AS923-1", &id), OK);
    ck_assert_str_eq(region_name(id), "AS923");
    ck_assert_int_eq(region_find("KR920", &id), ERR_UNSUPPORTED);
    ck_assert_int_eq(id, REGION_KR920);
    ck_assert_int_eq(region_find("eu868", &id), ERR_NOT_FOUND);
    ck_assert_int_eq(region_find("", &id), ERR_NOT_FOUND);
    ck_assert_str_eq(region_name(REGION_NONE), "");
    ck_assert_ptr_null(region_get(REGION_NONE));
    for (unsigned i = 0; i < REGION_COUNT; i++)
        ck_assert(!region_get(i) || region_get(i)->id == i);
    ck_assert(region_revision_find("RP002-1.0.3", &revision) && revision == RP002_1_0_3);
    ck_assert(!region_revision_find("RP002", &revision));
    ck_assert_int_eq(region_revision_default(LW_1_0_2), RP001_1_0_2B);
    ck_assert_int_eq(region_revision_default(LW_1_0_3), RP001_1_0_3A);
    ck_assert_int_eq(region_revision_default(LW_1_0_4), RP002_1_0_4);
    ck_assert_int_eq(region_revision_default(LW_1_1_0), RP001_1_1B);
}
END_TEST

START_TEST(tables_hold_together)
{
    for (unsigned i = 0; i < REGION_COUNT; i++) {
        const struct region *r = region_get(i);
        struct region_channels channels;

        if (!r)
            continue;
        region_channels_init(r, &channels);
        region_channels_add_extras(r, &channels);
        ck_assert_uint_le(chmask_count(&channels.defined), r->max_channels);
        for (int c = -1; (c = chmask_next(&channels.defined, c + 1)) >= 0;) {
            ck_assert(region_frequency_valid(r, channels.at[c].frequency_hz));
            ck_assert(region_frequency_valid(r, region_rx1_hz(r, &channels, (unsigned)c)));
        }
        ck_assert(region_frequency_valid(r, r->rx2_hz) && region_rate(r, LW_DOWN, r->rx2_dr));
        ck_assert(region_rate(r, LW_UP, r->adr_max_dr) && r->join_drs);
        for (unsigned dr = 0; dr < REGION_DRS; dr++) {
            struct region_size size = {RP002_1_0_5, LW_UP, (uint8_t)dr, false, false};

            ck_assert_int_eq(!!region_max_payload(r, &size), !!region_rate(r, LW_UP, dr));
            if (region_rate(r, LW_UP, dr))
                ck_assert_int_eq(region_dr(r, LW_UP, region_rate(r, LW_UP, dr)), (int)dr);
        }
    }
}
END_TEST

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
}
END_TEST

START_TEST(limits)
{
    const struct region *eu = region_get(REGION_EU868), *as = region_get(REGION_AS923_1);
    struct region_rx1 rx1 = {.uplink_dr = 7, .revision = RP001_1_0_2B};

    ck_assert_int_eq(region_down_eirp(eu, 869525000), 29);
    ck_assert_int_eq(region_down_eirp(eu, 868100000), 16);
    ck_assert_uint_eq(region_band(eu, 869525000)->duty_permille, 100);
    ck_assert_str_eq(region_band(eu, 868000000)->name, "M");
    ck_assert_ptr_null(region_band(eu, 868650000));
    ck_assert_ptr_null(region_band(region_get(REGION_US915), 923300000));
    ck_assert_uint_eq(region_max_tx_power(region_get(REGION_US915), RP001_1_0_2B), 10);
    ck_assert_uint_eq(region_max_tx_power(region_get(REGION_US915), RP002_1_0_4), 14);
    ck_assert_int_eq(region_rx1_dr(as, &rx1), 5); /* RP001 clamps at DR5 */
    rx1.revision = RP002_1_0_4;
    ck_assert_int_eq(region_rx1_dr(as, &rx1), 7);
    ck_assert(!region_dr_valid(eu, RP001_1_0_3A, LW_UP, 8));
    ck_assert(region_dr_valid(eu, RP002_1_0_2, LW_UP, 8));
    ck_assert(!region_dr_valid(eu, RP002_1_0_2, LW_DOWN, 8));
    ck_assert_ptr_null(region_rate(eu, LW_UP, 16));
    ck_assert(!region_frequency_valid(eu, 868100010));
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_4, 1, 0), 0);
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_5, 7, 0), 0);
    ck_assert_uint_eq(region_dr_range(eu, RP002_1_0_5, 16, 16), 0);
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
    reqs[1] = (struct lw_link_adr_req){.ch_mask = 8, .dr = 15, .tx_power = 8};
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 2);
    reqs[1] = (struct lw_link_adr_req){.ch_mask = 1, .dr = 15, .tx_power = 15};
    ck_assert_uint_eq(region_link_adr_answer(eu, RP002_1_0_4, &channels, reqs, 2, &enabled), 7);
}
END_TEST

/* Whatever the masks, the list leads there, is no longer than a group each, and never empty. */
START_TEST(lists_lead_from_any_mask_to_any_other)
{
    const struct region *regions[] = {region_get(REGION_US915), region_get(REGION_EU868), &moon};
    uint64_t seed = 1;

    for (int round = 0; round < 3000; round++) {
        const struct region *r = regions[round % 3];
        struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
        struct chmask mask[2] = {0};
        struct region_channels channels;
        size_t count = 0;

        region_channels_init(r, &channels);
        region_channels_add_extras(r, &channels);
        for (int m = 0; m < 2; m++) {
            for (unsigned w = 0; w < 3; w++)
                mask[m].w[w] = (uint32_t)(seed = hash_u64(seed));
            mask[m] = chmask_and(&mask[m], &channels.defined);
            chmask_set(&mask[m], 0);
        }
        ck_assert_int_eq(
            chmask_build(r->chmask, &channels.defined, &mask[0], &mask[1], reqs, &count), OK);
        ck_assert(count >= 1 && count <= 5);
        ck_assert_int_eq(chmask_apply(r->chmask, &channels.defined, reqs, count, &mask[0]),
                         CHMASK_OK);
        ck_assert(chmask_equal(&mask[0], &mask[1]));
    }
}
END_TEST

START_TEST(lists_are_short)
{
    const struct region *us = region_get(REGION_US915), *eu = region_get(REGION_EU868);
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    struct region_channels channels;
    struct chmask to, none = {0};
    size_t count = 0;

    region_channels_init(us, &channels);
    to = region_sub_band(us, 2);
    ck_assert_int_eq(
        chmask_build(us->chmask, &channels.defined, &channels.defined, &to, reqs, &count), OK);
    ck_assert_uint_eq(count, 2);
    ck_assert(reqs[0].ch_mask_cntl == 7 && reqs[0].ch_mask == 2);
    ck_assert(reqs[1].ch_mask_cntl == 0 && reqs[1].ch_mask == 0xff00);
    ck_assert_int_eq(chmask_build(us->chmask, &channels.defined, &to, &to, reqs, &count), OK);
    ck_assert(count == 1 && reqs[0].ch_mask_cntl == 0 && reqs[0].ch_mask == 0xff00);
    ck_assert_int_eq(
        chmask_build(us->chmask, &channels.defined, &to, &channels.defined, reqs, &count), OK);
    ck_assert(count == 1 && reqs[0].ch_mask_cntl == 6 && reqs[0].ch_mask == 0xff);
    ck_assert_int_eq(chmask_build(us->chmask, &channels.defined, &to, &none, reqs, &count),
                     ERR_INVALID);
    chmask_set(&to, 80);
    ck_assert_int_eq(chmask_build(us->chmask, &channels.defined, &to, &to, reqs, &count),
                     ERR_INVALID);
    region_channels_init(eu, &channels);
    ck_assert_int_eq(
        chmask_build(eu->chmask, &channels.defined, &none, &channels.defined, reqs, &count), OK);
    ck_assert(count == 1 && reqs[0].ch_mask_cntl == 0 && reqs[0].ch_mask == 7);
    chmask_set_range(&channels.defined, 20, 2, true); /* no group reaches one of them alone */
    to = (struct chmask){{1u << 20}};
    ck_assert_int_eq(chmask_build(eu->chmask, &channels.defined, &none, &to, reqs, &count),
                     ERR_UNSUPPORTED);
}
END_TEST

START_TEST(cflists)
{
    const struct region *eu = region_get(REGION_EU868), *us = region_get(REGION_US915);
    struct region_channels channels;
    struct cflist list;
    struct chmask enabled;
    uint8_t room[CFLIST_LEN] = {[15] = 2};

    region_channels_init(eu, &channels);
    ck_assert(!cflist_of_channels(eu, LW_1_0_2, &channels, &channels.defined, &list));
    channels.at[4] = (struct region_channel){867300000, 0, 0, 6, 0}; /* DR6 too: not expressible */
    ck_assert(!cflist_of_channels(eu, LW_1_0_2, &channels, &channels.defined, &list));
    region_channels_init(us, &channels);
    enabled = region_sub_band(us, 2);
    ck_assert(!cflist_of_channels(us, LW_1_0_2, &channels, &enabled, &list));
    ck_assert(!cflist_of_channels(us, LW_1_0_4, &channels, &channels.defined, &list));
    ck_assert(cflist_of_channels(us, LW_1_0_4, &channels, &enabled, &list));
    ck_assert_int_eq(cflist_apply(eu, &list, &channels, &enabled), ERR_INVALID);
    chmask_set(&list.enabled, 90);
    ck_assert_int_eq(cflist_apply(us, &list, &channels, &enabled), ERR_INVALID);
    ck_assert_int_eq(cflist_read(room, &list), ERR_UNSUPPORTED);
    list = (struct cflist){.type = 2};
    ck_assert_int_eq(cflist_write(&list, room), ERR_INVALID);
    list = (struct cflist){.frequency_hz = {1}};
    ck_assert_int_eq(cflist_write(&list, room), ERR_INVALID);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_table_makes_a_region,
                                  names,
                                  tables_hold_together,
                                  device_channels,
                                  limits,
                                  answers_to_link_adr,
                                  lists_lead_from_any_mask_to_any_other,
                                  lists_are_short,
                                  cflists,
                                  NULL};

    return run_suite(suite_of("region", tests));
}
