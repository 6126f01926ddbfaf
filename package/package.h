/*
 * package.h - the application-layer packages (TS003..TS007, TS009; mac-layer reference 8): which
 * there are, and the commands of a payload.
 *
 * A package speaks on its port, by commands as the MAC does: rows per package, direction and
 * version (lorawan/command.h), each package in a file of its own. Its version is what the device
 * answered to PackageVersionReq; forms that changed have a row for each. Pure.
 */
#pragma once

#include "lorawan/command.h"

#define PKG_VERSION_NEWEST 0xff /* a version later than all that are known */

enum pkg_id {
    PKG_MULTI_PACKAGE = 0,   /* TS007 */
    PKG_CLOCK_SYNC = 1,      /* TS003 */
    PKG_MULTICAST_SETUP = 2, /* TS005 */
    PKG_FRAGMENTATION = 3,   /* TS004 */
    PKG_FIRMWARE = 4,        /* TS006 */
    PKG_CERTIFICATION = 6,   /* TS009 */
};

struct pkg {
    uint8_t id;      /* PackageIdentifier, enum pkg_id */
    uint8_t port;    /* where it speaks unless the device says otherwise (TS007 DevPackageAns) */
    uint8_t version; /* the last one known */
    const char *name;
    const struct lw_commands *commands;
};

/* NULL if there is none. */
const struct pkg *pkg_by_id(unsigned id);
const struct pkg *pkg_by_port(int port);

/* CID 0 of every package. */
struct pkg_version_ans {
    uint8_t package_id, package_version;
};

/* ---- the commands of a payload --------------------------------------------------------------- */

/* Any package's payload, that of the multi-package port too: there an octet with bit 7 set names
 * the package that the following commands are of, and the last octet is a token. */
struct pkg_iter {
    const struct pkg *pkg; /* of the command that pkg_next gave last */
    struct lw_cmd_iter commands;
    bool is_multi;
    uint8_t token; /* multi-package only */
};

/* `version` is that of the port's package; of the others on the multi-package port the newest. */
struct pkg_iter pkg_iter_of(const struct pkg *pkg, unsigned version, struct bytes payload,
                            enum lw_direction direction);
/* False at the end: commands.stop and commands.at tell why and where. */
bool pkg_next(struct pkg_iter *iter, struct lw_cmd *cmd);

/* The other way, on the multi-package port: names the package of the commands that follow. They end
 * with the token, an octet. An id that there is not fails the writer. */
void pkg_mark_write(struct wr *wr, unsigned id);

/* ---- reading and writing one command --------------------------------------------------------- */
/* Every package's header has a list X(name, tag, direction, cid) of its commands; from it come
 * pkg_<name>_write(wr, version, &struct), which fails the writer if a member does not fit, there is
 * no room, or the version has no such command; and pkg_<name>_read(payload, version, &struct),
 * false if it is too short or the version has no such command. */

void pkg_write(const struct lw_commands *of, enum lw_direction direction, uint8_t cid,
               unsigned version, struct wr *wr, const void *from);
bool pkg_read(const struct lw_commands *of, enum lw_direction direction, uint8_t cid,
              unsigned version, struct bytes payload, void *to);

/* clang-format off */
#define PKG_TYPED(of, name, tag, direction, cid)                                                   \
    static inline void pkg_##name##_write(struct wr *wr, unsigned version, const struct pkg_##tag *from) \
    {                                                                                              \
        pkg_write(of, direction, cid, version, wr, from);                                          \
    }                                                                                              \
    static inline bool pkg_##name##_read(struct bytes payload, unsigned version, struct pkg_##tag *to) \
    {                                                                                              \
        return pkg_read(of, direction, cid, version, payload, to);                                 \
    }
/* clang-format on */

/* Commands without payload. */
void pkg_bare_write(struct wr *wr, const struct lw_commands *of, enum lw_direction direction,
                    uint8_t cid, unsigned version);
