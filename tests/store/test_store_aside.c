/* Rows that cannot be read: set aside, while everything else starts and is served. */
#include "tests/store/kit.h"

#include <string.h>

/* Damages rows while the store is shut; what the loader sees is counted. */
struct seen {
    unsigned records[REC_TYPE_COUNT], devices, unreadable, items;
    struct loaded_device last; /* its blobs are gone */
    uint8_t state;             /* first octet of its state */
};

static void see_record(void *arg, enum record_type type, const void *record, struct arena *arena)
{
    (void)record;
    (void)arena;
    ((struct seen *)arg)->records[type]++;
}

static void see_device(void *arg, const struct loaded_device *device)
{
    struct seen *seen = arg;

    seen->devices++;
    seen->unreadable += device->unreadable;
    seen->last = *device;
    seen->state = device->state.n ? device->state.p[0] : 0;
}

static void see_item(void *arg, const struct op_queue *item)
{
    (void)item;
    ((struct seen *)arg)->items++;
}

static struct seen spoil(struct kit *kit, const char *sql)
{
    struct seen seen = {0};
    struct store_loader loader = {
        .arg = &seen, .record = see_record, .device = see_device, .queue_item = see_item};
    const char *why = NULL;

    store_reader_close(kit->reader);
    store_close(kit->store);
    ck_assert_int_gt(kit->engine->sql(kit, sql), 0);
    ck_ok(kit_try_open(kit, &loader, &why));
    return seen;
}

static size_t aside(struct kit *kit, enum aside_kind kind)
{
    return asides_all(store_asides(kit->store)).n[kind];
}

static struct record_key tenant_of(struct kit *kit, const char *name)
{
    struct tenant *tenant = kit_record(kit, REC_TENANT);

    tenant->name = name;
    ck_ok(kit_put(kit, REC_TENANT, tenant, 0));
    return record_key_of(REC_TENANT, tenant);
}

START_TEST(a_record_that_cannot_be_read_costs_its_neighbours_nothing)
{
    struct kit kit;
    struct seen seen;
    struct record_key good, bad;
    struct record_query query = {.limit = 10, .want_total = true};
    struct record_page page;
    void *record;

    kit_open_records(&kit, _i, NULL);
    good = tenant_of(&kit, "good");
    bad = tenant_of(&kit, "bad");
    ck_ok(kit_device(&kit, 1));
    seen = spoil(&kit, "UPDATE tenant SET doc = '{\"name\":' WHERE name = 'bad'");
    ck_assert_uint_eq(seen.records[REC_TENANT], 2);
    ck_assert_uint_eq(seen.records[REC_APPLICATION], 1);
    ck_assert_uint_eq(seen.devices, 1);
    ck_assert_uint_eq(aside(&kit, ASIDE_RECORD), 1);
    ck_ok(store_record_get(kit.reader, REC_TENANT, &good, &kit.arena, &record));
    ck_assert_int_eq(store_record_get(kit.reader, REC_TENANT, &bad, &kit.arena, &record),
                     ERR_CORRUPT);
    ck_ok(store_record_list(kit.reader, REC_TENANT, &query, &kit.arena, &page));
    ck_assert_uint_eq(page.n, 2);
    ck_assert_uint_eq(page.total, 3); /* it is there */
    ck_assert_uint_eq(aside(&kit, ASIDE_RECORD), 1);
    kit_close(&kit);
}
END_TEST

/* The document of one row in another would give two records of one key. */
START_TEST(a_document_of_another_row_is_not_believed)
{
    struct kit kit;

    kit_open_records(&kit, _i, NULL);
    (void)tenant_of(&kit, "good");
    (void)tenant_of(&kit, "bad");
    (void)spoil(&kit, "UPDATE tenant SET doc = (SELECT doc FROM tenant WHERE name = 'good') "
                      "WHERE name = 'bad'");
    ck_assert_uint_eq(aside(&kit, ASIDE_RECORD), 1);
    (void)spoil(&kit, "UPDATE tenant SET doc = '' WHERE name = 'bad'");
    ck_assert_uint_eq(aside(&kit, ASIDE_RECORD), 1);
    kit_close(&kit);
}
END_TEST

START_TEST(pages_go_on_behind_rows_that_cannot_be_read)
{
    struct kit kit;
    struct record_query query = {.limit = 2};
    struct record_page page = {.more = true};
    size_t found = 0;
    unsigned pages = 0;

    kit_open_records(&kit, _i, NULL);
    for (uint64_t i = 1; i <= 9; i++)
        ck_ok(kit_device(&kit, i));
    ck_ok(kit_device(&kit, UINT64_MAX));
    (void)spoil(&kit, "UPDATE device SET doc = 'x' WHERE dev_eui BETWEEN 2 AND 6");
    for (; page.more; pages++) {
        ck_assert_uint_lt(pages, 10);
        ck_ok(store_record_list(kit.reader, REC_DEVICE, &query, &kit.arena, &page));
        found += page.n;
        query.after = page.last;
    }
    ck_assert_uint_eq(found, 5);
    ck_assert_uint_eq(aside(&kit, ASIDE_RECORD), 5);
    kit_close(&kit);
}
END_TEST

START_TEST(a_live_state_that_makes_no_sense_is_given_as_unreadable)
{
    struct kit kit;
    struct change *change;
    struct seen seen;

    if (!kit_engine(_i)->files)
        return; /* the columns have types */
    kit_open_records(&kit, _i, NULL);
    for (uint64_t i = 1; i <= 3; i++) {
        ck_ok(kit_device(&kit, i));
        change = kit_change(&kit);
        kit_state(&kit, change, i, 0, kit_text(&kit, "state"))->state.set = STATE_SET_ACTIVE;
        ck_ok(kit_commit(&kit, change));
    }
    seen = spoil(&kit, "UPDATE device_state SET rev = 'x', last_pos = 0 WHERE dev_eui = 3");
    ck_assert_uint_eq(seen.devices, 3);
    ck_assert_uint_eq(seen.unreadable, 1);
    ck_assert(seen.last.unreadable);
    change = kit_change(&kit);
    kit_state(&kit, change, 3, seen.last.rev, kit_text(&kit, "new"))->state.set = STATE_SET_ACTIVE;
    ck_ok(kit_commit(&kit, change));
    seen = (struct seen){0};
    kit_reopen(&kit, &(struct store_loader){.arg = &seen, .device = see_device});
    ck_assert_uint_eq(seen.unreadable, 0);
    ck_assert_uint_eq(seen.state, 'n');
    kit_close(&kit);
}
END_TEST

/* Going back to the state before would be going back to counters that were used. */
START_TEST(a_journal_row_without_rev_is_as_new_as_its_place)
{
    struct kit kit;
    struct seen seen;
    struct change *change;

    if (!kit_engine(_i)->files)
        return; /* the columns have types */
    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    change = kit_change(&kit);
    kit_state(&kit, change, 1, 0, kit_text(&kit, "old"))->state.set = STATE_SET_ACTIVE;
    ck_ok(kit_commit(&kit, change));
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, 1, kit_text(&kit, "newer"));
    ck_ok(kit_commit(&kit, change));
    seen = spoil(&kit, "UPDATE journal SET rev = 'x' WHERE rev = 2");
    ck_assert_uint_eq(seen.state, 'n');
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, seen.last.rev, kit_text(&kit, "then"));
    ck_ok(kit_commit(&kit, change));
    seen = (struct seen){0};
    kit_reopen(&kit, &(struct store_loader){.arg = &seen, .device = see_device});
    ck_assert_uint_eq(seen.state, 't');
    kit_close(&kit);
}
END_TEST

START_TEST(what_is_aside_is_counted_once_and_settled)
{
    struct asides *asides = asides_new();
    const struct lw_eui device = {5};
    struct aside one = {
        .kind = ASIDE_SESSION, .what = "active", .key = record_key_eui(device), .dev_eui = device};

    (void)_i;
    aside_note(asides, &one);
    aside_note(asides, &one);
    one.what = "pending";
    aside_note(asides, &one);
    ck_assert_uint_eq(asides_all(asides).n[ASIDE_SESSION], 2);
    ck_assert_uint_eq(asides_of(asides, device).n[ASIDE_SESSION], 2);
    ck_assert_uint_eq(asides_of(asides, (struct lw_eui){6}).n[ASIDE_SESSION], 0);
    ck_assert(aside_has(asides, ASIDE_SESSION, "active", device));
    aside_settle(asides, ASIDE_SESSION, "active", device);
    ck_assert(!aside_has(asides, ASIDE_SESSION, "active", device));
    ck_assert(aside_has(asides, ASIDE_SESSION, "pending", device));
    for (uint64_t i = 0; i < ASIDES_MAX + 10; i++)
        aside_note(asides, &(struct aside){.kind = ASIDE_ATTEMPT,
                                           .key = record_key_eui((struct lw_eui){i})});
    ck_assert_uint_eq(asides_all(asides).n[ASIDE_ATTEMPT], ASIDES_MAX - 1);
    aside_settle(asides, ASIDE_ATTEMPT, NULL, (struct lw_eui){0});
    ck_assert_uint_eq(asides_all(asides).n[ASIDE_ATTEMPT], 0);
    asides_free(asides);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_record_that_cannot_be_read_costs_its_neighbours_nothing,
                                  a_document_of_another_row_is_not_believed,
                                  pages_go_on_behind_rows_that_cannot_be_read,
                                  a_live_state_that_makes_no_sense_is_given_as_unreadable,
                                  a_journal_row_without_rev_is_as_new_as_its_place,
                                  what_is_aside_is_counted_once_and_settled,
                                  NULL};

    return run_suite(store_suite("store_aside", tests));
}
