/* Ping slots: where they lie, which comes next, and whom a gateway cannot serve at once. */
#include "lorawan/ping.h"
#include "tests/suite.h"

START_TEST(periods_fill_a_beacon_period)
{
    for (unsigned p = 0; p < 8; p++) {
        ck_assert_uint_eq(lw_ping_period(p) * lw_ping_nb(p), LW_PING_SLOTS);
        ck_assert_uint_eq(lw_ping_nb(p), 1u << (7 - p));
    }
    ck_assert_uint_eq(lw_ping_period(8), lw_ping_period(0)); /* a field of three bits */
    /* beacon, 4096 slots and the guard are the whole period */
    ck_assert_uint_eq(lw_ping_slot_ms(0, LW_PING_SLOTS) + LW_BEACON_GUARD_MS,
                      LW_BEACON_PERIOD_S * 1000);
}
END_TEST

START_TEST(a_moment_belongs_to_the_last_beacon)
{
    ck_assert_uint_eq(lw_beacon_time(0), 0);
    ck_assert_uint_eq(lw_beacon_time(127999), 0);
    ck_assert_uint_eq(lw_beacon_time(128000), 128);
    ck_assert_uint_eq(lw_beacon_time(UINT64_C(1436486528001)), 1436486528);
    ck_assert_uint_eq(lw_beacon_time(UINT64_C(4294967295999)), 4294967168);
}
END_TEST

/* Walks through some beacon periods: each slot comes once, in order, and none lies elsewhere. */
static void walk(struct lw_dev_addr addr, unsigned periodicity)
{
    const uint32_t from = 1436486400, periods = 3;
    uint64_t at = lw_ping_slot_ms(from, 0) - 1; /* the first slot begins later than this */

    for (uint32_t beacon = from; beacon < from + periods * 128; beacon += 128) {
        struct lw_ping ping = lw_ping_of(addr, periodicity, beacon);

        ck_assert_uint_lt(ping.offset, ping.period);
        for (unsigned slot = ping.offset; slot < LW_PING_SLOTS; slot += ping.period) {
            at = lw_ping_next_ms(addr, periodicity, at);
            ck_assert_uint_eq(at, lw_ping_slot_ms(beacon, slot));
            ck_assert_uint_eq(lw_ping_next_ms(addr, periodicity, at - 1), at);
        }
    }
}

START_TEST(the_next_slot_is_the_next_of_the_beacon_period)
{
    uint32_t seed = 1;

    for (unsigned i = 0; i < 16; i++) {
        seed = seed * 1664525 + 1013904223;
        walk((struct lw_dev_addr){seed}, i % 8);
    }
    walk((struct lw_dev_addr){0xffffffff}, 7);
}
END_TEST

/* What lw_ping_collisions must give, from every slot of the beacon period. */
static unsigned collisions_counted(struct lw_ping a, struct lw_ping b, unsigned span)
{
    unsigned count = 0;

    for (unsigned s = a.offset; s < LW_PING_SLOTS; s += a.period) {
        bool hit = false;

        for (unsigned t = b.offset; t < LW_PING_SLOTS; t += b.period)
            hit = hit || (s < t + span && t < s + span);
        count += hit;
    }
    return count;
}

START_TEST(collisions_are_the_slots_that_overlap)
{
    uint32_t seed = 7;

    for (unsigned i = 0; i < 400; i++) {
        struct lw_ping a, b;
        unsigned span = 1 + i % 5 * 9;

        seed = seed * 1664525 + 1013904223;
        a = lw_ping_of((struct lw_dev_addr){seed}, i % 8, 0);
        b = lw_ping_of((struct lw_dev_addr){~seed}, i / 8 % 8, 0);
        ck_assert_uint_eq(lw_ping_collisions(a, b, span), collisions_counted(a, b, span));
    }
    /* the same slots; neighbours that do not meet, and do with frames of two slots */
    ck_assert_uint_eq(lw_ping_collisions((struct lw_ping){3, 32}, (struct lw_ping){3, 32}, 1), 128);
    ck_assert_uint_eq(lw_ping_collisions((struct lw_ping){3, 32}, (struct lw_ping){4, 32}, 1), 0);
    ck_assert_uint_eq(lw_ping_collisions((struct lw_ping){4, 32}, (struct lw_ping){3, 32}, 2), 128);
    ck_assert_uint_eq(lw_ping_collisions((struct lw_ping){4, 4096}, (struct lw_ping){3, 32}, 2), 1);
    /* one that ends where the other begins, at the beginning of the period */
    ck_assert_uint_eq(lw_ping_collisions((struct lw_ping){2, 4096}, (struct lw_ping){0, 4096}, 2),
                      0);
    ck_assert_uint_eq(lw_ping_collisions((struct lw_ping){1, 4096}, (struct lw_ping){0, 4096}, 2),
                      1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {periods_fill_a_beacon_period, a_moment_belongs_to_the_last_beacon,
                                  the_next_slot_is_the_next_of_the_beacon_period,
                                  collisions_are_the_slots_that_overlap, NULL};

    return run_suite(suite_of("lorawan_ping", tests));
}
