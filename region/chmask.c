/*
 * chmask.c - channel masks as LinkADRReq sees them.
 *
 * Building is a small search: first do nothing, or use one of the requests that switch whole
 * ranges, then repair the groups that still differ; the shortest result wins. There are at most
 * eight values of ChMaskCntl, so all of them are tried. Nothing shorter exists: a request for a
 * group is of use only with the group's final word, and a range writes every channel, so that of
 * several only the last would count and nothing before it.
 */
#include "region/chmask.h"

#include <string.h>

#define WORDS     (CHMASK_CHANNELS / 32)
#define BANK_SIZE 8

bool chmask_test(const struct chmask *mask, unsigned channel)
{
    return channel < CHMASK_CHANNELS && (mask->w[channel / 32] >> (channel % 32) & 1);
}

void chmask_set(struct chmask *mask, unsigned channel)
{
    if (channel < CHMASK_CHANNELS)
        mask->w[channel / 32] |= 1u << (channel % 32);
}

void chmask_clear(struct chmask *mask, unsigned channel)
{
    if (channel < CHMASK_CHANNELS)
        mask->w[channel / 32] &= ~(1u << (channel % 32));
}

static void put(struct chmask *mask, unsigned channel, bool on)
{
    if (on)
        chmask_set(mask, channel);
    else
        chmask_clear(mask, channel);
}

void chmask_set_range(struct chmask *mask, unsigned first, unsigned count, bool on)
{
    for (unsigned i = 0; i < count; i++)
        put(mask, first + i, on);
}

bool chmask_equal(const struct chmask *a, const struct chmask *b)
{
    return !memcmp(a->w, b->w, sizeof(a->w));
}

bool chmask_is_empty(const struct chmask *mask)
{
    return !chmask_count(mask);
}

bool chmask_is_subset(const struct chmask *mask, const struct chmask *of)
{
    struct chmask both = chmask_and(mask, of);

    return chmask_equal(&both, mask);
}

unsigned chmask_count(const struct chmask *mask)
{
    unsigned n = 0;

    for (size_t i = 0; i < WORDS; i++)
        n += (unsigned)__builtin_popcount(mask->w[i]);
    return n;
}

struct chmask chmask_and(const struct chmask *a, const struct chmask *b)
{
    struct chmask out;

    for (size_t i = 0; i < WORDS; i++)
        out.w[i] = a->w[i] & b->w[i];
    return out;
}

struct chmask chmask_or(const struct chmask *a, const struct chmask *b)
{
    struct chmask out;

    for (size_t i = 0; i < WORDS; i++)
        out.w[i] = a->w[i] | b->w[i];
    return out;
}

int chmask_next(const struct chmask *mask, int from)
{
    for (int i = from < 0 ? 0 : from; i < CHMASK_CHANNELS; i++) {
        if (chmask_test(mask, (unsigned)i))
            return i;
    }
    return -1;
}

uint16_t chmask_word(const struct chmask *mask, unsigned first)
{
    unsigned word = 0;

    for (unsigned i = 0; i < 16; i++)
        word |= (unsigned)chmask_test(mask, first + i) << i;
    return (uint16_t)word;
}

void chmask_put_word(struct chmask *mask, unsigned first, unsigned count, uint16_t word)
{
    for (unsigned i = 0; i < count; i++)
        put(mask, first + i, word >> i & 1);
}

/* ---- applying -------------------------------------------------------------------------------- */

static void put_banks(struct chmask *mask, const struct chmask *defined, unsigned banks,
                      uint16_t word)
{
    for (unsigned i = 0; i < banks * BANK_SIZE; i++) {
        if (chmask_test(defined, i))
            put(mask, i, word >> (i / BANK_SIZE) & 1);
    }
}

static void put_blocks(struct chmask *mask, struct chmask_rule rule, uint16_t word)
{
    for (unsigned i = 0; i < rule.count; i++) {
        bool on = word >> i & 1;

        chmask_set_range(mask, i * BANK_SIZE, BANK_SIZE, on);
        put(mask, rule.first + i, on);
    }
}

/* Mask bits beyond the group or the last bank are RFU; switching such a channel on means one that
 * does not exist. ALL_* ignore the mask. */
static bool word_fits(struct chmask_rule rule, uint16_t word)
{
    if (rule.action == CHMASK_ALL_DEFINED || rule.action == CHMASK_ALL_OFF || rule.count >= 16)
        return true;
    return !(word >> rule.count);
}

static enum chmask_status apply_one(struct chmask_rule rule, const struct chmask *defined,
                                    uint16_t word, struct chmask *mask)
{
    if (rule.action == CHMASK_RFU)
        return CHMASK_BAD_CNTL;
    if (!word_fits(rule, word))
        return CHMASK_UNDEFINED;
    switch (rule.action) {
    case CHMASK_BANKS: put_banks(mask, defined, rule.count, word); break;
    case CHMASK_BLOCKS: put_blocks(mask, rule, word); break;
    case CHMASK_ALL_DEFINED: *mask = *defined; break;
    case CHMASK_ALL_OFF: *mask = (struct chmask){0}; break;
    case CHMASK_ON_GROUP:
    case CHMASK_OFF_GROUP:
        chmask_set_range(mask, 0, rule.first, rule.action == CHMASK_ON_GROUP);
        chmask_put_word(mask, rule.first, rule.count, word);
        break;
    default: chmask_put_word(mask, rule.first, rule.count, word); break;
    }
    return chmask_is_subset(mask, defined) ? CHMASK_OK : CHMASK_UNDEFINED;
}

enum chmask_status chmask_apply(const struct chmask_rule rules[CHMASK_RULES],
                                const struct chmask *defined, const struct lw_link_adr_req *reqs,
                                size_t count, struct chmask *mask)
{
    struct chmask trial = *mask;

    for (size_t i = 0; i < count; i++) {
        enum chmask_status status =
            apply_one(rules[reqs[i].ch_mask_cntl % CHMASK_RULES], defined, reqs[i].ch_mask, &trial);

        if (status != CHMASK_OK)
            return status;
    }
    if (chmask_is_empty(&trial))
        return CHMASK_EMPTY;
    *mask = trial;
    return CHMASK_OK;
}

/* ---- building -------------------------------------------------------------------------------- */

struct list {
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    size_t count;
};

static void list_add(struct list *list, unsigned cntl, uint16_t word)
{
    list->reqs[list->count++] =
        (struct lw_link_adr_req){.ch_mask = word, .ch_mask_cntl = (uint8_t)cntl};
}

static uint16_t group_word(struct chmask_rule rule, const struct chmask *mask)
{
    return (uint16_t)(chmask_word(mask, rule.first) & ((1u << rule.count) - 1));
}

/* Adds the groups that differ: first those that keep or gain channels, then those that lose all.
 * A device of 1.0.0 or 1.0.1 takes each request by itself, and must never be without a channel.
 * There is room for one request of each ChMaskCntl, and no rule is used twice. */
static void add_groups(const struct chmask_rule *rules, const struct chmask *from,
                       const struct chmask *to, struct list *list)
{
    for (unsigned empty = 0; empty < 2; empty++) {
        for (unsigned cntl = 0; cntl < CHMASK_RULES; cntl++) {
            uint16_t want = group_word(rules[cntl], to);

            if (rules[cntl].action == CHMASK_GROUP && (want == 0) == empty &&
                want != group_word(rules[cntl], from))
                list_add(list, cntl, want);
        }
    }
}

/* From where to where, and whether the device takes each request by itself. */
struct way {
    const struct chmask_rule *rules;
    const struct chmask *defined, *from, *to;
    bool alone;
};

/* The mask that a request for a range carries: what its group shall have in the end. One that
 * leaves nothing is refused by a device that takes it by itself: then any channel of the group,
 * until the others are on. */
static uint16_t range_word(const struct way *way, struct chmask_rule rule)
{
    uint16_t word = group_word(rule, way->to), all = group_word(rule, way->defined);

    if (rule.action != CHMASK_ON_GROUP && rule.action != CHMASK_OFF_GROUP)
        return 0;
    if (way->alone && rule.action == CHMASK_OFF_GROUP && !word)
        return (uint16_t)(all & -all);
    return word;
}

/* A request that switches a whole range, with the best mask it can carry. */
static void start_with(const struct way *way, unsigned cntl, struct list *list, struct chmask *at)
{
    uint16_t word = range_word(way, way->rules[cntl]);

    list_add(list, cntl, word);
    if (apply_one(way->rules[cntl], way->defined, word, at) != CHMASK_OK)
        *at = (struct chmask){0}; /* the check at the end rejects this list */
}

static bool reaches(const struct way *way, const struct list *list)
{
    struct chmask mask = *way->from;
    size_t step = way->alone ? 1 : list->count;

    for (size_t i = 0; i < list->count; i += step) {
        if (chmask_apply(way->rules, way->defined, &list->reqs[i], step, &mask) != CHMASK_OK)
            return false;
    }
    return chmask_equal(&mask, way->to);
}

static bool is_range(struct chmask_rule rule)
{
    return rule.action == CHMASK_ON_GROUP || rule.action == CHMASK_OFF_GROUP ||
           rule.action == CHMASK_ALL_DEFINED || rule.action == CHMASK_ALL_OFF;
}

/* Nothing differs: say again what the first group with a channel has. */
static void add_same(const struct chmask_rule *rules, const struct chmask *to, struct list *list)
{
    for (unsigned cntl = 0; cntl < CHMASK_RULES; cntl++) {
        if (rules[cntl].action == CHMASK_GROUP && group_word(rules[cntl], to)) {
            list_add(list, cntl, group_word(rules[cntl], to));
            return;
        }
    }
}

static enum err build(const struct way *way, struct lw_link_adr_req reqs[CHMASK_REQS_MAX],
                      size_t *count)
{
    const struct chmask_rule *rules = way->rules;
    struct list best = {0};

    if (chmask_is_empty(way->to) || !chmask_is_subset(way->to, way->defined))
        return ERR_INVALID;
    add_groups(rules, way->from, way->to, &best);
    if (!best.count)
        add_same(rules, way->to, &best);
    if (!reaches(way, &best))
        best.count = 0;
    for (unsigned cntl = 0; cntl < CHMASK_RULES; cntl++) {
        struct list list = {0};
        struct chmask at = *way->from;

        if (!is_range(rules[cntl]))
            continue;
        start_with(way, cntl, &list, &at);
        add_groups(rules, &at, way->to, &list);
        if ((!best.count || list.count < best.count) && reaches(way, &list))
            best = list;
    }
    if (!best.count)
        return ERR_UNSUPPORTED;
    memcpy(reqs, best.reqs, best.count * sizeof(reqs[0]));
    *count = best.count;
    return OK;
}

enum err chmask_build(const struct chmask_rule rules[CHMASK_RULES], const struct chmask *defined,
                      const struct chmask *from, const struct chmask *to,
                      struct lw_link_adr_req reqs[CHMASK_REQS_MAX], size_t *count)
{
    return build(&(struct way){rules, defined, from, to, false}, reqs, count);
}

enum err chmask_build_alone(const struct chmask_rule rules[CHMASK_RULES],
                            const struct chmask *defined, const struct chmask *from,
                            const struct chmask *to, struct lw_link_adr_req reqs[CHMASK_REQS_MAX],
                            size_t *count)
{
    return build(&(struct way){rules, defined, from, to, true}, reqs, count);
}
