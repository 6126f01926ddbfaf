/*
 * frame.c - reading, writing and sealing frames.
 *
 * The blocks B0, B1 and A are written out octet by octet as in the specification, so that they can
 * be compared with it. Nothing here depends on the content of a key for its time, except in AES.
 */
#include "lorawan/frame.h"

#include "lorawan/crypto.h"

#define MHDR_MAJOR        0x03
#define JOIN_REQUEST_LEN  23
#define JOIN_ACCEPT_SHORT 17
#define REJOIN_LEN        19 /* types 0 and 2 */
#define REJOIN_1_LEN      24
#define NET_ID_MAX        0xffffffu

const char *lw_ftype_name(enum lw_ftype ftype)
{
    static const char *const names[] = {
        [LW_JOIN_REQUEST] = "JoinRequest",         [LW_JOIN_ACCEPT] = "JoinAccept",
        [LW_UNCONFIRMED_UP] = "UnconfirmedDataUp", [LW_UNCONFIRMED_DOWN] = "UnconfirmedDataDown",
        [LW_CONFIRMED_UP] = "ConfirmedDataUp",     [LW_CONFIRMED_DOWN] = "ConfirmedDataDown",
        [LW_REJOIN_REQUEST] = "RejoinRequest",     [LW_PROPRIETARY] = "Proprietary",
    };

    return (unsigned)ftype < sizeof(names) / sizeof(names[0]) ? names[ftype] : "";
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum drop read_data(struct rd *rd, struct lw_data *data)
{
    data->dev_addr.v = rd_u32le(rd);
    data->fctrl = rd_u8(rd);
    data->fcnt = rd_u16le(rd);
    data->fopts = rd_take(rd, data->fctrl & LW_FCTRL_FOPTS_LEN);
    data->port = LW_PORT_NONE;
    if (rd_left(rd)) {
        data->port = rd_u8(rd);
        data->payload = rd_take(rd, rd_left(rd));
    }
    if (rd->failed)
        return DROP_MALFORMED_FRAME;
    return data->port == 0 && data->fopts.n ? DROP_FOPTS_PORT0 : DROP_NONE;
}

static enum drop read_join(struct rd *rd, struct lw_join_request *join)
{
    if (rd_left(rd) != JOIN_REQUEST_LEN - 1 - LW_MIC_LEN)
        return DROP_MALFORMED_FRAME;
    join->join_eui.v = rd_u64le(rd);
    join->dev_eui.v = rd_u64le(rd);
    join->dev_nonce = rd_u16le(rd);
    return DROP_NONE;
}

static enum drop read_rejoin(struct rd *rd, struct lw_rejoin *rejoin)
{
    size_t body = rd_left(rd);

    rejoin->type = rd_u8(rd);
    if (rejoin->type > 2)
        return DROP_MALFORMED_FRAME;
    if (body != (rejoin->type == 1 ? REJOIN_1_LEN : REJOIN_LEN) - 1 - LW_MIC_LEN)
        return DROP_MALFORMED_FRAME;
    if (rejoin->type == 1)
        rejoin->join_eui.v = rd_u64le(rd);
    else
        rejoin->net_id.v = rd_u24le(rd);
    rejoin->dev_eui.v = rd_u64le(rd);
    rejoin->rj_count = rd_u16le(rd);
    return DROP_NONE;
}

static enum drop read_body(struct lw_frame *frame)
{
    struct rd rd = rd_of(frame->msg.p + 1, frame->msg.n - 1);

    switch (frame->ftype) {
    case LW_JOIN_REQUEST: return read_join(&rd, &frame->join);
    case LW_JOIN_ACCEPT:
        return frame->phy.n == JOIN_ACCEPT_SHORT || frame->phy.n == LW_JOIN_ACCEPT_MAX
                   ? DROP_NONE
                   : DROP_MALFORMED_FRAME;
    case LW_REJOIN_REQUEST: return read_rejoin(&rd, &frame->rejoin);
    default: return read_data(&rd, &frame->data);
    }
}

enum drop lw_frame_read(struct bytes phy, struct lw_frame *frame)
{
    struct rd mic;

    *frame = (struct lw_frame){.phy = phy};
    if (!phy.n || phy.n > LW_PHY_MAX || (phy.p[0] & MHDR_MAJOR))
        return DROP_MALFORMED_FRAME;
    frame->ftype = phy.p[0] >> 5;
    if (frame->ftype == LW_PROPRIETARY) {
        frame->msg = phy;
        frame->proprietary = (struct bytes){phy.p + 1, phy.n - 1};
        return DROP_NONE;
    }
    if (phy.n < LW_PHY_MIN_DATA)
        return DROP_MALFORMED_FRAME;
    frame->msg = (struct bytes){phy.p, phy.n - LW_MIC_LEN};
    mic = rd_of(phy.p + frame->msg.n, LW_MIC_LEN);
    frame->mic = rd_u32le(&mic);
    if (frame->ftype == LW_JOIN_ACCEPT || frame->ftype == LW_UNCONFIRMED_DOWN ||
        frame->ftype == LW_CONFIRMED_DOWN)
        frame->direction = LW_DOWN;
    return read_body(frame);
}

enum drop lw_uplink_read(struct bytes phy, struct lw_frame *frame)
{
    enum drop drop = lw_frame_read(phy, frame);

    if (drop == DROP_MALFORMED_FRAME)
        return drop;
    if (frame->ftype == LW_PROPRIETARY)
        return DROP_PROPRIETARY;
    return frame->direction == LW_DOWN ? DROP_NOT_UPLINK : drop;
}

/* ---- MIC ------------------------------------------------------------------------------------- */

/* What B0 and B1 have between the leading 49 and the direction. */
struct mic_head {
    uint16_t conf_fcnt;
    uint8_t tx_dr, tx_ch;
};

static uint32_t mic_data(const struct lw_key *key, const struct lw_mic_input *in,
                         struct mic_head head)
{
    uint8_t block[LW_BLOCK];
    struct wr wr = wr_of(block, sizeof(block));
    struct bytes parts[2];

    wr_u8(&wr, 0x49);
    wr_u16le(&wr, head.conf_fcnt);
    wr_u8(&wr, head.tx_dr);
    wr_u8(&wr, head.tx_ch);
    wr_u8(&wr, in->direction);
    wr_u32le(&wr, in->dev_addr.v);
    wr_u32le(&wr, in->fcnt);
    wr_u8(&wr, 0);
    wr_u8(&wr, (uint8_t)in->msg.n);
    parts[0] = wr_bytes(&wr);
    parts[1] = in->msg;
    return lw_cmac_mic(key, parts, 2);
}

struct lw_mic_input lw_mic_input_of(const struct lw_frame *frame, uint32_t fcnt)
{
    return (struct lw_mic_input){
        .msg = frame->msg,
        .dev_addr = frame->data.dev_addr,
        .fcnt = fcnt,
        .direction = frame->direction,
    };
}

uint32_t lw_mic_10(const struct lw_key *nwk_s_key, const struct lw_mic_input *in)
{
    return mic_data(nwk_s_key, in, (struct mic_head){0});
}

uint16_t lw_mic_up_f(const struct lw_key *f_nwk_s_int_key, const struct lw_mic_input *in)
{
    return (uint16_t)mic_data(f_nwk_s_int_key, in, (struct mic_head){0});
}

uint16_t lw_mic_up_s(const struct lw_key *s_nwk_s_int_key, const struct lw_mic_input *in)
{
    struct mic_head head = {in->conf_fcnt, in->tx_dr, in->tx_ch};

    return (uint16_t)mic_data(s_nwk_s_int_key, in, head);
}

uint32_t lw_mic_up_11(const struct lw_key *f_nwk_s_int_key, const struct lw_key *s_nwk_s_int_key,
                      const struct lw_mic_input *in)
{
    return lw_mic_up_s(s_nwk_s_int_key, in) | (uint32_t)lw_mic_up_f(f_nwk_s_int_key, in) << 16;
}

uint32_t lw_mic_down_11(const struct lw_key *s_nwk_s_int_key, const struct lw_mic_input *in)
{
    return mic_data(s_nwk_s_int_key, in, (struct mic_head){.conf_fcnt = in->conf_fcnt});
}

uint32_t lw_mic_plain(const struct lw_key *key, struct bytes msg)
{
    return lw_cmac_mic(key, &msg, 1);
}

/* ---- encryption ------------------------------------------------------------------------------ */

/* A: `constant` is octet 4 (FOpts of 1.1), `index` the last one. */
static void crypt_block(const struct lw_crypt *which, uint8_t constant, uint8_t index,
                        uint8_t block[LW_BLOCK])
{
    struct wr wr = wr_of(block, LW_BLOCK);

    wr_u8(&wr, 0x01);
    wr_zero(&wr, 3);
    wr_u8(&wr, constant);
    wr_u8(&wr, which->direction);
    wr_u32le(&wr, which->dev_addr.v);
    wr_u32le(&wr, which->fcnt);
    wr_u8(&wr, 0);
    wr_u8(&wr, index);
}

static void xor_into(uint8_t *to, struct bytes from, const uint8_t *stream)
{
    for (size_t i = 0; i < from.n; i++)
        to[i] = from.p[i] ^ stream[i];
}

void lw_crypt_payload(const struct lw_key *key, const struct lw_crypt *which, struct bytes from,
                      uint8_t *to)
{
    uint8_t stream[16 * LW_BLOCK]; /* LW_PHY_MAX octets are less than 16 blocks */
    size_t blocks = (from.n + LW_BLOCK - 1) / LW_BLOCK;

    if (from.n > sizeof(stream))
        return;
    for (size_t i = 0; i < blocks; i++)
        crypt_block(which, 0, (uint8_t)(i + 1), stream + i * LW_BLOCK);
    lw_aes_encrypt_blocks(key, stream, stream, blocks);
    xor_into(to, from, stream);
}

void lw_crypt_fopts(const struct lw_key *nwk_s_enc_key, const struct lw_crypt *which,
                    enum lw_fopts mode, int port, struct bytes from, uint8_t *to)
{
    bool app_counter = which->direction == LW_DOWN && port > 0;
    uint8_t stream[LW_BLOCK] = {0};

    if (from.n > LW_FOPTS_MAX)
        return;
    if (mode == LW_FOPTS_1_1)
        crypt_block(which, app_counter ? 2 : 1, 1, stream);
    else if (mode == LW_FOPTS_1_1_OLD)
        crypt_block(which, 0, 0, stream);
    if (mode != LW_FOPTS_PLAIN)
        lw_aes_encrypt(nwk_s_enc_key, stream, stream);
    xor_into(to, from, stream);
}

/* ---- writing --------------------------------------------------------------------------------- */

static enum err done(const struct wr *wr)
{
    return wr->failed ? ERR_LIMIT : OK;
}

static bool data_valid(enum lw_ftype ftype, const struct lw_data *data)
{
    if (!lw_ftype_is_data((uint8_t)ftype) || data->fopts.n > LW_FOPTS_MAX)
        return false;
    if (data->port == LW_PORT_NONE)
        return !data->payload.n;
    return data->port >= 0 && data->port <= 255 && !(data->port == 0 && data->fopts.n) &&
           data->payload.n <= LW_FRM_MAX;
}

static void write_payload(struct wr *wr, const struct lw_data *data, const struct lw_seal *seal,
                          const struct lw_crypt *which)
{
    uint8_t room[LW_FRM_MAX];
    const struct lw_key *key = lw_port_is_network(data->port) ? seal->nwk_s_enc : seal->app_s_key;

    if (data->port == LW_PORT_NONE)
        return;
    wr_u8(wr, (uint8_t)data->port);
    if (!key) {
        wr_copy(wr, data->payload.p, data->payload.n);
        return;
    }
    lw_crypt_payload(key, which, data->payload, room);
    wr_copy(wr, room, data->payload.n);
}

static uint32_t seal_mic(const struct lw_seal *seal, const struct lw_mic_input *in)
{
    if (!seal->v11)
        return lw_mic_10(seal->f_nwk_s_int, in);
    if (in->direction == LW_UP)
        return lw_mic_up_11(seal->f_nwk_s_int, seal->s_nwk_s_int, in);
    return lw_mic_down_11(seal->s_nwk_s_int, in);
}

enum err lw_data_write(struct wr *wr, enum lw_ftype ftype, const struct lw_data *data,
                       const struct lw_seal *seal)
{
    struct lw_crypt which = {data->dev_addr, seal->fcnt, LW_UP};
    uint8_t fopts[LW_FOPTS_MAX];
    uint8_t *start = wr->p;
    struct lw_mic_input in;

    if (!data_valid(ftype, data))
        return ERR_INVALID;
    if (ftype == LW_UNCONFIRMED_DOWN || ftype == LW_CONFIRMED_DOWN)
        which.direction = LW_DOWN;
    lw_crypt_fopts(seal->nwk_s_enc, &which, seal->fopts, data->port, data->fopts, fopts);
    wr_u8(wr, (uint8_t)(ftype << 5));
    wr_u32le(wr, data->dev_addr.v);
    wr_u8(wr, (uint8_t)((data->fctrl & ~LW_FCTRL_FOPTS_LEN) | data->fopts.n));
    wr_u16le(wr, (uint16_t)seal->fcnt);
    wr_copy(wr, fopts, data->fopts.n);
    write_payload(wr, data, seal, &which);
    if (wr->failed)
        return ERR_LIMIT;
    in = (struct lw_mic_input){
        .msg = {start, (size_t)(wr->p - start)},
        .dev_addr = data->dev_addr,
        .fcnt = seal->fcnt,
        .conf_fcnt = seal->conf_fcnt,
        .direction = which.direction,
        .tx_dr = seal->tx_dr,
        .tx_ch = seal->tx_ch,
    };
    if (in.msg.n > LW_PHY_MAX - LW_MIC_LEN)
        return ERR_LIMIT;
    wr_u32le(wr, seal_mic(seal, &in));
    return done(wr);
}

/* Appends the MIC over all since `start`. */
static enum err sign_plain(struct wr *wr, const uint8_t *start, const struct lw_key *key)
{
    if (wr->failed)
        return ERR_LIMIT;
    wr_u32le(wr, lw_mic_plain(key, (struct bytes){start, (size_t)(wr->p - start)}));
    return done(wr);
}

enum err lw_join_request_write(struct wr *wr, const struct lw_join_request *join,
                               const struct lw_key *key)
{
    const uint8_t *start = wr->p;

    wr_u8(wr, LW_JOIN_REQUEST << 5);
    wr_u64le(wr, join->join_eui.v);
    wr_u64le(wr, join->dev_eui.v);
    wr_u16le(wr, join->dev_nonce);
    return sign_plain(wr, start, key);
}

enum err lw_rejoin_write(struct wr *wr, const struct lw_rejoin *rejoin, const struct lw_key *key)
{
    const uint8_t *start = wr->p;

    if (rejoin->type > 2 || rejoin->net_id.v > NET_ID_MAX)
        return ERR_INVALID;
    wr_u8(wr, LW_REJOIN_REQUEST << 5);
    wr_u8(wr, rejoin->type);
    if (rejoin->type == 1)
        wr_u64le(wr, rejoin->join_eui.v);
    else
        wr_u24le(wr, rejoin->net_id.v);
    wr_u64le(wr, rejoin->dev_eui.v);
    wr_u16le(wr, rejoin->rj_count);
    return sign_plain(wr, start, key);
}

enum err lw_proprietary_write(struct wr *wr, struct bytes payload)
{
    if (payload.n > LW_PHY_MAX - 1)
        return ERR_LIMIT;
    wr_u8(wr, LW_PROPRIETARY << 5);
    wr_copy(wr, payload.p, payload.n);
    return done(wr);
}
