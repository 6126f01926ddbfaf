/*
 * What the join server makes of root keys: against every JoinAns and RejoinAns of
 * tests/vectors/backend-interfaces.json, and its refusals.
 */
#include "js/material.h"
#include "tests/stack.h"
#include "tests/vectors.h"

#include <openssl/crypto.h>

/* ---- vectors --------------------------------------------------------------------------------- */

static struct json_object *device_by_eui(struct json_object *all, const char *dev_eui)
{
    json_object_object_foreach(vec(all, "devices"), name, device)
    {
        (void)name;
        if (!strcmp(vec_str(device, "DevEUI"), dev_eui))
            return device;
    }
    ck_abort_msg("no device %s", dev_eui);
}

/* The session with that DevAddr: the device's first one or one of those named in it. */
static struct json_object *session_by_addr(struct json_object *device, const char *dev_addr)
{
    if (!strcmp(vec_str(device, "DevAddr"), dev_addr))
        return device;
    json_object_object_foreach(device, name, session)
    {
        (void)name;
        if (json_object_is_type(session, json_type_object) &&
            !strcmp(vec_str(session, "DevAddr"), dev_addr))
            return session;
    }
    ck_abort_msg("no session %s", dev_addr);
}

static struct device_keys root_of(struct json_object *device)
{
    struct device_keys root = {.app_key = vec_key(device, "AppKey"), .has_app_key = true};

    root.has_nwk_key = vec_has(device, "NwkKey");
    if (root.has_nwk_key)
        root.nwk_key = vec_key(device, "NwkKey");
    return root;
}

static struct js_asked asked_of(struct json_object *request, struct json_object *session,
                                const struct lw_frame *frame)
{
    bool rejoin = frame->ftype == LW_REJOIN_REQUEST;
    uint8_t version = strcmp(vec_str(request, "MACVersion"), "1.1") ? LW_1_0_3 : LW_1_1_0;

    return (struct js_asked){.request = rejoin ? frame->rejoin.type : LW_REQUEST_JOIN,
                             .device_version = version,
                             .version = version,
                             .join_eui = {vec_u64(request, "ReceiverID")},
                             .dev_eui = {vec_u64(request, "DevEUI")},
                             .nonce = rejoin ? frame->rejoin.rj_count : frame->join.dev_nonce,
                             .join_nonce = (uint32_t)vec_int(session, "JoinNonce")};
}

static struct js_terms terms_of(struct json_object *request)
{
    uint8_t settings = (uint8_t)vec_u64(request, "DLSettings"), room[512];
    struct js_terms terms = {.net_id = {(uint32_t)vec_u64(request, "SenderID")},
                             .dev_addr = {(uint32_t)vec_u64(request, "DevAddr")},
                             .rx1_dr_offset = settings >> 4 & 7,
                             .rx2_dr = settings & 15,
                             .rx_delay = (uint8_t)vec_int(request, "RxDelay")};
    struct bytes cflist = vec_hex(request, "CFList", room);

    terms.has_cflist = cflist.n == sizeof(terms.cflist);
    if (terms.has_cflist)
        memcpy(terms.cflist, cflist.p, cflist.n);
    return terms;
}

static struct js_kek kek_of(struct json_object *all, const char *label)
{
    struct js_kek kek = {.label = label};
    uint8_t room[512];

    ck_assert_int_eq(lw_kek_read(vec_hex(vec(vec(all, "parties"), "keks"), label, room), &kek.kek),
                     OK);
    return kek;
}

static void expect_envelope(struct json_object *answer, const char *name,
                            const struct js_envelope *envelope, const char *id)
{
    struct json_object *expected = vec(answer, name);

    ck_assert_msg((expected != NULL) == (envelope->n != 0), "%s: %s", id, name);
    if (!expected)
        return;
    ck_assert_str_eq(vec_str(expected, "KEKLabel"), envelope->label);
    vec_expect(expected, "AESKey", (struct bytes){envelope->octets, envelope->n}, id);
}

static void expect_answer(struct json_object *all, struct json_object *message)
{
    const char *id = vec_str(message, "id");
    struct json_object *request = vec(message, "request"), *answer = vec(message, "answer");
    struct json_object *device = device_by_eui(all, vec_str(request, "DevEUI"));
    struct json_object *session = session_by_addr(device, vec_str(request, "DevAddr"));
    struct device_keys root = root_of(device);
    struct js_kek network = kek_of(all, "ns-60000a"), application = kek_of(all, "as-demo");
    bool in_clear = !strcmp(vec_str(vec(answer, "SNwkSIntKey"), "KEKLabel"), "") &&
                    vec_has(answer, "SNwkSIntKey"); /* V30 */
    struct js_terms terms = terms_of(request);
    struct js_envelopes envelopes, none = {.nwk_s_key = {.n = 0}};
    struct js_material material;
    struct js_asked asked;
    struct lw_frame frame;
    uint8_t room[512];

    ck_assert_int_eq(lw_uplink_read(vec_hex(request, "PHYPayload", room), &frame), DROP_NONE);
    asked = asked_of(request, session, &frame);
    ck_assert_int_eq(js_mic_check(&root, asked.device_version, NULL, &frame), DROP_NONE);
    ck_assert_int_eq(js_material_make(&root, &asked, &terms, &material), DROP_NONE);
    vec_expect(answer, "PHYPayload", (struct bytes){material.accept, material.accept_n}, id);
    js_envelopes_of(asked.version, &material.keys, in_clear ? NULL : &network, &application,
                    &envelopes);
    expect_envelope(answer, "NwkSKey", &envelopes.nwk_s_key, id);
    expect_envelope(answer, "FNwkSIntKey", &envelopes.f_nwk_s_int, id);
    expect_envelope(answer, "SNwkSIntKey", &envelopes.s_nwk_s_int, id);
    expect_envelope(answer, "NwkSEncKey", &envelopes.nwk_s_enc, id);
    if (!vec_has(answer, "AppSKey")) /* the application asks for it by its id */
        envelopes.app_s_key.n = 0;
    expect_envelope(answer, "AppSKey", &envelopes.app_s_key, id);
    ck_assert(vec_has(answer, "AppSKey") || vec_has(answer, "SessionKeyID"));
    js_envelopes_wipe(&envelopes);
    ck_assert(!memcmp(&envelopes, &none, sizeof(none)));
}

static bool is_for_join_server(struct json_object *message)
{
    struct json_object *answer = vec(message, "answer");
    const char *type = vec_str(vec(message, "request"), "MessageType");

    return (!strcmp(type, "JoinReq") || !strcmp(type, "RejoinReq")) &&
           vec_has(answer, "PHYPayload");
}

START_TEST(answers_of_a_join_server)
{
    struct json_object *all = vec_load("backend-interfaces.json"), *messages = vec(all, "messages");
    unsigned seen = 0;

    for (size_t i = 0; i < vec_count(messages); i++) {
        if (is_for_join_server(vec_at(messages, i))) {
            expect_answer(all, vec_at(messages, i));
            seen++;
        }
    }
    ck_assert_uint_eq(seen, 4); /* V01 (1.0.3), V04 (1.1), V22 (rejoin 0), V30 (rejoin 1) */
    json_object_put(all);
}
END_TEST

/* A request with a wrong MIC is V02. */
START_TEST(a_wrong_mic)
{
    struct json_object *all = vec_load("backend-interfaces.json"), *messages = vec(all, "messages");
    struct json_object *request = vec(vec_at(messages, 1), "request");
    struct device_keys root = root_of(device_by_eui(all, vec_str(request, "DevEUI")));
    struct lw_frame frame;
    uint8_t room[512];

    ck_assert_str_eq(vec_str(vec_at(messages, 1), "id"), "V02");
    ck_assert_int_eq(lw_uplink_read(vec_hex(request, "PHYPayload", room), &frame), DROP_NONE);
    ck_assert_int_eq(js_mic_check(&root, LW_1_0_3, NULL, &frame), DROP_JOIN_MIC);
    json_object_put(all);
}
END_TEST

/* ---- as a device sees it --------------------------------------------------------------------- */

static struct device_keys both_roots(void)
{
    return (struct device_keys){
        .app_key = {{1}}, .nwk_key = {{2}}, .has_app_key = true, .has_nwk_key = true};
}

static const struct js_asked a_join = {.request = LW_REQUEST_JOIN,
                                       .device_version = LW_1_1_0,
                                       .version = LW_1_1_0,
                                       .join_eui = {0x1122334455667788},
                                       .dev_eui = {0x70b3d57ed0000001},
                                       .nonce = 77,
                                       .join_nonce = 5};
static const struct js_terms some_terms = {
    .net_id = {0x60000a}, .dev_addr = {0xe0140b0b}, .rx1_dr_offset = 1, .rx2_dr = 3, .rx_delay = 5};

/* Every request is answered so that the device, with its own keys, reads what was granted. */
START_TEST(the_device_reads_each_answer)
{
    static const uint8_t requests[] = {LW_REQUEST_JOIN, 0, 1, 2};
    struct device_keys root = both_roots();
    struct lw_key js_int, js_enc;

    lw_js_int_key(&root.nwk_key, a_join.dev_eui, &js_int);
    lw_js_enc_key(&root.nwk_key, a_join.dev_eui, &js_enc);
    for (size_t i = 0; i < sizeof(requests); i++) {
        struct js_asked asked = a_join;
        struct lw_join_context context = {.mic = &js_int,
                                          .enc = requests[i] == LW_REQUEST_JOIN ? &root.nwk_key
                                                                                : &js_enc,
                                          .request = requests[i],
                                          .join_eui = a_join.join_eui,
                                          .nonce = a_join.nonce};
        struct js_material material;
        struct lw_join_accept accept;

        asked.request = requests[i];
        ck_assert_int_eq(js_material_make(&root, &asked, &some_terms, &material), DROP_NONE);
        ck_assert_int_eq(lw_join_accept_read((struct bytes){material.accept, material.accept_n},
                                             &context, &accept),
                         OK);
        ck_assert(accept.opt_neg && !accept.has_cflist);
        ck_assert_uint_eq(accept.join_nonce, 5);
        ck_assert_uint_eq(accept.dev_addr.v, 0xe0140b0b);
        ck_assert_uint_eq(accept.net_id.v, 0x60000a);
        ck_assert_uint_eq(accept.rx1_dr_offset, 1);
        ck_assert_uint_eq(accept.rx2_dr, 3);
        ck_assert_uint_eq(accept.rx_delay, 5);
    }
}
END_TEST

/* A network of 1.0.x gives a 1.1 device a session of 1.0: all from NwkKey, OptNeg 0. */
START_TEST(the_lower_version_counts)
{
    struct device_keys root = both_roots();
    struct js_asked asked = a_join;
    struct lw_join_context context = {
        .mic = &root.nwk_key, .enc = &root.nwk_key, .request = LW_REQUEST_JOIN};
    struct lw_join_values values = {5, some_terms.net_id, a_join.join_eui, a_join.nonce};
    struct js_material material;
    struct lw_session_keys keys;
    struct lw_join_accept accept;

    asked.version = LW_1_0_4;
    root.has_app_key = false; /* is not needed for it */
    ck_assert_int_eq(js_material_make(&root, &asked, &some_terms, &material), DROP_NONE);
    ck_assert_int_eq(
        lw_join_accept_read((struct bytes){material.accept, material.accept_n}, &context, &accept),
        OK);
    ck_assert(!accept.opt_neg);
    lw_keys_10(&root.nwk_key, &values, &keys);
    ck_assert(!memcmp(&keys, &material.keys, sizeof(keys)));

    asked.version = LW_1_1_0;
    asked.device_version = LW_1_0_3; /* and the other way round */
    ck_assert_int_eq(js_material_make(&root, &asked, &some_terms, &material), DROP_NO_KEYS);
    root = both_roots();
    ck_assert_int_eq(js_material_make(&root, &asked, &some_terms, &material), DROP_NONE);
    lw_keys_10(&root.app_key, &values, &keys);
    ck_assert(!memcmp(&keys, &material.keys, sizeof(keys)));
    context.mic = context.enc = &root.app_key;
    ck_assert_int_eq(
        lw_join_accept_read((struct bytes){material.accept, material.accept_n}, &context, &accept),
        OK);
    ck_assert(!accept.opt_neg);
}
END_TEST

START_TEST(what_is_not_made)
{
    const struct device_keys roots = both_roots(), nothing = {.has_app_key = false};
    struct device_keys no_app_key = roots;
    struct js_terms terms = some_terms;
    struct js_asked asked = a_join;
    struct js_material material;

    ck_assert_int_eq(js_material_make(&nothing, &asked, &terms, &material), DROP_NO_KEYS);
    no_app_key.has_app_key = false;
    ck_assert_int_eq(js_material_make(&no_app_key, &asked, &terms, &material), DROP_NO_KEYS);
    asked.request = 2;
    terms.has_cflist = true;
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_REJOIN);
    asked.request = 0; /* may bring new channels */
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_NONE);
    asked.request = 3;
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_REJOIN);
    asked.request = 0;
    asked.version = LW_1_0_4;
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_REJOIN);
    asked = a_join;
    terms.rx2_dr = 16;
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_INTERNAL_ERROR);
    terms = some_terms;
    terms.net_id.v = 0x1000000;
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_INTERNAL_ERROR);
    terms = some_terms;
    asked.join_nonce = 0xffffff;
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_NONE);
    asked.join_nonce++; /* would begin again at 0 */
    ck_assert_int_eq(js_material_make(&roots, &asked, &terms, &material), DROP_INTERNAL_ERROR);
    ck_assert_uint_eq(material.accept_n, 0);
    ck_assert(lw_key_is_zero(&material.keys.app_s_key));
}
END_TEST

static struct lw_frame signed_rejoin(uint8_t type, const struct lw_key *key, uint8_t *room)
{
    struct wr wr = wr_of(room, 32);
    struct lw_rejoin rejoin = {.type = type,
                               .net_id = {0x60000a},
                               .join_eui = a_join.join_eui,
                               .dev_eui = a_join.dev_eui,
                               .rj_count = 3};
    struct lw_frame frame;

    ck_assert_int_eq(lw_rejoin_write(&wr, &rejoin, key), OK);
    ck_assert_int_eq(lw_uplink_read(wr_bytes(&wr), &frame), DROP_NONE);
    return frame;
}

START_TEST(who_signs_a_rejoin)
{
    struct device_keys root = both_roots();
    const struct lw_key session = {{9}}, other = {{8}};
    struct lw_key js_int;
    struct lw_frame frame;
    uint8_t room[32];

    lw_js_int_key(&root.nwk_key, a_join.dev_eui, &js_int);
    for (uint8_t type = 0; type <= 2; type += 2) {
        frame = signed_rejoin(type, &session, room);
        ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, &session, &frame), DROP_NONE);
        ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, &other, &frame), DROP_JOIN_MIC);
        ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, NULL, &frame), DROP_NONE);
    }
    frame = signed_rejoin(1, &js_int, room);
    ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, &session, &frame), DROP_NONE);
    frame = signed_rejoin(1, &session, room);
    ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, &session, &frame), DROP_JOIN_MIC);
    ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, NULL, &frame), DROP_JOIN_MIC);
    root.has_nwk_key = false;
    ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, &session, &frame), DROP_NO_KEYS);
    frame = signed_rejoin(2, &session, room); /* needs none of the root keys */
    ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, &session, &frame), DROP_NONE);
}
END_TEST

static void *answer_a_rejoin(void *to)
{
    struct device_keys root = both_roots();
    struct js_asked asked = a_join;

    asked.request = 0;
    if (js_material_make(&root, &asked, &some_terms, to) == DROP_NONE)
        OPENSSL_cleanse(&root, sizeof(root));
    return NULL;
}

START_TEST(keys_of_an_answer_are_left_nowhere)
{
    struct device_keys root = both_roots();
    struct js_material material;
    struct lw_key js_int, js_enc;

    lw_js_int_key(&root.nwk_key, a_join.dev_eui, &js_int);
    lw_js_enc_key(&root.nwk_key, a_join.dev_eui, &js_enc);
    ck_assert(!stack_keeps(answer_a_rejoin, &material, &js_int, sizeof(js_int)));
    ck_assert(!stack_keeps(answer_a_rejoin, &material, &js_enc, sizeof(js_enc)));
    ck_assert(!stack_keeps(answer_a_rejoin, &material, &material.keys.s_nwk_s_int, 16));
    ck_assert_uint_gt(material.accept_n, 0);
}
END_TEST

START_TEST(who_signs_a_join)
{
    struct device_keys root = both_roots();
    struct lw_join_request join = {a_join.join_eui, a_join.dev_eui, 1};
    struct lw_frame frame;
    uint8_t room[32];
    struct wr wr = wr_of(room, sizeof(room));

    ck_assert_int_eq(lw_join_request_write(&wr, &join, &root.nwk_key), OK);
    ck_assert_int_eq(lw_uplink_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, NULL, &frame), DROP_NONE);
    ck_assert_int_eq(js_mic_check(&root, LW_1_0_4, NULL, &frame), DROP_JOIN_MIC);
    root.has_app_key = root.has_nwk_key = false;
    ck_assert_int_eq(js_mic_check(&root, LW_1_1_0, NULL, &frame), DROP_NO_KEYS);
    ck_assert_int_eq(js_mic_check(&root, LW_1_0_4, NULL, &frame), DROP_NO_KEYS);
}
END_TEST

START_TEST(keys_in_clear)
{
    const struct lw_session_keys keys = {{{1}}, {{2}}, {{3}}, {{4}}};
    struct js_envelopes envelopes;

    js_envelopes_of(LW_1_0_4, &keys, NULL, NULL, &envelopes);
    ck_assert_mem_eq(envelopes.nwk_s_key.octets, keys.f_nwk_s_int.b, 16);
    ck_assert(!envelopes.f_nwk_s_int.n && !envelopes.s_nwk_s_int.n && !envelopes.nwk_s_enc.n);
    js_envelopes_of(LW_1_1_0, &keys, NULL, NULL, &envelopes);
    ck_assert_uint_eq(envelopes.app_s_key.n, 16);
    ck_assert_str_eq(envelopes.app_s_key.label, "");
    ck_assert_mem_eq(envelopes.app_s_key.octets, keys.app_s_key.b, 16);
    ck_assert_mem_eq(envelopes.s_nwk_s_int.octets, keys.s_nwk_s_int.b, 16);
    ck_assert_uint_eq(envelopes.nwk_s_key.n, 0);
}
END_TEST

START_TEST(session_key_ids_sort_by_time)
{
    static const uint8_t random[JS_SESSION_KEY_RANDOM] = {0xd5, 0xe6, 0xf7, 0x08, 0x19,
                                                          0x2a, 0x3b, 0x4c, 0x5d, 0x5e};
    static const uint8_t expected[] = {0x01, 0x94, 0xf1, 0xc2, 0xa3, 0xb4};
    uint8_t id[JS_SESSION_KEY_ID_LEN], later[JS_SESSION_KEY_ID_LEN];

    js_session_key_id(INT64_C(0x0194f1c2a3b4), random, id);
    ck_assert_mem_eq(id, expected, sizeof(expected));
    ck_assert_mem_eq(id + 6, random, sizeof(random));
    js_session_key_id(INT64_C(0x0194f1c2a3b5), (const uint8_t[JS_SESSION_KEY_RANDOM]){0}, later);
    ck_assert_int_lt(memcmp(id, later, sizeof(id)), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {answers_of_a_join_server,
                                  a_wrong_mic,
                                  the_device_reads_each_answer,
                                  the_lower_version_counts,
                                  what_is_not_made,
                                  who_signs_a_rejoin,
                                  keys_of_an_answer_are_left_nowhere,
                                  who_signs_a_join,
                                  keys_in_clear,
                                  session_key_ids_sort_by_time,
                                  NULL};

    return run_suite(suite_of("js_material", tests));
}
