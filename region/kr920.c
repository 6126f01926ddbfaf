/*
 * kr920.c - 920-923 MHz, Korea: listen before talk instead of a duty cycle.
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_5 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 0, 0, 0, 0, 0, 0, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 0, 0, 0, 0, 0, 0, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 0, 0, 0, 0, 0, 0, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 0, 0, 0, 0, 0, 0, 222, 222},
}};

const struct region region_kr920 = {
    .id = REGION_KR920,
    .plan = REGION_DYNAMIC,
    .min_hz = 920900000,
    .max_hz = 923300000,

    .rates[LW_UP] = {
        SIX_RATES,
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_UP] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5},
    .rates[LW_DOWN] = {
        SIX_RATES,
        [12] = LORA(6, 125),
        [13] = LORA(5, 125),
    },
    .rates_since[LW_DOWN] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5},

    .defaults = {
        {922100000, 0, 0, 5, 0},
        {922300000, 0, 0, 5, 0},
        {922500000, 0, 0, 5, 0},
    },
    .extras = {
        {922700000, 0, 0, 5, 0}, {922900000, 0, 0, 5, 0}, {923100000, 0, 0, 5, 0},
        {923300000, 0, 0, 5, 0},
    },
    .max_channels = 16,
    .join_drs = DRS(0, 5),
    .adr_max_dr = 5,
    .default_dr = 0,
    .backoff = {SIX_BACKOFF, [12] = 5, [13] = 12},

    .max_dr_offset = 5,
    .offsets = {
        [0] = {{
            SIX_OFFSETS,
            [12] = {12,  5,  4,  3,  2,  1},
            [13] = {13, 12,  5,  4,  3,  2},
        }},
    },
    .rx2_hz = 921900000,
    .rx2_dr = 0,
    USUAL_TIMES,

    .max_eirp_cdbm = 1400,
    .max_tx_power = 7,
    .down_eirp_dbm = 23,

    .tx_param_setup = false,
    .new_channel = true,
    .dl_channel = true,
    .cflist_type = 0,
    .cflist_since = LW_1_0_0,
    .cflist_first = 3,
    .cflist_max_dr = 5,
    .fixed_list = &region_list_900,

    .chmask = {CHMASK_16_CHANNELS},
    .chmask_1_0_5 = region_chmask_80,
    .lbt = {LBT_REQUIRED, -65, 6},
    .beacon_dr = 3,
    .ping_dr = 3,
    .beacon = {.base_hz = 923100000},
    .ping = {.base_hz = 923100000},
    .relay = {{922700000, 922900000, 3}, {923100000, 923300000, 3}},
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
