/*
 * fault_vfs.h - a file layer for SQLite that fails when it is told to.
 *
 * "fault" stands over the default layer and counts the operations that reach the disk (open, write,
 * sync, truncate, delete). Operation number `at` and, if `forever`, all that follow fail with
 * `code`. Syncs are not really done. What was written after the last sync of a file is remembered,
 * so that fault_power_loss can take some of it back, as if the machine had lost its power. One
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fault {
    unsigned at; /* 0: never */
    bool forever;
    int code;       /* an SQLite result; 0: the I/O error that suits the operation */
    unsigned count; /* operations so far */
    unsigned hits;  /* how many failed */
};

extern struct fault fault;

/* Registers the layer; may be called again. Its name is "fault". */
void fault_register(void);

/* Forgets what was not synced and starts to count anew, without faults. */
void fault_reset(void);

/* After everything was closed: each unsynced write is taken back, or not, by the seed (0: all). */
void fault_power_loss(uint64_t seed);
