/* netid.c - the address plan: type t is t ones and a zero, then NwkID, then NwkAddr. */
#include "lorawan/netid.h"

#include "core/bytes.h"

#include <stdio.h>
#include <string.h>

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

bool lw_net_id_is_private(struct lw_net_id id)
{
    return id.v <= 1;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The bits of an address behind the first `n`. */
static uint32_t behind(unsigned n)
{
    return n < 32 ? 0xffffffffu >> n : 0;
}

struct lw_block lw_net_id_block(struct lw_net_id id)
{
    return (struct lw_block){lw_net_id_prefix(id), (uint8_t)lw_net_id_prefix_bits(id)};
}

struct lw_dev_addr lw_block_last(struct lw_block block)
{
    return (struct lw_dev_addr){block.base.v | behind(block.bits)};
}

bool lw_block_covers(struct lw_block block, struct lw_dev_addr addr)
{
    return (addr.v & ~behind(block.bits)) == block.base.v;
}

const struct lw_block *lw_block_longest(const struct lw_block *blocks, size_t count,
                                        struct lw_dev_addr addr)
{
    const struct lw_block *longest = NULL;

    for (size_t i = 0; i < count; i++) {
        if (lw_block_covers(blocks[i], addr) && (!longest || blocks[i].bits > longest->bits))
            longest = &blocks[i];
    }
    return longest;
}

char *lw_block_text(char *to, struct lw_block block)
{
    (void)snprintf(to, LW_BLOCK_TEXT, "%08x/%u", (unsigned)block.base.v, block.bits & 63u);
    return to;
}

/* One or two digits, no leading zero. */
static bool read_bits(const char *text, uint8_t *length)
{
    size_t n = strspn(text, "0123456789");
    unsigned v = 0;

    if (n < 1 || n > 2 || text[n] || (n == 2 && *text == '0'))
        return false;
    for (; *text; text++)
        v = v * 10 + (unsigned)(*text - '0');
    *length = (uint8_t)v;
    return v <= 32;
}

enum err lw_block_read(const char *text, struct lw_block *block)
{
    uint8_t base[4];
    struct rd rd = rd_of(base, sizeof(base));

    if (strnlen(text, 9) < 9 || text[8] != '/' || !hex_read(base, sizeof(base), text, 8) ||
        !read_bits(text + 9, &block->bits))
        return ERR_MALFORMED;
    block->base.v = rd_u32be(&rd);
    return block->base.v & behind(block->bits) ? ERR_MALFORMED : OK;
}

/* ---- names ----------------------------------------------------------------------------------- */

char *lw_net_id_name(char to[LW_NAME_MAX], struct lw_net_id id, const char *zone)
{
    (void)snprintf(to, LW_NAME_MAX, "%06x.%.200s", (unsigned)id.v & 0xffffffu, zone);
    return to;
}

char *lw_join_eui_name(char to[LW_NAME_MAX], struct lw_eui join_eui, const char *zone)
{
    char *p = to;

    for (unsigned i = 0; i < 16; i++) {
        *p++ = "0123456789abcdef"[join_eui.v >> 4 * i & 15];
        *p++ = '.';
    }
    (void)snprintf(p, LW_NAME_MAX - 32, "%.200s", zone);
    return to;
}
