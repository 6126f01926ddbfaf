/*
 * activation.c - the session of a device: reading it, activation by personalisation, ending it; and
 * what ADR sees.
 */
#include "api/routes.h"

#include <string.h>

struct activation {
    struct lw_dev_addr dev_addr;
    struct lw_key nwk_s_key, f_nwk_s_int, s_nwk_s_int, nwk_s_enc, app_s_key;
    uint32_t fcnt_up, fcnt_down, n_fcnt_down, a_fcnt_down;
};

/* clang-format off */
enum { A_ADDR, A_NWK, A_FNWK, A_SNWK, A_ENC, A_APP, A_UP, A_DOWN, A_NDOWN, A_ADOWN, A_COUNT };

const struct field activation_fields[] = {
    {"devAddr",     F_ADDR, 0, AT(struct activation, dev_addr)},
    {"nwkSKey",     F_HEX, F_SECRET, AT(struct activation, nwk_s_key), .size = 16, .help = "1.0.x only."},
    {"fNwkSIntKey", F_HEX, F_SECRET, AT(struct activation, f_nwk_s_int), .size = 16, .help = "1.1 only."},
    {"sNwkSIntKey", F_HEX, F_SECRET, AT(struct activation, s_nwk_s_int), .size = 16, .help = "1.1 only."},
    {"nwkSEncKey",  F_HEX, F_SECRET, AT(struct activation, nwk_s_enc), .size = 16, .help = "1.1 only."},
    {"appSKey",     F_HEX, F_SECRET, AT(struct activation, app_s_key), .size = 16},
    {"fCntUp",      F_U32, 0, AT(struct activation, fcnt_up), .help = "The next value."},
    {"fCntDown",    F_U32, 0, AT(struct activation, fcnt_down), .help = "The next value; 1.0.x only."},
    {"nFCntDown",   F_U32, 0, AT(struct activation, n_fcnt_down), .help = "The next value; 1.1 only."},
    {"aFCntDown",   F_U32, 0, AT(struct activation, a_fcnt_down), .help = "The next value; 1.1 only."},
    {0},
};
/* clang-format on */

#define BIT(n)  (UINT64_C(1) << (n))
#define NEED_10 (BIT(A_ADDR) | BIT(A_NWK) | BIT(A_APP))
#define MAY_10  (NEED_10 | BIT(A_UP) | BIT(A_DOWN))
#define NEED_11 (BIT(A_ADDR) | BIT(A_FNWK) | BIT(A_SNWK) | BIT(A_ENC) | BIT(A_APP))
#define MAY_11  (NEED_11 | BIT(A_UP) | BIT(A_NDOWN) | BIT(A_ADOWN))

/* ---- printing -------------------------------------------------------------------------------- */

static void print_hex_key(struct jw *jw, const char *name, const struct lw_key *key)
{
    jw_key(jw, name);
    jw_hex(jw, key->b, sizeof(key->b));
}

static void print_keys(struct jw *jw, const struct session *session)
{
    if (session->flags & SESSION_1_1) {
        print_hex_key(jw, "fNwkSIntKey", &session->keys.f_nwk_s_int);
        print_hex_key(jw, "sNwkSIntKey", &session->keys.s_nwk_s_int);
        print_hex_key(jw, "nwkSEncKey", &session->keys.nwk_s_enc);
    } else {
        print_hex_key(jw, "nwkSKey", &session->keys.f_nwk_s_int);
    }
    print_hex_key(jw, "appSKey", &session->keys.app_s_key);
}

static void print_counters(struct jw *jw, const struct session *session)
{
    jw_key_uint(jw, "fCntUp", session->fcnt_up_next);
    if (session->flags & SESSION_1_1) {
        jw_key_uint(jw, "nFCntDown", session->n_fcnt_down);
        jw_key_uint(jw, "aFCntDown", session->a_fcnt_down);
    } else {
        jw_key_uint(jw, "fCntDown", session->n_fcnt_down);
    }
}

static void print_radio(struct jw *jw, const struct session *session)
{
    jw_key_uint(jw, "dr", session->dr);
    jw_key_uint(jw, "txPower", session->tx_power);
    jw_key_uint(jw, "nbTrans", session->nb_trans);
    jw_key_uint(jw, "rx1Delay", session->rx1_delay);
    jw_key_uint(jw, "rx1DrOffset", session->rx1_dr_offset);
    jw_key_uint(jw, "rx2Dr", session->rx2_dr);
    jw_key_uint(jw, "rx2Frequency", session->rx2_hz);
    jw_key(jw, "enabledUplinkChannels");
    jw_array(jw);
    for (unsigned i = 0; i < CHMASK_CHANNELS; i++) {
        if (chmask_test(&session->enabled, i))
            jw_uint(jw, i);
    }
    jw_end_array(jw);
    jw_key_str(jw, "class", "A");
    jw_key(jw, "pendingMacCommands");
    jw_array(jw);
    if (session->pending_mac_n)
        jw_hex(jw, session->pending_mac, session->pending_mac_n);
    jw_end_array(jw);
}

static void print_activation(struct call *call, const struct device_view *view,
                             const struct session *session)
{
    struct jw *jw = &call->out;
    char addr[LW_DEV_ADDR_TEXT];

    jw_object(jw);
    jw_key_str(jw, "devAddr", lw_dev_addr_text(addr, session->dev_addr));
    if (auth_may(&call->who, &view->application->tenant_id, SCOPE_KEYS_READ))
        print_keys(jw, session);
    print_counters(jw, session);
    print_radio(jw, session);
    jw_end_object(jw);
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void audit_session(struct call *call, const struct device_view *view, const char *action)
{
    struct record_key key = record_key_eui(view->device->dev_eui);
    struct audit audit = {.action = action,
                          .type = "device",
                          .id = call_key_text(call, REC_DEVICE, &key),
                          .tenant = &view->application->tenant_id};

    call_audit(call, &audit);
}

/* The session, active or else pending; the question lives until freed. */
static int ask_state(struct call *call, const struct device_view *view, struct ns_call **question)
{
    const char *none = "the device has no session";
    enum err err;

    *question = ns_call_new(ACT_STATE, view->device->dev_eui);
    err = call_ask(call, *question);
    if (!err && ((*question)->has_session || (*question)->has_pending))
        return 0;
    if ((*question)->unreadable)
        none = "the session cannot be read: see the device's diagnosis";
    ns_call_free(*question);
    return err && err != ERR_NOT_FOUND ? call_err(call, err) : call_fail(call, 404, "%s", none);
}

int activation_get(struct call *call)
{
    struct device_view view;
    struct ns_call *question;
    enum err err = OK;
    int status = call_device(call, &view);

    if (!status)
        status = ask_state(call, &view, &question);
    if (status)
        return status;
    if (auth_may(&call->who, &view.application->tenant_id, SCOPE_KEYS_READ)) {
        audit_session(call, &view, "read-session-keys");
        err = call_save(call);
    }
    if (!err)
        print_activation(call, &view, &question->session);
    ns_call_free(question);
    return call_err(call, err);
}

static void check_members(struct call *call, uint64_t present, bool v11)
{
    uint64_t need = v11 ? NEED_11 : NEED_10, may = v11 ? MAY_11 : MAY_10;

    for (unsigned i = 0; i < A_COUNT; i++) {
        if (need & BIT(i) && !(present & BIT(i)))
            field_error_add(&call->errors, activation_fields[i].name, 0, "is missing");
        if (present & BIT(i) && !(may & BIT(i)))
            field_error_add(&call->errors, activation_fields[i].name, 0,
                            "does not belong to the profile's macVersion");
    }
}

static void take_activation(struct session *session, const struct activation *given, bool v11)
{
    session->dev_addr = given->dev_addr;
    session->keys.f_nwk_s_int = v11 ? given->f_nwk_s_int : given->nwk_s_key;
    session->keys.s_nwk_s_int = v11 ? given->s_nwk_s_int : given->nwk_s_key;
    session->keys.nwk_s_enc = v11 ? given->nwk_s_enc : given->nwk_s_key;
    session->keys.app_s_key = given->app_s_key;
    session->fcnt_up_next = given->fcnt_up;
    session->n_fcnt_down = v11 ? given->n_fcnt_down : given->fcnt_down;
    session->a_fcnt_down = v11 ? given->a_fcnt_down : 0;
    session->flags = v11 ? SESSION_1_1 : 0;
}

static int activate(struct call *call, const struct device_view *view,
                    const struct activation *given)
{
    struct ns_call *question = ns_call_new(ACT_ACTIVATE, view->device->dev_eui);
    enum err err;

    take_activation(&question->session, given, view->profile->version >= LW_1_1_0);
    err = call_ask(call, question);
    ns_call_free(question);
    return err ? call_err(call, err) : 0;
}

/* The audit entry comes before: what cannot be written down is not done. */
int activation_put(struct call *call)
{
    struct device_view view;
    struct activation given = {0};
    struct ns_call *question;
    uint64_t present = 0;
    enum err err;
    int status = call_device(call, &view);

    if (!status)
        status = call_read(call, activation_fields, &given, FIELD_CREATE, &present);
    if (status)
        return status;
    check_members(call, present, view.profile->version >= LW_1_1_0);
    status = call_checked(call);
    if (status)
        return status;
    audit_session(call, &view, "activate");
    err = call_save(call);
    status = err ? call_err(call, err) : activate(call, &view, &given);
    explicit_bzero(&given, sizeof(given));
    if (!status)
        status = ask_state(call, &view, &question);
    if (status)
        return status;
    print_activation(call, &view, &question->session);
    ns_call_free(question);
    return 200;
}

int activation_delete(struct call *call)
{
    struct device_view view;
    struct ns_call *question;
    enum err err;
    int status = call_device(call, &view);

    if (status)
        return status;
    audit_session(call, &view, "deactivate");
    err = call_save(call);
    if (err)
        return call_err(call, err);
    question = ns_call_new(ACT_DEACTIVATE, view.device->dev_eui);
    err = call_ask(call, question);
    ns_call_free(question);
    return err ? call_err(call, err) : 204;
}

/* ---- ADR ------------------------------------------------------------------------------------- */

static void print_adr_set(struct jw *jw, const char *name, const uint8_t set[3])
{
    jw_key(jw, name);
    jw_object(jw);
    jw_key_uint(jw, "dr", set[0]);
    jw_key_uint(jw, "txPower", set[1]);
    jw_key_uint(jw, "nbTrans", set[2]);
    jw_end_object(jw);
}

static void print_adr(struct jw *jw, const struct session *session,
                      const struct device_profile *profile)
{
    const uint8_t now[] = {session->dr, session->tx_power, session->nb_trans};
    const uint8_t want[] = {session->want_dr, session->want_tx_power, session->want_nb_trans};

    jw_object(jw);
    jw_key_str(jw, "algorithm", profile->adr.algorithm);
    jw_key_bool(jw, "shadow", profile->adr.shadow);
    jw_key_bool(jw, "deviceAdr", session->flags & SESSION_ADR);
    print_adr_set(jw, "current", now);
    print_adr_set(jw, "desired", want);
    jw_key_uint(jw, "refusals", session->adr_nacks);
    jw_key(jw, "history");
    jw_array(jw);
    for (unsigned i = 0; i < session->adr_count; i++) {
        const struct adr_sample *sample =
            &session->adr[(session->adr_at + 2 * ADR_HISTORY - 1 - i) % ADR_HISTORY];

        jw_object(jw);
        jw_key_uint(jw, "fCnt", sample->fcnt);
        jw_key(jw, "snr");
        jw_double(jw, sample->snr_q / 4.0);
        jw_key_uint(jw, "txPower", sample->tx_power);
        jw_end_object(jw);
    }
    jw_end_array(jw);
    jw_end_object(jw);
}

int adr_get(struct call *call)
{
    struct device_view view;
    struct ns_call *question;
    int status = call_device(call, &view);

    if (!status)
        status = ask_state(call, &view, &question);
    if (status)
        return status;
    print_adr(&call->out, &question->session, view.profile);
    ns_call_free(question);
    return 200;
}
