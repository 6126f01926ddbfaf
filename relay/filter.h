/*
 * filter.h - the filter list of a relay: which Join-Requests it forwards (TS011 FilterListReq;
 * relay reference 4.3). The relay's side of it, for the simulator and so that a network server can
 * tell beforehand what a relay will do and refuse what it would. Pure.
 *
 * A rule is what FilterListReq carries (struct lw_filter_list_req): a prefix of JoinEUI and DevEUI,
 * both most significant octet first. Entry 0 has no prefix: it is what becomes of a Join-Request
 * that no other entry matches.
 */
#pragma once

#include "lorawan/mac.h"

#define RELAY_FILTER_RULES  16
#define RELAY_FILTER_PREFIX 16

enum relay_filter_action {
    RELAY_FILTER_NONE, /* the entry is free */
    RELAY_FILTER_FORWARD,
    RELAY_FILTER_DROP,
};

struct relay_filter {
    struct lw_filter_list_req rules[RELAY_FILTER_RULES]; /* by index */
};

/* As a relay starts: it forwards every Join-Request. */
void relay_filter_init(struct relay_filter *filter);

/* What a relay answers; it does not hang on its list. The index is one of 0..15. */
void relay_filter_answer(const struct lw_filter_list_req *rule, struct lw_filter_list_ans *ans);
bool relay_filter_accepted(const struct lw_filter_list_ans *ans);
/* The same, and takes the rule if it is accepted. */
void relay_filter_put(struct relay_filter *filter, const struct lw_filter_list_req *rule,
                      struct lw_filter_list_ans *ans);

/* The longest prefix decides; of equally long ones the higher entry. */
bool relay_filter_forwards(const struct relay_filter *filter, struct lw_eui join_eui,
                           struct lw_eui dev_eui);

/* A rule for one device (`length` 16) or for all that share its first octets. */
struct lw_filter_list_req relay_filter_rule(unsigned index, enum relay_filter_action action,
                                            struct lw_eui join_eui, struct lw_eui dev_eui,
                                            unsigned length);
