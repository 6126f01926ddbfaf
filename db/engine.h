/*
 * engine.h - what an engine does of db/store.h, as a table; the URL's scheme chooses it.
 *
 * Only db/store.c and the engines include this. Each engine has a `struct store` of its own that
 * begins with a struct store_head, and a `struct store_reader` that begins with a pointer to its
 * store; a source file knows one engine at most. The functions keep the contract of their
 * namesakes in db/store.h.
 */
#pragma once

#include "db/record_sql.h"
#include "db/secret.h"
#include "db/store.h"

#include <stdatomic.h>

struct engine {
    const char *name;
    const char *const *schemes; /* "sqlite:", ...; NULL ends them */
    const struct sql_dialect *dialect;

    enum err (*open)(const struct store_options *options, struct arena *arena, struct store **store,
                     const char **why);
    void (*close)(struct store *store);
    enum err (*commit)(struct store *store, struct change **batch, size_t n, size_t *done);
    enum err (*housekeep)(struct store *store, bool *more);
    void (*stats)(const struct store *store, struct store_stats *stats);
    enum err (*load)(struct store *store, const struct store_loader *loader);
    enum err (*migration_status)(const char *url, const char *data_dir,
                                 struct migration_status *status, struct arena *arena,
                                 const char **why);

    enum err (*reader_open)(struct store *store, struct store_reader **reader);
    void (*reader_close)(struct store_reader *reader);
    /* Runs a query whose columns are rev, created, updated, doc and the key (db/record_list.c), and
     * gives each row; an error of the visitor ends it. */
    enum err (*records)(struct store_reader *reader, const struct sql_query *query,
                        record_visitor *visit, void *arg);
    enum err (*keys_get)(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                         struct bytes *sealed);
    enum err (*join_state_get)(struct store_reader *reader, struct lw_eui dev_eui,
                               struct join_state *state);
    enum err (*nonce_used)(struct store_reader *reader, const struct op_nonce *nonce, bool *used);
    enum err (*events_from)(struct store_reader *reader, uint64_t from, size_t limit,
                            event_visitor *visit, void *arg);
    enum err (*events_back)(struct store_reader *reader, uint64_t before, size_t limit,
                            event_visitor *visit, void *arg, uint64_t *last);
    enum err (*event_at)(struct store_reader *reader, uint64_t pos, struct arena *arena,
                         struct stored_event *event);
    enum err (*event_last)(struct store_reader *reader, struct lw_eui dev_eui, uint64_t *pos);
    enum err (*audit_list)(struct store_reader *reader, uint64_t before, size_t limit,
                           struct arena *arena, struct audit_entry **entries, size_t *n);
    enum err (*jump_join_nonces)(struct store *store, uint32_t by);
    const char *no_backup; /* see store_no_backup */
    enum err (*backup)(struct store_reader *reader, const char *file, struct arena *arena,
                       const char **why);
};

extern const struct engine engine_sqlite, engine_postgres;

/* What every engine's store begins with; filled by its open. */
struct store_head {
    const struct engine *engine;
    struct secret secret;
    struct asides *asides;
    atomic_uint_fast64_t outbox_end; /* committed */
};

const struct engine *engine_of(const struct store *store);
const struct engine *engine_at(const struct store_reader *reader);
struct store *store_of(const struct store_reader *reader);

void store_head_init(struct store_head *head, const struct engine *engine,
                     const struct store_options *options);
void store_head_fini(struct store_head *head);
