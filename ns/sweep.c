/*
 * sweep.c - queue items that come to their end unsent: with the device's next answer, or by
 * themselves when they expire.
 *
 *   load   the device
 *   sweep  what is over leaves the queue, with an event of its own, in one change
 *   apply  the live queue follows
 *
 * A worker looks at its heap of expiries when the first is due. Items are removed under the device
 * like all that changes it, and only after the commit, so nothing is told that a crash takes back.
 */
#include "ns/ns_priv.h"

#include <stdlib.h>

/* How many devices at once, and how long a pause then: a million that expire in the same second
 * must not keep frames waiting. The pause is the precision of an expiry, too. */
#define SWEEP_DEVICES 1000
#define SWEEP_PAUSE   (100 * (int64_t)US_PER_MS)
/* The clock of the day may be set: it is looked at again after this long. */
#define SWEEP_LOOK (60 * (int64_t)US_PER_S)

/* ---- what is over ---------------------------------------------------------------------------- */

static bool is_awaited(const struct queue_item *item, const struct session *session)
{
    return session && session->flags & SESSION_AWAIT_ACK &&
           uuid_equal(&session->await_item, &item->id);
}

void ns_review_queue(struct device *device, const struct session *session)
{
    for (struct queue_item *item = device->queue; item; item = item->next) {
        uint32_t next = 0;

        if (item->state == QUEUE_AWAITING_ACK && !is_awaited(item, session)) {
            item->state = QUEUE_QUEUED;
            item->attempt = 0;
        }
        if (session) /* the counter that an item of it takes */
            next = session->flags & SESSION_1_1 ? session->a_fcnt_down : session->n_fcnt_down;
        item->refused = item->is_encrypted && item->has_fcnt &&
                        (item->fcnt_down < next || item->fcnt_down == UINT32_MAX);
    }
}

static const char *end_code(const struct queue_item *item, const char **why)
{
    if (item->refused) {
        *why = "the counter under which it was encrypted is used already";
        return "F_CNT_DOWN";
    }
    if (item->uncertain) {
        *why = "its transmission is uncertain and it must not be sent twice";
        return "UNCERTAIN";
    }
    *why = "the queue item expired before it could be sent";
    return "EXPIRED";
}

unsigned ns_sweep_queue(struct job *job, const struct session *session, int64_t utc_us)
{
    unsigned over = 0;

    for (const struct queue_item *item = job->device->queue; item; item = item->next) {
        const char *code, *why;
        struct op *op;

        if (!queue_is_over(item, utc_us))
            continue;
        code = end_code(item, &why);
        op = change_add(&job->change, &job->arena, OP_QUEUE_DEL);
        op->queue = (struct op_queue){.id = item->id, .dev_eui = job->dev_eui};
        ns_item_event(job, session, &item->id, code, why);
        over++;
    }
    return over;
}

void ns_queue_swept(struct device *device, int64_t utc_us)
{
    struct queue_item *next;

    for (struct queue_item *item = device->queue; item; item = next) {
        next = item->next;
        if (!queue_is_over(item, utc_us))
            continue;
        queue_unlink(&device->queue, item);
        free(item);
    }
}

/* ---- by themselves --------------------------------------------------------------------------- */

struct sweep {
    int64_t utc_us;
    struct session *session; /* the active one, or NULL */
};

static enum step_verdict load(struct job *job)
{
    struct device *device = ns_device(job->worker, job->dev_eui);

    return device ? job_take_device(job, device) : job_drop(job, DROP_NONE);
}

static enum step_verdict sweep(struct job *job)
{
    struct sweep *work = job->work;

    work->utc_us = clock_utc(job->worker->worker.clock);
    work->session = session_copy(job, job->device->active);
    ns_review_queue(job->device, work->session);
    if (!ns_sweep_queue(job, work->session, work->utc_us))
        return job_drop(job, DROP_NONE); /* it was sent meanwhile */
    return job_save(job);
}

static enum step_verdict apply(struct job *job)
{
    ns_queue_swept(job->device, ((const struct sweep *)job->work)->utc_us);
    return STEP_NEXT;
}

/* clang-format off */
static const struct step sweep_steps[] = {
    {"load",  load,  0, 0},
    {"sweep", sweep, 0, 0},
    {"apply", apply, 0, 0},
    {0},
};
/* clang-format on */

static void ended(struct job *job)
{
    struct sweep *work = job->work;

    if (work->session)
        lw_session_keys_wipe(&work->session->keys);
}

static void sweep_start(struct ns_worker *worker, struct lw_eui dev_eui)
{
    struct job *job = job_new(worker, JOB_SWEEP, sweep_steps);

    job->dev_eui = dev_eui;
    job->work = arena_new(&job->arena, struct sweep);
    job->ended = ended;
    job_run(job);
}

/* ---- when ------------------------------------------------------------------------------------ */

static void set_timer(struct ns_worker *worker)
{
    int64_t next = expiries_next(&worker->expiries), now = worker_now(&worker->worker), wait;

    if (!next) {
        timer_cancel(&worker->worker.timers, &worker->sweep_timer);
        return;
    }
    wait = next - clock_utc(worker->worker.clock);
    wait = wait > SWEEP_LOOK ? SWEEP_LOOK : wait;
    if (now + wait < worker->swept_us + SWEEP_PAUSE)
        wait = worker->swept_us + SWEEP_PAUSE - now;
    timer_set(&worker->worker.timers, &worker->sweep_timer, now + wait);
}

static void due(struct timer *timer)
{
    struct ns_worker *worker =
        (struct ns_worker *)((char *)timer - offsetof(struct ns_worker, sweep_timer));
    int64_t utc_us = clock_utc(worker->worker.clock);
    struct lw_eui dev_eui;

    worker->swept_us = worker_now(&worker->worker);
    for (int i = 0; i < SWEEP_DEVICES && expiries_take(&worker->expiries, utc_us, &dev_eui); i++)
        sweep_start(worker, dev_eui);
    set_timer(worker);
}

/* Whether it waits for its ACK: looked up for such items only, as the session must be unpacked. */
static bool device_awaits(const struct device *device, const struct queue_item *item)
{
    struct session session;
    bool awaits = session_unpack(device->active, &session) && is_awaited(item, &session);

    lw_session_keys_wipe(&session.keys);
    return awaits;
}

/* An item under way or awaited ends otherwise. */
static int64_t next_expiry(const struct device *device)
{
    int64_t next = 0;

    for (const struct queue_item *item = device->queue; item; item = item->next) {
        if (!item->expires_us || (next && item->expires_us >= next))
            continue;
        if (item->state == QUEUE_QUEUED || item->state == QUEUE_TOO_LONG ||
            (item->state == QUEUE_AWAITING_ACK && !device_awaits(device, item)))
            next = item->expires_us;
    }
    return next;
}

void ns_sweep_arm(struct ns_worker *worker, const struct device *device)
{
    if (!device->queue && !worker->expiries.count)
        return;
    expiries_set(&worker->expiries, device->dev_eui, next_expiry(device));
    set_timer(worker);
}

void ns_sweep_disarm(struct ns_worker *worker, const struct device *device)
{
    expiries_set(&worker->expiries, device->dev_eui, 0);
}

void ns_sweep_init(struct ns_worker *worker)
{
    expiries_init(&worker->expiries);
    worker->sweep_timer.fire = due;
}
