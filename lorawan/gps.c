/* gps.c - the table of leap seconds. A new one is a line here: they are announced half a year
 * ahead. */
#include "lorawan/gps.h"

#include <stddef.h>

#define US_PER_S    INT64_C(1000000)
#define GPS_EPOCH_S INT64_C(315964800)

/* UTC seconds since 1970 from which on GPS time is index + 1 ahead. */
static const int64_t leaps_s[] = {
    362793600,  /* 1981-07-01 */
    394329600,  /* 1982-07-01 */
    425865600,  /* 1983-07-01 */
    489024000,  /* 1985-07-01 */
    567993600,  /* 1988-01-01 */
    631152000,  /* 1990-01-01 */
    662688000,  /* 1991-01-01 */
    709948800,  /* 1992-07-01 */
    741484800,  /* 1993-07-01 */
    773020800,  /* 1994-07-01 */
    820454400,  /* 1996-01-01 */
    867715200,  /* 1997-07-01 */
    915148800,  /* 1999-01-01 */
    1136073600, /* 2006-01-01 */
    1230768000, /* 2009-01-01 */
    1341100800, /* 2012-07-01 */
    1435708800, /* 2015-07-01 */
    1483228800, /* 2017-01-01 */
};
#define LEAPS (sizeof(leaps_s) / sizeof(leaps_s[0]))

int lw_gps_ahead_s(int64_t utc_us)
{
    int ahead = LEAPS;

    while (ahead > 0 && utc_us < leaps_s[ahead - 1] * US_PER_S)
        ahead--;
    return ahead;
}

int64_t lw_gps_of_utc(int64_t utc_us)
{
    return utc_us + (lw_gps_ahead_s(utc_us) - GPS_EPOCH_S) * US_PER_S;
}

/* The offset is that of the result: the largest one with which the result has it. In a leap second
 * none has; the one before it then gives the second that follows. */
int64_t lw_utc_of_gps(int64_t gps_us)
{
    int64_t unshifted = gps_us + GPS_EPOCH_S * US_PER_S;
    int ahead = LEAPS;

    while (ahead > 0 && unshifted - ahead * US_PER_S < leaps_s[ahead - 1] * US_PER_S)
        ahead--;
    return unshifted - ahead * US_PER_S;
}
