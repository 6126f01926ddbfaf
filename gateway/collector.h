/*
 * collector.h - gathers the copies of one transmission (mechanics: 22).
 *
 * Runs at an ns worker; all copies with one key must come to the same collector. The first copy
 * opens a window; at its end the set is given to ops.gathered and becomes a tombstone for 20 s,
 * which tells late copies (statistics only) from repetitions (a set of their own, with a flag).
 * One thread; memory is bounded: at the limit the oldest tombstones go first, then new sets are
 * refused (DROP_OVERLOAD).
 */
#pragma once

#include "core/map.h"
#include "gateway/gateway.h"

#define COLLECTOR_TOMBSTONE_US  (20 * (int64_t)US_PER_S)
#define COLLECTOR_REPETITION_US ((int64_t)US_PER_S) /* "more than 1 s later" */
#define COLLECTOR_SETS_MAX      200000              /* open sets and tombstones */

/* All that is known of one transmission. One heap piece; the receiver ends it with free(). */
struct gathered {
    struct mail mail; /* for the receiver */
    uint64_t id;      /* derived: the same in every process that heard the same first */
    uint64_t key;
    int64_t first_received_us; /* monotonic, of the copy that came first */
    int64_t first_utc_us;
    bool repetition; /* the bytes were gathered before, within 20 s */
    uint8_t region;
    uint8_t phy_len;
    uint8_t copy_count;   /* at least 1 */
    uint16_t heard_count; /* copies that came, with those that gave way */
    uint8_t phy[LW_PHY_MAX];
    /* Strongest first (SNR, then RSSI). A gateway may stand there twice (second board or antenna,
     * neighbour-channel mirror): only its first entry is meant for the route. */
    struct copy copies[];
};

struct collector_ops {
    /* The window of a set ended; ownership passes. */
    void (*gathered)(void *ctx, struct gathered *gathered);
    /* A copy came after its set's window; borrowed. `id` is the set's. Optional. */
    void (*late)(void *ctx, const struct heard *heard, uint64_t id);
    /* A copy was refused because memory is full. Optional. */
    void (*dropped)(void *ctx, struct lw_eui gateway, enum drop reason);
};

struct collector_set;

struct collector {
    struct worker *worker;
    const struct collector_ops *ops;
    void *ctx;
    int64_t window_us;
    struct map sets;                       /* by key; sets of equal key are chained */
    struct collector_set *oldest, *newest; /* tombstones in the order of their end */
    size_t open, tombstones, limit;
};

/* `window_us`: uplink.dedup_window_ms. `limit` 0: COLLECTOR_SETS_MAX. */
void collector_init(struct collector *collector, struct worker *worker, int64_t window_us,
                    size_t limit, const struct collector_ops *ops, void *ctx);
void collector_fini(struct collector *collector); /* open sets are dropped */

/* Whether a transmission of these bytes is being gathered, or was within the last 20 s. */
bool collector_knows(const struct collector *collector, const struct heard *heard);

/* Takes a copy; ownership passes. heard->key must be set. */
void collector_take(struct collector *collector, struct heard *heard);
