/* What other servers do differently within metadata and profiles. */
#include "region/region.h"
#include "tests/unit/roaming_quirk.h"

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

int main(void)
{
    const TTest *const tests[] = {
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
        NULL,
    };
    int status;

    arena_init(&arena, 256u << 20);
    status = run_suite(suite_of("roaming/quirks_objects", tests));
    arena_reset(&arena);
    return status;
}
