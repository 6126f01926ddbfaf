/* The store as a whole: opening, locks, the master key; of SQLite besides: schema versions, backup,
 * the long log (PostgreSQL has test_store_postgres.c). */
#include "db/sqlite.h"
#include "tests/store/kit.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *file_of(struct kit *kit, const char *name)
{
    return arena_printf(&kit->arena, "%s/%s", kit->dir, name);
}

static struct bytes content(struct kit *kit, const char *file)
{
    FILE *in = fopen(file, "rb");
    uint8_t *p = arena_alloc(&kit->arena, 4u << 20);
    size_t n;

    ck_assert_ptr_nonnull(in);
    n = fread(p, 1, 4u << 20, in);
    (void)fclose(in);
    return (struct bytes){p, n};
}

static void sql(struct kit *kit, const char *text)
{
    sqlite3 *db;

    ck_assert_int_eq(sqlite3_open(file_of(kit, "store.db"), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static void shut(struct kit *kit)
{
    store_reader_close(kit->reader);
    store_close(kit->store);
}

START_TEST(test_second_open_is_busy)
{
    struct kit kit;
    struct store *second;
    const char *why = NULL;

    kit_open(&kit, _i, NULL);
    ck_assert_int_eq(store_open(&kit.options, &kit.arena, &second, &why), ERR_BUSY);
    ck_assert_ptr_nonnull(why);
    ck_assert_int_eq(store_open(&kit.options, &kit.arena, &second, NULL), ERR_BUSY);
    kit_reopen(&kit, NULL); /* the lock ends with its holder */
    kit_close(&kit);
}
END_TEST

START_TEST(test_wrong_master_key)
{
    struct kit kit;
    struct bytes before;
    const char *why = NULL;

    kit_open_records(&kit, _i, NULL);
    shut(&kit);
    if (kit_engine(_i)->files)
        before = content(&kit, file_of(&kit, "store.db"));
    kit.master[0] ^= 1;
    ck_assert_int_eq(kit_try_open(&kit, NULL, &why), ERR_CRYPTO);
    ck_assert_ptr_nonnull(strstr(why, "master key"));
    if (kit_engine(_i)->files)
        ck_assert(bytes_equal(before, content(&kit, file_of(&kit, "store.db"))));
    kit.master[0] ^= 1;
    ck_ok(kit_try_open(&kit, NULL, &why));
    kit_close(&kit);
}
END_TEST

START_TEST(test_newer_schema)
{
    struct kit kit;
    struct migration_status status;
    struct bytes before;
    const char *why = NULL;

    if (!kit_engine(_i)->files)
        return;
    kit_open(&kit, _i, NULL);
    shut(&kit);
    sql(&kit, "PRAGMA user_version = 99");
    ck_ok(store_migration_status("sqlite:store.db", kit.dir, &status, &kit.arena, &why));
    ck_assert_uint_eq(status.applied, 99);
    ck_assert_uint_ge(status.known, 1);
    before = content(&kit, file_of(&kit, "store.db"));
    ck_assert_int_eq(kit_try_open(&kit, NULL, &why), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why, "newer"));
    ck_assert(bytes_equal(before, content(&kit, file_of(&kit, "store.db"))));
    sql(&kit, "PRAGMA user_version = 1");
    ck_ok(kit_try_open(&kit, NULL, &why));
    ck_ok(store_migration_status("sqlite:none.db", kit.dir, &status, &kit.arena, &why));
    ck_assert_uint_eq(status.applied, 0);
    ck_assert(access(file_of(&kit, "none.db"), F_OK) != 0);
    kit_close(&kit);
}
END_TEST

START_TEST(test_bad_urls)
{
    struct kit kit;
    struct store *store;
    struct store_options options;
    const char *why = NULL;

    if (!kit_engine(_i)->files)
        return;
    kit_open(&kit, _i, NULL);
    options = kit.options;
    options.data_dir = file_of(&kit, "nowhere");
    ck_assert_int_eq(store_open(&options, &kit.arena, &store, &why), ERR_IO);
    ck_assert_ptr_nonnull(why);
    options.url = "mysql://";
    ck_assert_int_eq(store_open(&options, &kit.arena, &store, &why), ERR_UNSUPPORTED);
    ck_assert_int_eq(store_open(&options, &kit.arena, &store, NULL), ERR_UNSUPPORTED);
    kit_close(&kit);
}
END_TEST

/* A journal that cannot be read must not pass for one that is empty. */
START_TEST(test_damaged)
{
    struct kit kit;
    const char *why = NULL;

    if (!kit_engine(_i)->files)
        return;
    kit_open(&kit, _i, NULL);
    shut(&kit);
    sql(&kit, "DROP TABLE outbox_1");
    ck_assert_int_ne(kit_try_open(&kit, NULL, &why), OK);
    sql(&kit, "CREATE TABLE outbox_1 (pos INTEGER PRIMARY KEY, prev, dev_eui, type, time, facts)");
    ck_ok(kit_try_open(&kit, NULL, &why));
    shut(&kit);
    sql(&kit, "DROP TABLE journal");
    ck_assert_int_ne(kit_try_open(&kit, NULL, &why), OK);
    sql(&kit, "CREATE TABLE journal (seq INTEGER PRIMARY KEY, dev_eui, rev, last_pos, state)");
    ck_ok(kit_try_open(&kit, NULL, &why));
    kit_close(&kit);
}
END_TEST

static void sum_revs(void *arg, const struct loaded_device *device)
{
    *(uint64_t *)arg += device->rev;
}

/* A backup opens as a store, with what the journal held. */
START_TEST(test_backup)
{
    struct kit kit;
    uint64_t revs = 0;
    const struct store_loader loader = {.arg = &revs, .device = sum_revs};
    const char *file, *why = NULL;
    struct change *change;

    if (!kit_engine(_i)->files)
        return;
    kit_open_records(&kit, _i, NULL);
    file = file_of(&kit, "copy.db");
    ck_ok(kit_device(&kit, 1));
    for (uint64_t rev = 0; rev < 4; rev++) {
        change = kit_change(&kit);
        (void)kit_state(&kit, change, 1, rev, kit_text(&kit, "s"));
        (void)kit_event(&kit, change, 1, kit_text(&kit, "e"));
        ck_ok(kit_commit(&kit, change));
    }
    ck_ok(store_backup(kit.reader, file, &kit.arena, &why));
    ck_assert_int_eq(store_backup(kit.reader, file, &kit.arena, &why), ERR_EXISTS);
    ck_assert_int_ne(store_backup(kit.reader, file_of(&kit, "no/x"), &kit.arena, &why), OK);
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, 4, kit_text(&kit, "later"));
    ck_ok(kit_commit(&kit, change));
    shut(&kit);
    (void)snprintf(kit.url, sizeof(kit.url), "sqlite:copy.db");
    ck_ok(kit_try_open(&kit, &loader, &why));
    ck_assert_uint_eq(revs, 4);
    ck_assert_uint_eq(store_outbox_end(kit.store), 5);
    kit_close(&kit);
}
END_TEST

static void many_changes(struct kit *kit, unsigned n, off_t *widest)
{
    static uint64_t revs[1000];
    const char *wal = file_of(kit, "store.db-wal");
    uint8_t state[200] = {0};
    struct stat st;
    struct arena keep = kit->arena;

    memset(revs, 0, sizeof(revs));
    for (unsigned i = 0; i < n; i += 500) {
        struct change *batch[500];
        size_t done;
        bool more;

        arena_init(&kit->arena, (size_t)1 << 24);
        for (unsigned k = 0; k < 500; k++) {
            unsigned at = (i + k) % 1000;

            batch[k] = kit_change(kit);
            (void)kit_state(kit, batch[k], at + 1, revs[at]++,
                            (struct bytes){state, sizeof(state)});
        }
        ck_ok(store_commit(kit->store, batch, 500, &done));
        ck_ok(store_housekeep(kit->store, &more));
        if (stat(wal, &st) == 0 && st.st_size > *widest)
            *widest = st.st_size;
        arena_reset(&kit->arena);
    }
    kit->arena = keep;
}

/* The log stays bounded under load, with the thread and without. */
START_TEST(test_long_log)
{
    if (!kit_engine(_i)->files)
        return;
    for (unsigned thread = 0; thread < 2; thread++) {
        struct kit kit;
        struct store_options tune = {.checkpoint_thread = thread, .fold_rows = 50000};
        off_t widest = 0;

        kit_open_records(&kit, _i, &tune);
        for (uint64_t eui = 1; eui <= 1000; eui++)
            ck_ok(kit_device(&kit, eui));
        many_changes(&kit, 200000, &widest);
        ck_assert_int_gt(widest, 0);
        ck_assert_int_lt(widest, 96 << 20);
        kit_close(&kit);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_second_open_is_busy,
                                  test_wrong_master_key,
                                  test_newer_schema,
                                  test_bad_urls,
                                  test_damaged,
                                  test_backup,
                                  test_long_log,
                                  NULL};

    return run_suite(store_suite("store_whole", tests));
}
