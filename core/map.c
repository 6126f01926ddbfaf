/* map.c - linear probing with backward shift on removal; grows at 70 % load. */
#include "core/map.h"

#include "core/arena.h"
#include "core/bytes.h"

#include <stdlib.h>
#include <string.h>

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_fini(struct map *map)
{
    free(map->slots);
    map_init(map);
}

static size_t home(const struct map *map, uint64_t key)
{
    return (size_t)hash_u64(key) & (map->room - 1);
}

/* The slot of the key, or the free slot where it would go. The map has room. */
static size_t probe(const struct map *map, uint64_t key)
{
    size_t i = home(map, key);

    while (map->slots[i].value && map->slots[i].key != key)
        i = (i + 1) & (map->room - 1);
    return i;
}

static void grow(struct map *map, size_t room)
{
    struct map old = *map;

    map->slots = xcalloc(room, sizeof(*map->slots));
    map->room = room;
    for (size_t i = 0; i < old.room; i++) {
        if (old.slots[i].value)
            map->slots[probe(map, old.slots[i].key)] = old.slots[i];
    }
    free(old.slots);
}

void map_reserve(struct map *map, size_t count)
{
    size_t room = 16;

    while (room * 7 < count * 10)
        room *= 2;
    if (room > map->room)
        grow(map, room);
}

void *map_get(const struct map *map, uint64_t key)
{
    return map->room ? map->slots[probe(map, key)].value : NULL;
}

void *map_put(struct map *map, uint64_t key, void *value)
{
    struct map_slot *slot;
    void *former;

    map_reserve(map, map->count + 1);
    slot = &map->slots[probe(map, key)];
    former = slot->value;
    *slot = (struct map_slot){.key = key, .value = value};
    map->count += former == NULL;
    return former;
}

void *map_remove(struct map *map, uint64_t key)
{
    size_t hole, i;
    void *former;

    if (!map->room)
        return NULL;
    hole = probe(map, key);
    former = map->slots[hole].value;
    if (!former)
        return NULL;
    map->count--;
    /* Close the gap: move back each later entry of the run that may stand at the hole. */
    for (i = (hole + 1) & (map->room - 1); map->slots[i].value; i = (i + 1) & (map->room - 1)) {
        size_t want = home(map, map->slots[i].key);

        if (((i - want) & (map->room - 1)) >= ((i - hole) & (map->room - 1))) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct map_slot){0};
    return former;
}

struct map_slot *map_next(const struct map *map, size_t *at)
{
    while (*at < map->room) {
        struct map_slot *slot = &map->slots[(*at)++];

        if (slot->value)
            return slot;
    }
    return NULL;
}
