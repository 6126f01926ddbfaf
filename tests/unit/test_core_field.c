/* Field tables: reading in every mode, mistakes named at once, printing, schema. */
#include "core/field.h"
#include "core/json.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

struct adr {
    uint8_t min_dr, max_dr;
};

struct channel {
    uint32_t frequency;
    uint8_t dr;
};

struct thing {
    uint64_t eui;
    uint32_t addr, net_id;
    const char *name, *description, *password;
    bool disabled;
    int32_t margin;
    uint64_t big;
    double gain;
    uint8_t key[16];
    struct bytes data, raw_hex;
    uint8_t mode;
    int64_t seen_at, expires_at;
    uint8_t id[16];
    struct adr adr;
    struct tags tags;
    struct array channels, numbers;
    const struct node *raw;
    uint8_t later;
    const char *later_text;
    uint32_t rx2;
    int64_t column;
};

static const char *const modes[] = {"off", "", "on", NULL};

static const char *even(const void *value)
{
    return *(const int32_t *)value % 2 ? "must be even" : NULL;
}

/* clang-format off */
static const struct field adr_fields[] = {
    {"minDr", F_U8, 0, AT(struct adr, min_dr), .range = {0, 15}},
    {"maxDr", F_U8, 0, AT(struct adr, max_dr), .range = {0, 15}, .def = "5"},
    {0},
};
static const struct field channel_fields[] = {
    {"frequency", F_U32, F_REQ, AT(struct channel, frequency), .range = {100000000, 1000000000}},
    {"dr", F_U8, 0, AT(struct channel, dr), .def = "3"},
    {0},
};
static const struct field fields[] = {
    {"devEui", F_EUI, F_REQ | F_KEY | F_FIXED, AT(struct thing, eui)},
    {"devAddr", F_ADDR, F_OPTIONAL, AT(struct thing, addr)},
    {"netId", F_NETID, 0, AT(struct thing, net_id), .def = "000013"},
    {"name", F_STR, F_REQ, AT(struct thing, name), .size = 8},
    {"description", F_STR, 0, AT(struct thing, description), .def = "none"},
    {"password", F_STR, F_WO, AT(struct thing, password)},
    {"disabled", F_BOOL, 0, AT(struct thing, disabled)},
    {"margin", F_I32, 0, AT(struct thing, margin), .range = {-20, 20}, .check = even},
    {"big", F_U64, 0, AT(struct thing, big)},
    {"gain", F_DOUBLE, 0, AT(struct thing, gain), .range = {-10, 10}},
    {"key", F_HEX, F_SECRET, AT(struct thing, key), .size = 16},
    {"data", F_BLOB, 0, AT(struct thing, data), .size = 4},
    {"rawHex", F_HEXBLOB, 0, AT(struct thing, raw_hex)},
    {"mode", F_ENUM, 0, AT(struct thing, mode), .names = modes, .def = "on"},
    {"seenAt", F_TIME, F_RO, AT(struct thing, seen_at)},
    {"expiresAt", F_TIME, 0, AT(struct thing, expires_at)},
    {"id", F_UUID, 0, AT(struct thing, id)},
    {"adr", F_OBJ, 0, AT(struct thing, adr), .sub = adr_fields},
    {"tags", F_TAGS, 0, AT(struct thing, tags), .most = 3},
    {"channels", F_ARR, F_SHORT, AT(struct thing, channels), .elem = F_OBJ,
     .sub = channel_fields, .size = sizeof(struct channel), .most = 4},
    {"numbers", F_ARR, 0, AT(struct thing, numbers), .elem = F_U16, .size = 2, .range = {1, 99},
     .def = "7,8"},
    {"raw", F_RAW, 0, AT(struct thing, raw)},
    {"later", F_U8, F_LATER, AT(struct thing, later), .def = "2"},
    {"laterText", F_STR, F_LATER, AT(struct thing, later_text)},
    {"rx2", F_U32, F_NULLABLE, AT(struct thing, rx2), .range = {100, 200}, .def = "0"},
    {"column", F_I64, F_NO_REST, AT(struct thing, column)},
    {0},
};
/* clang-format on */

static struct arena arena;
static struct field_errors errors;
static uint64_t present;

static void setup(void)
{
    arena_reset(&arena);
    arena_init(&arena, 1u << 20);
}

static enum err read_json(struct thing *thing, enum field_mode mode, const char *text)
{
    const struct node *root;
    const char *why = NULL;

    field_errors_init(&errors, &arena);
    ck_assert_msg(json_read(text, strlen(text), &arena, &root, &why) == OK, "%s: %s", text, why);
    return field_read(fields, thing, root, mode, &arena, &errors, &present);
}

static bool was_present(const char *name)
{
    return present >> (field_find(fields, name) - fields) & 1;
}

/* Exactly one mistake, at this place, with this text. */
static void ck_wrong(enum field_mode mode, const char *text, const char *where, const char *what)
{
    struct thing thing = {.eui = 1, .name = "x"};

    ck_assert_msg(read_json(&thing, mode, text) == ERR_INVALID, "accepted: %s", text);
    ck_assert_msg(errors.n == 1, "%s: %zu mistakes, first %s %s", text, errors.n,
                  errors.at[0].where, errors.at[0].what);
    ck_assert_str_eq(errors.at[0].where, where);
    ck_assert_str_eq(errors.at[0].what, what);
}

#define MUST "\"devEui\":\"0102030405060708\",\"name\":\"n\""

START_TEST(creates_with_defaults)
{
    struct thing t;

    setup();
    ck_assert_int_eq(read_json(&t, FIELD_CREATE, "{" MUST "}"), OK);
    ck_assert_uint_eq(t.eui, 0x0102030405060708);
    ck_assert_uint_eq(t.net_id, 0x13);
    ck_assert_str_eq(t.description, "none");
    ck_assert_uint_eq(t.mode, 2);
    ck_assert_uint_eq(t.adr.max_dr, 5);
    ck_assert_uint_eq(t.numbers.n, 2);
    ck_assert_uint_eq(((uint16_t *)t.numbers.p)[1], 8);
    ck_assert_ptr_null(t.password);
    ck_assert(was_present("name"));
    ck_assert(!was_present("netId"));
    ck_assert(field_is_default(field_find(fields, "numbers"), &t));
    ck_assert(!field_is_default(field_find(fields, "name"), &t));
}
END_TEST

START_TEST(reads_every_kind)
{
    struct thing t;
    struct channel *channels;

    setup();
    ck_assert_int_eq(
        read_json(&t, FIELD_CREATE,
                  "{\"devEui\":\"01:02-03:04:05:06:07:AB\",\"name\":\"n\",\"devAddr\":\"0AFF0001\","
                  "\"netId\":\"600001\",\"disabled\":true,\"margin\":-20,"
                  "\"big\":18446744073709551615,\"gain\":2.5,"
                  "\"key\":\"000102030405060708090A0B0C0D0E0F\",\"data\":\"AQID\","
                  "\"rawHex\":\"beef\",\"mode\":\"off\",\"expiresAt\":\"1970-01-01T00:00:01Z\","
                  "\"id\":\"00112233-4455-6677-8899-aabbccddeeff\",\"adr\":{\"minDr\":2},"
                  "\"tags\":{\"a\":\"b\"},\"channels\":[{\"frequency\":868100000},868300000],"
                  "\"numbers\":[],\"raw\":{\"x\":[1]},\"later\":2,\"laterText\":\"\",\"rx2\":0}"),
        OK);
    ck_assert_uint_eq(t.eui, 0x01020304050607ab);
    ck_assert_uint_eq(t.addr, 0x0aff0001);
    ck_assert_uint_eq(t.net_id, 0x600001);
    ck_assert_int_eq(t.margin, -20);
    ck_assert_uint_eq(t.big, UINT64_MAX);
    ck_assert(t.gain == 2.5);
    ck_assert_uint_eq(t.key[15], 15);
    ck_assert_uint_eq(t.data.n, 3);
    ck_assert_uint_eq(t.raw_hex.p[1], 0xef);
    ck_assert_uint_eq(t.mode, 0);
    ck_assert_int_eq(t.expires_at, 1000000);
    ck_assert_uint_eq(t.id[15], 0xff);
    ck_assert_uint_eq(t.adr.min_dr, 2);
    ck_assert_uint_eq(t.adr.max_dr, 5);
    channels = t.channels.p;
    ck_assert_uint_eq(t.channels.n, 2);
    ck_assert_uint_eq(channels[1].frequency, 868300000);
    ck_assert_uint_eq(channels[1].dr, 3);
    ck_assert_uint_eq(t.numbers.n, 0);
    ck_assert_int_eq(node_get(t.raw, "x")->child->integer, 1);
    ck_assert_int_eq(read_json(&t, FIELD_CREATE, "{" MUST ",\"rx2\":1.5e2}"), OK);
    ck_assert_uint_eq(t.rx2, 150);
}
END_TEST

START_TEST(mistakes_are_named)
{
    setup();
    ck_wrong(FIELD_CREATE, "[]", "", "must be an object");
    ck_wrong(FIELD_CREATE, "{\"name\":\"n\"}", "devEui", "is missing");
    ck_wrong(FIELD_CREATE, "{" MUST ",\"x\":1}", "x", "is not known");
    ck_wrong(FIELD_CREATE, "{" MUST ",\"column\":1}", "column", "is not known");
    ck_wrong(FIELD_MERGE, "{\"name\":\"\"}", "name", "must not be empty");
    ck_wrong(FIELD_MERGE, "{\"name\":null}", "name", "must not be null");
    ck_wrong(FIELD_MERGE, "{\"name\":\"123456789\"}", "name",
             "must be a string of at most 8 bytes");
    ck_wrong(FIELD_MERGE, "{\"name\":\"a\\u0000\"}", "name", "must be a string of at most 8 bytes");
    ck_wrong(FIELD_CREATE, "{" MUST ",\"margin\":null}", "margin", "must not be null");
    ck_wrong(FIELD_MERGE, "{\"margin\":22}", "margin", "must be an integer from -20 to 20");
    ck_wrong(FIELD_MERGE, "{\"margin\":-22}", "margin", "must be an integer from -20 to 20");
    ck_wrong(FIELD_MERGE, "{\"margin\":\"2\"}", "margin", "must be an integer from -20 to 20");
    ck_wrong(FIELD_MERGE, "{\"margin\":2.5}", "margin", "must be an integer from -20 to 20");
    ck_wrong(FIELD_MERGE, "{\"margin\":3}", "margin", "must be even");
    ck_wrong(FIELD_MERGE, "{\"big\":-1}", "big",
             "must be an integer from 0 to 18446744073709551615");
    ck_wrong(FIELD_MERGE, "{\"gain\":11}", "gain", "must be a number from -10 to 10");
    ck_wrong(FIELD_MERGE, "{\"disabled\":\"true\"}", "disabled", "must be true or false");
    ck_wrong(FIELD_MERGE, "{\"mode\":\"\"}", "mode", "must be one of \"off\", \"on\"");
    ck_wrong(FIELD_MERGE, "{\"data\":\"AQIDBAU=\"}", "data",
             "must be at most 4 bytes as a base64 string");
    ck_wrong(FIELD_MERGE, "{\"netId\":\"13\"}", "netId",
             "must be a string of 6 hexadecimal digits");
    ck_wrong(FIELD_MERGE, "{\"id\":\"0011223344556677-8899-aabb-ccddeeff\"}", "id",
             "must be a UUID");
    ck_wrong(FIELD_MERGE, "{\"adr\":{\"maxDr\":16}}", "adr.maxDr",
             "must be an integer from 0 to 15");
    ck_wrong(FIELD_MERGE, "{\"adr\":[]}", "adr", "must be an object");
    ck_wrong(FIELD_MERGE, "{\"channels\":[868100000,{\"frequency\":1}]}", "channels[1].frequency",
             "must be an integer from 100000000 to 1000000000");
    ck_wrong(FIELD_MERGE, "{\"channels\":[{}]}", "channels[0].frequency", "is missing");
    ck_wrong(FIELD_MERGE, "{\"numbers\":[1,0]}", "numbers[1]", "must be an integer from 1 to 99");
    ck_wrong(FIELD_MERGE, "{\"channels\":[1,1,1,1,1]}", "channels", "must have at most 4 elements");
    ck_wrong(FIELD_MERGE, "{\"tags\":{\"a\":1}}", "tags.a",
             "must be a string of at most 1024 bytes");
    ck_wrong(FIELD_MERGE, "{\"tags\":{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\"}}", "tags",
             "must have at most 3 members");
    ck_wrong(FIELD_MERGE, "{\"seenAt\":5}", "seenAt", "is read only");
    ck_wrong(FIELD_MERGE, "{\"later\":3}", "later", "not in this version");
    ck_wrong(FIELD_MERGE, "{\"laterText\":\"x\"}", "laterText", "not in this version");
    ck_wrong(FIELD_MERGE, "{\"devEui\":\"0000000000000002\"}", "devEui", "cannot be changed");
    ck_wrong(FIELD_REPLACE, "{\"name\":\"a\",\"devEui\":\"0000000000000002\"}", "devEui",
             "cannot be changed");
}
END_TEST

START_TEST(a_list_with_a_mistake_is_empty)
{
    static const struct field names[] = {
        {"names", F_ARR, 0, .offset = 0, .elem = F_STR, .size = sizeof(const char *)}, {0}};
    static const char text[] = "{\"names\":[\"a\",5,null]}";
    struct array list = {0};
    const struct node *root;
    const char *why;

    setup();
    ck_assert_int_eq(json_read(text, sizeof(text) - 1, &arena, &root, &why), OK);
    ck_assert_int_eq(field_read(names, &list, root, FIELD_CREATE, &arena, &errors, NULL),
                     ERR_INVALID);
    /* Who looks at it all the same, to name further mistakes, meets no NULL. */
    ck_assert_uint_eq(list.n, 0);
    arena_reset(&arena);
}
END_TEST

START_TEST(all_mistakes_at_once)
{
    struct thing t;
    char many[4096] = "{";
    size_t n = 1;

    setup();
    ck_assert_int_eq(read_json(&t, FIELD_CREATE, "{\"x\":1,\"adr\":{\"y\":2},\"margin\":99}"),
                     ERR_INVALID);
    ck_assert_uint_eq(errors.n, 5);
    ck_assert_str_eq(errors.at[1].where, "adr.y");
    ck_assert_str_eq(errors.at[4].where, "name");

    for (int i = 0; i < 150; i++)
        n += (size_t)snprintf(many + n, sizeof(many) - n, "\"x%d\":1,", i);
    (void)snprintf(many + n - 1, sizeof(many) - n + 1, "}");
    ck_assert_int_eq(read_json(&t, FIELD_CREATE, many), ERR_INVALID);
    ck_assert_uint_eq(errors.n, 100);
}
END_TEST

START_TEST(merge_touches_what_is_there)
{
    struct thing t;

    setup();
    ck_assert_int_eq(read_json(&t, FIELD_CREATE,
                               "{" MUST ",\"description\":\"d\",\"adr\":{\"minDr\":1,\"maxDr\":9},"
                               "\"tags\":{\"a\":\"1\",\"b\":\"2\"},\"margin\":4}"),
                     OK);
    ck_assert_int_eq(read_json(&t, FIELD_MERGE,
                               "{\"adr\":{\"minDr\":3},\"tags\":{\"a\":null,\"c\":\"3\"},"
                               "\"description\":null,\"devEui\":\"0102030405060708\","
                               "\"seenAt\":\"2020-01-01T00:00:00Z\",\"numbers\":[5]}"),
                     OK);
    ck_assert_uint_eq(t.adr.min_dr, 3);
    ck_assert_uint_eq(t.adr.max_dr, 9);
    ck_assert_uint_eq(t.tags.n, 2);
    ck_assert_str_eq(t.tags.p[0].key, "b");
    ck_assert_str_eq(t.tags.p[1].value, "3");
    ck_assert_str_eq(t.description, "none");
    ck_assert_int_eq(t.margin, 4);
    ck_assert_int_eq(t.seen_at, 0);
    ck_assert_uint_eq(t.numbers.n, 1);
    ck_assert(!was_present("seenAt"));
    ck_assert(was_present("adr"));
    ck_assert_int_eq(read_json(&t, FIELD_MERGE, "{\"adr\":{\"maxDr\":null},\"tags\":null}"), OK);
    ck_assert_uint_eq(t.adr.max_dr, 5);
    ck_assert_uint_eq(t.adr.min_dr, 3);
    ck_assert_uint_eq(t.tags.n, 0);
}
END_TEST

START_TEST(replace_keeps_what_cannot_be_said)
{
    struct thing t;

    setup();
    ck_assert_int_eq(read_json(&t, FIELD_CREATE,
                               "{" MUST ",\"password\":\"pw\",\"margin\":4,\"rx2\":120,"
                               "\"adr\":{\"minDr\":1}}"),
                     OK);
    t.seen_at = 77;
    t.column = 5;
    ck_assert_int_eq(read_json(&t, FIELD_REPLACE, "{\"name\":\"m\",\"rx2\":null}"), OK);
    ck_assert_uint_eq(t.eui, 0x0102030405060708);
    ck_assert_str_eq(t.name, "m");
    ck_assert_str_eq(t.password, "pw");
    ck_assert_int_eq(t.margin, 0);
    ck_assert_uint_eq(t.adr.min_dr, 0);
    ck_assert_int_eq(t.seen_at, 77);
    ck_assert_int_eq(t.column, 5);
    ck_assert_uint_eq(t.rx2, 0);
}
END_TEST

static char *printed(const struct thing *t, unsigned view)
{
    struct jw jw;

    jw_init(&jw, 1u << 16);
    field_print(fields, t, &jw, view);
    return jw_take(&jw);
}

START_TEST(prints_and_reads_back)
{
    struct thing t;
    char *text, *again;

    setup();
    ck_assert_int_eq(read_json(&t, FIELD_CREATE,
                               "{" MUST ",\"key\":\"000102030405060708090a0b0c0d0e0f\","
                               "\"data\":\"AQID\",\"channels\":[868100000],\"password\":\"pw\","
                               "\"tags\":{\"k\":\"v\"},\"raw\":[null]}"),
                     OK);
    text = printed(&t, FIELD_VIEW_PUBLIC);
    ck_assert_str_eq(
        text, "{\"devEui\":\"0102030405060708\",\"netId\":\"000013\",\"name\":\"n\","
              "\"description\":\"none\",\"disabled\":false,\"margin\":0,\"big\":0,\"gain\":0,"
              "\"data\":\"AQID\",\"rawHex\":\"\",\"mode\":\"on\",\"seenAt\":null,"
              "\"expiresAt\":null,\"id\":null,\"adr\":{\"minDr\":0,\"maxDr\":5},"
              "\"tags\":{\"k\":\"v\"},\"channels\":[{\"frequency\":868100000,\"dr\":3}],"
              "\"numbers\":[7,8],\"raw\":[null],\"later\":2,\"laterText\":\"\",\"rx2\":0}");
    ck_assert_int_eq(read_json(&t, FIELD_REPLACE, text), OK);
    again = printed(&t, FIELD_VIEW_PUBLIC);
    ck_assert_str_eq(text, again);
    free(again);
    free(text);
    ck_assert_int_eq(read_json(&t, FIELD_MERGE, "{\"key\":\"0f0102030405060708090a0b0c0d0e0f\"}"),
                     OK);
    text = printed(&t, FIELD_VIEW_SECRETS);
    ck_assert_ptr_nonnull(strstr(text, "\"key\":\"0f0102"));
    ck_assert_ptr_null(strstr(text, "password"));
    free(text);
}
END_TEST

START_TEST(rows_come_back_as_they_were)
{
    const struct node *root;
    const char *why;
    struct thing t, back;
    struct bytes text;
    struct jw jw;

    setup();
    ck_assert_int_eq(read_json(&t, FIELD_CREATE, "{" MUST ",\"channels\":[868100000]}"), OK);
    t.seen_at = 1000000; /* what a client could not say */
    t.column = 9;
    t.password = "secret";
    t.margin = 99;
    t.mode = 1;
    t.later = 7;
    t.name = "longer than eight";
    t.description = NULL;
    t.key[0] = 0xab;
    ((struct channel *)t.channels.p)->frequency = 5;
    jw_init(&jw, 1u << 16);
    field_print(fields, &t, &jw, FIELD_VIEW_ROW);
    text = jw_bytes(&jw);
    ck_assert_int_eq(json_read((const char *)text.p, text.n, &arena, &root, &why), OK);
    field_errors_init(&errors, &arena);
    memset(&back, 0xff, sizeof(back));
    ck_assert_int_eq(field_read(fields, &back, root, FIELD_ROW, &arena, &errors, &present), OK);
    ck_assert_int_eq(back.seen_at, 1000000);
    ck_assert_int_eq(back.column, 9);
    ck_assert_str_eq(back.password, "secret");
    ck_assert_int_eq(back.margin, 99);
    ck_assert_uint_eq(back.mode, 1);
    ck_assert_uint_eq(back.later, 7);
    ck_assert_str_eq(back.name, "longer than eight");
    ck_assert_ptr_null(back.description);
    ck_assert_uint_eq(back.key[0], 0xab);
    ck_assert_uint_eq(((struct channel *)back.channels.p)->frequency, 5);
    jw_free(&jw);
    ck_assert_int_eq(json_read("{\"unknown\":1}", 13, &arena, &root, &why), OK);
    ck_assert_int_eq(field_read(fields, &back, root, FIELD_ROW, &arena, &errors, &present), OK);
    ck_assert_int_eq(json_read("{\"big\":\"1\"}", 11, &arena, &root, &why), OK);
    ck_assert_int_eq(field_read(fields, &back, root, FIELD_ROW, &arena, &errors, NULL),
                     ERR_INVALID);
}
END_TEST

START_TEST(text_reads_by_kind)
{
    struct thing t = {0};

    setup();
    ck_assert_int_eq(field_read_text(field_find(fields, "netId"), &t, "000013", &arena), OK);
    ck_assert_uint_eq(t.net_id, 0x13);
    ck_assert_int_eq(field_read_text(field_find(fields, "numbers"), &t, "1, 2 ,3", &arena), OK);
    ck_assert_uint_eq(t.numbers.n, 3);
    ck_assert_int_eq(field_read_text(field_find(fields, "channels"), &t, "868100000", &arena), OK);
    ck_assert_uint_eq(((struct channel *)t.channels.p)->frequency, 868100000);
    ck_assert_int_eq(field_read_text(field_find(fields, "disabled"), &t, "true", &arena), OK);
    ck_assert(t.disabled);
    ck_assert_int_eq(field_read_text(field_find(fields, "disabled"), &t, "1", &arena), ERR_INVALID);
    ck_assert_int_eq(field_read_text(field_find(fields, "margin"), &t, "-4", &arena), OK);
    ck_assert_int_eq(field_read_text(field_find(fields, "margin"), &t, "4x", &arena), ERR_INVALID);
    ck_assert_int_eq(field_read_text(field_find(fields, "margin"), &t, "", &arena), ERR_INVALID);
    ck_assert_int_eq(field_read_text(field_find(fields, "gain"), &t, "-1.5", &arena), OK);
    ck_assert_int_eq(field_read_text(field_find(fields, "gain"), &t, "nan", &arena), ERR_INVALID);
    ck_assert(t.gain == -1.5);
}
END_TEST

START_TEST(schema_is_json)
{
    struct jw jw;
    const struct node *root, *adr;
    const char *why;
    struct bytes text;

    setup();
    jw_init(&jw, 1u << 16);
    field_schema(fields, &jw, true);
    text = jw_bytes(&jw);
    ck_assert_int_eq(json_read((const char *)text.p, text.n, &arena, &root, &why), OK);
    ck_assert_uint_eq(node_get(root, "required")->count, 2);
    ck_assert_ptr_null(node_get(node_get(root, "properties"), "seenAt"));
    ck_assert_ptr_null(node_get(node_get(root, "properties"), "column"));
    ck_assert_ptr_nonnull(node_get(node_get(root, "properties"), "password"));
    adr = node_get(node_get(node_get(node_get(root, "properties"), "adr"), "properties"), "maxDr");
    ck_assert_int_eq(node_get(adr, "maximum")->integer, 15);
    ck_assert_int_eq(node_get(adr, "default")->integer, 5);
    jw_clear(&jw);
    field_schema(fields, &jw, false);
    text = jw_bytes(&jw);
    ck_assert_int_eq(json_read((const char *)text.p, text.n, &arena, &root, &why), OK);
    ck_assert_ptr_nonnull(node_get(node_get(root, "properties"), "seenAt"));
    ck_assert_ptr_null(node_get(node_get(root, "properties"), "password"));
    jw_free(&jw);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {creates_with_defaults,
                                  reads_every_kind,
                                  mistakes_are_named,
                                  a_list_with_a_mistake_is_empty,
                                  all_mistakes_at_once,
                                  merge_touches_what_is_there,
                                  replace_keeps_what_cannot_be_said,
                                  prints_and_reads_back,
                                  rows_come_back_as_they_were,
                                  text_reads_by_kind,
                                  schema_is_json,
                                  NULL};
    int status = run_suite(suite_of("field", tests));

    arena_reset(&arena);
    return status;
}
