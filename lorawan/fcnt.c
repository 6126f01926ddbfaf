/*
 * fcnt.c - widen the 16 bit frame counter to the 32 bits that are signed.
 *
 * We keep `next`, the counter after the last accepted frame, and choose the one candidate at or
 * after it. A replayed frame is thereby given a counter it was not signed with, and fails its MIC
 * a step later; so there is no replay window to tune here. No limit on the gap either: a device
 * that was silent for long is found again, and the price is only that 65536 lost frames are not.
 */
#include "lorawan/fcnt.h"

#define ROLL 0x10000u

enum lw_fcnt lw_fcnt_widen(uint32_t next, uint16_t sent, uint32_t *full)
{
    uint32_t candidate = (next & ~(ROLL - 1)) | sent;

    /* `next` 0 has no frame before it: 65535 is then a new counter, no repetition (F-7). */
    if (next > 0 && sent == (uint16_t)(next - 1)) {
        *full = next - 1;
        return LW_FCNT_REPEAT;
    }
    if (candidate < next)
        candidate += ROLL;
    *full = candidate;

    /* All 32 bits are spent: using one again would use its key stream again. */
    return candidate < next ? LW_FCNT_EXHAUSTED : LW_FCNT_NEW;
}

bool lw_fcnt_reset_candidate(uint32_t next, uint16_t sent, uint32_t *full)
{
    uint32_t usual;

    if (lw_fcnt_widen(next, sent, &usual) != LW_FCNT_EXHAUSTED && usual == sent)
        return false;
    *full = sent;
    return true;
}

uint32_t lw_fcnt_from_last(uint32_t last, uint16_t sent, bool wide)
{
    if (!wide)
        return sent;
    if (sent >= (last & (ROLL - 1)))
        return (last & ~(ROLL - 1)) | sent;
    if (last < 0xffff0000u)
        return ((last + ROLL) & ~(ROLL - 1)) | sent;
    return sent;
}
