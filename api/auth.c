/*
 * auth.c - recognising keys and tokens, and the arithmetic of scopes.
 *
 * The text of an API key carries its id, so that it is found without trying all; the rest is random
 * and only its digest is kept. A session token carries user, end and epoch under an HMAC: nothing
 * is stored, and a new password makes all tokens of the user void.
 */
#include "api/auth.h"

#include "api/api_priv.h"
#include "core/bytes.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#define KEY_RANDOM   24
#define TOKEN_PLAIN  28
#define TOKEN_N      (TOKEN_PLAIN + 32)
#define TOKEN_LIFE   (INT64_C(12) * 3600 * US_PER_S)
#define LOGIN_MAX    5
#define LOGIN_WINDOW (60 * (int64_t)US_PER_S)
#define USED_GRAIN   (60 * (int64_t)US_PER_S)

void auth_random(void *to, size_t n)
{
    uint8_t *p = to;

    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

static void sha256(const char *text, uint8_t out[32])
{
    (void)EVP_Digest(text, strlen(text), out, NULL, EVP_sha256(), NULL);
}

/* ---- scopes ---------------------------------------------------------------------------------- */

#define BIT(scope) (UINT32_C(1) << (scope))
#define READS                                                                                      \
    (BIT(SCOPE_TENANTS_READ) | BIT(SCOPE_APPLICATIONS_READ) | BIT(SCOPE_DEVICES_READ) |            \
     BIT(SCOPE_GATEWAYS_READ) | BIT(SCOPE_RELAYS_READ) | BIT(SCOPE_ROAMING_READ) |                 \
     BIT(SCOPE_INTEGRATIONS_READ) | BIT(SCOPE_EVENTS_READ))

uint32_t auth_role_scopes(enum tenant_role role)
{
    switch (role) {
    case ROLE_ADMIN: return SCOPES_ALL;
    case ROLE_DEVICE_ADMIN:
        return READS | BIT(SCOPE_APPLICATIONS_WRITE) | BIT(SCOPE_DEVICES_WRITE) |
               BIT(SCOPE_RELAYS_WRITE) | BIT(SCOPE_INTEGRATIONS_WRITE) | BIT(SCOPE_KEYS_READ) |
               BIT(SCOPE_QUEUE_WRITE);
    case ROLE_GATEWAY_ADMIN: return READS | BIT(SCOPE_GATEWAYS_WRITE);
    case ROLE_VIEWER: return READS;
    case ROLE_COUNT: break;
    }
    return 0;
}

uint32_t auth_key_scopes(const struct api_key *key)
{
    const char *const *scopes = key->scopes.p;
    uint32_t bits = 0;

    if (key->is_admin)
        return SCOPES_ALL;
    for (size_t i = 0; i < key->scopes.n; i++) {
        for (unsigned s = 0; api_scopes[s]; s++)
            bits |= strcmp(api_scopes[s], scopes[i]) == 0 ? BIT(s) : 0;
    }
    return bits;
}

uint32_t auth_scopes(const struct principal *who, const struct uuid *tenant)
{
    if (who->global)
        return who->scopes;
    for (size_t i = 0; tenant && i < who->grant_count; i++) {
        if (uuid_equal(&who->grants[i].tenant, tenant))
            return who->grants[i].scopes;
    }
    return 0;
}

bool auth_may(const struct principal *who, const struct uuid *tenant, enum scope scope)
{
    return scope == SCOPE_NONE || auth_scopes(who, tenant) & BIT(scope);
}

bool auth_may_somewhere(const struct principal *who, enum scope scope)
{
    if (scope == SCOPE_NONE || (who->global && who->scopes & BIT(scope)))
        return true;
    for (size_t i = 0; i < who->grant_count; i++) {
        if (who->grants[i].scopes & BIT(scope))
            return true;
    }
    return false;
}

bool auth_sees(const struct principal *who, const struct uuid *tenant)
{
    return who->global || auth_scopes(who, tenant) != 0;
}

void auth_tenants(const struct principal *who, enum scope scope, struct arena *arena,
                  struct uuid **tenants, size_t *count)
{
    *tenants = NULL;
    *count = 0;
    if (who->global && auth_may(who, NULL, scope))
        return;
    *tenants = arena_array(arena, struct uuid, who->grant_count + 1);
    for (size_t i = 0; i < who->grant_count; i++) {
        if (auth_may(who, &who->grants[i].tenant, scope))
            (*tenants)[(*count)++] = who->grants[i].tenant;
    }
}

/* ---- API keys -------------------------------------------------------------------------------- */

const char *auth_key_make(struct api_key *key, struct arena *arena)
{
    uint8_t random[KEY_RANDOM];
    char id[33], secret[2 * KEY_RANDOM + 1];
    const char *text;

    auth_random(random, sizeof(random));
    text = arena_printf(arena, "gw_%s_%s", hex_write(id, key->id.b, 16),
                        hex_write(secret, random, sizeof(random)));
    sha256(text, key->secret_hash);
    return text;
}

static void note_use(struct api *api, const struct uuid *id, int64_t now)
{
    int64_t *at = map_get(&api->used, uuid_hash(id));

    if (!at) {
        at = xmalloc(sizeof(*at));
        (void)map_put(&api->used, uuid_hash(id), at);
    }
    *at = now - now % USED_GRAIN;
}

int64_t auth_last_used(struct api *api, const struct uuid *key)
{
    const int64_t *at;
    int64_t used;

    api_lock(api);
    at = map_get(&api->used, uuid_hash(key));
    used = at ? *at : 0;
    api_unlock(api);
    return used;
}

/* Under the lock. */
static bool take_key(struct api *api, const char *text, struct arena *arena, struct principal *who)
{
    struct uuid id;
    struct record_key at;
    const struct api_key *key;
    uint8_t digest[32];
    int64_t now = clock_utc(api->options.clock);

    if (strlen(text) < 36 || !hex_read(id.b, 16, text + 3, 32))
        return false;
    at = record_key_uuid(&id);
    key = directory_find(&api->directory, REC_API_KEY, &at);
    sha256(text, digest);
    if (!key || !bytes_equal_secret(digest, key->secret_hash, 32) ||
        (key->expires_us && key->expires_us <= now))
        return false;
    *who =
        (struct principal){.kind = WHO_API_KEY, .id = id, .name = arena_strdup(arena, key->name)};
    if (uuid_is_zero(&key->tenant_id)) {
        who->global = true;
        who->is_admin = key->is_admin;
        who->scopes = auth_key_scopes(key);
    } else {
        who->grants = arena_new(arena, struct grant);
        who->grants[0] = (struct grant){key->tenant_id, auth_key_scopes(key)};
        who->grant_count = 1;
    }
    note_use(api, &id, now);
    return true;
}

/* ---- session tokens -------------------------------------------------------------------------- */

static void token_mac(const struct api *api, const uint8_t *plain, uint8_t mac[32])
{
    unsigned n = 32;

    (void)HMAC(EVP_sha256(), api->token_key, sizeof(api->token_key), plain, TOKEN_PLAIN, mac, &n);
}

const char *auth_token_make(struct api *api, const struct user *user, int64_t *expires_us,
                            struct arena *arena)
{
    uint8_t token[TOKEN_N];
    struct wr wr = wr_of(token, sizeof(token));
    char text[2 * TOKEN_N + 1];

    *expires_us = clock_utc(api->options.clock) + TOKEN_LIFE;
    wr_copy(&wr, user->id.b, 16);
    wr_u64be(&wr, (uint64_t)*expires_us);
    wr_u32be(&wr, user->token_epoch);
    token_mac(api, token, token + TOKEN_PLAIN);
    return arena_printf(arena, "gs_%s", hex_write(text, token, sizeof(token)));
}

static void take_grants(struct api *api, struct arena *arena, struct principal *who)
{
    const struct tenant_user *member;
    uint32_t at = 0;
    size_t n = 0;

    while ((member = directory_next(&api->directory, REC_TENANT_USER, &at)))
        n += uuid_equal(&member->user_id, &who->id);
    who->grants = arena_array(arena, struct grant, n + 1);
    at = 0;
    while ((member = directory_next(&api->directory, REC_TENANT_USER, &at))) {
        if (uuid_equal(&member->user_id, &who->id))
            who->grants[who->grant_count++] =
                (struct grant){member->tenant_id, auth_role_scopes((enum tenant_role)member->role)};
    }
}

/* Under the lock. */
static bool take_token(struct api *api, const char *text, struct arena *arena,
                       struct principal *who)
{
    uint8_t token[TOKEN_N], mac[32];
    struct rd rd = rd_of(token, sizeof(token));
    struct uuid id;
    struct record_key key;
    const struct user *user;
    uint64_t expires;

    if (!hex_read(token, sizeof(token), text + 3, strlen(text + 3)))
        return false;
    token_mac(api, token, mac);
    if (!bytes_equal_secret(mac, token + TOKEN_PLAIN, sizeof(mac)))
        return false;
    rd_copy(&rd, id.b, 16);
    expires = rd_u64be(&rd);
    key = record_key_uuid(&id);
    user = directory_find(&api->directory, REC_USER, &key);
    if (!user || !user->is_active || user->token_epoch != rd_u32be(&rd) ||
        (int64_t)expires <= clock_utc(api->options.clock))
        return false;
    *who = (struct principal){.kind = WHO_USER,
                              .id = id,
                              .name = arena_strdup(arena, user->email),
                              .global = user->is_admin,
                              .is_admin = user->is_admin,
                              .scopes = user->is_admin ? SCOPES_ALL : 0};
    if (!user->is_admin)
        take_grants(api, arena, who);
    return true;
}

/* ---- recognition ----------------------------------------------------------------------------- */

static bool is_admin_key(const struct api *api, const char *text)
{
    uint8_t digest[32];

    sha256(text, digest);
    return api->options.admin_key && bytes_equal_secret(digest, api->admin_hash, sizeof(digest));
}

static void take_admin(struct principal *who, enum who_kind kind, const char *name)
{
    *who = (struct principal){
        .kind = kind, .name = name, .global = true, .is_admin = true, .scopes = SCOPES_ALL};
}

bool auth_recognise(struct api *api, const struct http_request *request, struct arena *arena,
                    struct principal *who)
{
    const char *text = http_header(request, "Authorization");
    bool known = false;

    *who = (struct principal){0};
    if (!text && request->local) {
        take_admin(who, WHO_LOCAL, "local");
        return true;
    }
    if (!text || strncasecmp(text, "Bearer ", 7) != 0)
        return false;
    text += 7 + strspn(text + 7, " ");
    if (is_admin_key(api, text)) {
        take_admin(who, WHO_ADMIN_KEY, "GODWIT_ADMIN_API_KEY");
        return true;
    }
    api_lock(api);
    if (strncmp(text, "gw_", 3) == 0)
        known = take_key(api, text, arena, who);
    else if (strncmp(text, "gs_", 3) == 0)
        known = take_token(api, text, arena, who);
    api_unlock(api);
    return known;
}

/* ---- failed logins --------------------------------------------------------------------------- */

/* Slots are shared by what falls into them, and never given up early: who finds another e-mail of
 * the same slot must not clear his count. The seed is a secret, so that none is found. */
static struct login_slot *login_slot(struct api *api, const char *email, const char *remote)
{
    char lower[256];
    size_t n = 0;
    uint64_t hash;
    int64_t now = clock_mono(api->options.clock);
    struct login_slot *slot;

    for (; email[n] && n < sizeof(lower); n++)
        lower[n] = (char)(email[n] >= 'A' && email[n] <= 'Z' ? email[n] - 'A' + 'a' : email[n]);
    memcpy(&hash, api->token_key, sizeof(hash));
    hash = bytes_hash((struct bytes){(const uint8_t *)remote, strlen(remote)}, hash);
    hash = bytes_hash((struct bytes){(const uint8_t *)lower, n}, hash);
    slot = &api->logins[hash % LOGIN_SLOTS];
    if (slot->failures == 0 || now - slot->since_us >= LOGIN_WINDOW)
        *slot = (struct login_slot){.since_us = now};
    return slot;
}

bool auth_login_allowed(struct api *api, const char *email, const char *remote, unsigned *wait_s)
{
    const struct login_slot *slot;
    bool allowed;
    int64_t left;

    api_lock(api);
    slot = login_slot(api, email, remote);
    allowed = slot->failures < LOGIN_MAX;
    left = slot->since_us + LOGIN_WINDOW - clock_mono(api->options.clock);
    api_unlock(api);
    *wait_s = (unsigned)((left + US_PER_S - 1) / US_PER_S);
    return allowed;
}

void auth_login_failed(struct api *api, const char *email, const char *remote)
{
    api_lock(api);
    login_slot(api, email, remote)->failures++;
    api_unlock(api);
}
