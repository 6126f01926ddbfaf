/*
 * command.c - the codec that reads the rows.
 *
 * Numbers go through int64_t, which holds every field's values; whether one fits is decided once,
 * in raw_of, and a command that has one that does not is not begun.
 */
#include "lorawan/command.h"

#include <openssl/crypto.h>
#include <string.h>

#define HZ_UNIT      100u
#define HZ_UNIT_WIDE 200u
#define HZ_WIDE      2400000000u /* from here on the unit is 200 Hz */
#define U24_WIDE     (HZ_WIDE / HZ_UNIT_WIDE)
#define U24_MAX      0xffffffu

/* ---- rows and streams ------------------------------------------------------------------------ */

static bool has_version(const struct lw_command *def, unsigned version)
{
    return !version || (def->since <= version && (!def->until || version <= def->until));
}

/* Rows stand in order of CID and are some tens: a scan is as good as an index. */
const struct lw_command *lw_command_find(const struct lw_commands *table,
                                         enum lw_direction direction, uint8_t cid, unsigned version)
{
    for (size_t i = 0; i < table->count && table->rows[i].cid <= cid; i++) {
        const struct lw_command *def = &table->rows[i];

        if (def->cid == cid && def->direction == direction && has_version(def, version))
            return def;
    }
    return NULL;
}

const struct lw_command *lw_command_by_name(const struct lw_commands *table,
                                            enum lw_direction direction, const char *name,
                                            unsigned version)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct lw_command *def = &table->rows[i];

        if (def->direction == direction && !strcmp(def->name, name) && has_version(def, version))
            return def;
    }
    return NULL;
}

/* Octets of the payload that `rest` begins with; SIZE_MAX: it is cut, or its length is nonsense. */
static size_t payload_length(const struct lw_command *def, struct bytes rest)
{
    size_t more;

    if (rest.n < def->length)
        return SIZE_MAX;
    if (def->flags & LW_COMMAND_TO_END)
        return rest.n;
    more = def->more ? def->more(rest.p) : 0;
    return more > rest.n - def->length ? SIZE_MAX : def->length + more;
}

bool lw_cmd_next(struct lw_cmd_iter *iter, struct lw_cmd *cmd)
{
    struct bytes rest;
    size_t length;

    iter->stop = LW_CMD_END;
    if (iter->at >= iter->stream.n)
        return false;
    cmd->cid = iter->stream.p[iter->at];
    cmd->def = lw_command_find(iter->table, iter->direction, cmd->cid, iter->version);
    if (!cmd->def) {
        iter->stop = LW_CMD_UNKNOWN;
        return false;
    }
    rest = (struct bytes){iter->stream.p + iter->at + 1, iter->stream.n - iter->at - 1};
    length = payload_length(cmd->def, rest);
    if (length == SIZE_MAX) {
        iter->stop = LW_CMD_TRUNCATED;
        return false;
    }
    cmd->payload = (struct bytes){rest.p, length};
    iter->at += 1 + length;
    return true;
}

/* ---- frequencies ----------------------------------------------------------------------------- */

enum err lw_hz_to_u24(uint32_t hz, uint32_t *u24)
{
    bool wide = hz >= HZ_WIDE;
    uint32_t unit = wide ? HZ_UNIT_WIDE : HZ_UNIT;

    if (hz % unit || hz / unit > (wide ? U24_MAX : U24_WIDE - 1))
        return ERR_INVALID;
    *u24 = hz / unit;
    return OK;
}

/* 2.4 GHz in steps of 200 Hz is 12 million, which in steps of 100 Hz would be 1.2 GHz: no region
 * lies between, so the value tells its own unit. */
uint32_t lw_hz_of_u24(uint32_t u24)
{
    return u24 >= U24_WIDE ? u24 * HZ_UNIT_WIDE : u24 * HZ_UNIT;
}

/* ---- one field in a payload ------------------------------------------------------------------ */

const struct lw_field *lw_field(const struct lw_command *def, const char *name)
{
    for (const struct lw_field *field = def->fields; field->name; field++) {
        if (!strcmp(field->name, name))
            return field;
    }
    return NULL;
}

bool lw_field_is_number(const struct lw_field *field)
{
    return field->encoding < LW_HEX;
}

static size_t field_at(const struct lw_field *field)
{
    return field->bit / 8u;
}

static size_t field_end(const struct lw_field *field)
{
    return ((size_t)field->bit + field->width + 7) / 8;
}

static uint64_t field_mask(const struct lw_field *field)
{
    return ((uint64_t)1 << field->width) - 1;
}

/* Fields are at most 32 bits wide and so lie in five octets. */
static uint64_t raw_get(const struct lw_field *field, const uint8_t *payload)
{
    uint64_t v = 0;

    for (size_t i = field_end(field); i-- > field_at(field);)
        v = v << 8 | payload[i];
    return (v >> (field->bit % 8)) & field_mask(field);
}

static void raw_put(const struct lw_field *field, uint8_t *payload, uint64_t raw)
{
    uint64_t mask = field_mask(field) << (field->bit % 8);
    uint64_t v = raw << (field->bit % 8);

    for (size_t i = field_at(field); i < field_end(field); i++) {
        payload[i] = (uint8_t)((payload[i] & ~mask) | (v & mask));
        mask >>= 8;
        v >>= 8;
    }
}

int64_t lw_field_get(const struct lw_field *field, struct bytes payload)
{
    uint64_t raw;

    if (payload.n < field_end(field))
        return 0;
    raw = raw_get(field, payload.p);
    switch (field->encoding) {
    case LW_TWOS: return (int64_t)raw - (int64_t)((raw >> (field->width - 1)) << field->width);
    case LW_HZ: return lw_hz_of_u24((uint32_t)raw);
    default: return (int64_t)raw * field->scale + field->base;
    }
}

/* The raw value, or one that fits no field. No field is wider than 32 bits. */
static uint64_t raw_of(const struct lw_field *field, int64_t value)
{
    int64_t half = (int64_t)1 << (field->width - 1);
    uint32_t u24 = 0;

    if (value < INT32_MIN || value > UINT32_MAX)
        return UINT64_MAX;
    switch (field->encoding) {
    case LW_TWOS:
        return value < -half || value >= half ? UINT64_MAX : (uint64_t)value & field_mask(field);
    case LW_HZ: return value < 0 || lw_hz_to_u24((uint32_t)value, &u24) != OK ? UINT64_MAX : u24;
    default: return (uint64_t)((value - field->base) * field->scale);
    }
}

enum err lw_field_put(const struct lw_field *field, uint8_t *payload, size_t n, int64_t value)
{
    uint64_t raw;

    if (!lw_field_is_number(field) || n < field_end(field))
        return ERR_INVALID;
    raw = raw_of(field, value);
    if (raw > field_mask(field))
        return ERR_INVALID;
    raw_put(field, payload, raw);
    return OK;
}

struct bytes lw_field_range(const struct lw_field *field, struct bytes payload)
{
    size_t at = field_at(field);
    size_t end = field->encoding == LW_HEX ? field_end(field) : payload.n;

    if (at > end || end > payload.n)
        return (struct bytes){0};
    return (struct bytes){payload.p + at, end - at};
}

/* ---- members of a struct --------------------------------------------------------------------- */

static void store(const struct lw_field *field, uint8_t *member, int64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;

    switch (field->size) {
    case 1: memcpy(member, &u8, 1); break;
    case 2: memcpy(member, &u16, 2); break;
    default: memcpy(member, &u32, 4); break;
    }
}

/* A member is signed where values can be negative. */
static bool has_sign(const struct lw_field *field)
{
    return field->encoding == LW_TWOS || field->base < 0;
}

static int64_t load(const struct lw_field *field, const uint8_t *member)
{
    unsigned bits = 8u * field->size;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;

    switch (field->size) {
    case 1:
        memcpy(&u8, member, 1);
        u32 = u8;
        break;
    case 2:
        memcpy(&u16, member, 2);
        u32 = u16;
        break;
    default: memcpy(&u32, member, 4); break;
    }
    if (has_sign(field) && u32 >> (bits - 1))
        return (int64_t)u32 - ((int64_t)1 << bits);
    return u32;
}

static void copy_reversed(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[n - 1 - i];
}

/* ---- structs --------------------------------------------------------------------------------- */

static void read_fields(const struct lw_command *def, struct bytes payload, uint8_t *to);

static void read_list(const struct lw_field *field, struct bytes range, uint8_t *member)
{
    const struct lw_command *item = field->item;

    for (size_t i = 0; i < range.n / item->length; i++)
        read_fields(item, (struct bytes){range.p + i * item->length, item->length},
                    member + i * item->size);
}

static void read_range(const struct lw_field *field, struct bytes payload, uint8_t *member)
{
    struct bytes range = lw_field_range(field, payload);

    switch (field->encoding) {
    case LW_REST: memcpy(member, &range, sizeof(range)); break;
    case LW_LIST: read_list(field, range, member); break;
    case LW_PREFIX: copy_reversed(member, range.p, range.n); break;
    default: memcpy(member, payload.p + field_at(field), field->size); break;
    }
}

static void read_fields(const struct lw_command *def, struct bytes payload, uint8_t *to)
{
    for (const struct lw_field *field = def->fields; field->name; field++) {
        if (lw_field_is_number(field))
            store(field, to + field->offset, lw_field_get(field, payload));
        else
            read_range(field, payload, to + field->offset);
    }
}

bool lw_command_read(const struct lw_command *def, struct bytes payload, void *to)
{
    payload.n = payload_length(def, payload);
    if (payload.n == SIZE_MAX)
        return false;
    memset(to, 0, def->size);
    read_fields(def, payload, to);
    return true;
}

/* A payload under way. */
struct draft {
    uint8_t p[LW_COMMAND_MAX];
    size_t n;
};

static bool write_field(const struct lw_field *field, struct draft *draft, const uint8_t *from);

static bool write_list(const struct lw_field *field, struct draft *draft, const uint8_t *member)
{
    const struct lw_command *item = field->item;
    bool good = true;

    for (size_t at = field_at(field); at < draft->n; at += item->length, member += item->size) {
        struct draft one = {.n = item->length};

        for (const struct lw_field *part = item->fields; part->name; part++)
            good = write_field(part, &one, member) && good;
        memcpy(draft->p + at, one.p, one.n);
    }
    return good;
}

/* A number that lies behind the end is one that is not sent. */
static bool write_field(const struct lw_field *field, struct draft *draft, const uint8_t *from)
{
    const uint8_t *member = from + field->offset;
    size_t at = field_at(field);
    struct bytes rest;

    switch (field->encoding) {
    case LW_HEX: memcpy(draft->p + at, member, field->size); return true;
    case LW_PREFIX: copy_reversed(draft->p + at, member, draft->n - at); return true;
    case LW_LIST: return write_list(field, draft, member);
    case LW_REST:
        memcpy(&rest, member, sizeof(rest));
        if (rest.n)
            memcpy(draft->p + at, rest.p, rest.n);
        return true;
    default:
        return field_end(field) > draft->n ||
               lw_field_put(field, draft->p, draft->n, load(field, member)) == OK;
    }
}

/* Octets that follow the fixed part, which is written; SIZE_MAX if there is no room for them. */
static size_t tail_length(const struct lw_command *def, const struct draft *draft,
                          const uint8_t *from)
{
    const struct lw_field *last = def->fields;
    struct bytes rest;

    if (!(def->flags & LW_COMMAND_TO_END))
        return def->more ? def->more(draft->p) : 0;
    while (last[1].name)
        last++;
    memcpy(&rest, from + last->offset, sizeof(rest));
    return rest.n <= LW_COMMAND_MAX - draft->n ? rest.n : SIZE_MAX;
}

static bool draft_command(const struct lw_command *def, struct draft *draft, const uint8_t *from)
{
    const struct lw_field *field = def->fields;
    size_t more;

    draft->n = def->length;
    for (; field->name && field_at(field) < def->length; field++) {
        if (!write_field(field, draft, from))
            return false;
    }
    more = tail_length(def, draft, from);
    if (more == SIZE_MAX)
        return false;
    draft->n += more;
    for (; field->name; field++) {
        if (!write_field(field, draft, from))
            return false;
    }
    return true;
}

void lw_command_write(const struct lw_command *def, struct wr *wr, const void *from)
{
    struct draft draft = {0};

    if (!draft_command(def, &draft, from) || (size_t)(wr->end - wr->p) < draft.n + 1) {
        wr->failed = true;
    } else {
        wr_u8(wr, def->cid);
        wr_copy(wr, draft.p, draft.n);
    }
    /* It may hold a key: RootWorSKey for a relay. */
    OPENSSL_cleanse(draft.p, draft.n);
}
