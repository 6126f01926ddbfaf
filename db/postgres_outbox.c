/*
 * postgres_outbox.c - the event store: a table in ranges of positions, dropped range by range.
 *
 * Positions are given in the order of commits and without gaps: a transaction that appends takes a
 * lock that it holds to its end (W_ORDER) and makes sure that nobody appended since (W_POSITION).
 * Whoever sees a position therefore sees all below it, and a reader never skips a row that is
 * committed late (mechanics 13).
 *
 * A segment is a partition whose range is chosen when it is made, by the mean size of an event. It
 * is attached (which disturbs no reader, as creating it in place would) before it is needed.
 * Dropping one needs the whole table for a moment: it waits 100 ms for that at most, and tries
 * again a minute later.
 */
#include "core/log.h"
#include "db/postgres.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_BYTES     ((uint64_t)128 * 1024 * 1024)
#define ROW_OVERHEAD      24u
#define FIRST_GUESS       64u /* octets of an event, as long as none was seen */
#define AHEAD             20000u
#define OUTBOX_MAX_BYTES  ((uint64_t)5 * 1024 * 1024 * 1024)
#define OUTBOX_MAX_AGE_US (INT64_C(7) * 24 * 3600 * US_PER_S)
#define DROP_AGAIN_US     (60 * (int64_t)US_PER_S)

/* ---- segments -------------------------------------------------------------------------------- */

static struct segment *newest(const struct store *store)
{
    return &store->segments[store->segment_count - 1];
}

static void segment_remember(struct store *store, const struct segment *segment)
{
    store->segments =
        xrealloc(store->segments, (store->segment_count + 1) * sizeof(*store->segments));
    store->segments[store->segment_count++] = *segment;
}

/* How many positions a new segment holds. */
static uint64_t width(const struct store *store)
{
    uint64_t bytes = store->options.segment_bytes ? store->options.segment_bytes : SEGMENT_BYTES;
    uint64_t mean = store->appended ? store->appended_bytes / store->appended : FIRST_GUESS;

    return bytes / (mean ? mean : 1) + 1;
}

/* Makes a segment in a transaction of its own. */
static enum err segment_new(struct store *store)
{
    uint64_t first = store->segment_count ? newest(store)->end_pos : store->outbox_next;
    struct segment segment = {.n = store->segment_count ? newest(store)->n + 1 : 1,
                              .first_pos = first,
                              .end_pos = first + width(store)};
    char sql[500];
    enum err err;

    (void)snprintf(sql, sizeof(sql),
                   "BEGIN; CREATE TABLE outbox_%" PRIu64 " (LIKE outbox INCLUDING ALL); "
                   "ALTER TABLE outbox ATTACH PARTITION outbox_%" PRIu64
                   " FOR VALUES FROM (%" PRIu64 ") TO (%" PRIu64 "); "
                   "INSERT INTO outbox_segment (n, first_pos, end_pos) VALUES (%" PRIu64
                   ", %" PRIu64 ", %" PRIu64 "); COMMIT",
                   segment.n, segment.n, segment.first_pos, segment.end_pos, segment.n,
                   segment.first_pos, segment.end_pos);
    err = pg_script(&store->pg, sql);
    if (!err)
        segment_remember(store, &segment);
    else if (store->pg.conn)
        (void)pg_script(&store->pg, "ROLLBACK");
    return err;
}

static enum err read_segments(struct store *store)
{
    PGresult *result;
    enum err err =
        pg_run_sql(&store->pg, "SELECT n, first_pos, end_pos, bytes FROM outbox_segment ORDER BY n",
                   NULL, &result);

    if (err)
        return err;
    for (int i = 0; i < PQntuples(result); i++) {
        struct segment segment = {.n = (uint64_t)pg_get_int(result, i, 0),
                                  .first_pos = (uint64_t)pg_get_int(result, i, 1),
                                  .end_pos = (uint64_t)pg_get_int(result, i, 2),
                                  .bytes = (uint64_t)pg_get_int(result, i, 3)};

        store->outbox_bytes += segment.bytes;
        segment_remember(store, &segment);
    }
    PQclear(result);
    return OK;
}

/* A position that was given once is never given again. */
enum err pg_outbox_refresh(struct store *store)
{
    PGresult *result;
    enum err err =
        pg_run_sql(&store->pg, "SELECT coalesce(max(pos), 0) FROM outbox", NULL, &result);
    uint64_t last;

    if (err)
        return err;
    last = (uint64_t)pg_get_int(result, 0, 0);
    PQclear(result);
    store->outbox_next = store->segment_count ? store->segments[0].first_pos : 1;
    if (last + 1 > store->outbox_next)
        store->outbox_next = last + 1;
    return OK;
}

enum err pg_outbox_open(struct store *store)
{
    enum err err;

    pg_outbox_close(store);
    err = read_segments(store);
    if (!err)
        err = pg_outbox_refresh(store);
    return err ? err : pg_outbox_cover(store, 1);
}

enum err pg_outbox_cover(struct store *store, uint64_t count)
{
    enum err err = OK;

    while (!err && (!store->segment_count || newest(store)->end_pos < store->outbox_next + count))
        err = segment_new(store);
    return err;
}

void pg_outbox_count(struct store *store, const struct op_event *event)
{
    uint64_t bytes = event->facts.n + ROW_OVERHEAD;

    store->appended++;
    store->appended_bytes += bytes;
    store->outbox_bytes += bytes;
    for (size_t i = store->segment_count; i-- > 0;) {
        if (store->segments[i].first_pos <= event->pos) {
            store->segments[i].bytes += bytes;
            store->segments[i].grown += bytes;
            return;
        }
    }
}

/* ---- background work ------------------------------------------------------------------------- */

/* Tells the rows how large their segments are by now; retention goes by that. */
static enum err write_sizes(struct store *store)
{
    enum err err = OK;

    for (size_t i = 0; !err && i < store->segment_count; i++) {
        struct segment *segment = &store->segments[i];
        struct pg_params params = {0};

        if (!segment->grown)
            continue;
        pg_int(&params, (int64_t)segment->n);
        pg_int(&params, (int64_t)segment->grown);
        err = pg_run(&store->pg, W_SEGMENT_GROW, &params, NULL);
        if (!err)
            segment->grown = 0;
    }
    return err;
}

enum err pg_outbox_housekeep(struct store *store, bool *more)
{
    uint64_t ahead = width(store) < AHEAD ? width(store) : AHEAD;
    enum err err = OK;

    *more = newest(store)->end_pos < store->outbox_next + ahead;
    if (*more)
        return segment_new(store);
    if (clock_mono(store->options.clock) >= store->trimmed_us)
        err = write_sizes(store);
    return err;
}

static enum err newest_event(struct store *store, struct segment *segment)
{
    struct pg_params params = {0};
    PGresult *result;
    enum err err;

    if (segment->newest_us)
        return OK;
    pg_int(&params, (int64_t)segment->end_pos);
    err = pg_run_sql(&store->pg,
                     "SELECT time FROM outbox WHERE pos < $1::bigint ORDER BY pos DESC LIMIT 1",
                     &params, &result);
    if (err)
        return err;
    segment->newest_us = PQntuples(result) ? pg_get_int(result, 0, 0) : 1;
    PQclear(result);
    return OK;
}

static enum err outdated(struct store *store, bool *yes)
{
    const struct store_options *options = &store->options;
    uint64_t most = options->outbox_max_bytes ? options->outbox_max_bytes : OUTBOX_MAX_BYTES;
    int64_t age = options->outbox_max_age_us ? options->outbox_max_age_us : OUTBOX_MAX_AGE_US;
    struct segment *first = &store->segments[0];
    enum err err;

    *yes = false;
    if (store->segment_count < 2 || first->end_pos > store->outbox_next)
        return OK;
    err = newest_event(store, first);
    *yes =
        !err && (store->outbox_bytes > most || clock_utc(options->clock) - first->newest_us > age);
    return err;
}

static void segment_forget(struct store *store)
{
    struct segment first = store->segments[0];

    store->outbox_bytes -= first.bytes < store->outbox_bytes ? first.bytes : store->outbox_bytes;
    store->segment_count--;
    memmove(store->segments, store->segments + 1, store->segment_count * sizeof(first));
    LOG_INFO("outbox_segment_dropped", log_uint("segment", first.n),
             log_uint("firstPosition", first.first_pos));
}

enum err pg_outbox_retain(struct store *store, bool *more)
{
    int64_t now = clock_mono(store->options.clock);
    char sql[200];
    bool yes;
    enum err err;

    *more = false;
    if (now < store->drop_us)
        return OK;
    err = outdated(store, &yes);
    if (err || !yes)
        return err;
    (void)snprintf(sql, sizeof(sql),
                   "BEGIN; SET LOCAL lock_timeout = 100; DROP TABLE outbox_%" PRIu64
                   "; DELETE FROM outbox_segment WHERE n = %" PRIu64 "; COMMIT",
                   store->segments[0].n, store->segments[0].n);
    err = pg_script(&store->pg, sql);
    if (!err) {
        segment_forget(store);
        return outdated(store, more);
    }
    if (store->pg.conn && pg_state_is(&store->pg, "55P03")) {
        store->drop_us = now + DROP_AGAIN_US; /* somebody reads all of it, a dump perhaps */
        err = OK;
    }
    if (store->pg.conn && pg_script(&store->pg, "ROLLBACK") && !err)
        err = ERR_AWAY;
    return err;
}

void pg_outbox_close(struct store *store)
{
    free(store->segments);
    store->segments = NULL;
    store->segment_count = 0;
    store->outbox_bytes = 0;
}
