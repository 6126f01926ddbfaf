/*
 * The downlink queue when things go wrong: results that come late or never, crashes, repetitions,
 * sessions that change, items that do not fit, records that change under a frame.
 */
#include "ns/ns_priv.h"
#include "tests/flow/scene.h"
#include "tests/store/fault_vfs.h"
#include "tests/suite.h"

#include <string.h>

/* ---- joins ----------------------------------------------------------------------------------- */

static const struct device_record *stored_device(void)
{
    struct record_key id = record_key_eui((struct lw_eui){DEVICE});
    void *record = NULL;

    ck_assert_int_eq(store_record_get(world.reader, REC_DEVICE, &id, &world.arena, &record), OK);
    return record;
}

static void other_join_is_refused(int i)
{
    struct sim_device_config config = device_config(i, JOIN_EUI + 1);
    struct sim_device other;

    sim_device_init(&other, &config);
    ck_assert_int_eq(sim_device_join(&other, now(), &tx), OK);
    on_air(&tx);
    ck_assert(!told());
    ck_assert_int_eq(world.last_drop, DROP_JOIN_EUI);
    world_run(&world, 20000000);
}

START_TEST(the_first_join_eui_is_kept_for_ever)
{
    const struct device_record *record;

    begin(_i);
    record = stored_device();
    ck_assert_uint_eq(record->head.rev, 2);
    ck_assert_uint_eq(record->join_eui.n, 8);
    ck_assert_uint_eq(record->join_eui.p[0], 0x11);
    ck_assert_uint_eq(record->join_eui.p[7], 0x88);
    other_join_is_refused(_i);
    restart(_i & 1);
    other_join_is_refused(_i);
    join();
    ck_assert_uint_eq(stored_device()->head.rev, 2);
    end();
}
END_TEST

START_TEST(two_joins_in_flight_give_one_session_each)
{
    struct sim_tx first;

    begin(_i);
    ck_assert_int_eq(sim_device_join(&device, now(), &first), OK);
    tx = first;
    tx.end_us += 300000;
    ck_assert_int_eq(sim_device_join(&device, now(), &tx), OK);
    on_air(&first);
    radio_heard(&world, &radio, (struct bytes){tx.phy, tx.len}, first.frequency_hz, "SF7BW125", 8);
    ck_assert(told());
    ck_assert(told());
    world_run(&world, 9000000);
    ck_assert_uint_eq(count_events(EVENT_JOIN, NULL), 3);
    seen = world.sent_count;
    radio_pull(&world, &radio);
    join();
    speak("again", true);
    ck_assert(listens());
    end();
}
END_TEST

/* ---- results --------------------------------------------------------------------------------- */

START_TEST(a_refused_frame_goes_back_and_its_counter_is_used)
{
    unsigned state;
    uint32_t fcnt;

    begin(_i);
    queue("item", _i & 1);
    speak("a", false);
    for (int rung = 0; rung < 2; rung++) {
        ck_assert(told());
        radio_ack(&world, &radio, &down, "COLLISION_PACKET");
    }
    world_run(&world, 8000000);
    fcnt = (uint32_t)(down.phy[6] | down.phy[7] << 8);
    ck_assert_uint_eq(queued(&state), 1);
    ck_assert_uint_eq(state, QUEUE_QUEUED);
    radio_pull(&world, &radio);
    speak("b", false);
    ck_assert(listens());
    ck_assert(carries("item"));
    ck_assert_uint_gt(verdict.fcnt, fcnt);
    speak("c", false);
    (void)listens();
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

START_TEST(a_frame_without_result_is_sent_again_or_fails)
{
    bool fail = _i & 1;

    begin(_i);
    (void)queue_as(&(struct wish){.text = "item", .fail = fail});
    speak("a", false);
    ck_assert(told()); /* and no TX_ACK */
    world_run(&world, 20000000);
    seen = world.sent_count;
    ck_assert_uint_eq(queued(NULL), fail ? 0 : 1);
    ck_assert_uint_eq(count_events(EVENT_LOG, NULL), fail);
    radio_pull(&world, &radio);
    speak("b", false);
    ck_assert(listens() != fail);
    if (!fail)
        ck_assert(carries("item"));
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

START_TEST(a_result_that_comes_after_the_next_uplink_blocks_nothing)
{
    struct radio_down first;

    retries = 1;
    begin(_i);
    queue("item", true);
    speak("a", false);
    ck_assert(told());
    first = down;
    world_run(&world, 1500000);
    speak("b", false); /* without the ACK: it goes again */
    world_run(&world, 250000);
    radio_ack(&world, &radio, &first, NULL);
    ck_assert(listens());
    ck_assert(carries("item"));
    ck_assert(verdict.flags & SIM_GOT_CONFIRMED);
    speak("c", false);
    (void)listens();
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

START_TEST(a_crash_leaves_the_item_uncertain)
{
    bool fail = _i & 1, confirmed = _i / VERSIONS & 1;
    struct event_facts facts;

    begin(_i);
    (void)queue_as(&(struct wish){.text = "item", .fail = fail, .confirmed = confirmed});
    speak("a", false);
    ck_assert(told());
    restart(true);
    world_run(&world, 8000000);
    speak("b", false);
    if (!fail) {
        ck_assert(listens());
        ck_assert(carries("item"));
        speak("c", false);
        (void)listens();
    } else {
        ck_assert(!listens());
        ck_assert_uint_eq(count_events(EVENT_LOG, NULL), !confirmed);
    }
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(count_events(EVENT_ACK, &facts), confirmed);
    if (confirmed)
        ck_assert(facts.acknowledged == !fail);
    end();
}
END_TEST

START_TEST(a_repetition_gets_the_frame_of_the_confirmed_item_again)
{
    uint8_t phy[255];
    size_t n;

    begin(_i);
    queue("item", true);
    speak("a", false);
    ck_assert(told());
    radio_ack(&world, &radio, &down, NULL); /* sent; the device hears nothing */
    n = down.phy_n;
    memcpy(phy, down.phy, n);
    world_run(&world, 2000000);
    radio_pull(&world, &radio);
    radio_heard(&world, &radio, (struct bytes){tx.phy, tx.len}, tx.frequency_hz, "SF7BW125", 8);
    ck_assert(told());
    ck_assert_uint_eq(down.phy_n, n);
    ck_assert_mem_eq(down.phy, phy, n);
    radio_ack(&world, &radio, &down, "TOO_LATE");
    world_run(&world, 4000000);
    while (radio_down(&world, &radio, &seen, &down))
        radio_ack(&world, &radio, &down, "TOO_LATE");
    world_run(&world, 8000000);
    ck_assert_uint_eq(queued(NULL), 1); /* the first one left: still awaited */
    speak("b", false);
    ck_assert(!listens());
    ck_assert_uint_eq(queued(NULL), 0); /* no retries are wished */
    end();
}
END_TEST

/* ---- sessions and removals ------------------------------------------------------------------- */

START_TEST(a_new_session_takes_over_what_the_old_one_awaited)
{
    begin(_i);
    queue("item", true);
    speak("a", false);
    ck_assert(told());
    radio_ack(&world, &radio, &down, NULL);
    world_run(&world, 8000000);
    radio_pull(&world, &radio);
    join();
    speak("b", false);
    ck_assert(listens());
    ck_assert(carries("item"));
    speak("c", false);
    (void)listens();
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

START_TEST(item_or_device_may_go_while_the_frame_is_under_way)
{
    struct ns_call *call = ns_call_new(ACT_QUEUE_REMOVE, (struct lw_eui){DEVICE});

    begin(_i);
    call->item_id = queue_as(&(struct wish){.text = "item", .confirmed = _i / VERSIONS & 1});
    speak("a", false);
    ck_assert(told());
    if (_i & 1) {
        delete_device();
    } else {
        ck_assert_int_eq(world_ask(&world, call)->result, OK);
        ck_assert_uint_eq(queued(NULL), 0);
    }
    ns_call_free(call);
    radio_ack(&world, &radio, &down, NULL);
    hears();
    world_run(&world, 8000000);
    speak("b", false);
    ck_assert(!told());
    end();
}
END_TEST

/* ---- what fits ------------------------------------------------------------------------------- */

START_TEST(a_long_item_goes_by_the_window_that_holds_it)
{
    unsigned state;

    begin(_i);
    (void)queue_as(&(struct wish){.n = 100});
    speak("a", false); /* DR5: RX1 holds 242 octets, RX2 at DR0 51 */
    ck_assert(told());
    ck_assert_str_eq(down.rate, "SF7BW125");
    radio_ack(&world, &radio, &down, "COLLISION_PACKET");
    ck_assert(!told());
    ck_assert_uint_eq(queued(&state), 1);
    device.dr = 0;
    world_run(&world, 8000000);
    radio_pull(&world, &radio);
    speak("b", false); /* DR0: neither holds it; a shorter one passes */
    ck_assert(!listens());
    ck_assert_uint_eq(queued(&state), 1);
    ck_assert_uint_eq(state, QUEUE_TOO_LONG);
    queue("short", false);
    speak("c", false);
    ck_assert(listens());
    ck_assert(carries("short"));
    device.dr = 5;
    speak("d", false);
    ck_assert(listens());
    ck_assert_uint_eq(verdict.payload_n, 100);
    end();
}
END_TEST

START_TEST(the_longest_item_is_repeated_too)
{
    size_t n;

    begin(_i);
    device.dr = 0;
    (void)queue_as(&(struct wish){.n = 51});
    speak("a", false);
    ck_assert(told());
    n = down.phy_n;
    ck_assert_uint_eq(n, 64);
    world_run(&world, 2500000);
    radio_pull(&world, &radio);
    radio_heard(&world, &radio, (struct bytes){tx.phy, tx.len}, tx.frequency_hz, "SF12BW125", 8);
    ck_assert(told());
    ck_assert_uint_eq(down.phy_n, n);
    world_run(&world, 20000000);
    end();
}
END_TEST

START_TEST(an_item_that_expired_sends_nothing)
{
    uint32_t before;
    struct ns_call *call;

    begin(_i);
    call = world_ask(&world, ns_call_new(ACT_STATE, (struct lw_eui){DEVICE}));
    before = call->session.n_fcnt_down;
    ns_call_free(call);
    (void)queue_as(&(struct wish){.text = "old", .expires_us = world.clock.utc + 1000});
    world_run(&world, 2000000);
    speak("a", false);
    ck_assert(!listens());
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(count_events(EVENT_LOG, NULL), 1);
    call = world_ask(&world, ns_call_new(ACT_STATE, (struct lw_eui){DEVICE}));
    ck_assert_uint_eq(call->session.n_fcnt_down, before);
    ns_call_free(call);
    restart(false);
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

START_TEST(an_item_encrypted_under_a_used_counter_ends_and_the_answer_goes_out)
{
    begin(_i);
    queue("x", false);
    speak("a", true);
    ck_assert(listens());
    (void)queue_as(&(struct wish){.text = "late", .encrypted = true, .fcnt = 0});
    (void)queue_as(&(struct wish){.text = "never", .encrypted = true, .fcnt = UINT32_MAX});
    speak("b", true);
    ck_assert(listens());
    ck_assert(verdict.flags & SIM_GOT_ACK);
    ck_assert_uint_eq(verdict.payload_n, 0);
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(count_events(EVENT_LOG, NULL), 2);
    (void)queue_as(&(struct wish){.text = "ahead", .encrypted = true, .fcnt = 50});
    speak("c", true);
    ck_assert(listens());
    ck_assert_uint_eq(verdict.fcnt, 50);
    end();
}
END_TEST

/* ---- jobs ------------------------------------------------------------------------------------ */

START_TEST(a_profile_may_change_while_a_frame_is_saved)
{
    struct record_key id;
    void *record = NULL;
    struct change change = {0};
    struct arena arena;
    struct op *op;

    begin_with(_i, 1);
    id = record_key_uuid(&world.profile);
    ck_assert_int_eq(store_record_get(world.reader, REC_DEVICE_PROFILE, &id, &world.arena, &record),
                     OK);
    speak("a", true);
    arena_init(&arena, ARENA_JOB_LIMIT);
    op = change_add(&change, &arena, OP_RECORD_PUT);
    op->record = (struct op_record){
        .type = REC_DEVICE_PROFILE, .key = id, .record = record, .expected_rev = UINT64_MAX};
    /* The profile stands before the frame in the committer's box, the frame has its own by then. */
    world_post(&world, &change);
    clock_double_set(&world.clock, now() + 250000);
    for (int i = 0; i < 20; i++)
        (void)worker_step(ns_worker(world.ns, 0), 0);
    ck_assert(world_posted(&world));
    ck_assert_int_eq(change.result, OK);
    arena_reset(&arena);
    ck_assert(listens());
    ck_assert(verdict.flags & SIM_GOT_ACK);
    end();
}
END_TEST

START_TEST(jobs_that_wait_end_with_the_server)
{
    begin(_i);
    world.covered = true;
    queue("item", _i & 1);
    speak("a", true);
    world_run(&world, 250000); /* the answer sleeps */
    restart(true);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 2);
    speak("b", true);
    world_run(&world, 199000); /* gathering */
    end();
}
END_TEST

static enum err add_while_away(void)
{
    struct ns_call *call = ns_call_new(ACT_QUEUE_ADD, (struct lw_eui){DEVICE});
    enum err err;

    call->item = queue_item_new(1);
    err = world_ask(&world, call)->result;
    ns_call_free(call);
    return err;
}

START_TEST(while_the_store_is_away_frames_wait_and_nothing_is_spoken)
{
    int64_t drops = metric_read(&ns_drops, DROP_STORE_AWAY);

    begin(_i);
    queue("item", _i & 1);
    fault = (struct fault){.at = 1, .forever = true};
    ck_assert_int_eq(add_while_away(), ERR_AWAY); /* finds it out */
    ck_assert_int_eq(metric_read(&ns_drops, DROP_STORE_AWAY), drops + 1);
    ck_assert_int_eq(add_while_away(), ERR_AWAY); /* knows */
    speak("a", true);
    ck_assert(!told());
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 1);
    world_run(&world, 60000000);
    fault = (struct fault){0};
    world_run(&world, 5000000);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 2);
    ck_assert(!told()); /* too late for its windows */
    ck_assert_uint_eq(queued(NULL), 1);
    radio_pull(&world, &radio);
    speak("b", true);
    ck_assert(listens());
    ck_assert(carries("item"));
    ck_assert(verdict.flags & SIM_GOT_ACK);
    speak("c", false);
    (void)listens();
    ck_assert_uint_eq(queued(NULL), 0);
    end();
}
END_TEST

START_TEST(frames_that_wait_for_the_store_end_with_the_server)
{
    begin(_i);
    fault = (struct fault){.at = 1, .forever = true};
    for (int i = 0; i < 20;
         i++) { /* one in the committer's hands, some in the list, some too many */
        speak("a", true);
        world_run(&world, 300000);
    }
    ck_assert_int_eq(world.last_drop, DROP_DEVICE_BUSY);
    world_stop_crashed(&world);
    fault = (struct fault){0};
    world_start(&world);
    radio_pull(&world, &radio);
    seen = world.sent_count;
    speak("b", true);
    ck_assert(listens());
    ck_assert(verdict.flags & SIM_GOT_ACK);
    end();
}
END_TEST

/* ---- counters -------------------------------------------------------------------------------- */

static enum err activate(uint32_t addr, uint8_t other_key, uint32_t n, uint32_t a)
{
    struct ns_call *call = ns_call_new(ACT_ACTIVATE, (struct lw_eui){DEVICE});
    enum err err;

    call->session.dev_addr.v = addr;
    call->session.keys = (struct lw_session_keys){app_key, app_key, app_key, nwk_key};
    call->session.keys.f_nwk_s_int.b[0] = other_key;
    call->session.n_fcnt_down = n;
    call->session.a_fcnt_down = a;
    err = world_ask(&world, call)->result;
    ns_call_free(call);
    return err;
}

START_TEST(a_down_counter_never_goes_back_under_a_key)
{
    begin(_i);
    ck_assert_int_eq(activate(0x26000001, 1, 10, 10), OK);
    ck_assert_int_eq(activate(0x26000001, 1, 9, 10), ERR_CONFLICT);
    ck_assert_int_eq(activate(0x26000001, 1, 10, 9), ERR_CONFLICT);
    ck_assert_int_eq(activate(0x26000001, 1, 10, 10), OK);
    /* AppSKey and address are the same: the key stream of the payload would be, too. */
    ck_assert_int_eq(activate(0x26000001, 2, 0, 0), ERR_CONFLICT);
    ck_assert_int_eq(activate(0x26000002, 2, 0, 0), OK);
    end();
}
END_TEST

static void put_device(bool skip_fcnt)
{
    struct device_record *record = arena_memdup(&world.arena, stored_device(), sizeof(*record));

    record->skip_fcnt_check = skip_fcnt;
    world_put(&world, REC_DEVICE, record);
}

START_TEST(a_counter_that_begins_again_keeps_the_session_and_changes_the_ids)
{
    struct event_facts before, after;
    uint32_t fcnt_down[2];

    begin(_i);
    put_device(true);
    speak("x", true);
    ck_assert(listens());
    device.fcnt_up = 0;
    speak("y", false);
    (void)listens();
    ck_assert_uint_eq(count_events(EVENT_UP, &before), 3);
    fcnt_down[0] = device.fcnt_down[0];
    fcnt_down[1] = device.fcnt_down[1];
    device.fcnt_up = 0;
    speak("z", true); /* on one of the channels that the join-accept gave */
    ck_assert(listens());
    ck_assert(verdict.flags & SIM_GOT_ACK);
    ck_assert_uint_eq(count_events(EVENT_UP, &after), 4);
    ck_assert_uint_eq(after.fcnt, before.fcnt);
    ck_assert(!uuid_equal(&after.dedup_id, &before.dedup_id));
    ck_assert(device.fcnt_down[0] + device.fcnt_down[1] > fcnt_down[0] + fcnt_down[1]);
    end();
}
END_TEST

START_TEST(a_repeated_ack_is_known_after_the_next_confirmed_downlink)
{
    begin(_i);
    queue("one", true);
    speak("a", false);
    ck_assert(listens());
    queue("two", true);
    speak("b", true); /* acknowledges `one`; the answer with `two` is lost */
    ck_assert(told());
    radio_ack(&world, &radio, &down, NULL);
    world_run(&world, 2500000);
    radio_pull(&world, &radio);
    radio_heard(&world, &radio, (struct bytes){tx.phy, tx.len}, tx.frequency_hz, "SF7BW125", 8);
    ck_assert(told());
    tx.end_us = now() - 600000;
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 3);
    ck_assert_uint_eq(count_events(EVENT_ACK, NULL), 1);
    world_run(&world, 20000000);
    end();
}
END_TEST

START_TEST(a_waiting_job_is_not_overtaken)
{
    struct sim_tx first;

    begin_with(_i, 1);
    fault = (struct fault){.at = 1, .forever = true};
    for (int i = 0; i < 6; i++) {
        speak("a", false);
        world_run(&world, 300000);
        first = tx;
    }
    /* The next one is gathered in the moment in which the first is saved. */
    speak("b", false);
    world_run(&world, 100000);
    ck_assert_uint_eq(first.fcnt + 1, tx.fcnt);
    fault = (struct fault){0};
    world_run(&world, 20000000);
    ck_assert_uint_eq(count_events(EVENT_UP, NULL), 8);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_queue");
    TCase *tc = tcase_create("flow_queue");
    const TTest *const tests[] = {
        the_first_join_eui_is_kept_for_ever,
        two_joins_in_flight_give_one_session_each,
        a_refused_frame_goes_back_and_its_counter_is_used,
        a_frame_without_result_is_sent_again_or_fails,
        a_result_that_comes_after_the_next_uplink_blocks_nothing,
        a_crash_leaves_the_item_uncertain,
        a_new_session_takes_over_what_the_old_one_awaited,
        item_or_device_may_go_while_the_frame_is_under_way,
        a_long_item_goes_by_the_window_that_holds_it,
        an_item_that_expired_sends_nothing,
        an_item_encrypted_under_a_used_counter_ends_and_the_answer_goes_out,
        a_profile_may_change_while_a_frame_is_saved,
        jobs_that_wait_end_with_the_server,
        while_the_store_is_away_frames_wait_and_nothing_is_spoken,
        frames_that_wait_for_the_store_end_with_the_server,
        a_down_counter_never_goes_back_under_a_key,
        a_counter_that_begins_again_keeps_the_session_and_changes_the_ids,
        a_repeated_ack_is_known_after_the_next_confirmed_downlink,
        a_waiting_job_is_not_overtaken,
        NULL};
    /* A repetition with the same octets: the MIC of 1.1 signs the channel, which stays here. */
    const TTest *const repeated[] = {a_repetition_gets_the_frame_of_the_confirmed_item_again,
                                     the_longest_item_is_repeated_too, NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2 * VERSIONS);
    for (const TTest *const *t = repeated; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2 * VERSIONS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
