#include "sim/crypto.h"
#include "sim/device_priv.h"

#include <string.h>

#define MIC_BLOCK    0x49
#define STREAM_BLOCK 0x01

static struct bytes all(const uint8_t *p, size_t n)
{
    return (struct bytes){p, n};
}

void sim_block_write(const struct sim_device *dev, const struct sim_block *block, uint8_t to[16])
{
    struct wr wr = wr_of(to, 16);

    wr_u8(&wr, block->first);
    wr_copy(&wr, block->mid, 4);
    wr_u8(&wr, block->direction);
    wr_u32le(&wr, dev->dev_addr.v);
    wr_u32le(&wr, block->fcnt);
    wr_u8(&wr, 0);
    wr_u8(&wr, block->last);
}

/* ---- MIC ------------------------------------------------------------------------------------- */

void sim_sign_uplink(const struct sim_device *dev, struct sim_tx *tx)
{
    uint8_t n = (uint8_t)(tx->len - 4), b[16], f[16], s[16];
    struct sim_block block = {.first = MIC_BLOCK, .fcnt = tx->fcnt, .last = n};

    sim_block_write(dev, &block, b);
    sim_cmac(&dev->f_nwk, all(b, 16), all(tx->phy, n), f);
    if (!sim_is(dev, SIM_IS_1_1)) {
        memcpy(tx->phy + n, f, 4);
        return;
    }
    block.mid[0] = (uint8_t)tx->conf_fcnt;
    block.mid[1] = (uint8_t)(tx->conf_fcnt >> 8);
    block.mid[2] = tx->dr;
    block.mid[3] = tx->channel;
    sim_block_write(dev, &block, b);
    sim_cmac(&dev->s_nwk, all(b, 16), all(tx->phy, n), s);
    memcpy(tx->phy + n, s, 2);
    memcpy(tx->phy + n + 2, f, 2);
}

void sim_sign_join(const struct sim_device *dev, struct sim_tx *tx)
{
    uint8_t mac[16];

    sim_cmac(&dev->nwk_key, all(NULL, 0), all(tx->phy, tx->len - 4u), mac);
    memcpy(tx->phy + tx->len - 4, mac, 4);
}

void sim_down_mic(const struct sim_device *dev, struct bytes msg, uint32_t fcnt, uint16_t conf_fcnt,
                  uint8_t mic[4])
{
    struct sim_block block = {.first = MIC_BLOCK, .direction = LW_DOWN, .fcnt = fcnt};
    uint8_t b[16], mac[16];

    block.last = (uint8_t)msg.n;
    if (sim_is(dev, SIM_IS_1_1)) {
        block.mid[0] = (uint8_t)conf_fcnt;
        block.mid[1] = (uint8_t)(conf_fcnt >> 8);
    }
    sim_block_write(dev, &block, b);
    sim_cmac(&dev->s_nwk, all(b, 16), msg, mac);
    memcpy(mic, mac, 4);
}

/* ---- encryption ------------------------------------------------------------------------------ */

void sim_crypt_payload(const struct sim_device *dev, uint8_t direction, uint32_t fcnt, int port,
                       struct wr *data)
{
    struct sim_block block = {.first = STREAM_BLOCK, .direction = direction, .fcnt = fcnt};
    uint8_t a[16];

    sim_block_write(dev, &block, a);
    sim_ctr(port == 0 || port == 226 ? &dev->nwk_enc : &dev->app_s, a, data->start, wr_len(data));
}

/* 1.1 alone (TS001 1.1 4.3.1.6 with its erratum): one block that names the kind of counter. The
 * text before the erratum left that octet and the block's number zero. */
void sim_crypt_fopts(const struct sim_device *dev, uint8_t direction, uint32_t fcnt, uint8_t kind,
                     struct wr *data)
{
    bool old = dev->config & SIM_FOPTS_OLD;
    struct sim_block block = {.first = STREAM_BLOCK,
                              .mid = {0, 0, 0, old ? 0 : kind},
                              .direction = direction,
                              .fcnt = fcnt,
                              .last = old ? 0 : 1};
    uint8_t a[16], s[16];

    if (!sim_is(dev, SIM_IS_1_1))
        return;
    sim_block_write(dev, &block, a);
    sim_aes(&dev->nwk_enc, a, s);
    for (size_t i = 0; i < wr_len(data); i++)
        data->start[i] ^= s[i];
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void derive(const struct lw_key *root, uint8_t type, const uint8_t rest[15],
                   struct lw_key *key)
{
    uint8_t block[16] = {type};

    memcpy(block + 1, rest, 15);
    sim_aes(root, block, key->b);
}

void sim_derive_session(struct sim_device *dev, const uint8_t join_nonce[3],
                        const uint8_t net_id[3], uint16_t dev_nonce)
{
    uint8_t rest[15] = {0};
    struct wr wr = wr_of(rest, sizeof(rest));
    bool is_1_1 = sim_is(dev, SIM_IS_1_1);

    wr_copy(&wr, join_nonce, 3);
    if (is_1_1)
        wr_u64le(&wr, dev->join_eui.v);
    else
        wr_copy(&wr, net_id, 3);
    wr_u16le(&wr, dev_nonce);

    derive(&dev->nwk_key, 1, rest, &dev->f_nwk);
    derive(is_1_1 ? &dev->app_key : &dev->nwk_key, 2, rest, &dev->app_s);
    if (is_1_1) {
        derive(&dev->nwk_key, 3, rest, &dev->s_nwk);
        derive(&dev->nwk_key, 4, rest, &dev->nwk_enc);
    } else {
        dev->s_nwk = dev->f_nwk;
        dev->nwk_enc = dev->f_nwk;
    }
}

/* JSIntKey, TS001 1.1 6.1.1.3. */
void sim_join_int_key(const struct sim_device *dev, struct lw_key *key)
{
    uint8_t rest[15] = {0};
    struct wr wr = wr_of(rest, sizeof(rest));

    wr_u64le(&wr, dev->dev_eui.v);
    derive(&dev->nwk_key, 6, rest, key);
}
