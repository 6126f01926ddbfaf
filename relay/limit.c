/* limit.c - buckets that are filled once an hour. */
#include "relay/limit.h"

#define DEFAULT_JOIN    4
#define DEFAULT_NOTIFY  4
#define DEFAULT_UPLINK  8
#define DEFAULT_OVERALL 8
#define DEFAULT_SIZE    1 /* twice the rate */
#define HEADROOM        2

unsigned relay_bucket_factor(unsigned size)
{
    static const uint8_t factors[4] = {1, 2, 4, 12};

    return factors[size & 3];
}

static bool is_unlimited(const struct relay_bucket *bucket)
{
    return bucket->rate >= RELAY_RATE_UNLIMITED;
}

static unsigned full(const struct relay_bucket *bucket)
{
    return bucket->rate * relay_bucket_factor(bucket->size);
}

unsigned relay_bucket_capacity(const struct relay_bucket *bucket)
{
    return is_unlimited(bucket) ? 0 : full(bucket);
}

static struct relay_bucket filled(uint8_t rate, uint8_t size)
{
    return (struct relay_bucket){.rate = rate, .size = size, .tokens = rate};
}

struct relay_bucket relay_device_bucket(const struct lw_update_uplink_list_req *req)
{
    return filled(req->reload_rate < RELAY_DEVICE_RATE_UNLIMITED ? req->reload_rate
                                                                 : RELAY_RATE_UNLIMITED,
                  req->bucket_size);
}

struct relay_limits relay_limits_default(void)
{
    return (struct relay_limits){.overall = filled(DEFAULT_OVERALL, DEFAULT_SIZE),
                                 .uplink = filled(DEFAULT_UPLINK, DEFAULT_SIZE),
                                 .notify = filled(DEFAULT_NOTIFY, DEFAULT_SIZE),
                                 .join = filled(DEFAULT_JOIN, DEFAULT_SIZE)};
}

static uint16_t least(unsigned a, unsigned b)
{
    return (uint16_t)(a < b ? a : b);
}

/* Tokens of an unlimited bucket are not counted, and stay for the time after. */
static void add(struct relay_bucket *bucket, unsigned tokens)
{
    if (!is_unlimited(bucket))
        bucket->tokens = least(bucket->tokens + tokens, full(bucket));
}

static void configure(struct relay_bucket *bucket, uint8_t rate, uint8_t size,
                      enum relay_limit_reset reset)
{
    bucket->rate = rate;
    bucket->size = size;
    if (reset == RELAY_RESET_KEEP)
        add(bucket, 0);
    else if (reset == RELAY_RESET_CAPACITY)
        bucket->tokens = (uint16_t)full(bucket);
    else
        bucket->tokens = reset == RELAY_RESET_RATE ? rate : 0;
}

void relay_limits_configure(struct relay_limits *limits,
                            const struct lw_configure_fwd_limit_req *req)
{
    enum relay_limit_reset reset = (enum relay_limit_reset)req->reset_counters;

    configure(&limits->overall, req->overall_reload, req->overall_size, reset);
    configure(&limits->uplink, req->global_uplink_reload, req->global_uplink_size, reset);
    configure(&limits->notify, req->notify_reload, req->notify_size, reset);
    configure(&limits->join, req->join_req_reload, req->join_req_size, reset);
}

void relay_bucket_reload(struct relay_bucket *bucket)
{
    add(bucket, bucket->rate);
}

void relay_limits_reload(struct relay_limits *limits)
{
    relay_bucket_reload(&limits->overall);
    relay_bucket_reload(&limits->uplink);
    relay_bucket_reload(&limits->notify);
    relay_bucket_reload(&limits->join);
}

static bool take(struct relay_bucket *const *buckets, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!is_unlimited(buckets[i]) && !buckets[i]->tokens)
            return false;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!is_unlimited(buckets[i]))
            buckets[i]->tokens--;
    }
    return true;
}

bool relay_limits_take_join(struct relay_limits *limits)
{
    return take((struct relay_bucket *[]){&limits->join, &limits->overall}, 2);
}

bool relay_limits_take_notify(struct relay_limits *limits)
{
    return take((struct relay_bucket *[]){&limits->notify, &limits->overall}, 2);
}

bool relay_limits_take_uplink(struct relay_limits *limits, struct relay_bucket *device)
{
    return take((struct relay_bucket *[]){device, &limits->uplink, &limits->overall}, 3);
}

static uint8_t roomy(uint64_t needed, uint8_t least_rate)
{
    if (needed > RELAY_RATE_MAX / HEADROOM)
        return RELAY_RATE_UNLIMITED;
    return needed * HEADROOM > least_rate ? (uint8_t)(needed * HEADROOM) : least_rate;
}

struct lw_configure_fwd_limit_req relay_limits_for(unsigned devices, unsigned uplinks_per_hour)
{
    uint64_t uplinks = (uint64_t)devices * uplinks_per_hour;

    /* After a power cut all devices join in the same hour. */
    return (struct lw_configure_fwd_limit_req){
        .overall_reload = roomy(uplinks + devices, DEFAULT_OVERALL),
        .global_uplink_reload = roomy(uplinks, DEFAULT_UPLINK),
        .notify_reload = DEFAULT_NOTIFY,
        .join_req_reload = roomy(devices, DEFAULT_JOIN),
        .overall_size = DEFAULT_SIZE,
        .global_uplink_size = DEFAULT_SIZE,
        .notify_size = DEFAULT_SIZE,
        .join_req_size = DEFAULT_SIZE,
        .reset_counters = RELAY_RESET_RATE};
}
