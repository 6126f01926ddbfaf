/*
 * material.h - what a join server makes of root keys: the join-accept and session keys for a
 * Join-Request and for Rejoin-Requests of type 0, 1 and 2 (TS001-1.1 6.2; TS002 JoinAns, RejoinAns;
 * mac-layer reference 1.7, 3.1, 3.7), each key in the wrapping of who receives it. Pure: nonces,
 * time and randomness are arguments. Whoever calls wipes what it got.
 */
#pragma once

#include "db/model.h"
#include "lorawan/frame.h"
#include "lorawan/keys.h"
#include "lorawan/keywrap.h"

/* Whose request it is. */
struct js_asked {
    uint8_t request;        /* LW_REQUEST_JOIN, or the rejoin type 0..2 */
    uint8_t device_version; /* enum lw_version: of the device */
    uint8_t version;        /* of the network (TS002 MACVersion); the lower of both counts */
    struct lw_eui join_eui, dev_eui;
    uint16_t nonce;      /* DevNonce; RJcount0 (types 0, 2), RJcount1 (type 1) */
    uint32_t join_nonce; /* the new one, greater than any before */
};

/* What the network wants the device to take. */
struct js_terms {
    struct lw_net_id net_id;
    struct lw_dev_addr dev_addr;
    uint8_t rx1_dr_offset, rx2_dr, rx_delay;
    bool has_cflist;
    uint8_t cflist[16];
};

struct js_material {
    uint8_t accept[LW_JOIN_ACCEPT_MAX]; /* PHYPayload, encrypted */
    uint8_t accept_n;
    struct lw_session_keys keys;
};

/* The root of a 1.1 device's session of 1.0.x (OptNeg 0) is NwkKey. DROP_NONE; DROP_NO_KEYS: a root
 * key is missing that this needs; DROP_REJOIN: a rejoin without 1.1 on both sides, or of type 2
 * with a CFList (it keeps its channels); DROP_INTERNAL_ERROR: terms that no join-accept can say. */
enum drop js_material_make(const struct device_keys *root, const struct js_asked *asked,
                           const struct js_terms *terms, struct js_material *material);

/* The MIC of a Join-Request or Rejoin-Request: DROP_NONE, DROP_JOIN_MIC, DROP_NO_KEYS. Types 0 and
 * 2 are signed with the session's SNwkSIntKey; without one (NULL) their network has checked them,
 * and they pass. Whether the counter grew is lw_rejoin_count_take's (lorawan/rejoin.h). */
enum drop js_mic_check(const struct device_keys *root, enum lw_version device_version,
                       const struct lw_key *s_nwk_s_int, const struct lw_frame *frame);

/* ---- for whom the keys are ------------------------------------------------------------------- */

#define JS_KEK_LABEL_MAX 64

/* A KEK that is agreed with a network or an application server. */
struct js_kek {
    const char *label; /* not empty */
    struct lw_kek kek;
};

/* TS002's KeyEnvelope. `n` 16: in clear, `label` is "". 24: wrapped. 0: not in this answer. */
struct js_envelope {
    const char *label; /* borrowed from the KEK */
    uint8_t n;
    uint8_t octets[LW_WRAPPED];
};

struct js_envelopes {
    struct js_envelope nwk_s_key;                           /* 1.0.x */
    struct js_envelope f_nwk_s_int, s_nwk_s_int, nwk_s_enc; /* 1.1 */
    struct js_envelope app_s_key;
};

/* NULL: no KEK is agreed, the key travels in clear within mutual TLS. */
void js_envelope_of(const struct js_kek *kek, const struct lw_key *key,
                    struct js_envelope *envelope);

/* The keys of a session as JoinAns and RejoinAns carry them: those of the network for the network,
 * AppSKey for the application. `version` is the session's, the lower one of device and network. */
void js_envelopes_of(enum lw_version version, const struct lw_session_keys *keys,
                     const struct js_kek *network, const struct js_kek *application,
                     struct js_envelopes *envelopes);
void js_envelopes_wipe(struct js_envelopes *envelopes);

/* ---- SessionKeyID ---------------------------------------------------------------------------- */

#define JS_SESSION_KEY_ID_LEN 16
#define JS_SESSION_KEY_RANDOM 10

/* TS002 leaves its form open. Ours: 48 bits of milliseconds since 1970 and 80 random bits, so that
 * ids sort by time and cannot be guessed (the form of a ULID, which other join servers use too). */
void js_session_key_id(int64_t utc_ms, const uint8_t random[JS_SESSION_KEY_RANDOM],
                       uint8_t id[JS_SESSION_KEY_ID_LEN]);
