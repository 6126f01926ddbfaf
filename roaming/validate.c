/*
 * validate.c - the marks of the tables, the sizes of frames, then one rule for each type that has
 * conditions between its members (TS002-1.0.0 12 and 13 and the procedures, which win over tables).
 */
#include "roaming/validate.h"

#include "lorawan/frame.h"
#include "lorawan/keywrap.h"

#include <stdarg.h>
#include <stdio.h>

struct check {
    const struct roam_message *message;
    enum roam_side side;
    unsigned wanted; /* marks whose rows must be there */
    bool success;    /* a request, or an answer that grants it */
    struct arena *arena;
    struct roam_fault *fault;
};

__attribute__((format(printf, 3, 4))) static bool
fail(const struct check *check, enum roam_result_code code, const char *what, ...)
{
    char text[160];
    va_list args;

    va_start(args, what);
    (void)vsnprintf(text, sizeof(text), what, args);
    va_end(args);
    *check->fault = (struct roam_fault){code, arena_strdup(check->arena, text)};
    return false;
}

/* What must be there; passes on whether it is. */
static bool want(const struct check *check, bool there, const char *name)
{
    if (!there)
        (void)fail(check, ROAM_MALFORMED, "%s is missing", name);
    return there;
}

/* ---- marks ---------------------------------------------------------------------------------- */

/* A refusal may come before anyone looked at what it should repeat of the request (AppSKeyAns). */
static bool is_needed(const struct check *check, const struct field *row, bool in_body)
{
    if ((row->marks & ROAM_TOLERATED) &&
        (check->side == ROAM_RECEIVED || (in_body && !check->success)))
        return false;
    return (row->marks & check->wanted) != 0;
}

/* What is for Success alone, and each key, is not sent with a refusal. */
static bool is_excess(const struct check *check, const struct field *row)
{
    const unsigned granted = ROAM_MS | ROAM_OS, anyway = ROAM_M | ROAM_O | ROAM_OF | ROAM_C;

    if (check->side == ROAM_RECEIVED || check->success)
        return false;
    return row->sub == roam_key_envelope_fields ||
           ((row->marks & granted) && !(row->marks & anyway));
}

/* In clear or wrapped, by the label: one that is in clear under a label was forgotten. Of what came
 * roam_key_unwrap tells. */
static bool check_envelope(const struct check *check, const struct roam_key_envelope *envelope,
                           const char *name)
{
    bool wrapped = roam_has(envelope, ROAM_KEY_KEK_LABEL) && *envelope->kek_label;

    if (check->side == ROAM_RECEIVED || envelope->aes_key.n == (wrapped ? LW_WRAPPED : 16))
        return true;
    return fail(check, ROAM_MALFORMED, "%s.AESKey has %zu octets", name, envelope->aes_key.n);
}

static bool check_marks(const struct check *check, const struct field *table, const void *object,
                        const char *prefix);

static bool check_object(const struct check *check, const struct field *row, const void *object,
                         const char *name)
{
    if (!check_marks(check, row->sub, object, name))
        return false;
    return row->sub != roam_key_envelope_fields || check_envelope(check, object, name);
}

static bool check_marks(const struct check *check, const struct field *table, const void *object,
                        const char *prefix)
{
    const struct roam_empty *any = object; /* all begin with `has` */

    for (size_t i = 1; table[i].kind != F_END; i++) {
        const void *at = (const char *)object + table[i].offset;
        char name[64];

        (void)snprintf(name, sizeof(name), "%s%s%s", prefix, *prefix ? "." : "", table[i].name);
        if (!roam_has(any, i)) {
            if (!want(check, !is_needed(check, &table[i], !*prefix), name))
                return false;
        } else if (is_excess(check, &table[i])) {
            return fail(check, ROAM_MALFORMED, "%s is not for a refusal", name);
        } else if (table[i].kind == F_OBJ && !check_object(check, &table[i], at, name)) {
            return false;
        }
    }
    return true;
}

/* ---- header --------------------------------------------------------------------------------- */

static bool check_header(const struct check *check)
{
    const struct roam_header *header = &check->message->header;
    enum roam_version version = roam_version_of(header->protocol_version);

    if (roam_has(header, ROAM_HEADER_PROTOCOL_VERSION) && version == ROAM_VERSION_UNKNOWN)
        return fail(check, ROAM_INVALID_PROTOCOL_VERSION, "ProtocolVersion must be 1.0 or 1.1");
    if (!want(check, header->type != ROAM_TYPE_UNKNOWN, "MessageType") ||
        !check_marks(check, roam_header_fields, header, ""))
        return false;
    if (!roam_type_is_request(header->type) &&
        !want(check, roam_has(header, ROAM_HEADER_RESULT), "Result"))
        return false;
    if (check->side == ROAM_RECEIVED)
        return true;
    /* An answer calls both what the request called them. */
    if (!roam_type_is_answer(header->type) &&
        (!want(check, header->sender.kind != ROAM_ID_NONE, "SenderID") ||
         !want(check, header->receiver.kind != ROAM_ID_NONE, "ReceiverID")))
        return false;
    if (version == ROAM_1_0 && roam_type_is_1_1(header->type))
        return fail(check, ROAM_MALFORMED, "%s needs protocol version 1.1",
                    roam_type_text(header->type));
    /* The Things Stack refuses 1.1 from a network without it; only networks have one. */
    if (version == ROAM_1_1 && header->sender.kind == ROAM_ID_NET_ID)
        return want(check, roam_has(header, ROAM_HEADER_SENDER_NSID), "SenderNSID");
    return true;
}

/* ---- sizes ---------------------------------------------------------------------------------- */

struct size {
    enum roam_type type;
    const char *name;
    uint8_t least, most;
    uint8_t exact[3]; /* if there are any: one of these; the last stands for those left out */
};

/* TS001 6.2: Join-request 23, Join-accept 17 or 33, Rejoin-request 19 or (type 1) 24 octets, and a
 * CFList, if there is one, 16. */
/* clang-format off */
static const struct size sizes[] = {
    {ROAM_JOIN_REQ,      "PHYPayload", 0, 0, {23, 23, 23}},
    {ROAM_REJOIN_REQ,    "PHYPayload", 0, 0, {19, 24, 24}},
    {ROAM_JOIN_ANS,      "PHYPayload", 0, 0, {17, 33, 33}},
    {ROAM_REJOIN_ANS,    "PHYPayload", 0, 0, {17, 33, 33}},
    {ROAM_PR_START_REQ,  "PHYPayload", LW_PHY_MIN_DATA, LW_PHY_MAX, {0}},
    {ROAM_PR_START_ANS,  "PHYPayload", 0, 0, {17, 33, 33}},
    {ROAM_HR_START_REQ,  "PHYPayload", 0, 0, {19, 23, 24}},
    {ROAM_HR_START_ANS,  "PHYPayload", 0, 0, {17, 33, 33}},
    {ROAM_XMIT_DATA_REQ, "PHYPayload", LW_PHY_MIN_DATA, LW_PHY_MAX, {0}},
    {ROAM_XMIT_DATA_REQ, "FRMPayload", 0, 242, {0}},
    {ROAM_JOIN_REQ,      "CFList", 0, 0, {16, 16, 16}},
    {ROAM_REJOIN_REQ,    "CFList", 0, 0, {16, 16, 16}},
    {ROAM_HR_START_REQ,  "CFList", 0, 0, {16, 16, 16}},
};
/* clang-format on */

static bool fits(const struct size *size, size_t n)
{
    if (!size->exact[0])
        return n >= size->least && n <= size->most;
    return n == size->exact[0] || n == size->exact[1] || n == size->exact[2];
}

/* A member of the body by its name; NULL if it is not there. */
static const void *member(const struct roam_message *message, const char *name)
{
    const struct field *table = roam_type_fields(message->header.type);
    const struct field *row = field_find(table, name);

    return row && roam_has(&message->empty, row - table)
               ? (const char *)&message->empty + row->offset
               : NULL;
}

static bool check_sizes(const struct check *check)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct bytes *payload;

        if (sizes[i].type != check->message->header.type)
            continue;
        payload = member(check->message, sizes[i].name);
        if (payload && !fits(&sizes[i], payload->n))
            return fail(check, ROAM_FRAME_SIZE_ERROR, "%s has %zu octets", sizes[i].name,
                        payload->n);
    }
    return true;
}

/* ---- rules of types ------------------------------------------------------------------------- */

static bool check_port(const struct check *check, bool good)
{
    if (!good)
        (void)fail(check, ROAM_INVALID_FPORT, "DLMetaData.FPort is missing or 0");
    return good;
}

/* Protocol version 1.0 knows A and C; what is in an answer is a Join-accept. */
static bool check_class(const struct check *check, const struct roam_dl_meta_data *dl)
{
    const struct roam_header *header = &check->message->header;

    if (check->side == ROAM_RECEIVED || dl->class_mode == LW_CLASS_A)
        return true;
    if (roam_type_is_answer(header->type))
        return fail(check, ROAM_MALFORMED, "DLMetaData.ClassMode of a Join-accept must be A");
    if (dl->class_mode == LW_CLASS_B && roam_version_of(header->protocol_version) == ROAM_1_0)
        return fail(check, ROAM_MALFORMED, "DLMetaData.ClassMode B needs protocol version 1.1");
    return true;
}

/* Between hNS and sNS an application's port; between sNS and fNS at least one window, whole. */
static bool check_downlink(const struct check *check, const struct roam_dl_meta_data *dl,
                           bool frm_payload)
{
    if (!check_class(check, dl))
        return false;
    if (frm_payload)
        return check_port(check, roam_has(dl, ROAM_DL_F_PORT) && dl->f_port > 0);
    if (!want(check, roam_has(dl, ROAM_DL_FREQ1) || roam_has(dl, ROAM_DL_FREQ2),
              "DLMetaData.DLFreq1 or DLFreq2"))
        return false;
    if (roam_has(dl, ROAM_DL_FREQ1) != roam_has(dl, ROAM_DL_DATA_RATE1))
        return fail(check, ROAM_MALFORMED, "DLMetaData.DLFreq1 and DataRate1 belong together");
    if (roam_has(dl, ROAM_DL_FREQ2) != roam_has(dl, ROAM_DL_DATA_RATE2))
        return fail(check, ROAM_MALFORMED, "DLMetaData.DLFreq2 and DataRate2 belong together");
    if (check->side == ROAM_RECEIVED)
        return true;
    if (dl->class_mode != LW_CLASS_A)
        return want(check, roam_has(dl, ROAM_DL_FREQ2), "DLMetaData.DLFreq2");
    return want(check, roam_has(dl, ROAM_DL_RX_DELAY1), "DLMetaData.RXDelay1");
}

static bool check_xmit_data_req(const struct check *check)
{
    const struct roam_xmit_data_req *req = &check->message->xmit_data_req;
    bool frm = roam_has(req, ROAM_XMIT_DATA_REQ_FRM_PAYLOAD);
    bool dl = roam_has(req, ROAM_XMIT_DATA_REQ_DL_META_DATA);

    if (frm == roam_has(req, ROAM_XMIT_DATA_REQ_PHY_PAYLOAD))
        return fail(check, ROAM_MALFORMED, "one of PHYPayload and FRMPayload must be there");
    if (dl == roam_has(req, ROAM_XMIT_DATA_REQ_UL_META_DATA))
        return fail(check, ROAM_MALFORMED, "one of ULMetaData and DLMetaData must be there");
    return !dl || check_downlink(check, &req->dl, frm);
}

/* The device's identity beside the frame that has it: some fNSs leave it out. */
static bool check_pr_start_req(const struct check *check)
{
    const struct roam_pr_start_req *req = &check->message->pr_start_req;
    uint8_t mtype = req->phy_payload.p[0] >> 5;

    if (check->side == ROAM_RECEIVED)
        return true;
    if (mtype == LW_JOIN_REQUEST || mtype == LW_REJOIN_REQUEST)
        return want(check, roam_has(&req->ul, ROAM_UL_DEV_EUI), "ULMetaData.DevEUI");
    return want(check, roam_has(&req->ul, ROAM_UL_DEV_ADDR), "ULMetaData.DevAddr");
}

static bool check_pr_start_ans(const struct check *check)
{
    const struct roam_pr_start_ans *ans = &check->message->pr_start_ans;
    bool key = roam_has(ans, ROAM_PR_START_ANS_NWK_S_KEY);
    bool f_key = roam_has(ans, ROAM_PR_START_ANS_F_NWK_S_INT_KEY);
    bool dl = roam_has(ans, ROAM_PR_START_ANS_DL_META_DATA);

    if (key && f_key)
        return fail(check, ROAM_MALFORMED, "NwkSKey and FNwkSIntKey exclude each other");
    if (dl && !check_downlink(check, &ans->dl, false))
        return false;
    if (check->side == ROAM_RECEIVED)
        return true;
    if ((key || f_key) && !want(check, roam_has(ans, ROAM_PR_START_ANS_FCNT_UP), "FCntUp"))
        return false;
    /* A stateless peer needs it with a Join-accept too: Helium finds the device by it. */
    if (check->success && (ans->lifetime_s > 0 || roam_has(ans, ROAM_PR_START_ANS_PHY_PAYLOAD)))
        return want(check, roam_has(ans, ROAM_PR_START_ANS_DEV_EUI), "DevEUI");
    if (check->message->header.result.code == ROAM_DEFERRED)
        return want(check, roam_has(ans, ROAM_PR_START_ANS_LIFETIME), "Lifetime");
    return true;
}

/* NwkSKey for LoRaWAN 1.0, the three others for 1.1; `has` tells which of them are there. */
static bool check_keys(const struct check *check, bool nwk, bool f, bool s, bool enc)
{
    if (nwk ? f || s || enc : !f || !s || !enc)
        return fail(check, ROAM_MALFORMED,
                    "NwkSKey or FNwkSIntKey, SNwkSIntKey and NwkSEncKey must be there");
    return true;
}

static bool check_join_ans(const struct check *check)
{
    const struct roam_join_ans *ans = &check->message->join_ans;

    if (!check->success)
        return true;
    if (!want(check,
              roam_has(ans, ROAM_JOIN_ANS_APP_S_KEY) || roam_has(ans, ROAM_JOIN_ANS_SESSION_KEY_ID),
              "AppSKey or SessionKeyID"))
        return false;
    return check_keys(
        check, roam_has(ans, ROAM_JOIN_ANS_NWK_S_KEY), roam_has(ans, ROAM_JOIN_ANS_F_NWK_S_INT_KEY),
        roam_has(ans, ROAM_JOIN_ANS_S_NWK_S_INT_KEY), roam_has(ans, ROAM_JOIN_ANS_NWK_S_ENC_KEY));
}

/* The join server derives keys by the version, the device by OptNeg: they would have two sessions.
 */
static bool check_opt_neg(const struct check *check, uint8_t mac_version, uint8_t dl_settings)
{
    if ((mac_version >= LW_1_1_0) != (dl_settings >> 7))
        return fail(check, ROAM_MALFORMED, "MACVersion and OptNeg of DLSettings disagree");
    return true;
}

static bool check_join_req(const struct check *check)
{
    const struct roam_join_req *req = &check->message->join_req;

    return check_opt_neg(check, req->mac_version, req->dl_settings);
}

static bool check_hr_start_req(const struct check *check)
{
    const struct roam_hr_start_req *req = &check->message->hr_start_req;
    bool phy = roam_has(req, ROAM_HR_START_REQ_PHY_PAYLOAD);

    if (!want(check, phy || roam_has(req, ROAM_HR_START_REQ_DEV_EUI), "PHYPayload or DevEUI"))
        return false;
    if (!phy && check->side == ROAM_SENT && req->has != ROAM_BIT(ROAM_HR_START_REQ_DEV_EUI))
        return fail(check, ROAM_MALFORMED, "DevEUI without a PHYPayload stands alone");
    if (!phy)
        return true;
    if (!check_opt_neg(check, req->mac_version, req->dl_settings))
        return false;
    return check->side == ROAM_RECEIVED ||
           want(check, roam_has(&req->ul, ROAM_UL_DEV_EUI), "ULMetaData.DevEUI");
}

/* What a class or personalisation brings with it. We send it; others have forgotten some. */
static bool check_device_profile(const struct check *check, const struct roam_device_profile *dp)
{
    static const uint8_t class_b[] = {ROAM_DP_CLASS_B_TIMEOUT, ROAM_DP_PING_SLOT_PERIOD,
                                      ROAM_DP_PING_SLOT_DR, ROAM_DP_PING_SLOT_FREQ, 0};
    static const uint8_t class_c[] = {ROAM_DP_CLASS_C_TIMEOUT, 0};
    static const uint8_t abp[] = {
        ROAM_DP_RX_DELAY1, ROAM_DP_RX_DR_OFFSET1,        ROAM_DP_RX_DATA_RATE2,
        ROAM_DP_RX_FREQ2,  ROAM_DP_FACTORY_PRESET_FREQS, 0};
    const struct {
        bool applies;
        const uint8_t *rows;
    } parts[] = {{dp->supports_class_b, class_b},
                 {dp->supports_class_c, class_c},
                 {!dp->supports_join, abp}};

    for (size_t i = 0; i < 3 && check->side == ROAM_SENT; i++) {
        for (const uint8_t *row = parts[i].rows; parts[i].applies && *row; row++) {
            if (!want(check, roam_has(dp, *row), roam_device_profile_fields[*row].name))
                return false;
        }
    }
    return true;
}

static bool check_hr_start_ans(const struct check *check)
{
    const struct roam_hr_start_ans *ans = &check->message->hr_start_ans;

    /* [S1.0] keeps the payload's key between home, application and join server. */
    if (check->side == ROAM_SENT && (roam_has(ans, ROAM_HR_START_ANS_APP_S_KEY) ||
                                     roam_has(ans, ROAM_HR_START_ANS_SESSION_KEY_ID)))
        return fail(check, ROAM_MALFORMED, "AppSKey and SessionKeyID are not handed on");
    if (check->message->header.result.code == ROAM_STALE_DEVICE_PROFILE)
        return want(check, roam_has(ans, ROAM_HR_START_ANS_DEVICE_PROFILE), "DeviceProfile") &&
               want(check, roam_has(ans, ROAM_HR_START_ANS_DEVICE_PROFILE_TIMESTAMP),
                    "DeviceProfileTimestamp") &&
               check_device_profile(check, &ans->device_profile);
    if (!check->success || !roam_has(ans, ROAM_HR_START_ANS_PHY_PAYLOAD))
        return true;
    return check_downlink(check, &ans->dl, false) &&
           check_keys(check, roam_has(ans, ROAM_HR_START_ANS_NWK_S_KEY),
                      roam_has(ans, ROAM_HR_START_ANS_F_NWK_S_INT_KEY),
                      roam_has(ans, ROAM_HR_START_ANS_S_NWK_S_INT_KEY),
                      roam_has(ans, ROAM_HR_START_ANS_NWK_S_ENC_KEY));
}

static bool check_profile_ans(const struct check *check)
{
    const struct roam_profile_ans *ans = &check->message->profile_ans;

    if (!check->success || ans->roaming_activation_type == ROAM_PASSIVE)
        return true;
    return want(check, roam_has(ans, ROAM_PROFILE_ANS_DEVICE_PROFILE), "DeviceProfile") &&
           want(check, roam_has(ans, ROAM_PROFILE_ANS_DEVICE_PROFILE_TIMESTAMP),
                "DeviceProfileTimestamp") &&
           check_device_profile(check, &ans->device_profile);
}

/* Its members are known to nobody: refused until two operators agree on some. */
static bool check_xmit_loc_req(const struct check *check)
{
    return fail(check, ROAM_MALFORMED, "XmitLocReq is not agreed upon");
}

/* clang-format off */
static bool (*const rules[ROAM_TYPE_COUNT + 1])(const struct check *check) = {
    [ROAM_JOIN_REQ]      = check_join_req,
    [ROAM_JOIN_ANS]      = check_join_ans,
    [ROAM_REJOIN_REQ]    = check_join_req,
    [ROAM_REJOIN_ANS]    = check_join_ans,
    [ROAM_PR_START_REQ]  = check_pr_start_req,
    [ROAM_PR_START_ANS]  = check_pr_start_ans,
    [ROAM_HR_START_REQ]  = check_hr_start_req,
    [ROAM_HR_START_ANS]  = check_hr_start_ans,
    [ROAM_PROFILE_ANS]   = check_profile_ans,
    [ROAM_XMIT_DATA_REQ] = check_xmit_data_req,
    [ROAM_XMIT_LOC_REQ]  = check_xmit_loc_req,
};
/* clang-format on */

/* ---- all of it ------------------------------------------------------------------------------ */

/* A frame in a refusal wants nothing beside it. */
static unsigned wanted_in(const struct roam_message *message, bool success)
{
    unsigned wanted = ROAM_M;

    if (!success)
        return wanted;
    if (!roam_type_is_request(message->header.type))
        wanted |= ROAM_MS;
    if (member(message, "PHYPayload"))
        wanted |= ROAM_M_PHY;
    if (member(message, "FRMPayload"))
        wanted |= ROAM_M_FRM;
    return wanted;
}

enum err roam_validate(const struct roam_message *message, enum roam_side side, struct arena *arena,
                       struct roam_fault *fault)
{
    enum roam_type type = message->header.type;
    struct check check = {.message = message,
                          .side = side,
                          .wanted = ROAM_M,
                          .success = roam_type_is_request(type) ||
                                     message->header.result.code == ROAM_SUCCESS,
                          .arena = arena,
                          .fault = fault};

    *fault = (struct roam_fault){0};
    if (!check_header(&check))
        return ERR_INVALID;
    check.wanted = wanted_in(message, check.success);
    if (!check_marks(&check, roam_type_fields(type), &message->empty, "") || !check_sizes(&check) ||
        (rules[type] && !rules[type](&check)))
        return ERR_INVALID;
    return OK;
}
