/*
 * spill_segment.h - one segment file of db/spill: its format. Private to db/spill*.c; no thread
 * safety of its own.
 */
#pragma once

#include "core/map.h"
#include "db/spill.h"

struct segment_file {
    uint64_t number;              /* of the file name; grows */
    uint64_t first_seq, next_seq; /* of its rows */
    int64_t oldest_us, newest_us; /* UTC; the former while it is open */
    uint64_t rows_end;            /* octets up to the last row */
    uint64_t size;                /* octets of the file */
    uint32_t index_n[SPILL_KEYS];
    int fd;
    bool sealed, warned;
};

/* Where each key's newest row of the open segment is. */
struct segment_heads {
    struct map of[SPILL_KEYS];
};

void heads_init(struct segment_heads *heads);
void heads_fini(struct segment_heads *heads);

/* A new file with its header. */
enum err segment_create(const char *dir, uint64_t number, uint64_t first_seq,
                        struct segment_file *segment) MUST_CHECK;
/* Opens a file that is there; one without trailer is read through and sealed. ERR_NOT_FOUND: there
 * is no row in it. */
enum err segment_open(const char *dir, uint64_t number, struct segment_file *segment) MUST_CHECK;
/* Closes it; `drop`: and removes it. */
void segment_close(const char *dir, struct segment_file *segment, bool drop);

/* Appends in one write. ERR_IO: the file and the heads are as before. */
enum err segment_append(struct segment_file *segment, struct segment_heads *heads,
                        const struct spill_row *rows, size_t n) MUST_CHECK;
/* Writes index and trailer. ERR_IO: the file is as before. */
enum err segment_seal(struct segment_file *segment, const struct segment_heads *heads) MUST_CHECK;

/* Where the key's newest row is in a sealed segment; 0: it has none. */
uint32_t segment_find(const struct segment_file *segment, unsigned which, uint64_t key);
/* Reads a row; *prev: where the one before it with each key is, 0: none here. ERR_CORRUPT. */
enum err segment_read(const struct segment_file *segment, uint32_t at, uint8_t room[SPILL_DATA_MAX],
                      struct spill_row *row, uint32_t prev[SPILL_KEYS]) MUST_CHECK;
