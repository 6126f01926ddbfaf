/*
 * What a restart must not change: the truth about frames that were under way, ACKs that were taken,
 * items whose transmission is uncertain.
 */
#include "ns/ns_priv.h"
#include "tests/flow/scene.h"
#include "tests/suite.h"

/* The same octets once more on the same channel. */
static void repeats(void)
{
    radio_pull(&world, &radio);
    radio_heard(&world, &radio, (struct bytes){tx.phy, tx.len}, tx.frequency_hz, "SF7BW125", 8);
}

START_TEST(an_ack_that_was_taken_is_known_after_a_restart)
{
    begin(_i);
    queue("zero", false); /* so that the counter of `one` is not 0 */
    speak("a", false);
    ck_assert(listens());
    queue("one", true);
    speak("a", false);
    ck_assert(listens());
    queue("two", true);
    speak("b", true); /* acknowledges `one`; the answer with `two` is lost */
    ck_assert(told());
    radio_ack(&world, &radio, &down, NULL);
    world_run(&world, 2500000);
    restart(_i & 1);
    repeats();
    ck_assert(told());
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 4);
    ck_assert_uint_eq(count_events(EVENT_ACK, NULL), 1);
    world_run(&world, 20000000);
    end();
}
END_TEST

/* A confirmed item of which nobody knows whether it left goes again without a retry left; one that
 * must not be sent twice does not, though a retry is left. */
START_TEST(an_uncertain_item_stays_uncertain_over_a_restart)
{
    bool fail = _i / VERSIONS & 1;
    struct event_facts facts;

    retries = fail;
    begin(_i);
    (void)queue_as(&(struct wish){.text = "item", .fail = fail, .confirmed = true});
    speak("a", false);
    ck_assert(told()); /* and no TX_ACK */
    world_run(&world, 20000000);
    restart(_i & 1);
    speak("b", false);
    ck_assert(listens() != fail);
    if (!fail) {
        ck_assert(carries("item"));
        speak("c", false);
        (void)listens();
    }
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(count_events(EVENT_ACK, &facts), 1);
    ck_assert(facts.acknowledged == !fail);
    end();
}
END_TEST

/* Once it went back to the queue and out again with a result, it is an item like any other. */
START_TEST(what_was_uncertain_is_forgotten_when_it_goes_again)
{
    struct event_facts facts;

    begin(_i);
    queue("item", true);
    speak("a", false);
    ck_assert(told());
    world_run(&world, 20000000);
    radio_pull(&world, &radio);
    speak("b", false);
    ck_assert(told());
    radio_ack(&world, &radio, &down, NULL); /* sent; the device hears nothing */
    world_run(&world, 8000000);
    restart(_i & 1);
    speak("c", false);
    ck_assert(!listens());
    ck_assert_uint_eq(queued(NULL), 0); /* no retries are wished */
    ck_assert_uint_eq(count_events(EVENT_ACK, &facts), 1);
    ck_assert(!facts.acknowledged);
    end();
}
END_TEST

/* Attempts are kept two hours; an item must not hang because that of its frame is gone. */
START_TEST(an_item_whose_attempt_is_gone_is_uncertain)
{
    begin(_i);
    queue("item", _i / VERSIONS & 1);
    speak("a", false);
    ck_assert(told());
    spoil("DELETE FROM attempt");
    world_run(&world, 8000000);
    speak("b", false);
    ck_assert(listens());
    ck_assert(carries("item"));
    speak("c", false);
    (void)listens();
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_restart");
    TCase *tc = tcase_create("flow_restart");
    const TTest *const tests[] = {an_ack_that_was_taken_is_known_after_a_restart,
                                  an_uncertain_item_stays_uncertain_over_a_restart,
                                  what_was_uncertain_is_forgotten_when_it_goes_again,
                                  an_item_whose_attempt_is_gone_is_uncertain, NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2 * VERSIONS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
