/* clock.c - the machine's clock, the test double, GPS time and RFC 3339. */
#include "core/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static int64_t system_mono(struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_utc(struct clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

struct clock *clock_system(void)
{
    static struct clock clock = {.mono_us = system_mono, .utc_us = system_utc};

    return &clock;
}

static int64_t double_mono(struct clock *clock)
{
    return __atomic_load_n(&((struct clock_double *)clock)->mono, __ATOMIC_RELAXED);
}

static int64_t double_utc(struct clock *clock)
{
    return __atomic_load_n(&((struct clock_double *)clock)->utc, __ATOMIC_RELAXED);
}

void clock_double_init(struct clock_double *d, int64_t mono_us, int64_t utc_us)
{
    *d = (struct clock_double){
        .clock = {.mono_us = double_mono, .utc_us = double_utc}, .mono = mono_us, .utc = utc_us};
}

void clock_double_step_utc(struct clock_double *d, int64_t by_us)
{
    __atomic_fetch_add(&d->utc, by_us, __ATOMIC_RELAXED);
}

void clock_double_set(struct clock_double *d, int64_t mono_us)
{
    clock_double_step_utc(d, mono_us - double_mono(&d->clock));
    __atomic_store_n(&d->mono, mono_us, __ATOMIC_RELAXED);
}

/* ---- calendar: days since 1970-01-01 of a proleptic Gregorian date, and back ---------------- */

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

char *clock_text(char *to, int64_t utc_us)
{
    int64_t ms = floor_div(utc_us, US_PER_MS);
    int64_t s = floor_div(ms, 1000), days = floor_div(s, 86400), year;
    int left = (int)(s - days * 86400), month, day;

    date_of(days, &year, &month, &day);
    if (year < 0 || year > 9999)
        year = 9999;
    (void)snprintf(to, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)year, month, day,
                   left / 3600, left / 60 % 60, left % 60, (int)(ms - s * 1000));
    return to;
}

char *clock_text_exact(char *to, int64_t utc_us)
{
    int64_t us = utc_us - floor_div(utc_us, US_PER_S) * US_PER_S;

    (void)clock_text(to, utc_us);
    if (us == 0)
        (void)snprintf(to + strlen("2026-11-21T13:04:16"), 2, "Z");
    else if (us % US_PER_MS)
        (void)snprintf(to + strlen("2026-11-21T13:04:16.123"), 5, "%03uZ",
                       (unsigned)us % US_PER_MS);
    return to;
}

/* Reads exactly `n` digits. */
static bool digits(const char **p, int n, int64_t *v)
{
    *v = 0;
    for (; n > 0; n--, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *v = *v * 10 + (**p - '0');
    }
    return true;
}

static bool literal(const char **p, const char *any)
{
    if (!**p || !strchr(any, **p))
        return false;
    (*p)++;
    return true;
}

static bool read_fraction(const char **p, int64_t *us)
{
    int64_t scale = 100000;
    int n = 0;

    *us = 0;
    if (**p != '.' && **p != ',')
        return true;
    for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, n++) {
        *us += (**p - '0') * scale;
        scale /= 10;
    }
    return n >= 1 && n <= 9;
}

static bool read_offset(const char **p, int64_t *seconds)
{
    int64_t hours, minutes, sign;

    *seconds = 0;
    if (literal(p, "Zz"))
        return true;
    if (**p != '+' && **p != '-')
        return false;
    sign = *(*p)++ == '-' ? -1 : 1;
    if (!digits(p, 2, &hours))
        return false;
    if (**p == ':')
        (*p)++;
    if (!digits(p, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_read(const char *text, int64_t *utc_us)
{
    const char *p = text;
    int64_t year, month, day, hour, minute, second, us, offset, check;
    int m, d;

    if (!digits(&p, 4, &year) || !literal(&p, "-") || !digits(&p, 2, &month) || !literal(&p, "-") ||
        !digits(&p, 2, &day) || !literal(&p, "Tt ") || !digits(&p, 2, &hour) || !literal(&p, ":") ||
        !digits(&p, 2, &minute) || !literal(&p, ":") || !digits(&p, 2, &second) ||
        !read_fraction(&p, &us) || !read_offset(&p, &offset) || *p)
        return false;
    if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60)
        return false;
    date_of(days_of(year, month, day), &check, &m, &d);
    if (check != year || m != month || d != day)
        return false;
    *utc_us = (days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset) *
                  US_PER_S +
              us;
    return true;
}
