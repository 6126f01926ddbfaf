/*
 * kit.h - a store in a new folder, and short words for changes, for the contract suite.
 *
 * The suite speaks to db/store.h alone; what differs between engines (a fresh store, a crash) is in
 * the table `engines`. Each test runs once per engine with its index in _i.
 */
#pragma once

#include "db/store.h"
#include "tests/suite.h"

struct kit;

struct engine {
    const char *name;
    void (*fresh)(struct kit *kit); /* sets options.url to a store that does not exist yet */
    void (*crash)(struct kit *kit); /* abandons what is open; url names what a crash would leave */
};

extern const struct engine engines[];
extern const int engine_count;

struct kit {
    const struct engine *engine;
    char dir[64], url[64];
    unsigned crashes;
    uint8_t master[32];
    struct clock_double clock;
    struct store_options options;
    struct arena arena;
    struct store *store;
    struct store_reader *reader;
    struct uuid tenant, application, profile;
    uint64_t random;
};

/* A new store without records; `tune` NULL or options whose thresholds are taken. */
void kit_open(struct kit *kit, int engine, const struct store_options *tune);
/* The same with a tenant, an application and a device profile. */
void kit_open_records(struct kit *kit, int engine, const struct store_options *tune);
void kit_close(struct kit *kit);

/* Closes and opens again; `loader` NULL: nothing is looked at. */
void kit_reopen(struct kit *kit, const struct store_loader *loader);
/* As if the process had been killed: what lies on the disk now is opened. */
void kit_crash(struct kit *kit, const struct store_loader *loader);

/* Opens with the kit's options; store and reader are set if it is OK. */
enum err kit_try_open(struct kit *kit, const struct store_loader *loader, const char **why);

uint64_t kit_draw(struct kit *kit, uint64_t n);
struct bytes kit_text(struct kit *kit, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct change *kit_change(struct kit *kit);
struct op *kit_op(struct kit *kit, struct change *change, enum op_kind kind);
enum err kit_commit(struct kit *kit, struct change *change); /* the change's result */
void kit_housekeep(struct kit *kit);                         /* until there is no more */

enum err kit_put(struct kit *kit, enum record_type type, void *record, uint64_t expected_rev);
enum err kit_delete(struct kit *kit, enum record_type type, const struct record_key *key,
                    uint64_t expected_rev);
void *kit_record(struct kit *kit, enum record_type type); /* with defaults and a name */
enum err kit_device(struct kit *kit, uint64_t dev_eui);

struct op *kit_state(struct kit *kit, struct change *change, uint64_t dev_eui, uint64_t rev,
                     struct bytes state);
struct op *kit_event(struct kit *kit, struct change *change, uint64_t dev_eui, struct bytes facts);
struct op *kit_queue(struct kit *kit, struct change *change, uint64_t dev_eui, uint64_t id);
struct uuid kit_uuid(uint64_t n);

#define ck_ok(expr) ck_assert_msg((expr) == OK, "%s", #expr)

Suite *store_suite(const char *name, const TTest *const *tests);
