/* The frame log over REST: beyond the ring, over a restart, with a disk that takes nothing. */
#include "tests/flow/rest.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define RING    64 /* so that files are needed soon */
#define DEVICE  0x70b3d57ed0000001u
#define GATEWAY 0x0102030405060708u
#define DEV     "/api/v1/devices/70b3d57ed0000001"
#define GW      "/api/v1/gateways/0102030405060708"

static struct rest rest;

static void begin(void)
{
    rest_open(&rest, &(struct world_options){.seed = 7, .version = LW_1_0_3});
    world_device(&rest.world, DEVICE);
    world_gateway(&rest.world, GATEWAY);
    rest.frames_ring = RING;
    rest_restart(&rest);
}

/* Frames of the device (every second one) and of another, all by one gateway. */
static void tell(unsigned n, int64_t utc_us)
{
    static const uint8_t phy[] = {0x40, 1, 0, 0, 0x26, 0, 7, 0, 1, 2, 3, 4};

    for (unsigned i = 0; i < n; i++) {
        struct frame_entry entry = {.utc_us = utc_us,
                                    .direction = LW_UP,
                                    .gateway = {GATEWAY},
                                    .dev_eui = {DEVICE + (i & 1)},
                                    .dev_addr = 0x26000001,
                                    .frequency_hz = 868100000 + i,
                                    .dr = 5,
                                    .airtime_us = 61696,
                                    .phy = {phy, sizeof(phy)},
                                    .drop = i % 4 == 2 ? DROP_MIC : DROP_NONE,
                                    .verdict = i % 4 == 2 ? "dropped" : "accepted",
                                    .note = "a note"};

        api_frame(rest.api, &entry);
        if (i % 32 == 31)
            world_run(&rest.world, 200000);
    }
    world_run(&rest.world, 200000);
}

static int64_t now(void)
{
    return clock_utc(&rest.world.clock.clock);
}

/* Pages through the log; ids must fall. */
static size_t pages(const char *path, unsigned limit)
{
    const char *cursor = "", *last = "g";
    size_t n = 0;

    for (;;) {
        struct rest_answer got = rest_must(&rest, 200, "GET",
                                           rest_print(&rest, "%s/frames?limit=%u%s%s", path, limit,
                                                      *cursor ? "&cursor=" : "", cursor),
                                           NULL);
        const struct node *item;

        for (size_t i = 0; (item = rest_item(got.json, i)); i++, n++) {
            ck_assert_int_lt(strcmp(rest_text(item, "id"), last), 0);
            last = rest_text(item, "id");
        }
        cursor = rest_text(got.json, "nextCursor");
        if (!cursor || strcmp(cursor, "null") == 0)
            return n;
    }
}

START_TEST(frames_are_kept_beyond_the_ring_and_a_restart)
{
    struct rest_answer got;
    const struct node *item;

    begin();
    tell(500, now());
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(pages(DEV, 30), 250);
        ck_assert_uint_eq(pages(DEV, 250), 250);
        ck_assert_uint_eq(pages(GW, 1000), 500);
        ck_assert_uint_eq(pages(GW, 64), 500);
        rest_restart(&rest);
    }
    got = rest_must(&rest, 200, "GET", DEV "/frames?limit=2", NULL);
    item = rest_item(got.json, 0);
    ck_assert_str_eq(rest_text(item, "dropReason"), "mic");
    ck_assert_str_eq(rest_text(item, "verdict"), "dropped");
    ck_assert_str_eq(rest_text(item, "phyPayload"), "400100002600070001020304");
    ck_assert_str_eq(rest_text(item, "gatewayId"), "0102030405060708");
    ck_assert_str_eq(rest_text(item, "devAddr"), "26000001");
    ck_assert_ptr_nonnull(strstr(got.body, "a note"));
    ck_assert_ptr_null(rest_text(rest_item(got.json, 1), "dropReason"));
    tell(10, now());
    ck_assert_uint_eq(pages(GW, 100), 510);
    rest_close(&rest);
}
END_TEST

START_TEST(frames_before_the_object_was_made_are_not_its_owners)
{
    begin();
    tell(100, now() - 3600 * (int64_t)US_PER_S);
    tell(6, now());
    ck_assert_uint_eq(pages(DEV, 50), 3);
    ck_assert_uint_eq(pages(GW, 50), 6);
    rest_restart(&rest);
    ck_assert_uint_eq(pages(DEV, 50), 3);
    rest_close(&rest);
}
END_TEST

static size_t count_text(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)); text += strlen(what))
        n++;
    return n;
}

START_TEST(a_stream_resumes_from_the_files)
{
    struct http_exchange *stream;
    struct http_captured got;

    begin();
    tell(400, now());
    rest.last_event_id = "0000000000000064";
    stream = rest_stream(&rest, NULL, DEV "/frames/stream");
    world_run(&rest.world, 1000000);
    httpd_tick(rest.httpd);
    got = http_captured(stream);
    ck_assert_uint_eq(
        count_text(arena_strndup(&rest.world.arena, (const char *)got.body.p, got.body.n),
                   "event: frame"),
        150);
    http_inject_close(stream);
    rest.last_event_id = NULL;
    rest_close(&rest);
}
END_TEST

static const char *metric_line(const char *name)
{
    struct rest_answer got = rest_must(&rest, 200, "GET", "/metrics", NULL);
    const char *line = strstr(got.body, name);

    return line ? arena_strndup(&rest.world.arena, line, strcspn(line, "\n")) : "";
}

START_TEST(a_busy_log_drops_and_counts)
{
    begin();
    for (unsigned i = 0; i < RING + 36; i++)
        api_frame(rest.api, &(struct frame_entry){.utc_us = now(), .dev_eui = {DEVICE}});
    ck_assert_str_eq(metric_line("godwit_frame_log_dropped_total{reason=\"busy\"}"),
                     "godwit_frame_log_dropped_total{reason=\"busy\"} 36");
    world_run(&rest.world, 200000);
    ck_assert_uint_eq(pages(DEV, 1000), RING);
    rest_close(&rest);
}
END_TEST

static void shell(const char *command)
{
    ck_assert_int_eq(system(rest_print(&rest, "%s %s", command, rest.frames_dir)), 0);
}

START_TEST(a_disk_that_takes_nothing_costs_frames_only)
{
    struct rest_answer got;

    begin();
    tell(64, now());
    shell("rm -rf"); /* no new segment can be made */
    tell(400, now());
    got = rest_must(&rest, 200, "GET", "/readyz", NULL);
    ck_assert_ptr_nonnull(strstr(got.body, "frame log"));
    ck_assert_ptr_null(
        strstr(metric_line("godwit_frame_log_dropped_total{reason=\"disk\"}"), "} 0"));
    ck_assert_uint_ge(pages(GW, 1000), RING); /* the newest are in memory */
    shell("mkdir");
    tell(200, now());
    got = rest_must(&rest, 200, "GET", "/readyz", NULL);
    ck_assert_ptr_null(strstr(got.body, "frame log"));
    ck_assert_uint_ge(pages(GW, 1000), 200);
    rest_close(&rest);
}
END_TEST

START_TEST(without_a_folder_the_ring_is_all)
{
    struct rest_answer got;

    begin();
    (void)snprintf(rest.frames_dir, sizeof(rest.frames_dir), "/dev/null/frames");
    rest_restart(&rest);
    tell(200, now());
    got = rest_must(&rest, 200, "GET", "/readyz", NULL);
    ck_assert_ptr_nonnull(strstr(got.body, "frame log"));
    ck_assert_uint_eq(pages(GW, 10), RING);
    rest_close(&rest);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {frames_are_kept_beyond_the_ring_and_a_restart,
                                  frames_before_the_object_was_made_are_not_its_owners,
                                  a_stream_resumes_from_the_files,
                                  a_busy_log_drops_and_counts,
                                  a_disk_that_takes_nothing_costs_frames_only,
                                  without_a_folder_the_ring_is_all,
                                  NULL};

    return run_suite(suite_of("flow_frames", tests));
}
