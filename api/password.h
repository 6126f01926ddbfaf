/*
 * password.h - passwords of users as argon2id hashes (RFC 9106; 19 MiB, 2 passes, 1 lane).
 * About 30 ms of one core each: on API workers only.
 */
#pragma once

#include "core/arena.h"

#include <stdbool.h>

#define PASSWORD_MIN 10

/* The encoded hash under a fresh salt. */
const char *password_hash(const char *password, struct arena *arena);

/* `encoded` NULL or "": takes as long as any other, and is false. */
bool password_verify(const char *password, const char *encoded);
