/*
 * A device of any region takes any CFList and any LinkADRReq block: nothing breaks, what it refuses
 * changes nothing, and what it accepts the network can say too, in no more requests.
 * Input: region and revision, 16 octets of CFList, then requests of 4 octets.
 */
#include "region/cflist.h"
#include "region/region.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#define REQUEST 4

struct device {
    const struct region *region;
    enum region_revision revision;
    struct region_channels channels;
    struct chmask enabled;
};

static bool alike(const struct device *a, const struct device *b)
{
    return !memcmp(&a->channels, &b->channels, sizeof(a->channels)) &&
           chmask_equal(&a->enabled, &b->enabled);
}

/* What a device may never have. */
static void is_sound(const struct device *device)
{
    const struct region_channels *channels = &device->channels;

    assert(chmask_is_subset(&device->enabled, &channels->defined));
    assert(!chmask_is_empty(&device->enabled));
    assert(region_enabled_drs(channels, &device->enabled));
    for (int i = -1; (i = chmask_next(&channels->defined, i + 1)) >= 0;) {
        assert(region_frequency_valid(device->region, channels->at[i].frequency_hz));
        assert(region_rx1_hz(device->region, channels, (unsigned)i));
        assert(region_rate(device->region, LW_UP, channels->at[i].min_dr));
    }
}

/* ---- CFList --------------------------------------------------------------------------------- */

/* Octets 12 to 14 of type 1 are reserved. */
static void written_again(const uint8_t octets[CFLIST_LEN], const struct cflist *list)
{
    uint8_t want[CFLIST_LEN], got[CFLIST_LEN];

    memcpy(want, octets, sizeof(want));
    if (list->type == 1)
        memset(want + 12, 0, 3);
    assert(cflist_write(list, got) == OK && !memcmp(got, want, sizeof(got)));
}

/* The network, having these channels, sends a list that gives the device the same ones. */
static void said_again(const struct device *device, const struct cflist *list)
{
    struct device other = *device;
    struct cflist said;

    region_channels_init(device->region, &other.channels);
    other.enabled = other.channels.defined;
    if (list->type == 1 && device->region->plan == REGION_DYNAMIC) {
        if (!cflist_of_numbers(device->region, RP002_1_0_5, &device->channels, &device->enabled,
                               &said))
            return; /* a default channel that is not in the list */
    } else if (!cflist_of_channels(device->region, LW_1_1_0, &device->channels, &device->enabled,
                                   &said)) {
        assert(alike(&other, device));
        return;
    }
    assert(cflist_apply(device->region, &said, &other.channels, &other.enabled) == OK);
    assert(alike(&other, device));
}

static void take_cflist(struct device *device, const uint8_t octets[CFLIST_LEN])
{
    struct device before = *device, again;
    struct cflist list;

    if (cflist_read(octets, &list) != OK)
        return;
    written_again(octets, &list);
    if (cflist_apply(device->region, &list, &device->channels, &device->enabled) != OK) {
        assert(alike(device, &before));
        return;
    }
    is_sound(device);
    again = *device;
    assert(cflist_apply(device->region, &list, &again.channels, &again.enabled) == OK);
    assert(alike(&again, device));
    said_again(device, &list);
}

/* ---- LinkADRReq ----------------------------------------------------------------------------- */

/* The network never sends these, so its list may be longer than one with them. */
static bool has_banks(const struct chmask_rule *rules, const struct lw_link_adr_req *reqs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t action = rules[reqs[i].ch_mask_cntl % CHMASK_RULES].action;

        if (action == CHMASK_BANKS || action == CHMASK_BLOCKS)
            return true;
    }
    return false;
}

/* The list for a device that takes each request by itself leads there too. */
static void asked_for_one_by_one(const struct device *before, const struct device *after)
{
    const struct chmask_rule *rules = region_chmask_rules(before->region, before->revision);
    struct lw_link_adr_req own[CHMASK_REQS_MAX];
    struct chmask mask = before->enabled;
    size_t count = 0;

    assert(chmask_build_alone(rules, &before->channels.defined, &mask, &after->enabled, own,
                              &count) == OK);
    assert(count >= 1 && count <= CHMASK_REQS_MAX);
    for (size_t i = 0; i < count; i++)
        assert(chmask_apply(rules, &before->channels.defined, &own[i], 1, &mask) == CHMASK_OK);
    assert(chmask_equal(&mask, &after->enabled));
}

static void asked_for(const struct device *before, const struct device *after,
                      const struct lw_link_adr_req *reqs, size_t n)
{
    const struct chmask_rule *rules = region_chmask_rules(before->region, before->revision);
    struct lw_link_adr_req own[CHMASK_REQS_MAX];
    struct device other = *before;
    size_t count = 0;

    assert(chmask_build(rules, &before->channels.defined, &before->enabled, &after->enabled, own,
                        &count) == OK);
    assert(count >= 1 && count <= CHMASK_REQS_MAX);
    assert(count <= n || has_banks(rules, reqs, n));
    asked_for_one_by_one(before, after);
    own[count - 1].dr = reqs[n - 1].dr;
    assert(region_link_adr_answer(other.region, other.revision, &other.channels, own, count,
                                  &other.enabled) == 7);
    assert(alike(&other, after));
}

static void take_block(struct device *device, struct bytes requests)
{
    struct lw_link_adr_req reqs[CHMASK_REQS_MAX];
    struct device before = *device;
    size_t n = 0;

    while (n < CHMASK_REQS_MAX && requests.n >= REQUEST) {
        if (!lw_link_adr_req_read((struct bytes){requests.p, REQUEST}, &reqs[n]))
            return;
        requests.p += REQUEST;
        requests.n -= REQUEST;
        n++;
    }
    if (!n)
        return;
    if (region_link_adr_answer(device->region, device->revision, &device->channels, reqs, n,
                               &device->enabled) != 7) {
        assert(alike(device, &before));
        return;
    }
    is_sound(device);
    asked_for(&before, device, reqs, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct device device;

    if (n < 2 + CFLIST_LEN)
        return 0;
    device.region = region_get(p[0] % REGION_COUNT);
    device.revision = p[1] % REGION_REVISION_COUNT;
    region_channels_init(device.region, &device.channels);
    device.enabled = device.channels.defined;
    take_cflist(&device, p + 2);
    take_block(&device, (struct bytes){p + 2 + CFLIST_LEN, n - 2 - CFLIST_LEN});
    return 0;
}
