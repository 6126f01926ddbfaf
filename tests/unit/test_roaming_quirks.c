/* What other servers do differently, one test each: read it all; tell each what it wants to hear.
 */
#include "region/region.h"
#include "tests/unit/roaming.h"

#define PHY "'PHYPayload':'80ffca14e08002000af049850ceef45feb'"
#define UL                                                                                         \
    "'ULMetaData':{'DataRate':5,'ULFreq':868.5,'RecvTime':'2026-03-01T12:00:00Z',"                 \
    "'RFRegion':'EU868','GWInfo':[]}"
#define DL "'DLMetaData':{'DLFreq1':868.1,'DataRate1':5,'RXDelay1':1,'ClassMode':'A','GWInfo':[]}"

static struct roam_message good(const char *type, const char *members)
{
    struct roam_message message = read_good(type, members);

    ck_assert_msg(roam_validate(&message, ROAM_RECEIVED, &arena, &fault) == OK, "%s",
                  fault.description);
    return message;
}

static struct roam_ul_meta_data uplink(const char *members)
{
    struct roam_message m = good(
        "PRStartReq",
        arena_printf(&arena,
                     PHY ",'ULMetaData':{'DataRate':5,'ULFreq':868.5,"
                         "'RecvTime':'2026-03-01T12:00:00Z','RFRegion':'EU868','GWInfo':[]%s%s}",
                     *members ? "," : "", members));

    return m.pr_start_req.ul;
}

static struct roam_gw_info gateway(const char *members)
{
    struct roam_message m =
        good("PRStartReq", arena_printf(&arena,
                                        PHY ",'ULMetaData':{'DataRate':5,'ULFreq':868.5,"
                                            "'RecvTime':'2026-03-01T12:00:00Z','GWInfo':[{%s}]}",
                                        members));

    ck_assert_uint_eq(m.pr_start_req.ul.gw_info.n, 1);
    return *(struct roam_gw_info *)m.pr_start_req.ul.gw_info.p;
}

static enum err read_bad(const char *text)
{
    struct roam_message message;
    enum err err = read_text(quoted(text), &message);

    if (err != OK) {
        ck_assert_int_eq(fault.code, ROAM_MALFORMED);
        ck_assert(fault.description && *fault.description);
    }
    return err;
}

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

/* ---- metadata ------------------------------------------------------------------------------- */

START_TEST(dedup_window_as_number_string_or_nonsense)
{
    struct roam_message m = good("PRStartReq", PHY "," UL ",'DedupWindowSize':1250");

    ck_assert_uint_eq(m.pr_start_req.dedup_window_size, 1250);
    ck_lacks(print_as(&m, ROAM_STANDARD), "DedupWindowSize"); /* of 1.1 */
    m.header.protocol_version = "1.1";
    ck_has(print_as(&m, ROAM_STANDARD), "'DedupWindowSize':1250");
    m = good("PRStartReq", PHY "," UL ",'DedupWindowSize':'1250'");
    ck_assert_uint_eq(m.pr_start_req.dedup_window_size, 1250);
    m = good("PRStartReq", PHY "," UL ",'DedupWindowSize':'1250ms'");
    ck_assert(!roam_has(&m.pr_start_req, ROAM_PR_START_REQ_DEDUP_WINDOW_SIZE));
}
END_TEST

START_TEST(gateway_ids_of_four_or_eight_octets_and_gwid)
{
    struct roam_gw_info gw = gateway("'ID':'E5F60708'");
    struct roam_message m;

    ck_assert_uint_eq(gw.id.n, 4);
    gw = gateway("'GWID':'0x0011223344556677'");
    ck_assert_uint_eq(gw.id.n, 8);
    ck_assert_uint_eq(gw.id.p[7], 0x77);
    gw = gateway("'ID':'eui-0011223344556677'"); /* no hex: the gateway stays without one */
    ck_assert_uint_eq(gw.has, 0);
    m = good("PRStartReq", PHY ",'ULMetaData':{'DataRate':5,'ULFreq':868.5,'RecvTime':"
                               "'2026-03-01T12:00:00Z','GWInfo':[{'ID':'e5f60708'}]}");
    ck_has(print_as(&m, ROAM_HELIUM), "'GWInfo':[{'GWID':'0xE5F60708'}]");
    m.header.protocol_version = "1.1";
    ck_has(print_as(&m, ROAM_HELIUM), "'GWInfo':[{'GWID':'0xE5F60708'}]");
    ck_has(print_as(&m, ROAM_TTS), "'GWInfo':[{'ID':'E5F60708'}]");
}
END_TEST

START_TEST(gateways_with_nonsense_keep_the_rest)
{
    struct roam_gw_info gw =
        gateway("'RSSI':'loud','SNR':7.25,'Lat':91,'Lon':181,'FineRecvTime':-1,"
                "'RFRegion':'MARS','ULToken':'aa','DLAllowed':true");

    ck_assert_uint_eq(gw.has, ROAM_BIT(ROAM_GW_SNR) | ROAM_BIT(ROAM_GW_UL_TOKEN) |
                                  ROAM_BIT(ROAM_GW_DL_ALLOWED));
    ck_assert_double_eq(gw.snr, 7.25);
    gw = gateway("'FineRecvTime':999999999");
    ck_assert_uint_eq(gw.fine_recv_time_ns, 999999999);
}
END_TEST

START_TEST(gateway_list_missing_or_empty)
{
    struct roam_message m = good("PRStartReq", PHY ",'ULMetaData':{'DataRate':5,'ULFreq':868.5,"
                                                   "'RecvTime':'2026-03-01T12:00:00Z'}");

    ck_assert(!roam_has(&m.pr_start_req.ul, ROAM_UL_GW_INFO));
    ck_lacks(print_as(&m, ROAM_STANDARD), "GWInfo");
    ck_has(print_as(&m, ROAM_CHIRPSTACK), "'GWInfo':[]}");
    m = good("PRStartReq", PHY "," UL);
    ck_assert(roam_has(&m.pr_start_req.ul, ROAM_UL_GW_INFO));
    ck_has(print_as(&m, ROAM_STANDARD), "'GWInfo':[]}");
    m = good("XmitDataReq", PHY ",'DLMetaData':{'DLFreq2':869.525,'DataRate2':0,'ClassMode':'C'}");
    ck_has(print_as(&m, ROAM_CHIRPSTACK), "'GWInfo':[]}");
}
END_TEST

START_TEST(data_without_dev_addr_and_joins_without_dev_eui)
{
    struct roam_ul_meta_data ul = uplink("");

    ck_assert(!roam_has(&ul, ROAM_UL_DEV_ADDR) && !roam_has(&ul, ROAM_UL_DEV_EUI));
    ul = uplink("'DevAddr':'e014caff','GWCnt':2,'Margin':-3,'Battery':254,'Confirmed':false");
    ck_assert_int_eq(ul.margin, -3);
    ck_assert(roam_has(&ul, ROAM_UL_CONFIRMED) && !ul.confirmed);
}
END_TEST

START_TEST(regions_by_old_names_in_either_case_or_unknown)
{
    static const struct {
        const char *text;
        enum region_id id;
    } regions[] = {{"US902", REGION_US915},        {"China779", REGION_CN779},
                   {"Australia915", REGION_AU915}, {"China470", REGION_CN470},
                   {"eu868", REGION_EU868},        {"AS923-2", REGION_AS923_2},
                   {"as923-4", REGION_AS923_4},    {"ISM2400", REGION_ISM2400},
                   {"EU433", REGION_EU433},        {"AS923-1", REGION_AS923_1}};
    struct roam_gw_info gw;

    for (size_t i = 0; i < 10; i++) {
        gw = gateway(arena_printf(&arena, "'RFRegion':'%s'", regions[i].text));
        ck_assert(roam_has(&gw, ROAM_GW_RF_REGION));
        ck_assert_msg(gw.rf_region == regions[i].id, "%s", regions[i].text);
    }
    gw = gateway("'RFRegion':'EU863-870'");
    ck_assert_uint_eq(gw.has, 0);
}
END_TEST

START_TEST(regions_are_printed_by_their_modern_names)
{
    struct roam_message m = read_good("ProfileAns", "'DeviceProfile':{'RFRegion':'US902'}");

    ck_has(print_as(&m, ROAM_CHIRPSTACK), "'RFRegion':'US915'");
    m.profile_ans.device_profile.rf_region = REGION_CN470_26A;
    ck_has(print_as(&m, ROAM_STANDARD), "'RFRegion':'CN470'");
}
END_TEST

/* ---- profiles ------------------------------------------------------------------------------- */

START_TEST(device_profiles_in_other_spellings)
{
    struct roam_message m =
        read_good("ProfileAns",
                  "'DeviceProfile':{'PingSLotDR':3,'PingSlotFrequency':869.525,'MACVersion':'1.2',"
                  "'RXDataRate2':50000,'FactoryPresetFreqs':[868.1,868.3]}");
    struct roam_device_profile *dp = &m.profile_ans.device_profile;

    ck_assert_uint_eq(dp->ping_slot_dr, 3);
    ck_assert_uint_eq(dp->ping_slot_freq_hz, 869525000);
    ck_assert_uint_eq(dp->rx_data_rate2, 50000);
    ck_assert_uint_eq(((uint32_t *)dp->factory_preset_freqs.p)[1], 868300000);
    ck_assert(!roam_has(dp, ROAM_DP_MAC_VERSION));
    ck_has(print_as(&m, ROAM_STANDARD), "'PingSlotDR':3,'PingSlotFreq':869.525");
}
END_TEST

START_TEST(service_profiles_in_other_spellings)
{
    struct roam_message m =
        read_good("PRStartAns", "'ServiceProfile':{'ServiceProfile':'sp','RAAAllowed':true,"
                                "'ReportDevStatusBattery':true,'ULRatePolicy':'Mark'}");
    struct roam_service_profile *sp = &m.pr_start_ans.service_profile;

    ck_assert_str_eq(sp->service_profile_id, "sp");
    ck_assert(sp->ra_allowed && sp->report_dev_status_battery);
    ck_assert_uint_eq(sp->ul_rate_policy, ROAM_RATE_MARK);
    ck_has(print_as(&m, ROAM_STANDARD), "'ServiceProfile':{'ServiceProfileID':'sp','ULRatePolicy':"
                                        "'Mark','ReportDevStatusBatery':true,'RAAllowed':true}");
}
END_TEST

START_TEST(service_profiles_for_chirpstack_are_complete)
{
    struct roam_message m = read_good("PRStartAns", "'ServiceProfile':{'ServiceProfileID':'sp'}");

    ck_has(
        print_as(&m, ROAM_CHIRPSTACK),
        "'ServiceProfile':{'ServiceProfileID':'sp','ServiceProfile':'sp','ULRate':0,"
        "'ULBucketSize':0,'ULRatePolicy':'Drop','DLRate':0,'DLBucketSize':0,'DLRatePolicy':'Drop',"
        "'AddGWMetadata':false,'DevStatusReqFreq':0,'ReportDevStatusBatery':false,"
        "'ReportDevStatusMargin':false,'DRMin':0,'DRMax':0,'ChannelMask':'','PRAllowed':false,"
        "'HRAllowed':false,'RAAllowed':false,'NwkGeoLoc':false,'TargetPER':0,"
        "'MinGWDiversity':0}");
    m = read_good("PRStartAns", "");
    ck_lacks(print_as(&m, ROAM_CHIRPSTACK), "ServiceProfile");
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

/* ---- limits --------------------------------------------------------------------------------- */

START_TEST(huge_deep_and_crowded_messages_are_refused)
{
    char *text = arena_alloc(&arena, ROAM_BODY_MAX + 2);
    struct roam_message m;

    memset(text, ' ', ROAM_BODY_MAX + 1);
    ck_assert_int_eq(roam_message_read(text, ROAM_BODY_MAX + 1, &arena, &m, &fault), ERR_LIMIT);
    ck_has(fault.description, "larger than 64 KiB");
    ck_assert_int_eq(roam_message_read(text, ROAM_BODY_MAX, &arena, &m, &fault), ERR_MALFORMED);
    memset(text, '[', 4096);
    ck_assert_int_eq(roam_message_read(text, 4096, &arena, &m, &fault), ERR_MALFORMED);
    ck_has(fault.description, "nested too deeply");
    for (size_t i = 1; i < ROAM_BODY_MAX; i += 2)
        memcpy(text + i, "1,", 2);
    text[ROAM_BODY_MAX - 2] = '1';
    text[ROAM_BODY_MAX - 1] = ']';
    ck_assert_int_eq(roam_message_read(text, ROAM_BODY_MAX, &arena, &m, &fault), ERR_MALFORMED);
    ck_has(fault.description, "too many");
    ck_assert_int_eq(read_bad("[]"), ERR_MALFORMED);
    ck_assert_int_eq(read_bad("null"), ERR_MALFORMED);
    ck_assert_str_eq(fault.description, "must be an object");
    ck_assert_int_eq(read_bad("{'a':1"), ERR_MALFORMED);
    ck_assert_int_eq(read_bad("{'MessageType':'PRStopReq','MessageType':'PRStopReq'}"),
                     ERR_MALFORMED);
}
END_TEST

START_TEST(gateways_are_counted)
{
    char *list = arena_alloc(&arena, 4096);
    struct roam_message m;

    for (size_t i = 0; i < ROAM_GW_INFO_MAX; i++)
        strcat(list, "{},");
    m = read_good("PRStartReq", arena_printf(&arena, "'ULMetaData':{'GWInfo':[%s{}]}", list + 3));
    ck_assert_uint_eq(m.pr_start_req.ul.gw_info.n, ROAM_GW_INFO_MAX);
    ck_assert_int_eq(
        read_text(
            text_of("PRStartReq", arena_printf(&arena, "'ULMetaData':{'GWInfo':[%s{}]}", list)),
            &m),
        ERR_INVALID);
    ck_assert_str_eq(fault.description, "ULMetaData.GWInfo must have at most 256 elements");
}
END_TEST

/* The largest messages that are read at all, in an arena of just the room that is asked for. */
static enum err read_in_room(const char *before, const char *unit, size_t count, const char *after)
{
    size_t n = strlen(before), len = strlen(unit);
    char *text = arena_alloc(&arena, ROAM_BODY_MAX + 1);
    struct roam_message message;
    struct roam_fault what;
    struct arena room;
    enum err err;

    memcpy(text, before, n);
    for (; count > 0 && n + len + strlen(after) + 1 < ROAM_BODY_MAX; count--) {
        memcpy(text + n, unit, len);
        n += len;
        text[n++] = ',';
    }
    n--;
    memcpy(text + n, after, strlen(after) + 1);
    text = arena_strdup(&arena, quoted(text));
    arena_init(&room, ROAM_ARENA_ROOM);
    err = roam_message_read(text, strlen(text), &room, &message, &what);
    arena_reset(&room);
    return err;
}

START_TEST(crowded_messages_stay_in_their_room)
{
    static const struct {
        const char *before, *unit, *after;
    } crowds[] = {
        {"{'MessageType':'PRStopReq','VSExtension':{'Object':[", "0", "]}}"},
        {"{'MessageType':'PRStopReq','VSExtension':{'Object':[", "{'a':0}", "]}}"},
        {"{'MessageType':'PRStopReq','VSExtension':{'Object':[",
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "]}}"},
        {"{'MessageType':'PRStartReq','ULMetaData':{'GWInfo':[", "{'ID':'aa','ULToken':'aa'}",
         "]}}"},
        {"{'MessageType':'PRStartReq','ULMetaData':{'GWInfo':[", "{'DLAllowed':7,'ULToken':'a'}",
         "]}}"},
        {"{'MessageType':'ProfileAns','DeviceProfile':{'FactoryPresetFreqs':[", "'x'", "]}}"},
    };
    size_t read = 0;

    for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
        for (size_t count = 1; count < 8000; count += 1 + count / 7)
            read += read_in_room(crowds[i].before, crowds[i].unit, count, crowds[i].after) == OK;
    }
    ck_assert_uint_gt(read, 100);
}
END_TEST

START_TEST(a_writer_without_room_says_so)
{
    struct roam_message m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001'");
    struct jw jw;

    jw_init(&jw, 40);
    ck_assert_int_eq(roam_message_print(&m, ROAM_STANDARD, true, &jw), ERR_LIMIT);
    jw_free(&jw);
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
        dedup_window_as_number_string_or_nonsense,
        gateway_ids_of_four_or_eight_octets_and_gwid,
        gateways_with_nonsense_keep_the_rest,
        gateway_list_missing_or_empty,
        data_without_dev_addr_and_joins_without_dev_eui,
        regions_by_old_names_in_either_case_or_unknown,
        regions_are_printed_by_their_modern_names,
        device_profiles_in_other_spellings,
        service_profiles_in_other_spellings,
        service_profiles_for_chirpstack_are_complete,
        dialects_write_hex_in_their_way,
        dialects_are_not_sent_what_they_cannot_read,
        huge_deep_and_crowded_messages_are_refused,
        gateways_are_counted,
        crowded_messages_stay_in_their_room,
        a_writer_without_room_says_so,
        NULL,
    };
    int status;

    arena_init(&arena, 256u << 20);
    status = run_suite(suite_of("roaming/quirks", tests));
    arena_reset(&arena);
    return status;
}
