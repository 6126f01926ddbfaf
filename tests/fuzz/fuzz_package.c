/* Any octets as a payload of each package, both ways and in both versions: each command becomes its
 * struct and is written again. The first octet chooses package, version and direction. */
#include "package/package.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const int ports[] = {200, 201, 202, 203, 224, 225};
    struct pkg_iter iter;
    struct lw_cmd cmd;

    if (!n)
        return 0;
    iter = pkg_iter_of(pkg_by_port(ports[p[0] % 6]), 1 + (p[0] >> 6 & 1),
                       (struct bytes){p + 1, n - 1}, p[0] >> 7 ? LW_DOWN : LW_UP);
    while (pkg_next(&iter, &cmd))
        check_command(&cmd);
    assert(iter.commands.at <= iter.commands.stream.n);
    assert((iter.commands.at == iter.commands.stream.n) == (iter.commands.stop == LW_CMD_END));
    return 0;
}
