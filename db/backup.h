/*
 * backup.h - copies of a SQLite store: made while it is in use, checked, put back in place.
 *
 * These work on files, without the store's lock: a copy is a read (WAL readers do not disturb the
 * writer). Putting a copy back is for a stopped server only; the caller holds no store open.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"

#include <stdint.h>

/* Writes a consistent copy of `file` to `to`, which must not exist. *why: text in `arena`. */
enum err backup_copy(const char *file, const char *to, struct arena *arena,
                     const char **why) MUST_CHECK;

/* Whether a copy can be restored: readable, whole, of a known schema, under this master key. */
enum err backup_verify(const char *file, const uint8_t master[32], struct arena *arena,
                       const char **why) MUST_CHECK;

/* Puts the copy in place of `file` (atomically, by rename) and moves all JoinNonces on, so that
 * none is used twice: devices may have seen later ones than the copy knows. */
#define RESTORE_JOIN_NONCE_JUMP 4096
enum err backup_restore(const char *copy, const char *file, struct arena *arena,
                        const char **why) MUST_CHECK;
