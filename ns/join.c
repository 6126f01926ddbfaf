/*
 * join.c - activation over the air (TS001 6.2; mac-layer reference 3.2 to 3.4).
 *
 *   load      the device, its profile, how often it asked
 *   ask       the join server, without holding the device
 *   accept    a pending session from its answer
 *   save      nonces, pending session and event in one change: never twice, never lost
 *   announce  the match table knows the session before the device does
 *   speak     the join-accept leaves
 *
 * The active session stays until the first frame under the new keys.
 */
#include "core/log.h"
#include "lorawan/netid.h"
#include "ns/attempt.h"
#include "ns/ns_priv.h"
#include "ns/routes.h"
#include "ns/window.h"
#include "region/cflist.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

struct join {
    struct gathered *gathered;
    struct lw_frame frame;
    const struct device_profile *profile;
    const struct ns_region *region;
    struct js_request *answer; /* heap; the question and its answer */
    struct cflist cflist;
    bool has_cflist;
    struct session *session; /* the pending one */
    struct device_status status;
    struct attempt *attempt;
    struct window_plan plan;
    struct state_change change;
};

static struct join *work_of(struct job *job)
{
    return job->work;
}

/* One join per 5 s with a burst of 3: before any key is touched (reference 10, rule 8). */
static bool too_often(struct job *job)
{
    struct device *device = job->device;
    uint32_t now = (uint32_t)(worker_now(&job->worker->worker) / US_PER_S);
    uint32_t back = (now - device->join_at_s) / (uint32_t)(JOIN_TOKEN_US / US_PER_S);

    if (back > 0) {
        device->join_tokens =
            (uint8_t)(device->join_tokens > back ? device->join_tokens - back : 0);
        device->join_at_s = now;
    }
    if (device->join_tokens >= JOIN_TOKENS_MAX)
        return true;
    device->join_tokens++;
    return false;
}

static enum drop refuse(const struct job *job, const struct join *join)
{
    const struct device *device = job->device;

    if (device->flags & DEVICE_DISABLED)
        return DROP_DEVICE_DISABLED;
    if (!join->profile->supports_otaa)
        return DROP_NOT_OTAA;
    if (device->flags & DEVICE_HAS_JOIN_EUI && device->join_eui.v != join->frame.join.join_eui.v)
        return DROP_JOIN_EUI;
    if (!join->region || join->profile->region != join->gathered->region)
        return DROP_REGION;
    if (!job->worker->ns->options.join_server)
        return DROP_JOIN_SERVER_OFF;
    return DROP_NONE;
}

static enum step_verdict load(struct job *job)
{
    struct join *join = work_of(job);
    struct device *device = ns_device(job->worker, job->dev_eui);
    enum step_verdict verdict;
    enum drop drop;

    if (!device)
        return job_drop(job, DROP_UNKNOWN_DEVICE);
    verdict = job_take_device(job, device);
    if (verdict != STEP_NEXT)
        return verdict;
    join->profile = device_profile_of(job->worker, device);
    join->region = ns_region_of(job->worker->ns, join->gathered->region);
    if (!join->profile)
        return job_drop(job, DROP_CORRUPT);
    drop = refuse(job, join);
    if (drop)
        return job_drop(job, drop);
    /* A loser of a race asks once more for the same request. */
    return !job->reruns && too_often(job) ? job_drop(job, DROP_JOIN_RATE) : STEP_NEXT;
}

/* A DevAddr of ours, another one than the device has now. */
static struct lw_dev_addr choose_addr(struct job *job)
{
    const struct session *active = session_copy(job, job->device->active);
    struct lw_dev_addr addr;
    uint32_t random;

    do {
        if (RAND_bytes((unsigned char *)&random, sizeof(random)) != 1)
            abort();
        addr = lw_dev_addr_make(job->worker->ns->options.net_id, random);
    } while (active && active->dev_addr.v == addr.v);
    return addr;
}

static uint8_t rx_delay(const struct join *join)
{
    return join->region->rx1_delay > join->profile->rx1_delay ? join->region->rx1_delay
                                                              : join->profile->rx1_delay;
}

/* A device that is older than the data rate could not hear RX2. */
static uint8_t rx2_dr(const struct join *join)
{
    const struct region *region = join->region->region;
    int dr = join->profile->rx2_dr < 0 ? join->region->rx2_dr : join->profile->rx2_dr;

    if (dr < 0 ||
        !region_down_dr_usable(region, (enum region_revision)join->profile->revision, (unsigned)dr))
        return region->rx2_dr;
    return (uint8_t)dr;
}

static void answered(struct worker *worker, struct mail *mail)
{
    struct js_request *request = (struct js_request *)mail;

    (void)worker;
    job_resume(request->owner);
}

static enum step_verdict ask(struct job *job)
{
    struct join *join = work_of(job);
    struct ns *ns = job->worker->ns;
    const struct region *region = join->region->region;
    struct js_request *request = xcalloc(1, sizeof(*request));

    if (join->answer)
        lw_session_keys_wipe(&join->answer->keys);
    free(join->answer);
    join->answer = request;
    request->reply_to = &job->worker->worker;
    request->reply = answered;
    request->owner = job;
    memcpy(request->phy, join->gathered->phy, sizeof(request->phy));
    request->join = join->frame.join;
    request->mic = join->frame.mic;
    request->version = (enum lw_version)join->profile->version;
    request->net_id = ns->options.net_id;
    request->dev_addr = choose_addr(job);
    request->rx1_dr_offset = join->profile->rx1_dr_offset;
    request->rx2_dr = rx2_dr(join);
    request->rx_delay = rx_delay(join);
    join->has_cflist = cflist_of_channels(region, request->version, &join->region->channels,
                                          &join->region->enabled, &join->cflist) &&
                       cflist_write(&join->cflist, request->cflist) == OK;
    request->has_cflist = join->has_cflist;
    job_give_device(job);
    ns->ops.join(ns->ops.ctx, request);
    return STEP_WAIT;
}

static enum step_verdict take_again(struct job *job)
{
    struct join *join = work_of(job);
    struct device *device = ns_device(job->worker, job->dev_eui);
    enum step_verdict verdict;
    enum drop drop;

    if (join->answer->drop)
        return job_drop(job, join->answer->drop);
    if (!device)
        return job_drop(job, DROP_UNKNOWN_DEVICE);
    verdict = job_take_device(job, device);
    if (verdict != STEP_NEXT)
        return verdict;
    join->profile = device_profile_of(job->worker, device);
    join->status = device->status;
    if (!join->profile)
        return job_drop(job, DROP_CORRUPT);
    drop = refuse(job, join); /* device and profile may be others by now */
    if (!drop && join->profile->version != join->answer->version)
        drop = DROP_CONFLICT;
    return drop ? job_drop(job, drop) : STEP_NEXT;
}

/* ---- the pending session --------------------------------------------------------------------- */

/* What the device will use once it has the accept: RX2 frequency and channels are the region's (in
 * CN470 also the join channel's), as the accept cannot change them otherwise. */
static void fill_session(struct job *job)
{
    struct join *join = work_of(job);
    const struct region *region = join->region->region;
    struct session *session = arena_new(&job->arena, struct session);
    struct region_channels *channels = arena_new(&job->arena, struct region_channels);

    session_init(session, join->profile);
    session->keys = join->answer->keys;
    session->dev_addr = join->answer->dev_addr;
    session->join_eui = join->frame.join.join_eui;
    session->rx1_delay = join->answer->rx_delay;
    session->rx2_dr = join->answer->rx2_dr;
    session->rx2_hz = region_join_rx2_hz(region, join->gathered->copies[0].frequency_hz);
    session->dr = session->want_dr = join->gathered->copies[0].dr;
    region_channels_init(region, channels);
    if (join->has_cflist &&
        cflist_apply(region, &join->cflist, channels, &session->enabled) == OK) {
        for (unsigned i = 0; region->plan == REGION_DYNAMIC && i < SESSION_CHANNELS; i++) {
            if (i < REGION_DEFAULTS_MAX && region->defaults[i].frequency_hz)
                continue;
            session->channels[i] =
                (struct session_channel){.frequency_hz = channels->at[i].frequency_hz,
                                         .min_dr = channels->at[i].min_dr,
                                         .max_dr = channels->at[i].max_dr};
        }
    }
    join->session = session;
}

static enum err plan_windows(struct job *job)
{
    struct join *join = work_of(job);
    const struct copy *best = &join->gathered->copies[0];
    struct window_route *routes =
        arena_array(&job->arena, struct window_route, join->gathered->copy_count);
    int channel = region_channel_find(&join->region->channels, best->frequency_hz, best->dr, 0);
    struct window_input input = {.region = join->region->region,
                                 .revision = (enum region_revision)join->profile->revision,
                                 .session = join->session,
                                 .channels = &join->region->channels,
                                 .uplink_channel = (uint8_t)(channel < 0 ? 0 : channel),
                                 .uplink_dr = best->dr,
                                 .join = true,
                                 .routes = routes};
    struct heard_by heard = {join->gathered->copies, join->gathered->copy_count, join->region};
    enum err err;

    input.route_count = routes_of(job, &heard, routes);
    err = window_plan(&input, &join->plan);
    /* MACPayload of a join-accept: all but MHDR and MIC; N is 8 less. */
    if (!err && !window_fit(&join->plan, join->answer->accept_n - 5u - 8u))
        err = ERR_NOT_FOUND;
    return err;
}

static enum step_verdict build_accept(struct job *job)
{
    struct join *join = work_of(job);
    struct attempt *attempt = arena_new(&job->arena, struct attempt);

    fill_session(job);
    if (plan_windows(job))
        return job_drop(job, DROP_NO_DOWNLINK_PATH);
    attempt->id = atomic_fetch_add(&job->worker->ns->next_attempt, 1);
    attempt->dev_eui = job->dev_eui;
    attempt->session = join->session->number;
    attempt->utc_us = clock_utc(job->worker->worker.clock);
    attempt->flags = ATTEMPT_JOIN;
    attempt->phy_n = join->answer->accept_n;
    memcpy(attempt->phy, join->answer->accept, attempt->phy_n);
    attempt->rung_n = (uint8_t)join->plan.rung_count;
    memcpy(attempt->rungs, join->plan.rungs, sizeof(attempt->rungs));
    join->attempt = attempt;
    join->status.last_seen_us = attempt->utc_us;
    return STEP_NEXT;
}

static void join_event(struct job *job)
{
    struct join *join = work_of(job);
    struct event_facts facts = device_facts(job, join->session);

    facts.dedup_id =
        session_join_id(join->frame.join.join_eui, job->dev_eui, join->frame.join.dev_nonce);
    facts.join_eui = join->frame.join.join_eui;
    job_event(job, EVENT_JOIN, &facts);
}

static void save_nonces(struct job *job)
{
    struct join *join = work_of(job);
    struct op *op = change_add(&job->change, &job->arena, OP_JOIN_STATE);

    op->join = (struct op_join_state){.dev_eui = job->dev_eui,
                                      .join_nonce = join->answer->state.join_nonce,
                                      .last_dev_nonce = join->answer->state.last_dev_nonce};
    if (!join->answer->add_nonce)
        return;
    op = change_add(&job->change, &job->arena, OP_NONCE_ADD);
    op->nonce = (struct op_nonce){.dev_eui = job->dev_eui,
                                  .join_eui = join->frame.join.join_eui,
                                  .nonce = join->frame.join.dev_nonce};
}

/* "Any is accepted and the first heard is stored." */
static void save_join_eui(struct job *job)
{
    struct op *op;

    if (job->device->flags & DEVICE_HAS_JOIN_EUI)
        return;
    op = change_add(&job->change, &job->arena, OP_JOIN_EUI);
    op->join_eui = (struct op_join_eui){.dev_eui = job->dev_eui,
                                        .join_eui = work_of(job)->frame.join.join_eui,
                                        .utc_us = clock_utc(job->worker->worker.clock)};
}

static enum step_verdict save(struct job *job)
{
    struct join *join = work_of(job);
    struct op *op;
    enum err err;

    save_nonces(job);
    save_join_eui(job);
    join_event(job);
    op = change_add(&job->change, &job->arena, OP_ATTEMPT_PUT);
    op->attempt = (struct op_attempt){.id = join->attempt->id,
                                      .dev_eui = job->dev_eui,
                                      .utc_us = join->attempt->utc_us,
                                      .attempt = attempt_write(join->attempt, &job->arena)};
    join->change = (struct state_change){.active = session_copy(job, job->device->active),
                                         .pending = join->session,
                                         .status = &join->status,
                                         .set = STATE_SET_PENDING};
    err = job_change_state(job, &join->change);
    return err ? job_fail(job, err) : job_save(job);
}

static enum step_verdict announce(struct job *job)
{
    struct join *join = work_of(job);
    const struct session *former = session_copy(job, job->device->pending);

    if (former)
        ns_match_remove(job->worker, job->device, former);
    device_take_over(job->worker, job->device, &join->change);
    /* "Any JoinEUI" ends with the first one that was good. */
    if (!(job->device->flags & DEVICE_HAS_JOIN_EUI)) {
        job->device->join_eui = join->frame.join.join_eui;
        job->device->flags |= DEVICE_HAS_JOIN_EUI;
    }
    ns_match_put(job->worker, job->device, join->session, true, job);
    return STEP_WAIT;
}

static enum step_verdict speak(struct job *job)
{
    struct join *join = work_of(job);

    ns_log_frame(job, join->gathered, "accepted");
    ns_transmit(job, join->attempt, join->plan.rungs, join->plan.rung_count);
    return STEP_NEXT;
}

/* clang-format off */
static const struct step join_steps[] = {
    {"load",     load,       0, 0},
    {"ask",      ask,        0, 0},
    {"answer",   take_again, 0, 0},
    {"accept",   build_accept,     0, 0},
    {"save",     save,       0, 0},
    {"announce", announce,   0, 0},
    {"speak",    speak,      0, 0},
    {0},
};
/* clang-format on */

static void ended(struct job *job)
{
    struct join *join = work_of(job);

    if (job->drop) {
        ns_log_frame(job, join->gathered, "dropped");
        LOG_INFO("join_refused", log_eui("devEui", job->dev_eui.v),
                 log_eui("joinEui", join->frame.join.join_eui.v),
                 log_uint("devNonce", join->frame.join.dev_nonce),
                 log_str("reason", drop_label(job->drop)));
    }
    if (join->answer)
        lw_session_keys_wipe(&join->answer->keys);
    if (join->session)
        lw_session_keys_wipe(&join->session->keys);
    free(join->answer);
    free(join->gathered);
}

void join_start(struct ns_worker *worker, struct gathered *gathered, const struct lw_frame *frame)
{
    struct job *job = job_new(worker, JOB_JOIN, join_steps);
    struct join *join = arena_new(&job->arena, struct join);

    join->gathered = gathered;
    join->frame = *frame;
    job->dev_eui = frame->join.dev_eui;
    job->work = join;
    job->ended = ended;
    job_run(job);
}
