/* uuid.c - version 7 for new records, version 5 for ids that must come out the same again. */
#include "db/model.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

bool uuid_is_zero(const struct uuid *id)
{
    static const struct uuid zero;

    return memcmp(id, &zero, sizeof(zero)) == 0;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

uint64_t uuid_hash(const struct uuid *id)
{
    return bytes_hash((struct bytes){id->b, sizeof(id->b)}, 0);
}

char *uuid_text(char *to, const struct uuid *id)
{
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    const uint8_t *from = id->b;
    char *p = to;

    for (size_t i = 0; i < sizeof(groups); i++) {
        if (i)
            *p++ = '-';
        (void)hex_write(p, from, groups[i]);
        p += (size_t)2 * groups[i];
        from += groups[i];
    }
    return to;
}

bool uuid_read(struct uuid *id, const char *text)
{
    static const uint8_t dashes[] = {8, 13, 18, 23};

    if (strlen(text) != UUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < sizeof(dashes); i++) {
        if (text[dashes[i]] != '-')
            return false;
    }
    return hex_read(id->b, sizeof(id->b), text, UUID_TEXT - 1);
}

static void set_version(struct uuid *id, unsigned version)
{
    id->b[6] = (uint8_t)((id->b[6] & 0x0f) | version << 4);
    id->b[8] = (uint8_t)((id->b[8] & 0x3f) | 0x80);
}

struct uuid uuid_new(int64_t utc_us)
{
    struct uuid id;
    uint64_t ms = (uint64_t)(utc_us / 1000);

    if (RAND_bytes(id.b, sizeof(id.b)) != 1)
        abort(); /* no randomness: nothing here would be safe */
    for (unsigned i = 0; i < 6; i++)
        id.b[i] = (uint8_t)(ms >> (40 - 8 * i));
    set_version(&id, 7);
    return id;
}

static const EVP_MD *digest_method;
static pthread_once_t digest_once = PTHREAD_ONCE_INIT;

/* Fetched once: it costs many times what it does on these few octets. */
static void fetch_digest(void)
{
    digest_method = EVP_MD_fetch(NULL, "SHA1", NULL);
}

static void sha1(const uint8_t *in, size_t n, uint8_t digest[20])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    (void)pthread_once(&digest_once, fetch_digest);
    if (!ctx || !digest_method || EVP_DigestInit_ex(ctx, digest_method, NULL) != 1 ||
        EVP_DigestUpdate(ctx, in, n) != 1 || EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
}

struct uuid uuid_derive(const void *name, size_t n)
{
    /* Godwit's name space, drawn once. */
    static const uint8_t space[16] = {0x6f, 0x0d, 0x9b, 0x1c, 0x52, 0x7e, 0x4a, 0x3b,
                                      0x9d, 0x44, 0x2e, 0x8c, 0x71, 0xa5, 0x03, 0xf6};
    uint8_t input[16 + 64], digest[20];
    struct uuid id;

    if (n > 64)
        abort(); /* our own names are short */
    memcpy(input, space, 16);
    memcpy(input + 16, name, n);
    sha1(input, 16 + n, digest);
    memcpy(id.b, digest, sizeof(id.b));
    set_version(&id, 5);
    return id;
}
