/* spill.c - the segments together: appending, dropping, walking. */
#include "db/spill.h"

#include "core/arena.h"
#include "core/log.h"
#include "db/spill_segment.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SEGMENT_LEAST ((uint64_t)8 << 20)
#define SEGMENT_MOST  ((uint64_t)64 << 20)

struct spill {
    pthread_mutex_t lock; /* guards all below */
    struct spill_options options;
    char *dir;
    struct segment_file *segments; /* by number */
    size_t count, room;
    struct segment_heads heads; /* of the last one, if it is open */
    uint64_t next_seq, next_number;
};

/* ---- segments -------------------------------------------------------------------------------- */

static struct segment_file *last_of(struct spill *spill)
{
    return spill->count ? &spill->segments[spill->count - 1] : NULL;
}

static void keep(struct spill *spill, const struct segment_file *segment)
{
    if (spill->count == spill->room) {
        spill->room = spill->room ? 2 * spill->room : 16;
        spill->segments = xrealloc(spill->segments, spill->room * sizeof(*spill->segments));
    }
    spill->segments[spill->count++] = *segment;
}

static void drop_first(struct spill *spill)
{
    segment_close(spill->dir, &spill->segments[0], true);
    spill->count--;
    memmove(spill->segments, spill->segments + 1, spill->count * sizeof(*spill->segments));
}

static uint64_t bytes_of(const struct spill *spill)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < spill->count; i++)
        bytes += spill->segments[i].size;
    return bytes;
}

/* Full, or so old that its rows would outlive their age by much. */
static bool is_done(const struct spill *spill, const struct segment_file *segment, int64_t utc_us)
{
    return segment->size >= spill->options.segment_bytes ||
           (segment->oldest_us && utc_us - segment->oldest_us > spill->options.max_age_us / 8);
}

/* Seals the open segment when it is done and begins another. */
static enum err rotate(struct spill *spill, const struct spill_row *row)
{
    struct segment_file *last = last_of(spill), fresh;
    enum err err = OK;

    if (last && !last->sealed && !is_done(spill, last, row->utc_us))
        return OK;
    if (last && !last->sealed)
        err = segment_seal(last, &spill->heads);
    if (err)
        return err;
    heads_fini(&spill->heads);
    heads_init(&spill->heads);
    err = segment_create(spill->dir, spill->next_number, row->seq, &fresh);
    if (err)
        return err;
    spill->next_number++;
    keep(spill, &fresh);
    return OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The numbers of the files that are there, sorted. */
static enum err list_files(const char *dir, uint64_t **numbers, size_t *n)
{
    DIR *open_dir = opendir(dir);
    const struct dirent *entry;
    size_t room = 0;

    *numbers = NULL;
    *n = 0;
    if (!open_dir)
        return ERR_IO;
    while ((entry = readdir(open_dir))) {
        char *end;
        unsigned long long number = strtoull(entry->d_name, &end, 10);

        if (end == entry->d_name || strcmp(end, ".log") != 0)
            continue;
        if (*n == room) {
            room = room ? 2 * room : 16;
            *numbers = xrealloc(*numbers, room * sizeof(**numbers));
        }
        (*numbers)[(*n)++] = number;
    }
    (void)closedir(open_dir);
    if (*n)
        qsort(*numbers, *n, sizeof(**numbers), by_number);
    return OK;
}

/* A file that is none of ours, or that cannot be read, is left where it is and told of. */
static void open_segment(struct spill *spill, uint64_t number)
{
    struct segment_file segment;
    enum err err = segment_open(spill->dir, number, &segment);

    spill->next_number = number + 1;
    if (!err) {
        keep(spill, &segment);
        if (segment.next_seq > spill->next_seq)
            spill->next_seq = segment.next_seq;
        return;
    }
    if (err != ERR_NOT_FOUND)
        LOG_WARN("frame_log_unreadable", log_uint("segment", number), log_err(err));
    segment_close(spill->dir, &segment, err == ERR_NOT_FOUND);
}

enum err spill_open(const struct spill_options *options, struct spill **out)
{
    struct spill *spill;
    uint64_t *numbers;
    size_t n;
    enum err err;

    if (mkdir(options->dir, 0750) != 0 && errno != EEXIST)
        return ERR_IO;
    err = list_files(options->dir, &numbers, &n);
    if (err)
        return err;
    spill = xcalloc(1, sizeof(*spill));
    spill->options = *options;
    spill->dir = xstrdup(options->dir);
    spill->options.dir = spill->dir;
    if (!options->segment_bytes)
        spill->options.segment_bytes = options->max_bytes / 128;
    if (!options->segment_bytes && spill->options.segment_bytes < SEGMENT_LEAST)
        spill->options.segment_bytes = SEGMENT_LEAST;
    if (spill->options.segment_bytes > SEGMENT_MOST)
        spill->options.segment_bytes = SEGMENT_MOST;
    spill->next_seq = spill->next_number = 1;
    (void)pthread_mutex_init(&spill->lock, NULL);
    heads_init(&spill->heads);
    for (size_t i = 0; i < n; i++)
        open_segment(spill, numbers[i]);
    free(numbers);
    *out = spill;
    return OK;
}

/* An orderly end leaves nothing to be read through. */
void spill_close(struct spill *spill)
{
    struct segment_file *last = last_of(spill);

    if (last && !last->sealed && segment_seal(last, &spill->heads))
        LOG_WARN("frame_log_unsealed", log_uint("segment", last->number));
    for (size_t i = 0; i < spill->count; i++)
        segment_close(spill->dir, &spill->segments[i], false);
    heads_fini(&spill->heads);
    (void)pthread_mutex_destroy(&spill->lock);
    free(spill->segments);
    free(spill->dir);
    free(spill);
}

uint64_t spill_end(struct spill *spill)
{
    uint64_t end;

    (void)pthread_mutex_lock(&spill->lock);
    end = spill->next_seq;
    (void)pthread_mutex_unlock(&spill->lock);
    return end;
}

uint64_t spill_bytes(struct spill *spill)
{
    uint64_t bytes;

    (void)pthread_mutex_lock(&spill->lock);
    bytes = bytes_of(spill);
    (void)pthread_mutex_unlock(&spill->lock);
    return bytes;
}

/* ---- writing --------------------------------------------------------------------------------- */

enum err spill_append(struct spill *spill, uint64_t first, struct spill_row *rows, size_t n)
{
    enum err err;

    if (!n)
        return OK;
    for (size_t i = 0; i < n; i++)
        rows[i].seq = first + i;
    (void)pthread_mutex_lock(&spill->lock);
    err = first < spill->next_seq ? ERR_INVALID : rotate(spill, &rows[0]);
    if (!err)
        err = segment_append(last_of(spill), &spill->heads, rows, n);
    if (!err)
        spill->next_seq = first + n;
    while (spill->count > 1 && bytes_of(spill) > spill->options.max_bytes)
        drop_first(spill);
    (void)pthread_mutex_unlock(&spill->lock);
    return err;
}

void spill_trim(struct spill *spill, int64_t utc_us)
{
    (void)pthread_mutex_lock(&spill->lock);
    while (spill->count && spill->segments[0].sealed &&
           spill->segments[0].newest_us < utc_us - spill->options.max_age_us)
        drop_first(spill);
    (void)pthread_mutex_unlock(&spill->lock);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The newest segment with a lower number that may hold rows below walk->before, and where the key's
 * chain begins there. */
static struct segment_file *older_segment(struct spill *spill, struct spill_walk *walk)
{
    for (size_t i = spill->count; i > 0; i--) {
        struct segment_file *segment = &spill->segments[i - 1];

        if ((walk->segment && segment->number >= walk->segment) ||
            segment->first_seq >= walk->before)
            continue;
        walk->segment = segment->number;
        walk->at = segment->sealed
                       ? segment_find(segment, walk->which, walk->key)
                       : (uint32_t)(uintptr_t)map_get(&spill->heads.of[walk->which], walk->key);
        if (walk->at)
            return segment;
    }
    walk->at = 0;
    return NULL;
}

/* The segment in which the walk stands; NULL if it was dropped meanwhile. */
static struct segment_file *same_segment(struct spill *spill, const struct spill_walk *walk)
{
    for (size_t i = spill->count; i > 0; i--) {
        if (spill->segments[i - 1].number == walk->segment)
            return &spill->segments[i - 1];
    }
    return NULL;
}

static bool read_row(struct segment_file *segment, struct spill_walk *walk, struct spill_row *row)
{
    uint32_t prev[SPILL_KEYS];
    uint32_t at = walk->at;

    walk->at = 0;
    if (segment_read(segment, at, walk->room, row, prev) || row->keys[walk->which] != walk->key) {
        if (!segment->warned)
            LOG_WARN("frame_log_damaged", log_uint("segment", segment->number), log_uint("at", at));
        segment->warned = true;
        return false;
    }
    walk->at = prev[walk->which];
    return true;
}

static bool step(struct spill *spill, struct spill_walk *walk, struct spill_row *row)
{
    for (;;) {
        struct segment_file *segment =
            walk->at ? same_segment(spill, walk) : older_segment(spill, walk);

        if (!segment)
            return false;
        if (read_row(segment, walk, row) && row->seq < walk->before)
            return true;
    }
}

bool spill_next(struct spill *spill, struct spill_walk *walk, struct spill_row *row)
{
    bool there;

    (void)pthread_mutex_lock(&spill->lock);
    there = step(spill, walk, row);
    (void)pthread_mutex_unlock(&spill->lock);
    return there;
}
