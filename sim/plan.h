/*
 * plan.h - what a simulated device knows of its region: a small table of its own, apart from
 * region/ (design: sim). LoRa and FSK data rates of all regions up to RP002-1.0.4; no LR-FHSS.
 *
 * Pure. Frequencies in Hz, indices as in RP001 and RP002.
 */
#pragma once

#include "lorawan/air.h"

/* clang-format off */
#define SIM_REGION_TABLE(X)                                                                        \
    X(SIM_EU868,     "EU868")                                                                      \
    X(SIM_US915,     "US915")                                                                      \
    X(SIM_AS923,     "AS923")                                                                      \
    X(SIM_AS923_2,   "AS923-2")                                                                    \
    X(SIM_AS923_3,   "AS923-3")                                                                    \
    X(SIM_AS923_4,   "AS923-4")                                                                    \
    X(SIM_AU915,     "AU915")                                                                      \
    X(SIM_CN470,     "CN470")                                                                      \
    X(SIM_CN470_20A, "CN470-20A")                                                                  \
    X(SIM_CN470_20B, "CN470-20B")                                                                  \
    X(SIM_CN470_26A, "CN470-26A")                                                                  \
    X(SIM_CN470_26B, "CN470-26B")                                                                  \
    X(SIM_CN779,     "CN779")                                                                      \
    X(SIM_EU433,     "EU433")                                                                      \
    X(SIM_KR920,     "KR920")                                                                      \
    X(SIM_IN865,     "IN865")                                                                      \
    X(SIM_RU864,     "RU864")                                                                      \
    X(SIM_ISM2400,   "ISM2400")
/* clang-format on */

enum sim_region {
#define X(name, text) name,
    SIM_REGION_TABLE(X)
#undef X
        SIM_REGION_COUNT
};

#define SIM_UP_RATES       8
#define SIM_DOWN_RATES     14
#define SIM_FIXED_CHANNELS 96 /* the most that a fixed plan has (CN470) */

/* Numbered channels: `count` from `base_hz` on. */
struct sim_row {
    uint8_t count;
    uint32_t base_hz, step_hz;
};

/* What ChMaskCntl does in a fixed plan: the first 16-channel groups are 0, 1, 2...; these are
 * beyond. 0xff: no such value. */
struct sim_masks {
    uint8_t groups;  /* cntl 0..groups-1 */
    uint8_t blocks;  /* eight narrow channels and their wide one per bit, since 1.0.3 */
    uint8_t on, off; /* all narrow channels, with a mask of the wide ones if there are any */
};

/* CN470 of RP002: the channels on which a device of the plan asks to join. */
struct sim_joins {
    uint8_t first, step, count;
    uint32_t rx1_hz; /* 0: as for data */
    uint32_t rx2_hz, rx2_step_hz;
};

struct sim_plan {
    const char *name;
    bool fixed;               /* numbered channels, else channels made by the network */
    bool tx_param_setup;      /* the region knows TxParamSetupReq */
    bool dwell;               /* and with it a dwell time limit, which holds from the start */
    uint8_t default_channels; /* dynamic plans */
    uint8_t join_min_dr, join_max_dr;
    uint8_t min_dr;         /* lowest that carries anything, without dwell time */
    uint8_t max_dr;         /* highest uplink data rate of this table */
    uint8_t channel_max_dr; /* of default and CFList channels, or narrow ones of a fixed plan */
    uint8_t wide_dr;        /* of the second row of channels; 0: the same as of the first */
    uint8_t max_dr_offset;
    uint8_t max_power, max_power_old;    /* highest TXPower index; with RP001-1.0.2B */
    uint8_t rx1_base, rx1_low, rx1_high; /* the RX1 data rate is within low..high */
    bool rx1_raises;                     /* offsets 6 and 7 mean -1 and -2 */
    uint8_t rx2_dr;
    uint32_t rx2_hz;
    uint32_t default_hz[3];
    uint32_t min_hz, max_hz;
    uint32_t unit_hz; /* of frequencies in commands and CFList */
    struct sim_row up_rows[2], down_rows[2];
    uint8_t down_count; /* RX1 channel: uplink channel modulo this */
    struct sim_masks masks;
    struct sim_joins joins;
    struct data_rate up[SIM_UP_RATES], down[SIM_DOWN_RATES];
    uint8_t up_octets[2][SIM_UP_RATES]; /* most FRMPayload with FOpts, by uplink dwell time */
    uint8_t down_octets[SIM_DOWN_RATES];
};

const struct sim_plan *sim_plan(enum sim_region region);

/* By name ("EU868", "AS923", "AS923-1"); false if unknown. */
bool sim_plan_find(const char *name, enum sim_region *region);

/* Downlink data rate of RX1 for an uplink's, RP002 2.x: the rules, not the rows. `rp002` lifts the
 * limit of DR5 that RP001 has in AS923 and IN865. */
uint8_t sim_plan_rx1_dr(enum sim_region region, uint8_t up_dr, uint8_t offset, bool dwell,
                        bool rp002);

/* Fixed plans: how many uplink channels there are, a channel's frequency, and that of its RX1. */
unsigned sim_plan_fixed_count(const struct sim_plan *plan);
uint32_t sim_plan_fixed_hz(const struct sim_plan *plan, unsigned channel);
uint32_t sim_plan_fixed_rx1_hz(const struct sim_plan *plan, unsigned channel);

/* The place of a channel among the common join channels of its plan; -1 if it is none. */
int sim_plan_join(const struct sim_plan *plan, unsigned channel);

/* Highest TXPower index (RP001 1.0.2B and older know fewer in US915 and AU915). */
uint8_t sim_plan_max_power(enum sim_region region, enum lw_version version);
