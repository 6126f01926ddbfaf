/*
 * event.h - the facts of an event, as the outbox keeps them: compact, versioned, without names.
 *
 * ns/ writes them, integration/ renders JSON from them with the names of the moment. The encoding
 * starts with a format octet; a reader of a later version reads every earlier one.
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "core/err.h"
#include "db/model.h"
#include "lorawan/air.h"

/* The order is stored: append only. */
/* clang-format off */
#define EVENT_TABLE(X)                                                                             \
    X(EVENT_UP,     "up")                                                                          \
    X(EVENT_JOIN,   "join")                                                                        \
    X(EVENT_ACK,    "ack")                                                                         \
    X(EVENT_TXACK,  "txack")                                                                       \
    X(EVENT_STATUS, "status")                                                                      \
    X(EVENT_LOG,    "log")

enum event_type {
#define X(name, text) name,
    EVENT_TABLE(X)
#undef X
    EVENT_TYPE_COUNT
};
/* clang-format on */

const char *event_type_text(enum event_type type);

struct event_facts {
    /* all */
    struct uuid application_id;
    struct uuid dedup_id;
    uint8_t device_class; /* enum lw_class */
    struct lw_dev_addr dev_addr;
    /* up */
    uint32_t fcnt;
    uint8_t f_port, dr, region;
    bool adr, confirmed;
    struct bytes data;
    const struct copy *copies; /* the first gives txInfo */
    size_t copy_count;
    /* join */
    struct lw_eui join_eui;
    /* ack, txack */
    struct uuid queue_item_id;
    bool acknowledged;
    uint32_t fcnt_down;
    uint64_t downlink_id;
    struct rung rung; /* txack: what was sent */
    /* status */
    uint8_t battery; /* DevStatusAns: 0 external, 1..254, 255 unknown */
    int8_t margin;
    /* log */
    uint8_t level;                  /* 0 INFO, 1 WARNING, 2 ERROR */
    const char *code, *description; /* cut at 2,400 octets */
    const char *context;            /* JSON object text, or NULL; left out beyond 2,400 */
};

/* Encodes into `arena`. */
struct bytes event_facts_write(enum event_type type, const struct event_facts *facts,
                               struct arena *arena);
/* Decodes; pointers borrow from `arena` and `encoded`. ERR_CORRUPT. */
enum err event_facts_read(enum event_type type, struct bytes encoded, struct arena *arena,
                          struct event_facts *facts) MUST_CHECK;
