/* Queue items that expire by themselves, and queue writes that meet the end of their device. */
#include "ns/ns_priv.h"
#include "tests/flow/scene.h"
#include "tests/store/fault_vfs.h"
#include "tests/suite.h"

#include <string.h>

#define SECOND (int64_t)1000000

static void queue_for(int64_t us, const char *text, bool confirmed)
{
    (void)queue_as(
        &(struct wish){.text = text, .confirmed = confirmed, .expires_us = world.clock.utc + us});
}

static size_t expired(void)
{
    struct event_facts facts = {.code = "EXPIRED"};
    size_t n = count_events(EVENT_LOG, &facts);

    ck_assert_str_eq(facts.code, "EXPIRED");
    return n;
}

START_TEST(items_expire_without_an_uplink)
{
    begin(_i);
    queue_for(9 * SECOND, "later", false);
    queue_for(5 * SECOND, "soon", true);
    queue("never", false);
    world_run(&world, 4 * SECOND);
    ck_assert_uint_eq(queued(NULL), 3);
    ck_assert_uint_eq(expired(), 0);
    world_run(&world, 2 * SECOND);
    ck_assert_uint_eq(queued(NULL), 2);
    ck_assert_uint_eq(expired(), 1);
    world_run(&world, 4 * SECOND);
    ck_assert_uint_eq(queued(NULL), 1);
    ck_assert_uint_eq(expired(), 2);
    restart(_i & 1);
    world_run(&world, 1000 * SECOND);
    ck_assert_uint_eq(queued(NULL), 1);
    ck_assert_uint_eq(expired(), 2);
    end();
}
END_TEST

START_TEST(items_expire_while_the_server_is_down_and_after)
{
    begin(_i);
    queue_for(5 * SECOND, "soon", false);
    queue_for(3600 * SECOND, "later", false);
    world_stop_crashed(&world);
    clock_double_set(&world.clock, now() + 10 * SECOND);
    world_start(&world);
    world_run(&world, SECOND);
    ck_assert_uint_eq(queued(NULL), 1);
    ck_assert_uint_eq(expired(), 1);
    restart(_i & 1);
    world_run(&world, 3600 * SECOND);
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(expired(), 2);
    end();
}
END_TEST

START_TEST(an_item_under_way_does_not_expire)
{
    bool confirmed = _i & 1, refused = _i / VERSIONS & 1;

    begin(_i);
    queue_for(2 * SECOND, "item", confirmed);
    speak("a", false);
    ck_assert(told());
    if (refused) {
        radio_ack(&world, &radio, &down, "COLLISION_PACKET");
        if (told())
            radio_ack(&world, &radio, &down, "COLLISION_PACKET");
    } else {
        radio_ack(&world, &radio, &down, NULL);
        hears();
    }
    world_run(&world, 10 * SECOND);
    ck_assert_uint_eq(expired(), refused);
    ck_assert_uint_eq(queued(NULL), !refused && confirmed);
    radio_pull(&world, &radio);
    speak("b", false);
    (void)listens();
    ck_assert_uint_eq(count_events(EVENT_ACK, NULL), !refused && confirmed);
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(expired(), refused);
    end();
}
END_TEST

/* Awaited by a session that is gone: it waits again, and expires. */
START_TEST(an_item_of_a_former_session_expires)
{
    struct ns_call *call = ns_call_new(ACT_ACTIVATE, (struct lw_eui){DEVICE});

    begin(_i);
    queue_for(60 * SECOND, "item", true);
    speak("a", false);
    ck_assert(listens());
    call->session.dev_addr.v = 0x26000001;
    ck_assert_int_eq(world_ask(&world, call)->result, OK);
    ns_call_free(call);
    ck_assert_uint_eq(queued(NULL), 1);
    world_run(&world, 60 * SECOND);
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(expired(), 1);
    end();
}
END_TEST

START_TEST(nothing_expires_before_it_is_saved)
{
    begin(_i);
    queue_for(5 * SECOND, "item", false);
    fault = (struct fault){.at = 1, .forever = true};
    world_run(&world, 20 * SECOND);
    ck_assert_uint_eq(queued(NULL), 1);
    ck_assert_uint_eq(expired(), 0);
    fault = (struct fault){0};
    world_run(&world, 5 * SECOND);
    ck_assert_uint_eq(queued(NULL), 0);
    ck_assert_uint_eq(expired(), 1);
    end();
}
END_TEST

START_TEST(what_expires_goes_with_its_device)
{
    begin(_i);
    queue_for(5 * SECOND, "item", false);
    if (_i & 1)
        delete_device();
    else
        fault = (struct fault){.at = 1, .forever = true};
    world_run(&world, 10 * SECOND);
    fault = (struct fault){0};
    end();
}
END_TEST

static void deletion(struct change *change, struct arena *arena)
{
    struct op *op = change_add(change, arena, OP_RECORD_DEL);

    op->record = (struct op_record){.type = REC_DEVICE,
                                    .key = record_key_eui((struct lw_eui){DEVICE}),
                                    .expected_rev = UINT64_MAX};
    world_post(&world, change);
}

static void answered(struct worker *worker, struct mail *mail)
{
    (void)worker;
    *(bool *)((struct ns_call *)mail)->owner = true;
}

/* The deletion stands before the write in the committer's box; the home worker knows nothing. */
START_TEST(a_queue_write_that_meets_the_deletion_finds_no_device)
{
    struct ns_call *call = ns_call_new(ACT_QUEUE_ADD, (struct lw_eui){DEVICE});
    struct change change = {0};
    struct arena arena;
    bool done = false;

    begin(_i);
    arena_init(&arena, ARENA_JOB_LIMIT);
    deletion(&change, &arena);
    call->item = queue_item_new(1);
    call->reply = answered;
    call->owner = &done;
    ns_ask(world.ns, call);
    for (unsigned i = 0; i < ns_worker_count(world.ns); i++)
        (void)worker_step(ns_worker(world.ns, i), 0);
    ck_assert(world_posted(&world));
    ck_assert_int_eq(change.result, OK);
    ck_assert(done);
    ck_assert_int_eq(call->result, ERR_NOT_FOUND);
    ns_call_free(call);
    arena_reset(&arena);
    end();
}
END_TEST

/* The same for an item that expires. */
START_TEST(an_expiry_that_meets_the_deletion_ends)
{
    struct change change = {0};
    struct arena arena;

    begin(_i);
    queue_for(5 * SECOND, "item", false);
    world_run(&world, 4 * SECOND);
    arena_init(&arena, ARENA_JOB_LIMIT);
    deletion(&change, &arena);
    clock_double_set(&world.clock, now() + 2 * SECOND);
    for (unsigned i = 0; i < ns_worker_count(world.ns); i++)
        (void)worker_step(ns_worker(world.ns, i), 0);
    ck_assert(world_posted(&world));
    ck_assert_int_eq(change.result, OK);
    arena_reset(&arena);
    ck_assert_uint_eq(expired(), 0);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_expiry");
    TCase *tc = tcase_create("flow_expiry");
    const TTest *const tests[] = {items_expire_without_an_uplink,
                                  items_expire_while_the_server_is_down_and_after,
                                  an_item_under_way_does_not_expire,
                                  an_item_of_a_former_session_expires,
                                  nothing_expires_before_it_is_saved,
                                  what_expires_goes_with_its_device,
                                  a_queue_write_that_meets_the_deletion_finds_no_device,
                                  an_expiry_that_meets_the_deletion_ends,
                                  NULL};

    ns_metrics_register();
    udp_metrics_register();
    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2 * VERSIONS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
