/*
 * mac.c - MAC commands in and out, one table row per command.
 *
 * Answers to our requests are believed only if the request stands in session->pending_mac; a
 * sticky answer without one is normal (the downlink that should have ended it was lost) and only
 * asks for a downlink.
 */
#include "ns/mac.h"

#include "core/clock.h"
#include "lorawan/airtime.h"

#include <string.h>

/* ---- reading --------------------------------------------------------------------------------- */

typedef void read_fn(struct session *session, const struct lw_cmd *cmd, struct mac_in *in);

/* A question asked twice in a frame gets one answer: more would cost the answer its windows. */
static void answer(struct mac_in *in, const struct wr *wr)
{
    size_t n = wr_len(wr);
    uint64_t bit = 1ull << (wr->start[0] % 64);

    if (wr->failed || in->asked & bit || in->answers_n + n > sizeof(in->answers))
        return;
    in->asked |= bit;
    memcpy(in->answers + in->answers_n, wr->start, n);
    in->answers_n = (uint8_t)(in->answers_n + n);
    in->must_answer = true;
}

static void read_link_check(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    const struct copy *best = &in->copies[0];
    struct lw_link_check_ans ans;
    int margin = 0;
    unsigned gateways = 0;

    (void)session;
    (void)cmd;
    for (size_t i = 0; i < in->copy_count; i++) {
        bool again = false;

        for (size_t k = 0; k < i; k++)
            again = again || in->copies[k].gateway.v == in->copies[i].gateway.v;
        gateways += !again;
    }
    if (best->rate.kind == MOD_LORA)
        margin = (best->snr_cb - lw_required_snr_cb(&best->rate)) / 10;
    ans.margin_db = (uint8_t)(margin < 0 ? 0 : margin > 254 ? 254 : margin);
    ans.gateway_count = (uint8_t)(gateways > 255 ? 255 : gateways);
    lw_link_check_ans_write(&wr, &ans);
    answer(in, &wr);
}

static void read_device_time(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_device_time_ans ans = {.gps_s = (uint32_t)(in->end_gps_us / US_PER_S),
                                     .fraction =
                                         (uint8_t)(in->end_gps_us % US_PER_S * 256 / US_PER_S)};

    (void)session;
    (void)cmd;
    lw_device_time_ans_write(&wr, &ans);
    answer(in, &wr);
}

/* ResetInd of a 1.1 ABP device: its parameters are those of the profile again (TS001-1.1 5.1). */
static void read_reset(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct session fresh;

    (void)cmd;
    if (!(session->flags & SESSION_ABP) || !(session->flags & SESSION_1_1))
        return;
    session_init(&fresh, in->profile);
    session->rx1_delay = fresh.rx1_delay;
    session->rx1_dr_offset = fresh.rx1_dr_offset;
    session->rx2_dr = fresh.rx2_dr;
    session->rx2_hz = fresh.rx2_hz;
    memcpy(session->channels, fresh.channels, sizeof(session->channels));
    session->enabled = fresh.enabled;
    session->tx_power = 0;
    session->nb_trans = 1;
    session->refused_dr = session->refused_tx_power = 0;
    session->pending_mac_n = 0;
    lw_reset_conf_write(&wr, &(struct lw_minor_version){1});
    answer(in, &wr);
}

static void read_rekey(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    (void)cmd;
    if (!(session->flags & SESSION_1_1) || session->flags & SESSION_ABP)
        return;
    in->rekey_ind = true;
    lw_rekey_conf_write(&wr, &(struct lw_minor_version){1});
    answer(in, &wr);
}

/* Class C is not served yet: the answer names the class that really is in force. */
static void read_device_mode(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    (void)session;
    (void)cmd;
    lw_device_mode_conf_write(&wr, &(struct lw_device_mode){LW_CLASS_A});
    answer(in, &wr);
}

/* PingSlotInfoReq must be answered or the device repeats it in every frame (TS001 13). */
static void read_ping_slot_info(struct session *session, const struct lw_cmd *cmd,
                                struct mac_in *in)
{
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    (void)session;
    (void)cmd;
    lw_mac_bare_write(&wr, LW_DOWN, LW_CID_PING_SLOT_INFO);
    answer(in, &wr);
}

/* BeaconTimingReq, deprecated since 1.0.3: the time to the next beacon in 30 ms units. */
static void read_beacon_timing(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_beacon_timing_ans ans = {0};
    int64_t left = 128 * (int64_t)US_PER_S - in->end_gps_us % (128 * (int64_t)US_PER_S);

    (void)session;
    (void)cmd;
    ans.delay_30ms = (uint16_t)((left - 1) / 30000);
    if (in->region->rx1_modulus)
        ans.channel = (uint8_t)((in->end_gps_us + left) / (128 * (int64_t)US_PER_S) % 8);
    lw_beacon_timing_ans_write(&wr, &ans);
    answer(in, &wr);
}

static void read_dev_status(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    struct lw_dev_status_ans ans;

    (void)session;
    if (!lw_dev_status_ans_read(cmd->payload, &ans))
        return;
    in->has_status = true;
    in->battery = ans.battery;
    in->margin = ans.margin_db;
}

/* The block of LinkADRReq that was sent, from pending_mac. */
static size_t pending_link_adr(const struct session *session,
                               struct lw_link_adr_req reqs[CHMASK_REQS_MAX])
{
    struct lw_cmd_iter iter =
        lw_mac_iter_of((struct bytes){session->pending_mac, session->pending_mac_n}, LW_DOWN);
    struct lw_cmd cmd;
    size_t n = 0;

    while (lw_cmd_next(&iter, &cmd) && n < CHMASK_REQS_MAX) {
        if (cmd.cid == LW_CID_LINK_ADR && lw_link_adr_req_read(cmd.payload, &reqs[n]))
            n++;
    }
    return n;
}

static void link_adr_applied(struct session *session, const struct lw_link_adr_req *reqs, size_t n,
                             const struct mac_in *in)
{
    const struct lw_link_adr_req *last = &reqs[n - 1];
    struct region_channels channels;

    session_channels(session, in->region, &channels);
    (void)chmask_apply(region_chmask_rules(in->region, (enum region_revision)in->profile->revision),
                       &channels.defined, reqs, n, &session->enabled);
    if (last->dr != 15)
        session->dr = last->dr;
    if (last->tx_power != 15)
        session->tx_power = last->tx_power;
    if (last->nb_trans)
        session->nb_trans = last->nb_trans;
    session->adr_nacks = 0;
    session->adr_count = session->adr_at = 0;
}

struct adr_answers {
    uint8_t bits[CHMASK_REQS_MAX]; /* of LinkADRAns */
    size_t n;
};

/* What this device refuses is not asked of it again. RN2483 refuses TXPower 0. A refusal that
 * teaches nothing is counted: the request is repeated ever more rarely. */
static void link_adr_refused(struct session *session, const struct lw_link_adr_req *asked,
                             uint8_t bits)
{
    bool learnt = false;

    if (!(bits & 2) && bits & 1 && asked->dr != 15 && asked->dr > session->dr) {
        session->refused_dr = asked->dr;
        learnt = true;
    }
    if (!(bits & 4) && asked->tx_power != 15 && asked->tx_power > session->tx_power) {
        session->refused_tx_power = asked->tx_power;
        learnt = true;
    } else if (!(bits & 4) && asked->tx_power == 0) {
        session->tx_power = 1;
    }
    if (!learnt && session->adr_nacks < UINT8_MAX)
        session->adr_nacks++;
}

/* Before 1.0.2 each request stands alone, and so does its answer (reference 4.4). */
static void link_adr_alone(struct session *session, const struct lw_link_adr_req *reqs,
                           const struct adr_answers *answers, const struct mac_in *in)
{
    for (size_t i = 0; i < answers->n; i++) {
        if (answers->bits[i] == 7)
            link_adr_applied(session, &reqs[i], 1, in);
    }
}

/* From 1.0.2 on all LinkADRAns of a frame are one answer: their bits are combined (reference 4.4).
 */
static void link_adr_answered(struct session *session, const struct adr_answers *answers,
                              const struct mac_in *in)
{
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    size_t n = pending_link_adr(session, reqs);
    uint8_t bits = 7;

    for (size_t i = 0; i < answers->n; i++)
        bits &= answers->bits[i];
    if (n == 0)
        return;
    if (bits == 7) {
        link_adr_applied(session, reqs, n, in);
        return;
    }
    if (in->profile->version < LW_1_0_2 && answers->n == n)
        link_adr_alone(session, reqs, answers, in);
    link_adr_refused(session, &reqs[n - 1], bits);
    /* A device without ADR may refuse rate and power and yet take the mask. */
    if (bits & 1 && !(session->flags & SESSION_ADR)) {
        struct region_channels channels;

        session_channels(session, in->region, &channels);
        (void)chmask_apply(
            region_chmask_rules(in->region, (enum region_revision)in->profile->revision),
            &channels.defined, reqs, n, &session->enabled);
    }
}

static bool was_asked(const struct session *session, uint8_t cid)
{
    struct lw_cmd_iter iter =
        lw_mac_iter_of((struct bytes){session->pending_mac, session->pending_mac_n}, LW_DOWN);
    struct lw_cmd cmd;

    while (lw_cmd_next(&iter, &cmd)) {
        if (cmd.cid == cid)
            return true;
    }
    return false;
}

/* What the device sends. `needs`: only as an answer to a request that is pending. LinkADRAns is
 * combined by mac_read. A command without a row is ignored. */
static const struct read_row {
    uint8_t cid;
    bool by_device;
    read_fn *read;
} read_rows[] = {
    {LW_CID_RESET, true, read_reset},
    {LW_CID_LINK_CHECK, true, read_link_check},
    {LW_CID_REKEY, true, read_rekey},
    {LW_CID_DEVICE_TIME, true, read_device_time},
    {LW_CID_PING_SLOT_INFO, true, read_ping_slot_info},
    {LW_CID_BEACON_TIMING, true, read_beacon_timing},
    {LW_CID_DEVICE_MODE, true, read_device_mode},
    {LW_CID_DEV_STATUS, false, read_dev_status},
};

static const struct read_row *read_row_of(uint8_t cid)
{
    for (size_t i = 0; i < sizeof(read_rows) / sizeof(read_rows[0]); i++) {
        if (read_rows[i].cid == cid)
            return &read_rows[i];
    }
    return NULL;
}

static void read_one(struct session *session, const struct lw_cmd *cmd, struct mac_in *in)
{
    const struct read_row *row = read_row_of(cmd->cid);

    if (row && row->by_device) {
        row->read(session, cmd, in);
        return;
    }
    /* In a repetition the device's answers were consumed already (reference 4.6, 4). */
    if (in->repetition || in->pending_session) {
        in->ignored++;
        return;
    }
    if (row && was_asked(session, cmd->cid))
        row->read(session, cmd, in);
    else if (cmd->def->flags & LW_MAC_STICKY)
        in->must_answer = true;
    else
        in->ignored++;
}

void mac_read(struct session *session, struct bytes stream, struct mac_in *in)
{
    struct lw_cmd_iter iter = lw_mac_iter_of(stream, LW_UP);
    struct lw_cmd cmd;
    struct adr_answers adr = {0};

    while (lw_cmd_next(&iter, &cmd)) {
        struct lw_link_adr_ans ans;

        if (cmd.cid != LW_CID_LINK_ADR)
            read_one(session, &cmd, in);
        else if (adr.n < CHMASK_REQS_MAX && lw_link_adr_ans_read(cmd.payload, &ans))
            adr.bits[adr.n++] = (uint8_t)(ans.ch_mask_ack | ans.dr_ack << 1 | ans.power_ack << 2);
    }
    in->ignored += iter.stop != LW_CMD_END;
    if (adr.n > 0 && !in->repetition && !in->pending_session)
        link_adr_answered(session, &adr, in);
    /* What was not answered is asked again if it is still wanted. */
    if (!in->repetition)
        session->pending_mac_n = 0;
}

bool mac_has_rekey(struct bytes stream)
{
    struct lw_cmd_iter iter = lw_mac_iter_of(stream, LW_UP);
    struct lw_cmd cmd;

    while (lw_cmd_next(&iter, &cmd)) {
        if (cmd.cid == LW_CID_REKEY)
            return true;
    }
    return false;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Appends a whole block, or says that more was wanted. */
static void emit(struct mac_out *out, const struct wr *block)
{
    size_t n = wr_len(block);

    if (n == 0 || block->failed)
        return;
    if (out->n + n > out->room || out->n + n > sizeof(out->requests)) {
        out->more = true;
        return;
    }
    memcpy(out->requests + out->n, block->start, n);
    out->n += n;
}

/* After refusals the request is repeated ever more rarely: after 1, 4, 16, 64 uplinks. */
static bool adr_backs_off(const struct session *session)
{
    unsigned nacks = session->adr_nacks > 4 ? 4 : session->adr_nacks;
    uint32_t every = 1u << (2 * nacks);

    return nacks > 0 && session->fcnt_up_next % every != 0;
}

/* The channels that the device should use: in a fixed plan those that the network hears; otherwise
 * what it has, until NewChannelReq comes. */
static const struct chmask *wanted_mask(const struct session *session, const struct mac_out *out)
{
    bool of_network = out->region->plan == REGION_FIXED && out->network;

    return of_network ? out->network : &session->enabled;
}

static bool adr_counts(const struct session *session, const struct mac_out *out)
{
    return session->flags & SESSION_ADR && !out->profile->adr.shadow;
}

/* The mask is wanted of devices without ADR too. */
static bool want_link_adr(const struct session *session, const struct mac_out *out)
{
    if (adr_backs_off(session))
        return false;
    if (!chmask_equal(wanted_mask(session, out), &session->enabled))
        return true;
    return adr_counts(session, out) &&
           (session->want_dr != session->dr || session->want_tx_power != session->tx_power ||
            session->want_nb_trans != session->nb_trans);
}

/* Rate, power and NbTrans, which count in the last request. Before 1.0.2 a request stands alone:
 * each names a rate that the mask after it can carry. */
static void fill_block(const struct session *session, const struct mac_out *out,
                       const struct region_channels *channels, struct lw_link_adr_req *reqs,
                       size_t n)
{
    const struct chmask_rule *rules =
        region_chmask_rules(out->region, (enum region_revision)out->profile->revision);
    bool adr = adr_counts(session, out);
    uint8_t dr = adr ? session->want_dr : session->dr;
    struct chmask mask = session->enabled;

    for (size_t i = 0; i < n; i++) {
        uint16_t drs;

        (void)chmask_apply(rules, &channels->defined, &reqs[i], 1, &mask);
        drs = region_enabled_drs(channels, &mask);
        reqs[i].dr = (uint8_t)(i + 1 == n || drs >> dr & 1 || !drs ? dr : __builtin_ctz(drs));
        reqs[i].tx_power = adr ? session->want_tx_power : session->tx_power;
        reqs[i].nb_trans = adr ? session->want_nb_trans : session->nb_trans;
    }
}

/* Until 1.0.1 a device takes each request by itself (reference 4.4). */
static enum err mask_block(const struct session *session, const struct mac_out *out,
                           const struct chmask *defined,
                           struct lw_link_adr_req reqs[CHMASK_REQS_MAX], size_t *n)
{
    const struct chmask_rule *rules =
        region_chmask_rules(out->region, (enum region_revision)out->profile->revision);
    const struct chmask *from = &session->enabled, *to = wanted_mask(session, out);

    if (out->profile->version < LW_1_0_2)
        return chmask_build_alone(rules, defined, from, to, reqs, n);
    return chmask_build(rules, defined, from, to, reqs, n);
}

/* The mask travels along: LinkADRReq never names a channel that the device lacks. */
static void write_link_adr(const struct session *session, struct mac_out *out)
{
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX] = {0};
    uint8_t room[CHMASK_REQS_MAX * 5];
    struct wr wr = wr_of(room, sizeof(room));
    struct region_channels channels;
    size_t n = 0;

    if (!want_link_adr(session, out))
        return;
    session_channels(session, out->region, &channels);
    if (mask_block(session, out, &channels.defined, reqs, &n) != OK)
        return;
    fill_block(session, out, &channels, reqs, n);
    for (size_t i = 0; i < n; i++)
        lw_link_adr_req_write(&wr, &reqs[i]);
    emit(out, &wr);
}

static bool want_status(const struct session *session, const struct mac_out *out)
{
    uint32_t every = out->profile->status_interval_s;
    uint32_t now = (uint32_t)(out->utc_us / US_PER_S);

    if (!every)
        return false;
    return !(session->flags & SESSION_STATUS_ASKED) || now - session->status_asked_s >= every;
}

static void write_dev_status(const struct session *session, struct mac_out *out)
{
    uint8_t room[1];
    struct wr wr = wr_of(room, sizeof(room));

    if (!want_status(session, out))
        return;
    lw_mac_bare_write(&wr, LW_DOWN, LW_CID_DEV_STATUS);
    emit(out, &wr);
}

void mac_write(const struct session *session, struct mac_out *out)
{
    /* Most urgent first; a later issue adds its rows here. */
    static void (*const write_rows[])(const struct session *, struct mac_out *) = {
        write_link_adr,
        write_dev_status,
    };

    out->n = 0;
    out->more = false;
    for (size_t i = 0; i < sizeof(write_rows) / sizeof(write_rows[0]); i++)
        write_rows[i](session, out);
}

void mac_sent(struct session *session, const struct mac_out *out)
{
    session->pending_mac_n = (uint8_t)out->n;
    if (out->n)
        memcpy(session->pending_mac, out->requests, out->n);
    if (was_asked(session, LW_CID_DEV_STATUS)) {
        session->status_asked_s = (uint32_t)(out->utc_us / US_PER_S);
        session->flags |= SESSION_STATUS_ASKED;
    }
}
