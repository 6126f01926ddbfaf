/*
 * The machine's clock is set while the server runs: UTC jumps by hours and years, both ways.
 * Windows and deadlines stand on the monotonic clock, what expires on UTC.
 */
#include "core/log.h"
#include "db/sqlite.h"
#include "ns/ns_priv.h"
#include "tests/flow/scene.h"
#include "tests/store/fault_vfs.h"
#include "tests/suite.h"

#define SECOND ((int64_t)US_PER_S)
#define HOUR   (3600 * SECOND)
#define YEAR   (365 * 24 * HOUR)

static const int64_t jumps[] = {HOUR, -HOUR, YEAR, -YEAR, 10 * YEAR, -5 * YEAR};
#define JUMPS (int)(sizeof(jumps) / sizeof(jumps[0]))

static void jump(int64_t by)
{
    clock_double_step_utc(&world.clock, by);
}

/* Between the uplink and its answer. */
START_TEST(an_answer_keeps_its_window)
{
    begin(_i);
    queue("item", false);
    speak("a", true);
    world_run(&world, 100000);
    jump(jumps[_i]);
    ck_assert(listens());
    ck_assert_int_eq(radio_delay_us(&radio, &down, tx.end_us), SECOND);
    ck_assert(carries("item"));
    ck_assert(verdict.flags & SIM_GOT_ACK);
    /* And so on, in the new time. */
    queue("next", true);
    speak("b", false);
    ck_assert(listens() && carries("next"));
    speak("c", true);
    ck_assert(listens());
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 4);
    end();
}
END_TEST

START_TEST(joins_and_counters_go_on)
{
    begin(_i);
    jump(jumps[_i]);
    join();
    speak("a", true);
    ck_assert(listens());
    restart(_i & 1);
    speak("b", true);
    ck_assert(listens());
    ck_assert(verdict.flags & SIM_GOT_ACK);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 3);
    end();
}
END_TEST

/* What shall expire at a moment of UTC does so when UTC has come there, however it came. */
START_TEST(an_item_expires_by_utc)
{
    struct wish wish = {.text = "item"};

    begin(_i);
    wish.expires_us = clock_utc(&world.clock.clock) + 30 * 60 * SECOND;
    (void)queue_as(&wish);
    jump(jumps[_i]);
    world_run(&world, 2 * 60 * SECOND);
    radio_pull(&world, &radio);
    speak("a", true);
    ck_assert(listens());
    ck_assert_int_eq(carries("item"), jumps[_i] < 0);
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

/* A copy's age, its tombstone and the gateway's clock are no matters of UTC. */
START_TEST(a_repeated_frame_is_still_known)
{
    begin(_i);
    speak("a", true);
    (void)told();
    jump(jumps[_i]);
    radio_heard(&world, &radio, (struct bytes){tx.phy, tx.len}, tx.frequency_hz, "SF7BW125", 8);
    world_run(&world, 3 * SECOND);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 2); /* with the scene's first */
    end();
}
END_TEST

/* ---- a store that refuses, by what it says -------------------------------------------------- */

static const int refusals[] = {SQLITE_FULL,  SQLITE_READONLY, SQLITE_BUSY,
                               SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_IOERR_WRITE};
#define REFUSALS (int)(sizeof(refusals) / sizeof(refusals[0]))

START_TEST(a_store_that_refuses_is_waited_for)
{
    begin(_i);
    queue("item", false);
    fault = (struct fault){.at = 1, .forever = true, .code = refusals[_i]};
    speak("a", true);
    ck_assert(!told());
    ck_assert(committer_away_since(world.committer));
    jump(jumps[_i]); /* how long it has been away is no matter of UTC either */
    world_run(&world, 10 * SECOND);
    ck_assert(committer_away_since(world.committer));
    ck_assert_int_eq(committer_lag_us(world.committer, now()), 0); /* away, not overloaded */
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_NONE);
    fault = (struct fault){0};
    world_run(&world, 3 * SECOND);
    ck_assert(!committer_away_since(world.committer));
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 2);
    radio_pull(&world, &radio);
    speak("b", true);
    ck_assert(listens() && carries("item"));
    ck_assert_int_eq(overload_level(&world.overload), OVERLOAD_NONE);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_clock");
    TCase *tc = tcase_create("flow_clock");

    log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    tcase_add_loop_test(tc, an_answer_keeps_its_window, 0, JUMPS);
    tcase_add_loop_test(tc, joins_and_counters_go_on, 0, JUMPS);
    tcase_add_loop_test(tc, an_item_expires_by_utc, 0, JUMPS);
    tcase_add_loop_test(tc, a_repeated_frame_is_still_known, 0, JUMPS);
    tcase_add_loop_test(tc, a_store_that_refuses_is_waited_for, 0, REFUSALS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
