/*
 * act.c - what administration asks of a device's live state; runs at its home worker.
 *
 * Reading looks at memory and answers at once; changes go the way of every job: load, apply, save,
 * and only then the answer.
 */
#include "core/log.h"
#include "ns/ns_priv.h"

#include <stdlib.h>
#include <string.h>

struct act {
    struct ns_call *call;
    struct session *session; /* the new active one */
    struct device_status status;
    struct state_change change;
    bool flush;
};

static struct act *work_of(struct job *job)
{
    return job->work;
}

static void reply(struct ns_call *call, struct worker *here)
{
    call->mail.take = call->reply;
    if (call->reply_to)
        mail_post(call->reply_to, LANE_BULK, &call->mail);
    else
        call->reply(here, &call->mail);
}

static enum step_verdict refuse(struct job *job, enum err err, const char *why)
{
    struct act *act = work_of(job);

    act->call->result = err;
    act->call->why = why;
    job->steps += job->at; /* the rest is left out: the end answers */
    job->at = 0;
    return STEP_STOP;
}

static enum step_verdict load(struct job *job)
{
    struct device *device = ns_device(job->worker, job->dev_eui);
    struct ns *ns = job->worker->ns;

    if (!device)
        return refuse(job, ERR_NOT_FOUND, NULL);
    if (committer_away_since(ns->options.committer))
        return refuse(job, ERR_AWAY, NULL);
    return job_take_device(job, device);
}

/* ---- activation by personalisation ----------------------------------------------------------- */

/* Whether a frame of `b` could repeat the key stream of one of `a`: one key is enough. */
static bool shares_a_key(const struct session *a, const struct session *b)
{
    const struct lw_session_keys *x = &a->keys, *y = &b->keys;

    return a->dev_addr.v == b->dev_addr.v &&
           (memcmp(&x->s_nwk_s_int, &y->s_nwk_s_int, sizeof(x->s_nwk_s_int)) == 0 ||
            memcmp(&x->nwk_s_enc, &y->nwk_s_enc, sizeof(x->nwk_s_enc)) == 0 ||
            memcmp(&x->app_s_key, &y->app_s_key, sizeof(x->app_s_key)) == 0);
}

static enum step_verdict activate(struct job *job)
{
    struct act *act = work_of(job);
    const struct session *asked = &act->call->session;
    const struct session *active = session_copy(job, job->device->active);
    const struct device_profile *profile = device_profile_of(job->worker, job->device);
    struct session *session = arena_new(&job->arena, struct session);

    if (!profile)
        return refuse(job, ERR_CORRUPT, "the record of the device profile cannot be read");
    if (active && shares_a_key(active, asked) && job->device->flags & DEVICE_CORRUPT)
        return refuse(job, ERR_CONFLICT,
                      "the counters of the present session cannot be read, so frames could repeat "
                      "under its keys: use others, or delete the device and make it anew");
    if (active && shares_a_key(active, asked) &&
        (asked->n_fcnt_down < active->n_fcnt_down || asked->a_fcnt_down < active->a_fcnt_down))
        return refuse(job, ERR_CONFLICT,
                      "a down counter must not go back under the same keys: frames would repeat");
    session_init(session, profile);
    session->keys = asked->keys;
    session->dev_addr = asked->dev_addr;
    session->fcnt_up_next = asked->fcnt_up_next;
    session->n_fcnt_down = asked->n_fcnt_down;
    session->a_fcnt_down = asked->a_fcnt_down;
    session->flags |= SESSION_ABP | (asked->fcnt_up_next ? SESSION_SEEN : 0);
    session->dr = session->want_dr = region_get((enum region_id)profile->region)->default_dr;
    act->session = session;
    act->status = job->device->status;
    act->flush = profile->flush_queue_on_activate;
    act->change = (struct state_change){
        .active = session, .status = &act->status, .set = STATE_SET_ACTIVE | STATE_SET_PENDING};
    return STEP_NEXT;
}

static enum step_verdict deactivate(struct job *job)
{
    struct act *act = work_of(job);

    if (!job->device->active && !job->device->pending && !(job->device->flags & DEVICE_CORRUPT))
        return refuse(job, ERR_NOT_FOUND, "the device has no session");
    act->status = job->device->status;
    act->flush = true;
    act->change =
        (struct state_change){.status = &act->status, .set = STATE_SET_ACTIVE | STATE_SET_PENDING};
    return STEP_NEXT;
}

static enum step_verdict save_session(struct job *job)
{
    struct act *act = work_of(job);
    enum err err = job_change_state(job, &act->change);

    if (err)
        return job_fail(job, err);
    if (act->flush && job->device->queue) {
        struct op *op = change_add(&job->change, &job->arena, OP_QUEUE_DEL);

        op->queue = (struct op_queue){.dev_eui = job->dev_eui};
    }
    return job_save(job);
}

static enum step_verdict announce(struct job *job)
{
    struct act *act = work_of(job);
    struct device *device = job->device;
    const struct session *active = session_copy(job, device->active);
    const struct session *pending = session_copy(job, device->pending);

    if (active) {
        ns_match_remove(job->worker, device, active);
        ns_attempt_forget(job->worker, active->last_attempt);
    }
    if (pending)
        ns_match_remove(job->worker, device, pending);
    device_take_over(job->worker, device, &act->change);
    if (act->flush && device->queue)
        device_flush_queue(job->worker, device);
    if (!act->session)
        return STEP_NEXT;
    ns_match_put(job->worker, device, act->session, false, job);
    return STEP_WAIT;
}

/* ---- queue ----------------------------------------------------------------------------------- */

static enum step_verdict add_item(struct job *job)
{
    struct ns_call *call = work_of(job)->call;
    struct queue_item *item = call->item;
    int64_t now = clock_utc(job->worker->worker.clock);
    struct op *op;

    if (queue_count(job->device->queue) >= QUEUE_ITEMS_MAX)
        return refuse(job, ERR_FULL, "the queue holds 1000 items already");
    if (job->worker->order <= (uint64_t)now)
        job->worker->order = (uint64_t)now;
    item->order = job->worker->order++;
    item->created_us = now;
    item->id = uuid_new(now);
    item->state = QUEUE_QUEUED;
    op = change_add(&job->change, &job->arena, OP_QUEUE_PUT);
    op->queue = (struct op_queue){.id = item->id,
                                  .dev_eui = job->dev_eui,
                                  .order = item->order,
                                  .item = queue_item_write(item, &job->arena)};
    return job_save(job);
}

static void copy_item(struct ns_call *call, const struct queue_item *item)
{
    call->items[call->item_count++] =
        arena_memdup(&call->arena, item, sizeof(*item) + item->data_n);
}

static enum step_verdict added(struct job *job)
{
    struct ns_call *call = work_of(job)->call;

    queue_insert(&job->device->queue, call->item);
    call->items = arena_array(&call->arena, struct queue_item *, 1);
    copy_item(call, call->item);
    call->item = NULL;
    return STEP_NEXT;
}

static enum step_verdict remove_items(struct job *job)
{
    struct ns_call *call = work_of(job)->call;
    struct op *op;

    if (!uuid_is_zero(&call->item_id) && !queue_find(job->device->queue, &call->item_id))
        return refuse(job, ERR_NOT_FOUND, NULL);
    op = change_add(&job->change, &job->arena, OP_QUEUE_DEL);
    op->queue = (struct op_queue){.id = call->item_id, .dev_eui = job->dev_eui};
    return job_save(job);
}

static enum step_verdict removed(struct job *job)
{
    const struct ns_call *call = work_of(job)->call;
    struct device *device = job->device;
    struct queue_item *item = queue_find(device->queue, &call->item_id);

    if (uuid_is_zero(&call->item_id)) {
        device_flush_queue(job->worker, device);
    } else if (item) {
        queue_unlink(&device->queue, item);
        free(item);
    }
    return STEP_NEXT;
}

static enum step_verdict list(struct job *job)
{
    struct ns_call *call = work_of(job)->call;

    call->items =
        arena_array(&call->arena, struct queue_item *, queue_count(job->device->queue) + 1);
    for (const struct queue_item *item = job->device->queue; item; item = item->next)
        copy_item(call, item);
    return STEP_NEXT;
}

static enum step_verdict state(struct job *job)
{
    struct ns_call *call = work_of(job)->call;
    const struct device *device = job->device;

    call->status = device->status;
    call->unreadable = device->flags & DEVICE_CORRUPT;
    call->has_session = device->active && !call->unreadable;
    call->has_pending = device->pending != NULL;
    if (call->has_session)
        (void)session_unpack(device->active, &call->session);
    else
        (void)session_unpack(device->pending, &call->session);
    return STEP_NEXT;
}

/* Reading does not wait for a store that is away, nor for a job that holds the device. */
static enum step_verdict look(struct job *job)
{
    job->device = ns_device(job->worker, job->dev_eui);
    return job->device ? STEP_NEXT : refuse(job, ERR_NOT_FOUND, NULL);
}

static enum step_verdict look_away(struct job *job)
{
    job->device = NULL;
    return STEP_NEXT;
}

/* clang-format off */
static const struct step state_steps[]      = {{"look", look}, {"state", state}, {"done", look_away}, {0}};
static const struct step list_steps[]       = {{"look", look}, {"list", list}, {"done", look_away}, {0}};
static const struct step activate_steps[]   = {{"load", load}, {"apply", activate}, {"save", save_session}, {"announce", announce}, {0}};
static const struct step deactivate_steps[] = {{"load", load}, {"apply", deactivate}, {"save", save_session}, {"announce", announce}, {0}};
static const struct step add_steps[]        = {{"load", load}, {"save", add_item}, {"apply", added}, {0}};
static const struct step remove_steps[]     = {{"load", load}, {"save", remove_items}, {"apply", removed}, {0}};

static const struct step *const steps_of[] = {
    [ACT_STATE]        = state_steps,
    [ACT_ACTIVATE]     = activate_steps,
    [ACT_DEACTIVATE]   = deactivate_steps,
    [ACT_QUEUE_LIST]   = list_steps,
    [ACT_QUEUE_ADD]    = add_steps,
    [ACT_QUEUE_REMOVE] = remove_steps,
};
/* clang-format on */

static void ended(struct job *job)
{
    struct act *act = work_of(job);

    if (job->err && !act->call->result)
        act->call->result = job->err;
    else if (job->drop && !act->call->result)
        act->call->result = job->drop == DROP_STORE_AWAY       ? ERR_AWAY
                            : job->drop == DROP_UNKNOWN_DEVICE ? ERR_NOT_FOUND
                                                               : ERR_BUSY;
    if (act->session)
        lw_session_keys_wipe(&act->session->keys);
    reply(act->call, &job->worker->worker);
}

static void call_take(struct worker *worker, struct mail *mail)
{
    struct ns_call *call = (struct ns_call *)mail;
    struct job *job = job_new(worker->owner, JOB_ACT, steps_of[call->act]);
    struct act *act = arena_new(&job->arena, struct act);

    act->call = call;
    job->dev_eui = call->dev_eui;
    job->work = act;
    job->ended = ended;
    job->change.fail_fast = true; /* the caller hears 503 at once while the store is away */
    job_run(job);
}

struct ns_call *ns_call_new(enum ns_act act, struct lw_eui dev_eui)
{
    struct ns_call *call = xcalloc(1, sizeof(*call));

    call->act = act;
    call->dev_eui = dev_eui;
    arena_init(&call->arena, ARENA_REQUEST_LIMIT);
    return call;
}

void ns_call_free(struct ns_call *call)
{
    lw_session_keys_wipe(&call->session.keys);
    free(call->item);
    arena_reset(&call->arena);
    free(call);
}

void ns_ask(struct ns *ns, struct ns_call *call)
{
    call->result = OK;
    call->mail.take = call_take;
    mail_post(&ns_home(ns, call->dev_eui)->worker, LANE_BULK, &call->mail);
}
