/* Any octets as a PHYPayload: what reads must write back as the same octets. */
#include "lorawan/frame.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct lw_join_context context = {&key, &key, LW_REQUEST_JOIN, {0}, 0};
    struct lw_join_accept accept;
    struct lw_frame frame;
    enum drop drop = lw_frame_read((struct bytes){p, n}, &frame);

    (void)lw_uplink_read((struct bytes){p, n}, &frame);
    if (drop == DROP_NONE && lw_ftype_is_data(frame.ftype))
        rewrite_data(&frame);
    if (drop == DROP_NONE && frame.ftype == LW_JOIN_ACCEPT)
        (void)!lw_join_accept_read(frame.phy, &context, &accept);
    return 0;
}
