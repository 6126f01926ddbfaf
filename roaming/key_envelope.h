/*
 * key_envelope.h - session keys into KeyEnvelopes and out of them (TS002, KeyEnvelope).
 *
 * Whoever sends a key decides whether it is wrapped. KEKs are agreed on offline; a peer has a list
 * of them, so that an old and a new one are valid at a time, also under one label. Pure.
 */
#pragma once

#include "lorawan/keywrap.h"
#include "roaming/object.h"

struct roam_kek {
    const char *label; /* not empty */
    struct lw_kek kek;
};

/* Wraps a key; `kek` NULL: in clear, with an empty label. The octets come from the arena: wipe the
 * message that holds them (roam_message_wipe). */
void roam_key_wrap(const struct roam_kek *kek, const struct lw_key *key, struct arena *arena,
                   struct roam_key_envelope *envelope);

/* Takes the key out. ERR_NOT_FOUND if there is no KEK of that label, ERR_MALFORMED if it has no key
 * or one of a wrong length, ERR_CRYPTO if it was altered or wrapped with another KEK; *key is zero
 * then. */
enum err roam_key_unwrap(const struct roam_key_envelope *envelope, const struct roam_kek *keks,
                         size_t count, struct lw_key *key) MUST_CHECK;
