/*
 * adr.h - adaptive data rate, the default algorithm (mac-layer reference 5.1 to 5.3), pure.
 *
 * From the best SNR of the last 20 uplinks and their losses it wants a data rate, power and number
 * of transmissions. It never lowers the data rate (the device does that by itself) and wants
 * nothing from a device whose ADR bit is off.
 */
#pragma once

#include "ns/session.h"

struct adr_input {
    const struct region *region;
    const struct device_profile *profile;
    uint8_t uplink_dr;
    uint32_t fcnt;
    int16_t best_snr_cb; /* 0.1 dB, of the strongest copy */
    bool adr_bit, adr_ack_req;
};

/* Takes the uplink into the history (cleared when the data rate changed) and sets want_*. */
void adr_observe(struct session *session, const struct adr_input *input);

/* The arithmetic alone, for vectors. */
struct adr_state {
    uint8_t dr, tx_power, nb_trans;
    double snr_max, required_snr, margin_db;
    double loss_percent;
    uint8_t max_dr, max_tx_power;
    unsigned same_power; /* samples with the present TXPower */
};
struct adr_result {
    uint8_t dr, tx_power, nb_trans;
};
struct adr_result adr_decide(const struct adr_state *state);
double adr_loss_percent(const uint32_t *fcnts, size_t n);
uint8_t adr_nb_trans(uint8_t present, double loss_percent, uint8_t most);
