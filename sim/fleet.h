/*
 * fleet.h - the load generator: many devices and gateways against a server over real UDP sockets.
 *
 * One thread, driven by timers. Whatever is random comes from the seed: which channels, which
 * copies are lost, when (poisson). Every gateway has a socket of its own for downlinks, as a
 * PULL_RESP does not name its gateway, or an address of its own if they are more than 1,000 and the
 * server is on the loopback; uplinks of all gateways leave through one.
 */
#pragma once

#include "core/err.h"
#include "core/json.h"
#include "sim/device.h"
#include "sim/identity.h"

#include <stdio.h>

struct sim_fleet_config {
    const char *server; /* HOST:PORT */
    uint32_t devices, gateways;
    uint32_t copies;   /* gateways that hear a frame; at most `gateways` */
    double rate;       /* new uplinks per second, all devices together */
    bool poisson;      /* else evenly spaced */
    double loss;       /* 0..1: of each copy and each downlink on the radio */
    double confirmed;  /* 0..1: share of the data uplinks */
    unsigned payload;  /* octets; cut to what the data rate allows */
    double duration_s; /* of sending; then what is on its way is waited for */
    uint64_t seed;
    uint32_t run; /* of the same devices at the same server: a higher one goes on with DevNonces and
                     counters that were not used */
    uint8_t region, version; /* enum sim_region, enum lw_version */
    uint8_t dr;
    bool abp;
    bool adr;
    bool boundless;                  /* gateways whose downlinks never collide */
    const struct sim_identity *only; /* one device of the caller's; NULL: from the seed */
    struct lw_eui gateway_base;      /* 0: sim_fleet_gateway */
    FILE *events;                    /* a line per event, or NULL */
};

/* clang-format off */
#define SIM_COUNT_TABLE(X)                                                                         \
    X(uplinks,       "data frames sent for the first time")                                        \
    X(repetitions,   "data frames repeated")                                                       \
    X(joins,         "join-requests sent")                                                         \
    X(unheard,       "frames that no gateway heard (loss)")                                        \
    X(datagrams,     "PUSH_DATA sent")                                                             \
    X(push_acks,     "PUSH_ACK received")                                                          \
    X(pulls,         "PULL_DATA sent")                                                             \
    X(pull_acks,     "PULL_ACK received")                                                          \
    X(downlinks,     "PULL_RESP received")                                                         \
    X(faults,        "PULL_RESP that a forwarder would drop")                                      \
    X(too_late,      "refused: TOO_LATE, or past")                                                 \
    X(collisions,    "refused: COLLISION_PACKET")                                                  \
    X(refused,       "refused for other reasons")                                                  \
    X(strays,        "downlinks that no window awaited")                                           \
    X(answered,      "frames answered in time")                                                    \
    X(lost_down,     "downlinks lost on the radio (loss)")                                         \
    X(joined,        "join-accepts taken")                                                         \
    X(acked,         "confirmed uplinks acknowledged")                                             \
    X(unacked,       "confirmed uplinks given up")                                                 \
    X(skipped,       "turns in which every device was busy")

struct sim_fleet_report {
#define X(name, text) uint64_t name;
    SIM_COUNT_TABLE(X)
#undef X
    uint64_t verdicts[SIM_VERDICT_COUNT]; /* what the devices said of the downlinks */
    uint64_t verdicts_bad;                /* all but ok */
    double seconds;
    int64_t behind_max_us;                /* how late the generator itself sent at worst */
    uint64_t latency_n;                   /* last octet sent to PULL_RESP received */
    int64_t latency_p50_us, latency_p90_us, latency_p99_us, latency_p999_us, latency_max_us;
};
/* clang-format on */

/* ERR_IO and the like of sim_udp_open; ERR_TIMEOUT: the server acknowledged no PULL_DATA. */
enum err sim_fleet_run(const struct sim_fleet_config *config,
                       struct sim_fleet_report *report) MUST_CHECK;

void sim_report_text(const struct sim_fleet_report *report, FILE *to);
void sim_report_json(const struct sim_fleet_report *report, struct jw *jw);
