/*
 * class_bc.h - when a downlink that the network starts may go to a device of class B or C (TS001
 * class B: 9 to 15, class C: 17; mac-layer reference 7.2 to 7.4). Where the answers to uplinks go
 * is ns/window's. Pure: times are arguments, on one clock of the caller's.
 */
#pragma once

#include "lorawan/ping.h"

/* How long a device of class B or C may take to acknowledge a confirmed downlink (RP002 3.3). */
#define LW_CLASS_B_RESP_TIMEOUT_US INT64_C(8000000)
#define LW_CLASS_C_RESP_TIMEOUT_US INT64_C(8000000)

/* From one downlink's end to the next one's start at least, so that a device can hear both. */
#define LW_CLASS_C_GAP_US INT64_C(1000000)
/* A slot nearer than this cannot be planned, handed over and sent (class B). */
#define LW_CLASS_B_LEAD_MS 1000

/* A device that gave up the beacon falls back to class A after so long; before that it still
 * listens, in wider windows. */
#define LW_BEACONLESS_S 7200

#define LW_NEVER_US     INT64_MIN /* of the times below: there was none */

struct lw_quiet {
    int64_t uplink_end_us;   /* the last uplink: RX1 and RX2 of it are for its answer */
    int64_t downlink_end_us; /* the last downlink to the device, of any class */
    uint8_t rx1_delay_s;     /* 0 means 1 */
    bool awaits_ack;         /* that downlink was confirmed and is not acknowledged yet */
};

/* The earliest start of a class C downlink, not before `now_us`: RX2 of the last uplink has begun
 * and been left (the answer, if there was one, is the last downlink), the gap is kept, and there is
 * one confirmed downlink in flight at most. */
int64_t lw_class_c_due_us(const struct lw_quiet *quiet, int64_t now_us);

/* The start of the next ping slot for which there is time (LW_CLASS_B_LEAD_MS), GPS ms. `after_ms`
 * is the last slot that was used for the listener, 0: none. */
uint64_t lw_class_b_due_ms(struct lw_dev_addr addr, unsigned periodicity, uint64_t now_gps_ms,
                           uint64_t after_ms);

/* Whether a transmission by a gateway that sends beacons would disturb one: it begins in the guard
 * before a beacon or in the time reserved after its start, or is not over when the next begins. */
bool lw_beacon_forbids(uint64_t start_gps_ms, uint32_t airtime_ms);
