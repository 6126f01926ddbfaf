/* Rejoins: counters, keys and MIC, the answer, the arithmetic of both commands, when to ask. */
#include "lorawan/keys.h"
#include "lorawan/rejoin.h"
#include "tests/suite.h"

static const struct lw_key s_nwk_s_int = {{1}}, nwk_key = {{2}};
static const struct lw_eui dev_eui = {0x70b3d57ed0001122}, join_eui = {0x1122334455667788};

START_TEST(counters_grow)
{
    uint32_t next = 0;

    ck_assert(lw_rejoin_count_take(&next, 0));
    ck_assert(!lw_rejoin_count_take(&next, 0));
    ck_assert(lw_rejoin_count_take(&next, 7));
    ck_assert(!lw_rejoin_count_take(&next, 6) && next == 8);
    ck_assert(lw_rejoin_count_take(&next, 65535));
    ck_assert_uint_eq(next, LW_REJOIN_COUNTS);
    ck_assert(!lw_rejoin_count_take(&next, 65535));
}
END_TEST

/* A request of each type as a device sends it. */
static struct lw_frame heard(unsigned type, const struct lw_key *key, uint8_t *room)
{
    struct lw_rejoin rejoin = {.type = (uint8_t)type,
                               .net_id = {0x000013},
                               .join_eui = join_eui,
                               .dev_eui = dev_eui,
                               .rj_count = 5};
    struct wr wr = wr_of(room, LW_PHY_MAX);
    struct lw_frame frame;

    ck_assert_int_eq(lw_rejoin_write(&wr, &rejoin, key), OK);
    ck_assert_int_eq(lw_uplink_read(wr_bytes(&wr), &frame), DROP_NONE);
    return frame;
}

START_TEST(each_type_has_its_key)
{
    uint8_t room[LW_PHY_MAX];
    struct lw_key js_int;

    lw_js_int_key(&nwk_key, dev_eui, &js_int);
    for (unsigned type = 0; type < 3; type++) {
        const struct lw_key *right = type == 1 ? &js_int : &s_nwk_s_int;
        const struct lw_key *wrong = type == 1 ? &s_nwk_s_int : &js_int;
        struct lw_frame frame = heard(type, right, room);

        ck_assert(lw_rejoin_mic_good(&frame, &s_nwk_s_int, &js_int));
        ck_assert(!lw_rejoin_mic_good(&frame, &js_int, &s_nwk_s_int));
        ck_assert(!lw_rejoin_mic_good(&frame, NULL, NULL));
        ck_assert(lw_rejoin_is_for(&frame.rejoin, (struct lw_net_id){0x000013}));
        ck_assert_int_eq(lw_rejoin_is_for(&frame.rejoin, (struct lw_net_id){0x600001}), type == 1);
        frame = heard(type, wrong, room);
        ck_assert(!lw_rejoin_mic_good(&frame, &s_nwk_s_int, &js_int));
    }
}
END_TEST

/* A join-accept that answers one request is none to another, by type or counter. */
START_TEST(an_answer_is_bound_to_its_request)
{
    struct lw_join_accept accept = {.join_nonce = 9, .net_id = {0x13}, .opt_neg = true}, back;
    struct lw_key js_int, js_enc;
    uint8_t room[LW_JOIN_ACCEPT_MAX];

    lw_js_int_key(&nwk_key, dev_eui, &js_int);
    lw_js_enc_key(&nwk_key, dev_eui, &js_enc);
    for (uint8_t type = 0; type < 3; type++) {
        struct lw_rejoin rejoin = {.type = type, .rj_count = 5};
        struct wr wr = wr_of(room, sizeof(room));
        struct lw_join_context context = lw_rejoin_context(&rejoin, join_eui, &js_int, &js_enc);

        ck_assert_int_eq(lw_join_accept_write(&wr, &accept, &context), OK);
        ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), OK);
        ck_assert_uint_eq(back.join_nonce, 9);
        rejoin.rj_count = 6;
        context = lw_rejoin_context(&rejoin, join_eui, &js_int, &js_enc);
        ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), ERR_CRYPTO);
        rejoin = (struct lw_rejoin){.type = (uint8_t)((type + 1) % 3), .rj_count = 5};
        context = lw_rejoin_context(&rejoin, join_eui, &js_int, &js_enc);
        ck_assert_int_eq(lw_join_accept_read(wr_bytes(&wr), &context, &back), ERR_CRYPTO);
    }
}
END_TEST

START_TEST(what_an_answer_changes)
{
    for (unsigned type = 0; type < 3; type++) {
        struct lw_rejoin_effect effect = lw_rejoin_effect(type);

        ck_assert(effect.resets_radio == (type != 2) && effect.may_have_cflist == (type != 2));
        ck_assert(effect.keeps_queue == (type == 2));
    }
}
END_TEST

START_TEST(how_often_a_device_rejoins_by_itself)
{
    struct lw_rejoin_param_setup_req req;

    ck_assert_uint_eq(lw_rejoin_max_count(0), 16);
    ck_assert_uint_eq(lw_rejoin_max_count(15), 524288);
    ck_assert_uint_eq(lw_rejoin_max_time_s(0), 1024);
    ck_assert_uint_eq(lw_rejoin_max_time_s(15), 33554432);
    for (unsigned n = 0; n < 16; n++) {
        req = lw_rejoin_params(lw_rejoin_max_count(n), lw_rejoin_max_time_s(n));
        ck_assert(req.max_count_n == n && req.max_time_n == n);
        req = lw_rejoin_params(lw_rejoin_max_count(n) - 1, lw_rejoin_max_time_s(n) - 1);
        ck_assert(req.max_count_n == (n ? n - 1 : 0) && req.max_time_n == (n ? n - 1 : 0));
    }
    ck_assert_uint_eq(lw_rejoin_max_count(17), lw_rejoin_max_count(1)); /* fields of four bits */
    ck_assert_uint_eq(lw_rejoin_max_time_s(18), lw_rejoin_max_time_s(2));
    req = lw_rejoin_params(UINT32_MAX, UINT32_MAX);
    ck_assert(req.max_count_n == 15 && req.max_time_n == 15);
}
END_TEST

START_TEST(how_long_a_forced_rejoin_takes)
{
    ck_assert_uint_eq(lw_force_rejoin_pause_s(0), 32);
    ck_assert_uint_eq(lw_force_rejoin_pause_s(7), 4096);
    ck_assert_uint_eq(lw_force_rejoin_pause_s(9), 64); /* a field of three bits */
    ck_assert_uint_eq(lw_force_rejoin_lasts_s(&(struct lw_force_rejoin_req){.period = 7}), 0);
    ck_assert_uint_eq(
        lw_force_rejoin_lasts_s(&(struct lw_force_rejoin_req){.period = 1, .max_retries = 7}),
        7 * (64 + 32));
}
END_TEST

START_TEST(when_a_network_asks)
{
    const struct lw_rejoin_view calm = {
        .version = LW_1_1_0, .is_otaa = true, .since_asked_s = UINT32_MAX};
    struct lw_rejoin_view v = calm;

    ck_assert_int_eq(lw_rejoin_needed(&v), -1);
    v.wants_address = true;
    ck_assert_int_eq(lw_rejoin_needed(&v), 2);
    v.radio_in_doubt = true;
    ck_assert_int_eq(lw_rejoin_needed(&v), 0);
    v.version = LW_1_0_4; /* has no rejoins */
    ck_assert_int_eq(lw_rejoin_needed(&v), -1);
    v.version = LW_1_1_0;
    v.is_otaa = false;
    ck_assert_int_eq(lw_rejoin_needed(&v), -1);
    v.is_otaa = true;
    v.rj_count0 = LW_REJOIN_COUNTS;
    ck_assert_int_eq(lw_rejoin_needed(&v), -1);
    for (int i = 0; i < 3; i++) {
        v = calm;
        *(i == 0 ? &v.fcnt_up : i == 1 ? &v.nfcnt_down : &v.afcnt_down) = LW_FCNT_LATE - 1;
        ck_assert_int_eq(lw_rejoin_needed(&v), -1);
        *(i == 0 ? &v.fcnt_up : i == 1 ? &v.nfcnt_down : &v.afcnt_down) = LW_FCNT_LATE;
        ck_assert_int_eq(lw_rejoin_needed(&v), 2);
    }
    v = calm;
    v.age_s = 100;
    ck_assert_int_eq(lw_rejoin_needed(&v), -1);
    v.rekey_after_s = 101;
    ck_assert_int_eq(lw_rejoin_needed(&v), -1);
    v.rekey_after_s = 100;
    ck_assert_int_eq(lw_rejoin_needed(&v), 2);
}
END_TEST

/* With its last RJcount0 a device cannot ask again: a new session gives it new ones. */
START_TEST(before_rejoins_are_spent)
{
    struct lw_rejoin_view v = {.version = LW_1_1_0, .is_otaa = true, .since_asked_s = UINT32_MAX};

    v.rj_count0 = LW_RJ_COUNT_LATE - 1;
    ck_assert(lw_rejoin_needed(&v) == -1 && !lw_rejoin_is_answered(&v, 0));
    v.rj_count0 = LW_RJ_COUNT_LATE;
    ck_assert(lw_rejoin_needed(&v) == 2 && lw_rejoin_is_answered(&v, 0));
    v.rj_count0 = LW_REJOIN_COUNTS; /* the request that is here was the last */
    ck_assert(lw_rejoin_needed(&v) == -1 && lw_rejoin_is_answered(&v, 0));
}
END_TEST

START_TEST(not_while_the_device_still_tries)
{
    struct lw_rejoin_view v = {
        .version = LW_1_1_0, .is_otaa = true, .wants_address = true, .since_asked_s = UINT32_MAX};

    ck_assert_int_eq(lw_rejoin_to_force(&v), 2);
    v.asked = (struct lw_force_rejoin_req){.period = 0, .max_retries = 2};
    v.since_asked_s = 127;
    ck_assert_int_eq(lw_rejoin_to_force(&v), -1);
    v.since_asked_s = 128;
    ck_assert_int_eq(lw_rejoin_to_force(&v), 2);
    ck_assert(lw_rejoin_is_answered(&v, 0));
    v.wants_address = false;
    ck_assert(!lw_rejoin_is_answered(&v, 0)); /* by habit */
    ck_assert(lw_rejoin_is_answered(&v, 1) && lw_rejoin_is_answered(&v, 2));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {counters_grow,
                                  each_type_has_its_key,
                                  an_answer_is_bound_to_its_request,
                                  what_an_answer_changes,
                                  how_often_a_device_rejoins_by_itself,
                                  how_long_a_forced_rejoin_takes,
                                  when_a_network_asks,
                                  before_rejoins_are_spent,
                                  not_while_the_device_still_tries,
                                  NULL};

    return run_suite(suite_of("lorawan_rejoin", tests));
}
