/*
 * ns.h - the network server: workers that own devices, and the doors to the rest of the program.
 *
 * Devices are sharded over workers by hash(DevEUI), the match table by hash(DevAddr). All doors
 * may be used from any thread; what comes in is posted to the worker it belongs to. What ns/ needs
 * of others is in `struct ns_ops`, filled by cmd/serve.c.
 */
#pragma once

#include "core/worker.h"
#include "db/committer.h"
#include "db/directory.h"
#include "gateway/collector.h"
#include "gateway/overload.h"
#include "js/js.h"
#include "ns/queue.h"
#include "ns/session.h"

#define NS_REGIONS_MAX REGION_COUNT

/* A region as this network uses it: the table and what the configuration adds. */
struct ns_region {
    const struct region *region;
    struct region_channels channels; /* defaults and the extra ones */
    struct chmask enabled;
    uint8_t rx1_delay;   /* 0: the profile's alone */
    int rx2_dr;          /* given to devices that join, unless the profile names one; -1: none */
    int8_t max_eirp_dbm; /* of gateways, below the region's; 0: the region's */
};

struct ns_options {
    struct clock *clock;
    struct store *store;
    struct committer *committer;
    unsigned workers; /* 0: by the number of cores */
    struct lw_net_id net_id;
    struct ns_region regions[NS_REGIONS_MAX];
    size_t region_count;
    int64_t dedup_window_us, app_reply_us;
    bool join_server;
    struct overload *overload; /* noted and obeyed; NULL: nothing is refused. Must stay */
};

struct frame_entry;

struct ns_ops {
    void *ctx;
    /* Hands a frame to the gateways; ownership passes. */
    void (*transmit)(void *ctx, struct tx_request *request);
    /* Asks the join server. */
    void (*join)(void *ctx, struct js_request *request);
    /* Airtime used before a restart. Optional. */
    void (*charge)(void *ctx, const struct rung *rung, int64_t airtime_us, int64_t age_us);
    /* Tells of a frame for the frame log; borrowed. Optional. */
    void (*frame)(void *ctx, const struct frame_entry *entry);
    /* Whether an application's reply is worth waiting for (an open stream or an integration covers
     * the device). Optional; called at workers, must not block. */
    bool (*covered)(void *ctx, const struct uuid *tenant, const struct uuid *application,
                    struct lw_eui dev_eui);
};

/* One line of the frame log. */
struct frame_entry {
    int64_t utc_us;
    uint8_t direction;              /* enum lw_direction */
    struct lw_eui gateway, dev_eui; /* 0: unknown */
    uint32_t dev_addr;
    uint32_t frequency_hz;
    uint8_t dr;
    uint32_t airtime_us;
    struct bytes phy;
    enum drop drop;
    const char *verdict; /* "accepted", "dropped", "repetition", "sent", ... static */
    const char *note;    /* more in words, or NULL */
};

struct ns;

/* Registers this room's metrics; once, before threads start. */
void ns_metrics_register(void);

/* Counts a drop that happened in another room (gateway/), in the one metric of drops. */
void ns_count_drop(enum drop drop);

struct ns *ns_new(const struct ns_options *options, const struct ns_ops *ops);
void ns_free(struct ns *ns);

/* Reads devices, queues and attempts of the store. Before the workers start. */
enum err ns_load(struct ns *ns) MUST_CHECK;
/* After it: the shared records, which the caller may have read meanwhile and keeps; NULL: reads
 * them from the store. */
enum err ns_load_records(struct ns *ns, const struct directory *records) MUST_CHECK;

unsigned ns_worker_count(const struct ns *ns);
struct worker *ns_worker(struct ns *ns, unsigned at);

/* gateway_ops.heard: copies, posted to the collectors. */
void ns_heard(struct ns *ns, struct heard *chain, size_t count);

/* gateway_ops.channel: region and data rate of a copy. Pure; any thread. */
bool ns_channel(const struct ns *ns, struct copy *copy);

/* commit_observer.record: at the committer. */
void ns_record(struct ns *ns, enum record_type type, const struct record_key *key,
               const void *record);

/* ---- questions about live state, asked by api/ ---------------------------------------------- */

enum ns_act {
    ACT_STATE,      /* status and session */
    ACT_ACTIVATE,   /* PUT activation: `session` holds keys, addresses, counters */
    ACT_DEACTIVATE, /* DELETE activation */
    ACT_QUEUE_LIST,
    ACT_QUEUE_ADD,    /* `item` (heap; ownership passes) */
    ACT_QUEUE_REMOVE, /* `item_id`, zero: all */
};

/* One question; heap, owned by the asker, who gets it back. Results live in `arena`. */
struct ns_call {
    struct mail mail;
    struct worker *reply_to; /* NULL: `reply` is called at the ns worker */
    void (*reply)(struct worker *worker, struct mail *mail);
    void *owner;
    struct arena arena;
    enum ns_act act;
    struct lw_eui dev_eui;
    enum err result; /* ERR_NOT_FOUND, ERR_CONFLICT, ERR_AWAY, ERR_FULL, ERR_BAD_STATE ... */
    const char *why; /* more for people, or NULL */
    /* in and out by act */
    struct session session;
    bool has_session, has_pending;
    bool unreadable; /* there is an active session, but its keys or counters cannot be read */
    struct device_status status;
    struct queue_item *item;
    struct uuid item_id;
    struct queue_item **items; /* copies in `arena` */
    size_t item_count;
};

struct ns_call *ns_call_new(enum ns_act act, struct lw_eui dev_eui);
void ns_call_free(struct ns_call *call);
void ns_ask(struct ns *ns, struct ns_call *call);
