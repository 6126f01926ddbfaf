/*
 * worker.c - mailboxes and the loop around them.
 *
 * A sender writes to the eventfd only if the receiver may sleep (`awake` is false): on this kind of
 * machine waking a sleeping thread costs both sides some 45 us, posting to a running one 0.1 us.
 * Under load a thread therefore looks at a pace of its own instead of being woken.
 */
#include "core/worker.h"

#include "core/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY 16   /* new messages, between two looks for admitted work */
#define TIME_EVERY 32   /* messages, between two looks at the clock */
#define STEP_MOST  4096 /* messages, between two looks at the descriptors */

void worker_init(struct worker *worker, const char *name, struct clock *clock, void *owner)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    memset(worker, 0, sizeof(*worker));
    worker->name = name;
    worker->clock = clock;
    worker->owner = owner;
    worker->pace_us = WORKER_PACE_US;
    timers_init(&worker->timers);
    (void)pthread_mutex_init(&worker->lock, NULL);
    for (size_t i = 0; i < LANE_COUNT; i++)
        worker->lanes[i].limit = 65536;
    worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (worker->wake_fd < 0 || worker->epoll_fd < 0 ||
        epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &event) != 0)
        abort(); /* no descriptors left at start */
    worker->now_us = clock_mono(clock);
}

void worker_fini(struct worker *worker)
{
    timers_fini(&worker->timers);
    (void)close(worker->wake_fd);
    (void)close(worker->epoll_fd);
    (void)pthread_mutex_destroy(&worker->lock);
}

void worker_limit(struct worker *worker, enum lane lane, size_t limit)
{
    worker->lanes[lane].limit = limit;
}

void worker_watch(struct worker *worker, int fd, fd_fn *ready, void *arg)
{
    struct worker_fd *entry;
    struct epoll_event event = {.events = EPOLLIN};

    if (worker->fd_count == WORKER_FDS_MAX)
        abort(); /* our own limit: parts with more descriptors bring their own epoll */
    entry = &worker->fds[worker->fd_count++];
    *entry = (struct worker_fd){.fd = fd, .ready = ready, .arg = arg};
    event.data.ptr = entry;
    if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        abort();
}

static void wake(struct worker *worker)
{
    uint64_t one = 1;
    ssize_t n = write(worker->wake_fd, &one, sizeof(one));

    (void)n; /* a full counter wakes as well */
}

static void lane_append(struct mail_lane *lane, struct mail *first, struct mail *last, size_t count)
{
    last->next = NULL;
    if (lane->tail)
        lane->tail->next = first;
    else
        lane->head = first;
    lane->tail = last;
    lane->count += count;
}

/* Appends as much of a chain as fits; returns the rest. */
static struct mail *post_chain(struct worker *to, enum lane which, struct mail *first, size_t room,
                               size_t *posted)
{
    struct mail_lane *lane = &to->lanes[which];
    struct mail *last = first, *rest;
    bool sleeping;
    size_t n = 1;

    while (n < room && last->next) {
        last = last->next;
        n++;
    }
    rest = last->next;
    lane_append(lane, first, last, n);
    sleeping = !to->awake;
    to->awake = true;
    (void)pthread_mutex_unlock(&to->lock);
    if (sleeping)
        wake(to);
    *posted = n;
    return rest;
}

void mail_post(struct worker *to, enum lane lane, struct mail *mail)
{
    size_t posted;

    mail->next = NULL;
    (void)pthread_mutex_lock(&to->lock);
    (void)post_chain(to, lane, mail, 1, &posted);
}

bool mail_try(struct worker *to, enum lane lane, struct mail *mail)
{
    struct mail *left;

    mail->next = NULL;
    return mail_try_chain(to, lane, mail, 1, &left) == 1;
}

size_t mail_try_chain(struct worker *to, enum lane lane, struct mail *first, size_t count,
                      struct mail **left)
{
    size_t posted = 0, room;

    *left = first;
    if (!first || !count)
        return 0;
    (void)pthread_mutex_lock(&to->lock);
    room = to->lanes[lane].limit > to->lanes[lane].count
               ? to->lanes[lane].limit - to->lanes[lane].count
               : 0;
    if (!room) {
        (void)pthread_mutex_unlock(&to->lock);
        return 0;
    }
    *left = post_chain(to, lane, first, room < count ? room : count, &posted);
    return posted;
}

size_t worker_waiting(struct worker *worker, enum lane lane)
{
    size_t n;

    (void)pthread_mutex_lock(&worker->lock);
    n = worker->lanes[lane].count;
    (void)pthread_mutex_unlock(&worker->lock);
    return n;
}

static struct mail *take_lane(struct mail_lane *lane)
{
    struct mail *all = lane->head;

    lane->head = lane->tail = NULL;
    lane->count = 0;
    return all;
}

static struct mail *take_first(struct mail_lane *lane)
{
    struct mail *mail = lane->head;

    if (mail) {
        lane->head = mail->next;
        if (!lane->head)
            lane->tail = NULL;
        lane->count--;
        mail->next = NULL;
    }
    return mail;
}

static struct mail *pop(struct mail **chain)
{
    struct mail *mail = *chain;

    if (mail)
        *chain = mail->next;
    return mail;
}

/* Takes the next message. Lanes are taken as a whole, the bulk lane one by one, so that a frame
 * never waits for more than one bulk message, nor admitted work for more than a few new ones. */
static struct mail *take(struct worker *worker)
{
    struct mail *bulk = NULL;

    if (!worker->batch && (!worker->fresh || worker->since_look >= LOOK_EVERY)) {
        (void)pthread_mutex_lock(&worker->lock);
        worker->batch = take_lane(&worker->lanes[LANE_RADIO]);
        if (!worker->fresh)
            worker->fresh = take_lane(&worker->lanes[LANE_NEW]);
        if (!worker->batch && !worker->fresh)
            bulk = take_first(&worker->lanes[LANE_BULK]);
        (void)pthread_mutex_unlock(&worker->lock);
        worker->since_look = 0;
    }
    worker->since_look++;
    if (bulk)
        return bulk;
    return pop(worker->batch ? &worker->batch : &worker->fresh);
}

static size_t fire_due(struct worker *worker, size_t most)
{
    struct timer *timer;
    size_t done = 0;

    while ((most == 0 || done < most) && (timer = timers_take(&worker->timers, worker->now_us))) {
        timer->fire(timer);
        done++;
    }
    return done;
}

size_t worker_step(struct worker *worker, size_t most)
{
    size_t done = 0;
    struct mail *mail;

    worker->now_us = clock_mono(worker->clock);
    while ((most == 0 || done < most) && (mail = take(worker))) {
        mail->next = NULL;
        mail->take(worker, mail);
        /* Thousands may wait: timers keep their time and handlers see it pass. */
        if (++done % TIME_EVERY == 0) {
            worker->now_us = clock_mono(worker->clock);
            (void)fire_due(worker, 0);
        }
    }
    if (most == 0 || done < most)
        done += fire_due(worker, most ? most - done : 0);
    if (worker->flush)
        worker->flush(worker);
    return done;
}

int64_t worker_due(struct worker *worker)
{
    bool mail = worker->batch || worker->fresh;

    for (size_t i = 0; i < LANE_COUNT && !mail; i++)
        mail = worker_waiting(worker, (enum lane)i) > 0;
    return mail ? 0 : timers_next(&worker->timers);
}

/* Declares that the thread is about to sleep; false if mail came meanwhile. */
static bool may_sleep(struct worker *worker)
{
    bool quiet = !worker->batch && !worker->fresh;

    (void)pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < LANE_COUNT; i++)
        quiet = quiet && !worker->lanes[i].head;
    worker->awake = !quiet;
    (void)pthread_mutex_unlock(&worker->lock);
    return quiet;
}

static int sleep_ms(struct worker *worker)
{
    int64_t due = timers_next(&worker->timers), left;

    if (due == CLOCK_NEVER)
        return -1;
    left = due - clock_mono(worker->clock);
    return left <= 0
               ? 0
               : (int)((left < 3600 * (int64_t)US_PER_S ? left : 3600 * (int64_t)US_PER_S) + 999) /
                     1000;
}

void worker_hurry(struct worker *worker)
{
    worker->hurried = true;
}

/* A busy thread rests until its next look is due; meanwhile senders take it for awake. One that
 * left work behind does not: where a rest lasts longer than asked for, as on a crowded machine,
 * what it takes a look would bound what it ever takes, and a backlog would stand for good. */
static void keep_pace(struct worker *worker)
{
    int64_t rest = worker->woke_us + worker->pace_us - clock_mono(worker->clock);
    struct timespec ts = {.tv_nsec = rest * 1000};

    if (worker->busy && !worker->hurried && rest > 0 && rest <= worker->pace_us)
        (void)nanosleep(&ts, NULL); /* cut short by a signal: it looks earlier */
    worker->hurried = false;
}

static void note_wake(struct worker *worker)
{
    worker->busy = worker->now_us - worker->woke_us < 2 * worker->pace_us;
    worker->woke_us = worker->now_us;
}

static void wait_for_events(struct worker *worker)
{
    struct epoll_event events[WORKER_FDS_MAX + 1];
    uint64_t count;
    int wait_ms = may_sleep(worker) ? sleep_ms(worker) : 0;
    int n = epoll_wait(worker->epoll_fd, events, WORKER_FDS_MAX + 1, wait_ms);

    (void)pthread_mutex_lock(&worker->lock);
    worker->awake = true;
    (void)pthread_mutex_unlock(&worker->lock);
    worker->now_us = clock_mono(worker->clock);
    note_wake(worker);
    for (int i = 0; i < n; i++) {
        struct worker_fd *entry = events[i].data.ptr;

        if (entry)
            entry->ready(worker, entry->arg, events[i].events);
        else if (read(worker->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
            abort();
    }
}

static void *worker_main(void *arg)
{
    struct worker *worker = arg;

    (void)pthread_setname_np(pthread_self(), worker->name);
    while (!atomic_load(&worker->stopping)) {
        keep_pace(worker);
        wait_for_events(worker);
        if (worker_step(worker, STEP_MOST) >= STEP_MOST)
            worker_hurry(worker);
    }
    while (worker_due(worker) == 0)
        (void)worker_step(worker, 0);
    return NULL;
}

void worker_start(struct worker *worker)
{
    worker->awake = true;
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0)
        abort(); /* no threads at start */
    worker->running = true;
}

void worker_stop(struct worker *worker)
{
    if (!worker->running)
        return;
    atomic_store(&worker->stopping, true);
    wake(worker);
    (void)pthread_join(worker->thread, NULL);
    worker->running = false;
    /* What was posted while the thread ended is handled here, so that nothing is lost at a stop. */
    while (worker_due(worker) == 0)
        (void)worker_step(worker, 0);
}
