/*
 * load_ahead.h - start-up on two cores: the store is read by one thread, the devices are put
 * together by another (opening their sealed sessions costs as much as reading them).
 */
#pragma once

#include "db/store.h"

/* As store_load, but loader->device is called by a thread of its own, row after row in order, while
 * the next rows are read. All other functions are called by the caller's thread, when no call of
 * device is under way or to come. */
enum err store_load_ahead(struct store *store, const struct store_loader *loader) MUST_CHECK;
