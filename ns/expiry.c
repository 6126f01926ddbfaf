/* expiry.c - a binary heap that knows where each device stands. */
#include "ns/expiry.h"

#include "core/arena.h"

#include <stdlib.h>

void expiries_init(struct expiries *expiries)
{
    *expiries = (struct expiries){.heap = NULL};
    map_init(&expiries->places);
}

void expiries_fini(struct expiries *expiries)
{
    free(expiries->heap);
    map_fini(&expiries->places);
}

static void put_at(struct expiries *expiries, size_t place, struct expiry entry)
{
    expiries->heap[place] = entry;
    (void)map_put(&expiries->places, entry.dev_eui, (void *)(uintptr_t)place);
}

static size_t rise(struct expiries *expiries, size_t place, struct expiry entry)
{
    while (place > 1 && expiries->heap[place / 2].at_us > entry.at_us) {
        put_at(expiries, place, expiries->heap[place / 2]);
        place /= 2;
    }
    return place;
}

static size_t sink(struct expiries *expiries, size_t place, struct expiry entry)
{
    for (size_t child = 2 * place; child <= expiries->count; child = 2 * place) {
        if (child < expiries->count &&
            expiries->heap[child + 1].at_us < expiries->heap[child].at_us)
            child++;
        if (expiries->heap[child].at_us >= entry.at_us)
            break;
        put_at(expiries, place, expiries->heap[child]);
        place = child;
    }
    return place;
}

/* An entry finds its place from where there is a gap. */
static void settle(struct expiries *expiries, size_t gap, struct expiry entry)
{
    put_at(expiries, sink(expiries, rise(expiries, gap, entry), entry), entry);
}

static void take_out(struct expiries *expiries, size_t place)
{
    struct expiry last = expiries->heap[expiries->count--];

    (void)map_remove(&expiries->places, expiries->heap[place].dev_eui);
    if (place <= expiries->count)
        settle(expiries, place, last);
}

void expiries_set(struct expiries *expiries, struct lw_eui dev_eui, int64_t at_us)
{
    size_t place = (size_t)(uintptr_t)map_get(&expiries->places, dev_eui.v);

    if (place && (!at_us || at_us != expiries->heap[place].at_us))
        take_out(expiries, place);
    else if (place)
        return;
    if (!at_us)
        return;
    if (expiries->count + 1 >= expiries->room) {
        expiries->room = expiries->room ? 2 * expiries->room : 16;
        expiries->heap = xrealloc(expiries->heap, expiries->room * sizeof(*expiries->heap));
    }
    settle(expiries, ++expiries->count, (struct expiry){at_us, dev_eui.v});
}

int64_t expiries_next(const struct expiries *expiries)
{
    return expiries->count ? expiries->heap[1].at_us : 0;
}

bool expiries_take(struct expiries *expiries, int64_t utc_us, struct lw_eui *dev_eui)
{
    if (!expiries->count || expiries->heap[1].at_us > utc_us)
        return false;
    dev_eui->v = expiries->heap[1].dev_eui;
    take_out(expiries, 1);
    return true;
}
