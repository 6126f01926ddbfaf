/*
 * downlink.c - the answer to an uplink: is one due, what goes into it, by which windows.
 *
 *   due     waits for the application's reply, where one may come
 *   load    the device; the session must still be the one that was heard
 *   plan    windows and gateways; what: ACK, answers, requests, a queue item
 *   build   one frame for all windows, under a counter that is never used again
 *   save    counter, attempt with its ladder, item
 *   speak   hand over to the gateways
 *
 * A repetition whose last answer carried an unfinished item, with nothing built since, gets that
 * identical frame once more (mechanics 20).
 */
#include "core/log.h"
#include "lorawan/frame.h"
#include "ns/attempt.h"
#include "ns/mac.h"
#include "ns/ns_priv.h"
#include "ns/routes.h"
#include "ns/window.h"

#include <stdlib.h>
#include <string.h>

struct downlink {
    struct answer answer;
    const struct device_profile *profile;
    const struct ns_region *region;
    struct session *session; /* the copy that is worked on */
    struct device_status status;
    struct window_plan plan;
    struct queue_item *item;    /* live; NULL: none goes along */
    struct queue_item *changed; /* its copy with the state after this frame */
    struct mac_out requests;
    uint8_t mac[MAC_ANSWERS_MAX + SESSION_MAC_MAX];
    size_t mac_n;
    bool on_port0; /* the commands do not fit FOpts */
    bool f_pending;
    bool identical; /* an attempt is handed over again: nothing is built or saved */
    bool silent;    /* nothing to send, only items that are over */
    struct attempt *attempt;
    struct state_change change;
    unsigned over; /* items that ended unsent */
};

static struct downlink *work_of(struct job *job)
{
    return job->work;
}

static enum step_verdict due(struct job *job)
{
    return job_sleep(job, work_of(job)->answer.due_us);
}

static enum step_verdict load(struct job *job)
{
    struct downlink *down = work_of(job);
    struct device *device = ns_device(job->worker, job->dev_eui);
    enum step_verdict verdict;

    if (!device)
        return job_drop(job, DROP_UNKNOWN_DEVICE);
    verdict = job_take_device(job, device);
    if (verdict != STEP_NEXT)
        return verdict;
    *down = (struct downlink){.answer = down->answer}; /* nothing of a run that lost its race */
    if (!session_is(device->active, down->answer.session))
        return job_drop(job, DROP_NOTHING_TO_SEND); /* another session meanwhile */
    down->session = session_copy(job, device->active);
    down->status = device->status;
    down->profile = device_profile_of(job->worker, device);
    down->region = ns_region_of(job->worker->ns, down->answer.copies[0].region);
    if (!down->profile)
        return job_drop(job, DROP_CORRUPT);
    return down->region ? STEP_NEXT : job_fail(job, ERR_REFERENCE);
}

/* ---- plan ------------------------------------------------------------------------------------ */

static enum err plan_windows(struct job *job)
{
    struct downlink *down = work_of(job);
    struct window_route *routes =
        arena_array(&job->arena, struct window_route, down->answer.copy_count);
    struct region_channels *channels = arena_new(&job->arena, struct region_channels);
    struct window_input input = {.region = down->region->region,
                                 .revision = (enum region_revision)down->profile->revision,
                                 .session = down->session,
                                 .channels = channels,
                                 .uplink_channel = down->answer.channel,
                                 .uplink_dr = down->answer.dr,
                                 .routes = routes};
    struct heard_by heard = {down->answer.copies, down->answer.copy_count, down->region};

    session_channels(down->session, down->region->region, channels);
    if (!chmask_test(&channels->defined, down->answer.channel))
        *channels = down->region->channels;
    input.route_count = routes_of(job, &heard, routes);
    return window_plan(&input, &down->plan);
}

/* Answers that no window can carry are left out, the last ones first: else the ACK beside them
 * would never go. The device asks again. */
static void trim_answers(struct downlink *down)
{
    struct lw_cmd_iter iter =
        lw_mac_iter_of((struct bytes){down->answer.mac, down->answer.mac_n}, LW_DOWN);
    struct lw_cmd cmd;
    size_t kept = 0, most = window_most(&down->plan);

    while (lw_cmd_next(&iter, &cmd) && kept + 1 + cmd.payload.n <= most)
        kept += 1 + cmd.payload.n;
    down->answer.mac_n = (uint8_t)kept;
}

/* How many octets of requests may go along: they never take a window from the frame, as an item
 * that fits only one of them does. Beside an item or answers there is only FOpts; a frame of its
 * own has port 0, which the longest blocks of LinkADRReq need (CN470: six). */
static size_t request_room(const struct downlink *down)
{
    size_t taken = (size_t)down->answer.mac_n + (down->item ? down->item->data_n : 0u);
    size_t most = taken > down->plan.room ? window_most(&down->plan) : down->plan.room;
    size_t room = most > taken ? most - taken : 0;
    size_t fopts =
        LW_FOPTS_MAX > down->answer.mac_n ? (size_t)LW_FOPTS_MAX - down->answer.mac_n : 0u;

    return taken && fopts < room ? fopts : room;
}

/* Chooses item and commands so that they fit some window; strikes the windows they do not fit. */
static void choose(struct job *job)
{
    struct downlink *down = work_of(job);
    unsigned most = window_most(&down->plan);
    size_t answers = down->answer.mac_n;
    bool waiting = false;

    down->requests = (struct mac_out){.region = down->region->region,
                                      .profile = down->profile,
                                      .network = &down->region->enabled,
                                      .utc_us = clock_utc(job->worker->worker.clock)};
    /* Answers that fill port 0 leave no place for an item: it stays as it is. */
    if (!down->answer.repetition && answers <= LW_FOPTS_MAX)
        down->item = queue_next(job->device->queue, down->requests.utc_us,
                                answers < most ? most - (unsigned)answers : 0, &waiting);
    else
        waiting = queue_count(job->device->queue) > 0;
    down->requests.room = request_room(down);
    if (!down->answer.repetition)
        mac_write(down->session, &down->requests);
    down->f_pending = waiting || (!down->item && down->requests.more);
    memcpy(down->mac, down->answer.mac, answers);
    memcpy(down->mac + answers, down->requests.requests, down->requests.n);
    down->mac_n = answers + down->requests.n;
    down->on_port0 = down->mac_n > LW_FOPTS_MAX;
}

/* Whether this repetition is answered with the very frame that answered the original. */
static bool same_again(struct job *job)
{
    struct downlink *down = work_of(job);
    struct attempt *last;
    const struct queue_item *item;

    if (!down->answer.repetition || !down->session->last_attempt)
        return false;
    last = map_get(&job->worker->attempts, down->session->last_attempt);
    item = last ? queue_find(job->device->queue, &last->item_id) : NULL;
    if (!item || item->attempt != last->id)
        return false;
    down->attempt = arena_memdup(&job->arena, last, sizeof(*last));
    return true;
}

/* The identical frame goes by the windows of the repetition. It carries an item, so 13 octets are
 * not FOpts or FRMPayload. */
static bool same_ladder(struct downlink *down)
{
    if (!window_fit(&down->plan, down->attempt->phy_n - 13u))
        return false;
    down->attempt->rung_n = (uint8_t)down->plan.rung_count;
    memcpy(down->attempt->rungs, down->plan.rungs, sizeof(down->attempt->rungs));
    return true;
}

static enum step_verdict plan(struct job *job)
{
    struct downlink *down = work_of(job);

    ns_review_queue(job->device, down->session);
    down->over = ns_sweep_queue(job, down->session, down->status.last_seen_us);
    if (plan_windows(job))
        return job_drop(job, DROP_NO_DOWNLINK_PATH);
    down->identical = same_again(job);
    if (down->identical) {
        return same_ladder(down) ? STEP_NEXT : job_drop(job, DROP_NO_DOWNLINK_PATH);
    }
    trim_answers(down);
    choose(job);
    if (!down->item && !down->mac_n && !down->answer.ack && !down->answer.must) {
        down->silent = true;
        return down->over ? STEP_NEXT : job_drop(job, DROP_NOTHING_TO_SEND);
    }
    if (!window_fit(&down->plan, (unsigned)(down->mac_n + (down->item ? down->item->data_n : 0))))
        return job_drop(job, DROP_NO_DOWNLINK_PATH);
    return STEP_NEXT;
}

/* ---- build ----------------------------------------------------------------------------------- */

/* The counter of this frame; ERR_LIMIT when all are spent. An item encrypted by the application
 * brings its own. */
static enum err take_counter(struct job *job, uint32_t *fcnt, bool *application)
{
    struct downlink *down = work_of(job);
    struct session *session = down->session;
    uint32_t *next;

    *application = session->flags & SESSION_1_1 && down->item && !down->on_port0;
    next = *application ? &session->a_fcnt_down : &session->n_fcnt_down;
    if (down->item && down->item->is_encrypted && down->item->has_fcnt)
        *next = down->item->fcnt_down; /* not behind: ns_review_queue */
    if (*next == UINT32_MAX)
        return ERR_LIMIT;
    *fcnt = (*next)++;
    return OK;
}

static struct lw_data data_of(const struct downlink *down)
{
    struct lw_data data = {.dev_addr = down->session->dev_addr, .port = LW_PORT_NONE};
    struct bytes commands = {down->mac, down->mac_n};

    data.fctrl |= strcmp(down->profile->adr.algorithm, "off") != 0 ? LW_FCTRL_ADR : 0;
    data.fctrl |= down->answer.ack ? LW_FCTRL_ACK : 0;
    data.fctrl |= down->f_pending ? LW_FCTRL_F_PENDING : 0;
    if (down->on_port0) {
        data.port = 0;
        data.payload = commands;
        return data;
    }
    data.fopts = commands;
    if (down->item) {
        data.port = down->item->f_port;
        data.payload = (struct bytes){down->item->data, down->item->data_n};
    }
    return data;
}

static enum err write_frame(struct job *job, uint32_t fcnt)
{
    struct downlink *down = work_of(job);
    const struct lw_session_keys *keys = &down->session->keys;
    struct lw_data data = data_of(down);
    bool v11 = down->session->flags & SESSION_1_1;
    bool confirmed = down->item && down->item->confirmed;
    struct lw_seal seal = {
        .v11 = v11,
        .fopts = (uint8_t)(!v11                                       ? LW_FOPTS_PLAIN
                           : down->session->flags & SESSION_OLD_FOPTS ? LW_FOPTS_1_1_OLD
                                                                      : LW_FOPTS_1_1),
        .conf_fcnt = (uint16_t)(v11 && down->answer.ack ? down->answer.fcnt_up : 0),
        .fcnt = fcnt,
        .f_nwk_s_int = &keys->f_nwk_s_int,
        .s_nwk_s_int = &keys->s_nwk_s_int,
        .nwk_s_enc = &keys->nwk_s_enc,
        .app_s_key = down->item && down->item->is_encrypted ? NULL : &keys->app_s_key};
    struct wr wr = wr_of(down->attempt->phy, sizeof(down->attempt->phy));
    enum err err =
        lw_data_write(&wr, confirmed ? LW_CONFIRMED_DOWN : LW_UNCONFIRMED_DOWN, &data, &seal);

    down->attempt->phy_n = (uint8_t)wr_len(&wr);
    return err;
}

static void note_item(struct job *job, uint32_t fcnt)
{
    struct downlink *down = work_of(job);
    struct queue_item *item;

    if (!down->item)
        return;
    item = arena_memdup(&job->arena, down->item, sizeof(*item) + down->item->data_n);
    item->state = QUEUE_SCHEDULED;
    item->attempts++;
    item->fcnt_down = fcnt;
    item->attempt = down->attempt->id;
    item->uncertain = false;
    down->changed = item;
    down->attempt->item_id = item->id;
    if (item->confirmed) {
        down->attempt->flags |= ATTEMPT_CONFIRMED;
        down->session->flags |= SESSION_AWAIT_ACK;
        down->session->await_item = item->id;
        down->session->await_fcnt = fcnt;
    }
}

static enum step_verdict build(struct job *job)
{
    struct downlink *down = work_of(job);
    struct ns *ns = job->worker->ns;
    uint32_t fcnt;
    bool application;
    enum err err;

    if (down->identical || down->silent)
        return STEP_NEXT;
    err = take_counter(job, &fcnt, &application);
    if (err)
        return job_drop(job, DROP_FCNT_EXHAUSTED);
    down->attempt = arena_new(&job->arena, struct attempt);
    down->attempt->id = atomic_fetch_add(&ns->next_attempt, 1);
    down->attempt->dev_eui = job->dev_eui;
    down->attempt->session = down->session->number;
    down->attempt->utc_us = clock_utc(job->worker->worker.clock);
    down->attempt->fcnt_down = fcnt;
    down->attempt->flags = application ? ATTEMPT_APP_COUNTER : 0;
    down->attempt->rung_n = (uint8_t)down->plan.rung_count;
    memcpy(down->attempt->rungs, down->plan.rungs, sizeof(down->attempt->rungs));
    err = write_frame(job, fcnt);
    if (err)
        return job_fail(job, err);
    note_item(job, fcnt);
    mac_sent(down->session, &down->requests);
    down->session->last_attempt = down->attempt->id;
    return STEP_NEXT;
}

static void save_attempt(struct job *job, const struct attempt *attempt)
{
    struct op *op = change_add(&job->change, &job->arena, OP_ATTEMPT_PUT);

    op->attempt = (struct op_attempt){.id = attempt->id,
                                      .dev_eui = attempt->dev_eui,
                                      .utc_us = attempt->utc_us,
                                      .settled = attempt->flags & ATTEMPT_SETTLED,
                                      .attempt = attempt_write(attempt, &job->arena)};
    job->change.bytes += op->attempt.attempt.n;
}

static enum step_verdict save(struct job *job)
{
    struct downlink *down = work_of(job);
    enum err err;

    if (down->identical)
        return STEP_NEXT;
    down->change = (struct state_change){.active = down->session, .status = &down->status};
    err = job_change_state(job, &down->change);
    if (err)
        return job_fail(job, err);
    if (down->attempt)
        save_attempt(job, down->attempt);
    if (down->changed) {
        struct op *op = change_add(&job->change, &job->arena, OP_QUEUE_PUT);

        op->queue = (struct op_queue){.id = down->changed->id,
                                      .dev_eui = job->dev_eui,
                                      .order = down->changed->order,
                                      .item = queue_item_write(down->changed, &job->arena)};
        job->change.bytes += op->queue.item.n;
    }
    return job_save(job);
}

/* ---- speak ----------------------------------------------------------------------------------- */

static void take_over(struct job *job)
{
    struct downlink *down = work_of(job);
    struct device *device = job->device;

    device_take_over(job->worker, device, &down->change);
    if (down->over)
        ns_queue_swept(device, down->status.last_seen_us);
    if (down->changed) {
        struct queue_item *live = down->item;

        live->state = down->changed->state;
        live->attempts = down->changed->attempts;
        live->fcnt_down = down->changed->fcnt_down;
        live->attempt = down->changed->attempt;
        live->uncertain = false;
    }
}

static void remember_attempt(struct job *job, const struct attempt *attempt)
{
    struct attempt *copy = xmalloc(sizeof(*copy));

    *copy = *attempt;
    free(map_put(&job->worker->attempts, copy->id, copy));
}

void ns_transmit(struct job *job, const struct attempt *attempt, const struct rung *rungs,
                 size_t rung_count)
{
    struct ns *ns = job->worker->ns;
    struct tx_request *request = xcalloc(1, sizeof(*request));

    remember_attempt(job, attempt);
    request->id = attempt->id;
    request->dev_eui = job->dev_eui;
    request->reply_to = &job->worker->worker;
    request->reply = tx_outcome_take;
    request->priority = TX_PRIORITY_NORMAL;
    request->rung_count = (uint8_t)rung_count;
    memcpy(request->rungs, rungs, rung_count * sizeof(*rungs));
    request->phy_len = attempt->phy_n;
    memcpy(request->phy, attempt->phy, attempt->phy_n);
    ns->ops.transmit(ns->ops.ctx, request);
}

static enum step_verdict speak(struct job *job)
{
    struct downlink *down = work_of(job);

    if (!down->identical)
        take_over(job);
    if (down->silent)
        return job_drop(job, DROP_NOTHING_TO_SEND);
    ns_transmit(job, down->attempt, down->plan.rungs, down->plan.rung_count);
    return STEP_NEXT;
}

/* clang-format off */
static const struct step downlink_steps[] = {
    {"due",   due,   0, 0},
    {"load",  load,  0, 0},
    {"plan",  plan,  0, 0},
    {"build", build, 0, 0},
    {"save",  save,  0, 0},
    {"speak", speak, 0, 0},
    {0},
};
/* clang-format on */

static void ended(struct job *job)
{
    struct downlink *down = work_of(job);

    if (down->session)
        lw_session_keys_wipe(&down->session->keys);
}

void downlink_start(struct ns_worker *worker, const struct answer *answer)
{
    struct job *job = job_new(worker, JOB_DOWNLINK, downlink_steps);
    struct downlink *down = arena_new(&job->arena, struct downlink);

    down->answer = *answer;
    down->answer.copies =
        arena_memdup(&job->arena, answer->copies, answer->copy_count * sizeof(*answer->copies));
    down->answer.gathered = NULL;
    job->dev_eui = answer->dev_eui;
    job->work = down;
    job->ended = ended;
    job->restart_at = 1;
    job_run(job);
}
