/* devices.c - see devices.h. */
#include "ns/devices.h"

#include "core/arena.h"
#include "ns/ns_priv.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 1024u

static struct device *device_at(const struct devices *devices, uint32_t at)
{
    return &devices->blocks[(at - 1) / BLOCK][(at - 1) % BLOCK];
}

void devices_reserve(struct devices *devices, size_t count)
{
    index_reserve(&devices->by_eui, count);
}

void devices_fini(struct devices *devices)
{
    for (uint32_t i = 0; i < devices->count; i += BLOCK)
        free(devices->blocks[i / BLOCK]);
    free(devices->blocks);
    index_fini(&devices->by_eui);
    *devices = (struct devices){0};
}

static uint32_t find(const struct devices *devices, struct lw_eui dev_eui, size_t *place)
{
    uint32_t at = index_first(&devices->by_eui, index_hash(dev_eui.v), place);

    while (at && device_at(devices, at)->dev_eui.v != dev_eui.v)
        at = index_next(&devices->by_eui, place);
    return at;
}

struct device *devices_find(const struct devices *devices, struct lw_eui dev_eui)
{
    size_t place;
    uint32_t at = find(devices, dev_eui, &place);

    return at ? device_at(devices, at) : NULL;
}

static uint32_t take_place(struct devices *devices)
{
    uint32_t at = devices->free_list;

    if (at) {
        devices->free_list = device_at(devices, at)->at;
        return at;
    }
    if (devices->count % BLOCK == 0) {
        devices->blocks =
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers lie there */
            xrealloc(devices->blocks, (devices->count / BLOCK + 1) * sizeof(*devices->blocks));
        devices->blocks[devices->count / BLOCK] = xcalloc(BLOCK, sizeof(struct device));
    }
    return ++devices->count;
}

struct device *devices_add(struct devices *devices, struct lw_eui dev_eui)
{
    uint32_t at = take_place(devices);
    struct device *device = device_at(devices, at);

    *device = (struct device){.dev_eui = dev_eui, .at = at, .flags = DEVICE_LISTED};
    index_put(&devices->by_eui, index_hash(dev_eui.v), at);
    return device;
}

void devices_hide(struct devices *devices, const struct device *device)
{
    size_t place;
    uint32_t at = find(devices, device->dev_eui, &place);

    if (!at)
        return;
    device_at(devices, at)->flags &= (uint8_t)~DEVICE_LISTED;
    index_remove(&devices->by_eui, place);
}

void devices_free(struct devices *devices, struct device *device)
{
    uint32_t at = device->at;

    *device = (struct device){.at = devices->free_list};
    devices->free_list = at;
}

struct device *devices_next(const struct devices *devices, uint32_t *at)
{
    while (*at < devices->count) {
        struct device *device = device_at(devices, ++*at);

        if (device->flags & DEVICE_LISTED)
            return device;
    }
    return NULL;
}
