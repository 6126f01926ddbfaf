/*
 * REST when something is missing: the store, a handler's answer, a client that reads.
 */
#include "api/stream.h"
#include "tests/flow/rest.h"
#include "tests/store/fault_vfs.h"
#include "tests/suite.h"

#include <stdlib.h>
#include <string.h>

#define DEVICE "70b3d57ed0000001"

static struct rest rest;

static void begin(int seed)
{
    fault_register();
    fault_reset();
    rest_open(&rest,
              &(struct world_options){.seed = (uint64_t)seed, .version = LW_1_0_3, .vfs = "fault"});
    world_device(&rest.world, 0x70b3d57ed0000001u);
}

static void end(void)
{
    rest_close(&rest);
}

static void wait_s(int64_t seconds)
{
    world_run(&rest.world, seconds * US_PER_S);
}

static const char *application(const char *name)
{
    return rest_print(&rest, "{\"tenantId\":\"%s\",\"name\":\"%s\"}",
                      rest_id(&rest, &rest.world.tenant), name);
}

/* ---- the store ------------------------------------------------------------------------------- */

static void must_be_away(const char *method, const char *path, const char *body)
{
    struct rest_answer answer = rest_must(&rest, 503, method, path, body);

    ck_assert_str_eq(answer.type, "application/problem+json");
    ck_assert_str_ne(answer.retry_after, "");
    ck_assert_str_eq(rest_text(answer.json, "status"), "503");
}

START_TEST(writes_are_refused_at_once_while_the_store_is_away)
{
    begin(_i);
    fault = (struct fault){.at = 1, .forever = true};
    for (int again = 0; again < 2; again++) { /* the first finds it out, the second knows */
        must_be_away("POST", "/api/v1/applications", application("lost"));
        must_be_away("PATCH", "/api/v1/devices/" DEVICE, "{\"name\":\"lost\"}");
        must_be_away("DELETE", "/api/v1/devices/" DEVICE, NULL);
        must_be_away("PUT", "/api/v1/devices/" DEVICE "/keys",
                     "{\"appKey\":\"000102030405060708090a0b0c0d0e0f\"}");
        must_be_away("POST", "/api/v1/devices/" DEVICE "/queue", "{\"fPort\":1,\"data\":\"AQ==\"}");
        must_be_away("PUT", "/api/v1/devices/" DEVICE "/activation",
                     "{\"devAddr\":\"01020304\",\"nwkSKey\":\"000102030405060708090a0b0c0d0e0f\","
                     "\"appSKey\":\"000102030405060708090a0b0c0d0e0f\"}");
    }
    /* Reading goes on, and so does judging: what is wrong in itself is 422, not 503. */
    (void)rest_must(&rest, 200, "GET", "/api/v1/devices/" DEVICE, NULL);
    (void)rest_must(&rest, 422, "POST", "/api/v1/applications", "{}");
    fault = (struct fault){0};
    wait_s(3);
    /* What was answered 503 has not happened and does not happen now. */
    ck_assert_str_eq(
        rest_text(rest_must(&rest, 200, "GET", "/api/v1/applications", NULL).json, "totalCount"),
        "1");
    ck_assert_str_eq(
        rest_text(rest_must(&rest, 200, "GET", "/api/v1/devices/" DEVICE, NULL).json, "name"),
        "device");
    (void)rest_must(&rest, 404, "GET", "/api/v1/devices/" DEVICE "/activation", NULL);
    (void)rest_must(&rest, 201, "POST", "/api/v1/applications", application("kept"));
    end();
}
END_TEST

START_TEST(readiness_ends_two_seconds_after_the_store)
{
    struct rest_answer answer;

    begin(_i);
    answer = rest_send(&rest, "", "GET", "/readyz", NULL);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(rest_text(answer.json, "ready"), "true");
    fault = (struct fault){.at = 1, .forever = true};
    must_be_away("POST", "/api/v1/applications", application("lost"));
    wait_s(1);
    ck_assert_int_eq(rest_send(&rest, "", "GET", "/readyz", NULL).status, 200);
    wait_s(1);
    answer = rest_send(&rest, "", "GET", "/readyz", NULL);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(rest_text(answer.json, "ready"), "false");
    ck_assert_ptr_nonnull(strstr(answer.body, "store: "));
    ck_assert_int_eq(rest_send(&rest, "", "GET", "/healthz", NULL).status, 200); /* alive it is */
    ck_assert_ptr_nonnull(
        strstr(rest_send(&rest, "", "GET", "/metrics", NULL).body, "godwit_store_away 1"));
    fault = (struct fault){0};
    wait_s(3); /* no write asks for it: the committer looks by itself */
    answer = rest_send(&rest, "", "GET", "/readyz", NULL);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_null(strstr(answer.body, "store"));
    end();
}
END_TEST

/* ---- requests -------------------------------------------------------------------------------- */

START_TEST(a_body_beyond_the_limit_is_refused)
{
    size_t most = (size_t)1 << 20;
    char *body = malloc(most + 2);
    struct rest_answer answer;

    begin(_i);
    memset(body, ' ', most + 1);
    body[most + 1] = '\0';
    memcpy(body, "{}", 2);
    answer = rest_must(&rest, 413, "POST", "/api/v1/applications", body);
    ck_assert_str_eq(answer.type, "application/problem+json");
    body[most] = '\0'; /* of just the limit: it is read, and found wanting */
    (void)rest_must(&rest, 422, "POST", "/api/v1/applications", body);
    free(body);
    end();
}
END_TEST

START_TEST(a_request_whose_handler_is_stuck_gets_504)
{
    struct http_exchange *stuck;
    struct http_captured got;

    begin(_i);
    stuck = rest_inject(&rest, "POST", "/api/v1/applications", application("late"));
    ck_assert_int_eq(http_captured(stuck).status, 0);
    clock_double_set(&rest.world.clock, rest.world.clock.mono + 29 * US_PER_S);
    httpd_tick(rest.httpd);
    ck_assert_int_eq(http_captured(stuck).status, 0);
    clock_double_set(&rest.world.clock, rest.world.clock.mono + US_PER_S);
    httpd_tick(rest.httpd);
    got = http_captured(stuck);
    ck_assert_int_eq(got.status, 504);
    ck_assert_str_eq(got.content_type, "application/problem+json");
    ck_assert_uint_eq(httpd_waiting(rest.httpd), 0);
    rest_step(&rest); /* the handler wakes up: its answer comes too late and is dropped */
    ck_assert_int_eq(http_captured(stuck).status, 504);
    http_inject_close(stuck);
    (void)rest_must(&rest, 200, "GET", "/api/v1/applications", NULL);
    end();
}
END_TEST

/* ---- streams --------------------------------------------------------------------------------- */

#define STREAM_MAX ((size_t)1 << 20)

/* A line of the frame log of the device, some 900 octets in the stream. */
static void log_frames(unsigned n)
{
    static const uint8_t phy[255];
    struct frame_entry entry = {.direction = LW_UP,
                                .dev_eui = {0x70b3d57ed0000001u},
                                .gateway = {1},
                                .frequency_hz = 868100000,
                                .phy = {phy, sizeof(phy)},
                                .verdict = "accepted"};

    for (unsigned i = 0; i < n; i++)
        api_frame(rest.api, &entry);
    world_run(&rest.world, 0);
}

START_TEST(a_client_that_never_reads_is_cut_off)
{
    int64_t cuts = metric_read(&stream_cuts, 0);
    struct http_exchange *reader, *sleeper;
    size_t most = 0;

    begin(_i);
    reader = rest_stream(&rest, NULL, "/api/v1/devices/" DEVICE "/frames/stream");
    sleeper = rest_stream(&rest, NULL, "/api/v1/devices/" DEVICE "/frames/stream");
    ck_assert_uint_eq(httpd_streams(rest.httpd), 2);
    for (int s = 0; s < 15; s++) {
        size_t n;

        log_frames(400);
        n = http_captured(sleeper).body.n;
        most = n > most ? n : most;
        ck_assert_uint_gt(http_captured(reader).body.n, 100000);
        http_inject_drain(reader);
        wait_s(1);
    }
    ck_assert_uint_le(most, STREAM_MAX);
    ck_assert_uint_gt(most, STREAM_MAX / 2);
    ck_assert(http_captured(sleeper).ended);
    ck_assert(!http_captured(reader).ended);
    ck_assert_int_eq(metric_read(&stream_cuts, 0), cuts + 1);
    http_inject_close(sleeper);
    http_inject_close(reader);
    wait_s(6);
    ck_assert_uint_eq(httpd_streams(rest.httpd), 0);
    ck_assert_int_eq(metric_read(&stream_cuts, 0), cuts + 1); /* who leaves was not cut off */
    end();
}
END_TEST

START_TEST(a_client_that_reads_again_in_time_misses_nothing)
{
    struct http_exchange *sleeper;
    int64_t cuts = metric_read(&stream_cuts, 0);
    size_t lines = 0;

    begin(_i);
    sleeper = rest_stream(&rest, NULL, "/api/v1/devices/" DEVICE "/frames/stream");
    log_frames(2000);
    wait_s(8);
    for (int i = 0; i < 8; i++) {
        struct http_captured got = http_captured(sleeper);

        for (size_t at = 0; at + 3 < got.body.n; at++)
            lines += memcmp(got.body.p + at, "id: ", 4) == 0;
        http_inject_drain(sleeper);
        wait_s(1);
    }
    ck_assert_uint_eq(lines, 2000);
    ck_assert_int_eq(metric_read(&stream_cuts, 0), cuts);
    http_inject_close(sleeper);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow_api_faults");
    TCase *tc = tcase_create("flow_api_faults");
    const TTest *const tests[] = {writes_are_refused_at_once_while_the_store_is_away,
                                  readiness_ends_two_seconds_after_the_store,
                                  a_body_beyond_the_limit_is_refused,
                                  a_request_whose_handler_is_stuck_gets_504,
                                  a_client_that_never_reads_is_cut_off,
                                  a_client_that_reads_again_in_time_misses_nothing,
                                  NULL};

    tcase_set_timeout(tc, 0);
    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, 2);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
