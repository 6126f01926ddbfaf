/* Messages that are made to mislead: each reads as nothing else than it says, or not at all. */
#include "core/clock.h"
#include "region/region.h"
#include "roaming/profile.h"
#include "roaming/radio.h"
#include "tests/roaming_stable.h"
#include "tests/unit/roaming.h"

#define PHY "'PHYPayload':'80ffca14e08002000af049850ceef45feb'"
#define UL                                                                                         \
    "'ULMetaData':{'DevAddr':'e014caff','DevEUI':'a0b1c2d3e4f50001','DataRate':5,"                 \
    "'ULFreq':868.5,'RecvTime':'2026-03-01T12:00:00Z','RFRegion':'EU868','GWInfo':[%s]}"

/* Behind a NUL a text goes on, though not in C. */
START_TEST(names_do_not_end_at_a_nul)
{
    struct roam_message m;

    ck_assert_int_eq(read_text(text_of("ProfileReq\\u0000x", "'DevEUI':'a0b1c2d3e4f50001'"), &m),
                     ERR_INVALID);
    ck_assert_int_eq(m.header.type, ROAM_TYPE_UNKNOWN);
    ck_assert_int_eq(
        read_text(text_of("ProfileAns", "'RoamingActivationType':'Passive\\u0000'"), &m),
        ERR_INVALID);
    m = read_good("PRStopAns", "'Result':{'ResultCode':'Success\\u0000'}");
    ck_assert_int_eq(m.header.result.code, ROAM_OTHER);
    m = read_good("XmitDataReq", "'ULMetaData':{'RFRegion':'US902\\u0000'}");
    ck_assert(!roam_has(&m.xmit_data_req.ul, ROAM_UL_RF_REGION));
}
END_TEST

/* One member under two names: the first that makes sense, and never one without its value. */
START_TEST(nonsense_under_another_name_takes_nothing_away)
{
    static const char *const ids[] = {
        "{'ID':'e5f60708','GWID':'zz'}", "{'ID':'e5f60708','GWID':'0102030405060708'}",
        "{'GWID':'zz','ID':'e5f60708'}", "{'ID':'e5f60708','GWID':''}",
        "{'ID':'zz','GWID':'e5f60708'}",
    };

    for (size_t i = 0; i < 5; i++) {
        struct roam_message m = read_good("PRStartReq", arena_printf(&arena, PHY "," UL, ids[i]));
        const struct roam_gw_info *gw = m.pr_start_req.ul.gw_info.p;

        ck_assert_msg(roam_has(gw, ROAM_GW_ID) && gw->id.n == 4, "%s", ids[i]);
        roaming_check_stable(&m, &arena);
    }
}
END_TEST

/* The last moment that nanoseconds can tell is in 2262. */
START_TEST(times_fit_into_nanoseconds)
{
    static const char *const bad[] = {"2262-04-11T23:47:16Z", "9999-12-31T23:59:59Z"};
    struct roam_message m =
        read_good("PRStartReq", PHY ",'ULMetaData':{'RecvTime':'2262-04-11T23:47:15.999999Z',"
                                    "'GWInfo':[{'FineRecvTime':999999999},{}]}");
    const struct roam_gw_info *gw = m.pr_start_req.ul.gw_info.p;

    ck_assert_int_eq(roam_recv_time_ns(&m.pr_start_req.ul, &gw[0]), 9223372035999999999);
    ck_assert_int_eq(roam_recv_time_ns(&m.pr_start_req.ul, &gw[1]), 9223372035999999000);
    for (size_t i = 0; i < 2; i++) {
        const char *members = arena_printf(&arena, PHY ",'ULMetaData':{'RecvTime':'%s'}", bad[i]);

        ck_assert_int_eq(read_text(text_of("PRStartReq", members), &m), ERR_INVALID);
        ck_assert_str_eq(fault.description,
                         "ULMetaData.RecvTime must lie between 1970 and 2262-04-11");
    }
}
END_TEST

/* A peer whose clock is wrong must not set that of a device. */
START_TEST(clocks_that_are_wrong_are_not_passed_on)
{
    struct roam_ul_meta_data ul = {.recv_time_us = 1};
    int64_t now = INT64_C(1772366400) * US_PER_S;

    ck_assert_int_eq(roam_uplink_time_us(&ul, now, 200), now - 100);
    ul.recv_time_us = now - 10 * (int64_t)US_PER_S + 1;
    ck_assert_int_eq(roam_uplink_time_us(&ul, now, 200), ul.recv_time_us);
    ul.recv_time_us -= 2;
    ck_assert_int_eq(roam_uplink_time_us(&ul, now, 200), now - 100);
    ul.recv_time_us = now + 10 * (int64_t)US_PER_S - 1;
    ck_assert_int_eq(roam_uplink_time_us(&ul, now, 200), ul.recv_time_us);
    ul.recv_time_us += 2;
    ck_assert_int_eq(roam_uplink_time_us(&ul, now, 200), now - 100);
}
END_TEST

#define JOIN                                                                                       \
    "'MACVersion':'1.1','DevAddr':'e0140b0b','DLSettings':'80','RxDelay':0,'CFList':'%s',"         \
    "'DevEUI':'a0b1c2d3e4f50002','DeviceProfileTimestamp':'2026-03-01T12:00:00Z'," UL
static enum err with_cf_list(const char *type, const char *phy, size_t octets)
{
    struct roam_message m;
    const char *zeros = arena_printf(&arena, "%0*d", (int)(2 * octets), 0);
    const char *members = arena_printf(&arena, JOIN ",'PHYPayload':'%s'", zeros, "", phy);

    ck_assert_int_eq(read_text(text_of(type, members), &m), OK);
    return roam_validate(&m, ROAM_RECEIVED, &arena, &fault);
}

START_TEST(channel_lists_are_whole)
{
    static const struct {
        const char *type, *phy;
    } rows[] = {
        {"JoinReq", "00efcdab89674523010200f5e4d3c2b1a0030063258517"},
        {"RejoinReq", "c0000a00600200f5e4d3c2b1a001003fddc98c"},
        {"HRStartReq", "c0000a00600200f5e4d3c2b1a001003fddc98c"},
    };

    for (size_t i = 0; i < 3; i++) {
        ck_assert_msg(with_cf_list(rows[i].type, rows[i].phy, 16) == OK, "%s", fault.description);
        ck_assert_int_eq(with_cf_list(rows[i].type, rows[i].phy, 15), ERR_INVALID);
        ck_assert_int_eq(fault.code, ROAM_FRAME_SIZE_ERROR);
        ck_assert_str_eq(fault.description, "CFList has 15 octets");
    }
}
END_TEST

START_TEST(versions_agree_with_opt_neg)
{
    static const struct {
        uint8_t version, dl_settings;
        bool good;
    } rows[] = {
        {LW_1_0_0, 0x00, true},  {LW_1_0_4, 0x7f, true}, {LW_1_0_4, 0x80, false},
        {LW_1_1_0, 0x7f, false}, {LW_1_1_0, 0x80, true}, {LW_1_1_0, 0xff, true},
    };
    static const char *const types[] = {"JoinReq", "RejoinReq", "HRStartReq"};

    for (size_t i = 0; i < 18; i++) {
        const char *phy = i % 3 ? "c0000a00600200f5e4d3c2b1a001003fddc98c"
                                : "00efcdab89674523010200f5e4d3c2b1a0030063258517";
        struct roam_message m =
            read_good(types[i % 3], arena_printf(&arena, JOIN ",'PHYPayload':'%s'", "", "", phy));
        uint8_t version = rows[i / 3].version, dl_settings = rows[i / 3].dl_settings;

        if (i % 3 < 2) {
            m.join_req.mac_version = version;
            m.join_req.dl_settings = dl_settings;
        } else {
            m.hr_start_req.mac_version = version;
            m.hr_start_req.dl_settings = dl_settings;
        }
        ck_assert_msg((roam_validate(&m, ROAM_RECEIVED, &arena, &fault) == OK) == rows[i / 3].good,
                      "%zu: %s", i, fault.description);
        if (!rows[i / 3].good)
            ck_assert_str_eq(fault.description, "MACVersion and OptNeg of DLSettings disagree");
    }
}
END_TEST

/* ChirpStack always gets a list of gateways: then it is an empty one. */
START_TEST(what_is_not_reported_is_in_no_dialect)
{
    struct roam_message m = read_good(
        "XmitDataReq", arena_printf(&arena, "'FRMPayload':'e2'," UL, "{'ID':'e5f60708'}"));
    struct roam_service_profile sp = {0};

    roam_report(&sp, &m.xmit_data_req.ul);
    ck_has(print_as(&m, ROAM_CHIRPSTACK), "'GWInfo':[]");
    ck_lacks(print_as(&m, ROAM_CHIRPSTACK), "e5f60708");
}
END_TEST

START_TEST(nobody_sends_and_nobody_receives)
{
    struct roam_message m;

    roam_message_init(&m, ROAM_1_0, ROAM_PROFILE_REQ, 7);
    m.profile_req.dev_eui.v = 1;
    roam_put(&m.profile_req, ROAM_PROFILE_REQ_DEV_EUI);
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), ERR_INVALID);
    ck_assert_str_eq(fault.description, "SenderID is missing");
    m.header.sender = roam_id_of_net_id((struct lw_net_id){0x60000a});
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), ERR_INVALID);
    ck_assert_str_eq(fault.description, "ReceiverID is missing");
    m.header.receiver = roam_id_of_net_id((struct lw_net_id){0xc00123});
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), OK);
}
END_TEST

/* Who asked without a name is told so without one. */
START_TEST(nobody_is_answered)
{
    const char *text = "{'ProtocolVersion':'1.0','SenderID':'','ReceiverID':'60000a',"
                       "'TransactionID':7,'MessageType':'PRStopReq','DevEUI':'a0b1c2d3e4f50001'}";
    struct roam_message m, answer;

    ck_assert_int_eq(read_text(quoted(text), &m), OK);
    ck_assert_int_eq(m.header.sender.kind, ROAM_ID_NONE);
    roam_answer_init(&answer, &m, (struct roam_fault){ROAM_UNKNOWN_SENDER, NULL});
    ck_assert_int_eq(roam_validate(&answer, ROAM_SENT, &arena, &fault), OK);
}
END_TEST

START_TEST(handovers_name_the_device)
{
    struct roam_message m = read_good(
        "HRStartReq",
        arena_printf(&arena, JOIN ",'PHYPayload':'c0000a00600200f5e4d3c2b1a001003fddc98c'",
                     "184f84e85684b85e84886684586e8400", ""));

    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), OK);
    m.hr_start_req.ul.has &= ~ROAM_BIT(ROAM_UL_DEV_EUI);
    ck_assert_int_eq(roam_validate(&m, ROAM_RECEIVED, &arena, &fault), OK);
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), ERR_INVALID);
    ck_assert_str_eq(fault.description, "ULMetaData.DevEUI is missing");
}
END_TEST

START_TEST(old_region_names_in_either_case)
{
    static const struct {
        const char *text;
        enum region_id id;
    } rows[] = {{"us902", REGION_US915},
                {"CHINA779", REGION_CN779},
                {"australia915", REGION_AU915},
                {"china470", REGION_CN470}};

    for (size_t i = 0; i < 4; i++) {
        struct roam_message m = read_good(
            "XmitDataReq", arena_printf(&arena, "'ULMetaData':{'RFRegion':'%s'}", rows[i].text));

        ck_assert(roam_has(&m.xmit_data_req.ul, ROAM_UL_RF_REGION));
        ck_assert_int_eq(m.xmit_data_req.ul.rf_region, rows[i].id);
    }
}
END_TEST

START_TEST(class_b_is_of_1_1)
{
    struct roam_message m = read_good(
        "XmitDataReq", PHY ",'DLMetaData':{'ClassMode':'B','DLFreq2':869.525,'DataRate2':3}");

    ck_assert_int_eq(roam_validate(&m, ROAM_RECEIVED, &arena, &fault), OK);
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), ERR_INVALID);
    ck_assert_str_eq(fault.description, "DLMetaData.ClassMode B needs protocol version 1.1");
    m.header.protocol_version = "1.1";
    roam_put(&m.header, ROAM_HEADER_SENDER_NSID);
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), OK);
}
END_TEST

START_TEST(data_rates_have_four_bits)
{
    struct roam_message m = read_good("XmitDataReq", "'ULMetaData':{'DataRate':15}");

    ck_assert_uint_eq(m.xmit_data_req.ul.data_rate, 15);
    ck_assert_int_eq(read_text(text_of("XmitDataReq", "'ULMetaData':{'DataRate':16}"), &m),
                     ERR_INVALID);
}
END_TEST

START_TEST(numbers_at_the_edge)
{
    static const struct {
        const char *text;
        bool good;
        uint32_t v;
    } rows[] = {
        {"-0", true, 0},
        {"-0.0", true, 0},
        {"0e99", true, 0},
        {"4294967295e0", true, UINT32_MAX},
        {"42949672950e-1", true, UINT32_MAX},
        {"4294967296e0", false, 0},
        {"1e400", false, 0},
        {"-1e-400", true, 0},
        {"1e-400", true, 0},
        {"18446744073709551616", false, 0},
        {"-1", false, 0},
        {"1e19", false, 0},
        {"01", false, 0},
        {"0x10", false, 0},
        {"NaN", false, 0},
        {"true", false, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct roam_message m;
        enum err err = read_text(
            text_of("HRStopReq", arena_printf(&arena, "'Lifetime':%s", rows[i].text)), &m);

        ck_assert_msg((err == OK) == rows[i].good, "%s", rows[i].text);
        ck_assert(err || m.hr_stop_req.lifetime_s == rows[i].v);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        names_do_not_end_at_a_nul,
        nonsense_under_another_name_takes_nothing_away,
        times_fit_into_nanoseconds,
        clocks_that_are_wrong_are_not_passed_on,
        channel_lists_are_whole,
        versions_agree_with_opt_neg,
        what_is_not_reported_is_in_no_dialect,
        nobody_sends_and_nobody_receives,
        nobody_is_answered,
        handovers_name_the_device,
        old_region_names_in_either_case,
        class_b_is_of_1_1,
        data_rates_have_four_bits,
        numbers_at_the_edge,
        NULL,
    };
    int status;

    arena_init(&arena, 64u << 20);
    status = run_suite(suite_of("roaming/hostile", tests));
    arena_reset(&arena);
    return status;
}
