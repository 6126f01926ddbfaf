/* message_table.c - the field tables of header and bodies, and the list of types. */
#include "roaming/message.h"

/* clang-format off */
static const char *const type_names[] = {
#define X(name, text, fields, member) [name] = (text),
    ROAM_TYPE_TABLE(X)
#undef X
    [ROAM_TYPE_UNKNOWN] = "", NULL,
};
static const struct field_alias type_aliases[] = {{"*", ROAM_TYPE_UNKNOWN}, {NULL, 0}};
static const char *const activation_names[] = {
    [ROAM_PASSIVE] = "Passive", [ROAM_HANDOVER] = "Handover", NULL,
};

#define PHY(type) F_HEXBLOB, 0, AT(type, phy_payload)
#define KEY(type, member) F_OBJ, 0, AT(type, member), .sub = roam_key_envelope_fields
#define LIFETIME(type) F_U32, 0, AT(type, lifetime_s), .help = "s"
#define UL_META(type) F_OBJ, 0, AT(type, ul), .sub = roam_ul_meta_data_fields
#define DL_META(type) F_OBJ, 0, AT(type, dl), .sub = roam_dl_meta_data_fields
#define TIMESTAMP(type) F_TIME, 0, AT(type, device_profile_timestamp_us), .check = roam_check_time
#define MAC_VERSION(type) F_ENUM, 0, AT(type, mac_version), .names = roam_mac_version_names, \
    .aliases = roam_mac_version_aliases
#define FREQUENCY(type, member) F_MHZ, 0, AT(type, member), .range = {100000000, 3000000000}
#define SESSION_KEY_ID(type) F_HEXBLOB, 0, AT(type, session_key_id), .size = 256

#define HEADER struct roam_header
const struct field roam_header_fields[] = {
    [ROAM_HEADER_HAS] = HAS_ROW(HEADER),
    [ROAM_HEADER_PROTOCOL_VERSION] = {"ProtocolVersion", F_STR, 0, AT(HEADER, protocol_version),
        .marks = ROAM_M, .size = 32, .help = "`1.0` or `1.1`"},
    [ROAM_HEADER_SENDER_ID] = {"SenderID", F_STR, 0, AT(HEADER, sender.text), .marks = ROAM_M, .size = 256,
        .help = "NetID, JoinEUI or AS-ID"},
    [ROAM_HEADER_RECEIVER_ID] = {"ReceiverID", F_STR, 0, AT(HEADER, receiver.text), .marks = ROAM_M, .size = 256,
        .help = "NetID, JoinEUI or AS-ID"},
    [ROAM_HEADER_TRANSACTION_ID] = {"TransactionID", F_U32, 0, AT(HEADER, transaction_id), .marks = ROAM_M},
    [ROAM_HEADER_MESSAGE_TYPE] = {"MessageType", F_ENUM, 0, AT(HEADER, type), .marks = ROAM_M,
        .names = type_names, .aliases = type_aliases},
    [ROAM_HEADER_SENDER_NSID] = {"SenderNSID", F_EUI, 0, AT(HEADER, sender_nsid),
        .marks = ROAM_C | ROAM_1_1_ONLY, .help = "one network server of the NetID"},
    [ROAM_HEADER_RECEIVER_NSID] = {"ReceiverNSID", F_EUI, 0, AT(HEADER, receiver_nsid),
        .marks = ROAM_O | ROAM_1_1_ONLY},
    [ROAM_HEADER_SENDER_TOKEN] = {"SenderToken", F_HEXBLOB, 0, AT(HEADER, sender_token), .marks = ROAM_O,
        .size = ROAM_TOKEN_MAX, .help = "to be echoed for this device"},
    [ROAM_HEADER_RECEIVER_TOKEN] = {"ReceiverToken", F_HEXBLOB, 0, AT(HEADER, receiver_token), .marks = ROAM_O,
        .size = ROAM_TOKEN_MAX, .help = "the peer's last SenderToken for this device, if it gave any"},
    [ROAM_HEADER_VS_EXTENSION] = {"VSExtension", F_OBJ, F_LAX, AT(HEADER, vs_extension), .marks = ROAM_O,
        .sub = roam_vs_extension_fields},
    [ROAM_HEADER_RESULT] = {"Result", F_OBJ, 0, AT(HEADER, result), .marks = ROAM_C, .sub = roam_result_fields,
        .help = "in answers and notifications"},
    {0},
};

const struct field roam_empty_fields[] = {HAS_ROW(struct roam_empty), {0}};

#define JOIN_REQ struct roam_join_req
const struct field roam_join_req_fields[] = {
    [ROAM_JOIN_REQ_HAS] = HAS_ROW(JOIN_REQ),
    [ROAM_JOIN_REQ_MAC_VERSION] = {"MACVersion", MAC_VERSION(JOIN_REQ), .marks = ROAM_M,
        .help = "highest version common to device and network"},
    [ROAM_JOIN_REQ_PHY_PAYLOAD] = {"PHYPayload", PHY(JOIN_REQ), .marks = ROAM_M, .help = "the Join- or Rejoin-request"},
    [ROAM_JOIN_REQ_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(JOIN_REQ, dev_eui), .marks = ROAM_M},
    [ROAM_JOIN_REQ_DEV_ADDR] = {"DevAddr", F_ADDR, 0, AT(JOIN_REQ, dev_addr), .marks = ROAM_M},
    [ROAM_JOIN_REQ_DL_SETTINGS] = {"DLSettings", F_HEX, 0, AT(JOIN_REQ, dl_settings), .marks = ROAM_M, .size = 1},
    [ROAM_JOIN_REQ_RX_DELAY] = {"RxDelay", F_U8, 0, AT(JOIN_REQ, rx_delay), .marks = ROAM_M, .range = {0, 15}},
    [ROAM_JOIN_REQ_CF_LIST] = {"CFList", F_HEXBLOB, 0, AT(JOIN_REQ, cf_list), .marks = ROAM_O, .size = 16},
    {0},
};

#define JOIN_ANS struct roam_join_ans
const struct field roam_join_ans_fields[] = {
    [ROAM_JOIN_ANS_HAS] = HAS_ROW(JOIN_ANS),
    [ROAM_JOIN_ANS_PHY_PAYLOAD] = {"PHYPayload", PHY(JOIN_ANS), .marks = ROAM_MS, .help = "the Join-accept"},
    [ROAM_JOIN_ANS_LIFETIME] = {"Lifetime", LIFETIME(JOIN_ANS), .marks = ROAM_MS | ROAM_TOLERATED},
    [ROAM_JOIN_ANS_NWK_S_KEY] = {"NwkSKey", KEY(JOIN_ANS, nwk_s_key), .marks = ROAM_C, .help = "LoRaWAN 1.0"},
    [ROAM_JOIN_ANS_F_NWK_S_INT_KEY] = {"FNwkSIntKey", KEY(JOIN_ANS, f_nwk_s_int_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.1"},
    [ROAM_JOIN_ANS_S_NWK_S_INT_KEY] = {"SNwkSIntKey", KEY(JOIN_ANS, s_nwk_s_int_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.1"},
    [ROAM_JOIN_ANS_NWK_S_ENC_KEY] = {"NwkSEncKey", KEY(JOIN_ANS, nwk_s_enc_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.1"},
    [ROAM_JOIN_ANS_APP_S_KEY] = {"AppSKey", KEY(JOIN_ANS, app_s_key), .marks = ROAM_C},
    [ROAM_JOIN_ANS_SESSION_KEY_ID] = {"SessionKeyID", SESSION_KEY_ID(JOIN_ANS), .marks = ROAM_C},
    {0},
};

#define APP_REQ struct roam_app_s_key_req
const struct field roam_app_s_key_req_fields[] = {
    [ROAM_APP_S_KEY_REQ_HAS] = HAS_ROW(APP_REQ),
    [ROAM_APP_S_KEY_REQ_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(APP_REQ, dev_eui), .marks = ROAM_M},
    [ROAM_APP_S_KEY_REQ_SESSION_KEY_ID] = {"SessionKeyID", SESSION_KEY_ID(APP_REQ), .marks = ROAM_M},
    {0},
};

#define APP_ANS struct roam_app_s_key_ans
const struct field roam_app_s_key_ans_fields[] = {
    [ROAM_APP_S_KEY_ANS_HAS] = HAS_ROW(APP_ANS),
    [ROAM_APP_S_KEY_ANS_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(APP_ANS, dev_eui), .marks = ROAM_M | ROAM_TOLERATED},
    [ROAM_APP_S_KEY_ANS_APP_S_KEY] = {"AppSKey", KEY(APP_ANS, app_s_key), .marks = ROAM_MS},
    [ROAM_APP_S_KEY_ANS_SESSION_KEY_ID] = {"SessionKeyID", SESSION_KEY_ID(APP_ANS),
        .marks = ROAM_M | ROAM_TOLERATED},
    {0},
};

#define PR_REQ struct roam_pr_start_req
const struct field roam_pr_start_req_fields[] = {
    [ROAM_PR_START_REQ_HAS] = HAS_ROW(PR_REQ),
    [ROAM_PR_START_REQ_PHY_PAYLOAD] = {"PHYPayload", PHY(PR_REQ), .marks = ROAM_M, .help = "the uplink"},
    [ROAM_PR_START_REQ_UL_META_DATA] = {"ULMetaData", UL_META(PR_REQ), .marks = ROAM_M},
    [ROAM_PR_START_REQ_DEDUP_WINDOW_SIZE] = {"DedupWindowSize", F_U32, F_LAX | F_OR_TEXT,
        AT(PR_REQ, dedup_window_size), .marks = ROAM_O | ROAM_1_1_ONLY, .help = "ms (unit unconfirmed)"},
    {0},
};

#define PR_ANS struct roam_pr_start_ans
const struct field roam_pr_start_ans_fields[] = {
    [ROAM_PR_START_ANS_HAS] = HAS_ROW(PR_ANS),
    [ROAM_PR_START_ANS_PHY_PAYLOAD] = {"PHYPayload", PHY(PR_ANS), .marks = ROAM_OS, .help = "the Join-accept"},
    [ROAM_PR_START_ANS_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(PR_ANS, dev_eui), .marks = ROAM_C},
    [ROAM_PR_START_ANS_DEV_ADDR] = {"DevAddr", F_ADDR, 0, AT(PR_ANS, dev_addr), .marks = ROAM_OS},
    [ROAM_PR_START_ANS_LIFETIME] = {"Lifetime", LIFETIME(PR_ANS), .marks = ROAM_MS | ROAM_C | ROAM_TOLERATED},
    [ROAM_PR_START_ANS_F_NWK_S_INT_KEY] = {"FNwkSIntKey", KEY(PR_ANS, f_nwk_s_int_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.1, if the fNS checks the MIC"},
    [ROAM_PR_START_ANS_NWK_S_KEY] = {"NwkSKey", KEY(PR_ANS, nwk_s_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.0, if the fNS checks the MIC"},
    [ROAM_PR_START_ANS_FCNT_UP] = {"FCntUp", F_U32, 0, AT(PR_ANS, fcnt_up), .marks = ROAM_C, .help = "with a key"},
    [ROAM_PR_START_ANS_SERVICE_PROFILE] = {"ServiceProfile", F_OBJ, 0, AT(PR_ANS, service_profile),
        .marks = ROAM_OS, .sub = roam_service_profile_fields},
    [ROAM_PR_START_ANS_DL_META_DATA] = {"DLMetaData", DL_META(PR_ANS), .marks = ROAM_OS | ROAM_M_PHY},
    {0},
};

#define PR_STOP struct roam_pr_stop_req
const struct field roam_pr_stop_req_fields[] = {
    [ROAM_PR_STOP_REQ_HAS] = HAS_ROW(PR_STOP),
    [ROAM_PR_STOP_REQ_DEV_ADDR] = {"DevAddr", F_ADDR, 0, AT(PR_STOP, dev_addr), .marks = ROAM_O},
    [ROAM_PR_STOP_REQ_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(PR_STOP, dev_eui), .marks = ROAM_M},
    [ROAM_PR_STOP_REQ_LIFETIME] = {"Lifetime", LIFETIME(PR_STOP), .marks = ROAM_O},
    {0},
};

#define HR_REQ struct roam_hr_start_req
const struct field roam_hr_start_req_fields[] = {
    [ROAM_HR_START_REQ_HAS] = HAS_ROW(HR_REQ),
    [ROAM_HR_START_REQ_MAC_VERSION] = {"MACVersion", MAC_VERSION(HR_REQ), .marks = ROAM_M_PHY},
    [ROAM_HR_START_REQ_PHY_PAYLOAD] = {"PHYPayload", PHY(HR_REQ), .marks = ROAM_C,
        .help = "the Rejoin- or Join-request"},
    [ROAM_HR_START_REQ_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(HR_REQ, dev_eui), .marks = ROAM_C,
        .help = "alone: start a handover back"},
    [ROAM_HR_START_REQ_DEV_ADDR] = {"DevAddr", F_ADDR, 0, AT(HR_REQ, dev_addr), .marks = ROAM_M_PHY},
    [ROAM_HR_START_REQ_DL_SETTINGS] = {"DLSettings", F_HEX, 0, AT(HR_REQ, dl_settings), .marks = ROAM_M_PHY, .size = 1},
    [ROAM_HR_START_REQ_RX_DELAY] = {"RxDelay", F_U8, 0, AT(HR_REQ, rx_delay), .marks = ROAM_M_PHY, .range = {0, 15}},
    [ROAM_HR_START_REQ_CF_LIST] = {"CFList", F_HEXBLOB, 0, AT(HR_REQ, cf_list), .marks = ROAM_O, .size = 16},
    [ROAM_HR_START_REQ_DEVICE_PROFILE_TIMESTAMP] = {"DeviceProfileTimestamp", TIMESTAMP(HR_REQ), .marks = ROAM_M_PHY},
    [ROAM_HR_START_REQ_UL_META_DATA] = {"ULMetaData", UL_META(HR_REQ), .marks = ROAM_M_PHY},
    {0},
};

#define HR_ANS struct roam_hr_start_ans
const struct field roam_hr_start_ans_fields[] = {
    [ROAM_HR_START_ANS_HAS] = HAS_ROW(HR_ANS),
    [ROAM_HR_START_ANS_PHY_PAYLOAD] = {"PHYPayload", PHY(HR_ANS), .marks = ROAM_OS, .help = "the Join-accept"},
    [ROAM_HR_START_ANS_LIFETIME] = {"Lifetime", LIFETIME(HR_ANS), .marks = ROAM_M_PHY | ROAM_OF | ROAM_TOLERATED},
    [ROAM_HR_START_ANS_NWK_S_KEY] = {"NwkSKey", KEY(HR_ANS, nwk_s_key), .marks = ROAM_C, .help = "LoRaWAN 1.0"},
    [ROAM_HR_START_ANS_F_NWK_S_INT_KEY] = {"FNwkSIntKey", KEY(HR_ANS, f_nwk_s_int_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.1"},
    [ROAM_HR_START_ANS_S_NWK_S_INT_KEY] = {"SNwkSIntKey", KEY(HR_ANS, s_nwk_s_int_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.1"},
    [ROAM_HR_START_ANS_NWK_S_ENC_KEY] = {"NwkSEncKey", KEY(HR_ANS, nwk_s_enc_key), .marks = ROAM_C,
        .help = "LoRaWAN 1.1"},
    [ROAM_HR_START_ANS_APP_S_KEY] = {"AppSKey", KEY(HR_ANS, app_s_key), .marks = ROAM_C, .help = "read, never sent"},
    [ROAM_HR_START_ANS_SESSION_KEY_ID] = {"SessionKeyID", SESSION_KEY_ID(HR_ANS), .marks = ROAM_C,
        .help = "read, never sent"},
    [ROAM_HR_START_ANS_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(HR_ANS, dev_eui), .marks = ROAM_OS},
    [ROAM_HR_START_ANS_DEV_ADDR] = {"DevAddr", F_ADDR, 0, AT(HR_ANS, dev_addr), .marks = ROAM_OS},
    [ROAM_HR_START_ANS_SERVICE_PROFILE] = {"ServiceProfile", F_OBJ, 0, AT(HR_ANS, service_profile),
        .marks = ROAM_M_PHY, .sub = roam_service_profile_fields},
    [ROAM_HR_START_ANS_DL_META_DATA] = {"DLMetaData", DL_META(HR_ANS), .marks = ROAM_M_PHY},
    [ROAM_HR_START_ANS_DEVICE_PROFILE] = {"DeviceProfile", F_OBJ, 0, AT(HR_ANS, device_profile),
        .marks = ROAM_C, .sub = roam_device_profile_fields, .help = "with StaleDeviceProfile"},
    [ROAM_HR_START_ANS_DEVICE_PROFILE_TIMESTAMP] = {"DeviceProfileTimestamp", TIMESTAMP(HR_ANS), .marks = ROAM_C,
        .help = "with StaleDeviceProfile"},
    {0},
};

#define HR_STOP struct roam_hr_stop_req
const struct field roam_hr_stop_req_fields[] = {
    [ROAM_HR_STOP_REQ_HAS] = HAS_ROW(HR_STOP),
    [ROAM_HR_STOP_REQ_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(HR_STOP, dev_eui), .marks = ROAM_M},
    [ROAM_HR_STOP_REQ_LIFETIME] = {"Lifetime", LIFETIME(HR_STOP), .marks = ROAM_O},
    {0},
};

#define HOME_REQ struct roam_home_ns_req
const struct field roam_home_ns_req_fields[] = {
    [ROAM_HOME_NS_REQ_HAS] = HAS_ROW(HOME_REQ),
    [ROAM_HOME_NS_REQ_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(HOME_REQ, dev_eui), .marks = ROAM_M},
    {0},
};

#define HOME_ANS struct roam_home_ns_ans
const struct field roam_home_ns_ans_fields[] = {
    [ROAM_HOME_NS_ANS_HAS] = HAS_ROW(HOME_ANS),
    [ROAM_HOME_NS_ANS_H_NET_ID] = {"HNetID", F_NETID, 0, AT(HOME_ANS, h_net_id), .marks = ROAM_MS},
    [ROAM_HOME_NS_ANS_H_NSID] = {"HNSID", F_EUI, 0, AT(HOME_ANS, h_nsid), .marks = ROAM_OS | ROAM_1_1_ONLY},
    {0},
};

#define PROFILE_REQ struct roam_profile_req
const struct field roam_profile_req_fields[] = {
    [ROAM_PROFILE_REQ_HAS] = HAS_ROW(PROFILE_REQ),
    [ROAM_PROFILE_REQ_DEV_EUI] = {"DevEUI", F_EUI, 0, AT(PROFILE_REQ, dev_eui), .marks = ROAM_M},
    {0},
};

#define PROFILE_ANS struct roam_profile_ans
const struct field roam_profile_ans_fields[] = {
    [ROAM_PROFILE_ANS_HAS] = HAS_ROW(PROFILE_ANS),
    [ROAM_PROFILE_ANS_DEVICE_PROFILE] = {"DeviceProfile", F_OBJ, 0, AT(PROFILE_ANS, device_profile),
        .marks = ROAM_C, .sub = roam_device_profile_fields, .help = "if Handover"},
    [ROAM_PROFILE_ANS_DEVICE_PROFILE_TIMESTAMP] = {"DeviceProfileTimestamp", TIMESTAMP(PROFILE_ANS),
        .marks = ROAM_C, .help = "if Handover"},
    [ROAM_PROFILE_ANS_ROAMING_ACTIVATION_TYPE] = {"RoamingActivationType", F_ENUM, 0,
        AT(PROFILE_ANS, roaming_activation_type), .marks = ROAM_MS, .names = activation_names},
    [ROAM_PROFILE_ANS_LIFETIME] = {"Lifetime", LIFETIME(PROFILE_ANS), .marks = ROAM_OF},
    {0},
};

#define XMIT_REQ struct roam_xmit_data_req
const struct field roam_xmit_data_req_fields[] = {
    [ROAM_XMIT_DATA_REQ_HAS] = HAS_ROW(XMIT_REQ),
    [ROAM_XMIT_DATA_REQ_PHY_PAYLOAD] = {"PHYPayload", PHY(XMIT_REQ), .marks = ROAM_C, .help = "between fNS and sNS"},
    [ROAM_XMIT_DATA_REQ_FRM_PAYLOAD] = {"FRMPayload", F_HEXBLOB, F_EMPTY, AT(XMIT_REQ, frm_payload),
        .marks = ROAM_C, .help = "between sNS and hNS; encrypted with the AppSKey"},
    [ROAM_XMIT_DATA_REQ_UL_META_DATA] = {"ULMetaData", UL_META(XMIT_REQ), .marks = ROAM_C},
    [ROAM_XMIT_DATA_REQ_DL_META_DATA] = {"DLMetaData", DL_META(XMIT_REQ), .marks = ROAM_C},
    {0},
};

#define XMIT_ANS struct roam_xmit_data_ans
const struct field roam_xmit_data_ans_fields[] = {
    [ROAM_XMIT_DATA_ANS_HAS] = HAS_ROW(XMIT_ANS),
    [ROAM_XMIT_DATA_ANS_DL_FREQ1] = {"DLFreq1", FREQUENCY(XMIT_ANS, dl_freq1_hz), .marks = ROAM_OS, .help = "MHz"},
    [ROAM_XMIT_DATA_ANS_DL_FREQ2] = {"DLFreq2", FREQUENCY(XMIT_ANS, dl_freq2_hz), .marks = ROAM_OS, .help = "MHz"},
    {0},
};

#define ERROR_NOTIF struct roam_error_notif
const struct field roam_error_notif_fields[] = {
    [ROAM_ERROR_NOTIF_HAS] = HAS_ROW(ERROR_NOTIF),
    [ROAM_ERROR_NOTIF_PHY_PAYLOAD] = {"PHYPayload", PHY(ERROR_NOTIF), .marks = ROAM_O},
    {0},
};

/* ---- types --------------------------------------------------------------------------------------- */

static const struct field *const type_fields[ROAM_TYPE_COUNT] = {
#define X(name, text, fields, member) [name] = (fields),
    ROAM_TYPE_TABLE(X)
#undef X
};
/* clang-format on */

#define X(name, text, fields, member)                                                              \
    _Static_assert(offsetof(struct roam_message, member) == offsetof(struct roam_message, empty),  \
                   "bodies begin alike");
ROAM_TYPE_TABLE(X)
#undef X
_Static_assert(ROAM_PR_START_NOTIF % 2 == 0, "answers follow their requests");

const char *roam_type_text(enum roam_type type)
{
    return (unsigned)type < ROAM_TYPE_COUNT ? type_names[type] : "";
}

const struct field *roam_type_fields(enum roam_type type)
{
    return (unsigned)type < ROAM_TYPE_COUNT ? type_fields[type] : roam_empty_fields;
}

bool roam_type_is_request(enum roam_type type)
{
    return type < ROAM_PR_START_NOTIF && type % 2 == 0;
}

bool roam_type_is_answer(enum roam_type type)
{
    return type < ROAM_PR_START_NOTIF && type % 2 == 1;
}

bool roam_type_is_1_1(enum roam_type type)
{
    return type >= ROAM_XMIT_LOC_REQ && type < ROAM_TYPE_COUNT;
}
