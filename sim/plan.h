/*
 * plan.h - what a simulated device knows of its region: a small table of its own, apart from
 * region/ (design: sim). LoRa and FSK data rates of EU868, US915 and AS923-1; no LR-FHSS.
 *
 * Pure. Frequencies in Hz, indices as in RP001 and RP002.
 */
#pragma once

#include "lorawan/air.h"

enum sim_region { SIM_EU868, SIM_US915, SIM_AS923, SIM_REGION_COUNT };

#define SIM_UP_RATES   8
#define SIM_DOWN_RATES 14

struct sim_plan {
    const char *name;
    bool fixed;               /* numbered channels (US915), else channels made by the network */
    bool tx_param_setup;      /* the region knows TxParamSetupReq */
    uint8_t default_channels; /* dynamic plans */
    uint8_t join_min_dr, join_max_dr;
    uint8_t max_dr; /* highest uplink data rate of this table */
    uint8_t max_dr_offset;
    uint8_t rx2_dr;
    uint32_t rx2_hz;
    uint32_t default_hz[3];
    uint32_t min_hz, max_hz;
    struct data_rate up[SIM_UP_RATES], down[SIM_DOWN_RATES];
    uint8_t up_octets[2][SIM_UP_RATES]; /* most FRMPayload with FOpts, by uplink dwell time */
    uint8_t down_octets[SIM_DOWN_RATES];
};

const struct sim_plan *sim_plan(enum sim_region region);

/* By name ("EU868", "AS923", "AS923-1"); false if unknown. */
bool sim_plan_find(const char *name, enum sim_region *region);

/* Downlink data rate of RX1 for an uplink's, RP002 2.x: the rules, not the rows. `rp002` lifts the
 * limit of DR5 that RP001 has in AS923. */
uint8_t sim_plan_rx1_dr(enum sim_region region, uint8_t up_dr, uint8_t offset, bool dwell,
                        bool rp002);

/* Fixed plans: an uplink channel's frequency, and that of its RX1 channel. */
uint32_t sim_plan_fixed_hz(unsigned channel);
uint32_t sim_plan_fixed_rx1_hz(unsigned channel);

/* Highest TXPower index (RP001 1.0.2B and older know fewer in US915). */
uint8_t sim_plan_max_power(enum sim_region region, enum lw_version version);
