/*
 * bench_protocol.c - what the protocol knowledge costs: one operation each, in nanoseconds of CPU.
 * Prints least and median of RUNS runs; `./dev bench-protocol` runs it.
 */
#include "lorawan/frame.h"
#include "lorawan/mac.h"
#include "relay/forward.h"
#include "relay/wor.h"
#include "roaming/message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 9

static volatile uint64_t sink; /* keeps what is computed */

static int64_t cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(const char *name, void (*run)(void), unsigned rounds)
{
    double ns[RUNS];

    for (unsigned r = 0; r < RUNS; r++) {
        int64_t start = cpu_ns();

        for (unsigned i = 0; i < rounds; i++)
            run();
        ns[r] = (double)(cpu_ns() - start) / rounds;
    }
    qsort(ns, RUNS, sizeof(ns[0]), by_value);
    (void)printf("%-52s %9.1f %9.1f\n", name, ns[0], ns[RUNS / 2]);
}

/* ---- a frame of 30 octets: the length of spec and of most sensors ---------------------------- */

static const struct lw_key key = {{0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15,
                                   0x88, 0x09, 0xcf, 0x4f, 0x3c}};
static const struct lw_key other = {{1, 2, 3}};
static uint8_t phy[30];
static struct lw_frame frame;

static void prepare(void)
{
    static const uint8_t payload[17] = "seventeen octets";
    struct wr wr = wr_of(phy, sizeof(phy));
    struct lw_data data = {.dev_addr = {0x26011bda},
                           .fctrl = LW_FCTRL_ADR,
                           .port = 10,
                           .payload = {payload, sizeof(payload)}};
    struct lw_seal seal = {
        .fcnt = 70000, .f_nwk_s_int = &key, .nwk_s_enc = &key, .app_s_key = &other};

    if (lw_data_write(&wr, LW_UNCONFIRMED_UP, &data, &seal) != OK ||
        lw_frame_read(wr_bytes(&wr), &frame) != DROP_NONE || wr_len(&wr) != sizeof(phy))
        abort();
}

static void parse(void)
{
    struct lw_frame read;

    sink += lw_frame_read((struct bytes){phy, sizeof(phy)}, &read) + read.data.fcnt;
}

static void mic_10(void)
{
    struct lw_mic_input in = lw_mic_input_of(&frame, 70000);

    sink += lw_mic_10(&key, &in);
}

static void mic_11(void)
{
    struct lw_mic_input in = lw_mic_input_of(&frame, 70000);

    sink += lw_mic_up_11(&key, &other, &in);
}

static void decrypt(void)
{
    struct lw_crypt which = {frame.data.dev_addr, 70000, LW_UP};
    uint8_t plain[LW_PHY_MAX];

    lw_crypt_payload(&other, &which, frame.data.payload, plain);
    sink += plain[0];
}

/* ---- MAC commands ---------------------------------------------------------------------------- */

static void mac_stream(void)
{
    /* LinkADRAns twice, DevStatusAns, RXParamSetupAns, NewChannelAns, LinkCheckReq: 13 octets. */
    static const uint8_t octets[] = {0x03, 7, 0x03, 7, 0x06, 0xff, 0x0a, 0x05, 7, 0x07, 3, 0x02};
    struct lw_cmd_iter iter = lw_mac_iter_of((struct bytes){octets, sizeof(octets)}, LW_UP);
    struct lw_cmd cmd;

    while (lw_cmd_next(&iter, &cmd))
        sink += cmd.cid;
}

static void mac_block(void)
{
    struct lw_link_adr_req req = {5, 3, 0x00ff, 0, 1};
    uint8_t room[LW_MAC_CMD_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    lw_link_adr_req_write(&wr, &req);
    sink += lw_link_adr_req_read((struct bytes){room + 1, wr_len(&wr) - 1}, &req);
}

/* ---- relay ----------------------------------------------------------------------------------- */

static void relay_forward(void)
{
    static const struct relay_metadata metadata = {868100000, -97, 7, 5, RELAY_WOR_DEFAULT};
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct relay_forward_uplink forward;

    relay_forward_uplink_write(&wr, &metadata, frame.phy);
    sink += relay_forward_uplink_read(wr_bytes(&wr), region_get(REGION_EU868), &forward);
}

static void relay_wor_uplink(void)
{
    static const struct relay_wor_keys keys = {{{1}}, {{2}}};
    struct relay_exchange exchange = {&keys,          {0x260b1a2b},   7,
                                      {868100000, 5}, {865100000, 3}, {865300000, 3}};
    uint8_t room[RELAY_WOR_UPLINK_LEN];
    struct wr wr = wr_of(room, sizeof(room));
    struct relay_wor wor;

    relay_wor_uplink_write(&wr, &exchange);
    sink += relay_wor_read(wr_bytes(&wr), &wor);
    sink += relay_wor_open(&wor, &exchange);
}

/* ---- roaming --------------------------------------------------------------------------------- */

#define GATEWAY(id, rssi)                                                                          \
    "{\"ID\":\"" id "\",\"RFRegion\":\"EU868\",\"RSSI\":" rssi ",\"SNR\":6.5,\"Lat\":48.8584,"     \
    "\"Lon\":2.2945,\"ULToken\":\"0102030405060708aabbccdd\",\"DLAllowed\":true}"

static const char pr_start_req[] =
    "{\"ProtocolVersion\":\"1.0\",\"SenderID\":\"00002b\",\"ReceiverID\":\"60000a\","
    "\"TransactionID\":3005,\"MessageType\":\"PRStartReq\","
    "\"PHYPayload\":\"80ffca14e08002000af049850ceef45feb\",\"ULMetaData\":{\"DevAddr\":"
    "\"e014caff\","
    "\"DataRate\":5,\"ULFreq\":868.5,\"RecvTime\":\"2026-03-01T12:00:00Z\",\"RFRegion\":\"EU868\","
    "\"FNSULToken\":\"f0a1b2c3\",\"GWCnt\":2,\"GWInfo\":[" GATEWAY("e5f60708", "-97") "," GATEWAY(
        "15161718", "-112") "]}}";

static struct arena arena;
static struct roam_message message;
static struct jw writer;

static void roam_read(void)
{
    struct roam_fault fault;

    arena_reset(&arena);
    sink += roam_message_read(pr_start_req, sizeof(pr_start_req) - 1, &arena, &message, &fault);
}

static void roam_print(void)
{
    jw_clear(&writer);
    sink += roam_message_print(&message, ROAM_STANDARD, false, &writer) + writer.n;
}

int main(void)
{
    prepare();
    arena_init(&arena, ROAM_ARENA_ROOM);
    jw_init(&writer, ROAM_BODY_MAX);
    (void)printf("%-52s %9s %9s\n", "ns of CPU", "least", "median");
    measure("parse a frame of 30 octets", parse, 2000000);
    measure("MIC 1.0 of it", mic_10, 500000);
    measure("MIC 1.1 of it (both halves)", mic_11, 500000);
    measure("decrypt its 17 octets", decrypt, 500000);
    measure("walk a MAC stream of 6 commands", mac_stream, 1000000);
    measure("write and read a LinkADRReq", mac_block, 500000);
    measure("write and read a ForwardUplinkReq", relay_forward, 500000);
    measure("write, read and open a WOR", relay_wor_uplink, 200000);
    measure("read a PRStartReq with two gateways", roam_read, 20000);
    measure("print it", roam_print, 50000);
    jw_free(&writer);
    arena_reset(&arena);
    return 0;
}
