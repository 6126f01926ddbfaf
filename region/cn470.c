/*
 * cn470.c - 470-510 MHz, China. CN470 itself is the plan of RP001 (96 channels up, 48 down), still
 * the one in wide use; RP002 has four others, two for antennas of 20 MHz and two for 26 MHz. A
 * device of RP002 asks to join on twenty channels of all four and takes the plan of the one that is
 * answered.
 */
#include "region/region_tables.h"

/* clang-format off */
const struct region_join region_joins[REGION_COMMON_JOINS] = {
    {REGION_CN470_20A, 470900000, 484500000, 485300000},
    {REGION_CN470_20A, 472500000, 486100000, 486900000},
    {REGION_CN470_20A, 474100000, 487700000, 488500000},
    {REGION_CN470_20A, 475700000, 489300000, 490100000},
    {REGION_CN470_20A, 504100000, 490900000, 491700000},
    {REGION_CN470_20A, 505700000, 492500000, 493300000},
    {REGION_CN470_20A, 507300000, 494100000, 494900000},
    {REGION_CN470_20A, 508900000, 495700000, 496500000},
    {REGION_CN470_20B, 479900000, 479900000, 478300000},
    {REGION_CN470_20B, 499900000, 499900000, 498300000},
    {REGION_CN470_26A, 470300000, 492500000, 492500000},
    {REGION_CN470_26A, 472300000, 492500000, 492500000},
    {REGION_CN470_26A, 474300000, 492500000, 492500000},
    {REGION_CN470_26A, 476300000, 492500000, 492500000},
    {REGION_CN470_26A, 478300000, 492500000, 492500000},
    {REGION_CN470_26B, 480300000, 502500000, 502500000},
    {REGION_CN470_26B, 482300000, 502500000, 502500000},
    {REGION_CN470_26B, 484300000, 502500000, 502500000},
    {REGION_CN470_26B, 486300000, 502500000, 502500000},
    {REGION_CN470_26B, 488300000, 502500000, 502500000},
};

/* ---- RP001 ----------------------------------------------------------------------------------- */

static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222},
}};

const struct region region_cn470 = {
    .id = REGION_CN470,
    .plan = REGION_FIXED,
    .min_hz = 470000000,
    .max_hz = 510000000,

    .rates[LW_UP] = {
        SIX_RATES,
    },
    .rates[LW_DOWN] = {
        SIX_RATES,
    },

    .uplinks = {
        {.first = 0, .count = 96, .base_hz = 470300000, .step_hz = 200000, .min_dr = 0, .max_dr = 5},
    },
    .downlinks = {
        {.first = 0, .count = 48, .base_hz = 500300000, .step_hz = 200000, .min_dr = 0, .max_dr = 5},
    },
    .max_channels = 96,
    .join_drs = DRS(0, 5),
    .adr_max_dr = 5,
    .default_dr = 0,
    .backoff = {SIX_BACKOFF},

    .rx1_modulus = 48,
    .max_dr_offset = 5,
    .offsets = {
        [0] = {{
            SIX_OFFSETS,
        }},
    },
    .rx2_hz = 505300000,
    .rx2_dr = 0,
    USUAL_TIMES,

    .max_eirp_cdbm = 1915,
    .max_tx_power = 7,
    .down_eirp_dbm = 19,

    .tx_param_setup = false,
    .new_channel = false,
    .dl_channel = false,
    .dwell_ms = 1000,
    .cflist_type = 1,
    .cflist_since = LW_1_0_3,
    .cflist_words = 6,

    .chmask = {
        [0] = {CHMASK_GROUP, 0, 16},
        [1] = {CHMASK_GROUP, 16, 16},
        [2] = {CHMASK_GROUP, 32, 16},
        [3] = {CHMASK_GROUP, 48, 16},
        [4] = {CHMASK_GROUP, 64, 16},
        [5] = {CHMASK_GROUP, 80, 16},
        [6] = {CHMASK_ALL_DEFINED, 0, 0},
    },
    .lbt = {LBT_COUNTRY, -80, 5},
    .beacon_dr = 2,
    .ping_dr = 2,
    .beacon = {.base_hz = 508300000, .step_hz = 200000, .count = 8},
    .ping = {.base_hz = 508300000, .step_hz = 200000, .count = 8},
    .relay = {{472100000, 485300000, 3}, {494900000, 505500000, 3}},
    .payloads = {
        [RP001_1_0_2B] = &payloads_rp001_1_0_2b,
        [RP001_1_0_3A] = &payloads_rp001_1_0_2b,
        [RP001_1_1B] = &payloads_rp001_1_0_2b,
    },
};

/* ---- RP002 ----------------------------------------------------------------------------------- */

static const struct region_payloads payloads_rp002_1_0_0 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242},
}};

static const struct region_payloads payloads_rp002_1_0_1 = {{
    [0][0][LW_UP]    = {0, 23, 86, 184, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {0, 23, 86, 184, 242, 242, 242, 242},
    [1][0][LW_UP]    = {0, 23, 86, 164, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {0, 23, 86, 164, 222, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_2 = {{
    [0][0][LW_UP]    = {0, 23, 86, 184, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {0, 23, 86, 184, 242, 242, 242, 242},
    [1][0][LW_UP]    = {0, 23, 86, 184, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {0, 23, 86, 184, 222, 222, 222, 222},
}};

/* DR0 carries nothing: more than a second on air is not allowed. */
#define CN470_RULES \
    .plan = REGION_FIXED, \
    .min_hz = 470000000, \
    .max_hz = 510000000, \
    .rates[LW_UP] = { \
        SIX_RATES, \
        [6] = LORA(7, 500), \
        [7] = FSK(50000), \
    }, \
    .rates_since[LW_UP] = {[6] = RP002_1_0_1, [7] = RP002_1_0_1}, \
    .rates[LW_DOWN] = { \
        SIX_RATES, \
        [6] = LORA(7, 500), \
        [7] = FSK(50000), \
    }, \
    .rates_since[LW_DOWN] = {[6] = RP002_1_0_1, [7] = RP002_1_0_1}, \
    .join_drs = DRS(1, 5), \
    .adr_max_dr = 5, \
    .default_dr = 1, \
    .backoff = {[0] = NO_DR, [1] = NO_DR, [2] = 1, [3] = 2, [4] = 3, [5] = 4, [6] = 5, [7] = 6}, \
    .max_dr_offset = 5, \
    .offsets = { \
        [0] = {{ \
            [0] = { 0,  0,  0,  0,  0,  0}, \
            [1] = { 1,  1,  1,  1,  1,  1}, \
            [2] = { 2,  1,  1,  1,  1,  1}, \
            [3] = { 3,  2,  1,  1,  1,  1}, \
            [4] = { 4,  3,  2,  1,  1,  1}, \
            [5] = { 5,  4,  3,  2,  1,  1}, \
            [6] = { 6,  5,  4,  3,  2,  1}, \
            [7] = { 7,  6,  5,  4,  3,  2}, \
        }}, \
    }, \
    .rx2_dr = 1, \
    USUAL_TIMES, \
    .max_eirp_cdbm = 1915, \
    .max_tx_power = 7, \
    .down_eirp_dbm = 19, \
    .tx_param_setup = false, \
    .new_channel = false, \
    .dl_channel = false, \
    .dwell_ms = 1000, \
    .cflist_type = 1, \
    .cflist_since = LW_1_0_3, \
    .lbt = {LBT_COUNTRY, -80, 5}, \
    .beacon_dr = 2, \
    .ping_dr = 2, \
    .relay = {{472100000, 485300000, 3}, {494900000, 505500000, 3}}, \
    .payloads = { \
        [RP002_1_0_0] = &payloads_rp002_1_0_0, \
        [RP002_1_0_1] = &payloads_rp002_1_0_1, \
        [RP002_1_0_2] = &payloads_rp002_1_0_2, \
        [RP002_1_0_3] = &payloads_rp002_1_0_2, \
        [RP002_1_0_4] = &payloads_rp002_1_0_2, \
        [RP002_1_0_5] = &payloads_rp002_1_0_2, \
    },

const struct region region_cn470_20a = {
    .id = REGION_CN470_20A,
    .uplinks = {
        {.first = 0, .count = 32, .base_hz = 470300000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
        {.first = 32, .count = 32, .base_hz = 503500000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .downlinks = {
        {.first = 0, .count = 32, .base_hz = 483900000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
        {.first = 32, .count = 32, .base_hz = 490300000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .max_channels = 64,
    .rx1_modulus = 64,
    .rx2_hz = 486900000,
    .cflist_words = 4,
    .chmask = {
        [0] = {CHMASK_GROUP, 0, 16},
        [1] = {CHMASK_GROUP, 16, 16},
        [2] = {CHMASK_GROUP, 32, 16},
        [3] = {CHMASK_GROUP, 48, 16},
        [6] = {CHMASK_ALL_DEFINED, 0, 0},
        [7] = {CHMASK_ALL_OFF, 0, 0},
    },
    .beacon = {.base_hz = 483900000, .step_hz = 200000, .count = 8, .join_step_hz = 1600000, .first_join = 0},
    .ping = {.base_hz = 483900000, .step_hz = 200000, .count = 8, .join_step_hz = 1600000, .first_join = 0},
    CN470_RULES
};

const struct region region_cn470_20b = {
    .id = REGION_CN470_20B,
    .uplinks = {
        {.first = 0, .count = 32, .base_hz = 476900000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
        {.first = 32, .count = 32, .base_hz = 496900000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .downlinks = {
        {.first = 0, .count = 32, .base_hz = 476900000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
        {.first = 32, .count = 32, .base_hz = 496900000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .max_channels = 64,
    .rx1_modulus = 64,
    .rx2_hz = 498300000,
    .cflist_words = 4,
    .chmask = {
        [0] = {CHMASK_GROUP, 0, 16},
        [1] = {CHMASK_GROUP, 16, 16},
        [2] = {CHMASK_GROUP, 32, 16},
        [3] = {CHMASK_GROUP, 48, 16},
        [6] = {CHMASK_ALL_DEFINED, 0, 0},
        [7] = {CHMASK_ALL_OFF, 0, 0},
    },
    .beacon = {.base_hz = 481500000, .join_step_hz = 20000000, .first_join = 8},
    .ping = {.base_hz = 476900000, .step_hz = 200000, .count = 32, .join_step_hz = 20000000, .first_join = 8},
    CN470_RULES
};

const struct region region_cn470_26a = {
    .id = REGION_CN470_26A,
    .uplinks = {
        {.first = 0, .count = 48, .base_hz = 470300000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .downlinks = {
        {.first = 0, .count = 24, .base_hz = 490100000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .max_channels = 48,
    .rx1_modulus = 24,
    .rx2_hz = 492500000,
    .cflist_words = 3,
    .chmask = {
        [0] = {CHMASK_GROUP, 0, 16},
        [1] = {CHMASK_GROUP, 16, 16},
        [2] = {CHMASK_GROUP, 32, 16},
        [3] = {CHMASK_ALL_DEFINED, 0, 0},
        [4] = {CHMASK_ALL_OFF, 0, 0},
    },
    .beacon = {.base_hz = 494900000},
    .ping = {.base_hz = 494900000},
    CN470_RULES
};

const struct region region_cn470_26b = {
    .id = REGION_CN470_26B,
    .uplinks = {
        {.first = 0, .count = 48, .base_hz = 480300000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .downlinks = {
        {.first = 0, .count = 24, .base_hz = 500100000, .step_hz = 200000, .min_dr = 1, .max_dr = 5},
    },
    .max_channels = 48,
    .rx1_modulus = 24,
    .rx2_hz = 502500000,
    .cflist_words = 3,
    .chmask = {
        [0] = {CHMASK_GROUP, 0, 16},
        [1] = {CHMASK_GROUP, 16, 16},
        [2] = {CHMASK_GROUP, 32, 16},
        [3] = {CHMASK_ALL_DEFINED, 0, 0},
        [4] = {CHMASK_ALL_OFF, 0, 0},
    },
    .beacon = {.base_hz = 504900000},
    .ping = {.base_hz = 504900000},
    CN470_RULES
};
/* clang-format on */
