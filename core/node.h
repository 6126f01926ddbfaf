/*
 * node.h - one tree for what came in as JSON or YAML, before a field table reads it.
 *
 * Both readers (core/json, core/yaml) build it in an arena; it is read only afterwards. A YAML
 * scalar keeps its text as NODE_SCALAR, because the key's type decides how it is read; JSON values
 * carry their type. Positions are for messages.
 */
#pragma once

#include "core/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_kind {
    NODE_NULL,
    NODE_BOOL,
    NODE_INT, /* fits int64_t; `text` as well for what does not (uint64_t) */
    NODE_DOUBLE,
    NODE_STRING,
    NODE_SCALAR, /* YAML: text of undecided type */
    NODE_OBJECT,
    NODE_ARRAY,
};

struct node {
    enum node_kind kind;
    int line; /* 1-based; 0 if unknown (JSON) */
    bool boolean;
    int64_t integer;
    double number;
    const char *text;   /* NUL-terminated; for strings, scalars and numbers */
    size_t len;         /* of text, which may contain NUL for JSON strings */
    const char *key;    /* name within the parent object, else NULL */
    struct node *next;  /* next sibling */
    struct node *child; /* first member or element */
    struct node *last;  /* last member or element, for appending */
    size_t count;
};

/* A member of an object, NULL if absent or if `object` is NULL or no object. */
const struct node *node_get(const struct node *object, const char *key);

struct node *node_new(struct arena *arena, enum node_kind kind);
void node_append(struct node *parent, struct node *child);
/* A deep copy, without siblings. */
struct node *node_copy(struct arena *arena, const struct node *node);
