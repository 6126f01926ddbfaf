/*
 * airtime.c - symbol counts of the SX126x reference, in whole numbers.
 *
 * SF5 and SF6 have a longer synchronisation (6.25 symbols instead of 4.25) and lack the 8 bits in
 * the payload formula; some servers use the one formula for all and are 1 ms short.
 */
#include "lorawan/airtime.h"

#include <stdio.h>

#define FSK_OVERHEAD 11 /* preamble 5, sync word 3, length 1, CRC 2 octets */

static int64_t ceil_div(int64_t a, int64_t b)
{
    return a > 0 ? (a + b - 1) / b : 0;
}

/* Low data rate optimisation is on where a symbol lasts 16 ms or more. */
static bool is_slow(const struct data_rate *rate)
{
    return ((uint64_t)1000 << rate->sf) >= 16u * (uint64_t)rate->bandwidth_hz;
}

static uint32_t lora_us(const struct data_rate *rate, size_t octets, unsigned flags,
                        unsigned preamble)
{
    bool fast = rate->sf <= 6;
    int64_t bits = 8 * (int64_t)octets - INT64_C(4) * rate->sf;
    int64_t per_block = INT64_C(4) * (rate->sf - (!fast && is_slow(rate) ? 2 : 0));
    int64_t rate_of_code = rate->coding_rate ? rate->coding_rate : 1;
    int64_t quarters;

    bits += fast ? 0 : 8;
    bits += flags & AIRTIME_CRC ? 16 : 0;
    bits += flags & AIRTIME_NO_HEADER ? 0 : 20;
    if (!preamble)
        preamble = fast ? 12 : 8;
    quarters = 4 * (int64_t)preamble + (fast ? 25 : 17);
    quarters += 4 * (8 + ceil_div(bits, per_block) * (rate_of_code + 4));
    return (uint32_t)ceil_div((quarters << rate->sf) * 1000000, 4 * (int64_t)rate->bandwidth_hz);
}

/* Blocks of 48 coded bits, each with two guard bits; 2048 us per bit. The last one is never full:
 * the bits of whole octets and their overhead leave a rest. */
static uint32_t lr_fhss_us(const struct data_rate *rate, size_t octets)
{
    bool third = rate->coding_rate <= 1;
    uint32_t bits = (uint32_t)(8 * (octets + 2) + 6) * 3 / (third ? 1 : 2);
    uint32_t payload = bits / 48 * 50 + bits % 48 + 2;

    return (114 * (third ? 3 : 2) + payload) * 2048;
}

uint32_t lw_airtime_us(const struct data_rate *rate, size_t octets, unsigned flags,
                       unsigned preamble)
{
    switch (rate->kind) {
    case MOD_LORA:
        if (rate->sf < 5 || rate->sf > 12 || !rate->bandwidth_hz)
            return 0;
        return lora_us(rate, octets, flags, preamble);
    case MOD_FSK:
        return (uint32_t)(rate->bit_rate
                              ? ceil_div(8000000 * (FSK_OVERHEAD + (int64_t)octets), rate->bit_rate)
                              : 0);
    case MOD_LR_FHSS: return lr_fhss_us(rate, octets);
    default: return 0;
    }
}

uint32_t lw_airtime_frame_us(const struct data_rate *rate, size_t octets,
                             enum lw_direction direction)
{
    return lw_airtime_us(rate, octets, direction == LW_UP ? AIRTIME_CRC : 0, 0);
}

/* Only LoRa has a published floor. The other two are for showing a margin, never for ADR: FSK as
 * the least sensitive rate (SF5), LR-FHSS, which is made to reach as far, as SF12. */
int lw_required_snr_cb(const struct data_rate *rate)
{
    if (rate->kind == MOD_FSK)
        return -25;
    if (rate->kind == MOD_LR_FHSS || rate->sf >= 12)
        return -200;
    return rate->sf <= 5 ? -25 : -25 * (rate->sf - 4);
}

bool lw_rate_equal(const struct data_rate *a, const struct data_rate *b)
{
    return a->kind == b->kind && a->sf == b->sf && a->coding_rate == b->coding_rate &&
           a->grid_steps == b->grid_steps && a->bandwidth_hz == b->bandwidth_hz &&
           a->bit_rate == b->bit_rate;
}

char *lw_rate_text(char *to, const struct data_rate *rate)
{
    if (rate->kind == MOD_FSK)
        snprintf(to, LW_RATE_TEXT, "%u", rate->bit_rate);
    else if (rate->kind == MOD_LR_FHSS)
        snprintf(to, LW_RATE_TEXT, "M0CW%u", rate->bandwidth_hz / 1000);
    else
        snprintf(to, LW_RATE_TEXT, "SF%uBW%u", rate->sf, rate->bandwidth_hz / 1000);
    return to;
}
