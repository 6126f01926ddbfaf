/*
 * class_b.h - where and how the beacon and the ping slots of a region are sent (TS001 class B,
 * RP002). Pure.
 *
 * A beacon period is named by its number: GPS seconds of its beacon divided by 128. The octets of
 * the beacon and the slots within a period are not of a region: see lorawan/beacon.h and ping.h.
 */
#pragma once

#include "lorawan/beacon.h"
#include "region/region.h"

/* `join`: the common join channel by which the device came (CN470 20 MHz plans: the operator's one
 * for the beacon), else REGION_NO_JOIN. 0: the plan hops by it, and it is none of the plan's. */
uint32_t region_beacon_hz(const struct region *region, uint32_t period, uint8_t join);
/* Until PingSlotChannelReq says otherwise. For a multicast group its McAddr. */
uint32_t region_ping_hz(const struct region *region, struct lw_dev_addr addr, uint32_t period,
                        uint8_t join);

/* How much of the region's beacon is reserved. */
const struct lw_beacon_layout *region_beacon_layout(const struct region *region);
