/* Frequencies of class B beyond those of checks.json: all join channels of CN470, and hopping. */
#include "region/class_b.h"
#include "tests/suite.h"

static const struct lw_dev_addr addr = {0xfffffffe};

/* The plan's downlink channel of that number. */
static uint32_t down_hz(const struct region *r, unsigned channel)
{
    const struct region_block *block = &r->downlinks[channel >= 32];

    return block->base_hz + block->step_hz * (channel - block->first);
}

/* Eight downlink channels for each of the eight join channels. */
START_TEST(cn470_20a)
{
    const struct region *r = region_get(REGION_CN470_20A);

    for (uint8_t join = 0; join < 8; join++) {
        for (uint32_t n = 0; n < 20; n++) {
            ck_assert_uint_eq(region_beacon_hz(r, n, join), down_hz(r, 8u * join + n % 8));
            ck_assert_uint_eq(region_ping_hz(r, addr, n, join),
                              down_hz(r, 8u * join + (n + 6) % 8));
        }
    }
    ck_assert_uint_eq(region_beacon_hz(r, 0, 8), 0); /* of plan 20B */
    ck_assert_uint_eq(region_ping_hz(r, addr, 0, REGION_NO_JOIN), 0);
}
END_TEST

/* One beacon channel and 32 for the ping slots, for each of the two join channels. */
START_TEST(cn470_20b)
{
    const struct region *r = region_get(REGION_CN470_20B);

    for (uint32_t n = 0; n < 70; n++) {
        ck_assert_uint_eq(region_beacon_hz(r, n, 8), 481500000);
        ck_assert_uint_eq(region_beacon_hz(r, n, 9), 501500000);
        ck_assert_uint_eq(region_ping_hz(r, addr, n, 8), down_hz(r, (n + 30) % 32));
        ck_assert_uint_eq(region_ping_hz(r, addr, n, 9), down_hz(r, 32 + (n + 30) % 32));
    }
    ck_assert_uint_eq(region_beacon_hz(r, 0, 7), 0);
    ck_assert_uint_eq(region_ping_hz(r, addr, 0, 10), 0);
}
END_TEST

/* Where the join channel does not matter it is not looked at. */
START_TEST(frequencies_are_of_the_band)
{
    for (enum region_id id = 0; id < REGION_COUNT; id++) {
        const struct region *r = region_get(id);

        for (uint32_t n = 0; !r->beacon.join_step_hz && n < 40; n++) {
            ck_assert(region_frequency_valid(r, region_beacon_hz(r, n, REGION_NO_JOIN)));
            ck_assert(region_frequency_valid(r, region_ping_hz(r, addr, n, REGION_NO_JOIN)));
            ck_assert_uint_eq(region_beacon_hz(r, n, 3), region_beacon_hz(r, n, 200));
        }
    }
}
END_TEST

/* What lorawan/beacon.h reads and writes: each region's beacon has a layout there. */
START_TEST(layouts)
{
    for (enum region_id id = 0; id < REGION_COUNT; id++) {
        const struct lw_beacon_layout *layout = region_beacon_layout(region_get(id));

        ck_assert_ptr_nonnull(layout);
        ck_assert_uint_le(lw_beacon_length(layout), LW_BEACON_MAX);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {cn470_20a, cn470_20b, frequencies_are_of_the_band, layouts, NULL};

    return run_suite(suite_of("region_class_b", tests));
}
