/*
 * unknown.h - the bounded inbox of gateways without a record, for `/gateways:unknown`. One thread.
 */
#pragma once

#include "gateway/udp.h"

struct unknown_box {
    struct gateway_unknown list[UDP_UNKNOWN_MAX];
    size_t count;
};

/* Notes a datagram with `frames` receptions; true if the gateway was not in the box. A full box
 * forgets the one silent for longest. */
bool unknown_note(struct unknown_box *box, struct lw_eui id, const struct address *from,
                  uint8_t version, uint64_t frames, int64_t utc_us);
void unknown_forget(struct unknown_box *box, struct lw_eui id);

/* Newest first; returns the count. */
size_t unknown_list(const struct unknown_box *box, struct gateway_unknown *to);
