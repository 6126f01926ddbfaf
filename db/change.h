/*
 * change.h - what an engine asks of a change before it writes it.
 */
#pragma once

#include "db/store.h"

bool op_is_event_of(const struct op *op, struct lw_eui dev_eui);

/* The first state operation of a device in a change, NULL: none. */
const struct op *change_state_of(const struct change *change, struct lw_eui dev_eui);

/* Whether an operation deletes the record of a device, and of which. */
bool op_deletes_device(const struct op *op, uint64_t *eui);

/* A change that deletes a device and writes its live state or events too makes no sense. */
bool change_deletes(const struct change *change, struct lw_eui dev_eui);

/* How many changes from the start may stand in one transaction, so that none touches the same
 * device as another before it. `touches` says which device an operation is about, if any. */
size_t change_first_repeat(struct change **batch, size_t n,
                           bool (*touches)(const struct op *op, uint64_t *eui));

/* Finds what makes no sense before anything is written: live state or events before store_load, two
 * states of one device, or a device that is written and deleted. ERR_BAD_STATE. */
enum err change_check(const struct change *change, bool loaded) MUST_CHECK;
