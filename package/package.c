/* package.c - the list of packages, and payloads of one or several of them. */
#include "package/package.h"

#include "package/certification.h"
#include "package/clock_sync.h"
#include "package/firmware.h"
#include "package/fragmentation.h"
#include "package/multi_package.h"
#include "package/multicast_setup.h"

#define PACKAGE_MARK 0x80 /* multi-package: this octet is no CID but names a package */

/* clang-format off */
static const struct pkg packages[] = {
    {PKG_MULTI_PACKAGE,   225, 1, "multi-package access (TS007)",   &pkg_multi_package},
    {PKG_CLOCK_SYNC,      202, 2, "clock synchronization (TS003)",  &pkg_clock_sync},
    {PKG_MULTICAST_SETUP, 200, 2, "multicast setup (TS005)",        &pkg_multicast_setup},
    {PKG_FRAGMENTATION,   201, 2, "fragmented transport (TS004)",   &pkg_fragmentation},
    {PKG_FIRMWARE,        203, 1, "firmware management (TS006)",    &pkg_firmware},
    {PKG_CERTIFICATION,   224, 1, "certification protocol (TS009)", &pkg_certification},
};
/* clang-format on */

#define PACKAGES (sizeof(packages) / sizeof(packages[0]))

const struct pkg *pkg_by_id(unsigned id)
{
    for (size_t i = 0; i < PACKAGES; i++) {
        if (packages[i].id == id)
            return &packages[i];
    }
    return NULL;
}

const struct pkg *pkg_by_port(int port)
{
    for (size_t i = 0; i < PACKAGES; i++) {
        if (packages[i].port == port)
            return &packages[i];
    }
    return NULL;
}

struct pkg_iter pkg_iter_of(const struct pkg *pkg, unsigned version, struct bytes payload,
                            enum lw_direction direction)
{
    struct pkg_iter iter = {.pkg = pkg, .is_multi = pkg->id == PKG_MULTI_PACKAGE};

    if (iter.is_multi && payload.n)
        iter.token = payload.p[--payload.n];
    iter.commands = (struct lw_cmd_iter){.table = pkg->commands,
                                         .stream = payload,
                                         .direction = (uint8_t)direction,
                                         .version = (uint8_t)version};
    return iter;
}

/* Goes on to the package named at the iterator's place. */
static bool change_package(struct pkg_iter *iter)
{
    struct lw_cmd_iter *commands = &iter->commands;
    const struct pkg *pkg = pkg_by_id(commands->stream.p[commands->at] & ~PACKAGE_MARK & 0xffu);

    if (!pkg) {
        commands->stop = LW_CMD_UNKNOWN;
        return false;
    }
    iter->pkg = pkg;
    commands->table = pkg->commands;
    commands->version = PKG_VERSION_NEWEST;
    commands->at++;
    return true;
}

bool pkg_next(struct pkg_iter *iter, struct lw_cmd *cmd)
{
    struct lw_cmd_iter *commands = &iter->commands;

    while (iter->is_multi && commands->at < commands->stream.n &&
           commands->stream.p[commands->at] & PACKAGE_MARK) {
        if (!change_package(iter))
            return false;
    }
    return lw_cmd_next(commands, cmd);
}

void pkg_mark_write(struct wr *wr, unsigned id)
{
    if (pkg_by_id(id))
        wr_u8(wr, (uint8_t)(PACKAGE_MARK | id));
    else
        wr->failed = true;
}

void pkg_write(const struct lw_commands *of, enum lw_direction direction, uint8_t cid,
               unsigned version, struct wr *wr, const void *from)
{
    const struct lw_command *def = lw_command_find(of, direction, cid, version);

    if (def)
        lw_command_write(def, wr, from);
    else
        wr->failed = true;
}

bool pkg_read(const struct lw_commands *of, enum lw_direction direction, uint8_t cid,
              unsigned version, struct bytes payload, void *to)
{
    const struct lw_command *def = lw_command_find(of, direction, cid, version);

    return def && lw_command_read(def, payload, to);
}

void pkg_bare_write(struct wr *wr, const struct lw_commands *of, enum lw_direction direction,
                    uint8_t cid, unsigned version)
{
    const struct lw_command *def = lw_command_find(of, direction, cid, version);

    if (def && !def->size)
        lw_command_write(def, wr, NULL);
    else
        wr->failed = true;
}
