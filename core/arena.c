/* arena.c - chunks in a list; the newest serves, a large piece gets a chunk of its own. */
#include "core/arena.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_SIZE   4096u
#define RECYCLED_MAX 256u
#define ALIGNMENT    16u
#define HUGE_PAGE    ((size_t)2 << 20)
#define HUGE_LEAST   ((size_t)4 << 20)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* usable bytes behind the header */
    size_t used;
    size_t pad; /* keeps the data aligned to 16 */
};

#if defined(__SANITIZE_ADDRESS__)
#define RECYCLE 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RECYCLE 0
#endif
#endif
#ifndef RECYCLE
#define RECYCLE 1
#endif

#if RECYCLE
/* Per thread, so no lock; a chunk that moved with its job is recycled where the job ended. */
static _Thread_local struct arena_chunk *recycled;
static _Thread_local unsigned recycled_count;
static _Thread_local bool recycles; /* the thread gives them back when it ends */
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;

static void recycled_fini(void *arg)
{
    (void)arg;
    while (recycled) {
        struct arena_chunk *chunk = recycled;

        recycled = chunk->next;
        free(chunk);
    }
    recycled_count = 0;
    recycles = false;
}

static void at_exit_create(void)
{
    if (pthread_key_create(&at_exit, recycled_fini) != 0)
        abort(); /* no keys left at start */
}

static void recycle(struct arena_chunk *chunk)
{
    if (!recycles) {
        (void)pthread_once(&at_exit_once, at_exit_create);
        recycles = pthread_setspecific(at_exit, &recycled) == 0;
    }
    chunk->next = recycled;
    recycled = chunk;
    recycled_count++;
}
#endif

static void die_of_memory(void)
{
    (void)fputs("godwit: out of memory\n", stderr);
    abort();
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        die_of_memory();
    return p;
}

/* Large pieces are tables that are entered anywhere: in pages of 4 KiB nearly every look misses the
 * TLB, which on a virtual machine costs as much as the look itself. */
static void *calloc_huge(size_t n)
{
    size_t whole = (n + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    void *p = aligned_alloc(HUGE_PAGE, whole);

    if (!p)
        die_of_memory();
    (void)madvise(p, whole, MADV_HUGEPAGE); /* a wish */
    return memset(p, 0, n);
}

void *xcalloc(size_t n, size_t size)
{
    void *p;

    if (size && n > HUGE_LEAST / size && n <= SIZE_MAX / 2 / size)
        return calloc_huge(n * size);
    p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        die_of_memory();
    return p;
}

void *xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p)
        die_of_memory();
    return p;
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;

    return memcpy(xmalloc(n), s, n);
}

static struct arena_chunk *chunk_new(size_t size)
{
    struct arena_chunk *chunk = NULL;

#if RECYCLE
    if (size == CHUNK_SIZE && recycled) {
        chunk = recycled;
        recycled = chunk->next;
        recycled_count--;
    }
#endif
    if (!chunk)
        chunk = xmalloc(sizeof(*chunk) + size);
    chunk->size = size;
    chunk->used = 0;
    return chunk;
}

static void chunk_free(struct arena_chunk *chunk)
{
#if RECYCLE
    if (chunk->size == CHUNK_SIZE && recycled_count < RECYCLED_MAX) {
        recycle(chunk);
        return;
    }
#endif
    free(chunk);
}

void arena_init(struct arena *arena, size_t limit)
{
    *arena = (struct arena){.limit = limit};
}

void arena_reset(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        chunk_free(chunk);
    }
    arena->used = 0;
}

/* A piece that the caller fills. */
static void *take(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t step = arena->step ? arena->step : CHUNK_SIZE;
    void *p;

    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    arena->used += size;
    if (arena->used > arena->limit)
        die_of_memory();

    if (!chunk || chunk->size - chunk->used < size) {
        struct arena_chunk *fresh = chunk_new(size > step ? size : step);

        /* A large piece goes behind the serving chunk, which still has room for small ones. */
        if (chunk && fresh->size > step) {
            fresh->next = chunk->next;
            chunk->next = fresh;
        } else {
            fresh->next = chunk;
            arena->chunks = fresh;
        }
        chunk = fresh;
    }
    p = (unsigned char *)(chunk + 1) + chunk->used;
    chunk->used += size;
    return p;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(take(arena, size), 0, size);
}

void *arena_memdup(struct arena *arena, const void *p, size_t n)
{
    void *copy = take(arena, n);

    return n ? memcpy(copy, p, n) : copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
    return s ? arena_memdup(arena, s, strlen(s) + 1) : NULL;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
    char *copy = take(arena, n + 1);

    if (n)
        memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    char probe[1];
    int n;
    char *text;

    va_start(args, format);
    n = vsnprintf(probe, sizeof(probe), format, args);
    va_end(args);
    if (n < 0)
        die_of_memory();
    text = take(arena, (size_t)n + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}
