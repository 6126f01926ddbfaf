/*
 * result.h - ResultCodes of TS002, and which of them a drop reason becomes.
 *
 * Codes have two spellings: that of protocol version 1.0 and that of 1.1. NoAction and
 * FrameReplayed exist in 1.1 only and become Other towards a 1.0 peer. "UnkownReceiver" is the
 * specification's spelling (TS002-1.0.0, table of ResultCodes); the right one is accepted too.
 */
#pragma once

#include "core/field.h"
#include "lorawan/drop.h"

/* name, in 1.0, in 1.1, help */
/* clang-format off */
#define ROAM_RESULT_TABLE(X)                                                                       \
    X(ROAM_SUCCESS, "Success", "Success", "granted")                                               \
    X(ROAM_NO_ACTION, "Other", "NoAction", "nothing was done, for example for a duplicate")        \
    X(ROAM_MIC_FAILED, "MICFailed", "MICFailed", "the MIC is wrong")                               \
    X(ROAM_FRAME_REPLAYED, "Other", "FrameReplayed", "the counter or nonce was used already")      \
    X(ROAM_JOIN_REQ_FAILED, "JoinReqFailed", "JoinReqFailed", "the join server refused")           \
    X(ROAM_NO_ROAMING_AGREEMENT, "NoRoamingAgreement", "NoRoamingAgreement",                       \
      "no agreement between the two operators")                                                    \
    X(ROAM_DEV_ROAMING_DISALLOWED, "DevRoamingDisallowed", "DevRoamingDisallowed",                 \
      "the device may not roam")                                                                   \
    X(ROAM_ROAMING_ACT_DISALLOWED, "RoamingActDisallowed", "RoamingActDisallowed",                 \
      "the device may not join while it roams")                                                    \
    X(ROAM_ACTIVATION_DISALLOWED, "ActivationDisallowed", "ActivationDisallowed",                  \
      "the device may not be activated by this network")                                           \
    X(ROAM_UNKNOWN_DEV_EUI, "UnknownDevEUI", "UnknownDevEUI", "no device has the DevEUI")          \
    X(ROAM_UNKNOWN_DEV_ADDR, "UnknownDevAddr", "UnknownDevAddr", "no session has the DevAddr")     \
    X(ROAM_UNKNOWN_SENDER, "UnknownSender", "UnknownSender", "the SenderID is not known")          \
    X(ROAM_UNKNOWN_RECEIVER, "UnkownReceiver", "UnkownReceiver", "the ReceiverID is not ours")     \
    X(ROAM_DEFERRED, "Deferred", "Deferred", "not now; ask again after Lifetime")                  \
    X(ROAM_XMIT_FAILED, "XmitFailed", "XmitFailed", "the downlink was not sent")                   \
    X(ROAM_INVALID_FPORT, "InvalidFPort", "InvalidFPort", "the FPort is not one of applications")  \
    X(ROAM_INVALID_PROTOCOL_VERSION, "InvalidProtocolVersion", "InvalidProtocolVersion",           \
      "the protocol version is not supported")                                                     \
    X(ROAM_STALE_DEVICE_PROFILE, "StaleDeviceProfile", "StaleDeviceProfile",                       \
      "the device profile was changed since")                                                      \
    X(ROAM_MALFORMED, "MalformedRequest", "MalformedMessage", "the message cannot be read")        \
    X(ROAM_FRAME_SIZE_ERROR, "FrameSizeError", "FrameSizeError", "a payload has a wrong size")     \
    X(ROAM_OTHER, "Other", "Other", "anything else; also a code that is not known")

enum roam_result_code {
#define X(name, text_1_0, text_1_1, help) name,
    ROAM_RESULT_TABLE(X)
#undef X
    ROAM_RESULT_COUNT
};
/* clang-format on */

/* Names by code, NULL-terminated; and other spellings, where any unknown text is ROAM_OTHER. */
extern const char *const roam_result_names_1_0[ROAM_RESULT_COUNT + 1];
extern const char *const roam_result_names_1_1[ROAM_RESULT_COUNT + 1];
extern const struct field_alias roam_result_aliases[];

/* What the code means; "" for a value outside. */
const char *roam_result_help(enum roam_result_code code);

/* The answer to a peer whose frame was dropped for this reason: every reason has one. A repetition
 * and a late copy are Success, as the frame was taken before. */
enum roam_result_code roam_result_of_drop(enum drop drop);
