/*
 * frames.c - the ring of the frame log. Rows are reused in turn; a chain that leads to a row which
 * was reused simply ends there, because sequence numbers never repeat.
 */
#include "api/frames.h"

#include "core/json.h"
#include "lorawan/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void frames_init(struct frames *frames)
{
    (void)pthread_mutex_init(&frames->lock, NULL);
    frames->rows = xcalloc(FRAMES_MAX, sizeof(*frames->rows)); /* pages are touched as it fills */
    frames->next = 1;
    map_init(&frames->by_device);
    map_init(&frames->by_gateway);
}

void frames_fini(struct frames *frames)
{
    map_fini(&frames->by_device);
    map_fini(&frames->by_gateway);
    free(frames->rows);
    (void)pthread_mutex_destroy(&frames->lock);
}

/* Maps hold sequence numbers in their pointers: 0 is "none" in both. */
static uint64_t head_of(const struct map *map, uint64_t key)
{
    return (uint64_t)(uintptr_t)map_get(map, key);
}

static void forget(struct map *map, uint64_t key, uint64_t seq)
{
    if (key && head_of(map, key) == seq)
        (void)map_remove(map, key);
}

static uint64_t link_to(struct map *map, uint64_t key, uint64_t seq)
{
    uint64_t prev = key ? head_of(map, key) : 0;

    if (key)
        (void)map_put(map, key, (void *)(uintptr_t)seq);
    return prev;
}

void frames_add(struct frames *frames, const struct frame_entry *entry)
{
    struct frame_row *row;
    size_t n = entry->phy.n < LW_PHY_MAX ? entry->phy.n : LW_PHY_MAX;

    (void)pthread_mutex_lock(&frames->lock);
    row = &frames->rows[frames->next % FRAMES_MAX];
    if (row->seq) {
        forget(&frames->by_device, row->entry.dev_eui.v, row->seq);
        forget(&frames->by_gateway, row->entry.gateway.v, row->seq);
    }
    row->seq = frames->next++;
    row->entry = *entry;
    if (n)
        memcpy(row->phy, entry->phy.p, n);
    row->entry.phy.n = n;
    (void)snprintf(row->note, sizeof(row->note), "%s", entry->note ? entry->note : "");
    row->prev_device = link_to(&frames->by_device, entry->dev_eui.v, row->seq);
    row->prev_gateway = link_to(&frames->by_gateway, entry->gateway.v, row->seq);
    (void)pthread_mutex_unlock(&frames->lock);
}

bool frames_at(struct frames *frames, uint64_t seq, struct frame_row *row)
{
    const struct frame_row *at = &frames->rows[seq % FRAMES_MAX];
    bool there;

    (void)pthread_mutex_lock(&frames->lock);
    there = seq && at->seq == seq;
    if (there)
        *row = *at;
    (void)pthread_mutex_unlock(&frames->lock);
    row->entry.phy.p = row->phy;
    row->entry.note = row->note;
    return there;
}

uint64_t frames_newest(struct frames *frames, struct lw_eui eui, bool gateway)
{
    uint64_t seq;

    (void)pthread_mutex_lock(&frames->lock);
    seq = head_of(gateway ? &frames->by_gateway : &frames->by_device, eui.v);
    (void)pthread_mutex_unlock(&frames->lock);
    return seq;
}

uint64_t frames_end(struct frames *frames)
{
    uint64_t end;

    (void)pthread_mutex_lock(&frames->lock);
    end = frames->next;
    (void)pthread_mutex_unlock(&frames->lock);
    return end;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void key_hex64(struct jw *jw, const char *key, uint64_t v)
{
    char text[LW_EUI_TEXT];

    jw_key_str(jw, key, v ? lw_eui_text(text, (struct lw_eui){v}) : NULL);
}

static void print_data(struct jw *jw, const struct lw_data *data)
{
    char text[LW_DEV_ADDR_TEXT];

    jw_key_str(jw, "devAddr", lw_dev_addr_text(text, data->dev_addr));
    jw_key_uint(jw, "fCnt", data->fcnt);
    jw_key_bool(jw, "adr", data->fctrl & LW_FCTRL_ADR);
    jw_key_bool(jw, "ack", data->fctrl & LW_FCTRL_ACK);
    jw_key(jw, "fOpts");
    jw_hex(jw, data->fopts.p, data->fopts.n);
    jw_key(jw, "fPort");
    if (data->port == LW_PORT_NONE)
        jw_null(jw);
    else
        jw_int(jw, data->port);
    jw_key_uint(jw, "payloadSize", data->payload.n);
}

static void print_decoded(struct jw *jw, struct bytes phy)
{
    struct lw_frame frame;

    jw_key(jw, "decoded");
    jw_object(jw);
    if (!lw_frame_read(phy, &frame)) {
        jw_key_str(jw, "mType", lw_ftype_name((enum lw_ftype)frame.ftype));
        if (lw_ftype_is_data(frame.ftype))
            print_data(jw, &frame.data);
        if (frame.ftype == LW_JOIN_REQUEST) {
            key_hex64(jw, "joinEui", frame.join.join_eui.v);
            key_hex64(jw, "devEui", frame.join.dev_eui.v);
            jw_key_uint(jw, "devNonce", frame.join.dev_nonce);
        }
    }
    jw_end_object(jw);
}

void frame_print(const struct frame_row *row, struct jw *jw)
{
    const struct frame_entry *entry = &row->entry;
    char text[24];

    (void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)row->seq);
    jw_object(jw);
    jw_key_str(jw, "id", text);
    jw_key(jw, "time");
    jw_time(jw, entry->utc_us);
    jw_key_str(jw, "direction", entry->direction == LW_UP ? "up" : "down");
    key_hex64(jw, "gatewayId", entry->gateway.v);
    key_hex64(jw, "devEui", entry->dev_eui.v);
    jw_key_str(jw, "devAddr",
               entry->dev_addr ? lw_dev_addr_text(text, (struct lw_dev_addr){entry->dev_addr})
                               : NULL);
    jw_key_uint(jw, "frequency", entry->frequency_hz);
    jw_key_uint(jw, "dr", entry->dr);
    jw_key_uint(jw, "airtimeUs", entry->airtime_us);
    jw_key(jw, "phyPayload");
    jw_hex(jw, entry->phy.p, entry->phy.n);
    print_decoded(jw, entry->phy);
    jw_key_str(jw, "verdict", entry->verdict);
    jw_key_str(jw, "dropReason", entry->drop ? drop_label(entry->drop) : NULL);
    jw_key(jw, "decisions");
    jw_array(jw);
    if (*entry->note)
        jw_str(jw, entry->note);
    jw_end_array(jw);
    jw_end_object(jw);
}
