/*
 * sync.h - how long a WOR's preamble must be, and when a device that knows its relay's scans sends
 * it (TS011 appendix 1, informative; relay reference 1.6). For the simulator and for tools: a
 * network server needs none of it. Times in microseconds on the device's clock. Pure.
 */
#pragma once

#include "lorawan/air.h"
#include "relay/wor.h"

/* What a device assumes before it heard any WOR ACK. */
#define RELAY_CAD_CODE_UNKNOWN       0 /* 1 s */
#define RELAY_XTAL_CODE_UNKNOWN      3 /* 40 ppm */
#define RELAY_CAD_TO_RX_CODE_UNKNOWN 3 /* 8 symbols */

/* Symbols of a preamble that surely meets a scan. 0: not a LoRa rate, or a reserved CAD code. */
unsigned relay_preamble_unsync(const struct data_rate *wor, unsigned cad_code,
                               unsigned cad_to_rx_code);

#define RELAY_XTAL_PPM_MAX 1000 /* of a device's own crystal; none is as poor */

/* What a WOR ACK taught. */
struct relay_sync {
    int64_t scan_us;    /* start of the scan that the WOR met, by the device's clock */
    int64_t symbol_ns;  /* of the WOR */
    uint32_t period_us; /* from scan to scan */
    uint8_t cad_to_rx;  /* code */
    uint16_t ppm;       /* of both crystals together */
};

/* `sent_us` is the start of the WOR, `preamble` its symbols; `xtal_ppm` the device's own. False:
 * not a LoRa rate, a reserved CAD code in `state`, or `xtal_ppm` above RELAY_XTAL_PPM_MAX. */
bool relay_sync_of(const struct data_rate *wor, int64_t sent_us, unsigned preamble,
                   const struct relay_state *state, unsigned xtal_ppm, struct relay_sync *sync);

struct relay_wake {
    int64_t start_us;  /* of the WOR */
    unsigned preamble; /* symbols */
};

/* `sync` is what relay_sync_of made. For the next scan that can be met at or after `now_us` (not
 * before the scan of `sync`). The WOR
 * begins half the drift early. */
struct relay_wake relay_sync_next(const struct relay_sync *sync, int64_t now_us);
