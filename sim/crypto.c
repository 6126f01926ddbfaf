#include "sim/crypto.h"

#include "core/arena.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* One context per thread, as making one costs more than the cipher does. It remembers its key. */
struct cipher {
    EVP_CIPHER_CTX *evp;
    struct lw_key key;
    bool keyed;
};

static pthread_key_t cipher_key;
static pthread_once_t cipher_once = PTHREAD_ONCE_INIT;
static _Thread_local struct cipher *mine;

static void cipher_free(void *p)
{
    struct cipher *cipher = p;

    EVP_CIPHER_CTX_free(cipher->evp);
    free(cipher);
}

static void cipher_start(void)
{
    if (pthread_key_create(&cipher_key, cipher_free))
        abort();
}

static struct cipher *cipher_new(void)
{
    pthread_once(&cipher_once, cipher_start);
    struct cipher *cipher = xcalloc(1, sizeof(*cipher));

    cipher->evp = EVP_CIPHER_CTX_new();
    if (!cipher->evp || EVP_EncryptInit_ex(cipher->evp, EVP_aes_128_ecb(), NULL, NULL, NULL) != 1)
        abort();
    pthread_setspecific(cipher_key, cipher);
    return cipher;
}

static EVP_CIPHER_CTX *keyed(const struct lw_key *key)
{
    if (!mine)
        mine = cipher_new();
    if (mine->keyed && !memcmp(mine->key.b, key->b, sizeof(key->b)))
        return mine->evp;
    if (EVP_EncryptInit_ex(mine->evp, NULL, NULL, key->b, NULL) != 1)
        abort();
    EVP_CIPHER_CTX_set_padding(mine->evp, 0);
    mine->key = *key;
    mine->keyed = true;
    return mine->evp;
}

static void encrypt(EVP_CIPHER_CTX *evp, const uint8_t in[16], uint8_t out[16])
{
    int n = 0;

    if (EVP_EncryptUpdate(evp, out, &n, in, 16) != 1 || n != 16)
        abort();
}

void sim_aes(const struct lw_key *key, const uint8_t in[16], uint8_t out[16])
{
    encrypt(keyed(key), in, out);
}

/* Times x in GF(2^128), RFC 4493 2.3. */
static void doubled(uint8_t block[16])
{
    uint8_t carry = 0;

    for (int i = 15; i >= 0; i--) {
        uint8_t high = block[i] >> 7;

        block[i] = (uint8_t)(block[i] << 1 | carry);
        carry = high;
    }
    if (carry)
        block[15] ^= 0x87;
}

/* The message is head and body one after the other; octet i of it. */
static uint8_t octet(const struct bytes *head, const struct bytes *body, size_t i)
{
    return i < head->n ? head->p[i] : body->p[i - head->n];
}

void sim_cmac(const struct lw_key *key, struct bytes head, struct bytes body, uint8_t mac[16])
{
    EVP_CIPHER_CTX *evp = keyed(key);
    size_t n = head.n + body.n, full = n ? (n - 1) / 16 : 0;
    uint8_t x[16] = {0}, subkey[16] = {0};

    for (size_t at = 0; at < full * 16; at++) {
        x[at % 16] ^= octet(&head, &body, at);
        if (at % 16 == 15)
            encrypt(evp, x, x);
    }
    encrypt(evp, subkey, subkey);
    doubled(subkey);
    if (n == 0 || n % 16) {
        doubled(subkey);
        subkey[n % 16] ^= 0x80;
    }
    for (size_t at = full * 16; at < n; at++)
        x[at % 16] ^= octet(&head, &body, at);
    for (size_t i = 0; i < 16; i++)
        x[i] ^= subkey[i];
    encrypt(evp, x, mac);
}

void sim_ctr(const struct lw_key *key, const uint8_t a0[16], uint8_t *data, size_t n)
{
    EVP_CIPHER_CTX *evp = keyed(key);
    uint8_t a[16], s[16];

    memcpy(a, a0, 16);
    a[15] = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 16 == 0) {
            a[15]++;
            encrypt(evp, a, s);
        }
        data[i] ^= s[i % 16];
    }
}

/* splitmix64. */
uint64_t sim_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
