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

enum err store_open(const struct store_options *options, struct arena *arena, struct store **out,
                    const char **why)
{
    const char *file = file_of(options, arena), *reason = NULL;
    struct store *store;
    enum err err;

    if (!file) {
        reason = "database.url must be sqlite:FILE in this version";
        if (why)
            *why = reason;
        return ERR_UNSUPPORTED;
    }
    store = xcalloc(1, sizeof(*store));
    store->options = *options;
    store->options.data_dir = xstrdup(options->data_dir);
    store->file = xstrdup(file);
    store->lock_fds[0] = store->lock_fds[1] = -1;
    store->journal_first = store->journal_next = 1;
    (void)pthread_mutex_init(&store->live_lock, NULL);
    secret_init(&store->secret, options->master_key);
    store->options.master_key = NULL; /* the caller's */
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
    stats->journal_rows = store->journal_next - store->journal_first;
    stats->dirty_devices = store->dirty;
    stats->outbox_first = store->segment_count ? store->segments[0].first_pos : 1;
    stats->outbox_end = atomic_load(&store->outbox_end);
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

enum err store_housekeep(struct store *store, bool *more)
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
