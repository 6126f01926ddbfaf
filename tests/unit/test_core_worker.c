/* Mailboxes: lanes, limits, order; timers; a real thread. */
#include "core/arena.h"
#include "core/worker.h"
#include "tests/suite.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct note {
    struct mail mail;
    int value;
};

struct log {
    int values[64];
    size_t n;
    size_t flushed_at;
};

static void take_note(struct worker *worker, struct mail *mail)
{
    struct log *log = worker->owner;

    log->values[log->n++] = ((struct note *)mail)->value;
}

static void flush(struct worker *worker)
{
    struct log *log = worker->owner;

    log->flushed_at = log->n;
}

START_TEST(the_radio_lane_goes_first)
{
    struct clock_double d;
    struct worker w;
    struct log log = {0};
    struct note notes[4];

    clock_double_init(&d, 1, 1);
    worker_init(&w, "test", &d.clock, &log);
    w.flush = flush;
    for (int i = 0; i < 4; i++) {
        notes[i] = (struct note){.mail.take = take_note, .value = i};
        mail_post(&w, i < 2 ? LANE_BULK : LANE_RADIO, &notes[i].mail);
    }
    ck_assert_int_eq(worker_due(&w), 0);
    ck_assert_uint_eq(worker_step(&w, 0), 4);
    ck_assert_int_eq(log.values[0], 2);
    ck_assert_int_eq(log.values[1], 3);
    ck_assert_int_eq(log.values[2], 0);
    ck_assert_int_eq(log.values[3], 1);
    ck_assert_uint_eq(log.flushed_at, 4);
    ck_assert(worker_due(&w) == CLOCK_NEVER);
    worker_fini(&w);
}
END_TEST

/* New work that finds more admitted work left behind by itself. */
struct chatty {
    struct mail mail;
    struct note answer;
};

static void take_chatty(struct worker *worker, struct mail *mail)
{
    struct chatty *chatty = (struct chatty *)mail;

    take_note(worker, &chatty->answer.mail); /* its own value */
    chatty->answer.value += 100;
    mail_post(worker, LANE_RADIO, &chatty->answer.mail);
}

START_TEST(admitted_work_waits_for_few_new_ones)
{
    struct clock_double d;
    struct worker w;
    struct log log = {0};
    static struct chatty chatty[30];
    size_t at = 0;

    clock_double_init(&d, 1, 1);
    worker_init(&w, "test", &d.clock, &log);
    for (int i = 0; i < 30; i++) {
        chatty[i] = (struct chatty){.mail.take = take_chatty,
                                    .answer = {.mail.take = take_note, .value = i}};
        mail_post(&w, LANE_NEW, &chatty[i].mail);
    }
    ck_assert_uint_eq(worker_step(&w, 0), 60);
    while (log.values[at] != 100)
        at++;
    ck_assert_uint_le(at, 16);
    ck_assert(worker_due(&w) == CLOCK_NEVER);
    worker_fini(&w);
}
END_TEST

START_TEST(a_full_lane_refuses)
{
    struct clock_double d;
    struct worker w;
    struct log log = {0};
    struct note notes[5];
    struct mail *left;

    clock_double_init(&d, 1, 1);
    worker_init(&w, "test", &d.clock, &log);
    worker_limit(&w, LANE_RADIO, 3);
    for (int i = 0; i < 5; i++) {
        notes[i] = (struct note){.mail.take = take_note, .value = i};
        notes[i].mail.next = i < 4 ? &notes[i + 1].mail : NULL;
    }
    ck_assert_uint_eq(mail_try_chain(&w, LANE_RADIO, &notes[0].mail, 5, &left), 3);
    ck_assert_ptr_eq(left, &notes[3].mail);
    ck_assert(!mail_try(&w, LANE_RADIO, &notes[3].mail));
    ck_assert_uint_eq(worker_step(&w, 2), 2);
    ck_assert_uint_eq(worker_step(&w, 2), 1);
    ck_assert(mail_try(&w, LANE_RADIO, &notes[3].mail));
    ck_assert_uint_eq(worker_step(&w, 0), 1);
    worker_fini(&w);
}
END_TEST

#define POSTS 20000

struct counted {
    struct mail mail;
};

static void count(struct worker *worker, struct mail *mail)
{
    (*(size_t *)worker->owner)++;
    free(mail);
}

static void *post_many(void *arg)
{
    for (int i = 0; i < POSTS; i++) {
        struct counted *c = xcalloc(1, sizeof(*c));

        c->mail.take = count;
        mail_post(arg, i & 1 ? LANE_RADIO : LANE_BULK, &c->mail);
    }
    return NULL;
}

START_TEST(nothing_is_lost_between_threads)
{
    struct worker w;
    size_t seen = 0;
    pthread_t senders[3];

    worker_init(&w, "test", clock_system(), &seen);
    worker_start(&w);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&senders[i], NULL, post_many, &w), 0);
    for (int i = 0; i < 3; i++)
        (void)pthread_join(senders[i], NULL);
    worker_stop(&w);
    ck_assert_uint_eq(seen, 3 * POSTS);
    worker_fini(&w);
}
END_TEST

#define LOOKS 20

static atomic_uint looks;

static void leave_some(struct worker *worker, void *arg, uint32_t events)
{
    (void)arg;
    (void)events;
    atomic_fetch_add(&looks, 1);
    if (worker->owner)
        worker_hurry(worker);
}

/* How long a busy worker takes for LOOKS looks at a descriptor that stays readable. */
static int64_t time_of_looks(bool hurries)
{
    struct worker w;
    struct clock *clock = clock_system();
    int64_t began = clock_mono(clock);
    int fd = eventfd(1, EFD_NONBLOCK);

    atomic_store(&looks, 0);
    worker_init(&w, "test", clock, hurries ? &w : NULL);
    w.pace_us = 20 * US_PER_MS;
    worker_watch(&w, fd, leave_some, NULL);
    worker_start(&w);
    while (atomic_load(&looks) < LOOKS)
        (void)poll(NULL, 0, 1);
    worker_stop(&w);
    worker_fini(&w);
    (void)close(fd);
    return clock_mono(clock) - began;
}

/* Who leaves work behind does not rest at the pace, or what he takes a look would bound what he
 * ever takes. */
START_TEST(work_left_behind_is_no_time_to_rest)
{
    ck_assert_int_ge(time_of_looks(false), (LOOKS - 3) * 20 * (int64_t)US_PER_MS);
    ck_assert_int_lt(time_of_looks(true), (LOOKS - 3) * 20 * (int64_t)US_PER_MS);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_radio_lane_goes_first,       admitted_work_waits_for_few_new_ones, a_full_lane_refuses,
        nothing_is_lost_between_threads, work_left_behind_is_no_time_to_rest,  NULL};

    return run_suite(suite_of("worker", tests));
}
