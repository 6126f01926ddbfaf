/* field.c - members by kind: sizes, defaults, comparison; the list of mistakes. */
#include "core/field.h"

#include "core/field_priv.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void field_errors_init(struct field_errors *errors, struct arena *arena)
{
    errors->arena = arena;
    errors->n = 0;
}

void field_error_add(struct field_errors *errors, const char *where, int line, const char *what,
                     ...)
{
    char text[1024];
    va_list args;

    if (errors->n == sizeof(errors->at) / sizeof(errors->at[0]))
        return;
    va_start(args, what);
    (void)vsnprintf(text, sizeof(text), what, args);
    va_end(args);
    errors->at[errors->n++] = (struct field_error){
        .where = arena_strdup(errors->arena, where),
        .what = arena_strdup(errors->arena, text),
        .line = line,
    };
}

const struct field *field_find(const struct field *table, const char *name)
{
    for (; table->kind != F_END; table++) {
        /* Few rows begin alike: most calls are saved. */
        if (*table->name == *name && strcmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

/* clang-format off */
static const size_t sizes[] = {
    [F_BOOL] = sizeof(bool), [F_U8] = 1, [F_U16] = 2, [F_U32] = 4, [F_U64] = 8, [F_I32] = 4,
    [F_I64] = 8, [F_DOUBLE] = sizeof(double), [F_STR] = sizeof(char *), [F_EUI] = 8, [F_ADDR] = 4,
    [F_NETID] = 4, [F_BLOB] = sizeof(struct bytes), [F_HEXBLOB] = sizeof(struct bytes),
    [F_ENUM] = 1, [F_TIME] = 8, [F_UUID] = 16, [F_TAGS] = sizeof(struct tags),
    [F_ARR] = sizeof(struct array), [F_RAW] = sizeof(struct node *), [F_MHZ] = 4, [F_HAS] = 8,
};
/* clang-format on */

size_t field_size(const struct field *field)
{
    size_t size = 0;

    if (field->kind == F_HEX)
        return field->size;
    if (field->kind != F_OBJ)
        return sizes[field->kind];
    for (const struct field *row = field->sub; row->kind != F_END; row++) {
        size_t end = row->offset + field_size(row);

        size = end > size ? end : size;
    }
    return size;
}

struct field field_element(const struct field *array)
{
    struct field element = *array;

    element.kind = array->elem;
    element.flags = array->flags & (F_SECRET | F_SHORT);
    element.offset = 0;
    element.size = array->elem == F_HEX ? array->size : 0;
    element.def = NULL;
    element.check = NULL;
    assert(array->elem == F_OBJ || array->size == field_size(&element));
    return element;
}

/* ---- defaults ------------------------------------------------------------------------------- */

void field_default_at(const struct field *field, void *at, struct arena *arena)
{
    struct field plain = *field;
    enum err err;

    if (field->kind == F_OBJ) {
        field_defaults(field->sub, at, arena);
        return;
    }
    memset(at, 0, field_size(field));
    if (!field->def)
        return;
    if (field->kind == F_STR) {
        *(const char **)at = field->def; /* as lasting as any arena */
        return;
    }
    plain.offset = 0;
    plain.check = NULL;
    err = field_read_text(&plain, at, field->def, arena);
    assert(err == OK);
    (void)err;
}

void field_set_default(const struct field *field, void *object, struct arena *arena)
{
    field_default_at(field, (char *)object + field->offset, arena);
}

void field_defaults(const struct field *table, void *object, struct arena *arena)
{
    for (; table->kind != F_END; table++)
        field_set_default(table, object, arena);
}

static bool all_zero(const void *at, size_t n)
{
    const unsigned char *p = at;

    while (n > 0 && *p == 0) {
        p++;
        n--;
    }
    return n == 0;
}

static bool object_is_default(const struct field *table, const void *object)
{
    for (; table->kind != F_END; table++) {
        if (!field_is_default(table, object))
            return false;
    }
    return true;
}

bool field_is_zero(const struct field *field, const void *at)
{
    switch (field->kind) {
    case F_STR: {
        const char *s = *(const char *const *)at;

        return !s || !*s;
    }
    case F_BLOB:
    case F_HEXBLOB: return ((const struct bytes *)at)->n == 0;
    case F_TAGS: return ((const struct tags *)at)->n == 0;
    case F_ARR: return ((const struct array *)at)->n == 0;
    case F_DOUBLE: return *(const double *)at == 0;
    case F_OBJ: return object_is_default(field->sub, at);
    default: return all_zero(at, field_size(field));
    }
}

bool field_is_default_at(const struct field *field, const void *at)
{
    struct arena arena;
    void *def;
    bool same;

    if (field->kind == F_OBJ || !field->def)
        return field_is_zero(field, at);
    arena_init(&arena, ARENA_JOB_LIMIT);
    def = arena_alloc(&arena, field_size(field));
    field_default_at(field, def, &arena);
    same = field_equal(field, at, def);
    arena_reset(&arena);
    return same;
}

bool field_is_default(const struct field *field, const void *object)
{
    return field_is_default_at(field, (const char *)object + field->offset);
}

/* ---- deep copy ------------------------------------------------------------------------------ */

static void copy_tags(struct tags *to, struct arena *arena)
{
    struct tag *tags = arena_array(arena, struct tag, to->n);

    for (size_t i = 0; i < to->n; i++)
        tags[i] =
            (struct tag){arena_strdup(arena, to->p[i].key), arena_strdup(arena, to->p[i].value)};
    to->p = tags;
}

static void copy_array(const struct field *field, struct array *to, struct arena *arena)
{
    struct field element = field_element(field);

    to->p = arena_memdup(arena, to->p, to->n * field->size);
    for (size_t i = 0; i < to->n; i++)
        field_own(&element, (char *)to->p + i * field->size, arena);
}

/* What a member points to becomes its own. */
void field_own(const struct field *field, void *at, struct arena *arena)
{
    switch (field->kind) {
    case F_STR: *(const char **)at = arena_strdup(arena, *(const char **)at); break;
    case F_BLOB:
    case F_HEXBLOB: {
        struct bytes *blob = at;

        blob->p = arena_memdup(arena, blob->p, blob->n);
        break;
    }
    case F_TAGS: copy_tags(at, arena); break;
    case F_ARR: copy_array(field, at, arena); break;
    case F_RAW: {
        const struct node **node = at;

        *node = *node ? node_copy(arena, *node) : NULL;
        break;
    }
    case F_OBJ: field_own_all(field->sub, at, arena); break;
    default: break; /* has no pointers */
    }
}

void field_own_all(const struct field *table, void *object, struct arena *arena)
{
    for (; table->kind != F_END; table++)
        field_own(table, (char *)object + table->offset, arena);
}

/* ---- comparison ----------------------------------------------------------------------------- */

static bool strings_equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool tags_equal(const struct tags *a, const struct tags *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        size_t j = 0;

        while (j < b->n && strcmp(a->p[i].key, b->p[j].key) != 0)
            j++;
        if (j == b->n || !strings_equal(a->p[i].value, b->p[j].value))
            return false;
    }
    return true;
}

static bool arrays_equal(const struct field *field, const struct array *a, const struct array *b)
{
    struct field element = field_element(field);

    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (!field_equal(&element, (const char *)a->p + i * field->size,
                         (const char *)b->p + i * field->size))
            return false;
    }
    return true;
}

bool field_equal_all(const struct field *table, const void *a, const void *b)
{
    for (; table->kind != F_END; table++) {
        if (!field_equal(table, (const char *)a + table->offset, (const char *)b + table->offset))
            return false;
    }
    return true;
}

static bool nodes_equal(const struct node *a, const struct node *b)
{
    const struct node *x, *y;

    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->boolean != b->boolean || a->count != b->count || a->len != b->len)
        return false;
    if (a->len && memcmp(a->text, b->text, a->len) != 0)
        return false;
    x = a->child;
    y = b->child;
    while (x && y) {
        if (!strings_equal(x->key, y->key) || !nodes_equal(x, y))
            return false;
        x = x->next;
        y = y->next;
    }
    return true;
}

bool field_equal(const struct field *field, const void *a, const void *b)
{
    switch (field->kind) {
    case F_STR: return strings_equal(*(const char *const *)a, *(const char *const *)b);
    case F_BLOB:
    case F_HEXBLOB: return bytes_equal(*(const struct bytes *)a, *(const struct bytes *)b);
    case F_TAGS: return tags_equal(a, b);
    case F_ARR: return arrays_equal(field, a, b);
    case F_OBJ: return field_equal_all(field->sub, a, b);
    case F_DOUBLE: return *(const double *)a == *(const double *)b;
    case F_RAW: return nodes_equal(*(const struct node *const *)a, *(const struct node *const *)b);
    default: return memcmp(a, b, field_size(field)) == 0;
    }
}
