/*
 * sqlite_schema.c - migrations, each in a transaction with its version inside; the key's check.
 */
#include "core/log.h"
#include "db/migrate.h"
#include "db/sqlite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err schema_version(sqlite3 *db, unsigned *version)
{
    sqlite3_stmt *stmt = NULL;
    enum err err = sqlite_err(sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL));

    *version = 0;
    if (!err)
        err = sqlite_err(sqlite3_step(stmt));
    if (!err)
        *version = (unsigned)sqlite3_column_int(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return err;
}

static unsigned newest_known(void)
{
    unsigned v = 0;

    for (const struct migration *m = sqlite_migrations; m->sql; m++)
        v = m->number > v ? m->number : v;
    return v;
}

/* A copy of the file as it was, beside it, before a migration touches data. */
static enum err snapshot(sqlite3 *db, const char *file, unsigned version, struct arena *arena,
                         const char **why)
{
    const char *copy = arena_printf(arena, "%s.before-%04u", file, version + 1);
    sqlite3_stmt *stmt = NULL;
    enum err err;

    (void)unlink(copy);
    err = sqlite_err(sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &stmt, NULL));
    if (!err) {
        (void)sqlite3_bind_text(stmt, 1, copy, -1, SQLITE_STATIC);
        err = sqlite_err(sqlite3_step(stmt));
    }
    (void)sqlite3_finalize(stmt);
    if (err)
        *why = arena_printf(arena, "no snapshot %s could be written before migrating: %s", copy,
                            sqlite3_errmsg(db));
    else
        LOG_INFO("snapshot_before_migration", log_str("file", copy));
    return err;
}

static enum err apply(sqlite3 *db, const struct migration *m, struct arena *arena, const char **why)
{
    char version[64];
    enum err err = sqlite_exec(db, "BEGIN IMMEDIATE");

    if (!err)
        err = sqlite_exec(db, m->sql);
    /* user_version is part of the file header and so of the same transaction. */
    (void)snprintf(version, sizeof(version), "PRAGMA user_version = %u", m->number);
    if (!err)
        err = sqlite_exec(db, version);
    if (!err)
        err = sqlite_exec(db, "COMMIT");
    if (err) {
        *why = arena_printf(arena, "migration %04u %s: %s", m->number, m->name, sqlite3_errmsg(db));
        if (!sqlite3_get_autocommit(db))
            (void)sqlite_exec(db, "ROLLBACK");
    } else {
        LOG_INFO("migration_applied", log_uint("number", m->number), log_str("name", m->name));
    }
    return err;
}

static enum err store_check_value(sqlite3 *db, const struct secret *secret)
{
    static const struct bytes plain = {(const uint8_t *)"godwit", 6};
    uint8_t sealed[6 + SECRET_OVERHEAD];
    sqlite3_stmt *stmt = NULL;
    enum err err = secret_seal(secret, "meta", 0, plain, sealed);

    if (!err)
        err = sqlite_err(sqlite3_prepare_v2(
            db, "INSERT INTO meta (key, value) VALUES ('master-key-check', ?)", -1, &stmt, NULL));
    if (!err) {
        bind_blob(stmt, 1, (struct bytes){sealed, sizeof(sealed)});
        err = sqlite_err(sqlite3_step(stmt));
    }
    (void)sqlite3_finalize(stmt);
    return err;
}

enum err sqlite_check_key(sqlite3 *db, const struct secret *secret)
{
    sqlite3_stmt *stmt = NULL;
    uint8_t plain[256];
    struct bytes sealed;
    int code;
    enum err err = sqlite_err(sqlite3_prepare_v2(
        db, "SELECT value FROM meta WHERE key = 'master-key-check'", -1, &stmt, NULL));

    if (err)
        return err;
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        sealed = column_blob(stmt, 0, NULL);
        err =
            sealed.n > sizeof(plain) ? ERR_CORRUPT : secret_open(secret, "meta", 0, sealed, plain);
    } else {
        err = sqlite_err(code);
    }
    (void)sqlite3_finalize(stmt);
    return err || code == SQLITE_ROW ? err : store_check_value(db, secret);
}

/* Migrates from `version` on; a store that has data is copied first. */
static enum err migrate_from(struct store *store, unsigned version, struct arena *arena,
                             const char **why)
{
    enum err err = OK;

    if (version > 0 && version < newest_known())
        err = snapshot(store->db, store->file, version, arena, why);
    for (const struct migration *m = sqlite_migrations; !err && m->sql; m++) {
        if (m->number > version)
            err = apply(store->db, m, arena, why);
    }
    return err;
}

enum err sqlite_migrate(struct store *store, struct arena *arena, const char **why)
{
    unsigned version;
    enum err err = schema_version(store->db, &version);

    if (!err && version > newest_known()) {
        *why = arena_printf(arena, "%s was written by a newer version (schema %u, known %u)",
                            store->file, version, newest_known());
        return ERR_UNSUPPORTED;
    }
    *why = NULL;
    if (!err && version > 0)
        err = sqlite_check_key(store->db, &store->head.secret);
    if (!err)
        err = migrate_from(store, version, arena, why);
    if (!err && version == 0)
        err = sqlite_check_key(store->db, &store->head.secret);
    if (err == ERR_CRYPTO)
        *why = arena_printf(arena, "%s was written under another master key", store->file);
    else if (err && !*why)
        *why = arena_printf(arena, "%s: %s", store->file, sqlite3_errmsg(store->db));
    return err;
}

/* Read only, and without our settings: the file may be a backup that nobody serves. */
enum err sqlite_schema_of(const char *file, struct migration_status *status)
{
    sqlite3 *db = NULL;
    enum err err;

    *status = (struct migration_status){.known = newest_known()};
    if (access(file, F_OK) != 0)
        return OK;
    err = sqlite_err(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL));
    if (!err)
        err = schema_version(db, &status->applied);
    (void)sqlite3_close_v2(db);
    return err;
}
