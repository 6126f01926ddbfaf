/* fragmentation.h - the commands of TS004: a block of data is sent in fragments (port 201). What is
 * in the fragments: package/fragment.h. */
#pragma once

#include "package/package.h"

extern const struct lw_commands pkg_fragmentation;

struct pkg_frag_status_req {
    bool participants; /* all answer, else those that miss fragments */
    uint8_t index;     /* of the session, 0..3 */
};
struct pkg_frag_status_ans {
    uint8_t index;
    uint16_t received;
    uint8_t missing; /* 255: that many or more */
    bool memory_error;
    bool mic_error, no_session; /* version 2 */
};
struct pkg_frag_setup_req {
    uint8_t index, mc_groups; /* bit i: also fragments that come to group i */
    uint16_t nb_frag;
    uint8_t frag_size, padding; /* octets of zero at the end of the last fragment */
    uint8_t algorithm, block_ack_delay;
    uint8_t descriptor[4]; /* the application's */
    /* version 2 */
    bool ack_reception;
    uint16_t session_cnt;
    uint32_t mic; /* of the block */
};
struct pkg_frag_setup_ans {
    uint8_t index;
    bool algorithm_unsupported, no_memory, index_unsupported, wrong_descriptor;
    bool session_cnt_replay; /* version 2 */
};
struct pkg_frag_delete_req {
    uint8_t index;
};
struct pkg_frag_delete_ans {
    uint8_t index;
    bool no_session;
};
struct pkg_frag_received_req { /* version 2: the device has the whole block */
    uint8_t index;
    bool mic_error;
};
struct pkg_frag_received_ans {
    uint8_t index;
};
struct pkg_data_fragment {
    uint8_t index;
    uint16_t n; /* 1..NbFrag as they are, above coded */
    struct bytes data;
};

/* clang-format off */
PKG_TYPED(&pkg_fragmentation, frag_status_req,   frag_status_req,   LW_DOWN, 0x01)
PKG_TYPED(&pkg_fragmentation, frag_status_ans,   frag_status_ans,   LW_UP,   0x01)
PKG_TYPED(&pkg_fragmentation, frag_setup_req,    frag_setup_req,    LW_DOWN, 0x02)
PKG_TYPED(&pkg_fragmentation, frag_setup_ans,    frag_setup_ans,    LW_UP,   0x02)
PKG_TYPED(&pkg_fragmentation, frag_delete_req,   frag_delete_req,   LW_DOWN, 0x03)
PKG_TYPED(&pkg_fragmentation, frag_delete_ans,   frag_delete_ans,   LW_UP,   0x03)
PKG_TYPED(&pkg_fragmentation, frag_received_req, frag_received_req, LW_UP,   0x04)
PKG_TYPED(&pkg_fragmentation, frag_received_ans, frag_received_ans, LW_DOWN, 0x04)
PKG_TYPED(&pkg_fragmentation, data_fragment,     data_fragment,     LW_DOWN, 0x08)
/* clang-format on */
