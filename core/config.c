/* config.c - see config.h. */
#include "core/config.h"

#include "core/field_priv.h"
#include "core/json.h"
#include "core/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the file ------------------------------------------------------------------------------- */

static enum err read_file(const char *file, struct arena *arena, char **text, size_t *len)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    enum err err = OK;
    ssize_t n = 1;

    if (fd < 0)
        return ERR_IO;
    *text = arena_alloc(arena, YAML_SIZE_MAX + 1);
    *len = 0;
    while (*len <= YAML_SIZE_MAX && n > 0) {
        n = read(fd, *text + *len, YAML_SIZE_MAX + 1 - *len);
        *len += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        err = ERR_IO;
    (void)close(fd);
    return err;
}

static enum err load_file(const struct field *table, void *object, const char *file,
                          struct field_errors *errors)
{
    struct arena *arena = errors->arena;
    const struct node *root;
    struct arena tree; /* the tree is read only here; what the object keeps is copied */
    const char *why;
    char *text;
    size_t len;
    int line;
    enum err err;

    arena_init(&tree, 64u << 20);
    err = read_file(file, &tree, &text, &len);
    if (err) {
        field_error_add(errors, "", 0, "cannot be read: %s", strerror(errno));
    } else {
        err = yaml_read(text, len, &tree, &root, &line, &why);
        if (err)
            field_error_add(errors, "", line, "%s", why);
        else
            err = field_read(table, object, root, FIELD_CONFIG, arena, errors, NULL);
    }
    arena_reset(&tree);
    return err == ERR_MALFORMED ? ERR_INVALID : err;
}

/* ---- the environment ------------------------------------------------------------------------ */

static bool has_variable(const struct field *field)
{
    return field->kind != F_TAGS && field->kind != F_RAW &&
           !(field->kind == F_ARR && field->elem == F_OBJ && !(field->flags & F_SHORT));
}

static const char *variable_name(struct arena *arena, const char *prefix, const char *key)
{
    char *name = arena_printf(arena, "%s_%s", prefix, key);

    for (char *p = name; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return name;
}

static enum err load_environment(const struct field *table, void *object, const char *prefix,
                                 struct field_errors *errors)
{
    enum err result = OK;

    for (; table->kind != F_END; table++) {
        const char *name = variable_name(errors->arena, prefix, table->name), *value;
        enum err err = OK;

        if (table->kind == F_OBJ) {
            err = load_environment(table->sub, (char *)object + table->offset, name, errors);
        } else if (has_variable(table)) {
            value = getenv(name);
            if (value)
                err = field_read_text_at(table, object, value, name, CONFIG_LINE_ENV, errors);
        }
        result = err ? err : result;
    }
    return result;
}

enum err config_load(const struct field *table, void *object, const char *file, const char *prefix,
                     struct field_errors *errors)
{
    enum err from_file = OK, from_environment;

    field_defaults(table, object, errors->arena);
    if (file)
        from_file = load_file(table, object, file, errors);
    from_environment = load_environment(table, object, prefix, errors);
    return from_file ? from_file : from_environment;
}

enum err config_set(const struct field *table, void *object, const char *path, const char *text,
                    const char *where, struct field_errors *errors)
{
    const char *name = path;

    for (;;) {
        size_t len = strcspn(name, ".");
        const struct field *field = field_find(table, arena_strndup(errors->arena, name, len));

        if (!field || (name[len] == '.') != (field->kind == F_OBJ))
            return ERR_NOT_FOUND;
        if (field->kind != F_OBJ)
            return has_variable(field)
                       ? field_read_text_at(field, object, text, where, CONFIG_LINE_ENV, errors)
                       : ERR_NOT_FOUND;
        object = (char *)object + field->offset;
        table = field->sub;
        name += len + 1;
    }
}

const char *config_errors_text(const struct field_errors *errors, const char *file)
{
    const char *text = "";

    for (size_t i = 0; i < errors->n; i++) {
        const struct field_error *e = &errors->at[i];
        const char *colon = *e->where ? ": " : "", *name = file ? file : "";

        if (e->line == CONFIG_LINE_ENV)
            text = arena_printf(errors->arena, "%senvironment: %s: %s\n", text, e->where, e->what);
        else if (e->line > 0)
            text = arena_printf(errors->arena, "%s%s:%d: %s%s%s\n", text, name, e->line, e->where,
                                colon, e->what);
        else
            text =
                arena_printf(errors->arena, "%s%s: %s%s%s\n", text, name, e->where, colon, e->what);
    }
    return text;
}

/* ---- the reference -------------------------------------------------------------------------- */

/* Help text as comment lines, broken at blanks. */
static void put_help(FILE *out, const char *help, int indent)
{
    size_t width = 96 - (size_t)indent;

    while (help && *help) {
        size_t n = strlen(help);

        if (n > width) {
            n = width;
            while (n > 0 && help[n] != ' ')
                n--;
            n = n ? n : strlen(help);
        }
        (void)fprintf(out, "%*s# %.*s\n", indent, "", (int)n, help);
        help += n;
        help += *help == ' ';
    }
}

/* JSON is YAML: strings come quoted, so that nothing is taken for another type. */
static void put_default(FILE *out, const struct field *field)
{
    struct arena arena;
    struct jw jw;
    void *value;
    struct bytes text;

    arena_init(&arena, ARENA_JOB_LIMIT);
    jw_init(&jw, 65536);
    value = arena_alloc(&arena, field_size(field));
    field_default_at(field, value, &arena);
    field_print_at(field, value, &jw, &(struct field_style){.view = FIELD_VIEW_SECRETS});
    text = jw_bytes(&jw);
    if (text.n == 4 && memcmp(text.p, "null", 4) == 0)
        text.n = 0; /* "key:" alone is absent */
    (void)fprintf(out, "%s%.*s\n", text.n ? " " : "", (int)text.n, (const char *)text.p);
    jw_free(&jw);
    arena_reset(&arena);
}

static void put_choices(FILE *out, const struct field *field, int indent)
{
    (void)fprintf(out, "%*s# one of:", indent, "");
    for (size_t i = 0; field->names[i]; i++)
        (void)fprintf(out, "%s%s", *field->names[i] ? " " : "", field->names[i]);
    (void)fputc('\n', out);
}

static void put_table(FILE *out, const struct field *table, int indent)
{
    for (; table->kind != F_END; table++) {
        put_help(out, table->help, indent);
        if (table->flags & F_LATER)
            (void)fprintf(out, "%*s# (not in this version)\n", indent, "");
        if (table->kind == F_ENUM)
            put_choices(out, table, indent);
        (void)fprintf(out, "%*s%s:", indent, "", table->name);
        if (table->kind == F_OBJ) {
            (void)fputc('\n', out);
            put_table(out, table->sub, indent + 2);
        } else {
            put_default(out, table);
        }
    }
}

char *config_reference(const struct field *table)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        abort(); /* out of memory */
    put_table(out, table, 0);
    if (fclose(out) != 0)
        abort();
    return text;
}
