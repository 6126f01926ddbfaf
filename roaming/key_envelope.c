/* key_envelope.c - which KEK an envelope means. */
#include "roaming/key_envelope.h"

#include <string.h>

void roam_key_wrap(const struct roam_kek *kek, const struct lw_key *key, struct arena *arena,
                   struct roam_key_envelope *envelope)
{
    size_t n = kek ? LW_WRAPPED : sizeof(key->b);
    uint8_t *octets = arena_alloc(arena, n);

    if (kek)
        lw_key_wrap(&kek->kek, key, octets);
    else
        memcpy(octets, key->b, sizeof(key->b));
    *envelope = (struct roam_key_envelope){
        .has = ROAM_BIT(ROAM_KEY_KEK_LABEL) | ROAM_BIT(ROAM_KEY_AES_KEY),
        .kek_label = kek ? kek->label : "",
        .aes_key = {octets, n},
    };
}

static enum err take_clear(struct bytes octets, struct lw_key *key)
{
    if (octets.n != sizeof(key->b))
        return ERR_MALFORMED;
    memcpy(key->b, octets.p, octets.n);
    return OK;
}

enum err roam_key_unwrap(const struct roam_key_envelope *envelope, const struct roam_kek *keks,
                         size_t count, struct lw_key *key)
{
    enum err err = ERR_NOT_FOUND;

    *key = (struct lw_key){0};
    if (!envelope->kek_label || !*envelope->kek_label)
        return take_clear(envelope->aes_key, key);
    for (size_t i = 0; i < count && err != OK; i++) {
        if (strcmp(keks[i].label, envelope->kek_label) == 0)
            err = lw_key_unwrap(&keks[i].kek, envelope->aes_key, key);
    }
    return err;
}
