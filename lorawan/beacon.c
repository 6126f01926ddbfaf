/* beacon.c - RFU1 | Param | Time | CRC | InfoDesc | Info | RFU2 | CRC, each CRC over its half. */
#include "lorawan/beacon.h"

#define PRECISION_MASK 0x03
#define TIME_LEN       5 /* Param and Time */
#define INFO_LEN       7 /* InfoDesc and Info */
#define CRC_LEN        2
#define SCALE          8388608.0 /* 2^23: 90 or 180 degrees */

const struct lw_beacon_layout *lw_beacon_layout(unsigned sf)
{
    static const struct lw_beacon_layout sf8 = {0, 3}, sf9 = {1, 0}, sf10 = {2, 1}, sf12 = {4, 3};

    switch (sf) {
    case 8: return &sf8;
    case 9: return &sf9;
    case 10: return &sf10;
    case 12: return &sf12;
    default: return NULL;
    }
}

size_t lw_beacon_length(const struct lw_beacon_layout *layout)
{
    return layout->rfu1 + TIME_LEN + CRC_LEN + INFO_LEN + layout->rfu2 + (size_t)CRC_LEN;
}

uint16_t lw_beacon_crc(struct bytes of)
{
    unsigned crc = 0;

    for (size_t i = 0; i < of.n; i++) {
        crc ^= (unsigned)of.p[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
        crc &= 0xffff;
    }
    return (uint16_t)crc;
}

enum err lw_beacon_write(struct wr *wr, const struct lw_beacon_layout *layout,
                         const struct lw_beacon *beacon)
{
    uint8_t room[LW_BEACON_MAX];
    struct wr frame = wr_of(room, sizeof(room));
    size_t first;

    if (beacon->precision > PRECISION_MASK)
        return ERR_INVALID;
    wr_zero(&frame, layout->rfu1);
    wr_u8(&frame, beacon->precision);
    wr_u32le(&frame, beacon->time_gps_s);
    wr_u16le(&frame, lw_beacon_crc(wr_bytes(&frame)));
    first = wr_len(&frame);
    wr_u8(&frame, beacon->info_desc);
    wr_copy(&frame, beacon->info, sizeof(beacon->info));
    wr_zero(&frame, layout->rfu2);
    wr_u16le(&frame, lw_beacon_crc((struct bytes){room + first, wr_len(&frame) - first}));
    wr_copy(wr, room, wr_len(&frame));
    return wr->failed ? ERR_LIMIT : OK;
}

enum err lw_beacon_read(struct bytes frame, const struct lw_beacon_layout *layout,
                        struct lw_beacon *beacon)
{
    struct rd rd = rd_bytes(frame);
    size_t first = (size_t)layout->rfu1 + TIME_LEN;
    size_t second = (size_t)INFO_LEN + layout->rfu2;

    if (frame.n != lw_beacon_length(layout))
        return ERR_MALFORMED;
    (void)rd_take(&rd, layout->rfu1);
    *beacon = (struct lw_beacon){.precision = rd_u8(&rd) & PRECISION_MASK};
    beacon->time_gps_s = rd_u32le(&rd);
    if (rd_u16le(&rd) != lw_beacon_crc((struct bytes){frame.p, first}))
        return ERR_MALFORMED;
    beacon->info_desc = rd_u8(&rd);
    rd_copy(&rd, beacon->info, sizeof(beacon->info));
    (void)rd_take(&rd, layout->rfu2);
    beacon->info_good =
        rd_u16le(&rd) == lw_beacon_crc((struct bytes){frame.p + first + CRC_LEN, second});
    return OK;
}

/* ---- where a gateway stands ------------------------------------------------------------------ */

/* The nearest of -2^23..2^23 - 1, two's complement. */
static uint32_t angle24(double part)
{
    double scaled = part * SCALE;

    if (!(scaled > -SCALE)) /* also if it is no number */
        return 0x800000;
    if (scaled > SCALE - 1)
        return 0x7fffff;
    return (uint32_t)(int32_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) & 0xffffff;
}

static double angle(uint32_t u24)
{
    return ((double)u24 - (u24 & 0x800000 ? 2 * SCALE : 0)) / SCALE;
}

void lw_beacon_put_place(struct lw_beacon *beacon, double latitude, double longitude)
{
    struct wr wr = wr_of(beacon->info, sizeof(beacon->info));

    wr_u24le(&wr, angle24(latitude / 90));
    wr_u24le(&wr, angle24(longitude / 180));
}

void lw_beacon_place(const struct lw_beacon *beacon, double *latitude, double *longitude)
{
    struct rd rd = rd_of(beacon->info, sizeof(beacon->info));

    *latitude = angle(rd_u24le(&rd)) * 90;
    *longitude = angle(rd_u24le(&rd)) * 180;
}
