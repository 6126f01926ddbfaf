/* netid.c - the address plan: type t is t ones and a zero, then NwkID, then NwkAddr. */
#include "lorawan/netid.h"

static const struct {
    uint8_t nwk_id, nwk_addr; /* bits; with the type's t + 1 they make 32 */
} bits[8] = {{6, 25}, {6, 24}, {9, 20}, {11, 17}, {12, 15}, {13, 13}, {15, 10}, {17, 7}};

static uint32_t low(unsigned n)
{
    return (1u << n) - 1;
}

unsigned lw_net_id_type(struct lw_net_id id)
{
    return (id.v >> 21) & 7;
}

uint32_t lw_nwk_id(struct lw_net_id id)
{
    return id.v & low(bits[lw_net_id_type(id)].nwk_id);
}

unsigned lw_nwk_addr_bits(struct lw_net_id id)
{
    return bits[lw_net_id_type(id)].nwk_addr;
}

unsigned lw_net_id_prefix_bits(struct lw_net_id id)
{
    return 32 - lw_nwk_addr_bits(id);
}

struct lw_dev_addr lw_net_id_prefix(struct lw_net_id id)
{
    unsigned type = lw_net_id_type(id);
    uint32_t ones = ~(0xffffffffu >> type);

    return (struct lw_dev_addr){ones | (lw_nwk_id(id) << bits[type].nwk_addr)};
}

bool lw_dev_addr_matches(struct lw_dev_addr addr, struct lw_net_id id)
{
    return (addr.v & ~low(lw_nwk_addr_bits(id))) == lw_net_id_prefix(id).v;
}

struct lw_dev_addr lw_dev_addr_make(struct lw_net_id id, uint32_t nwk_addr)
{
    uint32_t mask = low(lw_nwk_addr_bits(id));

    return (struct lw_dev_addr){lw_net_id_prefix(id).v | (nwk_addr & mask)};
}

int lw_dev_addr_type(struct lw_dev_addr addr)
{
    int type = 0;

    while (type < 8 && (addr.v & (0x80000000u >> type)))
        type++;
    return type < 8 ? type : -1;
}

uint32_t lw_dev_addr_nwk_id(struct lw_dev_addr addr)
{
    int type = lw_dev_addr_type(addr);

    return type < 0 ? 0 : (addr.v >> bits[type].nwk_addr) & low(bits[type].nwk_id);
}
