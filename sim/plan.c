#include "sim/plan.h"

#include <assert.h>
#include <string.h>

/* clang-format off */
#define LORA(f, bw) {.kind = MOD_LORA, .sf = (f), .coding_rate = 1, .bandwidth_hz = (bw) * 1000u}
#define LORA24(f)   {.kind = MOD_LORA, .sf = (f), .coding_rate = 4, .bandwidth_hz = 812500}
#define FSK50       {.kind = MOD_FSK, .bit_rate = 50000}
#define NONE        {.kind = MOD_LORA}

#define SIX_RATES                                                                                  \
    LORA(12, 125), LORA(11, 125), LORA(10, 125), LORA(9, 125), LORA(8, 125), LORA(7, 125)
/* EU868 and many after it have the same data rates, up and down: RP001 2.2.3, 2.10.3. */
#define EIGHT_RATES {SIX_RATES, LORA(7, 250), FSK50}
#define RATES_24                                                                                   \
    {LORA24(12), LORA24(11), LORA24(10), LORA24(9), LORA24(8), LORA24(7), LORA24(6), LORA24(5)}
#define DOWN_500                                                                                   \
    {[8] = LORA(12, 500), LORA(11, 500), LORA(10, 500), LORA(9, 500), LORA(8, 500), LORA(7, 500)}

#define OCTETS_EU {51, 51, 51, 115, 242, 242, 242, 242}

/* A dynamic plan like EU868; `power` is the highest TXPower index. */
#define LIKE_EU868(power)                                                                              \
    .join_max_dr = 5, .max_dr = 7, .channel_max_dr = 5, .max_dr_offset = 5, .max_power = (power),  \
    .rx1_high = 7, .unit_hz = 100, .up = EIGHT_RATES, .down = EIGHT_RATES,                         \
    .up_octets = {OCTETS_EU, OCTETS_EU}, .down_octets = OCTETS_EU

/* Downlinks: the devices' column is the one without dwell time; DR2 as in RP002-1.0.1. */
#define AS923_GROUP(text, below, low, high)                                                        \
    {.name = (text), .tx_param_setup = true, .dwell = true, .default_channels = 2,                 \
     .join_min_dr = 2, .join_max_dr = 5, .max_dr = 7, .channel_max_dr = 5, .max_dr_offset = 7,     \
     .max_power = 7, .rx1_high = 7, .rx1_raises = true, .rx2_dr = 2,                               \
     .rx2_hz = 923200000 - (below), .default_hz = {923200000 - (below), 923400000 - (below)},      \
     .min_hz = (low), .max_hz = (high), .unit_hz = 100, .up = EIGHT_RATES, .down = EIGHT_RATES,    \
     .up_octets = {OCTETS_EU, {0, 0, 11, 53, 125, 242, 242, 242}},                                 \
     .down_octets = {51, 51, 115, 115, 242, 242, 242, 242}}

/* The numbered plans of America and Australia. */
#define LIKE_US915                                                                                 \
    .fixed = true, .max_power = 14, .max_power_old = 10, .rx1_low = 8, .rx1_high = 13,             \
    .rx2_dr = 8, .rx2_hz = 923300000, .max_hz = 928000000, .unit_hz = 100,                         \
    .down_rows = {{8, 923300000, 600000}}, .down_count = 8,                                        \
    .masks = {.groups = 5, .blocks = 5, .on = 6, .off = 7},                                        \
    .down = DOWN_500, .down_octets = {[8] = 53, 129, 242, 242, 242, 242}

/* CN470 of RP002: DR0 is too slow for a second on air. */
#define LIKE_CN470                                                                                 \
    .fixed = true, .join_min_dr = 1, .join_max_dr = 5, .min_dr = 1, .max_dr = 5,                   \
    .channel_max_dr = 5, .max_dr_offset = 5, .max_power = 7, .rx1_low = 1, .rx1_high = 7,          \
    .rx2_dr = 1, .min_hz = 470000000, .max_hz = 510000000, .unit_hz = 100,                         \
    .up = {SIX_RATES, LORA(7, 500), FSK50}, .down = {SIX_RATES, LORA(7, 500), FSK50},              \
    .up_octets = {{0, 23, 86, 184, 242, 242, 242, 242}, {0, 23, 86, 184, 242, 242, 242, 242}},     \
    .down_octets = {0, 23, 86, 184, 242, 242, 242, 242}

static const struct sim_plan plans[SIM_REGION_COUNT] = {
    [SIM_EU868] = {
        .name = "EU868", .default_channels = 3, .rx2_hz = 869525000,
        .default_hz = {868100000, 868300000, 868500000},
        .min_hz = 863000000, .max_hz = 870000000, LIKE_EU868(7),
    },
    [SIM_US915] = {
        .name = "US915", .join_min_dr = 0, .join_max_dr = 4, .max_dr = 4, .channel_max_dr = 3,
        .wide_dr = 4, .max_dr_offset = 3, .rx1_base = 10, .min_hz = 902000000,
        .up_rows = {{64, 902300000, 200000}, {8, 903000000, 1600000}},
        .up = {LORA(10, 125), LORA(9, 125), LORA(8, 125), LORA(7, 125), LORA(8, 500)},
        .up_octets = {{11, 53, 125, 242, 242}, {11, 53, 125, 242, 242}}, LIKE_US915,
    },
    [SIM_AU915] = {
        .name = "AU915", .tx_param_setup = true, .dwell = true, .join_min_dr = 2, .join_max_dr = 6,
        .max_dr = 6, .channel_max_dr = 5, .wide_dr = 6, .max_dr_offset = 5, .rx1_base = 8,
        .min_hz = 915000000,
        .up_rows = {{64, 915200000, 200000}, {8, 915900000, 1600000}},
        .up = {SIX_RATES, LORA(8, 500)},
        .up_octets = {{51, 51, 51, 115, 242, 242, 242}, {0, 0, 11, 53, 125, 242, 242}}, LIKE_US915,
    },
    [SIM_AS923] = AS923_GROUP("AS923", 0, 915000000, 928000000),
    [SIM_AS923_2] = AS923_GROUP("AS923-2", 1800000, 920000000, 923000000),
    [SIM_AS923_3] = AS923_GROUP("AS923-3", 6600000, 915000000, 921000000),
    [SIM_AS923_4] = AS923_GROUP("AS923-4", 5900000, 917000000, 920000000),
    [SIM_CN470] = {
        .name = "CN470", .fixed = true, .join_max_dr = 5, .max_dr = 5, .channel_max_dr = 5,
        .max_dr_offset = 5, .max_power = 7, .rx1_high = 5, .rx2_dr = 0, .rx2_hz = 505300000,
        .min_hz = 470000000, .max_hz = 510000000, .unit_hz = 100,
        .up_rows = {{96, 470300000, 200000}}, .down_rows = {{48, 500300000, 200000}},
        .down_count = 48, .masks = {.groups = 6, .blocks = 0xff, .on = 6, .off = 0xff},
        .up = {SIX_RATES}, .down = {SIX_RATES},
        .up_octets = {OCTETS_EU, OCTETS_EU}, .down_octets = {51, 51, 51, 115, 242, 242},
    },
    [SIM_CN470_20A] = {
        .name = "CN470-20A", .rx2_hz = 486900000,
        .up_rows = {{32, 470300000, 200000}, {32, 503500000, 200000}},
        .down_rows = {{64, 483900000, 200000}}, .down_count = 64,
        .masks = {.groups = 4, .blocks = 0xff, .on = 6, .off = 7},
        .joins = {.first = 3, .step = 8, .count = 8, .rx2_hz = 485300000, .rx2_step_hz = 1600000},
        LIKE_CN470,
    },
    [SIM_CN470_20B] = {
        .name = "CN470-20B", .rx2_hz = 498300000,
        .up_rows = {{32, 476900000, 200000}, {32, 496900000, 200000}},
        .down_rows = {{32, 476900000, 200000}, {32, 496900000, 200000}}, .down_count = 64,
        .masks = {.groups = 4, .blocks = 0xff, .on = 6, .off = 7},
        .joins = {.first = 15, .step = 32, .count = 2, .rx2_hz = 478300000, .rx2_step_hz = 20000000},
        LIKE_CN470,
    },
    [SIM_CN470_26A] = {
        .name = "CN470-26A", .rx2_hz = 492500000,
        .up_rows = {{48, 470300000, 200000}}, .down_rows = {{24, 490100000, 200000}},
        .down_count = 24, .masks = {.groups = 3, .blocks = 0xff, .on = 3, .off = 4},
        .joins = {.step = 10, .count = 5, .rx1_hz = 492500000, .rx2_hz = 492500000},
        LIKE_CN470,
    },
    [SIM_CN470_26B] = {
        .name = "CN470-26B", .rx2_hz = 502500000,
        .up_rows = {{48, 480300000, 200000}}, .down_rows = {{24, 500100000, 200000}},
        .down_count = 24, .masks = {.groups = 3, .blocks = 0xff, .on = 3, .off = 4},
        .joins = {.step = 10, .count = 5, .rx1_hz = 502500000, .rx2_hz = 502500000},
        LIKE_CN470,
    },
    [SIM_CN779] = {
        .name = "CN779", .default_channels = 3, .rx2_hz = 786000000,
        .default_hz = {779500000, 779700000, 779900000},
        .min_hz = 779500000, .max_hz = 786500000, LIKE_EU868(5),
    },
    [SIM_EU433] = {
        .name = "EU433", .default_channels = 3, .rx2_hz = 434665000,
        .default_hz = {433175000, 433375000, 433575000},
        .min_hz = 433175000, .max_hz = 434665000, LIKE_EU868(5),
    },
    [SIM_KR920] = {
        .name = "KR920", .default_channels = 3, .join_max_dr = 5, .max_dr = 5, .channel_max_dr = 5,
        .max_dr_offset = 5, .max_power = 7, .rx1_high = 5, .rx2_hz = 921900000,
        .default_hz = {922100000, 922300000, 922500000},
        .min_hz = 920900000, .max_hz = 923300000, .unit_hz = 100, .up = {SIX_RATES},
        .down = {SIX_RATES}, .up_octets = {OCTETS_EU, OCTETS_EU},
        .down_octets = {51, 51, 51, 115, 242, 242},
    },
    [SIM_IN865] = { /* there is no DR6 */
        .name = "IN865", .default_channels = 3, .join_max_dr = 5, .max_dr = 7, .channel_max_dr = 5,
        .max_dr_offset = 7, .max_power = 10, .rx1_high = 7, .rx1_raises = true, .rx2_dr = 2,
        .rx2_hz = 866550000, .default_hz = {865062500, 865402500, 865985000},
        .min_hz = 865000000, .max_hz = 867000000, .unit_hz = 100,
        .up = {SIX_RATES, NONE, FSK50}, .down = {SIX_RATES, NONE, FSK50},
        .up_octets = {{51, 51, 51, 115, 242, 242, 0, 242}, {51, 51, 51, 115, 242, 242, 0, 242}},
        .down_octets = {51, 51, 51, 115, 242, 242, 0, 242},
    },
    [SIM_RU864] = {
        .name = "RU864", .default_channels = 2, .rx2_hz = 869100000,
        .default_hz = {868900000, 869100000},
        .min_hz = 864000000, .max_hz = 870000000, LIKE_EU868(7),
    },
    [SIM_ISM2400] = {
        .name = "ISM2400", .tx_param_setup = true, .default_channels = 3, .join_max_dr = 7,
        .max_dr = 7, .channel_max_dr = 7, .max_dr_offset = 5, .max_power = 7, .rx1_high = 7,
        .rx2_hz = 2423000000, .default_hz = {2403000000, 2425000000, 2479000000},
        .min_hz = 2400000000, .max_hz = 2480000000, .unit_hz = 200, .up = RATES_24,
        .down = RATES_24,
        .up_octets = {{51, 115, 240, 240, 240, 240, 240, 240}, {51, 115, 240, 240, 240, 240, 240, 240}},
        .down_octets = {51, 115, 240, 240, 240, 240, 240, 240},
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

/* US915 and AU915 answer at rx1_base (DR10, DR8) and up, their 500 kHz uplink as the next one. With
 * dwell time nothing is below DR2, but at 500 kHz. */
uint8_t sim_plan_rx1_dr(enum sim_region region, uint8_t up_dr, uint8_t offset, bool dwell,
                        bool rp002)
{
    const struct sim_plan *plan = sim_plan(region);
    int effective = plan->rx1_raises && offset > 5 ? 5 - offset : offset;
    int low = dwell && plan->dwell && !plan->fixed ? 2 : plan->rx1_low;
    int high = plan->rx1_raises && !rp002 ? 5 : plan->rx1_high;
    uint8_t dr = clamp(plan->rx1_base + up_dr - effective, low, high);

    return plan->down_octets[dr] ? dr : (uint8_t)(dr - 1); /* IN865 lacks DR6 */
}

unsigned sim_plan_fixed_count(const struct sim_plan *plan)
{
    return plan->up_rows[0].count + plan->up_rows[1].count;
}

static uint32_t row_hz(const struct sim_row rows[2], unsigned channel)
{
    if (channel < rows[0].count)
        return rows[0].base_hz + rows[0].step_hz * channel;
    return rows[1].base_hz + rows[1].step_hz * (channel - rows[0].count);
}

uint32_t sim_plan_fixed_hz(const struct sim_plan *plan, unsigned channel)
{
    return row_hz(plan->up_rows, channel);
}

uint32_t sim_plan_fixed_rx1_hz(const struct sim_plan *plan, unsigned channel)
{
    return row_hz(plan->down_rows, channel % plan->down_count);
}

int sim_plan_join(const struct sim_plan *plan, unsigned channel)
{
    for (unsigned i = 0; i < plan->joins.count; i++) {
        if (channel == plan->joins.first + i * plan->joins.step)
            return (int)i;
    }
    return -1;
}

uint8_t sim_plan_max_power(enum sim_region region, enum lw_version version)
{
    const struct sim_plan *plan = sim_plan(region);

    return version <= LW_1_0_2 && plan->max_power_old ? plan->max_power_old : plan->max_power;
}
