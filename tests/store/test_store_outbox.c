/* The outbox: positions, chains, segments, retention; queue, attempts and audit. */
#include "tests/store/kit.h"

#include <stdio.h>
#include <string.h>

static void add_events(struct kit *kit, uint64_t eui, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct change *change = kit_change(kit);

        (void)kit_event(kit, change, eui, kit_text(kit, "facts of %llu", (unsigned long long)eui));
        ck_ok(kit_commit(kit, change));
    }
}

struct visited {
    uint64_t first, last;
    size_t n, stop_at;
};

static bool visit(void *arg, const struct stored_event *event)
{
    struct visited *v = arg;

    ck_assert(v->n == 0 || event->pos == v->last + 1 || event->pos + 1 == v->last);
    if (!v->n)
        v->first = event->pos;
    v->last = event->pos;
    return ++v->n != v->stop_at;
}

static struct visited from(struct kit *kit, uint64_t pos, size_t limit, size_t stop_at)
{
    struct visited v = {.stop_at = stop_at};

    ck_ok(store_events_from(kit->reader, pos, limit, visit, &v));
    return v;
}

static struct visited back(struct kit *kit, uint64_t before, size_t limit, uint64_t *last)
{
    struct visited v = {0};

    ck_ok(store_events_back(kit->reader, before, limit, visit, &v, last));
    return v;
}

/* Follows a device's chain down; the number of events on it. */
static unsigned walk(struct kit *kit, uint64_t eui)
{
    struct stored_event event;
    uint64_t pos;
    unsigned n = 0;

    ck_ok(store_event_last(kit->reader, (struct lw_eui){eui}, &pos));
    for (; pos; pos = event.prev) {
        enum err err = store_event_at(kit->reader, pos, &kit->arena, &event);

        if (err == ERR_NOT_FOUND)
            break; /* retention reached here */
        ck_ok(err);
        ck_assert_uint_eq(event.pos, pos);
        ck_assert_uint_eq(event.dev_eui.v, eui);
        ck_assert_uint_lt(event.prev, pos);
        n++;
    }
    return n;
}

START_TEST(test_positions_and_chains)
{
    struct kit kit;
    struct store_options tune = {.segment_bytes = 300};
    struct store_stats stats;

    kit_open_records(&kit, _i, &tune);
    for (uint64_t eui = 1; eui <= 3; eui++)
        ck_ok(kit_device(&kit, eui));
    ck_assert_uint_eq(store_outbox_end(kit.store), 1);
    for (unsigned round = 0; round < 30; round++) {
        add_events(&kit, 1 + round % 3, 1 + round % 2);
        if (round % 4 == 0)
            kit_housekeep(&kit);
        if (round == 10)
            kit_reopen(&kit, NULL);
        if (round == 20)
            kit_crash(&kit, NULL);
    }
    store_stats(kit.store, &stats);
    ck_assert_uint_eq(stats.outbox_first, 1);
    ck_assert_uint_eq(store_outbox_end(kit.store), 46);
    ck_assert_uint_eq(walk(&kit, 1) + walk(&kit, 2) + walk(&kit, 3), 45);
    ck_assert_uint_eq(walk(&kit, 1), 15);
    kit_close(&kit);
}
END_TEST

START_TEST(test_reading_both_ways)
{
    struct kit kit;
    struct store_options tune = {.segment_bytes = 200};
    struct visited v;
    uint64_t last;

    kit_open_records(&kit, _i, &tune);
    v = from(&kit, 1, 10, 0);
    ck_assert_uint_eq(v.n, 0);
    v = back(&kit, UINT64_MAX, 10, &last);
    ck_assert(v.n == 0 && last == 0);
    ck_ok(kit_device(&kit, 1));
    for (unsigned i = 0; i < 20; i++) {
        add_events(&kit, 1, 1);
        kit_housekeep(&kit);
    }
    v = from(&kit, 0, 100, 0);
    ck_assert(v.n == 20 && v.first == 1 && v.last == 20);
    v = from(&kit, 7, 5, 0);
    ck_assert(v.n == 5 && v.first == 7 && v.last == 11);
    v = from(&kit, 7, 100, 3);
    ck_assert(v.n == 3 && v.last == 9);
    v = from(&kit, 21, 100, 0);
    ck_assert_uint_eq(v.n, 0);
    v = from(&kit, UINT64_MAX, 100, 0);
    ck_assert_uint_eq(v.n, 0);
    v = back(&kit, UINT64_MAX, 100, &last);
    ck_assert(v.n == 20 && v.first == 20 && v.last == 1 && last == 0);
    v = back(&kit, 15, 4, &last);
    ck_assert(v.n == 4 && v.first == 14 && v.last == 11 && last == 11);
    v = back(&kit, 1, 4, &last);
    ck_assert(v.n == 0 && last == 0);
    kit_close(&kit);
}
END_TEST

/* A change may hold several events; those of devices in one batch follow each other. */
START_TEST(test_many_in_one_batch)
{
    struct kit kit;
    struct change *batch[3];
    struct op *last;
    struct stored_event event;
    size_t done;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    ck_ok(kit_device(&kit, 2));
    for (size_t i = 0; i < 3; i++) {
        batch[i] = kit_change(&kit);
        (void)kit_event(&kit, batch[i], 1, kit_text(&kit, "a"));
        (void)kit_event(&kit, batch[i], 2, (struct bytes){0});
        if (i == 1)
            (void)kit_state(&kit, batch[i], 1, 0, kit_text(&kit, "s"));
        last = kit_event(&kit, batch[i], 1, kit_text(&kit, "b"));
    }
    ck_ok(store_commit(kit.store, batch, 3, &done));
    ck_assert_uint_eq(last->event.pos, 9);
    ck_assert_uint_eq(walk(&kit, 1), 6);
    ck_assert_uint_eq(walk(&kit, 2), 3);
    ck_ok(store_event_at(kit.reader, 9, &kit.arena, &event));
    ck_assert_uint_eq(event.prev, 7);
    ck_assert_int_eq(event.utc_us, clock_utc(&kit.clock.clock));
    ck_assert(event.type == 1 && event.facts.n == 1 && event.facts.p[0] == 'b');
    kit_crash(&kit, NULL);
    ck_assert_uint_eq(walk(&kit, 1), 6);
    ck_assert_uint_eq(walk(&kit, 2), 3);
    ck_assert_int_eq(store_event_at(kit.reader, 10, &kit.arena, &event), ERR_NOT_FOUND);
    ck_assert_int_eq(store_event_at(kit.reader, 0, &kit.arena, &event), ERR_NOT_FOUND);
    kit_close(&kit);
}
END_TEST

static bool drop_while_reading(void *arg, const struct stored_event *event)
{
    struct kit *kit = arg;

    if (event->pos == 3)
        kit_housekeep(kit);
    return true;
}

/* A store that cannot be written has nothing more to do at once: who asks again at once would do so
 * for ever. */
START_TEST(test_a_segment_that_cannot_be_made)
{
    struct kit kit;
    struct store_options tune = {.segment_bytes = 200, .vfs = "fault"};
    const struct kit_faults *faults = kit_engine(_i)->faults;
    bool more = true;

    faults->reset();
    kit_open_records(&kit, _i, &tune);
    ck_ok(kit_device(&kit, 1));
    add_events(&kit, 1, 20);
    faults->arm(1, FAULT_LASTING);
    ck_assert_int_eq(store_housekeep(kit.store, &more), ERR_AWAY);
    ck_assert(!more);
    ck_assert_uint_gt(faults->hits(), 0);
    faults->reset();
    kit_housekeep(&kit);
    add_events(&kit, 1, 1);
    ck_assert_uint_eq(store_outbox_end(kit.store), 22);
    kit_close(&kit);
}
END_TEST

/* Whole segments go, the oldest first; positions are never used again. */
START_TEST(test_retention)
{
    struct kit kit;
    struct store_options tune = {.segment_bytes = 200,
                                 .outbox_max_bytes = 1000,
                                 .outbox_max_age_us = 3600 * (int64_t)US_PER_S};
    struct store_stats stats;
    struct stored_event event;
    struct visited v;

    kit_open_records(&kit, _i, &tune);
    ck_ok(kit_device(&kit, 1));
    for (unsigned i = 0; i < 100; i++) {
        add_events(&kit, 1, 1);
        kit_housekeep(&kit);
    }
    clock_double_set(&kit.clock, clock_mono(&kit.clock.clock) + 2 * US_PER_S);
    ck_ok(store_events_from(kit.reader, 1, 100, drop_while_reading, &kit));
    kit_housekeep(&kit);
    store_stats(kit.store, &stats);
    ck_assert_uint_gt(stats.outbox_first, 60);
    ck_assert_uint_le(stats.outbox_bytes, 1000);
    v = from(&kit, 1, 1000, 0);
    ck_assert(v.first == stats.outbox_first && v.last == 100);
    ck_assert_int_eq(store_event_at(kit.reader, 1, &kit.arena, &event), ERR_NOT_FOUND);
    ck_assert_uint_eq(walk(&kit, 1), 101 - stats.outbox_first);
    clock_double_set(&kit.clock, clock_mono(&kit.clock.clock) + 3700 * (int64_t)US_PER_S);
    kit_housekeep(&kit);
    store_stats(kit.store, &stats);
    kit_reopen(&kit, NULL);
    ck_assert_uint_eq(store_outbox_end(kit.store), 101);
    add_events(&kit, 1, 1);
    ck_assert_uint_eq(store_outbox_end(kit.store), 102);
    ck_assert_uint_ge(walk(&kit, 1), 1);
    kit_close(&kit);
}
END_TEST

/* Few events fill no segment, but their time passes too. PostgreSQL chooses a segment's range when
 * it is made. */
START_TEST(test_retention_of_few_events)
{
    struct kit kit;
    struct store_options tune = {.outbox_max_age_us = 8 * 3600 * (int64_t)US_PER_S};
    struct store_stats stats;

    if (!kit_engine(_i)->files)
        return;
    kit_open_records(&kit, _i, &tune);
    ck_ok(kit_device(&kit, 1));
    for (unsigned hour = 0; hour < 24; hour++) {
        add_events(&kit, 1, 1);
        if (hour == 12)
            kit_reopen(&kit, NULL);
        clock_double_set(&kit.clock, clock_mono(&kit.clock.clock) + 3600 * (int64_t)US_PER_S);
        kit_housekeep(&kit);
    }
    store_stats(kit.store, &stats);
    ck_assert_uint_ge(stats.outbox_first, 24 - 8 - 2);
    ck_assert_uint_le(stats.outbox_first, 24 - 8 + 1);
    ck_assert_uint_eq(walk(&kit, 1), 25 - stats.outbox_first);
    /* Nothing new comes: an empty segment is not followed by another. */
    clock_double_set(&kit.clock, clock_mono(&kit.clock.clock) + 9 * 3600 * (int64_t)US_PER_S);
    kit_housekeep(&kit);
    clock_double_set(&kit.clock, clock_mono(&kit.clock.clock) + 9 * 3600 * (int64_t)US_PER_S);
    kit_housekeep(&kit);
    store_stats(kit.store, &stats);
    ck_assert_uint_eq(stats.outbox_first, stats.outbox_end);
    ck_assert_uint_eq(store_outbox_end(kit.store), 25);
    kit_close(&kit);
}
END_TEST

/* ---- queue, attempts, audit ----------------------------------------------------------------- */

struct loaded {
    uint64_t orders[8], attempts[8];
    size_t items, n;
};

static void on_item(void *arg, const struct op_queue *item)
{
    struct loaded *loaded = arg;
    char text[32];

    ck_assert_uint_lt(loaded->items, 8);
    (void)snprintf(text, sizeof(text), "item %llu", (unsigned long long)item->order);
    ck_assert(item->item.n == strlen(text) && memcmp(item->item.p, text, item->item.n) == 0);
    loaded->orders[loaded->items++] = item->order;
}

static void on_attempt(void *arg, const struct op_attempt *attempt)
{
    struct loaded *loaded = arg;

    ck_assert_uint_lt(loaded->n, 8);
    loaded->attempts[loaded->n++] = attempt->id;
}

START_TEST(test_queue)
{
    struct kit kit;
    struct loaded loaded = {0};
    const struct store_loader loader = {.arg = &loaded, .queue_item = on_item};
    struct change *change;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    ck_ok(kit_device(&kit, 2));
    change = kit_change(&kit);
    for (uint64_t id = 5; id >= 1; id--)
        (void)kit_queue(&kit, change, 1 + id % 2, id);
    (void)kit_queue(&kit, change, 1, 4); /* replaced */
    ck_ok(kit_commit(&kit, change));
    change = kit_change(&kit);
    kit_op(&kit, change, OP_QUEUE_DEL)->queue = (struct op_queue){.id = kit_uuid(3)};
    ck_ok(kit_commit(&kit, change));
    kit_reopen(&kit, &loader);
    ck_assert_uint_eq(loaded.items, 4);
    for (size_t i = 1; i < loaded.items; i++)
        ck_assert_uint_lt(loaded.orders[i - 1], loaded.orders[i]);
    change = kit_change(&kit);
    kit_op(&kit, change, OP_QUEUE_DEL)->queue.dev_eui.v = 1; /* all of the device */
    ck_ok(kit_commit(&kit, change));
    loaded = (struct loaded){0};
    kit_reopen(&kit, &loader);
    ck_assert_uint_eq(loaded.items, 2);
    ck_assert(loaded.orders[0] == 1 && loaded.orders[1] == 5);
    kit_close(&kit);
}
END_TEST

static void put_attempt(struct kit *kit, uint64_t id, int64_t utc_us, bool settled)
{
    struct change *change = kit_change(kit);

    kit_op(kit, change, OP_ATTEMPT_PUT)->attempt =
        (struct op_attempt){.id = id, .dev_eui = {1}, .utc_us = utc_us, .settled = settled};
    ck_ok(kit_commit(kit, change));
}

/* Loaded: those without a result, and those of the last hour; older than two hours: gone. */
START_TEST(test_attempts)
{
    struct kit kit;
    struct loaded loaded = {0};
    const struct store_loader loader = {.arg = &loaded, .attempt = on_attempt};
    int64_t now, hour = 3600 * (int64_t)US_PER_S;

    kit_open_records(&kit, _i, NULL);
    now = clock_utc(&kit.clock.clock);
    put_attempt(&kit, 1, now - 3 * hour, false);
    put_attempt(&kit, 2, now - hour * 3 / 2, true);
    put_attempt(&kit, 3, now - hour * 3 / 2, false);
    put_attempt(&kit, 4, now, false);
    put_attempt(&kit, 4, now, true);
    kit_reopen(&kit, &loader);
    ck_assert_uint_eq(loaded.n, 3);
    kit_housekeep(&kit);
    loaded = (struct loaded){0};
    kit_reopen(&kit, &loader);
    ck_assert_uint_eq(loaded.n, 2);
    ck_assert(loaded.attempts[0] == 3 && loaded.attempts[1] == 4);
    kit_close(&kit);
}
END_TEST

START_TEST(test_audit)
{
    struct kit kit;
    struct audit_entry *entries;
    size_t n;

    kit_open(&kit, _i, NULL);
    for (unsigned i = 0; i < 5; i++) {
        struct change *change = kit_change(&kit);

        kit_op(&kit, change, OP_AUDIT)->audit =
            (struct op_audit){.utc_us = i, .json = kit_text(&kit, "{\"n\":%u}", i)};
        ck_ok(kit_commit(&kit, change));
    }
    ck_ok(store_audit_list(kit.reader, UINT64_MAX, 3, &kit.arena, &entries, &n));
    ck_assert_uint_eq(n, 3);
    ck_assert_int_eq(entries[0].utc_us, 4);
    ck_assert(bytes_equal(entries[0].json, kit_text(&kit, "{\"n\":4}")));
    ck_ok(store_audit_list(kit.reader, entries[2].id, 3, &kit.arena, &entries, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(entries[1].utc_us, 0);
    kit_close(&kit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_positions_and_chains,
                                  test_reading_both_ways,
                                  test_many_in_one_batch,
                                  test_a_segment_that_cannot_be_made,
                                  test_retention,
                                  test_retention_of_few_events,
                                  test_queue,
                                  test_attempts,
                                  test_audit,
                                  NULL};

    return run_suite(store_suite("store_outbox", tests));
}
