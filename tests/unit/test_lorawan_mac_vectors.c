/* The groups of tests/vectors/mac.json on MAC commands and channel masks, and the MAC commands of
 * relay.json. */
#include "lorawan/airtime.h"
#include "lorawan/mac.h"
#include "region/cflist.h"
#include "region/region.h"
#include "tests/command_vectors.h"
#include "tests/vector_groups.h"

/* ---- MAC commands ---------------------------------------------------------------------------- */

/* Names of the vectors where ours differ. */
static const struct vec_alias mac_aliases[] = {
    {"margin", "margin_db"},
    {"gwcnt", "gateway_count"},
    {"freq_hz", "frequency_hz"},
    {"freq_ok", "frequency_ok"},
    {"rx1droffset", "rx1_dr_offset"},
    {"rx2dr", "rx2_dr"},
    {"rx1droffset_ack", "rx1_dr_offset_ack"},
    {"rx2dr_ack", "rx2_dr_ack"},
    {"chmask_ack", "ch_mask_ack"},
    {"chindex", "index"},
    {"mindr", "min_dr"},
    {"maxdr", "max_dr"},
    {"drrange_ok", "dr_range_ok"},
    {"del", "delay_s"},
    {"dl_dwell400", "downlink_dwell"},
    {"ul_dwell400", "uplink_dwell"},
    {"maxeirp_idx", "max_eirp_index"},
    {"channel_freq_ok", "frequency_ok"},
    {"uplink_freq_exists", "uplink_exists"},
    {"frac_256", "fraction"},
    {"class", "mode"},
    {"start_stop", "start"},
    {"second_ch_freq", "second_ch_hz"},
    {"second_ch_freq_hz", "second_ch_hz"},
    {"activation_mode", "activation"},
    {"mode", "activation"},
    {"smart_level", "smart_enable_level"},
    {"DevAddr", "dev_addr"},
    {"wor_rssi", "wor_rssi_dbm"},
    {"wor_snr", "wor_snr_db"},
    {"idx", "index"},
    {"idx_ack", "index_ack"},
    {"len_ack", "length_ack"},
    {"eui_msb_first", "eui"},
    {"bucket_size_code", "bucket_size"},
    {"reset", "reset_counters"},
    {"join_req", "join_req_reload"},
    {"notify", "notify_reload"},
    {"global_uplink", "global_uplink_reload"},
    {"overall", "overall_reload"},
    {"bit0_freq", "second_ch_freq_ack"},
    {"bit1_dr", "second_ch_dr_ack"},
    {"bit2_idx", "second_ch_idx_ack"},
    {"bit3", "backoff_ack"},
    {0},
};

/* ForceRejoinReq in the other order of octets. */
static void check_force_rejoin_little(struct vec_command *filled, struct bytes wanted)
{
    struct lw_force_rejoin_req req, back;
    uint8_t out[8];
    struct wr wr = wr_of(out, sizeof(out));

    memcpy(&req, filled->room, sizeof(req));
    lw_force_rejoin_req_write(&wr, &req, LW_FORCE_REJOIN_LITTLE);
    ck_assert(!wr.failed && bytes_equal(wr_bytes(&wr), wanted));
    ck_assert(lw_force_rejoin_req_read((struct bytes){wanted.p + 1, wanted.n - 1}, &back,
                                       LW_FORCE_REJOIN_LITTLE));
    ck_assert_mem_eq(&req, &back, sizeof(req));
}

static void check_mac_command(struct json_object *in, struct json_object *ex, const char *id)
{
    enum lw_direction direction = strcmp(vec_str(in, "dir"), "up") ? LW_DOWN : LW_UP;
    char name[64] = {0};
    uint8_t room[512];
    struct bytes wanted = vec_hex(ex, "bytes", room);
    const struct lw_command *def;
    struct vec_command filled;
    struct lw_cmd_iter iter;
    struct lw_cmd cmd;

    memcpy(name, vec_str(in, "name"), strcspn(vec_str(in, "name"), " "));
    def = lw_mac_def_by_name(direction, name);
    ck_assert_msg(def != NULL, "%s: no command %s", id, name);
    vec_fill(def, vec(in, "fields"), mac_aliases, &filled, id);
    if (!strcmp(id, "mac-forcerejoinreq-le"))
        check_force_rejoin_little(&filled, wanted);
    else
        vec_both_ways(def, &filled, wanted, id);
    iter = lw_mac_iter_of(wanted, direction);
    ck_assert(lw_cmd_next(&iter, &cmd) && cmd.def == def && !lw_cmd_next(&iter, &cmd));
    ck_assert_int_eq(iter.stop, LW_CMD_END);
}

static void check_mac_stream(struct json_object *in, struct json_object *ex, const char *id)
{
    enum lw_direction direction = strcmp(vec_str(in, "dir"), "up") ? LW_DOWN : LW_UP;
    uint8_t room[512];
    struct bytes stream = vec_hex(in, "bytes", room);
    struct lw_cmd_iter iter = lw_mac_iter_of(stream, direction);
    struct json_object *commands = vec(ex, "commands");
    struct lw_cmd cmd;
    size_t n = 0;

    for (; lw_cmd_next(&iter, &cmd); n++) {
        char text[64];

        ck_assert_msg(n < vec_count(commands), "%s: too many", id);
        ck_assert_str_eq(cmd.def->name, json_object_get_string(vec_at(vec_at(commands, n), 0)));
        ck_assert_str_eq(hex_write(text, cmd.payload.p, cmd.payload.n),
                         json_object_get_string(vec_at(vec_at(commands, n), 1)));
    }
    ck_assert_uint_eq(n, vec_count(commands));
    ck_assert_int_eq(lw_mac_stream_valid(stream, direction), !vec_has(ex, "stop_offset"));
    if (vec_has(ex, "stop_offset")) {
        ck_assert_uint_eq(iter.at, vec_int(ex, "stop_offset"));
        ck_assert_int_eq(iter.stop, strstr(vec_str(ex, "reason"), "unknown") ? LW_CMD_UNKNOWN
                                                                             : LW_CMD_TRUNCATED);
    } else {
        ck_assert_int_eq(iter.stop, LW_CMD_END);
    }
}

static void check_eirp(struct json_object *in, struct json_object *ex, const char *id)
{
    for (size_t i = 0; i < vec_count(vec(in, "index")); i++) {
        int dbm = json_object_get_int(vec_at(vec(ex, "dbm"), i));
        uint8_t index = (uint8_t)json_object_get_int(vec_at(vec(in, "index"), i));

        ck_assert_msg(lw_max_eirp_dbm(index) == dbm, "%s %u", id, index);
        ck_assert_uint_eq(lw_max_eirp_index(dbm), index);
    }
}

static void check_link_check(struct json_object *in, struct json_object *ex, const char *id)
{
    struct data_rate rate = {
        .kind = MOD_LORA, .sf = (uint8_t)vec_int(in, "sf"), .bandwidth_hz = 125000};
    struct json_object *snrs = vec(in, "snr_per_gw");
    uint8_t room[8];
    struct wr wr = wr_of(room, sizeof(room));
    int best = -1000;

    for (size_t i = 0; i < vec_count(snrs); i++) {
        int snr = (int)(json_object_get_double(vec_at(snrs, i)) * 10);

        best = snr > best ? snr : best;
    }
    best = (best - lw_required_snr_cb(&rate)) / 10;
    ck_assert_int_eq(best, vec_int(ex, "margin"));
    lw_link_check_ans_write(&wr,
                            &(struct lw_link_check_ans){(uint8_t)best, (uint8_t)vec_count(snrs)});
    vec_expect(ex, "bytes", wr_bytes(&wr), id);
}

/* ---- relays --------------------------------------------------------------------------------- */

/* Relay vectors abbreviate: all bits of an answer, sizes of a rule, sizes of buckets. */
static void fill_relay(const struct lw_command *def, struct json_object *fields,
                       struct vec_command *filled, const char *id)
{
    struct json_object *sizes = vec(fields, "size_codes");
    struct lw_filter_list_req *rule = (struct lw_filter_list_req *)filled->room;
    struct lw_configure_fwd_limit_req *limit = (struct lw_configure_fwd_limit_req *)filled->room;
    bool all = vec_has(fields, "all_ack");

    json_object_get(sizes);
    json_object_object_del(fields, "size_codes");
    json_object_object_del(fields, "all_ack");
    vec_fill(def, fields, mac_aliases, filled, id);
    if (all)
        memset(filled->room, 1, def->size); /* bools only */
    if (def->cid == LW_CID_FILTER_LIST && def->direction == LW_DOWN)
        rule->length = (uint8_t)(strlen(vec_str(fields, "eui_msb_first")) / 2);
    if (sizes) {
        limit->join_req_size = (uint8_t)vec_int(sizes, "join_req");
        limit->notify_size = (uint8_t)vec_int(sizes, "notify");
        limit->global_uplink_size = (uint8_t)vec_int(sizes, "global_uplink");
        limit->overall_size = (uint8_t)vec_int(sizes, "overall");
        json_object_put(sizes);
    } else if (def->cid == LW_CID_FWD_LIMIT && def->size && limit->notify_reload == 4) {
        limit->join_req_size = limit->notify_size = 1; /* the defaults: twice the reload */
        limit->global_uplink_size = limit->overall_size = 1;
    }
}

START_TEST(relay_commands)
{
    struct json_object *file = vec_load("relay.json");
    struct json_object *all = vec(file, "mac_commands");

    ck_assert_uint_eq(vec_count(all), 40);
    for (size_t i = 0; i < vec_count(all); i++) {
        struct json_object *one = vec_at(all, i);
        enum lw_direction direction = strcmp(vec_str(one, "direction"), "up") ? LW_DOWN : LW_UP;
        const struct lw_command *def = lw_mac_def_by_name(direction, vec_str(one, "name"));
        struct vec_command filled;
        uint8_t room[512];

        ck_assert_msg(def && def->flags & LW_MAC_RELAY_CMD, "no command %s", vec_str(one, "name"));
        fill_relay(def, vec(one, "fields"), &filled, vec_str(one, "bytes"));
        vec_both_ways(def, &filled, vec_hex(one, "bytes", room), vec_str(one, "bytes"));
    }
    json_object_put(file);
}
END_TEST

/* ---- channel masks --------------------------------------------------------------------------- */

static struct chmask mask_of(struct json_object *channels)
{
    struct chmask mask = {0};

    for (size_t i = 0; i < vec_count(channels); i++)
        chmask_set(&mask, (unsigned)json_object_get_int(vec_at(channels, i)));
    return mask;
}

/* "0-71" or "8-15,65" */
static struct chmask mask_of_text(const char *text)
{
    struct chmask mask = {0};

    while (*text) {
        char *end;
        unsigned first = (unsigned)strtoul(text, &end, 10);
        unsigned last = *end == '-' ? (unsigned)strtoul(end + 1, &end, 10) : first;

        chmask_set_range(&mask, first, last - first + 1, true);
        text = *end ? end + 1 : end;
    }
    return mask;
}

static size_t reqs_of(struct json_object *list, struct lw_link_adr_req *reqs)
{
    for (size_t i = 0; i < vec_count(list); i++) {
        reqs[i] = (struct lw_link_adr_req){
            .ch_mask_cntl = (uint8_t)vec_int(vec_at(list, i), "cntl"),
            .ch_mask = (uint16_t)vec_u64(vec_at(list, i), "mask"),
        };
    }
    return vec_count(list);
}

/* The block as octets must read as the requests of the vector. */
static void check_block_octets(struct json_object *in, const struct lw_link_adr_req *reqs,
                               size_t count)
{
    uint8_t room[512];
    struct lw_cmd_iter iter = lw_mac_iter_of(vec_hex(in, "bytes", room), LW_DOWN);
    struct lw_link_adr_req req;
    struct lw_cmd cmd;

    for (size_t i = 0; i < count; i++) {
        ck_assert(lw_cmd_next(&iter, &cmd) && lw_link_adr_req_read(cmd.payload, &req));
        ck_assert_uint_eq(req.ch_mask, reqs[i].ch_mask);
        ck_assert_uint_eq(req.ch_mask_cntl, reqs[i].ch_mask_cntl);
    }
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_END);
}

static void check_linkadr_us(struct json_object *in, struct json_object *ex, const char *id)
{
    const struct region *region = region_get(REGION_US915);
    struct chmask from = mask_of_text(vec_str(in, "current")), mask = from;
    struct chmask want = mask_of(vec(ex, "enabled"));
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX], built[CHMASK_REQS_MAX];
    size_t count = reqs_of(vec(in, "reqs"), reqs), n = 0;
    struct region_channels channels;

    region_channels_init(region, &channels);
    ck_assert_int_eq(chmask_apply(region->chmask, &channels.defined, reqs, count, &mask),
                     CHMASK_OK);
    ck_assert_msg(chmask_equal(&mask, &want), "%s", id);
    if (vec_has(in, "bytes"))
        check_block_octets(in, reqs, count);
    ck_assert_int_eq(chmask_build(region->chmask, &channels.defined, &from, &want, built, &n), OK);
    ck_assert_msg(n <= (reqs[0].ch_mask_cntl == 5 ? 2 : count), "%s: %zu requests", id, n);
    ck_assert_int_eq(chmask_apply(region->chmask, &channels.defined, built, n, &from), CHMASK_OK);
    ck_assert(chmask_equal(&from, &want));
}

static void check_linkadr_eu(struct json_object *in, struct json_object *ex, const char *id)
{
    const struct region *region = region_get(REGION_EU868);
    struct chmask defined = mask_of(vec(in, "defined")), mask = mask_of(vec(in, "current"));
    struct chmask want = mask_of(vec(ex, "enabled"));
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    size_t count = reqs_of(vec(in, "reqs"), reqs);
    enum chmask_status status = chmask_apply(region->chmask, &defined, reqs, count, &mask);

    ck_assert_msg((status == CHMASK_OK) == vec_int(ex, "ans_chmask_ack"), "%s: %d", id, status);
    ck_assert_msg(chmask_equal(&mask, &want), "%s", id);
}

static void check_cflist(struct json_object *in, struct json_object *ex, const char *id)
{
    struct cflist list = {.type = (uint8_t)vec_int(in, "type")}, back;
    uint8_t out[CFLIST_LEN];

    for (size_t i = 0; i < vec_count(vec(in, "freqs")); i++)
        list.frequency_hz[i] = (uint32_t)json_object_get_int64(vec_at(vec(in, "freqs"), i));
    for (size_t i = 0; i < vec_count(vec(in, "masks")); i++) {
        const char *text = json_object_get_string(vec_at(vec(in, "masks"), i));

        chmask_put_word(&list.enabled, 16 * (unsigned)i, 16, (uint16_t)strtoul(text, NULL, 16));
    }
    ck_assert_int_eq(cflist_write(&list, out), OK);
    vec_expect(ex, "bytes", (struct bytes){out, sizeof(out)}, id);
    ck_assert_int_eq(cflist_read(out, &back), OK);
    ck_assert_mem_eq(back.frequency_hz, list.frequency_hz, sizeof(list.frequency_hz));
    ck_assert(chmask_equal(&back.enabled, &list.enabled));
}

/* ---- the runner ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct vec_group groups[] = {
    {"mac_command",                   check_mac_command,       59},
    {"mac_stream",                    check_mac_stream,        3},
    {"linkadr_block_us915",           check_linkadr_us,        4},
    {"linkadr_block_eu868",           check_linkadr_eu,        4},
    {"cflist",                        check_cflist,            3},
    {"tx_param_eirp",                 check_eirp,              1},
    {"link_check",                    check_link_check,        1},
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
    const TTest *const tests[] = {all_vectors, relay_commands, NULL};

    return run_suite(suite_of("lorawan_mac_vectors", tests));
}
