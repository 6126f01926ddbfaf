/*
 * record_sql.h - records as SQL engines keep them: a document, and the columns that the field table
 * asks for. Texts and values of statements are made here once; an engine runs them.
 *
 * Columns besides key, rev, created, updated and doc are the members flagged F_PARENT, F_SEARCH or
 * F_COLUMN, named in snake case. EUIs are signed 64 bit integers, other keys octets.
 */
#pragma once

#include "db/store.h"

enum sql_type { SQL_TYPE_INTEGER, SQL_TYPE_BOOL, SQL_TYPE_TEXT, SQL_TYPE_BLOB };

struct sql_value {
    enum sql_type type;
    bool null;
    int64_t i;      /* INTEGER, BOOL */
    struct bytes b; /* TEXT, BLOB */
};

/* How engines differ. */
struct sql_dialect {
    char mark;                    /* of a numbered parameter: ?1 or $1 */
    const char *like;             /* the operator that does not mind the case */
    const char *hex_of, *hex_end; /* around an EUI: its 16 digits */
    const char *email_of;         /* a function that folds the case of e-mail addresses */
};

/* A statement that is being written: text and values live in `arena`. */
struct sql_query {
    const struct sql_dialect *dialect;
    struct arena *arena;
    const char *text;
    struct sql_value *values;
    size_t n, room;
    int keep; /* 0..RECORD_KEEP-1: comes often with the same text, may be kept prepared; -1: once */
};

#define RECORD_KEEP ((int)REC_TYPE_COUNT + 1)

/* What a query of records gives: one row. A count is given as `rev`. */
struct record_row {
    uint64_t rev;
    int64_t created_us, updated_us;
    struct bytes doc; /* valid during the visit */
    struct record_key key;
};
typedef enum err record_visitor(void *arg, const struct record_row *row);

/* The column of a record's key, and of a member (snake case). */
const char *record_key_column(enum record_type type);
void record_column_name(char *to, size_t room, const char *member);
/* Whether a member stands in a column of its own. */
bool record_is_column(const struct field *f);

struct sql_value record_key_value(const struct record_key *key);
struct sql_value record_member_value(const struct field *f, const void *record);

/* Lists of the columns of a type, each part after a comma: "a, b", "?6, ?7" and
 * "a = excluded.a, ...", into buffers of RECORD_SQL_ROOM. `first`: number of the first parameter.
 */
#define RECORD_SQL_ROOM 512
struct record_columns {
    char names[RECORD_SQL_ROOM], marks[RECORD_SQL_ROOM], sets[RECORD_SQL_ROOM];
};
void record_columns(enum record_type type, char mark, unsigned first,
                    struct record_columns *columns);

/* Reads the document of a row into a new record with its head. ERR_CORRUPT: it cannot be read, or
 * is of another row; it is set aside. */
enum err record_of_row(struct store *store, enum record_type type, const struct record_row *row,
                       struct arena *arena, void **record) MUST_CHECK;

/* The document of a record. Free with jw_free. ERR_LIMIT. */
struct jw;
enum err record_doc(enum record_type type, const void *record, struct jw *jw) MUST_CHECK;

/* What a change of a record finds: rev 0 if nothing is there. */
enum err record_check_expected(uint64_t rev, uint64_t expected) MUST_CHECK;
