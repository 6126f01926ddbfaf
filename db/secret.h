/*
 * secret.h - keys at rest: AES-256-GCM under the master key.
 *
 * A sealed blob is: format 1 (1 octet) | key id (4) | nonce (12) | ciphertext | tag (16). The
 * associated data bind it to where it stands: a table name and an owner (mostly a DevEUI), so that
 * a row copied to another device does not open. The key id is the first 4 octets of
 * SHA-256("godwit key id" | key), kept with a check value in the store.
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "core/err.h"

#include <stdint.h>

#define SECRET_OVERHEAD (1 + 4 + 12 + 16)

struct secret {
    uint8_t key[32];
    uint8_t id[4];
};

void secret_init(struct secret *secret, const uint8_t master[32]);
void secret_wipe(struct secret *secret);

/* `to` has n + SECRET_OVERHEAD bytes. */
enum err secret_seal(const struct secret *secret, const char *table, uint64_t owner,
                     struct bytes plain, uint8_t *to) MUST_CHECK;
/* `to` has sealed.n - SECRET_OVERHEAD bytes. ERR_CRYPTO: another key, place, or damaged. */
enum err secret_open(const struct secret *secret, const char *table, uint64_t owner,
                     struct bytes sealed, uint8_t *to) MUST_CHECK;

/* A key for another use (tokens, ...), derived with HKDF-like HMAC-SHA-256 of the label. */
void secret_derive(const struct secret *secret, const char *label, uint8_t out[32]);

/* The master key of a data directory: GODWIT_MASTER_KEY (64 hex digits) if set, else the file
 * `<data_dir>/master-key` (0600), made if `create`. *why gets a text in `arena` on failure. */
enum err secret_load_master(const char *data_dir, bool create, uint8_t master[32],
                            struct arena *arena, const char **why) MUST_CHECK;
