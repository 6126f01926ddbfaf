/*
 * kit.h - a store in a new folder, and short words for changes, for the contract suite.
 *
 * The suite speaks to db/store.h alone; what differs between engines (a fresh store, a crash) is in
 * its struct kit_engine. Each test runs once per engine with its index in _i.
 */
#pragma once

#include "db/store.h"
#include "tests/suite.h"

struct kit;

/* What may go wrong on the way to the disk or the server, from operation n on. What it means for an
 * engine stands in kit.c. */
enum fault_kind {
    FAULT_ONCE,
    FAULT_ONCE_OTHER,
    FAULT_LASTING,
    FAULT_KILL, /* and the following: the process is gone, too */
    FAULT_POWER_LOSS,
    FAULT_TORN,
    FAULT_KIND_COUNT
};

struct kit_faults {
    void (*reset)(void);                            /* all is well */
    void (*arm)(unsigned at, enum fault_kind kind); /* `at` 0: never; counts from 0 */
    void (*mend)(void);
    unsigned (*count)(void);                              /* operations since arm */
    unsigned (*hits)(void);                               /* that failed */
    void (*aftermath)(enum fault_kind kind, unsigned at); /* all is closed: what is left is left */
};

struct kit_engine {
    const char *name;
    bool files;                     /* the store is files in the kit's folder */
    void (*fresh)(struct kit *kit); /* sets options.url to a store that does not exist yet */
    void (*crash)(struct kit *kit); /* abandons what is open; url names what a crash would leave */
    int (*sql)(struct kit *kit, const char *sql); /* on a store that is shut; rows changed */
    const struct kit_faults *faults;              /* for stores opened with options.vfs "fault" */
};

/* PostgreSQL is among them where GODWIT_TEST_POSTGRES names a database that may be emptied
 * (tests/store/with_postgres.py). */
extern const struct kit_engine kit_sqlite, kit_postgres;
const struct kit_engine *kit_engine(int i);
int kit_engine_count(void);

struct kit {
    const struct kit_engine *engine;
    char dir[64], url[256];
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

void kit_shell(const char *command); /* must succeed */

Suite *store_suite(const char *name, const TTest *const *tests);
