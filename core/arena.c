/* arena.c - chunks in a list; the newest serves, a large piece gets a chunk of its own. */
#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE   4096u
#define RECYCLED_MAX 256u
#define ALIGNMENT    16u

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

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

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
        chunk->next = recycled;
        recycled = chunk;
        recycled_count++;
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

void *arena_alloc(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = arena->chunks;
    void *p;

    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    arena->used += size;
    if (arena->used > arena->limit)
        die_of_memory();

    if (!chunk || chunk->size - chunk->used < size) {
        struct arena_chunk *fresh = chunk_new(size > CHUNK_SIZE ? size : CHUNK_SIZE);

        /* A large piece goes behind the serving chunk, which still has room for small ones. */
        if (chunk && fresh->size > CHUNK_SIZE) {
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
    return memset(p, 0, size);
}

void *arena_memdup(struct arena *arena, const void *p, size_t n)
{
    void *copy = arena_alloc(arena, n);

    return n ? memcpy(copy, p, n) : copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
    return s ? arena_memdup(arena, s, strlen(s) + 1) : NULL;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
    char *copy = arena_alloc(arena, n + 1);

    if (n)
        memcpy(copy, s, n);
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
    text = arena_alloc(arena, (size_t)n + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}
