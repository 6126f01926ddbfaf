#include "sim/fleet.h"

#include <inttypes.h>

/* clang-format off */
static const struct {
    const char *name, *text;
} counts[] = {
#define X(name, text) {#name, text},
    SIM_COUNT_TABLE(X)
#undef X
};
/* clang-format on */

#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static void gather(const struct sim_fleet_report *report, uint64_t values[COUNTS])
{
    size_t n = 0;

#define X(name, text) values[n++] = report->name;
    SIM_COUNT_TABLE(X)
#undef X
}

void sim_report_text(const struct sim_fleet_report *report, FILE *to)
{
    uint64_t values[COUNTS];

    gather(report, values);
    fprintf(to, "%-12s %12.1f  seconds\n", "time", report->seconds);
    for (size_t i = 0; i < COUNTS; i++) {
        if (values[i])
            fprintf(to, "%-12s %12" PRIu64 "  %s\n", counts[i].name, values[i], counts[i].text);
    }
    for (int i = 0; i < SIM_VERDICT_COUNT; i++) {
        if (report->verdicts[i])
            fprintf(to, "%-12s %12" PRIu64 "  downlinks, says the device: %s\n", "verdict",
                    report->verdicts[i], sim_verdict_text((enum sim_verdict_code)i));
    }
    fprintf(to, "%-12s %12.1f  ms, uplink sent to PULL_RESP received (p50)\n", "latency",
            (double)report->latency_p50_us / 1000);
    fprintf(to, "%-12s %12.1f  ms (p90), %.1f (p99), %.1f (most)\n", "",
            (double)report->latency_p90_us / 1000, (double)report->latency_p99_us / 1000,
            (double)report->latency_max_us / 1000);
    fprintf(to, "%-12s %12.1f  ms, by which the generator itself was late at worst\n", "behind",
            (double)report->behind_max_us / 1000);
}

void sim_report_json(const struct sim_fleet_report *report, struct jw *jw)
{
    uint64_t values[COUNTS];

    gather(report, values);
    jw_object(jw);
    jw_key(jw, "seconds");
    jw_fixed(jw, report->seconds, 3);
    for (size_t i = 0; i < COUNTS; i++)
        jw_key_uint(jw, counts[i].name, values[i]);
    jw_key(jw, "verdicts");
    jw_object(jw);
    for (int i = 0; i < SIM_VERDICT_COUNT; i++)
        jw_key_uint(jw, sim_verdict_text((enum sim_verdict_code)i), report->verdicts[i]);
    jw_end_object(jw);
    jw_key_uint(jw, "verdictsBad", report->verdicts_bad);
    jw_key(jw, "latencyUs");
    jw_object(jw);
    jw_key_uint(jw, "count", report->latency_n);
    jw_key_int(jw, "p50", report->latency_p50_us);
    jw_key_int(jw, "p90", report->latency_p90_us);
    jw_key_int(jw, "p99", report->latency_p99_us);
    jw_key_int(jw, "p999", report->latency_p999_us);
    jw_key_int(jw, "max", report->latency_max_us);
    jw_end_object(jw);
    jw_key_int(jw, "behindMaxUs", report->behind_max_us);
    jw_end_object(jw);
}
