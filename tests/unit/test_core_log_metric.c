/* Log lines as operators read them, folding; metrics from several threads, and their text. */
#include "core/clock.h"
#include "core/json.h"
#include "core/log.h"
#include "core/metric.h"
#include "tests/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct clock_double time_double;
static int ends[2];

static void log_start(enum log_level level, enum log_format format)
{
    ck_assert_int_eq(pipe(ends), 0);
    clock_double_init(&time_double, 0, INT64_C(1795266256123000));
    log_redirect(ends[1], &time_double.clock);
    log_setup(level, format);
}

/* What was logged since the start. */
static const char *logged(void)
{
    static char text[65536];
    ssize_t n;

    log_redirect(STDERR_FILENO, NULL);
    (void)close(ends[1]);
    n = read(ends[0], text, sizeof(text) - 1);
    (void)close(ends[0]);
    ck_assert_int_ge(n, 0);
    text[n] = '\0';
    return text;
}

START_TEST(text_lines)
{
    log_start(LOG_LEVEL_INFO, LOG_TEXT);
    LOG_DEBUG("unseen", log_int("a", 1));
    LOG_INFO("gateway_online", log_eui("gatewayId", 0x0102), log_addr("devAddr", 0xff),
             log_str("name", "roof"), log_int("n", -5), log_double("snr", 7.5));
    LOG_WARN("odd", log_str("text", "a \"b\"\n=\xff"), log_str("none", NULL), log_uint("u", 7),
             log_err(ERR_FULL));
    ck_assert_str_eq(logged(),
                     "2026-11-21T13:04:16.123Z INFO  gateway_online gatewayId=0000000000000102 "
                     "devAddr=000000ff name=roof n=-5 snr=7.5\n"
                     "2026-11-21T13:04:16.123Z WARN  odd text=\"a \\\"b\\\"\\n=\xef\xbf\xbd\" "
                     "none=\"\" u=7 error=\"a queue or buffer is full\"\n");
}
END_TEST

START_TEST(json_lines)
{
    log_start(LOG_LEVEL_DEBUG, LOG_JSON);
    LOG_DEBUG("seen", log_str("s", "a\"b"), log_str("none", NULL), log_uint("u", UINT64_MAX));
    ck_assert_str_eq(logged(), "{\"time\":\"2026-11-21T13:04:16.123Z\",\"level\":\"debug\","
                               "\"event\":\"seen\",\"s\":\"a\\\"b\",\"none\":null,"
                               "\"u\":18446744073709551615}\n");
}
END_TEST

START_TEST(large_values_are_cut)
{
    char large[4000];
    const char *text;

    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    log_start(LOG_LEVEL_INFO, LOG_TEXT);
    LOG_INFO("large", log_str("a", large), log_str("b", large), log_str("c", large));
    text = logged();
    ck_assert_uint_lt(strlen(text), 8200);
    ck_assert_ptr_nonnull(strstr(text, " large"));
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

START_TEST(repeats_are_folded)
{
    const char *text;

    log_start(LOG_LEVEL_INFO, LOG_TEXT);
    for (int i = 0; i < 50; i++)
        LOG_WARN("again", log_int("i", i));
    LOG_INFO("other", log_int("i", 0));
    clock_double_set(&time_double, 2 * US_PER_S);
    LOG_INFO("later", log_int("i", 0));
    LOG_WARN("again", log_int("i", 99));
    text = logged();
    ck_assert_uint_eq(count(text, " again i="), 21);
    ck_assert_uint_eq(count(text, "log_repeated of=again count=30\n"), 1);
    ck_assert_uint_eq(count(text, " other "), 1);
}
END_TEST

/* ---- metrics -------------------------------------------------------------------------------- */

static const char *reason(unsigned at)
{
    static const char *const names[] = {"a\"b", "", "c"};

    return names[at];
}

static struct metric plain = {.name = "plain_total", .help = "Plain.", .kind = METRIC_COUNTER};
static struct metric labelled = {.name = "labelled_total",
                                 .help = "With\nlabel.",
                                 .kind = METRIC_COUNTER,
                                 .label = "reason",
                                 .count = 3,
                                 .value_name = reason};
static struct metric gauge = {.name = "depth", .help = "Depth.", .kind = METRIC_GAUGE};
static struct metric times = {.name = "time_seconds", .help = "Time.", .kind = METRIC_HISTOGRAM};

static void *counts(void *arg)
{
    for (int i = 0; i < 10000; i++)
        metric_add(&plain, 0, 1);
    return arg;
}

START_TEST(threads_count_together)
{
    pthread_t threads[20];

    metric_register(&plain);
    metric_register(&plain);
    for (size_t i = 0; i < 20; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, counts, NULL), 0);
    for (size_t i = 0; i < 20; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_int_eq(metric_read(&plain, 0), 200000);
}
END_TEST

START_TEST(quantiles_are_near)
{
    int64_t q;

    metric_register(&times);
    for (int64_t us = 1; us <= 100000; us++)
        metric_observe(&times, 0, us);
    ck_assert_int_eq(metric_read(&times, 0), 100000);
    q = metric_quantile(&times, 0, 0.5);
    ck_assert(q > 45000 && q < 55000);
    q = metric_quantile(&times, 0, 0.99);
    ck_assert(q > 90000 && q < 108000);
    metric_observe(&times, 0, -5);
    metric_observe(&times, 0, INT64_MAX / 4);
    ck_assert_int_eq(metric_read(&times, 0), 100002);
}
END_TEST

START_TEST(text_is_what_prometheus_reads)
{
    char *text;
    size_t len;

    metric_register(&labelled);
    metric_register(&gauge);
    metric_add(&labelled, 0, 3);
    metric_add(&labelled, 1, 9);
    metric_set(&gauge, 0, -4);
    metric_set(&gauge, 0, -7);
    text = metric_text(&len);
    ck_assert_uint_eq(strlen(text), len);
    ck_assert_ptr_nonnull(strstr(text, "# HELP labelled_total With\\nlabel.\n"
                                       "# TYPE labelled_total counter\n"
                                       "labelled_total{reason=\"a\\\"b\"} 3\n"
                                       "labelled_total{reason=\"c\"} 0\n"));
    ck_assert_ptr_nonnull(strstr(text, "# TYPE depth gauge\ndepth -7\n"));
    ck_assert_ptr_nonnull(strstr(text, "# TYPE plain_total counter\nplain_total 200000\n"));
    ck_assert_ptr_nonnull(strstr(text, "time_seconds_bucket{le=\"0.000064\"} 64\n"));
    ck_assert_ptr_nonnull(strstr(text, "time_seconds_bucket{le=\"0.065536\"} 65536\n"));
    ck_assert_ptr_nonnull(strstr(text, "time_seconds_bucket{le=\"+Inf\"} 100002\n"));
    ck_assert_ptr_nonnull(strstr(text, "time_seconds_count 100002\n"));
    free(text);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {text_lines,
                                  json_lines,
                                  large_values_are_cut,
                                  repeats_are_folded,
                                  threads_count_together,
                                  quantiles_are_near,
                                  text_is_what_prometheus_reads,
                                  NULL};

    return run_suite(suite_of("log_metric", tests));
}
