/* multicast_setup.h - TS005: groups are set up and told when to listen (port 200). The key travels
 * as lorawan/multicast.h seals it. */
#pragma once

#include "package/package.h"

extern const struct lw_commands pkg_multicast_setup;

#define PKG_MC_GROUPS 4 /* per device */

struct pkg_mc_group_status_req {
    uint8_t groups; /* bit i: group i */
};
struct pkg_mc_group {
    uint8_t group;
    struct lw_dev_addr mc_addr;
};
struct pkg_mc_group_status_ans {
    uint8_t total, groups;
    struct pkg_mc_group list[PKG_MC_GROUPS]; /* one for each bit of `groups` */
};
struct pkg_mc_group_setup_req {
    uint8_t group;
    struct lw_dev_addr mc_addr;
    struct lw_key mc_key_encrypted;
    uint32_t min_fcnt, max_fcnt; /* the next counter, and the last one that is accepted */
};
struct pkg_mc_group_setup_ans {
    uint8_t group;
    bool id_error;
};
struct pkg_mc_group_delete_req {
    uint8_t group;
};
struct pkg_mc_group_delete_ans {
    uint8_t group;
    bool undefined;
};
struct pkg_mc_class_c_session_req {
    uint8_t group;
    uint32_t session_time; /* GPS seconds */
    uint8_t timeout_exp;   /* at most 2^timeout_exp seconds */
    uint32_t frequency_hz;
    uint8_t dr;
};
struct pkg_mc_class_b_session_req {
    uint8_t group;
    uint32_t session_time;            /* GPS seconds, a multiple of 128 */
    uint8_t periodicity, timeout_exp; /* at most 128 * 2^timeout_exp seconds */
    uint32_t frequency_hz;
    uint8_t dr;
};
struct pkg_mc_session_ans {
    uint8_t group;
    bool dr_error, frequency_error, undefined;
    bool start_missed;        /* version 2 */
    uint32_t time_to_start_s; /* only without an error */
};

/* clang-format off */
PKG_TYPED(&pkg_multicast_setup, mc_group_status_req,    mc_group_status_req,    LW_DOWN, 0x01)
PKG_TYPED(&pkg_multicast_setup, mc_group_status_ans,    mc_group_status_ans,    LW_UP,   0x01)
PKG_TYPED(&pkg_multicast_setup, mc_group_setup_req,     mc_group_setup_req,     LW_DOWN, 0x02)
PKG_TYPED(&pkg_multicast_setup, mc_group_setup_ans,     mc_group_setup_ans,     LW_UP,   0x02)
PKG_TYPED(&pkg_multicast_setup, mc_group_delete_req,    mc_group_delete_req,    LW_DOWN, 0x03)
PKG_TYPED(&pkg_multicast_setup, mc_group_delete_ans,    mc_group_delete_ans,    LW_UP,   0x03)
PKG_TYPED(&pkg_multicast_setup, mc_class_c_session_req, mc_class_c_session_req, LW_DOWN, 0x04)
PKG_TYPED(&pkg_multicast_setup, mc_class_c_session_ans, mc_session_ans,         LW_UP,   0x04)
PKG_TYPED(&pkg_multicast_setup, mc_class_b_session_req, mc_class_b_session_req, LW_DOWN, 0x05)
PKG_TYPED(&pkg_multicast_setup, mc_class_b_session_ans, mc_session_ans,         LW_UP,   0x05)
/* clang-format on */
