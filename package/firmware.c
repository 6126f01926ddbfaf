/* firmware.c - the rows of TS006. */
#include "package/firmware.h"

#include "package/rows.h"

static size_t image_more(const uint8_t *fixed)
{
    return fixed[0] == PKG_IMAGE_VALID ? sizeof(uint32_t) : 0;
}

/* clang-format off */
static const struct lw_command rows[] = {
    PKG_VERSION_ROWS,
    PKG_UP(PKG_CID_DEV_VERSION, 8, 1, 0, "DevVersionAns", pkg_dev_version_ans,
        LW_NUM(pkg_dev_version_ans, firmware, 0, 32),
        LW_NUM(pkg_dev_version_ans, hardware, 32, 32)),
    PKG_BARE(PKG_CID_DEV_VERSION, LW_DOWN, 1, "DevVersionReq"),
    PKG_UP(0x02, 4, 1, 0, "DevRebootTimeAns", pkg_dev_reboot_time_ans,
        LW_NUM(pkg_dev_reboot_time_ans, time_left_s, 0, 32)),
    PKG_DOWN(0x02, 4, 1, 0, "DevRebootTimeReq", pkg_dev_reboot_time_req,
        LW_TIME(pkg_dev_reboot_time_req, reboot_time, 0)),
    PKG_UP(0x03, 3, 1, 0, "DevRebootCountdownAns", pkg_dev_reboot_countdown,
        LW_NUM(pkg_dev_reboot_countdown, countdown_s, 0, 24)),
    PKG_DOWN(0x03, 3, 1, 0, "DevRebootCountdownReq", pkg_dev_reboot_countdown,
        LW_NUM(pkg_dev_reboot_countdown, countdown_s, 0, 24)),
    PKG_ROW(PKG_CID_DEV_UPGRADE_IMAGE, LW_UP, 1, 0, 1, 0, "DevUpgradeImageAns",
        pkg_dev_upgrade_image_ans, image_more,
        LW_NUM(pkg_dev_upgrade_image_ans, status, 0, 8),
        LW_NUM(pkg_dev_upgrade_image_ans, next_firmware, 8, 32)),
    PKG_BARE(PKG_CID_DEV_UPGRADE_IMAGE, LW_DOWN, 1, "DevUpgradeImageReq"),
    PKG_UP(0x05, 1, 1, 0, "DevDeleteImageAns", pkg_dev_delete_image_ans,
        LW_NUM(pkg_dev_delete_image_ans, status, 0, 8)),
    PKG_DOWN(0x05, 4, 1, 0, "DevDeleteImageReq", pkg_dev_delete_image_req,
        LW_NUM(pkg_dev_delete_image_req, firmware, 0, 32)),
};
/* clang-format on */

const struct lw_commands pkg_firmware = {rows, sizeof(rows) / sizeof(rows[0])};
