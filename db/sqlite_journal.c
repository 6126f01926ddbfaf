/*
 * sqlite_journal.c - appending state changes, and the fold that moves them into rows.
 *
 * An UPDATE in order of arrival costs some 11 us, an append 2 us; folded later in order of the key
 * a row costs 3 us, and a device that spoke many times is written once (mechanics 10). The journal
 * row of a device is found through the live table; older rows of it are dead. A fold that dies half
 * way is harmless: rows carry their rev and seq, and start-up takes the newer.
 */
#include "db/sqlite.h"

#include <stdlib.h>

#define FOLD_CHUNK    500
#define TRIM_CHUNK    2000
#define FOLD_ROWS_MAX 2000000u
#define FOLD_AGE_US   (600 * (int64_t)US_PER_S)

enum err journal_append(struct store *store, const struct op_state *op, uint64_t last_pos)
{
    sqlite3_stmt *stmt = store->stmts[SQL_JOURNAL_ADD];

    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)store->journal_next);
    bind_eui(stmt, 2, op->dev_eui);
    (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)(op->rev + 1));
    (void)sqlite3_bind_int64(stmt, 4, (sqlite3_int64)last_pos);
    (void)sqlite3_bind_blob(stmt, 5, op->state.p, (int)op->state.n, SQLITE_STATIC);
    store->journal_next++;
    return sqlite_run(stmt);
}

bool fold_wanted(const struct store *store, int64_t now_us)
{
    uint64_t rows = store->journal_next - store->journal_base - 1;
    uint64_t most = store->options.fold_rows ? store->options.fold_rows : FOLD_ROWS_MAX;
    int64_t age = store->options.fold_age_us ? store->options.fold_age_us : FOLD_AGE_US;

    if (store->fold.running)
        return true;
    if (!store->dirty)
        return false;
    return rows >= most || now_us - store->journal_since_us >= age ||
           (rows > 10000 && store->dirty * 5 >= store->live.count);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void fold_begin(struct store *store)
{
    struct fold *fold = &store->fold;

    fold->euis = xcalloc(store->dirty + 1, sizeof(*fold->euis));
    fold->count = fold->at = 0;
    for (size_t i = 0; i < store->live.room; i++) {
        const struct live *live = &store->live.slots[i];

        if (live->rev && live->seq && fold->count < store->dirty)
            fold->euis[fold->count++] = live->eui;
    }
    qsort(fold->euis, fold->count, sizeof(*fold->euis), compare_u64);
    fold->until = store->journal_next;
    fold->trim_at = store->journal_base + 1;
    fold->trimming = false;
    fold->running = true;
    store->stats.folds++;
}

/* Writes one device's newest journal row into its row. */
static enum err fold_device(struct store *store, const struct live *live)
{
    sqlite3_stmt *get = store->stmts[SQL_JOURNAL_GET], *put = store->stmts[SQL_STATE_FOLD];
    struct lw_eui eui = {live->eui};
    enum err err;

    (void)sqlite3_bind_int64(get, 1, (sqlite3_int64)(store->journal_base + live->seq));
    if (sqlite3_step(get) != SQLITE_ROW) {
        (void)sqlite3_reset(get);
        return ERR_CORRUPT;
    }
    bind_eui(put, 1, eui);
    (void)sqlite3_bind_int64(put, 2, live->rev);
    (void)sqlite3_bind_int64(put, 3, (sqlite3_int64)live->last_pos);
    (void)sqlite3_bind_blob(put, 4, sqlite3_column_blob(get, 0), sqlite3_column_bytes(get, 0),
                            SQLITE_STATIC);
    (void)sqlite3_bind_int64(put, 5, (sqlite3_int64)(store->journal_base + live->seq));
    err = sqlite_run(put);
    (void)sqlite3_reset(get);
    return err;
}

static enum err fold_rows(struct store *store)
{
    struct fold *fold = &store->fold;
    size_t end = fold->at + FOLD_CHUNK < fold->count ? fold->at + FOLD_CHUNK : fold->count;
    enum err err = sqlite_run(store->stmts[SQL_BEGIN]);

    for (size_t i = fold->at; !err && i < end; i++) {
        struct live *live = live_get(&store->live, fold->euis[i]);

        if (live && live->seq && store->journal_base + live->seq < fold->until)
            err = fold_device(store, live);
    }
    if (!err)
        err = sqlite_run(store->stmts[SQL_COMMIT]);
    if (err) {
        (void)sqlite_run(store->stmts[SQL_ROLLBACK]);
        return err;
    }
    for (size_t i = fold->at; i < end; i++) {
        struct live *live = live_get(&store->live, fold->euis[i]);

        if (live && live->seq && store->journal_base + live->seq < fold->until) {
            live->seq = 0;
            store->dirty--;
            store->stats.fold_rows++;
        }
    }
    fold->at = end;
    return OK;
}

/* Gives seqs a new base, so that 32 bits suffice for ever. */
static void rebase(struct store *store, uint64_t base)
{
    uint64_t by = base - store->journal_base;

    for (size_t i = 0; i < store->live.room; i++) {
        struct live *live = &store->live.slots[i];

        if (live->rev && live->seq)
            live->seq -= (uint32_t)by;
    }
    store->journal_base = base;
}

static enum err trim_rows(struct store *store)
{
    struct fold *fold = &store->fold;
    uint64_t to =
        fold->trim_at + TRIM_CHUNK < fold->until ? fold->trim_at + TRIM_CHUNK : fold->until;
    enum err err;

    (void)sqlite3_bind_int64(store->stmts[SQL_JOURNAL_TRIM], 1, (sqlite3_int64)to);
    err = sqlite_run(store->stmts[SQL_JOURNAL_TRIM]);
    if (!err)
        fold->trim_at = to;
    return err;
}

enum err fold_step(struct store *store, bool *more)
{
    struct fold *fold = &store->fold;
    enum err err = OK;

    if (!fold->running)
        fold_begin(store);
    if (fold->at < fold->count) {
        err = fold_rows(store);
    } else if (fold->trim_at < fold->until) {
        err = trim_rows(store);
    } else {
        rebase(store, fold->until - 1);
        free(fold->euis);
        *fold = (struct fold){0};
        store->journal_since_us = clock_mono(store->options.clock);
    }
    *more = !err && fold->running;
    return err;
}
