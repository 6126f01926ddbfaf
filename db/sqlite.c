/*
 * sqlite.c - connections, statements and small helpers of the SQLite engine.
 *
 * Settings are read back after they are set: SQLite accepts a misspelt pragma silently.
 */
#include "db/sqlite.h"

#include "core/log.h"

#include <stdlib.h>
#include <string.h>

enum err sqlite_err(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
    case SQLITE_CANTOPEN: return ERR_AWAY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        /* A parent that is absent altogether is NULL in its column. */
        if (code == SQLITE_CONSTRAINT_FOREIGNKEY || code == SQLITE_CONSTRAINT_NOTNULL)
            return ERR_REFERENCE;
        return ERR_EXISTS;
    case SQLITE_TOOBIG: return ERR_LIMIT;
    default: return ERR_STORE;
    }
}

enum err sqlite_exec(sqlite3 *db, const char *sql)
{
    return sqlite_err(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

enum err sqlite_run(sqlite3_stmt *stmt)
{
    int code = sqlite3_step(stmt);

    (void)sqlite3_reset(stmt);
    return sqlite_err(code);
}

/* Sets a pragma and reads it back as text. */
static enum err set_pragma(sqlite3 *db, const char *name, const char *value, const char *expect)
{
    char sql[128];
    sqlite3_stmt *stmt = NULL;
    const char *got;
    enum err err;

    (void)snprintf(sql, sizeof(sql), "PRAGMA %s = %s", name, value);
    err = sqlite_exec(db, sql);
    if (err)
        return err;
    (void)snprintf(sql, sizeof(sql), "PRAGMA %s", name);
    err = sqlite_err(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL));
    if (err)
        return err;
    err = sqlite_err(sqlite3_step(stmt));
    got = (const char *)sqlite3_column_text(stmt, 0);
    if (!err && (!got || strcmp(got, expect) != 0)) {
        LOG_ERROR("sqlite_setting_refused", log_str("name", name),
                  log_str("value", got ? got : ""));
        err = ERR_STORE;
    }
    (void)sqlite3_finalize(stmt);
    return err;
}

/* Debian's SQLite overwrites freed pages unless told otherwise: dropping a segment would write it
 * all once more. Keys are sealed, so nothing here must be overwritten. */
enum err sqlite_connect(const char *file, const char *vfs, enum connection kind, sqlite3 **db)
{
    static const char *const settings[][3] = {
        {"journal_mode", "WAL", "wal"}, {"synchronous", "FULL", "2"},
        {"foreign_keys", "ON", "1"},    {"wal_autocheckpoint", "0", "0"},
        {"secure_delete", "OFF", "0"},  {"journal_size_limit", "134217728", "134217728"},
        {"temp_store", "MEMORY", "2"},
    };
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const char *cache = kind == CONNECT_WRITER ? "-65536" : "-8192";
    enum err err;

    if (kind == CONNECT_WRITER)
        flags |= SQLITE_OPEN_CREATE;
    err = sqlite_err(sqlite3_open_v2(file, db, flags, vfs));
    if (!err) {
        (void)sqlite3_extended_result_codes(*db, 1);
        (void)sqlite3_busy_timeout(*db, 2000);
    }
    for (size_t i = 0; !err && i < sizeof(settings) / sizeof(settings[0]); i++)
        err = set_pragma(*db, settings[i][0], settings[i][1], settings[i][2]);
    if (!err)
        err = set_pragma(*db, "cache_size", cache, cache);
    if (!err && kind == CONNECT_READER)
        err = set_pragma(*db, "query_only", "ON", "1");
    if (err) {
        (void)sqlite3_close_v2(*db);
        *db = NULL;
    }
    return err;
}

void bind_blob(sqlite3_stmt *stmt, int at, struct bytes blob)
{
    if (blob.n)
        (void)sqlite3_bind_blob(stmt, at, blob.p, (int)blob.n, SQLITE_STATIC);
    else
        (void)sqlite3_bind_null(stmt, at);
}

void bind_octets(sqlite3_stmt *stmt, int at, struct bytes blob)
{
    (void)sqlite3_bind_blob(stmt, at, blob.n ? (const void *)blob.p : "", (int)blob.n,
                            SQLITE_STATIC);
}

void bind_u64(sqlite3_stmt *stmt, int at, uint64_t v)
{
    (void)sqlite3_bind_int64(stmt, at, (sqlite3_int64)v);
}

uint64_t column_u64(sqlite3_stmt *stmt, int at)
{
    return (uint64_t)sqlite3_column_int64(stmt, at);
}

void bind_eui(sqlite3_stmt *stmt, int at, struct lw_eui eui)
{
    (void)sqlite3_bind_int64(stmt, at, (sqlite3_int64)eui.v);
}

struct bytes column_blob(sqlite3_stmt *stmt, int at, struct arena *arena)
{
    const void *p = sqlite3_column_blob(stmt, at);
    size_t n = (size_t)sqlite3_column_bytes(stmt, at);

    if (!p || !n)
        return (struct bytes){0};
    return (struct bytes){.p = arena ? arena_memdup(arena, p, n) : p, .n = n};
}

void bind_sql_value(sqlite3_stmt *stmt, int at, const struct sql_value *value)
{
    if (value->null)
        (void)sqlite3_bind_null(stmt, at);
    else if (value->type == SQL_TYPE_TEXT)
        (void)sqlite3_bind_text(stmt, at, (const char *)value->b.p, (int)value->b.n, SQLITE_STATIC);
    else if (value->type == SQL_TYPE_BLOB)
        bind_octets(stmt, at, value->b);
    else
        (void)sqlite3_bind_int64(stmt, at, value->i);
}

static struct record_key column_key(sqlite3_stmt *stmt, int at)
{
    struct bytes id = column_blob(stmt, at, NULL);
    struct record_key key = {.n = 0};

    if (sqlite3_column_type(stmt, at) == SQLITE_INTEGER)
        return record_key_eui((struct lw_eui){column_u64(stmt, at)});
    if (id.n && id.n <= sizeof(key.b)) {
        key.n = (uint8_t)id.n;
        memcpy(key.b, id.p, id.n);
    }
    return key;
}

struct record_row column_record(sqlite3_stmt *stmt)
{
    return (struct record_row){.key = column_key(stmt, 4),
                               .rev = column_u64(stmt, 0),
                               .created_us = sqlite3_column_int64(stmt, 1),
                               .updated_us = sqlite3_column_int64(stmt, 2),
                               .doc = column_blob(stmt, 3, NULL)};
}

/* ---- the table of live devices --------------------------------------------------------------- */

static bool live_used(const struct live *slot)
{
    return slot->rev || slot->last_pos;
}

static size_t live_probe(const struct live_table *table, uint64_t eui)
{
    size_t i = (size_t)hash_u64(eui) & (table->room - 1);

    while (live_used(&table->slots[i]) && table->slots[i].eui != eui)
        i = (i + 1) & (table->room - 1);
    return i;
}

struct live *live_get(const struct live_table *table, uint64_t eui)
{
    struct live *slot;

    if (!table->room)
        return NULL;
    slot = &table->slots[live_probe(table, eui)];
    return live_used(slot) ? slot : NULL;
}

void live_reserve(struct live_table *table, size_t count)
{
    struct live_table old = *table;
    size_t room = old.room ? old.room : 1024;

    while (count * 10 > room * 7)
        room *= 2;
    if (room == old.room)
        return;
    table->room = room;
    table->slots = xcalloc(table->room, sizeof(*table->slots));
    for (size_t i = 0; i < old.room; i++) {
        if (live_used(&old.slots[i]))
            table->slots[live_probe(table, old.slots[i].eui)] = old.slots[i];
    }
    free(old.slots);
}

struct live *live_put(struct live_table *table, uint64_t eui)
{
    struct live *slot;

    live_reserve(table, table->count + 1);
    slot = &table->slots[live_probe(table, eui)];
    if (!live_used(slot)) {
        *slot = (struct live){.eui = eui};
        table->count++;
    }
    return slot;
}

void live_remove(struct live_table *table, uint64_t eui)
{
    size_t hole, i;

    if (!live_get(table, eui))
        return;
    hole = live_probe(table, eui);
    table->count--;
    for (i = (hole + 1) & (table->room - 1); live_used(&table->slots[i]);
         i = (i + 1) & (table->room - 1)) {
        size_t want = (size_t)hash_u64(table->slots[i].eui) & (table->room - 1);

        if (((i - want) & (table->room - 1)) >= ((i - hole) & (table->room - 1))) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (struct live){0};
}
