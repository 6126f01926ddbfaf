/*
 * command.h - commands as rows of a table: one codec for the MAC (lorawan/mac.h, TS001 5) and for
 * the application packages (package/package.h).
 *
 * A command is an octet CID and a payload whose length is implied. Its row names the fields of the
 * payload by bit, width and encoding and where each stands in the command's struct; from it a
 * stream is cut into commands, a payload becomes a struct and a struct a payload, and people are
 * told what it says. So no layout is written twice, and reading is the inverse of writing. Pure;
 * nothing allocates; ranges that were read borrow from the payload.
 */
#pragma once

#include "core/bytes.h"
#include "core/err.h"
#include "lorawan/types.h"

#include <stddef.h>

enum lw_encoding {
    LW_NUMBER, /* value = raw * scale + base */
    LW_TWOS,   /* two's complement of the width */
    LW_HZ,     /* 24 bits: lw_hz_to_u24 */
    LW_ADDR,   /* DevAddr */
    LW_GPS,    /* seconds of GPS time */
    LW_CLASS,  /* 0 A, 1 B, 2 C */
    LW_HEX,    /* whole octets as on air; in the struct an array or key of that size */
    LW_PREFIX, /* octets to the end of the command, on air reversed; in the struct an array */
    LW_REST,   /* octets to the end of the command as on air; in the struct a struct bytes */
    LW_LIST,   /* as many items as there are; in the struct an array of the item's struct */
};

/* A field. Bit n is bit n % 8 of octet n / 8 (little-endian numbering). */
struct lw_field {
    const char *name; /* of the member too */
    uint8_t bit, width;
    uint8_t encoding;              /* enum lw_encoding */
    int8_t scale, base;            /* LW_NUMBER: scale is 1 or -1 */
    uint8_t size;                  /* of the member; 1, 2 or 4 if it is a number */
    uint16_t offset;               /* of the member */
    const struct lw_command *item; /* LW_LIST: one item, a command without CID */
};

/* A row: a command, or one item of a list. */
struct lw_command {
    uint8_t cid;
    uint8_t direction; /* enum lw_direction */
    uint8_t length;    /* octets after the CID that are always there */
    uint8_t flags;
    uint8_t since, until; /* versions that have this form (until 0: all later ones) */
    const char *name;
    size_t size;                          /* of its struct; 0: no fields */
    size_t (*more)(const uint8_t *fixed); /* octets after those, from what they say; SIZE_MAX:
                                             nonsense. NULL: none, or LW_COMMAND_TO_END */
    const struct lw_field *fields;        /* ends with a NULL name; never NULL */
};

#define LW_COMMAND_TO_END 0x80 /* flag: takes all octets there are, at least `length` */
#define LW_COMMAND_MAX    242  /* octets of a payload: no frame carries more */

struct lw_commands {
    const struct lw_command *rows; /* in order of CID */
    size_t count;
};

/* The row of a command in a version (0: in any, the first), NULL if unknown. */
const struct lw_command *lw_command_find(const struct lw_commands *table,
                                         enum lw_direction direction, uint8_t cid,
                                         unsigned version);
const struct lw_command *lw_command_by_name(const struct lw_commands *table,
                                            enum lw_direction direction, const char *name,
                                            unsigned version);

/* ---- streams --------------------------------------------------------------------------------- */

struct lw_cmd {
    uint8_t cid;
    const struct lw_command *def;
    struct bytes payload; /* without the CID, borrowed */
};

enum lw_cmd_stop { LW_CMD_END, LW_CMD_UNKNOWN, LW_CMD_TRUNCATED };

/* Lengths are implicit, hence the first unknown or truncated command ends the stream; those before
 * it stay valid (TS001 5). */
struct lw_cmd_iter {
    const struct lw_commands *table;
    struct bytes stream;
    size_t at;         /* offset of the next command; where it stopped */
    uint8_t direction; /* enum lw_direction */
    uint8_t version;
    uint8_t stop; /* enum lw_cmd_stop, valid after lw_cmd_next gave false */
};

bool lw_cmd_next(struct lw_cmd_iter *iter, struct lw_cmd *cmd);

/* ---- fields and structs ---------------------------------------------------------------------- */

const struct lw_field *lw_field(const struct lw_command *def, const char *name);

/* Whether it is a number (to LW_CLASS) and not a range of octets. */
bool lw_field_is_number(const struct lw_field *field);
/* The value of a number; 0 if the payload is too short. */
int64_t lw_field_get(const struct lw_field *field, struct bytes payload);
/* The octets of a range as on air. */
struct bytes lw_field_range(const struct lw_field *field, struct bytes payload);
/* Puts a number into a payload of `n` octets. ERR_INVALID if it does not fit. */
MUST_CHECK enum err lw_field_put(const struct lw_field *field, uint8_t *payload, size_t n,
                                 int64_t value);

/* The payload of a command as its struct. false: too short, or its length makes no sense. */
bool lw_command_read(const struct lw_command *def, struct bytes payload, void *to);

/* Appends CID and payload, whole or not at all: a value that does not fit its field, or no room,
 * fails the writer. Members of octets that are not sent (a time after an error) do not count. */
void lw_command_write(const struct lw_command *def, struct wr *wr, const void *from);

/* A frequency in Hz as 24 bits and back: in units of 100 Hz below 1.2 GHz, of 200 Hz from 2.4 GHz
 * on. ERR_INVALID between these, above 3.3 GHz, or if it is no multiple of the unit. */
MUST_CHECK enum err lw_hz_to_u24(uint32_t hz, uint32_t *u24);
uint32_t lw_hz_of_u24(uint32_t u24);

/* ---- rows ------------------------------------------------------------------------------------ */
/* Columns of a field in the tables: struct, member, first bit, width. */

/* clang-format off */
#define LW_FIELD_ROW(type, member, bit, width, encoding, scale, base, item)                        \
    {#member, bit, width, encoding, scale, base, sizeof(((struct type *)0)->member),               \
     offsetof(struct type, member), item}
#define LW_NUM(type, member, bit, width)    LW_FIELD_ROW(type, member, bit, width, LW_NUMBER, 1, 0, NULL)
#define LW_LINEAR(type, member, bit, width, scale, base)                                           \
    LW_FIELD_ROW(type, member, bit, width, LW_NUMBER, scale, base, NULL)
#define LW_SIGNED(type, member, bit, width) LW_FIELD_ROW(type, member, bit, width, LW_TWOS, 1, 0, NULL)
#define LW_FREQ(type, member, bit)          LW_FIELD_ROW(type, member, bit, 24, LW_HZ, 1, 0, NULL)
#define LW_DEVADDR(type, member, bit)       LW_FIELD_ROW(type, member, bit, 32, LW_ADDR, 1, 0, NULL)
#define LW_TIME(type, member, bit)          LW_FIELD_ROW(type, member, bit, 32, LW_GPS, 1, 0, NULL)
#define LW_MODE(type, member, bit)          LW_FIELD_ROW(type, member, bit, 8, LW_CLASS, 1, 0, NULL)
#define LW_OCTETS(type, member, bit, width) LW_FIELD_ROW(type, member, bit, width, LW_HEX, 1, 0, NULL)
#define LW_TURNED(type, member, bit)        LW_FIELD_ROW(type, member, bit, 0, LW_PREFIX, 1, 0, NULL)
#define LW_TAIL(type, member, bit)          LW_FIELD_ROW(type, member, bit, 0, LW_REST, 1, 0, NULL)
#define LW_ITEMS(type, member, bit, item)   LW_FIELD_ROW(type, member, bit, 0, LW_LIST, 1, 0, item)
/* clang-format on */
