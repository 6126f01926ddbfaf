/*
 * login.c - session tokens for e-mail and password; the audit log; the first user of a new store.
 */
#include "api/api_priv.h"
#include "api/password.h"
#include "api/routes.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct login {
    const char *email, *password;
};

struct token {
    const char *token;
    int64_t expires_us;
};

/* clang-format off */
const struct field login_fields[] = {
    {"email",    F_STR, F_REQ, AT(struct login, email), .size = 254},
    {"password", F_STR, F_REQ | F_SECRET, AT(struct login, password), .size = 128},
    {0},
};

const struct field token_fields[] = {
    {"token",     F_STR,  0, AT(struct token, token)},
    {"expiresAt", F_TIME, 0, AT(struct token, expires_us)},
    {0},
};
/* clang-format on */

/* One wording and one time whatever was wrong. */
int login_post(struct call *call)
{
    struct login login = {0};
    struct token token;
    struct user *user = NULL;
    unsigned wait_s;
    enum err err;
    bool good;
    int status = call_read(call, login_fields, &login, FIELD_CREATE, NULL);

    if (!status)
        status = call_checked(call);
    if (status)
        return status;
    if (!auth_login_allowed(call->api, login.email, call->request->remote, &wait_s)) {
        call_header(call, "Retry-After", arena_printf(&call->arena, "%u", wait_s));
        return call_fail(call, 429, "too many failed attempts");
    }
    err = store_user_by_email(call->reader, login.email, &call->arena, &user);
    if (err && err != ERR_NOT_FOUND)
        return call_err(call, err);
    good = password_verify(login.password, !err && user->is_active ? user->password_hash : NULL);
    if (!good) {
        auth_login_failed(call->api, login.email, call->request->remote);
        return call_fail(call, 401, "e-mail or password is wrong");
    }
    token.token = auth_token_make(call->api, user, &token.expires_us, &call->arena);
    field_print(token_fields, &token, &call->out, FIELD_VIEW_PUBLIC);
    call_header(call, "Cache-Control", "no-store");
    return 200;
}

/* ---- audit ----------------------------------------------------------------------------------- */

/* An entry without a tenant is for those who administer all. */
static bool may_see(struct call *call, const struct audit_entry *entry)
{
    const struct node *root, *id;
    const char *why;
    struct uuid tenant;

    if (call->who.global)
        return true;
    if (json_read((const char *)entry->json.p, entry->json.n, &call->arena, &root, &why))
        return false;
    id = node_get(root, "tenantId");
    return id && id->text && uuid_read(&tenant, id->text) &&
           auth_may(&call->who, &tenant, SCOPE_ADMIN);
}

static void print_entry(struct jw *jw, const struct audit_entry *entry)
{
    jw_object(jw);
    jw_key_uint(jw, "id", entry->id);
    jw_key(jw, "time");
    jw_time(jw, entry->utc_us);
    jw_key(jw, "entry");
    jw_raw(jw, (const char *)entry->json.p, entry->json.n);
    jw_end_object(jw);
}

int audit_list(struct call *call)
{
    struct audit_entry *entries;
    uint64_t before = UINT64_MAX;
    struct jw *jw = &call->out;
    size_t limit, n, i = 0, printed = 0;
    char cursor[17];
    int status = call_query_limit(call, &limit);
    enum err err;

    if (!status)
        status = call_query_position(call, "cursor", &before);
    if (status)
        return status;
    err = store_audit_list(call->reader, before, 1000, &call->arena, &entries, &n);
    if (err)
        return call_err(call, err);
    jw_object(jw);
    jw_key(jw, "items");
    jw_array(jw);
    for (; i < n && printed < limit; i++) {
        if (!may_see(call, &entries[i]))
            continue;
        print_entry(jw, &entries[i]);
        printed++;
    }
    jw_end_array(jw);
    (void)snprintf(cursor, sizeof(cursor), "%016llx",
                   (unsigned long long)(i ? entries[i - 1].id : 0));
    jw_key_str(jw, "nextCursor", i < n || n == 1000 ? cursor : NULL);
    jw_end_object(jw);
    return 200;
}

/* ---- first start ----------------------------------------------------------------------------- */

static bool is_new(struct store *store, enum err *err)
{
    struct record_query query = {0};
    struct store_reader *reader;
    uint64_t users = 0, tenants = 0;

    *err = store_reader_open(store, &reader);
    if (*err)
        return false;
    *err = store_record_count(reader, REC_USER, &query, &users);
    if (!*err)
        *err = store_record_count(reader, REC_TENANT, &query, &tenants);
    store_reader_close(reader);
    return !*err && users == 0 && tenants == 0;
}

/* Before the commit: a password that nobody can read would lock everybody out. */
static enum err write_password(const char *data_dir, const char *password, struct arena *arena)
{
    const char *path = arena_printf(arena, "%s/admin-password", data_dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n = strlen(password);
    bool good;

    if (fd < 0)
        return ERR_IO;
    good = fchmod(fd, 0600) == 0 && write(fd, password, n) == (ssize_t)n &&
           write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    return good ? OK : ERR_IO;
}

static void put_first(struct change *change, struct arena *arena, enum record_type type,
                      void *record, int64_t now)
{
    struct op *op = change_add(change, arena, OP_RECORD_PUT);

    op->record = (struct op_record){
        .type = type, .key = record_key_of(type, record), .record = record, .utc_us = now};
}

static enum err make_first(struct store *store, int64_t now, const char *password,
                           struct arena *arena)
{
    struct change change = {0}, *batch = &change;
    struct tenant *tenant = arena_new(arena, struct tenant);
    struct user *user = arena_new(arena, struct user);
    size_t done;
    enum err err;

    field_defaults(record_types[REC_TENANT].fields, tenant, arena);
    tenant->id = uuid_new(now);
    tenant->name = "default";
    field_defaults(record_types[REC_USER].fields, user, arena);
    user->id = uuid_new(now);
    user->email = "admin@localhost";
    user->is_admin = true;
    user->password_hash = password_hash(password, arena);
    if (!user->password_hash)
        return ERR_CRYPTO;
    put_first(&change, arena, REC_TENANT, tenant, now);
    put_first(&change, arena, REC_USER, user, now);
    err = store_commit(store, &batch, 1, &done);
    return err ? err : change.result;
}

enum err api_bootstrap(struct store *store, struct clock *clock, const char *data_dir,
                       bool *created)
{
    struct arena arena;
    uint8_t random[15];
    char password[BASE64_LEN(sizeof(random)) + 1];
    enum err err;

    *created = is_new(store, &err);
    if (!*created)
        return err;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    auth_random(random, sizeof(random));
    (void)base64_write(password, random, sizeof(random));
    err = write_password(data_dir, password, &arena);
    if (!err)
        err = make_first(store, clock_utc(clock), password, &arena);
    explicit_bzero(password, sizeof(password));
    if (!err)
        LOG_INFO("first_start", log_str("tenant", "default"), log_str("user", "admin@localhost"),
                 log_str("passwordFile", arena_printf(&arena, "%s/admin-password", data_dir)));
    arena_reset(&arena);
    return err;
}
