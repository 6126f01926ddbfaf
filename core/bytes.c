/* bytes.c - readers, writers, hex and base64. Pure; nothing allocates. */
#include "core/bytes.h"

#include <string.h>

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool bytes_equal_secret(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t differs = 0;

    for (size_t i = 0; i < n; i++)
        differs |= x[i] ^ y[i];
    return differs == 0;
}

uint64_t hash_u64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t bytes_hash(struct bytes b, uint64_t seed)
{
    uint64_t h = 0xcbf29ce484222325u ^ seed;
    size_t i = 0;

    for (; i + 8 <= b.n; i += 8) {
        uint64_t word;

        memcpy(&word, b.p + i, 8);
        h = (h ^ word) * 0x9fb21c651e98df25u;
        h ^= h >> 32;
    }
    for (; i < b.n; i++)
        h = (h ^ b.p[i]) * 0x100000001b3u;
    return hash_u64(h ^ b.n);
}

struct rd rd_of(const void *p, size_t n)
{
    return (struct rd){.p = p, .end = n ? (const uint8_t *)p + n : p};
}

struct rd rd_bytes(struct bytes b)
{
    return rd_of(b.p, b.n);
}

size_t rd_left(const struct rd *rd)
{
    return rd->failed ? 0 : (size_t)(rd->end - rd->p);
}

struct bytes rd_take(struct rd *rd, size_t n)
{
    struct bytes out = {.p = rd->p, .n = n};

    if (rd_left(rd) < n) {
        rd->failed = true;
        return (struct bytes){0};
    }
    if (n)
        rd->p += n;
    return out;
}

void rd_copy(struct rd *rd, void *to, size_t n)
{
    struct bytes from = rd_take(rd, n);

    if (from.n == n && n)
        memcpy(to, from.p, n);
    else if (n)
        memset(to, 0, n);
}

static uint64_t rd_le(struct rd *rd, size_t n)
{
    struct bytes b = rd_take(rd, n);
    uint64_t v = 0;

    for (size_t i = b.n; i-- > 0;)
        v = v << 8 | b.p[i];
    return v;
}

static uint64_t rd_be(struct rd *rd, size_t n)
{
    struct bytes b = rd_take(rd, n);
    uint64_t v = 0;

    for (size_t i = 0; i < b.n; i++)
        v = v << 8 | b.p[i];
    return v;
}

uint8_t rd_u8(struct rd *rd)
{
    return (uint8_t)rd_le(rd, 1);
}

uint16_t rd_u16le(struct rd *rd)
{
    return (uint16_t)rd_le(rd, 2);
}

uint32_t rd_u24le(struct rd *rd)
{
    return (uint32_t)rd_le(rd, 3);
}

uint32_t rd_u32le(struct rd *rd)
{
    return (uint32_t)rd_le(rd, 4);
}

uint64_t rd_u64le(struct rd *rd)
{
    return rd_le(rd, 8);
}

uint16_t rd_u16be(struct rd *rd)
{
    return (uint16_t)rd_be(rd, 2);
}

uint32_t rd_u32be(struct rd *rd)
{
    return (uint32_t)rd_be(rd, 4);
}

uint64_t rd_u64be(struct rd *rd)
{
    return rd_be(rd, 8);
}

uint64_t rd_var(struct rd *rd)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = rd_u8(rd);

        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
    rd->failed = true;
    return 0;
}

struct bytes rd_blob(struct rd *rd)
{
    uint64_t n = rd_var(rd);

    if (n > rd_left(rd)) {
        rd->failed = true;
        return (struct bytes){0};
    }
    return rd_take(rd, (size_t)n);
}

struct wr wr_of(void *p, size_t room)
{
    return (struct wr){.start = p, .p = p, .end = room ? (uint8_t *)p + room : p};
}

size_t wr_len(const struct wr *wr)
{
    return (size_t)(wr->p - wr->start);
}

struct bytes wr_bytes(const struct wr *wr)
{
    return (struct bytes){.p = wr->start, .n = wr_len(wr)};
}

static uint8_t *wr_room(struct wr *wr, size_t n)
{
    uint8_t *at = wr->p;

    if (wr->failed || (size_t)(wr->end - wr->p) < n) {
        wr->failed = true;
        return NULL;
    }
    wr->p += n;
    return at;
}

static void wr_le(struct wr *wr, uint64_t v, size_t n)
{
    uint8_t *at = wr_room(wr, n);

    for (size_t i = 0; at && i < n; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

static void wr_be(struct wr *wr, uint64_t v, size_t n)
{
    uint8_t *at = wr_room(wr, n);

    for (size_t i = 0; at && i < n; i++)
        at[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void wr_u8(struct wr *wr, uint8_t v)
{
    wr_le(wr, v, 1);
}

void wr_u16le(struct wr *wr, uint16_t v)
{
    wr_le(wr, v, 2);
}

void wr_u24le(struct wr *wr, uint32_t v)
{
    wr_le(wr, v, 3);
}

void wr_u32le(struct wr *wr, uint32_t v)
{
    wr_le(wr, v, 4);
}

void wr_u64le(struct wr *wr, uint64_t v)
{
    wr_le(wr, v, 8);
}

void wr_u16be(struct wr *wr, uint16_t v)
{
    wr_be(wr, v, 2);
}

void wr_u32be(struct wr *wr, uint32_t v)
{
    wr_be(wr, v, 4);
}

void wr_u64be(struct wr *wr, uint64_t v)
{
    wr_be(wr, v, 8);
}

void wr_copy(struct wr *wr, const void *from, size_t n)
{
    uint8_t *at = n ? wr_room(wr, n) : NULL;

    if (at)
        memcpy(at, from, n);
}

void wr_zero(struct wr *wr, size_t n)
{
    uint8_t *at = n ? wr_room(wr, n) : NULL;

    if (at)
        memset(at, 0, n);
}

void wr_var(struct wr *wr, uint64_t v)
{
    while (v >= 0x80) {
        wr_u8(wr, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    wr_u8(wr, (uint8_t)v);
}

void wr_blob(struct wr *wr, const void *from, size_t n)
{
    wr_var(wr, n);
    wr_copy(wr, from, n);
}

char *hex_write(char *to, const void *from, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = from;

    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[p[i] >> 4];
        to[2 * i + 1] = digits[p[i] & 15];
    }
    to[2 * n] = '\0';
    return to;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

size_t hex_read_any(void *to, size_t room, const char *text, size_t len)
{
    uint8_t *out = to;
    size_t n = 0;

    for (size_t i = 0; i < len;) {
        int high, low;

        if (n > 0 && (text[i] == ':' || text[i] == '-'))
            i++;
        if (len - i < 2 || n == room)
            return SIZE_MAX;
        high = hex_digit(text[i]);
        low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return SIZE_MAX;
        out[n++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    return n;
}

bool hex_read(void *to, size_t n, const char *text, size_t len)
{
    return hex_read_any(to, n, text, len) == n;
}

size_t base64_write(char *to, const void *from, size_t n)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = from;
    char *out = to;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;

        if (i + 1 < n)
            v |= (uint32_t)p[i + 1] << 8;
        if (i + 2 < n)
            v |= p[i + 2];
        *out++ = alphabet[v >> 18];
        *out++ = alphabet[v >> 12 & 63];
        *out++ = i + 1 < n ? alphabet[v >> 6 & 63] : '=';
        *out++ = i + 2 < n ? alphabet[v & 63] : '=';
    }
    *out = '\0';
    return (size_t)(out - to);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

size_t base64_read(void *to, size_t room, const char *text, size_t len)
{
    uint8_t *out = to;
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    if (len >= 4 && len % 4 == 0 && text[len - 1] == '=')
        len -= text[len - 2] == '=' ? 2 : 1;
    if (len % 4 == 1)
        return SIZE_MAX;
    for (size_t i = 0; i < len; i++) {
        int digit = base64_digit(text[i]);

        if (digit < 0)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (n == room)
                return SIZE_MAX;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    /* Spare bits that are not zero would give one payload two spellings. */
    return bits & ((1u << have) - 1) ? SIZE_MAX : n;
}
