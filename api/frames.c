/*
 * frames.c - the ring of the frame log and its way to the files. Ring rows are reused in turn, but
 * not before they were written; so the writer reads them without the lock.
 */
#include "api/frames.h"

#include "core/json.h"
#include "core/log.h"
#include "core/metric.h"
#include "lorawan/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT   1
#define WRITE_US (100 * (int64_t)US_PER_MS) /* frames are written together */
#define WRITE_N                                                                                    \
    512            /* in one time; 5,000 rows a second: diagnosis must not cost the frames' time   \
                    */
#define LOOK_N 256 /* ring rows looked at under one lock */

enum { LOST_BUSY, LOST_DISK, LOST_COUNT };
enum { BY_DEVICE, BY_GATEWAY };

static const char *lost_name(unsigned at)
{
    return at == LOST_BUSY ? "busy" : "disk";
}

/* clang-format off */
static struct metric dropped = {.name = "godwit_frame_log_dropped_total", .kind = METRIC_COUNTER, .help = "Frames that the frame log did not keep.", .label = "reason", .count = LOST_COUNT, .value_name = lost_name};
static struct metric size = {.name = "godwit_frame_log_bytes", .kind = METRIC_GAUGE, .help = "Size of the frame log's files.", .count = 1};
/* clang-format on */

void frames_metrics_register(void)
{
    metric_register(&dropped);
    metric_register(&size);
}

/* ---- a row as it is written ------------------------------------------------------------------ */

static size_t write_row(const struct frame_row *row, uint8_t room[SPILL_DATA_MAX])
{
    const struct frame_entry *entry = &row->entry;
    const char *reason = entry->drop ? drop_label(entry->drop) : "";
    struct wr wr = wr_of(room, SPILL_DATA_MAX);

    wr_u8(&wr, FORMAT);
    wr_u8(&wr, entry->direction);
    wr_u32le(&wr, entry->dev_addr);
    wr_u32le(&wr, entry->frequency_hz);
    wr_u8(&wr, entry->dr);
    wr_u32le(&wr, entry->airtime_us);
    wr_blob(&wr, row->phy, entry->phy.n);
    wr_blob(&wr, reason, strlen(reason)); /* its number may change with the program */
    wr_blob(&wr, row->verdict, strlen(row->verdict));
    wr_blob(&wr, row->note, strlen(row->note));
    return wr_len(&wr);
}

static void take_text(char *to, size_t room, struct bytes text)
{
    (void)snprintf(to, room, "%.*s", (int)text.n, (const char *)text.p);
}

static enum drop drop_of(struct bytes label)
{
    for (int drop = 1; drop < DROP_COUNT; drop++) {
        const char *text = drop_label((enum drop)drop);

        if (strlen(text) == label.n && memcmp(text, label.p, label.n) == 0)
            return (enum drop)drop;
    }
    return DROP_NONE;
}

void frame_point(struct frame_row *row)
{
    row->entry.phy.p = row->phy;
    row->entry.verdict = row->verdict;
    row->entry.note = row->note;
}

static bool read_row(const struct spill_row *from, struct frame_row *row)
{
    struct rd rd = rd_bytes(from->data);
    struct frame_entry *entry = &row->entry;
    struct bytes phy, reason;

    *row = (struct frame_row){.seq = from->seq};
    if (rd_u8(&rd) != FORMAT)
        return false;
    entry->utc_us = from->utc_us;
    entry->dev_eui.v = from->keys[BY_DEVICE];
    entry->gateway.v = from->keys[BY_GATEWAY];
    entry->direction = rd_u8(&rd);
    entry->dev_addr = rd_u32le(&rd);
    entry->frequency_hz = rd_u32le(&rd);
    entry->dr = rd_u8(&rd);
    entry->airtime_us = rd_u32le(&rd);
    phy = rd_blob(&rd);
    reason = rd_blob(&rd);
    take_text(row->verdict, sizeof(row->verdict), rd_blob(&rd));
    take_text(row->note, sizeof(row->note), rd_blob(&rd));
    if (rd.failed || phy.n > sizeof(row->phy))
        return false;
    memcpy(row->phy, phy.p, phy.n);
    entry->phy.n = phy.n;
    entry->drop = drop_of(reason);
    frame_point(row);
    return true;
}

/* ---- the ring -------------------------------------------------------------------------------- */

static void copy_text(char *to, size_t room, const char *text)
{
    size_t n = text ? strnlen(text, room - 1) : 0;

    if (n)
        memcpy(to, text, n);
    to[n] = '\0';
}

void frames_add(struct frames *frames, const struct frame_entry *entry)
{
    struct frame_row *row;
    size_t n = entry->phy.n < LW_PHY_MAX ? entry->phy.n : LW_PHY_MAX;
    bool full;

    (void)pthread_mutex_lock(&frames->lock);
    full = frames->next - frames->spilled >= frames->ring;
    if (!full) {
        row = &frames->rows[frames->next % frames->ring];
        row->seq = frames->next++;
        row->entry = *entry;
        if (n)
            memcpy(row->phy, entry->phy.p, n);
        row->entry.phy.n = n;
        copy_text(row->verdict, sizeof(row->verdict), entry->verdict);
        copy_text(row->note, sizeof(row->note), entry->note);
        if (!frames->spill)
            frames->spilled = frames->next;
    }
    (void)pthread_mutex_unlock(&frames->lock);
    if (full)
        metric_add(&dropped, LOST_BUSY, 1);
    if (frames->spill && !atomic_exchange(&frames->woken, true))
        mail_post(&frames->worker, LANE_BULK, &frames->wake);
}

uint64_t frames_end(struct frames *frames)
{
    uint64_t end;

    (void)pthread_mutex_lock(&frames->lock);
    end = frames->next;
    (void)pthread_mutex_unlock(&frames->lock);
    return end;
}

/* Under the lock. */
static uint64_t ring_first(const struct frames *frames)
{
    return frames->next - frames->first > frames->ring ? frames->next - frames->ring
                                                       : frames->first;
}

uint64_t frames_ring_first(struct frames *frames)
{
    uint64_t first;

    (void)pthread_mutex_lock(&frames->lock);
    first = ring_first(frames);
    (void)pthread_mutex_unlock(&frames->lock);
    return first;
}

bool frames_at(struct frames *frames, uint64_t seq, struct frame_row *row)
{
    const struct frame_row *at = &frames->rows[seq % frames->ring];
    bool there;

    (void)pthread_mutex_lock(&frames->lock);
    there = seq && at->seq == seq;
    if (there)
        *row = *at;
    (void)pthread_mutex_unlock(&frames->lock);
    frame_point(row);
    return there;
}

/* ---- to the files ---------------------------------------------------------------------------- */

/* The rows from..from + n - 1 are not touched by anybody until they are `spilled`. */
static enum err write_rows(struct frames *frames, uint64_t from, size_t n)
{
    struct spill_row *rows = xmalloc(n * sizeof(*rows));
    uint8_t(*data)[SPILL_DATA_MAX] = xmalloc(n * sizeof(*data));
    enum err err;

    for (size_t i = 0; i < n; i++) {
        const struct frame_row *row = &frames->rows[(from + i) % frames->ring];

        rows[i] = (struct spill_row){
            .utc_us = row->entry.utc_us,
            .keys = {[BY_DEVICE] = row->entry.dev_eui.v, [BY_GATEWAY] = row->entry.gateway.v},
            .data = {data[i], write_row(row, data[i])}};
    }
    err = spill_append(frames->spill, from, rows, n);
    free(data);
    free(rows);
    return err;
}

static void note_trouble(struct frames *frames, enum err err, size_t n)
{
    if (err)
        metric_add(&dropped, LOST_DISK, n);
    if (err && !atomic_exchange(&frames->failing, true))
        LOG_WARN("frame_log_not_written", log_err(err));
    if (!err && atomic_exchange(&frames->failing, false))
        LOG_INFO("frame_log_written_again", log_uint("octets", spill_bytes(frames->spill)));
}

/* What cannot be written is lost to the files, not tried again: newer frames matter more. True if
 * there is more. */
static bool write_some(struct frames *frames)
{
    uint64_t from, end;
    size_t n;

    (void)pthread_mutex_lock(&frames->lock);
    from = frames->spilled;
    end = frames->next;
    (void)pthread_mutex_unlock(&frames->lock);
    n = end - from < WRITE_N ? (size_t)(end - from) : WRITE_N;
    if (!n)
        return false;
    note_trouble(frames, write_rows(frames, from, n), n);
    (void)pthread_mutex_lock(&frames->lock);
    frames->spilled = from + n;
    (void)pthread_mutex_unlock(&frames->lock);
    return end - from > n;
}

static void fire(struct timer *timer)
{
    struct frames *frames = (struct frames *)((char *)timer - offsetof(struct frames, timer));

    atomic_store(&frames->woken, false); /* before the look: a frame that comes now wakes again */
    if (write_some(frames) && !atomic_exchange(&frames->woken, true))
        timer_set(&frames->worker.timers, timer, worker_now(&frames->worker) + WRITE_US);
    spill_trim(frames->spill, clock_utc(frames->worker.clock));
    metric_set(&size, 0, (int64_t)spill_bytes(frames->spill));
}

static void wake_take(struct worker *worker, struct mail *mail)
{
    struct frames *frames = worker->owner;

    (void)mail;
    timer_set(&worker->timers, &frames->timer, worker_now(worker) + WRITE_US);
}

void frames_init(struct frames *frames, const struct frames_options *options)
{
    struct spill_options spill = {.dir = options->dir,
                                  .max_bytes = options->max_bytes,
                                  .max_age_us = options->max_age_us,
                                  .segment_bytes = options->file_bytes};

    worker_init(&frames->worker, "frames", options->clock, frames);
    frames->timer.fire = fire;
    frames->wake.take = wake_take;
    (void)pthread_mutex_init(&frames->lock, NULL);
    frames->ring = options->ring ? options->ring : FRAMES_RING;
    frames->rows = xcalloc(frames->ring, sizeof(*frames->rows)); /* pages are touched as it fills */
    if (options->dir && spill_open(&spill, &frames->spill)) {
        LOG_WARN("frame_log_unusable", log_str("folder", options->dir));
        atomic_store(&frames->failing, true);
        frames->spill = NULL;
    }
    frames->first = frames->next = frames->spilled = frames->spill ? spill_end(frames->spill) : 1;
}

void frames_fini(struct frames *frames)
{
    if (!frames->rows)
        return;
    if (frames->spill) {
        while (write_some(frames))
            ;
        spill_close(frames->spill);
    }
    free(frames->rows);
    worker_fini(&frames->worker);
    (void)pthread_mutex_destroy(&frames->lock);
}

const char *frames_trouble(struct frames *frames)
{
    return atomic_load(&frames->failing) ? "its files cannot be written, frames are dropped" : NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool is_of(const struct frame_row *row, const struct frames_query *query)
{
    return (query->gateway ? row->entry.gateway.v : row->entry.dev_eui.v) == query->eui.v;
}

/* Looks at some rows of the ring from *at downwards; *at is where it stopped. */
static bool look(struct frames *frames, const struct frames_query *query, uint64_t first,
                 uint64_t *at, struct frame_row *row)
{
    bool found = false;

    (void)pthread_mutex_lock(&frames->lock);
    for (int i = 0; i<LOOK_N && * at> first && !found; i++) {
        const struct frame_row *candidate = &frames->rows[--*at % frames->ring];

        found = candidate->seq == *at && is_of(candidate, query);
        if (found)
            *row = *candidate;
    }
    (void)pthread_mutex_unlock(&frames->lock);
    frame_point(row);
    return found;
}

/* False: the visitor has enough. *before becomes where the files go on. */
static bool visit_ring(struct frames *frames, const struct frames_query *query, uint64_t *before,
                       struct frame_row *row, frames_visitor *visit, void *arg)
{
    uint64_t at = *before, first = frames_ring_first(frames);

    while (at > first) {
        if (!look(frames, query, first, &at, row))
            continue;
        if (row->entry.utc_us < query->since_us || !visit(arg, row))
            return false;
    }
    *before = *before < first ? *before : first;
    return true;
}

void frames_visit(struct frames *frames, const struct frames_query *query, frames_visitor *visit,
                  void *arg)
{
    struct frame_row *row = xcalloc(1, sizeof(*row));
    struct spill_walk *walk = xcalloc(1, sizeof(*walk));
    struct spill_row raw;
    uint64_t end = frames_end(frames), before = query->before < end ? query->before : end;

    if (query->eui.v && visit_ring(frames, query, &before, row, visit, arg) && frames->spill) {
        *walk = (struct spill_walk){.key = query->eui.v,
                                    .which = query->gateway ? BY_GATEWAY : BY_DEVICE,
                                    .before = before};
        while (spill_next(frames->spill, walk, &raw) && raw.utc_us >= query->since_us) {
            if (read_row(&raw, row) && !visit(arg, row))
                break;
        }
    }
    free(walk);
    free(row);
}

/* ---- printing -------------------------------------------------------------------------------- */

static void key_hex64(struct jw *jw, const char *key, uint64_t v)
{
    char text[LW_EUI_TEXT];

    jw_key_str(jw, key, v ? lw_eui_text(text, (struct lw_eui){v}) : NULL);
}

static void print_data(struct jw *jw, const struct lw_data *data)
{
    char text[LW_DEV_ADDR_TEXT];

    jw_key_str(jw, "devAddr", lw_dev_addr_text(text, data->dev_addr));
    jw_key_uint(jw, "fCnt", data->fcnt);
    jw_key_bool(jw, "adr", data->fctrl & LW_FCTRL_ADR);
    jw_key_bool(jw, "ack", data->fctrl & LW_FCTRL_ACK);
    jw_key(jw, "fOpts");
    jw_hex(jw, data->fopts.p, data->fopts.n);
    jw_key(jw, "fPort");
    if (data->port == LW_PORT_NONE)
        jw_null(jw);
    else
        jw_int(jw, data->port);
    jw_key_uint(jw, "payloadSize", data->payload.n);
}

static void print_decoded(struct jw *jw, struct bytes phy)
{
    struct lw_frame frame;

    jw_key(jw, "decoded");
    jw_object(jw);
    if (!lw_frame_read(phy, &frame)) {
        jw_key_str(jw, "mType", lw_ftype_name((enum lw_ftype)frame.ftype));
        if (lw_ftype_is_data(frame.ftype))
            print_data(jw, &frame.data);
        if (frame.ftype == LW_JOIN_REQUEST) {
            key_hex64(jw, "joinEui", frame.join.join_eui.v);
            key_hex64(jw, "devEui", frame.join.dev_eui.v);
            jw_key_uint(jw, "devNonce", frame.join.dev_nonce);
        }
    }
    jw_end_object(jw);
}

void frame_print(const struct frame_row *row, struct jw *jw)
{
    const struct frame_entry *entry = &row->entry;
    char text[24];

    (void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)row->seq);
    jw_object(jw);
    jw_key_str(jw, "id", text);
    jw_key(jw, "time");
    jw_time(jw, entry->utc_us);
    jw_key_str(jw, "direction", entry->direction == LW_UP ? "up" : "down");
    key_hex64(jw, "gatewayId", entry->gateway.v);
    key_hex64(jw, "devEui", entry->dev_eui.v);
    jw_key_str(jw, "devAddr",
               entry->dev_addr ? lw_dev_addr_text(text, (struct lw_dev_addr){entry->dev_addr})
                               : NULL);
    jw_key_uint(jw, "frequency", entry->frequency_hz);
    jw_key_uint(jw, "dr", entry->dr);
    jw_key_uint(jw, "airtimeUs", entry->airtime_us);
    jw_key(jw, "phyPayload");
    jw_hex(jw, entry->phy.p, entry->phy.n);
    print_decoded(jw, entry->phy);
    jw_key_str(jw, "verdict", entry->verdict);
    jw_key_str(jw, "dropReason", entry->drop ? drop_label(entry->drop) : NULL);
    jw_key(jw, "decisions");
    jw_array(jw);
    if (*entry->note)
        jw_str(jw, entry->note);
    jw_end_array(jw);
    jw_end_object(jw);
}
