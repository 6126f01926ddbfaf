/* firmware.h - TS006: what a device runs, and when it starts something else (port 203). */
#pragma once

#include "package/package.h"

extern const struct lw_commands pkg_firmware;

#define PKG_CID_DEV_VERSION         0x01 /* DevVersionReq has no payload */
#define PKG_CID_DEV_UPGRADE_IMAGE   0x04 /* nor has DevUpgradeImageReq */

#define PKG_REBOOT_NOW              0u
#define PKG_REBOOT_CANCEL           0xffffffffu
#define PKG_REBOOT_COUNTDOWN_CANCEL 0xffffffu
#define PKG_IMAGE_VALID             3 /* UpImageStatus: nextFWVersion follows */

struct pkg_dev_version_ans {
    uint32_t firmware, hardware;
};
struct pkg_dev_reboot_time_req {
    uint32_t reboot_time; /* GPS seconds, PKG_REBOOT_NOW (no answer), PKG_REBOOT_CANCEL */
};
struct pkg_dev_reboot_time_ans {
    uint32_t time_left_s; /* 0: the time made no sense */
};
struct pkg_dev_reboot_countdown { /* the request and its answer */
    uint32_t countdown_s;         /* PKG_REBOOT_NOW, PKG_REBOOT_COUNTDOWN_CANCEL */
};
struct pkg_dev_upgrade_image_ans {
    uint8_t status;
    uint32_t next_firmware; /* only with PKG_IMAGE_VALID */
};
struct pkg_dev_delete_image_req {
    uint32_t firmware;
};
struct pkg_dev_delete_image_ans {
    uint8_t status; /* 0: deleted */
};

/* clang-format off */
PKG_TYPED(&pkg_firmware, dev_version_ans,          dev_version_ans,       LW_UP,   PKG_CID_DEV_VERSION)
PKG_TYPED(&pkg_firmware, dev_reboot_time_req,      dev_reboot_time_req,   LW_DOWN, 0x02)
PKG_TYPED(&pkg_firmware, dev_reboot_time_ans,      dev_reboot_time_ans,   LW_UP,   0x02)
PKG_TYPED(&pkg_firmware, dev_reboot_countdown_req, dev_reboot_countdown,  LW_DOWN, 0x03)
PKG_TYPED(&pkg_firmware, dev_reboot_countdown_ans, dev_reboot_countdown,  LW_UP,   0x03)
PKG_TYPED(&pkg_firmware, dev_upgrade_image_ans,    dev_upgrade_image_ans, LW_UP,   PKG_CID_DEV_UPGRADE_IMAGE)
PKG_TYPED(&pkg_firmware, dev_delete_image_req,     dev_delete_image_req,  LW_DOWN, 0x05)
PKG_TYPED(&pkg_firmware, dev_delete_image_ans,     dev_delete_image_ans,  LW_UP,   0x05)
/* clang-format on */
