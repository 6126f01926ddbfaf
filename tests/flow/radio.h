/*
 * radio.h - a packet forwarder for flow tests: datagrams with one rxpk in, PULL_RESP out.
 */
#pragma once

#include "tests/flow/world.h"

struct radio {
    uint64_t gateway;
    uint8_t version;      /* of the protocol: 2, or 1, which has no TX_ACK */
    uint32_t tmst_offset; /* its counter at monotonic time 0 */
    int64_t gps_ms;       /* GPS time of what is heard next (`tmms`); 0: no GPS */
    struct address push, pull;
};

void radio_open(struct world *world, struct radio *radio, uint64_t gateway);

/* A frame that ends now. `frequency_hz` and rate as on air ("SF7BW125"). */
void radio_heard(struct world *world, const struct radio *radio, struct bytes phy,
                 uint32_t frequency_hz, const char *rate, double snr);

/* PULL_DATA, as forwarders send it all the time. */
void radio_pull(struct world *world, const struct radio *radio);

/* The next PULL_RESP to this gateway from world->sent at or after *at; false if there is none. */
struct radio_down {
    uint16_t token;
    uint32_t tmst;
    bool immediate;
    uint32_t frequency_hz;
    char rate[24], coding[8]; /* "SF7BW125", "4/5" */
    int power_dbm;
    int64_t sent_us;
    uint8_t phy[255];
    size_t phy_n;
};
bool radio_down(struct world *world, const struct radio *radio, size_t *at,
                struct radio_down *down);

/* TX_ACK; `error` NULL: all is well. */
void radio_ack(struct world *world, const struct radio *radio, const struct radio_down *down,
               const char *error);

/* Microseconds from the end of an uplink heard at `heard_us` to the start of the downlink. */
int64_t radio_delay_us(const struct radio *radio, const struct radio_down *down, int64_t heard_us);
