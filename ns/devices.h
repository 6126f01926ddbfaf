/*
 * devices.h - the devices of a home worker: in blocks that never move, found by DevEUI.
 *
 * A million of them lie in memory, so they have no allocation of their own. A device that is
 * deleted while a job holds it is no longer found, but stays until it is freed. One thread.
 */
#pragma once

#include "core/index.h"
#include "lorawan/types.h"

struct device;

struct devices {
    struct device **blocks;
    uint32_t count;     /* places in use or free; a device is named by its place + 1 */
    uint32_t free_list; /* place + 1, chained by `at` */
    struct index by_eui;
};

void devices_reserve(struct devices *devices, size_t count);
/* Frees the table; every device must have been freed. */
void devices_fini(struct devices *devices);

struct device *devices_find(const struct devices *devices, struct lw_eui dev_eui);
/* A new one, zeroed but for its name, which must not be there. */
struct device *devices_add(struct devices *devices, struct lw_eui dev_eui);
/* It is no longer found. */
void devices_hide(struct devices *devices, const struct device *device);
/* Its place is another's; it must have been hidden. */
void devices_free(struct devices *devices, struct device *device);

/* Visits those that are found; start with *at = 0; NULL at the end. Hiding the one visited is
 * allowed. */
struct device *devices_next(const struct devices *devices, uint32_t *at);
