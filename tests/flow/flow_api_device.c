/*
 * What the REST interface does with the live state of a device: keys, sessions, queue, events,
 * streams, frames, diagnosis; and the inbox of unknown gateways.
 */
#include "lorawan/frame.h"
#include "tests/flow/radio.h"
#include "tests/flow/rest.h"
#include "tests/suite.h"

#include <string.h>

#define DEVICE   0x70b3d57ed0000001u
#define JOIN_EUI 0x1122334455667788u
#define GATEWAY  0x0102030405060708u
#define DEV      "/api/v1/devices/70b3d57ed0000001"
#define KEY      "000102030405060708090a0b0c0d0e0f"
#define ADDR     0x26000001u

static struct rest rest;
static struct radio radio;
static const struct lw_key key = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static void begin(enum lw_version version)
{
    rest_open(&rest, &(struct world_options){.seed = 5, .version = version});
    world_device(&rest.world, DEVICE);
    world_gateway(&rest.world, GATEWAY);
    radio_open(&rest.world, &radio, GATEWAY);
}

static void activate(void)
{
    (void)rest_must(&rest, 200, "PUT", DEV "/activation",
                    "{\"devAddr\":\"26000001\",\"nwkSKey\":\"" KEY "\",\"appSKey\":\"" KEY "\"}");
}

static void speak(uint32_t fcnt, const char *text)
{
    uint8_t phy[LW_PHY_MAX];
    struct wr wr = wr_of(phy, sizeof(phy));
    struct lw_data data = {
        .dev_addr = {ADDR}, .port = 7, .payload = {(const uint8_t *)text, strlen(text)}};
    struct lw_seal seal = {.fcnt = fcnt, .f_nwk_s_int = &key, .nwk_s_enc = &key, .app_s_key = &key};

    ck_assert_int_eq(lw_data_write(&wr, LW_UNCONFIRMED_UP, &data, &seal), OK);
    radio_pull(&rest.world, &radio);
    radio_heard(&rest.world, &radio, wr_bytes(&wr), 868100000, "SF7BW125", 5);
    world_run(&rest.world, 3000000);
}

static void ask_to_join(const struct lw_key *with, uint16_t nonce)
{
    uint8_t phy[32];
    struct wr wr = wr_of(phy, sizeof(phy));
    struct lw_join_request join = {{JOIN_EUI}, {DEVICE}, nonce};

    ck_assert_int_eq(lw_join_request_write(&wr, &join, with), OK);
    radio_heard(&rest.world, &radio, wr_bytes(&wr), 868100000, "SF7BW125", 5);
    world_run(&rest.world, 7000000);
}

START_TEST(keys)
{
    struct rest_answer got;

    begin(LW_1_0_3);
    (void)rest_must(&rest, 404, "GET", DEV "/keys", NULL);
    got = rest_must(&rest, 422, "PUT", DEV "/keys", "{\"nwkKey\":\"" KEY "\"}");
    ck_assert(rest_complains(&got, "appKey"));
    ck_assert(rest_complains(&got, "nwkKey"));
    (void)rest_must(&rest, 200, "PUT", DEV "/keys", "{\"appKey\":\"" KEY "\"}");
    got = rest_must(&rest, 200, "GET", DEV "/keys", NULL);
    ck_assert_str_eq(rest_text(got.json, "appKey"), KEY);
    ck_assert_ptr_null(rest_text(got.json, "nwkKey"));
    got = rest_must(&rest, 200, "GET", "/api/v1/audit", NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "entry.action"), "read-keys");
    ck_assert_ptr_null(strstr(got.body, KEY));
    (void)rest_must(&rest, 204, "DELETE", DEV "/dev-nonces", NULL);
    (void)rest_must(&rest, 204, "DELETE", DEV "/keys", NULL);
    (void)rest_must(&rest, 404, "DELETE", DEV "/keys", NULL);
    rest_close(&rest);
}
END_TEST

START_TEST(activation)
{
    struct rest_answer got;

    begin(LW_1_0_3);
    (void)rest_must(&rest, 404, "GET", DEV "/activation", NULL);
    got = rest_must(&rest, 422, "PUT", DEV "/activation", "{\"nwkSEncKey\":\"" KEY "\"}");
    ck_assert(rest_complains(&got, "devAddr"));
    ck_assert(rest_complains(&got, "nwkSEncKey"));
    activate();
    got = rest_must(&rest, 200, "GET", DEV "/activation", NULL);
    ck_assert_str_eq(rest_text(got.json, "devAddr"), "26000001");
    ck_assert_str_eq(rest_text(got.json, "appSKey"), KEY);
    ck_assert_str_eq(rest_text(got.json, "rx1Delay"), "1");
    (void)rest_must(&rest, 200, "PUT", DEV "/activation",
                    "{\"devAddr\":\"26000001\",\"nwkSKey\":\"" KEY "\",\"appSKey\":\"" KEY
                    "\",\"fCntDown\":9}");
    (void)rest_must(&rest, 409, "PUT", DEV "/activation",
                    "{\"devAddr\":\"26000001\",\"nwkSKey\":\"" KEY "\",\"appSKey\":\"" KEY
                    "\",\"fCntDown\":8}");
    got = rest_must(&rest, 200, "GET", DEV, NULL);
    ck_assert_str_eq(rest_text(got.json, "devAddr"), "26000001");
    (void)rest_must(&rest, 200, "GET", DEV "/adr", NULL);
    (void)rest_must(&rest, 204, "DELETE", DEV "/activation", NULL);
    (void)rest_must(&rest, 404, "DELETE", DEV "/activation", NULL);
    rest_close(&rest);
}
END_TEST

START_TEST(queue)
{
    struct rest_answer got, made;

    begin(LW_1_0_3);
    got = rest_must(&rest, 422, "POST", DEV "/queue", "{\"fPort\":224,\"object\":{\"a\":1}}");
    ck_assert(rest_complains(&got, "fPort"));
    ck_assert(rest_complains(&got, "object"));
    got = rest_must(&rest, 422, "POST", DEV "/queue", "{\"fPort\":1}");
    ck_assert(rest_complains(&got, "data"));
    got = rest_must(&rest, 422, "POST", DEV "/queue",
                    "{\"fPort\":1,\"data\":\"AQ==\",\"isEncrypted\":true}");
    ck_assert(rest_complains(&got, "fCntDown"));
    made = rest_must(&rest, 201, "POST", DEV "/queue", "{\"fPort\":1,\"data\":\"AQID\"}");
    ck_assert_str_eq(rest_text(made.json, "state"), "queued");
    (void)rest_must(&rest, 201, "POST", DEV "/queue",
                    "{\"fPort\":2,\"data\":\"BA==\",\"priority\":5,\"confirmed\":true}");
    got = rest_must(&rest, 200, "GET", DEV "/queue", NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "fPort"), "2");
    ck_assert_str_eq(rest_text(rest_item(got.json, 1), "data"), "AQID");
    (void)rest_must(&rest, 204, "DELETE", made.location, NULL);
    (void)rest_must(&rest, 404, "DELETE", made.location, NULL);
    (void)rest_must(&rest, 404, "DELETE", DEV "/queue/00000000-0000-0000-0000-000000000000", NULL);
    got = rest_must(&rest, 200, "GET", DEV "/queue", NULL);
    ck_assert_str_eq(rest_text(got.json, "totalCount"), "1");
    (void)rest_must(&rest, 204, "DELETE", DEV "/queue", NULL);
    got = rest_must(&rest, 200, "GET", DEV "/queue", NULL);
    ck_assert_str_eq(rest_text(got.json, "totalCount"), "0");
    rest_close(&rest);
}
END_TEST

static bool got_text(struct http_exchange *stream, const char *text)
{
    struct http_captured got = http_captured(stream);

    return got.body.n && memmem(got.body.p, got.body.n, text, strlen(text));
}

START_TEST(events_and_streams)
{
    struct http_exchange *all, *one, *frames, *late;
    struct rest_answer got;
    const char *first, *path;
    struct uuid none = {{0}};

    begin(LW_1_0_3);
    activate();
    ck_assert(!api_covered(rest.api, &rest.world.tenant, &none, (struct lw_eui){DEVICE}));
    all = rest_stream(&rest, NULL, "/api/v1/events/stream");
    one = rest_stream(&rest, NULL, DEV "/events/stream?type=join");
    frames = rest_stream(&rest, NULL, DEV "/frames/stream");
    ck_assert(http_captured(all).stream);
    ck_assert_str_eq(http_captured(all).content_type, "text/event-stream");
    ck_assert(api_covered(rest.api, &rest.world.tenant, &none, (struct lw_eui){DEVICE}));
    speak(0, "hello");
    speak(1, "again");
    ck_assert(got_text(all, "event: up\ndata: {\"deduplicationId\":"));
    ck_assert(got_text(all, "\"data\":\"aGVsbG8=\""));
    ck_assert(!got_text(one, "event: up"));
    ck_assert(got_text(frames, "event: frame"));
    got = rest_must(&rest, 200, "GET", DEV "/events?type=up", NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "data.fCnt"), "1");
    ck_assert_str_eq(rest_text(rest_item(got.json, 1), "data.fCnt"), "0");
    ck_assert_str_eq(rest_text(rest_item(got.json, 1), "data.deviceInfo.deviceName"), "device");
    first = rest_text(rest_item(got.json, 1), "id");
    got = rest_must(&rest, 200, "GET", DEV "/events?type=up&limit=1", NULL);
    path = rest_print(&rest, DEV "/events?type=up&cursor=%s", rest_text(got.json, "nextCursor"));
    got = rest_must(&rest, 200, "GET", path, NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "data.fCnt"), "0");
    path = rest_print(&rest, "/api/v1/applications/%s/events?type=up",
                      rest_id(&rest, &rest.world.application));
    got = rest_must(&rest, 200, "GET", path, NULL);
    ck_assert_ptr_nonnull(rest_item(got.json, 1));
    (void)rest_must(&rest, 400, "GET", DEV "/events?type=down", NULL);
    rest.last_event_id = first;
    late = rest_stream(&rest, NULL, DEV "/events/stream");
    ck_assert(!got_text(late, "\"data\":\"aGVsbG8=\""));
    ck_assert(got_text(late, "\"data\":\"YWdhaW4=\""));
    got = rest_must(&rest, 200, "GET", DEV "/frames", NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "decoded.fCnt"), "1");
    (void)rest_must(&rest, 200, "GET", "/api/v1/gateways/0102030405060708/frames", NULL);
    http_inject_close(all);
    http_inject_close(one);
    http_inject_close(frames);
    http_inject_close(late);
    httpd_tick(rest.httpd);
    world_run(&rest.world, 6000000);
    ck_assert(!api_covered(rest.api, &rest.world.tenant, &none, (struct lw_eui){DEVICE}));
    rest_close(&rest);
}
END_TEST

START_TEST(what_cannot_be_read_is_shown)
{
    static const struct {
        enum aside_kind kind;
        const char *what, *code;
    } rows[] = {{ASIDE_STATE, NULL, "session_unreadable"},
                {ASIDE_SESSION, "active", "session_unreadable"},
                {ASIDE_SESSION, "pending", "join_unreadable"},
                {ASIDE_QUEUE_ITEM, NULL, "queue_item_unreadable"}};
    struct rest_answer got;

    begin(LW_1_0_3);
    got = rest_must(&rest, 200, "GET", "/readyz", NULL);
    ck_assert_ptr_nonnull(strstr(got.body, "\"remarks\":[]"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct aside aside = {.kind = rows[i].kind,
                                    .what = rows[i].what,
                                    .key = record_key_eui((struct lw_eui){DEVICE}),
                                    .dev_eui = {DEVICE}};
        struct asides *asides = store_asides(rest.world.store);

        aside_note(asides, &aside);
        got = rest_must(&rest, 200, "GET", "/readyz", NULL);
        ck_assert_ptr_nonnull(strstr(got.body, "cannot be read"));
        ck_assert_ptr_nonnull(strstr(got.body, aside_name(rows[i].kind)));
        got = rest_must(&rest, 200, "GET", DEV "/diagnosis", NULL);
        ck_assert_ptr_nonnull(strstr(got.body, rows[i].code));
        aside_settle(asides, rows[i].kind, NULL, aside.dev_eui);
    }
    rest_close(&rest);
}
END_TEST

START_TEST(diagnosis)
{
    struct rest_answer got;
    struct lw_key turned;

    begin(LW_1_0_3);
    got = rest_must(&rest, 200, "GET", DEV "/diagnosis", NULL);
    ck_assert_ptr_nonnull(strstr(got.body, "keys_missing"));
    ck_assert_ptr_nonnull(strstr(got.body, "never_heard"));
    (void)rest_must(&rest, 200, "PUT", DEV "/keys", "{\"appKey\":\"" KEY "\"}");
    for (int i = 0; i < 16; i++)
        turned.b[i] = key.b[15 - i];
    ask_to_join(&turned, 1);
    got = rest_must(&rest, 200, "GET", DEV "/diagnosis", NULL);
    ck_assert_ptr_nonnull(strstr(got.body, "join_mic"));
    ck_assert_ptr_nonnull(strstr(got.body, "turned round"));
    ask_to_join(&key, 2);
    ask_to_join(&key, 2);
    got = rest_must(&rest, 200, "GET", DEV "/diagnosis", NULL);
    ck_assert_ptr_nonnull(strstr(got.body, "join_not_confirmed"));
    rest_close(&rest);
}
END_TEST

START_TEST(unknown_gateways_are_adopted)
{
    struct radio stranger;
    struct rest_answer got;

    begin(LW_1_0_3);
    (void)rest_must(&rest, 404, "POST", "/api/v1/gateways/0807060504030201:adopt", NULL);
    radio_open(&rest.world, &stranger, 0x0807060504030201u);
    radio_pull(&rest.world, &stranger);
    got = rest_must(&rest, 200, "GET", "/api/v1/gateways:unknown", NULL);
    ck_assert_str_eq(rest_text(rest_item(got.json, 0), "gatewayId"), "0807060504030201");
    got = rest_must(&rest, 422, "POST", "/api/v1/gateways/0807060504030201:adopt",
                    "{\"gatewayId\":\"0807060504030201\"}");
    ck_assert(rest_complains(&got, "gatewayId"));
    got = rest_must(&rest, 201, "POST", "/api/v1/gateways/0807060504030201:adopt", NULL);
    ck_assert_str_eq(rest_text(got.json, "name"), "0807060504030201");
    ck_assert_str_eq(got.location, "/api/v1/gateways/0807060504030201");
    radio_pull(&rest.world, &stranger);
    got = rest_must(&rest, 200, "GET", got.location, NULL);
    ck_assert_str_eq(rest_text(got.json, "state"), "online");
    rest_close(&rest);
}
END_TEST

int main(void)
{
    static const TTest *tests[8];

    tests[0] = keys;
    tests[1] = activation;
    tests[2] = queue;
    tests[3] = events_and_streams;
    tests[4] = diagnosis;
    tests[5] = what_cannot_be_read_is_shown;
    tests[6] = unknown_gateways_are_adopted;
    return run_suite(suite_of("flow_api_device", tests));
}
