/*
 * wor.c - WOR and WOR ACK: the one block of keystream, the MICs, the counter.
 *
 * The keystream block names the frame's own channel, so that a frame replayed on another one does
 * not read; the MIC of an ACK covers what the WOR announced. Both as in the relays of the field
 * since 2023 (relay reference 3.3, 3.4).
 */
#include "relay/wor.h"

#include "lorawan/crypto.h"
#include "lorawan/mac.h"

#include <string.h>

#define TYPE_MASK     0x0f
#define DR_MASK       0x0f
#define ENCRYPTED_LEN 4
#define STATE_LEN     3

#define LABEL_INT     0x01
#define LABEL_ENC     0x02

/* Of an ACK and of a WOR: direction in B0 and A, length in B0. */
#define WOR_MIC_LEN 0x0e
#define ACK_MIC_LEN 0x07

/* ---- keys ------------------------------------------------------------------------------------ */

static void derive(const struct lw_key *root, uint8_t label, struct lw_dev_addr dev_addr,
                   struct lw_key *key)
{
    uint8_t block[LW_BLOCK] = {0};
    struct wr wr = wr_of(block, sizeof(block));

    wr_u8(&wr, label);
    wr_u32le(&wr, dev_addr.v);
    lw_aes_encrypt(root, block, key->b);
}

void relay_wor_keys_of(const struct lw_key *root_wor_s_key, struct lw_dev_addr dev_addr,
                       struct relay_wor_keys *keys)
{
    derive(root_wor_s_key, LABEL_INT, dev_addr, &keys->integrity);
    derive(root_wor_s_key, LABEL_ENC, dev_addr, &keys->encryption);
}

void relay_wor_keys_wipe(struct relay_wor_keys *keys)
{
    lw_key_wipe(&keys->integrity);
    lw_key_wipe(&keys->encryption);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* As every channel is written: data rate, frequency. False if it has no such form. */
static bool channel_write(struct wr *wr, const struct relay_channel *channel)
{
    uint32_t u24;

    if (channel->dr > DR_MASK || lw_hz_to_u24(channel->frequency_hz, &u24) != OK) {
        wr->failed = true;
        return false;
    }
    wr_u8(wr, channel->dr);
    wr_u24le(wr, u24);
    return true;
}

static struct relay_channel channel_read(struct rd *rd)
{
    uint8_t dr = rd_u8(rd) & DR_MASK;

    return (struct relay_channel){.frequency_hz = lw_hz_of_u24(rd_u24le(rd)), .dr = dr};
}

/* XORs with E(WorSEncKey, A): A names direction, counter and the frame's own channel. */
static enum err crypt(const struct relay_exchange *exchange, enum lw_direction direction,
                      uint8_t *data, size_t n)
{
    const struct relay_channel *on = direction == LW_UP ? &exchange->wor : &exchange->ack;
    uint8_t block[LW_BLOCK] = {0x01, 0, 0, direction};
    struct wr wr = wr_of(block + 4, sizeof(block) - 4);
    uint32_t u24;

    if (on->dr > DR_MASK || lw_hz_to_u24(on->frequency_hz, &u24) != OK)
        return ERR_INVALID;
    wr_u32le(&wr, exchange->dev_addr.v);
    wr_u32le(&wr, exchange->wfcnt);
    wr_u24le(&wr, u24);
    wr_u8(&wr, on->dr);
    lw_aes_encrypt(&exchange->keys->encryption, block, block);
    for (size_t i = 0; i < n; i++)
        data[i] ^= block[i];
    return OK;
}

static uint32_t mic(const struct relay_exchange *exchange, enum lw_direction direction,
                    struct bytes message)
{
    uint8_t b0[LW_BLOCK] = {0x49};
    struct wr wr = wr_of(b0 + 5, sizeof(b0) - 5);
    struct bytes parts[] = {{b0, sizeof(b0)}, message};

    wr_u8(&wr, direction);
    wr_u32le(&wr, exchange->dev_addr.v);
    wr_u32le(&wr, exchange->wfcnt);
    wr_u8(&wr, 0);
    wr_u8(&wr, direction == LW_UP ? WOR_MIC_LEN : ACK_MIC_LEN);
    return lw_cmac_mic(&exchange->keys->integrity, parts, 2);
}

/* ---- WOR ------------------------------------------------------------------------------------- */

enum err relay_wor_read(struct bytes frame, struct relay_wor *wor)
{
    struct rd rd = rd_bytes(frame);

    *wor = (struct relay_wor){.type = rd_u8(&rd) & TYPE_MASK};
    if (wor->type == RELAY_WOR_JOIN) {
        wor->join = channel_read(&rd);
    } else if (wor->type == RELAY_WOR_UPLINK) {
        wor->uplink.dev_addr.v = rd_u32le(&rd);
        rd_copy(&rd, wor->uplink.encrypted, ENCRYPTED_LEN);
        wor->uplink.wfcnt = rd_u16le(&rd);
        wor->uplink.mic = rd_u32le(&rd);
    } else {
        return ERR_UNSUPPORTED;
    }
    return rd.failed || rd_left(&rd) ? ERR_MALFORMED : OK;
}

/* DevAddr, what is encrypted, WFCnt: all but type and MIC. */
static struct bytes wor_signed(struct wr *wr, const struct relay_exchange *exchange,
                               const uint8_t encrypted[ENCRYPTED_LEN])
{
    wr_u32le(wr, exchange->dev_addr.v);
    wr_copy(wr, encrypted, ENCRYPTED_LEN);
    wr_u16le(wr, (uint16_t)exchange->wfcnt);
    return wr_bytes(wr);
}

enum err relay_wor_open(const struct relay_wor *wor, struct relay_exchange *exchange)
{
    uint8_t message[RELAY_WOR_UPLINK_LEN], plain[ENCRYPTED_LEN];
    struct wr wr = wr_of(message, sizeof(message));
    struct rd rd = rd_of(plain, sizeof(plain));
    enum err err;

    if (wor->type != RELAY_WOR_UPLINK || wor->uplink.wfcnt != (uint16_t)exchange->wfcnt)
        return ERR_INVALID;
    exchange->dev_addr = wor->uplink.dev_addr;
    if (mic(exchange, LW_UP, wor_signed(&wr, exchange, wor->uplink.encrypted)) != wor->uplink.mic)
        return ERR_CRYPTO;
    memcpy(plain, wor->uplink.encrypted, sizeof(plain));
    err = crypt(exchange, LW_UP, plain, sizeof(plain));
    if (!err)
        exchange->uplink = channel_read(&rd);
    return err;
}

void relay_wor_join_write(struct wr *wr, const struct relay_channel *uplink)
{
    wr_u8(wr, RELAY_WOR_JOIN);
    channel_write(wr, uplink);
}

void relay_wor_uplink_write(struct wr *wr, const struct relay_exchange *exchange)
{
    uint8_t announced[ENCRYPTED_LEN] = {0}, message[RELAY_WOR_UPLINK_LEN];
    struct wr inner = wr_of(announced, sizeof(announced));
    struct wr outer = wr_of(message, sizeof(message));
    struct bytes said;

    if (!channel_write(&inner, &exchange->uplink) ||
        crypt(exchange, LW_UP, announced, sizeof(announced)) != OK) {
        wr->failed = true;
        return;
    }
    said = wor_signed(&outer, exchange, announced);
    wr_u8(wr, RELAY_WOR_UPLINK);
    wr_copy(wr, said.p, said.n);
    wr_u32le(wr, mic(exchange, LW_UP, said));
}

bool relay_wfcnt_widen(uint32_t last, uint16_t sent, uint32_t *full)
{
    uint16_t low = (uint16_t)last;
    bool over = sent <= low && !(sent == 0 && low == 0);

    if (over && last >= 0xffff0000u)
        return false;
    *full = (last & 0xffff0000u) + (over ? 0x10000u : 0) + sent;
    return true;
}

/* ---- WOR ACK --------------------------------------------------------------------------------- */

static bool state_fits(const struct relay_state *state)
{
    return state->t_offset_ms <= RELAY_T_OFFSET_MAX_MS && state->cad_periodicity <= 7 &&
           state->xtal_accuracy <= 3 && state->dr <= DR_MASK && state->forward <= 3 &&
           state->cad_to_rx <= 3;
}

/* What the WOR announced, the counter and the DevAddr are signed with the state. */
static enum err ack_mic(const struct relay_exchange *exchange, const uint8_t state[STATE_LEN],
                        uint32_t *result)
{
    uint8_t message[LW_BLOCK] = {0};
    struct wr wr = wr_of(message, sizeof(message));

    wr_copy(&wr, state, STATE_LEN);
    channel_write(&wr, &exchange->uplink);
    wr_u16le(&wr, (uint16_t)exchange->wfcnt);
    wr_u32le(&wr, exchange->dev_addr.v);
    *result = mic(exchange, LW_DOWN, (struct bytes){message, sizeof(message)});
    return wr.failed ? ERR_INVALID : OK;
}

void relay_wor_ack_write(struct wr *wr, const struct relay_exchange *exchange,
                         const struct relay_state *state)
{
    uint8_t octets[STATE_LEN] = {0};
    struct wr inner = wr_of(octets, sizeof(octets));
    uint32_t signature = 0;

    wr_u24le(&inner, state->t_offset_ms | (uint32_t)state->cad_periodicity << 11 |
                         (uint32_t)state->xtal_accuracy << 14 | (uint32_t)state->dr << 16 |
                         (uint32_t)state->forward << 20 | (uint32_t)state->cad_to_rx << 22);
    if (!state_fits(state) || crypt(exchange, LW_DOWN, octets, sizeof(octets)) != OK ||
        ack_mic(exchange, octets, &signature) != OK) {
        wr->failed = true;
        return;
    }
    wr_copy(wr, octets, sizeof(octets));
    wr_u32le(wr, signature);
}

enum err relay_wor_ack_open(struct bytes frame, const struct relay_exchange *exchange,
                            struct relay_state *state)
{
    struct rd rd = rd_bytes(frame);
    uint8_t octets[STATE_LEN];
    uint32_t signature, u24;
    enum err err;

    if (frame.n != RELAY_WOR_ACK_LEN)
        return ERR_MALFORMED;
    rd_copy(&rd, octets, sizeof(octets));
    err = ack_mic(exchange, octets, &signature);
    if (!err && signature != rd_u32le(&rd))
        err = ERR_CRYPTO;
    if (!err)
        err = crypt(exchange, LW_DOWN, octets, sizeof(octets));
    if (err)
        return err;
    u24 = octets[0] | (uint32_t)octets[1] << 8 | (uint32_t)octets[2] << 16;
    *state = (struct relay_state){.t_offset_ms = u24 & RELAY_T_OFFSET_MAX_MS,
                                  .cad_periodicity = u24 >> 11 & 7,
                                  .xtal_accuracy = u24 >> 14 & 3,
                                  .dr = u24 >> 16 & DR_MASK,
                                  .forward = u24 >> 20 & 3,
                                  .cad_to_rx = u24 >> 22 & 3};
    return OK;
}

unsigned relay_cad_period_ms(unsigned code)
{
    static const uint16_t periods[8] = {1000, 500, 250, 100, 50, 20};

    return periods[code & 7];
}

unsigned relay_xtal_ppm(unsigned code)
{
    return ((code & 3) + 1) * 10;
}

unsigned relay_cad_to_rx_symbols(unsigned code)
{
    return ((code & 3) + 1) * 2;
}
