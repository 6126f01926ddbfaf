/* Any octets as WOR, WOR ACK, ForwardUplinkReq and ForwardDownlinkReq: what is taken is written
 * back. */
#include "relay/forward.h"
#include "relay/wor.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

static void check_wor(struct bytes in)
{
    uint8_t out[RELAY_WOR_JOIN_LEN];
    struct wr wr = wr_of(out, sizeof(out));
    struct relay_wor wor;
    struct bytes made;

    if (relay_wor_read(in, &wor) != OK)
        return;
    assert(in.n == (wor.type == RELAY_WOR_JOIN ? RELAY_WOR_JOIN_LEN : RELAY_WOR_UPLINK_LEN));
    if (wor.type != RELAY_WOR_JOIN)
        return;
    relay_wor_join_write(&wr, &wor.join);
    made = wr_bytes(&wr);
    /* A number below 1.2 GHz / 100 Hz means 100 Hz, others 200 Hz: each comes back. */
    assert(made.n == in.n && !memcmp(made.p + 2, in.p + 2, 3) && made.p[1] == (in.p[1] & 15));
}

/* The frame as it would be if it were signed rightly: opens, and its state is written back. */
static void check_ack(struct bytes in)
{
    static const struct relay_wor_keys keys = {{{1}}, {{2}}};
    const struct relay_exchange exchange = {&keys,          {0x260b1a2b},   7,
                                            {868100000, 5}, {865100000, 3}, {865300000, 3}};
    uint8_t out[RELAY_WOR_ACK_LEN];
    struct wr wr = wr_of(out, sizeof(out));
    struct relay_state state;

    if (relay_wor_ack_open(in, &exchange, &state) != OK)
        return;
    relay_wor_ack_write(&wr, &exchange, &state);
    assert(!wr.failed && in.n == sizeof(out) && !memcmp(out, in.p, in.n));
}

static void check_forward(struct bytes in)
{
    uint8_t out[4096 + RELAY_METADATA_LEN];
    struct wr wr = wr_of(out, sizeof(out));
    struct relay_forward_uplink forward;
    struct lw_frame frame;

    if (relay_forward_downlink_read(in, &frame) == DROP_NONE)
        assert(frame.direction == LW_DOWN && frame.phy.n == in.n);
    if (relay_forward_uplink_read(in, region_get(REGION_EU868), &forward) != DROP_NONE)
        return;
    assert(forward.frame.direction == LW_UP);
    assert(forward.metadata.snr_db >= RELAY_SNR_MIN_DB &&
           forward.metadata.snr_db <= RELAY_SNR_MAX_DB);
    if (forward.metadata.wor_channel == RELAY_WOR_UNKNOWN)
        return;
    relay_forward_uplink_write(&wr, &forward.metadata, forward.frame.phy);
    assert(!wr.failed && wr_len(&wr) == in.n);
    assert(!memcmp(out, in.p, 2) && out[2] == (in.p[2] & 3) &&
           !memcmp(out + 3, in.p + 3, in.n - 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct bytes in = {p, n};

    check_wor(in);
    check_ack(in);
    check_forward(in);
    return 0;
}
