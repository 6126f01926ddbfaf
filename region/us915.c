/*
 * us915.c - 902-928 MHz, North America: 64 + 8 numbered uplink channels, 8 downlink channels.
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {11, 53, 125, 242, 242},
    [0][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [1][0][LW_UP]    = {11, 53, 125, 242, 242},
    [1][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_0 = {{
    [0][0][LW_UP]    = {11, 53, 125, 242, 242},
    [0][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [1][0][LW_UP]    = {11, 53, 125, 222, 222},
    [1][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_2 = {{
    [0][0][LW_UP]    = {11, 53, 125, 242, 242, 50, 125},
    [0][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [1][0][LW_UP]    = {11, 53, 125, 222, 222, 50, 125},
    [1][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_5 = {{
    [0][0][LW_UP]    = {11, 53, 125, 242, 242, 50, 125, 242, 242},
    [0][0][LW_DOWN]  = {242, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242, 242},
    [1][0][LW_UP]    = {11, 53, 125, 222, 222, 50, 125, 222, 222},
    [1][0][LW_DOWN]  = {222, 0, 0, 0, 0, 0, 0, 0, 53, 129, 222, 222, 222, 222, 222},
}};

const struct region region_us915 = {
    .id = REGION_US915,
    .plan = REGION_FIXED,
    .min_hz = 902000000,
    .max_hz = 928000000,

    .rates[LW_UP] = {
        [0] = LORA(10, 125),
        [1] = LORA(9, 125),
        [2] = LORA(8, 125),
        [3] = LORA(7, 125),
        [4] = LORA(8, 500),
        [5] = LR_FHSS(1, 1523, 52),
        [6] = LR_FHSS(2, 1523, 52),
        [7] = LORA(6, 125),
        [8] = LORA(5, 125),
    },
    .rates_since[LW_UP] = {[5] = RP002_1_0_2, [6] = RP002_1_0_2, [7] = RP002_1_0_5, [8] = RP002_1_0_5},
    .rates[LW_DOWN] = {
        [0] = LORA(5, 500),
        [8] = LORA(12, 500),
        [9] = LORA(11, 500),
        [10] = LORA(10, 500),
        [11] = LORA(9, 500),
        [12] = LORA(8, 500),
        [13] = LORA(7, 500),
        [14] = LORA(6, 500),
    },
    .rates_since[LW_DOWN] = {[0] = RP002_1_0_5, [14] = RP002_1_0_5},

    .uplinks = {
        {.first = 0, .count = 64, .base_hz = 902300000, .step_hz = 200000, .min_dr = 0, .max_dr = 3, .more_drs = DRS(7, 8)},
        {.first = 64, .count = 8, .base_hz = 903000000, .step_hz = 1600000, .min_dr = 4, .max_dr = 6},
    },
    .downlinks = {
        {.first = 0, .count = 8, .base_hz = 923300000, .step_hz = 600000, .min_dr = 8, .max_dr = 14, .more_drs = DRS(0, 0)},
    },
    .max_channels = 72,
    .join_drs = DRS(0, 0) | DRS(4, 4),
    .adr_max_dr = 3,
    .default_dr = 0,
    .backoff = {[0] = NO_DR, [1] = 0, [2] = 1, [3] = 2, [4] = 3, [5] = 0, [6] = 5, [7] = 3, [8] = 7},

    .rx1_modulus = 8,
    .max_dr_offset = 3,
    .offsets = {
        [0] = {{
            [0] = {10,  9,  8,  8},
            [1] = {11, 10,  9,  8},
            [2] = {12, 11, 10,  9},
            [3] = {13, 12, 11, 10},
            [4] = {13, 13, 12, 11},
            [5] = {10,  9,  8,  8},
            [6] = {11, 10,  9,  8},
            [7] = {14, 13, 12, 11},
            [8] = { 0, 14, 13, 12},
        }},
    },
    .rx2_hz = 923300000,
    .rx2_dr = 8,
    USUAL_TIMES,

    .max_eirp_cdbm = 3000,
    .max_tx_power = 14,
    .max_tx_power_rp001 = 10,
    .down_eirp_dbm = 21,

    .tx_param_setup = false,
    .new_channel = false,
    .dl_channel = false,
    .dwell_ms = 400,
    .cflist_type = 1,
    .cflist_since = LW_1_0_3,
    .cflist_words = 5,

    .chmask = {
        [0] = {CHMASK_GROUP, 0, 16},
        [1] = {CHMASK_GROUP, 16, 16},
        [2] = {CHMASK_GROUP, 32, 16},
        [3] = {CHMASK_GROUP, 48, 16},
        [4] = {CHMASK_GROUP, 64, 8},
        [5] = {CHMASK_BLOCKS, 64, 8},
        [6] = {CHMASK_ON_GROUP, 64, 8},
        [7] = {CHMASK_OFF_GROUP, 64, 8},
    },
    .beacon_dr = 8,
    .ping_dr = 8,
    .beacon = {.base_hz = 923300000, .step_hz = 600000, .count = 8},
    .ping = {.base_hz = 923300000, .step_hz = 600000, .count = 8},
    .relay = {{916700000, 918300000, 10}, {919900000, 921500000, 10}},
    .payloads = {
        [RP001_1_0_2B] = &payloads_rp001_1_0_2b,
        [RP001_1_0_3A] = &payloads_rp001_1_0_2b,
        [RP001_1_1B] = &payloads_rp001_1_0_2b,
        [RP002_1_0_0] = &payloads_rp002_1_0_0,
        [RP002_1_0_1] = &payloads_rp002_1_0_0,
        [RP002_1_0_2] = &payloads_rp002_1_0_2,
        [RP002_1_0_3] = &payloads_rp002_1_0_2,
        [RP002_1_0_4] = &payloads_rp002_1_0_2,
        [RP002_1_0_5] = &payloads_rp002_1_0_5,
    },
};
/* clang-format on */
