/* attempt.c - codec of attempts; the bytes of the frame are part of it. */
#include "ns/attempt.h"

#include "lorawan/airtime.h"

#include <string.h>

#define FORMAT 1

/* Beside the rung: the gateway's clock and where the signal goes out. */
static void write_opportunity(struct wr *wr, const struct rung *r)
{
    rung_write(wr, r);
    wr_u64le(wr, r->counter_us);
    wr_u64le(wr, (uint64_t)r->start_us);
    wr_u8(wr, r->board);
    wr_u8(wr, r->antenna);
}

static void read_opportunity(struct rd *rd, struct rung *r)
{
    rung_read(rd, r);
    r->counter_us = rd_u64le(rd);
    r->start_us = (int64_t)rd_u64le(rd);
    r->board = rd_u8(rd);
    r->antenna = rd_u8(rd);
}

struct bytes attempt_write(const struct attempt *a, struct arena *arena)
{
    size_t room = 64 + a->phy_n + (size_t)a->rung_n * 48;
    struct wr wr = wr_of(arena_alloc(arena, room), room);

    wr_u8(&wr, FORMAT);
    wr_u64le(&wr, a->session);
    wr_u64le(&wr, (uint64_t)a->utc_us);
    wr_u32le(&wr, a->fcnt_down);
    wr_u8(&wr, a->flags);
    wr_u8(&wr, a->result);
    wr_copy(&wr, a->item_id.b, 16);
    wr_blob(&wr, a->phy, a->phy_n);
    wr_u8(&wr, a->rung_n);
    for (unsigned i = 0; i < a->rung_n; i++)
        write_opportunity(&wr, &a->rungs[i]);
    return wr_bytes(&wr);
}

enum err attempt_read(uint64_t id, struct lw_eui dev_eui, struct bytes encoded, struct attempt *a)
{
    struct rd rd = rd_bytes(encoded);
    struct bytes phy;

    memset(a, 0, sizeof(*a));
    a->id = id;
    a->dev_eui = dev_eui;
    if (rd_u8(&rd) != FORMAT)
        return ERR_CORRUPT;
    a->session = rd_u64le(&rd);
    a->utc_us = (int64_t)rd_u64le(&rd);
    a->fcnt_down = rd_u32le(&rd);
    a->flags = rd_u8(&rd);
    a->result = rd_u8(&rd);
    rd_copy(&rd, a->item_id.b, 16);
    phy = rd_blob(&rd);
    a->rung_n = rd_u8(&rd);
    if (rd.failed || phy.n > LW_PHY_MAX || a->rung_n > AIR_RUNGS_MAX)
        return ERR_CORRUPT;
    a->phy_n = (uint8_t)phy.n;
    if (phy.n)
        memcpy(a->phy, phy.p, phy.n);
    for (unsigned i = 0; i < a->rung_n; i++)
        read_opportunity(&rd, &a->rungs[i]);
    return rd.failed ? ERR_CORRUPT : OK;
}

int64_t attempt_airtime_us(const struct attempt *a, unsigned rung)
{
    return lw_airtime_frame_us(&a->rungs[rung].rate, a->phy_n, LW_DOWN);
}
