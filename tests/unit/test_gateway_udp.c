/* The UDP worker through its in-process end, under a clock that stands; and once a real socket. */
#include "core/arena.h"
#include "core/log.h"
#include "gateway/count.h"
#include "gateway/semtech.h"
#include "gateway/socket.h"
#include "gateway/udp.h"
#include "region/region.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define S    ((int64_t)US_PER_S)
#define MS   ((int64_t)US_PER_MS)
#define MAX  64
#define GW   0x70b3d57ed0001122
#define RXPK "{\"rxpk\":[{\"tmst\":%u,\"freq\":%s,\"datr\":\"SF7BW125\",\"data\":\"AQID\"}]}"

struct bench {
    struct clock_double clock;
    struct udp *udp;
    struct worker owner;
    struct {
        struct address to;
        char data[1000];
        size_t n;
    } sent[MAX];
    size_t sent_count;
    struct copy copies[MAX];
    size_t copy_count, chains;
    uint64_t drops[DROP_COUNT];
    size_t seen, adopted;
    struct tx_outcome outcomes[MAX];
    size_t outcome_count;
    struct gateway_status status;
    struct unknown_query *unknown;
};

static void on_send(void *ctx, const struct address *to, const void *data, size_t n)
{
    struct bench *b = ctx;

    ck_assert_uint_lt(b->sent_count, MAX);
    memset(b->sent[b->sent_count].data, 0, sizeof(b->sent[0].data));
    memcpy(b->sent[b->sent_count].data, data, n);
    b->sent[b->sent_count].n = n;
    b->sent[b->sent_count++].to = *to;
}

static void on_heard(void *ctx, struct heard *chain, size_t count)
{
    struct bench *b = ctx;

    b->chains++;
    for (size_t i = 0; i < count; i++) {
        struct heard *next = (struct heard *)chain->mail.next;

        ck_assert(chain->key == heard_key(chain->phy, chain->phy_len, chain->copy.region));
        ck_assert_uint_eq(chain->phy_len, 3);
        b->copies[b->copy_count++] = chain->copy;
        free(chain);
        chain = next;
    }
    ck_assert_ptr_null(chain);
}

static bool on_channel(void *ctx, struct copy *copy)
{
    (void)ctx;
    if (copy->frequency_hz != 868100000)
        return false;
    if (copy->region == GATEWAY_REGION_UNSET)
        copy->region = REGION_EU868;
    copy->dr = 5;
    return true;
}

static void on_seen(void *ctx, struct lw_eui id, int64_t utc_us)
{
    ck_assert(id.v && utc_us);
    ((struct bench *)ctx)->seen++;
}

static void on_adopted(void *ctx, struct lw_eui id, const struct address *from)
{
    ck_assert(id.v && from->port);
    ((struct bench *)ctx)->adopted++;
}

static void on_dropped(void *ctx, struct lw_eui gateway, enum drop reason)
{
    (void)gateway;
    ((struct bench *)ctx)->drops[reason]++;
}

static size_t on_bands(void *ctx, uint8_t region, const struct gateway_band **bands)
{
    static const struct gateway_band all[] = {
        {.min_hz = 868000000, .max_hz = 868600000, .ppm = 10000},
        {.min_hz = 923000000, .max_hz = 923500000, .ppm = 10000}};

    (void)ctx;
    *bands = all;
    return region == GATEWAY_REGION_UNSET ? 2 : region == REGION_EU868 ? 1 : 0;
}

static const struct gateway_ops ops = {.duty_bands = on_bands,
                                       .heard = on_heard,
                                       .channel = on_channel,
                                       .seen = on_seen,
                                       .adopted = on_adopted,
                                       .dropped = on_dropped};

static int64_t now_of(struct bench *b)
{
    return clock_mono(&b->clock.clock);
}

/* Mail and timers of both workers until all is quiet. */
static void settle(struct bench *b)
{
    while (worker_step(udp_worker(b->udp), 0) + worker_step(&b->owner, 0))
        ;
}

static void advance(struct bench *b, int64_t us)
{
    clock_double_set(&b->clock, now_of(b) + us);
    settle(b);
}

static struct gateway_record record_of(uint64_t id)
{
    return (struct gateway_record){.id = {id},
                                   .rev = 1,
                                   .region = REGION_EU868,
                                   .max_eirp_dbm = GATEWAY_EIRP_NO_LIMIT,
                                   .stats_interval_s = 30};
}

static void put(struct bench *b, const struct gateway_record *record)
{
    udp_gateways_put(b->udp, record, 1);
    settle(b);
}

static struct bench *set_up(bool allow_unknown, uint32_t rate)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    struct udp_config config = {.allow_unknown = allow_unknown,
                                .unknown_record = record_of(0),
                                .datagrams_per_s = rate,
                                .send = on_send,
                                .send_ctx = b};
    struct gateway_record record = record_of(GW);

    config.unknown_record.region = GATEWAY_REGION_UNSET;
    clock_double_init(&b->clock, 10000 * S, 1700000000 * S);
    ck_assert_int_eq(udp_open(&config, &b->clock.clock, &ops, b, &b->udp), OK);
    worker_init(&b->owner, "owner", &b->clock.clock, b);
    put(b, &record);
    return b;
}

static void tear_down(struct bench *b)
{
    settle(b);
    udp_close(b->udp);
    (void)worker_step(&b->owner, 0);
    worker_fini(&b->owner);
    free(b->unknown);
    free(b);
}

static struct address at(const char *text)
{
    struct address address;

    ck_assert_int_eq(address_read(text, &address), OK);
    return address;
}

static size_t datagram(uint8_t *to, uint8_t id, uint16_t token, uint64_t gateway, const char *json)
{
    struct wr wr = wr_of(to, 2000);

    wr_u8(&wr, 2);
    wr_u16be(&wr, token);
    wr_u8(&wr, id);
    wr_u64be(&wr, gateway);
    wr_copy(&wr, json, strlen(json));
    return wr_len(&wr);
}

static uint16_t next_token;

static void input_as(struct bench *b, uint64_t gateway, const char *from, uint8_t id,
                     const char *json)
{
    uint8_t d[2000];
    struct address address = at(from);

    udp_input(b->udp, &address, d, datagram(d, id, ++next_token, gateway, json));
    settle(b);
}

static void input(struct bench *b, const char *from, uint8_t id, const char *json)
{
    input_as(b, GW, from, id, json);
}

static void uplink(struct bench *b, const char *from, uint32_t tmst)
{
    char json[200];

    (void)snprintf(json, sizeof(json), RXPK, tmst, "868.1");
    input(b, from, SEMTECH_PUSH_DATA, json);
}

static void keep_status(struct worker *worker, struct mail *mail)
{
    struct bench *b = worker->owner;

    b->status = ((struct gateway_query *)mail)->status[0];
    free(mail);
}

static const struct gateway_status *status_of(struct bench *b, uint64_t id)
{
    struct gateway_query *q = xcalloc(1, sizeof(*q) + sizeof(q->status[0]));

    q->reply_to = &b->owner;
    q->reply = keep_status;
    q->count = 1;
    q->status[0].id.v = id;
    udp_ask_status(b->udp, q);
    settle(b);
    return &b->status;
}

static void keep_unknown(struct worker *worker, struct mail *mail)
{
    struct bench *b = worker->owner;

    b->unknown = (struct unknown_query *)mail;
}

static const struct unknown_query *unknown_of(struct bench *b)
{
    struct unknown_query *q = xcalloc(1, sizeof(*q));

    free(b->unknown);
    q->reply_to = &b->owner;
    q->reply = keep_unknown;
    udp_ask_unknown(b->udp, q);
    settle(b);
    return b->unknown;
}

static void keep_outcome(struct worker *worker, struct mail *mail)
{
    struct bench *b = worker->owner;

    b->outcomes[b->outcome_count++] = *(struct tx_outcome *)mail;
    free(mail);
}

static void transmit(struct bench *b, uint64_t gateway, uint64_t counter_us)
{
    struct tx_request *r = xcalloc(1, sizeof(*r));

    r->reply_to = &b->owner;
    r->reply = keep_outcome;
    r->rung_count = 1;
    r->rungs[0] = (struct rung){
        .gateway = {gateway},
        .counter_us = counter_us,
        .start_us = now_of(b) + S,
        .window = counter_us ? WINDOW_RX1 : WINDOW_NOW,
        .frequency_hz = 868100000,
        .rate = {.kind = MOD_LORA, .sf = 7, .bandwidth_hz = 125000, .coding_rate = 1}};
    r->phy_len = 12;
    udp_transmit(b->udp, r);
    settle(b);
}

START_TEST(every_datagram_is_acknowledged)
{
    struct bench *b = set_up(false, 0);
    uint8_t d[64];
    struct address from = at("10.0.0.1:4000");

    udp_input(b->udp, &from, d, datagram(d, SEMTECH_PUSH_DATA, 0xbeef, GW, "no json"));
    ck_assert_uint_eq(b->sent_count, 1);
    ck_assert_uint_eq(b->sent[0].n, 4);
    ck_assert_mem_eq(b->sent[0].data, "\x02\xbe\xef\x01", 4);
    ck_assert(address_equal(&b->sent[0].to, &from));
    ck_assert_uint_eq(b->drops[DROP_MALFORMED_JSON], 1);
    udp_input(b->udp, &from, d, datagram(d, SEMTECH_PULL_DATA, 0xcafe, 99, ""));
    ck_assert_mem_eq(b->sent[1].data, "\x02\xca\xfe\x04", 4); /* strangers as well */
    udp_input(b->udp, &from, d, datagram(d, SEMTECH_TX_ACK, 1, GW, ""));
    udp_input(b->udp, &from, d, 11);
    ck_assert_uint_eq(b->sent_count, 2);
    ck_assert_uint_eq(b->drops[DROP_MALFORMED_DATAGRAM], 1);
    ck_assert_uint_eq(b->drops[DROP_TX_ACK_UNKNOWN], 1);
    tear_down(b);
}
END_TEST

START_TEST(copies_carry_what_the_gateway_does_not_say)
{
    struct bench *b = set_up(false, 0);

    input(b, "10.0.0.1:4000", SEMTECH_PUSH_DATA,
          "{\"rxpk\":[{\"tmst\":5,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"AQID\","
          "\"tmms\":1000},{\"tmst\":7,\"freq\":868.1,\"datr\":\"SF7BW125\",\"data\":\"AQID\"},"
          "{\"tmst\":8,\"freq\":433.1,\"datr\":\"SF7BW125\",\"data\":\"AQID\"}]}");
    ck_assert_uint_eq(b->copy_count, 2);
    ck_assert_uint_eq(b->chains, 1);
    ck_assert(b->copies[0].gateway.v == GW);
    ck_assert(b->copies[0].received_us == now_of(b));
    ck_assert(b->copies[0].utc_us == 1700000000 * S);
    ck_assert_uint_eq(b->copies[0].region, REGION_EU868);
    ck_assert_uint_eq(b->copies[0].dr, 5);
    ck_assert(b->copies[1].counter_us == b->copies[0].counter_us + 2);
    ck_assert_uint_ne(b->copies[1].uplink_id, b->copies[0].uplink_id);
    ck_assert_uint_eq(b->drops[DROP_UNKNOWN_CHANNEL], 1);
    ck_assert(status_of(b, GW)->gps_locked);
    advance(b, 60 * S);
    ck_assert(!status_of(b, GW)->gps_locked);
    tear_down(b);
}
END_TEST

START_TEST(the_network_may_deliver_twice)
{
    struct bench *b = set_up(false, 0);
    uint8_t d[300];
    char json[200];
    struct address from = at("10.0.0.1:4000");
    size_t n;

    (void)snprintf(json, sizeof(json), RXPK, 5u, "868.1");
    n = datagram(d, SEMTECH_PUSH_DATA, 1, GW, json);
    udp_input(b->udp, &from, d, n);
    udp_input(b->udp, &from, d, n);
    ck_assert_uint_eq(b->copy_count, 1);
    ck_assert_uint_eq(b->sent_count, 2);
    ck_assert_uint_eq(b->drops[DROP_DUPLICATE_DATAGRAM], 1);
    tear_down(b);
}
END_TEST

START_TEST(strangers_wait_in_the_inbox)
{
    struct bench *b = set_up(false, 0);
    const struct unknown_query *q;
    struct gateway_record record = record_of(2);
    char json[200];

    (void)snprintf(json, sizeof(json), RXPK, 5u, "868.1");
    input_as(b, 1, "10.0.0.1:4000", SEMTECH_PUSH_DATA, json);
    advance(b, S);
    input_as(b, 2, "10.0.0.2:4000", SEMTECH_PULL_DATA, "");
    input_as(b, 2, "10.0.0.3:4000", SEMTECH_PULL_DATA, "");
    ck_assert_uint_eq(b->copy_count, 0);
    ck_assert_uint_eq(b->drops[DROP_UNKNOWN_GATEWAY], 3);
    q = unknown_of(b);
    ck_assert_uint_eq(q->count, 2);
    ck_assert(q->list[0].id.v == 2 && q->list[1].id.v == 1);
    ck_assert_uint_eq(q->list[1].frames, 1);
    ck_assert_uint_eq(q->list[0].address.ip[15], 3);
    ck_assert_str_eq(q->list[0].protocol, "semtech-udp/2");
    ck_assert_str_eq(q->list[0].reason, "not_configured");
    ck_assert(q->list[1].first_seen_utc_us == 1700000000 * S);
    transmit(b, 2, 0);
    ck_assert_uint_eq(b->sent_count, 3); /* three acknowledgements, never a PULL_RESP */
    ck_assert_int_eq(b->outcomes[0].result, TX_NO_PATH);
    put(b, &record);
    ck_assert_uint_eq(unknown_of(b)->count, 1);
    for (uint64_t i = 0; i < UDP_UNKNOWN_MAX + 10; i++) {
        b->sent_count = 0;
        advance(b, S);
        input_as(b, 1000 + i, "10.0.0.2:4000", SEMTECH_PULL_DATA, "");
    }
    q = unknown_of(b);
    ck_assert_uint_eq(q->count, UDP_UNKNOWN_MAX);
    ck_assert(q->list[0].id.v == 1000 + UDP_UNKNOWN_MAX + 9);
    ck_assert(q->list[UDP_UNKNOWN_MAX - 1].id.v == 1010);
    tear_down(b);
}
END_TEST

START_TEST(strangers_may_be_let_in)
{
    struct bench *b = set_up(true, 0);
    struct gateway_record record = record_of(5);
    char json[200];

    (void)snprintf(json, sizeof(json), RXPK, 5u, "868.1");
    input_as(b, 5, "10.0.0.1:4000", SEMTECH_PUSH_DATA, json);
    input_as(b, 5, "10.0.0.1:4000", SEMTECH_PULL_DATA, "");
    ck_assert_uint_eq(b->adopted, 1);
    ck_assert_uint_eq(b->copy_count, 1);
    ck_assert(b->copies[0].gateway.v == 5);
    ck_assert_uint_eq(b->copies[0].region, REGION_EU868); /* found by the channel */
    ck_assert_uint_eq(unknown_of(b)->count, 0);
    ck_assert_uint_eq(status_of(b, 5)->duty_count, 2); /* without a region: the limits of all */
    put(b, &record);
    ck_assert(status_of(b, 5)->downlink_path); /* the path's state stays */
    ck_assert_uint_eq(b->status.duty_count, 1);
    tear_down(b);
}
END_TEST

START_TEST(an_old_record_does_not_replace_a_new_one)
{
    struct bench *b = set_up(false, 0);
    struct gateway_record record = record_of(GW);

    input(b, "10.0.0.1:4000", SEMTECH_PULL_DATA, "");
    record.rev = 3;
    record.downlink = GATEWAY_DOWNLINK_NO;
    put(b, &record);
    ck_assert(!status_of(b, GW)->downlink_path);
    record.rev = 2;
    record.downlink = GATEWAY_DOWNLINK_YES;
    put(b, &record);
    ck_assert(!status_of(b, GW)->downlink_path);
    record.rev = 4;
    put(b, &record);
    ck_assert(status_of(b, GW)->downlink_path);
    udp_gateway_remove(b->udp, (struct lw_eui){GW});
    settle(b);
    ck_assert(!status_of(b, GW)->found);
    tear_down(b);
}
END_TEST

START_TEST(a_second_address_moves_nothing)
{
    struct bench *b = set_up(false, 0);
    uint64_t counter;

    input(b, "10.0.0.1:5000", SEMTECH_PULL_DATA, "");
    uplink(b, "10.0.0.1:4000", 1000 * S);
    counter = b->copies[0].counter_us;
    advance(b, S);
    input(b, "10.6.6.6:5000", SEMTECH_PULL_DATA, "");
    ck_assert_uint_eq(b->drops[DROP_GATEWAY_ADDRESS], 1);
    uplink(b, "10.6.6.6:4000", 1001 * S); /* as if it had moved: its clock goes on */
    ck_assert_uint_eq(b->copy_count, 2);
    ck_assert(b->copies[1].counter_us == counter + S);
    uplink(b, "10.6.6.6:4000", 77); /* would restart the clock */
    ck_assert_uint_eq(b->copy_count, 2);
    ck_assert_uint_eq(b->drops[DROP_GATEWAY_ADDRESS], 2);
    b->sent_count = 0;
    transmit(b, GW, counter + 2 * S);
    advance(b, 200 * MS); /* held until 800 ms before its start */
    ck_assert_uint_eq(b->sent_count, 1);
    ck_assert_uint_eq(b->sent[0].to.ip[13], 0); /* still to 10.0.0.1 */
    ck_assert_uint_eq(b->sent[0].to.port, 5000);
    ck_assert_uint_eq(status_of(b, GW)->counters.address_conflicts, 3);
    ck_assert_int_eq(metric_read(&count_conflicts, 0), 3);
    tear_down(b);
}
END_TEST

START_TEST(addresses_that_are_not_allowed)
{
    struct bench *b = set_up(false, 0);
    struct gateway_record record = record_of(GW);

    record.rev = 2;
    record.allowed_count = 1;
    ck_assert_int_eq(cidr_read("10.0.0.0/24", &record.allowed[0]), OK);
    put(b, &record);
    uplink(b, "10.0.1.1:4000", 1);
    ck_assert_uint_eq(b->copy_count, 0);
    ck_assert_uint_eq(b->drops[DROP_GATEWAY_ADDRESS], 1);
    uplink(b, "10.0.0.1:4000", 1);
    ck_assert_uint_eq(b->copy_count, 1);
    tear_down(b);
}
END_TEST

START_TEST(a_downlink_there_and_back)
{
    struct bench *b = set_up(false, 0);
    uint8_t d[300];
    struct address from = at("10.0.0.1:5000");
    uint16_t token;

    input(b, "10.0.0.1:5000", SEMTECH_PULL_DATA, "");
    uplink(b, "10.0.0.1:4000", 0xffffffff);
    b->sent_count = 0;
    transmit(b, GW, b->copies[0].counter_us + S);
    ck_assert_uint_eq(b->sent_count, 1);
    ck_assert(address_equal(&b->sent[0].to, &from));
    ck_assert_ptr_nonnull(strstr(b->sent[0].data + 4, "\"tmst\":999999,")); /* over the wrap */
    token = (uint16_t)((uint8_t)b->sent[0].data[1] << 8 | (uint8_t)b->sent[0].data[2]);
    advance(b, 40 * MS);
    udp_input(b->udp, &from, d, datagram(d, SEMTECH_TX_ACK, token, GW, "")); /* from the pull end */
    settle(b);
    ck_assert_uint_eq(b->outcome_count, 2);
    ck_assert(!b->outcomes[0].final);
    ck_assert(b->outcomes[1].final);
    ck_assert_int_eq(b->outcomes[1].result, TX_OK);
    ck_assert_int_eq(metric_read(&count_downlinks, TX_OK), 1);
    ck_assert_int_eq(metric_read(&count_tx_ack, 0), 1);
    ck_assert_int_eq(status_of(b, GW)->rtt_ms, 40);
    ck_assert(b->status.tx_ack);
    ck_assert_uint_eq(b->status.duty_count, 1);
    ck_assert_uint_eq(b->status.duty[0].limit_ppm, 10000);
    ck_assert_int_gt(b->status.duty[0].used_us, 0);
    udp_charge(b->udp, (struct lw_eui){GW}, 868100000, 36 * S, 10 * S); /* the band is spent */
    settle(b);
    transmit(b, GW, b->copies[0].counter_us + 3 * S);
    ck_assert_int_eq(b->outcomes[2].result, TX_DUTY_CYCLE);
    tear_down(b);
}
END_TEST

START_TEST(a_tx_ack_from_elsewhere_counts_for_nothing)
{
    struct bench *b = set_up(false, 0);
    uint8_t d[300];
    struct address liar = at("10.6.6.6:5000");
    uint16_t token;

    input(b, "10.0.0.1:5000", SEMTECH_PULL_DATA, "");
    transmit(b, GW, 0);
    token = (uint16_t)((uint8_t)b->sent[1].data[1] << 8 | (uint8_t)b->sent[1].data[2]);
    udp_input(b->udp, &liar, d, datagram(d, SEMTECH_TX_ACK, token, GW, ""));
    settle(b);
    ck_assert_uint_eq(b->outcome_count, 1);
    ck_assert_uint_eq(b->drops[DROP_GATEWAY_ADDRESS], 1);
    tear_down(b);
}
END_TEST

START_TEST(a_restart_ends_what_was_planned)
{
    struct bench *b = set_up(false, 0);

    input(b, "10.0.0.1:5000", SEMTECH_PULL_DATA, "");
    uplink(b, "10.0.0.1:4000", 1000 * S);
    transmit(b, GW, b->copies[0].counter_us + S);
    uplink(b, "10.0.0.1:4000", 5);
    ck_assert_uint_eq(b->copy_count, 2);
    ck_assert_uint_eq(b->outcome_count, 2);
    ck_assert(b->outcomes[1].final);
    ck_assert_int_eq(b->outcomes[1].result, TX_UNKNOWN); /* it was handed over */
    transmit(b, GW, b->copies[0].counter_us + S);        /* an answer to the old session */
    ck_assert_int_eq(b->outcomes[2].result, TX_TOO_LATE);
    tear_down(b);
}
END_TEST

START_TEST(floods_are_cut)
{
    struct bench *b = set_up(false, 3);

    for (int i = 0; i < 5; i++)
        input(b, "10.0.0.1:4000", SEMTECH_PULL_DATA, "");
    ck_assert_uint_eq(b->sent_count, 3);
    ck_assert_uint_eq(b->drops[DROP_RATE_LIMIT], 2);
    advance(b, S);
    input(b, "10.0.0.1:4000", SEMTECH_PULL_DATA, "");
    ck_assert_uint_eq(b->sent_count, 4);
    tear_down(b);
}
END_TEST

START_TEST(status_and_liveness)
{
    struct bench *b = set_up(false, 0);

    ck_assert_int_eq(status_of(b, GW)->state, GATEWAY_NEVER_SEEN);
    ck_assert(!status_of(b, 3)->found);
    input(b, "10.0.0.1:4000", SEMTECH_PUSH_DATA,
          "{\"stat\":{\"rxnb\":3,\"rxok\":2,\"rxfw\":2,\"txnb\":1,\"lati\":46.1,\"long\":3.2,"
          "\"alti\":10,\"temp\":41}}");
    input(b, "10.0.0.1:4000", SEMTECH_PUSH_DATA, "{\"stat\":{\"rxnb\":4}}");
    ck_assert_uint_eq(b->seen, 1);
    ck_assert_int_eq(status_of(b, GW)->state, GATEWAY_ONLINE);
    ck_assert_uint_eq(b->status.counters.rx, 7);
    ck_assert_uint_eq(b->status.counters.rx_ok, 2);
    ck_assert(b->status.has_location);
    ck_assert_double_eq_tol(b->status.latitude, 46.1, 1e-9);
    ck_assert_double_eq_tol(b->status.temperature, 41, 1e-9);
    ck_assert(b->status.last_seen_utc_us == 1700000000 * S);
    advance(b, 30 * S);
    input(b, "10.0.0.1:4000", SEMTECH_PUSH_DATA, "{}");
    ck_assert_uint_eq(b->seen, 2);
    advance(b, 90 * S - 1);
    ck_assert_int_eq(status_of(b, GW)->state, GATEWAY_ONLINE);
    advance(b, 1);
    ck_assert_int_eq(status_of(b, GW)->state, GATEWAY_OFFLINE);
    tear_down(b);
}
END_TEST

/* ---- the real socket ------------------------------------------------------------------------ */

static void nothing_heard(void *ctx, struct heard *chain, size_t count)
{
    (void)count;
    *(_Atomic int *)ctx += 1;
    free(chain);
}

START_TEST(a_real_socket)
{
    struct gateway_ops real = {.heard = nothing_heard, .channel = on_channel};
    struct udp_config config = {.listen = "127.0.0.1:0"};
    struct gateway_record record = record_of(GW);
    _Atomic int heard = 0;
    struct udp *udp;
    uint8_t d[300], answers[2][16];
    char json[200];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct pollfd fd = {.fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN};
    size_t n;

    ck_assert_int_eq(udp_open(&config, clock_system(), &real, &heard, &udp), OK);
    ck_assert_uint_gt(udp_port(udp), 0);
    udp_gateways_put(udp, &record, 1);
    (void)worker_step(udp_worker(udp), 0); /* datagrams go before mail */
    worker_start(udp_worker(udp));
    to.sin_port = htons(udp_port(udp));
    ck_assert_int_eq(connect(fd.fd, (struct sockaddr *)&to, sizeof(to)), 0);
    (void)snprintf(json, sizeof(json), RXPK, 5u, "868.1");
    n = datagram(d, SEMTECH_PULL_DATA, 0x1234, GW, "");
    ck_assert_int_eq(send(fd.fd, d, n, 0), (ssize_t)n);
    n = datagram(d, SEMTECH_PUSH_DATA, 0x5678, GW, json);
    ck_assert_int_eq(send(fd.fd, d, n, 0), (ssize_t)n);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(poll(&fd, 1, 5000), 1);
        ck_assert_int_eq(recv(fd.fd, answers[i], sizeof(answers[i]), 0), 4);
    }
    ck_assert_mem_eq(answers[0], "\x02\x12\x34\x04", 4);
    ck_assert_mem_eq(answers[1], "\x02\x56\x78\x01", 4);
    worker_stop(udp_worker(udp));
    ck_assert_int_eq(heard, 1);
    udp_close(udp);
    (void)close(fd.fd);
    config.listen = "nowhere";
    ck_assert_int_eq(udp_open(&config, clock_system(), &real, NULL, &udp), ERR_INVALID);
    config.listen = "192.0.2.1:1";
    ck_assert_int_eq(udp_open(&config, clock_system(), &real, NULL, &udp), ERR_IO);
}
END_TEST

/* How long a datagram lay in the socket is known, and how many found no room there. */
START_TEST(a_socket_that_nobody_reads)
{
    enum { TOO_MANY = 600 };
    static const uint8_t large[60000];
    static struct datagram batch[SOCKET_BATCH];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct clock *clock = clock_system();
    struct udp_socket *in;
    int64_t before, after;
    int out = socket(AF_INET, SOCK_DGRAM, 0);

    ck_assert_int_eq(socket_open("127.0.0.1:0", &in), OK);
    to.sin_port = htons(socket_port(in));
    ck_assert_int_eq(connect(out, (struct sockaddr *)&to, sizeof(to)), 0);
    before = clock_utc(clock);
    ck_assert_int_eq(send(out, "x", 1, 0), 1);
    after = clock_utc(clock);
    (void)poll(NULL, 0, 50);
    ck_assert_uint_eq(socket_receive(in, batch), 1);
    ck_assert_int_ge(batch[0].utc_us, before - 1000);
    ck_assert_int_le(batch[0].utc_us, after + 1000);
    ck_assert_uint_eq(socket_overflowed(in), 0);
    for (int i = 0; i < TOO_MANY; i++)
        ck_assert_int_eq(send(out, large, sizeof(large), 0), sizeof(large));
    ck_assert_uint_gt(socket_overflowed(in), 0);
    ck_assert_uint_lt(socket_overflowed(in), TOO_MANY);
    (void)close(out);
    socket_close(in);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_datagram_is_acknowledged,
                                  copies_carry_what_the_gateway_does_not_say,
                                  the_network_may_deliver_twice,
                                  strangers_wait_in_the_inbox,
                                  strangers_may_be_let_in,
                                  an_old_record_does_not_replace_a_new_one,
                                  a_second_address_moves_nothing,
                                  addresses_that_are_not_allowed,
                                  a_downlink_there_and_back,
                                  a_tx_ack_from_elsewhere_counts_for_nothing,
                                  a_restart_ends_what_was_planned,
                                  floods_are_cut,
                                  status_and_liveness,
                                  a_real_socket,
                                  a_socket_that_nobody_reads,
                                  NULL};

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    udp_metrics_register();
    return run_suite(suite_of("udp", tests));
}
