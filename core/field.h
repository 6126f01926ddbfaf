/*
 * field.h - one description of a struct: reads, prints, validates and documents it.
 *
 * A field table lists the members of a struct. From the one table come: reading JSON or YAML with
 * every mistake named at once, printing JSON, defaults, PATCH (merge), the OpenAPI schema, the
 * configuration reference, and the columns of a database row (db/row). A codec is never written
 * twice. A row of a table holds no callback except one `check` of a single value; rules across
 * fields are one `validate` function per resource, outside.
 *
 * Member types by kind:
 *   F_BOOL bool               F_U8..F_U64, F_I32, F_I64 the integer     F_DOUBLE double
 *   F_STR const char *        (NULL: absent)
 *   F_HEX fixed uint8_t[size] printed as hex, e.g. keys; `size` bytes
 *   F_EUI uint64_t (struct lw_eui), F_ADDR uint32_t (8 digits), F_NETID uint32_t (6 digits)
 *   F_BLOB struct bytes, base64    F_HEXBLOB struct bytes, hex
 *   F_ENUM uint8_t, index into `names`
 *   F_TIME int64_t, microseconds since 1970 UTC, 0: absent; RFC 3339 with milliseconds
 *   F_UUID uint8_t[16], all zero: absent
 *   F_OBJ an embedded struct described by `sub`;  F_TAGS struct tags, a string-to-string object
 *   F_ARR struct array: elements of `elem` kind (scalar kinds and F_OBJ with `sub`), each of `size`
 *         bytes
 *   F_RAW const struct node *, any JSON, kept as it came
 *   F_MHZ uint32_t, a frequency in Hz; a number of MHz in JSON, with exact digits
 *   F_HAS uint64_t, only as the first row: which members are there, bit = index of the row. So
 *         absent and zero differ; a member whose bit is clear is not printed. Then at most 63
 *         rows follow.
 */
#pragma once

#include "core/arena.h"
#include "core/bytes.h"
#include "core/err.h"
#include "core/node.h"

#include <stddef.h>

enum field_kind {
    F_END = 0,
    F_BOOL,
    F_U8,
    F_U16,
    F_U32,
    F_U64,
    F_I32,
    F_I64,
    F_DOUBLE,
    F_STR,
    F_HEX,
    F_EUI,
    F_ADDR,
    F_NETID,
    F_BLOB,
    F_HEXBLOB,
    F_ENUM,
    F_TIME,
    F_UUID,
    F_OBJ,
    F_TAGS,
    F_ARR,
    F_RAW,
    F_MHZ,
    F_HAS,
};

enum field_flag {
    F_REQ = 1 << 0,    /* must be present when created */
    F_RO = 1 << 1,     /* read only for clients: printed, rejected in input unless equal in kind */
    F_WO = 1 << 2,     /* write only: read from input, never printed */
    F_SECRET = 1 << 3, /* key material: never logged; printed only in a view with secrets */
    F_KEY = 1 << 4,    /* primary key of the row */
    F_NULLABLE = 1 << 5, /* explicit null allowed and means the default */
    F_FIXED = 1 << 6,    /* may be set at creation, not changed later */
    F_NO_ROW = 1 << 7,   /* not a column of the row */
    F_NO_REST = 1 << 8,  /* a column only: neither printed nor read over REST */
    F_OPTIONAL = 1 << 9, /* not printed when absent or zero */
    F_LATER = 1 << 10,   /* of a later issue: accepted only absent, empty or equal to its default */
    F_PARENT = 1 << 11,  /* id of a parent resource: lists may filter by it; indexed */
    F_SEARCH = 1 << 12,  /* ?search= looks here; a column of the row */
    F_COLUMN = 1 << 13,  /* a column of the row besides `doc` (db/) */
    F_SHORT = 1 << 14,  /* F_OBJ, F_ARR of it: a scalar stands for an object of that first member */
    F_LAX = 1 << 15,    /* FIELD_PEER: what does not fit counts as absent */
    F_EMPTY = 1 << 16,  /* FIELD_PEER: empty hex is a value, otherwise it counts as absent */
    F_NOCASE = 1 << 17, /* F_ENUM: read in either case */
    F_OR_TEXT = 1 << 18, /* FIELD_PEER: a number may come as a string */
};

/* The row of a table that says which members are there. */
#define HAS_ROW(type)                                                                              \
    {                                                                                              \
        "", F_HAS, F_NO_REST | F_NO_ROW, AT(type, has)                                             \
    }

struct array {
    void *p;
    size_t n;
};

struct tag {
    const char *key, *value;
};

struct tags {
    struct tag *p;
    size_t n;
};

/* Another spelling of a value of an F_ENUM, for reading; "*" stands for every other text. */
struct field_alias {
    const char *text; /* NULL ends the list */
    uint8_t value;
};

struct field {
    const char *name; /* camelCase as in JSON; snake_case with `snake` tables (configuration) */
    enum field_kind kind;
    unsigned flags;
    size_t offset;
    size_t size; /* F_HEX: bytes; F_ARR: element size; F_STR, F_BLOB: greatest length (0: 1024) */
    struct {
        int64_t min, max; /* integers and F_DOUBLE; both 0: the type's own */
    } range;
    const char *const *names; /* F_ENUM: NULL-terminated; a NULL-free gap is "" (not accepted) */
    const struct field *sub;
    enum field_kind elem;
    size_t most;     /* F_ARR, F_TAGS: greatest count, 0: 64 */
    const char *def; /* default as text, NULL: zero or absent */
    const char *help;
    /* Checks one value (pointer to the member); NULL if good, else what is wrong. Static text. */
    const char *(*check)(const void *value);
    const char *const *also;           /* FIELD_PEER: other names of the member; NULL ends */
    const struct field_alias *aliases; /* F_ENUM */
    unsigned marks;                    /* the room's own; see struct field_style */
};

#define AT(type, member) .offset = offsetof(type, member)

/* Mistakes found, in order; `where` is a path such as "adr.maxDr" or "tags.x". Bounded to 100. */
struct field_error {
    const char *where;
    const char *what; /* what is wrong and what is expected */
    int line;
};

struct field_errors {
    struct arena *arena;
    struct field_error at[100];
    size_t n;
};

void field_errors_init(struct field_errors *errors, struct arena *arena);
void field_error_add(struct field_errors *errors, const char *where, int line, const char *what,
                     ...) __attribute__((format(printf, 4, 5)));

enum field_mode {
    FIELD_CREATE,  /* defaults first; required members must be there */
    FIELD_REPLACE, /* PUT: as CREATE, but members that are F_FIXED or F_KEY, or that a client does
                      not see (F_RO, F_WO, F_NO_REST), keep their value if absent */
    FIELD_MERGE,   /* PATCH (RFC 7396): touches only what is present; null sets the default */
    FIELD_CONFIG,  /* as CREATE; scalars are read by the key's type */
    FIELD_ROW,     /* from the store: all members but F_NO_ROW count, unknown ones are ignored */
    FIELD_PEER, /* from another operator's server: unknown members are ignored, null is absent, hex
                   may have 0x before it; of a member under two names the first that fits counts;
                   nothing is required here */
};

/* Sets every member to its default (arrays from `arena`). */
void field_defaults(const struct field *table, void *object, struct arena *arena);

/* The same for one member. */
void field_set_default(const struct field *field, void *object, struct arena *arena);

/* Whether all members of two objects are equal; an absent string equals an empty one. */
bool field_equal_all(const struct field *table, const void *a, const void *b);

/* Makes an object that was copied flat (its struct) its own: what its members point to is copied
 * into the arena. What the table does not describe must be plain values. */
void field_own_all(const struct field *table, void *object, struct arena *arena);

/* A required F_STR must not be empty. A number equal to a spelt-out `def` is accepted also outside
 * its range. null is accepted (and means the default) for F_NULLABLE and, as it is printed for an
 * absent value, for F_TIME, F_UUID and F_RAW that are not required.
 * Reads `node` into `object`, whose pointers then borrow from `arena`. Unknown members, wrong types
 * and ranges, missing members are all added to `errors`. `present`, if not NULL, gets a bit for
 * each row of the table (index below 64) that was in the input. ERR_INVALID if anything was added.
 */
enum err field_read(const struct field *table, void *object, const struct node *node,
                    enum field_mode mode, struct arena *arena, struct field_errors *errors,
                    uint64_t *present) MUST_CHECK;

/* Finds a row by name; NULL if there is none. */
const struct field *field_find(const struct field *table, const char *name);

/* Reads one scalar member from text as a query value or environment variable gives it.
 * Arrays take comma-separated elements. */
enum err field_read_text(const struct field *field, void *object, const char *text,
                         struct arena *arena) MUST_CHECK;

/* The same with its mistakes named: `where` and `line` stand in the error; values come from the
 * arena of `errors`. */
enum err field_read_text_at(const struct field *field, void *object, const char *text,
                            const char *where, int line, struct field_errors *errors) MUST_CHECK;

/* Whether a member has its default value (F_LATER, F_OPTIONAL). */
bool field_is_default(const struct field *field, const void *object);

/* ---- output: see core/json.h for struct jw ---- */

struct jw;

enum field_view {
    FIELD_VIEW_PUBLIC = 0,
    FIELD_VIEW_SECRETS = 1 << 0, /* with F_SECRET members */
    FIELD_VIEW_ROW = 1 << 1,     /* for the store: every member but F_NO_ROW */
    FIELD_VIEW_PEER = 1 << 2, /* for another server: no null, a fraction of a second only if any */
};

/* Absent values: F_STR "", or null if F_NULLABLE; F_TIME, F_UUID, F_RAW null; other kinds but
 * numbers null if F_NULLABLE and equal to the default.
 * Prints the members as a JSON object, or only its members (into an open object). */
void field_print(const struct field *table, const void *object, struct jw *jw, unsigned view);
void field_print_members(const struct field *table, const void *object, struct jw *jw,
                         unsigned view);

/* One member's value alone, as JSON. */
void field_print_value(const struct field *field, const void *object, struct jw *jw, unsigned view);

/* How one peer wants it: what differs from the table, one row each. */
enum field_rule_kind {
    FIELD_ALWAYS, /* printed also if absent; a rule for the F_HAS row holds for all its table */
    FIELD_RENAME, /* printed under `name` */
    FIELD_ALSO,   /* printed once more, under `name` */
    FIELD_NAMES,  /* F_ENUM: printed by these names */
};

struct field_rule {
    enum field_rule_kind kind;
    const struct field *row; /* NULL ends the list */
    const char *name;
    const char *const *names;
};

struct field_style {
    unsigned view;
    unsigned hex;     /* enum jw_hex */
    unsigned without; /* rows with one of these marks are left out */
    const struct field_rule *rules;
};

void field_print_styled(const struct field *table, const void *object, struct jw *jw,
                        const struct field_style *style);
void field_print_members_styled(const struct field *table, const void *object, struct jw *jw,
                                const struct field_style *style);

/* Wipes what F_SECRET members hold, in all of the object: the value or the octets it points to. Of
 * an F_STR only the pointer, since its text may be a constant. */
void field_wipe(const struct field *table, void *object);

/* The JSON Schema (OpenAPI 3.1) of a table as an object. `input`: what a client may send. */
void field_schema(const struct field *table, struct jw *jw, bool input);
