#include "sim/fleet.h"

#include "core/clock.h"
#include "core/map.h"
#include "core/timer.h"
#include "sim/crypto.h"
#include "sim/gateway.h"
#include "sim/udp.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PULL_US        (INT64_C(10) * US_PER_S)
#define STAT_EVERY     3 /* PULL_DATA */
#define GREET_US       (INT64_C(2) * US_PER_S)
#define GREET_EACH_US  INT64_C(40) /* between the first PULL_DATA of two gateways */
#define DRAIN_US       (30 * (int64_t)US_PER_S)
#define AFTER_RX2_US   (INT64_C(100) * US_PER_MS)
#define LATENCY_US     100 /* resolution of the histogram */
#define LATENCIES      100000
#define TRIES          1000 /* devices looked at for one that is not busy */
#define EVENTS_MAX     64
#define FPORT          10
#define OWN_SOCKETS    1000 /* up to so many gateways have a socket each */

#define NONCES_PER_RUN 16
#define FCNT_PER_RUN   10000

struct fleet;

/* A frame on its way, with its windows. */
struct flight {
    struct timer timer; /* first: timers give it back */
    struct fleet *fleet;
    struct flight *next_free;
    struct sim_tx tx;
    struct sim_window windows[2];
    uint32_t device;
    int64_t sent_us;
    bool heard, answered;
};

struct station {
    struct timer timer; /* PULL_DATA; first */
    struct fleet *fleet;
    struct sim_gateway gw;
    struct sim_udp udp; /* downlinks */
    unsigned pulls;
    bool acked;
};

struct fleet {
    struct timer arrivals; /* first */
    const struct sim_fleet_config *config;
    struct sim_fleet_report *report;
    struct clock *clock;
    struct timers timers;
    struct map by_window; /* start of a window -> struct flight */
    struct station *stations;
    struct sim_udp push; /* uplinks of all gateways */
    struct sim_udp pull; /* downlinks of all gateways, if they are many; else each has its own */
    struct sim_device *devices;
    bool *busy;
    struct flight *free;
    uint32_t in_flight, next_device;
    uint64_t random;
    int64_t now_us, start_us, end_us;
    double next_arrival_us;
    int epoll;
    uint32_t *latencies;
};

/* ---- small things ---------------------------------------------------------------------------- */

static double chance(struct fleet *f)
{
    return (double)(sim_random(&f->random) >> 11) / 9007199254740992.0; /* 2^53 */
}

__attribute__((format(printf, 3, 4))) static void event(const struct fleet *f, uint32_t device,
                                                        const char *format, ...)
{
    char eui[LW_EUI_TEXT];
    va_list args;

    if (!f->config->events)
        return;
    fprintf(f->config->events, "%9.3f  %s  ", (double)(f->now_us - f->start_us) / US_PER_S,
            lw_eui_text(eui, f->devices[device].dev_eui));
    va_start(args, format);
    vfprintf(f->config->events, format, args);
    va_end(args);
    fputc('\n', f->config->events);
    fflush(f->config->events);
}

static struct flight *flight_new(struct fleet *f)
{
    struct flight *flight = f->free;

    if (flight)
        f->free = flight->next_free;
    else
        flight = xcalloc(1, sizeof(*flight));
    flight->fleet = f;
    flight->timer = (struct timer){0};
    f->in_flight++;
    return flight;
}

static void flight_end(struct flight *flight)
{
    struct fleet *f = flight->fleet;

    f->busy[flight->device] = false;
    flight->next_free = f->free;
    f->free = flight;
    f->in_flight--;
}

/* ---- up -------------------------------------------------------------------------------------- */

static void on_flight_over(struct timer *timer);

static void push_copy(struct fleet *f, struct station *station, const struct flight *flight)
{
    const struct sim_tx *tx = &flight->tx;
    uint8_t room[SIM_DATAGRAM_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct sim_heard heard = {.phy = {tx->phy, tx->len},
                              .end_us = tx->end_us,
                              .frequency_hz = tx->frequency_hz,
                              .rate = tx->rate,
                              .channel = tx->channel,
                              .stat = 1,
                              .rssi_dbm = (int16_t)(-70 - (int)(sim_random(&f->random) % 50)),
                              .snr_cb = (int16_t)((int)(sim_random(&f->random) % 150) - 50)};

    if (!sim_gateway_push(&station->gw, &heard, 1, &wr))
        return;
    station->gw.push_acked = station->gw.push_sent; /* acknowledged to a socket of all */
    sim_udp_send(&f->push, 0, wr_bytes(&wr));
    f->report->datagrams++;
}

/* At the end of the transmission: the copies of those gateways that heard it. */
static void on_sent(struct timer *timer)
{
    struct flight *flight = (struct flight *)timer;
    struct fleet *f = flight->fleet;
    const struct sim_tx *tx = &flight->tx;
    uint32_t copies = 0;

    for (uint32_t i = 0; i < f->config->copies; i++) {
        uint32_t at = (uint32_t)((flight->device + i) % f->config->gateways);

        if (f->config->loss > 0 && chance(f) < f->config->loss)
            continue;
        push_copy(f, &f->stations[at], flight);
        copies++;
    }
    if (!copies)
        f->report->unheard++;
    flight->sent_us = f->now_us;
    if (f->now_us - tx->end_us > f->report->behind_max_us)
        f->report->behind_max_us = f->now_us - tx->end_us;
    event(f, flight->device, "%s %s%" PRIu32 "  %.1f MHz DR%u  %u octets, %" PRIu32 " copies",
          tx->join ? "join-request" : "uplink", tx->join ? "nonce " : "",
          tx->join ? tx->dev_nonce : tx->fcnt, tx->frequency_hz / 1e6, tx->dr, tx->len, copies);
    flight->timer.fire = on_flight_over;
    timer_set(&f->timers, timer, flight->windows[1].start_us + AFTER_RX2_US);
}

/* A PULL_RESP names neither gateway nor device, and join-accepts are encrypted: the flight is found
 * by the start of its window, which must therefore be no other's. */
static void take_off(struct flight *flight)
{
    struct fleet *f = flight->fleet;
    struct sim_device *dev = &f->devices[flight->device];

    sim_device_windows(dev, flight->windows);
    while (map_get(&f->by_window, (uint64_t)flight->windows[0].start_us) ||
           map_get(&f->by_window, (uint64_t)flight->windows[1].start_us)) {
        flight->tx.end_us = ++dev->up_end_us;
        sim_device_windows(dev, flight->windows);
    }
    for (int i = 0; i < 2; i++)
        map_put(&f->by_window, (uint64_t)flight->windows[i].start_us, flight);
    flight->heard = flight->answered = false;
    flight->timer.fire = on_sent;
    timer_set(&f->timers, &flight->timer, flight->tx.end_us);
}

static enum err make_frame(struct fleet *f, struct sim_device *dev, struct sim_tx *tx)
{
    static const uint8_t octets[LW_PHY_MAX] = "Godwit simulation";
    uint8_t most = sim_plan(dev->region)->up_octets[(dev->state & SIM_UP_DWELL) != 0][dev->dr];
    struct sim_message message = {.port = FPORT, .payload = {octets, f->config->payload}};

    if (!sim_device_joined(dev))
        return sim_device_join(dev, f->now_us, tx);
    message.confirmed = f->config->confirmed > 0 && chance(f) < f->config->confirmed;
    if (message.payload.n > most)
        message.payload.n = most;
    return sim_device_uplink(dev, f->now_us, &message, tx);
}

static void start_frame(struct fleet *f, uint32_t device)
{
    struct flight *flight = flight_new(f);

    flight->device = device;
    f->busy[device] = true;
    if (make_frame(f, &f->devices[device], &flight->tx)) {
        flight_end(flight); /* duty cycle or used-up counters: its turn passes */
        f->report->skipped++;
        return;
    }
    if (flight->tx.join)
        f->report->joins++;
    else
        f->report->uplinks++;
    take_off(flight);
}

/* After RX2, or after the answer: the next repetition, if one is due. */
static void on_flight_over(struct timer *timer)
{
    struct flight *flight = (struct flight *)timer;
    struct fleet *f = flight->fleet;
    struct sim_device *dev = &f->devices[flight->device];

    for (int i = 0; i < 2; i++)
        map_remove(&f->by_window, (uint64_t)flight->windows[i].start_us);
    if (f->now_us < f->end_us && !sim_device_repeat(dev, f->now_us, &flight->tx)) {
        f->report->repetitions++;
        take_off(flight);
        return;
    }
    if (flight->tx.confirmed && dev->state & SIM_AWAITS_ACK)
        f->report->unacked++;
    flight_end(flight);
}

static void on_arrival(struct timer *timer)
{
    struct fleet *f = (struct fleet *)timer;
    const struct sim_fleet_config *config = f->config;
    double step_us = US_PER_S / config->rate;
    uint32_t tries = 0;

    while (f->busy[f->next_device] && tries++ < TRIES)
        f->next_device = (f->next_device + 1) % config->devices;
    if (f->busy[f->next_device])
        f->report->skipped++;
    else
        start_frame(f, f->next_device);
    f->next_device = (f->next_device + 1) % config->devices;
    f->next_arrival_us += config->poisson ? -log(1.0 - chance(f)) * step_us : step_us;
    if ((int64_t)f->next_arrival_us < f->end_us)
        timer_set(&f->timers, timer, (int64_t)f->next_arrival_us);
}

/* ---- down ------------------------------------------------------------------------------------ */

static void note_latency(struct fleet *f, struct flight *flight)
{
    int64_t us = f->now_us - flight->sent_us;

    if (flight->heard)
        return;
    flight->heard = true;
    f->latencies[us / LATENCY_US < LATENCIES ? us / LATENCY_US : LATENCIES - 1]++;
    f->report->latency_n++;
    if (us > f->report->latency_max_us)
        f->report->latency_max_us = us;
}

static void note_refusal(struct fleet *f, const struct sim_txpk *txpk)
{
    if (txpk->result == TX_TOO_LATE || (txpk->result == TX_TOO_EARLY && txpk->lead_us < 0))
        f->report->too_late++;
    else if (txpk->result == TX_COLLISION_PACKET)
        f->report->collisions++;
    else
        f->report->refused++;
}

static void give_to_device(struct fleet *f, struct flight *flight, const struct sim_txpk *txpk)
{
    struct sim_rx rx = {.phy = {txpk->phy, txpk->len},
                        .start_us = txpk->start_us,
                        .frequency_hz = txpk->frequency_hz,
                        .rate = txpk->rate,
                        .snr_db = 7};
    struct sim_verdict verdict;
    char payload[2 * LW_PHY_MAX + 16] = "";

    sim_device_receive(&f->devices[flight->device], &rx, &verdict);
    f->report->verdicts[verdict.code]++;
    f->report->verdicts_bad += verdict.code != SIM_OK;
    f->report->joined += (verdict.flags & SIM_GOT_JOIN) != 0;
    f->report->acked += (verdict.flags & SIM_GOT_ACK) != 0;
    if (verdict.payload_n) {
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): hex_write ends it */
        memcpy(payload, ", payload ", 10);
        (void)hex_write(payload + 10, verdict.payload, verdict.payload_n);
    }
    event(f, flight->device, "%s in RX%d: %s%s%s  (%.0f ms after the uplink)",
          verdict.flags & SIM_GOT_JOIN ? "join-accept" : "downlink", verdict.window + 1,
          sim_verdict_text(verdict.code), verdict.flags & SIM_GOT_ACK ? ", ACK" : "", payload,
          (double)(f->now_us - flight->sent_us) / US_PER_MS);
}

static void on_pull_resp(struct fleet *f, const struct sim_txpk *txpk)
{
    struct flight *flight;

    f->report->downlinks++;
    if (txpk->fault) {
        f->report->faults++;
        return;
    }
    flight = map_get(&f->by_window, (uint64_t)txpk->start_us);
    if (flight)
        note_latency(f, flight);
    if (txpk->result != TX_OK) {
        note_refusal(f, txpk);
    } else if (!flight) {
        f->report->strays++;
    } else {
        f->report->answered += !flight->answered;
        flight->answered = true;
        if (f->config->loss > 0 && chance(f) < f->config->loss)
            f->report->lost_down++;
        else
            give_to_device(f, flight, txpk);
        timer_set(&f->timers, &flight->timer, txpk->end_us);
    }
}

static uint32_t station_at(const struct station *station)
{
    return (uint32_t)(station - station->fleet->stations);
}

static struct sim_udp *pull_of(struct station *station)
{
    return station->fleet->pull.shared ? &station->fleet->pull : &station->udp;
}

static void on_datagram(struct station *station, struct bytes datagram)
{
    struct fleet *f = station->fleet;
    uint8_t room[128];
    struct wr wr = wr_of(room, sizeof(room));
    struct sim_txpk txpk;

    switch (sim_gateway_receive(&station->gw, f->now_us, datagram, &txpk)) {
    case SIM_PULL_ACK:
        station->acked = true;
        f->report->pull_acks++;
        break;
    case SIM_PULL_RESP:
        if (sim_gateway_tx_ack(&station->gw, &txpk, &wr))
            sim_udp_send(pull_of(station), station_at(station), wr_bytes(&wr));
        sim_udp_flush(pull_of(station));
        on_pull_resp(f, &txpk);
        break;
    case SIM_PUSH_ACK:
    case SIM_BAD_DATAGRAM: break;
    }
}

static void on_own(void *arg, uint32_t gateway, struct bytes datagram)
{
    (void)gateway;
    on_datagram(arg, datagram);
}

static void on_shared(void *arg, uint32_t gateway, struct bytes datagram)
{
    struct fleet *f = arg;

    if (gateway < f->config->gateways)
        on_datagram(&f->stations[gateway], datagram);
}

static void on_push_ack(void *arg, uint32_t gateway, struct bytes datagram)
{
    struct fleet *f = arg;

    (void)gateway;
    f->report->push_acks += datagram.n == 4 && datagram.p[3] == 1;
}

static void on_pull_due(struct timer *timer)
{
    struct station *station = (struct station *)timer;
    struct fleet *f = station->fleet;
    uint8_t room[SIM_DATAGRAM_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    if (sim_gateway_pull(&station->gw, &wr))
        sim_udp_send(pull_of(station), station_at(station), wr_bytes(&wr));
    if (!f->pull.shared)
        sim_udp_flush(&station->udp);
    f->report->pulls++;
    wr = wr_of(room, sizeof(room));
    if (station->pulls++ % STAT_EVERY == 0 &&
        sim_gateway_stat(&station->gw, clock_utc(f->clock), &wr)) {
        sim_udp_send(&f->push, 0, wr_bytes(&wr));
        f->report->datagrams++;
    }
    /* The first come at once, the second at any time: gateways do not beat together. */
    timer_set(&f->timers, timer,
              f->now_us + (station->pulls > 1 ? PULL_US : (int64_t)(chance(f) * PULL_US)));
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void read_sockets(struct fleet *f, int wait_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(f->epoll, events, EVENTS_MAX, wait_ms);

    f->now_us = clock_mono(f->clock);
    for (int i = 0; i < n; i++) {
        struct station *station = events[i].data.ptr;

        if (f->pull.shared && events[i].data.ptr == &f->pull)
            (void)sim_udp_receive(&f->pull, on_shared, f);
        else if (station)
            (void)sim_udp_receive(&station->udp, on_own, station);
        else
            (void)sim_udp_receive(&f->push, on_push_ack, f);
    }
}

static void turn(struct fleet *f)
{
    struct timer *timer;
    unsigned fired = 0;

    f->now_us = clock_mono(f->clock);
    while (fired++ < SIM_UDP_BATCH && (timer = timers_take(&f->timers, f->now_us)))
        timer->fire(timer);
    sim_udp_flush(&f->push);
    sim_udp_flush(&f->pull);

    int64_t next_us = timers_next(&f->timers), wait_us = next_us - f->now_us;

    read_sockets(f, wait_us <= 0 ? 0 : wait_us > INT64_C(100) * US_PER_MS ? 100 : 1);
}

static bool all_acked(const struct fleet *f)
{
    for (uint32_t i = 0; i < f->config->gateways; i++) {
        if (!f->stations[i].acked)
            return false;
    }
    return true;
}

static enum err run(struct fleet *f)
{
    f->start_us = f->now_us = clock_mono(f->clock);
    for (uint32_t i = 0; i < f->config->gateways; i++) {
        f->stations[i].timer.fire = on_pull_due;
        timer_set(&f->timers, &f->stations[i].timer, f->now_us + i * GREET_EACH_US);
    }
    while (!all_acked(f) &&
           f->now_us < f->start_us + GREET_US + GREET_EACH_US * f->config->gateways)
        turn(f);
    if (!f->report->pull_acks)
        return ERR_TIMEOUT;

    f->start_us = f->now_us;
    f->end_us = f->start_us + (int64_t)(f->config->duration_s * US_PER_S);
    f->next_arrival_us = (double)f->start_us;
    f->arrivals.fire = on_arrival;
    timer_set(&f->timers, &f->arrivals, f->start_us);
    while (f->now_us < f->end_us || (f->in_flight && f->now_us < f->end_us + DRAIN_US))
        turn(f);
    f->report->seconds = (double)(f->now_us - f->start_us) / US_PER_S;
    return OK;
}

/* ---- start and end --------------------------------------------------------------------------- */

static int watch(const struct fleet *f, const struct sim_udp *udp, void *whose)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = whose};

    return epoll_ctl(f->epoll, EPOLL_CTL_ADD, udp->fd, &wanted);
}

static enum err open_common(struct fleet *f)
{
    enum err err = sim_udp_open(f->config->server, &f->push);

    if (!err && watch(f, &f->push, NULL))
        err = ERR_IO;
    if (err || f->config->gateways <= OWN_SOCKETS)
        return err;
    err = sim_udp_open_shared(f->config->server, &f->pull);
    if (err == ERR_UNSUPPORTED) {
        f->pull = (struct sim_udp){.fd = -1};
        return OK; /* not on this machine: a socket each, as far as descriptors go */
    }
    return !err && watch(f, &f->pull, &f->pull) ? ERR_IO : err;
}

/* The counters start anywhere: half of them wrap within the first minutes. */
static enum err open_stations(struct fleet *f)
{
    uint64_t base = f->config->gateway_base.v;
    enum err err = open_common(f);

    if (err)
        return err;
    for (uint32_t i = 0; i < f->config->gateways; i++) {
        struct station *station = &f->stations[i];
        struct lw_eui eui = base ? (struct lw_eui){base + i} : sim_fleet_gateway(i);

        station->fleet = f;
        sim_gateway_init(&station->gw, eui, (uint32_t)sim_random(&f->random));
        station->gw.boundless = f->config->boundless;
        if (f->pull.shared)
            continue;
        if ((err = sim_udp_open(f->config->server, &station->udp)))
            return err;
        if (watch(f, &station->udp, station))
            return ERR_IO;
    }
    return OK;
}

static void make_devices(struct fleet *f)
{
    const struct sim_fleet_config *c = f->config;

    for (uint32_t i = 0; i < c->devices; i++) {
        struct sim_device_config config = {.region = c->region, .version = c->version, .dr = c->dr};
        struct sim_identity identity;

        config.flags = (uint16_t)((c->abp ? SIM_ABP : 0) | (c->adr ? SIM_ADR : 0));
        config.seed = sim_random(&f->random) + c->run;
        config.dev_nonce = (uint16_t)(c->run * NONCES_PER_RUN);
        sim_fleet_identity(c->seed, i, &identity);
        sim_identity_apply(c->only ? c->only : &identity, &config);
        sim_device_init(&f->devices[i], &config);
        f->devices[i].fcnt_up = c->run * FCNT_PER_RUN; /* a join starts again at 0 */
    }
}

static void percentiles(struct fleet *f)
{
    struct sim_fleet_report *r = f->report;
    int64_t *const to[] = {&r->latency_p50_us, &r->latency_p90_us, &r->latency_p99_us,
                           &r->latency_p999_us};
    const unsigned share[] = {500, 900, 990, 999}; /* of 1000 */
    uint64_t seen = 0;
    unsigned at = 0;

    for (uint32_t i = 0; i < LATENCIES; i++) {
        seen += f->latencies[i];
        while (at < 4 && r->latency_n && seen * 1000 >= r->latency_n * share[at])
            *to[at++] = ((int64_t)i + 1) * LATENCY_US;
    }
}

static void close_all(struct fleet *f)
{
    struct flight *next;

    for (struct flight *flight = f->free; flight; flight = next) {
        next = flight->next_free;
        free(flight);
    }
    for (uint32_t i = 0; i < f->config->gateways && f->stations; i++) {
        if (f->stations[i].fleet && !f->pull.shared)
            sim_udp_close(&f->stations[i].udp);
    }
    sim_udp_close(&f->push);
    sim_udp_close(&f->pull);
    timers_fini(&f->timers);
    map_fini(&f->by_window);
    if (f->epoll >= 0)
        close(f->epoll);
    free(f->stations);
    free(f->devices);
    free(f->busy);
    free(f->latencies);
}

/* Flights that never landed (the drain timed out) are given back before the end. */
static void land_all(struct fleet *f)
{
    struct timer *timer;

    f->now_us = f->end_us;
    while ((timer = timers_take(&f->timers, CLOCK_NEVER - 1))) {
        if (timer->fire == on_sent || timer->fire == on_flight_over)
            flight_end((struct flight *)timer);
    }
}

enum err sim_fleet_run(const struct sim_fleet_config *config, struct sim_fleet_report *report)
{
    struct fleet f = {.config = config,
                      .report = report,
                      .clock = clock_system(),
                      .random = config->seed,
                      .push = {.fd = -1},
                      .pull = {.fd = -1}};

    *report = (struct sim_fleet_report){0};
    if (!config->devices || !config->gateways || !(config->rate > 0) ||
        config->copies > config->gateways)
        return ERR_INVALID;
    timers_init(&f.timers);
    map_init(&f.by_window);
    f.epoll = epoll_create1(EPOLL_CLOEXEC);
    f.stations = xcalloc(config->gateways, sizeof(*f.stations));
    f.devices = xcalloc(config->devices, sizeof(*f.devices));
    f.busy = xcalloc(config->devices, sizeof(*f.busy));
    f.latencies = xcalloc(LATENCIES, sizeof(*f.latencies));
    make_devices(&f);

    enum err err = f.epoll < 0 ? ERR_IO : open_stations(&f);

    if (!err)
        err = run(&f);
    percentiles(&f);
    land_all(&f);
    close_all(&f);
    return err;
}
