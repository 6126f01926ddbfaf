/*
 * committer.c - gathers what waits, commits it as one, gives each change back.
 *
 * The batch is cut at 2,000 changes so that no transaction lasts longer than some 20 ms. A batch
 * that fails for a reason other than the store being away is tried again one by one, so that the
 * culprit alone fails.
 */
#include "db/committer.h"

#include "core/log.h"
#include "core/metric.h"

#include <stdlib.h>

#define BATCH_MAX      2000
#define RETRY_FIRST_US (50 * (int64_t)US_PER_MS)
#define RETRY_MOST_US  (2 * (int64_t)US_PER_S)
#define IDLE_US        (1 * (int64_t)US_PER_S)

struct committer {
    struct worker worker;
    struct store *store;
    struct commit_observer observer;
    struct mail *head, *tail; /* taken from the mailbox, not committed yet */
    size_t count;
    struct timer retry; /* while the store is away */
    struct timer idle;  /* background work when nothing is written */
    int64_t retry_us;
    atomic_size_t waiting_bytes;
    atomic_int_fast64_t away_since;
};

/* clang-format off */
static struct metric commits = {.name = "godwit_commits_total", .kind = METRIC_COUNTER, .help = "Transactions committed.", .count = 1};
static struct metric changes = {.name = "godwit_changes_total", .kind = METRIC_COUNTER, .help = "Changes committed.", .count = 1};
static struct metric commit_time = {.name = "godwit_commit_seconds", .kind = METRIC_HISTOGRAM, .help = "Duration of a transaction.", .count = 1};
static struct metric store_away = {.name = "godwit_store_away", .kind = METRIC_GAUGE, .help = "1 while the store cannot be written.", .count = 1};
/* clang-format on */

static void give_back(struct committer *committer, struct change *change)
{
    atomic_fetch_sub(&committer->waiting_bytes, change->bytes);
    change->mail.take = change->done;
    mail_post(change->reply_to, change->reply_lane, &change->mail);
}

static void tell_records(struct committer *committer, const struct change *change)
{
    for (const struct op *op = change->first; committer->observer.record && op; op = op->next) {
        if (op->kind == OP_RECORD_PUT || op->kind == OP_RECORD_DEL)
            committer->observer.record(committer->observer.ctx, op->record.type, &op->record.key,
                                       op->kind == OP_RECORD_PUT ? op->record.record : NULL);
    }
}

static bool has_records(const struct change *change)
{
    for (const struct op *op = change->first; op; op = op->next) {
        if (op->kind == OP_RECORD_PUT || op->kind == OP_RECORD_DEL || op->kind == OP_KEYS_PUT)
            return true;
    }
    return false;
}

static void set_away(struct committer *committer, bool away)
{
    int64_t since = atomic_load(&committer->away_since);

    if (away == (since != 0))
        return;
    atomic_store(&committer->away_since, away ? worker_now(&committer->worker) : 0);
    metric_set(&store_away, 0, away);
    if (away)
        LOG_ERROR("store_away",
                  log_str("consequence", "downlinks and API writes fail, uplinks wait"));
    else
        LOG_INFO("store_back",
                 log_int("awayMs", (worker_now(&committer->worker) - since) / US_PER_MS));
}

/* API writes do not wait for a store that is away: they are answered 503 at once (mechanics 16). */
static void fail_records(struct committer *committer)
{
    struct mail *mail = committer->head;

    committer->head = committer->tail = NULL;
    committer->count = 0;
    while (mail) {
        struct mail *next = mail->next;
        struct change *change = (struct change *)mail;

        mail->next = NULL;
        if (has_records(change)) {
            change->result = ERR_AWAY;
            give_back(committer, change);
        } else {
            if (committer->tail)
                committer->tail->next = mail;
            else
                committer->head = mail;
            committer->tail = mail;
            committer->count++;
        }
        mail = next;
    }
}

static size_t take_batch(struct committer *committer, struct change **batch)
{
    size_t n = 0;
    struct mail *mail = committer->head;

    for (; mail && n < BATCH_MAX; mail = mail->next)
        batch[n++] = (struct change *)mail;
    return n;
}

/* Removes the first n from the queue and answers them. */
static void answer(struct committer *committer, struct change **batch, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        committer->head = batch[i]->mail.next;
        if (!committer->head)
            committer->tail = NULL;
        committer->count--;
        if (!batch[i]->result)
            tell_records(committer, batch[i]);
        give_back(committer, batch[i]);
    }
}

/* One by one, so that only the change at fault fails. */
static enum err commit_singly(struct committer *committer, struct change **batch, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t done;
        enum err err = store_commit(committer->store, &batch[i], 1, &done);

        if (err == ERR_AWAY)
            return err;
        if (err)
            batch[i]->result = err;
        answer(committer, &batch[i], 1);
    }
    return OK;
}

static enum err commit_batch(struct committer *committer)
{
    struct change *batch[BATCH_MAX];
    size_t n = take_batch(committer, batch), done = 0;
    int64_t began = clock_mono(committer->worker.clock);
    uint64_t end = store_outbox_end(committer->store);
    enum err err = store_commit(committer->store, batch, n, &done);

    if (committer->observer.outbox && store_outbox_end(committer->store) != end)
        committer->observer.outbox(committer->observer.ctx, store_outbox_end(committer->store));
    metric_add(&commits, 0, 1);
    metric_add(&changes, 0, done);
    metric_observe(&commit_time, 0, clock_mono(committer->worker.clock) - began);
    answer(committer, batch, done);
    return err && err != ERR_AWAY ? commit_singly(committer, batch + done, n - done) : err;
}

static void housekeep(struct committer *committer)
{
    bool more = false;
    enum err err = store_housekeep(committer->store, &more);

    if (err)
        LOG_WARN("housekeeping_failed", log_err(err));
    timer_set(&committer->worker.timers, &committer->idle,
              worker_now(&committer->worker) + (more ? 0 : IDLE_US));
}

static void flush(struct worker *worker)
{
    struct committer *committer = worker->owner;

    while (committer->head && !timer_is_set(&committer->retry)) {
        enum err err = commit_batch(committer);

        set_away(committer, err == ERR_AWAY);
        if (err == ERR_AWAY) {
            fail_records(committer);
            timer_set(&worker->timers, &committer->retry, worker_now(worker) + committer->retry_us);
            committer->retry_us =
                committer->retry_us * 2 < RETRY_MOST_US ? committer->retry_us * 2 : RETRY_MOST_US;
        } else {
            committer->retry_us = RETRY_FIRST_US;
        }
    }
}

static void retry_fire(struct timer *timer)
{
    (void)timer; /* flush follows and tries again */
}

static void idle_fire(struct timer *timer)
{
    struct committer *committer =
        (struct committer *)((char *)timer - offsetof(struct committer, idle));

    housekeep(committer);
}

static void take(struct worker *worker, struct mail *mail)
{
    struct committer *committer = worker->owner;
    struct change *change = (struct change *)mail;

    if (timer_is_set(&committer->retry) && has_records(change)) {
        change->result = ERR_AWAY;
        give_back(committer, change);
        return;
    }
    if (committer->tail)
        committer->tail->next = mail;
    else
        committer->head = mail;
    committer->tail = mail;
    committer->count++;
}

struct committer *committer_new(struct store *store, struct clock *clock,
                                const struct commit_observer *observer)
{
    struct committer *committer = xcalloc(1, sizeof(*committer));

    metric_register(&commits);
    metric_register(&changes);
    metric_register(&commit_time);
    metric_register(&store_away);
    worker_init(&committer->worker, "committer", clock, committer);
    committer->worker.flush = flush;
    committer->store = store;
    if (observer)
        committer->observer = *observer;
    committer->retry.fire = retry_fire;
    committer->idle.fire = idle_fire;
    committer->retry_us = RETRY_FIRST_US;
    timer_set(&committer->worker.timers, &committer->idle,
              worker_now(&committer->worker) + IDLE_US);
    return committer;
}

void committer_free(struct committer *committer)
{
    worker_fini(&committer->worker);
    free(committer);
}

struct worker *committer_worker(struct committer *committer)
{
    return &committer->worker;
}

void committer_submit(struct committer *committer, struct change *change)
{
    change->mail.take = take;
    change->result = OK;
    atomic_fetch_add(&committer->waiting_bytes, change->bytes);
    mail_post(&committer->worker, LANE_RADIO, &change->mail);
}

size_t committer_waiting_bytes(const struct committer *committer)
{
    return atomic_load(&committer->waiting_bytes);
}

int64_t committer_away_since(const struct committer *committer)
{
    return atomic_load(&committer->away_since);
}
