/*
 * mac_table.c - the one table of MAC commands (mac-layer reference 4.1, 4.2; relay reference 4).
 *
 * Rows of one CID: uplink first. Where one field follows another within a number of several octets,
 * bits count from the lowest of its first octet, as everything on air is little-endian.
 */
#include "lorawan/mac.h"

#define EUI_LENGTH 0x1f /* FilterListReq: octets of the EUI, in the first octet */
#define EUI_MOST   16

static size_t filter_list_more(const uint8_t *fixed)
{
    return (fixed[0] & EUI_LENGTH) > EUI_MOST ? SIZE_MAX : fixed[0] & EUI_LENGTH;
}

/* clang-format off */
#define UP(cid, len, flags, since, name, type, ...)                                                \
    {cid, LW_UP, len, flags, since, 0, name, sizeof(struct type), NULL, FIELDS(__VA_ARGS__)}
#define DOWN(cid, len, flags, since, name, type, ...)                                              \
    {cid, LW_DOWN, len, flags, since, 0, name, sizeof(struct type), NULL, FIELDS(__VA_ARGS__)}
#define UP_BARE(cid, flags, since, name)   {cid, LW_UP, 0, flags, since, 0, name, 0, NULL, FIELDS({0})}
#define DOWN_BARE(cid, flags, since, name) {cid, LW_DOWN, 0, flags, since, 0, name, 0, NULL, FIELDS({0})}
#define FIELDS(...) (const struct lw_field[]){__VA_ARGS__, {0}}

#define ANS    LW_MAC_ANSWER
#define STICKY (LW_MAC_ANSWER | LW_MAC_STICKY)
#define DEV    LW_MAC_BY_DEVICE
#define DEVANS (LW_MAC_BY_DEVICE | LW_MAC_ANSWER)
#define B      LW_MAC_CLASS_B_CMD
#define RELAY  LW_MAC_RELAY_CMD
#define OLD    LW_MAC_DEPRECATED

static const struct lw_command rows[] = {
    UP(0x01, 1, DEV, LW_1_1_0, "ResetInd", lw_minor_version,
        LW_NUM(lw_minor_version, minor, 0, 4)),
    DOWN(0x01, 1, DEVANS, LW_1_1_0, "ResetConf", lw_minor_version,
        LW_NUM(lw_minor_version, minor, 0, 4)),
    UP_BARE(0x02, DEV, LW_1_0_0, "LinkCheckReq"),
    DOWN(0x02, 2, DEVANS, LW_1_0_0, "LinkCheckAns", lw_link_check_ans,
        LW_NUM(lw_link_check_ans, margin_db, 0, 8),
        LW_NUM(lw_link_check_ans, gateway_count, 8, 8)),
    UP(0x03, 1, ANS, LW_1_0_0, "LinkADRAns", lw_link_adr_ans,
        LW_NUM(lw_link_adr_ans, ch_mask_ack, 0, 1),
        LW_NUM(lw_link_adr_ans, dr_ack, 1, 1),
        LW_NUM(lw_link_adr_ans, power_ack, 2, 1)),
    DOWN(0x03, 4, 0, LW_1_0_0, "LinkADRReq", lw_link_adr_req,
        LW_NUM(lw_link_adr_req, dr, 4, 4),
        LW_NUM(lw_link_adr_req, tx_power, 0, 4),
        LW_NUM(lw_link_adr_req, ch_mask, 8, 16),
        LW_NUM(lw_link_adr_req, ch_mask_cntl, 28, 3),
        LW_NUM(lw_link_adr_req, nb_trans, 24, 4)),
    UP_BARE(0x04, ANS, LW_1_0_0, "DutyCycleAns"),
    DOWN(0x04, 1, 0, LW_1_0_0, "DutyCycleReq", lw_duty_cycle_req,
        LW_NUM(lw_duty_cycle_req, exponent, 0, 4)),
    UP(0x05, 1, STICKY, LW_1_0_0, "RXParamSetupAns", lw_rx_param_setup_ans,
        LW_NUM(lw_rx_param_setup_ans, channel_ack, 0, 1),
        LW_NUM(lw_rx_param_setup_ans, rx2_dr_ack, 1, 1),
        LW_NUM(lw_rx_param_setup_ans, rx1_dr_offset_ack, 2, 1)),
    DOWN(0x05, 4, 0, LW_1_0_0, "RXParamSetupReq", lw_rx_param_setup_req,
        LW_NUM(lw_rx_param_setup_req, rx1_dr_offset, 4, 3),
        LW_NUM(lw_rx_param_setup_req, rx2_dr, 0, 4),
        LW_FREQ(lw_rx_param_setup_req, frequency_hz, 8)),
    UP(0x06, 2, ANS, LW_1_0_0, "DevStatusAns", lw_dev_status_ans,
        LW_NUM(lw_dev_status_ans, battery, 0, 8),
        LW_SIGNED(lw_dev_status_ans, margin_db, 8, 6)),
    DOWN_BARE(0x06, 0, LW_1_0_0, "DevStatusReq"),
    UP(0x07, 1, ANS, LW_1_0_0, "NewChannelAns", lw_new_channel_ans,
        LW_NUM(lw_new_channel_ans, frequency_ok, 0, 1),
        LW_NUM(lw_new_channel_ans, dr_range_ok, 1, 1)),
    DOWN(0x07, 5, 0, LW_1_0_0, "NewChannelReq", lw_new_channel_req,
        LW_NUM(lw_new_channel_req, index, 0, 8),
        LW_FREQ(lw_new_channel_req, frequency_hz, 8),
        LW_NUM(lw_new_channel_req, min_dr, 32, 4),
        LW_NUM(lw_new_channel_req, max_dr, 36, 4)),
    UP_BARE(0x08, STICKY, LW_1_0_0, "RXTimingSetupAns"),
    DOWN(0x08, 1, 0, LW_1_0_0, "RXTimingSetupReq", lw_rx_timing_setup_req,
        LW_NUM(lw_rx_timing_setup_req, delay_s, 0, 4)),
    UP_BARE(0x09, STICKY, LW_1_0_2, "TxParamSetupAns"),
    DOWN(0x09, 1, 0, LW_1_0_2, "TxParamSetupReq", lw_tx_param_setup_req,
        LW_NUM(lw_tx_param_setup_req, downlink_dwell, 5, 1),
        LW_NUM(lw_tx_param_setup_req, uplink_dwell, 4, 1),
        LW_NUM(lw_tx_param_setup_req, max_eirp_index, 0, 4)),
    UP(0x0a, 1, STICKY, LW_1_0_2, "DlChannelAns", lw_dl_channel_ans,
        LW_NUM(lw_dl_channel_ans, frequency_ok, 0, 1),
        LW_NUM(lw_dl_channel_ans, uplink_exists, 1, 1)),
    DOWN(0x0a, 4, 0, LW_1_0_2, "DlChannelReq", lw_dl_channel_req,
        LW_NUM(lw_dl_channel_req, index, 0, 8),
        LW_FREQ(lw_dl_channel_req, frequency_hz, 8)),
    UP(0x0b, 1, DEV, LW_1_1_0, "RekeyInd", lw_minor_version,
        LW_NUM(lw_minor_version, minor, 0, 4)),
    DOWN(0x0b, 1, DEVANS, LW_1_1_0, "RekeyConf", lw_minor_version,
        LW_NUM(lw_minor_version, minor, 0, 4)),
    UP_BARE(0x0c, ANS, LW_1_1_0, "ADRParamSetupAns"),
    DOWN(0x0c, 1, 0, LW_1_1_0, "ADRParamSetupReq", lw_adr_param_setup_req,
        LW_NUM(lw_adr_param_setup_req, limit_exp, 4, 4),
        LW_NUM(lw_adr_param_setup_req, delay_exp, 0, 4)),
    UP_BARE(0x0d, DEV, LW_1_0_3, "DeviceTimeReq"),
    DOWN(0x0d, 5, DEVANS, LW_1_0_3, "DeviceTimeAns", lw_device_time_ans,
        LW_TIME(lw_device_time_ans, gps_s, 0),
        LW_NUM(lw_device_time_ans, fraction, 32, 8)),
    DOWN(0x0e, 2, 0, LW_1_1_0, "ForceRejoinReq", lw_force_rejoin_req,
        LW_NUM(lw_force_rejoin_req, period, 3, 3),
        LW_NUM(lw_force_rejoin_req, max_retries, 0, 3),
        LW_NUM(lw_force_rejoin_req, rejoin_type, 12, 3),
        LW_NUM(lw_force_rejoin_req, dr, 8, 4)),
    UP(0x0f, 1, ANS, LW_1_1_0, "RejoinParamSetupAns", lw_rejoin_param_setup_ans,
        LW_NUM(lw_rejoin_param_setup_ans, time_ok, 0, 1)),
    DOWN(0x0f, 1, 0, LW_1_1_0, "RejoinParamSetupReq", lw_rejoin_param_setup_req,
        LW_NUM(lw_rejoin_param_setup_req, max_time_n, 4, 4),
        LW_NUM(lw_rejoin_param_setup_req, max_count_n, 0, 4)),
    UP(0x10, 1, DEV | B, LW_1_0_0, "PingSlotInfoReq", lw_ping_slot_info_req,
        LW_NUM(lw_ping_slot_info_req, periodicity, 0, 3)),
    DOWN_BARE(0x10, DEVANS | B, LW_1_0_0, "PingSlotInfoAns"),
    UP(0x11, 1, STICKY | B, LW_1_0_0, "PingSlotChannelAns", lw_ping_slot_channel_ans,
        LW_NUM(lw_ping_slot_channel_ans, frequency_ok, 0, 1),
        LW_NUM(lw_ping_slot_channel_ans, dr_ok, 1, 1)),
    DOWN(0x11, 4, B, LW_1_0_0, "PingSlotChannelReq", lw_ping_slot_channel_req,
        LW_FREQ(lw_ping_slot_channel_req, frequency_hz, 0),
        LW_NUM(lw_ping_slot_channel_req, dr, 24, 4)),
    UP_BARE(0x12, DEV | B | OLD, LW_1_0_0, "BeaconTimingReq"),
    DOWN(0x12, 3, DEVANS | B | OLD, LW_1_0_0, "BeaconTimingAns", lw_beacon_timing_ans,
        LW_NUM(lw_beacon_timing_ans, delay_30ms, 0, 16),
        LW_NUM(lw_beacon_timing_ans, channel, 16, 8)),
    UP(0x13, 1, ANS | B, LW_1_0_0, "BeaconFreqAns", lw_beacon_freq_ans,
        LW_NUM(lw_beacon_freq_ans, frequency_ok, 0, 1)),
    DOWN(0x13, 3, B, LW_1_0_0, "BeaconFreqReq", lw_beacon_freq_req,
        LW_FREQ(lw_beacon_freq_req, frequency_hz, 0)),
    UP(0x20, 1, DEV, LW_1_1_0, "DeviceModeInd", lw_device_mode,
        LW_MODE(lw_device_mode, mode, 0)),
    DOWN(0x20, 1, DEVANS, LW_1_1_0, "DeviceModeConf", lw_device_mode,
        LW_MODE(lw_device_mode, mode, 0)),
    UP(0x40, 1, ANS | RELAY, LW_1_0_4, "RelayConfAns", lw_relay_conf_ans,
        LW_NUM(lw_relay_conf_ans, second_ch_freq_ack, 0, 1),
        LW_NUM(lw_relay_conf_ans, second_ch_ack_offset_ack, 1, 1),
        LW_NUM(lw_relay_conf_ans, second_ch_dr_ack, 2, 1),
        LW_NUM(lw_relay_conf_ans, second_ch_idx_ack, 3, 1),
        LW_NUM(lw_relay_conf_ans, default_ch_idx_ack, 4, 1),
        LW_NUM(lw_relay_conf_ans, cad_periodicity_ack, 5, 1)),
    DOWN(0x40, 5, RELAY, LW_1_0_4, "RelayConfReq", lw_relay_conf_req,
        LW_NUM(lw_relay_conf_req, start, 13, 1),
        LW_NUM(lw_relay_conf_req, cad_periodicity, 10, 3),
        LW_NUM(lw_relay_conf_req, default_ch_idx, 9, 1),
        LW_NUM(lw_relay_conf_req, second_ch_idx, 7, 2),
        LW_NUM(lw_relay_conf_req, second_ch_dr, 3, 4),
        LW_NUM(lw_relay_conf_req, second_ch_ack_offset, 0, 3),
        LW_FREQ(lw_relay_conf_req, second_ch_hz, 16)),
    UP(0x41, 1, ANS | RELAY, LW_1_0_4, "EndDeviceConfAns", lw_end_device_conf_ans,
        LW_NUM(lw_end_device_conf_ans, second_ch_freq_ack, 0, 1),
        LW_NUM(lw_end_device_conf_ans, second_ch_dr_ack, 1, 1),
        LW_NUM(lw_end_device_conf_ans, second_ch_idx_ack, 2, 1),
        LW_NUM(lw_end_device_conf_ans, backoff_ack, 3, 1)),
    DOWN(0x41, 6, RELAY, LW_1_0_4, "EndDeviceConfReq", lw_end_device_conf_req,
        LW_NUM(lw_end_device_conf_req, activation, 2, 2),
        LW_NUM(lw_end_device_conf_req, smart_enable_level, 0, 2),
        LW_NUM(lw_end_device_conf_req, backoff, 17, 6),
        LW_NUM(lw_end_device_conf_req, second_ch_idx, 15, 2),
        LW_NUM(lw_end_device_conf_req, second_ch_dr, 11, 4),
        LW_NUM(lw_end_device_conf_req, second_ch_ack_offset, 8, 3),
        LW_FREQ(lw_end_device_conf_req, second_ch_hz, 24)),
    UP(0x42, 1, ANS | RELAY, LW_1_0_4, "FilterListAns", lw_filter_list_ans,
        LW_NUM(lw_filter_list_ans, action_ack, 0, 1),
        LW_NUM(lw_filter_list_ans, length_ack, 1, 1),
        LW_NUM(lw_filter_list_ans, combined_rules_ack, 2, 1)),
    {0x42, LW_DOWN, 2, RELAY, LW_1_0_4, 0, "FilterListReq", sizeof(struct lw_filter_list_req),
        filter_list_more, FIELDS(
        LW_NUM(lw_filter_list_req, index, 7, 4),
        LW_NUM(lw_filter_list_req, action, 5, 2),
        LW_NUM(lw_filter_list_req, length, 0, 5),
        LW_TURNED(lw_filter_list_req, eui, 16))},
    UP_BARE(0x43, ANS | RELAY, LW_1_0_4, "UpdateUplinkListAns"),
    DOWN(0x43, 26, RELAY, LW_1_0_4, "UpdateUplinkListReq", lw_update_uplink_list_req,
        LW_NUM(lw_update_uplink_list_req, index, 0, 4),
        LW_NUM(lw_update_uplink_list_req, reload_rate, 8, 6),
        LW_NUM(lw_update_uplink_list_req, bucket_size, 14, 2),
        LW_DEVADDR(lw_update_uplink_list_req, dev_addr, 16),
        LW_NUM(lw_update_uplink_list_req, wfcnt, 48, 32),
        LW_OCTETS(lw_update_uplink_list_req, root_wor_s_key, 80, 128)),
    UP(0x44, 5, ANS | RELAY, LW_1_0_4, "CtrlUplinkListAns", lw_ctrl_uplink_list_ans,
        LW_NUM(lw_ctrl_uplink_list_ans, index_ack, 0, 1),
        LW_NUM(lw_ctrl_uplink_list_ans, wfcnt, 8, 32)),
    DOWN(0x44, 1, RELAY, LW_1_0_4, "CtrlUplinkListReq", lw_ctrl_uplink_list_req,
        LW_NUM(lw_ctrl_uplink_list_req, index, 0, 4),
        LW_NUM(lw_ctrl_uplink_list_req, action, 4, 1)),
    UP_BARE(0x45, ANS | RELAY, LW_1_0_4, "ConfigureFwdLimitAns"),
    DOWN(0x45, 5, RELAY, LW_1_0_4, "ConfigureFwdLimitReq", lw_configure_fwd_limit_req,
        LW_NUM(lw_configure_fwd_limit_req, reset_counters, 28, 2),
        LW_NUM(lw_configure_fwd_limit_req, join_req_reload, 21, 7),
        LW_NUM(lw_configure_fwd_limit_req, notify_reload, 14, 7),
        LW_NUM(lw_configure_fwd_limit_req, global_uplink_reload, 7, 7),
        LW_NUM(lw_configure_fwd_limit_req, overall_reload, 0, 7),
        LW_NUM(lw_configure_fwd_limit_req, join_req_size, 38, 2),
        LW_NUM(lw_configure_fwd_limit_req, notify_size, 36, 2),
        LW_NUM(lw_configure_fwd_limit_req, global_uplink_size, 34, 2),
        LW_NUM(lw_configure_fwd_limit_req, overall_size, 32, 2)),
    UP(0x46, 6, DEV | RELAY, LW_1_0_4, "NotifyNewEndDeviceReq", lw_notify_new_end_device_req,
        LW_DEVADDR(lw_notify_new_end_device_req, dev_addr, 0),
        LW_LINEAR(lw_notify_new_end_device_req, wor_snr_db, 32, 5, 1, -20),
        LW_LINEAR(lw_notify_new_end_device_req, wor_rssi_dbm, 37, 7, -1, -15)),
};
/* clang-format on */

static const struct lw_commands table = {rows, sizeof(rows) / sizeof(rows[0])};

const struct lw_commands *lw_mac_commands(void)
{
    return &table;
}
