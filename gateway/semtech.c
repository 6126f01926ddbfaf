/*
 * semtech.c - headers and what the server writes. The reading of PUSH_DATA is in semtech_push.c.
 */
#include "gateway/semtech.h"

#include "gateway/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FSK_DEVIATION_HZ 25000 /* TS001 / RP002: 50 kbit/s GFSK */

enum err semtech_read_header(const void *data, size_t n, struct semtech_header *header)
{
    struct rd rd = rd_of(data, n);

    header->version = rd_u8(&rd);
    header->token = rd_u16be(&rd);
    header->id = rd_u8(&rd);
    header->gateway.v = rd_u64be(&rd);
    if (rd.failed || header->version < 1 || header->version > 2)
        return ERR_MALFORMED;
    switch (header->id) {
    case SEMTECH_PUSH_DATA:
    case SEMTECH_TX_ACK: return OK;
    case SEMTECH_PULL_DATA: return n == SEMTECH_HEADER ? OK : ERR_MALFORMED;
    default: return ERR_MALFORMED;
    }
}

void semtech_write_ack(const struct semtech_header *header, uint8_t *to)
{
    struct wr wr = wr_of(to, SEMTECH_ACK);

    wr_u8(&wr, header->version);
    wr_u16be(&wr, header->token);
    wr_u8(&wr, header->id == SEMTECH_PULL_DATA ? SEMTECH_PULL_ACK : SEMTECH_PUSH_ACK);
}

/* ---- TX_ACK --------------------------------------------------------------------------------- */

/* The generic error is not the same as silence, but what follows from it is: nobody knows. */
static enum tx_result result_of(const struct scan_text *text)
{
    /* clang-format off */
    static const struct {
        const char *name;
        enum tx_result result;
    } names[] = {
        {"NONE",             TX_OK},
        {"OK",               TX_OK},
        {"TOO_LATE",         TX_TOO_LATE},
        {"TOO_EARLY",        TX_TOO_EARLY},
        {"COLLISION_PACKET", TX_COLLISION_PACKET},
        {"COLLISION_BEACON", TX_COLLISION_BEACON},
        {"TX_FREQ",          TX_FREQ},
        {"TX_POWER",         TX_POWER},
        {"GPS_UNLOCKED",     TX_GPS_UNLOCKED},
        {"FULL",             TX_QUEUE_FULL},
        {"QUEUE_FULL",       TX_QUEUE_FULL},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (scan_text_is(text, names[i].name))
            return names[i].result;
    return TX_UNKNOWN;
}

static void read_txpk_ack(struct scan *s, struct semtech_tx_ack *ack)
{
    struct scan_text key, text;
    int64_t v;

    while (scan_key(s, &key)) {
        if (scan_text_is(&key, "error") && scan_peek(s) == '"') {
            if (scan_string(s, &text))
                ack->result = result_of(&text);
        } else if (scan_text_is(&key, "warn") && scan_peek(s) == '"') {
            ack->warned = scan_string(s, &text) && !scan_text_is(&text, "NONE");
        } else if (scan_text_is(&key, "value")) {
            ack->has_value = scan_scaled(s, 3, &v);
            ack->value = ack->has_value ? (double)v / 1000 : 0;
        } else {
            scan_skip(s);
        }
    }
}

/* Length without the NULs and blanks that some firmware appends. */
static size_t trimmed(const char *p, size_t n)
{
    while (n && (!p[n - 1] || strchr(" \r\n\t", p[n - 1])))
        n--;
    return n;
}

enum err semtech_read_tx_ack(const void *json, size_t n, struct semtech_tx_ack *ack)
{
    struct scan s = scan_of(json, trimmed(json, n), SEMTECH_DEPTH_MAX);
    struct scan_text key;

    *ack = (struct semtech_tx_ack){.result = TX_OK};
    if (s.p == s.end)
        return OK;
    if (!scan_open(&s, '{'))
        return ERR_MALFORMED;
    while (scan_key(&s, &key)) {
        if (scan_text_is(&key, "txpk_ack") && scan_peek(&s) == '{') {
            if (scan_open(&s, '{'))
                read_txpk_ack(&s, ack);
        } else {
            scan_skip(&s);
        }
    }
    return s.failed || s.p != s.end ? ERR_MALFORMED : OK;
}

/* ---- PULL_RESP ------------------------------------------------------------------------------ */

/* 2.4 GHz concentrators want the long interleaver named, and truncated kHz (812 for 812.5). */
static int write_lora(char *to, size_t room, const struct data_rate *rate)
{
    uint32_t khz = rate->bandwidth_hz / 1000;
    bool long_interleaver = khz != 125 && khz != 250 && khz != 500;
    unsigned cr = rate->coding_rate ? rate->coding_rate : 1;

    return snprintf(to, room,
                    "\"modu\":\"LORA\",\"datr\":\"SF%uBW%" PRIu32
                    "\",\"codr\":\"4/%u%s\",\"ipol\":true,\"ncrc\":true",
                    (unsigned)rate->sf, khz, 4 + cr, long_interleaver ? "LI" : "");
}

/* FSK carries the CRC of the FSK packet format in both directions, hence no ncrc. */
static int write_fsk(char *to, size_t room, const struct data_rate *rate)
{
    return snprintf(to, room, "\"modu\":\"FSK\",\"datr\":%" PRIu32 ",\"fdev\":%d,\"ipol\":true",
                    rate->bit_rate, FSK_DEVIATION_HZ);
}

enum err semtech_write_pull_resp(uint8_t version, uint16_t token, const struct rung *rung,
                                 struct bytes phy, uint8_t *to, size_t *n)
{
    struct wr wr = wr_of(to, SEMTECH_DOWN_MAX);
    char when[32] = "\"imme\":true", modulation[128], data[BASE64_LEN(LW_PHY_MAX) + 1];
    int len;

    if (rung->rate.kind == MOD_LR_FHSS)
        return ERR_UNSUPPORTED;
    if (phy.n > LW_PHY_MAX)
        return ERR_LIMIT;
    wr_u8(&wr, version);
    wr_u16be(&wr, version == 1 ? 0 : token);
    wr_u8(&wr, SEMTECH_PULL_RESP);
    if (rung->window != WINDOW_NOW)
        (void)snprintf(when, sizeof(when), "\"tmst\":%" PRIu32, (uint32_t)rung->counter_us);
    if (rung->rate.kind == MOD_FSK)
        (void)write_fsk(modulation, sizeof(modulation), &rung->rate);
    else
        (void)write_lora(modulation, sizeof(modulation), &rung->rate);
    (void)base64_write(data, phy.p, phy.n);
    len = snprintf((char *)wr.p, SEMTECH_DOWN_MAX - 3,
                   "{\"txpk\":{%s,\"freq\":%" PRIu32 ".%06" PRIu32
                   ",\"rfch\":0,\"brd\":%u,\"ant\":%u,\"powe\":%d,%s,\"size\":%zu,"
                   "\"data\":\"%s\"}}",
                   when, rung->frequency_hz / 1000000, rung->frequency_hz % 1000000,
                   (unsigned)rung->board, (unsigned)rung->antenna,
                   rung->eirp_dbm > 0 ? rung->eirp_dbm : 0, modulation, phy.n, data);
    if (len < 0 || len > SEMTECH_DOWN_MAX - 4)
        return ERR_LIMIT;
    *n = 4 + (size_t)len;
    return OK;
}
