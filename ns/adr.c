/* adr.c - the default algorithm: SNR margin to data rate and power, losses to NbTrans. */
#include "ns/adr.h"

#include "lorawan/airtime.h"

#include <string.h>

double adr_loss_percent(const uint32_t *fcnts, size_t n)
{
    uint32_t lost = 0;

    if (n < ADR_HISTORY)
        return 0;
    for (size_t i = 1; i < n; i++) {
        /* A counter that went back is a reset, not a loss of four thousand million frames. */
        if (fcnts[i] > fcnts[i - 1])
            lost += fcnts[i] - fcnts[i - 1] - 1;
    }
    return 100.0 * lost / (double)n;
}

uint8_t adr_nb_trans(uint8_t present, double loss_percent, uint8_t most)
{
    static const uint8_t table[4][3] = {{1, 1, 2}, {1, 2, 3}, {2, 3, 3}, {3, 3, 3}};
    unsigned row = loss_percent < 5 ? 0 : loss_percent < 10 ? 1 : loss_percent < 30 ? 2 : 3;
    uint8_t now = present < 1 ? 1 : present > 3 ? 3 : present;
    uint8_t want = table[row][now - 1];

    return want > most ? most : want;
}

struct adr_result adr_decide(const struct adr_state *state)
{
    double margin = state->snr_max - state->required_snr - state->margin_db;
    int steps = (int)(margin / 3); /* toward zero: -3.5 dB is one step */
    struct adr_result result = {.dr = state->dr,
                                .tx_power = state->tx_power,
                                .nb_trans = adr_nb_trans(state->nb_trans, state->loss_percent, 3)};

    if (result.dr > state->max_dr)
        result.dr = state->max_dr;
    if (steps < 0 && state->same_power != ADR_HISTORY)
        return result;
    for (; steps > 0; steps--) {
        if (result.dr < state->max_dr)
            result.dr++;
        else if (result.tx_power < state->max_tx_power)
            result.tx_power++;
    }
    for (; steps < 0 && result.tx_power > 0; steps++)
        result.tx_power--;
    return result;
}

static void remember(struct session *session, const struct adr_input *input)
{
    int q = input->best_snr_cb * 4 / 10;
    struct adr_sample *last = &session->adr[(session->adr_at + ADR_HISTORY - 1) % ADR_HISTORY];

    if (session->adr_count && last->fcnt == (uint16_t)input->fcnt)
        return;
    session->adr[session->adr_at] = (struct adr_sample){.fcnt = (uint16_t)input->fcnt,
                                                        .snr_q = (int8_t)(q > 127    ? 127
                                                                          : q < -128 ? -128
                                                                                     : q),
                                                        .tx_power = session->tx_power};
    session->adr_at = (uint8_t)((session->adr_at + 1) % ADR_HISTORY);
    if (session->adr_count < ADR_HISTORY)
        session->adr_count++;
}

/* The samples from the oldest on: counters widened by their steps, best SNR, equal powers. */
static void summarize(const struct session *session, struct adr_state *state)
{
    uint32_t fcnts[ADR_HISTORY], full = 0;
    unsigned first = (session->adr_at + ADR_HISTORY - session->adr_count) % ADR_HISTORY;
    uint16_t last = session->adr[first].fcnt;

    state->snr_max = -1000;
    for (unsigned i = 0; i < session->adr_count; i++) {
        const struct adr_sample *sample = &session->adr[(first + i) % ADR_HISTORY];

        full += (uint16_t)(sample->fcnt - last);
        last = sample->fcnt;
        fcnts[i] = full;
        if (sample->snr_q / 4.0 > state->snr_max)
            state->snr_max = sample->snr_q / 4.0;
        state->same_power += sample->tx_power == session->tx_power;
    }
    state->loss_percent = adr_loss_percent(fcnts, session->adr_count);
}

/* The highest data rate that profile, region and enabled channels allow. */
static uint8_t highest_dr(const struct session *session, const struct adr_input *input)
{
    struct region_channels channels;
    uint16_t drs;
    unsigned most = input->region->adr_max_dr;

    session_channels(session, input->region, &channels);
    drs = region_enabled_drs(&channels, &session->enabled);
    if (most > input->profile->adr.max_dr)
        most = input->profile->adr.max_dr;
    if (session->refused_dr && most >= session->refused_dr)
        most = session->refused_dr - 1u;
    while (most > 0 && !(drs >> most & 1))
        most--;
    return (uint8_t)most;
}

/* The lowest data rate that carries anything under the device's dwell time limit. */
static uint8_t lowest_dr(const struct session *session, const struct adr_input *input)
{
    struct region_size size = {.revision = (enum region_revision)input->profile->revision,
                               .direction = LW_UP,
                               .dwell = session->flags & SESSION_UL_DWELL};

    while (size.dr < input->region->adr_max_dr && region_max_payload(input->region, &size) == 0)
        size.dr++;
    return size.dr;
}

static uint8_t highest_power(const struct session *session, const struct adr_input *input)
{
    unsigned most =
        region_max_tx_power(input->region, (enum region_revision)input->profile->revision);

    if (most > input->profile->adr.max_tx_power)
        most = input->profile->adr.max_tx_power;
    if (session->refused_tx_power && most >= session->refused_tx_power)
        most = session->refused_tx_power - 1u;
    return (uint8_t)most;
}

static void decide(struct session *session, const struct adr_input *input)
{
    const struct profile_adr *adr = &input->profile->adr;
    uint8_t least = lowest_dr(session, input);
    struct adr_state state = {
        .dr = session->dr,
        .tx_power = session->tx_power,
        .nb_trans = session->nb_trans,
        .required_snr =
            lw_required_snr_cb(region_rate(input->region, LW_UP, input->uplink_dr)) / 10.0,
        .margin_db = adr->margin_db,
        .max_dr = highest_dr(session, input),
        .max_tx_power = highest_power(session, input)};
    struct adr_result result;

    summarize(session, &state);
    result = adr_decide(&state);
    if (result.dr < adr->min_dr)
        result.dr = adr->min_dr <= state.max_dr ? adr->min_dr : state.max_dr;
    if (result.dr < least)
        result.dr = least;
    if (result.tx_power < adr->min_tx_power)
        result.tx_power = adr->min_tx_power;
    if (result.nb_trans > adr->max_nb_trans)
        result.nb_trans = adr->max_nb_trans;
    session->want_dr = result.dr;
    session->want_tx_power = result.tx_power;
    session->want_nb_trans = result.nb_trans;
}

void adr_observe(struct session *session, const struct adr_input *input)
{
    bool lora = region_rate(input->region, LW_UP, input->uplink_dr)->kind == MOD_LORA;

    if (session->dr != input->uplink_dr) {
        /* The device chose for itself (backed off, or never took our word): start over. */
        session->dr = input->uplink_dr;
        session->tx_power = 0;
        session->adr_count = session->adr_at = 0;
        if (session->refused_dr <= session->dr)
            session->refused_dr = 0; /* it can, after all */
    }
    session->want_dr = session->dr;
    session->want_tx_power = session->tx_power;
    session->want_nb_trans = session->nb_trans;
    if (input->adr_ack_req)
        session->adr_nacks = 0;
    remember(session, input);
    if (input->adr_bit)
        session->flags |= SESSION_ADR;
    else
        session->flags &= (uint16_t)~SESSION_ADR;
    if (input->adr_bit && lora && strcmp(input->profile->adr.algorithm, "default") == 0 &&
        input->profile->mobility == MOBILITY_STATIC)
        decide(session, input);
}
