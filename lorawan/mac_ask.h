/*
 * mac_ask.h - from what a device uses and what the network wants to the requests that lead from one
 * to the other (mac-layer reference 4.5, 4.6).
 *
 * Requests are the difference, made anew for each downlink; what was asked and agreed to is applied
 * to the device's state, and so is asked no more. The channel mask, data rate and power are ADR's
 * and go by LinkADRReq blocks, which ns/ makes. Pure: no state is kept here.
 */
#pragma once

#include "lorawan/mac_budget.h"

#define LW_MAC_CHANNELS 16 /* that NewChannelReq can define */

struct lw_mac_channel {
    uint32_t frequency_hz; /* 0: none */
    uint8_t min_dr, max_dr;
    uint32_t rx1_hz; /* DlChannelReq; 0: that of the uplink */
};

/* What MAC commands can set, besides what ADR does. */
struct lw_mac_state {
    uint8_t duty_cycle;                              /* exponent */
    struct lw_tx_param_setup_req tx;                 /* where the region has them */
    struct lw_rx_param_setup_req rx;                 /* RX1DRoffset and RX2 */
    uint8_t rx1_delay_s;                             /* 1..15 */
    struct lw_adr_param_setup_req adr;               /* 1.1 */
    struct lw_rejoin_param_setup_req rejoin;         /* 1.1 */
    struct lw_ping_slot_channel_req ping;            /* class B */
    uint32_t beacon_hz;                              /* class B, 0: the region's */
    struct lw_mac_channel channels[LW_MAC_CHANNELS]; /* where the plan has channels to be defined */
};

/* Which requests a device of this version in this region takes. */
struct lw_mac_asked {
    bool class_b;
    bool tx_params; /* the region has TxParamSetupReq */
    bool new_channels;
    uint32_t not_now; /* bit n: not CID n, as the uplink held a sticky answer to it: one could not
                         tell which request the next answer is to (4.7) */
    uint32_t done;    /* out, bit n: CID n was asked. After NewChannelReq no LinkADRReq may follow,
                         as the mask would be of channels that may not exist */
};

/* Appends requests, most urgent first, as far as the budget goes, and NewChannelReq for three
 * channels at most (budget->more: not all). Commands later than budget->version are left out. */
void lw_mac_ask(const struct lw_mac_state *now, const struct lw_mac_state *wanted,
                struct lw_mac_asked *asked, struct lw_mac_budget *budget, struct wr *wr);

/* Puts what a request asked for into the state, once the device agreed. Requests that set nothing
 * of it are left alone. */
void lw_mac_apply(struct lw_mac_state *state, const struct lw_cmd *request);
