/*
 * attempt.h - one frame handed to the gateways: what it was, where it may go, what became of it.
 *
 * Saved with the frame, settled when the result is known. After a crash an attempt without result
 * is unknown: its counter is used, its air time may have been used on every rung (mechanics 18,
 * 21).
 */
#pragma once

#include "core/arena.h"
#include "db/model.h"
#include "lorawan/air.h"

enum attempt_flag {
    ATTEMPT_APP_COUNTER = 1 << 0, /* fcnt_down is AFCntDown (1.1) */
    ATTEMPT_JOIN = 1 << 1,        /* a join-accept: no counter, no item */
    ATTEMPT_CONFIRMED = 1 << 2,
    ATTEMPT_SETTLED = 1 << 3,
};

struct attempt {
    uint64_t id;
    struct lw_eui dev_eui;
    uint64_t session; /* number */
    int64_t utc_us;
    uint32_t fcnt_down;
    uint8_t flags;       /* enum attempt_flag */
    uint8_t result;      /* enum tx_result, once settled */
    struct uuid item_id; /* zero: no queue item */
    uint8_t phy_n, rung_n;
    uint8_t phy[LW_PHY_MAX];
    struct rung rungs[AIR_RUNGS_MAX];
};

struct bytes attempt_write(const struct attempt *attempt, struct arena *arena);
enum err attempt_read(uint64_t id, struct lw_eui dev_eui, struct bytes encoded,
                      struct attempt *attempt) MUST_CHECK;

/* Air time of the frame on a rung. */
int64_t attempt_airtime_us(const struct attempt *attempt, unsigned rung);
