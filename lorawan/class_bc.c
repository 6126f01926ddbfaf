/* class_bc.c - gaps, guards and time-outs. */
#include "lorawan/class_bc.h"

#define SECOND_US INT64_C(1000000)
#define PERIOD_MS (UINT64_C(1000) * LW_BEACON_PERIOD_S)

/* How long RX2 stays open if nothing is heard in it: the preamble of the slowest data rate. */
#define RX2_OPEN_US INT64_C(500000)

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t lw_class_c_due_us(const struct lw_quiet *quiet, int64_t now_us)
{
    int64_t rx2_s = (quiet->rx1_delay_s ? quiet->rx1_delay_s : 1) + 1;
    int64_t due = now_us;

    if (quiet->uplink_end_us != LW_NEVER_US)
        due = later(due, quiet->uplink_end_us + rx2_s * SECOND_US + RX2_OPEN_US);
    if (quiet->downlink_end_us != LW_NEVER_US)
        due = later(due, quiet->downlink_end_us +
                             (quiet->awaits_ack ? LW_CLASS_C_RESP_TIMEOUT_US : LW_CLASS_C_GAP_US));
    return due;
}

uint64_t lw_class_b_due_ms(struct lw_dev_addr addr, unsigned periodicity, uint64_t now_gps_ms,
                           uint64_t after_ms)
{
    /* lw_ping_next_ms looks strictly behind a moment; a slot just at the lead is good. */
    uint64_t least = now_gps_ms + LW_CLASS_B_LEAD_MS - 1;

    return lw_ping_next_ms(addr, periodicity, least > after_ms ? least : after_ms);
}

bool lw_beacon_forbids(uint64_t start_gps_ms, uint32_t airtime_ms)
{
    uint64_t into = start_gps_ms % PERIOD_MS;

    return into < LW_BEACON_RESERVED_MS || into >= PERIOD_MS - LW_BEACON_GUARD_MS ||
           into + airtime_ms > PERIOD_MS;
}
