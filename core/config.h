/*
 * config.h - a field table as configuration: file, then environment; the reference document.
 *
 * Keys are the table's names as they stand (snake_case). An environment variable's name is the
 * prefix and the nested keys, joined by `_`, in upper case: GODWIT_GATEWAY_UDP_LISTEN is
 * gateway.udp.listen. The table is walked and the environment asked, so unknown variables with the
 * prefix are ignored. Arrays take comma-separated elements; F_TAGS and F_RAW have no variable.
 */
#pragma once

#include "core/arena.h"
#include "core/err.h"
#include "core/field.h"

#define CONFIG_LINE_ENV (-1) /* the line of a mistake whose `where` is a variable's name */

/* Defaults, then `file` (NULL: none), then the environment. All mistakes are added to `errors`;
 * ERR_INVALID if there are any, ERR_IO (with an entry in `errors`) if the file cannot be read.
 * The object borrows from the arena of `errors`, which wants a limit of some MiB. */
enum err config_load(const struct field *table, void *object, const char *file, const char *prefix,
                     struct field_errors *errors) MUST_CHECK;

/* Sets one key by its path ("gateway.udp.listen") from text, as a command line flag does. `where`
 * names it in a mistake. ERR_NOT_FOUND if there is no such key. */
enum err config_set(const struct field *table, void *object, const char *path, const char *text,
                    const char *where, struct field_errors *errors) MUST_CHECK;

/* The mistakes as lines `FILE:LINE: KEY: what is wrong and what is expected`, in the arena of
 * `errors`; those of the environment as `environment: VARIABLE: ...`. */
const char *config_errors_text(const struct field_errors *errors, const char *file);

/* The YAML reference: every key with its help as comment and its default. Reading it gives the
 * defaults. The caller frees. */
char *config_reference(const struct field *table);
