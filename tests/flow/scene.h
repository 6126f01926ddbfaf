/*
 * scene.h - a scene of one gateway and one device in a world, for flow tests of sessions and
 * queues.
 *
 * The device is the simulator's, so frames are checked by code that is not the server's. `begin`
 * joins it and has it speak once; loop index i chooses its version (i mod 6) and the seed. One
 * scene at a time: its parts are plain variables.
 */
#pragma once

#include "sim/device.h"
#include "tests/flow/radio.h"

#define GATEWAY  0x0102030405060708u
#define DEVICE   0x70b3d57ed0000001u
#define JOIN_EUI 0x1122334455667788u
#define VERSIONS 6

extern const struct lw_key app_key, nwk_key;
extern struct world world;
extern struct radio radio;
extern struct sim_device device;
extern struct sim_tx tx;           /* the device's last frame */
extern struct sim_verdict verdict; /* what it made of the last one to it */
extern struct radio_down down;     /* what the gateway was told last */
extern size_t seen;                /* in world.sent */
extern unsigned retries;           /* confirmed_retries of the profile; set before begin */

void begin(int i);
void begin_with(int i, unsigned workers);
/* Nothing of it may have counted as internal error. */
void end(void);
/* Stops everything and starts it on the same store. */
void restart(bool crash);

/* A crash, after which SQL spoils the store before the start. */
void spoil(const char *sql);

/* Its record goes, as by administration. */
void delete_device(void);

struct sim_device_config device_config(int i, uint64_t join_eui);
int64_t now(void); /* monotonic */
void join(void);
void speak(const char *text, bool confirmed);
/* The gateway hears it. */
void on_air(const struct sim_tx *sent);
/* What the gateway is told to send, if anything, is in `down`. */
bool told(void);
/* The device hears what `down` says. */
void hears(void);
/* Both, and the gateway says that it was sent; then time passes. Whether anything came. */
bool listens(void);
/* Whether the last frame had this payload. */
bool carries(const char *text);

/* A queue item as wished for; `text` NULL: `n` octets of 0. */
struct wish {
    const char *text;
    size_t n;
    bool confirmed, fail, encrypted;
    uint32_t fcnt;
    int64_t expires_us;
};

struct uuid queue_as(const struct wish *wish);
void queue(const char *text, bool confirmed);
/* How many items wait; the state of the first. */
size_t queued(unsigned *state);
/* Events of the device; *last (may be NULL): facts of the newest. */
size_t count_events(enum event_type type, struct event_facts *last);
