/* fragmentation.c - the rows of TS004. */
#include "package/fragmentation.h"

#include "package/rows.h"

/* clang-format off */
#define SETUP_REQ                                                                                  \
    LW_NUM(pkg_frag_setup_req, index, 4, 2),                                                       \
    LW_NUM(pkg_frag_setup_req, mc_groups, 0, 4),                                                   \
    LW_NUM(pkg_frag_setup_req, nb_frag, 8, 16),                                                    \
    LW_NUM(pkg_frag_setup_req, frag_size, 24, 8),                                                  \
    LW_NUM(pkg_frag_setup_req, algorithm, 35, 3),                                                  \
    LW_NUM(pkg_frag_setup_req, block_ack_delay, 32, 3),                                            \
    LW_NUM(pkg_frag_setup_req, padding, 40, 8),                                                    \
    LW_OCTETS(pkg_frag_setup_req, descriptor, 48, 32)
#define SETUP_ANS                                                                                  \
    LW_NUM(pkg_frag_setup_ans, index, 6, 2),                                                       \
    LW_NUM(pkg_frag_setup_ans, algorithm_unsupported, 0, 1),                                       \
    LW_NUM(pkg_frag_setup_ans, no_memory, 1, 1),                                                   \
    LW_NUM(pkg_frag_setup_ans, index_unsupported, 2, 1),                                           \
    LW_NUM(pkg_frag_setup_ans, wrong_descriptor, 3, 1)

static const struct lw_command rows[] = {
    PKG_VERSION_ROWS,
    PKG_UP(0x01, 4, 1, 1, "FragSessionStatusAns", pkg_frag_status_ans,
        LW_NUM(pkg_frag_status_ans, index, 14, 2),
        LW_NUM(pkg_frag_status_ans, received, 0, 14),
        LW_NUM(pkg_frag_status_ans, missing, 16, 8),
        LW_NUM(pkg_frag_status_ans, memory_error, 24, 1)),
    PKG_UP(0x01, 4, 2, 0, "FragSessionStatusAns", pkg_frag_status_ans,
        LW_NUM(pkg_frag_status_ans, index, 22, 2),
        LW_NUM(pkg_frag_status_ans, received, 8, 14),
        LW_NUM(pkg_frag_status_ans, missing, 24, 8),
        LW_NUM(pkg_frag_status_ans, memory_error, 0, 1),
        LW_NUM(pkg_frag_status_ans, mic_error, 1, 1),
        LW_NUM(pkg_frag_status_ans, no_session, 2, 1)),
    PKG_DOWN(0x01, 1, 1, 0, "FragSessionStatusReq", pkg_frag_status_req,
        LW_NUM(pkg_frag_status_req, index, 1, 2),
        LW_NUM(pkg_frag_status_req, participants, 0, 1)),
    PKG_UP(0x02, 1, 1, 1, "FragSessionSetupAns", pkg_frag_setup_ans, SETUP_ANS),
    PKG_UP(0x02, 1, 2, 0, "FragSessionSetupAns", pkg_frag_setup_ans, SETUP_ANS,
        LW_NUM(pkg_frag_setup_ans, session_cnt_replay, 4, 1)),
    PKG_DOWN(0x02, 10, 1, 1, "FragSessionSetupReq", pkg_frag_setup_req, SETUP_REQ),
    PKG_DOWN(0x02, 16, 2, 0, "FragSessionSetupReq", pkg_frag_setup_req, SETUP_REQ,
        LW_NUM(pkg_frag_setup_req, ack_reception, 38, 1),
        LW_NUM(pkg_frag_setup_req, session_cnt, 80, 16),
        LW_NUM(pkg_frag_setup_req, mic, 96, 32)),
    PKG_UP(0x03, 1, 1, 0, "FragSessionDeleteAns", pkg_frag_delete_ans,
        LW_NUM(pkg_frag_delete_ans, index, 0, 2),
        LW_NUM(pkg_frag_delete_ans, no_session, 2, 1)),
    PKG_DOWN(0x03, 1, 1, 0, "FragSessionDeleteReq", pkg_frag_delete_req,
        LW_NUM(pkg_frag_delete_req, index, 0, 2)),
    PKG_UP(0x04, 1, 2, 0, "FragDataBlockReceivedReq", pkg_frag_received_req,
        LW_NUM(pkg_frag_received_req, index, 0, 2),
        LW_NUM(pkg_frag_received_req, mic_error, 2, 1)),
    PKG_DOWN(0x04, 1, 2, 0, "FragDataBlockReceivedAns", pkg_frag_received_ans,
        LW_NUM(pkg_frag_received_ans, index, 0, 2)),
    PKG_ROW(0x08, LW_DOWN, 2, LW_COMMAND_TO_END, 1, 0, "DataFragment", pkg_data_fragment, NULL,
        LW_NUM(pkg_data_fragment, index, 14, 2),
        LW_NUM(pkg_data_fragment, n, 0, 14),
        LW_TAIL(pkg_data_fragment, data, 16)),
};
/* clang-format on */

const struct lw_commands pkg_fragmentation = {rows, sizeof(rows) / sizeof(rows[0])};
