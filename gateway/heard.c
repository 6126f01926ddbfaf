/* heard.c - the message that a copy travels in. */
#include "core/arena.h"
#include "core/bytes.h"
#include "gateway/gateway.h"

#include <string.h>

uint64_t heard_key(const uint8_t *phy, size_t n, uint8_t region)
{
    return bytes_hash((struct bytes){.p = phy, .n = n}, region);
}

struct heard *heard_new(const struct copy *copy, const uint8_t *phy, uint8_t phy_len)
{
    struct heard *heard = xmalloc(sizeof(*heard) + phy_len);

    heard->mail = (struct mail){0};
    heard->key = heard_key(phy, phy_len, copy->region);
    heard->copy = *copy;
    heard->phy_len = phy_len;
    memcpy(heard->phy, phy, phy_len);
    return heard;
}
