/* unknown.c - an array; a few hundred entries are searched faster than they are indexed. */
#include "gateway/unknown.h"

#include <stdlib.h>
#include <string.h>

static struct gateway_unknown *find(struct unknown_box *box, struct lw_eui id)
{
    for (size_t i = 0; i < box->count; i++)
        if (lw_eui_equal(box->list[i].id, id))
            return &box->list[i];
    return NULL;
}

static struct gateway_unknown *place_for(struct unknown_box *box)
{
    struct gateway_unknown *oldest = &box->list[0];

    if (box->count < UDP_UNKNOWN_MAX)
        return &box->list[box->count++];
    for (size_t i = 1; i < box->count; i++)
        if (box->list[i].last_seen_utc_us < oldest->last_seen_utc_us)
            oldest = &box->list[i];
    return oldest;
}

bool unknown_note(struct unknown_box *box, struct lw_eui id, const struct address *from,
                  uint8_t version, uint64_t frames, int64_t utc_us)
{
    struct gateway_unknown *u = find(box, id);
    bool is_new = !u;

    if (is_new) {
        u = place_for(box);
        *u = (struct gateway_unknown){
            .id = id, .reason = "not_configured", .first_seen_utc_us = utc_us};
    }
    u->address = *from;
    u->protocol = version == 1 ? "semtech-udp/1" : "semtech-udp/2";
    u->last_seen_utc_us = utc_us;
    u->frames += frames;
    return is_new;
}

void unknown_forget(struct unknown_box *box, struct lw_eui id)
{
    struct gateway_unknown *u = find(box, id);

    if (u)
        *u = box->list[--box->count];
}

static int newest_first(const void *a, const void *b)
{
    const struct gateway_unknown *x = a, *y = b;

    return (x->last_seen_utc_us < y->last_seen_utc_us) -
           (x->last_seen_utc_us > y->last_seen_utc_us);
}

size_t unknown_list(const struct unknown_box *box, struct gateway_unknown *to)
{
    memcpy(to, box->list, box->count * sizeof(*to));
    qsort(to, box->count, sizeof(*to), newest_first);
    return box->count;
}
