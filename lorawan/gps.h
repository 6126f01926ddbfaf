/*
 * gps.h - GPS time: seconds since 1980-01-06T00:00:00Z without leap seconds, the time that beacons,
 * DeviceTimeAns and the packages speak (mac-layer reference 7.1). In microseconds here, as
 * core/clock.h has UTC. Pure.
 */
#pragma once

#include <stdint.h>

/* How far GPS time is ahead of UTC, in seconds; after the table's last leap second (2017-01-01: 18)
 * it stays as it is. */
int lw_gps_ahead_s(int64_t utc_us);

/* Both ways. UTC counted in seconds since 1970 has no name for a leap second: it becomes the second
 * after it, so that time goes on and never back, and no UTC moment leads there. */
int64_t lw_gps_of_utc(int64_t utc_us);
int64_t lw_utc_of_gps(int64_t gps_us);
