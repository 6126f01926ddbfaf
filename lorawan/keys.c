/* keys.c - each key is one block, encrypted under its root: a type octet and what both sides know.
 */
#include "lorawan/keys.h"

#include "lorawan/crypto.h"

static void derive(const struct lw_key *root, struct wr *wr, struct lw_key *key)
{
    wr_zero(wr, (size_t)(wr->end - wr->p));
    lw_aes_encrypt(root, wr->start, key->b);
}

/* t | JoinNonce | NetID | DevNonce */
static void derive_10(const struct lw_key *root, uint8_t type, const struct lw_join_values *values,
                      struct lw_key *key)
{
    uint8_t block[LW_BLOCK];
    struct wr wr = wr_of(block, sizeof(block));

    wr_u8(&wr, type);
    wr_u24le(&wr, values->join_nonce);
    wr_u24le(&wr, values->net_id.v);
    wr_u16le(&wr, values->dev_nonce);
    derive(root, &wr, key);
}

/* t | JoinNonce | JoinEUI | DevNonce */
static void derive_11(const struct lw_key *root, uint8_t type, const struct lw_join_values *values,
                      struct lw_key *key)
{
    uint8_t block[LW_BLOCK];
    struct wr wr = wr_of(block, sizeof(block));

    wr_u8(&wr, type);
    wr_u24le(&wr, values->join_nonce);
    wr_u64le(&wr, values->join_eui.v);
    wr_u16le(&wr, values->dev_nonce);
    derive(root, &wr, key);
}

void lw_keys_10(const struct lw_key *root, const struct lw_join_values *values,
                struct lw_session_keys *keys)
{
    derive_10(root, 0x01, values, &keys->f_nwk_s_int);
    keys->s_nwk_s_int = keys->f_nwk_s_int;
    keys->nwk_s_enc = keys->f_nwk_s_int;
    derive_10(root, 0x02, values, &keys->app_s_key);
}

void lw_keys_11(const struct lw_key *nwk_key, const struct lw_key *app_key,
                const struct lw_join_values *values, struct lw_session_keys *keys)
{
    derive_11(nwk_key, 0x01, values, &keys->f_nwk_s_int);
    derive_11(app_key, 0x02, values, &keys->app_s_key);
    derive_11(nwk_key, 0x03, values, &keys->s_nwk_s_int);
    derive_11(nwk_key, 0x04, values, &keys->nwk_s_enc);
}

static void derive_js(const struct lw_key *nwk_key, uint8_t type, struct lw_eui dev_eui,
                      struct lw_key *key)
{
    uint8_t block[LW_BLOCK];
    struct wr wr = wr_of(block, sizeof(block));

    wr_u8(&wr, type);
    wr_u64le(&wr, dev_eui.v);
    derive(nwk_key, &wr, key);
}

void lw_js_enc_key(const struct lw_key *nwk_key, struct lw_eui dev_eui, struct lw_key *key)
{
    derive_js(nwk_key, 0x05, dev_eui, key);
}

void lw_js_int_key(const struct lw_key *nwk_key, struct lw_eui dev_eui, struct lw_key *key)
{
    derive_js(nwk_key, 0x06, dev_eui, key);
}

void lw_root_wor_s_key(const struct lw_key *nwk_s_enc_key, struct lw_key *key)
{
    uint8_t block[LW_BLOCK];
    struct wr wr = wr_of(block, sizeof(block));

    wr_u8(&wr, 0x01);
    derive(nwk_s_enc_key, &wr, key);
}

void lw_session_keys_wipe(struct lw_session_keys *keys)
{
    lw_key_wipe(&keys->f_nwk_s_int);
    lw_key_wipe(&keys->s_nwk_s_int);
    lw_key_wipe(&keys->nwk_s_enc);
    lw_key_wipe(&keys->app_s_key);
}
