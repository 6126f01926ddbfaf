/*
 * Who may do what: generated from the table of endpoints, so that a new endpoint is covered by
 * being there. Every endpoint is tried without a key, by a stranger and by a viewer.
 */
#include "api/routes.h"
#include "tests/flow/rest.h"
#include "tests/suite.h"

#include <string.h>

#define DEVICE  0x70b3d57ed0000001u
#define GATEWAY 0x0102030405060708u

static struct rest rest;
static const char *tenant, *other, *key_id, *user_id;

static const char *make_key(const char *of, const char *scopes)
{
    struct rest_answer got =
        rest_must(&rest, 201, "POST", "/api/v1/api-keys",
                  rest_print(&rest, "{\"name\":\"k\",\"tenantId\":\"%s\",%s}", of, scopes));

    key_id = rest_text(got.json, "id");
    return rest_text(got.json, "key");
}

static void begin(void)
{
    rest_open(&rest, &(struct world_options){.seed = 3, .version = LW_1_0_3});
    world_device(&rest.world, DEVICE);
    world_gateway(&rest.world, GATEWAY);
    tenant = rest_id(&rest, &rest.world.tenant);
    other = rest_text(rest_must(&rest, 201, "POST", "/api/v1/tenants", "{\"name\":\"other\"}").json,
                      "id");
    user_id = rest_text(rest_must(&rest, 201, "POST", "/api/v1/users",
                                  "{\"email\":\"u@x.y\",\"password\":\"a long password\"}")
                            .json,
                        "id");
    (void)rest_must(&rest, 201, "POST", rest_print(&rest, "/api/v1/tenants/%s/users", tenant),
                    "{\"email\":\"u@x.y\",\"role\":\"viewer\"}");
}

/* The path of an endpoint with ids of things that are there. */
static const char *path_of(const struct endpoint *e)
{
    const char *path = e->path, *id;
    char text[256] = "";

    id = strstr(path, "/api-keys")
             ? key_id
             : rest_id(&rest,
                       strstr(path, "profiles") ? &rest.world.profile : &rest.world.application);
    while (*path) {
        size_t n = strcspn(path, "{");
        const char *value = "";

        strncat(text, path, n);
        path += n;
        if (!*path)
            break;
        if (strncmp(path, "{devEui", 7) == 0)
            value = "70b3d57ed0000001";
        else if (strncmp(path, "{gatewayId", 10) == 0)
            value = "0102030405060708";
        else if (strncmp(path, "{tenantId", 9) == 0)
            value = tenant;
        else
            value = strncmp(path, "{userId", 7) == 0 ? user_id : id;
        strncat(text, value, sizeof(text) - strlen(text) - 1);
        path = strchr(path, '}') + 1;
    }
    return rest_print(&rest, "%s", text);
}

static int try(const struct endpoint *e, const char *key)
{
    const char *body = *e->method == 'P' ? "{}" : NULL;

    return rest_send(&rest, key, e->method, path_of(e), body).status;
}

START_TEST(nobody_gets_in)
{
    begin();
    (void)make_key(tenant, "\"isAdmin\":true");
    for (size_t i = 0; i < api_endpoint_count; i++) {
        const struct endpoint *e = &api_endpoints[i];

        if (e->flags & EP_OPEN)
            continue;
        ck_assert_msg(try(e, "") == 401, "%s %s", e->method, e->path);
        ck_assert_msg(try(e, "gw_0123456789abcdef0123456789abcdef_00") == 401, "%s", e->path);
        ck_assert_msg(try(e, "gs_00") == 401, "%s", e->path);
    }
    rest_close(&rest);
}
END_TEST

/* An administrator of another tenant: things of this one do not exist. */
START_TEST(strangers_see_nothing)
{
    const char *stranger;

    begin();
    stranger = make_key(other, "\"isAdmin\":true");
    (void)make_key(tenant, "\"isAdmin\":true");
    for (size_t i = 0; i < api_endpoint_count; i++) {
        const struct endpoint *e = &api_endpoints[i];
        int status;

        if (e->flags & EP_OPEN || !strchr(e->path, '{'))
            continue;
        status = try(e, stranger);
        ck_assert_msg(status == (e->flags & EP_ADMIN ? 403 : 404), "%s %s: %d", e->method, e->path,
                      status);
    }
    for (size_t i = 0; i < api_endpoint_count; i++) {
        const struct endpoint *e = &api_endpoints[i];
        struct rest_answer got;

        if (!(e->flags & EP_LIST) || e->type == EP_NO_TYPE || e->flags & EP_ADMIN ||
            strchr(e->path, '{'))
            continue;
        got = rest_send(&rest, stranger, "GET", e->path, NULL);
        ck_assert_int_eq(got.status, 200);
        for (size_t k = 0; rest_item(got.json, k); k++)
            ck_assert_msg(e->type == REC_TENANT || e->type == REC_API_KEY, "%s: %s", e->path,
                          got.body);
        ck_assert_msg(!strstr(got.body, tenant), "%s: %s", e->path, got.body);
        got = rest_send(&rest, stranger, "GET",
                        rest_print(&rest, "%s?tenantId=%s", e->path, tenant), NULL);
        ck_assert_msg(!rest_item(got.json, 0), "%s", e->path);
    }
    rest_close(&rest);
}
END_TEST

START_TEST(viewers_only_look)
{
    const char *token;
    struct rest_answer got;

    begin();
    got = rest_send(&rest, "", "POST", "/api/v1/login",
                    "{\"email\":\"U@x.y\",\"password\":\"a long password\"}");
    ck_assert_int_eq(got.status, 200);
    token = rest_text(got.json, "token");
    (void)make_key(tenant, "\"isAdmin\":true");
    for (size_t i = 0; i < api_endpoint_count; i++) {
        const struct endpoint *e = &api_endpoints[i];
        int status;

        if (e->flags & (EP_OPEN | EP_STREAM))
            continue;
        status = try(e, token);
        if (strcmp(e->method, "GET") != 0 || e->scope == SCOPE_ADMIN || e->scope == SCOPE_KEYS_READ)
            ck_assert_msg(status == 403, "%s %s: %d", e->method, e->path, status);
        else
            ck_assert_msg(status == 200 || strstr(e->path, "/activation") ||
                              strstr(e->path, "/adr"),
                          "%s %s: %d", e->method, e->path, status);
    }
    rest_close(&rest);
}
END_TEST

START_TEST(scopes_bind)
{
    const char *key;
    struct rest_answer got;

    begin();
    key = make_key(tenant, "\"scopes\":[\"devices:read\"]");
    ck_assert_int_eq(rest_send(&rest, key, "GET", "/api/v1/devices/70b3d57ed0000001", NULL).status,
                     200);
    ck_assert_int_eq(
        rest_send(&rest, key, "DELETE", "/api/v1/devices/70b3d57ed0000001", NULL).status, 403);
    ck_assert_int_eq(
        rest_send(&rest, key, "GET", "/api/v1/devices/70b3d57ed0000001/keys", NULL).status, 403);
    got = rest_must(&rest, 200, "GET", rest_print(&rest, "/api/v1/api-keys/%s", key_id), NULL);
    ck_assert_ptr_nonnull(rest_text(got.json, "lastUsedAt"));
    ck_assert_ptr_null(strstr(got.body, "ecret"));
    /* Who holds `admin` gives away no more than he has. */
    key = make_key(tenant, "\"scopes\":[\"admin\",\"devices:read\"]");
    got = rest_send(&rest, key, "POST", "/api/v1/api-keys",
                    rest_print(&rest,
                               "{\"name\":\"x\",\"tenantId\":\"%s\",\"scopes\":[\"keys:read\"]}",
                               tenant));
    ck_assert_int_eq(got.status, 403);
    got = rest_send(&rest, key, "POST", "/api/v1/api-keys",
                    "{\"name\":\"x\",\"scopes\":[\"devices:read\"]}");
    ck_assert_int_eq(got.status, 403);
    (void)rest_must(&rest, 204, "DELETE", rest_print(&rest, "/api/v1/api-keys/%s", key_id), NULL);
    ck_assert_int_eq(rest_send(&rest, key, "GET", "/api/v1/devices", NULL).status, 401);
    rest_close(&rest);
}
END_TEST

START_TEST(logins_are_limited_and_end)
{
    const char *wrong = "{\"email\":\"u@x.y\",\"password\":\"not the password\"}";
    const char *right = "{\"email\":\"u@x.y\",\"password\":\"a long password\"}";
    const char *token;

    begin();
    token = rest_text(rest_send(&rest, "", "POST", "/api/v1/login", right).json, "token");
    ck_assert_int_eq(rest_send(&rest, token, "GET", "/api/v1/devices", NULL).status, 200);
    (void)rest_must(&rest, 200, "PATCH", rest_print(&rest, "/api/v1/users/%s", user_id),
                    "{\"password\":\"a longer password\"}");
    ck_assert_int_eq(rest_send(&rest, token, "GET", "/api/v1/devices", NULL).status, 401);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(rest_send(&rest, "", "POST", "/api/v1/login", wrong).status, 401);
    ck_assert_int_eq(rest_send(&rest, "", "POST", "/api/v1/login", wrong).status, 429);
    world_run(&rest.world, 61 * (int64_t)US_PER_S);
    right = "{\"email\":\"u@x.y\",\"password\":\"a longer password\"}";
    token = rest_text(rest_send(&rest, "", "POST", "/api/v1/login", right).json, "token");
    ck_assert_ptr_nonnull(token);
    world_run(&rest.world, 12 * 3600 * (int64_t)US_PER_S);
    ck_assert_int_eq(rest_send(&rest, token, "GET", "/api/v1/devices", NULL).status, 401);
    ck_assert_int_eq(rest_send(&rest, "", "POST", "/api/v1/login",
                               "{\"email\":\"nobody@x.y\",\"password\":\"a long password\"}")
                         .status,
                     401);
    rest_close(&rest);
}
END_TEST

int main(void)
{
    static const TTest *tests[6];

    tests[0] = nobody_gets_in;
    tests[1] = strangers_see_nothing;
    tests[2] = viewers_only_look;
    tests[3] = scopes_bind;
    tests[4] = logins_are_limited_and_end;
    return run_suite(suite_of("flow_api_access", tests));
}
