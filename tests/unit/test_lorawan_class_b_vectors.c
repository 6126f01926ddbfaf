/* The groups of tests/vectors/mac.json on GPS time, class B and the keys of multicast groups. */
#include "core/clock.h"
#include "lorawan/beacon.h"
#include "lorawan/gps.h"
#include "lorawan/multicast.h"
#include "lorawan/ping.h"
#include "tests/vector_groups.h"

static void check_gps_time(struct json_object *in, struct json_object *ex, const char *id)
{
    int64_t utc = 0;

    ck_assert(clock_read(vec_str(in, "utc"), &utc));
    ck_assert_int_eq(utc / US_PER_S, vec_int(ex, "unix_s"));
    ck_assert_msg(lw_gps_of_utc(utc) / US_PER_S == vec_int(ex, "gps_s"), "%s", id);
    ck_assert_int_eq(lw_utc_of_gps(vec_int(ex, "gps_s") * US_PER_S), utc);
}

/* ---- class B --------------------------------------------------------------------------------- */

/* The periods are given as slots, as slots per beacon period or as the device's periodicity. */
static unsigned periodicity_of(struct json_object *in)
{
    unsigned periodicity = 0;

    if (vec_has(in, "periodicity"))
        return (unsigned)vec_int(in, "periodicity");
    while (vec_has(in, "pingNb") ? lw_ping_nb(periodicity) != vec_int(in, "pingNb")
                                 : lw_ping_period(periodicity) != vec_int(in, "pingPeriod_slots")) {
        periodicity++;
        ck_assert_uint_lt(periodicity, 8);
    }
    return periodicity;
}

static void check_ping_offset(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_dev_addr addr = {(uint32_t)vec_u64(in, "DevAddr")};
    uint32_t beacon = (uint32_t)vec_int(in, "beacon_time_s");
    struct lw_ping ping = lw_ping_of(addr, periodicity_of(in), beacon);
    struct json_object *starts = vec(ex, "slot_starts_gps_ms_first3");

    ck_assert_msg(ping.offset == vec_int(ex, "pingOffset"), "%s: %u", id, ping.offset);
    ck_assert_uint_eq(ping.period, vec_int(in, "pingPeriod_slots"));
    ck_assert_uint_eq(lw_ping_offset(addr, beacon, ping.period), ping.offset);
    if (vec_has(ex, "first_slot_ms_after_beacon"))
        ck_assert_uint_eq(lw_ping_slot_ms(beacon, ping.offset) - beacon * UINT64_C(1000),
                          vec_int(ex, "first_slot_ms_after_beacon"));
    for (size_t i = 0; i < vec_count(starts); i++)
        ck_assert_uint_eq(lw_ping_slot_ms(beacon, ping.offset + (unsigned)i * ping.period),
                          json_object_get_int64(vec_at(starts, i)));
}

static void check_next_ping_slot(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_dev_addr addr = {(uint32_t)vec_u64(in, "DevAddr")};
    uint64_t next =
        lw_ping_next_ms(addr, periodicity_of(in), (uint64_t)vec_int(in, "after_gps_ms"));

    ck_assert_msg(next == (uint64_t)vec_int(ex, "slot_gps_ms"), "%s: %llu", id,
                  (unsigned long long)next);
}

static void check_beacon_crc(struct json_object *in, struct json_object *ex, const char *id)
{
    uint8_t room[512], out[2];
    struct wr wr = wr_of(out, sizeof(out));
    uint16_t crc = lw_beacon_crc(vec_hex(in, "bytes", room));

    ck_assert_uint_eq(crc, vec_u64(ex, "crc"));
    wr_u16le(&wr, crc);
    vec_expect(ex, "on_air_le", wr_bytes(&wr), id);
}

static void check_beacon_frame(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_beacon_layout layout = {(uint8_t)vec_int(in, "rfu1"), (uint8_t)vec_int(in, "rfu2")};
    struct lw_beacon beacon = {.precision = (uint8_t)vec_int(in, "param"),
                               .time_gps_s = (uint32_t)vec_int(in, "time_gps_s"),
                               .info_desc = (uint8_t)vec_int(in, "infodesc")},
                     back;
    double latitude = json_object_get_double(vec(in, "lat_deg"));
    uint8_t room[LW_BEACON_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct rd rd;

    lw_beacon_put_place(&beacon, latitude, json_object_get_double(vec(in, "lon_deg")));
    rd = rd_of(beacon.info, sizeof(beacon.info));
    ck_assert_uint_eq(rd_u24le(&rd), vec_int(in, "lat24"));
    ck_assert_uint_eq(rd_u24le(&rd), vec_int(in, "lon24"));
    ck_assert_int_eq(lw_beacon_write(&wr, &layout, &beacon), OK);
    vec_expect(ex, "frame", wr_bytes(&wr), id);
    ck_assert_uint_eq(lw_beacon_length(&layout), vec_int(ex, "length"));
    ck_assert_int_eq(lw_beacon_read(wr_bytes(&wr), &layout, &back), OK);
    ck_assert(back.info_good && back.time_gps_s == beacon.time_gps_s);
}

/* ---- multicast ------------------------------------------------------------------------------- */

/* Each vector has one step of the derivation. */
static void check_mc_kdf(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key key;
    struct lw_mc_keys keys;

    if (vec_has(in, "GenAppKey")) {
        struct lw_key root = vec_key(in, "GenAppKey");

        lw_mc_root_key_10(&root, &key);
        vec_expect_key(ex, "McRootKey", &key, id);
    } else if (vec_has(in, "AppKey")) {
        struct lw_key root = vec_key(in, "AppKey");

        lw_mc_root_key_11(&root, &key);
        vec_expect_key(ex, "McRootKey", &key, id);
    } else if (vec_has(in, "McRootKey")) {
        struct lw_key root = vec_key(in, "McRootKey");

        lw_mc_ke_key(&root, &key);
        vec_expect_key(ex, "McKEKey", &key, id);
    } else {
        key = vec_key(in, "McKey");
        lw_mc_keys(&key, (struct lw_dev_addr){(uint32_t)vec_u64(in, "McAddr")}, &keys);
        vec_expect_key(ex, "McAppSKey", &keys.app_s_key, id);
        vec_expect_key(ex, "McNwkSKey", &keys.nwk_s_key, id);
    }
}

/* ---- the runner ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct vec_group groups[] = {
    {"gps_time",                      check_gps_time,          5},
    {"ping_offset",                   check_ping_offset,       6},
    {"next_ping_slot",                check_next_ping_slot,    4},
    {"beacon_crc",                    check_beacon_crc,        2},
    {"beacon_frame",                  check_beacon_frame,      2},
    {"mc_kdf",                        check_mc_kdf,            4},
    {0},
};
/* clang-format on */

START_TEST(all_vectors)
{
    vec_run_groups(groups);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {all_vectors, NULL};

    return run_suite(suite_of("lorawan_class_b_vectors", tests));
}
