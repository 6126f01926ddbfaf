/*
 * spill.h - rows of diagnosis on disk: an append-only log of segment files, without sync.
 *
 * It is no promise (mechanics 12): what was written last may be lost with the machine, and what
 * cannot be written is refused. A row is opaque, has a growing number and two keys; each key's rows
 * are chained within a segment, so that adding one costs no index. A segment that is full gets a
 * sorted index of where each key's chain begins and is never written again; the oldest is dropped
 * whole, by size or age. Memory: the chains' heads of the one open segment.
 *
 * File: header, rows, index, trailer; all little-endian. A file without a good trailer (a crash) is
 * read through once at start and ends at its first bad row. A row that is damaged ends its chain in
 * that segment; what is older is found through the segments before.
 *
 * One thread appends, any may read. A mutex guards it, held for a batch's write or one row's read:
 * who must not wait for a disk must not come here.
 */
#pragma once

#include "core/bytes.h"
#include "core/clock.h"
#include "core/err.h"

#define SPILL_KEYS     2
#define SPILL_DATA_MAX 1024 /* octets of a row */

struct spill_row {
    uint64_t seq; /* given by spill_append */
    int64_t utc_us;
    uint64_t keys[SPILL_KEYS]; /* 0: none */
    struct bytes data;
};

struct spill_options {
    const char *dir;        /* made if it is not there */
    uint64_t max_bytes;     /* of all segments together */
    int64_t max_age_us;     /* of a segment's newest row */
    uint64_t segment_bytes; /* 0: by max_bytes, 8 to 64 MiB */
};

struct spill;

/* ERR_IO: the folder cannot be made or read. */
enum err spill_open(const struct spill_options *options, struct spill **spill) MUST_CHECK;
void spill_close(struct spill *spill);

/* The number that the next row gets; at least 1, and grows over restarts. */
uint64_t spill_end(struct spill *spill);
uint64_t spill_bytes(struct spill *spill);

/* Appends rows under the numbers from `first` on, which must not lie before spill_end. ERR_IO:
 * none is kept (disk full, ...); it may be tried again with others. */
enum err spill_append(struct spill *spill, uint64_t first, struct spill_row *rows,
                      size_t n) MUST_CHECK;

/* Drops segments that are too old by now. */
void spill_trim(struct spill *spill, int64_t utc_us);

/* Walks the rows of a key, newest first. Set key, which and before; the rest is the walk's own. */
struct spill_walk {
    uint64_t key;
    unsigned which;  /* of the keys */
    uint64_t before; /* rows below this number */
    uint64_t segment;
    uint32_t at;
    uint8_t room[SPILL_DATA_MAX]; /* the present row's data */
};
/* False: there is none left. row->data lies in the walk. */
bool spill_next(struct spill *spill, struct spill_walk *walk, struct spill_row *row);
