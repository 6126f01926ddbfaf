/*
 * talk.h - one simulated device and one gateway in a world: a conversation in a few lines.
 *
 * The device (sim/) is written from the specification apart from the server and judges time,
 * channel, rate, size, MIC and counter of each downlink; talk_listen fails the test on any of them.
 */
#pragma once

#include "ns/ns_priv.h"
#include "sim/device.h"
#include "tests/flow/radio.h"

#define TALK_GATEWAY  0x0102030405060708u
#define TALK_DEVICE   0x70b3d57ed0000001u
#define TALK_JOIN_EUI 0x1122334455667788u
#define TALK_VERSIONS 6 /* of enum lw_version */

struct talk_options {
    struct world_options world; /* seed, version, region (NULL: EU868), profile ... */
    uint16_t flags;             /* enum sim_device_flag */
    uint8_t dr;
    uint8_t sub_band; /* of the device in a fixed plan; 9: all channels */
};

struct talk {
    struct world world;
    struct radio radio;
    struct sim_device device;
    struct sim_tx tx;           /* the last transmission */
    struct radio_down down;     /* the last downlink, as the gateway was told */
    struct sim_verdict verdict; /* and as the device took it */
    size_t seen;                /* in world.sent */
    double snr;                 /* at which the gateway hears; 8 */
    struct session session;     /* a copy of the live one, by talk_session */
};

void talk_begin(struct talk *talk, const struct talk_options *options);
/* Fails if anything went wrong inside the server meanwhile. */
void talk_end(struct talk *talk);

/* A Join-Request up to its end. */
void talk_ask(struct talk *talk);
/* A join and a first uplink, so that the session is the active one. */
void talk_join(struct talk *talk);
/* An uplink on port 7 up to its end; `n` octets of payload. */
void talk_speak(struct talk *talk, size_t n, bool confirmed);
/* What the gateway is told to send, if anything, is sent and heard by the device. */
bool talk_listen(struct talk *talk);
/* The same after the gateway refused to send in RX1. */
bool talk_listen_rx2(struct talk *talk);
/* The same, but nobody hears it. */
bool talk_miss(struct talk *talk);

/* A queue item of `n` octets on port 9; its state, or that of the first that waits. */
void talk_queue(struct talk *talk, size_t n);
size_t talk_queued(struct talk *talk, unsigned *state);
/* Events of a type so far, and the facts of the last. */
size_t talk_events(struct talk *talk, enum event_type type, struct event_facts *last);

/* A copy of the live session, until the next call: for looking at. */
struct session *talk_session(struct talk *talk);
/* The copy as a test has changed it comes in force: what no command of this version can do. */
void talk_session_keep(struct talk *talk);
/* How many LinkADRReq the last downlink held; the last of them, as sent. */
size_t talk_link_adr(const struct talk *talk, struct lw_link_adr_req *last);
/* Whether the last downlink held a command. */
bool talk_heard(const struct talk *talk, uint8_t cid);
