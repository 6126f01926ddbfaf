/*
 * overload.c - see overload.h.
 *
 * The cap is found by trying: lowered by a fifth (a half when answers are in danger) while the lag
 * is high and does not fall, raised while it is low. What is refused above the cap is chosen by a
 * hash of the frame, so that nothing needs to be remembered of it.
 */
#include "gateway/overload.h"

#include "core/bytes.h"
#include "core/log.h"
#include "gateway/count.h"

#include <string.h>

#define FRESH_US   (200 * (int64_t)US_PER_MS) /* a note older than that says nothing */
#define CALM_US    (150 * (int64_t)US_PER_MS) /* below the threshold before a level ends */
#define CAP_DEPTH  256                        /* the cap falls to this part of the noisiest */
#define CAP_READ   8                          /* times the cap: so much is read of a gateway */
#define SALT_SHIFT 22                         /* 4.2 s: a frame's repetition may have more luck */

/* A level begins above the first lag and may end below half of it. A commit that the disk holds up
 * costs no frame: some 50 ms are no overload yet. */
static const int64_t begins_us[] = {0, 60000, 120000, 200000};

void overload_init(struct overload *o)
{
    memset(o, 0, sizeof(*o));
}

void overload_note(struct overload *o, unsigned noter, int64_t lag_us, int64_t now_us)
{
    if (!o)
        return;
    atomic_store_explicit(&o->notes[noter].lag_us, lag_us, memory_order_relaxed);
    atomic_store_explicit(&o->notes[noter].at_us, now_us, memory_order_relaxed);
}

enum overload_level overload_level(const struct overload *o)
{
    return o ? (enum overload_level)atomic_load_explicit(&o->level, memory_order_relaxed)
             : OVERLOAD_NONE;
}

const char *overload_text(const struct overload *o)
{
    static const char *const texts[] = {
        NULL,
        "stat messages are dropped",
        "stat messages and frames of unknown devices are dropped",
        "stat messages, frames of unknown devices and uplinks of the noisiest gateways are dropped",
    };

    return texts[overload_level(o)];
}

/* *noted_us: when it was noted. */
static int64_t worst_lag(const struct overload *o, int64_t now_us, int64_t *noted_us)
{
    int64_t worst = *noted_us = 0;

    for (unsigned i = 0; i < OVERLOAD_NOTERS; i++) {
        int64_t lag = atomic_load_explicit(&o->notes[i].lag_us, memory_order_relaxed);
        int64_t at = atomic_load_explicit(&o->notes[i].at_us, memory_order_relaxed);

        if (lag > worst && now_us - at < FRESH_US) {
            worst = lag;
            *noted_us = at;
        }
    }
    return worst;
}

static uint64_t noisiest(const struct overload *o)
{
    uint32_t rate = o->noisiest > o->noisiest_last ? o->noisiest : o->noisiest_last;

    return (uint64_t)(rate ? rate : 1) * 1000;
}

static void move_cap(struct overload *o, int64_t lag_us)
{
    uint64_t least = noisiest(o) / CAP_DEPTH;

    if (lag_us >= begins_us[OVERLOAD_NOISIEST]) {
        if (lag_us >= o->last_lag_us)
            o->cap -= o->cap / (lag_us >= 2 * begins_us[OVERLOAD_NOISIEST] ? 2 : 5);
    } else if (lag_us < begins_us[OVERLOAD_NOISIEST] / 2) {
        o->cap += o->cap / 8 + 1;
    }
    if (o->cap < least)
        o->cap = least;
}

static void tell(struct overload *o, unsigned level, int64_t lag_us, int64_t now_us)
{
    metric_set(&count_overload, 0, level);
    if (level > o->worst) {
        if (!o->worst)
            o->began_us = now_us;
        o->worst = level;
        LOG_WARN("overload", log_uint("level", level), log_int("lagMs", lag_us / US_PER_MS));
    } else if (!level) {
        LOG_INFO("overload_over", log_uint("level", o->worst),
                 log_int("lastedMs", (now_us - o->began_us) / US_PER_MS));
        o->worst = 0;
    }
}

static void set_level(struct overload *o, unsigned level, int64_t lag_us, int64_t now_us)
{
    if (level == OVERLOAD_NOISIEST)
        o->cap = noisiest(o) - noisiest(o) / 5;
    o->calm_us = o->set_us = now_us;
    atomic_store_explicit(&o->level, level, memory_order_relaxed);
    tell(o, level, lag_us, now_us);
}

/* The cap is not given up while it still holds somebody back. */
static bool may_fall(const struct overload *o, unsigned level, int64_t now_us)
{
    return now_us - o->calm_us >= CALM_US &&
           (level != OVERLOAD_NOISIEST || now_us - o->cut_us >= CALM_US);
}

void overload_look(struct overload *o, int64_t now_us)
{
    unsigned level = overload_level(o);
    int64_t lag, noted;

    if (!o || now_us - o->looked_us < OVERLOAD_LOOK_US)
        return;
    o->looked_us = now_us;
    lag = worst_lag(o, now_us, &noted);
    atomic_store_explicit(&o->lag_us, lag, memory_order_relaxed);
    if (level == OVERLOAD_NOISIEST)
        move_cap(o, lag);
    if (lag >= begins_us[level] / 2)
        o->calm_us = now_us;
    /* The next level needs a reason that came after the last one. */
    if (level < OVERLOAD_NOISIEST && lag >= begins_us[level + 1] && noted > o->set_us)
        set_level(o, level + 1, lag, now_us);
    else if (level && may_fall(o, level, now_us))
        set_level(o, level - 1, lag, now_us);
    o->last_lag_us = lag;
}

static void note_noise(struct overload *o, uint32_t rate, int64_t now_us)
{
    uint32_t second = (uint32_t)(now_us / US_PER_S);

    if (o->second != second) {
        o->noisiest_last = second - o->second == 1 ? o->noisiest : 0;
        o->noisiest = 0;
        o->second = second;
    }
    if (rate > o->noisiest)
        o->noisiest = rate;
}

/* Whether one of a gateway's `rate` a second is among the `most` (in 1000 seconds) that are let in.
 */
static bool is_lucky(uint64_t key, uint32_t rate, uint64_t most, int64_t now_us)
{
    uint64_t lot = (uint32_t)hash_u64(key ^ (uint64_t)(now_us >> SALT_SHIFT));

    return (uint64_t)rate * 1000 <= most || lot * rate * 1000 < most << 32;
}

bool overload_reads(struct overload *o, uint32_t rate, uint32_t number, int64_t now_us)
{
    if (overload_level(o) < OVERLOAD_NOISIEST || is_lucky(number, rate, o->cap * CAP_READ, now_us))
        return true;
    note_noise(o, rate, now_us);
    o->cut_us = now_us;
    return false;
}

bool overload_admits(struct overload *o, uint32_t rate, uint64_t key, int64_t now_us)
{
    if (!o)
        return true;
    note_noise(o, rate, now_us);
    if (overload_level(o) < OVERLOAD_NOISIEST)
        return true;
    if (rate > o->cap * CAP_READ / 1000) /* of a datagram that had its luck already */
        rate = (uint32_t)(o->cap * CAP_READ / 1000);
    if (is_lucky(key, rate, o->cap, now_us))
        return true;
    o->cut_us = now_us;
    return false;
}
