/* profile.c - arithmetic of profiles. */
#include "roaming/profile.h"

#include "core/clock.h"

/* ---- rates ---------------------------------------------------------------------------------- */

#define FRAME UINT64_C(3600000000)

struct roam_rate roam_ul_rate(const struct roam_service_profile *sp)
{
    return (struct roam_rate){sp->ul_rate, sp->ul_bucket_size,
                              (enum roam_rate_policy)sp->ul_rate_policy};
}

struct roam_rate roam_dl_rate(const struct roam_service_profile *sp)
{
    return (struct roam_rate){sp->dl_rate, sp->dl_bucket_size,
                              (enum roam_rate_policy)sp->dl_rate_policy};
}

/* 2^32 frames fit into 64 bits. */
static uint64_t full(const struct roam_rate *rate)
{
    return (rate->size ? rate->size : 1) * FRAME;
}

void roam_bucket_init(struct roam_bucket *bucket, const struct roam_rate *rate, int64_t now_us)
{
    *bucket = (struct roam_bucket){full(rate), now_us};
}

static void fill(struct roam_bucket *bucket, const struct roam_rate *rate, int64_t now_us)
{
    uint64_t most = full(rate), room = bucket->credit < most ? most - bucket->credit : 0;
    uint64_t passed;

    if (now_us <= bucket->at_us)
        return;
    passed = (uint64_t)now_us - (uint64_t)bucket->at_us;
    bucket->at_us = now_us;
    bucket->credit = passed > room / rate->rate ? most : bucket->credit + passed * rate->rate;
}

enum roam_verdict roam_bucket_take(struct roam_bucket *bucket, const struct roam_rate *rate,
                                   int64_t now_us)
{
    if (rate->rate == 0)
        return ROAM_IN_PROFILE;
    fill(bucket, rate, now_us);
    if (bucket->credit < FRAME)
        return rate->policy == ROAM_RATE_MARK ? ROAM_OUT_OF_PROFILE : ROAM_REFUSED;
    bucket->credit -= FRAME;
    return ROAM_IN_PROFILE;
}

/* ---- limits and permissions ----------------------------------------------------------------- */

struct roam_dr_range roam_dr_limits(const struct roam_service_profile *sp,
                                    struct roam_dr_range ours)
{
    struct roam_dr_range both = ours;

    if (roam_has(sp, ROAM_SP_DR_MIN) && sp->dr_min > both.min)
        both.min = sp->dr_min;
    if (roam_has(sp, ROAM_SP_DR_MAX) && sp->dr_max < both.max)
        both.max = sp->dr_max;
    return both.min <= both.max ? both : ours;
}

int64_t roam_dev_status_interval_us(const struct roam_service_profile *sp)
{
    return sp->dev_status_req_freq ? INT64_C(86400) * US_PER_S / sp->dev_status_req_freq : 0;
}

static void take_out(struct roam_ul_meta_data *ul, unsigned row, bool keep)
{
    if (!keep)
        ul->has &= ~ROAM_BIT(row);
}

void roam_report(const struct roam_service_profile *sp, struct roam_ul_meta_data *ul)
{
    take_out(ul, ROAM_UL_GW_INFO, sp->add_gw_metadata);
    if (!sp->add_gw_metadata)
        ul->gw_info = (struct array){0}; /* a dialect may print the list also if it is absent */
    take_out(ul, ROAM_UL_BATTERY, sp->report_dev_status_battery);
    take_out(ul, ROAM_UL_MARGIN, sp->report_dev_status_margin);
}

enum roam_result_code roam_permission(const struct roam_service_profile *sp, enum roam_kind kind,
                                      bool join)
{
    bool allowed = kind == ROAM_KIND_PASSIVE ? sp->pr_allowed : sp->hr_allowed;

    if (join)
        return allowed && sp->ra_allowed ? ROAM_SUCCESS : ROAM_ROAMING_ACT_DISALLOWED;
    return allowed ? ROAM_SUCCESS : ROAM_DEV_ROAMING_DISALLOWED;
}

/* ---- lifetimes ------------------------------------------------------------------------------ */

uint32_t roam_lifetime_min(uint32_t a_s, uint32_t b_s)
{
    if (a_s == 0 || b_s == 0)
        return a_s + b_s;
    return a_s < b_s ? a_s : b_s;
}

int64_t roam_expiry_us(int64_t now_us, uint32_t lifetime_s)
{
    return lifetime_s ? now_us + (int64_t)lifetime_s * US_PER_S : CLOCK_NEVER;
}

int64_t roam_hold_off_us(int64_t until_us, int64_t now_us, bool present, uint32_t lifetime_s)
{
    return present ? now_us + (int64_t)lifetime_s * US_PER_S : until_us;
}
