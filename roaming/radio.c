/* radio.c - gateways, windows and times out of metadata. */
#include "roaming/radio.h"

#include "core/clock.h"

/* ---- gateways ------------------------------------------------------------------------------- */

static bool may_send(const struct roam_gw_info *gw)
{
    return gw->dl_allowed || !roam_has(gw, ROAM_GW_DL_ALLOWED);
}

bool roam_gw_is_better(const struct roam_gw_info *a, const struct roam_gw_info *b)
{
    if (may_send(a) != may_send(b))
        return may_send(a);
    if (roam_has(a, ROAM_GW_SNR) != roam_has(b, ROAM_GW_SNR))
        return roam_has(a, ROAM_GW_SNR);
    if (a->snr != b->snr)
        return a->snr > b->snr;
    if (roam_has(a, ROAM_GW_RSSI) != roam_has(b, ROAM_GW_RSSI))
        return roam_has(a, ROAM_GW_RSSI);
    return a->rssi > b->rssi;
}

const struct roam_gw_info *roam_gw_best(const struct array *gw_info)
{
    const struct roam_gw_info *list = gw_info->p, *best = NULL;

    for (size_t i = 0; i < gw_info->n; i++) {
        if (!best || roam_gw_is_better(&list[i], best))
            best = &list[i];
    }
    return best;
}

/* Puts a gateway in before the first that is worse. */
static void insert(const struct roam_gw_info **order, size_t n, const struct roam_gw_info *gw)
{
    for (; n > 0 && roam_gw_is_better(gw, order[n - 1]); n--)
        order[n] = order[n - 1];
    order[n] = gw;
}

struct array roam_gw_answer(const struct array *gw_info, struct arena *arena)
{
    const struct roam_gw_info *list = gw_info->p;
    const struct roam_gw_info **order = arena_array(arena, const struct roam_gw_info *, gw_info->n);
    struct roam_gw_info *answer;
    size_t n = 0;

    for (size_t i = 0; i < gw_info->n; i++) {
        if (may_send(&list[i]) && roam_has(&list[i], ROAM_GW_UL_TOKEN))
            insert(order, n++, &list[i]);
    }
    answer = arena_array(arena, struct roam_gw_info, n);
    for (size_t i = 0; i < n; i++)
        answer[i] = (struct roam_gw_info){.has = ROAM_BIT(ROAM_GW_UL_TOKEN),
                                          .ul_token = order[i]->ul_token};
    return (struct array){answer, n};
}

/* ---- windows -------------------------------------------------------------------------------- */

size_t roam_windows(const struct roam_dl_meta_data *dl, struct roam_window windows[2])
{
    int64_t rx1_us = (dl->rx_delay1 ? dl->rx_delay1 : 1) * (int64_t)US_PER_S;
    bool class_a = dl->class_mode == LW_CLASS_A;
    size_t n = 0;

    if (dl->class_mode == LW_CLASS_B)
        return 0;
    if (class_a && roam_has(dl, ROAM_DL_FREQ1))
        windows[n++] = (struct roam_window){dl->dl_freq1_hz, dl->data_rate1, rx1_us};
    if (roam_has(dl, ROAM_DL_FREQ2))
        windows[n++] =
            (struct roam_window){dl->dl_freq2_hz, dl->data_rate2, class_a ? rx1_us + US_PER_S : 0};
    return n;
}

/* ---- time ----------------------------------------------------------------------------------- */

#define CLOCK_TRUST_US (10 * (int64_t)US_PER_S)

int64_t roam_recv_time_ns(const struct roam_ul_meta_data *ul, const struct roam_gw_info *gw)
{
    if (!roam_has(gw, ROAM_GW_FINE_RECV_TIME))
        return ul->recv_time_us * 1000;
    return ul->recv_time_us / US_PER_S * INT64_C(1000000000) + gw->fine_recv_time_ns;
}

int64_t roam_uplink_time_us(const struct roam_ul_meta_data *ul, int64_t received_us,
                            int64_t round_trip_us)
{
    int64_t ago_us = received_us - ul->recv_time_us;

    if (ul->recv_time_us % US_PER_S == 0 || ago_us > CLOCK_TRUST_US || ago_us < -CLOCK_TRUST_US)
        return received_us - round_trip_us / 2;
    return ul->recv_time_us;
}

/* ---- MIC that a partner checks -------------------------------------------------------------- */

uint32_t roam_fcnt_near(uint32_t base, uint16_t sent)
{
    int64_t near = (int64_t)base + (int16_t)(uint16_t)(sent - base);

    if (near < 0)
        return sent;
    return near > UINT32_MAX ? (uint32_t)(near - 0x10000) : (uint32_t)near;
}

bool roam_mic_is_good(const struct lw_frame *frame, bool v11, const struct lw_key *key,
                      uint32_t fcnt)
{
    struct lw_mic_input in = lw_mic_input_of(frame, fcnt);

    if (v11)
        return lw_mic_up_f(key, &in) == frame->mic >> 16;
    return lw_mic_10(key, &in) == frame->mic;
}
