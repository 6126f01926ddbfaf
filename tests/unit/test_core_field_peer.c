/* Field tables as another operator's server meets them: presence, liberal reading, dialects. */
#include "core/clock.h"
#include "core/field.h"
#include "core/json.h"
#include "tests/suite.h"

#include <stdio.h>
#include <string.h>

struct inner {
    uint64_t has;
    uint8_t a, b;
    struct bytes secret;
};

struct thing {
    uint64_t has;
    uint8_t small;
    uint64_t eui;
    uint32_t addr, net_id;
    uint8_t key[2];
    struct bytes blob, kept, secret;
    uint8_t mode, any;
    uint32_t hz, text_number;
    int64_t at;
    const char *name;
    struct inner inner;
    struct array inners, frequencies;
    const struct node *raw;
    uint8_t lax;
};

enum { MARK = 1 };

/* clang-format off */
static const char *const modes[] = {"", "off", "on", NULL};
static const char *const loud[] = {"", "OFF", "ON", NULL};
static const char *const small_also[] = {"Little", "Tiny", NULL};
static const struct field_alias mode_aliases[] = {{"closed", 1}, {"open", 2}, {NULL, 0}};
static const struct field_alias any_aliases[] = {{"*", 1}, {NULL, 0}};

enum { IN_HAS, IN_A, IN_B, IN_SECRET };
static const struct field inner_fields[] = {
    [IN_HAS] = HAS_ROW(struct inner),
    [IN_A] = {"A", F_U8, 0, AT(struct inner, a)},
    [IN_B] = {"B", F_U8, 0, AT(struct inner, b), .marks = MARK},
    [IN_SECRET] = {"Secret", F_HEXBLOB, F_SECRET, AT(struct inner, secret)},
    {0},
};
enum { T_HAS, T_SMALL, T_EUI, T_ADDR, T_NET_ID, T_KEY, T_BLOB, T_KEPT, T_SECRET, T_MODE, T_ANY,
       T_HZ, T_TEXT_NUMBER, T_AT, T_NAME, T_INNER, T_INNERS, T_FREQUENCIES, T_RAW, T_LAX };
static const struct field fields[] = {
    [T_HAS] = HAS_ROW(struct thing),
    [T_SMALL] = {"Small", F_U8, 0, AT(struct thing, small), .range = {1, 9}, .also = small_also},
    [T_EUI] = {"EUI", F_EUI, 0, AT(struct thing, eui)},
    [T_ADDR] = {"Addr", F_ADDR, 0, AT(struct thing, addr)},
    [T_NET_ID] = {"NetID", F_NETID, 0, AT(struct thing, net_id)},
    [T_KEY] = {"Key", F_HEX, F_SECRET, AT(struct thing, key), .size = 2},
    [T_BLOB] = {"Blob", F_HEXBLOB, 0, AT(struct thing, blob), .size = 4},
    [T_KEPT] = {"Kept", F_HEXBLOB, F_EMPTY, AT(struct thing, kept)},
    [T_SECRET] = {"Coded", F_BLOB, F_SECRET, AT(struct thing, secret)},
    [T_MODE] = {"Mode", F_ENUM, F_NOCASE, AT(struct thing, mode), .names = modes, .aliases = mode_aliases},
    [T_ANY] = {"Any", F_ENUM, 0, AT(struct thing, any), .names = modes, .aliases = any_aliases},
    [T_HZ] = {"Freq", F_MHZ, 0, AT(struct thing, hz), .range = {1000000, 3000000000}},
    [T_TEXT_NUMBER] = {"Number", F_U32, F_OR_TEXT, AT(struct thing, text_number)},
    [T_AT] = {"At", F_TIME, 0, AT(struct thing, at)},
    [T_NAME] = {"Name", F_STR, 0, AT(struct thing, name), .size = 8},
    [T_INNER] = {"Inner", F_OBJ, 0, AT(struct thing, inner), .sub = inner_fields},
    [T_INNERS] = {"Inners", F_ARR, 0, AT(struct thing, inners), .elem = F_OBJ, .sub = inner_fields,
                  .size = sizeof(struct inner), .most = 2},
    [T_FREQUENCIES] = {"Freqs", F_ARR, 0, AT(struct thing, frequencies), .elem = F_MHZ, .size = 4},
    [T_RAW] = {"Raw", F_RAW, 0, AT(struct thing, raw)},
    [T_LAX] = {"Lax", F_U8, F_LAX, AT(struct thing, lax), .range = {0, 9}},
    {0},
};
/* clang-format on */

static struct arena arena;
static struct field_errors errors;

static enum err read_peer(struct thing *thing, const char *text)
{
    const struct node *root;
    const char *why = NULL;

    arena_reset(&arena);
    arena_init(&arena, 1u << 20);
    field_errors_init(&errors, &arena);
    ck_assert_msg(json_read(text, strlen(text), &arena, &root, &why) == OK, "%s: %s", text, why);
    return field_read(fields, thing, root, FIELD_PEER, &arena, &errors, NULL);
}

static void ck_good(struct thing *thing, const char *text, uint64_t has)
{
    ck_assert_msg(read_peer(thing, text) == OK, "%s: %s %s", text, errors.at[0].where,
                  errors.at[0].what);
    ck_assert_msg(thing->has == has, "%s: %llx, not %llx", text, (unsigned long long)thing->has,
                  (unsigned long long)has);
}

static void ck_bad(const char *text, const char *where, const char *what)
{
    struct thing thing;

    ck_assert_msg(read_peer(&thing, text) == ERR_INVALID, "%s", text);
    ck_assert_uint_eq(errors.n, 1);
    ck_assert_str_eq(errors.at[0].where, where);
    ck_assert_msg(strstr(errors.at[0].what, what) != NULL, "%s", errors.at[0].what);
}

#define BIT(row) (UINT64_C(1) << (row))

START_TEST(absent_and_zero_differ)
{
    struct thing thing;

    ck_good(&thing, "{}", 0);
    ck_good(&thing, "{\"Lax\":0,\"Inner\":{\"A\":0}}", BIT(T_LAX) | BIT(T_INNER));
    ck_assert_uint_eq(thing.inner.has, BIT(IN_A));
    ck_good(&thing, "{\"Inners\":[{},{\"B\":7}],\"Unknown\":[1],\"\":1}", BIT(T_INNERS));
    ck_assert_uint_eq(((struct inner *)thing.inners.p)[0].has, 0);
    ck_assert_uint_eq(((struct inner *)thing.inners.p)[1].has, BIT(IN_B));
    ck_good(&thing, "{\"Small\":null,\"EUI\":null,\"Inner\":null,\"Raw\":null,\"Name\":null}", 0);
}
END_TEST

START_TEST(hex_in_every_form)
{
    struct thing thing;

    ck_good(&thing, "{\"EUI\":\"0x0102030405060708\",\"NetID\":\"0XC00053\",\"Addr\":\"AbCdEf01\"}",
            BIT(T_EUI) | BIT(T_NET_ID) | BIT(T_ADDR));
    ck_assert_uint_eq(thing.eui, 0x0102030405060708);
    ck_assert_uint_eq(thing.net_id, 0xc00053);
    ck_assert_uint_eq(thing.addr, 0xabcdef01);
    ck_good(&thing, "{\"EUI\":\"\",\"Addr\":\"0x\",\"Key\":\"\",\"Blob\":\"\"}", 0);
    ck_good(&thing, "{\"Kept\":\"\",\"Blob\":\"0x00\"}", BIT(T_KEPT) | BIT(T_BLOB));
    ck_assert_uint_eq(thing.kept.n, 0);
    ck_assert_uint_eq(thing.blob.n, 1);
    ck_bad("{\"Blob\":\"0\"}", "Blob", "at most 4 bytes");
    ck_bad("{\"Blob\":\"0x0000000000\"}", "Blob", "at most 4 bytes");
    ck_bad("{\"Blob\":\"1x00\"}", "Blob", "at most 4 bytes");
    ck_bad("{\"Key\":17}", "Key", "4 hexadecimal digits");
}
END_TEST

START_TEST(other_names_and_spellings)
{
    struct thing thing;

    ck_good(&thing, "{\"Tiny\":3}", BIT(T_SMALL));
    ck_assert_uint_eq(thing.small, 3);
    ck_good(&thing, "{\"Little\":4}", BIT(T_SMALL));
    ck_assert_uint_eq(thing.small, 4);
    ck_good(&thing, "{\"Little\":4,\"Small\":0,\"Tiny\":[]}", BIT(T_SMALL));
    ck_assert_uint_eq(thing.small, 4);
    ck_good(&thing, "{\"Mode\":\"ON\"}", BIT(T_MODE));
    ck_assert_uint_eq(thing.mode, 2);
    ck_good(&thing, "{\"Mode\":\"closed\"}", BIT(T_MODE));
    ck_assert_uint_eq(thing.mode, 1);
    ck_good(&thing, "{\"Mode\":\"Closed\"}", BIT(T_MODE));
    ck_assert_uint_eq(thing.mode, 1);
    ck_bad("{\"Mode\":\"close\"}", "Mode", "one of");
    ck_bad("{\"Mode\":\"on\\u0000\"}", "Mode", "one of");
    ck_bad("{\"Any\":7}", "Any", "one of");
    ck_bad("{\"Mode\":\"\"}", "Mode", "one of");
    ck_good(&thing, "{\"Any\":\"on\"}", BIT(T_ANY));
    ck_assert_uint_eq(thing.any, 2);
    ck_good(&thing, "{\"Any\":\"what\"}", BIT(T_ANY));
    ck_assert_uint_eq(thing.any, 1);
}
END_TEST

START_TEST(frequencies_in_mhz)
{
    static const struct {
        const char *text;
        uint32_t hz;
    } good[] = {
        {"868.1", 868100000},
        {"869.525", 869525000},
        {"903.9", 903900000},
        {"868", 868000000},
        {"868.0", 868000000},
        {"8.681e2", 868100000},
        {"867.9000001", 867900000},
        {"867.8999999", 867900000},
        {"433.175", 433175000},
        {"923.200012", 923200012},
        {"1", 1000000},
        {"3000", 3000000000},
    };
    struct thing thing;
    char text[64];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(text, sizeof(text), "{\"Freq\":%s}", good[i].text);
        ck_good(&thing, text, BIT(T_HZ));
        ck_assert_msg(thing.hz == good[i].hz, "%s: %u", text, (unsigned)thing.hz);
    }
    ck_bad("{\"Freq\":0.9999994}", "Freq", "a frequency in MHz");
    ck_bad("{\"Freq\":-868.1}", "Freq", "a frequency in MHz");
    ck_bad("{\"Freq\":868100000}", "Freq", "a frequency in MHz");
    ck_bad("{\"Freq\":\"868.1\"}", "Freq", "a frequency in MHz");
    ck_bad("{\"Freqs\":[868.1,1e300]}", "Freqs[1]", "a frequency in MHz");
}
END_TEST

START_TEST(lax_members)
{
    struct thing thing;

    ck_good(&thing, "{\"Lax\":10,\"Small\":1}", BIT(T_SMALL));
    ck_assert_uint_eq(thing.lax, 0);
    ck_good(&thing, "{\"Lax\":{}}", 0);
    ck_bad("{\"Small\":10,\"Lax\":10}", "Small", "from 1 to 9");
    ck_good(&thing, "{\"Number\":\"200\"}", BIT(T_TEXT_NUMBER));
    ck_assert_uint_eq(thing.text_number, 200);
    ck_good(&thing, "{\"Number\":200}", BIT(T_TEXT_NUMBER));
    ck_bad("{\"Number\":\"200ms\"}", "Number", "an integer");
    ck_bad("{\"Small\":\"3\"}", "Small", "an integer");
    ck_bad("{\"Inners\":[{},{},{}]}", "Inners", "at most 2");
    ck_bad("{\"Inners\":[null]}", "Inners[0]", "an object");
    ck_bad("[]", "", "must be an object");
}
END_TEST

static const char *printed(const struct thing *thing, const struct field_style *style)
{
    static char text[1024];
    struct jw jw;
    struct bytes bytes;

    jw_init(&jw, 1000);
    field_print_styled(fields, thing, &jw, style);
    bytes = jw_bytes(&jw);
    memcpy(text, bytes.p, bytes.n);
    text[bytes.n] = '\0';
    jw_free(&jw);
    return text;
}

START_TEST(prints_what_is_there)
{
    const char *text =
        "{\"Small\":5,\"EUI\":\"00000000000000ab\",\"Addr\":\"0000cdef\","
        "\"NetID\":\"c00053\",\"Key\":\"0aff\",\"Blob\":\"a1\",\"Kept\":\"\","
        "\"Coded\":\"AQI=\",\"Mode\":\"on\",\"Any\":\"off\",\"Freq\":868.1,\"Number\":0,"
        "\"At\":\"1970-01-01T00:00:00Z\",\"Name\":\"\",\"Inner\":{\"B\":0},\"Inners\":[{}],"
        "\"Freqs\":[868,869.525],\"Raw\":{\"x\":[1]},\"Lax\":0}";
    struct field_style style = {.view = FIELD_VIEW_PEER | FIELD_VIEW_SECRETS};
    struct thing thing;

    ck_assert_int_eq(read_peer(&thing, text), OK);
    ck_assert_str_eq(printed(&thing, &style), text);
    style.without = MARK;
    ck_assert(strstr(printed(&thing, &style), "\"Inner\":{}") != NULL);
    style.view = FIELD_VIEW_PEER;
    ck_assert(strstr(printed(&thing, &style), "\"Key\"") == NULL);
    ck_good(&thing, "{}", 0);
    ck_assert_str_eq(printed(&thing, &style), "{}");
}
END_TEST

START_TEST(prints_a_dialect)
{
    static const struct field_rule rules[] = {
        {FIELD_ALWAYS, &fields[T_INNERS], NULL, NULL},
        {FIELD_ALWAYS, &inner_fields[IN_HAS], NULL, NULL},
        {FIELD_RENAME, &fields[T_SMALL], "Wee", NULL},
        {FIELD_ALSO, &fields[T_NAME], "Called", NULL},
        {FIELD_NAMES, &fields[T_MODE], NULL, loud},
        {0},
    };
    struct field_style style = {
        .view = FIELD_VIEW_PEER, .rules = rules, .hex = JW_HEX_UPPER | JW_HEX_0X};
    struct thing thing;

    ck_assert_int_eq(read_peer(&thing,
                               "{\"Small\":5,\"EUI\":\"00000000000000ab\",\"Blob\":\"a1f0\","
                               "\"Kept\":\"\",\"Mode\":\"on\",\"Any\":\"on\",\"Name\":\"x\","
                               "\"Inner\":{}}"),
                     OK);
    ck_assert_str_eq(printed(&thing, &style),
                     "{\"Wee\":5,\"EUI\":\"0x00000000000000AB\",\"Blob\":\"0xA1F0\",\"Kept\":\"\","
                     "\"Mode\":\"ON\",\"Any\":\"on\",\"Name\":\"x\",\"Called\":\"x\","
                     "\"Inner\":{\"A\":0,\"B\":0},\"Inners\":[]}");
    style.hex = JW_HEX_UPPER;
    ck_assert(strstr(printed(&thing, &style), "\"Blob\":\"A1F0\"") != NULL);
    style.hex = JW_HEX_0X;
    ck_assert(strstr(printed(&thing, &style), "\"Blob\":\"0xa1f0\"") != NULL);
}
END_TEST

START_TEST(exact_times)
{
    static const char *const same[] = {
        "2026-03-01T12:00:00Z",        "2026-03-01T12:00:00.500Z", "2026-03-01T12:00:00.000001Z",
        "2026-03-01T12:00:00.123456Z", "1969-12-31T23:59:59.999Z", "2016-12-31T23:59:59.999999Z",
    };
    char text[CLOCK_TEXT];
    int64_t us;

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        ck_assert(clock_read(same[i], &us));
        ck_assert_str_eq(clock_text_exact(text, us), same[i]);
    }
    ck_assert(clock_read("2026-03-01T12:00:00.123456789+01:00", &us));
    ck_assert_str_eq(clock_text_exact(text, us), "2026-03-01T11:00:00.123456Z");
}
END_TEST

START_TEST(wipes_secrets)
{
    uint8_t outer[2] = {1, 2}, coded[3] = {3, 4, 5}, first[2] = {1, 2}, second[2] = {3, 4};
    struct inner list[2] = {{.secret = {first, 2}}, {.secret = {second, 2}, .a = 5}};
    struct thing thing = {.key = {6, 7}, .small = 8, .secret = {coded, 3}, .inners = {list, 2}};

    thing.inner.secret = (struct bytes){outer, 2};
    field_wipe(fields, &thing);
    ck_assert(!outer[0] && !outer[1] && !coded[0] && !coded[2] && !thing.key[0] && !thing.key[1]);
    ck_assert(!thing.secret.p && !thing.inner.secret.n && thing.small == 8);
    ck_assert(!first[0] && !first[1] && !second[0] && !second[1] && list[1].a == 5);
    field_wipe(fields, &thing);
}
END_TEST

/* What is taken back as it does not fit leaves no secret behind. */
START_TEST(wipes_secrets_that_are_dropped)
{
    static const char *const texts[] = {
        "{\"Inners\":[{\"Secret\":\"aabbccddeeff\"},{\"Secret\":\"x\"}]}",
        "{\"Inner\":{\"Secret\":\"aabbccddeeff\",\"A\":-1}}",
        "{\"Inner\":{\"Secret\":\"aabbccddeeff0\"}}",
        "{\"Coded\":\"qrvM3e7/?\"}",
    };

    for (size_t i = 0; i < 4; i++) {
        const struct node *root;
        struct thing thing;
        const char *why, *from, *to;

        arena_reset(&arena);
        field_errors_init(&errors, &arena);
        ck_assert_int_eq(json_read(texts[i], strlen(texts[i]), &arena, &root, &why), OK);
        from = arena_alloc(&arena, 1);
        ck_assert_int_eq(field_read(fields, &thing, root, FIELD_PEER, &arena, &errors, NULL),
                         ERR_INVALID);
        to = arena_alloc(&arena, 1);
        ck_assert(to > from && to < from + 4096);
        ck_assert_msg(!memmem(from, (size_t)(to - from), "\xaa\xbb\xcc", 3), "%s", texts[i]);
    }
}
END_TEST

START_TEST(schema_leaves_presence_out)
{
    struct jw jw;

    jw_init(&jw, 1u << 16);
    field_schema(inner_fields, &jw, true);
    ck_assert(memmem(jw.p, jw.n, "\"\"", 2) == NULL);
    jw_clear(&jw);
    field_schema(fields, &jw, true);
    ck_assert(memmem(jw.p, jw.n, "\"Freq\":{\"type\":\"number\"", 23) != NULL);
    jw_free(&jw);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        absent_and_zero_differ,
        hex_in_every_form,
        other_names_and_spellings,
        frequencies_in_mhz,
        lax_members,
        prints_what_is_there,
        prints_a_dialect,
        exact_times,
        wipes_secrets,
        wipes_secrets_that_are_dropped,
        schema_leaves_presence_out,
        NULL,
    };
    int status = run_suite(suite_of("core/field_peer", tests));

    arena_reset(&arena);
    return status;
}
