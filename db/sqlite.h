/*
 * sqlite.h - inside the SQLite engine: the store's struct and small helpers over sqlite3.
 *
 * Only db/sqlite*.c include this. One writer connection (the committer's), and a connection per
 * reader. Statements are prepared when first used and kept.
 */
#pragma once

#include "core/map.h"
#include "db/engine.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>

/* Statements of the writer by name; the SQL stands in sqlite.c (a typo stops the first start, since
 * all are prepared at open). */
/* clang-format off */
#define SQL_TABLE(X)                                                                               \
    X(SQL_BEGIN,          "BEGIN IMMEDIATE")                                                       \
    X(SQL_COMMIT,         "COMMIT")                                                                \
    X(SQL_ROLLBACK,       "ROLLBACK")                                                              \
    X(SQL_SAVEPOINT,      "SAVEPOINT change")                                                      \
    X(SQL_RELEASE,        "RELEASE change")                                                        \
    X(SQL_UNDO,           "ROLLBACK TO change")                                                    \
    X(SQL_JOURNAL_ADD,    "INSERT INTO journal (seq, dev_eui, rev, last_pos, state) VALUES (?,?,?,?,?)")\
    X(SQL_JOURNAL_GET,    "SELECT state FROM journal WHERE seq = ?")                               \
    X(SQL_JOURNAL_TRIM,   "DELETE FROM journal WHERE seq < ?")                                     \
    X(SQL_POS_PUT,        "INSERT INTO device_state (dev_eui, rev, last_pos, seq, state) "         \
                          "VALUES (?1, 0, ?2, ?3, x'') ON CONFLICT (dev_eui) DO UPDATE SET "       \
                          "last_pos = ?2")                                                         \
    X(SQL_STATE_FOLD,     "UPDATE device_state SET rev = ?2, last_pos = ?3, state = ?4, seq = ?5 " \
                          "WHERE dev_eui = ?1 AND rev < ?2")                                       \
    X(SQL_STATE_PUT,      "INSERT INTO device_state "                                              \
                          "(dev_eui, rev, last_pos, state, active, pending, seq) "                 \
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?8) ON CONFLICT (dev_eui) DO UPDATE SET "\
                          "rev = ?2, last_pos = ?3, state = ?4, seq = ?8, "                        \
                          "active = CASE WHEN ?7 & 1 THEN ?5 ELSE active END, "                    \
                          "pending = CASE WHEN ?7 & 2 THEN ?6 ELSE pending END")                   \
    X(SQL_QUEUE_PUT,      "INSERT OR REPLACE INTO queue (id, dev_eui, ord, item) VALUES (?,?,?,?)")\
    X(SQL_QUEUE_DEL,      "DELETE FROM queue WHERE id = ?")                                        \
    X(SQL_QUEUE_CLEAR,    "DELETE FROM queue WHERE dev_eui = ?")                                   \
    X(SQL_ATTEMPT_PUT,    "INSERT OR REPLACE INTO attempt (id, dev_eui, time, settled, attempt) "  \
                          "VALUES (?,?,?,?,?)")                                                    \
    X(SQL_ATTEMPT_TRIM,   "DELETE FROM attempt WHERE id IN "                                       \
                          "(SELECT id FROM attempt ORDER BY id LIMIT 500) AND time < ?")           \
    X(SQL_NONCE_ADD,      "INSERT INTO dev_nonce (dev_eui, join_eui, nonce) VALUES (?,?,?)")       \
    X(SQL_NONCE_CLEAR,    "DELETE FROM dev_nonce WHERE dev_eui = ?")                               \
    X(SQL_JOIN_RESET,     "UPDATE join_state SET last_dev_nonce = -1 WHERE dev_eui = ?")           \
    X(SQL_JOIN_PUT,       "INSERT INTO join_state (dev_eui, join_nonce, last_dev_nonce) "          \
                          "VALUES (?1, ?2, ?3) ON CONFLICT (dev_eui) DO UPDATE SET "               \
                          "join_nonce = ?2, last_dev_nonce = ?3 WHERE join_nonce < ?2")            \
    X(SQL_JOIN_EUI,       "UPDATE device SET join_eui = ?2, rev = rev + 1, updated = ?4, "          \
                          "doc = json_set(doc, '$.joinEui', ?3) "                                  \
                          "WHERE dev_eui = ?1 AND join_eui IS NULL")                               \
    X(SQL_KEYS_PUT,       "INSERT OR REPLACE INTO device_keys (dev_eui, sealed) VALUES (?,?)")     \
    X(SQL_KEYS_DEL,       "DELETE FROM device_keys WHERE dev_eui = ?")                             \
    X(SQL_AUDIT_ADD,      "INSERT INTO audit (time, entry) VALUES (?,?)")                          \
    X(SQL_SEGMENT_ADD,    "INSERT INTO outbox_segment (n, first_pos, created) VALUES (?,?,?)")     \
    X(SQL_SEGMENT_DEL,    "DELETE FROM outbox_segment WHERE n = ?")

enum sql {
#define X(name, text) name,
    SQL_TABLE(X)
#undef X
    SQL_COUNT
};
/* clang-format on */

/* What the writer knows of each device, to check `rev` and find its newest journal row. 24 bytes,
 * open addressing; this is all that a million idle devices cost the store. */
struct live {
    uint64_t eui;
    uint64_t last_pos; /* its newest event, 0: none */
    uint32_t rev;      /* 0: events but no state; the slot is free if `last_pos` is 0 too */
    uint32_t seq;      /* low half of the newest unfolded journal row's seq; 0: folded */
};

struct live_table {
    struct live *slots;
    size_t room, count;
};

void live_reserve(struct live_table *table, size_t count);
struct live *live_get(const struct live_table *table, uint64_t eui);
/* Finds or makes; the caller must set rev or last_pos of a new one at once. */
struct live *live_put(struct live_table *table, uint64_t eui);
void live_remove(struct live_table *table, uint64_t eui);

struct segment {
    uint64_t n, first_pos, bytes;
    int64_t created_us;
};

#define FOLD_CHUNK 500

/* One pass that moves journal rows into device_state, in order of the key. Its list of devices is
 * sorted in short runs, which are merged as they are folded: no step is long. */
struct fold {
    bool running;
    uint64_t *euis; /* devices that were dirty when the pass began, some twice */
    size_t count, sorted;
    struct fold_run {
        size_t at, end;
    } * runs; /* a heap by the EUI each stands at, once all is sorted */
    size_t run_count;
    uint64_t chunk[FOLD_CHUNK]; /* taken from the runs, not committed yet */
    size_t chunk_n;
    uint64_t until; /* rows below this seq are dead when the pass is done */
    uint64_t trim_at;
};

/* sqlite_checkpoint.c */
struct checkpoint {
    sqlite3 *db; /* the thread's connection; NULL: checkpoints run in store_housekeep */
    pthread_t thread;
    pthread_mutex_t lock; /* guards `wanted` and `stopping` */
    pthread_cond_t wake;
    bool wanted, stopping;
    atomic_bool done; /* the pass that was asked for */
    /* the committer's own */
    bool asked;
    unsigned passes;
    uint32_t wal_pages, copied; /* in the log, and how many of them a checkpoint copied */
    uint32_t asked_at;          /* wal_pages when the pass began */
    int64_t last_us;
};

struct store {
    struct store_head head;
    struct store_options options;
    char *file;
    int lock_fds[2];
    sqlite3 *db; /* the writer */
    sqlite3_stmt *stmts[SQL_COUNT];
    sqlite3_stmt *record_stmts[REC_TYPE_COUNT][3];
    bool loaded; /* `live` is complete: live state may be written */
    struct live_table live;
    pthread_mutex_t live_lock; /* the committer writes `live` under it, others read under it */
    uint64_t journal_first, journal_next; /* seq of the oldest and of the next row */
    int64_t journal_since_us;             /* when the oldest unfolded row came */
    size_t dirty;                         /* devices with an unfolded row */
    uint64_t *dirty_euis;                 /* those that became dirty since the fold began */
    size_t dirty_n, dirty_room;
    struct fold fold;
    struct segment *segments;
    size_t segment_count;
    sqlite3_stmt *outbox_add;
    uint64_t outbox_next; /* within the transaction */
    uint64_t outbox_bytes;
    int64_t trimmed_us;
    struct checkpoint checkpoint;
    struct store_stats stats;
};

/* Statements of a reader, prepared when first used. */
/* clang-format off */
#define READ_TABLE(X)                                                                              \
    X(READ_BEGIN,    "BEGIN")                                                                      \
    X(READ_END,      "END")                                                                        \
    X(READ_KEYS,     "SELECT sealed FROM device_keys WHERE dev_eui = ?")                           \
    X(READ_JOIN,     "SELECT join_nonce, last_dev_nonce FROM join_state WHERE dev_eui = ?")        \
    X(READ_NONCE,    "SELECT 1 FROM dev_nonce WHERE dev_eui = ? AND join_eui = ? AND nonce = ?")   \
    X(READ_SEGMENTS, "SELECT n, first_pos, created FROM outbox_segment ORDER BY n")                \
    X(READ_AUDIT,    "SELECT id, time, entry FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?")

enum read_sql {
#define X(name, text) name,
    READ_TABLE(X)
#undef X
    READ_COUNT
};
/* clang-format on */

/* Statements over one outbox segment, kept for the segment that was read last. */
enum scan_kind { SCAN_UP, SCAN_DOWN, SCAN_AT, SCAN_COUNT };

struct segment_scan {
    sqlite3_stmt *stmt;
    uint64_t n;
};

struct store_reader {
    struct store *store;
    sqlite3 *db;
    sqlite3_stmt *stmts[READ_COUNT];
    sqlite3_stmt *records[RECORD_KEEP];
    struct segment_scan scans[SCAN_COUNT];
    struct segment *segments; /* as the present read transaction sees them */
    size_t segment_count;
};

/* Maps SQLite's result code; SQLITE_OK, ROW and DONE are OK. */
enum err sqlite_err(int code);

enum connection { CONNECT_WRITER, CONNECT_READER, CONNECT_CHECKPOINT };

/* Opens a connection with our settings (WAL, synchronous=FULL, foreign keys...), read back. `vfs`
 * NULL: the default. */
enum err sqlite_connect(const char *file, const char *vfs, enum connection kind, sqlite3 **db);

/* Runs a prepared statement that gives no rows, and resets it. */
enum err sqlite_run(sqlite3_stmt *stmt);
enum err sqlite_exec(sqlite3 *db, const char *sql);

void bind_blob(sqlite3_stmt *stmt, int at, struct bytes blob);   /* NULL for an empty range */
void bind_octets(sqlite3_stmt *stmt, int at, struct bytes blob); /* a blob of no octets for one */
void bind_eui(sqlite3_stmt *stmt, int at, struct lw_eui eui);
void bind_u64(sqlite3_stmt *stmt, int at, uint64_t v);
uint64_t column_u64(sqlite3_stmt *stmt, int at);
struct bytes column_blob(sqlite3_stmt *stmt, int at, struct arena *arena);
void bind_sql_value(sqlite3_stmt *stmt, int at, const struct sql_value *value);
/* The row a statement stands on; columns rev, created, updated, doc and the key. */
struct record_row column_record(sqlite3_stmt *stmt);

/* sqlite_schema.c */
/* Checks the schema's version, then the master key, and only then migrates. */
enum err sqlite_migrate(struct store *store, struct arena *arena, const char **why);
/* ERR_CRYPTO if the store is another master key's; one that has no check value yet gets it. */
enum err sqlite_check_key(sqlite3 *db, const struct secret *secret);
/* The newest migration in a file; 0 if there is no such file. */
enum err sqlite_schema_of(const char *file, struct migration_status *status);

/* sqlite_journal.c */
enum err journal_append(struct store *store, struct op_state *op);        /* sets op->seq */
uint64_t journal_seq(const struct store *store, const struct live *live); /* of its newest row */
void journal_dirty(struct store *store, uint64_t eui); /* a device has an unfolded row now */
enum err fold_step(struct store *store, bool *more);
bool fold_wanted(const struct store *store, int64_t now_us);
void fold_free(struct store *store);

/* sqlite_checkpoint.c */
enum err checkpoint_open(struct store *store);
void checkpoint_close(struct store *store);
/* After a commit, and from housekeeping: has the thread work, or works itself if there is none. */
void checkpoint_poll(struct store *store, bool housekeeping);
/* Whether the log is so long that background work must wait for the checkpoint. */
bool checkpoint_behind(const struct store *store);

/* sqlite_outbox.c */
enum err outbox_open(struct store *store);
enum err outbox_append(struct store *store, struct op_event *event, uint64_t prev);
enum err outbox_rotate(struct store *store, bool *did);
enum err outbox_retain(struct store *store, bool *more);
void outbox_close(struct store *store);

/* sqlite_backup.c */
enum err sqlite_jump_nonces(sqlite3 *db, uint32_t by);

/* What the engine table names; see store.h. */
enum err sqlite_commit(struct store *store, struct change **batch, size_t n, size_t *done);
enum err sqlite_load(struct store *store, const struct store_loader *loader);
enum err sqlite_reader_open(struct store *store, struct store_reader **reader);
void sqlite_reader_close(struct store_reader *reader);
enum err sqlite_records(struct store_reader *reader, const struct sql_query *query,
                        record_visitor *visit, void *arg);
enum err sqlite_keys_get(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                         struct bytes *sealed);
enum err sqlite_join_state_get(struct store_reader *reader, struct lw_eui dev_eui,
                               struct join_state *state);
enum err sqlite_nonce_used(struct store_reader *reader, const struct op_nonce *nonce, bool *used);
enum err sqlite_events_from(struct store_reader *reader, uint64_t from, size_t limit,
                            event_visitor *visit, void *arg);
enum err sqlite_events_back(struct store_reader *reader, uint64_t before, size_t limit,
                            event_visitor *visit, void *arg, uint64_t *last);
enum err sqlite_event_at(struct store_reader *reader, uint64_t pos, struct arena *arena,
                         struct stored_event *event);
enum err sqlite_event_last(struct store_reader *reader, struct lw_eui dev_eui, uint64_t *pos);
enum err sqlite_audit_list(struct store_reader *reader, uint64_t before, size_t limit,
                           struct arena *arena, struct audit_entry **entries, size_t *n);
enum err sqlite_backup(struct store_reader *reader, const char *file, struct arena *arena,
                       const char **why);

/* sqlite_read.c */
enum err reader_prepare(struct store_reader *reader, const char *sql, sqlite3_stmt **stmt);
enum err reader_stmt(struct store_reader *reader, enum read_sql which, sqlite3_stmt **stmt);

/* sqlite_record.c */
enum err record_put(struct store *store, struct op_record *op);
enum err record_delete(struct store *store, const struct op_record *op);
