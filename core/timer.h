/*
 * timer.h - timers of one worker: a heap, time as an argument. Timers are embedded in their owner;
 * the heap points to them. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    int64_t at_us; /* monotonic */
    void (*fire)(struct timer *timer);
    size_t place; /* 1-based place in the heap; 0: not set */
};

struct timers_entry {
    int64_t at_us;
    struct timer *timer;
};

struct timers {
    struct timers_entry *heap; /* 1-based */
    size_t count, room;
};

void timers_init(struct timers *timers);
void timers_fini(struct timers *timers);

/* Sets or moves a timer. */
void timer_set(struct timers *timers, struct timer *timer, int64_t at_us);
void timer_cancel(struct timers *timers, struct timer *timer);
static inline bool timer_is_set(const struct timer *timer)
{
    return timer->place != 0;
}

/* When the next timer is due, CLOCK_NEVER if none. */
int64_t timers_next(const struct timers *timers);

/* Takes the next timer that is due at `now`, or NULL; the caller fires it. */
struct timer *timers_take(struct timers *timers, int64_t now_us);
