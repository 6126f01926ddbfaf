/*
 * result.c - the tables of ResultCodes.
 *
 * ROAM_SUCCESS is zero, and the worst answer to a frame that was dropped. So the codes of reasons
 * are a switch without a default: the compiler names a reason that is left out, and it becomes
 * Other.
 */
#include "roaming/result.h"

const char *const roam_result_names_1_0[ROAM_RESULT_COUNT + 1] = {
#define X(name, text_1_0, text_1_1, help) [name] = (text_1_0),
    ROAM_RESULT_TABLE(X)
#undef X
};

const char *const roam_result_names_1_1[ROAM_RESULT_COUNT + 1] = {
#define X(name, text_1_0, text_1_1, help) [name] = (text_1_1),
    ROAM_RESULT_TABLE(X)
#undef X
};

const struct field_alias roam_result_aliases[] = {
    {"MalformedRequest", ROAM_MALFORMED},
    {"UnknownReceiver", ROAM_UNKNOWN_RECEIVER},
    {"RoamingActDisallowedA", ROAM_ROAMING_ACT_DISALLOWED},
    {"*", ROAM_OTHER},
    {NULL, 0},
};

const char *roam_result_help(enum roam_result_code code)
{
    static const char *const helps[] = {
#define X(name, text_1_0, text_1_1, help) [name] = (help),
        ROAM_RESULT_TABLE(X)
#undef X
    };

    return (unsigned)code < ROAM_RESULT_COUNT ? helps[code] : "";
}

/* clang-format off */
enum roam_result_code roam_result_of_drop(enum drop drop)
{
    switch (drop) {
    case DROP_NONE:
    case DROP_DUPLICATE_DATAGRAM: case DROP_LATE_COPY: case DROP_REPETITION:
    case DROP_NOTHING_TO_SEND:
        return ROAM_SUCCESS;

    case DROP_MALFORMED_DATAGRAM: case DROP_MALFORMED_JSON: case DROP_MALFORMED_RXPK:
    case DROP_BAD_CRC: case DROP_UNKNOWN_CHANNEL: case DROP_MALFORMED_FRAME: case DROP_NOT_UPLINK:
    case DROP_PROPRIETARY: case DROP_FOPTS_PORT0:
        return ROAM_MALFORMED;
    case DROP_TOO_LONG:
        return ROAM_FRAME_SIZE_ERROR;

    case DROP_UNKNOWN_DEVADDR:
        return ROAM_UNKNOWN_DEV_ADDR;
    case DROP_MIC: case DROP_JOIN_MIC:
        return ROAM_MIC_FAILED;
    case DROP_FCNT_REPLAY:
        return ROAM_FRAME_REPLAYED;
    case DROP_DEVICE_DISABLED:
        return ROAM_DEV_ROAMING_DISALLOWED;

    case DROP_UNKNOWN_DEVICE: case DROP_JOIN_EUI:
        return ROAM_UNKNOWN_DEV_EUI;
    case DROP_NOT_OTAA:
        return ROAM_ACTIVATION_DISALLOWED;
    case DROP_NO_KEYS: case DROP_DEV_NONCE_USED: case DROP_JOIN_NONCE_SPENT: case DROP_JOIN_RATE:
    case DROP_JOIN_SERVER_OFF: case DROP_REJOIN:
        return ROAM_JOIN_REQ_FAILED;

    case DROP_NO_DOWNLINK_PATH:
        return ROAM_XMIT_FAILED;

    case DROP_UNKNOWN_GATEWAY: case DROP_GATEWAY_ADDRESS: case DROP_RATE_LIMIT:
    case DROP_TX_ACK_UNKNOWN: case DROP_OVERLOAD: case DROP_OVERLOAD_STAT:
    case DROP_OVERLOAD_UNKNOWN: case DROP_OVERLOAD_GATEWAY: case DROP_OVERLOAD_LATE:
    case DROP_MIC_BUDGET: case DROP_FCNT_EXHAUSTED: case DROP_PRIVATE_GATEWAY: case DROP_REGION:
    case DROP_PENDING_ACK: case DROP_NO_REKEY_IND: case DROP_CONFLICT: case DROP_DEVICE_BUSY:
    case DROP_STORE_AWAY: case DROP_CORRUPT: case DROP_INTERNAL_ERROR:
    case DROP_COUNT:
        break;
    }
    return ROAM_OTHER;
}
/* clang-format on */
