/*
 * engine_sqlite.c - opening and closing the store, and its background work.
 */
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUSEKEEP_US     (1 * (int64_t)US_PER_S)
#define ATTEMPTS_KEPT_US (INT64_C(2) * 3600 * US_PER_S)

/* ---- opening --------------------------------------------------------------------------------- */

static const char *const schemes[] = {"sqlite:", NULL};

static const char *file_of(const char *url, const char *data_dir, struct arena *arena)
{
    const char *path = url + strlen(schemes[0]);

    return *path == '/' ? arena_strdup(arena, path) : arena_printf(arena, "%s/%s", data_dir, path);
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
    enum err err = sqlite_connect(store->file, store->options.vfs, CONNECT_WRITER, &store->db);

    if (err) {
        *why = arena_printf(arena, "%s: cannot be opened as a SQLite database", store->file);
        return err;
    }
    err = sqlite_migrate(store, arena, why);
    if (err)
        return err;
    err = prepare_all(store);
    if (!err)
        err = outbox_open(store);
    if (!err)
        err = checkpoint_open(store);
    if (err)
        *why = arena_printf(arena, "%s: %s", store->file, sqlite3_errmsg(store->db));
    return err;
}

static void sqlite_close(struct store *store)
{
    checkpoint_close(store);
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
    free(store->dirty_euis);
    fold_free(store);
    (void)pthread_mutex_destroy(&store->live_lock);
    store_head_fini(&store->head);
    free((void *)(uintptr_t)store->options.data_dir);
    free(store->file);
    free(store);
}

static enum err sqlite_open(const struct store_options *options, struct arena *arena,
                            struct store **out, const char **why)
{
    struct store *store = xcalloc(1, sizeof(*store));
    enum err err;

    store_head_init(&store->head, &engine_sqlite, options);
    store->options = *options;
    store->options.data_dir = xstrdup(options->data_dir);
    store->file = xstrdup(file_of(options->url, options->data_dir, arena));
    store->lock_fds[0] = store->lock_fds[1] = -1;
    store->journal_first = store->journal_next = 1;
    (void)pthread_mutex_init(&store->live_lock, NULL);
    store->options.master_key = NULL; /* the caller's */
    err = take_locks(store, arena, why);
    if (!err)
        err = open_database(store, arena, why);
    if (err) {
        sqlite_close(store);
        return err;
    }
    *out = store;
    return OK;
}

static void sqlite_stats(const struct store *store, struct store_stats *stats)
{
    *stats = store->stats;
    stats->journal_rows = store->journal_next - store->journal_first;
    stats->dirty_devices = store->dirty;
    stats->outbox_first = store->segment_count ? store->segments[0].first_pos : 1;
    stats->outbox_end = atomic_load(&store->head.outbox_end);
    stats->outbox_bytes = store->outbox_bytes;
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

static enum err sqlite_housekeep(struct store *store, bool *more)
{
    int64_t now = clock_mono(store->options.clock);
    enum err err;

    checkpoint_poll(store, true);
    err = outbox_rotate(store, more);
    if (err || *more)
        return err;
    if (fold_wanted(store, now) && !checkpoint_behind(store))
        return fold_step(store, more);
    if (now - store->trimmed_us < HOUSEKEEP_US)
        return OK;
    err = trim_attempts(store, more);
    if (err || *more)
        return err;
    err = outbox_retain(store, more);
    if (!err && !*more)
        store->trimmed_us = now;
    return err;
}

static enum err sqlite_jump_join_nonces(struct store *store, uint32_t by)
{
    return sqlite_jump_nonces(store->db, by);
}

static enum err sqlite_migration_status(const char *url, const char *data_dir,
                                        struct migration_status *status, struct arena *arena,
                                        const char **why)
{
    (void)why;
    return sqlite_schema_of(file_of(url, data_dir, arena), status);
}

/* The column of e-mail addresses does not mind the case by itself. */
static const struct sql_dialect dialect = {
    .mark = '?', .like = "LIKE", .hex_of = "printf('%016x', ", .hex_end = ")", .email_of = ""};

const struct engine engine_sqlite = {
    .name = "sqlite",
    .schemes = schemes,
    .dialect = &dialect,
    .open = sqlite_open,
    .close = sqlite_close,
    .commit = sqlite_commit,
    .housekeep = sqlite_housekeep,
    .stats = sqlite_stats,
    .load = sqlite_load,
    .migration_status = sqlite_migration_status,
    .reader_open = sqlite_reader_open,
    .reader_close = sqlite_reader_close,
    .records = sqlite_records,
    .keys_get = sqlite_keys_get,
    .join_state_get = sqlite_join_state_get,
    .nonce_used = sqlite_nonce_used,
    .events_from = sqlite_events_from,
    .events_back = sqlite_events_back,
    .event_at = sqlite_event_at,
    .event_last = sqlite_event_last,
    .audit_list = sqlite_audit_list,
    .jump_join_nonces = sqlite_jump_join_nonces,
    .backup = sqlite_backup,
};
