/*
 * yaml.h - a small YAML: one document of mappings, sequences and scalars, to a node tree.
 *
 * Anchors, aliases, tags, duplicate keys, several documents are mistakes. A scalar stays text
 * (NODE_SCALAR), since the key's type decides how it is read; one that is plain and empty is
 * NODE_NULL ("key:" with nothing behind). `${VAR}` and `${VAR:-default}` expand inside scalars from
 * the environment, `$${` stands for `${`; an unset or empty variable takes the default, an unset
 * one without default is a mistake. Only core/yaml.c knows libyaml.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/node.h"

#define YAML_SIZE_MAX  (1u << 20)
#define YAML_DEPTH_MAX 16
#define YAML_KEYS_MAX  1000 /* of one mapping, and elements of one sequence */

/* Everything lives in `arena`. An empty document gives NODE_NULL. Otherwise ERR_MALFORMED with the
 * line (1-based) and what is wrong. A member's line is that of its key. */
enum err yaml_read(const char *text, size_t len, struct arena *arena, const struct node **root,
                   int *line, const char **why) MUST_CHECK;
