/* YAML text through the reader and a configuration table. */
#include "core/config.h"
#include "core/yaml.h"
#include "tests/fuzz/fuzz.h"

struct region {
    const char *name;
    uint8_t delay;
};

struct settings {
    uint32_t net_id;
    struct array regions;
    const char *listen;
    bool on;
    uint8_t level;
    double ratio;
};

static const char *const levels[] = {"debug", "info", NULL};

/* clang-format off */
static const struct field region_fields[] = {
    {"name", F_STR, F_REQ, AT(struct region, name)},
    {"rx1_delay", F_U8, 0, AT(struct region, delay), .range = {1, 15}, .def = "1"},
    {0},
};
static const struct field fields[] = {
    {"net_id", F_NETID, 0, AT(struct settings, net_id)},
    {"regions", F_ARR, F_SHORT, AT(struct settings, regions), .elem = F_OBJ, .sub = region_fields,
     .size = sizeof(struct region), .def = "EU868"},
    {"listen", F_STR, 0, AT(struct settings, listen)},
    {"on", F_BOOL, 0, AT(struct settings, on)},
    {"level", F_ENUM, 0, AT(struct settings, level), .names = levels},
    {"ratio", F_DOUBLE, 0, AT(struct settings, ratio), .range = {0, 1}},
    {0},
};
/* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct field_errors *errors;
    struct arena arena;
    const struct node *root;
    const char *why;
    int line;

    if (size > 65536)
        return 0;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    errors = arena_new(&arena, struct field_errors);
    field_errors_init(errors, &arena);
    if (yaml_read((const char *)data, size, &arena, &root, &line, &why) == OK &&
        field_read(fields, &settings, root, FIELD_CONFIG, &arena, errors, NULL) != OK)
        (void)config_errors_text(errors, "file");
    arena_reset(&arena);
    return 0;
}
