/*
 * postgres_ready.c - the writer's connection: made anew when it was lost, with all that belongs to
 * it.
 *
 * When the connection is lost the outcome of a transaction may be unknown. Each leaves a mark under
 * a number of its own; after the connection is made anew the mark tells (mechanics 4).
 */
#include "core/log.h"
#include "db/postgres.h"

#include <stdio.h>
#include <string.h>

/* Whether the transaction of unknown outcome was saved; if not, it never will be. */
static enum err ask_outcome(struct store *store, bool *saved)
{
    struct pg_params params = {0};
    PGresult *result;
    enum err err;

    pg_int(&params, store->writer);
    pg_int(&params, (int64_t)store->unknown);
    err = pg_run(&store->pg, W_OUTCOME, &params, &result);
    if (err)
        return err;
    *saved = pg_get_int(result, 0, 0) != 0;
    PQclear(result);
    return OK;
}

static enum err learn_outcome(struct store *store)
{
    bool saved;
    enum err err;

    if (!store->unknown)
        return OK;
    err = ask_outcome(store, &saved);
    if (err)
        return err;
    LOG_INFO("commit_outcome", log_str("outcome", saved ? "saved" : "lost"));
    store->saved = saved ? store->unknown : 0;
    store->unknown = 0;
    return OK;
}

/* Sessions of this store that the server still holds would keep its lock and their rows' locks. */
static enum err end_former(struct store *store)
{
    struct pg_params params = {0};

    pg_text(&params, store->config.name);
    return pg_run_sql(&store->pg,
                      "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE "
                      "application_name = $1::text || '" WRITER_NAME
                      "' AND pid <> pg_backend_pid()",
                      &params, NULL);
}

void postgres_tell_away(struct store *store, enum err err)
{
    const char *reason = *store->pg.reason ? store->pg.reason : err_text(err);

    if (strcmp(store->told, reason) == 0)
        return;
    (void)snprintf(store->told, sizeof(store->told), "%s", reason);
    LOG_WARN("postgres_away", log_str("reason", reason), log_err(err));
}

static enum err connect_again(struct store *store)
{
    enum err err = pg_ensure(&store->pg);

    if (!err)
        err = end_former(store);
    if (!err)
        err = postgres_lock(&store->pg);
    if (!err)
        err = write_prepare(&store->pg);
    if (!err)
        err = learn_outcome(store);
    if (!err)
        err = pg_outbox_open(store);
    if (!err)
        return OK;
    postgres_tell_away(store, err);
    pg_drop(&store->pg);
    return ERR_AWAY;
}

enum err postgres_ready(struct store *store)
{
    if (store->pg.conn && PQstatus(store->pg.conn) == CONNECTION_OK)
        return learn_outcome(store);
    return connect_again(store);
}
