/*
 * as923.c - 915-928 MHz, Asia and beyond: four groups of countries with one plan, which lies
 * 0, 1.8, 6.6 and 5.9 MHz below that of the first (AS923_FREQ_OFFSET_HZ).
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242, 242},
    [0][1][LW_DOWN]  = {0, 0, 11, 53, 125, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242, 242},
    [1][1][LW_DOWN]  = {0, 0, 11, 53, 125, 242, 242, 242},
}};

static const struct region_payloads payloads_rp002_1_0_0 = {{
    [0][0][LW_UP]    = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 51, 115, 242, 242, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242, 242},
    [0][1][LW_DOWN]  = {0, 0, 11, 53, 125, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 51, 115, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 51, 115, 222, 222, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 222, 222, 222},
    [1][1][LW_DOWN]  = {0, 0, 11, 53, 125, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_1 = {{
    [0][0][LW_UP]    = {51, 51, 115, 115, 242, 242, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 115, 115, 242, 242, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242, 242},
    [0][1][LW_DOWN]  = {0, 0, 11, 53, 125, 242, 242, 242},
    [1][0][LW_UP]    = {51, 51, 115, 115, 222, 222, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 115, 115, 222, 222, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 222, 222, 222},
    [1][1][LW_DOWN]  = {0, 0, 11, 53, 125, 222, 222, 222},
}};

static const struct region_payloads payloads_rp002_1_0_5 = {{
    [0][0][LW_UP]    = {51, 51, 115, 115, 242, 242, 242, 242, 0, 0, 0, 0, 242, 242},
    [0][0][LW_DOWN]  = {51, 51, 115, 115, 242, 242, 242, 242, 0, 0, 0, 0, 242, 242},
    [0][1][LW_UP]    = {0, 0, 11, 53, 125, 242, 242, 242, 0, 0, 0, 0, 242, 242},
    [0][1][LW_DOWN]  = {0, 0, 11, 53, 125, 242, 242, 242, 0, 0, 0, 0, 242, 242},
    [1][0][LW_UP]    = {51, 51, 115, 115, 222, 222, 222, 222, 0, 0, 0, 0, 222, 222},
    [1][0][LW_DOWN]  = {51, 51, 115, 115, 222, 222, 222, 222, 0, 0, 0, 0, 222, 222},
    [1][1][LW_UP]    = {0, 0, 11, 53, 125, 222, 222, 222, 0, 0, 0, 0, 222, 222},
    [1][1][LW_DOWN]  = {0, 0, 11, 53, 125, 222, 222, 222, 0, 0, 0, 0, 222, 222},
}};

/* RP001 clamps at DR5. */
static const struct region_offsets offsets_rp001[2] = {
    [0] = {{
        [0] = { 0,  0,  0,  0,  0,  0,  1,  2},
        [1] = { 1,  0,  0,  0,  0,  0,  2,  3},
        [2] = { 2,  1,  0,  0,  0,  0,  3,  4},
        [3] = { 3,  2,  1,  0,  0,  0,  4,  5},
        [4] = { 4,  3,  2,  1,  0,  0,  5,  5},
        [5] = { 5,  4,  3,  2,  1,  0,  5,  5},
        [6] = { 5,  5,  4,  3,  2,  1,  5,  5},
        [7] = { 5,  5,  5,  4,  3,  2,  5,  5},
    }},
    [1] = {{
        [0] = { 2,  2,  2,  2,  2,  2,  2,  2},
        [1] = { 2,  2,  2,  2,  2,  2,  2,  3},
        [2] = { 2,  2,  2,  2,  2,  2,  3,  4},
        [3] = { 3,  2,  2,  2,  2,  2,  4,  5},
        [4] = { 4,  3,  2,  2,  2,  2,  5,  5},
        [5] = { 5,  4,  3,  2,  2,  2,  5,  5},
        [6] = { 5,  5,  4,  3,  2,  2,  5,  5},
        [7] = { 5,  5,  5,  4,  3,  2,  5,  5},
    }},
};

/* What the groups have in common. Groups 2 and 3 are known since RP002-1.0.1, 4 since
 * RP002-1.0.3: a device of an older revision that lives there has the sizes of the first. */
#define AS923_RULES \
    .plan = REGION_DYNAMIC, \
    .rates[LW_UP] = { \
        SIX_RATES, \
        [6] = LORA(7, 250), \
        [7] = FSK(50000), \
        [12] = LORA(6, 125), \
        [13] = LORA(5, 125), \
    }, \
    .rates_since[LW_UP] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5}, \
    .rates[LW_DOWN] = { \
        SIX_RATES, \
        [6] = LORA(7, 250), \
        [7] = FSK(50000), \
        [12] = LORA(6, 125), \
        [13] = LORA(5, 125), \
    }, \
    .rates_since[LW_DOWN] = {[12] = RP002_1_0_5, [13] = RP002_1_0_5}, \
    .max_channels = 16, \
    .join_drs = DRS(2, 5), \
    .adr_max_dr = 5, \
    .default_dr = 2, \
    .backoff = {SIX_BACKOFF, [6] = 5, [7] = 6, [12] = 5, [13] = 12}, \
    .max_dr_offset = 7, \
    .offsets = { \
        [0] = {{ \
            [0] = { 0,  0,  0,  0,  0,  0,  1,  2}, \
            [1] = { 1,  0,  0,  0,  0,  0,  2,  3}, \
            [2] = { 2,  1,  0,  0,  0,  0,  3,  4}, \
            [3] = { 3,  2,  1,  0,  0,  0,  4,  5}, \
            [4] = { 4,  3,  2,  1,  0,  0,  5,  6}, \
            [5] = { 5,  4,  3,  2,  1,  0,  6,  7}, \
            [6] = { 6,  5,  4,  3,  2,  1,  7,  7}, \
            [7] = { 7,  6,  5,  4,  3,  2,  7,  7}, \
            [12] = {12,  5,  4,  3,  2,  1, 13, 13}, \
            [13] = {13, 12,  5,  4,  3,  2, 13, 13}, \
        }}, \
        [1] = {{ \
            [0] = { 2,  2,  2,  2,  2,  2,  2,  2}, \
            [1] = { 2,  2,  2,  2,  2,  2,  2,  3}, \
            [2] = { 2,  2,  2,  2,  2,  2,  3,  4}, \
            [3] = { 3,  2,  2,  2,  2,  2,  4,  5}, \
            [4] = { 4,  3,  2,  2,  2,  2,  5,  6}, \
            [5] = { 5,  4,  3,  2,  2,  2,  6,  7}, \
            [6] = { 6,  5,  4,  3,  2,  2,  7,  7}, \
            [7] = { 7,  6,  5,  4,  3,  2,  7,  7}, \
            [12] = {12,  5,  4,  3,  2,  2, 13, 13}, \
            [13] = {13, 12,  5,  4,  3,  2, 13, 13}, \
        }}, \
    }, \
    .offsets_rp001 = offsets_rp001, \
    .rx2_dr = 2, \
    USUAL_TIMES, \
    .max_eirp_cdbm = 1600, \
    .max_tx_power = 7, \
    .down_eirp_dbm = 16, \
    .tx_param_setup = true, \
    .new_channel = true, \
    .dl_channel = true, \
    .dwell_ms = 400, \
    .uplink_dwell = true, \
    .downlink_dwell = false, \
    .cflist_type = 0, \
    .cflist_since = LW_1_0_0, \
    .cflist_first = 2, \
    .cflist_max_dr = 5, \
    .fixed_list = &region_list_900, \
    .chmask = {CHMASK_16_CHANNELS}, \
    .chmask_1_0_5 = region_chmask_80, \
    .lbt = {LBT_COUNTRY, -80, 5}, \
    .beacon_dr = 3, \
    .ping_dr = 3, \
    .payloads = { \
        [RP001_1_0_2B] = &payloads_rp001_1_0_2b, \
        [RP001_1_0_3A] = &payloads_rp001_1_0_2b, \
        [RP001_1_1B] = &payloads_rp001_1_0_2b, \
        [RP002_1_0_0] = &payloads_rp002_1_0_0, \
        [RP002_1_0_1] = &payloads_rp002_1_0_1, \
        [RP002_1_0_2] = &payloads_rp002_1_0_1, \
        [RP002_1_0_3] = &payloads_rp002_1_0_1, \
        [RP002_1_0_4] = &payloads_rp002_1_0_1, \
        [RP002_1_0_5] = &payloads_rp002_1_0_5, \
    },

/* What moves with the offset. */
#define AS923_FREQUENCIES(below) \
    .defaults = {{923200000 - (below), 0, 0, 5, 0}, {923400000 - (below), 0, 0, 5, 0}}, \
    .rx2_hz = 923200000 - (below), \
    .beacon = {.base_hz = 923400000 - (below)}, \
    .ping = {.base_hz = 923400000 - (below)}, \
    .relay = {{923600000 - (below), 923800000 - (below), 3}}

const struct region region_as923_1 = {
    .id = REGION_AS923_1,
    .min_hz = 915000000,
    .max_hz = 928000000,
    AS923_FREQUENCIES(0),
    .extras = {
        {922200000, 0, 0, 5, 0}, {922400000, 0, 0, 5, 0}, {922600000, 0, 0, 5, 0},
        {922800000, 0, 0, 5, 0}, {923000000, 0, 0, 5, 0},
    },
    .bands = {{"default", 923000000, 923500000, 10, 16}},
    AS923_RULES
};

const struct region region_as923_2 = {
    .id = REGION_AS923_2,
    .min_hz = 920000000,
    .max_hz = 923000000,
    AS923_FREQUENCIES(1800000),
    .bands = {{"default", 921400000, 922000000, 10, 16}},
    AS923_RULES
};

const struct region region_as923_3 = {
    .id = REGION_AS923_3,
    .min_hz = 915000000,
    .max_hz = 921000000,
    AS923_FREQUENCIES(6600000),
    .bands = {{"default", 916500000, 917000000, 10, 16}},
    AS923_RULES
};

const struct region region_as923_4 = {
    .id = REGION_AS923_4,
    .min_hz = 917000000,
    .max_hz = 920000000,
    AS923_FREQUENCIES(5900000),
    .bands = {{"default", 917300000, 917600000, 10, 16}},
    AS923_RULES
};
/* clang-format on */
