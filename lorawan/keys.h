/*
 * keys.h - session keys from root keys (TS001 6.2.3, 6.2.5 in 1.0.x; mac-layer reference 3.1).
 * Pure; the caller wipes what it no longer needs (lw_key_wipe).
 */
#pragma once

#include "lorawan/types.h"

struct lw_session_keys {
    struct lw_key f_nwk_s_int; /* 1.0: all three are NwkSKey */
    struct lw_key s_nwk_s_int;
    struct lw_key nwk_s_enc;
    struct lw_key app_s_key;
};

/* What both sides know after a join. */
struct lw_join_values {
    uint32_t join_nonce; /* 24 bits; AppNonce in 1.0.x */
    struct lw_net_id net_id;
    struct lw_eui join_eui;
    uint16_t dev_nonce; /* RJcount after a rejoin */
};

/* 1.0.x (root is AppKey) and 1.1 devices joined with OptNeg 0 (root is NwkKey). */
void lw_keys_10(const struct lw_key *root, const struct lw_join_values *values,
                struct lw_session_keys *keys);

/* 1.1 with OptNeg 1. */
void lw_keys_11(const struct lw_key *nwk_key, const struct lw_key *app_key,
                const struct lw_join_values *values, struct lw_session_keys *keys);

void lw_js_int_key(const struct lw_key *nwk_key, struct lw_eui dev_eui, struct lw_key *key);
void lw_js_enc_key(const struct lw_key *nwk_key, struct lw_eui dev_eui, struct lw_key *key);

/* TS011: from NwkSEncKey (1.0: NwkSKey). */
void lw_root_wor_s_key(const struct lw_key *nwk_s_enc_key, struct lw_key *key);

void lw_session_keys_wipe(struct lw_session_keys *keys);
