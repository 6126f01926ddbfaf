/* Beacon frames of every layout: written, read, damaged. */
#include "lorawan/beacon.h"
#include "region/region.h"
#include "tests/vectors.h"

#include <math.h>

static const unsigned factors[] = {8, 9, 10, 12};

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static struct lw_beacon any_beacon(uint32_t *seed)
{
    struct lw_beacon beacon = {.precision = next(seed) & 3,
                               .time_gps_s = next(seed) << 12,
                               .info_desc = (uint8_t)next(seed)};

    for (size_t i = 0; i < sizeof(beacon.info); i++)
        beacon.info[i] = (uint8_t)next(seed);
    return beacon;
}

START_TEST(lengths)
{
    static const size_t octets[] = {19, 17, 19, 23};

    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(lw_beacon_length(lw_beacon_layout(factors[i])), octets[i]);
    ck_assert_ptr_null(lw_beacon_layout(7));
    ck_assert_ptr_null(lw_beacon_layout(11));
    ck_assert_ptr_null(lw_beacon_layout(13));
}
END_TEST

/* Reserved octets of a region's beacon by the regional facts: before Param and after Info. */
static void layout_is(const struct lw_beacon_layout *layout, struct json_object *frame)
{
    struct json_object *fields = vec(frame, "fields");

    ck_assert_uint_eq(lw_beacon_length(layout), vec_int(frame, "total_octets"));
    for (size_t i = 0; i < vec_count(fields); i++) {
        struct json_object *field = vec_at(fields, i);

        if (!strcmp(vec_str(field, "name"), "RFU1"))
            ck_assert_uint_eq(layout->rfu1, vec_int(field, "octets"));
        if (!strcmp(vec_str(field, "name"), "RFU2"))
            ck_assert_uint_eq(layout->rfu2, vec_int(field, "octets"));
    }
}

START_TEST(every_region_has_a_layout)
{
    for (enum region_id id = 0; id < REGION_COUNT; id++) {
        const struct region *region = region_get(id);
        const struct data_rate *rate = region_rate(region, LW_DOWN, region->beacon_dr);
        const struct lw_beacon_layout *layout = lw_beacon_layout(rate->sf);
        char name[64];
        struct json_object *whole, *facts;

        ck_assert_msg(layout != NULL, "%s: no layout for SF%u", region_name(id), rate->sf);
        if (id == REGION_EU868 || id == REGION_US915 || id == REGION_IN865 || id == REGION_CN470) {
            snprintf(name, sizeof(name), "regions/%s.json", region_name(id));
            whole = vec_load(name);
            facts = vec_has(whole, "plans") ? vec(vec(whole, "plans"), "LEGACY") : whole;
            layout_is(layout, vec(vec(facts, "class_b"), "beacon_frame"));
            json_object_put(whole);
        }
    }
}
END_TEST

START_TEST(what_is_written_is_read)
{
    uint32_t seed = 1;

    for (int i = 0; i < 400; i++) {
        const struct lw_beacon_layout *layout = lw_beacon_layout(factors[i % 4]);
        struct lw_beacon beacon = any_beacon(&seed), back;
        uint8_t room[LW_BEACON_MAX];
        struct wr wr = wr_of(room, sizeof(room));

        ck_assert_int_eq(lw_beacon_write(&wr, layout, &beacon), OK);
        ck_assert_uint_eq(wr_len(&wr), lw_beacon_length(layout));
        ck_assert_int_eq(lw_beacon_read(wr_bytes(&wr), layout, &back), OK);
        ck_assert(back.info_good && back.precision == beacon.precision);
        ck_assert(back.time_gps_s == beacon.time_gps_s && back.info_desc == beacon.info_desc);
        ck_assert_mem_eq(back.info, beacon.info, sizeof(beacon.info));
    }
}
END_TEST

/* Each bit turned is seen by the CRC of its half. */
START_TEST(a_damaged_beacon)
{
    uint32_t seed = 2;

    for (int f = 0; f < 4; f++) {
        const struct lw_beacon_layout *layout = lw_beacon_layout(factors[f]);
        struct lw_beacon beacon = any_beacon(&seed), back;
        uint8_t room[LW_BEACON_MAX];
        struct wr wr = wr_of(room, sizeof(room));
        size_t first = 8 * (size_t)(layout->rfu1 + 7);

        ck_assert_int_eq(lw_beacon_write(&wr, layout, &beacon), OK);
        for (size_t bit = 0; bit < 8 * wr_len(&wr); bit++) {
            enum err err;

            room[bit / 8] ^= (uint8_t)(1 << bit % 8);
            err = lw_beacon_read(wr_bytes(&wr), layout, &back);
            ck_assert_int_eq(err, bit < first ? ERR_MALFORMED : OK);
            ck_assert(err != OK || (!back.info_good && back.time_gps_s == beacon.time_gps_s));
            room[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}
END_TEST

START_TEST(wrong_lengths_and_values)
{
    const struct lw_beacon_layout *layout = lw_beacon_layout(9);
    struct lw_beacon beacon = {.precision = 4}, back;
    uint8_t room[24] = {0};
    struct wr wr = wr_of(room, 16);

    ck_assert_int_eq(lw_beacon_write(&wr, layout, &beacon), ERR_INVALID);
    beacon.precision = 3;
    ck_assert_int_eq(lw_beacon_write(&wr, layout, &beacon), ERR_LIMIT);
    for (size_t n = 0; n <= sizeof(room); n++) {
        /* zeros have the CRC zero */
        enum err wanted = n == 17 ? OK : ERR_MALFORMED;

        ck_assert_int_eq(lw_beacon_read((struct bytes){room, n}, layout, &back), wanted);
    }
}
END_TEST

START_TEST(places)
{
    static const struct {
        double latitude, longitude, latitude_back, longitude_back;
    } known[] = {
        {48.8566, 2.3522, 48.8566, 2.3522},
        {-33.8688, -151.2093, -33.8688, -151.2093},
        {0, 0, 0, 0},
        {-90, -180, -90, -180},
        {90, 180, 90, 180}, /* the last value below */
        {91, -1000, 90, -180},
        {NAN, INFINITY, -90, 180},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct lw_beacon beacon = {0};
        double latitude, longitude;

        lw_beacon_put_place(&beacon, known[i].latitude, known[i].longitude);
        lw_beacon_place(&beacon, &latitude, &longitude);
        ck_assert_double_eq_tol(latitude, known[i].latitude_back, 0.00002);
        ck_assert_double_eq_tol(longitude, known[i].longitude_back, 0.00003);
    }
}
END_TEST

/* Each of the 2^24 values of an angle is the nearest to what it says. */
START_TEST(a_place_is_written_as_it_was_read)
{
    uint32_t seed = 3;

    for (int i = 0; i < 2000; i++) {
        struct lw_beacon beacon = any_beacon(&seed), back = {0};
        double latitude, longitude;

        lw_beacon_place(&beacon, &latitude, &longitude);
        lw_beacon_put_place(&back, latitude, longitude);
        ck_assert_mem_eq(back.info, beacon.info, sizeof(beacon.info));
        lw_beacon_put_place(&back, latitude - 0.000005, longitude + 0.00001); /* half a step */
        ck_assert_mem_eq(back.info, beacon.info, sizeof(beacon.info));
    }
}
END_TEST

START_TEST(what_is_reserved_is_ignored)
{
    static const uint8_t rfu[] = {0x55, 0xaa};
    uint8_t room[LW_BEACON_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_beacon beacon;

    wr_copy(&wr, rfu, sizeof(rfu));
    wr_u8(&wr, 0xfe);
    wr_u32le(&wr, 1436486400);
    wr_u16le(&wr, lw_beacon_crc(wr_bytes(&wr)));
    wr_zero(&wr, 7);
    wr_u8(&wr, 0x77);
    wr_u16le(&wr, lw_beacon_crc((struct bytes){room + 9, 8}));
    ck_assert_int_eq(lw_beacon_read(wr_bytes(&wr), lw_beacon_layout(10), &beacon), OK);
    ck_assert(beacon.info_good && beacon.precision == 2 && beacon.time_gps_s == 1436486400);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {lengths,
                                  every_region_has_a_layout,
                                  what_is_written_is_read,
                                  a_damaged_beacon,
                                  wrong_lengths_and_values,
                                  places,
                                  a_place_is_written_as_it_was_read,
                                  what_is_reserved_is_ignored,
                                  NULL};

    return run_suite(suite_of("lorawan_beacon", tests));
}
