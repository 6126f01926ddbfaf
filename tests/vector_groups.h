/*
 * vector_groups.h - runs the groups of tests/vectors/mac.json that a test names.
 *
 * Groups are spread over tests by subject. test_lorawan_vectors.c knows all of them and sees that
 * each is named by the test it belongs to.
 */
#pragma once

#include "tests/vectors.h"

typedef void vec_check_fn(struct json_object *in, struct json_object *ex, const char *id);

struct vec_group {
    const char *name; /* NULL: the end */
    vec_check_fn *check;
    unsigned count; /* vectors in the file */
};

static inline void vec_run_group(struct json_object *all, const struct vec_group *group)
{
    unsigned seen = 0;

    for (size_t i = 0; i < vec_count(all); i++) {
        struct json_object *one = vec_at(all, i);

        if (strcmp(vec_str(one, "group"), group->name) != 0)
            continue;
        group->check(vec(one, "input"), vec(one, "expected"), vec_str(one, "id"));
        seen++;
    }
    ck_assert_msg(seen == group->count, "%s: %u vectors, %u expected", group->name, seen,
                  group->count);
}

static inline void vec_run_groups(const struct vec_group *groups)
{
    struct json_object *all = vec_load("mac.json");

    for (; groups->name; groups++)
        vec_run_group(all, groups);
    json_object_put(all);
}
