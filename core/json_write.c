/* json_write.c - the streaming writer. One flag suffices for the commas: what follows a value or a
 * closed container takes one, what follows a key or an opening bracket none. */
#include "core/clock.h"
#include "core/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void jw_init(struct jw *jw, size_t max)
{
    *jw = (struct jw){.max = max};
}

void jw_free(struct jw *jw)
{
    free(jw->p);
    *jw = (struct jw){.max = jw->max};
}

void jw_clear(struct jw *jw)
{
    jw->n = 0;
    jw->failed = jw->comma = false;
}

/* Room for n bytes and a closing NUL. */
static char *grow(struct jw *jw, size_t n)
{
    if (jw->failed || n > jw->max || jw->n > jw->max - n) {
        jw->failed = true;
        return NULL;
    }
    if (jw->n + n + 1 > jw->room) {
        size_t room = jw->room ? jw->room * 2 : 256;

        while (room < jw->n + n + 1)
            room *= 2;
        jw->p = xrealloc(jw->p, room);
        jw->room = room;
    }
    return jw->p + jw->n;
}

static void put(struct jw *jw, const char *text, size_t n)
{
    char *to = grow(jw, n);

    if (!to || !n)
        return;
    memcpy(to, text, n);
    jw->n += n;
}

char *jw_take(struct jw *jw)
{
    char *end = grow(jw, 0), *text;

    if (!end) {
        jw_free(jw);
        return NULL;
    }
    *end = '\0';
    text = jw->p;
    *jw = (struct jw){.max = jw->max};
    return text;
}

struct bytes jw_bytes(const struct jw *jw)
{
    return (struct bytes){(const uint8_t *)jw->p, jw->failed ? 0 : jw->n};
}

static void begin_value(struct jw *jw)
{
    if (jw->comma)
        put(jw, ",", 1);
    jw->comma = true;
}

static void open_with(struct jw *jw, const char *bracket)
{
    begin_value(jw);
    put(jw, bracket, 1);
    jw->comma = false;
}

static void close_with(struct jw *jw, const char *bracket)
{
    put(jw, bracket, 1);
    jw->comma = true;
}

void jw_object(struct jw *jw)
{
    open_with(jw, "{");
}

void jw_end_object(struct jw *jw)
{
    close_with(jw, "}");
}

void jw_array(struct jw *jw)
{
    open_with(jw, "[");
}

void jw_end_array(struct jw *jw)
{
    close_with(jw, "]");
}

void jw_raw(struct jw *jw, const char *json, size_t n)
{
    begin_value(jw);
    put(jw, json, n);
}

void jw_null(struct jw *jw)
{
    jw_raw(jw, "null", 4);
}

void jw_bool(struct jw *jw, bool v)
{
    jw_raw(jw, v ? "true" : "false", v ? 4 : 5);
}

void jw_int(struct jw *jw, int64_t v)
{
    char text[24];

    jw_raw(jw, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, v));
}

void jw_uint(struct jw *jw, uint64_t v)
{
    char text[24];

    jw_raw(jw, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, v));
}

/* A number of at most six decimals, such as a coordinate, without the library's long arithmetic.
 * The quotient of two exact numbers is the double nearest to what the digits say: if it is the
 * number, then these digits read back as it. Within these limits "%.15g" writes the same. */
static bool put_decimal(struct jw *jw, double v)
{
    double scaled = v * 1e6, size = fabs(v);
    char text[32];
    int64_t micros;
    size_t n;

    if (size >= 1e8 || (size < 1e-4 && size > 0))
        return false;
    micros = llround(scaled);
    if ((double)micros / 1e6 != v)
        return false;
    n = (size_t)snprintf(text, sizeof(text), "%s%" PRId64 ".%06" PRId64, micros < 0 ? "-" : "",
                         (micros < 0 ? -micros : micros) / 1000000,
                         (micros < 0 ? -micros : micros) % 1000000);
    while (text[n - 1] == '0')
        n--;
    jw_raw(jw, text, text[n - 1] == '.' ? n - 1 : n);
    return true;
}

void jw_double(struct jw *jw, double v)
{
    char text[40];
    int n = 0;

    if (!isfinite(v)) {
        jw_null(jw);
        return;
    }
    v += 0.0; /* "-0" would be read as the integer 0 and printed otherwise the next time */
    if (put_decimal(jw, v))
        return;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    jw_raw(jw, text, (size_t)n);
}

void jw_fixed(struct jw *jw, double v, int decimals)
{
    char text[400];
    int n = snprintf(text, sizeof(text), "%.*f", decimals, v);

    if (!isfinite(v) || n < 0 || (size_t)n >= sizeof(text))
        jw_null(jw);
    else
        jw_raw(jw, text, (size_t)n);
}

/* ---- strings -------------------------------------------------------------------------------- */

/* The length of the well-formed UTF-8 sequence at p (RFC 3629), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
    size_t len = p[0] < 0x80                    ? 1
                 : p[0] >= 0xc2 && p[0] <= 0xdf ? 2
                 : (p[0] & 0xf0) == 0xe0        ? 3
                 : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                                : 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0; /* overlong, surrogate, beyond U+10FFFF */
    return len;
}

bool utf8_valid(const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;

    while (n > 0) {
        size_t len = utf8_sequence(p, n);

        if (!len)
            return false;
        p += len;
        n -= len;
    }
    return true;
}

static void put_escape(struct jw *jw, unsigned char c)
{
    static const char named[] = "\bb\ff\nn\rr\tt\"\"\\\\";
    char text[8] = "\\";

    for (const char *p = named; *p; p += 2) {
        if ((unsigned char)*p == c) {
            text[1] = p[1];
            put(jw, text, 2);
            return;
        }
    }
    put(jw, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", c));
}

static void put_string(struct jw *jw, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t i = 0, plain = 0;

    put(jw, "\"", 1);
    while (i < n) {
        size_t len;

        if (p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' && p[i] != '\\') {
            i++; /* nearly always */
            continue;
        }
        len = utf8_sequence(p + i, n - i);
        if (len > 1) {
            i += len;
            continue;
        }
        put(jw, s + plain, i - plain);
        if (len)
            put_escape(jw, p[i]);
        else
            put(jw, "\xef\xbf\xbd", 3);
        plain = ++i;
    }
    put(jw, s + plain, n - plain);
    put(jw, "\"", 1);
}

void jw_strn(struct jw *jw, const char *s, size_t n)
{
    begin_value(jw);
    put_string(jw, s, n);
}

void jw_str(struct jw *jw, const char *s)
{
    if (s)
        jw_strn(jw, s, strlen(s));
    else
        jw_null(jw);
}

void jw_key(struct jw *jw, const char *key)
{
    jw_str(jw, key);
    put(jw, ":", 1);
    jw->comma = false;
}

static void to_upper(char *p, size_t n)
{
    for (; n > 0; n--, p++)
        *p = *p >= 'a' ? (char)(*p - 'a' + 'A') : *p;
}

void jw_hex_as(struct jw *jw, const void *p, size_t n, unsigned style)
{
    char *to;

    begin_value(jw);
    put(jw, "\"0x", n > 0 && (style & JW_HEX_0X) ? 3 : 1);
    to = n < jw->max ? grow(jw, 2 * n) : grow(jw, n);
    if (to) {
        (void)hex_write(to, p, n);
        if (style & JW_HEX_UPPER)
            to_upper(to, 2 * n);
        jw->n += 2 * n;
    }
    put(jw, "\"", 1);
}

void jw_hex(struct jw *jw, const void *p, size_t n)
{
    jw_hex_as(jw, p, n, 0);
}

void jw_base64(struct jw *jw, const void *p, size_t n)
{
    char *to;

    begin_value(jw);
    put(jw, "\"", 1);
    to = n < jw->max ? grow(jw, BASE64_LEN(n)) : grow(jw, n);
    if (to)
        jw->n += base64_write(to, p, n);
    put(jw, "\"", 1);
}

void jw_time(struct jw *jw, int64_t utc_us)
{
    char text[CLOCK_TEXT];

    jw_str(jw, clock_text(text, utc_us));
}

void jw_time_exact(struct jw *jw, int64_t utc_us)
{
    char text[CLOCK_TEXT];

    jw_str(jw, clock_text_exact(text, utc_us));
}

void jw_mhz(struct jw *jw, uint32_t hz)
{
    char text[24];
    size_t n =
        (size_t)snprintf(text, sizeof(text), "%" PRIu32 ".%06" PRIu32, hz / 1000000, hz % 1000000);

    while (text[n - 1] == '0')
        n--;
    jw_raw(jw, text, text[n - 1] == '.' ? n - 1 : n);
}

void jw_uuid(struct jw *jw, const uint8_t uuid[16])
{
    char hex[33], text[40];

    (void)hex_write(hex, uuid, 16);
    (void)snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
    jw_str(jw, text);
}

void jw_node(struct jw *jw, const struct node *node)
{
    switch (node ? node->kind : NODE_NULL) {
    case NODE_NULL: jw_null(jw); return;
    case NODE_BOOL: jw_bool(jw, node->boolean); return;
    /* A number that was made, not read, has no text. */
    case NODE_INT:
        if (node->len)
            jw_raw(jw, node->text, node->len);
        else
            jw_int(jw, node->integer);
        return;
    case NODE_DOUBLE:
        if (node->len)
            jw_raw(jw, node->text, node->len);
        else
            jw_double(jw, node->number);
        return;
    case NODE_STRING:
    case NODE_SCALAR: jw_strn(jw, node->text, node->len); return;
    case NODE_OBJECT:
        jw_object(jw);
        for (const struct node *child = node->child; child; child = child->next) {
            jw_key(jw, child->key);
            jw_node(jw, child);
        }
        jw_end_object(jw);
        return;
    case NODE_ARRAY:
        jw_array(jw);
        for (const struct node *child = node->child; child; child = child->next)
            jw_node(jw, child);
        jw_end_array(jw);
        return;
    }
}

void jw_key_str(struct jw *jw, const char *key, const char *s)
{
    jw_key(jw, key);
    jw_str(jw, s);
}

void jw_key_int(struct jw *jw, const char *key, int64_t v)
{
    jw_key(jw, key);
    jw_int(jw, v);
}

void jw_key_uint(struct jw *jw, const char *key, uint64_t v)
{
    jw_key(jw, key);
    jw_uint(jw, v);
}

void jw_key_bool(struct jw *jw, const char *key, bool v)
{
    jw_key(jw, key);
    jw_bool(jw, v);
}
