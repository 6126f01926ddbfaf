/*
 * Runs tests/vectors/relay.json: every group of it, or the run fails. The MAC commands are compared
 * field by field in test_lorawan_mac_vectors.c.
 */
#include "lorawan/airtime.h"
#include "lorawan/keys.h"
#include "relay/conf.h"
#include "relay/forward.h"
#include "relay/sync.h"
#include "relay/window.h"
#include "relay/wor.h"
#include "tests/vectors.h"

#include <math.h>

static const struct region *eu(void)
{
    return region_get(REGION_EU868);
}

static struct lw_key network_key(struct json_object *in)
{
    return vec_key(in, vec_has(in, "nwk_s_enc_key") ? "nwk_s_enc_key"
                       : vec_has(in, "nwk_s_key")   ? "nwk_s_key"
                                                    : "nwk_key");
}

static void key_derivation(struct json_object *v)
{
    const char *id = vec_str(v, "id");
    struct relay_wor_keys keys;
    struct lw_key key, root;

    if (vec_has(v, "nwk_key") || vec_has(v, "nwk_s_enc_key")) {
        key = network_key(v);
        lw_root_wor_s_key(&key, &root);
        vec_expect_key(v, "root_wor_s_key", &root, id);
    }
    if (vec_has(v, "dev_addr")) {
        root = vec_key(v, "root_wor_s_key");
        relay_wor_keys_of(&root, (struct lw_dev_addr){(uint32_t)vec_u64(v, "dev_addr")}, &keys);
        vec_expect_key(v, "wor_s_int_key", &keys.integrity, id);
        vec_expect_key(v, "wor_s_enc_key", &keys.encryption, id);
        relay_wor_keys_wipe(&keys);
        ck_assert(lw_key_is_zero(&keys.integrity) && lw_key_is_zero(&keys.encryption));
    }
}

static struct relay_channel channel_of(struct json_object *v, const char *dr, const char *hz)
{
    return (struct relay_channel){.dr = (uint8_t)vec_int(v, dr),
                                  .frequency_hz = (uint32_t)vec_int(v, hz)};
}

static void expect_channel(struct relay_channel got, struct relay_channel expected, const char *id)
{
    ck_assert_msg(got.dr == expected.dr && got.frequency_hz == expected.frequency_hz,
                  "%s: DR%u %u Hz", id, got.dr, got.frequency_hz);
}

static void wor_join(struct json_object *v)
{
    struct relay_channel uplink = channel_of(v, "uplink_dr", "uplink_freq_hz");
    uint8_t octets[RELAY_WOR_JOIN_LEN], room[512];
    struct wr wr = wr_of(octets, sizeof(octets));
    struct relay_wor wor;

    relay_wor_join_write(&wr, &uplink);
    vec_expect(v, "frame", wr_bytes(&wr), vec_str(v, "id"));
    ck_assert_int_eq(relay_wor_read(vec_hex(v, "frame", room), &wor), OK);
    ck_assert_uint_eq(wor.type, RELAY_WOR_JOIN);
    expect_channel(wor.join, uplink, vec_str(v, "id"));
}

static struct relay_exchange exchange_of(struct json_object *in, struct relay_wor_keys *keys)
{
    keys->integrity = vec_key(in, "wor_s_int_key");
    keys->encryption = vec_key(in, "wor_s_enc_key");
    return (struct relay_exchange){.keys = keys,
                                   .dev_addr = {(uint32_t)vec_u64(in, "dev_addr")},
                                   .wfcnt = (uint32_t)vec_int(in, "wfcnt32"),
                                   .uplink = channel_of(in, "uplink_dr", "uplink_freq_hz"),
                                   .wor = channel_of(in, "wor_dr", "wor_freq_hz"),
                                   .ack = channel_of(in, "ack_dr", "ack_freq_hz")};
}

static void wor_uplink(struct json_object *v)
{
    const char *id = vec_str(v, "id");
    struct relay_wor_keys keys;
    struct relay_exchange sent = exchange_of(vec(v, "inputs"), &keys), heard = sent;
    uint8_t octets[RELAY_WOR_UPLINK_LEN], room[512];
    struct wr wr = wr_of(octets, sizeof(octets));
    struct relay_wor wor;

    relay_wor_uplink_write(&wr, &sent);
    vec_expect(v, "frame", wr_bytes(&wr), id);

    ck_assert_int_eq(relay_wor_read(vec_hex(v, "frame", room), &wor), OK);
    ck_assert_uint_eq(wor.type, RELAY_WOR_UPLINK);
    ck_assert_uint_eq(wor.uplink.dev_addr.v, sent.dev_addr.v);
    ck_assert_uint_eq(wor.uplink.wfcnt, sent.wfcnt & 0xffff);
    heard.uplink = (struct relay_channel){0};
    heard.dev_addr.v = 0;
    ck_assert_int_eq(relay_wor_open(&wor, &heard), OK);
    expect_channel(heard.uplink, sent.uplink, id);
    ck_assert_uint_eq(heard.dev_addr.v, sent.dev_addr.v);
}

static void expect_state(const struct relay_state *got, const struct relay_state *said)
{
    ck_assert_uint_eq(got->t_offset_ms, said->t_offset_ms);
    ck_assert_uint_eq(got->cad_periodicity, said->cad_periodicity);
    ck_assert_uint_eq(got->xtal_accuracy, said->xtal_accuracy);
    ck_assert_uint_eq(got->dr, said->dr);
    ck_assert_uint_eq(got->forward, said->forward);
    ck_assert_uint_eq(got->cad_to_rx, said->cad_to_rx);
}

static void wor_ack(struct json_object *v)
{
    const char *id = vec_str(v, "id");
    struct json_object *in = vec(v, "inputs");
    struct relay_wor_keys keys;
    struct relay_exchange exchange = exchange_of(in, &keys);
    struct relay_state said = {.t_offset_ms = (uint16_t)vec_int(in, "t_offset_ms"),
                               .cad_periodicity = (uint8_t)vec_int(in, "cad_periodicity_code"),
                               .xtal_accuracy = (uint8_t)vec_int(in, "xtal_accuracy_code"),
                               .dr = (uint8_t)vec_int(in, "relay_data_rate"),
                               .forward = (uint8_t)vec_int(in, "forward_code"),
                               .cad_to_rx = (uint8_t)vec_int(in, "cad_to_rx_code")},
                       heard;
    uint8_t octets[RELAY_WOR_ACK_LEN], room[512];
    struct wr wr = wr_of(octets, sizeof(octets));

    relay_wor_ack_write(&wr, &exchange, &said);
    vec_expect(v, "frame", wr_bytes(&wr), id);
    ck_assert_int_eq(relay_wor_ack_open(vec_hex(v, "frame", room), &exchange, &heard), OK);
    expect_state(&heard, &said);
    ck_assert_int_eq(relay_cad_period_ms(heard.cad_periodicity), vec_int(in, "cad_periodicity_ms"));
    ck_assert_int_eq(relay_xtal_ppm(heard.xtal_accuracy), vec_int(in, "xtal_ppm"));
    ck_assert_int_eq(relay_cad_to_rx_symbols(heard.cad_to_rx), vec_int(in, "cad_to_rx_symbols"));
}

static struct relay_metadata metadata_of(struct json_object *v, uint32_t frequency_hz)
{
    return (struct relay_metadata){.frequency_hz = frequency_hz,
                                   .rssi_dbm = (int16_t)vec_int(v, "rssi_dbm"),
                                   .snr_db = (int8_t)vec_int(v, "snr_db"),
                                   .dr = (uint8_t)vec_int(v, "dr"),
                                   .wor_channel = (uint8_t)vec_int(v, "wor_channel")};
}

static void expect_metadata(const struct relay_metadata *got, const struct relay_metadata *said)
{
    ck_assert_uint_eq(got->frequency_hz, said->frequency_hz);
    ck_assert_int_eq(got->rssi_dbm, said->rssi_dbm);
    ck_assert_int_eq(got->snr_db, said->snr_db);
    ck_assert_uint_eq(got->dr, said->dr);
    ck_assert_uint_eq(got->wor_channel, said->wor_channel);
}

static void uplink_metadata(struct json_object *v)
{
    struct relay_metadata said = metadata_of(v, 868100000);
    uint8_t octets[RELAY_METADATA_LEN];
    struct wr wr = wr_of(octets, sizeof(octets));

    relay_forward_uplink_write(&wr, &said, (struct bytes){NULL, 0});
    vec_expect(v, "bytes", (struct bytes){octets, 3}, vec_str(v, "source"));
    if (vec_has(v, "snr_code")) {
        ck_assert_int_eq(relay_snr_code(said.snr_db), vec_int(v, "snr_code"));
        ck_assert_int_eq(relay_rssi_code(said.rssi_dbm), vec_int(v, "rssi_code"));
    }
}

/* The frame of the relay, opened with its key: `n` octets of FRMPayload in `plain`. */
static struct bytes open_outer(struct json_object *v, enum lw_direction direction, uint8_t *phy,
                               uint8_t *plain)
{
    struct json_object *relay = vec(v, "relay");
    struct lw_key key = vec_key(relay, "nwk_s_key");
    uint32_t fcnt = (uint32_t)vec_int(relay, direction == LW_UP ? "fcnt_up" : "fcnt_down");
    struct lw_mic_input mic;
    struct lw_frame frame;

    ck_assert_int_eq(lw_frame_read(vec_hex(v, "relay_phypayload", phy), &frame), DROP_NONE);
    ck_assert_int_eq(frame.direction, direction);
    mic = lw_mic_input_of(&frame, fcnt);
    ck_assert_uint_eq(lw_mic_10(&key, &mic), frame.mic);
    ck_assert(lw_port_is_network(frame.data.port));
    lw_crypt_payload(&key, &(struct lw_crypt){frame.data.dev_addr, fcnt, (uint8_t)direction},
                     frame.data.payload, plain);
    return (struct bytes){plain, frame.data.payload.n};
}

static void forward_uplink(struct json_object *v)
{
    const char *id = vec_str(v, "id");
    uint8_t phy[512], plain[512], nested[512], built[512];
    struct bytes payload = open_outer(v, LW_UP, phy, plain);
    struct relay_metadata said =
        metadata_of(vec(v, "metadata"), (uint32_t)vec_int(v, "frequency_hz"));
    struct wr wr = wr_of(built, sizeof(built));
    struct relay_forward_uplink heard;

    vec_expect(v, "frm_payload_plain", payload, id);
    relay_forward_uplink_write(&wr, &said, vec_hex(v, "nested_phypayload", nested));
    vec_expect(v, "frm_payload_plain", wr_bytes(&wr), id);
    ck_assert_int_eq(relay_forward_uplink_read(payload, eu(), &heard), DROP_NONE);
    expect_metadata(&heard.metadata, &said);
    vec_expect(v, "nested_phypayload", heard.frame.phy, id);
}

static void forward_downlink(struct json_object *v)
{
    uint8_t phy[512], plain[512];
    struct bytes payload = open_outer(v, LW_DOWN, phy, plain);
    struct lw_frame frame;

    vec_expect(v, "nested_phypayload", payload, vec_str(v, "id"));
    ck_assert_int_eq(relay_forward_downlink_read(payload, &frame), DROP_NONE);
    vec_expect(v, "nested_phypayload", frame.phy, vec_str(v, "id"));
}

static void relay_mac_frames(struct json_object *v)
{
    uint8_t phy[512], plain[512];

    vec_expect(v, "frm_payload_plain", open_outer(v, LW_DOWN, phy, plain), vec_str(v, "id"));
}

static struct data_rate lora(int64_t sf, double khz)
{
    return (struct data_rate){.kind = MOD_LORA,
                              .sf = (uint8_t)sf,
                              .coding_rate = 1,
                              .bandwidth_hz = (uint32_t)(khz * 1000)};
}

static int64_t code_of(unsigned (*value)(unsigned), int64_t wanted)
{
    for (unsigned code = 0; code < 8; code++) {
        if (value(code) == (unsigned)wanted)
            return code;
    }
    ck_abort_msg("%d has no code", (int)wanted);
}

static int64_t us(struct json_object *v, const char *name)
{
    return llround(json_object_get_double(vec(v, name)) * 1000);
}

static void constants(struct json_object *v)
{
    ck_assert_int_eq(vec_int(v, "relay_fwd_delay") * 1000, RELAY_FORWARD_DELAY_US);
    ck_assert_int_eq(vec_int(v, "rxr_delay") * 1000, RELAY_RXR_DELAY_US);
    ck_assert_int_eq(vec_int(v, "wor_to_wor_ack") * 1000, RELAY_TURN_US);
    ck_assert_int_eq(vec_int(v, "wor_ack_to_uplink") * 1000, RELAY_TURN_US);
    ck_assert_int_eq(vec_int(v, "wor_to_join_request") * 1000, RELAY_TURN_US);
}

static void preamble_unsync(struct json_object *all)
{
    for (size_t i = 0; i < vec_count(all); i++) {
        struct json_object *v = vec_at(all, i);
        struct data_rate rate = lora(vec_int(v, "sf"), (double)vec_int(v, "bw_khz"));
        int64_t cad = code_of(relay_cad_period_ms, vec_int(v, "cad_ms"));
        int64_t to_rx = code_of(relay_cad_to_rx_symbols, vec_int(v, "cad_to_rx"));

        ck_assert_int_eq(relay_preamble_unsync(&rate, (unsigned)cad, (unsigned)to_rx),
                         vec_int(v, "symbols"));
    }
    ck_assert_uint_eq(vec_count(all), 3);
}

static void airtimes(struct json_object *v)
{
    static const struct {
        const char *name;
        unsigned octets, preamble, sf, khz;
    } frames[] = {
        {"wor_uplink_sf9_125_preamble259", RELAY_WOR_UPLINK_LEN, 259, 9, 125},
        {"wor_join_sf9_125_preamble259", RELAY_WOR_JOIN_LEN, 259, 9, 125},
        {"wor_ack_sf9_125", RELAY_WOR_ACK_LEN, 8, 9, 125},
        {"wor_uplink_sf10_500_preamble503", RELAY_WOR_UPLINK_LEN, 503, 10, 500},
        {"wor_ack_sf10_500", RELAY_WOR_ACK_LEN, 8, 10, 500},
    };

    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        struct data_rate rate = lora(frames[i].sf, frames[i].khz);
        int64_t got = lw_airtime_us(&rate, frames[i].octets, AIRTIME_CRC, frames[i].preamble);

        ck_assert_msg(llabs(got - us(v, frames[i].name)) <= 50, "%s: %lld us", frames[i].name,
                      (long long)got);
    }
    ck_assert_int_eq(json_object_object_length(v), sizeof(frames) / sizeof(frames[0]));
}

static void worked_sync_example(struct json_object *v)
{
    struct data_rate rate = lora(vec_int(v, "sf"), (double)vec_int(v, "bw_khz"));
    struct relay_state state = {
        .t_offset_ms = (uint16_t)vec_int(v, "t_offset_ms"),
        .cad_periodicity = (uint8_t)code_of(relay_cad_period_ms, vec_int(v, "cad_ms")),
        .xtal_accuracy = (uint8_t)code_of(relay_xtal_ppm, vec_int(v, "relay_ppm")),
        .cad_to_rx = 1};
    struct relay_sync sync;
    struct relay_wake wake;

    ck_assert(relay_sync_of(&rate, us(v, "wor_start_ms"), (unsigned)vec_int(v, "preamble_symbols"),
                            &state, (unsigned)vec_int(v, "device_ppm"), &sync));
    ck_assert_int_eq(sync.scan_us, us(v, "t_ref_ms"));
    wake = relay_sync_next(&sync, us(v, "t_now_ms"));
    ck_assert_int_eq(wake.start_us, us(v, "t_start_ms"));
    ck_assert_int_eq(wake.preamble, vec_int(v, "next_preamble_symbols"));
}

static void rxr(struct json_object *v)
{
    const char *name = vec_str(v, "region");
    struct region_rx1 rx1 = {.uplink_dr = (uint8_t)vec_int(v, "uplink_dr"),
                             .offset = 1, /* of the device's session: does not count */
                             .revision = RP002_1_0_4};
    struct relay_channel got;
    enum region_id id;

    ck_assert_int_eq(region_find(name, &id), OK);
    ck_assert(relay_rxr(region_get(id), &rx1, (uint32_t)vec_int(v, "wor_freq_hz"), &got));
    expect_channel(got, channel_of(v, "rxr_dr", "rxr_freq_hz"), name);
}

static void default_wor_channels(struct json_object *v)
{
    struct json_object *channels = vec(v, "channels");
    const struct region *region;
    enum region_id id;

    ck_assert_int_eq(region_find(vec_str(v, "region"), &id), OK);
    region = region_get(id);
    for (unsigned i = 0; i < vec_count(channels); i++) {
        const struct region_relay *relay = region_relay_channel(region, i);
        struct json_object *channel = vec_at(channels, i);

        ck_assert_ptr_nonnull(relay);
        ck_assert_int_eq(vec_int(channel, "idx"), i);
        ck_assert_uint_eq(relay->wor_hz, vec_int(channel, "wor"));
        ck_assert_uint_eq(relay->ack_hz, vec_int(channel, "ack"));
        ck_assert_uint_eq(relay->dr, vec_int(v, "dr"));
    }
    ck_assert_ptr_null(region_relay_channel(region, (unsigned)vec_count(channels)));
}

static void ns_window_choice(struct json_object *v)
{
    const char *id = vec_str(v, "desc");
    struct data_rate up = lora(vec_int(v, "relay_uplink_sf"), 125);
    struct data_rate down = lora(vec_int(v, "downlink_sf"), 125);
    enum relay_window window = strcmp(vec_str(v, "window"), "RX1") ? RELAY_RX2 : RELAY_RX1;
    size_t octets = (size_t)vec_int(v, "downlink_phy_bytes");
    struct relay_timing timing = {.uplink_airtime_us = lw_airtime_frame_us(
                                      &up, (size_t)vec_int(v, "relay_uplink_phy_bytes"), LW_UP),
                                  .held_us = (uint32_t)us(v, "extra_relay_delay_ms"),
                                  .rx1_delay_s = (uint8_t)vec_int(v, "rx1_delay_s")};
    struct relay_opening openings[RELAY_WINDOWS] = {{NULL, 0}};
    int64_t slack = relay_slack_us(&timing, window, lw_airtime_frame_us(&down, octets, LW_DOWN));

    openings[window] = (struct relay_opening){&down, 255};
    ck_assert_msg(llabs(timing.uplink_airtime_us - us(v, "relay_uplink_airtime_ms")) <= 50, "%s",
                  id);
    ck_assert_msg(llabs(slack - us(v, "slack_before_rxr_ms")) <= 150, "%s: %lld us", id,
                  (long long)slack);
    ck_assert_msg(
        relay_windows(&timing, RELAY_MARGIN_US, openings,
                      &(struct relay_load){.nested = octets - 13}) ==
            (json_object_get_boolean(vec(v, "fits_with_500ms_margin")) ? 1u << window : 0),
        "%s", id);
}

static void payload_limits(struct json_object *v)
{
    unsigned n = (unsigned)vec_int(v, "n");

    ck_assert_int_eq(relay_up_max(255, n, 0), vec_int(v, "max_nested_up_app"));
    ck_assert_int_eq(relay_down_max(n, 255, 0), vec_int(v, "max_nested_down_app"));
    ck_assert_int_eq(relay_up_carries_join(n, 0),
                     json_object_get_boolean(vec(v, "join_request_fits")));
    ck_assert_int_eq(relay_down_phy_max(n, 0) >= LW_JOIN_ACCEPT_MAX,
                     json_object_get_boolean(vec(v, "join_accept_cflist_fits")));
}

/* What the functions say to the payloads that a server must not take; the rest of the list (MIC,
 * roles, the same frame twice) is for who knows devices. */
static void negative(struct json_object *v)
{
    static const struct {
        const char *what;
        enum drop drop;
    } expected[] = {
        {"ForwardUplinkReq FRMPayload shorter", DROP_MALFORMED_FRAME},
        {"ForwardUplinkReq with empty nested", DROP_MALFORMED_FRAME},
        {"nested MHDR is a Join-Accept", DROP_NOT_UPLINK},
        {"metadata DR not defined", DROP_UNKNOWN_CHANNEL},
        {"WORChannel code 2", DROP_NONE},
        {"nested MIC corrupted", DROP_NONE},
        {"nested DevAddr is the relay itself", DROP_NONE},
        {"same nested frame received once", DROP_MALFORMED_FRAME}, /* has no payload */
    };
    const char *what = vec_str(v, "what");
    struct relay_forward_uplink forward;
    uint8_t room[512];

    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (strncmp(what, expected[i].what, strlen(expected[i].what)) != 0)
            continue;
        ck_assert_msg(relay_forward_uplink_read(vec_hex(v, "frm_payload_plain", room), eu(),
                                                &forward) == expected[i].drop,
                      "%s", what);
        if (!strncmp(what, "WORChannel", 10))
            ck_assert_uint_eq(forward.metadata.wor_channel, RELAY_WOR_UNKNOWN);
        return;
    }
    ck_abort_msg("unknown: %s", what);
}

/* Of lists, each element; of objects, the whole. */
static const struct {
    const char *group;
    void (*run)(struct json_object *v);
    unsigned count;
} groups[] = {
    {"key_derivation", key_derivation, 6},
    {"wor_join", wor_join, 4},
    {"wor_uplink", wor_uplink, 4},
    {"wor_ack", wor_ack, 4},
    {"uplink_metadata", uplink_metadata, 6},
    {"forward_uplink", forward_uplink, 4},
    {"forward_downlink", forward_downlink, 3},
    {"relay_mac_frames", relay_mac_frames, 1},
    {"rxr", rxr, 5},
    {"ns_window_choice", ns_window_choice, 7},
    {"negative", negative, 8},
    {"_meta", NULL, 0},
    {"default_wor_channels", default_wor_channels, 13},
    {"mac_commands", NULL, 0}, /* test_lorawan_mac_vectors.c */
    {"timing", NULL, 0},       /* below */
    {"payload_limits", NULL, 0},
};

START_TEST(every_group)
{
    struct json_object *all = vec_load("relay.json");

    json_object_object_foreach(all, name, list)
    {
        size_t g = 0;

        while (g < sizeof(groups) / sizeof(groups[0]) && strcmp(groups[g].group, name) != 0)
            g++;
        ck_assert_msg(g < sizeof(groups) / sizeof(groups[0]), "unknown group %s", name);
        if (!groups[g].run)
            continue;
        ck_assert_msg(vec_count(list) == groups[g].count, "%s: %zu", name, vec_count(list));
        for (size_t i = 0; i < vec_count(list); i++)
            groups[g].run(vec_at(list, i));
    }
    json_object_put(all);
}
END_TEST

START_TEST(timing_and_sizes)
{
    struct json_object *all = vec_load("relay.json"), *timing = vec(all, "timing");
    struct json_object *sizes = vec(vec(all, "payload_limits"), "examples");

    constants(vec(timing, "constants_ms"));
    preamble_unsync(vec(timing, "preamble_unsync"));
    airtimes(vec(timing, "airtime_ms"));
    worked_sync_example(vec(timing, "worked_sync_example"));
    ck_assert_int_eq(json_object_object_length(timing), 4);
    ck_assert_uint_eq(vec_count(sizes), 8);
    for (size_t i = 0; i < vec_count(sizes); i++)
        payload_limits(vec_at(sizes, i));
    json_object_put(all);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_group, timing_and_sizes, NULL};

    return run_suite(suite_of("relay_vectors", tests));
}
