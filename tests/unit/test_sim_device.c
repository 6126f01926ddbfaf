/*
 * What a simulated device sends, hears and refuses: windows, counters, repetitions, joining.
 */
#include "tests/sim_device.h"

/* ---- windows and counters -------------------------------------------------------------------- */

START_TEST(windows_are_exact)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);
    struct sim_tx tx = uplink(&dev, false);
    uint8_t room[255];
    struct sim_rx rx = down(&dev, ORDER(.fcnt = 0, .port = 1), room);
    struct sim_verdict verdict;

    ck_assert_int_eq(rx.start_us, tx.end_us + S);
    ck_assert_uint_eq(rx.frequency_hz, tx.frequency_hz);
    ck_assert_uint_eq(rx.rate.sf, 7);

    struct sim_rx wrong = rx;

    wrong.start_us += 21;
    sim_device_receive(&dev, &wrong, &verdict);
    expect_code(verdict, SIM_WRONG_TIME);
    ck_assert_int_eq(verdict.off_us, 21);
    wrong = rx;
    wrong.frequency_hz += 100;
    sim_device_receive(&dev, &wrong, &verdict);
    expect_code(verdict, SIM_WRONG_FREQUENCY);
    wrong = rx;
    wrong.rate.sf = 8;
    sim_device_receive(&dev, &wrong, &verdict);
    expect_code(verdict, SIM_WRONG_RATE);
    wrong = rx;
    wrong.start_us += S; /* the time of RX2, but RX1's channel */
    sim_device_receive(&dev, &wrong, &verdict);
    expect_code(verdict, SIM_WRONG_FREQUENCY);
    ck_assert_uint_eq(verdict.window, 1);

    sim_device_receive(&dev, &rx, &verdict);
    expect_code(verdict, SIM_OK);
    sim_device_receive(&dev, &rx, &verdict); /* one answer for an uplink */
    expect_code(verdict, SIM_NO_WINDOW);
}
END_TEST

START_TEST(rx1_follows_the_region)
{
    struct sim_device us = abp(LW_1_0_3, SIM_US915, 0);
    struct sim_window windows[2];

    us.dr = 2;
    struct sim_tx tx = uplink(&us, false);

    sim_device_windows(&us, windows);
    ck_assert_uint_ge(tx.channel, 8);
    ck_assert_uint_le(tx.channel, 15);
    ck_assert_uint_eq(windows[0].frequency_hz, 923300000 + 600000 * (tx.channel % 8u));
    ck_assert_uint_eq(windows[0].dr, 12);
    ck_assert_uint_eq(windows[1].frequency_hz, 923300000);
    ck_assert_uint_eq(windows[1].rate.bandwidth_hz, 500000);

    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_US915, 4, 0, false, false), 13);
    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_US915, 4, 3, false, false), 11);
    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_US915, 0, 3, false, false), 8);
    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_AS923, 0, 7, false, true), 2);
    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_AS923, 5, 7, false, false), 5);
    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_AS923, 5, 7, false, true), 7);
    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_AS923, 3, 5, true, true), 2);
    ck_assert_uint_eq(sim_plan_rx1_dr(SIM_EU868, 3, 5, false, true), 0);
}
END_TEST

START_TEST(class_c_listens_always)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, SIM_CLASS_C);
    struct sim_tx tx = uplink(&dev, false);
    uint8_t room[255];
    struct sim_rx rx = down(&dev, ORDER(.fcnt = 0, .port = 1, .window = 1), room);
    struct sim_verdict verdict;

    rx.start_us = tx.end_us + 100 * (int64_t)S;
    sim_device_receive(&dev, &rx, &verdict);
    expect_code(verdict, SIM_OK);
    dev.config = SIM_ABP;
    rx = down(&dev, ORDER(.fcnt = 1, .port = 1, .window = 1), room);
    rx.start_us = tx.end_us + 200 * (int64_t)S;
    sim_device_receive(&dev, &rx, &verdict);
    expect_code(verdict, SIM_WRONG_TIME);
}
END_TEST

START_TEST(counters_never_repeat)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);
    struct order order = {.fcnt = 5, .port = 3, .payload = hex("0102")};

    uplink(&dev, false);
    expect_code(take(&dev, &order), SIM_OK);
    uplink(&dev, false);
    expect_code(take(&dev, &order), SIM_FCNT_REPLAY);
    order.payload = hex("0103");
    expect_code(take(&dev, &order), SIM_FCNT_REUSED);
    order.fcnt = 4;
    expect_code(take(&dev, &order), SIM_FCNT_REPLAY);
    order.fcnt = 6 + 16384;
    expect_code(take(&dev, &order), SIM_FCNT_GAP);
    order.fcnt = 6;
    struct sim_verdict verdict = take(&dev, &order);

    expect_code(verdict, SIM_OK);
    ck_assert_uint_eq(verdict.payload_n, 2);
    ck_assert_uint_eq(verdict.payload[1], 3);
    ck_assert_int_eq(verdict.port, 3);
}
END_TEST

START_TEST(counter_grows_past_16_bits)
{
    struct sim_device dev = abp(LW_1_0_4, SIM_EU868, 0);

    dev.fcnt_down[0] = 0xfff0;
    uplink(&dev, false);
    struct sim_verdict verdict = take(&dev, ORDER(.fcnt = 0x10003, .port = 1));

    expect_code(verdict, SIM_OK);
    ck_assert_uint_eq(verdict.fcnt, 0x10003);
}
END_TEST

START_TEST(version_1_1_has_two_counters)
{
    struct sim_device dev = abp(LW_1_1_0, SIM_EU868, 0);
    struct order net = {.fcnt = 3, .fopts = hex("06")};
    struct order app = {.fcnt = 3, .port = 2, .fopts = hex("06"), .payload = hex("09")};

    uplink(&dev, false);
    expect_code(take(&dev, &net), SIM_OK);
    uplink(&dev, false);
    struct sim_verdict verdict = take(&dev, &app);

    expect_code(verdict, SIM_OK);
    ck_assert_uint_eq(verdict.commands[0], 0x06);
    ck_assert_uint_eq(dev.fcnt_down[0], 4);
    ck_assert_uint_eq(dev.fcnt_down[1], 4);
}
END_TEST

/* ---- confirmed frames ------------------------------------------------------------------------ */

START_TEST(confirmed_downlink_is_acknowledged_once)
{
    struct sim_device dev = abp(LW_1_1_0, SIM_EU868, 0);

    dev.fcnt_down[1] = 69000;
    uplink(&dev, false);
    struct sim_verdict verdict = take(&dev, ORDER(.fcnt = 70000, .port = 2, .confirmed = true));

    ck_assert(verdict.flags & SIM_GOT_CONFIRMED);
    struct sim_tx tx = uplink(&dev, false);

    ck_assert(tx.phy[5] & 0x20);
    ck_assert_uint_eq(tx.conf_fcnt, 70000 & 0xffff);
    tx = uplink(&dev, false);
    ck_assert(!(tx.phy[5] & 0x20));
}
END_TEST

START_TEST(confirmed_uplink_is_repeated_until_ack)
{
    struct sim_device dev = abp(LW_1_0_2, SIM_EU868, 0);
    struct sim_tx tx = uplink(&dev, true), first = tx;

    for (unsigned i = 1; i < 8; i++) {
        ck_assert_int_eq(sim_device_repeat(&dev, i * 5 * S, &tx), OK);
        ck_assert_uint_eq(tx.repetition, i);
        ck_assert_mem_eq(tx.phy, first.phy, first.len);
    }
    ck_assert_int_eq(sim_device_repeat(&dev, 50 * S, &tx), ERR_NOT_FOUND);

    tx = uplink(&dev, true);
    struct sim_verdict verdict = take(&dev, ORDER(.fcnt = 0, .fctrl = LW_FCTRL_ACK));

    expect_code(verdict, SIM_OK);
    ck_assert(verdict.flags & SIM_GOT_ACK);
    ck_assert_int_eq(sim_device_repeat(&dev, 50 * S, &tx), ERR_NOT_FOUND);
    uplink(&dev, false);
    expect_code(take(&dev, ORDER(.fcnt = 1, .fctrl = LW_FCTRL_ACK)), SIM_UNASKED_ACK);
}
END_TEST

START_TEST(nb_trans_repeats_on_other_channels)
{
    struct sim_device dev = abp(LW_1_1_0, SIM_EU868, 0);

    dev.nb_trans = 3;
    struct sim_tx tx = uplink(&dev, false), first = tx;

    ck_assert_int_eq(sim_device_repeat(&dev, 3 * S, &tx), OK);
    ck_assert_uint_ne(tx.channel, first.channel);
    ck_assert_mem_eq(tx.phy, first.phy, first.len - 4u);
    ck_assert_mem_ne(tx.phy + tx.len - 4, first.phy + first.len - 4, 2); /* 1.1: TxCh in cmacS */
    ck_assert_mem_eq(tx.phy + tx.len - 2, first.phy + first.len - 2, 2); /* cmacF */
    expect_code(take(&dev, ORDER(.fcnt = 0)), SIM_OK);
    ck_assert_int_eq(sim_device_repeat(&dev, 6 * S, &tx), ERR_NOT_FOUND);
}
END_TEST

/* ---- joining --------------------------------------------------------------------------------- */

static struct sim_verdict accept_with(struct sim_device *dev, const struct sim_tx *tx,
                                      uint32_t join_nonce)
{
    uint8_t room[40];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_key js_int;
    struct lw_join_accept accept = {.join_nonce = join_nonce, .dev_addr = {0x42}, .opt_neg = true};

    lw_js_int_key(&dev->nwk_key, dev->dev_eui, &js_int);
    struct lw_join_context context = {.mic = &js_int,
                                      .enc = &dev->nwk_key,
                                      .request = LW_REQUEST_JOIN,
                                      .join_eui = dev->join_eui,
                                      .nonce = tx->dev_nonce};

    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), OK);
    return give_accept(dev, wr_bytes(&wr));
}

START_TEST(nonces_of_1_1)
{
    struct sim_device_config config = config_of(LW_1_1_0, SIM_EU868, 0);
    struct sim_device dev;
    struct sim_tx tx;

    sim_device_init(&dev, &config);
    ck_assert_int_eq(sim_device_uplink(&dev, 0, NULL, &tx), ERR_BAD_STATE);
    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), OK);
    ck_assert_uint_eq(tx.dev_nonce, 0);
    expect_code(accept_with(&dev, &tx, 0), SIM_OK);
    ck_assert(sim_device_joined(&dev));
    ck_assert_int_eq(sim_device_uplink(&dev, 0, NULL, &tx), OK);
    expect_fopts(&dev, &tx, "0b01");
    ck_assert_uint_eq(tx.fcnt, 0);

    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), OK);
    ck_assert_uint_eq(tx.dev_nonce, 1);
    expect_code(accept_with(&dev, &tx, 0), SIM_JOIN_NONCE_OLD);
    expect_code(accept_with(&dev, &tx, 1), SIM_OK);
    dev.dev_nonce = UINT16_MAX;
    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), ERR_LIMIT);
}
END_TEST

/* A session whose network had switched off every narrow channel must not be the device's last. */
START_TEST(joins_though_no_channel_is_on)
{
    struct sim_device_config config = config_of(LW_1_0_3, SIM_US915, 0);
    struct sim_device dev;
    struct sim_tx tx;

    sim_device_init(&dev, &config);
    memset(dev.mask, 0, sizeof(dev.mask));
    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), OK);
    ck_assert_uint_le(tx.channel, 63);
    ck_assert_uint_eq(tx.dr, 0);
}
END_TEST

START_TEST(same_seed_same_frames)
{
    struct sim_device_config config = config_of(LW_1_0_2, SIM_EU868, 0);
    struct sim_device a, b;
    struct sim_tx ta, tb;

    sim_device_init(&a, &config);
    sim_device_init(&b, &config);
    ck_assert_int_eq(sim_device_join(&a, 0, &ta), OK);
    ck_assert_int_eq(sim_device_join(&b, 0, &tb), OK);
    ck_assert_mem_eq(ta.phy, tb.phy, 23);
    ck_assert_uint_eq(ta.frequency_hz, tb.frequency_hz);
    ck_assert_int_eq(sim_device_join(&a, 0, &ta), OK);
    ck_assert_uint_ne(ta.dev_nonce, tb.dev_nonce);
}
END_TEST

START_TEST(what_is_not_a_downlink)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);
    struct sim_tx tx = uplink(&dev, false);
    uint8_t room[255];
    struct sim_rx rx = down(&dev, ORDER(.fcnt = 0, .port = 1), room);
    struct sim_verdict verdict;
    struct sim_rx bad = rx;

    bad.phy.n = 11;
    sim_device_receive(&dev, &bad, &verdict);
    expect_code(verdict, SIM_MALFORMED);
    room[0] |= 1;
    sim_device_receive(&dev, &rx, &verdict);
    expect_code(verdict, SIM_MALFORMED);
    room[0] &= 0xfe;
    room[1] ^= 1;
    sim_device_receive(&dev, &rx, &verdict);
    expect_code(verdict, SIM_NOT_FOR_ME);
    room[1] ^= 1;
    room[rx.phy.n - 1] ^= 1;
    sim_device_receive(&dev, &rx, &verdict);
    expect_code(verdict, SIM_MIC);
    bad.phy = (struct bytes){tx.phy, tx.len};
    sim_device_receive(&dev, &bad, &verdict);
    expect_code(verdict, SIM_UNEXPECTED);
}
END_TEST

START_TEST(frame_too_long_for_the_window)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);
    static const uint8_t octets[52];

    uplink(&dev, false);
    expect_code(take(&dev, ORDER(.fcnt = 0, .port = 1, .payload = {octets, 52}, .window = 1)),
                SIM_TOO_LONG);
    expect_code(take(&dev, ORDER(.fcnt = 0, .port = 1, .payload = {octets, 51}, .window = 1)),
                SIM_OK);
}
END_TEST

int main(void)
{
    /* clang-format off */
    const TTest *const tests[] = {
        windows_are_exact,
        rx1_follows_the_region,
        class_c_listens_always,
        counters_never_repeat,
        counter_grows_past_16_bits,
        version_1_1_has_two_counters,
        confirmed_downlink_is_acknowledged_once,
        confirmed_uplink_is_repeated_until_ack,
        nb_trans_repeats_on_other_channels,
        nonces_of_1_1,
        joins_though_no_channel_is_on,
        same_seed_same_frames,
        what_is_not_a_downlink,
        frame_too_long_for_the_window, NULL};
    /* clang-format on */

    return run_suite(suite_of("sim_device", tests));
}
