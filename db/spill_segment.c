/* spill_segment.c - see spill_segment.h; the format is in spill.h. */
#include "db/spill_segment.h"

#include "core/arena.h"
#include "core/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_N       16
#define ROW_N        48 /* before its data */
#define INDEX_N      12
#define TRAILER_N    56

#define WRITE_BEHIND (UINT64_C(1) << 20)

static const char magic[HEAD_N] = "GodwitFrames 1\n";
#define TRAILER_MAGIC UINT64_C(0x676f647769742e31)

void heads_init(struct segment_heads *heads)
{
    for (unsigned k = 0; k < SPILL_KEYS; k++)
        map_init(&heads->of[k]);
}

void heads_fini(struct segment_heads *heads)
{
    for (unsigned k = 0; k < SPILL_KEYS; k++)
        map_fini(&heads->of[k]);
}

static uint32_t head_of(const struct segment_heads *heads, unsigned which, uint64_t key)
{
    return key ? (uint32_t)(uintptr_t)map_get(&heads->of[which], key) : 0;
}

static void set_head(struct segment_heads *heads, unsigned which, uint64_t key, uint32_t at)
{
    if (key && at)
        (void)map_put(&heads->of[which], key, (void *)(uintptr_t)at);
    else if (key)
        (void)map_remove(&heads->of[which], key);
}

/* ---- octets ---------------------------------------------------------------------------------- */

static bool read_at(int fd, uint8_t *to, size_t n, uint64_t at)
{
    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)at);

        if (got <= 0)
            return false;
        to += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return true;
}

/* Each WRITE_BEHIND octets the kernel is told to begin: left to itself it lets half a minute of
 * rows gather and then writes them in one burst, behind which the store's commits wait. */
static void start_writing(int fd, uint64_t from, uint64_t to)
{
    uint64_t begin = from / WRITE_BEHIND * WRITE_BEHIND, end = to / WRITE_BEHIND * WRITE_BEHIND;

    if (end > begin)
        (void)sync_file_range(fd, (off_t)begin, (off_t)(end - begin), SYNC_FILE_RANGE_WRITE);
}

/* Writes behind what is there, or leaves the file as it was. */
static enum err write_end(struct segment_file *segment, struct bytes what)
{
    uint64_t at = segment->size;

    while (what.n) {
        ssize_t put = pwrite(segment->fd, what.p, what.n, (off_t)at);

        if (put <= 0) {
            (void)!ftruncate(segment->fd, (off_t)segment->size);
            return ERR_IO;
        }
        what = (struct bytes){what.p + put, what.n - (size_t)put};
        at += (uint64_t)put;
    }
    start_writing(segment->fd, segment->size, at);
    segment->size = at;
    return OK;
}

static void path_of(const char *dir, uint64_t number, char *path, size_t room)
{
    (void)snprintf(path, room, "%s/%010llu.log", dir, (unsigned long long)number);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* n, hash of all behind it, number, time, keys, where the rows before are; then the data. */
static void write_row(struct wr *wr, const struct spill_row *row, const uint32_t prev[SPILL_KEYS])
{
    uint8_t *start = wr->p;
    struct wr hash;

    wr_u32le(wr, (uint32_t)row->data.n);
    wr_u32le(wr, 0);
    wr_u64le(wr, row->seq);
    wr_u64le(wr, (uint64_t)row->utc_us);
    wr_u64le(wr, row->keys[0]);
    wr_u64le(wr, row->keys[1]);
    wr_u32le(wr, prev[0]);
    wr_u32le(wr, prev[1]);
    wr_copy(wr, row->data.p, row->data.n);
    hash = wr_of(start + 4, 4);
    wr_u32le(&hash,
             (uint32_t)bytes_hash((struct bytes){start + 8, ROW_N - 8 + row->data.n}, row->data.n));
}

/* The row at the start of `b`; ERR_CORRUPT also if it is not whole. Its data points into `b`. */
static enum err parse_row(struct bytes b, struct spill_row *row, uint32_t prev[SPILL_KEYS])
{
    struct rd rd = rd_bytes(b);
    uint32_t n = rd_u32le(&rd), hash = rd_u32le(&rd);

    if (b.n < ROW_N || n > SPILL_DATA_MAX || b.n - ROW_N < n ||
        (uint32_t)bytes_hash((struct bytes){b.p + 8, ROW_N - 8 + n}, n) != hash)
        return ERR_CORRUPT;
    row->seq = rd_u64le(&rd);
    row->utc_us = (int64_t)rd_u64le(&rd);
    row->keys[0] = rd_u64le(&rd);
    row->keys[1] = rd_u64le(&rd);
    prev[0] = rd_u32le(&rd);
    prev[1] = rd_u32le(&rd);
    row->data = rd_take(&rd, n);
    return rd.failed ? ERR_CORRUPT : OK;
}

enum err segment_read(const struct segment_file *segment, uint32_t at, uint8_t room[SPILL_DATA_MAX],
                      struct spill_row *row, uint32_t prev[SPILL_KEYS])
{
    uint8_t raw[ROW_N + SPILL_DATA_MAX];
    uint64_t left = at < segment->rows_end ? segment->rows_end - at : 0;
    size_t n = left < sizeof(raw) ? (size_t)left : sizeof(raw);

    if (at < HEAD_N || !read_at(segment->fd, raw, n, at) ||
        parse_row((struct bytes){raw, n}, row, prev))
        return ERR_CORRUPT;
    memcpy(room, row->data.p, row->data.n);
    row->data.p = room;
    /* Chains go back only: else a damaged one might never end. */
    for (unsigned k = 0; k < SPILL_KEYS; k++)
        prev[k] = prev[k] < at ? prev[k] : 0;
    return OK;
}

/* Takes rows out of the chains again, newest first. */
static void unchain(struct segment_heads *heads, const struct spill_row *rows, size_t n,
                    const uint32_t (*prev)[SPILL_KEYS])
{
    while (n--) {
        for (unsigned k = 0; k < SPILL_KEYS; k++)
            set_head(heads, k, rows[n].keys[k], prev[n][k]);
    }
}

enum err segment_append(struct segment_file *segment, struct segment_heads *heads,
                        const struct spill_row *rows, size_t n)
{
    uint32_t(*prev)[SPILL_KEYS] = xcalloc(n, sizeof(*prev));
    size_t room = 0;
    struct wr wr;
    uint8_t *buffer;
    enum err err;

    for (size_t i = 0; i < n; i++)
        room += ROW_N + rows[i].data.n;
    buffer = xmalloc(room);
    wr = wr_of(buffer, room);
    for (size_t i = 0; i < n; i++) {
        uint32_t at = (uint32_t)(segment->size + wr_len(&wr));

        for (unsigned k = 0; k < SPILL_KEYS; k++) {
            prev[i][k] = head_of(heads, k, rows[i].keys[k]);
            set_head(heads, k, rows[i].keys[k], at);
        }
        write_row(&wr, &rows[i], prev[i]);
    }
    err = write_end(segment, wr_bytes(&wr));
    if (err) {
        unchain(heads, rows, n, (const uint32_t(*)[SPILL_KEYS])prev);
    } else {
        segment->rows_end = segment->size;
        segment->next_seq = rows[n - 1].seq + 1;
        segment->newest_us = rows[n - 1].utc_us;
        if (!segment->oldest_us)
            segment->oldest_us = rows[0].utc_us;
    }
    free(buffer);
    free(prev);
    return err;
}

/* ---- index ----------------------------------------------------------------------------------- */

struct index_entry {
    uint64_t key;
    uint32_t at;
};

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct index_entry *)a)->key, y = ((const struct index_entry *)b)->key;

    return (x > y) - (x < y);
}

static void write_index(struct wr *wr, const struct map *heads)
{
    struct index_entry *entries = xcalloc(heads->count + 1, sizeof(*entries));
    struct map_slot *slot;
    size_t at = 0, n = 0;

    while ((slot = map_next(heads, &at)))
        entries[n++] = (struct index_entry){slot->key, (uint32_t)(uintptr_t)slot->value};
    qsort(entries, n, sizeof(*entries), by_key);
    for (size_t i = 0; i < n; i++) {
        wr_u64le(wr, entries[i].key);
        wr_u32le(wr, entries[i].at);
    }
    free(entries);
}

enum err segment_seal(struct segment_file *segment, const struct segment_heads *heads)
{
    size_t room = TRAILER_N + INDEX_N * (heads->of[0].count + heads->of[1].count), start;
    uint8_t *buffer = xmalloc(room);
    struct wr wr = wr_of(buffer, room);
    enum err err;

    for (unsigned k = 0; k < SPILL_KEYS; k++) {
        segment->index_n[k] = (uint32_t)heads->of[k].count;
        write_index(&wr, &heads->of[k]);
    }
    start = wr_len(&wr);
    wr_u64le(&wr, TRAILER_MAGIC);
    wr_u64le(&wr, segment->rows_end);
    wr_u64le(&wr, segment->first_seq);
    wr_u64le(&wr, segment->next_seq);
    wr_u64le(&wr, (uint64_t)segment->newest_us);
    wr_u32le(&wr, segment->index_n[0]);
    wr_u32le(&wr, segment->index_n[1]);
    wr_u64le(&wr, bytes_hash((struct bytes){buffer + start, TRAILER_N - 8}, 0));
    err = write_end(segment, wr_bytes(&wr));
    segment->sealed = !err;
    free(buffer);
    return err;
}

static uint64_t key_at(const struct segment_file *segment, uint64_t start, uint64_t i, uint32_t *at)
{
    uint8_t raw[INDEX_N];
    struct rd rd = rd_of(raw, sizeof(raw));
    uint64_t key;

    if (!read_at(segment->fd, raw, sizeof(raw), start + i * INDEX_N))
        return 0;
    key = rd_u64le(&rd);
    *at = rd_u32le(&rd);
    return key;
}

uint32_t segment_find(const struct segment_file *segment, unsigned which, uint64_t key)
{
    uint64_t start = segment->rows_end + (which ? (uint64_t)segment->index_n[0] * INDEX_N : 0);
    uint64_t low = 0, high = segment->index_n[which];

    while (low < high) {
        uint64_t middle = (low + high) / 2, found;
        uint32_t at = 0;

        found = key_at(segment, start, middle, &at);
        if (found == key)
            return at;
        if (found < key)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

enum err segment_create(const char *dir, uint64_t number, uint64_t first_seq,
                        struct segment_file *segment)
{
    char path[512];
    enum err err;

    path_of(dir, number, path, sizeof(path));
    *segment = (struct segment_file){.number = number, .first_seq = first_seq};
    segment->next_seq = first_seq;
    segment->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (segment->fd < 0)
        return ERR_IO;
    err = write_end(segment, (struct bytes){(const uint8_t *)magic, sizeof(magic)});
    segment->rows_end = segment->size;
    if (err)
        segment_close(dir, segment, true);
    return err;
}

static bool read_trailer(struct segment_file *segment)
{
    uint8_t raw[TRAILER_N];
    struct rd rd = rd_of(raw, sizeof(raw));
    uint64_t index;

    if (segment->size < HEAD_N + TRAILER_N ||
        !read_at(segment->fd, raw, sizeof(raw), segment->size - TRAILER_N) ||
        rd_u64le(&rd) != TRAILER_MAGIC)
        return false;
    segment->rows_end = rd_u64le(&rd);
    segment->first_seq = rd_u64le(&rd);
    segment->next_seq = rd_u64le(&rd);
    segment->newest_us = (int64_t)rd_u64le(&rd);
    segment->index_n[0] = rd_u32le(&rd);
    segment->index_n[1] = rd_u32le(&rd);
    index = INDEX_N * ((uint64_t)segment->index_n[0] + segment->index_n[1]);
    return rd_u64le(&rd) == bytes_hash((struct bytes){raw, TRAILER_N - 8}, 0) &&
           segment->rows_end <= segment->size &&
           segment->rows_end + index + TRAILER_N == segment->size;
}

/* Reads the rows up to the first that is not good; what is behind it is cut off. */
static void scan(struct segment_file *segment, struct segment_heads *heads)
{
    uint8_t *raw = xmalloc(ROW_N + SPILL_DATA_MAX);
    uint64_t at = HEAD_N;

    for (;;) {
        uint64_t left = segment->size - at;
        size_t n = left < ROW_N + SPILL_DATA_MAX ? (size_t)left : ROW_N + SPILL_DATA_MAX;
        uint32_t prev[SPILL_KEYS];
        struct spill_row row;

        if (!n || !read_at(segment->fd, raw, n, at) ||
            parse_row((struct bytes){raw, n}, &row, prev))
            break;
        for (unsigned k = 0; k < SPILL_KEYS; k++)
            set_head(heads, k, row.keys[k], (uint32_t)at);
        segment->first_seq = segment->first_seq ? segment->first_seq : row.seq;
        segment->next_seq = row.seq + 1;
        segment->newest_us = row.utc_us;
        at += ROW_N + row.data.n;
    }
    free(raw);
    if (at < segment->size)
        LOG_WARN("frame_log_cut", log_uint("segment", segment->number),
                 log_uint("octets", segment->size - at));
    segment->rows_end = segment->size = at;
    (void)!ftruncate(segment->fd, (off_t)at);
}

static enum err scan_and_seal(struct segment_file *segment)
{
    struct segment_heads heads;
    enum err err;

    heads_init(&heads);
    segment->first_seq = segment->next_seq = 0;
    scan(segment, &heads);
    err = segment->next_seq ? segment_seal(segment, &heads) : ERR_NOT_FOUND;
    heads_fini(&heads);
    return err;
}

enum err segment_open(const char *dir, uint64_t number, struct segment_file *segment)
{
    char path[512], head[HEAD_N];
    struct stat st;
    enum err err = OK;

    path_of(dir, number, path, sizeof(path));
    *segment = (struct segment_file){.number = number};
    segment->fd = open(path, O_RDWR | O_CLOEXEC);
    if (segment->fd < 0 || fstat(segment->fd, &st) != 0)
        return ERR_IO;
    segment->size = (uint64_t)st.st_size;
    if (!read_at(segment->fd, (uint8_t *)head, sizeof(head), 0) ||
        memcmp(head, magic, sizeof(head)) != 0)
        return ERR_CORRUPT;
    segment->sealed = read_trailer(segment);
    if (!segment->sealed)
        err = scan_and_seal(segment);
    return err;
}

void segment_close(const char *dir, struct segment_file *segment, bool drop)
{
    char path[512];

    if (segment->fd >= 0)
        (void)close(segment->fd);
    segment->fd = -1;
    path_of(dir, segment->number, path, sizeof(path));
    if (drop)
        (void)unlink(path);
}
