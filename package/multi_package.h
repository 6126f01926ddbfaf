/* multi_package.h - TS007: which packages a device has, and its answers in pieces (port 225).
 * Commands of several packages in one payload: pkg_iter. */
#pragma once

#include "package/package.h"

extern const struct lw_commands pkg_multi_package;

#define PKG_CID_DEV_PACKAGE 0x01 /* DevPackageReq has no payload */
#define PKG_DEV_PACKAGES    7

struct pkg_dev_package {
    uint8_t id, version, port;
};
struct pkg_dev_package_ans {
    uint8_t count;
    struct pkg_dev_package list[PKG_DEV_PACKAGES];
};
struct pkg_multi_buffer_req { /* octets of the device's buffer of answers */
    uint8_t start, stop;
};
struct pkg_multi_buffer_ans {
    struct bytes piece;
};

/* clang-format off */
PKG_TYPED(&pkg_multi_package, dev_package_ans,  dev_package_ans,  LW_UP,   PKG_CID_DEV_PACKAGE)
PKG_TYPED(&pkg_multi_package, multi_buffer_req, multi_buffer_req, LW_DOWN, 0x02)
PKG_TYPED(&pkg_multi_package, multi_buffer_ans, multi_buffer_ans, LW_UP,   0x02)
/* clang-format on */
