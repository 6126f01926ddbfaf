/* timer.c - a binary heap of pointers; each timer knows its place, so it can be moved. */
#include "core/timer.h"

#include "core/arena.h"
#include "core/clock.h"

#include <stdlib.h>

void timers_init(struct timers *timers)
{
    *timers = (struct timers){0};
}

void timers_fini(struct timers *timers)
{
    free(timers->heap);
    timers_init(timers);
}

static void put(struct timers *timers, size_t place, struct timer *timer)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void sift_up(struct timers *timers, size_t place, struct timer *timer)
{
    while (place > 1 && timers->heap[place / 2]->at_us > timer->at_us) {
        put(timers, place, timers->heap[place / 2]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sift_down(struct timers *timers, size_t place, struct timer *timer)
{
    for (;;) {
        size_t child = place * 2;

        if (child > timers->count)
            break;
        if (child < timers->count && timers->heap[child + 1]->at_us < timers->heap[child]->at_us)
            child++;
        if (timers->heap[child]->at_us >= timer->at_us)
            break;
        put(timers, place, timers->heap[child]);
        place = child;
    }
    put(timers, place, timer);
}

void timer_cancel(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    struct timer *last;

    if (!place)
        return;
    last = timers->heap[timers->count--];
    timer->place = 0;
    if (last == timer)
        return;
    if (place > 1 && timers->heap[place / 2]->at_us > last->at_us)
        sift_up(timers, place, last);
    else
        sift_down(timers, place, last);
}

void timer_set(struct timers *timers, struct timer *timer, int64_t at_us)
{
    timer_cancel(timers, timer);
    if (timers->count + 1 >= timers->room) {
        timers->room = timers->room ? timers->room * 2 : 64;
        timers->heap = xrealloc(timers->heap, timers->room * sizeof(struct timer *));
    }
    timer->at_us = at_us;
    sift_up(timers, ++timers->count, timer);
}

int64_t timers_next(const struct timers *timers)
{
    return timers->count ? timers->heap[1]->at_us : CLOCK_NEVER;
}

struct timer *timers_take(struct timers *timers, int64_t now_us)
{
    struct timer *first;

    if (timers_next(timers) > now_us)
        return NULL;
    first = timers->heap[1];
    timer_cancel(timers, first);
    return first;
}
