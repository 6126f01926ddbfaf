/*
 * postgres_connect.c - connections to PostgreSQL: what they are made of, and what each role has its
 * session set to.
 */
#include "db/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US (500 * (int64_t)US_PER_MS)

/* Taken where the URL says nothing else. */
static const char *const defaults[][2] = {
    {"connect_timeout", "5"},  {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
    {"keepalives_count", "3"}, {"tcp_user_timeout", "15000"},
};

/* Settings of every connection. The server looks after the line as this side does: a machine that
 * is gone must not hold the database's lock for the two hours of TCP. The planner must not look at
 * how few rows a table has when the statement is prepared: the same plan serves a million devices
 * later. */
static const char all_settings[] =
    "SET lock_timeout = 2000; SET idle_in_transaction_session_timeout = 30000; SET jit = off; "
    "SET plan_cache_mode = force_generic_plan; SET client_min_messages = warning; "
    "SET timezone = 'UTC'; SET enable_seqscan = off; "
    "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    "SET tcp_user_timeout = 15000; "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')";
static const char *const role_settings[] = {
    [PG_WRITER] = "SET statement_timeout = 10000; SET enable_hashjoin = off; "
                  "SET enable_mergejoin = off",
    [PG_READER] = "SET statement_timeout = 20000; "
                  "SET default_transaction_read_only = on",
    /* Two tables in the order of their key need no memory to be joined. */
    [PG_LOADER] = "SET statement_timeout = 0; SET cursor_tuple_fraction = 1; "
                  "SET enable_hashjoin = off; SET default_transaction_read_only = on",
};

/* ---- configuration --------------------------------------------------------------------------- */

static void config_put(struct pg_config *config, size_t *n, const char *key, const char *value)
{
    config->keys[*n] = key;
    config->values[(*n)++] = value;
}

enum err pg_config_init(struct pg_config *config, const char *url)
{
    size_t n = 0, count = 0;
    char *why = NULL;

    *config = (struct pg_config){.parsed = PQconninfoParse(url, &why)};
    PQfreemem(why); /* it may quote the URL and so the password */
    if (!config->parsed)
        return ERR_INVALID;
    while (config->parsed[count].keyword)
        count++;
    config->keys = xcalloc(count + 1, sizeof(*config->keys));
    config->values = xcalloc(count + 1, sizeof(*config->values));
    (void)snprintf(config->name, sizeof(config->name), "godwit %016llx",
                   (unsigned long long)hash_u64((uint64_t)clock_mono(clock_system()) ^
                                                (uint64_t)(uintptr_t)config));
    for (const PQconninfoOption *o = config->parsed; o->keyword; o++) {
        const char *value = o->val;

        for (size_t i = 0; !value && i < sizeof(defaults) / sizeof(defaults[0]); i++) {
            if (strcmp(o->keyword, defaults[i][0]) == 0)
                value = defaults[i][1];
        }
        if (strcmp(o->keyword, "application_name") == 0)
            value = config->name;
        if (strcmp(o->keyword, "client_encoding") == 0)
            value = "UTF8";
        if (value)
            config_put(config, &n, o->keyword, value);
    }
    return OK;
}

void pg_config_free(struct pg_config *config)
{
    PQconninfoFree(config->parsed);
    free(config->keys);
    free(config->values);
    *config = (struct pg_config){0};
}

/* ---- connecting ------------------------------------------------------------------------------ */

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

void pg_drop(struct pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
    pg->prepared = 0;
}

static enum err settle(struct pg *pg)
{
    const char *encoding = PQparameterStatus(pg->conn, "server_encoding");
    enum err err = pg_script(pg, all_settings);
    char name[80];

    if (!err)
        err = pg_script(pg, role_settings[pg->role]);
    (void)snprintf(name, sizeof(name), "SET application_name = '%s" WRITER_NAME "'",
                   pg->config->name);
    if (!err && pg->role == PG_WRITER)
        err = pg_script(pg, name);
    if (!err) { /* servers that are not on Linux cannot */
        err = pg_script(pg, "SET client_connection_check_interval = 1000");
        err = err == ERR_AWAY ? err : OK;
    }
    if (!err && (!encoding || strcmp(encoding, "UTF8") != 0)) {
        pg_note(pg, "", "the database's encoding must be UTF8");
        err = ERR_UNSUPPORTED;
    }
    return err;
}

enum err pg_connect(struct pg *pg, const struct pg_config *config, enum pg_role role)
{
    enum err err = OK;

    pg_drop(pg);
    pg->config = config;
    pg->role = role;
    pg->conn = PQconnectdbParams(config->keys, config->values, 0);
    if (PQstatus(pg->conn) != CONNECTION_OK || PQsetnonblocking(pg->conn, 1) != 0) {
        err = pg_lost(pg);
    } else {
        (void)PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
        err = settle(pg);
        if (err)
            pg_drop(pg);
    }
    pg->retry_us = err ? clock_mono(clock_system()) + RETRY_US : 0;
    return err;
}

enum err pg_ensure(struct pg *pg)
{
    if (pg->conn && PQstatus(pg->conn) == CONNECTION_OK)
        return OK;
    if (pg->role != PG_WRITER && clock_mono(clock_system()) < pg->retry_us)
        return ERR_AWAY; /* the committer has a pace of its own */
    return pg_connect(pg, pg->config, pg->role);
}
