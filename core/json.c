/*
 * json.c - json-c reads, and its objects become nodes at once.
 *
 * json-c keeps the last of two members of one name, cuts a name at an escaped NUL, takes overlong
 * UTF-8 and some forms that JSON does not know. A scan of our own before it finds these: it counts
 * the colons outside strings, which must be as many as the members json-c kept.
 */
#include "core/json.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <string.h>

/* ---- what json-c would let pass ------------------------------------------------------------- */

struct scan {
    const unsigned char *p, *end;
    size_t colons, depth;
    bool nul; /* the last string contains an escaped NUL */
};

/* Behind the opening quote; leaves `p` behind the closing one. */
static const char *scan_string(struct scan *scan)
{
    scan->nul = false;
    for (; scan->p < scan->end && *scan->p != '"'; scan->p++) {
        if (*scan->p < 0x20)
            return "a control character stands in a string";
        if (*scan->p != '\\')
            continue;
        if (scan->end - scan->p >= 6 && memcmp(scan->p, "\\u0000", 6) == 0)
            scan->nul = true;
        scan->p++;
        if (scan->p == scan->end)
            return "the text ends within a string";
    }
    if (scan->p == scan->end)
        return "the text ends within a string";
    scan->p++;
    return NULL;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static size_t scan_digits(struct scan *scan)
{
    size_t n = 0;

    for (; scan->p < scan->end && is_digit(*scan->p); scan->p++)
        n++;
    return n;
}

/* Whether the integer of these digits fits; json-c would clamp it. */
static bool fits(const unsigned char *p, const unsigned char *end)
{
    bool negative = *p == '-';
    uint64_t v = 0;

    for (p += negative; p < end; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    return !negative || v <= (uint64_t)INT64_MAX + 1;
}

/* The grammar of RFC 8259 section 6; json-c takes leading zeros and lone points. */
static const char *scan_number(struct scan *scan)
{
    static const char bad[] = "a number is malformed";
    const unsigned char *start = scan->p;

    if (*scan->p == '-')
        scan->p++;
    if (scan->p < scan->end && *scan->p == '0')
        scan->p++;
    else if (!scan_digits(scan))
        return bad;
    if ((scan->p == scan->end || !strchr(".eE", *scan->p)) && !fits(start, scan->p))
        return "a number is out of range";
    if (scan->p < scan->end && *scan->p == '.') {
        scan->p++;
        if (!scan_digits(scan))
            return bad;
    }
    if (scan->p < scan->end && (*scan->p == 'e' || *scan->p == 'E')) {
        scan->p++;
        if (scan->p < scan->end && (*scan->p == '+' || *scan->p == '-'))
            scan->p++;
        if (!scan_digits(scan))
            return bad;
    }
    return scan->p < scan->end && (is_digit(*scan->p) || *scan->p == '.') ? bad : NULL;
}

static const char *scan_literal(struct scan *scan)
{
    static const char *const literals[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
        size_t n = strlen(literals[i]);

        if ((size_t)(scan->end - scan->p) >= n && memcmp(scan->p, literals[i], n) == 0) {
            scan->p += n;
            return NULL;
        }
    }
    return "neither a value nor a separator";
}

static const char *scan_token(struct scan *scan)
{
    int c = *scan->p;

    if (c == '-' || is_digit(c))
        return scan_number(scan);
    if (c == '"') {
        scan->p++;
        return scan_string(scan);
    }
    if (c == ':') {
        scan->colons++;
        scan->p++;
        return scan->nul ? "a member name contains NUL" : NULL;
    }
    if (c == '\0' || !strchr(" \t\r\n{}[],", c))
        return scan_literal(scan);
    scan->p++;
    if (c == '{' || c == '[')
        return ++scan->depth > JSON_DEPTH_MAX ? "nested too deeply" : NULL;
    if ((c == '}' || c == ']') && scan->depth-- == 0)
        return "a bracket closes nothing";
    return NULL;
}

static const char *scan_text(const char *text, size_t len, size_t *colons)
{
    struct scan scan = {.p = (const unsigned char *)text};
    const char *wrong = utf8_valid(text, len) ? NULL : "not valid UTF-8";

    scan.end = scan.p + len;
    while (!wrong && scan.p < scan.end)
        wrong = scan_token(&scan);
    *colons = scan.colons;
    return wrong;
}

/* ---- json-c objects to nodes ---------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    const char *why;
    size_t members;
};

/* Room for a node and `len` bytes, keeping a quarter of the arena for whoever reads the tree. */
static bool has_room(struct reading *reading, size_t len)
{
    const struct arena *arena = reading->arena;

    if (len < arena->limit && arena->used + len + 2 * sizeof(struct node) < arena->limit / 4 * 3)
        return true;
    reading->why = "too many or too large values";
    return false;
}

static struct node *convert(struct reading *reading, struct json_object *value);

static struct node *convert_children(struct reading *reading, struct json_object *value)
{
    bool object = json_object_is_type(value, json_type_object);
    struct node *node = node_new(reading->arena, object ? NODE_OBJECT : NODE_ARRAY);
    struct node *child;

    if (!object) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            child = convert(reading, json_object_array_get_idx(value, i));
            if (!child)
                return NULL;
            node_append(node, child);
        }
        return node;
    }
    for (struct lh_entry *e = json_object_get_object(value)->head; e; e = e->next) {
        const char *name = lh_entry_k(e);

        reading->members++;
        child = has_room(reading, strlen(name)) ? convert(reading, lh_entry_v(e)) : NULL;
        if (!child)
            return NULL;
        child->key = arena_strdup(reading->arena, name);
        node_append(node, child);
    }
    return node;
}

static struct node *convert_number(struct reading *reading, struct json_object *value)
{
    bool fraction = json_object_is_type(value, json_type_double);
    struct node *node = node_new(reading->arena, fraction ? NODE_DOUBLE : NODE_INT);
    size_t len;
    const char *text = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &len);

    if (!has_room(reading, len))
        return NULL;
    node->text = arena_strndup(reading->arena, text, len);
    node->len = len;
    node->number = json_object_get_double(value);
    if (!fraction)
        node->integer = json_object_get_int64(value);
    if (isfinite(node->number))
        return node;
    reading->why = "a number is out of range";
    return NULL;
}

static struct node *convert(struct reading *reading, struct json_object *value)
{
    struct node *node;
    size_t len;

    if (!has_room(reading, 0))
        return NULL;
    switch (json_object_get_type(value)) {
    case json_type_null: return node_new(reading->arena, NODE_NULL);
    case json_type_boolean:
        node = node_new(reading->arena, NODE_BOOL);
        node->boolean = json_object_get_boolean(value);
        return node;
    case json_type_double:
    case json_type_int: return convert_number(reading, value);
    case json_type_string:
        len = (size_t)json_object_get_string_len(value);
        if (!has_room(reading, len))
            return NULL;
        node = node_new(reading->arena, NODE_STRING);
        node->text = arena_strndup(reading->arena, json_object_get_string(value), len);
        node->len = len;
        return node;
    case json_type_object:
    case json_type_array: break;
    }
    return convert_children(reading, value);
}

/* Lets json-c parse the whole text; NULL with *why. A JSON null is a NULL object as well, so the
 * verdict is *why. */
static struct json_object *parse(struct json_tokener *tokener, const char *text, size_t len,
                                 const char **why)
{
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)len);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);

    if (error == json_tokener_continue) { /* a number at the end wants to see that it ends */
        value = json_tokener_parse_ex(tokener, "", 1);
        error = json_tokener_get_error(tokener);
        end = len;
    }
    if (error == json_tokener_continue)
        *why = "the text ends too early";
    else if (error != json_tokener_success)
        *why = json_tokener_error_desc(error);
    while (end < len && strchr(" \t\r\n", text[end]))
        end++;
    if (!*why && end < len)
        *why = "bytes follow the value";
    return value;
}

enum err json_read(const char *text, size_t len, struct arena *arena, const struct node **root,
                   const char **why)
{
    struct json_tokener *tokener;
    struct json_object *value;
    struct reading reading = {.arena = arena};
    size_t colons;

    *root = NULL;
    *why = len == 0 ? "the text is empty" : len > INT_MAX / 2 ? "the text is too large" : NULL;
    if (!*why)
        *why = scan_text(text, len, &colons);
    if (*why)
        return ERR_MALFORMED;
    tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
    if (!tokener)
        return ERR_LIMIT;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    value = parse(tokener, text, len, why);
    if (!*why) {
        *root = convert(&reading, value);
        *why = reading.why;
    }
    if (!*why && reading.members != colons)
        *why = "a member name occurs twice in one object";
    json_object_put(value);
    json_tokener_free(tokener);
    if (*why)
        *root = NULL;
    return *why ? ERR_MALFORMED : OK;
}
