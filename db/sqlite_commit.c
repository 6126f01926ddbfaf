/*
 * sqlite_commit.c - committing a batch of changes.
 *
 * A batch is one transaction. State, events of known devices and attempts cannot fail for one
 * change alone (their conflicts are found in memory before anything is written), so they need no
 * savepoint. What can - records, nonces, sessions - is put under a savepoint, and its failure
 * undoes that change only.
 */
#include "core/log.h"
#include "db/change.h"
#include "db/sqlite.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- one change ------------------------------------------------------------------------------ */

/* Whether this change may fail for itself once its statements run. */
static bool needs_savepoint(const struct store *store, const struct change *change)
{
    for (const struct op *op = change->first; op; op = op->next) {
        switch (op->kind) {
        case OP_STATE:
            if (op->state.set || op->state.rev == 0)
                return true;
            break;
        case OP_EVENT:
            if (!live_get(&store->live, op->event.dev_eui.v))
                return true;
            break;
        case OP_RECORD_PUT:
        case OP_RECORD_DEL:
        case OP_NONCE_ADD:
        case OP_JOIN_STATE:
        case OP_JOIN_EUI:
        case OP_QUEUE_PUT:
        case OP_KEYS_PUT: return true;
        case OP_QUEUE_DEL:
        case OP_ATTEMPT_PUT:
        case OP_NONCE_CLEAR:
        case OP_AUDIT: break;
        }
    }
    return false;
}

/* Finds lost races in memory, before anything is written. */
static enum err check_revs(const struct store *store, const struct change *change)
{
    enum err err = change_check(change, store->loaded);

    for (const struct op *op = change->first; !err && op; op = op->next) {
        const struct live *live;

        if (op->kind != OP_STATE)
            continue;
        live = live_get(&store->live, op->state.dev_eui.v);
        err = (live ? live->rev : 0) != op->state.rev ? ERR_CONFLICT : OK;
    }
    return err;
}

/* seq: the newest row of the journal, so that none that is there now is taken for newer. */
static enum err put_state_row(struct store *store, struct op_state *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_STATE_PUT];

    op->seq = 0;
    bind_eui(stmt, 1, op->dev_eui);
    bind_u64(stmt, 2, op->rev + 1);
    bind_u64(stmt, 3, op->last_pos);
    bind_octets(stmt, 4, op->state);
    bind_blob(stmt, 5, op->active);
    bind_blob(stmt, 6, op->pending);
    (void)sqlite3_bind_int(stmt, 7, (int)op->set);
    bind_u64(stmt, 8, store->journal_next - 1);
    return sqlite_run(stmt);
}

/* Keeps the end of the chain of a device whose state does not change. */
static enum err put_position(struct store *store, const struct op_event *event)
{
    sqlite3_stmt *stmt = store->stmts[SQL_POS_PUT];

    bind_eui(stmt, 1, event->dev_eui);
    bind_u64(stmt, 2, event->pos);
    bind_u64(stmt, 3, store->journal_next - 1);
    return sqlite_run(stmt);
}

static enum err put_queue(struct store *store, const struct op_queue *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_QUEUE_PUT];

    bind_blob(stmt, 1, (struct bytes){op->id.b, sizeof(op->id.b)});
    bind_eui(stmt, 2, op->dev_eui);
    (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)op->order);
    bind_octets(stmt, 4, op->item);
    return sqlite_run(stmt);
}

static enum err delete_queue(struct store *store, const struct op_queue *op)
{
    bool all = uuid_is_zero(&op->id);
    sqlite3_stmt *stmt = store->stmts[all ? SQL_QUEUE_CLEAR : SQL_QUEUE_DEL];

    if (all)
        bind_eui(stmt, 1, op->dev_eui);
    else
        bind_blob(stmt, 1, (struct bytes){op->id.b, sizeof(op->id.b)});
    return sqlite_run(stmt);
}

static enum err put_attempt(struct store *store, const struct op_attempt *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_ATTEMPT_PUT];

    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)op->id);
    bind_eui(stmt, 2, op->dev_eui);
    (void)sqlite3_bind_int64(stmt, 3, op->utc_us);
    (void)sqlite3_bind_int(stmt, 4, op->settled);
    bind_octets(stmt, 5, op->attempt);
    return sqlite_run(stmt);
}

static enum err add_nonce(struct store *store, const struct op_nonce *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_NONCE_ADD];

    bind_eui(stmt, 1, op->dev_eui);
    bind_eui(stmt, 2, op->join_eui);
    (void)sqlite3_bind_int(stmt, 3, op->nonce);
    return sqlite_run(stmt);
}

static enum err clear_nonces(struct store *store, const struct op_nonce *op)
{
    enum err err;

    bind_eui(store->stmts[SQL_NONCE_CLEAR], 1, op->dev_eui);
    err = sqlite_run(store->stmts[SQL_NONCE_CLEAR]);
    bind_eui(store->stmts[SQL_JOIN_RESET], 1, op->dev_eui);
    return err ? err : sqlite_run(store->stmts[SQL_JOIN_RESET]);
}

static enum err put_join_state(struct store *store, const struct op_join_state *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_JOIN_PUT];
    enum err err;

    bind_eui(stmt, 1, op->dev_eui);
    (void)sqlite3_bind_int64(stmt, 2, op->join_nonce);
    (void)sqlite3_bind_int(stmt, 3, op->last_dev_nonce);
    err = sqlite_run(stmt);
    /* The WHERE of the upsert holds back a JoinNonce that does not grow. */
    return !err && sqlite3_changes(store->db) == 0 ? ERR_CONFLICT : err;
}

/* A record that names a JoinEUI by now keeps it. */
static enum err put_join_eui(struct store *store, const struct op_join_eui *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_JOIN_EUI];
    uint8_t octets[8];
    struct wr wr = wr_of(octets, sizeof(octets));
    char text[17];

    wr_u64be(&wr, op->join_eui.v);
    (void)snprintf(text, sizeof(text), "%016" PRIx64, op->join_eui.v);
    bind_eui(stmt, 1, op->dev_eui);
    bind_blob(stmt, 2, wr_bytes(&wr));
    (void)sqlite3_bind_text(stmt, 3, text, 16, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stmt, 4, op->utc_us);
    return sqlite_run(stmt);
}

static enum err put_keys(struct store *store, const struct op_keys *op)
{
    sqlite3_stmt *stmt = store->stmts[op->sealed.n ? SQL_KEYS_PUT : SQL_KEYS_DEL];

    bind_eui(stmt, 1, op->dev_eui);
    if (op->sealed.n)
        bind_blob(stmt, 2, op->sealed);
    return sqlite_run(stmt);
}

static enum err add_audit(struct store *store, const struct op_audit *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_AUDIT_ADD];

    (void)sqlite3_bind_int64(stmt, 1, op->utc_us);
    (void)sqlite3_bind_text(stmt, 2, op->json.n ? (const char *)op->json.p : "", (int)op->json.n,
                            SQLITE_STATIC);
    return sqlite_run(stmt);
}

/* The position of the device's newest event before `end` (NULL: the end of the change). */
static uint64_t newest_event(const struct store *store, const struct change *change,
                             struct lw_eui dev_eui, const struct op *end)
{
    const struct live *live = live_get(&store->live, dev_eui.v);
    uint64_t pos = live ? live->last_pos : 0;

    for (const struct op *op = change->first; op != end; op = op->next) {
        if (op_is_event_of(op, dev_eui))
            pos = op->event.pos;
    }
    return pos;
}

static enum err apply_state(struct store *store, const struct change *change, struct op_state *op)
{
    op->last_pos = newest_event(store, change, op->dev_eui, NULL);
    return op->set || op->rev == 0 ? put_state_row(store, op) : journal_append(store, op);
}

/* After the records, since a device may be made with its first state in one change. Events first:
 * the state carries the position of its device's last one. */
static enum err apply_live(struct store *store, const struct change *change)
{
    enum err err = OK;

    for (struct op *op = change->first; !err && op; op = op->next) {
        if (op->kind == OP_EVENT)
            err = outbox_append(store, &op->event,
                                newest_event(store, change, op->event.dev_eui, op));
    }
    for (struct op *op = change->first; !err && op; op = op->next) {
        if (op->kind == OP_STATE)
            err = apply_state(store, change, &op->state);
        else if (op->kind == OP_EVENT && !change_state_of(change, op->event.dev_eui))
            err = put_position(store, &op->event);
    }
    return err;
}

static enum err apply_op(struct store *store, struct op *op)
{
    switch (op->kind) {
    case OP_STATE:
    case OP_EVENT: return OK; /* apply_live */
    case OP_QUEUE_PUT: return put_queue(store, &op->queue);
    case OP_QUEUE_DEL: return delete_queue(store, &op->queue);
    case OP_ATTEMPT_PUT: return put_attempt(store, &op->attempt);
    case OP_NONCE_ADD: return add_nonce(store, &op->nonce);
    case OP_NONCE_CLEAR: return clear_nonces(store, &op->nonce);
    case OP_JOIN_STATE: return put_join_state(store, &op->join);
    case OP_JOIN_EUI: return put_join_eui(store, &op->join_eui);
    case OP_KEYS_PUT: return put_keys(store, &op->keys);
    case OP_RECORD_PUT: return record_put(store, &op->record);
    case OP_RECORD_DEL: return record_delete(store, &op->record);
    case OP_AUDIT: return add_audit(store, &op->audit);
    }
    return ERR_BAD_STATE;
}

/* What the undo of a change must put back in memory. */
struct mark {
    uint64_t outbox_next, outbox_bytes, segment_bytes, journal_next;
};

static struct mark mark_of(const struct store *store)
{
    return (struct mark){store->outbox_next, store->outbox_bytes,
                         store->segments[store->segment_count - 1].bytes, store->journal_next};
}

static void back_to(struct store *store, const struct mark *mark)
{
    store->outbox_next = mark->outbox_next;
    store->outbox_bytes = mark->outbox_bytes;
    store->segments[store->segment_count - 1].bytes = mark->segment_bytes;
    store->journal_next = mark->journal_next;
}

/* Applies one change. Its own failure goes to change->result; ERR_AWAY and the like are returned
 * and end the batch. */
static enum err apply_change(struct store *store, struct change *change)
{
    struct mark mark = mark_of(store);
    bool guarded = needs_savepoint(store, change);
    enum err err;

    change->result = check_revs(store, change);
    if (change->result)
        return OK;
    err = guarded ? sqlite_run(store->stmts[SQL_SAVEPOINT]) : OK;
    for (struct op *op = change->first; !err && op; op = op->next)
        err = apply_op(store, op);
    if (!err)
        err = apply_live(store, change);
    if (err == ERR_AWAY || err == ERR_CORRUPT || err == ERR_STORE || (err && !guarded))
        return err;
    if (err) {
        change->result = err;
        back_to(store, &mark);
        err = sqlite_run(store->stmts[SQL_UNDO]);
        if (err)
            return err;
    }
    return guarded ? sqlite_run(store->stmts[SQL_RELEASE]) : OK;
}

/* ---- a batch --------------------------------------------------------------------------------- */

static void remember_state(struct store *store, const struct op_state *op)
{
    struct live *live = live_put(&store->live, op->dev_eui.v);
    bool was_dirty = live->seq != 0;

    live->rev = (uint32_t)op->rev + 1;
    live->last_pos = op->last_pos;
    live->seq = (uint32_t)op->seq;
    if (live->seq && !was_dirty)
        journal_dirty(store, op->dev_eui.v);
    else if (!live->seq && was_dirty)
        store->dirty--;
}

/* After the commit: the memory follows. */
static void remember_change(struct store *store, const struct change *change)
{
    for (const struct op *op = change->first; op; op = op->next) {
        uint64_t eui;

        if (op_deletes_device(op, &eui)) {
            const struct live *live = live_get(&store->live, eui);

            store->dirty -= live && live->seq;
            live_remove(&store->live, eui);
        } else if (op->kind == OP_STATE) {
            remember_state(store, &op->state);
        } else if (op->kind == OP_EVENT) {
            live_put(&store->live, op->event.dev_eui.v)->last_pos = op->event.pos;
        }
    }
}

/* Whether an operation reads or changes what the memory knows of a device. */
static bool touches(const struct op *op, uint64_t *eui)
{
    if (op->kind == OP_STATE)
        *eui = op->state.dev_eui.v;
    else if (op->kind == OP_EVENT)
        *eui = op->event.dev_eui.v;
    else
        return op_deletes_device(op, eui);
    return true;
}

static void remember_batch(struct store *store, struct change **batch, size_t n)
{
    (void)pthread_mutex_lock(&store->live_lock);
    for (size_t i = 0; i < n; i++) {
        if (!batch[i]->result)
            remember_change(store, batch[i]);
        store->stats.conflicts += batch[i]->result == ERR_CONFLICT;
    }
    (void)pthread_mutex_unlock(&store->live_lock);
    atomic_store(&store->head.outbox_end, store->outbox_next);
    store->stats.commits++;
    store->stats.changes += n;
}

static enum err commit_part(struct store *store, struct change **batch, size_t n)
{
    struct mark mark = mark_of(store);
    enum err err = sqlite_run(store->stmts[SQL_BEGIN]);

    for (size_t i = 0; !err && i < n; i++)
        err = apply_change(store, batch[i]);
    if (!err)
        err = sqlite_run(store->stmts[SQL_COMMIT]);
    if (err) {
        LOG_WARN("commit_failed", log_err(err), log_str("reason", sqlite3_errmsg(store->db)));
        back_to(store, &mark);
        if (!sqlite3_get_autocommit(store->db))
            (void)sqlite_run(store->stmts[SQL_ROLLBACK]);
        store->stats.failures++;
        return err;
    }
    remember_batch(store, batch, n);
    checkpoint_poll(store, false);
    return OK;
}

/* A device may be in a transaction once: a second change of it must wait for the first to be
 * remembered. Jobs never do that (mechanics 1); a batch that does is cut there. */
enum err sqlite_commit(struct store *store, struct change **batch, size_t n, size_t *done)
{
    for (*done = 0; *done < n;) {
        size_t part = change_first_repeat(batch + *done, n - *done, touches);
        enum err err = commit_part(store, batch + *done, part);

        if (err)
            return err;
        *done += part;
    }
    return OK;
}
