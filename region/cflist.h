/*
 * cflist.h - the CFList of a join-accept (RP002 3.3; types 0 and 1). Pure.
 */
#pragma once

#include "region/region.h"

#define CFLIST_LEN         16
#define CFLIST_FREQUENCIES 5

struct cflist {
    uint8_t type;
    uint32_t frequency_hz[CFLIST_FREQUENCIES]; /* type 0; 0: unused */
    struct chmask enabled;                     /* type 1 */
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

/* What a device does with it: defines channels (type 0) or sets the mask (type 1, fixed plans).
 * ERR_INVALID: not for that region. */
MUST_CHECK enum err cflist_apply(const struct region *region, const struct cflist *list,
                                 struct region_channels *channels, struct chmask *enabled);
