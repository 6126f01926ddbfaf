/*
 * collector.c - see collector.h.
 *
 * A set is one heap piece from its first copy to the end of its tombstone: while open it holds the
 * copies, as a tombstone only what tells a late copy from a repetition, namely who heard the bytes
 * when by his own clock, and on which channels.
 */
#include "gateway/collector.h"

#include "core/arena.h"
#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

/* What stays of a copy. */
struct trace {
    struct lw_eui gateway;
    uint64_t counter_us;
    uint32_t frequency_hz;
    uint32_t rate; /* hash */
};

struct collector_set {
    struct timer timer; /* end of the window */
    struct collector *collector;
    struct collector_set *next;     /* same key: a collision of the hash */
    struct collector_set *followed; /* list of tombstones */
    uint64_t key, id;
    int64_t first_us;          /* when its first copy was received */
    int64_t closed_us;         /* 0: open */
    struct gathered *gathered; /* while open */
    uint32_t repetitions;
    uint8_t region, phy_len;
    uint16_t trace_count;
    struct trace *traces; /* tombstone */
    uint8_t phy[];
};

void collector_init(struct collector *collector, struct worker *worker, int64_t window_us,
                    size_t limit, const struct collector_ops *ops, void *ctx)
{
    *collector = (struct collector){.worker = worker,
                                    .ops = ops,
                                    .ctx = ctx,
                                    .window_us = window_us,
                                    .limit = limit ? limit : COLLECTOR_SETS_MAX};
    map_init(&collector->sets);
}

/* ---- sets ----------------------------------------------------------------------------------- */

static struct collector_set *find(const struct collector *c, const struct heard *h)
{
    struct collector_set *set = map_get(&c->sets, h->key);

    while (set && (set->phy_len != h->phy_len || set->region != h->copy.region ||
                   memcmp(set->phy, h->phy, h->phy_len) != 0))
        set = set->next;
    return set;
}

static void link_set(struct collector *c, struct collector_set *set)
{
    set->next = map_get(&c->sets, set->key);
    (void)map_put(&c->sets, set->key, set);
}

static void unlink_set(struct collector *c, struct collector_set *set)
{
    struct collector_set *head = map_get(&c->sets, set->key);

    if (head == set) {
        if (set->next)
            (void)map_put(&c->sets, set->key, set->next);
        else
            (void)map_remove(&c->sets, set->key);
        return;
    }
    while (head->next != set)
        head = head->next;
    head->next = set->next;
}

static void free_set(struct collector_set *set)
{
    free(set->gathered);
    free(set->traces);
    free(set);
}

/* The tombstone that has stood for longest. */
static void forget_oldest(struct collector *c)
{
    struct collector_set *set = c->oldest;

    c->oldest = set->followed;
    if (!c->oldest)
        c->newest = NULL;
    c->tombstones--;
    unlink_set(c, set);
    free_set(set);
}

static void forget_old(struct collector *c, int64_t now_us)
{
    while (c->oldest && now_us - c->oldest->closed_us >= COLLECTOR_TOMBSTONE_US)
        forget_oldest(c);
}

void collector_fini(struct collector *collector)
{
    size_t at = 0;
    struct map_slot *slot;

    while ((slot = map_next(&collector->sets, &at))) {
        struct collector_set *set = slot->value;

        while (set) {
            struct collector_set *next = set->next;

            timer_cancel(&collector->worker->timers, &set->timer);
            free_set(set);
            set = next;
        }
    }
    map_fini(&collector->sets);
    *collector = (struct collector){0};
}

/* ---- copies of an open set ------------------------------------------------------------------ */

static bool stronger(const struct copy *a, const struct copy *b)
{
    int16_t a_snr = a->flags & COPY_HAS_SNR ? a->snr_cb : 0;
    int16_t b_snr = b->flags & COPY_HAS_SNR ? b->snr_cb : 0;

    return a_snr != b_snr ? a_snr > b_snr : a->rssi_dbm > b->rssi_dbm;
}

static size_t size_for(size_t copies)
{
    return sizeof(struct gathered) + copies * sizeof(struct copy);
}

/* Inserts by strength; beyond the most that is kept, the weakest gives way. Room doubles from one,
 * because most frames are heard by few. */
static void add_copy(struct collector_set *set, const struct copy *copy)
{
    struct gathered *g = set->gathered;
    size_t n = g->copy_count, at;

    if (g->heard_count < UINT16_MAX)
        g->heard_count++;
    if (n == AIR_COPIES_MAX) {
        if (!stronger(copy, &g->copies[n - 1]))
            return;
        n--;
    } else if (n && (n & (n - 1)) == 0) {
        g = set->gathered = xrealloc(g, size_for(n * 2));
    }
    for (at = n; at > 0 && stronger(copy, &g->copies[at - 1]); at--)
        g->copies[at] = g->copies[at - 1];
    g->copies[at] = *copy;
    g->copy_count = (uint8_t)(n + 1);
}

static uint32_t rate_hash(const struct data_rate *r)
{
    return (uint32_t)hash_u64((uint64_t)r->kind << 56 ^ (uint64_t)r->sf << 48 ^
                              (uint64_t)r->bandwidth_hz << 16 ^ r->bit_rate);
}

static struct trace trace_of(const struct copy *copy)
{
    return (struct trace){.gateway = copy->gateway,
                          .counter_us = copy->counter_us,
                          .frequency_hz = copy->frequency_hz,
                          .rate = rate_hash(&copy->rate)};
}

static void close_set(struct collector_set *set, int64_t now_us)
{
    struct collector *c = set->collector;
    struct gathered *g = set->gathered;

    timer_cancel(&c->worker->timers, &set->timer);
    set->trace_count = g->copy_count;
    set->traces = xmalloc(g->copy_count * sizeof(*set->traces));
    for (size_t i = 0; i < g->copy_count; i++)
        set->traces[i] = trace_of(&g->copies[i]);
    set->gathered = NULL;
    set->closed_us = now_us;
    set->followed = NULL;
    if (c->newest)
        c->newest->followed = set;
    else
        c->oldest = set;
    c->newest = set;
    c->open--;
    c->tombstones++;
    c->ops->gathered(c->ctx, g);
}

static void window_over(struct timer *timer)
{
    struct collector_set *set = (struct collector_set *)timer; /* first member */

    close_set(set, worker_now(set->collector->worker));
}

static struct gathered *new_gathered(const struct collector_set *set, const struct heard *h)
{
    struct gathered *g = xcalloc(1, size_for(1));

    g->id = set->id;
    g->key = set->key;
    g->first_received_us = h->copy.received_us;
    g->first_utc_us = h->copy.utc_us;
    g->repetition = set->repetitions > 0;
    g->region = set->region;
    g->phy_len = set->phy_len;
    memcpy(g->phy, h->phy, h->phy_len);
    return g;
}

static void open_set(struct collector *c, const struct heard *h, uint32_t repetitions)
{
    struct collector_set *set = xcalloc(1, sizeof(*set) + h->phy_len);
    int64_t now = worker_now(c->worker);

    set->collector = c;
    set->key = h->key;
    set->repetitions = repetitions;
    set->id = hash_u64(h->key + repetitions);
    set->region = h->copy.region;
    set->phy_len = h->phy_len;
    set->first_us = h->copy.received_us;
    memcpy(set->phy, h->phy, h->phy_len);
    set->gathered = new_gathered(set, h);
    set->timer.fire = window_over;
    /* From the reception, so that time in a mailbox is not added; but never in the past. */
    timer_set(&c->worker->timers, &set->timer,
              h->copy.received_us + c->window_us > now ? h->copy.received_us + c->window_us : now);
    add_copy(set, &h->copy);
    link_set(c, set);
    c->open++;
}

/* ---- late copy or repetition (mechanics: 22) ------------------------------------------------ */

/* A gateway of the set hears the bytes again more than a second later by its own clock, or they
 * come more than a second later on another frequency or data rate. */
static bool is_repetition(const struct collector_set *set, const struct trace *traces, size_t n,
                          const struct copy *copy)
{
    struct trace now = trace_of(copy);
    bool known_channel = false;

    for (size_t i = 0; i < n; i++) {
        if (lw_eui_equal(traces[i].gateway, now.gateway))
            return (int64_t)(now.counter_us - traces[i].counter_us) > COLLECTOR_REPETITION_US;
        if (traces[i].frequency_hz == now.frequency_hz && traces[i].rate == now.rate)
            known_channel = true;
    }
    return !known_channel && copy->received_us - set->first_us > COLLECTOR_REPETITION_US;
}

static bool repeats_open(const struct collector_set *set, const struct copy *copy)
{
    const struct gathered *g = set->gathered;
    struct trace traces[AIR_COPIES_MAX];

    for (size_t i = 0; i < g->copy_count; i++)
        traces[i] = trace_of(&g->copies[i]);
    return is_repetition(set, traces, g->copy_count, copy);
}

static bool has_room(struct collector *c)
{
    if (c->open + c->tombstones < c->limit)
        return true;
    if (!c->oldest)
        return false;
    forget_oldest(c);
    return true;
}

static void open_if_room(struct collector *c, const struct heard *h, uint32_t repetitions)
{
    if (has_room(c))
        open_set(c, h, repetitions);
    else if (c->ops->dropped)
        c->ops->dropped(c->ctx, h->copy.gateway, DROP_OVERLOAD);
}

/* The repetition's set stands before the one that it repeats: later copies are compared to it. The
 * old tombstone goes at its time. */
static void repeat(struct collector *c, struct collector_set *set, const struct heard *h)
{
    uint32_t repetitions = set->repetitions + 1;

    if (!set->closed_us)
        close_set(set, worker_now(c->worker));
    open_if_room(c, h, repetitions);
}

static void take_known(struct collector *c, struct collector_set *set, const struct heard *h)
{
    if (!set->closed_us) {
        if (repeats_open(set, &h->copy))
            repeat(c, set, h);
        else
            add_copy(set, &h->copy);
    } else if (is_repetition(set, set->traces, set->trace_count, &h->copy)) {
        repeat(c, set, h);
    } else if (c->ops->late) {
        c->ops->late(c->ctx, h, set->id);
    }
}

bool collector_knows(const struct collector *collector, const struct heard *heard)
{
    return find(collector, heard) != NULL;
}

void collector_take(struct collector *collector, struct heard *heard)
{
    struct collector_set *set;

    forget_old(collector, worker_now(collector->worker));
    set = find(collector, heard);
    if (set)
        take_known(collector, set, heard);
    else
        open_if_room(collector, heard, 0);
    free(heard);
}
