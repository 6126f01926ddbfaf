/*
 * region.c - the rules all regions share, on tables. No region is named here except in the list of
 * tables: what differs is a column.
 */
#include "region/region.h"

#include "region/region_tables.h"

#include <string.h>

#define POWER_STEP_CDB 200

/* ---- names ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct region *const tables[REGION_COUNT] = {
    [REGION_EU868] = &region_eu868,
    [REGION_US915] = &region_us915,
    [REGION_AU915] = &region_au915,
    [REGION_AS923_1] = &region_as923_1,
    [REGION_AS923_2] = &region_as923_2,
    [REGION_AS923_3] = &region_as923_3,
    [REGION_AS923_4] = &region_as923_4,
    [REGION_CN470] = &region_cn470,
    [REGION_CN470_20A] = &region_cn470_20a,
    [REGION_CN470_20B] = &region_cn470_20b,
    [REGION_CN470_26A] = &region_cn470_26a,
    [REGION_CN470_26B] = &region_cn470_26b,
    [REGION_CN779] = &region_cn779,
    [REGION_EU433] = &region_eu433,
    [REGION_KR920] = &region_kr920,
    [REGION_IN865] = &region_in865,
    [REGION_RU864] = &region_ru864,
    [REGION_ISM2400] = &region_ism2400,
};
/* clang-format on */

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
        if (!strcmp(name, region_name(i))) {
            *id = i;
            return OK;
        }
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

int region_dr_backoff(const struct region *region, unsigned dr)
{
    if (!region_rate(region, LW_UP, dr) || region->backoff[dr] == REGION_NO_DR)
        return -1;
    return region->backoff[dr];
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

/* Where the limit cannot be signalled it is in the one table already. */
static bool dwell_counts(const struct region *region, bool dwell)
{
    return dwell && region->tx_param_setup && region->dwell_ms;
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

/* ---- joins of CN470 -------------------------------------------------------------------------- */

const struct region_join *region_common_join(unsigned index)
{
    return index < REGION_COMMON_JOINS ? &region_joins[index] : NULL;
}

uint8_t region_join_index(const struct region *region, uint32_t frequency_hz)
{
    for (uint8_t i = 0; i < REGION_COMMON_JOINS; i++) {
        if (region_joins[i].plan == region->id && region_joins[i].uplink_hz == frequency_hz)
            return i;
    }
    return REGION_NO_JOIN;
}

uint32_t region_join_rx1_hz(const struct region *region, const struct region_channels *channels,
                            unsigned channel)
{
    const struct region_join *join = NULL;

    if (channel < REGION_CHANNELS_MAX)
        join = region_common_join(region_join_index(region, channels->at[channel].frequency_hz));
    return join ? join->rx1_hz : region_rx1_hz(region, channels, channel);
}

uint32_t region_join_rx2_hz(const struct region *region, uint32_t uplink_hz)
{
    const struct region_join *join = region_common_join(region_join_index(region, uplink_hz));

    return join ? join->rx2_hz : region->rx2_hz;
}

/* ---- payload --------------------------------------------------------------------------------- */

/* A table has at least one, in a row of revisions without gaps. */
static const struct region_payloads *payloads_of(const struct region *region, unsigned revision)
{
    unsigned first = 0;

    while (!region->payloads[first])
        first++;
    if (revision < first)
        revision = first;
    while (!region->payloads[revision])
        revision--;
    return region->payloads[revision];
}

unsigned region_max_payload(const struct region *region, const struct region_size *size)
{
    bool dwell = dwell_counts(region, size->dwell);

    if (size->dr >= REGION_DRS || (unsigned)size->revision >= REGION_REVISION_COUNT)
        return 0;
    return payloads_of(region, size->revision)->n[size->repeater][dwell][size->direction][size->dr];
}

bool region_down_dr_usable(const struct region *region, enum region_revision revision, unsigned dr)
{
    struct region_size size = {.revision = revision, .direction = LW_DOWN, .dr = (uint8_t)dr};

    return region_dr_valid(region, revision, LW_DOWN, dr) && region_max_payload(region, &size) > 0;
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

int region_max_eirp_cdbm(const struct region *region, enum region_revision revision)
{
    if (revision >= RP002_1_0_5 && region->max_eirp_1_0_5_cdbm)
        return region->max_eirp_1_0_5_cdbm;
    return region->max_eirp_cdbm;
}

int region_tx_power_cdbm(int max_eirp_cdbm, unsigned index)
{
    return max_eirp_cdbm - POWER_STEP_CDB * (int)index;
}

unsigned region_max_tx_power(const struct region *region, enum region_revision revision)
{
    if (revision <= RP001_1_0_2B && region->max_tx_power_rp001)
        return region->max_tx_power_rp001;
    if (revision >= RP002_1_0_5 && region->max_tx_power_1_0_5)
        return region->max_tx_power_1_0_5;
    return region->max_tx_power;
}

/* ---- relays ---------------------------------------------------------------------------------- */

const struct region_relay *region_relay_channel(const struct region *region, unsigned index)
{
    if (index >= REGION_RELAYS || !region->relay[index].wor_hz)
        return NULL;
    return &region->relay[index];
}
