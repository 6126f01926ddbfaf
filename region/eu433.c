/*
 * eu433.c - 433 MHz, Europe and wherever that band is free.
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_5 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242, 0, 0, 0, 0, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242, 0, 0, 0, 0, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222, 0, 0, 0, 0, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222, 0, 0, 0, 0, 222, 222},
}};

const struct region region_eu433 = {
    .id = REGION_EU433,
    .plan = REGION_DYNAMIC,
    .min_hz = 433175000,
    .max_hz = 434665000,

    .rates[LW_UP] = {
        SIX_RATES,
        [6] = LORA(7, 250),
        [7] = FSK(50000),
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_UP] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5},
    .rates[LW_DOWN] = {
        SIX_RATES,
        [6] = LORA(7, 250),
        [7] = FSK(50000),
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_DOWN] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5},

    .defaults = {
        {433175000, 0, 0, 5, 0},
        {433375000, 0, 0, 5, 0},
        {433575000, 0, 0, 5, 0},
    },
    .extras = {
        {433775000, 0, 0, 5, 0}, {433975000, 0, 0, 5, 0}, {434175000, 0, 0, 5, 0},
        {434375000, 0, 0, 5, 0}, {434575000, 0, 0, 5, 0},
    },
    .max_channels = 16,
    .join_drs = DRS(0, 5),
    .adr_max_dr = 5,
    .default_dr = 0,
    .backoff = {SIX_BACKOFF, [6] = 5, [7] = 6, [12] = 5, [13] = 12},

    .max_dr_offset = 5,
    .offsets = {
        [0] = {{
            SIX_OFFSETS,
            [6] = { 6,  5,  4,  3,  2,  1},
            [7] = { 7,  6,  5,  4,  3,  2},
            [12] = {12,  5,  4,  3,  2,  1},
            [13] = {13, 12,  5,  4,  3,  2},
        }},
    },
    .rx2_hz = 434665000,
    .rx2_dr = 0,
    USUAL_TIMES,

    .max_eirp_cdbm = 1215,
    .max_tx_power = 5,
    .down_eirp_dbm = 12,

    .tx_param_setup = false,
    .new_channel = true,
    .dl_channel = true,
    .cflist_type = 0,
    .cflist_since = LW_1_0_0,
    .cflist_first = 3,
    .cflist_max_dr = 5,

    .chmask = {CHMASK_16_CHANNELS},
    .chmask_1_0_5 = region_chmask_80,
    .bands = {
        {"all", 433050000, 434790000, 100, 12},
    },
    .beacon_dr = 3,
    .ping_dr = 3,
    .beacon = {.base_hz = 434665000},
    .ping = {.base_hz = 434665000},
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
