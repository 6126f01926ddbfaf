/* Any octets as a PHYPayload: what reads must write back as the same octets. */
#include "lorawan/frame.h"
#include "lorawan/rejoin.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

static const struct lw_key key = {{1, 2, 3}};

static void rewrite_data(const struct lw_frame *frame)
{
    struct lw_mic_input in = lw_mic_input_of(frame, frame->data.fcnt);
    struct lw_seal seal = {.fcnt = frame->data.fcnt, .f_nwk_s_int = &key, .nwk_s_enc = &key};
    struct lw_data data = frame->data;
    uint8_t plain[LW_FRM_MAX], room[LW_PHY_MAX];
    struct lw_crypt which = {data.dev_addr, seal.fcnt, frame->direction};
    struct wr wr = wr_of(room, sizeof(room));

    if (data.payload.n > LW_FRM_MAX)
        return;
    if (lw_port_is_network(data.port)) {
        lw_crypt_payload(&key, &which, data.payload, plain);
        data.payload.p = plain;
    }
    assert(lw_data_write(&wr, (enum lw_ftype)frame->ftype, &data, &seal) == OK);
    assert(wr_len(&wr) == frame->phy.n);
    assert(!memcmp(room + 1, frame->msg.p + 1, frame->msg.n - 1)); /* MHDR may have RFU bits */
    (void)lw_mic_up_11(&key, &key, &in);
}

/* Requests are not encrypted: all but the MIC and the reserved bits of the MHDR comes back. */
static void rewrite_request(const struct lw_frame *frame)
{
    uint8_t room[LW_PHY_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    enum err err = frame->ftype == LW_JOIN_REQUEST ? lw_join_request_write(&wr, &frame->join, &key)
                                                   : lw_rejoin_write(&wr, &frame->rejoin, &key);

    assert(err == OK && wr_len(&wr) == frame->phy.n);
    assert(!memcmp(room + 1, frame->msg.p + 1, frame->msg.n - 1));
    assert(frame->ftype == LW_JOIN_REQUEST ||
           lw_rejoin_mic_good(frame, &key, &key) == (lw_mic_plain(&key, frame->msg) == frame->mic));
}

/* What any octets decrypt to can be sent, and then reads with a good MIC as the same. */
static void rewrite_accept(const struct lw_frame *frame)
{
    struct lw_join_context context = {&key, &key, LW_REQUEST_JOIN, {0}, 0};
    struct lw_join_accept accept, back;
    uint8_t room[LW_JOIN_ACCEPT_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    if (lw_join_accept_read(frame->phy, &context, &accept) == ERR_MALFORMED)
        return; /* reserved bits of the MHDR */
    assert(lw_join_accept_write(&wr, &accept, &context) == OK && wr_len(&wr) == frame->phy.n);
    assert(lw_join_accept_read(wr_bytes(&wr), &context, &back) == OK);
    assert(back.join_nonce == accept.join_nonce && back.net_id.v == accept.net_id.v);
    assert(back.dev_addr.v == accept.dev_addr.v && back.opt_neg == accept.opt_neg);
    assert(back.rx1_dr_offset == accept.rx1_dr_offset && back.rx2_dr == accept.rx2_dr);
    assert(back.rx_delay == accept.rx_delay && back.has_cflist == accept.has_cflist);
    assert(!memcmp(back.cflist, accept.cflist, sizeof(back.cflist)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct lw_frame frame;
    enum drop drop = lw_frame_read((struct bytes){p, n}, &frame);

    (void)lw_uplink_read((struct bytes){p, n}, &frame);
    if (drop != DROP_NONE)
        return 0;
    if (lw_ftype_is_data(frame.ftype))
        rewrite_data(&frame);
    else if (frame.ftype == LW_JOIN_REQUEST || frame.ftype == LW_REJOIN_REQUEST)
        rewrite_request(&frame);
    else if (frame.ftype == LW_JOIN_ACCEPT)
        rewrite_accept(&frame);
    return 0;
}
