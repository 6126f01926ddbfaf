/*
 * A fleet over real sockets against a small server made of the server's own codecs: every frame is
 * answered, every device content. Also identities and their list.
 */
#include "gateway/semtech.h"
#include "lorawan/frame.h"
#include "net/httpd.h"
#include "sim/fleet.h"
#include "sim/provision.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICES 20
#define SEED    77
#define MANY    2048

/* ---- the server ------------------------------------------------------------------------------ */

struct server {
    int fd;
    pthread_t thread;
    atomic_bool stop;
    bool spoil; /* answers with a wrong MIC */
    uint32_t fcnt_down[DEVICES];
    struct sockaddr_in pullers[MANY];
    struct lw_eui gateway; /* of the datagram at hand */
    uint16_t token;
};

/* An acknowledgement, or an empty frame: RX1 of EU868 at the uplink's own data rate. */
static void on_rx(void *ctx, const struct semtech_rx *rx)
{
    struct server *server = ctx;
    struct lw_frame frame;
    struct sim_identity id;
    uint8_t phy[32], room[SEMTECH_DOWN_MAX + 1];
    struct wr wr = wr_of(phy, sizeof(phy));
    size_t n;

    ck_assert_int_eq(lw_uplink_read((struct bytes){rx->phy, rx->phy_len}, &frame), DROP_NONE);
    uint32_t i = frame.data.dev_addr.v;

    ck_assert_uint_lt(i, DEVICES);
    sim_fleet_identity(SEED, i, &id);
    struct lw_data data = {.dev_addr = id.dev_addr, .port = LW_PORT_NONE};
    struct lw_seal seal = {.fcnt = server->fcnt_down[i]++,
                           .f_nwk_s_int = server->spoil ? &id.app_s : &id.f_nwk};
    struct rung rung = {.counter_us = rx->copy.tmst + 1000000u,
                        .frequency_hz = rx->copy.frequency_hz,
                        .rate = rx->copy.rate,
                        .eirp_dbm = 14};

    data.fctrl = frame.ftype == LW_CONFIRMED_UP ? LW_FCTRL_ACK : 0;
    ck_assert_int_eq(lw_data_write(&wr, LW_UNCONFIRMED_DOWN, &data, &seal), OK);
    ck_assert_int_eq(semtech_write_pull_resp(2, server->token++, &rung, wr_bytes(&wr), room, &n),
                     OK);
    sendto(server->fd, room, n, 0,
           (const struct sockaddr *)&server->pullers[server->gateway.v & (MANY - 1)],
           sizeof(server->pullers[0]));
}

static void serve_one(struct server *server, const uint8_t *data, size_t n,
                      const struct sockaddr_in *from)
{
    struct semtech_sink sink = {.rx = on_rx, .ctx = server};
    struct semtech_header header;
    uint8_t ack[SEMTECH_ACK];

    if (semtech_read_header(data, n, &header) || header.id == SEMTECH_TX_ACK)
        return;
    semtech_write_ack(&header, ack);
    sendto(server->fd, ack, sizeof(ack), 0, (const struct sockaddr *)from, sizeof(*from));
    server->gateway = header.gateway;
    if (header.id == SEMTECH_PULL_DATA)
        server->pullers[header.gateway.v & (MANY - 1)] = *from;
    else
        ck_assert_int_eq(semtech_read_push(data + SEMTECH_HEADER, n - SEMTECH_HEADER, &sink), OK);
}

static void *serve(void *arg)
{
    struct server *server = arg;
    uint8_t room[2048];

    while (!atomic_load(&server->stop)) {
        struct sockaddr_in from;
        socklen_t len = sizeof(from);
        ssize_t n = recvfrom(server->fd, room, sizeof(room), 0, (struct sockaddr *)&from, &len);

        if (n > 0)
            serve_one(server, room, (size_t)n, &from);
    }
    return NULL;
}

/* Fills the address for the fleet. */
static void start(struct server *server, char address[32])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval wait = {.tv_usec = 50000};
    const int room = 4 << 20;
    socklen_t len = sizeof(at);

    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(server->fd, 0);
    setsockopt(server->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(server->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)); /* as root */
    ck_assert_int_eq(bind(server->fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
    snprintf(address, 32, "127.0.0.1:%u", ntohs(at.sin_port));
    ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    atomic_store(&server->stop, true);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

static struct sim_fleet_config config_of(const char *address)
{
    return (struct sim_fleet_config){.server = address,
                                     .devices = DEVICES,
                                     .gateways = 2,
                                     .copies = 1,
                                     .rate = 20,
                                     .duration_s = 0.5,
                                     .confirmed = 0.5,
                                     .payload = 12,
                                     .seed = SEED,
                                     .version = LW_1_0_4,
                                     .dr = 5,
                                     .abp = true};
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Windows are of real time here, and a machine that starves us for a second misses one. A fault of
 * ours would be there in every try. */
static void run_until_in_time(struct sim_fleet_report *report)
{
    for (int tries = 0; tries < 3; tries++) {
        struct server server = {0};
        char address[32];

        start(&server, address);
        struct sim_fleet_config config = config_of(address);

        ck_assert_int_eq(sim_fleet_run(&config, report), OK);
        stop(&server);
        if (report->answered == report->uplinks && report->push_acks == report->datagrams)
            return;
    }
}

START_TEST(every_frame_is_answered)
{
    struct sim_fleet_report report;

    run_until_in_time(&report);
    ck_assert_uint_eq(report.uplinks, 10);
    ck_assert_uint_eq(report.answered, 10);
    ck_assert_uint_eq(report.latency_n, 10);
    ck_assert_uint_eq(report.verdicts[SIM_OK], 10);
    ck_assert_uint_eq(report.verdicts_bad + report.faults + report.strays + report.too_late, 0);
    ck_assert_uint_gt(report.acked, 0);
    ck_assert_uint_eq(report.unacked, 0);
    ck_assert_uint_eq(report.push_acks, report.datagrams);
    ck_assert_int_gt(report.latency_max_us, 0);
}
END_TEST

/* Many gateways share a socket, and still each has an address of its own. */
START_TEST(many_gateways)
{
    static struct server server;
    const uint32_t first = (uint32_t)sim_fleet_gateway(0).v;
    struct sim_fleet_report report;
    unsigned heard = 0;
    char to[32];

    start(&server, to);
    struct sim_fleet_config config = config_of(to);

    config.gateways = MANY;
    ck_assert_int_eq(sim_fleet_run(&config, &report), OK);
    stop(&server);
    ck_assert_uint_eq(report.answered, 10);
    ck_assert_uint_eq(report.verdicts_bad + report.faults + report.strays + report.too_late, 0);
    for (unsigned i = 0; i < MANY; i++) {
        uint32_t address = ntohl(server.pullers[i].sin_addr.s_addr);

        if (!address)
            continue; /* a datagram may be lost */
        heard++;
        ck_assert_uint_eq(address & 0xffff0000, 0x7f010000);
        ck_assert_uint_eq(address & (MANY - 1), (i - first) & (MANY - 1));
    }
    ck_assert_uint_gt(heard, MANY / 2);
}
END_TEST

START_TEST(devices_find_fault)
{
    struct server server = {.spoil = true};
    struct sim_fleet_report report;
    char address[32];

    start(&server, address);
    struct sim_fleet_config config = config_of(address);

    config.confirmed = 0;
    config.duration_s = 0.1;
    ck_assert_int_eq(sim_fleet_run(&config, &report), OK);
    stop(&server);
    ck_assert_uint_eq(report.uplinks, 2);
    ck_assert_uint_eq(report.verdicts[SIM_MIC], 2);
    ck_assert_uint_eq(report.verdicts_bad, 2);
}
END_TEST

START_TEST(wrong_addresses)
{
    struct sim_fleet_config config = config_of("nowhere");
    struct sim_fleet_report report;

    ck_assert_int_eq(sim_fleet_run(&config, &report), ERR_INVALID);
    config.server = "127.0.0.1:";
    ck_assert_int_eq(sim_fleet_run(&config, &report), ERR_INVALID);
    config.copies = 3;
    ck_assert_int_eq(sim_fleet_run(&config, &report), ERR_INVALID);
}
END_TEST

START_TEST(identities_differ_and_stay)
{
    struct sim_fleet_config config = {.devices = 3, .seed = SEED, .version = LW_1_1_0};
    static struct sim_identity a, b, again; /* padding is compared too */
    char text[1024] = "";
    FILE *to = fmemopen(text, sizeof(text), "w");

    sim_fleet_identity(SEED, 0, &a);
    sim_fleet_identity(SEED, 1, &b);
    sim_fleet_identity(SEED, 0, &again);
    ck_assert_mem_eq(&a, &again, sizeof(a));
    ck_assert_uint_eq(b.dev_eui.v, a.dev_eui.v + 1);
    ck_assert_mem_ne(a.app_key.b, b.app_key.b, 16);
    ck_assert_mem_ne(a.app_key.b, a.nwk_key.b, 16);

    sim_provision_csv(&config, to);
    fclose(to);
    char line[80], key[33];

    ck_assert_ptr_nonnull(strstr(text, "devEui,joinEui,appKey,nwkKey\n"));
    snprintf(line, sizeof(line), "02f0004d00000001,02f0ffff00000000,%s,",
             hex_write(key, b.app_key.b, 16));
    ck_assert_ptr_nonnull(strstr(text, line));
}
END_TEST

static void refuse(void *owner, struct http_request *request)
{
    (void)owner;
    http_answer_problem(request, 403, "the scope devices:write is needed");
}

START_TEST(provisioning_says_why_it_was_refused)
{
    struct httpd_config config = {
        .on_request = refuse, .listeners = {{.address = "127.0.0.1:0"}}, .listener_count = 1};
    const struct sim_fleet_config fleet = {.devices = 1, .gateways = 1, .seed = SEED};
    struct sim_provision how = {.key = "a key without scopes"};
    struct httpd *httpd;
    char url[64];

    ck_assert_int_eq(httpd_start(&config, &httpd, &how.why), OK);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", httpd_port(httpd, 0));
    how.url = url;
    ck_assert_int_eq(sim_provision(&how, &fleet), ERR_DENIED);
    ck_assert_ptr_nonnull(strstr(how.why, "403"));
    ck_assert_ptr_nonnull(strstr(how.why, "devices:write"));
    httpd_stop(httpd);
    ck_assert_int_eq(sim_provision(&how, &fleet), ERR_IO);
}
END_TEST

int main(void)
{
    /* clang-format off */
    const TTest *const tests[] = {every_frame_is_answered, many_gateways, devices_find_fault, wrong_addresses,
        identities_differ_and_stay, provisioning_says_why_it_was_refused, NULL};
    /* clang-format on */

    return run_suite(suite_of("sim_fleet", tests));
}
