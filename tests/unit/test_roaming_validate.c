/* What is missing, too much or of a wrong size, by type, version and result; the ResultCodes. */
#include "tests/unit/roaming.h"
#include "tests/vectors.h"

#define DATA   "'PHYPayload':'80ffca14e08002000af049850ceef45feb'"
#define JOIN   "'PHYPayload':'00efcdab89674523010100f5e4d3c2b1a02c1a7fca8579'"
#define REJOIN "'PHYPayload':'c0000a00600200f5e4d3c2b1a001003fddc98c'"
#define ACCEPT "'PHYPayload':'20c70089e9c06a17068e6aa39607214d0d'"
#define UL_MEMBERS                                                                                 \
    "'DataRate':5,'ULFreq':868.5,'RecvTime':'2026-03-01T12:00:00Z','RFRegion':'EU868','GWInfo':[]"
#define UL_DATA "'ULMetaData':{" UL_MEMBERS ",'DevAddr':'e014caff'}"
#define UL_JOIN "'ULMetaData':{" UL_MEMBERS ",'DevEUI':'a0b1c2d3e4f50001'}"
#define DL      "'DLMetaData':{'DLFreq1':868.1,'DataRate1':5,'RXDelay1':1,'ClassMode':'A','GWInfo':[]}"
#define FRM_UL                                                                                     \
    "'FRMPayload':'01','ULMetaData':{" UL_MEMBERS                                                  \
    ",'DevEUI':'a0b1c2d3e4f50001','FPort':9,'FCntUp':1}"
#define FRM_DL    "'FRMPayload':'01','DLMetaData':{'DevEUI':'a0b1c2d3e4f50001','FPort':9,'FCntDown':1}"
#define GRANTED   "'Result':{'ResultCode':'Success'}"
#define EUI       "'DevEUI':'a0b1c2d3e4f50001'"
#define KEY(name) "'" name "':{'AESKey':'00112233445566778899aabbccddeeff'}"
#define KEYS_1_1  KEY("FNwkSIntKey") "," KEY("SNwkSIntKey") "," KEY("NwkSEncKey")
#define PROFILE                                                                                    \
    "'DeviceProfile':{'DeviceProfileID':'dp','SupportsClassB':false,'SupportsClassC':false,"       \
    "'MACVersion':'1.1','RegParamsRevision':'A','MaxEIRP':16,'SupportsJoin':true,"                 \
    "'RFRegion':'EU868'}"
#define STAMP "'DeviceProfileTimestamp':'2026-02-01T08:00:00Z'"

/* A message that is right as it is sent, and what its type wants. */
static const struct {
    const char *type, *members;
    const char *without[12]; /* each of these is missed; those after "" only when it is sent */
} complete[] = {
    {"JoinReq",
     "'MACVersion':'1.1'," JOIN "," EUI ",'DevAddr':'e0140b0b','DLSettings':'80','RxDelay':1",
     {"MACVersion", "PHYPayload", "DevEUI", "DevAddr", "DLSettings", "RxDelay"}},
    {"RejoinReq",
     "'MACVersion':'1.1'," REJOIN "," EUI ",'DevAddr':'e0140b0b','DLSettings':'80','RxDelay':1",
     {"MACVersion", "PHYPayload", "DevEUI", "DevAddr", "DLSettings", "RxDelay"}},
    {"JoinAns",
     GRANTED "," ACCEPT ",'Lifetime':0," KEYS_1_1 ",'SessionKeyID':'01'",
     {"Result", "PHYPayload", "", "Lifetime"}},
    {"RejoinAns",
     GRANTED "," ACCEPT ",'Lifetime':0," KEY("NwkSKey") "," KEY("AppSKey"),
     {"Result", "PHYPayload", "", "Lifetime"}},
    {"AppSKeyReq", EUI ",'SessionKeyID':'01'", {"DevEUI", "SessionKeyID"}},
    {"AppSKeyAns",
     GRANTED "," EUI ",'SessionKeyID':'01'," KEY("AppSKey"),
     {"Result", "AppSKey", "", "DevEUI", "SessionKeyID"}},
    {"PRStartReq", DATA "," UL_DATA, {"PHYPayload", "ULMetaData"}},
    {"PRStartReq", JOIN "," UL_JOIN, {"PHYPayload", "ULMetaData"}},
    {"PRStartReq", REJOIN "," UL_JOIN, {"PHYPayload", "ULMetaData"}},
    {"PRStartAns", GRANTED ",'Lifetime':0," EUI, {"Result", "", "Lifetime"}},
    {"PRStartAns", GRANTED ",'Lifetime':0", {"Result"}}, /* stateless, and no Join-accept */
    {"PRStartAns",
     GRANTED "," ACCEPT "," EUI ",'Lifetime':3600,'FCntUp':0," KEY("NwkSKey") "," DL,
     {"Result", "DLMetaData", "", "Lifetime", "DevEUI", "FCntUp"}},
    {"PRStartAns",
     GRANTED "," ACCEPT "," EUI ",'Lifetime':0," DL,
     {"Result", "DLMetaData", "", "Lifetime", "DevEUI"}},
    {"PRStartAns",
     GRANTED "," EUI ",'Lifetime':3600,'FCntUp':0," KEY("FNwkSIntKey"),
     {"Result", "", "Lifetime", "DevEUI", "FCntUp"}},
    {"PRStartAns", "'Result':{'ResultCode':'Deferred'},'Lifetime':600", {"Result", "", "Lifetime"}},
    {"PRStopReq", EUI, {"DevEUI"}},
    {"PRStopAns", GRANTED, {"Result"}},
    {"HRStartReq",
     "'MACVersion':'1.1'," REJOIN ",'DevAddr':'fc048d55','DLSettings':'80','RxDelay':1," STAMP
     "," UL_JOIN,
     {"MACVersion", "DevAddr", "DLSettings", "RxDelay", "DeviceProfileTimestamp", "ULMetaData"}},
    {"HRStartReq", EUI, {"DevEUI"}},
    {"HRStartAns",
     GRANTED "," ACCEPT ",'Lifetime':60,'ServiceProfile':{'ServiceProfileID':'sp'}," KEYS_1_1
             "," DL,
     {"Result", "SNwkSIntKey", "ServiceProfile", "DLMetaData", "", "Lifetime"}},
    {"HRStartAns",
     GRANTED "," ACCEPT
             ",'Lifetime':60,'ServiceProfile':{'ServiceProfileID':'sp'}," KEY("NwkSKey") "," DL,
     {"Result", "NwkSKey"}},
    {"HRStartAns", GRANTED, {"Result"}}, /* to a request with nothing but a DevEUI */
    {"HRStartAns",
     "'Result':{'ResultCode':'StaleDeviceProfile'}," PROFILE "," STAMP,
     {"Result", "DeviceProfile", "DeviceProfileTimestamp"}},
    {"HRStopReq", EUI, {"DevEUI"}},
    {"HRStopAns", GRANTED, {"Result"}},
    {"HomeNSReq", EUI, {"DevEUI"}},
    {"HomeNSAns", GRANTED ",'HNetID':'60000a'", {"Result", "HNetID"}},
    {"ProfileReq", EUI, {"DevEUI"}},
    {"ProfileAns",
     GRANTED ",'RoamingActivationType':'Handover'," PROFILE "," STAMP,
     {"Result", "RoamingActivationType", "DeviceProfile", "DeviceProfileTimestamp"}},
    {"ProfileAns",
     GRANTED ",'RoamingActivationType':'Passive'",
     {"Result", "RoamingActivationType"}},
    {"XmitDataReq", DATA "," UL_DATA, {"PHYPayload", "ULMetaData"}},
    {"XmitDataReq", DATA "," DL, {"PHYPayload", "DLMetaData"}},
    {"XmitDataReq",
     "'FRMPayload':'','ULMetaData':{" UL_MEMBERS "," EUI ",'FPort':9,'FCntUp':1}",
     {"FRMPayload", "ULMetaData"}},
    {"XmitDataReq",
     "'FRMPayload':'01','DLMetaData':{" EUI ",'FPort':9,'FCntDown':1}",
     {"FRMPayload", "DLMetaData"}},
    {"XmitDataAns", GRANTED ",'DLFreq1':868.3", {"Result"}},
};

static enum err validate(const struct roam_message *message, enum roam_side side)
{
    return roam_validate(message, side, &arena, &fault);
}

/* Takes a member away from header or body. */
static void take(struct roam_message *m, const char *name)
{
    const struct field *table = roam_type_fields(m->header.type), *row = field_find(table, name);

    if (row)
        m->empty.has &= ~ROAM_BIT(row - table);
    else
        m->header.has &= ~ROAM_BIT(ROAM_HEADER_RESULT);
}

static void ck_misses(const char *type, const char *members, const char *name, bool tolerated)
{
    struct roam_message m = read_good(type, members);

    take(&m, name);
    ck_assert_msg(validate(&m, ROAM_SENT) == ERR_INVALID, "%s without %s", type, name);
    ck_assert_int_eq(fault.code, ROAM_MALFORMED);
    ck_assert_msg(strstr(fault.description, "missing") || strstr(fault.description, "must be"),
                  "%s without %s: %s", type, name, fault.description);
    ck_assert_msg(validate(&m, ROAM_RECEIVED) == (tolerated ? OK : ERR_INVALID), "%s without %s",
                  type, name);
}

START_TEST(every_mandatory_member_is_missed)
{
    for (size_t i = 0; i < sizeof(complete) / sizeof(complete[0]); i++) {
        struct roam_message m = read_good(complete[i].type, complete[i].members);
        bool tolerated = false;

        ck_assert_msg(validate(&m, ROAM_SENT) == OK, "%s %s: %s", complete[i].type,
                      complete[i].members, fault.description);
        ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK);
        for (const char *const *name = complete[i].without; *name; name++) {
            if (**name)
                ck_misses(complete[i].type, complete[i].members, *name, tolerated);
            tolerated = tolerated || !**name;
        }
    }
}
END_TEST

static void ck_fault(const char *type, const char *members, enum roam_side side,
                     enum roam_result_code code, const char *description)
{
    struct roam_message m = read_good(type, members);

    ck_assert_msg(validate(&m, side) == ERR_INVALID, "%s %s", type, members);
    ck_assert_msg(fault.code == code, "%s %s: %d", type, members, (int)fault.code);
    ck_assert_str_eq(fault.description, description);
}

START_TEST(members_of_objects_are_missed)
{
    ck_fault("PRStartReq", DATA ",'ULMetaData':{'ULFreq':868.1}", ROAM_RECEIVED, ROAM_MALFORMED,
             "ULMetaData.DataRate is missing");
    ck_fault("PRStartReq", DATA ",'ULMetaData':{'DataRate':0,'ULFreq':868.1}", ROAM_RECEIVED,
             ROAM_MALFORMED, "ULMetaData.RecvTime is missing");
    ck_fault("PRStartReq", DATA ",'ULMetaData':{" UL_MEMBERS "}", ROAM_SENT, ROAM_MALFORMED,
             "ULMetaData.DevAddr is missing");
    ck_fault("PRStartReq", JOIN ",'ULMetaData':{" UL_MEMBERS "}", ROAM_SENT, ROAM_MALFORMED,
             "ULMetaData.DevEUI is missing");
    ck_fault("PRStopAns", "'Result':{}", ROAM_RECEIVED, ROAM_MALFORMED,
             "Result.ResultCode is missing");
    ck_fault("AppSKeyAns", GRANTED "," EUI ",'SessionKeyID':'01','AppSKey':{}", ROAM_RECEIVED,
             ROAM_MALFORMED, "AppSKey.AESKey is missing");
    ck_fault("HRStartAns", "'Result':{'ResultCode':'StaleDeviceProfile'},'DeviceProfile':{}",
             ROAM_RECEIVED, ROAM_MALFORMED, "DeviceProfile.SupportsClassB is missing");
    ck_fault("HRStartAns",
             "'Result':{'ResultCode':'StaleDeviceProfile'},'DeviceProfile':{'SupportsClassB':true}",
             ROAM_SENT, ROAM_MALFORMED, "DeviceProfile.DeviceProfileID is missing");
    ck_fault("XmitDataReq", "'FRMPayload':'01','ULMetaData':{" UL_MEMBERS "," EUI ",'FCntUp':1}",
             ROAM_RECEIVED, ROAM_MALFORMED, "ULMetaData.FPort is missing");
    ck_fault("XmitDataReq", "'FRMPayload':'01','DLMetaData':{" EUI ",'FPort':1}", ROAM_RECEIVED,
             ROAM_MALFORMED, "DLMetaData.FCntDown is missing");
}
END_TEST

/* Each member of the metadata that a frame, or a payload alone, cannot go without. */
START_TEST(metadata_says_what_it_must)
{
    static const struct {
        const char *type, *members, *object;
        unsigned row;
        bool tolerated;
    } rows[] = {
        {"PRStartReq", DATA "," UL_DATA, "ULMetaData", ROAM_UL_DATA_RATE, false},
        {"PRStartReq", DATA "," UL_DATA, "ULMetaData", ROAM_UL_FREQ, false},
        {"PRStartReq", DATA "," UL_DATA, "ULMetaData", ROAM_UL_RECV_TIME, false},
        {"PRStartReq", DATA "," UL_DATA, "ULMetaData", ROAM_UL_RF_REGION, true},
        {"PRStartReq", DATA "," UL_DATA, "ULMetaData", ROAM_UL_GW_INFO, true},
        {"XmitDataReq", FRM_UL, "ULMetaData", ROAM_UL_DEV_EUI, false},
        {"XmitDataReq", FRM_UL, "ULMetaData", ROAM_UL_F_PORT, false},
        {"XmitDataReq", FRM_UL, "ULMetaData", ROAM_UL_FCNT_UP, false},
        {"XmitDataReq", FRM_UL, "ULMetaData", ROAM_UL_DATA_RATE, false},
        {"XmitDataReq", DATA "," DL, "DLMetaData", ROAM_DL_CLASS_MODE, true},
        {"XmitDataReq", FRM_DL, "DLMetaData", ROAM_DL_DEV_EUI, false},
        {"XmitDataReq", FRM_DL, "DLMetaData", ROAM_DL_FCNT_DOWN, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct roam_message m = read_good(rows[i].type, rows[i].members);
        const struct field *row = field_find(roam_type_fields(m.header.type), rows[i].object);
        struct roam_empty *object = (void *)((char *)&m.empty + row->offset);
        const char *what =
            arena_printf(&arena, "%s.%s is missing", rows[i].object, row->sub[rows[i].row].name);

        ck_assert_int_eq(validate(&m, ROAM_SENT), OK);
        object->has &= ~ROAM_BIT(rows[i].row);
        ck_assert_msg(validate(&m, ROAM_SENT) == ERR_INVALID, "%s", what);
        ck_assert_str_eq(fault.description, what);
        ck_assert_msg(validate(&m, ROAM_RECEIVED) == (rows[i].tolerated ? OK : ERR_INVALID), "%s",
                      what);
    }
}
END_TEST

/* Fields of LoRaWAN are no wider than on air. */
START_TEST(numbers_fit_their_fields)
{
    static const struct {
        const char *type, *member, *end;
        unsigned most;
    } rows[] = {
        {"JoinReq", "'RxDelay':", "", 15},
        {"HRStartReq", "'RxDelay':", "", 15},
        {"XmitDataReq", "'DLMetaData':{'RXDelay1':", "}", 15},
        {"XmitDataReq", "'DLMetaData':{'DataRate1':", "}", 15},
        {"XmitDataReq", "'DLMetaData':{'DataRate2':", "}", 15},
        {"XmitDataReq", "'DLMetaData':{'FPort':", "}", 255},
        {"ProfileAns", "'DeviceProfile':{'RXDelay1':", "}", 15},
        {"ProfileAns", "'DeviceProfile':{'RXDROffset1':", "}", 7},
        {"PRStartAns", "'ServiceProfile':{'DRMax':", "}", 15},
    };
    struct roam_message m;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *most =
            arena_printf(&arena, "%s%u%s", rows[i].member, rows[i].most, rows[i].end);
        const char *more =
            arena_printf(&arena, "%s%u%s", rows[i].member, rows[i].most + 1, rows[i].end);

        (void)read_good(rows[i].type, most);
        ck_assert_msg(read_text(text_of(rows[i].type, more), &m) == ERR_INVALID, "%s", more);
    }
}
END_TEST

START_TEST(payloads_and_directions_exclude_each_other)
{
    const char *payload = "one of PHYPayload and FRMPayload must be there";
    const char *direction = "one of ULMetaData and DLMetaData must be there";

    ck_fault("XmitDataReq",
             DATA ",'FRMPayload':'','DLMetaData':{" EUI ",'FCntDown':0,'FPort':1,"
                  "'ClassMode':'A'}",
             ROAM_RECEIVED, ROAM_MALFORMED, payload);
    ck_fault("XmitDataReq", DL, ROAM_RECEIVED, ROAM_MALFORMED, payload);
    ck_fault("XmitDataReq", DATA, ROAM_RECEIVED, ROAM_MALFORMED, direction);
    ck_fault("XmitDataReq", DATA "," UL_DATA "," DL, ROAM_RECEIVED, ROAM_MALFORMED, direction);
}
END_TEST

START_TEST(ports_of_applications)
{
    struct roam_message m = read_good("XmitDataReq", FRM_DL);
    const char *what = "DLMetaData.FPort is missing or 0";

    ck_fault("XmitDataReq", "'FRMPayload':'01','DLMetaData':{" EUI ",'FPort':0,'FCntDown':1}",
             ROAM_RECEIVED, ROAM_INVALID_FPORT, what);
    ck_fault("XmitDataReq", "'FRMPayload':'01','DLMetaData':{" EUI ",'FCntDown':1}", ROAM_RECEIVED,
             ROAM_INVALID_FPORT, what);
    m.xmit_data_req.dl.has &= ~ROAM_BIT(ROAM_DL_F_PORT); /* has a value, and is not there */
    ck_assert_int_eq(validate(&m, ROAM_SENT), ERR_INVALID);
    ck_assert_int_eq(fault.code, ROAM_INVALID_FPORT);
}
END_TEST

START_TEST(windows_are_whole)
{
    static const struct {
        const char *dl, *what;
        enum roam_side side;
    } bad[] = {
        {"'ClassMode':'A'", "DLMetaData.DLFreq1 or DLFreq2 is missing", ROAM_RECEIVED},
        {"'DLFreq1':868.1", "DLMetaData.DLFreq1 and DataRate1 belong together", ROAM_RECEIVED},
        {"'DLFreq2':868.1,'DataRate2':0,'DataRate1':0",
         "DLMetaData.DLFreq1 and DataRate1 belong together", ROAM_RECEIVED},
        {"'DLFreq2':869.525", "DLMetaData.DLFreq2 and DataRate2 belong together", ROAM_RECEIVED},
        {"'DLFreq1':868.1,'DataRate1':0,'DataRate2':0",
         "DLMetaData.DLFreq2 and DataRate2 belong together", ROAM_RECEIVED},
        {"'ClassMode':'A','DLFreq2':869.525,'DataRate2':0", "DLMetaData.RXDelay1 is missing",
         ROAM_SENT},
        {"'DLFreq2':869.525,'DataRate2':0", "DLMetaData.ClassMode is missing", ROAM_SENT},
        {"'ClassMode':'C','DLFreq1':869.525,'DataRate1':0", "DLMetaData.DLFreq2 is missing",
         ROAM_SENT},
    };
    struct roam_message m;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_fault("XmitDataReq", arena_printf(&arena, DATA ",'DLMetaData':{%s}", bad[i].dl),
                 bad[i].side, ROAM_MALFORMED, bad[i].what);
    m = read_good("XmitDataReq",
                  DATA ",'DLMetaData':{'ClassMode':'C','DLFreq2':869.525,'DataRate2':0}");
    ck_assert_int_eq(validate(&m, ROAM_SENT), OK);
    m = read_good("XmitDataReq",
                  DATA ",'DLMetaData':{'ClassMode':'A','DLFreq2':869.525,'DataRate2':0}");
    ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK); /* RX2 of a RXDelay1 that is not told */
    ck_fault("PRStartAns", GRANTED ",'DLMetaData':{}", ROAM_RECEIVED, ROAM_MALFORMED,
             "DLMetaData.DLFreq1 or DLFreq2 is missing");
    ck_fault("HRStartAns",
             GRANTED "," ACCEPT ",'ServiceProfile':{}," KEYS_1_1 ",'DLMetaData':{'DLFreq1':868.1}",
             ROAM_RECEIVED, ROAM_MALFORMED, "DLMetaData.DLFreq1 and DataRate1 belong together");
}
END_TEST

START_TEST(keys_of_one_version)
{
    const char *what = "NwkSKey or FNwkSIntKey, SNwkSIntKey and NwkSEncKey must be there";
    static const char *const bad[] = {
        "'Lifetime':0",
        KEY("NwkSKey") "," KEY("FNwkSIntKey"),
        KEY("NwkSKey") "," KEY("SNwkSIntKey"),
        KEY("NwkSKey") "," KEY("NwkSEncKey"),
        KEY("FNwkSIntKey") "," KEY("SNwkSIntKey"),
        KEY("FNwkSIntKey") "," KEY("NwkSEncKey"),
        KEY("SNwkSIntKey") "," KEY("NwkSEncKey"),
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_fault("JoinAns",
                 arena_printf(&arena, GRANTED "," ACCEPT ",'SessionKeyID':'01',%s", bad[i]),
                 ROAM_RECEIVED, ROAM_MALFORMED, what);
        ck_fault("HRStartAns",
                 arena_printf(&arena, GRANTED "," ACCEPT ",'ServiceProfile':{}," DL ",%s", bad[i]),
                 ROAM_RECEIVED, ROAM_MALFORMED, what);
    }
    ck_fault("JoinAns", GRANTED "," ACCEPT "," KEY("NwkSKey"), ROAM_RECEIVED, ROAM_MALFORMED,
             "AppSKey or SessionKeyID is missing");
    ck_fault("PRStartAns", GRANTED "," KEY("NwkSKey") "," KEY("FNwkSIntKey"), ROAM_RECEIVED,
             ROAM_MALFORMED, "NwkSKey and FNwkSIntKey exclude each other");
    ck_fault("HRStartAns", GRANTED "," KEY("AppSKey"), ROAM_SENT, ROAM_MALFORMED,
             "AppSKey and SessionKeyID are not handed on");
    ck_fault("HRStartAns", GRANTED ",'SessionKeyID':'01'", ROAM_SENT, ROAM_MALFORMED,
             "AppSKey and SessionKeyID are not handed on");
    ck_fault("HRStartReq", "'DevAddr':'fc048d55'", ROAM_RECEIVED, ROAM_MALFORMED,
             "PHYPayload or DevEUI is missing");
    ck_fault("HRStartReq", EUI ",'RxDelay':1", ROAM_SENT, ROAM_MALFORMED,
             "DevEUI without a PHYPayload stands alone");
    ck_fault("PRStartAns",
             GRANTED "," ACCEPT "," EUI ",'Lifetime':0,'DLMetaData':{'ClassMode':'C',"
                     "'DLFreq2':869.525,'DataRate2':0}",
             ROAM_SENT, ROAM_MALFORMED, "DLMetaData.ClassMode of a Join-accept must be A");
}
END_TEST

/* `n` octets in hex. */
static const char *octets(size_t n)
{
    char *text = arena_alloc(&arena, 2 * n + 1);

    memset(text, '0', 2 * n);
    return text;
}

/* 16 octets in clear, 24 wrapped: a key in clear under a label would be one that was not wrapped.
 */
START_TEST(keys_are_sent_as_their_label_says)
{
    static const struct {
        const char *label;
        size_t octets;
        bool good;
    } rows[] = {
        {"", 16, true},
        {"'KEKLabel':'',", 16, true},
        {"'KEKLabel':'kek',", 24, true},
        {"", 15, false},
        {"'KEKLabel':'',", 24, false},
        {"'KEKLabel':'kek',", 16, false},
        {"'KEKLabel':'kek',", 23, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *members = arena_printf(
            &arena,
            GRANTED "," ACCEPT ",'Lifetime':0,'SessionKeyID':'01','NwkSKey':{%s'AESKey':'%s'}",
            rows[i].label, octets(rows[i].octets));
        struct roam_message m = read_good("JoinAns", members);

        ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK); /* roam_key_unwrap tells */
        if (rows[i].good)
            ck_assert_int_eq(validate(&m, ROAM_SENT), OK);
        else
            ck_fault("JoinAns", members, ROAM_SENT, ROAM_MALFORMED,
                     arena_printf(&arena, "NwkSKey.AESKey has %zu octets", rows[i].octets));
    }
}
END_TEST

#define CLASS_B "'ClassBTimeout':1,'PingSlotPeriod':32,'PingSlotDR':3,'PingSlotFreq':869.525"
#define ABP                                                                                        \
    "'RXDelay1':1,'RXDROffset1':0,'RXDataRate2':0,'RXFreq2':869.525,'FactoryPresetFreqs':[868.1]"

static struct roam_message profile_of(const char *type, const char *result, const char *members)
{
    return read_good(
        type, arena_printf(&arena,
                           "'Result':{'ResultCode':'%s'},'RoamingActivationType':'Handover'," STAMP
                           ",'DeviceProfile':{'DeviceProfileID':'dp','MACVersion':'1.1',"
                           "'RegParamsRevision':'A','MaxEIRP':16,'RFRegion':'EU868',%s}",
                           result, members));
}

static void ck_profile(const char *members, const char *missing)
{
    struct roam_message ans = profile_of("ProfileAns", "Success", members);
    struct roam_message stale = profile_of("HRStartAns", "StaleDeviceProfile", members);

    ck_assert_int_eq(validate(&ans, ROAM_RECEIVED), OK);
    ck_assert_int_eq(validate(&stale, ROAM_RECEIVED), OK);
    ck_assert_int_eq(validate(&stale, ROAM_SENT), missing ? ERR_INVALID : OK);
    ck_assert_int_eq(validate(&ans, ROAM_SENT), missing ? ERR_INVALID : OK);
    if (missing)
        ck_assert_str_eq(fault.description, arena_printf(&arena, "%s is missing", missing));
}

START_TEST(device_profiles_are_whole)
{
    const char *plain = "'SupportsClassB':false,'SupportsClassC':false,'SupportsJoin':true";
    const char *all = "'SupportsClassB':true,'SupportsClassC':true,'SupportsJoin':false," CLASS_B
                      ",'ClassCTimeout':5," ABP;

    ck_profile(plain, NULL);
    ck_profile(all, NULL);
    ck_profile("'SupportsClassB':true,'SupportsClassC':false,'SupportsJoin':true,'ClassBTimeout':1",
               "PingSlotPeriod");
    ck_profile("'SupportsClassB':false,'SupportsClassC':true,'SupportsJoin':true", "ClassCTimeout");
    ck_profile("'SupportsClassB':false,'SupportsClassC':false,'SupportsJoin':false", "RXDelay1");
}
END_TEST

START_TEST(refusals_want_nothing_else)
{
    static const char *const types[] = {"JoinAns",    "RejoinAns",  "AppSKeyAns", "PRStartAns",
                                        "PRStopAns",  "HRStartAns", "HRStopAns",  "HomeNSAns",
                                        "ProfileAns", "XmitDataAns"};
    struct roam_message refusal;

    for (size_t i = 0; i < 10; i++) {
        struct roam_message m = read_good(
            types[i], "'Result':{'ResultCode':'Other'},'PHYPayload':'20c70089e9c06a17068e6a"
                      "a39607214d0d'");

        ck_assert_msg(validate(&m, ROAM_RECEIVED) == OK, "%s: %s", types[i], fault.description);
    }
    refusal = read_good("ProfileAns",
                        "'Result':{'ResultCode':'Other'},'RoamingActivationType':'Handover'");
    ck_assert_int_eq(validate(&refusal, ROAM_RECEIVED), OK);
}
END_TEST

/* What may be refused before anyone looked at the body is answered without one. */
START_TEST(refusals_can_be_sent_without_a_body)
{
    for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++) {
        struct roam_message m, answer;

        if (!roam_type_is_request(type) || roam_type_is_1_1(type))
            continue;
        m = read_good(roam_type_text(type), "");
        roam_answer_init(&answer, &m, (struct roam_fault){ROAM_MALFORMED, "DevEUI is missing"});
        ck_assert_msg(validate(&answer, ROAM_SENT) == OK, "%s: %s", roam_type_text(type),
                      fault.description);
    }
}
END_TEST

/* What is for Success alone is not sent with a refusal, keys least of all. */
START_TEST(refusals_give_nothing_away)
{
    static const struct {
        const char *type, *members, *what;
    } rows[] = {
        {"JoinAns", ACCEPT, "PHYPayload"},
        {"JoinAns", "'Lifetime':0", "Lifetime"},
        {"JoinAns", KEY("NwkSKey"), "NwkSKey"},
        {"RejoinAns", KEY("SNwkSIntKey"), "SNwkSIntKey"},
        {"AppSKeyAns", EUI ",'SessionKeyID':'01'," KEY("AppSKey"), "AppSKey"},
        {"PRStartAns", KEY("FNwkSIntKey"), "FNwkSIntKey"},
        {"PRStartAns", "'DevAddr':'e014caff'", "DevAddr"},
        {"PRStartAns", DL, "DLMetaData"},
        {"HRStartAns", KEY("NwkSEncKey"), "NwkSEncKey"},
        {"HomeNSAns", "'HNetID':'60000a'", "HNetID"},
        {"ProfileAns", "'RoamingActivationType':'Passive'", "RoamingActivationType"},
        {"XmitDataAns", "'DLFreq1':868.1", "DLFreq1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *members =
            arena_printf(&arena, "'Result':{'ResultCode':'Other'},%s", rows[i].members);
        struct roam_message m = read_good(rows[i].type, members);

        ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK);
        ck_fault(rows[i].type, members, ROAM_SENT, ROAM_MALFORMED,
                 arena_printf(&arena, "%s is not for a refusal", rows[i].what));
    }
}
END_TEST

static void ck_sizes(const char *type, const char *name, const char *others, const char *good)
{
    for (size_t n = 1; n <= 300; n++) {
        const char *members = arena_printf(&arena, "'%s':'%s'%s", name, octets(n), others);
        struct roam_message m = read_good(type, members);

        if (strchr(good, '-')
                ? n >= strtoul(good, NULL, 10) && n <= strtoul(strchr(good, '-') + 1, NULL, 10)
                : strstr(good, arena_printf(&arena, " %zu ", n)) != NULL) {
            ck_assert_msg(validate(&m, ROAM_RECEIVED) == OK, "%s %zu: %s", type, n,
                          fault.description);
            continue;
        }
        ck_assert_msg(validate(&m, ROAM_RECEIVED) == ERR_INVALID, "%s %zu", type, n);
        ck_assert_int_eq(fault.code, ROAM_FRAME_SIZE_ERROR);
        ck_assert_str_eq(fault.description, arena_printf(&arena, "%s has %zu octets", name, n));
    }
}

START_TEST(sizes_of_frames)
{
    const char *join =
        ",'MACVersion':'1.1'," EUI ",'DevAddr':'e0140b0b','DLSettings':'80','RxDelay':1";
    const char *accept = "," GRANTED "," KEY("NwkSKey") ",'SessionKeyID':'01'";

    ck_sizes("JoinReq", "PHYPayload", join, " 23 ");
    ck_sizes("RejoinReq", "PHYPayload", join, " 19 24 ");
    ck_sizes("JoinAns", "PHYPayload", accept, " 17 33 ");
    ck_sizes("RejoinAns", "PHYPayload", accept, " 17 33 ");
    ck_sizes("PRStartReq", "PHYPayload", "," UL_DATA, "12-255");
    ck_sizes("PRStartAns", "PHYPayload", "," GRANTED "," DL, " 17 33 ");
    ck_sizes("HRStartReq", "PHYPayload",
             ",'MACVersion':'1.1','DevAddr':'fc048d55','DLSettings':'80','RxDelay':1," STAMP
             "," UL_JOIN,
             " 19 23 24 ");
    ck_sizes("HRStartAns", "PHYPayload", "," GRANTED ",'ServiceProfile':{}," DL "," KEY("NwkSKey"),
             " 17 33 ");
    ck_sizes("XmitDataReq", "PHYPayload", "," DL, "12-255");
    ck_sizes("XmitDataReq", "FRMPayload", ",'DLMetaData':{" EUI ",'FPort':1,'FCntDown':1}",
             "0-242");
}
END_TEST

/* ---- versions ------------------------------------------------------------------------------- */

START_TEST(headers_by_version)
{
    struct roam_message m = read_good("PRStopReq", EUI);

    for (unsigned i = ROAM_HEADER_PROTOCOL_VERSION; i <= ROAM_HEADER_MESSAGE_TYPE; i++) {
        struct roam_message less = m;

        less.header.has &= ~ROAM_BIT(i);
        ck_assert_int_eq(validate(&less, ROAM_RECEIVED), ERR_INVALID);
        ck_assert_str_eq(fault.description,
                         arena_printf(&arena, "%s is missing", roam_header_fields[i].name));
        ck_assert(!roam_is_answerable(&less));
    }
    m.header.protocol_version = "2.0";
    ck_assert_int_eq(validate(&m, ROAM_RECEIVED), ERR_INVALID);
    ck_assert_int_eq(fault.code, ROAM_INVALID_PROTOCOL_VERSION);
    m.header.protocol_version = "1.1";
    ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK);
    ck_assert_int_eq(validate(&m, ROAM_SENT), ERR_INVALID);
    ck_assert_str_eq(fault.description, "SenderNSID is missing");
    roam_put(&m.header, ROAM_HEADER_SENDER_NSID);
    ck_assert_int_eq(validate(&m, ROAM_SENT), OK);
    m.header.has &= ~ROAM_BIT(ROAM_HEADER_SENDER_NSID);
    m.header.sender = roam_id_of_join_eui((struct lw_eui){1}); /* only networks have one */
    ck_assert_int_eq(validate(&m, ROAM_SENT), OK);
}
END_TEST

START_TEST(types_of_1_1)
{
    struct roam_message m = read_good("PRStartNotif", GRANTED);

    ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK);
    ck_assert_int_eq(validate(&m, ROAM_SENT), ERR_INVALID);
    ck_assert_str_eq(fault.description, "PRStartNotif needs protocol version 1.1");
    ck_assert(!roam_is_answerable(&m));
    m = read_good("ErrorNotif", GRANTED ",'PHYPayload':'00'");
    ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK);
    m = read_good("PRStartNotif", "");
    ck_assert_int_eq(validate(&m, ROAM_RECEIVED), ERR_INVALID);
    ck_assert_str_eq(fault.description, "Result is missing");
    m = read_good("XmitLocAns", GRANTED);
    ck_assert_int_eq(validate(&m, ROAM_RECEIVED), OK);
    ck_fault("XmitLocReq", "", ROAM_RECEIVED, ROAM_MALFORMED, "XmitLocReq is not agreed upon");
}
END_TEST

START_TEST(types_are_paired)
{
    for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++) {
        const char *name = roam_type_text(type);
        bool answer = strcmp(name + strlen(name) - 3, "Ans") == 0;
        bool request = strcmp(name + strlen(name) - 3, "Req") == 0;

        ck_assert(roam_type_is_answer(type) == answer && roam_type_is_request(type) == request);
        if (request)
            ck_assert(strncmp(name, roam_type_text(type + 1), strlen(name) - 3) == 0);
    }
    ck_assert(!roam_type_is_request(ROAM_TYPE_UNKNOWN) && !roam_type_is_1_1(ROAM_TYPE_UNKNOWN));
    ck_assert(!roam_type_is_1_1(ROAM_XMIT_DATA_ANS) && roam_type_is_1_1(ROAM_ERROR_NOTIF));
}
END_TEST

START_TEST(answers_take_over_the_header)
{
    struct roam_message m = read_good("HomeNSReq", EUI ",'SenderToken':'01','ReceiverToken':'02'"),
                        a;

    m.header.protocol_version = "1.1";
    m.header.sender_nsid.v = 1;
    m.header.receiver_nsid.v = 2;
    m.header.has |= ROAM_BIT(ROAM_HEADER_SENDER_NSID) | ROAM_BIT(ROAM_HEADER_RECEIVER_NSID);
    roam_answer_init(&a, &m, (struct roam_fault){ROAM_UNKNOWN_DEV_EUI, "who?"});
    ck_assert_str_eq(print_as(&a, ROAM_STANDARD),
                     quoted("{'ProtocolVersion':'1.1','SenderID':'60000a','ReceiverID':'c00123',"
                            "'TransactionID':7,'MessageType':'HomeNSAns',"
                            "'SenderNSID':'0000000000000002','ReceiverNSID':'0000000000000001',"
                            "'SenderToken':'02','ReceiverToken':'01',"
                            "'Result':{'ResultCode':'UnknownDevEUI','Description':'who?'}}"));
    ck_assert_int_eq(validate(&a, ROAM_SENT), OK);
}
END_TEST

START_TEST(messages_of_ours)
{
    struct roam_message m;

    roam_message_init(&m, ROAM_1_0, ROAM_PR_STOP_REQ, 99);
    m.header.sender = roam_id_of_net_id((struct lw_net_id){0x60000a});
    m.header.receiver = roam_id_of_net_id((struct lw_net_id){0xc00123});
    ck_assert_int_eq(validate(&m, ROAM_SENT), ERR_INVALID);
    m.pr_stop_req.dev_eui.v = 0xa0b1c2d3e4f50001;
    roam_put(&m.pr_stop_req, ROAM_PR_STOP_REQ_DEV_EUI);
    ck_assert_int_eq(validate(&m, ROAM_SENT), OK);
    ck_assert_str_eq(print_as(&m, ROAM_STANDARD),
                     quoted("{'ProtocolVersion':'1.0','SenderID':'60000a','ReceiverID':'c00123',"
                            "'TransactionID':99,'MessageType':'PRStopReq',"
                            "'DevEUI':'a0b1c2d3e4f50001'}"));
}
END_TEST

START_TEST(vectors_are_valid)
{
    struct json_object *root = vec_load("backend-interfaces.json"), *list = vec(root, "messages");

    for (size_t i = 0; i < 2 * vec_count(list); i++) {
        struct json_object *pair = vec_at(list, i / 2);
        struct json_object *json = vec(pair, i % 2 ? "answer" : "request");
        const char *id = vec_str(pair, "id");
        enum roam_result_code code = strcmp(id, "V26") == 0   ? ROAM_INVALID_FPORT
                                     : strcmp(id, "V41") == 0 ? ROAM_INVALID_PROTOCOL_VERSION
                                                              : ROAM_SUCCESS;
        struct roam_message m;

        if (!json)
            continue;
        ck_assert_int_eq(read_text(json_object_to_json_string(json), &m), OK);
        /* V40 shows a ResultCode and leaves out a DevAddr as some peers do. */
        (void)!validate(&m, strcmp(id, "V40") == 0 ? ROAM_RECEIVED : ROAM_SENT);
        ck_assert_msg(fault.code == (i % 2 ? ROAM_SUCCESS : code), "%s: %s", id, fault.description);
    }
    json_object_put(root);
}
END_TEST

/* ---- ResultCodes ---------------------------------------------------------------------------- */

START_TEST(every_drop_reason_has_a_code)
{
    static const enum drop good[] = {DROP_NONE, DROP_DUPLICATE_DATAGRAM, DROP_LATE_COPY,
                                     DROP_REPETITION, DROP_NOTHING_TO_SEND};
    bool codes[ROAM_RESULT_COUNT] = {false};

    for (enum drop drop = 0; drop < DROP_COUNT; drop++) {
        enum roam_result_code code = roam_result_of_drop(drop);
        bool granted = false;

        for (size_t i = 0; i < 5; i++)
            granted = granted || good[i] == drop;
        ck_assert_msg((code == ROAM_SUCCESS) == granted, "%s", drop_label(drop));
        codes[code] = true;
    }
    ck_assert(codes[ROAM_MIC_FAILED] && codes[ROAM_UNKNOWN_DEV_ADDR] && codes[ROAM_FRAME_REPLAYED]);
    ck_assert_int_eq(roam_result_of_drop(DROP_COUNT), ROAM_OTHER);
    ck_assert_int_eq(roam_result_of_drop((enum drop)(DROP_COUNT + 1)), ROAM_OTHER);
    ck_assert_int_eq(roam_result_of_drop(DROP_UNKNOWN_DEVICE), ROAM_UNKNOWN_DEV_EUI);
    ck_assert_int_eq(roam_result_of_drop(DROP_UNKNOWN_DEVADDR), ROAM_UNKNOWN_DEV_ADDR);
    ck_assert_int_eq(roam_result_of_drop(DROP_MIC), ROAM_MIC_FAILED);
    ck_assert_int_eq(roam_result_of_drop(DROP_JOIN_MIC), ROAM_MIC_FAILED);
    ck_assert_int_eq(roam_result_of_drop(DROP_FCNT_REPLAY), ROAM_FRAME_REPLAYED);
    ck_assert_int_eq(roam_result_of_drop(DROP_DEVICE_DISABLED), ROAM_DEV_ROAMING_DISALLOWED);
    ck_assert_int_eq(roam_result_of_drop(DROP_NOT_OTAA), ROAM_ACTIVATION_DISALLOWED);
    ck_assert_int_eq(roam_result_of_drop(DROP_DEV_NONCE_USED), ROAM_JOIN_REQ_FAILED);
    ck_assert_int_eq(roam_result_of_drop(DROP_TOO_LONG), ROAM_FRAME_SIZE_ERROR);
    ck_assert_int_eq(roam_result_of_drop(DROP_NO_DOWNLINK_PATH), ROAM_XMIT_FAILED);
    ck_assert_int_eq(roam_result_of_drop(DROP_MALFORMED_FRAME), ROAM_MALFORMED);
    ck_assert_int_eq(roam_result_of_drop(DROP_OVERLOAD), ROAM_OTHER);
}
END_TEST

START_TEST(result_codes_have_names_and_help)
{
    for (unsigned code = 0; code < ROAM_RESULT_COUNT; code++) {
        ck_assert(*roam_result_names_1_0[code] && *roam_result_names_1_1[code]);
        ck_assert(*roam_result_help(code));
    }
    ck_assert_ptr_null(roam_result_names_1_0[ROAM_RESULT_COUNT]);
    ck_assert_str_eq(roam_result_help(ROAM_RESULT_COUNT), "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_mandatory_member_is_missed,
        members_of_objects_are_missed,
        metadata_says_what_it_must,
        numbers_fit_their_fields,
        payloads_and_directions_exclude_each_other,
        ports_of_applications,
        windows_are_whole,
        keys_of_one_version,
        keys_are_sent_as_their_label_says,
        device_profiles_are_whole,
        refusals_want_nothing_else,
        refusals_can_be_sent_without_a_body,
        refusals_give_nothing_away,
        sizes_of_frames,
        headers_by_version,
        types_of_1_1,
        types_are_paired,
        answers_take_over_the_header,
        messages_of_ours,
        vectors_are_valid,
        every_drop_reason_has_a_code,
        result_codes_have_names_and_help,
        NULL,
    };
    int status;

    arena_init(&arena, 512u << 20);
    status = run_suite(suite_of("roaming/validate", tests));
    arena_reset(&arena);
    return status;
}
