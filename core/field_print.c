/* field_print.c - members as JSON, and tables as JSON Schema. */
#include "core/field_priv.h"
#include "core/json.h"

#include <stdio.h>

/* ---- values --------------------------------------------------------------------------------- */

static const struct field_rule *rule_of(const struct field_style *style, enum field_rule_kind kind,
                                        const struct field *row)
{
    for (const struct field_rule *rule = style->rules; rule && rule->row; rule++) {
        if (rule->kind == kind && rule->row == row)
            return rule;
    }
    return NULL;
}

static void print_hex_number(uint64_t v, size_t n, struct jw *jw, const struct field_style *style)
{
    uint8_t octets[8];
    struct wr wr = wr_of(octets, sizeof(octets));

    wr_u64be(&wr, v);
    jw_hex_as(jw, octets + sizeof(octets) - n, n, style->hex);
}

static void print_tags(const struct tags *tags, struct jw *jw)
{
    jw_object(jw);
    for (size_t i = 0; i < tags->n; i++)
        jw_key_str(jw, tags->p[i].key, tags->p[i].value);
    jw_end_object(jw);
}

static void print_array(const struct field *field, const struct array *array, struct jw *jw,
                        const struct field_style *style)
{
    struct field element = field_element(field);

    jw_array(jw);
    for (size_t i = 0; i < array->n; i++)
        field_print_at(&element, (const char *)array->p + i * field->size, jw, style);
    jw_end_array(jw);
}

static void print_text(const struct field *field, const char *text, struct jw *jw, unsigned view)
{
    bool null = (field->flags & F_NULLABLE) || (view & FIELD_VIEW_ROW);

    jw_str(jw, text ? text : null ? NULL : "");
}

/* Kinds where zero means absent and null says so better; a number's zero is a number. */
static bool prints_null(const struct field *field, const void *at, unsigned view)
{
    bool number = field->kind <= F_DOUBLE || field->kind == F_ENUM || field->kind == F_STR;

    if (view & FIELD_VIEW_PEER)
        return false;
    if (field->kind == F_TIME || field->kind == F_UUID)
        return field_is_zero(field, at);
    return !(view & FIELD_VIEW_ROW) && (field->flags & F_NULLABLE) && !number &&
           field_is_default_at(field, at);
}

static void print_number(const struct field *field, const void *at, struct jw *jw)
{
    switch (field->kind) {
    case F_BOOL: jw_bool(jw, *(const bool *)at); break;
    case F_U8: jw_uint(jw, *(const uint8_t *)at); break;
    case F_U16: jw_uint(jw, *(const uint16_t *)at); break;
    case F_U32: jw_uint(jw, *(const uint32_t *)at); break;
    case F_U64: jw_uint(jw, *(const uint64_t *)at); break;
    case F_I32: jw_int(jw, *(const int32_t *)at); break;
    case F_I64: jw_int(jw, *(const int64_t *)at); break;
    case F_MHZ: jw_mhz(jw, *(const uint32_t *)at); break;
    default: jw_double(jw, *(const double *)at); break;
    }
}

static void print_bytes(const struct field *field, const void *at, struct jw *jw,
                        const struct field_style *style)
{
    const struct bytes *blob = at;

    switch (field->kind) {
    case F_HEX: jw_hex_as(jw, at, field->size, style->hex); break;
    case F_EUI: print_hex_number(*(const uint64_t *)at, 8, jw, style); break;
    case F_ADDR: print_hex_number(*(const uint32_t *)at, 4, jw, style); break;
    case F_NETID: print_hex_number(*(const uint32_t *)at, 3, jw, style); break;
    case F_BLOB: jw_base64(jw, blob->p, blob->n); break;
    default: jw_hex_as(jw, blob->p, blob->n, style->hex); break;
    }
}

static void print_enum(const struct field *field, uint8_t value, struct jw *jw,
                       const struct field_style *style)
{
    const struct field_rule *rule = rule_of(style, FIELD_NAMES, field);

    jw_str(jw, (rule ? rule->names : field->names)[value]);
}

static void print_time(int64_t utc_us, struct jw *jw, unsigned view)
{
    if (view & FIELD_VIEW_PEER)
        jw_time_exact(jw, utc_us);
    else
        jw_time(jw, utc_us);
}

void field_print_at(const struct field *field, const void *at, struct jw *jw,
                    const struct field_style *style)
{
    if (prints_null(field, at, style->view)) {
        jw_null(jw);
        return;
    }
    switch (field->kind) {
    case F_HEX:
    case F_EUI:
    case F_ADDR:
    case F_NETID:
    case F_BLOB:
    case F_HEXBLOB: print_bytes(field, at, jw, style); break;
    case F_STR: print_text(field, *(const char *const *)at, jw, style->view); break;
    case F_ENUM: print_enum(field, *(const uint8_t *)at, jw, style); break;
    case F_TIME: print_time(*(const int64_t *)at, jw, style->view); break;
    case F_UUID: jw_uuid(jw, at); break;
    case F_OBJ: field_print_styled(field->sub, at, jw, style); break;
    case F_TAGS: print_tags(at, jw); break;
    case F_ARR: print_array(field, at, jw, style); break;
    case F_RAW: jw_node(jw, *(const struct node *const *)at); break;
    default: print_number(field, at, jw); break;
    }
}

static bool is_hidden(const struct field *field, const struct field_style *style)
{
    if (style->view & FIELD_VIEW_ROW)
        return (field->flags & F_NO_ROW) != 0;
    return (field->flags & (F_WO | F_NO_REST)) || (field->marks & style->without) ||
           ((field->flags & F_SECRET) && !(style->view & FIELD_VIEW_SECRETS));
}

static bool is_absent(const struct field *table, const struct field *row, const void *object,
                      const struct field_style *style)
{
    const uint64_t *has = (const void *)((const char *)object + table->offset);

    if (table->kind != F_HAS)
        return (row->flags & F_OPTIONAL) && field_is_default(row, object);
    return !(*has >> (row - table) & 1) && !rule_of(style, FIELD_ALWAYS, row) &&
           !rule_of(style, FIELD_ALWAYS, table);
}

static void print_member(const struct field *row, const void *at, struct jw *jw,
                         const struct field_style *style)
{
    const struct field_rule *rename = rule_of(style, FIELD_RENAME, row);
    const struct field_rule *also = rule_of(style, FIELD_ALSO, row);

    jw_key(jw, rename ? rename->name : row->name);
    field_print_at(row, at, jw, style);
    if (!also)
        return;
    jw_key(jw, also->name);
    field_print_at(row, at, jw, style);
}

void field_print_members_styled(const struct field *table, const void *object, struct jw *jw,
                                const struct field_style *style)
{
    for (const struct field *row = table; row->kind != F_END; row++) {
        if (!is_hidden(row, style) && !is_absent(table, row, object, style))
            print_member(row, (const char *)object + row->offset, jw, style);
    }
}

void field_print_styled(const struct field *table, const void *object, struct jw *jw,
                        const struct field_style *style)
{
    jw_object(jw);
    field_print_members_styled(table, object, jw, style);
    jw_end_object(jw);
}

void field_print_members(const struct field *table, const void *object, struct jw *jw,
                         unsigned view)
{
    field_print_members_styled(table, object, jw, &(struct field_style){.view = view});
}

void field_print(const struct field *table, const void *object, struct jw *jw, unsigned view)
{
    field_print_styled(table, object, jw, &(struct field_style){.view = view});
}

void field_print_value(const struct field *field, const void *object, struct jw *jw, unsigned view)
{
    struct field_style style = {.view = view};

    if (is_hidden(field, &style))
        jw_null(jw);
    else
        field_print_at(field, (const char *)object + field->offset, jw, &style);
}

/* ---- schema --------------------------------------------------------------------------------- */

static void schema_of(const struct field *field, struct jw *jw, bool input);

static const char *schema_type(enum field_kind kind)
{
    switch (kind) {
    case F_BOOL: return "boolean";
    case F_U8:
    case F_U16:
    case F_U32:
    case F_U64:
    case F_I32:
    case F_I64: return "integer";
    case F_DOUBLE:
    case F_MHZ: return "number";
    case F_OBJ:
    case F_TAGS: return "object";
    case F_ARR: return "array";
    case F_RAW: return NULL;
    default: return "string";
    }
}

static void schema_write_type(const struct field *field, struct jw *jw)
{
    const char *type = schema_type(field->kind);
    bool null = (field->flags & F_NULLABLE) ||
                ((field->kind == F_TIME || field->kind == F_UUID) && !(field->flags & F_REQ));

    if (!type)
        return;
    if (!null) {
        jw_key_str(jw, "type", type);
        return;
    }
    jw_key(jw, "type");
    jw_array(jw);
    jw_str(jw, type);
    jw_str(jw, "null");
    jw_end_array(jw);
}

static void schema_range(const struct field *field, struct jw *jw)
{
    int64_t min;
    uint64_t max;

    if (field->kind == F_DOUBLE && field->range.min == 0 && field->range.max == 0)
        return;
    field_range(field, &min, &max);
    jw_key_int(jw, "minimum", min);
    if (field->range.max < 0)
        jw_key_int(jw, "maximum", field->range.max);
    else
        jw_key_uint(jw, "maximum", max);
}

static void schema_hex(size_t bytes, struct jw *jw)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "^[0-9a-fA-F]{2}([:-]?[0-9a-fA-F]{2}){%zu}$", bytes - 1);
    jw_key_str(jw, "pattern", text);
}

static void schema_enum(const struct field *field, struct jw *jw)
{
    jw_key(jw, "enum");
    jw_array(jw);
    for (size_t i = 0; field->names[i]; i++) {
        if (*field->names[i])
            jw_str(jw, field->names[i]);
    }
    if (field->flags & F_NULLABLE)
        jw_null(jw);
    jw_end_array(jw);
}

static void schema_container(const struct field *field, struct jw *jw, bool input)
{
    struct field element;

    if (field->kind == F_TAGS) {
        jw_key(jw, "additionalProperties");
        jw_object(jw);
        jw_key_str(jw, "type", "string");
        jw_end_object(jw);
        jw_key_uint(jw, "maxProperties", field->most ? field->most : 64);
        return;
    }
    element = field_element(field);
    jw_key_uint(jw, "maxItems", field->most ? field->most : 64);
    jw_key(jw, "items");
    jw_object(jw);
    schema_of(&element, jw, input);
    jw_end_object(jw);
}

static void schema_object(const struct field *table, struct jw *jw, bool input)
{
    bool any = false;

    jw_key(jw, "properties");
    jw_object(jw);
    for (const struct field *row = table; row->kind != F_END; row++) {
        if ((row->flags & F_NO_REST) || (row->flags & (input ? F_RO : F_WO)))
            continue;
        jw_key(jw, row->name);
        jw_object(jw);
        schema_of(row, jw, input);
        jw_end_object(jw);
    }
    jw_end_object(jw);
    for (const struct field *row = table; row->kind != F_END; row++)
        any = any || ((row->flags & F_REQ) && !(row->flags & (F_RO | F_NO_REST)));
    if (any && input) {
        jw_key(jw, "required");
        jw_array(jw);
        for (const struct field *row = table; row->kind != F_END; row++) {
            if ((row->flags & F_REQ) && !(row->flags & (F_RO | F_NO_REST)))
                jw_str(jw, row->name);
        }
        jw_end_array(jw);
    }
    if (input)
        jw_key_bool(jw, "additionalProperties", false);
}

static void schema_default(const struct field *field, struct jw *jw)
{
    struct arena arena;
    void *value;

    if (!field->def)
        return;
    arena_init(&arena, ARENA_JOB_LIMIT);
    value = arena_alloc(&arena, field_size(field));
    field_default_at(field, value, &arena);
    jw_key(jw, "default");
    field_print_at(field, value, jw, &(struct field_style){.view = FIELD_VIEW_PUBLIC});
    arena_reset(&arena);
}

static void schema_details(const struct field *field, struct jw *jw, bool input)
{
    switch (field->kind) {
    case F_U8:
    case F_U16:
    case F_U32:
    case F_U64:
    case F_I32:
    case F_I64:
    case F_DOUBLE: schema_range(field, jw); break;
    case F_STR: jw_key_uint(jw, "maxLength", field->size ? field->size : 1024); break;
    case F_HEX: schema_hex(field->size, jw); break;
    case F_EUI: schema_hex(8, jw); break;
    case F_ADDR: schema_hex(4, jw); break;
    case F_NETID: schema_hex(3, jw); break;
    case F_BLOB: jw_key_str(jw, "contentEncoding", "base64"); break;
    case F_ENUM: schema_enum(field, jw); break;
    case F_TIME: jw_key_str(jw, "format", "date-time"); break;
    case F_UUID: jw_key_str(jw, "format", "uuid"); break;
    case F_OBJ: schema_object(field->sub, jw, input); break;
    case F_TAGS:
    case F_ARR: schema_container(field, jw, input); break;
    default: break;
    }
}

static void schema_of(const struct field *field, struct jw *jw, bool input)
{
    schema_write_type(field, jw);
    schema_details(field, jw, input);
    schema_default(field, jw);
    if (field->flags & F_RO)
        jw_key_bool(jw, "readOnly", true);
    if (field->flags & F_WO)
        jw_key_bool(jw, "writeOnly", true);
    if (field->help)
        jw_key_str(jw, "description", field->help);
}

void field_schema(const struct field *table, struct jw *jw, bool input)
{
    jw_object(jw);
    jw_key_str(jw, "type", "object");
    schema_object(table, jw, input);
    jw_end_object(jw);
}
