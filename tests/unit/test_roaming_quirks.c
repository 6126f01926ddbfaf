/* What other servers do differently, one test each: read it all; tell each what it wants to hear.
 * Within metadata and profiles: test_roaming_quirks_objects.c. */
#include "tests/unit/roaming_quirk.h"

/* ---- header --------------------------------------------------------------------------------- */

START_TEST(version_with_three_parts)
{
    ck_assert_int_eq(roam_version_of("1.0.0"), ROAM_1_0);
    ck_assert_int_eq(roam_version_of("1.1.0"), ROAM_1_1);
    ck_assert_int_eq(roam_version_of("1.0"), ROAM_1_0);
    ck_assert_int_eq(roam_version_of("1.1"), ROAM_1_1);
    ck_assert_int_eq(roam_version_of("2.0"), ROAM_VERSION_UNKNOWN);
    ck_assert_int_eq(roam_version_of(NULL), ROAM_VERSION_UNKNOWN);
    ck_assert_str_eq(roam_version_text(ROAM_1_0), "1.0");
    ck_assert_str_eq(roam_version_text(ROAM_VERSION_UNKNOWN), "1.1");
}
END_TEST

/* Of Helium: once empty, once missing, once sent with 1.0. */
START_TEST(sender_nsid_in_1_0_is_taken)
{
    struct roam_message m =
        good("HomeNSReq", "'DevEUI':'a0b1c2d3e4f50001','SenderNSID':'70b3d5ffff000001'");

    ck_assert(roam_has(&m.header, ROAM_HEADER_SENDER_NSID));
    ck_assert_uint_eq(m.header.sender_nsid.v, 0x70b3d5ffff000001);
    ck_lacks(print_as(&m, ROAM_STANDARD), "NSID");
}
END_TEST

START_TEST(sender_nsid_missing_or_empty_in_1_1_is_taken)
{
    struct roam_message m;
    const char *text = "{'ProtocolVersion':'1.1','SenderID':'c00123','ReceiverID':'60000a',"
                       "'TransactionID':0,'MessageType':'HomeNSReq','SenderNSID':'',"
                       "'DevEUI':'a0b1c2d3e4f50001'}";

    ck_assert_int_eq(read_text(quoted(text), &m), OK);
    ck_assert_int_eq(roam_validate(&m, ROAM_RECEIVED, &arena, &fault), OK);
    ck_assert(!roam_has(&m.header, ROAM_HEADER_SENDER_NSID));
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), ERR_INVALID);
    ck_assert_str_eq(fault.description, "SenderNSID is missing");
}
END_TEST

#define NUMBERED                                                                                   \
    "{'ProtocolVersion':'1.0','SenderID':'c00123','ReceiverID':'60000a',"                          \
    "'TransactionID':%s,'MessageType':'ProfileReq','DevEUI':'a0b1c2d3e4f50001'}"
START_TEST(transaction_id_0_is_there)
{
    struct roam_message m;
    const char *const bad[] = {"-1", "4294967296", "'7'", "1.5", "{}"};

    ck_assert_int_eq(read_text(quoted(arena_printf(&arena, NUMBERED, "0")), &m), OK);
    ck_assert(roam_is_answerable(&m));
    ck_assert_int_eq(read_text(quoted(arena_printf(&arena, NUMBERED, "4294967295.0")), &m), OK);
    ck_assert_uint_eq(m.header.transaction_id, UINT32_MAX);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(read_text(quoted(arena_printf(&arena, NUMBERED, bad[i])), &m),
                         ERR_INVALID);
        ck_has(fault.description, "TransactionID must be an integer");
        ck_assert(!roam_is_answerable(&m));
    }
}
END_TEST

START_TEST(ids_in_hex_of_any_form)
{
    struct roam_id net_id = roam_id_of_net_id((struct lw_net_id){0xc00053});
    struct roam_id join_eui = roam_id_of_join_eui((struct lw_eui){0x0123456789abcdef});
    struct roam_id a = roam_id_of_text("0xC00053"), b = roam_id_of_text("c00053");
    struct roam_id e = roam_id_of_text("0X0123456789ABCDEF"),
                   as = roam_id_of_text("as.example.org");
    struct roam_id other = roam_id_of_text("AS.example.org"), empty = roam_id_of_text("");
    struct roam_id nearly = roam_id_of_text("c00g53"), hardly = roam_id_of_text("0123456789abcdeg");

    ck_assert(roam_id_equal(&a, &b) && roam_id_equal(&a, &net_id));
    ck_assert(roam_id_equal(&e, &join_eui) && !roam_id_equal(&e, &a));
    ck_assert(as.kind == ROAM_ID_AS && roam_id_equal(&as, &as) && !roam_id_equal(&as, &other));
    ck_assert(nearly.kind == ROAM_ID_AS && hardly.kind == ROAM_ID_AS && empty.kind == ROAM_ID_NONE);
    b.v++;
    ck_assert(!roam_id_equal(&a, &b));
    ck_assert_int_eq(roam_id_of_text("c0-00-53").kind, ROAM_ID_AS);
    join_eui.v = net_id.v;
    ck_assert(!roam_id_equal(&join_eui, &net_id));
}
END_TEST

START_TEST(members_of_1_1_are_not_sent_in_1_0)
{
    struct roam_message m =
        good("HomeNSAns", "'Result':{'ResultCode':'Success'},'HNetID':'000013',"
                          "'HNSID':'70b3d5ffff000001','ReceiverNSID':'70b3d5ffff000002'");

    ck_assert_uint_eq(m.home_ns_ans.h_nsid.v, 0x70b3d5ffff000001);
    ck_lacks(print_as(&m, ROAM_STANDARD), "NSID");
    m.header.protocol_version = "1.1";
    ck_has(print_as(&m, ROAM_STANDARD), "'ReceiverNSID':'70b3d5ffff000002'");
    ck_has(print_as(&m, ROAM_STANDARD), "'HNSID':'70b3d5ffff000001'");
}
END_TEST

START_TEST(vs_extension_empty_of_tts_or_nonsense)
{
    const char *tts = "'HNetID':'000013','Result':{'ResultCode':'Success'},'VSExtension':{"
                      "'VendorID':'EC656E','Object':{'TTSV3':{'HTenantID':'t','HNSAddress':'a'}}}";
    struct roam_message m = good("HomeNSAns", tts);

    ck_assert_mem_eq(m.header.vs_extension.vendor_id, "\xec\x65\x6e", 3);
    ck_has(print_as(&m, ROAM_STANDARD), "'Object':{'TTSV3':{'HTenantID':'t','HNSAddress':'a'}}");
    m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001','VSExtension':{}");
    ck_assert(roam_has(&m.header, ROAM_HEADER_VS_EXTENSION) && !m.header.vs_extension.has);
    m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001','VSExtension':'x'");
    ck_assert(!roam_has(&m.header, ROAM_HEADER_VS_EXTENSION));
    m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001','VSExtension':{'VendorID':7,'Object':null}");
    ck_assert(roam_has(&m.header, ROAM_HEADER_VS_EXTENSION) && !m.header.vs_extension.has);
}
END_TEST

START_TEST(tokens_of_a_kilobyte_come_back)
{
    char hex[2 * ROAM_TOKEN_MAX + 3] = "";
    struct roam_message m, a;

    memset(hex, 'A', 2 * ROAM_TOKEN_MAX);
    m = good("PRStopReq",
             arena_printf(&arena, "'DevEUI':'a0b1c2d3e4f50001','SenderToken':'%s'", hex));
    ck_assert_uint_eq(m.header.sender_token.n, ROAM_TOKEN_MAX);
    roam_answer_init(&a, &m, (struct roam_fault){ROAM_SUCCESS, NULL});
    ck_assert(bytes_equal(a.header.receiver_token, m.header.sender_token));
    ck_assert(roam_has(&a.header, ROAM_HEADER_RECEIVER_TOKEN));
    ck_assert(!roam_has(&a.header, ROAM_HEADER_SENDER_TOKEN));
    ck_has(print_as(&a, ROAM_TTS), arena_printf(&arena, "'ReceiverToken':'%s'", hex));
    strcat(hex, "AA");
    ck_assert_int_eq(read_text(text_of("PRStopReq", arena_printf(&arena,
                                                                 "'DevEUI':'a0b1c2d3e4f50001',"
                                                                 "'SenderToken':'%s'",
                                                                 hex)),
                               &m),
                     ERR_INVALID);
}
END_TEST

START_TEST(unknown_message_types_are_told)
{
    struct roam_message m;

    ck_assert_int_eq(read_text(text_of("KeyReq", ""), &m), ERR_INVALID);
    ck_assert_str_eq(fault.description, "MessageType is missing or not known");
    ck_assert(!roam_is_answerable(&m));
    ck_assert_int_eq(roam_validate(&m, ROAM_RECEIVED, &arena, &fault), ERR_INVALID);
    ck_assert_str_eq(fault.description, "MessageType is missing");
    ck_assert_int_eq(read_bad("{}"), ERR_INVALID);
    ck_assert_int_eq(read_bad("{'MessageType':null}"), ERR_INVALID);
    ck_assert_int_eq(read_bad("{'MessageType':7}"), ERR_INVALID);
    ck_assert_str_eq(roam_type_text(ROAM_TYPE_UNKNOWN), "");
    ck_assert_str_eq(roam_type_text(ROAM_ERROR_NOTIF), "ErrorNotif");
}
END_TEST

/* ---- values --------------------------------------------------------------------------------- */

START_TEST(hex_in_either_case_with_or_without_0x)
{
    struct roam_message m =
        good("PRStopReq", "'DevEUI':'0xA0B1c2d3E4F50001','DevAddr':'0XFC048D55'");

    ck_assert_uint_eq(m.pr_stop_req.dev_eui.v, 0xa0b1c2d3e4f50001);
    ck_assert_uint_eq(m.pr_stop_req.dev_addr.v, 0xfc048d55);
}
END_TEST

START_TEST(null_is_absent)
{
    struct roam_message m =
        good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001','DevAddr':null,"
                          "'Lifetime':null,'SenderToken':null,'VSExtension':null,"
                          "'Result':null");

    ck_assert_uint_eq(m.pr_stop_req.has, ROAM_BIT(ROAM_PR_STOP_REQ_DEV_EUI));
    ck_assert(!roam_has(&m.header, ROAM_HEADER_RESULT));
}
END_TEST

START_TEST(unknown_members_are_ignored)
{
    struct roam_message m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001','X':{'Y':[1,null]}");

    ck_lacks(print_as(&m, ROAM_STANDARD), "'X'");
}
END_TEST

START_TEST(lifetime_0_is_not_absent)
{
    struct roam_message m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001','Lifetime':0");

    ck_assert(roam_has(&m.pr_stop_req, ROAM_PR_STOP_REQ_LIFETIME));
    ck_has(print_as(&m, ROAM_STANDARD), "'Lifetime':0");
    m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001'");
    ck_assert(!roam_has(&m.pr_stop_req, ROAM_PR_STOP_REQ_LIFETIME));
    ck_lacks(print_as(&m, ROAM_STANDARD), "Lifetime");
}
END_TEST

START_TEST(integers_with_a_decimal_point)
{
    struct roam_gw_info gw = gateway("'RSSI':-97.0,'SNR':6");

    ck_assert_int_eq(gw.rssi, -97);
    ck_assert_double_eq(gw.snr, 6);
    ck_assert_uint_eq(
        good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001','Lifetime':3.6e3").pr_stop_req.lifetime_s,
        3600);
}
END_TEST

START_TEST(integers_are_printed_without_a_decimal_point)
{
    struct roam_message m =
        good("PRStartReq", PHY ",'ULMetaData':{'DataRate':5.0,'ULFreq':868,'RecvTime':"
                               "'2026-03-01T12:00:00Z','GWInfo':[{'RSSI':-97.0,'SNR':6.0}]}");
    const char *text = print_as(&m, ROAM_CHIRPSTACK);

    ck_has(text, "'DataRate':5,'ULFreq':868,");
    ck_has(text, "'RSSI':-97,'SNR':6}");
}
END_TEST

START_TEST(mhz_are_rounded_to_hertz)
{
    struct roam_message m =
        good("XmitDataAns", "'Result':{'ResultCode':'Success'},'DLFreq1':868.3");

    ck_assert_uint_eq(m.xmit_data_ans.dl_freq1_hz, 868300000);
    m = good("XmitDataAns", "'Result':{'ResultCode':'Success'},'DLFreq2':869.52499389648438");
    ck_assert_uint_eq(m.xmit_data_ans.dl_freq2_hz, 869524994); /* float32: as near as it comes */
    m = good("XmitDataAns", "'Result':{'ResultCode':'Success'},'DLFreq2':869.5249999999999");
    ck_assert_uint_eq(m.xmit_data_ans.dl_freq2_hz, 869525000);
    ck_has(print_as(&m, ROAM_STANDARD), "'DLFreq2':869.525}");
}
END_TEST

START_TEST(times_with_nanoseconds_whole_seconds_or_an_offset)
{
    static const struct {
        const char *text, *printed;
    } times[] = {
        {"2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.123456Z"},
        {"2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"},
        {"2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00Z"},
        {"2026-03-01 12:00:00.5z", "2026-03-01T12:00:00.500Z"},
    };

    for (size_t i = 0; i < 4; i++) {
        struct roam_message m =
            good("PRStartReq", arena_printf(&arena,
                                            PHY ",'ULMetaData':{'DataRate':5,'ULFreq':868.5,"
                                                "'RecvTime':'%s'}",
                                            times[i].text));

        ck_has(print_as(&m, ROAM_STANDARD),
               arena_printf(&arena, "'RecvTime':'%s'", times[i].printed));
    }
}
END_TEST

START_TEST(times_without_a_meaning_are_refused)
{
    static const char *const bad[] = {"1969-12-31T23:59:59Z",
                                      "0000-01-01T00:00:00+23:59",
                                      "9999-12-31T23:59:59-01:00",
                                      "2026-03-01",
                                      "yesterday",
                                      ""};
    struct roam_message m;

    for (size_t i = 0; i < 6; i++) {
        const char *text = text_of(
            "PRStartReq", arena_printf(&arena, PHY ",'ULMetaData':{'RecvTime':'%s'}", bad[i]));

        ck_assert_int_eq(read_text(text, &m), ERR_INVALID);
        ck_has(fault.description, "ULMetaData.RecvTime must");
    }
}
END_TEST

#define JOIN                                                                                       \
    "'MACVersion':'1.1','PHYPayload':'00efcdab89674523010200f5e4d3c2b1a00300632585"                \
    "17','DevEUI':'a0b1c2d3e4f50002','DevAddr':'e0140b0b','DLSettings':'80',"                      \
    "'RxDelay':0%s"
START_TEST(cf_list_absent_or_empty)
{
    struct roam_message m = good("JoinReq", arena_printf(&arena, JOIN, ",'CFList':''"));

    ck_assert(!roam_has(&m.join_req, ROAM_JOIN_REQ_CF_LIST));
    ck_assert(roam_has(&m.join_req, ROAM_JOIN_REQ_RX_DELAY));
    m = good("JoinReq", arena_printf(&arena, JOIN, ""));
    ck_assert(!roam_has(&m.join_req, ROAM_JOIN_REQ_CF_LIST));
    ck_lacks(print_as(&m, ROAM_STANDARD), "CFList");
    m = good("JoinReq", arena_printf(&arena, JOIN, ",'CFList':'184f84e85684b85e84886684586e8400'"));
    ck_assert_uint_eq(m.join_req.cf_list.n, 16);
}
END_TEST

START_TEST(mac_version_in_both_spellings)
{
    static const struct {
        const char *text;
        enum lw_version version;
    } versions[] = {{"1.0", LW_1_0_0},   {"1.0.0", LW_1_0_0}, {"1.0.1", LW_1_0_1},
                    {"1.0.2", LW_1_0_2}, {"1.0.3", LW_1_0_3}, {"1.0.4", LW_1_0_4},
                    {"1.1", LW_1_1_0},   {"1.1.0", LW_1_1_0}, {"1.1.1", LW_1_1_0}};
    struct roam_message m;

    for (size_t i = 0; i < 9; i++) {
        m = read_good("JoinReq", arena_printf(&arena, "'MACVersion':'%s'", versions[i].text));
        ck_assert_int_eq(m.join_req.mac_version, versions[i].version);
    }
    ck_has(print_as(&m, ROAM_CHIRPSTACK), "'MACVersion':'1.1'");
    ck_has(print_as(&m, ROAM_TTS), "'MACVersion':'1.1'");
    ck_assert_int_eq(read_text(text_of("JoinReq", "'MACVersion':'1.2'"), &m), ERR_INVALID);
    ck_has(fault.description, "MACVersion must be one of");
}
END_TEST

/* ---- results -------------------------------------------------------------------------------- */

START_TEST(result_codes_in_every_spelling)
{
    static const struct {
        const char *text;
        enum roam_result_code code;
    } codes[] = {
        {"UnkownReceiver", ROAM_UNKNOWN_RECEIVER},
        {"UnknownReceiver", ROAM_UNKNOWN_RECEIVER},
        {"MalformedRequest", ROAM_MALFORMED},
        {"MalformedMessage", ROAM_MALFORMED},
        {"NoAction", ROAM_NO_ACTION},
        {"FrameReplayed", ROAM_FRAME_REPLAYED},
        {"Whatever", ROAM_OTHER},
        {"", ROAM_OTHER},
        {"RoamingActDisallowed", ROAM_ROAMING_ACT_DISALLOWED},
        {"RoamingActDisallowedA", ROAM_ROAMING_ACT_DISALLOWED},
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct roam_message m = read_good(
            "PRStopAns", arena_printf(&arena, "'Result':{'ResultCode':'%s'}", codes[i].text));

        ck_assert_msg(m.header.result.code == codes[i].code, "%s", codes[i].text);
    }
}
END_TEST

START_TEST(descriptions_may_be_empty_or_nonsense)
{
    struct roam_message m = good("PRStopAns", "'Result':{'ResultCode':'Success','Description':''}");

    ck_assert_str_eq(m.header.result.description, "");
    ck_has(print_as(&m, ROAM_STANDARD), "'Description':''");
    m = good("PRStopAns", "'Result':{'ResultCode':'Success','Description':{}}");
    ck_assert(!roam_has(&m.header.result, ROAM_RESULT_DESCRIPTION));
}
END_TEST

START_TEST(codes_of_1_1_become_other_in_1_0)
{
    struct roam_message m;

    roam_message_init(&m, ROAM_1_0, ROAM_PR_START_ANS, 1);
    roam_put(&m.header, ROAM_HEADER_RESULT);
    m.header.result =
        (struct roam_result){.has = ROAM_BIT(ROAM_RESULT_CODE), .code = ROAM_NO_ACTION};
    ck_has(print_as(&m, ROAM_STANDARD), "'ResultCode':'Other'");
    m.header.result.code = ROAM_MALFORMED;
    ck_has(print_as(&m, ROAM_TTS), "'ResultCode':'MalformedRequest'");
    m.header.protocol_version = "1.1";
    ck_has(print_as(&m, ROAM_TTS), "'ResultCode':'MalformedMessage'");
    ck_has(print_as(&m, ROAM_HELIUM), "'ResultCode':'MalformedMessage'");
    ck_has(print_as(&m, ROAM_CHIRPSTACK), "'ResultCode':'MalformedRequest'");
    m.header.result.code = ROAM_FRAME_REPLAYED;
    ck_has(print_as(&m, ROAM_STANDARD), "'ResultCode':'FrameReplayed'");
    ck_has(print_as(&m, ROAM_CHIRPSTACK), "'ResultCode':'Other'");
}
END_TEST

START_TEST(join_answers_without_lifetime)
{
    struct roam_message m =
        good("JoinAns", "'Result':{'ResultCode':'Success','Description':''},'PHYPayload':"
                        "'20c70089e9c06a17068e6aa39607214d0d','NwkSKey':{'AESKey':"
                        "'00112233445566778899aabbccddeeff'},'SessionKeyID':'01','VSExtension':{}");

    ck_assert(!roam_has(&m.join_ans, ROAM_JOIN_ANS_LIFETIME));
    ck_assert(!roam_has(&m.join_ans.nwk_s_key, ROAM_KEY_KEK_LABEL));
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), ERR_INVALID);
    ck_assert_str_eq(fault.description, "Lifetime is missing");
}
END_TEST

START_TEST(start_answers_without_lifetime_are_stateless)
{
    struct roam_message m = good("PRStartAns", "'Result':{'ResultCode':'Success'}");

    ck_assert_uint_eq(m.pr_start_ans.lifetime_s, 0);
    (void)good("PRStartAns", "'Result':{'ResultCode':'Deferred'}");
}
END_TEST

/* ChirpStack sends a key whatever was agreed on, and a DevAddr that is in no table. */
START_TEST(start_answers_with_more_than_asked)
{
    struct roam_message m =
        good("PRStartAns",
             "'Result':{'ResultCode':'Success'},'PHYPayload':'20c70089e9c06a17068e6aa39607214d0d',"
             "'DevEUI':'a0b1c2d3e4f50001','DevAddr':'e014caff','FCntUp':0,'NwkSKey':{'KEKLabel':'',"
             "'AESKey':'00112233445566778899aabbccddeeff'}," DL);

    ck_assert_uint_eq(m.pr_start_ans.dev_addr.v, 0xe014caff);
    ck_assert(roam_has(&m.pr_start_ans, ROAM_PR_START_ANS_FCNT_UP));
}
END_TEST

START_TEST(handover_answers_with_the_application_key)
{
    struct roam_message m = read_good("HRStartAns", "'Result':{'ResultCode':'Other'},"
                                                    "'SessionKeyID':'01'");

    ck_assert_int_eq(roam_validate(&m, ROAM_RECEIVED, &arena, &fault), OK);
    ck_assert_int_eq(roam_validate(&m, ROAM_SENT, &arena, &fault), ERR_INVALID);
}
END_TEST

/* ---- dialects ------------------------------------------------------------------------------- */

START_TEST(dialects_write_hex_in_their_way)
{
    struct roam_message m = good("PRStopReq", "'DevEUI':'A0B1C2D3E4F50001','DevAddr':'FC048D55'");

    ck_assert_str_eq(print_as(&m, ROAM_STANDARD),
                     quoted("{'ProtocolVersion':'1.0','SenderID':'c00123','ReceiverID':'60000a',"
                            "'TransactionID':7,'MessageType':'PRStopReq','DevAddr':'fc048d55',"
                            "'DevEUI':'a0b1c2d3e4f50001'}"));
    ck_assert_str_eq(print_as(&m, ROAM_CHIRPSTACK), print_as(&m, ROAM_STANDARD));
    ck_has(print_as(&m, ROAM_TTS), "'SenderID':'C00123','ReceiverID':'60000A'");
    ck_has(print_as(&m, ROAM_TTS), "'DevAddr':'FC048D55','DevEUI':'A0B1C2D3E4F50001'");
    ck_has(print_as(&m, ROAM_HELIUM), "'SenderID':'0xC00123','ReceiverID':'0x60000A'");
    ck_has(print_as(&m, ROAM_HELIUM), "'DevAddr':'0xFC048D55','DevEUI':'0xA0B1C2D3E4F50001'");
    m.header.sender = roam_id_of_text("as.example.org");
    m.header.receiver = roam_id_of_join_eui((struct lw_eui){0x0123456789abcdef});
    ck_has(print_as(&m, ROAM_HELIUM),
           "'SenderID':'as.example.org','ReceiverID':'0x0123456789ABCDEF'");
}
END_TEST

START_TEST(dialects_are_not_sent_what_they_cannot_read)
{
    for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++) {
        bool handover = (type >= ROAM_HR_START_REQ && type <= ROAM_HR_STOP_ANS) ||
                        type == ROAM_PROFILE_REQ || type == ROAM_PROFILE_ANS;

        ck_assert(roam_dialect_takes(ROAM_STANDARD, type));
        ck_assert(roam_dialect_takes(ROAM_CHIRPSTACK, type) ==
                  (!handover && !roam_type_is_1_1(type)));
        ck_assert(roam_dialect_takes(ROAM_TTS, type) == (!handover && !roam_type_is_1_1(type)));
        ck_assert(roam_dialect_takes(ROAM_HELIUM, type) == !handover);
    }
    ck_assert_str_eq(roam_dialect_text(ROAM_TTS), "tts");
    ck_assert_str_eq(roam_dialect_text(ROAM_DIALECT_COUNT), "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        version_with_three_parts,
        sender_nsid_in_1_0_is_taken,
        sender_nsid_missing_or_empty_in_1_1_is_taken,
        transaction_id_0_is_there,
        ids_in_hex_of_any_form,
        members_of_1_1_are_not_sent_in_1_0,
        vs_extension_empty_of_tts_or_nonsense,
        tokens_of_a_kilobyte_come_back,
        unknown_message_types_are_told,
        hex_in_either_case_with_or_without_0x,
        null_is_absent,
        unknown_members_are_ignored,
        lifetime_0_is_not_absent,
        integers_with_a_decimal_point,
        integers_are_printed_without_a_decimal_point,
        mhz_are_rounded_to_hertz,
        times_with_nanoseconds_whole_seconds_or_an_offset,
        times_without_a_meaning_are_refused,
        cf_list_absent_or_empty,
        mac_version_in_both_spellings,
        result_codes_in_every_spelling,
        descriptions_may_be_empty_or_nonsense,
        codes_of_1_1_become_other_in_1_0,
        join_answers_without_lifetime,
        start_answers_without_lifetime_are_stateless,
        start_answers_with_more_than_asked,
        handover_answers_with_the_application_key,
        dialects_write_hex_in_their_way,
        dialects_are_not_sent_what_they_cannot_read,
        NULL,
    };
    int status;

    arena_init(&arena, 256u << 20);
    status = run_suite(suite_of("roaming/quirks", tests));
    arena_reset(&arena);
    return status;
}
