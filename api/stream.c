/*
 * stream.c - event streams (api.md: text/event-stream).
 *
 * Each round reads a slice of the outbox from the lowest position of any subscriber, renders an
 * event once and writes it to those that it concerns. A client that does not read stays where it
 * is until it reads again or its patience is over.
 */
#include "api/stream.h"

#include "api/events.h"
#include "api/routes.h"
#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE           256
#define STREAM_MAX      ((size_t)1024 * 1024)
#define SUBSCRIBERS_MAX 512
#define RETRY_US        (50 * (int64_t)US_PER_MS)
#define PATIENCE        (10 * (int64_t)US_PER_S)
#define MISSED_MAX      1000 /* frames from the files for one client at a time */
#define CHECK_US        (5 * (int64_t)US_PER_S)

enum watch {
    WATCH_ALL,
    WATCH_APPLICATION,
    WATCH_DEVICE,
    WATCH_DEVICE_FRAMES,
    WATCH_GATEWAY_FRAMES
};

struct subscriber {
    struct mail mail;
    struct subscriber *next;       /* list of the worker */
    struct subscriber *next_cover; /* under streams->lock */
    struct streams *streams;
    struct call *call; /* until the stream is open */
    struct http_stream *stream;
    atomic_bool closed;
    enum watch watch;
    struct uuid application;
    struct lw_eui eui;
    struct principal who; /* with heap grants */
    int64_t since_us;     /* frames: from when on they are this watcher's to see */
    uint64_t at;          /* next position */
    int type;             /* -1: all */
    int64_t stuck_us;     /* since when it does not take anything; 0: it does */
};

struct metric stream_cuts = {.name = "godwit_api_streams_cut_total",
                             .kind = METRIC_COUNTER,
                             .help = "Streams ended because their client did not read.",
                             .count = 1};

static bool is_frames(const struct subscriber *sub)
{
    return sub->watch == WATCH_DEVICE_FRAMES || sub->watch == WATCH_GATEWAY_FRAMES;
}

/* ---- who is covered -------------------------------------------------------------------------- */

static bool covers(const struct subscriber *sub, const struct uuid *tenant,
                   const struct uuid *application, struct lw_eui dev_eui)
{
    switch (sub->watch) {
    case WATCH_ALL: return auth_may(&sub->who, tenant, SCOPE_EVENTS_READ);
    case WATCH_APPLICATION: return uuid_equal(&sub->application, application);
    case WATCH_DEVICE: return lw_eui_equal(sub->eui, dev_eui);
    case WATCH_DEVICE_FRAMES:
    case WATCH_GATEWAY_FRAMES: break;
    }
    return false;
}

bool streams_covered(struct streams *streams, const struct uuid *tenant,
                     const struct uuid *application, struct lw_eui dev_eui)
{
    bool covered = false;

    if (atomic_load(&streams->open) == 0)
        return false;
    (void)pthread_mutex_lock(&streams->lock);
    for (const struct subscriber *s = streams->covers; s && !covered; s = s->next_cover)
        covered = covers(s, tenant, application, dev_eui);
    (void)pthread_mutex_unlock(&streams->lock);
    return covered;
}

static bool cover_add(struct subscriber *sub)
{
    struct streams *streams = sub->streams;
    bool room;

    (void)pthread_mutex_lock(&streams->lock);
    room = atomic_load(&streams->open) < SUBSCRIBERS_MAX;
    if (room) {
        sub->next_cover = streams->covers;
        streams->covers = sub;
        atomic_fetch_add(&streams->open, 1);
    }
    (void)pthread_mutex_unlock(&streams->lock);
    return room;
}

static void subscriber_free(struct subscriber *sub)
{
    struct streams *streams = sub->streams;

    (void)pthread_mutex_lock(&streams->lock);
    for (struct subscriber **p = &streams->covers; *p; p = &(*p)->next_cover) {
        if (*p == sub) {
            *p = sub->next_cover;
            atomic_fetch_sub(&streams->open, 1);
            break;
        }
    }
    (void)pthread_mutex_unlock(&streams->lock);
    if (sub->stream)
        http_stream_close(sub->stream);
    free(sub->who.grants);
    free(sub);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* False if the client must get it later. */
static bool deliver(struct subscriber *sub, const struct jw *jw, int64_t now)
{
    enum err err = http_stream_write(sub->stream, jw->p, jw->n);

    if (err == ERR_FULL) {
        sub->stuck_us = sub->stuck_us ? sub->stuck_us : now;
        return false;
    }
    if (err)
        atomic_store(&sub->closed, true);
    sub->stuck_us = 0;
    return true;
}

struct round {
    struct streams *streams;
    uint64_t next; /* where the scan has come to */
    size_t seen;
};

struct rendering {
    const struct stored_event *stored;
    struct arena arena;
    struct event_facts facts;
    struct event_context context;
    struct jw jw;
    bool prepared, good, written;
};

static void prepare(struct streams *streams, struct rendering *r)
{
    if (r->prepared)
        return;
    r->prepared = true;
    r->good =
        !event_prepare(streams->api, streams->reader, r->stored, &r->arena, &r->facts, &r->context);
}

static void put_line(struct jw *jw, const char *text)
{
    jw->comma = false;
    jw_raw(jw, text, strlen(text));
    jw->comma = false;
}

static void begin_message(struct jw *jw, uint64_t id, const char *type)
{
    char text[96];

    (void)snprintf(text, sizeof(text), "id: %016llx\nevent: %s\ndata: ", (unsigned long long)id,
                   type);
    jw_clear(jw);
    put_line(jw, text);
}

static void write_once(struct rendering *r)
{
    enum event_type type = (enum event_type)r->stored->type;

    if (r->written)
        return;
    begin_message(&r->jw, r->stored->pos, event_type_text(type));
    event_print(&r->jw, type, &r->facts, &r->context);
    put_line(&r->jw, "\n\n");
    r->written = true;
}

static void offer(struct subscriber *sub, struct rendering *r)
{
    const struct stored_event *stored = r->stored;

    if (is_frames(sub) || atomic_load(&sub->closed) || sub->at > stored->pos)
        return;
    if (sub->stuck_us && sub->at < stored->pos)
        return; /* it still waits for an earlier one */
    if ((sub->type < 0 || sub->type == stored->type) &&
        (sub->watch != WATCH_DEVICE || lw_eui_equal(sub->eui, stored->dev_eui))) {
        prepare(sub->streams, r);
        if (r->good &&
            covers(sub, &r->context.tenant_id, &r->facts.application_id, stored->dev_eui)) {
            write_once(r);
            sub->at = stored->pos;
            if (!deliver(sub, &r->jw, worker_now(&sub->streams->worker)))
                return;
        }
    }
    sub->at = stored->pos + 1;
}

static bool take_event(void *arg, const struct stored_event *stored)
{
    struct round *round = arg;
    struct rendering r = {.stored = stored};

    arena_init(&r.arena, ARENA_REQUEST_LIMIT);
    jw_init(&r.jw, STREAM_MAX);
    for (struct subscriber *sub = round->streams->list; sub; sub = sub->next)
        offer(sub, &r);
    jw_free(&r.jw);
    arena_reset(&r.arena);
    round->next = stored->pos + 1;
    round->seen++;
    return true;
}

/* The lowest position of those that flow, or of those that are stuck; UINT64_MAX: there is none. */
static uint64_t lowest(const struct streams *streams, bool stuck)
{
    uint64_t at = UINT64_MAX;

    for (const struct subscriber *sub = streams->list; sub; sub = sub->next) {
        if (!is_frames(sub) && !atomic_load(&sub->closed) && !sub->stuck_us == !stuck &&
            sub->at < at)
            at = sub->at;
    }
    return at;
}

/* ---- frames ---------------------------------------------------------------------------------- */

static bool wants_frame(const struct subscriber *sub, const struct frame_entry *entry)
{
    return sub->watch == WATCH_DEVICE_FRAMES ? lw_eui_equal(sub->eui, entry->dev_eui)
                                             : lw_eui_equal(sub->eui, entry->gateway);
}

/* False if the client must get it later. */
static bool send_frame(struct subscriber *sub, const struct frame_row *row, struct jw *jw)
{
    begin_message(jw, row->seq, "frame");
    frame_print(row, jw);
    put_line(jw, "\n\n");
    return deliver(sub, jw, worker_now(&sub->streams->worker));
}

/* Frames that a client has missed and that the ring does not hold any more, from the files. */
struct missed {
    uint64_t from;
    struct frame_row *rows; /* newest first */
    size_t n;
};

static bool take_missed(void *arg, const struct frame_row *row)
{
    struct missed *missed = arg;

    if (row->seq < missed->from || missed->n == MISSED_MAX)
        return false;
    missed->rows[missed->n++] = *row;
    return true;
}

static bool send_missed(struct streams *streams, struct subscriber *sub, uint64_t until,
                        struct jw *jw)
{
    struct missed missed = {.from = sub->at, .rows = xcalloc(MISSED_MAX, sizeof(*missed.rows))};
    const struct frames_query query = {.eui = sub->eui,
                                       .gateway = sub->watch == WATCH_GATEWAY_FRAMES,
                                       .before = until,
                                       .since_us = sub->since_us};
    bool sent = true;

    frames_visit(&streams->api->frames, &query, take_missed, &missed);
    while (missed.n && sent) {
        struct frame_row *row = &missed.rows[--missed.n];

        frame_point(row);
        sub->at = row->seq;
        sent = send_frame(sub, row, jw);
    }
    if (sent)
        sub->at = until;
    free(missed.rows);
    return sent;
}

static void send_frames(struct streams *streams, struct subscriber *sub)
{
    struct frames *frames = &streams->api->frames;
    uint64_t end = frames_end(frames), first = frames_ring_first(frames);
    struct frame_row *row = xmalloc(sizeof(*row));
    struct jw jw;
    bool sent = true;

    jw_init(&jw, STREAM_MAX);
    if (sub->at < first)
        sent = send_missed(streams, sub, first, &jw);
    for (; sent && sub->at < end && !atomic_load(&sub->closed); sub->at++) {
        if (!frames_at(frames, sub->at, row) || !wants_frame(sub, &row->entry))
            continue;
        if (!send_frame(sub, row, &jw))
            break;
    }
    jw_free(&jw);
    free(row);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* A key or user that is gone or was changed may not listen on. */
static bool still_known(struct api *api, const struct subscriber *sub)
{
    struct record_key key = record_key_uuid(&sub->who.id);
    const struct user *user;
    const struct api_key *api_key;
    bool known = true;

    api_lock(api);
    if (sub->who.kind == WHO_API_KEY) {
        api_key = directory_find(&api->directory, REC_API_KEY, &key);
        known = api_key &&
                (!api_key->expires_us || api_key->expires_us > clock_utc(api->options.clock));
    } else if (sub->who.kind == WHO_USER) {
        user = directory_find(&api->directory, REC_USER, &key);
        known = user && user->is_active;
    }
    api_unlock(api);
    return known;
}

/* A client that has not read for so long loses its stream: what waits for it is memory. */
static bool out_of_patience(const struct subscriber *sub, int64_t now)
{
    bool out = !atomic_load(&sub->closed) && sub->stuck_us && now - sub->stuck_us > PATIENCE;

    if (out) {
        metric_add(&stream_cuts, 0, 1);
        LOG_WARN("stream_cut", log_str("why", "the client does not read"));
    }
    return out;
}

static void sweep(struct streams *streams)
{
    int64_t now = worker_now(&streams->worker);

    for (struct subscriber **p = &streams->list; *p;) {
        struct subscriber *sub = *p;

        if (atomic_load(&sub->closed) || out_of_patience(sub, now) ||
            !still_known(streams->api, sub)) {
            *p = sub->next;
            subscriber_free(sub);
        } else {
            p = &sub->next;
        }
    }
}

static bool anybody_stuck(const struct streams *streams)
{
    for (const struct subscriber *sub = streams->list; sub; sub = sub->next) {
        if (sub->stuck_us)
            return true;
    }
    return false;
}

/* One slice for those that flow or for those that are stuck, so that these hold up nobody. True if
 * there may be more. */
static bool scan(struct streams *streams, bool stuck)
{
    struct round round = {.streams = streams, .next = lowest(streams, stuck)};
    enum err err = OK;

    if (round.next < store_outbox_end(streams->api->options.store))
        err = store_events_from(streams->reader, round.next, SLICE, take_event, &round);
    if (err)
        LOG_WARN("stream_read", log_err(err));
    return round.seen == SLICE;
}

static void run(struct streams *streams)
{
    int64_t now = worker_now(&streams->worker);
    bool more;

    sweep(streams);
    if (!streams->list)
        return;
    more = scan(streams, false);
    if (anybody_stuck(streams))
        (void)scan(streams, true);
    for (struct subscriber *sub = streams->list; sub; sub = sub->next) {
        if (is_frames(sub))
            send_frames(streams, sub);
    }
    if (more)
        streams_wake(streams);
    timer_set(&streams->worker.timers, &streams->timer,
              now + (anybody_stuck(streams) ? RETRY_US : CHECK_US));
}

static void wake_take(struct worker *worker, struct mail *mail)
{
    struct streams *streams = worker->owner;

    (void)mail;
    atomic_store(&streams->woken, false);
    run(streams);
}

static void fire(struct timer *timer)
{
    run((struct streams *)((char *)timer - offsetof(struct streams, timer)));
}

void streams_wake(struct streams *streams)
{
    if (atomic_load(&streams->open) == 0 || atomic_exchange(&streams->woken, true))
        return;
    mail_post(&streams->worker, LANE_BULK, &streams->wake);
}

enum err streams_init(struct streams *streams, struct api *api)
{
    streams->api = api;
    worker_init(&streams->worker, "stream", api->options.clock, streams);
    (void)pthread_mutex_init(&streams->lock, NULL);
    streams->wake.take = wake_take;
    streams->timer.fire = fire;
    return store_reader_open(api->options.store, &streams->reader);
}

void streams_fini(struct streams *streams)
{
    while (streams->list) {
        struct subscriber *sub = streams->list;

        streams->list = sub->next;
        subscriber_free(sub);
    }
    worker_fini(&streams->worker);
    if (streams->reader)
        store_reader_close(streams->reader);
    (void)pthread_mutex_destroy(&streams->lock);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Under a lock of net/: a flag and a mail, nothing else. */
static void client_gone(void *arg)
{
    struct subscriber *sub = arg;

    atomic_store(&sub->closed, true);
    streams_wake(sub->streams);
}

static void open_take(struct worker *worker, struct mail *mail)
{
    struct subscriber *sub = (struct subscriber *)mail;
    struct streams *streams = worker->owner;
    struct http_stream_options options = {.content_type = "text/event-stream",
                                          .limit = STREAM_MAX,
                                          .closed = client_gone,
                                          .arg = sub};

    sub->stream = http_stream_open(sub->call->request, &options);
    call_free(sub->call);
    sub->call = NULL;
    if (!sub->stream) {
        subscriber_free(sub);
        return;
    }
    sub->next = streams->list;
    streams->list = sub;
    run(streams);
}

static int read_start(struct call *call, struct subscriber *sub)
{
    const char *id = http_header(call->request, "Last-Event-ID"), *type;
    uint8_t raw[8];
    struct rd rd = rd_of(raw, sizeof(raw));

    sub->at = is_frames(sub) ? frames_end(&call->api->frames)
                             : store_outbox_end(call->api->options.store);
    if (id && *id) {
        uint64_t last;

        if (!hex_read(raw, sizeof(raw), id, strlen(id)))
            return call_fail(call, 400, "Last-Event-ID is none that this server gave");
        last = rd_u64be(&rd);
        sub->at = last < sub->at ? last + 1 : sub->at;
    }
    sub->type = -1;
    type = http_query(call->request, "type");
    for (int i = 0; type && !is_frames(sub) && i < EVENT_TYPE_COUNT; i++) {
        if (strcmp(type, event_type_text((enum event_type)i)) == 0)
            sub->type = i;
    }
    if (type && sub->type < 0 && !is_frames(sub))
        return call_fail(call, 400, "type must be up, join, ack, txack, status or log");
    return 0;
}

static int subscribe(struct call *call, const struct subscriber *what)
{
    struct subscriber *sub = xcalloc(1, sizeof(*sub));
    size_t n = call->who.grant_count;
    int status;

    *sub = *what;
    sub->streams = &call->api->streams;
    status = read_start(call, sub);
    sub->who = call->who;
    sub->who.name = NULL;
    sub->who.grants = xcalloc(n + 1, sizeof(struct grant));
    if (n)
        memcpy(sub->who.grants, call->who.grants, n * sizeof(struct grant));
    if (!status && !cover_add(sub)) {
        call_header(call, "Retry-After", "10");
        status = call_fail(call, 503, "too many streams are open");
    }
    if (status) {
        subscriber_free(sub);
        return status;
    }
    sub->call = call;
    sub->mail.take = open_take;
    mail_post(&call->api->streams.worker, LANE_BULK, &sub->mail);
    return CALL_HANDED;
}

int stream_all(struct call *call)
{
    return subscribe(call, &(struct subscriber){.watch = WATCH_ALL});
}

int stream_application(struct call *call)
{
    struct record_key key = record_key_uuid(&call->params[0].uuid);
    void *application;
    int status = call_object(call, REC_APPLICATION, &key, &application);

    return status ? status
                  : subscribe(call, &(struct subscriber){.watch = WATCH_APPLICATION,
                                                         .application = call->params[0].uuid});
}

static int of_device(struct call *call, enum watch watch)
{
    struct device_view view;
    int status = call_device(call, &view);

    return status ? status
                  : subscribe(call, &(struct subscriber){.watch = watch,
                                                         .eui = view.device->dev_eui,
                                                         .since_us = view.device->head.created_us});
}

int stream_device(struct call *call)
{
    return of_device(call, WATCH_DEVICE);
}

int stream_device_frames(struct call *call)
{
    return of_device(call, WATCH_DEVICE_FRAMES);
}

int stream_gateway_frames(struct call *call)
{
    struct lw_eui id = call_eui(call, "gatewayId");
    struct record_key key = record_key_eui(id);
    void *gateway;
    int status = call_object(call, REC_GATEWAY, &key, &gateway);

    return status ? status
                  : subscribe(call,
                              &(struct subscriber){
                                  .watch = WATCH_GATEWAY_FRAMES,
                                  .eui = id,
                                  .since_us = ((const struct record_head *)gateway)->created_us});
}
