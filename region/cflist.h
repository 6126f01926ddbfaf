/*
 * cflist.h - the CFList of a join-accept (RP002 3.3; types 0 and 1). Pure.
 *
 * Type 0 holds five frequencies, for dynamic plans. Type 1 is a set of numbers: of channels in
 * fixed plans, of places in a list of frequencies in dynamic ones (RP002-1.0.4 and later, where the
 * region has such a list; few devices know it).
 */
#pragma once

#include "region/region.h"

#define CFLIST_LEN         16
#define CFLIST_FREQUENCIES 5

struct cflist {
    uint8_t type;
    uint32_t frequency_hz[CFLIST_FREQUENCIES]; /* type 0; 0: unused */
    struct chmask enabled;                     /* type 1: by channel, or by place in the list */
};

/* ERR_INVALID: an unknown type, or a frequency that cannot be written. */
MUST_CHECK enum err cflist_write(const struct cflist *list, uint8_t to[CFLIST_LEN]);
/* ERR_UNSUPPORTED: an unknown type. */
MUST_CHECK enum err cflist_read(const uint8_t from[CFLIST_LEN], struct cflist *list);

/* What to send to a device that should have these channels. False if there is nothing to send: no
 * channel beyond the default ones, or the region has no CFList in that version. Channels that a
 * CFList cannot express (other data rates than DR0..cflist_max_dr, further channels) are left to
 * NewChannelReq. */
bool cflist_of_channels(const struct region *region, enum lw_version version,
                        const struct region_channels *channels, const struct chmask *enabled,
                        struct cflist *list);

/* The frequency with that number in a dynamic plan's list; 0 if there is none. */
uint32_t cflist_fixed_hz(const struct region *region, unsigned number);

/* The same channels as type 1 of a dynamic plan, for a device that is known to understand it. False
 * if the region or the revision has no such list, or a channel beyond the default ones is not in it
 * or has other data rates than DR0..cflist_max_dr. */
bool cflist_of_numbers(const struct region *region, enum region_revision revision,
                       const struct region_channels *channels, const struct chmask *enabled,
                       struct cflist *list);

/* What a device does with it. Dynamic plans: all channels but the default ones go, those of the
 * list come and are enabled; of type 1 in the order of their numbers, on the first free channels,
 * and a default channel that is named is enabled. Fixed plans: sets the mask. ERR_INVALID, and
 * nothing changes: not for that region. */
MUST_CHECK enum err cflist_apply(const struct region *region, const struct cflist *list,
                                 struct region_channels *channels, struct chmask *enabled);
