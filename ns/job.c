/*
 * job.c - running jobs: steps, waiting, the device's one place, saving.
 *
 * A job that waits is in the hands of exactly one other: the committer, the device's list, a timer
 * or whoever will resume it. It is never touched before it comes back.
 */
#include "ns/job.h"

#include "core/log.h"
#include "ns/ns_priv.h"

#define RERUNS_MAX 2

/* All jobs are chained, so that those that are parked somewhere can be freed at the end. */
static void chain(struct ns *ns, struct job *job)
{
    (void)pthread_mutex_lock(&ns->jobs_lock);
    job->after = ns->jobs;
    if (job->after)
        job->after->before = job;
    ns->jobs = job;
    (void)pthread_mutex_unlock(&ns->jobs_lock);
}

static void unchain(struct ns *ns, struct job *job)
{
    (void)pthread_mutex_lock(&ns->jobs_lock);
    if (job->before)
        job->before->after = job->after;
    else
        ns->jobs = job->after;
    if (job->after)
        job->after->before = job->before;
    (void)pthread_mutex_unlock(&ns->jobs_lock);
}

struct job *job_new(struct ns_worker *worker, enum job_kind kind, const struct step *steps)
{
    struct arena arena;
    struct job *job;

    arena_init(&arena, ARENA_JOB_LIMIT);
    job = arena_new(&arena, struct job);
    job->arena = arena;
    job->worker = worker;
    job->kind = kind;
    job->steps = steps;
    chain(worker->ns, job);
    return job;
}

enum step_verdict job_drop(struct job *job, enum drop drop)
{
    job->drop = drop;
    return STEP_STOP;
}

enum step_verdict job_fail(struct job *job, enum err err)
{
    job->err = err;
    return STEP_FAIL;
}

static enum drop drop_of_err(enum err err)
{
    switch (err) {
    case ERR_CONFLICT: return DROP_CONFLICT;
    case ERR_AWAY: return DROP_STORE_AWAY;
    case ERR_CORRUPT:
    case ERR_CRYPTO: return DROP_CORRUPT;
    default: return DROP_INTERNAL_ERROR;
    }
}

static void job_end(struct job *job)
{
    struct arena arena;

    if (job->drop != DROP_NONE) {
        metric_add(&ns_drops, job->drop, 1);
        LOG_DEBUG("job_stopped", log_eui("devEui", job->dev_eui.v),
                  log_str("step", job->steps[job->at].name),
                  log_str("reason", drop_label(job->drop)));
    }
    if (job->ended)
        job->ended(job);
    job_give_device(job);
    unchain(job->worker->ns, job);
    arena = job->arena; /* the job lies in its own arena */
    arena_reset(&arena);
}

void job_free_all(struct ns *ns)
{
    while (ns->jobs) {
        struct job *job = ns->jobs;
        struct arena arena;

        ns->jobs = job->after;
        /* A device that was deleted is in no map any more: the job that holds it frees it. */
        if (job->flags & JOB_HOLDS_DEVICE && job->device->flags & DEVICE_GONE)
            device_free(job->worker, job->device);
        job->drop = DROP_NONE;
        if (job->ended && job->kind != JOB_ACT)
            job->ended(job);
        arena = job->arena;
        arena_reset(&arena);
    }
}

/* An error becomes a verdict here, and is logged here, once. */
static void job_failed(struct job *job)
{
    job->drop = drop_of_err(job->err);
    if (job->drop == DROP_INTERNAL_ERROR)
        metric_add(&ns_internal_errors, 0, 1);
    LOG_ERROR("job_failed", log_eui("devEui", job->dev_eui.v),
              log_str("step", job->steps[job->at].name), log_err(job->err));
    job_end(job);
}

static bool step_applies(const struct step *step, unsigned flags)
{
    return !(step->skip_if & flags) && (step->only_if & flags) == step->only_if;
}

void job_run(struct job *job)
{
    while (job->steps[job->at].name) {
        const struct step *step = &job->steps[job->at];
        enum step_verdict verdict = step_applies(step, job->flags) ? step->run(job) : STEP_NEXT;

        switch (verdict) {
        case STEP_NEXT: job->at++; break;
        case STEP_WAIT: return;
        case STEP_STOP: job_end(job); return;
        case STEP_FAIL: job_failed(job); return;
        }
    }
    job_end(job);
}

void job_resume(struct job *job)
{
    job->at++;
    job_run(job);
}

void job_stop(struct job *job, enum drop drop)
{
    job->drop = drop;
    job_end(job);
}

/* ---- moving ---------------------------------------------------------------------------------- */

static void arrived(struct worker *worker, struct mail *mail)
{
    struct job *job = (struct job *)mail;

    job->worker = worker->owner;
    job_resume(job);
}

enum step_verdict job_move(struct job *job, struct ns_worker *to)
{
    if (to == job->worker)
        return STEP_NEXT;
    job->mail.take = arrived;
    mail_post(&to->worker, LANE_RADIO, &job->mail);
    return STEP_WAIT;
}

/* ---- the device ------------------------------------------------------------------------------ */

enum step_verdict job_take_device(struct job *job, struct device *device)
{
    struct job **last = &device->waiting;

    if (job->flags & JOB_HOLDS_DEVICE && job->device == device)
        return STEP_NEXT;
    job_give_device(job); /* it was given a device that is deleted and made anew by now */
    if (!(device->flags & DEVICE_BUSY)) {
        device->flags |= DEVICE_BUSY;
        job->device = device;
        job->flags |= JOB_HOLDS_DEVICE;
        return STEP_NEXT;
    }
    /* What became of a frame is never thrown away: its item would hang for ever. */
    if (device->waiting_count >= DEVICE_WAITING_MAX && job->kind != JOB_TX)
        return job_drop(job, DROP_DEVICE_BUSY);
    while (*last)
        last = &(*last)->next;
    *last = job;
    job->next = NULL;
    device->waiting_count++;
    return STEP_WAIT;
}

/* Run by mail, so that a long chain of waiting jobs does not grow the stack. */
static void device_is_yours(struct worker *worker, struct mail *mail)
{
    (void)worker;
    job_run((struct job *)mail);
}

/* The device passes from hand to hand: a newcomer does not overtake, and a job that ends without
 * having looked at it gives it on as well. */
static void hand_over(struct device *device, struct job *next)
{
    device->waiting = next->next;
    device->waiting_count--;
    next->device = device;
    next->flags |= JOB_HOLDS_DEVICE;
    next->mail.take = device_is_yours;
    mail_post(&next->worker->worker, LANE_RADIO, &next->mail);
}

void job_give_device(struct job *job)
{
    struct device *device = job->device;

    if (!(job->flags & JOB_HOLDS_DEVICE))
        return;
    job->flags &= ~(unsigned)JOB_HOLDS_DEVICE;
    job->device = NULL;
    if (device->waiting) {
        hand_over(device, device->waiting);
        return;
    }
    device->flags &= (uint8_t)~DEVICE_BUSY;
    if (device->flags & DEVICE_GONE)
        device_free(job->worker, device);
    else
        ns_sweep_arm(job->worker, device);
}

/* ---- saving ---------------------------------------------------------------------------------- */

static void rerun(struct job *job)
{
    if (job->reruns++ >= RERUNS_MAX) {
        job_stop(job, DROP_CONFLICT);
        return;
    }
    job_give_device(job);
    job->change = (struct change){.fail_fast = job->change.fail_fast};
    job->flags = 0;
    job->at = job->restart_at;
    job_run(job);
}

static void saved(struct worker *worker, struct mail *mail)
{
    struct job *job = (struct job *)((char *)mail - offsetof(struct job, change.mail));

    (void)worker;
    if (job->change.result == OK) {
        job_resume(job);
    } else if (job->change.result == ERR_CONFLICT || job->change.result == ERR_EXISTS) {
        rerun(job);
    } else if (job->change.result == ERR_REFERENCE && job->flags & JOB_HOLDS_DEVICE &&
               job->device->flags & DEVICE_GONE) {
        job_stop(job, DROP_UNKNOWN_DEVICE); /* deleted meanwhile: nobody's fault */
    } else {
        job->err = job->change.result;
        job_failed(job);
    }
}

enum step_verdict job_save(struct job *job)
{
    struct ns *ns = job->worker->ns;

    if (!job->change.first)
        return STEP_NEXT;
    if (committer_waiting_bytes(ns->options.committer) > COMMITTER_BYTES_MAX)
        return job_drop(job, DROP_STORE_AWAY);
    job->change.reply_to = &job->worker->worker;
    job->change.reply_lane = LANE_RADIO;
    job->change.done = saved;
    job->change.owner = job;
    committer_submit(ns->options.committer, &job->change);
    return STEP_WAIT;
}

/* ---- time ------------------------------------------------------------------------------------ */

static void woken(struct timer *timer)
{
    job_resume((struct job *)((char *)timer - offsetof(struct job, timer)));
}

enum step_verdict job_sleep(struct job *job, int64_t until_us)
{
    if (until_us <= worker_now(&job->worker->worker))
        return STEP_NEXT;
    job->timer.fire = woken;
    timer_set(&job->worker->worker.timers, &job->timer, until_us);
    return STEP_WAIT;
}
