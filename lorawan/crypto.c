/*
 * crypto.c - AES and CMAC on EVP contexts that a thread keeps and re-keys.
 *
 * Creating a context and fetching the cipher costs many times what a frame's MIC does; re-keying a
 * kept one costs about the key schedule. The library's own CMAC object is several times slower to
 * re-key than a CMAC written over ECB, which is why it is written here.
 */
#include "lorawan/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct contexts {
    EVP_CIPHER_CTX *encrypt, *decrypt;
};

static _Thread_local struct contexts mine;
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;

static void must(int good)
{
    if (good != 1)
        abort();
}

static void contexts_fini(void *arg)
{
    struct contexts *c = arg;

    EVP_CIPHER_CTX_free(c->encrypt);
    EVP_CIPHER_CTX_free(c->decrypt);
    *c = (struct contexts){0};
}

static void at_exit_create(void)
{
    must(pthread_key_create(&at_exit, contexts_fini) == 0);
}

/* The first use on a thread: fetches the cipher once, with a key that is replaced at once. */
static void contexts_init(void)
{
    static const struct lw_key any;

    pthread_once(&at_exit_once, at_exit_create);
    mine.encrypt = EVP_CIPHER_CTX_new();
    mine.decrypt = EVP_CIPHER_CTX_new();
    must(mine.encrypt != NULL);
    must(mine.decrypt != NULL);
    must(EVP_EncryptInit_ex(mine.encrypt, EVP_aes_128_ecb(), NULL, any.b, NULL));
    must(EVP_DecryptInit_ex(mine.decrypt, EVP_aes_128_ecb(), NULL, any.b, NULL));
    EVP_CIPHER_CTX_set_padding(mine.encrypt, 0);
    EVP_CIPHER_CTX_set_padding(mine.decrypt, 0);
    must(pthread_setspecific(at_exit, &mine) == 0);
}

static EVP_CIPHER_CTX *keyed_encrypt(const struct lw_key *key)
{
    if (!mine.encrypt)
        contexts_init();
    must(EVP_EncryptInit_ex(mine.encrypt, NULL, NULL, key->b, NULL));
    return mine.encrypt;
}

static void encrypt_block(EVP_CIPHER_CTX *ctx, const uint8_t *in, uint8_t *out)
{
    int n = 0;

    must(EVP_EncryptUpdate(ctx, out, &n, in, LW_BLOCK));
}

void lw_aes_encrypt_blocks(const struct lw_key *key, const uint8_t *in, uint8_t *out, size_t n)
{
    EVP_CIPHER_CTX *ctx = keyed_encrypt(key);

    for (size_t i = 0; i < n; i++)
        encrypt_block(ctx, in + i * LW_BLOCK, out + i * LW_BLOCK);
}

void lw_aes_decrypt_blocks(const struct lw_key *key, const uint8_t *in, uint8_t *out, size_t n)
{
    if (!mine.decrypt)
        contexts_init();
    must(EVP_DecryptInit_ex(mine.decrypt, NULL, NULL, key->b, NULL));
    for (size_t i = 0; i < n; i++) {
        int len = 0;

        must(
            EVP_DecryptUpdate(mine.decrypt, out + i * LW_BLOCK, &len, in + i * LW_BLOCK, LW_BLOCK));
    }
}

void lw_aes_encrypt(const struct lw_key *key, const uint8_t in[LW_BLOCK], uint8_t out[LW_BLOCK])
{
    encrypt_block(keyed_encrypt(key), in, out);
}

void lw_aes_decrypt(const struct lw_key *key, const uint8_t in[LW_BLOCK], uint8_t out[LW_BLOCK])
{
    lw_aes_decrypt_blocks(key, in, out, 1);
}

/* ---- CMAC ------------------------------------------------------------------------------------ */

/* Doubling in GF(2^128), RFC 4493 2.3; without a branch on secret bits. */
static void subkey_double(uint8_t k[LW_BLOCK])
{
    uint8_t carry = (uint8_t)(k[0] >> 7);

    for (size_t i = 0; i + 1 < LW_BLOCK; i++)
        k[i] = (uint8_t)((k[i] << 1) | (k[i + 1] >> 7));
    k[LW_BLOCK - 1] = (uint8_t)((k[LW_BLOCK - 1] << 1) ^ (0x87 & -carry));
}

/* A message under way: `chain` is the CBC state, `held` the last block, not yet full or not yet
 * known to be the last. */
struct cmac {
    EVP_CIPHER_CTX *ctx;
    uint8_t chain[LW_BLOCK], held[LW_BLOCK];
    size_t have;
};

static void cmac_mix(struct cmac *c)
{
    for (size_t i = 0; i < LW_BLOCK; i++)
        c->chain[i] ^= c->held[i];
    encrypt_block(c->ctx, c->chain, c->chain);
}

static void cmac_update(struct cmac *c, struct bytes part)
{
    while (part.n) {
        size_t take;

        if (c->have == LW_BLOCK) {
            cmac_mix(c);
            c->have = 0;
        }
        take = LW_BLOCK - c->have < part.n ? LW_BLOCK - c->have : part.n;
        memcpy(c->held + c->have, part.p, take);
        c->have += take;
        part = (struct bytes){part.p + take, part.n - take};
    }
}

static void cmac_final(struct cmac *c, uint8_t mac[LW_BLOCK])
{
    uint8_t subkey[LW_BLOCK] = {0};

    encrypt_block(c->ctx, subkey, subkey);
    subkey_double(subkey);
    if (c->have < LW_BLOCK) {
        subkey_double(subkey);
        memset(c->held + c->have, 0, LW_BLOCK - c->have);
        c->held[c->have] = 0x80;
    }
    for (size_t i = 0; i < LW_BLOCK; i++)
        c->held[i] ^= subkey[i];
    cmac_mix(c);
    memcpy(mac, c->chain, LW_BLOCK);
    OPENSSL_cleanse(subkey, sizeof(subkey));
}

void lw_cmac(const struct lw_key *key, const struct bytes *parts, size_t count,
             uint8_t mac[LW_BLOCK])
{
    struct cmac c = {.ctx = keyed_encrypt(key)};

    for (size_t i = 0; i < count; i++)
        cmac_update(&c, parts[i]);
    cmac_final(&c, mac);
}

uint32_t lw_cmac_mic(const struct lw_key *key, const struct bytes *parts, size_t count)
{
    uint8_t mac[LW_BLOCK];
    struct rd rd = rd_of(mac, sizeof(mac));

    lw_cmac(key, parts, count, mac);
    return rd_u32le(&rd);
}
