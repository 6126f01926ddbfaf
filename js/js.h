/*
 * js.h - the join server: root keys, nonces, the join-accept and session keys (TS001 6.2).
 *
 * A worker of its own with a reader of the store, since root keys are loaded only when needed. The
 * network server asks by message and gets an answer by message; the nonces to be used up come back
 * as values that the asker saves in the same change as the session (never twice: the store refuses
 * a used DevNonce and a JoinNonce that does not grow). js_answer is the pure part.
 *
 * DevNonce rules: 1.0.0-1.0.3 any value never used before with this JoinEUI, remembered for ever;
 * 1.0.4 and 1.1 a counter that grows (mac-layer reference 3.3).
 */
#pragma once

#include "core/worker.h"
#include "db/store.h"
#include "lorawan/frame.h"
#include "lorawan/keys.h"

/* A question and its answer. Heap; the asker frees it when it came back. */
struct js_request {
    struct mail mail;
    struct worker *reply_to;
    void (*reply)(struct worker *worker, struct mail *mail);
    void *owner;
    /* in */
    uint8_t phy[23];
    struct lw_join_request join;
    uint32_t mic;
    enum lw_version version;
    struct lw_net_id net_id;
    struct lw_dev_addr dev_addr;
    uint8_t rx1_dr_offset, rx2_dr, rx_delay;
    bool has_cflist;
    uint8_t cflist[16];
    /* out */
    enum drop drop; /* DROP_NONE: the rest is valid */
    enum err err;   /* the store failed: drop is DROP_STORE_AWAY or DROP_CORRUPT */
    uint8_t accept[LW_JOIN_ACCEPT_MAX];
    uint8_t accept_n;
    struct lw_session_keys keys;
    struct join_state state; /* to be saved by OP_JOIN_STATE */
    bool add_nonce;          /* to be saved by OP_NONCE_ADD as well */
};

/* What the store knows of a device that wants to join. */
struct js_device {
    struct device_keys keys;
    struct join_state state;
    bool nonce_used;
};

/* Pure: checks MIC and nonces, chooses the JoinNonce, derives keys, builds the accept. */
void js_answer(const struct js_device *device, struct js_request *request);

struct js;

/* Opens its reader. */
enum err js_new(struct store *store, struct clock *clock, struct js **js) MUST_CHECK;
void js_free(struct js *js);
struct worker *js_worker(struct js *js);

/* Asks; any thread. */
void js_ask(struct js *js, struct js_request *request);

/* Root keys as they are sealed in `device_keys`; ERR_CRYPTO, ERR_CORRUPT. */
enum err js_keys_open(const struct secret *secret, struct lw_eui dev_eui, struct bytes sealed,
                      struct device_keys *keys) MUST_CHECK;
enum err js_keys_seal(const struct secret *secret, struct lw_eui dev_eui,
                      const struct device_keys *keys, struct arena *arena,
                      struct bytes *sealed) MUST_CHECK;
