/* tls.c - see tls.h. */
#include "net/tls.h"

#include "core/clock.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* A key under a passphrase is refused: nobody is there to type it. (The library gives the type.) */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_passphrase(char *to, int room, int writing, void *arg)
{
    (void)to;
    (void)room;
    (void)writing;
    (void)arg;
    return 0;
}

static BIO *text_of(const char *pem)
{
    return BIO_new_mem_buf(pem, (int)strlen(pem));
}

static int64_t expiry_of(const X509 *cert)
{
    struct tm tm;

    if (!ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm))
        return 0;
    return (int64_t)timegm(&tm) * US_PER_S;
}

static enum err judge(X509 *cert, EVP_PKEY *key, const char **why)
{
    if (!cert || !key) {
        *why = !cert ? "the certificate is not PEM or damaged"
                     : "the key is not PEM, damaged or under a passphrase";
        return ERR_MALFORMED;
    }
    if (X509_check_private_key(cert, key) != 1) {
        *why = "the key is not that of the certificate";
        return ERR_INVALID;
    }
    return OK;
}

enum err tls_check(const char *cert_pem, const char *key_pem, int64_t *expires_us, const char **why)
{
    BIO *cert_text = text_of(cert_pem), *key_text = text_of(key_pem);
    X509 *cert = cert_text ? PEM_read_bio_X509(cert_text, NULL, no_passphrase, NULL) : NULL;
    EVP_PKEY *key = key_text ? PEM_read_bio_PrivateKey(key_text, NULL, no_passphrase, NULL) : NULL;
    enum err err = judge(cert, key, why);

    *expires_us = cert ? expiry_of(cert) : 0;
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(cert_text);
    BIO_free(key_text);
    ERR_clear_error();
    return err;
}
