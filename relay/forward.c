/* forward.c - the six octets of metadata, and which frames may travel inside another. */
#include "relay/forward.h"

#include "lorawan/mac.h"

#define DR_MASK   0x0f
#define SNR_MASK  0x1f
#define RSSI_MASK 0x7f

static int clamp(int value, int min, int max)
{
    return value < min ? min : value > max ? max : value;
}

uint8_t relay_snr_code(int snr_db)
{
    return (uint8_t)(clamp(snr_db, RELAY_SNR_MIN_DB, RELAY_SNR_MAX_DB) - RELAY_SNR_MIN_DB);
}

uint8_t relay_rssi_code(int rssi_dbm)
{
    return (uint8_t)(RELAY_RSSI_MAX_DBM - clamp(rssi_dbm, RELAY_RSSI_MIN_DBM, RELAY_RSSI_MAX_DBM));
}

int relay_snr_of(uint8_t code)
{
    return (code & SNR_MASK) + RELAY_SNR_MIN_DB;
}

int relay_rssi_of(uint8_t code)
{
    return RELAY_RSSI_MAX_DBM - (code & RSSI_MASK);
}

static struct relay_metadata metadata_of(struct rd *rd)
{
    uint32_t bits = rd_u24le(rd);
    uint8_t channel = bits >> 16 & 3;

    return (struct relay_metadata){.frequency_hz = lw_hz_of_u24(rd_u24le(rd)),
                                   .rssi_dbm = (int16_t)relay_rssi_of(bits >> 9 & RSSI_MASK),
                                   .snr_db = (int8_t)relay_snr_of(bits >> 4 & SNR_MASK),
                                   .dr = bits & DR_MASK,
                                   .wor_channel =
                                       channel < RELAY_WOR_UNKNOWN ? channel : RELAY_WOR_UNKNOWN};
}

enum drop relay_forward_uplink_read(struct bytes payload, const struct region *region,
                                    struct relay_forward_uplink *forward)
{
    struct rd rd = rd_bytes(payload);
    enum drop drop;

    *forward = (struct relay_forward_uplink){.metadata = metadata_of(&rd)};
    drop = rd.failed ? DROP_MALFORMED_FRAME
                     : lw_uplink_read(rd_take(&rd, rd_left(&rd)), &forward->frame);
    if (drop == DROP_NONE && (!region_rate(region, LW_UP, forward->metadata.dr) ||
                              !region_frequency_valid(region, forward->metadata.frequency_hz)))
        drop = DROP_UNKNOWN_CHANNEL;
    return drop;
}

void relay_forward_uplink_write(struct wr *wr, const struct relay_metadata *metadata,
                                struct bytes phy)
{
    uint32_t u24;

    if (metadata->dr > DR_MASK || metadata->wor_channel > RELAY_WOR_SECOND ||
        lw_hz_to_u24(metadata->frequency_hz, &u24) != OK) {
        wr->failed = true;
        return;
    }
    wr_u24le(wr, metadata->dr | (uint32_t)relay_snr_code(metadata->snr_db) << 4 |
                     (uint32_t)relay_rssi_code(metadata->rssi_dbm) << 9 |
                     (uint32_t)metadata->wor_channel << 16);
    wr_u24le(wr, u24);
    wr_copy(wr, phy.p, phy.n);
}

enum drop relay_forward_downlink_read(struct bytes payload, struct lw_frame *frame)
{
    enum drop drop = lw_frame_read(payload, frame);

    return drop == DROP_NONE && frame->direction == LW_DOWN ? DROP_NONE : DROP_MALFORMED_FRAME;
}
