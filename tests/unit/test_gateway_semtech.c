/* The Semtech UDP codec: headers, every key, the field's quirks, what is malformed, PULL_RESP. */
#include "gateway/semtech.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

struct seen {
    struct semtech_rx rx[8];
    size_t n, stats;
    enum drop drops[8];
    size_t dropped;
    struct semtech_stat stat;
    enum err err;
};

static void on_rx(void *ctx, const struct semtech_rx *rx)
{
    struct seen *seen = ctx;

    if (seen->n < 8)
        seen->rx[seen->n] = *rx;
    seen->n++;
}

static void on_drop(void *ctx, enum drop reason)
{
    struct seen *seen = ctx;

    if (seen->dropped < 8)
        seen->drops[seen->dropped] = reason;
    seen->dropped++;
}

static void on_stat(void *ctx, const struct semtech_stat *stat)
{
    struct seen *seen = ctx;

    seen->stat = *stat;
    seen->stats++;
}

static struct seen read_octets(const void *json, size_t n)
{
    struct seen seen = {0};
    struct semtech_sink sink = {.rx = on_rx, .dropped = on_drop, .stat = on_stat, .ctx = &seen};

    seen.err = semtech_read_push(json, n, &sink);
    return seen;
}

static struct seen read_json(const char *json)
{
    return read_octets(json, strlen(json));
}

/* One rxpk with the mandatory keys and what the test adds or repeats (the last one counts). */
static struct seen read_with(const char *members)
{
    char json[4096];

    (void)snprintf(json, sizeof(json),
                   "{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\","
                   "\"codr\":\"4/5\",\"data\":\"AQID\"%s%s}]}",
                   *members ? "," : "", members);
    return read_json(json);
}

static void check_dropped(const char *members, enum drop reason)
{
    struct seen seen = read_with(members);

    ck_assert_msg(seen.err == OK && seen.n == 0 && seen.dropped == 1 && seen.drops[0] == reason,
                  "%s", members);
}

START_TEST(headers_have_exact_lengths)
{
    const uint8_t push[] = {2, 0xab, 0xcd, 0, 0x70, 0xb3, 0xd5, 0x7e, 0xd0, 0, 0x11, 0x22, '{'};
    struct semtech_header h;
    uint8_t d[13], ack[SEMTECH_ACK];

    ck_assert_int_eq(semtech_read_header(push, sizeof(push), &h), OK);
    ck_assert_uint_eq(h.version, 2);
    ck_assert_uint_eq(h.id, SEMTECH_PUSH_DATA);
    ck_assert_uint_eq(h.token, 0xabcd);
    ck_assert(h.gateway.v == 0x70b3d57ed0001122);
    semtech_write_ack(&h, ack);
    ck_assert_mem_eq(ack, "\x02\xab\xcd\x01", 4);
    ck_assert_int_eq(semtech_read_header(push, 12, &h), OK);
    ck_assert_int_eq(semtech_read_header(push, 11, &h), ERR_MALFORMED);
    memcpy(d, push, sizeof(d));
    d[3] = SEMTECH_PULL_DATA;
    d[0] = 1;
    ck_assert_int_eq(semtech_read_header(d, 12, &h), OK);
    semtech_write_ack(&h, ack);
    ck_assert_mem_eq(ack, "\x01\xab\xcd\x04", 4);
    ck_assert_int_eq(semtech_read_header(d, 13, &h), ERR_MALFORMED);
    d[0] = 3;
    ck_assert_int_eq(semtech_read_header(d, 12, &h), ERR_MALFORMED);
    d[0] = 0;
    ck_assert_int_eq(semtech_read_header(d, 12, &h), ERR_MALFORMED);
    d[0] = 2;
    for (int id = 0; id < 256; id++) {
        bool ours = id == SEMTECH_PUSH_DATA || id == SEMTECH_TX_ACK;

        d[3] = (uint8_t)id;
        ck_assert_int_eq(semtech_read_header(d, 13, &h), ours ? OK : ERR_MALFORMED);
    }
}
END_TEST

START_TEST(every_key_of_an_rxpk)
{
    struct seen seen = read_json(
        "{\"rxpk\":[{\"jver\":1,\"tmst\":3512348611,\"time\":\"2020-10-01T09:30:52.592567Z\","
        "\"tmms\":1285579870592,\"ftime\":123456789,\"chan\":2,\"rfch\":1,\"brd\":3,\"ant\":4,"
        "\"mid\": 2,\"freq\":866.349812,\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF12BW500\","
        "\"codr\":\"4/7\",\"rssi\":-135,\"rssis\":-136,\"lsnr\":-17.5,\"foff\":-1024,\"size\":3,"
        "\"aesk\":1,\"meta\":{\"a\":[1,{\"b\":null}],\"c\":\"\\\"}\"},\"fdd\":true,"
        "\"data\":\"AQID\"}]}");
    const struct copy *c = &seen.rx[0].copy;

    ck_assert_int_eq(seen.err, OK);
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_uint_eq(seen.dropped, 0);
    ck_assert_uint_eq(c->tmst, 3512348611u);
    ck_assert_uint_eq(c->frequency_hz, 866349812);
    ck_assert_uint_eq(c->rate.kind, MOD_LORA);
    ck_assert_uint_eq(c->rate.sf, 12);
    ck_assert_uint_eq(c->rate.bandwidth_hz, 500000);
    ck_assert_uint_eq(c->rate.coding_rate, 3);
    ck_assert_int_eq(c->rssi_dbm, -135);
    ck_assert_int_eq(c->snr_cb, -175);
    ck_assert_uint_eq(c->channel, 2);
    ck_assert_uint_eq(c->rf_chain, 1);
    ck_assert_uint_eq(c->board, 3);
    ck_assert_uint_eq(c->antenna, 4);
    ck_assert_uint_eq(c->crc, CRC_OK);
    ck_assert_uint_eq(c->flags, COPY_HAS_TMMS | COPY_HAS_FINE | COPY_HAS_GW_TIME | COPY_HAS_SNR);
    ck_assert_uint_eq(c->fine_ns, 123456789);
    ck_assert(c->gps_ms == 1285579870592);
    ck_assert(c->gw_utc_us == 1601544652592567);
    ck_assert_uint_eq(seen.rx[0].phy_len, 3);
    ck_assert_mem_eq(seen.rx[0].phy, "\x01\x02\x03", 3);
}
END_TEST

START_TEST(frequencies_are_exact)
{
    static const struct {
        const char *text;
        uint32_t hz;
    } f[] = {
        {"\"freq\":868.1", 868100000},
        {"\"freq\":868.100000", 868100000},
        {"\"freq\":867.9", 867900000},
        {"\"freq\":902.3", 902300000},
        {"\"freq\":433.175", 433175000},
        {"\"freq\":8.681e2", 868100000},
        {"\"freq\":868100000E-6", 868100000},
        {"\"freq\":868.0999999999999", 868100000},
        {"\"freq\":868.1000004", 868100000},
        {"\"freq\":868.1000005", 868100001},
        {"\"freq\":2403", 2403000000u},
        {"\"freq\":\"868.3\"", 868300000},
        {"\"freq\":868.100000000000000000000000001", 868100000},
    };

    for (size_t i = 0; i < sizeof(f) / sizeof(f[0]); i++) {
        struct seen seen = read_with(f[i].text);

        ck_assert_uint_eq(seen.n, 1);
        ck_assert_uint_eq(seen.rx[0].copy.frequency_hz, f[i].hz);
    }
}
END_TEST

START_TEST(modulations)
{
    struct seen seen = read_with("\"modu\":\"fsk\",\"datr\":50000,\"codr\":null");

    ck_assert_uint_eq(seen.rx[0].copy.rate.kind, MOD_FSK);
    ck_assert_uint_eq(seen.rx[0].copy.rate.bit_rate, 50000);
    ck_assert(!(seen.rx[0].copy.flags & COPY_HAS_SNR));
    seen = read_with("\"modu\":\"FSK\",\"datr\":\"50000\"");
    ck_assert_uint_eq(seen.rx[0].copy.rate.bit_rate, 50000);
    seen = read_with("\"modu\":\"LR-FHSS\",\"datr\":\"M0CW137\",\"codr\":\"2/6\",\"hpw\":8");
    ck_assert_uint_eq(seen.rx[0].copy.rate.kind, MOD_LR_FHSS);
    ck_assert_uint_eq(seen.rx[0].copy.rate.bandwidth_hz, 137000);
    ck_assert_uint_eq(seen.rx[0].copy.rate.coding_rate, 1);
    ck_assert_uint_eq(seen.rx[0].copy.rate.grid_steps, 8);
    seen = read_with("\"modu\":\"lr-fhss\",\"datr\":\"M0CW1523\",\"codr\":\"4/6\"");
    ck_assert_uint_eq(seen.rx[0].copy.rate.bandwidth_hz, 1523000);
    ck_assert_uint_eq(seen.rx[0].copy.rate.coding_rate, 2);
    seen = read_with("\"modu\":\"Lora\",\"datr\":\"SF5BW812\",\"codr\":\"4/8LI\"");
    ck_assert_uint_eq(seen.rx[0].copy.rate.bandwidth_hz, 812500);
    ck_assert_uint_eq(seen.rx[0].copy.rate.coding_rate, 4);
    seen = read_with("\"modu\":null,\"datr\":\"SF9BW250\"");
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_uint_eq(seen.rx[0].copy.rate.sf, 9);
}
END_TEST

START_TEST(code_rates_and_their_other_names)
{
    static const struct {
        const char *text;
        uint8_t cr;
    } c[] = {
        {"\"codr\":\"4/5\"", 1}, {"\"codr\":\"4/6\"", 2},   {"\"codr\":\"2/3\"", 2},
        {"\"codr\":\"4/7\"", 3}, {"\"codr\":\"4/8\"", 4},   {"\"codr\":\"1/2\"", 4},
        {"\"codr\":\"2/4\"", 4}, {"\"codr\":\"4/6LI\"", 2},
    };

    for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
        struct seen seen = read_with(c[i].text);

        ck_assert_uint_eq(seen.n, 1);
        ck_assert_uint_eq(seen.rx[0].copy.rate.coding_rate, c[i].cr);
    }
    check_dropped("\"codr\":\"OFF\"", DROP_MALFORMED_RXPK);
    check_dropped("\"codr\":\"4/9\"", DROP_MALFORMED_RXPK);
}
END_TEST

START_TEST(payloads)
{
    struct seen seen;
    char big[600];

    ck_assert_uint_eq(read_with("\"data\":\"AQI=\"").rx[0].phy_len, 2);
    ck_assert_uint_eq(read_with("\"data\":\"AQI\"").rx[0].phy_len, 2);
    seen = read_with("\"data\":\"-_8\"");
    ck_assert_mem_eq(seen.rx[0].phy, "\xfb\xff", 2);
    seen = read_with("\"data\":\"+\\/8=\"");
    ck_assert_uint_eq(seen.rx[0].phy_len, 2);
    ck_assert_mem_eq(seen.rx[0].phy, "\xfb\xff", 2);
    seen = read_with("\"data\":\"\\u0041QID\"");
    ck_assert_mem_eq(seen.rx[0].phy, "\x01\x02\x03", 3);
    (void)snprintf(big, sizeof(big), "\"data\":\"%0340d\"", 0);
    ck_assert_uint_eq(read_with(big).rx[0].phy_len, 255);
    (void)snprintf(big, sizeof(big), "\"data\":\"%0344d\"", 0);
    check_dropped(big, DROP_MALFORMED_RXPK);
    check_dropped("\"data\":\"\"", DROP_MALFORMED_RXPK);
    check_dropped("\"data\":\"A\"", DROP_MALFORMED_RXPK);
    check_dropped("\"data\":\"A QID\"", DROP_MALFORMED_RXPK);
}
END_TEST

START_TEST(what_makes_an_rxpk_useless)
{
    static const char *const bad[] = {
        "\"tmst\":-1",
        "\"tmst\":4294967296",
        "\"freq\":0",
        "\"freq\":-868.1",
        "\"freq\":99999",
        "\"datr\":\"SF4BW125\"",
        "\"datr\":\"SF13BW125\"",
        "\"datr\":\"SF7BW126\"",
        "\"datr\":\"SF7BW125x\"",
        "\"datr\":\"SF7\"",
        "\"datr\":\"\"",
        "\"datr\":50000",
        "\"modu\":\"QPSK\"",
        "\"modu\":\"FSK\"",
        "\"modu\":\"FSK\",\"datr\":0",
        "\"modu\":\"LR-FHSS\"",
        "\"modu\":\"LR-FHSS\",\"datr\":\"M0CW\"",
        "\"modu\":\"LR-FHSS\",\"datr\":137",
    };
    struct seen seen;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_dropped(bad[i], DROP_MALFORMED_RXPK);
    check_dropped("\"stat\":-1", DROP_BAD_CRC);
    check_dropped("\"stat\":0,\"data\":\"A\"", DROP_BAD_CRC);
    seen = read_json("{\"rxpk\":[{},7,{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\"},"
                     "{\"tmst\":0,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"AQID\"}]}");
    ck_assert_int_eq(seen.err, OK);
    ck_assert_uint_eq(seen.dropped, 3);
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_uint_eq(seen.rx[0].copy.tmst, 0);
}
END_TEST

START_TEST(minor_members_of_a_wrong_kind_do_not_matter)
{
    struct seen seen = read_with("\"rssi\":\"weak\",\"lsnr\":null,\"chan\":{},\"brd\":[[]],"
                                 "\"time\":\"\",\"tmms\":\"no\",\"rsig\":3,\"ftime\":-5,"
                                 "\"rssi\":-40.6,\"lsnr\":\"7.25\"");

    ck_assert_uint_eq(seen.n, 1);
    ck_assert_int_eq(seen.rx[0].copy.rssi_dbm, -41);
    ck_assert_int_eq(seen.rx[0].copy.snr_cb, 73);
    ck_assert_uint_eq(seen.rx[0].copy.flags, COPY_HAS_SNR);
}
END_TEST

START_TEST(one_copy_for_each_antenna)
{
    struct seen seen =
        read_with("\"chan\":7,\"rssi\":-1,\"brd\":2,\"aesk\":0,\"rsig\":["
                  "{\"ant\":0,\"chan\":3,\"rssic\":-60,\"rssis\":-61,\"rssisd\":1,\"lsnr\":9.5,"
                  "\"etime\":\"AAECAwQFBgcICQoLDA0ODw==\",\"ftime\":17,\"foff\":3,\"ftver\":1},"
                  "5,{\"ant\":1,\"chan\":11,\"rssic\":-70,\"lsnr\":-2.0}]");

    ck_assert_uint_eq(seen.n, 2);
    ck_assert_uint_eq(seen.rx[0].copy.antenna, 0);
    ck_assert_uint_eq(seen.rx[0].copy.channel, 3);
    ck_assert_int_eq(seen.rx[0].copy.rssi_dbm, -60);
    ck_assert_int_eq(seen.rx[0].copy.snr_cb, 95);
    ck_assert_uint_eq(seen.rx[0].copy.fine_ns, 17);
    ck_assert_uint_eq(seen.rx[1].copy.antenna, 1);
    ck_assert_uint_eq(seen.rx[1].copy.channel, 11);
    ck_assert_int_eq(seen.rx[1].copy.rssi_dbm, -70);
    ck_assert_int_eq(seen.rx[1].copy.snr_cb, -20);
    ck_assert(!(seen.rx[1].copy.flags & COPY_HAS_FINE));
    ck_assert_uint_eq(seen.rx[1].copy.board, 2);
    ck_assert_mem_eq(seen.rx[1].phy, "\x01\x02\x03", 3);
}
END_TEST

START_TEST(stat_is_read_leniently)
{
    struct seen seen = read_json(
        "{\"stat\":{\"time\":\"2014-01-12 08:59:28 GMT\",\"lati\":46.24,\"long\":3.2523,"
        "\"alti\":145.5,\"rxnb\":2,\"rxok\":\"2\",\"rxfw\":1,\"ackr\":97.5,\"dwnb\":3,\"txnb\":-4,"
        "\"temp\":23.4,\"hver\":{\"fpga\":1},\"mail\":\"a@b\"}}");

    ck_assert_int_eq(seen.err, OK);
    ck_assert_uint_eq(seen.stats, 1);
    ck_assert_uint_eq(seen.stat.flags,
                      SEMTECH_STAT_LOCATION | SEMTECH_STAT_ACKR | SEMTECH_STAT_TEMP);
    ck_assert_double_eq_tol(seen.stat.latitude, 46.24, 1e-9);
    ck_assert_double_eq_tol(seen.stat.longitude, 3.2523, 1e-9);
    ck_assert_double_eq_tol(seen.stat.altitude, 145.5, 1e-9);
    ck_assert_double_eq_tol(seen.stat.ack_rate, 97.5, 1e-9);
    ck_assert_double_eq_tol(seen.stat.temperature, 23.4, 1e-9);
    ck_assert_uint_eq(seen.stat.rx, 2);
    ck_assert_uint_eq(seen.stat.rx_ok, 2);
    ck_assert_uint_eq(seen.stat.rx_forwarded, 1);
    ck_assert_uint_eq(seen.stat.down, 3);
    ck_assert_uint_eq(seen.stat.tx, 0);
    ck_assert_uint_eq(read_json("{\"stat\":{\"lati\":0,\"long\":0}}").stat.flags, 0);
    ck_assert_uint_eq(read_json("{\"stat\":{\"lati\":10.0005,\"long\":20}}").stat.flags, 0);
    ck_assert_uint_eq(read_json("{\"stat\":{\"lati\":91,\"long\":20}}").stat.flags, 0);
    ck_assert_uint_eq(read_json("{\"stat\":\"ok\"}").stats, 0);
}
END_TEST

START_TEST(a_broken_stat_costs_no_rxpk)
{
    struct seen seen = read_json("{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\","
                                 "\"data\":\"AQID\"}],\"stat\":{\"lati\":\"north\",\"rxnb\":[1]}}");

    ck_assert_int_eq(seen.err, OK);
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_uint_eq(seen.stats, 1);
    seen = read_json("{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\","
                     "\"data\":\"AQID\"}],\"stat\":{\"lati\":}}");
    ck_assert_int_eq(seen.err, ERR_MALFORMED);
    ck_assert_uint_eq(seen.n, 1);
    ck_assert_uint_eq(seen.stats, 0);
}
END_TEST

START_TEST(malformed_json)
{
    static const char *const bad[] = {
        "",
        "   ",
        "[]",
        "7",
        "{",
        "{\"",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\":1}x",
        "{\"a\":1}{}",
        "{a:1}",
        "{\"a\":tru}",
        "{\"a\":nulx}",
        "{\"a\":-}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":\"\\",
        "{\"a\":+1}",
        "{\"rxpk\":[}",
        "{\"rxpk\":[{]}",
        "{\"rxpk\":[{}",
        "{\"a\":[[[[[[[[[[[[1]]]]]]]]]]]]}",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct seen seen = read_json(bad[i]);

        ck_assert_msg(seen.err == ERR_MALFORMED && seen.n == 0, "%s", bad[i]);
    }
    ck_assert_int_eq(read_octets("{\"a\":\"b\0c\"}", 11).err, ERR_MALFORMED);
    ck_assert_int_eq(read_octets("{}\0\0", 4).err, OK);
    ck_assert_int_eq(read_json(" { \"a\" : [ 1 , [ ] , { } , true , false , null ] } \n").err, OK);
}
END_TEST

START_TEST(every_prefix_of_a_datagram_is_malformed)
{
    const char *json = "{\"rxpk\":[{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":"
                       "\"AQID\",\"rsig\":[{\"ant\":1}]}],\"stat\":{\"rxnb\":1}}";

    for (size_t n = 0; n < strlen(json); n++) {
        char *cut = malloc(n + 1); /* exact, so that a read past the end is caught */
        struct seen seen;

        memcpy(cut, json, n);
        seen = read_octets(cut, n);
        ck_assert_int_eq(seen.err, ERR_MALFORMED);
        free(cut);
    }
}
END_TEST

START_TEST(no_more_than_255_rxpk)
{
    static const char one[] = "{\"tmst\":1,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"AQID\"}";
    size_t room = 300 * sizeof(one), n;
    char *json = malloc(room);
    struct seen seen;

    n = (size_t)snprintf(json, room, "{\"rxpk\":[%s", one);
    for (int i = 1; i < 257; i++)
        n += (size_t)snprintf(json + n, room - n, ",%s", one);
    n += (size_t)snprintf(json + n, room - n, "]}");
    seen = read_octets(json, n);
    ck_assert_int_eq(seen.err, OK);
    ck_assert_uint_eq(seen.n, 255);
    ck_assert_uint_eq(seen.dropped, 2);
    free(json);
}
END_TEST

START_TEST(tx_acks)
{
    static const struct {
        const char *json;
        enum tx_result result;
        bool warned;
    } t[] = {
        {"", TX_OK, false},
        {"{}", TX_OK, false},
        {"{\"txpk_ack\":{}}", TX_OK, false},
        {"{\"txpk_ack\":{\"error\":\"NONE\"}}", TX_OK, false},
        {"{\"txpk_ack\":{\"error\":null}}", TX_OK, false},
        {"{\"txpk_ack\":{\"error\":\"TOO_LATE\"}}", TX_TOO_LATE, false},
        {"{\"txpk_ack\":{\"error\":\"TOO_EARLY\"}}", TX_TOO_EARLY, false},
        {"{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}", TX_COLLISION_PACKET, false},
        {"{\"txpk_ack\":{\"error\":\"COLLISION_BEACON\"}}", TX_COLLISION_BEACON, false},
        {"{\"txpk_ack\":{\"error\":\"TX_FREQ\"}}", TX_FREQ, false},
        {"{\"txpk_ack\":{\"error\":\"TX_POWER\"}}", TX_POWER, false},
        {"{\"txpk_ack\":{\"error\":\"GPS_UNLOCKED\"}}", TX_GPS_UNLOCKED, false},
        {"{\"txpk_ack\":{\"error\":\"UNKNOWN\"}}", TX_UNKNOWN, false},
        {"{\"txpk_ack\":{\"error\":\"anything\"}}", TX_UNKNOWN, false},
        {" {\"x\":[1],\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}} ", TX_OK, true},
    };
    struct semtech_tx_ack ack;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        ck_assert_int_eq(semtech_read_tx_ack(t[i].json, strlen(t[i].json), &ack), OK);
        ck_assert_msg(ack.result == t[i].result && ack.warned == t[i].warned, "%s", t[i].json);
    }
    ck_assert(ack.has_value);
    ck_assert_double_eq_tol(ack.value, 20, 1e-9);
    ck_assert_int_eq(semtech_read_tx_ack("\0", 1, &ack), OK);
    ck_assert_int_eq(ack.result, TX_OK);
    ck_assert_int_eq(semtech_read_tx_ack("{\"txpk_ack\":{", 13, &ack), ERR_MALFORMED);
    ck_assert_int_eq(semtech_read_tx_ack("7", 1, &ack), ERR_MALFORMED);
}
END_TEST

static void check_resp(uint8_t version, const struct rung *rung, const char *text)
{
    uint8_t to[SEMTECH_DOWN_MAX + 1] = {0};
    const uint8_t phy[] = {0x60, 0xff, 0x01};
    size_t n = 0;

    ck_assert_int_eq(semtech_write_pull_resp(version, 0xbeef, rung,
                                             (struct bytes){.p = phy, .n = sizeof(phy)}, to, &n),
                     OK);
    ck_assert_mem_eq(to, version == 1 ? "\x01\x00\x00\x03" : "\x02\xbe\xef\x03", 4);
    ck_assert_str_eq((const char *)to + 4, text);
    ck_assert_uint_eq(n, 4 + strlen(text));
}

START_TEST(pull_resp_text)
{
    struct rung rung = {
        .counter_us = 0x100000000,
        .frequency_hz = 869525000,
        .eirp_dbm = 27,
        .rate = {.kind = MOD_LORA, .sf = 12, .bandwidth_hz = 125000, .coding_rate = 1}};

    check_resp(2, &rung,
               "{\"txpk\":{\"tmst\":0,\"freq\":869.525000,\"rfch\":0,\"brd\":0,\"ant\":0,"
               "\"powe\":27,\"modu\":\"LORA\",\"datr\":\"SF12BW125\",\"codr\":\"4/5\","
               "\"ipol\":true,\"ncrc\":true,\"size\":3,\"data\":\"YP8B\"}}");
    rung.window = WINDOW_NOW;
    rung.eirp_dbm = -3;
    rung.board = 1;
    rung.antenna = 2;
    rung.rate = (struct data_rate){.kind = MOD_FSK, .bit_rate = 50000};
    check_resp(1, &rung,
               "{\"txpk\":{\"imme\":true,\"freq\":869.525000,\"rfch\":0,\"brd\":1,\"ant\":2,"
               "\"powe\":0,\"modu\":\"FSK\",\"datr\":50000,\"fdev\":25000,\"ipol\":true,"
               "\"size\":3,\"data\":\"YP8B\"}}");
    rung.window = WINDOW_RX1;
    rung.counter_us = 0xffffffff;
    rung.frequency_hz = 2403000000u;
    rung.rate =
        (struct data_rate){.kind = MOD_LORA, .sf = 7, .bandwidth_hz = 812500, .coding_rate = 4};
    check_resp(2, &rung,
               "{\"txpk\":{\"tmst\":4294967295,\"freq\":2403.000000,\"rfch\":0,\"brd\":1,"
               "\"ant\":2,\"powe\":0,\"modu\":\"LORA\",\"datr\":\"SF7BW812\",\"codr\":\"4/8LI\","
               "\"ipol\":true,\"ncrc\":true,\"size\":3,\"data\":\"YP8B\"}}");
}
END_TEST

START_TEST(pull_resp_limits)
{
    struct rung rung = {
        .counter_us = 0xffffffff,
        .frequency_hz = 4294967295u,
        .eirp_dbm = 127,
        .board = 255,
        .antenna = 255,
        .rate = {.kind = MOD_LORA, .sf = 12, .bandwidth_hz = 1625000, .coding_rate = 4}};
    uint8_t to[SEMTECH_DOWN_MAX + 1], phy[256] = {0};
    size_t n = 0;

    ck_assert_int_eq(
        semtech_write_pull_resp(2, 1, &rung, (struct bytes){.p = phy, .n = 255}, to, &n), OK);
    ck_assert_uint_le(n, SEMTECH_DOWN_MAX);
    ck_assert_int_eq(
        semtech_write_pull_resp(2, 1, &rung, (struct bytes){.p = phy, .n = 256}, to, &n),
        ERR_LIMIT);
    rung.rate.kind = MOD_LR_FHSS;
    ck_assert_int_eq(semtech_write_pull_resp(2, 1, &rung, (struct bytes){.p = phy, .n = 3}, to, &n),
                     ERR_UNSUPPORTED);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {headers_have_exact_lengths,
                                  every_key_of_an_rxpk,
                                  frequencies_are_exact,
                                  modulations,
                                  code_rates_and_their_other_names,
                                  payloads,
                                  what_makes_an_rxpk_useless,
                                  minor_members_of_a_wrong_kind_do_not_matter,
                                  one_copy_for_each_antenna,
                                  stat_is_read_leniently,
                                  a_broken_stat_costs_no_rxpk,
                                  malformed_json,
                                  every_prefix_of_a_datagram_is_malformed,
                                  no_more_than_255_rxpk,
                                  tx_acks,
                                  pull_resp_text,
                                  pull_resp_limits,
                                  NULL};

    return run_suite(suite_of("semtech", tests));
}
