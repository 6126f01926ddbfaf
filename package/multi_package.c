/* multi_package.c - the rows of TS007. */
#include "package/multi_package.h"

#include "package/rows.h"

#define PACKAGE_LEN 3

static size_t packages_more(const uint8_t *fixed)
{
    return PACKAGE_LEN * (size_t)(fixed[0] & PKG_DEV_PACKAGES);
}

/* clang-format off */
static const struct lw_field package_fields[] = {
    LW_NUM(pkg_dev_package, id, 0, 8),
    LW_NUM(pkg_dev_package, version, 8, 8),
    LW_NUM(pkg_dev_package, port, 16, 8),
    {0},
};
static const struct lw_command package_item = {
    .length = PACKAGE_LEN, .name = "package", .size = sizeof(struct pkg_dev_package), .fields = package_fields};

static const struct lw_command rows[] = {
    PKG_VERSION_ROWS,
    PKG_ROW(PKG_CID_DEV_PACKAGE, LW_UP, 1, 0, 1, 0, "DevPackageAns", pkg_dev_package_ans, packages_more,
        LW_NUM(pkg_dev_package_ans, count, 0, 3),
        LW_ITEMS(pkg_dev_package_ans, list, 8, &package_item)),
    PKG_BARE(PKG_CID_DEV_PACKAGE, LW_DOWN, 1, "DevPackageReq"),
    PKG_ROW(0x02, LW_UP, 0, LW_COMMAND_TO_END, 1, 0, "MultiPackBufferAns", pkg_multi_buffer_ans, NULL,
        LW_TAIL(pkg_multi_buffer_ans, piece, 0)),
    PKG_DOWN(0x02, 2, 1, 0, "MultiPackBufferReq", pkg_multi_buffer_req,
        LW_NUM(pkg_multi_buffer_req, start, 0, 8),
        LW_NUM(pkg_multi_buffer_req, stop, 8, 8)),
};
/* clang-format on */

const struct lw_commands pkg_multi_package = {rows, sizeof(rows) / sizeof(rows[0])};
