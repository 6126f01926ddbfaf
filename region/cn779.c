/*
 * cn779.c - 779-787 MHz, China; closed to new devices since 2021 and gone from RP002-1.0.4.
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 242, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 242, 222},
}};

static const struct region_payloads payloads_rp001_1_1b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222},
}};

const struct region region_cn779 = {
    .id = REGION_CN779,
    .plan = REGION_DYNAMIC,
    .min_hz = 779500000,
    .max_hz = 786500000,

    .rates[LW_UP] = {
        SIX_RATES,
        [6] = LORA(7, 250),
        [7] = FSK(50000),
    },
    .rates[LW_DOWN] = {
        SIX_RATES,
        [6] = LORA(7, 250),
        [7] = FSK(50000),
    },

    .defaults = {
        {779500000, 0, 0, 5, 0},
        {779700000, 0, 0, 5, 0},
        {779900000, 0, 0, 5, 0},
    },
    .extras = {
        {780500000, 0, 0, 5, 0}, {780700000, 0, 0, 5, 0}, {780900000, 0, 0, 5, 0},
    },
    .max_channels = 16,
    .join_drs = DRS(0, 5),
    .adr_max_dr = 5,
    .default_dr = 0,
    .backoff = {SIX_BACKOFF, [6] = 5, [7] = 6},

    .max_dr_offset = 5,
    .offsets = {
        [0] = {{
            SIX_OFFSETS,
            [6] = { 6,  5,  4,  3,  2,  1},
            [7] = { 7,  6,  5,  4,  3,  2},
        }},
    },
    .rx2_hz = 786000000,
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
    .bands = {
        {"all", 779500000, 786500000, 10, 12},
    },
    .beacon_dr = 3,
    .ping_dr = 3,
    .beacon = {.base_hz = 785000000},
    .ping = {.base_hz = 785000000},
    .payloads = {
        [RP001_1_0_2B] = &payloads_rp001_1_0_2b,
        [RP001_1_0_3A] = &payloads_rp001_1_0_2b,
        [RP001_1_1B] = &payloads_rp001_1_1b,
        [RP002_1_0_0] = &payloads_rp001_1_1b,
        [RP002_1_0_1] = &payloads_rp001_1_1b,
        [RP002_1_0_2] = &payloads_rp001_1_1b,
        [RP002_1_0_3] = &payloads_rp001_1_1b,
        [RP002_1_0_4] = &payloads_rp001_1_1b,
        [RP002_1_0_5] = &payloads_rp001_1_1b,
    },
};
/* clang-format on */
