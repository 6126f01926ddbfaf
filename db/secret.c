/* secret.c - sealing with AES-256-GCM, and the master key's file. */
#include "db/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT 1

void secret_init(struct secret *secret, const uint8_t master[32])
{
    static const char label[] = "godwit key id";
    uint8_t input[sizeof(label) - 1 + 32], digest[32];

    memcpy(secret->key, master, 32);
    memcpy(input, label, sizeof(label) - 1);
    memcpy(input + sizeof(label) - 1, master, 32);
    (void)SHA256(input, sizeof(input), digest);
    memcpy(secret->id, digest, sizeof(secret->id));
    OPENSSL_cleanse(input, sizeof(input));
}

void secret_wipe(struct secret *secret)
{
    OPENSSL_cleanse(secret, sizeof(*secret));
}

void secret_derive(const struct secret *secret, const char *label, uint8_t out[32])
{
    unsigned n = 32;

    (void)HMAC(EVP_sha256(), secret->key, 32, (const unsigned char *)label, strlen(label), out, &n);
}

/* One context per thread, since creating one costs more than sealing; it ends with its thread. */
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;

static void context_free(void *ctx)
{
    EVP_CIPHER_CTX_free(ctx);
}

static void at_exit_create(void)
{
    if (pthread_key_create(&at_exit, context_free) != 0)
        abort(); /* no thread-specific data left: our own bug */
}

static EVP_CIPHER_CTX *context(void)
{
    static _Thread_local EVP_CIPHER_CTX *ctx;

    if (!ctx) {
        (void)pthread_once(&at_exit_once, at_exit_create);
        ctx = EVP_CIPHER_CTX_new();
        /* The cipher is looked up here once: each time it would cost more than its work. */
        if (ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL) != 1) {
            EVP_CIPHER_CTX_free(ctx);
            ctx = NULL;
        }
        (void)pthread_setspecific(at_exit, ctx);
    }
    return ctx;
}

/* The associated data: owner (8 octets) and the table's name. */
static int associated(uint8_t *to, const char *table, uint64_t owner)
{
    struct wr wr = wr_of(to, 64);

    wr_u64be(&wr, owner);
    wr_copy(&wr, table, strlen(table));
    return wr.failed ? -1 : (int)wr_len(&wr);
}

enum err secret_seal(const struct secret *secret, const char *table, uint64_t owner,
                     struct bytes plain, uint8_t *to)
{
    EVP_CIPHER_CTX *ctx = context();
    uint8_t aad[64], *nonce = to + 5, *cipher = to + 17;
    int aad_n = associated(aad, table, owner), n;

    to[0] = FORMAT;
    memcpy(to + 1, secret->id, 4);
    if (!ctx || aad_n < 0 || RAND_bytes(nonce, 12) != 1 ||
        EVP_EncryptInit_ex(ctx, NULL, NULL, secret->key, nonce) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &n, aad, aad_n) != 1 ||
        EVP_EncryptUpdate(ctx, cipher, &n, plain.p, (int)plain.n) != 1 ||
        EVP_EncryptFinal_ex(ctx, cipher + plain.n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, cipher + plain.n) != 1)
        return ERR_CRYPTO;
    return OK;
}

enum err secret_open(const struct secret *secret, const char *table, uint64_t owner,
                     struct bytes sealed, uint8_t *to)
{
    EVP_CIPHER_CTX *ctx = context();
    uint8_t aad[64], tag[16];
    int aad_n = associated(aad, table, owner), n;
    size_t plain_n;

    if (sealed.n < SECRET_OVERHEAD || sealed.p[0] != FORMAT ||
        memcmp(sealed.p + 1, secret->id, 4) != 0)
        return ERR_CRYPTO;
    plain_n = sealed.n - SECRET_OVERHEAD;
    memcpy(tag, sealed.p + 17 + plain_n, 16);
    if (!ctx || aad_n < 0 || EVP_DecryptInit_ex(ctx, NULL, NULL, secret->key, sealed.p + 5) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &n, aad, aad_n) != 1 ||
        EVP_DecryptUpdate(ctx, to, &n, sealed.p + 17, (int)plain_n) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, 16, tag) != 1 ||
        EVP_DecryptFinal_ex(ctx, to + plain_n, &n) != 1) {
        OPENSSL_cleanse(to, plain_n);
        return ERR_CRYPTO;
    }
    return OK;
}

static enum err read_key_file(const char *file, uint8_t master[32], struct arena *arena,
                              const char **why)
{
    char text[80] = {0};
    size_t len;
    FILE *in = fopen(file, "re");

    if (!in) {
        *why = arena_printf(arena, "%s: %s", file, strerror(errno));
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    }
    len = fread(text, 1, sizeof(text) - 1, in);
    (void)fclose(in);
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (!hex_read(master, 32, text, len)) {
        *why = arena_printf(arena, "%s: must be 64 hex digits", file);
        return ERR_CRYPTO;
    }
    OPENSSL_cleanse(text, sizeof(text));
    return OK;
}

static enum err make_key_file(const char *file, uint8_t master[32], struct arena *arena,
                              const char **why)
{
    char text[66];
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good;

    if (fd < 0 || RAND_bytes(master, 32) != 1) {
        *why = arena_printf(arena, "%s: %s", file, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return ERR_IO;
    }
    (void)hex_write(text, master, 32);
    text[64] = '\n';
    good = write(fd, text, 65) == 65 && fsync(fd) == 0;
    (void)close(fd);
    OPENSSL_cleanse(text, sizeof(text));
    if (good)
        return OK;
    (void)unlink(file);
    *why = arena_printf(arena, "%s: cannot be written", file);
    return ERR_IO;
}

enum err secret_load_master(const char *data_dir, bool create, uint8_t master[32],
                            struct arena *arena, const char **why)
{
    const char *env = getenv("GODWIT_MASTER_KEY");
    const char *file = arena_printf(arena, "%s/master-key", data_dir);
    enum err err;

    if (env && *env) {
        if (hex_read(master, 32, env, strlen(env)))
            return OK;
        *why = "GODWIT_MASTER_KEY must be 64 hex digits";
        return ERR_CRYPTO;
    }
    err = read_key_file(file, master, arena, why);
    return err == ERR_NOT_FOUND && create ? make_key_file(file, master, arena, why) : err;
}
