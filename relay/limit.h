/*
 * limit.h - the token buckets of a relay: how many Join-Requests, notifications and uplinks it
 * forwards per hour (TS011 ConfigureFwdLimitReq, UpdateUplinkListReq; relay reference 4.4, 4.6). As
 * the relay keeps them; a network server uses the same to foresee what will get through. Pure: the
 * caller knows when an hour has passed.
 *
 * A device whose bucket is empty is not merely unheard: it gets no WOR ACK, or one that forbids its
 * uplink even where a gateway would have heard it. The defaults (8 an hour for all) are for few
 * devices; relay_limits_for computes what a number of them needs.
 */
#pragma once

#include "lorawan/mac.h"

#define RELAY_RATE_MAX              126 /* tokens an hour */
#define RELAY_RATE_UNLIMITED        127
#define RELAY_DEVICE_RATE_MAX       62
#define RELAY_DEVICE_RATE_UNLIMITED 63
#define RELAY_UPLINK_LIST           16

struct relay_bucket {
    uint8_t rate; /* tokens an hour; RELAY_RATE_UNLIMITED, also for a device */
    uint8_t size; /* code 0..3: 1, 2, 4, 12 hours' worth */
    uint16_t tokens;
};

/* Factor of a size code's two low bits. */
unsigned relay_bucket_factor(unsigned size);
/* Tokens that fit; 0 if unlimited. */
unsigned relay_bucket_capacity(const struct relay_bucket *bucket);

/* A device's bucket starts with one reload. */
struct relay_bucket relay_device_bucket(const struct lw_update_uplink_list_req *req);

struct relay_limits {
    struct relay_bucket overall, uplink, notify, join;
};

/* As a relay starts: 4 joins, 4 notifications, 8 uplinks, 8 in all, each twice that at most. */
struct relay_limits relay_limits_default(void);

/* ConfigureFwdLimitReq's `reset_counters`: what the tokens become. */
enum relay_limit_reset {
    RELAY_RESET_ZERO,
    RELAY_RESET_RATE,
    RELAY_RESET_CAPACITY,
    RELAY_RESET_KEEP, /* what fits the new capacity; all while there is no limit */
};

void relay_limits_configure(struct relay_limits *limits,
                            const struct lw_configure_fwd_limit_req *req);

/* Once an hour, for the limits and for the device of each entry. */
void relay_limits_reload(struct relay_limits *limits);
void relay_bucket_reload(struct relay_bucket *bucket);

/* Each takes its tokens only if all of its buckets have one. */
bool relay_limits_take_join(struct relay_limits *limits);
bool relay_limits_take_notify(struct relay_limits *limits);
bool relay_limits_take_uplink(struct relay_limits *limits, struct relay_bucket *device);

/* What to configure for `devices` devices that send `uplinks_per_hour` each (repetitions counted):
 * at least the defaults, twice what is needed; unlimited above what the fields can say. Counters
 * begin with one reload. */
struct lw_configure_fwd_limit_req relay_limits_for(unsigned devices, unsigned uplinks_per_hour);
