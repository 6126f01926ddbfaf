/*
 * radio.h - from metadata to decisions about frames: which gateways, which windows, which time, and
 * the MIC where a partner may check it. Pure.
 */
#pragma once

#include "lorawan/frame.h"
#include "roaming/object.h"

/* Whether gateway `a` is the better one for a downlink: it may send (what does not say so may),
 * then SNR, then RSSI; a value that is missing is worse than any. */
bool roam_gw_is_better(const struct roam_gw_info *a, const struct roam_gw_info *b);

/* The best of a list; NULL if it is empty. */
const struct roam_gw_info *roam_gw_best(const struct array *gw_info);

/* What the answer to an uplink says of gateways: for each that may send and gave a ULToken an
 * element with this token, the best first. The list comes from the arena, tokens are borrowed. */
struct array roam_gw_answer(const struct array *gw_info, struct arena *arena);

/* ---- windows -------------------------------------------------------------------------------- */

struct roam_window {
    uint32_t freq_hz;
    uint8_t data_rate;
    int64_t delay_us; /* after the end of the uplink; 0: at once (class C) */
};

/* The windows in order, at most two; none for class B, which has no form in TS002. RXDelay1 0, or
 * none, is 1 s, and RX2 comes a second after RX1. */
size_t roam_windows(const struct roam_dl_meta_data *dl, struct roam_window windows[2]);

/* ---- time ----------------------------------------------------------------------------------- */

/* UTC nanoseconds of an uplink at a gateway that has FineRecvTime: these within RecvTime's second;
 * otherwise RecvTime. */
int64_t roam_recv_time_ns(const struct roam_ul_meta_data *ul, const struct roam_gw_info *gw);

/* When the uplink ended, well enough to tell the device the time (DeviceTimeAns): RecvTime if it
 * has a fraction, since whole seconds are only that exact, and is no further from our own time than
 * ten seconds, which no message takes and no good clock errs; else our time of receiving the
 * request less half the peer's round trip. UTC microseconds. */
int64_t roam_uplink_time_us(const struct roam_ul_meta_data *ul, int64_t received_us,
                            int64_t round_trip_us);

/* ---- MIC that a partner checks -------------------------------------------------------------- */

/* 32 bits of an uplink's counter nearest to `base`, the FCntUp of a PRStartAns: that is about where
 * the session was, before or behind. */
uint32_t roam_fcnt_near(uint32_t base, uint16_t sent);

/* LoRaWAN 1.0: the whole MIC by the NwkSKey; 1.1: its upper half by the FNwkSIntKey, the other one
 * is the serving network's. `frame` is a data uplink. */
bool roam_mic_is_good(const struct lw_frame *frame, bool v11, const struct lw_key *key,
                      uint32_t fcnt);
