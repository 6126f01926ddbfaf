/*
 * gateway.h - a virtual gateway that speaks the Semtech UDP protocol (packet forwarder version 1
 * or 2), the forwarder's side written anew: octets in, octets out, no socket, no clock.
 *
 * The microsecond counter starts anywhere and wraps every 2^32 us as a concentrator's does.
 * Datagrams are made into the caller's buffer; 0 means there was no room or nothing to say.
 * One thread at a time.
 */
#pragma once

#include "core/bytes.h"
#include "lorawan/air.h"

#include <stddef.h>

#define SIM_DATAGRAM_MAX 1400
#define SIM_JIT_MAX      32

struct sim_jit {
    int64_t start_us, end_us;
};

struct sim_gateway {
    struct lw_eui eui;
    uint8_t version;           /* 2; 1: no TX_ACK */
    bool boundless;            /* downlinks never collide: for load beyond what gateways carry */
    bool mute;                 /* takes downlinks but sends no TX_ACK (loss) */
    uint8_t next_result;       /* enum tx_result of the next downlinks, if not TX_OK */
    uint8_t next_result_count; /* how many; 255: all */
    uint16_t token;
    uint32_t counter_offset_us;                       /* counter = low 32 bits of now + this */
    uint32_t received, forwarded, downlinks, emitted; /* since the last stat */
    uint32_t push_sent, push_acked;                   /* since the last stat */
    struct sim_jit jit[SIM_JIT_MAX];
    size_t jit_n;
};

void sim_gateway_init(struct sim_gateway *gw, struct lw_eui eui, uint32_t counter_offset_us);

uint32_t sim_gateway_counter(const struct sim_gateway *gw, int64_t now_us);

/* One reception. */
struct sim_heard {
    struct bytes phy;
    int64_t end_us;
    uint32_t frequency_hz;
    struct data_rate rate;
    uint8_t channel;
    int8_t stat; /* CRC: 1 good, -1 bad, 0 none */
    int16_t rssi_dbm;
    int16_t snr_cb;  /* 0.1 dB */
    uint64_t gps_ms; /* tmms; 0: no GPS */
    int64_t utc_us;  /* time; 0: none */
};

/* PUSH_DATA with one or more receptions. */
size_t sim_gateway_push(struct sim_gateway *gw, const struct sim_heard *heard, size_t count,
                        struct wr *wr);
/* PUSH_DATA with the statistics since the last one; utc_us for the `time` member. */
size_t sim_gateway_stat(struct sim_gateway *gw, int64_t utc_us, struct wr *wr);
size_t sim_gateway_pull(struct sim_gateway *gw, struct wr *wr);

/* What a datagram from the server is. */
enum sim_datagram { SIM_PUSH_ACK, SIM_PULL_ACK, SIM_PULL_RESP, SIM_BAD_DATAGRAM };

/* A downlink as the server ordered it. */
struct sim_txpk {
    uint16_t token;
    const char *fault;     /* NULL, or what is wrong with the txpk: a real forwarder would drop it
                              without a TX_ACK, or emit what no device hears */
    enum tx_result result; /* of the queue check; TX_OK: emitted at start_us */
    bool imme, ipol, ncrc;
    uint32_t tmst;
    int64_t start_us, end_us; /* on the caller's clock */
    int64_t lead_us;          /* from the datagram's arrival to the start */
    uint32_t frequency_hz;
    struct data_rate rate;
    int power_dbm;
    uint8_t len;
    uint8_t phy[LW_PHY_MAX];
};

/* `txpk` is filled with SIM_PULL_RESP. An accepted frame is put in the queue. */
enum sim_datagram sim_gateway_receive(struct sim_gateway *gw, int64_t now_us, struct bytes datagram,
                                      struct sim_txpk *txpk);

/* TX_ACK for what was received; 0 in version 1, when mute, or after a faulty txpk. */
size_t sim_gateway_tx_ack(const struct sim_gateway *gw, const struct sim_txpk *txpk, struct wr *wr);

/* Reads the JSON of a PULL_RESP; NULL, or a static text that says what is wrong. */
const char *sim_txpk_read(const char *json, size_t n, struct sim_txpk *txpk);
