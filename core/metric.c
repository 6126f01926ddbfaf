/*
 * metric.c - striped counters.
 *
 * Every family owns a run of slots; every stripe has all slots. A thread takes a stripe at its
 * first count. A histogram has eight buckets per power of two (a value is known to 12 %, its middle
 * to 6 %) and one slot for the sum. Exported are only the borders at every second power of two.
 */
#include "core/metric.h"

#include "core/arena.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRIPES            16u
#define FAMILIES_MAX       256u
#define SUB_BITS           3u
#define OCTAVES            36u /* up to 2^38 us, three days */
#define BUCKETS            ((OCTAVES + 1) << SUB_BITS)
#define SLOTS_OF_HISTOGRAM (BUCKETS + 1)

static struct {
    const struct metric *families[FAMILIES_MAX];
    size_t family_count;
    unsigned slots; /* slot 0 is nobody's: base 0 means not registered */
    _Atomic(uint64_t) *stripes[STRIPES];
    atomic_uint threads;
} registry = {.slots = 1};

static _Thread_local unsigned stripe_of_thread; /* 1-based */

static unsigned slots_of(const struct metric *metric)
{
    unsigned labels = metric->label ? metric->count : 1;

    return metric->kind == METRIC_HISTOGRAM ? labels * SLOTS_OF_HISTOGRAM : labels;
}

void metric_register(struct metric *metric)
{
    unsigned old = registry.slots;

    if (metric->base)
        return;
    assert(registry.family_count < FAMILIES_MAX);
    metric->base = old;
    registry.slots += slots_of(metric);
    for (size_t i = 0; i < STRIPES; i++) {
        void *p = xrealloc(registry.stripes[i], registry.slots * sizeof(*registry.stripes[i]));

        memset((char *)p + old * sizeof(uint64_t), 0, (registry.slots - old) * sizeof(uint64_t));
        registry.stripes[i] = p;
    }
    registry.families[registry.family_count++] = metric;
}

static _Atomic(uint64_t) *slot(const struct metric *metric, unsigned offset)
{
    if (!stripe_of_thread)
        stripe_of_thread = atomic_fetch_add(&registry.threads, 1) % STRIPES + 1;
    assert(metric->base);
    return &registry.stripes[stripe_of_thread - 1][metric->base + offset];
}

void metric_add(const struct metric *metric, unsigned at, uint64_t n)
{
    assert(at < (metric->label ? metric->count : 1));
    (void)atomic_fetch_add_explicit(slot(metric, at), n, memory_order_relaxed);
}

void metric_set(const struct metric *metric, unsigned at, int64_t v)
{
    assert(at < (metric->label ? metric->count : 1) && metric->base);
    atomic_store_explicit(&registry.stripes[0][metric->base + at], (uint64_t)v,
                          memory_order_relaxed);
}

/* ---- histograms ----------------------------------------------------------------------------- */

static unsigned bucket_of(uint64_t us)
{
    unsigned top;

    if (us < (1u << SUB_BITS))
        return (unsigned)us;
    top = 63 - (unsigned)__builtin_clzll(us);
    if (top - SUB_BITS >= OCTAVES)
        return BUCKETS - 1;
    return ((top - SUB_BITS + 1) << SUB_BITS) |
           (unsigned)(us >> (top - SUB_BITS) & ((1u << SUB_BITS) - 1));
}

/* The least value of a bucket; bucket_of(bucket_start(b)) is b. */
static uint64_t bucket_start(unsigned bucket)
{
    unsigned octave = bucket >> SUB_BITS, sub = bucket & ((1u << SUB_BITS) - 1);

    return octave == 0 ? sub : (uint64_t)((1u << SUB_BITS) | sub) << (octave - 1);
}

void metric_observe(const struct metric *metric, unsigned at, int64_t us)
{
    unsigned base = at * SLOTS_OF_HISTOGRAM;
    uint64_t v = us > 0 ? (uint64_t)us : 0;

    assert(metric->kind == METRIC_HISTOGRAM && at < (metric->label ? metric->count : 1));
    (void)atomic_fetch_add_explicit(slot(metric, base + bucket_of(v)), 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(slot(metric, base + BUCKETS), v, memory_order_relaxed);
}

static uint64_t sum_slot(const struct metric *metric, unsigned offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < STRIPES; i++)
        sum +=
            atomic_load_explicit(&registry.stripes[i][metric->base + offset], memory_order_relaxed);
    return sum;
}

int64_t metric_read(const struct metric *metric, unsigned at)
{
    uint64_t n = 0;

    if (!metric->base)
        return 0;
    if (metric->kind != METRIC_HISTOGRAM)
        return (int64_t)sum_slot(metric, at);
    for (unsigned i = 0; i < BUCKETS; i++)
        n += sum_slot(metric, at * SLOTS_OF_HISTOGRAM + i);
    return (int64_t)n;
}

int64_t metric_quantile(const struct metric *metric, unsigned at, double q)
{
    uint64_t total = (uint64_t)metric_read(metric, at), below = 0;

    for (unsigned i = 0; total && i < BUCKETS; i++) {
        below += sum_slot(metric, at * SLOTS_OF_HISTOGRAM + i);
        if (below > 0 && (double)below >= q * (double)total)
            return (int64_t)((bucket_start(i) + bucket_start(i + 1)) / 2);
    }
    return 0;
}

/* ---- text ----------------------------------------------------------------------------------- */

static void put_escaped(FILE *out, const char *text, bool quotes)
{
    for (; *text; text++) {
        if (*text == '\n')
            (void)fputs("\\n", out);
        else if (*text == '\\' || (quotes && *text == '"'))
            (void)fprintf(out, "\\%c", *text);
        else
            (void)fputc(*text, out);
    }
}

/* A sample's name and labels; `le` NULL or the border of a bucket. */
static void put_name(FILE *out, const struct metric *metric, const char *suffix, const char *value,
                     const char *le)
{
    (void)fprintf(out, "%s%s", metric->name, suffix);
    if (value || le)
        (void)fputc('{', out);
    if (value) {
        (void)fprintf(out, "%s=\"", metric->label);
        put_escaped(out, value, true);
        (void)fprintf(out, "\"%s", le ? "," : "");
    }
    if (le)
        (void)fprintf(out, "le=\"%s\"", le);
    (void)fputs(value || le ? "} " : " ", out);
}

static void put_histogram(FILE *out, const struct metric *metric, unsigned at, const char *value)
{
    unsigned base = at * SLOTS_OF_HISTOGRAM, bucket = 0;
    uint64_t n = 0;
    char le[24];

    for (unsigned power = 6; power <= 26; power += 2) { /* 64 us to 67 s */
        for (; bucket < bucket_of(UINT64_C(1) << power); bucket++)
            n += sum_slot(metric, base + bucket);
        (void)snprintf(le, sizeof(le), "%.6f", (double)(UINT64_C(1) << power) / 1e6);
        put_name(out, metric, "_bucket", value, le);
        (void)fprintf(out, "%" PRIu64 "\n", n);
    }
    for (; bucket < BUCKETS; bucket++)
        n += sum_slot(metric, base + bucket);
    put_name(out, metric, "_bucket", value, "+Inf");
    (void)fprintf(out, "%" PRIu64 "\n", n);
    put_name(out, metric, "_sum", value, NULL);
    (void)fprintf(out, "%.6f\n", (double)sum_slot(metric, base + BUCKETS) / 1e6);
    put_name(out, metric, "_count", value, NULL);
    (void)fprintf(out, "%" PRIu64 "\n", n);
}

static void put_family(FILE *out, const struct metric *metric)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    unsigned labels = metric->label ? metric->count : 1;

    (void)fprintf(out, "# HELP %s ", metric->name);
    put_escaped(out, metric->help, false);
    (void)fprintf(out, "\n# TYPE %s %s\n", metric->name, kinds[metric->kind]);
    for (unsigned at = 0; at < labels; at++) {
        const char *value = metric->label ? metric->value_name(at) : NULL;

        if (metric->label && (!value || !*value))
            continue;
        if (metric->kind == METRIC_HISTOGRAM) {
            put_histogram(out, metric, at, value);
            continue;
        }
        put_name(out, metric, "", value, NULL);
        (void)fprintf(out, "%" PRId64 "\n", metric_read(metric, at));
    }
}

char *metric_text(size_t *len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    if (!out)
        abort(); /* out of memory */
    for (size_t i = 0; i < registry.family_count; i++)
        put_family(out, registry.families[i]);
    if (fclose(out) != 0)
        abort();
    return text;
}
