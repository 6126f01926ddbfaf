/* Multicast: a member comes to the same keys, and reads what was sent to the group. */
#include "lorawan/frame.h"
#include "lorawan/multicast.h"
#include "tests/suite.h"

#include <string.h>

static const struct lw_key gen_app_key = {{9, 8, 7}}, mc_key = {{1, 2, 3, 4}};
static const struct lw_dev_addr mc_addr = {0xfe000123};

START_TEST(a_member_opens_the_key_of_the_group)
{
    struct lw_key root, root_11, ke, sealed, opened;

    lw_mc_root_key_10(&gen_app_key, &root);
    lw_mc_root_key_11(&gen_app_key, &root_11);
    ck_assert_mem_ne(&root, &root_11, sizeof(root));
    lw_mc_ke_key(&root, &ke);
    lw_mc_key_seal(&ke, &mc_key, &sealed);
    ck_assert_mem_ne(&sealed, &mc_key, sizeof(sealed));
    lw_mc_key_open(&ke, &sealed, &opened);
    ck_assert_mem_eq(&opened, &mc_key, sizeof(opened));
}
END_TEST

START_TEST(a_frame_is_for_the_group)
{
    struct lw_mc_frame down = {mc_addr, 0x10002, 201, {(const uint8_t *)"fragment", 8}};
    struct lw_crypt which = {mc_addr, 0x10002, LW_DOWN};
    struct lw_mc_keys keys, other;
    struct lw_mic_input in;
    struct lw_frame frame;
    uint8_t room[64], plain[8];
    struct wr wr = wr_of(room, sizeof(room));

    lw_mc_keys(&mc_key, mc_addr, &keys);
    lw_mc_keys(&mc_key, (struct lw_dev_addr){mc_addr.v + 1}, &other);
    ck_assert_mem_ne(&keys, &other, sizeof(keys));
    ck_assert_int_eq(lw_mc_frame_write(&wr, &down, &keys), OK);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    ck_assert(frame.ftype == LW_UNCONFIRMED_DOWN && frame.data.fctrl == 0);
    ck_assert(frame.data.dev_addr.v == mc_addr.v && frame.data.port == 201);
    ck_assert_uint_eq(frame.data.fcnt, 2);
    in = lw_mic_input_of(&frame, down.fcnt);
    ck_assert_uint_eq(lw_mic_10(&keys.nwk_s_key, &in), frame.mic);
    lw_crypt_payload(&keys.app_s_key, &which, frame.data.payload, plain);
    ck_assert_mem_eq(plain, "fragment", 8);
    lw_mc_keys_wipe(&keys);
    ck_assert(lw_key_is_zero(&keys.nwk_s_key) && lw_key_is_zero(&keys.app_s_key));
}
END_TEST

START_TEST(frames_that_no_group_has)
{
    static uint8_t room[300];
    struct lw_mc_frame down = {mc_addr, 0, 0, {room, 1}};
    struct lw_mc_keys keys = {0};
    struct wr wr = wr_of(room, sizeof(room));

    ck_assert_int_eq(lw_mc_frame_write(&wr, &down, &keys), ERR_INVALID);
    down.port = LW_PORT_RELAY;
    ck_assert_int_eq(lw_mc_frame_write(&wr, &down, &keys), ERR_INVALID);
    down.port = 1;
    down.payload.n = LW_FRM_MAX + 1;
    ck_assert_int_eq(lw_mc_frame_write(&wr, &down, &keys), ERR_INVALID);
    down.payload.n = 20;
    wr = wr_of(room + 20, 20 + 12);
    ck_assert_int_eq(lw_mc_frame_write(&wr, &down, &keys), ERR_LIMIT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_member_opens_the_key_of_the_group, a_frame_is_for_the_group,
                                  frames_that_no_group_has, NULL};

    return run_suite(suite_of("lorawan_multicast", tests));
}
