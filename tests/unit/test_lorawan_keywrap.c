/* Key wrap against RFC 3394 section 4 and the vectors; what was altered is refused. */
#include "lorawan/keywrap.h"
#include "tests/stack.h"
#include "tests/vectors.h"

#include <openssl/err.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLAIN "00112233445566778899aabbccddeeff"

/* RFC 3394 4.1, 4.2, 4.3. */
static const struct {
    const char *kek, *wrapped;
} rfc[] = {
    {"000102030405060708090a0b0c0d0e0f", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
    {"000102030405060708090a0b0c0d0e0f1011121314151617",
     "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
};

static struct lw_kek kek_of(const char *text)
{
    uint8_t room[64];
    struct lw_kek kek;

    ck_assert_int_eq(
        lw_kek_read((struct bytes){room, hex_read_any(room, sizeof(room), text, strlen(text))},
                    &kek),
        OK);
    return kek;
}

static void ck_wraps(const struct lw_kek *kek, const struct lw_key *key, const char *expected)
{
    uint8_t wrapped[LW_WRAPPED];
    struct lw_key back;
    char text[2 * LW_WRAPPED + 1];

    lw_key_wrap(kek, key, wrapped);
    ck_assert_str_eq(hex_write(text, wrapped, sizeof(wrapped)), expected);
    ck_assert_int_eq(lw_key_unwrap(kek, (struct bytes){wrapped, LW_WRAPPED}, &back), OK);
    ck_assert_mem_eq(&back, key, sizeof(back));
}

START_TEST(wraps_as_rfc_3394)
{
    struct lw_key key;

    ck_assert(hex_read(key.b, 16, PLAIN, 32));
    for (size_t i = 0; i < sizeof(rfc) / sizeof(rfc[0]); i++) {
        struct lw_kek kek = kek_of(rfc[i].kek);

        ck_wraps(&kek, &key, rfc[i].wrapped);
    }
}
END_TEST

START_TEST(wraps_as_the_vectors)
{
    struct json_object *root = vec_load("backend-interfaces.json"), *list = vec(root, "keywrap");

    ck_assert_uint_gt(vec_count(list), 0);
    for (size_t i = 0; i < vec_count(list); i++) {
        struct json_object *v = vec_at(list, i);
        struct lw_kek kek = kek_of(vec_str(v, "kek"));
        struct lw_key key = vec_key(v, "key");

        ck_wraps(&kek, &key, vec_str(v, "wrapped"));
    }
    json_object_put(root);
}
END_TEST

START_TEST(refuses_what_was_altered)
{
    struct lw_kek kek = kek_of(rfc[0].kek);
    struct lw_key key = {.b = {1, 2, 3}}, back;
    uint8_t wrapped[LW_WRAPPED];

    lw_key_wrap(&kek, &key, wrapped);
    for (size_t bit = 0; bit < 8 * sizeof(wrapped); bit++) {
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(lw_key_unwrap(&kek, (struct bytes){wrapped, LW_WRAPPED}, &back),
                         ERR_CRYPTO);
        ck_assert(lw_key_is_zero(&back));
        ck_assert_uint_eq(ERR_peek_error(), 0); /* nothing is left for the thread's next call */
        wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    kek.b[0] ^= 1;
    ck_assert_int_eq(lw_key_unwrap(&kek, (struct bytes){wrapped, LW_WRAPPED}, &back), ERR_CRYPTO);
}
END_TEST

/* The library's errors belong to the thread: one that is left there fails a TLS connection. */
START_TEST(leaves_no_error_behind)
{
    struct lw_kek kek = kek_of(rfc[0].kek);
    const uint8_t altered[LW_WRAPPED] = {1};
    struct lw_key key;

    ERR_clear_error();
    ck_assert_int_eq(lw_key_unwrap(&kek, (struct bytes){altered, LW_WRAPPED}, &key), ERR_CRYPTO);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ERR_raise(ERR_LIB_USER, 1); /* another's */
    ck_assert_int_eq(lw_key_unwrap(&kek, (struct bytes){altered, LW_WRAPPED}, &key), ERR_CRYPTO);
    ck_assert_int_eq(ERR_GET_LIB(ERR_peek_last_error()), ERR_LIB_USER);
    ERR_clear_error();
}
END_TEST

struct unwrapping {
    struct lw_kek kek;
    uint8_t wrapped[LW_WRAPPED];
    struct lw_key key;
    enum err err;
};

static void *unwrap(void *arg)
{
    volatile uint8_t depth[1 << 14] = {0}; /* out of reach of what the thread's end writes over */
    struct unwrapping *u = arg;

    depth[0] = depth[1];
    u->err = lw_key_unwrap(&u->kek, (struct bytes){u->wrapped, LW_WRAPPED}, &u->key);
    return NULL;
}

START_TEST(leaves_no_key_behind)
{
    static const struct lw_key key = {"sixteen octets!"};
    struct unwrapping u = {.kek = kek_of(rfc[0].kek)};

    lw_key_wrap(&u.kek, &key, u.wrapped);
    ck_assert(!stack_keeps(unwrap, &u, key.b, sizeof(key.b)));
    ck_assert_int_eq(u.err, OK);
    ck_assert_mem_eq(u.key.b, key.b, sizeof(key.b));
}
END_TEST

START_TEST(refuses_lengths)
{
    static const uint8_t octets[64];
    struct lw_kek kek;
    struct lw_key key;

    for (size_t n = 0; n <= sizeof(octets); n++) {
        bool good = n == 16 || n == 24 || n == 32;

        ck_assert_int_eq(lw_kek_read((struct bytes){octets, n}, &kek), good ? OK : ERR_INVALID);
        ck_assert_uint_eq(kek.n, good ? n : 0);
    }
    kek = kek_of(rfc[2].kek);
    for (size_t n = 0; n <= sizeof(octets); n++)
        ck_assert_int_eq(lw_key_unwrap(&kek, (struct bytes){octets, n}, &key),
                         n == LW_WRAPPED ? ERR_CRYPTO : ERR_MALFORMED);
    lw_kek_wipe(&kek);
    ck_assert_mem_eq(kek.b, octets, sizeof(kek.b));
    ck_assert_uint_eq(kek.n, 0);
}
END_TEST

/* A KEK that was not taken would wrap with zeros. */
START_TEST(never_wraps_with_nothing)
{
    const struct lw_kek none = {0};
    const struct lw_key key = {.b = {1}};
    uint8_t wrapped[LW_WRAPPED];
    pid_t child = fork();
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)freopen("/dev/null", "w", stderr);
        lw_key_wrap(&none, &key, wrapped);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        wraps_as_rfc_3394,        wraps_as_the_vectors,
        refuses_what_was_altered, leaves_no_error_behind,
        leaves_no_key_behind,     refuses_lengths,
        never_wraps_with_nothing, NULL,
    };

    return run_suite(suite_of("lorawan/keywrap", tests));
}
