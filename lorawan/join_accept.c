/*
 * join_accept.c - the join-accept of frame.h.
 *
 * The server encrypts with AES *decrypt*, so that a device needs the encrypting half of AES only.
 */
#include "lorawan/crypto.h"
#include "lorawan/frame.h"

#define MHDR           ((uint8_t)(LW_JOIN_ACCEPT << 5))
#define OPT_NEG        0x80
#define BODY_CFLIST    16
#define ACCEPT_SHORT   17
#define DR_MASK        0x0f
#define DR_OFFSET_MASK 0x07
#define DELAY_MASK     0x0f
#define U24_MAX        0xffffffu

/* Over MHDR and body; after a rejoin or with OptNeg also over what was asked (TS001-1.1 6.2.3). */
static uint32_t accept_mic(struct bytes msg, const struct lw_join_context *context, bool opt_neg)
{
    uint8_t room[11];
    struct wr wr = wr_of(room, sizeof(room));
    struct bytes parts[2];

    if (opt_neg || context->request != LW_REQUEST_JOIN) {
        wr_u8(&wr, context->request);
        wr_u64le(&wr, context->join_eui.v);
        wr_u16le(&wr, context->nonce);
    }
    parts[0] = wr_bytes(&wr);
    parts[1] = msg;
    return lw_cmac_mic(context->mic, parts, 2);
}

static void write_plain(struct wr *wr, const struct lw_join_accept *accept)
{
    wr_u8(wr, MHDR);
    wr_u24le(wr, accept->join_nonce);
    wr_u24le(wr, accept->net_id.v);
    wr_u32le(wr, accept->dev_addr.v);
    wr_u8(wr,
          (uint8_t)((accept->opt_neg ? OPT_NEG : 0) | accept->rx1_dr_offset << 4 | accept->rx2_dr));
    wr_u8(wr, accept->rx_delay);
    if (accept->has_cflist)
        wr_copy(wr, accept->cflist, sizeof(accept->cflist));
}

enum err lw_join_accept_write(struct wr *wr, const struct lw_join_accept *accept,
                              const struct lw_join_context *context)
{
    uint8_t room[LW_JOIN_ACCEPT_MAX];
    struct wr plain = wr_of(room, sizeof(room));

    if (accept->rx1_dr_offset > DR_OFFSET_MASK || accept->rx2_dr > DR_MASK ||
        accept->rx_delay > DELAY_MASK || accept->join_nonce > U24_MAX || accept->net_id.v > U24_MAX)
        return ERR_INVALID;
    write_plain(&plain, accept);
    wr_u32le(&plain, accept_mic(wr_bytes(&plain), context, accept->opt_neg));
    lw_aes_decrypt_blocks(context->enc, room + 1, room + 1, (wr_len(&plain) - 1) / LW_BLOCK);
    wr_copy(wr, room, wr_len(&plain));
    return wr->failed ? ERR_LIMIT : OK;
}

static void read_plain(struct rd *rd, struct lw_join_accept *accept)
{
    uint8_t settings;

    *accept = (struct lw_join_accept){.join_nonce = rd_u24le(rd)};
    accept->net_id.v = rd_u24le(rd);
    accept->dev_addr.v = rd_u32le(rd);
    settings = rd_u8(rd);
    accept->opt_neg = settings & OPT_NEG;
    accept->rx1_dr_offset = (settings >> 4) & DR_OFFSET_MASK;
    accept->rx2_dr = settings & DR_MASK;
    accept->rx_delay = rd_u8(rd) & DELAY_MASK;
    if (rd_left(rd) == BODY_CFLIST + LW_MIC_LEN) {
        accept->has_cflist = true;
        rd_copy(rd, accept->cflist, sizeof(accept->cflist));
    }
}

enum err lw_join_accept_read(struct bytes phy, const struct lw_join_context *context,
                             struct lw_join_accept *accept)
{
    uint8_t plain[LW_JOIN_ACCEPT_MAX];
    struct rd rd;

    if ((phy.n != ACCEPT_SHORT && phy.n != LW_JOIN_ACCEPT_MAX) || phy.p[0] != MHDR)
        return ERR_MALFORMED;
    plain[0] = MHDR;
    lw_aes_encrypt_blocks(context->enc, phy.p + 1, plain + 1, (phy.n - 1) / LW_BLOCK);
    rd = rd_of(plain + 1, phy.n - 1);
    read_plain(&rd, accept);
    if (rd_u32le(&rd) !=
        accept_mic((struct bytes){plain, phy.n - LW_MIC_LEN}, context, accept->opt_neg))
        return ERR_CRYPTO;
    return OK;
}
