/*
 * postgres.c - connections to PostgreSQL: making them, waiting, and what errors mean.
 *
 * Waiting is done here with poll, never inside libpq, so that a server that stopped without closing
 * the connection is noticed: it has WAIT_MS after the last octet. Statements have a time limit at
 * the server besides, shorter than that.
 */
#include "db/postgres.h"

#include "core/log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS  30000
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

/* ---- errors ---------------------------------------------------------------------------------- */

static void note(struct pg *pg, const char *state, const char *message)
{
    size_t n;

    (void)snprintf(pg->state, sizeof(pg->state), "%s", state ? state : "");
    (void)snprintf(pg->reason, sizeof(pg->reason), "%s", message ? message : "");
    n = strlen(pg->reason);
    while (n > 0 && pg->reason[n - 1] == '\n')
        pg->reason[--n] = '\0';
}

static enum err lost(struct pg *pg)
{
    note(pg, "", pg->conn ? PQerrorMessage(pg->conn) : "not connected");
    pg_drop(pg);
    return ERR_AWAY;
}

static const struct {
    const char *prefix;
    enum err err;
} meanings[] = {
    {"08", ERR_AWAY},
    {"57P", ERR_AWAY},
    {"57014", ERR_AWAY}, /* statement_timeout */
    {"53", ERR_AWAY},
    {"58", ERR_AWAY},
    {"55P03", ERR_AWAY}, /* lock_timeout */
    {"40", ERR_AWAY},    /* serialization, deadlock */
    {"25", ERR_AWAY},    /* read only: not the primary */
    {"23503", ERR_REFERENCE},
    {"23502", ERR_REFERENCE}, /* an absent parent is NULL */
    {"23505", ERR_EXISTS},
    {"54", ERR_LIMIT},
    {"22001", ERR_LIMIT},
    {"22", ERR_INVALID},
    {"XX001", ERR_CORRUPT},
    {"XX002", ERR_CORRUPT},
    {STATE_LIVE, ERR_CONFLICT},
    {STATE_POSITION, ERR_CONFLICT},
    {STATE_CONFLICT, ERR_CONFLICT},
    {STATE_EXISTS, ERR_EXISTS},
    {STATE_NOT_FOUND, ERR_NOT_FOUND},
};

enum err pg_result_err(struct pg *pg, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_COPY_OUT:
    case PGRES_PIPELINE_SYNC: return OK;
    case PGRES_PIPELINE_ABORTED: return ERR_STORE;
    default: break;
    }
    note(pg, state, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    if (!state)
        return ERR_AWAY; /* made by libpq itself: the connection is gone */
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strncmp(state, meanings[i].prefix, strlen(meanings[i].prefix)) == 0)
            return meanings[i].err;
    }
    return ERR_STORE;
}

bool pg_state_is(const struct pg *pg, const char *state)
{
    return strcmp(pg->state, state) == 0;
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
        note(pg, "", "the database's encoding must be UTF8");
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
        err = lost(pg);
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

/* ---- waiting --------------------------------------------------------------------------------- */

/* Waits until the next result can be taken without blocking, and takes it. */
static enum err next_result(struct pg *pg, PGresult **result)
{
    int unsent = PQflush(pg->conn);

    while (unsent >= 0 && PQisBusy(pg->conn)) {
        struct pollfd fd = {.fd = PQsocket(pg->conn),
                            .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};

        if (poll(&fd, 1, WAIT_MS) == 0) {
            note(pg, "", "the server does not answer");
            pg_drop(pg);
            return ERR_AWAY;
        }
        if (!PQconsumeInput(pg->conn))
            return lost(pg);
        unsent = PQflush(pg->conn);
    }
    if (unsent < 0)
        return lost(pg);
    *result = PQgetResult(pg->conn);
    return OK;
}

/* The result of one statement outside a pipeline. */
static enum err one_result(struct pg *pg, PGresult **out)
{
    PGresult *result, *first = NULL;
    enum err err, failed = OK;

    while ((err = next_result(pg, &result)) == OK && result) {
        enum err said = pg_result_err(pg, result);

        failed = failed ? failed : said;
        if (first)
            PQclear(result);
        else
            first = result;
    }
    err = err ? err : failed;
    if (pg->conn && PQstatus(pg->conn) != CONNECTION_OK) {
        pg_drop(pg);
        err = ERR_AWAY;
    }
    if (err || !out)
        PQclear(first);
    else
        *out = first;
    return err;
}

/* ---- statements ------------------------------------------------------------------------------ */

static const char *name_of(unsigned i, char to[8])
{
    (void)snprintf(to, 8, "s%u", i % 100);
    return to;
}

enum err pg_send_prepare(struct pg *pg, unsigned i, const char *sql, const Oid *types, int n)
{
    char name[8];

    if (!pg->conn)
        return ERR_AWAY;
    return PQsendPrepare(pg->conn, name_of(i, name), sql, n, types) ? OK : lost(pg);
}

enum err pg_prepare(struct pg *pg, unsigned i, const char *sql)
{
    enum err err;

    if (pg->conn && pg->prepared >> i & 1)
        return OK;
    err = pg_send_prepare(pg, i, sql, NULL, 0);
    if (!err)
        err = one_result(pg, NULL);
    if (!err)
        pg->prepared |= (uint64_t)1 << i;
    else if (err != ERR_AWAY)
        LOG_ERROR("statement", log_str("sql", sql), log_str("reason", pg->reason));
    return err;
}

enum err pg_send(struct pg *pg, unsigned name, const struct pg_params *params)
{
    char text[8];

    if (!pg->conn)
        return ERR_AWAY;
    if (!PQsendQueryPrepared(pg->conn, name_of(name, text), params ? params->n : 0,
                             params ? params->values : NULL, params ? params->lengths : NULL,
                             params ? params->formats : NULL, 1))
        return lost(pg);
    return OK;
}

enum err pg_run(struct pg *pg, unsigned name, const struct pg_params *params, PGresult **result)
{
    enum err err = pg_send(pg, name, params);

    return err ? err : one_result(pg, result);
}

enum err pg_start_sql(struct pg *pg, const char *sql)
{
    if (!pg->conn)
        return ERR_AWAY;
    return PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1) ? OK : lost(pg);
}

enum err pg_await(struct pg *pg, PGresult **result)
{
    return pg->conn ? one_result(pg, result) : ERR_AWAY;
}

static enum err run_once(struct pg *pg, const char *sql, int n, const struct pg_params *params,
                         PGresult **result)
{
    if (!pg->conn)
        return ERR_AWAY;
    if (!PQsendQueryParams(pg->conn, sql, n, NULL, params ? params->values : NULL,
                           params ? params->lengths : NULL, params ? params->formats : NULL, 1))
        return lost(pg);
    return one_result(pg, result);
}

enum err pg_run_sql(struct pg *pg, const char *sql, const struct pg_params *params,
                    PGresult **result)
{
    return run_once(pg, sql, params ? params->n : 0, params, result);
}

enum err pg_run_query(struct pg *pg, unsigned name, const struct sql_query *query,
                      PGresult **result)
{
    const char **values = arena_array(query->arena, const char *, query->n + 1);
    int *lengths = arena_array(query->arena, int, query->n + 1);
    int *formats = arena_array(query->arena, int, query->n + 1);
    char text[8];
    int sent;

    if (!pg->conn)
        return ERR_AWAY;
    for (size_t i = 0; i < query->n; i++) {
        struct pg_params *one = arena_new(query->arena, struct pg_params);

        pg_value(one, &query->values[i]);
        values[i] = one->values[0];
        lengths[i] = one->lengths[0];
        formats[i] = 1;
    }
    sent = name == PG_ONCE ? PQsendQueryParams(pg->conn, query->text, (int)query->n, NULL, values,
                                               lengths, formats, 1)
                           : PQsendQueryPrepared(pg->conn, name_of(name, text), (int)query->n,
                                                 values, lengths, formats, 1);
    return sent ? one_result(pg, result) : lost(pg);
}

enum err pg_script(struct pg *pg, const char *sql)
{
    if (!pg->conn)
        return ERR_AWAY;
    return PQsendQuery(pg->conn, sql) ? one_result(pg, NULL) : lost(pg);
}

/* In a pipeline each statement has a result and then a NULL; the sync has a result alone. */
enum err pg_results(struct pg *pg, unsigned sent, pg_visitor *visit, void *arg)
{
    PGresult *result = NULL; /* a failure may leave none */
    enum err err = OK;

    if (!pg->conn)
        return ERR_AWAY;
    if (!PQpipelineSync(pg->conn))
        return lost(pg);
    for (unsigned i = 0; i < sent; i++) {
        do {
            err = next_result(pg, &result);
            if (err)
                return err;
            if (result)
                visit(arg, i, result);
            PQclear(result);
        } while (result && PQstatus(pg->conn) == CONNECTION_OK);
        if (PQstatus(pg->conn) != CONNECTION_OK)
            return lost(pg);
    }
    err = next_result(pg, &result);
    if (!err && PQresultStatus(result) != PGRES_PIPELINE_SYNC)
        err = lost(pg);
    PQclear(result);
    return err;
}
