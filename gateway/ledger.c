/*
 * ledger.c - a ring of buckets per band with a running sum. The ring is longer than the hour,
 * because frames are charged at the time of their slot, which lies ahead.
 */
#include "gateway/ledger.h"

#include "core/arena.h"

#include <stdlib.h>
#include <string.h>

#define BUCKET_US    (10 * (int64_t)US_PER_S)
#define HOUR_US      (3600 * (int64_t)US_PER_S)
#define HOUR_BUCKETS (HOUR_US / BUCKET_US)
#define RING         512 /* buckets: an hour behind and 1500 s ahead */
#define MILLION      1000000

struct ledger_band {
    struct gateway_band band;
    int64_t *ring; /* [RING], NULL while nothing was charged */
    int64_t first; /* number of the oldest bucket in the sum */
    int64_t sum_us;
};

void ledger_init(struct ledger *ledger, const struct gateway_band *bands, size_t count)
{
    *ledger = (struct ledger){.count = count};
    if (!count)
        return;
    ledger->bands = xcalloc(count, sizeof(*ledger->bands));
    for (size_t i = 0; i < count; i++)
        ledger->bands[i].band = bands[i];
}

void ledger_fini(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->count; i++)
        free(ledger->bands[i].ring);
    free(ledger->bands);
    *ledger = (struct ledger){0};
}

static struct ledger_band *find(struct ledger *ledger, uint32_t hz)
{
    for (size_t i = 0; i < ledger->count; i++)
        if (hz >= ledger->bands[i].band.min_hz && hz < ledger->bands[i].band.max_hz)
            return &ledger->bands[i];
    return NULL;
}

/* Lets go what is older than an hour; the bucket in which the hour began stays. */
static int64_t used(struct ledger_band *b, int64_t now_us)
{
    int64_t first = now_us / BUCKET_US - HOUR_BUCKETS;

    if (!b->ring)
        return 0;
    if (first - b->first >= RING) {
        memset(b->ring, 0, RING * sizeof(*b->ring));
        b->sum_us = 0;
        b->first = first;
    }
    for (; b->first < first; b->first++) {
        int64_t *bucket = &b->ring[b->first & (RING - 1)];

        b->sum_us -= *bucket;
        *bucket = 0;
    }
    return b->sum_us;
}

static int64_t limit_us(const struct ledger_band *b)
{
    return HOUR_US / MILLION * b->band.ppm;
}

bool ledger_allows(struct ledger *ledger, uint32_t frequency_hz, int64_t airtime_us,
                   uint32_t reserve_ppm, int64_t now_us)
{
    struct ledger_band *b = find(ledger, frequency_hz);
    int64_t limit;

    if (!b || b->band.ppm >= MILLION)
        return true;
    limit = limit_us(b);
    limit -= limit / MILLION * reserve_ppm;
    return used(b, now_us) + airtime_us <= limit;
}

void ledger_charge(struct ledger *ledger, uint32_t frequency_hz, int64_t airtime_us, int64_t at_us,
                   int64_t now_us)
{
    struct ledger_band *b = find(ledger, frequency_hz);
    int64_t bucket = at_us / BUCKET_US;

    if (!b)
        return;
    if (!b->ring) {
        b->ring = xcalloc(RING, sizeof(*b->ring));
        b->first = now_us / BUCKET_US - HOUR_BUCKETS;
    }
    (void)used(b, now_us);
    if (bucket < b->first || bucket >= b->first + RING)
        return; /* longer ago than an hour */
    b->ring[bucket & (RING - 1)] += airtime_us;
    b->sum_us += airtime_us;
}

size_t ledger_read(struct ledger *ledger, int64_t now_us, struct gateway_duty *to, size_t room)
{
    size_t n = 0;

    for (size_t i = 0; i < ledger->count && n < room; i++) {
        struct ledger_band *b = &ledger->bands[i];
        int64_t sum = used(b, now_us), limit = limit_us(b);

        if (b->band.ppm >= MILLION)
            continue;
        to[n++] = (struct gateway_duty){.min_hz = b->band.min_hz,
                                        .max_hz = b->band.max_hz,
                                        .limit_ppm = b->band.ppm,
                                        .used_ppm = (uint32_t)(sum * MILLION / HOUR_US),
                                        .used_us = sum,
                                        .free_us = sum < limit ? limit - sum : 0};
    }
    return n;
}
