/*
 * tls.h - looks at a certificate and its key before a listener is given them.
 *
 * libmicrohttpd says only that it could not start; people want to know which file is wrong.
 */
#pragma once

#include "core/err.h"

#include <stdint.h>

/* Reads both PEM texts. ERR_MALFORMED: one cannot be read; ERR_INVALID: the key is not that of the
 * (first) certificate; *why says which, in static memory. *expires_us: when the certificate ends
 * (UTC), which may be past. */
enum err tls_check(const char *cert_pem, const char *key_pem, int64_t *expires_us,
                   const char **why) MUST_CHECK;
