/*
 * dialect.h - what a kind of peer wants to be told differently. Reading knows no dialects: it takes
 * all of them.
 *
 *   standard    hex in lower case, no 0x
 *   chirpstack  GWInfo must always be there; a ServiceProfile must be complete, its id under
 *               another name as well; knows only the ResultCodes and MessageTypes of 1.0 it uses
 *   tts         The Things Stack: hex in upper case; takes 1.1 only with a SenderNSID
 *   helium      hex in upper case after 0x; a gateway's id is GWID
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define ROAM_DIALECT_TABLE(X)                                                                      \
    X(ROAM_STANDARD,   "standard")                                                                 \
    X(ROAM_CHIRPSTACK, "chirpstack")                                                               \
    X(ROAM_TTS,        "tts")                                                                      \
    X(ROAM_HELIUM,     "helium")

enum roam_dialect {
#define X(name, text) name,
    ROAM_DIALECT_TABLE(X)
#undef X
    ROAM_DIALECT_COUNT
};
/* clang-format on */

const char *roam_dialect_text(enum roam_dialect dialect);

struct field_style;

/* How members are printed; `version` is an enum roam_version (another one: as 1.1). */
struct field_style roam_dialect_style(enum roam_dialect dialect, unsigned version, bool secrets);

/* Whether such a peer reads this MessageType (enum roam_type) at all; what it does not read is not
 * sent. */
bool roam_dialect_takes(enum roam_dialect dialect, unsigned type);
