/*
 * object.c - the field tables of the objects, with the letters of the specification's tables as
 * marks.
 *
 * A member that only informs is F_LAX: a partner that spells its latitude as a string loses the
 * latitude, not the frame. F_LAX members never decide what is done with a message,
 * but that a mandatory one with an unknown value (MACVersion, RFRegion of a profile) is missing.
 */
#include "roaming/object.h"

#include "region/region.h"
#include "roaming/result.h"

/* The end in whole seconds, since FineRecvTime may put any nanosecond behind one. */
const char *roam_check_time(const void *value)
{
    int64_t us = *(const int64_t *)value;

    return us < 0 || us >= INT64_C(9223372036000000) ? "must lie between 1970 and 2262-04-11"
                                                     : NULL;
}

/* ---- spellings ------------------------------------------------------------------------------ */

/* clang-format off */
const char *const roam_mac_version_names[] = {
    [LW_1_0_0] = "1.0", [LW_1_0_1] = "1.0.1", [LW_1_0_2] = "1.0.2", [LW_1_0_3] = "1.0.3",
    [LW_1_0_4] = "1.0.4", [LW_1_1_0] = "1.1", NULL,
};
/* ChirpStack sends all three parts. */
const struct field_alias roam_mac_version_aliases[] = {
    {"1.0.0", LW_1_0_0}, {"1.1.0", LW_1_1_0}, {"1.1.1", LW_1_1_0}, {NULL, 0},
};

/* Plans of CN470 are one region to TS002. */
static const char *const region_names[] = {
    [REGION_EU868] = "EU868", [REGION_US915] = "US915", [REGION_AU915] = "AU915",
    [REGION_AS923_1] = "AS923", [REGION_AS923_2] = "AS923-2", [REGION_AS923_3] = "AS923-3",
    [REGION_AS923_4] = "AS923-4", [REGION_CN470] = "CN470", [REGION_CN470_20A] = "CN470",
    [REGION_CN470_20B] = "CN470", [REGION_CN470_26A] = "CN470", [REGION_CN470_26B] = "CN470",
    [REGION_CN779] = "CN779", [REGION_EU433] = "EU433", [REGION_KR920] = "KR920",
    [REGION_IN865] = "IN865", [REGION_RU864] = "RU864", [REGION_ISM2400] = "ISM2400", NULL,
};
/* The names of TS002-1.0.0, and other people's. */
static const struct field_alias region_aliases[] = {
    {"US902", REGION_US915}, {"China779", REGION_CN779}, {"Australia915", REGION_AU915},
    {"China470", REGION_CN470}, {"AS923-1", REGION_AS923_1}, {NULL, 0},
};
static const char *const class_names[] = {
    [LW_CLASS_A] = "A", [LW_CLASS_B] = "B", [LW_CLASS_C] = "C", NULL,
};
static const char *const policy_names[] = {
    [ROAM_RATE_DROP] = "Drop", [ROAM_RATE_MARK] = "Mark", NULL,
};

#define RF_REGION(type) F_ENUM, F_LAX | F_NOCASE, AT(type, rf_region), .names = region_names, \
    .aliases = region_aliases
#define FREQUENCY(type, member) F_MHZ, 0, AT(type, member), .range = {100000000, 3000000000}
#define DATA_RATE(type, member) F_U8, 0, AT(type, member), .range = {0, 15}
#define TOKEN(type, member) F_HEXBLOB, 0, AT(type, member), .size = ROAM_TOKEN_MAX

/* ---- Result, KeyEnvelope, VSExtension ------------------------------------------------------------ */

#define RESULT struct roam_result
const struct field roam_result_fields[] = {
    [ROAM_RESULT_HAS] = HAS_ROW(RESULT),
    [ROAM_RESULT_CODE] = {"ResultCode", F_ENUM, 0, AT(RESULT, code), .marks = ROAM_M,
        .names = roam_result_names_1_1, .aliases = roam_result_aliases, .help = "what came of the request"},
    [ROAM_RESULT_DESCRIPTION] = {"Description", F_STR, F_LAX, AT(RESULT, description), .marks = ROAM_O,
        .size = 4096, .help = "for people"},
    {0},
};

#define KEY struct roam_key_envelope
const struct field roam_key_envelope_fields[] = {
    [ROAM_KEY_HAS] = HAS_ROW(KEY),
    [ROAM_KEY_KEK_LABEL] = {"KEKLabel", F_STR, 0, AT(KEY, kek_label), .marks = ROAM_O, .size = 256,
        .help = "the key that wraps; absent or empty: the key is in clear"},
    [ROAM_KEY_AES_KEY] = {"AESKey", F_HEXBLOB, F_SECRET, AT(KEY, aes_key), .marks = ROAM_M, .size = 24,
        .help = "16 octets in clear or 24 wrapped (RFC 3394)"},
    {0},
};

#define VS struct roam_vs_extension
const struct field roam_vs_extension_fields[] = {
    [ROAM_VS_HAS] = HAS_ROW(VS),
    [ROAM_VS_VENDOR_ID] = {"VendorID", F_HEX, F_LAX, AT(VS, vendor_id), .marks = ROAM_O, .size = 3,
        .help = "OUI of the vendor"},
    [ROAM_VS_OBJECT] = {"Object", F_RAW, 0, AT(VS, object), .marks = ROAM_O, .help = "the vendor's own"},
    {0},
};

/* ---- ULMetaData, DLMetaData ------------------------------------------------------------------------ */

#define GW struct roam_gw_info
static const char *const gw_id_also[] = {"GWID", NULL};
const struct field roam_gw_info_fields[] = {
    [ROAM_GW_HAS] = HAS_ROW(GW),
    [ROAM_GW_ID] = {"ID", F_HEXBLOB, F_LAX, AT(GW, id), .marks = ROAM_O, .size = 64, .also = gw_id_also,
        .help = "low 32 bits of the gateway's EUI"},
    [ROAM_GW_FINE_RECV_TIME] = {"FineRecvTime", F_U32, F_LAX, AT(GW, fine_recv_time_ns), .marks = ROAM_O,
        .range = {0, 999999999}, .help = "ns within the second of RecvTime"},
    [ROAM_GW_RF_REGION] = {"RFRegion", RF_REGION(GW), .marks = ROAM_O, .help = "region of the gateway"},
    [ROAM_GW_RSSI] = {"RSSI", F_I32, F_LAX, AT(GW, rssi), .marks = ROAM_O, .help = "dBm"},
    [ROAM_GW_SNR] = {"SNR", F_DOUBLE, F_LAX, AT(GW, snr), .marks = ROAM_O, .help = "dB"},
    [ROAM_GW_LAT] = {"Lat", F_DOUBLE, F_LAX, AT(GW, lat), .marks = ROAM_O, .range = {-90, 90},
        .help = "degrees, WGS 84"},
    [ROAM_GW_LON] = {"Lon", F_DOUBLE, F_LAX, AT(GW, lon), .marks = ROAM_O, .range = {-180, 180},
        .help = "degrees, WGS 84"},
    [ROAM_GW_UL_TOKEN] = {"ULToken", TOKEN(GW, ul_token), .marks = ROAM_O,
        .help = "made for this gateway; a stateless fNS needs this or FNSULToken"},
    [ROAM_GW_DL_ALLOWED] = {"DLAllowed", F_BOOL, 0, AT(GW, dl_allowed), .marks = ROAM_O,
        .help = "the gateway can send now"},
    {0},
};

#define UL struct roam_ul_meta_data
const struct field roam_ul_meta_data_fields[] = {
    [ROAM_UL_HAS] = HAS_ROW(UL),
    [ROAM_UL_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(UL, dev_eui), .marks = ROAM_O | ROAM_M_FRM},
    [ROAM_UL_DEV_ADDR] = {"DevAddr", F_ADDR, 0, AT(UL, dev_addr), .marks = ROAM_O},
    [ROAM_UL_F_PORT] = {"FPort", F_U8, 0, AT(UL, f_port), .marks = ROAM_M_FRM},
    [ROAM_UL_FCNT_DOWN] = {"FCntDown", F_U32, 0, AT(UL, fcnt_down), .marks = ROAM_O,
        .help = "last counter of the application's downlinks"},
    [ROAM_UL_FCNT_UP] = {"FCntUp", F_U32, 0, AT(UL, fcnt_up), .marks = ROAM_M_FRM},
    [ROAM_UL_CONFIRMED] = {"Confirmed", F_BOOL, 0, AT(UL, confirmed), .marks = ROAM_O},
    [ROAM_UL_DATA_RATE] = {"DataRate", DATA_RATE(UL, data_rate), .marks = ROAM_M, .help = "index"},
    [ROAM_UL_FREQ] = {"ULFreq", FREQUENCY(UL, ul_freq_hz), .marks = ROAM_M, .help = "MHz"},
    [ROAM_UL_MARGIN] = {"Margin", F_I32, F_LAX, AT(UL, margin), .marks = ROAM_O, .help = "of DevStatusAns"},
    [ROAM_UL_BATTERY] = {"Battery", F_U8, F_LAX, AT(UL, battery), .marks = ROAM_O, .help = "of DevStatusAns"},
    [ROAM_UL_RECV_TIME] = {"RecvTime", F_TIME, 0, AT(UL, recv_time_us), .marks = ROAM_M, .check = roam_check_time},
    [ROAM_UL_RF_REGION] = {"RFRegion", RF_REGION(UL), .marks = ROAM_M | ROAM_TOLERATED},
    [ROAM_UL_FNS_UL_TOKEN] = {"FNSULToken", TOKEN(UL, fns_ul_token), .marks = ROAM_O,
        .help = "made by the fNS for downlinks"},
    [ROAM_UL_GW_CNT] = {"GWCnt", F_U32, F_LAX, AT(UL, gw_cnt), .marks = ROAM_O},
    [ROAM_UL_GW_INFO] = {"GWInfo", F_ARR, 0, AT(UL, gw_info), .marks = ROAM_M_PHY | ROAM_TOLERATED,
        .elem = F_OBJ, .sub = roam_gw_info_fields, .size = sizeof(GW), .most = ROAM_GW_INFO_MAX,
        .help = "the gateways that heard it"},
    {0},
};

#define DL struct roam_dl_meta_data
const struct field roam_dl_meta_data_fields[] = {
    [ROAM_DL_HAS] = HAS_ROW(DL),
    [ROAM_DL_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(DL, dev_eui), .marks = ROAM_O | ROAM_M_FRM},
    [ROAM_DL_F_PORT] = {"FPort", F_U8, 0, AT(DL, f_port), .marks = ROAM_C},
    [ROAM_DL_FCNT_DOWN] = {"FCntDown", F_U32, 0, AT(DL, fcnt_down), .marks = ROAM_M_FRM,
        .help = "the counter FRMPayload is encrypted for"},
    [ROAM_DL_CONFIRMED] = {"Confirmed", F_BOOL, 0, AT(DL, confirmed), .marks = ROAM_O},
    [ROAM_DL_FREQ1] = {"DLFreq1", FREQUENCY(DL, dl_freq1_hz), .marks = ROAM_C, .help = "MHz, RX1"},
    [ROAM_DL_FREQ2] = {"DLFreq2", FREQUENCY(DL, dl_freq2_hz), .marks = ROAM_C, .help = "MHz, RX2, class B, class C"},
    [ROAM_DL_RX_DELAY1] = {"RXDelay1", F_U8, 0, AT(DL, rx_delay1), .marks = ROAM_C, .range = {0, 15}, .help = "s"},
    [ROAM_DL_CLASS_MODE] = {"ClassMode", F_ENUM, 0, AT(DL, class_mode), .marks = ROAM_M_PHY | ROAM_TOLERATED,
        .names = class_names},
    [ROAM_DL_DATA_RATE1] = {"DataRate1", DATA_RATE(DL, data_rate1), .marks = ROAM_C},
    [ROAM_DL_DATA_RATE2] = {"DataRate2", DATA_RATE(DL, data_rate2), .marks = ROAM_C},
    [ROAM_DL_FNS_UL_TOKEN] = {"FNSULToken", TOKEN(DL, fns_ul_token), .marks = ROAM_O,
        .help = "the last one of this fNS, if it gave any"},
    [ROAM_DL_GW_INFO] = {"GWInfo", F_ARR, 0, AT(DL, gw_info), .marks = ROAM_O, .elem = F_OBJ,
        .sub = roam_gw_info_fields, .size = sizeof(GW), .most = ROAM_GW_INFO_MAX,
        .help = "the tokens of the last uplink's gateways"},
    [ROAM_DL_HI_PRIORITY_FLAG] = {"HiPriorityFlag", F_BOOL, 0, AT(DL, hi_priority_flag), .marks = ROAM_O},
    {0},
};

/* ---- profiles ------------------------------------------------------------------------------------ */

#define DP struct roam_device_profile
static const char *const ping_dr_also[] = {"PingSLotDR", NULL};
static const char *const ping_freq_also[] = {"PingSlotFrequency", NULL};
const struct field roam_device_profile_fields[] = {
    [ROAM_DP_HAS] = HAS_ROW(DP),
    [ROAM_DP_ID] = {"DeviceProfileID", F_STR, 0, AT(DP, device_profile_id), .marks = ROAM_M | ROAM_TOLERATED},
    [ROAM_DP_SUPPORTS_CLASS_B] = {"SupportsClassB", F_BOOL, 0, AT(DP, supports_class_b), .marks = ROAM_M},
    [ROAM_DP_CLASS_B_TIMEOUT] = {"ClassBTimeout", F_U32, 0, AT(DP, class_b_timeout_s), .marks = ROAM_C, .help = "s"},
    [ROAM_DP_PING_SLOT_PERIOD] = {"PingSlotPeriod", F_U32, 0, AT(DP, ping_slot_period), .marks = ROAM_C},
    [ROAM_DP_PING_SLOT_DR] = {"PingSlotDR", DATA_RATE(DP, ping_slot_dr), .marks = ROAM_C, .also = ping_dr_also},
    [ROAM_DP_PING_SLOT_FREQ] = {"PingSlotFreq", FREQUENCY(DP, ping_slot_freq_hz), .marks = ROAM_C,
        .also = ping_freq_also, .help = "MHz"},
    [ROAM_DP_SUPPORTS_CLASS_C] = {"SupportsClassC", F_BOOL, 0, AT(DP, supports_class_c), .marks = ROAM_M},
    [ROAM_DP_CLASS_C_TIMEOUT] = {"ClassCTimeout", F_U32, 0, AT(DP, class_c_timeout_s), .marks = ROAM_C, .help = "s"},
    [ROAM_DP_MAC_VERSION] = {"MACVersion", F_ENUM, F_LAX, AT(DP, mac_version), .marks = ROAM_M,
        .names = roam_mac_version_names, .aliases = roam_mac_version_aliases},
    [ROAM_DP_REG_PARAMS_REVISION] = {"RegParamsRevision", F_STR, 0, AT(DP, reg_params_revision), .marks = ROAM_M,
        .size = 64},
    [ROAM_DP_RX_DELAY1] = {"RXDelay1", F_U8, 0, AT(DP, rx_delay1), .marks = ROAM_C, .range = {0, 15}, .help = "s"},
    [ROAM_DP_RX_DR_OFFSET1] = {"RXDROffset1", F_U8, 0, AT(DP, rx_dr_offset1), .marks = ROAM_C, .range = {0, 7}},
    [ROAM_DP_RX_DATA_RATE2] = {"RXDataRate2", F_U32, 0, AT(DP, rx_data_rate2), .marks = ROAM_C,
        .help = "index; above 15 bit/s"},
    [ROAM_DP_RX_FREQ2] = {"RXFreq2", FREQUENCY(DP, rx_freq2_hz), .marks = ROAM_C, .help = "MHz"},
    [ROAM_DP_FACTORY_PRESET_FREQS] = {"FactoryPresetFreqs", F_ARR, 0, AT(DP, factory_preset_freqs),
        .marks = ROAM_C, .elem = F_MHZ, .size = sizeof(uint32_t), .range = {100000000, 3000000000},
        .most = 96, .help = "MHz"},
    [ROAM_DP_MAX_EIRP] = {"MaxEIRP", F_DOUBLE, 0, AT(DP, max_eirp), .marks = ROAM_M, .help = "dBm"},
    [ROAM_DP_MAX_DUTY_CYCLE] = {"MaxDutyCycle", F_DOUBLE, F_LAX, AT(DP, max_duty_cycle), .marks = ROAM_O,
        .help = "0.1 is 10 %"},
    [ROAM_DP_SUPPORTS_JOIN] = {"SupportsJoin", F_BOOL, 0, AT(DP, supports_join), .marks = ROAM_M},
    [ROAM_DP_RF_REGION] = {"RFRegion", RF_REGION(DP), .marks = ROAM_M},
    [ROAM_DP_SUPPORTS_32BIT_FCNT] = {"Supports32bitFCnt", F_BOOL, 0, AT(DP, supports_32bit_fcnt), .marks = ROAM_O},
    {0},
};

#define SP struct roam_service_profile
static const char *const sp_id_also[] = {"ServiceProfile", NULL};
static const char *const battery_also[] = {"ReportDevStatusBattery", NULL};
static const char *const ra_also[] = {"RAAAllowed", NULL};
const struct field roam_service_profile_fields[] = {
    [ROAM_SP_HAS] = HAS_ROW(SP),
    [ROAM_SP_ID] = {"ServiceProfileID", F_STR, 0, AT(SP, service_profile_id), .marks = ROAM_M | ROAM_TOLERATED,
        .also = sp_id_also},
    [ROAM_SP_UL_RATE] = {"ULRate", F_U32, 0, AT(SP, ul_rate), .marks = ROAM_O, .help = "frames an hour"},
    [ROAM_SP_UL_BUCKET_SIZE] = {"ULBucketSize", F_U32, 0, AT(SP, ul_bucket_size), .marks = ROAM_O, .help = "frames"},
    [ROAM_SP_UL_RATE_POLICY] = {"ULRatePolicy", F_ENUM, 0, AT(SP, ul_rate_policy), .marks = ROAM_O,
        .names = policy_names},
    [ROAM_SP_DL_RATE] = {"DLRate", F_U32, 0, AT(SP, dl_rate), .marks = ROAM_O, .help = "frames an hour"},
    [ROAM_SP_DL_BUCKET_SIZE] = {"DLBucketSize", F_U32, 0, AT(SP, dl_bucket_size), .marks = ROAM_O, .help = "frames"},
    [ROAM_SP_DL_RATE_POLICY] = {"DLRatePolicy", F_ENUM, 0, AT(SP, dl_rate_policy), .marks = ROAM_O,
        .names = policy_names},
    [ROAM_SP_ADD_GW_METADATA] = {"AddGWMetadata", F_BOOL, 0, AT(SP, add_gw_metadata), .marks = ROAM_O},
    [ROAM_SP_DEV_STATUS_REQ_FREQ] = {"DevStatusReqFreq", F_U32, 0, AT(SP, dev_status_req_freq), .marks = ROAM_O,
        .help = "a day"},
    [ROAM_SP_REPORT_DEV_STATUS_BATTERY] = {"ReportDevStatusBatery", F_BOOL, 0, AT(SP, report_dev_status_battery),
        .marks = ROAM_O, .also = battery_also, .help = "the specification's spelling"},
    [ROAM_SP_REPORT_DEV_STATUS_MARGIN] = {"ReportDevStatusMargin", F_BOOL, 0, AT(SP, report_dev_status_margin),
        .marks = ROAM_O},
    [ROAM_SP_DR_MIN] = {"DRMin", DATA_RATE(SP, dr_min), .marks = ROAM_O},
    [ROAM_SP_DR_MAX] = {"DRMax", DATA_RATE(SP, dr_max), .marks = ROAM_O},
    [ROAM_SP_CHANNEL_MASK] = {"ChannelMask", F_HEXBLOB, 0, AT(SP, channel_mask), .marks = ROAM_O, .size = 16},
    [ROAM_SP_PR_ALLOWED] = {"PRAllowed", F_BOOL, 0, AT(SP, pr_allowed), .marks = ROAM_O},
    [ROAM_SP_HR_ALLOWED] = {"HRAllowed", F_BOOL, 0, AT(SP, hr_allowed), .marks = ROAM_O},
    [ROAM_SP_RA_ALLOWED] = {"RAAllowed", F_BOOL, 0, AT(SP, ra_allowed), .marks = ROAM_O, .also = ra_also},
    [ROAM_SP_NWK_GEO_LOC] = {"NwkGeoLoc", F_BOOL, 0, AT(SP, nwk_geo_loc), .marks = ROAM_O},
    [ROAM_SP_TARGET_PER] = {"TargetPER", F_DOUBLE, 0, AT(SP, target_per), .marks = ROAM_O, .help = "0.1 is 10 %"},
    [ROAM_SP_MIN_GW_DIVERSITY] = {"MinGWDiversity", F_U32, 0, AT(SP, min_gw_diversity), .marks = ROAM_O},
    {0},
};

#define RP struct roam_routing_profile
const struct field roam_routing_profile_fields[] = {
    [ROAM_RP_HAS] = HAS_ROW(RP),
    [ROAM_RP_ID] = {"RoutingProfileID", F_STR, 0, AT(RP, routing_profile_id), .marks = ROAM_M},
    [ROAM_RP_AS_ID] = {"AS-ID", F_STR, 0, AT(RP, as_id), .marks = ROAM_M},
    {0},
};
/* clang-format on */
