/* cflist.c - 16 octets, the last of which is the type. */
#include "region/cflist.h"

#include <string.h>

#define TYPE_AT    15
#define WORDS_MOST 6 /* type 1: masks of 16 channels */

static enum err write_frequencies(const struct cflist *list, struct wr *wr)
{
    for (size_t i = 0; i < CFLIST_FREQUENCIES; i++) {
        uint32_t u24 = 0;

        if (lw_hz_to_u24(list->frequency_hz[i], &u24) != OK)
            return ERR_INVALID;
        wr_u24le(wr, u24);
    }
    return OK;
}

enum err cflist_write(const struct cflist *list, uint8_t to[CFLIST_LEN])
{
    struct wr wr = wr_of(to, CFLIST_LEN);

    memset(to, 0, CFLIST_LEN);
    to[TYPE_AT] = list->type;
    if (list->type == 0)
        return write_frequencies(list, &wr);
    if (list->type != 1)
        return ERR_INVALID;
    for (unsigned i = 0; i < WORDS_MOST; i++)
        wr_u16le(&wr, chmask_word(&list->enabled, 16 * i));
    return OK;
}

enum err cflist_read(const uint8_t from[CFLIST_LEN], struct cflist *list)
{
    struct rd rd = rd_of(from, CFLIST_LEN);

    *list = (struct cflist){.type = from[TYPE_AT]};
    if (list->type > 1)
        return ERR_UNSUPPORTED;
    for (size_t i = 0; list->type == 0 && i < CFLIST_FREQUENCIES; i++)
        list->frequency_hz[i] = lw_hz_of_u24(rd_u24le(&rd));
    for (unsigned i = 0; list->type == 1 && i < WORDS_MOST; i++)
        chmask_put_word(&list->enabled, 16 * i, 16, rd_u16le(&rd));
    return OK;
}

/* What type 0 gives a channel is DR0 up to the region's maximum, no more and no less. */
static bool expressible(const struct region *region, const struct region_channel *channel)
{
    return channel->frequency_hz && !channel->min_dr && channel->max_dr == region->cflist_max_dr &&
           !channel->more_drs;
}

static bool frequencies_of(const struct region *region, const struct region_channels *channels,
                           struct cflist *list)
{
    bool any = false;

    for (unsigned i = 0; i < CFLIST_FREQUENCIES; i++) {
        const struct region_channel *channel = &channels->at[region->cflist_first + i];

        if (!expressible(region, channel))
            continue;
        list->frequency_hz[i] = channel->frequency_hz;
        any = true;
    }
    return any;
}

bool cflist_of_channels(const struct region *region, enum lw_version version,
                        const struct region_channels *channels, const struct chmask *enabled,
                        struct cflist *list)
{
    *list = (struct cflist){.type = region->cflist_type};
    if (version < (enum lw_version)region->cflist_since)
        return false;
    if (region->cflist_type == 0)
        return frequencies_of(region, channels, list);
    if (chmask_equal(enabled, &channels->defined))
        return false;
    list->enabled = *enabled;
    return true;
}

/* ---- numbers in a list ---------------------------------------------------------------------- */

uint32_t cflist_fixed_hz(const struct region *region, unsigned number)
{
    const struct region_list *list = region->fixed_list;

    if (!list || number >= list->count + (unsigned)list->extra_count)
        return 0;
    if (number >= list->count)
        return list->extra_hz[number - list->count];
    return list->base_hz + number * list->step_hz;
}

static int number_of(const struct region *region, uint32_t hz)
{
    for (int n = 0; cflist_fixed_hz(region, (unsigned)n); n++) {
        if (cflist_fixed_hz(region, (unsigned)n) == hz)
            return n;
    }
    return -1;
}

bool cflist_of_numbers(const struct region *region, enum region_revision revision,
                       const struct region_channels *channels, const struct chmask *enabled,
                       struct cflist *list)
{
    *list = (struct cflist){.type = 1};
    if (!region->fixed_list || revision < RP002_1_0_4)
        return false;
    for (int i = -1; (i = chmask_next(enabled, i + 1)) >= 0;) {
        int number = number_of(region, channels->at[i].frequency_hz);

        if (number < 0 || !expressible(region, &channels->at[i]))
            return false;
        chmask_set(&list->enabled, (unsigned)number);
    }
    return !chmask_is_empty(&list->enabled);
}

/* ---- what a device does --------------------------------------------------------------------- */

static enum err put(const struct region *region, unsigned index, uint32_t hz,
                    struct region_channels *channels, struct chmask *enabled)
{
    struct region_channel channel = {.frequency_hz = hz, .max_dr = region->cflist_max_dr};

    if (region_channels_put(region, channels, index, &channel) != OK)
        return ERR_INVALID;
    chmask_set(enabled, index);
    return OK;
}

static enum err apply_frequencies(const struct region *region, const struct cflist *list,
                                  struct region_channels *channels, struct chmask *enabled)
{
    for (unsigned i = 0; i < CFLIST_FREQUENCIES; i++) {
        uint32_t hz = list->frequency_hz[i];

        if (hz && put(region, region->cflist_first + i, hz, channels, enabled) != OK)
            return ERR_INVALID;
    }
    return OK;
}

static enum err apply_numbers(const struct region *region, const struct cflist *list,
                              struct region_channels *channels, struct chmask *enabled)
{
    unsigned next = region->cflist_first;

    for (int n = -1; (n = chmask_next(&list->enabled, n + 1)) >= 0;) {
        uint32_t hz = cflist_fixed_hz(region, (unsigned)n);
        int known = region_channel_find(channels, hz, 0, 0);

        if (known >= 0) /* a default channel: no list names a frequency twice */
            chmask_set(enabled, (unsigned)known);
        else if (!hz || put(region, next++, hz, channels, enabled) != OK)
            return ERR_INVALID;
    }
    return OK;
}

static enum err apply_dynamic(const struct region *region, const struct cflist *list,
                              struct region_channels *channels, struct chmask *enabled)
{
    struct region_channels made;
    struct chmask on;
    enum err err;

    region_channels_init(region, &made);
    on = chmask_and(enabled, &made.defined);
    if (list->type == 1 && region->fixed_list)
        err = apply_numbers(region, list, &made, &on);
    else
        err = list->type == 0 ? apply_frequencies(region, list, &made, &on) : ERR_INVALID;
    if (err)
        return ERR_INVALID;
    *channels = made;
    *enabled = on;
    return OK;
}

enum err cflist_apply(const struct region *region, const struct cflist *list,
                      struct region_channels *channels, struct chmask *enabled)
{
    if (region->plan == REGION_DYNAMIC)
        return apply_dynamic(region, list, channels, enabled);
    if (list->type != 1 || chmask_is_empty(&list->enabled) ||
        !chmask_is_subset(&list->enabled, &channels->defined))
        return ERR_INVALID;
    *enabled = list->enabled;
    return OK;
}
