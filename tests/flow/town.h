/*
 * town.h - a town around the server for flow tests of long times: devices and gateways of the
 * simulator, the air between them, and people who use REST.
 *
 * The devices (sim/) are written from the specification apart from the server; each downlink must
 * be one that its device takes, in time and under a new counter, or the test fails. Frames, copies
 * and datagrams are lost, repeated and forged; gateways restart, leave, come back from another
 * port and refuse. All chance comes from the seed. Devices speak in rounds of ten minutes, so that
 * the time between may pass in long strides.
 */
#pragma once

#include "sim/device.h"
#include "sim/gateway.h"
#include "tests/flow/rest.h"

#define TOWN_GATEWAYS 4
#define TOWN_MEMBERS  256
#define TOWN_AIR      64
#define TOWN_ROUND_US (600 * (int64_t)US_PER_S)
#define TOWN_DAY_US   (86400 * (int64_t)US_PER_S)
#define TOWN_DAY      (TOWN_DAY_US / TOWN_ROUND_US) /* rounds */
#define TOWN_LOSS     15                            /* one in so many downlinks is not heard */

/* clang-format off */
#define TOWN_COUNT_TABLE(X)                                                                        \
    X(uplinks,     "data frames sent for the first time")                                          \
    X(repetitions, "data frames repeated by their device")                                         \
    X(unheard,     "frames that no gateway heard")                                                 \
    X(joins,       "join-requests sent")                                                           \
    X(joined,      "join-accepts taken")                                                           \
    X(confirmed,   "confirmed uplinks")                                                            \
    X(acked,       "confirmed uplinks acknowledged")                                               \
    X(downlinks,   "PULL_RESP received")                                                           \
    X(refused,     "PULL_RESP that a gateway refused")                                             \
    X(taken,       "downlinks that their device took")                                             \
    X(strays,      "downlinks that answer a frame which another repeated")                         \
    X(lost,        "downlinks lost on the air")                                                    \
    X(queued,      "queue items made over REST")                                                   \
    X(payloads,    "downlinks with a payload")                                                     \
    X(nuisances,   "malformed datagrams, frames of strangers")                                     \
    X(restarts,    "gateways that began anew")                                                     \
    X(writes,      "records written over REST, which are audited")                                 \
    X(calls,       "calls of REST")                                                                \
    X(events,      "events read from the stream")
/* clang-format on */

struct town_counts {
#define X(name, text) uint64_t name;
    TOWN_COUNT_TABLE(X)
#undef X
};

enum member_state {
    MEMBER_RESTS,
    MEMBER_SENDS,
    MEMBER_LISTENS,
    MEMBER_WAITS, /* its last frame is about to be sent once more by somebody else */
    MEMBER_ECHOED /* that was done: whatever the server answers, it does not listen */
};

struct member {
    struct sim_device device;
    struct sim_tx tx;
    enum member_state state;
    int64_t next_us;        /* when the state ends; CLOCK_NEVER */
    unsigned period, phase; /* in rounds; period 0: it never speaks */
    unsigned tries;         /* joins in a row without an accept */
    bool abp, joins;
    unsigned answers; /* downlinks taken today */
    /* What was sent to it last, by down counter: a number must never be used for another frame. */
    struct {
        bool known;
        uint16_t fcnt;
        uint8_t mic[4];
    } last[2];
};

struct post {
    struct sim_gateway gw;
    struct address push, pull;
    uint64_t back_round; /* away until then; 0: it is there */
    bool gps;
};

struct airborne {
    struct sim_txpk txpk;
    unsigned post;
};

struct town {
    struct rest rest;
    uint64_t random, round;
    struct post posts[TOWN_GATEWAYS];
    struct member members[TOWN_MEMBERS];
    size_t member_count;
    struct airborne air[TOWN_AIR];
    size_t air_count;
    int64_t round_us, pull_us; /* when the next is due */
    struct http_exchange *stream;
    uint64_t stream_at;   /* the last event read from it */
    char profiles[8][40]; /* their ids, by version */
    struct town_counts counts;
};

struct town_options {
    uint64_t seed;
    size_t devices;
    struct world_options world; /* limits of the store */
    uint64_t frames_max_bytes;  /* of the frame log */
};

/* A server with gateways, profiles of each version, and devices. */
void town_open(struct town *town, const struct town_options *options);
void town_close(struct town *town);

/* Lets so many rounds pass. Nothing is on its way afterwards. */
void town_run(struct town *town, unsigned rounds);

/* The server stops in good order and starts again; the stream is opened anew. */
void town_restart(struct town *town);

/* ---- town_people.c: who uses REST, who disturbs --------------------------------------------- */

/* A number below n. */
uint64_t town_draw(struct town *town, uint64_t n);
struct rest_answer town_call(struct town *town, int status, const char *method, const char *path,
                             const char *body);
/* Gateways, profiles and devices with keys or activation are made over REST. */
void town_settle(struct town *town, size_t devices);
void town_stream_open(struct town *town);
/* Reads what the stream sent: each event once, in order. */
void town_stream_read(struct town *town);
/* What happens beside the devices' frames in a round. */
void town_life(struct town *town);
