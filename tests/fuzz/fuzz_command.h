/*
 * fuzz_command.h - the round trip of a command that was read: payload, struct, payload.
 */
#pragma once

#include "lorawan/command.h"

#include <assert.h>
#include <string.h>

static inline size_t rewrite(const struct lw_command *def, struct bytes payload,
                             uint8_t out[1 + LW_COMMAND_MAX])
{
    _Alignas(8) uint8_t room[512];
    struct wr wr = wr_of(out, 1 + LW_COMMAND_MAX);
    bool good = lw_command_read(def, payload, room);

    assert(good && def->size <= sizeof(room));
    lw_command_write(def, &wr, room);
    assert(!wr.failed && out[0] == def->cid);
    return wr_len(&wr) - 1;
}

static inline void check_command(const struct lw_cmd *cmd)
{
    uint8_t once[1 + LW_COMMAND_MAX], twice[1 + LW_COMMAND_MAX];
    struct bytes written;

    if (cmd->payload.n > LW_COMMAND_MAX)
        return; /* longer than any frame */
    written = (struct bytes){once + 1, rewrite(cmd->def, cmd->payload, once)};
    assert(written.n == cmd->payload.n);
    assert(rewrite(cmd->def, written, twice) == written.n && !memcmp(once, twice, 1 + written.n));
    for (const struct lw_field *field = cmd->def->fields; field->name; field++) {
        if (lw_field_is_number(field))
            assert(lw_field_get(field, written) == lw_field_get(field, cmd->payload));
        else if (field->encoding != LW_LIST)
            assert(
                bytes_equal(lw_field_range(field, written), lw_field_range(field, cmd->payload)));
    }
}
