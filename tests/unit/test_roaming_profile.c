/* Rates, limits, permissions, lifetimes; gateways, windows, times and the delegated MIC. */
#include "core/clock.h"
#include "roaming/key_envelope.h"
#include "roaming/profile.h"
#include "roaming/radio.h"
#include "tests/unit/roaming.h"
#include "tests/vectors.h"

#define HOUR ((int64_t)3600 * US_PER_S)

/* ---- rates ---------------------------------------------------------------------------------- */

static unsigned take_many(struct roam_bucket *bucket, const struct roam_rate *rate, int64_t now,
                          unsigned tries)
{
    unsigned taken = 0;

    while (tries-- > 0)
        taken += roam_bucket_take(bucket, rate, now) == ROAM_IN_PROFILE;
    return taken;
}

START_TEST(buckets_hold_their_size_and_fill_by_the_hour)
{
    struct roam_rate rate = {.rate = 60, .size = 10, .policy = ROAM_RATE_DROP};
    struct roam_bucket bucket;

    roam_bucket_init(&bucket, &rate, 5);
    ck_assert_uint_eq(take_many(&bucket, &rate, 5, 20), 10);
    ck_assert_uint_eq(take_many(&bucket, &rate, 5 + 60 * US_PER_S - 1, 5), 0);
    ck_assert_uint_eq(take_many(&bucket, &rate, 5 + 60 * US_PER_S, 5), 1);
    ck_assert_uint_eq(take_many(&bucket, &rate, 5 + HOUR / 2, 50), 10); /* not the 29 that came */
    ck_assert_uint_eq(take_many(&bucket, &rate, 5, 5), 0);              /* stepped back */
    ck_assert_uint_eq(take_many(&bucket, &rate, 5 + HOUR / 2 + 120 * US_PER_S, 5), 2);
}
END_TEST

START_TEST(what_is_too_much_is_marked_or_dropped)
{
    struct roam_rate rate = {.rate = 1, .size = 1, .policy = ROAM_RATE_MARK};
    struct roam_bucket bucket;

    roam_bucket_init(&bucket, &rate, 0);
    ck_assert_int_eq(roam_bucket_take(&bucket, &rate, 0), ROAM_IN_PROFILE);
    ck_assert_int_eq(roam_bucket_take(&bucket, &rate, 1), ROAM_OUT_OF_PROFILE);
    rate.policy = ROAM_RATE_DROP;
    ck_assert_int_eq(roam_bucket_take(&bucket, &rate, 2), ROAM_REFUSED);
    /* What was out of profile took nothing: an hour later there is one. */
    ck_assert_int_eq(roam_bucket_take(&bucket, &rate, HOUR), ROAM_IN_PROFILE);
}
END_TEST

START_TEST(rates_at_their_limits)
{
    struct roam_rate rate = {.rate = UINT32_MAX, .size = UINT32_MAX}, none = {.size = 3};
    struct roam_bucket bucket;

    roam_bucket_init(&bucket, &rate, INT64_MIN);
    ck_assert_int_eq(roam_bucket_take(&bucket, &rate, INT64_MAX), ROAM_IN_PROFILE);
    ck_assert(bucket.credit == (uint64_t)UINT32_MAX * 3600000000 - 3600000000);
    rate.size = 2; /* the profile was changed: what is too much is lost */
    ck_assert_uint_eq(take_many(&bucket, &rate, INT64_MAX, 2), 2);
    bucket.at_us = 0;
    ck_assert_uint_eq(take_many(&bucket, &rate, 1, 5), 2);
    roam_bucket_init(&bucket, &none, 0);
    ck_assert_uint_eq(take_many(&bucket, &none, 0, 100), 100);
    rate = (struct roam_rate){.rate = 1, .size = 0};
    roam_bucket_init(&bucket, &rate, 0);
    ck_assert_uint_eq(take_many(&bucket, &rate, 0, 5), 1);
}
END_TEST

/* Over a long time no more than the bucket and what flowed in. */
START_TEST(rates_hold_over_a_week)
{
    struct roam_rate rate = {.rate = 7, .size = 3};
    struct roam_bucket bucket;
    unsigned taken = 0;

    roam_bucket_init(&bucket, &rate, 0);
    for (int64_t now = 0; now < 168 * HOUR; now += 61 * US_PER_S + 7)
        taken += roam_bucket_take(&bucket, &rate, now) == ROAM_IN_PROFILE;
    ck_assert_uint_ge(taken, 168 * 7);
    ck_assert_uint_le(taken, 168 * 7 + 3);
}
END_TEST

/* ---- profile -------------------------------------------------------------------------------- */

START_TEST(profiles_of_the_vectors)
{
    struct roam_message m = read_good(
        "PRStartAns", "'ServiceProfile':{'ULRate':60,'ULBucketSize':10,'ULRatePolicy':'Mark',"
                      "'DLRate':10,'DLBucketSize':5,'DLRatePolicy':'Drop','DRMin':2,'DRMax':9,"
                      "'DevStatusReqFreq':1}");
    const struct roam_service_profile *sp = &m.pr_start_ans.service_profile;
    struct roam_rate ul = roam_ul_rate(sp), dl = roam_dl_rate(sp);
    struct roam_dr_range range = roam_dr_limits(sp, (struct roam_dr_range){0, 5});

    ck_assert(ul.rate == 60 && ul.size == 10 && ul.policy == ROAM_RATE_MARK);
    ck_assert(dl.rate == 10 && dl.size == 5 && dl.policy == ROAM_RATE_DROP);
    ck_assert(range.min == 2 && range.max == 5);
    range = roam_dr_limits(sp, (struct roam_dr_range){3, 12});
    ck_assert(range.min == 3 && range.max == 9);
    range = roam_dr_limits(sp, (struct roam_dr_range){0, 1}); /* nothing in common */
    ck_assert(range.min == 0 && range.max == 1);
    range = roam_dr_limits(sp, (struct roam_dr_range){0, 2}); /* one in common */
    ck_assert(range.min == 2 && range.max == 2);
    ck_assert_int_eq(roam_dev_status_interval_us(sp), 24 * HOUR);
    m.pr_start_ans.service_profile = (struct roam_service_profile){0};
    range = roam_dr_limits(sp, (struct roam_dr_range){1, 4});
    ck_assert(range.min == 1 && range.max == 4);
    range = roam_dr_limits(sp, (struct roam_dr_range){0, 5}); /* no DRMax is not DRMax 0 */
    ck_assert(range.min == 0 && range.max == 5);
    ck_assert_int_eq(roam_dev_status_interval_us(sp), 0);
}
END_TEST

START_TEST(only_what_is_asked_for_is_reported)
{
    uint64_t all = ROAM_BIT(ROAM_UL_GW_INFO) | ROAM_BIT(ROAM_UL_MARGIN) |
                   ROAM_BIT(ROAM_UL_BATTERY) | ROAM_BIT(ROAM_UL_FREQ);
    struct roam_service_profile sp = {.add_gw_metadata = true};
    struct roam_ul_meta_data ul = {.has = all};

    roam_report(&sp, &ul);
    ck_assert_uint_eq(ul.has, ROAM_BIT(ROAM_UL_GW_INFO) | ROAM_BIT(ROAM_UL_FREQ));
    sp = (struct roam_service_profile){.report_dev_status_battery = true,
                                       .report_dev_status_margin = true};
    ul.has = all;
    roam_report(&sp, &ul);
    ck_assert_uint_eq(ul.has, all & ~ROAM_BIT(ROAM_UL_GW_INFO));
    sp.report_dev_status_margin = false;
    ul.has = all;
    roam_report(&sp, &ul);
    ck_assert_uint_eq(ul.has, ROAM_BIT(ROAM_UL_BATTERY) | ROAM_BIT(ROAM_UL_FREQ));
}
END_TEST

START_TEST(permissions)
{
    struct roam_service_profile none = {0}, pr = {.pr_allowed = true}, hr = {.hr_allowed = true};
    struct roam_service_profile ra = {.ra_allowed = true, .pr_allowed = true};

    ck_assert_int_eq(roam_permission(&none, ROAM_KIND_PASSIVE, false), ROAM_DEV_ROAMING_DISALLOWED);
    ck_assert_int_eq(roam_permission(&none, ROAM_KIND_HANDOVER, true), ROAM_ROAMING_ACT_DISALLOWED);
    ck_assert_int_eq(roam_permission(&pr, ROAM_KIND_PASSIVE, false), ROAM_SUCCESS);
    ck_assert_int_eq(roam_permission(&pr, ROAM_KIND_PASSIVE, true), ROAM_ROAMING_ACT_DISALLOWED);
    ck_assert_int_eq(roam_permission(&pr, ROAM_KIND_HANDOVER, false), ROAM_DEV_ROAMING_DISALLOWED);
    ck_assert_int_eq(roam_permission(&hr, ROAM_KIND_HANDOVER, false), ROAM_SUCCESS);
    ck_assert_int_eq(roam_permission(&ra, ROAM_KIND_PASSIVE, true), ROAM_SUCCESS);
    ck_assert_int_eq(roam_permission(&ra, ROAM_KIND_HANDOVER, true), ROAM_ROAMING_ACT_DISALLOWED);
}
END_TEST

START_TEST(lifetimes)
{
    ck_assert_uint_eq(roam_lifetime_min(0, 0), 0);
    ck_assert_uint_eq(roam_lifetime_min(0, 60), 60);
    ck_assert_uint_eq(roam_lifetime_min(60, 0), 60);
    ck_assert_uint_eq(roam_lifetime_min(60, 59), 59);
    ck_assert_uint_eq(roam_lifetime_min(59, 60), 59);
    ck_assert_int_eq(roam_expiry_us(7, 0), CLOCK_NEVER);
    ck_assert_int_eq(roam_expiry_us(7, 2), 7 + 2 * US_PER_S);
    ck_assert_int_eq(roam_hold_off_us(99, 7, false, 0), 99);
    ck_assert_int_eq(roam_hold_off_us(99, 7, true, 0), 7);
    ck_assert_int_eq(roam_hold_off_us(99, 7, true, 60), 7 + 60 * US_PER_S);
}
END_TEST

/* ---- gateways and windows ------------------------------------------------------------------- */

static struct roam_ul_meta_data uplink(const char *gateways)
{
    struct roam_message m =
        read_good("PRStartReq", arena_printf(&arena, "'ULMetaData':{'GWInfo':[%s]}", gateways));

    return m.pr_start_req.ul;
}

/* The first octets of the tokens, in order. */
static const char *answer_of(const char *gateways)
{
    struct roam_ul_meta_data ul = uplink(gateways);
    struct array list = roam_gw_answer(&ul.gw_info, &arena);
    const char *text = "";

    for (size_t i = 0; i < list.n; i++) {
        const struct roam_gw_info *gw = (struct roam_gw_info *)list.p + i;

        ck_assert_uint_eq(gw->has, ROAM_BIT(ROAM_GW_UL_TOKEN));
        text = arena_printf(&arena, "%s%x", text, gw->ul_token.p[0]);
    }
    return text;
}

START_TEST(gateways_are_chosen_by_snr_then_rssi)
{
    struct roam_ul_meta_data none = uplink("");
    struct roam_ul_meta_data ul =
        uplink("{'RSSI':-80,'SNR':1,'DLAllowed':true},{'RSSI':-99,'SNR':7,'DLAllowed':true},"
               "{'RSSI':-60,'SNR':9,'DLAllowed':false}");
    const struct roam_gw_info *list = ul.gw_info.p;

    ck_assert_ptr_null(roam_gw_best(&none.gw_info));
    ck_assert_ptr_eq(roam_gw_best(&ul.gw_info), &list[1]);
    ck_assert_str_eq(answer_of(""), "");
    ck_assert_str_eq(answer_of("{'ULToken':'0a','SNR':1},{'ULToken':'0b','SNR':2,'DLAllowed':true},"
                               "{'ULToken':'0c','SNR':3,'DLAllowed':false},{'SNR':9},"
                               "{'ULToken':'0d'},{'ULToken':'0e','SNR':2,'RSSI':-100},"
                               "{'ULToken':'0f','SNR':2,'RSSI':-90},{'ULToken':'01','SNR':2}"),
                     "feb1ad");
    ck_assert_str_eq(answer_of("{'ULToken':'0a','RSSI':-9},{'ULToken':'0b','SNR':-20}"), "ba");
    ck_assert_str_eq(
        answer_of("{'ULToken':'0a','SNR':3,'RSSI':-99},{'ULToken':'0b','SNR':2,'RSSI':-9}"), "ab");
}
END_TEST

static size_t windows_of(const char *members, struct roam_window windows[2])
{
    struct roam_message m =
        read_good("XmitDataReq", arena_printf(&arena, "'DLMetaData':{%s}", members));

    return roam_windows(&m.xmit_data_req.dl, windows);
}

#define BOTH "'DLFreq1':868.1,'DataRate1':5,'DLFreq2':869.525,'DataRate2':0"

START_TEST(windows_of_classes)
{
    struct roam_window w[2];

    ck_assert_uint_eq(windows_of(BOTH ",'ClassMode':'A','RXDelay1':5", w), 2);
    ck_assert(w[0].freq_hz == 868100000 && w[0].data_rate == 5 && w[0].delay_us == 5 * US_PER_S);
    ck_assert(w[1].freq_hz == 869525000 && w[1].data_rate == 0 && w[1].delay_us == 6 * US_PER_S);
    ck_assert_uint_eq(windows_of(BOTH, w), 2);
    ck_assert(w[0].delay_us == US_PER_S && w[1].delay_us == 2 * US_PER_S);
    ck_assert_uint_eq(windows_of(BOTH ",'RXDelay1':0", w), 2);
    ck_assert_int_eq(w[0].delay_us, US_PER_S);
    ck_assert_uint_eq(windows_of(BOTH ",'ClassMode':'C'", w), 1);
    ck_assert(w[0].freq_hz == 869525000 && w[0].delay_us == 0);
    ck_assert_uint_eq(windows_of(BOTH ",'ClassMode':'B'", w), 0);
    ck_assert_uint_eq(windows_of("'DLFreq2':869.525,'DataRate2':3,'RXDelay1':1", w), 1);
    ck_assert_int_eq(w[0].delay_us, 2 * US_PER_S);
    ck_assert_uint_eq(windows_of("'DLFreq1':868.1,'DataRate1':3", w), 1);
    ck_assert_uint_eq(windows_of("'DLFreq1':868.1,'ClassMode':'C'", w), 0);
}
END_TEST

/* ---- time and MIC --------------------------------------------------------------------------- */

START_TEST(times_of_uplinks)
{
    struct roam_message m =
        read_good("PRStartReq", "'ULMetaData':{'RecvTime':'2026-03-01T12:00:00.250Z','GWInfo':"
                                "[{'FineRecvTime':123456789},{}]}");
    struct roam_ul_meta_data *ul = &m.pr_start_req.ul;
    const struct roam_gw_info *gw = ul->gw_info.p;
    int64_t second = ul->recv_time_us / US_PER_S, received;

    ck_assert_int_eq(roam_recv_time_ns(ul, &gw[0]), second * 1000000000 + 123456789);
    ck_assert_int_eq(roam_recv_time_ns(ul, &gw[1]), second * 1000000000 + 250000000);
    received = ul->recv_time_us + 1000;
    ck_assert_int_eq(roam_uplink_time_us(ul, received, 100), ul->recv_time_us);
    ul->recv_time_us = second * US_PER_S; /* no fraction: as good as nothing */
    ck_assert_int_eq(roam_uplink_time_us(ul, received, 100), received - 50);
}
END_TEST

START_TEST(counters_near_a_base)
{
    static const struct {
        uint32_t base;
        uint16_t sent;
        uint32_t full;
    } rows[] = {
        {0, 0, 0},
        {0, 2, 2},
        {4, 4, 4},
        {4, 3, 3},
        {0x10000, 0xffff, 0xffff},
        {0xffff, 0, 0x10000},
        {0x1fff0, 5, 0x20005},
        {0x20005, 0xfff0, 0x1fff0},
        {0, 0xffff, 0xffff},
        {UINT32_MAX, 3, 0xffff0003},
        {UINT32_MAX, 0xffff, UINT32_MAX},
        {0xffff8000, 0x7fff, 0xffff7fff},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        ck_assert_msg(roam_fcnt_near(rows[i].base, rows[i].sent) == rows[i].full, "%zu: %x", i,
                      (unsigned)roam_fcnt_near(rows[i].base, rows[i].sent));
}
END_TEST

static struct json_object *pair_of(struct json_object *root, const char *id)
{
    struct json_object *list = vec(root, "messages");
    size_t i = 0;

    while (i < vec_count(list) && strcmp(vec_str(vec_at(list, i), "id"), id) != 0)
        i++;
    ck_assert_uint_lt(i, vec_count(list));
    return vec_at(list, i);
}

/* A forwarding network checks the uplink with the key and counter of the PRStartAns (`start`). */
static void ck_delegated(struct json_object *root, const char *start, const char *uplink_id,
                         bool v11)
{
    struct json_object *json = vec(vec(root, "parties"), "keks");
    struct roam_kek kek = {.label = "rp-60000a-c00123"};
    struct lw_key raw = vec_key(json, kek.label), key;
    struct roam_message ans, up;
    struct lw_frame frame;
    struct bytes phy;
    uint32_t fcnt;

    ck_assert_int_eq(lw_kek_read((struct bytes){raw.b, 16}, &kek.kek), OK);
    ck_assert_int_eq(
        read_text(json_object_to_json_string(vec(pair_of(root, start), "answer")), &ans), OK);
    ck_assert_int_eq(
        read_text(json_object_to_json_string(vec(pair_of(root, uplink_id), "request")), &up), OK);
    ck_assert_int_eq(
        roam_key_unwrap(v11 ? &ans.pr_start_ans.f_nwk_s_int_key : &ans.pr_start_ans.nwk_s_key, &kek,
                        1, &key),
        OK);
    phy = up.header.type == ROAM_PR_START_REQ ? up.pr_start_req.phy_payload
                                              : up.xmit_data_req.phy_payload;
    ck_assert_int_eq(lw_uplink_read(phy, &frame), DROP_NONE);
    fcnt = roam_fcnt_near(ans.pr_start_ans.fcnt_up, frame.data.fcnt);
    ck_assert_int_eq(fcnt, vec_int(pair_of(root, uplink_id), "FCntUp"));
    ck_assert(roam_mic_is_good(&frame, v11, &key, fcnt));
    ck_assert(!roam_mic_is_good(&frame, v11, &key, fcnt + 1));
    ck_assert(!roam_mic_is_good(&frame, !v11, &key, fcnt));
    frame.mic ^= v11 ? 1 : 0x10000; /* 1.1: the lower half is not the partner's to check */
    ck_assert(roam_mic_is_good(&frame, v11, &key, fcnt) == v11);
    frame.mic ^= 0x80000000;
    ck_assert(!roam_mic_is_good(&frame, v11, &key, fcnt));
}

START_TEST(partners_check_the_mic)
{
    struct json_object *root = vec_load("backend-interfaces.json");

    ck_delegated(root, "V06", "V07", false);
    ck_delegated(root, "V12", "V12", true);
    json_object_put(root);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        buckets_hold_their_size_and_fill_by_the_hour,
        what_is_too_much_is_marked_or_dropped,
        rates_at_their_limits,
        rates_hold_over_a_week,
        profiles_of_the_vectors,
        only_what_is_asked_for_is_reported,
        permissions,
        lifetimes,
        gateways_are_chosen_by_snr_then_rssi,
        windows_of_classes,
        times_of_uplinks,
        counters_near_a_base,
        partners_check_the_mic,
        NULL,
    };
    int status;

    arena_init(&arena, 64u << 20);
    status = run_suite(suite_of("roaming/profile", tests));
    arena_reset(&arena);
    return status;
}
