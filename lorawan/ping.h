/*
 * ping.h - ping slots of class B (TS001 class B: 13; mac-layer reference 7.3).
 *
 * A beacon period of 128 s holds 4096 slots of 30 ms. A device listens in every `period`-th of
 * them, from an offset that is drawn anew in each beacon period from its DevAddr and the time of
 * the beacon, so that no two devices collide for ever. Multicast groups do the same with their
 * McAddr. GPS times: seconds of the beacon, else milliseconds since 1980-01-06. Pure.
 */
#pragma once

#include "lorawan/types.h"

#define LW_BEACON_PERIOD_S    128
#define LW_BEACON_RESERVED_MS 2120 /* from the beacon to the first slot */
#define LW_BEACON_GUARD_MS    3000 /* from the last slot to the next beacon */
#define LW_PING_SLOT_MS       30
#define LW_PING_SLOTS         4096 /* per beacon period */

/* Slots from one ping slot of a device to its next, 32..4096. `periodicity` is that of
 * PingSlotInfoReq (0..7, of others the low bits count): about 2^periodicity seconds. */
unsigned lw_ping_period(unsigned periodicity);

/* Ping slots per beacon period, 128..1. */
unsigned lw_ping_nb(unsigned periodicity);

/* pingOffset: the first slot, below `ping_period` (1..4096), in the period of the beacon that was
 * sent at `beacon_time_gps_s` (a multiple of 128). */
uint16_t lw_ping_offset(struct lw_dev_addr addr, uint32_t beacon_time_gps_s, unsigned ping_period);

/* The time of the beacon whose period a moment lies in. */
uint32_t lw_beacon_time(uint64_t gps_ms);

/* When slot 0..4095 of a beacon period begins. */
uint64_t lw_ping_slot_ms(uint32_t beacon_time_gps_s, unsigned slot);

/* The first ping slot that begins after `gps_ms` (later than, not at: feeding the answer in again
 * gives the next one). */
uint64_t lw_ping_next_ms(struct lw_dev_addr addr, unsigned periodicity, uint64_t gps_ms);

/* Slots of one listener in one beacon period: offset, offset + period, ... below 4096. */
struct lw_ping {
    uint16_t offset, period;
};

struct lw_ping lw_ping_of(struct lw_dev_addr addr, unsigned periodicity,
                          uint32_t beacon_time_gps_s);

/* How many of a's slots a gateway cannot serve if it also serves each of b's, where a frame keeps
 * it busy for `span` slots (at least 1): those in which a frame to one would run into the other's.
 */
unsigned lw_ping_collisions(struct lw_ping a, struct lw_ping b, unsigned span);
