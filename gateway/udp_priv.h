/*
 * udp_priv.h - what gateway/udp.c (datagrams) and gateway/udp_mail.c (records, and what other
 * workers ask) share. All of it belongs to the udp worker's thread.
 */
#pragma once

#include "core/map.h"
#include "gateway/socket.h"
#include "gateway/transmit.h"
#include "gateway/udp.h"
#include "gateway/unknown.h"

#define RATE_SLOTS 4096 /* of the rate limit; a power of two */

/* Datagrams of an address in the present second. Addresses that share a slot share the limit. */
struct rate_slot {
    uint32_t second, count;
};

struct udp {
    struct worker worker;
    struct udp_config config;
    const struct gateway_ops *ops;
    void *ctx;
    struct udp_socket *socket; /* NULL: in process only */
    struct map paths;          /* gateway id -> struct path */
    struct transmit transmit;
    struct unknown_box unknown;
    size_t adopted;
    uint64_t rate_seed;
    struct rate_slot rate[RATE_SLOTS];
    uint32_t read;                    /* datagrams that overload_reads was asked of */
    struct heard *chain, **chain_end; /* copies of the present batch */
    size_t chain_count;
    int64_t emptied_us;          /* when the socket was last read to its end */
    int64_t waited_us;           /* at most, of what was read since */
    uint32_t overflowed;         /* what the socket's buffer had no room for, at the last look */
    int64_t overflow_us;         /* when that was looked at */
    struct timer overload_timer; /* while there is overload */
};

/* NULL: no such gateway. `ctx` is the struct udp. */
struct path *udp_find_path(void *ctx, struct lw_eui gateway);

/* A path by the record of the configuration, or, for a gateway that nobody knows, by the default.
 */
struct path *udp_put_record(struct udp *udp, const struct gateway_record *record);
struct path *udp_adopt(struct udp *udp, struct lw_eui id, const struct address *from);
void udp_drop_path(struct udp *udp, struct path *path);
