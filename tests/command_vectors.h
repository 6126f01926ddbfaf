/*
 * command_vectors.h - commands of vector files through the codec of lorawan/command.h.
 *
 * A vector gives the fields by names of its own (aliases lead to ours) and the octets. The
 * command's struct is filled from the fields member by member, must be written as these octets, and
 * what is read from them must be written as them again.
 */
#pragma once

#include "lorawan/command.h"
#include "tests/vectors.h"

struct vec_alias {
    const char *theirs, *ours;
};

/* Any command's struct, list and borrowed octets. */
struct vec_command {
    _Alignas(8) uint8_t room[256];
    uint8_t rest[512];
};

static inline const char *vec_ours(const struct vec_alias *aliases, const char *theirs)
{
    for (; aliases->theirs; aliases++) {
        if (!strcmp(aliases->theirs, theirs))
            return aliases->ours;
    }
    return theirs;
}

static inline void vec_store(const struct lw_field *field, uint8_t *member, int64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;

    memcpy(member,
           field->size == 1   ? (void *)&u8
           : field->size == 2 ? (void *)&u16
                              : (void *)&u32,
           field->size);
}

/* A number, a class letter, or a DevAddr as text; arrays are sets of bits. */
static inline int64_t vec_number(const struct lw_field *field, struct json_object *value)
{
    const char *text = json_object_get_string(value);
    int64_t mask = 0;

    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < vec_count(value); i++)
            mask |= (int64_t)1 << json_object_get_int(vec_at(value, i));
        return mask;
    }
    if (field->encoding == LW_CLASS)
        return text[0] - 'A';
    if (field->encoding == LW_ADDR)
        return (int64_t)strtoul(text, NULL, 16);
    return json_object_get_int64(value);
}

static inline void vec_member(const struct lw_field *field, struct json_object *value,
                              struct vec_command *to)
{
    const char *text = json_object_get_string(value);
    uint8_t *member = to->room + field->offset;
    struct bytes rest = {to->rest, 0};

    switch (field->encoding) {
    case LW_HEX: ck_assert(hex_read(member, field->size, text, strlen(text))); break;
    case LW_PREFIX: ck_assert(hex_read_any(member, field->size, text, strlen(text)) <= 16); break;
    case LW_REST:
        rest.n = hex_read_any(to->rest, sizeof(to->rest), text, strlen(text));
        memcpy(member, &rest, sizeof(rest));
        break;
    default: vec_store(field, member, vec_number(field, value)); break;
    }
}

/* The struct of a command from the members of a JSON object. */
static inline void vec_fill(const struct lw_command *def, struct json_object *fields,
                            const struct vec_alias *aliases, struct vec_command *to, const char *id)
{
    struct json_object_iterator at = json_object_iter_begin(fields);
    struct json_object_iterator end = json_object_iter_end(fields);

    *to = (struct vec_command){0};
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        const char *name = vec_ours(aliases, json_object_iter_peek_name(&at));
        const struct lw_field *field = lw_field(def, name);

        ck_assert_msg(field != NULL, "%s: no field %s", id, name);
        vec_member(field, json_object_iter_peek_value(&at), to);
    }
}

/* What was filled in must be written as `wanted`, and read from it again. */
static inline void vec_both_ways(const struct lw_command *def, const struct vec_command *filled,
                                 struct bytes wanted, const char *id)
{
    struct vec_command back;
    uint8_t out[512];
    struct wr wr = wr_of(out, sizeof(out));

    lw_command_write(def, &wr, filled->room);
    ck_assert_msg(!wr.failed && bytes_equal(wr_bytes(&wr), wanted), "%s is written otherwise", id);
    memset(&back, 0xa5, sizeof(back));
    ck_assert_msg(lw_command_read(def, (struct bytes){wanted.p + 1, wanted.n - 1}, back.room), "%s",
                  id);
    wr = wr_of(out, sizeof(out));
    lw_command_write(def, &wr, back.room);
    ck_assert_msg(!wr.failed && bytes_equal(wr_bytes(&wr), wanted), "%s is read otherwise", id);
}
