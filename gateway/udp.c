/*
 * udp.c - see udp.h. A batch of datagrams is looked at twice: first the headers, so that all
 * acknowledgements leave as one, then the contents.
 */
#include "core/arena.h"
#include "core/log.h"
#include "gateway/count.h"
#include "gateway/semtech.h"
#include "gateway/udp_priv.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define BATCHES_MAX  16 /* per wake-up, so that mail is not starved */
#define RATE_DEFAULT 100000
#define ADOPTED_MAX  50000 /* since the start; ids are easily made up. Beyond: the inbox */

/* What the first look at a datagram found. */
struct seen {
    struct semtech_header header;
    struct path
        *path; /* NULL: unknown then; an earlier datagram of the batch may have changed that */
};

/* One datagram being handled. */
struct push {
    struct udp *udp;
    struct path *path;
    int64_t now_us, utc_us; /* when it came, however long it then lay in the socket */
    bool conflict;          /* from a second address: nothing may be moved by it */
};

static void dropped(const struct udp *udp, struct lw_eui gateway, enum drop reason)
{
    if (udp->ops->dropped)
        udp->ops->dropped(udp->ctx, gateway, reason);
}

static void send_datagram(void *ctx, const struct address *to, const void *data, size_t n)
{
    struct udp *udp = ctx;

    if (udp->config.send)
        udp->config.send(udp->config.send_ctx, to, data, n);
    else if (udp->socket)
        socket_send(udp->socket, to, data, n);
}

/* ---- PUSH_DATA ------------------------------------------------------------------------------ */

/* What was planned on the old counter can no longer be sent. */
static void lose_session(struct udp *udp, struct path *path)
{
    LOG_INFO("gateway_restarted", log_eui("gatewayId", path->record.id.v));
    metric_add(&count_restarts, 0, 1);
    transmit_lost(&udp->transmit, path);
}

static void on_rx(void *ctx, const struct semtech_rx *rx)
{
    struct push *push = ctx;
    struct path *path = push->path;
    struct udp *udp = push->udp;
    struct copy copy = rx->copy;
    struct heard *heard;
    bool restarted;

    if (push->conflict && path_is_restart(path, copy.tmst, push->now_us)) {
        dropped(udp, path->record.id, DROP_GATEWAY_ADDRESS);
        return;
    }
    copy.gateway = path->record.id;
    copy.received_us = push->now_us;
    copy.utc_us = push->utc_us;
    copy.uplink_id = path->uplink_ids++;
    copy.region = path->record.region;
    copy.counter_us = path_extend(path, copy.tmst, push->now_us, &restarted);
    metric_add(&count_receptions, 0, 1);
    if (restarted)
        lose_session(udp, path);
    if (copy.flags & COPY_HAS_TMMS)
        path->last_gps_us = push->now_us;
    if (path->record.has_location)
        copy.flags |= COPY_HAS_LOCATION;
    if (path->record.is_private)
        copy.flags |= COPY_PRIVATE;
    path->counters.heard++;
    if (!udp->ops->channel(udp->ctx, &copy)) {
        dropped(udp, path->record.id, DROP_UNKNOWN_CHANNEL);
        return;
    }
    heard = heard_new(&copy, rx->phy, rx->phy_len);
    if (!overload_admits(udp->config.overload, path_noise(path, 1, push->now_us), heard->key,
                         push->now_us)) {
        dropped(udp, path->record.id, DROP_OVERLOAD_GATEWAY);
        free(heard);
        return;
    }
    *udp->chain_end = heard;
    udp->chain_end = (struct heard **)&heard->mail.next;
    udp->chain_count++;
}

static void on_stat(void *ctx, const struct semtech_stat *stat)
{
    const struct push *push = ctx;

    if (overload_level(push->udp->config.overload) >= OVERLOAD_EXTRAS)
        dropped(push->udp, push->path->record.id, DROP_OVERLOAD_STAT);
    else if (!push->conflict)
        path_stat(push->path, stat);
}

static void on_drop(void *ctx, enum drop reason)
{
    const struct push *push = ctx;

    dropped(push->udp, push->path->record.id, reason);
}

static void read_push(struct push *push, struct bytes json)
{
    struct semtech_sink sink = {.rx = on_rx, .dropped = on_drop, .stat = on_stat, .ctx = push};

    if (semtech_read_push(json.p, json.n, &sink) != OK)
        dropped(push->udp, push->path->record.id, DROP_MALFORMED_JSON);
}

static void count_rx(void *ctx, const struct semtech_rx *rx)
{
    (void)rx;
    (*(uint64_t *)ctx)++;
}

static void note_unknown(struct udp *udp, const struct semtech_header *header,
                         const struct address *from, struct bytes json)
{
    char text[ADDRESS_TEXT];
    uint64_t frames = 0;
    struct semtech_sink sink = {.rx = count_rx, .ctx = &frames};

    if (overload_level(udp->config.overload) >= OVERLOAD_STRANGERS) {
        dropped(udp, header->gateway, DROP_UNKNOWN_GATEWAY);
        return;
    }
    if (header->id == SEMTECH_PUSH_DATA && semtech_read_push(json.p, json.n, &sink) != OK)
        dropped(udp, header->gateway, DROP_MALFORMED_JSON);
    if (unknown_note(&udp->unknown, header->gateway, from, header->version, frames,
                     clock_utc(udp->worker.clock)))
        LOG_INFO("gateway_unknown", log_eui("gatewayId", header->gateway.v),
                 log_str("address", address_text(text, from)));
    dropped(udp, header->gateway, DROP_UNKNOWN_GATEWAY);
}

/* ---- any datagram --------------------------------------------------------------------------- */

static bool within_rate(struct udp *udp, const struct address *from, int64_t now_us)
{
    uint64_t hash =
        bytes_hash((struct bytes){.p = from->ip, .n = sizeof(from->ip)}, udp->rate_seed);
    struct rate_slot *slot = &udp->rate[hash & (RATE_SLOTS - 1)];
    uint32_t second = (uint32_t)(now_us / US_PER_S);

    if (slot->second != second)
        *slot = (struct rate_slot){.second = second};
    return ++slot->count <= udp->config.datagrams_per_s;
}

static enum count_datagram type_of(const struct semtech_header *header)
{
    if (header->id == SEMTECH_PUSH_DATA)
        return COUNT_PUSH_DATA;
    return header->id == SEMTECH_PULL_DATA ? COUNT_PULL_DATA : COUNT_TX_ACK;
}

/* Whether a PUSH_DATA is worth its reading; one that is not counts as one reception. */
static bool is_read(struct udp *udp, struct path *path, int64_t now_us)
{
    uint32_t noise;

    if (overload_level(udp->config.overload) < OVERLOAD_NOISIEST)
        return true;
    noise = path_noise(path, 0, now_us);
    if (overload_reads(udp->config.overload, noise, udp->read++, now_us))
        return true;
    (void)path_noise(path, 1, now_us);
    dropped(udp, path->record.id, DROP_OVERLOAD_GATEWAY);
    return false;
}

/* Whether the datagram is worth a second look; its acknowledgement is in *ack if *acked. What is
 * not even read is not acknowledged, so that its gateway knows. */
static bool look(struct udp *udp, const struct datagram *d, struct seen *seen, uint8_t *ack,
                 bool *acked)
{
    const struct semtech_header *header = &seen->header;
    int64_t now = clock_mono(udp->worker.clock);

    *acked = false;
    if (!within_rate(udp, &d->from, now)) {
        dropped(udp, (struct lw_eui){0}, DROP_RATE_LIMIT);
        return false;
    }
    if (semtech_read_header(d->data, d->n, &seen->header) != OK) {
        dropped(udp, (struct lw_eui){0}, DROP_MALFORMED_DATAGRAM);
        return false;
    }
    metric_add(&count_datagrams, type_of(header), 1);
    seen->path = udp_find_path(udp, header->gateway);
    if (header->id == SEMTECH_PUSH_DATA && seen->path && !is_read(udp, seen->path, now))
        return false;
    *acked = header->id != SEMTECH_TX_ACK;
    semtech_write_ack(header, ack);
    return true;
}

static void tell_seen(struct udp *udp, struct path *path, int64_t now_us, int64_t utc_us)
{
    int64_t interval = path->record.stats_interval_s ? path->record.stats_interval_s : 30;

    if (!udp->ops->seen || (path->told_us && now_us - path->told_us < interval * US_PER_S))
        return;
    path->told_us = now_us;
    udp->ops->seen(udp->ctx, path->record.id, utc_us);
}

static void read_tx_ack(struct push *push, uint16_t token, struct bytes json)
{
    struct udp *udp = push->udp;
    struct path *path = push->path;
    struct semtech_tx_ack ack;

    if (semtech_read_tx_ack(json.p, json.n, &ack) != OK)
        dropped(udp, path->record.id, DROP_MALFORMED_JSON);
    else if (!transmit_acked(&udp->transmit, path, token, &ack, push->now_us))
        dropped(udp, path->record.id, DROP_TX_ACK_UNKNOWN);
}

/* The content of a datagram of a known gateway. A second address may tell of frames (a device's
 * MIC protects those), but moves neither path nor clock, and acknowledges nothing. */
static void read_content(struct push *push, const struct semtech_header *header,
                         const struct datagram *d)
{
    struct bytes whole = {.p = d->data, .n = d->n};
    struct bytes json = {.p = d->data + SEMTECH_HEADER, .n = d->n - SEMTECH_HEADER};

    if (header->id == SEMTECH_PUSH_DATA) {
        if (path_duplicate(push->path, whole, push->now_us))
            dropped(push->udp, header->gateway, DROP_DUPLICATE_DATAGRAM);
        else
            read_push(push, json);
    } else if (push->conflict) {
        dropped(push->udp, header->gateway, DROP_GATEWAY_ADDRESS);
    } else if (header->id == SEMTECH_TX_ACK) {
        read_tx_ack(push, header->token, json);
    }
}

static void count_conflict(struct path *path, const struct address *from)
{
    char text[ADDRESS_TEXT];

    path->counters.address_conflicts++;
    metric_add(&count_conflicts, 0, 1);
    LOG_WARN("gateway_address_conflict", log_eui("gatewayId", path->record.id.v),
             log_str("address", address_text(text, from)));
}

/* How long it lay in the socket: the kernel noted in UTC when it came, which may jump; what is read
 * now came after the socket was empty. */
static int64_t waited(struct udp *udp, const struct datagram *d, int64_t now_us, int64_t utc_us)
{
    int64_t most = now_us - udp->emptied_us, age = utc_us - d->utc_us;

    if (!d->utc_us || age <= 0 || most <= 0)
        return 0;
    if (age > most)
        age = most;
    if (age > udp->waited_us)
        udp->waited_us = age;
    return age;
}

static void handle(struct udp *udp, const struct seen *seen, const struct datagram *d)
{
    const struct semtech_header *header = &seen->header;
    int64_t now = clock_mono(udp->worker.clock), utc = clock_utc(udp->worker.clock);
    int64_t age = waited(udp, d, now, utc);
    struct push push = {.udp = udp,
                        .path = seen->path ? seen->path : udp_find_path(udp, header->gateway),
                        .now_us = now - age,
                        .utc_us = utc - age};
    enum path_verdict verdict;

    if (!push.path && udp->config.allow_unknown && udp->adopted < ADOPTED_MAX)
        push.path = udp_adopt(udp, header->gateway, &d->from);
    if (!push.path) {
        note_unknown(udp, header, &d->from,
                     (struct bytes){.p = d->data + SEMTECH_HEADER, .n = d->n - SEMTECH_HEADER});
        return;
    }
    verdict = path_heard(push.path, header, &d->from, push.now_us, push.utc_us);
    if (verdict == PATH_REFUSED) {
        dropped(udp, header->gateway, DROP_GATEWAY_ADDRESS);
        return;
    }
    push.conflict = verdict == PATH_CONFLICT;
    if (push.conflict)
        count_conflict(push.path, &d->from);
    else
        tell_seen(udp, push.path, push.now_us, push.utc_us);
    read_content(&push, header, d);
}

static void pass_heard(struct udp *udp)
{
    struct heard *chain = udp->chain;
    size_t count = udp->chain_count;

    udp->chain = NULL;
    udp->chain_end = &udp->chain;
    udp->chain_count = 0;
    if (count)
        udp->ops->heard(udp->ctx, chain, count);
}

/* ---- overload ------------------------------------------------------------------------------- */

/* Without datagrams nobody would look: a timer does, until all is well. */
static void look_at_load(struct udp *udp, int64_t now_us)
{
    overload_look(udp->config.overload, now_us);
    if (overload_level(udp->config.overload) && !timer_is_set(&udp->overload_timer))
        timer_set(&udp->worker.timers, &udp->overload_timer, now_us + OVERLOAD_LOOK_US);
}

static void overload_fire(struct timer *timer)
{
    struct udp *udp = (struct udp *)((char *)timer - offsetof(struct udp, overload_timer));

    look_at_load(udp, worker_now(&udp->worker));
}

/* Datagrams that the kernel threw away before they could be read. */
static void count_overflow(struct udp *udp, int64_t now_us)
{
    uint32_t overflowed, more;

    if (now_us - udp->overflow_us < US_PER_S)
        return;
    udp->overflow_us = now_us;
    overflowed = socket_overflowed(udp->socket);
    more = overflowed - udp->overflowed;
    udp->overflowed = overflowed;
    if (!more)
        return;
    metric_add(&count_overflows, 0, more);
    LOG_WARN("socket_overflow", log_uint("datagrams", more));
}

static void note_socket(struct udp *udp, bool emptied)
{
    int64_t now = clock_mono(udp->worker.clock);

    count_overflow(udp, now);
    if (emptied)
        udp->emptied_us = now;
    overload_note(udp->config.overload, 0, udp->waited_us, now);
    udp->waited_us = 0;
    look_at_load(udp, now);
}

/* ---- in ------------------------------------------------------------------------------------- */

void udp_input(struct udp *udp, const struct address *from, const void *data, size_t n)
{
    struct datagram d = {.from = *from, .data = data, .n = n};
    struct seen seen;
    uint8_t ack[SEMTECH_ACK];
    bool acked;

    look_at_load(udp, clock_mono(udp->worker.clock));
    if (!look(udp, &d, &seen, ack, &acked))
        return;
    if (acked)
        send_datagram(udp, from, ack, sizeof(ack));
    handle(udp, &seen, &d);
    pass_heard(udp);
}

static size_t receive_batch(struct udp *udp)
{
    struct datagram batch[SOCKET_BATCH];
    struct seen seen[SOCKET_BATCH];
    bool wanted[SOCKET_BATCH], acked;
    uint8_t ack[SEMTECH_ACK];
    size_t n = socket_receive(udp->socket, batch);

    for (size_t i = 0; i < n; i++) {
        wanted[i] = look(udp, &batch[i], &seen[i], ack, &acked);
        if (acked)
            socket_ack(udp->socket, &batch[i].from, ack);
    }
    socket_flush(udp->socket);
    for (size_t i = 0; i < n; i++)
        if (wanted[i])
            handle(udp, &seen[i], &batch[i]);
    pass_heard(udp);
    return n;
}

static void readable(struct worker *worker, void *arg, uint32_t events)
{
    bool emptied = false;

    (void)events;
    for (int i = 0; i < BATCHES_MAX && !emptied; i++)
        emptied = receive_batch(arg) < SOCKET_BATCH;
    if (!emptied)
        worker_hurry(worker);
    note_socket(arg, emptied);
}

/* ---- life ----------------------------------------------------------------------------------- */

enum err udp_open(const struct udp_config *config, struct clock *clock,
                  const struct gateway_ops *ops, void *ctx, struct udp **out)
{
    struct udp_socket *socket = NULL;
    struct udp *udp;

    if (config->listen && *config->listen) {
        enum err err = socket_open(config->listen, &socket);

        if (err != OK)
            return err;
    }
    udp = xcalloc(1, sizeof(*udp));
    udp->config = *config;
    udp->config.listen = NULL;
    if (!udp->config.datagrams_per_s)
        udp->config.datagrams_per_s = RATE_DEFAULT;
    udp->ops = ops;
    udp->ctx = ctx;
    udp->socket = socket;
    udp->chain_end = &udp->chain;
    udp->emptied_us = clock_mono(clock);
    udp->overload_timer.fire = overload_fire;
    map_init(&udp->paths);
    if (getrandom(&udp->rate_seed, sizeof(udp->rate_seed), 0) < 0)
        abort();
    worker_init(&udp->worker, "udp", clock, udp);
    udp->transmit = (struct transmit){
        .worker = &udp->worker, .find = udp_find_path, .send = send_datagram, .ctx = udp};
    if (socket)
        worker_watch(&udp->worker, socket_fd(socket), readable, udp);
    *out = udp;
    return OK;
}

void udp_close(struct udp *udp)
{
    size_t at = 0;
    struct map_slot *slot;

    transmit_fini(&udp->transmit);
    while ((slot = map_next(&udp->paths, &at))) {
        path_fini(slot->value);
        free(slot->value);
    }
    map_fini(&udp->paths);
    worker_fini(&udp->worker);
    socket_close(udp->socket);
    free(udp);
}

struct worker *udp_worker(struct udp *udp)
{
    return &udp->worker;
}

uint16_t udp_port(const struct udp *udp)
{
    return udp->socket ? socket_port(udp->socket) : 0;
}
