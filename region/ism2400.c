/*
 * ism2400.c - 2400-2480 MHz, everywhere; not of RP002. Frequencies are sent in steps of 200 Hz,
 * and all frames use the long interleaver (4/8LI).
 */
#include "region/region_tables.h"

/* clang-format off */
static const struct region_payloads payloads_rp001_1_0_2b = {{
    [0][0][LW_UP]    = {51, 115, 240, 240, 240, 240, 240, 240},
    [0][0][LW_DOWN]  = {51, 115, 240, 240, 240, 240, 240, 240},
    [1][0][LW_UP]    = {51, 115, 220, 220, 220, 220, 220, 220},
    [1][0][LW_DOWN]  = {51, 115, 220, 220, 220, 220, 220, 220},
}};

const struct region region_ism2400 = {
    .id = REGION_ISM2400,
    .plan = REGION_DYNAMIC,
    .min_hz = 2400000000,
    .max_hz = 2480000000,

    .rates[LW_UP] = {
        [0] = LORA_2G4(12),
        [1] = LORA_2G4(11),
        [2] = LORA_2G4(10),
        [3] = LORA_2G4(9),
        [4] = LORA_2G4(8),
        [5] = LORA_2G4(7),
        [6] = LORA_2G4(6),
        [7] = LORA_2G4(5),
    },
    .rates[LW_DOWN] = {
        [0] = LORA_2G4(12),
        [1] = LORA_2G4(11),
        [2] = LORA_2G4(10),
        [3] = LORA_2G4(9),
        [4] = LORA_2G4(8),
        [5] = LORA_2G4(7),
        [6] = LORA_2G4(6),
        [7] = LORA_2G4(5),
    },

    .defaults = {
        {2403000000, 0, 0, 7, 0},
        {2425000000, 0, 0, 7, 0},
        {2479000000, 0, 0, 7, 0},
    },
    .max_channels = 16,
    .join_drs = DRS(0, 7),
    .adr_max_dr = 7,
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
    .rx2_hz = 2423000000,
    .rx2_dr = 0,
    USUAL_TIMES,

    .max_eirp_cdbm = 1000,
    .max_tx_power = 7,
    .down_eirp_dbm = 10,

    .tx_param_setup = true,
    .new_channel = true,
    .dl_channel = true,
    .cflist_type = 0,
    .cflist_since = LW_1_0_0,
    .cflist_first = 3,
    .cflist_max_dr = 7,

    .chmask = {CHMASK_16_CHANNELS},
    .beacon_dr = 3,
    .ping_dr = 3,
    .beacon = {.base_hz = 2424000000},
    .ping = {.base_hz = 2424000000},
    .relay = {{2423000000, 2477000000, 3}},
    .payloads = {
        [RP001_1_0_2B] = &payloads_rp001_1_0_2b,
        [RP001_1_0_3A] = &payloads_rp001_1_0_2b,
        [RP001_1_1B] = &payloads_rp001_1_0_2b,
        [RP002_1_0_0] = &payloads_rp001_1_0_2b,
        [RP002_1_0_1] = &payloads_rp001_1_0_2b,
        [RP002_1_0_2] = &payloads_rp001_1_0_2b,
        [RP002_1_0_3] = &payloads_rp001_1_0_2b,
        [RP002_1_0_4] = &payloads_rp001_1_0_2b,
        [RP002_1_0_5] = &payloads_rp001_1_0_2b,
    },
};
/* clang-format on */
