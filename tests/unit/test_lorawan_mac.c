/* The table of MAC commands, typed commands, counters and addresses. */
#include "lorawan/fcnt.h"
#include "lorawan/mac.h"
#include "lorawan/netid.h"
#include "tests/suite.h"

#include <string.h>

static void expect(const struct wr *wr, const char *hex)
{
    char text[128];

    ck_assert(!wr->failed);
    ck_assert_str_eq(hex_write(text, wr->start, wr_len(wr)), hex);
}

START_TEST(the_table_knows_each_command)
{
    ck_assert_uint_eq(lw_mac_commands()->count, 52);
    ck_assert_ptr_null(lw_mac_def(LW_UP, 0x0e));
    ck_assert_ptr_null(lw_mac_def(LW_DOWN, 0x80));
    ck_assert_ptr_null(lw_mac_def(LW_DOWN, 0));
    ck_assert_ptr_null(lw_mac_def_by_name(LW_UP, "LinkADRReq"));
    ck_assert_str_eq(lw_mac_def_by_name(LW_DOWN, "LinkADRReq")->name, "LinkADRReq");
    ck_assert(lw_mac_def(LW_UP, 0x0a)->flags & LW_MAC_STICKY);
    ck_assert(lw_mac_def(LW_UP, 0x0d)->flags & LW_MAC_BY_DEVICE);
    ck_assert_int_eq(lw_mac_def(LW_DOWN, 0x0a)->since, LW_1_0_2);
    for (size_t i = 0; i < lw_mac_commands()->count; i++)
        ck_assert_uint_le(1 + lw_mac_commands()->rows[i].length, LW_MAC_CMD_MAX);
}
END_TEST

/* Of each CID, in both directions. */
static const struct {
    uint8_t cid, since;
    uint16_t flags; /* without LW_MAC_ANSWER, which follows from who begins */
} exchange[] = {
    {0x01, LW_1_1_0, LW_MAC_BY_DEVICE},
    {0x02, LW_1_0_0, LW_MAC_BY_DEVICE},
    {0x03, LW_1_0_0, 0},
    {0x04, LW_1_0_0, 0},
    {0x05, LW_1_0_0, LW_MAC_STICKY},
    {0x06, LW_1_0_0, 0},
    {0x07, LW_1_0_0, 0},
    {0x08, LW_1_0_0, LW_MAC_STICKY},
    {0x09, LW_1_0_2, LW_MAC_STICKY},
    {0x0a, LW_1_0_2, LW_MAC_STICKY},
    {0x0b, LW_1_1_0, LW_MAC_BY_DEVICE},
    {0x0c, LW_1_1_0, 0},
    {0x0d, LW_1_0_3, LW_MAC_BY_DEVICE},
    {0x0e, LW_1_1_0, 0},
    {0x0f, LW_1_1_0, 0},
    {0x10, LW_1_0_0, LW_MAC_BY_DEVICE | LW_MAC_CLASS_B_CMD},
    {0x11, LW_1_0_0, LW_MAC_STICKY | LW_MAC_CLASS_B_CMD},
    {0x12, LW_1_0_0, LW_MAC_BY_DEVICE | LW_MAC_CLASS_B_CMD | LW_MAC_DEPRECATED},
    {0x13, LW_1_0_0, LW_MAC_CLASS_B_CMD},
    {0x20, LW_1_1_0, LW_MAC_BY_DEVICE},
    {0x40, LW_1_0_4, LW_MAC_RELAY_CMD},
    {0x41, LW_1_0_4, LW_MAC_RELAY_CMD},
    {0x42, LW_1_0_4, LW_MAC_RELAY_CMD},
    {0x43, LW_1_0_4, LW_MAC_RELAY_CMD},
    {0x44, LW_1_0_4, LW_MAC_RELAY_CMD},
    {0x45, LW_1_0_4, LW_MAC_RELAY_CMD},
    {0x46, LW_1_0_4, LW_MAC_RELAY_CMD | LW_MAC_BY_DEVICE},
};

/* Sticky is the answer alone. */
static unsigned flags_of(size_t i, enum lw_direction direction)
{
    bool by_device = exchange[i].flags & LW_MAC_BY_DEVICE;
    bool answer = by_device ? direction == LW_DOWN : direction == LW_UP;

    return (exchange[i].flags & (answer ? 0xff : ~(unsigned)LW_MAC_STICKY)) |
           (answer ? LW_MAC_ANSWER : 0);
}

START_TEST(who_begins_an_exchange_and_since_when)
{
    size_t seen = 0;

    for (size_t i = 0; i < sizeof(exchange) / sizeof(exchange[0]); i++) {
        for (enum lw_direction direction = LW_UP; direction <= LW_DOWN; direction++) {
            const struct lw_command *def = lw_mac_def(direction, exchange[i].cid);

            if (!def)
                continue;
            seen++;
            ck_assert_msg(def->since == exchange[i].since && !def->until, "%s", def->name);
            ck_assert_msg(def->flags == flags_of(i, direction), "%s", def->name);
        }
    }
    ck_assert_uint_eq(seen, lw_mac_commands()->count);
}
END_TEST

/* Which bits of a payload mean something, by the specification; the others are reserved. */
static const struct {
    const char *name, *bits;
} meaning[] = {
    {"ResetInd", "0f"},
    {"ResetConf", "0f"},
    {"LinkCheckAns", "ffff"},
    {"LinkADRAns", "07"},
    {"LinkADRReq", "ffffff7f"},
    {"DutyCycleReq", "0f"},
    {"RXParamSetupAns", "07"},
    {"RXParamSetupReq", "7fffffff"},
    {"DevStatusAns", "ff3f"},
    {"NewChannelAns", "03"},
    {"NewChannelReq", "ffffffffff"},
    {"RXTimingSetupReq", "0f"},
    {"TxParamSetupReq", "3f"},
    {"DlChannelAns", "03"},
    {"DlChannelReq", "ffffffff"},
    {"RekeyInd", "0f"},
    {"RekeyConf", "0f"},
    {"ADRParamSetupReq", "ff"},
    {"DeviceTimeAns", "ffffffffff"},
    {"ForceRejoinReq", "3f7f"},
    {"RejoinParamSetupAns", "01"},
    {"RejoinParamSetupReq", "ff"},
    {"PingSlotInfoReq", "07"},
    {"PingSlotChannelAns", "03"},
    {"PingSlotChannelReq", "ffffff0f"},
    {"BeaconTimingAns", "ffffff"},
    {"BeaconFreqAns", "01"},
    {"BeaconFreqReq", "ffffff"},
    {"DeviceModeInd", "ff"},
    {"DeviceModeConf", "ff"},
    {"RelayConfAns", "3f"},
    {"RelayConfReq", "ff3fffffff"},
    {"EndDeviceConfAns", "0f"},
    {"EndDeviceConfReq", "0fff7fffffff"},
    {"FilterListAns", "07"},
    {"FilterListReq", "ff07"},
    {"UpdateUplinkListReq", "0fffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"CtrlUplinkListAns", "01ffffffff"},
    {"CtrlUplinkListReq", "1f"},
    {"ConfigureFwdLimitReq", "ffffff3fff"},
    {"NotifyNewEndDeviceReq", "ffffffffff0f"},
};

static const char *meaning_of(const char *name)
{
    for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++) {
        if (!strcmp(meaning[i].name, name))
            return meaning[i].bits;
    }
    return "";
}

START_TEST(fields_cover_what_is_not_reserved)
{
    for (size_t i = 0; i < lw_mac_commands()->count; i++) {
        const struct lw_command *def = &lw_mac_commands()->rows[i];
        uint8_t bits[LW_MAC_CMD_MAX] = {0};
        char text[2 * LW_MAC_CMD_MAX + 1];

        for (const struct lw_field *field = def->fields; field->name; field++) {
            for (unsigned bit = field->bit; bit < (unsigned)field->bit + field->width; bit++)
                bits[bit / 8] |= (uint8_t)(1 << bit % 8);
        }
        ck_assert_str_eq(hex_write(text, bits, def->length), meaning_of(def->name));
    }
}
END_TEST

/* FilterListReq tells its length itself. */
START_TEST(a_variable_command_reads_its_length)
{
    static const uint8_t stream[] = {0x42, 0xa3, 0x00, 0xef, 0xcd, 0xab, 0x42, 0x40, 0x00, 0x06};
    struct lw_cmd_iter iter = lw_mac_iter_of((struct bytes){stream, sizeof(stream)}, LW_DOWN);
    struct lw_cmd cmd;
    struct lw_filter_list_req rule;

    ck_assert(lw_cmd_next(&iter, &cmd));
    ck_assert_uint_eq(cmd.payload.n, 5);
    ck_assert(lw_filter_list_req_read(cmd.payload, &rule));
    ck_assert(rule.action == 1 && rule.index == 1 && rule.length == 3);
    ck_assert_mem_eq(rule.eui, "\xab\xcd\xef\0", 4); /* as it is written */
    ck_assert(bytes_equal(lw_field_range(lw_field(cmd.def, "eui"), cmd.payload),
                          (struct bytes){stream + 3, 3}));
    ck_assert(lw_cmd_next(&iter, &cmd) && cmd.payload.n == 2);
    ck_assert(lw_cmd_next(&iter, &cmd) && cmd.cid == LW_CID_DEV_STATUS);
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_END);
    iter = lw_mac_iter_of((struct bytes){stream, 5}, LW_DOWN);
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_TRUNCATED && iter.at == 0);
    iter = lw_mac_iter_of((struct bytes){stream, 2}, LW_DOWN);
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_TRUNCATED);
    iter = lw_mac_iter_of((struct bytes){(const uint8_t *)"\x42\x1f\x00", 3}, LW_DOWN);
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_TRUNCATED);
}
END_TEST

START_TEST(requests_come_back)
{
    struct lw_link_adr_req adr = {5, 3, 0xff00, 7, 2}, adr2;
    struct lw_rx_param_setup_req rx = {3, 11, 26265700}, rx2;
    struct lw_new_channel_req channel = {3, 867100000, 0, 5}, channel2;
    struct lw_dl_channel_req dl = {1, 868200000}, dl2;
    struct lw_tx_param_setup_req tx = {true, false, 5}, tx2;
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));

    lw_link_adr_req_write(&wr, &adr);
    expect(&wr, "035300ff72");
    ck_assert(lw_link_adr_req_read((struct bytes){room + 1, 4}, &adr2));
    ck_assert_mem_eq(&adr, &adr2, sizeof(adr));
    ck_assert(!lw_link_adr_req_read((struct bytes){room + 1, 3}, &adr2));
    wr = wr_of(room, sizeof(room));
    lw_rx_param_setup_req_write(&wr, &rx);
    expect(&wr, "053b010204");
    ck_assert(lw_rx_param_setup_req_read((struct bytes){room + 1, 4}, &rx2));
    ck_assert(rx2.frequency_hz == rx.frequency_hz && rx2.rx2_dr == 11 && rx2.rx1_dr_offset == 3);
    wr = wr_of(room, sizeof(room));
    lw_new_channel_req_write(&wr, &channel);
    expect(&wr, "0703184f8450");
    ck_assert(lw_new_channel_req_read((struct bytes){room + 1, 5}, &channel2));
    ck_assert(channel2.index == 3 && channel2.max_dr == 5 && channel2.frequency_hz == 867100000);
    wr = wr_of(room, sizeof(room));
    lw_dl_channel_req_write(&wr, &dl);
    expect(&wr, "0a01107a84");
    ck_assert(lw_dl_channel_req_read((struct bytes){room + 1, 4}, &dl2));
    ck_assert(dl2.index == 1 && dl2.frequency_hz == dl.frequency_hz);
    wr = wr_of(room, sizeof(room));
    lw_tx_param_setup_req_write(&wr, &tx);
    expect(&wr, "0925");
    ck_assert(lw_tx_param_setup_req_read((struct bytes){room + 1, 1}, &tx2));
    ck_assert(tx2.downlink_dwell && !tx2.uplink_dwell && tx2.max_eirp_index == 5);
}
END_TEST

START_TEST(answers_read)
{
    struct lw_link_adr_ans adr;
    struct lw_rx_param_setup_ans rx;
    struct lw_dev_status_ans status;
    struct lw_new_channel_ans channel;
    struct lw_dl_channel_ans dl;
    struct lw_ping_slot_channel_ans ping;
    struct bytes five = {(const uint8_t *)"\x05", 1}, none = {NULL, 0};

    ck_assert(lw_link_adr_ans_read(five, &adr));
    ck_assert(adr.ch_mask_ack && !adr.dr_ack && adr.power_ack);
    ck_assert(lw_rx_param_setup_ans_read(five, &rx));
    ck_assert(rx.channel_ack && !rx.rx2_dr_ack && rx.rx1_dr_offset_ack);
    ck_assert(lw_dev_status_ans_read((struct bytes){(const uint8_t *)"\xff\x3f", 2}, &status));
    ck_assert(status.battery == 255 && status.margin_db == -1);
    ck_assert(lw_new_channel_ans_read(five, &channel));
    ck_assert(channel.frequency_ok && !channel.dr_range_ok);
    ck_assert(lw_dl_channel_ans_read((struct bytes){(const uint8_t *)"\x02", 1}, &dl));
    ck_assert(!dl.frequency_ok && dl.uplink_exists);
    ck_assert(lw_ping_slot_channel_ans_read(five, &ping) && ping.frequency_ok && !ping.dr_ok);
    ck_assert(!lw_link_adr_ans_read(none, &adr) && !lw_dl_channel_ans_read(none, &dl));
}
END_TEST

START_TEST(the_rest_is_written)
{
    struct lw_force_rejoin_req rejoin = {3, 4, 2, 5};
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));

    lw_force_rejoin_req_write(&wr, &rejoin, LW_FORCE_REJOIN_BIG);
    lw_force_rejoin_req_write(&wr, &rejoin, LW_FORCE_REJOIN_LITTLE);
    lw_device_time_ans_write(&wr, &(struct lw_device_time_ans){1, 2});
    lw_ping_slot_channel_req_write(&wr, &(struct lw_ping_slot_channel_req){868100000, 5});
    lw_duty_cycle_req_write(&wr, &(struct lw_duty_cycle_req){3});
    lw_rx_timing_setup_req_write(&wr, &(struct lw_rx_timing_setup_req){15});
    lw_adr_param_setup_req_write(&wr, &(struct lw_adr_param_setup_req){10, 15});
    lw_rejoin_param_setup_req_write(&wr, &(struct lw_rejoin_param_setup_req){14, 15});
    lw_beacon_freq_req_write(&wr, &(struct lw_beacon_freq_req){868100000});
    lw_mac_bare_write(&wr, LW_DOWN, LW_CID_DEV_STATUS);
    lw_rekey_conf_write(&wr, &(struct lw_minor_version){1});
    expect(&wr, "0e1c25"
                "0e251c"
                "0d0100000002"
                "1128768405"
                "0403"
                "080f"
                "0caf"
                "0fef"
                "13287684"
                "06"
                "0b01");
    ck_assert(lw_mac_stream_valid(wr_bytes(&wr), LW_DOWN));
}
END_TEST

START_TEST(a_writer_without_room_or_sense_fails)
{
    uint8_t room[8];
    struct wr wr = wr_of(room, 4);

    lw_link_adr_req_write(&wr, &(struct lw_link_adr_req){0});
    ck_assert(wr.failed && wr_len(&wr) == 0);
    wr = wr_of(room, sizeof(room));
    lw_rx_timing_setup_req_write(&wr, &(struct lw_rx_timing_setup_req){16});
    ck_assert(wr.failed && wr_len(&wr) == 0);
    wr = wr_of(room, sizeof(room));
    lw_beacon_freq_req_write(&wr, &(struct lw_beacon_freq_req){868100001});
    ck_assert(wr.failed);
    wr = wr_of(room, 1);
    lw_rekey_conf_write(&wr, &(struct lw_minor_version){1});
    ck_assert(wr.failed && wr_len(&wr) == 0);
    wr = wr_of(room, sizeof(room));
    lw_mac_bare_write(&wr, LW_DOWN, 0x99); /* unknown */
    ck_assert(wr.failed);
    wr = wr_of(room, sizeof(room));
    lw_mac_bare_write(&wr, LW_DOWN, LW_CID_LINK_ADR); /* says something */
    ck_assert(wr.failed);
}
END_TEST

START_TEST(counters)
{
    uint32_t full = 1;

    /* F-7: before the first frame 65535 is no repetition of anything */
    ck_assert_int_eq(lw_fcnt_widen(0, 65535, &full), LW_FCNT_NEW);
    ck_assert_uint_eq(full, 65535);
    ck_assert_int_eq(lw_fcnt_widen(0, 0, &full), LW_FCNT_NEW);
    ck_assert_uint_eq(full, 0);
    ck_assert_int_eq(lw_fcnt_widen(0x10000, 65535, &full), LW_FCNT_REPEAT);
    ck_assert_uint_eq(full, 0xffff);
    ck_assert_int_eq(lw_fcnt_widen(0x1fff0, 5, &full), LW_FCNT_NEW);
    ck_assert_uint_eq(full, 0x20005);
    ck_assert_int_eq(lw_fcnt_widen(0xffffff00, 0xffff, &full), LW_FCNT_NEW);
    ck_assert_uint_eq(full, 0xffffffff);
    ck_assert_int_eq(lw_fcnt_widen(0xffffff00, 0x10, &full), LW_FCNT_EXHAUSTED);
    ck_assert(!lw_fcnt_reset_candidate(3, 7, &full));
    ck_assert(lw_fcnt_reset_candidate(7, 3, &full) && full == 3);
    ck_assert(lw_fcnt_reset_candidate(0x20000, 7, &full) && full == 7);
    ck_assert(lw_fcnt_reset_candidate(0xffffffff, 0, &full) && full == 0);
    ck_assert_uint_eq(lw_fcnt_from_last(0xffff0005, 4, true), 4);
}
END_TEST

START_TEST(every_net_id_type_has_its_prefix)
{
    for (uint32_t type = 0; type < 8; type++) {
        struct lw_net_id id = {type << 21 | 0x15};
        struct lw_dev_addr addr = lw_dev_addr_make(id, 0x55555555);

        ck_assert_uint_eq(lw_net_id_type(id), type);
        ck_assert_int_eq(lw_dev_addr_type(addr), (int)type);
        ck_assert_uint_eq(lw_dev_addr_nwk_id(addr), 0x15);
        ck_assert(lw_dev_addr_matches(addr, id));
        ck_assert(!lw_dev_addr_matches(addr, (struct lw_net_id){type << 21 | 0x14}));
        ck_assert_uint_eq(lw_nwk_addr_bits(id) + lw_net_id_prefix_bits(id), 32);
    }
    ck_assert_int_eq(lw_dev_addr_type((struct lw_dev_addr){0xff000000}), -1);
    ck_assert_uint_eq(lw_dev_addr_nwk_id((struct lw_dev_addr){0xff000000}), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_table_knows_each_command,
                                  who_begins_an_exchange_and_since_when,
                                  fields_cover_what_is_not_reserved,
                                  a_variable_command_reads_its_length,
                                  requests_come_back,
                                  answers_read,
                                  the_rest_is_written,
                                  a_writer_without_room_or_sense_fails,
                                  counters,
                                  every_net_id_type_has_its_prefix,
                                  NULL};

    return run_suite(suite_of("mac", tests));
}
