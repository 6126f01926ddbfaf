/* index.c - linear probing with backward shift on removal; grows at 70 % load. */
#include "core/index.h"

#include "core/arena.h"

#include <stdlib.h>

static uint32_t hash_at(const struct index *index, size_t at)
{
    return (uint32_t)(index->slots[at] >> 32);
}

static size_t after(const struct index *index, size_t at)
{
    return (at + 1) & (index->room - 1);
}

static size_t home(const struct index *index, uint32_t hash)
{
    return hash & (index->room - 1);
}

void index_fini(struct index *index)
{
    free(index->slots);
    *index = (struct index){0};
}

static void insert(struct index *index, uint64_t slot)
{
    size_t at = home(index, (uint32_t)(slot >> 32));

    while (index->slots[at])
        at = after(index, at);
    index->slots[at] = slot;
}

void index_reserve(struct index *index, size_t count)
{
    struct index old = *index;
    size_t room = old.room ? old.room : 16;

    while (room * 7 < count * 10)
        room *= 2;
    if (room == old.room)
        return;
    index->slots = xcalloc(room, sizeof(*index->slots));
    index->room = room;
    for (size_t i = 0; i < old.room; i++) {
        if (old.slots[i])
            insert(index, old.slots[i]);
    }
    free(old.slots);
}

/* The first slot of the hash from `at` on. */
static uint32_t walk(const struct index *index, uint32_t hash, size_t *at)
{
    while (index->slots[*at] && hash_at(index, *at) != hash)
        *at = after(index, *at);
    return (uint32_t)index->slots[*at];
}

uint32_t index_first(const struct index *index, uint32_t hash, size_t *at)
{
    if (!index->room)
        return 0;
    *at = home(index, hash);
    return walk(index, hash, at);
}

uint32_t index_next(const struct index *index, size_t *at)
{
    uint32_t hash = hash_at(index, *at);

    *at = after(index, *at);
    return walk(index, hash, at);
}

void index_put(struct index *index, uint32_t hash, uint32_t ref)
{
    index_reserve(index, index->count + 1);
    insert(index, (uint64_t)hash << 32 | ref);
    index->count++;
}

void index_set(struct index *index, size_t at, uint32_t ref)
{
    index->slots[at] = (index->slots[at] & ~(uint64_t)UINT32_MAX) | ref;
}

void index_remove(struct index *index, size_t hole)
{
    /* Close the gap: move back each later entry of the run that may stand at the hole. */
    for (size_t i = after(index, hole); index->slots[i]; i = after(index, i)) {
        size_t want = home(index, hash_at(index, i));

        if (((i - want) & (index->room - 1)) >= ((i - hole) & (index->room - 1))) {
            index->slots[hole] = index->slots[i];
            hole = i;
        }
    }
    index->slots[hole] = 0;
    index->count--;
}
