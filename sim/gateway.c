#include "sim/gateway.h"

#include "core/clock.h"
#include "lorawan/airtime.h"

#include <stdio.h>
#include <string.h>

#define PUSH_DATA 0x00
#define PUSH_ACK  0x01
#define PULL_DATA 0x02
#define PULL_RESP 0x03
#define PULL_ACK  0x04
#define TX_ACK    0x05

/* The queue of the reference forwarder: start 1.5 ms, margin 1 ms, hand-over 40 ms; at most
 * (3 + 1) * 128 s ahead. */
#define JIT_DELAY_US     42500
#define JIT_HORIZON_US   512000000
#define IMMEDIATE_US     80000
#define DOWNLINK_MAX_LEN 999

void sim_gateway_init(struct sim_gateway *gw, struct lw_eui eui, uint32_t counter_offset_us)
{
    *gw = (struct sim_gateway){
        .eui = eui, .version = 2, .counter_offset_us = counter_offset_us, .token = 1};
}

uint32_t sim_gateway_counter(const struct sim_gateway *gw, int64_t now_us)
{
    return (uint32_t)now_us + gw->counter_offset_us;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void header(struct sim_gateway *gw, uint8_t kind, struct wr *wr)
{
    wr_u8(wr, gw->version);
    wr_u16be(wr, gw->token++);
    wr_u8(wr, kind);
    wr_u64be(wr, gw->eui.v);
}

static void text(struct wr *wr, const char *s)
{
    wr_copy(wr, s, strlen(s));
}

/* Digits by hand: a load generator spends its time here. */
static void number(struct wr *wr, uint64_t v, int least_digits)
{
    char digits[24];
    int n = 0;

    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v || n < least_digits);
    while (n)
        wr_u8(wr, (uint8_t)digits[--n]);
}

static void signed_number(struct wr *wr, int v)
{
    if (v < 0)
        wr_u8(wr, '-');
    number(wr, (uint64_t)(v < 0 ? -(int64_t)v : v), 1);
}

static void base64(struct wr *wr, struct bytes b)
{
    char out[BASE64_LEN(LW_PHY_MAX) + 1];

    wr_copy(wr, out, base64_write(out, b.p, b.n));
}

static void write_rate(struct wr *wr, const struct data_rate *rate)
{
    if (rate->kind == MOD_FSK) {
        text(wr, ",\"modu\":\"FSK\",\"datr\":");
        number(wr, rate->bit_rate, 1);
        return;
    }
    text(wr, ",\"modu\":\"LORA\",\"datr\":\"SF");
    number(wr, rate->sf, 1);
    text(wr, "BW");
    number(wr, rate->bandwidth_hz / 1000, 1);
    text(wr, "\",\"codr\":\"4/");
    number(wr, rate->coding_rate + 4u, 1);
    text(wr, rate->bandwidth_hz % 125000 ? "LI\"" : "\""); /* 2.4 GHz: long interleaver */
}

static void write_times(struct wr *wr, const struct sim_heard *heard)
{
    char utc[CLOCK_TEXT];

    if (heard->gps_ms) {
        text(wr, ",\"tmms\":");
        number(wr, heard->gps_ms, 1);
    }
    if (heard->utc_us) {
        text(wr, ",\"time\":\"");
        text(wr, clock_text(utc, heard->utc_us));
        text(wr, "\"");
    }
}

static void write_rxpk(const struct sim_gateway *gw, const struct sim_heard *heard, struct wr *wr)
{
    text(wr, "{\"tmst\":");
    number(wr, sim_gateway_counter(gw, heard->end_us), 1);
    write_times(wr, heard);
    text(wr, ",\"chan\":");
    number(wr, heard->channel % 8u, 1);
    text(wr, ",\"rfch\":0,\"freq\":");
    number(wr, heard->frequency_hz / 1000000, 1);
    text(wr, ".");
    number(wr, heard->frequency_hz % 1000000, 6);
    text(wr, ",\"stat\":");
    signed_number(wr, heard->stat);
    write_rate(wr, &heard->rate);
    text(wr, ",\"rssi\":");
    signed_number(wr, heard->rssi_dbm);
    if (heard->rate.kind == MOD_LORA) {
        text(wr, heard->snr_cb < 0 ? ",\"lsnr\":-" : ",\"lsnr\":");
        unsigned snr = (unsigned)(heard->snr_cb < 0 ? -heard->snr_cb : heard->snr_cb);

        number(wr, snr / 10, 1);
        text(wr, ".");
        number(wr, snr % 10, 1);
    }
    text(wr, ",\"size\":");
    number(wr, heard->phy.n, 1);
    text(wr, ",\"data\":\"");
    base64(wr, heard->phy);
    text(wr, "\"}");
}

static size_t done(const struct wr *wr)
{
    return wr->failed ? 0 : wr_len(wr);
}

size_t sim_gateway_push(struct sim_gateway *gw, const struct sim_heard *heard, size_t count,
                        struct wr *wr)
{
    header(gw, PUSH_DATA, wr);
    text(wr, "{\"rxpk\":[");
    for (size_t i = 0; i < count; i++) {
        if (i)
            text(wr, ",");
        write_rxpk(gw, &heard[i], wr);
    }
    text(wr, "]}");
    gw->received += (uint32_t)count;
    gw->forwarded += (uint32_t)count;
    gw->push_sent++;
    return done(wr);
}

size_t sim_gateway_stat(struct sim_gateway *gw, int64_t utc_us, struct wr *wr)
{
    uint32_t tenths = gw->push_sent ? gw->push_acked * 1000u / gw->push_sent : 0;
    char utc[CLOCK_TEXT], json[256];

    clock_text(utc, utc_us);
    snprintf(json, sizeof(json),
             "{\"stat\":{\"time\":\"%.10s %.8s GMT\",\"rxnb\":%u,\"rxok\":%u,\"rxfw\":%u,"
             "\"ackr\":%u.%u,\"dwnb\":%u,\"txnb\":%u}}",
             utc, utc + 11, gw->received, gw->received, gw->forwarded, tenths / 10, tenths % 10,
             gw->downlinks, gw->emitted);
    header(gw, PUSH_DATA, wr);
    text(wr, json);
    gw->received = gw->forwarded = gw->downlinks = gw->emitted = 0;
    gw->push_acked = 0;
    gw->push_sent = 1; /* this one */
    return done(wr);
}

size_t sim_gateway_pull(struct sim_gateway *gw, struct wr *wr)
{
    header(gw, PULL_DATA, wr);
    return done(wr);
}

size_t sim_gateway_tx_ack(const struct sim_gateway *gw, const struct sim_txpk *txpk, struct wr *wr)
{
    if (gw->version < 2 || gw->mute || txpk->fault)
        return 0;
    wr_u8(wr, gw->version);
    wr_u16be(wr, txpk->token);
    wr_u8(wr, TX_ACK);
    wr_u64be(wr, gw->eui.v);
    if (txpk->result != TX_OK) {
        text(wr, "{\"txpk_ack\":{\"error\":\"");
        text(wr, tx_result_text(txpk->result));
        text(wr, "\"}}");
    }
    return done(wr);
}

/* ---- the queue ------------------------------------------------------------------------------- */

static void forget_sent(struct sim_gateway *gw, int64_t now_us)
{
    size_t kept = 0;

    for (size_t i = 0; i < gw->jit_n; i++) {
        if (gw->jit[i].end_us > now_us)
            gw->jit[kept++] = gw->jit[i];
    }
    gw->jit_n = kept;
}

static bool collides(const struct sim_gateway *gw, const struct sim_txpk *txpk)
{
    for (size_t i = 0; i < gw->jit_n; i++) {
        if (txpk->start_us < gw->jit[i].end_us + JIT_DELAY_US &&
            gw->jit[i].start_us < txpk->end_us + JIT_DELAY_US)
            return true;
    }
    return false;
}

/* As the reference does it: the distance is unsigned, so that a moment that has passed looks far
 * ahead and is TOO_EARLY. */
static enum tx_result queue_check(const struct sim_gateway *gw, const struct sim_txpk *txpk,
                                  int64_t now_us)
{
    uint32_t ahead = txpk->tmst - sim_gateway_counter(gw, now_us);

    if (!txpk->imme && ahead > JIT_HORIZON_US)
        return TX_TOO_EARLY;
    if (!txpk->imme && ahead <= JIT_DELAY_US)
        return TX_TOO_LATE;
    if (!gw->boundless && (gw->jit_n == SIM_JIT_MAX || collides(gw, txpk)))
        return TX_COLLISION_PACKET;
    return TX_OK;
}

static enum tx_result injected(struct sim_gateway *gw)
{
    if (gw->next_result == TX_OK || !gw->next_result_count)
        return TX_OK;
    if (gw->next_result_count != 255)
        gw->next_result_count--;
    return (enum tx_result)gw->next_result;
}

static void enqueue(struct sim_gateway *gw, int64_t now_us, struct sim_txpk *txpk)
{
    int32_t ahead = (int32_t)(txpk->tmst - sim_gateway_counter(gw, now_us));

    txpk->start_us = now_us + (txpk->imme ? IMMEDIATE_US : ahead);
    txpk->end_us = txpk->start_us + lw_airtime_frame_us(&txpk->rate, txpk->len, LW_DOWN);
    txpk->lead_us = txpk->start_us - now_us;
    forget_sent(gw, now_us);
    txpk->result = injected(gw);
    if (txpk->result == TX_OK)
        txpk->result = queue_check(gw, txpk, now_us);
    if (txpk->result != TX_OK)
        return;
    if (!gw->boundless)
        gw->jit[gw->jit_n++] = (struct sim_jit){txpk->start_us, txpk->end_us};
    gw->emitted++;
}

/* ---- datagrams from the server --------------------------------------------------------------- */

enum sim_datagram sim_gateway_receive(struct sim_gateway *gw, int64_t now_us, struct bytes datagram,
                                      struct sim_txpk *txpk)
{
    struct rd rd = rd_bytes(datagram);
    uint8_t version = rd_u8(&rd);
    uint16_t token = rd_u16be(&rd);
    uint8_t kind = rd_u8(&rd);

    if (rd.failed || version != gw->version)
        return SIM_BAD_DATAGRAM;
    if (kind == PUSH_ACK && datagram.n == 4) {
        gw->push_acked++;
        return SIM_PUSH_ACK;
    }
    if (kind == PULL_ACK && datagram.n == 4)
        return SIM_PULL_ACK;
    if (kind != PULL_RESP)
        return SIM_BAD_DATAGRAM;
    *txpk = (struct sim_txpk){.token = token};
    gw->downlinks++;
    txpk->fault = datagram.n > DOWNLINK_MAX_LEN
                      ? "longer than the forwarder's buffer"
                      : sim_txpk_read((const char *)datagram.p + 4, datagram.n - 4, txpk);
    if (!txpk->fault)
        enqueue(gw, now_us, txpk);
    return SIM_PULL_RESP;
}
