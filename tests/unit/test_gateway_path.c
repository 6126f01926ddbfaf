/* One gateway's state: addresses, clock, air, duty cycle; and the ladder of a transmit request. */
#include "core/arena.h"
#include "gateway/transmit.h"
#include "gateway/udp.h"
#include "lorawan/airtime.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

#define S  ((int64_t)US_PER_S)
#define MS ((int64_t)US_PER_MS)

static struct address at(const char *text)
{
    struct address address;

    ck_assert_int_eq(address_read(text, &address), OK);
    return address;
}

/* ---- addresses ------------------------------------------------------------------------------ */

START_TEST(addresses_and_blocks)
{
    static const char *const bad[] = {"",      "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3:1",
                                      "::1:1", "[::1]",   "host:1",   "1.2.3.4:1x",    "[]:1"};
    static const char *const bad_blocks[] = {"", "1.2.3.4/33", "1.2.3.4/", "::/129", "x/8", "1/8"};
    struct address a;
    struct cidr c;
    char text[ADDRESS_TEXT];

    a = at("192.0.2.7:1700");
    ck_assert_str_eq(address_text(text, &a), "192.0.2.7:1700");
    a = at("[2001:db8::7]:17");
    ck_assert_str_eq(address_text(text, &a), "[2001:db8::7]:17");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(address_read(bad[i], &a) == ERR_INVALID, "%s", bad[i]);
    for (size_t i = 0; i < sizeof(bad_blocks) / sizeof(bad_blocks[0]); i++)
        ck_assert_msg(cidr_read(bad_blocks[i], &c) == ERR_INVALID, "%s", bad_blocks[i]);
    ck_assert_int_eq(cidr_read("192.0.2.0/25", &c), OK);
    a = at("192.0.2.127:1");
    ck_assert(cidr_has(&c, &a));
    a = at("192.0.2.128:1");
    ck_assert(!cidr_has(&c, &a));
    ck_assert_int_eq(cidr_read("192.0.2.128", &c), OK);
    ck_assert(cidr_has(&c, &a));
    ck_assert_int_eq(cidr_read("2001:db8::/32", &c), OK);
    ck_assert(!cidr_has(&c, &a));
    ck_assert_int_eq(cidr_read("0.0.0.0/0", &c), OK);
    ck_assert(cidr_has(&c, &a));
}
END_TEST

static enum path_verdict hear(struct path *path, enum semtech_id id, const char *from, int64_t now)
{
    struct semtech_header header = {.version = 2, .id = (uint8_t)id};
    struct address address = at(from);

    return path_heard(path, &header, &address, now, now);
}

static struct gateway_record record_of(uint64_t id)
{
    return (struct gateway_record){
        .id = {id}, .max_eirp_dbm = GATEWAY_EIRP_NO_LIMIT, .stats_interval_s = 30};
}

START_TEST(a_second_address_waits_for_silence)
{
    struct gateway_record record = record_of(1);
    struct path path;
    struct address a = at("10.0.0.1:5001");

    path_init(&path, &record, NULL, 0);
    ck_assert(!path_can_send(&path, 1 * S));
    ck_assert_int_eq(hear(&path, SEMTECH_PULL_DATA, "10.0.0.1:5000", 1 * S), PATH_ACCEPTED);
    ck_assert_int_eq(hear(&path, SEMTECH_PUSH_DATA, "10.0.0.1:4000", 1 * S), PATH_ACCEPTED);
    ck_assert(path_can_send(&path, 2 * S));
    ck_assert_int_eq(hear(&path, SEMTECH_PULL_DATA, "10.0.0.1:5001", 2 * S), PATH_ACCEPTED);
    ck_assert(address_equal(&path.pull.address, &a));
    ck_assert_int_eq(hear(&path, SEMTECH_PULL_DATA, "10.0.0.2:1", 31 * S), PATH_CONFLICT);
    ck_assert(address_equal(&path.pull.address, &a));
    ck_assert_int_eq(hear(&path, SEMTECH_PULL_DATA, "10.0.0.2:1", 32 * S), PATH_ACCEPTED);
    a = at("10.0.0.2:1");
    ck_assert(address_equal(&path.pull.address, &a));
    ck_assert(path_can_send(&path, 32 * S + 90 * S - 1));
    ck_assert(!path_can_send(&path, 32 * S + 90 * S));
    path_fini(&path);
}
END_TEST

START_TEST(allowed_addresses_win)
{
    struct gateway_record record = record_of(1);
    struct path path;

    record.allowed_count = 2;
    ck_assert_int_eq(cidr_read("10.0.0.0/30", &record.allowed[0]), OK);
    ck_assert_int_eq(cidr_read("192.0.2.1", &record.allowed[1]), OK);
    path_init(&path, &record, NULL, 0);
    ck_assert_int_eq(hear(&path, SEMTECH_PULL_DATA, "10.0.0.4:1", 1 * S), PATH_REFUSED);
    ck_assert_int_eq(path.last_us, 0);
    ck_assert_int_eq(hear(&path, SEMTECH_PULL_DATA, "10.0.0.3:1", 1 * S), PATH_ACCEPTED);
    ck_assert_int_eq(hear(&path, SEMTECH_PULL_DATA, "192.0.2.1:1", 2 * S), PATH_ACCEPTED);
    path_fini(&path);
}
END_TEST

START_TEST(equal_datagrams_within_seconds_are_duplicates)
{
    struct gateway_record record = record_of(1);
    struct path path;
    struct bytes a = {.p = (const uint8_t *)"one", .n = 3};
    struct bytes b = {.p = (const uint8_t *)"two", .n = 3};

    path_init(&path, &record, NULL, 0);
    ck_assert(!path_duplicate(&path, a, 1 * S));
    ck_assert(!path_duplicate(&path, b, 2 * S));
    ck_assert(path_duplicate(&path, a, 3 * S));
    ck_assert(!path_duplicate(&path, a, 6 * S));
    path_fini(&path);
}
END_TEST

/* ---- clock ---------------------------------------------------------------------------------- */

START_TEST(the_counter_wraps)
{
    struct gateway_record record = record_of(1);
    struct path path;
    bool restarted;
    uint64_t first, next;

    path_init(&path, &record, NULL, 0);
    first = path_extend(&path, 0xfffffff0, 100 * S, &restarted);
    ck_assert_uint_eq((uint32_t)first, 0xfffffff0);
    next = path_extend(&path, 1 * S - 16, 101 * S, &restarted);
    ck_assert(!restarted);
    ck_assert(next == first + 1000000);
    ck_assert(path_extend(&path, 500000 - 16, 101 * S, &restarted) == first + 500000);
    ck_assert(!restarted); /* out of order */
    ck_assert(path_extend(&path, 2 * S - 16, 102 * S + 300 * MS, &restarted) == first + 2000000);
    ck_assert(llabs((int64_t)(path_counter_at(&path, 105 * S) - (first + 5000000))) < 200);
    path_fini(&path);
}
END_TEST

START_TEST(long_silence_is_counted_by_our_clock)
{
    static const int64_t minutes[] = {36, 70, 72, 150, 1000};
    struct gateway_record record = record_of(1);
    struct path path;
    bool restarted;

    path_init(&path, &record, NULL, 0);
    for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
        int64_t us = minutes[i] * 60 * S, now = path.counter_at_us + us + 10 * MS;
        uint64_t before = path_extend(&path, path.tmst, path.counter_at_us, &restarted);

        ck_assert(path_extend(&path, (uint32_t)(before + (uint64_t)us), now, &restarted) ==
                  before + (uint64_t)us);
        ck_assert(!restarted);
    }
    path_fini(&path);
}
END_TEST

START_TEST(a_restart_is_seen)
{
    struct gateway_record record = record_of(1);
    struct path path;
    bool restarted;
    uint64_t before, after;

    path_init(&path, &record, NULL, 0);
    ck_assert(path_is_restart(&path, 5, 1 * S));
    before = path_extend(&path, 1000 * S, 100 * S, &restarted);
    ck_assert(!restarted);
    ck_assert(path_reserve(&path, before + S, 50 * MS, NULL, 100 * S));
    (void)path_extend(&path, 1001 * S, 111 * S, &restarted); /* ten seconds late is only late */
    ck_assert(!restarted);
    after = path_extend(&path, 3 * S, 112 * S, &restarted);
    ck_assert(restarted);
    ck_assert_uint_eq((uint32_t)after, 3 * S);
    ck_assert(after > before + ((uint64_t)1 << 32));
    ck_assert(path.session_us > before);
    ck_assert_uint_eq(path.busy_count, 0);
    (void)path_extend(&path, 4 * S, 113 * S, &restarted);
    ck_assert(!restarted);
    path_fini(&path);
}
END_TEST

START_TEST(the_margin_follows_the_round_trip)
{
    struct gateway_record record = record_of(1);
    struct path path;
    int64_t before;

    path_init(&path, &record, NULL, 0);
    ck_assert_int_eq(path_margin_us(&path), 150 * MS);
    path_rtt(&path, 40 * MS);
    ck_assert_int_eq(path_margin_us(&path), 100 * MS); /* (40 + 4 * 10) / 2 + 60 */
    for (int i = 0; i < 100; i++)
        path_rtt(&path, 40 * MS);
    ck_assert_int_lt(path_margin_us(&path), 81 * MS);
    before = path_margin_us(&path);
    path_was_late(&path);
    ck_assert_int_eq(path_margin_us(&path), before + 40 * MS);
    for (int i = 0; i < 100; i++)
        path_rtt(&path, 5000 * MS);
    ck_assert_int_eq(path_margin_us(&path), 460 * MS);
    path_fini(&path);
}
END_TEST

/* ---- air ------------------------------------------------------------------------------------ */

START_TEST(the_transmitter_does_one_thing_at_a_time)
{
    struct gateway_record record = record_of(1);
    struct path path;
    const struct tx *a = (const struct tx *)&record;
    bool restarted;
    uint64_t c;

    path_init(&path, &record, NULL, 0);
    c = path_extend(&path, 0, 10 * S, &restarted);
    ck_assert(path_reserve(&path, c + S, 100 * MS, a, 10 * S));
    ck_assert(!path_reserve(&path, c + S + 50 * MS, 100 * MS, NULL, 10 * S));
    ck_assert(!path_reserve(&path, c + S - 100 * MS, 100 * MS, NULL, 10 * S)); /* no gap */
    ck_assert(path_reserve(&path, c + S - 104 * MS, 100 * MS, NULL, 10 * S));
    ck_assert(!path_reserve(&path, c + S + 103 * MS, 10 * MS, NULL, 10 * S));
    ck_assert(path_reserve(&path, c + S + 104 * MS, 10 * MS, NULL, 10 * S));
    path_release(&path, a);
    ck_assert(path_reserve(&path, c + S + 50 * MS, 40 * MS, NULL, 10 * S));
    for (int i = 0; i < 100; i++) /* the past makes room */
        ck_assert(path_reserve(&path, c + (uint64_t)(i + 3) * S, 40 * MS, NULL, (i + 12) * S));
    path_fini(&path);
}
END_TEST

static const struct gateway_band bands[] = {
    {.min_hz = 868000000, .max_hz = 868600000, .ppm = 10000},
    {.min_hz = 869400000, .max_hz = 869650000, .ppm = 100000},
    {.min_hz = 870000000, .max_hz = 871000000, .ppm = 1000000},
};

START_TEST(the_hour_slides)
{
    struct ledger ledger;
    struct gateway_duty duty[4];
    int64_t now = 7200 * S;

    ledger_init(&ledger, bands, 3);
    ck_assert(ledger_allows(&ledger, 868100000, 36 * S, 0, now));
    ck_assert(!ledger_allows(&ledger, 868100000, 36 * S + 1, 0, now));
    ck_assert(ledger_allows(&ledger, 870100000, 4000 * S, 0, now));
    ck_assert(ledger_allows(&ledger, 915000000, 4000 * S, 0, now));
    ledger_charge(&ledger, 868100000, 20 * S, now, now);
    ledger_charge(&ledger, 868500000, 10 * S, now + 15 * S, now);
    ck_assert(ledger_allows(&ledger, 868300000, 6 * S, 0, now));
    ck_assert(!ledger_allows(&ledger, 868300000, 6 * S + 1, 0, now));
    ck_assert(!ledger_allows(&ledger, 868300000, 1, 200000, now)); /* a fifth is left to others */
    ck_assert(ledger_allows(&ledger, 868600000, 300 * S, 0, now)); /* the upper end is outside */
    ck_assert_uint_eq(ledger_read(&ledger, now, duty, 4), 2);
    ck_assert_int_eq(duty[0].used_us, 30 * S);
    ck_assert_int_eq(duty[0].free_us, 6 * S);
    ck_assert_uint_eq(duty[0].used_ppm, 8333);
    ck_assert_uint_eq(duty[0].limit_ppm, 10000);
    ck_assert_int_eq(duty[1].used_us, 0);
    ledger_charge(&ledger, 868500000, -10 * S, now + 15 * S, now);
    ck_assert(ledger_allows(&ledger, 868300000, 16 * S, 0, now));
    ck_assert(!ledger_allows(&ledger, 868300000, 16 * S + 1, 0, now + 3600 * S));
    ck_assert(ledger_allows(&ledger, 868300000, 36 * S, 0, now + 3611 * S));
    ledger_charge(&ledger, 868300000, 1 * S, now - 3000 * S, now + 3611 * S); /* over long since */
    ck_assert(ledger_allows(&ledger, 868300000, 36 * S, 0, now + 3611 * S));
    ledger_charge(&ledger, 868300000, 1 * S, now + 3611 * S, now + 3611 * S);
    ck_assert(ledger_allows(&ledger, 868300000, 36 * S, 0, now + 36000 * S));
    ledger_fini(&ledger);
}
END_TEST

/* ---- the ladder ----------------------------------------------------------------------------- */

#define DATAGRAMS 16

struct bench {
    struct clock_double clock;
    struct worker worker;
    struct transmit transmit;
    struct path paths[2];
    struct {
        char text[1000];
        size_t n;
        struct address to;
    } sent[DATAGRAMS];
    size_t sent_count;
    struct tx_outcome outcomes[DATAGRAMS];
    size_t outcome_count;
};

static struct path *find(void *ctx, struct lw_eui gateway)
{
    struct bench *b = ctx;

    return gateway.v >= 1 && gateway.v <= 2 ? &b->paths[gateway.v - 1] : NULL;
}

static void on_send(void *ctx, const struct address *to, const void *data, size_t n)
{
    struct bench *b = ctx;

    ck_assert_uint_lt(b->sent_count, DATAGRAMS);
    memcpy(b->sent[b->sent_count].text, data, n);
    b->sent[b->sent_count].n = n;
    b->sent[b->sent_count++].to = *to;
}

static void on_outcome(struct worker *worker, struct mail *mail)
{
    struct bench *b = worker->owner;

    b->outcomes[b->outcome_count++] = *(struct tx_outcome *)mail;
    free(mail);
}

static int64_t now_of(struct bench *b)
{
    return clock_mono(&b->clock.clock);
}

static void pull(struct bench *b)
{
    ck_assert_int_eq(hear(&b->paths[0], SEMTECH_PULL_DATA, "10.0.0.1:5000", now_of(b)),
                     PATH_ACCEPTED);
    ck_assert_int_eq(hear(&b->paths[1], SEMTECH_PULL_DATA, "10.0.0.2:5000", now_of(b)),
                     PATH_ACCEPTED);
}

/* Two gateways with TX_ACK, whose counters run with our clock; 1 % and 10 % bands. */
static void set_up(struct bench *b)
{
    bool restarted;

    memset(b, 0, sizeof(*b));
    clock_double_init(&b->clock, 10000 * S, 1700000000 * S);
    worker_init(&b->worker, "test", &b->clock.clock, b);
    b->transmit = (struct transmit){.worker = &b->worker, .find = find, .send = on_send, .ctx = b};
    for (uint64_t i = 0; i < 2; i++) {
        struct gateway_record record = record_of(i + 1);

        path_init(&b->paths[i], &record, bands, 3);
        b->paths[i].tx_ack = true;
        (void)path_extend(&b->paths[i], 1000, now_of(b), &restarted);
    }
    pull(b);
}

static void tear_down(struct bench *b)
{
    transmit_fini(&b->transmit);
    ck_assert_uint_eq(b->transmit.outstanding, 0);
    (void)worker_step(&b->worker, 0); /* outcomes that wait */
    path_fini(&b->paths[0]);
    path_fini(&b->paths[1]);
    worker_fini(&b->worker);
}

static void advance(struct bench *b, int64_t us)
{
    clock_double_set(&b->clock, now_of(b) + us);
    (void)worker_step(&b->worker, 0);
}

static struct rung rung_at(struct bench *b, uint64_t gateway, int64_t ahead_us)
{
    struct path *path = find(b, (struct lw_eui){gateway});

    return (struct rung){
        .gateway = {gateway},
        .counter_us = path ? path_counter_at(path, now_of(b) + ahead_us) : 1,
        .start_us = now_of(b) + ahead_us,
        .frequency_hz = 868100000,
        .rate = {.kind = MOD_LORA, .sf = 7, .bandwidth_hz = 125000, .coding_rate = 1},
        .eirp_dbm = 14,
    };
}

static struct tx_request *request_of(struct bench *b, uint64_t id)
{
    struct tx_request *r = xcalloc(1, sizeof(*r));

    r->id = id;
    r->dev_eui.v = 0x70b3d57ed0000001;
    r->reply_to = &b->worker;
    r->reply = on_outcome;
    r->priority = TX_PRIORITY_NORMAL;
    r->phy_len = 12;
    memset(r->phy, 0x60, 12);
    return r;
}

static void add(struct tx_request *r, struct rung rung)
{
    r->rungs[r->rung_count++] = rung;
}

static void begin(struct bench *b, struct tx_request *r)
{
    transmit_begin(&b->transmit, r);
    (void)worker_step(&b->worker, 0);
}

/* The gateway's answer to the newest PULL_RESP. */
static void answer(struct bench *b, const char *json)
{
    const char *d = b->sent[b->sent_count - 1].text;
    uint16_t token = (uint16_t)((uint8_t)d[1] << 8 | (uint8_t)d[2]);
    struct path *path = b->sent[b->sent_count - 1].to.ip[15] == 1 ? &b->paths[0] : &b->paths[1];
    struct semtech_tx_ack ack;

    ck_assert_int_eq(semtech_read_tx_ack(json, strlen(json), &ack), OK);
    ck_assert(
        transmit_acked(&b->transmit, path, token, &ack, clock_mono(b->transmit.worker->clock)));
    ck_assert(!transmit_acked(&b->transmit, path, (uint16_t)(token + 1), &ack,
                              clock_mono(b->transmit.worker->clock)));
    (void)worker_step(&b->worker, 0);
}

static void check_outcome(const struct bench *b, size_t i, enum tx_result result, bool final,
                          uint8_t rung)
{
    ck_assert_uint_lt(i, b->outcome_count);
    ck_assert_int_eq(b->outcomes[i].result, result);
    ck_assert_int_eq(b->outcomes[i].final, final);
    ck_assert_uint_eq(b->outcomes[i].rung, rung);
}

static int64_t used(struct bench *b, int gateway, int band)
{
    struct gateway_duty duty[4];

    ck_assert_uint_eq(ledger_read(&b->paths[gateway].ledger, now_of(b), duty, 4), 2);
    return duty[band].used_us;
}

START_TEST(the_first_rung_works)
{
    struct bench b;
    struct tx_request *r;
    struct gateway_status status;
    uint64_t counter;

    set_up(&b);
    r = request_of(&b, 7);
    add(r, rung_at(&b, 1, 1 * S));
    add(r, rung_at(&b, 1, 2 * S));
    counter = r->rungs[0].counter_us;
    begin(&b, r);
    ck_assert_uint_eq(b.sent_count, 1);
    ck_assert_uint_eq(b.sent[0].to.port, 5000);
    ck_assert_ptr_nonnull(strstr(b.sent[0].text + 4, "\"powe\":14"));
    {
        char tmst[32];

        (void)snprintf(tmst, sizeof(tmst), "\"tmst\":%u,", (uint32_t)counter);
        ck_assert_ptr_nonnull(strstr(b.sent[0].text + 4, tmst));
    }
    check_outcome(&b, 0, TX_OK, false, 0);
    ck_assert(b.outcomes[0].id == 7);
    ck_assert(b.outcomes[0].dev_eui.v == 0x70b3d57ed0000001);
    ck_assert(used(&b, 0, 0) > 0);
    advance(&b, 30 * MS);
    answer(&b, "");
    check_outcome(&b, 1, TX_OK, true, 0);
    ck_assert_uint_eq(b.outcomes[1].rungs_tried, 1);
    ck_assert(b.outcomes[1].gateway.v == 1);
    ck_assert_int_eq(b.outcomes[1].power_dbm, 14);
    path_status(&b.paths[0], now_of(&b), &status);
    ck_assert_int_eq(status.rtt_ms, 30);
    ck_assert_uint_eq(status.counters.tx_ok, 1);
    ck_assert_int_eq(status.state, GATEWAY_ONLINE);
    ck_assert_uint_eq(status.duty_count, 2);
    advance(&b, 10 * S);
    ck_assert_uint_eq(b.outcome_count, 2);
    tear_down(&b);
}
END_TEST

START_TEST(an_error_goes_down_the_ladder)
{
    struct bench b;
    struct tx_request *r;
    struct rung rx2;
    const char *data1, *data2;

    set_up(&b);
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 1 * S));
    rx2 = rung_at(&b, 2, 2 * S);
    rx2.frequency_hz = 869525000;
    rx2.eirp_dbm = 27;
    add(r, rx2);
    begin(&b, r);
    advance(&b, 20 * MS);
    answer(&b, "{\"txpk_ack\":{\"error\":\"COLLISION_PACKET\"}}");
    ck_assert_int_eq(used(&b, 0, 0), 0); /* given back */
    ck_assert_uint_eq(b.paths[0].busy_count, 0);
    ck_assert_uint_eq(b.paths[0].tx_errors, 1);
    ck_assert_uint_eq(b.sent_count, 2);
    ck_assert_uint_eq(b.sent[1].to.ip[15], 2);
    data1 = strstr(b.sent[0].text + 4, "\"data\"");
    data2 = strstr(b.sent[1].text + 4, "\"data\"");
    ck_assert(data1 && data2);
    ck_assert_str_eq(data1, data2);
    check_outcome(&b, 1, TX_OK, false, 1);
    answer(&b, "{\"txpk_ack\":{\"warn\":\"TX_POWER\",\"value\":20}}");
    check_outcome(&b, 2, TX_OK, true, 1);
    ck_assert_int_eq(b.outcomes[2].power_dbm, 20);
    ck_assert_uint_eq(b.outcomes[2].rungs_tried, 3);
    ck_assert(used(&b, 1, 1) > 0);
    tear_down(&b);
}
END_TEST

START_TEST(the_last_error_is_the_outcome)
{
    struct bench b;
    struct tx_request *r;
    int64_t margin;

    set_up(&b);
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 1 * S));
    begin(&b, r);
    margin = path_margin_us(&b.paths[0]);
    answer(&b, "{\"txpk_ack\":{\"error\":\"TOO_EARLY\"}}"); /* cannot be: it has passed */
    check_outcome(&b, 1, TX_TOO_LATE, true, 0);
    ck_assert_uint_eq(b.outcome_count, 2);
    ck_assert_int_lt(path_margin_us(&b.paths[0]), margin); /* known now, */
    ck_assert_int_eq(b.paths[0].rtt_dev_us, 20 * MS);      /* but raised */
    ck_assert_uint_eq(b.transmit.outstanding, 0);
    tear_down(&b);
}
END_TEST

START_TEST(what_cannot_work_is_not_tried)
{
    struct bench b;
    struct tx_request *r;
    struct rung stale;

    set_up(&b);
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 149 * MS)); /* out of reach */
    stale = rung_at(&b, 1, 1 * S);
    stale.counter_us -= (uint64_t)1 << 33; /* of a former session */
    add(r, stale);
    add(r, rung_at(&b, 9, 1 * S)); /* nobody */
    add(r, rung_at(&b, 2, 150 * MS));
    begin(&b, r);
    ck_assert_uint_eq(b.sent_count, 1);
    check_outcome(&b, 0, TX_OK, false, 3);
    r = request_of(&b, 2);
    add(r, rung_at(&b, 1, 100 * MS));
    begin(&b, r);
    check_outcome(&b, 1, TX_TOO_LATE, true, 0);
    ck_assert_uint_eq(b.outcomes[1].rungs_tried, 0);
    r = request_of(&b, 3);
    begin(&b, r); /* no rung at all */
    check_outcome(&b, 2, TX_NO_PATH, true, 0);
    b.paths[0].record.downlink = GATEWAY_DOWNLINK_NO;
    r = request_of(&b, 4);
    add(r, rung_at(&b, 1, 1 * S));
    begin(&b, r);
    check_outcome(&b, 3, TX_NO_PATH, true, 0);
    clock_double_set(&b.clock, now_of(&b) + 90 * S);
    r = request_of(&b, 5);
    add(r, rung_at(&b, 2, 1 * S)); /* no PULL_DATA for 90 s */
    begin(&b, r);
    ck_assert_int_eq(b.outcomes[b.outcome_count - 1].result, TX_NO_PATH);
    tear_down(&b);
}
END_TEST

START_TEST(air_and_duty_cycle_are_respected)
{
    struct bench b;
    struct tx_request *r;
    struct rung rx2;

    set_up(&b);
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 1 * S));
    begin(&b, r);
    answer(&b, "");
    r = request_of(&b, 2);
    add(r, rung_at(&b, 1, 1 * S + 20 * MS)); /* while the first is on the air */
    begin(&b, r);
    check_outcome(&b, 2, TX_COLLISION_PACKET, true, 0);
    ledger_charge(&b.paths[0].ledger, 868100000, 36 * S - 100 * MS, now_of(&b), now_of(&b));
    r = request_of(&b, 3);
    add(r, rung_at(&b, 1, 3 * S));
    begin(&b, r);
    answer(&b, "");
    r = request_of(&b, 4);
    add(r, rung_at(&b, 1, 4 * S));
    rx2 = rung_at(&b, 1, 5 * S);
    rx2.frequency_hz = 869525000;
    add(r, rx2);
    begin(&b, r);
    check_outcome(&b, 5, TX_OK, false, 1); /* the other band has room */
    r = request_of(&b, 5);
    add(r, rung_at(&b, 1, 6 * S));
    begin(&b, r);
    check_outcome(&b, 6, TX_DUTY_CYCLE, true, 0);
    tear_down(&b);
}
END_TEST

START_TEST(silence_ends_as_unknown)
{
    struct bench b;
    struct tx_request *r;
    int64_t end;

    set_up(&b);
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 1 * S));
    add(r, rung_at(&b, 1, 2 * S));
    end = 3 * S + lw_airtime_frame_us(&r->rungs[0].rate, 12, LW_DOWN);
    begin(&b, r);
    advance(&b, end - 1);
    ck_assert_uint_eq(b.outcome_count, 1);
    advance(&b, 1);
    (void)worker_step(&b.worker, 0);
    check_outcome(&b, 1, TX_UNKNOWN, true, 0); /* never a second transmission */
    ck_assert_uint_eq(b.sent_count, 1);
    ck_assert(used(&b, 0, 0) > 0);
    tear_down(&b);
}
END_TEST

START_TEST(a_gateway_without_a_queue_gets_one_frame_late)
{
    struct bench b;
    struct tx_request *r;

    set_up(&b);
    b.paths[0].tx_ack = false;
    b.paths[0].version = 1;
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 5 * S));
    begin(&b, r);
    ck_assert_uint_eq(b.sent_count, 0);
    r = request_of(&b, 2);
    add(r, rung_at(&b, 1, 6 * S));
    begin(&b, r);
    check_outcome(&b, 0, TX_QUEUE_FULL, true, 0);
    advance(&b, 4 * S + 200 * MS - 1);
    ck_assert_uint_eq(b.sent_count, 0);
    advance(&b, 1);
    ck_assert_uint_eq(b.sent_count, 1);
    ck_assert_mem_eq(b.sent[0].text, "\x01\x00\x00\x03", 4);
    ck_assert_uint_eq(b.outcome_count, 1);
    advance(&b, 0);
    check_outcome(&b, 1, TX_OK, false, 0);
    advance(&b, 800 * MS); /* its start, but not yet its end */
    ck_assert_uint_eq(b.outcome_count, 2);
    advance(&b, 100 * MS); /* no waiting for a TX_ACK */
    advance(&b, 0);
    check_outcome(&b, 2, TX_UNKNOWN, true, 0);
    tear_down(&b);
}
END_TEST

START_TEST(held_frames_look_for_another_way)
{
    struct bench b;
    struct tx_request *r;

    set_up(&b);
    b.paths[0].tx_ack = false;
    b.paths[0].version = 1; /* no queue: its frames are held back */
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 5 * S));
    add(r, rung_at(&b, 2, 6 * S));
    begin(&b, r);
    ck_assert_uint_eq(b.sent_count, 0);
    transmit_lost(&b.transmit, &b.paths[0]); /* it restarted */
    (void)worker_step(&b.worker, 0);
    ck_assert_uint_eq(b.sent_count, 1);
    check_outcome(&b, 0, TX_OK, false, 1);
    ck_assert_int_eq(used(&b, 0, 0), 0);
    transmit_lost(&b.transmit, &b.paths[1]);
    (void)worker_step(&b.worker, 0);
    check_outcome(&b, 1, TX_UNKNOWN, true, 1); /* it may have been sent */
    ck_assert(used(&b, 1, 0) > 0);
    tear_down(&b);
}
END_TEST

START_TEST(immediate_frames)
{
    struct bench b;
    struct tx_request *r;
    struct rung rung;

    set_up(&b);
    b.paths[0].record.max_eirp_dbm = 10;
    r = request_of(&b, 1);
    rung = rung_at(&b, 1, 0);
    rung.window = WINDOW_NOW;
    rung.counter_us = 0;
    add(r, rung);
    begin(&b, r);
    ck_assert_uint_eq(b.sent_count, 1);
    ck_assert_ptr_nonnull(strstr(b.sent[0].text + 4, "\"imme\":true"));
    ck_assert_ptr_nonnull(strstr(b.sent[0].text + 4, "\"powe\":10"));
    answer(&b, "{\"txpk_ack\":{\"error\":\"NONE\"}}");
    check_outcome(&b, 1, TX_OK, true, 0);
    tear_down(&b);
}
END_TEST

/* What a TX_ACK waited for us in the socket is no part of the way to the gateway. */
START_TEST(our_own_delay_is_no_round_trip)
{
    struct bench b;
    struct tx_request *r;
    struct semtech_tx_ack ack = {.result = TX_OK};
    int64_t sent;
    uint16_t token;

    set_up(&b);
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 3 * S));
    begin(&b, r);
    for (int i = 0; i < 300 && !b.sent_count; i++)
        advance(&b, 10 * MS);
    ck_assert_uint_eq(b.sent_count, 1);
    sent = clock_mono(b.transmit.worker->clock);
    token = (uint16_t)((uint8_t)b.sent[0].text[1] << 8 | (uint8_t)b.sent[0].text[2]);
    advance(&b, 500 * MS);
    ck_assert(transmit_acked(&b.transmit, &b.paths[0], token, &ack, sent + 10 * MS));
    ck_assert(b.paths[0].rtt_known);
    ck_assert_int_eq(b.paths[0].rtt_us, 10 * MS);
    tear_down(&b);
}
END_TEST

START_TEST(old_tokens_are_dead)
{
    struct bench b;
    struct tx_request *r;
    struct semtech_tx_ack ack = {.result = TX_OK};
    uint16_t token;

    set_up(&b);
    r = request_of(&b, 1);
    add(r, rung_at(&b, 1, 60 * S));
    begin(&b, r);
    token = (uint16_t)((uint8_t)b.sent[0].text[1] << 8 | (uint8_t)b.sent[0].text[2]);
    ck_assert(!transmit_acked(&b.transmit, &b.paths[1], token, &ack,
                              clock_mono(b.transmit.worker->clock))); /* another gateway's */
    advance(&b, 15 * S + 1);
    ck_assert(!transmit_acked(&b.transmit, &b.paths[0], token, &ack,
                              clock_mono(b.transmit.worker->clock)));
    tear_down(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {addresses_and_blocks,
                                  a_second_address_waits_for_silence,
                                  allowed_addresses_win,
                                  equal_datagrams_within_seconds_are_duplicates,
                                  the_counter_wraps,
                                  long_silence_is_counted_by_our_clock,
                                  a_restart_is_seen,
                                  the_margin_follows_the_round_trip,
                                  the_transmitter_does_one_thing_at_a_time,
                                  the_hour_slides,
                                  the_first_rung_works,
                                  an_error_goes_down_the_ladder,
                                  the_last_error_is_the_outcome,
                                  what_cannot_work_is_not_tried,
                                  air_and_duty_cycle_are_respected,
                                  silence_ends_as_unknown,
                                  a_gateway_without_a_queue_gets_one_frame_late,
                                  held_frames_look_for_another_way,
                                  immediate_frames,
                                  our_own_delay_is_no_round_trip,
                                  old_tokens_are_dead,
                                  NULL};

    udp_metrics_register();
    return run_suite(suite_of("path", tests));
}
