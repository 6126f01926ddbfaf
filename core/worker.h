/*
 * worker.h - a thread with a mailbox, timers and file descriptors; and the mailbox itself.
 *
 * Everything that runs in Godwit runs at some worker: the UDP loop, the device workers, the
 * committer, the API threads. State belongs to one worker and others reach it by mail only.
 * A worker is a function, worker_step(); its thread is a loop around it. A flow test has no
 * threads: it calls worker_step() of all workers in an order drawn from a seed until all are quiet,
 * then lets virtual time jump to the earliest timer.
 *
 * Mail: a message embeds `struct mail` as its first member and says by `take` how it is handled at
 * the receiver, who owns it from then on. Three lanes: admitted work, which has deadlines (radio),
 * is done before work that may still be refused (new), both before what can wait (bulk). Each lane
 * has a limit; a sender that may drop uses mail_try.
 */
#pragma once

#include "core/clock.h"
#include "core/timer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

struct mail {
    struct mail *next;
    /* Handles and frees (or keeps) the message. Called at the receiving worker. */
    void (*take)(struct worker *worker, struct mail *mail);
};

enum lane { LANE_RADIO, LANE_NEW, LANE_BULK, LANE_COUNT };

struct mail_lane {
    struct mail *head, *tail;
    size_t count, limit;
};

typedef void fd_fn(struct worker *worker, void *arg, uint32_t events);

struct worker_fd {
    int fd;
    fd_fn *ready;
    void *arg;
};

#define WORKER_FDS_MAX 8

struct worker {
    const char *name; /* static; also the thread's name (15 characters) */
    struct clock *clock;
    void *owner; /* the part that runs here; set by it */
    struct timers timers;

    /* Called after each batch of mail and timers, before sleeping: what was gathered leaves as one
     * (sendmmsg, one transaction). May be NULL. */
    void (*flush)(struct worker *worker);

    /* ---- below: worker.c only ---- */
    pthread_mutex_t lock; /* guards lanes and `awake`; held for a few pointer moves only */
    struct mail_lane lanes[LANE_COUNT];
    struct mail *batch;  /* taken from the radio lane, not handled yet (own thread) */
    struct mail *fresh;  /* the same of the new lane */
    unsigned since_look; /* messages handled since the lanes were looked at */
    bool awake;          /* the thread will look at its lanes again before sleeping */
    int wake_fd, epoll_fd;
    int64_t pace_us; /* WORKER_PACE_US, or what its owner wants; before the worker starts */
    int64_t woke_us; /* when the thread last began to look */
    bool busy;       /* it finds work each time it looks: it looks at a pace */
    bool hurried;    /* more waits than it took: it looks again at once */
    struct worker_fd fds[WORKER_FDS_MAX];
    size_t fd_count;
    pthread_t thread;
    bool running;
    atomic_bool stopping;
    int64_t now_us;
};

void worker_init(struct worker *worker, const char *name, struct clock *clock, void *owner);
void worker_fini(struct worker *worker); /* mail that is left is dropped unread: drain before */

/* Greatest number of messages waiting in a lane for mail_try. Default 65536 each. */
void worker_limit(struct worker *worker, enum lane lane, size_t limit);

/* At the worker, by whoever leaves work behind (in a socket, say): no rest before the next look. */
void worker_hurry(struct worker *worker);

/* Watches a descriptor for reading (EPOLLIN). Before the worker starts, or at the worker. */
void worker_watch(struct worker *worker, int fd, fd_fn *ready, void *arg);

/* Posts. Never blocks; from any thread. mail_try answers false, and the caller keeps the message,
 * if the lane is full. mail_post is for what may not be lost and is bounded elsewhere. */
void mail_post(struct worker *to, enum lane lane, struct mail *mail);
bool mail_try(struct worker *to, enum lane lane, struct mail *mail);

/* Posts a chain linked by `next` in one go. Returns how many fitted; the rest starts at *left. */
size_t mail_try_chain(struct worker *to, enum lane lane, struct mail *first, size_t count,
                      struct mail **left);

size_t worker_waiting(struct worker *worker, enum lane lane);

/* Handles up to `most` messages (0: all that wait), then due timers, then flush. Returns the number
 * of things done. Never sleeps. */
size_t worker_step(struct worker *worker, size_t most);

/* When worker_step would next have something to do by itself: a timer, or 0 if mail waits. */
int64_t worker_due(struct worker *worker);

/* The monotonic time, as of the beginning of the step or some messages ago; handlers use it instead
 * of the clock. */
static inline int64_t worker_now(const struct worker *worker)
{
    return worker->now_us;
}

/* A thread that is woken again and again within this time looks only so often: then work is found
 * in batches, and nobody pays for waking it. An idle one is woken at once. */
#define WORKER_PACE_US 500

/* Thread control. worker_stop lets the worker finish the mail that waits, then joins it. */
void worker_start(struct worker *worker);
void worker_stop(struct worker *worker);
