/*
 * engine_sqlite.c - opening the store, and committing a batch of changes.
 *
 * A batch is one transaction. State, events, queue and attempts cannot fail for one change alone
 * (their conflicts are found in memory before anything is written), so they need no savepoint. What
 * can - records, nonces - is put under a savepoint, and its failure undoes that change only.
 */
#include "core/log.h"
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUSEKEEP_US     (1 * (int64_t)US_PER_S)
#define ATTEMPTS_KEPT_US (2 * 3600 * (int64_t)US_PER_S)

/* ---- opening --------------------------------------------------------------------------------- */

static const char *file_of(const struct store_options *options, struct arena *arena)
{
    const char *path = options->url;

    if (strncmp(path, "sqlite:", 7) != 0)
        return NULL;
    path += 7;
    return *path == '/' ? arena_strdup(arena, path)
                        : arena_printf(arena, "%s/%s", options->data_dir, path);
}

/* Takes an exclusive lock that the kernel frees when the process ends, however it ends. */
static enum err take_lock(const char *file, int *fd, struct arena *arena, const char **why)
{
    *fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0) {
        *why = arena_printf(arena, "%s: %s", file, strerror(errno));
        return ERR_IO;
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return OK;
    *why = arena_printf(arena, "%s is held: another godwit uses this store", file);
    (void)close(*fd);
    *fd = -1;
    return ERR_BUSY;
}

static enum err take_locks(struct store *store, struct arena *arena, const char **why)
{
    enum err err = take_lock(arena_printf(arena, "%s/godwit.lock", store->options.data_dir),
                             &store->lock_fds[0], arena, why);

    return err ? err
               : take_lock(arena_printf(arena, "%s.lock", store->file), &store->lock_fds[1], arena,
                           why);
}

static enum err prepare_all(struct store *store)
{
    static const char *const texts[SQL_COUNT] = {
#define X(name, text) [name] = (text),
        SQL_TABLE(X)
#undef X
    };
    enum err err = OK;

    for (size_t i = 0; !err && i < SQL_COUNT; i++)
        err = sqlite_err(sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                            &store->stmts[i], NULL));
    return err;
}

static enum err open_database(struct store *store, struct arena *arena, const char **why)
{
    enum err err = sqlite_connect(store->file, true, &store->db);

    if (err) {
        *why = arena_printf(arena, "%s: cannot be opened as a SQLite database", store->file);
        return err;
    }
    err = sqlite_migrate(store->db, store->file, arena, why);
    if (err)
        return err;
    err = sqlite_check_key(store->db, &store->secret);
    if (err == ERR_CRYPTO) {
        *why = arena_printf(arena, "%s was written under another master key", store->file);
        return err;
    }
    if (!err)
        err = prepare_all(store);
    if (!err)
        err = outbox_open(store);
    if (err)
        *why = arena_printf(arena, "%s: %s", store->file, sqlite3_errmsg(store->db));
    return err;
}

enum err store_open(const struct store_options *options, struct arena *arena, struct store **out,
                    const char **why)
{
    const char *file = file_of(options, arena), *reason = NULL;
    struct store *store;
    enum err err;

    if (!file) {
        *why = "database.url must be sqlite:FILE in this version";
        return ERR_UNSUPPORTED;
    }
    store = xcalloc(1, sizeof(*store));
    store->options = *options;
    store->options.data_dir = xstrdup(options->data_dir);
    store->file = xstrdup(file);
    store->lock_fds[0] = store->lock_fds[1] = -1;
    store->journal_next = 1;
    secret_init(&store->secret, options->master_key);
    err = take_locks(store, arena, &reason);
    if (!err)
        err = open_database(store, arena, &reason);
    if (err) {
        store_close(store);
        if (why)
            *why = reason;
        return err;
    }
    *out = store;
    return OK;
}

void store_close(struct store *store)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        (void)sqlite3_finalize(store->stmts[i]);
    for (size_t i = 0; i < REC_TYPE_COUNT; i++) {
        for (size_t k = 0; k < 3; k++)
            (void)sqlite3_finalize(store->record_stmts[i][k]);
    }
    outbox_close(store);
    if (store->db)
        (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_close_v2(store->db);
    for (size_t i = 0; i < 2; i++) {
        if (store->lock_fds[i] >= 0)
            (void)close(store->lock_fds[i]);
    }
    free(store->live.slots);
    free(store->fold.euis);
    secret_wipe(&store->secret);
    free((void *)(uintptr_t)store->options.data_dir);
    free(store->file);
    free(store);
}

const struct secret *store_secret(const struct store *store)
{
    return &store->secret;
}

uint64_t store_outbox_end(const struct store *store)
{
    return atomic_load(&store->outbox_end);
}

void store_stats(const struct store *store, struct store_stats *stats)
{
    *stats = store->stats;
    stats->journal_rows = store->journal_next - store->journal_base - 1;
    stats->dirty_devices = store->dirty;
    stats->outbox_first = store->segments[0].first_pos;
    stats->outbox_end = atomic_load(&store->outbox_end);
    stats->outbox_bytes = store->outbox_bytes;
}

/* ---- one change ------------------------------------------------------------------------------ */

struct op *change_add(struct change *change, struct arena *arena, enum op_kind kind)
{
    struct op *op = arena_new(arena, struct op);

    op->kind = kind;
    if (change->last)
        change->last->next = op;
    else
        change->first = op;
    change->last = op;
    change->bytes += sizeof(*op);
    return op;
}

/* Whether this change may fail for itself once its statements run. */
static bool needs_savepoint(const struct change *change)
{
    for (const struct op *op = change->first; op; op = op->next) {
        if (op->kind == OP_RECORD_PUT || op->kind == OP_RECORD_DEL || op->kind == OP_NONCE_ADD ||
            op->kind == OP_JOIN_STATE || op->kind == OP_QUEUE_PUT || op->kind == OP_KEYS_PUT)
            return true;
        if (op->kind == OP_STATE && op->state.set)
            return true;
    }
    return false;
}

/* Finds lost races in memory, before anything is written. */
static enum err check_revs(const struct store *store, const struct change *change)
{
    for (const struct op *op = change->first; op; op = op->next) {
        const struct live *live;

        if (op->kind != OP_STATE)
            continue;
        live = live_get(&store->live, op->state.dev_eui.v);
        if ((live ? live->rev : 0) != op->state.rev)
            return ERR_CONFLICT;
    }
    return OK;
}

static enum err put_state_row(struct store *store, const struct op_state *op, uint64_t last_pos)
{
    sqlite3_stmt *stmt = store->stmts[SQL_STATE_PUT];

    bind_eui(stmt, 1, op->dev_eui);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)(op->rev + 1));
    (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)last_pos);
    (void)sqlite3_bind_blob(stmt, 4, op->state.n ? (const void *)op->state.p : "", (int)op->state.n,
                            SQLITE_STATIC);
    bind_blob(stmt, 5, op->active);
    bind_blob(stmt, 6, op->pending);
    (void)sqlite3_bind_int(stmt, 7, (int)op->set);
    (void)sqlite3_bind_int64(stmt, 8, (sqlite3_int64)(store->journal_next - 1));
    return sqlite_run(stmt);
}

static enum err put_queue(struct store *store, const struct op_queue *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_QUEUE_PUT];

    bind_blob(stmt, 1, (struct bytes){op->id.b, sizeof(op->id.b)});
    bind_eui(stmt, 2, op->dev_eui);
    (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)op->order);
    (void)sqlite3_bind_blob(stmt, 4, op->item.p, (int)op->item.n, SQLITE_STATIC);
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
    (void)sqlite3_bind_blob(stmt, 5, op->attempt.p, (int)op->attempt.n, SQLITE_STATIC);
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
    (void)sqlite3_bind_text(stmt, 2, (const char *)op->json.p, (int)op->json.n, SQLITE_STATIC);
    return sqlite_run(stmt);
}

/* Events and state belong together: the state carries the position of the device's last event. */
static enum err apply_live(struct store *store, const struct change *change)
{
    enum err err = OK;

    for (struct op *op = change->first; !err && op; op = op->next) {
        const struct live *live;
        uint64_t last_pos;

        if (op->kind != OP_STATE)
            continue;
        live = live_get(&store->live, op->state.dev_eui.v);
        last_pos = live ? live->last_pos : 0;
        for (struct op *event = change->first; !err && event; event = event->next) {
            if (event->kind != OP_EVENT || event->event.dev_eui.v != op->state.dev_eui.v)
                continue;
            err = outbox_append(store, &event->event, last_pos);
            last_pos = event->event.pos;
        }
        if (err)
            break;
        err = op->state.set || op->state.rev == 0 ? put_state_row(store, &op->state, last_pos)
                                                  : journal_append(store, &op->state, last_pos);
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
    bool guarded = needs_savepoint(change);
    enum err err;

    change->result = check_revs(store, change);
    if (change->result)
        return OK;
    err = guarded ? sqlite_run(store->stmts[SQL_SAVEPOINT]) : OK;
    if (!err)
        err = apply_live(store, change);
    for (struct op *op = change->first; !err && op; op = op->next)
        err = apply_op(store, op);
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

static void remember_state(struct store *store, const struct op_state *op, uint64_t last_pos,
                           uint64_t seq)
{
    struct live *live = live_put(&store->live, op->dev_eui.v);
    bool was_dirty = live->seq != 0;

    live->rev = (uint32_t)op->rev + 1;
    live->last_pos = last_pos ? last_pos : live->last_pos;
    live->seq = seq ? (uint32_t)(seq - store->journal_base) : 0;
    if (live->seq && !was_dirty) {
        if (store->dirty++ == 0)
            store->journal_since_us = clock_mono(store->options.clock);
    } else if (!live->seq && was_dirty) {
        store->dirty--;
    }
}

/* After the commit: the memory follows. Journal rows were numbered in the order of the batch. */
static void remember_change(struct store *store, const struct change *change, uint64_t *seq)
{
    for (const struct op *op = change->first; op; op = op->next) {
        uint64_t last_pos = 0;
        bool direct;

        if (op->kind == OP_RECORD_DEL && op->record.type == REC_DEVICE) {
            struct rd rd = rd_of(op->record.key.b, 8);
            uint64_t eui = rd_u64be(&rd);
            const struct live *live = live_get(&store->live, eui);

            store->dirty -= live && live->seq;
            live_remove(&store->live, eui);
        }
        if (op->kind != OP_STATE)
            continue;
        for (const struct op *e = change->first; e; e = e->next) {
            if (e->kind == OP_EVENT && e->event.dev_eui.v == op->state.dev_eui.v)
                last_pos = e->event.pos;
        }
        direct = op->state.set || op->state.rev == 0;
        remember_state(store, &op->state, last_pos, direct ? 0 : (*seq)++);
    }
}

/* A device may be in a batch once: a second state change of it must wait for the first to be
 * remembered. The callers never do that (mechanics 1); a batch that does is cut there. */
static size_t first_repeat(struct change **batch, size_t n)
{
    struct map seen;
    size_t cut = n;

    map_init(&seen);
    for (size_t i = 0; i < n && cut == n; i++) {
        for (const struct op *op = batch[i]->first; op; op = op->next) {
            if (op->kind == OP_STATE && map_put(&seen, op->state.dev_eui.v, batch[i]) && i > 0) {
                cut = i;
                break;
            }
        }
    }
    map_fini(&seen);
    return cut;
}

static enum err commit_part(struct store *store, struct change **batch, size_t n)
{
    struct mark mark = mark_of(store);
    uint64_t seq = store->journal_next;
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
    for (size_t i = 0; i < n; i++) {
        if (!batch[i]->result)
            remember_change(store, batch[i], &seq);
        store->stats.conflicts += batch[i]->result == ERR_CONFLICT;
    }
    atomic_store(&store->outbox_end, store->outbox_next);
    store->stats.commits++;
    store->stats.changes += n;
    return OK;
}

enum err store_commit(struct store *store, struct change **batch, size_t n, size_t *done)
{
    for (*done = 0; *done < n;) {
        size_t part = first_repeat(batch + *done, n - *done);
        enum err err = commit_part(store, batch + *done, part);

        if (err)
            return err;
        *done += part;
    }
    return OK;
}

/* ---- background work ------------------------------------------------------------------------- */

static enum err trim_attempts(struct store *store, bool *more)
{
    sqlite3_stmt *stmt = store->stmts[SQL_ATTEMPT_TRIM];
    enum err err;

    (void)sqlite3_bind_int64(stmt, 1, clock_utc(store->options.clock) - ATTEMPTS_KEPT_US);
    err = sqlite_run(stmt);
    *more = !err && sqlite3_changes(store->db) == 500;
    return err;
}

enum err store_housekeep(struct store *store, bool *more)
{
    int64_t now = clock_mono(store->options.clock);
    enum err err = outbox_rotate(store, more);

    if (err || *more)
        return err;
    if (fold_wanted(store, now))
        return fold_step(store, more);
    if (now - store->trimmed_us < HOUSEKEEP_US)
        return OK;
    err = trim_attempts(store, more);
    if (err || *more)
        return err;
    store->trimmed_us = now;
    (void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return outbox_retain(store, more);
}
