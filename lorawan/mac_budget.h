/*
 * mac_budget.h - how many octets of MAC commands a downlink may have (mac-layer reference 4.8):
 * they must fit into it, and their answers into the device's next uplink. Pure.
 */
#pragma once

#include "lorawan/mac.h"

struct lw_mac_budget {
    uint8_t version; /* enum lw_version of the device */
    uint16_t down;   /* octets that are left for requests */
    uint16_t up;     /* and for the answers they cause */
    bool more;       /* not all that was wanted: a block did not fit */
};

enum lw_mac_place { LW_MAC_IN_FOPTS, LW_MAC_ON_PORT_0 };

/* N of the downlink's and of the next uplink's data rate (the lowest that can be meant), without
 * FOpts as in the regional parameters. `app_octets` of payload go along in FOpts' place only; a
 * payload that leaves no room gives an empty budget. Answers always fit FOpts, so that an uplink's
 * own payload need not wait for them. */
struct lw_mac_budget lw_mac_budget_of(enum lw_version version, enum lw_mac_place place,
                                      unsigned n_down, unsigned app_octets, unsigned n_up);

/* Octets of the answers to a stream of requests. Of a block of LinkADRReq a 1.1 device answers
 * once, older ones to each; downlink commands that are answers themselves cause none. */
size_t lw_mac_answers_len(struct bytes requests, enum lw_version version);

/* Takes a block's octets both ways if all of it fits, else notes that there is more. */
bool lw_mac_budget_take(struct lw_mac_budget *budget, struct bytes block);

/* Whether a device's answer agrees to what it was asked: each of its bits that says so is set.
 * RejoinParamSetupAns always does: without TimeOK the device has taken the number of uplinks, and
 * knows no time (3.8), so that to ask once more is of no use. */
bool lw_mac_agrees(const struct lw_cmd *answer);
