/*
 * match.h - the match table: which session a data frame may belong to (mechanics 6).
 *
 * One per worker, for the DevAddrs that hash to it; fed by messages from home workers. It proposes
 * by the 1.0 MIC or cmacF; the home worker checks the full MIC and the counter, and may ask for the
 * next candidate. Trials per DevAddr and second are capped.
 * Source: mac-layer reference 2.1, 2.4, 2.7; TS001 4.3.1.5, 4.4.
 */
#pragma once

#include "core/index.h"
#include "core/map.h"
#include "lorawan/frame.h"

enum match_flag {
    MATCH_1_1 = 1 << 0,     /* key is FNwkSIntKey, only half the MIC can be checked */
    MATCH_PENDING = 1 << 1, /* session of a join that is not confirmed yet */
    MATCH_RESETS = 1 << 2,  /* skipFcntCheck: the bare 16 bits are a second candidate */
    MATCH_SEEN = 1 << 3,    /* fcnt_next counts */
};

struct match_entry {
    struct lw_dev_addr dev_addr;
    uint32_t fcnt_next; /* a hint: exact enough to choose the upper half */
    struct lw_eui dev_eui;
    uint64_t session; /* number */
    struct lw_key key;
    uint32_t next; /* chain of equal DevAddr: place + 1 */
    uint8_t flags; /* enum match_flag */
};

struct match_table;

struct match_table *match_new(void);
void match_free(struct match_table *table);

/* Makes room for so many DevAddrs at once. */
void match_reserve(struct match_table *table, size_t count);

/* Inserts, or replaces the entry with the same device and session number. */
void match_put(struct match_table *table, const struct match_entry *entry);
/* Removes a session of a device; `session` 0: all of its sessions on that address. */
void match_remove(struct match_table *table, struct lw_dev_addr addr, struct lw_eui dev_eui,
                  uint64_t session);
size_t match_count(const struct match_table *table);
/* Whether any session has the address. */
bool match_has(const struct match_table *table, struct lw_dev_addr addr);

#define MATCH_TRIED_MAX 4

struct match_query {
    const struct lw_frame *frame;
    int64_t now_us;
    uint64_t tried[MATCH_TRIED_MAX]; /* session numbers that the home worker refused */
    size_t tried_count;
};

struct match_proposal {
    struct lw_eui dev_eui;
    uint64_t session;
    uint32_t fcnt; /* all 32 bits */
    bool reset;    /* the bare 16 bits matched, below the next counter */
};

#define MATCH_BUDGET_PER_S 20000 /* trials per DevAddr */

/* DROP_NONE and a proposal; DROP_UNKNOWN_DEVADDR, DROP_MIC, DROP_MIC_BUDGET. Candidates are tried
 * in order of the distance of their counters, active before pending ones. */
enum drop match_find(struct match_table *table, const struct match_query *query,
                     struct match_proposal *proposal);
