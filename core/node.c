/* node.c - the input tree. */
#include "core/node.h"

#include <string.h>

const struct node *node_get(const struct node *object, const char *key)
{
    if (!object || object->kind != NODE_OBJECT)
        return NULL;
    for (const struct node *member = object->child; member; member = member->next) {
        if (strcmp(member->key, key) == 0)
            return member;
    }
    return NULL;
}

struct node *node_new(struct arena *arena, enum node_kind kind)
{
    struct node *node = arena_new(arena, struct node);

    node->kind = kind;
    return node;
}

void node_append(struct node *parent, struct node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
    parent->count++;
}

struct node *node_copy(struct arena *arena, const struct node *node)
{
    struct node *copy = node_new(arena, node->kind);

    *copy = *node;
    copy->next = copy->child = copy->last = NULL;
    copy->count = 0;
    copy->text = node->text ? arena_strndup(arena, node->text, node->len) : NULL;
    copy->key = arena_strdup(arena, node->key);
    for (const struct node *child = node->child; child; child = child->next)
        node_append(copy, node_copy(arena, child));
    return copy;
}
