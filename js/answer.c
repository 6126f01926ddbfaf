/*
 * answer.c - the pure part of joining: MIC, nonce rules, keys, join-accept.
 *
 * Sources: TS001-1.0.4 6.2.3-6.2.5, TS001-1.1 6.2; mac-layer reference 1.6, 1.7, 3.1, 3.3.
 */
#include "js/js.h"
#include "js/material.h"

#include <string.h>

#define JOIN_NONCE_MAX 0xffffffu

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

/* The question as the four requests have it in common, and the frame for its MIC. */
static struct js_asked asked_of(const struct js_request *request)
{
    return (struct js_asked){.request = LW_REQUEST_JOIN,
                             .device_version = (uint8_t)request->version,
                             .version = (uint8_t)request->version,
                             .join_eui = request->join.join_eui,
                             .dev_eui = request->join.dev_eui,
                             .nonce = request->join.dev_nonce,
                             .join_nonce = request->state.join_nonce};
}

static enum drop check_mic(const struct js_device *device, const struct js_request *request)
{
    struct lw_frame frame = {.msg = {request->phy, sizeof(request->phy) - LW_MIC_LEN},
                             .mic = request->mic,
                             .ftype = LW_JOIN_REQUEST};

    return js_mic_check(&device->keys, request->version, NULL, &frame);
}

static enum drop make(const struct js_device *device, struct js_request *request)
{
    struct js_asked asked = asked_of(request);
    struct js_terms terms = {.net_id = request->net_id,
                             .dev_addr = request->dev_addr,
                             .rx1_dr_offset = request->rx1_dr_offset,
                             .rx2_dr = request->rx2_dr,
                             .rx_delay = request->rx_delay,
                             .has_cflist = request->has_cflist};
    struct js_material material;
    enum drop drop;

    memcpy(terms.cflist, request->cflist, sizeof(terms.cflist));
    drop = js_material_make(&device->keys, &asked, &terms, &material);
    memcpy(request->accept, material.accept, sizeof(request->accept));
    request->accept_n = material.accept_n;
    request->keys = material.keys;
    lw_session_keys_wipe(&material.keys);
    return drop;
}

void js_answer(const struct js_device *device, struct js_request *request)
{
    request->drop = check_mic(device, request);
    if (request->drop == DROP_NONE)
        request->drop = check_nonce(device, request);
    if (request->drop != DROP_NONE)
        return;
    request->state = (struct join_state){.join_nonce = device->state.join_nonce + 1,
                                         .last_dev_nonce = device->state.last_dev_nonce};
    request->add_nonce = request->version < LW_1_0_4;
    if (!request->add_nonce)
        request->state.last_dev_nonce = request->join.dev_nonce;
    request->drop = make(device, request);
}
