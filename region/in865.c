/*
 * in865.c - 865-867 MHz, India: no DR6.
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 0, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 0, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 0, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 0, 222},
}};

static const struct region_payloads payloads_rp002_1_0_5 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 0, 242, 0, 0, 0, 0, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 0, 242, 0, 0, 0, 0, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 0, 222, 0, 0, 0, 0, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 0, 222, 0, 0, 0, 0, 222, 222},
}};

/* RP001 clamps at DR5. */
static const struct region_offsets offsets_rp001[1] = {
    [0] = {{
        [0] = { 0,  0,  0,  0,  0,  0,  1,  2},
        [1] = { 1,  0,  0,  0,  0,  0,  2,  3},
        [2] = { 2,  1,  0,  0,  0,  0,  3,  4},
        [3] = { 3,  2,  1,  0,  0,  0,  4,  5},
        [4] = { 4,  3,  2,  1,  0,  0,  5,  5},
        [5] = { 5,  4,  3,  2,  1,  0,  5,  5},
        [7] = { 5,  5,  5,  4,  3,  2,  5,  5},
    }},
};

const struct region region_in865 = {
    .id = REGION_IN865,
    .plan = REGION_DYNAMIC,
    .min_hz = 865000000,
    .max_hz = 867000000,

    .rates[LW_UP] = {
        SIX_RATES,
        [7] = FSK(50000),
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_UP] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5},
    .rates[LW_DOWN] = {
        SIX_RATES,
        [7] = FSK(50000),
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_DOWN] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5},

    .defaults = {
        {865062500, 0, 0, 5, 0},
        {865402500, 0, 0, 5, 0},
        {865985000, 0, 0, 5, 0},
    },
    .max_channels = 16,
    .join_drs = DRS(0, 5),
    .adr_max_dr = 5,
    .default_dr = 0,
    .backoff = {SIX_BACKOFF, [7] = 5, [12] = 5, [13] = 12},

    .max_dr_offset = 7,
    .offsets = {
        [0] = {{
            [0] = { 0,  0,  0,  0,  0,  0,  1,  2},
            [1] = { 1,  0,  0,  0,  0,  0,  2,  3},
            [2] = { 2,  1,  0,  0,  0,  0,  3,  4},
            [3] = { 3,  2,  1,  0,  0,  0,  4,  5},
            [4] = { 4,  3,  2,  1,  0,  0,  5,  5},
            [5] = { 5,  4,  3,  2,  1,  0,  5,  7},
            [7] = { 7,  5,  5,  4,  3,  2,  7,  7},
            [12] = {12,  5,  4,  3,  2,  1, 13, 13},
            [13] = {13, 12,  5,  4,  3,  2, 13, 13},
        }},
    },
    .offsets_rp001 = offsets_rp001,
    .rx2_hz = 866550000,
    .rx2_dr = 2,
    USUAL_TIMES,

    .max_eirp_cdbm = 3000,
    .max_eirp_1_0_5_cdbm = 2920,
    .max_tx_power = 10,
    .max_tx_power_1_0_5 = 14,
    .down_eirp_dbm = 30,

    .tx_param_setup = false,
    .new_channel = true,
    .dl_channel = true,
    .cflist_type = 0,
    .cflist_since = LW_1_0_0,
    .cflist_first = 3,
    .cflist_max_dr = 5,
    .fixed_list = &region_list_800,

    .chmask = {CHMASK_16_CHANNELS},
    .chmask_1_0_5 = region_chmask_80,
    .beacon_dr = 4,
    .ping_dr = 4,
    .beacon = {.base_hz = 866550000},
    .ping = {.base_hz = 866550000},
    .relay = {{866000000, 866200000, 3}, {866700000, 866900000, 3}},
    .payloads = {
        [RP001_1_0_2B] = &payloads_rp001_1_0_2b,
        [RP001_1_0_3A] = &payloads_rp001_1_0_2b,
        [RP001_1_1B] = &payloads_rp001_1_0_2b,
        [RP002_1_0_0] = &payloads_rp001_1_0_2b,
        [RP002_1_0_1] = &payloads_rp001_1_0_2b,
        [RP002_1_0_2] = &payloads_rp001_1_0_2b,
        [RP002_1_0_3] = &payloads_rp001_1_0_2b,
        [RP002_1_0_4] = &payloads_rp001_1_0_2b,
        [RP002_1_0_5] = &payloads_rp002_1_0_5,
    },
};
/* clang-format on */
