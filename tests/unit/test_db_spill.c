/* The segment files of the frame log: chains, restarts, crashes, damage, a full disk, dropping. */
#include "core/arena.h"
#include "db/spill.h"
#include "tests/suite.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOUR (3600 * INT64_C(1000000))

static char dir[64];
static struct spill *spill;
static uint64_t next;
static struct spill_options options;

static void begin(uint64_t max_bytes, uint64_t segment_bytes)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/godwit-spill-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    options = (struct spill_options){.dir = dir,
                                     .max_bytes = max_bytes,
                                     .max_age_us = 100 * HOUR,
                                     .segment_bytes = segment_bytes};
    ck_assert_int_eq(spill_open(&options, &spill), OK);
    next = 1;
    ck_assert_uint_eq(spill_end(spill), 1);
}

static void reopen(void)
{
    spill_close(spill);
    ck_assert_int_eq(spill_open(&options, &spill), OK);
    next = spill_end(spill);
}

static void end(void)
{
    char command[96];

    spill_close(spill);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* `n` rows of device i % devices + 1 and gateway 7, whose data is their number. */
static enum err add_at(size_t n, uint64_t devices, int64_t utc_us)
{
    struct spill_row *rows = xcalloc(n, sizeof(*rows));
    uint64_t *data = xcalloc(n, sizeof(*data));
    enum err err;

    for (size_t i = 0; i < n; i++) {
        data[i] = next + i;
        rows[i] = (struct spill_row){.utc_us = utc_us,
                                     .keys = {(next + i) % devices + 1, 7},
                                     .data = {(const uint8_t *)&data[i], sizeof(data[i])}};
    }
    err = spill_append(spill, next, rows, n);
    next += err ? 0 : n;
    free(rows);
    free(data);
    return err;
}

static void add(size_t n, uint64_t devices)
{
    ck_assert_int_eq(add_at(n, devices, HOUR), OK);
}

/* How many rows of a key there are below a number; they must be right and come in order. */
static size_t walk(unsigned which, uint64_t key, uint64_t before, uint64_t *lowest)
{
    struct spill_walk at = {.key = key, .which = which, .before = before};
    struct spill_row row;
    uint64_t last = before;
    size_t n = 0;

    for (; spill_next(spill, &at, &row); n++) {
        ck_assert_uint_lt(row.seq, last);
        ck_assert_uint_eq(row.keys[which], key);
        ck_assert_uint_eq(row.data.n, sizeof(last));
        ck_assert_mem_eq(row.data.p, &row.seq, sizeof(row.seq));
        last = row.seq;
    }
    if (lowest)
        *lowest = last;
    return n;
}

static size_t files(void)
{
    char pattern[80];
    glob_t found;
    size_t n;

    (void)snprintf(pattern, sizeof(pattern), "%s/*.log", dir);
    n = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return n;
}

START_TEST(rows_are_found_by_both_keys_over_segments_and_restarts)
{
    begin(1u << 20, 4096);
    for (int i = 0; i < 50; i++)
        add(20, 10);
    ck_assert_uint_gt(files(), 5);
    for (int round = 0; round < 3; round++) {
        ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), 1000u + 10u * (unsigned)round);
        ck_assert_uint_eq(walk(0, 3, 1001, NULL), 100);
        ck_assert_uint_eq(walk(0, 3, 501, NULL), 50);
        ck_assert_uint_eq(walk(0, 11, UINT64_MAX, NULL), 0);
        ck_assert_uint_eq(walk(1, 7, 1, NULL), 0);
        reopen();
        ck_assert_uint_eq(next, 1001 + 10u * (unsigned)round);
        add(10, 10);
    }
    end();
}
END_TEST

START_TEST(a_page_goes_on_where_the_last_one_ended)
{
    struct spill_row row;
    size_t n = 0;
    uint64_t before = UINT64_MAX;

    begin(1u << 20, 4096);
    add(300, 3);
    for (bool more = true; more;) {
        struct spill_walk at = {.key = 2, .which = 0, .before = before};

        more = false;
        for (int i = 0; i < 7 && spill_next(spill, &at, &row); i++, n++) {
            before = row.seq;
            more = true;
        }
    }
    ck_assert_uint_eq(n, 100);
    end();
}
END_TEST

/* Copies the folder as a killed process leaves it, and goes on with the copy. */
static void crash(void)
{
    char command[200];

    (void)snprintf(command, sizeof(command), "mkdir %s/c && cp %s/*.log %s/c", dir, dir, dir);
    ck_assert_int_eq(system(command), 0);
    spill_close(spill);
    (void)snprintf(command, sizeof(command), "cd %s && rm *.log && mv c/*.log . && rmdir c", dir);
    ck_assert_int_eq(system(command), 0);
}

static void newest_file(char *path, size_t room)
{
    char pattern[80];
    glob_t found;

    (void)snprintf(pattern, sizeof(pattern), "%s/*.log", dir);
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    (void)snprintf(path, room, "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
}

/* A kill leaves a segment without index, perhaps with a part of a row at its end. */
START_TEST(what_a_crash_leaves_is_read_up_to_its_last_whole_row)
{
    char path[128];
    struct stat st;

    begin(1u << 20, 1u << 16);
    add(100, 5);
    crash();
    newest_file(path, sizeof(path));
    ck_assert_int_eq(stat(path, &st), 0);
    if (_i)
        ck_assert_int_eq(truncate(path, st.st_size - _i), 0);
    ck_assert_int_eq(spill_open(&options, &spill), OK);
    next = spill_end(spill);
    ck_assert_uint_eq(next, _i ? 100 : 101);
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), next - 1);
    add(5, 5);
    reopen();
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), next - 1);
    end();
}
END_TEST

static void overwrite(const char *path, off_t at, const char *with)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, with, strlen(with), at), (ssize_t)strlen(with));
    (void)close(fd);
}

START_TEST(damage_costs_rows_of_one_segment_only)
{
    char path[128];
    size_t n;

    begin(1u << 20, 2048);
    add(60, 1);
    add(60, 1);
    add(60, 1);
    (void)snprintf(path, sizeof(path), "%s/%010d.log", dir, 2);
    overwrite(path, 16 + 30 * 56, "damaged"); /* row 31 of 60 */
    n = walk(1, 7, UINT64_MAX, NULL);
    ck_assert_uint_eq(n, 60 + 29 + 60);
    reopen();
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), n);
    overwrite(path, 0, "no segment");
    reopen();
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), 120);
    ck_assert_uint_eq(next, 181);
    add(1, 1);
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), 121);
    end();
}
END_TEST

START_TEST(the_oldest_segments_are_dropped_by_size)
{
    uint64_t lowest;

    begin(20000, 4096);
    for (int i = 0; i < 100; i++)
        add(20, 4);
    ck_assert_uint_le(spill_bytes(spill), 20000);
    ck_assert_uint_gt(walk(1, 7, UINT64_MAX, &lowest), 100);
    ck_assert_uint_gt(lowest, 1000);
    reopen();
    ck_assert_uint_eq(next, 2001);
    end();
}
END_TEST

START_TEST(the_oldest_segments_are_dropped_by_age)
{
    begin(1u << 20, 1u << 16);
    for (int hour = 1; hour <= 200; hour++)
        ck_assert_int_eq(add_at(1, 1, hour * HOUR), OK);
    spill_trim(spill, 200 * HOUR);
    ck_assert_uint_le(walk(1, 7, UINT64_MAX, NULL), 100 + 13); /* in slices of an eighth */
    ck_assert_uint_ge(walk(1, 7, UINT64_MAX, NULL), 99);
    spill_trim(spill, 1000 * HOUR);
    add(1, 1);
    ck_assert_uint_eq(spill_end(spill), 202);
    end();
}
END_TEST

/* A file that may not grow stands for a disk that is full. */
START_TEST(a_full_disk_refuses_and_leaves_what_was_there)
{
    struct rlimit limit, small;
    enum err errs[6];

    begin(1u << 20, _i ? 2048 : 1u << 16); /* while writing rows, or sealing */
    add(20, 2);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 2300;
    (void)setrlimit(RLIMIT_FSIZE, &small); /* Check writes files, too: no assertion here */
    for (int i = 0; i < 6; i++)
        errs[i] = add_at(10, 2, HOUR);
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(errs[0], OK);
    ck_assert_int_eq(errs[1], OK);
    for (int i = 2; i < 6; i++)
        ck_assert_int_eq(errs[i], ERR_IO);
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), next - 1);
    next += 100; /* those were lost */
    add(10, 2);
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), next - 1 - 100);
    reopen();
    ck_assert_uint_eq(walk(1, 7, UINT64_MAX, NULL), next - 1 - 100);
    end();
}
END_TEST

START_TEST(numbers_never_go_back)
{
    struct spill_row row = {.utc_us = HOUR, .keys = {1, 7}};

    begin(1u << 20, 4096);
    add(10, 1);
    ck_assert_int_eq(spill_append(spill, 10, &row, 1), ERR_INVALID);
    ck_assert_int_eq(spill_append(spill, 11, &row, 0), OK);
    options.dir = "/dev/null/frames";
    spill_close(spill);
    ck_assert_int_eq(spill_open(&options, &spill), ERR_IO);
    options.dir = dir;
    ck_assert_int_eq(spill_open(&options, &spill), OK);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("db_spill");
    TCase *tc = tcase_create("db_spill");

    tcase_set_timeout(tc, 0);
    tcase_add_test(tc, rows_are_found_by_both_keys_over_segments_and_restarts);
    tcase_add_test(tc, a_page_goes_on_where_the_last_one_ended);
    tcase_add_loop_test(tc, what_a_crash_leaves_is_read_up_to_its_last_whole_row, 0, 56);
    tcase_add_test(tc, damage_costs_rows_of_one_segment_only);
    tcase_add_test(tc, the_oldest_segments_are_dropped_by_size);
    tcase_add_test(tc, the_oldest_segments_are_dropped_by_age);
    tcase_add_loop_test(tc, a_full_disk_refuses_and_leaves_what_was_there, 0, 2);
    tcase_add_test(tc, numbers_never_go_back);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
