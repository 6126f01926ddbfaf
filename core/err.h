/*
 * err.h - the one enumeration of errors, with its texts.
 *
 * A function that can fail returns `MUST_CHECK enum err` and gives its results through its last
 * pointers. An error is logged once, where it becomes a verdict (a dropped job, an HTTP answer, an
 * exit status); below that it is only returned. A dropped frame is not an error: see
 * lorawan/drop.h.
 */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))

/* clang-format off */
#define ERR_TABLE(X)                                                                               \
    X(ERR_NOT_FOUND,   "not found")                                                                \
    X(ERR_MALFORMED,   "malformed input")                                                          \
    X(ERR_INVALID,     "a value is not allowed here")                                              \
    X(ERR_LIMIT,       "larger than allowed")                                                      \
    X(ERR_UNSUPPORTED, "not in this version")                                                      \
    X(ERR_CONFLICT,    "changed by someone else meanwhile")                                        \
    X(ERR_EXISTS,      "exists already")                                                           \
    X(ERR_REFERENCE,   "refers to something that does not exist")                                  \
    X(ERR_IN_USE,      "still in use by something else")                                           \
    X(ERR_BAD_STATE,   "not possible in the present state")                                        \
    X(ERR_DENIED,      "not allowed")                                                              \
    X(ERR_BUSY,        "held by someone else")                                                     \
    X(ERR_FULL,        "a queue or buffer is full")                                                \
    X(ERR_TIMEOUT,     "not answered in time")                                                     \
    X(ERR_AWAY,        "the store cannot be reached or written at the moment")                     \
    X(ERR_STORE,       "storage failure")                                                          \
    X(ERR_CORRUPT,     "stored data cannot be read back")                                          \
    X(ERR_CRYPTO,      "cryptographic failure")                                                    \
    X(ERR_IO,          "input or output failed")

enum err {
    OK = 0,
#define X(name, text) name,
    ERR_TABLE(X)
#undef X
    ERR_COUNT
};
/* clang-format on */

/* The text of an error, a static string; never NULL, also for a value outside the table. */
const char *err_text(enum err err);

/* The name of an error as it stands in the table ("ERR_NOT_FOUND"), for logs and tests. */
const char *err_name(enum err err);
