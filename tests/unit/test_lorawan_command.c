/* The codec of commands, by the table of the MAC and by one of its own with every kind of field. */
#include "lorawan/command.h"
#include "lorawan/mac.h"
#include "tests/command_table.h"
#include "tests/stack.h"

/* ---- a table with what the MAC has not ------------------------------------------------------- */

struct pair {
    uint8_t id;
    struct lw_dev_addr addr;
};
struct listing {
    uint8_t count;
    struct pair pairs[3];
};
struct blob {
    uint16_t index;
    struct bytes data;
};
struct status {
    bool failed;
    uint32_t seconds; /* only if not */
};
struct old_status {
    bool failed;
};

/* clang-format off */
static const struct lw_field pair_fields[] = {
    LW_NUM(pair, id, 0, 2), LW_DEVADDR(pair, addr, 8), {0}};
static const struct lw_command pair_item = {0, 0, 5, 0, 0, 0, "pair", sizeof(struct pair), NULL, pair_fields};
static const struct lw_field listing_fields[] = {
    LW_NUM(listing, count, 0, 2), LW_ITEMS(listing, pairs, 8, &pair_item), {0}};
static const struct lw_field blob_fields[] = {
    LW_NUM(blob, index, 0, 14), LW_TAIL(blob, data, 16), {0}};
static const struct lw_field status_fields[] = {
    LW_NUM(status, failed, 0, 1), LW_NUM(status, seconds, 8, 24), {0}};
static const struct lw_field old_fields[] = {LW_NUM(old_status, failed, 3, 1), {0}};

static size_t pairs_more(const uint8_t *fixed)
{
    return 5 * (size_t)(fixed[0] & 3);
}

static size_t status_more(const uint8_t *fixed)
{
    return fixed[0] & 1 ? 0 : 3;
}

static const struct lw_command rows[] = {
    {1, LW_UP,   1, 0, 1, 0, "Listing", sizeof(struct listing), pairs_more, listing_fields},
    {2, LW_DOWN, 2, LW_COMMAND_TO_END, 1, 0, "Blob", sizeof(struct blob), NULL, blob_fields},
    {3, LW_UP,   1, 0, 1, 1, "Status", sizeof(struct old_status), NULL, old_fields},
    {3, LW_UP,   1, 0, 2, 0, "Status", sizeof(struct status), status_more, status_fields},
};
static const struct lw_commands table = {rows, 4};
/* clang-format on */

START_TEST(tables_are_sound)
{
    table_is_sound(lw_mac_commands());
    table_is_sound(&table);
}
END_TEST

START_TEST(what_is_read_is_written_the_same)
{
    table_round_trips(lw_mac_commands(), 200);
    table_round_trips(&table, 500);
}
END_TEST

START_TEST(a_version_chooses_the_form)
{
    ck_assert_uint_eq(lw_command_find(&table, LW_UP, 3, 1)->size, sizeof(struct old_status));
    ck_assert_uint_eq(lw_command_find(&table, LW_UP, 3, 2)->size, sizeof(struct status));
    ck_assert_uint_eq(lw_command_find(&table, LW_UP, 3, 7)->size, sizeof(struct status));
    ck_assert_ptr_eq(lw_command_find(&table, LW_UP, 3, 0), &rows[2]); /* any: the first */
    ck_assert_ptr_null(lw_command_find(&table, LW_DOWN, 3, 2));
    ck_assert_ptr_eq(lw_command_by_name(&table, LW_UP, "Status", 2), &rows[3]);
    ck_assert_ptr_null(lw_command_by_name(&table, LW_DOWN, "Status", 2));
}
END_TEST

START_TEST(lists_and_tails)
{
    struct listing listing = {2, {{1, {0x01020304}}, {3, {0xa0b0c0d0}}}}, listing2;
    struct blob blob = {0x1234, {(const uint8_t *)"abc", 3}}, blob2;
    uint8_t room[300];
    char text[64];
    struct wr wr = wr_of(room, sizeof(room));

    lw_command_write(&rows[0], &wr, &listing);
    ck_assert_str_eq(hex_write(text, room, wr_len(&wr)), "0102010403020103d0c0b0a0");
    ck_assert(lw_command_read(&rows[0], (struct bytes){room + 1, 11}, &listing2));
    ck_assert(listing2.count == 2 && listing2.pairs[1].id == 3);
    ck_assert_uint_eq(listing2.pairs[1].addr.v, 0xa0b0c0d0);
    ck_assert(!lw_command_read(&rows[0], (struct bytes){room + 1, 10}, &listing2));
    listing.pairs[1].id = 4; /* no two bits */
    lw_command_write(&rows[0], &wr, &listing);
    ck_assert(wr.failed && wr_len(&wr) == 12);
    wr = wr_of(room, sizeof(room));
    lw_command_write(&rows[1], &wr, &blob);
    ck_assert_str_eq(hex_write(text, room, wr_len(&wr)), "023412616263");
    ck_assert(lw_command_read(&rows[1], (struct bytes){room + 1, 5}, &blob2));
    ck_assert(bytes_equal(blob2.data, blob.data) && blob2.index == 0x1234);
    ck_assert(lw_command_read(&rows[1], (struct bytes){room + 1, 2}, &blob2) && !blob2.data.n);
}
END_TEST

START_TEST(a_tail_is_not_longer_than_a_frame)
{
    static uint8_t octets[LW_COMMAND_MAX], room[300];
    struct blob blob = {0, {octets, LW_COMMAND_MAX - 2}};
    struct wr wr = wr_of(room, sizeof(room));

    lw_command_write(&rows[1], &wr, &blob);
    ck_assert(!wr.failed && wr_len(&wr) == 1 + LW_COMMAND_MAX);
    blob.data.n++;
    wr = wr_of(room, sizeof(room));
    lw_command_write(&rows[1], &wr, &blob);
    ck_assert(wr.failed && wr_len(&wr) == 0);
}
END_TEST

/* Members that are not sent do not count, even such that would not fit. */
START_TEST(a_tail_that_is_not_there)
{
    struct status status = {true, 0x1000000}, back;
    uint8_t room[8];
    struct wr wr = wr_of(room, sizeof(room));

    lw_command_write(&rows[3], &wr, &status);
    ck_assert(!wr.failed && wr_len(&wr) == 2);
    ck_assert(lw_command_read(&rows[3], (struct bytes){room + 1, 1}, &back));
    ck_assert(back.failed && back.seconds == 0);
    status.failed = false;
    lw_command_write(&rows[3], &wr, &status);
    ck_assert(wr.failed && wr_len(&wr) == 2);
}
END_TEST

START_TEST(values_must_fit_their_field)
{
    const struct lw_command *adr = lw_mac_def(LW_DOWN, LW_CID_LINK_ADR);
    const struct lw_command *status = lw_mac_def(LW_UP, LW_CID_DEV_STATUS);
    const struct lw_command *ed = lw_mac_def(LW_UP, LW_CID_NOTIFY_NEW_ED);
    const struct lw_command *list = lw_mac_def(LW_DOWN, LW_CID_UPDATE_UPLINK);
    uint8_t room[32];
    struct bytes whole = {room, sizeof(room)};

    memset(room, 0xff, sizeof(room));
    ck_assert_int_eq(lw_field_put(lw_field(adr, "dr"), room, 4, 16), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(adr, "dr"), room, 4, -1), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(adr, "nb_trans"), room, 3, 1), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(adr, "nb_trans"), room, 4, 1), OK);
    ck_assert_uint_eq(room[3], 0xf1); /* neighbours stay */
    ck_assert_int_eq(lw_field_put(lw_field(status, "margin_db"), room, 2, -33), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(status, "margin_db"), room, 2, 32), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(status, "margin_db"), room, 2, -32), OK);
    ck_assert_int_eq(lw_field_put(lw_field(ed, "wor_snr_db"), room, 6, -21), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(ed, "wor_rssi_dbm"), room, 6, -14), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(ed, "wor_rssi_dbm"), room, 6, -15), OK);
    ck_assert_int_eq(lw_field_get(lw_field(ed, "wor_rssi_dbm"), whole), -15);
    ck_assert_int_eq(lw_field_put(lw_field(ed, "wor_snr_db"), room, 6, INT64_MAX), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(ed, "wor_rssi_dbm"), room, 6, INT64_MAX), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(ed, "wor_rssi_dbm"), room, 6, INT64_MIN), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(lw_field(list, "root_wor_s_key"), room, 26, 0), ERR_INVALID);
    ck_assert_int_eq(lw_field_get(lw_field(adr, "nb_trans"), (struct bytes){room, 3}), 0);
    ck_assert_uint_eq(lw_field_range(lw_field(list, "root_wor_s_key"), whole).n, 16);
    ck_assert_uint_eq(lw_field_range(lw_field(list, "root_wor_s_key"), (struct bytes){room, 25}).n,
                      0);
    ck_assert_uint_eq(lw_field_range(lw_field(&rows[1], "data"), (struct bytes){room, 1}).n, 0);
    ck_assert_ptr_null(lw_field(adr, "nothing"));
    ck_assert_ptr_null(lw_field(lw_mac_def(LW_UP, LW_CID_LINK_CHECK), "nothing"));
}
END_TEST

START_TEST(frequencies)
{
    const struct lw_field *hz = lw_field(lw_mac_def(LW_DOWN, LW_CID_BEACON_FREQ), "frequency_hz");
    uint32_t u24 = 0;
    uint8_t room[3];

    ck_assert_int_eq(lw_hz_to_u24(868100000, &u24), OK);
    ck_assert_uint_eq(u24, 8681000);
    ck_assert_int_eq(lw_hz_to_u24(868100050, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(2410000100, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(4000000000, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(2410000000, &u24), OK);
    ck_assert_uint_eq(lw_hz_of_u24(u24), 2410000000);
    ck_assert_uint_eq(lw_hz_of_u24(0), 0);
    for (u24 = 11999990; u24 < 12000010; u24++) { /* where the unit changes */
        uint32_t back = 0;

        ck_assert_int_eq(lw_hz_to_u24(lw_hz_of_u24(u24), &back), OK);
        ck_assert_uint_eq(back, u24);
    }
    /* in units of 200 Hz these would be read as half of what they are */
    ck_assert_int_eq(lw_hz_to_u24(1200000000, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(2399999800, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_hz_to_u24(0xffffffu * 200u, &u24), OK);
    ck_assert_int_eq(lw_hz_to_u24(0x1000000u * 200u, &u24), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(hz, room, 3, -100), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(hz, room, 3, INT64_C(1) << 32), ERR_INVALID);
    ck_assert_int_eq(lw_field_put(hz, room, 3, 868100000), OK);
    ck_assert_int_eq(lw_field_get(hz, (struct bytes){room, 3}), 868100000);
}
END_TEST

/* ---- what stays on the stack ----------------------------------------------------------------- */

static const struct lw_update_uplink_list_req with_key = {
    .root_wor_s_key = {{0xa5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0x5a}}};

static void *write_key(void *to)
{
    struct wr wr = wr_of(to, LW_MAC_CMD_MAX);

    lw_update_uplink_list_req_write(&wr, &with_key);
    return NULL;
}

START_TEST(a_key_that_was_written_is_left_nowhere_else)
{
    uint8_t room[LW_MAC_CMD_MAX];

    ck_assert(!stack_keeps(write_key, room, with_key.root_wor_s_key.b, 16));
    ck_assert_mem_eq(room + 11, with_key.root_wor_s_key.b, 16);
}
END_TEST

START_TEST(a_stream_ends_where_it_cannot_be_told_how_long)
{
    static const uint8_t stream[] = {1, 1, 2, 0, 0, 0, 0, 3, 1, 9, 9};
    struct lw_cmd_iter iter = {.table = &table, .direction = LW_UP, .version = 2};
    struct lw_cmd cmd;

    iter.stream = (struct bytes){stream, sizeof(stream)};
    ck_assert(lw_cmd_next(&iter, &cmd) && cmd.payload.n == 6);
    ck_assert(lw_cmd_next(&iter, &cmd) && cmd.payload.n == 1);
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_UNKNOWN && iter.at == 9);
    iter.at = 0;
    iter.stream.n = 9;
    ck_assert(lw_cmd_next(&iter, &cmd) && lw_cmd_next(&iter, &cmd));
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_END);
    iter.at = 0;
    iter.stream.n = 6;
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_TRUNCATED && iter.at == 0);
    iter.stream.n = 1;
    ck_assert(!lw_cmd_next(&iter, &cmd) && iter.stop == LW_CMD_TRUNCATED);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {tables_are_sound,
                                  what_is_read_is_written_the_same,
                                  a_version_chooses_the_form,
                                  lists_and_tails,
                                  a_tail_is_not_longer_than_a_frame,
                                  a_tail_that_is_not_there,
                                  values_must_fit_their_field,
                                  frequencies,
                                  a_key_that_was_written_is_left_nowhere_else,
                                  a_stream_ends_where_it_cannot_be_told_how_long,
                                  NULL};

    return run_suite(suite_of("lorawan_command", tests));
}
