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

START_TEST(the_table_is_sound)
{
    size_t count;
    const struct lw_mac_def *defs = lw_mac_defs(&count);

    ck_assert_uint_eq(count, 52);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(lw_mac_def(defs[i].direction, defs[i].cid), &defs[i]);
        ck_assert_ptr_eq(lw_mac_def_by_name(defs[i].direction, defs[i].name), &defs[i]);
        ck_assert(i == 0 || defs[i].cid >= defs[i - 1].cid);
        for (size_t f = 0; f < LW_MAC_FIELDS_MAX && defs[i].fields[f].name; f++) {
            const struct lw_mac_field *field = &defs[i].fields[f];

            if (defs[i].length != LW_MAC_VARIABLE)
                ck_assert_uint_le(field->bit + field->width, 8u * defs[i].length);
            ck_assert(field->width || field->encoding == LW_MAC_HEX);
        }
    }
    ck_assert_ptr_null(lw_mac_def(LW_UP, 0x0e));
    ck_assert_ptr_null(lw_mac_def(LW_DOWN, 0x80));
    ck_assert_ptr_null(lw_mac_def(LW_DOWN, 0));
    ck_assert_ptr_null(lw_mac_def_by_name(LW_UP, "LinkADRReq"));
    ck_assert(lw_mac_def(LW_UP, 0x0a)->flags & LW_MAC_STICKY);
    ck_assert(lw_mac_def(LW_UP, 0x0d)->flags & LW_MAC_BY_DEVICE);
    ck_assert_int_eq(lw_mac_def(LW_DOWN, 0x0a)->since, LW_1_0_2);
}
END_TEST

/* FilterListReq tells its length itself. */
START_TEST(a_variable_command_reads_its_length)
{
    static const uint8_t stream[] = {0x42, 0xa3, 0x00, 0xef, 0xcd, 0xab, 0x42, 0x40, 0x00, 0x06};
    struct lw_mac_iter iter = lw_mac_iter_of((struct bytes){stream, sizeof(stream)}, LW_DOWN);
    struct lw_mac_cmd cmd;
    struct bytes eui;

    ck_assert(lw_mac_next(&iter, &cmd));
    ck_assert_uint_eq(cmd.payload.n, 5);
    ck_assert_int_eq(lw_mac_get(lw_mac_field(cmd.def, "action"), cmd.payload), 1);
    ck_assert_int_eq(lw_mac_get(lw_mac_field(cmd.def, "idx"), cmd.payload), 1);
    eui = lw_mac_get_range(lw_mac_field(cmd.def, "eui"), cmd.payload);
    ck_assert(bytes_equal(eui, (struct bytes){stream + 3, 3}));
    ck_assert(lw_mac_next(&iter, &cmd) && cmd.payload.n == 2);
    ck_assert(lw_mac_next(&iter, &cmd) && cmd.cid == LW_CID_DEV_STATUS);
    ck_assert(!lw_mac_next(&iter, &cmd) && iter.stop == LW_MAC_END);
    iter = lw_mac_iter_of((struct bytes){stream, 5}, LW_DOWN);
    ck_assert(!lw_mac_next(&iter, &cmd) && iter.stop == LW_MAC_TRUNCATED && iter.at == 0);
    iter = lw_mac_iter_of((struct bytes){stream, 2}, LW_DOWN);
    ck_assert(!lw_mac_next(&iter, &cmd) && iter.stop == LW_MAC_TRUNCATED);
    iter = lw_mac_iter_of((struct bytes){(const uint8_t *)"\x42\x1f\x00", 3}, LW_DOWN);
    ck_assert(!lw_mac_next(&iter, &cmd) && iter.stop == LW_MAC_TRUNCATED);
}
END_TEST

START_TEST(values_must_fit_their_field)
{
    const struct lw_mac_def *adr = lw_mac_def(LW_DOWN, LW_CID_LINK_ADR);
    const struct lw_mac_def *status = lw_mac_def(LW_UP, LW_CID_DEV_STATUS);
    const struct lw_mac_def *ed = lw_mac_def(LW_UP, LW_CID_NOTIFY_NEW_ED);
    const struct lw_mac_def *list = lw_mac_def(LW_DOWN, LW_CID_UPDATE_UPLINK);
    uint8_t room[32];

    memset(room, 0xff, sizeof(room));
    ck_assert_int_eq(lw_mac_put(lw_mac_field(adr, "dr"), room, 4, 16), ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(adr, "dr"), room, 4, -1), ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(adr, "nbtrans"), room, 3, 1), ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(adr, "nbtrans"), room, 4, 1), OK);
    ck_assert_uint_eq(room[3], 0xf1); /* neighbours stay */
    ck_assert_int_eq(lw_mac_put(lw_mac_field(status, "margin_db"), room, 2, -33), ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(status, "margin_db"), room, 2, 32), ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(status, "margin_db"), room, 2, -32), OK);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(ed, "wor_snr"), room, 6, -21), ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(ed, "wor_rssi"), room, 6, -14), ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(ed, "wor_rssi"), room, 6, -15), OK);
    ck_assert_int_eq(
        lw_mac_put_range(lw_mac_field(list, "root_wor_s_key"), room, 26, (struct bytes){room, 15}),
        ERR_INVALID);
    ck_assert_int_eq(lw_mac_put(lw_mac_field(list, "root_wor_s_key"), room, 26, 0), ERR_INVALID);
    ck_assert_int_eq(lw_mac_get(lw_mac_field(adr, "nbtrans"), (struct bytes){room, 3}), 0);
    ck_assert_ptr_null(lw_mac_field(adr, "nothing"));
}
END_TEST

START_TEST(frequencies)
{
    uint32_t u24 = 0;

    ck_assert_int_eq(lw_hz_to_u24(868100000, &u24), OK);
    ck_assert_uint_eq(u24, 8681000);
    ck_assert_int_eq(lw_hz_to_u24(868100050, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(2410000100, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(4000000000, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(2410000000, &u24), OK);
    ck_assert_uint_eq(lw_hz_of_u24(u24), 2410000000);
    ck_assert_uint_eq(lw_hz_of_u24(0), 0);
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
    lw_duty_cycle_req_write(&wr, 3);
    lw_rx_timing_setup_req_write(&wr, 15);
    lw_adr_param_setup_req_write(&wr, 10, 15);
    lw_rejoin_param_setup_req_write(&wr, 14, 15);
    lw_beacon_freq_req_write(&wr, 868100000);
    lw_mac_bare_write(&wr, LW_CID_DEV_STATUS);
    lw_mac_octet_write(&wr, LW_CID_REKEY, 1);
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
    lw_rx_timing_setup_req_write(&wr, 16);
    ck_assert(wr.failed && wr_len(&wr) == 0);
    wr = wr_of(room, sizeof(room));
    lw_beacon_freq_req_write(&wr, 868100001);
    ck_assert(wr.failed);
    wr = wr_of(room, 1);
    lw_mac_octet_write(&wr, LW_CID_REKEY, 1);
    ck_assert(wr.failed && wr_len(&wr) == 0);
    wr = wr_of(room, sizeof(room));
    lw_mac_bare_write(&wr, 0x99);
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
    const TTest *const tests[] = {the_table_is_sound,
                                  a_variable_command_reads_its_length,
                                  values_must_fit_their_field,
                                  frequencies,
                                  requests_come_back,
                                  answers_read,
                                  the_rest_is_written,
                                  a_writer_without_room_or_sense_fails,
                                  counters,
                                  every_net_id_type_has_its_prefix,
                                  NULL};

    return run_suite(suite_of("mac", tests));
}
