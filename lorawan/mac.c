/*
 * mac.c - the MAC commands of the table, and what a row cannot say.
 */
#include "lorawan/mac.h"

const struct lw_command *lw_mac_def(enum lw_direction direction, uint8_t cid)
{
    return lw_command_find(lw_mac_commands(), direction, cid, 0);
}

const struct lw_command *lw_mac_def_by_name(enum lw_direction direction, const char *name)
{
    return lw_command_by_name(lw_mac_commands(), direction, name, 0);
}

struct lw_cmd_iter lw_mac_iter_of(struct bytes stream, enum lw_direction direction)
{
    return (struct lw_cmd_iter){
        .table = lw_mac_commands(), .stream = stream, .direction = (uint8_t)direction};
}

bool lw_mac_stream_valid(struct bytes stream, enum lw_direction direction)
{
    struct lw_cmd_iter iter = lw_mac_iter_of(stream, direction);
    struct lw_cmd cmd;

    while (lw_cmd_next(&iter, &cmd))
        ;
    return iter.stop == LW_CMD_END;
}

void lw_mac_bare_write(struct wr *wr, enum lw_direction direction, uint8_t cid)
{
    const struct lw_command *def = lw_mac_def(direction, cid);

    if (!def || def->size)
        wr->failed = true;
    else
        lw_command_write(def, wr, NULL);
}

/* ---- ForceRejoinReq -------------------------------------------------------------------------- */

/* The table has the order of LoRaMac-node; here the same 16 bits as one little-endian number. */
static const struct lw_command *force_rejoin(enum lw_force_rejoin_order order)
{
    /* clang-format off */
    static const struct lw_field fields[] = {
        LW_NUM(lw_force_rejoin_req, period, 11, 3),
        LW_NUM(lw_force_rejoin_req, max_retries, 8, 3),
        LW_NUM(lw_force_rejoin_req, rejoin_type, 4, 3),
        LW_NUM(lw_force_rejoin_req, dr, 0, 4),
        {0},
    };
    static const struct lw_command little = {LW_CID_FORCE_REJOIN, LW_DOWN, 2, 0, LW_1_1_0, 0,
        "ForceRejoinReq", sizeof(struct lw_force_rejoin_req), NULL, fields};
    /* clang-format on */

    return order == LW_FORCE_REJOIN_LITTLE ? &little : lw_mac_def(LW_DOWN, LW_CID_FORCE_REJOIN);
}

void lw_force_rejoin_req_write(struct wr *wr, const struct lw_force_rejoin_req *from,
                               enum lw_force_rejoin_order order)
{
    lw_command_write(force_rejoin(order), wr, from);
}

bool lw_force_rejoin_req_read(struct bytes payload, struct lw_force_rejoin_req *to,
                              enum lw_force_rejoin_order order)
{
    return lw_command_read(force_rejoin(order), payload, to);
}

/* ---- EIRP of TxParamSetupReq (TS001 5.8) ----------------------------------------------------- */

static const int8_t eirp_dbm[16] = {8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36};

int lw_max_eirp_dbm(uint8_t index)
{
    return eirp_dbm[index & 15];
}

uint8_t lw_max_eirp_index(int dbm)
{
    uint8_t index = 15;

    while (index > 0 && eirp_dbm[index] > dbm)
        index--;
    return index;
}
