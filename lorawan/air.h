/*
 * air.h - the one model of what is heard and sent by radio, for every gateway protocol.
 *
 * A *copy* is one reception of a transmission by one gateway. The gateway rooms make it from their
 * protocol's message; the collector gathers the copies of one transmission. A *route* is the way
 * back that a copy offers. A *rung* is one opportunity to send a frame (gateway, window, channel);
 * a *ladder* is a list of rungs for identical bytes, in the order of preference (mechanics: 18).
 * Plain values without pointers into protocols, so that they move between threads.
 */
#pragma once

#include "core/bytes.h"
#include "lorawan/types.h"

#include <stddef.h>

enum modulation { MOD_LORA, MOD_FSK, MOD_LR_FHSS };

/* How a frame is modulated. Which members count depends on `kind`. */
struct data_rate {
    uint8_t kind;          /* enum modulation */
    uint8_t sf;            /* LoRa: 5..12 */
    uint8_t coding_rate;   /* LoRa: 1..4 for 4/5..4/8; LR-FHSS: 1 for 1/3, 2 for 2/3 */
    uint8_t grid_steps;    /* LR-FHSS hopping grid, in steps of 3.9 or 25.4 kHz */
    uint32_t bandwidth_hz; /* LoRa: bandwidth; LR-FHSS: operating channel width */
    uint32_t bit_rate;     /* FSK: bit/s */
};

enum crc_status { CRC_NONE, CRC_OK, CRC_BAD };

enum copy_flag {
    COPY_HAS_TMMS = 1 << 0,    /* gps_ms is valid: the gateway's GPS was locked */
    COPY_HAS_FINE = 1 << 1,    /* fine_ns is valid */
    COPY_HAS_GW_TIME = 1 << 2, /* gw_utc_us is valid (may be the gateway's host clock) */
    COPY_HAS_SNR = 1 << 3,
    COPY_HAS_LOCATION = 1 << 4,
    COPY_PRIVATE = 1 << 5, /* by a private gateway: counts for its tenant's devices only */
};

/* One reception by one gateway. */
struct copy {
    struct lw_eui gateway;
    int64_t received_us; /* our monotonic clock at the socket */
    int64_t utc_us;      /* our UTC clock at the socket */
    uint64_t counter_us; /* the gateway's microsecond counter at the END of the frame, extended
                            to 64 bits by gateway/; downlink times are relative to it */
    uint32_t tmst;       /* the same, as the gateway sent it */
    uint32_t frequency_hz;
    struct data_rate rate;
    int16_t rssi_dbm;
    int16_t snr_cb; /* SNR in 0.1 dB */
    uint8_t channel, rf_chain, board, antenna;
    uint8_t crc;    /* enum crc_status */
    uint8_t flags;  /* enum copy_flag */
    uint8_t region; /* enum region_id, given by the gateway or the frequency */
    uint8_t dr;     /* uplink data rate index in the region */
    uint32_t uplink_id;
    uint32_t fine_ns;
    uint64_t gps_ms; /* GPS time in ms since 1980-01-06 */
    int64_t gw_utc_us;
};

/* The most copies of one transmission that are kept; the weakest give way. */
#define AIR_COPIES_MAX 32

/* ---- downlinks ------------------------------------------------------------------------------ */

enum air_window { WINDOW_RX1, WINDOW_RX2, WINDOW_JOIN1, WINDOW_JOIN2, WINDOW_NOW };

/* One opportunity to send the frame. */
struct rung {
    struct lw_eui gateway;
    uint64_t counter_us; /* gateway counter at which the preamble starts; 0 with WINDOW_NOW */
    int64_t start_us;    /* the same moment on our monotonic clock, estimated from the reception */
    uint32_t frequency_hz;
    struct data_rate rate;
    int8_t eirp_dbm;
    uint8_t window; /* enum air_window */
    uint8_t board, antenna;
};

#define AIR_RUNGS_MAX 8

/* What became of one attempt to send; also the error values of a TX acknowledgement. */
/* clang-format off */
#define TX_RESULT_TABLE(X)                                                                         \
    X(TX_OK,               "OK")                                                                   \
    X(TX_TOO_LATE,         "TOO_LATE")                                                             \
    X(TX_TOO_EARLY,        "TOO_EARLY")                                                            \
    X(TX_COLLISION_PACKET, "COLLISION_PACKET")                                                     \
    X(TX_COLLISION_BEACON, "COLLISION_BEACON")                                                     \
    X(TX_FREQ,             "TX_FREQ")                                                              \
    X(TX_POWER,            "TX_POWER")                                                             \
    X(TX_GPS_UNLOCKED,     "GPS_UNLOCKED")                                                         \
    X(TX_QUEUE_FULL,       "QUEUE_FULL")                                                           \
    X(TX_DUTY_CYCLE,       "DUTY_CYCLE_OVERFLOW")                                                  \
    X(TX_NO_PATH,          "NO_PATH")                                                              \
    X(TX_UNKNOWN,          "UNKNOWN")

enum tx_result {
#define X(name, text) name,
    TX_RESULT_TABLE(X)
#undef X
    TX_RESULT_COUNT
};
/* clang-format on */

const char *tx_result_text(enum tx_result result);

/* Codec of what is kept of them: a data rate whole; of a rung what a reader asks for (gateway,
 * channel, power, window), without the gateway's clock. Errors show in the reader. */
void data_rate_write(struct wr *wr, const struct data_rate *rate);
void data_rate_read(struct rd *rd, struct data_rate *rate);
void rung_write(struct wr *wr, const struct rung *rung);
void rung_read(struct rd *rd, struct rung *rung);
