/* queue.c - a short sorted list per device: priority first, then arrival. */
#include "ns/queue.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT 1

const char *const queue_state_names[] = {
#define X(name, text) text,
    QUEUE_STATE_TABLE(X)
#undef X
        NULL};

struct queue_item *queue_item_new(size_t data_n)
{
    struct queue_item *item = xcalloc(1, sizeof(*item) + data_n);

    item->data_n = (uint16_t)data_n;
    return item;
}

void queue_insert(struct queue_item **queue, struct queue_item *item)
{
    while (*queue && ((*queue)->priority > item->priority ||
                      ((*queue)->priority == item->priority && (*queue)->order < item->order)))
        queue = &(*queue)->next;
    item->next = *queue;
    *queue = item;
}

struct queue_item *queue_find(struct queue_item *queue, const struct uuid *id)
{
    while (queue && !uuid_equal(&queue->id, id))
        queue = queue->next;
    return queue;
}

void queue_unlink(struct queue_item **queue, struct queue_item *item)
{
    while (*queue && *queue != item)
        queue = &(*queue)->next;
    if (*queue)
        *queue = item->next;
    item->next = NULL;
}

size_t queue_count(const struct queue_item *queue)
{
    size_t n = 0;

    for (; queue; queue = queue->next)
        n++;
    return n;
}

static bool is_waiting(const struct queue_item *item)
{
    return item->state == QUEUE_QUEUED || item->state == QUEUE_TOO_LONG;
}

bool queue_is_over(const struct queue_item *item, int64_t utc_us)
{
    if (!is_waiting(item))
        return false;
    return item->refused || (item->expires_us && item->expires_us <= utc_us) ||
           (item->uncertain && item->on_uncertain == UNCERTAIN_FAIL);
}

/* Saved as scheduled and never again: a result would have changed the row. So this does not rely on
 * the attempt's own row, which is kept for two hours only. */
void queue_item_restarted(struct queue_item *item)
{
    if (item->state != QUEUE_SCHEDULED)
        return;
    item->uncertain = true;
    item->attempt = 0;
    item->state = item->confirmed ? QUEUE_AWAITING_ACK : QUEUE_QUEUED;
}

struct queue_item *queue_next(struct queue_item *queue, int64_t utc_us, unsigned room,
                              bool *waiting)
{
    struct queue_item *best = NULL;

    *waiting = false;
    for (struct queue_item *item = queue; item; item = item->next) {
        if (item->state == QUEUE_AWAITING_ACK)
            return NULL;
    }
    for (struct queue_item *item = queue; item; item = item->next) {
        if (!is_waiting(item) || queue_is_over(item, utc_us))
            continue;
        item->state = item->data_n > room ? QUEUE_TOO_LONG : QUEUE_QUEUED;
        if (item->state == QUEUE_TOO_LONG)
            continue;
        if (!best)
            best = item;
        else
            *waiting = true;
    }
    return best;
}

struct bytes queue_item_write(const struct queue_item *item, struct arena *arena)
{
    uint8_t *room = arena_alloc(arena, 64 + item->data_n);
    struct wr wr = wr_of(room, 64 + item->data_n);

    wr_u8(&wr, FORMAT);
    wr_u64le(&wr, (uint64_t)item->created_us);
    wr_u64le(&wr, (uint64_t)item->expires_us);
    wr_u8(&wr, item->f_port);
    wr_u8(&wr, item->priority);
    wr_u8(&wr, item->state);
    wr_u8(&wr, item->attempts);
    wr_u8(&wr, item->on_uncertain);
    wr_u8(&wr, (uint8_t)(item->confirmed | item->is_encrypted << 1 | item->has_fcnt << 2 |
                         item->uncertain << 3));
    wr_u32le(&wr, item->fcnt_down);
    wr_u64le(&wr, item->attempt);
    wr_blob(&wr, item->data, item->data_n);
    return wr_bytes(&wr);
}

enum err queue_item_read(const struct uuid *id, uint64_t order, struct bytes encoded,
                         struct queue_item **out)
{
    struct rd rd = rd_bytes(encoded);
    struct queue_item head = {.id = *id, .order = order}, *item;
    struct bytes data;
    uint8_t format = rd_u8(&rd), bits;

    head.created_us = (int64_t)rd_u64le(&rd);
    head.expires_us = (int64_t)rd_u64le(&rd);
    head.f_port = rd_u8(&rd);
    head.priority = rd_u8(&rd);
    head.state = rd_u8(&rd);
    head.attempts = rd_u8(&rd);
    head.on_uncertain = rd_u8(&rd);
    bits = rd_u8(&rd);
    head.confirmed = bits & 1;
    head.is_encrypted = bits >> 1 & 1;
    head.has_fcnt = bits >> 2 & 1;
    head.uncertain = bits >> 3 & 1; /* 0 in rows of before */
    head.fcnt_down = rd_u32le(&rd);
    head.attempt = rd_u64le(&rd);
    data = rd_blob(&rd);
    if (rd.failed || format != FORMAT || data.n > QUEUE_DATA_MAX || head.state >= QUEUE_STATE_COUNT)
        return ERR_CORRUPT;
    item = queue_item_new(data.n);
    head.data_n = item->data_n;
    memcpy(item, &head, sizeof(head));
    if (data.n)
        memcpy(item->data, data.p, data.n);
    *out = item;
    return OK;
}
