/*
 * sqlite_read.c - readers: keys, events, audit, backup. Records are in sqlite_record.c.
 *
 * A reader has a connection of its own. Statements that come often are prepared once and kept;
 * each is reset as soon as its row was copied, for an open one would hold back the checkpoint.
 */
#include "core/log.h"
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err sqlite_reader_open(struct store *store, struct store_reader **out)
{
    struct store_reader *reader = xcalloc(1, sizeof(*reader));
    enum err err = sqlite_connect(store->file, store->options.vfs, CONNECT_READER, &reader->db);

    reader->store = store;
    if (err) {
        free(reader);
        return err;
    }
    *out = reader;
    return OK;
}

void sqlite_reader_close(struct store_reader *reader)
{
    for (size_t i = 0; i < READ_COUNT; i++)
        (void)sqlite3_finalize(reader->stmts[i]);
    for (int i = 0; i < RECORD_KEEP; i++)
        (void)sqlite3_finalize(reader->records[i]);
    for (size_t i = 0; i < SCAN_COUNT; i++)
        (void)sqlite3_finalize(reader->scans[i].stmt);
    (void)sqlite3_close_v2(reader->db);
    free(reader->segments);
    free(reader);
}

enum err reader_prepare(struct store_reader *reader, const char *sql, sqlite3_stmt **stmt)
{
    enum err err =
        sqlite_err(sqlite3_prepare_v3(reader->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL));

    if (err)
        LOG_ERROR("read_statement", log_str("sql", sql),
                  log_str("reason", sqlite3_errmsg(reader->db)));
    return err;
}

enum err reader_stmt(struct store_reader *reader, enum read_sql which, sqlite3_stmt **stmt)
{
    static const char *const texts[READ_COUNT] = {
#define X(name, text) [name] = (text),
        READ_TABLE(X)
#undef X
    };
    enum err err =
        reader->stmts[which] ? OK : reader_prepare(reader, texts[which], &reader->stmts[which]);

    *stmt = reader->stmts[which];
    return err;
}

/* ---- keys and nonces ------------------------------------------------------------------------- */

enum err sqlite_keys_get(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                         struct bytes *sealed)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err = reader_stmt(reader, READ_KEYS, &stmt);

    if (err)
        return err;
    bind_eui(stmt, 1, dev_eui);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *sealed = column_blob(stmt, 0, arena);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? ERR_NOT_FOUND : sqlite_err(code);
}

enum err sqlite_join_state_get(struct store_reader *reader, struct lw_eui dev_eui,
                               struct join_state *state)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err = reader_stmt(reader, READ_JOIN, &stmt);

    *state = (struct join_state){.last_dev_nonce = -1};
    if (err)
        return err;
    bind_eui(stmt, 1, dev_eui);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *state = (struct join_state){.join_nonce = (uint32_t)column_u64(stmt, 0),
                                     .last_dev_nonce = sqlite3_column_int(stmt, 1)};
    (void)sqlite3_reset(stmt);
    return sqlite_err(code);
}

enum err sqlite_nonce_used(struct store_reader *reader, const struct op_nonce *nonce, bool *used)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err = reader_stmt(reader, READ_NONCE, &stmt);

    if (err)
        return err;
    bind_eui(stmt, 1, nonce->dev_eui);
    bind_eui(stmt, 2, nonce->join_eui);
    (void)sqlite3_bind_int(stmt, 3, nonce->nonce);
    code = sqlite3_step(stmt);
    *used = code == SQLITE_ROW;
    (void)sqlite3_reset(stmt);
    return sqlite_err(code);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Begins a read transaction, within which no segment is dropped, and reads which there are. */
static enum err begin_events(struct store_reader *reader)
{
    sqlite3_stmt *begin, *stmt;
    int code = SQLITE_DONE;
    enum err err = reader_stmt(reader, READ_BEGIN, &begin);

    if (!err)
        err = reader_stmt(reader, READ_SEGMENTS, &stmt);
    if (!err)
        err = sqlite_run(begin);
    reader->segment_count = 0;
    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        reader->segments =
            xrealloc(reader->segments, (reader->segment_count + 1) * sizeof(*reader->segments));
        reader->segments[reader->segment_count++] =
            (struct segment){.n = column_u64(stmt, 0),
                             .first_pos = column_u64(stmt, 1),
                             .created_us = sqlite3_column_int64(stmt, 2)};
    }
    if (!err)
        (void)sqlite3_reset(stmt);
    return err ? err : sqlite_err(code);
}

static enum err end_events(struct store_reader *reader, enum err err)
{
    sqlite3_stmt *end;

    if (sqlite3_get_autocommit(reader->db))
        return err;
    if (reader_stmt(reader, READ_END, &end) == OK)
        (void)sqlite_run(end);
    return err;
}

/* The statement of a kind over a segment: the last one again, or a new one. */
static enum err scan_stmt(struct store_reader *reader, enum scan_kind kind, uint64_t n,
                          sqlite3_stmt **stmt)
{
    static const char *const tails[SCAN_COUNT] = {"pos >= ? ORDER BY pos",
                                                  "pos < ? ORDER BY pos DESC", "pos = ?"};
    struct segment_scan *scan = &reader->scans[kind];
    char sql[160];
    enum err err;

    *stmt = scan->stmt;
    if (scan->stmt && scan->n == n)
        return OK;
    (void)sqlite3_finalize(scan->stmt);
    *scan = (struct segment_scan){.n = n};
    (void)snprintf(sql, sizeof(sql),
                   "SELECT pos, prev, dev_eui, type, time, facts FROM outbox_%llu WHERE %s",
                   (unsigned long long)n, tails[kind]);
    err = reader_prepare(reader, sql, &scan->stmt);
    *stmt = scan->stmt;
    return err;
}

static void event_of_row(sqlite3_stmt *stmt, struct arena *arena, struct stored_event *event)
{
    *event = (struct stored_event){.pos = column_u64(stmt, 0),
                                   .prev = column_u64(stmt, 1),
                                   .dev_eui = {column_u64(stmt, 2)},
                                   .type = (uint8_t)sqlite3_column_int(stmt, 3),
                                   .utc_us = sqlite3_column_int64(stmt, 4),
                                   .facts = column_blob(stmt, 5, arena)};
}

struct event_scan {
    event_visitor *visit;
    void *arg;
    size_t left;
    bool ended;
    uint64_t last;
};

static void bind_position(sqlite3_stmt *stmt, uint64_t pos)
{
    bind_u64(stmt, 1, pos > INT64_MAX ? INT64_MAX : pos);
}

/* Visits the rows of one segment. */
static enum err scan_segment(struct store_reader *reader, enum scan_kind kind, uint64_t n,
                             uint64_t bound, struct event_scan *scan)
{
    sqlite3_stmt *stmt;
    int code = SQLITE_DONE;
    enum err err = scan_stmt(reader, kind, n, &stmt);

    if (err)
        return err;
    bind_position(stmt, bound);
    while (scan->left > 0 && !scan->ended && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct stored_event event;

        event_of_row(stmt, NULL, &event);
        scan->left--;
        scan->last = event.pos;
        scan->ended = !scan->visit(scan->arg, &event);
    }
    (void)sqlite3_reset(stmt);
    return sqlite_err(code);
}

enum err sqlite_events_from(struct store_reader *reader, uint64_t from, size_t limit,
                            event_visitor *visit, void *arg)
{
    struct event_scan scan = {.visit = visit, .arg = arg, .left = limit};
    enum err err = begin_events(reader);

    for (size_t i = 0; !err && scan.left && !scan.ended && i < reader->segment_count; i++) {
        if (i + 1 < reader->segment_count && reader->segments[i + 1].first_pos <= from)
            continue;
        err = scan_segment(reader, SCAN_UP, reader->segments[i].n, from, &scan);
    }
    return end_events(reader, err);
}

enum err sqlite_events_back(struct store_reader *reader, uint64_t before, size_t limit,
                            event_visitor *visit, void *arg, uint64_t *last)
{
    struct event_scan scan = {.visit = visit, .arg = arg, .left = limit, .last = before};
    enum err err = begin_events(reader);

    for (size_t i = reader->segment_count; !err && scan.left && !scan.ended && i-- > 0;) {
        if (reader->segments[i].first_pos < before)
            err = scan_segment(reader, SCAN_DOWN, reader->segments[i].n, before, &scan);
    }
    /* Everything below was looked at: nothing is left. */
    *last = scan.left && !scan.ended ? 0 : scan.last;
    return end_events(reader, err);
}

static enum err read_event(struct store_reader *reader, uint64_t n, uint64_t pos,
                           struct arena *arena, struct stored_event *event)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err = scan_stmt(reader, SCAN_AT, n, &stmt);

    if (err)
        return err;
    bind_position(stmt, pos);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        event_of_row(stmt, arena, event);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? ERR_NOT_FOUND : sqlite_err(code);
}

enum err sqlite_event_at(struct store_reader *reader, uint64_t pos, struct arena *arena,
                         struct stored_event *event)
{
    size_t i;
    enum err err = begin_events(reader);

    for (i = reader->segment_count; i > 0 && reader->segments[i - 1].first_pos > pos; i--)
        continue;
    if (!err)
        err = i ? read_event(reader, reader->segments[i - 1].n, pos, arena, event) : ERR_NOT_FOUND;
    return end_events(reader, err);
}

/* The writer knows; a mutex guards what it tells. */
enum err sqlite_event_last(struct store_reader *reader, struct lw_eui dev_eui, uint64_t *pos)
{
    struct store *store = reader->store;
    const struct live *live;

    (void)pthread_mutex_lock(&store->live_lock);
    live = live_get(&store->live, dev_eui.v);
    *pos = live ? live->last_pos : 0;
    (void)pthread_mutex_unlock(&store->live_lock);
    return OK;
}

/* ---- audit and backup ------------------------------------------------------------------------ */

enum err sqlite_audit_list(struct store_reader *reader, uint64_t before, size_t limit,
                           struct arena *arena, struct audit_entry **entries, size_t *n)
{
    sqlite3_stmt *stmt;
    int code = SQLITE_DONE;
    enum err err = reader_stmt(reader, READ_AUDIT, &stmt);

    *n = 0;
    *entries = arena_array(arena, struct audit_entry, limit);
    if (err)
        return err;
    bind_position(stmt, before);
    bind_u64(stmt, 2, limit);
    while (*n < limit && (code = sqlite3_step(stmt)) == SQLITE_ROW)
        (*entries)[(*n)++] = (struct audit_entry){.id = column_u64(stmt, 0),
                                                  .utc_us = sqlite3_column_int64(stmt, 1),
                                                  .json = column_blob(stmt, 2, arena)};
    (void)sqlite3_reset(stmt);
    return sqlite_err(code);
}

static enum err vacuum_into(struct store_reader *reader, const char *file)
{
    sqlite3_stmt *stmt;
    enum err err = reader_prepare(reader, "VACUUM INTO ?", &stmt);

    if (err)
        return err;
    (void)sqlite3_bind_text(stmt, 1, file, -1, SQLITE_STATIC);
    err = sqlite_err(sqlite3_step(stmt));
    (void)sqlite3_finalize(stmt);
    return err;
}

static bool sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return good;
}

/* SQLite does not sync what it vacuums into. */
enum err sqlite_backup(struct store_reader *reader, const char *file, struct arena *arena,
                       const char **why)
{
    enum err err;

    if (access(file, F_OK) == 0) {
        *why = arena_printf(arena, "%s exists already", file);
        return ERR_EXISTS;
    }
    err = sqlite_exec(reader->db, "PRAGMA query_only = OFF");
    if (!err)
        err = vacuum_into(reader, file);
    if (err)
        *why = arena_printf(arena, "%s: %s", file, sqlite3_errmsg(reader->db));
    if (sqlite_exec(reader->db, "PRAGMA query_only = ON") && !err)
        err = ERR_STORE;
    if (!err && !(sync_path(file) && sync_path(dirname(arena_strdup(arena, file))))) {
        *why = arena_printf(arena, "%s: %s", file, strerror(errno));
        err = ERR_IO;
    }
    return err;
}
