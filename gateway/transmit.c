/* transmit.c - see transmit.h. */
#include "gateway/transmit.h"

#include "core/arena.h"
#include "gateway/count.h"
#include "lorawan/airtime.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#define NOW_LEAD_US 80000  /* the forwarder turns imme into "in 80 ms, or the next gap" */
#define LOW_LEAVES  200000 /* share of the duty cycle that low priority leaves, ppm */

/* One request on its way. */
struct tx {
    struct timer timer; /* held: when to send; sent: when to stop waiting */
    struct transmit *transmit;
    struct tx_request *request;
    struct tx *next, *path_next;
    struct path *path; /* of the present rung */
    uint8_t rung, tried;
    bool sent;
    uint16_t token;
    int64_t airtime_us, sent_us, charged_at_us;
    int8_t power_dbm;
    enum tx_result result; /* why the last rung failed */
};

static struct tx *tx_of_timer(struct timer *timer)
{
    return (struct tx *)timer; /* first member */
}

/* Not the step's time: datagrams are handled as they come. */
static int64_t now_of(const struct transmit *transmit)
{
    return clock_mono(transmit->worker->clock);
}

static const struct rung *rung_of(const struct tx *tx)
{
    return &tx->request->rungs[tx->rung];
}

static void tell(const struct tx *tx, enum tx_result result, bool final)
{
    const struct tx_request *request = tx->request;
    struct tx_outcome *outcome = xcalloc(1, sizeof(*outcome));

    *outcome = (struct tx_outcome){
        .mail.take = request->reply,
        .id = request->id,
        .dev_eui = request->dev_eui,
        .result = result,
        .final = final,
        .rung = tx->rung,
        .rungs_tried = tx->tried,
        .at_us = now_of(tx->transmit),
        .power_dbm = tx->power_dbm,
        .silent = tx->path && tx->path->version == 1,
    };
    if (tx->rung < request->rung_count)
        outcome->gateway = rung_of(tx)->gateway;
    mail_post(request->reply_to, LANE_RADIO, &outcome->mail);
}

static void unlink_path(struct tx *tx)
{
    struct tx **at = &tx->path->txs;

    while (*at != tx)
        at = &(*at)->path_next;
    *at = tx->path_next;
    tx->path = NULL;
}

static void end(struct tx *tx)
{
    struct tx **at = &tx->transmit->txs;

    timer_cancel(&tx->transmit->worker->timers, &tx->timer);
    if (tx->path)
        unlink_path(tx);
    while (*at != tx)
        at = &(*at)->next;
    *at = tx->next;
    tx->transmit->outstanding--;
    free(tx->request);
    free(tx);
}

static void finish(struct tx *tx, enum tx_result result)
{
    metric_add(&count_downlinks, result, 1);
    tell(tx, result, true);
    end(tx);
}

/* Gives back what the present rung had been promised. */
static void take_back(struct tx *tx)
{
    struct path *path = tx->path;

    ledger_charge(&path->ledger, rung_of(tx)->frequency_hz, -tx->airtime_us, tx->charged_at_us,
                  now_of(tx->transmit));
    path_release(path, tx);
    unlink_path(tx);
    tx->sent = false;
}

/* ---- one rung ------------------------------------------------------------------------------- */

/* A gateway without a queue: its second frame would overwrite the first. Forwarders of version 2
 * have one; of version 1 nobody knows. */
static bool is_simple(const struct path *path)
{
    return !path->tx_ack && path->version < 2;
}

static enum tx_result check_time(const struct rung *rung, const struct path *path, int64_t now)
{
    if (rung->window == WINDOW_NOW)
        return TX_OK;
    if (!path->clock_known || rung->counter_us < path->session_us)
        return TX_TOO_LATE; /* planned on the counter of a former session */
    if (now > rung->start_us - path_margin_us(path))
        return TX_TOO_LATE;
    return now < rung->start_us - TRANSMIT_EARLY_US ? TX_TOO_EARLY : TX_OK;
}

/* An immediate frame is put into the next gap by the forwarder itself, so it only reserves. */
static bool reserve(struct tx *tx, struct path *path, const struct rung *rung, int64_t now)
{
    if (rung->window != WINDOW_NOW)
        return path_reserve(path, rung->counter_us, tx->airtime_us, tx, now);
    (void)path_reserve(path, path_counter_at(path, now + path_margin_us(path)), tx->airtime_us, tx,
                       now);
    return true;
}

static enum tx_result try_rung(struct tx *tx, struct path *path, int64_t now)
{
    const struct rung *rung = rung_of(tx);
    uint32_t leave = tx->request->priority == TX_PRIORITY_LOW ? LOW_LEAVES : 0;
    enum tx_result result;

    if (!path || !path_can_send(path, now))
        return TX_NO_PATH;
    result = check_time(rung, path, now);
    if (result != TX_OK)
        return result;
    if (is_simple(path) && path->txs)
        return TX_QUEUE_FULL;
    tx->airtime_us = lw_airtime_frame_us(&rung->rate, tx->request->phy_len, LW_DOWN);
    if (!ledger_allows(&path->ledger, rung->frequency_hz, tx->airtime_us, leave, now))
        return TX_DUTY_CYCLE;
    if (!reserve(tx, path, rung, now))
        return TX_COLLISION_PACKET;
    tx->charged_at_us = rung->window == WINDOW_NOW ? now : rung->start_us;
    ledger_charge(&path->ledger, rung->frequency_hz, tx->airtime_us, tx->charged_at_us, now);
    tx->path = path;
    tx->path_next = path->txs;
    path->txs = tx;
    return TX_OK;
}

/* ---- handing over --------------------------------------------------------------------------- */

static bool token_used(const struct tx *tx, uint16_t token)
{
    for (const struct tx *other = tx->path->txs; other; other = other->path_next)
        if (other != tx && other->sent && other->token == token)
            return true;
    return false;
}

/* Unpredictable, so that nobody but the gateway can acknowledge. */
static uint16_t new_token(const struct tx *tx)
{
    uint16_t token = 0;

    do {
        if (getrandom(&token, sizeof(token), 0) != (ssize_t)sizeof(token))
            abort(); /* cannot happen for two octets once the machine is up */
    } while (token_used(tx, token));
    return token;
}

static bool hand_over(struct tx *tx)
{
    struct path *path = tx->path;
    struct rung rung = *rung_of(tx);
    struct bytes phy = {.p = tx->request->phy, .n = tx->request->phy_len};
    uint8_t datagram[SEMTECH_DOWN_MAX + 1];
    size_t n;

    if (rung.eirp_dbm > path->record.max_eirp_dbm)
        rung.eirp_dbm = path->record.max_eirp_dbm;
    tx->token = new_token(tx);
    if (semtech_write_pull_resp(path->version, tx->token, &rung, phy, datagram, &n) != OK)
        return false;
    tx->power_dbm = rung.eirp_dbm;
    tx->transmit->send(tx->transmit->ctx, &path->pull.address, datagram, n);
    return true;
}

static void try_next(struct tx *tx);

static void give_up_waiting(struct timer *timer)
{
    struct tx *tx = tx_of_timer(timer);

    tx->path->counters.tx_failed += tx->path->version != 1;
    tx->path->tx_errors += tx->path->version != 1;
    path_release(tx->path, tx);
    finish(tx, TX_UNKNOWN);
}

static void send_now(struct tx *tx)
{
    struct worker *worker = tx->transmit->worker;
    const struct rung *rung = rung_of(tx);
    int64_t now = now_of(tx->transmit), start;

    if (!hand_over(tx)) {
        tx->result = TX_FREQ; /* a modulation that the protocol cannot say */
        take_back(tx);
        tx->rung++;
        try_next(tx);
        return;
    }
    tx->sent = true;
    tx->sent_us = now;
    tx->tried |= (uint8_t)(1u << tx->rung);
    tx->path->counters.handed_over++;
    start = rung->window == WINDOW_NOW ? now + NOW_LEAD_US : rung->start_us;
    if (tx->path->version != 1)
        start += TRANSMIT_ACK_US;
    tx->timer.fire = give_up_waiting;
    timer_set(&worker->timers, &tx->timer, start + tx->airtime_us);
    tell(tx, TX_OK, false);
}

static void send_held(struct timer *timer)
{
    struct tx *tx = tx_of_timer(timer);
    int64_t now = now_of(tx->transmit);
    enum tx_result result = check_time(rung_of(tx), tx->path, now);

    if (result == TX_OK && !path_can_send(tx->path, now))
        result = TX_NO_PATH;
    if (result == TX_OK) {
        send_now(tx);
        return;
    }
    tx->result = result;
    take_back(tx);
    tx->rung++;
    try_next(tx);
}

/* From the present rung on the first that works; none: the end. */
static void try_next(struct tx *tx)
{
    struct transmit *t = tx->transmit;
    int64_t now = now_of(t);
    const struct rung *rung;

    for (; tx->rung < tx->request->rung_count; tx->rung++) {
        struct path *path = t->find(t->ctx, rung_of(tx)->gateway);

        tx->result = try_rung(tx, path, now);
        if (tx->result == TX_OK)
            break;
    }
    if (tx->rung == tx->request->rung_count) {
        if (tx->rung)
            tx->rung--;
        finish(tx, tx->result);
        return;
    }
    rung = rung_of(tx);
    if (is_simple(tx->path) && rung->window != WINDOW_NOW &&
        now < rung->start_us - TRANSMIT_LATE_US) {
        tx->timer.fire = send_held;
        timer_set(&t->worker->timers, &tx->timer, rung->start_us - TRANSMIT_LATE_US);
        return;
    }
    send_now(tx);
}

void transmit_begin(struct transmit *transmit, struct tx_request *request)
{
    struct tx *tx = xcalloc(1, sizeof(*tx));

    assert(request->rung_count <= AIR_RUNGS_MAX);
    tx->transmit = transmit;
    tx->request = request;
    tx->result = TX_NO_PATH;
    tx->next = transmit->txs;
    transmit->txs = tx;
    transmit->outstanding++;
    try_next(tx);
}

/* ---- what comes back ------------------------------------------------------------------------ */

static struct tx *find_token(struct path *path, uint16_t token, int64_t now)
{
    for (struct tx *tx = path->txs; tx; tx = tx->path_next)
        if (tx->sent && tx->token == token && now - tx->sent_us <= TRANSMIT_TOKEN_US)
            return tx;
    return NULL;
}

static void refused(struct tx *tx, enum tx_result result)
{
    struct path *path = tx->path;
    const struct rung *rung = rung_of(tx);

    /* The reference says TOO_EARLY of a moment that has passed: its difference is unsigned. */
    if (result == TX_TOO_EARLY && rung->window != WINDOW_NOW &&
        rung->start_us - now_of(tx->transmit) < TRANSMIT_EARLY_US)
        result = TX_TOO_LATE;
    if (result == TX_TOO_LATE)
        path_was_late(path);
    path->tx_errors++;
    path->counters.tx_failed++;
    timer_cancel(&tx->transmit->worker->timers, &tx->timer);
    take_back(tx);
    tx->result = result;
    tx->rung++;
    try_next(tx);
}

bool transmit_acked(struct transmit *transmit, struct path *path, uint16_t token,
                    const struct semtech_tx_ack *ack, int64_t received_us)
{
    int64_t rtt;
    struct tx *tx = find_token(path, token, now_of(transmit));

    if (!tx)
        return false;
    path->tx_ack = true;
    rtt = received_us > tx->sent_us ? received_us - tx->sent_us : 0;
    path_rtt(path, rtt);
    metric_observe(&count_tx_ack, 0, rtt);
    if (ack->result != TX_OK) {
        refused(tx, ack->result);
        return true;
    }
    if (ack->warned && ack->has_value && ack->value >= -100 && ack->value <= 100)
        tx->power_dbm = (int8_t)ack->value;
    path->tx_errors = 0;
    path->counters.tx_ok++;
    /* The transmitter is busy all the same; the entry leaves by its age. */
    for (size_t i = 0; i < path->busy_count; i++)
        if (path->busy[i].tx == tx)
            path->busy[i].tx = NULL;
    finish(tx, TX_OK);
    return true;
}

void transmit_lost(struct transmit *transmit, struct path *path)
{
    struct tx *tx = path->txs, *held = NULL;

    (void)transmit;
    while (tx) {
        struct tx *next = tx->path_next;

        path_release(path, tx);
        if (tx->sent) {
            finish(tx, TX_UNKNOWN);
        } else {
            timer_cancel(&tx->transmit->worker->timers, &tx->timer);
            take_back(tx);
            tx->path_next = held;
            held = tx;
        }
        tx = next;
    }
    while (held) {
        tx = held;
        held = tx->path_next;
        tx->result = TX_NO_PATH;
        tx->rung++;
        try_next(tx);
    }
}

void transmit_fini(struct transmit *transmit)
{
    while (transmit->txs)
        end(transmit->txs); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
}
