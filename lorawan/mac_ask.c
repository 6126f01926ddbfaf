/*
 * mac_ask.c - one row per request: how it is made, and what it sets.
 */
#include "lorawan/mac_ask.h"

#define NEW_CHANNELS_MOST 3 /* in a downlink: a device needs time to retune, and room to answer */

/* What a maker works with. */
struct asking {
    const struct lw_mac_state *now, *wanted;
    const struct lw_mac_asked *may;
    struct lw_mac_budget *budget;
    struct wr *wr;
    bool asked;
};

/* Appends a request that was made in a room of its own, if it fits. */
static void put(struct asking *a, const struct wr *one)
{
    if (one->failed || !lw_mac_budget_take(a->budget, wr_bytes(one)))
        return;
    wr_copy(a->wr, one->start, wr_len(one));
    a->asked = true;
}

#define ASK(a, name, value)                                                                        \
    do {                                                                                           \
        uint8_t room[LW_MAC_CMD_MAX];                                                              \
        struct wr one = wr_of(room, sizeof(room));                                                 \
                                                                                                   \
        lw_##name##_write(&one, (value));                                                          \
        put((a), &one);                                                                            \
    } while (0)

static void ask_duty_cycle(struct asking *a)
{
    struct lw_duty_cycle_req req = {a->wanted->duty_cycle};

    if (a->now->duty_cycle != a->wanted->duty_cycle)
        ASK(a, duty_cycle_req, &req);
}

static void ask_tx_params(struct asking *a)
{
    const struct lw_tx_param_setup_req *now = &a->now->tx, *wanted = &a->wanted->tx;

    if (!a->may->tx_params)
        return;
    if (now->downlink_dwell != wanted->downlink_dwell ||
        now->uplink_dwell != wanted->uplink_dwell || now->max_eirp_index != wanted->max_eirp_index)
        ASK(a, tx_param_setup_req, wanted);
}

static void ask_rx_params(struct asking *a)
{
    const struct lw_rx_param_setup_req *now = &a->now->rx, *wanted = &a->wanted->rx;

    if (now->rx1_dr_offset != wanted->rx1_dr_offset || now->rx2_dr != wanted->rx2_dr ||
        now->frequency_hz != wanted->frequency_hz)
        ASK(a, rx_param_setup_req, wanted);
}

static bool channel_differs(const struct lw_mac_channel *now, const struct lw_mac_channel *wanted)
{
    if (now->frequency_hz != wanted->frequency_hz)
        return true;
    return wanted->frequency_hz && (now->min_dr != wanted->min_dr || now->max_dr != wanted->max_dr);
}

static void ask_new_channels(struct asking *a)
{
    unsigned count = 0;

    if (!a->may->new_channels)
        return;
    for (uint8_t i = 0; i < LW_MAC_CHANNELS; i++) {
        const struct lw_mac_channel *wanted = &a->wanted->channels[i];
        struct lw_new_channel_req req = {i, wanted->frequency_hz, wanted->min_dr, wanted->max_dr};
        size_t before = wr_len(a->wr);

        if (!channel_differs(&a->now->channels[i], wanted))
            continue;
        if (count == NEW_CHANNELS_MOST) {
            a->budget->more = true;
            return;
        }
        ASK(a, new_channel_req, &req);
        count += wr_len(a->wr) > before;
    }
}

static void ask_rx_timing(struct asking *a)
{
    struct lw_rx_timing_setup_req req = {a->wanted->rx1_delay_s};

    if (a->now->rx1_delay_s != a->wanted->rx1_delay_s)
        ASK(a, rx_timing_setup_req, &req);
}

static void ask_beacon_freq(struct asking *a)
{
    struct lw_beacon_freq_req req = {a->wanted->beacon_hz};

    if (a->now->beacon_hz != a->wanted->beacon_hz)
        ASK(a, beacon_freq_req, &req);
}

static void ask_ping_channel(struct asking *a)
{
    const struct lw_ping_slot_channel_req *now = &a->now->ping, *wanted = &a->wanted->ping;

    if (now->frequency_hz != wanted->frequency_hz || now->dr != wanted->dr)
        ASK(a, ping_slot_channel_req, wanted);
}

/* The frequency that DlChannelReq gives a channel: to go back it names the uplink's. */
static uint32_t rx1_hz(const struct lw_mac_channel *channel)
{
    return channel->rx1_hz ? channel->rx1_hz : channel->frequency_hz;
}

/* Only for channels that the device has already; a new one is asked for first. */
static void ask_dl_channels(struct asking *a)
{
    for (uint8_t i = 0; i < LW_MAC_CHANNELS; i++) {
        const struct lw_mac_channel *now = &a->now->channels[i];
        struct lw_dl_channel_req req = {i, rx1_hz(&a->wanted->channels[i])};

        if (now->frequency_hz && !channel_differs(now, &a->wanted->channels[i]) &&
            rx1_hz(now) != req.frequency_hz)
            ASK(a, dl_channel_req, &req);
    }
}

static void ask_adr_params(struct asking *a)
{
    const struct lw_adr_param_setup_req *now = &a->now->adr, *wanted = &a->wanted->adr;

    if (now->limit_exp != wanted->limit_exp || now->delay_exp != wanted->delay_exp)
        ASK(a, adr_param_setup_req, wanted);
}

static void ask_rejoin_params(struct asking *a)
{
    const struct lw_rejoin_param_setup_req *now = &a->now->rejoin, *wanted = &a->wanted->rejoin;

    if (now->max_time_n != wanted->max_time_n || now->max_count_n != wanted->max_count_n)
        ASK(a, rejoin_param_setup_req, wanted);
}

/* ---- what was agreed to ---------------------------------------------------------------------- */

static void apply_duty_cycle(struct lw_mac_state *state, struct bytes payload)
{
    struct lw_duty_cycle_req req;

    if (lw_duty_cycle_req_read(payload, &req))
        state->duty_cycle = req.exponent;
}

static void apply_tx_params(struct lw_mac_state *state, struct bytes payload)
{
    (void)lw_tx_param_setup_req_read(payload, &state->tx);
}

static void apply_rx_params(struct lw_mac_state *state, struct bytes payload)
{
    (void)lw_rx_param_setup_req_read(payload, &state->rx);
}

/* A channel that is defined anew answers in RX1 where it sends. */
static void apply_new_channel(struct lw_mac_state *state, struct bytes payload)
{
    struct lw_new_channel_req req;

    if (lw_new_channel_req_read(payload, &req) && req.index < LW_MAC_CHANNELS)
        state->channels[req.index] = (struct lw_mac_channel){
            .frequency_hz = req.frequency_hz, .min_dr = req.min_dr, .max_dr = req.max_dr};
}

static void apply_rx_timing(struct lw_mac_state *state, struct bytes payload)
{
    struct lw_rx_timing_setup_req req;

    if (lw_rx_timing_setup_req_read(payload, &req))
        state->rx1_delay_s = req.delay_s ? req.delay_s : 1;
}

static void apply_beacon_freq(struct lw_mac_state *state, struct bytes payload)
{
    struct lw_beacon_freq_req req;

    if (lw_beacon_freq_req_read(payload, &req))
        state->beacon_hz = req.frequency_hz;
}

static void apply_ping_channel(struct lw_mac_state *state, struct bytes payload)
{
    (void)lw_ping_slot_channel_req_read(payload, &state->ping);
}

static void apply_dl_channel(struct lw_mac_state *state, struct bytes payload)
{
    struct lw_dl_channel_req req;

    if (lw_dl_channel_req_read(payload, &req) && req.index < LW_MAC_CHANNELS)
        state->channels[req.index].rx1_hz = req.frequency_hz;
}

static void apply_adr_params(struct lw_mac_state *state, struct bytes payload)
{
    (void)lw_adr_param_setup_req_read(payload, &state->adr);
}

static void apply_rejoin_params(struct lw_mac_state *state, struct bytes payload)
{
    (void)lw_rejoin_param_setup_req_read(payload, &state->rejoin);
}

/* ---- the rows -------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    uint8_t cid;
    void (*ask)(struct asking *a);
    void (*apply)(struct lw_mac_state *state, struct bytes payload);
} requests[] = { /* most urgent first */
    {LW_CID_DUTY_CYCLE,        ask_duty_cycle,    apply_duty_cycle},
    {LW_CID_TX_PARAM_SETUP,    ask_tx_params,     apply_tx_params},
    {LW_CID_RX_PARAM_SETUP,    ask_rx_params,     apply_rx_params},
    {LW_CID_NEW_CHANNEL,       ask_new_channels,  apply_new_channel},
    {LW_CID_RX_TIMING_SETUP,   ask_rx_timing,     apply_rx_timing},
    {LW_CID_BEACON_FREQ,       ask_beacon_freq,   apply_beacon_freq},
    {LW_CID_PING_SLOT_CHANNEL, ask_ping_channel,  apply_ping_channel},
    {LW_CID_DL_CHANNEL,        ask_dl_channels,   apply_dl_channel},
    {LW_CID_ADR_PARAM_SETUP,   ask_adr_params,    apply_adr_params},
    {LW_CID_REJOIN_PARAM,      ask_rejoin_params, apply_rejoin_params},
};
/* clang-format on */

#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

static bool may_ask(const struct lw_mac_asked *asked, uint8_t version, uint8_t cid)
{
    const struct lw_command *def = lw_mac_def(LW_DOWN, cid);

    if (asked->not_now >> cid & 1 || def->since > version)
        return false;
    return asked->class_b || !(def->flags & LW_MAC_CLASS_B_CMD);
}

void lw_mac_ask(const struct lw_mac_state *now, const struct lw_mac_state *wanted,
                struct lw_mac_asked *asked, struct lw_mac_budget *budget, struct wr *wr)
{
    asked->done = 0;
    for (size_t i = 0; i < REQUESTS; i++) {
        struct asking a = {now, wanted, asked, budget, wr, false};

        if (!may_ask(asked, budget->version, requests[i].cid))
            continue;
        requests[i].ask(&a);
        if (a.asked)
            asked->done |= UINT32_C(1) << requests[i].cid;
    }
}

void lw_mac_apply(struct lw_mac_state *state, const struct lw_cmd *request)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        if (requests[i].cid == request->cid)
            requests[i].apply(state, request->payload);
    }
}
