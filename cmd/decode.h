/*
 * decode.h - the parts of `godwit decode` that print what is within a frame, or was taken out of
 * one. All print to standard output.
 */
#pragma once

#include "lorawan/command.h"
#include "lorawan/frame.h"

/* "name           text"; an empty name for a remark on the line above. */
void decode_line(const char *name, const char *text);
void decode_hex(const char *name, struct bytes b);

#define DECODE_VERSION_MAX 254 /* of a package */

/* A whole number up to `most`, decimal or with 0x before it; false if it is none. */
bool decode_number(const char *text, uint32_t most, uint32_t *to);

struct decode_flag {
    const char *flag;
    const char **to; /* set to what follows */
};

/* Reads a command line; what is no flag goes to `hex`, once (NULL: not at all). */
bool decode_flags(int argc, char **argv, const struct decode_flag *flags, size_t count,
                  const char **hex);

/* MAC commands, one a line, and where they stop to make sense. */
void decode_mac(struct bytes stream, enum lw_direction direction);

/* What a decrypted payload says by its port: MAC commands, a package's (`version` 0: the newest
 * known), what a relay forwards. Nothing for an application's port; false then. */
bool decode_payload(int port, struct bytes payload, enum lw_direction direction, unsigned version);

/* What a Join-Request, a Rejoin-Request and a join-accept are read by. */
struct decode_join {
    struct lw_key root;  /* AppKey, of 1.1 devices NwkKey */
    struct lw_key s_nwk; /* SNwkSIntKey, for rejoins of type 0 and 2 */
    bool has_root, has_s_nwk;
    const struct lw_frame *request; /* to which the join-accept answers; may be NULL */
    struct lw_eui join_eui;         /* if the request does not name it */
};

void decode_join(const struct lw_frame *frame, const struct decode_join *join);

/* A frame within a relay's payload, or the frame itself without keys. */
void decode_nested(struct bytes phy);

/* decode --beacon SF HEX, decode --port N HEX [--down] [--package-version V]: exit status. */
int decode_part(int argc, char **argv);
/* decode --wor HEX [...]: the same. */
int decode_wor(int argc, char **argv);
