/*
 * Every resource through its life, and every status that a client can provoke.
 */
#include "api/password.h"
#include "tests/flow/rest.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct rest rest;

static void begin(void)
{
    rest_open(&rest, &(struct world_options){.seed = 7, .version = LW_1_0_3});
}

/* Create, read, list, replace, merge with conditions, delete. */
static void live(const char *path, const char *body, const char *name_patch)
{
    struct rest_answer made = rest_must(&rest, 201, "POST", path, body), got;
    const char *item = made.location;
    const char *old;

    ck_assert_ptr_nonnull(strstr(item, path));
    got = rest_must(&rest, 200, "GET", item, NULL);
    ck_assert_str_eq(got.etag, made.etag);
    old = got.etag;
    ck_assert_ptr_nonnull(rest_text(got.json, "createdAt"));
    got = rest_must(&rest, 200, "GET", path, NULL);
    ck_assert_ptr_nonnull(rest_item(got.json, 0));
    ck_assert_ptr_nonnull(rest_text(got.json, "totalCount"));
    rest.if_match = "\"999\"";
    (void)rest_must(&rest, 412, "PATCH", item, name_patch);
    rest.if_match = old;
    got = rest_must(&rest, 200, "PATCH", item, name_patch);
    ck_assert_str_ne(got.etag, old);
    rest.if_match = old;
    (void)rest_must(&rest, 412, "DELETE", item, NULL);
    rest.if_match = "nonsense";
    (void)rest_must(&rest, 400, "DELETE", item, NULL);
    got = rest_must(&rest, 200, "GET", item, NULL);
    (void)rest_must(&rest, 200, "PUT", item, got.body);
    (void)rest_must(&rest, 204, "DELETE", item, NULL);
    (void)rest_must(&rest, 404, "GET", item, NULL);
    (void)rest_must(&rest, 404, "DELETE", item, NULL);
    (void)rest_must(&rest, 404, "PUT", item, body);
}

START_TEST(resources_live)
{
    const char *tenant, *application, *profile;

    begin();
    tenant = rest_id(&rest, &rest.world.tenant);
    application = rest_id(&rest, &rest.world.application);
    profile = rest_id(&rest, &rest.world.profile);
    live("/api/v1/tenants", "{\"name\":\"t2\"}", "{\"name\":\"t3\"}");
    live("/api/v1/users", "{\"email\":\"a@b.c\",\"password\":\"correct horse\"}",
         "{\"isActive\":false}");
    live("/api/v1/api-keys", "{\"name\":\"k\",\"scopes\":[\"devices:read\"]}",
         "{\"name\":\"other\"}");
    live("/api/v1/applications",
         rest_print(&rest, "{\"tenantId\":\"%s\",\"name\":\"app\"}", tenant), "{\"name\":\"b\"}");
    live("/api/v1/device-profiles",
         rest_print(&rest,
                    "{\"tenantId\":\"%s\",\"name\":\"p\",\"region\":\"EU868\","
                    "\"macVersion\":\"1.0.4\"}",
                    tenant),
         "{\"adr\":{\"maxDr\":3}}");
    live("/api/v1/devices",
         rest_print(&rest,
                    "{\"devEui\":\"70B3D57ED0000001\",\"name\":\"d\",\"applicationId\":\"%s\","
                    "\"deviceProfileId\":\"%s\"}",
                    application, profile),
         "{\"tags\":{\"a\":\"b\"}}");
    live("/api/v1/gateways",
         rest_print(&rest,
                    "{\"gatewayId\":\"0102030405060708\",\"tenantId\":\"%s\",\"name\":\"g\"}",
                    tenant),
         "{\"location\":{\"latitude\":52.1}}");
    (void)rest_must(&rest, 201, "POST", "/api/v1/users", "{\"email\":\"m@b.c\"}");
    live(rest_print(&rest, "/api/v1/tenants/%s/users", tenant),
         "{\"email\":\"m@b.c\",\"role\":\"viewer\"}", "{\"role\":\"admin\"}");
    rest_close(&rest);
}
END_TEST

START_TEST(statuses)
{
    struct rest_answer got;
    const char *tenant, *path;

    begin();
    tenant = rest_id(&rest, &rest.world.tenant);
    (void)rest_must(&rest, 404, "GET", "/api/v1/nothing", NULL);
    (void)rest_must(&rest, 404, "GET", "/api/v1/multicast-groups", NULL);
    got = rest_must(&rest, 405, "PUT", "/api/v1/tenants", "{}");
    ck_assert_str_eq(got.allow, "GET, HEAD, POST");
    ck_assert_str_eq(got.type, "application/problem+json");
    (void)rest_must(&rest, 400, "GET", "/api/v1/devices/xyz", NULL);
    (void)rest_must(&rest, 400, "GET", "/api/v1/tenants/1", NULL);
    (void)rest_must(&rest, 400, "GET", "/api/v1/tenants?limit=0", NULL);
    (void)rest_must(&rest, 400, "GET", "/api/v1/tenants?limit=1001", NULL);
    (void)rest_must(&rest, 400, "GET", "/api/v1/tenants?limit=x", NULL);
    (void)rest_must(&rest, 400, "GET", "/api/v1/tenants?cursor=zz", NULL);
    (void)rest_must(&rest, 400, "GET", "/api/v1/devices?applicationId=7", NULL);
    (void)rest_must(&rest, 400, "POST", "/api/v1/tenants", NULL);
    (void)rest_must(&rest, 400, "POST", "/api/v1/tenants", "{\"name\":");
    rest.content_type = "text/plain";
    (void)rest_must(&rest, 415, "POST", "/api/v1/tenants", "{\"name\":\"x\"}");
    (void)rest_must(&rest, 422, "POST", "/api/v1/tenants", "[]");
    got = rest_must(&rest, 422, "POST", "/api/v1/tenants",
                    "{\"nmae\":\"x\",\"maxDevices\":\"many\"}");
    ck_assert(rest_complains(&got, "nmae"));
    ck_assert(rest_complains(&got, "name"));
    ck_assert(rest_complains(&got, "maxDevices"));
    got = rest_must(&rest, 422, "POST", "/api/v1/tenants",
                    "{\"name\":\"x\",\"devAddrPrefixes\":[\"00\"]}");
    ck_assert_ptr_nonnull(strstr(got.body, "not in this version"));
    (void)rest_must(&rest, 409, "DELETE", rest_print(&rest, "/api/v1/tenants/%s", tenant), NULL);
    got = rest_must(&rest, 422, "POST", "/api/v1/applications",
                    "{\"tenantId\":\"01234567-89ab-7def-8123-456789abcdef\",\"name\":\"x\"}");
    ck_assert(rest_complains(&got, "tenantId"));
    (void)rest_must(&rest, 422, "POST", "/api/v1/api-keys", "{\"name\":\"none\"}");
    got = rest_must(&rest, 422, "POST", "/api/v1/api-keys",
                    "{\"name\":\"bad\",\"scopes\":[\"all\"]}");
    ck_assert(rest_complains(&got, "scopes"));
    (void)rest_must(&rest, 422, "POST", "/api/v1/users",
                    "{\"email\":\"x@y.z\",\"password\":\"short\"}");
    (void)rest_must(&rest, 201, "POST", "/api/v1/users", "{\"email\":\"x@y.z\"}");
    (void)rest_must(&rest, 409, "POST", "/api/v1/users", "{\"email\":\"X@Y.Z\"}");
    path = rest_print(&rest, "{\"gatewayId\":\"01\",\"tenantId\":\"%s\",\"name\":\"g\"}", tenant);
    (void)rest_must(&rest, 422, "POST", "/api/v1/gateways", path);
    (void)rest_must(&rest, 200, "GET", "/healthz", NULL);
    (void)rest_must(&rest, 200, "GET", "/readyz", NULL);
    (void)rest_must(&rest, 200, "GET", "/metrics", NULL);
    (void)rest_must(&rest, 200, "GET", "/", NULL);
    rest_close(&rest);
}
END_TEST

START_TEST(limits_of_a_tenant)
{
    const char *tenant;
    struct rest_answer got;

    begin();
    tenant = rest_id(&rest, &rest.world.tenant);
    (void)rest_must(&rest, 200, "PATCH", rest_print(&rest, "/api/v1/tenants/%s", tenant),
                    "{\"maxGateways\":1,\"maxDevices\":1}");
    (void)rest_must(
        &rest, 201, "POST", "/api/v1/gateways",
        rest_print(&rest, "{\"gatewayId\":\"0102030405060701\",\"tenantId\":\"%s\",\"name\":\"g\"}",
                   tenant));
    (void)rest_must(
        &rest, 409, "POST", "/api/v1/gateways",
        rest_print(&rest, "{\"gatewayId\":\"0102030405060701\",\"tenantId\":\"%s\",\"name\":\"g\"}",
                   tenant));
    got = rest_must(
        &rest, 422, "POST", "/api/v1/gateways",
        rest_print(&rest, "{\"gatewayId\":\"0102030405060702\",\"tenantId\":\"%s\",\"name\":\"g\"}",
                   tenant));
    ck_assert(rest_complains(&got, "tenantId"));
    rest_close(&rest);
}
END_TEST

START_TEST(profiles_fit_their_region)
{
    /* clang-format off */
    static const struct {
        const char *region, *version, *more, *complaint; /* NULL: none */
    } rows[] = {
        {"eu868", "1.0.4", "", "region"},
        {"EU868", "1.0.4", ",\"rx2Dr\":7,\"rx1DrOffset\":5,\"rx2Frequency\":863000000", NULL},
        {"EU868", "1.0.4", ",\"rx2Dr\":8", "rx2Dr"}, /* uplinks alone */
        {"EU868", "1.0.4", ",\"rx2Dr\":12", "rx2Dr"}, /* of a later revision */
        {"EU868", "1.0.4", ",\"rx2Dr\":12,\"regParamsRevision\":\"RP002-1.0.5\"", NULL},
        {"EU868", "1.0.4", ",\"regParamsRevision\":\"RP002-1.0.9\"", "regParamsRevision"},
        {"EU868", "1.0.4", ",\"rx1DrOffset\":6", "rx1DrOffset"},
        {"IN865", "1.0.4", ",\"rx1DrOffset\":7", NULL},
        {"US915", "1.0.4", ",\"rx1DrOffset\":4", "rx1DrOffset"},
        {"US915", "1.0.4", ",\"rx2Dr\":0", "rx2Dr"},
        {"CN470-20A", "1.0.4", ",\"rx2Dr\":0", "rx2Dr"}, /* carries nothing */
        {"CN470-20A", "1.0.3", ",\"rx2Dr\":0", NULL},
        {"RU864", "1.0.3", ",\"rx2Frequency\":863900000", "rx2Frequency"},
        {"ISM2400", "1.0.3", ",\"rx2Frequency\":2403000100", "rx2Frequency"}, /* steps of 200 Hz */
    };
    /* clang-format on */

    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *body = rest_print(
            &rest, "{\"tenantId\":\"%s\",\"name\":\"p\",\"region\":\"%s\",\"macVersion\":\"%s\"%s}",
            rest_id(&rest, &rest.world.tenant), rows[i].region, rows[i].version, rows[i].more);
        struct rest_answer got = rest_must(&rest, rows[i].complaint ? 422 : 201, "POST",
                                           "/api/v1/device-profiles", body);

        ck_assert_msg(!rows[i].complaint || rest_complains(&got, rows[i].complaint), "%s", body);
    }
    rest_close(&rest);
}
END_TEST

START_TEST(pages_follow_each_other)
{
    struct rest_answer got;
    const char *cursor = NULL;
    int n = 0;

    begin();
    for (int i = 0; i < 7; i++)
        (void)rest_must(&rest, 201, "POST", "/api/v1/tenants",
                        rest_print(&rest, "{\"name\":\"number %d\"}", i));
    do {
        got = rest_must(&rest, 200, "GET",
                        rest_print(&rest, "/api/v1/tenants?limit=3%s%s", cursor ? "&cursor=" : "",
                                   cursor ? cursor : ""),
                        NULL);
        ck_assert_str_eq(rest_text(got.json, "totalCount"), "8");
        for (size_t i = 0; rest_item(got.json, i); i++)
            n++;
        cursor = rest_text(got.json, "nextCursor");
    } while (cursor);
    ck_assert_int_eq(n, 8);
    got = rest_must(&rest, 200, "GET", "/api/v1/tenants?search=BER%203", NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "name"), "number 3");
    ck_assert_ptr_null(rest_item(got.json, 1));
    got = rest_must(&rest, 200, "GET", "/api/v1/audit?limit=2", NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "entry.action"), "create");
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "entry.who.kind"), "admin-key");
    rest_close(&rest);
}
END_TEST

START_TEST(document_is_whole)
{
    struct rest_answer got;
    const struct node *paths;

    begin();
    got = rest_send(&rest, "", "GET", "/api/v1/openapi.json", NULL);
    ck_assert_int_eq(got.status, 200);
    ck_assert_str_eq(rest_text(got.json, "openapi"), "3.1.0");
    paths = node_get(got.json, "paths");
    ck_assert_ptr_nonnull(node_get(node_get(paths, "/api/v1/devices/{devEui}/keys"), "put"));
    ck_assert_ptr_nonnull(node_get(node_get(paths, "/api/v1/tenants"), "post"));
    ck_assert_int_eq(rest_send(&rest, "", "GET", "/api/v1/docs", NULL).status, 200);
    rest_close(&rest);
}
END_TEST

START_TEST(first_start)
{
    char dir[] = "/tmp/godwit-first-XXXXXX", path[64], line[64] = "";
    uint8_t master[32] = {1};
    struct store_options options = {
        .url = "sqlite:godwit.db", .data_dir = dir, .clock = clock_system(), .master_key = master};
    struct store_reader *reader;
    struct store *store;
    struct user *user;
    struct arena arena;
    struct stat st;
    FILE *file;
    bool created = false;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(store_open(&options, &arena, &store, NULL), OK);
    ck_assert_int_eq(api_bootstrap(store, clock_system(), dir, &created), OK);
    ck_assert(created);
    (void)snprintf(path, sizeof(path), "%s/admin-password", dir);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0600);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
    (void)fclose(file);
    line[strcspn(line, "\n")] = '\0';
    ck_assert_int_eq(store_reader_open(store, &reader), OK);
    ck_assert_int_eq(store_user_by_email(reader, "admin@localhost", &arena, &user), OK);
    ck_assert(user->is_admin && user->is_active);
    ck_assert(password_verify(line, user->password_hash));
    ck_assert(!password_verify("admin", user->password_hash));
    ck_assert_int_eq(api_bootstrap(store, clock_system(), dir, &created), OK);
    ck_assert(!created);
    store_reader_close(reader);
    store_close(store);
    arena_reset(&arena);
    (void)snprintf(line, sizeof(line), "rm -rf %s", dir);
    ck_assert_int_eq(system(line), 0);
}
END_TEST

int main(void)
{
    static const TTest *tests[8];

    tests[0] = resources_live;
    tests[1] = statuses;
    tests[2] = limits_of_a_tenant;
    tests[3] = pages_follow_each_other;
    tests[4] = document_is_whole;
    tests[5] = first_start;
    tests[6] = profiles_fit_their_region;
    return run_suite(suite_of("flow_api", tests));
}
