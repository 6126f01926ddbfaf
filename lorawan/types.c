/* types.c - text forms of identifiers and versions, wiping of keys. */
#include "lorawan/types.h"

#include "core/bytes.h"

#include <openssl/crypto.h>

static char *text_be(char *to, uint64_t v, size_t octets)
{
    uint8_t be[8];

    for (size_t i = 0; i < octets; i++)
        be[i] = (uint8_t)(v >> (8 * (octets - 1 - i)));
    return hex_write(to, be, octets);
}

char *lw_eui_text(char *to, struct lw_eui eui)
{
    return text_be(to, eui.v, 8);
}

char *lw_dev_addr_text(char *to, struct lw_dev_addr addr)
{
    return text_be(to, addr.v, 4);
}

void lw_key_wipe(struct lw_key *key)
{
    OPENSSL_cleanse(key->b, sizeof(key->b));
}

bool lw_key_is_zero(const struct lw_key *key)
{
    static const struct lw_key zero;

    return bytes_equal_secret(key->b, zero.b, sizeof(zero.b));
}

const char *lw_version_text(enum lw_version version)
{
    static const char *const texts[LW_VERSION_COUNT] = {
#define X(name, text) [name] = (text),
        LW_VERSION_TABLE(X)
#undef X
    };

    return (unsigned)version < LW_VERSION_COUNT ? texts[version] : "";
}
