/* clock_sync.h - TS003: a device asks how wrong its clock is (port 202). Versions 1 and 2 differ in
 * a name only. */
#pragma once

#include "package/package.h"

extern const struct lw_commands pkg_clock_sync;

struct pkg_app_time_req {
    uint32_t device_time; /* GPS seconds by the device's clock */
    uint8_t token;
    bool ans_required; /* also if the clock is right */
};
struct pkg_app_time_ans {
    int32_t correction_s; /* to be added by the device */
    uint8_t token;        /* of the question */
};
struct pkg_app_time_periodicity_req {
    uint8_t period; /* ask every 128 * 2^period seconds or so */
};
struct pkg_app_time_periodicity_ans {
    bool not_supported;
    uint32_t device_time;
};
struct pkg_force_resync {
    uint8_t transmissions; /* ask so many times now; 0: not at all */
};

/* clang-format off */
PKG_TYPED(&pkg_clock_sync, app_time_req,             app_time_req,             LW_UP,   0x01)
PKG_TYPED(&pkg_clock_sync, app_time_ans,             app_time_ans,             LW_DOWN, 0x01)
PKG_TYPED(&pkg_clock_sync, app_time_periodicity_req, app_time_periodicity_req, LW_DOWN, 0x02)
PKG_TYPED(&pkg_clock_sync, app_time_periodicity_ans, app_time_periodicity_ans, LW_UP,   0x02)
PKG_TYPED(&pkg_clock_sync, force_resync,             force_resync,             LW_DOWN, 0x03)
/* clang-format on */

/* What to answer to a request whose uplink ended at `gps_s`; false: nothing, the clock is right and
 * no answer is required. Good for the windows of this uplink only, as the question ages. */
bool pkg_app_time_answer(const struct pkg_app_time_req *req, int64_t gps_s,
                         struct pkg_app_time_ans *ans);
