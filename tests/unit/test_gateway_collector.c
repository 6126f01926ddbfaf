/* The collector: sets and their order, late copies, repetitions, bounds. */
#include "gateway/collector.h"
#include "tests/suite.h"

#include <string.h>

struct bench {
    struct clock_double clock;
    struct worker worker;
    struct collector collector;
    struct gathered *got[64];
    size_t count, late, dropped;
    uint64_t late_id;
};

static void on_gathered(void *ctx, struct gathered *gathered)
{
    struct bench *b = ctx;

    ck_assert_uint_lt(b->count, 64);
    b->got[b->count++] = gathered;
}

static void on_late(void *ctx, const struct heard *heard, uint64_t id)
{
    struct bench *b = ctx;

    ck_assert_uint_gt(heard->phy_len, 0);
    b->late++;
    b->late_id = id;
}

static void on_dropped(void *ctx, struct lw_eui gateway, enum drop reason)
{
    (void)gateway;
    ck_assert_int_eq(reason, DROP_OVERLOAD);
    ((struct bench *)ctx)->dropped++;
}

static const struct collector_ops ops = {
    .gathered = on_gathered, .late = on_late, .dropped = on_dropped};

static void set_up(struct bench *b, size_t limit)
{
    memset(b, 0, sizeof(*b));
    clock_double_init(&b->clock, 1000 * (int64_t)US_PER_S, 1700000000 * (int64_t)US_PER_S);
    worker_init(&b->worker, "test", &b->clock.clock, NULL);
    collector_init(&b->collector, &b->worker, 200 * US_PER_MS, limit, &ops, b);
}

static void tear_down(struct bench *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->got[i]);
    collector_fini(&b->collector);
    worker_fini(&b->worker);
}

static void advance(struct bench *b, int64_t ms)
{
    clock_double_set(&b->clock, clock_mono(&b->clock.clock) + ms * US_PER_MS);
    (void)worker_step(&b->worker, 0);
}

/* A copy whose gateway counter runs with our clock, less `delay_ms` on its way. */
static struct copy copy_at(struct bench *b, uint64_t gateway, int snr_cb, int64_t delay_ms)
{
    int64_t now = clock_mono(&b->clock.clock);

    return (struct copy){.gateway = {gateway},
                         .received_us = now,
                         .utc_us = clock_utc(&b->clock.clock),
                         .counter_us = (uint64_t)(now - delay_ms * US_PER_MS),
                         .frequency_hz = 868100000,
                         .rate = {.kind = MOD_LORA, .sf = 7, .bandwidth_hz = 125000},
                         .snr_cb = (int16_t)snr_cb,
                         .rssi_dbm = -80,
                         .flags = COPY_HAS_SNR};
}

static void hear(struct bench *b, const struct copy *copy, const char *phy)
{
    collector_take(&b->collector, heard_new(copy, (const uint8_t *)phy, (uint8_t)strlen(phy)));
}

static void hear_from(struct bench *b, uint64_t gateway, int snr_cb, const char *phy)
{
    struct copy copy = copy_at(b, gateway, snr_cb, 0);

    hear(b, &copy, phy);
}

START_TEST(copies_are_gathered_strongest_first)
{
    struct bench b;
    struct copy loud;

    set_up(&b, 0);
    hear_from(&b, 1, -20, "frame");
    advance(&b, 50);
    hear_from(&b, 2, 90, "frame");
    hear_from(&b, 3, -20, "other");
    loud = copy_at(&b, 4, -20, 0);
    loud.rssi_dbm = -60;
    hear(&b, &loud, "frame");
    advance(&b, 149);
    ck_assert_uint_eq(b.count, 0);
    advance(&b, 1);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_uint_eq(b.got[0]->copy_count, 3);
    ck_assert_uint_eq(b.got[0]->heard_count, 3);
    ck_assert(b.got[0]->copies[0].gateway.v == 2);
    ck_assert(b.got[0]->copies[1].gateway.v == 4);
    ck_assert(b.got[0]->copies[2].gateway.v == 1);
    ck_assert(!b.got[0]->repetition);
    ck_assert_uint_eq(b.got[0]->phy_len, 5);
    ck_assert_mem_eq(b.got[0]->phy, "frame", 5);
    ck_assert(b.got[0]->first_received_us == 1000 * (int64_t)US_PER_S);
    advance(&b, 50);
    ck_assert_uint_eq(b.count, 2);
    ck_assert(b.got[0]->id != b.got[1]->id);
    tear_down(&b);
}
END_TEST

START_TEST(the_region_is_part_of_the_key)
{
    struct bench b;
    struct copy copy;

    set_up(&b, 0);
    hear_from(&b, 1, 0, "frame");
    copy = copy_at(&b, 2, 0, 0);
    copy.region = 1;
    hear(&b, &copy, "frame");
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 2);
    tear_down(&b);
}
END_TEST

START_TEST(equal_hashes_do_not_mix_frames)
{
    struct bench b;
    struct copy copy;
    struct heard *one, *two;

    set_up(&b, 0);
    copy = copy_at(&b, 1, 0, 0);
    one = heard_new(&copy, (const uint8_t *)"one", 3);
    two = heard_new(&copy, (const uint8_t *)"two", 3);
    two->key = one->key;
    collector_take(&b.collector, one);
    collector_take(&b.collector, two);
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 2);
    ck_assert(memcmp(b.got[0]->phy, b.got[1]->phy, 3) != 0);
    advance(&b, 21000);
    hear_from(&b, 1, 0, "three"); /* both tombstones leave the chain of one key */
    ck_assert_uint_eq(b.collector.tombstones, 0);
    tear_down(&b);
}
END_TEST

START_TEST(the_weakest_give_way)
{
    struct bench b;

    set_up(&b, 0);
    for (int i = 0; i < 40; i++)
        hear_from(&b, (uint64_t)(i + 1), i % 2 ? i : -i, "frame");
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_uint_eq(b.got[0]->copy_count, AIR_COPIES_MAX);
    ck_assert_uint_eq(b.got[0]->heard_count, 40);
    ck_assert_int_eq(b.got[0]->copies[0].snr_cb, 39);
    for (int i = 1; i < AIR_COPIES_MAX; i++)
        ck_assert_int_le(b.got[0]->copies[i].snr_cb, b.got[0]->copies[i - 1].snr_cb);
    ck_assert_int_eq(b.got[0]->copies[31].snr_cb, -22);
    tear_down(&b);
}
END_TEST

START_TEST(a_gateway_may_stand_there_twice)
{
    struct bench b;
    struct copy mirror;

    set_up(&b, 0);
    hear_from(&b, 1, 80, "frame");
    mirror = copy_at(&b, 1, -150, 0);
    mirror.frequency_hz = 868300000;
    hear(&b, &mirror, "frame");
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 1);
    ck_assert_uint_eq(b.got[0]->copy_count, 2);
    ck_assert_uint_eq(b.got[0]->copies[0].frequency_hz, 868100000);
    tear_down(&b);
}
END_TEST

START_TEST(a_copy_after_the_window_is_late)
{
    struct bench b;
    struct copy copy;

    set_up(&b, 0);
    hear_from(&b, 1, 0, "frame");
    advance(&b, 250);
    hear_from(&b, 2, 0, "frame"); /* another gateway, same channel */
    ck_assert_uint_eq(b.late, 1);
    ck_assert(b.late_id == b.got[0]->id);
    copy = copy_at(&b, 3, 0, 0);
    copy.frequency_hz = 868300000; /* another channel, but within a second */
    hear(&b, &copy, "frame");
    ck_assert_uint_eq(b.late, 2);
    advance(&b, 5000);
    hear_from(&b, 4, 0, "frame"); /* seconds late on the same channel, a slow backhaul */
    ck_assert_uint_eq(b.late, 3);
    copy = copy_at(&b, 1, 0, 5250); /* delivered twice: its own clock says so */
    hear(&b, &copy, "frame");
    ck_assert_uint_eq(b.late, 4);
    advance(&b, 300);
    ck_assert_uint_eq(b.count, 1);
    tear_down(&b);
}
END_TEST

START_TEST(the_same_gateway_a_second_later_is_a_repetition)
{
    struct bench b;

    set_up(&b, 0);
    hear_from(&b, 1, 0, "frame");
    advance(&b, 1000);
    hear_from(&b, 1, 0, "frame"); /* exactly one second: late */
    ck_assert_uint_eq(b.late, 1);
    advance(&b, 1);
    hear_from(&b, 1, 0, "frame");
    hear_from(&b, 2, 10, "frame");
    ck_assert_uint_eq(b.count, 1);
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 2);
    ck_assert(b.got[1]->repetition);
    ck_assert_uint_eq(b.got[1]->copy_count, 2);
    ck_assert(b.got[1]->id != b.got[0]->id);
    ck_assert(b.got[1]->key == b.got[0]->key);
    advance(&b, 1800);
    hear_from(&b, 2, 0, "frame"); /* and once more, told by the repetition's set */
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 3);
    ck_assert(b.got[2]->repetition);
    ck_assert(b.got[2]->id != b.got[1]->id);
    tear_down(&b);
}
END_TEST

START_TEST(another_channel_a_second_later_is_a_repetition)
{
    struct bench b;
    struct copy copy;

    set_up(&b, 0);
    hear_from(&b, 1, 0, "frame");
    advance(&b, 1001);
    copy = copy_at(&b, 2, 0, 0);
    copy.frequency_hz = 868500000;
    hear(&b, &copy, "frame");
    advance(&b, 1001);
    copy = copy_at(&b, 3, 0, 0);
    copy.frequency_hz = 868500000;
    copy.rate.sf = 8;
    hear(&b, &copy, "frame");
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 3);
    ck_assert(b.got[1]->repetition && b.got[2]->repetition);
    ck_assert_uint_eq(b.late, 0);
    tear_down(&b);
}
END_TEST

START_TEST(a_repetition_within_the_window_ends_the_first_set)
{
    struct bench b;
    struct copy slow;

    set_up(&b, 0);
    slow = copy_at(&b, 1, 0, 1500);
    hear(&b, &slow, "frame"); /* came a second and a half late */
    advance(&b, 100);
    hear_from(&b, 1, 0, "frame");
    ck_assert_uint_eq(b.count, 1);
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 2);
    ck_assert(!b.got[0]->repetition);
    ck_assert(b.got[1]->repetition);
    tear_down(&b);
}
END_TEST

START_TEST(tombstones_last_twenty_seconds)
{
    struct bench b;

    set_up(&b, 0);
    hear_from(&b, 1, 0, "frame");
    advance(&b, 200);
    advance(&b, 19999);
    hear_from(&b, 2, 0, "frame");
    ck_assert_uint_eq(b.late, 1);
    advance(&b, 1);
    hear_from(&b, 2, 0, "frame");
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 2);
    ck_assert(!b.got[1]->repetition);
    tear_down(&b);
}
END_TEST

START_TEST(memory_is_bounded)
{
    struct bench b;
    char phy[] = "frame 0";

    set_up(&b, 4);
    for (int i = 0; i < 6; i++) {
        phy[6] = (char)('0' + i);
        hear_from(&b, 1, 0, phy);
    }
    ck_assert_uint_eq(b.dropped, 2); /* open sets are kept */
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 4);
    hear_from(&b, 2, 0, "frame 9"); /* the oldest tombstone gives way */
    ck_assert_uint_eq(b.collector.open, 1);
    ck_assert_uint_eq(b.collector.tombstones, 3);
    hear_from(&b, 2, 0, "frame 3");
    ck_assert_uint_eq(b.late, 1);
    hear_from(&b, 2, 0, "frame 0"); /* forgotten: as if new */
    advance(&b, 200);
    ck_assert_uint_eq(b.count, 6);
    ck_assert_uint_eq(b.dropped, 2);
    tear_down(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {copies_are_gathered_strongest_first,
                                  the_region_is_part_of_the_key,
                                  equal_hashes_do_not_mix_frames,
                                  the_weakest_give_way,
                                  a_gateway_may_stand_there_twice,
                                  a_copy_after_the_window_is_late,
                                  the_same_gateway_a_second_later_is_a_repetition,
                                  another_channel_a_second_later_is_a_repetition,
                                  a_repetition_within_the_window_ends_the_first_set,
                                  tombstones_last_twenty_seconds,
                                  memory_is_bounded,
                                  NULL};

    return run_suite(suite_of("collector", tests));
}
