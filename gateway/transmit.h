/*
 * transmit.h - transmit requests at the UDP worker: down the ladder until a rung works.
 *
 * For each request the first rung is taken that can be reached in time, whose gateway has a
 * downlink path, whose air time collides with nothing and is within the duty cycle. The PULL_RESP
 * goes out, and its TX_ACK decides: an error lets the next rung try the identical bytes (mechanics:
 * 18). Each request gets exactly one final outcome. Runs at one worker.
 *
 * A gateway of version 1 that never sent a TX_ACK may have no queue (reference, 1.6): it is given
 * one frame at a time, 800 ms before its start. Protocol version 1 has no TX_ACK: its frames end as
 * TX_UNKNOWN when they must have been sent.
 */
#pragma once

#include "gateway/path.h"

#define TRANSMIT_TOKEN_US (15 * (int64_t)US_PER_S)
#define TRANSMIT_ACK_US   (2 * (int64_t)US_PER_S)   /* after the frame's end */
#define TRANSMIT_EARLY_US (500 * (int64_t)US_PER_S) /* the reference refuses beyond 512 s */
#define TRANSMIT_LATE_US  (800 * (int64_t)US_PER_MS)

struct transmit {
    struct worker *worker;
    struct path *(*find)(void *ctx, struct lw_eui gateway); /* NULL: not known */
    void (*send)(void *ctx, const struct address *to, const void *data, size_t n);
    void *ctx;
    struct tx *txs; /* all */
    size_t outstanding;
};

/* Takes the request; it is freed with its final outcome. */
void transmit_begin(struct transmit *transmit, struct tx_request *request);

/* A TX_ACK from a gateway's pull address that came at `received_us`: what it then waited for us is
 * no part of the round trip, or a busy moment would cost every RX1 after it. false: no live token
 * (DROP_TX_ACK_UNKNOWN). */
bool transmit_acked(struct transmit *transmit, struct path *path, uint16_t token,
                    const struct semtech_tx_ack *ack, int64_t received_us);

/* The gateway restarted or is removed: what it was to send is lost. Frames that may have gone out
 * end as TX_UNKNOWN, those held back try their next rung. */
void transmit_lost(struct transmit *transmit, struct path *path);

/* Frees all requests without outcomes. */
void transmit_fini(struct transmit *transmit);
