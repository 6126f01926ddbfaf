/*
 * crypto.h - AES-128 on single blocks and AES-CMAC (RFC 4493), the primitives of LoRaWAN.
 *
 * Each thread keeps one context per direction and re-keys it for every use; the context ends with
 * its thread. Nothing is fetched or allocated after a thread's first call. None of these can fail
 * for a reason that lies in the input: a refusal by the library is our own bug and aborts.
 */
#pragma once

#include "core/bytes.h"
#include "lorawan/types.h"

#define LW_BLOCK 16

/* One block each; `in` and `out` may be the same. */
void lw_aes_encrypt(const struct lw_key *key, const uint8_t in[LW_BLOCK], uint8_t out[LW_BLOCK]);
void lw_aes_decrypt(const struct lw_key *key, const uint8_t in[LW_BLOCK], uint8_t out[LW_BLOCK]);

/* `n` independent blocks (ECB), in place or not. */
void lw_aes_encrypt_blocks(const struct lw_key *key, const uint8_t *in, uint8_t *out, size_t n);
void lw_aes_decrypt_blocks(const struct lw_key *key, const uint8_t *in, uint8_t *out, size_t n);

/* CMAC over the parts one after another, as if they were one message. Parts may be empty; any
 * total length. */
void lw_cmac(const struct lw_key *key, const struct bytes *parts, size_t count,
             uint8_t mac[LW_BLOCK]);

/* The first four octets of the CMAC as a number (first octet lowest): the form of a MIC here. */
uint32_t lw_cmac_mic(const struct lw_key *key, const struct bytes *parts, size_t count);
