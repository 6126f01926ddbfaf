/*
 * netid.h - NetID types, NwkID, DevAddr prefixes (TS001 6.1.1; mac-layer reference 2.7). Pure.
 */
#pragma once

#include "lorawan/types.h"

/* 0..7: the upper three bits. */
unsigned lw_net_id_type(struct lw_net_id id);

/* The NwkID: the low 6, 6, 9, 11, 12, 13, 15, 17 bits of the NetID, by type. */
uint32_t lw_nwk_id(struct lw_net_id id);

/* Leading bits of a DevAddr that are fixed by the NetID, and how many they are (7..25). */
struct lw_dev_addr lw_net_id_prefix(struct lw_net_id id);
unsigned lw_net_id_prefix_bits(struct lw_net_id id);

/* Bits left for the NwkAddr: 25, 24, 20, 17, 15, 13, 10, 7. */
unsigned lw_nwk_addr_bits(struct lw_net_id id);

bool lw_dev_addr_matches(struct lw_dev_addr addr, struct lw_net_id id);

/* The prefix with the low bits of `nwk_addr` (surplus bits are ignored). */
struct lw_dev_addr lw_dev_addr_make(struct lw_net_id id, uint32_t nwk_addr);

/* Type of a DevAddr: its leading ones, 0..7; -1 for ff (no type has eight). */
int lw_dev_addr_type(struct lw_dev_addr addr);
uint32_t lw_dev_addr_nwk_id(struct lw_dev_addr addr);
