/* Any octets as a stream of MAC commands, both ways: every field can be read and put back. */
#include "lorawan/mac.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

static void check_fields(const struct lw_mac_cmd *cmd)
{
    uint8_t copy[64];

    assert(cmd->payload.n <= sizeof(copy));
    if (cmd->payload.n)
        memcpy(copy, cmd->payload.p, cmd->payload.n);
    for (size_t i = 0; i < LW_MAC_FIELDS_MAX && cmd->def->fields[i].name; i++) {
        const struct lw_mac_field *field = &cmd->def->fields[i];
        enum err err;

        if (field->encoding == LW_MAC_HEX)
            err = lw_mac_put_range(field, copy, cmd->payload.n,
                                   lw_mac_get_range(field, cmd->payload));
        else
            err = lw_mac_put(field, copy, cmd->payload.n, lw_mac_get(field, cmd->payload));
        assert(err == OK);
    }
    assert(!cmd->payload.n || !memcmp(copy, cmd->payload.p, cmd->payload.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    for (int direction = LW_UP; direction <= LW_DOWN; direction++) {
        struct lw_mac_iter iter = lw_mac_iter_of((struct bytes){p, n}, direction);
        struct lw_mac_cmd cmd;

        while (lw_mac_next(&iter, &cmd))
            check_fields(&cmd);
        assert(iter.at <= n && (iter.at == n) == (iter.stop == LW_MAC_END));
    }
    return 0;
}
