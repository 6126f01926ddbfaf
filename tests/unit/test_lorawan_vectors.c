/* Runs tests/vectors/mac.json: every group has a function or is named as not yet due. */
#include "core/clock.h"
#include "lorawan/airtime.h"
#include "lorawan/crypto.h"
#include "lorawan/fcnt.h"
#include "lorawan/frame.h"
#include "lorawan/keys.h"
#include "lorawan/mac.h"
#include "lorawan/netid.h"
#include "region/cflist.h"
#include "region/region.h"
#include "tests/vectors.h"

typedef void check_fn(struct json_object *in, struct json_object *ex, const char *id);

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

static void check_data_10(struct json_object *in, struct json_object *ex, const char *id)
{
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

/* ---- counters, addresses, time --------------------------------------------------------------- */

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

static void check_gps_time(struct json_object *in, struct json_object *ex, const char *id)
{
    int64_t utc = 0;

    ck_assert(clock_read(vec_str(in, "utc"), &utc));
    ck_assert_int_eq(utc / US_PER_S, vec_int(ex, "unix_s"));
    ck_assert_msg(clock_gps_of_utc(utc) / US_PER_S == vec_int(ex, "gps_s"), "%s", id);
    ck_assert_int_eq(clock_utc_of_gps(vec_int(ex, "gps_s") * US_PER_S), utc);
}

static void check_eirp(struct json_object *in, struct json_object *ex, const char *id)
{
    for (size_t i = 0; i < vec_count(vec(in, "index")); i++) {
        int dbm = json_object_get_int(vec_at(vec(ex, "dbm"), i));
        uint8_t index = (uint8_t)json_object_get_int(vec_at(vec(in, "index"), i));

        ck_assert_msg(lw_max_eirp_dbm(index) == dbm, "%s %u", id, index);
        ck_assert_uint_eq(lw_max_eirp_index(dbm), index);
    }
}

static void check_link_check(struct json_object *in, struct json_object *ex, const char *id)
{
    struct data_rate rate = {
        .kind = MOD_LORA, .sf = (uint8_t)vec_int(in, "sf"), .bandwidth_hz = 125000};
    struct json_object *snrs = vec(in, "snr_per_gw");
    uint8_t room[8];
    struct wr wr = wr_of(room, sizeof(room));
    int best = -1000;

    for (size_t i = 0; i < vec_count(snrs); i++) {
        int snr = (int)(json_object_get_double(vec_at(snrs, i)) * 10);

        best = snr > best ? snr : best;
    }
    best = (best - lw_required_snr_cb(&rate)) / 10;
    ck_assert_int_eq(best, vec_int(ex, "margin"));
    lw_link_check_ans_write(&wr, (uint8_t)best, (uint8_t)vec_count(snrs));
    vec_expect(ex, "bytes", wr_bytes(&wr), id);
}

/* ---- MAC commands ---------------------------------------------------------------------------- */

static int64_t field_value(const struct lw_mac_field *field, struct json_object *value)
{
    const char *text = json_object_get_string(value);
    uint32_t addr = 0;

    if (field->encoding == LW_MAC_CLASS)
        return text[0] - 'A';
    if (field->encoding != LW_MAC_ADDR)
        return json_object_get_int64(value);
    for (const char *p = text; *p; p++)
        addr = addr << 4 | (uint32_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
    return addr;
}

/* Puts the fields of a vector into a payload, or compares them with it. */
static void check_fields(const struct lw_mac_def *def, struct json_object *fields, uint8_t *payload,
                         bool put, const char *id)
{
    struct json_object_iterator at = json_object_iter_begin(fields);
    struct json_object_iterator end = json_object_iter_end(fields);

    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = json_object_iter_peek_name(&at);
        const struct lw_mac_field *field = lw_mac_field(def, name);
        int64_t value;

        ck_assert_msg(field != NULL, "%s: no field %s", id, name);
        value = field_value(field, json_object_iter_peek_value(&at));
        if (put)
            ck_assert_int_eq(lw_mac_put(field, payload, def->length, value), OK);
        else
            ck_assert_msg(lw_mac_get(field, (struct bytes){payload, def->length}) == value, "%s %s",
                          id, name);
    }
}

/* By the field table: written from the fields, read back into them. */
static void check_mac_command(struct json_object *in, struct json_object *ex, const char *id)
{
    enum lw_direction direction = strcmp(vec_str(in, "dir"), "up") ? LW_DOWN : LW_UP;
    bool little = !strcmp(id, "mac-forcerejoinreq-le");
    char name[64] = {0};
    uint8_t out[1 + LW_MAC_CMD_MAX] = {0}, wanted[512];
    const struct lw_mac_def *def;
    struct lw_mac_iter iter;
    struct lw_mac_cmd cmd;

    memcpy(name, vec_str(in, "name"), strcspn(vec_str(in, "name"), " "));
    def = lw_mac_def_by_name(direction, name);
    ck_assert_msg(def != NULL, "%s: no command %s", id, name);
    out[0] = def->cid;
    check_fields(def, vec(in, "fields"), out + 1, true, id);
    if (little) {
        uint8_t first = out[1];

        out[1] = out[2];
        out[2] = first;
    }
    vec_expect(ex, "bytes", (struct bytes){out, 1 + (size_t)def->length}, id);
    iter = lw_mac_iter_of(vec_hex(ex, "bytes", wanted), direction);
    ck_assert(lw_mac_next(&iter, &cmd) && cmd.def == def);
    if (!little)
        check_fields(def, vec(in, "fields"), wanted + 1, false, id);
}

static void check_mac_stream(struct json_object *in, struct json_object *ex, const char *id)
{
    enum lw_direction direction = strcmp(vec_str(in, "dir"), "up") ? LW_DOWN : LW_UP;
    uint8_t room[512];
    struct bytes stream = vec_hex(in, "bytes", room);
    struct lw_mac_iter iter = lw_mac_iter_of(stream, direction);
    struct json_object *commands = vec(ex, "commands");
    struct lw_mac_cmd cmd;
    size_t n = 0;

    for (; lw_mac_next(&iter, &cmd); n++) {
        char text[64];

        ck_assert_msg(n < vec_count(commands), "%s: too many", id);
        ck_assert_str_eq(cmd.def->name, json_object_get_string(vec_at(vec_at(commands, n), 0)));
        ck_assert_str_eq(hex_write(text, cmd.payload.p, cmd.payload.n),
                         json_object_get_string(vec_at(vec_at(commands, n), 1)));
    }
    ck_assert_uint_eq(n, vec_count(commands));
    ck_assert_int_eq(lw_mac_stream_valid(stream, direction), !vec_has(ex, "stop_offset"));
    if (vec_has(ex, "stop_offset")) {
        ck_assert_uint_eq(iter.at, vec_int(ex, "stop_offset"));
        ck_assert_int_eq(iter.stop, strstr(vec_str(ex, "reason"), "unknown") ? LW_MAC_UNKNOWN
                                                                             : LW_MAC_TRUNCATED);
    } else {
        ck_assert_int_eq(iter.stop, LW_MAC_END);
    }
}

/* ---- channel masks --------------------------------------------------------------------------- */

static struct chmask mask_of(struct json_object *channels)
{
    struct chmask mask = {0};

    for (size_t i = 0; i < vec_count(channels); i++)
        chmask_set(&mask, (unsigned)json_object_get_int(vec_at(channels, i)));
    return mask;
}

/* "0-71" or "8-15,65" */
static struct chmask mask_of_text(const char *text)
{
    struct chmask mask = {0};

    while (*text) {
        char *end;
        unsigned first = (unsigned)strtoul(text, &end, 10);
        unsigned last = *end == '-' ? (unsigned)strtoul(end + 1, &end, 10) : first;

        chmask_set_range(&mask, first, last - first + 1, true);
        text = *end ? end + 1 : end;
    }
    return mask;
}

static size_t reqs_of(struct json_object *list, struct lw_link_adr_req *reqs)
{
    for (size_t i = 0; i < vec_count(list); i++) {
        reqs[i] = (struct lw_link_adr_req){
            .ch_mask_cntl = (uint8_t)vec_int(vec_at(list, i), "cntl"),
            .ch_mask = (uint16_t)vec_u64(vec_at(list, i), "mask"),
        };
    }
    return vec_count(list);
}

/* The block as octets must read as the requests of the vector. */
static void check_block_octets(struct json_object *in, const struct lw_link_adr_req *reqs,
                               size_t count)
{
    uint8_t room[512];
    struct lw_mac_iter iter = lw_mac_iter_of(vec_hex(in, "bytes", room), LW_DOWN);
    struct lw_link_adr_req req;
    struct lw_mac_cmd cmd;

    for (size_t i = 0; i < count; i++) {
        ck_assert(lw_mac_next(&iter, &cmd) && lw_link_adr_req_read(cmd.payload, &req));
        ck_assert_uint_eq(req.ch_mask, reqs[i].ch_mask);
        ck_assert_uint_eq(req.ch_mask_cntl, reqs[i].ch_mask_cntl);
    }
    ck_assert(!lw_mac_next(&iter, &cmd) && iter.stop == LW_MAC_END);
}

static void check_linkadr_us(struct json_object *in, struct json_object *ex, const char *id)
{
    const struct region *region = region_get(REGION_US915);
    struct chmask from = mask_of_text(vec_str(in, "current")), mask = from;
    struct chmask want = mask_of(vec(ex, "enabled"));
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX], built[CHMASK_REQS_MAX];
    size_t count = reqs_of(vec(in, "reqs"), reqs), n = 0;
    struct region_channels channels;

    region_channels_init(region, &channels);
    ck_assert_int_eq(chmask_apply(region->chmask, &channels.defined, reqs, count, &mask),
                     CHMASK_OK);
    ck_assert_msg(chmask_equal(&mask, &want), "%s", id);
    if (vec_has(in, "bytes"))
        check_block_octets(in, reqs, count);
    ck_assert_int_eq(chmask_build(region->chmask, &channels.defined, &from, &want, built, &n), OK);
    ck_assert_msg(n <= (reqs[0].ch_mask_cntl == 5 ? 2 : count), "%s: %zu requests", id, n);
    ck_assert_int_eq(chmask_apply(region->chmask, &channels.defined, built, n, &from), CHMASK_OK);
    ck_assert(chmask_equal(&from, &want));
}

static void check_linkadr_eu(struct json_object *in, struct json_object *ex, const char *id)
{
    const struct region *region = region_get(REGION_EU868);
    struct chmask defined = mask_of(vec(in, "defined")), mask = mask_of(vec(in, "current"));
    struct chmask want = mask_of(vec(ex, "enabled"));
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    size_t count = reqs_of(vec(in, "reqs"), reqs);
    enum chmask_status status = chmask_apply(region->chmask, &defined, reqs, count, &mask);

    ck_assert_msg((status == CHMASK_OK) == vec_int(ex, "ans_chmask_ack"), "%s: %d", id, status);
    ck_assert_msg(chmask_equal(&mask, &want), "%s", id);
}

static void check_cflist(struct json_object *in, struct json_object *ex, const char *id)
{
    struct cflist list = {.type = (uint8_t)vec_int(in, "type")}, back;
    uint8_t out[CFLIST_LEN];

    for (size_t i = 0; i < vec_count(vec(in, "freqs")); i++)
        list.frequency_hz[i] = (uint32_t)json_object_get_int64(vec_at(vec(in, "freqs"), i));
    for (size_t i = 0; i < vec_count(vec(in, "masks")); i++) {
        const char *text = json_object_get_string(vec_at(vec(in, "masks"), i));

        chmask_put_word(&list.enabled, 16 * (unsigned)i, 16, (uint16_t)strtoul(text, NULL, 16));
    }
    ck_assert_int_eq(cflist_write(&list, out), OK);
    vec_expect(ex, "bytes", (struct bytes){out, sizeof(out)}, id);
    ck_assert_int_eq(cflist_read(out, &back), OK);
    ck_assert_mem_eq(back.frequency_hz, list.frequency_hz, sizeof(list.frequency_hz));
    ck_assert(chmask_equal(&back.enabled, &list.enabled));
}

/* ---- the runner ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct group {
    const char *name;
    check_fn *check; /* NULL: belongs to a later issue */
    unsigned count;  /* vectors in the file */
} groups[] = {
    {"aes",                          check_aes,               1},
    {"aes-cmac",                     check_cmac,              3},
    {"join_request",                 check_join_request,      4},
    {"join_accept",                  check_join_accept,       7},
    {"join_accept_crypt",            check_join_accept_crypt, 1},
    {"js_keys",                      check_js_keys,           3},
    {"rejoin_request",               check_rejoin,            3},
    {"kdf_1_0",                      check_kdf_10,            3},
    {"kdf_1_1",                      check_kdf_11,            4},
    {"relay_kdf",                    check_relay_kdf,         1},
    {"data_1_0",                     check_data_10,           11},
    {"payload_crypt",                check_payload_crypt,     4},
    {"mic",                          check_mic,               1},
    {"data_1_1",                     check_data_11,           8},
    {"proprietary",                  check_proprietary,       1},
    {"mhdr",                         check_mhdr,              7},
    {"fctrl",                        check_fctrl,             2},
    {"fcnt_full_from_next_expected", check_fcnt_next,         8},
    {"fcnt_full_from_last_seen",     check_fcnt_last,         5},
    {"mac_command",                  check_mac_command,       59},
    {"mac_stream",                   check_mac_stream,        3},
    {"linkadr_block_us915",          check_linkadr_us,        4},
    {"linkadr_block_eu868",          check_linkadr_eu,        4},
    {"cflist",                       check_cflist,            3},
    {"gps_time",                     check_gps_time,          5},
    {"devaddr_prefix",               check_devaddr_prefix,    4},
    {"tx_param_eirp",                check_eirp,              1},
    {"link_check",                   check_link_check,        1},
    {"ping_offset", NULL, 6},
    {"next_ping_slot", NULL, 4},
    {"beacon_crc", NULL, 2},
    {"beacon_frame", NULL, 2},
    {"mc_kdf", NULL, 4},
    {"applayer", NULL, 16},
    {"frag_fec", NULL, 2},
    {"frag_matrix", NULL, 4},
    {"frag_mic", NULL, 1},
    {"adr_chirpstack", NULL, 7},
    {"adr_nbtrans_table", NULL, 2},
    {"adr_loss", NULL, 1},
};
/* clang-format on */

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static size_t group_of(const char *name)
{
    size_t i = 0;

    while (i < GROUPS && strcmp(groups[i].name, name) != 0)
        i++;
    ck_assert_msg(i < GROUPS, "unknown group %s", name);
    return i;
}

START_TEST(all_vectors)
{
    struct json_object *all = vec_load("mac.json");
    unsigned seen[GROUPS] = {0}, run = 0;

    for (size_t i = 0; i < vec_count(all); i++) {
        struct json_object *one = vec_at(all, i);
        size_t g = group_of(vec_str(one, "group"));

        seen[g]++;
        if (groups[g].check) {
            groups[g].check(vec(one, "input"), vec(one, "expected"), vec_str(one, "id"));
            run++;
        }
    }
    for (size_t g = 0; g < GROUPS; g++) {
        ck_assert_msg(seen[g] == groups[g].count, "%s: %u vectors, %u expected", groups[g].name,
                      seen[g], groups[g].count);
        if (!groups[g].check)
            printf("skipped: %s, %u vectors of a later issue\n", groups[g].name, seen[g]);
    }
    printf("%u vectors checked\n", run);
    ck_assert_uint_eq(run, 161);
    json_object_put(all);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {all_vectors, NULL};

    return run_suite(suite_of("lorawan_vectors", tests));
}
