/*
 * expiry.h - which device has a queue item that expires next: a heap at each home worker.
 *
 * One entry per device that holds such an item, so memory is bounded by devices and a look costs
 * nothing however many there are. Times are UTC, as the items' are. One thread.
 */
#pragma once

#include "core/map.h"
#include "lorawan/types.h"

#include <stdbool.h>

struct expiry {
    int64_t at_us; /* UTC */
    uint64_t dev_eui;
};

struct expiries {
    struct expiry *heap; /* 1-based */
    size_t count, room;
    struct map places; /* DevEUI -> place in the heap */
};

void expiries_init(struct expiries *expiries);
void expiries_fini(struct expiries *expiries);

/* Sets or moves the device's entry; at 0: it has none. */
void expiries_set(struct expiries *expiries, struct lw_eui dev_eui, int64_t at_us);
/* The time of the next one, 0 if there is none. */
int64_t expiries_next(const struct expiries *expiries);
/* Takes out the next one that is due at `utc_us`; false if there is none. */
bool expiries_take(struct expiries *expiries, int64_t utc_us, struct lw_eui *dev_eui);
