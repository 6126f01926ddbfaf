/*
 * region.h - regional parameters (RP001 1.0.2B .. RP002-1.0.5) as one constant table per region.
 *
 * A table holds facts only; the functions below are the same for all regions, so that a region is
 * changed by editing its table, and work on any struct region (a test makes one up). Frequencies in
 * Hz, EIRP in dBm, sizes in octets. Tables live for ever; everything is pure.
 *
 * The channels a *device* has are a struct region_channels: the region's default, plus what the
 * network adds (CFList, NewChannelReq). Which of them are enabled is a struct chmask beside it.
 */
#pragma once

#include "core/err.h"
#include "lorawan/air.h"
#include "lorawan/mac.h"
#include "region/chmask.h"

/* clang-format off */
#define REGION_TABLE(X)                                                                            \
    X(REGION_EU868,     "EU868")                                                                   \
    X(REGION_US915,     "US915")                                                                   \
    X(REGION_AU915,     "AU915")                                                                   \
    X(REGION_AS923_1,   "AS923")                                                                   \
    X(REGION_AS923_2,   "AS923-2")                                                                 \
    X(REGION_AS923_3,   "AS923-3")                                                                 \
    X(REGION_AS923_4,   "AS923-4")                                                                 \
    X(REGION_CN470,     "CN470")                                                                   \
    X(REGION_CN470_20A, "CN470-20A")                                                               \
    X(REGION_CN470_20B, "CN470-20B")                                                               \
    X(REGION_CN470_26A, "CN470-26A")                                                               \
    X(REGION_CN470_26B, "CN470-26B")                                                               \
    X(REGION_CN779,     "CN779")                                                                   \
    X(REGION_EU433,     "EU433")                                                                   \
    X(REGION_KR920,     "KR920")                                                                   \
    X(REGION_IN865,     "IN865")                                                                   \
    X(REGION_RU864,     "RU864")                                                                   \
    X(REGION_ISM2400,   "ISM2400")

enum region_id {
#define X(name, text) name,
    REGION_TABLE(X)
#undef X
    REGION_COUNT,
    REGION_NONE = 0xff
};

#define REGION_REVISION_TABLE(X)                                                                   \
    X(RP001_1_0_2B, "RP001-1.0.2B")                                                                \
    X(RP001_1_0_3A, "RP001-1.0.3A")                                                                \
    X(RP001_1_1B,   "RP001-1.1B")                                                                  \
    X(RP002_1_0_0,  "RP002-1.0.0")                                                                 \
    X(RP002_1_0_1,  "RP002-1.0.1")                                                                 \
    X(RP002_1_0_2,  "RP002-1.0.2")                                                                 \
    X(RP002_1_0_3,  "RP002-1.0.3")                                                                 \
    X(RP002_1_0_4,  "RP002-1.0.4")                                                                 \
    X(RP002_1_0_5,  "RP002-1.0.5")

enum region_revision {
#define X(name, text) name,
    REGION_REVISION_TABLE(X)
#undef X
    REGION_REVISION_COUNT
};
/* clang-format on */

/* "EU868"; "" for a value outside. */
const char *region_name(enum region_id id);
const char *region_revision_text(enum region_revision revision);
/* False if there is no such name. */
bool region_revision_find(const char *text, enum region_revision *revision);
/* 1.0.0-1.0.2 RP001-1.0.2B, 1.0.3 RP001-1.0.3A, 1.0.4 RP002-1.0.4, 1.1.0 RP001-1.1B. */
enum region_revision region_revision_default(enum lw_version version);

enum region_plan {
    REGION_DYNAMIC, /* the network creates channels */
    REGION_FIXED,   /* numbered channels; masks only */
};

#define REGION_DRS          16
#define REGION_CHANNELS_MAX CHMASK_CHANNELS
#define REGION_DEFAULTS_MAX 4
#define REGION_EXTRAS_MAX   8
#define REGION_BLOCKS_MAX   2
#define REGION_BANDS_MAX    8
#define REGION_OFFSETS      8

struct region_channel {
    uint32_t frequency_hz; /* uplink; 0: not defined */
    uint32_t rx1_hz;       /* DlChannelReq; 0: by the region's rule */
    uint8_t min_dr, max_dr;
    uint16_t more_drs; /* further uplink data rates, bit n for DRn */
};

/* `count` channels at base, base + step... of a fixed plan. */
struct region_block {
    uint8_t first, count;
    uint32_t base_hz, step_hz;
    uint8_t min_dr, max_dr;
    uint16_t more_drs;
};

struct region_band {
    const char *name;
    uint32_t min_hz, max_hz; /* min <= f < max */
    uint16_t duty_permille;  /* 1, 10, 100; 1000: no limit */
    int8_t max_eirp_dbm;     /* of anyone sending there, rounded down */
};

/* N (octets of FRMPayload without FOpts) by [repeater][dwell][direction][dr]; 0: not usable.
 * M, the MACPayload, is N + 8. The column of dwell 1 counts only in regions with TxParamSetupReq.
 */
struct region_payloads {
    uint8_t n[2][2][2][REGION_DRS];
};

/* Downlink data rate by [uplink dr][offset]; only rows of existing uplink data rates and offsets up
 * to max_dr_offset count. */
struct region_offsets {
    uint8_t dr[REGION_DRS][REGION_OFFSETS];
};

struct region {
    enum region_id id;
    enum region_plan plan;
    uint32_t min_hz, max_hz; /* what a device of the region can tune */

    struct data_rate rates[2][REGION_DRS]; /* [enum lw_direction]; bandwidth and bit rate 0: none */
    uint8_t rates_since[2][REGION_DRS];    /* enum region_revision */

    struct region_channel defaults[REGION_DEFAULTS_MAX]; /* dynamic plans */
    struct region_channel extras[REGION_EXTRAS_MAX];     /* usually added by CFList */
    struct region_block uplinks[REGION_BLOCKS_MAX], downlinks[REGION_BLOCKS_MAX]; /* fixed plans */
    uint8_t max_channels; /* slots of a device */
    uint16_t join_drs;    /* bit n: DRn may carry a Join-Request */
    uint8_t default_dr;   /* of a device after activation by personalisation */
    uint8_t adr_max_dr;   /* highest that ADR should set */

    uint8_t rx1_modulus; /* fixed plans: downlink channel = uplink channel mod this; 0: same Hz */
    uint8_t max_dr_offset;
    struct region_offsets offsets[2]; /* by downlink dwell time; [1] with TxParamSetupReq only */
    const struct region_offsets *offsets_rp001; /* [2], RP001 revisions; NULL: the same */
    uint32_t rx2_hz;
    uint8_t rx2_dr;

    uint8_t receive_delay1_s, join_accept_delay1_s; /* RX2, JOIN2: one second later */
    uint8_t adr_ack_limit_exp, adr_ack_delay_exp;

    int8_t max_eirp_dbm;
    uint8_t max_tx_power;       /* greatest TXPower index; index n is n * 2 dB below */
    uint8_t max_tx_power_rp001; /* the same for RP001-1.0.2B and older */
    int8_t down_eirp_dbm;       /* gateways, unless the band allows more (see region_down_eirp) */

    bool tx_param_setup, new_channel, dl_channel; /* which commands devices of the region know */
    bool uplink_dwell, downlink_dwell;            /* what a device assumes before TxParamSetupReq */
    uint8_t cflist_type;
    uint8_t cflist_since;  /* enum lw_version */
    uint8_t cflist_first;  /* first channel of type 0 */
    uint8_t cflist_words;  /* masks used of type 1 */
    uint8_t cflist_max_dr; /* channels of type 0 are DR0..this */

    struct chmask_rule chmask[CHMASK_RULES];
    const struct chmask_rule *chmask_1_0_5;     /* RP002-1.0.5; NULL: the same */
    struct region_band bands[REGION_BANDS_MAX]; /* ends with a NULL name */
    const struct region_payloads *payloads[REGION_REVISION_COUNT];
};

/* NULL: no table in this version. */
const struct region *region_get(enum region_id id);

/* By a configured name ("EU868"; "AS923-1" is AS923), exact case. ERR_NOT_FOUND: no such region;
 * ERR_UNSUPPORTED: known (*id is set), but without a table. */
MUST_CHECK enum err region_find(const char *name, enum region_id *id);

/* ---- data rates ------------------------------------------------------------------------------ */

/* NULL if the region has none of that number in that direction. */
const struct data_rate *region_rate(const struct region *region, enum lw_direction direction,
                                    unsigned dr);
/* The index of a rate, -1 if none. Coding rate of LoRa and grid of LR-FHSS are not looked at. */
int region_dr(const struct region *region, enum lw_direction direction,
              const struct data_rate *rate);
/* Whether a device of that revision knows the data rate. */
bool region_dr_valid(const struct region *region, enum region_revision revision,
                     enum lw_direction direction, unsigned dr);

/* ---- channels -------------------------------------------------------------------------------- */

struct region_channels {
    struct region_channel at[REGION_CHANNELS_MAX];
    struct chmask defined;
};

/* The region's default channels, resp. all of a fixed plan. */
void region_channels_init(const struct region *region, struct region_channels *channels);
/* Defines a channel; frequency 0 takes it away. ERR_INVALID: index, frequency or data rates are not
 * allowed in the region (fixed plans allow nothing). ERR_IN_USE: a default channel. */
MUST_CHECK enum err region_channels_put(const struct region *region,
                                        struct region_channels *channels, unsigned index,
                                        const struct region_channel *channel);
/* The `extras` of the region from the first free channel on; nothing in fixed plans. */
void region_channels_add_extras(const struct region *region, struct region_channels *channels);

bool region_channel_carries(const struct region_channel *channel, unsigned dr);
/* Index of the channel with that frequency which carries DR `dr`; -1 if none. With `nth` 1, 2...
 * the further ones (a device may have a frequency twice; F-19). */
int region_channel_find(const struct region_channels *channels, uint32_t frequency_hz, unsigned dr,
                        unsigned nth);
/* Both at once, for a frame that was heard: true, with data rate and channel. */
bool region_uplink_find(const struct region *region, const struct region_channels *channels,
                        uint32_t frequency_hz, const struct data_rate *rate, uint8_t *dr,
                        uint8_t *channel);

/* Channels of a sub-band 1..8 of a fixed plan: eight of 125 kHz and the one of 500 kHz. Empty if
 * the plan has no such sub-band. */
struct chmask region_sub_band(const struct region *region, unsigned sub_band);
/* Union over all data rates of the enabled channels, bit n for DRn. */
uint16_t region_enabled_drs(const struct region_channels *channels, const struct chmask *enabled);

bool region_frequency_valid(const struct region *region, uint32_t frequency_hz);

/* DrRange of NewChannelReq: the set of data rates. MinDR > MaxDR has a meaning since RP002-1.0.5
 * in regions with SF5 and SF6 as DR12, DR13; 0 where it has none. */
uint16_t region_dr_range(const struct region *region, enum region_revision revision,
                         unsigned min_dr, unsigned max_dr);

/* ---- receive windows ------------------------------------------------------------------------- */

/* For uplink channel `channel` of the device. */
uint32_t region_rx1_hz(const struct region *region, const struct region_channels *channels,
                       unsigned channel);

struct region_rx1 {
    uint8_t uplink_dr, offset;
    bool downlink_dwell;
    enum region_revision revision;
};

/* -1 if the offset is not allowed or the uplink data rate unknown. */
int region_rx1_dr(const struct region *region, const struct region_rx1 *rx1);

struct region_size {
    enum region_revision revision;
    enum lw_direction direction;
    uint8_t dr;
    bool dwell;    /* dwell time limit of that direction */
    bool repeater; /* room for a repeater's encapsulation */
};

/* N: octets of FOpts and FRMPayload together; 0: the data rate cannot be used. */
unsigned region_max_payload(const struct region *region, const struct region_size *size);

/* ---- power and duty -------------------------------------------------------------------------- */

/* NULL if the table names no limit there. */
const struct region_band *region_band(const struct region *region, uint32_t frequency_hz);
/* What a gateway may send by default: down_eirp_dbm, or the band's limit where that is higher
 * (EU868: 29 dBm in band P). */
int region_down_eirp(const struct region *region, uint32_t frequency_hz);
/* EIRP of a TXPower index with the device's maximum. */
int region_tx_power_dbm(int max_eirp_dbm, unsigned index);
unsigned region_max_tx_power(const struct region *region, enum region_revision revision);

/* ---- LinkADRReq ------------------------------------------------------------------------------ */

const struct chmask_rule *region_chmask_rules(const struct region *region,
                                              enum region_revision revision);

/* What a device answers to a block, as the bits of LinkADRAns (1 mask, 2 data rate, 4 power), and
 * the mask it then has (changed only if the answer is 7). */
#define REGION_ADR_MASK_ACK  1
#define REGION_ADR_DR_ACK    2
#define REGION_ADR_POWER_ACK 4
uint8_t region_link_adr_answer(const struct region *region, enum region_revision revision,
                               const struct region_channels *channels,
                               const struct lw_link_adr_req *reqs, size_t count,
                               struct chmask *enabled);
