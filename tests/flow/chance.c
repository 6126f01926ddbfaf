/* chance.c - see chance.h. Draws may come from several threads; then their order is not told. */
#include "tests/flow/chance.h"

#include "core/bytes.h"

#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static _Atomic uint64_t state;

uint64_t chance_seed(uint64_t seed)
{
    const char *moved = getenv("GODWIT_FLOW_SEED");

    if (moved)
        seed += hash_u64(strtoull(moved, NULL, 10));
    atomic_store(&state, hash_u64(seed));
    return seed;
}

static void draw(uint8_t *to, size_t n)
{
    for (size_t at = 0; at < n; at += sizeof(uint64_t)) {
        uint64_t number = hash_u64(atomic_fetch_add(&state, 0x9e3779b97f4a7c15u));

        memcpy(to + at, &number, n - at < sizeof(number) ? n - at : sizeof(number));
    }
}

int RAND_bytes(unsigned char *to, int n)
{
    draw(to, (size_t)n);
    return 1;
}

ssize_t getrandom(void *to, size_t n, unsigned flags)
{
    (void)flags;
    draw(to, n);
    return (ssize_t)n;
}
