/*
 * chmask.h - a set of channels, and what LinkADRReq (TS001 5.3) does to it. Pure values.
 */
#pragma once

#include "core/err.h"
#include "lorawan/mac.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHMASK_CHANNELS 96

struct chmask {
    uint32_t w[CHMASK_CHANNELS / 32]; /* channel n is bit n % 32 of word n / 32 */
};

/* Channels outside 0..95 are in no mask and cannot be set. */
bool chmask_test(const struct chmask *mask, unsigned channel);
void chmask_set(struct chmask *mask, unsigned channel);
void chmask_clear(struct chmask *mask, unsigned channel);
void chmask_set_range(struct chmask *mask, unsigned first, unsigned count, bool on);
bool chmask_equal(const struct chmask *a, const struct chmask *b);
bool chmask_is_empty(const struct chmask *mask);
bool chmask_is_subset(const struct chmask *mask, const struct chmask *of);
unsigned chmask_count(const struct chmask *mask);
struct chmask chmask_and(const struct chmask *a, const struct chmask *b);
struct chmask chmask_or(const struct chmask *a, const struct chmask *b);

/* Lowest channel at or after `from`, -1 if none. For loops: for (c = -1; (c = next(m, c + 1)) >=
 * 0;)
 */
int chmask_next(const struct chmask *mask, int from);

/* The 16 channels from `first`, as a ChMask word, and back. */
uint16_t chmask_word(const struct chmask *mask, unsigned first);
void chmask_put_word(struct chmask *mask, unsigned first, unsigned count, uint16_t word);

/* What one value of ChMaskCntl means in a region. */
enum chmask_action {
    CHMASK_RFU,         /* the device refuses */
    CHMASK_GROUP,       /* bit i is channel first + i, i < count */
    CHMASK_BANKS,       /* bit i switches the DEFINED channels 8i..8i+7, i < count */
    CHMASK_BLOCKS,      /* bit i switches channels 8i..8i+7 and channel first + i, i < count */
    CHMASK_ALL_DEFINED, /* all defined channels on, the mask is ignored */
    CHMASK_ON_GROUP,    /* channels 0..first-1 on, then as GROUP */
    CHMASK_OFF_GROUP,   /* channels 0..first-1 off, then as GROUP */
    CHMASK_ALL_OFF,     /* every channel off, the mask is ignored */
};

struct chmask_rule {
    uint8_t action; /* enum chmask_action */
    uint8_t first, count;
};

#define CHMASK_RULES 8 /* ChMaskCntl 0..7 */

enum chmask_status {
    CHMASK_OK,
    CHMASK_BAD_CNTL,  /* ChMaskCntl or a mask bit is RFU */
    CHMASK_UNDEFINED, /* enables a channel that is not defined */
    CHMASK_EMPTY,     /* no channel would be left */
};

/* Applies a contiguous block in order (TS001-1.0.2 and later: atomic): *mask changes only with
 * CHMASK_OK. Emptiness counts at the end of the block. Only ch_mask and ch_mask_cntl are looked at.
 */
enum chmask_status chmask_apply(const struct chmask_rule rules[CHMASK_RULES],
                                const struct chmask *defined, const struct lw_link_adr_req *reqs,
                                size_t count, struct chmask *mask);

#define CHMASK_REQS_MAX 8

/* The shortest list of requests that turns `from` into `to`; at least one even if they are equal,
 * as DR and power travel along. Only ch_mask and ch_mask_cntl are set, the rest is 0: the caller
 * sets DR, TXPower and NbTrans, which count in the LAST request. BANKS and BLOCKS are never used
 * (older devices do not know them). ERR_INVALID if `to` is empty or not defined; ERR_UNSUPPORTED
 * if the rules cannot express it. */
MUST_CHECK enum err chmask_build(const struct chmask_rule rules[CHMASK_RULES],
                                 const struct chmask *defined, const struct chmask *from,
                                 const struct chmask *to,
                                 struct lw_link_adr_req reqs[CHMASK_REQS_MAX], size_t *count);

/* The same for a device of 1.0.0 or 1.0.1, which takes each request by itself (reference 4.4): none
 * of them leaves it without a channel, which it would refuse and then add the others to what it
 * has. That may take more requests. */
MUST_CHECK enum err chmask_build_alone(const struct chmask_rule rules[CHMASK_RULES],
                                       const struct chmask *defined, const struct chmask *from,
                                       const struct chmask *to,
                                       struct lw_link_adr_req reqs[CHMASK_REQS_MAX], size_t *count);
