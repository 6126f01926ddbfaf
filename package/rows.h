/*
 * rows.h - columns of the packages' tables: CID, octets that are always there, versions, name,
 * struct and fields. Rows stand in order of CID, uplink first, older versions first.
 */
#pragma once

#include "package/package.h"

/* clang-format off */
#define PKG_FIELDS(...) (const struct lw_field[]){__VA_ARGS__, {0}}
#define PKG_ROW(cid, dir, len, flags, since, until, name, type, more, ...)                         \
    {cid, dir, len, flags, since, until, name, sizeof(struct type), more, PKG_FIELDS(__VA_ARGS__)}
#define PKG_UP(cid, len, since, until, name, type, ...)                                            \
    PKG_ROW(cid, LW_UP, len, 0, since, until, name, type, NULL, __VA_ARGS__)
#define PKG_DOWN(cid, len, since, until, name, type, ...)                                          \
    PKG_ROW(cid, LW_DOWN, len, 0, since, until, name, type, NULL, __VA_ARGS__)
#define PKG_BARE(cid, dir, since, name) {cid, dir, 0, 0, since, 0, name, 0, NULL, PKG_FIELDS({0})}

/* What every package begins with. */
#define PKG_VERSION_ROWS                                                                           \
    PKG_UP(0x00, 2, 1, 0, "PackageVersionAns", pkg_version_ans,                                    \
        LW_NUM(pkg_version_ans, package_id, 0, 8),                                                 \
        LW_NUM(pkg_version_ans, package_version, 8, 8)),                                           \
    PKG_BARE(0x00, LW_DOWN, 1, "PackageVersionReq")
/* clang-format on */
