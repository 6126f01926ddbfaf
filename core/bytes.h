/*
 * bytes.h - borrowed byte ranges, readers and writers with a sticky error, hex and base64.
 *
 * A reader that ran past its end, or a writer past its room, keeps its error and gives zeros (or
 * writes nothing) from then on: parse ten fields, check once. Nothing here allocates.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed range: valid as long as what it was taken from (mostly a job's arena). */
struct bytes {
    const uint8_t *p;
    size_t n;
};

bool bytes_equal(struct bytes a, struct bytes b);

/* 64 bit hash (FNV-1a folded through a finalizer) of a range, with a seed. Not for secrets and not
 * collision-proof against an attacker: compare the bytes where that matters. */
uint64_t bytes_hash(struct bytes b, uint64_t seed);
uint64_t hash_u64(uint64_t x);

/* ---- reader -------------------------------------------------------------------------------- */

struct rd {
    const uint8_t *p, *end;
    bool failed;
};

struct rd rd_of(const void *p, size_t n);
struct rd rd_bytes(struct bytes b);
size_t rd_left(const struct rd *rd);

uint8_t rd_u8(struct rd *rd);
uint16_t rd_u16le(struct rd *rd);
uint32_t rd_u24le(struct rd *rd);
uint32_t rd_u32le(struct rd *rd);
uint64_t rd_u64le(struct rd *rd);
uint16_t rd_u16be(struct rd *rd);
uint32_t rd_u32be(struct rd *rd);
uint64_t rd_u64be(struct rd *rd);

/* The next n bytes, borrowed; an empty range once the reader failed. */
struct bytes rd_take(struct rd *rd, size_t n);
void rd_copy(struct rd *rd, void *to, size_t n);

/* A variable-length unsigned integer (LEB128) and a range with such a length before it. */
uint64_t rd_var(struct rd *rd);
struct bytes rd_blob(struct rd *rd);

/* ---- writer -------------------------------------------------------------------------------- */

struct wr {
    uint8_t *start, *p, *end;
    bool failed;
};

struct wr wr_of(void *p, size_t room);
size_t wr_len(const struct wr *wr);
struct bytes wr_bytes(const struct wr *wr);

void wr_u8(struct wr *wr, uint8_t v);
void wr_u16le(struct wr *wr, uint16_t v);
void wr_u24le(struct wr *wr, uint32_t v);
void wr_u32le(struct wr *wr, uint32_t v);
void wr_u64le(struct wr *wr, uint64_t v);
void wr_u16be(struct wr *wr, uint16_t v);
void wr_u32be(struct wr *wr, uint32_t v);
void wr_u64be(struct wr *wr, uint64_t v);
void wr_copy(struct wr *wr, const void *from, size_t n);
void wr_zero(struct wr *wr, size_t n);
void wr_var(struct wr *wr, uint64_t v);
void wr_blob(struct wr *wr, const void *from, size_t n);

/* ---- hex and base64 ------------------------------------------------------------------------ */

/* Lower-case hex, most significant first, with a closing NUL: `to` has 2*n+1 bytes. Returns `to`.
 */
char *hex_write(char *to, const void *from, size_t n);

/* Reads exactly n bytes of hex from a string of `len` characters; upper case, `:` and `-` between
 * bytes are accepted. false if there is anything else, more or less. */
bool hex_read(void *to, size_t n, const char *text, size_t len);

/* Reads hex of any length up to `room` bytes. Returns the count, or SIZE_MAX if malformed. */
size_t hex_read_any(void *to, size_t room, const char *text, size_t len);

#define BASE64_LEN(n) ((((n) + 2) / 3) * 4)

/* Padded standard base64 with a closing NUL: `to` has BASE64_LEN(n)+1 bytes. Returns its length. */
size_t base64_write(char *to, const void *from, size_t n);

/* Padded or not, standard or URL alphabet. Returns the count, or SIZE_MAX if it is malformed or
 * longer than `room`. A lone last character and non-zero spare bits are malformed. */
size_t base64_read(void *to, size_t room, const char *text, size_t len);

/* Compares in a time that does not depend on the content. */
bool bytes_equal_secret(const void *a, const void *b, size_t n);
