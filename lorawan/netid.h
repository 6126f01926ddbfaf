/*
 * netid.h - NetID types, NwkID, DevAddr prefixes and blocks, and the names under which TS002 finds
 * an operator or a join server (TS001 6.1.1; TS002 on NetID and on DNS). Pure.
 */
#pragma once

#include "core/err.h"
#include "lorawan/types.h"

#include <stddef.h>

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

/* 000000 and 000001 are for private networks: shared by many, so nobody is found by them. */
bool lw_net_id_is_private(struct lw_net_id id);

/* ---- blocks ----------------------------------------------------------------------------------
 * An operator's addresses, or a part of them that is leased: the first `bits` bits of `base`. For
 * types 3 to 7 several NetIDs share one block, since the NwkID is only the low part of their ID. */

struct lw_block {
    struct lw_dev_addr base;
    uint8_t bits; /* 0 to 32 */
};

#define LW_BLOCK_TEXT 12 /* "e0140000/15" with the closing NUL */

struct lw_block lw_net_id_block(struct lw_net_id id);
struct lw_dev_addr lw_block_last(struct lw_block block);
bool lw_block_covers(struct lw_block block, struct lw_dev_addr addr);

/* Of blocks that may overlap, such as leases inside of an operator's own, the longest that covers
 * the address, of two alike the first; NULL if none does. Several operators may have one: all of
 * them are asked. */
const struct lw_block *lw_block_longest(const struct lw_block *blocks, size_t count,
                                        struct lw_dev_addr addr);

/* Text and back; reading wants eight hex digits, a slash and 0 to 32, and no bit of the base behind
 * its length. */
char *lw_block_text(char *to, struct lw_block block);
enum err lw_block_read(const char *text, struct lw_block *block) MUST_CHECK;

/* ---- names of the DNS (TS002 on DNS) -------------------------------------------------------- */

#define LW_NET_ID_ZONE   "netids.lora-alliance.org"
#define LW_JOIN_EUI_ZONE "joineuis.lora-alliance.org"
#define LW_NAME_MAX      256 /* of a name with its closing NUL */

/* "00050a.<zone>"; `zone` of at most 200 characters. Returns `to`. */
char *lw_net_id_name(char to[LW_NAME_MAX], struct lw_net_id id, const char *zone);
/* The nibbles apart, the lowest first. */
char *lw_join_eui_name(char to[LW_NAME_MAX], struct lw_eui join_eui, const char *zone);
