/* The groups of tests/vectors/mac.json that are of packages; test_lorawan_vectors.c knows all
 * groups. */
#include "package/fragment.h"
#include "package/package.h"
#include "tests/command_vectors.h"
#include "tests/vector_groups.h"

/* Names of the vectors where ours differ. */
static const struct vec_alias aliases[] = {
    {"McAddr", "mc_addr"},
    {"McKey_encrypted", "mc_key_encrypted"},
    {"min", "min_fcnt"},
    {"max", "max_fcnt"},
    {"mask", "groups"},
    {"nb_total", "total"},
    {"freq_hz", "frequency_hz"},
    {"time_to_start", "time_to_start_s"},
    {"mcmask", "mc_groups"},
    {"nbfrag", "nb_frag"},
    {"fragsize", "frag_size"},
    {"algo", "algorithm"},
    {"blockackdelay", "block_ack_delay"},
    {"nb", "transmissions"},
    {"fw", "firmware"},
    {"hw", "hardware"},
    {"seconds", "countdown_s"},
    {0},
};

/* One number for all error bits, groups as pairs, and the group's id: as members of their own. */
static struct json_object *members_of(struct json_object *fields, unsigned port,
                                      struct json_object **items)
{
    struct json_object *own = NULL;

    ck_assert_int_eq(json_object_deep_copy(fields, &own, NULL), 0);
    *items = json_object_get(vec(own, "items"));
    json_object_object_del(own, "items");
    if (vec_has(own, "id"))
        json_object_object_add(own, "group", json_object_get(vec(own, "id")));
    json_object_object_del(own, "id");
    if (vec_has(own, "errors")) {
        ck_assert_int_eq(vec_int(own, "errors"), 0);
        json_object_object_del(own, "errors");
    }
    if (port == 201 && vec_has(own, "status")) {
        ck_assert_int_eq(vec_int(own, "status"), 0);
        json_object_object_del(own, "status");
    }
    return own;
}

static void fill_items(const struct lw_command *def, struct json_object *items,
                       struct vec_command *filled)
{
    for (size_t i = 0; i < vec_count(items); i++) {
        const struct lw_field *list = lw_field(def, "list");
        struct json_object *one = vec_at(items, i);
        const char *addr = json_object_get_string(vec_at(one, 1));
        uint8_t *member = filled->room + list->offset + i * list->item->size;

        vec_store(&list->item->fields[0], member + list->item->fields[0].offset,
                  json_object_get_int(vec_at(one, 0)));
        vec_store(&list->item->fields[1], member + list->item->fields[1].offset,
                  (int64_t)strtoul(addr, NULL, 16));
    }
}

/* "FragSessionSetupReq v1": the name, and the version if it matters. */
static void check_applayer(struct json_object *in, struct json_object *ex, const char *id)
{
    enum lw_direction direction = strcmp(vec_str(in, "dir"), "up") ? LW_DOWN : LW_UP;
    unsigned port = (unsigned)vec_int(in, "fport");
    const struct pkg *pkg = pkg_by_port((int)port);
    unsigned version = strstr(vec_str(in, "name"), " v2") ? 2 : 1;
    char name[64] = {0};
    uint8_t room[512];
    struct bytes wanted = vec_hex(ex, "bytes", room);
    const struct lw_command *def;
    struct json_object *items, *members = members_of(vec(in, "fields"), port, &items);
    struct vec_command filled;
    struct pkg_iter iter = pkg_iter_of(pkg, version, wanted, direction);
    struct lw_cmd cmd;

    memcpy(name, vec_str(in, "name"), strcspn(vec_str(in, "name"), " "));
    def = lw_command_by_name(pkg->commands, direction, name, version);
    ck_assert_msg(def != NULL, "%s: no command %s", id, name);
    vec_fill(def, members, aliases, &filled, id);
    fill_items(def, items, &filled);
    vec_both_ways(def, &filled, wanted, id);
    ck_assert(pkg_next(&iter, &cmd) && cmd.def == def && !pkg_next(&iter, &cmd));
    ck_assert_int_eq(iter.commands.stop, LW_CMD_END);
    json_object_put(items);
    json_object_put(members);
}

static void check_frag_fec(struct json_object *in, struct json_object *ex, const char *id)
{
    unsigned version = vec_str(in, "ts004")[0] == '2' ? 2 : 1;
    struct json_object *parity = vec(ex, "parity_fragments");
    uint8_t room[512], out[255];
    struct bytes block = vec_hex(in, "data", room);
    struct pkg_frag_cut cut;

    ck_assert_int_eq(pkg_frag_cut(block.n, (uint8_t)vec_int(in, "frag_size"),
                                  (unsigned)vec_int(in, "redundancy"), &cut),
                     OK);
    ck_assert_uint_eq(vec_count(parity), vec_int(in, "redundancy"));
    for (size_t i = 0; i < vec_count(parity); i++) {
        char text[511];

        pkg_frag_encode(version, block, &cut, (uint16_t)(cut.nb_frag + 1 + i), out);
        ck_assert_msg(
            !strcmp(hex_write(text, out, cut.frag_size), json_object_get_string(vec_at(parity, i))),
            "%s: coded fragment %zu is %s", id, i + 1, text);
    }
}

static void check_frag_matrix(struct json_object *in, struct json_object *ex, const char *id)
{
    uint16_t m = (uint16_t)vec_int(in, "M");
    struct json_object *lines = vec(in, "lines");

    for (size_t i = 0; i < vec_count(lines); i++) {
        for (unsigned version = 1; version <= 2; version++) {
            uint8_t line[PKG_FRAG_LINE_MAX];
            const char *bits =
                json_object_get_string(vec_at(vec(ex, version == 1 ? "v1" : "v2"), i));

            pkg_frag_line(version, m, (uint32_t)json_object_get_int(vec_at(lines, i)), line);
            for (unsigned k = 0; k < m; k++)
                ck_assert_msg((line[k / 8] >> k % 8 & 1) == bits[k] - '0', "%s v%u", id, version);
        }
    }
}

static void check_frag_mic(struct json_object *in, struct json_object *ex, const char *id)
{
    struct lw_key root = vec_key(in, "AppKey_or_GenAppKey"), key;
    struct pkg_frag_session session = {.session_cnt = (uint16_t)vec_int(in, "SessionCnt"),
                                       .index = (uint8_t)vec_int(in, "FragIndex")};
    uint8_t room[512], descriptor[512];

    memcpy(session.descriptor, vec_hex(in, "Descriptor", descriptor).p, 4);
    pkg_data_block_int_key(&root, &key);
    vec_expect_key(ex, "DataBlockIntKey", &key, id);
    vec_expect_mic(ex, "mic", pkg_frag_mic(&key, &session, vec_hex(in, "data", room)), id);
}

/* clang-format off */
static const struct vec_group groups[] = {
    {"applayer", check_applayer, 16},
    {"frag_fec", check_frag_fec, 2},
    {"frag_matrix", check_frag_matrix, 4},
    {"frag_mic", check_frag_mic, 1},
    {0},
};
/* clang-format on */

START_TEST(all_vectors)
{
    vec_run_groups(groups);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {all_vectors, NULL};

    return run_suite(suite_of("package_vectors", tests));
}
