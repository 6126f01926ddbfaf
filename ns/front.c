/*
 * front.c - copies on their way in: to which worker, and under overload whether at all.
 *
 * Copies come in the lane of new work, behind all that was admitted. The front worker knows for
 * nothing what a frame's device is to us, so strangers are turned away here, before a set is
 * opened (gateway/overload.h). A copy of a transmission that is being gathered always comes in.
 */
#include "lorawan/frame.h"
#include "ns/ns_priv.h"

#include <stdlib.h>

#define RX1_US ((int64_t)US_PER_S)
#define HANDOVER_US                                                                                \
    (300 * (int64_t)US_PER_MS)             /* two commits, the way to the gateway, its queue       \
                                            */
#define USELESS_US (3 * (int64_t)US_PER_S) /* a frame is not kept longer for quieter times */

static void refuse(struct heard *heard, enum drop reason)
{
    metric_add(&ns_drops, reason, 1);
    free(heard);
}

/* How late a frame is that is admitted now: it waited, and two commits stand before its answer. */
static void note_lag(const struct ns_worker *worker, int64_t age_us)
{
    const struct ns_options *options = &worker->ns->options;
    int64_t now = worker_now(&worker->worker);

    if (options->overload && worker->index + 1 < OVERLOAD_NOTERS)
        overload_note(options->overload, worker->index + 1,
                      age_us + 2 * committer_lag_us(options->committer, now), now);
}

static bool is_join(const struct heard *heard)
{
    return heard->phy_len > 0 && heard->phy[0] >> 5 == LW_JOIN_REQUEST;
}

/* The DevEUI of a join request, the DevAddr of all else. */
static uint64_t sender(const struct heard *heard)
{
    struct rd rd = rd_of(heard->phy, heard->phy_len);

    (void)rd_u8(&rd);
    if (!is_join(heard))
        return rd_u32le(&rd);
    (void)rd_take(&rd, 8);
    return rd_u64le(&rd);
}

static bool is_stranger(struct ns_worker *worker, const struct heard *heard)
{
    uint64_t who = sender(heard);

    return is_join(heard) ? !ns_device(worker, (struct lw_eui){who})
                          : !match_has(worker->match, (struct lw_dev_addr){(uint32_t)who});
}

static void late_take(struct worker *worker, struct mail *mail)
{
    struct ns_worker *front = worker->owner;
    struct heard *heard = (struct heard *)mail;

    if (worker_now(worker) - heard->copy.received_us > USELESS_US)
        refuse(heard, DROP_OVERLOAD_LATE);
    else
        collector_take(&front->collector, heard);
}

/* Its RX1 cannot be met any more: it comes after those whose can. */
static void come_later(struct ns_worker *front, struct heard *heard)
{
    heard->mail.take = late_take;
    if (!mail_try(&front->worker, LANE_BULK, &heard->mail))
        refuse(heard, DROP_OVERLOAD_LATE);
}

static void heard_take(struct worker *worker, struct mail *mail)
{
    struct ns_worker *front = worker->owner;
    const struct ns_options *options = &front->ns->options;
    struct heard *heard = (struct heard *)mail;
    int64_t age = worker_now(worker) - heard->copy.received_us;
    bool late = age > RX1_US - HANDOVER_US - options->dedup_window_us;

    note_lag(front, age);
    if (overload_level(options->overload) >= OVERLOAD_STRANGERS && is_stranger(front, heard))
        refuse(heard, DROP_OVERLOAD_UNKNOWN);
    else if (late && !collector_knows(&front->collector, heard))
        come_later(front, heard);
    else
        collector_take(&front->collector, heard);
}

/* Copies of one transmission have the same octets and so the same worker. */
static struct ns_worker *shard(struct ns *ns, const struct heard *heard)
{
    uint64_t who = sender(heard);

    return is_join(heard) ? ns_home(ns, (struct lw_eui){who})
                          : ns_front(ns, (struct lw_dev_addr){(uint32_t)who});
}

void ns_heard(struct ns *ns, struct heard *chain, size_t count)
{
    (void)count;
    while (chain) {
        struct heard *next = (struct heard *)chain->mail.next;

        chain->mail.take = heard_take;
        if (!mail_try(&shard(ns, chain)->worker, LANE_NEW, &chain->mail))
            refuse(chain, DROP_OVERLOAD);
        chain = next;
    }
}
