/*
 * mac_typed.c - the commands the network server handles itself, as structs.
 *
 * Each goes through the table's fields: a layout stands in one place only. A `put` list names the
 * fields in any order; a value that does not fit fails the writer.
 */
#include "lorawan/mac.h"

#include <string.h>

struct item {
    const char *field;
    int64_t value;
};

static void put_cmd(struct wr *wr, uint8_t cid, const struct item *items, size_t count)
{
    const struct lw_mac_def *def = lw_mac_def(LW_DOWN, cid);
    uint8_t payload[LW_MAC_CMD_MAX] = {0};

    if (!def) {
        wr->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct lw_mac_field *field = lw_mac_field(def, items[i].field);

        if (!field || lw_mac_put(field, payload, def->length, items[i].value) != OK) {
            wr->failed = true;
            return;
        }
    }
    if ((size_t)(wr->end - wr->p) < (size_t)def->length + 1) {
        wr->failed = true; /* a command is written whole or not at all */
        return;
    }
    wr_u8(wr, cid);
    wr_copy(wr, payload, def->length);
}

#define PUT(wr, cid, ...)                                                                          \
    put_cmd((wr), (cid), (const struct item[]){__VA_ARGS__},                                       \
            sizeof((const struct item[]){__VA_ARGS__}) / sizeof(struct item))

/* A reader of one command's fields. */
struct source {
    const struct lw_mac_def *def;
    struct bytes payload;
};

static bool source_of(enum lw_direction direction, uint8_t cid, struct bytes payload,
                      struct source *source)
{
    *source = (struct source){lw_mac_def(direction, cid), payload};
    return source->def && payload.n >= source->def->length;
}

static int64_t get(const struct source *source, const char *name)
{
    const struct lw_mac_field *field = lw_mac_field(source->def, name);

    return field ? lw_mac_get(field, source->payload) : 0;
}

void lw_link_adr_req_write(struct wr *wr, const struct lw_link_adr_req *req)
{
    PUT(wr, LW_CID_LINK_ADR, {"dr", req->dr}, {"txpower", req->tx_power}, {"chmask", req->ch_mask},
        {"chmaskcntl", req->ch_mask_cntl}, {"nbtrans", req->nb_trans});
}

bool lw_link_adr_req_read(struct bytes payload, struct lw_link_adr_req *req)
{
    struct source s;

    if (!source_of(LW_DOWN, LW_CID_LINK_ADR, payload, &s))
        return false;
    req->dr = (uint8_t)get(&s, "dr");
    req->tx_power = (uint8_t)get(&s, "txpower");
    req->ch_mask = (uint16_t)get(&s, "chmask");
    req->ch_mask_cntl = (uint8_t)get(&s, "chmaskcntl");
    req->nb_trans = (uint8_t)get(&s, "nbtrans");
    return true;
}

bool lw_link_adr_ans_read(struct bytes payload, struct lw_link_adr_ans *ans)
{
    struct source s;

    if (!source_of(LW_UP, LW_CID_LINK_ADR, payload, &s))
        return false;
    ans->ch_mask_ack = get(&s, "chmask_ack");
    ans->dr_ack = get(&s, "dr_ack");
    ans->power_ack = get(&s, "power_ack");
    return true;
}

void lw_rx_param_setup_req_write(struct wr *wr, const struct lw_rx_param_setup_req *req)
{
    PUT(wr, LW_CID_RX_PARAM_SETUP, {"rx1droffset", req->rx1_dr_offset}, {"rx2dr", req->rx2_dr},
        {"freq_hz", req->frequency_hz});
}

bool lw_rx_param_setup_req_read(struct bytes payload, struct lw_rx_param_setup_req *req)
{
    struct source s;

    if (!source_of(LW_DOWN, LW_CID_RX_PARAM_SETUP, payload, &s))
        return false;
    req->rx1_dr_offset = (uint8_t)get(&s, "rx1droffset");
    req->rx2_dr = (uint8_t)get(&s, "rx2dr");
    req->frequency_hz = (uint32_t)get(&s, "freq_hz");
    return true;
}

bool lw_rx_param_setup_ans_read(struct bytes payload, struct lw_rx_param_setup_ans *ans)
{
    struct source s;

    if (!source_of(LW_UP, LW_CID_RX_PARAM_SETUP, payload, &s))
        return false;
    ans->channel_ack = get(&s, "channel_ack");
    ans->rx2_dr_ack = get(&s, "rx2dr_ack");
    ans->rx1_dr_offset_ack = get(&s, "rx1droffset_ack");
    return true;
}

bool lw_dev_status_ans_read(struct bytes payload, struct lw_dev_status_ans *ans)
{
    struct source s;

    if (!source_of(LW_UP, LW_CID_DEV_STATUS, payload, &s))
        return false;
    ans->battery = (uint8_t)get(&s, "battery");
    ans->margin_db = (int8_t)get(&s, "margin_db");
    return true;
}

void lw_new_channel_req_write(struct wr *wr, const struct lw_new_channel_req *req)
{
    PUT(wr, LW_CID_NEW_CHANNEL, {"chindex", req->index}, {"freq_hz", req->frequency_hz},
        {"maxdr", req->max_dr}, {"mindr", req->min_dr});
}

bool lw_new_channel_req_read(struct bytes payload, struct lw_new_channel_req *req)
{
    struct source s;

    if (!source_of(LW_DOWN, LW_CID_NEW_CHANNEL, payload, &s))
        return false;
    req->index = (uint8_t)get(&s, "chindex");
    req->frequency_hz = (uint32_t)get(&s, "freq_hz");
    req->max_dr = (uint8_t)get(&s, "maxdr");
    req->min_dr = (uint8_t)get(&s, "mindr");
    return true;
}

bool lw_new_channel_ans_read(struct bytes payload, struct lw_new_channel_ans *ans)
{
    struct source s;

    if (!source_of(LW_UP, LW_CID_NEW_CHANNEL, payload, &s))
        return false;
    ans->frequency_ok = get(&s, "freq_ok");
    ans->dr_range_ok = get(&s, "drrange_ok");
    return true;
}

void lw_dl_channel_req_write(struct wr *wr, const struct lw_dl_channel_req *req)
{
    PUT(wr, LW_CID_DL_CHANNEL, {"chindex", req->index}, {"freq_hz", req->frequency_hz});
}

bool lw_dl_channel_req_read(struct bytes payload, struct lw_dl_channel_req *req)
{
    struct source s;

    if (!source_of(LW_DOWN, LW_CID_DL_CHANNEL, payload, &s))
        return false;
    req->index = (uint8_t)get(&s, "chindex");
    req->frequency_hz = (uint32_t)get(&s, "freq_hz");
    return true;
}

bool lw_dl_channel_ans_read(struct bytes payload, struct lw_dl_channel_ans *ans)
{
    struct source s;

    if (!source_of(LW_UP, LW_CID_DL_CHANNEL, payload, &s))
        return false;
    ans->frequency_ok = get(&s, "channel_freq_ok");
    ans->uplink_exists = get(&s, "uplink_freq_exists");
    return true;
}

void lw_tx_param_setup_req_write(struct wr *wr, const struct lw_tx_param_setup_req *req)
{
    PUT(wr, LW_CID_TX_PARAM_SETUP, {"dl_dwell400", req->downlink_dwell},
        {"ul_dwell400", req->uplink_dwell}, {"maxeirp_idx", req->max_eirp_index});
}

bool lw_tx_param_setup_req_read(struct bytes payload, struct lw_tx_param_setup_req *req)
{
    struct source s;

    if (!source_of(LW_DOWN, LW_CID_TX_PARAM_SETUP, payload, &s))
        return false;
    req->downlink_dwell = get(&s, "dl_dwell400");
    req->uplink_dwell = get(&s, "ul_dwell400");
    req->max_eirp_index = (uint8_t)get(&s, "maxeirp_idx");
    return true;
}

void lw_device_time_ans_write(struct wr *wr, const struct lw_device_time_ans *ans)
{
    PUT(wr, LW_CID_DEVICE_TIME, {"gps_s", ans->gps_s}, {"frac_256", ans->fraction});
}

/* The table has the order of LoRaMac-node; the other one is the same 16 bits with the octets
 * exchanged. */
void lw_force_rejoin_req_write(struct wr *wr, const struct lw_force_rejoin_req *req,
                               enum lw_force_rejoin_order order)
{
    PUT(wr, LW_CID_FORCE_REJOIN, {"period", req->period}, {"max_retries", req->max_retries},
        {"rejoin_type", req->rejoin_type}, {"dr", req->dr});
    if (!wr->failed && order == LW_FORCE_REJOIN_LITTLE) {
        uint8_t first = wr->p[-2];

        wr->p[-2] = wr->p[-1];
        wr->p[-1] = first;
    }
}

void lw_ping_slot_channel_req_write(struct wr *wr, const struct lw_ping_slot_channel_req *req)
{
    PUT(wr, LW_CID_PING_SLOT_CHANNEL, {"freq_hz", req->frequency_hz}, {"dr", req->dr});
}

bool lw_ping_slot_channel_ans_read(struct bytes payload, struct lw_ping_slot_channel_ans *ans)
{
    struct source s;

    if (!source_of(LW_UP, LW_CID_PING_SLOT_CHANNEL, payload, &s))
        return false;
    ans->frequency_ok = get(&s, "freq_ok");
    ans->dr_ok = get(&s, "dr_ok");
    return true;
}

void lw_link_check_ans_write(struct wr *wr, uint8_t margin_db, uint8_t gateway_count)
{
    PUT(wr, LW_CID_LINK_CHECK, {"margin", margin_db}, {"gwcnt", gateway_count});
}

void lw_duty_cycle_req_write(struct wr *wr, uint8_t exponent)
{
    PUT(wr, LW_CID_DUTY_CYCLE, {"max_dcycle", exponent});
}

void lw_rx_timing_setup_req_write(struct wr *wr, uint8_t delay_s)
{
    PUT(wr, LW_CID_RX_TIMING_SETUP, {"del", delay_s});
}

void lw_adr_param_setup_req_write(struct wr *wr, uint8_t limit_exp, uint8_t delay_exp)
{
    PUT(wr, LW_CID_ADR_PARAM_SETUP, {"limit_exp", limit_exp}, {"delay_exp", delay_exp});
}

void lw_rejoin_param_setup_req_write(struct wr *wr, uint8_t max_time_n, uint8_t max_count_n)
{
    PUT(wr, LW_CID_REJOIN_PARAM, {"max_time_n", max_time_n}, {"max_count_n", max_count_n});
}

void lw_beacon_freq_req_write(struct wr *wr, uint32_t frequency_hz)
{
    PUT(wr, LW_CID_BEACON_FREQ, {"freq_hz", frequency_hz});
}

void lw_mac_bare_write(struct wr *wr, uint8_t cid)
{
    put_cmd(wr, cid, NULL, 0);
}

void lw_mac_octet_write(struct wr *wr, uint8_t cid, uint8_t octet)
{
    if (wr->end - wr->p < 2)
        wr->failed = true;
    wr_u8(wr, cid);
    wr_u8(wr, octet);
}

/* ---- EIRP of TxParamSetupReq (TS001 5.8) ----------------------------------------------------- */

static const int8_t eirp_dbm[16] = {8, 10, 12, 13, 14, 16, 18, 20, 21, 24, 26, 27, 29, 30, 33, 36};

int lw_max_eirp_dbm(uint8_t index)
{
    return eirp_dbm[index & 15];
}

uint8_t lw_max_eirp_index(int dbm)
{
    uint8_t index = 15;

    while (index > 0 && eirp_dbm[index] > dbm)
        index--;
    return index;
}
