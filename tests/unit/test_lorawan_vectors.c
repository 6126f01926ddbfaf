/* The groups of tests/vectors/mac.json on keys, frames and counters; and that each group of the
 * file has a test that reads it. */
#include "lorawan/crypto.h"
#include "lorawan/fcnt.h"
#include "lorawan/frame.h"
#include "lorawan/keys.h"
#include "lorawan/multicast.h"
#include "lorawan/netid.h"
#include "tests/vector_groups.h"

/* ---- primitives and keys --------------------------------------------------------------------- */

static void check_aes(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key key = vec_key(in, "key");
    uint8_t plain[512], cipher[LW_BLOCK], back[LW_BLOCK];

    vec_hex(in, "plaintext", plain);
    lw_aes_encrypt(&key, plain, cipher);
    vec_expect(ex, "ciphertext", (struct bytes){cipher, LW_BLOCK}, id);
    lw_aes_decrypt(&key, cipher, back);
    ck_assert_mem_eq(back, plain, LW_BLOCK);
}

static void check_cmac(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key key = vec_key(in, "key");
    uint8_t room[512], mac[LW_BLOCK];
    struct bytes message = vec_hex(in, "message", room);

    /* cut at every place: parts must not matter */
    for (size_t cut = 0; cut <= message.n; cut++) {
        struct bytes parts[3] = {{message.p, cut}, {NULL, 0}, {message.p + cut, message.n - cut}};

        lw_cmac(&key, parts, 3, mac);
        vec_expect(ex, "mac", (struct bytes){mac, LW_BLOCK}, id);
    }
}

static void check_js_keys(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key nwk_key = vec_key(in, "NwkKey"), key;
    struct lw_eui dev_eui = {vec_u64(in, "DevEUI")};

    lw_js_int_key(&nwk_key, dev_eui, &key);
    vec_expect_key(ex, "JSIntKey", &key, id);
    lw_js_enc_key(&nwk_key, dev_eui, &key);
    vec_expect_key(ex, "JSEncKey", &key, id);
}

static void check_kdf_10(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key root = vec_key(in, vec_has(in, "AppKey") ? "AppKey" : "NwkKey");
    struct lw_join_values values = {
        .join_nonce = (uint32_t)vec_int(in, vec_has(in, "AppNonce") ? "AppNonce" : "JoinNonce"),
        .net_id = {(uint32_t)vec_u64(in, "NetID")},
        .dev_nonce = (uint16_t)vec_int(in, "DevNonce"),
    };
    struct lw_session_keys keys;

    lw_keys_10(&root, &values, &keys);
    vec_expect_key(ex, "NwkSKey", &keys.f_nwk_s_int, id);
    vec_expect_key(ex, "AppSKey", &keys.app_s_key, id);
    ck_assert_mem_eq(&keys.s_nwk_s_int, &keys.f_nwk_s_int, sizeof(struct lw_key));
    ck_assert_mem_eq(&keys.nwk_s_enc, &keys.f_nwk_s_int, sizeof(struct lw_key));
    lw_session_keys_wipe(&keys);
    ck_assert(lw_key_is_zero(&keys.app_s_key));
}

static void check_kdf_11(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key nwk_key = vec_key(in, "NwkKey"), app_key = vec_key(in, "AppKey");
    struct lw_join_values values = {
        .join_nonce = (uint32_t)vec_int(in, "JoinNonce"),
        .join_eui = {vec_u64(in, "JoinEUI")},
        .dev_nonce = (uint16_t)vec_int(in, "DevNonce"),
    };
    struct lw_session_keys keys;

    lw_keys_11(&nwk_key, &app_key, &values, &keys);
    vec_expect_key(ex, "FNwkSIntKey", &keys.f_nwk_s_int, id);
    vec_expect_key(ex, "SNwkSIntKey", &keys.s_nwk_s_int, id);
    vec_expect_key(ex, "NwkSEncKey", &keys.nwk_s_enc, id);
    vec_expect_key(ex, "AppSKey", &keys.app_s_key, id);
}

static void check_relay_kdf(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key from = vec_key(in, "NwkSEncKey_or_NwkSKey"), key;

    lw_root_wor_s_key(&from, &key);
    vec_expect_key(ex, "RootWorSKey", &key, id);
}

/* ---- joins ----------------------------------------------------------------------------------- */

static void check_join_request(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key key = vec_key(in, vec_has(in, "AppKey") ? "AppKey" : "NwkKey");
    struct json_object *from = vec_has(in, "DevEUI") ? in : ex;
    struct lw_join_request join = {
        {vec_u64(from, "JoinEUI")}, {vec_u64(from, "DevEUI")}, (uint16_t)vec_int(from, "DevNonce")};
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;

    ck_assert_int_eq(lw_join_request_write(&wr, &join, &key), OK);
    vec_expect(vec_has(ex, "phy") ? ex : in, "phy", wr_bytes(&wr), id);
    ck_assert_int_eq(lw_uplink_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert_int_eq(frame.ftype, LW_JOIN_REQUEST);
    ck_assert(frame.join.join_eui.v == join.join_eui.v);
    ck_assert(frame.join.dev_eui.v == join.dev_eui.v);
    ck_assert_uint_eq(frame.join.dev_nonce, join.dev_nonce);
    ck_assert_uint_eq(lw_mic_plain(&key, frame.msg), frame.mic);
    vec_expect_mic(ex, "mic", frame.mic, id);
}

static struct lw_join_accept accept_of(struct json_object *in)
{
    uint8_t settings = (uint8_t)vec_u64(in, "DLSettings");
    uint8_t room[512];
    struct bytes cflist = vec_hex(in, "CFList", room);
    struct lw_join_accept accept = {
        .join_nonce = (uint32_t)vec_int(in, "JoinNonce"),
        .net_id = {(uint32_t)vec_u64(in, "NetID")},
        .dev_addr = {(uint32_t)vec_u64(in, "DevAddr")},
        .opt_neg = settings >> 7,
        .rx1_dr_offset = settings >> 4 & 7,
        .rx2_dr = settings & 15,
        .rx_delay = (uint8_t)vec_int(in, "RxDelay"),
        .has_cflist = cflist.n > 0,
    };

    if (cflist.n)
        memcpy(accept.cflist, cflist.p, sizeof(accept.cflist));
    return accept;
}

static void check_join_accept(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key mic = vec_key(in, "mic_key"), enc = vec_key(in, "enc_key");
    struct lw_join_accept accept = accept_of(in), back;
    struct lw_join_context context = {.mic = &mic, .enc = &enc, .request = LW_REQUEST_JOIN};
    uint8_t room[LW_JOIN_ACCEPT_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;

    if (vec_has(in, "JoinReqType")) {
        context.request = (uint8_t)vec_u64(in, "JoinReqType");
        context.join_eui.v = vec_u64(in, "JoinEUI");
        context.nonce = (uint16_t)vec_int(in, "DevNonce_or_RJcount");
    }
    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), OK);
    vec_expect(ex, "phy", wr_bytes(&wr), id);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert_int_eq(frame.direction, LW_DOWN);
    ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), OK);
    ck_assert_uint_eq(back.join_nonce, accept.join_nonce);
    ck_assert_uint_eq(back.net_id.v, accept.net_id.v);
    ck_assert_uint_eq(back.dev_addr.v, accept.dev_addr.v);
    ck_assert_uint_eq(back.rx2_dr, accept.rx2_dr);
    ck_assert_uint_eq(back.rx1_dr_offset, accept.rx1_dr_offset);
    ck_assert_uint_eq(back.rx_delay, accept.rx_delay);
    ck_assert(back.opt_neg == accept.opt_neg && back.has_cflist == accept.has_cflist);
    ck_assert_mem_eq(back.cflist, accept.cflist, sizeof(back.cflist));
    room[5] ^= 1;
    ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), ERR_CRYPTO);
}

static void check_join_accept_crypt(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key key = vec_key(in, "key");
    uint8_t room[512];
    struct bytes plain = vec_hex(in, "plain", room);

    lw_aes_decrypt_blocks(&key, room, room, plain.n / LW_BLOCK);
    vec_expect(ex, "encrypted", plain, id);
}

static void check_rejoin(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_rejoin rejoin = {
        .type = (uint8_t)vec_int(in, "type"),
        .net_id = {(uint32_t)vec_u64(in, "NetID")},
        .join_eui = {vec_u64(in, "JoinEUI")},
        .dev_eui = {vec_u64(in, "DevEUI")},
        .rj_count = (uint16_t)vec_int(in, "RJcount"),
    };
    struct lw_key key = vec_key(in, rejoin.type == 1 ? "JSIntKey" : "SNwkSIntKey");
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;

    ck_assert_int_eq(lw_rejoin_write(&wr, &rejoin, &key), OK);
    vec_expect(ex, "phy", wr_bytes(&wr), id);
    ck_assert_int_eq(lw_uplink_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert_int_eq(frame.ftype, LW_REJOIN_REQUEST);
    ck_assert_uint_eq(frame.rejoin.type, rejoin.type);
    ck_assert_uint_eq(frame.rejoin.net_id.v, rejoin.net_id.v);
    ck_assert(frame.rejoin.join_eui.v == rejoin.join_eui.v);
    ck_assert(frame.rejoin.dev_eui.v == rejoin.dev_eui.v);
    ck_assert_uint_eq(frame.rejoin.rj_count, rejoin.rj_count);
    vec_expect_mic(ex, "mic", frame.mic, id);
}

/* ---- data frames ----------------------------------------------------------------------------- */

struct data_keys {
    struct lw_key f, s, enc, app;
};

static struct lw_key key_or(struct json_object *keys, const char *name, struct lw_key other)
{
    return vec_has(keys, name) ? vec_key(keys, name) : other;
}

static struct data_keys data_keys_of(struct json_object *keys)
{
    struct lw_key none = {{0}};
    struct lw_key nwk = key_or(keys, "NwkSKey", none);

    return (struct data_keys){key_or(keys, "FNwkSIntKey", nwk), key_or(keys, "SNwkSIntKey", nwk),
                              key_or(keys, "NwkSEncKey", nwk), key_or(keys, "AppSKey", none)};
}

/* A vector with the frame's parts: written it must be the frame, read and decrypted the parts. */
static void check_data_built(struct json_object *in, struct json_object *ex, const char *id,
                             bool v11)
{
    struct data_keys keys = data_keys_of(vec(in, "keys"));
    uint8_t fopts_room[512], payload_room[512], room[LW_PHY_MAX], plain[LW_FRM_MAX];
    struct lw_data data = {
        .dev_addr = {(uint32_t)vec_u64(in, "DevAddr")},
        .fctrl = (uint8_t)vec_u64(in, "FCtrl_without_len"),
        .port = vec(in, "FPort") ? (int)vec_int(in, "FPort") : LW_PORT_NONE,
        .fopts = vec_hex(in, "FOpts_plain", fopts_room),
        .payload = vec_hex(in, "FRMPayload_plain", payload_room),
    };
    struct lw_seal seal = {.v11 = v11,
                           .fopts = v11 ? LW_FOPTS_1_1 : LW_FOPTS_PLAIN,
                           .tx_dr = (uint8_t)vec_int(in, "TxDR"),
                           .tx_ch = (uint8_t)vec_int(in, "TxCh"),
                           .conf_fcnt = (uint16_t)vec_int(in, "ConfFCnt"),
                           .fcnt = (uint32_t)vec_int(in, "FCnt32"),
                           .f_nwk_s_int = &keys.f,
                           .s_nwk_s_int = &keys.s,
                           .nwk_s_enc = &keys.enc,
                           .app_s_key = &keys.app};
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;
    struct lw_crypt which;

    ck_assert_int_eq(lw_data_write(&wr, (enum lw_ftype)vec_int(in, "mtype"), &data, &seal), OK);
    vec_expect(ex, "phy", wr_bytes(&wr), id);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert_int_eq(frame.direction, vec_int(in, "dir"));
    ck_assert_int_eq(frame.data.port, data.port);
    vec_expect(ex, "FOpts_on_air", frame.data.fopts, id);
    vec_expect(ex, "FRMPayload_on_air", frame.data.payload, id);
    vec_expect_mic(ex, "mic", frame.mic, id);
    which = (struct lw_crypt){frame.data.dev_addr, seal.fcnt, frame.direction};
    lw_crypt_payload(lw_port_is_network(data.port) ? &keys.enc : &keys.app, &which,
                     frame.data.payload, plain);
    ck_assert(bytes_equal((struct bytes){plain, frame.data.payload.n}, data.payload));
    lw_crypt_fopts(&keys.enc, &which, (enum lw_fopts)seal.fopts, frame.data.port, frame.data.fopts,
                   plain);
    ck_assert(bytes_equal((struct bytes){plain, frame.data.fopts.n}, data.fopts));
}

/* A vector with the frame as it was heard. */
static void check_data_heard(struct json_object *in, struct json_object *ex, const char *id,
                             bool v11)
{
    struct data_keys keys = data_keys_of(in);
    uint8_t room[512], plain[LW_FRM_MAX];
    struct lw_frame frame;
    struct lw_mic_input mic;

    ck_assert_int_eq(lw_frame_read(vec_hex(in, "phy", room), &frame), DROP_NONE);
    mic = lw_mic_input_of(&frame, (uint32_t)vec_int(in, "FCnt32"));
    mic.conf_fcnt = (uint16_t)vec_int(in, "ConfFCnt");
    mic.tx_dr = (uint8_t)vec_int(in, "TxDR");
    mic.tx_ch = (uint8_t)vec_int(in, "TxCh");
    vec_expect_mic(ex, "mic", frame.mic, id);
    if (!v11)
        ck_assert_uint_eq(lw_mic_10(&keys.f, &mic), frame.mic);
    else if (frame.direction == LW_DOWN)
        ck_assert_uint_eq(lw_mic_down_11(&keys.s, &mic), frame.mic);
    else
        ck_assert_uint_eq(lw_mic_up_11(&keys.f, &keys.s, &mic), frame.mic);
    if (v11 && frame.direction == LW_UP) {
        ck_assert_uint_eq(lw_mic_up_f(&keys.f, &mic), frame.mic >> 16);
        ck_assert_uint_eq(lw_mic_up_s(&keys.s, &mic), frame.mic & 0xffff);
    }
    if (vec_has(ex, "FPort"))
        ck_assert_int_eq(frame.data.port, vec_int(ex, "FPort"));
    if (vec_has(ex, "FCtrl"))
        ck_assert_uint_eq(frame.data.fctrl, vec_u64(ex, "FCtrl"));
    if (vec_has(ex, "FOpts"))
        vec_expect(ex, "FOpts", frame.data.fopts, id);
    if (vec_has(ex, "FRMPayload_on_air"))
        vec_expect(ex, "FRMPayload_on_air", frame.data.payload, id);
    if (vec_has(ex, "FRMPayload_plain") && vec_has(in, "AppSKey")) {
        struct lw_crypt which = {frame.data.dev_addr, mic.fcnt, frame.direction};

        lw_crypt_payload(&keys.app, &which, frame.data.payload, plain);
        vec_expect(ex, "FRMPayload_plain", (struct bytes){plain, frame.data.payload.n}, id);
    }
}

/* The frame to a group, by the function for it. */
static void check_multicast(struct json_object *in, struct json_object *ex, const char *id)
{
    struct json_object *given = vec(in, "keys");
    struct lw_mc_keys keys = {vec_key(given, "NwkSKey"), vec_key(given, "AppSKey")};
    uint8_t room[LW_PHY_MAX], plain[512];
    struct lw_mc_frame frame = {{(uint32_t)vec_u64(in, "DevAddr")},
                                (uint32_t)vec_int(in, "FCnt32"),
                                (uint8_t)vec_int(in, "FPort"),
                                vec_hex(in, "FRMPayload_plain", plain)};
    struct wr wr = wr_of(room, sizeof(room));

    ck_assert_int_eq(lw_mc_frame_write(&wr, &frame, &keys), OK);
    vec_expect(ex, "phy", wr_bytes(&wr), id);
}

static void check_data_10(struct json_object *in, struct json_object *ex, const char *id)
{
    if (!strcmp(id, "mc-down"))
        check_multicast(in, ex, id);
    if (vec_has(in, "phy"))
        check_data_heard(in, ex, id, false);
    else
        check_data_built(in, ex, id, false);
}

static void check_data_11(struct json_object *in, struct json_object *ex, const char *id)
{
    if (vec_has(in, "phy"))
        check_data_heard(in, ex, id, true);
    else
        check_data_built(in, ex, id, true);
}

static void check_payload_crypt(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key key = vec_key(in, "key");
    struct lw_crypt which = {{(uint32_t)vec_u64(in, "DevAddr")},
                             (uint32_t)vec_int(in, "FCnt32"),
                             (uint8_t)vec_int(in, "dir")};
    int64_t constant = vec_int(in, "frame_type_const_byte4");
    uint8_t room[512], cipher[512];
    struct bytes plain = vec_hex(in, "plain", room);

    if (constant == 0)
        lw_crypt_payload(&key, &which, plain, cipher);
    else
        lw_crypt_fopts(&key, &which, LW_FOPTS_1_1, constant == 2 ? 1 : LW_PORT_NONE, plain, cipher);
    vec_expect(ex, "cipher", (struct bytes){cipher, plain.n}, id);
}

static void check_mic(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key key = vec_key(in, "key");
    uint8_t room[512];
    struct lw_mic_input mic = {.msg = vec_hex(in, "msg", room),
                               .dev_addr = {(uint32_t)vec_u64(in, "DevAddr")},
                               .fcnt = (uint32_t)vec_int(in, "FCnt32")};

    vec_expect_mic(ex, "legacy_up", lw_mic_10(&key, &mic), id);
    vec_expect_mic(ex, "v11_up_same_keys_conf0_dr0_ch0", lw_mic_up_11(&key, &key, &mic), id);
    mic.direction = LW_DOWN;
    vec_expect_mic(ex, "down", lw_mic_10(&key, &mic), id);
    vec_expect_mic(ex, "down", lw_mic_down_11(&key, &mic), id);
}

static void check_proprietary(struct json_object *in, struct json_object *ex, const char *id)
{
    uint8_t payload[512], room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;

    ck_assert_int_eq(lw_proprietary_write(&wr, vec_hex(in, "payload", payload)), OK);
    vec_expect(ex, "phy", wr_bytes(&wr), id);
    ck_assert_int_eq(lw_uplink_read(wr_bytes(&wr), &frame), DROP_PROPRIETARY);
    vec_expect(in, "payload", frame.proprietary, id);
}

static void check_mhdr(struct json_object *in, struct json_object *ex, const char *id)
{
    static const uint8_t lengths[] = {23, 17, 12, 12, 12, 12, 19, 1};
    uint8_t room[64] = {(uint8_t)vec_u64(in, "mhdr")};
    int64_t ftype = vec_int(ex, "ftype");
    struct lw_frame frame;

    ck_assert_int_eq(lw_frame_read((struct bytes){room, lengths[ftype]}, &frame), DROP_NONE);
    ck_assert_int_eq(frame.ftype, ftype);
    ck_assert_msg(!strcmp(lw_ftype_name(frame.ftype), vec_str(ex, "name")), "%s", id);
}

static void check_fctrl(struct json_object *in, struct json_object *ex, const char *id)
{
    bool up = !strcmp(vec_str(in, "dir"), "up");
    uint8_t room[LW_PHY_MIN_DATA + LW_FOPTS_MAX] = {up ? 0x40 : 0x60};
    struct lw_frame frame;

    room[5] = (uint8_t)vec_u64(in, "fctrl");
    ck_assert_int_eq(
        lw_frame_read((struct bytes){room, LW_PHY_MIN_DATA + vec_int(ex, "FOptsLen")}, &frame),
        DROP_NONE);
    ck_assert_msg(frame.data.fopts.n == (size_t)vec_int(ex, "FOptsLen"), "%s", id);
    ck_assert_int_eq(!!(frame.data.fctrl & LW_FCTRL_ADR), vec_int(ex, "ADR"));
    ck_assert_int_eq(!!(frame.data.fctrl & LW_FCTRL_ACK), vec_int(ex, "ACK"));
    if (up) {
        ck_assert_int_eq(!!(frame.data.fctrl & LW_FCTRL_ADR_ACK_REQ), vec_int(ex, "ADRACKReq"));
        ck_assert_int_eq(!!(frame.data.fctrl & LW_FCTRL_CLASS_B), vec_int(ex, "ClassB"));
    } else {
        ck_assert_int_eq(!!(frame.data.fctrl & LW_FCTRL_F_PENDING), vec_int(ex, "FPending"));
    }
}

/* ---- counters and addresses ----------------------------------------------------------------- */

static void check_fcnt_next(struct json_object *in, struct json_object *ex, const char *id)
{
    uint32_t next = (uint32_t)vec_int(in, "next_expected32"), full;
    uint16_t sent = (uint16_t)vec_int(in, "received16");
    enum lw_fcnt got = lw_fcnt_widen(next, sent, &full);

    ck_assert_msg(full == (uint32_t)vec_int(ex, "full32"), "%s: %u", id, full);
    ck_assert_int_eq(got == LW_FCNT_REPEAT, full + 1 == next);
    ck_assert_int_eq(got == LW_FCNT_EXHAUSTED, next > full + 1);
}

static void check_fcnt_last(struct json_object *in, struct json_object *ex, const char *id)
{
    bool wide = json_object_get_boolean(vec(in, "supports_32bit"));
    uint32_t full = lw_fcnt_from_last((uint32_t)vec_int(in, "last_seen32"),
                                      (uint16_t)vec_int(in, "received16"), wide);

    ck_assert_msg(full == (uint32_t)vec_int(ex, "full32"), "%s: %u", id, full);
}

static void check_devaddr_prefix(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_net_id net_id = {(uint32_t)vec_u64(in, "NetID")};
    struct lw_dev_addr made = lw_dev_addr_make(net_id, 0xffffffff);

    ck_assert_msg(lw_net_id_prefix(net_id).v == vec_u64(ex, "prefix"), "%s", id);
    ck_assert_uint_eq(lw_net_id_prefix_bits(net_id), vec_int(ex, "bits"));
    ck_assert(lw_dev_addr_matches(made, net_id));
    ck_assert_uint_eq(lw_dev_addr_nwk_id(made), lw_nwk_id(net_id));
    ck_assert_int_eq(lw_dev_addr_type(made), (int)lw_net_id_type(net_id));
}

/* ---- the runner ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct vec_group groups[] = {
    {"aes",                           check_aes,               1},
    {"aes-cmac",                      check_cmac,              3},
    {"join_request",                  check_join_request,      4},
    {"join_accept",                   check_join_accept,       7},
    {"join_accept_crypt",             check_join_accept_crypt, 1},
    {"js_keys",                       check_js_keys,           3},
    {"rejoin_request",                check_rejoin,            3},
    {"kdf_1_0",                       check_kdf_10,            3},
    {"kdf_1_1",                       check_kdf_11,            4},
    {"relay_kdf",                     check_relay_kdf,         1},
    {"data_1_0",                      check_data_10,           11},
    {"payload_crypt",                 check_payload_crypt,     4},
    {"mic",                           check_mic,               1},
    {"data_1_1",                      check_data_11,           8},
    {"proprietary",                   check_proprietary,       1},
    {"mhdr",                          check_mhdr,              7},
    {"fctrl",                         check_fctrl,             2},
    {"fcnt_full_from_next_expected",  check_fcnt_next,         8},
    {"fcnt_full_from_last_seen",      check_fcnt_last,         5},
    {"devaddr_prefix",                check_devaddr_prefix,    4},
    {0},
};
/* clang-format on */

START_TEST(all_vectors)
{
    vec_run_groups(groups);
}
END_TEST

/* Whether the source of a unit test names a group. */
static bool is_read_by(const char *test, const char *group)
{
    static char text[100000];
    char path[512], quoted[64];
    const char *root = getenv("GODWIT_SOURCE");
    FILE *file;
    size_t n;

    snprintf(path, sizeof(path), "%s/tests/unit/test_%s.c", root ? root : ".", test);
    snprintf(quoted, sizeof(quoted), "\"%s\"", group);
    file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot read %s", path);
    n = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[n] = 0;
    return strstr(text, quoted) != NULL;
}

/* Every group of the file has a home, and the test there names it. */
static const char *home_of(const char *group)
{
    /* clang-format off */
    static const struct {
        const char *group, *test;
    } homes[] = {
        {"aes",                           "lorawan_vectors"},
        {"aes-cmac",                      "lorawan_vectors"},
        {"join_request",                  "lorawan_vectors"},
        {"join_accept",                   "lorawan_vectors"},
        {"join_accept_crypt",             "lorawan_vectors"},
        {"js_keys",                       "lorawan_vectors"},
        {"rejoin_request",                "lorawan_vectors"},
        {"kdf_1_0",                       "lorawan_vectors"},
        {"kdf_1_1",                       "lorawan_vectors"},
        {"relay_kdf",                     "lorawan_vectors"},
        {"data_1_0",                      "lorawan_vectors"},
        {"payload_crypt",                 "lorawan_vectors"},
        {"mic",                           "lorawan_vectors"},
        {"data_1_1",                      "lorawan_vectors"},
        {"proprietary",                   "lorawan_vectors"},
        {"mhdr",                          "lorawan_vectors"},
        {"fctrl",                         "lorawan_vectors"},
        {"fcnt_full_from_next_expected",  "lorawan_vectors"},
        {"fcnt_full_from_last_seen",      "lorawan_vectors"},
        {"mac_command",                   "lorawan_mac_vectors"},
        {"mac_stream",                    "lorawan_mac_vectors"},
        {"linkadr_block_us915",           "lorawan_mac_vectors"},
        {"linkadr_block_eu868",           "lorawan_mac_vectors"},
        {"cflist",                        "lorawan_mac_vectors"},
        {"gps_time",                      "lorawan_class_b_vectors"},
        {"devaddr_prefix",                "lorawan_vectors"},
        {"tx_param_eirp",                 "lorawan_mac_vectors"},
        {"link_check",                    "lorawan_mac_vectors"},
        {"ping_offset",                   "lorawan_class_b_vectors"},
        {"next_ping_slot",                "lorawan_class_b_vectors"},
        {"beacon_crc",                    "lorawan_class_b_vectors"},
        {"beacon_frame",                  "lorawan_class_b_vectors"},
        {"mc_kdf",                        "lorawan_class_b_vectors"},
        {"applayer",                      "package_vectors"},
        {"frag_fec",                      "package_vectors"},
        {"frag_matrix",                   "package_vectors"},
        {"frag_mic",                      "package_vectors"},
        {"adr_chirpstack",                "ns_parts"},
        {"adr_nbtrans_table",             "ns_parts"},
        {"adr_loss",                      "ns_parts"},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++) {
        if (!strcmp(homes[i].group, group))
            return homes[i].test;
    }
    ck_abort_msg("unknown group %s", group);
    return NULL;
}

START_TEST(every_group_is_read)
{
    struct json_object *all = vec_load("mac.json");

    ck_assert_uint_eq(vec_count(all), 212);
    for (size_t i = 0; i < vec_count(all); i++) {
        const char *group = vec_str(vec_at(all, i), "group");

        ck_assert_msg(is_read_by(home_of(group), group), "%s is not read by %s", group,
                      home_of(group));
    }
    json_object_put(all);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {all_vectors, every_group_is_read, NULL};

    return run_suite(suite_of("lorawan_vectors", tests));
}
