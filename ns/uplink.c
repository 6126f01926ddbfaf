/*
 * uplink.c - the way of a data frame, from match to the answer it may leave behind.
 *
 *   front   the worker of the DevAddr           home    the worker of the DevEUI
 *   match   which session could it be?          load    the device, its session, its profile
 *   admit   full MIC, counter, tenant, region   decrypt FOpts and payload
 *   promote first frame under new keys          observe time, counter, what was heard
 *   mac     the device's commands               adr     what data rate and power it should have
 *   settle  ACK or no ACK of our last one       events  what the application will be told
 *   save    all of it, in one change            speak   cache, match table, answer job
 *
 * A repetition is looked at, but changes nothing and tells nobody: it leaves an answer only.
 */
#include "core/log.h"
#include "lorawan/gps.h"
#include "ns/adr.h"
#include "ns/mac.h"
#include "ns/ns_priv.h"

#include <stdlib.h>
#include <string.h>

#define HINT_EVERY                                                                                 \
    1024u /* the match table learns the counter when it passes a multiple of this                  \
           */

struct uplink {
    struct gathered *gathered;
    struct lw_frame frame;
    struct match_query query;
    struct match_proposal proposal;
    const struct device_profile *profile;
    const struct ns_region *region;
    struct region_channels channels; /* the device's */
    struct session *session;         /* the copy that is worked on */
    struct device_status status;
    struct copy *copies; /* those that may count for this tenant */
    size_t copy_count;
    uint8_t channel;
    struct bytes fopts, payload; /* plain */
    struct mac_in mac;
    struct queue_item *done;  /* a queue item that ends with this frame */
    struct queue_item *again; /* a copy of one that goes back to the queue with it */
    bool flush;               /* the whole queue ends */
    struct state_change change;
    /* of the session before this frame */
    bool hint_due; /* the match table should learn the counter */
    uint64_t last_attempt;
};

static struct uplink *work_of(struct job *job)
{
    return job->work;
}

static enum step_verdict to_front(struct job *job)
{
    struct uplink *up = work_of(job);

    return job_move(job, ns_front(job->worker->ns, up->frame.data.dev_addr));
}

static enum step_verdict match(struct job *job)
{
    struct uplink *up = work_of(job);
    enum drop drop;

    up->query.frame = &up->frame;
    up->query.now_us = worker_now(&job->worker->worker);
    drop = match_find(job->worker->match, &up->query, &up->proposal);
    if (drop)
        return job_drop(job, drop);
    job->dev_eui = up->proposal.dev_eui;
    return STEP_NEXT;
}

static enum step_verdict to_home(struct job *job)
{
    return job_move(job, ns_home(job->worker->ns, job->dev_eui));
}

/* The proposal was wrong: the match table is asked for the next one. */
static enum step_verdict next_candidate(struct job *job)
{
    struct uplink *up = work_of(job);

    if (up->query.tried_count == MATCH_TRIED_MAX)
        return job_drop(job, DROP_MIC);
    up->query.tried[up->query.tried_count++] = up->proposal.session;
    job_give_device(job);
    job->flags = 0;
    job->at = 0; /* to_front; job_run goes on with the step after it */
    return job_move(job, ns_front(job->worker->ns, up->frame.data.dev_addr));
}

static enum step_verdict load(struct job *job)
{
    struct uplink *up = work_of(job);
    struct device *device = ns_device(job->worker, job->dev_eui);
    enum step_verdict verdict;

    if (!device)
        return job_drop(job, DROP_UNKNOWN_DEVADDR);
    verdict = job_take_device(job, device);
    if (verdict != STEP_NEXT)
        return verdict;
    /* Nothing of a run that lost its race goes on. */
    up->change = (struct state_change){0};
    up->done = up->again = NULL;
    up->flush = false;
    if (session_is(device->active, up->proposal.session)) {
        if (device->flags & DEVICE_CORRUPT)
            return job_drop(job, DROP_CORRUPT);
        up->session = session_copy(job, device->active);
    } else if (session_is(device->pending, up->proposal.session)) {
        up->session = session_copy(job, device->pending);
        job->flags |= JOB_PROMOTE;
    } else {
        return next_candidate(job); /* replaced while the frame was under way */
    }
    up->profile = device_profile_of(job->worker, device);
    if (!up->profile)
        return job_drop(job, DROP_CORRUPT); /* its record is set aside */
    up->status = device->status;
    up->last_attempt = up->session->last_attempt;
    return STEP_NEXT;
}

/* ---- admit ----------------------------------------------------------------------------------- */

/* Copies by private gateways of other tenants do not count (mechanics 24). */
static void keep_own_copies(struct job *job)
{
    struct uplink *up = work_of(job);
    const struct application *application = device_application_of(job->worker, job->device);
    const struct gathered *g = up->gathered;

    up->copies = arena_array(&job->arena, struct copy, g->copy_count);
    up->copy_count = 0;
    for (size_t i = 0; i < g->copy_count; i++) {
        const struct gateway_config *gateway = g->copies[i].flags & COPY_PRIVATE
                                                   ? ns_gateway(job->worker, g->copies[i].gateway)
                                                   : NULL;
        /* An application that cannot be read is of no tenant that we know. */
        bool foreign =
            gateway && (!application || !uuid_equal(&gateway->tenant_id, &application->tenant_id));

        if (!foreign)
            up->copies[up->copy_count++] = g->copies[i];
    }
}

/* The 1.1 MIC signs data rate and channel of the transmission: the strongest copy's are tried
 * first, then the others', then further channels of the same frequency (finding F-19). */
static bool mic_11_of(struct uplink *up, struct lw_mic_input *in)
{
    for (size_t i = 0; i < up->copy_count; i++) {
        const struct copy *copy = &up->copies[i];
        int channel;

        in->tx_dr = copy->dr;
        for (unsigned nth = 0;
             (channel = region_channel_find(&up->channels, copy->frequency_hz, copy->dr, nth)) >= 0;
             nth++) {
            in->tx_ch = (uint8_t)channel;
            if (lw_mic_up_11(&up->session->keys.f_nwk_s_int, &up->session->keys.s_nwk_s_int, in) ==
                up->frame.mic)
                return true;
        }
    }
    return false;
}

/* An ACK signs the counter of what it acknowledges. A repetition of one that was taken already
 * names the confirmed downlink before the one that waits now. */
static bool mic_11_agrees(struct uplink *up)
{
    struct lw_mic_input in = lw_mic_input_of(&up->frame, up->proposal.fcnt);
    bool ack = up->frame.data.fctrl & LW_FCTRL_ACK;

    in.conf_fcnt = ack ? (uint16_t)up->session->await_fcnt : 0;
    if (mic_11_of(up, &in))
        return true;
    in.conf_fcnt = up->session->acked_fcnt;
    return ack && up->proposal.fcnt + 1 == up->session->fcnt_up_next && mic_11_of(up, &in);
}

static uint64_t frame_hash(const struct uplink *up)
{
    return bytes_hash(up->frame.msg, up->session->number);
}

/* Where the counter stands to the last accepted one (reference 2.2). */
static enum step_verdict check_counter(struct job *job)
{
    struct uplink *up = work_of(job);
    const struct session *session = up->session;
    uint32_t fcnt = up->proposal.fcnt;

    if (fcnt == UINT32_MAX)
        return job_drop(job, DROP_FCNT_EXHAUSTED);
    if (!(session->flags & SESSION_SEEN) || fcnt >= session->fcnt_up_next)
        return STEP_NEXT;
    if (fcnt == session->fcnt_up_next - 1 && frame_hash(up) == session->last_up_hash) {
        job->flags |= JOB_REPETITION;
        return STEP_NEXT;
    }
    /* Not proposal.reset: the match table's counter is a hint and may lie behind. */
    if (job->device->flags & DEVICE_SKIP_FCNT && fcnt == up->frame.data.fcnt) {
        job->flags |= JOB_RESET;
        return STEP_NEXT;
    }
    return job_drop(job, DROP_FCNT_REPLAY);
}

/* 1.0.4 wants frames refused that are longer than their data rate allows (reference 1.2). */
static bool too_long(const struct uplink *up)
{
    struct region_size size = {.revision = (enum region_revision)up->profile->revision,
                               .direction = LW_UP,
                               .dr = up->copies[0].dr,
                               .dwell = up->session->flags & SESSION_UL_DWELL};

    return up->profile->version == LW_1_0_4 && up->frame.data.fopts.n + up->frame.data.payload.n >
                                                   region_max_payload(up->region->region, &size);
}

static enum step_verdict admit(struct job *job)
{
    struct uplink *up = work_of(job);
    int channel;

    if (job->device->flags & DEVICE_DISABLED)
        return job_drop(job, DROP_DEVICE_DISABLED);
    up->region = ns_region_of(job->worker->ns, up->gathered->region);
    if (!up->region || up->profile->region != up->gathered->region)
        return job_drop(job, DROP_REGION);
    keep_own_copies(job);
    if (up->copy_count == 0)
        return job_drop(job, DROP_PRIVATE_GATEWAY);
    if (too_long(up))
        return job_drop(job, DROP_TOO_LONG);
    session_channels(up->session, up->region->region, &up->channels);
    if (up->session->flags & SESSION_1_1 && !mic_11_agrees(up))
        return next_candidate(job);
    channel = region_channel_find(&up->channels, up->copies[0].frequency_hz, up->copies[0].dr, 0);
    if (channel < 0) { /* a device that uses a channel it was not given: its answer goes there */
        up->channels = up->region->channels;
        channel =
            region_channel_find(&up->channels, up->copies[0].frequency_hz, up->copies[0].dr, 0);
    }
    up->channel = (uint8_t)(channel < 0 ? 0 : channel);
    if (job->flags & JOB_PROMOTE && up->frame.data.fctrl & LW_FCTRL_ACK)
        return job_drop(job, DROP_PENDING_ACK);
    return check_counter(job);
}

/* ---- content --------------------------------------------------------------------------------- */

/* Whether commands read to their end and among them is the one by which a 1.1 device begins a
 * session (RekeyInd, ResetInd), with a minor version that there is. */
static bool announces(struct bytes stream)
{
    struct lw_cmd_iter iter = lw_mac_iter_of(stream, LW_UP);
    struct lw_minor_version version;
    struct lw_cmd cmd;
    bool found = false;

    while (lw_cmd_next(&iter, &cmd)) {
        if (cmd.cid == LW_CID_REKEY || cmd.cid == LW_CID_RESET)
            found |= lw_rekey_ind_read(cmd.payload, &version) && version.minor == 1;
    }
    return found && iter.stop == LW_CMD_END;
}

/* Strict 1.1.0 devices encrypt FOpts with the block before the erratum (finding F-4). They show it
 * when a session begins: the announcement, which they repeat until it is confirmed, reads in that
 * form alone. Less is no proof: among the octets of a command that nobody knows, wrongly decrypted,
 * there are commands by chance. When an ABP session begins the server cannot know. */
static void decrypt_fopts(struct job *job)
{
    struct uplink *up = work_of(job);
    const struct lw_data *data = &up->frame.data;
    const struct lw_key *key = &up->session->keys.nwk_s_enc;
    struct lw_crypt which = {data->dev_addr, up->proposal.fcnt, LW_UP};
    bool old = up->session->flags & SESSION_OLD_FOPTS;
    uint8_t *usual = arena_alloc(&job->arena, LW_FOPTS_MAX + 1);
    uint8_t *other = arena_alloc(&job->arena, LW_FOPTS_MAX + 1);

    up->fopts = data->fopts;
    if (!(up->session->flags & SESSION_1_1) || data->fopts.n == 0)
        return;
    lw_crypt_fopts(key, &which, old ? LW_FOPTS_1_1_OLD : LW_FOPTS_1_1, data->port, data->fopts,
                   usual);
    up->fopts.p = usual;
    if (!(job->flags & JOB_PROMOTE) && !(up->session->flags & SESSION_ABP))
        return;
    lw_crypt_fopts(key, &which, old ? LW_FOPTS_1_1 : LW_FOPTS_1_1_OLD, data->port, data->fopts,
                   other);
    if (announces(up->fopts) || !announces((struct bytes){other, data->fopts.n}))
        return;
    up->fopts.p = other;
    up->session->flags ^= SESSION_OLD_FOPTS;
}

static enum step_verdict decrypt(struct job *job)
{
    struct uplink *up = work_of(job);
    const struct lw_data *data = &up->frame.data;
    struct lw_crypt which = {data->dev_addr, up->proposal.fcnt, LW_UP};
    const struct lw_key *key = lw_port_is_network(data->port) ? &up->session->keys.nwk_s_enc
                                                              : &up->session->keys.app_s_key;
    uint8_t *plain = arena_alloc(&job->arena, data->payload.n + 1);

    decrypt_fopts(job);
    lw_crypt_payload(key, &which, data->payload, plain);
    up->payload = (struct bytes){plain, data->payload.n};
    return STEP_NEXT;
}

static struct bytes mac_stream(const struct uplink *up)
{
    return up->frame.data.port == 0 ? up->payload : up->fopts;
}

/* The first frame under new keys makes the pending session the active one (reference 3.4). */
static enum step_verdict promote(struct job *job)
{
    struct uplink *up = work_of(job);

    if (up->session->flags & SESSION_1_1 && !mac_has_rekey(mac_stream(up)))
        return job_drop(job, DROP_NO_REKEY_IND);
    up->change.set |= STATE_SET_ACTIVE | STATE_SET_PENDING;
    up->flush = up->profile->flush_queue_on_activate;
    return STEP_NEXT;
}

/* A device that counts from the start again: another session number, so that its frames have other
 * ids. One with ABP is as after activation, but down counters and keys go on; one that joined keeps
 * what its join-accept gave it. */
static enum step_verdict reset(struct job *job)
{
    struct uplink *up = work_of(job);
    struct session fresh;

    session_init(&fresh, up->profile);
    if (!(up->session->flags & SESSION_ABP)) {
        up->session->number = fresh.number;
        up->session->adr_count = up->session->adr_at = 0;
        return STEP_NEXT;
    }
    fresh.keys = up->session->keys;
    fresh.join_eui = up->session->join_eui;
    fresh.dev_addr = up->session->dev_addr;
    fresh.flags |= up->session->flags & (SESSION_ABP | SESSION_OLD_FOPTS);
    fresh.n_fcnt_down = up->session->n_fcnt_down;
    fresh.a_fcnt_down = up->session->a_fcnt_down;
    *up->session = fresh;
    return STEP_NEXT;
}

static enum step_verdict observe(struct job *job)
{
    struct uplink *up = work_of(job);

    up->hint_due = !(up->session->flags & SESSION_SEEN) ||
                   up->session->fcnt_up_next / HINT_EVERY != (up->proposal.fcnt + 1) / HINT_EVERY;
    up->session->fcnt_up_next = up->proposal.fcnt + 1;
    up->session->flags |= SESSION_SEEN;
    up->session->last_up_hash = frame_hash(up);
    up->session->last_attempt = 0;
    up->status.last_seen_us = clock_utc(job->worker->worker.clock);
    return STEP_NEXT;
}

/* GPS time of the end of the uplink: a gateway's GPS, else ours at the socket (reference 4.9). */
static int64_t end_gps(const struct uplink *up)
{
    for (size_t i = 0; i < up->copy_count; i++) {
        if (up->copies[i].flags & COPY_HAS_TMMS)
            return (int64_t)up->copies[i].gps_ms * US_PER_MS;
    }
    return lw_gps_of_utc(up->gathered->first_utc_us);
}

static enum step_verdict mac(struct job *job)
{
    struct uplink *up = work_of(job);

    up->mac = (struct mac_in){.region = up->region->region,
                              .profile = up->profile,
                              .copies = up->copies,
                              .copy_count = up->copy_count,
                              .end_gps_us = end_gps(up),
                              .pending_session = job->flags & JOB_PROMOTE,
                              .repetition = job->flags & JOB_REPETITION};
    mac_read(up->session, mac_stream(up), &up->mac);
    if (up->mac.has_status) {
        up->status.has_status = true;
        up->status.battery = up->mac.battery;
        up->status.margin = up->mac.margin;
    }
    return STEP_NEXT;
}

static enum step_verdict adr(struct job *job)
{
    struct uplink *up = work_of(job);
    struct adr_input input = {.region = up->region->region,
                              .profile = up->profile,
                              .uplink_dr = up->copies[0].dr,
                              .fcnt = up->proposal.fcnt,
                              .best_snr_cb = up->copies[0].snr_cb,
                              .adr_bit = up->frame.data.fctrl & LW_FCTRL_ADR,
                              .adr_ack_req = up->frame.data.fctrl & LW_FCTRL_ADR_ACK_REQ};

    adr_observe(up->session, &input);
    return STEP_NEXT;
}

/* ---- what it means for our last confirmed downlink ------------------------------------------- */

static void save_item(struct job *job, const struct queue_item *item)
{
    struct op *op = change_add(&job->change, &job->arena, OP_QUEUE_PUT);

    op->queue = (struct op_queue){.id = item->id,
                                  .dev_eui = job->dev_eui,
                                  .order = item->order,
                                  .item = queue_item_write(item, &job->arena)};
}

static void end_item(struct job *job, struct queue_item *item)
{
    struct op *op = change_add(&job->change, &job->arena, OP_QUEUE_DEL);

    op->queue = (struct op_queue){.id = item->id, .dev_eui = job->dev_eui};
    work_of(job)->done = item;
}

static void ack_event(struct job *job, bool acknowledged)
{
    struct uplink *up = work_of(job);
    struct event_facts facts = device_facts(job, up->session);

    facts.dedup_id = session_up_id(up->session->number, up->proposal.fcnt);
    facts.queue_item_id = up->session->await_item;
    facts.acknowledged = acknowledged;
    facts.fcnt_down = up->session->await_fcnt;
    job_event(job, EVENT_ACK, &facts);
}

/* Whether it goes once more: a retry is left, or nobody knows whether it ever left (mechanics 21).
 */
static bool goes_again(const struct uplink *up, const struct queue_item *item)
{
    if (item->uncertain)
        return item->on_uncertain == UNCERTAIN_RESEND && item->attempts < UNCERTAIN_MOST;
    return item->attempts <= up->profile->confirmed_retries;
}

/* TS001 4.3.1.2: the uplink after a confirmed downlink carries the ACK or does not. */
static enum step_verdict settle(struct job *job)
{
    struct uplink *up = work_of(job);
    struct queue_item *item = queue_find(job->device->queue, &up->session->await_item);
    bool acked = up->frame.data.fctrl & LW_FCTRL_ACK;

    if (!(up->session->flags & SESSION_AWAIT_ACK))
        return STEP_NEXT;
    up->session->flags &= (uint16_t)~SESSION_AWAIT_ACK;
    if (acked)
        up->session->acked_fcnt = (uint16_t)up->session->await_fcnt;
    if (!item)
        return STEP_NEXT; /* taken out of the queue meanwhile */
    if (!acked && goes_again(up, item)) {
        up->again = arena_memdup(&job->arena, item, sizeof(*item) + item->data_n);
        up->again->state = QUEUE_QUEUED;
        up->again->attempt = 0;
        up->again->uncertain = false;
        save_item(job, up->again);
        return STEP_NEXT;
    }
    end_item(job, item);
    ack_event(job, acked);
    return STEP_NEXT;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void up_event(struct job *job)
{
    struct uplink *up = work_of(job);
    const struct lw_data *data = &up->frame.data;
    struct event_facts facts = device_facts(job, up->session);
    bool network = data->port <= 0;

    facts.dedup_id = session_up_id(up->session->number, up->proposal.fcnt);
    facts.fcnt = up->proposal.fcnt;
    facts.f_port = (uint8_t)(network ? 0 : data->port);
    facts.dr = up->copies[0].dr;
    facts.region = up->gathered->region;
    facts.adr = data->fctrl & LW_FCTRL_ADR;
    facts.confirmed = lw_ftype_is_confirmed(up->frame.ftype);
    facts.data = network ? (struct bytes){0} : up->payload;
    facts.copies = up->copies;
    facts.copy_count = up->copy_count;
    job_event(job, EVENT_UP, &facts);
}

static void status_event(struct job *job)
{
    struct uplink *up = work_of(job);
    struct event_facts facts = device_facts(job, up->session);

    facts.dedup_id = session_up_id(up->session->number, up->proposal.fcnt);
    facts.battery = up->mac.battery;
    facts.margin = up->mac.margin;
    job_event(job, EVENT_STATUS, &facts);
}

static enum step_verdict events(struct job *job)
{
    struct uplink *up = work_of(job);

    up_event(job);
    if (up->mac.has_status)
        status_event(job);
    return STEP_NEXT;
}

static enum step_verdict save(struct job *job)
{
    struct uplink *up = work_of(job);
    enum err err;

    up->change.active = up->session;
    up->change.status = &up->status;
    err = job_change_state(job, &up->change);
    if (err)
        return job_fail(job, err);
    if (up->flush && job->device->queue) {
        struct op *op = change_add(&job->change, &job->arena, OP_QUEUE_DEL);

        op->queue = (struct op_queue){.dev_eui = job->dev_eui};
    }
    return job_save(job);
}

/* ---- speak ----------------------------------------------------------------------------------- */

/* The session that ends with this frame leaves the match table, the one that goes on is (again) put
 * there; otherwise the table learns the counter now and then. */
static void update_match(struct job *job)
{
    struct uplink *up = work_of(job);
    bool changed = job->flags & (JOB_PROMOTE | JOB_RESET);
    const struct session *former = changed ? session_copy(job, job->device->active) : NULL;

    if (former)
        ns_match_remove(job->worker, job->device, former);
    if (job->flags & JOB_PROMOTE)
        up->last_attempt = former ? former->last_attempt : 0;
    if (changed || up->hint_due)
        ns_match_put(job->worker, job->device, up->session, false, NULL);
}

static void settle_queue(struct job *job)
{
    struct uplink *up = work_of(job);
    struct device *device = job->device;
    struct queue_item *live;

    if (up->flush) {
        if (device->queue)
            device_flush_queue(job->worker, device);
        return;
    }
    if (up->done) {
        queue_unlink(&device->queue, up->done);
        free(up->done);
    } else if (up->again) {
        /* Its attempt may still be under way: what becomes of that is no longer the item's. */
        live = queue_find(device->queue, &up->again->id);
        live->state = QUEUE_QUEUED;
        live->attempt = 0;
        live->uncertain = false;
    }
}

static void leave_answer(struct job *job)
{
    struct uplink *up = work_of(job);
    const struct ns *ns = job->worker->ns;
    const struct application *application = device_application_of(job->worker, job->device);
    struct mac_out out = {.region = up->region->region,
                          .profile = device_profile_of(job->worker, job->device),
                          .network = &up->region->enabled,
                          .utc_us = up->status.last_seen_us,
                          .room = LW_FOPTS_MAX};
    struct answer answer = {.dev_eui = job->dev_eui,
                            .session = up->session->number,
                            .gathered = up->gathered,
                            .copies = up->copies,
                            .copy_count = up->copy_count,
                            .dr = up->copies[0].dr,
                            .channel = up->channel,
                            .mac_n = up->mac.answers_n,
                            .ack = lw_ftype_is_confirmed(up->frame.ftype),
                            .must =
                                up->mac.must_answer || up->frame.data.fctrl & LW_FCTRL_ADR_ACK_REQ,
                            .repetition = job->flags & JOB_REPETITION,
                            .fcnt_up = up->proposal.fcnt,
                            .due_us = worker_now(&job->worker->worker)};
    bool covered =
        !answer.repetition && application && ns->ops.covered &&
        ns->ops.covered(ns->ops.ctx, &application->tenant_id, &application->id, job->dev_eui);

    if (!out.profile)
        return; /* deleted, or another one, while the frame was saved: up->profile is gone */
    memcpy(answer.mac, up->mac.answers, up->mac.answers_n);
    mac_write(up->session, &out);
    if (covered)
        answer.due_us += ns->options.app_reply_us;
    if (answer.ack || answer.must || answer.mac_n || out.n || out.more || covered ||
        job->device->queue)
        downlink_start(job->worker, &answer);
}

static enum step_verdict speak(struct job *job)
{
    struct uplink *up = work_of(job);
    struct device *device = job->device;

    if (!(job->flags & JOB_REPETITION)) {
        if (!(device->flags & DEVICE_GONE))
            update_match(job);
        if (up->last_attempt)
            ns_attempt_forget(job->worker, up->last_attempt);
        device_take_over(job->worker, device, &up->change);
        settle_queue(job);
    }
    ns_log_frame(job, up->gathered, job->flags & JOB_REPETITION ? "repetition" : "accepted");
    leave_answer(job);
    return STEP_NEXT;
}

/* clang-format off */
static const struct step uplink_steps[] = {
    {"front",   to_front, 0, 0},
    {"match",   match,    0, 0},
    {"home",    to_home,  0, 0},
    {"load",    load,     0, 0},
    {"admit",   admit,    0, 0},
    {"decrypt", decrypt,  0, 0},
    {"promote", promote,  JOB_REPETITION, JOB_PROMOTE},
    {"reset",   reset,    JOB_REPETITION, JOB_RESET},
    {"observe", observe,  JOB_REPETITION, 0},
    {"mac",     mac,      0, 0},
    {"adr",     adr,      JOB_REPETITION, 0},
    {"settle",  settle,   JOB_REPETITION, 0},
    {"events",  events,   JOB_REPETITION, 0},
    {"save",    save,     JOB_REPETITION, 0},
    {"speak",   speak,    0, 0},
    {0},
};
/* clang-format on */

static void ended(struct job *job)
{
    struct uplink *up = work_of(job);

    if (job->drop)
        ns_log_frame(job, up->gathered, "dropped");
    if (up->session)
        lw_session_keys_wipe(&up->session->keys);
    free(up->gathered);
}

void uplink_start(struct ns_worker *worker, struct gathered *gathered, const struct lw_frame *frame)
{
    struct job *job = job_new(worker, JOB_UPLINK, uplink_steps);
    struct uplink *up = arena_new(&job->arena, struct uplink);

    up->gathered = gathered;
    up->frame = *frame;
    job->work = up;
    job->ended = ended;
    job_run(job);
}
