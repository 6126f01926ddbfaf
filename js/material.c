/*
 * material.c - one table says with which keys each of the four requests is answered.
 *
 * An answer to a Join-Request is encrypted with the root key itself and, for 1.1, signed with
 * JSIntKey; an answer to any rejoin is signed with JSIntKey and encrypted with JSEncKey.
 */
#include "js/material.h"

#include "lorawan/rejoin.h"

#include <openssl/crypto.h>
#include <string.h>

static bool is_11(unsigned version)
{
    return version >= LW_1_1_0;
}

/* Of the session: a network of 1.0.x serves a 1.1 device as such a one (OptNeg 0). */
static bool session_is_11(const struct js_asked *asked)
{
    return is_11(asked->version) && is_11(asked->device_version);
}

static bool is_rejoin(const struct js_asked *asked)
{
    return asked->request != LW_REQUEST_JOIN;
}

/* With which a Join-Request is signed: AppKey of a 1.0.x device, NwkKey of a 1.1 device; NULL if it
 * has none. */
static const struct lw_key *join_key(const struct device_keys *root, unsigned device_version)
{
    if (is_11(device_version))
        return root->has_nwk_key ? &root->nwk_key : NULL;
    return root->has_app_key ? &root->app_key : NULL;
}

/* AppSKey of a 1.1 session comes from AppKey. */
static bool has_roots(const struct device_keys *root, const struct js_asked *asked)
{
    return join_key(root, asked->device_version) && (!session_is_11(asked) || root->has_app_key);
}

static enum drop check(const struct device_keys *root, const struct js_asked *asked,
                       const struct js_terms *terms)
{
    if (is_rejoin(asked) && (!session_is_11(asked) || asked->request > 2))
        return DROP_REJOIN;
    if (asked->request == 2 && terms->has_cflist)
        return DROP_REJOIN;
    return has_roots(root, asked) ? DROP_NONE : DROP_NO_KEYS;
}

static void derive(const struct device_keys *root, const struct js_asked *asked,
                   const struct js_terms *terms, struct lw_session_keys *keys)
{
    struct lw_join_values values = {.join_nonce = asked->join_nonce,
                                    .net_id = terms->net_id,
                                    .join_eui = asked->join_eui,
                                    .dev_nonce = asked->nonce};

    if (session_is_11(asked))
        lw_keys_11(&root->nwk_key, &root->app_key, &values, keys);
    else
        lw_keys_10(join_key(root, asked->device_version), &values, keys);
}

/* Which keys sign and encrypt; `made` has room for those that are derived for it. */
static struct lw_join_context context_of(const struct device_keys *root,
                                         const struct js_asked *asked, struct lw_key made[2])
{
    const struct lw_key *key = join_key(root, asked->device_version);
    struct lw_join_context context = {.mic = key,
                                      .enc = key,
                                      .request = LW_REQUEST_JOIN,
                                      .join_eui = asked->join_eui,
                                      .nonce = asked->nonce};

    if (!session_is_11(asked))
        return context;
    lw_js_int_key(&root->nwk_key, asked->dev_eui, &made[0]);
    lw_js_enc_key(&root->nwk_key, asked->dev_eui, &made[1]);
    context.mic = &made[0];
    if (is_rejoin(asked))
        context =
            lw_rejoin_context(&(struct lw_rejoin){.type = asked->request, .rj_count = asked->nonce},
                              asked->join_eui, &made[0], &made[1]);
    return context;
}

static enum err write_accept(const struct device_keys *root, const struct js_asked *asked,
                             const struct js_terms *terms, struct js_material *material)
{
    struct lw_join_accept accept = {.join_nonce = asked->join_nonce,
                                    .net_id = terms->net_id,
                                    .dev_addr = terms->dev_addr,
                                    .opt_neg = session_is_11(asked),
                                    .rx1_dr_offset = terms->rx1_dr_offset,
                                    .rx2_dr = terms->rx2_dr,
                                    .rx_delay = terms->rx_delay,
                                    .has_cflist = terms->has_cflist};
    struct lw_key made[2] = {{{0}}};
    struct lw_join_context context = context_of(root, asked, made);
    struct wr wr = wr_of(material->accept, sizeof(material->accept));
    enum err err;

    memcpy(accept.cflist, terms->cflist, sizeof(accept.cflist));
    err = lw_join_accept_write(&wr, &accept, &context);
    material->accept_n = (uint8_t)wr_len(&wr);
    lw_key_wipe(&made[0]);
    lw_key_wipe(&made[1]);
    return err;
}

enum drop js_material_make(const struct device_keys *root, const struct js_asked *asked,
                           const struct js_terms *terms, struct js_material *material)
{
    enum drop drop = check(root, asked, terms);

    *material = (struct js_material){.accept_n = 0};
    if (drop != DROP_NONE)
        return drop;
    if (write_accept(root, asked, terms, material) != OK)
        return DROP_INTERNAL_ERROR;
    derive(root, asked, terms, &material->keys);
    return DROP_NONE;
}

/* ---- checks ---------------------------------------------------------------------------------- */

static enum drop join_mic(const struct lw_key *key, const struct lw_frame *frame)
{
    uint32_t mic = lw_mic_plain(key, frame->msg);

    return bytes_equal_secret(&mic, &frame->mic, sizeof(mic)) ? DROP_NONE : DROP_JOIN_MIC;
}

/* Type 1 is signed for the join server alone, the others for the session's network. */
static enum drop rejoin_mic(const struct device_keys *root, const struct lw_key *s_nwk_s_int,
                            const struct lw_frame *frame)
{
    struct lw_key js_int;
    enum drop drop;

    if (frame->rejoin.type != 1 && !s_nwk_s_int)
        return DROP_NONE;
    if (frame->rejoin.type == 1 && !root->has_nwk_key)
        return DROP_NO_KEYS;
    lw_js_int_key(&root->nwk_key, frame->rejoin.dev_eui, &js_int);
    drop = lw_rejoin_mic_good(frame, s_nwk_s_int, &js_int) ? DROP_NONE : DROP_JOIN_MIC;
    lw_key_wipe(&js_int);
    return drop;
}

enum drop js_mic_check(const struct device_keys *root, enum lw_version device_version,
                       const struct lw_key *s_nwk_s_int, const struct lw_frame *frame)
{
    const struct lw_key *key = join_key(root, device_version);

    if (frame->ftype == LW_REJOIN_REQUEST)
        return rejoin_mic(root, s_nwk_s_int, frame);
    return key ? join_mic(key, frame) : DROP_NO_KEYS;
}

/* ---- envelopes ------------------------------------------------------------------------------- */

void js_envelope_of(const struct js_kek *kek, const struct lw_key *key,
                    struct js_envelope *envelope)
{
    *envelope = (struct js_envelope){.label = kek ? kek->label : "",
                                     .n = kek ? LW_WRAPPED : sizeof(key->b)};
    if (kek)
        lw_key_wrap(&kek->kek, key, envelope->octets);
    else
        memcpy(envelope->octets, key->b, sizeof(key->b));
}

void js_envelopes_of(enum lw_version version, const struct lw_session_keys *keys,
                     const struct js_kek *network, const struct js_kek *application,
                     struct js_envelopes *envelopes)
{
    *envelopes = (struct js_envelopes){.nwk_s_key = {.n = 0}};
    if (is_11(version)) {
        js_envelope_of(network, &keys->f_nwk_s_int, &envelopes->f_nwk_s_int);
        js_envelope_of(network, &keys->s_nwk_s_int, &envelopes->s_nwk_s_int);
        js_envelope_of(network, &keys->nwk_s_enc, &envelopes->nwk_s_enc);
    } else {
        js_envelope_of(network, &keys->f_nwk_s_int, &envelopes->nwk_s_key);
    }
    js_envelope_of(application, &keys->app_s_key, &envelopes->app_s_key);
}

void js_envelopes_wipe(struct js_envelopes *envelopes)
{
    OPENSSL_cleanse(envelopes, sizeof(*envelopes));
}

/* ---- SessionKeyID ---------------------------------------------------------------------------- */

void js_session_key_id(int64_t utc_ms, const uint8_t random[JS_SESSION_KEY_RANDOM],
                       uint8_t id[JS_SESSION_KEY_ID_LEN])
{
    struct wr wr = wr_of(id, JS_SESSION_KEY_ID_LEN);

    wr_u16be(&wr, (uint16_t)((uint64_t)utc_ms >> 32));
    wr_u32be(&wr, (uint32_t)utc_ms);
    wr_copy(&wr, random, JS_SESSION_KEY_RANDOM);
}
