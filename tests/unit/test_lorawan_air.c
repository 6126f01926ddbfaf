/* Time on air, demodulation floors, texts of rates, results and drops. */
#include "lorawan/air.h"
#include "lorawan/airtime.h"
#include "lorawan/drop.h"
#include "tests/suite.h"

#include <string.h>

static struct data_rate lora(uint8_t sf, uint32_t bandwidth_hz)
{
    return (struct data_rate){
        .kind = MOD_LORA, .sf = sf, .coding_rate = 1, .bandwidth_hz = bandwidth_hz};
}

START_TEST(frames_take_their_time)
{
    struct data_rate fsk = {.kind = MOD_FSK, .bit_rate = 50000};
    struct data_rate fhss = {.kind = MOD_LR_FHSS, .coding_rate = 1, .bandwidth_hz = 137000};
    struct data_rate rate = lora(7, 125000);

    /* a Join-Request, as calculators have it */
    ck_assert_uint_eq(lw_airtime_frame_us(&rate, 23, LW_UP), 61696);
    rate.coding_rate = 0; /* not told: the usual 4/5 */
    ck_assert_uint_eq(lw_airtime_frame_us(&rate, 23, LW_UP), 61696);
    rate = lora(12, 125000);
    ck_assert_uint_eq(lw_airtime_frame_us(&rate, 23, LW_UP), 1482752);
    /* nothing but preamble and the eight first symbols: 8 + 4.25 + 8 of 32.768 ms */
    ck_assert_uint_eq(lw_airtime_us(&rate, 0, AIRTIME_NO_HEADER, 0), 663552);
    /* 12 + 6.25 + 8 symbols of 0.256 ms, and (8 * 4 - 20 + 20) / 20 rounded up to 2 times 5 */
    rate = lora(5, 125000);
    ck_assert_uint_eq(lw_airtime_us(&rate, 4, 0, 0), 9280);
    ck_assert_uint_eq(lw_airtime_us(&rate, 4, 0, 13), 9536);
    /* 11 + 13 octets of 160 us */
    ck_assert_uint_eq(lw_airtime_frame_us(&fsk, 13, LW_DOWN), 24 * 160);
    /* 306 bits: six blocks of 50, 18 and 2; three headers of 114 bits */
    ck_assert_uint_eq(lw_airtime_frame_us(&fhss, 10, LW_UP), (342 + 320) * 2048);
    fhss.coding_rate = 2; /* 153 bits: three blocks, 9 and 2; two headers */
    ck_assert_uint_eq(lw_airtime_frame_us(&fhss, 10, LW_UP), (228 + 161) * 2048);
}
END_TEST

START_TEST(rates_without_sense_take_none)
{
    struct data_rate fsk = {.kind = MOD_FSK}, unknown = {.kind = 9};
    struct data_rate slow = lora(13, 125000), fast = lora(4, 125000), narrow = lora(7, 0);

    ck_assert_uint_eq(lw_airtime_us(&fsk, 10, 0, 0), 0);
    ck_assert_uint_eq(lw_airtime_us(&unknown, 10, 0, 0), 0);
    ck_assert_uint_eq(lw_airtime_us(&slow, 10, 0, 0), 0);
    ck_assert_uint_eq(lw_airtime_us(&fast, 10, 0, 0), 0);
    ck_assert_uint_eq(lw_airtime_us(&narrow, 10, 0, 0), 0);
}
END_TEST

START_TEST(floors)
{
    static const int known[] = {-25, -50, -75, -100, -125, -150, -175, -200};
    struct data_rate fsk = {.kind = MOD_FSK}, fhss = {.kind = MOD_LR_FHSS};

    for (uint8_t sf = 5; sf <= 12; sf++) {
        struct data_rate rate = lora(sf, 125000);

        ck_assert_int_eq(lw_required_snr_cb(&rate), known[sf - 5]);
    }
    ck_assert_int_eq(lw_required_snr_cb(&fsk), -25);
    ck_assert_int_eq(lw_required_snr_cb(&fhss), -200);
}
END_TEST

START_TEST(rates_differ_in_any_member)
{
    const struct data_rate one = {MOD_LORA, 7, 1, 8, 125000, 50000};
    struct data_rate other;
    char text[LW_RATE_TEXT];

    ck_assert(lw_rate_equal(&one, &one));
    for (int i = 0; i < 6; i++) {
        other = one;
        other.kind = i == 0 ? MOD_FSK : one.kind;
        other.sf = (uint8_t)(other.sf + (i == 1));
        other.coding_rate = (uint8_t)(other.coding_rate + (i == 2));
        other.grid_steps = (uint8_t)(other.grid_steps + (i == 3));
        other.bandwidth_hz += i == 4;
        other.bit_rate += i == 5;
        ck_assert(!lw_rate_equal(&one, &other));
    }
    ck_assert_str_eq(lw_rate_text(text, &one), "SF7BW125");
    other.kind = MOD_FSK;
    other.bit_rate = 50000;
    ck_assert_str_eq(lw_rate_text(text, &other), "50000");
    other.kind = MOD_LR_FHSS;
    other.bandwidth_hz = 137000;
    ck_assert_str_eq(lw_rate_text(text, &other), "M0CW137");
}
END_TEST

START_TEST(texts)
{
    ck_assert_str_eq(tx_result_text(TX_TOO_LATE), "TOO_LATE");
    ck_assert_str_eq(tx_result_text(TX_RESULT_COUNT), "UNKNOWN");
    ck_assert_str_eq(drop_label(DROP_NONE), "");
    ck_assert_str_eq(drop_label(DROP_MIC), "mic");
    ck_assert_str_eq(drop_label(DROP_COUNT), "");
    ck_assert_str_eq(drop_help(DROP_NONE), "");
    ck_assert_str_eq(drop_help(DROP_COUNT), "");
    for (enum drop a = DROP_NONE + 1; a < DROP_COUNT; a++) {
        ck_assert(*drop_label(a) && *drop_help(a));
        for (enum drop b = DROP_NONE + 1; b < a; b++)
            ck_assert_str_ne(drop_label(a), drop_label(b));
    }
}
END_TEST

START_TEST(a_rung_is_kept)
{
    struct rung rung = {.gateway = {0x0102030405060708},
                        .frequency_hz = 869525000,
                        .rate = {MOD_LORA, 9, 1, 0, 125000, 0},
                        .eirp_dbm = -3,
                        .window = WINDOW_RX2},
                back = {0};
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct rd rd;

    rung_write(&wr, &rung);
    rd = rd_bytes(wr_bytes(&wr));
    rung_read(&rd, &back);
    ck_assert(!rd.failed && rd_left(&rd) == 0 && lw_rate_equal(&back.rate, &rung.rate));
    ck_assert(back.gateway.v == rung.gateway.v && back.frequency_hz == rung.frequency_hz);
    ck_assert(back.eirp_dbm == -3 && back.window == WINDOW_RX2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {frames_take_their_time,
                                  rates_without_sense_take_none,
                                  floors,
                                  rates_differ_in_any_member,
                                  texts,
                                  a_rung_is_kept,
                                  NULL};

    return run_suite(suite_of("lorawan_air", tests));
}
