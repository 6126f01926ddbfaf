/* The committer, stepped: what is told when, and what happens while the store is away. */
#include "db/committer.h"
#include "db/sqlite.h"
#include "tests/store/fault_vfs.h"
#include "tests/store/kit.h"

#include <string.h>

struct bed {
    struct kit kit;
    struct committer *committer;
    struct worker worker;
    char told[256]; /* R record, D deletion, O outbox, A answer, in order */
    unsigned answers;
};

static void note(struct bed *bed, char c)
{
    size_t n = strlen(bed->told);

    ck_assert_uint_lt(n + 1, sizeof(bed->told));
    bed->told[n] = c;
}

static void on_record(void *ctx, enum record_type type, const struct record_key *key,
                      const void *record)
{
    ck_assert(type == REC_TENANT && key->n == 16);
    if (record)
        ck_assert_uint_ge(((const struct record_head *)record)->rev, 1);
    note(ctx, record ? 'R' : 'D');
}

static void on_outbox(void *ctx, uint64_t end)
{
    struct bed *bed = ctx;

    ck_assert_uint_eq(end, store_outbox_end(bed->kit.store));
    note(bed, 'O');
}

static void answered(struct worker *worker, struct mail *mail)
{
    struct bed *bed = worker->owner;

    (void)mail;
    note(bed, 'A');
    bed->answers++;
}

static void bed_open(struct bed *bed)
{
    struct store_options tune = {.vfs = "fault"};
    struct commit_observer observer = {.ctx = bed, .record = on_record, .outbox = on_outbox};

    memset(bed, 0, sizeof(*bed));
    fault_register();
    fault_reset();
    kit_open_records(&bed->kit, 0, &tune);
    ck_ok(kit_device(&bed->kit, 1));
    worker_init(&bed->worker, "test", &bed->kit.clock.clock, bed);
    bed->committer = committer_new(bed->kit.store, &bed->kit.clock.clock, &observer);
}

static void bed_close(struct bed *bed)
{
    fault_reset();
    committer_free(bed->committer);
    worker_fini(&bed->worker);
    kit_close(&bed->kit);
}

static struct change *submit(struct bed *bed, struct change *change)
{
    change->reply_to = &bed->worker;
    change->done = answered;
    committer_submit(bed->committer, change);
    return change;
}

static struct change *tenant(struct bed *bed)
{
    struct change *change = kit_change(&bed->kit);
    struct tenant *record = kit_record(&bed->kit, REC_TENANT);

    kit_op(&bed->kit, change, OP_RECORD_PUT)->record = (struct op_record){
        .type = REC_TENANT, .key = record_key_of(REC_TENANT, record), .record = record};
    return change;
}

static struct change *event(struct bed *bed, uint64_t eui)
{
    struct change *change = kit_change(&bed->kit);

    (void)kit_event(&bed->kit, change, eui, kit_text(&bed->kit, "e"));
    return change;
}

/* Steps the committer and takes the answers; returns how many have come in all. */
static unsigned step(struct bed *bed)
{
    (void)worker_step(committer_worker(bed->committer), 0);
    (void)worker_step(&bed->worker, 0);
    return bed->answers;
}

static void pass(struct bed *bed, int64_t us)
{
    clock_double_set(&bed->kit.clock, clock_mono(&bed->kit.clock.clock) + us);
}

START_TEST(test_told_before_answered)
{
    struct bed bed;
    struct change *removal;
    struct record_key key;

    bed_open(&bed);
    removal = tenant(&bed);
    key = removal->first->record.key;
    submit(&bed, removal);
    submit(&bed, event(&bed, 1));
    submit(&bed, event(&bed, 99)); /* no such device: nothing to tell */
    ck_assert_uint_gt(committer_waiting_bytes(bed.committer), 0);
    (void)worker_step(committer_worker(bed.committer), 0);
    ck_assert_str_eq(bed.told, "OR"); /* before any answer was taken */
    ck_assert_uint_eq(step(&bed), 3);
    ck_assert_str_eq(bed.told, "ORAAA");
    ck_assert_uint_eq(committer_waiting_bytes(bed.committer), 0);
    removal = kit_change(&bed.kit);
    kit_op(&bed.kit, removal, OP_RECORD_DEL)->record =
        (struct op_record){.type = REC_TENANT, .key = key};
    submit(&bed, removal);
    ck_assert_uint_eq(step(&bed), 4);
    ck_assert_str_eq(bed.told, "ORAAADA");
    bed_close(&bed);
}
END_TEST

static uint64_t commit_failures(struct bed *bed)
{
    struct store_stats stats;

    store_stats(bed->kit.store, &stats);
    return stats.failures;
}

START_TEST(test_away)
{
    struct bed bed;
    struct change *frame, *api, *quick, *late;
    unsigned tries = 0;

    bed_open(&bed);
    fault.count = 0;
    fault.at = 1;
    fault.forever = true;
    frame = submit(&bed, event(&bed, 1));
    api = submit(&bed, tenant(&bed));
    quick = event(&bed, 1);
    quick->fail_fast = true;
    submit(&bed, quick);
    ck_assert_uint_eq(step(&bed), 2); /* API writes at once, the frame waits */
    ck_assert(api->result == ERR_AWAY && quick->result == ERR_AWAY);
    ck_assert_int_eq(committer_away_since(bed.committer), clock_mono(&bed.kit.clock.clock));
    ck_assert_str_eq(bed.told, "AA");
    late = submit(&bed, tenant(&bed)); /* nor do those that come later wait */
    ck_assert_uint_eq(step(&bed), 3);
    ck_assert_int_eq(late->result, ERR_AWAY);
    for (int64_t wait = 50000; wait <= 1600000; wait *= 2) { /* 50 ms, doubled */
        uint64_t failures = commit_failures(&bed);

        pass(&bed, wait - 1);
        (void)step(&bed);
        ck_assert_uint_eq(commit_failures(&bed), failures);
        pass(&bed, 1);
        (void)step(&bed);
        ck_assert_uint_eq(commit_failures(&bed), failures + 1);
        tries++;
    }
    ck_assert_uint_eq(tries, 6);
    ck_assert_uint_gt(committer_waiting_bytes(bed.committer), 0);
    fault_reset();
    pass(&bed, 2000000);
    ck_assert_uint_eq(step(&bed), 4);
    ck_assert_int_eq(frame->result, OK);
    ck_assert_int_eq(committer_away_since(bed.committer), 0);
    ck_assert_str_eq(bed.told, "AAAOA");
    bed_close(&bed);
}
END_TEST

/* More than one batch waits: all are answered in one step, in order, in more than one commit. */
START_TEST(test_batches_are_cut)
{
    struct bed bed;
    struct store_stats before, after;

    bed_open(&bed);
    memset(bed.told, 0, sizeof(bed.told));
    store_stats(bed.kit.store, &before);
    for (unsigned i = 0; i < 250; i++) {
        struct change *change = kit_change(&bed.kit);

        for (unsigned k = 0; k < 25; k++)
            kit_op(&bed.kit, change, OP_AUDIT)->audit.json = kit_text(&bed.kit, "{}");
        submit(&bed, change);
    }
    ck_assert_uint_eq(step(&bed), 250);
    store_stats(bed.kit.store, &after);
    ck_assert_uint_eq(after.commits - before.commits, 2); /* 6,250 operations at 4,000 */
    ck_assert_uint_eq(after.changes - before.changes, 250);
    bed_close(&bed);
}
END_TEST

/* What breaks a whole batch (here a table that is gone) breaks only the change at fault. */
START_TEST(test_one_culprit)
{
    struct bed bed;
    struct change *changes[9];
    sqlite3 *db;

    bed_open(&bed);
    ck_assert_int_eq(sqlite3_open(arena_printf(&bed.kit.arena, "%s/store.db", bed.kit.dir), &db),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "DROP TABLE audit", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    for (unsigned i = 0; i < 9; i++) {
        changes[i] = event(&bed, 1);
        if (i == 5)
            kit_op(&bed.kit, changes[i], OP_AUDIT)->audit.json = kit_text(&bed.kit, "{}");
        submit(&bed, changes[i]);
    }
    ck_assert_uint_eq(step(&bed), 9);
    for (unsigned i = 0; i < 9; i++)
        ck_assert_int_eq(changes[i]->result, i == 5 ? ERR_STORE : OK);
    ck_assert_uint_eq(store_outbox_end(bed.kit.store), 9);
    bed_close(&bed);
}
END_TEST

static void tick(struct worker *worker, struct mail *mail)
{
    struct clock_double *clock = (struct clock_double *)worker->clock;

    (void)mail;
    clock_double_set(clock, clock_mono(worker->clock) + 10);
}

/* What waits is written before a slice of the fold, and there is one slice a step however many
 * messages it takes: a fold once held commits up for half a second. */
START_TEST(test_fold_comes_behind)
{
    enum { DEVICES = 1200, WAITING = 200, TICKS = 20 };
    struct mail ticks[TICKS];
    struct store_stats before, after;
    struct bed bed;
    unsigned slices = 0, steps = 0;

    bed_open(&bed);
    bed.kit.store->options.fold_rows = 10;
    for (uint64_t eui = 100; eui < 100 + DEVICES; eui++) {
        ck_ok(kit_device(&bed.kit, eui));
        for (uint64_t rev = 0; rev < 2; rev++) { /* the first is a row, the next in the journal */
            struct change *change = kit_change(&bed.kit);

            (void)kit_state(&bed.kit, change, eui, rev, kit_text(&bed.kit, "state"));
            ck_ok(kit_commit(&bed.kit, change));
        }
    }
    pass(&bed, 2 * US_PER_S);
    do {
        unsigned answers = bed.answers;

        memset(bed.told, 0, sizeof(bed.told));
        for (unsigned i = 0; i < WAITING; i++) {
            submit(&bed, event(&bed, 1));
            if (i % (WAITING / TICKS) == 0) { /* time passes while messages are taken */
                ticks[i / (WAITING / TICKS)].take = tick;
                mail_post(committer_worker(bed.committer), LANE_RADIO,
                          &ticks[i / (WAITING / TICKS)]);
            }
        }
        store_stats(bed.kit.store, &before);
        pass(&bed, 2000);
        ck_assert_uint_eq(step(&bed), answers + WAITING);
        store_stats(bed.kit.store, &after);
        ck_assert_uint_eq(after.changes - before.changes, WAITING);
        ck_assert_uint_le(after.fold_rows - before.fold_rows, FOLD_CHUNK);
        slices += after.fold_rows > before.fold_rows;
    } while (after.fold_rows < DEVICES && ++steps < 40);
    ck_assert_uint_eq(slices, 3);
    bed_close(&bed);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_told_before_answered, test_away,
                                  test_batches_are_cut,      test_one_culprit,
                                  test_fold_comes_behind,    NULL};

    return run_suite(suite_of("db_committer", tests));
}
