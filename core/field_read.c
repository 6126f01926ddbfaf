/*
 * field_read.c - from a node tree into an object.
 *
 * The reader goes through the members that came, finds the row of each, and notes which rows were
 * met; what is required and was not met is a mistake at the end. It never stops at a mistake.
 */
#include "core/field_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ROWS_MAX 128

struct reader {
    enum field_mode mode;
    struct arena *arena;
    struct field_errors *errors;
    bool failed;
};

/* Where we are, from the inside out; turned into text only for a mistake. */
struct place {
    const struct place *up;
    const char *name; /* NULL: an element */
    size_t index;
};

static size_t place_text(const struct place *place, char *to, size_t room)
{
    size_t n = place->up ? place_text(place->up, to, room) : 0;
    int more;

    if (n + 1 >= room)
        return n;
    if (!place->name)
        more = snprintf(to + n, room - n, "[%zu]", place->index);
    else
        more = snprintf(to + n, room - n, "%s%.64s", n ? "." : "", place->name);
    return n + (size_t)more < room ? n + (size_t)more : room - 1;
}

__attribute__((format(printf, 4, 5))) static void
fail(struct reader *reader, const struct place *place, int line, const char *what, ...)
{
    char where[256] = "", text[1024];
    va_list args;

    reader->failed = true;
    if (!reader->errors)
        return;
    va_start(args, what);
    (void)vsnprintf(text, sizeof(text), what, args);
    va_end(args);
    if (place)
        (void)place_text(place, where, sizeof(where));
    field_error_add(reader->errors, where, line, "%s", text);
}

static void read_object(struct reader *reader, const struct field *table, void *object,
                        const struct node *node, const struct place *place, uint64_t *present);
static void read_value(struct reader *reader, const struct field *field, void *at,
                       const struct node *node, const struct place *place);
static void read_row_member(struct reader *reader, const struct field *field, void *at,
                            const struct node *node, const struct place *place);

static void fail_kind(struct reader *reader, const struct field *field, const struct node *node,
                      const struct place *place)
{
    struct arena arena;

    arena_init(&arena, ARENA_JOB_LIMIT);
    fail(reader, place, node->line, "must be %s", field_expects(field, &arena));
    arena_reset(&arena);
}

/* ---- containers ----------------------------------------------------------------------------- */

static bool is_single(const struct node *node)
{
    return node->kind != NODE_OBJECT && node->kind != NODE_ARRAY && node->kind != NODE_NULL;
}

static void read_sub(struct reader *reader, const struct field *field, void *at,
                     const struct node *node, const struct place *place)
{
    struct node whole = {.kind = NODE_OBJECT, .line = node->line, .count = 1}, first = *node;

    if (is_single(node) && (field->flags & F_SHORT)) {
        first.key = field->sub[0].name;
        first.next = NULL;
        whole.child = whole.last = &first;
        node = &whole;
    }
    if (node->kind == NODE_OBJECT)
        read_object(reader, field->sub, at, node, place, NULL);
    else
        fail_kind(reader, field, node, place);
}

static void read_array(struct reader *reader, const struct field *field, struct array *at,
                       const struct node *node, const struct place *place)
{
    struct field element = field_element(field);
    size_t most = field->most ? field->most : 64, i = 0;
    struct reader inner = *reader;
    struct array fresh;

    if (node->kind != NODE_ARRAY) {
        fail_kind(reader, field, node, place);
        return;
    }
    if (node->count > most) {
        fail(reader, place, node->line, "must have at most %zu elements", most);
        return;
    }
    inner.failed = false;
    /* An array is replaced as a whole, so its elements are read as new ones. */
    if (inner.mode == FIELD_MERGE || inner.mode == FIELD_REPLACE)
        inner.mode = FIELD_CREATE;
    fresh = (struct array){arena_alloc(reader->arena, node->count * field->size), node->count};
    for (const struct node *child = node->child; child; child = child->next, i++) {
        struct place here = {.up = place, .index = i};
        void *to = (char *)fresh.p + i * field->size;

        field_default_at(&element, to, reader->arena);
        if (inner.mode == FIELD_ROW)
            read_row_member(&inner, &element, to, child, &here);
        else
            read_value(&inner, &element, to, child, &here);
    }
    /* A list with a bad element is left empty, so that rules that look at it meet no half value. */
    if (inner.failed) {
        field_wipe_at(field, &fresh);
        fresh.n = 0;
    }
    reader->failed = reader->failed || inner.failed;
    *at = fresh;
}

static void drop_tag(struct tags *tags, const char *key)
{
    size_t kept = 0;

    for (size_t i = 0; i < tags->n; i++) {
        if (strcmp(tags->p[i].key, key) != 0)
            tags->p[kept++] = tags->p[i];
    }
    tags->n = kept;
}

static void read_tag(struct reader *reader, const struct field *field, struct tags *tags,
                     const struct node *node, const struct place *place)
{
    struct place here = {.up = place, .name = node->key};
    struct field value = {.kind = F_STR, .size = field->size};
    const char *text = NULL;

    if (!*node->key || strlen(node->key) > 128) {
        fail(reader, &here, node->line, "must have a name of 1 to 128 bytes");
        return;
    }
    if (node->kind == NODE_NULL && reader->mode == FIELD_MERGE) {
        drop_tag(tags, node->key);
        return;
    }
    if (!field_read_scalar(&value, &text, node, reader->arena)) {
        fail_kind(reader, &value, node, &here);
        return;
    }
    for (size_t i = 0; i < tags->n; i++) {
        if (strcmp(tags->p[i].key, node->key) == 0) {
            tags->p[i].value = text;
            return;
        }
    }
    tags->p[tags->n++] = (struct tag){arena_strdup(reader->arena, node->key), text};
}

static void read_tags(struct reader *reader, const struct field *field, struct tags *at,
                      const struct node *node, const struct place *place)
{
    size_t most = field->most ? field->most : 64;
    size_t old = reader->mode == FIELD_MERGE ? at->n : 0;
    struct tags fresh = {.n = old};

    if (node->kind != NODE_OBJECT) {
        fail_kind(reader, field, node, place);
        return;
    }
    if (node->count > old + most + most) {
        fail(reader, place, node->line, "must have at most %zu members", most);
        return;
    }
    fresh.p = arena_array(reader->arena, struct tag, old + node->count);
    for (size_t i = 0; i < old; i++)
        fresh.p[i] = at->p[i];
    for (const struct node *child = node->child; child; child = child->next)
        read_tag(reader, field, &fresh, child, place);
    if (fresh.n > most)
        fail(reader, place, node->line, "must have at most %zu members", most);
    *at = fresh;
}

/* ---- one value ------------------------------------------------------------------------------ */

static void read_scalar(struct reader *reader, const struct field *field, void *at,
                        const struct node *node, const struct place *place)
{
    const char *wrong = NULL;

    if (!field_read_scalar(field, at, node, reader->arena)) {
        fail_kind(reader, field, node, place);
        return;
    }
    if (reader->mode == FIELD_ROW)
        return;
    if (field->kind == F_STR && (field->flags & F_REQ) && node->len == 0)
        wrong = "must not be empty";
    else if (field->check)
        wrong = field->check(at);
    if (wrong)
        fail(reader, place, node->line, "%s", wrong);
}

static void read_value(struct reader *reader, const struct field *field, void *at,
                       const struct node *node, const struct place *place)
{
    bool failed = reader->failed;
    const char *wrong;

    switch (field->kind) {
    case F_OBJ: read_sub(reader, field, at, node, place); break;
    case F_ARR: read_array(reader, field, at, node, place); break;
    case F_TAGS: read_tags(reader, field, at, node, place); break;
    case F_RAW: *(const struct node **)at = node_copy(reader->arena, node); break;
    default: read_scalar(reader, field, at, node, place); return;
    }
    if (!field->check || failed || reader->failed || reader->mode == FIELD_ROW)
        return;
    wrong = field->check(at);
    if (wrong)
        fail(reader, place, node->line, "%s", wrong);
}

/* ---- flags ---------------------------------------------------------------------------------- */

static bool is_kind(const struct field *field, const struct node *node)
{
    switch (node->kind) {
    case NODE_NULL: return true;
    case NODE_BOOL: return field->kind == F_BOOL || field->kind == F_RAW;
    case NODE_INT:
    case NODE_DOUBLE:
        return (field->kind >= F_U8 && field->kind <= F_DOUBLE) || field->kind == F_RAW;
    case NODE_OBJECT: return field->kind == F_OBJ || field->kind == F_TAGS || field->kind == F_RAW;
    case NODE_ARRAY: return field->kind == F_ARR || field->kind == F_RAW;
    case NODE_STRING:
    case NODE_SCALAR: break;
    }
    return (field->kind >= F_STR && field->kind <= F_UUID) || field->kind == F_RAW;
}

static bool is_empty(const struct node *node)
{
    return node->kind == NODE_NULL ||
           (node->count == 0 && (node->kind == NODE_OBJECT || node->kind == NODE_ARRAY)) ||
           (node->len == 0 && (node->kind == NODE_STRING || node->kind == NODE_SCALAR));
}

static void read_later(struct reader *reader, const struct field *field, const struct node *node,
                       const struct place *place)
{
    struct reader quiet = {.mode = FIELD_CREATE, .arena = reader->arena};
    void *scratch;

    if (is_empty(node))
        return;
    if (field->kind == F_OBJ && node->kind == NODE_OBJECT) {
        for (const struct node *child = node->child; child; child = child->next) {
            struct place here = {.up = place, .name = child->key};
            const struct field *row = field_find(field->sub, child->key);

            if (row)
                read_later(reader, row, child, &here);
            else
                fail(reader, &here, child->line, "is not known");
        }
        return;
    }
    scratch = arena_alloc(reader->arena, field_size(field));
    field_default_at(field, scratch, reader->arena);
    read_value(&quiet, field, scratch, node, place);
    if (quiet.failed || !field_is_default_at(field, scratch))
        fail(reader, place, node->line, "not in this version");
}

/* A member that may not change any more: what came must be what is there. */
static void read_fixed(struct reader *reader, const struct field *field, const void *at,
                       const struct node *node, const struct place *place)
{
    struct reader inner = *reader;
    void *scratch = arena_alloc(reader->arena, field_size(field));

    inner.mode = FIELD_CREATE;
    inner.failed = false;
    field_default_at(field, scratch, reader->arena);
    if (node->kind != NODE_NULL)
        read_value(&inner, field, scratch, node, place);
    if (inner.failed)
        reader->failed = true;
    else if (!field_equal(field, at, scratch))
        fail(reader, place, node->line, "cannot be changed");
}

/* Kinds whose absence has a print form (null), which a client may send back. */
static bool absence_is_null(const struct field *field)
{
    return field->kind == F_TIME || field->kind == F_UUID || field->kind == F_RAW;
}

static void read_null(struct reader *reader, const struct field *field, void *at,
                      const struct node *node, const struct place *place)
{
    bool allowed = reader->mode == FIELD_MERGE || absence_is_null(field);

    if (field->flags & F_NULLABLE || reader->mode == FIELD_CONFIG ||
        (allowed && !(field->flags & F_REQ)))
        field_default_at(field, at, reader->arena);
    else
        fail(reader, place, node->line, "must not be null");
}

/* What the store gives back was once accepted, or set by ourselves: only its kind matters. */
static void read_row_member(struct reader *reader, const struct field *field, void *at,
                            const struct node *node, const struct place *place)
{
    struct field loose = *field;

    loose.range.min = loose.range.max = 0;
    loose.most = SIZE_MAX / 4;
    if (field->kind == F_STR || field->kind == F_BLOB || field->kind == F_HEXBLOB ||
        field->kind == F_TAGS)
        loose.size = SIZE_MAX / 4;
    if (node->kind == NODE_NULL)
        memset(at, 0, field_size(field));
    else if (field->kind != F_ENUM || node->len > 0)
        read_value(reader, &loose, at, node, place);
    else
        *(uint8_t *)at = field_enum_gap(field);
}

/* Another server's member: false if it says nothing. */
static bool read_peer_member(struct reader *reader, const struct field *field, void *at,
                             const struct node *node, const struct place *place)
{
    struct node value = *node;
    struct reader inner = *reader;

    if (!field_peer_value(field, &value))
        return false;
    inner.failed = false;
    if (field->flags & F_LAX)
        inner.errors = NULL;
    read_value(&inner, field, at, &value, place);
    if (inner.failed) {
        field_wipe_at(field, at); /* nobody finds it any more */
        memset(at, 0, field_size(field));
    }
    reader->failed = reader->failed || (inner.failed && !(field->flags & F_LAX));
    return !inner.failed;
}

/* False if the member was only looked at. */
static bool read_member(struct reader *reader, const struct field *field, void *object,
                        const struct node *node, const struct place *place)
{
    bool changing = reader->mode == FIELD_MERGE || reader->mode == FIELD_REPLACE;
    void *at = (char *)object + field->offset;

    if (reader->mode == FIELD_ROW) {
        read_row_member(reader, field, at, node, place);
        return true;
    }
    if (reader->mode == FIELD_PEER)
        return read_peer_member(reader, field, at, node, place);
    if (field->flags & F_RO) {
        if (!is_kind(field, node))
            fail(reader, place, node->line, "is read only");
        return false;
    }
    if (field->flags & F_LATER)
        read_later(reader, field, node, place);
    else if (changing && (field->flags & F_FIXED))
        read_fixed(reader, field, at, node, place);
    else if (node->kind == NODE_NULL && field->kind != F_RAW)
        read_null(reader, field, at, node, place);
    else if (node->kind == NODE_NULL)
        *(const struct node **)at = NULL;
    else
        read_value(reader, field, at, node, place);
    return true;
}

/* ---- objects -------------------------------------------------------------------------------- */

/* What a PUT does not name goes back to its default, but not what the client cannot say again. */
static bool is_kept(const struct field *field)
{
    return (field->flags & (F_FIXED | F_RO | F_NO_REST | F_WO | F_KEY)) != 0;
}

static void reset_unkept(struct reader *reader, const struct field *table, void *object)
{
    for (; table->kind != F_END; table++) {
        void *at = (char *)object + table->offset;

        if (is_kept(table))
            continue;
        if (table->kind == F_OBJ)
            reset_unkept(reader, table->sub, at);
        else
            field_default_at(table, at, reader->arena);
    }
}

static void check_missing(struct reader *reader, const struct field *table, const bool *seen,
                          int line, const struct place *place)
{
    if (reader->mode == FIELD_MERGE || reader->mode == FIELD_ROW || reader->mode == FIELD_PEER)
        return;
    for (size_t i = 0; table[i].kind != F_END; i++) {
        struct place here = {.up = place, .name = table[i].name};

        if (!(table[i].flags & F_REQ) || (table[i].flags & (F_RO | F_NO_REST)) || seen[i])
            continue;
        if (reader->mode != FIELD_REPLACE || !is_kept(&table[i]))
            fail(reader, &here, line, "is missing");
    }
}

static bool is_readable(const struct reader *reader, const struct field *field)
{
    return field && !(field->flags & (reader->mode == FIELD_ROW ? F_NO_ROW : F_NO_REST));
}

/* Notes a row that was read, also in the object itself if its table has a place for that. */
static void note(const struct field *table, void *object, size_t row, uint64_t *present)
{
    if (row >= 64)
        return;
    if (present)
        *present |= UINT64_C(1) << row;
    if (table->kind == F_HAS)
        *(uint64_t *)(void *)((char *)object + table->offset) |= UINT64_C(1) << row;
}

static void read_object(struct reader *reader, const struct field *table, void *object,
                        const struct node *node, const struct place *place, uint64_t *present)
{
    bool seen[ROWS_MAX] = {false}, peer = reader->mode == FIELD_PEER;

    for (const struct node *child = node->child; child; child = child->next) {
        struct place here = {.up = place, .name = child->key};
        const struct field *field =
            peer ? field_find_peer(table, child->key) : field_find(table, child->key);
        size_t row;

        if (!is_readable(reader, field)) {
            if (reader->mode != FIELD_ROW && !peer)
                fail(reader, &here, child->line, "is not known");
            continue;
        }
        row = (size_t)(field - table);
        /* A peer may send one member under two names: the first that makes sense is taken. */
        if (peer && row < ROWS_MAX && seen[row])
            continue;
        if (!read_member(reader, field, object, child, &here))
            continue;
        if (row < ROWS_MAX)
            seen[row] = true;
        note(table, object, row, present);
    }
    check_missing(reader, table, seen, node->line, place);
}

/* NOLINTNEXTLINE(readability-function-size): a seventh parameter */
enum err field_read(const struct field *table, void *object, const struct node *node,
                    enum field_mode mode, struct arena *arena, struct field_errors *errors,
                    uint64_t *present)
{
    struct reader reader = {.mode = mode, .arena = arena, .errors = errors};

    if (present)
        *present = 0;
    if (mode != FIELD_REPLACE && mode != FIELD_MERGE)
        field_defaults(table, object, arena);
    else if (mode == FIELD_REPLACE)
        reset_unkept(&reader, table, object);
    if (node->kind == NODE_OBJECT)
        read_object(&reader, table, object, node, NULL, present);
    else if (node->kind != NODE_NULL || mode != FIELD_CONFIG)
        fail(&reader, NULL, node->line, "must be an object");
    return reader.failed ? ERR_INVALID : OK;
}

/* ---- from text ------------------------------------------------------------------------------ */

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

static struct node *text_node(struct arena *arena, const char *text, size_t len)
{
    struct node *node = node_new(arena, NODE_SCALAR);

    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    node->text = arena_strndup(arena, text, len);
    node->len = len;
    return node;
}

/* Comma-separated elements; an empty text is an empty array. */
static struct node *list_node(struct arena *arena, const char *text)
{
    struct node *list = node_new(arena, NODE_ARRAY);

    text = skip_blanks(text);
    while (*text) {
        size_t len = strcspn(text, ",");

        node_append(list, text_node(arena, text, len));
        text += len;
        if (*text == ',')
            text = skip_blanks(text + 1);
    }
    return list;
}

/* `line` is where the text stands, 0 if it stands nowhere. Nodes are made in `scratch`. */
/* NOLINTNEXTLINE(readability-function-size): a seventh parameter */
static enum err read_text(struct reader *reader, const struct field *field, void *object,
                          const char *text, const struct place *place, int line,
                          struct arena *scratch)
{
    bool list = field->kind == F_ARR;
    struct node *node = list ? list_node(scratch, text) : node_new(scratch, NODE_SCALAR);

    node->line = line;
    if (!list) {
        node->text = arena_strdup(scratch, text);
        node->len = strlen(text);
    }
    for (struct node *child = node->child; child; child = child->next)
        child->line = line;
    if (field->flags & F_LATER)
        read_later(reader, field, node, place);
    else
        read_value(reader, field, (char *)object + field->offset, node, place);
    return reader->failed ? ERR_INVALID : OK;
}

enum err field_read_text_at(const struct field *field, void *object, const char *text,
                            const char *where, int line, struct field_errors *errors)
{
    struct reader reader = {.mode = FIELD_CONFIG, .arena = errors->arena, .errors = errors};
    struct place place = {.name = where};

    return read_text(&reader, field, object, text, &place, line, errors->arena);
}

enum err field_read_text(const struct field *field, void *object, const char *text,
                         struct arena *arena)
{
    struct reader reader = {.mode = FIELD_CONFIG, .arena = arena};
    struct place place = {.name = field->name ? field->name : ""};
    struct field plain = *field;
    struct arena scratch;
    enum err err;

    arena_init(&scratch, ARENA_JOB_LIMIT);
    plain.flags &= ~(unsigned)F_LATER;
    err = read_text(&reader, &plain, object, text, &place, 0, &scratch);
    arena_reset(&scratch);
    return err;
}
