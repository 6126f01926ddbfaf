/* Any bytes as a message of TS002: what is read can be printed in every dialect, and what was
 * printed is read and printed again to the same; validation takes whatever was read. */
#include "tests/fuzz/fuzz.h"
#include "tests/roaming_stable.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct roam_message message, answer;
    struct roam_fault fault;
    struct arena arena;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (roam_message_read((const char *)p, n, &arena, &message, &fault) == OK) {
        roaming_check_stable(&message, &arena);
        for (enum roam_side side = ROAM_RECEIVED; side <= ROAM_SENT; side++) {
            enum err err = roam_validate(&message, side, &arena, &fault);

            assert((err == OK) == (fault.code == ROAM_SUCCESS && !fault.description));
        }
    } else {
        assert(fault.code == ROAM_MALFORMED && fault.description);
    }
    if (roam_is_answerable(&message)) {
        roam_answer_init(&answer, &message, fault);
        roaming_check_stable(&answer, &arena);
    }
    roam_message_wipe(&message);
    arena_reset(&arena);
    return 0;
}
