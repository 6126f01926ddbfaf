/*
 * sqlite_record.c - writing records: the document and the columns that its field table asks for.
 *
 * The statements are made from the field tables when first used. Columns besides key, rev, times
 * and doc are the members flagged F_PARENT, F_SEARCH or F_COLUMN, named in snake case.
 */
#include "core/json.h"
#include "core/log.h"
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>

enum { STMT_GET, STMT_PUT, STMT_DEL };

#define DOC_MAX ((size_t)256 * 1024)

static bool is_column(const struct field *f)
{
    return !(f->flags & F_KEY) && (f->flags & (F_PARENT | F_SEARCH | F_COLUMN));
}

static void text_add(char *to, size_t room, const char *part)
{
    size_t n = strlen(to);

    (void)snprintf(to + n, room - n, "%s", part);
}

/* INSERT ... ON CONFLICT DO UPDATE; parameters: key, rev, created, updated, doc, columns. */
static void put_sql(enum record_type type, char *sql, size_t room)
{
    const struct record_type_info *info = &record_types[type];
    char names[512] = "", marks[128] = "", sets[512] = "", column[64], part[160];

    for (const struct field *f = info->fields; f->kind != F_END; f++) {
        if (!is_column(f))
            continue;
        sqlite_column_name(column, sizeof(column), f->name);
        (void)snprintf(part, sizeof(part), ", %s", column);
        text_add(names, sizeof(names), part);
        text_add(marks, sizeof(marks), ",?");
        (void)snprintf(part, sizeof(part), ", %s = excluded.%s", column, column);
        text_add(sets, sizeof(sets), part);
    }
    (void)snprintf(sql, room,
                   "INSERT INTO %s (%s, rev, created, updated, doc%s) VALUES (?,?,?,?,?%s) "
                   "ON CONFLICT (%s) DO UPDATE SET rev = excluded.rev, "
                   "updated = excluded.updated, doc = excluded.doc%s",
                   info->table, sqlite_key_column(type), names, marks, sqlite_key_column(type),
                   sets);
}

static enum err statement(struct store *store, enum record_type type, int which,
                          sqlite3_stmt **stmt)
{
    const struct record_type_info *info = &record_types[type];
    char sql[2048];

    *stmt = store->record_stmts[type][which];
    if (*stmt)
        return OK;
    if (which == STMT_PUT)
        put_sql(type, sql, sizeof(sql));
    else
        (void)snprintf(sql, sizeof(sql), "%s FROM %s WHERE %s = ?",
                       which == STMT_GET ? "SELECT rev, created" : "DELETE", info->table,
                       sqlite_key_column(type));
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) !=
        SQLITE_OK) {
        LOG_ERROR("record_statement", log_str("sql", sql),
                  log_str("reason", sqlite3_errmsg(store->db)));
        return ERR_STORE;
    }
    store->record_stmts[type][which] = *stmt;
    return OK;
}

static void bind_key(sqlite3_stmt *stmt, int at, const struct record_key *key)
{
    struct rd rd = rd_of(key->b, key->n);

    if (key->n == 8)
        (void)sqlite3_bind_int64(stmt, at, (sqlite3_int64)rd_u64be(&rd));
    else
        (void)sqlite3_bind_blob(stmt, at, key->b, key->n, SQLITE_STATIC);
}

static void bind_member(sqlite3_stmt *stmt, int at, const struct field *f, const void *record)
{
    const char *p = (const char *)record + f->offset;

    switch (f->kind) {
    case F_UUID:
        bind_blob(stmt, at,
                  uuid_is_zero((const struct uuid *)p) ? (struct bytes){0}
                                                       : (struct bytes){(const uint8_t *)p, 16});
        break;
    case F_STR: {
        const char *text = *(const char *const *)p;

        (void)sqlite3_bind_text(stmt, at, text ? text : "", -1, SQLITE_STATIC);
        break;
    }
    case F_BOOL: (void)sqlite3_bind_int(stmt, at, *(const bool *)p); break;
    case F_BLOB:
    case F_HEXBLOB: bind_blob(stmt, at, *(const struct bytes *)p); break;
    default: (void)sqlite3_bind_null(stmt, at); break;
    }
}

/* What is there now: its rev and creation, rev 0 if nothing. */
static enum err present(struct store *store, const struct op_record *op, uint64_t *rev,
                        int64_t *created)
{
    sqlite3_stmt *stmt;
    enum err err = statement(store, op->type, STMT_GET, &stmt);
    int code;

    if (err)
        return err;
    bind_key(stmt, 1, &op->key);
    code = sqlite3_step(stmt);
    *rev = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    *created = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 1) : 0;
    (void)sqlite3_reset(stmt);
    return sqlite_err(code);
}

static enum err check_expected(uint64_t rev, uint64_t expected)
{
    if (expected == 0)
        return rev ? ERR_EXISTS : OK;
    if (!rev)
        return ERR_NOT_FOUND;
    return expected != UINT64_MAX && expected != rev ? ERR_CONFLICT : OK;
}

static enum err write_row(struct store *store, const struct op_record *op,
                          const struct record_head *head, struct bytes doc)
{
    const struct record_type_info *info = &record_types[op->type];
    sqlite3_stmt *stmt;
    enum err err = statement(store, op->type, STMT_PUT, &stmt);
    int at = 6;

    if (err)
        return err;
    bind_key(stmt, 1, &op->key);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)head->rev);
    (void)sqlite3_bind_int64(stmt, 3, head->created_us);
    (void)sqlite3_bind_int64(stmt, 4, head->updated_us);
    (void)sqlite3_bind_text(stmt, 5, (const char *)doc.p, (int)doc.n, SQLITE_STATIC);
    for (const struct field *f = info->fields; f->kind != F_END; f++) {
        if (is_column(f))
            bind_member(stmt, at++, f, op->record);
    }
    return sqlite_run(stmt);
}

enum err record_put(struct store *store, struct op_record *op)
{
    struct record_head *head = op->record;
    uint64_t rev;
    int64_t created;
    struct jw jw;
    enum err err = present(store, op, &rev, &created);

    if (!err && !(op->expected_rev == UINT64_MAX && !rev))
        err = check_expected(rev, op->expected_rev);
    if (err)
        return err;
    *head = (struct record_head){
        .rev = rev + 1, .created_us = rev ? created : op->utc_us, .updated_us = op->utc_us};
    jw_init(&jw, DOC_MAX);
    field_print(record_types[op->type].fields, op->record, &jw, FIELD_VIEW_ROW);
    err = jw.failed ? ERR_LIMIT : write_row(store, op, head, jw_bytes(&jw));
    jw_free(&jw);
    return err;
}

enum err record_delete(struct store *store, const struct op_record *op)
{
    sqlite3_stmt *stmt;
    uint64_t rev;
    int64_t created;
    enum err err = present(store, op, &rev, &created);

    if (!err)
        err = check_expected(rev, op->expected_rev ? op->expected_rev : UINT64_MAX);
    if (!err)
        err = statement(store, op->type, STMT_DEL, &stmt);
    if (err)
        return err;
    bind_key(stmt, 1, &op->key);
    err = sqlite_run(stmt);
    return err == ERR_REFERENCE ? ERR_IN_USE : err;
}

enum err record_from_doc(enum record_type type, const char *doc, size_t n, struct arena *arena,
                         void **record)
{
    const struct record_type_info *info = &record_types[type];
    const struct node *root;
    const char *why;
    struct field_errors *errors = arena_new(arena, struct field_errors);
    enum err err = json_read(doc, n, arena, &root, &why);

    if (err)
        return ERR_CORRUPT;
    *record = arena_alloc(arena, info->size);
    field_errors_init(errors, arena);
    err = field_read(info->fields, *record, root, FIELD_ROW, arena, errors, NULL);
    if (!err)
        err = record_resolve(type, *record, NULL);
    if (err)
        LOG_ERROR("record_unreadable", log_str("type", info->name),
                  log_str("where", errors->n ? errors->at[0].where : ""),
                  log_str("what", errors->n ? errors->at[0].what : ""));
    return err ? ERR_CORRUPT : OK;
}
