/*
 * threads_flow.c - the same parts on real threads and a real socket, for the thread sanitizer:
 * joins, uplinks, downlinks, administration and reading at once, then an orderly end.
 */
#include "db/committer.h"
#include "gateway/udp.h"
#include "js/js.h"
#include "lorawan/frame.h"
#include "ns/ns.h"
#include "tests/suite.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICES 40
#define FRAMES  5
#define GATEWAY 0x0102030405060708u
#define EUI     0x70b3d57ed0000000u
#define ADDR    0x26010000u

static const struct lw_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static struct store *store;
static struct committer *committer;
static struct ns *ns;
static struct js *js;
static struct udp *udp;
static struct worker desk; /* what the test itself waits at */
static atomic_uint answered;
static struct uuid tenant_id, application_id, profile_id;

/* ---- wiring ---------------------------------------------------------------------------------- */

static void on_heard(void *ctx, struct heard *chain, size_t count)
{
    (void)ctx;
    ns_heard(ns, chain, count);
}

static bool on_channel(void *ctx, struct copy *copy)
{
    (void)ctx;
    return ns_channel(ns, copy);
}

static void on_dropped(void *ctx, struct lw_eui gateway, enum drop reason)
{
    (void)ctx;
    (void)gateway;
    ns_count_drop(reason);
}

static void on_transmit(void *ctx, struct tx_request *request)
{
    (void)ctx;
    udp_transmit(udp, request);
}

static void on_join(void *ctx, struct js_request *request)
{
    (void)ctx;
    js_ask(js, request);
}

static void on_record(void *ctx, enum record_type type, const struct record_key *record_key,
                      const void *record)
{
    struct gateway_record gateway = {.region = GATEWAY_REGION_UNSET,
                                     .max_eirp_dbm = GATEWAY_EIRP_NO_LIMIT,
                                     .stats_interval_s = 30};

    (void)ctx;
    ns_record(ns, type, record_key, record);
    if (type != REC_GATEWAY)
        return;
    gateway.id = ((const struct gateway_config *)record)->gateway_id;
    udp_gateways_put(udp, &gateway, 1);
}

static const struct gateway_ops gateway_ops = {
    .heard = on_heard, .channel = on_channel, .dropped = on_dropped};

static void start(const char *dir, struct arena *arena)
{
    static const uint8_t master[32] = {5};
    struct store_options options = {.url = "sqlite:godwit.db",
                                    .data_dir = dir,
                                    .clock = clock_system(),
                                    .master_key = master,
                                    .fold_rows = 50};
    struct commit_observer observer = {.record = on_record};
    struct udp_config udp_config = {.listen = "127.0.0.1:0"};
    struct ns_options ns_options = {.clock = clock_system(),
                                    .workers = 2,
                                    .net_id = {0x13},
                                    .region_count = 1,
                                    .dedup_window_us = 50000,
                                    .join_server = true};
    struct ns_ops ops = {.transmit = on_transmit, .join = on_join};
    const char *why = "";

    ck_assert_msg(store_open(&options, arena, &store, &why) == OK, "%s", why);
    committer = committer_new(store, clock_system(), &observer);
    ns_options.regions[0].region = region_get(REGION_EU868);
    region_channels_init(ns_options.regions[0].region, &ns_options.regions[0].channels);
    ns_options.regions[0].enabled = ns_options.regions[0].channels.defined;
    ns_options.store = store;
    ns_options.committer = committer;
    ns = ns_new(&ns_options, &ops);
    ck_assert_int_eq(udp_open(&udp_config, clock_system(), &gateway_ops, NULL, &udp), OK);
    ck_assert_int_eq(ns_load(ns), OK);
    ck_assert_int_eq(ns_load_records(ns, NULL), OK);
    ck_assert_int_eq(js_new(store, clock_system(), &js), OK);
    worker_init(&desk, "desk", clock_system(), NULL);
    worker_start(&desk);
    worker_start(committer_worker(committer));
    worker_start(js_worker(js));
    for (unsigned i = 0; i < ns_worker_count(ns); i++)
        worker_start(ns_worker(ns, i));
    worker_start(udp_worker(udp));
}

static void stop(void)
{
    worker_stop(udp_worker(udp));
    for (unsigned i = 0; i < ns_worker_count(ns); i++)
        worker_stop(ns_worker(ns, i));
    worker_stop(js_worker(js));
    worker_stop(committer_worker(committer));
    for (unsigned i = 0; i < ns_worker_count(ns); i++)
        (void)worker_step(ns_worker(ns, i), 0);
    worker_stop(&desk);
    js_free(js);
    udp_close(udp);
    ns_free(ns);
    committer_free(committer);
    store_close(store);
    worker_fini(&desk);
}

/* Waits, at most a minute, until `counter` has reached `n`. */
static void until(const atomic_uint *counter, unsigned n)
{
    for (int i = 0; i < 60000 && atomic_load(counter) < n; i++)
        (void)poll(NULL, 0, 1);
    ck_assert_uint_ge(atomic_load(counter), n);
}

/* ---- administration -------------------------------------------------------------------------- */

struct saving {
    struct change change;
    struct arena arena;
};

static void saved(struct worker *worker, struct mail *mail)
{
    struct saving *saving = ((struct change *)mail)->owner;

    (void)worker;
    ck_assert_int_eq(saving->change.result, OK);
    arena_reset(&saving->arena);
    free(saving);
    atomic_fetch_add(&answered, 1);
}

static struct saving *saving_new(void)
{
    struct saving *saving = xcalloc(1, sizeof(*saving));

    arena_init(&saving->arena, ARENA_JOB_LIMIT);
    saving->change.owner = saving;
    saving->change.reply_to = &desk;
    saving->change.done = saved;
    return saving;
}

static void put(enum record_type type, const void *record)
{
    struct saving *saving = saving_new();
    struct op *op = change_add(&saving->change, &saving->arena, OP_RECORD_PUT);

    op->record =
        (struct op_record){.type = type,
                           .key = record_key_of(type, record),
                           .record = arena_memdup(&saving->arena, record, record_types[type].size),
                           .utc_us = clock_utc(clock_system())};
    committer_submit(committer, &saving->change);
}

static void configure(struct arena *arena)
{
    struct tenant tenant = {.name = "t", .description = ""};
    struct application application = {.name = "a", .description = ""};
    struct device_profile *profile = arena_new(arena, struct device_profile);
    struct gateway_config *gateway = arena_new(arena, struct gateway_config);

    tenant_id = tenant.id = uuid_new(clock_utc(clock_system()));
    put(REC_TENANT, &tenant);
    application_id = application.id = uuid_new(clock_utc(clock_system()));
    application.tenant_id = tenant_id;
    put(REC_APPLICATION, &application);
    field_defaults(record_types[REC_DEVICE_PROFILE].fields, profile, arena);
    profile_id = profile->id = uuid_new(clock_utc(clock_system()));
    profile->tenant_id = tenant_id;
    profile->name = "p";
    profile->region_name = "EU868";
    profile->version = LW_1_0_3;
    ck_assert_int_eq(record_resolve(REC_DEVICE_PROFILE, profile, NULL), OK);
    put(REC_DEVICE_PROFILE, profile);
    field_defaults(record_types[REC_GATEWAY].fields, gateway, arena);
    gateway->gateway_id.v = GATEWAY;
    gateway->tenant_id = tenant_id;
    gateway->name = "g";
    put(REC_GATEWAY, gateway);
    until(&answered, 4);
}

static void make_devices(struct arena *arena)
{
    unsigned before = atomic_load(&answered);

    for (unsigned i = 0; i < DEVICES; i++) {
        struct device_record *device = arena_new(arena, struct device_record);

        field_defaults(record_types[REC_DEVICE].fields, device, arena);
        device->dev_eui.v = EUI + i;
        device->name = "d";
        device->application_id = application_id;
        device->device_profile_id = profile_id;
        put(REC_DEVICE, device);
    }
    until(&answered, before + DEVICES);
}

static void acted(struct worker *worker, struct mail *mail)
{
    struct ns_call *call = (struct ns_call *)mail;

    (void)worker;
    ck_assert_int_eq(call->result, OK);
    ns_call_free(call);
    atomic_fetch_add(&answered, 1);
}

static void ask(struct ns_call *call)
{
    call->reply_to = &desk;
    call->reply = acted;
    ns_ask(ns, call);
}

static void activate_all(void)
{
    unsigned before = atomic_load(&answered);

    for (unsigned i = 0; i < DEVICES; i++) {
        struct ns_call *call = ns_call_new(ACT_ACTIVATE, (struct lw_eui){EUI + i});

        call->session.dev_addr.v = ADDR + i % 8; /* five devices share an address */
        call->session.keys = (struct lw_session_keys){key, key, key, key};
        call->session.keys.f_nwk_s_int.b[0] = (uint8_t)(i + 1);
        ask(call);
    }
    until(&answered, before + DEVICES);
}

/* ---- radio ----------------------------------------------------------------------------------- */

static size_t push_data(uint8_t *to, size_t room, unsigned device, uint32_t fcnt)
{
    struct lw_key nwk = key;
    struct lw_seal seal = {.fcnt = fcnt, .f_nwk_s_int = &nwk, .nwk_s_enc = &nwk, .app_s_key = &key};
    struct lw_data data = {
        .dev_addr = {ADDR + device % 8}, .port = 2, .payload = {(const uint8_t *)"threads", 7}};
    uint8_t phy[64];
    char base64[128];
    struct wr wr = wr_of(phy, sizeof(phy)), head = wr_of(to, 12);

    nwk.b[0] = (uint8_t)(device + 1);
    ck_assert_int_eq(lw_data_write(&wr, LW_CONFIRMED_UP, &data, &seal), OK);
    (void)base64_write(base64, phy, wr_len(&wr));
    wr_u8(&head, 2);
    wr_u16be(&head, (uint16_t)(device * 100 + fcnt));
    wr_u8(&head, 0);
    wr_u64be(&head, GATEWAY);
    return 12 +
           (size_t)snprintf((char *)to + 12, room - 12,
                            "{\"rxpk\":[{\"tmst\":%u,\"chan\":0,\"rfch\":0,\"freq\":868.1,"
                            "\"stat\":1,\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":"
                            "\"4/5\",\"rssi\":-40,\"lsnr\":6.5,\"size\":%zu,\"data\":\"%s\"}]}",
                            (unsigned)(clock_mono(clock_system())), wr_len(&wr), base64);
}

static int open_socket(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(udp_port(udp))};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

/* Reads what the server sent; returns the number of PULL_RESP, each acknowledged. */
static unsigned drain(int fd)
{
    uint8_t data[1200], ack[12] = {2, 0, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8};
    unsigned downs = 0;
    ssize_t n;

    while ((n = recv(fd, data, sizeof(data), 0)) >= 4) {
        if (data[3] != 3)
            continue;
        downs++;
        ack[1] = data[1];
        ack[2] = data[2];
        (void)send(fd, ack, sizeof(ack), 0);
    }
    return downs;
}

static void pull(int fd)
{
    static const uint8_t data[12] = {2, 9, 9, 2, 1, 2, 3, 4, 5, 6, 7, 8};

    ck_assert_int_eq(send(fd, data, sizeof(data), 0), sizeof(data));
}

START_TEST(everything_at_once)
{
    char dir[] = "/tmp/godwit-threads-XXXXXX", command[64];
    uint8_t data[1024];
    struct arena arena;
    unsigned downs = 0, before;
    uint64_t end;
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    start(dir, &arena);
    configure(&arena);
    make_devices(&arena);
    activate_all();
    fd = open_socket();
    pull(fd);
    before = atomic_load(&answered);
    end = store_outbox_end(store);
    for (uint32_t fcnt = 0; fcnt < FRAMES; fcnt++) {
        for (unsigned i = 0; i < DEVICES; i++) {
            size_t n = push_data(data, sizeof(data), i, fcnt);

            ck_assert_int_eq(send(fd, data, n, 0), (ssize_t)n);
            ask(ns_call_new(i & 1 ? ACT_STATE : ACT_QUEUE_LIST, (struct lw_eui){EUI + i}));
            downs += drain(fd);
        }
        (void)poll(NULL, 0, 120);
    }
    until(&answered, before + DEVICES * FRAMES);
    for (int i = 0; i < 30000 && store_outbox_end(store) < end + DEVICES * FRAMES; i++) {
        downs += drain(fd);
        (void)poll(NULL, 0, 1);
    }
    ck_assert_uint_ge(store_outbox_end(store), end + DEVICES * FRAMES);
    ck_assert_uint_gt(downs, 0);
    (void)close(fd);
    stop();
    arena_reset(&arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {everything_at_once, NULL};

    ns_metrics_register();
    udp_metrics_register();
    return run_suite(suite_of("threads_flow", tests));
}
