/* The packages: tables, ports, payloads of one and of several packages, and what they say. */
#include "package/certification.h"
#include "package/clock_sync.h"
#include "package/firmware.h"
#include "package/fragmentation.h"
#include "package/multi_package.h"
#include "package/multicast_setup.h"
#include "package/package.h"
#include "tests/command_table.h"

static const enum pkg_id ids[] = {PKG_MULTI_PACKAGE, PKG_CLOCK_SYNC, PKG_MULTICAST_SETUP,
                                  PKG_FRAGMENTATION, PKG_FIRMWARE,   PKG_CERTIFICATION};
#define IDS (sizeof(ids) / sizeof(ids[0]))

START_TEST(every_package_is_found)
{
    static const int ports[] = {225, 202, 200, 201, 203, 224};

    for (size_t i = 0; i < IDS; i++) {
        ck_assert_uint_eq(pkg_by_id(ids[i])->port, ports[i]);
        ck_assert_ptr_eq(pkg_by_port(ports[i]), pkg_by_id(ids[i]));
    }
    ck_assert_ptr_null(pkg_by_id(5));
    ck_assert_ptr_null(pkg_by_port(1));
    ck_assert_ptr_null(pkg_by_port(-1));
}
END_TEST

START_TEST(tables_are_sound)
{
    for (size_t i = 0; i < IDS; i++) {
        const struct lw_commands *commands = pkg_by_id(ids[i])->commands;

        table_is_sound(commands);
        ck_assert_str_eq(commands->rows[0].name, "PackageVersionAns");
        for (size_t k = 0; k < commands->count; k++) /* bit 7 names a package (TS007) */
            ck_assert_uint_lt(commands->rows[k].cid, 0x80);
    }
}
END_TEST

START_TEST(what_is_read_is_written_the_same)
{
    for (size_t i = 0; i < IDS; i++)
        table_round_trips(pkg_by_id(ids[i])->commands, 100);
}
END_TEST

/* Which bits mean something, by the specification; of commands with reserved bits. */
START_TEST(fields_cover_what_is_not_reserved)
{
    static const struct {
        uint8_t package, version, direction;
        const char *name, *bits;
    } known[] = {
        {PKG_CLOCK_SYNC, 1, LW_UP, "AppTimeReq", "ffffffff1f"},
        {PKG_CLOCK_SYNC, 1, LW_DOWN, "AppTimeAns", "ffffffff0f"},
        {PKG_CLOCK_SYNC, 1, LW_UP, "DeviceAppTimePeriodicityAns", "01ffffffff"},
        {PKG_CLOCK_SYNC, 1, LW_DOWN, "DeviceAppTimePeriodicityReq", "0f"},
        {PKG_CLOCK_SYNC, 1, LW_DOWN, "ForceDeviceResyncReq", "07"},
        {PKG_CLOCK_SYNC, 2, LW_DOWN, "ForceDeviceResyncCmd", "07"},
        {PKG_MULTICAST_SETUP, 1, LW_DOWN, "McGroupStatusReq", "0f"},
        {PKG_MULTICAST_SETUP, 1, LW_UP, "McGroupStatusAns", "7f"},
        {PKG_MULTICAST_SETUP, 1, LW_DOWN, "McGroupSetupReq",
         "03ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
        {PKG_MULTICAST_SETUP, 1, LW_UP, "McGroupSetupAns", "07"},
        {PKG_MULTICAST_SETUP, 1, LW_DOWN, "McGroupDeleteReq", "03"},
        {PKG_MULTICAST_SETUP, 1, LW_UP, "McGroupDeleteAns", "07"},
        {PKG_MULTICAST_SETUP, 1, LW_DOWN, "McClassCSessionReq", "03ffffffff0fffffffff"},
        {PKG_MULTICAST_SETUP, 1, LW_DOWN, "McClassBSessionReq", "03ffffffff7fffffffff"},
        {PKG_MULTICAST_SETUP, 1, LW_UP, "McClassCSessionAns", "1f"},
        {PKG_MULTICAST_SETUP, 2, LW_UP, "McClassCSessionAns", "3f"},
        {PKG_MULTICAST_SETUP, 1, LW_UP, "McClassBSessionAns", "1f"},
        {PKG_MULTICAST_SETUP, 2, LW_UP, "McClassBSessionAns", "3f"},
        {PKG_FRAGMENTATION, 1, LW_DOWN, "FragSessionStatusReq", "07"},
        {PKG_FRAGMENTATION, 1, LW_UP, "FragSessionStatusAns", "ffffff01"},
        {PKG_FRAGMENTATION, 2, LW_UP, "FragSessionStatusAns", "07ffffff"},
        {PKG_FRAGMENTATION, 1, LW_DOWN, "FragSessionSetupReq", "3fffffff3fffffffffff"},
        {PKG_FRAGMENTATION, 2, LW_DOWN, "FragSessionSetupReq", "3fffffff7fffffffffffffffffffffff"},
        {PKG_FRAGMENTATION, 1, LW_UP, "FragSessionSetupAns", "cf"},
        {PKG_FRAGMENTATION, 2, LW_UP, "FragSessionSetupAns", "df"},
        {PKG_FRAGMENTATION, 1, LW_DOWN, "FragSessionDeleteReq", "03"},
        {PKG_FRAGMENTATION, 1, LW_UP, "FragSessionDeleteAns", "07"},
        {PKG_FRAGMENTATION, 2, LW_UP, "FragDataBlockReceivedReq", "07"},
        {PKG_FRAGMENTATION, 2, LW_DOWN, "FragDataBlockReceivedAns", "03"},
        {PKG_FRAGMENTATION, 1, LW_DOWN, "DataFragment", "ffff"},
        {PKG_MULTI_PACKAGE, 1, LW_UP, "DevPackageAns", "07"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct lw_command *def = lw_command_by_name(pkg_by_id(known[i].package)->commands,
                                                          (enum lw_direction)known[i].direction,
                                                          known[i].name, known[i].version);
        uint8_t bits[LW_COMMAND_MAX] = {0};
        char text[2 * LW_COMMAND_MAX + 1];

        ck_assert_msg(def != NULL, "%s", known[i].name);
        for (const struct lw_field *field = def->fields; field->name; field++) {
            for (unsigned bit = field->bit; bit < (unsigned)field->bit + field->width; bit++)
                bits[bit / 8] |= (uint8_t)(1 << bit % 8);
        }
        ck_assert_str_eq(hex_write(text, bits, def->length), known[i].bits);
    }
}
END_TEST

START_TEST(a_version_has_its_commands)
{
    struct pkg_frag_received_req whole = {2, true}, back;
    struct pkg_mc_session_ans missed = {.group = 1, .start_missed = true, .time_to_start_s = 9};
    uint8_t room[8];
    struct wr wr = wr_of(room, sizeof(room));
    char text[20];

    pkg_frag_received_req_write(&wr, 1, &whole);
    ck_assert(wr.failed && wr_len(&wr) == 0);
    wr = wr_of(room, sizeof(room));
    pkg_frag_received_req_write(&wr, 2, &whole);
    ck_assert_str_eq(hex_write(text, room, wr_len(&wr)), "0406");
    ck_assert(pkg_frag_received_req_read((struct bytes){room + 1, 1}, 2, &back));
    ck_assert(back.index == 2 && back.mic_error);
    ck_assert(!pkg_frag_received_req_read((struct bytes){room + 1, 1}, 1, &back));
    ck_assert(!pkg_frag_received_req_read((struct bytes){room + 1, 0}, 2, &back));
    wr = wr_of(room, sizeof(room)); /* version 1 has no such error: the time is sent */
    pkg_mc_class_c_session_ans_write(&wr, 1, &missed);
    ck_assert_str_eq(hex_write(text, room, wr_len(&wr)), "0401090000");
    wr = wr_of(room, sizeof(room));
    pkg_mc_class_c_session_ans_write(&wr, 2, &missed);
    ck_assert_str_eq(hex_write(text, room, wr_len(&wr)), "0421");
}
END_TEST

START_TEST(commands_without_payload)
{
    uint8_t room[8];
    struct wr wr = wr_of(room, sizeof(room));

    pkg_bare_write(&wr, &pkg_firmware, LW_DOWN, PKG_CID_DEV_VERSION, 1);
    pkg_bare_write(&wr, &pkg_clock_sync, LW_DOWN, 0, 2);
    ck_assert(!wr.failed && wr_len(&wr) == 2 && room[0] == 1 && room[1] == 0);
    pkg_bare_write(&wr, &pkg_firmware, LW_UP, PKG_CID_DEV_VERSION, 1);
    ck_assert(wr.failed); /* its answer has one */
    wr = wr_of(room, sizeof(room));
    pkg_bare_write(&wr, &pkg_firmware, LW_DOWN, 0x55, 1);
    ck_assert(wr.failed);
}
END_TEST

START_TEST(several_commands_of_one_package)
{
    static const uint8_t payload[] = {0x00, 2, 2, 0x02, 0x06, 0x01, 0x10};
    struct pkg_iter iter =
        pkg_iter_of(pkg_by_port(200), 2, (struct bytes){payload, sizeof(payload)}, LW_UP);
    struct lw_cmd cmd;

    ck_assert(pkg_next(&iter, &cmd) && !strcmp(cmd.def->name, "PackageVersionAns"));
    ck_assert(pkg_next(&iter, &cmd) && !strcmp(cmd.def->name, "McGroupSetupAns"));
    ck_assert(pkg_next(&iter, &cmd) && !strcmp(cmd.def->name, "McGroupStatusAns"));
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_END);
    ck_assert_uint_eq(iter.pkg->id, PKG_MULTICAST_SETUP);
    /* outside the multi-package port an octet with bit 7 is an unknown command */
    iter = pkg_iter_of(pkg_by_port(200), 2, (struct bytes){(const uint8_t *)"\x81\x03", 2}, LW_UP);
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_UNKNOWN);
}
END_TEST

START_TEST(several_packages_in_a_payload)
{
    /* DevPackageAns; clock: AppTimeReq; firmware and again: DevUpgradeImageAns; the token */
    static const uint8_t payload[] = {0x01, 0x01, 1,    2,    202,  0x81, 0x01, 1, 2, 3,   4,
                                      0x15, 0x82, 0x84, 0x04, 0x03, 9,    0,    0, 0, 0x77};
    struct pkg_iter iter =
        pkg_iter_of(pkg_by_port(225), 1, (struct bytes){payload, sizeof(payload)}, LW_UP);
    struct pkg_dev_upgrade_image_ans image;
    struct pkg_dev_package_ans packages;
    struct pkg_app_time_req time;
    struct lw_cmd cmd;

    ck_assert_uint_eq(iter.token, 0x77);
    ck_assert(pkg_next(&iter, &cmd) && pkg_dev_package_ans_read(cmd.payload, 1, &packages));
    ck_assert(packages.count == 1 && packages.list[0].port == 202 && packages.list[0].version == 2);
    ck_assert(pkg_next(&iter, &cmd) && iter.pkg->id == PKG_CLOCK_SYNC);
    ck_assert(pkg_app_time_req_read(cmd.payload, 2, &time) && time.device_time == 0x04030201);
    ck_assert(time.token == 5 && time.ans_required);
    ck_assert(pkg_next(&iter, &cmd) && iter.pkg->id == PKG_FIRMWARE);
    ck_assert(pkg_dev_upgrade_image_ans_read(cmd.payload, 1, &image) && image.next_firmware == 9);
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_END);
}
END_TEST

/* What the server asks of several packages in one downlink. */
START_TEST(several_packages_are_asked_at_once)
{
    const struct pkg_force_resync resync = {3};
    uint8_t room[8];
    struct wr wr = wr_of(room, sizeof(room));
    struct pkg_iter iter;
    struct lw_cmd cmd;

    pkg_bare_write(&wr, &pkg_multi_package, LW_DOWN, PKG_CID_DEV_PACKAGE, 1);
    pkg_mark_write(&wr, PKG_CLOCK_SYNC);
    pkg_force_resync_write(&wr, 2, &resync);
    pkg_mark_write(&wr, PKG_FIRMWARE);
    pkg_bare_write(&wr, &pkg_firmware, LW_DOWN, PKG_CID_DEV_VERSION, 1);
    wr_u8(&wr, 0x42); /* the token */
    ck_assert(!wr.failed);
    ck_assert_mem_eq(room, "\x01\x81\x03\x03\x84\x01\x42", 7);
    iter = pkg_iter_of(pkg_by_port(225), 1, wr_bytes(&wr), LW_DOWN);
    ck_assert(pkg_next(&iter, &cmd) && iter.pkg->id == PKG_MULTI_PACKAGE);
    ck_assert(pkg_next(&iter, &cmd) && iter.pkg->id == PKG_CLOCK_SYNC);
    ck_assert(pkg_next(&iter, &cmd) && iter.pkg->id == PKG_FIRMWARE);
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_END);
    ck_assert_uint_eq(iter.token, 0x42);
    pkg_mark_write(&wr, 5); /* there is none */
    ck_assert(wr.failed);
}
END_TEST

START_TEST(a_payload_of_several_packages_that_makes_no_sense)
{
    static const uint8_t unknown[] = {0x81, 0x8f, 0x01, 0}, named_last[] = {0x82, 1};
    struct pkg_iter iter =
        pkg_iter_of(pkg_by_port(225), 1, (struct bytes){unknown, sizeof(unknown)}, LW_UP);
    struct lw_cmd cmd;

    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_UNKNOWN);
    ck_assert_uint_eq(iter.commands.at, 1);
    iter = pkg_iter_of(pkg_by_port(225), 1, (struct bytes){named_last, 2}, LW_UP);
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_END);
    iter = pkg_iter_of(pkg_by_port(225), 1, (struct bytes){NULL, 0}, LW_UP);
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_END && iter.token == 0);
}
END_TEST

/* The newest form of a command of another package, and the whole of an id. */
START_TEST(packages_within_one_have_their_newest_form)
{
    static const uint8_t status[] = {0x83, 0x01, 0x04, 1, 0, 0, 0x77},
                         high[] = {0x92, 0x00, 1, 1, 0};
    struct pkg_iter iter =
        pkg_iter_of(pkg_by_port(225), 1, (struct bytes){status, sizeof(status)}, LW_UP);
    struct lw_cmd cmd;

    ck_assert(pkg_next(&iter, &cmd) && cmd.def->since == 2 && iter.pkg->id == PKG_FRAGMENTATION);
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_END);
    iter = pkg_iter_of(pkg_by_port(225), 1, (struct bytes){high, sizeof(high)}, LW_UP);
    ck_assert(!pkg_next(&iter, &cmd) && iter.commands.stop == LW_CMD_UNKNOWN);
}
END_TEST

/* Where each field stands that says one thing alone; the others of its command are 0. */
START_TEST(each_bit_has_its_place)
{
    static const struct {
        uint8_t port, version;
        enum lw_direction direction;
        const char *payload, *field;
        int64_t value;
    } rows[] = {
        {200, 1, LW_UP, "0204", "id_error", 1},
        {200, 1, LW_UP, "0304", "undefined", 1},
        {200, 1, LW_UP, "0404", "dr_error", 1},
        {200, 1, LW_UP, "0408", "frequency_error", 1},
        {200, 1, LW_UP, "0410", "undefined", 1},
        {200, 2, LW_UP, "0504", "dr_error", 1},
        {200, 2, LW_UP, "0508", "frequency_error", 1},
        {200, 2, LW_UP, "0510", "undefined", 1},
        {200, 2, LW_UP, "0520", "start_missed", 1},
        {201, 1, LW_UP, "0100000001", "memory_error", 1},
        {201, 2, LW_UP, "0101000000", "memory_error", 1},
        {201, 2, LW_UP, "0102000000", "mic_error", 1},
        {201, 2, LW_UP, "0104000000", "no_session", 1},
        {201, 1, LW_DOWN, "0101", "participants", 1},
        {201, 1, LW_DOWN, "0106", "index", 3},
        {201, 1, LW_UP, "0201", "algorithm_unsupported", 1},
        {201, 1, LW_UP, "0202", "no_memory", 1},
        {201, 2, LW_UP, "0204", "index_unsupported", 1},
        {201, 2, LW_UP, "0208", "wrong_descriptor", 1},
        {201, 2, LW_UP, "0210", "session_cnt_replay", 1},
        {201, 2, LW_UP, "02c0", "index", 3},
        {201, 1, LW_UP, "0304", "no_session", 1},
        {201, 2, LW_UP, "0404", "mic_error", 1},
        {202, 2, LW_UP, "020100000000", "not_supported", 1},
        {225, 1, LW_DOWN, "02070000", "start", 7},
        {225, 1, LW_DOWN, "02000700", "stop", 7},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t room[16];
        size_t n = hex_read_any(room, sizeof(room), rows[i].payload, strlen(rows[i].payload));
        struct pkg_iter iter = pkg_iter_of(pkg_by_port(rows[i].port), rows[i].version,
                                           (struct bytes){room, n}, rows[i].direction);
        struct lw_cmd cmd;

        ck_assert_msg(pkg_next(&iter, &cmd), "%s", rows[i].payload);
        ck_assert_ptr_nonnull(lw_field(cmd.def, rows[i].field));
        for (const struct lw_field *field = cmd.def->fields; field->name; field++)
            ck_assert_msg(lw_field_get(field, cmd.payload) ==
                              (strcmp(field->name, rows[i].field) ? 0 : rows[i].value),
                          "%s: %s", rows[i].payload, field->name);
    }
}
END_TEST

START_TEST(as_many_octets_as_the_first_says)
{
    struct pkg_mc_group_status_ans groups;
    struct pkg_dev_package_ans packages;
    struct pkg_dev_upgrade_image_ans image;
    uint8_t room[32] = {0x48, 3, 1};

    ck_assert(pkg_mc_group_status_ans_read((struct bytes){room, 6}, 2, &groups));
    ck_assert(groups.list[0].group == 3 && groups.list[0].mc_addr.v == 1);
    ck_assert(!pkg_mc_group_status_ans_read((struct bytes){room, 5}, 2, &groups));
    room[0] = PKG_DEV_PACKAGES;
    ck_assert(pkg_dev_package_ans_read((struct bytes){room, 22}, 1, &packages));
    ck_assert_uint_eq(packages.count, 7);
    ck_assert(!pkg_dev_package_ans_read((struct bytes){room, 21}, 1, &packages));
    for (room[0] = 0; room[0] < 8; room[0]++)
        ck_assert_int_eq(pkg_dev_upgrade_image_ans_read((struct bytes){room, 1}, 1, &image),
                         room[0] != PKG_IMAGE_VALID);
}
END_TEST

START_TEST(answers_to_a_clock)
{
    struct pkg_app_time_req req = {.device_time = 1000, .token = 7};
    struct pkg_app_time_ans ans;

    ck_assert(!pkg_app_time_answer(&req, 1000, &ans));
    req.ans_required = true;
    ck_assert(pkg_app_time_answer(&req, 1000, &ans) && ans.correction_s == 0 && ans.token == 7);
    req.ans_required = false;
    ck_assert(pkg_app_time_answer(&req, 990, &ans) && ans.correction_s == -10);
    req.device_time = 0;
    ck_assert(pkg_app_time_answer(&req, INT64_C(4000000000), &ans));
    ck_assert_int_eq(ans.correction_s, INT32_MAX);
    req.device_time = 0xffffffff;
    ck_assert(pkg_app_time_answer(&req, 5, &ans) && ans.correction_s == INT32_MIN);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {every_package_is_found,
                                  tables_are_sound,
                                  what_is_read_is_written_the_same,
                                  fields_cover_what_is_not_reserved,
                                  a_version_has_its_commands,
                                  commands_without_payload,
                                  several_commands_of_one_package,
                                  several_packages_in_a_payload,
                                  several_packages_are_asked_at_once,
                                  a_payload_of_several_packages_that_makes_no_sense,
                                  packages_within_one_have_their_newest_form,
                                  each_bit_has_its_place,
                                  as_many_octets_as_the_first_says,
                                  answers_to_a_clock,
                                  NULL};

    return run_suite(suite_of("package_package", tests));
}
