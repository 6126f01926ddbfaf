/*
 * postgres_commit.c - committing a batch of changes.
 *
 * A batch is one transaction and one journey: BEGIN, all statements, COMMIT go out together. Every
 * statement that could leave a change half done raises an error, upon which the server skips the
 * rest, the COMMIT too. Then the batch is rolled back and it is found out whose fault it was:
 *   - devices whose rev moved are asked for at once; their changes have lost, the others go again;
 *   - for anything else each change goes by itself under a savepoint, and loses alone.
 *
 * When the connection is lost the outcome may be unknown (postgres_ready.c). Until it is known the
 * batch waits, and nothing is answered.
 */
#include "core/log.h"
#include "db/change.h"
#include "db/postgres.h"

#include <string.h>

#define PASSES 4 /* with ever fewer changes, before each goes by itself */

/* ---- one journey ----------------------------------------------------------------------------- */

static void on_result(void *arg, unsigned i, const PGresult *result)
{
    struct store *store = arg;
    enum err err = pg_result_err(&store->pg, result);

    if (store->failed || (err && PQresultStatus(result) == PGRES_PIPELINE_ABORTED))
        return;
    if (!err) {
        write_result(&store->sent[i], result);
        return;
    }
    store->failed = err;
    if (err == ERR_REFERENCE && store->sent[i].op && store->sent[i].op->kind == OP_RECORD_DEL)
        store->failed = ERR_IN_USE;
    memcpy(store->failed_state, store->pg.state, sizeof(store->failed_state));
}

static enum err journey_begin(struct store *store)
{
    store->sent_n = 0;
    store->failed = OK;
    store->failed_state[0] = '\0';
    return PQenterPipelineMode(store->pg.conn) ? OK : ERR_AWAY;
}

/* Waits for all that was sent. OK: the server said something to each; see store->failed. */
static enum err journey_end(struct store *store, enum err err)
{
    if (!err)
        err = pg_results(&store->pg, store->sent_n, on_result, store);
    if (store->pg.conn && !PQexitPipelineMode(store->pg.conn))
        pg_drop(&store->pg);
    if (err)
        pg_drop(&store->pg); /* there is no way back from half a pipeline */
    return err || !store->pg.conn ? ERR_AWAY : OK;
}

static bool has_events(struct change **batch, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (const struct op *op = batch[i]->first; op; op = op->next) {
            if (op->kind == OP_EVENT)
                return true;
        }
    }
    return false;
}

static enum err send_begin(struct store *store, struct change **batch, size_t n)
{
    struct pg_params mark = {0}, position = {0};
    enum err err = write_send(store, W_BEGIN, NULL, NULL, NULL);

    pg_int(&mark, store->writer);
    pg_int(&mark, (int64_t)++store->mark);
    for (size_t i = 0; i < n; i++)
        batch[i]->commit_id = store->mark;
    if (!err)
        err = write_send(store, W_MARK, &mark, NULL, NULL);
    if (err || !has_events(batch, n))
        return err;
    pg_int(&position, (int64_t)store->outbox_next);
    err = write_send(store, W_ORDER, NULL, NULL, NULL);
    return err ? err : write_send(store, W_POSITION, &position, NULL, NULL);
}

/* The transaction was sent at least in part and nothing is known of it. */
static enum err now_unknown(struct store *store)
{
    store->unknown = store->mark;
    return ERR_AWAY;
}

static enum err roll_back(struct store *store)
{
    return pg_run(&store->pg, W_ROLLBACK, NULL, NULL);
}

/* All in one journey. *failed: the server refused something; nothing is saved. */
static enum err pass(struct store *store, struct change **batch, size_t n, enum err *failed)
{
    uint64_t next = store->outbox_next;
    enum err err = journey_begin(store);

    if (!err)
        err = send_begin(store, batch, n);
    if (!err)
        err = write_changes(store, batch, n);
    if (!err)
        err = write_send(store, W_COMMIT, NULL, NULL, NULL);
    err = journey_end(store, err);
    if (err)
        return now_unknown(store);
    *failed = store->failed;
    if (!*failed)
        return OK;
    store->outbox_next = next;
    return roll_back(store);
}

/* ---- who is to blame ------------------------------------------------------------------------- */

/* A device that is not there has no rev to be compared: its first state or an event alone refers to
 * nothing. */
static enum err verdict_on(const struct op *op, const PGresult *result, int row)
{
    bool there = !PQgetisnull(result, row, 1);
    uint64_t rev = there ? (uint64_t)pg_get_int(result, row, 1) : 0;

    if (op->kind == OP_STATE && op->state.rev != rev)
        return ERR_CONFLICT;
    return there ? OK : ERR_REFERENCE;
}

static bool is_live(const struct op *op, struct lw_eui *dev_eui)
{
    if (op->kind != OP_STATE && op->kind != OP_EVENT)
        return false;
    *dev_eui = op->kind == OP_STATE ? op->state.dev_eui : op->event.dev_eui;
    return true;
}

/* Asks for the revs of all devices of a batch, in the order of its operations; gives their verdict
 * to the changes that have lost. */
static enum err find_losers(struct store *store, struct change **batch, size_t n, size_t *found)
{
    struct pg_array euis = {0};
    struct pg_params params = {0};
    struct lw_eui eui;
    PGresult *result;
    int row = 0;
    enum err err;

    *found = 0;
    pg_array_begin(&euis, PG_INT8);
    for (size_t i = 0; i < n; i++) {
        for (const struct op *op = batch[i]->first; op; op = op->next) {
            if (is_live(op, &eui))
                pg_array_int(&euis, (int64_t)eui.v);
        }
    }
    pg_array_param(&euis, &params);
    err = pg_run(&store->pg, W_REVS, &params, &result);
    pg_array_free(&euis);
    if (err)
        return err;
    for (size_t i = 0; i < n; i++) {
        enum err verdict = OK;

        for (const struct op *op = batch[i]->first; op; op = op->next) {
            if (is_live(op, &eui) && row < PQntuples(result)) {
                verdict = verdict ? verdict : verdict_on(op, result, row);
                row++;
            }
        }
        if (!batch[i]->result && verdict) {
            batch[i]->result = verdict;
            ++*found;
        }
    }
    PQclear(result);
    return OK;
}

/* ---- one by one ------------------------------------------------------------------------------ */

/* The change that just failed loses: alone, and with a verdict of its own. */
static enum err lose(struct store *store, struct change *change)
{
    enum err verdict = store->failed, err;
    bool live = strcmp(store->failed_state, STATE_LIVE) == 0;
    size_t found;

    err = pg_run(&store->pg, W_UNDO, NULL, NULL);
    if (!err && live)
        err = find_losers(store, &change, 1, &found);
    if (!err && !change->result)
        change->result = verdict;
    return err;
}

static enum err one_change(struct store *store, struct change *change)
{
    uint64_t next = store->outbox_next;
    enum err err = journey_begin(store);

    if (!err)
        err = write_send(store, W_SAVEPOINT, NULL, NULL, NULL);
    if (!err)
        err = write_changes(store, &change, 1);
    if (!err)
        err = write_send(store, W_RELEASE, NULL, NULL, NULL);
    err = journey_end(store, err);
    if (err || !store->failed)
        return err;
    store->outbox_next = next;
    return store->failed == ERR_AWAY ? ERR_AWAY : lose(store, change);
}

static enum err begin_alone(struct store *store, struct change **batch, size_t n)
{
    enum err err = journey_begin(store);

    if (!err)
        err = send_begin(store, batch, n);
    err = journey_end(store, err);
    return err || store->failed ? ERR_AWAY : OK;
}

/* Each change under a savepoint: dear, but a bad one costs the others nothing. */
static enum err each_alone(struct store *store, struct change **batch, size_t n)
{
    uint64_t next = store->outbox_next;
    enum err err = begin_alone(store, batch, n);

    for (size_t i = 0; !err && i < n; i++) {
        if (!batch[i]->result)
            err = one_change(store, batch[i]);
    }
    if (!err)
        err = pg_run(&store->pg, W_COMMIT, NULL, NULL);
    if (!err)
        return OK;
    if (!store->pg.conn)
        return now_unknown(store);
    store->outbox_next = next;
    return roll_back(store) ? now_unknown(store) : err;
}

/* ---- a batch --------------------------------------------------------------------------------- */

/* Whether an operation is about a device; one transaction has one change of a device at most, so
 * that the order of operations in it does not matter. */
static bool touches(const struct op *op, uint64_t *eui)
{
    struct lw_eui live;

    if (is_live(op, &live))
        *eui = live.v;
    else if (op->kind == OP_QUEUE_PUT || op->kind == OP_QUEUE_DEL)
        *eui = op->queue.dev_eui.v;
    else if (op->kind == OP_NONCE_ADD || op->kind == OP_NONCE_CLEAR)
        *eui = op->nonce.dev_eui.v;
    else if (op->kind == OP_JOIN_STATE)
        *eui = op->join.dev_eui.v;
    else if (op->kind == OP_JOIN_EUI)
        *eui = op->join_eui.dev_eui.v;
    else if (op->kind == OP_KEYS_PUT)
        *eui = op->keys.dev_eui.v;
    else if ((op->kind == OP_RECORD_PUT || op->kind == OP_RECORD_DEL) &&
             op->record.type == REC_DEVICE)
        *eui = (uint64_t)record_key_value(&op->record.key).i;
    else
        return false;
    return *eui != 0;
}

static void remember(struct store *store, struct change **batch, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        store->stats.conflicts += batch[i]->result == ERR_CONFLICT;
        for (const struct op *op = batch[i]->first; !batch[i]->result && op; op = op->next) {
            if (op->kind == OP_EVENT)
                pg_outbox_count(store, &op->event);
        }
    }
    atomic_store(&store->head.outbox_end, store->outbox_next);
    store->stats.commits++;
    store->stats.changes += n;
    store->told[0] = '\0';
}

static uint64_t event_count(struct change **batch, size_t n)
{
    uint64_t count = 0;

    for (size_t i = 0; i < n; i++) {
        for (const struct op *op = batch[i]->first; op; op = op->next)
            count += op->kind == OP_EVENT;
    }
    return count;
}

/* Passes with what has not lost yet. */
static enum err try_part(struct store *store, struct change **batch, size_t n)
{
    size_t found = 1;

    for (unsigned i = 0; i < PASSES && found; i++) {
        enum err failed = OK, err = pass(store, batch, n, &failed);

        if (err || !failed)
            return err;
        found = 0;
        if (failed == ERR_AWAY)
            return ERR_AWAY;
        if (strcmp(store->failed_state, STATE_LIVE) == 0) {
            err = find_losers(store, batch, n, &found);
        } else if (strcmp(store->failed_state, STATE_POSITION) == 0) {
            err = pg_outbox_open(store);
            found = 1;
        } else if (n == 1) {
            batch[0]->result = failed;
            return OK;
        }
        if (err)
            return err;
    }
    return each_alone(store, batch, n);
}

static enum err commit_part(struct store *store, struct change **batch, size_t n)
{
    enum err err = pg_outbox_cover(store, event_count(batch, n));

    for (size_t i = 0; i < n; i++)
        batch[i]->result = change_check(batch[i], store->loaded);
    if (!err)
        err = try_part(store, batch, n);
    if (err) {
        if (err == ERR_AWAY)
            postgres_tell_away(store, err);
        else
            LOG_DEBUG("commit_failed", log_err(err), log_str("reason", store->pg.reason));
        store->stats.failures++;
        for (size_t i = 0; !store->unknown && i < n; i++)
            batch[i]->commit_id = 0;
        return err;
    }
    remember(store, batch, n);
    return OK;
}

/* Those of a transaction that turned out to be saved while the batch waited. */
static enum err take_saved(struct store *store, struct change **batch, size_t n, size_t *done)
{
    size_t first = *done;

    while (store->saved && *done < n && batch[*done]->commit_id == store->saved) {
        enum err err = batch[*done]->result ? OK : write_read_back(store, batch[*done]);

        if (err)
            return err;
        ++*done;
    }
    if (*done > first)
        remember(store, batch + first, *done - first);
    return OK;
}

enum err postgres_commit(struct store *store, struct change **batch, size_t n, size_t *done)
{
    unsigned lost = 0;

    for (*done = 0; *done < n;) {
        enum err err = postgres_ready(store);
        size_t part;

        if (!err)
            err = take_saved(store, batch, n, done);
        if (!err && *done == n)
            return OK;
        part = change_first_repeat(batch + *done, n - *done, touches);
        if (!err)
            err = commit_part(store, batch + *done, part);
        if (!err) {
            *done += part;
        } else if (err != ERR_AWAY || lost++ || store->pg.conn) {
            return err; /* a connection that was lost is made anew once at once */
        }
    }
    return OK;
}
