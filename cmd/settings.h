/*
 * settings.h - the configuration of the program: one table reads the file and the environment,
 * checks it and prints the reference (deploy/godwit.yaml). See api.md, Configuration.
 */
#pragma once

#include "core/config.h"
#include "core/field.h"
#include "ns/ns.h"

struct settings_channel {
    uint32_t frequency_hz;
    uint8_t min_dr, max_dr;
};

struct settings_region {
    const char *name;
    struct array extra_channels; /* struct settings_channel; absent: the region's usual ones */
    struct array sub_bands;      /* uint8_t 1..12, fixed plans; empty: all */
    uint8_t rx1_delay;
    int32_t rx2_dr;
    uint32_t rx2_frequency_hz;
    double max_eirp_dbm;
};

struct settings {
    uint32_t net_id;
    struct array secondary_net_ids;
    const char *ns_id;
    struct array dev_addr_prefixes;
    struct array regions; /* struct settings_region */
    const char *database_url, *redis_url;
    const char *api_listen, *api_cert, *api_key;
    bool allow_unknown;
    const char *udp_listen, *basics_station_listen, *gateway_mqtt_url;
    uint32_t dedup_window_ms, app_reply_ms;
    const char *roaming_listen, *roaming_cert, *roaming_key, *roaming_client_ca;
    uint32_t roaming_dedup_window_ms;
    bool roaming_dns;
    const char *roaming_netid_suffix, *roaming_joineui_suffix, *roaming_dns_server;
    bool join_server;
    uint32_t frame_log_mb, frame_log_days;
    uint8_t log_level, log_format;
    const char *data_dir;
};

extern const struct field settings_fields[];

/* Reads `file` (NULL: none) and the environment, then checks what spans several keys. The settings
 * borrow from the arena of `errors`. */
enum err settings_load(struct settings *settings, const char *file,
                       struct field_errors *errors) MUST_CHECK;

/* After flags were applied: fills the regions as ns/ wants them. ERR_INVALID with `errors`. */
enum err settings_regions(const struct settings *settings, struct ns_region regions[NS_REGIONS_MAX],
                          size_t *count, struct field_errors *errors) MUST_CHECK;

/* The first of regions[0..at-1] that has a channel and data rate of regions[at] too, at `hz`:
 * frames of gateways without a region are taken to be there. NULL: none. */
const struct ns_region *settings_overlap(const struct ns_region *regions, size_t at, uint32_t *hz);
