/*
 * ru864.c - 864-870 MHz, Russia. The duty cycle of the default channels is the careful one of two
 * that are in use (1 %; the band as such would allow 10 %).
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_3a = {{
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

const struct region region_ru864 = {
    .id = REGION_RU864,
    .plan = REGION_DYNAMIC,
    .min_hz = 864000000,
    .max_hz = 870000000,

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
        {868900000, 0, 0, 5, 0},
        {869100000, 0, 0, 5, 0},
    },
    .extras = {
        {864100000, 0, 0, 5, 0}, {864300000, 0, 0, 5, 0}, {864500000, 0, 0, 5, 0},
        {864700000, 0, 0, 5, 0}, {864900000, 0, 0, 5, 0},
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
    .rx2_hz = 869100000,
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
    .cflist_first = 2,
    .cflist_max_dr = 5,
    .fixed_list = &region_list_800,

    .chmask = {CHMASK_16_CHANNELS},
    .chmask_1_0_5 = region_chmask_80,
    .bands = {
        {"864 MHz", 864000000, 865000000, 1, 16},
        {"866 MHz", 866000000, 868000000, 10, 16},
        {"868 MHz", 868700000, 869200000, 10, 22},
    },
    .beacon_dr = 3,
    .ping_dr = 3,
    .beacon = {.base_hz = 869100000},
    .ping = {.base_hz = 868900000},
    .relay = {{866100000, 866300000, 3}, {866500000, 866900000, 3}},
    .payloads = {
        [RP001_1_0_3A] = &payloads_rp001_1_0_3a,
        [RP001_1_1B] = &payloads_rp001_1_0_3a,
        [RP002_1_0_0] = &payloads_rp001_1_0_3a,
        [RP002_1_0_1] = &payloads_rp001_1_0_3a,
        [RP002_1_0_2] = &payloads_rp001_1_0_3a,
        [RP002_1_0_3] = &payloads_rp001_1_0_3a,
        [RP002_1_0_4] = &payloads_rp001_1_0_3a,
        [RP002_1_0_5] = &payloads_rp002_1_0_5,
    },
};
/* clang-format on */
