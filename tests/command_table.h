/*
 * command_table.h - what must hold of every table of commands (lorawan/command.h).
 */
#pragma once

#include "lorawan/command.h"
#include "tests/suite.h"

#include <string.h>

static inline uint32_t table_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static inline void field_is_sound(const struct lw_command *def, const struct lw_field *field,
                                  uint8_t used[LW_COMMAND_MAX])
{
    ck_assert_msg(field->offset + field->size <= def->size, "%s.%s", def->name, field->name);
    if (lw_field_is_number(field)) {
        ck_assert_msg(field->width && field->width <= 32, "%s.%s", def->name, field->name);
        ck_assert(field->size == 1 || field->size == 2 || field->size == 4);
        ck_assert_msg(field->encoding == LW_HZ || 8 * field->size >= field->width,
                      "%s.%s too small", def->name, field->name);
        ck_assert(field->scale == 1 || field->scale == -1);
        ck_assert(def->more || field->bit + field->width <= 8 * def->length);
    } else if (field->encoding == LW_HEX) {
        ck_assert_uint_eq(field->width, 8 * field->size);
        ck_assert_uint_le(field->bit + field->width, 8 * def->length);
    } else {
        ck_assert_ptr_null(field[1].name); /* takes the rest */
        ck_assert_uint_eq(field->bit, 8 * def->length);
    }
    for (unsigned bit = field->bit; bit < (unsigned)field->bit + field->width; bit++) {
        ck_assert_msg(!(used[bit / 8] & 1 << bit % 8), "%s.%s overlaps", def->name, field->name);
        used[bit / 8] |= (uint8_t)(1 << bit % 8);
    }
}

static inline void command_is_sound(const struct lw_command *def)
{
    uint8_t used[LW_COMMAND_MAX] = {0};
    bool in_tail = false;

    ck_assert_int_eq(!def->size, !def->fields[0].name);
    for (const struct lw_field *field = def->fields; field->name; field++) {
        field_is_sound(def, field, used);
        in_tail = in_tail || field->bit / 8 >= def->length;
        ck_assert_msg(in_tail == (field->bit / 8 >= def->length), "%s: order", def->name);
        if (field->encoding == LW_LIST)
            command_is_sound(field->item);
    }
    ck_assert_int_eq(in_tail, def->more || def->flags & LW_COMMAND_TO_END);
}

static inline void table_is_sound(const struct lw_commands *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct lw_command *def = &table->rows[i];

        ck_assert(i == 0 || def->cid >= def[-1].cid);
        ck_assert_ptr_eq(
            lw_command_find(table, (enum lw_direction)def->direction, def->cid, def->since), def);
        ck_assert_ptr_eq(
            lw_command_by_name(table, (enum lw_direction)def->direction, def->name, def->since),
            def);
        command_is_sound(def);
    }
}

/* The payload as it is when reserved bits are 0: read into the struct and written again. */
static inline struct bytes rewritten(const struct lw_command *def, struct bytes payload,
                                     uint8_t out[1 + LW_COMMAND_MAX])
{
    _Alignas(8) uint8_t room[512];
    struct wr wr = wr_of(out, 1 + LW_COMMAND_MAX);

    memset(room, 0xa5, sizeof(room));
    ck_assert_uint_le(def->size, sizeof(room));
    ck_assert(lw_command_read(def, payload, room));
    lw_command_write(def, &wr, room);
    ck_assert_msg(!wr.failed, "%s was read but cannot be written", def->name);
    ck_assert_uint_eq(out[0], def->cid);
    return (struct bytes){out + 1, wr_len(&wr) - 1};
}

/* Numbers mean the same before and after; the second time nothing changes any more. */
static inline void round_trip(const struct lw_command *def, struct bytes payload)
{
    uint8_t first[1 + LW_COMMAND_MAX], second[1 + LW_COMMAND_MAX];
    struct bytes once = rewritten(def, payload, first);

    ck_assert_msg(once.n == payload.n, "%s: %zu octets, were %zu", def->name, once.n, payload.n);
    for (const struct lw_field *field = def->fields; field->name; field++) {
        if (lw_field_is_number(field))
            ck_assert_msg(lw_field_get(field, once) == lw_field_get(field, payload), "%s.%s",
                          def->name, field->name);
        else if (field->encoding != LW_LIST)
            ck_assert_msg(bytes_equal(lw_field_range(field, once), lw_field_range(field, payload)),
                          "%s.%s", def->name, field->name);
    }
    ck_assert(bytes_equal(rewritten(def, once, second), once));
}

/* Random payloads of every command; cut ones must be refused. */
static inline void table_round_trips(const struct lw_commands *table, unsigned rounds)
{
    uint32_t seed = 20261121;

    for (size_t i = 0; i < table->count * rounds; i++) {
        const struct lw_command *def = &table->rows[i % table->count];
        uint8_t stream[1 + LW_COMMAND_MAX];
        struct lw_cmd_iter iter = {
            .table = table, .direction = def->direction, .version = def->since};
        struct lw_cmd cmd;
        _Alignas(8) uint8_t room[512];

        for (size_t k = 0; k < sizeof(stream); k++)
            stream[k] = (uint8_t)table_random(&seed);
        stream[0] = def->cid;
        iter.stream = (struct bytes){stream, 1 + table_random(&seed) % LW_COMMAND_MAX};
        if (!lw_cmd_next(&iter, &cmd)) {
            ck_assert_int_eq(iter.stop, LW_CMD_TRUNCATED);
            continue;
        }
        ck_assert_ptr_eq(cmd.def, def);
        round_trip(def, cmd.payload);
        if (def->length)
            ck_assert(!lw_command_read(def, (struct bytes){cmd.payload.p, def->length - 1u}, room));
    }
}
