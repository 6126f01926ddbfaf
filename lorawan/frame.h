/*
 * frame.h - every frame of LoRaWAN 1.0.x and 1.1 (TS001 4, 6.2): reading, writing, MIC, encryption.
 *
 * Reading is in place: ranges are borrowed from the PHYPayload, nothing is allocated, lengths are
 * exact. Writing goes to a struct wr; what does not fit is ERR_LIMIT. A MIC is a uint32_t whose
 * lowest octet is the first on air. Pure; callable from any thread.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/drop.h"
#include "lorawan/types.h"

#include <stddef.h>

enum lw_ftype {
    LW_JOIN_REQUEST = 0,
    LW_JOIN_ACCEPT = 1,
    LW_UNCONFIRMED_UP = 2,
    LW_UNCONFIRMED_DOWN = 3,
    LW_CONFIRMED_UP = 4,
    LW_CONFIRMED_DOWN = 5,
    LW_REJOIN_REQUEST = 6,
    LW_PROPRIETARY = 7,
};

/* "UnconfirmedDataUp"; a static string, never NULL. */
const char *lw_ftype_name(enum lw_ftype ftype);

#define LW_FCTRL_ADR         0x80
#define LW_FCTRL_ADR_ACK_REQ 0x40 /* uplink */
#define LW_FCTRL_ACK         0x20
#define LW_FCTRL_CLASS_B     0x10 /* uplink */
#define LW_FCTRL_F_PENDING   0x10 /* downlink */
#define LW_FCTRL_FOPTS_LEN   0x0f

#define LW_FOPTS_MAX         15
#define LW_FRM_MAX           242 /* octets of FRMPayload: LW_PHY_MAX - MHDR, FHDR, FPort, MIC */
#define LW_PORT_NONE         (-1)
#define LW_PORT_RELAY        226
#define LW_JOIN_ACCEPT_MAX   33
#define LW_MIC_LEN           4

/* FPort 0 and 226 are encrypted with the network's key, the others with AppSKey. */
static inline bool lw_port_is_network(int port)
{
    return port == 0 || port == LW_PORT_RELAY;
}

/* MACPayload of a data frame, TS001 4.3. FOpts and payload as they are (on air: encrypted). */
struct lw_data {
    struct lw_dev_addr dev_addr;
    uint8_t fctrl; /* with FOptsLen when read; FOptsLen is taken from `fopts` when written */
    uint16_t fcnt; /* low half, as sent */
    int port;      /* LW_PORT_NONE: neither FPort nor FRMPayload */
    struct bytes fopts;
    struct bytes payload;
};

struct lw_join_request {
    struct lw_eui join_eui, dev_eui;
    uint16_t dev_nonce;
};

/* Rejoin-Request: types 0 and 2 carry net_id, type 1 join_eui. */
struct lw_rejoin {
    uint8_t type;
    struct lw_net_id net_id;
    struct lw_eui join_eui, dev_eui;
    uint16_t rj_count;
};

struct lw_frame {
    struct bytes phy;  /* all octets */
    struct bytes msg;  /* without the MIC: what is signed */
    uint32_t mic;      /* 0 for proprietary frames, which have none */
    uint8_t ftype;     /* enum lw_ftype */
    uint8_t direction; /* enum lw_direction; LW_UP for proprietary */
    union {
        struct lw_data data;
        struct lw_join_request join;
        struct lw_rejoin rejoin;
        struct bytes proprietary; /* after the MHDR */
    };
};

static inline bool lw_ftype_is_data(uint8_t ftype)
{
    return ftype >= LW_UNCONFIRMED_UP && ftype <= LW_CONFIRMED_DOWN;
}
static inline bool lw_ftype_is_confirmed(uint8_t ftype)
{
    return ftype == LW_CONFIRMED_UP || ftype == LW_CONFIRMED_DOWN;
}

/* Reads any frame, up or down. DROP_NONE, DROP_MALFORMED_FRAME (length, Major, RFU rejoin type) or
 * DROP_FOPTS_PORT0. RFU bits of the MHDR are ignored. Of a join-accept only phy, msg and mic are
 * set, still encrypted: lw_join_accept_read. */
enum drop lw_frame_read(struct bytes phy, struct lw_frame *frame);

/* The same for what a gateway heard: also DROP_NOT_UPLINK and DROP_PROPRIETARY (`frame` is then
 * filled all the same). */
enum drop lw_uplink_read(struct bytes phy, struct lw_frame *frame);

/* ---- MIC (TS001 4.4, 6.2; mac-layer reference 1.3) ------------------------------------------- */

/* What goes into the MIC of a data frame. */
struct lw_mic_input {
    struct bytes msg;
    struct lw_dev_addr dev_addr;
    uint32_t fcnt;      /* all 32 bits */
    uint16_t conf_fcnt; /* 1.1: low half of the counter that the ACK bit acknowledges, else 0 */
    uint8_t direction;
    uint8_t tx_dr, tx_ch; /* 1.1 uplink: data rate and channel index of the transmission */
};

/* From a data frame that was read; conf_fcnt, tx_dr and tx_ch are 0. */
struct lw_mic_input lw_mic_input_of(const struct lw_frame *frame, uint32_t fcnt);

/* 1.0.x, both directions, and 1.1 devices joined with OptNeg 0. */
uint32_t lw_mic_10(const struct lw_key *nwk_s_key, const struct lw_mic_input *in);

/* The halves of a 1.1 uplink: cmacF stands in mic >> 16, cmacS in mic & 0xffff. */
uint16_t lw_mic_up_f(const struct lw_key *f_nwk_s_int_key, const struct lw_mic_input *in);
uint16_t lw_mic_up_s(const struct lw_key *s_nwk_s_int_key, const struct lw_mic_input *in);
uint32_t lw_mic_up_11(const struct lw_key *f_nwk_s_int_key, const struct lw_key *s_nwk_s_int_key,
                      const struct lw_mic_input *in);
uint32_t lw_mic_down_11(const struct lw_key *s_nwk_s_int_key, const struct lw_mic_input *in);

/* Join-Request (AppKey, 1.1: NwkKey) and Rejoin-Request (0, 2: SNwkSIntKey; 1: JSIntKey). */
uint32_t lw_mic_plain(const struct lw_key *key, struct bytes msg);

/* ---- encryption (1.4, 1.5) ------------------------------------------------------------------- */

/* Which stream: who sends with which counter. */
struct lw_crypt {
    struct lw_dev_addr dev_addr;
    uint32_t fcnt; /* all 32 bits of the counter on air */
    uint8_t direction;
};

/* Encrypts or decrypts FRMPayload; `to` may be `from.p`. */
void lw_crypt_payload(const struct lw_key *key, const struct lw_crypt *which, struct bytes from,
                      uint8_t *to);

/* How FOpts are on air: 1.0 as they are; 1.1 with the block of the erratum, or with the one before
 * it (finding F-4), per device. */
enum lw_fopts { LW_FOPTS_PLAIN, LW_FOPTS_1_1, LW_FOPTS_1_1_OLD };

/* `port` LW_PORT_NONE..255 of the same frame chooses the block of downlinks (N or A counter). At
 * most LW_FOPTS_MAX octets (others: nothing is done). */
void lw_crypt_fopts(const struct lw_key *nwk_s_enc_key, const struct lw_crypt *which,
                    enum lw_fopts mode, int port, struct bytes from, uint8_t *to);

/* ---- writing --------------------------------------------------------------------------------- */

/* Keys and counters with which a plain data frame is closed. */
struct lw_seal {
    bool v11;                         /* MIC of 1.1; else of 1.0 with f_nwk_s_int */
    uint8_t fopts;                    /* enum lw_fopts */
    uint8_t tx_dr, tx_ch;             /* 1.1 uplinks */
    uint16_t conf_fcnt;               /* 1.1 */
    uint32_t fcnt;                    /* 32 bits; its low half is sent */
    const struct lw_key *f_nwk_s_int; /* 1.0: NwkSKey */
    const struct lw_key *s_nwk_s_int; /* 1.1 */
    const struct lw_key *nwk_s_enc;   /* 1.0: NwkSKey; used on ports 0, 226 and for 1.1 FOpts */
    const struct lw_key *app_s_key;   /* NULL: the payload is encrypted already */
};

/* A whole data frame from plain parts; data->fcnt is ignored. ERR_INVALID: not a data ftype, FOpts
 * longer than 15, FOpts with port 0, payload without port; ERR_LIMIT: does not fit. */
MUST_CHECK enum err lw_data_write(struct wr *wr, enum lw_ftype ftype, const struct lw_data *data,
                                  const struct lw_seal *seal);

/* Also ERR_INVALID: a rejoin's type or NetID that there is not. */
MUST_CHECK enum err lw_join_request_write(struct wr *wr, const struct lw_join_request *join,
                                          const struct lw_key *key);
MUST_CHECK enum err lw_rejoin_write(struct wr *wr, const struct lw_rejoin *rejoin,
                                    const struct lw_key *key);
MUST_CHECK enum err lw_proprietary_write(struct wr *wr, struct bytes payload);

/* ---- join-accept (1.7) ----------------------------------------------------------------------- */

struct lw_join_accept {
    uint32_t join_nonce; /* 24 bits */
    struct lw_net_id net_id;
    struct lw_dev_addr dev_addr;
    bool opt_neg; /* 1.1 keys */
    uint8_t rx1_dr_offset, rx2_dr;
    uint8_t rx_delay; /* 0 and 1: one second */
    bool has_cflist;
    uint8_t cflist[16];
};

/* How a join-accept is signed and encrypted. */
struct lw_join_context {
    const struct lw_key *mic; /* AppKey; 1.1 NwkKey (OptNeg 0) or JSIntKey */
    const struct lw_key *enc; /* AppKey; 1.1 NwkKey, or JSEncKey for an answer to a rejoin */
    uint8_t request;          /* LW_REQUEST_JOIN or the rejoin type 0..2 */
    struct lw_eui join_eui;   /* the rest only with opt_neg or a rejoin */
    uint16_t nonce;           /* DevNonce or RJcount */
};

#define LW_REQUEST_JOIN 0xff

/* ERR_INVALID: a value is too large for its bits; ERR_LIMIT: no room. */
MUST_CHECK enum err lw_join_accept_write(struct wr *wr, const struct lw_join_accept *accept,
                                         const struct lw_join_context *context);
/* As a device does: ERR_MALFORMED (length, type), ERR_CRYPTO (MIC). */
MUST_CHECK enum err lw_join_accept_read(struct bytes phy, const struct lw_join_context *context,
                                        struct lw_join_accept *accept);
