/*
 * record_list.c - reading records on any engine: one by key, and lists.
 *
 * Lists are by key (keyset paging), so a page costs the same however far down it is. EUIs are
 * signed in the row, so a list of them is read in two parts, each in the order of the key.
 */
#include "db/engine.h"

#include <stdio.h>
#include <string.h>

/* ---- texts ----------------------------------------------------------------------------------- */

static struct sql_query query_new(struct store_reader *reader, struct arena *arena)
{
    return (struct sql_query){
        .dialect = engine_at(reader)->dialect, .arena = arena, .text = "", .keep = -1};
}

/* Adds a parameter; its name in the text. */
static const char *put_value(struct sql_query *query, struct sql_value value)
{
    if (query->n == query->room) {
        struct sql_value *old = query->values;

        query->room = query->room ? 2 * query->room : 8;
        query->values = arena_array(query->arena, struct sql_value, query->room);
        if (query->n)
            memcpy(query->values, old, query->n * sizeof(*old));
    }
    query->values[query->n++] = value;
    return arena_printf(query->arena, "%c%zu", query->dialect->mark, query->n);
}

static struct sql_value text_value(const char *text)
{
    return (struct sql_value){.type = SQL_TYPE_TEXT, .b = {(const uint8_t *)text, strlen(text)}};
}

/* 8 octets are an EUI. */
static struct sql_value value_of(struct bytes b)
{
    struct rd rd = rd_bytes(b);

    if (b.n == 8)
        return (struct sql_value){.type = SQL_TYPE_INTEGER, .i = (int64_t)rd_u64be(&rd)};
    return (struct sql_value){.type = SQL_TYPE_BLOB, .b = b};
}

static void where_and(struct sql_query *query, const char *condition)
{
    query->text = arena_printf(query->arena, "%s%s%s", query->text,
                               *query->text ? " AND " : " WHERE ", condition);
}

/* Columns come from our own callers; one that is no parent or key of the type is refused. */
static bool may_filter(enum record_type type, const char *column)
{
    char name[64];

    for (const struct field *f = record_types[type].fields; f->kind != F_END; f++) {
        record_column_name(name, sizeof(name), f->name);
        if (f->flags & (F_PARENT | F_KEY) && strcmp(name, column) == 0)
            return true;
    }
    return false;
}

static const char *tenants_where(enum record_type type, const struct record_query *asked,
                                 struct sql_query *query)
{
    size_t room = 16 * asked->tenant_count, n = 0;
    char *marks;

    if (type == REC_USER || !asked->tenant_count)
        return "1 = 0";
    marks = arena_alloc(query->arena, room);
    for (size_t i = 0; i < asked->tenant_count; i++)
        n += (size_t)snprintf(marks + n, room - n, "%s%s", i ? "," : "",
                              put_value(query, value_of((struct bytes){asked->tenants[i].b, 16})));
    if (type == REC_DEVICE)
        return arena_printf(query->arena,
                            "application_id IN (SELECT id FROM application "
                            "WHERE tenant_id IN (%s))",
                            marks);
    return arena_printf(query->arena, "%s IN (%s)", type == REC_TENANT ? "id" : "tenant_id", marks);
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

static const char *search_where(enum record_type type, const char *search, struct sql_query *query)
{
    const struct sql_dialect *d = query->dialect;
    const char *mark = put_value(query, text_value(like_of(search, query->arena)));
    const char *where = "(1 = 0";

    for (const struct field *f = record_types[type].fields; f->kind != F_END; f++) {
        if (f->flags & F_SEARCH)
            where = arena_printf(query->arena, "%s OR %s %s %s ESCAPE '\\'", where, f->name,
                                 d->like, mark);
    }
    if (type == REC_DEVICE || type == REC_GATEWAY)
        where = arena_printf(query->arena, "%s OR %s%s%s %s %s ESCAPE '\\'", where, d->hex_of,
                             record_key_column(type), d->hex_end, d->like, mark);
    return arena_printf(query->arena, "%s)", where);
}

/* The WHERE clause of what was asked. */
static enum err where_of(enum record_type type, const struct record_query *asked,
                         struct sql_query *query)
{
    for (size_t i = 0; i < asked->filter_count; i++) {
        const struct record_filter *filter = &asked->filters[i];

        if (!may_filter(type, filter->column))
            return ERR_INVALID;
        where_and(query, arena_printf(query->arena, "%s = %s", filter->column,
                                      put_value(query, value_of(filter->value))));
    }
    if (asked->tenants)
        where_and(query, tenants_where(type, asked, query));
    if (asked->search)
        where_and(query, search_where(type, asked->search, query));
    return OK;
}

/* ---- one record ------------------------------------------------------------------------------ */

struct found {
    struct store *store;
    enum record_type type;
    struct arena *arena;
    void **record;
    bool any;
};

static enum err take_one(void *arg, const struct record_row *row)
{
    struct found *found = arg;

    found->any = true;
    return record_of_row(found->store, found->type, row, found->arena, found->record);
}

static enum err one_record(struct store_reader *reader, struct sql_query *query,
                           struct found *found)
{
    enum err err = engine_at(reader)->records(reader, query, take_one, found);

    return err || found->any ? err : ERR_NOT_FOUND;
}

enum err store_record_get(struct store_reader *reader, enum record_type type,
                          const struct record_key *key, struct arena *arena, void **record)
{
    struct sql_query query = query_new(reader, arena);
    struct found found = {
        .store = store_of(reader), .type = type, .arena = arena, .record = record};
    const char *mark = put_value(&query, record_key_value(key));

    query.keep = (int)type;
    query.text = arena_printf(
        arena, "SELECT rev, created, updated, doc, %s FROM \"%s\" WHERE %s = %s",
        record_key_column(type), record_types[type].table, record_key_column(type), mark);
    return one_record(reader, &query, &found);
}

enum err store_user_by_email(struct store_reader *reader, const char *email, struct arena *arena,
                             struct user **user)
{
    struct sql_query query = query_new(reader, arena);
    void *record = NULL;
    struct found found = {
        .store = store_of(reader), .type = REC_USER, .arena = arena, .record = &record};
    const char *mark = put_value(&query, text_value(email)), *fold = query.dialect->email_of;
    enum err err;

    query.keep = (int)REC_TYPE_COUNT;
    query.text = arena_printf(
        arena, "SELECT rev, created, updated, doc, id FROM \"user\" WHERE %s(email) = %s(%s)", fold,
        fold, mark);
    err = one_record(reader, &query, &found);
    *user = record;
    return err;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static enum err take_count(void *arg, const struct record_row *row)
{
    *(uint64_t *)arg = row->rev;
    return OK;
}

enum err store_record_count(struct store_reader *reader, enum record_type type,
                            const struct record_query *asked, uint64_t *count)
{
    struct arena arena;
    struct sql_query query;
    enum err err;

    *count = 0;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    query = query_new(reader, &arena);
    err = where_of(type, asked, &query);
    query.text = arena_printf(&arena, "SELECT count(*), 0, 0, '', '' FROM \"%s\"%s",
                              record_types[type].table, query.text);
    if (!err)
        err = engine_at(reader)->records(reader, &query, take_count, count);
    arena_reset(&arena);
    return err;
}

struct listing {
    struct store *store;
    enum record_type type;
    size_t limit, looked; /* rows looked at, readable or not */
    struct arena *arena;
    struct record_page *page;
};

static enum err take_listed(void *arg, const struct record_row *row)
{
    struct listing *listing = arg;
    struct record_page *page = listing->page;
    enum err err;

    page->more = listing->looked == listing->limit;
    if (page->more)
        return OK;
    listing->looked++;
    page->last = row->key;
    err =
        record_of_row(listing->store, listing->type, row, listing->arena, &page->records[page->n]);
    page->n += !err;
    return err == ERR_CORRUPT ? OK : err; /* it is set aside */
}

/* One part of a list: all keys after `after`, or those of one sign. */
static enum err list_part(struct store_reader *reader, const struct record_query *asked,
                          const char *part, bool after, struct listing *listing)
{
    struct sql_query query = query_new(reader, listing->arena);
    const char *key = record_key_column(listing->type);
    enum err err = where_of(listing->type, asked, &query);

    if (err)
        return err;
    if (part)
        where_and(&query, arena_printf(query.arena, "%s %s", key, part));
    if (after)
        where_and(&query, arena_printf(query.arena, "%s > %s", key,
                                       put_value(&query, record_key_value(&asked->after))));
    query.text = arena_printf(
        query.arena, "SELECT rev, created, updated, doc, %s FROM \"%s\"%s ORDER BY %s LIMIT %zu",
        key, record_types[listing->type].table, query.text, key,
        asked->limit + 1 - listing->looked);
    return engine_at(reader)->records(reader, &query, take_listed, listing);
}

static enum err list_euis(struct store_reader *reader, const struct record_query *asked,
                          struct listing *listing)
{
    bool after = asked->after.n > 0, second = after && asked->after.b[0] >= 0x80;
    enum err err = OK;

    if (!second)
        err = list_part(reader, asked, ">= 0", after, listing);
    if (!err && !listing->page->more)
        err = list_part(reader, asked, "< 0", second, listing);
    return err;
}

enum err store_record_list(struct store_reader *reader, enum record_type type,
                           const struct record_query *asked, struct arena *arena,
                           struct record_page *page)
{
    struct listing listing = {.store = store_of(reader),
                              .type = type,
                              .limit = asked->limit,
                              .arena = arena,
                              .page = page};
    enum err err;

    *page = (struct record_page){.records = arena_array(arena, void *, asked->limit + 1)};
    if (type == REC_DEVICE || type == REC_GATEWAY)
        err = list_euis(reader, asked, &listing);
    else
        err = list_part(reader, asked, NULL, asked->after.n > 0, &listing);
    if (!err && asked->want_total)
        err = store_record_count(reader, type, asked, &page->total);
    return err;
}
