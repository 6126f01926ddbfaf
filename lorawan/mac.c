/*
 * mac.c - iteration over a stream of MAC commands, and the field codec that reads the table.
 */
#include "lorawan/mac.h"

#include <string.h>

#define HZ_WIDE      1200000000u /* from here on the unit is 200 Hz */
#define HZ_UNIT      100u
#define HZ_UNIT_WIDE 200u
#define U24_MAX      0xffffffu
#define FILTER_LEN   0x1f /* FilterListReq: length of the EUI in the first octet */
#define FILTER_MOST  16

struct lw_mac_iter lw_mac_iter_of(struct bytes stream, enum lw_direction direction)
{
    return (struct lw_mac_iter){.stream = stream, .direction = (uint8_t)direction};
}

/* Octets of the payload, SIZE_MAX if that cannot be told. `rest` begins after the CID. */
static size_t payload_length(const struct lw_mac_def *def, struct bytes rest)
{
    if (def->length != LW_MAC_VARIABLE)
        return def->length;
    if (rest.n < 2 || (rest.p[0] & FILTER_LEN) > FILTER_MOST)
        return SIZE_MAX;
    return 2 + (size_t)(rest.p[0] & FILTER_LEN);
}

bool lw_mac_next(struct lw_mac_iter *iter, struct lw_mac_cmd *cmd)
{
    struct bytes rest;
    size_t length;

    iter->stop = LW_MAC_END;
    if (iter->at >= iter->stream.n)
        return false;
    cmd->cid = iter->stream.p[iter->at];
    cmd->def = lw_mac_def(iter->direction, cmd->cid);
    if (!cmd->def) {
        iter->stop = LW_MAC_UNKNOWN;
        return false;
    }
    rest = (struct bytes){iter->stream.p + iter->at + 1, iter->stream.n - iter->at - 1};
    length = payload_length(cmd->def, rest);
    if (length > rest.n) {
        iter->stop = LW_MAC_TRUNCATED;
        return false;
    }
    cmd->payload = (struct bytes){rest.p, length};
    iter->at += 1 + length;
    return true;
}

bool lw_mac_stream_valid(struct bytes stream, enum lw_direction direction)
{
    struct lw_mac_iter iter = lw_mac_iter_of(stream, direction);
    struct lw_mac_cmd cmd;

    while (lw_mac_next(&iter, &cmd))
        ;
    return iter.stop == LW_MAC_END;
}

/* ---- frequencies ----------------------------------------------------------------------------- */

enum err lw_hz_to_u24(uint32_t hz, uint32_t *u24)
{
    uint32_t unit = hz >= HZ_WIDE ? HZ_UNIT_WIDE : HZ_UNIT;

    if (hz % unit || hz / unit > U24_MAX)
        return ERR_INVALID;
    *u24 = hz / unit;
    return OK;
}

/* 2.4 GHz in steps of 200 Hz is 12 million, which in steps of 100 Hz would be 1.2 GHz: no region
 * lies between, so the value tells its own unit. */
uint32_t lw_hz_of_u24(uint32_t u24)
{
    return u24 >= HZ_WIDE / HZ_UNIT ? u24 * HZ_UNIT_WIDE : u24 * HZ_UNIT;
}

/* ---- fields ---------------------------------------------------------------------------------- */

const struct lw_mac_field *lw_mac_field(const struct lw_mac_def *def, const char *name)
{
    for (size_t i = 0; i < LW_MAC_FIELDS_MAX && def->fields[i].name; i++) {
        if (!strcmp(def->fields[i].name, name))
            return &def->fields[i];
    }
    return NULL;
}

static size_t field_end(const struct lw_mac_field *field)
{
    return ((size_t)field->bit + field->width + 7) / 8;
}

static uint64_t field_mask(const struct lw_mac_field *field)
{
    return ((uint64_t)1 << field->width) - 1;
}

/* Fields are at most 32 bits wide and so lie in five octets. */
static uint64_t raw_get(const struct lw_mac_field *field, const uint8_t *payload)
{
    uint64_t v = 0;

    for (size_t i = field_end(field); i-- > field->bit / 8u;)
        v = v << 8 | payload[i];
    return (v >> (field->bit % 8)) & field_mask(field);
}

static void raw_put(const struct lw_mac_field *field, uint8_t *payload, uint64_t raw)
{
    uint64_t mask = field_mask(field) << (field->bit % 8);
    uint64_t v = raw << (field->bit % 8);

    for (size_t i = field->bit / 8u; i < field_end(field); i++) {
        payload[i] = (uint8_t)((payload[i] & ~mask) | (v & mask));
        mask >>= 8;
        v >>= 8;
    }
}

int64_t lw_mac_get(const struct lw_mac_field *field, struct bytes payload)
{
    uint64_t raw;

    if (field->encoding == LW_MAC_HEX || payload.n < field_end(field))
        return 0;
    raw = raw_get(field, payload.p);
    switch (field->encoding) {
    case LW_MAC_SIGNED:
        return (int64_t)raw - (int64_t)((raw >> (field->width - 1)) << field->width);
    case LW_MAC_HZ: return lw_hz_of_u24((uint32_t)raw);
    case LW_MAC_NUMBER: return (int64_t)raw * (field->scale ? field->scale : 1) + field->base;
    default: return (int64_t)raw;
    }
}

/* The raw value, or one that fits no field. */
static uint64_t raw_of(const struct lw_mac_field *field, int64_t value)
{
    int64_t half = (int64_t)1 << (field->width - 1);
    uint32_t u24 = 0;

    switch (field->encoding) {
    case LW_MAC_SIGNED:
        return value < -half || value >= half ? UINT64_MAX : (uint64_t)value & field_mask(field);
    case LW_MAC_HZ:
        if (value < 0 || value > UINT32_MAX || lw_hz_to_u24((uint32_t)value, &u24) != OK)
            return UINT64_MAX;
        return u24;
    case LW_MAC_NUMBER: value = (value - field->base) * (field->scale ? field->scale : 1); break;
    default: break;
    }
    return (uint64_t)value;
}

enum err lw_mac_put(const struct lw_mac_field *field, uint8_t *payload, size_t n, int64_t value)
{
    uint64_t raw;

    if (field->encoding == LW_MAC_HEX || n < field_end(field))
        return ERR_INVALID;
    raw = raw_of(field, value);
    if (raw > field_mask(field))
        return ERR_INVALID;
    raw_put(field, payload, raw);
    return OK;
}

struct bytes lw_mac_get_range(const struct lw_mac_field *field, struct bytes payload)
{
    size_t at = field->bit / 8u;
    size_t n = field->width / 8u;

    if (field->encoding != LW_MAC_HEX || payload.n < at + n)
        return (struct bytes){0};
    return (struct bytes){payload.p + at, n ? n : payload.n - at};
}

enum err lw_mac_put_range(const struct lw_mac_field *field, uint8_t *payload, size_t n,
                          struct bytes value)
{
    size_t at = field->bit / 8u;

    if (field->encoding != LW_MAC_HEX || n < at + value.n)
        return ERR_INVALID;
    if (field->width && value.n != field->width / 8u)
        return ERR_INVALID;
    if (value.n)
        memcpy(payload + at, value.p, value.n);
    return OK;
}
