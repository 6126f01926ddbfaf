/*
 * metric.h - counters, gauges and histograms in the Prometheus text format.
 *
 * A family is declared once, statically, in the room that counts it, with its help text, and
 * registers itself at start (metric_register, before threads start). Counting is a relaxed atomic
 * add on a cache line of the calling thread's own stripe; reading sums the stripes.
 *
 *     static struct metric drops = {.name = "godwit_drops_total", .kind = METRIC_COUNTER,
 *         .help = "Frames dropped, by reason.", .label = "reason", .count = DROP_COUNT,
 *         .value_name = drop_name};
 *     metric_add(&drops, DROP_MIC, 1);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jw;

enum metric_kind {
    METRIC_COUNTER,
    METRIC_GAUGE,     /* metric_set: the last value; not striped */
    METRIC_HISTOGRAM, /* metric_observe: microseconds, exported in seconds */
};

struct metric {
    const char *name, *help;
    enum metric_kind kind;
    const char *label;                      /* NULL: no label, count is then 1 */
    unsigned count;                         /* number of label values */
    const char *(*value_name)(unsigned at); /* text of a label value; NULL or "": not exported */
    unsigned base;                          /* set by metric_register */
};

void metric_register(struct metric *metric);
void metric_add(const struct metric *metric, unsigned at, uint64_t n);
void metric_set(const struct metric *metric, unsigned at, int64_t v);
void metric_observe(const struct metric *metric, unsigned at, int64_t us);

/* The present sum of a counter or value of a gauge; for a histogram the number of observations. */
int64_t metric_read(const struct metric *metric, unsigned at);

/* The value, in microseconds, below which the share `q` (0..1) of the observations lies, to the
 * precision of the buckets (about 10 %). */
int64_t metric_quantile(const struct metric *metric, unsigned at, double q);

/* All registered families in the text exposition format; the caller frees. */
char *metric_text(size_t *len);
