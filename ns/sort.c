/* sort.c - what a gathered transmission is, and which way it goes. */
#include "lorawan/frame.h"
#include "ns/ns_priv.h"

#include <stdlib.h>

static void drop_gathered(struct ns_worker *worker, struct gathered *gathered, enum drop drop)
{
    struct job job = {.worker = worker, .drop = drop}; /* for the log alone */

    metric_add(&ns_drops, drop, 1);
    ns_log_frame(&job, gathered, "dropped");
    free(gathered);
}

/* collector_ops.gathered: at the worker to which the DevAddr or DevEUI hashes. */
void sort_gathered(void *ctx, struct gathered *gathered)
{
    struct ns_worker *worker = ctx;
    struct lw_frame frame;
    enum drop drop = lw_uplink_read((struct bytes){gathered->phy, gathered->phy_len}, &frame);

    metric_add(&ns_frames, 0, 1);
    if (drop == DROP_NONE && frame.ftype == LW_REJOIN_REQUEST)
        drop = DROP_REJOIN;
    /* A join is answered once; its sender chooses a new DevNonce for the next try. */
    if (drop == DROP_NONE && frame.ftype == LW_JOIN_REQUEST && gathered->repetition)
        drop = DROP_REPETITION;
    if (drop != DROP_NONE)
        drop_gathered(worker, gathered, drop);
    else if (frame.ftype == LW_JOIN_REQUEST)
        join_start(worker, gathered, &frame);
    else
        uplink_start(worker, gathered, &frame);
}
