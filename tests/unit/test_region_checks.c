/* Runs tests/vectors/checks.json and airtime.json; nothing is skipped. */
#include "lorawan/airtime.h"
#include "lorawan/ping.h"
#include "region/cflist.h"
#include "region/class_b.h"
#include "region/region.h"
#include "tests/vectors.h"

typedef void check_fn(const struct region *region, struct json_object *check);

#define ID(check) ((int)vec_int((check), "id"))

static void expect_int(struct json_object *check, int64_t got)
{
    ck_assert_msg(got == vec_int(check, "expect"), "%d: %lld, expected %lld", ID(check),
                  (long long)got, (long long)vec_int(check, "expect"));
}

static enum region_revision revision_of(struct json_object *check, enum region_revision otherwise)
{
    enum region_revision revision = otherwise;

    if (vec_has(check, "revision"))
        ck_assert(region_revision_find(vec_str(check, "revision"), &revision));
    return revision;
}

static void check_rx1_frequency(const struct region *region, struct json_object *check)
{
    struct region_channels channels;
    int channel;

    region_channels_init(region, &channels);
    region_channels_add_extras(region, &channels);
    channel = vec_has(check, "uplink_channel")
                  ? (int)vec_int(check, "uplink_channel")
                  : region_channel_find(&channels, (uint32_t)vec_int(check, "uplink_frequency"),
                                        region->adr_max_dr, 0);
    ck_assert_msg(channel >= 0, "%d", ID(check));
    if (vec_has(check, "uplink_frequency"))
        ck_assert_uint_eq(channels.at[channel].frequency_hz, vec_int(check, "uplink_frequency"));
    expect_int(check, region_rx1_hz(region, &channels, (unsigned)channel));
}

static void check_rx1_dr(const struct region *region, struct json_object *check)
{
    struct region_rx1 rx1 = {.uplink_dr = (uint8_t)vec_int(check, "uplink_dr"),
                             .offset = (uint8_t)vec_int(check, "rx1_dr_offset"),
                             .downlink_dwell = vec_int(check, "downlink_dwell_time"),
                             .revision = revision_of(check, RP002_1_0_5)};

    expect_int(check, region_rx1_dr(region, &rx1));
}

static void check_rx2(const struct region *region, struct json_object *check)
{
    struct json_object *expect = vec(check, "expect");

    ck_assert_uint_eq(region->rx2_hz, vec_int(expect, "frequency"));
    ck_assert_uint_eq(region->rx2_dr, vec_int(expect, "data_rate"));
}

static void check_max_payload(const struct region *region, struct json_object *check)
{
    struct region_size size = {
        .revision = revision_of(check, RP002_1_0_5),
        .direction = strcmp(vec_str(check, "direction"), "uplink") ? LW_DOWN : LW_UP,
        .dr = (uint8_t)vec_int(check, "data_rate"),
        .dwell = vec_int(check, "dwell_time"),
        .repeater = json_object_get_boolean(vec(check, "repeater")),
    };
    unsigned n = region_max_payload(region, &size);

    ck_assert_msg(n == vec_int(vec(check, "expect"), "N"), "%d: %u", ID(check), n);
    ck_assert_uint_eq(n + 8, vec_int(vec(check, "expect"), "M"));
}

/* Elements are channels or [first, last]. */
static struct chmask mask_of(struct json_object *list)
{
    struct chmask mask = {0};

    for (size_t i = 0; i < vec_count(list); i++) {
        struct json_object *one = vec_at(list, i);
        unsigned first, last;

        if (json_object_is_type(one, json_type_array)) {
            first = (unsigned)json_object_get_int(vec_at(one, 0));
            last = (unsigned)json_object_get_int(vec_at(one, 1));
        } else {
            first = last = (unsigned)json_object_get_int(one);
        }
        chmask_set_range(&mask, first, last - first + 1, true);
    }
    return mask;
}

static void check_chmask(const struct region *region, struct json_object *check)
{
    struct json_object *commands = vec(check, "commands");
    struct chmask mask = mask_of(vec(check, "initially_enabled"));
    struct chmask want = mask_of(vec(check, "expect_enabled")), before = mask, defined;
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    size_t count = commands ? vec_count(commands) : 1;
    struct region_channels channels;
    enum chmask_status status;

    for (size_t i = 0; i < count; i++) {
        struct json_object *from = commands ? vec_at(commands, i) : check;

        reqs[i] = (struct lw_link_adr_req){.ch_mask_cntl = (uint8_t)vec_int(from, "ch_mask_cntl"),
                                           .ch_mask = (uint16_t)vec_int(from, "ch_mask")};
    }
    region_channels_init(region, &channels);
    defined = vec_has(check, "defined_channels") ? mask_of(vec(check, "defined_channels"))
                                                 : channels.defined;
    status = chmask_apply(region_chmask_rules(region, revision_of(check, RP002_1_0_4)), &defined,
                          reqs, count, &mask);
    ck_assert_msg((status == CHMASK_OK) == !strcmp(vec_str(check, "expect_status"), "ok"), "%d: %d",
                  ID(check), status);
    if (status != CHMASK_OK)
        want = before;
    ck_assert_msg(chmask_equal(&mask, &want), "%d", ID(check));
}

static void check_cflist_encode(const struct region *region, struct json_object *check)
{
    struct json_object *list = vec(check, "frequencies");
    struct region_channels channels;
    struct cflist cflist;
    struct chmask enabled;
    uint8_t out[CFLIST_LEN];

    region_channels_init(region, &channels);
    for (size_t i = 0; i < vec_count(list); i++) {
        struct region_channel channel = {.frequency_hz =
                                             (uint32_t)json_object_get_int64(vec_at(list, i)),
                                         .max_dr = region->cflist_max_dr};

        ck_assert_int_eq(
            region_channels_put(region, &channels, region->cflist_first + (unsigned)i, &channel),
            OK);
    }
    enabled = list ? channels.defined : mask_of(vec(check, "enabled_channels"));
    ck_assert(cflist_of_channels(region, LW_1_0_3, &channels, &enabled, &cflist));
    ck_assert_int_eq(cflist_write(&cflist, out), OK);
    vec_expect(check, "expect_hex", (struct bytes){out, sizeof(out)}, vec_str(check, "id"));
}

static void check_cflist_decode(const struct region *region, struct json_object *check)
{
    struct json_object *expect = vec(check, "expect");
    struct json_object *list = vec(expect, "frequencies");
    struct chmask enabled = {0}, want = mask_of(vec(expect, "enabled_channels"));
    struct region_channels channels;
    struct cflist cflist;
    uint8_t room[512];

    region_channels_init(region, &channels);
    ck_assert_int_eq(cflist_read(vec_hex(check, "hex", room).p, &cflist), OK);
    ck_assert_uint_eq(cflist.type, vec_int(expect, "type"));
    ck_assert_int_eq(cflist_apply(region, &cflist, &channels, &enabled), OK);
    for (size_t i = 0; i < vec_count(list); i++) {
        unsigned index = (unsigned)vec_int(expect, "first_channel") + (unsigned)i;

        ck_assert_uint_eq(channels.at[index].frequency_hz, json_object_get_int64(vec_at(list, i)));
        chmask_set(&want, index);
    }
    ck_assert_msg(chmask_equal(&enabled, &want), "%d", ID(check));
}

static void check_tx_power(const struct region *region, struct json_object *check)
{
    unsigned index = (unsigned)vec_int(check, "tx_power");

    int want = (int)(json_object_get_double(vec(check, "expect")) * 100 + 0.5);

    ck_assert_uint_le(index, region_max_tx_power(region, RP002_1_0_5));
    ck_assert_int_eq(region_tx_power_cdbm(region_max_eirp_cdbm(region, RP002_1_0_5), index), want);
}

static void check_dr_range(const struct region *region, struct json_object *check)
{
    struct json_object *list = vec(check, "expect");
    unsigned want = 0;

    for (size_t i = 0; i < vec_count(list); i++)
        want |= 1u << json_object_get_int(vec_at(list, i));
    ck_assert_uint_eq(region_dr_range(region, revision_of(check, RP001_1_0_2B),
                                      (unsigned)vec_int(check, "min_dr"),
                                      (unsigned)vec_int(check, "max_dr")),
                      want);
}

static uint8_t join_of(struct json_object *check)
{
    return vec_has(check, "join_channel") ? (uint8_t)vec_int(check, "join_channel")
                                          : REGION_NO_JOIN;
}

static void check_beacon(const struct region *region, struct json_object *check)
{
    uint32_t period = (uint32_t)(vec_int(check, "beacon_time") / LW_BEACON_PERIOD_S);

    expect_int(check, region_beacon_hz(region, period, join_of(check)));
}

static void check_ping(const struct region *region, struct json_object *check)
{
    uint32_t period = (uint32_t)(vec_int(check, "beacon_time") / LW_BEACON_PERIOD_S);
    struct lw_dev_addr addr = {(uint32_t)vec_u64(check, "dev_addr")};

    expect_int(check, region_ping_hz(region, addr, period, join_of(check)));
}

static void check_ping_offset(const struct region *region, struct json_object *check)
{
    struct lw_dev_addr addr = {(uint32_t)vec_u64(check, "dev_addr")};
    unsigned period = (unsigned)vec_int(check, "ping_period");

    ck_assert_ptr_null(region); /* it is the same in all */
    ck_assert_uint_eq(period * vec_int(check, "ping_nb"), LW_PING_SLOTS);
    expect_int(check, lw_ping_offset(addr, (uint32_t)vec_int(check, "beacon_time"), period));
}

static void check_relay(const struct region *region, struct json_object *check)
{
    const struct region_relay *relay =
        region_relay_channel(region, (unsigned)vec_int(check, "index"));
    struct json_object *expect = vec(check, "expect");

    ck_assert_ptr_nonnull(relay);
    ck_assert_uint_eq(relay->wor_hz, vec_int(expect, "wor"));
    ck_assert_uint_eq(relay->ack_hz, vec_int(expect, "ack"));
    ck_assert_uint_eq(relay->dr, vec_int(expect, "dr"));
}

static void check_common_join(const struct region *region, struct json_object *check)
{
    const struct region_join *join = region_common_join((unsigned)vec_int(check, "index"));
    struct json_object *expect = vec(check, "expect");

    ck_assert_ptr_null(region); /* it is of all plans of CN470 */
    ck_assert_ptr_nonnull(join);
    ck_assert_str_eq(region_name(join->plan) + strlen("CN470-"), vec_str(expect, "plan"));
    ck_assert_uint_eq(join->uplink_hz, vec_int(expect, "uplink"));
    ck_assert_uint_eq(join->rx1_hz, vec_int(expect, "join_accept_rx1"));
    ck_assert_uint_eq(join->rx2_hz, vec_int(expect, "rx2"));
}

/* One LoRa frame, of checks.json or airtime.json. */
static uint32_t lora_us(struct json_object *check)
{
    struct data_rate rate = {
        .kind = MOD_LORA,
        .sf = (uint8_t)vec_int(check, "sf"),
        .bandwidth_hz = (uint32_t)vec_int(check, "bw_hz"),
        .coding_rate = (uint8_t)(vec_str(check, "cr")[2] - '4'),
    };
    unsigned flags = json_object_get_boolean(vec(check, "crc")) ? AIRTIME_CRC : 0;

    flags |= json_object_get_boolean(vec(check, "explicit_header")) ? 0 : AIRTIME_NO_HEADER;
    return lw_airtime_us(&rate, (size_t)vec_int(check, "phy_payload_octets"), flags,
                         (unsigned)vec_int(check, "preamble_symbols"));
}

static void check_airtime(const struct region *region, struct json_object *check)
{
    (void)region;
    expect_int(check, lora_us(check));
}

/* clang-format off */
static const struct what {
    const char *name;
    check_fn *check;
    unsigned count;
} whats[] = {
    {"rx1_frequency",            check_rx1_frequency, 34},
    {"rx1_data_rate",            check_rx1_dr,        36},
    {"rx2_default",              check_rx2,           14},
    {"max_payload",              check_max_payload,   19},
    {"link_adr_chmask",          check_chmask,        25},
    {"link_adr_chmask_sequence", check_chmask,        1},
    {"cflist_encode",            check_cflist_encode, 19},
    {"cflist_decode",            check_cflist_decode, 9},
    {"tx_power_dbm",             check_tx_power,      6},
    {"new_channel_dr_range",     check_dr_range,      3},
    {"airtime_us",               check_airtime,       15},
    {"ping_slot_frequency",      check_ping,          26},
    {"beacon_frequency",         check_beacon,        23},
    {"relay_wor_channel",        check_relay,         14},
    {"common_join_channel",      check_common_join,   4},
    {"ping_offset",              check_ping_offset,   4},
};
/* clang-format on */

#define WHATS (sizeof(whats) / sizeof(whats[0]))

/* "CN470/20A" is CN470-20A and "CN470/LEGACY" is CN470; NULL for "any" and for "CN470", all plans
 * of it. A name that is unknown fails the test. */
static const struct region *region_of(struct json_object *check)
{
    const char *text = vec_str(check, "region"), *slash = strchr(text, '/');
    enum region_id id = REGION_NONE;
    char name[16];

    if (!strcmp(text, "any") || !strcmp(text, "CN470"))
        return NULL;
    snprintf(name, sizeof(name), "%s", text);
    if (slash && !strcmp(slash, "/LEGACY"))
        name[slash - text] = '\0';
    else if (slash)
        name[slash - text] = '-';
    ck_assert_msg(region_find(name, &id) == OK, "%d: region %s", ID(check), text);
    return region_get(id);
}

static const struct what *what_of(struct json_object *check)
{
    for (size_t w = 0; w < WHATS; w++) {
        if (!strcmp(whats[w].name, vec_str(check, "what")))
            return &whats[w];
    }
    ck_abort_msg("%d: unknown check %s", ID(check), vec_str(check, "what"));
    return NULL;
}

START_TEST(regional_checks)
{
    struct json_object *all = vec_load("checks.json"), *checks = vec(all, "checks");
    unsigned seen[WHATS] = {0};

    for (size_t i = 0; i < vec_count(checks); i++) {
        struct json_object *check = vec_at(checks, i);
        const struct region *region = region_of(check);
        const struct what *what = what_of(check);

        seen[what - whats]++;
        what->check(region, check);
    }
    for (size_t w = 0; w < WHATS; w++)
        ck_assert_msg(seen[w] == whats[w].count, "%s: %u checks, %u expected", whats[w].name,
                      seen[w], whats[w].count);
    ck_assert_uint_eq(vec_count(checks), 252);
    json_object_put(all);
}
END_TEST

START_TEST(time_on_air)
{
    struct json_object *all = vec_load("airtime.json");
    struct json_object *lora = vec(all, "checks"), *fsk = vec(all, "fsk_checks");
    struct json_object *fhss = vec(all, "lr_fhss_checks");

    ck_assert_uint_eq(vec_count(lora), 20);
    for (size_t i = 0; i < vec_count(lora); i++)
        ck_assert_uint_eq(lora_us(vec_at(lora, i)), vec_int(vec_at(lora, i), "airtime_us"));
    ck_assert_uint_eq(vec_count(fsk), 4);
    for (size_t i = 0; i < vec_count(fsk); i++) {
        struct data_rate rate = {.kind = MOD_FSK, .bit_rate = 50000};
        size_t n = (size_t)vec_int(vec_at(fsk, i), "phy_payload_octets");

        ck_assert_uint_eq(lw_airtime_frame_us(&rate, n, LW_UP),
                          vec_int(vec_at(fsk, i), "airtime_us"));
    }
    ck_assert_uint_eq(vec_count(fhss), 28);
    for (size_t i = 0; i < vec_count(fhss); i++) {
        struct json_object *one = vec_at(fhss, i);
        struct data_rate rate = {.kind = MOD_LR_FHSS,
                                 .coding_rate = vec_str(one, "coding_rate")[0] == '1' ? 1 : 2,
                                 .bandwidth_hz = 137000};

        ck_assert_uint_eq(
            lw_airtime_frame_us(&rate, (size_t)vec_int(one, "phy_payload_octets"), LW_UP),
            vec_int(one, "airtime_us"));
    }
    json_object_put(all);
}
END_TEST

START_TEST(required_snr)
{
    struct json_object *all = vec_load("airtime.json");
    struct json_object *floors = vec(all, "demodulation_floor_snr_db");

    ck_assert_int_eq(json_object_object_length(floors), 8);
    for (uint8_t sf = 5; sf <= 12; sf++) {
        struct data_rate rate = {.kind = MOD_LORA, .sf = sf};
        char name[4];

        snprintf(name, sizeof(name), "%u", sf);
        ck_assert(vec_has(floors, name));
        ck_assert_int_eq(lw_required_snr_cb(&rate),
                         (int)(json_object_get_double(vec(floors, name)) * 10));
    }
    json_object_put(all);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {regional_checks, time_on_air, required_snr, NULL};

    return run_suite(suite_of("region_checks", tests));
}
