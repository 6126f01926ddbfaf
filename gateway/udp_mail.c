/*
 * udp_mail.c - the gateways' records, and what other workers tell or ask the udp worker.
 */
#include "core/arena.h"
#include "gateway/udp_priv.h"

#include <stdlib.h>
#include <string.h>

struct path *udp_find_path(void *ctx, struct lw_eui gateway)
{
    const struct udp *udp = ctx;

    return map_get(&udp->paths, gateway.v);
}

/* ---- records -------------------------------------------------------------------------------- */

static size_t bands_of(const struct udp *udp, uint8_t region, const struct gateway_band **bands)
{
    return udp->ops->duty_bands ? udp->ops->duty_bands(udp->ctx, region, bands) : 0;
}

struct path *udp_put_record(struct udp *udp, const struct gateway_record *record)
{
    const struct gateway_band *bands = NULL;
    struct path *path = udp_find_path(udp, record->id);
    size_t n;

    if (path && (!path->adopted && record->rev < path->record.rev))
        return path;
    unknown_forget(&udp->unknown, record->id);
    if (path && path->record.region == record->region) {
        path->record = *record;
        path->adopted = false;
        return path;
    }
    n = bands_of(udp, record->region, &bands);
    if (path) {
        ledger_fini(&path->ledger); /* another region has other bands */
        ledger_init(&path->ledger, bands, n);
        path->record = *record;
        path->adopted = false;
        return path;
    }
    path = xmalloc(sizeof(*path));
    path_init(path, record, bands, n);
    (void)map_put(&udp->paths, record->id.v, path);
    return path;
}

struct path *udp_adopt(struct udp *udp, struct lw_eui id, const struct address *from)
{
    struct gateway_record record = udp->config.unknown_record;
    struct path *path;

    record.id = id;
    path = udp_put_record(udp, &record);
    path->adopted = true;
    udp->adopted++;
    if (udp->ops->adopted)
        udp->ops->adopted(udp->ctx, id, from);
    return path;
}

void udp_drop_path(struct udp *udp, struct path *path)
{
    (void)map_remove(&udp->paths, path->record.id.v);
    transmit_lost(&udp->transmit, path);
    path_fini(path);
    free(path);
}

/* ---- mail ----------------------------------------------------------------------------------- */

struct put_mail {
    struct mail mail;
    size_t count;
    struct gateway_record records[];
};

static void take_put(struct worker *worker, struct mail *mail)
{
    struct put_mail *put = (struct put_mail *)mail;

    for (size_t i = 0; i < put->count; i++)
        (void)udp_put_record(worker->owner, &put->records[i]);
    free(put);
}

void udp_gateways_put(struct udp *udp, const struct gateway_record *records, size_t count)
{
    struct put_mail *put = xmalloc(sizeof(*put) + count * sizeof(*records));

    put->mail.take = take_put;
    put->count = count;
    memcpy(put->records, records, count * sizeof(*records));
    mail_post(&udp->worker, LANE_BULK, &put->mail);
}

struct gateway_mail {
    struct mail mail;
    struct lw_eui id;
    uint32_t frequency_hz;
    int64_t airtime_us, age_us;
};

static void take_remove(struct worker *worker, struct mail *mail)
{
    struct gateway_mail *m = (struct gateway_mail *)mail;
    struct path *path = udp_find_path(worker->owner, m->id);

    if (path)
        udp_drop_path(worker->owner, path);
    free(m);
}

void udp_gateway_remove(struct udp *udp, struct lw_eui id)
{
    struct gateway_mail *m = xmalloc(sizeof(*m));

    *m = (struct gateway_mail){.mail.take = take_remove, .id = id};
    mail_post(&udp->worker, LANE_BULK, &m->mail);
}

static void take_charge(struct worker *worker, struct mail *mail)
{
    struct gateway_mail *m = (struct gateway_mail *)mail;
    struct path *path = udp_find_path(worker->owner, m->id);
    int64_t now = clock_mono(worker->clock);

    if (path)
        ledger_charge(&path->ledger, m->frequency_hz, m->airtime_us, now - m->age_us, now);
    free(m);
}

void udp_charge(struct udp *udp, struct lw_eui gateway, uint32_t frequency_hz, int64_t airtime_us,
                int64_t age_us)
{
    struct gateway_mail *m = xmalloc(sizeof(*m));

    *m = (struct gateway_mail){.mail.take = take_charge,
                               .id = gateway,
                               .frequency_hz = frequency_hz,
                               .airtime_us = airtime_us,
                               .age_us = age_us};
    mail_post(&udp->worker, LANE_BULK, &m->mail);
}

static void take_request(struct worker *worker, struct mail *mail)
{
    struct udp *udp = worker->owner;

    transmit_begin(&udp->transmit, (struct tx_request *)mail);
}

void udp_transmit(struct udp *udp, struct tx_request *request)
{
    request->mail.take = take_request;
    mail_post(&udp->worker, LANE_RADIO, &request->mail);
}

static void take_query(struct worker *worker, struct mail *mail)
{
    struct gateway_query *query = (struct gateway_query *)mail;
    int64_t now = clock_mono(worker->clock);

    for (size_t i = 0; i < query->count; i++) {
        struct lw_eui id = query->status[i].id;
        struct path *path = udp_find_path(worker->owner, id);

        query->status[i] = (struct gateway_status){.id = id, .rtt_ms = -1};
        if (path)
            path_status(path, now, &query->status[i]);
    }
    query->mail.take = query->reply;
    mail_post(query->reply_to, LANE_BULK, &query->mail);
}

void udp_ask_status(struct udp *udp, struct gateway_query *query)
{
    query->mail.take = take_query;
    mail_post(&udp->worker, LANE_BULK, &query->mail);
}

static void take_unknown_query(struct worker *worker, struct mail *mail)
{
    const struct udp *udp = worker->owner;
    struct unknown_query *query = (struct unknown_query *)mail;

    query->count = unknown_list(&udp->unknown, query->list);
    query->mail.take = query->reply;
    mail_post(query->reply_to, LANE_BULK, &query->mail);
}

void udp_ask_unknown(struct udp *udp, struct unknown_query *query)
{
    query->mail.take = take_unknown_query;
    mail_post(&udp->worker, LANE_BULK, &query->mail);
}
