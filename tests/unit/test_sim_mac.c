/*
 * How a simulated device obeys MAC commands, by version, and its ADR back-off.
 */
#include "tests/sim_device.h"

/* ---- MAC commands ---------------------------------------------------------------------------- */

START_TEST(sticky_answers_stay_until_a_downlink)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);
    struct sim_tx tx = uplink(&dev, false);
    struct sim_window windows[2];

    /* RXTimingSetupReq 3 s, RXParamSetupReq offset 1, DR3, 869.525; DevStatusReq */
    expect_code(take(&dev, ORDER(.fcnt = 0, .fopts = hex("08030513d2ad8406"))), SIM_OK);
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "08050706ff05");
    sim_device_windows(&dev, windows);
    ck_assert_int_eq(windows[0].start_us, tx.end_us + 3 * S);
    ck_assert_uint_eq(windows[0].dr, 4);
    ck_assert_uint_eq(windows[1].dr, 3);
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "080507");
    expect_code(take(&dev, ORDER(.fcnt = 1)), SIM_OK);
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "");
}
END_TEST

START_TEST(old_versions_have_fewer_sticky_answers)
{
    static const char *const second[] = {"", "", "08", "080507"};

    for (uint8_t version = LW_1_0_0; version <= LW_1_0_3; version++) {
        struct sim_device dev = abp(version, SIM_EU868, 0);

        uplink(&dev, false);
        take(&dev, ORDER(.fcnt = 0, .fopts = hex("08030513d2ad84")));
        uplink(&dev, false);
        struct sim_tx tx = uplink(&dev, false);

        expect_fopts(&dev, &tx, second[version]);
    }
}
END_TEST

/* Two requests: channels 0-1, DR4; channel 1 alone, DR3, power 2, NbTrans 2. */
#define TWO_LINK_ADR hex("03400300000332020002")

START_TEST(link_adr_by_version)
{
    static const char *const answers[] = {"03070307", "03070307", "03070307",
                                          "03070307", "03070307", "0307"};

    for (uint8_t version = LW_1_0_0; version <= LW_1_1_0; version++) {
        struct sim_device dev = abp(version, SIM_EU868, SIM_ADR);

        dev.state &= (uint16_t)~SIM_GREETS;
        uplink(&dev, false);
        expect_code(take(&dev, ORDER(.fcnt = 0, .fopts = TWO_LINK_ADR)), SIM_OK);
        ck_assert_uint_eq(dev.dr, 3);
        ck_assert_uint_eq(dev.tx_power, 2);
        ck_assert_uint_eq(dev.nb_trans, 2);
        ck_assert(!sim_device_channel_on(&dev, 0) && sim_device_channel_on(&dev, 1));
        struct sim_tx tx = uplink(&dev, false);

        expect_fopts(&dev, &tx, answers[version]);
    }
}
END_TEST

START_TEST(link_adr_block_is_atomic)
{
    /* the first names channel 3, which is not defined; the second alone would do */
    struct bytes bad = hex("03500800000330020001");

    for (uint8_t version = LW_1_0_1; version <= LW_1_0_2; version++) {
        struct sim_device dev = abp(version, SIM_EU868, SIM_ADR);

        uplink(&dev, false);
        take(&dev, ORDER(.fcnt = 0, .fopts = bad));
        struct sim_tx tx = uplink(&dev, false);

        expect_fopts(&dev, &tx, version == LW_1_0_1 ? "03060307" : "03060306");
        ck_assert_uint_eq(dev.dr, version == LW_1_0_1 ? 3 : 5);
    }
}
END_TEST

START_TEST(link_adr_values)
{
    struct sim_device dev = abp(LW_1_0_4, SIM_EU868, SIM_ADR);

    uplink(&dev, false);
    take(&dev, ORDER(.fcnt = 0, .fopts = hex("03ff070000"))); /* 15: keep; NbTrans 0: 1 */
    struct sim_tx tx = uplink(&dev, false);

    expect_fopts(&dev, &tx, "0307");
    ck_assert_uint_eq(dev.dr, 5);
    take(&dev, ORDER(.fcnt = 1, .fopts = hex("035f000000"))); /* no channel left */
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "0306");

    dev = abp(LW_1_0_3, SIM_EU868, 0); /* ADR off: the mask counts all the same */
    uplink(&dev, false);
    take(&dev, ORDER(.fcnt = 0, .fopts = hex("0332020001")));
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "0301");
    ck_assert_uint_eq(dev.dr, 5);
    ck_assert(!sim_device_channel_on(&dev, 0));
}
END_TEST

START_TEST(us915_masks)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_US915, SIM_ADR);

    dev.dr = 3;
    uplink(&dev, false);
    /* all narrow off with 64; then channels 0-7 */
    take(&dev, ORDER(.fcnt = 0, .fopts = hex("03300100710330ff0001")));
    struct sim_tx tx = uplink(&dev, false);

    expect_fopts(&dev, &tx, "03070307");
    ck_assert_uint_le(tx.channel, 7);
    ck_assert(sim_device_channel_on(&dev, 64) && !sim_device_channel_on(&dev, 65));
    take(&dev, ORDER(.fcnt = 1, .fopts = hex("07030000005006"))); /* silently ignored */
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "06ff05");
}
END_TEST

START_TEST(channels_are_made_and_moved)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);

    uplink(&dev, false);
    /* 867.1 MHz as channel 3, DR0-5; RX1 of it at 869.525; NewChannelReq for 0 is refused */
    take(&dev, ORDER(.fcnt = 0, .fopts = hex("0703184f84500a03d2ad84")));
    ck_assert_uint_eq(sim_device_channel_hz(&dev, 3), 867100000);
    struct sim_tx tx = uplink(&dev, false);

    expect_fopts(&dev, &tx, "0a030703");
    for (int i = 0; i < 40 && tx.channel != 3; i++)
        tx = uplink(&dev, false);
    ck_assert_uint_eq(tx.channel, 3);
    struct sim_window windows[2];

    sim_device_windows(&dev, windows);
    ck_assert_uint_eq(windows[0].frequency_hz, 869525000);
    take(&dev, ORDER(.fcnt = 1, .fopts = hex("0700184f8450")));
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "0700");
}
END_TEST

START_TEST(as923_dwell_time)
{
    struct sim_device dev = abp(LW_1_0_2, SIM_AS923, SIM_ADR);

    uplink(&dev, false);
    take(&dev, ORDER(.fcnt = 0, .fopts = hex("0310030001"))); /* DR1 under dwell time */
    struct sim_tx tx = uplink(&dev, false);

    expect_fopts(&dev, &tx, "0305");
    take(&dev, ORDER(.fcnt = 1, .fopts = hex("09050310030001")));
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "090307");
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, ""); /* 1.0.2: TxParamSetupAns is sent once */
    ck_assert_uint_eq(dev.dr, 1);
}
END_TEST

START_TEST(answers_for_the_asker)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);

    sim_device_ask_link(&dev);
    sim_device_ask_time(&dev);
    struct sim_tx tx = uplink(&dev, false);

    expect_fopts(&dev, &tx, "020d");
    struct sim_verdict verdict = take(&dev, ORDER(.fcnt = 0, .fopts = hex("0214030d7856341280")));

    ck_assert_uint_eq(verdict.link_margin_db, 20);
    ck_assert_uint_eq(verdict.link_gateways, 3);
    ck_assert_int_eq(verdict.gps_us, 0x12345678 * (int64_t)S + S / 2);
    uplink(&dev, false);
    expect_code(take(&dev, ORDER(.fcnt = 1, .fopts = hex("060d01"))), SIM_BAD_COMMANDS);
}
END_TEST

START_TEST(greets_until_confirmed)
{
    struct sim_device dev = abp(LW_1_1_0, SIM_EU868, 0);
    struct sim_tx tx = uplink(&dev, false);

    expect_fopts(&dev, &tx, "0101");
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "0101");
    take(&dev, ORDER(.fcnt = 0, .fopts = hex("0101")));
    tx = uplink(&dev, false);
    expect_fopts(&dev, &tx, "");
}
END_TEST

/* 5.1: uplink 64 asks, 96 full power, 128 DR4, ... 256 DR0, 288 the default channels. */
START_TEST(adr_back_off_numbers)
{
    struct sim_device dev = abp(LW_1_0_4, SIM_EU868, SIM_ADR);

    dev.tx_power = 3;
    dev.mask[0] = 2;
    for (unsigned i = 0; i <= 288; i++) {
        struct sim_tx tx = uplink(&dev, false);
        uint8_t dr = i < 128 ? 5 : (uint8_t)(i < 256 ? 4 - (i - 128) / 32 : 0);

        ck_assert_uint_eq(tx.phy[5] & 0xc0, i < 64 ? 0x80 : 0xc0);
        ck_assert_uint_eq(dev.tx_power, i < 96 ? 3 : 0);
        ck_assert_uint_eq(tx.dr, dr);
        ck_assert(sim_device_channel_on(&dev, 0) == (i == 288));
    }
    take(&dev, ORDER(.fcnt = 0));
    struct sim_tx tx = uplink(&dev, false);

    ck_assert_uint_eq(tx.phy[5] & 0x40, 0);
}
END_TEST

START_TEST(duty_cycle_silences)
{
    struct sim_device dev = abp(LW_1_0_3, SIM_EU868, 0);
    struct sim_tx tx;

    uplink(&dev, false);
    take(&dev, ORDER(.fcnt = 0, .fopts = hex("0403")));
    ck_assert_int_eq(sim_device_uplink(&dev, 100 * S, NULL, &tx), OK);
    int64_t free_us = tx.end_us + 7 * (int64_t)tx.airtime_us;

    ck_assert_int_eq(sim_device_uplink(&dev, free_us - 1, NULL, &tx), ERR_BUSY);
    ck_assert_int_eq(sim_device_uplink(&dev, free_us, NULL, &tx), OK);
}
END_TEST

int main(void)
{
    /* clang-format off */
    const TTest *const tests[] = {
        sticky_answers_stay_until_a_downlink,
        old_versions_have_fewer_sticky_answers,
        link_adr_by_version,
        link_adr_block_is_atomic,
        link_adr_values,
        us915_masks,
        channels_are_made_and_moved,
        as923_dwell_time,
        answers_for_the_asker,
        greets_until_confirmed,
        adr_back_off_numbers,
        duty_cycle_silences, NULL};
    /* clang-format on */

    return run_suite(suite_of("sim_mac", tests));
}
