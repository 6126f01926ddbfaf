/*
 * sync.c - preambles. A scan takes CADtoRX symbols to turn into a reception, and six more symbols
 * are there for detection; the rest of the preamble covers the time in which a scan may begin. That
 * is nine at least, so that the specification's minimum of eight needs no line of its own.
 */
#include "relay/sync.h"

#define DETECTION  (1 + 6)
#define MILLION    INT64_C(1000000)
#define NANO_MICRO INT64_C(1000)

/* 0 if it is no LoRa rate. */
static int64_t symbol_ns(const struct data_rate *rate)
{
    if (rate->kind != MOD_LORA || !rate->bandwidth_hz)
        return 0;
    return (INT64_C(1) << rate->sf) * 1000 * MILLION / rate->bandwidth_hz;
}

static unsigned symbols(int64_t cover_us, int64_t symbol, unsigned cad_to_rx_code)
{
    return (unsigned)(cover_us * NANO_MICRO / symbol) + DETECTION +
           relay_cad_to_rx_symbols(cad_to_rx_code);
}

static uint32_t period_us(unsigned cad_code)
{
    return relay_cad_period_ms(cad_code) * 1000;
}

unsigned relay_preamble_unsync(const struct data_rate *wor, unsigned cad_code,
                               unsigned cad_to_rx_code)
{
    int64_t symbol = symbol_ns(wor);
    uint32_t period = period_us(cad_code);

    return symbol && period ? symbols(period, symbol, cad_to_rx_code) : 0;
}

bool relay_sync_of(const struct data_rate *wor, int64_t sent_us, unsigned preamble,
                   const struct relay_state *state, unsigned xtal_ppm, struct relay_sync *sync)
{
    int64_t symbol = symbol_ns(wor);
    uint32_t period = period_us(state->cad_periodicity);

    if (!symbol || !period || xtal_ppm > RELAY_XTAL_PPM_MAX)
        return false;
    *sync = (struct relay_sync){.scan_us = sent_us + preamble * symbol / NANO_MICRO -
                                           (int64_t)state->t_offset_ms * 1000,
                                .symbol_ns = symbol,
                                .period_us = period,
                                .cad_to_rx = state->cad_to_rx,
                                .ppm = (uint16_t)(xtal_ppm + relay_xtal_ppm(state->xtal_accuracy))};
    return true;
}

struct relay_wake relay_sync_next(const struct relay_sync *sync, int64_t now_us)
{
    int64_t period = sync->period_us, passed = now_us - sync->scan_us;
    int64_t scan = sync->scan_us + (passed / period + 1) * period;
    int64_t drift, start;

    for (;;) {
        drift = (scan - sync->scan_us) * sync->ppm / MILLION;
        start = scan - drift / 2;
        if (start >= now_us)
            break;
        scan += period;
    }
    return (struct relay_wake){.start_us = start,
                               .preamble = symbols(drift, sync->symbol_ns, sync->cad_to_rx)};
}
