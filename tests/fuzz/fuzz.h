/*
 * fuzz.h - the entry of every fuzz target; libFuzzer or replay_main.c calls it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
