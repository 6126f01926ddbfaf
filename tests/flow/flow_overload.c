/*
 * Overload in the whole server: what is refused at which level, in order, and what is not.
 *
 * The server is made late by letting time pass between a datagram and the workers' turn.
 */
#include "core/log.h"
#include "gateway/count.h"
#include "ns/ns_priv.h"
#include "tests/flow/scene.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

#define MS ((int64_t)US_PER_MS)

static int64_t before[DROP_COUNT];

static void watch(void)
{
    for (unsigned i = 0; i < DROP_COUNT; i++)
        before[i] = metric_read(&ns_drops, i);
}

static int64_t dropped(enum drop reason)
{
    return metric_read(&ns_drops, reason) - before[reason];
}

/* A datagram of the gateway that waits, as others are before it. */
static void push(const char *json)
{
    static uint16_t token;
    uint8_t data[1024];
    struct wr wr = wr_of(data, sizeof(data));

    wr_u8(&wr, 2);
    wr_u16be(&wr, token++);
    wr_u8(&wr, 0);
    wr_u64be(&wr, GATEWAY);
    wr_copy(&wr, json, strlen(json));
    udp_input(world.udp, &radio.push, data, wr_len(&wr));
}

static void push_frame(uint32_t addr, uint16_t fcnt)
{
    uint8_t phy[16] = {0x40};
    char text[32], json[400];
    struct wr wr = wr_of(phy + 1, 15);

    wr_u32le(&wr, addr);
    wr_u8(&wr, 0);
    wr_u16le(&wr, fcnt);
    (void)base64_write(text, phy, sizeof(phy));
    (void)snprintf(json, sizeof(json),
                   "{\"rxpk\":[{\"tmst\":%u,\"freq\":868.1,\"stat\":1,\"modu\":\"LORA\","
                   "\"datr\":\"SF7BW125\",\"codr\":\"4/5\",\"rssi\":-60,\"lsnr\":1,\"size\":16,"
                   "\"data\":\"%s\"}]}",
                   radio.tmst_offset + (uint32_t)world.clock.mono, text);
    push(json);
}

/* The server is so late for so long. */
static void be_late(int64_t lag_us, int64_t us)
{
    for (int64_t until = now() + us; now() < until;) {
        overload_note(&world.overload, OVERLOAD_NOTERS - 1, lag_us, now());
        push("{}");
        world_run(&world, 10 * MS);
        world.sent_count = seen = 0;
    }
}

static void stat(void)
{
    push("{\"stat\":{\"rxnb\":1,\"rxok\":1,\"rxfw\":1,\"ackr\":100,\"dwnb\":0,\"txnb\":0}}");
    world_run(&world, 0);
}

START_TEST(level_1_drops_stats_only)
{
    begin(_i);
    watch();
    be_late(90 * MS, 100 * MS);
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_EXTRAS);
    stat();
    ck_assert_int_eq(world.last_drop, DROP_OVERLOAD_STAT);
    push_frame(0x01020304, 1);
    world_run(&world, 300 * MS);
    ck_assert_int_eq(dropped(DROP_UNKNOWN_DEVADDR), 1); /* judged as ever */
    ck_assert_int_eq(dropped(DROP_OVERLOAD_UNKNOWN), 0);
    world_run(&world, 2 * (int64_t)US_PER_S);
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_NONE);
    world.last_drop = DROP_NONE;
    stat();
    ck_assert_int_eq(world.last_drop, DROP_NONE);
    end();
}
END_TEST

START_TEST(level_2_turns_strangers_away_and_answers_its_own)
{
    struct lw_join_request join_request = {{1}, {2}, 3};
    uint8_t room[23];
    struct wr wr = wr_of(room, sizeof(room));

    begin(_i);
    watch();
    be_late(170 * MS, 200 * MS);
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_STRANGERS);
    push_frame(0x01020304, 1);
    ck_assert_int_eq(lw_join_request_write(&wr, &join_request, &app_key), OK);
    radio_heard(&world, &radio, wr_bytes(&wr), 868100000, "SF7BW125", 1);
    ck_assert_int_eq(dropped(DROP_OVERLOAD_UNKNOWN), 2);
    queue("hello", false);
    speak("mine", true);
    ck_assert(listens() && carries("hello"));
    world_run(&world, 2 * (int64_t)US_PER_S);
    push_frame(0x01020304, 2);
    world_run(&world, 300 * MS);
    ck_assert_int_eq(dropped(DROP_OVERLOAD_UNKNOWN), 2);
    ck_assert_int_eq(dropped(DROP_UNKNOWN_DEVADDR), 1);
    end();
}
END_TEST

START_TEST(level_3_holds_the_noisiest_gateway_back)
{
    unsigned in = 0;

    begin(_i);
    for (uint16_t i = 0; i < 200; i++) /* so that it is known for its noise */
        push_frame(device.dev_addr.v, (uint16_t)(1000 + i));
    be_late(390 * MS, 300 * MS);
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_NOISIEST);
    watch();
    for (uint16_t i = 0; i < 200; i++) {
        world.last_drop = DROP_NONE;
        push_frame(device.dev_addr.v, (uint16_t)(2000 + i));
        in += world.last_drop != DROP_OVERLOAD_GATEWAY;
        world.sent_count = seen = 0;
    }
    ck_assert_uint_lt(in, 150);
    ck_assert_uint_gt(in, 0);
    /* What is no frame is handled at any level. */
    radio_pull(&world, &radio);
    ck_assert_uint_eq(world.sent[world.sent_count - 1].data[3], 4); /* PULL_ACK */
    world_run(&world, 3 * (int64_t)US_PER_S);
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_NONE);
    end();
}
END_TEST

/* Far above its cap a gateway is neither read nor acknowledged; what is no frame is, all the same.
 */
START_TEST(level_3_does_not_even_read_a_flood)
{
    unsigned acked = 0, read = 0;

    begin(_i);
    for (uint16_t i = 0; i < 200; i++)
        push_frame(device.dev_addr.v, (uint16_t)(1000 + i));
    be_late(450 * MS, 500 * MS);
    for (uint16_t i = 0; i < 200; i++) {
        world.sent_count = seen = 0;
        world.last_drop = DROP_NONE;
        push_frame(device.dev_addr.v, (uint16_t)(2000 + i));
        acked += world.sent_count > 0;
        read += world.sent_count > 0 || world.last_drop != DROP_OVERLOAD_GATEWAY;
    }
    ck_assert_uint_lt(acked, 100);
    ck_assert_uint_eq(read, acked); /* whatever came in was acknowledged */
    world.sent_count = seen = 0;
    radio_pull(&world, &radio);
    ck_assert_uint_eq(world.sent[world.sent_count - 1].data[3], 4); /* PULL_ACK */
    world_run(&world, 3 * (int64_t)US_PER_S);
    end();
}
END_TEST

/* A frame that waited so long that RX1 is lost is of use to the application, but not before those
 * that can still be answered; much later it is of no use at all. */
START_TEST(a_frame_that_waited_too_long_comes_last)
{
    size_t ups;

    begin(_i);
    ups = count_events(EVENT_UP, NULL);
    speak("in time", false);
    (void)listens();
    watch();
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), ups + 1);
    push_frame(0x01020304, 1);
    clock_double_set(&world.clock, now() + 600 * MS);
    world_run(&world, 300 * MS);
    ck_assert_int_eq(dropped(DROP_UNKNOWN_DEVADDR), 1); /* it came through all the same */
    ck_assert_int_eq(dropped(DROP_OVERLOAD_LATE), 0);
    push_frame(0x01020304, 2);
    clock_double_set(&world.clock, now() + 4000 * MS);
    world_run(&world, 300 * MS);
    ck_assert_int_eq(dropped(DROP_OVERLOAD_LATE), 1);
    ck_assert_int_eq(dropped(DROP_UNKNOWN_DEVADDR), 1);
    end();
}
END_TEST

/* The lag that a frame finds is noted where it is taken. */
START_TEST(waiting_mail_makes_overload)
{
    begin(_i);
    watch();
    for (uint16_t i = 0; i < 20; i++) {
        push_frame(0x01020304, i);
        clock_double_set(&world.clock, now() + 170 * MS);
        world_run(&world, 0);
        world.sent_count = seen = 0;
    }
    ck_assert_int_gt(dropped(DROP_OVERLOAD_UNKNOWN), 10);
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_STRANGERS);
    end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {level_1_drops_stats_only,
                                  level_2_turns_strangers_away_and_answers_its_own,
                                  level_3_holds_the_noisiest_gateway_back,
                                  level_3_does_not_even_read_a_flood,
                                  a_frame_that_waited_too_long_comes_last,
                                  waiting_mail_makes_overload,
                                  NULL};
    Suite *suite = suite_create("flow_overload");
    TCase *tc = tcase_create("flow_overload");

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
