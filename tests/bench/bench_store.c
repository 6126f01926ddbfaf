/*
 * bench_store.c - what a change costs, and how long the worst commit lasts.
 *
 * Prints changes per second, CPU per change and commit times for batches of 1, 10, 100 and 1000
 * changes (a state of 200 octets and an event of 120), with a whole fold within each run; then the
 * longest slice of background work, the time of the start, and readers. Arguments: devices
 * (200000), seconds per run (5) and the URL of an empty database (a new SQLite file in the current
 * folder). With PostgreSQL the CPU is that of the client alone.
 */
#include "db/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR       "bench-store"
#define BATCH_MAX 1000

struct bench {
    struct store *store;
    uint64_t *revs;
    size_t devices;
    int64_t slice_us; /* the longest of store_housekeep */
    int64_t *times;   /* of each commit */
    size_t commits;
    off_t wal;
};

static int64_t cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * (int64_t)US_PER_S +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int64_t now_us(void)
{
    return clock_mono(clock_system());
}

static void must(enum err err, const char *what)
{
    if (!err)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, err_text(err));
    exit(1);
}

static void commit(struct bench *bench, struct change **batch, size_t n)
{
    size_t done;

    must(store_commit(bench->store, batch, n, &done), "commit");
    for (size_t i = 0; i < n; i++)
        must(batch[i]->result, "change");
}

/* ---- filling -------------------------------------------------------------------------------- */

static void *put(struct change *change, struct arena *arena, enum record_type type)
{
    struct op *op = change_add(change, arena, OP_RECORD_PUT);
    void *record = arena_alloc(arena, record_types[type].size);

    field_defaults(record_types[type].fields, record, arena);
    op->record.type = type;
    op->record.record = record;
    return record;
}

static void put_owners(struct bench *bench, struct uuid *application, struct uuid *profile)
{
    struct arena arena;
    struct change *change;
    struct tenant *tenant;
    struct application *app;
    struct device_profile *prof;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    change = arena_new(&arena, struct change);
    tenant = put(change, &arena, REC_TENANT);
    tenant->name = "t";
    tenant->id = uuid_new(1);
    change->last->record.key = record_key_of(REC_TENANT, tenant);
    app = put(change, &arena, REC_APPLICATION);
    app->name = "a";
    app->tenant_id = tenant->id;
    *application = app->id = uuid_new(1);
    change->last->record.key = record_key_of(REC_APPLICATION, app);
    prof = put(change, &arena, REC_DEVICE_PROFILE);
    prof->name = "p";
    prof->region_name = "EU868";
    prof->tenant_id = tenant->id;
    *profile = prof->id = uuid_new(1);
    change->last->record.key = record_key_of(REC_DEVICE_PROFILE, prof);
    commit(bench, &change, 1);
    arena_reset(&arena);
}

static uint64_t eui_of(size_t i)
{
    return 0x70b3d57ed0000000u + i;
}

static void put_devices(struct bench *bench)
{
    static const uint8_t blob[300];
    struct uuid application, profile;

    put_owners(bench, &application, &profile);
    for (size_t i = 0; i < bench->devices; i += 500) {
        struct arena arena;
        struct change *batch[500];
        size_t n = bench->devices - i < 500 ? bench->devices - i : 500;

        arena_init(&arena, ARENA_REQUEST_LIMIT);
        for (size_t k = 0; k < n; k++) {
            struct device_record *device;
            struct op *op;

            batch[k] = arena_new(&arena, struct change);
            device = put(batch[k], &arena, REC_DEVICE);
            device->dev_eui.v = eui_of(i + k);
            device->name = "d";
            device->application_id = application;
            device->device_profile_id = profile;
            batch[k]->last->record.key = record_key_of(REC_DEVICE, device);
            op = change_add(batch[k], &arena, OP_STATE);
            op->state = (struct op_state){.dev_eui = device->dev_eui,
                                          .set = STATE_SET_ACTIVE,
                                          .state = {blob, 200},
                                          .active = {blob, 160}};
            op = change_add(batch[k], &arena, OP_KEYS_PUT);
            op->keys = (struct op_keys){.dev_eui = device->dev_eui, .sealed = {blob, 80}};
            bench->revs[i + k] = 1;
        }
        commit(bench, batch, n);
        arena_reset(&arena);
    }
}

/* ---- changes -------------------------------------------------------------------------------- */

static void fill(struct bench *bench, struct arena *arena, struct change **batch, size_t n,
                 uint64_t *random)
{
    static const uint8_t blob[200];

    for (size_t i = 0; i < n; i++) {
        size_t at = (size_t)((*random = hash_u64(*random + 1)) % bench->devices);
        struct op *op;

        batch[i] = arena_new(arena, struct change);
        op = change_add(batch[i], arena, OP_EVENT);
        op->event = (struct op_event){.dev_eui = {eui_of(at)}, .utc_us = 1, .facts = {blob, 120}};
        op = change_add(batch[i], arena, OP_STATE);
        op->state = (struct op_state){
            .dev_eui = {eui_of(at)}, .rev = bench->revs[at]++, .state = {blob, 200}};
    }
}

static void housekeep(struct bench *bench)
{
    int64_t began = now_us(), took;
    bool more;

    must(store_housekeep(bench->store, &more), "housekeep");
    took = now_us() - began;
    bench->slice_us = took > bench->slice_us ? took : bench->slice_us;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void report(struct bench *bench, size_t n, size_t changes, int64_t took, int64_t cpu)
{
    struct store_stats stats;
    size_t count = bench->commits;

    qsort(bench->times, count, sizeof(*bench->times), compare);
    store_stats(bench->store, &stats);
    (void)printf("batch %4zu: %7.0f changes/s, %6.2f us CPU; commit p50 %" PRId64 " p99 %" PRId64
                 " p99.9 %" PRId64 " max %" PRId64 " us; slice max %" PRId64 " us; folds %" PRIu64
                 ", rows %" PRIu64 "; log %.0f MiB\n",
                 n, (double)changes * 1e6 / (double)took, (double)cpu / (double)changes,
                 bench->times[count / 2], bench->times[count * 99 / 100],
                 bench->times[count * 999 / 1000], bench->times[count - 1], bench->slice_us,
                 stats.folds, stats.fold_rows, (double)bench->wal / (1 << 20));
}

static void run(struct bench *bench, size_t n, int64_t length_us)
{
    struct change *batch[BATCH_MAX];
    uint64_t random = n;
    size_t changes = 0, room = 1u << 20;
    int64_t began = now_us(), cpu = cpu_us();
    struct stat st;

    bench->times = xcalloc(room, sizeof(*bench->times));
    bench->commits = 0;
    bench->slice_us = 0;
    bench->wal = 0;
    while (now_us() - began < length_us && bench->commits < room) {
        struct arena arena;
        int64_t at;

        arena_init(&arena, ARENA_REQUEST_LIMIT);
        fill(bench, &arena, batch, n, &random);
        at = now_us();
        commit(bench, batch, n);
        bench->times[bench->commits++] = now_us() - at;
        changes += n;
        arena_reset(&arena);
        housekeep(bench);
        if (bench->commits % 64 == 0 && stat(DIR "/bench.db-wal", &st) == 0 &&
            st.st_size > bench->wal)
            bench->wal = st.st_size;
    }
    report(bench, n, changes, now_us() - began, cpu_us() - cpu);
    free(bench->times);
}

/* ---- start and readers ---------------------------------------------------------------------- */

static void count_device(void *arg, const struct loaded_device *device)
{
    *(size_t *)arg += device->state.n > 0;
}

static void start(struct bench *bench, const struct store_options *options, const char *when)
{
    size_t count = 0;
    const struct store_loader loader = {.arg = &count, .device = count_device};
    struct arena arena;
    const char *why = "";
    int64_t began = now_us();

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    must(store_open(options, &arena, &bench->store, &why), why);
    must(store_load(bench->store, &loader), "load");
    (void)printf("start %s: %zu devices in %" PRId64 " ms\n", when, count,
                 (now_us() - began) / US_PER_MS);
    arena_reset(&arena);
}

static bool visit(void *arg, const struct stored_event *event)
{
    *(size_t *)arg += event->facts.n;
    return true;
}

static void readers(struct bench *bench)
{
    struct store_reader *reader;
    struct arena arena;
    struct stored_event event;
    struct join_state join;
    struct bytes sealed;
    size_t octets = 0, n = 100000;
    uint64_t end = store_outbox_end(bench->store);
    int64_t began;

    arena_init(&arena, (size_t)1 << 30);
    must(store_reader_open(bench->store, &reader), "reader");
    began = now_us();
    for (size_t i = 0; i < n; i++) {
        struct lw_eui eui = {eui_of(hash_u64(i) % bench->devices)};

        must(store_keys_get(reader, eui, &arena, &sealed), "keys");
        must(store_join_state_get(reader, eui, &join), "join state");
    }
    (void)printf("keys and join state: %.2f us\n", (double)(now_us() - began) / (double)n);
    began = now_us();
    for (size_t i = 0; i < n; i++)
        must(store_event_at(reader, 1 + hash_u64(i) % (end - 1), &arena, &event), "event");
    (void)printf("event at: %.2f us\n", (double)(now_us() - began) / (double)n);
    began = now_us();
    for (uint64_t from = 1; from < end && from < 500000; from += 1000)
        must(store_events_from(reader, from, 1000, visit, &octets), "events");
    (void)printf("events in sequence: %.2f us each\n",
                 (double)(now_us() - began) / (double)(end < 500000 ? end : 500000));
    store_reader_close(reader);
    arena_reset(&arena);
}

int main(int argc, char **argv)
{
    static const uint8_t master[32];
    static const size_t batches[] = {1, 10, 100, 1000};
    struct bench bench = {.devices = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000};
    int64_t length = (argc > 2 ? strtol(argv[2], NULL, 10) : 5) * US_PER_S;
    struct store_options options = {.url = argc > 3 ? argv[3] : "sqlite:bench.db",
                                    .data_dir = DIR,
                                    .clock = clock_system(),
                                    .master_key = master,
                                    .fold_age_us = length / 2,
                                    .outbox_max_bytes = 256u << 20,
                                    .checkpoint_thread = true};

    if (mkdir(DIR, 0700) != 0) {
        (void)fprintf(stderr, "remove %s first\n", DIR);
        return 1;
    }
    bench.revs = xcalloc(bench.devices, sizeof(*bench.revs));
    start(&bench, &options, "empty");
    put_devices(&bench);
    for (size_t i = 0; i < 4; i++)
        run(&bench, batches[i], length);
    readers(&bench);
    store_close(bench.store);
    start(&bench, &options, "with a journal");
    store_close(bench.store);
    free(bench.revs);
    return 0;
}
