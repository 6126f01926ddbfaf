/*
 * json.h - JSON in (json-c, to a node tree) and JSON out (a streaming writer of our own).
 *
 * Only core/json.c knows json-c. Input is limited in size and depth before it is kept. Not for
 * gateway datagrams, which have a scanner of their own in gateway/ (measured: json-c costs twelve
 * times as much there).
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "core/err.h"
#include "core/node.h"

#include <stdbool.h>

#define JSON_DEPTH_MAX 32

/* Parses one JSON text into `arena`. ERR_MALFORMED with *why (static or in the arena) otherwise:
 * trailing bytes, invalid UTF-8, duplicate members, numbers out of range, deeper than allowed. */
enum err json_read(const char *text, size_t len, struct arena *arena, const struct node **root,
                   const char **why) MUST_CHECK;

/* A writer into a growing buffer with a greatest size; beyond it `failed` is set and nothing more
 * is written. Commas are put by the writer. Strings are escaped; invalid UTF-8 is replaced. */
struct jw {
    char *p;
    size_t n, room, max;
    bool failed;
    bool comma; /* a value was written at this level */
};

void jw_init(struct jw *jw, size_t max);
void jw_free(struct jw *jw);  /* the buffer, if it was not taken */
char *jw_take(struct jw *jw); /* NUL-terminated, free with free(); NULL if failed */
struct bytes jw_bytes(const struct jw *jw);
void jw_clear(struct jw *jw); /* empties, keeps the buffer */

void jw_object(struct jw *jw);
void jw_end_object(struct jw *jw);
void jw_array(struct jw *jw);
void jw_end_array(struct jw *jw);
void jw_key(struct jw *jw, const char *key);
void jw_null(struct jw *jw);
void jw_bool(struct jw *jw, bool v);
void jw_int(struct jw *jw, int64_t v);
void jw_uint(struct jw *jw, uint64_t v);
void jw_double(struct jw *jw, double v); /* shortest form that reads back equal; NaN: null; no -0 */
void jw_fixed(struct jw *jw, double v, int decimals);
void jw_str(struct jw *jw, const char *s); /* NULL: null */
void jw_strn(struct jw *jw, const char *s, size_t n);
void jw_hex(struct jw *jw, const void *p, size_t n);
enum jw_hex { JW_HEX_UPPER = 1 << 0, JW_HEX_0X = 1 << 1 };
void jw_hex_as(struct jw *jw, const void *p, size_t n, unsigned style); /* no 0x before nothing */
void jw_base64(struct jw *jw, const void *p, size_t n);
void jw_time(struct jw *jw, int64_t utc_us);       /* RFC 3339 UTC, milliseconds */
void jw_time_exact(struct jw *jw, int64_t utc_us); /* as clock_text_exact */
void jw_mhz(struct jw *jw, uint32_t hz);           /* a number of MHz with exact digits */
void jw_uuid(struct jw *jw, const uint8_t uuid[16]);
void jw_node(struct jw *jw, const struct node *node);
void jw_raw(struct jw *jw, const char *json, size_t n); /* one value that is JSON already */

/* Short forms: a key and its value. */
void jw_key_str(struct jw *jw, const char *key, const char *s);
void jw_key_int(struct jw *jw, const char *key, int64_t v);
void jw_key_uint(struct jw *jw, const char *key, uint64_t v);
void jw_key_bool(struct jw *jw, const char *key, bool v);

/* Whether the bytes are well-formed UTF-8 (RFC 3629). */
bool utf8_valid(const char *text, size_t n);
