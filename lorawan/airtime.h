/*
 * airtime.h - time on air of a frame, and the SNR that a data rate needs. Pure.
 */
#pragma once

#include "lorawan/air.h"

enum airtime_flag {
    AIRTIME_CRC = 1 << 0,       /* payload CRC: uplinks yes, downlinks no */
    AIRTIME_NO_HEADER = 1 << 1, /* implicit header: beacons */
};

/* Microseconds, rounded up. `preamble` symbols of LoRa: 0 for the usual (8; SF5 and SF6: 12).
 * FSK: preamble of 5 octets. 0 for a rate without sense (SF outside 5..12, no bandwidth). */
uint32_t lw_airtime_us(const struct data_rate *rate, size_t octets, unsigned flags,
                       unsigned preamble);

/* The usual case: a PHYPayload up (CRC) or down (no CRC). */
uint32_t lw_airtime_frame_us(const struct data_rate *rate, size_t octets,
                             enum lw_direction direction);

/* Demodulation floor in 0.1 dB, e.g. SF7 -75, SF12 -200; also for FSK and LR-FHSS a usable number
 * (see airtime.c). The same for all bandwidths, as the SNR is per bandwidth. */
int lw_required_snr_cb(const struct data_rate *rate);
bool lw_rate_equal(const struct data_rate *a, const struct data_rate *b);

/* Text as gateways write it: "SF7BW125", "50000", "M0CW137". `to` has LW_RATE_TEXT bytes. */
#define LW_RATE_TEXT 24
char *lw_rate_text(char *to, const struct data_rate *rate);
