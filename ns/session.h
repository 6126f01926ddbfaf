/*
 * session.h - what the network keeps of one device: the session and the state around it.
 *
 * The mutable part is encoded into `device_state.state` (journalled with each frame), the keys and
 * what never changes in a session into the sealed `active` / `pending` blobs (db/store.h). Steps
 * work on a copy in the job's arena; the cache takes it over after the commit. The cache keeps a
 * session as octets (struct session_kept), in the form in which it is sealed: a million of them lie
 * in memory, and a quarter of the struct is enough for most.
 * Plain data; owned by the device's home worker.
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "core/err.h"
#include "db/model.h"
#include "db/secret.h"
#include "lorawan/keys.h"
#include "region/region.h"

#define ADR_HISTORY      20
#define SESSION_CHANNELS 16
#define SESSION_MAC_MAX  40

enum session_flag {
    SESSION_1_1 = 1 << 0,       /* 1.1 with OptNeg 1: four keys, two down counters */
    SESSION_ABP = 1 << 1,       /* activated by personalisation */
    SESSION_SEEN = 1 << 2,      /* an uplink was accepted: fcnt_up_next counts */
    SESSION_ADR = 1 << 3,       /* ADR bit of the last uplink */
    SESSION_OLD_FOPTS = 1 << 4, /* FOpts block of strict 1.1.0 (finding F-4) */
    SESSION_UL_DWELL = 1 << 5,
    SESSION_DL_DWELL = 1 << 6,
    SESSION_AWAIT_ACK = 1 << 7,    /* a confirmed downlink waits for its ACK: `await_*` count */
    SESSION_STATUS_ASKED = 1 << 8, /* status_asked_s counts */
};

/* A channel of a dynamic plan beside the region's default ones. frequency 0: none. */
struct session_channel {
    uint32_t frequency_hz;
    uint8_t min_dr, max_dr;
};

/* One uplink as ADR sees it. */
struct adr_sample {
    uint16_t fcnt; /* low half */
    int8_t snr_q;  /* best SNR in 0.25 dB, clamped */
    uint8_t tx_power;
};

struct session {
    uint64_t number; /* random; another one at each activation and counter reset */
    struct lw_session_keys keys;
    struct lw_eui join_eui;
    struct lw_dev_addr dev_addr;
    uint16_t flags; /* enum session_flag */

    uint32_t fcnt_up_next;             /* the counter after the last accepted frame */
    uint32_t n_fcnt_down, a_fcnt_down; /* the next to use; 1.0: n_fcnt_down alone */
    uint64_t last_up_hash; /* of the last accepted frame without its MIC: tells repetitions */

    /* what the device is known to use now */
    uint8_t rx1_delay, rx1_dr_offset, rx2_dr;
    uint8_t dr, tx_power, nb_trans;
    uint32_t rx2_hz;
    struct session_channel channels[SESSION_CHANNELS]; /* by channel index */
    struct chmask enabled;

    /* what ADR wants; sent by LinkADRReq until the device has it */
    uint8_t want_dr, want_tx_power, want_nb_trans;
    uint8_t adr_nacks;                    /* refused in a row: backs off */
    uint8_t refused_dr, refused_tx_power; /* the lowest that the device refused; 0: none */
    uint8_t adr_count; /* samples in history, the newest at (adr_at - 1) mod 20 */
    uint8_t adr_at;
    struct adr_sample adr[ADR_HISTORY];

    /* the MAC requests of the last downlink, exactly as sent, until they are answered */
    uint8_t pending_mac_n;
    uint8_t pending_mac[SESSION_MAC_MAX];
    uint32_t status_asked_s; /* UTC seconds of the last DevStatusReq */

    /* the confirmed downlink that waits, and the last answer (for repetitions) */
    struct uuid await_item;
    uint32_t await_fcnt;
    uint16_t acked_fcnt;   /* what the last ACK named (1.1 signs it) */
    uint64_t last_attempt; /* id of the attempt that answered last_up_hash's frame; 0: none */
};

/* Of the device, whatever its session. */
enum { BATTERY_UNKNOWN = 255 };
struct device_status {
    int64_t last_seen_us; /* UTC; 0: never */
    bool has_status;
    uint8_t battery; /* as DevStatusAns */
    int8_t margin;
};

/* A fresh session with the profile's receive parameters and the region's default channels. */
void session_init(struct session *session, const struct device_profile *profile);

/* The device's channel list as region/ wants it: defaults, the session's own, and what is defined.
 */
void session_channels(const struct session *session, const struct region *region,
                      struct region_channels *channels);

/* Codec of the mutable state; `state_n` from arena. Reads every earlier format. ERR_CORRUPT also if
 * there is a session (not NULL) that the state knows nothing of, or the other way round; the
 * session is half read then. */
struct bytes session_state_write(const struct session *session, const struct device_status *status,
                                 struct arena *arena);
enum err session_state_read(struct bytes encoded, struct session *session,
                            struct device_status *status) MUST_CHECK;

/* A session at rest: heap, wiped when it ends. */
struct session_kept {
    uint16_t n;
    uint8_t octets[];
};

/* Puts a session to rest in *kept, which is made, made anew or (`session` NULL) freed. */
void session_keep(struct session_kept **kept, const struct session *session);
/* false, and nothing else, if there is none. */
bool session_unpack(const struct session_kept *kept, struct session *session);
/* Whether there is one of this number. */
bool session_is(const struct session_kept *kept, uint64_t number);

/* Codec of the sealed part: number, keys, addresses, the parameters given at activation. For a
 * pending session it is all there is. `slot` ("active", "pending") binds the blob to its place. */
enum err session_seal(const struct session *session, const struct secret *secret,
                      struct lw_eui dev_eui, const char *slot, struct arena *arena,
                      struct bytes *sealed) MUST_CHECK;
enum err session_open(struct bytes sealed, const struct secret *secret, struct lw_eui dev_eui,
                      const char *slot, struct session *session) MUST_CHECK;

/* The event id of a frame: UUIDv5 of session number and counter (api.md, deduplicationId). */
struct uuid session_up_id(uint64_t number, uint32_t fcnt_up);
struct uuid session_down_id(uint64_t number, uint32_t fcnt_down, bool application_counter,
                            unsigned attempt);
struct uuid session_join_id(struct lw_eui join_eui, struct lw_eui dev_eui, uint16_t nonce);
