/* The messages of the vectors: read, printed again to the same JSON, and their keys unwrapped. */
#include "lorawan/frame.h"
#include "roaming/key_envelope.h"
#include "roaming/message.h"
#include "tests/vectors.h"

static struct json_object *loaded;
static struct arena arena;

static struct json_object *root(void)
{
    if (!loaded)
        loaded = vec_load("backend-interfaces.json");
    return loaded;
}

static struct roam_message read_vector(struct json_object *json, const char *id)
{
    const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN);
    struct roam_message message;
    struct roam_fault fault;

    ck_assert_msg(roam_message_read(text, strlen(text), &arena, &message, &fault) == OK, "%s: %s",
                  id, fault.description);
    return message;
}

static char *print_standard(const struct roam_message *message)
{
    struct jw jw;

    jw_init(&jw, ROAM_BODY_MAX);
    ck_assert_int_eq(roam_message_print(message, ROAM_STANDARD, true, &jw), OK);
    return jw_take(&jw);
}

/* 1 if the octets are the same as well. */
static int ck_same(struct json_object *json, const char *id)
{
    struct roam_message message = read_vector(json, id);
    char *text = print_standard(&message);
    struct json_object *again = json_tokener_parse(text);
    int same = !strcmp(text, json_object_to_json_string_ext(
                                 json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));

    ck_assert_msg(json_object_equal(json, again), "%s: %s", id, text);
    ck_assert_str_eq(roam_type_text(message.header.type), vec_str(json, "MessageType"));
    json_object_put(again);
    free(text);
    return same;
}

START_TEST(messages_come_back)
{
    struct json_object *list = vec(root(), "messages");
    int same = 0, messages = 0;

    ck_assert_uint_eq(vec_count(list), 28);
    for (size_t i = 0; i < vec_count(list); i++) {
        struct json_object *pair = vec_at(list, i);

        same += ck_same(vec(pair, "request"), vec_str(pair, "id"));
        messages++;
        if (!vec_has(pair, "answer"))
            continue;
        same += ck_same(vec(pair, "answer"), vec_str(pair, "id"));
        messages++;
    }
    ck_assert_int_eq(messages, 55);
    /* Those with DLMetaData and one answer with Lifetime first have members in another order. */
    ck_assert_int_eq(same, 51);
}
END_TEST

/* The answer to each request has the header of the vector's answer. */
START_TEST(answers_have_their_header)
{
    struct json_object *list = vec(root(), "messages");

    for (size_t i = 0; i < vec_count(list); i++) {
        struct json_object *pair = vec_at(list, i);
        struct roam_message request, expected, answer;
        char *text, *want;

        request = read_vector(vec(pair, "request"), vec_str(pair, "id"));
        if (!vec_has(pair, "answer")) {
            ck_assert(!roam_is_answerable(&request));
            continue;
        }
        expected = read_vector(vec(pair, "answer"), vec_str(pair, "id"));
        roam_answer_init(
            &answer, &request,
            (struct roam_fault){expected.header.result.code, expected.header.result.description});
        expected.empty.has = 0;
        text = print_standard(&answer);
        want = print_standard(&expected);
        ck_assert_str_eq(text, want);
        free(text);
        free(want);
    }
}
END_TEST

/* ---- keys ----------------------------------------------------------------------------------- */

static size_t load_keks(struct roam_kek *keks)
{
    struct json_object *list = vec(vec(root(), "parties"), "keks");
    size_t n = 0;

    for (struct lh_entry *e = json_object_get_object(list)->head; e; e = e->next) {
        struct lw_key key;
        const char *text = json_object_get_string(lh_entry_v(e));

        ck_assert(hex_read(key.b, 16, text, strlen(text)));
        keks[n].label = lh_entry_k(e);
        ck_assert_int_eq(lw_kek_read((struct bytes){key.b, 16}, &keks[n++].kek), OK);
    }
    return n;
}

static void ck_key(const struct roam_kek *keks, size_t n, const struct roam_key_envelope *envelope,
                   struct json_object *session, const char *name, const char *id)
{
    struct roam_key_envelope again = {0};
    const struct roam_kek *kek = NULL;
    struct lw_key key;

    ck_assert_int_eq(roam_key_unwrap(envelope, keks, n, &key), OK);
    vec_expect_key(session, name, &key, id);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(keks[i].label, envelope->kek_label))
            kek = &keks[i];
    }
    roam_key_wrap(kek, &key, &arena, &again);
    ck_assert(again.has == envelope->has && bytes_equal(again.aes_key, envelope->aes_key));
    ck_assert_str_eq(again.kek_label, envelope->kek_label);
}

static struct json_object *answer_of(const char *id)
{
    struct json_object *list = vec(root(), "messages");

    for (size_t i = 0; i < vec_count(list); i++) {
        if (!strcmp(vec_str(vec_at(list, i), "id"), id))
            return vec(vec_at(list, i), "answer");
    }
    ck_abort_msg("%s: no such vector", id);
}

START_TEST(keys_unwrap)
{
    struct roam_kek keks[8];
    size_t n = load_keks(keks);
    struct json_object *a = vec(vec(root(), "devices"), "A_lorawan_1_0_3");
    struct json_object *b = vec(vec(root(), "devices"), "B_lorawan_1_1");
    struct json_object *second = vec(a, "second_session"), *moved = vec(b, "handover_session");
    struct roam_message m = read_vector(answer_of("V01"), "V01");

    ck_assert_uint_eq(n, 3);
    ck_key(keks, n, &m.join_ans.nwk_s_key, a, "NwkSKey", "V01");
    ck_key(keks, n, &m.join_ans.app_s_key, a, "AppSKey", "V01");
    m = read_vector(answer_of("V03"), "V03");
    ck_key(keks, n, &m.app_s_key_ans.app_s_key, a, "AppSKey", "V03");
    m = read_vector(answer_of("V04"), "V04");
    ck_key(keks, n, &m.join_ans.f_nwk_s_int_key, b, "FNwkSIntKey", "V04");
    ck_key(keks, n, &m.join_ans.s_nwk_s_int_key, b, "SNwkSIntKey", "V04");
    ck_key(keks, n, &m.join_ans.nwk_s_enc_key, b, "NwkSEncKey", "V04");
    ck_key(keks, n, &m.join_ans.app_s_key, b, "AppSKey", "V04");
    m = read_vector(answer_of("V06"), "V06");
    ck_key(keks, n, &m.pr_start_ans.nwk_s_key, second, "NwkSKey", "V06");
    m = read_vector(answer_of("V12"), "V12");
    ck_key(keks, n, &m.pr_start_ans.f_nwk_s_int_key, b, "FNwkSIntKey", "V12");
    m = read_vector(answer_of("V22"), "V22");
    ck_key(keks, n, &m.join_ans.f_nwk_s_int_key, moved, "FNwkSIntKey", "V22");
    ck_key(keks, n, &m.join_ans.app_s_key, moved, "AppSKey", "V22");
    m = read_vector(answer_of("V23"), "V23");
    ck_key(keks, n, &m.hr_start_ans.f_nwk_s_int_key, moved, "FNwkSIntKey", "V23");
    ck_key(keks, n, &m.hr_start_ans.s_nwk_s_int_key, moved, "SNwkSIntKey", "V23");
    ck_key(keks, n, &m.hr_start_ans.nwk_s_enc_key, moved, "NwkSEncKey", "V23");
    m = read_vector(answer_of("V28"), "V28");
    ck_key(keks, n, &m.hr_start_ans.nwk_s_key, vec(a, "handover_activation_session"), "NwkSKey",
           "V28");
    m = read_vector(answer_of("V30"), "V30"); /* in clear */
    ck_assert_uint_eq(m.join_ans.s_nwk_s_int_key.aes_key.n, 16);
    ck_key(NULL, 0, &m.join_ans.s_nwk_s_int_key, vec(answer_of("V30"), "SNwkSIntKey"), "AESKey",
           "V30");
}
END_TEST

START_TEST(wrong_keks_are_told_apart)
{
    struct roam_kek keks[8], old = {.label = "ns-60000a", .kek = {.n = 16}};
    size_t n = load_keks(keks);
    struct roam_message m = read_vector(answer_of("V01"), "V01");
    struct roam_key_envelope e = m.join_ans.nwk_s_key;
    struct lw_key key;

    ck_assert_int_eq(roam_key_unwrap(&e, NULL, 0, &key), ERR_NOT_FOUND);
    ck_assert_int_eq(roam_key_unwrap(&e, &old, 1, &key), ERR_CRYPTO);
    ck_assert(lw_key_is_zero(&key));
    keks[n] = keks[0];
    keks[0] = old; /* two of one label: the second fits */
    ck_assert_int_eq(roam_key_unwrap(&e, keks, n + 1, &key), OK);
    e.aes_key.n--;
    ck_assert_int_eq(roam_key_unwrap(&e, keks, n + 1, &key), ERR_MALFORMED);
    e = m.join_ans.nwk_s_key;
    e.kek_label = NULL; /* 24 octets in clear are none */
    ck_assert_int_eq(roam_key_unwrap(&e, keks, n, &key), ERR_MALFORMED);
    e.kek_label = "";
    e.aes_key.n = 16;
    ck_assert_int_eq(roam_key_unwrap(&e, keks, n, &key), OK);
    ck_assert_mem_eq(key.b, e.aes_key.p, 16);
}
END_TEST

START_TEST(keys_are_wiped_and_hidden)
{
    struct roam_message m = read_vector(answer_of("V04"), "V04");
    const uint8_t *key = m.join_ans.s_nwk_s_int_key.aes_key.p;
    struct jw jw;

    jw_init(&jw, ROAM_BODY_MAX);
    ck_assert_int_eq(roam_message_print(&m, ROAM_STANDARD, false, &jw), OK);
    ck_assert(memmem(jw.p, jw.n, "AESKey", 6) == NULL);
    ck_assert(memmem(jw.p, jw.n, "KEKLabel", 8) != NULL);
    jw_free(&jw);
    ck_assert(key[0] | key[1] | key[23]);
    roam_message_wipe(&m);
    for (size_t i = 0; i < 24; i++)
        ck_assert_uint_eq(key[i], 0);
    ck_assert_uint_eq(m.join_ans.s_nwk_s_int_key.aes_key.n, 0);
    ck_assert_uint_eq(m.join_ans.phy_payload.n, 33);
}
END_TEST

/* What was read of a message that is refused is wiped as well, wherever in it the mistake is. */
START_TEST(keys_of_a_bad_message_are_wiped)
{
    static const char *const members[] = {
        "\"AESKey\":\"00112233445566778899aabbccddeeff\"},\"Lifetime\":-1",
        "\"AESKey\":\"00112233445566778899aabbccddeeff\",\"KEKLabel\":7}",
        "\"KEKLabel\":7,\"AESKey\":\"00112233445566778899aabbccddeeff\"}",
        "\"AESKey\":\"00112233445566778899aabbccddeeffgg\"}",
        "\"AESKey\":\"00112233445566778899aabbccddeeff00112233445566778899\"}",
    };
    static const uint8_t key[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct roam_message message;
        struct roam_fault fault;
        const char *text, *from, *to;

        arena_reset(&arena);
        text = arena_printf(&arena, "{\"MessageType\":\"JoinAns\",\"NwkSKey\":{%s}", members[i]);
        from = arena_alloc(&arena, 1);
        ck_assert_int_eq(roam_message_read(text, strlen(text), &arena, &message, &fault),
                         ERR_INVALID);
        roam_message_wipe(&message);
        to = arena_alloc(&arena, 1);
        ck_assert(to > from && to < from + 4096);
        ck_assert_msg(!memmem(from, (size_t)(to - from), key, sizeof(key)), "%s", members[i]);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        messages_come_back,
        answers_have_their_header,
        keys_unwrap,
        wrong_keks_are_told_apart,
        keys_are_wiped_and_hidden,
        keys_of_a_bad_message_are_wiped,
        NULL,
    };
    int status;

    arena_init(&arena, 64u << 20);
    status = run_suite(suite_of("roaming/vectors", tests));
    arena_reset(&arena);
    json_object_put(loaded);
    return status;
}
