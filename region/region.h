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
#define REGION_RELAYS       2
#define REGION_NO_DR        0xff

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
 * M, the MACPayload, is N + 8. The column of dwell 1 counts only where TxParamSetupReq sets a dwell
 * time limit. */
struct region_payloads {
    uint8_t n[2][2][2][REGION_DRS];
};

/* Downlink data rate by [uplink dr][offset]; only rows of existing uplink data rates and offsets up
 * to max_dr_offset count. */
struct region_offsets {
    uint8_t dr[REGION_DRS][REGION_OFFSETS];
};

/* Five channel frequencies are the most that CFList type 0 holds; type 1 names channels of a list
 * by their number instead (RP002-1.0.4 and later, dynamic plans). */
struct region_list {
    uint8_t count, extra_count;
    uint32_t base_hz, step_hz; /* 0..count-1 */
    uint32_t extra_hz[5];      /* count..count+extra_count-1 */
};

/* A frequency of class B: base + step * (n mod count), n as class_b.h says; in plans with common
 * join channels further join_step_hz for each of them from first_join on. */
struct region_hop {
    uint32_t base_hz, step_hz;
    uint8_t count, first_join; /* count 0: one frequency */
    uint32_t join_step_hz;
};

/* Where a relay listens for WOR frames by default, and answers them (TS011); frequency 0: none. */
struct region_relay {
    uint32_t wor_hz, ack_hz;
    uint8_t dr;
};

/* Listen before talk, by whoever transmits. */
enum region_lbt_rule { LBT_NONE, LBT_COUNTRY /* some countries of the region */, LBT_REQUIRED };
struct region_lbt {
    uint8_t rule; /* enum region_lbt_rule */
    int8_t threshold_dbm;
    uint8_t sense_ms;
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
    uint8_t max_channels;        /* slots of a device */
    uint16_t join_drs;           /* bit n: DRn may carry a Join-Request */
    uint8_t default_dr;          /* of a device after activation by personalisation */
    uint8_t adr_max_dr;          /* highest that ADR should set */
    uint8_t backoff[REGION_DRS]; /* where a device that hears nothing goes next; or REGION_NO_DR */

    uint8_t rx1_modulus; /* fixed plans: downlink channel = uplink channel mod this; 0: same Hz */
    uint8_t max_dr_offset;
    struct region_offsets offsets[2]; /* by downlink dwell time; [1] with TxParamSetupReq only */
    const struct region_offsets *offsets_rp001; /* RP001, like `offsets`; NULL: the same */
    uint32_t rx2_hz;
    uint8_t rx2_dr;

    uint8_t receive_delay1_s, join_accept_delay1_s; /* RX2, JOIN2: one second later */
    uint8_t adr_ack_limit_exp, adr_ack_delay_exp;

    int16_t max_eirp_cdbm;       /* of devices, in 0.01 dBm */
    int16_t max_eirp_1_0_5_cdbm; /* RP002-1.0.5; 0: the same */
    uint8_t max_tx_power;        /* greatest TXPower index; index n is n * 2 dB below */
    uint8_t max_tx_power_rp001;  /* RP001-1.0.2B; 0: the same */
    uint8_t max_tx_power_1_0_5;  /* RP002-1.0.5; 0: the same */
    int8_t down_eirp_dbm;        /* gateways, unless the band allows more (see region_down_eirp) */

    bool tx_param_setup, new_channel, dl_channel; /* which commands devices of the region know */
    uint16_t dwell_ms;                            /* longest frame under the limit; 0: no limit */
    bool uplink_dwell, downlink_dwell;            /* what a device assumes before TxParamSetupReq */
    uint8_t cflist_type;
    uint8_t cflist_since;                 /* enum lw_version */
    uint8_t cflist_first;                 /* first channel of type 0 */
    uint8_t cflist_words;                 /* masks used of type 1 */
    uint8_t cflist_max_dr;                /* channels of type 0 are DR0..this */
    const struct region_list *fixed_list; /* type 1 of dynamic plans; NULL: none */

    struct chmask_rule chmask[CHMASK_RULES];
    const struct chmask_rule *chmask_1_0_5;     /* RP002-1.0.5; NULL: the same */
    struct region_band bands[REGION_BANDS_MAX]; /* ends with a NULL name */
    struct region_lbt lbt;

    uint8_t beacon_dr, ping_dr; /* downlink data rates */
    struct region_hop beacon, ping;
    struct region_relay relay[REGION_RELAYS];
    const struct region_payloads *payloads[REGION_REVISION_COUNT];
};

/* NULL: no such region. */
const struct region *region_get(enum region_id id);

/* By a configured name ("EU868"; "AS923-1" is AS923), exact case. ERR_NOT_FOUND: no such region. */
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
/* Whether it may be that of RX2: a rate of that revision at which a downlink carries anything. */
bool region_down_dr_usable(const struct region *region, enum region_revision revision, unsigned dr);
/* The uplink data rate that a device takes next when its network is silent (TS001, ADR backoff); -1
 * if there is none slower. */
int region_dr_backoff(const struct region *region, unsigned dr);

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

/* Channels of a sub-band 1, 2... of a fixed plan: eight of 125 kHz and, where there is one, that of
 * 500 kHz. Empty if the plan has no such sub-band. */
struct chmask region_sub_band(const struct region *region, unsigned sub_band);
/* Union over all data rates of the enabled channels, bit n for DRn. */
uint16_t region_enabled_drs(const struct region_channels *channels, const struct chmask *enabled);

bool region_frequency_valid(const struct region *region, uint32_t frequency_hz);

/* DrRange of NewChannelReq: the set of data rates. MinDR > MaxDR has a meaning since RP002-1.0.5
 * in regions with SF5 and SF6 as DR12, DR13; 0 where it has none. */
uint16_t region_dr_range(const struct region *region, enum region_revision revision,
                         unsigned min_dr, unsigned max_dr);
/* The other way, to ask for a channel with just these data rates; false if no DrRange says them. */
bool region_dr_range_of(const struct region *region, enum region_revision revision, uint16_t drs,
                        uint8_t *min_dr, uint8_t *max_dr);

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

/* CN470 of RP002: the channels of all its plans on which a device asks to join. */
struct region_join {
    enum region_id plan;
    uint32_t uplink_hz, rx1_hz, rx2_hz;
};

#define REGION_COMMON_JOINS 20
#define REGION_NO_JOIN      0xff

/* NULL from REGION_COMMON_JOINS on. */
const struct region_join *region_common_join(unsigned index);
/* Which of them a frequency is in this plan; REGION_NO_JOIN if none, as in all other regions. */
uint8_t region_join_index(const struct region *region, uint32_t frequency_hz);
/* The windows of a join-accept for a Join-Request on that channel. RX2 stays what it was for the
 * session that comes of it. */
uint32_t region_join_rx1_hz(const struct region *region, const struct region_channels *channels,
                            unsigned channel);
uint32_t region_join_rx2_hz(const struct region *region, uint32_t uplink_hz);

struct region_size {
    enum region_revision revision;
    enum lw_direction direction;
    uint8_t dr;
    bool dwell;    /* dwell time limit of that direction */
    bool repeater; /* room for a repeater's encapsulation */
};

/* N: octets of FOpts and FRMPayload together; 0: the data rate cannot be used. A revision that does
 * not have the region is taken for the last before it that has, else the first after it: devices
 * are older or newer than their plan. */
unsigned region_max_payload(const struct region *region, const struct region_size *size);

/* ---- power and duty -------------------------------------------------------------------------- */

/* NULL if the table names no limit there. */
const struct region_band *region_band(const struct region *region, uint32_t frequency_hz);
/* What a gateway may send by default: down_eirp_dbm, or the band's limit where that is higher
 * (EU868: 29 dBm in band P). */
int region_down_eirp(const struct region *region, uint32_t frequency_hz);
/* What a device may send by default, and what a TXPower index makes of its maximum: 0.01 dBm. */
int region_max_eirp_cdbm(const struct region *region, enum region_revision revision);
int region_tx_power_cdbm(int max_eirp_cdbm, unsigned index);
unsigned region_max_tx_power(const struct region *region, enum region_revision revision);

/* ---- relays ---------------------------------------------------------------------------------- */

/* The default WOR channel 0 or 1; NULL if the region has none. */
const struct region_relay *region_relay_channel(const struct region *region, unsigned index);

/* ---- LinkADRReq ------------------------------------------------------------------------------ */

const struct chmask_rule *region_chmask_rules(const struct region *region,
                                              enum region_revision revision);

/* What a device answers to a block, as the bits of LinkADRAns (1 mask, 2 data rate, 4 power), and
 * the mask it then has (changed only if the answer is 7). DataRate and TXPower 15 are "keep" but in
 * RP001-1.0.2B and -1.0.3A. */
#define REGION_ADR_MASK_ACK  1
#define REGION_ADR_DR_ACK    2
#define REGION_ADR_POWER_ACK 4
uint8_t region_link_adr_answer(const struct region *region, enum region_revision revision,
                               const struct region_channels *channels,
                               const struct lw_link_adr_req *reqs, size_t count,
                               struct chmask *enabled);
