/* sqlite_backup.c - VACUUM INTO, integrity_check and a rename. */
#include "db/backup.h"
#include "db/migrate.h"
#include "db/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err open_plain(const char *file, int flags, struct arena *arena, sqlite3 **db,
                           const char **why)
{
    enum err err = sqlite_err(sqlite3_open_v2(file, db, flags, NULL));

    if (!err) {
        (void)sqlite3_busy_timeout(*db, 5000);
        err = sqlite_exec(*db, "SELECT count(*) FROM meta");
    }
    if (err) {
        *why = arena_printf(arena, "%s is no store of Godwit: %s", file, sqlite3_errmsg(*db));
        (void)sqlite3_close_v2(*db);
    }
    return err;
}

enum err backup_copy(const char *file, const char *to, struct arena *arena, const char **why)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    enum err err;

    if (access(to, F_OK) == 0) {
        *why = arena_printf(arena, "%s exists already", to);
        return ERR_EXISTS;
    }
    err = open_plain(file, SQLITE_OPEN_READWRITE, arena, &db, why);
    if (err)
        return err;
    err = sqlite_err(sqlite3_prepare_v2(db, "VACUUM INTO ?", -1, &stmt, NULL));
    if (!err) {
        (void)sqlite3_bind_text(stmt, 1, to, -1, SQLITE_STATIC);
        err = sqlite_err(sqlite3_step(stmt));
    }
    if (err)
        *why = arena_printf(arena, "%s: %s", to, sqlite3_errmsg(db));
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close_v2(db);
    return err;
}

static enum err check_integrity(sqlite3 *db, const char *file, struct arena *arena,
                                const char **why)
{
    sqlite3_stmt *stmt = NULL;
    enum err err = sqlite_err(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL));
    const char *text = !err && sqlite3_step(stmt) == SQLITE_ROW
                           ? (const char *)sqlite3_column_text(stmt, 0)
                           : "cannot be checked";

    if (strcmp(text, "ok") != 0) {
        *why = arena_printf(arena, "%s is damaged: %s", file, text);
        err = ERR_CORRUPT;
    }
    (void)sqlite3_finalize(stmt);
    return err;
}

enum err backup_verify(const char *file, const uint8_t master[32], struct arena *arena,
                       const char **why)
{
    struct migration_status status;
    struct secret secret;
    sqlite3 *db = NULL;
    enum err err = open_plain(file, SQLITE_OPEN_READWRITE, arena, &db, why);

    if (err)
        return err;
    err = check_integrity(db, file, arena, why);
    secret_init(&secret, master);
    if (!err && sqlite_check_key(db, &secret)) {
        *why = arena_printf(arena, "%s was written under another master key", file);
        err = ERR_CRYPTO;
    }
    secret_wipe(&secret);
    (void)sqlite3_close_v2(db);
    if (!err)
        err = sqlite_schema_of(file, &status);
    if (!err && status.applied > status.known) {
        *why = arena_printf(arena, "%s was written by a newer version", file);
        err = ERR_UNSUPPORTED;
    }
    return err;
}

static enum err copy_file(const char *from, const char *to)
{
    char buffer[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    ssize_t n = -1;
    bool good = in >= 0 && out >= 0;

    while (good && (n = read(in, buffer, sizeof(buffer))) > 0)
        good = write(out, buffer, (size_t)n) == n;
    good = good && n == 0 && fsync(out) == 0;
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    return good ? OK : ERR_IO;
}

enum err sqlite_jump_nonces(sqlite3 *db, uint32_t by)
{
    char sql[160];

    (void)snprintf(sql, sizeof(sql),
                   "UPDATE join_state SET join_nonce = min(join_nonce + %u, 16777215)", by);
    return sqlite_exec(db, sql);
}

static enum err jump_join_nonces(const char *file)
{
    sqlite3 *db = NULL;
    enum err err = sqlite_err(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL));

    if (!err)
        err = sqlite_jump_nonces(db, RESTORE_JOIN_NONCE_JUMP);
    (void)sqlite3_close_v2(db);
    return err;
}

enum err backup_restore(const char *copy, const char *file, struct arena *arena, const char **why)
{
    const char *fresh = arena_printf(arena, "%s.restoring", file);
    enum err err = copy_file(copy, fresh);

    if (!err)
        err = jump_join_nonces(fresh);
    if (err) {
        *why = arena_printf(arena, "%s cannot be written", fresh);
        (void)unlink(fresh);
        return err;
    }
    /* The old file's journal must go first: it would be replayed into the new file. */
    (void)unlink(arena_printf(arena, "%s-wal", file));
    (void)unlink(arena_printf(arena, "%s-shm", file));
    if (rename(fresh, file) != 0) {
        *why = arena_printf(arena, "%s: %s", file, strerror(errno));
        return ERR_IO;
    }
    return OK;
}
