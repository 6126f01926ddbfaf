/* Any octets as a stream of MAC commands, both ways: each command becomes its struct and is written
 * again; then only reserved bits may have changed, and never twice. */
#include "lorawan/mac.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    for (int direction = LW_UP; direction <= LW_DOWN; direction++) {
        struct lw_cmd_iter iter =
            lw_mac_iter_of((struct bytes){p, n}, (enum lw_direction)direction);
        struct lw_cmd cmd;

        while (lw_cmd_next(&iter, &cmd))
            check_command(&cmd);
        assert(iter.at <= n && (iter.at == n) == (iter.stop == LW_CMD_END));
    }
    return 0;
}
