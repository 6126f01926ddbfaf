/*
 * postgres_load.c - start-up: what lives in memory is read once, before any thread runs.
 *
 * By a connection of its own, in one snapshot, with cursors: some hundred rows at a time, in the
 * binary form. The next ones are asked for before these are looked at, and are few enough to wait
 * in the socket, so that both sides work at once.
 */
#include "core/log.h"
#include "db/postgres.h"

#include <stdio.h>

#define FETCH "FETCH 500 FROM rows"

typedef enum err row_visitor(void *arg, const PGresult *result, int row);

/* Takes what was asked for; asks for more, unless that was all. */
static enum err fetch(struct pg *pg, row_visitor *visit, void *arg, bool *more)
{
    PGresult *result;
    enum err err = pg_await(pg, &result);

    *more = false;
    if (err)
        return err;
    *more = PQntuples(result) > 0;
    if (*more)
        err = pg_start_sql(pg, FETCH);
    for (int i = 0; !err && i < PQntuples(result); i++)
        err = visit(arg, result, i);
    PQclear(result);
    return err;
}

static enum err each_row(struct pg *pg, const char *sql, row_visitor *visit, void *arg)
{
    struct arena arena;
    bool more = true;
    enum err err;

    arena_init(&arena, ARENA_JOB_LIMIT);
    err = pg_script(pg, arena_printf(&arena, "DECLARE rows NO SCROLL CURSOR FOR %s", sql));
    arena_reset(&arena);
    if (!err)
        err = pg_start_sql(pg, FETCH);
    while (!err && more)
        err = fetch(pg, visit, arg, &more);
    return err ? err : pg_script(pg, "CLOSE rows");
}

/* Counting them would take a while; the statistics of the table know about how many there are. */
static enum err tell_count(struct pg *pg, const struct store_loader *loader)
{
    PGresult *result;
    enum err err = pg_run_sql(pg,
                              "SELECT greatest(reltuples, 0)::bigint FROM pg_class "
                              "WHERE oid = 'device'::regclass",
                              NULL, &result);

    if (err)
        return err;
    loader->begin(loader->arg, (size_t)pg_get_int(result, 0, 0));
    PQclear(result);
    return OK;
}

/* ---- devices --------------------------------------------------------------------------------- */

static void copy_octets(void *to, size_t n, const PGresult *result, int row, int column)
{
    struct rd rd = rd_bytes(pg_get_octets(result, row, column, NULL));

    rd_copy(&rd, to, n);
}

static enum err on_device(void *arg, const PGresult *result, int row)
{
    const struct store_loader *loader = arg;
    struct loaded_device device = {
        .dev_eui = {(uint64_t)pg_get_int(result, row, 0)},
        .is_disabled = pg_get_int(result, row, 4) != 0,
        .skip_fcnt_check = pg_get_int(result, row, 5) != 0,
        .rev = (uint64_t)pg_get_int(result, row, 6),
        .state = pg_get_octets(result, row, 7, NULL),
        .active = pg_get_octets(result, row, 8, NULL),
        .pending = pg_get_octets(result, row, 9, NULL),
    };
    struct bytes join_eui = pg_get_octets(result, row, 3, NULL);
    struct rd rd = rd_bytes(join_eui);

    device.unreadable = PQgetisnull(result, row, 6); /* each device has a row of state */
    copy_octets(device.application_id.b, 16, result, row, 1);
    copy_octets(device.device_profile_id.b, 16, result, row, 2);
    device.has_join_eui = join_eui.n == 8;
    device.join_eui.v = device.has_join_eui ? rd_u64be(&rd) : 0;
    loader->device(loader->arg, &device);
    return OK;
}

static enum err on_queue_item(void *arg, const PGresult *result, int row)
{
    const struct store_loader *loader = arg;
    struct op_queue item = {.dev_eui = {(uint64_t)pg_get_int(result, row, 1)},
                            .order = (uint64_t)pg_get_int(result, row, 2),
                            .item = pg_get_octets(result, row, 3, NULL)};

    copy_octets(item.id.b, sizeof(item.id.b), result, row, 0);
    loader->queue_item(loader->arg, &item);
    return OK;
}

static enum err on_attempt(void *arg, const PGresult *result, int row)
{
    const struct store_loader *loader = arg;
    struct op_attempt attempt = {.id = (uint64_t)pg_get_int(result, row, 0),
                                 .dev_eui = {(uint64_t)pg_get_int(result, row, 1)},
                                 .utc_us = pg_get_int(result, row, 2),
                                 .settled = pg_get_int(result, row, 3) != 0,
                                 .attempt = pg_get_octets(result, row, 4, NULL)};

    loader->attempt(loader->arg, &attempt);
    return OK;
}

/* ---- records --------------------------------------------------------------------------------- */

struct record_load {
    struct store *store;
    const struct store_loader *loader;
    enum record_type type;
    struct arena arena;
};

static enum err on_record(void *arg, const PGresult *result, int row)
{
    struct record_load *load = arg;
    struct record_row got = pg_get_record(result, row);
    void *record;
    enum err err = record_of_row(load->store, load->type, &got, &load->arena, &record);

    if (!err)
        load->loader->record(load->loader->arg, load->type, record, &load->arena);
    arena_reset(&load->arena);
    return err == ERR_CORRUPT ? OK : err; /* it is set aside */
}

static enum err load_records(struct store *store, struct pg *pg, const struct store_loader *loader,
                             enum record_type type)
{
    struct record_load load = {.store = store, .loader = loader, .type = type};
    char sql[128];

    arena_init(&load.arena, ARENA_REQUEST_LIMIT);
    (void)snprintf(sql, sizeof(sql), "SELECT rev, created, updated, doc, %s FROM \"%s\"",
                   record_key_column(type), record_types[type].table);
    return each_row(pg, sql, on_record, &load);
}

/* ---- all ------------------------------------------------------------------------------------- */

static enum err load_all(struct store *store, struct pg *pg, const struct store_loader *loader)
{
    void *arg = (void *)(uintptr_t)loader;
    enum err err = pg_script(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    char sql[160];

    for (unsigned type = 0; !err && loader->record && type < REC_TYPE_COUNT; type++) {
        if (record_types[type].shared)
            err = load_records(store, pg, loader, (enum record_type)type);
    }
    if (!err && loader->begin)
        err = tell_count(pg, loader);
    if (!err && loader->device)
        err = each_row(pg,
                       "SELECT d.dev_eui, d.application_id, d.device_profile_id, d.join_eui, "
                       "d.is_disabled, d.skip_fcnt_check, s.rev, s.state, s.active, s.pending "
                       "FROM device d LEFT JOIN device_state s ON s.dev_eui = d.dev_eui",
                       on_device, arg);
    if (!err && loader->queue_item)
        err = each_row(pg, "SELECT id, dev_eui, ord, item FROM queue ORDER BY ord", on_queue_item,
                       arg);
    (void)snprintf(sql, sizeof(sql),
                   "SELECT id, dev_eui, time, settled, attempt FROM attempt "
                   "WHERE NOT settled OR time >= %lld ORDER BY id",
                   (long long)(clock_utc(store->options.clock) - 3600 * (int64_t)US_PER_S));
    if (!err && loader->attempt)
        err = each_row(pg, sql, on_attempt, arg);
    return err ? err : pg_script(pg, "COMMIT");
}

enum err postgres_load(struct store *store, const struct store_loader *loader)
{
    struct pg pg = {0};
    enum err err = store->loaded ? ERR_BAD_STATE : pg_connect(&pg, &store->config, PG_LOADER);

    if (!err)
        err = load_all(store, &pg, loader);
    if (err)
        LOG_ERROR("load_failed", log_err(err), log_str("reason", pg.reason));
    pg_drop(&pg);
    store->loaded = !err;
    return err;
}
