/*
 * profile.h - what a ServiceProfile and a Lifetime mean in numbers: rates, limits, permissions.
 *
 * Time is an argument, in microseconds of any clock that only goes forward (expiries: of any
 * clock). Pure; the state of a bucket is its owner's.
 */
#pragma once

#include "roaming/object.h"
#include "roaming/result.h"

/* ---- rates ------------------------------------------------------------------------------------
 * A token bucket: `rate` frames an hour flow in, at most `size` frames (at least one) stay. A rate
 * of 0, which is also what servers send that set none, is no limit. */

struct roam_bucket {
    uint64_t credit; /* a frame is 3.6e9: a rate is then credit by the microsecond */
    int64_t at_us;
};

struct roam_rate {
    uint32_t rate; /* frames an hour */
    uint32_t size; /* frames */
    enum roam_rate_policy policy;
};

enum roam_verdict {
    ROAM_IN_PROFILE,
    ROAM_OUT_OF_PROFILE, /* to be sent on, and counted as such (policy Mark) */
    ROAM_REFUSED,        /* to be dropped (policy Drop) */
};

struct roam_rate roam_ul_rate(const struct roam_service_profile *sp);
struct roam_rate roam_dl_rate(const struct roam_service_profile *sp);

/* A full bucket. */
void roam_bucket_init(struct roam_bucket *bucket, const struct roam_rate *rate, int64_t now_us);

/* One frame; only one in profile takes from the bucket. A clock that stepped back adds nothing. */
enum roam_verdict roam_bucket_take(struct roam_bucket *bucket, const struct roam_rate *rate,
                                   int64_t now_us);

/* ---- limits and permissions ----------------------------------------------------------------- */

struct roam_dr_range {
    uint8_t min, max;
};

/* The data rates that ADR may choose: of ours those that DRMin and DRMax allow; ours if that is
 * none. */
struct roam_dr_range roam_dr_limits(const struct roam_service_profile *sp,
                                    struct roam_dr_range ours);

/* Time between two DevStatusReq; 0: none is wanted. */
int64_t roam_dev_status_interval_us(const struct roam_service_profile *sp);

/* Takes out of the metadata for the home network what the profile does not ask for: gateways,
 * margin, battery. */
void roam_report(const struct roam_service_profile *sp, struct roam_ul_meta_data *ul);

enum roam_kind { ROAM_KIND_PASSIVE, ROAM_KIND_HANDOVER };

/* ROAM_SUCCESS, or why the device may not: DevRoamingDisallowed, for a join RoamingActDisallowed.
 * What the profile does not mention it does not permit. */
enum roam_result_code roam_permission(const struct roam_service_profile *sp, enum roam_kind kind,
                                      bool join);

/* ---- lifetimes ------------------------------------------------------------------------------ */

/* Of a session: 0 is without end. The shorter of the join server's and the home network's. */
uint32_t roam_lifetime_min(uint32_t a_s, uint32_t b_s);

/* When a session with that lifetime ends; INT64_MAX if never. Not for the Lifetime 0 of a
 * PRStartAns: that means that there is no session. */
int64_t roam_expiry_us(int64_t now_us, uint32_t lifetime_s);

/* Until when not to ask a peer again for a device, after a refusal or stop with this Lifetime: 0
 * lifts what there was, absence leaves `until_us` as it is. */
int64_t roam_hold_off_us(int64_t until_us, int64_t now_us, bool present, uint32_t lifetime_s);
