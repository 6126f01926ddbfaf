/* JSON in: what is accepted, what is refused; JSON out. */
#include "core/json.h"
#include "tests/suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct arena arena;

static const struct node *read_text(const char *text, size_t len)
{
    const struct node *root;
    const char *why;

    arena_reset(&arena);
    arena_init(&arena, 4u << 20);
    if (json_read(text, len, &arena, &root, &why) != OK) {
        ck_assert_ptr_null(root);
        ck_assert_ptr_nonnull(why);
        return NULL;
    }
    ck_assert_ptr_nonnull(root);
    return root;
}

static const struct node *read_str(const char *text)
{
    return read_text(text, strlen(text));
}

/* Reads and prints again. */
static void ck_round(const char *in, const char *out)
{
    const struct node *root = read_str(in);
    struct jw jw;
    char *text;

    ck_assert_msg(root, "refused: %s", in);
    jw_init(&jw, 1u << 20);
    jw_node(&jw, root);
    text = jw_take(&jw);
    ck_assert_str_eq(text, out);
    free(text);
}

START_TEST(reads_what_is_json)
{
    ck_round(" {\"a\" : [1, -2.5, true, false, null, \"x\\n\\u00e9\"] , \"b\":{}} \n",
             "{\"a\":[1,-2.5,true,false,null,\"x\\n\xc3\xa9\"],\"b\":{}}");
    ck_round("null", "null");
    ck_round("17", "17");
    ck_round("-0", "0");
    ck_round("[]", "[]");
    ck_round("\"\\u0001\\\"\\\\/\"", "\"\\u0001\\\"\\\\/\"");
    ck_round("[18446744073709551615,-9223372036854775808]",
             "[18446744073709551615,-9223372036854775808]");
    ck_round("1.25e3", "1.25e3");
}
END_TEST

START_TEST(integers_stay_exact)
{
    const struct node *root = read_str("[9007199254740993,18446744073709551615]");

    ck_assert_ptr_nonnull(root);
    ck_assert_int_eq(root->count, 2);
    ck_assert_int_eq(root->child->integer, 9007199254740993);
    ck_assert_int_eq(root->child->kind, NODE_INT);
    ck_assert_str_eq(root->last->text, "18446744073709551615");
    root = read_str("\"a\\u0000b\"");
    ck_assert_uint_eq(root->len, 3);
}
END_TEST

START_TEST(refuses_what_is_not)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[1,2",
        "{} x",
        "{}{}",
        "1 2",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "[{\"x\":{\"a\":1,\"b\":0,\"a\":1}}]",
        "{'a':1}",
        "{a:1}",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "01",
        "-",
        "1.",
        ".5",
        "+1",
        "1e",
        "tru",
        "True",
        "nul",
        "// x\n1",
        "/* x */1",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"a\tb\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "{\"a\\u0000b\":1}",
        "99999999999999999999",
        "-9223372036854775809",
        "{\"a\" 1}",
        "{1:2}",
        "[:]",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!read_str(bad[i]), "accepted: %s", bad[i]);
    ck_assert_ptr_null(read_text("{}\0", 3));
    ck_assert_ptr_null(read_text("1\0", 2));
    ck_assert_ptr_null(read_text("[1,\0 2]", 7));
}
END_TEST

START_TEST(depth_and_size_are_limited)
{
    char text[2 * (JSON_DEPTH_MAX + 1)];
    const struct node *root;
    const char *why;
    char many[8192];

    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    ck_assert_ptr_nonnull(read_text(text, (size_t)2 * JSON_DEPTH_MAX));
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    ck_assert_ptr_null(read_text(text, (size_t)2 * (JSON_DEPTH_MAX + 1)));

    /* More values than the arena holds are an error, not an abort. */
    for (size_t i = 0; i < sizeof(many); i += 2)
        memcpy(many + i, "1,", 2);
    many[0] = '[';
    many[1] = ' ';
    memcpy(many + sizeof(many) - 2, "1]", 2);
    arena_reset(&arena);
    arena_init(&arena, 64 * 1024);
    ck_assert_int_eq(json_read(many, sizeof(many), &arena, &root, &why), ERR_MALFORMED);
    ck_assert_str_eq(why, "too many or too large values");
}
END_TEST

START_TEST(writer_puts_commas_and_escapes)
{
    struct jw jw;
    char *text;

    jw_init(&jw, 4096);
    jw_object(&jw);
    jw_key_str(&jw, "s", "a\"\\\b\x01\xff\xc3\xa4");
    jw_key_str(&jw, "n", NULL);
    jw_key_int(&jw, "i", INT64_MIN);
    jw_key_uint(&jw, "u", UINT64_MAX);
    jw_key_bool(&jw, "b", true);
    jw_key(&jw, "a");
    jw_array(&jw);
    jw_double(&jw, 0.1);
    jw_double(&jw, 868100000.0);
    jw_double(&jw, NAN);
    jw_double(&jw, 1.0 / 3);
    jw_fixed(&jw, 12.345, 2);
    jw_array(&jw);
    jw_end_array(&jw);
    jw_hex(&jw, "\x01\xab", 2);
    jw_base64(&jw, "abcd", 4);
    jw_time(&jw, 1500);
    jw_uuid(&jw, (const uint8_t *)"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee"
                                  "\xff");
    jw_raw(&jw, "{}", 2);
    jw_end_array(&jw);
    jw_key(&jw, "o");
    jw_object(&jw);
    jw_end_object(&jw);
    jw_end_object(&jw);
    ck_assert(!jw.failed);
    text = jw_take(&jw);
    ck_assert_str_eq(text, "{\"s\":\"a\\\"\\\\\\b\\u0001\xef\xbf\xbd\xc3\xa4\",\"n\":null,"
                           "\"i\":-9223372036854775808,\"u\":18446744073709551615,\"b\":true,"
                           "\"a\":[0.1,868100000,null,0.3333333333333333,12.35,[],\"01ab\","
                           "\"YWJjZA==\",\"1970-01-01T00:00:00.001Z\","
                           "\"00112233-4455-6677-8899-aabbccddeeff\",{}],\"o\":{}}");
    ck_assert_ptr_nonnull(read_str(text));
    free(text);
}
END_TEST

START_TEST(writer_stops_at_its_limit)
{
    struct jw jw;

    jw_init(&jw, 10);
    jw_str(&jw, "12345678");
    ck_assert(!jw.failed);
    ck_assert_uint_eq(jw_bytes(&jw).n, 10);
    jw_clear(&jw);
    jw_str(&jw, "123456789");
    ck_assert(jw.failed);
    jw_hex(&jw, "1234567", 7);
    ck_assert_uint_eq(jw_bytes(&jw).n, 0);
    ck_assert_ptr_null(jw_take(&jw));
    jw_free(&jw);
}
END_TEST

START_TEST(utf8_is_checked)
{
    ck_assert(utf8_valid("", 0));
    ck_assert(utf8_valid("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10));
    ck_assert(!utf8_valid("\xc3", 1));
    ck_assert(!utf8_valid("\xe0\x80\x80", 3));
    ck_assert(!utf8_valid("\xf4\x90\x80\x80", 4));
    ck_assert(!utf8_valid("\x80", 1));
}
END_TEST

/* The short way for decimals writes what the library writes. */
static void ck_double(double v)
{
    char text[64];
    struct jw jw;

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    jw_init(&jw, 100);
    jw_double(&jw, v);
    ck_assert_msg(jw.n == strlen(text) && !memcmp(jw.p, text, jw.n), "%.*s, not %s", (int)jw.n,
                  jw.p, text);
    jw_free(&jw);
}

START_TEST(doubles_in_their_shortest_form)
{
    static const double edges[] = {
        0,    1e-4,     9.9e-5, 1e-6,    0.000123, 1e8,       99999999.999999,
        1e15, 1e14,     0.1,    1.0 / 3, 868.1,    2.2945,    -97.5,
        5e-7, 123456.7, 1e-300, 1e300,   0.3,      0.1 + 0.2, 100000000.5};
    static const double scales[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e9};
    uint64_t seed = 7;
    struct jw jw;

    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        ck_double(edges[i]);
        if (edges[i] != 0)
            ck_double(-edges[i]);
    }
    for (unsigned i = 0; i < 20000; i++) {
        int64_t whole = (int64_t)((seed = hash_u64(seed + i)) >> (20 + i % 40));

        ck_double((double)(i % 2 ? whole : -whole - 1) / scales[i % 9]);
        ck_double((double)(seed >> 11) / 9007199254740992.0 * scales[i % 9]);
    }
    jw_init(&jw, 100);
    jw_double(&jw, -0.0);
    ck_assert(jw.n == 1 && *jw.p == '0');
    jw_free(&jw);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {reads_what_is_json,
                                  integers_stay_exact,
                                  refuses_what_is_not,
                                  depth_and_size_are_limited,
                                  writer_puts_commas_and_escapes,
                                  writer_stops_at_its_limit,
                                  utf8_is_checked,
                                  doubles_in_their_shortest_form,
                                  NULL};
    int status = run_suite(suite_of("json", tests));

    arena_reset(&arena);
    return status;
}
