/*
 * A fleet over real sockets against a small server made of the server's own codecs: every frame is
 * answered, every device content. Also identities and their list.
 */
#include "gateway/semtech.h"
#include "lorawan/frame.h"
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

/* ---- the server ------------------------------------------------------------------------------ */

struct server {
    int fd;
    pthread_t thread;
    atomic_bool stop;
    bool spoil; /* answers with a wrong MIC */
    uint32_t fcnt_down[DEVICES];
    struct sockaddr_in pullers[4];
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
    sendto(server->fd, room, n, 0, (const struct sockaddr *)&server->pullers[server->gateway.v & 3],
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
        server->pullers[header.gateway.v & 3] = *from;
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
    socklen_t len = sizeof(at);

    server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(server->fd, 0);
    setsockopt(server->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
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

START_TEST(every_frame_is_answered)
{
    struct server server = {0};
    struct sim_fleet_report report;
    char address[32];

    start(&server, address);
    struct sim_fleet_config config = config_of(address);

    ck_assert_int_eq(sim_fleet_run(&config, &report), OK);
    stop(&server);
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

int main(void)
{
    /* clang-format off */
    const TTest *const tests[] = {every_frame_is_answered, devices_find_fault, wrong_addresses,
        identities_differ_and_stay, NULL};
    /* clang-format on */

    return run_suite(suite_of("sim_fleet", tests));
}
