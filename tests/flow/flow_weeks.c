/*
 * A town lives for weeks of simulated time: memory and files must stop growing, descriptors, timers
 * and tables too, no event may be missing, and devices must be answered on the last day as on the
 * first.
 *
 * Three days run with the other tests, in which the limits of outbox and frame log are small;
 * `flow_weeks --days N` keeps the outbox its seven days and segments.
 */
#include "db/sqlite.h"
#include "ns/ns_priv.h"
#include "tests/flow/town.h"
#include "tests/store/fault_vfs.h"
#include "tests/suite.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>

#define SHORT_DAYS   3
#define DEVICES      60
#define WARM_ROUNDS  36 /* of the first day, before the restart */
#define OUTBOX_DAYS  7
#define SLACK        ((size_t)256 * 1024)
#define SQLITE_HEAP  (1024 * 1024)
#define WAL_MAX      ((size_t)16 << 20)
#define NONCE_BYTES  100 /* of the file, for each used DevNonce: kept for ever */
#define AUDIT_BYTES  400 /* the same for each write by people */
#define SILENT_SHARE 10  /* one of ten devices never speaks */

static unsigned days = SHORT_DAYS, devices = DEVICES, seed = 11;
static struct town town;

/* ---- reading what there is ------------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__)
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

static size_t allocated(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
#endif
}

struct reading {
    size_t heap; /* without SQLite's */
    size_t sqlite;
    size_t descriptors;
    size_t database, wal, frames; /* octets of files */
    size_t attempts, sets, sessions, timers, expiries, mail, unknown;
    size_t attempt_rows, queue_rows;
    struct town_counts counts;
    uint64_t events;
    unsigned answered; /* devices, today */
};

static size_t file_bytes(const char *name)
{
    char path[128];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/%s", town.rest.world.dir, name);
    return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

/* Entries of a folder, and the octets of its files. */
static size_t folder(const char *path, size_t *bytes)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    struct stat st;
    size_t n = 0;

    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir))) {
        n += entry->d_name[0] != '.';
        if (bytes && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
            *bytes += (size_t)st.st_size;
    }
    (void)closedir(dir);
    return n;
}

static size_t rows(const char *table)
{
    char sql[64];
    sqlite3_stmt *stmt = NULL;
    size_t n;

    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
    ck_assert_int_eq(sqlite3_prepare_v2(town.rest.world.store->db, sql, -1, &stmt, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
    n = (size_t)sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

static void read_workers(struct reading *r)
{
    struct world *world = &town.rest.world;

    for (unsigned i = 0; i < ns_worker_count(world->ns); i++) {
        const struct ns_worker *worker = &world->ns->workers[i];

        r->attempts += worker->attempts.count;
        r->sets += worker->collector.open + worker->collector.tombstones;
        r->sessions += match_count(worker->match);
        r->expiries += worker->expiries.count;
        ck_assert_uint_eq(worker->spoiled.count, 0);
    }
    for (size_t i = 0; i < world->worker_count; i++) {
        r->timers += world->workers[i]->timers.count;
        for (size_t lane = 0; lane < LANE_COUNT; lane++)
            r->mail += worker_waiting(world->workers[i], (enum lane)lane);
    }
}

static void unknown_told(struct worker *worker, struct mail *mail)
{
    (void)worker;
    (void)mail;
}

static size_t unknown_gateways(void)
{
    static struct unknown_query query;
    struct worker worker;

    worker_init(&worker, "test", &town.rest.world.clock.clock, NULL);
    query = (struct unknown_query){.reply_to = &worker, .reply = unknown_told};
    udp_ask_unknown(town.rest.world.udp, &query);
    world_run(&town.rest.world, 0);
    (void)worker_step(&worker, 0);
    worker_fini(&worker);
    return query.count;
}

static struct reading read_all(void)
{
    struct reading r = {0};

    arena_reset(&town.rest.world.arena);
    fault_reset();
    r.sqlite = (size_t)sqlite3_memory_used();
    r.heap = allocated() - r.sqlite;
    r.descriptors = folder("/proc/self/fd", NULL);
    r.database = file_bytes("godwit.db");
    r.wal = file_bytes("godwit.db-wal");
    (void)folder(town.rest.frames_dir, &r.frames);
    r.events = store_outbox_end(town.rest.world.store);
    r.counts = town.counts;
    r.attempt_rows = rows("attempt");
    r.queue_rows = rows("queue");
    read_workers(&r);
    r.unknown = unknown_gateways();
    for (size_t i = 0; i < town.member_count; i++) {
        r.answered += town.members[i].answers > 0;
        town.members[i].answers = 0;
    }
    return r;
}

static void tell(unsigned day, const struct reading *r)
{
    printf("weeks: day %u: heap %zu SQLite %zu KiB, database %zu log %zu frames %zu KiB, "
           "%zu descriptors, %zu timers, %zu attempts (%zu rows), %zu items, %zu sets, %zu "
           "sessions, %zu unknown, "
           "%u devices answered, event %" PRIu64 "\n",
           day, r->heap >> 10, r->sqlite >> 10, r->database >> 10, r->wal >> 10, r->frames >> 10,
           r->descriptors, r->timers, r->attempts, r->attempt_rows, r->queue_rows, r->sets,
           r->sessions, r->unknown, r->answered, r->events);
    (void)fflush(stdout);
}

/* A thread keeps chunks of arenas for its next jobs, up to 1 MiB: it gets them all at once. */
static void keep_chunks(void)
{
    struct arena arena;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    for (size_t i = 0; i < 512; i++)
        (void)arena_alloc(&arena, 3000);
    arena_reset(&arena);
}

/* ---- judging --------------------------------------------------------------------------------- */

#define flat(now, then, share, slack)                                                              \
    ck_assert_msg((now) <= (then) + (then) / (share) + (slack), "%s: %zu, was %zu", #now, (now),   \
                  (then))

/* Positions follow one another from the oldest that is kept to the end. */
static bool follows(void *arg, const struct stored_event *event)
{
    uint64_t *next = arg;

    ck_assert(!*next || event->pos == *next);
    ck_assert_uint_lt(event->prev, event->pos);
    *next = event->pos + 1;
    return true;
}

static void check_outbox(bool full)
{
    struct world *world = &town.rest.world;
    struct store_stats stats;
    uint64_t next = 0;

    store_stats(world->store, &stats);
    if (full)
        ck_assert_uint_gt(stats.outbox_first, 1);
    next = stats.outbox_first;
    ck_assert_int_eq(store_events_from(world->reader, next, SIZE_MAX >> 1, follows, &next), OK);
    ck_assert_uint_eq(next, stats.outbox_end);
    ck_assert_uint_eq(town.stream_at + 1, stats.outbox_end);
    ck_assert_uint_lt(stats.journal_rows, 10000);
    ck_assert_uint_gt(stats.folds, 0);
}

/* What holds at the end of each day. */
static void check_day(const struct reading *r, const struct town_counts *before)
{
    uint64_t confirmed = r->counts.confirmed - before->confirmed;

    ck_assert_int_eq(metric_read(&ns_internal_errors, 0), 0);
    ck_assert_uint_eq(r->mail, 0);
    ck_assert_uint_lt(r->wal, WAL_MAX);
    ck_assert_uint_le(r->unknown, UDP_UNKNOWN_MAX);
    ck_assert_uint_eq(committer_waiting_bytes(town.rest.world.committer), 0);
    /* Each speaks at least four times a day and some of that wants an answer: LinkCheckReq,
     * confirmed frames, DevStatusReq. */
    ck_assert_uint_ge(r->answered, (devices - devices / SILENT_SHARE) * 9 / 10);
    ck_assert_uint_ge((r->counts.acked - before->acked) * 10, confirmed * 9);
}

/* `steady`: retention was at work already when `then` was read. */
static void compare(const struct reading *r, const struct reading *then, bool steady)
{
    size_t kept = (size_t)(r->counts.joins - then->counts.joins) * NONCE_BYTES +
                  (size_t)(r->counts.writes - then->counts.writes) * AUDIT_BYTES;

    /* Until the outbox drops segments, SQLite learns of one table more with each. */
    flat(r->heap, then->heap, (size_t)(steady ? 100 : 50), SLACK / (steady ? 8 : 1));
    flat(r->timers, then->timers, 4, (size_t)20);
    flat(r->attempts, then->attempts, 4, (size_t)20);
    flat(r->attempt_rows, then->attempt_rows, 4, (size_t)40); /* of the last two hours */
    flat(r->queue_rows, then->queue_rows, 2, (size_t)20);
    flat(r->sessions, then->sessions, 4, (size_t)20);
    flat(r->expiries, then->expiries, 4, (size_t)20);
    flat(r->sets, then->sets, 1, (size_t)50);
    if (!steady)
        return;
    flat(r->descriptors, then->descriptors, SIZE_MAX, (size_t)2); /* segments of the frame log */
    flat(r->sqlite, then->sqlite, 50, SLACK);
    flat(r->database, then->database, 10, SLACK + kept);
    flat(r->wal, then->wal, 2, SLACK);
    flat(r->frames, then->frames, 10, SLACK / 4);
}

static void tell_counts(void)
{
#define X(name, text) printf("weeks: %10" PRIu64 " " text "\n", town.counts.name);
    TOWN_COUNT_TABLE(X)
#undef X
}

START_TEST(memory_and_files_stay_as_they_are)
{
    bool is_long = days > SHORT_DAYS;
    struct town_options options = {.seed = seed, .devices = devices};
    struct reading now = {0}, second = {0}, steady = {0};
    unsigned steady_day = is_long ? OUTBOX_DAYS + 2 : 2;

    options.frames_max_bytes = is_long ? 1024 * 1024 : 128 * 1024;
    options.world.segment_bytes = is_long ? 0 : 8 * 1024;
    options.world.outbox_max_bytes = is_long ? 0 : 64 * 1024;
    /* Its page caches are bounded, but by far more than this town fills in a year. */
    (void)sqlite3_soft_heap_limit64(SQLITE_HEAP);
    keep_chunks();
    town_open(&town, &options);
    for (unsigned day = 1; day <= days; day++) {
        struct town_counts before = town.counts;

        if (day % 7 == 1) { /* nothing may be left of those before either */
            town_run(&town, WARM_ROUNDS);
            town_restart(&town);
        }
        town_run(&town, TOWN_DAY - (day % 7 == 1 ? WARM_ROUNDS : 0));
        now = read_all();
        if (is_long)
            tell(day, &now);
        check_day(&now, &before);
        check_outbox(day >= steady_day);
        if (day == 2)
            second = now;
        if (day <= steady_day)
            steady = now;
        if (day > 2)
            compare(&now, &second, false);
        if (day > steady_day)
            compare(&now, &steady, true);
    }
    if (is_long)
        tell_counts();
    printf("weeks: %u days, %u devices, %" PRIu64 " uplinks, %" PRIu64 " downlinks, %" PRIu64
           " joins; day 2 and last: heap %zu and %zu KiB; files of day %u and last: %zu and %zu "
           "KiB\n",
           days, devices, town.counts.uplinks, town.counts.downlinks, town.counts.joined,
           second.heap >> 10, now.heap >> 10, steady_day < days ? steady_day : days,
           (steady.database + steady.wal + steady.frames) >> 10,
           (now.database + now.wal + now.frames) >> 10);
    town_close(&town);
}
END_TEST

/* Reads `--NAME NUMBER`; false if it is something else. */
static bool read_option(const char *name, const char *value)
{
    unsigned *to = strcmp(name, "--days") == 0      ? &days
                   : strcmp(name, "--devices") == 0 ? &devices
                   : strcmp(name, "--seed") == 0    ? &seed
                                                    : NULL;

    if (to && value)
        *to = (unsigned)strtoul(value, NULL, 10);
    return to && value;
}

int main(int argc, char **argv)
{
    const TTest *const tests[] = {memory_and_files_stay_as_they_are, NULL};
    bool good = true;

    for (int i = 1; good && i < argc; i += 2)
        good = read_option(argv[i], argv[i + 1]);
    if (!good || days < SHORT_DAYS || devices < SILENT_SHARE || devices > TOWN_MEMBERS) {
        (void)fprintf(stderr,
                      "usage: flow_weeks [--days N] [--devices N] [--seed N]; at least %d "
                      "days, %d to %d devices\n",
                      SHORT_DAYS, SILENT_SHARE, TOWN_MEMBERS);
        return EXIT_FAILURE;
    }
    return run_suite(suite_of("flow_weeks", tests));
}
