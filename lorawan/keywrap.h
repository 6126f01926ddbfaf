/*
 * keywrap.h - session keys wrapped for a partner: AES key wrap (RFC 3394), as TS002 carries them in
 * a KeyEnvelope.
 *
 * A key-encryption key (KEK) has 128, 192 or 256 bits; which, two operators agree on with its
 * label. The key inside is always a session key of 128 bits. Pure; any thread.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/types.h"

#define LW_WRAPPED 24 /* octets of a wrapped key: the key and eight for its integrity */

struct lw_kek {
    uint8_t n; /* 16, 24 or 32 */
    uint8_t b[32];
};

/* Takes a KEK over. ERR_INVALID if it has another length than 16, 24 or 32 octets. */
enum err lw_kek_read(struct bytes octets, struct lw_kek *kek) MUST_CHECK;
void lw_kek_wipe(struct lw_kek *kek);

/* With the initial value of RFC 3394 2.2.3.1. Here and below the KEK must be one that lw_kek_read
 * took. */
void lw_key_wrap(const struct lw_kek *kek, const struct lw_key *key, uint8_t wrapped[LW_WRAPPED]);

/* ERR_MALFORMED if it is not LW_WRAPPED octets, ERR_CRYPTO if it was not wrapped with this KEK or
 * was altered; *key is zero then. */
enum err lw_key_unwrap(const struct lw_kek *kek, struct bytes wrapped,
                       struct lw_key *key) MUST_CHECK;
