/*
 * semtech.h - codec of the Semtech UDP protocol, versions 1 and 2 (gateway protocols reference,
 * section 1). Pure: bytes in, values out, nothing allocated, no clock.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/air.h"
#include "lorawan/drop.h"

enum semtech_id {
    SEMTECH_PUSH_DATA = 0,
    SEMTECH_PUSH_ACK = 1,
    SEMTECH_PULL_DATA = 2,
    SEMTECH_PULL_RESP = 3,
    SEMTECH_PULL_ACK = 4,
    SEMTECH_TX_ACK = 5,
};

#define SEMTECH_HEADER    12
#define SEMTECH_ACK       4
#define SEMTECH_DOWN_MAX  999 /* octets of a PULL_RESP: the reference forwarder's buffer */
#define SEMTECH_DEPTH_MAX 8   /* nesting of JSON */
#define SEMTECH_RXPK_MAX  255 /* of one datagram */
#define SEMTECH_TEXT_MAX  64  /* octets of a JSON string that is looked at, but for `data` */

/* The 12 octets with which a gateway's datagram begins. */
struct semtech_header {
    uint8_t version; /* 1 or 2 */
    uint8_t id;      /* enum semtech_id: PUSH_DATA, PULL_DATA or TX_ACK */
    uint16_t token;  /* the two octets as they stand, first one high */
    struct lw_eui gateway;
};

/* ERR_MALFORMED: too short, another version, or not a gateway's datagram. */
MUST_CHECK enum err semtech_read_header(const void *data, size_t n, struct semtech_header *header);

/* Fills SEMTECH_ACK octets: PUSH_ACK or PULL_ACK. */
void semtech_write_ack(const struct semtech_header *header, uint8_t *to);

/* One reception. copy.{gateway, received_us, utc_us, counter_us, region, dr, uplink_id} are left 0
 * for the caller. */
struct semtech_rx {
    struct copy copy;
    uint8_t phy_len;
    uint8_t phy[LW_PHY_MAX];
};

enum semtech_stat_flag {
    SEMTECH_STAT_LOCATION = 1 << 0,
    SEMTECH_STAT_ACKR = 1 << 1,
    SEMTECH_STAT_TEMP = 1 << 2,
};

/* Numbers since the last stat; 0 if absent. */
struct semtech_stat {
    uint32_t flags; /* enum semtech_stat_flag */
    double latitude, longitude, altitude, ack_rate, temperature;
    uint32_t rx, rx_ok, rx_forwarded, down, tx;
};

/* What a PUSH_DATA holds is told by calls; NULL members are not called. All arguments are borrowed
 * for the call. */
struct semtech_sink {
    void (*rx)(void *ctx, const struct semtech_rx *rx); /* once per rxpk, or per its rsig element */
    void (*dropped)(void *ctx, enum drop reason);       /* an rxpk that cannot be used */
    void (*stat)(void *ctx, const struct semtech_stat *stat);
    void *ctx;
};

/* Reads the JSON of a PUSH_DATA (all octets behind the header). ERR_MALFORMED if it is no JSON
 * object; what was complete before the fault has been told. */
MUST_CHECK enum err semtech_read_push(const void *json, size_t n, const struct semtech_sink *sink);

struct semtech_tx_ack {
    enum tx_result result; /* TX_OK also for `warn` and for a missing JSON */
    bool warned;           /* "warn" was there: sent, but not as asked */
    bool has_value;
    double value; /* TX_POWER: the dBm that were used */
};

/* Reads what follows the header of a TX_ACK. ERR_MALFORMED if it is not JSON. */
MUST_CHECK enum err semtech_read_tx_ack(const void *json, size_t n, struct semtech_tx_ack *ack);

/* Writes a PULL_RESP for a rung; `to` has SEMTECH_DOWN_MAX + 1 octets, *n is its length. The frame
 * is sent inverted and without CRC, as every downlink to a device; WINDOW_NOW as imme.
 * ERR_UNSUPPORTED: LR-FHSS; ERR_LIMIT: too long. */
MUST_CHECK enum err semtech_write_pull_resp(uint8_t version, uint16_t token,
                                            const struct rung *rung, struct bytes phy, uint8_t *to,
                                            size_t *n);
