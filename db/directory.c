/* directory.c - slots by key; a deep copy is made through the record's own field table. */
#include "db/directory.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_STEP 128 /* a million records may lie in memory: no room is wasted on each */
#define PAGE        1000

/* A deep copy of what the store keeps of a record; what a request alone carries is left out. */
static void *copy_record(enum record_type type, const void *record, struct arena *arena)
{
    const struct record_type_info *info = &record_types[type];
    void *copy = arena_memdup(arena, record, info->size);

    for (const struct field *f = info->fields; f->kind != F_END; f++) {
        if (f->flags & F_NO_ROW)
            field_set_default(f, copy, arena);
    }
    field_own_all(info->fields, copy, arena);
    return copy;
}

struct shared_record *shared_record_new(enum record_type type, const struct record_key *key,
                                        const void *record)
{
    struct shared_record *shared = xcalloc(1, sizeof(*shared));

    atomic_init(&shared->refs, 1);
    shared->type = type;
    shared->key = *key;
    arena_init(&shared->arena, ARENA_REQUEST_LIMIT);
    shared->arena.step = RECORD_STEP;
    shared->record = record ? copy_record(type, record, &shared->arena) : NULL;
    return shared;
}

struct shared_record *shared_record_ref(struct shared_record *shared)
{
    atomic_fetch_add(&shared->refs, 1);
    return shared;
}

void shared_record_unref(struct shared_record *shared)
{
    if (!shared || atomic_fetch_sub(&shared->refs, 1) != 1)
        return;
    arena_reset(&shared->arena);
    free(shared);
}

void directory_init(struct directory *directory)
{
    memset(directory, 0, sizeof(*directory));
}

void directory_fini(struct directory *directory)
{
    for (size_t i = 0; i < REC_TYPE_COUNT; i++) {
        struct directory_slots *slots = &directory->types[i];

        for (uint32_t k = 0; k < slots->count; k++)
            shared_record_unref(slots->slots[k].shared);
        free(slots->slots);
        map_fini(&slots->by_key);
    }
}

static uint64_t key_hash(const struct record_key *key)
{
    return bytes_hash((struct bytes){key->b, key->n}, key->n);
}

static bool key_equal(const struct record_key *a, const struct record_key *b)
{
    return a->n == b->n && memcmp(a->b, b->b, a->n) == 0;
}

uint32_t directory_slot(const struct directory *directory, enum record_type type,
                        const struct record_key *key)
{
    const struct directory_slots *slots = &directory->types[type];
    uint32_t at = (uint32_t)(uintptr_t)map_get(&slots->by_key, key_hash(key));

    while (at && !key_equal(&slots->slots[at - 1].key, key))
        at = slots->slots[at - 1].next;
    return at ? at - 1 : DIRECTORY_NONE;
}

uint32_t directory_reserve(struct directory *directory, enum record_type type,
                           const struct record_key *key)
{
    struct directory_slots *slots = &directory->types[type];
    uint32_t at = directory_slot(directory, type, key);
    uint64_t hash = key_hash(key);

    if (at != DIRECTORY_NONE)
        return at;
    if (slots->count == slots->room) {
        slots->room = slots->room ? slots->room * 2 : 16;
        slots->slots = xrealloc(slots->slots, slots->room * sizeof(*slots->slots));
    }
    at = slots->count++;
    slots->slots[at] = (struct directory_slot){
        .key = *key, .next = (uint32_t)(uintptr_t)map_get(&slots->by_key, hash)};
    (void)map_put(&slots->by_key, hash, (void *)(uintptr_t)(at + 1));
    return at;
}

void directory_apply(struct directory *directory, struct shared_record *shared)
{
    uint32_t at = directory_reserve(directory, shared->type, &shared->key);
    struct directory_slot *slot = &directory->types[shared->type].slots[at];

    shared_record_unref(slot->shared);
    slot->shared = shared;
}

const struct record_key *directory_key(const struct directory *directory, enum record_type type,
                                       uint32_t slot)
{
    return &directory->types[type].slots[slot].key;
}

const void *directory_at(const struct directory *directory, enum record_type type, uint32_t slot)
{
    const struct directory_slots *slots = &directory->types[type];
    const struct shared_record *shared;

    if (slot >= slots->count)
        return NULL;
    shared = slots->slots[slot].shared;
    return shared ? shared->record : NULL;
}

const void *directory_find(const struct directory *directory, enum record_type type,
                           const struct record_key *key)
{
    return directory_at(directory, type, directory_slot(directory, type, key));
}

const void *directory_next(const struct directory *directory, enum record_type type, uint32_t *at)
{
    while (*at < directory->types[type].count) {
        const void *record = directory_at(directory, type, (*at)++);

        if (record)
            return record;
    }
    return NULL;
}

/* ---- filling --------------------------------------------------------------------------------- */

static enum err load_type(struct directory *directory, struct store_reader *reader,
                          enum record_type type, struct arena *arena)
{
    struct record_query query = {.limit = PAGE};
    struct record_page page = {.more = true};
    enum err err = OK;

    while (!err && page.more) {
        err = store_record_list(reader, type, &query, arena, &page);
        for (size_t i = 0; !err && i < page.n; i++) {
            struct record_key key = record_key_of(type, page.records[i]);

            directory_apply(directory, shared_record_new(type, &key, page.records[i]));
        }
        query.after = page.last;
        arena_reset(arena);
    }
    return err;
}

enum err directory_load(struct directory *directory, struct store *store)
{
    struct store_reader *reader;
    struct arena arena;
    enum err err = store_reader_open(store, &reader);

    if (err)
        return err;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    for (unsigned type = 0; !err && type < REC_TYPE_COUNT; type++) {
        if (record_types[type].shared)
            err = load_type(directory, reader, (enum record_type)type, &arena);
    }
    arena_reset(&arena);
    store_reader_close(reader);
    return err;
}

void directory_share(struct directory *directory, const struct directory *from)
{
    for (size_t type = 0; type < REC_TYPE_COUNT; type++) {
        const struct directory_slots *slots = &from->types[type];

        for (uint32_t i = 0; i < slots->count; i++) {
            if (slots->slots[i].shared)
                directory_apply(directory, shared_record_ref(slots->slots[i].shared));
        }
    }
}
