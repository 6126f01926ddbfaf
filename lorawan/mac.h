/*
 * mac.h - MAC commands (TS001 5; those of relays: TS011 11): one table for both directions, a
 * struct for each command that says something, and streams of them.
 *
 * Layouts stand in mac_table.c alone (see lorawan/command.h). Pure; nothing allocates.
 */
#pragma once

#include "lorawan/command.h"

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

enum lw_mac_flag {
    LW_MAC_STICKY = 1 << 0,    /* the answer is repeated until a downlink comes (reference 4.7) */
    LW_MAC_BY_DEVICE = 1 << 1, /* the exchange is started by the device */
    LW_MAC_CLASS_B_CMD = 1 << 2,
    LW_MAC_RELAY_CMD = 1 << 3, /* TS011 */
    LW_MAC_DEPRECATED = 1 << 4,
    LW_MAC_ANSWER = 1 << 5, /* answers a command of the other direction */
};

/* All rows, for lists and documentation. `since` of a row is an enum lw_version. */
const struct lw_commands *lw_mac_commands(void);
/* The row of a command, NULL if unknown (proprietary commands are). */
const struct lw_command *lw_mac_def(enum lw_direction direction, uint8_t cid);
const struct lw_command *lw_mac_def_by_name(enum lw_direction direction, const char *name);

/* The commands of FOpts or of a payload on port 0: lw_cmd_next. */
struct lw_cmd_iter lw_mac_iter_of(struct bytes stream, enum lw_direction direction);

/* Whether the whole stream reads without a stop (tells FOpts that were decrypted wrongly, F-4). */
bool lw_mac_stream_valid(struct bytes stream, enum lw_direction direction);

/* ForceRejoinReq with Period and Max_Retries in the first octet (F-1, default) or little-endian. */
enum lw_force_rejoin_order { LW_FORCE_REJOIN_BIG, LW_FORCE_REJOIN_LITTLE };

/* ---- the structs ----------------------------------------------------------------------------- */
/* Of those not commented the values are what the specification says. */

struct lw_minor_version { /* ResetInd, ResetConf, RekeyInd, RekeyConf */
    uint8_t minor;        /* 1 for 1.1 */
};
struct lw_link_check_ans {
    uint8_t margin_db, gateway_count;
};
struct lw_link_adr_req {
    uint8_t dr, tx_power; /* 15: keep (1.0.4, 1.1) */
    uint16_t ch_mask;
    uint8_t ch_mask_cntl, nb_trans;
};
struct lw_link_adr_ans {
    bool ch_mask_ack, dr_ack, power_ack;
};
struct lw_duty_cycle_req {
    uint8_t exponent; /* 1 / 2^exponent, 0: no limit */
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
struct lw_rx_timing_setup_req {
    uint8_t delay_s; /* 0 and 1: one second */
};
struct lw_tx_param_setup_req {
    bool downlink_dwell, uplink_dwell;
    uint8_t max_eirp_index;
};
struct lw_dl_channel_req {
    uint8_t index;
    uint32_t frequency_hz;
};
struct lw_dl_channel_ans {
    bool frequency_ok, uplink_exists;
};
struct lw_adr_param_setup_req {
    uint8_t limit_exp, delay_exp;
};
struct lw_device_time_ans {
    uint32_t gps_s;
    uint8_t fraction; /* 1/256 s */
};
struct lw_force_rejoin_req {
    uint8_t period, max_retries, rejoin_type, dr;
};
struct lw_rejoin_param_setup_req {
    uint8_t max_time_n, max_count_n;
};
struct lw_rejoin_param_setup_ans {
    bool time_ok;
};
struct lw_ping_slot_info_req {
    uint8_t periodicity;
};
struct lw_ping_slot_channel_req {
    uint32_t frequency_hz; /* 0: default */
    uint8_t dr;
};
struct lw_ping_slot_channel_ans {
    bool frequency_ok, dr_ok;
};
struct lw_beacon_timing_ans {
    uint16_t delay_30ms; /* from the end of the uplink, in units of 30 ms */
    uint8_t channel;
};
struct lw_beacon_freq_req {
    uint32_t frequency_hz; /* 0: default */
};
struct lw_beacon_freq_ans {
    bool frequency_ok;
};
struct lw_device_mode { /* DeviceModeInd, DeviceModeConf */
    uint8_t mode;       /* enum lw_class */
};

/* ---- relays (relay reference 4) -------------------------------------------------------------- */

struct lw_relay_conf_req {
    bool start; /* false: the rest is ignored */
    uint8_t cad_periodicity, default_ch_idx;
    uint8_t second_ch_idx, second_ch_dr, second_ch_ack_offset;
    uint32_t second_ch_hz;
};
struct lw_relay_conf_ans {
    bool second_ch_freq_ack, second_ch_ack_offset_ack, second_ch_dr_ack, second_ch_idx_ack;
    bool default_ch_idx_ack, cad_periodicity_ack;
};
struct lw_end_device_conf_req {
    uint8_t activation; /* 0 off, 1 on, 2 dynamic, 3 the device decides */
    uint8_t smart_enable_level, backoff;
    uint8_t second_ch_idx, second_ch_dr, second_ch_ack_offset;
    uint32_t second_ch_hz;
};
struct lw_end_device_conf_ans {
    bool second_ch_freq_ack, second_ch_dr_ack, second_ch_idx_ack;
    bool backoff_ack; /* TS011-1.0.1 means SecondChAckOffset by this bit */
};
struct lw_filter_list_req {
    uint8_t index, action, length; /* action 0 clear, 1 forward, 2 filter */
    uint8_t eui[16];               /* the first `length` octets of JoinEUI | DevEUI as written */
};
struct lw_filter_list_ans {
    bool action_ack, length_ack, combined_rules_ack;
};
struct lw_update_uplink_list_req {
    uint8_t index, reload_rate, bucket_size;
    struct lw_dev_addr dev_addr;
    uint32_t wfcnt;
    struct lw_key root_wor_s_key;
};
struct lw_ctrl_uplink_list_req {
    uint8_t index;
    uint8_t action; /* 0 read WFCnt, 1 remove */
};
struct lw_ctrl_uplink_list_ans {
    bool index_ack;
    uint32_t wfcnt;
};
struct lw_configure_fwd_limit_req {
    uint8_t join_req_reload, notify_reload, global_uplink_reload, overall_reload; /* 127: none */
    uint8_t join_req_size, notify_size, global_uplink_size, overall_size;
    uint8_t reset_counters; /* 0 to 0, 1 to the reload rate, 2 to the capacity, 3 not */
};
struct lw_notify_new_end_device_req {
    struct lw_dev_addr dev_addr;
    int8_t wor_snr_db;
    int16_t wor_rssi_dbm;
};

/* ---- reading and writing --------------------------------------------------------------------- */
/* For each row `lw_<name>_write(struct wr *, const struct *)` appends CID and payload; a member
 * that does not fit, or no room, fails the writer (its `failed`). `lw_<name>_read(payload, struct
 * *)` takes lw_cmd.payload of that command: false if it is too short or makes no sense. */

/* clang-format off */
#define LW_MAC_TYPED(X)                                                                            \
    X(reset_ind,              minor_version,              LW_UP,   LW_CID_RESET)                   \
    X(reset_conf,             minor_version,              LW_DOWN, LW_CID_RESET)                   \
    X(link_check_ans,         link_check_ans,             LW_DOWN, LW_CID_LINK_CHECK)              \
    X(link_adr_req,           link_adr_req,               LW_DOWN, LW_CID_LINK_ADR)                \
    X(link_adr_ans,           link_adr_ans,               LW_UP,   LW_CID_LINK_ADR)                \
    X(duty_cycle_req,         duty_cycle_req,             LW_DOWN, LW_CID_DUTY_CYCLE)              \
    X(rx_param_setup_req,     rx_param_setup_req,         LW_DOWN, LW_CID_RX_PARAM_SETUP)          \
    X(rx_param_setup_ans,     rx_param_setup_ans,         LW_UP,   LW_CID_RX_PARAM_SETUP)          \
    X(dev_status_ans,         dev_status_ans,             LW_UP,   LW_CID_DEV_STATUS)              \
    X(new_channel_req,        new_channel_req,            LW_DOWN, LW_CID_NEW_CHANNEL)             \
    X(new_channel_ans,        new_channel_ans,            LW_UP,   LW_CID_NEW_CHANNEL)             \
    X(rx_timing_setup_req,    rx_timing_setup_req,        LW_DOWN, LW_CID_RX_TIMING_SETUP)         \
    X(tx_param_setup_req,     tx_param_setup_req,         LW_DOWN, LW_CID_TX_PARAM_SETUP)          \
    X(dl_channel_req,         dl_channel_req,             LW_DOWN, LW_CID_DL_CHANNEL)              \
    X(dl_channel_ans,         dl_channel_ans,             LW_UP,   LW_CID_DL_CHANNEL)              \
    X(rekey_ind,              minor_version,              LW_UP,   LW_CID_REKEY)                   \
    X(rekey_conf,             minor_version,              LW_DOWN, LW_CID_REKEY)                   \
    X(adr_param_setup_req,    adr_param_setup_req,        LW_DOWN, LW_CID_ADR_PARAM_SETUP)         \
    X(device_time_ans,        device_time_ans,            LW_DOWN, LW_CID_DEVICE_TIME)             \
    X(rejoin_param_setup_req, rejoin_param_setup_req,     LW_DOWN, LW_CID_REJOIN_PARAM)            \
    X(rejoin_param_setup_ans, rejoin_param_setup_ans,     LW_UP,   LW_CID_REJOIN_PARAM)            \
    X(ping_slot_info_req,     ping_slot_info_req,         LW_UP,   LW_CID_PING_SLOT_INFO)          \
    X(ping_slot_channel_req,  ping_slot_channel_req,      LW_DOWN, LW_CID_PING_SLOT_CHANNEL)       \
    X(ping_slot_channel_ans,  ping_slot_channel_ans,      LW_UP,   LW_CID_PING_SLOT_CHANNEL)       \
    X(beacon_timing_ans,      beacon_timing_ans,          LW_DOWN, LW_CID_BEACON_TIMING)           \
    X(beacon_freq_req,        beacon_freq_req,            LW_DOWN, LW_CID_BEACON_FREQ)             \
    X(beacon_freq_ans,        beacon_freq_ans,            LW_UP,   LW_CID_BEACON_FREQ)             \
    X(device_mode_ind,        device_mode,                LW_UP,   LW_CID_DEVICE_MODE)             \
    X(device_mode_conf,       device_mode,                LW_DOWN, LW_CID_DEVICE_MODE)             \
    X(relay_conf_req,         relay_conf_req,             LW_DOWN, LW_CID_RELAY_CONF)              \
    X(relay_conf_ans,         relay_conf_ans,             LW_UP,   LW_CID_RELAY_CONF)              \
    X(end_device_conf_req,    end_device_conf_req,        LW_DOWN, LW_CID_END_DEVICE_CONF)         \
    X(end_device_conf_ans,    end_device_conf_ans,        LW_UP,   LW_CID_END_DEVICE_CONF)         \
    X(filter_list_req,        filter_list_req,            LW_DOWN, LW_CID_FILTER_LIST)             \
    X(filter_list_ans,        filter_list_ans,            LW_UP,   LW_CID_FILTER_LIST)             \
    X(update_uplink_list_req, update_uplink_list_req,     LW_DOWN, LW_CID_UPDATE_UPLINK)           \
    X(ctrl_uplink_list_req,   ctrl_uplink_list_req,       LW_DOWN, LW_CID_CTRL_UPLINK)             \
    X(ctrl_uplink_list_ans,   ctrl_uplink_list_ans,       LW_UP,   LW_CID_CTRL_UPLINK)             \
    X(configure_fwd_limit_req, configure_fwd_limit_req,   LW_DOWN, LW_CID_FWD_LIMIT)               \
    X(notify_new_end_device_req, notify_new_end_device_req, LW_UP, LW_CID_NOTIFY_NEW_ED)

#define X(name, tag, direction, cid)                                                               \
    static inline void lw_##name##_write(struct wr *wr, const struct lw_##tag *from)               \
    {                                                                                              \
        lw_command_write(lw_mac_def(direction, cid), wr, from);                                    \
    }                                                                                              \
    static inline bool lw_##name##_read(struct bytes payload, struct lw_##tag *to)                 \
    {                                                                                              \
        return lw_command_read(lw_mac_def(direction, cid), payload, to);                           \
    }
LW_MAC_TYPED(X)
#undef X
/* clang-format on */

/* ForceRejoinReq needs its order. */
void lw_force_rejoin_req_write(struct wr *wr, const struct lw_force_rejoin_req *from,
                               enum lw_force_rejoin_order order);
bool lw_force_rejoin_req_read(struct bytes payload, struct lw_force_rejoin_req *to,
                              enum lw_force_rejoin_order order);

/* Commands without payload; an unknown one, or one with a payload, fails the writer. */
void lw_mac_bare_write(struct wr *wr, enum lw_direction direction, uint8_t cid);

/* Room of the longest command that the server sends, with its CID (UpdateUplinkListReq). */
#define LW_MAC_CMD_MAX 27

/* EIRP in dBm of TxParamSetupReq's index 0..15, and the greatest index not above `dbm`. */
int lw_max_eirp_dbm(uint8_t index);
uint8_t lw_max_eirp_index(int dbm);
