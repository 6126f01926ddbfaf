/*
 * Rows that cannot be read, seen by the network server: the device they belong to is refused by
 * name and comes back by a join or an activation, nobody else notices, and no counter goes back.
 */
#include "ns/ns_priv.h"
#include "tests/flow/scene.h"
#include "tests/suite.h"

#define STATE "UPDATE device_state SET state = x'07'; UPDATE journal SET state = x'07'"
#define EMPTY "UPDATE journal SET state = x''; UPDATE device_state SET state = x''"
#define CUT                                                                                        \
    "UPDATE journal SET state = substr(state, 1, 30); UPDATE device_state SET state = "            \
    "substr(state, 1, 30)"
#define ACTIVE "UPDATE device_state SET active = zeroblob(length(active))"

static size_t aside(enum aside_kind kind)
{
    return asides_all(store_asides(world.store)).n[kind];
}

static void refused(enum drop drop)
{
    size_t ups = count_events(EVENT_UP, NULL);

    speak("x", true);
    ck_assert(!listens());
    ck_assert_int_eq(world.last_drop, drop);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), ups);
}

static void accepted(void)
{
    size_t ups = count_events(EVENT_UP, NULL);

    speak("y", true);
    ck_assert(listens());
    ck_assert(verdict.flags & SIM_GOT_ACK);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), ups + 1);
}

/* The counters of such a session are not 0: an old frame, heard again, must not count. */
START_TEST(a_device_whose_state_is_damaged_is_refused_until_it_joins)
{
    static const char *const damages[] = {STATE, EMPTY, CUT};
    struct sim_device before, joined;
    struct sim_tx old;

    begin(_i);
    speak("old", true);
    ck_assert(listens());
    old = tx;
    spoil(damages[_i % 3]);
    ck_assert_uint_eq(aside(ASIDE_STATE), 1);
    refused(DROP_CORRUPT);
    on_air(&old);
    world_run(&world, 1000000);
    ck_assert_int_eq(world.last_drop, DROP_CORRUPT);
    before = device;
    join();
    restart(_i & 1); /* the join did not make the old session readable */
    ck_assert_uint_eq(aside(ASIDE_STATE), 1);
    joined = device;
    device = before;
    refused(DROP_CORRUPT);
    device = joined;
    accepted();
    ck_assert_uint_eq(aside(ASIDE_STATE), 0);
    restart(_i & 1);
    ck_assert_uint_eq(aside(ASIDE_STATE), 0);
    accepted();
    end();
}
END_TEST

START_TEST(a_device_whose_session_is_damaged_joins_again)
{
    begin(_i);
    spoil(ACTIVE);
    ck_assert_uint_eq(aside(ASIDE_SESSION), 1);
    refused(DROP_UNKNOWN_DEVADDR); /* its address is sealed, too */
    join();
    restart(_i & 1);
    ck_assert_uint_eq(aside(ASIDE_SESSION), 1);
    accepted();
    ck_assert_uint_eq(aside(ASIDE_SESSION), 0);
    end();
}
END_TEST

START_TEST(a_damaged_pending_session_leaves_the_active_one)
{
    struct sim_device before;

    begin(_i);
    before = device;
    join();
    spoil("UPDATE device_state SET pending = zeroblob(length(pending))");
    ck_assert_uint_eq(aside(ASIDE_SESSION), 1);
    refused(DROP_UNKNOWN_DEVADDR);
    before.dev_nonce = device.dev_nonce;
    device = before;
    accepted();
    ck_assert_uint_eq(aside(ASIDE_SESSION), 1);
    join();
    ck_assert_uint_eq(aside(ASIDE_SESSION), 0);
    accepted();
    end();
}
END_TEST

static enum err activate(uint8_t key, uint32_t fcnt)
{
    struct ns_call *call = ns_call_new(ACT_ACTIVATE, (struct lw_eui){DEVICE});
    enum err err;

    call->session.dev_addr.v = 0x26000001;
    call->session.keys = (struct lw_session_keys){app_key, app_key, app_key, nwk_key};
    call->session.keys.app_s_key.b[0] = call->session.keys.nwk_s_enc.b[0] =
        call->session.keys.s_nwk_s_int.b[0] = key;
    call->session.n_fcnt_down = call->session.a_fcnt_down = fcnt;
    err = world_ask(&world, call)->result;
    ns_call_free(call);
    return err;
}

static bool has_session(bool *unreadable)
{
    struct ns_call *call = world_ask(&world, ns_call_new(ACT_STATE, (struct lw_eui){DEVICE}));
    bool has = call->has_session;

    *unreadable = call->unreadable;
    ns_call_free(call);
    return has;
}

START_TEST(an_activation_must_not_bring_back_unknown_counters)
{
    struct ns_call *call = ns_call_new(ACT_DEACTIVATE, (struct lw_eui){DEVICE});
    bool unreadable;

    begin(_i);
    ck_assert_int_eq(activate(1, 10), OK);
    spoil(STATE);
    ck_assert(!has_session(&unreadable));
    ck_assert(unreadable);
    ck_assert_int_eq(activate(1, 1000), ERR_CONFLICT);
    if (_i & 1)
        ck_assert_int_eq(world_ask(&world, call)->result, OK);
    else
        ck_assert_int_eq(activate(2, 0), OK);
    ns_call_free(call);
    ck_assert_uint_eq(aside(ASIDE_STATE), 0);
    restart(true);
    ck_assert_uint_eq(aside(ASIDE_STATE), 0);
    ck_assert(has_session(&unreadable) == !(_i & 1));
    ck_assert(!unreadable);
    end();
}
END_TEST

START_TEST(a_damaged_queue_item_costs_no_other)
{
    begin(_i);
    queue("one", false);
    queue("two", false);
    spoil("UPDATE queue SET item = x'0102' WHERE ord = (SELECT min(ord) FROM queue)");
    ck_assert_uint_eq(aside(ASIDE_QUEUE_ITEM), 1);
    ck_assert_uint_eq(queued(NULL), 1);
    speak("a", false);
    ck_assert(listens());
    ck_assert(carries("two"));
    restart(_i & 1);
    ck_assert_uint_eq(aside(ASIDE_QUEUE_ITEM), 1); /* nothing of it was deleted */
    if (_i & 1) {
        struct ns_call *call = ns_call_new(ACT_QUEUE_REMOVE, (struct lw_eui){DEVICE});

        ck_assert_int_eq(world_ask(&world, call)->result, OK);
        ns_call_free(call);
        ck_assert_uint_eq(aside(ASIDE_QUEUE_ITEM), 0);
        restart(false);
        ck_assert_uint_eq(aside(ASIDE_QUEUE_ITEM), 0);
    }
    end();
}
END_TEST

START_TEST(a_damaged_attempt_is_counted)
{
    size_t attempts;

    begin(_i);
    queue("item", true);
    speak("a", false);
    ck_assert(told());
    spoil("UPDATE attempt SET attempt = x''");
    attempts = aside(ASIDE_ATTEMPT);
    ck_assert_uint_ge(attempts, 1);
    world_run(&world, 8000000);
    speak("b", false);
    ck_assert(listens());
    ck_assert(carries("item"));
    end();
}
END_TEST

START_TEST(devices_of_a_damaged_profile_are_refused_by_name)
{
    begin(_i);
    spoil("UPDATE device_profile SET doc = '{}'");
    ck_assert_uint_eq(aside(ASIDE_RECORD), 1);
    refused(DROP_CORRUPT);
    ck_assert_int_eq(sim_device_join(&device, now(), &tx), OK);
    on_air(&tx);
    ck_assert(!listens());
    ck_assert_int_eq(world.last_drop, DROP_CORRUPT);
    end();
}
END_TEST

/* What belongs to a device goes with it. */
START_TEST(a_device_made_anew_has_nothing_aside)
{
    begin(_i);
    queue("item", false);
    spoil(STATE "; UPDATE queue SET item = x'01'");
    ck_assert_uint_eq(aside(ASIDE_STATE) + aside(ASIDE_QUEUE_ITEM), 2);
    delete_device();
    ck_assert_uint_eq(aside(ASIDE_STATE) + aside(ASIDE_QUEUE_ITEM), 0);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_aside");
    TCase *tc = tcase_create("flow_aside");
    const TTest *const tests[] = {a_device_whose_state_is_damaged_is_refused_until_it_joins,
                                  a_device_whose_session_is_damaged_joins_again,
                                  a_damaged_pending_session_leaves_the_active_one,
                                  an_activation_must_not_bring_back_unknown_counters,
                                  a_damaged_queue_item_costs_no_other,
                                  a_damaged_attempt_is_counted,
                                  devices_of_a_damaged_profile_are_refused_by_name,
                                  a_device_made_anew_has_nothing_aside,
                                  NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2 * VERSIONS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
