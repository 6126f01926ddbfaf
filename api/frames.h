/*
 * frames.h - the frame log: a ring in memory with chains per device and per gateway.
 *
 * Diagnosis, not a promise (mechanics 12): the oldest frames give way. A mutex guards it, because
 * ns workers write and API workers read; held while one entry is copied.
 */
#pragma once

#include "core/map.h"
#include "ns/ns.h"

#include <pthread.h>
#include <stdatomic.h>

#define FRAMES_MAX 65536 /* about 31 MB when full */

struct frame_row {
    struct frame_entry entry; /* phy and note point into this row */
    uint64_t seq;             /* from 1; 0: empty */
    uint64_t prev_device, prev_gateway;
    uint8_t phy[LW_PHY_MAX];
    char note[96];
};

struct frames {
    pthread_mutex_t lock;
    struct frame_row *rows;
    uint64_t next; /* seq of the next */
    struct map by_device, by_gateway;
};

void frames_init(struct frames *frames);
void frames_fini(struct frames *frames);
void frames_add(struct frames *frames, const struct frame_entry *entry);

/* Copies one row out; false if it is gone. The copy's pointers point into itself. */
bool frames_at(struct frames *frames, uint64_t seq, struct frame_row *row);
uint64_t frames_newest(struct frames *frames, struct lw_eui eui, bool gateway);
uint64_t frames_end(struct frames *frames);

struct jw;
void frame_print(const struct frame_row *row, struct jw *jw);
