/*
 * postgres_write.c - the statements that write changes.
 *
 * What comes with each frame goes in arrays (postgres_batch.c). What is rarer is one statement an
 * operation, in the order of the changes, and before the arrays: a device may be made with its
 * first state in one change.
 */
#include "core/json.h"
#include "core/log.h"
#include "db/postgres.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- preparing ------------------------------------------------------------------------------- */

/* The parameter types of the values of record_sql.h, from the catalogue of types. */
static const Oid type_oids[] = {
    [SQL_TYPE_INTEGER] = 20, [SQL_TYPE_BOOL] = 16, [SQL_TYPE_TEXT] = 25, [SQL_TYPE_BLOB] = 17};

/* Parameters: key, expected rev (0: insert, -1: whatever is there), created, updated, doc, columns.
 * The row gets rev 1, or one more than it has. */
static void put_sql(enum record_type type, char *sql, size_t room)
{
    const char *key = record_key_column(type), *table = record_types[type].table;
    struct record_columns columns;

    record_columns(type, '$', 6, &columns);
    (void)snprintf(
        sql, room,
        "WITH p AS (INSERT INTO \"%s\" AS t (%s, rev, created, updated, doc%s) "
        "SELECT $1, 1, $3, $4, $5%s WHERE $2 <= 0 OR EXISTS (SELECT FROM \"%s\" WHERE %s = $1) "
        "ON CONFLICT (%s) DO UPDATE SET rev = t.rev + 1, updated = excluded.updated, "
        "doc = excluded.doc%s WHERE $2 = -1 OR t.rev = $2 RETURNING t.rev, t.created) "
        "SELECT max(rev), max(created), godwit_must(count(*) = 1, CASE WHEN $2 = 0 "
        "THEN '" STATE_EXISTS "' WHEN EXISTS (SELECT FROM \"%s\" WHERE %s = $1) "
        "THEN '" STATE_CONFLICT "' ELSE '" STATE_NOT_FOUND "' END) FROM p",
        table, key, columns.names, columns.marks, table, key, key, columns.sets, table, key);
}

static enum err prepare_put(struct pg *pg, enum record_type type)
{
    struct arena arena;
    Oid types[PG_PARAMS_MAX] = {record_types[type].key_n == 8 ? type_oids[SQL_TYPE_INTEGER]
                                                              : type_oids[SQL_TYPE_BLOB],
                                type_oids[SQL_TYPE_INTEGER], type_oids[SQL_TYPE_INTEGER],
                                type_oids[SQL_TYPE_INTEGER], type_oids[SQL_TYPE_TEXT]};
    int n = 5;
    char sql[4096];
    void *empty;
    enum err err;

    arena_init(&arena, ARENA_JOB_LIMIT);
    empty = arena_alloc(&arena, record_types[type].size);
    for (const struct field *f = record_types[type].fields; f->kind != F_END; f++) {
        if (record_is_column(f))
            types[n++] = type_oids[record_member_value(f, empty).type];
    }
    put_sql(type, sql, sizeof(sql));
    err = pg_send_prepare(pg, W_RECORD_PUT + type, sql, types, n);
    arena_reset(&arena);
    return err;
}

/* Parameters: key, expected rev (-1: whatever is there). */
static enum err prepare_del(struct pg *pg, enum record_type type)
{
    const char *key = record_key_column(type), *table = record_types[type].table;
    char sql[512];

    (void)snprintf(sql, sizeof(sql),
                   "WITH d AS (DELETE FROM \"%s\" WHERE %s = $1 "
                   "AND ($2::bigint = -1 OR rev = $2::bigint) RETURNING 1) "
                   "SELECT godwit_must(count(*) = 1, "
                   "CASE WHEN EXISTS (SELECT FROM \"%s\" WHERE %s = $1) "
                   "THEN '" STATE_CONFLICT "' ELSE '" STATE_NOT_FOUND "' END) FROM d",
                   table, key, table, key);
    return pg_send_prepare(pg, W_RECORD_DEL + type, sql, NULL, 0);
}

static enum err send_texts(struct pg *pg)
{
    static const char *const texts[] = {
#define X(name, text) [name] = (text),
        WRITE_TABLE(X)
#undef X
    };
    enum err err = OK;

    for (unsigned i = 0; !err && i < sizeof(texts) / sizeof(texts[0]); i++)
        err = pg_send_prepare(pg, i, texts[i], NULL, 0);
    for (unsigned type = 0; !err && type < REC_TYPE_COUNT; type++) {
        err = prepare_put(pg, (enum record_type)type);
        if (!err)
            err = prepare_del(pg, (enum record_type)type);
    }
    return err;
}

static void on_prepared(void *arg, unsigned i, const PGresult *result)
{
    struct pg *pg = arg;

    (void)i;
    if (PQresultStatus(result) != PGRES_PIPELINE_ABORTED && pg_result_err(pg, result))
        LOG_ERROR("statement", log_str("reason", pg->reason));
    else if (PQresultStatus(result) == PGRES_COMMAND_OK)
        pg->prepared++;
}

enum err write_prepare(struct pg *pg)
{
    enum err err = pg->conn && PQenterPipelineMode(pg->conn) ? send_texts(pg) : ERR_AWAY;

    pg->prepared = 0;
    if (!err)
        err = pg_results(pg, W_COUNT, on_prepared, pg);
    if (!pg->conn || !PQexitPipelineMode(pg->conn))
        return ERR_AWAY;
    return !err && pg->prepared != W_COUNT ? ERR_STORE : err;
}

/* ---- one operation a statement --------------------------------------------------------------- */

enum err write_send(struct store *store, enum pg_write name, const struct pg_params *params,
                    struct change *change, struct op *op)
{
    if (store->sent_n == store->sent_room) {
        store->sent_room = store->sent_room ? 2 * store->sent_room : 256;
        store->sent = xrealloc(store->sent, store->sent_room * sizeof(*store->sent));
    }
    store->sent[store->sent_n++] = (struct sent){.change = change, .op = op};
    return pg_send(&store->pg, name, params);
}

static void add_key(struct pg_params *params, const struct op_record *op)
{
    struct sql_value key = record_key_value(&op->key);

    pg_value(params, &key);
    pg_int(params, op->expected_rev == UINT64_MAX ? -1 : (int64_t)op->expected_rev);
}

static enum err send_record_put(struct store *store, struct change *change, struct op *op)
{
    const struct op_record *put = &op->record;
    struct pg_params params = {0};
    struct jw jw;
    enum err err = record_doc(put->type, put->record, &jw);

    add_key(&params, put);
    pg_int(&params, put->utc_us);
    pg_int(&params, put->utc_us);
    pg_octets(&params, jw_bytes(&jw));
    for (const struct field *f = record_types[put->type].fields; f->kind != F_END; f++) {
        struct sql_value value;

        if (!record_is_column(f))
            continue;
        value = record_member_value(f, put->record);
        pg_value(&params, &value);
    }
    if (!err)
        err = write_send(store, W_RECORD_PUT + put->type, &params, change, op);
    jw_free(&jw);
    if (err || put->type != REC_DEVICE)
        return err;
    params.n = 1; /* the key */
    return write_send(store, W_STATE_NEW, &params, change, NULL);
}

static enum err send_record_del(struct store *store, struct change *change, struct op *op)
{
    struct pg_params params = {0};

    add_key(&params, &op->record);
    if (!op->record.expected_rev) {
        params.n = 1;
        pg_int(&params, -1);
    }
    return write_send(store, W_RECORD_DEL + op->record.type, &params, change, op);
}

static enum err send_queue(struct store *store, struct change *change, struct op *op)
{
    const struct op_queue *queue = &op->queue;
    struct pg_params params = {0};

    if (op->kind == OP_QUEUE_DEL && uuid_is_zero(&queue->id)) {
        pg_eui(&params, queue->dev_eui);
        return write_send(store, W_QUEUE_CLEAR, &params, change, op);
    }
    pg_octets(&params, (struct bytes){queue->id.b, sizeof(queue->id.b)});
    if (op->kind == OP_QUEUE_DEL)
        return write_send(store, W_QUEUE_DEL, &params, change, op);
    pg_eui(&params, queue->dev_eui);
    pg_int(&params, (int64_t)queue->order);
    pg_octets(&params, queue->item);
    return write_send(store, W_QUEUE_PUT, &params, change, op);
}

static enum err send_nonce(struct store *store, struct change *change, struct op *op)
{
    struct pg_params params = {0};
    enum err err;

    pg_eui(&params, op->nonce.dev_eui);
    if (op->kind == OP_NONCE_CLEAR) {
        err = write_send(store, W_NONCE_CLEAR, &params, change, op);
        return err ? err : write_send(store, W_JOIN_RESET, &params, change, op);
    }
    pg_eui(&params, op->nonce.join_eui);
    pg_int(&params, op->nonce.nonce);
    return write_send(store, W_NONCE_ADD, &params, change, op);
}

static enum err send_join(struct store *store, struct change *change, struct op *op)
{
    struct pg_params params = {0};

    pg_eui(&params, op->join.dev_eui);
    pg_int(&params, op->join.join_nonce);
    pg_int(&params, op->join.last_dev_nonce);
    return write_send(store, W_JOIN_PUT, &params, change, op);
}

/* A record that names a JoinEUI by now keeps it. */
static enum err send_join_eui(struct store *store, struct change *change, struct op *op)
{
    struct pg_params params = {0};
    uint8_t octets[8];
    struct wr wr = wr_of(octets, sizeof(octets));
    char text[17];

    wr_u64be(&wr, op->join_eui.join_eui.v);
    (void)snprintf(text, sizeof(text), "%016" PRIx64, op->join_eui.join_eui.v);
    pg_eui(&params, op->join_eui.dev_eui);
    pg_octets(&params, wr_bytes(&wr));
    pg_text(&params, text);
    pg_int(&params, op->join_eui.utc_us);
    return write_send(store, W_JOIN_EUI, &params, change, op);
}

static enum err send_keys(struct store *store, struct change *change, struct op *op)
{
    struct pg_params params = {0};

    pg_eui(&params, op->keys.dev_eui);
    if (!op->keys.sealed.n)
        return write_send(store, W_KEYS_DEL, &params, change, op);
    pg_octets(&params, op->keys.sealed);
    return write_send(store, W_KEYS_PUT, &params, change, op);
}

static enum err send_audit(struct store *store, struct change *change, struct op *op)
{
    struct pg_params params = {0};

    pg_int(&params, op->audit.utc_us);
    pg_octets(&params, op->audit.json);
    return write_send(store, W_AUDIT_ADD, &params, change, op);
}

/* The state itself goes with the arrays; a change of session follows it. */
static enum err send_session(struct store *store, struct change *change, struct op *op)
{
    struct pg_params params = {0};

    if (!op->state.set)
        return OK;
    pg_eui(&params, op->state.dev_eui);
    pg_int(&params, op->state.set);
    pg_blob(&params, op->state.active);
    pg_blob(&params, op->state.pending);
    return write_send(store, W_SESSION, &params, change, op);
}

static enum err send_op(struct store *store, struct change *change, struct op *op)
{
    switch (op->kind) {
    case OP_EVENT:
    case OP_ATTEMPT_PUT: return OK; /* in arrays */
    case OP_STATE: return send_session(store, change, op);
    case OP_QUEUE_PUT:
    case OP_QUEUE_DEL: return send_queue(store, change, op);
    case OP_NONCE_ADD:
    case OP_NONCE_CLEAR: return send_nonce(store, change, op);
    case OP_JOIN_STATE: return send_join(store, change, op);
    case OP_JOIN_EUI: return send_join_eui(store, change, op);
    case OP_KEYS_PUT: return send_keys(store, change, op);
    case OP_RECORD_PUT: return send_record_put(store, change, op);
    case OP_RECORD_DEL: return send_record_del(store, change, op);
    case OP_AUDIT: return send_audit(store, change, op);
    }
    return ERR_BAD_STATE;
}

/* ---- changes --------------------------------------------------------------------------------- */

enum err write_changes(struct store *store, struct change **changes, size_t n)
{
    enum err err = OK;

    batch_begin(&store->batch, changes, n);
    for (size_t i = 0; !err && i < n; i++) {
        if (changes[i]->result)
            continue;
        for (struct op *op = changes[i]->first; !err && op; op = op->next)
            err = send_op(store, changes[i], op);
        batch_add(store, changes[i]);
    }
    if (!err)
        err = batch_send(store, n == 1 ? changes[0] : NULL);
    batch_end(&store->batch);
    return err;
}

/* ---- results --------------------------------------------------------------------------------- */

static void take_head(struct op_record *put, uint64_t rev, int64_t created)
{
    *(struct record_head *)put->record =
        (struct record_head){.rev = rev, .created_us = created, .updated_us = put->utc_us};
}

void write_result(const struct sent *sent, const PGresult *result)
{
    if (sent->op && sent->op->kind == OP_RECORD_PUT && PQntuples(result) == 1)
        take_head(&sent->op->record, (uint64_t)pg_get_int(result, 0, 0), pg_get_int(result, 0, 1));
}

enum err write_read_back(struct store *store, struct change *change)
{
    enum err err = OK;

    for (struct op *op = change->first; !err && op; op = op->next) {
        struct pg_params params = {0};
        struct sql_value key;
        PGresult *result;
        char sql[160];

        if (op->kind != OP_RECORD_PUT)
            continue;
        key = record_key_value(&op->record.key);
        pg_value(&params, &key);
        (void)snprintf(sql, sizeof(sql), "SELECT rev, created FROM \"%s\" WHERE %s = $1",
                       record_types[op->record.type].table, record_key_column(op->record.type));
        err = pg_run_sql(&store->pg, sql, &params, &result);
        if (err)
            break;
        write_result(&(struct sent){.change = change, .op = op}, result);
        PQclear(result);
    }
    return err;
}
