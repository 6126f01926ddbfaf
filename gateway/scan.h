/*
 * scan.h - a cursor over JSON text that neither copies nor allocates: for the hot path.
 *
 * The reader asks for what it expects. A fault is sticky: from then on nothing is found and all
 * loops end; ask `failed` once at the end. Nesting is bounded. Pure.
 *
 *     struct scan s = scan_of(p, n);
 *     if (scan_open(&s, '{'))
 *         while (scan_key(&s, &key))
 *             ...one of scan_string, scan_scaled, scan_open, scan_skip...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scan {
    const char *p, *end;
    unsigned depth, depth_max;
    bool fresh; /* just behind an opening bracket: no comma is due */
    bool failed;
};

/* A string as it stands between its quotes. */
struct scan_text {
    const char *p;
    size_t n;
    bool escaped; /* holds a backslash: see scan_unescape */
};

struct scan scan_of(const void *p, size_t n, unsigned depth_max);

/* The character that begins the next value ('"', '{', '[', '-', a digit, 't', 'f', 'n'), or 0. */
char scan_peek(struct scan *s);

/* Enters an object ('{') or array ('['). false, and nothing is consumed, if the next value is
 * something else. */
bool scan_open(struct scan *s, char bracket);
/* The next key, its value being next; or false at the end of the object, which is consumed. */
bool scan_key(struct scan *s, struct scan_text *key);
/* Whether the array goes on, the element being next; its end is consumed. */
bool scan_item(struct scan *s);

/* Steps over any value. */
void scan_skip(struct scan *s);

/* A string; any other value is stepped over and false. */
bool scan_string(struct scan *s, struct scan_text *text);

/* A number, or a number in quotes, times 10^digits, rounded half away from zero; decimal arithmetic
 * throughout, so that 868.1 MHz are exactly 868100000 Hz. Saturates at +-9e18. Any other value is
 * stepped over and false. */
bool scan_scaled(struct scan *s, int digits, int64_t *v);

/* The text with its escapes resolved and a closing NUL; characters beyond ASCII that were escaped
 * become '?'. The length, or SIZE_MAX if it does not fit `room` (with the NUL). */
size_t scan_unescape(const struct scan_text *text, char *to, size_t room);

bool scan_text_is(const struct scan_text *text, const char *literal); /* ignoring case */
