/*
 * eu868.c - 863-870 MHz, Europe.
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_2 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242, 50, 115, 50, 115},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222, 50, 115, 50, 115},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_5 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242, 50, 115, 50, 115, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242, 0, 0, 0, 0, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222, 50, 115, 50, 115, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222, 0, 0, 0, 0, 222, 222},
}};

const struct region region_eu868 = {
    .id = REGION_EU868,
    .plan = REGION_DYNAMIC,
    .min_hz = 863000000,
    .max_hz = 870000000,

    .rates[LW_UP] = {
        SIX_RATES,
        [6] = LORA(7, 250),
        [7] = FSK(50000),
        [8] = LR_FHSS(1, 137, 8),
        [9] = LR_FHSS(2, 137, 8),
        [10] = LR_FHSS(1, 336, 8),
        [11] = LR_FHSS(2, 336, 8),
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_UP] = {[8] = RP002_1_0_2, [9] = RP002_1_0_2, [10] = RP002_1_0_2, [11] = RP002_1_0_2, [12] = RP002_1_0_5, [13] = RP002_1_0_5},
    .rates[LW_DOWN] = {
        SIX_RATES,
        [6] = LORA(7, 250),
        [7] = FSK(50000),
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_DOWN] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5},

    .defaults = {
        {868100000, 0, 0, 5, 0},
        {868300000, 0, 0, 5, 0},
        {868500000, 0, 0, 5, 0},
    },
    .extras = {
        {867100000, 0, 0, 5, 0}, {867300000, 0, 0, 5, 0}, {867500000, 0, 0, 5, 0},
        {867700000, 0, 0, 5, 0}, {867900000, 0, 0, 5, 0},
    },
    .max_channels = 16,
    .join_drs = DRS(0, 5),
    .adr_max_dr = 5,
    .default_dr = 0,
    .backoff = {SIX_BACKOFF, [6] = 5, [7] = 6, [8] = 0, [9] = 8, [10] = 0, [11] = 10, [12] = 5, [13] = 12},

    .max_dr_offset = 5,
    .offsets = {
        [0] = {{
            SIX_OFFSETS,
            [6] = { 6,  5,  4,  3,  2,  1},
            [7] = { 7,  6,  5,  4,  3,  2},
            [8] = { 1,  0,  0,  0,  0,  0},
            [9] = { 2,  1,  0,  0,  0,  0},
            [10] = { 1,  0,  0,  0,  0,  0},
            [11] = { 2,  1,  0,  0,  0,  0},
            [12] = {12,  5,  4,  3,  2,  1},
            [13] = {13, 12,  5,  4,  3,  2},
        }},
    },
    .rx2_hz = 869525000,
    .rx2_dr = 0,
    USUAL_TIMES,

    .max_eirp_cdbm = 1600,
    .max_tx_power = 7,
    .down_eirp_dbm = 16,

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
    .bands = {
        {"K", 863000000, 865000000, 1, 16},
        {"L", 865000000, 868000000, 10, 16},
        {"M", 868000000, 868600000, 10, 16},
        {"N", 868700000, 869200000, 1, 16},
        {"P", 869400000, 869650000, 100, 29},
        {"R", 869700000, 870000000, 10, 16},
    },
    .beacon_dr = 3,
    .ping_dr = 3,
    .beacon = {.base_hz = 869525000},
    .ping = {.base_hz = 869525000},
    .relay = {{865100000, 865300000, 3}, {865500000, 865900000, 3}},
    .payloads = {
        [RP001_1_0_2B] = &payloads_rp001_1_0_2b,
        [RP001_1_0_3A] = &payloads_rp001_1_0_2b,
        [RP001_1_1B] = &payloads_rp001_1_0_2b,
        [RP002_1_0_0] = &payloads_rp001_1_0_2b,
        [RP002_1_0_1] = &payloads_rp001_1_0_2b,
        [RP002_1_0_2] = &payloads_rp002_1_0_2,
        [RP002_1_0_3] = &payloads_rp002_1_0_2,
        [RP002_1_0_4] = &payloads_rp002_1_0_2,
        [RP002_1_0_5] = &payloads_rp002_1_0_5,
    },
};
/* clang-format on */
