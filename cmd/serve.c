/*
 * serve.c - the server: knows all parts, wires them, starts and stops them in order.
 *
 * Start: store, committer, network server, join server, gateways, API, then the doors (UDP, HTTP).
 * With TLS SIGHUP reads certificate and key of the API again.
 * Stop (SIGTERM, SIGINT): doors first, then what is under way is finished and saved, within 5 s.
 */
#include "api/api.h"
#include "cmd/cmd.h"
#include "core/log.h"
#include "core/metric.h"
#include "db/committer.h"
#include "db/secret.h"
#include "gateway/udp.h"
#include "js/js.h"
#include "net/httpd.h"
#include "net/tls.h"
#include "ns/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_S      5
#define MEMORY_KEPT (256 * 1024 * 1024)
#define MEMORY_STEP (1024 * 1024)

struct server {
    struct settings settings;
    struct arena arena;
    struct clock *clock;
    struct store *store;
    struct committer *committer;
    struct ns *ns;
    struct js *js;
    struct udp *udp;
    struct overload overload;
    struct api *api;
    struct httpd *httpd;
    struct ns_region regions[NS_REGIONS_MAX];
    size_t region_count;
    struct gateway_band bands[NS_REGIONS_MAX * REGION_BANDS_MAX]; /* of all regions, in order */
    size_t first_band[NS_REGIONS_MAX + 1];
    struct uuid default_tenant;
    struct directory records; /* while the parts are made: each takes its own from it */
    enum err records_err;
};

/* ---- what the parts tell each other ---------------------------------------------------------- */

static void on_heard(void *ctx, struct heard *chain, size_t count)
{
    ns_heard(((struct server *)ctx)->ns, chain, count);
}

static bool on_channel(void *ctx, struct copy *copy)
{
    return ns_channel(((struct server *)ctx)->ns, copy);
}

static size_t on_duty_bands(void *ctx, uint8_t region, const struct gateway_band **bands)
{
    const struct server *server = ctx;
    size_t first = 0, end = 0;

    if (region == GATEWAY_REGION_UNSET)
        end = server->first_band[server->region_count];
    for (size_t i = 0; i < server->region_count; i++) {
        if (server->regions[i].region->id == region) {
            first = server->first_band[i];
            end = server->first_band[i + 1];
        }
    }
    *bands = &server->bands[first];
    return end - first;
}

static void on_gateway_drop(void *ctx, struct lw_eui gateway, enum drop reason)
{
    (void)ctx;
    ns_count_drop(reason);
    LOG_DEBUG("datagram_dropped", log_eui("gatewayId", gateway.v),
              log_str("reason", drop_label(reason)));
}

static void on_transmit(void *ctx, struct tx_request *request)
{
    udp_transmit(((struct server *)ctx)->udp, request);
}

static void on_join(void *ctx, struct js_request *request)
{
    js_ask(((struct server *)ctx)->js, request);
}

static void on_charge(void *ctx, const struct rung *rung, int64_t airtime_us, int64_t age_us)
{
    udp_charge(((struct server *)ctx)->udp, rung->gateway, rung->frequency_hz, airtime_us, age_us);
}

static void on_frame(void *ctx, const struct frame_entry *entry)
{
    api_frame(((struct server *)ctx)->api, entry);
}

static bool on_covered(void *ctx, const struct uuid *tenant, const struct uuid *application,
                       struct lw_eui dev_eui)
{
    return api_covered(((struct server *)ctx)->api, tenant, application, dev_eui);
}

/* A gateway's record as its rooms want it. */
static struct gateway_record record_of(const struct gateway_config *config)
{
    struct gateway_record record = {.id = config->gateway_id,
                                    .rev = (int64_t)config->head.rev,
                                    .region = GATEWAY_REGION_UNSET,
                                    .is_private = config->is_private,
                                    .downlink = config->downlink,
                                    .max_eirp_dbm = GATEWAY_EIRP_NO_LIMIT,
                                    .antenna_gain_dbi = (float)config->antenna_gain_dbi,
                                    .stats_interval_s = (uint16_t)config->stats_interval_s,
                                    .has_location = true,
                                    .latitude = config->location.latitude,
                                    .longitude = config->location.longitude,
                                    .altitude = config->location.altitude};
    const char *const *allowed = config->allowed_addresses.p;
    enum region_id region;

    memcpy(record.tenant_id, config->tenant_id.b, sizeof(record.tenant_id));
    if (config->region_name && *config->region_name &&
        region_find(config->region_name, &region) == OK)
        record.region = (uint8_t)region;
    if (config->max_eirp_dbm > 0)
        record.max_eirp_dbm = (int8_t)config->max_eirp_dbm;
    for (size_t i = 0; i < config->allowed_addresses.n && i < GATEWAY_ALLOWED_MAX; i++) {
        if (cidr_read(allowed[i], &record.allowed[record.allowed_count]) == OK)
            record.allowed_count++;
    }
    return record;
}

static void on_record(void *ctx, enum record_type type, const struct record_key *key,
                      const void *record)
{
    struct server *server = ctx;
    struct rd rd = rd_of(key->b, 8);
    struct gateway_record gateway;

    ns_record(server->ns, type, key, record);
    api_record(server->api, type, key, record);
    if (type != REC_GATEWAY)
        return;
    if (!record) {
        udp_gateway_remove(server->udp, (struct lw_eui){rd_u64be(&rd)});
        return;
    }
    gateway = record_of(record);
    udp_gateways_put(server->udp, &gateway, 1);
}

static void on_outbox(void *ctx, uint64_t end)
{
    api_outbox(((struct server *)ctx)->api, end);
}

/* allow_unknown: the gateway was let in; its record is made lasting in tenant `default`. */
struct adoption {
    struct change change;
    struct arena arena;
    struct gateway_config gateway;
    char name[LW_EUI_TEXT];
};

static void adoption_done(struct worker *worker, struct mail *mail)
{
    struct adoption *adoption = ((struct change *)mail)->owner;

    (void)worker;
    if (adoption->change.result)
        LOG_WARN("gateway_not_adopted", log_eui("gatewayId", adoption->gateway.gateway_id.v),
                 log_err(adoption->change.result));
    arena_reset(&adoption->arena);
    free(adoption);
}

static void on_adopted(void *ctx, struct lw_eui id, const struct address *from)
{
    struct server *server = ctx;
    struct adoption *adoption = xcalloc(1, sizeof(*adoption));
    char text[ADDRESS_TEXT];
    struct op *op;

    LOG_INFO("gateway_adopted", log_eui("gatewayId", id.v),
             log_str("address", address_text(text, from)));
    arena_init(&adoption->arena, ARENA_JOB_LIMIT);
    field_defaults(record_types[REC_GATEWAY].fields, &adoption->gateway, &adoption->arena);
    adoption->gateway.gateway_id = id;
    adoption->gateway.tenant_id = server->default_tenant;
    adoption->gateway.name = lw_eui_text(adoption->name, id);
    op = change_add(&adoption->change, &adoption->arena, OP_RECORD_PUT);
    op->record = (struct op_record){.type = REC_GATEWAY,
                                    .key = record_key_eui(id),
                                    .record = &adoption->gateway,
                                    .utc_us = clock_utc(server->clock)};
    adoption->change.owner = adoption;
    adoption->change.done = adoption_done;
    adoption->change.reply_to = committer_worker(server->committer);
    adoption->change.reply_lane = LANE_BULK;
    committer_submit(server->committer, &adoption->change);
}

static const struct gateway_ops gateway_ops = {.heard = on_heard,
                                               .channel = on_channel,
                                               .duty_bands = on_duty_bands,
                                               .adopted = on_adopted,
                                               .dropped = on_gateway_drop};

/* ---- start ----------------------------------------------------------------------------------- */

static void fill_bands(struct server *server)
{
    size_t n = 0;

    for (size_t i = 0; i < server->region_count; i++) {
        const struct region_band *band = server->regions[i].region->bands;

        for (size_t k = 0; k < REGION_BANDS_MAX && band[k].name; k++)
            server->bands[n++] = (struct gateway_band){.min_hz = band[k].min_hz,
                                                       .max_hz = band[k].max_hz,
                                                       .ppm = band[k].duty_permille * 1000u};
        server->first_band[i + 1] = n;
    }
}

/* What settings_overlap says is not wrong, but gateways without a region lose frames by it. */
static void warn_of_overlaps(const struct server *server)
{
    for (size_t i = 1; i < server->region_count; i++) {
        uint32_t hz = 0;
        const struct ns_region *before = settings_overlap(server->regions, i, &hz);

        if (before)
            LOG_WARN("regions_overlap",
                     log_str("region", region_name(server->regions[i].region->id)),
                     log_str("before", region_name(before->region->id)), log_uint("frequency", hz),
                     log_str("hint", "give each gateway its region"));
    }
}

static void register_metrics(void)
{
    ns_metrics_register();
    udp_metrics_register();
    api_metrics_register();
}

static int open_store(struct server *server)
{
    uint8_t master[32];
    struct store_options options = {.url = server->settings.database_url,
                                    .data_dir = server->settings.data_dir,
                                    .clock = server->clock,
                                    .master_key = master,
                                    .checkpoint_thread = true};
    struct migration_status schema;
    const char *why = NULL;

    if (mkdir(server->settings.data_dir, 0750) != 0 && errno != EEXIST)
        return cmd_fail("%s: %s", server->settings.data_dir, strerror(errno));
    /* A key is made only for a store that does not exist yet: a lost key must not be papered over.
     */
    if (store_migration_status(options.url, options.data_dir, &schema, &server->arena, &why)) {
        if (why)
            return cmd_fail("%s", why);
        schema.applied = 1; /* the open will tell why */
    }
    if (secret_load_master(server->settings.data_dir, schema.applied == 0, master, &server->arena,
                           &why))
        return cmd_fail("%s", why);
    if (store_open(&options, &server->arena, &server->store, &why))
        return cmd_fail("%s", why ? why : "the store cannot be opened");
    return EXIT_SUCCESS;
}

static int bootstrap(struct server *server)
{
    bool created = false;
    enum err err = api_bootstrap(server->store, server->clock, server->settings.data_dir, &created);

    if (err)
        return cmd_fail("first start: %s", err_text(err));
    return EXIT_SUCCESS;
}

static void load_gateways(struct server *server)
{
    const void *record;
    uint32_t at = 0;

    while ((record = directory_next(&server->records, REC_TENANT, &at))) {
        if (strcmp(((const struct tenant *)record)->name, "default") == 0)
            server->default_tenant = ((const struct tenant *)record)->id;
    }
    at = 0;
    while ((record = directory_next(&server->records, REC_GATEWAY, &at))) {
        struct gateway_record gateway = record_of(record);

        udp_gateways_put(server->udp, &gateway, 1);
    }
}

static enum err make_ns(struct server *server)
{
    struct ns_options options = {.clock = server->clock,
                                 .store = server->store,
                                 .committer = server->committer,
                                 .net_id = {server->settings.net_id},
                                 .region_count = server->region_count,
                                 .dedup_window_us =
                                     (int64_t)server->settings.dedup_window_ms * 1000,
                                 .app_reply_us = (int64_t)server->settings.app_reply_ms * 1000,
                                 .join_server = server->settings.join_server,
                                 .overload = &server->overload};
    struct ns_ops ops = {.ctx = server,
                         .transmit = on_transmit,
                         .join = on_join,
                         .charge = on_charge,
                         .frame = on_frame,
                         .covered = on_covered};

    memcpy(options.regions, server->regions, sizeof(options.regions));
    server->ns = ns_new(&options, &ops);
    return OK;
}

static enum err make_udp(struct server *server)
{
    struct udp_config config = {.listen = server->settings.udp_listen,
                                .overload = &server->overload,
                                .allow_unknown = server->settings.allow_unknown,
                                .unknown_record = {.region = GATEWAY_REGION_UNSET,
                                                   .max_eirp_dbm = GATEWAY_EIRP_NO_LIMIT,
                                                   .stats_interval_s = 30}};

    return udp_open(&config, server->clock, &gateway_ops, server, &server->udp);
}

static enum err make_api(struct server *server)
{
    struct api_options options = {.clock = server->clock,
                                  .store = server->store,
                                  .committer = server->committer,
                                  .ns = server->ns,
                                  .udp = server->udp,
                                  .overload = &server->overload,
                                  .admin_key = getenv("GODWIT_ADMIN_API_KEY"),
                                  .records = &server->records,
                                  .frames_max_bytes = (uint64_t)server->settings.frame_log_mb << 20,
                                  .frames_max_age_us =
                                      server->settings.frame_log_days * (int64_t)86400 * US_PER_S};

    if (options.frames_max_bytes)
        options.frames_dir = arena_printf(&server->arena, "%s/frames", server->settings.data_dir);
    if (options.admin_key && !*options.admin_key)
        options.admin_key = NULL;
    for (unsigned i = 0; i < 3; i++)
        options.net_id[i] = (uint8_t)(server->settings.net_id >> (16 - 8 * i));
    return api_new(&options, &server->api);
}

/* The shared records are read beside the devices: 25,000 gateways take as long as 300,000 of those.
 */
static void *read_records(void *arg)
{
    struct server *server = arg;

    (void)pthread_setname_np(pthread_self(), "records");
    server->records_err = directory_load(&server->records, server->store);
    return NULL;
}

static enum err load(struct server *server)
{
    pthread_t thread;
    enum err err;

    if (pthread_create(&thread, NULL, read_records, server) != 0)
        abort(); /* no threads at start */
    err = ns_load(server->ns);
    (void)pthread_join(thread, NULL);
    if (!err)
        err = server->records_err;
    return err ? err : ns_load_records(server->ns, &server->records);
}

static int make_parts(struct server *server)
{
    struct commit_observer observer = {.ctx = server, .record = on_record, .outbox = on_outbox};
    int status;

    server->committer = committer_new(server->store, server->clock, &observer);
    if (make_ns(server))
        return cmd_fail("the network server cannot be made");
    if (make_udp(server))
        return cmd_fail("gateway.udp.listen: %s cannot be bound", server->settings.udp_listen);
    if (load(server))
        return cmd_fail("the store cannot be read");
    load_gateways(server);
    if (js_new(server->store, server->clock, &server->js))
        return cmd_fail("the join server cannot be made");
    status = make_api(server) ? cmd_fail("the API cannot be made") : EXIT_SUCCESS;
    directory_fini(&server->records);
    directory_init(&server->records);
    return status;
}

static void start_workers(struct server *server)
{
    worker_start(committer_worker(server->committer));
    worker_start(js_worker(server->js));
    for (unsigned i = 0; i < ns_worker_count(server->ns); i++)
        worker_start(ns_worker(server->ns, i));
    worker_start(udp_worker(server->udp));
    api_start(server->api);
}

#define PEM_MAX 65535u

/* False and a word to the operator if it cannot be read. */
static bool read_pem(const char *file, char text[PEM_MAX + 1])
{
    FILE *in = fopen(file, "re");
    size_t n = in ? fread(text, 1, PEM_MAX, in) : 0;

    text[n] = '\0';
    if (in)
        (void)fclose(in);
    if (n == 0)
        (void)cmd_fail("api.tls: %s cannot be read or is empty", file);
    return n > 0;
}

struct pems {
    char cert[PEM_MAX + 1], key[PEM_MAX + 1];
};

static bool read_pems(const struct settings *s, struct pems *pems)
{
    return read_pem(s->api_cert, pems->cert) && read_pem(s->api_key, pems->key);
}

static void forget_pems(struct pems *pems)
{
    OPENSSL_cleanse(pems, sizeof(*pems));
    free(pems);
}

static void warn_of_expiry(const struct server *server, const struct pems *pems)
{
    const char *why;
    int64_t until;

    if (tls_check(pems->cert, pems->key, &until, &why) == OK && until < clock_utc(server->clock))
        LOG_WARN("certificate_expired", log_str("file", server->settings.api_cert));
}

static int start_http(struct server *server, const struct pems *pems)
{
    const struct settings *s = &server->settings;
    struct httpd_config config = {
        .on_request = api_request,
        .owner = server->api,
        .clock = server->clock,
        .listeners = {{.path = arena_printf(&server->arena, "%s/admin.sock", s->data_dir)},
                      {.address = s->api_listen,
                       .cert_pem = pems ? pems->cert : NULL,
                       .key_pem = pems ? pems->key : NULL}},
        .listener_count = *s->api_listen ? 2 : 1};
    const char *why = "";
    enum err err = httpd_start(&config, &server->httpd, &why);

    if (err == ERR_MALFORMED || err == ERR_INVALID)
        return cmd_fail("api.tls: %s, %s: %s", s->api_cert, s->api_key, why);
    return err ? cmd_fail("api.listen: %s: %s", s->api_listen, why) : EXIT_SUCCESS;
}

static int open_http(struct server *server)
{
    struct pems *pems;
    int status = EXIT_FAILURE;

    if (!*server->settings.api_cert)
        return start_http(server, NULL);
    pems = xmalloc(sizeof(*pems));
    if (read_pems(&server->settings, pems)) {
        status = start_http(server, pems);
        if (status == EXIT_SUCCESS)
            warn_of_expiry(server, pems);
    }
    forget_pems(pems);
    return status;
}

/* SIGHUP: a renewed certificate. What cannot be used leaves the former one in force. */
static void renew_certificate(struct server *server)
{
    struct pems *pems = xmalloc(sizeof(*pems));
    const char *why = "a file cannot be read";

    if (!read_pems(&server->settings, pems) ||
        httpd_renew(server->httpd, 1, pems->cert, pems->key, &why)) {
        LOG_ERROR("certificate_not_renewed", log_str("why", why));
    } else {
        LOG_INFO("certificate_renewed", log_str("file", server->settings.api_cert));
        warn_of_expiry(server, pems);
    }
    forget_pems(pems);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void stop(struct server *server)
{
    if (server->httpd)
        httpd_stop(server->httpd);
    worker_stop(udp_worker(server->udp));
    api_stop(server->api);
    for (unsigned i = 0; i < ns_worker_count(server->ns); i++)
        worker_stop(ns_worker(server->ns, i));
    worker_stop(js_worker(server->js));
    worker_stop(committer_worker(server->committer));
    /* Answers of the committer that came after a worker's end are handled here, without threads. */
    for (unsigned i = 0; i < ns_worker_count(server->ns); i++)
        (void)worker_step(ns_worker(server->ns, i), 0);
    (void)worker_step(committer_worker(server->committer), 0);
}

static void close_parts(struct server *server)
{
    if (server->api)
        api_free(server->api);
    if (server->js)
        js_free(server->js);
    if (server->udp)
        udp_close(server->udp);
    if (server->ns)
        ns_free(server->ns);
    if (server->committer)
        committer_free(server->committer);
    if (server->store)
        store_close(server->store);
    directory_fini(&server->records);
    arena_reset(&server->arena);
}

/* The drain must not outlast a supervisor's patience: after 5 s the process ends as it stands; what
 * was accepted is saved already. */
static void *watchdog(void *arg)
{
    (void)arg;
    (void)sleep(STOP_S);
    LOG_WARN("stop_overdue", log_int("seconds", STOP_S));
    _exit(EXIT_SUCCESS);
}

/* With a certificate to renew SIGHUP does that; otherwise it keeps its meaning, the terminal's end.
 */
static bool renews(const struct server *server)
{
    return *server->settings.api_cert && *server->settings.api_listen;
}

static void wait_for_signal(struct server *server)
{
    pthread_t thread;
    sigset_t set;
    int number = 0;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (renews(server))
        (void)sigaddset(&set, SIGHUP);
    while (sigwait(&set, &number) == 0 && number == SIGHUP)
        renew_certificate(server);
    LOG_INFO("stopping", log_str("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
    if (pthread_create(&thread, NULL, watchdog, NULL) == 0)
        (void)pthread_detach(thread);
}

static void block_signals(const struct server *server)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGPIPE);
    if (renews(server))
        (void)sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    /* A file that may not grow is a disk that is full: an error of write, not the end. */
    (void)signal(SIGXFSZ, SIG_IGN);
}

static bool check_environment(void)
{
    const char *key = getenv("GODWIT_ADMIN_API_KEY");

    return !key || !*key || strlen(key) >= 32;
}

/* Under load memory is freed and wanted again all the time: given back to the kernel in between,
 * each page would be cleared once more. */
static void keep_memory(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, MEMORY_KEPT);
    (void)mallopt(M_TOP_PAD, MEMORY_STEP);
}

static int run(struct server *server)
{
    int status = open_store(server);

    if (status == EXIT_SUCCESS)
        status = bootstrap(server);
    if (status == EXIT_SUCCESS)
        status = make_parts(server);
    if (status != EXIT_SUCCESS)
        return status;
    start_workers(server);
    status = open_http(server);
    if (status == EXIT_SUCCESS) {
        const char *listen = server->settings.api_listen;
        const char *colon = strrchr(listen, ':');
        int host = colon ? (int)(colon - listen) : 0;

        (void)printf("Godwit is ready: http%s://%.*s:%u\n", *server->settings.api_cert ? "s" : "",
                     host, listen, *listen ? httpd_port(server->httpd, 1) : 0u);
        (void)fflush(stdout);
        LOG_INFO("ready", log_str("api", listen), log_str("udp", server->settings.udp_listen),
                 log_uint("udpPort", udp_port(server->udp)));
        wait_for_signal(server);
    }
    stop(server);
    return status;
}

int cmd_serve(int argc, char **argv)
{
    static struct server server;
    struct cmd_flags flags = {0};
    struct field_errors *errors;
    int status;

    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "-c") == 0           ? &flags.config
                             : strcmp(argv[i], "--data-dir") == 0 ? &flags.data_dir
                             : strcmp(argv[i], "--http") == 0     ? &flags.http
                             : strcmp(argv[i], "--udp") == 0      ? &flags.udp
                                                                  : NULL;

        if (!value || i + 1 >= argc)
            return cmd_wrong(argv[0], "unknown or incomplete argument %s", argv[i]);
        *value = argv[++i];
    }
    arena_init(&server.arena, ARENA_REQUEST_LIMIT);
    status = cmd_settings(&flags, &server.arena, &server.settings);
    if (status != EXIT_SUCCESS)
        return status;
    if (!check_environment())
        return cmd_fail("GODWIT_ADMIN_API_KEY must have 32 characters or more");
    log_setup((enum log_level)server.settings.log_level,
              (enum log_format)server.settings.log_format);
    server.clock = clock_system();
    errors = arena_new(&server.arena, struct field_errors);
    field_errors_init(errors, &server.arena);
    if (settings_regions(&server.settings, server.regions, &server.region_count, errors))
        return cmd_fail("%s", config_errors_text(errors, "configuration"));
    fill_bands(&server);
    warn_of_overlaps(&server);
    overload_init(&server.overload);
    register_metrics();
    block_signals(&server);
    keep_memory();
    status = run(&server);
    close_parts(&server);
    return status;
}
