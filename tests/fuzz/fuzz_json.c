/* JSON text through the reader, a field table in every mode, and out again. */
#include "core/field.h"
#include "core/json.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

struct inner {
    uint8_t a;
    double b;
};

struct record {
    uint64_t eui, big;
    const char *name;
    bool on;
    int32_t n;
    uint8_t key[16], id[16], mode;
    struct bytes blob, hex;
    int64_t time;
    struct inner inner;
    struct tags tags;
    struct array list, numbers;
    const struct node *raw;
    uint8_t later;
};

static const char *const modes[] = {"off", "on", NULL};

/* clang-format off */
static const struct field inner_fields[] = {
    {"a", F_U8, F_REQ, AT(struct inner, a), .range = {1, 15}},
    {"b", F_DOUBLE, 0, AT(struct inner, b), .def = "1.5"},
    {0},
};
static const struct field fields[] = {
    {"eui", F_EUI, F_REQ | F_FIXED, AT(struct record, eui)},
    {"big", F_U64, 0, AT(struct record, big)},
    {"name", F_STR, 0, AT(struct record, name), .size = 20},
    {"on", F_BOOL, 0, AT(struct record, on)},
    {"n", F_I32, F_NULLABLE, AT(struct record, n), .range = {-9, 9}},
    {"key", F_HEX, F_SECRET, AT(struct record, key), .size = 16},
    {"id", F_UUID, 0, AT(struct record, id)},
    {"mode", F_ENUM, 0, AT(struct record, mode), .names = modes},
    {"blob", F_BLOB, 0, AT(struct record, blob), .size = 30},
    {"hex", F_HEXBLOB, 0, AT(struct record, hex), .size = 30},
    {"time", F_TIME, 0, AT(struct record, time)},
    {"inner", F_OBJ, F_NULLABLE, AT(struct record, inner), .sub = inner_fields},
    {"tags", F_TAGS, 0, AT(struct record, tags), .most = 4},
    {"list", F_ARR, F_SHORT, AT(struct record, list), .elem = F_OBJ, .sub = inner_fields,
     .size = sizeof(struct inner)},
    {"numbers", F_ARR, 0, AT(struct record, numbers), .elem = F_U16, .size = 2, .def = "1,2"},
    {"raw", F_RAW, 0, AT(struct record, raw)},
    {"later", F_U8, F_LATER, AT(struct record, later)},
    {0},
};
/* clang-format on */

/* What was accepted must print as JSON that is accepted again. */
static void print_and_read(const struct record *record, struct arena *arena,
                           struct field_errors *errors)
{
    struct record again = *record;
    const struct node *root;
    const char *why;
    struct jw jw;
    struct bytes text;

    jw_init(&jw, 1u << 20);
    field_print(fields, record, &jw, FIELD_VIEW_SECRETS);
    text = jw_bytes(&jw);
    if (!jw.failed && (json_read((const char *)text.p, text.n, arena, &root, &why) != OK ||
                       field_read(fields, &again, root, FIELD_MERGE, arena, errors, NULL) != OK))
        abort();
    jw_free(&jw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct field_errors *errors;
    const struct node *root;
    const char *why;

    if (size > 65536)
        return 0;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    errors = arena_new(&arena, struct field_errors);
    field_errors_init(errors, &arena);
    if (json_read((const char *)data, size, &arena, &root, &why) == OK) {
        struct record record;
        bool good = field_read(fields, &record, root, FIELD_CREATE, &arena, errors, NULL) == OK;

        if (good)
            print_and_read(&record, &arena, errors);
        good = field_read(fields, &record, root, FIELD_MERGE, &arena, errors, NULL) == OK;
        good = field_read(fields, &record, root, FIELD_REPLACE, &arena, errors, NULL) == OK && good;
        (void)good;
    }
    arena_reset(&arena);
    return 0;
}
