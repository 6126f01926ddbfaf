/*
 * crypto.h - AES-128 and CMAC for the simulator, apart from lorawan/crypto on purpose: frames of
 * the server and of the simulated devices share no code, so that a shared mistake shows.
 *
 * Any thread. A failure of the library means a broken installation and aborts.
 */
#pragma once

#include "core/bytes.h"
#include "lorawan/types.h"

/* One block, E(K, x). `out` may be `in`. */
void sim_aes(const struct lw_key *key, const uint8_t in[16], uint8_t out[16]);

/* CMAC(key, head | body), RFC 4493. A MIC is its first four octets, in the order on air. */
void sim_cmac(const struct lw_key *key, struct bytes head, struct bytes body, uint8_t mac[16]);

/* LoRaWAN's counter mode (TS001 4.3.3): XORs `n` octets of `data` with the blocks that follow from
 * `a0`, whose octet 15 counts from 1. */
void sim_ctr(const struct lw_key *key, const uint8_t a0[16], uint8_t *data, size_t n);

/* A number from a seed and an index; the simulator's only source of chance. */
uint64_t sim_random(uint64_t *state);
