/*
 * answer.c - the pure part of joining: MIC, nonce rules, keys, join-accept.
 *
 * Sources: TS001-1.0.4 6.2.3-6.2.5, TS001-1.1 6.2; mac-layer reference 1.6, 1.7, 3.1, 3.3.
 */
#include "js/js.h"

#include <string.h>

#define JOIN_NONCE_MAX 0xffffffu

static bool is_11(const struct js_request *request)
{
    return request->version >= LW_1_1_0;
}

/* 1.0.4 and 1.1 count; before, any value that was never used. */
static enum drop check_nonce(const struct js_device *device, const struct js_request *request)
{
    if (device->state.join_nonce >= JOIN_NONCE_MAX)
        return DROP_JOIN_NONCE_SPENT;
    if (request->version >= LW_1_0_4)
        return (int32_t)request->join.dev_nonce > device->state.last_dev_nonce
                   ? DROP_NONE
                   : DROP_DEV_NONCE_USED;
    return device->nonce_used ? DROP_DEV_NONCE_USED : DROP_NONE;
}

static enum drop check_mic(const struct lw_key *key, const struct js_request *request)
{
    struct bytes msg = {request->phy, sizeof(request->phy) - LW_MIC_LEN};

    return lw_mic_plain(key, msg) == request->mic ? DROP_NONE : DROP_JOIN_MIC;
}

static void derive(const struct js_device *device, struct js_request *request)
{
    struct lw_join_values values = {.join_nonce = request->state.join_nonce,
                                    .net_id = request->net_id,
                                    .join_eui = request->join.join_eui,
                                    .dev_nonce = request->join.dev_nonce};

    if (is_11(request))
        lw_keys_11(&device->keys.nwk_key, &device->keys.app_key, &values, &request->keys);
    else
        lw_keys_10(&device->keys.app_key, &values, &request->keys);
}

static enum err write_accept(const struct js_device *device, const struct lw_key *root,
                             struct js_request *request)
{
    struct lw_key js_int = {{0}};
    struct lw_join_accept accept = {.join_nonce = request->state.join_nonce,
                                    .net_id = request->net_id,
                                    .dev_addr = request->dev_addr,
                                    .opt_neg = is_11(request),
                                    .rx1_dr_offset = request->rx1_dr_offset,
                                    .rx2_dr = request->rx2_dr,
                                    .rx_delay = request->rx_delay,
                                    .has_cflist = request->has_cflist};
    struct lw_join_context context = {.mic = is_11(request) ? &js_int : root,
                                      .enc = root,
                                      .request = LW_REQUEST_JOIN,
                                      .join_eui = request->join.join_eui,
                                      .nonce = request->join.dev_nonce};
    struct wr wr = wr_of(request->accept, sizeof(request->accept));
    enum err err;

    memcpy(accept.cflist, request->cflist, sizeof(accept.cflist));
    if (is_11(request))
        lw_js_int_key(&device->keys.nwk_key, request->join.dev_eui, &js_int);
    err = lw_join_accept_write(&wr, &accept, &context);
    request->accept_n = (uint8_t)wr_len(&wr);
    lw_key_wipe(&js_int);
    return err;
}

void js_answer(const struct js_device *device, struct js_request *request)
{
    bool has = is_11(request) ? device->keys.has_nwk_key && device->keys.has_app_key
                              : device->keys.has_app_key;
    const struct lw_key *root = is_11(request) ? &device->keys.nwk_key : &device->keys.app_key;

    request->drop = has ? check_mic(root, request) : DROP_NO_KEYS;
    if (request->drop == DROP_NONE)
        request->drop = check_nonce(device, request);
    if (request->drop != DROP_NONE)
        return;
    request->state = (struct join_state){.join_nonce = device->state.join_nonce + 1,
                                         .last_dev_nonce = device->state.last_dev_nonce};
    request->add_nonce = request->version < LW_1_0_4;
    if (!request->add_nonce)
        request->state.last_dev_nonce = request->join.dev_nonce;
    derive(device, request);
    request->err = write_accept(device, root, request);
    if (request->err)
        request->drop = DROP_INTERNAL_ERROR;
}
