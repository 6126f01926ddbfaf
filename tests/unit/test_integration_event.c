/* The JSON of each event, held against a text that integrations rely on. */
#include "integration/event.h"
#include "region/region.h"
#include "tests/suite.h"

#include <string.h>

#define INFO                                                                                       \
    "\"deviceInfo\":{\"tenantId\":\"01000000-0000-0000-0000-000000000000\",\"tenantName\":\"t\","  \
    "\"applicationId\":\"02000000-0000-0000-0000-000000000000\",\"applicationName\":\"a\","        \
    "\"deviceProfileId\":\"03000000-0000-0000-0000-000000000000\",\"deviceProfileName\":\"p\","    \
    "\"deviceName\":\"d\",\"devEui\":\"70b3d57ed0000001\",\"deviceClassEnabled\":\"CLASS_A\","     \
    "\"tags\":{\"k\":\"v\"}}"
#define HEAD                                                                                       \
    "{\"deduplicationId\":\"04000000-0000-0000-0000-000000000000\","                               \
    "\"time\":\"2026-05-28T20:26:40.123Z\"," INFO ","

static bool locate(void *arg, struct lw_eui gateway, struct gateway_location *location)
{
    (void)arg;
    *location = (struct gateway_location){52.5, 13.25, 30};
    return gateway.v == 0x0102030405060708u;
}

static struct tag tag = {"k", "v"};

static struct event_context context = {.dev_eui = {0x70b3d57ed0000001u},
                                       .utc_us = 1780000000123456,
                                       .tenant_id = {{1}},
                                       .application_id = {{2}},
                                       .device_profile_id = {{3}},
                                       .tenant_name = "t",
                                       .application_name = "a",
                                       .device_profile_name = "p",
                                       .device_name = "d",
                                       .tags = {&tag, 1},
                                       .locate = locate};

static void expect(enum event_type type, const struct event_facts *facts, const char *text)
{
    struct jw jw;
    char *got;

    jw_init(&jw, 65536);
    event_print(&jw, type, facts, &context);
    got = jw_take(&jw);
    ck_assert_str_eq(got, text);
    free(got);
}

START_TEST(up)
{
    const uint8_t data[] = {1, 2, 3};
    const struct copy copies[] = {
        {.gateway = {0x0102030405060708u},
         .utc_us = 1780000000100000,
         .tmst = 0x01020304,
         .frequency_hz = 868100000,
         .rate = {.kind = MOD_LORA, .sf = 7, .coding_rate = 1, .bandwidth_hz = 125000},
         .rssi_dbm = -60,
         .snr_cb = 75,
         .crc = CRC_OK,
         .flags = COPY_HAS_TMMS,
         .gps_ms = 1464035218123,
         .region = REGION_EU868,
         .uplink_id = 9},
        {.gateway = {2}, .utc_us = 1780000000100000, .crc = CRC_OK, .snr_cb = -5}};
    const struct event_facts facts = {.dedup_id = {{4}},
                                      .dev_addr = {0x26011bda},
                                      .fcnt = 65537,
                                      .f_port = 10,
                                      .dr = 5,
                                      .adr = true,
                                      .data = {data, 3},
                                      .copies = copies,
                                      .copy_count = 2};

    expect(EVENT_UP, &facts,
           HEAD
           "\"devAddr\":\"26011bda\",\"adr\":true,\"dr\":5,\"fCnt\":65537,\"fPort\":10,"
           "\"confirmed\":false,\"data\":\"AQID\",\"rxInfo\":[{\"gatewayId\":"
           "\"0102030405060708\",\"uplinkId\":9,\"nsTime\":\"2026-05-28T20:26:40.100Z\","
           "\"timeSinceGpsEpoch\":\"1464035218.123s\",\"rssi\":-60,\"snr\":7.5,\"channel\":0,"
           "\"rfChain\":0,\"board\":0,\"antenna\":0,\"location\":{\"latitude\":52.5,"
           "\"longitude\":13.25,\"altitude\":30},\"context\":\"AQIDBA==\",\"crcStatus\":"
           "\"CRC_OK\",\"metadata\":{\"region_common_name\":\"EU868\",\"region_config_id\":"
           "\"eu868\"}},{\"gatewayId\":\"0000000000000002\",\"uplinkId\":0,\"nsTime\":"
           "\"2026-05-28T20:26:40.100Z\",\"rssi\":0,\"snr\":-0.5,\"channel\":0,\"rfChain\":0,"
           "\"board\":0,\"antenna\":0,\"context\":\"AAAAAA==\",\"crcStatus\":\"CRC_OK\","
           "\"metadata\":{\"region_common_name\":\"EU868\",\"region_config_id\":\"eu868\"}}],"
           "\"txInfo\":{\"frequency\":868100000,\"modulation\":{\"lora\":{\"bandwidth\":125000,"
           "\"spreadingFactor\":7,\"codeRate\":\"CR_4_5\"}}}}");
}
END_TEST

START_TEST(small_ones)
{
    struct event_facts facts = {.dedup_id = {{4}},
                                .dev_addr = {0x26011bda},
                                .join_eui = {0x1122334455667788u},
                                .queue_item_id = {{5}},
                                .fcnt_down = 7,
                                .battery = 127,
                                .margin = -3,
                                .level = 1,
                                .code = "OTAA",
                                .description = "no"};

    expect(EVENT_JOIN, &facts, HEAD "\"devAddr\":\"26011bda\",\"joinEui\":\"1122334455667788\"}");
    expect(EVENT_ACK, &facts,
           HEAD "\"queueItemId\":\"05000000-0000-0000-0000-000000000000\",\"acknowledged\":false,"
                "\"fCntDown\":7}");
    expect(EVENT_STATUS, &facts,
           HEAD "\"margin\":-3,\"externalPowerSource\":false,\"batteryLevelUnavailable\":false,"
                "\"batteryLevel\":50}");
    facts.battery = 0;
    expect(EVENT_STATUS, &facts,
           HEAD "\"margin\":-3,\"externalPowerSource\":true,\"batteryLevelUnavailable\":false,"
                "\"batteryLevel\":0}");
    facts.battery = 255;
    expect(EVENT_STATUS, &facts,
           HEAD "\"margin\":-3,\"externalPowerSource\":false,\"batteryLevelUnavailable\":true,"
                "\"batteryLevel\":0}");
    facts.battery = 253;
    expect(EVENT_STATUS, &facts,
           HEAD "\"margin\":-3,\"externalPowerSource\":false,\"batteryLevelUnavailable\":false,"
                "\"batteryLevel\":99.61}");
    expect(EVENT_LOG, &facts,
           HEAD "\"level\":\"WARNING\",\"code\":\"OTAA\",\"description\":\"no\",\"context\":{}}");
}
END_TEST

START_TEST(txack)
{
    struct event_facts facts = {.dedup_id = {{4}},
                                .downlink_id = 77,
                                .queue_item_id = {{5}},
                                .fcnt_down = 7,
                                .rung = {.gateway = {0x0102030405060708u},
                                         .frequency_hz = 869525000,
                                         .eirp_dbm = 27,
                                         .rate = {.kind = MOD_FSK, .bit_rate = 50000}}};

    expect(EVENT_TXACK, &facts,
           HEAD "\"downlinkId\":77,\"queueItemId\":\"05000000-0000-0000-0000-000000000000\","
                "\"fCntDown\":7,\"gatewayId\":\"0102030405060708\",\"txInfo\":{\"frequency\":"
                "869525000,\"power\":27,\"modulation\":{\"fsk\":{\"frequencyDeviation\":25000,"
                "\"datarate\":50000}}}}");
    facts.rung.frequency_hz = 2403000000;
    facts.rung.rate =
        (struct data_rate){.kind = MOD_LORA, .sf = 9, .coding_rate = 4, .bandwidth_hz = 812500};
    expect(EVENT_TXACK, &facts,
           HEAD "\"downlinkId\":77,\"queueItemId\":\"05000000-0000-0000-0000-000000000000\","
                "\"fCntDown\":7,\"gatewayId\":\"0102030405060708\",\"txInfo\":{\"frequency\":"
                "2403000000,\"power\":27,\"modulation\":{\"lora\":{\"bandwidth\":812500,"
                "\"spreadingFactor\":9,\"codeRate\":\"CR_LI_4_8\"}}}}");
}
END_TEST

int main(void)
{
    static const TTest *tests[4];

    tests[0] = up;
    tests[1] = small_ones;
    tests[2] = txack;
    return run_suite(suite_of("integration_event", tests));
}
