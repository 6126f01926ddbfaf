/*
 * au915.c - 915-928 MHz, Australia and South America: numbered like US915, with slower data rates
 * and a dwell time limit that TxParamSetupReq lifts.
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242},
    [0][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242},
    [0][1][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222},
    [1][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 222, 222},
    [1][1][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp001_1_0_3a = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242},
    [0][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242},
    [0][1][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222},
    [1][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242},
    [1][1][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 33, 109, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_2 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 50},
    [0][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242, 50},
    [0][1][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 50},
    [1][0][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 222, 222, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 222, 222, 50},
    [1][1][LW_DOWN]  = {0, 0, 0, 0, 0, 0, 0, 0, 53, 129, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_5 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 50, 0, 242, 242},
    [0][0][LW_DOWN]  = {242, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242, 50, 0, 242, 242},
    [0][1][LW_DOWN]  = {242, 0, 0, 0, 0, 0, 0, 0, 53, 129, 242, 242, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 50, 0, 222, 222},
    [1][0][LW_DOWN]  = {222, 0, 0, 0, 0, 0, 0, 0, 53, 129, 222, 222, 222, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 222, 222, 50, 0, 222, 222},
    [1][1][LW_DOWN]  = {222, 0, 0, 0, 0, 0, 0, 0, 53, 129, 222, 222, 222, 222, 222},
}};

/* The same with dwell time as without: what it forbids is in the payload sizes. */
#define OFFSETS \
    [0] = { 8,  8,  8,  8,  8,  8}, \
    [1] = { 9,  8,  8,  8,  8,  8}, \
    [2] = {10,  9,  8,  8,  8,  8}, \
    [3] = {11, 10,  9,  8,  8,  8}, \
    [4] = {12, 11, 10,  9,  8,  8}, \
    [5] = {13, 12, 11, 10,  9,  8}, \
    [6] = {13, 13, 12, 11, 10,  9}, \
    [7] = { 9,  8,  8,  8,  8,  8}, \
    [9] = {14, 13, 12, 11, 10,  9}, \
    [10] = { 0, 14, 13, 12, 11, 10},

const struct region region_au915 = {
    .id = REGION_AU915,
    .plan = REGION_FIXED,
    .min_hz = 915000000,
    .max_hz = 928000000,

    .rates[LW_UP] = {
        SIX_RATES,
        [6] = LORA(8, 500),
        [7] = LR_FHSS(1, 1523, 52),
        [9] = LORA(6, 125),
        [10] = LORA(5, 125),
    },
    .rates_since[LW_UP] = {[7] = RP002_1_0_2, [9] = RP002_1_0_5, [10] = RP002_1_0_5},
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
        {.first = 0, .count = 64, .base_hz = 915200000, .step_hz = 200000, .min_dr = 0, .max_dr = 5, .more_drs = DRS(9, 10)},
        {.first = 64, .count = 8, .base_hz = 915900000, .step_hz = 1600000, .min_dr = 6, .max_dr = 7},
    },
    .downlinks = {
        {.first = 0, .count = 8, .base_hz = 923300000, .step_hz = 600000, .min_dr = 8, .max_dr = 14, .more_drs = DRS(0, 0)},
    },
    .max_channels = 72,
    .join_drs = DRS(2, 2) | DRS(6, 6),
    .adr_max_dr = 5,
    .default_dr = 2,
    .backoff = {SIX_BACKOFF, [6] = 5, [7] = 0, [9] = 5, [10] = 9},

    .rx1_modulus = 8,
    .max_dr_offset = 5,
    .offsets = {[0] = {{OFFSETS}}, [1] = {{OFFSETS}}},
    .rx2_hz = 923300000,
    .rx2_dr = 8,
    USUAL_TIMES,

    .max_eirp_cdbm = 3000,
    .max_tx_power = 14,
    .max_tx_power_rp001 = 10,
    .down_eirp_dbm = 30,

    .tx_param_setup = true,
    .new_channel = false,
    .dl_channel = false,
    .dwell_ms = 400,
    .uplink_dwell = true,
    .downlink_dwell = false,
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
        [RP001_1_0_3A] = &payloads_rp001_1_0_3a,
        [RP001_1_1B] = &payloads_rp001_1_0_3a,
        [RP002_1_0_0] = &payloads_rp001_1_0_2b,
        [RP002_1_0_1] = &payloads_rp001_1_0_2b,
        [RP002_1_0_2] = &payloads_rp002_1_0_2,
        [RP002_1_0_3] = &payloads_rp002_1_0_2,
        [RP002_1_0_4] = &payloads_rp002_1_0_2,
        [RP002_1_0_5] = &payloads_rp002_1_0_5,
    },
};
/* clang-format on */
