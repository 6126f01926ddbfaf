/*
 * multicast.h - keys and frames of multicast groups (TS005 4; mac-layer reference 7.5).
 *
 * A group has one McKey; the server sends it to each member under that member's McKEKey. Frames are
 * unconfirmed downlinks to the group's McAddr with a counter of its own. Pure; the caller wipes
 * what it no longer needs.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/types.h"

/* A member's root: from its GenAppKey if it speaks 1.0.x, from its AppKey if 1.1. */
void lw_mc_root_key_10(const struct lw_key *gen_app_key, struct lw_key *mc_root_key);
void lw_mc_root_key_11(const struct lw_key *app_key, struct lw_key *mc_root_key);

void lw_mc_ke_key(const struct lw_key *mc_root_key, struct lw_key *mc_ke_key);

/* McKey as McGroupSetupReq carries it (encrypted by AES decrypt, so that a member needs the
 * encrypting half only), and as a member reads it. */
void lw_mc_key_seal(const struct lw_key *mc_ke_key, const struct lw_key *mc_key,
                    struct lw_key *sealed);
void lw_mc_key_open(const struct lw_key *mc_ke_key, const struct lw_key *sealed,
                    struct lw_key *mc_key);

struct lw_mc_keys {
    struct lw_key nwk_s_key, app_s_key;
};

void lw_mc_keys(const struct lw_key *mc_key, struct lw_dev_addr mc_addr, struct lw_mc_keys *keys);
void lw_mc_keys_wipe(struct lw_mc_keys *keys);

struct lw_mc_frame {
    struct lw_dev_addr mc_addr;
    uint32_t fcnt; /* McFCntDown, one for all gateways; never used twice */
    uint8_t port;  /* an application's: neither 0 nor that of relays */
    struct bytes payload;
};

/* The PHYPayload: no FCtrl bits, no FOpts, MIC of 1.0 whatever the members' version. ERR_INVALID:
 * the port, or a payload longer than any; ERR_LIMIT: no room. */
MUST_CHECK enum err lw_mc_frame_write(struct wr *wr, const struct lw_mc_frame *frame,
                                      const struct lw_mc_keys *keys);
