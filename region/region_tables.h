/*
 * region_tables.h - the tables that region_get knows; inside region/ only.
 */
#pragma once

#include "region/region.h"

extern const struct region region_eu868;
extern const struct region region_us915;
extern const struct region region_as923_1;

/* clang-format off */
#define LORA(sf_, khz)    {.kind = MOD_LORA, .sf = (sf_), .coding_rate = 1, .bandwidth_hz = (khz) * 1000}
#define FSK(bps)          {.kind = MOD_FSK, .bit_rate = (bps)}
#define LR_FHSS(cr, khz, grid) {.kind = MOD_LR_FHSS, .coding_rate = (cr), .grid_steps = (grid), .bandwidth_hz = (khz) * 1000}
#define DRS(from, to)     ((uint16_t)(((2u << (to)) - 1) & ~((1u << (from)) - 1)))
/* clang-format on */
