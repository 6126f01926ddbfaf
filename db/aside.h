/*
 * aside.h - rows of the store that cannot be read.
 *
 * Such a row stays as it is and everything else goes on: it is set aside, which means that it is
 * logged once, counted (godwit_store_unreadable_rows), and shown by /readyz and in the diagnosis of
 * its device (mechanics 5), until something readable has taken its place. A device whose state or
 * session is set aside is not believed to have counters of 0: ns/ refuses its frames.
 *
 * There are few of them or the disk is lost: after ASIDES_MAX no more are noted, and figures mean
 * "at least". Any thread; a mutex guards it, held for a look-up.
 */
#pragma once

#include "db/model.h"

#define ASIDES_MAX 1000

/* clang-format off */
#define ASIDE_TABLE(X)                                                                             \
    X(ASIDE_RECORD,     "record")     /* what people configure */                                  \
    X(ASIDE_STATE,      "state")      /* counters and parameters of a device's session */          \
    X(ASIDE_SESSION,    "session")    /* sealed keys; `what` is "active" or "pending" */           \
    X(ASIDE_QUEUE_ITEM, "queue_item")                                                              \
    X(ASIDE_ATTEMPT,    "attempt")

enum aside_kind {
#define X(name, text) name,
    ASIDE_TABLE(X)
#undef X
    ASIDE_KIND_COUNT
};
/* clang-format on */

struct aside {
    enum aside_kind kind;
    const char *what;      /* static: the record's type, the session's slot; or NULL */
    struct record_key key; /* of the row */
    struct lw_eui dev_eui; /* whose it is; 0: no device's */
    const char *why;       /* for the log only; or NULL */
};

const char *aside_name(unsigned kind);

struct asides;
struct asides *asides_new(void);
void asides_free(struct asides *asides);

/* Sets a row aside; does nothing if it is aside already. */
void aside_note(struct asides *asides, const struct aside *aside);
/* The device's rows of a kind can be read again, or are gone. `what` NULL: all of the kind. */
void aside_settle(struct asides *asides, enum aside_kind kind, const char *what,
                  struct lw_eui dev_eui);

struct aside_counts {
    size_t n[ASIDE_KIND_COUNT];
};
/* How many are aside: of a device, or in all. */
struct aside_counts asides_of(struct asides *asides, struct lw_eui dev_eui);
struct aside_counts asides_all(struct asides *asides);
/* Whether the device's session of a slot is aside. */
bool aside_has(struct asides *asides, enum aside_kind kind, const char *what,
               struct lw_eui dev_eui);
