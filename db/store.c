/* store.c - finds the engine of a URL and hands each call on to it. */
#include "db/engine.h"

#include <string.h>

static const struct engine *const engines[] = {&engine_sqlite, &engine_postgres};

static const struct engine *engine_for(const char *url)
{
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        for (const char *const *scheme = engines[i]->schemes; *scheme; scheme++) {
            if (strncmp(url, *scheme, strlen(*scheme)) == 0)
                return engines[i];
        }
    }
    return NULL;
}

const struct engine *engine_of(const struct store *store)
{
    return ((const struct store_head *)store)->engine;
}

/* A reader begins with a pointer to its store. */
struct store *store_of(const struct store_reader *reader)
{
    return *(struct store *const *)reader;
}

const struct engine *engine_at(const struct store_reader *reader)
{
    return engine_of(store_of(reader));
}

void store_head_init(struct store_head *head, const struct engine *engine,
                     const struct store_options *options)
{
    head->engine = engine;
    head->asides = asides_new();
    secret_init(&head->secret, options->master_key);
}

void store_head_fini(struct store_head *head)
{
    secret_wipe(&head->secret);
    asides_free(head->asides);
}

/* ---- the store ------------------------------------------------------------------------------- */

enum err store_open(const struct store_options *options, struct arena *arena, struct store **store,
                    const char **why)
{
    const struct engine *engine = engine_for(options->url);
    const char *reason = NULL;
    enum err err = ERR_UNSUPPORTED;

    if (engine)
        err = engine->open(options, arena, store, &reason);
    else
        reason = "database.url names no engine of this version";
    if (err && why)
        *why = reason;
    return err;
}

void store_close(struct store *store)
{
    engine_of(store)->close(store);
}

const struct secret *store_secret(const struct store *store)
{
    return &((const struct store_head *)store)->secret;
}

struct asides *store_asides(const struct store *store)
{
    return ((const struct store_head *)store)->asides;
}

uint64_t store_outbox_end(const struct store *store)
{
    return atomic_load(&((const struct store_head *)store)->outbox_end);
}

enum err store_commit(struct store *store, struct change **batch, size_t n, size_t *done)
{
    return engine_of(store)->commit(store, batch, n, done);
}

enum err store_housekeep(struct store *store, bool *more)
{
    enum err err = engine_of(store)->housekeep(store, more);

    *more = *more && !err;
    return err;
}

void store_stats(const struct store *store, struct store_stats *stats)
{
    engine_of(store)->stats(store, stats);
}

enum err store_load(struct store *store, const struct store_loader *loader)
{
    return engine_of(store)->load(store, loader);
}

enum err store_migration_status(const char *url, const char *data_dir,
                                struct migration_status *status, struct arena *arena,
                                const char **why)
{
    const struct engine *engine = engine_for(url);

    *why = NULL;
    return engine ? engine->migration_status(url, data_dir, status, arena, why) : ERR_UNSUPPORTED;
}

/* ---- reading --------------------------------------------------------------------------------- */

enum err store_reader_open(struct store *store, struct store_reader **reader)
{
    return engine_of(store)->reader_open(store, reader);
}

void store_reader_close(struct store_reader *reader)
{
    engine_at(reader)->reader_close(reader);
}

enum err store_keys_get(struct store_reader *reader, struct lw_eui dev_eui, struct arena *arena,
                        struct bytes *sealed)
{
    return engine_at(reader)->keys_get(reader, dev_eui, arena, sealed);
}

enum err store_join_state_get(struct store_reader *reader, struct lw_eui dev_eui,
                              struct join_state *state)
{
    return engine_at(reader)->join_state_get(reader, dev_eui, state);
}

enum err store_nonce_used(struct store_reader *reader, const struct op_nonce *nonce, bool *used)
{
    return engine_at(reader)->nonce_used(reader, nonce, used);
}

enum err store_events_from(struct store_reader *reader, uint64_t from, size_t limit,
                           event_visitor *visit, void *arg)
{
    return engine_at(reader)->events_from(reader, from, limit, visit, arg);
}

enum err store_events_back(struct store_reader *reader, uint64_t before, size_t limit,
                           event_visitor *visit, void *arg, uint64_t *last)
{
    return engine_at(reader)->events_back(reader, before, limit, visit, arg, last);
}

enum err store_event_at(struct store_reader *reader, uint64_t pos, struct arena *arena,
                        struct stored_event *event)
{
    return engine_at(reader)->event_at(reader, pos, arena, event);
}

enum err store_event_last(struct store_reader *reader, struct lw_eui dev_eui, uint64_t *pos)
{
    return engine_at(reader)->event_last(reader, dev_eui, pos);
}

enum err store_audit_list(struct store_reader *reader, uint64_t before, size_t limit,
                          struct arena *arena, struct audit_entry **entries, size_t *n)
{
    return engine_at(reader)->audit_list(reader, before, limit, arena, entries, n);
}

enum err store_backup(struct store_reader *reader, const char *file, struct arena *arena,
                      const char **why)
{
    return engine_at(reader)->backup(reader, file, arena, why);
}

const char *store_no_backup(const char *url)
{
    const struct engine *engine = engine_for(url);

    return engine ? engine->no_backup : NULL;
}

enum err store_jump_join_nonces(struct store *store, uint32_t by)
{
    return engine_of(store)->jump_join_nonces(store, by);
}
