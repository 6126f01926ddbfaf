/*
 * postgres.c - statements to PostgreSQL and their results: waiting, and what errors mean.
 *
 * Waiting is done here with poll, never inside libpq, so that a server that stopped without closing
 * the connection is noticed: it has WAIT_MS after the last octet. Statements have a time limit at
 * the server besides, shorter than that.
 */
#include "db/postgres.h"

#include "core/log.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS 30000

/* ---- errors ---------------------------------------------------------------------------------- */

void pg_note(struct pg *pg, const char *state, const char *message)
{
    size_t n;

    (void)snprintf(pg->state, sizeof(pg->state), "%s", state ? state : "");
    (void)snprintf(pg->reason, sizeof(pg->reason), "%s", message ? message : "");
    n = strlen(pg->reason);
    while (n > 0 && pg->reason[n - 1] == '\n')
        pg->reason[--n] = '\0';
}

enum err pg_lost(struct pg *pg)
{
    pg_note(pg, "", pg->conn ? PQerrorMessage(pg->conn) : "not connected");
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
    pg_note(pg, state, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
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

/* ---- waiting --------------------------------------------------------------------------------- */

/* Waits until the next result can be taken without blocking, and takes it. */
static enum err next_result(struct pg *pg, PGresult **result)
{
    int unsent = PQflush(pg->conn);

    while (unsent >= 0 && PQisBusy(pg->conn)) {
        struct pollfd fd = {.fd = PQsocket(pg->conn),
                            .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};

        if (poll(&fd, 1, WAIT_MS) == 0) {
            pg_note(pg, "", "the server does not answer");
            pg_drop(pg);
            return ERR_AWAY;
        }
        if (!PQconsumeInput(pg->conn))
            return pg_lost(pg);
        unsent = PQflush(pg->conn);
    }
    if (unsent < 0)
        return pg_lost(pg);
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
    return PQsendPrepare(pg->conn, name_of(i, name), sql, n, types) ? OK : pg_lost(pg);
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
        return pg_lost(pg);
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
    return PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1) ? OK : pg_lost(pg);
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
        return pg_lost(pg);
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
    return sent ? one_result(pg, result) : pg_lost(pg);
}

enum err pg_script(struct pg *pg, const char *sql)
{
    if (!pg->conn)
        return ERR_AWAY;
    return PQsendQuery(pg->conn, sql) ? one_result(pg, NULL) : pg_lost(pg);
}

/* In a pipeline each statement has a result and then a NULL; the sync has a result alone. */
enum err pg_results(struct pg *pg, unsigned sent, pg_visitor *visit, void *arg)
{
    PGresult *result = NULL; /* a failure may leave none */
    enum err err = OK;

    if (!pg->conn)
        return ERR_AWAY;
    if (!PQpipelineSync(pg->conn))
        return pg_lost(pg);
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
            return pg_lost(pg);
    }
    err = next_result(pg, &result);
    if (!err && PQresultStatus(result) != PGRES_PIPELINE_SYNC)
        err = pg_lost(pg);
    PQclear(result);
    return err;
}
