/* settings.c - the table of the configuration, and the rules across its keys. */
#include "cmd/settings.h"

#include <string.h>

#define S(member) .offset = offsetof(struct settings, member)

/* Nested objects are views on one flat struct: their offsets count from its start. */
/* clang-format off */
static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"text", "json", NULL};

static const struct field channel_fields[] = {
    {"frequency", F_U32, F_REQ, AT(struct settings_channel, frequency_hz), .help = "Hz."},
    {"min_dr",    F_U8,  0,     AT(struct settings_channel, min_dr), .range = {0, 15}, .def = "0"},
    {"max_dr",    F_U8,  0,     AT(struct settings_channel, max_dr), .range = {0, 15}, .def = "5"},
    {0},
};

static const struct field region_fields[] = {
    {"name",           F_STR,    F_REQ, AT(struct settings_region, name), .size = 16},
    {"extra_channels", F_ARR,    0, AT(struct settings_region, extra_channels), .elem = F_OBJ, .size = sizeof(struct settings_channel), .sub = channel_fields, .most = 13, .help = "Channels beside the default ones; absent: the region's usual ones."},
    {"sub_bands",      F_ARR,    0, AT(struct settings_region, sub_bands), .elem = F_U8, .size = 1, .range = {1, 12}, .most = 12, .help = "Fixed plans: the sub-bands that the gateways hear; absent: all."},
    {"rx1_delay",      F_U8,     0, AT(struct settings_region, rx1_delay), .range = {0, 15}, .def = "0", .help = "Least RX1 delay in seconds; 0: the profile's."},
    {"rx2_dr",         F_I32,    0, AT(struct settings_region, rx2_dr), .range = {-1, 15}, .def = "-1", .help = "Data rate of RX2 that devices are given as they join, if their profile names none; -1: the region's."},
    {"rx2_frequency",  F_U32,    F_LATER, AT(struct settings_region, rx2_frequency_hz), .def = "0"},
    {"max_eirp",       F_DOUBLE, 0, AT(struct settings_region, max_eirp_dbm), .range = {0, 50}, .def = "0", .help = "Greatest EIRP of gateways in dBm, below the region's own; 0: the region's."},
    {0},
};

static const struct field network_fields[] = {
    {"net_id",            F_NETID, 0, S(net_id), .def = "000000", .help = "NetID of this network, 6 hex digits."},
    {"secondary_net_ids", F_ARR,   F_LATER, S(secondary_net_ids), .elem = F_NETID, .size = 4},
    {"ns_id",             F_STR,   F_LATER, S(ns_id), .def = "", .help = "EUI-64 of this network server."},
    {"dev_addr_prefixes", F_ARR,   F_LATER, S(dev_addr_prefixes), .elem = F_STR, .size = sizeof(const char *)},
    {"regions",           F_ARR,   F_SHORT, S(regions), .elem = F_OBJ, .size = sizeof(struct settings_region), .sub = region_fields, .most = NS_REGIONS_MAX, .help = "An item is a name or {name, extra_channels, sub_bands, rx1_delay, rx2_dr, max_eirp}. Absent: [EU868]. A gateway without a region is in the first that has the channel."},
    {0},
};

static const struct field database_fields[] = {
    {"url", F_STR, 0, S(database_url), .def = "sqlite:godwit.db", .help = "sqlite:FILE, relative to data_dir; or postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, as libpq takes it."},
    {0},
};
static const struct field redis_fields[] = {
    {"url", F_STR, F_LATER, S(redis_url), .def = "", .help = "Needed only when several processes share one PostgreSQL."},
    {0},
};
static const struct field api_tls_fields[] = {
    {"cert", F_STR, 0, S(api_cert), .def = "", .help = "PEM file, the chain after it. SIGHUP reads both files again."},
    {"key",  F_STR, 0, S(api_key), .def = "", .help = "PEM file."},
    {0},
};
static const struct field api_fields[] = {
    {"listen", F_STR, 0, S(api_listen), .def = "127.0.0.1:8080", .help = "REST, /metrics, /healthz, /readyz."},
    {"tls",    F_OBJ, 0, .sub = api_tls_fields},
    {0},
};
static const struct field udp_fields[] = {
    {"listen", F_STR, 0, S(udp_listen), .def = "0.0.0.0:1700", .help = "Semtech UDP; empty: off."},
    {0},
};
static const struct field basics_station_fields[] = {
    {"listen", F_STR, F_LATER, S(basics_station_listen), .def = ""},
    {0},
};
static const struct field gateway_mqtt_fields[] = {
    {"url", F_STR, F_LATER, S(gateway_mqtt_url), .def = ""},
    {0},
};
static const struct field gateway_fields[] = {
    {"allow_unknown",  F_BOOL, 0, S(allow_unknown), .def = "false", .help = "true: frames of unknown gateways count, and a record is made in tenant `default`."},
    {"udp",            F_OBJ,  0, .sub = udp_fields},
    {"basics_station", F_OBJ,  0, .sub = basics_station_fields},
    {"mqtt",           F_OBJ,  0, .sub = gateway_mqtt_fields},
    {0},
};
static const struct field uplink_fields[] = {
    {"dedup_window_ms", F_U32, 0, S(dedup_window_ms), .range = {0, 2000}, .def = "200", .help = "How long copies of one transmission are gathered."},
    {0},
};
static const struct field downlink_fields[] = {
    {"app_reply_ms", F_U32, 0, S(app_reply_ms), .range = {0, 10000}, .def = "100", .help = "How long a class A answer waits for the application; 0: never."},
    {0},
};
static const struct field roaming_tls_fields[] = {
    {"cert",      F_STR, F_LATER, S(roaming_cert), .def = ""},
    {"key",       F_STR, F_LATER, S(roaming_key), .def = ""},
    {"client_ca", F_STR, F_LATER, S(roaming_client_ca), .def = ""},
    {0},
};
static const struct field roaming_dns_fields[] = {
    {"enabled",        F_BOOL, F_LATER, S(roaming_dns), .def = "false"},
    {"netid_suffix",   F_STR,  F_LATER, S(roaming_netid_suffix), .def = ""},
    {"joineui_suffix", F_STR,  F_LATER, S(roaming_joineui_suffix), .def = ""},
    {"server",         F_STR,  F_LATER, S(roaming_dns_server), .def = ""},
    {0},
};
static const struct field roaming_fields[] = {
    {"listen",          F_STR, F_LATER, S(roaming_listen), .def = ""},
    {"tls",             F_OBJ, 0, .sub = roaming_tls_fields},
    {"dedup_window_ms", F_U32, F_LATER, S(roaming_dedup_window_ms), .def = "50"},
    {"dns",             F_OBJ, 0, .sub = roaming_dns_fields},
    {0},
};
static const struct field join_server_fields[] = {
    {"enabled", F_BOOL, 0, S(join_server), .def = "true"},
    {0},
};
static const struct field frame_log_fields[] = {
    {"max_mb",   F_U32, 0, S(frame_log_mb), .range = {0, 1000000}, .def = "1024", .help = "Size of its files in <data_dir>/frames; 0: the newest frames in memory only."},
    {"max_days", F_U32, 0, S(frame_log_days), .range = {1, 3650}, .def = "7", .help = "Older frames are dropped."},
    {0},
};
static const struct field log_fields[] = {
    {"level",  F_ENUM, 0, S(log_level), .names = log_levels, .def = "info", .help = "debug, info, warn, error."},
    {"format", F_ENUM, 0, S(log_format), .names = log_formats, .def = "text", .help = "text or json."},
    {0},
};

const struct field settings_fields[] = {
    {"network",     F_OBJ, 0, .sub = network_fields},
    {"database",    F_OBJ, 0, .sub = database_fields},
    {"redis",       F_OBJ, 0, .sub = redis_fields},
    {"api",         F_OBJ, 0, .sub = api_fields},
    {"gateway",     F_OBJ, 0, .sub = gateway_fields},
    {"uplink",      F_OBJ, 0, .sub = uplink_fields},
    {"downlink",    F_OBJ, 0, .sub = downlink_fields},
    {"roaming",     F_OBJ, 0, .sub = roaming_fields},
    {"join_server", F_OBJ, 0, .sub = join_server_fields},
    {"frame_log",   F_OBJ, 0, .sub = frame_log_fields},
    {"log",         F_OBJ, 0, .sub = log_fields},
    {"data_dir",    F_STR, 0, S(data_dir), .def = "./data", .help = "Relative to the working directory."},
    {0},
};
/* clang-format on */

static bool complain(struct field_errors *errors, const char *where, const char *what)
{
    field_error_add(errors, where, 0, "%s", what);
    return false;
}

/* There may be many regions: the name says which. */
static bool complain_of(struct field_errors *errors, const struct settings_region *from,
                        const char *key, const char *what)
{
    field_error_add(errors, "network.regions", 0, "%s%s%s: %s", from->name, *key ? ", " : "", key,
                    what);
    return false;
}

/* Defined already, with one of its data rates. */
static bool is_double(const struct ns_region *region, const struct region_channel *channel)
{
    for (unsigned dr = channel->min_dr; dr <= channel->max_dr; dr++) {
        if (region_channel_find(&region->channels, channel->frequency_hz, dr, 0) >= 0)
            return true;
    }
    return false;
}

static bool fill_channels(const struct settings_region *from, struct ns_region *region,
                          struct field_errors *errors)
{
    const struct settings_channel *extra = from->extra_channels.p;
    unsigned index = 0;

    for (size_t i = 0; i < from->extra_channels.n; i++) {
        struct region_channel channel = {.frequency_hz = extra[i].frequency_hz,
                                         .min_dr = extra[i].min_dr,
                                         .max_dr = extra[i].max_dr};

        if (is_double(region, &channel))
            return complain_of(errors, from, "extra_channels", "a channel is there already");
        while (chmask_test(&region->channels.defined, index))
            index++;
        if (region_channels_put(region->region, &region->channels, index, &channel))
            return complain_of(errors, from, "extra_channels",
                               "a channel that the region does not allow");
    }
    if (from->extra_channels.n == 0)
        region_channels_add_extras(region->region, &region->channels);
    return true;
}

static bool fill_sub_bands(const struct settings_region *from, struct ns_region *region,
                           struct field_errors *errors)
{
    const uint8_t *bands = from->sub_bands.p;

    region->enabled = region->channels.defined;
    if (from->sub_bands.n == 0)
        return true;
    memset(&region->enabled, 0, sizeof(region->enabled));
    for (size_t i = 0; i < from->sub_bands.n; i++) {
        struct chmask band = region_sub_band(region->region, bands[i]);

        if (chmask_is_empty(&band))
            return complain_of(errors, from, "sub_bands", "the region has no such sub-band");
        region->enabled = chmask_or(&region->enabled, &band);
    }
    return true;
}

static bool fill_region(const struct settings_region *from, struct ns_region *region,
                        struct field_errors *errors)
{
    enum region_id id;

    if (region_find(from->name, &id) != OK)
        return complain_of(errors, from, "", "is no region; `godwit regions` shows their names");
    if (from->rx2_dr >= 0 &&
        !region_down_dr_usable(region_get(id), RP002_1_0_5, (unsigned)from->rx2_dr))
        return complain_of(errors, from, "rx2_dr", "is no downlink data rate of the region");
    *region = (struct ns_region){.region = region_get(id),
                                 .rx1_delay = from->rx1_delay,
                                 .rx2_dr = from->rx2_dr,
                                 .max_eirp_dbm = (int8_t)from->max_eirp_dbm};
    region_channels_init(region->region, &region->channels);
    return fill_channels(from, region, errors) && fill_sub_bands(from, region, errors);
}

enum err settings_regions(const struct settings *settings, struct ns_region regions[NS_REGIONS_MAX],
                          size_t *count, struct field_errors *errors)
{
    static const struct settings_region eu868 = {.name = "EU868", .rx2_dr = -1};
    const struct settings_region *from = settings->regions.n ? settings->regions.p : &eu868;
    bool good = true;

    *count = settings->regions.n ? settings->regions.n : 1;
    for (size_t i = 0; i < *count; i++) {
        good = fill_region(&from[i], &regions[i], errors) && good;
        for (size_t k = 0; good && k < i; k++) {
            if (regions[k].region == regions[i].region)
                good = complain_of(errors, &from[i], "", "stands there twice");
        }
    }
    return good ? OK : ERR_INVALID;
}

/* A channel and data rate of `b` that `a` has too; 0 if there is none. */
static uint32_t common_hz(const struct ns_region *a, const struct ns_region *b)
{
    for (int i = -1; (i = chmask_next(&b->channels.defined, i + 1)) >= 0;) {
        const struct region_channel *channel = &b->channels.at[i];

        for (unsigned dr = 0; dr < REGION_DRS; dr++) {
            const struct data_rate *rate = region_rate(b->region, LW_UP, dr);
            uint8_t other_dr, other;

            if (rate && region_channel_carries(channel, dr) &&
                region_uplink_find(a->region, &a->channels, channel->frequency_hz, rate, &other_dr,
                                   &other))
                return channel->frequency_hz;
        }
    }
    return 0;
}

const struct ns_region *settings_overlap(const struct ns_region *regions, size_t at, uint32_t *hz)
{
    for (size_t i = 0; i < at; i++) {
        *hz = common_hz(&regions[i], &regions[at]);
        if (*hz)
            return &regions[i];
    }
    return NULL;
}

static bool is_database_url(const char *url)
{
    static const char *const schemes[] = {"sqlite:", "postgresql://", "postgres://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url[strlen(schemes[i])] != '\0';
    }
    return false;
}

static enum err check(const struct settings *settings, struct field_errors *errors)
{
    size_t before = errors->n, count;
    struct ns_region *regions = arena_array(errors->arena, struct ns_region, NS_REGIONS_MAX);
    enum err err = settings_regions(settings, regions, &count, errors);

    if (!is_database_url(settings->database_url))
        (void)complain(errors, "database.url", "must be sqlite:FILE or postgresql://...");
    if (!*settings->api_cert != !*settings->api_key)
        (void)complain(errors, "api.tls", "needs both cert and key");
    if (!*settings->data_dir)
        (void)complain(errors, "data_dir", "must not be empty");
    return err || errors->n > before ? ERR_INVALID : OK;
}

enum err settings_load(struct settings *settings, const char *file, struct field_errors *errors)
{
    enum err err = config_load(settings_fields, settings, file, "GODWIT", errors);

    return err ? err : check(settings, errors);
}
