/*
 * dynamic.c - what plans share in which the network makes the channels: the channel masks of
 * RP002-1.0.5, which reach 80 channels, and the lists by whose numbers CFList type 1 names them.
 */
#include "region/region_tables.h"

/* clang-format off */
const struct chmask_rule region_chmask_80[CHMASK_RULES] = {
    [0] = {CHMASK_GROUP, 0, 16},
    [1] = {CHMASK_GROUP, 16, 16},
    [2] = {CHMASK_GROUP, 32, 16},
    [3] = {CHMASK_GROUP, 48, 16},
    [4] = {CHMASK_GROUP, 64, 16},
    [5] = {CHMASK_BANKS, 0, 10},
    [6] = {CHMASK_ALL_DEFINED, 0, 0},
};

/* RP002-1.0.5 3.3.1.1: 863.1 to 869.9 MHz, then the channels of India, which lie off the raster. */
const struct region_list region_list_800 = {
    .count = 35, .base_hz = 863100000, .step_hz = 200000,
    .extra_count = 5, .extra_hz = {865062500, 865402500, 865602500, 865785000, 865985000},
};

/* RP002-1.0.5 3.3.1.2: 915.1 to 924.6 MHz. */
const struct region_list region_list_900 = {
    .count = 96, .base_hz = 915100000, .step_hz = 100000,
};
/* clang-format on */
