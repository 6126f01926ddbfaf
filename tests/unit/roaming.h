/* roaming.h - what the tests of roaming/ share: messages from short texts, and back. */
#pragma once

#include "roaming/validate.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct roam_fault fault;

/* A text with ' for ", so that JSON can be read in C. */
static inline const char *quoted(const char *text)
{
    char *copy = arena_strdup(&arena, text);

    for (char *p = copy; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    return copy;
}

static inline enum err read_text(const char *text, struct roam_message *message)
{
    return roam_message_read(text, strlen(text), &arena, message, &fault);
}

/* A message of this type with a plain header and these members; "" for none. */
static inline const char *text_of(const char *type, const char *members)
{
    return quoted(arena_printf(&arena,
                               "{'ProtocolVersion':'1.0','SenderID':'c00123','ReceiverID':'60000a',"
                               "'TransactionID':7,'MessageType':'%s'%s%s}",
                               type, *members ? "," : "", members));
}

static inline struct roam_message read_good(const char *type, const char *members)
{
    struct roam_message message;
    const char *text = text_of(type, members);

    ck_assert_msg(read_text(text, &message) == OK, "%s: %s", text, fault.description);
    return message;
}

static inline const char *print_as(const struct roam_message *message, enum roam_dialect dialect)
{
    struct jw jw;
    const char *text;

    jw_init(&jw, 4 * ROAM_BODY_MAX);
    ck_assert_int_eq(roam_message_print(message, dialect, true, &jw), OK);
    text = arena_strndup(&arena, jw.p, jw.n);
    jw_free(&jw);
    return text;
}

static inline void ck_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, quoted(part)) != NULL, "%s: no %s", text, part);
}

static inline void ck_lacks(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, quoted(part)) == NULL, "%s: has %s", text, part);
}
