/*
 * ns_priv.h - inside the network server: workers, devices, and what steps share. ns/ only.
 */
#pragma once

#include "core/metric.h"
#include "db/event.h"
#include "ns/devices.h"
#include "ns/expiry.h"
#include "ns/job.h"
#include "ns/match.h"
#include "ns/ns.h"

#define DEVICE_WAITING_MAX 16
#define JOIN_TOKENS_MAX    3
#define JOIN_TOKEN_US      (5 * (int64_t)US_PER_S)

enum device_flag {
    DEVICE_DISABLED = 1 << 0,
    DEVICE_SKIP_FCNT = 1 << 1,
    DEVICE_HAS_JOIN_EUI = 1 << 2,
    DEVICE_BUSY = 1 << 3,
    DEVICE_GONE = 1 << 4,         /* deleted while a job held it: freed when given back */
    DEVICE_CORRUPT = 1 << 5,      /* its active session or state cannot be read: no frame counts */
    DEVICE_PENDING_LOST = 1 << 6, /* its pending session cannot be read */
    DEVICE_LISTED = 1 << 7,       /* found by its DevEUI (ns/devices.c) */
};

/* A device at its home worker. A million of these lie in memory: keep it small. */
struct device {
    struct lw_eui dev_eui, join_eui;
    uint32_t application, profile; /* slots in the worker's directory */
    uint64_t rev;                  /* of the live state in the store; 0: none */
    struct device_status status;
    struct session_kept *active, *pending;
    struct job *waiting; /* jobs that want the device */
    struct queue_item *queue;
    uint8_t flags;
    uint16_t waiting_count;
    uint8_t join_tokens; /* used up; refilled by time */
    uint32_t join_at_s;  /* monotonic seconds of the last refill */
    uint32_t at;         /* its place (ns/devices.c) */
};

/* A state that cannot be read, as it stands in the row: written again with every change that leaves
 * the active session as it is, so that it never passes for one whose counters are known. */
struct spoiled {
    size_t n;
    uint8_t b[];
};

struct ns_worker {
    struct worker worker;
    struct ns *ns;
    unsigned index;
    struct collector collector;
    struct match_table *match;
    struct directory directory;
    struct devices devices;
    struct map attempts; /* id -> struct attempt (ns/attempt.h), outstanding ones */
    struct map spoiled;  /* DevEUI -> struct spoiled, of devices with DEVICE_CORRUPT */
    uint64_t order;      /* of queue items */
    struct expiries expiries;
    struct timer sweep_timer;
    int64_t swept_us; /* monotonic: when it fired last */
};

struct ns {
    struct ns_options options;
    struct ns_ops ops;
    struct ns_worker *workers;
    char (*names)[16];
    atomic_uint_fast64_t next_attempt;
    pthread_mutex_t jobs_lock; /* guards the chain, held for a few pointer moves only */
    struct job *jobs;
};

extern struct metric ns_frames, ns_drops, ns_step_time, ns_internal_errors, ns_answers;

struct ns_worker *ns_home(struct ns *ns, struct lw_eui dev_eui);
struct ns_worker *ns_front(struct ns *ns, struct lw_dev_addr addr);
const struct ns_region *ns_region_of(const struct ns *ns, uint8_t region);

/* The device, its application and profile; NULL if unknown (or the profile is gone). */
struct device *ns_device(struct ns_worker *worker, struct lw_eui dev_eui);
const struct device_profile *device_profile_of(const struct ns_worker *worker,
                                               const struct device *device);
const struct application *device_application_of(const struct ns_worker *worker,
                                                const struct device *device);
const struct gateway_config *ns_gateway(const struct ns_worker *worker, struct lw_eui id);
void device_free(struct ns_worker *worker, struct device *device);

/* A copy of a session in the job's arena, to work on; NULL of none. */
struct session *session_copy(struct job *job, const struct session_kept *kept);

/* What the match table keeps of a session. */
struct match_entry match_entry_of(const struct device *device, const struct session *session,
                                  bool pending);

/* The match table is told; `then` job (may be NULL) goes on when it is in force. */
void ns_match_put(struct ns_worker *worker, const struct device *device,
                  const struct session *session, bool pending, struct job *then);
void ns_match_remove(struct ns_worker *worker, const struct device *device,
                     const struct session *session);

/* Adds OP_STATE for the job's device with its new state. `active`, `pending`: what the sessions are
 * from now on; `set` says which blobs change. */
struct state_change {
    const struct session *active, *pending;
    const struct device_status *status;
    unsigned set; /* STATE_SET_* */
};
enum err job_change_state(struct job *job, const struct state_change *change);

/* After the commit: the cache takes over. A session given here was not in the cache before. */
void device_take_over(struct ns_worker *worker, struct device *device,
                      const struct state_change *change);

/* All items end: they are freed, after the commit that removed their rows. */
void device_flush_queue(struct ns_worker *worker, struct device *device);

/* Adds OP_EVENT. */
void job_event(struct job *job, enum event_type type, const struct event_facts *facts);
/* Facts that all events of a device have. */
struct event_facts device_facts(const struct job *job, const struct session *session);

/* A `log` event of level error about a queue item that ended unsent. */
void ns_item_event(struct job *job, const struct session *session, const struct uuid *item,
                   const char *code, const char *description);

/* Looks through the queue before it is used. What waited for the ACK of a session that is gone
 * waits no longer; an item that was encrypted under a counter that is gone can never be sent.
 * `session` NULL: the device has none. */
void ns_review_queue(struct device *device, const struct session *session);
/* Items that came to their end unsent: adds the removal of their rows and an event for each.
 * Returns how many. After the commit, with the same time, ns_queue_swept frees them. */
unsigned ns_sweep_queue(struct job *job, const struct session *session, int64_t utc_us);
void ns_queue_swept(struct device *device, int64_t utc_us);
/* The device's next expiry is (not) to be looked for; done whenever a job gives the device back. */
void ns_sweep_arm(struct ns_worker *worker, const struct device *device);
void ns_sweep_disarm(struct ns_worker *worker, const struct device *device);
void ns_sweep_init(struct ns_worker *worker);

/* Tells the frame log of every copy of a set. */
void ns_log_frame(struct job *job, const struct gathered *gathered, const char *verdict);

/* Entry points of the step tables. */
void uplink_start(struct ns_worker *worker, struct gathered *gathered,
                  const struct lw_frame *frame);
void join_start(struct ns_worker *worker, struct gathered *gathered, const struct lw_frame *frame);
void sort_gathered(void *ctx, struct gathered *gathered);

/* An answer that is owed after an uplink; everything is copied. */
struct answer {
    struct lw_eui dev_eui;
    uint64_t session; /* number */
    const struct gathered *gathered;
    const struct copy *copies; /* usable ones, strongest first */
    size_t copy_count;
    uint8_t dr, channel;
    uint8_t mac_n;
    uint8_t mac[64]; /* answers to the device's commands */
    bool ack, must, repetition;
    uint32_t fcnt_up;
    int64_t due_us;
};
void downlink_start(struct ns_worker *worker, const struct answer *answer);

struct attempt;
/* Remembers the attempt and hands the frame over to the gateways; its outcome comes back to
 * tx_outcome_take at this worker. */
void ns_transmit(struct job *job, const struct attempt *attempt, const struct rung *rungs,
                 size_t rung_count);
void tx_outcome_take(struct worker *worker, struct mail *mail);
/* Forgets a settled attempt that was kept for repetitions. */
void ns_attempt_forget(struct ns_worker *worker, uint64_t id);
void ns_load_attempt(struct ns *ns, const struct op_attempt *op);
