/*
 * window.h - the plan of a class A answer: which windows at which gateways, and what fits.
 *
 * A frame is built once for all opportunities (mechanics 18): its size fits the smallest window;
 * where that would refuse an item that fits some window, the others are struck. Pure.
 */
#pragma once

#include "lorawan/air.h"
#include "ns/session.h"

/* A gateway that heard the uplink, in the order of preference. */
struct window_route {
    const struct copy *copy;
    bool prefer_not;     /* used after the others */
    int8_t max_eirp_dbm; /* 0: the region's */
};

struct window_input {
    const struct region *region;
    enum region_revision revision;
    const struct session *session;
    const struct region_channels *channels; /* the device's; the network's for joins */
    uint8_t uplink_channel;                 /* index in that list */
    uint8_t uplink_dr;
    bool join; /* JOIN_ACCEPT_DELAY1 and 2 with the region's default RX parameters */
    const struct window_route *routes;
    size_t route_count;
};

struct window {
    uint32_t frequency_hz;
    uint8_t dr;
    uint8_t kind;         /* enum air_window */
    int64_t delay_us;     /* after the end of the uplink */
    unsigned max_payload; /* N: FOpts and FRMPayload together; 0: the window cannot be used */
};

struct window_plan {
    struct window windows[2]; /* RX1, RX2 */
    struct rung rungs[AIR_RUNGS_MAX];
    uint8_t rung_window[AIR_RUNGS_MAX]; /* index into windows */
    size_t rung_count;
    unsigned room; /* smallest N of the windows that are left */
};

/* RX1 at the best gateways, then RX2 at them; at most AIR_RUNGS_MAX rungs, no gateway twice per
 * window. ERR_NOT_FOUND: no gateway or window can carry anything. */
enum err window_plan(const struct window_input *input, struct window_plan *plan) MUST_CHECK;

/* The windows that can carry `n` octets: strikes the others from the plan and returns whether any
 * is left. plan->room becomes the smallest of those left. */
bool window_fit(struct window_plan *plan, unsigned n);

/* The greatest N of any window of the plan. */
unsigned window_most(const struct window_plan *plan);
