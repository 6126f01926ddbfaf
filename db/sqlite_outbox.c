/*
 * sqlite_outbox.c - the event store: append-only segment tables, dropped whole.
 *
 * A segment is a table outbox_N of about 32 MiB: dropping one frees its pages in some 10 ms, while
 * deleting its rows one by one would cost as much as writing them. No secondary index (it costs
 * 14 us an event); a row points to the previous event of its device instead.
 */
#include "core/log.h"
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES     ((uint64_t)32 * 1024 * 1024)
#define ROW_OVERHEAD      24u
#define OUTBOX_MAX_BYTES  ((uint64_t)5 * 1024 * 1024 * 1024)
#define OUTBOX_MAX_AGE_US (7 * 24 * 3600 * (int64_t)US_PER_S)

static enum err prepare_add(struct store *store)
{
    char sql[128];

    (void)sqlite3_finalize(store->outbox_add);
    store->outbox_add = NULL;
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO outbox_%llu (pos, prev, dev_eui, type, time, facts) "
                   "VALUES (?,?,?,?,?,?)",
                   (unsigned long long)store->segments[store->segment_count - 1].n);
    return sqlite_err(sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                         &store->outbox_add, NULL));
}

static void segment_remember(struct store *store, const struct segment *segment)
{
    store->segments =
        xrealloc(store->segments, (store->segment_count + 1) * sizeof(*store->segments));
    store->segments[store->segment_count++] = *segment;
}

/* Makes a new segment in a transaction of its own. */
static enum err segment_new(struct store *store)
{
    struct segment segment = {
        .n = store->segment_count ? store->segments[store->segment_count - 1].n + 1 : 1,
        .first_pos = store->outbox_next,
        .created_us = clock_utc(store->options.clock)};
    sqlite3_stmt *stmt = store->stmts[SQL_SEGMENT_ADD];
    char sql[256];
    enum err err = sqlite_run(store->stmts[SQL_BEGIN]);

    (void)snprintf(sql, sizeof(sql),
                   "CREATE TABLE outbox_%llu (pos INTEGER PRIMARY KEY, prev INTEGER NOT NULL, "
                   "dev_eui INTEGER NOT NULL, type INTEGER NOT NULL, time INTEGER NOT NULL, "
                   "facts BLOB NOT NULL)",
                   (unsigned long long)segment.n);
    if (!err)
        err = sqlite_exec(store->db, sql);
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)segment.n);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)segment.first_pos);
    (void)sqlite3_bind_int64(stmt, 3, segment.created_us);
    if (!err)
        err = sqlite_run(stmt);
    if (!err)
        err = sqlite_run(store->stmts[SQL_COMMIT]);
    if (err) {
        (void)sqlite_run(store->stmts[SQL_ROLLBACK]);
        return err;
    }
    segment_remember(store, &segment);
    return prepare_add(store);
}

/* Reads one number of a segment: its greatest position or its size. */
static uint64_t segment_number(struct store *store, const char *what, uint64_t n)
{
    sqlite3_stmt *stmt = NULL;
    char sql[160];
    uint64_t v = 0;

    (void)snprintf(sql, sizeof(sql), "SELECT %s FROM outbox_%llu", what, (unsigned long long)n);
    if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        v = (uint64_t)sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return v;
}

enum err outbox_open(struct store *store)
{
    sqlite3_stmt *stmt = NULL;
    uint64_t end = 1;
    enum err err = sqlite_err(sqlite3_prepare_v2(
        store->db, "SELECT n, first_pos, created FROM outbox_segment ORDER BY n", -1, &stmt, NULL));

    while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
        struct segment segment = {.n = (uint64_t)sqlite3_column_int64(stmt, 0),
                                  .first_pos = (uint64_t)sqlite3_column_int64(stmt, 1),
                                  .created_us = sqlite3_column_int64(stmt, 2)};

        segment_remember(store, &segment);
    }
    (void)sqlite3_finalize(stmt);
    if (err)
        return err;
    for (size_t i = 0; i < store->segment_count; i++) {
        struct segment *segment = &store->segments[i];
        uint64_t last = segment_number(store, "max(pos)", segment->n);

        /* Full segments are what they are; only the newest must be weighed. */
        segment->bytes =
            i + 1 < store->segment_count
                ? SEGMENT_BYTES
                : segment_number(store, "coalesce(sum(length(facts) + 24), 0)", segment->n);
        store->outbox_bytes += segment->bytes;
        end = segment->first_pos > end ? segment->first_pos : end;
        end = last + 1 > end ? last + 1 : end;
    }
    store->outbox_next = end;
    atomic_store(&store->outbox_end, end);
    return store->segment_count ? prepare_add(store) : segment_new(store);
}

enum err outbox_append(struct store *store, struct op_event *event, uint64_t prev)
{
    sqlite3_stmt *stmt = store->outbox_add;
    struct segment *segment = &store->segments[store->segment_count - 1];
    enum err err;

    event->pos = store->outbox_next;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)event->pos);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)prev);
    bind_eui(stmt, 3, event->dev_eui);
    (void)sqlite3_bind_int(stmt, 4, event->type);
    (void)sqlite3_bind_int64(stmt, 5, event->utc_us);
    (void)sqlite3_bind_blob(stmt, 6, event->facts.p ? (const void *)event->facts.p : "",
                            (int)event->facts.n, SQLITE_STATIC);
    err = sqlite_run(stmt);
    if (!err) {
        store->outbox_next++;
        segment->bytes += event->facts.n + ROW_OVERHEAD;
        store->outbox_bytes += event->facts.n + ROW_OVERHEAD;
    }
    return err;
}

void outbox_rolled_back(struct store *store)
{
    store->outbox_next = atomic_load(&store->outbox_end);
}

enum err outbox_rotate(struct store *store, bool *did)
{
    *did = store->segments[store->segment_count - 1].bytes >= SEGMENT_BYTES;
    return *did ? segment_new(store) : OK;
}

static bool outdated(const struct store *store)
{
    const struct store_options *options = &store->options;
    uint64_t most = options->outbox_max_bytes ? options->outbox_max_bytes : OUTBOX_MAX_BYTES;
    int64_t age = options->outbox_max_age_us ? options->outbox_max_age_us : OUTBOX_MAX_AGE_US;

    /* A segment ends when the next begins: that one's creation dates its newest event. */
    return store->segment_count > 1 &&
           (store->outbox_bytes > most ||
            clock_utc(options->clock) - store->segments[1].created_us > age);
}

enum err outbox_retain(struct store *store, bool *more)
{
    struct segment first;
    char sql[64];
    enum err err;

    *more = false;
    if (!outdated(store))
        return OK;
    first = store->segments[0];
    (void)snprintf(sql, sizeof(sql), "DROP TABLE outbox_%llu", (unsigned long long)first.n);
    err = sqlite_run(store->stmts[SQL_BEGIN]);
    if (!err)
        err = sqlite_exec(store->db, sql);
    (void)sqlite3_bind_int64(store->stmts[SQL_SEGMENT_DEL], 1, (sqlite3_int64)first.n);
    if (!err)
        err = sqlite_run(store->stmts[SQL_SEGMENT_DEL]);
    if (!err)
        err = sqlite_run(store->stmts[SQL_COMMIT]);
    if (err) {
        (void)sqlite_run(store->stmts[SQL_ROLLBACK]);
        return err;
    }
    store->outbox_bytes -= first.bytes < store->outbox_bytes ? first.bytes : store->outbox_bytes;
    store->segment_count--;
    memmove(store->segments, store->segments + 1, store->segment_count * sizeof(first));
    LOG_INFO("outbox_segment_dropped", log_uint("segment", first.n),
             log_uint("firstPosition", first.first_pos));
    *more = outdated(store);
    return OK;
}

void outbox_close(struct store *store)
{
    (void)sqlite3_finalize(store->outbox_add);
    store->outbox_add = NULL;
    free(store->segments);
    store->segments = NULL;
    store->segment_count = 0;
}
