/*
 * ping.c - slots are numbers 0..4095 within a beacon period; times are made of them last.
 */
#include "lorawan/ping.h"

#include "lorawan/crypto.h"

#define PERIOD_LEAST_LOG2 5 /* periodicity 0: a slot in 32 */

unsigned lw_ping_period(unsigned periodicity)
{
    return 1u << (PERIOD_LEAST_LOG2 + (periodicity & 7));
}

unsigned lw_ping_nb(unsigned periodicity)
{
    return LW_PING_SLOTS / lw_ping_period(periodicity);
}

/* Rand = E(0, beacon time | DevAddr | 0): no secret, every listener and server can compute it. */
uint16_t lw_ping_offset(struct lw_dev_addr addr, uint32_t beacon_time_gps_s, unsigned ping_period)
{
    static const struct lw_key zero;
    uint8_t block[LW_BLOCK];
    struct wr wr = wr_of(block, sizeof(block));
    struct rd rd = rd_of(block, sizeof(block));

    wr_u32le(&wr, beacon_time_gps_s);
    wr_u32le(&wr, addr.v);
    wr_zero(&wr, 8);
    lw_aes_encrypt(&zero, block, block);
    return (uint16_t)(rd_u16le(&rd) % ping_period);
}

uint32_t lw_beacon_time(uint64_t gps_ms)
{
    uint64_t s = gps_ms / 1000;

    return (uint32_t)(s - s % LW_BEACON_PERIOD_S);
}

uint64_t lw_ping_slot_ms(uint32_t beacon_time_gps_s, unsigned slot)
{
    return (uint64_t)beacon_time_gps_s * 1000 + LW_BEACON_RESERVED_MS +
           (uint64_t)slot * LW_PING_SLOT_MS;
}

struct lw_ping lw_ping_of(struct lw_dev_addr addr, unsigned periodicity, uint32_t beacon_time_gps_s)
{
    unsigned period = lw_ping_period(periodicity);

    return (struct lw_ping){lw_ping_offset(addr, beacon_time_gps_s, period), (uint16_t)period};
}

/* The listener's first slot at or after `slot`; LW_PING_SLOTS or more if the period has none. */
static unsigned slot_from(struct lw_ping ping, unsigned slot)
{
    if (slot <= ping.offset)
        return ping.offset;
    return ping.offset + (slot - ping.offset + ping.period - 1) / ping.period * ping.period;
}

uint64_t lw_ping_next_ms(struct lw_dev_addr addr, unsigned periodicity, uint64_t gps_ms)
{
    uint32_t beacon = lw_beacon_time(gps_ms);
    uint64_t first = lw_ping_slot_ms(beacon, 0);
    struct lw_ping ping = lw_ping_of(addr, periodicity, beacon);
    unsigned begun = gps_ms < first ? 0 : (unsigned)((gps_ms - first) / LW_PING_SLOT_MS) + 1;
    unsigned slot = slot_from(ping, begun);

    if (slot < LW_PING_SLOTS)
        return lw_ping_slot_ms(beacon, slot);
    beacon += LW_BEACON_PERIOD_S;
    ping = lw_ping_of(addr, periodicity, beacon);
    return lw_ping_slot_ms(beacon, ping.offset);
}

/* Whether a frame that starts in `slot` runs into the next start of the other listener. */
static bool runs_into(unsigned slot, struct lw_ping other, unsigned span)
{
    unsigned next = slot_from(other, slot);

    return next < LW_PING_SLOTS && next - slot < span;
}

/* Whether one of the other's frames that started before `slot` still runs. */
static bool is_run_into(unsigned slot, struct lw_ping other, unsigned span)
{
    unsigned since = slot < span ? 0 : slot - span + 1;

    return slot_from(other, since) < slot;
}

unsigned lw_ping_collisions(struct lw_ping a, struct lw_ping b, unsigned span)
{
    unsigned count = 0;

    for (unsigned slot = a.offset; slot < LW_PING_SLOTS; slot += a.period) {
        if (runs_into(slot, b, span) || is_run_into(slot, b, span))
            count++;
    }
    return count;
}
