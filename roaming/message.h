/*
 * message.h - every message of TS002 (Backend Interfaces 1.0 and 1.1): structs, reading, printing.
 *
 * A message is a header, in answers a Result, and a body by its type. Reading takes whatever sense
 * can be made of a message, whoever sent it; whether all is there that its type wants is a second
 * question (roaming/validate.h). Printing is exact, in the dialect of the peer (roaming/dialect.h).
 * Both follow the field tables; no message has code of its own. Pure. A message borrows from its
 * arena, and its strings and octets are then the arena's.
 */
#pragma once

#include "core/json.h"
#include "roaming/dialect.h"
#include "roaming/object.h"
#include "roaming/result.h"

#define ROAM_BODY_MAX ((size_t)64 << 10) /* octets of a message */

/* An arena for reading must have this much room left: a message of ROAM_BODY_MAX fits. */
#define ROAM_ARENA_ROOM ((size_t)1 << 20)

/* type, name, field table of the body, member of the union. An answer follows its request. */
/* clang-format off */
#define ROAM_TYPE_TABLE(X)                                                                         \
    X(ROAM_JOIN_REQ,       "JoinReq",      roam_join_req_fields,       join_req)                   \
    X(ROAM_JOIN_ANS,       "JoinAns",      roam_join_ans_fields,       join_ans)                   \
    X(ROAM_REJOIN_REQ,     "RejoinReq",    roam_join_req_fields,       join_req)                   \
    X(ROAM_REJOIN_ANS,     "RejoinAns",    roam_join_ans_fields,       join_ans)                   \
    X(ROAM_APP_S_KEY_REQ,  "AppSKeyReq",   roam_app_s_key_req_fields,  app_s_key_req)              \
    X(ROAM_APP_S_KEY_ANS,  "AppSKeyAns",   roam_app_s_key_ans_fields,  app_s_key_ans)              \
    X(ROAM_PR_START_REQ,   "PRStartReq",   roam_pr_start_req_fields,   pr_start_req)               \
    X(ROAM_PR_START_ANS,   "PRStartAns",   roam_pr_start_ans_fields,   pr_start_ans)               \
    X(ROAM_PR_STOP_REQ,    "PRStopReq",    roam_pr_stop_req_fields,    pr_stop_req)                \
    X(ROAM_PR_STOP_ANS,    "PRStopAns",    roam_empty_fields,          empty)                      \
    X(ROAM_HR_START_REQ,   "HRStartReq",   roam_hr_start_req_fields,   hr_start_req)               \
    X(ROAM_HR_START_ANS,   "HRStartAns",   roam_hr_start_ans_fields,   hr_start_ans)               \
    X(ROAM_HR_STOP_REQ,    "HRStopReq",    roam_hr_stop_req_fields,    hr_stop_req)                \
    X(ROAM_HR_STOP_ANS,    "HRStopAns",    roam_empty_fields,          empty)                      \
    X(ROAM_HOME_NS_REQ,    "HomeNSReq",    roam_home_ns_req_fields,    home_ns_req)                \
    X(ROAM_HOME_NS_ANS,    "HomeNSAns",    roam_home_ns_ans_fields,    home_ns_ans)                \
    X(ROAM_PROFILE_REQ,    "ProfileReq",   roam_profile_req_fields,    profile_req)                \
    X(ROAM_PROFILE_ANS,    "ProfileAns",   roam_profile_ans_fields,    profile_ans)                \
    X(ROAM_XMIT_DATA_REQ,  "XmitDataReq",  roam_xmit_data_req_fields,  xmit_data_req)              \
    X(ROAM_XMIT_DATA_ANS,  "XmitDataAns",  roam_xmit_data_ans_fields,  xmit_data_ans)              \
    X(ROAM_XMIT_LOC_REQ,   "XmitLocReq",   roam_empty_fields,          empty)                      \
    X(ROAM_XMIT_LOC_ANS,   "XmitLocAns",   roam_empty_fields,          empty)                      \
    X(ROAM_PR_START_NOTIF, "PRStartNotif", roam_empty_fields,          empty)                      \
    X(ROAM_ERROR_NOTIF,    "ErrorNotif",   roam_error_notif_fields,    error_notif)

enum roam_type {
#define X(name, text, fields, member) name,
    ROAM_TYPE_TABLE(X)
#undef X
    ROAM_TYPE_COUNT,
    ROAM_TYPE_UNKNOWN = ROAM_TYPE_COUNT
};
/* clang-format on */

const char *roam_type_text(enum roam_type type); /* "JoinReq"; "" for none */
const struct field *roam_type_fields(enum roam_type type);

/* Requests have an answer; notifications of 1.1 have none and are none. */
bool roam_type_is_request(enum roam_type type);
bool roam_type_is_answer(enum roam_type type);

/* In 1.1 only: XmitLocReq, XmitLocAns, PRStartNotif, ErrorNotif. */
bool roam_type_is_1_1(enum roam_type type);

/* ---- header --------------------------------------------------------------------------------- */

enum roam_version { ROAM_1_0, ROAM_1_1, ROAM_VERSION_UNKNOWN };

/* "1.0", "1.1" and, as some spell them, with a third part; NULL is unknown. */
enum roam_version roam_version_of(const char *text);
/* "1.0" or "1.1"; the latter also for a version that is not known, which is so answered. */
const char *roam_version_text(enum roam_version version);

/* Who sends or receives: a NetID by six hex digits, a JoinEUI by sixteen, else the name of an
 * application server. */
enum roam_id_kind { ROAM_ID_NONE, ROAM_ID_NET_ID, ROAM_ID_JOIN_EUI, ROAM_ID_AS };
struct roam_id {
    const char *text; /* as it came; made anew by the dialect when it is printed */
    enum roam_id_kind kind;
    uint64_t v;
};

struct roam_id roam_id_of_net_id(struct lw_net_id id);
struct roam_id roam_id_of_join_eui(struct lw_eui join_eui);
struct roam_id roam_id_of_text(const char *text); /* borrowed */
bool roam_id_equal(const struct roam_id *a, const struct roam_id *b);

struct roam_header {
    uint64_t has;
    const char *protocol_version; /* as it came */
    struct roam_id sender, receiver;
    uint32_t transaction_id;
    uint8_t type; /* enum roam_type */
    struct lw_eui sender_nsid, receiver_nsid;
    struct bytes sender_token, receiver_token;
    struct roam_vs_extension vs_extension;
    struct roam_result result;
};
enum {
    ROAM_HEADER_HAS,
    ROAM_HEADER_PROTOCOL_VERSION,
    ROAM_HEADER_SENDER_ID,
    ROAM_HEADER_RECEIVER_ID,
    ROAM_HEADER_TRANSACTION_ID,
    ROAM_HEADER_MESSAGE_TYPE,
    ROAM_HEADER_SENDER_NSID,
    ROAM_HEADER_RECEIVER_NSID,
    ROAM_HEADER_SENDER_TOKEN,
    ROAM_HEADER_RECEIVER_TOKEN,
    ROAM_HEADER_VS_EXTENSION,
    ROAM_HEADER_RESULT,
};
extern const struct field roam_header_fields[];

/* ---- bodies --------------------------------------------------------------------------------- */

struct roam_empty {
    uint64_t has;
};

struct roam_join_req { /* and RejoinReq */
    uint64_t has;
    uint8_t mac_version; /* enum lw_version */
    struct bytes phy_payload;
    struct lw_eui dev_eui;
    struct lw_dev_addr dev_addr;
    uint8_t dl_settings, rx_delay;
    struct bytes cf_list;
};
enum {
    ROAM_JOIN_REQ_HAS,
    ROAM_JOIN_REQ_MAC_VERSION,
    ROAM_JOIN_REQ_PHY_PAYLOAD,
    ROAM_JOIN_REQ_DEV_EUI,
    ROAM_JOIN_REQ_DEV_ADDR,
    ROAM_JOIN_REQ_DL_SETTINGS,
    ROAM_JOIN_REQ_RX_DELAY,
    ROAM_JOIN_REQ_CF_LIST,
};

struct roam_join_ans { /* and RejoinAns */
    uint64_t has;
    struct bytes phy_payload;
    uint32_t lifetime_s;
    struct roam_key_envelope nwk_s_key;                                       /* 1.0 */
    struct roam_key_envelope f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key; /* 1.1 */
    struct roam_key_envelope app_s_key;
    struct bytes session_key_id;
};
enum {
    ROAM_JOIN_ANS_HAS,
    ROAM_JOIN_ANS_PHY_PAYLOAD,
    ROAM_JOIN_ANS_LIFETIME,
    ROAM_JOIN_ANS_NWK_S_KEY,
    ROAM_JOIN_ANS_F_NWK_S_INT_KEY,
    ROAM_JOIN_ANS_S_NWK_S_INT_KEY,
    ROAM_JOIN_ANS_NWK_S_ENC_KEY,
    ROAM_JOIN_ANS_APP_S_KEY,
    ROAM_JOIN_ANS_SESSION_KEY_ID,
};

struct roam_app_s_key_req {
    uint64_t has;
    struct lw_eui dev_eui;
    struct bytes session_key_id;
};
enum { ROAM_APP_S_KEY_REQ_HAS, ROAM_APP_S_KEY_REQ_DEV_EUI, ROAM_APP_S_KEY_REQ_SESSION_KEY_ID };

struct roam_app_s_key_ans {
    uint64_t has;
    struct lw_eui dev_eui;
    struct roam_key_envelope app_s_key;
    struct bytes session_key_id;
};
enum {
    ROAM_APP_S_KEY_ANS_HAS,
    ROAM_APP_S_KEY_ANS_DEV_EUI,
    ROAM_APP_S_KEY_ANS_APP_S_KEY,
    ROAM_APP_S_KEY_ANS_SESSION_KEY_ID,
};

struct roam_pr_start_req {
    uint64_t has;
    struct bytes phy_payload;
    struct roam_ul_meta_data ul;
    uint32_t dedup_window_size; /* ms, as Helium has it */
};
enum {
    ROAM_PR_START_REQ_HAS,
    ROAM_PR_START_REQ_PHY_PAYLOAD,
    ROAM_PR_START_REQ_UL_META_DATA,
    ROAM_PR_START_REQ_DEDUP_WINDOW_SIZE,
};

struct roam_pr_start_ans {
    uint64_t has;
    struct bytes phy_payload;
    struct lw_eui dev_eui;
    struct lw_dev_addr dev_addr;
    uint32_t lifetime_s; /* absent or 0: stateless */
    struct roam_key_envelope f_nwk_s_int_key, nwk_s_key;
    uint32_t fcnt_up;
    struct roam_service_profile service_profile;
    struct roam_dl_meta_data dl;
};
enum {
    ROAM_PR_START_ANS_HAS,
    ROAM_PR_START_ANS_PHY_PAYLOAD,
    ROAM_PR_START_ANS_DEV_EUI,
    ROAM_PR_START_ANS_DEV_ADDR,
    ROAM_PR_START_ANS_LIFETIME,
    ROAM_PR_START_ANS_F_NWK_S_INT_KEY,
    ROAM_PR_START_ANS_NWK_S_KEY,
    ROAM_PR_START_ANS_FCNT_UP,
    ROAM_PR_START_ANS_SERVICE_PROFILE,
    ROAM_PR_START_ANS_DL_META_DATA,
};

struct roam_pr_stop_req {
    uint64_t has;
    struct lw_dev_addr dev_addr;
    struct lw_eui dev_eui;
    uint32_t lifetime_s;
};
enum {
    ROAM_PR_STOP_REQ_HAS,
    ROAM_PR_STOP_REQ_DEV_ADDR,
    ROAM_PR_STOP_REQ_DEV_EUI,
    ROAM_PR_STOP_REQ_LIFETIME,
};

/* With a PHYPayload: a handover is asked for; with nothing but a DevEUI: the home network wants the
 * serving one to start it. */
struct roam_hr_start_req {
    uint64_t has;
    uint8_t mac_version;
    struct bytes phy_payload;
    struct lw_eui dev_eui;
    struct lw_dev_addr dev_addr;
    uint8_t dl_settings, rx_delay;
    struct bytes cf_list;
    int64_t device_profile_timestamp_us;
    struct roam_ul_meta_data ul;
};
enum {
    ROAM_HR_START_REQ_HAS,
    ROAM_HR_START_REQ_MAC_VERSION,
    ROAM_HR_START_REQ_PHY_PAYLOAD,
    ROAM_HR_START_REQ_DEV_EUI,
    ROAM_HR_START_REQ_DEV_ADDR,
    ROAM_HR_START_REQ_DL_SETTINGS,
    ROAM_HR_START_REQ_RX_DELAY,
    ROAM_HR_START_REQ_CF_LIST,
    ROAM_HR_START_REQ_DEVICE_PROFILE_TIMESTAMP,
    ROAM_HR_START_REQ_UL_META_DATA,
};

struct roam_hr_start_ans {
    uint64_t has;
    struct bytes phy_payload;
    uint32_t lifetime_s;
    struct roam_key_envelope nwk_s_key;
    struct roam_key_envelope f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key;
    struct roam_key_envelope app_s_key; /* tolerated only: it stays between home and application */
    struct bytes session_key_id;
    struct lw_eui dev_eui;
    struct lw_dev_addr dev_addr;
    struct roam_service_profile service_profile;
    struct roam_dl_meta_data dl;
    struct roam_device_profile device_profile;
    int64_t device_profile_timestamp_us;
};
enum {
    ROAM_HR_START_ANS_HAS,
    ROAM_HR_START_ANS_PHY_PAYLOAD,
    ROAM_HR_START_ANS_LIFETIME,
    ROAM_HR_START_ANS_NWK_S_KEY,
    ROAM_HR_START_ANS_F_NWK_S_INT_KEY,
    ROAM_HR_START_ANS_S_NWK_S_INT_KEY,
    ROAM_HR_START_ANS_NWK_S_ENC_KEY,
    ROAM_HR_START_ANS_APP_S_KEY,
    ROAM_HR_START_ANS_SESSION_KEY_ID,
    ROAM_HR_START_ANS_DEV_EUI,
    ROAM_HR_START_ANS_DEV_ADDR,
    ROAM_HR_START_ANS_SERVICE_PROFILE,
    ROAM_HR_START_ANS_DL_META_DATA,
    ROAM_HR_START_ANS_DEVICE_PROFILE,
    ROAM_HR_START_ANS_DEVICE_PROFILE_TIMESTAMP,
};

struct roam_hr_stop_req {
    uint64_t has;
    struct lw_eui dev_eui;
    uint32_t lifetime_s;
};
enum { ROAM_HR_STOP_REQ_HAS, ROAM_HR_STOP_REQ_DEV_EUI, ROAM_HR_STOP_REQ_LIFETIME };

struct roam_home_ns_req {
    uint64_t has;
    struct lw_eui dev_eui;
};
enum { ROAM_HOME_NS_REQ_HAS, ROAM_HOME_NS_REQ_DEV_EUI };

struct roam_home_ns_ans {
    uint64_t has;
    struct lw_net_id h_net_id;
    struct lw_eui h_nsid;
};
enum { ROAM_HOME_NS_ANS_HAS, ROAM_HOME_NS_ANS_H_NET_ID, ROAM_HOME_NS_ANS_H_NSID };

struct roam_profile_req {
    uint64_t has;
    struct lw_eui dev_eui;
};
enum { ROAM_PROFILE_REQ_HAS, ROAM_PROFILE_REQ_DEV_EUI };

enum roam_activation_type { ROAM_PASSIVE, ROAM_HANDOVER };

struct roam_profile_ans {
    uint64_t has;
    struct roam_device_profile device_profile;
    int64_t device_profile_timestamp_us;
    uint8_t roaming_activation_type; /* enum roam_activation_type */
    uint32_t lifetime_s;
};
enum {
    ROAM_PROFILE_ANS_HAS,
    ROAM_PROFILE_ANS_DEVICE_PROFILE,
    ROAM_PROFILE_ANS_DEVICE_PROFILE_TIMESTAMP,
    ROAM_PROFILE_ANS_ROAMING_ACTIVATION_TYPE,
    ROAM_PROFILE_ANS_LIFETIME,
};

/* One payload and one direction: PHYPayload between fNS and sNS, FRMPayload between sNS and hNS. */
struct roam_xmit_data_req {
    uint64_t has;
    struct bytes phy_payload,
        frm_payload; /* an empty FRMPayload that is there: a frame without one */
    struct roam_ul_meta_data ul;
    struct roam_dl_meta_data dl;
};
enum {
    ROAM_XMIT_DATA_REQ_HAS,
    ROAM_XMIT_DATA_REQ_PHY_PAYLOAD,
    ROAM_XMIT_DATA_REQ_FRM_PAYLOAD,
    ROAM_XMIT_DATA_REQ_UL_META_DATA,
    ROAM_XMIT_DATA_REQ_DL_META_DATA,
};

struct roam_xmit_data_ans {
    uint64_t has;
    uint32_t dl_freq1_hz, dl_freq2_hz; /* the window that was used */
};
enum { ROAM_XMIT_DATA_ANS_HAS, ROAM_XMIT_DATA_ANS_DL_FREQ1, ROAM_XMIT_DATA_ANS_DL_FREQ2 };

struct roam_error_notif {
    uint64_t has;
    struct bytes phy_payload;
};
enum { ROAM_ERROR_NOTIF_HAS, ROAM_ERROR_NOTIF_PHY_PAYLOAD };

extern const struct field roam_empty_fields[], roam_join_req_fields[], roam_join_ans_fields[],
    roam_app_s_key_req_fields[], roam_app_s_key_ans_fields[], roam_pr_start_req_fields[],
    roam_pr_start_ans_fields[], roam_pr_stop_req_fields[], roam_hr_start_req_fields[],
    roam_hr_start_ans_fields[], roam_hr_stop_req_fields[], roam_home_ns_req_fields[],
    roam_home_ns_ans_fields[], roam_profile_req_fields[], roam_profile_ans_fields[],
    roam_xmit_data_req_fields[], roam_xmit_data_ans_fields[], roam_error_notif_fields[];

struct roam_message {
    struct roam_header header;
    union {
        struct roam_empty empty; /* the first member of all: `has` */
        struct roam_join_req join_req;
        struct roam_join_ans join_ans;
        struct roam_app_s_key_req app_s_key_req;
        struct roam_app_s_key_ans app_s_key_ans;
        struct roam_pr_start_req pr_start_req;
        struct roam_pr_start_ans pr_start_ans;
        struct roam_pr_stop_req pr_stop_req;
        struct roam_hr_start_req hr_start_req;
        struct roam_hr_start_ans hr_start_ans;
        struct roam_hr_stop_req hr_stop_req;
        struct roam_home_ns_req home_ns_req;
        struct roam_home_ns_ans home_ns_ans;
        struct roam_profile_req profile_req;
        struct roam_profile_ans profile_ans;
        struct roam_xmit_data_req xmit_data_req;
        struct roam_xmit_data_ans xmit_data_ans;
        struct roam_error_notif error_notif;
    };
};

/* ---- reading, printing, answering ----------------------------------------------------------- */

/* What is wrong with a message: how it is to be answered, and for people. */
struct roam_fault {
    enum roam_result_code code;
    const char *description; /* static or from the arena */
};

/* Reads a message. ERR_LIMIT if it is larger than ROAM_BODY_MAX, ERR_MALFORMED if it is no JSON
 * object, ERR_INVALID if a member has the wrong form or the MessageType is not known; *fault then
 * tells, and the header holds what could be read of it (see roam_is_answerable). */
enum err roam_message_read(const char *text, size_t len, struct arena *arena,
                           struct roam_message *message, struct roam_fault *fault) MUST_CHECK;

/* Prints a message as JSON. `secrets`: with the keys; without them it may be logged. ERR_LIMIT if
 * it does not fit into the writer. */
enum err roam_message_print(const struct roam_message *message, enum roam_dialect dialect,
                            bool secrets, struct jw *jw) MUST_CHECK;

/* Whether enough of a request's header is there to answer it. */
bool roam_is_answerable(const struct roam_message *request);

/* A message of ours with its mandatory header fields, but for its sender and receiver: set both. */
void roam_message_init(struct roam_message *message, enum roam_version version, enum roam_type type,
                       uint32_t transaction_id);

/* The answer to an answerable request: sender and receiver, their NSIDs and tokens changed about,
 * the rest of the header copied, and this Result; the body is empty. Borrows what the request
 * borrows. What the request calls us is the peer's word: put our own SenderNSID in where we have
 * one (1.1 needs it, and a request need not name it). */
void roam_answer_init(struct roam_message *answer, const struct roam_message *request,
                      struct roam_fault result);

/* Wipes the keys in a message; also needed after roam_message_read failed. */
void roam_message_wipe(struct roam_message *message);
