/*
 * store.h - THE interface of what is kept: changes in batches, reads, one meaning on every engine.
 *
 * Writing. A `struct change` is what one job or one API request wants to save, all or nothing: a
 * list of operations. Only the committer (db/committer.h) writes; it gives the engine a batch and
 * each change gets a result of its own. One bad change never costs its neighbours (mechanics 3).
 *   OK            saved and durable
 *   ERR_CONFLICT  the device's or record's `rev` moved: load again and decide anew
 *   ERR_EXISTS    a unique value (DevNonce, key of a record, e-mail) is there already
 *   ERR_REFERENCE a parent does not exist      ERR_IN_USE  children exist
 *   ERR_NOT_FOUND the record to change is gone
 *   ERR_BAD_STATE the change makes no sense: two states of one device in it, or live state or
 *                 events before store_load
 * The whole batch failing with ERR_AWAY (disk full, locked, I/O) saves nothing; it may be tried
 * again. Nothing may be spoken before the result is OK (design: save before you speak).
 *
 * Live state of a device. One row per device: `state` (mutable, opaque to the store, written by
 * ns/session), `active` and `pending` session (keys sealed by db/secret). A state change alone is
 * appended to the journal and folded later; a change of a session is written through. What a
 * device had is gone with its record; a device made anew under the same DevEUI begins at rev 0 (its
 * used DevNonces and JoinNonce stay: they are the device's, not the record's).
 *
 * Events of one device are chained: each row has the position of the one before (0: none). An event
 * needs no state beside it, but its device must exist (ERR_REFERENCE).
 *
 * Reading. A reader is a connection of its own for one thread. It sees committed data; state that
 * is not folded yet is only in the home worker's memory, which is where live state is asked for.
 *
 * Numbers: EUIs are stored as the signed 64 bit integer of the same bits.
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "core/err.h"
#include "core/worker.h"
#include "db/aside.h"
#include "db/model.h"

/* ---- changes -------------------------------------------------------------------------------- */

enum op_kind {
    OP_STATE,       /* a device's live state */
    OP_EVENT,       /* append to the outbox */
    OP_QUEUE_PUT,   /* insert or replace a queue item */
    OP_QUEUE_DEL,   /* one item, or all of the device if `id` is zero */
    OP_ATTEMPT_PUT, /* insert or replace a transmission attempt */
    OP_NONCE_ADD,   /* a used DevNonce, kept for ever; ERR_EXISTS if it was used */
    OP_NONCE_CLEAR, /* forget a device's DevNonces (audited by the caller) */
    OP_JOIN_STATE,  /* JoinNonce and last counter DevNonce of a device */
    OP_JOIN_EUI,    /* the first JoinEUI heard of a device whose record names none; else nothing */
    OP_KEYS_PUT,    /* a device's sealed root keys; empty blob: delete */
    OP_RECORD_PUT,  /* insert (expected_rev 0) or replace a record */
    OP_RECORD_DEL,
    OP_AUDIT, /* append to the audit log */
};

enum { STATE_SET_ACTIVE = 1, STATE_SET_PENDING = 2 };

struct op_state {
    struct lw_eui dev_eui;
    uint64_t rev; /* the rev on which this was built; saved as rev + 1 */
    struct bytes state;
    unsigned set; /* STATE_SET_*: write these too; an empty blob clears */
    struct bytes active, pending;
    uint64_t last_pos, seq; /* the store's own notes while it commits */
};

struct op_event {
    struct lw_eui dev_eui;
    int64_t utc_us;
    uint8_t type; /* enum event_type, db/event.h */
    struct bytes facts;
    uint64_t pos; /* out: the position in the outbox */
};

struct op_queue {
    struct uuid id;
    struct lw_eui dev_eui;
    uint64_t order;    /* delivery order within equal priority */
    struct bytes item; /* opaque: ns/queue */
};

struct op_attempt {
    uint64_t id;
    struct lw_eui dev_eui;
    int64_t utc_us;
    bool settled;
    struct bytes attempt; /* opaque: ns/attempt */
};

struct op_nonce {
    struct lw_eui dev_eui, join_eui;
    uint16_t nonce;
};

struct op_join_state {
    struct lw_eui dev_eui;
    uint32_t join_nonce;    /* the last one used; must grow, else ERR_CONFLICT */
    int32_t last_dev_nonce; /* counter rule (1.0.4, 1.1): -1 none yet */
};

struct op_join_eui {
    struct lw_eui dev_eui, join_eui;
    int64_t utc_us; /* becomes the record's updated; its rev grows */
};

struct op_keys {
    struct lw_eui dev_eui;
    struct bytes sealed;
};

struct op_record {
    enum record_type type;
    struct record_key key;
    void *record;          /* PUT: a struct of the type; its head gets rev and times */
    uint64_t expected_rev; /* 0: insert; UINT64_MAX: whatever is there */
    int64_t utc_us;        /* when: becomes created and updated */
};

struct op_audit {
    int64_t utc_us;
    struct bytes json;
};

struct op {
    struct op *next;
    enum op_kind kind;
    union {
        struct op_state state;
        struct op_event event;
        struct op_queue queue;
        struct op_attempt attempt;
        struct op_nonce nonce;
        struct op_join_state join;
        struct op_join_eui join_eui;
        struct op_keys keys;
        struct op_record record;
        struct op_audit audit;
    };
};

/* One change. Lives in the arena of its job or request, which must stay until the result came. */
struct change {
    struct mail mail; /* to the committer and back */
    struct worker *reply_to;
    enum lane reply_lane;
    void (*done)(struct worker *worker, struct mail *mail); /* at reply_to; mail is this change */
    void *owner;                                            /* the job or request */
    struct op *first, *last;
    int64_t submitted_us; /* monotonic */
    size_t bytes;         /* rough size, for the bound on what waits; set when it is submitted */
    uint64_t commit_id;   /* the store's own: not 0 while it may have been saved and nobody knows */
    bool fail_fast; /* ERR_AWAY at once while the store is away (API writes; changes with records
                       or keys always are) */
    enum err result;
};

/* Appends an operation; its blobs are borrowed and must stay as long as the change. */
struct op *change_add(struct change *change, struct arena *arena, enum op_kind kind);

/* ---- the store ------------------------------------------------------------------------------ */

struct store;
struct store_reader;

struct store_options {
    const char *url;      /* "sqlite:FILE", "postgresql://..." as libpq takes it */
    const char *data_dir; /* relative files are in it */
    struct clock *clock;
    const uint8_t *master_key; /* 32 bytes */
    uint64_t outbox_max_bytes; /* 0: 5 GB */
    int64_t outbox_max_age_us; /* 0: 7 days */
    /* Thresholds of the fold, 0: the defaults of mechanics 10 (tests make them small). */
    uint64_t fold_rows;
    int64_t fold_age_us;
    uint64_t segment_bytes; /* of an outbox segment, 0: the engine's */
    /* Checkpoints run in a thread of their own. false: in store_housekeep (deterministic tests). */
    bool checkpoint_thread;
    const char *vfs; /* SQLite's file layer by name, for tests; NULL: the default */
};

/* Opens, locks (one server per SQLite file: ERR_BUSY), migrates, checks the master key's check
 * value (ERR_CRYPTO if it is another's). *why, if not NULL, gets a text for people, in `arena`. */
enum err store_open(const struct store_options *options, struct arena *arena, struct store **store,
                    const char **why) MUST_CHECK;
void store_close(struct store *store);

struct secret;
/* The keys at rest of this store (db/secret.h). */
const struct secret *store_secret(const struct store *store);

/* The rows that cannot be read (db/aside.h). The engine notes records, ns/ what is opaque here. */
struct asides *store_asides(const struct store *store);

/* Commits a batch in one transaction (rarely more). Committer only. On an error the first *done
 * changes are saved and have their results, the rest are not: ERR_AWAY: try again; anything else is
 * the fault of one of them, which a smaller batch finds. */
enum err store_commit(struct store *store, struct change **batch, size_t n,
                      size_t *done) MUST_CHECK;

/* A slice of background work (fold, retention, checkpoint tail), at most about 20 ms. Committer
 * only. *more: there is more to do at once; never with an error. */
enum err store_housekeep(struct store *store, bool *more) MUST_CHECK;

/* The position after the newest event; grows only. Any thread. */
uint64_t store_outbox_end(const struct store *store);

struct store_stats {
    uint64_t commits, changes, conflicts, failures;
    uint64_t journal_rows, dirty_devices, folds, fold_rows;
    uint64_t outbox_first, outbox_end, outbox_bytes;
};
/* Committer only. */
void store_stats(const struct store *store, struct store_stats *stats);

/* ---- reading -------------------------------------------------------------------------------- */

enum err store_reader_open(struct store *store, struct store_reader **reader) MUST_CHECK;
void store_reader_close(struct store_reader *reader);

/* Records. The struct and all it points to is in `arena`. ERR_NOT_FOUND; ERR_CORRUPT: it cannot be
 * read and is set aside. */
enum err store_record_get(struct store_reader *reader, enum record_type type,
                          const struct record_key *key, struct arena *arena,
                          void **record) MUST_CHECK;

struct record_filter {
    const char *column; /* snake_case name of an F_PARENT or F_KEY member */
    struct bytes value; /* as record keys: UUID bytes, or 8 bytes of an EUI */
};

struct record_query {
    struct record_filter filters[4];
    size_t filter_count;
    /* Only records whose tenant is one of these (through the application for devices); NULL: all.
     * Deny by default lives here, not in the callers: an empty list gives nothing. */
    const struct uuid *tenants;
    size_t tenant_count;
    const char *search;      /* case-insensitive part of a searched member; NULL: all */
    struct record_key after; /* n = 0: from the start */
    size_t limit;
    bool want_total;
};

/* A row that cannot be read is left out and set aside; so a page may be short, and the next one
 * goes on after `last`, the key of the last row that was looked at. */
struct record_page {
    void **records;
    size_t n;
    bool more;
    struct record_key last;
    uint64_t total;
};

enum err store_record_list(struct store_reader *reader, enum record_type type,
                           const struct record_query *query, struct arena *arena,
                           struct record_page *page) MUST_CHECK;
enum err store_record_count(struct store_reader *reader, enum record_type type,
                            const struct record_query *query, uint64_t *count) MUST_CHECK;

/* A user by e-mail (compared without case). */
enum err store_user_by_email(struct store_reader *reader, const char *email, struct arena *arena,
                             struct user **user) MUST_CHECK;

/* Sealed root keys and join state. ERR_NOT_FOUND if there are no keys; a missing join state is
 * JoinNonce 0 and no DevNonce. *used: whether `nonce` was used with `join_eui` (may be NULL). */
struct join_state {
    uint32_t join_nonce;
    int32_t last_dev_nonce;
};
enum err store_keys_get(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                        struct bytes *sealed) MUST_CHECK;
enum err store_join_state_get(struct store_reader *reader, struct lw_eui dev_eui,
                              struct join_state *state) MUST_CHECK;
enum err store_nonce_used(struct store_reader *reader, const struct op_nonce *nonce,
                          bool *used) MUST_CHECK;

/* Events. `before` excludes positions at and above it (UINT64_MAX: the newest). */
struct stored_event {
    uint64_t pos, prev; /* prev: the device's previous event, 0: none */
    struct lw_eui dev_eui;
    int64_t utc_us;
    uint8_t type;
    struct bytes facts;
};
/* Ascending from `from` (inclusive), at most `limit`; the visitor's false ends it. */
typedef bool event_visitor(void *arg, const struct stored_event *event);
enum err store_events_from(struct store_reader *reader, uint64_t from, size_t limit,
                           event_visitor *visit, void *arg) MUST_CHECK;
/* Descending below `before`, at most `limit` rows looked at; *last: the lowest position seen. */
enum err store_events_back(struct store_reader *reader, uint64_t before, size_t limit,
                           event_visitor *visit, void *arg, uint64_t *last) MUST_CHECK;
/* One event by position; ERR_NOT_FOUND if it is gone. */
enum err store_event_at(struct store_reader *reader, uint64_t pos, struct arena *arena,
                        struct stored_event *event) MUST_CHECK;
/* The newest committed event of a device, 0: none (it may be gone by retention). */
enum err store_event_last(struct store_reader *reader, struct lw_eui dev_eui,
                          uint64_t *pos) MUST_CHECK;

/* The audit log, newest first. */
struct audit_entry {
    uint64_t id;
    int64_t utc_us;
    struct bytes json;
};
enum err store_audit_list(struct store_reader *reader, uint64_t before, size_t limit,
                          struct arena *arena, struct audit_entry **entries, size_t *n) MUST_CHECK;

/* ---- start-up: everything that lives in memory, before any thread runs -----------------------
 *
 * A row that cannot be read never ends the start (a table or page that cannot be read does): a
 * record is set aside, a device is given with `unreadable` set.
 */

struct loaded_device {
    struct lw_eui dev_eui;
    struct uuid application_id, device_profile_id;
    bool is_disabled, skip_fcnt_check, has_join_eui;
    struct lw_eui join_eui;
    uint64_t rev;
    bool unreadable; /* its live state makes no sense: the counters are not known */
    struct bytes state, active, pending; /* empty: none; valid during the call */
};

struct store_loader {
    void *arg;
    void (*begin)(void *arg, size_t devices); /* about how many will come */
    void (*device)(void *arg, const struct loaded_device *device);
    void (*queue_item)(void *arg, const struct op_queue *item);
    void (*attempt)(void *arg,
                    const struct op_attempt *attempt); /* unsettled, or of the last hour */
    void (*record)(void *arg, enum record_type type, const void *record, struct arena *arena);
};
enum err store_load(struct store *store, const struct store_loader *loader) MUST_CHECK;

/* ---- whole-store work ------------------------------------------------------------------------ */

/* Writes a consistent copy to `file`, which must not exist, while the store is in use. */
enum err store_backup(struct store_reader *reader, const char *file, struct arena *arena,
                      const char **why) MUST_CHECK;

struct migration_status {
    unsigned applied, known; /* numbers of the newest migration in the store and in this program */
};
/* Without opening the store; a store that does not exist has applied 0. *why, in `arena`: what is
 * wrong, NULL where store_open has better words. */
enum err store_migration_status(const char *url, const char *data_dir,
                                struct migration_status *status, struct arena *arena,
                                const char **why) MUST_CHECK;

/* NULL if copies of the store are made and put back by db/backup.h; else what to do instead. */
const char *store_no_backup(const char *url);

/* After a copy was put in place of the store by other means: moves all JoinNonces on by `by`, so
 * that none is used twice. Before any thread runs. */
enum err store_jump_join_nonces(struct store *store, uint32_t by) MUST_CHECK;
