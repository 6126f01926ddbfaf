/* Compares every table with the facts it was written from, tests/vectors/regions/. */
#include "region/region.h"
#include "tests/vectors.h"

static struct json_object *at(struct json_object *in, unsigned number)
{
    char name[12];

    snprintf(name, sizeof(name), "%u", number);
    return vec(in, name);
}

static unsigned compare_rates(const struct region *region, struct json_object *rates,
                              enum lw_direction direction)
{
    unsigned n = 0;

    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        const struct data_rate *rate = region_rate(region, direction, dr);
        struct json_object *fact = at(rates, dr);
        enum region_revision since = RP001_1_0_2B;

        ck_assert_msg(!rate == !fact, "DR%u", dr);
        if (!rate)
            continue;
        if (rate->kind == MOD_LORA) {
            ck_assert_str_eq(vec_str(fact, "modulation"), "LORA");
            ck_assert_uint_eq(rate->sf, vec_int(fact, "spreading_factor"));
            ck_assert_uint_eq(rate->bandwidth_hz, vec_int(fact, "bandwidth_hz"));
        } else if (rate->kind == MOD_FSK) {
            ck_assert_str_eq(vec_str(fact, "modulation"), "FSK");
            ck_assert_uint_eq(rate->bit_rate, vec_int(fact, "bit_rate_bps"));
        } else {
            ck_assert_str_eq(vec_str(fact, "modulation"), "LR_FHSS");
            ck_assert_uint_eq(rate->bandwidth_hz, vec_int(fact, "ocw_hz"));
            ck_assert_str_eq(vec_str(fact, "coding_rate"), rate->coding_rate == 1 ? "1/3" : "2/3");
        }
        if (vec_has(fact, "since"))
            ck_assert(region_revision_find(vec_str(fact, "since"), &since));
        ck_assert_uint_eq(region->rates_since[direction][dr], since);
        n++;
    }
    return n;
}

/* Missing members are "no such table": 0 rows. */
static unsigned compare_offsets(const struct region *region, struct json_object *table,
                                enum region_revision revision, bool dwell)
{
    unsigned n = 0;

    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        struct json_object *row = at(table, dr);

        for (unsigned offset = 0; offset < vec_count(row); offset++, n++) {
            struct region_rx1 rx1 = {(uint8_t)dr, (uint8_t)offset, dwell, revision};

            ck_assert_msg(region_rx1_dr(region, &rx1) == json_object_get_int(vec_at(row, offset)),
                          "DR%u offset %u", dr, offset);
        }
        ck_assert(!row || vec_count(row) == region->max_dr_offset + 1u);
    }
    return n;
}

static struct json_object *payloads_of(struct json_object *all, const char *revision)
{
    struct json_object *one = vec(all, revision);

    while (vec_has(one, "same_as"))
        one = vec(all, vec_str(one, "same_as"));
    return one;
}

static unsigned compare_sizes(const struct region *region, struct json_object *columns,
                              struct region_size size)
{
    struct json_object *dwell = vec(columns, size.dwell ? "dwell1" : "dwell0");
    struct json_object *facts = vec(dwell, size.direction == LW_UP ? "uplink" : "downlink");
    unsigned n = 0;

    if (!facts)
        return 0;
    for (size.dr = 0; size.dr < REGION_DRS; size.dr++) {
        struct json_object *fact = at(facts, size.dr);

        ck_assert_msg(region_max_payload(region, &size) == (fact ? vec_int(fact, "N") : 0),
                      "%s DR%u", region_revision_text(size.revision), size.dr);
        n += fact != NULL;
    }
    return n;
}

static unsigned compare_payloads(const struct region *region, struct json_object *facts)
{
    unsigned n = 0;

    for (unsigned revision = 0; revision < REGION_REVISION_COUNT; revision++) {
        struct json_object *one = payloads_of(facts, region_revision_text(revision));

        for (unsigned bits = 0; bits < 8; bits++) {
            struct region_size size = {.revision = revision,
                                       .direction = bits & 1,
                                       .dwell = bits & 2,
                                       .repeater = bits & 4};

            n += compare_sizes(region, vec(one, size.repeater ? "repeater" : "no_repeater"), size);
        }
    }
    return n;
}

static void compare_channels(const struct region *region, struct json_object *facts)
{
    struct json_object *list = vec(facts, "default_channels");
    struct json_object *blocks = vec(facts, "uplink_channels");
    struct region_channels channels;
    unsigned count = 0;

    region_channels_init(region, &channels);
    for (size_t i = 0; i < vec_count(list); i++, count++) {
        const struct region_channel *channel = &channels.at[vec_int(vec_at(list, i), "index")];

        ck_assert_uint_eq(channel->frequency_hz, vec_int(vec_at(list, i), "frequency_hz"));
        ck_assert_uint_eq(channel->min_dr, vec_int(vec_at(list, i), "min_dr"));
        ck_assert_uint_eq(channel->max_dr, vec_int(vec_at(list, i), "max_dr"));
    }
    for (size_t b = 0; b < vec_count(blocks); b++) {
        struct json_object *block = vec_at(blocks, b);

        for (int64_t i = 0; i < vec_int(block, "count"); i++, count++) {
            int64_t index = vec_int(block, "first_channel") + i;

            ck_assert_uint_eq(channels.at[index].frequency_hz,
                              vec_int(block, "base_hz") + i * vec_int(block, "step_hz"));
            ck_assert_uint_eq(channels.at[index].min_dr, vec_int(block, "min_dr"));
        }
    }
    ck_assert_uint_eq(chmask_count(&channels.defined), count);
}

static void compare_single_values(const struct region *region, struct json_object *facts)
{
    struct json_object *range = vec(facts, "frequency_range_hz"), *power = vec(facts, "power");
    struct json_object *commands = vec(facts, "mac_commands"), *bands = vec(facts, "duty_cycle");

    ck_assert_uint_eq(region->min_hz, vec_int(range, "min"));
    ck_assert_uint_eq(region->max_hz, vec_int(range, "max"));
    ck_assert_int_eq(region->plan == REGION_FIXED,
                     !strcmp(vec_str(facts, "channel_plan_type"), "fixed"));
    ck_assert_uint_eq(region->rx2_hz, vec_int(vec(facts, "rx2"), "frequency_hz"));
    ck_assert_uint_eq(region->rx2_dr, vec_int(vec(facts, "rx2"), "data_rate"));
    ck_assert_int_eq(region->max_eirp_dbm, vec_int(power, "default_max_eirp_dbm"));
    ck_assert_uint_eq(region->max_tx_power, vec_int(power, "max_tx_power_index"));
    ck_assert_uint_eq(region->adr_max_dr, vec_int(vec(facts, "link_adr"), "max_dr_for_adr"));
    ck_assert_uint_eq(region->default_dr, vec_int(facts, "device_default_dr"));
    ck_assert_uint_eq(region->max_dr_offset, vec_int(vec(facts, "rx1"), "max_dr_offset"));
    ck_assert_int_eq(region->tx_param_setup, vec_int(commands, "tx_param_setup_req"));
    ck_assert_int_eq(region->new_channel, vec_int(commands, "new_channel_req"));
    ck_assert_int_eq(region->dl_channel, vec_int(commands, "dl_channel_req"));
    ck_assert_uint_eq(region->cflist_type, vec_int(vec(facts, "cflist"), "type"));
    for (size_t i = 0; i < vec_count(bands); i++) {
        struct json_object *fact = vec_at(bands, i);
        const struct region_band *band = region_band(region, (uint32_t)vec_int(fact, "min_hz"));

        ck_assert(band && band->max_hz == vec_int(fact, "max_hz"));
        ck_assert_int_eq(band->duty_permille,
                         (int)(json_object_get_double(vec(fact, "duty_cycle")) * 1000 + 0.5));
        ck_assert_int_eq(band->max_eirp_dbm,
                         (int)json_object_get_double(vec(fact, "max_eirp_dbm")));
    }
}

static void compare(const char *file, enum region_id id, unsigned rates, unsigned payloads)
{
    struct json_object *facts = vec_load(file), *rx1 = vec(facts, "rx1");
    struct json_object *offsets = vec(rx1, "dr_offset_table"), *old;
    const struct region *region = region_get(id);

    ck_assert_uint_eq(compare_rates(region, vec(vec(facts, "data_rates"), "uplink"), LW_UP) +
                          compare_rates(region, vec(vec(facts, "data_rates"), "downlink"), LW_DOWN),
                      rates);
    if (vec_has(offsets, "any")) {
        ck_assert_uint_gt(compare_offsets(region, vec(offsets, "any"), RP001_1_0_2B, true), 0);
    } else {
        for (int dwell = 0; dwell < 2; dwell++) {
            const char *name = dwell ? "downlink_dwell_1" : "downlink_dwell_0";

            old = vec(rx1, "dr_offset_table_rp001");
            ck_assert_uint_gt(compare_offsets(region, vec(offsets, name), RP002_1_0_0, dwell), 0);
            ck_assert_uint_gt(compare_offsets(region, vec(old, name), RP001_1_1B, dwell), 0);
        }
    }
    ck_assert_uint_eq(compare_payloads(region, vec(facts, "max_payload")), payloads);
    compare_channels(region, facts);
    compare_single_values(region, facts);
    json_object_put(facts);
}

START_TEST(eu868)
{
    compare("regions/EU868.json", REGION_EU868, 24, 328);
}
END_TEST

START_TEST(us915)
{
    compare("regions/US915.json", REGION_US915, 17, 222);
}
END_TEST

START_TEST(as923_1)
{
    compare("regions/AS923-1.json", REGION_AS923_1, 20, 592);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {eu868, us915, as923_1, NULL};

    return run_suite(suite_of("region_tables", tests));
}
