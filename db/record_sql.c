/* record_sql.c - see record_sql.h. */
#include "db/record_sql.h"

#include "core/json.h"

#include <stdio.h>
#include <string.h>

#define DOC_MAX ((size_t)256 * 1024)

const char *record_key_column(enum record_type type)
{
    return type == REC_DEVICE ? "dev_eui" : type == REC_GATEWAY ? "gateway_id" : "id";
}

void record_column_name(char *to, size_t room, const char *member)
{
    size_t n = 0;

    for (; *member && n + 2 < room; member++) {
        if (*member >= 'A' && *member <= 'Z') {
            to[n++] = '_';
            to[n++] = (char)(*member - 'A' + 'a');
        } else {
            to[n++] = *member;
        }
    }
    to[n] = '\0';
}

bool record_is_column(const struct field *f)
{
    return !(f->flags & F_KEY) && (f->flags & (F_PARENT | F_SEARCH | F_COLUMN));
}

struct sql_value record_key_value(const struct record_key *key)
{
    struct rd rd = rd_of(key->b, key->n);

    if (key->n == 8)
        return (struct sql_value){.type = SQL_TYPE_INTEGER, .i = (int64_t)rd_u64be(&rd)};
    return (struct sql_value){.type = SQL_TYPE_BLOB, .b = {key->b, key->n}};
}

static struct sql_value blob_value(struct bytes b)
{
    return (struct sql_value){.type = SQL_TYPE_BLOB, .null = b.n == 0, .b = b};
}

struct sql_value record_member_value(const struct field *f, const void *record)
{
    const char *p = (const char *)record + f->offset;

    switch (f->kind) {
    case F_UUID:
        return blob_value(uuid_is_zero((const struct uuid *)p)
                              ? (struct bytes){0}
                              : (struct bytes){(const uint8_t *)p, 16});
    case F_STR: {
        const char *text = *(const char *const *)p;

        text = text ? text : "";
        return (struct sql_value){.type = SQL_TYPE_TEXT,
                                  .b = {(const uint8_t *)text, strlen(text)}};
    }
    case F_BOOL: return (struct sql_value){.type = SQL_TYPE_BOOL, .i = *(const bool *)p};
    case F_BLOB:
    case F_HEXBLOB: return blob_value(*(const struct bytes *)p);
    default: return blob_value((struct bytes){0});
    }
}

static void add_part(char *to, const char *part)
{
    size_t n = strlen(to);

    (void)snprintf(to + n, RECORD_SQL_ROOM - n, ", %s", part);
}

void record_columns(enum record_type type, char mark, unsigned first,
                    struct record_columns *columns)
{
    char column[64], part[160];

    columns->names[0] = columns->marks[0] = columns->sets[0] = '\0';
    for (const struct field *f = record_types[type].fields; f->kind != F_END; f++) {
        if (!record_is_column(f))
            continue;
        record_column_name(column, sizeof(column), f->name);
        add_part(columns->names, column);
        (void)snprintf(part, sizeof(part), "%c%u", mark, first++);
        add_part(columns->marks, part);
        (void)snprintf(part, sizeof(part), "%s = excluded.%s", column, column);
        add_part(columns->sets, part);
    }
}

/* ---- documents ------------------------------------------------------------------------------- */

static enum err read_doc(enum record_type type, struct bytes doc, struct arena *arena,
                         void **record, const char **why)
{
    const struct record_type_info *info = &record_types[type];
    const struct node *root;
    static _Thread_local struct field_errors errors; /* large, and rarely looked at */
    enum err err = doc.n ? json_read((const char *)doc.p, doc.n, arena, &root, why) : ERR_CORRUPT;

    if (err)
        return ERR_CORRUPT;
    *record = arena_alloc(arena, info->size);
    field_errors_init(&errors, arena);
    err = field_read(info->fields, *record, root, FIELD_ROW, arena, &errors, NULL);
    if (!err)
        err = record_resolve(type, *record, NULL);
    if (err && errors.n)
        *why = arena_printf(arena, "%s %s", errors.at[0].where, errors.at[0].what);
    return err ? ERR_CORRUPT : OK;
}

/* A document that can be read but is another row's is not believed either. */
enum err record_of_row(struct store *store, enum record_type type, const struct record_row *row,
                       struct arena *arena, void **record)
{
    const char *why = "its JSON cannot be read";
    struct record_key key;
    enum err err = read_doc(type, row->doc, arena, record, &why);

    if (!err) {
        key = record_key_of(type, *record);
        err = key.n == row->key.n && memcmp(key.b, row->key.b, key.n) == 0 ? OK : ERR_CORRUPT;
        why = "its JSON is of another record";
    }
    if (err) {
        aside_note(store_asides(store), &(struct aside){.kind = ASIDE_RECORD,
                                                        .what = record_types[type].name,
                                                        .key = row->key,
                                                        .why = why});
        return err;
    }
    *(struct record_head *)*record = (struct record_head){
        .rev = row->rev, .created_us = row->created_us, .updated_us = row->updated_us};
    return OK;
}

enum err record_doc(enum record_type type, const void *record, struct jw *jw)
{
    jw_init(jw, DOC_MAX);
    field_print(record_types[type].fields, record, jw, FIELD_VIEW_ROW);
    return jw->failed ? ERR_LIMIT : OK;
}

enum err record_check_expected(uint64_t rev, uint64_t expected)
{
    if (expected == 0)
        return rev ? ERR_EXISTS : OK;
    if (!rev)
        return ERR_NOT_FOUND;
    return expected != UINT64_MAX && expected != rev ? ERR_CONFLICT : OK;
}
