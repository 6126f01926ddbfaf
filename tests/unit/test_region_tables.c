/* Compares every table, as a whole, with the facts it was written from: tests/vectors/regions/. */
#include "region/cflist.h"
#include "region/class_b.h"
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
            ck_assert_uint_eq(rate->bandwidth_hz, vec_has(fact, "bandwidth_hz_radio")
                                                      ? vec_int(fact, "bandwidth_hz_radio")
                                                      : vec_int(fact, "bandwidth_hz"));
            ck_assert_str_eq(vec_str(fact, "coding_rate"),
                             rate->coding_rate == 1 ? "4/5" : "4/8LI");
        } else if (rate->kind == MOD_FSK) {
            ck_assert_str_eq(vec_str(fact, "modulation"), "FSK");
            ck_assert_uint_eq(rate->bit_rate, vec_int(fact, "bit_rate_bps"));
        } else {
            ck_assert_str_eq(vec_str(fact, "modulation"), "LR_FHSS");
            ck_assert_uint_eq(rate->bandwidth_hz, vec_int(fact, "ocw_hz"));
            ck_assert_str_eq(vec_str(fact, "coding_rate"), rate->coding_rate == 1 ? "1/3" : "2/3");
        }
        if (vec_has(fact, "since")) /* AU915's has a remark behind the first one */
            ck_assert(region_revision_find(vec_str(fact, "since"), &since) ||
                      !strncmp(vec_str(fact, "since"), "RP001-1.0.2B ", 13));
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

        if (row && !region_rate(region, LW_UP, dr)) { /* RP001 has a row for a rate it lacks */
            ck_assert(region->id == REGION_IN865 && dr == 6 && revision < RP002_1_0_0);
            continue;
        }
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

    while (one && vec_has(one, "same_as"))
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
        ck_assert(!fact || vec_int(fact, "M") == (vec_int(fact, "N") ? vec_int(fact, "N") + 8 : 0));
        n += fact != NULL;
    }
    return n;
}

static unsigned compare_payloads(const struct region *region, struct json_object *facts)
{
    unsigned n = 0;

    for (unsigned revision = 0; revision < REGION_REVISION_COUNT; revision++) {
        struct json_object *one = payloads_of(facts, region_revision_text(revision));

        if (!one) /* the region is not of that revision: see region_max_payload */
            continue;
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

static int hundredths(struct json_object *number)
{
    return (int)(json_object_get_double(number) * 100 + 0.5);
}

static unsigned compare_blocks(const struct region_block *blocks, struct json_object *facts,
                               bool uplink)
{
    unsigned count = 0;

    for (size_t b = 0; b < vec_count(facts); b++) {
        struct json_object *fact = vec_at(facts, b);
        const char *most = vec_has(fact, "max_dr_with_lr_fhss") ? "max_dr_with_lr_fhss" : "max_dr";

        ck_assert_uint_eq(blocks[b].first, vec_int(fact, "first_channel"));
        ck_assert_uint_eq(blocks[b].count, vec_int(fact, "count"));
        ck_assert_uint_eq(blocks[b].base_hz, vec_int(fact, "base_hz"));
        ck_assert_uint_eq(blocks[b].step_hz, vec_int(fact, "step_hz"));
        ck_assert_uint_eq(blocks[b].min_dr, vec_int(fact, "min_dr"));
        if (uplink) /* downlinks: DR14 and DR0 of RP002-1.0.5 too */
            ck_assert_uint_eq(blocks[b].max_dr, vec_int(fact, most));
        else
            ck_assert_uint_ge(blocks[b].max_dr, vec_int(fact, most));
        count += blocks[b].count;
    }
    return count;
}

static void compare_channels(const struct region *region, struct json_object *facts)
{
    struct json_object *list = vec(facts, "default_channels");
    struct region_channels channels;
    unsigned count = (unsigned)vec_count(list);

    region_channels_init(region, &channels);
    for (size_t i = 0; i < vec_count(list); i++) {
        const struct region_channel *channel = &channels.at[vec_int(vec_at(list, i), "index")];

        ck_assert_uint_eq(channel->frequency_hz, vec_int(vec_at(list, i), "frequency_hz"));
        ck_assert_uint_eq(channel->min_dr, vec_int(vec_at(list, i), "min_dr"));
        ck_assert_uint_eq(channel->max_dr, vec_int(vec_at(list, i), "max_dr"));
    }
    count += compare_blocks(region->uplinks, vec(facts, "uplink_channels"), true);
    (void)compare_blocks(region->downlinks, vec(facts, "downlink_channels"), false);
    ck_assert_uint_eq(chmask_count(&channels.defined), count);
    ck_assert_uint_eq(region->max_channels,
                      vec_has(facts, "max_channels") ? vec_int(facts, "max_channels") : count);
}

/* Every join frequency is a channel that servers listen to, every join data rate in the set. */
static void compare_join(const struct region *region, struct json_object *join)
{
    struct json_object *hz = vec(join, "channels_hz"), *drs = vec(join, "data_rates");
    struct region_channels channels;
    unsigned want = 0;

    region_channels_init(region, &channels);
    region_channels_add_extras(region, &channels);
    for (size_t i = 0; i < vec_count(hz); i++)
        ck_assert_int_ge(region_channel_find(&channels,
                                             (uint32_t)json_object_get_int64(vec_at(hz, i)),
                                             region->adr_max_dr, 0),
                         0);
    for (size_t i = 0; i < vec_count(drs); i++)
        want |= 1u << json_object_get_int(vec_at(drs, i));
    if (vec_has(join, "dr_125k"))
        want = 1u << vec_int(join, "dr_125k") | 1u << vec_int(join, "dr_500k");
    if (!want) /* CN470: "any of the 96 uplink channels, DR5 down to DR0" */
        want = 0x3f;
    ck_assert_uint_eq(region->join_drs, want);
}

static void compare_windows(const struct region *region, struct json_object *facts)
{
    struct json_object *rx1 = vec(facts, "rx1"), *rx2 = vec(facts, "rx2");
    struct json_object *usual = vec(facts, "defaults");

    ck_assert_uint_eq(region->rx1_modulus, vec_int(rx1, "modulus"));
    ck_assert_uint_eq(region->max_dr_offset, vec_int(rx1, "max_dr_offset"));
    ck_assert_uint_eq(region->receive_delay1_s, vec_int(rx1, "delay_s"));
    ck_assert_uint_eq(region->rx2_hz, vec_int(rx2, "frequency_hz"));
    ck_assert_uint_eq(region->rx2_dr, vec_int(rx2, "data_rate"));
    ck_assert_uint_eq(region->receive_delay1_s + 1u, vec_int(rx2, "delay_s"));
    ck_assert_uint_eq(region->receive_delay1_s, vec_int(usual, "receive_delay1_s"));
    ck_assert_uint_eq(region->join_accept_delay1_s, vec_int(usual, "join_accept_delay1_s"));
    ck_assert_uint_eq(1u << region->adr_ack_limit_exp, vec_int(usual, "adr_ack_limit"));
    ck_assert_uint_eq(1u << region->adr_ack_delay_exp, vec_int(usual, "adr_ack_delay"));
    ck_assert_int_eq(region->downlink_dwell, vec_int(usual, "downlink_dwell_time"));
}

static void compare_power(const struct region *region, struct json_object *power)
{
    unsigned most = (unsigned)vec_int(power, "max_tx_power_index");
    const char *earlier = "default_max_eirp_dbm_before_1_0_5", *old = "default_max_eirp_dbm";
    const char *first = "max_tx_power_index_rp001_1_0_2B_and_older";
    const char *last = "max_tx_power_index_1_0_5";

    ck_assert_int_eq(region_max_eirp_cdbm(region, RP002_1_0_5), hundredths(vec(power, old)));
    ck_assert_int_eq(region_max_eirp_cdbm(region, RP002_1_0_4),
                     hundredths(vec(power, vec_has(power, earlier) ? earlier : old)));
    ck_assert_uint_eq(region_max_tx_power(region, RP002_1_0_4), most);
    ck_assert_uint_eq(region_max_tx_power(region, RP001_1_0_2B),
                      vec_has(power, first) ? (unsigned)vec_int(power, first) : most);
    ck_assert_uint_eq(region_max_tx_power(region, RP002_1_0_5),
                      vec_has(power, last) ? (unsigned)vec_int(power, last) : most);
    for (unsigned i = 0; i <= most; i++)
        ck_assert_int_eq(region_tx_power_cdbm(0, i),
                         100 * json_object_get_int(at(vec(power, "tx_power_offsets_db"), i)));
}

static void compare_commands(const struct region *region, struct json_object *commands)
{
    struct json_object *ranges =
        vec(vec(commands, "new_channel_req_dr_range"), "special_min_gt_max (RP002-1.0.5)");
    struct json_object *eirp = vec(commands, "tx_param_setup_eirp_table_dbm");

    ck_assert_int_eq(region->tx_param_setup, vec_int(commands, "tx_param_setup_req"));
    ck_assert_int_eq(region->new_channel, vec_int(commands, "new_channel_req"));
    ck_assert_int_eq(region->dl_channel, vec_int(commands, "dl_channel_req"));
    for (unsigned i = 0; i < 16; i++)
        ck_assert_int_eq(lw_max_eirp_dbm((uint8_t)i), json_object_get_int(vec_at(eirp, i)));
    for (unsigned min = 0; min < REGION_DRS; min++) {
        struct json_object *drs;
        unsigned want = 0;
        char name[24];

        snprintf(name, sizeof(name), "MinDR=%u,MaxDR=0", min);
        drs = vec(ranges, name);
        for (size_t i = 0; i < vec_count(drs); i++)
            want |= 1u << json_object_get_int(vec_at(drs, i));
        if (min)
            ck_assert_uint_eq(region_dr_range(region, RP002_1_0_5, min, 0), want);
    }
}

static void compare_cflist(const struct region *region, struct json_object *cflist)
{
    struct json_object *list = vec(vec(cflist, "type1_list"), "frequencies_hz");

    ck_assert_uint_eq(region->cflist_type, vec_int(cflist, "type"));
    ck_assert_uint_eq(region->cflist_words, vec_int(cflist, "words_used"));
    ck_assert_uint_eq(region->cflist_first, vec_int(cflist, "first_channel"));
    if (vec_has(cflist, "usable_drs"))
        ck_assert_uint_eq(region->cflist_max_dr,
                          json_object_get_int(vec_at(vec(cflist, "usable_drs"), 1)));
    ck_assert_uint_eq(vec_count(list), vec_int(vec(cflist, "type1_list"), "count"));
    for (unsigned n = 0; n < vec_count(list); n++)
        ck_assert_uint_eq(cflist_fixed_hz(region, n), json_object_get_int64(vec_at(list, n)));
    ck_assert_uint_eq(cflist_fixed_hz(region, (unsigned)vec_count(list)), 0);
}

static struct chmask_rule rule_of(struct json_object *fact)
{
    static const struct {
        const char *text;
        uint8_t action;
    } actions[] = {{"rfu", CHMASK_RFU},
                   {"set_group", CHMASK_GROUP},
                   {"set_banks", CHMASK_BANKS},
                   {"set_blocks", CHMASK_BLOCKS},
                   {"all_defined_on", CHMASK_ALL_DEFINED},
                   {"all_on", CHMASK_ALL_DEFINED}, /* of a fixed plan: all there are */
                   {"all_on_then_set_group", CHMASK_ON_GROUP},
                   {"all_off_then_set_group", CHMASK_OFF_GROUP},
                   {"all_off", CHMASK_ALL_OFF}};
    struct json_object *group = vec(fact, "group");
    size_t i = 0;

    while (strcmp(actions[i].text, vec_str(fact, "action")) != 0)
        ck_assert_uint_lt(++i, sizeof(actions) / sizeof(actions[0]));
    switch (actions[i].action) {
    case CHMASK_GROUP: group = fact; break;
    case CHMASK_BANKS: return (struct chmask_rule){CHMASK_BANKS, 0, (uint8_t)vec_int(fact, "bits")};
    case CHMASK_BLOCKS:
        return (struct chmask_rule){CHMASK_BLOCKS, 64, (uint8_t)vec_int(fact, "bits")};
    default: break;
    }
    return (struct chmask_rule){actions[i].action, (uint8_t)vec_int(group, "first_channel"),
                                (uint8_t)vec_int(group, "count")};
}

static void compare_masks(const struct chmask_rule *rules, struct json_object *facts)
{
    for (size_t i = 0; i < vec_count(facts); i++) {
        struct chmask_rule want = rule_of(vec_at(facts, i));

        ck_assert_uint_eq(vec_int(vec_at(facts, i), "cntl"), i);
        ck_assert_msg(!memcmp(&want, &rules[i], sizeof(want)), "ChMaskCntl %zu", i);
    }
}

static void compare_adr(const struct region *region, struct json_object *adr)
{
    const char *late = "chmaskcntl_rp002_1_0_5";
    struct json_object *backoff = vec(adr, "data_rate_backoff");

    ck_assert_uint_eq(region->adr_max_dr, vec_int(adr, "max_dr_for_adr"));
    ck_assert_uint_eq(vec_count(vec(adr, "chmaskcntl")), CHMASK_RULES);
    compare_masks(region_chmask_rules(region, RP002_1_0_4), vec(adr, "chmaskcntl"));
    compare_masks(region_chmask_rules(region, RP002_1_0_5),
                  vec(adr, vec_has(adr, late) ? late : "chmaskcntl"));
    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        struct json_object *next = at(backoff, dr);

        ck_assert_int_eq(region_dr_backoff(region, dr), next ? json_object_get_int(next) : -1);
    }
}

static void compare_air(const struct region *region, struct json_object *facts)
{
    struct json_object *range = vec(facts, "frequency_range_hz"), *dwell = vec(facts, "dwell_time");
    uint32_t step = (uint32_t)vec_int(facts, "mac_frequency_step_hz");
    struct json_object *lbt = vec(facts, "lbt");

    ck_assert_uint_eq(region->min_hz, vec_int(range, "min"));
    ck_assert_uint_eq(region->max_hz, vec_int(range, "max"));
    ck_assert(region_frequency_valid(region, region->rx2_hz - step));
    ck_assert(!region_frequency_valid(region, region->rx2_hz - step / 2));
    ck_assert_uint_eq(region->dwell_ms, vec_int(dwell, "limit_ms"));
    if (region->tx_param_setup) /* elsewhere a device has nothing to assume */
        ck_assert_int_eq(region->uplink_dwell, vec_int(dwell, "uplink_default"));
    ck_assert_int_eq(region->lbt.rule != LBT_NONE, lbt != NULL);
    ck_assert_int_eq(region->lbt.rule == LBT_REQUIRED,
                     !strncmp(vec_str(lbt, "required"), "yes", 3));
    ck_assert_int_eq(region->lbt.threshold_dbm, vec_int(lbt, "threshold_dbm"));
    ck_assert_int_eq(region->lbt.sense_ms, vec_int(lbt, "sense_ms"));
}

static void compare_bands(const struct region *region, struct json_object *facts)
{
    struct json_object *bands = vec(facts, "duty_cycle");
    struct json_object *gateways = vec(facts, "gateway_downlink_power_dbm");
    int eirp = (int)vec_int(gateways, "chirpstack_eirp_at_rx2");

    for (size_t i = 0; i < vec_count(bands); i++) {
        struct json_object *fact = vec_at(bands, i);
        const struct region_band *band = region_band(region, (uint32_t)vec_int(fact, "min_hz"));
        const char *careful = "conservative_duty_cycle";
        struct json_object *duty = vec(fact, vec_has(fact, careful) ? careful : "duty_cycle");
        double most = vec_has(fact, "max_eirp_dbm")
                          ? json_object_get_double(vec(fact, "max_eirp_dbm"))
                          : json_object_get_double(vec(fact, "max_erp_dbm")) + 2.15;

        ck_assert_ptr_nonnull(band);
        /* AS923-4's ends on its last channel, which shall be in it. */
        ck_assert_uint_eq(band->max_hz,
                          vec_int(fact, "max_hz") + (region->id == REGION_AS923_4 ? 100000 : 0));
        ck_assert_int_eq(band->duty_permille, (int)(json_object_get_double(duty) * 1000 + 0.5));
        ck_assert_int_eq(band->max_eirp_dbm, (int)most);
    }
    ck_assert(vec_count(bands) == REGION_BANDS_MAX || !region->bands[vec_count(bands)].name);
    if (region->id == REGION_RU864) /* servers use 16; the band allows 20 dBm ERP */
        eirp = 22;
    ck_assert_int_eq(region_down_eirp(region, region->rx2_hz), eirp ? eirp : 19);
}

static unsigned octets_of(struct json_object *fields, const char *name)
{
    for (size_t i = 0; i < vec_count(fields); i++) {
        if (!strcmp(vec_str(vec_at(fields, i), "name"), name))
            return (unsigned)vec_int(vec_at(fields, i), "octets");
    }
    return 0;
}

static void compare_class_b(const struct region *region, struct json_object *facts)
{
    struct json_object *frame = vec(facts, "beacon_frame"), *fields = vec(frame, "fields");
    struct json_object *hops = vec(facts, "beacon_frequencies_hz");
    const struct lw_beacon_layout *layout = region_beacon_layout(region);
    struct lw_dev_addr addr = {0x01020305};

    ck_assert_uint_eq(region->beacon_dr, vec_int(facts, "beacon_data_rate"));
    ck_assert_uint_eq(region->ping_dr, vec_int(facts, "ping_slot_data_rate"));
    ck_assert_uint_eq(lw_beacon_length(layout), vec_int(frame, "total_octets"));
    if (fields) { /* ISM2400 has none: the layout of its spreading factor */
        ck_assert_uint_eq(layout->rfu1, octets_of(fields, "RFU1"));
        ck_assert_uint_eq(layout->rfu2, octets_of(fields, "RFU2"));
        ck_assert_uint_eq(region_rate(region, LW_DOWN, region->beacon_dr)->sf,
                          vec_int(frame, "spreading_factor"));
    }
    for (uint32_t n = 0; n < vec_count(hops); n++) {
        uint32_t hz = (uint32_t)json_object_get_int64(vec_at(hops, n));

        ck_assert_uint_eq(region_beacon_hz(region, 800 + n, REGION_NO_JOIN), hz);
        ck_assert_uint_eq(region_ping_hz(region, addr, 803 + n, REGION_NO_JOIN), hz);
    }
    if (vec_has(facts, "beacon_frequency_hz")) {
        ck_assert_uint_eq(region_beacon_hz(region, 5, REGION_NO_JOIN),
                          vec_int(facts, "beacon_frequency_hz"));
        ck_assert_uint_eq(region_ping_hz(region, addr, 5, REGION_NO_JOIN),
                          vec_int(facts, "ping_slot_frequency_hz"));
    }
}

static void compare_relay(const struct region *region, struct json_object *facts)
{
    struct json_object *list = vec(facts, "default_wor_channels");

    for (unsigned i = 0; i < vec_count(list); i++) {
        const struct region_relay *relay = region_relay_channel(region, i);
        struct json_object *fact = vec_at(list, i);

        ck_assert_ptr_nonnull(relay);
        ck_assert_uint_eq(relay->wor_hz, vec_int(fact, "wor_frequency_hz"));
        ck_assert_uint_eq(relay->ack_hz, vec_int(fact, "wor_ack_frequency_hz"));
        ck_assert_uint_eq(relay->dr, vec_int(fact, "data_rate"));
    }
    ck_assert_ptr_null(region_relay_channel(region, (unsigned)vec_count(list)));
}

static void compare_offset_tables(const struct region *region, struct json_object *rx1)
{
    struct json_object *offsets = vec(rx1, "dr_offset_table");
    struct json_object *old = vec(rx1, "dr_offset_table_rp001");

    for (int dwell = 0; dwell < 2; dwell++) {
        const char *name = dwell ? "downlink_dwell_1" : "downlink_dwell_0";
        struct json_object *table = vec(offsets, vec_has(offsets, "any") ? "any" : name);

        ck_assert_uint_gt(compare_offsets(region, table, RP002_1_0_0, dwell), 0);
        if (old)
            table = vec(old, name);
        ck_assert_uint_gt(compare_offsets(region, table, RP001_1_1B, dwell), 0);
    }
}

/* clang-format off */
/* The numbers of data rates and payload sizes that were compared: none is left out unnoticed. */
static const struct fact_file {
    const char *file, *plan; /* plan: in CN470.json */
    enum region_id id;
    unsigned rates, payloads;
} files[] = {
    {"regions/EU868.json", NULL, REGION_EU868, 24, 328},
    {"regions/US915.json", NULL, REGION_US915, 17, 222},
    {"regions/AU915.json", NULL, REGION_AU915, 18, 500},
    {"regions/AS923-1.json", NULL, REGION_AS923_1, 20, 592},
    {"regions/AS923-2.json", NULL, REGION_AS923_2, 20, 336},
    {"regions/AS923-3.json", NULL, REGION_AS923_3, 20, 336},
    {"regions/AS923-4.json", NULL, REGION_AS923_4, 20, 208},
    {"regions/CN470.json", "LEGACY", REGION_CN470, 12, 72},
    {"regions/CN470.json", "20A", REGION_CN470_20A, 16, 172},
    {"regions/CN470.json", "20B", REGION_CN470_20B, 16, 172},
    {"regions/CN470.json", "26A", REGION_CN470_26A, 16, 172},
    {"regions/CN470.json", "26B", REGION_CN470_26B, 16, 172},
    {"regions/CN779.json", NULL, REGION_CN779, 16, 288},
    {"regions/EU433.json", NULL, REGION_EU433, 20, 296},
    {"regions/KR920.json", NULL, REGION_KR920, 16, 224},
    {"regions/IN865.json", NULL, REGION_IN865, 18, 260},
    {"regions/RU864.json", NULL, REGION_RU864, 20, 264},
    {"regions/ISM2400.json", NULL, REGION_ISM2400, 16, 288},
};
/* clang-format on */

_Static_assert(sizeof(files) / sizeof(files[0]) == REGION_COUNT, "a region without its facts");

START_TEST(tables_are_the_facts)
{
    const struct fact_file *f = &files[_i];
    const struct region *region = region_get(f->id);
    struct json_object *whole = vec_load(f->file);
    struct json_object *facts = f->plan ? vec(vec(whole, "plans"), f->plan) : whole;
    struct json_object *rates = vec(facts, "data_rates");
    unsigned count = compare_rates(region, vec(rates, "uplink"), LW_UP) +
                     compare_rates(region, vec(rates, "downlink"), LW_DOWN);

    ck_assert_uint_eq(count, f->rates);
    ck_assert_uint_eq(compare_payloads(region, vec(facts, "max_payload")), f->payloads);
    ck_assert_int_eq(region->plan == REGION_FIXED,
                     !strcmp(vec_str(facts, "channel_plan_type"), "fixed"));
    ck_assert_uint_eq(region->default_dr, vec_int(facts, "device_default_dr"));
    compare_channels(region, facts);
    compare_join(region, vec(facts, "join"));
    compare_windows(region, facts);
    compare_offset_tables(region, vec(facts, "rx1"));
    compare_power(region, vec(facts, "power"));
    compare_commands(region, vec(facts, "mac_commands"));
    compare_cflist(region, vec(facts, "cflist"));
    compare_adr(region, vec(facts, "link_adr"));
    compare_air(region, facts);
    compare_bands(region, facts);
    compare_class_b(region, vec(facts, "class_b"));
    compare_relay(region, vec(facts, "relay"));
    json_object_put(whole);
}
END_TEST

START_TEST(common_join_channels)
{
    struct json_object *whole = vec_load("regions/CN470.json");
    struct json_object *list = vec(whole, "common_join_channels");

    ck_assert_uint_eq(vec_count(list), REGION_COMMON_JOINS);
    for (unsigned i = 0; i < vec_count(list); i++) {
        const struct region_join *join = region_common_join(i);
        struct json_object *fact = vec_at(list, i);

        ck_assert_uint_eq(vec_int(fact, "index"), i);
        ck_assert_str_eq(region_name(join->plan) + strlen("CN470-"), vec_str(fact, "plan"));
        ck_assert_uint_eq(join->uplink_hz, vec_int(fact, "uplink_hz"));
        ck_assert_uint_eq(join->rx1_hz, vec_int(fact, "join_accept_rx1_hz"));
        ck_assert_uint_eq(join->rx2_hz, vec_int(fact, "rx2_hz"));
    }
    json_object_put(whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("region_tables");
    TCase *tc = tcase_create("region_tables");

    tcase_set_timeout(tc, 0);
    tcase_add_loop_test(tc, tables_are_the_facts, 0, REGION_COUNT);
    tcase_add_test(tc, common_join_channels);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
