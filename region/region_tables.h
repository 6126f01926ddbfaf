/*
 * region_tables.h - the tables that region_get knows, and what several of them share; inside
 * region/ only.
 */
#pragma once

#include "region/region.h"

extern const struct region region_eu868, region_us915, region_au915;
extern const struct region region_as923_1, region_as923_2, region_as923_3, region_as923_4;
extern const struct region region_cn470;
extern const struct region region_cn470_20a, region_cn470_20b, region_cn470_26a, region_cn470_26b;
extern const struct region region_cn779, region_eu433, region_kr920, region_in865, region_ru864;
extern const struct region region_ism2400;

extern const struct region_join region_joins[REGION_COMMON_JOINS];

/* Of the dynamic plans: ChMaskCntl of RP002-1.0.5, and the lists of CFList type 1. */
extern const struct chmask_rule region_chmask_80[CHMASK_RULES];
extern const struct region_list region_list_800, region_list_900;

/* clang-format off */
#define LORA(sf_, khz)    {.kind = MOD_LORA, .sf = (sf_), .coding_rate = 1, .bandwidth_hz = (khz) * 1000}
/* The width is called 812 kHz; the code is 4/8 with the long interleaver. */
#define LORA_2G4(sf_)     {.kind = MOD_LORA, .sf = (sf_), .coding_rate = 4, .bandwidth_hz = 812500}
#define FSK(bps)          {.kind = MOD_FSK, .bit_rate = (bps)}
#define LR_FHSS(cr, khz, grid) {.kind = MOD_LR_FHSS, .coding_rate = (cr), .grid_steps = (grid), .bandwidth_hz = (khz) * 1000}
#define DRS(from, to)     ((uint16_t)(((2u << (to)) - 1) & ~((1u << (from)) - 1)))
#define NO_DR             REGION_NO_DR

/* DR0 to DR5 of all plans that were modelled on EU868. */
#define SIX_RATES                                                                                  \
    [0] = LORA(12, 125), [1] = LORA(11, 125), [2] = LORA(10, 125),                                 \
    [3] = LORA(9, 125),  [4] = LORA(8, 125),  [5] = LORA(7, 125)
#define SIX_OFFSETS                                                                                \
    [0] = { 0,  0,  0,  0,  0,  0},                                                                \
    [1] = { 1,  0,  0,  0,  0,  0},                                                                \
    [2] = { 2,  1,  0,  0,  0,  0},                                                                \
    [3] = { 3,  2,  1,  0,  0,  0},                                                                \
    [4] = { 4,  3,  2,  1,  0,  0},                                                                \
    [5] = { 5,  4,  3,  2,  1,  0}
#define SIX_BACKOFF       [0] = NO_DR, [1] = 0, [2] = 1, [3] = 2, [4] = 3, [5] = 4

/* RECEIVE_DELAY1, JOIN_ACCEPT_DELAY1, ADR_ACK_LIMIT 64, ADR_ACK_DELAY 32: the same everywhere. */
#define USUAL_TIMES                                                                                \
    .receive_delay1_s = 1, .join_accept_delay1_s = 5, .adr_ack_limit_exp = 6, .adr_ack_delay_exp = 5

#define CHMASK_16_CHANNELS                                                                         \
    [0] = {CHMASK_GROUP, 0, 16}, [6] = {CHMASK_ALL_DEFINED, 0, 0}
/* clang-format on */
