/*
 * decode_message.c - `decode --ts002`: what a message of another operator's server says, what is
 * wrong with it, and how it would be printed for a peer. Keys in it are not shown.
 */
#include "cmd/cmd.h"
#include "lorawan/frame.h"
#include "roaming/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *file; /* "-": standard input */
    enum roam_dialect dialect;
    bool good;
};

static struct options parse(int argc, char **argv)
{
    struct options o = {.dialect = ROAM_STANDARD, .good = true};

    for (int i = 2; i < argc && o.good; i++) {
        if (!strcmp(argv[i], "--dialect") && i + 1 < argc) {
            o.dialect = 0;
            i++;
            while (o.dialect < ROAM_DIALECT_COUNT &&
                   strcmp(roam_dialect_text(o.dialect), argv[i]) != 0)
                o.dialect++;
        } else if (!o.file) {
            o.file = argv[i];
        } else {
            o.good = false;
        }
    }
    o.good = o.good && o.file && o.dialect < ROAM_DIALECT_COUNT;
    return o;
}

/* One octet more than a message may have, so that what is too long is seen to be. */
static bool read_all(const char *file, char *to, size_t room, size_t *n)
{
    FILE *in = strcmp(file, "-") != 0 ? fopen(file, "rbe") : stdin;
    bool good;

    if (!in)
        return false;
    *n = fread(to, 1, room, in);
    good = !ferror(in);
    if (in != stdin)
        (void)fclose(in);
    return good;
}

/* A peer's text, in which control characters are written as JSON escapes: the terminal must not
 * obey them. U+0080 to U+009f, of which some terminals obey a few, begin with c2 in UTF-8. */
static void put_text(const char *text, size_t n)
{
    for (const unsigned char *p = (const unsigned char *)text, *end = p + n; p < end; p++) {
        bool upper = *p == 0xc2 && end - p > 1 && p[1] < 0xa0;

        p += upper;
        if (upper || *p < 0x20 || *p == 0x7f)
            (void)printf("\\u%04x", *p);
        else
            (void)putchar(*p);
    }
}

static void line(const char *name, const char *text)
{
    (void)printf("%-14s ", name);
    put_text(text, strlen(text));
    (void)putchar('\n');
}

static const char *id_text(const struct roam_id *id)
{
    return id->text ? id->text : "(nobody)";
}

static void print_header(const struct roam_header *header)
{
    line("MessageType", roam_type_text((enum roam_type)header->type));
    line("version", header->protocol_version ? header->protocol_version : "(none)");
    line("from", id_text(&header->sender));
    line("to", id_text(&header->receiver));
    (void)printf("%-14s %u\n", "TransactionID", header->transaction_id);
}

static int print_fault(const struct roam_fault *fault)
{
    (void)printf("%-14s %s: %s\n", "wrong", roam_result_names_1_1[fault->code],
                 fault->description ? fault->description : roam_result_help(fault->code));
    return EXIT_FAILURE;
}

static int print_message(const struct roam_message *message, enum roam_dialect dialect)
{
    struct jw jw;
    struct bytes text;
    int status = EXIT_SUCCESS;

    jw_init(&jw, 2 * ROAM_BODY_MAX);
    if (!roam_dialect_takes(dialect, message->header.type))
        (void)printf("%-14s does not know this MessageType\n", roam_dialect_text(dialect));
    else if (roam_message_print(message, dialect, false, &jw) != OK)
        status = cmd_fail("it is too long to be printed");
    text = jw_bytes(&jw);
    if (!status && text.n) {
        put_text((const char *)text.p, text.n);
        (void)putchar('\n');
    }
    jw_free(&jw);
    return status;
}

static int explain(const char *text, size_t n, enum roam_dialect dialect, struct arena *arena)
{
    struct roam_message message;
    struct roam_fault fault = {.code = ROAM_SUCCESS};
    enum err err = roam_message_read(text, n, arena, &message, &fault);
    int status;

    if (!err || roam_is_answerable(&message))
        print_header(&message.header);
    if (!err)
        err = roam_validate(&message, ROAM_RECEIVED, arena, &fault);
    status = err ? print_fault(&fault) : print_message(&message, dialect);
    roam_message_wipe(&message);
    return status;
}

int cmd_decode_message(int argc, char **argv)
{
    struct options o = parse(argc, argv);
    struct arena arena;
    char *text;
    size_t n = 0;
    int status;

    if (!o.good)
        return cmd_wrong(argv[0], "--ts002 takes a FILE (- for standard input) and --dialect "
                                  "standard, chirpstack, tts or helium");
    arena_init(&arena, ROAM_ARENA_ROOM + ROAM_BODY_MAX + 64);
    text = arena_alloc(&arena, ROAM_BODY_MAX + 1);
    status = read_all(o.file, text, ROAM_BODY_MAX + 1, &n) ? explain(text, n, o.dialect, &arena)
                                                           : cmd_fail("%s cannot be read", o.file);
    arena_reset(&arena);
    return status;
}
