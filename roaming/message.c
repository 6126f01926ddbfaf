/*
 * message.c - a message as text and back: the header's table and the body's, over one JSON object.
 *
 * The node tree is only looked at, so it gets an arena of its own whose limit bounds what a hostile
 * message can make of 64 KiB: some 4,000 values. What the message keeps of it is no larger, plus
 * the arrays, which the tables bound; ROAM_ARENA_ROOM is above that.
 */
#include "roaming/message.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#define TREE_LIMIT ((size_t)768 << 10)

/* ---- header --------------------------------------------------------------------------------- */

enum roam_version roam_version_of(const char *text)
{
    static const char *const texts[] = {"1.0", "1.1", "1.0.0", "1.1.0"};

    for (unsigned i = 0; text && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(text, texts[i]) == 0)
            return (enum roam_version)(i % 2);
    }
    return ROAM_VERSION_UNKNOWN;
}

const char *roam_version_text(enum roam_version version)
{
    return version == ROAM_1_0 ? "1.0" : "1.1";
}

static uint64_t number_of(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    while (n-- > 0)
        v = v << 8 | *p++;
    return v;
}

struct roam_id roam_id_of_text(const char *text)
{
    const char *digits = strncasecmp(text, "0x", 2) == 0 ? text + 2 : text;
    size_t len = strlen(digits);
    uint8_t octets[8];

    if (len == 6 && hex_read(octets, 3, digits, len))
        return (struct roam_id){text, ROAM_ID_NET_ID, number_of(octets, 3)};
    if (len == 16 && hex_read(octets, 8, digits, len))
        return (struct roam_id){text, ROAM_ID_JOIN_EUI, number_of(octets, 8)};
    return (struct roam_id){text, *text ? ROAM_ID_AS : ROAM_ID_NONE, 0};
}

struct roam_id roam_id_of_net_id(struct lw_net_id id)
{
    return (struct roam_id){"", ROAM_ID_NET_ID, id.v};
}

struct roam_id roam_id_of_join_eui(struct lw_eui join_eui)
{
    return (struct roam_id){"", ROAM_ID_JOIN_EUI, join_eui.v};
}

bool roam_id_equal(const struct roam_id *a, const struct roam_id *b)
{
    return a->kind == b->kind && a->v == b->v &&
           (a->kind != ROAM_ID_AS || strcmp(a->text, b->text) == 0);
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum err refuse(struct roam_fault *fault, enum err err, const char *description)
{
    *fault = (struct roam_fault){ROAM_MALFORMED, description};
    return err;
}

static enum err read_tables(struct roam_message *message, const struct node *root,
                            struct arena *arena, struct field_errors *errors)
{
    struct roam_header *header = &message->header;
    enum err err, body;

    err = field_read(roam_header_fields, header, root, FIELD_PEER, arena, errors, NULL);
    if (!roam_has(header, ROAM_HEADER_MESSAGE_TYPE))
        header->type = ROAM_TYPE_UNKNOWN;
    if (roam_has(header, ROAM_HEADER_SENDER_ID))
        header->sender = roam_id_of_text(header->sender.text);
    if (roam_has(header, ROAM_HEADER_RECEIVER_ID))
        header->receiver = roam_id_of_text(header->receiver.text);
    body = field_read(roam_type_fields(header->type), &message->empty, root, FIELD_PEER, arena,
                      errors, NULL);
    return err == OK ? body : err;
}

static enum err read_message(struct roam_message *message, const struct node *root,
                             struct arena *arena, struct roam_fault *fault)
{
    struct field_errors errors;

    field_errors_init(&errors, arena);
    if (read_tables(message, root, arena, &errors) != OK)
        return refuse(fault, ERR_INVALID,
                      arena_printf(arena, "%s %s", errors.at[0].where, errors.at[0].what));
    if (message->header.type == ROAM_TYPE_UNKNOWN)
        return refuse(fault, ERR_INVALID, "MessageType is missing or not known");
    return OK;
}

enum err roam_message_read(const char *text, size_t len, struct arena *arena,
                           struct roam_message *message, struct roam_fault *fault)
{
    const struct node *root;
    struct arena tree;
    const char *why;
    enum err err;

    assert(arena->limit - arena->used >= ROAM_ARENA_ROOM);
    *message = (struct roam_message){.header.type = ROAM_TYPE_UNKNOWN};
    *fault = (struct roam_fault){0};
    if (len > ROAM_BODY_MAX)
        return refuse(fault, ERR_LIMIT, "the message is larger than 64 KiB");
    arena_init(&tree, TREE_LIMIT);
    if (json_read(text, len, &tree, &root, &why) != OK)
        err = refuse(fault, ERR_MALFORMED, arena_strdup(arena, why));
    else if (root->kind != NODE_OBJECT)
        err = refuse(fault, ERR_MALFORMED, "must be an object");
    else
        err = read_message(message, root, arena, fault);
    arena_reset(&tree);
    return err;
}

/* ---- printing ------------------------------------------------------------------------------- */

#define ID_TEXT 19 /* "0x", sixteen digits */

/* An id in the peer's manner of hex; that of an application server is a name. */
static const char *id_text(const struct roam_id *id, unsigned hex, char to[ID_TEXT])
{
    size_t digits = id->kind == ROAM_ID_NET_ID ? 6 : 16;
    const char *figures = hex & JW_HEX_UPPER ? "0123456789ABCDEF" : "0123456789abcdef";
    char *p = to;

    if (id->kind != ROAM_ID_NET_ID && id->kind != ROAM_ID_JOIN_EUI)
        return id->text;
    if (hex & JW_HEX_0X)
        p = mempcpy(to, "0x", 2);
    while (digits-- > 0)
        *p++ = figures[id->v >> 4 * digits & 15];
    *p = '\0';
    return to;
}

enum err roam_message_print(const struct roam_message *message, enum roam_dialect dialect,
                            bool secrets, struct jw *jw)
{
    struct roam_header header = message->header;
    struct field_style style =
        roam_dialect_style(dialect, roam_version_of(header.protocol_version), secrets);
    char sender[ID_TEXT], receiver[ID_TEXT];

    header.sender.text = id_text(&header.sender, style.hex, sender);
    header.receiver.text = id_text(&header.receiver, style.hex, receiver);
    jw_object(jw);
    field_print_members_styled(roam_header_fields, &header, jw, &style);
    field_print_members_styled(roam_type_fields(header.type), &message->empty, jw, &style);
    jw_end_object(jw);
    return jw->failed ? ERR_LIMIT : OK;
}

/* ---- answering ------------------------------------------------------------------------------ */

#define ANSWERABLE                                                                                 \
    (ROAM_BIT(ROAM_HEADER_PROTOCOL_VERSION) | ROAM_BIT(ROAM_HEADER_SENDER_ID) |                    \
     ROAM_BIT(ROAM_HEADER_RECEIVER_ID) | ROAM_BIT(ROAM_HEADER_TRANSACTION_ID) |                    \
     ROAM_BIT(ROAM_HEADER_MESSAGE_TYPE))

bool roam_is_answerable(const struct roam_message *request)
{
    return (request->header.has & ANSWERABLE) == ANSWERABLE &&
           roam_type_is_request(request->header.type);
}

void roam_message_init(struct roam_message *message, enum roam_version version, enum roam_type type,
                       uint32_t transaction_id)
{
    *message = (struct roam_message){
        .header = {.has = ANSWERABLE,
                   .protocol_version = roam_version_text(version),
                   .sender.text = "",
                   .receiver.text = "",
                   .transaction_id = transaction_id,
                   .type = (uint8_t)type},
    };
}

/* The presence of one member for another. */
static uint64_t moved(uint64_t has, unsigned from, unsigned to)
{
    return (has >> from & 1) << to;
}

void roam_answer_init(struct roam_message *answer, const struct roam_message *request,
                      struct roam_fault result)
{
    const struct roam_header *from = &request->header;

    assert(roam_is_answerable(request));
    *answer = (struct roam_message){
        .header = {.has = ANSWERABLE | ROAM_BIT(ROAM_HEADER_RESULT) |
                          moved(from->has, ROAM_HEADER_SENDER_NSID, ROAM_HEADER_RECEIVER_NSID) |
                          moved(from->has, ROAM_HEADER_RECEIVER_NSID, ROAM_HEADER_SENDER_NSID) |
                          moved(from->has, ROAM_HEADER_SENDER_TOKEN, ROAM_HEADER_RECEIVER_TOKEN) |
                          moved(from->has, ROAM_HEADER_RECEIVER_TOKEN, ROAM_HEADER_SENDER_TOKEN),
                   .protocol_version = roam_version_text(roam_version_of(from->protocol_version)),
                   .sender = from->receiver,
                   .receiver = from->sender,
                   .transaction_id = from->transaction_id,
                   .type = (uint8_t)(from->type + 1),
                   .sender_nsid = from->receiver_nsid,
                   .receiver_nsid = from->sender_nsid,
                   .sender_token = from->receiver_token,
                   .receiver_token = from->sender_token,
                   .result = {.has = ROAM_BIT(ROAM_RESULT_CODE), .code = (uint8_t)result.code}},
    };
    if (!result.description)
        return;
    answer->header.result.description = result.description;
    roam_put(&answer->header.result, ROAM_RESULT_DESCRIPTION);
}

void roam_message_wipe(struct roam_message *message)
{
    field_wipe(roam_type_fields(message->header.type), &message->empty);
}
