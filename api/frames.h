/*
 * frames.h - the frame log: what was heard and sent, newest first by device and by gateway.
 *
 * Diagnosis, not a promise (mechanics 12). The newest frames are in a ring in memory; a thread of
 * its own writes them on to segment files (db/spill.h), from which older ones are read, after a
 * restart too. Who tells of a frame never waits: if the thread is behind by a whole ring, or the
 * disk takes nothing, frames are dropped from the log and counted
 * (godwit_frame_log_dropped_total).
 *
 * A mutex guards the ring, because ns workers write and API workers read; held while one entry is
 * copied. Readers of files wait for the disk.
 */
#pragma once

#include "core/worker.h"
#include "db/spill.h"
#include "ns/ns.h"

#include <pthread.h>
#include <stdatomic.h>

#define FRAMES_RING    8192 /* about 4 MB when full */
#define FRAME_NOTE_MAX 96

struct frame_row {
    struct frame_entry entry; /* phy, verdict and note point into this row */
    uint64_t seq;             /* from 1; 0: empty */
    uint8_t phy[LW_PHY_MAX];
    char verdict[16];
    char note[FRAME_NOTE_MAX];
};

struct frames_options {
    struct clock *clock;
    const char *dir;     /* of the files; NULL: in memory only. Copied. */
    uint64_t max_bytes;  /* of all files */
    int64_t max_age_us;  /* of a frame, about */
    unsigned ring;       /* 0: FRAMES_RING */
    uint64_t file_bytes; /* 0: by max_bytes; tests make it small */
};

struct frames {
    struct worker worker; /* writes on */
    struct timer timer;
    struct mail wake;
    pthread_mutex_t lock; /* guards the ring */
    struct frame_row *rows;
    unsigned ring;
    uint64_t first, next; /* of this start; seq of the next */
    uint64_t spilled;     /* what is below lies in the files, or was dropped */
    atomic_bool woken;    /* `wake` is on its way or the timer runs */
    atomic_bool failing;  /* the files could not be written the last time */
    struct spill *spill;  /* NULL: in memory only */
};

void frames_metrics_register(void);
void frames_init(struct frames *frames, const struct frames_options *options);
/* What the ring holds is written. After its worker has stopped. */
void frames_fini(struct frames *frames);

/* Copies. Any thread; never waits for the disk. */
void frames_add(struct frames *frames, const struct frame_entry *entry);

/* Frames of a device or gateway below `before` and not older than `since_us`, newest first, until
 * the visitor says false. The row is the visitor's while it looks. */
struct frames_query {
    struct lw_eui eui;
    bool gateway;
    uint64_t before;  /* UINT64_MAX: from the newest */
    int64_t since_us; /* UTC */
};
typedef bool frames_visitor(void *arg, const struct frame_row *row);
void frames_visit(struct frames *frames, const struct frames_query *query, frames_visitor *visit,
                  void *arg);

/* After a row was copied: its pointers point into itself again. */
void frame_point(struct frame_row *row);

/* Copies a row out of the ring; false if it is not there (any more). */
bool frames_at(struct frames *frames, uint64_t seq, struct frame_row *row);
/* The number of the next frame, and the lowest that the ring may hold. */
uint64_t frames_end(struct frames *frames);
uint64_t frames_ring_first(struct frames *frames);

/* NULL: all is well; else a text for people. */
const char *frames_trouble(struct frames *frames);

struct jw;
void frame_print(const struct frame_row *row, struct jw *jw);
