/*
 * LinkADRReq's channel masks: what a list of requests does, and that no shorter list does it. What
 * is shortest is searched here in another way than region/ builds it: breadth first, over masks.
 */
#include "region/region.h"
#include "tests/suite.h"

#include <string.h>

/* ---- the shortest list, by search ----------------------------------------------------------- */

struct search {
    const struct chmask_rule *rules;
    struct chmask defined, to;
    bool all_words; /* of each group, not only what it shall have in the end */
    struct chmask at[4096];
    unsigned depth[4096], count;
};

static void on(struct chmask *mask, unsigned first, unsigned count, unsigned word)
{
    for (unsigned i = 0; i < count; i++)
        chmask_set_range(mask, first + i, 1, word >> i & 1);
}

static unsigned group(const struct chmask *mask, struct chmask_rule rule)
{
    return chmask_word(mask, rule.first) & ((1u << rule.count) - 1);
}

/* False: the request is none that the network sends, or names a channel that does not exist. */
static bool applied(const struct search *s, struct chmask_rule rule, unsigned word,
                    struct chmask *mask)
{
    switch (rule.action) {
    case CHMASK_ALL_DEFINED: *mask = s->defined; return true;
    case CHMASK_ALL_OFF: *mask = (struct chmask){0}; return true;
    case CHMASK_ON_GROUP: chmask_set_range(mask, 0, rule.first, true); break;
    case CHMASK_OFF_GROUP: chmask_set_range(mask, 0, rule.first, false); break;
    case CHMASK_GROUP: break;
    default: return false;
    }
    on(mask, rule.first, rule.count, word);
    return chmask_is_subset(mask, &s->defined);
}

static void visit(struct search *s, const struct chmask *mask, unsigned depth)
{
    for (unsigned i = 0; depth && i < s->count; i++) {
        if (chmask_equal(&s->at[i], mask) && s->depth[i])
            return;
    }
    ck_assert_uint_lt(s->count, 4096);
    s->depth[s->count] = depth;
    s->at[s->count++] = *mask;
}

static void expand(struct search *s, unsigned from)
{
    for (unsigned cntl = 0; cntl < CHMASK_RULES; cntl++) {
        struct chmask_rule rule = s->rules[cntl];
        unsigned words = s->all_words ? 1u << rule.count : 1;

        for (unsigned w = 0; w < words; w++) {
            struct chmask mask = s->at[from];

            if (applied(s, rule, s->all_words ? w : group(&s->to, rule), &mask))
                visit(s, &mask, s->depth[from] + 1);
        }
    }
}

/* How many requests are needed at least, and one even for nothing; 0: there is no way. */
static unsigned shortest(struct search *s, const struct chmask *from)
{
    s->count = 0;
    visit(s, from, 0);
    for (unsigned i = 0; i < s->count; i++) {
        if (s->depth[i] && chmask_equal(&s->at[i], &s->to))
            return s->depth[i];
        expand(s, i);
    }
    return 0;
}

/* ---- real plans ----------------------------------------------------------------------------- */

static uint64_t seed = 1;

/* Masks as networks have them: any channels, but often whole groups of eight or nothing of them. */
static struct chmask random_mask(const struct chmask *defined)
{
    struct chmask mask = {0};
    uint64_t style = seed = hash_u64(seed), bits = 0;

    for (unsigned i = 0; i < CHMASK_CHANNELS; i++) {
        if (i % 8 == 0)
            bits = seed = hash_u64(seed);
        if (style & 1 ? bits >> (i % 8) & 1 : bits & 1)
            chmask_set(&mask, i);
        if (style >> 8 & 1 && i < 64) /* all or nothing of the first channels */
            chmask_set_range(&mask, i, 1, style >> 9 & 1);
    }
    return chmask_and(&mask, defined);
}

static void check_list(struct search *s, const struct chmask *from)
{
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    struct chmask mask = *from;
    size_t count = 0;
    enum err err = chmask_build(s->rules, &s->defined, from, &s->to, reqs, &count);

    if (chmask_is_empty(&s->to)) {
        ck_assert_int_eq(err, ERR_INVALID);
        return;
    }
    ck_assert_int_eq(err, OK);
    ck_assert_uint_eq(count, shortest(s, from));
    ck_assert_int_eq(chmask_apply(s->rules, &s->defined, reqs, count, &mask), CHMASK_OK);
    ck_assert(chmask_equal(&mask, &s->to));
}

static struct search search;

START_TEST(lists_are_the_shortest_of_all_plans)
{
    const struct region *r = region_get((enum region_id)(_i / 2));
    struct region_channels channels;

    search = (struct search){.rules = region_chmask_rules(r, _i % 2 ? RP002_1_0_5 : RP002_1_0_4)};
    region_channels_init(r, &channels);
    for (int round = 0; round < 200; round++) {
        struct chmask from;

        search.defined = channels.defined;
        if (r->plan == REGION_DYNAMIC) { /* as many as the rules reach */
            bool many = search.rules[1].action == CHMASK_GROUP;

            chmask_set_range(&search.defined, 0, many ? 80 : 16, true);
            search.defined = round % 3 ? random_mask(&search.defined) : search.defined;
            search.defined = chmask_or(&search.defined, &channels.defined);
        }
        from = random_mask(&search.defined);
        search.to = round % 16 ? random_mask(&search.defined) : from;
        check_list(&search, &from);
    }
}
END_TEST

/* ---- a plan small enough for every mask and every word -------------------------------------- */

/* clang-format off */
static const struct chmask_rule small[CHMASK_RULES] = {
    [0] = {CHMASK_GROUP, 0, 2}, [1] = {CHMASK_GROUP, 2, 2}, [2] = {CHMASK_GROUP, 4, 2},
    [3] = {CHMASK_ALL_OFF, 0, 0}, [4] = {CHMASK_ALL_DEFINED, 0, 0},
    [6] = {CHMASK_ON_GROUP, 4, 2}, [7] = {CHMASK_OFF_GROUP, 4, 2},
};
/* clang-format on */

START_TEST(lists_are_the_shortest_there_can_be)
{
    static const uint32_t plans[] = {0x3f, 0x37, 0x0f, 0x1b, 0x15};

    search = (struct search){.rules = small, .all_words = true};
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        uint32_t defined = plans[i];

        search.defined = (struct chmask){{defined}};
        for (uint32_t pair = 0; pair < 4096; pair++) {
            struct chmask from = {{pair & defined}};

            if (pair & 63 & ~defined || pair >> 6 & ~defined)
                continue;
            search.to = (struct chmask){{pair >> 6}};
            check_list(&search, &from);
        }
    }
}
END_TEST

/* ---- by hand -------------------------------------------------------------------------------- */

START_TEST(known_lists)
{
    const struct region *us = region_get(REGION_US915), *eu = region_get(REGION_EU868);
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    struct region_channels channels;
    struct chmask to, none = {0};
    size_t count = 0;

    region_channels_init(us, &channels);
    to = region_sub_band(us, 2);
    ck_assert_int_eq(
        chmask_build(us->chmask, &channels.defined, &channels.defined, &to, reqs, &count), OK);
    ck_assert_uint_eq(count, 2);
    ck_assert(reqs[0].ch_mask_cntl == 7 && reqs[0].ch_mask == 2);
    ck_assert(reqs[1].ch_mask_cntl == 0 && reqs[1].ch_mask == 0xff00);
    ck_assert_int_eq(chmask_build(us->chmask, &channels.defined, &to, &to, reqs, &count), OK);
    ck_assert(count == 1 && reqs[0].ch_mask_cntl == 0 && reqs[0].ch_mask == 0xff00);
    ck_assert_int_eq(
        chmask_build(us->chmask, &channels.defined, &to, &channels.defined, reqs, &count), OK);
    ck_assert(count == 1 && reqs[0].ch_mask_cntl == 6 && reqs[0].ch_mask == 0xff);
    ck_assert_int_eq(chmask_build(us->chmask, &channels.defined, &to, &none, reqs, &count),
                     ERR_INVALID);
    chmask_set(&to, 80);
    ck_assert_int_eq(chmask_build(us->chmask, &channels.defined, &to, &to, reqs, &count),
                     ERR_INVALID);
    region_channels_init(eu, &channels);
    ck_assert_int_eq(
        chmask_build(eu->chmask, &channels.defined, &none, &channels.defined, reqs, &count), OK);
    ck_assert(count == 1 && reqs[0].ch_mask_cntl == 0 && reqs[0].ch_mask == 7);
    chmask_set_range(&channels.defined, 20, 2, true); /* no group reaches one of them alone */
    to = (struct chmask){{1u << 20}};
    ck_assert_int_eq(chmask_build(eu->chmask, &channels.defined, &none, &to, reqs, &count),
                     ERR_UNSUPPORTED);
}
END_TEST

START_TEST(masks)
{
    struct chmask mask = {0}, whole = {{UINT32_MAX, UINT32_MAX, UINT32_MAX}};

    chmask_set(&mask, CHMASK_CHANNELS); /* there is no such channel */
    ck_assert(chmask_is_empty(&mask));
    ck_assert(!chmask_test(&whole, CHMASK_CHANNELS));
    chmask_clear(&whole, CHMASK_CHANNELS);
    ck_assert_uint_eq(chmask_count(&whole), CHMASK_CHANNELS);
    chmask_clear(&whole, 95);
    ck_assert_int_eq(chmask_next(&whole, -5), 0);
    ck_assert_int_eq(chmask_next(&whole, 95), -1);
    ck_assert_uint_eq(chmask_word(&whole, 80), 0x7fff);
    chmask_put_word(&mask, 32, 4, 0xffff);
    ck_assert_uint_eq(mask.w[1], 0xf);
    ck_assert(chmask_is_subset(&mask, &whole) && !chmask_is_subset(&whole, &mask));
}
END_TEST

/* What a device does with requests that this network never sends. */
START_TEST(requests_of_others)
{
    const struct region *eu = region_get(REGION_EU868), *us = region_get(REGION_US915);
    const struct chmask_rule *rules = region_chmask_rules(eu, RP002_1_0_5);
    struct chmask defined = {{0x0fff}}, mask = {{7}};
    struct lw_link_adr_req bank = {.ch_mask_cntl = 5, .ch_mask = 2};
    struct lw_link_adr_req block = {.ch_mask_cntl = 5, .ch_mask = 1 << 8};
    struct lw_link_adr_req none = {.ch_mask_cntl = 0};
    struct lw_link_adr_req outside = {.ch_mask_cntl = 0x18, .ch_mask = 2}; /* 0, in three bits */
    struct region_channels channels;

    ck_assert_int_eq(chmask_apply(rules, &defined, &bank, 1, &mask), CHMASK_OK);
    ck_assert_uint_eq(mask.w[0], 0x0f00); /* 12 to 15 are not defined and stay off */
    ck_assert_int_eq(chmask_apply(rules, &defined, &none, 1, &mask), CHMASK_EMPTY);
    ck_assert_uint_eq(mask.w[0], 0x0f00);
    ck_assert_int_eq(chmask_apply(rules, &defined, &outside, 1, &mask), CHMASK_OK);
    ck_assert_uint_eq(mask.w[0], 2);
    region_channels_init(us, &channels);
    mask = channels.defined;
    ck_assert_int_eq(chmask_apply(us->chmask, &channels.defined, &block, 1, &mask),
                     CHMASK_UNDEFINED);
    block.ch_mask = 0x0082;
    ck_assert_int_eq(chmask_apply(us->chmask, &channels.defined, &block, 1, &mask), CHMASK_OK);
    ck_assert_uint_eq(chmask_count(&mask), 18);
    ck_assert(chmask_test(&mask, 65) && chmask_test(&mask, 71) && chmask_test(&mask, 63));
    mask = (struct chmask){{0xf007}}; /* what was taken away since goes off with "all on" */
    none.ch_mask_cntl = 6;
    ck_assert_int_eq(chmask_apply(eu->chmask, &defined, &none, 1, &mask), CHMASK_OK);
    ck_assert(chmask_equal(&mask, &defined));
    bank.ch_mask_cntl = 1; /* RFU with sixteen channels */
    ck_assert_int_eq(chmask_apply(eu->chmask, &defined, &bank, 1, &mask), CHMASK_BAD_CNTL);
}
END_TEST

/* A device of 1.0.0 takes each request by itself: at no time it is without a channel. */
START_TEST(no_request_leaves_a_device_deaf)
{
    const struct region *cn = region_get(REGION_CN470);
    struct region_channels channels;
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    size_t count = 0;

    region_channels_init(cn, &channels);
    for (unsigned from_group = 0; from_group < 6; from_group++) {
        for (unsigned to_group = 0; to_group < 6; to_group++) {
            struct chmask mask = {0}, to = {0};

            chmask_set(&mask, 16 * from_group);
            chmask_set(&to, 16 * to_group + 1);
            ck_assert_int_eq(chmask_build(cn->chmask, &channels.defined, &mask, &to, reqs, &count),
                             OK);
            for (size_t i = 0; i < count; i++)
                ck_assert_int_eq(chmask_apply(cn->chmask, &channels.defined, &reqs[i], 1, &mask),
                                 CHMASK_OK);
            ck_assert(chmask_equal(&mask, &to));
        }
    }
}
END_TEST

/* From every mask to every other: each request is taken, and at most one more than of a block. */
START_TEST(a_device_that_takes_each_request_by_itself)
{
    const struct region *us = region_get(REGION_US915);
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    struct region_channels channels;
    struct lw_link_adr_req block[CHMASK_REQS_MAX];
    struct chmask to = {{0xff00}}, mask;
    size_t count = 0, least = 0;

    region_channels_init(us, &channels);
    mask = channels.defined;
    ck_assert_int_eq(chmask_build_alone(us->chmask, &channels.defined, &mask, &to, reqs, &count),
                     OK);
    ck_assert_uint_eq(count, 3); /* "all off" with no wide channel would be refused */
    ck_assert(reqs[0].ch_mask_cntl == 7 && reqs[0].ch_mask == 1);
    ck_assert(reqs[1].ch_mask_cntl == 0 && reqs[1].ch_mask == 0xff00);
    ck_assert(reqs[2].ch_mask_cntl == 4 && reqs[2].ch_mask == 0);
    chmask_set(&to, 65);
    ck_assert_int_eq(chmask_build_alone(us->chmask, &channels.defined, &mask, &to, reqs, &count),
                     OK);
    ck_assert(count == 2 && reqs[0].ch_mask_cntl == 7 && reqs[0].ch_mask == 2);
    mask = to;
    to = (struct chmask){{UINT32_MAX, UINT32_MAX}}; /* "all on" never leaves it without one */
    ck_assert_int_eq(chmask_build_alone(us->chmask, &channels.defined, &mask, &to, reqs, &count),
                     OK);
    ck_assert(count == 1 && reqs[0].ch_mask_cntl == 6 && reqs[0].ch_mask == 0);
    for (uint32_t pair = 0; pair < 4096; pair++) {
        struct chmask defined = {{0x3f}}, from = {{pair & 63}};

        to = (struct chmask){{pair >> 6}};
        mask = from;
        if (chmask_is_empty(&to) || chmask_is_empty(&from))
            continue;
        ck_assert_int_eq(chmask_build_alone(small, &defined, &from, &to, reqs, &count), OK);
        ck_assert_int_eq(chmask_build(small, &defined, &from, &to, block, &least), OK);
        ck_assert(count >= least && count <= least + 1);
        for (size_t i = 0; i < count; i++)
            ck_assert_int_eq(chmask_apply(small, &defined, &reqs[i], 1, &mask), CHMASK_OK);
        ck_assert(chmask_equal(&mask, &to));
    }
}
END_TEST

/* A range that switches on what is not defined is no way. */
START_TEST(a_range_beyond_the_channels_is_not_used)
{
    struct chmask defined = {{0x37}}, from = {{1}};
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    size_t count = 0;

    ck_assert_int_eq(chmask_build(small, &defined, &from, &defined, reqs, &count), OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(reqs[0].ch_mask_cntl, 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("region_chmask");
    TCase *tc = tcase_create("region_chmask");

    tcase_set_timeout(tc, 0);
    tcase_add_loop_test(tc, lists_are_the_shortest_of_all_plans, 0, 2 * REGION_COUNT);
    tcase_add_test(tc, lists_are_the_shortest_there_can_be);
    tcase_add_test(tc, known_lists);
    tcase_add_test(tc, masks);
    tcase_add_test(tc, requests_of_others);
    tcase_add_test(tc, no_request_leaves_a_device_deaf);
    tcase_add_test(tc, a_device_that_takes_each_request_by_itself);
    tcase_add_test(tc, a_range_beyond_the_channels_is_not_used);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
