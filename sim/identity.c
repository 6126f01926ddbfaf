#include "sim/identity.h"

#include "sim/crypto.h"

/* Locally administered EUIs (bit 1 of the first octet), so that they meet no real device's. */
#define DEVICE_BASE   0x02f0000000000000u
#define JOIN_EUI      0x02f0ffff00000000u
#define GATEWAY_BASE  0x02f1000000000000u

#define DEV_ADDR_MASK 0x01ffffffu /* NetID 000000: type 0, seven bits of prefix */

static void derive(uint64_t seed, uint32_t device, uint8_t kind, struct lw_key *key)
{
    struct lw_key root = {{0}};
    uint8_t block[16] = {kind};
    struct wr wr = wr_of(root.b, sizeof(root.b)), in = wr_of(block + 1, 15);

    wr_u64be(&wr, seed);
    wr_u32be(&in, device);
    sim_aes(&root, block, key->b);
}

void sim_fleet_identity(uint64_t seed, uint32_t device, struct sim_identity *out)
{
    out->dev_eui.v = DEVICE_BASE + ((seed & 0xffff) << 32) + device;
    out->join_eui.v = JOIN_EUI;
    out->dev_addr.v = device & DEV_ADDR_MASK;
    derive(seed, device, 1, &out->app_key);
    derive(seed, device, 2, &out->nwk_key);
    derive(seed, device, 3, &out->f_nwk);
    derive(seed, device, 4, &out->s_nwk);
    derive(seed, device, 5, &out->nwk_enc);
    derive(seed, device, 6, &out->app_s);
}

struct lw_eui sim_fleet_gateway(uint32_t gateway)
{
    return (struct lw_eui){GATEWAY_BASE + gateway};
}

void sim_identity_apply(const struct sim_identity *identity, struct sim_device_config *config)
{
    config->dev_eui = identity->dev_eui;
    config->join_eui = identity->join_eui;
    config->app_key = identity->app_key;
    config->nwk_key = identity->nwk_key;
    config->dev_addr = identity->dev_addr;
    config->f_nwk = identity->f_nwk;
    config->s_nwk = identity->s_nwk;
    config->nwk_enc = identity->nwk_enc;
    config->app_s = identity->app_s;
}
