/*
 * fcnt.h - from the 16 bits of a counter on air to the 32 bits that are signed (TS001 4.3.1.5,
 * mac-layer reference 2.1). A candidate is only chosen here; the MIC decides. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum lw_fcnt { LW_FCNT_NEW, LW_FCNT_REPEAT, LW_FCNT_EXHAUSTED };

/* `next` is the counter after the last accepted one (0: none was accepted yet). REPEAT: the low
 * half is that of the last accepted frame. EXHAUSTED: no counter at or after `next` is left; *full
 * then wrapped round and must not be used. */
enum lw_fcnt lw_fcnt_widen(uint32_t next, uint16_t sent, uint32_t *full);

/* A device that began again at 0 (ABP reset): true, with the bare 16 bits as second candidate, if
 * that differs from what lw_fcnt_widen gives. */
bool lw_fcnt_reset_candidate(uint32_t next, uint16_t sent, uint32_t *full);

/* From the last seen counter instead (other servers' form; at roaming). `wide` false: the device
 * counts 16 bits only. */
uint32_t lw_fcnt_from_last(uint32_t last, uint16_t sent, bool wide);
