/*
 * timer.c - a heap of four children a node; each timer knows its place, so it can be moved.
 *
 * The times stand in the heap itself: windows of 200 ms end by the thousand, and to look for a time
 * in each timer's owner cost a tenth of the network server's share.
 */
#include "core/timer.h"

#include "core/arena.h"
#include "core/clock.h"

#include <stdlib.h>

#define CHILDREN 4

void timers_init(struct timers *timers)
{
    *timers = (struct timers){0};
}

void timers_fini(struct timers *timers)
{
    free(timers->heap);
    timers_init(timers);
}

static size_t parent_of(size_t place)
{
    return (place + CHILDREN - 2) / CHILDREN;
}

static size_t first_child_of(size_t place)
{
    return place * CHILDREN - (CHILDREN - 2);
}

static void put(struct timers *timers, size_t place, struct timers_entry entry)
{
    timers->heap[place] = entry;
    entry.timer->place = place;
}

static void sift_up(struct timers *timers, size_t place, struct timers_entry entry)
{
    while (place > 1 && timers->heap[parent_of(place)].at_us > entry.at_us) {
        put(timers, place, timers->heap[parent_of(place)]);
        place = parent_of(place);
    }
    put(timers, place, entry);
}

static void sift_down(struct timers *timers, size_t place, struct timers_entry entry)
{
    for (;;) {
        size_t least = first_child_of(place), end = least + CHILDREN;

        if (least > timers->count)
            break;
        for (size_t child = least + 1; child < end && child <= timers->count; child++) {
            if (timers->heap[child].at_us < timers->heap[least].at_us)
                least = child;
        }
        if (timers->heap[least].at_us >= entry.at_us)
            break;
        put(timers, place, timers->heap[least]);
        place = least;
    }
    put(timers, place, entry);
}

void timer_cancel(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    struct timers_entry last;

    if (!place)
        return;
    last = timers->heap[timers->count--];
    timer->place = 0;
    if (last.timer == timer)
        return;
    if (place > 1 && timers->heap[parent_of(place)].at_us > last.at_us)
        sift_up(timers, place, last);
    else
        sift_down(timers, place, last);
}

void timer_set(struct timers *timers, struct timer *timer, int64_t at_us)
{
    timer_cancel(timers, timer);
    if (timers->count + 1 >= timers->room) {
        timers->room = timers->room ? timers->room * 2 : 64;
        timers->heap = xrealloc(timers->heap, timers->room * sizeof(*timers->heap));
    }
    timer->at_us = at_us;
    sift_up(timers, ++timers->count, (struct timers_entry){at_us, timer});
}

int64_t timers_next(const struct timers *timers)
{
    return timers->count ? timers->heap[1].at_us : CLOCK_NEVER;
}

struct timer *timers_take(struct timers *timers, int64_t now_us)
{
    struct timer *first;

    if (timers_next(timers) > now_us)
        return NULL;
    first = timers->heap[1].timer;
    timer_cancel(timers, first);
    return first;
}
