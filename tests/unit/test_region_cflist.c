/* CFLists: octets, what the network makes of its channels, and what a device makes of that. */
#include "region/cflist.h"
#include "tests/suite.h"

#include <string.h>

static uint64_t seed = 1;

static uint32_t next(uint32_t below)
{
    seed = hash_u64(seed);
    return (uint32_t)(seed % below);
}

START_TEST(cflists)
{
    const struct region *eu = region_get(REGION_EU868), *us = region_get(REGION_US915);
    struct region_channels channels;
    struct cflist list;
    struct chmask enabled;
    uint8_t room[CFLIST_LEN] = {[15] = 2};

    region_channels_init(eu, &channels);
    ck_assert(!cflist_of_channels(eu, LW_1_0_2, &channels, &channels.defined, &list));
    channels.at[4] = (struct region_channel){867300000, 0, 0, 6, 0}; /* DR6 too: not expressible */
    ck_assert(!cflist_of_channels(eu, LW_1_0_2, &channels, &channels.defined, &list));
    channels.at[4] = (struct region_channel){867300000, 0, 0, 4, 0}; /* DR5 neither */
    ck_assert(!cflist_of_channels(eu, LW_1_0_2, &channels, &channels.defined, &list));
    channels.at[4] = (struct region_channel){867300000, 0, 1, 5, 0};
    ck_assert(!cflist_of_channels(eu, LW_1_0_2, &channels, &channels.defined, &list));
    channels.at[4] = (struct region_channel){867300000, 0, 0, 5, 1 << 7};
    ck_assert(!cflist_of_channels(eu, LW_1_0_2, &channels, &channels.defined, &list));
    region_channels_init(us, &channels);
    enabled = region_sub_band(us, 2);
    ck_assert(!cflist_of_channels(us, LW_1_0_2, &channels, &enabled, &list));
    ck_assert(!cflist_of_channels(us, LW_1_0_4, &channels, &channels.defined, &list));
    ck_assert(cflist_of_channels(us, LW_1_0_4, &channels, &enabled, &list));
    ck_assert_int_eq(cflist_apply(region_get(REGION_EU433), &list, &channels, &enabled),
                     ERR_INVALID);
    chmask_set(&list.enabled, 90);
    ck_assert_int_eq(cflist_apply(us, &list, &channels, &enabled), ERR_INVALID);
    ck_assert_int_eq(cflist_read(room, &list), ERR_UNSUPPORTED);
    list = (struct cflist){.type = 2};
    ck_assert_int_eq(cflist_write(&list, room), ERR_INVALID);
    list = (struct cflist){.frequency_hz = {1}};
    ck_assert_int_eq(cflist_write(&list, room), ERR_INVALID);
}
END_TEST

/* Some of the channels behind the default ones, with frequencies in the region. */
static void make_channels(const struct region *r, unsigned most, struct region_channels *channels)
{
    uint32_t step = r->min_hz >= 1200000000 ? 200 : 100;

    region_channels_init(r, channels);
    for (unsigned i = r->cflist_first; i < r->cflist_first + most; i++) {
        struct region_channel channel = {.max_dr = r->cflist_max_dr};

        if (next(4)) {
            channel.frequency_hz = r->min_hz / step * step + step;
            channel.frequency_hz += step * next((r->max_hz - r->min_hz) / step - 1);
            ck_assert_int_eq(region_channels_put(r, channels, i, &channel), OK);
        }
    }
}

/* Through the octets of a join-accept, into a device that had other channels before. */
static void send(const struct region *r, const struct cflist *list,
                 struct region_channels *channels, struct chmask *enabled)
{
    uint8_t octets[CFLIST_LEN];
    struct cflist heard;

    ck_assert_int_eq(cflist_write(list, octets), OK);
    ck_assert_int_eq(cflist_read(octets, &heard), OK);
    ck_assert_int_eq(cflist_apply(r, &heard, channels, enabled), OK);
}

static void check_dynamic(const struct region *r)
{
    struct region_channels network, device;
    struct chmask enabled;
    struct cflist list;

    make_channels(r, CFLIST_FREQUENCIES, &network);
    make_channels(r, 7, &device);
    enabled = device.defined;
    if (!cflist_of_channels(r, LW_1_0_0, &network, &network.defined, &list)) {
        ck_assert_uint_eq(chmask_count(&network.defined), r->cflist_first);
        return;
    }
    ck_assert_uint_eq(list.type, 0);
    send(r, &list, &device, &enabled);
    ck_assert(!memcmp(&device, &network, sizeof(network)));
    ck_assert(chmask_equal(&enabled, &network.defined));
}

static void check_fixed(const struct region *r)
{
    struct region_channels channels;
    struct chmask enabled, wanted = {0};
    struct cflist list;

    region_channels_init(r, &channels);
    enabled = channels.defined;
    chmask_set(&wanted, next(r->max_channels));
    for (unsigned i = 0; i < r->max_channels; i++)
        chmask_set_range(&wanted, next(r->max_channels), 1, true);
    ck_assert(cflist_of_channels(r, LW_1_0_3, &channels, &wanted, &list));
    ck_assert_uint_eq(list.type, 1);
    send(r, &list, &channels, &enabled);
    ck_assert(chmask_equal(&enabled, &wanted));
}

START_TEST(what_is_sent_is_what_the_device_gets)
{
    const struct region *r = region_get((enum region_id)_i);

    for (int round = 0; round < 200; round++) {
        if (r->plan == REGION_DYNAMIC)
            check_dynamic(r);
        else
            check_fixed(r);
    }
}
END_TEST

/* The frequencies of a list by their numbers: the device has the same ones in the end, though the
 * order is the list's. */
static void check_numbers(const struct region *r)
{
    struct region_channels network, device;
    struct chmask enabled;
    struct cflist list;

    region_channels_init(r, &network);
    for (unsigned i = r->cflist_first; i < r->max_channels; i++) {
        struct region_channel channel = {.frequency_hz = cflist_fixed_hz(r, next(96)),
                                         .max_dr = r->cflist_max_dr};

        if (region_frequency_valid(r, channel.frequency_hz) &&
            region_channel_find(&network, channel.frequency_hz, 0, 0) < 0)
            ck_assert_int_eq(region_channels_put(r, &network, i, &channel), OK);
    }
    region_channels_init(r, &device);
    enabled = device.defined;
    if (!cflist_of_numbers(r, RP002_1_0_4, &network, &network.defined, &list))
        return; /* a default channel that is not in the list */
    send(r, &list, &device, &enabled);
    ck_assert_uint_eq(chmask_count(&device.defined), chmask_count(&network.defined));
    ck_assert(chmask_equal(&enabled, &device.defined));
    for (int i = -1; (i = chmask_next(&network.defined, i + 1)) >= 0;)
        ck_assert_int_ge(region_channel_find(&device, network.at[i].frequency_hz, 5, 0), 0);
}

START_TEST(numbers_of_a_list)
{
    for (enum region_id id = 0; id < REGION_COUNT; id++) {
        for (int round = 0; region_get(id)->fixed_list && round < 100; round++)
            check_numbers(region_get(id));
    }
}
END_TEST

START_TEST(numbers_by_hand)
{
    const struct region *eu = region_get(REGION_EU868), *in = region_get(REGION_IN865);
    struct region_channels channels;
    struct chmask enabled;
    struct cflist list;

    region_channels_init(eu, &channels);
    region_channels_add_extras(eu, &channels);
    ck_assert(!cflist_of_numbers(eu, RP002_1_0_3, &channels, &channels.defined, &list));
    ck_assert(cflist_of_numbers(eu, RP002_1_0_4, &channels, &channels.defined, &list));
    /* 867.1 to 868.5 MHz are the places 20 to 27 */
    ck_assert_uint_eq(list.enabled.w[0], 0x0ff00000);
    enabled = (struct chmask){0};
    region_channels_init(eu, &channels);
    ck_assert_int_eq(cflist_apply(eu, &list, &channels, &enabled), OK);
    ck_assert_uint_eq(enabled.w[0], 0xff);
    ck_assert_uint_eq(channels.at[2].frequency_hz, 868500000);
    ck_assert_uint_eq(channels.at[3].frequency_hz, 867100000);
    /* other data rates than a CFList gives */
    channels.at[3].max_dr = 6;
    ck_assert(!cflist_of_numbers(eu, RP002_1_0_5, &channels, &channels.defined, &list));
    /* off the raster */
    region_channels_init(eu, &channels);
    channels.at[3] = (struct region_channel){867150000, 0, 0, 5, 0};
    chmask_set(&channels.defined, 3);
    ck_assert(!cflist_of_numbers(eu, RP002_1_0_5, &channels, &channels.defined, &list));
    enabled = (struct chmask){0};
    ck_assert(!cflist_of_numbers(eu, RP002_1_0_5, &channels, &enabled, &list));
    region_channels_init(in, &channels);
    ck_assert(cflist_of_numbers(in, RP002_1_0_4, &channels, &channels.defined, &list));
    ck_assert_uint_eq(list.enabled.w[1], 1u << 3 | 1u << 4 | 1u << 7);
    ck_assert(!cflist_of_numbers(region_get(REGION_EU433), RP002_1_0_5, &channels,
                                 &channels.defined, &list));
}
END_TEST

/* Nothing changes in the device when a list is not for it. */
static void refused(const struct region *r, const struct cflist *list)
{
    struct region_channels channels, before;
    struct chmask enabled;

    make_channels(r, r->plan == REGION_DYNAMIC ? 5 : 0, &channels);
    before = channels;
    enabled = channels.defined;
    ck_assert_int_eq(cflist_apply(r, list, &channels, &enabled), ERR_INVALID);
    ck_assert(!memcmp(&channels, &before, sizeof(before)));
    ck_assert(chmask_equal(&enabled, &before.defined));
}

START_TEST(lists_that_are_refused)
{
    const struct region *eu = region_get(REGION_EU868), *us = region_get(REGION_US915);
    struct cflist list = {.frequency_hz = {867100000, 900000000}};

    refused(eu, &list); /* outside the band */
    refused(us, &list); /* type 0 in a fixed plan */
    list = (struct cflist){.type = 1};
    refused(us, &list); /* no channel at all */
    chmask_set(&list.enabled, 40);
    refused(eu, &list); /* the list has 40 places, from 0 on */
    list.enabled = (struct chmask){{0x1ffff}};
    refused(eu, &list);                       /* more channels than a device has room for */
    refused(region_get(REGION_IN865), &list); /* 863.1 MHz is not of India */
    refused(region_get(REGION_CN779), &list); /* has no list of numbers */
    list.type = 2;
    refused(eu, &list);
    list.type = 0xff;
    refused(us, &list);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("region_cflist");
    TCase *tc = tcase_create("region_cflist");

    tcase_set_timeout(tc, 0);
    tcase_add_test(tc, cflists);
    tcase_add_loop_test(tc, what_is_sent_is_what_the_device_gets, 0, REGION_COUNT);
    tcase_add_test(tc, numbers_of_a_list);
    tcase_add_test(tc, numbers_by_hand);
    tcase_add_test(tc, lists_that_are_refused);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
