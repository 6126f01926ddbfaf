#include "sim/plan.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
#define LORA(f, bw) {.kind = MOD_LORA, .sf = (f), .coding_rate = 1, .bandwidth_hz = (bw) * 1000u}
#define FSK50       {.kind = MOD_FSK, .bit_rate = 50000}

/* EU868 and AS923 have the same data rates, up and down: RP001 2.2.3, 2.10.3. */
#define EIGHT_RATES                                                                                \
    {LORA(12, 125), LORA(11, 125), LORA(10, 125), LORA(9, 125),                                    \
     LORA(8, 125),  LORA(7, 125),  LORA(7, 250),  FSK50}

static const struct sim_plan plans[SIM_REGION_COUNT] = {
    [SIM_EU868] = {
        .name = "EU868", .default_channels = 3, .join_min_dr = 0, .join_max_dr = 5,
        .max_dr = 7, .max_dr_offset = 5, .rx2_dr = 0, .rx2_hz = 869525000,
        .default_hz = {868100000, 868300000, 868500000},
        .min_hz = 863000000, .max_hz = 870000000,
        .up = EIGHT_RATES, .down = EIGHT_RATES,
        .up_octets = {{51, 51, 51, 115, 242, 242, 242, 242}, {51, 51, 51, 115, 242, 242, 242, 242}},
        .down_octets = {51, 51, 51, 115, 242, 242, 242, 242},
    },
    [SIM_US915] = {
        .name = "US915", .fixed = true, .join_min_dr = 0, .join_max_dr = 4,
        .max_dr = 4, .max_dr_offset = 3, .rx2_dr = 8, .rx2_hz = 923300000,
        .min_hz = 902000000, .max_hz = 928000000,
        .up = {LORA(10, 125), LORA(9, 125), LORA(8, 125), LORA(7, 125), LORA(8, 500)},
        .down = {[8] = LORA(12, 500), LORA(11, 500), LORA(10, 500), LORA(9, 500), LORA(8, 500),
                 LORA(7, 500)},
        .up_octets = {{11, 53, 125, 242, 242}, {11, 53, 125, 242, 242}},
        .down_octets = {[8] = 53, 129, 242, 242, 242, 242},
    },
    /* Downlinks: the devices' column is the one without dwell time; DR2 as in RP002-1.0.1. */
    [SIM_AS923] = {
        .name = "AS923", .tx_param_setup = true, .default_channels = 2,
        .join_min_dr = 2, .join_max_dr = 5,
        .max_dr = 7, .max_dr_offset = 7, .rx2_dr = 2, .rx2_hz = 923200000,
        .default_hz = {923200000, 923400000},
        .min_hz = 915000000, .max_hz = 928000000,
        .up = EIGHT_RATES, .down = EIGHT_RATES,
        .up_octets = {{51, 51, 51, 115, 242, 242, 242, 242}, {0, 0, 11, 53, 125, 242, 242, 242}},
        .down_octets = {51, 51, 115, 115, 242, 242, 242, 242},
    },
};
/* clang-format on */

const struct sim_plan *sim_plan(enum sim_region region)
{
    assert(region < SIM_REGION_COUNT);
    return &plans[region];
}

bool sim_plan_find(const char *name, enum sim_region *region)
{
    if (!strcmp(name, "AS923-1"))
        name = "AS923";
    for (unsigned i = 0; i < SIM_REGION_COUNT; i++) {
        if (strcmp(name, plans[i].name) != 0)
            continue;
        *region = (enum sim_region)i;
        return true;
    }
    return false;
}

static uint8_t clamp(int v, int low, int high)
{
    return (uint8_t)(v < low ? low : v > high ? high : v);
}

/* US915: DR0..3 answer at DR10..13 (SF10..7 at 500 kHz), the 500 kHz DR4 at DR13 too. */
static uint8_t us915_rx1_dr(uint8_t up_dr, uint8_t offset)
{
    return clamp((up_dr == 4 ? 14 : 10 + up_dr) - offset, 8, 13);
}

/* AS923: offsets 6 and 7 raise the data rate by 1 and 2; with dwell time nothing below DR2. */
static uint8_t as923_rx1_dr(uint8_t up_dr, uint8_t offset, bool dwell, bool rp002)
{
    int effective = offset <= 5 ? offset : 5 - offset;

    return clamp(up_dr - effective, dwell ? 2 : 0, rp002 ? 7 : 5);
}

uint8_t sim_plan_rx1_dr(enum sim_region region, uint8_t up_dr, uint8_t offset, bool dwell,
                        bool rp002)
{
    if (region == SIM_US915)
        return us915_rx1_dr(up_dr, offset);
    if (region == SIM_AS923)
        return as923_rx1_dr(up_dr, offset, dwell, rp002);
    return clamp(up_dr - offset, 0, 7);
}

uint32_t sim_plan_fixed_hz(unsigned channel)
{
    return channel < 64 ? 902300000 + 200000 * channel : 903000000 + 1600000 * (channel - 64);
}

uint32_t sim_plan_fixed_rx1_hz(unsigned channel)
{
    return 923300000 + 600000 * (channel % 8);
}

uint8_t sim_plan_max_power(enum sim_region region, enum lw_version version)
{
    if (region != SIM_US915)
        return 7;
    return version <= LW_1_0_2 ? 10 : 14;
}
