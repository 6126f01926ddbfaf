/* filter.c - prefixes of JoinEUI and DevEUI. */
#include "relay/filter.h"

#include <string.h>

static void identity(uint8_t to[RELAY_FILTER_PREFIX], struct lw_eui join_eui, struct lw_eui dev_eui)
{
    struct wr wr = wr_of(to, RELAY_FILTER_PREFIX);

    wr_u64be(&wr, join_eui.v);
    wr_u64be(&wr, dev_eui.v);
}

void relay_filter_init(struct relay_filter *filter)
{
    *filter = (struct relay_filter){.rules = {[0] = {.action = RELAY_FILTER_FORWARD}}};
}

/* Entry 0 is a default and never empty; the others are a prefix or nothing. */
static bool combines(const struct lw_filter_list_req *rule)
{
    if (rule->index == 0)
        return rule->action != RELAY_FILTER_NONE && rule->length == 0;
    return (rule->action == RELAY_FILTER_NONE) == (rule->length == 0);
}

void relay_filter_answer(const struct lw_filter_list_req *rule, struct lw_filter_list_ans *ans)
{
    *ans = (struct lw_filter_list_ans){.action_ack = rule->action <= RELAY_FILTER_DROP,
                                       .length_ack = rule->length <= RELAY_FILTER_PREFIX,
                                       .combined_rules_ack = combines(rule)};
}

bool relay_filter_accepted(const struct lw_filter_list_ans *ans)
{
    return ans->action_ack && ans->length_ack && ans->combined_rules_ack;
}

void relay_filter_put(struct relay_filter *filter, const struct lw_filter_list_req *rule,
                      struct lw_filter_list_ans *ans)
{
    relay_filter_answer(rule, ans);
    if (relay_filter_accepted(ans))
        filter->rules[rule->index % RELAY_FILTER_RULES] = *rule;
}

bool relay_filter_forwards(const struct relay_filter *filter, struct lw_eui join_eui,
                           struct lw_eui dev_eui)
{
    const struct lw_filter_list_req *best = &filter->rules[0];
    uint8_t who[RELAY_FILTER_PREFIX];

    identity(who, join_eui, dev_eui);
    for (unsigned i = 1; i < RELAY_FILTER_RULES; i++) {
        const struct lw_filter_list_req *rule = &filter->rules[i];

        if (rule->action != RELAY_FILTER_NONE && rule->length >= best->length &&
            !memcmp(rule->eui, who, rule->length))
            best = rule;
    }
    return best->action == RELAY_FILTER_FORWARD;
}

struct lw_filter_list_req relay_filter_rule(unsigned index, enum relay_filter_action action,
                                            struct lw_eui join_eui, struct lw_eui dev_eui,
                                            unsigned length)
{
    struct lw_filter_list_req rule = {
        .index = (uint8_t)index,
        .action = (uint8_t)action,
        .length = (uint8_t)(length < RELAY_FILTER_PREFIX ? length : RELAY_FILTER_PREFIX)};
    uint8_t who[RELAY_FILTER_PREFIX];

    identity(who, join_eui, dev_eui);
    memcpy(rule.eui, who, rule.length);
    return rule;
}
