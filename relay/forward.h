/*
 * forward.h - what a relay and its network server say to each other on FPort 226: ForwardUplinkReq
 * and ForwardDownlinkReq (TS011 6; relay reference 2.4, 2.5). Pure; ranges are borrowed.
 *
 * FRMPayload of that port is encrypted with the relay's network key, like that of port 0
 * (lw_port_is_network); these functions see it decrypted.
 */
#pragma once

#include "lorawan/frame.h"
#include "region/region.h"

#define RELAY_METADATA_LEN 6 /* before the nested PHYPayload, with the frequency */

#define RELAY_SNR_MIN_DB   (-20)
#define RELAY_SNR_MAX_DB   11
#define RELAY_RSSI_MIN_DBM (-142)
#define RELAY_RSSI_MAX_DBM (-15)

enum relay_wor_channel {
    RELAY_WOR_DEFAULT = 0,
    RELAY_WOR_SECOND = 1,
    RELAY_WOR_UNKNOWN = 2, /* the codes 2 and 3 */
};

/* How the relay heard the LoRaWAN uplink (not its WOR). */
struct relay_metadata {
    uint32_t frequency_hz;
    int16_t rssi_dbm;
    int8_t snr_db;
    uint8_t dr;
    uint8_t wor_channel; /* enum relay_wor_channel */
};

struct relay_forward_uplink {
    struct relay_metadata metadata;
    struct lw_frame frame; /* nested: Join-Request, Rejoin-Request or data uplink */
};

/* DROP_NONE; else what is wrong with the nested part, whatever the outer frame is still good for:
 * DROP_MALFORMED_FRAME (too short: frame.phy is empty; no frame), DROP_FOPTS_PORT0,
 * DROP_NOT_UPLINK, DROP_PROPRIETARY, DROP_UNKNOWN_CHANNEL (a data rate or frequency that the region
 * does not have). */
enum drop relay_forward_uplink_read(struct bytes payload, const struct region *region,
                                    struct relay_forward_uplink *forward);

/* RSSI and SNR are clamped to what six octets can say. A frequency or data rate that does not fit
 * fails the writer. */
void relay_forward_uplink_write(struct wr *wr, const struct relay_metadata *metadata,
                                struct bytes phy);

/* Whether a frame may be handed to a relay to be sent in RXR: a join-accept or a data downlink. As
 * the payload of a ForwardDownlinkReq is just that frame, this is its reader as well: DROP_NONE, or
 * DROP_MALFORMED_FRAME (any frame that is no such downlink). */
enum drop relay_forward_downlink_read(struct bytes payload, struct lw_frame *frame);

/* The six bits of SNR and RSSI as NotifyNewEndDeviceReq has them too (PowerLevel, reference 4.7).
 */
uint8_t relay_snr_code(int snr_db);    /* 0..31 */
uint8_t relay_rssi_code(int rssi_dbm); /* 0..127 */
int relay_snr_of(uint8_t code);
int relay_rssi_of(uint8_t code);
