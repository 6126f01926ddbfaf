/* conf.c - which configurations are possible. */
#include "relay/conf.h"

#define CAD_SPARE_US 10000
#define CAD_SYMBOLS  2

uint32_t relay_ack_offset_hz(unsigned code)
{
    static const uint32_t offsets[] = {0, 200000, 400000, 800000, 1600000, 3200000};

    return code < sizeof(offsets) / sizeof(offsets[0]) ? offsets[code] : UINT32_MAX;
}

bool relay_second_ack(const struct relay_channel *second, unsigned ack_offset,
                      struct relay_channel *ack)
{
    uint32_t offset = relay_ack_offset_hz(ack_offset);

    *ack = *second;
    if (offset == UINT32_MAX || offset > UINT32_MAX - second->frequency_hz)
        return false;
    ack->frequency_hz += offset;
    return true;
}

/* WOR and WOR ACK are LoRa; their data rates are numbered as those of uplinks, and in regions with
 * numbered downlink rates of their own (US915: DR10) as those. RP002-1.0.5 gave some numbers of the
 * latter to uplinks as well: what was there before it goes first. */
static const struct data_rate *wor_rate(const struct region *region, unsigned dr)
{
    static const enum region_revision revisions[] = {RP002_1_0_4, REGION_REVISION_COUNT - 1};

    for (unsigned i = 0; i < 4; i++) {
        enum lw_direction direction = i % 2 ? LW_DOWN : LW_UP;
        const struct data_rate *rate = region_rate(region, direction, dr);

        if (region_dr_valid(region, revisions[i / 2], direction, dr))
            return rate->kind == MOD_LORA ? rate : NULL;
    }
    return NULL;
}

/* What both requests say of the second channel, and what of it is possible. */
struct second {
    struct relay_channel channel;
    uint8_t index, ack_offset;
};

static bool frequency_possible(const struct region *region, const struct second *second)
{
    return !second->index || region_frequency_valid(region, second->channel.frequency_hz);
}

static bool dr_possible(const struct region *region, const struct second *second)
{
    return !second->index || wor_rate(region, second->channel.dr);
}

static bool ack_possible(const struct region *region, const struct second *second)
{
    struct relay_channel ack;

    return !second->index || (relay_second_ack(&second->channel, second->ack_offset, &ack) &&
                              region_frequency_valid(region, ack.frequency_hz));
}

static bool scan_fits(const struct data_rate *rate, uint64_t period_us)
{
    return period_us > CAD_SPARE_US && (period_us - CAD_SPARE_US) * rate->bandwidth_hz >=
                                           (UINT64_C(1000000) * CAD_SYMBOLS << rate->sf);
}

/* On the region's first default channel, as no region has several with different data rates, and on
 * the second channel, unless that has no LoRa rate: then its own bit says so. */
static bool cad_possible(const struct region *region, const struct lw_relay_conf_req *req)
{
    const struct region_relay *channel = region_relay_channel(region, 0);
    const struct data_rate *rate = channel ? wor_rate(region, channel->dr) : NULL;
    uint64_t period_us = relay_cad_period_ms(req->cad_periodicity) * UINT64_C(1000);

    if (req->second_ch_idx) {
        const struct data_rate *second = wor_rate(region, req->second_ch_dr);

        period_us /= 2;
        if (second && !scan_fits(second, period_us))
            return false;
    }
    return rate && scan_fits(rate, period_us);
}

void relay_conf_answer(const struct region *region, const struct lw_relay_conf_req *req,
                       struct lw_relay_conf_ans *ans)
{
    struct second second = {
        {req->second_ch_hz, req->second_ch_dr}, req->second_ch_idx, req->second_ch_ack_offset};

    *ans = (struct lw_relay_conf_ans){true, true, true, true, true, true};
    if (!req->start)
        return;
    ans->second_ch_freq_ack = frequency_possible(region, &second);
    ans->second_ch_ack_offset_ack = ack_possible(region, &second);
    ans->second_ch_dr_ack = dr_possible(region, &second);
    ans->second_ch_idx_ack = req->second_ch_idx <= 1;
    ans->default_ch_idx_ack = region_relay_channel(region, req->default_ch_idx) != NULL;
    ans->cad_periodicity_ack = cad_possible(region, req);
}

bool relay_conf_accepted(const struct lw_relay_conf_ans *ans)
{
    return ans->second_ch_freq_ack && ans->second_ch_ack_offset_ack && ans->second_ch_dr_ack &&
           ans->second_ch_idx_ack && ans->default_ch_idx_ack && ans->cad_periodicity_ack;
}

void relay_end_device_answer(const struct region *region, const struct lw_end_device_conf_req *req,
                             struct lw_end_device_conf_ans *ans)
{
    struct second second = {
        {req->second_ch_hz, req->second_ch_dr}, req->second_ch_idx, req->second_ch_ack_offset};

    *ans = (struct lw_end_device_conf_ans){true, true, true, true};
    if (req->activation == RELAY_MODE_OFF)
        return;
    ans->second_ch_freq_ack = frequency_possible(region, &second);
    ans->second_ch_dr_ack = dr_possible(region, &second);
    ans->second_ch_idx_ack = req->second_ch_idx <= 1;
    ans->backoff_ack = ack_possible(region, &second);
}

bool relay_end_device_accepted(const struct lw_end_device_conf_ans *ans)
{
    return ans->second_ch_freq_ack && ans->second_ch_dr_ack && ans->second_ch_idx_ack &&
           ans->backoff_ack;
}

unsigned relay_smart_enable_uplinks(unsigned code)
{
    return 8u << (code & 3);
}

bool relay_sends_unanswered(unsigned back_off, unsigned unanswered)
{
    return unanswered > back_off;
}
