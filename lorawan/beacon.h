/*
 * beacon.h - beacon frames of class B (TS001 class B: 15; mac-layer reference 7.2).
 *
 * Gateways send them, without header and payload CRC; the server decodes them, gives gateways that
 * do not build their own what to send, and knows the time that devices take from them. How many
 * reserved octets there are depends on the spreading factor of a region's beacon. Pure.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"

/* Reserved octets at the beginning and before the second CRC. */
struct lw_beacon_layout {
    uint8_t rfu1, rfu2;
};

#define LW_BEACON_MAX 23 /* octets of the longest */

/* Of a spreading factor: 8, 9, 10 or 12 (those that regions send beacons with), else NULL. */
const struct lw_beacon_layout *lw_beacon_layout(unsigned sf);
size_t lw_beacon_length(const struct lw_beacon_layout *layout);

#define LW_BEACON_ANTENNAS 3 /* info_desc 0..2: where this antenna of the gateway stands */

struct lw_beacon {
    uint8_t precision; /* Prec 0..3: time within 10^-(6 - precision) s */
    uint32_t time_gps_s;
    uint8_t info_desc;
    uint8_t info[6]; /* as on air */
    bool info_good;  /* read: the second CRC is right (the time does not depend on it) */
};

/* ERR_INVALID: precision above 3; ERR_LIMIT: no room. */
MUST_CHECK enum err lw_beacon_write(struct wr *wr, const struct lw_beacon_layout *layout,
                                    const struct lw_beacon *beacon);
/* Reserved octets and bits are ignored. ERR_MALFORMED: another length, or a wrong CRC over the
 * time. */
MUST_CHECK enum err lw_beacon_read(struct bytes frame, const struct lw_beacon_layout *layout,
                                   struct lw_beacon *beacon);

/* Degrees in the two numbers of 24 bits of `info` and back, for info_desc below LW_BEACON_ANTENNAS;
 * what lies beyond 90 or 180 degrees becomes the last value. */
void lw_beacon_put_place(struct lw_beacon *beacon, double latitude, double longitude);
void lw_beacon_place(const struct lw_beacon *beacon, double *latitude, double *longitude);

/* CRC-16 of polynomial 0x1021 from 0, most significant bit first; sent lowest octet first. */
uint16_t lw_beacon_crc(struct bytes of);
