/*
 * region.c - the rules all regions share, on tables. No region is named here except in the list of
 * tables: what differs is a column.
 */
#include "region/region.h"

#include "region/region_tables.h"

#include <string.h>

#define POWER_STEP_DB 2
#define SUB_BAND      8

/* ---- names ----------------------------------------------------------------------------------- */

static const struct region *const tables[REGION_COUNT] = {
    [REGION_EU868] = &region_eu868,
    [REGION_US915] = &region_us915,
    [REGION_AS923_1] = &region_as923_1,
};

const char *region_name(enum region_id id)
{
    static const char *const names[REGION_COUNT] = {
#define X(name, text) [name] = (text),
        REGION_TABLE(X)
#undef X
    };

    return (unsigned)id < REGION_COUNT ? names[id] : "";
}

const struct region *region_get(enum region_id id)
{
    return (unsigned)id < REGION_COUNT ? tables[id] : NULL;
}

enum err region_find(const char *name, enum region_id *id)
{
    if (!strcmp(name, "AS923-1"))
        name = region_name(REGION_AS923_1);
    for (unsigned i = 0; i < REGION_COUNT; i++) {
        if (strcmp(name, region_name(i)) != 0)
            continue;
        *id = i;
        return tables[i] ? OK : ERR_UNSUPPORTED;
    }
    return ERR_NOT_FOUND;
}

const char *region_revision_text(enum region_revision revision)
{
    static const char *const texts[REGION_REVISION_COUNT] = {
#define X(name, text) [name] = (text),
        REGION_REVISION_TABLE(X)
#undef X
    };

    return (unsigned)revision < REGION_REVISION_COUNT ? texts[revision] : "";
}

bool region_revision_find(const char *text, enum region_revision *revision)
{
    for (unsigned i = 0; i < REGION_REVISION_COUNT; i++) {
        if (!strcmp(text, region_revision_text(i))) {
            *revision = i;
            return true;
        }
    }
    return false;
}

enum region_revision region_revision_default(enum lw_version version)
{
    switch (version) {
    case LW_1_0_3: return RP001_1_0_3A;
    case LW_1_0_4: return RP002_1_0_4;
    case LW_1_1_0: return RP001_1_1B;
    default: return RP001_1_0_2B;
    }
}

/* ---- data rates ------------------------------------------------------------------------------ */

static bool rate_exists(const struct data_rate *rate)
{
    return rate->bandwidth_hz || rate->bit_rate;
}

const struct data_rate *region_rate(const struct region *region, enum lw_direction direction,
                                    unsigned dr)
{
    if (dr >= REGION_DRS || !rate_exists(&region->rates[direction][dr]))
        return NULL;
    return &region->rates[direction][dr];
}

/* A gateway reports the coding rate it heard and, of LR-FHSS, sometimes another grid. The code rate
 * of LR-FHSS however is what tells its data rates apart. */
static bool rate_matches(const struct data_rate *a, const struct data_rate *b)
{
    if (!rate_exists(a) || a->kind != b->kind)
        return false;
    if (a->kind == MOD_FSK)
        return a->bit_rate == b->bit_rate;
    if (a->bandwidth_hz != b->bandwidth_hz)
        return false;
    return a->kind == MOD_LORA ? a->sf == b->sf : a->coding_rate == b->coding_rate;
}

int region_dr(const struct region *region, enum lw_direction direction,
              const struct data_rate *rate)
{
    for (int dr = 0; dr < REGION_DRS; dr++) {
        if (rate_matches(&region->rates[direction][dr], rate))
            return dr;
    }
    return -1;
}

bool region_dr_valid(const struct region *region, enum region_revision revision,
                     enum lw_direction direction, unsigned dr)
{
    return region_rate(region, direction, dr) &&
           region->rates_since[direction][dr] <= (unsigned)revision;
}

/* ---- channels -------------------------------------------------------------------------------- */

static void define(struct region_channels *channels, unsigned index, struct region_channel channel)
{
    if (index >= REGION_CHANNELS_MAX)
        return;
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

struct chmask region_sub_band(const struct region *region, unsigned sub_band)
{
    const struct region_block *narrow = &region->uplinks[0];
    const struct region_block *wide = &region->uplinks[1];
    struct chmask mask = {0};

    if (!sub_band || sub_band * SUB_BAND > narrow->count)
        return mask;
    chmask_set_range(&mask, narrow->first + (sub_band - 1) * SUB_BAND, SUB_BAND, true);
    if (sub_band <= wide->count)
        chmask_set(&mask, wide->first + sub_band - 1);
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
    if (revision < RP002_1_0_5 || max_dr || min_dr > 6 || !region->new_channel ||
        !region_rate(region, LW_UP, 13))
        return 0;
    return DRS(min_dr - 1, 5) | DRS(12, 13);
}

/* ---- receive windows ------------------------------------------------------------------------- */

uint32_t region_rx1_hz(const struct region *region, const struct region_channels *channels,
                       unsigned channel)
{
    unsigned down;

    if (channel >= REGION_CHANNELS_MAX)
        return 0;
    if (channels->at[channel].rx1_hz)
        return channels->at[channel].rx1_hz;
    if (!region->rx1_modulus)
        return channels->at[channel].frequency_hz;
    down = channel % region->rx1_modulus;
    for (unsigned b = 0; b < REGION_BLOCKS_MAX; b++) {
        const struct region_block *block = &region->downlinks[b];

        if (down >= block->first && down - block->first < block->count)
            return block->base_hz + (down - block->first) * block->step_hz;
    }
    return 0;
}

/* Where no TxParamSetupReq exists the limit cannot be signalled and is in the one table already. */
static bool dwell_counts(const struct region *region, bool dwell)
{
    return dwell && region->tx_param_setup;
}

int region_rx1_dr(const struct region *region, const struct region_rx1 *rx1)
{
    const struct region_offsets *offsets = region->offsets;
    unsigned dr;

    if (!region_rate(region, LW_UP, rx1->uplink_dr) || rx1->offset > region->max_dr_offset)
        return -1;
    if (rx1->revision < RP002_1_0_0 && region->offsets_rp001)
        offsets = region->offsets_rp001;
    dr = offsets[dwell_counts(region, rx1->downlink_dwell)].dr[rx1->uplink_dr][rx1->offset];
    return region_rate(region, LW_DOWN, dr) ? (int)dr : -1;
}

unsigned region_max_payload(const struct region *region, const struct region_size *size)
{
    const struct region_payloads *payloads;

    if (size->dr >= REGION_DRS || (unsigned)size->revision >= REGION_REVISION_COUNT)
        return 0;
    payloads = region->payloads[size->revision];
    if (!payloads)
        return 0;
    return payloads
        ->n[size->repeater][dwell_counts(region, size->dwell)][size->direction][size->dr];
}

/* ---- power and duty -------------------------------------------------------------------------- */

const struct region_band *region_band(const struct region *region, uint32_t frequency_hz)
{
    for (unsigned i = 0; i < REGION_BANDS_MAX && region->bands[i].name; i++) {
        const struct region_band *band = &region->bands[i];

        if (frequency_hz >= band->min_hz && frequency_hz < band->max_hz)
            return band;
    }
    return NULL;
}

int region_down_eirp(const struct region *region, uint32_t frequency_hz)
{
    const struct region_band *band = region_band(region, frequency_hz);

    if (band && band->max_eirp_dbm > region->down_eirp_dbm)
        return band->max_eirp_dbm;
    return region->down_eirp_dbm;
}

int region_tx_power_dbm(int max_eirp_dbm, unsigned index)
{
    return max_eirp_dbm - POWER_STEP_DB * (int)index;
}

unsigned region_max_tx_power(const struct region *region, enum region_revision revision)
{
    return revision <= RP001_1_0_2B ? region->max_tx_power_rp001 : region->max_tx_power;
}

/* ---- LinkADRReq ------------------------------------------------------------------------------ */

const struct chmask_rule *region_chmask_rules(const struct region *region,
                                              enum region_revision revision)
{
    if (revision >= RP002_1_0_5 && region->chmask_1_0_5)
        return region->chmask_1_0_5;
    return region->chmask;
}

#define KEEP 15 /* DataRate and TXPower of 1.0.4 and 1.1: as it is */

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
    if (last->dr == KEEP || (region_dr_valid(region, revision, LW_UP, last->dr) &&
                             region_enabled_drs(channels, &trial) >> last->dr & 1))
        answer |= REGION_ADR_DR_ACK;
    if (last->tx_power == KEEP || last->tx_power <= region_max_tx_power(region, revision))
        answer |= REGION_ADR_POWER_ACK;
    if (answer == (REGION_ADR_MASK_ACK | REGION_ADR_DR_ACK | REGION_ADR_POWER_ACK))
        *enabled = trial;
    return answer;
}
