/*
 * roaming_stable.h - for the unit tests and the fuzz target of roaming/: whether two messages are
 * equal, and whether a text that is read means the same after it was printed.
 */
#pragma once

#include "roaming/validate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static inline bool roaming_equal(const struct roam_message *a, const struct roam_message *b)
{
    struct roam_header x = a->header, y = b->header;

    if (!roam_id_equal(&x.sender, &y.sender) || !roam_id_equal(&x.receiver, &y.receiver))
        return false;
    x.sender.text = y.sender.text; /* which depends on the dialect */
    x.receiver.text = y.receiver.text;
    return field_equal_all(roam_header_fields, &x, &y) &&
           field_equal_all(roam_type_fields(x.type), &a->empty, &b->empty);
}

/* NULL if it does not fit into the writer. */
static inline char *roaming_print(const struct roam_message *message, enum roam_dialect dialect)
{
    struct jw jw;

    jw_init(&jw, ROAM_BODY_MAX);
    if (roam_message_print(message, dialect, true, &jw) == OK)
        return jw_take(&jw);
    jw_free(&jw);
    return NULL;
}

/* Prints a message that was read, in every dialect, reads that and prints it again: the same text.
 * In a version that has all members and in the standard dialect the message is the same as well. */
static inline void roaming_check_stable(const struct roam_message *message, struct arena *arena)
{
    struct roam_message whole = *message, again;
    struct roam_fault fault;

    for (enum roam_dialect dialect = 0; dialect < ROAM_DIALECT_COUNT; dialect++) {
        char *text = roaming_print(message, dialect), *second;

        if (!text)
            continue; /* longer than it came: names and digits are written out */
        assert(roam_message_read(text, strlen(text), arena, &again, &fault) == OK);
        second = roaming_print(&again, dialect);
        assert(second && !strcmp(text, second));
        free(text);
        free(second);
    }
    whole.header.protocol_version = "1.1";
    whole.header.has |= ROAM_BIT(ROAM_HEADER_PROTOCOL_VERSION);
    if (roam_has(&whole.header, ROAM_HEADER_SENDER_ID) &&
        roam_has(&whole.header, ROAM_HEADER_RECEIVER_ID)) {
        char *text = roaming_print(&whole, ROAM_STANDARD);

        if (!text)
            return;
        assert(roam_message_read(text, strlen(text), arena, &again, &fault) == OK);
        assert(roaming_equal(&whole, &again));
        free(text);
    }
}
