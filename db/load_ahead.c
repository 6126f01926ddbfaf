/*
 * load_ahead.c - see load_ahead.h. Rows are copied into a few batches that go around between the
 * two threads; a thread that finds none waits.
 */
#include "db/load_ahead.h"

#include "core/arena.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES 4
#define ROWS    512
#define OCTETS  ((size_t)256 * 1024) /* of the blobs of a batch */

struct batch {
    struct loaded_device rows[ROWS];
    size_t n, octets_n;
    uint8_t octets[OCTETS];
};

struct ahead {
    const struct store_loader *loader;
    struct batch *batches; /* [BATCHES] */
    size_t filled, taken;  /* batches handed over and done with, ever; guarded by `lock` */
    bool ended;
    pthread_mutex_t lock;
    pthread_cond_t moved; /* filled, taken or ended */
    pthread_t thread;
};

static struct batch *batch_at(struct ahead *ahead, size_t number)
{
    return &ahead->batches[number % BATCHES];
}

static void *take_batches(void *arg)
{
    struct ahead *ahead = arg;

    (void)pthread_setname_np(pthread_self(), "load");
    (void)pthread_mutex_lock(&ahead->lock);
    for (;;) {
        while (ahead->taken == ahead->filled && !ahead->ended)
            (void)pthread_cond_wait(&ahead->moved, &ahead->lock);
        if (ahead->taken == ahead->filled)
            break;
        struct batch *batch = batch_at(ahead, ahead->taken);

        (void)pthread_mutex_unlock(&ahead->lock);
        for (size_t i = 0; i < batch->n; i++)
            ahead->loader->device(ahead->loader->arg, &batch->rows[i]);
        batch->n = batch->octets_n = 0;
        (void)pthread_mutex_lock(&ahead->lock);
        ahead->taken++;
        (void)pthread_cond_signal(&ahead->moved);
    }
    (void)pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* Hands the open batch over and waits until at most `most` are with the other thread. */
static void hand_over(struct ahead *ahead, size_t most)
{
    (void)pthread_mutex_lock(&ahead->lock);
    if (batch_at(ahead, ahead->filled)->n)
        ahead->filled++;
    (void)pthread_cond_signal(&ahead->moved);
    while (ahead->filled - ahead->taken > most)
        (void)pthread_cond_wait(&ahead->moved, &ahead->lock);
    (void)pthread_mutex_unlock(&ahead->lock);
}

static struct bytes keep(struct batch *batch, struct bytes b)
{
    uint8_t *to = batch->octets + batch->octets_n;

    if (b.n)
        memcpy(to, b.p, b.n);
    batch->octets_n += b.n;
    return (struct bytes){to, b.n};
}

static void on_device(void *arg, const struct loaded_device *row)
{
    struct ahead *ahead = arg;
    size_t octets = row->state.n + row->active.n + row->pending.n;
    struct batch *batch = batch_at(ahead, ahead->filled);
    struct loaded_device *kept;

    if (octets > OCTETS) { /* damaged, surely */
        hand_over(ahead, 0);
        ahead->loader->device(ahead->loader->arg, row);
        return;
    }
    if (batch->n == ROWS || batch->octets_n + octets > OCTETS) {
        hand_over(ahead, BATCHES - 1);
        batch = batch_at(ahead, ahead->filled);
    }
    kept = &batch->rows[batch->n++];
    *kept = *row;
    kept->state = keep(batch, row->state);
    kept->active = keep(batch, row->active);
    kept->pending = keep(batch, row->pending);
}

static void on_begin(void *arg, size_t devices)
{
    struct ahead *ahead = arg;

    hand_over(ahead, 0);
    if (ahead->loader->begin)
        ahead->loader->begin(ahead->loader->arg, devices);
}

static void on_queue_item(void *arg, const struct op_queue *item)
{
    struct ahead *ahead = arg;

    hand_over(ahead, 0);
    if (ahead->loader->queue_item)
        ahead->loader->queue_item(ahead->loader->arg, item);
}

static void on_attempt(void *arg, const struct op_attempt *attempt)
{
    struct ahead *ahead = arg;

    hand_over(ahead, 0);
    if (ahead->loader->attempt)
        ahead->loader->attempt(ahead->loader->arg, attempt);
}

static void on_record(void *arg, enum record_type type, const void *record, struct arena *arena)
{
    struct ahead *ahead = arg;

    hand_over(ahead, 0);
    ahead->loader->record(ahead->loader->arg, type, record, arena);
}

enum err store_load_ahead(struct store *store, const struct store_loader *loader)
{
    struct ahead ahead = {.loader = loader, .batches = xmalloc(BATCHES * sizeof(struct batch))};
    struct store_loader behind = {.arg = &ahead,
                                  .begin = on_begin,
                                  .device = loader->device ? on_device : NULL,
                                  .queue_item = on_queue_item,
                                  .attempt = on_attempt,
                                  .record = loader->record ? on_record : NULL};
    enum err err;

    for (size_t i = 0; i < BATCHES; i++)
        ahead.batches[i].n = ahead.batches[i].octets_n = 0;
    (void)pthread_mutex_init(&ahead.lock, NULL);
    (void)pthread_cond_init(&ahead.moved, NULL);
    if (pthread_create(&ahead.thread, NULL, take_batches, &ahead) != 0)
        abort(); /* no threads at start */
    err = store_load(store, &behind);
    hand_over(&ahead, 0);
    (void)pthread_mutex_lock(&ahead.lock);
    ahead.ended = true;
    (void)pthread_cond_signal(&ahead.moved);
    (void)pthread_mutex_unlock(&ahead.lock);
    (void)pthread_join(ahead.thread, NULL);
    (void)pthread_cond_destroy(&ahead.moved);
    (void)pthread_mutex_destroy(&ahead.lock);
    free(ahead.batches);
    return err;
}
