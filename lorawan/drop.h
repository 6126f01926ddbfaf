/*
 * drop.h - why a frame, a copy or a datagram ended without being used.
 *
 * One enumeration for all: the name is the metric label and the frame log's `dropReason`, and (by a
 * table in roaming/) becomes a TS002 ResultCode. A drop is not an error. Every reason is reached by
 * a test (tests/lint).
 */
#pragma once

/* clang-format off */
#define DROP_TABLE(X)                                                                              \
    /* datagrams and copies (gateway/) */                                                          \
    X(DROP_MALFORMED_DATAGRAM, "malformed_datagram", "a datagram that is not of the gateway protocol")\
    X(DROP_MALFORMED_JSON,     "malformed_json",     "a gateway's JSON could not be read")         \
    X(DROP_MALFORMED_RXPK,     "malformed_rxpk",     "an rxpk lacks or has bad members")           \
    X(DROP_UNKNOWN_GATEWAY,    "unknown_gateway",    "the gateway has no record")                  \
    X(DROP_GATEWAY_ADDRESS,    "gateway_address",    "the address is not allowed for the gateway") \
    X(DROP_DUPLICATE_DATAGRAM, "duplicate_datagram", "the network delivered a datagram twice")     \
    X(DROP_RATE_LIMIT,         "rate_limit",         "the gateway or address sends too much")      \
    X(DROP_BAD_CRC,            "bad_crc",            "the gateway says that the CRC was wrong")    \
    X(DROP_UNKNOWN_CHANNEL,    "unknown_channel",    "no region has a channel there")              \
    X(DROP_LATE_COPY,          "late_copy",          "a copy came after the collecting window")    \
    X(DROP_TX_ACK_UNKNOWN,     "tx_ack_unknown",     "a TX_ACK without a live token")              \
    X(DROP_OVERLOAD,           "overload",           "a queue was full")                           \
    X(DROP_OVERLOAD_STAT,      "overload_stat",      "overload, level 1: a gateway's stat")        \
    X(DROP_OVERLOAD_UNKNOWN,   "overload_unknown",   "overload, level 2: of an unknown device")    \
    X(DROP_OVERLOAD_GATEWAY,   "overload_gateway",   "overload, level 3: by a noisy gateway")      \
    X(DROP_OVERLOAD_LATE,      "overload_late",      "waited too long to be of use")               \
    /* frames */                                                                                   \
    X(DROP_MALFORMED_FRAME,    "malformed_frame",    "the PHYPayload is no frame of LoRaWAN")      \
    X(DROP_NOT_UPLINK,         "not_uplink",         "a downlink heard by a gateway")              \
    X(DROP_PROPRIETARY,        "proprietary",        "a proprietary frame")                        \
    X(DROP_FOPTS_PORT0,        "fopts_and_port0",    "MAC commands both in FOpts and on port 0")   \
    X(DROP_TOO_LONG,           "too_long",           "longer than the data rate allows (1.0.4)")   \
    X(DROP_UNKNOWN_DEVADDR,    "unknown_devaddr",    "no session has the DevAddr")                 \
    X(DROP_MIC,                "mic",                "no session's key gives the MIC")             \
    X(DROP_MIC_BUDGET,         "mic_budget",         "too many trials on this DevAddr")            \
    X(DROP_FCNT_REPLAY,        "fcnt_replay",        "the counter was used already")               \
    X(DROP_FCNT_EXHAUSTED,     "fcnt_exhausted",     "all 32 bits of the counter are spent")       \
    X(DROP_DEVICE_DISABLED,    "device_disabled",    "the device is disabled")                     \
    X(DROP_PRIVATE_GATEWAY,    "private_gateway",    "heard only by other tenants' gateways")      \
    X(DROP_REGION,             "region",             "the device is of another region")            \
    X(DROP_PENDING_ACK,        "pending_session_ack","ACK on a session that is not confirmed yet") \
    X(DROP_NO_REKEY_IND,       "no_rekey_ind",       "a 1.1 session began without RekeyInd")       \
    X(DROP_REPETITION,         "repetition",         "a repetition: answered, not delivered")      \
    /* joins */                                                                                    \
    X(DROP_UNKNOWN_DEVICE,     "unknown_device",     "no device has the DevEUI")                   \
    X(DROP_JOIN_EUI,           "join_eui",           "the JoinEUI is not the device's")            \
    X(DROP_NO_KEYS,            "no_keys",            "the device has no root keys")                \
    X(DROP_NOT_OTAA,           "not_otaa",           "the profile does not allow OTAA")            \
    X(DROP_JOIN_MIC,           "join_mic",           "the join request's MIC is wrong")            \
    X(DROP_DEV_NONCE_USED,     "dev_nonce_used",     "the DevNonce was used already")              \
    X(DROP_JOIN_NONCE_SPENT,   "join_nonce_spent",   "all JoinNonces are spent")                   \
    X(DROP_JOIN_RATE,          "join_rate",          "the device asks to join too often")          \
    X(DROP_JOIN_SERVER_OFF,    "join_server_off",    "the join server is switched off")            \
    X(DROP_REJOIN,             "rejoin",             "rejoin requests are not in this version")    \
    /* jobs */                                                                                     \
    X(DROP_CONFLICT,           "conflict",           "lost against another writer three times")    \
    X(DROP_DEVICE_BUSY,        "device_busy",        "too many jobs wait for the device")          \
    X(DROP_STORE_AWAY,         "store_away",         "the store cannot be written")                \
    X(DROP_CORRUPT,            "corrupt",            "what is stored of the device is damaged")    \
    X(DROP_INTERNAL_ERROR,     "internal_error",     "a fault of this program")                    \
    /* downlinks */                                                                                \
    X(DROP_NOTHING_TO_SEND,    "nothing_to_send",    "no downlink was needed")                     \
    X(DROP_NO_DOWNLINK_PATH,   "no_downlink_path",   "no gateway or window can carry it")

enum drop {
    DROP_NONE = 0,
#define X(name, label, help) name,
    DROP_TABLE(X)
#undef X
    DROP_COUNT
};
/* clang-format on */

/* The label of a reason ("unknown_devaddr"); "" for DROP_NONE. */
const char *drop_label(enum drop drop);
const char *drop_help(enum drop drop);
