/* window.c - the two receive windows of class A, and the ladder over gateways. */
#include "ns/window.h"

#include "core/clock.h"

#include <string.h>

static void window_set(struct window *window, enum air_window kind, uint32_t hz, int dr,
                       int64_t delay_s)
{
    *window = (struct window){.kind = (uint8_t)kind,
                              .frequency_hz = hz,
                              .dr = (uint8_t)(dr < 0 ? 0 : dr),
                              .delay_us = delay_s * US_PER_S,
                              .max_payload = dr < 0 ? 0 : 1};
}

static void plan_windows(const struct window_input *in, struct window *windows)
{
    const struct region *region = in->region;
    const struct session *session = in->session;
    struct region_rx1 rx1 = {.uplink_dr = in->uplink_dr,
                             .offset = in->join ? 0 : session->rx1_dr_offset,
                             .downlink_dwell = session->flags & SESSION_DL_DWELL,
                             .revision = in->revision};
    int64_t delay = in->join ? region->join_accept_delay1_s : session->rx1_delay;
    uint32_t rx1_hz = in->join ? region_join_rx1_hz(region, in->channels, in->uplink_channel)
                               : region_rx1_hz(region, in->channels, in->uplink_channel);

    window_set(&windows[0], in->join ? WINDOW_JOIN1 : WINDOW_RX1, rx1_hz,
               region_rx1_dr(region, &rx1), delay);
    /* The session of a join has the join's RX2 frequency already. */
    window_set(&windows[1], in->join ? WINDOW_JOIN2 : WINDOW_RX2, session->rx2_hz,
               in->join ? region->rx2_dr : session->rx2_dr, delay + 1);
}

static void plan_sizes(const struct window_input *in, struct window *windows)
{
    for (unsigned i = 0; i < 2; i++) {
        struct region_size size = {.revision = in->revision,
                                   .direction = LW_DOWN,
                                   .dr = windows[i].dr,
                                   .dwell = in->session->flags & SESSION_DL_DWELL};

        if (windows[i].max_payload)
            windows[i].max_payload = region_max_payload(in->region, &size);
    }
}

static bool gateway_in_plan(const struct window_plan *plan, unsigned window, struct lw_eui gateway)
{
    for (size_t i = 0; i < plan->rung_count; i++) {
        if (plan->rung_window[i] == window && plan->rungs[i].gateway.v == gateway.v)
            return true;
    }
    return false;
}

static void add_rung(const struct window_input *in, struct window_plan *plan, unsigned at,
                     const struct window_route *route)
{
    const struct window *window = &plan->windows[at];
    const struct data_rate *rate = region_rate(in->region, LW_DOWN, window->dr);
    const struct copy *copy = route->copy;
    int eirp = region_down_eirp(in->region, window->frequency_hz);

    if (!rate || plan->rung_count == AIR_RUNGS_MAX || gateway_in_plan(plan, at, copy->gateway))
        return;
    if (route->max_eirp_dbm && eirp > route->max_eirp_dbm)
        eirp = route->max_eirp_dbm;
    plan->rung_window[plan->rung_count] = (uint8_t)at;
    plan->rungs[plan->rung_count++] =
        (struct rung){.gateway = copy->gateway,
                      .counter_us = copy->counter_us + (uint64_t)window->delay_us,
                      .start_us = copy->received_us + window->delay_us,
                      .frequency_hz = window->frequency_hz,
                      .rate = *rate,
                      .eirp_dbm = (int8_t)eirp,
                      .window = window->kind,
                      .board = copy->board,
                      .antenna = copy->antenna};
}

#define GATEWAYS_PER_WINDOW (AIR_RUNGS_MAX / 2)

static void add_window(const struct window_input *in, struct window_plan *plan, unsigned at)
{
    size_t before = plan->rung_count;

    if (!plan->windows[at].max_payload)
        return;
    for (unsigned prefer_not = 0; prefer_not < 2; prefer_not++) {
        for (size_t i = 0; i < in->route_count; i++) {
            if (in->routes[i].prefer_not == (prefer_not == 1) &&
                plan->rung_count - before < GATEWAYS_PER_WINDOW)
                add_rung(in, plan, at, &in->routes[i]);
        }
    }
}

static void set_room(struct window_plan *plan)
{
    plan->room = 0;
    for (unsigned i = 0; i < 2; i++) {
        unsigned n = plan->windows[i].max_payload;

        if (n && (!plan->room || n < plan->room))
            plan->room = n;
    }
}

enum err window_plan(const struct window_input *input, struct window_plan *plan)
{
    memset(plan, 0, sizeof(*plan));
    plan_windows(input, plan->windows);
    plan_sizes(input, plan->windows);
    add_window(input, plan, 0);
    add_window(input, plan, 1);
    set_room(plan);
    return plan->rung_count ? OK : ERR_NOT_FOUND;
}

bool window_fit(struct window_plan *plan, unsigned n)
{
    size_t kept = 0;

    for (unsigned i = 0; i < 2; i++) {
        if (plan->windows[i].max_payload < n)
            plan->windows[i].max_payload = 0;
    }
    for (size_t i = 0; i < plan->rung_count; i++) {
        if (!plan->windows[plan->rung_window[i]].max_payload)
            continue;
        plan->rungs[kept] = plan->rungs[i];
        plan->rung_window[kept++] = plan->rung_window[i];
    }
    plan->rung_count = kept;
    set_room(plan);
    return kept > 0;
}

unsigned window_most(const struct window_plan *plan)
{
    unsigned a = plan->windows[0].max_payload, b = plan->windows[1].max_payload;

    return a > b ? a : b;
}
