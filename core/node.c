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
