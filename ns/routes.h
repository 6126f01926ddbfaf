/*
 * routes.h - the ways back that the copies of an uplink offer, for the plan of an answer.
 */
#pragma once

#include "ns/job.h"
#include "ns/ns.h"
#include "ns/window.h"

struct heard_by {
    const struct copy *copies; /* strongest first */
    size_t count;
    const struct ns_region *region;
};

/* Fills `routes` (room for as many as there are copies), in the order of the copies; returns how
 * many. Left out: gateways that may not send, and private ones of another tenant than the job's
 * device has (mechanics 24). The job holds its device. */
size_t routes_of(const struct job *job, const struct heard_by *heard, struct window_route *routes);
