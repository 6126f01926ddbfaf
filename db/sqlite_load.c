/*
 * sqlite_load.c - start-up: what lives in memory is read once, before any thread runs.
 *
 * The journal is read first and in sequence, to have the newest state of each device that was not
 * folded (in memory, up to a limit: fetching them one by one takes twice as long); then the devices
 * in order of the key. A crash between any two lines before left a journal and rows that
 * agree through rev and seq.
 */
#include "core/log.h"
#include "db/sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define POOL_MAX ((size_t)256 * 1024 * 1024)

/* The newest journal row of a device, found in the first pass. */
struct newest {
    uint64_t seq, rev, last_pos;
    size_t at; /* its state in the pool */
    uint32_t n, room;
    bool kept; /* false: the pool is full, ask the journal */
};

struct journal {
    struct map index; /* EUI -> place in `all` */
    struct newest *all;
    size_t n, room;
    uint8_t *pool;
    size_t pool_n, pool_room;
};

/* Keeps a row's state, where the device's former one was if it fits. */
static void keep_state(struct journal *journal, struct newest *newest, struct bytes state)
{
    newest->kept = false;
    if (state.n > newest->room) {
        if (journal->pool_n + state.n > POOL_MAX)
            return;
        while (journal->pool_n + state.n > journal->pool_room) {
            journal->pool_room = journal->pool_room ? journal->pool_room * 2 : 1u << 20;
            journal->pool = xrealloc(journal->pool, journal->pool_room);
        }
        newest->at = journal->pool_n;
        newest->room = (uint32_t)state.n;
        journal->pool_n += state.n;
    }
    if (state.n) {
        assert(journal->pool);
        memcpy(journal->pool + newest->at, state.p, state.n);
    }
    newest->n = (uint32_t)state.n;
    newest->kept = true;
}

static struct newest *journal_entry(struct journal *journal, uint64_t eui)
{
    size_t at = (size_t)(uintptr_t)map_get(&journal->index, eui);

    if (at)
        return &journal->all[at - 1];
    if (journal->n == journal->room) {
        journal->room = journal->room ? journal->room * 2 : 1024;
        journal->all = xrealloc(journal->all, journal->room * sizeof(*journal->all));
    }
    journal->all[journal->n] = (struct newest){0};
    (void)map_put(&journal->index, eui, (void *)(uintptr_t)++journal->n);
    return &journal->all[journal->n - 1];
}

/* An error must not pass for the end: devices would go back to counters that were used. */
static enum err scan_journal(struct store *store, struct journal *journal)
{
    sqlite3_stmt *stmt;
    int code;
    bool first = true;
    enum err err = sqlite_err(sqlite3_prepare_v2(
        store->db, "SELECT seq, dev_eui, rev, last_pos, state FROM journal ORDER BY seq", -1, &stmt,
        NULL));

    if (err)
        return err;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct newest *newest = journal_entry(journal, column_u64(stmt, 1));

        newest->seq = column_u64(stmt, 0);
        newest->rev = column_u64(stmt, 2);
        newest->last_pos = column_u64(stmt, 3);
        keep_state(journal, newest, column_blob(stmt, 4, NULL));
        if (first)
            store->journal_first = newest->seq;
        first = false;
        store->journal_next = newest->seq + 1;
    }
    (void)sqlite3_finalize(stmt);
    if (!(uint32_t)store->journal_next)
        store->journal_next++; /* see sqlite_journal.c */
    return sqlite_err(code);
}

/* The state of a row that the pool had no room for. The statement stays open while the loader looks
 * at it. */
static enum err fetch_state(struct store *store, const struct newest *newest, struct bytes *state)
{
    sqlite3_stmt *get = store->stmts[SQL_JOURNAL_GET];
    int code;

    bind_u64(get, 1, newest->seq);
    code = sqlite3_step(get);
    if (code != SQLITE_ROW)
        return code == SQLITE_DONE ? ERR_CORRUPT : sqlite_err(code);
    *state = column_blob(get, 0, NULL);
    return OK;
}

/* Takes the journal's state where it is newer than the row's. */
static enum err load_journalled(struct store *store, const struct journal *journal,
                                const struct newest *newest, struct live *live,
                                struct loaded_device *device)
{
    if (newest->kept) {
        device->state = (struct bytes){.p = journal->pool + newest->at, .n = newest->n};
    } else {
        enum err err = fetch_state(store, newest, &device->state);

        if (err)
            return err;
    }
    /* A rev that cannot be read is as new as its place in the journal says. */
    device->rev = newest->rev ? newest->rev : live->rev + UINT64_C(1);
    device->unreadable = false;
    live->rev = (uint32_t)device->rev;
    /* An event without a state moves the row's position alone. */
    live->last_pos = newest->last_pos > live->last_pos ? newest->last_pos : live->last_pos;
    live->seq = (uint32_t)newest->seq;
    journal_dirty(store, live->eui);
    return OK;
}

/* Enters the device into the live table, and gives its newest state. */
static enum err load_state(struct store *store, sqlite3_stmt *row, const struct journal *journal,
                           struct loaded_device *device)
{
    size_t at = (size_t)(uintptr_t)map_get(&journal->index, device->dev_eui.v);
    const struct newest *newest = at ? &journal->all[at - 1] : NULL;
    uint64_t seq = column_u64(row, 8);
    struct live known = {.rev = (uint32_t)column_u64(row, 6), .last_pos = column_u64(row, 7)};
    struct live *live;

    /* Neither a state nor an event: no row of ours. It needs some rev to be written again. */
    device->unreadable = !known.rev && !known.last_pos;
    if (device->unreadable)
        known.rev = 1;
    device->rev = known.rev;
    device->state = column_blob(row, 9, NULL);
    device->active = column_blob(row, 10, NULL);
    device->pending = column_blob(row, 11, NULL);
    live = live_put(&store->live, device->dev_eui.v);
    live->rev = known.rev;
    live->last_pos = known.last_pos;
    if (!newest || newest->seq <= seq || (newest->rev && newest->rev <= known.rev))
        return OK;
    return load_journalled(store, journal, newest, live, device);
}

static enum err load_device(struct store *store, sqlite3_stmt *row, const struct journal *journal,
                            const struct store_loader *loader)
{
    struct loaded_device device = {.dev_eui = {(uint64_t)sqlite3_column_int64(row, 0)}};
    struct bytes application = column_blob(row, 1, NULL), profile = column_blob(row, 2, NULL);
    struct bytes join_eui = column_blob(row, 3, NULL);
    struct rd rd = rd_bytes(application);
    enum err err = OK;

    rd_copy(&rd, device.application_id.b, 16);
    rd = rd_bytes(profile);
    rd_copy(&rd, device.device_profile_id.b, 16);
    rd = rd_bytes(join_eui);
    device.has_join_eui = join_eui.n == 8;
    device.join_eui.v = device.has_join_eui ? rd_u64be(&rd) : 0;
    device.is_disabled = sqlite3_column_int(row, 4) != 0;
    device.skip_fcnt_check = sqlite3_column_int(row, 5) != 0;
    if (sqlite3_column_type(row, 6) != SQLITE_NULL)
        err = load_state(store, row, journal, &device);
    if (!err && loader->device)
        loader->device(loader->arg, &device);
    (void)sqlite3_reset(store->stmts[SQL_JOURNAL_GET]);
    return err;
}

static enum err count_devices(struct store *store, const struct store_loader *loader)
{
    sqlite3_stmt *stmt;
    size_t n;
    int code;
    enum err err =
        sqlite_err(sqlite3_prepare_v2(store->db, "SELECT count(*) FROM device", -1, &stmt, NULL));

    if (err)
        return err;
    code = sqlite3_step(stmt);
    n = code == SQLITE_ROW ? (size_t)column_u64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    live_reserve(&store->live, n);
    if (loader->begin)
        loader->begin(loader->arg, n);
    return sqlite_err(code);
}

static enum err load_devices(struct store *store, const struct store_loader *loader)
{
    struct journal journal = {0};
    sqlite3_stmt *stmt = NULL;
    int code = SQLITE_DONE;
    enum err err = count_devices(store, loader);

    if (!err)
        err = scan_journal(store, &journal);
    if (!err)
        err = sqlite_err(sqlite3_prepare_v2(
            store->db,
            "SELECT d.dev_eui, d.application_id, d.device_profile_id, d.join_eui, d.is_disabled, "
            "d.skip_fcnt_check, s.rev, s.last_pos, s.seq, s.state, s.active, s.pending "
            "FROM device d LEFT JOIN device_state s ON s.dev_eui = d.dev_eui ORDER BY d.dev_eui",
            -1, &stmt, NULL));
    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        err = load_device(store, stmt, &journal, loader);
    (void)sqlite3_finalize(stmt);
    map_fini(&journal.index);
    free(journal.all);
    free(journal.pool);
    store->journal_since_us = clock_mono(store->options.clock);
    return err ? err : sqlite_err(code);
}

static enum err load_queue(struct store *store, const struct store_loader *loader)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err = sqlite_err(sqlite3_prepare_v2(
        store->db, "SELECT id, dev_eui, ord, item FROM queue ORDER BY ord", -1, &stmt, NULL));

    if (err)
        return err;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct op_queue item = {.dev_eui = {(uint64_t)sqlite3_column_int64(stmt, 1)},
                                .order = (uint64_t)sqlite3_column_int64(stmt, 2),
                                .item = column_blob(stmt, 3, NULL)};
        struct rd rd = rd_bytes(column_blob(stmt, 0, NULL));

        rd_copy(&rd, item.id.b, sizeof(item.id.b));
        if (loader->queue_item)
            loader->queue_item(loader->arg, &item);
    }
    (void)sqlite3_finalize(stmt);
    return sqlite_err(code);
}

static enum err load_attempts(struct store *store, const struct store_loader *loader)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err =
        sqlite_err(sqlite3_prepare_v2(store->db,
                                      "SELECT id, dev_eui, time, settled, attempt FROM attempt "
                                      "WHERE settled = 0 OR time >= ? ORDER BY id",
                                      -1, &stmt, NULL));

    if (err)
        return err;
    (void)sqlite3_bind_int64(stmt, 1, clock_utc(store->options.clock) - 3600 * (int64_t)US_PER_S);
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct op_attempt attempt = {.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                                     .dev_eui = {(uint64_t)sqlite3_column_int64(stmt, 1)},
                                     .utc_us = sqlite3_column_int64(stmt, 2),
                                     .settled = sqlite3_column_int(stmt, 3) != 0,
                                     .attempt = column_blob(stmt, 4, NULL)};

        if (loader->attempt)
            loader->attempt(loader->arg, &attempt);
    }
    (void)sqlite3_finalize(stmt);
    return sqlite_err(code);
}

static enum err load_records(struct store *store, enum record_type type,
                             const struct store_loader *loader)
{
    struct arena arena;
    char sql[128];
    sqlite3_stmt *stmt;
    int code = SQLITE_DONE;
    enum err err;

    (void)snprintf(sql, sizeof(sql), "SELECT rev, created, updated, doc, %s FROM \"%s\"",
                   record_key_column(type), record_types[type].table);
    err = sqlite_err(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL));
    if (err)
        return err;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct record_row row = column_record(stmt);
        void *record;

        err = record_of_row(store, type, &row, &arena, &record);
        if (!err)
            loader->record(loader->arg, type, record, &arena);
        if (err == ERR_CORRUPT)
            err = OK; /* it is set aside */
        arena_reset(&arena);
    }
    (void)sqlite3_finalize(stmt);
    arena_reset(&arena);
    return err ? err : sqlite_err(code);
}

enum err sqlite_load(struct store *store, const struct store_loader *loader)
{
    enum err err = store->loaded ? ERR_BAD_STATE : OK;

    for (unsigned type = 0; !err && loader->record && type < REC_TYPE_COUNT; type++) {
        if (record_types[type].shared)
            err = load_records(store, (enum record_type)type, loader);
    }
    if (!err)
        err = load_devices(store, loader);
    if (!err)
        err = load_queue(store, loader);
    if (!err)
        err = load_attempts(store, loader);
    store->loaded = !err;
    return err;
}
