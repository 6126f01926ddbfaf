/*
 * rejoin.h - Rejoin-Requests of LoRaWAN 1.1 (TS001-1.1 6.2.4, 5.13, 5.14; mac-layer reference 1.8,
 * 3.7, 3.8): who may answer them, with which keys, what they change, and when a network asks for
 * one. Frames: lorawan/frame.h; keys: lorawan/keys.h; the join server's part: js/. Pure.
 *
 * Types: 0 begins a new session with fresh radio parameters, 1 is a join on top of a live session
 * to whatever network hears it, 2 changes keys and DevAddr alone. The answer is a join-accept in
 * the windows of joins.
 */
#pragma once

#include "lorawan/frame.h"
#include "lorawan/mac.h"

/* ---- counters -------------------------------------------------------------------------------- */

#define LW_REJOIN_COUNTS 0x10000u /* all are spent: the device sends none any more */

/* RJcount0 (types 0 and 2, begins anew with each session) and RJcount1 (type 1, never does) must
 * grow, with gaps. `next` is the least that is accepted, 0 at first, and moves on. False: used. */
bool lw_rejoin_count_take(uint32_t *next, uint16_t rj_count);

/* ---- request and answer ---------------------------------------------------------------------- */

/* Whether a request is for this network: types 0 and 2 name their home network, type 1 any. */
bool lw_rejoin_is_for(const struct lw_rejoin *rejoin, struct lw_net_id net_id);

/* The MIC of a rejoin frame: types 0 and 2 by the session's SNwkSIntKey, 1 by JSIntKey; NULL for a
 * key that is not there. In constant time. */
bool lw_rejoin_mic_good(const struct lw_frame *frame, const struct lw_key *s_nwk_s_int,
                        const struct lw_key *js_int);

/* How the join-accept that answers is signed and encrypted. A type 0 or 2 does not name the
 * JoinEUI; the device's is given. */
struct lw_join_context lw_rejoin_context(const struct lw_rejoin *rejoin, struct lw_eui join_eui,
                                         const struct lw_key *js_int, const struct lw_key *js_enc);

/* What of a device's context an answer changes, from the first uplink under the new keys on. Keys
 * and DevAddr are always new; frame counters and RJcount0 begin at 0. */
struct lw_rejoin_effect {
    bool resets_radio; /* channels, data rate, power, receive windows: as after a join */
    bool may_have_cflist;
    bool keeps_queue; /* downlinks that wait stay valid (their payloads are encrypted anew) */
};
struct lw_rejoin_effect lw_rejoin_effect(unsigned type);

/* ---- RejoinParamSetupReq: how often a device sends type 0 by itself -------------------------- */

uint32_t lw_rejoin_max_count(unsigned max_count_n); /* uplinks, 2^4..2^19 */
uint32_t lw_rejoin_max_time_s(unsigned max_time_n); /* seconds, 2^10..2^25 */
/* The setting that asks at least as often as each of these, or as often as there is. */
struct lw_rejoin_param_setup_req lw_rejoin_params(uint32_t uplinks, uint32_t seconds);

/* ---- ForceRejoinReq: one now ----------------------------------------------------------------- */

#define LW_FORCE_REJOIN_RAND_S 32 /* up to so many seconds are added to each pause */

/* Seconds from one request to the next while none is answered: 32 * 2^period, without the random
 * part. */
uint32_t lw_force_rejoin_pause_s(unsigned period);
/* The longest time from the command to the last request; before that the network need not ask
 * again. Max_Retries 0 is one request without repetition. */
uint32_t lw_force_rejoin_lasts_s(const struct lw_force_rejoin_req *req);

/* What the decision looks at. */
struct lw_rejoin_view {
    uint8_t version; /* enum lw_version of the session */
    bool is_otaa;
    bool wants_address;  /* the DevAddr should be another: prefix given up, too many share it */
    bool radio_in_doubt; /* what the device uses is not known any more */
    uint32_t fcnt_up, nfcnt_down, afcnt_down; /* the next ones */
    uint32_t rj_count0;                       /* the next one, LW_REJOIN_COUNTS: none is left */
    uint32_t age_s, rekey_after_s;            /* of the session's keys; 0: whatever their age */
    uint32_t since_asked_s;                   /* UINT32_MAX: never */
    struct lw_force_rejoin_req asked;
};

/* From here on a counter's session must end soon. */
#define LW_FCNT_LATE     0xffffff00u
#define LW_RJ_COUNT_LATE 0xff00u

/* The type of rejoin that the session needs: 0, 2, or -1 for none (or none that the device could
 * send). */
int lw_rejoin_needed(const struct lw_rejoin_view *view);
/* The same, unless a request that was forced may still come. */
int lw_rejoin_to_force(const struct lw_rejoin_view *view);
/* Whether a request that came is worth an answer: types 1 and 2 always; a type 0, which devices
 * send by habit, if the session needs any, and if it was the last that the device could send. */
bool lw_rejoin_is_answered(const struct lw_rejoin_view *view, unsigned type);
