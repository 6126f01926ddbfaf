/* Frames that are wrong, too long or of the wrong side; crypto on several threads. */
#include "lorawan/crypto.h"
#include "lorawan/frame.h"
#include "tests/suite.h"

#include <pthread.h>
#include <string.h>

static const struct lw_key key = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static enum drop read_of(const char *hex, struct lw_frame *frame)
{
    static uint8_t room[512];
    size_t n = hex_read_any(room, sizeof(room), hex, strlen(hex));

    ck_assert(n != SIZE_MAX);
    return lw_frame_read((struct bytes){room, n}, frame);
}

START_TEST(wrong_lengths_are_malformed)
{
    /* for each ftype, which lengths up to 40 are good */
    static const struct {
        uint8_t mhdr, second;
        size_t good[2];
        size_t at_least;
    } rows[] = {
        {0x00, 0, {23, 23}, 99}, {0x20, 0, {17, 33}, 99}, {0x40, 0, {0, 0}, 12},
        {0x60, 0, {0, 0}, 12},   {0x80, 0, {0, 0}, 12},   {0xa0, 0, {0, 0}, 12},
        {0xc0, 0, {19, 19}, 99}, {0xc0, 1, {24, 24}, 99}, {0xc0, 2, {19, 19}, 99},
        {0xc0, 3, {0, 0}, 99},   {0xe0, 0, {1, 1}, 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t n = 0; n <= 40; n++) {
            uint8_t room[40] = {rows[i].mhdr, rows[i].second};
            struct lw_frame frame;
            bool good =
                n && (n == rows[i].good[0] || n == rows[i].good[1] || n >= rows[i].at_least);
            enum drop drop = lw_frame_read((struct bytes){n ? room : NULL, n}, &frame);

            ck_assert_msg((drop == DROP_NONE) == good, "%02x, %zu octets: %s", rows[i].mhdr, n,
                          drop_label(drop));
        }
    }
}
END_TEST

START_TEST(longer_than_any_frame_is_malformed)
{
    uint8_t room[256] = {0x40};
    struct lw_frame frame;

    ck_assert_int_eq(lw_frame_read((struct bytes){room, 255}, &frame), DROP_NONE);
    ck_assert_int_eq(lw_frame_read((struct bytes){room, 256}, &frame), DROP_MALFORMED_FRAME);
}
END_TEST

START_TEST(other_majors_are_malformed)
{
    struct lw_frame frame;

    ck_assert_int_eq(read_of("410403020100000011223344", &frame), DROP_MALFORMED_FRAME);
    ck_assert_int_eq(read_of("430403020100000011223344", &frame), DROP_MALFORMED_FRAME);
    ck_assert_int_eq(read_of("e1", &frame), DROP_MALFORMED_FRAME);
    ck_assert_int_eq(read_of("5c0403020100000011223344", &frame), DROP_NONE); /* RFU bits */
}
END_TEST

START_TEST(fopts_must_fit)
{
    struct lw_frame frame;

    ck_assert_int_eq(read_of("400403020103010001021122334455", &frame), DROP_NONE);
    ck_assert_uint_eq(frame.data.fopts.n, 3);
    ck_assert_int_eq(frame.data.port, LW_PORT_NONE);
    ck_assert_int_eq(read_of("4004030201040100010211223344", &frame), DROP_MALFORMED_FRAME);
    /* FOpts together with port 0 */
    ck_assert_int_eq(read_of("40040302010201000102000311223344", &frame), DROP_FOPTS_PORT0);
    ck_assert_int_eq(read_of("4004030201020100010200"
                             "11223344",
                             &frame),
                     DROP_FOPTS_PORT0);
    ck_assert_int_eq(read_of("400403020102010001020111223344", &frame), DROP_NONE);
    ck_assert_int_eq(frame.data.port, 1);
    ck_assert_uint_eq(frame.data.payload.n, 0);
}
END_TEST

START_TEST(only_uplinks_are_heard)
{
    static const struct {
        uint8_t mhdr;
        size_t n;
        enum drop drop;
    } rows[] = {{0x20, 17, DROP_NOT_UPLINK},     {0x60, 12, DROP_NOT_UPLINK},
                {0xa0, 12, DROP_NOT_UPLINK},     {0xe0, 5, DROP_PROPRIETARY},
                {0x40, 12, DROP_NONE},           {0x80, 12, DROP_NONE},
                {0x20, 18, DROP_MALFORMED_FRAME}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t room[40] = {rows[i].mhdr};
        struct lw_frame frame;

        ck_assert_int_eq(lw_uplink_read((struct bytes){room, rows[i].n}, &frame), rows[i].drop);
    }
}
END_TEST

static enum err write_of(struct lw_data *data, enum lw_ftype ftype, size_t room_size)
{
    static const struct lw_seal seal = {
        .f_nwk_s_int = &key, .nwk_s_enc = &key, .app_s_key = &key, .fcnt = 70000};
    uint8_t room[2 * LW_PHY_MAX];
    struct wr wr = wr_of(room, room_size);

    return lw_data_write(&wr, ftype, data, &seal);
}

START_TEST(what_cannot_be_sent_is_refused)
{
    uint8_t octets[300] = {0};
    struct lw_data data = {.port = 1, .payload = {octets, 242}};

    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX), OK);
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX - 1), ERR_LIMIT);
    ck_assert_int_eq(write_of(&data, LW_JOIN_REQUEST, LW_PHY_MAX), ERR_INVALID);
    data.fopts = (struct bytes){octets, 1}; /* 256 octets in all */
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX), ERR_LIMIT);
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, 2 * LW_PHY_MAX), ERR_LIMIT);
    data = (struct lw_data){.port = 0, .fopts = {octets, 1}};
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX), ERR_INVALID);
    data = (struct lw_data){.port = LW_PORT_NONE, .payload = {octets, 1}};
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX), ERR_INVALID);
    data = (struct lw_data){.port = 1, .fopts = {octets, 16}};
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX), ERR_INVALID);
    data = (struct lw_data){.port = 256};
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX), ERR_INVALID);
    data = (struct lw_data){.port = 1, .payload = {octets, 243}};
    ck_assert_int_eq(write_of(&data, LW_UNCONFIRMED_DOWN, LW_PHY_MAX), ERR_INVALID);
    data = (struct lw_data){.port = LW_PORT_NONE};
    ck_assert_int_eq(write_of(&data, LW_CONFIRMED_UP, 12), OK);
    ck_assert_int_eq(write_of(&data, LW_CONFIRMED_UP, 11), ERR_LIMIT);
}
END_TEST

START_TEST(a_proprietary_frame_can_be_read)
{
    static const uint8_t octets[LW_PHY_MAX];
    uint8_t room[2 * LW_PHY_MAX];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;

    ck_assert_int_eq(lw_proprietary_write(&wr, (struct bytes){octets, LW_PHY_MAX}), ERR_LIMIT);
    ck_assert_uint_eq(wr_len(&wr), 0);
    ck_assert_int_eq(lw_proprietary_write(&wr, (struct bytes){octets, LW_PHY_MAX - 1}), OK);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert_uint_eq(frame.proprietary.n, LW_PHY_MAX - 1);
}
END_TEST

START_TEST(an_encrypted_payload_passes_through)
{
    struct lw_seal seal = {.f_nwk_s_int = &key, .nwk_s_enc = &key, .fcnt = 0x12345};
    struct lw_data data = {.port = 7, .fctrl = LW_FCTRL_ACK | 5, .payload = {key.b, 16}};
    uint8_t room[64];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;

    ck_assert_int_eq(lw_data_write(&wr, LW_CONFIRMED_DOWN, &data, &seal), OK);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert(bytes_equal(frame.data.payload, data.payload));
    ck_assert_uint_eq(frame.data.fcnt, 0x2345);
    ck_assert_uint_eq(frame.data.fctrl, LW_FCTRL_ACK); /* FOptsLen is the writer's */
    ck_assert(lw_ftype_is_confirmed(frame.ftype));
}
END_TEST

START_TEST(fopts_streams_differ)
{
    struct lw_crypt up = {{1}, 5, LW_UP}, down = {{1}, 5, LW_DOWN};
    uint8_t zero[LW_FOPTS_MAX] = {0}, a[LW_FOPTS_MAX], b[LW_FOPTS_MAX], block[16] = {1};
    struct bytes in = {zero, sizeof(zero)};

    lw_crypt_fopts(&key, &up, LW_FOPTS_1_1, 0, in, a);
    lw_crypt_fopts(&key, &up, LW_FOPTS_1_1, 9, in, b);
    ck_assert_mem_eq(a, b, sizeof(a)); /* uplinks have one counter */
    lw_crypt_fopts(&key, &down, LW_FOPTS_1_1, LW_PORT_NONE, in, a);
    lw_crypt_fopts(&key, &down, LW_FOPTS_1_1, 0, in, b);
    ck_assert_mem_eq(a, b, sizeof(a));
    lw_crypt_fopts(&key, &down, LW_FOPTS_1_1, 1, in, b);
    ck_assert_mem_ne(a, b, sizeof(a));
    lw_crypt_fopts(&key, &down, LW_FOPTS_PLAIN, 1, in, b);
    ck_assert_mem_eq(b, zero, sizeof(b));
    /* before the erratum: 01 | 0 0 0 0 | dir | DevAddr | FCnt | 0 | 0 */
    block[5] = LW_DOWN;
    block[6] = 1;
    block[10] = 5;
    lw_aes_encrypt(&key, block, block);
    lw_crypt_fopts(&key, &down, LW_FOPTS_1_1_OLD, 1, in, b);
    ck_assert_mem_eq(b, block, sizeof(b));
}
END_TEST

START_TEST(join_accepts_are_checked)
{
    struct lw_join_context context = {&key, &key, LW_REQUEST_JOIN, {0}, 0};
    struct lw_join_accept accept = {.rx1_dr_offset = 8};
    uint8_t room[LW_JOIN_ACCEPT_MAX] = {0x20};
    struct wr wr = wr_of(room, sizeof(room));

    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), ERR_INVALID);
    accept = (struct lw_join_accept){.rx_delay = 16};
    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), ERR_INVALID);
    accept = (struct lw_join_accept){.has_cflist = true};
    wr = wr_of(room, sizeof(room) - 1);
    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), ERR_LIMIT);
    ck_assert_int_eq(lw_join_accept_read((struct bytes){room, 16}, &context, &accept),
                     ERR_MALFORMED);
    ck_assert_int_eq(lw_join_accept_read((struct bytes){room, 18}, &context, &accept),
                     ERR_MALFORMED);
    room[0] = 0x60;
    ck_assert_int_eq(lw_join_accept_read((struct bytes){room, 17}, &context, &accept),
                     ERR_MALFORMED);
}
END_TEST

/* A join-accept for a rejoin is signed over its type, JoinEUI and RJcount, whatever OptNeg says. */
START_TEST(rejoin_accepts_bind_the_request)
{
    struct lw_join_context context = {&key, &key, 2, {0x1122334455667788}, 9};
    struct lw_join_accept accept = {.opt_neg = true, .rx_delay = 1}, back;
    uint8_t room[LW_JOIN_ACCEPT_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), OK);
    ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), OK);
    context.nonce = 10;
    ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), ERR_CRYPTO);
    context.nonce = 9;
    context.request = 0;
    ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), ERR_CRYPTO);
    /* it is the rejoin that binds, whatever OptNeg says */
    accept.opt_neg = false;
    wr = wr_of(room, sizeof(room));
    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), OK);
    context.nonce = 10;
    ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), ERR_CRYPTO);
    /* and a join without OptNeg binds nothing */
    context.request = LW_REQUEST_JOIN;
    wr = wr_of(room, sizeof(room));
    ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), OK);
    context.nonce = 11;
    ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), OK);
}
END_TEST

static void *many_macs(void *arg)
{
    struct lw_key own = key;
    uint8_t first[LW_BLOCK], again[LW_BLOCK];
    struct bytes part = {key.b, 13};

    own.b[0] = *(uint8_t *)arg;
    lw_cmac(&own, &part, 1, first);
    for (int i = 0; i < 200; i++) {
        struct lw_key other = {{(uint8_t)i}};

        lw_cmac(&other, &part, 1, again);
        lw_cmac(&own, &part, 1, again);
        if (memcmp(first, again, LW_BLOCK) != 0)
            return arg;
    }
    return NULL;
}

START_TEST(no_room_and_no_sense)
{
    static uint8_t room[300], long_room[300];
    uint8_t untouched[4] = {1, 2, 3, 4};
    struct lw_seal seal = {.f_nwk_s_int = &key, .nwk_s_enc = &key, .app_s_key = &key};
    struct lw_data data = {.port = 1, .payload = {long_room, 20}};
    struct lw_join_request join = {.dev_nonce = 1};
    struct lw_rejoin rejoin = {.type = 3};
    struct lw_crypt which = {{1}, 2, LW_UP};
    struct wr wr = wr_of(room, 15);

    ck_assert_int_eq(lw_data_write(&wr, LW_UNCONFIRMED_UP, &data, &seal), ERR_LIMIT);
    wr = wr_of(room, sizeof(room));
    data.port = -5;
    ck_assert_int_eq(lw_data_write(&wr, LW_UNCONFIRMED_UP, &data, &seal), ERR_INVALID);
    wr = wr_of(room, 10);
    ck_assert_int_eq(lw_join_request_write(&wr, &join, &key), ERR_LIMIT);
    wr = wr_of(room, sizeof(room));
    ck_assert_int_eq(lw_rejoin_write(&wr, &rejoin, &key), ERR_INVALID);
    rejoin = (struct lw_rejoin){.type = 2, .net_id = {0x1000000}}; /* has 24 bits */
    ck_assert_int_eq(lw_rejoin_write(&wr, &rejoin, &key), ERR_INVALID);
    ck_assert_uint_eq(wr_len(&wr), 0);
    /* longer than any: nothing is touched */
    lw_crypt_payload(&key, &which, (struct bytes){long_room, 257}, untouched);
    lw_crypt_fopts(&key, &which, LW_FOPTS_1_1, 1, (struct bytes){long_room, 16}, untouched);
    ck_assert_mem_eq(untouched, "\1\2\3\4", 4);
    ck_assert(lw_ftype_is_confirmed(LW_CONFIRMED_UP) && lw_ftype_is_confirmed(LW_CONFIRMED_DOWN));
    ck_assert(!lw_ftype_is_confirmed(LW_UNCONFIRMED_UP));
    ck_assert_str_eq(lw_ftype_name(LW_REJOIN_REQUEST), "RejoinRequest");
    ck_assert_str_eq(lw_ftype_name((enum lw_ftype)8), "");
    ck_assert_str_eq(lw_version_text(LW_1_0_4), "1.0.4");
    ck_assert_str_eq(lw_version_text(LW_VERSION_COUNT), "");
}
END_TEST

/* The contexts are made by whatever a thread does first. */
static void *decrypt_first(void *arg)
{
    uint8_t block[LW_BLOCK] = {7}, back[LW_BLOCK];

    lw_aes_decrypt(&key, block, back);
    lw_aes_encrypt(&key, back, back);
    return memcmp(block, back, LW_BLOCK) != 0 ? arg : NULL;
}

START_TEST(a_thread_may_decrypt_first)
{
    uint8_t room[1];
    pthread_t thread;
    void *bad = NULL;

    ck_assert_int_eq(pthread_create(&thread, NULL, decrypt_first, room), 0);
    pthread_join(thread, &bad);
    ck_assert_ptr_null(bad);
}
END_TEST

START_TEST(threads_have_their_own_contexts)
{
    pthread_t threads[4];
    uint8_t salt[4] = {1, 2, 3, 4};

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, many_macs, &salt[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *bad = NULL;

        pthread_join(threads[i], &bad);
        ck_assert_ptr_null(bad);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {wrong_lengths_are_malformed,
                                  longer_than_any_frame_is_malformed,
                                  other_majors_are_malformed,
                                  fopts_must_fit,
                                  only_uplinks_are_heard,
                                  what_cannot_be_sent_is_refused,
                                  a_proprietary_frame_can_be_read,
                                  an_encrypted_payload_passes_through,
                                  fopts_streams_differ,
                                  join_accepts_are_checked,
                                  rejoin_accepts_bind_the_request,
                                  no_room_and_no_sense,
                                  a_thread_may_decrypt_first,
                                  threads_have_their_own_contexts,
                                  NULL};

    return run_suite(suite_of("frame", tests));
}
