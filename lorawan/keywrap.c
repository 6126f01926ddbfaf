/*
 * keywrap.c - the library's AES key wrap, with a context for each use: keys are wrapped when a
 * device joins or roams, not for each frame.
 */
#include "lorawan/keywrap.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good)
{
    if (!good)
        abort();
}

static bool is_length(size_t n)
{
    return n == 16 || n == 24 || n == 32;
}

static const EVP_CIPHER *cipher_of(const struct lw_kek *kek)
{
    switch (kek->n) {
    case 24: return EVP_aes_192_wrap();
    case 32: return EVP_aes_256_wrap();
    default: return EVP_aes_128_wrap();
    }
}

static EVP_CIPHER_CTX *context(const struct lw_kek *kek, int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    assert(is_length(kek->n)); /* one that was never read is all zero: a key that all know */
    must(ctx != NULL);
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    must(EVP_CipherInit_ex(ctx, cipher_of(kek), NULL, kek->b, NULL, encrypt) == 1);
    return ctx;
}

enum err lw_kek_read(struct bytes octets, struct lw_kek *kek)
{
    *kek = (struct lw_kek){0};
    if (!is_length(octets.n))
        return ERR_INVALID;
    kek->n = (uint8_t)octets.n;
    memcpy(kek->b, octets.p, octets.n);
    return OK;
}

void lw_kek_wipe(struct lw_kek *kek)
{
    OPENSSL_cleanse(kek, sizeof(*kek));
}

void lw_key_wrap(const struct lw_kek *kek, const struct lw_key *key, uint8_t wrapped[LW_WRAPPED])
{
    EVP_CIPHER_CTX *ctx = context(kek, 1);
    int n = 0;

    must(EVP_CipherUpdate(ctx, wrapped, &n, key->b, sizeof(key->b)) == 1);
    EVP_CIPHER_CTX_free(ctx);
}

enum err lw_key_unwrap(const struct lw_kek *kek, struct bytes wrapped, struct lw_key *key)
{
    uint8_t plain[LW_WRAPPED]; /* the library may use the room of the wrapped form */
    EVP_CIPHER_CTX *ctx;
    enum err err;
    int n = 0;

    *key = (struct lw_key){0};
    if (wrapped.n != LW_WRAPPED)
        return ERR_MALFORMED;
    ctx = context(kek, 0);
    /* A refusal is an answer: left in the library's queue it would pass for an error of whatever
     * this thread asks of it next, such as TLS. */
    (void)ERR_set_mark();
    err = EVP_CipherUpdate(ctx, plain, &n, wrapped.p, LW_WRAPPED) == 1 ? OK : ERR_CRYPTO;
    (void)ERR_pop_to_mark();
    EVP_CIPHER_CTX_free(ctx);
    if (err == OK)
        memcpy(key->b, plain, sizeof(key->b));
    OPENSSL_cleanse(plain, sizeof(plain));
    return err;
}
