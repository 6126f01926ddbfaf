/* Overload: levels against a queue that is modelled, and whom the cap holds back. */
#include "core/bytes.h"
#include "core/log.h"
#include "core/metric.h"
#include "gateway/count.h"
#include "gateway/overload.h"
#include "gateway/udp.h"
#include "tests/suite.h"

#define MS     ((int64_t)US_PER_MS)
#define STEP   (10 * MS)
#define QUIET  100    /* gateways */
#define BUDGET 650000 /* what an answer may be late beyond the window */

static struct overload o;
static int64_t now;

static void begin(void)
{
    overload_init(&o);
    now = 1000 * (int64_t)US_PER_S;
}

/* A lag that stands for a while. */
static void lag_for(int64_t lag_us, int64_t us)
{
    for (int64_t until = now + us; now < until; now += STEP) {
        overload_note(&o, 1, lag_us, now);
        overload_look(&o, now);
    }
}

START_TEST(levels_rise_one_by_one)
{
    begin();
    lag_for(50 * MS, US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NONE);
    ck_assert_ptr_null(overload_text(&o));
    lag_for(90 * MS, US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_EXTRAS);
    ck_assert_int_eq(metric_read(&count_overload, 0), 1);
    lag_for(170 * MS, US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_STRANGERS);
    lag_for(400 * MS, US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NOISIEST);
    ck_assert_int_eq(metric_read(&count_overload, 0), 3);
    ck_assert_ptr_nonnull(overload_text(&o));
}
END_TEST

START_TEST(one_late_moment_reaches_one_level)
{
    begin();
    lag_for(2000 * MS, OVERLOAD_LOOK_US);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_EXTRAS);
    lag_for(0, 200 * MS);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NONE);
}
END_TEST

START_TEST(between_the_thresholds_a_level_stays)
{
    begin();
    lag_for(170 * MS, 200 * MS);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_STRANGERS);
    lag_for(90 * MS, US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_STRANGERS);
    lag_for(50 * MS, US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_EXTRAS);
    lag_for(20 * MS, US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NONE);
}
END_TEST

START_TEST(who_says_nothing_more_is_not_late)
{
    begin();
    lag_for(400 * MS, 300 * MS);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NOISIEST);
    for (int64_t until = now + 2 * (int64_t)US_PER_S; now < until; now += STEP)
        overload_look(&o, now);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NONE);
    ck_assert_int_eq(metric_read(&count_overload, 0), 0);
}
END_TEST

START_TEST(nobody_is_refused_without_overload)
{
    begin();
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert(overload_admits(&o, 100000, i, now));
    ck_assert(overload_admits(NULL, 100000, 1, now));
    ck_assert_int_eq(overload_level(NULL), OVERLOAD_NONE);
    overload_look(NULL, now);
    overload_note(NULL, 0, 1, now);
}
END_TEST

START_TEST(a_frame_comes_with_all_its_copies_or_not_at_all)
{
    unsigned in = 0;

    begin();
    (void)overload_admits(&o, 1000, 1, now);
    lag_for(400 * MS, US_PER_S);
    for (uint64_t key = 0; key < 1000; key++) {
        bool first = overload_admits(&o, 1000, key, now);

        ck_assert_int_eq(overload_admits(&o, 1000, key, now), first);
        ck_assert(!first || overload_admits(&o, 500, key, now)); /* a quieter one has more luck */
        in += first;
    }
    ck_assert_uint_gt(in, 0);
    ck_assert_uint_lt(in, 500);
}
END_TEST

/* Far above the cap most is not even read, and what is read has its luck once, not twice. */
START_TEST(a_flood_is_not_read)
{
    unsigned read = 0, in = 0;

    begin();
    for (uint32_t i = 0; i < 1000; i++)
        ck_assert(overload_reads(&o, 100000, i, now));
    ck_assert(overload_reads(NULL, 100000, 1, now));
    (void)overload_admits(&o, 2000, 1, now);
    lag_for(400 * MS, US_PER_S);
    lag_for(150 * MS, 100 * MS); /* the cap stands */
    for (uint32_t i = 0; i < 100000; i++) {
        bool one = overload_reads(&o, 100000, i, now);

        read += one;
        in += one && overload_admits(&o, 100000, 7 * (uint64_t)i, now);
        ck_assert(overload_reads(&o, (uint32_t)(o.cap / 1000), i, now));
    }
    ck_assert_uint_gt(read, o.cap * 7 / 1000);
    ck_assert_uint_lt(read, o.cap * 9 / 1000);
    ck_assert_uint_gt(in, o.cap / 2000);
    ck_assert_uint_lt(in, o.cap * 3 / 2000);
}
END_TEST

/* ---- a server that handles so many receptions a second, in order ----------------------------- */

struct plant {
    double capacity, queue, worst_lag_us;
    double noisy, quiet; /* receptions a second, each gateway */
    double noisy_due, quiet_due;
    uint64_t key, noisy_sent, noisy_in, quiet_sent, quiet_in;
};

static void arrive(struct plant *p, double rate, double *due, uint64_t *sent, uint64_t *in)
{
    for (; *due >= 1; *due -= 1) {
        bool admitted = overload_admits(&o, (uint32_t)rate, hash_u64(p->key++), now);

        (*sent)++;
        *in += admitted;
        p->queue += admitted;
    }
}

static void run(struct plant *p, int64_t us)
{
    const double step_s = (double)STEP / US_PER_S;

    for (int64_t until = now + us; now < until; now += STEP) {
        double lag_us;

        p->noisy_due += p->noisy * step_s;
        p->quiet_due += p->quiet * QUIET * step_s;
        arrive(p, p->noisy, &p->noisy_due, &p->noisy_sent, &p->noisy_in);
        arrive(p, p->quiet, &p->quiet_due, &p->quiet_sent, &p->quiet_in);
        p->queue = p->queue > p->capacity * step_s ? p->queue - p->capacity * step_s : 0;
        lag_us = p->queue / p->capacity * US_PER_S;
        p->worst_lag_us = lag_us > p->worst_lag_us ? lag_us : p->worst_lag_us;
        overload_note(&o, 1, (int64_t)lag_us, now);
        overload_look(&o, now);
    }
}

static void forget(struct plant *p)
{
    p->noisy_sent = p->noisy_in = p->quiet_sent = p->quiet_in = 0;
    p->worst_lag_us = 0;
}

START_TEST(the_noisiest_gateway_pays)
{
    struct plant p = {.capacity = 1000, .quiet = 5, .noisy = 3000};

    begin();
    run(&p, 3 * (int64_t)US_PER_S);
    forget(&p);
    run(&p, 20 * (int64_t)US_PER_S);
    ck_assert_msg(p.worst_lag_us < BUDGET, "%.0f us", p.worst_lag_us);
    ck_assert_uint_eq(p.quiet_in, p.quiet_sent);
    ck_assert_uint_lt(p.noisy_in, p.noisy_sent / 4);
    /* What is let in still uses most of what can be handled. */
    ck_assert_uint_gt(p.quiet_in + p.noisy_in, 20 * 800);
}
END_TEST

START_TEST(at_twice_the_load_what_is_admitted_is_in_time)
{
    struct plant p = {.capacity = 1000, .quiet = 20};

    begin();
    run(&p, 3 * (int64_t)US_PER_S);
    forget(&p);
    run(&p, 20 * (int64_t)US_PER_S);
    ck_assert_msg(p.worst_lag_us < BUDGET, "%.0f us", p.worst_lag_us);
    ck_assert_uint_gt(p.quiet_in, 20 * 800);
}
END_TEST

START_TEST(normal_again_within_two_seconds)
{
    struct plant p = {.capacity = 1000, .quiet = 5, .noisy = 3000};

    begin();
    run(&p, 10 * (int64_t)US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NOISIEST);
    p.noisy = 3;
    run(&p, 2 * (int64_t)US_PER_S);
    ck_assert_int_eq(overload_level(&o), OVERLOAD_NONE);
    forget(&p);
    run(&p, 2 * (int64_t)US_PER_S);
    ck_assert_uint_eq(p.quiet_in + p.noisy_in, p.quiet_sent + p.noisy_sent);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {levels_rise_one_by_one,
                                  one_late_moment_reaches_one_level,
                                  between_the_thresholds_a_level_stays,
                                  who_says_nothing_more_is_not_late,
                                  nobody_is_refused_without_overload,
                                  a_frame_comes_with_all_its_copies_or_not_at_all,
                                  a_flood_is_not_read,
                                  the_noisiest_gateway_pays,
                                  at_twice_the_load_what_is_admitted_is_in_time,
                                  normal_again_within_two_seconds,
                                  NULL};

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    udp_metrics_register();
    return run_suite(suite_of("overload", tests));
}
