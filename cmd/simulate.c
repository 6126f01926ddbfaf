#include "cmd/cmd.h"
#include "core/json.h"
#include "sim/provision.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_INTERVAL_S 10

enum simulate_option {
    OPT_SERVER = 256,
    OPT_REGION,
    OPT_VERSION,
    OPT_DEVICES,
    OPT_GATEWAYS,
    OPT_RATE,
    OPT_INTERVAL,
    OPT_POISSON,
    OPT_COPIES,
    OPT_LOSS,
    OPT_DURATION,
    OPT_SEED,
    OPT_RUN,
    OPT_DR,
    OPT_ABP,
    OPT_NO_ADR,
    OPT_BOUNDLESS,
    OPT_CONFIRMED,
    OPT_PAYLOAD,
    OPT_GATEWAY,
    OPT_DEV_EUI,
    OPT_JOIN_EUI,
    OPT_APP_KEY,
    OPT_NWK_KEY,
    OPT_DEV_ADDR,
    OPT_NWK_S_KEY,
    OPT_S_NWK_KEY,
    OPT_NWK_ENC_KEY,
    OPT_APP_S_KEY,
    OPT_URL,
    OPT_KEY,
    OPT_PROVISION,
    OPT_CSV,
    OPT_JSON,
    OPT_VERBOSE,
    OPT_HELP,
};

/* clang-format off */
#define HELP                                                                                       \
    "Usage: godwit simulate [OPTION]...\n"                                                         \
    "Virtual gateways and devices against a LoRaWAN server, over Semtech UDP.\n\n"                 \
    "  --server HOST:PORT    where the server listens (127.0.0.1:1700)\n"                          \
    "  --region NAME         any region, such as AU915 (EU868)\n"                                  \
    "  --version V           LoRaWAN of the devices: 1.0.0 to 1.0.4, 1.1.0 (1.0.3)\n"              \
    "  --devices N           how many devices (1)\n"                                               \
    "  --gateways N          how many gateways (1)\n"                                              \
    "  --rate R              new uplinks per second of all devices\n"                              \
    "  --interval S          the same by the seconds between two uplinks of a device (10)\n"            \
    "  --poisson             random instead of even distances\n"                                   \
    "  --copies N            gateways that hear a frame (1)\n"                                     \
    "  --loss P              share of copies and downlinks lost on the radio, 0 to 1 (0)\n"        \
    "  --duration S          seconds of sending (60)\n"                                            \
    "  --seed N              the same seed sends the same frames (1)\n"                            \
    "  --run N               count up to use the same devices again: unused nonces (0)\n"          \
    "  --dr N                data rate of the uplinks (the fastest of 125 kHz)\n"                  \
    "  --abp                 personalised devices that do not join\n"                              \
    "  --no-adr              without the ADR bit\n"                                                \
    "  --no-collisions       gateways send any number of downlinks at once, for load\n"             \
    "  --confirmed P         share of confirmed uplinks, 0 to 1 (0)\n"                             \
    "  --payload N           octets (17)\n"                                                        \
    "  --gateway EUI         the first gateway's id; the others count on\n\n"                      \
    "One device of yours:\n"                                                                       \
    "  --dev-eui EUI --join-eui EUI --app-key KEY [--nwk-key KEY]\n"                               \
    "  --abp --dev-eui EUI --dev-addr ADDR --app-s-key KEY --nwk-s-key KEY\n"                      \
    "        [--s-nwk-s-int-key KEY --nwk-s-enc-key KEY]\n\n"                                      \
    "  --provision           makes gateways, application, profile and devices at a Godwit server\n"\
    "  --url URL             of its API (http://127.0.0.1:8080)\n"                                 \
    "  --key KEY             its API key (default: GODWIT_API_KEY)\n"                              \
    "  --csv                 prints the identities of the devices and ends\n\n"                    \
    "  --json                the report as JSON\n"                                                 \
    "  --verbose             a line per event\n"                                                   \
    "  --help\n\n"                                                                                 \
    "Exit status: 0 good; 1 the server did not answer or refused, or a device found fault with a\n"\
    "downlink; 2 wrong arguments.\n"

static const struct option options[] = {
    {"server", required_argument, NULL, OPT_SERVER},
    {"region", required_argument, NULL, OPT_REGION},
    {"version", required_argument, NULL, OPT_VERSION},
    {"devices", required_argument, NULL, OPT_DEVICES},
    {"gateways", required_argument, NULL, OPT_GATEWAYS},
    {"rate", required_argument, NULL, OPT_RATE},
    {"interval", required_argument, NULL, OPT_INTERVAL},
    {"poisson", no_argument, NULL, OPT_POISSON},
    {"copies", required_argument, NULL, OPT_COPIES},
    {"loss", required_argument, NULL, OPT_LOSS},
    {"duration", required_argument, NULL, OPT_DURATION},
    {"seed", required_argument, NULL, OPT_SEED},
    {"run", required_argument, NULL, OPT_RUN},
    {"dr", required_argument, NULL, OPT_DR},
    {"abp", no_argument, NULL, OPT_ABP},
    {"no-adr", no_argument, NULL, OPT_NO_ADR},
    {"no-collisions", no_argument, NULL, OPT_BOUNDLESS},
    {"confirmed", required_argument, NULL, OPT_CONFIRMED},
    {"payload", required_argument, NULL, OPT_PAYLOAD},
    {"gateway", required_argument, NULL, OPT_GATEWAY},
    {"dev-eui", required_argument, NULL, OPT_DEV_EUI},
    {"join-eui", required_argument, NULL, OPT_JOIN_EUI},
    {"app-key", required_argument, NULL, OPT_APP_KEY},
    {"nwk-key", required_argument, NULL, OPT_NWK_KEY},
    {"dev-addr", required_argument, NULL, OPT_DEV_ADDR},
    {"nwk-s-key", required_argument, NULL, OPT_NWK_S_KEY},
    {"f-nwk-s-int-key", required_argument, NULL, OPT_NWK_S_KEY},
    {"s-nwk-s-int-key", required_argument, NULL, OPT_S_NWK_KEY},
    {"nwk-s-enc-key", required_argument, NULL, OPT_NWK_ENC_KEY},
    {"app-s-key", required_argument, NULL, OPT_APP_S_KEY},
    {"url", required_argument, NULL, OPT_URL},
    {"key", required_argument, NULL, OPT_KEY},
    {"provision", no_argument, NULL, OPT_PROVISION},
    {"csv", no_argument, NULL, OPT_CSV},
    {"json", no_argument, NULL, OPT_JSON},
    {"verbose", no_argument, NULL, OPT_VERBOSE},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};
/* clang-format on */

struct arguments {
    struct sim_fleet_config fleet;
    struct sim_identity mine;
    struct sim_provision provision;
    double interval_s;
    bool single, has_dr, wants_provision, csv, json, verbose, help;
};

/* ---- values ---------------------------------------------------------------------------------- */

static bool whole(const char *text, uint64_t least, uint64_t most, uint64_t *to)
{
    char *end;

    *to = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *to >= least && *to <= most;
}

static bool whole32(const char *text, uint32_t least, uint32_t most, uint32_t *to)
{
    uint64_t v;
    bool good = whole(text, least, most, &v);

    *to = (uint32_t)v;
    return good;
}

static bool decimal(const char *text, double least, double most, double *to)
{
    char *end;

    *to = strtod(text, &end);
    return end != text && !*end && isfinite(*to) && *to >= least && *to <= most;
}

static bool key_of(const char *text, struct lw_key *key)
{
    return hex_read(key->b, sizeof(key->b), text, strlen(text));
}

static bool number_of(const char *text, size_t octets, uint64_t *to)
{
    uint8_t raw[8];

    *to = 0;
    if (!hex_read(raw, octets, text, strlen(text)))
        return false;
    for (size_t i = 0; i < octets; i++)
        *to = *to << 8 | raw[i];
    return true;
}

static bool version_of(const char *text, uint8_t *version)
{
    for (unsigned i = 0; i < LW_VERSION_COUNT; i++) {
        if (strcmp(text, lw_version_text((enum lw_version)i)) != 0)
            continue;
        *version = (uint8_t)i;
        return true;
    }
    return false;
}

static bool region_of(const char *text, uint8_t *region)
{
    enum sim_region found;

    if (!sim_plan_find(text, &found))
        return false;
    *region = (uint8_t)found;
    return true;
}

/* ---- options --------------------------------------------------------------------------------- */

static bool take_mine(struct arguments *a, int option, const char *value)
{
    struct sim_identity *mine = &a->mine;
    uint64_t n;

    switch (option) {
    case OPT_DEV_EUI: a->single = true; return number_of(value, 8, &mine->dev_eui.v);
    case OPT_JOIN_EUI: return number_of(value, 8, &mine->join_eui.v);
    case OPT_APP_KEY: return key_of(value, &mine->app_key);
    case OPT_NWK_KEY: return key_of(value, &mine->nwk_key);
    case OPT_NWK_S_KEY: return key_of(value, &mine->f_nwk);
    case OPT_S_NWK_KEY: return key_of(value, &mine->s_nwk);
    case OPT_NWK_ENC_KEY: return key_of(value, &mine->nwk_enc);
    case OPT_APP_S_KEY: return key_of(value, &mine->app_s);
    case OPT_DEV_ADDR:
        if (!number_of(value, 4, &n))
            return false;
        mine->dev_addr.v = (uint32_t)n;
        return true;
    default: return false;
    }
}

static bool take_flag(struct arguments *a, int option)
{
    switch (option) {
    case OPT_POISSON: a->fleet.poisson = true; return true;
    case OPT_ABP: a->fleet.abp = true; return true;
    case OPT_NO_ADR: a->fleet.adr = false; return true;
    case OPT_BOUNDLESS: a->fleet.boundless = true; return true;
    case OPT_PROVISION: a->wants_provision = true; return true;
    case OPT_CSV: a->csv = true; return true;
    case OPT_JSON: a->json = true; return true;
    case OPT_VERBOSE: a->verbose = true; return true;
    case OPT_HELP: a->help = true; return true;
    default: return false;
    }
}

static bool take_dr(struct arguments *a, const char *value)
{
    uint32_t dr;

    a->has_dr = whole32(value, 0, 7, &dr);
    a->fleet.dr = (uint8_t)dr;
    return a->has_dr;
}

static bool take_value(struct arguments *a, int option, const char *value)
{
    struct sim_fleet_config *f = &a->fleet;

    switch (option) {
    case OPT_SERVER: f->server = value; return true;
    case OPT_URL: a->provision.url = value; return true;
    case OPT_KEY: a->provision.key = value; return true;
    case OPT_REGION: return region_of(value, &f->region);
    case OPT_VERSION: return version_of(value, &f->version);
    case OPT_DEVICES: return whole32(value, 1, 1000000, &f->devices);
    case OPT_GATEWAYS: return whole32(value, 1, 100000, &f->gateways);
    case OPT_COPIES: return whole32(value, 1, 100000, &f->copies);
    case OPT_PAYLOAD: return whole32(value, 0, 242, &f->payload);
    case OPT_DR: return take_dr(a, value);
    case OPT_RATE: return decimal(value, 0.001, 1e6, &f->rate);
    case OPT_INTERVAL: return decimal(value, 0.001, 1e9, &a->interval_s);
    case OPT_LOSS: return decimal(value, 0, 1, &f->loss);
    case OPT_CONFIRMED: return decimal(value, 0, 1, &f->confirmed);
    case OPT_DURATION: return decimal(value, 0.001, 1e9, &f->duration_s);
    case OPT_SEED: return whole(value, 0, UINT64_MAX, &f->seed);
    case OPT_RUN: return whole32(value, 0, 4000, &f->run);
    case OPT_GATEWAY: return number_of(value, 8, &f->gateway_base.v);
    default: return take_mine(a, option, value);
    }
}

/* What belongs together. NULL, or what is wrong. */
static const char *settle(struct arguments *a)
{
    struct sim_fleet_config *f = &a->fleet;

    if (a->single && f->devices > 1)
        return "--dev-eui is of one device: without --devices";
    if (f->copies > f->gateways)
        return "--copies exceeds --gateways";
    if (a->single)
        f->only = &a->mine;
    if (!(a->interval_s > 0) && !(f->rate > 0))
        a->interval_s = DEFAULT_INTERVAL_S;
    if (a->interval_s > 0)
        f->rate = f->devices / a->interval_s;
    if (!a->has_dr)
        f->dr = sim_plan(f->region)->channel_max_dr;
    if (f->dr > sim_plan(f->region)->max_dr)
        return "--dr is not of the region";
    if (a->verbose)
        f->events = a->json ? stderr : stdout;
    if (!a->provision.key)
        a->provision.key = getenv("GODWIT_API_KEY");
    if (a->wants_provision && !a->provision.key)
        return "--provision needs --key or GODWIT_API_KEY";
    return NULL;
}

/* false: wrong; it was said. */
static bool read_arguments(int argc, char **argv, struct arguments *a)
{
    int option, at = -1;

    optind = 0; /* glibc: start anew, as main has read options before */
    while ((option = getopt_long(argc, argv, "", options, &at)) != -1) {
        if (option == '?')
            return false; /* getopt has said it */
        if (take_flag(a, option) || take_value(a, option, optarg))
            continue;
        fprintf(stderr, "simulate: --%s: '%s' is not allowed here\n", options[at].name, optarg);
        return false;
    }
    if (optind < argc) {
        fprintf(stderr, "simulate: unexpected argument '%s'\n", argv[optind]);
        return false;
    }
    const char *wrong = a->help ? NULL : settle(a);

    if (wrong)
        fprintf(stderr, "simulate: %s\n", wrong);
    return !wrong;
}

/* ---- the command ----------------------------------------------------------------------------- */

static void print_json(const struct sim_fleet_report *report)
{
    struct jw jw;

    jw_init(&jw, 1 << 16);
    sim_report_json(report, &jw);
    char *text = jw_take(&jw);

    if (text)
        puts(text);
    free(text);
    jw_free(&jw);
}

static int provision(struct arguments *a)
{
    enum err err = sim_provision(&a->provision, &a->fleet);

    if (!err)
        return 0;
    fprintf(stderr, "simulate: %s: %s\n", a->provision.url,
            a->provision.why ? a->provision.why : err_text(err));
    return 1;
}

static int simulate(struct arguments *a)
{
    struct sim_fleet_report report;
    enum err err = sim_fleet_run(&a->fleet, &report);

    if (err) {
        fprintf(stderr, "simulate: %s: %s\n", a->fleet.server,
                err == ERR_TIMEOUT ? "no PULL_ACK: is a server listening there?" : err_text(err));
        return err == ERR_INVALID ? 2 : 1;
    }
    if (a->json)
        print_json(&report);
    else
        sim_report_text(&report, stdout);
    return report.faults || report.verdicts_bad ? 1 : 0;
}

int cmd_simulate(int argc, char **argv)
{
    struct arguments a = {.fleet = {.server = "127.0.0.1:1700",
                                    .devices = 1,
                                    .gateways = 1,
                                    .copies = 1,
                                    .duration_s = 60,
                                    .seed = 1,
                                    .payload = 17,
                                    .version = LW_1_0_3,
                                    .adr = true},
                          .provision = {.url = "http://127.0.0.1:8080"}};

    if (!read_arguments(argc, argv, &a))
        return 2;
    if (a.help) {
        fputs(HELP, stdout);
        return 0;
    }
    if (a.csv) {
        sim_provision_csv(&a.fleet, stdout);
        return 0;
    }
    if (a.wants_provision && provision(&a))
        return 1;
    return simulate(&a);
}
