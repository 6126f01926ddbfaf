/*
 * directory.h - the shared records (tenants, applications, profiles, gateways, users, keys) in
 * memory: immutable, counted, and looked up without the store.
 *
 * A shared_record is made once by whoever saw the commit and given to every thread's own directory
 * by mail; it is freed with its last reference. A directory belongs to one thread (or is guarded
 * by its owner). A record keeps its slot while the program runs, also when it is replaced, so that
 * a million devices can name their profile by a small number.
 */
#pragma once

#include "core/map.h"
#include "db/store.h"

#include <stdatomic.h>

struct shared_record {
    atomic_uint refs;
    enum record_type type;
    struct record_key key;
    void *record; /* NULL: the record was deleted */
    struct arena arena;
};

/* A deep copy with one reference. `record` NULL: a deletion. */
struct shared_record *shared_record_new(enum record_type type, const struct record_key *key,
                                        const void *record);
struct shared_record *shared_record_ref(struct shared_record *shared);
void shared_record_unref(struct shared_record *shared);

struct directory_slots {
    struct map by_key; /* hash of the key -> slot + 1, chained by `next` */
    struct directory_slot {
        struct record_key key;
        struct shared_record *shared;
        uint32_t next; /* slot + 1 with the same hash */
    } * slots;
    uint32_t count, room;
};

struct directory {
    struct directory_slots types[REC_TYPE_COUNT];
};

#define DIRECTORY_NONE UINT32_MAX

void directory_init(struct directory *directory);
void directory_fini(struct directory *directory);

/* Reads all shared records of the store; before threads run. Other directories take them from this
 * one: a record is read once. */
enum err directory_load(struct directory *directory, struct store *store) MUST_CHECK;
/* Applies all records of another directory, which keeps them. */
void directory_share(struct directory *directory, const struct directory *from);

/* Takes over one reference. */
void directory_apply(struct directory *directory, struct shared_record *shared);

/* The slot of a key, DIRECTORY_NONE if it was never there. */
uint32_t directory_slot(const struct directory *directory, enum record_type type,
                        const struct record_key *key);
/* The slot, reserved for a record that may come later. */
uint32_t directory_reserve(struct directory *directory, enum record_type type,
                           const struct record_key *key);
/* Whose slot it is. */
const struct record_key *directory_key(const struct directory *directory, enum record_type type,
                                       uint32_t slot);
/* The record in a slot, NULL if deleted or not there yet. Valid until the next directory_apply. */
const void *directory_at(const struct directory *directory, enum record_type type, uint32_t slot);
const void *directory_find(const struct directory *directory, enum record_type type,
                           const struct record_key *key);
/* Visits the records of a type; start with *at = 0; NULL at the end. */
const void *directory_next(const struct directory *directory, enum record_type type, uint32_t *at);
