/* clock_sync.c - the rows of TS003, and the answer. */
#include "package/clock_sync.h"

#include "package/rows.h"

/* clang-format off */
static const struct lw_command rows[] = {
    PKG_VERSION_ROWS,
    PKG_UP(0x01, 5, 1, 0, "AppTimeReq", pkg_app_time_req,
        LW_TIME(pkg_app_time_req, device_time, 0),
        LW_NUM(pkg_app_time_req, token, 32, 4),
        LW_NUM(pkg_app_time_req, ans_required, 36, 1)),
    PKG_DOWN(0x01, 5, 1, 0, "AppTimeAns", pkg_app_time_ans,
        LW_SIGNED(pkg_app_time_ans, correction_s, 0, 32),
        LW_NUM(pkg_app_time_ans, token, 32, 4)),
    PKG_UP(0x02, 5, 1, 0, "DeviceAppTimePeriodicityAns", pkg_app_time_periodicity_ans,
        LW_NUM(pkg_app_time_periodicity_ans, not_supported, 0, 1),
        LW_TIME(pkg_app_time_periodicity_ans, device_time, 8)),
    PKG_DOWN(0x02, 1, 1, 0, "DeviceAppTimePeriodicityReq", pkg_app_time_periodicity_req,
        LW_NUM(pkg_app_time_periodicity_req, period, 0, 4)),
    PKG_DOWN(0x03, 1, 1, 1, "ForceDeviceResyncReq", pkg_force_resync,
        LW_NUM(pkg_force_resync, transmissions, 0, 3)),
    PKG_DOWN(0x03, 1, 2, 0, "ForceDeviceResyncCmd", pkg_force_resync,
        LW_NUM(pkg_force_resync, transmissions, 0, 3)),
};
/* clang-format on */

const struct lw_commands pkg_clock_sync = {rows, sizeof(rows) / sizeof(rows[0])};

/* A clock that never was set may be decades behind, more than the answer can say. */
bool pkg_app_time_answer(const struct pkg_app_time_req *req, int64_t gps_s,
                         struct pkg_app_time_ans *ans)
{
    int64_t correction = gps_s - req->device_time;

    if (correction > INT32_MAX)
        correction = INT32_MAX;
    if (correction < INT32_MIN)
        correction = INT32_MIN;
    *ans = (struct pkg_app_time_ans){(int32_t)correction, req->token};
    return correction != 0 || req->ans_required;
}
