/*
 * sqlite_read.c - readers: records, keys, events, and the load at start-up.
 *
 * A reader has a connection of its own; its statements are prepared as they are needed. Lists are
 * by key (keyset paging), so a page costs the same however far down it is.
 */
#include "core/log.h"
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum err store_reader_open(struct store *store, struct store_reader **out)
{
    struct store_reader *reader = xcalloc(1, sizeof(*reader));
    enum err err = sqlite_connect(store->file, false, &reader->db);

    reader->store = store;
    if (err) {
        free(reader);
        return err;
    }
    *out = reader;
    return OK;
}

void store_reader_close(struct store_reader *reader)
{
    (void)sqlite3_finalize(reader->list);
    (void)sqlite3_close_v2(reader->db);
    free(reader->segments);
    free(reader);
}

static enum err prepare(struct store_reader *reader, const char *sql, sqlite3_stmt **stmt)
{
    enum err err = sqlite_err(sqlite3_prepare_v2(reader->db, sql, -1, stmt, NULL));

    if (err)
        LOG_ERROR("read_statement", log_str("sql", sql),
                  log_str("reason", sqlite3_errmsg(reader->db)));
    return err;
}

/* ---- records --------------------------------------------------------------------------------- */

static const char *key_name(enum record_type type)
{
    return type == REC_DEVICE ? "dev_eui" : type == REC_GATEWAY ? "gateway_id" : "id";
}

/* Binds 8 octets as the integer of an EUI, anything else as a blob. */
static void bind_value(sqlite3_stmt *stmt, int at, struct bytes value)
{
    struct rd rd = rd_bytes(value);

    if (value.n == 8)
        (void)sqlite3_bind_int64(stmt, at, (sqlite3_int64)rd_u64be(&rd));
    else
        (void)sqlite3_bind_blob(stmt, at, value.p, (int)value.n, SQLITE_STATIC);
}

/* Columns 0..3: rev, created, updated, doc. */
static enum err record_of_row(sqlite3_stmt *stmt, enum record_type type, struct arena *arena,
                              void **record)
{
    enum err err = record_from_doc(type, (const char *)sqlite3_column_text(stmt, 3),
                                   (size_t)sqlite3_column_bytes(stmt, 3), arena, record);

    if (!err)
        *(struct record_head *)*record =
            (struct record_head){.rev = (uint64_t)sqlite3_column_int64(stmt, 0),
                                 .created_us = sqlite3_column_int64(stmt, 1),
                                 .updated_us = sqlite3_column_int64(stmt, 2)};
    return err;
}

/* Reads the one record that a bound statement selects, and ends the statement. */
static enum err one_record(sqlite3_stmt *stmt, enum record_type type, struct arena *arena,
                           void **record)
{
    int code = sqlite3_step(stmt);
    enum err err = code == SQLITE_ROW    ? record_of_row(stmt, type, arena, record)
                   : code == SQLITE_DONE ? ERR_NOT_FOUND
                                         : sqlite_err(code);

    (void)sqlite3_finalize(stmt);
    return err;
}

enum err store_record_get(struct store_reader *reader, enum record_type type,
                          const struct record_key *key, struct arena *arena, void **record)
{
    sqlite3_stmt *stmt;
    enum err err =
        prepare(reader,
                arena_printf(arena, "SELECT rev, created, updated, doc FROM %s WHERE %s = ?",
                             record_types[type].table, key_name(type)),
                &stmt);

    if (err)
        return err;
    bind_value(stmt, 1, (struct bytes){key->b, key->n});
    return one_record(stmt, type, arena, record);
}

enum err store_user_by_email(struct store_reader *reader, const char *email, struct arena *arena,
                             struct user **user)
{
    sqlite3_stmt *stmt;
    void *record = NULL;
    enum err err =
        prepare(reader, "SELECT rev, created, updated, doc FROM user WHERE email = ?", &stmt);

    if (err)
        return err;
    (void)sqlite3_bind_text(stmt, 1, email, -1, SQLITE_STATIC);
    err = one_record(stmt, REC_USER, arena, &record);
    *user = record;
    return err;
}

/* The WHERE clause of a query as text with `?` in the order of bind_query. */
static const char *where_of(enum record_type type, const struct record_query *query,
                            struct arena *arena)
{
    const struct record_type_info *info = &record_types[type];
    const char *where = "1", *marks = "", *search = "";

    for (size_t i = 0; i < query->filter_count; i++)
        where = arena_printf(arena, "%s AND %s = ?", where, query->filters[i].column);
    if (query->tenants) {
        const char *column = type == REC_TENANT ? "id" : "tenant_id";

        for (size_t i = 0; i < query->tenant_count; i++)
            marks = arena_printf(arena, "%s%s?", marks, i ? "," : "");
        if (type == REC_USER)
            where = "0";
        else if (type == REC_DEVICE)
            where = arena_printf(arena,
                                 "%s AND application_id IN (SELECT id FROM application "
                                 "WHERE tenant_id IN (%s))",
                                 where, marks);
        else
            where = arena_printf(arena, "%s AND %s IN (%s)", where, column, marks);
    }
    if (query->search) {
        for (const struct field *f = info->fields; f->kind != F_END; f++) {
            if (f->flags & F_SEARCH)
                search = arena_printf(arena, "%s OR %s LIKE ?%u ESCAPE '\\'", search, f->name, 99u);
        }
        if (type == REC_DEVICE || type == REC_GATEWAY)
            search = arena_printf(arena, "%s OR printf('%%016x', %s) LIKE ?99 ESCAPE '\\'", search,
                                  key_name(type));
        where = arena_printf(arena, "%s AND (0%s)", where, search);
    }
    return where;
}

/* %, _ and \ of a search are meant literally. */
static const char *like_of(const char *search, struct arena *arena)
{
    char *to = arena_alloc(arena, 2 * strlen(search) + 3), *p = to;

    *p++ = '%';
    for (; *search; search++) {
        if (*search == '%' || *search == '_' || *search == '\\')
            *p++ = '\\';
        *p++ = *search;
    }
    *p++ = '%';
    return to;
}

static int bind_query(sqlite3_stmt *stmt, enum record_type type, const struct record_query *query,
                      struct arena *arena)
{
    int at = 1;

    for (size_t i = 0; i < query->filter_count; i++)
        bind_value(stmt, at++, query->filters[i].value);
    for (size_t i = 0; type != REC_USER && query->tenants && i < query->tenant_count; i++)
        bind_value(stmt, at++, (struct bytes){query->tenants[i].b, 16});
    if (query->search)
        (void)sqlite3_bind_text(stmt, 99, like_of(query->search, arena), -1, SQLITE_STATIC);
    return at;
}

enum err store_record_count(struct store_reader *reader, enum record_type type,
                            const struct record_query *query, uint64_t *count)
{
    struct arena arena;
    sqlite3_stmt *stmt;
    enum err err;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    err = prepare(reader,
                  arena_printf(&arena, "SELECT count(*) FROM %s WHERE %s", record_types[type].table,
                               where_of(type, query, &arena)),
                  &stmt);
    if (!err) {
        (void)bind_query(stmt, type, query, &arena);
        err = sqlite_err(sqlite3_step(stmt));
        *count = (uint64_t)sqlite3_column_int64(stmt, 0);
        (void)sqlite3_finalize(stmt);
    }
    arena_reset(&arena);
    return err;
}

/* EUIs are signed in the row: in order of the bits, those from 8000... on come after the others. */
static const char *order_of(enum record_type type, bool after, struct arena *arena)
{
    const char *key = key_name(type);

    if (type != REC_DEVICE && type != REC_GATEWAY)
        return arena_printf(arena, "%s ORDER BY %s",
                            after ? arena_printf(arena, "AND %s > ?98", key) : "", key);
    return arena_printf(
        arena, "%s ORDER BY %s < 0, %s",
        after ? arena_printf(arena, "AND (%s < 0, %s) > (?98 < 0, ?98)", key, key) : "", key, key);
}

enum err store_record_list(struct store_reader *reader, enum record_type type,
                           const struct record_query *query, struct arena *arena,
                           struct record_page *page)
{
    sqlite3_stmt *stmt;
    int code = SQLITE_DONE;
    enum err err = prepare(
        reader,
        arena_printf(arena, "SELECT rev, created, updated, doc FROM %s WHERE %s %s LIMIT %zu",
                     record_types[type].table, where_of(type, query, arena),
                     order_of(type, query->after.n > 0, arena), query->limit + 1),
        &stmt);

    *page = (struct record_page){.records = arena_array(arena, void *, query->limit + 1)};
    if (err)
        return err;
    (void)bind_query(stmt, type, query, arena);
    if (query->after.n)
        bind_value(stmt, 98, (struct bytes){query->after.b, query->after.n});
    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (page->n == query->limit) {
            page->more = true;
            break;
        }
        err = record_of_row(stmt, type, arena, &page->records[page->n++]);
    }
    (void)sqlite3_finalize(stmt);
    if (!err)
        err = sqlite_err(code);
    if (!err && query->want_total)
        err = store_record_count(reader, type, query, &page->total);
    return err;
}

/* ---- keys and nonces ------------------------------------------------------------------------- */

enum err store_keys_get(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                        struct bytes *sealed)
{
    sqlite3_stmt *stmt;
    enum err err = prepare(reader, "SELECT sealed FROM device_keys WHERE dev_eui = ?", &stmt);
    int code;

    if (err)
        return err;
    bind_eui(stmt, 1, dev_eui);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *sealed = column_blob(stmt, 0, arena);
    (void)sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? ERR_NOT_FOUND : sqlite_err(code);
}

enum err store_join_state_get(struct store_reader *reader, struct lw_eui dev_eui,
                              struct join_state *state)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err = prepare(
        reader, "SELECT join_nonce, last_dev_nonce FROM join_state WHERE dev_eui = ?", &stmt);

    *state = (struct join_state){.last_dev_nonce = -1};
    if (err)
        return err;
    bind_eui(stmt, 1, dev_eui);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        *state = (struct join_state){.join_nonce = (uint32_t)sqlite3_column_int64(stmt, 0),
                                     .last_dev_nonce = sqlite3_column_int(stmt, 1)};
    (void)sqlite3_finalize(stmt);
    return sqlite_err(code);
}

enum err store_nonce_used(struct store_reader *reader, const struct op_nonce *nonce, bool *used)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err = prepare(
        reader, "SELECT 1 FROM dev_nonce WHERE dev_eui = ? AND join_eui = ? AND nonce = ?", &stmt);

    if (err)
        return err;
    bind_eui(stmt, 1, nonce->dev_eui);
    bind_eui(stmt, 2, nonce->join_eui);
    (void)sqlite3_bind_int(stmt, 3, nonce->nonce);
    code = sqlite3_step(stmt);
    *used = code == SQLITE_ROW;
    (void)sqlite3_finalize(stmt);
    return sqlite_err(code);
}

/* ---- events ---------------------------------------------------------------------------------- */

/* Reads which segments there are, unless the known ones cover `pos` and more. */
static enum err refresh_segments(struct store_reader *reader)
{
    sqlite3_stmt *stmt;
    enum err err =
        prepare(reader, "SELECT n, first_pos, created FROM outbox_segment ORDER BY n", &stmt);

    if (err)
        return err;
    reader->segment_count = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        reader->segments =
            xrealloc(reader->segments, (reader->segment_count + 1) * sizeof(*reader->segments));
        reader->segments[reader->segment_count++] =
            (struct segment){.n = (uint64_t)sqlite3_column_int64(stmt, 0),
                             .first_pos = (uint64_t)sqlite3_column_int64(stmt, 1),
                             .created_us = sqlite3_column_int64(stmt, 2)};
    }
    (void)sqlite3_finalize(stmt);
    return OK;
}

static void event_of_row(sqlite3_stmt *stmt, struct arena *arena, struct stored_event *event)
{
    *event = (struct stored_event){.pos = (uint64_t)sqlite3_column_int64(stmt, 0),
                                   .prev = (uint64_t)sqlite3_column_int64(stmt, 1),
                                   .dev_eui = {(uint64_t)sqlite3_column_int64(stmt, 2)},
                                   .type = (uint8_t)sqlite3_column_int(stmt, 3),
                                   .utc_us = sqlite3_column_int64(stmt, 4),
                                   .facts = column_blob(stmt, 5, arena)};
}

#define EVENT_COLUMNS "SELECT pos, prev, dev_eui, type, time, facts FROM outbox_%llu "

struct event_scan {
    event_visitor *visit;
    void *arg;
    size_t left;
    bool ended;
    uint64_t last;
};

/* Visits the rows of one bound statement. */
static enum err scan_segment(struct store_reader *reader, const char *sql, uint64_t bound,
                             struct event_scan *scan)
{
    sqlite3_stmt *stmt;
    int code = SQLITE_DONE;
    enum err err = prepare(reader, sql, &stmt);

    if (err)
        return err;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)(bound > INT64_MAX ? INT64_MAX : bound));
    while (scan->left > 0 && !scan->ended && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct stored_event event;

        event_of_row(stmt, NULL, &event);
        scan->left--;
        scan->last = event.pos;
        scan->ended = !scan->visit(scan->arg, &event);
    }
    (void)sqlite3_finalize(stmt);
    return sqlite_err(code);
}

enum err store_events_from(struct store_reader *reader, uint64_t from, size_t limit,
                           event_visitor *visit, void *arg)
{
    struct event_scan scan = {.visit = visit, .arg = arg, .left = limit};
    enum err err = refresh_segments(reader);
    char sql[160];

    for (size_t i = 0; !err && scan.left && !scan.ended && i < reader->segment_count; i++) {
        if (i + 1 < reader->segment_count && reader->segments[i + 1].first_pos <= from)
            continue;
        (void)snprintf(sql, sizeof(sql), EVENT_COLUMNS "WHERE pos >= ? ORDER BY pos",
                       (unsigned long long)reader->segments[i].n);
        err = scan_segment(reader, sql, from, &scan);
    }
    return err;
}

enum err store_events_back(struct store_reader *reader, uint64_t before, size_t limit,
                           event_visitor *visit, void *arg, uint64_t *last)
{
    struct event_scan scan = {.visit = visit, .arg = arg, .left = limit, .last = before};
    enum err err = refresh_segments(reader);
    char sql[160];

    for (size_t i = reader->segment_count; !err && scan.left && !scan.ended && i-- > 0;) {
        if (reader->segments[i].first_pos >= before)
            continue;
        (void)snprintf(sql, sizeof(sql), EVENT_COLUMNS "WHERE pos < ? ORDER BY pos DESC",
                       (unsigned long long)reader->segments[i].n);
        err = scan_segment(reader, sql, before, &scan);
    }
    /* Everything below was looked at: nothing is left. */
    *last = scan.left && !scan.ended ? 0 : scan.last;
    return err;
}

enum err store_event_at(struct store_reader *reader, uint64_t pos, struct arena *arena,
                        struct stored_event *event)
{
    sqlite3_stmt *stmt;
    size_t i;
    int code;
    enum err err = refresh_segments(reader);

    for (i = reader->segment_count; i > 0 && reader->segments[i - 1].first_pos > pos; i--)
        continue;
    if (err || i == 0)
        return err ? err : ERR_NOT_FOUND;
    err = prepare(reader,
                  arena_printf(arena, EVENT_COLUMNS "WHERE pos = ?",
                               (unsigned long long)reader->segments[i - 1].n),
                  &stmt);
    if (err)
        return err;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)pos);
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        event_of_row(stmt, arena, event);
    (void)sqlite3_finalize(stmt);
    return code == SQLITE_DONE ? ERR_NOT_FOUND : sqlite_err(code);
}

enum err store_audit_list(struct store_reader *reader, uint64_t before, size_t limit,
                          struct arena *arena, struct audit_entry **entries, size_t *n)
{
    sqlite3_stmt *stmt;
    enum err err = prepare(
        reader, "SELECT id, time, entry FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?", &stmt);

    *n = 0;
    *entries = arena_array(arena, struct audit_entry, limit);
    if (err)
        return err;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)(before > INT64_MAX ? INT64_MAX : before));
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)limit);
    while (*n < limit && sqlite3_step(stmt) == SQLITE_ROW)
        (*entries)[(*n)++] = (struct audit_entry){.id = (uint64_t)sqlite3_column_int64(stmt, 0),
                                                  .utc_us = sqlite3_column_int64(stmt, 1),
                                                  .json = column_blob(stmt, 2, arena)};
    (void)sqlite3_finalize(stmt);
    return OK;
}

enum err store_backup(struct store_reader *reader, const char *file, struct arena *arena,
                      const char **why)
{
    sqlite3_stmt *stmt;
    int code;
    enum err err;

    if (access(file, F_OK) == 0) {
        *why = arena_printf(arena, "%s exists already", file);
        return ERR_EXISTS;
    }
    err = prepare(reader, "VACUUM INTO ?", &stmt);
    if (err)
        return err;
    (void)sqlite3_bind_text(stmt, 1, file, -1, SQLITE_STATIC);
    code = sqlite3_step(stmt);
    (void)sqlite3_finalize(stmt);
    if (code != SQLITE_DONE)
        *why = arena_printf(arena, "%s: %s", file, sqlite3_errmsg(reader->db));
    return sqlite_err(code);
}
