/*
 * sqlite.h - inside the SQLite engine: the store's struct and small helpers over sqlite3.
 *
 * Only db/sqlite*.c include this. One writer connection (the committer's), and a connection per
 * reader. Statements are prepared when first used and kept.
 */
#pragma once

#include "core/map.h"
#include "db/secret.h"
#include "db/store.h"

#include <sqlite3.h>
#include <stdatomic.h>
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
    uint64_t last_pos;
    uint32_t rev; /* 0: the slot is free (revs start at 1) */
    uint32_t seq; /* newest unfolded journal row less journal_base; 0: folded */
};

struct live_table {
    struct live *slots;
    size_t room, count;
};

struct live *live_get(const struct live_table *table, uint64_t eui);
/* Finds or makes; a new one has rev 0 until the caller sets it, which must follow at once. */
struct live *live_put(struct live_table *table, uint64_t eui);
void live_remove(struct live_table *table, uint64_t eui);

struct segment {
    uint64_t n, first_pos, bytes;
    int64_t created_us;
};

/* One pass that moves journal rows into device_state, in order of the key. */
struct fold {
    bool running;
    uint64_t *euis; /* dirty devices, sorted */
    size_t count, at;
    uint64_t until; /* rows below this seq are dead when the pass is done */
    bool trimming;
    uint64_t trim_at;
};

struct store {
    struct store_options options;
    struct secret secret;
    char *file;
    int lock_fds[2];
    sqlite3 *db; /* the writer */
    sqlite3_stmt *stmts[SQL_COUNT];
    sqlite3_stmt *record_stmts[REC_TYPE_COUNT][3];
    struct live_table live;
    uint64_t journal_base, journal_next; /* seq of the oldest and of the next row */
    int64_t journal_since_us;            /* when the oldest unfolded row came */
    size_t dirty;
    struct fold fold;
    struct segment *segments;
    size_t segment_count;
    sqlite3_stmt *outbox_add;
    atomic_uint_fast64_t outbox_end; /* committed */
    uint64_t outbox_next;            /* within the transaction */
    uint64_t outbox_bytes;
    int64_t trimmed_us, checkpoint_us;
    struct store_stats stats;
};

struct store_reader {
    struct store *store;
    sqlite3 *db;
    struct segment *segments; /* as known to this reader */
    size_t segment_count;
    sqlite3_stmt *list; /* segments */
};

/* Maps SQLite's result code; SQLITE_OK, ROW and DONE are OK. */
enum err sqlite_err(int code);

/* Opens a connection with our settings (WAL, synchronous=FULL, foreign keys...), read back. */
enum err sqlite_connect(const char *file, bool writer, sqlite3 **db);

/* Runs a prepared statement that gives no rows, and resets it. */
enum err sqlite_run(sqlite3_stmt *stmt);
enum err sqlite_exec(sqlite3 *db, const char *sql);

void bind_blob(sqlite3_stmt *stmt, int at, struct bytes blob); /* NULL for an empty range */
void bind_eui(sqlite3_stmt *stmt, int at, struct lw_eui eui);
struct bytes column_blob(sqlite3_stmt *stmt, int at, struct arena *arena);

/* sqlite_schema.c */
enum err sqlite_migrate(sqlite3 *db, const char *file, struct arena *arena, const char **why);
enum err sqlite_check_key(sqlite3 *db, const struct secret *secret);

/* sqlite_journal.c */
enum err journal_append(struct store *store, const struct op_state *op, uint64_t last_pos);
enum err fold_step(struct store *store, bool *more);
bool fold_wanted(const struct store *store, int64_t now_us);

/* sqlite_outbox.c */
enum err outbox_open(struct store *store);
enum err outbox_append(struct store *store, struct op_event *event, uint64_t prev);
enum err outbox_rotate(struct store *store, bool *did);
enum err outbox_retain(struct store *store, bool *more);
void outbox_close(struct store *store);
void outbox_rolled_back(struct store *store);

/* sqlite_record.c */
enum err record_put(struct store *store, struct op_record *op);
enum err record_delete(struct store *store, const struct op_record *op);
enum err record_from_doc(enum record_type type, const char *doc, size_t n, struct arena *arena,
                         void **record);
