/*
 * object.h - the objects inside of TS002 messages: structs, rows and field tables.
 *
 * Each struct begins with `has`: bit `row` says that the member of that row is there (the enum
 * below the struct). Only what is there is printed; what was not there when read is zero. Strings,
 * octets and arrays are borrowed from the arena of the message. Frequencies in Hz, times in
 * microseconds since 1970 UTC, octets of payloads as on air.
 */
#pragma once

#include "core/field.h"
#include "lorawan/types.h"

#define ROAM_BIT(row)         (UINT64_C(1) << (row))
#define roam_has(object, row) (((object)->has >> (row)) & 1)
#define roam_put(object, row) ((void)((object)->has |= ROAM_BIT(row)))

#define ROAM_TOKEN_MAX        1024 /* octets: peers put whole structures into tokens */
#define ROAM_GW_INFO_MAX      256

/* What a row's `marks` say: the columns of the specification's tables. */
enum roam_mark {
    ROAM_M = 1 << 0,         /* mandatory */
    ROAM_O = 1 << 1,         /* optional */
    ROAM_MS = 1 << 2,        /* mandatory when the ResultCode is Success */
    ROAM_OS = 1 << 3,        /* optional then, absent otherwise */
    ROAM_OF = 1 << 4,        /* optional when it is another one */
    ROAM_C = 1 << 5,         /* by a rule in roaming/validate.c */
    ROAM_M_PHY = 1 << 6,     /* mandatory in a message with a PHYPayload */
    ROAM_M_FRM = 1 << 7,     /* mandatory in a message with a FRMPayload */
    ROAM_TOLERATED = 1 << 8, /* we send it, save in a refusal, but take messages without it */
    ROAM_1_1_ONLY = 1 << 9,  /* not in protocol version 1.0 */
};

/* ---- Result --------------------------------------------------------------------------------- */

struct roam_result {
    uint64_t has;
    uint8_t code; /* enum roam_result_code */
    const char *description;
};
enum { ROAM_RESULT_HAS, ROAM_RESULT_CODE, ROAM_RESULT_DESCRIPTION };
extern const struct field roam_result_fields[];

/* ---- KeyEnvelope ---------------------------------------------------------------------------- */

struct roam_key_envelope {
    uint64_t has;
    const char *kek_label; /* absent or "": aes_key is the key itself */
    struct bytes aes_key;
};
enum { ROAM_KEY_HAS, ROAM_KEY_KEK_LABEL, ROAM_KEY_AES_KEY };
extern const struct field roam_key_envelope_fields[];

/* ---- VSExtension ---------------------------------------------------------------------------- */

struct roam_vs_extension {
    uint64_t has;
    uint8_t vendor_id[3]; /* an OUI */
    const struct node *object;
};
enum { ROAM_VS_HAS, ROAM_VS_VENDOR_ID, ROAM_VS_OBJECT };
extern const struct field roam_vs_extension_fields[];

/* ---- ULMetaData, DLMetaData ----------------------------------------------------------------- */

struct roam_gw_info {
    uint64_t has;
    struct bytes id; /* four or eight octets of the gateway's EUI; a peer may have other ones */
    uint32_t fine_recv_time_ns;
    uint8_t rf_region; /* enum region_id */
    int32_t rssi;      /* dBm */
    double snr;        /* dB */
    double lat, lon;   /* degrees, WGS 84 */
    struct bytes ul_token;
    bool dl_allowed;
};
enum {
    ROAM_GW_HAS,
    ROAM_GW_ID,
    ROAM_GW_FINE_RECV_TIME,
    ROAM_GW_RF_REGION,
    ROAM_GW_RSSI,
    ROAM_GW_SNR,
    ROAM_GW_LAT,
    ROAM_GW_LON,
    ROAM_GW_UL_TOKEN,
    ROAM_GW_DL_ALLOWED,
};
extern const struct field roam_gw_info_fields[];

struct roam_ul_meta_data {
    uint64_t has;
    struct lw_eui dev_eui;
    struct lw_dev_addr dev_addr;
    uint8_t f_port;
    uint32_t fcnt_down, fcnt_up; /* of the application, 32 bits */
    bool confirmed;
    uint8_t data_rate;
    uint32_t ul_freq_hz;
    int32_t margin;  /* as DevStatusAns */
    uint8_t battery; /* as DevStatusAns */
    int64_t recv_time_us;
    uint8_t rf_region; /* enum region_id */
    struct bytes fns_ul_token;
    uint32_t gw_cnt;
    struct array gw_info; /* of struct roam_gw_info */
};
enum {
    ROAM_UL_HAS,
    ROAM_UL_DEV_EUI,
    ROAM_UL_DEV_ADDR,
    ROAM_UL_F_PORT,
    ROAM_UL_FCNT_DOWN,
    ROAM_UL_FCNT_UP,
    ROAM_UL_CONFIRMED,
    ROAM_UL_DATA_RATE,
    ROAM_UL_FREQ,
    ROAM_UL_MARGIN,
    ROAM_UL_BATTERY,
    ROAM_UL_RECV_TIME,
    ROAM_UL_RF_REGION,
    ROAM_UL_FNS_UL_TOKEN,
    ROAM_UL_GW_CNT,
    ROAM_UL_GW_INFO,
};
extern const struct field roam_ul_meta_data_fields[];

struct roam_dl_meta_data {
    uint64_t has;
    struct lw_eui dev_eui;
    uint8_t f_port;
    uint32_t fcnt_down;
    bool confirmed;
    uint32_t dl_freq1_hz, dl_freq2_hz;
    uint8_t rx_delay1;  /* s; 0 means 1 */
    uint8_t class_mode; /* enum lw_class */
    uint8_t data_rate1, data_rate2;
    struct bytes fns_ul_token;
    struct array gw_info; /* of struct roam_gw_info */
    bool hi_priority_flag;
};
enum {
    ROAM_DL_HAS,
    ROAM_DL_DEV_EUI,
    ROAM_DL_F_PORT,
    ROAM_DL_FCNT_DOWN,
    ROAM_DL_CONFIRMED,
    ROAM_DL_FREQ1,
    ROAM_DL_FREQ2,
    ROAM_DL_RX_DELAY1,
    ROAM_DL_CLASS_MODE,
    ROAM_DL_DATA_RATE1,
    ROAM_DL_DATA_RATE2,
    ROAM_DL_FNS_UL_TOKEN,
    ROAM_DL_GW_INFO,
    ROAM_DL_HI_PRIORITY_FLAG,
};
extern const struct field roam_dl_meta_data_fields[];

/* ---- profiles ------------------------------------------------------------------------------- */

struct roam_device_profile {
    uint64_t has;
    const char *device_profile_id;
    bool supports_class_b, supports_class_c;
    uint32_t class_b_timeout_s, ping_slot_period;
    uint8_t ping_slot_dr;
    uint32_t ping_slot_freq_hz;
    uint32_t class_c_timeout_s;
    uint8_t mac_version; /* enum lw_version */
    const char *reg_params_revision;
    uint8_t rx_delay1, rx_dr_offset1;
    uint32_t rx_data_rate2; /* an index; above 15 bit/s, as the specification's text has it */
    uint32_t rx_freq2_hz;
    struct array factory_preset_freqs; /* of uint32_t, Hz */
    double max_eirp;                   /* dBm */
    double max_duty_cycle;             /* 0.1 is 10 % */
    bool supports_join;
    uint8_t rf_region; /* enum region_id */
    bool supports_32bit_fcnt;
};
enum {
    ROAM_DP_HAS,
    ROAM_DP_ID,
    ROAM_DP_SUPPORTS_CLASS_B,
    ROAM_DP_CLASS_B_TIMEOUT,
    ROAM_DP_PING_SLOT_PERIOD,
    ROAM_DP_PING_SLOT_DR,
    ROAM_DP_PING_SLOT_FREQ,
    ROAM_DP_SUPPORTS_CLASS_C,
    ROAM_DP_CLASS_C_TIMEOUT,
    ROAM_DP_MAC_VERSION,
    ROAM_DP_REG_PARAMS_REVISION,
    ROAM_DP_RX_DELAY1,
    ROAM_DP_RX_DR_OFFSET1,
    ROAM_DP_RX_DATA_RATE2,
    ROAM_DP_RX_FREQ2,
    ROAM_DP_FACTORY_PRESET_FREQS,
    ROAM_DP_MAX_EIRP,
    ROAM_DP_MAX_DUTY_CYCLE,
    ROAM_DP_SUPPORTS_JOIN,
    ROAM_DP_RF_REGION,
    ROAM_DP_SUPPORTS_32BIT_FCNT,
};
extern const struct field roam_device_profile_fields[];

enum roam_rate_policy { ROAM_RATE_DROP, ROAM_RATE_MARK };

struct roam_service_profile {
    uint64_t has;
    const char *service_profile_id;
    uint32_t ul_rate, ul_bucket_size; /* frames an hour; frames */
    uint8_t ul_rate_policy;           /* enum roam_rate_policy */
    uint32_t dl_rate, dl_bucket_size;
    uint8_t dl_rate_policy;
    bool add_gw_metadata;
    uint32_t dev_status_req_freq; /* a day */
    bool report_dev_status_battery, report_dev_status_margin;
    uint8_t dr_min, dr_max;
    struct bytes channel_mask;
    bool pr_allowed, hr_allowed, ra_allowed;
    bool nwk_geo_loc;
    double target_per; /* 0.1 is 10 % */
    uint32_t min_gw_diversity;
};
enum {
    ROAM_SP_HAS,
    ROAM_SP_ID,
    ROAM_SP_UL_RATE,
    ROAM_SP_UL_BUCKET_SIZE,
    ROAM_SP_UL_RATE_POLICY,
    ROAM_SP_DL_RATE,
    ROAM_SP_DL_BUCKET_SIZE,
    ROAM_SP_DL_RATE_POLICY,
    ROAM_SP_ADD_GW_METADATA,
    ROAM_SP_DEV_STATUS_REQ_FREQ,
    ROAM_SP_REPORT_DEV_STATUS_BATTERY,
    ROAM_SP_REPORT_DEV_STATUS_MARGIN,
    ROAM_SP_DR_MIN,
    ROAM_SP_DR_MAX,
    ROAM_SP_CHANNEL_MASK,
    ROAM_SP_PR_ALLOWED,
    ROAM_SP_HR_ALLOWED,
    ROAM_SP_RA_ALLOWED,
    ROAM_SP_NWK_GEO_LOC,
    ROAM_SP_TARGET_PER,
    ROAM_SP_MIN_GW_DIVERSITY,
};
extern const struct field roam_service_profile_fields[];

/* Between a network server and an application server; in no message of TS002. */
struct roam_routing_profile {
    uint64_t has;
    const char *routing_profile_id, *as_id;
};
enum { ROAM_RP_HAS, ROAM_RP_ID, ROAM_RP_AS_ID };
extern const struct field roam_routing_profile_fields[];

/* ---- spellings that several tables share ---------------------------------------------------- */

extern const char *const roam_mac_version_names[];          /* by enum lw_version */
extern const struct field_alias roam_mac_version_aliases[]; /* "1.1.0" for "1.1" */

/* The `check` of a time: from 1970 as long as 64 bits hold its nanoseconds, which is 2262. */
const char *roam_check_time(const void *value);
