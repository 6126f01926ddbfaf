/* path.c - see path.h. */
#include "gateway/path.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WRAP_US         ((int64_t)1 << 32)
#define LONG_SILENCE_US (INT64_C(35) * 60 * US_PER_S) /* half a wrap: count by our clock */
/* How far the counter may be from where it should be: behind, if a datagram was long on its way;
 * ahead, if the one we reckon from was. Beyond it the gateway has restarted. */
#define BEHIND_US      (20 * (int64_t)US_PER_S)
#define AHEAD_US       (5 * (int64_t)US_PER_S)
#define DRIFT          20000 /* 50 ppm */
#define ONE_WAY_US     50000 /* as long as nothing is known */
#define ONE_WAY_MAX_US 400000
#define QUEUE_US       60000 /* 42.5 ms that the reference's queue needs, and jitter */
#define QUEUE_FIRST_US 100000

void path_init(struct path *path, const struct gateway_record *record,
               const struct gateway_band *bands, size_t band_count)
{
    *path = (struct path){.record = *record, .version = 2};
    ledger_init(&path->ledger, bands, band_count);
}

void path_fini(struct path *path)
{
    ledger_fini(&path->ledger);
}

/* ---- addresses ------------------------------------------------------------------------------ */

static bool allowed(const struct gateway_record *record, const struct address *from)
{
    for (size_t i = 0; i < record->allowed_count; i++)
        if (cidr_has(&record->allowed[i], from))
            return true;
    return false;
}

static enum path_verdict judge(const struct path *path, const struct path_end *end,
                               const struct address *from, int64_t now_us)
{
    if (path->record.allowed_count)
        return allowed(&path->record, from) ? PATH_ACCEPTED : PATH_REFUSED;
    if (!end->last_us || address_same_ip(&end->address, from) ||
        now_us - end->last_us >= PATH_PIN_US)
        return PATH_ACCEPTED;
    return PATH_CONFLICT;
}

enum path_verdict path_heard(struct path *path, const struct semtech_header *header,
                             const struct address *from, int64_t now_us, int64_t utc_us)
{
    bool push = header->id == SEMTECH_PUSH_DATA;
    struct path_end *end = push ? &path->push : &path->pull;
    enum path_verdict verdict = judge(path, end, from, now_us);

    if (verdict != PATH_ACCEPTED)
        return verdict;
    if (header->id != SEMTECH_TX_ACK)
        *end = (struct path_end){.address = *from, .last_us = now_us};
    path->version = header->version;
    path->last_us = now_us;
    path->last_utc_us = utc_us;
    return PATH_ACCEPTED;
}

bool path_duplicate(struct path *path, struct bytes datagram, int64_t now_us)
{
    uint64_t hash = bytes_hash(datagram, 1);

    for (size_t i = 0; i < PATH_RING; i++)
        if (path->ring[i].hash == hash && path->ring[i].at_us &&
            now_us - path->ring[i].at_us < PATH_DUPLICATE_US)
            return true;
    path->ring[path->ring_at].hash = hash;
    path->ring[path->ring_at].at_us = now_us;
    path->ring_at = (path->ring_at + 1) % PATH_RING;
    return false;
}

uint32_t path_noise(struct path *path, uint32_t more, int64_t now_us)
{
    uint32_t second = (uint32_t)(now_us / US_PER_S);

    if (path->noise.second != second) {
        path->noise.last = second - path->noise.second == 1 ? path->noise.count : 0;
        path->noise.count = 0;
        path->noise.second = second;
    }
    path->noise.count += more;
    return path->noise.count > path->noise.last ? path->noise.count : path->noise.last;
}

/* ---- clock ---------------------------------------------------------------------------------- */

static void start_session(struct path *path, uint32_t tmst, int64_t received_us)
{
    uint64_t wraps = (path->counter_us >> 32) + 2;

    path->clock_known = true;
    path->tmst = tmst;
    path->counter_us = wraps << 32 | tmst;
    path->session_us = wraps << 32;
    path->counter_at_us = received_us;
    path->offset_us = received_us - (int64_t)path->counter_us;
    path->busy_count = 0;
}

/* By the difference of the 32 bits; after a long silence the wraps are counted by our clock. */
static int64_t extended(const struct path *path, uint32_t tmst, int64_t elapsed_us)
{
    int64_t counter = (int64_t)path->counter_us + (int32_t)(tmst - path->tmst);

    if (elapsed_us > LONG_SILENCE_US) {
        int64_t behind = (int64_t)path->counter_us + elapsed_us - counter;

        counter += (behind + (behind < 0 ? -WRAP_US / 2 : WRAP_US / 2)) / WRAP_US * WRAP_US;
    }
    return counter;
}

/* How much later than the fastest datagrams this one came, if the gateway did not restart. */
static int64_t lateness(const struct path *path, int64_t counter, int64_t received_us)
{
    return received_us - counter - path->offset_us;
}

bool path_is_restart(const struct path *path, uint32_t tmst, int64_t received_us)
{
    int64_t elapsed = received_us - path->counter_at_us, drift = elapsed / DRIFT * 2;
    int64_t late = lateness(path, extended(path, tmst, elapsed), received_us);

    return !path->clock_known || late > BEHIND_US + drift || late < -AHEAD_US - drift;
}

uint64_t path_extend(struct path *path, uint32_t tmst, int64_t received_us, bool *restarted)
{
    int64_t elapsed = received_us - path->counter_at_us, counter, late;

    *restarted = path->clock_known && path_is_restart(path, tmst, received_us);
    if (!path->clock_known || *restarted) {
        start_session(path, tmst, received_us);
        return path->counter_us;
    }
    counter = extended(path, tmst, elapsed);
    late = lateness(path, counter, received_us);
    if (late > elapsed / DRIFT)
        late = elapsed / DRIFT; /* a slow datagram says nothing, but the crystal may be slow */
    if (counter > (int64_t)path->counter_us) {
        path->offset_us += late;
        path->counter_us = (uint64_t)counter;
        path->tmst = tmst;
        path->counter_at_us = received_us;
    }
    return (uint64_t)counter;
}

uint64_t path_counter_at(const struct path *path, int64_t at_us)
{
    return (uint64_t)(at_us - path->offset_us);
}

/* ---- sending -------------------------------------------------------------------------------- */

bool path_can_send(const struct path *path, int64_t now_us)
{
    return path->record.downlink != GATEWAY_DOWNLINK_NO && path->pull.last_us &&
           now_us - path->pull.last_us < PATH_PULL_US;
}

bool path_gps_locked(const struct path *path, int64_t now_us)
{
    return path->last_gps_us && now_us - path->last_gps_us < PATH_GPS_US;
}

int64_t path_margin_us(const struct path *path)
{
    int64_t one_way = (path->rtt_us + 4 * path->rtt_dev_us) / 2;

    if (!path->rtt_known)
        return ONE_WAY_US + path->rtt_dev_us + QUEUE_FIRST_US;
    return (one_way < ONE_WAY_MAX_US ? one_way : ONE_WAY_MAX_US) + QUEUE_US;
}

/* The estimator of RFC 6298 section 2. */
void path_rtt(struct path *path, int64_t rtt_us)
{
    int64_t error = rtt_us - path->rtt_us;

    if (!path->rtt_known) {
        path->rtt_known = true;
        path->rtt_us = rtt_us;
        path->rtt_dev_us = rtt_us / 4;
        return;
    }
    path->rtt_dev_us += (llabs(error) - path->rtt_dev_us) / 4;
    path->rtt_us += error / 8;
}

void path_was_late(struct path *path)
{
    if (path->rtt_dev_us < ONE_WAY_MAX_US / 2)
        path->rtt_dev_us += 20000;
}

static void forget_past(struct path *path, uint64_t counter_us)
{
    size_t kept = 0;

    for (size_t i = 0; i < path->busy_count; i++)
        if (path->busy[i].to_us + US_PER_S > counter_us)
            path->busy[kept++] = path->busy[i];
    path->busy_count = kept;
}

bool path_reserve(struct path *path, uint64_t from_us, int64_t airtime_us, const struct tx *tx,
                  int64_t now_us)
{
    uint64_t to_us = from_us + (uint64_t)airtime_us;

    forget_past(path, path_counter_at(path, now_us));
    if (path->busy_count == PATH_TIMELINE)
        return false;
    for (size_t i = 0; i < path->busy_count; i++)
        if (from_us < path->busy[i].to_us + PATH_AIR_GAP_US &&
            path->busy[i].from_us < to_us + PATH_AIR_GAP_US)
            return false;
    path->busy[path->busy_count++] =
        (struct path_busy){.from_us = from_us, .to_us = to_us, .tx = tx};
    return true;
}

void path_release(struct path *path, const struct tx *tx)
{
    for (size_t i = 0; i < path->busy_count; i++)
        if (path->busy[i].tx == tx) {
            path->busy[i] = path->busy[--path->busy_count];
            return;
        }
}

/* ---- what it tells of itself ---------------------------------------------------------------- */

void path_stat(struct path *path, const struct semtech_stat *stat)
{
    path->counters.rx += stat->rx;
    path->counters.rx_ok += stat->rx_ok;
    path->counters.rx_forwarded += stat->rx_forwarded;
    path->counters.down += stat->down;
    path->counters.tx += stat->tx;
    if (stat->flags & SEMTECH_STAT_LOCATION) {
        path->stat.latitude = stat->latitude;
        path->stat.longitude = stat->longitude;
        path->stat.altitude = stat->altitude;
    }
    if (stat->flags & SEMTECH_STAT_ACKR)
        path->stat.ack_rate = stat->ack_rate;
    if (stat->flags & SEMTECH_STAT_TEMP)
        path->stat.temperature = stat->temperature;
    path->stat.flags |= stat->flags;
}

static enum gateway_state state_of(const struct path *path, int64_t now_us)
{
    int64_t interval_s = path->record.stats_interval_s ? path->record.stats_interval_s : 30;

    if (!path->last_us)
        return GATEWAY_NEVER_SEEN;
    return now_us - path->last_us < 3 * interval_s * US_PER_S ? GATEWAY_ONLINE : GATEWAY_OFFLINE;
}

void path_status(struct path *path, int64_t now_us, struct gateway_status *status)
{
    const struct semtech_stat *stat = &path->stat;

    *status = (struct gateway_status){
        .id = path->record.id,
        .found = true,
        .state = (uint8_t)state_of(path, now_us),
        .gps_locked = path_gps_locked(path, now_us),
        .downlink_path = path_can_send(path, now_us),
        .tx_ack = path->tx_ack,
        .last_seen_utc_us = path->last_utc_us,
        .rtt_ms = path->rtt_known ? (int32_t)(path->rtt_us / US_PER_MS) : -1,
        .tx_errors = path->tx_errors,
        .push = path->push.address,
        .pull = path->pull.address,
        .has_location = stat->flags & SEMTECH_STAT_LOCATION,
        .latitude = stat->latitude,
        .longitude = stat->longitude,
        .altitude = stat->altitude,
        .ack_rate = stat->flags & SEMTECH_STAT_ACKR ? stat->ack_rate : NAN,
        .temperature = stat->flags & SEMTECH_STAT_TEMP ? stat->temperature : NAN,
        .counters = path->counters,
    };
    status->duty_count =
        (uint8_t)ledger_read(&path->ledger, now_us, status->duty, GATEWAY_DUTY_MAX);
}
