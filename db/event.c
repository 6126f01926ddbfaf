/*
 * event.c - facts of events as compact octets: a format octet, then what all have, then the type's.
 */
#include "db/event.h"

#include <string.h>

#define FORMAT    1
#define FACTS_MAX 8192
#define TEXT_MAX  ((size_t)2400) /* three of them fit */

const char *event_type_text(enum event_type type)
{
    static const char *const texts[EVENT_TYPE_COUNT] = {
#define X(name, text) [name] = (text),
        EVENT_TABLE(X)
#undef X
    };

    return (unsigned)type < EVENT_TYPE_COUNT ? texts[type] : "";
}

static void write_copy(struct wr *wr, const struct copy *copy)
{
    wr_u64be(wr, copy->gateway.v);
    wr_u64le(wr, (uint64_t)copy->utc_us);
    wr_u32le(wr, copy->tmst);
    wr_var(wr, copy->frequency_hz);
    data_rate_write(wr, &copy->rate);
    wr_u16le(wr, (uint16_t)copy->rssi_dbm);
    wr_u16le(wr, (uint16_t)copy->snr_cb);
    wr_u8(wr, copy->channel);
    wr_u8(wr, copy->rf_chain);
    wr_u8(wr, copy->board);
    wr_u8(wr, copy->antenna);
    wr_u8(wr, copy->crc);
    wr_u8(wr, copy->flags);
    wr_u8(wr, copy->dr);
    wr_u32le(wr, copy->uplink_id);
    if (copy->flags & COPY_HAS_TMMS)
        wr_var(wr, copy->gps_ms);
    if (copy->flags & COPY_HAS_FINE)
        wr_u32le(wr, copy->fine_ns);
    if (copy->flags & COPY_HAS_GW_TIME)
        wr_u64le(wr, (uint64_t)copy->gw_utc_us);
}

static void read_copy(struct rd *rd, struct copy *copy)
{
    copy->gateway.v = rd_u64be(rd);
    copy->utc_us = (int64_t)rd_u64le(rd);
    copy->tmst = rd_u32le(rd);
    copy->frequency_hz = (uint32_t)rd_var(rd);
    data_rate_read(rd, &copy->rate);
    copy->rssi_dbm = (int16_t)rd_u16le(rd);
    copy->snr_cb = (int16_t)rd_u16le(rd);
    copy->channel = rd_u8(rd);
    copy->rf_chain = rd_u8(rd);
    copy->board = rd_u8(rd);
    copy->antenna = rd_u8(rd);
    copy->crc = rd_u8(rd);
    copy->flags = rd_u8(rd);
    copy->dr = rd_u8(rd);
    copy->uplink_id = rd_u32le(rd);
    copy->gps_ms = copy->flags & COPY_HAS_TMMS ? rd_var(rd) : 0;
    copy->fine_ns = copy->flags & COPY_HAS_FINE ? rd_u32le(rd) : 0;
    copy->gw_utc_us = copy->flags & COPY_HAS_GW_TIME ? (int64_t)rd_u64le(rd) : 0;
}

static void write_up(struct wr *wr, const struct event_facts *f)
{
    wr_u32le(wr, f->fcnt);
    wr_u8(wr, f->f_port);
    wr_u8(wr, f->dr);
    wr_u8(wr, f->region);
    wr_u8(wr, (uint8_t)(f->adr | f->confirmed << 1));
    wr_blob(wr, f->data.p, f->data.n);
    wr_var(wr, f->copy_count);
    for (size_t i = 0; i < f->copy_count; i++)
        write_copy(wr, &f->copies[i]);
}

static void read_up(struct rd *rd, struct event_facts *f, struct arena *arena)
{
    struct copy *copies;
    uint8_t bits;
    uint64_t n;

    f->fcnt = rd_u32le(rd);
    f->f_port = rd_u8(rd);
    f->dr = rd_u8(rd);
    f->region = rd_u8(rd);
    bits = rd_u8(rd);
    f->adr = bits & 1;
    f->confirmed = bits >> 1 & 1;
    f->data = rd_blob(rd);
    n = rd_var(rd);
    if (n > AIR_COPIES_MAX) {
        rd->failed = true;
        return;
    }
    copies = arena_array(arena, struct copy, n + 1);
    for (size_t i = 0; i < n; i++) {
        read_copy(rd, &copies[i]);
        copies[i].region = f->region;
    }
    f->copies = copies;
    f->copy_count = n;
}

/* A text that is too long is cut. */
static void write_text(struct wr *wr, const char *text)
{
    wr_blob(wr, text ? text : "", text ? strnlen(text, TEXT_MAX) : 0);
}

/* JSON cannot be cut: too long, it is left out. */
static void write_json(struct wr *wr, const char *text)
{
    write_text(wr, text && strlen(text) <= TEXT_MAX ? text : "");
}

static const char *read_text(struct rd *rd, struct arena *arena)
{
    struct bytes b = rd_blob(rd);

    return arena_strndup(arena, (const char *)b.p, b.n);
}

struct bytes event_facts_write(enum event_type type, const struct event_facts *f,
                               struct arena *arena)
{
    uint8_t room[FACTS_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    wr_u8(&wr, FORMAT);
    wr_copy(&wr, f->application_id.b, 16);
    wr_copy(&wr, f->dedup_id.b, 16);
    wr_u8(&wr, f->device_class);
    wr_u32le(&wr, f->dev_addr.v);
    switch (type) {
    case EVENT_UP: write_up(&wr, f); break;
    case EVENT_JOIN: wr_u64be(&wr, f->join_eui.v); break;
    case EVENT_ACK:
        wr_copy(&wr, f->queue_item_id.b, 16);
        wr_u8(&wr, f->acknowledged);
        wr_u32le(&wr, f->fcnt_down);
        break;
    case EVENT_TXACK:
        wr_copy(&wr, f->queue_item_id.b, 16);
        wr_u64le(&wr, f->downlink_id);
        wr_u32le(&wr, f->fcnt_down);
        rung_write(&wr, &f->rung);
        break;
    case EVENT_STATUS:
        wr_u8(&wr, f->battery);
        wr_u8(&wr, (uint8_t)f->margin);
        break;
    case EVENT_LOG:
        wr_u8(&wr, f->level);
        write_text(&wr, f->code);
        write_text(&wr, f->description);
        write_json(&wr, f->context);
        break;
    case EVENT_TYPE_COUNT: break;
    }
    return (struct bytes){.p = arena_memdup(arena, room, wr_len(&wr)), .n = wr_len(&wr)};
}

enum err event_facts_read(enum event_type type, struct bytes encoded, struct arena *arena,
                          struct event_facts *f)
{
    struct rd rd = rd_bytes(encoded);

    memset(f, 0, sizeof(*f));
    if (rd_u8(&rd) != FORMAT)
        return ERR_CORRUPT;
    rd_copy(&rd, f->application_id.b, 16);
    rd_copy(&rd, f->dedup_id.b, 16);
    f->device_class = rd_u8(&rd);
    f->dev_addr.v = rd_u32le(&rd);
    switch (type) {
    case EVENT_UP: read_up(&rd, f, arena); break;
    case EVENT_JOIN: f->join_eui.v = rd_u64be(&rd); break;
    case EVENT_ACK:
        rd_copy(&rd, f->queue_item_id.b, 16);
        f->acknowledged = rd_u8(&rd) != 0;
        f->fcnt_down = rd_u32le(&rd);
        break;
    case EVENT_TXACK:
        rd_copy(&rd, f->queue_item_id.b, 16);
        f->downlink_id = rd_u64le(&rd);
        f->fcnt_down = rd_u32le(&rd);
        rung_read(&rd, &f->rung);
        break;
    case EVENT_STATUS:
        f->battery = rd_u8(&rd);
        f->margin = (int8_t)rd_u8(&rd);
        break;
    case EVENT_LOG:
        f->level = rd_u8(&rd);
        f->code = read_text(&rd, arena);
        f->description = read_text(&rd, arena);
        f->context = read_text(&rd, arena);
        break;
    case EVENT_TYPE_COUNT: return ERR_CORRUPT;
    }
    return rd.failed ? ERR_CORRUPT : OK;
}
