/* YAML in; configuration from file and environment; the reference reads back as the defaults. */
#include "core/config.h"
#include "core/yaml.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct arena arena;
static struct field_errors errors;
static int line;
static const char *why;

static const struct node *read_yaml(const char *text)
{
    const struct node *root;

    arena_reset(&arena);
    arena_init(&arena, 8u << 20);
    return yaml_read(text, strlen(text), &arena, &root, &line, &why) == OK ? root : NULL;
}

START_TEST(reads_the_small_yaml)
{
    const struct node *root = read_yaml("# head\n"
                                        "a: 000013\n"
                                        "b:\n"
                                        "  c: \"x\\ty\"\n"
                                        "  d: [1, two]\n"
                                        "e: {f: ''}\n"
                                        "g:\n"
                                        "h: |\n"
                                        "  two\n"
                                        "  lines\n");

    ck_assert_msg(root != NULL, "%d %s", line, why);
    ck_assert_str_eq(node_get(root, "a")->text, "000013");
    ck_assert_int_eq(node_get(root, "a")->kind, NODE_SCALAR);
    ck_assert_int_eq(node_get(root, "a")->line, 2);
    ck_assert_str_eq(node_get(node_get(root, "b"), "c")->text, "x\ty");
    ck_assert_int_eq(node_get(node_get(root, "b"), "d")->line, 5);
    ck_assert_str_eq(node_get(node_get(root, "b"), "d")->last->text, "two");
    ck_assert_int_eq(node_get(node_get(root, "e"), "f")->kind, NODE_SCALAR);
    ck_assert_int_eq(node_get(root, "g")->kind, NODE_NULL);
    ck_assert_str_eq(node_get(root, "h")->text, "two\nlines\n");
    ck_assert_int_eq(read_yaml("")->kind, NODE_NULL);
    ck_assert_int_eq(read_yaml("# only\n")->kind, NODE_NULL);
    ck_assert_int_eq(read_yaml("---\na: 1\n...\n")->kind, NODE_OBJECT);
}
END_TEST

static void ck_refused(const char *text, int at, const char *what)
{
    ck_assert_msg(!read_yaml(text), "accepted: %s", text);
    ck_assert_msg(line == at, "%s: line %d, %s", text, line, why);
    ck_assert_msg(strstr(why, what) != NULL, "%s: %s", text, why);
}

START_TEST(refuses_the_rest)
{
    char deep[40];

    ck_refused("a: &x 1\n", 1, "anchors");
    ck_refused("a: 1\nb: &x [1]\n", 2, "anchors");
    ck_refused("a: *x\n", 1, "");
    ck_refused("a: 1\nb: !!str 1\n", 2, "tags");
    ck_refused("a: !x {}\n", 1, "tags");
    ck_refused("a: 1\nb: 2\na: 3\n", 3, "the key a occurs twice");
    ck_refused("a: 1\n---\nb: 1\n", 2, "one document");
    ck_refused("%YAML 1.1\n---\na: 1\n", 1, "one document");
    ck_refused("a: [1\n", 2, "");
    ck_refused("\ta: 1\n", 1, "");
    ck_refused("? [a]\n: 1\n", 1, "a key must be a scalar");
    ck_refused("a: \"\xff\"\n", 0 + line, "");
    memset(deep, '[', 17);
    memset(deep + 17, ']', 17);
    deep[34] = '\0';
    ck_refused(deep, 1, "nested too deeply");
}
END_TEST

START_TEST(variables_expand)
{
    const struct node *root;

    ck_assert_int_eq(setenv("TEST_YAML_A", "one", 1), 0);
    ck_assert_int_eq(setenv("TEST_YAML_EMPTY", "", 1), 0);
    ck_assert_int_eq(unsetenv("TEST_YAML_NONE"), 0);
    root = read_yaml("a: x${TEST_YAML_A}y${TEST_YAML_NONE:-d:-e}$\n"
                     "b: \"${TEST_YAML_EMPTY:-full}\"\n"
                     "c: \"$${TEST_YAML_A} $5 ${TEST_YAML_EMPTY}\"\n"
                     "d: \"${TEST_YAML_NONE:-}\"\n");
    ck_assert_msg(root != NULL, "%s", why);
    ck_assert_str_eq(node_get(root, "a")->text, "xoneyd:-e$");
    ck_assert_str_eq(node_get(root, "b")->text, "full");
    ck_assert_str_eq(node_get(root, "c")->text, "${TEST_YAML_A} $5 ");
    ck_assert_str_eq(node_get(root, "d")->text, "");
    ck_refused("a: 1\nb: \"${TEST_YAML_NONE}\"\n", 2, "TEST_YAML_NONE is not set");
    ck_refused("a: \"${TEST_YAML_A\"\n", 1, "a variable must be");
    ck_refused("a: \"${TEST_YAML_A:x}\"\n", 1, "a variable must be");
    ck_refused("a: \"${}\"\n", 1, "a variable must be");
}
END_TEST

/* ---- configuration -------------------------------------------------------------------------- */

struct region {
    const char *name;
    uint8_t delay;
};

struct settings {
    uint32_t net_id;
    struct array regions;
    struct {
        bool allow_unknown;
        struct {
            const char *listen;
        } udp;
    } gateway;
    uint8_t level;
    uint32_t window;
    const char *later;
};

static const char *const levels[] = {"debug", "info", NULL};

/* clang-format off */
static const struct field region_fields[] = {
    {"name", F_STR, F_REQ, AT(struct region, name)},
    {"rx1_delay", F_U8, 0, AT(struct region, delay), .range = {1, 15}, .def = "1"},
    {0},
};
static const struct field udp_fields[] = {
    {"listen", F_STR, 0, .offset = 0, .def = "0.0.0.0:1700", .help = "Address and port."},
    {0},
};
static const struct field gateway_fields[] = {
    {"allow_unknown", F_BOOL, 0, .offset = 0, .help = "Frames of unknown gateways count."},
    {"udp", F_OBJ, 0, .offset = offsetof(struct settings, gateway.udp) -
                                offsetof(struct settings, gateway), .sub = udp_fields},
    {0},
};
static const struct field settings_fields[] = {
    {"net_id", F_NETID, 0, AT(struct settings, net_id), .help = "Our NetID."},
    {"regions", F_ARR, F_SHORT, AT(struct settings, regions), .elem = F_OBJ, .sub = region_fields,
     .size = sizeof(struct region), .def = "EU868"},
    {"gateway", F_OBJ, 0, AT(struct settings, gateway), .sub = gateway_fields},
    {"level", F_ENUM, 0, AT(struct settings, level), .names = levels, .def = "info"},
    {"dedup_window_ms", F_U32, 0, AT(struct settings, window), .range = {1, 1000}, .def = "200"},
    {"later_url", F_STR, F_LATER, AT(struct settings, later)},
    {0},
};
/* clang-format on */

static struct settings settings;

static enum err load(const char *text)
{
    char name[] = "/tmp/godwit-test-config-XXXXXX";
    int fd = mkstemp(name);
    enum err err;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    arena_reset(&arena);
    arena_init(&arena, 8u << 20);
    field_errors_init(&errors, &arena);
    err = config_load(settings_fields, &settings, name, "TGW", &errors);
    (void)unlink(name);
    return err;
}

START_TEST(file_over_defaults)
{
    struct region *regions;

    ck_assert_int_eq(load("net_id: 000013\n"
                          "regions: [US915, {name: EU868, rx1_delay: 5}]\n"
                          "gateway:\n"
                          "  udp: { listen: \"127.0.0.1:0\" }\n"
                          "level: debug\n"
                          "later_url: \"\"\n"),
                     OK);
    regions = settings.regions.p;
    ck_assert_uint_eq(settings.net_id, 0x13);
    ck_assert_uint_eq(settings.regions.n, 2);
    ck_assert_str_eq(regions[0].name, "US915");
    ck_assert_uint_eq(regions[0].delay, 1);
    ck_assert_uint_eq(regions[1].delay, 5);
    ck_assert_str_eq(settings.gateway.udp.listen, "127.0.0.1:0");
    ck_assert_uint_eq(settings.level, 0);
    ck_assert_uint_eq(settings.window, 200);
    ck_assert_int_eq(load("net_id: \"000013\"\ngateway:\n"), OK);
    ck_assert_uint_eq(settings.net_id, 0x13);
    ck_assert_str_eq(settings.gateway.udp.listen, "0.0.0.0:1700");
}
END_TEST

START_TEST(mistakes_name_line_and_key)
{
    ck_assert_int_eq(load("net_id: 13\n"
                          "regions:\n"
                          "  - EU868\n"
                          "  - {name: US915, rx1_delay: 99}\n"
                          "gateway:\n"
                          "  tcp: 1\n"
                          "dedup_window_ms: fast\n"
                          "later_url: x\n"),
                     ERR_INVALID);
    ck_assert_str_eq(config_errors_text(&errors, "f.yaml"),
                     "f.yaml:1: net_id: must be a string of 6 hexadecimal digits\n"
                     "f.yaml:4: regions[1].rx1_delay: must be an integer from 1 to 15\n"
                     "f.yaml:6: gateway.tcp: is not known\n"
                     "f.yaml:7: dedup_window_ms: must be an integer from 1 to 1000\n"
                     "f.yaml:8: later_url: not in this version\n");
    ck_assert_int_eq(load("a: [\n"), ERR_INVALID);
    ck_assert_uint_eq(errors.n, 1);
    ck_assert_int_eq(errors.at[0].line, 2);
    ck_assert_int_eq(config_load(settings_fields, &settings, "/nonexistent/x", "TGW", &errors),
                     ERR_IO);
}
END_TEST

START_TEST(environment_over_file)
{
    ck_assert_int_eq(setenv("TGW_REGIONS", "EU868,US915", 1), 0);
    ck_assert_int_eq(setenv("TGW_GATEWAY_UDP_LISTEN", "[::]:1", 1), 0);
    ck_assert_int_eq(setenv("TGW_DEDUP_WINDOW_MS", "50", 1), 0);
    ck_assert_int_eq(setenv("TGW_UNKNOWN", "50", 1), 0);
    ck_assert_int_eq(load("dedup_window_ms: 100\n"), OK);
    ck_assert_uint_eq(settings.regions.n, 2);
    ck_assert_str_eq(settings.gateway.udp.listen, "[::]:1");
    ck_assert_uint_eq(settings.window, 50);
    ck_assert_int_eq(setenv("TGW_DEDUP_WINDOW_MS", "0", 1), 0);
    ck_assert_int_eq(load(""), ERR_INVALID);
    ck_assert_str_eq(config_errors_text(&errors, "f"),
                     "environment: TGW_DEDUP_WINDOW_MS: must be an integer from 1 to 1000\n");
    ck_assert_int_eq(unsetenv("TGW_REGIONS"), 0);
    ck_assert_int_eq(unsetenv("TGW_GATEWAY_UDP_LISTEN"), 0);
    ck_assert_int_eq(unsetenv("TGW_DEDUP_WINDOW_MS"), 0);
}
END_TEST

START_TEST(one_key_can_be_set)
{
    ck_assert_int_eq(load(""), OK);
    ck_assert_int_eq(
        config_set(settings_fields, &settings, "gateway.udp.listen", "x", "--udp", &errors), OK);
    ck_assert_str_eq(settings.gateway.udp.listen, "x");
    ck_assert_int_eq(config_set(settings_fields, &settings, "level", "loud", "--level", &errors),
                     ERR_INVALID);
    ck_assert_str_eq(errors.at[0].where, "--level");
    ck_assert_int_eq(config_set(settings_fields, &settings, "gateway", "x", "", &errors),
                     ERR_NOT_FOUND);
    ck_assert_int_eq(config_set(settings_fields, &settings, "level.x", "x", "", &errors),
                     ERR_NOT_FOUND);
    ck_assert_int_eq(config_set(settings_fields, &settings, "nope", "x", "", &errors),
                     ERR_NOT_FOUND);
}
END_TEST

START_TEST(the_reference_gives_the_defaults)
{
    char *text = config_reference(settings_fields);
    struct settings defaults;

    ck_assert_str_eq(text, "# Our NetID.\n"
                           "net_id: \"000000\"\n"
                           "regions: [{\"name\":\"EU868\",\"rx1_delay\":1}]\n"
                           "gateway:\n"
                           "  # Frames of unknown gateways count.\n"
                           "  allow_unknown: false\n"
                           "  udp:\n"
                           "    # Address and port.\n"
                           "    listen: \"0.0.0.0:1700\"\n"
                           "# one of: debug info\n"
                           "level: \"info\"\n"
                           "dedup_window_ms: 200\n"
                           "# (not in this version)\n"
                           "later_url: \"\"\n");
    ck_assert_int_eq(load(text), OK);
    field_defaults(settings_fields, &defaults, &arena);
    for (const struct field *f = settings_fields; f->kind != F_END; f++)
        ck_assert_msg(field_is_default(f, &settings), "%s", f->name);
    free(text);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_the_small_yaml,
                                  refuses_the_rest,
                                  variables_expand,
                                  file_over_defaults,
                                  mistakes_name_line_and_key,
                                  environment_over_file,
                                  one_key_can_be_set,
                                  the_reference_gives_the_defaults,
                                  NULL};
    int status = run_suite(suite_of("yaml_config", tests));

    arena_reset(&arena);
    return status;
}
