/*
 * auth.h - who asks, and what they may do: API keys, session tokens, roles.
 *
 * Everything is answered from memory (the API's directory), so that libmicrohttpd's thread can do
 * it. A principal either holds scopes in all tenants (`global`) or in some; what is not granted is
 * denied. Secrets are compared as SHA-256 digests in constant time.
 */
#pragma once

#include "core/arena.h"
#include "db/model.h"
#include "net/httpd.h"

struct api;

/* In the order of api_scopes (db/model.h). */
enum scope {
    SCOPE_TENANTS_READ,
    SCOPE_TENANTS_WRITE,
    SCOPE_APPLICATIONS_READ,
    SCOPE_APPLICATIONS_WRITE,
    SCOPE_DEVICES_READ,
    SCOPE_DEVICES_WRITE,
    SCOPE_GATEWAYS_READ,
    SCOPE_GATEWAYS_WRITE,
    SCOPE_RELAYS_READ,
    SCOPE_RELAYS_WRITE,
    SCOPE_ROAMING_READ,
    SCOPE_ROAMING_WRITE,
    SCOPE_INTEGRATIONS_READ,
    SCOPE_INTEGRATIONS_WRITE,
    SCOPE_KEYS_READ,
    SCOPE_EVENTS_READ,
    SCOPE_QUEUE_WRITE,
    SCOPE_ADMIN,
    SCOPE_COUNT,
    SCOPE_NONE = 0xff, /* whoever is known */
};

#define SCOPES_ALL ((UINT32_C(1) << SCOPE_COUNT) - 1)

enum who_kind { WHO_NOBODY, WHO_LOCAL, WHO_ADMIN_KEY, WHO_API_KEY, WHO_USER };

struct grant {
    struct uuid tenant;
    uint32_t scopes; /* bits of enum scope */
};

struct principal {
    enum who_kind kind;
    struct uuid id; /* of the key or user */
    const char *name;
    bool global;     /* `scopes` hold in all tenants */
    bool is_admin;   /* global, and may manage users and other administrators */
    uint32_t scopes; /* if global */
    struct grant *grants;
    size_t grant_count;
};

/* Recognises the sender; false: 401. What it points to is in `arena`. */
bool auth_recognise(struct api *api, const struct http_request *request, struct arena *arena,
                    struct principal *who);

/* The scopes in a tenant (NULL: in no tenant, which only global principals have). */
uint32_t auth_scopes(const struct principal *who, const struct uuid *tenant);
bool auth_may(const struct principal *who, const struct uuid *tenant, enum scope scope);
/* Whether the scope is held anywhere. */
bool auth_may_somewhere(const struct principal *who, enum scope scope);
/* Whether the principal has anything to do with the tenant: others get 404. */
bool auth_sees(const struct principal *who, const struct uuid *tenant);
/* The tenants in which it holds the scope; *tenants NULL: in all. */
void auth_tenants(const struct principal *who, enum scope scope, struct arena *arena,
                  struct uuid **tenants, size_t *count);

/* What a role in a tenant may do. */
uint32_t auth_role_scopes(enum tenant_role role);
/* Bits of an API key's scopes. */
uint32_t auth_key_scopes(const struct api_key *key);

/* A new secret for an API key with its id: "gw_<id>_<random>", in `arena`; sets secret_hash. */
const char *auth_key_make(struct api_key *key, struct arena *arena);

/* A session token of a user, for 12 hours. */
const char *auth_token_make(struct api *api, const struct user *user, int64_t *expires_us,
                            struct arena *arena);

/* Failed logins of an e-mail and address: false if there were five within a minute. */
bool auth_login_allowed(struct api *api, const char *email, const char *remote, unsigned *wait_s);
void auth_login_failed(struct api *api, const char *email, const char *remote);

/* When a key was last used, 0: not since this process began. */
int64_t auth_last_used(struct api *api, const struct uuid *key);

/* Unpredictable bytes. */
void auth_random(void *to, size_t n);
