/*
 * The simulated device against the vectors: an independent reading of frames and keys.
 */
#include "sim/crypto.h"
#include "tests/sim_device.h"

/* ---- vectors --------------------------------------------------------------------------------- */

static void check_primitives(struct json_object *in, struct json_object *expected, const char *id)
{
    uint8_t room[512], out[16];
    struct lw_key key = vec_key(in, "key");

    if (vec_has(expected, "mac")) {
        sim_cmac(&key, (struct bytes){0}, vec_hex(in, "message", room), out);
        vec_expect(expected, "mac", (struct bytes){out, 16}, id);
    } else {
        sim_aes(&key, vec_hex(in, "plaintext", room).p, out);
        vec_expect(expected, "ciphertext", (struct bytes){out, 16}, id);
    }
}

static void check_join_request(struct json_object *in, struct json_object *expected, const char *id)
{
    struct sim_device_config config = {.version = LW_1_0_4, .region = SIM_EU868};
    struct sim_device dev;
    struct sim_tx tx;

    if (!vec_has(in, "DevNonce"))
        return;
    config.version = vec_has(in, "NwkKey") ? LW_1_1_0 : LW_1_0_4;
    config.dev_eui.v = vec_u64(in, "DevEUI");
    config.join_eui.v = vec_u64(in, "JoinEUI");
    config.dev_nonce = (uint16_t)vec_int(in, "DevNonce");
    if (config.version == LW_1_1_0)
        config.nwk_key = vec_key(in, "NwkKey");
    else
        config.app_key = vec_key(in, "AppKey");
    sim_device_init(&dev, &config);
    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), OK);
    vec_expect(expected, "phy", (struct bytes){tx.phy, tx.len}, id);
}

static void check_join_accept(struct json_object *in, struct json_object *expected, const char *id)
{
    struct sim_device_config config = {.version = LW_1_0_0, .region = SIM_EU868};
    struct sim_device dev;
    struct sim_tx tx;
    uint8_t room[512];

    if (vec_has(in, "JoinReqType")) /* their key is not JSIntKey of NwkKey */
        return;
    config.app_key = vec_key(in, "mic_key");
    sim_device_init(&dev, &config);
    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), OK);
    struct bytes phy = vec_hex(expected, "phy", room);

    expect_code(give_accept(&dev, phy), SIM_OK);
    ck_assert_uint_eq(dev.dev_addr.v, vec_u64(in, "DevAddr"));
    ck_assert_uint_eq(dev.rx.delay_s, vec_int(in, "RxDelay") ? vec_int(in, "RxDelay") : 1);
    ck_assert_uint_eq(dev.rx.rx2_dr, vec_u64(in, "DLSettings") & 15);
    ck_assert_uint_eq(sim_device_channel_hz(&dev, 7), phy.n == 33 ? 867900000 : 0);
    room[9] ^= 1;
    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), OK);
    expect_code(give_accept(&dev, phy), SIM_MIC);
    (void)id;
}

/* The server makes an accept with the values of the vector; the device derives the keys. */
static void check_kdf(struct json_object *in, struct json_object *expected, const char *id)
{
    bool v11 = vec_has(in, "NwkKey");
    struct sim_device_config config = {.region = SIM_EU868, .version = v11 ? LW_1_1_0 : LW_1_0_4};
    uint16_t nonce = (uint16_t)vec_int(in, "DevNonce");
    uint8_t room[40];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_key js_int;
    struct sim_device dev;
    struct sim_tx tx;

    config.dev_nonce = nonce;
    config.app_key = vec_key(in, "AppKey");
    config.nwk_key = v11 ? vec_key(in, "NwkKey") : config.app_key;
    config.join_eui.v = v11 ? vec_u64(in, "JoinEUI") : 1;
    sim_device_init(&dev, &config);
    ck_assert_int_eq(sim_device_join(&dev, 0, &tx), OK);
    lw_js_int_key(&config.nwk_key, config.dev_eui, &js_int);
    struct lw_join_accept accept = {.join_nonce =
                                        (uint32_t)vec_int(in, v11 ? "JoinNonce" : "AppNonce"),
                                    .net_id = {v11 ? 0 : (uint32_t)vec_u64(in, "NetID")},
                                    .opt_neg = v11};
    struct lw_join_context context = {.mic = v11 ? &js_int : &config.app_key,
                                      .enc = &config.nwk_key,
                                      .request = LW_REQUEST_JOIN,
                                      .join_eui = config.join_eui,
                                      .nonce = nonce};

    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), OK);
    expect_code(give_accept(&dev, wr_bytes(&wr)), SIM_OK);
    vec_expect_key(expected, v11 ? "FNwkSIntKey" : "NwkSKey", &dev.f_nwk, id);
    vec_expect_key(expected, "AppSKey", &dev.app_s, id);
    if (v11) {
        vec_expect_key(expected, "SNwkSIntKey", &dev.s_nwk, id);
        vec_expect_key(expected, "NwkSEncKey", &dev.nwk_enc, id);
    }
}

/* A device in the middle of its session, as the vector has it. */
static struct sim_device device_of(struct json_object *in)
{
    bool v11 = !strcmp(vec_str(in, "version"), "1.1");
    struct sim_device dev = abp(v11 ? LW_1_1_0 : LW_1_0_4, SIM_EU868, 0);
    struct json_object *keys = vec(in, "keys");

    dev.dev_addr.v = (uint32_t)vec_u64(in, "DevAddr");
    if (vec_has(keys, "AppSKey"))
        dev.app_s = vec_key(keys, "AppSKey");
    if (v11) {
        dev.s_nwk = vec_key(keys, "SNwkSIntKey");
        dev.f_nwk = vec_key(keys, "FNwkSIntKey");
        dev.nwk_enc = vec_key(keys, "NwkSEncKey");
    } else {
        dev.f_nwk = dev.s_nwk = dev.nwk_enc = vec_key(keys, "NwkSKey");
    }
    dev.state &= (uint16_t)~SIM_GREETS;
    return dev;
}

static void check_uplink(struct json_object *in, struct json_object *expected, const char *id)
{
    struct sim_device dev = device_of(in);
    uint8_t payload[512], fopts[512];
    struct sim_message message = {.port = (int)vec_int(in, "FPort"),
                                  .confirmed = vec_int(in, "mtype") == 4,
                                  .payload = vec_hex(in, "FRMPayload_plain", payload)};
    struct bytes answers = vec_hex(in, "FOpts_plain", fopts);
    unsigned channel = (unsigned)vec_int(in, "TxCh");
    struct sim_tx tx;

    dev.config = vec_u64(in, "FCtrl_without_len") & 0x80 ? SIM_ABP | SIM_ADR : SIM_ABP;
    dev.fcnt_up = (uint32_t)vec_int(in, "FCnt32");
    dev.dr = (uint8_t)vec_int(in, "TxDR");
    dev.channels[channel] = dev.channels[0];
    memset(dev.mask, 0, sizeof(dev.mask));
    dev.mask[channel / 8] = (uint8_t)(1u << channel % 8);
    memcpy(dev.once, answers.p, answers.n);
    dev.once_n = (uint8_t)answers.n;
    ck_assert_int_eq(sim_device_uplink(&dev, 0, &message, &tx), OK);
    vec_expect(expected, "phy", (struct bytes){tx.phy, tx.len}, id);
}

static void check_down(struct json_object *in, struct json_object *expected, const char *id)
{
    struct sim_device dev = device_of(in);
    struct sim_tx tx = uplink(&dev, true);
    uint8_t room[512];
    struct sim_window windows[2];
    struct sim_verdict verdict;
    uint32_t fcnt = (uint32_t)vec_int(in, "FCnt32");

    dev.fcnt_up = (uint32_t)vec_int(in, "ConfFCnt") + 1;
    dev.fcnt_down[0] = dev.fcnt_down[1] = fcnt;
    sim_device_windows(&dev, windows);
    struct sim_rx rx = {vec_hex(expected, "phy", room), tx.end_us + S, tx.frequency_hz,
                        windows[0].rate, 0};

    sim_device_receive(&dev, &rx, &verdict);
    ck_assert_msg(verdict.code == SIM_OK, "%s: %s", id, sim_verdict_text(verdict.code));
    ck_assert_uint_eq(verdict.fcnt, fcnt);
    if (vec(in, "FPort") && vec_int(in, "FPort") > 0)
        vec_expect(in, "FRMPayload_plain", (struct bytes){verdict.payload, verdict.payload_n}, id);
    vec_expect(in, vec(in, "FPort") && !vec_int(in, "FPort") ? "FRMPayload_plain" : "FOpts_plain",
               (struct bytes){verdict.commands, verdict.commands_n}, id);
}

static void check_data(struct json_object *in, struct json_object *expected, const char *id)
{
    if (!vec_has(in, "version"))
        return;
    if (vec_int(in, "dir") == LW_DOWN)
        check_down(in, expected, id);
    else if (vec_int(in, "FPort") > 0)
        check_uplink(in, expected, id);
}

START_TEST(vectors)
{
    static const struct {
        const char *group;
        void (*check)(struct json_object *in, struct json_object *expected, const char *id);
        unsigned count;
    } groups[] = {
        {"aes", check_primitives, 1},
        {"aes-cmac", check_primitives, 3},
        {"join_request", check_join_request, 4},
        {"join_accept", check_join_accept, 7},
        {"kdf_1_0", check_kdf, 3},
        {"kdf_1_1", check_kdf, 4},
        {"data_1_0", check_data, 11},
        {"data_1_1", check_data, 8},
    };

    struct json_object *all = vec_load("mac.json");

    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        unsigned seen = 0;

        for (size_t i = 0; i < vec_count(all); i++) {
            struct json_object *v = vec_at(all, i);

            if (strcmp(vec_str(v, "group"), groups[g].group))
                continue;
            groups[g].check(vec(v, "input"), vec(v, "expected"), vec_str(v, "id"));
            seen++;
        }
        ck_assert_uint_eq(seen, groups[g].count);
    }
    json_object_put(all);
}
END_TEST

int main(void)
{
    /* clang-format off */
    const TTest *const tests[] = {
        vectors, NULL};
    /* clang-format on */

    return run_suite(suite_of("sim_vectors", tests));
}
