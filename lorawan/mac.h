/*
 * mac.h - MAC commands (TS001 5): one table for both directions, iteration over a stream, fields.
 *
 * A command is known by CID and direction. The rows of its fields (bit, width, encoding) serve the
 * decoder for people as well as the typed structs below. Fields beyond 32 bits (keys, EUI lists)
 * are ranges. Pure; nothing allocates.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/types.h"

#include <stddef.h>

/* clang-format off */
enum lw_cid {
    LW_CID_RESET            = 0x01,
    LW_CID_LINK_CHECK       = 0x02,
    LW_CID_LINK_ADR         = 0x03,
    LW_CID_DUTY_CYCLE       = 0x04,
    LW_CID_RX_PARAM_SETUP   = 0x05,
    LW_CID_DEV_STATUS       = 0x06,
    LW_CID_NEW_CHANNEL      = 0x07,
    LW_CID_RX_TIMING_SETUP  = 0x08,
    LW_CID_TX_PARAM_SETUP   = 0x09,
    LW_CID_DL_CHANNEL       = 0x0a,
    LW_CID_REKEY            = 0x0b,
    LW_CID_ADR_PARAM_SETUP  = 0x0c,
    LW_CID_DEVICE_TIME      = 0x0d,
    LW_CID_FORCE_REJOIN     = 0x0e,
    LW_CID_REJOIN_PARAM     = 0x0f,
    LW_CID_PING_SLOT_INFO   = 0x10,
    LW_CID_PING_SLOT_CHANNEL= 0x11,
    LW_CID_BEACON_TIMING    = 0x12,
    LW_CID_BEACON_FREQ      = 0x13,
    LW_CID_DEVICE_MODE      = 0x20,
    LW_CID_RELAY_CONF       = 0x40,
    LW_CID_END_DEVICE_CONF  = 0x41,
    LW_CID_FILTER_LIST      = 0x42,
    LW_CID_UPDATE_UPLINK    = 0x43,
    LW_CID_CTRL_UPLINK      = 0x44,
    LW_CID_FWD_LIMIT        = 0x45,
    LW_CID_NOTIFY_NEW_ED    = 0x46,
};
/* clang-format on */

enum lw_mac_encoding {
    LW_MAC_NUMBER, /* value = raw * scale + base */
    LW_MAC_SIGNED, /* two's complement of the width */
    LW_MAC_HZ,     /* 24 bits of 100 Hz; above 1.2 GHz of 200 Hz */
    LW_MAC_ADDR,   /* DevAddr */
    LW_MAC_CLASS,  /* 0 A, 1 B, 2 C */
    LW_MAC_HEX,    /* a range of whole octets as on air; width 0: to the end of the command */
};

/* A bit field. Bit n is bit n % 8 of octet n / 8 (little-endian numbering). */
struct lw_mac_field {
    const char *name;
    uint8_t bit, width;
    uint8_t encoding; /* enum lw_mac_encoding */
    int8_t scale;     /* 0 means 1 */
    int8_t base;
};

#define LW_MAC_FIELDS_MAX 10
#define LW_MAC_VARIABLE   0xff /* length: FilterListReq */

enum lw_mac_flag {
    LW_MAC_STICKY = 1 << 0,    /* the answer is repeated until a downlink comes (reference 4.7) */
    LW_MAC_BY_DEVICE = 1 << 1, /* the exchange is started by the device */
    LW_MAC_CLASS_B_CMD = 1 << 2,
    LW_MAC_RELAY_CMD = 1 << 3, /* TS011 */
    LW_MAC_DEPRECATED = 1 << 4,
    LW_MAC_ANSWER = 1 << 5, /* answers a command of the other direction */
};

struct lw_mac_def {
    uint8_t cid;
    uint8_t direction; /* enum lw_direction */
    uint8_t length;    /* octets after the CID, or LW_MAC_VARIABLE */
    uint8_t flags;
    uint8_t since; /* enum lw_version */
    const char *name;
    struct lw_mac_field fields[LW_MAC_FIELDS_MAX]; /* ends with a NULL name */
};

/* The row of a command, NULL if unknown (proprietary commands are). */
const struct lw_mac_def *lw_mac_def(enum lw_direction direction, uint8_t cid);
const struct lw_mac_def *lw_mac_def_by_name(enum lw_direction direction, const char *name);
/* All rows, for lists and documentation. */
const struct lw_mac_def *lw_mac_defs(size_t *count);

/* ---- streams --------------------------------------------------------------------------------- */

struct lw_mac_cmd {
    uint8_t cid;
    const struct lw_mac_def *def;
    struct bytes payload; /* without the CID, borrowed */
};

enum lw_mac_stop { LW_MAC_END, LW_MAC_UNKNOWN, LW_MAC_TRUNCATED };

/* Lengths are implicit, hence the first unknown or truncated command ends the stream; those before
 * it stay valid (TS001 5). */
struct lw_mac_iter {
    struct bytes stream;
    size_t at;         /* offset of the next command; where it stopped */
    uint8_t direction; /* enum lw_direction */
    uint8_t stop;      /* enum lw_mac_stop, valid after lw_mac_next gave false */
};

struct lw_mac_iter lw_mac_iter_of(struct bytes stream, enum lw_direction direction);
bool lw_mac_next(struct lw_mac_iter *iter, struct lw_mac_cmd *cmd);

/* Whether the whole stream reads without a stop (tells FOpts that were decrypted wrongly, F-4). */
bool lw_mac_stream_valid(struct bytes stream, enum lw_direction direction);

/* ---- fields ---------------------------------------------------------------------------------- */

const struct lw_mac_field *lw_mac_field(const struct lw_mac_def *def, const char *name);
/* The value of a field that is no range; 0 if the payload is too short. */
int64_t lw_mac_get(const struct lw_mac_field *field, struct bytes payload);
struct bytes lw_mac_get_range(const struct lw_mac_field *field, struct bytes payload);
/* Puts a value into a payload of `n` octets. ERR_INVALID if it does not fit the field. */
MUST_CHECK enum err lw_mac_put(const struct lw_mac_field *field, uint8_t *payload, size_t n,
                               int64_t value);
MUST_CHECK enum err lw_mac_put_range(const struct lw_mac_field *field, uint8_t *payload, size_t n,
                                     struct bytes value);

/* A frequency in Hz as 24 bits and back; ERR_INVALID if it is no multiple of the unit or too large.
 * Unit 100 Hz, from 1.2 GHz on 200 Hz. */
MUST_CHECK enum err lw_hz_to_u24(uint32_t hz, uint32_t *u24);
uint32_t lw_hz_of_u24(uint32_t u24);

/* ForceRejoinReq with Period and Max_Retries in the first octet (F-1, default) or little-endian. */
enum lw_force_rejoin_order { LW_FORCE_REJOIN_BIG, LW_FORCE_REJOIN_LITTLE };

/* ---- typed commands -------------------------------------------------------------------------- */
/* `write` appends CID and payload; a field that does not fit, or no room, fails the writer (its
 * `failed`). `read` takes lw_mac_cmd.payload of the same command: false if it is too short. */

struct lw_link_adr_req {
    uint8_t dr, tx_power; /* 15: keep (1.0.4, 1.1) */
    uint16_t ch_mask;
    uint8_t ch_mask_cntl, nb_trans;
};
struct lw_link_adr_ans {
    bool ch_mask_ack, dr_ack, power_ack;
};
struct lw_rx_param_setup_req {
    uint8_t rx1_dr_offset, rx2_dr;
    uint32_t frequency_hz;
};
struct lw_rx_param_setup_ans {
    bool channel_ack, rx2_dr_ack, rx1_dr_offset_ack;
};
struct lw_dev_status_ans {
    uint8_t battery; /* 0 external, 1..254, 255 unknown */
    int8_t margin_db;
};
struct lw_new_channel_req {
    uint8_t index;
    uint32_t frequency_hz; /* 0: off */
    uint8_t min_dr, max_dr;
};
struct lw_new_channel_ans {
    bool frequency_ok, dr_range_ok;
};
struct lw_dl_channel_req {
    uint8_t index;
    uint32_t frequency_hz;
};
struct lw_dl_channel_ans {
    bool frequency_ok, uplink_exists;
};
struct lw_tx_param_setup_req {
    bool downlink_dwell, uplink_dwell;
    uint8_t max_eirp_index;
};
struct lw_device_time_ans {
    uint32_t gps_s;
    uint8_t fraction; /* 1/256 s */
};
struct lw_force_rejoin_req {
    uint8_t period, max_retries, rejoin_type, dr;
};
struct lw_ping_slot_channel_req {
    uint32_t frequency_hz; /* 0: default */
    uint8_t dr;
};
struct lw_ping_slot_channel_ans {
    bool frequency_ok, dr_ok;
};

/* Room of the longest command with its CID (UpdateUplinkListReq), except FilterListReq. */
#define LW_MAC_CMD_MAX 27

void lw_link_adr_req_write(struct wr *wr, const struct lw_link_adr_req *req);
bool lw_link_adr_req_read(struct bytes payload, struct lw_link_adr_req *req);
bool lw_link_adr_ans_read(struct bytes payload, struct lw_link_adr_ans *ans);
void lw_rx_param_setup_req_write(struct wr *wr, const struct lw_rx_param_setup_req *req);
bool lw_rx_param_setup_req_read(struct bytes payload, struct lw_rx_param_setup_req *req);
bool lw_rx_param_setup_ans_read(struct bytes payload, struct lw_rx_param_setup_ans *ans);
bool lw_dev_status_ans_read(struct bytes payload, struct lw_dev_status_ans *ans);
void lw_new_channel_req_write(struct wr *wr, const struct lw_new_channel_req *req);
bool lw_new_channel_req_read(struct bytes payload, struct lw_new_channel_req *req);
bool lw_new_channel_ans_read(struct bytes payload, struct lw_new_channel_ans *ans);
void lw_dl_channel_req_write(struct wr *wr, const struct lw_dl_channel_req *req);
bool lw_dl_channel_req_read(struct bytes payload, struct lw_dl_channel_req *req);
bool lw_dl_channel_ans_read(struct bytes payload, struct lw_dl_channel_ans *ans);
void lw_tx_param_setup_req_write(struct wr *wr, const struct lw_tx_param_setup_req *req);
bool lw_tx_param_setup_req_read(struct bytes payload, struct lw_tx_param_setup_req *req);
void lw_device_time_ans_write(struct wr *wr, const struct lw_device_time_ans *ans);
void lw_force_rejoin_req_write(struct wr *wr, const struct lw_force_rejoin_req *req,
                               enum lw_force_rejoin_order order);
void lw_ping_slot_channel_req_write(struct wr *wr, const struct lw_ping_slot_channel_req *req);
bool lw_ping_slot_channel_ans_read(struct bytes payload, struct lw_ping_slot_channel_ans *ans);

void lw_link_check_ans_write(struct wr *wr, uint8_t margin_db, uint8_t gateway_count);
void lw_duty_cycle_req_write(struct wr *wr, uint8_t exponent); /* 1 / 2^exponent, 0: no limit */
void lw_rx_timing_setup_req_write(struct wr *wr, uint8_t delay_s);
void lw_adr_param_setup_req_write(struct wr *wr, uint8_t limit_exp, uint8_t delay_exp);
void lw_rejoin_param_setup_req_write(struct wr *wr, uint8_t max_time_n, uint8_t max_count_n);
void lw_beacon_freq_req_write(struct wr *wr, uint32_t frequency_hz);

/* Commands without payload (DevStatusReq, PingSlotInfoAns...). */
void lw_mac_bare_write(struct wr *wr, uint8_t cid);
/* One octet: ResetConf, RekeyConf (minor version), DeviceModeConf (class). */
void lw_mac_octet_write(struct wr *wr, uint8_t cid, uint8_t octet);

/* EIRP in dBm of TxParamSetupReq's index 0..15, and the greatest index not above `dbm`. */
int lw_max_eirp_dbm(uint8_t index);
uint8_t lw_max_eirp_index(int dbm);
