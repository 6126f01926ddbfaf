/*
 * index.h - open addressing from a 32 bit hash to small numbers (places in an array of the owner's,
 * from 1), for tables of millions: 8 octets a slot, and the owner's entry is looked at only where
 * all 32 bits agree. Entries of one hash may stand beside each other. One thread at a time.
 *
 *     size_t at;
 *     for (uint32_t ref = index_first(index, hash, &at); ref; ref = index_next(index, &at))
 *         if (is_it(ref)) ...
 *
 * Removal shifts back, so there are no tombstones; it ends a walk.
 */
#pragma once

#include "core/bytes.h"

#include <stddef.h>
#include <stdint.h>

struct index {
    uint64_t *slots; /* hash << 32 | ref; 0: free */
    size_t room;     /* a power of two, or 0 */
    size_t count;
};

static inline uint32_t index_hash(uint64_t key)
{
    return (uint32_t)(hash_u64(key) >> 32);
}

void index_fini(struct index *index);
void index_reserve(struct index *index, size_t count);

/* 0: none. *at is the place of the walk. */
uint32_t index_first(const struct index *index, uint32_t hash, size_t *at);
uint32_t index_next(const struct index *index, size_t *at);

void index_put(struct index *index, uint32_t hash, uint32_t ref);
/* The entry at which a walk stands. */
void index_set(struct index *index, size_t at, uint32_t ref);
void index_remove(struct index *index, size_t at);
