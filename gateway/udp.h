/*
 * udp.h - the worker that speaks the Semtech UDP protocol with the gateways.
 *
 * One socket, one worker; it owns the state of its gateways (gateway/path.h). Acknowledges first
 * (protocol reference 1.6: a forwarder blocks up to 100 ms on it), then parses. Everything marked
 * [mail] may be called from any thread; the rest at the worker, or while it does not run.
 */
#pragma once

#include "gateway/gateway.h"
#include "gateway/overload.h"

struct udp;

#define UDP_UNKNOWN_MAX 256

struct udp_config {
    const char *listen; /* "0.0.0.0:1700"; NULL or "": no socket, udp_input is the only way in */
    bool allow_unknown; /* gateways without a record are given `unknown_record` */
    struct gateway_record unknown_record; /* its id is ignored */
    uint32_t datagrams_per_s;  /* from one address, above it they are dropped; 0: 100000 */
    struct overload *overload; /* noted and looked at here; NULL: nothing is refused. Must stay */
    /* Takes what would be sent; NULL: the socket. At the worker. For tests and in-process ends. */
    void (*send)(void *ctx, const struct address *to, const void *data, size_t n);
    void *send_ctx;
};

/* Opens the socket; the config is copied (its strings are not kept). ERR_INVALID: the address is
 * none; ERR_IO: it cannot be bound. `ops` must stay. */
MUST_CHECK enum err udp_open(const struct udp_config *config, struct clock *clock,
                             const struct gateway_ops *ops, void *ctx, struct udp **udp);
/* After worker_stop(udp_worker(udp)). Requests that wait end without an outcome. */
void udp_close(struct udp *udp);

/* To be started and stopped by the owner, or stepped by a test. */
struct worker *udp_worker(struct udp *udp);
uint16_t udp_port(const struct udp *udp); /* the port it is bound to; 0 without a socket */

/* A datagram as if it came from `from`. At the worker. The acknowledgement leaves first. */
void udp_input(struct udp *udp, const struct address *from, const void *data, size_t n);

/* [mail] The gateways of the configuration; records are copied. A record replaces one with the same
 * id and keeps the path's live state. */
void udp_gateways_put(struct udp *udp, const struct gateway_record *records, size_t count);
void udp_gateway_remove(struct udp *udp, struct lw_eui id);

/* [mail] Takes the request; see struct tx_outcome for what comes back. */
void udp_transmit(struct udp *udp, struct tx_request *request);

/* [mail] After the gateway's record was put. Air time already used before this process began:
 * `age_us` ago (rebuilds the ledger). */
void udp_charge(struct udp *udp, struct lw_eui gateway, uint32_t frequency_hz, int64_t airtime_us,
                int64_t age_us);

/* [mail] A question and its answer in one message: the caller allocates it (with room behind it),
 * fills the ids, posts it by udp_ask_*; it comes back to reply_to (bulk lane) with take = reply. */
struct gateway_query {
    struct mail mail;
    struct worker *reply_to;
    void (*reply)(struct worker *worker, struct mail *mail);
    void *arg; /* the asker's */
    size_t count;
    struct gateway_status status[]; /* ids filled by the asker */
};
void udp_ask_status(struct udp *udp, struct gateway_query *query);

/* The same for the inbox of unknown gateways, newest first; `count` is set by the answer. */
struct unknown_query {
    struct mail mail;
    struct worker *reply_to;
    void (*reply)(struct worker *worker, struct mail *mail);
    void *arg;
    size_t count;
    struct gateway_unknown list[UDP_UNKNOWN_MAX];
};
void udp_ask_unknown(struct udp *udp, struct unknown_query *query);

/* Registers this room's metrics; once, before threads start. */
void udp_metrics_register(void);
