/*
 * committer.c - gathers what waits, commits it as one, gives each change back.
 *
 * The batch is cut by the work in it so that no transaction lasts longer than some 20 ms. A batch
 * that fails for a reason other than the store being away is halved until the culprit stands alone
 * and fails for itself.
 */
#include "db/committer.h"

#include "core/log.h"
#include "core/metric.h"

#include <stdlib.h>

#define BATCH_MAX      2000
#define WORK_MAX       4000 /* in some 5 us each */
#define BATCH_BYTES    ((size_t)4 * 1024 * 1024)
#define RECORD_BYTES   1024u /* a guess */
#define RETRY_FIRST_US (50 * (int64_t)US_PER_MS)
#define RETRY_MOST_US  (2 * (int64_t)US_PER_S)
#define PACE_US        2000 /* a commit costs some 300 us whatever is in it */
#define IDLE_US        (1 * (int64_t)US_PER_S)

struct committer {
    struct worker worker;
    struct store *store;
    struct commit_observer observer;
    struct mail *head, *tail; /* taken from the mailbox, not committed yet */
    size_t count;
    struct timer retry; /* while the store is away */
    struct timer idle;  /* background work when nothing is written */
    bool idle_due;      /* a slice of it, after the messages of this step */
    int64_t retry_us;
    atomic_size_t waiting_bytes;
    atomic_int_fast64_t away_since;
    atomic_int_fast64_t oldest_us; /* when what is being written came; 0: nothing */
    int64_t back_us;               /* when the store came back last */
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

/* API writes do not wait for a store that is away: they are answered 503 at once (mechanics 16),
 * unless they may have been saved: that must be known first (mechanics 4). */
static bool fails_fast(const struct change *change)
{
    if (change->commit_id)
        return false;
    if (change->fail_fast)
        return true;
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
    committer->back_us = worker_now(&committer->worker);
    metric_set(&store_away, 0, away);
    if (away)
        LOG_ERROR("store_away",
                  log_str("consequence", "downlinks and API writes fail, uplinks wait"));
    else
        LOG_INFO("store_back",
                 log_int("awayMs", (worker_now(&committer->worker) - since) / US_PER_MS));
}

static void fail_waiting(struct committer *committer)
{
    struct mail *mail = committer->head;

    committer->head = committer->tail = NULL;
    committer->count = 0;
    while (mail) {
        struct mail *next = mail->next;
        struct change *change = (struct change *)mail;

        mail->next = NULL;
        if (fails_fast(change)) {
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

/* Records and keys move pages all over the file; the rest is mostly appended. */
static unsigned work_of(const struct change *change)
{
    unsigned work = 0;

    for (const struct op *op = change->first; op; op = op->next) {
        switch (op->kind) {
        case OP_RECORD_PUT:
        case OP_RECORD_DEL: work += 20; break;
        case OP_KEYS_PUT:
        case OP_NONCE_ADD:
        case OP_JOIN_STATE:
        case OP_JOIN_EUI:
        case OP_QUEUE_PUT:
        case OP_QUEUE_DEL: work += 4; break;
        case OP_STATE: work += op->state.set ? 4 : 1; break;
        case OP_NONCE_CLEAR:
        case OP_EVENT:
        case OP_ATTEMPT_PUT:
        case OP_AUDIT: work++; break;
        }
    }
    return work;
}

static size_t take_batch(struct committer *committer, struct change **batch)
{
    size_t n = 0, bytes = 0;
    unsigned work = 0;

    for (struct mail *mail = committer->head; mail && n < BATCH_MAX; mail = mail->next) {
        struct change *change = (struct change *)mail;

        work += work_of(change);
        bytes += change->bytes;
        if (n && (work > WORK_MAX || bytes > BATCH_BYTES))
            break;
        batch[n++] = change;
    }
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

/* One attempt. What was saved is told to the observer and answered. */
static enum err commit_once(struct committer *committer, struct change **batch, size_t n,
                            size_t *done)
{
    int64_t began = clock_mono(committer->worker.clock);
    uint64_t end = store_outbox_end(committer->store);
    enum err err = store_commit(committer->store, batch, n, done);

    if (committer->observer.outbox && store_outbox_end(committer->store) != end)
        committer->observer.outbox(committer->observer.ctx, store_outbox_end(committer->store));
    metric_add(&commits, 0, 1);
    metric_add(&changes, 0, *done);
    metric_observe(&commit_time, 0, clock_mono(committer->worker.clock) - began);
    answer(committer, batch, *done);
    return err;
}

/* Halves what fails until the one at fault is found; only it fails. ERR_AWAY ends it: what is left
 * waits. The depth is the logarithm of a batch. */
static enum err commit_parts(struct committer *committer, struct change **batch, size_t n)
{
    size_t done = 0, half;
    enum err err = commit_once(committer, batch, n, &done);

    batch += done;
    n -= done;
    if (!err || err == ERR_AWAY)
        return err;
    if (n <= 1) {
        if (n) {
            batch[0]->result = err;
            answer(committer, batch, 1);
        }
        return OK;
    }
    half = n / 2;
    err = commit_parts(committer, batch, half);
    return err ? err : commit_parts(committer, batch + half, n - half);
}

static enum err commit_batch(struct committer *committer)
{
    struct change *batch[BATCH_MAX];
    size_t n = take_batch(committer, batch);
    int64_t oldest = batch[0]->submitted_us;

    if (!committer_away_since(committer))
        atomic_store_explicit(&committer->oldest_us,
                              oldest > committer->back_us ? oldest : committer->back_us,
                              memory_order_relaxed);
    return commit_parts(committer, batch, n);
}

static void housekeep(struct committer *committer)
{
    bool more = false;
    enum err err = store_housekeep(committer->store, &more);

    /* A store may go away while nothing is written; a probe finds it again. */
    if (!timer_is_set(&committer->retry)) {
        set_away(committer, err == ERR_AWAY);
        if (err == ERR_AWAY)
            timer_set(&committer->worker.timers, &committer->retry,
                      worker_now(&committer->worker) + committer->retry_us);
    }
    if (err && err != ERR_AWAY)
        LOG_WARN("housekeeping_failed", log_err(err));
    timer_set(&committer->worker.timers, &committer->idle,
              worker_now(&committer->worker) + (more ? 1 : IDLE_US));
}

/* While the store is away API writes are refused and nothing of theirs waits to be tried again: so
 * a row is written that nobody reads, a settled attempt of long ago, which housekeeping takes. */
static enum err probe(struct committer *committer)
{
    static const uint8_t nothing[1];
    struct op op = {.kind = OP_ATTEMPT_PUT,
                    .attempt = {.settled = true, .attempt = {nothing, sizeof(nothing)}}};
    struct change change = {.first = &op, .last = &op}, *batch[] = {&change};
    size_t done = 0;

    return store_commit(committer->store, batch, 1, &done);
}

static void write_waiting(struct committer *committer)
{
    struct worker *worker = &committer->worker;

    while ((committer->head || committer_away_since(committer)) &&
           !timer_is_set(&committer->retry)) {
        enum err err = committer->head ? commit_batch(committer) : probe(committer);

        set_away(committer, err == ERR_AWAY);
        if (err == ERR_AWAY) {
            fail_waiting(committer);
            timer_set(&worker->timers, &committer->retry, worker_now(worker) + committer->retry_us);
            committer->retry_us =
                committer->retry_us * 2 < RETRY_MOST_US ? committer->retry_us * 2 : RETRY_MOST_US;
        } else {
            committer->retry_us = RETRY_FIRST_US;
        }
    }
}

static void flush(struct worker *worker)
{
    struct committer *committer = worker->owner;

    write_waiting(committer);
    /* Timers fire among the messages of a step: a slice for each few of them would hold up what the
     * step gathers. So there is one a step, behind what waited. */
    if (committer->idle_due) {
        committer->idle_due = false;
        housekeep(committer);
    }
    if (!committer->head || committer_away_since(committer))
        atomic_store_explicit(&committer->oldest_us, 0, memory_order_relaxed);
}

static void retry_fire(struct timer *timer)
{
    (void)timer; /* flush follows and tries again */
}

static void idle_fire(struct timer *timer)
{
    struct committer *committer =
        (struct committer *)((char *)timer - offsetof(struct committer, idle));

    committer->idle_due = true;
}

static void take(struct worker *worker, struct mail *mail)
{
    struct committer *committer = worker->owner;
    struct change *change = (struct change *)mail;

    if (timer_is_set(&committer->retry) && fails_fast(change)) {
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
    committer->worker.pace_us = PACE_US;
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

static size_t size_of(const struct change *change)
{
    size_t n = sizeof(*change);

    for (const struct op *op = change->first; op; op = op->next) {
        n += sizeof(*op);
        switch (op->kind) {
        case OP_STATE: n += op->state.state.n + op->state.active.n + op->state.pending.n; break;
        case OP_EVENT: n += op->event.facts.n; break;
        case OP_QUEUE_PUT: n += op->queue.item.n; break;
        case OP_ATTEMPT_PUT: n += op->attempt.attempt.n; break;
        case OP_KEYS_PUT: n += op->keys.sealed.n; break;
        case OP_RECORD_PUT: n += RECORD_BYTES; break;
        case OP_AUDIT: n += op->audit.json.n; break;
        case OP_QUEUE_DEL:
        case OP_NONCE_ADD:
        case OP_NONCE_CLEAR:
        case OP_JOIN_STATE:
        case OP_JOIN_EUI:
        case OP_RECORD_DEL: break;
        }
    }
    return n;
}

void committer_submit(struct committer *committer, struct change *change)
{
    change->bytes = size_of(change);
    change->submitted_us = clock_mono(committer->worker.clock);
    change->mail.take = take;
    change->result = OK;
    change->commit_id = 0;
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

int64_t committer_lag_us(const struct committer *committer, int64_t now_us)
{
    int64_t oldest = atomic_load_explicit(&committer->oldest_us, memory_order_relaxed);

    return oldest && oldest < now_us ? now_us - oldest : 0;
}
