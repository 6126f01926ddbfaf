/*
 * conf.h - how a relay and a served device are configured: the second channel, and which of the
 * values they take (TS011 RelayConfReq, EndDeviceConfReq; relay reference 4.1, 4.2). The deciding
 * side is the device's; a network server asks the same before it sends what would be refused. Pure.
 */
#pragma once

#include "lorawan/mac.h"
#include "region/region.h"
#include "relay/wor.h"

/* 0, 200, 400, 800, 1600, 3200 kHz for SecondChAckOffset 0..5; UINT32_MAX for the reserved codes.
 */
uint32_t relay_ack_offset_hz(unsigned code);
/* Where the ACK of a WOR on a second channel is sent; false for a reserved code. */
bool relay_second_ack(const struct relay_channel *second, unsigned ack_offset,
                      struct relay_channel *ack);

/* What a relay answers. Nothing is applied unless all six are set (relay_conf_accepted). A CAD
 * period (half of it with a second channel) must leave time for two symbols and 10 ms, on either
 * channel. */
void relay_conf_answer(const struct region *region, const struct lw_relay_conf_req *req,
                       struct lw_relay_conf_ans *ans);
bool relay_conf_accepted(const struct lw_relay_conf_ans *ans);

/* How a served device uses its relay: EndDeviceConfReq's `activation`. */
enum relay_mode { RELAY_MODE_OFF, RELAY_MODE_ON, RELAY_MODE_DYNAMIC, RELAY_MODE_DEVICE };

/* What a served device answers. The last bit was the back-off's in TS011-1.0.0 and is the ACK
 * offset's since 1.0.1: all four must be set. */
void relay_end_device_answer(const struct region *region, const struct lw_end_device_conf_req *req,
                             struct lw_end_device_conf_ans *ans);
bool relay_end_device_accepted(const struct lw_end_device_conf_ans *ans);

/* 8, 16, 32, 64 uplinks without a downlink, for the two low bits. */
unsigned relay_smart_enable_uplinks(unsigned code);

/* Whether a device that has sent `unanswered` WORs in a row without a WOR ACK, this one among them,
 * sends its uplink (reference 1.6). */
bool relay_sends_unanswered(unsigned back_off, unsigned unanswered);
