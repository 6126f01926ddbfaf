/*
 * wor.h - what a device and its relay say to each other: WOR and WOR ACK frames, their keys and
 * counter (TS011 2 to 5; relay reference 2.1-2.3, 3).
 *
 * None of these frames reaches a network server, which only derives RootWorSKey (lorawan/keys.h)
 * and hands it to the relay. They are here for the simulator, for tools, and because the rules of
 * RXR hang on them. Pure; any thread.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/types.h"

#define RELAY_WOR_JOIN_LEN   5
#define RELAY_WOR_UPLINK_LEN 15
#define RELAY_WOR_ACK_LEN    7

/* End of a WOR to its WOR ACK, of that to the uplink; of a join WOR to the Join-Request. */
#define RELAY_TURN_US INT64_C(50000)

/* A frequency of 24 bits (lw_hz_to_u24) and a data rate of four. */
struct relay_channel {
    uint32_t frequency_hz;
    uint8_t dr;
};

struct relay_wor_keys {
    struct lw_key integrity, encryption; /* WorSIntKey, WorSEncKey */
};

/* From RootWorSKey, for one DevAddr. The caller wipes. */
void relay_wor_keys_of(const struct lw_key *root_wor_s_key, struct lw_dev_addr dev_addr,
                       struct relay_wor_keys *keys);
void relay_wor_keys_wipe(struct relay_wor_keys *keys);

/* One exchange between a device and its relay: who, by which counter, on which channels. */
struct relay_exchange {
    const struct relay_wor_keys *keys;
    struct lw_dev_addr dev_addr;
    uint32_t wfcnt;              /* all 32 bits */
    struct relay_channel uplink; /* of the LoRaWAN uplink, as the WOR announces it */
    struct relay_channel wor;    /* of the WOR frame itself */
    struct relay_channel ack;    /* of the WOR ACK itself */
};

/* ---- WOR ------------------------------------------------------------------------------------- */

enum relay_wor_type {
    RELAY_WOR_JOIN = 0,   /* a Join-Request follows; in clear, no MIC, no answer */
    RELAY_WOR_UPLINK = 1, /* a data uplink follows */
};

struct relay_wor {
    uint8_t type; /* enum relay_wor_type */
    union {
        struct relay_channel join; /* of the Join-Request */
        struct {
            struct lw_dev_addr dev_addr;
            uint16_t wfcnt;       /* low half */
            uint8_t encrypted[4]; /* relay_wor_open */
            uint32_t mic;
        } uplink;
    };
};

/* ERR_MALFORMED: length; ERR_UNSUPPORTED: another type. Reserved bits are ignored. */
MUST_CHECK enum err relay_wor_read(struct bytes frame, struct relay_wor *wor);

/* What a data WOR announces, given `keys`, `wfcnt` and `wor` of the exchange: sets its `uplink` and
 * `dev_addr`. ERR_CRYPTO: the MIC is wrong; ERR_INVALID: a join WOR, another low half of the
 * counter, or a channel of the WOR that no frame can announce. */
MUST_CHECK enum err relay_wor_open(const struct relay_wor *wor, struct relay_exchange *exchange);

/* A channel that cannot be written fails the writer. */
void relay_wor_join_write(struct wr *wr, const struct relay_channel *uplink);
void relay_wor_uplink_write(struct wr *wr, const struct relay_exchange *exchange);

/* The counter that a relay tries for 16 received bits, given the last one that it accepted or was
 * given: false if none is left. No greatest gap. (As deployed relays do; reference 3.5.) */
bool relay_wfcnt_widen(uint32_t last, uint16_t sent, uint32_t *full);

/* ---- WOR ACK --------------------------------------------------------------------------------- */

#define RELAY_T_OFFSET_MAX_MS 2047

enum relay_forwarding {
    RELAY_FORWARD_YES,
    RELAY_FORWARD_IN_30_MIN,
    RELAY_FORWARD_IN_60_MIN,
    RELAY_FORWARD_OFF,
};

struct relay_state {
    uint16_t t_offset_ms;    /* start of the relay's scan to the end of the WOR's preamble */
    uint8_t cad_periodicity; /* code: relay_cad_period_ms */
    uint8_t xtal_accuracy;   /* code: relay_xtal_ppm */
    uint8_t dr;              /* of the relay's own uplinks */
    uint8_t forward;         /* enum relay_forwarding */
    uint8_t cad_to_rx;       /* code: relay_cad_to_rx_symbols */
};

/* A field too large fails the writer. */
void relay_wor_ack_write(struct wr *wr, const struct relay_exchange *exchange,
                         const struct relay_state *state);
/* ERR_MALFORMED: length; ERR_CRYPTO: the MIC is wrong; ERR_INVALID: a channel of the exchange that
 * no frame can announce. A reserved CAD periodicity is kept as it is. */
MUST_CHECK enum err relay_wor_ack_open(struct bytes frame, const struct relay_exchange *exchange,
                                       struct relay_state *state);

/* 1000, 500, 250, 100, 50, 20; 0 for the reserved codes 6 and 7. */
unsigned relay_cad_period_ms(unsigned code);
/* 10, 20, 30, 40 for the two low bits. */
unsigned relay_xtal_ppm(unsigned code);
/* 2, 4, 6, 8 for the two low bits. */
unsigned relay_cad_to_rx_symbols(unsigned code);
