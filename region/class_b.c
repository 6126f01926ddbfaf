/* class_b.c - one formula for all: most regions have one frequency, US915 and its like hop. */
#include "region/class_b.h"

static uint32_t hop_hz(const struct region *region, const struct region_hop *hop, uint32_t n,
                       uint8_t join)
{
    const struct region_join *channel = region_common_join(join);
    uint32_t hz = hop->base_hz;

    if (hop->count)
        hz += hop->step_hz * (n % hop->count);
    if (!hop->join_step_hz)
        return hz;
    if (!channel || channel->plan != region->id)
        return 0;
    return hz + hop->join_step_hz * (join - hop->first_join);
}

uint32_t region_beacon_hz(const struct region *region, uint32_t period, uint8_t join)
{
    return hop_hz(region, &region->beacon, period, join);
}

/* The sum may wrap: all counts divide 2^32. */
uint32_t region_ping_hz(const struct region *region, struct lw_dev_addr addr, uint32_t period,
                        uint8_t join)
{
    return hop_hz(region, &region->ping, addr.v + period, join);
}

const struct lw_beacon_layout *region_beacon_layout(const struct region *region)
{
    return lw_beacon_layout(region->rates[LW_DOWN][region->beacon_dr].sf);
}
