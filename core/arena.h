/*
 * arena.h - memory that lives exactly as long as a job, a request or a batch.
 *
 * Everything a job needs comes from its arena and ends with it; there is no free of single pieces.
 * An arena belongs to one thread at a time and may move between threads with its job.
 * Chunks of 4 KiB are recycled per thread, except under AddressSanitizer, where each is freed at
 * once so that a stale borrow is found. Running out of memory, or asking for more than the arena's
 * limit, is our own bug (all input is limited by size before it is stored) and aborts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* bytes handed out, for metrics and the limit */
    size_t limit;
    size_t step; /* least size of a chunk; 0: 4 KiB */
};

#define ARENA_JOB_LIMIT     ((size_t)256 << 10)
#define ARENA_REQUEST_LIMIT ((size_t)64 << 20)

/* An empty arena; no memory is taken until the first piece. `limit` in bytes. For what lives long
 * and is many, `step` may be set smaller afterwards. */
void arena_init(struct arena *arena, size_t limit);

/* Gives back everything; the arena may be used again. */
void arena_reset(struct arena *arena);

/* Zeroed memory aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

/* Copies; the result of arena_strdup(NULL) is NULL. */
void *arena_memdup(struct arena *arena, const void *p, size_t n);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t n);
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define arena_new(arena, type)      ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, n) ((type *)arena_alloc((arena), (n) * sizeof(type)))

/* Heap memory for what outlives jobs; aborts instead of answering NULL. Free with free(). */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s);
