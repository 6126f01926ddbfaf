/*
 * mac.h - the exchange of MAC commands: current against desired.
 *
 * What the device uses now is in the session; what the network wants is derived (from profile, ADR,
 * plan). A request is the difference, made anew for every downlink until the device has confirmed
 * it, so a lost frame needs no repair. The exact requests of the last downlink stand in
 * session->pending_mac; an answer is accepted only for what stands there (or silently, if sticky).
 * Each command has one row in the table of mac.c: handler of the device's command, maker of the
 * network's request. Pure: state in, state and octets out.
 *
 * Sources: TS001 5; mac-layer reference 4.4 to 4.9.
 */
#pragma once

#include "lorawan/air.h"
#include "lorawan/mac.h"
#include "ns/session.h"

#define MAC_ANSWERS_MAX 64

/* What an uplink's commands led to. */
struct mac_in {
    /* in */
    const struct region *region;
    const struct device_profile *profile;
    const struct copy *copies; /* private copies removed, strongest first */
    size_t copy_count;
    int64_t end_gps_us; /* GPS time of the end of the uplink: best known (gateway GPS, UTC, ours) */
    bool pending_session; /* the first frame under new keys */
    bool repetition; /* answers of the device were consumed already: device-initiated ones only */
    /* out */
    uint8_t answers[MAC_ANSWERS_MAX]; /* octets for the next downlink */
    uint8_t answers_n;
    bool must_answer; /* a downlink is owed (sticky answer, RekeyInd, ...) */
    bool has_status;  /* DevStatusAns came: battery and margin */
    uint8_t battery;
    int8_t margin;
    bool rekey_ind;   /* 1.1: RekeyInd was there */
    unsigned ignored; /* answers to nothing, unknown or truncated commands: for the log */
    uint64_t asked;   /* bit n: the device's command of CID n was answered */
};

/* Reads the uplink's command stream (FOpts or port 0, plain) and changes the session. */
void mac_read(struct session *session, struct bytes stream, struct mac_in *in);

/* Whether a stream holds RekeyInd (looked at before a pending session is accepted). */
bool mac_has_rekey(struct bytes stream);

/* What the network asks of the device now, most urgent first, at most `room` octets in whole
 * blocks; the same octets become session->pending_mac when the frame is saved. *more: something did
 * not fit. `utc_us` decides whether DevStatusReq is due. Returns the length. */
struct mac_out {
    const struct region *region;
    const struct device_profile *profile;
    const struct chmask *network; /* fixed plans: the channels that the gateways hear */
    int64_t utc_us;
    size_t room;
    uint8_t requests[SESSION_MAC_MAX];
    size_t n;
    bool more;
};
void mac_write(const struct session *session, struct mac_out *out);

/* Takes note that `out`'s requests were sent: pending_mac, status_asked. */
void mac_sent(struct session *session, const struct mac_out *out);
