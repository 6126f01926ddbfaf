/*
 * postgres_schema.c - migrations, each in a transaction with its version inside; the key's check;
 * the locks of the database.
 *
 * Locks are advisory: they end with the session that holds them, however it ends.
 */
#include "core/log.h"
#include "db/migrate.h"
#include "db/postgres.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define LOCK_TRIES 20 /* every 100 ms: a session that was killed may take a moment to end */

static unsigned newest_known(void)
{
    unsigned v = 0;

    for (const struct migration *m = postgres_migrations; m->sql; m++)
        v = m->number > v ? m->number : v;
    return v;
}

/* One number of a query; 0 if there is no row. */
static enum err number(struct pg *pg, const char *sql, int64_t *v)
{
    PGresult *result;
    enum err err = pg_run_sql(pg, sql, NULL, &result);

    *v = 0;
    if (err)
        return err;
    if (PQntuples(result))
        *v = pg_get_int(result, 0, 0);
    PQclear(result);
    return OK;
}

static enum err schema_version(struct pg *pg, unsigned *version)
{
    int64_t v;
    enum err err = number(pg, "SELECT to_regclass('schema_migration') IS NOT NULL", &v);

    if (!err && v)
        err = number(pg, "SELECT max(number) FROM schema_migration", &v);
    *version = (unsigned)v;
    return err;
}

/* What libpq says of the URL is not told: it may quote the password. */
const char postgres_bad_url[] = "database.url cannot be read as a PostgreSQL URL";

const char *postgres_why(const struct pg *pg, enum err err, struct arena *arena)
{
    return arena_printf(arena, "database: %s", *pg->reason ? pg->reason : err_text(err));
}

enum err postgres_schema_of(const char *url, struct migration_status *status, struct arena *arena,
                            const char **why)
{
    struct pg_config config;
    struct pg pg = {0};
    enum err err = pg_config_init(&config, url);

    *status = (struct migration_status){.known = newest_known()};
    if (err) {
        *why = postgres_bad_url;
        return err;
    }
    err = pg_connect(&pg, &config, PG_READER);
    if (!err)
        err = schema_version(&pg, &status->applied);
    if (err)
        *why = postgres_why(&pg, err, arena);
    pg_drop(&pg);
    pg_config_free(&config);
    return err;
}

enum err postgres_lock(struct pg *pg)
{
    int64_t held = 0;
    enum err err = OK;

    for (unsigned i = 0; !err && !held && i < LOCK_TRIES; i++) {
        if (i)
            (void)poll(NULL, 0, 100);
        err = number(pg, "SELECT pg_try_advisory_lock(" LOCK_SERVER ")", &held);
    }
    return err || held ? err : ERR_BUSY;
}

/* ---- the master key -------------------------------------------------------------------------- */

static enum err store_check_value(struct pg *pg, const struct secret *secret)
{
    static const struct bytes plain = {(const uint8_t *)"godwit", 6};
    uint8_t sealed[6 + SECRET_OVERHEAD];
    struct pg_params params = {0};
    enum err err = secret_seal(secret, "meta", 0, plain, sealed);

    pg_octets(&params, (struct bytes){sealed, sizeof(sealed)});
    return err ? err
               : pg_run_sql(pg, "INSERT INTO meta (key, value) VALUES ('master-key-check', $1)",
                            &params, NULL);
}

static enum err check_key(struct pg *pg, const struct secret *secret)
{
    uint8_t plain[256];
    PGresult *result;
    bool there;
    enum err err =
        pg_run_sql(pg, "SELECT value FROM meta WHERE key = 'master-key-check'", NULL, &result);

    if (err)
        return err;
    there = PQntuples(result) > 0;
    if (there) {
        struct bytes sealed = pg_get_octets(result, 0, 0, NULL);

        err =
            sealed.n > sizeof(plain) ? ERR_CORRUPT : secret_open(secret, "meta", 0, sealed, plain);
    }
    PQclear(result);
    return err || there ? err : store_check_value(pg, secret);
}

/* ---- migrating ------------------------------------------------------------------------------- */

static enum err apply(struct pg *pg, const struct migration *m, struct arena *arena,
                      const char **why)
{
    char version[160];
    enum err err = pg_script(pg, "BEGIN; SET LOCAL statement_timeout = 0");

    if (!err)
        err = pg_script(pg, m->sql);
    (void)snprintf(version, sizeof(version),
                   "INSERT INTO schema_migration (number, name) VALUES (%u, '%s')", m->number,
                   m->name);
    if (!err)
        err = pg_script(pg, version);
    if (!err)
        err = pg_script(pg, "COMMIT");
    if (err) {
        *why = arena_printf(arena, "migration %04u %s: %s", m->number, m->name, pg->reason);
        if (pg->conn)
            (void)pg_script(pg, "ROLLBACK");
    } else {
        LOG_INFO("migration_applied", log_uint("number", m->number), log_str("name", m->name));
    }
    return err;
}

static enum err migrate_locked(struct store *store, struct arena *arena, const char **why)
{
    struct pg *pg = &store->pg;
    unsigned version;
    enum err err = schema_version(pg, &version);

    if (!err && version > newest_known()) {
        *why =
            arena_printf(arena, "the database was written by a newer version (schema %u, known %u)",
                         version, newest_known());
        return ERR_UNSUPPORTED;
    }
    if (!err && version > 0)
        err = check_key(pg, &store->head.secret);
    for (const struct migration *m = postgres_migrations; !err && m->sql; m++) {
        if (m->number > version)
            err = apply(pg, m, arena, why);
    }
    if (!err && version == 0)
        err = check_key(pg, &store->head.secret);
    return err;
}

enum err postgres_migrate(struct store *store, struct arena *arena, const char **why)
{
    struct pg *pg = &store->pg;
    enum err err = pg_script(pg, "SELECT pg_advisory_lock(" LOCK_MIGRATE ")");

    if (!err) {
        err = migrate_locked(store, arena, why);
        if (pg->conn && pg_script(pg, "SELECT pg_advisory_unlock(" LOCK_MIGRATE ")") && !err)
            err = ERR_AWAY;
    }
    if (err == ERR_CRYPTO)
        *why = "the database was written under another master key";
    return err;
}
