/*
 * postgres_read.c - readers: records, keys, events, audit.
 *
 * A reader has a connection of its own, outside any transaction between two calls: each statement
 * sees what is committed. One that finds its connection lost makes it anew and asks once more.
 */
#include "db/postgres.h"

#include <stdlib.h>

#define EVENTS_AT_ONCE 1000u

/* clang-format off */
#define READ_TABLE(X)                                                                              \
    X(R_KEYS,  "SELECT sealed FROM device_keys WHERE dev_eui = $1::bigint")                        \
    X(R_JOIN,  "SELECT join_nonce, last_dev_nonce FROM join_state WHERE dev_eui = $1::bigint")     \
    X(R_NONCE, "SELECT 1 FROM dev_nonce WHERE dev_eui = $1::bigint AND join_eui = $2::bigint AND nonce = $3::bigint") \
    X(R_LAST,  "SELECT last_pos FROM device_state WHERE dev_eui = $1::bigint")                     \
    X(R_UP,    "SELECT pos, prev, dev_eui, type, time, facts FROM outbox WHERE pos >= $1::bigint ORDER BY pos LIMIT $2::bigint") \
    X(R_DOWN,  "SELECT pos, prev, dev_eui, type, time, facts FROM outbox WHERE pos < $1::bigint ORDER BY pos DESC LIMIT $2::bigint") \
    X(R_AT,    "SELECT pos, prev, dev_eui, type, time, facts FROM outbox WHERE pos = $1::bigint")  \
    X(R_AUDIT, "SELECT id, time, entry FROM audit WHERE id < $1::bigint ORDER BY id DESC LIMIT $2::bigint")

enum pg_read {
#define X(name, text) name,
    READ_TABLE(X)
#undef X
    R_RECORDS /* and the following RECORD_KEEP */
};
/* clang-format on */

enum err postgres_reader_open(struct store *store, struct store_reader **out)
{
    struct store_reader *reader = xcalloc(1, sizeof(*reader));
    enum err err = pg_connect(&reader->pg, &store->config, PG_READER);

    reader->store = store;
    if (err) {
        free(reader);
        return err;
    }
    *out = reader;
    return OK;
}

void postgres_reader_close(struct store_reader *reader)
{
    pg_drop(&reader->pg);
    free(reader);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static enum err ask_once(struct store_reader *reader, enum pg_read which,
                         const struct pg_params *params, PGresult **result)
{
    static const char *const texts[] = {
#define X(name, text) [name] = (text),
        READ_TABLE(X)
#undef X
    };
    enum err err = pg_ensure(&reader->pg);

    if (!err)
        err = pg_prepare(&reader->pg, which, texts[which]);
    return err ? err : pg_run(&reader->pg, which, params, result);
}

static enum err ask(struct store_reader *reader, enum pg_read which, const struct pg_params *params,
                    PGresult **result)
{
    bool stood = reader->pg.conn != NULL;
    enum err err = ask_once(reader, which, params, result);

    if (err == ERR_AWAY && stood && !reader->pg.conn)
        err = ask_once(reader, which, params, result);
    return err;
}

static enum err records_once(struct store_reader *reader, const struct sql_query *query,
                             PGresult **result)
{
    unsigned name = query->keep < 0 ? PG_ONCE : R_RECORDS + (unsigned)query->keep;
    enum err err = pg_ensure(&reader->pg);

    if (!err && name != PG_ONCE)
        err = pg_prepare(&reader->pg, name, query->text);
    return err ? err : pg_run_query(&reader->pg, name, query, result);
}

enum err postgres_records(struct store_reader *reader, const struct sql_query *query,
                          record_visitor *visit, void *arg)
{
    bool stood = reader->pg.conn != NULL;
    PGresult *result;
    enum err err = records_once(reader, query, &result);

    if (err == ERR_AWAY && stood && !reader->pg.conn)
        err = records_once(reader, query, &result);
    if (err)
        return err;
    for (int i = 0; !err && i < PQntuples(result); i++) {
        struct record_row row = pg_get_record(result, i);

        err = visit(arg, &row);
    }
    PQclear(result);
    return err;
}

/* ---- keys and nonces ------------------------------------------------------------------------- */

static enum err ask_of(struct store_reader *reader, enum pg_read which, struct lw_eui dev_eui,
                       PGresult **result)
{
    struct pg_params params = {0};

    pg_eui(&params, dev_eui);
    return ask(reader, which, &params, result);
}

enum err postgres_keys_get(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                           struct bytes *sealed)
{
    PGresult *result;
    enum err err = ask_of(reader, R_KEYS, dev_eui, &result);

    if (err)
        return err;
    if (PQntuples(result))
        *sealed = pg_get_octets(result, 0, 0, arena);
    else
        err = ERR_NOT_FOUND;
    PQclear(result);
    return err;
}

enum err postgres_join_state_get(struct store_reader *reader, struct lw_eui dev_eui,
                                 struct join_state *state)
{
    PGresult *result;
    enum err err = ask_of(reader, R_JOIN, dev_eui, &result);

    *state = (struct join_state){.last_dev_nonce = -1};
    if (err)
        return err;
    if (PQntuples(result))
        *state = (struct join_state){.join_nonce = (uint32_t)pg_get_int(result, 0, 0),
                                     .last_dev_nonce = (int32_t)pg_get_int(result, 0, 1)};
    PQclear(result);
    return OK;
}

enum err postgres_nonce_used(struct store_reader *reader, const struct op_nonce *nonce, bool *used)
{
    struct pg_params params = {0};
    PGresult *result;
    enum err err;

    pg_eui(&params, nonce->dev_eui);
    pg_eui(&params, nonce->join_eui);
    pg_int(&params, nonce->nonce);
    err = ask(reader, R_NONCE, &params, &result);
    if (err)
        return err;
    *used = PQntuples(result) > 0;
    PQclear(result);
    return OK;
}

/* ---- events ---------------------------------------------------------------------------------- */

static struct stored_event event_of_row(const PGresult *result, int row, struct arena *arena)
{
    return (struct stored_event){.pos = (uint64_t)pg_get_int(result, row, 0),
                                 .prev = (uint64_t)pg_get_int(result, row, 1),
                                 .dev_eui = {(uint64_t)pg_get_int(result, row, 2)},
                                 .type = (uint8_t)pg_get_int(result, row, 3),
                                 .utc_us = pg_get_int(result, row, 4),
                                 .facts = pg_get_octets(result, row, 5, arena)};
}

struct event_scan {
    enum pg_read which;
    event_visitor *visit;
    void *arg;
    size_t left;
    bool ended, empty; /* the visitor had enough; there is no more */
    uint64_t last;
};

static enum err position(struct store_reader *reader, enum pg_read which, uint64_t pos,
                         size_t limit, PGresult **result)
{
    struct pg_params params = {0};

    pg_int(&params, pos > INT64_MAX ? INT64_MAX : (int64_t)pos);
    if (which != R_AT)
        pg_int(&params, (int64_t)limit);
    return ask(reader, which, &params, result);
}

/* Some rows from `bound` on; nothing is open at the server while they are visited. */
static enum err scan_some(struct store_reader *reader, struct event_scan *scan, uint64_t bound)
{
    size_t limit = scan->left < EVENTS_AT_ONCE ? scan->left : EVENTS_AT_ONCE;
    PGresult *result;
    enum err err = position(reader, scan->which, bound, limit, &result);

    if (err)
        return err;
    for (int i = 0; !scan->ended && i < PQntuples(result); i++) {
        struct stored_event event = event_of_row(result, i, NULL);

        scan->left--;
        scan->last = event.pos;
        scan->ended = !scan->visit(scan->arg, &event);
    }
    scan->empty = (size_t)PQntuples(result) < limit;
    PQclear(result);
    return OK;
}

enum err postgres_events_from(struct store_reader *reader, uint64_t from, size_t limit,
                              event_visitor *visit, void *arg)
{
    struct event_scan scan = {.which = R_UP, .visit = visit, .arg = arg, .left = limit};
    enum err err = OK;

    for (; !err && scan.left && !scan.ended && !scan.empty; from = scan.last + 1)
        err = scan_some(reader, &scan, from);
    return err;
}

enum err postgres_events_back(struct store_reader *reader, uint64_t before, size_t limit,
                              event_visitor *visit, void *arg, uint64_t *last)
{
    struct event_scan scan = {
        .which = R_DOWN, .visit = visit, .arg = arg, .left = limit, .last = before};
    enum err err = OK;

    while (!err && scan.left && !scan.ended && !scan.empty)
        err = scan_some(reader, &scan, scan.last);
    /* Everything below was looked at: nothing is left. */
    *last = scan.left && !scan.ended ? 0 : scan.last;
    return err;
}

enum err postgres_event_at(struct store_reader *reader, uint64_t pos, struct arena *arena,
                           struct stored_event *event)
{
    PGresult *result;
    enum err err = position(reader, R_AT, pos, 1, &result);

    if (err)
        return err;
    if (PQntuples(result))
        *event = event_of_row(result, 0, arena);
    else
        err = ERR_NOT_FOUND;
    PQclear(result);
    return err;
}

enum err postgres_event_last(struct store_reader *reader, struct lw_eui dev_eui, uint64_t *pos)
{
    PGresult *result;
    enum err err = ask_of(reader, R_LAST, dev_eui, &result);

    *pos = 0;
    if (err)
        return err;
    if (PQntuples(result))
        *pos = (uint64_t)pg_get_int(result, 0, 0);
    PQclear(result);
    return OK;
}

/* ---- audit ----------------------------------------------------------------------------------- */

enum err postgres_audit_list(struct store_reader *reader, uint64_t before, size_t limit,
                             struct arena *arena, struct audit_entry **entries, size_t *n)
{
    PGresult *result;
    enum err err = position(reader, R_AUDIT, before, limit, &result);

    *n = 0;
    *entries = arena_array(arena, struct audit_entry, limit);
    if (err)
        return err;
    for (int i = 0; i < PQntuples(result); i++)
        (*entries)[(*n)++] = (struct audit_entry){.id = (uint64_t)pg_get_int(result, i, 0),
                                                  .utc_us = pg_get_int(result, i, 1),
                                                  .json = pg_get_octets(result, i, 2, arena)};
    PQclear(result);
    return OK;
}
