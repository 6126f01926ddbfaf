/*
 * sqlite_outbox.c - the event store: append-only segment tables, dropped whole.
 *
 * A segment is a table outbox_N of at most about 32 MiB: dropping one frees its pages in some 10
 * ms, while deleting its rows one by one would cost as much as writing them. No secondary index (it
 * costs 14 us an event); a row points to the previous event of its device instead.
 */
#include "core/log.h"
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES     ((uint64_t)32 * 1024 * 1024)
#define ROW_OVERHEAD      24u
#define OUTBOX_MAX_BYTES  ((uint64_t)5 * 1024 * 1024 * 1024)
#define AGE_SEGMENTS      8 /* at least so many in the time for which events are kept */
#define OUTBOX_MAX_AGE_US (INT64_C(7) * 24 * 3600 * US_PER_S)

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
        if (!sqlite3_get_autocommit(store->db))
            (void)sqlite_run(store->stmts[SQL_ROLLBACK]);
        return err;
    }
    segment_remember(store, &segment);
    (void)sqlite3_finalize(store->outbox_add);
    store->outbox_add = NULL; /* prepared with the next event */
    return OK;
}

static uint64_t segment_bytes(const struct store *store)
{
    return store->options.segment_bytes ? store->options.segment_bytes : SEGMENT_BYTES;
}

/* Reads one number of a segment: its greatest position or its size. */
static enum err segment_number(struct store *store, const char *what, uint64_t n, uint64_t *v)
{
    sqlite3_stmt *stmt = NULL;
    char sql[160];
    int code = SQLITE_DONE;
    enum err err;

    (void)snprintf(sql, sizeof(sql), "SELECT %s FROM outbox_%llu", what, (unsigned long long)n);
    err = sqlite_err(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL));
    if (!err)
        code = sqlite3_step(stmt);
    *v = code == SQLITE_ROW ? column_u64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    return err ? err : sqlite_err(code);
}

static enum err read_segments(struct store *store)
{
    sqlite3_stmt *stmt = NULL;
    int code = SQLITE_DONE;
    enum err err = sqlite_err(sqlite3_prepare_v2(
        store->db, "SELECT n, first_pos, created FROM outbox_segment ORDER BY n", -1, &stmt, NULL));

    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct segment segment = {.n = column_u64(stmt, 0),
                                  .first_pos = column_u64(stmt, 1),
                                  .created_us = sqlite3_column_int64(stmt, 2),
                                  .bytes = segment_bytes(store)};

        segment_remember(store, &segment);
    }
    (void)sqlite3_finalize(stmt);
    return err ? err : sqlite_err(code);
}

/* A position that was given once is never given again: an error here stops the start. */
enum err outbox_open(struct store *store)
{
    struct segment *newest;
    uint64_t last = 0;
    enum err err = read_segments(store);

    store->outbox_next = 1;
    if (err)
        return err;
    if (!store->segment_count) {
        atomic_store(&store->head.outbox_end, 1);
        return segment_new(store);
    }
    /* Full segments are what they are; only the newest must be weighed. */
    newest = &store->segments[store->segment_count - 1];
    err = segment_number(store, "max(pos)", newest->n, &last);
    if (!err)
        err = segment_number(store, "coalesce(sum(length(facts) + 24), 0)", newest->n,
                             &newest->bytes);
    if (err)
        return err;
    for (size_t i = 0; i < store->segment_count; i++)
        store->outbox_bytes += store->segments[i].bytes;
    store->outbox_next = last + 1 > newest->first_pos ? last + 1 : newest->first_pos;
    atomic_store(&store->head.outbox_end, store->outbox_next);
    return OK;
}

enum err outbox_append(struct store *store, struct op_event *event, uint64_t prev)
{
    struct segment *segment = &store->segments[store->segment_count - 1];
    enum err err = store->outbox_add ? OK : prepare_add(store);
    sqlite3_stmt *stmt = store->outbox_add;

    if (err)
        return err;
    event->pos = store->outbox_next;
    bind_u64(stmt, 1, event->pos);
    bind_u64(stmt, 2, prev);
    bind_eui(stmt, 3, event->dev_eui);
    (void)sqlite3_bind_int(stmt, 4, event->type);
    (void)sqlite3_bind_int64(stmt, 5, event->utc_us);
    bind_octets(stmt, 6, event->facts);
    err = sqlite_run(stmt);
    if (!err) {
        store->outbox_next++;
        segment->bytes += event->facts.n + ROW_OVERHEAD;
        store->outbox_bytes += event->facts.n + ROW_OVERHEAD;
    }
    return err;
}

static int64_t max_age_us(const struct store *store)
{
    int64_t age = store->options.outbox_max_age_us;

    return age ? age : OUTBOX_MAX_AGE_US;
}

/* A small network would need months to fill a segment, and keep its events for as long: so one also
 * ends with its time. */
static bool is_done(const struct store *store, const struct segment *segment)
{
    return segment->bytes >= segment_bytes(store) ||
           (store->outbox_next > segment->first_pos &&
            clock_utc(store->options.clock) - segment->created_us >
                max_age_us(store) / AGE_SEGMENTS);
}

enum err outbox_rotate(struct store *store, bool *did)
{
    enum err err = OK;

    *did = false;
    if (is_done(store, &store->segments[store->segment_count - 1])) {
        err = segment_new(store);
        *did = !err;
    }
    return err;
}

static bool outdated(const struct store *store)
{
    const struct store_options *options = &store->options;
    uint64_t most = options->outbox_max_bytes ? options->outbox_max_bytes : OUTBOX_MAX_BYTES;

    /* A segment ends when the next begins: that one's creation dates its newest event. */
    return store->segment_count > 1 &&
           (store->outbox_bytes > most ||
            clock_utc(options->clock) - store->segments[1].created_us > max_age_us(store));
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
        if (!sqlite3_get_autocommit(store->db))
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
