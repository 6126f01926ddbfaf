/*
 * The virtual gateway against the server's codec, which was written apart from it, and its queue.
 */
#include "gateway/semtech.h"
#include "lorawan/airtime.h"
#include "sim/gateway.h"
#include "tests/suite.h"

#include <string.h>

#define S      1000000
#define OFFSET 0xfff00000u /* the counter wraps after about a second */

static const uint8_t phy[] = {0x40, 1, 2, 3, 4, 0, 0, 0, 1, 2, 3, 4, 5};
static const struct data_rate sf7 = {
    .kind = MOD_LORA, .sf = 7, .coding_rate = 1, .bandwidth_hz = 125000};

static struct sim_gateway gateway(void)
{
    struct sim_gateway gw;

    sim_gateway_init(&gw, (struct lw_eui){0x0016c001ff10a235}, OFFSET);
    return gw;
}

/* ---- up -------------------------------------------------------------------------------------- */

struct told {
    struct semtech_rx rx[4];
    struct semtech_stat stat;
    unsigned rx_n, stat_n, dropped_n;
};

static void on_rx(void *ctx, const struct semtech_rx *rx)
{
    struct told *told = ctx;

    told->rx[told->rx_n++] = *rx;
}

static void on_drop(void *ctx, enum drop reason)
{
    struct told *told = ctx;

    (void)reason;
    told->dropped_n++;
}

static void on_stat(void *ctx, const struct semtech_stat *stat)
{
    struct told *told = ctx;

    told->stat = *stat;
    told->stat_n++;
}

static void read_push(struct wr *wr, struct told *told)
{
    struct semtech_sink sink = {on_rx, on_drop, on_stat, told};
    struct semtech_header header;

    *told = (struct told){0};
    ck_assert_int_eq(semtech_read_header(wr->start, wr_len(wr), &header), OK);
    ck_assert_uint_eq(header.id, SEMTECH_PUSH_DATA);
    ck_assert_uint_eq(header.gateway.v, 0x0016c001ff10a235);
    ck_assert_int_eq(
        semtech_read_push(wr->start + SEMTECH_HEADER, wr_len(wr) - SEMTECH_HEADER, &sink), OK);
}

START_TEST(the_server_reads_what_is_pushed)
{
    struct sim_gateway gw = gateway();
    uint8_t room[SIM_DATAGRAM_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct sim_heard heard[2] = {
        {.phy = {phy, sizeof(phy)},
         .end_us = 2 * S,
         .frequency_hz = 868100000,
         .rate = sf7,
         .stat = 1,
         .rssi_dbm = -107,
         .snr_cb = -55,
         .gps_ms = 1234567890123},
        {.phy = {phy, 1},
         .end_us = 3 * S,
         .frequency_hz = 869525001,
         .rate = {.kind = MOD_FSK, .bit_rate = 50000},
         .stat = -1,
         .utc_us = 1600000000123000},
    };
    struct told told;

    ck_assert_uint_gt(sim_gateway_push(&gw, heard, 2, &wr), 0);
    read_push(&wr, &told);
    ck_assert_uint_eq(told.rx_n + told.dropped_n, 2);
    const struct copy *copy = &told.rx[0].copy;

    ck_assert_mem_eq(told.rx[0].phy, phy, sizeof(phy));
    ck_assert_uint_eq(copy->tmst, OFFSET + 2 * S);
    ck_assert_uint_lt(copy->tmst, OFFSET); /* wrapped */
    ck_assert_uint_eq(copy->frequency_hz, 868100000);
    ck_assert(lw_rate_equal(&copy->rate, &sf7));
    ck_assert_int_eq(copy->rssi_dbm, -107);
    ck_assert_int_eq(copy->snr_cb, -55);
    ck_assert_uint_eq(copy->gps_ms, 1234567890123);
    ck_assert_uint_eq(copy->crc, CRC_OK);
}
END_TEST

START_TEST(statistics_are_since_the_last)
{
    struct sim_gateway gw = gateway();
    uint8_t room[SIM_DATAGRAM_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct sim_heard heard = {.phy = {phy, 13}, .frequency_hz = 868100000, .rate = sf7};
    struct sim_txpk txpk;
    struct told told;

    for (int i = 0; i < 2; i++) {
        wr = wr_of(room, sizeof(room));
        ck_assert_uint_gt(sim_gateway_push(&gw, &heard, 1, &wr), 0);
    }
    ck_assert_int_eq(
        sim_gateway_receive(&gw, 0, (struct bytes){(const uint8_t[]){2, 0, 1, 1}, 4}, &txpk),
        SIM_PUSH_ACK);
    wr = wr_of(room, sizeof(room));
    ck_assert_uint_gt(sim_gateway_stat(&gw, 1600000000000000, &wr), 0);
    read_push(&wr, &told);
    ck_assert_uint_eq(told.stat_n, 1);
    ck_assert_uint_eq(told.stat.rx, 2);
    ck_assert(told.stat.ack_rate == 50.0);
    wr = wr_of(room, sizeof(room));
    ck_assert_uint_gt(sim_gateway_stat(&gw, 1600000030000000, &wr), 0);
    read_push(&wr, &told);
    ck_assert_uint_eq(told.stat.rx, 0);
}
END_TEST

/* ---- down ------------------------------------------------------------------------------------ */

static enum sim_datagram order(struct sim_gateway *gw, int64_t now_us, int64_t start_us,
                               struct sim_txpk *txpk)
{
    struct rung rung = {.gateway = gw->eui,
                        .counter_us = sim_gateway_counter(gw, start_us),
                        .frequency_hz = 868300000,
                        .rate = sf7,
                        .eirp_dbm = 16,
                        .window = WINDOW_RX1};
    uint8_t room[SEMTECH_DOWN_MAX + 1];
    size_t n;

    ck_assert_int_eq(
        semtech_write_pull_resp(2, 0xabcd, &rung, (struct bytes){phy, sizeof(phy)}, room, &n), OK);
    return sim_gateway_receive(gw, now_us, (struct bytes){room, n}, txpk);
}

static struct semtech_tx_ack tx_ack(struct sim_gateway *gw, const struct sim_txpk *txpk)
{
    uint8_t room[256];
    struct wr wr = wr_of(room, sizeof(room));
    struct semtech_header header;
    struct semtech_tx_ack ack;
    size_t n = sim_gateway_tx_ack(gw, txpk, &wr);

    ck_assert_int_eq(semtech_read_header(room, n, &header), OK);
    ck_assert_uint_eq(header.id, SEMTECH_TX_ACK);
    ck_assert_uint_eq(header.token, 0xabcd);
    ck_assert_int_eq(semtech_read_tx_ack(room + SEMTECH_HEADER, n - SEMTECH_HEADER, &ack), OK);
    return ack;
}

START_TEST(it_reads_what_the_server_orders)
{
    struct sim_gateway gw = gateway();
    struct sim_txpk txpk;

    ck_assert_int_eq(order(&gw, S / 2, S + S / 2, &txpk), SIM_PULL_RESP); /* across the wrap */
    ck_assert_ptr_null(txpk.fault);
    ck_assert_int_eq(txpk.result, TX_OK);
    ck_assert_int_eq(txpk.start_us, S + S / 2);
    ck_assert_int_eq(txpk.lead_us, S);
    ck_assert_uint_eq(txpk.frequency_hz, 868300000);
    ck_assert(lw_rate_equal(&txpk.rate, &sf7));
    ck_assert_int_eq(txpk.power_dbm, 16);
    ck_assert_uint_eq(txpk.len, sizeof(phy));
    ck_assert_mem_eq(txpk.phy, phy, sizeof(phy));
    ck_assert_int_eq(tx_ack(&gw, &txpk).result, TX_OK);
}
END_TEST

START_TEST(the_queue_refuses)
{
    struct sim_gateway gw = gateway();
    struct sim_txpk txpk;

    order(&gw, 0, 42500, &txpk);
    ck_assert_int_eq(txpk.result, TX_TOO_LATE);
    ck_assert_int_eq(tx_ack(&gw, &txpk).result, TX_TOO_LATE);
    order(&gw, S, S - 1, &txpk); /* passed: the reference says too early */
    ck_assert_int_eq(txpk.result, TX_TOO_EARLY);
    order(&gw, 0, 513 * (int64_t)S, &txpk);
    ck_assert_int_eq(txpk.result, TX_TOO_EARLY);
    order(&gw, 0, S, &txpk);
    ck_assert_int_eq(txpk.result, TX_OK);
    int64_t end_us = txpk.end_us;

    order(&gw, 0, end_us + 42499, &txpk);
    ck_assert_int_eq(txpk.result, TX_COLLISION_PACKET);
    order(&gw, 0, end_us + 42500, &txpk);
    ck_assert_int_eq(txpk.result, TX_OK);
    ck_assert_uint_eq(gw.jit_n, 2);
    order(&gw, 10 * S, 11 * S, &txpk); /* what was sent is forgotten */
    ck_assert_uint_eq(gw.jit_n, 1);
}
END_TEST

START_TEST(errors_on_demand)
{
    struct sim_gateway gw = gateway();
    struct sim_txpk txpk;
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));

    for (uint8_t result = TX_TOO_LATE; result <= TX_GPS_UNLOCKED; result++) {
        gw.next_result = result;
        gw.next_result_count = 1;
        order(&gw, 0, S, &txpk);
        ck_assert_int_eq(tx_ack(&gw, &txpk).result, result);
    }
    ck_assert_uint_eq(gw.jit_n, 0);
    order(&gw, 0, S, &txpk);
    ck_assert_int_eq(txpk.result, TX_OK);
    gw.mute = true;
    ck_assert_uint_eq(sim_gateway_tx_ack(&gw, &txpk, &wr), 0);
    gw.mute = false;
    gw.version = 1;
    ck_assert_uint_eq(sim_gateway_tx_ack(&gw, &txpk, &wr), 0);
}
END_TEST

#define GOOD                                                                                       \
    "\"tmst\":5,\"freq\":868.1,\"rfch\":0,\"modu\":\"LORA\",\"datr\":\"SF9BW125\","                \
    "\"codr\":\"4/5\",\"ipol\":true,\"ncrc\":true"

START_TEST(faults_have_names)
{
    static const struct {
        const char *json, *fault;
    } rows[] = {
        {"{\"txpk\":{" GOOD ",\"size\":1,\"data\":\"AA==\"}}", NULL},
        {"{ \"txpk\" : { " GOOD " , \"size\" : 1 , \"data\" : \"AA\" } }", NULL},
        {"{\"txpk\":{" GOOD ",\"size\":2,\"data\":\"AA==\"}}", "size is not the length of data"},
        {"{\"txpk\":{" GOOD ",\"data\":\"AA==\"}}", "a mandatory member is missing"},
        {"{\"txpk\":{" GOOD ",\"size\":1,\"data\":\"A\"}}", "data is no base64 or too long"},
        {"{\"txpk\":{" GOOD ",\"ncrc\":false,\"size\":1,\"data\":\"AA==\"}}", "ncrc is not true"},
        {"{\"txpk\":{" GOOD ",\"ipol\":false,\"size\":1,\"data\":\"AA==\"}}", "ipol is not true"},
        {"{\"txpk\":{" GOOD ",\"tmst\":4294967296,\"size\":1,\"data\":\"AA==\"}}",
         "tmst exceeds 32 bits"},
        {"{\"txpk\":{" GOOD ",\"datr\":\"SF9\",\"size\":1,\"data\":\"AA==\"}}",
         "datr is malformed"},
        {"{\"txpk\":{" GOOD ",\"size\":1,\"data\":\"AA==\"}", "malformed JSON"},
        {"{\"txpk\":{" GOOD ",\"size\":", "malformed JSON"},
        {"{\"rxpk\":{}}", "not a txpk"},
        {"", "not a txpk"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim_txpk txpk = {0};
        const char *fault = sim_txpk_read(rows[i].json, strlen(rows[i].json), &txpk);

        if (rows[i].fault)
            ck_assert_str_eq(fault ? fault : "none", rows[i].fault);
        else
            ck_assert_msg(!fault, "%s: %s", rows[i].json, fault);
    }
}
END_TEST

START_TEST(other_datagrams)
{
    static const uint8_t pull_ack[] = {2, 0, 1, 4}, old[] = {1, 0, 1, 4}, odd[] = {2, 0, 1, 9};
    struct sim_gateway gw = gateway();
    struct sim_txpk txpk;

    ck_assert_int_eq(sim_gateway_receive(&gw, 0, (struct bytes){pull_ack, 4}, &txpk), SIM_PULL_ACK);
    ck_assert_int_eq(sim_gateway_receive(&gw, 0, (struct bytes){old, 4}, &txpk), SIM_BAD_DATAGRAM);
    ck_assert_int_eq(sim_gateway_receive(&gw, 0, (struct bytes){odd, 4}, &txpk), SIM_BAD_DATAGRAM);
    ck_assert_int_eq(sim_gateway_receive(&gw, 0, (struct bytes){odd, 2}, &txpk), SIM_BAD_DATAGRAM);
}
END_TEST

int main(void)
{
    /* clang-format off */
    const TTest *const tests[] = {
        the_server_reads_what_is_pushed, statistics_are_since_the_last,
        it_reads_what_the_server_orders, the_queue_refuses, errors_on_demand, faults_have_names,
        other_datagrams, NULL};
    /* clang-format on */

    return run_suite(suite_of("sim_gateway", tests));
}
