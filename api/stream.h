/*
 * stream.h - open event streams: one worker reads the outbox once for all of them.
 *
 * A subscriber has a position of its own, so that one that resumes and one that is up to date are
 * served alike. A client that does not read keeps its position and is closed after a while. With no
 * subscriber nothing is read.
 */
#pragma once

#include "api/auth.h"
#include "core/metric.h"
#include "core/worker.h"
#include "db/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct api;
struct call;
struct subscriber;

/* Clients that were cut off because they did not read. */
extern struct metric stream_cuts;

struct streams {
    struct api *api;
    struct worker worker;
    struct store_reader *reader;
    struct timer timer;
    struct mail wake;
    atomic_bool woken;
    struct subscriber *list; /* of the worker */
    /* Who is covered, for ns workers: a mutex, since they must not wait for a mailbox; `open`
     * spares it while nothing is open. */
    pthread_mutex_t lock;
    atomic_uint open;
    struct subscriber *covers;
};

enum err streams_init(struct streams *streams, struct api *api) MUST_CHECK;
/* Ends all streams; the worker does not run any more. */
void streams_fini(struct streams *streams);
/* Something may be there to send. Any thread. */
void streams_wake(struct streams *streams);
bool streams_covered(struct streams *streams, const struct uuid *tenant,
                     const struct uuid *application, struct lw_eui dev_eui);
