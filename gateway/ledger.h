/*
 * ledger.h - the duty-cycle ledger of one gateway: air time per band in a sliding hour.
 *
 * Air time is kept in buckets of 10 s, so that the sum is exact but for the oldest 10 s, which
 * count too long. A band's buckets are allocated when it is first charged: most gateways send
 * little. The ledger is the transmitter's, so it survives restarts of the gateway. Pure but for
 * memory.
 */
#pragma once

#include "gateway/gateway.h"

struct ledger_band;

struct ledger {
    size_t count;
    struct ledger_band *bands; /* [count] */
};

/* Bands of the region; none: everything is allowed. */
void ledger_init(struct ledger *ledger, const struct gateway_band *bands, size_t count);
void ledger_fini(struct ledger *ledger);

/* Whether a frame may be sent now. `reserve_ppm` of the limit is left to others (0..1000000). A
 * frequency outside all bands is allowed. */
bool ledger_allows(struct ledger *ledger, uint32_t frequency_hz, int64_t airtime_us,
                   uint32_t reserve_ppm, int64_t now_us);

/* Counts a frame that may be sent at `at_us`, up to 1000 s ahead; negative air time takes the same
 * charge back. */
void ledger_charge(struct ledger *ledger, uint32_t frequency_hz, int64_t airtime_us, int64_t at_us,
                   int64_t now_us);

/* Fills up to `room` entries; returns how many bands with a limit there are. */
size_t ledger_read(struct ledger *ledger, int64_t now_us, struct gateway_duty *to, size_t room);
