/* mac_budget.c - lengths of answers come from the table too: the uplink row of the same CID. */
#include "lorawan/mac_budget.h"

#include "lorawan/frame.h"

struct lw_mac_budget lw_mac_budget_of(enum lw_version version, enum lw_mac_place place,
                                      unsigned n_down, unsigned app_octets, unsigned n_up)
{
    unsigned down = n_down;

    if (place == LW_MAC_IN_FOPTS) {
        down = app_octets < n_down ? n_down - app_octets : 0;
        down = down < LW_FOPTS_MAX ? down : LW_FOPTS_MAX;
    }
    return (struct lw_mac_budget){
        .version = (uint8_t)version,
        .down = (uint16_t)down,
        .up = (uint16_t)(n_up < LW_FOPTS_MAX ? n_up : LW_FOPTS_MAX),
    };
}

static size_t answer_len(const struct lw_cmd *request)
{
    const struct lw_command *answer = lw_mac_def(LW_UP, request->cid);

    if (request->def->flags & LW_MAC_ANSWER || !answer)
        return 0;
    return 1 + (size_t)answer->length;
}

size_t lw_mac_answers_len(struct bytes requests, enum lw_version version)
{
    struct lw_cmd_iter iter = lw_mac_iter_of(requests, LW_DOWN);
    struct lw_cmd cmd;
    uint8_t before = 0;
    size_t n = 0;

    while (lw_cmd_next(&iter, &cmd)) {
        bool in_block = cmd.cid == LW_CID_LINK_ADR && before == LW_CID_LINK_ADR;

        if (!in_block || version < LW_1_1_0)
            n += answer_len(&cmd);
        before = cmd.cid;
    }
    return n;
}

bool lw_mac_budget_take(struct lw_mac_budget *budget, struct bytes block)
{
    size_t up = lw_mac_answers_len(block, (enum lw_version)budget->version);

    if (block.n > budget->down || up > budget->up) {
        budget->more = true;
        return false;
    }
    budget->down = (uint16_t)(budget->down - block.n);
    budget->up = (uint16_t)(budget->up - up);
    return true;
}

bool lw_mac_agrees(const struct lw_cmd *answer)
{
    if (answer->cid == LW_CID_REJOIN_PARAM)
        return true;
    for (const struct lw_field *field = answer->def->fields; field->name; field++) {
        if (field->width == 1 && !lw_field_get(field, answer->payload))
            return false;
    }
    return true;
}
