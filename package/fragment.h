/*
 * fragment.h - what is in the fragments of TS004: a block cut into NbFrag pieces, followed by coded
 * ones from which a device makes up for those it missed (mac-layer reference 8.3).
 *
 * Coded fragment y is the XOR of a pseudo-random half of the pieces. Which half differs between
 * versions 1 and 2 of the package (finding F-5): the wrong one decodes to garbage, so the version
 * is always an argument. Pure; the decoder works in memory that its caller gives.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/types.h"

#define PKG_FRAG_MOST     16383 /* fragments, plain and coded: 14 bits */
#define PKG_FRAG_LINE_MAX ((PKG_FRAG_MOST + 7) / 8)
#define PKG_FRAG_OVERHEAD 3 /* octets of a frame's payload before the data: CID, Index&N */

/* How a block is cut. */
struct pkg_frag_cut {
    uint16_t nb_frag;
    uint8_t frag_size;
    uint8_t padding; /* octets of zero that fill the last piece */
};

/* For a block of `length` octets, fragments of `frag_size`, and `coded` more of them. ERR_INVALID:
 * an empty block or size; ERR_LIMIT: more fragments than can be numbered. */
MUST_CHECK enum err pkg_frag_cut(size_t length, uint8_t frag_size, unsigned coded,
                                 struct pkg_frag_cut *cut);

/* Coded fragments for `percent` of redundancy, rounded up. */
unsigned pkg_frag_coded(uint16_t nb_frag, unsigned percent);

/* Which pieces of `m` (1..PKG_FRAG_MOST) the coded fragment y = 1, 2, ... is made of: bit i of
 * octet i / 8, (m + 7) / 8 octets. */
void pkg_frag_line(unsigned version, uint16_t m, uint32_t y, uint8_t *line);

/* Fragment n = 1.. of a block into `to` (frag_size octets). */
void pkg_frag_encode(unsigned version, struct bytes block, const struct pkg_frag_cut *cut,
                     uint16_t n, uint8_t *to);

/* ---- the decoder ----------------------------------------------------------------------------- */

/* Gauss's elimination, one fragment at a time. Memory: the block itself, and `rows` equations of
 * fragments that are missing. Fields are the decoder's. */
struct pkg_frag_decoder {
    unsigned version;
    uint16_t nb_frag;
    uint8_t frag_size;
    uint16_t rows, rows_used;
    uint16_t plain;    /* pieces that came as they are */
    uint16_t line_len; /* octets of an equation's left side */
    bool is_done;
    uint16_t *at;   /* of each piece: 0 unknown, 1 is in the block, else row - 2 has it first */
    uint8_t *block; /* nb_frag * frag_size octets: all there once is_done */
    uint8_t *row;   /* rows + 1 equations: line, then data */
};

/* Octets that a decoder needs to make up for `rows` missing fragments. */
size_t pkg_frag_room(uint16_t nb_frag, uint8_t frag_size, uint16_t rows);

/* `room` has pkg_frag_room octets, aligned for uint16_t, and outlives the decoder. ERR_INVALID: no
 * fragments, no octets in them, or more than can be numbered. */
MUST_CHECK enum err pkg_frag_begin(struct pkg_frag_decoder *decoder, unsigned version,
                                   uint16_t nb_frag, uint8_t frag_size, uint16_t rows, void *room);

enum pkg_frag_result {
    PKG_FRAG_MORE,      /* taken, or said nothing new: more are needed */
    PKG_FRAG_DONE,      /* decoder->block is whole */
    PKG_FRAG_NO_MEMORY, /* not taken: `rows` equations wait already */
    PKG_FRAG_REFUSED,   /* the number or the length is none of this session */
};
enum pkg_frag_result pkg_frag_add(struct pkg_frag_decoder *decoder, uint16_t n, struct bytes data);

/* Fragments that are still needed at the least. */
unsigned pkg_frag_missing(const struct pkg_frag_decoder *decoder);

/* ---- integrity of the block (version 2) ------------------------------------------------------ */

struct pkg_frag_session {
    uint16_t session_cnt; /* increases with each session of an index */
    uint8_t index;
    uint8_t descriptor[4];
};

/* From AppKey (1.1) or GenAppKey (1.0.x). */
void pkg_data_block_int_key(const struct lw_key *root, struct lw_key *key);
/* Over the block without its padding; lowest octet first on air, as all MICs. */
uint32_t pkg_frag_mic(const struct lw_key *data_block_int_key,
                      const struct pkg_frag_session *session, struct bytes block);
