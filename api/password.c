/*
 * password.c - the only file that knows libargon2.
 *
 * An unknown e-mail is verified against a hash that nothing matches, so that the time of an answer
 * does not tell which users exist.
 */
#include "api/password.h"

#include "api/auth.h"

#include <argon2.h>
#include <string.h>

#define PASSES     2
#define MEMORY_KIB 19456
#define LANES      1
#define HASH_N     32
#define SALT_N     16

static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

const char *password_hash(const char *password, struct arena *arena)
{
    uint8_t salt[SALT_N];
    size_t room = argon2_encodedlen(PASSES, MEMORY_KIB, LANES, SALT_N, HASH_N, Argon2_id);
    char *encoded = arena_alloc(arena, room);

    auth_random(salt, sizeof(salt));
    if (argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, strlen(password), salt,
                              sizeof(salt), HASH_N, encoded, room) != ARGON2_OK)
        return NULL;
    return encoded;
}

bool password_verify(const char *password, const char *encoded)
{
    bool known = encoded && *encoded;

    return argon2id_verify(known ? encoded : nobody, password, strlen(password)) == ARGON2_OK &&
           known;
}
