/* When downlinks of class B and C may go. */
#include "lorawan/class_bc.h"
#include "tests/suite.h"

#define S INT64_C(1000000)

START_TEST(class_c_waits_for_what_is_in_the_air)
{
    static const struct {
        struct lw_quiet quiet;
        int64_t due_us; /* with the clock at 100 s */
    } rows[] = {
        {{LW_NEVER_US, LW_NEVER_US, 1, false}, 100 * S},
        {{LW_NEVER_US, LW_NEVER_US, 1, true}, 100 * S}, /* nothing was sent: nothing is awaited */
        {{90 * S, LW_NEVER_US, 1, false}, 100 * S},
        {{99 * S, LW_NEVER_US, 1, false}, 101 * S + S / 2},
        {{99 * S, LW_NEVER_US, 0, false}, 101 * S + S / 2},
        {{99 * S, LW_NEVER_US, 15, false}, 115 * S + S / 2},
        {{LW_NEVER_US, 99 * S + S / 2, 1, false}, 100 * S + S / 2},
        {{LW_NEVER_US, 99 * S + S / 2, 1, true}, 107 * S + S / 2},
        {{LW_NEVER_US, 90 * S, 1, true}, 100 * S},     /* the time-out has passed */
        {{97 * S, 99 * S + 1, 1, false}, 100 * S + 1}, /* answered in RX2 */
        {{LW_NEVER_US, 105 * S, 1, false}, 106 * S},   /* one is still being sent */
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_int_eq(lw_class_c_due_us(&rows[i].quiet, 100 * S), rows[i].due_us);
}
END_TEST

START_TEST(class_b_takes_a_slot_for_which_there_is_time)
{
    const struct lw_dev_addr addr = {0x01020304};
    const uint64_t period_ms = 1436486400000; /* offset 157 of 256: the first slot at +6830 ms */

    ck_assert_uint_eq(lw_class_b_due_ms(addr, 3, period_ms, 0), period_ms + 6830);
    ck_assert_uint_eq(lw_class_b_due_ms(addr, 3, period_ms + 5830, 0), period_ms + 6830);
    ck_assert_uint_eq(lw_class_b_due_ms(addr, 3, period_ms + 5831, 0), period_ms + 6830 + 7680);
    ck_assert_uint_eq(lw_class_b_due_ms(addr, 3, period_ms, period_ms + 6830),
                      period_ms + 6830 + 7680); /* that one is used */
}
END_TEST

START_TEST(beacons_are_not_disturbed)
{
    const uint64_t beacon_ms = UINT64_C(1436486400) / 128 * 128 * 1000;

    ck_assert(lw_beacon_forbids(beacon_ms, 0));
    ck_assert(lw_beacon_forbids(beacon_ms + 2119, 10));
    ck_assert(!lw_beacon_forbids(beacon_ms + 2120, 10));
    ck_assert(!lw_beacon_forbids(beacon_ms + 124999, 3001)); /* may run into the guard */
    ck_assert(lw_beacon_forbids(beacon_ms + 124999, 3002));  /* not into the beacon */
    ck_assert(lw_beacon_forbids(beacon_ms + 125000, 1));
    ck_assert(lw_beacon_forbids(beacon_ms + 127999, 0));
    /* No ping slot begins where nothing may. */
    for (unsigned slot = 0; slot < LW_PING_SLOTS; slot++)
        ck_assert(!lw_beacon_forbids(lw_ping_slot_ms((uint32_t)(beacon_ms / 1000), slot), 30));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {class_c_waits_for_what_is_in_the_air,
                                  class_b_takes_a_slot_for_which_there_is_time,
                                  beacons_are_not_disturbed, NULL};

    return run_suite(suite_of("lorawan_class_bc", tests));
}
