/* GPS time around every leap second, before the first and after the last. */
#include "core/clock.h"
#include "lorawan/gps.h"
#include "tests/suite.h"

#include <stdio.h>

static const char *const leaps[] = {
    "1981-07-01", "1982-07-01", "1983-07-01", "1985-07-01", "1988-01-01", "1990-01-01",
    "1991-01-01", "1992-07-01", "1993-07-01", "1994-07-01", "1996-01-01", "1997-07-01",
    "1999-01-01", "2006-01-01", "2009-01-01", "2012-07-01", "2015-07-01", "2017-01-01",
};
#define LEAPS (sizeof(leaps) / sizeof(leaps[0]))

static int64_t utc_of(const char *text)
{
    int64_t us = 0;

    ck_assert_msg(clock_read(text, &us), "%s", text);
    return us;
}

START_TEST(every_leap_second)
{
    for (size_t i = 0; i < LEAPS; i++) {
        char text[32];
        int64_t utc, gps;

        snprintf(text, sizeof(text), "%sT00:00:00Z", leaps[i]);
        utc = utc_of(text);
        gps = lw_gps_of_utc(utc);
        ck_assert_int_eq(lw_gps_ahead_s(utc - 1), (int)i);
        ck_assert_int_eq(lw_gps_ahead_s(utc), (int)i + 1);
        ck_assert_int_eq(gps - lw_gps_of_utc(utc - 1), US_PER_S + 1);
        ck_assert_int_eq(gps, utc - 315964800 * INT64_C(1000000) + ((int)i + 1) * US_PER_S);
        /* back: before, in, and after the leap second */
        ck_assert_int_eq(lw_utc_of_gps(gps), utc);
        ck_assert_int_eq(lw_utc_of_gps(gps + 1), utc + 1);
        ck_assert_int_eq(lw_utc_of_gps(gps - US_PER_S - 1), utc - 1);
        ck_assert_int_eq(lw_utc_of_gps(gps - US_PER_S), utc);
        ck_assert_int_eq(lw_utc_of_gps(gps - 1), utc + US_PER_S - 1);
    }
}
END_TEST

START_TEST(before_and_after_the_table)
{
    int64_t epoch = utc_of("1980-01-06T00:00:00Z"), far = utc_of("2107-11-03T07:28:15Z");

    ck_assert_int_eq(lw_gps_of_utc(epoch), 0);
    ck_assert_int_eq(lw_gps_of_utc(epoch - 5), -5);
    ck_assert_int_eq(lw_utc_of_gps(-5), epoch - 5);
    ck_assert_int_eq(lw_gps_ahead_s(far), 18);
    ck_assert_int_eq(lw_utc_of_gps(lw_gps_of_utc(far)), far);
}
END_TEST

START_TEST(there_and_back)
{
    uint64_t seed = 5;

    for (int i = 0; i < 10000; i++) {
        int64_t utc;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        utc = (int64_t)(seed >> 14) * 2;
        ck_assert_int_eq(lw_utc_of_gps(lw_gps_of_utc(utc)), utc);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_leap_second, before_and_after_the_table, there_and_back,
                                  NULL};

    return run_suite(suite_of("lorawan_gps", tests));
}
