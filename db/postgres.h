/*
 * postgres.h - inside the PostgreSQL engine: connections, parameters, and the store's struct.
 *
 * Only db/postgres*.c and db/engine_postgres.c include this. One writing connection (the
 * committer's) and a connection per reader, each used by one thread. Parameters and results are
 * binary throughout. A connection that is lost is dropped at once and made anew with the next use.
 */
#pragma once

#include "core/map.h"
#include "db/engine.h"

#include <libpq-fe.h>

/* SQLSTATEs of godwit_must (migrations/postgres). */
#define STATE_LIVE      "GWREV" /* a device's rev moved, or the device is not there */
#define STATE_POSITION  "GWPOS" /* somebody else appended to the outbox */
#define STATE_CONFLICT  "GWCFL"
#define STATE_EXISTS    "GWEXS"
#define STATE_NOT_FOUND "GWNFD"

/* Advisory locks: one server per database; one migrates; one appends to the outbox at a time. */
#define LOCK_SERVER  "7453010375520124001"
#define LOCK_MIGRATE "7453010375520124002"
#define LOCK_ORDER   "7453010375520124003"

/* ---- connections ----------------------------------------------------------------------------- */

struct pg_config {
    const char **keys, **values; /* as PQconnectdbParams takes them; owned */
    PQconninfoOption *parsed;    /* what they borrow from */
    char name[40];               /* application_name: "godwit" and this store's number */
};

#define WRITER_NAME " writer" /* behind the name, of the writer's session */

enum pg_role { PG_WRITER, PG_READER, PG_LOADER };

struct pg {
    PGconn *conn; /* NULL: not connected */
    const struct pg_config *config;
    enum pg_role role;
    uint64_t prepared; /* bit i: statement i is prepared; the writer: how many are */
    int64_t retry_us;  /* not before this (clock_mono): the last attempt failed */
    char reason[300];  /* the last failure, for people; holds no password */
    char state[6];     /* SQLSTATE of the last failure, "" if there was none */
};

/* ERR_INVALID: the URL cannot be parsed. */
enum err pg_config_init(struct pg_config *config, const char *url);
void pg_config_free(struct pg_config *config);

/* Connects and sets what the role needs. ERR_AWAY. */
enum err pg_connect(struct pg *pg, const struct pg_config *config, enum pg_role role);
void pg_drop(struct pg *pg);

/* Whether the connection stands; if not, connects anew (readers at most twice a second). */
enum err pg_ensure(struct pg *pg);

/* ---- parameters ------------------------------------------------------------------------------ */

#define PG_PARAMS_MAX 24

struct pg_params {
    int n;
    const char *values[PG_PARAMS_MAX];
    int lengths[PG_PARAMS_MAX], formats[PG_PARAMS_MAX];
    uint8_t numbers[PG_PARAMS_MAX][8]; /* what integers point to */
};

void pg_int(struct pg_params *params, int64_t v);
void pg_bool(struct pg_params *params, bool v);
void pg_eui(struct pg_params *params, struct lw_eui eui);
void pg_octets(struct pg_params *params, struct bytes b); /* no octets: an empty value */
void pg_blob(struct pg_params *params, struct bytes b);   /* no octets: NULL */
void pg_text(struct pg_params *params, const char *text);
void pg_value(struct pg_params *params, const struct sql_value *value);

/* A one-dimensional array that grows; its memory is kept from use to use. */
enum pg_element { PG_INT2, PG_INT8, PG_BOOL, PG_BYTEA };

struct pg_array {
    enum pg_element element;
    uint8_t *p;
    size_t n, room; /* octets */
    uint32_t count;
    bool has_null;
};

void pg_array_begin(struct pg_array *array, enum pg_element element);
void pg_array_int(struct pg_array *array, int64_t v); /* INT2, INT8, BOOL */
void pg_array_octets(struct pg_array *array, struct bytes b);
void pg_array_null(struct pg_array *array);
void pg_array_param(struct pg_array *array, struct pg_params *params);
void pg_array_free(struct pg_array *array);

/* ---- statements ------------------------------------------------------------------------------ */

/* Prepares statement `i` (0..63) of a connection if it is not yet. */
enum err pg_prepare(struct pg *pg, unsigned i, const char *sql);
/* The same in a pipeline. `types`: of the parameters, may be NULL where the text says them. */
enum err pg_send_prepare(struct pg *pg, unsigned i, const char *sql, const Oid *types, int n);

/* Runs a statement and waits for its result (NULL: not wanted); clear it with PQclear. `name` is a
 * prepared statement's number; `sql` runs once. */
enum err pg_run(struct pg *pg, unsigned name, const struct pg_params *params, PGresult **result);
enum err pg_run_sql(struct pg *pg, const char *sql, const struct pg_params *params,
                    PGresult **result);
/* The two halves of it: asks, and waits for what comes. The result is binary. */
enum err pg_start_sql(struct pg *pg, const char *sql);
enum err pg_await(struct pg *pg, PGresult **result);
/* The same with values of record_sql.h, any number of them. */
enum err pg_run_query(struct pg *pg, unsigned name, const struct sql_query *query,
                      PGresult **result);
/* Statements without parameters or results. */
enum err pg_script(struct pg *pg, const char *sql);

/* Pipeline: pg_send queues; pg_results waits for all up to the sync and gives each result in
 * order. The visitor gets the number of the statement since the last sync. ERR_AWAY: lost. */
enum err pg_send(struct pg *pg, unsigned name, const struct pg_params *params);
typedef void pg_visitor(void *arg, unsigned i, const PGresult *result);
enum err pg_results(struct pg *pg, unsigned sent, pg_visitor *visit, void *arg);

/* Notes what failed, for people; the connection is gone: drops it. ERR_AWAY. */
void pg_note(struct pg *pg, const char *state, const char *message);
enum err pg_lost(struct pg *pg);
/* The meaning of a SQLSTATE; notes it and the message in `pg`. */
enum err pg_result_err(struct pg *pg, const PGresult *result);
bool pg_state_is(const struct pg *pg, const char *state);

int64_t pg_get_int(const PGresult *result, int row,
                   int column); /* int8, int4, int2, bool; NULL: 0 */
struct bytes pg_get_octets(const PGresult *result, int row, int column, struct arena *arena);
struct record_row pg_get_record(const PGresult *result, int row);

/* ---- the store ------------------------------------------------------------------------------- */

/* Statements of the writer. */
/* clang-format off */
#define WRITE_TABLE(X)                                                                             \
    X(W_BEGIN,       "BEGIN")                                                                      \
    X(W_COMMIT,      "COMMIT")                                                                     \
    X(W_ROLLBACK,    "ROLLBACK")                                                                   \
    X(W_SAVEPOINT,   "SAVEPOINT change")                                                           \
    X(W_RELEASE,     "RELEASE change")                                                             \
    X(W_UNDO,        "ROLLBACK TO change")                                                         \
    X(W_MARK,        "INSERT INTO commit_mark (writer, n, saved) VALUES ($1::bigint, $2::bigint, true)") \
    X(W_OUTCOME,     "INSERT INTO commit_mark (writer, n, saved) VALUES ($1::bigint, $2::bigint, false) " \
                     "ON CONFLICT (writer, n) DO UPDATE SET saved = commit_mark.saved RETURNING saved") \
    X(W_MARK_TRIM,   "DELETE FROM commit_mark WHERE writer = $1::bigint AND n < $2::bigint")       \
    X(W_ORDER,       "SELECT pg_advisory_xact_lock(" LOCK_ORDER ")")                                   \
    X(W_POSITION,    "SELECT godwit_must(NOT EXISTS (SELECT FROM outbox WHERE pos >= $1::bigint), '" STATE_POSITION "')") \
    X(W_LIVE,        "WITH s AS (UPDATE device_state d SET "                                       \
                     "rev = CASE WHEN u.rev IS NULL THEN d.rev ELSE u.rev + 1 END, "               \
                     "before_pos = d.last_pos, last_pos = coalesce(u.last_pos, d.last_pos), "      \
                     "state = coalesce(u.state, d.state) "                                         \
                     "FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[], $8::bytea[]) " \
                     "AS u (dev_eui, rev, state, pos, last_pos, time, type, facts) "               \
                     "WHERE d.dev_eui = u.dev_eui AND d.rev = coalesce(u.rev, d.rev) "             \
                     "RETURNING u.pos, d.before_pos, d.dev_eui, u.time, u.type, u.facts), "        \
                     "o AS (INSERT INTO outbox (pos, prev, dev_eui, time, type, facts) "           \
                     "SELECT * FROM s WHERE pos IS NOT NULL) "                                     \
                     "SELECT godwit_must(count(*) = $9::bigint, '" STATE_LIVE "') FROM s")         \
    X(W_EVENTS,      "INSERT INTO outbox (pos, prev, dev_eui, time, type, facts) SELECT * FROM "   \
                     "unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::bytea[])") \
    X(W_REVS,        "SELECT u.dev_eui, d.rev FROM unnest($1::bigint[]) WITH ORDINALITY AS u (dev_eui, i) " \
                     "LEFT JOIN device_state d ON d.dev_eui = u.dev_eui ORDER BY u.i")             \
    X(W_SESSION,     "UPDATE device_state SET "                                                    \
                     "active = CASE WHEN $2::bigint & 1 <> 0 THEN $3::bytea ELSE active END, "     \
                     "pending = CASE WHEN $2::bigint & 2 <> 0 THEN $4::bytea ELSE pending END "    \
                     "WHERE dev_eui = $1::bigint")                                                 \
    X(W_STATE_NEW,   "INSERT INTO device_state (dev_eui) VALUES ($1::bigint) ON CONFLICT DO NOTHING") \
    X(W_QUEUE_PUT,   "INSERT INTO queue (id, dev_eui, ord, item) VALUES ($1::bytea, $2::bigint, $3::bigint, $4::bytea) " \
                     "ON CONFLICT (id) DO UPDATE SET dev_eui = excluded.dev_eui, ord = excluded.ord, item = excluded.item") \
    X(W_QUEUE_DEL,   "DELETE FROM queue WHERE id = $1::bytea")                                     \
    X(W_QUEUE_CLEAR, "DELETE FROM queue WHERE dev_eui = $1::bigint")                               \
    X(W_ATTEMPTS,    "INSERT INTO attempt (id, dev_eui, time, settled, attempt) SELECT * FROM "    \
                     "unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::bytea[]) " \
                     "ON CONFLICT (id) DO UPDATE SET dev_eui = excluded.dev_eui, time = excluded.time, " \
                     "settled = excluded.settled, attempt = excluded.attempt")                     \
    X(W_ATTEMPT_TRIM,"DELETE FROM attempt WHERE id IN "                                            \
                     "(SELECT id FROM attempt ORDER BY id LIMIT 500) AND time < $1::bigint")       \
    X(W_NONCE_ADD,   "INSERT INTO dev_nonce (dev_eui, join_eui, nonce) VALUES ($1::bigint, $2::bigint, $3::bigint)") \
    X(W_NONCE_CLEAR, "DELETE FROM dev_nonce WHERE dev_eui = $1::bigint")                           \
    X(W_JOIN_RESET,  "UPDATE join_state SET last_dev_nonce = -1 WHERE dev_eui = $1::bigint")       \
    X(W_JOIN_PUT,    "WITH j AS (INSERT INTO join_state (dev_eui, join_nonce, last_dev_nonce) "    \
                     "VALUES ($1::bigint, $2::bigint, $3::bigint) ON CONFLICT (dev_eui) DO UPDATE SET " \
                     "join_nonce = excluded.join_nonce, last_dev_nonce = excluded.last_dev_nonce " \
                     "WHERE join_state.join_nonce < excluded.join_nonce RETURNING 1) "             \
                     "SELECT godwit_must(count(*) = 1, '" STATE_CONFLICT "') FROM j")              \
    X(W_JOIN_EUI,    "UPDATE device SET join_eui = $2::bytea, rev = rev + 1, updated = $4::bigint, " \
                     "doc = jsonb_set(doc::jsonb, '{joinEui}', to_jsonb($3::text))::text "         \
                     "WHERE dev_eui = $1::bigint AND join_eui IS NULL")                            \
    X(W_KEYS_PUT,    "INSERT INTO device_keys (dev_eui, sealed) VALUES ($1::bigint, $2::bytea) "   \
                     "ON CONFLICT (dev_eui) DO UPDATE SET sealed = excluded.sealed")               \
    X(W_KEYS_DEL,    "DELETE FROM device_keys WHERE dev_eui = $1::bigint")                         \
    X(W_AUDIT_ADD,   "INSERT INTO audit (time, entry) VALUES ($1::bigint, $2::text)")              \
    X(W_SEGMENT_ADD, "INSERT INTO outbox_segment (n, first_pos, end_pos) VALUES ($1::bigint, $2::bigint, $3::bigint)") \
    X(W_SEGMENT_GROW,"UPDATE outbox_segment SET bytes = bytes + $2::bigint WHERE n = $1::bigint")  \
    X(W_SEGMENT_DEL, "DELETE FROM outbox_segment WHERE n = $1::bigint")

enum pg_write {
#define X(name, text) name,
    WRITE_TABLE(X)
#undef X
    W_RECORD_PUT, /* and the following: one for each type */
    W_RECORD_DEL = W_RECORD_PUT + REC_TYPE_COUNT,
    W_COUNT = W_RECORD_DEL + REC_TYPE_COUNT,
    PG_ONCE = 64 /* an unnamed statement */
};
/* clang-format on */

struct segment {
    uint64_t n, first_pos, end_pos; /* positions first_pos <= pos < end_pos */
    uint64_t bytes;
    uint64_t grown;    /* bytes that its row does not know yet */
    int64_t newest_us; /* time of its newest event, 0: not looked at */
};

/* A statement in the pipeline, to know whose result comes. */
struct sent {
    struct change *change; /* NULL: of the whole batch */
    struct op *op;         /* NULL: of several */
};

/* Arrays of W_LIVE, W_EVENTS and W_ATTEMPTS. */
struct pg_batch {
    struct pg_array live[8], events[6], attempts[5];
    uint32_t live_n;
    struct map attempt_at; /* id -> number of its last row + 1 */
};

struct store {
    struct store_head head;
    struct store_options options;
    struct pg_config config;
    struct pg pg;   /* the writer */
    int64_t writer; /* tells this store's marks from those of others */
    uint64_t mark;  /* of the newest transaction */
    /* A transaction whose answer was lost, 0: none; where the outbox ends if it was saved. */
    uint64_t unknown, unknown_end;
    uint64_t saved; /* the last such that was found saved */
    bool loaded;
    char told[sizeof(((struct pg *)NULL)->reason)]; /* why it is away, as the log has it */
    struct pg_batch batch;
    struct sent *sent;
    unsigned sent_n, sent_room;
    /* of the pass under way */
    enum err failed;
    unsigned failed_at;
    char failed_state[6];

    struct segment *segments;
    size_t segment_count;
    uint64_t outbox_next;              /* within the transaction */
    uint64_t outbox_bytes;             /* of all segments */
    uint64_t appended, appended_bytes; /* since the start, for the mean size of an event */
    int64_t trimmed_us, drop_us;       /* next time; not before */
    struct store_stats stats;
};

struct store_reader {
    struct store *store;
    struct pg pg;
};

/* postgres_schema.c */
/* Migrates under a lock of the database; checks the master key. */
enum err postgres_migrate(struct store *store, struct arena *arena, const char **why);
enum err postgres_schema_of(const char *url, struct migration_status *status, struct arena *arena,
                            const char **why);
/* What keeps a database from being opened. */
extern const char postgres_bad_url[];
const char *postgres_why(const struct pg *pg, enum err err, struct arena *arena);
/* One server per database: ERR_BUSY if another holds the lock. */
enum err postgres_lock(struct pg *pg);

/* postgres_commit.c */
enum err postgres_commit(struct store *store, struct change **batch, size_t n, size_t *done);

/* postgres_ready.c */
/* The writer's connection: makes it anew if it was lost, and learns what became of a transaction
 * whose answer was lost. ERR_AWAY. */
enum err postgres_ready(struct store *store);
/* Tries come twice a second or so: the log has a reason once. */
void postgres_tell_away(struct store *store, enum err err);

/* postgres_write.c */
enum err write_prepare(struct pg *pg);
/* Queues the statements of the changes whose result is OK so far. */
enum err write_changes(struct store *store, struct change **batch, size_t n);
enum err write_send(struct store *store, enum pg_write name, const struct pg_params *params,
                    struct change *change, struct op *op);
/* Takes over what a statement gave back (a record's rev). */
void write_result(const struct sent *sent, const PGresult *result);
/* After an outcome that was unknown: reads back what results would have told. */
enum err write_read_back(struct store *store, struct change *change);

/* postgres_batch.c: between begin and end, add each change that has not lost, then send. Adding
 * gives events their positions. `only`: whose they are, if all are of one change. */
void batch_begin(struct pg_batch *batch, struct change **changes, size_t n);
void batch_add(struct store *store, struct change *change);
enum err batch_send(struct store *store, struct change *only);
void batch_end(struct pg_batch *batch);
void batch_free(struct pg_batch *batch);

/* postgres_outbox.c */
enum err pg_outbox_open(struct store *store);
/* Sets outbox_next from what is saved. */
enum err pg_outbox_refresh(struct store *store);
/* Makes segments until `count` more events find room. */
enum err pg_outbox_cover(struct store *store, uint64_t count);
/* Counts an event that was committed. */
void pg_outbox_count(struct store *store, const struct op_event *event);
enum err pg_outbox_housekeep(struct store *store, bool *more);
enum err pg_outbox_retain(struct store *store, bool *more);
void pg_outbox_close(struct store *store);

/* postgres_read.c, postgres_load.c: what the engine table names */
enum err postgres_reader_open(struct store *store, struct store_reader **reader);
void postgres_reader_close(struct store_reader *reader);
enum err postgres_records(struct store_reader *reader, const struct sql_query *query,
                          record_visitor *visit, void *arg);
enum err postgres_keys_get(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                           struct bytes *sealed);
enum err postgres_join_state_get(struct store_reader *reader, struct lw_eui dev_eui,
                                 struct join_state *state);
enum err postgres_nonce_used(struct store_reader *reader, const struct op_nonce *nonce, bool *used);
enum err postgres_events_from(struct store_reader *reader, uint64_t from, size_t limit,
                              event_visitor *visit, void *arg);
enum err postgres_events_back(struct store_reader *reader, uint64_t before, size_t limit,
                              event_visitor *visit, void *arg, uint64_t *last);
enum err postgres_event_at(struct store_reader *reader, uint64_t pos, struct arena *arena,
                           struct stored_event *event);
enum err postgres_event_last(struct store_reader *reader, struct lw_eui dev_eui, uint64_t *pos);
enum err postgres_audit_list(struct store_reader *reader, uint64_t before, size_t limit,
                             struct arena *arena, struct audit_entry **entries, size_t *n);
enum err postgres_load(struct store *store, const struct store_loader *loader);
