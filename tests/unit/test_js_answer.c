/* The join server's rules: keys, MIC, nonces by version, JoinNonce. */
#include "js/js.h"
#include "tests/suite.h"

static struct js_request request_of(enum lw_version version, uint16_t nonce,
                                    const struct lw_key *root)
{
    struct js_request request = {.version = version,
                                 .join = {{0x1122334455667788}, {0x70b3d57ed0000001}, nonce},
                                 .net_id = {0x13},
                                 .dev_addr = {0x26000001},
                                 .rx_delay = 1};
    struct wr wr = wr_of(request.phy, sizeof(request.phy));
    struct lw_frame frame;

    ck_assert_int_eq(lw_join_request_write(&wr, &request.join, root), OK);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    request.mic = frame.mic;
    return request;
}

static struct js_device device_of(void)
{
    struct js_device device = {
        .keys = {.app_key = {{1}}, .nwk_key = {{2}}, .has_app_key = true, .has_nwk_key = true},
        .state = {.join_nonce = 41, .last_dev_nonce = -1}};

    return device;
}

START_TEST(the_device_reads_what_is_answered)
{
    struct js_device device = device_of();
    struct js_request request = request_of(LW_1_0_3, 500, &device.keys.app_key);
    struct lw_join_context context = {
        .mic = &device.keys.app_key, .enc = &device.keys.app_key, .request = LW_REQUEST_JOIN};
    struct lw_join_accept accept;

    js_answer(&device, &request);
    ck_assert_int_eq(request.drop, DROP_NONE);
    ck_assert_uint_eq(request.accept_n, 17);
    ck_assert_int_eq(
        lw_join_accept_read((struct bytes){request.accept, request.accept_n}, &context, &accept),
        OK);
    ck_assert_uint_eq(accept.join_nonce, 42);
    ck_assert_uint_eq(accept.dev_addr.v, 0x26000001);
    ck_assert(!accept.opt_neg);
    ck_assert_uint_eq(request.state.join_nonce, 42);
    ck_assert(request.add_nonce);
    ck_assert_int_eq(request.state.last_dev_nonce, -1);
    device.state.last_dev_nonce = 7; /* of a later version that was given up again */
    js_answer(&device, &request);
    ck_assert_int_eq(request.state.last_dev_nonce, 7);
}
END_TEST

START_TEST(nonces_follow_the_version)
{
    struct js_device device = device_of();
    struct js_request request;

    device.nonce_used = true;
    for (unsigned v = LW_1_0_0; v <= LW_1_0_3; v++) {
        request = request_of((enum lw_version)v, 500, &device.keys.app_key);
        js_answer(&device, &request);
        ck_assert_int_eq(request.drop, DROP_DEV_NONCE_USED);
    }
    device.nonce_used = false;
    device.state.last_dev_nonce = 500;
    for (unsigned v = LW_1_0_4; v <= LW_1_1_0; v++) {
        const struct lw_key *root = v == LW_1_1_0 ? &device.keys.nwk_key : &device.keys.app_key;

        request = request_of((enum lw_version)v, 500, root);
        js_answer(&device, &request);
        ck_assert_int_eq(request.drop, DROP_DEV_NONCE_USED);
        request = request_of((enum lw_version)v, 501, root);
        js_answer(&device, &request);
        ck_assert_int_eq(request.drop, DROP_NONE);
        ck_assert(!request.add_nonce);
        ck_assert_int_eq(request.state.last_dev_nonce, 501);
    }
    /* The very first value is 0. */
    device.state.last_dev_nonce = -1;
    request = request_of(LW_1_0_4, 0, &device.keys.app_key);
    js_answer(&device, &request);
    ck_assert_int_eq(request.drop, DROP_NONE);
}
END_TEST

START_TEST(refusals_use_up_nothing)
{
    static const struct lw_key other = {{9}};
    struct js_device device = device_of();
    struct js_request request = request_of(LW_1_0_3, 500, &other);

    js_answer(&device, &request);
    ck_assert_int_eq(request.drop, DROP_JOIN_MIC);
    ck_assert_uint_eq(request.accept_n, 0);
    device.state.join_nonce = 0xffffff;
    request = request_of(LW_1_0_3, 500, &device.keys.app_key);
    js_answer(&device, &request);
    ck_assert_int_eq(request.drop, DROP_JOIN_NONCE_SPENT);
    device.keys.has_nwk_key = false;
    request = request_of(LW_1_1_0, 500, &device.keys.nwk_key);
    js_answer(&device, &request);
    ck_assert_int_eq(request.drop, DROP_NO_KEYS);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_device_reads_what_is_answered, nonces_follow_the_version,
                                  refusals_use_up_nothing, NULL};

    return run_suite(suite_of("js_answer", tests));
}
