/* multicast.c - each key is one block encrypted under the one above it, as in keys.c. */
#include "lorawan/multicast.h"

#include "lorawan/crypto.h"
#include "lorawan/frame.h"

static void derive(const struct lw_key *root, uint8_t type, struct lw_key *key)
{
    const uint8_t block[LW_BLOCK] = {type};

    lw_aes_encrypt(root, block, key->b);
}

void lw_mc_root_key_10(const struct lw_key *gen_app_key, struct lw_key *mc_root_key)
{
    derive(gen_app_key, 0x00, mc_root_key);
}

void lw_mc_root_key_11(const struct lw_key *app_key, struct lw_key *mc_root_key)
{
    derive(app_key, 0x20, mc_root_key);
}

void lw_mc_ke_key(const struct lw_key *mc_root_key, struct lw_key *mc_ke_key)
{
    derive(mc_root_key, 0x00, mc_ke_key);
}

void lw_mc_key_seal(const struct lw_key *mc_ke_key, const struct lw_key *mc_key,
                    struct lw_key *sealed)
{
    lw_aes_decrypt(mc_ke_key, mc_key->b, sealed->b);
}

void lw_mc_key_open(const struct lw_key *mc_ke_key, const struct lw_key *sealed,
                    struct lw_key *mc_key)
{
    lw_aes_encrypt(mc_ke_key, sealed->b, mc_key->b);
}

static void derive_for(const struct lw_key *mc_key, uint8_t type, struct lw_dev_addr mc_addr,
                       struct lw_key *key)
{
    uint8_t block[LW_BLOCK] = {type};
    struct wr wr = wr_of(block + 1, sizeof(mc_addr.v));

    wr_u32le(&wr, mc_addr.v);
    lw_aes_encrypt(mc_key, block, key->b);
}

void lw_mc_keys(const struct lw_key *mc_key, struct lw_dev_addr mc_addr, struct lw_mc_keys *keys)
{
    derive_for(mc_key, 0x01, mc_addr, &keys->app_s_key);
    derive_for(mc_key, 0x02, mc_addr, &keys->nwk_s_key);
}

void lw_mc_keys_wipe(struct lw_mc_keys *keys)
{
    lw_key_wipe(&keys->nwk_s_key);
    lw_key_wipe(&keys->app_s_key);
}

enum err lw_mc_frame_write(struct wr *wr, const struct lw_mc_frame *frame,
                           const struct lw_mc_keys *keys)
{
    struct lw_data data = {
        .dev_addr = frame->mc_addr, .port = frame->port, .payload = frame->payload};
    struct lw_seal seal = {.fcnt = frame->fcnt,
                           .f_nwk_s_int = &keys->nwk_s_key,
                           .nwk_s_enc = &keys->nwk_s_key,
                           .app_s_key = &keys->app_s_key};

    if (lw_port_is_network(frame->port))
        return ERR_INVALID;
    return lw_data_write(wr, LW_UNCONFIRMED_DOWN, &data, &seal);
}
