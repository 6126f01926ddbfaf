/*
 * sqlite_record.c - writing and reading rows of records.
 *
 * The statements are made from the field tables when first used.
 */
#include "core/json.h"
#include "core/log.h"
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>

enum { STMT_GET, STMT_PUT, STMT_DEL };

/* Parameters: key, rev, created, updated, doc, columns. */
static void put_sql(enum record_type type, char *sql, size_t room)
{
    const char *key = record_key_column(type);
    struct record_columns columns;

    record_columns(type, '?', 6, &columns);
    (void)snprintf(sql, room,
                   "INSERT INTO \"%s\" (%s, rev, created, updated, doc%s) "
                   "VALUES (?1,?2,?3,?4,?5%s) ON CONFLICT (%s) DO UPDATE SET rev = excluded.rev, "
                   "updated = excluded.updated, doc = excluded.doc%s",
                   record_types[type].table, key, columns.names, columns.marks, key, columns.sets);
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
        (void)snprintf(sql, sizeof(sql), "%s FROM \"%s\" WHERE %s = ?",
                       which == STMT_GET ? "SELECT rev, created" : "DELETE", info->table,
                       record_key_column(type));
    if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) !=
        SQLITE_OK) {
        LOG_ERROR("record_statement", log_str("sql", sql),
                  log_str("reason", sqlite3_errmsg(store->db)));
        return ERR_STORE;
    }
    store->record_stmts[type][which] = *stmt;
    return OK;
}

static void bind_key(sqlite3_stmt *stmt, const struct record_key *key)
{
    struct sql_value value = record_key_value(key);

    bind_sql_value(stmt, 1, &value);
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
    bind_key(stmt, &op->key);
    code = sqlite3_step(stmt);
    *rev = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(stmt, 0) : 0;
    *created = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 1) : 0;
    (void)sqlite3_reset(stmt);
    return sqlite_err(code);
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
    bind_key(stmt, &op->key);
    (void)sqlite3_bind_int64(stmt, 2, (sqlite3_int64)head->rev);
    (void)sqlite3_bind_int64(stmt, 3, head->created_us);
    (void)sqlite3_bind_int64(stmt, 4, head->updated_us);
    (void)sqlite3_bind_text(stmt, 5, (const char *)doc.p, (int)doc.n, SQLITE_STATIC);
    for (const struct field *f = info->fields; f->kind != F_END; f++) {
        struct sql_value value;

        if (!record_is_column(f))
            continue;
        value = record_member_value(f, op->record);
        bind_sql_value(stmt, at++, &value);
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
        err = record_check_expected(rev, op->expected_rev);
    if (err)
        return err;
    *head = (struct record_head){
        .rev = rev + 1, .created_us = rev ? created : op->utc_us, .updated_us = op->utc_us};
    err = record_doc(op->type, op->record, &jw);
    if (!err)
        err = write_row(store, op, head, jw_bytes(&jw));
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
        err = record_check_expected(rev, op->expected_rev ? op->expected_rev : UINT64_MAX);
    if (!err)
        err = statement(store, op->type, STMT_DEL, &stmt);
    if (err)
        return err;
    bind_key(stmt, &op->key);
    err = sqlite_run(stmt);
    return err == ERR_REFERENCE ? ERR_IN_USE : err;
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum err records_stmt(struct store_reader *reader, const struct sql_query *query,
                             sqlite3_stmt **stmt)
{
    enum err err = OK;

    if (query->keep < 0)
        return reader_prepare(reader, query->text, stmt);
    if (!reader->records[query->keep])
        err = reader_prepare(reader, query->text, &reader->records[query->keep]);
    *stmt = reader->records[query->keep];
    return err;
}

enum err sqlite_records(struct store_reader *reader, const struct sql_query *query,
                        record_visitor *visit, void *arg)
{
    sqlite3_stmt *stmt;
    int code = SQLITE_DONE;
    enum err err = records_stmt(reader, query, &stmt);

    if (err)
        return err;
    for (size_t i = 0; i < query->n; i++)
        bind_sql_value(stmt, (int)i + 1, &query->values[i]);
    while (!err && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct record_row row = column_record(stmt);

        err = visit(arg, &row);
    }
    (void)sqlite3_reset(stmt);
    if (query->keep < 0)
        (void)sqlite3_finalize(stmt);
    return err ? err : sqlite_err(code);
}
