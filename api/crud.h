/*
 * crud.h - the generic handlers and the rules of each resource (private to api/).
 */
#pragma once

#include "api/call.h"
#include "api/routes.h"

/* Looks at a record that shall be stored (`old` NULL: a new one): references, limits, rights.
 * Mistakes go to call->errors; a status other than 0 ends the request. */
int resource_check(struct call *call, enum record_type type, const void *old, void *record);

/* Gives a new record its key. 0, or a status. */
int resource_key(struct call *call, enum record_type type, void *record);

/* Fills what comes from the live state, for a page of records. */
void resource_live(struct call *call, enum record_type type, void **records, size_t n);
/* Prints one record as an object. `at` is its place in the page given to resource_live. */
void resource_print(struct call *call, enum record_type type, const void *record, size_t at);

/* Stores a new record and leaves the answer 201. */
int crud_store_new(struct call *call, enum record_type type, void *record);

/* A cursor of a key, and back. */
const char *cursor_text(struct call *call, const struct record_key *key);
int cursor_read(struct call *call, size_t n, struct record_key *key);
