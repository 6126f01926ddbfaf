/* Any octets as a beacon of each layout: what reads is written again as the same, but for reserved
 * octets and a second CRC that was wrong. The first octet of the input chooses the layout. */
#include "lorawan/beacon.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

static void rewrite(struct bytes frame, const struct lw_beacon_layout *layout,
                    const struct lw_beacon *beacon)
{
    uint8_t room[LW_BEACON_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_beacon back;
    size_t time = layout->rfu1 + 1u, info = time + 6;

    assert(lw_beacon_write(&wr, layout, beacon) == OK && wr_len(&wr) == frame.n);
    assert(!memcmp(room + time, frame.p + time, 4));
    assert(!memcmp(room + info, frame.p + info, 7));
    assert(lw_beacon_read(wr_bytes(&wr), layout, &back) == OK && back.info_good);
    assert(back.time_gps_s == beacon->time_gps_s && !memcmp(back.info, beacon->info, 6));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const uint8_t factors[] = {8, 9, 10, 12};
    const struct lw_beacon_layout *layout;
    struct lw_beacon beacon;
    double latitude, longitude;

    if (!n)
        return 0;
    layout = lw_beacon_layout(factors[p[0] % 4]);
    if (lw_beacon_read((struct bytes){p + 1, n - 1}, layout, &beacon) != OK)
        return 0;
    rewrite((struct bytes){p + 1, n - 1}, layout, &beacon);
    lw_beacon_place(&beacon, &latitude, &longitude);
    lw_beacon_put_place(&beacon, latitude, longitude);
    return 0;
}
