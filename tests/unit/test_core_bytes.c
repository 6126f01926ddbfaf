/* Readers, writers, hex, base64, the map and the index. */
#include "core/arena.h"
#include "core/bytes.h"
#include "core/index.h"
#include "core/map.h"
#include "core/timer.h"
#include "tests/suite.h"

#include <string.h>

START_TEST(reader_keeps_its_error)
{
    struct rd rd = rd_of("\x01\x02\x03", 3);

    ck_assert_uint_eq(rd_u16le(&rd), 0x0201);
    ck_assert_uint_eq(rd_u16le(&rd), 0);
    ck_assert(rd.failed);
    ck_assert_uint_eq(rd_u8(&rd), 0);
    ck_assert_uint_eq(rd_left(&rd), 0);
}
END_TEST

START_TEST(integers_come_back)
{
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct rd rd;

    wr_u8(&wr, 0xfe);
    wr_u16le(&wr, 0x1234);
    wr_u24le(&wr, 0x56789a);
    wr_u32be(&wr, 0xdeadbeef);
    wr_u64le(&wr, 0x0123456789abcdef);
    wr_var(&wr, 300);
    wr_var(&wr, UINT64_MAX);
    wr_blob(&wr, "abc", 3);
    ck_assert(!wr.failed);
    rd = rd_bytes(wr_bytes(&wr));
    ck_assert_uint_eq(rd_u8(&rd), 0xfe);
    ck_assert_uint_eq(rd_u16le(&rd), 0x1234);
    ck_assert_uint_eq(rd_u24le(&rd), 0x56789a);
    ck_assert_uint_eq(rd_u32be(&rd), 0xdeadbeef);
    ck_assert_uint_eq(rd_u64le(&rd), 0x0123456789abcdef);
    ck_assert_uint_eq(rd_var(&rd), 300);
    ck_assert(rd_var(&rd) == UINT64_MAX);
    ck_assert(bytes_equal(rd_blob(&rd), (struct bytes){(const uint8_t *)"abc", 3}));
    ck_assert(!rd.failed);
    ck_assert_uint_eq(rd_left(&rd), 0);
}
END_TEST

START_TEST(writer_stops_at_its_room)
{
    uint8_t room[3] = {0};
    struct wr wr = wr_of(room, sizeof(room));

    wr_u16le(&wr, 1);
    wr_u16le(&wr, 2);
    ck_assert(wr.failed);
    ck_assert_uint_eq(wr_len(&wr), 2);
    wr_u8(&wr, 3);
    ck_assert_uint_eq(wr_len(&wr), 2);
}
END_TEST

START_TEST(a_blob_longer_than_the_input_fails)
{
    struct rd rd = rd_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01zz", 12);

    ck_assert_uint_eq(rd_blob(&rd).n, 0);
    ck_assert(rd.failed);
}
END_TEST

START_TEST(hex_reads_what_people_write)
{
    uint8_t b[4];
    char text[9];

    ck_assert(hex_read(b, 4, "DEad:be-EF", 10));
    ck_assert_str_eq(hex_write(text, b, 4), "deadbeef");
    ck_assert(!hex_read(b, 4, "deadbee", 7));
    ck_assert(!hex_read(b, 4, "deadbeef00", 10));
    ck_assert(!hex_read(b, 4, ":deadbeef", 9));
    ck_assert(!hex_read(b, 4, "deadbeef:", 9));
    ck_assert(!hex_read(b, 4, "deadbexf", 8));
}
END_TEST

START_TEST(base64_both_ways)
{
    static const char *const good[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
    static const char *const bad[] = {"Z", "Zm9vY", "Zg=", "Zh==", "Zm9=", "Zm 9v", "====", "Z==="};
    uint8_t out[16];
    char text[32];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        size_t n = strlen(good[i][0]);

        ck_assert_uint_eq(base64_write(text, good[i][0], n), BASE64_LEN(n));
        ck_assert_str_eq(text, good[i][1]);
        ck_assert_uint_eq(base64_read(out, sizeof(out), text, strlen(text)), n);
        ck_assert(memcmp(out, good[i][0], n) == 0);
        text[strcspn(text, "=")] = '\0';
        ck_assert_uint_eq(base64_read(out, sizeof(out), text, strlen(text)), n);
    }
    ck_assert_uint_eq(base64_read(out, sizeof(out), "-_-_", 4), 3);
    ck_assert_uint_eq(base64_read(out, 2, "Zm9v", 4), SIZE_MAX);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(base64_read(out, sizeof(out), bad[i], strlen(bad[i])) == SIZE_MAX, "%s",
                      bad[i]);
}
END_TEST

START_TEST(map_agrees_with_an_array)
{
    static void *shadow[512];
    struct map map;
    uint64_t x = 1;
    size_t count = 0, at = 0, seen = 0;

    map_init(&map);
    for (int i = 0; i < 20000; i++) {
        size_t key;

        x = hash_u64(x + (uint64_t)i);
        key = x % 512;
        if (x >> 60 & 1) {
            void *value = &shadow[x >> 32 & 511];

            ck_assert_ptr_eq(map_put(&map, key, value), shadow[key]);
            count += !shadow[key];
            shadow[key] = value;
        } else {
            ck_assert_ptr_eq(map_remove(&map, key), shadow[key]);
            count -= shadow[key] != NULL;
            shadow[key] = NULL;
        }
        ck_assert_uint_eq(map.count, count);
    }
    for (size_t key = 0; key < 512; key++)
        ck_assert_ptr_eq(map_get(&map, key), shadow[key]);
    while (map_next(&map, &at))
        seen++;
    ck_assert_uint_eq(seen, count);
    map_fini(&map);
}
END_TEST

/* Entries 1..512, of few hashes, so that many stand beside each other. */
static bool index_has(const struct index *index, uint32_t ref, size_t *at)
{
    uint32_t found = index_first(index, ref % 37, at);

    while (found && found != ref)
        found = index_next(index, at);
    return found == ref;
}

START_TEST(index_agrees_with_an_array)
{
    static bool there[513];
    struct index index = {0};
    uint64_t x = 1;
    size_t count = 0, at;

    for (int i = 0; i < 20000; i++) {
        uint32_t ref;

        x = hash_u64(x + (uint64_t)i);
        ref = (uint32_t)(x % 512) + 1;
        ck_assert_int_eq(index_has(&index, ref, &at), there[ref]);
        if (there[ref])
            index_remove(&index, at);
        else
            index_put(&index, ref % 37, ref);
        there[ref] = !there[ref];
        count = there[ref] ? count + 1 : count - 1;
        ck_assert_uint_eq(index.count, count);
    }
    for (uint32_t ref = 1; ref <= 512; ref++)
        ck_assert_int_eq(index_has(&index, ref, &at), there[ref]);
    ck_assert_uint_gt(count, 0);
    index_put(&index, 99, 1000);
    ck_assert_uint_eq(index_first(&index, 99, &at), 1000);
    index_set(&index, at, 1001);
    ck_assert_uint_eq(index_first(&index, 99, &at), 1001);
    index_fini(&index);
    ck_assert_uint_eq(index_first(&index, 99, &at), 0);
}
END_TEST

static void nothing(struct timer *timer)
{
    (void)timer;
}

START_TEST(timers_come_in_order)
{
    static struct timer t[300];
    struct timers timers;
    int64_t last = -1;
    struct timer *due;
    size_t n = 0;

    timers_init(&timers);
    for (size_t i = 0; i < 300; i++) {
        t[i].fire = nothing;
        timer_set(&timers, &t[i], (int64_t)(hash_u64(i) % 1000));
    }
    for (size_t i = 0; i < 300; i += 3)
        timer_set(&timers, &t[i], (int64_t)(hash_u64(i + 7) % 1000));
    for (size_t i = 1; i < 300; i += 3)
        timer_cancel(&timers, &t[i]);
    ck_assert_ptr_null(timers_take(&timers, -1));
    while ((due = timers_take(&timers, 1000))) {
        ck_assert_int_ge(due->at_us, last);
        ck_assert(!timer_is_set(due));
        last = due->at_us;
        n++;
    }
    ck_assert_uint_eq(n, 200);
    timers_fini(&timers);
}
END_TEST

START_TEST(arena_gives_zeroed_aligned_memory)
{
    struct arena arena;
    char *big, *text;

    arena_init(&arena, ARENA_JOB_LIMIT);
    for (size_t i = 1; i < 100; i++) {
        unsigned char *p = arena_alloc(&arena, i);

        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_eq(p[k], 0);
        memset(p, 0xff, i);
    }
    big = arena_alloc(&arena, 100000);
    memset(big, 1, 100000);
    text = arena_printf(&arena, "%s-%d", "x", 5);
    ck_assert_str_eq(text, "x-5");
    arena_reset(&arena);
    ck_assert_uint_eq(arena.used, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reader_keeps_its_error,
                                  integers_come_back,
                                  writer_stops_at_its_room,
                                  a_blob_longer_than_the_input_fails,
                                  hex_reads_what_people_write,
                                  base64_both_ways,
                                  map_agrees_with_an_array,
                                  index_agrees_with_an_array,
                                  timers_come_in_order,
                                  arena_gives_zeroed_aligned_memory,
                                  NULL};

    return run_suite(suite_of("bytes", tests));
}
