/*
 * field_peer.c - what another operator's server may do differently, brought to one form before the
 * kinds read it; and wiping what it sent.
 */
#include "core/field_priv.h"

#include <string.h>

const struct field *field_find_peer(const struct field *table, const char *name)
{
    const struct field *row = field_find(table, name);

    for (; !row && table->kind != F_END; table++) {
        for (const char *const *also = table->also; also && *also; also++) {
            if (strcmp(*also, name) == 0)
                row = table;
        }
    }
    return row;
}

static bool is_hex(const struct field *field)
{
    return field->kind == F_HEX || field->kind == F_EUI || field->kind == F_ADDR ||
           field->kind == F_NETID || field->kind == F_HEXBLOB;
}

bool field_peer_value(const struct field *field, struct node *value)
{
    if (value->kind == NODE_STRING && is_hex(field)) {
        if (value->len >= 2 && value->text[0] == '0' && (value->text[1] | 0x20) == 'x') {
            value->text += 2;
            value->len -= 2;
        }
        return value->len > 0 || (field->flags & F_EMPTY);
    }
    if (value->kind == NODE_STRING && (field->flags & F_OR_TEXT))
        value->kind = NODE_SCALAR;
    return value->kind != NODE_NULL;
}

/* ---- wiping ---------------------------------------------------------------------------------- */

/* Written so that a compiler does not leave it out. */
void field_wipe_octets(void *p, size_t n)
{
    memset(p, 0, n);
    __asm__ volatile("" : : "r"(p) : "memory");
}

static void wipe_secret(const struct field *field, void *at)
{
    if (field->kind == F_HEXBLOB || field->kind == F_BLOB) {
        struct bytes *blob = at;

        if (blob->n)
            field_wipe_octets((uint8_t *)(uintptr_t)blob->p, blob->n);
    }
    field_wipe_octets(at, field_size(field));
}

static void wipe_elements(const struct field *field, const struct array *array)
{
    for (size_t i = 0; i < array->n; i++)
        field_wipe(field->sub, (char *)array->p + i * field->size);
}

void field_wipe_at(const struct field *field, void *at)
{
    if (field->flags & F_SECRET)
        wipe_secret(field, at);
    else if (field->kind == F_OBJ)
        field_wipe(field->sub, at);
    else if (field->kind == F_ARR && field->elem == F_OBJ)
        wipe_elements(field, at);
}

void field_wipe(const struct field *table, void *object)
{
    for (; table->kind != F_END; table++)
        field_wipe_at(table, (char *)object + table->offset);
}
