/* multicast_setup.c - the rows of TS005. */
#include "package/multicast_setup.h"

#include "package/rows.h"

#define GROUP_LEN 5 /* of the list in McGroupStatusAns */
#define ERRORS_V1 0x1c
#define ERRORS_V2 0x3c
#define TIME_LEN  3

static size_t groups_more(const uint8_t *fixed)
{
    return GROUP_LEN * (size_t)__builtin_popcount(fixed[0] & 0x0f);
}

static size_t session_more_v1(const uint8_t *fixed)
{
    return fixed[0] & ERRORS_V1 ? 0 : TIME_LEN;
}

static size_t session_more_v2(const uint8_t *fixed)
{
    return fixed[0] & ERRORS_V2 ? 0 : TIME_LEN;
}

/* clang-format off */
static const struct lw_field group_fields[] = {
    LW_NUM(pkg_mc_group, group, 0, 2),
    LW_DEVADDR(pkg_mc_group, mc_addr, 8),
    {0},
};
static const struct lw_command group_item = {
    .length = GROUP_LEN, .name = "group", .size = sizeof(struct pkg_mc_group), .fields = group_fields};

#define SESSION_ANS                                                                                \
    LW_NUM(pkg_mc_session_ans, group, 0, 2),                                                       \
    LW_NUM(pkg_mc_session_ans, dr_error, 2, 1),                                                    \
    LW_NUM(pkg_mc_session_ans, frequency_error, 3, 1),                                             \
    LW_NUM(pkg_mc_session_ans, undefined, 4, 1)
#define SESSION_START LW_NUM(pkg_mc_session_ans, time_to_start_s, 8, 24)
#define START_MISSED  LW_NUM(pkg_mc_session_ans, start_missed, 5, 1)

static const struct lw_command rows[] = {
    PKG_VERSION_ROWS,
    PKG_ROW(0x01, LW_UP, 1, 0, 1, 0, "McGroupStatusAns", pkg_mc_group_status_ans, groups_more,
        LW_NUM(pkg_mc_group_status_ans, total, 4, 3),
        LW_NUM(pkg_mc_group_status_ans, groups, 0, 4),
        LW_ITEMS(pkg_mc_group_status_ans, list, 8, &group_item)),
    PKG_DOWN(0x01, 1, 1, 0, "McGroupStatusReq", pkg_mc_group_status_req,
        LW_NUM(pkg_mc_group_status_req, groups, 0, 4)),
    PKG_UP(0x02, 1, 1, 0, "McGroupSetupAns", pkg_mc_group_setup_ans,
        LW_NUM(pkg_mc_group_setup_ans, group, 0, 2),
        LW_NUM(pkg_mc_group_setup_ans, id_error, 2, 1)),
    PKG_DOWN(0x02, 29, 1, 0, "McGroupSetupReq", pkg_mc_group_setup_req,
        LW_NUM(pkg_mc_group_setup_req, group, 0, 2),
        LW_DEVADDR(pkg_mc_group_setup_req, mc_addr, 8),
        LW_OCTETS(pkg_mc_group_setup_req, mc_key_encrypted, 40, 128),
        LW_NUM(pkg_mc_group_setup_req, min_fcnt, 168, 32),
        LW_NUM(pkg_mc_group_setup_req, max_fcnt, 200, 32)),
    PKG_UP(0x03, 1, 1, 0, "McGroupDeleteAns", pkg_mc_group_delete_ans,
        LW_NUM(pkg_mc_group_delete_ans, group, 0, 2),
        LW_NUM(pkg_mc_group_delete_ans, undefined, 2, 1)),
    PKG_DOWN(0x03, 1, 1, 0, "McGroupDeleteReq", pkg_mc_group_delete_req,
        LW_NUM(pkg_mc_group_delete_req, group, 0, 2)),
    PKG_ROW(0x04, LW_UP, 1, 0, 1, 1, "McClassCSessionAns", pkg_mc_session_ans, session_more_v1,
        SESSION_ANS, SESSION_START),
    PKG_ROW(0x04, LW_UP, 1, 0, 2, 0, "McClassCSessionAns", pkg_mc_session_ans, session_more_v2,
        SESSION_ANS, START_MISSED, SESSION_START),
    PKG_DOWN(0x04, 10, 1, 0, "McClassCSessionReq", pkg_mc_class_c_session_req,
        LW_NUM(pkg_mc_class_c_session_req, group, 0, 2),
        LW_TIME(pkg_mc_class_c_session_req, session_time, 8),
        LW_NUM(pkg_mc_class_c_session_req, timeout_exp, 40, 4),
        LW_FREQ(pkg_mc_class_c_session_req, frequency_hz, 48),
        LW_NUM(pkg_mc_class_c_session_req, dr, 72, 8)),
    PKG_ROW(0x05, LW_UP, 1, 0, 1, 1, "McClassBSessionAns", pkg_mc_session_ans, session_more_v1,
        SESSION_ANS, SESSION_START),
    PKG_ROW(0x05, LW_UP, 1, 0, 2, 0, "McClassBSessionAns", pkg_mc_session_ans, session_more_v2,
        SESSION_ANS, START_MISSED, SESSION_START),
    PKG_DOWN(0x05, 10, 1, 0, "McClassBSessionReq", pkg_mc_class_b_session_req,
        LW_NUM(pkg_mc_class_b_session_req, group, 0, 2),
        LW_TIME(pkg_mc_class_b_session_req, session_time, 8),
        LW_NUM(pkg_mc_class_b_session_req, periodicity, 44, 3),
        LW_NUM(pkg_mc_class_b_session_req, timeout_exp, 40, 4),
        LW_FREQ(pkg_mc_class_b_session_req, frequency_hz, 48),
        LW_NUM(pkg_mc_class_b_session_req, dr, 72, 8)),
};
/* clang-format on */

const struct lw_commands pkg_multicast_setup = {rows, sizeof(rows) / sizeof(rows[0])};
