/* yaml.c - libyaml's events to nodes. */
#include "core/yaml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reading {
    yaml_parser_t parser;
    struct arena *arena;
    int line;
    const char *why;
};

static struct node *wrong(struct reading *reading, const yaml_event_t *event, const char *why)
{
    if (!reading->why) {
        reading->why = why;
        reading->line = (int)event->start_mark.line + 1;
    }
    return NULL;
}

/* The next event; false with the parser's own complaint. */
static bool next(struct reading *reading, yaml_event_t *event)
{
    if (yaml_parser_parse(&reading->parser, event))
        return true;
    reading->line = (int)reading->parser.problem_mark.line + 1;
    reading->why = arena_strdup(reading->arena, reading->parser.problem ? reading->parser.problem
                                                                        : "cannot be read");
    memset(event, 0, sizeof(*event));
    return false;
}

/* ---- scalars -------------------------------------------------------------------------------- */

struct text {
    char *p;
    size_t n, room;
};

static bool append(struct text *text, const char *from, size_t n)
{
    if (n > text->room - text->n)
        return false;
    memcpy(text->p + text->n, from, n);
    text->n += n;
    return true;
}

/* "NAME" or "NAME:-default" between the braces. NULL if good, else what is wrong. */
static const char *expand_one(struct reading *reading, const char *inside, size_t len,
                              struct text *out)
{
    size_t name_len = strspn(inside, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789_");
    bool has_default = name_len + 2 <= len && memcmp(inside + name_len, ":-", 2) == 0;
    const char *name, *value;

    if (name_len == 0 || (name_len != len && !has_default))
        return "a variable must be ${NAME} or ${NAME:-default}";
    name = arena_strndup(reading->arena, inside, name_len);
    value = getenv(name);
    if ((!value || !*value) && has_default)
        return append(out, inside + name_len + 2, len - name_len - 2) ? NULL : "is too long";
    if (!value)
        return arena_printf(reading->arena,
                            "the variable %s is not set; give a default as in ${%s:-value}", name,
                            name);
    return append(out, value, strlen(value)) ? NULL : "is too long";
}

/* NOLINTNEXTLINE(readability-function-cognitive-complexity): 26; three forms side by side */
static const char *expand(struct reading *reading, const char *p, size_t len, struct text *out)
{
    const char *end = p + len;

    while (p < end) {
        const char *dollar = memchr(p, '$', (size_t)(end - p)), *close, *bad;

        dollar = dollar ? dollar : end;
        if (!append(out, p, (size_t)(dollar - p)))
            return "is too long";
        p = dollar;
        if (end - p >= 3 && memcmp(p, "$${", 3) == 0) {
            bad = append(out, "${", 2) ? NULL : "is too long";
            p += 3;
        } else if (end - p >= 2 && p[1] == '{') {
            close = memchr(p, '}', (size_t)(end - p));
            bad = close ? expand_one(reading, p + 2, (size_t)(close - p - 2), out)
                        : "a variable must be ${NAME} or ${NAME:-default}";
            p = close ? close + 1 : end;
        } else {
            bad = p < end && !append(out, p, 1) ? "is too long" : NULL;
            p += p < end;
        }
        if (bad)
            return bad;
    }
    return NULL;
}

static struct node *read_scalar(struct reading *reading, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    struct text text = {.room = len};
    struct node *node;
    const char *bad;

    if (event->data.scalar.anchor || event->data.scalar.tag)
        return wrong(reading, event, "anchors and tags are not allowed");
    if (len == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return node_new(reading->arena, NODE_NULL);
    if (memmem(value, len, "${", 2))
        text.room += 4096;
    text.p = arena_alloc(reading->arena, text.room + 1);
    bad = expand(reading, value, len, &text);
    if (bad)
        return wrong(reading, event, bad);
    node = node_new(reading->arena, NODE_SCALAR);
    node->text = text.p;
    node->len = text.n;
    return node;
}

/* ---- containers ----------------------------------------------------------------------------- */

static struct node *read_node(struct reading *reading, const yaml_event_t *event, int depth);

static const char *check_key(const struct node *map, const yaml_event_t *event, struct arena *arena)
{
    const char *name = (const char *)event->data.scalar.value;

    if (event->type != YAML_SCALAR_EVENT)
        return "a key must be a scalar";
    if (event->data.scalar.anchor || event->data.scalar.tag)
        return "anchors and tags are not allowed";
    if (event->data.scalar.length == 0 || strlen(name) != event->data.scalar.length)
        return "a key must not be empty";
    return node_get(map, name) ? arena_printf(arena, "the key %.64s occurs twice", name) : NULL;
}

/* One key and its value; true to go on. */
static bool read_pair(struct reading *reading, struct node *map, const yaml_event_t *key, int depth)
{
    const char *bad = check_key(map, key, reading->arena);
    yaml_event_t event;
    struct node *value;

    if (bad) {
        (void)wrong(reading, key, bad);
        return false;
    }
    if (!next(reading, &event))
        return false;
    value = read_node(reading, &event, depth);
    yaml_event_delete(&event);
    if (!value)
        return false;
    value->key = arena_strdup(reading->arena, (const char *)key->data.scalar.value);
    value->line = (int)key->start_mark.line + 1;
    node_append(map, value);
    return true;
}

static bool read_element(struct reading *reading, struct node *list, const yaml_event_t *event,
                         int depth)
{
    struct node *element = read_node(reading, event, depth);

    if (element)
        node_append(list, element);
    return element != NULL;
}

static struct node *read_children(struct reading *reading, enum node_kind kind, int line, int depth)
{
    struct node *node = node_new(reading->arena, kind);
    yaml_event_t event;
    bool more = true;

    node->line = line;
    while (more) {
        if (!next(reading, &event))
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return node;
        }
        if (node->count == YAML_KEYS_MAX) {
            (void)wrong(reading, &event, "too many entries");
            more = false;
        } else if (kind == NODE_OBJECT) {
            more = read_pair(reading, node, &event, depth);
        } else {
            more = read_element(reading, node, &event, depth);
        }
        yaml_event_delete(&event);
    }
    return NULL;
}

static struct node *read_node(struct reading *reading, const yaml_event_t *event, int depth)
{
    const struct arena *arena = reading->arena;
    int line = (int)event->start_mark.line + 1;
    bool map = event->type == YAML_MAPPING_START_EVENT;
    struct node *node;

    if (event->type == YAML_ALIAS_EVENT)
        return wrong(reading, event, "aliases are not allowed");
    if (arena->used + 8192 > arena->limit / 4 * 3)
        return wrong(reading, event, "the document is too large");
    if (event->type == YAML_SCALAR_EVENT) {
        node = read_scalar(reading, event);
        if (node)
            node->line = line;
        return node;
    }
    if (map ? event->data.mapping_start.anchor || event->data.mapping_start.tag
            : event->data.sequence_start.anchor || event->data.sequence_start.tag)
        return wrong(reading, event, "anchors and tags are not allowed");
    if (depth >= YAML_DEPTH_MAX)
        return wrong(reading, event, "nested too deeply");
    return read_children(reading, map ? NODE_OBJECT : NODE_ARRAY, line, depth + 1);
}

/* ---- the document --------------------------------------------------------------------------- */

/* STREAM-START, then either STREAM-END or DOCUMENT-START, a node, DOCUMENT-END, STREAM-END. */
static struct node *read_stream(struct reading *reading)
{
    struct node *root = node_new(reading->arena, NODE_NULL);
    yaml_event_t event;
    bool done = false;
    int documents = 0;

    while (!done) {
        if (!next(reading, &event))
            return NULL;
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT: break;
        case YAML_DOCUMENT_START_EVENT:
            if (documents++ || event.data.document_start.version_directive ||
                event.data.document_start.tag_directives.start !=
                    event.data.document_start.tag_directives.end)
                root = wrong(reading, &event, "one document without directives is expected");
            break;
        case YAML_STREAM_END_EVENT: done = true; break;
        default: root = read_node(reading, &event, 0); break;
        }
        yaml_event_delete(&event);
        done = done || !root;
    }
    return root;
}

enum err yaml_read(const char *text, size_t len, struct arena *arena, const struct node **root,
                   int *line, const char **why)
{
    struct reading reading = {.arena = arena};

    *root = NULL;
    *line = 0;
    *why = NULL;
    if (len > YAML_SIZE_MAX || len > arena->limit / 4) {
        *why = "the document is too large";
        return ERR_MALFORMED;
    }
    if (!yaml_parser_initialize(&reading.parser))
        return ERR_LIMIT;
    yaml_parser_set_input_string(&reading.parser, (const unsigned char *)text, len);
    *root = read_stream(&reading);
    yaml_parser_delete(&reading.parser);
    *line = reading.line;
    *why = reading.why;
    if (*why)
        *root = NULL;
    return *why ? ERR_MALFORMED : OK;
}
