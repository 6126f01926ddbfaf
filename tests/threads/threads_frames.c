/*
 * threads_frames.c - the frame log on real threads, for the thread sanitizer: some tell, some read,
 * one writes on to the files; every frame is there in the end or was counted.
 */
#include "api/frames.h"
#include "core/metric.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

#define TELLERS 3
#define TOLD    4000

static struct frames frames;
static atomic_bool over;

static void *tell(void *arg)
{
    const uint64_t teller = (uint64_t)(uintptr_t)arg;
    const uint8_t phy[20] = {0x40};

    for (unsigned i = 0; i < TOLD; i++) {
        struct frame_entry entry = {.utc_us = clock_utc(clock_system()),
                                    .gateway = {1},
                                    .dev_eui = {teller},
                                    .phy = {phy, sizeof(phy)},
                                    .verdict = "accepted",
                                    .note = "told"};

        frames_add(&frames, &entry);
    }
    return NULL;
}

static bool count(void *arg, const struct frame_row *row)
{
    if (strcmp(row->verdict, "accepted") != 0 || strcmp(row->note, "told") != 0)
        abort(); /* not at the thread of the test */
    return ++*(size_t *)arg < 100000;
}

static size_t visit(uint64_t eui, bool gateway)
{
    const struct frames_query query = {.eui = {eui}, .gateway = gateway, .before = UINT64_MAX};
    size_t n = 0;

    frames_visit(&frames, &query, count, &n);
    return n;
}

static void *look(void *arg)
{
    struct frame_row *row = arg;

    while (!atomic_load(&over)) {
        (void)visit(1, true);
        (void)visit(2, false);
        (void)frames_at(&frames, frames_end(&frames) - 1, row);
    }
    return NULL;
}

START_TEST(frames_are_told_written_and_read_at_once)
{
    char dir[] = "/tmp/godwit-frames-XXXXXX", command[64];
    struct frames_options options = {.clock = clock_system(),
                                     .dir = dir,
                                     .max_bytes = 64u << 20,
                                     .max_age_us = 3600 * (int64_t)US_PER_S,
                                     .ring = 1024,
                                     .file_bytes = 65536};
    pthread_t tellers[TELLERS], reader;
    static struct frame_row row;
    uint64_t kept;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    frames_metrics_register();
    frames_init(&frames, &options);
    worker_start(&frames.worker);
    ck_assert_int_eq(pthread_create(&reader, NULL, look, &row), 0);
    for (uintptr_t i = 0; i < TELLERS; i++)
        ck_assert_int_eq(pthread_create(&tellers[i], NULL, tell, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < TELLERS; i++)
        (void)pthread_join(tellers[i], NULL);
    atomic_store(&over, true);
    (void)pthread_join(reader, NULL);
    worker_stop(&frames.worker);
    kept = frames_end(&frames) - 1;
    ck_assert_uint_gt(kept, 0);
    ck_assert_uint_eq(visit(1, true), kept);
    frames_fini(&frames);
    memset(&frames, 0, sizeof(frames));
    frames_init(&frames, &options);
    ck_assert_uint_eq(visit(1, true), kept);
    ck_assert_uint_eq(visit(1, false) + visit(2, false) + visit(3, false), kept);
    frames_fini(&frames);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {frames_are_told_written_and_read_at_once, NULL};

    return run_suite(suite_of("threads_frames", tests));
}
