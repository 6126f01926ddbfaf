/*
 * mac_table.c - the one table of MAC commands (mac-layer reference 4.1, 4.2; relay: TS011 4).
 * Rows of one CID: uplink first. Columns of a field: name, first bit, width, encoding, scale, base.
 */
#include "lorawan/mac.h"

#include <string.h>

/* clang-format off */
#define UP(cid, name, len, flags, since, ...)                                                      \
    {cid, LW_UP, len, flags, since, name, {__VA_ARGS__}}
#define DOWN(cid, name, len, flags, since, ...)                                                    \
    {cid, LW_DOWN, len, flags, since, name, {__VA_ARGS__}}
#define NUM(name, bit, width)  {name, bit, width, LW_MAC_NUMBER, 0, 0}
#define LINEAR(name, bit, width, scale, base) {name, bit, width, LW_MAC_NUMBER, scale, base}
#define SIGNED(name, bit, width) {name, bit, width, LW_MAC_SIGNED, 0, 0}
#define HZ(name, bit)          {name, bit, 24, LW_MAC_HZ, 0, 0}
#define ADDR(name, bit)        {name, bit, 32, LW_MAC_ADDR, 0, 0}
#define CLASS(name, bit)       {name, bit, 8, LW_MAC_CLASS, 0, 0}
#define HEX(name, bit, width)  {name, bit, width, LW_MAC_HEX, 0, 0}
#define NONE                   {0}

#define ANS    LW_MAC_ANSWER
#define STICKY (LW_MAC_ANSWER | LW_MAC_STICKY)
#define DEV    LW_MAC_BY_DEVICE
#define DEVANS (LW_MAC_BY_DEVICE | LW_MAC_ANSWER)
#define B      LW_MAC_CLASS_B_CMD
#define RELAY  LW_MAC_RELAY_CMD
#define OLD    LW_MAC_DEPRECATED

static const struct lw_mac_def defs[] = {
    UP  (0x01, "ResetInd",              1, DEV,        LW_1_1_0, NUM("minor", 0, 4)),
    DOWN(0x01, "ResetConf",             1, DEVANS,     LW_1_1_0, NUM("minor", 0, 4)),
    UP  (0x02, "LinkCheckReq",          0, DEV,        LW_1_0_0, NONE),
    DOWN(0x02, "LinkCheckAns",          2, DEVANS,     LW_1_0_0, NUM("margin", 0, 8), NUM("gwcnt", 8, 8)),
    UP  (0x03, "LinkADRAns",            1, ANS,        LW_1_0_0, NUM("chmask_ack", 0, 1), NUM("dr_ack", 1, 1), NUM("power_ack", 2, 1)),
    DOWN(0x03, "LinkADRReq",            4, 0,          LW_1_0_0, NUM("dr", 4, 4), NUM("txpower", 0, 4), NUM("chmask", 8, 16), NUM("chmaskcntl", 28, 3), NUM("nbtrans", 24, 4)),
    UP  (0x04, "DutyCycleAns",          0, ANS,        LW_1_0_0, NONE),
    DOWN(0x04, "DutyCycleReq",          1, 0,          LW_1_0_0, NUM("max_dcycle", 0, 4)),
    UP  (0x05, "RXParamSetupAns",       1, STICKY,     LW_1_0_0, NUM("channel_ack", 0, 1), NUM("rx2dr_ack", 1, 1), NUM("rx1droffset_ack", 2, 1)),
    DOWN(0x05, "RXParamSetupReq",       4, 0,          LW_1_0_0, NUM("rx1droffset", 4, 3), NUM("rx2dr", 0, 4), HZ("freq_hz", 8)),
    UP  (0x06, "DevStatusAns",          2, ANS,        LW_1_0_0, NUM("battery", 0, 8), SIGNED("margin_db", 8, 6)),
    DOWN(0x06, "DevStatusReq",          0, 0,          LW_1_0_0, NONE),
    UP  (0x07, "NewChannelAns",         1, ANS,        LW_1_0_0, NUM("freq_ok", 0, 1), NUM("drrange_ok", 1, 1)),
    DOWN(0x07, "NewChannelReq",         5, 0,          LW_1_0_0, NUM("chindex", 0, 8), HZ("freq_hz", 8), NUM("maxdr", 36, 4), NUM("mindr", 32, 4)),
    UP  (0x08, "RXTimingSetupAns",      0, STICKY,     LW_1_0_0, NONE),
    DOWN(0x08, "RXTimingSetupReq",      1, 0,          LW_1_0_0, NUM("del", 0, 4)),
    UP  (0x09, "TxParamSetupAns",       0, STICKY,     LW_1_0_2, NONE),
    DOWN(0x09, "TxParamSetupReq",       1, 0,          LW_1_0_2, NUM("dl_dwell400", 5, 1), NUM("ul_dwell400", 4, 1), NUM("maxeirp_idx", 0, 4)),
    UP  (0x0a, "DlChannelAns",          1, STICKY,     LW_1_0_2, NUM("channel_freq_ok", 0, 1), NUM("uplink_freq_exists", 1, 1)),
    DOWN(0x0a, "DlChannelReq",          4, 0,          LW_1_0_2, NUM("chindex", 0, 8), HZ("freq_hz", 8)),
    UP  (0x0b, "RekeyInd",              1, DEV,        LW_1_1_0, NUM("minor", 0, 4)),
    DOWN(0x0b, "RekeyConf",             1, DEVANS,     LW_1_1_0, NUM("minor", 0, 4)),
    UP  (0x0c, "ADRParamSetupAns",      0, ANS,        LW_1_1_0, NONE),
    DOWN(0x0c, "ADRParamSetupReq",      1, 0,          LW_1_1_0, NUM("limit_exp", 4, 4), NUM("delay_exp", 0, 4)),
    UP  (0x0d, "DeviceTimeReq",         0, DEV,        LW_1_0_3, NONE),
    DOWN(0x0d, "DeviceTimeAns",         5, DEVANS,     LW_1_0_3, NUM("gps_s", 0, 32), NUM("frac_256", 32, 8)),
    DOWN(0x0e, "ForceRejoinReq",        2, 0,          LW_1_1_0, NUM("period", 3, 3), NUM("max_retries", 0, 3), NUM("rejoin_type", 12, 3), NUM("dr", 8, 4)),
    UP  (0x0f, "RejoinParamSetupAns",   1, ANS,        LW_1_1_0, NUM("time_ok", 0, 1)),
    DOWN(0x0f, "RejoinParamSetupReq",   1, 0,          LW_1_1_0, NUM("max_time_n", 4, 4), NUM("max_count_n", 0, 4)),
    UP  (0x10, "PingSlotInfoReq",       1, DEV | B,    LW_1_0_0, NUM("periodicity", 0, 3)),
    DOWN(0x10, "PingSlotInfoAns",       0, DEVANS | B, LW_1_0_0, NONE),
    UP  (0x11, "PingSlotChannelAns",    1, STICKY | B, LW_1_0_0, NUM("freq_ok", 0, 1), NUM("dr_ok", 1, 1)),
    DOWN(0x11, "PingSlotChannelReq",    4, B,          LW_1_0_0, HZ("freq_hz", 0), NUM("dr", 24, 4)),
    UP  (0x12, "BeaconTimingReq",       0, DEV | B | OLD, LW_1_0_0, NONE),
    DOWN(0x12, "BeaconTimingAns",       3, DEVANS | B | OLD, LW_1_0_0, NUM("delay_30ms", 0, 16), NUM("channel", 16, 8)),
    UP  (0x13, "BeaconFreqAns",         1, ANS | B,    LW_1_0_0, NUM("freq_ok", 0, 1)),
    DOWN(0x13, "BeaconFreqReq",         3, B,          LW_1_0_0, HZ("freq_hz", 0)),
    UP  (0x20, "DeviceModeInd",         1, DEV,        LW_1_1_0, CLASS("class", 0)),
    DOWN(0x20, "DeviceModeConf",        1, DEVANS,     LW_1_1_0, CLASS("class", 0)),
    UP  (0x40, "RelayConfAns",          1, ANS | RELAY, LW_1_0_4, NUM("second_ch_freq_ack", 0, 1), NUM("second_ch_ack_offset_ack", 1, 1), NUM("second_ch_dr_ack", 2, 1), NUM("second_ch_idx_ack", 3, 1), NUM("default_ch_idx_ack", 4, 1), NUM("cad_periodicity_ack", 5, 1)),
    DOWN(0x40, "RelayConfReq",          5, RELAY,      LW_1_0_4, NUM("start_stop", 13, 1), NUM("cad_periodicity", 10, 3), NUM("default_ch_idx", 9, 1), NUM("second_ch_idx", 7, 2), NUM("second_ch_dr", 3, 4), NUM("second_ch_ack_offset", 0, 3), HZ("second_ch_freq", 16)),
    UP  (0x41, "EndDeviceConfAns",      1, ANS | RELAY, LW_1_0_4, NUM("second_ch_freq_ack", 0, 1), NUM("second_ch_dr_ack", 1, 1), NUM("second_ch_idx_ack", 2, 1), NUM("backoff_ack", 3, 1)),
    DOWN(0x41, "EndDeviceConfReq",      6, RELAY,      LW_1_0_4, NUM("activation_mode", 2, 2), NUM("smart_level", 0, 2), NUM("backoff", 17, 6), NUM("second_ch_idx", 15, 2), NUM("second_ch_dr", 11, 4), NUM("second_ch_ack_offset", 8, 3), HZ("second_ch_freq", 24)),
    UP  (0x42, "FilterListAns",         1, ANS | RELAY, LW_1_0_4, NUM("action_ack", 0, 1), NUM("len_ack", 1, 1), NUM("combined_rules_ack", 2, 1)),
    DOWN(0x42, "FilterListReq", LW_MAC_VARIABLE, RELAY, LW_1_0_4, NUM("len", 0, 5), NUM("action", 5, 2), NUM("idx", 7, 4), HEX("eui", 16, 0)),
    UP  (0x43, "UpdateUplinkListAns",   0, ANS | RELAY, LW_1_0_4, NONE),
    DOWN(0x43, "UpdateUplinkListReq",  26, RELAY,      LW_1_0_4, NUM("idx", 0, 4), NUM("reload_rate", 8, 6), NUM("bucket_size", 14, 2), ADDR("DevAddr", 16), NUM("wfcnt", 48, 32), HEX("root_wor_s_key", 80, 128)),
    UP  (0x44, "CtrlUplinkListAns",     5, ANS | RELAY, LW_1_0_4, NUM("idx_ack", 0, 1), NUM("wfcnt", 8, 32)),
    DOWN(0x44, "CtrlUplinkListReq",     1, RELAY,      LW_1_0_4, NUM("idx", 0, 4), NUM("action", 4, 1)),
    UP  (0x45, "ConfigureFwdLimitAns",  0, ANS | RELAY, LW_1_0_4, NONE),
    DOWN(0x45, "ConfigureFwdLimitReq",  5, RELAY,      LW_1_0_4, NUM("overall_reload", 0, 7), NUM("global_uplink_reload", 7, 7), NUM("notify_reload", 14, 7), NUM("join_req_reload", 21, 7), NUM("reset_limit_counter", 28, 2), NUM("overall_size", 32, 2), NUM("global_uplink_size", 34, 2), NUM("notify_size", 36, 2), NUM("join_req_size", 38, 2)),
    UP  (0x46, "NotifyNewEndDeviceReq", 6, DEV | RELAY, LW_1_0_4, ADDR("DevAddr", 0), LINEAR("wor_snr", 32, 5, 1, -20), LINEAR("wor_rssi", 37, 7, -1, -15)),
};
/* clang-format on */

#define DEF_COUNT (sizeof(defs) / sizeof(defs[0]))

const struct lw_mac_def *lw_mac_defs(size_t *count)
{
    *count = DEF_COUNT;
    return defs;
}

/* Sixty rows in order of CID: a scan is as good as an index, and frames have few commands. */
const struct lw_mac_def *lw_mac_def(enum lw_direction direction, uint8_t cid)
{
    for (size_t i = 0; i < DEF_COUNT && defs[i].cid <= cid; i++) {
        if (defs[i].cid == cid && defs[i].direction == direction)
            return &defs[i];
    }
    return NULL;
}

const struct lw_mac_def *lw_mac_def_by_name(enum lw_direction direction, const char *name)
{
    for (size_t i = 0; i < DEF_COUNT; i++) {
        if (defs[i].direction == direction && !strcmp(defs[i].name, name))
            return &defs[i];
    }
    return NULL;
}
