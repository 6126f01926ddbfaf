/*
 * event.c - see event.h. One function for each block of members, in the order of the contract.
 */
#include "integration/event.h"

#include "core/clock.h"
#include "region/region.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void key_uuid(struct jw *jw, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT];

    jw_key_str(jw, key, uuid_is_zero(id) ? "" : uuid_text(text, id));
}

static void key_eui(struct jw *jw, const char *key, struct lw_eui eui)
{
    char text[LW_EUI_TEXT];

    jw_key_str(jw, key, lw_eui_text(text, eui));
}

static void key_text(struct jw *jw, const char *key, const char *text)
{
    jw_key_str(jw, key, text ? text : "");
}

static void key_base64(struct jw *jw, const char *key, const void *p, size_t n)
{
    jw_key(jw, key);
    jw_base64(jw, p, n);
}

static const char *class_text(uint8_t device_class)
{
    return device_class == LW_CLASS_B   ? "CLASS_B"
           : device_class == LW_CLASS_C ? "CLASS_C"
                                        : "CLASS_A";
}

static void print_device(struct jw *jw, const struct event_facts *facts,
                         const struct event_context *context)
{
    jw_key(jw, "deviceInfo");
    jw_object(jw);
    key_uuid(jw, "tenantId", &context->tenant_id);
    key_text(jw, "tenantName", context->tenant_name);
    key_uuid(jw, "applicationId", &context->application_id);
    key_text(jw, "applicationName", context->application_name);
    key_uuid(jw, "deviceProfileId", &context->device_profile_id);
    key_text(jw, "deviceProfileName", context->device_profile_name);
    key_text(jw, "deviceName", context->device_name);
    key_eui(jw, "devEui", context->dev_eui);
    jw_key_str(jw, "deviceClassEnabled", class_text(facts->device_class));
    jw_key(jw, "tags");
    jw_object(jw);
    for (size_t i = 0; i < context->tags.n; i++)
        jw_key_str(jw, context->tags.p[i].key, context->tags.p[i].value);
    jw_end_object(jw);
    jw_end_object(jw);
}

/* ---- radio ----------------------------------------------------------------------------------- */

/* LR-FHSS 1/3 and 2/3 are written as 2/6 and 4/6. At 2.4 GHz, whose widths are no multiples of
 * 125 kHz, LoRa has the long interleaver. */
static const char *code_rate(const struct data_rate *rate)
{
    static const char *const lora[2][5] = {
        {"CR_UNDEFINED", "CR_4_5", "CR_4_6", "CR_4_7", "CR_4_8"},
        {"CR_UNDEFINED", "CR_LI_4_5", "CR_LI_4_6", "CR_UNDEFINED", "CR_LI_4_8"}};
    bool long_interleaver = rate->bandwidth_hz % 125000 != 0;

    if (rate->kind == MOD_LR_FHSS)
        return rate->coding_rate == 1 ? "CR_2_6" : "CR_4_6";
    return lora[long_interleaver][rate->coding_rate <= 4 ? rate->coding_rate : 0];
}

static void print_lora(struct jw *jw, const struct data_rate *rate)
{
    jw_key(jw, "lora");
    jw_object(jw);
    jw_key_uint(jw, "bandwidth", rate->bandwidth_hz);
    jw_key_uint(jw, "spreadingFactor", rate->sf);
    jw_key_str(jw, "codeRate", code_rate(rate));
    jw_end_object(jw);
}

static void print_fsk(struct jw *jw, const struct data_rate *rate)
{
    jw_key(jw, "fsk");
    jw_object(jw);
    jw_key_uint(jw, "frequencyDeviation", rate->bit_rate / 2);
    jw_key_uint(jw, "datarate", rate->bit_rate);
    jw_end_object(jw);
}

static void print_lr_fhss(struct jw *jw, const struct data_rate *rate)
{
    jw_key(jw, "lrFhss");
    jw_object(jw);
    jw_key_uint(jw, "operatingChannelWidth", rate->bandwidth_hz);
    jw_key_str(jw, "codeRate", code_rate(rate));
    jw_key_uint(jw, "gridSteps", rate->grid_steps);
    jw_end_object(jw);
}

static void print_modulation(struct jw *jw, const struct data_rate *rate)
{
    jw_key(jw, "modulation");
    jw_object(jw);
    switch ((enum modulation)rate->kind) {
    case MOD_LORA: print_lora(jw, rate); break;
    case MOD_FSK: print_fsk(jw, rate); break;
    case MOD_LR_FHSS: print_lr_fhss(jw, rate); break;
    }
    jw_end_object(jw);
}

static void print_up_tx(struct jw *jw, const struct copy *copy)
{
    jw_key(jw, "txInfo");
    jw_object(jw);
    jw_key_uint(jw, "frequency", copy->frequency_hz);
    print_modulation(jw, &copy->rate);
    jw_end_object(jw);
}

static void print_location(struct jw *jw, const struct copy *copy,
                           const struct event_context *context)
{
    struct gateway_location at;

    if (!context->locate || !context->locate(context->arg, copy->gateway, &at))
        return;
    jw_key(jw, "location");
    jw_object(jw);
    jw_key(jw, "latitude");
    jw_double(jw, at.latitude);
    jw_key(jw, "longitude");
    jw_double(jw, at.longitude);
    jw_key(jw, "altitude");
    jw_double(jw, at.altitude);
    jw_end_object(jw);
}

/* A duration as Protobuf's JSON writes it: seconds with a fraction and an `s`. */
static void print_gps(struct jw *jw, const struct copy *copy)
{
    char text[32];

    if (!(copy->flags & COPY_HAS_TMMS))
        return;
    (void)snprintf(text, sizeof(text), "%llu.%03us", (unsigned long long)(copy->gps_ms / 1000),
                   (unsigned)(copy->gps_ms % 1000));
    jw_key_str(jw, "timeSinceGpsEpoch", text);
}

static void print_metadata(struct jw *jw, uint8_t region)
{
    char lower[24];
    const char *name = region_name((enum region_id)region);
    size_t n = 0;

    for (; name[n] && n + 1 < sizeof(lower); n++)
        lower[n] = (char)(name[n] == '-' ? '_' : tolower((unsigned char)name[n]));
    lower[n] = '\0';
    jw_key(jw, "metadata");
    jw_object(jw);
    jw_key_str(jw, "region_common_name", name);
    jw_key_str(jw, "region_config_id", lower);
    jw_end_object(jw);
}

/* `context` is the counter of the gateway as it came: what a downlink would refer to. */
static void print_rx(struct jw *jw, const struct copy *copy, const struct event_context *context)
{
    const uint8_t counter[] = {(uint8_t)(copy->tmst >> 24), (uint8_t)(copy->tmst >> 16),
                               (uint8_t)(copy->tmst >> 8), (uint8_t)copy->tmst};

    jw_object(jw);
    key_eui(jw, "gatewayId", copy->gateway);
    jw_key_uint(jw, "uplinkId", copy->uplink_id);
    if (copy->flags & COPY_HAS_GW_TIME) {
        jw_key(jw, "gwTime");
        jw_time(jw, copy->gw_utc_us);
    }
    jw_key(jw, "nsTime");
    jw_time(jw, copy->utc_us);
    print_gps(jw, copy);
    jw_key_int(jw, "rssi", copy->rssi_dbm);
    jw_key(jw, "snr");
    jw_double(jw, copy->snr_cb / 10.0);
    jw_key_uint(jw, "channel", copy->channel);
    jw_key_uint(jw, "rfChain", copy->rf_chain);
    jw_key_uint(jw, "board", copy->board);
    jw_key_uint(jw, "antenna", copy->antenna);
    print_location(jw, copy, context);
    key_base64(jw, "context", counter, sizeof(counter));
    jw_key_str(jw, "crcStatus",
               copy->crc == CRC_OK    ? "CRC_OK"
               : copy->crc == CRC_BAD ? "BAD_CRC"
                                      : "NO_CRC");
    print_metadata(jw, copy->region);
    jw_end_object(jw);
}

/* ---- types ----------------------------------------------------------------------------------- */

static void print_addr(struct jw *jw, const struct event_facts *facts)
{
    char text[LW_DEV_ADDR_TEXT];

    jw_key_str(jw, "devAddr", lw_dev_addr_text(text, facts->dev_addr));
}

static void print_up(struct jw *jw, const struct event_facts *facts,
                     const struct event_context *context)
{
    print_addr(jw, facts);
    jw_key_bool(jw, "adr", facts->adr);
    jw_key_uint(jw, "dr", facts->dr);
    jw_key_uint(jw, "fCnt", facts->fcnt);
    jw_key_uint(jw, "fPort", facts->f_port);
    jw_key_bool(jw, "confirmed", facts->confirmed);
    key_base64(jw, "data", facts->data.p, facts->data.n);
    jw_key(jw, "rxInfo");
    jw_array(jw);
    for (size_t i = 0; i < facts->copy_count; i++)
        print_rx(jw, &facts->copies[i], context);
    jw_end_array(jw);
    if (facts->copy_count)
        print_up_tx(jw, &facts->copies[0]);
}

static void print_join(struct jw *jw, const struct event_facts *facts,
                       const struct event_context *context)
{
    (void)context;
    print_addr(jw, facts);
    key_eui(jw, "joinEui", facts->join_eui);
}

static void print_ack(struct jw *jw, const struct event_facts *facts,
                      const struct event_context *context)
{
    (void)context;
    key_uuid(jw, "queueItemId", &facts->queue_item_id);
    jw_key_bool(jw, "acknowledged", facts->acknowledged);
    jw_key_uint(jw, "fCntDown", facts->fcnt_down);
}

static void print_txack(struct jw *jw, const struct event_facts *facts,
                        const struct event_context *context)
{
    (void)context;
    jw_key_uint(jw, "downlinkId", facts->downlink_id & UINT32_MAX);
    key_uuid(jw, "queueItemId", &facts->queue_item_id);
    jw_key_uint(jw, "fCntDown", facts->fcnt_down);
    key_eui(jw, "gatewayId", facts->rung.gateway);
    jw_key(jw, "txInfo");
    jw_object(jw);
    jw_key_uint(jw, "frequency", facts->rung.frequency_hz);
    jw_key_int(jw, "power", facts->rung.eirp_dbm);
    print_modulation(jw, &facts->rung.rate);
    jw_end_object(jw);
}

static void print_status(struct jw *jw, const struct event_facts *facts,
                         const struct event_context *context)
{
    bool known = facts->battery >= 1 && facts->battery <= 254;

    (void)context;
    jw_key_int(jw, "margin", facts->margin);
    jw_key_bool(jw, "externalPowerSource", facts->battery == 0);
    jw_key_bool(jw, "batteryLevelUnavailable", facts->battery == 255);
    jw_key(jw, "batteryLevel");
    jw_double(jw, known ? round(facts->battery * 10000.0 / 254.0) / 100.0 : 0);
}

static void print_log(struct jw *jw, const struct event_facts *facts,
                      const struct event_context *context)
{
    static const char *const levels[] = {"INFO", "WARNING", "ERROR"};

    (void)context;
    jw_key_str(jw, "level", levels[facts->level <= 2 ? facts->level : 2]);
    key_text(jw, "code", facts->code);
    key_text(jw, "description", facts->description);
    jw_key(jw, "context");
    if (facts->context && *facts->context) {
        jw_raw(jw, facts->context, strlen(facts->context));
    } else {
        jw_object(jw);
        jw_end_object(jw);
    }
}

typedef void print_fn(struct jw *jw, const struct event_facts *facts,
                      const struct event_context *context);

static print_fn *const printers[EVENT_TYPE_COUNT] = {
    [EVENT_UP] = print_up,       [EVENT_JOIN] = print_join,     [EVENT_ACK] = print_ack,
    [EVENT_TXACK] = print_txack, [EVENT_STATUS] = print_status, [EVENT_LOG] = print_log,
};

void event_print(struct jw *jw, enum event_type type, const struct event_facts *facts,
                 const struct event_context *context)
{
    jw_object(jw);
    key_uuid(jw, "deduplicationId", &facts->dedup_id);
    jw_key(jw, "time");
    jw_time(jw, context->utc_us);
    print_device(jw, facts, context);
    printers[type](jw, facts, context);
    jw_end_object(jw);
}
