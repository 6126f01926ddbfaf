/*
 * queue.h - the downlink queue of a device: items, their states, and what is next (mechanics 20,
 * 21).
 *
 * Items live in memory at the home worker and as rows; a row is written in the same change as the
 * frame that carries the item. Pure but for the list itself.
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "db/model.h"

/* The order is stored: append only. */
/* clang-format off */
#define QUEUE_STATE_TABLE(X)                                                                       \
    X(QUEUE_QUEUED,       "queued")                                                                \
    X(QUEUE_TOO_LONG,     "too-long")                                                              \
    X(QUEUE_SCHEDULED,    "scheduled")                                                             \
    X(QUEUE_HANDED_OVER,  "handed-over")                                                           \
    X(QUEUE_SENT,         "sent")                                                                  \
    X(QUEUE_AWAITING_ACK, "awaiting-ack")

enum queue_state {
#define X(name, text) name,
    QUEUE_STATE_TABLE(X)
#undef X
    QUEUE_STATE_COUNT
};
/* clang-format on */

extern const char *const queue_state_names[];

enum { UNCERTAIN_RESEND, UNCERTAIN_FAIL };

#define UNCERTAIN_MOST  3 /* attempts without a TX result after which an item counts as sent */

#define QUEUE_DATA_MAX  242
#define QUEUE_ITEMS_MAX 1000 /* of one device */

struct queue_item {
    struct queue_item *next;
    struct uuid id;
    uint64_t order; /* of arrival, unique per process start: utc_us then counted up */
    int64_t created_us, expires_us; /* UTC; expires 0: never */
    uint8_t f_port, priority, state, attempts, on_uncertain;
    bool confirmed, is_encrypted, has_fcnt;
    bool uncertain;     /* its last attempt has no result */
    bool refused;       /* not stored: encrypted under a counter that is used already */
    uint32_t fcnt_down; /* of the last attempt, or given with is_encrypted */
    uint64_t attempt;   /* id of the outstanding attempt; 0: none */
    uint16_t data_n;
    uint8_t data[]; /* plain, or encrypted by the application */
};

/* Heap items (free with free()). */
struct queue_item *queue_item_new(size_t data_n);

/* Inserts behind items of the same or higher priority. */
void queue_insert(struct queue_item **queue, struct queue_item *item);
struct queue_item *queue_find(struct queue_item *queue, const struct uuid *id);
/* Unlinks; the caller frees after the commit. */
void queue_unlink(struct queue_item **queue, struct queue_item *item);
size_t queue_count(const struct queue_item *queue);

/* The next item to send at `utc_us` that is at most `room` octets long: an item that is too long
 * for every window is passed over by others. NULL if there is none, or if a confirmed item still
 * waits for its ACK. *waiting: others wait behind it (FPending). */
struct queue_item *queue_next(struct queue_item *queue, int64_t utc_us, unsigned room,
                              bool *waiting);

/* What an item that was read from its row is after a restart: under way then, uncertain now. */
void queue_item_restarted(struct queue_item *item);

/* Whether an item has come to its end unsent: expired, or uncertain with on_uncertain fail. */
bool queue_is_over(const struct queue_item *item, int64_t utc_us);

struct bytes queue_item_write(const struct queue_item *item, struct arena *arena);
/* ERR_CORRUPT; a heap item otherwise. */
enum err queue_item_read(const struct uuid *id, uint64_t order, struct bytes encoded,
                         struct queue_item **item) MUST_CHECK;
