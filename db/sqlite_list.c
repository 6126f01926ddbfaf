/*
 * sqlite_list.c - reading records: one by key, and lists.
 *
 * Lists are by key (keyset paging), so a page costs the same however far down it is. EUIs are
 * signed in the row, so a list of them is read in two parts, each in the order of the key.
 */
#include "core/log.h"
#include "db/sqlite.h"

#include <string.h>

/* Parameters of a list: ?1 the search, ?2 `after`, ?3 on the filters, then the tenants. */
enum { AT_SEARCH = 1, AT_AFTER, AT_FILTERS };

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

static enum err one_record(sqlite3_stmt *stmt, enum record_type type, struct arena *arena,
                           void **record)
{
    int code = sqlite3_step(stmt);
    enum err err = code == SQLITE_ROW    ? record_of_row(stmt, type, arena, record)
                   : code == SQLITE_DONE ? ERR_NOT_FOUND
                                         : sqlite_err(code);

    (void)sqlite3_reset(stmt);
    return err;
}

enum err store_record_get(struct store_reader *reader, enum record_type type,
                          const struct record_key *key, struct arena *arena, void **record)
{
    char sql[160];
    enum err err = OK;

    (void)snprintf(sql, sizeof(sql), "SELECT rev, created, updated, doc FROM %s WHERE %s = ?",
                   record_types[type].table, sqlite_key_column(type));
    if (!reader->records[type])
        err = reader_prepare(reader, sql, &reader->records[type]);
    if (err)
        return err;
    bind_value(reader->records[type], 1, (struct bytes){key->b, key->n});
    return one_record(reader->records[type], type, arena, record);
}

enum err store_user_by_email(struct store_reader *reader, const char *email, struct arena *arena,
                             struct user **user)
{
    sqlite3_stmt *stmt;
    void *record = NULL;
    enum err err = reader_stmt(reader, READ_USER, &stmt);

    if (err)
        return err;
    (void)sqlite3_bind_text(stmt, 1, email, -1, SQLITE_STATIC);
    err = one_record(stmt, REC_USER, arena, &record);
    *user = record;
    return err;
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* Columns come from our own callers; one that is no parent or key of the type is refused. */
static bool may_filter(enum record_type type, const char *column)
{
    char name[64];

    for (const struct field *f = record_types[type].fields; f->kind != F_END; f++) {
        sqlite_column_name(name, sizeof(name), f->name);
        if (f->flags & (F_PARENT | F_KEY) && strcmp(name, column) == 0)
            return true;
    }
    return false;
}

static const char *marks_of(size_t n, struct arena *arena)
{
    char *marks = arena_alloc(arena, 2 * n + 1);

    for (size_t i = 0; i < n; i++) {
        marks[2 * i] = '?';
        marks[2 * i + 1] = i + 1 < n ? ',' : '\0';
    }
    return marks;
}

static const char *tenants_where(enum record_type type, const struct record_query *query,
                                 struct arena *arena)
{
    const char *marks = marks_of(query->tenant_count, arena);

    if (type == REC_USER)
        return "0";
    if (type == REC_DEVICE)
        return arena_printf(arena,
                            "application_id IN (SELECT id FROM application "
                            "WHERE tenant_id IN (%s))",
                            marks);
    return arena_printf(arena, "%s IN (%s)", type == REC_TENANT ? "id" : "tenant_id", marks);
}

static const char *search_where(enum record_type type, struct arena *arena)
{
    const char *where = "0";

    for (const struct field *f = record_types[type].fields; f->kind != F_END; f++) {
        if (f->flags & F_SEARCH)
            where = arena_printf(arena, "%s OR %s LIKE ?1 ESCAPE '\\'", where, f->name);
    }
    if (type == REC_DEVICE || type == REC_GATEWAY)
        where = arena_printf(arena, "%s OR printf('%%016x', %s) LIKE ?1 ESCAPE '\\'", where,
                             sqlite_key_column(type));
    return where;
}

/* The WHERE clause of a query; parameters are bound by bind_query. */
static enum err where_of(enum record_type type, const struct record_query *query,
                         struct arena *arena, const char **where)
{
    unsigned at = AT_FILTERS;

    /* Names ?3 even if there is no filter, so that tenants come after it. */
    *where = "?3 IS ?3";
    for (size_t i = 0; i < query->filter_count; i++) {
        if (!may_filter(type, query->filters[i].column))
            return ERR_INVALID;
        *where = arena_printf(arena, "%s AND %s = ?%u", *where, query->filters[i].column, at++);
    }
    if (query->tenants)
        *where = arena_printf(arena, "%s AND %s", *where, tenants_where(type, query, arena));
    if (query->search)
        *where = arena_printf(arena, "%s AND (%s)", *where, search_where(type, arena));
    return OK;
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

static void bind_query(sqlite3_stmt *stmt, enum record_type type, const struct record_query *query,
                       struct arena *arena)
{
    int at = AT_FILTERS;

    if (query->search)
        (void)sqlite3_bind_text(stmt, AT_SEARCH, like_of(query->search, arena), -1, SQLITE_STATIC);
    if (query->after.n)
        bind_value(stmt, AT_AFTER, (struct bytes){query->after.b, query->after.n});
    for (size_t i = 0; i < query->filter_count; i++)
        bind_value(stmt, at++, query->filters[i].value);
    if (at == AT_FILTERS)
        at++;
    for (size_t i = 0; type != REC_USER && query->tenants && i < query->tenant_count; i++)
        bind_value(stmt, at++, (struct bytes){query->tenants[i].b, 16});
}

enum err store_record_count(struct store_reader *reader, enum record_type type,
                            const struct record_query *query, uint64_t *count)
{
    struct arena arena;
    sqlite3_stmt *stmt;
    const char *where;
    enum err err;

    *count = 0;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    err = where_of(type, query, &arena, &where);
    if (!err)
        err = reader_prepare(reader,
                             arena_printf(&arena, "SELECT count(*) FROM %s WHERE %s",
                                          record_types[type].table, where),
                             &stmt);
    if (!err) {
        bind_query(stmt, type, query, &arena);
        err = sqlite_err(sqlite3_step(stmt));
        *count = column_u64(stmt, 0);
        (void)sqlite3_finalize(stmt);
    }
    arena_reset(&arena);
    return err;
}

/* One part of a list: all keys, or those of one sign. */
static enum err list_part(struct store_reader *reader, enum record_type type,
                          const struct record_query *query, const char *part, struct arena *arena,
                          struct record_page *page)
{
    sqlite3_stmt *stmt;
    const char *where;
    int code = SQLITE_DONE;
    enum err err = where_of(type, query, arena, &where);

    if (!err)
        err = reader_prepare(reader,
                             arena_printf(arena,
                                          "SELECT rev, created, updated, doc FROM %s "
                                          "WHERE %s %s ORDER BY %s LIMIT %zu",
                                          record_types[type].table, where, part,
                                          sqlite_key_column(type), query->limit + 1 - page->n),
                             &stmt);
    if (err)
        return err;
    bind_query(stmt, type, query, arena);
    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (page->n == query->limit) {
            page->more = true;
            break;
        }
        err = record_of_row(stmt, type, arena, &page->records[page->n]);
        page->n += !err;
    }
    (void)sqlite3_finalize(stmt);
    return err ? err : sqlite_err(code);
}

static enum err list_euis(struct store_reader *reader, enum record_type type,
                          const struct record_query *query, struct arena *arena,
                          struct record_page *page)
{
    const char *key = sqlite_key_column(type);
    bool after = query->after.n > 0, second = after && query->after.b[0] >= 0x80;
    enum err err = OK;

    if (!second)
        err = list_part(reader, type, query,
                        after ? arena_printf(arena, "AND %s >= 0 AND %s > ?2", key, key)
                              : arena_printf(arena, "AND %s >= 0", key),
                        arena, page);
    if (!err && !page->more)
        err = list_part(reader, type, query,
                        second ? arena_printf(arena, "AND %s < 0 AND %s > ?2", key, key)
                               : arena_printf(arena, "AND %s < 0", key),
                        arena, page);
    return err;
}

enum err store_record_list(struct store_reader *reader, enum record_type type,
                           const struct record_query *query, struct arena *arena,
                           struct record_page *page)
{
    enum err err;

    *page = (struct record_page){.records = arena_array(arena, void *, query->limit + 1)};
    if (type == REC_DEVICE || type == REC_GATEWAY)
        err = list_euis(reader, type, query, arena, page);
    else
        err = list_part(reader, type, query,
                        query->after.n ? arena_printf(arena, "AND %s > ?2", sqlite_key_column(type))
                                       : "",
                        arena, page);
    if (!err && query->want_total)
        err = store_record_count(reader, type, query, &page->total);
    return err;
}
