/* Live state: races, journal and fold against a model in memory, restarts and crashes. */
#include "core/bytes.h"
#include "db/load_ahead.h"
#include "tests/store/kit.h"

#include <stdio.h>
#include <string.h>

#define DEVICES 40

struct model_device {
    bool exists;
    uint64_t rev, last_pos;
    char state[32], active[32], pending[32];
};

struct model {
    struct kit kit;
    struct model_device devices[DEVICES];
    bool loaded[DEVICES];
};

/* EUIs of both signs, in no order of their numbers. */
static uint64_t eui_of(unsigned i)
{
    return hash_u64(i + 1);
}

static bool same(struct bytes b, const char *text)
{
    return b.n == strlen(text) && (!b.n || memcmp(b.p, text, b.n) == 0);
}

static void check_device(void *arg, const struct loaded_device *device)
{
    struct model *model = arg;
    unsigned i = 0;

    while (i < DEVICES && eui_of(i) != device->dev_eui.v)
        i++;
    ck_assert_uint_lt(i, DEVICES);
    ck_assert(model->devices[i].exists);
    ck_assert(!model->loaded[i]);
    model->loaded[i] = true;
    ck_assert_uint_eq(device->rev, model->devices[i].rev);
    ck_assert_msg(same(device->state, model->devices[i].state), "state of %u", i);
    ck_assert(same(device->active, model->devices[i].active));
    ck_assert(same(device->pending, model->devices[i].pending));
}

static void check_chain(struct model *model, unsigned i)
{
    uint64_t pos = 0;

    ck_ok(store_event_last(model->kit.reader, (struct lw_eui){eui_of(i)}, &pos));
    ck_assert_uint_eq(pos, model->devices[i].last_pos);
}

static void restart(struct model *model, bool crash)
{
    const struct store_loader loader = {.arg = model, .device = check_device};

    memset(model->loaded, 0, sizeof(model->loaded));
    if (crash)
        kit_crash(&model->kit, &loader);
    else
        kit_reopen(&model->kit, &loader);
    for (unsigned i = 0; i < DEVICES; i++) {
        ck_assert(model->loaded[i] == model->devices[i].exists);
        if (model->devices[i].exists)
            check_chain(model, i);
    }
}

static void make_or_delete(struct model *model, unsigned i)
{
    struct model_device *device = &model->devices[i];
    struct record_key key = record_key_eui((struct lw_eui){eui_of(i)});

    if (device->exists)
        ck_ok(kit_delete(&model->kit, REC_DEVICE, &key, 0));
    else
        ck_ok(kit_device(&model->kit, eui_of(i)));
    *device = (struct model_device){.exists = !device->exists};
}

static void set_session(struct model *model, struct op *op, struct model_device *device)
{
    struct kit *kit = &model->kit;

    op->state.set = (unsigned)kit_draw(kit, 4);
    if (op->state.set & STATE_SET_ACTIVE) {
        (void)snprintf(device->active, sizeof(device->active), "%s",
                       kit_draw(kit, 3) ? "active" : "");
        op->state.active = kit_text(kit, "%s", device->active);
    }
    if (op->state.set & STATE_SET_PENDING) {
        (void)snprintf(device->pending, sizeof(device->pending), "%s",
                       kit_draw(kit, 3) ? "pending" : "");
        op->state.pending = kit_text(kit, "%s", device->pending);
    }
}

/* One random change of a device; the model follows. */
static struct change *draw_change(struct model *model, unsigned i, struct op **event)
{
    struct kit *kit = &model->kit;
    struct model_device *device = &model->devices[i];
    struct change *change = kit_change(kit);
    struct op *op;

    *event = NULL;
    if (kit_draw(kit, 2))
        *event = kit_event(kit, change, eui_of(i), kit_text(kit, "facts"));
    if (*event && kit_draw(kit, 4) == 0)
        return change; /* an event alone */
    (void)snprintf(device->state, sizeof(device->state), "%s%llu", kit_draw(kit, 9) ? "state " : "",
                   (unsigned long long)kit_draw(kit, 1000));
    op = kit_state(kit, change, eui_of(i), device->rev++, kit_text(kit, "%s", device->state));
    if (kit_draw(kit, 5) == 0)
        set_session(model, op, device);
    return change;
}

/* A batch may hold several changes of one device, each built on the one before. */
static void commit_some(struct model *model)
{
    struct change *batch[20];
    struct op *events[20];
    unsigned at[20];
    size_t n = 0, done, most = 1 + kit_draw(&model->kit, 20);

    while (n < most) {
        unsigned i = (unsigned)kit_draw(&model->kit, DEVICES);

        if (!model->devices[i].exists)
            break;
        at[n] = i;
        batch[n] = draw_change(model, i, &events[n]);
        n++;
    }
    ck_ok(store_commit(model->kit.store, batch, n, &done));
    ck_assert_uint_eq(done, n);
    for (size_t k = 0; k < n; k++) {
        ck_assert_int_eq(batch[k]->result, OK);
        if (events[k])
            model->devices[at[k]].last_pos = events[k]->event.pos;
    }
}

static void model_open(struct model *model, int engine, uint64_t fold_rows, uint64_t seed)
{
    struct store_options tune = {.fold_rows = fold_rows, .segment_bytes = 2000};

    memset(model, 0, sizeof(*model));
    kit_open_records(&model->kit, engine, &tune);
    model->kit.random = seed;
}

/* Whatever happened, what is loaded is what was answered. */
static void run_model(int engine, uint64_t fold_rows, uint64_t seed)
{
    struct model model;

    model_open(&model, engine, fold_rows, seed);
    for (unsigned step = 0; step < 600; step++) {
        bool more;

        switch (kit_draw(&model.kit, 16)) {
        case 0:
        case 1:
        case 2: make_or_delete(&model, (unsigned)kit_draw(&model.kit, DEVICES)); break;
        case 3:
        case 4:
        case 5:
        case 6: ck_ok(store_housekeep(model.kit.store, &more)); break;
        case 7:
            if (kit_draw(&model.kit, 4) == 0)
                restart(&model, kit_draw(&model.kit, 2));
            break;
        default: commit_some(&model); break;
        }
    }
    restart(&model, true);
    restart(&model, false);
    kit_close(&model.kit);
}

START_TEST(test_fold_equals_model)
{
    static const uint64_t thresholds[] = {1, 2, 7, 50, 100000};

    for (uint64_t seed = 1; seed <= 10; seed++)
        run_model(_i, thresholds[seed % 5], seed);
}
END_TEST

START_TEST(test_races)
{
    struct kit kit;
    struct change *change, *batch[3];
    size_t done;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    for (uint64_t rev = 0; rev < 3; rev++) {
        change = kit_change(&kit);
        (void)kit_state(&kit, change, 1, rev, (struct bytes){0}); /* empty is a state too */
        ck_ok(kit_commit(&kit, change));
    }
    for (uint64_t rev = 0; rev < 6; rev++) {
        if (rev == 3)
            continue;
        change = kit_change(&kit);
        (void)kit_state(&kit, change, 1, rev, kit_text(&kit, "x"));
        (void)kit_event(&kit, change, 1, kit_text(&kit, "x"));
        (void)kit_queue(&kit, change, 1, 9);
        ck_assert_int_eq(kit_commit(&kit, change), ERR_CONFLICT);
    }
    ck_assert_uint_eq(store_outbox_end(kit.store), 1); /* a loser leaves nothing */
    for (size_t i = 0; i < 3; i++) { /* 3, 3, 4: the second loses, the third builds on the first */
        batch[i] = kit_change(&kit);
        (void)kit_state(&kit, batch[i], 1, i == 2 ? 4 : 3, kit_text(&kit, "y"));
    }
    ck_ok(store_commit(kit.store, batch, 3, &done));
    ck_assert_int_eq(batch[0]->result, OK);
    ck_assert_int_eq(batch[1]->result, ERR_CONFLICT);
    ck_assert_int_eq(batch[2]->result, OK);
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, 5, kit_text(&kit, "y"));
    (void)kit_state(&kit, change, 1, 5, kit_text(&kit, "z"));
    ck_assert_int_eq(kit_commit(&kit, change), ERR_BAD_STATE);
    kit_close(&kit);
}
END_TEST

/* A device deleted in the batch that holds its state leaves no ghost. */
START_TEST(test_deleted_in_batch)
{
    struct kit kit;
    struct change *batch[3];
    struct record_key key = record_key_eui((struct lw_eui){1});
    size_t done;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    batch[0] = kit_change(&kit);
    (void)kit_state(&kit, batch[0], 1, 0, kit_text(&kit, "a"));
    ck_ok(kit_commit(&kit, batch[0]));
    for (size_t i = 0; i < 3; i++)
        batch[i] = kit_change(&kit);
    (void)kit_state(&kit, batch[0], 1, 1, kit_text(&kit, "b"));
    kit_op(&kit, batch[1], OP_RECORD_DEL)->record =
        (struct op_record){.type = REC_DEVICE, .key = key};
    (void)kit_state(&kit, batch[2], 1, 2, kit_text(&kit, "c"));
    ck_ok(store_commit(kit.store, batch, 3, &done));
    ck_assert_int_eq(batch[0]->result, OK);
    ck_assert_int_eq(batch[1]->result, OK);
    ck_assert_int_eq(batch[2]->result, ERR_CONFLICT);
    ck_ok(kit_device(&kit, 1));
    batch[0] = kit_change(&kit);
    (void)kit_state(&kit, batch[0], 1, 0, kit_text(&kit, "d"));
    ck_ok(kit_commit(&kit, batch[0]));
    kit_close(&kit);
}
END_TEST

static void count_state(void *arg, const struct loaded_device *device)
{
    *(uint64_t *)arg += device->rev + device->state.n;
}

/* The journal of a device that was deleted is not the journal of its successor. */
START_TEST(test_made_anew)
{
    struct kit kit;
    struct change *change;
    struct record_key key = record_key_eui((struct lw_eui){1});
    uint64_t seen = 0;
    const struct store_loader loader = {.arg = &seen, .device = count_state};

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    for (uint64_t rev = 0; rev < 5; rev++) {
        change = kit_change(&kit);
        (void)kit_state(&kit, change, 1, rev, kit_text(&kit, "old"));
        ck_ok(kit_commit(&kit, change));
    }
    ck_ok(kit_delete(&kit, REC_DEVICE, &key, 0));
    ck_ok(kit_device(&kit, 1));
    kit_crash(&kit, &loader);
    ck_assert_uint_eq(seen, 0); /* no state yet */
    change = kit_change(&kit);
    (void)kit_event(&kit, change, 1, kit_text(&kit, "e"));
    ck_ok(kit_commit(&kit, change));
    kit_crash(&kit, &loader);
    ck_assert_uint_eq(seen, 0); /* nor with an event alone */
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, 0, kit_text(&kit, "n"));
    ck_ok(kit_commit(&kit, change));
    kit_crash(&kit, &loader);
    ck_assert_uint_eq(seen, 2);
    kit_close(&kit);
}
END_TEST

START_TEST(test_before_load)
{
    struct kit kit;
    struct change *change;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    store_reader_close(kit.reader);
    store_close(kit.store);
    ck_ok(store_open(&kit.options, &kit.arena, &kit.store, NULL));
    ck_ok(store_reader_open(kit.store, &kit.reader));
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, 0, kit_text(&kit, "n"));
    ck_assert_int_eq(kit_commit(&kit, change), ERR_BAD_STATE);
    ck_ok(kit_device(&kit, 2)); /* records may be written */
    kit_close(&kit);
}
END_TEST

/* What a load told, in order: the same if the hash is. */
struct told {
    uint64_t hash;
    unsigned devices, items;
    bool mixed; /* a device after an item */
};

static void tell_device(void *arg, const struct loaded_device *device)
{
    struct told *told = arg;

    told->mixed = told->mixed || told->items;
    told->devices++;
    told->hash =
        hash_u64(told->hash ^ device->dev_eui.v ^ device->rev << 40 ^ bytes_hash(device->state, 1) ^
                 bytes_hash(device->active, 2) ^ bytes_hash(device->pending, 3));
}

static void tell_item(void *arg, const struct op_queue *item)
{
    struct told *told = arg;

    told->items++;
    told->hash = hash_u64(told->hash ^ item->order ^ bytes_hash(item->item, 4));
}

/* Batches that end by rows and by octets, and a row that is greater than a batch. */
START_TEST(test_load_ahead)
{
    enum { COUNT = 3000 };
    static uint8_t octets[300000];
    struct kit kit;
    struct told plain = {0}, ahead = {0};
    struct store_loader loader = {.arg = &plain, .device = tell_device, .queue_item = tell_item};

    kit_open_records(&kit, _i, NULL);
    for (size_t i = 0; i < sizeof(octets); i++)
        octets[i] = (uint8_t)hash_u64(i);
    for (unsigned i = 0; i < COUNT; i++) {
        struct change *change = kit_change(&kit);
        struct bytes state = {octets + i, i == COUNT / 2 ? 290000 : i * 7 % 1500};

        ck_ok(kit_device(&kit, eui_of(i)));
        (void)kit_state(&kit, change, eui_of(i), 0, state);
        if (i % 500 == 0)
            (void)kit_queue(&kit, change, eui_of(i), i + 1);
        ck_ok(kit_commit(&kit, change));
    }
    kit_reopen(&kit, &loader);
    store_reader_close(kit.reader);
    store_close(kit.store);
    ck_ok(store_open(&kit.options, &kit.arena, &kit.store, NULL));
    loader.arg = &ahead;
    ck_ok(store_load_ahead(kit.store, &loader));
    ck_ok(store_reader_open(kit.store, &kit.reader));
    ck_assert_uint_eq(plain.devices, COUNT);
    ck_assert_uint_eq(plain.items, COUNT / 500);
    ck_assert_uint_eq(ahead.devices, plain.devices);
    ck_assert_uint_eq(ahead.items, plain.items);
    ck_assert(!ahead.mixed);
    ck_assert_uint_eq(ahead.hash, plain.hash);
    kit_close(&kit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_races,
                                  test_deleted_in_batch,
                                  test_made_anew,
                                  test_before_load,
                                  test_fold_equals_model,
                                  test_load_ahead,
                                  NULL};

    return run_suite(store_suite("store_live", tests));
}
