/*
 * fragment.c - cutting, coding and elimination.
 *
 * The decoder keeps pieces where they belong in the block. An equation is kept with the first piece
 * that it has and the block has not (its pivot), at most one per piece; what else is in it may be
 * known already or become so, which is sorted out once at the end, from the last piece to the
 * first.
 */
#include "package/fragment.h"

#include "lorawan/crypto.h"

#include <string.h>

#define AT_UNKNOWN 0
#define AT_BLOCK   1
#define AT_ROW     2 /* and above: row AT_ROW + i */

enum err pkg_frag_cut(size_t length, uint8_t frag_size, unsigned coded, struct pkg_frag_cut *cut)
{
    size_t count;

    if (!length || !frag_size)
        return ERR_INVALID;
    count = (length - 1) / frag_size + 1;
    if (count > PKG_FRAG_MOST || coded > PKG_FRAG_MOST - count)
        return ERR_LIMIT;
    cut->nb_frag = (uint16_t)count;
    cut->frag_size = frag_size;
    cut->padding = (uint8_t)(count * frag_size - length);
    return OK;
}

unsigned pkg_frag_coded(uint16_t nb_frag, unsigned percent)
{
    return (nb_frag * percent + 99) / 100;
}

/* ---- coding ---------------------------------------------------------------------------------- */

static uint32_t prbs23(uint32_t x)
{
    return (x >> 1) + (((x ^ x >> 5) & 1) << 22);
}

static bool bit_of(const uint8_t *line, unsigned i)
{
    return line[i / 8] >> i % 8 & 1;
}

/* Version 1 counts a piece that is drawn again, version 2 draws anew. */
void pkg_frag_line(unsigned version, uint16_t m, uint32_t y, uint8_t *line)
{
    uint32_t modulus = (uint32_t)m + ((m & (m - 1)) == 0);
    uint32_t x = 1 + 1001 * y;
    unsigned drawn = 0;

    memset(line, 0, (m + 7u) / 8);
    while (drawn < m / 2u) {
        uint32_t r;

        do {
            x = prbs23(x);
            r = x % modulus;
        } while (r >= m);
        if (version == 1 || !bit_of(line, r))
            drawn++;
        line[r / 8] |= (uint8_t)(1 << r % 8);
    }
}

static void xor_into(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] ^= from[i];
}

/* Piece i of the block, of which the last one may be short. */
static struct bytes piece(struct bytes block, uint8_t frag_size, unsigned i)
{
    size_t from = (size_t)i * frag_size;
    size_t left = block.n - from;

    return (struct bytes){block.p + from, left < frag_size ? left : frag_size};
}

void pkg_frag_encode(unsigned version, struct bytes block, const struct pkg_frag_cut *cut,
                     uint16_t n, uint8_t *to)
{
    uint8_t line[PKG_FRAG_LINE_MAX] = {0};

    if (n <= cut->nb_frag)
        line[(n - 1) / 8] = (uint8_t)(1 << (n - 1) % 8);
    else
        pkg_frag_line(version, cut->nb_frag, (uint32_t)n - cut->nb_frag, line);
    memset(to, 0, cut->frag_size);
    for (unsigned i = 0; i < cut->nb_frag; i++) {
        struct bytes one = piece(block, cut->frag_size, i);

        if (bit_of(line, i))
            xor_into(to, one.p, one.n);
    }
}

/* ---- the decoder ----------------------------------------------------------------------------- */

static size_t row_len(const struct pkg_frag_decoder *d)
{
    return (size_t)d->line_len + d->frag_size;
}

static uint8_t *line_of(const struct pkg_frag_decoder *d, unsigned row)
{
    return d->row + row * row_len(d);
}

static uint8_t *block_of(const struct pkg_frag_decoder *d, unsigned i)
{
    return d->block + (size_t)i * d->frag_size;
}

size_t pkg_frag_room(uint16_t nb_frag, uint8_t frag_size, uint16_t rows)
{
    return nb_frag * (sizeof(uint16_t) + frag_size) +
           (rows + (size_t)1) * ((nb_frag + 7u) / 8 + frag_size);
}

enum err pkg_frag_begin(struct pkg_frag_decoder *decoder, unsigned version, uint16_t nb_frag,
                        uint8_t frag_size, uint16_t rows, void *room)
{
    if (!nb_frag || nb_frag > PKG_FRAG_MOST || !frag_size)
        return ERR_INVALID;
    *decoder = (struct pkg_frag_decoder){.version = version,
                                         .nb_frag = nb_frag,
                                         .frag_size = frag_size,
                                         .rows = rows,
                                         .line_len = (uint16_t)((nb_frag + 7u) / 8),
                                         .at = room};
    decoder->block = (uint8_t *)(decoder->at + nb_frag);
    decoder->row = decoder->block + (size_t)nb_frag * frag_size;
    memset(decoder->at, 0, nb_frag * sizeof(decoder->at[0]));
    return OK;
}

/* The first piece in an equation from `from` on; nb_frag if none is. */
static unsigned first_in(const struct pkg_frag_decoder *d, unsigned row, unsigned from)
{
    const uint8_t *line = line_of(d, row);

    while (from < d->nb_frag && !bit_of(line, from))
        from++;
    return from;
}

/* Takes known pieces and other equations out of one until its first piece is new; that one, or
 * nb_frag if nothing is left. */
static unsigned reduce(struct pkg_frag_decoder *d, unsigned row)
{
    uint8_t *line = line_of(d, row);
    unsigned i = first_in(d, row, 0);

    while (i < d->nb_frag && d->at[i] != AT_UNKNOWN) {
        if (d->at[i] == AT_BLOCK) {
            line[i / 8] ^= (uint8_t)(1 << i % 8);
            xor_into(line + d->line_len, block_of(d, i), d->frag_size);
        } else {
            xor_into(line, line_of(d, d->at[i] - AT_ROW), row_len(d));
        }
        i = first_in(d, row, i);
    }
    return i;
}

/* From the last piece to the first: whatever else is in an equation is known by then. */
static void solve(struct pkg_frag_decoder *d)
{
    for (unsigned i = d->nb_frag; i-- > 0;) {
        uint8_t *data;

        if (d->at[i] == AT_BLOCK)
            continue;
        data = line_of(d, d->at[i] - AT_ROW) + d->line_len;
        for (unsigned k = first_in(d, d->at[i] - AT_ROW, i + 1); k < d->nb_frag;
             k = first_in(d, d->at[i] - AT_ROW, k + 1))
            xor_into(data, block_of(d, k), d->frag_size);
        memcpy(block_of(d, i), data, d->frag_size);
    }
    d->is_done = true;
}

unsigned pkg_frag_missing(const struct pkg_frag_decoder *decoder)
{
    return (unsigned)decoder->nb_frag - decoder->plain - decoder->rows_used;
}

static enum pkg_frag_result progress(struct pkg_frag_decoder *d)
{
    if (pkg_frag_missing(d))
        return PKG_FRAG_MORE;
    solve(d);
    return PKG_FRAG_DONE;
}

/* Gives up an equation: the last one takes its place. */
static void drop_row(struct pkg_frag_decoder *d, unsigned row)
{
    unsigned last = --d->rows_used;

    if (row == last)
        return;
    memcpy(line_of(d, row), line_of(d, last), row_len(d));
    d->at[first_in(d, row, 0)] = (uint16_t)(AT_ROW + row);
}

/* A piece as it is. An equation that was kept under it looks for another piece. */
static enum pkg_frag_result add_plain(struct pkg_frag_decoder *d, unsigned i, const uint8_t *data)
{
    unsigned row, pivot;

    if (d->at[i] == AT_BLOCK)
        return PKG_FRAG_MORE;
    row = d->at[i];
    memcpy(block_of(d, i), data, d->frag_size);
    d->at[i] = AT_BLOCK;
    d->plain++;
    if (row != AT_UNKNOWN) {
        pivot = reduce(d, row - AT_ROW);
        if (pivot < d->nb_frag)
            d->at[pivot] = (uint16_t)row;
        else
            drop_row(d, row - AT_ROW);
    }
    return progress(d);
}

/* The new equation stands behind those that are kept until it proves to be one of them. */
static enum pkg_frag_result add_coded(struct pkg_frag_decoder *d, uint32_t y, const uint8_t *data)
{
    unsigned row = d->rows_used, pivot;
    uint8_t *line = line_of(d, row);

    pkg_frag_line(d->version, d->nb_frag, y, line);
    memcpy(line + d->line_len, data, d->frag_size);
    pivot = reduce(d, row);
    if (pivot == d->nb_frag)
        return PKG_FRAG_MORE;
    if (row == d->rows)
        return PKG_FRAG_NO_MEMORY;
    d->at[pivot] = (uint16_t)(AT_ROW + row);
    d->rows_used++;
    return progress(d);
}

enum pkg_frag_result pkg_frag_add(struct pkg_frag_decoder *decoder, uint16_t n, struct bytes data)
{
    if (!n || n > PKG_FRAG_MOST || data.n != decoder->frag_size)
        return PKG_FRAG_REFUSED;
    if (decoder->is_done)
        return PKG_FRAG_DONE;
    if (n <= decoder->nb_frag)
        return add_plain(decoder, n - 1u, data.p);
    return add_coded(decoder, (uint32_t)n - decoder->nb_frag, data.p);
}

/* ---- integrity ------------------------------------------------------------------------------- */

void pkg_data_block_int_key(const struct lw_key *root, struct lw_key *key)
{
    const uint8_t block[LW_BLOCK] = {0x30};

    lw_aes_encrypt(root, block, key->b);
}

uint32_t pkg_frag_mic(const struct lw_key *data_block_int_key,
                      const struct pkg_frag_session *session, struct bytes block)
{
    uint8_t head[LW_BLOCK];
    struct wr wr = wr_of(head, sizeof(head));
    struct bytes parts[2] = {{head, sizeof(head)}, block};

    wr_u8(&wr, 0x49);
    wr_u16le(&wr, session->session_cnt);
    wr_u8(&wr, session->index);
    wr_copy(&wr, session->descriptor, sizeof(session->descriptor));
    wr_zero(&wr, 4);
    wr_u32le(&wr, (uint32_t)block.n);
    return lw_cmac_mic(data_block_int_key, parts, 2);
}
