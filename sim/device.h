/*
 * device.h - a LoRaWAN class A (or C) end device, written from the specification (TS001 1.0.0 to
 * 1.1, RP001/RP002) and apart from the server's code: it judges what the server sends.
 *
 * A pure state machine: no I/O, no allocation, no clock. Times are microseconds of any monotonic
 * clock that the caller also uses for the gateways; the same seed gives the same frames. One
 * device belongs to one thread at a time.
 *
 * The way of a frame:
 *     sim_device_join or sim_device_uplink   makes a transmission; send it to gateways at tx.end_us
 *     sim_device_windows                     where and when the device listens for the answer
 *     sim_device_receive                     gives a downlink as it was on air; says what is wrong
 *     sim_device_repeat                      after RX2: the next repetition, if one is due
 * The transmission stays with the caller (a device is small: a million of them fit in memory).
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/air.h"
#include "lorawan/types.h"
#include "sim/plan.h"

#include <stddef.h>

/* ---- configuration -------------------------------------------------------------------------- */

enum sim_device_flag {
    SIM_ABP = 1 << 0,       /* starts with the session keys given here */
    SIM_ADR = 1 << 1,       /* sets the ADR bit and obeys data rate and power */
    SIM_CLASS_C = 1 << 2,   /* also listens on RX2 all the time */
    SIM_FOPTS_OLD = 1 << 3, /* 1.1: FOpts block before the erratum (mac-layer reference F-4) */
    SIM_FORCE_ADR_ANSWERS = 1 << 4, /* 1.1: one LinkADRAns per request, as early stacks did */
};

struct sim_device_config {
    struct lw_eui dev_eui, join_eui;
    struct lw_key app_key, nwk_key; /* 1.0.x: app_key alone */
    uint8_t region;                 /* enum sim_region */
    uint8_t version;                /* enum lw_version */
    uint16_t flags;                 /* enum sim_device_flag */
    uint8_t dr;                     /* of data uplinks, from the start and after each join */
    uint8_t sub_band; /* fixed plans: 1..8, 0 means 2; 9 is all channels (CN470: always) */
    uint64_t seed;
    uint16_t dev_nonce; /* 1.0.4 and 1.1: the first to use */

    /* ABP: 1.0.x fills f_nwk (NwkSKey) and app_s alone */
    struct lw_dev_addr dev_addr;
    struct lw_key f_nwk, s_nwk, nwk_enc, app_s;
    uint8_t rx1_delay_s, rx1_dr_offset; /* 0: 1 s */
    uint32_t rx2_hz;                    /* 0: the region's RX2 frequency and data rate */
    uint8_t rx2_dr;
};

/* ---- state ---------------------------------------------------------------------------------- */

struct sim_channel {
    uint32_t frequency : 24; /* in the plan's unit; 0: not defined */
    uint32_t min_dr : 4;
    uint32_t max_dr : 4;
};

struct sim_rx_params {
    uint32_t rx2_hz;
    uint8_t delay_s, dr_offset, rx2_dr;
};

/* DlChannelReq: other RX1 frequencies; channel 0xff is a free place. */
struct sim_dl_channel {
    uint32_t frequency : 24; /* in the plan's unit */
    uint32_t channel : 8;
};

#define SIM_CHANNELS    16
#define SIM_MASK        (SIM_FIXED_CHANNELS / 8)
#define SIM_DL_CHANNELS 4
#define SIM_ANSWERS_MAX 24

enum sim_state {
    SIM_JOINED = 1 << 0,
    SIM_IS_1_1 = 1 << 1,        /* a session of 1.1 (OptNeg or ABP 1.1) */
    SIM_ACK_DUE = 1 << 2,       /* a confirmed downlink waits for its acknowledgement */
    SIM_AWAITS_ACK = 1 << 3,    /* the last uplink was confirmed and is not acknowledged */
    SIM_LISTENS = 1 << 4,       /* the windows of the last uplink are still good */
    SIM_LAST_JOIN = 1 << 5,     /* the last uplink was a Join-Request */
    SIM_GREETS = 1 << 6,        /* RekeyInd or ResetInd in each uplink until confirmed */
    SIM_ASK_LINK = 1 << 7,      /* LinkCheckReq in the next uplink */
    SIM_ASK_TIME = 1 << 8,      /* DeviceTimeReq in the next uplink */
    SIM_DOWN_DWELL = 1 << 9,    /* TxParamSetupReq */
    SIM_UP_DWELL = 1 << 10,     /* TxParamSetupReq; AS923 and AU915 start with it */
    SIM_PENDING_DATA = 1 << 11, /* FPending of the last downlink */
    SIM_JOIN_NONCE = 1 << 12,   /* join_nonce holds the last accepted */
    SIM_REJOIN_ASKED = 1 << 13, /* a ForceRejoinReq came */
    SIM_HEARD_DOWN = 1 << 14,   /* a class A downlink came since the last new uplink */
    SIM_RX_NEXT = 1 << 15,      /* rx_next takes effect with the next new uplink */
};

struct sim_device {
    struct lw_eui dev_eui, join_eui;
    struct lw_key app_key, nwk_key;
    struct lw_key f_nwk, s_nwk, nwk_enc, app_s; /* 1.0: the first three are NwkSKey */
    uint64_t random;
    int64_t up_end_us;      /* end of the last transmission: the windows count from it */
    int64_t quiet_until_us; /* DutyCycleReq: no transmission before */
    struct lw_dev_addr dev_addr;
    uint32_t fcnt_up;       /* the next */
    uint32_t fcnt_down[2];  /* the next acceptable: 1.0 [0]; 1.1 [0] NFCntDown, [1] AFCntDown */
    uint8_t last_mic[2][4]; /* of the last frame of each counter */
    uint32_t join_nonce;    /* the last accepted */
    struct sim_rx_params rx, rx_next;
    struct sim_channel channels[SIM_CHANNELS]; /* dynamic plans */
    struct sim_dl_channel dl[SIM_DL_CHANNELS];
    uint8_t mask[SIM_MASK]; /* enabled channels, bit i of octet i/8 */
    uint8_t region, version, config_dr, sub_band;
    uint16_t config, state;  /* enum sim_device_flag, enum sim_state */
    uint16_t dev_nonce;      /* the next (1.0.4, 1.1), the last used (older) */
    uint16_t conf_fcnt_down; /* of the downlink to be acknowledged */
    uint16_t joins;          /* Join-Requests sent since the last accept */
    uint16_t adr_ack_count;  /* ADR_ACK_CNT */
    uint8_t adr_limit_exp, adr_delay_exp;
    uint8_t dr, tx_power, nb_trans;
    uint8_t max_duty; /* DutyCycleReq: 1/2^n */
    uint8_t max_eirp_index;
    uint8_t up_channel, up_dr; /* of the last transmission */
    int8_t down_snr_db;        /* of the last downlink, for DevStatusAns */
    uint8_t battery;           /* for DevStatusAns; 255 unknown */
    uint8_t sticky_n, once_n;  /* octets in `answers` and `once` */
    uint8_t sticky[10];        /* answers repeated until a class A downlink */
    uint8_t once[SIM_ANSWERS_MAX];
};

_Static_assert(sizeof(struct sim_device) <= 336, "a million devices must fit in memory");

void sim_device_init(struct sim_device *dev, const struct sim_device_config *config);

/* ---- uplinks -------------------------------------------------------------------------------- */

/* A transmission. phy..rate is what a gateway hears at end_us. */
struct sim_tx {
    uint8_t phy[LW_PHY_MAX];
    uint8_t len;
    uint8_t repetition; /* 0: the first transmission */
    uint8_t channel, dr;
    bool join, confirmed;
    bool payload_left_out; /* no room: MAC commands alone were sent; the payload is still to send */
    uint32_t fcnt;         /* data frames */
    uint16_t dev_nonce;    /* Join-Requests */
    uint16_t conf_fcnt;    /* 1.1: ConfFCnt in the MIC */
    uint32_t frequency_hz;
    struct data_rate rate;
    uint32_t airtime_us;
    int64_t start_us, end_us;
};

struct sim_message {
    int port; /* 1..223; -1: no FPort and no payload */
    bool confirmed;
    struct bytes payload;
};

/* A Join-Request. ERR_BUSY: not before dev->quiet_until_us; ERR_LIMIT: DevNonces are used up. */
enum err sim_device_join(struct sim_device *dev, int64_t now_us, struct sim_tx *tx) MUST_CHECK;

/* A new data frame with the MAC answers and the ACK that are due. `message` NULL: an empty frame.
 * ERR_BAD_STATE: not joined; ERR_BUSY: duty cycle; ERR_LIMIT: the payload alone is longer than the
 * data rate allows, or the frame counter is used up. */
enum err sim_device_uplink(struct sim_device *dev, int64_t now_us,
                           const struct sim_message *message, struct sim_tx *tx) MUST_CHECK;

/* The next transmission of the same frame, in place: NbTrans for unconfirmed frames until a
 * downlink comes; confirmed ones until they are acknowledged (8 times before 1.0.4, then NbTrans).
 * The same octets on another channel; 1.1 signs anew, because of the channel. ERR_NOT_FOUND: none
 * is due; ERR_BUSY: duty cycle. */
enum err sim_device_repeat(struct sim_device *dev, int64_t now_us, struct sim_tx *tx) MUST_CHECK;

/* ---- downlinks ------------------------------------------------------------------------------ */

struct sim_window {
    int64_t start_us;
    uint32_t frequency_hz;
    uint8_t dr;
    struct data_rate rate;
    uint8_t octets; /* most FRMPayload with FOpts at this data rate */
};

/* RX1 and RX2 of the last transmission. */
void sim_device_windows(const struct sim_device *dev, struct sim_window windows[2]);

/* A downlink as it was on air. */
struct sim_rx {
    struct bytes phy;
    int64_t start_us; /* of the preamble */
    uint32_t frequency_hz;
    struct data_rate rate;
    int8_t snr_db;
};

/* What the device says of a downlink. All but OK leave the device as it was. */
/* clang-format off */
#define SIM_VERDICT_TABLE(X)                                                                       \
    X(SIM_OK,              "ok")                                                                   \
    X(SIM_MALFORMED,       "malformed")            /* length, major, type, FOpts with FPort 0 */   \
    X(SIM_NOT_FOR_ME,      "not_for_me")           /* another DevAddr */                           \
    X(SIM_NO_WINDOW,       "no_window")            /* nothing was sent that this could answer */   \
    X(SIM_WRONG_TIME,      "wrong_time")           /* neither RX1 nor RX2 opens then */            \
    X(SIM_WRONG_FREQUENCY, "wrong_frequency")                                                      \
    X(SIM_WRONG_RATE,      "wrong_rate")                                                           \
    X(SIM_TOO_LONG,        "too_long")             /* for the window's data rate */                \
    X(SIM_MIC,             "mic")                                                                  \
    X(SIM_FCNT_REPLAY,     "fcnt_replay")          /* a counter at or below the last */            \
    X(SIM_FCNT_REUSED,     "fcnt_reused")          /* the last counter with another content */     \
    X(SIM_FCNT_GAP,        "fcnt_gap")             /* before 1.0.4: more than 16384 ahead */       \
    X(SIM_JOIN_NONCE_OLD,  "join_nonce")           /* not above the last one (1.0.4, 1.1) */       \
    X(SIM_UNEXPECTED,      "unexpected")           /* a type that does not answer what was sent */ \
    X(SIM_UNASKED_ACK,     "unasked_ack")          /* ACK without a confirmed uplink: taken, but */\
    X(SIM_BAD_COMMANDS,    "bad_commands")         /* unknown or cut MAC commands: taken, but */

enum sim_verdict_code {
#define X(name, text) name,
    SIM_VERDICT_TABLE(X)
#undef X
    SIM_VERDICT_COUNT
};
/* clang-format on */

const char *sim_verdict_text(enum sim_verdict_code code);

/* The frame was processed: SIM_OK, or one of the two codes that say "taken, but". */
static inline bool sim_verdict_taken(enum sim_verdict_code code)
{
    return code == SIM_OK || code == SIM_UNASKED_ACK || code == SIM_BAD_COMMANDS;
}

enum sim_verdict_flag {
    SIM_GOT_ACK = 1 << 0,
    SIM_GOT_CONFIRMED = 1 << 1, /* the next uplink acknowledges it */
    SIM_GOT_PENDING = 1 << 2,   /* FPending */
    SIM_GOT_LINK = 1 << 3,      /* link_margin_db, link_gateways */
    SIM_GOT_TIME = 1 << 4,      /* gps_us */
    SIM_GOT_JOIN = 1 << 5,      /* join-accept: a new session */
    SIM_GOT_REJOIN = 1 << 6,    /* ForceRejoinReq */
    SIM_GOT_ADR_BIT = 1 << 7,
};

struct sim_verdict {
    enum sim_verdict_code code;
    uint8_t window; /* 0 RX1, 1 RX2; for a frame outside both: the one nearest in time */
    uint16_t flags; /* enum sim_verdict_flag */
    int64_t off_us; /* start less the window's opening */
    uint32_t fcnt;  /* data frames, 32 bits, once the MIC was found good */
    int port;       /* -1: none */
    uint8_t link_margin_db, link_gateways;
    int64_t gps_us; /* DeviceTimeAns: GPS time of the END of the uplink */
    uint8_t commands_n, payload_n;
    uint8_t commands[LW_PHY_MAX]; /* MAC commands in clear, FOpts or FPort 0 */
    uint8_t payload[LW_PHY_MAX];  /* FRMPayload in clear, FPort above 0 */
};

void sim_device_receive(struct sim_device *dev, const struct sim_rx *rx,
                        struct sim_verdict *verdict);

/* ---- for tests ------------------------------------------------------------------------------ */

/* Asks in the next uplink. */
void sim_device_ask_link(struct sim_device *dev);
void sim_device_ask_time(struct sim_device *dev);

bool sim_device_joined(const struct sim_device *dev);
bool sim_device_channel_on(const struct sim_device *dev, unsigned channel);
/* In dynamic plans 0 if not defined. */
uint32_t sim_device_channel_hz(const struct sim_device *dev, unsigned channel);
