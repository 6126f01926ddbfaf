/*
 * vectors.h - short names for what the vector runners do with json-c.
 */
#pragma once

#include "core/bytes.h"
#include "lorawan/types.h"
#include "tests/suite.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static inline struct json_object *vec_load(const char *file)
{
    const char *root = getenv("GODWIT_SOURCE");
    char path[512];
    struct json_object *json;

    snprintf(path, sizeof(path), "%s/tests/vectors/%s", root ? root : ".", file);
    json = json_object_from_file(path);
    ck_assert_msg(json != NULL, "cannot read %s", path);
    return json;
}

/* A member; NULL if absent. */
static inline struct json_object *vec(struct json_object *in, const char *name)
{
    struct json_object *out = NULL;

    json_object_object_get_ex(in, name, &out);
    return out;
}

static inline bool vec_has(struct json_object *in, const char *name)
{
    return vec(in, name) != NULL;
}

static inline const char *vec_str(struct json_object *in, const char *name)
{
    struct json_object *v = vec(in, name);

    return v ? json_object_get_string(v) : "";
}

static inline int64_t vec_int(struct json_object *in, const char *name)
{
    return json_object_get_int64(vec(in, name));
}

static inline size_t vec_count(struct json_object *array)
{
    return array ? json_object_array_length(array) : 0;
}

static inline struct json_object *vec_at(struct json_object *array, size_t i)
{
    return json_object_array_get_idx(array, i);
}

/* Hex text into `room` (of 512 octets); a wrong text fails the test. */
static inline struct bytes vec_hex(struct json_object *in, const char *name, uint8_t *room)
{
    const char *text = vec_str(in, name);
    size_t n = hex_read_any(room, 512, text, strlen(text));

    ck_assert_msg(n != SIZE_MAX, "%s is not hex: %s", name, text);
    return (struct bytes){room, n};
}

static inline uint64_t vec_u64(struct json_object *in, const char *name)
{
    uint8_t room[512];
    struct bytes b = vec_hex(in, name, room);
    uint64_t v = 0;

    for (size_t i = 0; i < b.n; i++)
        v = v << 8 | b.p[i];
    return v;
}

static inline struct lw_key vec_key(struct json_object *in, const char *name)
{
    struct lw_key key;
    const char *text = vec_str(in, name);

    ck_assert_msg(hex_read(key.b, sizeof(key.b), text, strlen(text)), "%s: %s", name, text);
    return key;
}

/* Compares octets with the hex text of a member. */
static inline void vec_expect(struct json_object *expected, const char *name, struct bytes got,
                              const char *id)
{
    char text[1025];

    ck_assert_msg(got.n <= 512, "%s: too long", id);
    hex_write(text, got.p, got.n);
    ck_assert_msg(!strcmp(text, vec_str(expected, name)), "%s %s: %s, expected %s", id, name, text,
                  vec_str(expected, name));
}

static inline void vec_expect_mic(struct json_object *expected, const char *name, uint32_t mic,
                                  const char *id)
{
    uint8_t b[4] = {(uint8_t)mic, (uint8_t)(mic >> 8), (uint8_t)(mic >> 16), (uint8_t)(mic >> 24)};

    vec_expect(expected, name, (struct bytes){b, 4}, id);
}

static inline void vec_expect_key(struct json_object *expected, const char *name,
                                  const struct lw_key *key, const char *id)
{
    vec_expect(expected, name, (struct bytes){key->b, sizeof(key->b)}, id);
}
