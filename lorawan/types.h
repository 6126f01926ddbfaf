/*
 * types.h - the value types of LoRaWAN: identifiers and keys.
 *
 * Identifiers are kept as numbers in host order, in the sense of their usual text form (most
 * significant byte first); on air all are little-endian (TS001 3: octet order) and turned round by
 * lorawan/frame. Wrapped in structs so that a DevAddr is never passed for a NetID.
 * Keys are 16 raw bytes; never logged, wiped with lw_key_wipe when their holder ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lw_eui {
    uint64_t v; /* 70b3d57ed0001122 is 0x70b3d57ed0001122 */
};

struct lw_dev_addr {
    uint32_t v;
};

struct lw_net_id {
    uint32_t v; /* 24 bits */
};

struct lw_key {
    uint8_t b[16];
};

#define LW_EUI_TEXT      17 /* with the closing NUL */
#define LW_DEV_ADDR_TEXT 9
#define LW_PHY_MAX       255 /* octets of a PHYPayload */
#define LW_PHY_MIN_DATA  12

static inline bool lw_eui_equal(struct lw_eui a, struct lw_eui b)
{
    return a.v == b.v;
}

/* Text forms: lower-case hex, most significant byte first. `to` has LW_*_TEXT bytes. */
char *lw_eui_text(char *to, struct lw_eui eui);
char *lw_dev_addr_text(char *to, struct lw_dev_addr addr);

void lw_key_wipe(struct lw_key *key);
bool lw_key_is_zero(const struct lw_key *key);

/* LoRaWAN versions of a device, in order; the names stand in device profiles. */
/* clang-format off */
#define LW_VERSION_TABLE(X)                                                                        \
    X(LW_1_0_0, "1.0.0")                                                                           \
    X(LW_1_0_1, "1.0.1")                                                                           \
    X(LW_1_0_2, "1.0.2")                                                                           \
    X(LW_1_0_3, "1.0.3")                                                                           \
    X(LW_1_0_4, "1.0.4")                                                                           \
    X(LW_1_1_0, "1.1.0")

enum lw_version {
#define X(name, text) name,
    LW_VERSION_TABLE(X)
#undef X
    LW_VERSION_COUNT
};
/* clang-format on */

const char *lw_version_text(enum lw_version version);

enum lw_direction { LW_UP = 0, LW_DOWN = 1 };

enum lw_class { LW_CLASS_A = 0, LW_CLASS_B = 1, LW_CLASS_C = 2 };
