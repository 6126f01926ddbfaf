/*
 * device_priv.h - what the files of the simulated device share; not for others.
 */
#pragma once

#include "sim/device.h"

#define SIM_FTYPE_JOIN_REQUEST     0x00
#define SIM_FTYPE_JOIN_ACCEPT      0x20
#define SIM_FTYPE_UNCONFIRMED_UP   0x40
#define SIM_FTYPE_UNCONFIRMED_DOWN 0x60
#define SIM_FTYPE_CONFIRMED_UP     0x80
#define SIM_FTYPE_CONFIRMED_DOWN   0xa0

#define SIM_BIT_ADR                0x80
#define SIM_BIT_ADR_ACK_REQ        0x40
#define SIM_BIT_ACK                0x20
#define SIM_BIT_F_PENDING          0x10

static inline bool sim_is(const struct sim_device *dev, unsigned state)
{
    return (dev->state & state) == state;
}

static inline void sim_set(struct sim_device *dev, unsigned state, bool on)
{
    dev->state = (uint16_t)(on ? dev->state | state : dev->state & ~state);
}

/* ---- device_frame.c: keys, MIC and encryption ------------------------------------------------ */

/* The block that starts a MIC (0x49) or a key stream (0x01): TS001 4.3.3, 4.4. `mid` are octets 1
 * to 4. */
struct sim_block {
    uint8_t first;
    uint8_t mid[4];
    uint8_t direction;
    uint32_t fcnt;
    uint8_t last;
};
void sim_block_write(const struct sim_device *dev, const struct sim_block *block, uint8_t to[16]);

/* Puts the MIC of an uplink into the last four octets of tx->phy. */
void sim_sign_uplink(const struct sim_device *dev, struct sim_tx *tx);
void sim_sign_join(const struct sim_device *dev, struct sim_tx *tx);
/* The MIC of a downlink; `msg` without it. */
void sim_down_mic(const struct sim_device *dev, struct bytes msg, uint32_t fcnt, uint16_t conf_fcnt,
                  uint8_t mic[4]);
/* FRMPayload and FOpts, both ways. `kind`: 1 uplink or NFCntDown, 2 AFCntDown. */
void sim_crypt_payload(const struct sim_device *dev, uint8_t direction, uint32_t fcnt, int port,
                       struct wr *data);
void sim_crypt_fopts(const struct sim_device *dev, uint8_t direction, uint32_t fcnt, uint8_t kind,
                     struct wr *data);
void sim_derive_session(struct sim_device *dev, const uint8_t join_nonce[3],
                        const uint8_t net_id[3], uint16_t dev_nonce);
void sim_join_int_key(const struct sim_device *dev, struct lw_key *key);

/* ---- device.c -------------------------------------------------------------------------------- */

/* RX2 of an answer to the Join-Request that was sent last. */
uint32_t sim_join_rx2_hz(const struct sim_device *dev);

/* ---- device_channels.c ----------------------------------------------------------------------- */

void sim_channels_default(struct sim_device *dev);
bool sim_mask_get(const uint8_t mask[SIM_MASK], unsigned channel);
void sim_mask_set(uint8_t mask[SIM_MASK], unsigned channel, bool on);
/* The channel is defined and allows the data rate. */
bool sim_channel_allows(const struct sim_device *dev, unsigned channel, uint8_t dr);
unsigned sim_channel_count(const struct sim_device *dev);
bool sim_frequency_allowed(const struct sim_device *dev, uint32_t hz);
/* Of the 24 bits in which commands name a frequency. */
uint32_t sim_hz(const struct sim_device *dev, uint32_t frequency);
uint8_t sim_min_dr(const struct sim_device *dev);
/* The data rate of new uplinks, within what the region allows. */
void sim_set_dr(struct sim_device *dev, uint8_t dr);
/* Chooses a channel for tx->dr, not the last one if there is another; lowers or raises tx->dr
 * where no enabled channel allows it. */
void sim_choose_channel(struct sim_device *dev, struct sim_tx *tx);
void sim_choose_join_channel(struct sim_device *dev, struct sim_tx *tx);
void sim_apply_cflist(struct sim_device *dev, const uint8_t list[16]);
/* One mask of a LinkADRReq, applied to `mask`; false: refused. */
bool sim_apply_mask(const struct sim_device *dev, uint8_t mask[SIM_MASK], unsigned cntl,
                    uint16_t bits);

/* ---- device_mac.c ---------------------------------------------------------------------------- */

/* Obeys the commands in clear; the answers wait for the next uplink. false: unknown or cut. */
bool sim_obey(struct sim_device *dev, struct bytes commands, struct sim_verdict *verdict);
/* Writes what waits as whole commands, up to `room` octets, and takes what is sent but once. */
size_t sim_take_answers(struct sim_device *dev, uint8_t *to, size_t room);
