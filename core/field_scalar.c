/* field_scalar.c - single values: from a node by the member's kind, and what each kind expects. */
#include "core/clock.h"
#include "core/field_priv.h"
#include "core/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH_DEFAULT 1024

static size_t length_max(const struct field *field)
{
    return field->size ? field->size : LENGTH_DEFAULT;
}

/* ---- numbers -------------------------------------------------------------------------------- */

void field_range(const struct field *field, int64_t *min, uint64_t *max)
{
    bool wide = field->kind == F_I64 || field->kind == F_DOUBLE;

    *min = field->kind == F_I32 ? INT32_MIN : wide ? INT64_MIN : 0;
    *max = field->kind == F_U8                            ? UINT8_MAX
           : field->kind == F_U16                         ? UINT16_MAX
           : field->kind == F_U32 || field->kind == F_MHZ ? UINT32_MAX
           : field->kind == F_U64                         ? UINT64_MAX
           : field->kind == F_I32                         ? INT32_MAX
                                                          : (uint64_t)INT64_MAX;
    if (field->range.min == 0 && field->range.max == 0)
        return;
    *min = field->range.min;
    *max = field->range.max < 0 ? 0 : (uint64_t)field->range.max;
}

/* An integer as sign and magnitude, so that one reader serves int64 and uint64. */
struct integer {
    bool negative;
    uint64_t magnitude;
};

static bool read_digits(const char *text, size_t len, struct integer *v)
{
    char *end;

    v->negative = len > 0 && *text == '-';
    text += v->negative;
    len -= v->negative;
    if (len == 0 || len > 20 || strspn(text, "0123456789") != len)
        return false;
    errno = 0;
    v->magnitude = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* Some clients print 868100000 as 8.681e8: a number without a fraction is an integer. */
static bool read_integral(double d, struct integer *v)
{
    v->negative = d < 0;
    if (fabs(d) > 9007199254740992.0 || d != trunc(d))
        return false;
    v->magnitude = (uint64_t)fabs(d);
    return true;
}

static bool in_range(const struct field *field, const struct integer *v)
{
    int64_t min;
    uint64_t max;

    field_range(field, &min, &max);
    if (v->negative && v->magnitude > 0)
        return min < 0 && v->magnitude <= (uint64_t)0 - (uint64_t)min &&
               (field->range.max >= 0 || v->magnitude >= (uint64_t)0 - (uint64_t)field->range.max);
    return (min <= 0 || v->magnitude >= (uint64_t)min) && v->magnitude <= max &&
           field->range.max >= 0;
}

static void store_integer(const struct field *field, void *at, const struct integer *v)
{
    uint64_t bits = v->negative ? (uint64_t)0 - v->magnitude : v->magnitude;

    switch (field_size(field)) {
    case 1: *(uint8_t *)at = (uint8_t)bits; break;
    case 2: *(uint16_t *)at = (uint16_t)bits; break;
    case 4: *(uint32_t *)at = (uint32_t)bits; break;
    default: *(uint64_t *)at = bits; break;
    }
}

/* A default that the table spells out may lie outside the range ("0: off"). */
static bool is_default_number(const struct field *field, const struct integer *v)
{
    struct integer def;

    return field->def && read_digits(field->def, strlen(field->def), &def) &&
           def.magnitude == v->magnitude && def.negative == v->negative;
}

static bool read_integer(const struct field *field, void *at, const struct node *node)
{
    struct integer v;

    if (node->kind == NODE_DOUBLE ? !read_integral(node->number, &v)
                                  : (node->kind != NODE_INT && node->kind != NODE_SCALAR) ||
                                        !read_digits(node->text, node->len, &v))
        return false;
    if (!in_range(field, &v) && !is_default_number(field, &v))
        return false;
    store_integer(field, at, &v);
    return true;
}

static bool read_double(const struct field *field, double *at, const struct node *node)
{
    char *end;
    int64_t min;
    uint64_t max;

    if (node->kind == NODE_SCALAR) {
        if (!node->len || strspn(node->text, "0123456789+-.eE") != node->len)
            return false;
        *at = strtod(node->text, &end);
        if (*end)
            return false;
    } else if (node->kind == NODE_INT || node->kind == NODE_DOUBLE) {
        *at = node->number;
    } else {
        return false;
    }
    if (field->range.min == 0 && field->range.max == 0)
        return isfinite(*at);
    field_range(field, &min, &max);
    return isfinite(*at) && *at >= (double)field->range.min && *at <= (double)field->range.max;
}

/* Others print 868.1 by way of a binary fraction: the nearest hertz is meant. */
static bool read_mhz(const struct field *field, uint32_t *at, const struct node *node)
{
    static const struct field number = {.kind = F_DOUBLE};
    struct integer v;
    double mhz;

    if (!read_double(&number, &mhz, node) || fabs(mhz) > 1e6)
        return false;
    v.negative = mhz < 0;
    v.magnitude = (uint64_t)llround(fabs(mhz) * 1e6);
    if (!in_range(field, &v))
        return false;
    store_integer(field, at, &v);
    return true;
}

static bool read_bool(bool *at, const struct node *node)
{
    *at = node->boolean;
    if (node->kind != NODE_SCALAR)
        return node->kind == NODE_BOOL;
    *at = strcmp(node->text, "true") == 0;
    return *at || strcmp(node->text, "false") == 0;
}

/* ---- texts ---------------------------------------------------------------------------------- */

static bool read_string(const struct field *field, const char **at, const struct node *node,
                        struct arena *arena)
{
    if (node->len > length_max(field) || strlen(node->text) != node->len ||
        !utf8_valid(node->text, node->len))
        return false;
    *at = arena_strndup(arena, node->text, node->len);
    return true;
}

static bool read_hex_number(const struct field *field, void *at, const struct node *node)
{
    uint8_t raw[8] = {0};
    size_t n = field->kind == F_EUI ? 8 : field->kind == F_ADDR ? 4 : 3;
    uint64_t v = 0;

    if (!hex_read(raw, n, node->text, node->len))
        return false;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | raw[i];
    if (field->kind == F_EUI)
        *(uint64_t *)at = v;
    else
        *(uint32_t *)at = (uint32_t)v;
    return true;
}

static bool read_blob(const struct field *field, struct bytes *at, const struct node *node,
                      struct arena *arena)
{
    size_t room = length_max(field), n;
    uint8_t *p;

    if (node->len / 4 > room)
        return false; /* also with separators hex and base64 need less */
    p = arena_alloc(arena, room < node->len ? room : node->len);
    if (room > node->len)
        room = node->len;
    n = field->kind == F_BLOB ? base64_read(p, room, node->text, node->len)
                              : hex_read_any(p, room, node->text, node->len);
    if (n == SIZE_MAX)
        field_wipe_octets(p, room); /* what fits of a key is nearly one */
    *at = n == SIZE_MAX ? (struct bytes){0} : (struct bytes){p, n};
    return n != SIZE_MAX;
}

/* Whether a text is this name: all of it, as a NUL inside does not end it. */
static bool is_name(const struct field *field, const char *name, const struct node *node)
{
    int (*differ)(const char *, const char *) = field->flags & F_NOCASE ? strcasecmp : strcmp;

    return strlen(name) == node->len && differ(name, node->text) == 0;
}

static bool read_alias(const struct field *field, uint8_t *at, const struct node *node)
{
    const struct field_alias *alias = field->aliases;

    while (alias && alias->text && !is_name(field, alias->text, node) &&
           strcmp(alias->text, "*") != 0)
        alias++;
    if (!alias || !alias->text)
        return false;
    *at = alias->value;
    return true;
}

static bool read_enum(const struct field *field, uint8_t *at, const struct node *node)
{
    for (uint8_t i = 0; field->names[i]; i++) {
        if (node->len > 0 && is_name(field, field->names[i], node)) {
            *at = i;
            return true;
        }
    }
    return read_alias(field, at, node);
}

uint8_t field_enum_gap(const struct field *field)
{
    uint8_t i = 0;

    while (field->names[i] && *field->names[i])
        i++;
    return field->names[i] ? i : 0;
}

static bool read_uuid(uint8_t *at, const struct node *node)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (node->len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < node->len; i++) {
        if ((node->text[i] == '-') != (form[i] == '-'))
            return false;
    }
    return hex_read(at, 16, node->text, node->len);
}

static bool read_text(const struct field *field, void *at, const struct node *node,
                      struct arena *arena)
{
    if (node->kind != NODE_STRING && node->kind != NODE_SCALAR)
        return false;
    switch (field->kind) {
    case F_STR: return read_string(field, at, node, arena);
    case F_HEX: return hex_read(at, field->size, node->text, node->len);
    case F_EUI:
    case F_ADDR:
    case F_NETID: return read_hex_number(field, at, node);
    case F_BLOB:
    case F_HEXBLOB: return read_blob(field, at, node, arena);
    case F_ENUM: return read_enum(field, at, node);
    case F_TIME: return strlen(node->text) == node->len && clock_read(node->text, at);
    case F_UUID: return read_uuid(at, node);
    default: return false;
    }
}

bool field_read_scalar(const struct field *field, void *at, const struct node *node,
                       struct arena *arena)
{
    switch (field->kind) {
    case F_BOOL: return read_bool(at, node);
    case F_U8:
    case F_U16:
    case F_U32:
    case F_U64:
    case F_I32:
    case F_I64: return read_integer(field, at, node);
    case F_DOUBLE: return read_double(field, at, node);
    case F_MHZ: return read_mhz(field, at, node);
    default: return read_text(field, at, node, arena);
    }
}

/* ---- expectations --------------------------------------------------------------------------- */

static const char *expects_enum(const struct field *field, struct arena *arena)
{
    char text[800];
    size_t n = (size_t)snprintf(text, sizeof(text), "one of");
    const char *separator = " ";

    for (size_t i = 0; field->names[i] && n < sizeof(text); i++) {
        if (!*field->names[i])
            continue;
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%s\"", separator, field->names[i]);
        separator = ", ";
    }
    return arena_strdup(arena, text);
}

static const char *expects_number(const struct field *field, struct arena *arena)
{
    const char *what = field->kind == F_DOUBLE ? "a number" : "an integer";
    int64_t min;
    uint64_t max;

    if (field->kind == F_DOUBLE && field->range.min == 0 && field->range.max == 0)
        return what;
    field_range(field, &min, &max);
    if (field->range.max < 0)
        return arena_printf(arena, "%s from %" PRId64 " to %" PRId64, what, min, field->range.max);
    return arena_printf(arena, "%s from %" PRId64 " to %" PRIu64, what, min, max);
}

static const char *expects_length(const struct field *field, struct arena *arena)
{
    switch (field->kind) {
    case F_STR: return arena_printf(arena, "a string of at most %zu bytes", length_max(field));
    case F_HEX: return arena_printf(arena, "a string of %zu hexadecimal digits", 2 * field->size);
    case F_BLOB:
        return arena_printf(arena, "at most %zu bytes as a base64 string", length_max(field));
    default:
        return arena_printf(arena, "at most %zu bytes as a string of hexadecimal digits",
                            length_max(field));
    }
}

const char *field_expects(const struct field *field, struct arena *arena)
{
    switch (field->kind) {
    case F_BOOL: return "true or false";
    case F_U8:
    case F_U16:
    case F_U32:
    case F_U64:
    case F_I32:
    case F_I64:
    case F_DOUBLE: return expects_number(field, arena);
    case F_MHZ: return "a frequency in MHz";
    case F_EUI: return "a string of 16 hexadecimal digits";
    case F_ADDR: return "a string of 8 hexadecimal digits";
    case F_NETID: return "a string of 6 hexadecimal digits";
    case F_ENUM: return expects_enum(field, arena);
    case F_TIME: return "a time as in RFC 3339, such as \"2026-11-21T13:04:16Z\"";
    case F_UUID: return "a UUID";
    case F_OBJ:
    case F_TAGS: return "an object";
    case F_ARR: return "an array";
    default: return expects_length(field, arena);
    }
}
