/*
 * tx.c - what became of a frame: the attempt is settled, its queue item goes on or ends.
 *
 * The states of an attempt only move forward (mechanics 21). A result that comes after the device's
 * ACK finds no item any more and adds its event only.
 */
#include "ns/attempt.h"
#include "ns/ns_priv.h"

#include <stdlib.h>
#include <string.h>

struct tx {
    struct tx_outcome outcome;
    struct attempt *attempt; /* copy */
    struct session *session; /* copy; NULL: it ended */
    struct device_status status;
    struct queue_item *item;    /* live */
    struct queue_item *changed; /* its copy with the new state; NULL: it ends or stays */
    bool item_ends;
    struct state_change change;
};

static struct tx *work_of(struct job *job)
{
    return job->work;
}

static enum step_verdict load(struct job *job)
{
    struct tx *tx = work_of(job);
    struct device *device = ns_device(job->worker, job->dev_eui);
    enum step_verdict verdict;
    struct attempt *live = map_get(&job->worker->attempts, tx->outcome.id);

    if (!live)
        return job_drop(job, DROP_NONE); /* handed over twice, and settled meanwhile */
    if (!device) {
        free(map_remove(&job->worker->attempts, tx->outcome.id));
        return job_drop(job, DROP_UNKNOWN_DEVICE);
    }
    verdict = job_take_device(job, device);
    if (verdict != STEP_NEXT)
        return verdict;
    tx->item_ends = false; /* nothing of a run that lost its race goes on */
    tx->changed = NULL;
    tx->attempt = arena_memdup(&job->arena, live, sizeof(*live));
    tx->status = device->status;
    if (session_is(device->active, live->session))
        tx->session = session_copy(job, device->active);
    tx->item = uuid_is_zero(&live->item_id) ? NULL : queue_find(device->queue, &live->item_id);
    if (tx->item && tx->item->attempt != live->id)
        tx->item = NULL; /* it goes by another attempt by now */
    return STEP_NEXT;
}

/* The item after this result: sent, waiting for the ACK, or once more in the queue. */
static void settle_item(struct job *job)
{
    struct tx *tx = work_of(job);
    /* A protocol that never tells a result is believed: else every frame would go out again. */
    bool ok = tx->outcome.result == TX_OK || tx->outcome.silent;
    bool unknown = !ok && tx->outcome.result == TX_UNKNOWN;
    bool again = !ok && (!unknown || (tx->item->on_uncertain == UNCERTAIN_RESEND &&
                                      tx->item->attempts < UNCERTAIN_MOST));
    struct queue_item *item;

    if (!tx->item->confirmed && !again) {
        tx->item_ends = true;
        return;
    }
    item = arena_memdup(&job->arena, tx->item, sizeof(*item) + tx->item->data_n);
    item->uncertain = unknown;
    if (item->confirmed && (ok || unknown)) {
        item->state = QUEUE_AWAITING_ACK;
    } else {
        item->state = QUEUE_QUEUED;
        item->attempt = 0;
        /* What never left is no retry. */
        if (!unknown && item->attempts)
            item->attempts--;
    }
    tx->changed = item;
}

/* A confirmed frame that never left is not waited for. */
static void forget_await(struct tx *tx)
{
    bool sent = tx->outcome.result == TX_OK || tx->outcome.result == TX_UNKNOWN;

    if (!sent && tx->session && tx->session->flags & SESSION_AWAIT_ACK &&
        uuid_equal(&tx->session->await_item, &tx->attempt->item_id) &&
        tx->session->await_fcnt == tx->attempt->fcnt_down)
        tx->session->flags &= (uint16_t)~SESSION_AWAIT_ACK;
}

static enum step_verdict settle(struct job *job)
{
    struct tx *tx = work_of(job);

    /* It left once: whatever became of the same frame for a repetition moves nothing back. */
    if (tx->attempt->flags & ATTEMPT_SETTLED && tx->outcome.result != TX_OK)
        return job_drop(job, DROP_NONE);
    tx->attempt->flags |= ATTEMPT_SETTLED;
    tx->attempt->result = (uint8_t)tx->outcome.result;
    if (tx->item)
        settle_item(job);
    forget_await(tx);
    return STEP_NEXT;
}

static enum step_verdict events(struct job *job)
{
    struct tx *tx = work_of(job);
    struct event_facts facts = device_facts(job, tx->session);
    const struct attempt *attempt = tx->attempt;

    if (tx->item_ends && tx->outcome.result != TX_OK && tx->item->on_uncertain == UNCERTAIN_FAIL)
        ns_item_event(job, tx->session, &tx->item->id, "UNCERTAIN",
                      "its transmission is uncertain and it must not be sent twice");
    if (attempt->flags & ATTEMPT_JOIN || tx->outcome.result != TX_OK)
        return STEP_NEXT;
    facts.dedup_id = session_down_id(attempt->session, attempt->fcnt_down,
                                     attempt->flags & ATTEMPT_APP_COUNTER, 0);
    facts.queue_item_id = attempt->item_id;
    facts.downlink_id = attempt->id;
    facts.fcnt_down = attempt->fcnt_down;
    facts.rung = attempt->rungs[tx->outcome.rung];
    facts.rung.eirp_dbm = tx->outcome.power_dbm;
    job_event(job, EVENT_TXACK, &facts);
    return STEP_NEXT;
}

static void save_item(struct job *job)
{
    struct tx *tx = work_of(job);
    struct op *op;

    if (tx->item_ends) {
        op = change_add(&job->change, &job->arena, OP_QUEUE_DEL);
        op->queue = (struct op_queue){.id = tx->item->id, .dev_eui = job->dev_eui};
    } else if (tx->changed) {
        op = change_add(&job->change, &job->arena, OP_QUEUE_PUT);
        op->queue = (struct op_queue){.id = tx->changed->id,
                                      .dev_eui = job->dev_eui,
                                      .order = tx->changed->order,
                                      .item = queue_item_write(tx->changed, &job->arena)};
    }
}

static enum step_verdict save(struct job *job)
{
    struct tx *tx = work_of(job);
    struct op *op;
    enum err err = OK;

    tx->change = (struct state_change){
        .active = tx->session ? tx->session : session_copy(job, job->device->active),
        .status = &tx->status};
    /* The state goes along with an event, which is chained to the device by it. */
    if (job->change.first || tx->session)
        err = job_change_state(job, &tx->change);
    if (err)
        return job_fail(job, err);
    op = change_add(&job->change, &job->arena, OP_ATTEMPT_PUT);
    op->attempt = (struct op_attempt){.id = tx->attempt->id,
                                      .dev_eui = job->dev_eui,
                                      .utc_us = tx->attempt->utc_us,
                                      .settled = true,
                                      .attempt = attempt_write(tx->attempt, &job->arena)};
    save_item(job);
    return job_save(job);
}

static bool changed_state(const struct job *job)
{
    for (const struct op *op = job->change.first; op; op = op->next) {
        if (op->kind == OP_STATE)
            return true;
    }
    return false;
}

static enum step_verdict speak(struct job *job)
{
    struct tx *tx = work_of(job);
    struct device *device = job->device;
    struct attempt *live = map_get(&job->worker->attempts, tx->outcome.id);

    if (changed_state(job))
        device_take_over(job->worker, device, &tx->change);
    if (tx->item_ends) {
        queue_unlink(&device->queue, tx->item);
        free(tx->item);
    } else if (tx->changed) {
        tx->item->state = tx->changed->state;
        tx->item->attempt = tx->changed->attempt;
        tx->item->attempts = tx->changed->attempts;
        tx->item->uncertain = tx->changed->uncertain;
    }
    /* A confirmed item that waits: a repetition is answered with the same frame (mechanics 20). */
    if (live && tx->changed && tx->changed->state == QUEUE_AWAITING_ACK && tx->change.active &&
        tx->change.active->last_attempt == live->id)
        *live = *tx->attempt;
    else
        free(map_remove(&job->worker->attempts, tx->outcome.id));
    return STEP_NEXT;
}

void ns_attempt_forget(struct ns_worker *worker, uint64_t id)
{
    const struct attempt *attempt = map_get(&worker->attempts, id);

    if (attempt && attempt->flags & ATTEMPT_SETTLED)
        free(map_remove(&worker->attempts, id));
}

/* clang-format off */
static const struct step tx_steps[] = {
    {"load",   load,   0, 0},
    {"settle", settle, 0, 0},
    {"events", events, 0, 0},
    {"save",   save,   0, 0},
    {"speak",  speak,  0, 0},
    {0},
};
/* clang-format on */

static void ended(struct job *job)
{
    struct tx *tx = work_of(job);

    if (tx->session)
        lw_session_keys_wipe(&tx->session->keys);
}

static void log_down(struct ns_worker *worker, const struct attempt *attempt,
                     const struct tx_outcome *outcome)
{
    const struct ns_ops *ops = &worker->ns->ops;
    const struct rung *rung = &attempt->rungs[outcome->rung < attempt->rung_n ? outcome->rung : 0];
    struct frame_entry entry = {.utc_us = clock_utc(worker->worker.clock),
                                .direction = LW_DOWN,
                                .gateway = rung->gateway,
                                .dev_eui = attempt->dev_eui,
                                .frequency_hz = rung->frequency_hz,
                                .airtime_us = (uint32_t)attempt_airtime_us(attempt, outcome->rung),
                                .phy = {attempt->phy, attempt->phy_n},
                                .verdict = outcome->result == TX_OK        ? "sent"
                                           : outcome->result == TX_UNKNOWN ? "unknown"
                                                                           : "refused",
                                .note = tx_result_text(outcome->result)};

    if (ops->frame && outcome->rung < attempt->rung_n)
        ops->frame(ops->ctx, &entry);
}

/* The datagram left: shown in the queue, not saved. */
static void handed_over(struct ns_worker *worker, const struct attempt *attempt)
{
    struct device *device = ns_device(worker, attempt->dev_eui);
    struct queue_item *item = device ? queue_find(device->queue, &attempt->item_id) : NULL;

    if (item && item->attempt == attempt->id && item->state == QUEUE_SCHEDULED)
        item->state = QUEUE_HANDED_OVER;
}

void tx_outcome_take(struct worker *worker, struct mail *mail)
{
    struct ns_worker *home = worker->owner;
    struct tx_outcome *outcome = (struct tx_outcome *)mail;
    struct attempt *attempt = map_get(&home->attempts, outcome->id);

    if (attempt && !outcome->final) {
        handed_over(home, attempt);
    } else if (attempt) {
        struct job *job = job_new(home, JOB_TX, tx_steps);
        struct tx *tx = arena_new(&job->arena, struct tx);

        metric_add(&ns_answers, outcome->result, 1);
        log_down(home, attempt, outcome);
        tx->outcome = *outcome;
        job->work = tx;
        job->dev_eui = outcome->dev_eui;
        job->ended = ended;
        job_run(job);
    }
    free(outcome);
}

/* ---- after a restart ------------------------------------------------------------------------- */

static void charge_all(struct ns *ns, const struct attempt *attempt)
{
    int64_t age = clock_utc(ns->options.clock) - attempt->utc_us;

    for (unsigned i = 0; ns->ops.charge && i < attempt->rung_n; i++) {
        /* Unknown: every rung may have been used; settled: the result does not say which, and a
         * ledger that is too full errs on the lawful side for one hour. */
        ns->ops.charge(ns->ops.ctx, &attempt->rungs[i], attempt_airtime_us(attempt, i), age);
    }
}

void ns_load_attempt(struct ns *ns, const struct op_attempt *op)
{
    struct attempt attempt;
    /* An attempt's number as the key of 8 octets that it is. */
    struct aside aside = {.kind = ASIDE_ATTEMPT,
                          .key = record_key_eui((struct lw_eui){op->id}),
                          .dev_eui = op->dev_eui};

    if (attempt_read(op->id, op->dev_eui, op->attempt, &attempt)) {
        aside_note(store_asides(ns->options.store), &aside);
        return;
    }
    charge_all(ns, &attempt);
}
