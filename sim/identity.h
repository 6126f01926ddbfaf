/*
 * identity.h - who the simulated devices and gateways are: all from a seed and a number, so that a
 * server can be told the same. Pure.
 */
#pragma once

#include "lorawan/types.h"
#include "sim/device.h"

struct sim_identity {
    struct lw_eui dev_eui, join_eui;
    struct lw_key app_key, nwk_key;
    struct lw_dev_addr dev_addr; /* ABP; of NetID 000000 */
    struct lw_key f_nwk, s_nwk, nwk_enc, app_s;
};

void sim_fleet_identity(uint64_t seed, uint32_t device, struct sim_identity *out);
struct lw_eui sim_fleet_gateway(uint32_t gateway);

/* Identity and keys into a device's configuration. */
void sim_identity_apply(const struct sim_identity *identity, struct sim_device_config *config);
