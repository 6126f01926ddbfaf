/*
 * path.h - the live state of one gateway at the UDP worker: where it is, whether it can be reached,
 * its clock, what its transmitter is to do, its health (protocol reference 1.6, 1.7).
 *
 * No I/O and no clock of its own: time is an argument (monotonic microseconds). One thread.
 * The counter of a gateway, 32 bits of microseconds, is extended to 64 bits here; after a restart
 * of the gateway the extended counter goes on at least 2^32 further, so that what was planned on
 * the old one is recognised as stale.
 */
#pragma once

#include "gateway/gateway.h"
#include "gateway/ledger.h"
#include "gateway/semtech.h"

#define PATH_PULL_US      (90 * (int64_t)US_PER_S) /* a downlink path without PULL_DATA ends */
#define PATH_PIN_US       (30 * (int64_t)US_PER_S) /* silence before another address may take over */
#define PATH_GPS_US       (60 * (int64_t)US_PER_S) /* age of the last tmms */
#define PATH_TIMELINE     32
#define PATH_RING         16 /* datagrams remembered to find duplicates */
#define PATH_DUPLICATE_US (5 * (int64_t)US_PER_S)
#define PATH_AIR_GAP_US   3500 /* TX_START_DELAY 1.5 ms, TX_MARGIN 1 ms, and one for rounding */

struct tx;

/* One direction's address and its last use. */
struct path_end {
    struct address address;
    int64_t last_us; /* 0: never */
};

/* Air time given to the transmitter, by the gateway's counter. */
struct path_busy {
    uint64_t from_us, to_us;
    const struct tx *tx;
};

struct path {
    struct gateway_record record;
    struct path_end push, pull;
    uint8_t version; /* of the last datagram */
    bool adopted;    /* has no record of its own yet (allow_unknown) */

    int64_t last_us, last_utc_us, last_gps_us, told_us;

    bool clock_known;
    uint32_t tmst;
    uint64_t counter_us;   /* extended, of the newest reception */
    uint64_t session_us;   /* extended counter at which this session of the gateway began */
    int64_t counter_at_us; /* when that reception came */
    int64_t offset_us;     /* our clock = counter + offset, for the fastest datagrams */

    bool tx_ack; /* it has acknowledged a transmission */
    bool rtt_known;
    int64_t rtt_us, rtt_dev_us;
    uint32_t tx_errors; /* in a row */

    struct path_busy busy[PATH_TIMELINE];
    size_t busy_count;
    struct ledger ledger;
    struct tx *txs; /* outstanding requests, see transmit.h */

    struct {
        uint64_t hash;
        int64_t at_us;
    } ring[PATH_RING];
    size_t ring_at;

    struct {
        uint32_t second, count, last; /* receptions in the present second and the one before */
    } noise;

    struct gateway_counters counters;
    struct semtech_stat stat; /* last values; flags say which */
    uint32_t uplink_ids;
};

void path_init(struct path *path, const struct gateway_record *record,
               const struct gateway_band *bands, size_t band_count);
void path_fini(struct path *path);

enum path_verdict {
    PATH_ACCEPTED,
    PATH_CONFLICT, /* another address while the present one is alive: keep the old */
    PATH_REFUSED,  /* not among allowedAddresses */
};

/* A datagram came: address rules of 1.7 item 5. Updates the end and the times if accepted. */
enum path_verdict path_heard(struct path *path, const struct semtech_header *header,
                             const struct address *from, int64_t now_us, int64_t utc_us);

/* Whether these octets came within the last seconds already; remembers them. */
bool path_duplicate(struct path *path, struct bytes datagram, int64_t now_us);

/* So many more receptions: how many there were within a second (the present or the last one). */
uint32_t path_noise(struct path *path, uint32_t more, int64_t now_us);

/* Extends the counter of a reception. Sets *restarted if the gateway began anew: its timeline is
 * empty then. */
uint64_t path_extend(struct path *path, uint32_t tmst, int64_t received_us, bool *restarted);
/* Whether path_extend would find a restart (or knows no counter yet). */
bool path_is_restart(const struct path *path, uint32_t tmst, int64_t received_us);
/* The gateway's extended counter at a moment of ours, as far as known. */
uint64_t path_counter_at(const struct path *path, int64_t at_us);

bool path_can_send(const struct path *path, int64_t now_us);
bool path_gps_locked(const struct path *path, int64_t now_us);

/* How long before its start a frame must leave us: one way, and 60 ms for the forwarder's queue
 * (100 ms while the round trip is not known). */
int64_t path_margin_us(const struct path *path);
void path_rtt(struct path *path, int64_t rtt_us);
void path_was_late(struct path *path); /* a TX_ACK said TOO_LATE: it is slower than we thought */

/* The transmitter's timeline. Reserving fails if it is busy, or the list is full. */
bool path_reserve(struct path *path, uint64_t from_us, int64_t airtime_us, const struct tx *tx,
                  int64_t now_us);
void path_release(struct path *path, const struct tx *tx);

void path_stat(struct path *path, const struct semtech_stat *stat);
void path_status(struct path *path, int64_t now_us, struct gateway_status *status);
