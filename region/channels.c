/*
 * channels.c - which channels a device of a region has, and what it answers to a LinkADRReq. As in
 * region.c no region is named: what differs is a column.
 */
#include "region/region.h"
#include "region/region_tables.h"

#include <string.h>

#define SUB_BAND 8

static void define(struct region_channels *channels, unsigned index, struct region_channel channel)
{
    channels->at[index] = channel;
    chmask_set(&channels->defined, index);
}

void region_channels_init(const struct region *region, struct region_channels *channels)
{
    memset(channels, 0, sizeof(*channels));
    for (unsigned i = 0; i < REGION_DEFAULTS_MAX && region->defaults[i].frequency_hz; i++)
        define(channels, i, region->defaults[i]);
    for (unsigned b = 0; b < REGION_BLOCKS_MAX; b++) {
        const struct region_block *block = &region->uplinks[b];

        for (uint32_t i = 0; i < block->count; i++)
            define(channels, block->first + i,
                   (struct region_channel){.frequency_hz = block->base_hz + i * block->step_hz,
                                           .min_dr = block->min_dr,
                                           .max_dr = block->max_dr,
                                           .more_drs = block->more_drs});
    }
}

static bool channel_valid(const struct region *region, const struct region_channel *channel)
{
    if (!region_frequency_valid(region, channel->frequency_hz))
        return false;
    if (channel->rx1_hz && !region_frequency_valid(region, channel->rx1_hz))
        return false;
    return channel->min_dr <= channel->max_dr && region_rate(region, LW_UP, channel->min_dr) &&
           region_rate(region, LW_UP, channel->max_dr);
}

enum err region_channels_put(const struct region *region, struct region_channels *channels,
                             unsigned index, const struct region_channel *channel)
{
    if (region->plan == REGION_FIXED || index >= region->max_channels ||
        index >= REGION_CHANNELS_MAX)
        return ERR_INVALID;
    if (index < REGION_DEFAULTS_MAX && region->defaults[index].frequency_hz)
        return ERR_IN_USE;
    if (!channel->frequency_hz) {
        channels->at[index] = (struct region_channel){0};
        chmask_clear(&channels->defined, index);
        return OK;
    }
    if (!channel_valid(region, channel))
        return ERR_INVALID;
    define(channels, index, *channel);
    return OK;
}

void region_channels_add_extras(const struct region *region, struct region_channels *channels)
{
    unsigned index = 0;

    for (unsigned i = 0; i < REGION_EXTRAS_MAX && region->extras[i].frequency_hz; i++) {
        while (chmask_test(&channels->defined, index))
            index++;
        if (index < region->max_channels)
            define(channels, index, region->extras[i]);
    }
}

bool region_channel_carries(const struct region_channel *channel, unsigned dr)
{
    if (!channel->frequency_hz || dr >= REGION_DRS)
        return false;
    return (dr >= channel->min_dr && dr <= channel->max_dr) || (channel->more_drs >> dr & 1);
}

int region_channel_find(const struct region_channels *channels, uint32_t frequency_hz, unsigned dr,
                        unsigned nth)
{
    for (int i = 0; i < REGION_CHANNELS_MAX; i++) {
        if (channels->at[i].frequency_hz == frequency_hz &&
            region_channel_carries(&channels->at[i], dr) && nth-- == 0)
            return i;
    }
    return -1;
}

bool region_uplink_find(const struct region *region, const struct region_channels *channels,
                        uint32_t frequency_hz, const struct data_rate *rate, uint8_t *dr,
                        uint8_t *channel)
{
    int found_dr = region_dr(region, LW_UP, rate);
    int found = -1;

    if (found_dr >= 0)
        found = region_channel_find(channels, frequency_hz, (unsigned)found_dr, 0);
    if (found < 0)
        return false;
    *dr = (uint8_t)found_dr;
    *channel = (uint8_t)found;
    return true;
}

/* CN470's second block goes on where the first ends; that of US915 has other data rates. */
struct chmask region_sub_band(const struct region *region, unsigned sub_band)
{
    const struct region_block *narrow = &region->uplinks[0];
    const struct region_block *next = &region->uplinks[1];
    bool wide = next->min_dr > narrow->max_dr;
    unsigned count = narrow->count + (wide ? 0u : next->count);
    struct chmask mask = {0};

    if (!sub_band || sub_band > count / SUB_BAND)
        return mask;
    chmask_set_range(&mask, (sub_band - 1) * SUB_BAND, SUB_BAND, true);
    if (wide && sub_band <= next->count)
        chmask_set(&mask, next->first + sub_band - 1);
    return mask;
}

static uint16_t channel_drs(const struct region_channel *channel)
{
    return (uint16_t)(DRS(channel->min_dr, channel->max_dr) | channel->more_drs);
}

uint16_t region_enabled_drs(const struct region_channels *channels, const struct chmask *enabled)
{
    uint16_t drs = 0;

    for (int i = -1; (i = chmask_next(enabled, i + 1)) >= 0;) {
        if (channels->at[i].frequency_hz)
            drs |= channel_drs(&channels->at[i]);
    }
    return drs;
}

bool region_frequency_valid(const struct region *region, uint32_t frequency_hz)
{
    uint32_t u24;

    return frequency_hz >= region->min_hz && frequency_hz <= region->max_hz &&
           lw_hz_to_u24(frequency_hz, &u24) == OK;
}

/* RP002-1.0.5: MaxDR 0 below MinDR m means DR(m - 1)..5 and the two fast ones, DR12 and DR13, which
 * the plain range cannot reach without DR6..11 in between. */
uint16_t region_dr_range(const struct region *region, enum region_revision revision,
                         unsigned min_dr, unsigned max_dr)
{
    if (min_dr >= REGION_DRS || max_dr >= REGION_DRS)
        return 0;
    if (min_dr <= max_dr)
        return DRS(min_dr, max_dr);
    if (revision < RP002_1_0_5 || max_dr || min_dr > 6 || !region_rate(region, LW_UP, 13))
        return 0;
    return DRS(min_dr - 1, 5) | DRS(12, 13);
}

/* All of the 256 there are: so it is the inverse by itself. */
bool region_dr_range_of(const struct region *region, enum region_revision revision, uint16_t drs,
                        uint8_t *min_dr, uint8_t *max_dr)
{
    for (unsigned range = 0; drs && range < REGION_DRS * REGION_DRS; range++) {
        *min_dr = (uint8_t)(range % REGION_DRS);
        *max_dr = (uint8_t)(range / REGION_DRS);
        if (region_dr_range(region, revision, *min_dr, *max_dr) == drs)
            return true;
    }
    return false;
}

/* ---- LinkADRReq ------------------------------------------------------------------------------ */

const struct chmask_rule *region_chmask_rules(const struct region *region,
                                              enum region_revision revision)
{
    if (revision >= RP002_1_0_5 && region->chmask_1_0_5)
        return region->chmask_1_0_5;
    return region->chmask;
}

#define KEEP 15

/* DataRate and TXPower 15 mean "as it is" since 1.0.4 and in 1.1. The revisions of 1.0.2 and 1.0.3
 * have no such value. */
static bool keeps(enum region_revision revision, uint8_t value)
{
    return value == KEEP && revision >= RP001_1_1B;
}

uint8_t region_link_adr_answer(const struct region *region, enum region_revision revision,
                               const struct region_channels *channels,
                               const struct lw_link_adr_req *reqs, size_t count,
                               struct chmask *enabled)
{
    const struct chmask_rule *rules = region_chmask_rules(region, revision);
    const struct lw_link_adr_req *last = &reqs[count - 1];
    struct chmask trial = *enabled;
    uint8_t answer = 0;

    if (chmask_apply(rules, &channels->defined, reqs, count, &trial) == CHMASK_OK)
        answer |= REGION_ADR_MASK_ACK;
    if (keeps(revision, last->dr) || (region_dr_valid(region, revision, LW_UP, last->dr) &&
                                      region_enabled_drs(channels, &trial) >> last->dr & 1))
        answer |= REGION_ADR_DR_ACK;
    if (keeps(revision, last->tx_power) || last->tx_power <= region_max_tx_power(region, revision))
        answer |= REGION_ADR_POWER_ACK;
    if (answer == (REGION_ADR_MASK_ACK | REGION_ADR_DR_ACK | REGION_ADR_POWER_ACK))
        *enabled = trial;
    return answer;
}
