/*
 * scan.c - see scan.h. Strings and numbers are walked by hand: with keys of four letters and
 * numbers of six digits the set-up of memchr or strtod costs more than it saves.
 */
#include "gateway/scan.h"

#include <string.h>
#include <strings.h>

struct scan scan_of(const void *p, size_t n, unsigned depth_max)
{
    return (struct scan){.p = p, .end = (const char *)p + n, .depth_max = depth_max};
}

static bool fail(struct scan *s)
{
    s->failed = true;
    s->p = s->end;
    return false;
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

char scan_peek(struct scan *s)
{
    skip_blanks(s);
    return s->p < s->end ? *s->p : '\0';
}

static bool expect(struct scan *s, char c)
{
    if (scan_peek(s) != c || s->p == s->end)
        return fail(s);
    s->p++;
    return true;
}

bool scan_open(struct scan *s, char bracket)
{
    if (scan_peek(s) != bracket)
        return false;
    if (++s->depth > s->depth_max)
        return fail(s);
    s->p++;
    s->fresh = true;
    return true;
}

/* Whether the bracket's content goes on; consumes the comma, or the closing bracket. */
static bool goes_on(struct scan *s, char closing)
{
    char c = scan_peek(s);

    if (s->failed || !c)
        return fail(s);
    if (c == closing) {
        s->p++;
        s->depth--;
        s->fresh = false;
        return false;
    }
    if (!s->fresh) {
        if (c != ',')
            return fail(s);
        s->p++;
    }
    s->fresh = false;
    return true;
}

bool scan_item(struct scan *s)
{
    return goes_on(s, ']');
}

/* A string whose opening quote is next. */
static bool quoted(struct scan *s, struct scan_text *text)
{
    const char *p = s->p + 1;

    *text = (struct scan_text){.p = p};
    while (p < s->end && *p != '"') {
        if (*p == '\\') {
            text->escaped = true;
            p++;
        } else if (!*p) {
            return fail(s);
        }
        p++;
    }
    if (p >= s->end)
        return fail(s);
    text->n = (size_t)(p - text->p);
    s->p = p + 1;
    return true;
}

bool scan_key(struct scan *s, struct scan_text *key)
{
    if (!goes_on(s, '}'))
        return false;
    if (scan_peek(s) != '"')
        return fail(s);
    return quoted(s, key) && expect(s, ':');
}

static void skip_literal(struct scan *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        (void)fail(s);
    else
        s->p += n;
}

/* A decimal number: mantissa * 10^exponent. Digits beyond the 18th only move the exponent. */
struct decimal {
    int64_t mantissa;
    int exponent;
};

#define MANTISSA_MAX 100000000000000000 /* one more digit still fits */
#define EXPONENT_MAX 1000

static size_t read_digits(const char **p, const char *end, struct decimal *d, int per_digit)
{
    const char *start = *p;

    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
        if (d->mantissa < MANTISSA_MAX) {
            d->mantissa = d->mantissa * 10 + (**p - '0');
            d->exponent += per_digit;
        } else if (per_digit == 0 && d->exponent < EXPONENT_MAX) {
            d->exponent++;
        }
    }
    return (size_t)(*p - start);
}

static bool read_exponent(const char **p, const char *end, struct decimal *d)
{
    struct decimal e = {0};
    bool negative;

    if (*p == end || (**p != 'e' && **p != 'E'))
        return true;
    (*p)++;
    negative = *p < end && **p == '-';
    if (*p < end && (**p == '-' || **p == '+'))
        (*p)++;
    if (!read_digits(p, end, &e, 0))
        return false;
    if (e.mantissa > EXPONENT_MAX)
        e.mantissa = EXPONENT_MAX;
    d->exponent += (int)(negative ? -e.mantissa : e.mantissa);
    return true;
}

static bool read_decimal(const char **p, const char *end, struct decimal *d)
{
    bool negative = *p < end && **p == '-';

    *d = (struct decimal){0};
    *p += negative;
    if (!read_digits(p, end, d, 0))
        return false;
    if (*p < end && **p == '.') {
        (*p)++;
        if (!read_digits(p, end, d, -1))
            return false;
    }
    if (!read_exponent(p, end, d))
        return false;
    if (negative)
        d->mantissa = -d->mantissa;
    return true;
}

static int64_t scaled(const struct decimal *d, int digits)
{
    int64_t v = d->mantissa;
    int up = d->exponent + digits;
    bool half = false;

    for (; up > 0 && v; up--)
        if (__builtin_mul_overflow(v, 10, &v))
            return d->mantissa < 0 ? -INT64_MAX : INT64_MAX;
    for (; up < 0 && (v || half); up++) {
        half = v % 10 >= 5 || v % 10 <= -5;
        v /= 10;
    }
    if (half)
        v += d->mantissa < 0 ? -1 : 1;
    return v;
}

static bool number(struct scan *s, struct decimal *d)
{
    return read_decimal(&s->p, s->end, d) || fail(s);
}

static void skip_container(struct scan *s, char c)
{
    struct scan_text key;

    if (!scan_open(s, c))
        return;
    if (c == '{') {
        while (scan_key(s, &key))
            scan_skip(s);
    } else {
        while (scan_item(s))
            scan_skip(s);
    }
}

void scan_skip(struct scan *s)
{
    struct scan_text text;
    struct decimal d;
    char c = scan_peek(s);

    switch (c) {
    case '"': (void)quoted(s, &text); break;
    case '{':
    case '[': skip_container(s, c); break;
    case 't': skip_literal(s, "true"); break;
    case 'f': skip_literal(s, "false"); break;
    case 'n': skip_literal(s, "null"); break;
    default: (void)number(s, &d); break;
    }
}

bool scan_string(struct scan *s, struct scan_text *text)
{
    if (scan_peek(s) == '"')
        return quoted(s, text);
    scan_skip(s);
    return false;
}

bool scan_scaled(struct scan *s, int digits, int64_t *v)
{
    char c = scan_peek(s);
    struct decimal d;
    struct scan_text text;

    if (c == '-' || (c >= '0' && c <= '9')) {
        if (!number(s, &d))
            return false;
    } else if (c == '"') {
        const char *p;

        if (!quoted(s, &text))
            return false;
        p = text.p;
        if (!read_decimal(&p, text.p + text.n, &d) || p != text.p + text.n)
            return false;
    } else {
        scan_skip(s);
        return false;
    }
    *v = scaled(&d, digits);
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Resolves the escape behind a backslash; returns how many characters it had. */
static size_t unescape(const char *p, const char *end, char *to)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *at;
    int code = 0;

    if (p == end)
        return 0;
    if (*p != 'u') {
        at = strchr(names, *p);
        *to = at && *at ? values[at - names] : *p;
        return 1;
    }
    *to = '?';
    if (end - p < 5)
        return (size_t)(end - p);
    for (int i = 1; i < 5; i++) {
        int digit = hex_digit(p[i]);

        code = digit < 0 ? 0xffff : code * 16 + digit;
    }
    if (code > 0 && code < 0x80)
        *to = (char)code;
    return 5;
}

size_t scan_unescape(const struct scan_text *text, char *to, size_t room)
{
    const char *p = text->p, *end = text->p + text->n;
    size_t n = 0;

    while (p < end && n + 1 < room) {
        to[n] = *p++;
        if (to[n] == '\\')
            p += unescape(p, end, &to[n]);
        n++;
    }
    if (p < end || !room)
        return SIZE_MAX;
    to[n] = '\0';
    return n;
}

bool scan_text_is(const struct scan_text *text, const char *literal)
{
    return strlen(literal) == text->n && strncasecmp(text->p, literal, text->n) == 0;
}
