/*
 * chance.h - the server's random numbers, drawn from a seed.
 *
 * A program that links this has its own RAND_bytes and getrandom in front of those of the
 * libraries: sessions, device addresses, identifiers and tokens come from the seed, and a failing
 * seed replays. GODWIT_FLOW_SEED (a number) in the environment moves every seed: `./dev soak` draws
 * it.
 */
#pragma once

#include <stdint.h>

/* Starts anew; returns the seed as it was moved. */
uint64_t chance_seed(uint64_t seed);
