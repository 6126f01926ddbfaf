/*
 * sqlite_journal.c - the journal of states, and the fold that moves it into rows.
 *
 * A state change costs one appended row. The fold writes many devices in order of the key, where
 * a row costs 3 us, and a device that spoke many times is written once (mechanics 10). The journal
 * row of a device is found through the live table; older rows of it are dead. A fold that dies half
 * way is harmless: rows carry their rev and seq, and start-up takes the newer.
 *
 * The newest row is never trimmed: it keeps the numbering, so that rows of `device_state` (and of a
 * device that is made anew) always carry a seq at least as new as every row that was before them.
 */
#include "db/sqlite.h"

#include <stdlib.h>

#define RUN_LENGTH    8192
#define RUNS_PER_STEP 4
#define TRIM_CHUNK    2000
#define FOLD_ROWS_MAX 2000000u
#define FOLD_ROWS_MIN 10000u
#define FOLD_AGE_US   (600 * (int64_t)US_PER_S)

/* Half a seq of 0 means "folded" in the live table, so no row has such a number. */
static uint64_t next_seq(uint64_t seq)
{
    return (uint32_t)(seq + 1) ? seq + 1 : seq + 2;
}

enum err journal_append(struct store *store, struct op_state *op)
{
    sqlite3_stmt *stmt = store->stmts[SQL_JOURNAL_ADD];

    op->seq = store->journal_next;
    bind_u64(stmt, 1, op->seq);
    bind_eui(stmt, 2, op->dev_eui);
    bind_u64(stmt, 3, op->rev + 1);
    bind_u64(stmt, 4, op->last_pos);
    bind_octets(stmt, 5, op->state);
    store->journal_next = next_seq(store->journal_next);
    return sqlite_run(stmt);
}

/* Rows of 2^32 numbers never lie in the journal at once, so half a seq tells which is meant. */
uint64_t journal_seq(const struct store *store, const struct live *live)
{
    return store->journal_next - (uint32_t)((uint32_t)store->journal_next - live->seq);
}

void journal_dirty(struct store *store, uint64_t eui)
{
    if (store->dirty_n == store->dirty_room) {
        store->dirty_room = store->dirty_room ? store->dirty_room * 2 : 1024;
        store->dirty_euis =
            xrealloc(store->dirty_euis, store->dirty_room * sizeof(*store->dirty_euis));
    }
    store->dirty_euis[store->dirty_n++] = eui;
    if (store->dirty++ == 0)
        store->journal_since_us = clock_mono(store->options.clock);
}

bool fold_wanted(const struct store *store, int64_t now_us)
{
    uint64_t rows = store->journal_next - store->journal_first;
    uint64_t most = store->options.fold_rows ? store->options.fold_rows : FOLD_ROWS_MAX;
    int64_t age = store->options.fold_age_us ? store->options.fold_age_us : FOLD_AGE_US;

    if (store->fold.running)
        return true;
    if (!store->dirty)
        return false;
    return rows >= most || now_us - store->journal_since_us >= age ||
           (rows > FOLD_ROWS_MIN && store->dirty * 5 >= store->live.count);
}

static void fold_begin(struct store *store)
{
    struct fold *fold = &store->fold;
    size_t runs = (store->dirty_n + RUN_LENGTH - 1) / RUN_LENGTH;

    *fold = (struct fold){.running = true,
                          .euis = store->dirty_euis,
                          .count = store->dirty_n,
                          .runs = xcalloc(runs + 1, sizeof(*fold->runs)),
                          .until = store->journal_next,
                          .trim_at = store->journal_first};
    store->dirty_euis = NULL;
    store->dirty_n = store->dirty_room = 0;
    store->stats.folds++;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Rows lie in the order of signed keys; flipping the top bit gives it to unsigned ones. */
static uint64_t row_order(uint64_t eui)
{
    return eui ^ (uint64_t)1 << 63;
}

static void heap_down(struct fold *fold, size_t at)
{
    for (;;) {
        size_t least = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < fold->run_count; child++) {
            if (fold->euis[fold->runs[child].at] < fold->euis[fold->runs[least].at])
                least = child;
        }
        if (least == at)
            return;
        struct fold_run run = fold->runs[at];

        fold->runs[at] = fold->runs[least];
        fold->runs[least] = run;
        at = least;
    }
}

/* Sorts a few runs more; with the last one the heap stands. */
static void sort_runs(struct fold *fold)
{
    for (unsigned i = 0; i < RUNS_PER_STEP && fold->sorted < fold->count; i++) {
        size_t end =
            fold->sorted + RUN_LENGTH < fold->count ? fold->sorted + RUN_LENGTH : fold->count;

        for (size_t k = fold->sorted; k < end; k++)
            fold->euis[k] = row_order(fold->euis[k]);
        qsort(fold->euis + fold->sorted, end - fold->sorted, sizeof(*fold->euis), compare_u64);
        fold->runs[fold->run_count++] = (struct fold_run){.at = fold->sorted, .end = end};
        fold->sorted = end;
    }
    for (size_t i = fold->run_count; fold->sorted == fold->count && i-- > 0;)
        heap_down(fold, i);
}

/* Takes the next devices in order of the key. */
static void take_chunk(struct fold *fold)
{
    while (fold->chunk_n < FOLD_CHUNK && fold->run_count) {
        struct fold_run *run = &fold->runs[0];

        fold->chunk[fold->chunk_n++] = row_order(fold->euis[run->at++]);
        if (run->at == run->end)
            *run = fold->runs[--fold->run_count];
        heap_down(fold, 0);
    }
}

/* Writes one device's newest journal row into its row. */
static enum err fold_device(struct store *store, const struct live *live)
{
    sqlite3_stmt *get = store->stmts[SQL_JOURNAL_GET], *put = store->stmts[SQL_STATE_FOLD];
    uint64_t seq = journal_seq(store, live);
    int code;
    enum err err;

    bind_u64(get, 1, seq);
    code = sqlite3_step(get);
    if (code != SQLITE_ROW) {
        (void)sqlite3_reset(get);
        return code == SQLITE_DONE ? ERR_CORRUPT : sqlite_err(code);
    }
    bind_eui(put, 1, (struct lw_eui){live->eui});
    bind_u64(put, 2, live->rev);
    bind_u64(put, 3, live->last_pos);
    bind_octets(put, 4, column_blob(get, 0, NULL));
    bind_u64(put, 5, seq);
    err = sqlite_run(put);
    (void)sqlite3_reset(get);
    return err;
}

static enum err write_chunk(struct store *store)
{
    const struct fold *fold = &store->fold;
    enum err err = sqlite_run(store->stmts[SQL_BEGIN]);

    for (size_t i = 0; !err && i < fold->chunk_n; i++) {
        const struct live *live = live_get(&store->live, fold->chunk[i]);

        if (live && live->seq)
            err = fold_device(store, live);
    }
    if (!err)
        err = sqlite_run(store->stmts[SQL_COMMIT]);
    if (err && !sqlite3_get_autocommit(store->db))
        (void)sqlite_run(store->stmts[SQL_ROLLBACK]);
    return err;
}

/* A chunk whose transaction failed is kept and written again the next time. */
static enum err fold_rows(struct store *store)
{
    struct fold *fold = &store->fold;
    enum err err;

    take_chunk(fold);
    err = write_chunk(store);
    if (err)
        return err;
    for (size_t i = 0; i < fold->chunk_n; i++) {
        struct live *live = live_get(&store->live, fold->chunk[i]);

        if (live && live->seq) {
            live->seq = 0;
            store->dirty--;
            store->stats.fold_rows++;
        }
    }
    fold->chunk_n = 0;
    return OK;
}

static enum err trim_rows(struct store *store)
{
    struct fold *fold = &store->fold;
    uint64_t end = fold->until - 1;
    uint64_t to = fold->trim_at + TRIM_CHUNK < end ? fold->trim_at + TRIM_CHUNK : end;
    enum err err;

    bind_u64(store->stmts[SQL_JOURNAL_TRIM], 1, to);
    err = sqlite_run(store->stmts[SQL_JOURNAL_TRIM]);
    if (!err)
        fold->trim_at = store->journal_first = to;
    return err;
}

void fold_free(struct store *store)
{
    free(store->fold.euis);
    free(store->fold.runs);
    store->fold = (struct fold){0};
}

enum err fold_step(struct store *store, bool *more)
{
    struct fold *fold = &store->fold;
    enum err err = OK;

    if (!fold->running)
        fold_begin(store);
    if (fold->sorted < fold->count) {
        sort_runs(fold);
    } else if (fold->run_count || fold->chunk_n) {
        err = fold_rows(store);
    } else if (fold->trim_at + 1 < fold->until) {
        err = trim_rows(store);
    } else {
        fold_free(store);
        store->journal_since_us = clock_mono(store->options.clock);
    }
    *more = !err && fold->running;
    return err;
}
