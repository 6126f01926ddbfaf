/*
 * engine_postgres.c - opening and closing the store on PostgreSQL, and its background work.
 */
#include "core/log.h"
#include "db/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUSEKEEP_US     (1 * (int64_t)US_PER_S)
#define ATTEMPTS_KEPT_US (INT64_C(2) * 3600 * US_PER_S)
#define MARKS_KEPT       1000u

/* ---- opening --------------------------------------------------------------------------------- */

static enum err open_database(struct store *store, struct arena *arena, const char **why)
{
    struct pg *pg = &store->pg;
    enum err err = pg_connect(pg, &store->config, PG_WRITER);

    if (!err) {
        err = postgres_lock(pg);
        if (err == ERR_BUSY)
            *why = "the database is held: another godwit uses this store";
    }
    if (!err)
        err = postgres_migrate(store, arena, why);
    if (!err)
        err = write_prepare(pg);
    if (!err)
        err = pg_outbox_open(store);
    if (!err)
        atomic_store(&store->head.outbox_end, store->outbox_next);
    if (err && !*why)
        *why = postgres_why(pg, err, arena);
    return err;
}

static void postgres_close(struct store *store)
{
    bool more;

    /* What retention goes by is told once a second; here for the last time. */
    if (store->pg.conn && store->segment_count)
        (void)pg_outbox_housekeep(store, &more);
    pg_drop(&store->pg);
    pg_outbox_close(store);
    batch_free(&store->batch);
    pg_config_free(&store->config);
    store_head_fini(&store->head);
    free(store->sent);
    free(store);
}

static enum err postgres_open(const struct store_options *options, struct arena *arena,
                              struct store **out, const char **why)
{
    struct store *store = xcalloc(1, sizeof(*store));
    enum err err = pg_config_init(&store->config, options->url);

    store_head_init(&store->head, &engine_postgres, options);
    store->options = *options;
    store->options.url = store->options.data_dir = NULL; /* the caller's */
    store->options.master_key = NULL;
    if (err)
        *why = postgres_bad_url;
    else
        store->writer = (int64_t)bytes_hash(
            (struct bytes){(const uint8_t *)store->config.name, strlen(store->config.name)}, 1);
    if (!err)
        err = open_database(store, arena, why);
    if (err) {
        postgres_close(store);
        return err;
    }
    *out = store;
    return OK;
}

static void postgres_stats(const struct store *store, struct store_stats *stats)
{
    *stats = store->stats;
    stats->outbox_first = store->segment_count ? store->segments[0].first_pos : 1;
    stats->outbox_end = atomic_load(&store->head.outbox_end);
    stats->outbox_bytes = store->outbox_bytes;
}

/* ---- background work ------------------------------------------------------------------------- */

static enum err trim_attempts(struct store *store, bool *more)
{
    struct pg_params params = {0};
    PGresult *result;
    enum err err;

    pg_int(&params, clock_utc(store->options.clock) - ATTEMPTS_KEPT_US);
    err = pg_run(&store->pg, W_ATTEMPT_TRIM, &params, &result);
    if (err)
        return err;
    *more = strcmp(PQcmdTuples(result), "500") == 0;
    PQclear(result);
    return OK;
}

static enum err trim_marks(struct store *store)
{
    struct pg_params params = {0};

    pg_int(&params, store->writer);
    pg_int(&params, store->mark > MARKS_KEPT ? (int64_t)(store->mark - MARKS_KEPT) : 0);
    return pg_run(&store->pg, W_MARK_TRIM, &params, NULL);
}

/* Asks the server something each second at least, so that a loss is noticed while nothing is
 * written. */
static enum err postgres_housekeep(struct store *store, bool *more)
{
    int64_t now = clock_mono(store->options.clock);
    enum err err = postgres_ready(store);

    *more = false;
    if (!err)
        err = pg_outbox_housekeep(store, more);
    if (err || *more || now < store->trimmed_us)
        return err;
    err = trim_attempts(store, more);
    if (!err && !*more)
        err = pg_outbox_retain(store, more);
    if (!err && !*more)
        err = trim_marks(store);
    if (!err && !*more)
        store->trimmed_us = now + HOUSEKEEP_US;
    return err;
}

/* ---- the table ------------------------------------------------------------------------------- */

static enum err postgres_migration_status(const char *url, const char *data_dir,
                                          struct migration_status *status, struct arena *arena,
                                          const char **why)
{
    (void)data_dir;
    return postgres_schema_of(url, status, arena, why);
}

static enum err postgres_jump_join_nonces(struct store *store, uint32_t by)
{
    struct pg_params params = {0};

    pg_int(&params, by);
    return pg_run_sql(&store->pg,
                      "UPDATE join_state SET join_nonce = least(join_nonce + $1::bigint, 16777215)",
                      &params, NULL);
}

static const char no_backup[] =
    "PostgreSQL is backed up with pg_dump, while the server runs; after a pg_restore run "
    "`godwit restore --counters` before the server is started";

static enum err postgres_backup(struct store_reader *reader, const char *file, struct arena *arena,
                                const char **why)
{
    (void)reader;
    (void)file;
    (void)arena;
    *why = no_backup;
    return ERR_UNSUPPORTED;
}

static const char *const schemes[] = {"postgresql://", "postgres://", NULL};

static const struct sql_dialect dialect = {.mark = '$',
                                           .like = "ILIKE",
                                           .hex_of = "lpad(to_hex(",
                                           .hex_end = "), 16, '0')",
                                           .email_of = "lower"};

const struct engine engine_postgres = {
    .name = "postgresql",
    .schemes = schemes,
    .dialect = &dialect,
    .open = postgres_open,
    .close = postgres_close,
    .commit = postgres_commit,
    .housekeep = postgres_housekeep,
    .stats = postgres_stats,
    .load = postgres_load,
    .migration_status = postgres_migration_status,
    .reader_open = postgres_reader_open,
    .reader_close = postgres_reader_close,
    .records = postgres_records,
    .keys_get = postgres_keys_get,
    .join_state_get = postgres_join_state_get,
    .nonce_used = postgres_nonce_used,
    .events_from = postgres_events_from,
    .events_back = postgres_events_back,
    .event_at = postgres_event_at,
    .event_last = postgres_event_last,
    .audit_list = postgres_audit_list,
    .jump_join_nonces = postgres_jump_join_nonces,
    .no_backup = no_backup,
    .backup = postgres_backup,
};
