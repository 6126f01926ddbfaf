/*
 * map.h - open addressing from a 64 bit key to a pointer. One thread at a time. Values are never
 * NULL; the map does not own them. Removal shifts back, so there are no tombstones.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t key;
    void *value;
};

struct map {
    struct map_slot *slots;
    size_t room; /* a power of two, or 0 */
    size_t count;
};

void map_init(struct map *map);
void map_fini(struct map *map);
void map_reserve(struct map *map, size_t count);
void *map_get(const struct map *map, uint64_t key);        /* NULL if absent */
void *map_put(struct map *map, uint64_t key, void *value); /* the former value, or NULL */
void *map_remove(struct map *map, uint64_t key);           /* the former value, or NULL */

/* Visits all; start with *at = 0; NULL at the end. The map must not change meanwhile. */
struct map_slot *map_next(const struct map *map, size_t *at);
