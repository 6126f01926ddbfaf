/*
 * overload.h - how far behind the server is, and what it therefore refuses (mechanics 7).
 *
 * Whoever handles frames notes how late he is; the UDP worker looks at the notes every 50 ms and
 * sets a level. A level refuses what it names and all that lower ones name:
 *
 *   1  `stat` objects; late copies, which at any level cost a look-up and a count
 *   2  frames whose DevAddr or DevEUI nobody here has
 *   3  uplinks of the noisiest gateways: a cap in receptions per second and gateway is lowered,
 *      the noisiest first, until the rest fits
 *
 * What was admitted is finished: jobs, commits and downlinks are in a lane of their own before new
 * copies (core/worker.h); PULL_DATA and TX_ACK are handled at every level, and each PUSH_DATA that
 * is read is acknowledged. An answer to a frame has some 650 ms beyond the collecting window (RX1
 * after 1 s, less the way to the gateway); the levels begin well before that is used up.
 *
 * Levels rise one at a time while the lag is above their threshold and fall one at a time when it
 * was below half of it for a while, so a load that ends is forgotten in less than 2 s.
 */
#pragma once

#include "core/clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define OVERLOAD_NOTERS  66 /* 0: the UDP worker; then those of ns/ */
#define OVERLOAD_LOOK_US (50 * (int64_t)US_PER_MS)

enum overload_level {
    OVERLOAD_NONE,
    OVERLOAD_EXTRAS,    /* stats */
    OVERLOAD_STRANGERS, /* and unknown devices */
    OVERLOAD_NOISIEST,  /* and uplinks of the noisiest gateways */
};

struct overload_note {
    _Alignas(64) atomic_int_fast64_t lag_us;
    atomic_int_fast64_t at_us;
};

struct overload {
    struct overload_note notes[OVERLOAD_NOTERS];
    atomic_uint level;
    atomic_int_fast64_t lag_us; /* at the last look */

    /* ---- below: the UDP worker's ---- */
    int64_t looked_us, set_us, calm_us, cut_us, began_us;
    int64_t last_lag_us;
    unsigned worst; /* level since `began_us` */
    uint64_t cap;   /* receptions in 1000 seconds that a gateway may have; level 3 */
    uint32_t second, noisiest, noisiest_last; /* receptions of the noisiest gateway */
};

void overload_init(struct overload *overload);

/* Any thread, each with its own number: how late it is with what it handles at `now_us`. A note is
 * forgotten after 200 ms: who has nothing to do is not late. `overload` may be NULL. */
void overload_note(struct overload *overload, unsigned noter, int64_t lag_us, int64_t now_us);

/* Any thread. OVERLOAD_NONE of NULL. */
enum overload_level overload_level(const struct overload *overload);
/* In words, for /readyz; NULL: all is well. Static. */
const char *overload_text(const struct overload *overload);

/* ---- at the UDP worker ---------------------------------------------------------------------- */

/* Sets the level, if the last look is OVERLOAD_LOOK_US ago; to be called at least that often while
 * the level is above 0. Logs when overload begins, gets worse and ends. */
void overload_look(struct overload *overload, int64_t now_us);

/* Whether a reception is let in. `rate`: receptions of its gateway within a second; `key`: the same
 * for all copies of a transmission, so that a frame comes with all its copies or not at all, unless
 * a quieter gateway heard it too. */
bool overload_admits(struct overload *overload, uint32_t rate, uint64_t key, int64_t now_us);

/* Before that, whether a datagram of such a gateway is even read: one that is far above the cap
 * would else cost its reading, which is most of what a refused frame costs. `number`: another one
 * for each datagram. */
bool overload_reads(struct overload *overload, uint32_t rate, uint32_t number, int64_t now_us);
