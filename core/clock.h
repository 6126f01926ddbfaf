/*
 * clock.h - the only source of time. Two readings: a monotonic one for intervals and deadlines and
 * UTC for what people and devices are told. Both in microseconds. A test gives a clock of its own,
 * whose time stands until the test moves it.
 */
#pragma once

#include <stdint.h>

struct clock {
    int64_t (*mono_us)(struct clock *clock);
    int64_t (*utc_us)(struct clock *clock);
};

/* The machine's clock; a static object, safe from any thread. */
struct clock *clock_system(void);

/* A clock that stands still until it is moved. Threads may read while one moves it. */
struct clock_double {
    struct clock clock;
    int64_t mono, utc;
};

void clock_double_init(struct clock_double *d, int64_t mono_us, int64_t utc_us);
void clock_double_set(struct clock_double *d, int64_t mono_us);    /* UTC moves along */
void clock_double_step_utc(struct clock_double *d, int64_t by_us); /* UTC alone jumps */

static inline int64_t clock_mono(struct clock *clock)
{
    return clock->mono_us(clock);
}
static inline int64_t clock_utc(struct clock *clock)
{
    return clock->utc_us(clock);
}

#define US_PER_MS   1000
#define US_PER_S    1000000
#define CLOCK_NEVER INT64_MAX

/* RFC 3339 UTC with milliseconds, "2026-11-21T13:04:16.123Z"; `to` has CLOCK_TEXT bytes. */
#define CLOCK_TEXT 32
char *clock_text(char *to, int64_t utc_us);
/* The same with all there is: no fraction if it is zero, else three or six digits. */
char *clock_text_exact(char *to, int64_t utc_us);
/* Any RFC 3339 time with 0-9 fraction digits, `Z` or an offset, 'T' or a blank between date and
 * time, also ISO 8601 basic offsets. Returns false if it is none. */
_Bool clock_read(const char *text, int64_t *utc_us);
