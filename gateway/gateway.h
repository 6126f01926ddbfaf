/*
 * gateway.h - what the gateway rooms and the network server tell each other.
 *
 * gateway/ never includes ns/: the owner (cmd/serve.c) fills `struct gateway_ops`, and messages
 * travel as mail. All messages are single heap pieces; whoever receives one owns it and ends it
 * with free(). The other direction - transmit requests, records, questions - is in gateway/udp.h.
 */
#pragma once

#include "core/worker.h"
#include "gateway/address.h"
#include "lorawan/air.h"
#include "lorawan/drop.h"

#define GATEWAY_REGION_UNSET  0xff
#define GATEWAY_ALLOWED_MAX   8
#define GATEWAY_EIRP_NO_LIMIT 127

enum gateway_downlink { GATEWAY_DOWNLINK_YES, GATEWAY_DOWNLINK_NO, GATEWAY_DOWNLINK_PREFER_NOT };

/* What these rooms need to know of a configured gateway. A plain value. */
struct gateway_record {
    struct lw_eui id;
    uint8_t tenant_id[16];
    int64_t rev;         /* a record with a lower one than the present is ignored */
    uint8_t region;      /* enum region_id, or GATEWAY_REGION_UNSET */
    bool is_private;     /* serves its tenant's devices only; kept for the owner */
    uint8_t downlink;    /* enum gateway_downlink; NO is obeyed here, PREFER_NOT by the planner */
    int8_t max_eirp_dbm; /* a rung above is sent with this; GATEWAY_EIRP_NO_LIMIT: none */
    float antenna_gain_dbi;
    uint16_t stats_interval_s; /* offline after three of them without a datagram */
    bool has_location;
    double latitude, longitude, altitude;
    uint8_t allowed_count; /* 0: any address (protocol reference 1.7) */
    struct cidr allowed[GATEWAY_ALLOWED_MAX];
};

/* ---- upwards -------------------------------------------------------------------------------- */

/* One copy on its way to the collector. `mail.take` is for the receiver of ops.heard to set. */
struct heard {
    struct mail mail;
    uint64_t key; /* heard_key(): the same for all copies of one transmission; for sharding */
    struct copy copy;
    uint8_t phy_len;
    uint8_t phy[];
};

/* Key of the copies of a transmission: PHYPayload and region (mechanics: 22). */
uint64_t heard_key(const uint8_t *phy, size_t n, uint8_t region);

/* A new message with a copy of the payload, key set. For in-process senders and tests as well. */
struct heard *heard_new(const struct copy *copy, const uint8_t *phy, uint8_t phy_len);

/* A gateway whose id has no record. */
struct gateway_unknown {
    struct lw_eui id;
    struct address address; /* of the last datagram */
    const char *protocol;   /* static: "semtech-udp/2" */
    const char *reason;     /* static: "not_configured" */
    int64_t first_seen_utc_us, last_seen_utc_us;
    uint64_t frames; /* receptions it told of, all dropped */
};

/* One part of the radio spectrum with a limit, as api.md `dutyCycle[]` shows it. */
struct gateway_duty {
    uint32_t min_hz, max_hz;
    uint32_t limit_ppm; /* 10000: 1 % */
    uint32_t used_ppm;  /* of the last hour, as a share of the hour */
    int64_t used_us;    /* air time in the last hour */
    int64_t free_us;    /* air time that is left */
};
#define GATEWAY_DUTY_MAX 16

enum gateway_state { GATEWAY_NEVER_SEEN, GATEWAY_ONLINE, GATEWAY_OFFLINE };

/* Counters of the `stat` messages: sums of what the gateway reported since the process began. */
struct gateway_counters {
    uint64_t rx, rx_ok, rx_forwarded;              /* reported: rxnb, rxok, rxfw */
    uint64_t down, tx;                             /* reported: dwnb, txnb */
    uint64_t heard, handed_over, tx_ok, tx_failed; /* seen here */
    uint64_t address_conflicts;                    /* datagrams from a second address */
};

struct gateway_status {
    struct lw_eui id;
    bool found;    /* the worker has a record of it */
    uint8_t state; /* enum gateway_state */
    bool gps_locked;
    bool downlink_path;       /* a PULL_DATA came within 90 s */
    bool tx_ack;              /* it acknowledges transmissions */
    int64_t last_seen_utc_us; /* 0: never, since this process began */
    int32_t rtt_ms;           /* -1: not known */
    uint32_t tx_errors;       /* failed transmissions in a row */
    struct address push, pull;
    bool has_location; /* told by its last stat */
    double latitude, longitude, altitude;
    double ack_rate, temperature; /* of the last stat; NaN if never told */
    struct gateway_counters counters;
    uint8_t duty_count;
    struct gateway_duty duty[GATEWAY_DUTY_MAX];
};

/* A band of the region's duty-cycle rules; `ppm` 0: none may be sent; 1000000: no limit. */
struct gateway_band {
    uint32_t min_hz, max_hz; /* min <= f < max */
    uint32_t ppm;
};

/* Filled by the owner; called at the gateway's worker. `ctx` is the owner's. Members marked
 * optional may be NULL. */
struct gateway_ops {
    /* A chain (by mail.next) of copies, all with region, dr and key set; ownership passes. */
    void (*heard)(void *ctx, struct heard *chain, size_t count);

    /* Gives copy->region (if it is GATEWAY_REGION_UNSET: the first of the configured regions that
     * fits) and copy->dr from the copy's frequency and data rate. false: no such channel. */
    bool (*channel)(void *ctx, struct copy *copy);

    /* The duty-cycle bands of a region (static memory); 0 if it has none. Of a gateway without a
     * region: those of all configured ones, as the law binds it too; the first that holds a
     * frequency counts. NULL: no limits at all. */
    size_t (*duty_bands)(void *ctx, uint8_t region, const struct gateway_band **bands);

    /* A known gateway was heard from: at its first datagram and then at most once in its stats
     * interval. For lastSeenAt. Optional. */
    void (*seen)(void *ctx, struct lw_eui id, int64_t utc_us);

    /* allow_unknown: the gateway had no record and was given the template; called once. The owner
     * makes the record lasting and puts it. Optional. */
    void (*adopted)(void *ctx, struct lw_eui id, const struct address *from);

    /* Something ended here. `gateway` is 0 where none is known. Optional. */
    void (*dropped)(void *ctx, struct lw_eui gateway, enum drop reason);
};

/* ---- downwards ------------------------------------------------------------------------------ */

enum tx_priority { TX_PRIORITY_LOW, TX_PRIORITY_NORMAL, TX_PRIORITY_HIGH };

/* Send identical bytes on the first rung that works. Ownership passes with udp_transmit. */
struct tx_request {
    struct mail mail;
    uint64_t id; /* the sender's; comes back */
    struct lw_eui dev_eui;
    struct worker *reply_to;
    /* Becomes mail.take of each struct tx_outcome posted to reply_to (radio lane). */
    void (*reply)(struct worker *worker, struct mail *mail);
    uint8_t priority; /* enum tx_priority: LOW leaves a fifth of the duty cycle to others */
    uint8_t rung_count;
    struct rung rungs[AIR_RUNGS_MAX];
    uint8_t phy_len;
    uint8_t phy[LW_PHY_MAX];
};

/* What became of it: TX_OK with final=false each time a datagram was handed over, then exactly one
 * with final=true. */
struct tx_outcome {
    struct mail mail;
    uint64_t id;
    struct lw_eui dev_eui;
    enum tx_result result; /* final: TX_OK accepted by the gateway; TX_UNKNOWN it may have been
                              sent (no TX_ACK; protocol version 1), or the gateway gave no
                              reason that is known; others: not sent */
    bool final;
    uint8_t rung;        /* the rung concerned; of the last tried, if none succeeded */
    bool silent;         /* TX_UNKNOWN because the gateway's protocol tells no result (version 1) */
    uint8_t rungs_tried; /* bit i: rung i was handed over */
    int64_t at_us;       /* monotonic: of the hand-over, or of the result */
    struct lw_eui gateway; /* of that rung */
    int8_t power_dbm;      /* EIRP that was asked for, or that the gateway says it used */
};
