/*
 * world.h - the whole server in one thread under a standing clock, for flow tests.
 *
 * Workers are stepped one at a time in an order drawn from a seed until all are quiet; only then
 * does time jump to the earliest timer. Gateways are in-process: datagrams in by world_datagram,
 * what the server sends is kept in `sent`. A scenario never sleeps, and a failing seed replays.
 */
#pragma once

#include "core/arena.h"
#include "db/committer.h"
#include "db/event.h"
#include "gateway/udp.h"
#include "js/js.h"
#include "ns/ns.h"

#define WORLD_WORKERS 8
#define WORLD_SENT    256

struct world_sent {
    struct address to;
    int64_t at_us;
    size_t n;
    uint8_t data[1024];
};

struct world {
    char dir[64];
    struct clock_double clock;
    uint64_t random;
    struct store *store;
    struct committer *committer;
    struct js *js;
    struct ns *ns;
    struct udp *udp;
    struct overload overload;
    struct store_reader *reader;
    struct worker *workers[WORLD_WORKERS];
    size_t worker_count;
    struct world_sent sent[WORLD_SENT];
    size_t sent_count;
    struct uuid tenant, application, profile;
    uint8_t master[32];
    bool covered;  /* ns_ops.covered answers this */
    size_t frames; /* told to the frame log */
    enum drop last_drop;
    struct arena arena; /* of the test */
    /* What else listens (tests/flow/rest.h); may be NULL. `covered` above counts as well. */
    void *hook;
    void (*on_record)(void *hook, enum record_type type, const struct record_key *key,
                      const void *record);
    void (*on_outbox)(void *hook, uint64_t end);
    void (*on_frame)(void *hook, const struct frame_entry *entry);
    bool (*on_covered)(void *hook, const struct uuid *tenant, const struct uuid *application,
                       struct lw_eui dev_eui);
};

struct world_options {
    uint64_t seed;
    unsigned workers;        /* of ns/; 0: 2 */
    enum lw_version version; /* of the one device profile */
    const char *region;      /* NULL: EU868 */
    uint8_t sub_band;        /* the one that the network hears; 0: all */
    uint8_t rx2_dr;          /* that the network gives; 0: none */
    int64_t app_reply_us;
    const char *vfs;                          /* of the store: "fault" (tests/store/fault_vfs.h) */
    uint64_t outbox_max_bytes, segment_bytes; /* of the outbox; 0: as ever */
    int64_t outbox_max_age_us;                /* the same */
    void (*profile)(struct device_profile *profile); /* changes before it is stored */
};

/* A store in a new folder with a tenant, an application and a profile; everything started. */
void world_open(struct world *world, const struct world_options *options);
/* Stops everything and opens it again on the same store; `crash`: without any orderly end. */
void world_restart(struct world *world, bool crash);
/* The two halves of a crash. */
void world_stop_crashed(struct world *world);
void world_start(struct world *world);
void world_close(struct world *world);

/* Runs until nothing is left to do now; then lets time pass for `us`, timer by timer. */
void world_run(struct world *world, int64_t us);

/* Saves a record as administration would. */
void world_put(struct world *world, enum record_type type, void *record);
void world_gateway(struct world *world, uint64_t id);
/* Posts a change and leaves it in the committer's box; world_posted runs and tells whether it is
 * answered (change->result). One at a time. */
void world_post(struct world *world, struct change *change);
bool world_posted(struct world *world);
void world_device(struct world *world, uint64_t dev_eui);
void world_keys(struct world *world, uint64_t dev_eui, const struct device_keys *keys);

/* Asks the device's home worker and runs until it answered. Free with ns_call_free. */
struct ns_call *world_ask(struct world *world, struct ns_call *call);

/* A datagram from a gateway's socket; see also tests/flow/radio.h. */
void world_datagram(struct world *world, const struct address *from, const void *data, size_t n);

/* The newest events of a device, oldest first, decoded into world->arena. */
struct world_event {
    struct stored_event stored;
    struct event_facts facts;
};
size_t world_events(struct world *world, uint64_t dev_eui, struct world_event *events, size_t room);
