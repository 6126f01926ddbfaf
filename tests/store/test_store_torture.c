/*
 * Torture: operation n on the disk (on the line to the server) fails, for n = 1, 2, ... A fixed
 * scenario of batches runs directly and through the committer. Whatever fails: a change is whole or
 * absent, one that was answered OK is there, the store comes back, and a bad change never costs its
 * neighbours.
 *
 * By default some of the n are tried, from GODWIT_SOAK on all.
 */
#include "db/committer.h"
#include "tests/store/kit.h"

#include <string.h>

#define DEVICES   5
#define BATCHES   24
#define PER_BATCH 6
#define CHANGES   (BATCHES * PER_BATCH)
#define TRIES     3 /* before a lasting fault is mended */

struct planned {
    struct change *change;
    unsigned device;
    enum err expect;
    bool answered;
};

struct torture {
    struct kit kit;
    struct committer *committer; /* NULL: store_commit itself */
    struct worker worker;
    enum fault_kind kind;
    unsigned at;
    bool dead; /* the process is gone */
    uint64_t revs[DEVICES];
    struct planned planned[CHANGES];
    /* what was found after opening again */
    uint64_t found_rev[DEVICES];
    int found_state[DEVICES];
    bool item[CHANGES], attempt[CHANGES], event[CHANGES];
};

static uint64_t eui_of(unsigned device)
{
    return hash_u64(device + 1);
}

static struct bytes number(struct torture *t, unsigned k)
{
    return kit_text(&t->kit, "%u", k);
}

static int number_of(struct bytes b)
{
    int n = 0;

    for (size_t i = 0; i < b.n; i++)
        n = n * 10 + (b.p[i] - '0');
    return b.n ? n : -1;
}

/* ---- the scenario --------------------------------------------------------------------------- */

static void answered(struct worker *worker, struct mail *mail)
{
    (void)worker;
    ((struct planned *)((struct change *)mail)->owner)->answered = true;
}

/* Change k: state, event, queue item, attempt and nonce of one device, all or nothing; every sixth
 * is bad in one of three ways. */
static void plan(struct torture *t, unsigned k)
{
    struct planned *p = &t->planned[k];
    struct kit *kit = &t->kit;
    unsigned bad = k % PER_BATCH == 3 ? 1 + k / PER_BATCH % 3 : 0;
    uint64_t eui;
    struct op *op;

    p->device = k % DEVICES;
    p->change = kit_change(kit);
    p->change->owner = p;
    p->change->done = answered;
    p->change->reply_to = &t->worker;
    eui = eui_of(p->device);
    (void)kit_event(kit, p->change, eui, number(t, k));
    (void)kit_queue(kit, p->change, eui, k + 1);
    kit_op(kit, p->change, OP_ATTEMPT_PUT)->attempt =
        (struct op_attempt){.id = k + 1,
                            .dev_eui = {eui},
                            .utc_us = clock_utc(&kit->clock.clock),
                            .attempt = number(t, k)};
    kit_op(kit, p->change, OP_NONCE_ADD)->nonce =
        (struct op_nonce){.dev_eui = {eui}, .nonce = (uint16_t)(k + 1)};
    op = kit_state(kit, p->change, eui, t->revs[p->device], number(t, k));
    if (k % 4 == 0) {
        op->state.set = STATE_SET_ACTIVE;
        op->state.active = number(t, k);
    }
    p->expect = bad == 1 ? ERR_CONFLICT : bad == 2 ? ERR_EXISTS : bad == 3 ? ERR_REFERENCE : OK;
    if (bad == 1)
        op->state.rev += 7;
    if (bad == 2)
        kit_op(kit, p->change, OP_NONCE_ADD)->nonce =
            (struct op_nonce){.dev_eui = {eui}, .nonce = (uint16_t)(k + 1)};
    if (bad == 3)
        (void)kit_queue(kit, p->change, 12345, CHANGES + 1);
    t->revs[p->device] += !bad;
}

static const struct kit_faults *faults_of(const struct torture *t)
{
    return t->kit.engine->faults;
}

/* After a failed attempt: the process dies, or the fault is mended after a while. */
static void suffered(struct torture *t, unsigned tries)
{
    if (t->kind >= FAULT_KILL)
        t->dead = true;
    else if (tries >= TRIES)
        faults_of(t)->mend();
    ck_assert_uint_lt(tries, 10);
}

static void commit_directly(struct torture *t, unsigned first)
{
    struct change *batch[PER_BATCH];
    size_t at = 0, done;
    unsigned tries = 0;

    for (unsigned i = 0; i < PER_BATCH; i++)
        batch[i] = t->planned[first + i].change;
    while (at < PER_BATCH && !t->dead) {
        enum err err = store_commit(t->kit.store, batch + at, PER_BATCH - at, &done);

        for (size_t i = 0; i < done; i++)
            t->planned[first + at + i].answered = true;
        at += done;
        if (err) {
            ck_assert_int_eq(err, ERR_AWAY);
            suffered(t, ++tries);
        }
    }
}

static bool all_answered(const struct torture *t, unsigned first)
{
    for (unsigned i = 0; i < PER_BATCH; i++) {
        if (!t->planned[first + i].answered)
            return false;
    }
    return true;
}

static void commit_by_committer(struct torture *t, unsigned first)
{
    unsigned tries = 0;

    for (unsigned i = 0; i < PER_BATCH; i++)
        committer_submit(t->committer, t->planned[first + i].change);
    for (;;) {
        (void)worker_step(committer_worker(t->committer), 0);
        (void)worker_step(&t->worker, 0);
        /* All may be written and the housekeeping behind it find the store away. */
        if (all_answered(t, first) && !committer_away_since(t->committer))
            break;
        ck_assert(committer_away_since(t->committer) != 0);
        ck_assert_uint_eq(committer_waiting_bytes(t->committer) == 0, all_answered(t, first));
        suffered(t, ++tries);
        if (t->dead)
            return;
        clock_double_set(&t->kit.clock, clock_mono(&t->kit.clock.clock) + 3 * US_PER_S);
    }
    ck_assert(committer_away_since(t->committer) == 0);
    ck_assert_uint_eq(committer_waiting_bytes(t->committer), 0);
}

static void tidy(struct torture *t)
{
    bool more = true;
    unsigned tries = 0;

    while (more && !t->dead) {
        enum err err = store_housekeep(t->kit.store, &more);

        if (err) {
            ck_assert_int_eq(err, ERR_AWAY);
            suffered(t, ++tries);
            more = true;
        }
    }
    clock_double_set(&t->kit.clock, clock_mono(&t->kit.clock.clock) + 1100 * US_PER_MS);
}

static void begin(struct torture *t, int engine, enum fault_kind kind, bool by_committer)
{
    struct store_options tune = {.fold_rows = 10, .segment_bytes = 400, .vfs = "fault"};

    memset(t, 0, sizeof(*t));
    t->kind = kind;
    kit_engine(engine)->faults->reset();
    kit_open_records(&t->kit, engine, &tune);
    for (unsigned i = 0; i < DEVICES; i++)
        ck_ok(kit_device(&t->kit, eui_of(i)));
    worker_init(&t->worker, "test", &t->kit.clock.clock, t);
    if (by_committer)
        t->committer = committer_new(t->kit.store, &t->kit.clock.clock, NULL);
}

static void run(struct torture *t, unsigned at)
{
    faults_of(t)->arm(at, t->kind);
    t->at = at;
    for (unsigned first = 0; first < CHANGES && !t->dead; first += PER_BATCH) {
        for (unsigned i = 0; i < PER_BATCH; i++)
            plan(t, first + i);
        if (t->committer)
            commit_by_committer(t, first);
        else
            commit_directly(t, first);
        tidy(t);
    }
}

/* ---- what is there afterwards --------------------------------------------------------------- */

static void on_device(void *arg, const struct loaded_device *device)
{
    struct torture *t = arg;

    for (unsigned i = 0; i < DEVICES; i++) {
        if (eui_of(i) == device->dev_eui.v) {
            t->found_rev[i] = device->rev;
            t->found_state[i] = number_of(device->state);
        }
    }
}

static void on_item(void *arg, const struct op_queue *item)
{
    ck_assert_uint_le(item->order, CHANGES);
    ((struct torture *)arg)->item[item->order - 1] = true;
}

static void on_attempt(void *arg, const struct op_attempt *attempt)
{
    ((struct torture *)arg)->attempt[attempt->id - 1] = true;
}

static bool on_event(void *arg, const struct stored_event *event)
{
    struct torture *t = arg;
    int k = number_of(event->facts);

    ck_assert(k >= 0 && k < CHANGES && !t->event[k]);
    t->event[k] = true;
    return true;
}

static void check_change(struct torture *t, unsigned k, uint64_t *rev, int *state)
{
    const struct planned *p = &t->planned[k];
    struct op_nonce nonce = {.dev_eui = {eui_of(k % DEVICES)}, .nonce = (uint16_t)(k + 1)};
    bool used = false;

    ck_ok(store_nonce_used(t->kit.reader, &nonce, &used));
    ck_assert_msg(t->item[k] == t->event[k] && t->item[k] == t->attempt[k] && t->item[k] == used,
                  "change %u is half saved", k);
    if (!p->change) {
        ck_assert(!used);
        return;
    }
    if (p->answered)
        ck_assert_msg(p->change->result == p->expect, "change %u: %s", k,
                      err_name(p->change->result));
    ck_assert_msg(!p->answered || used == (p->expect == OK), "change %u was answered", k);
    ck_assert(!used || p->expect == OK);
    rev[p->device] += used;
    if (used)
        state[p->device] = (int)k;
}

static void end(struct torture *t)
{
    const struct store_loader loader = {
        .arg = t, .device = on_device, .queue_item = on_item, .attempt = on_attempt};
    uint64_t rev[DEVICES] = {0}, pos;
    int state[DEVICES];
    struct stored_event event;
    const char *why;

    memset(state, -1, sizeof(state));
    memset(t->found_state, -1, sizeof(t->found_state));
    worker_fini(&t->worker);
    if (t->committer)
        committer_free(t->committer);
    store_reader_close(t->kit.reader);
    store_close(t->kit.store);
    if (t->dead)
        faults_of(t)->aftermath(t->kind, t->at);
    faults_of(t)->reset();
    ck_ok(kit_try_open(&t->kit, &loader, &why));
    ck_ok(store_events_from(t->kit.reader, 0, SIZE_MAX, on_event, t));
    for (unsigned k = 0; k < CHANGES; k++)
        check_change(t, k, rev, state);
    for (unsigned i = 0; i < DEVICES; i++) {
        uint64_t chained = 0;

        ck_assert_uint_eq(t->found_rev[i], rev[i]);
        ck_assert_int_eq(t->found_state[i], state[i]);
        ck_ok(store_event_last(t->kit.reader, (struct lw_eui){eui_of(i)}, &pos));
        for (; pos; pos = event.prev, chained++)
            ck_ok(store_event_at(t->kit.reader, pos, &t->kit.arena, &event));
        ck_assert_uint_eq(chained, rev[i]);
    }
    kit_close(&t->kit);
}

/* Every n, or some in a stride that shifts from kind to kind. The last n is past the end: the
 * scenario passes unharmed. */
static void torment(int engine, enum fault_kind kind, bool by_committer)
{
    const struct kit_faults *faults = kit_engine(engine)->faults;
    static struct torture t;
    unsigned operations, stride = 1;

    begin(&t, engine, kind, by_committer);
    run(&t, 0);
    operations = faults->count();
    ck_assert_uint_gt(operations, 100);
    end(&t);
    if (!getenv("GODWIT_SOAK"))
        stride = operations / (kit_engine(engine)->files ? 30 : 4) + 1;
    for (unsigned at = 1 + (unsigned)kind % stride; at <= operations; at += stride) {
        begin(&t, engine, kind, by_committer);
        run(&t, at);
        ck_assert_uint_gt(faults->hits(), 0);
        end(&t);
    }
    begin(&t, engine, kind, by_committer);
    run(&t, operations + 1);
    ck_assert_uint_eq(faults->hits(), 0);
    ck_assert(!t.dead && all_answered(&t, CHANGES - PER_BATCH));
    end(&t);
}

START_TEST(test_directly)
{
    for (enum fault_kind kind = 0; kind < FAULT_KIND_COUNT; kind++)
        torment(_i, kind, false);
}
END_TEST

START_TEST(test_by_committer)
{
    for (enum fault_kind kind = 0; kind < FAULT_KIND_COUNT; kind++)
        torment(_i, kind, true);
}
END_TEST

/* A fault while opening leaves a store that opens the next time. */
START_TEST(test_opening)
{
    struct kit kit;
    struct store_options tune = {.vfs = "fault"};
    const struct kit_faults *faults = kit_engine(_i)->faults;
    const char *why;
    unsigned failed = 0;

    faults->reset();
    kit_open_records(&kit, _i, &tune);
    for (unsigned at = 1;; at++) {
        enum err err;

        store_reader_close(kit.reader);
        store_close(kit.store);
        faults->reset();
        faults->arm(at, FAULT_ONCE);
        err = kit_try_open(&kit, NULL, &why);
        if (faults->hits() == 0) {
            ck_ok(err);
            break;
        }
        faults->reset();
        if (err)
            ck_ok(kit_try_open(&kit, NULL, &why));
        failed += err != OK;
    }
    ck_assert_uint_gt(failed, 0);
    kit_close(&kit);
}
END_TEST

/* The same while a store is made: afterwards it is empty or complete, never between. */
START_TEST(test_making)
{
    struct kit kit;
    struct store_options tune = {.vfs = "fault"};
    const struct kit_faults *faults = kit_engine(_i)->faults;
    const char *why;

    for (unsigned at = 1;; at++) {
        enum err err;
        bool unharmed;

        faults->reset();
        kit_open(&kit, _i, &tune);
        store_reader_close(kit.reader);
        store_close(kit.store);
        kit_shell(arena_printf(&kit.arena, "rm -rf %s/*", kit.dir));
        kit.engine->fresh(&kit);
        faults->arm(at, at % 2 ? FAULT_ONCE : FAULT_ONCE_OTHER);
        err = kit_try_open(&kit, NULL, &why);
        unharmed = faults->hits() == 0;
        faults->reset();
        if (err)
            ck_ok(kit_try_open(&kit, NULL, &why));
        ck_ok(kit_put(&kit, REC_TENANT, kit_record(&kit, REC_TENANT), 0));
        kit_close(&kit);
        if (unharmed)
            break;
        ck_assert_uint_lt(at, 2000);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_directly, test_by_committer, test_opening, test_making,
                                  NULL};

    return run_suite(store_suite("store_torture", tests));
}
