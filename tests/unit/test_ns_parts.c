/*
 * The pure parts of the network server: ADR against vectors, the match table, windows, the queue,
 * codecs of session and attempt, the MAC exchange.
 */
#include "core/clock.h"
#include "ns/adr.h"
#include "ns/attempt.h"
#include "ns/expiry.h"
#include "ns/mac.h"
#include "ns/match.h"
#include "ns/queue.h"
#include "ns/window.h"
#include "tests/vectors.h"

static struct device_profile eu_profile(enum lw_version version)
{
    struct device_profile profile = {.region = REGION_EU868,
                                     .version = (uint8_t)version,
                                     .revision = RP002_1_0_3,
                                     .rx1_delay = 1,
                                     .rx2_dr = -1,
                                     .status_interval_s = 86400};

    profile.adr = (struct profile_adr){.algorithm = "default",
                                       .max_dr = 15,
                                       .max_tx_power = 15,
                                       .max_nb_trans = 3,
                                       .margin_db = 10};
    return profile;
}

/* ---- ADR ------------------------------------------------------------------------------------- */

START_TEST(adr_agrees_with_the_vectors)
{
    struct json_object *all = vec_load("mac.json");
    size_t ran = 0;

    for (size_t i = 0; i < vec_count(all); i++) {
        struct json_object *v = vec_at(all, i), *in = vec(v, "input"), *ex = vec(v, "expected");
        struct adr_state state;
        struct adr_result result;

        if (strcmp(vec_str(v, "group"), "adr_chirpstack") != 0)
            continue;
        state =
            (struct adr_state){.dr = (uint8_t)vec_int(in, "dr"),
                               .tx_power = (uint8_t)vec_int(in, "txpower_idx"),
                               .nb_trans = (uint8_t)vec_int(in, "nbtrans"),
                               .snr_max = json_object_get_double(vec(in, "snr_max")),
                               .required_snr = -7.5 - 2.5 * (double)(vec_int(in, "sf") - 7),
                               .margin_db = json_object_get_double(vec(in, "installation_margin")),
                               .loss_percent = json_object_get_double(vec(in, "loss_pct")),
                               .max_dr = (uint8_t)vec_int(in, "max_dr"),
                               .max_tx_power = (uint8_t)vec_int(in, "max_txpower_idx"),
                               .same_power = (unsigned)vec_int(in, "history_same_txpower")};
        result = adr_decide(&state);
        ck_assert_msg(result.dr == vec_int(ex, "dr"), "%s dr", vec_str(v, "id"));
        ck_assert_msg(result.tx_power == vec_int(ex, "txpower_idx"), "%s power", vec_str(v, "id"));
        ck_assert_msg(result.nb_trans == vec_int(ex, "nbtrans"), "%s nbtrans", vec_str(v, "id"));
        ran++;
    }
    ck_assert_uint_eq(ran, 7);
    json_object_put(all);
}
END_TEST

START_TEST(adr_tables)
{
    static const double loss[4] = {0, 5, 10, 30};
    struct json_object *all = vec_load("mac.json");
    uint32_t fcnts[20];
    size_t ran = 0;

    for (size_t i = 0; i < vec_count(all); i++) {
        struct json_object *v = vec_at(all, i), *list;

        if (strcmp(vec_str(v, "group"), "adr_nbtrans_table") == 0) {
            list = vec(vec(v, "expected"), "table");
            for (size_t row = 0; row < 4; row++) {
                for (size_t col = 0; col < 3; col++)
                    ck_assert_int_eq(adr_nb_trans((uint8_t)(col + 1), loss[row], 3),
                                     json_object_get_int(vec_at(vec_at(list, row), col)));
            }
            ran++;
        } else if (strcmp(vec_str(v, "group"), "adr_loss") == 0) {
            list = vec(vec(v, "input"), "fcnts");
            for (size_t k = 0; k < 20; k++)
                fcnts[k] = (uint32_t)json_object_get_int(vec_at(list, k));
            ck_assert(adr_loss_percent(fcnts, 20) == 10.0);
            ck_assert(adr_loss_percent(fcnts, 19) == 0);
            ran++;
        }
    }
    ck_assert_uint_eq(ran, 3);
    json_object_put(all);
}
END_TEST

START_TEST(adr_wants_nothing_from_a_device_without_it)
{
    struct device_profile profile = eu_profile(LW_1_0_3);
    struct session session;
    struct adr_input input = {.region = region_get(REGION_EU868),
                              .profile = &profile,
                              .uplink_dr = 0,
                              .best_snr_cb = 100};

    session_init(&session, &profile);
    for (uint32_t i = 0; i < 30; i++) {
        input.fcnt = i;
        adr_observe(&session, &input);
        ck_assert_uint_eq(session.want_dr, 0);
    }
    ck_assert_uint_eq(session.adr_count, 20);
    input.adr_bit = true;
    input.fcnt = 30;
    adr_observe(&session, &input);
    ck_assert_uint_eq(session.want_dr, 5);
    ck_assert_uint_gt(session.want_tx_power, 0);
    profile.mobility = MOBILITY_MOBILE;
    input.fcnt = 31;
    adr_observe(&session, &input);
    ck_assert_uint_eq(session.want_dr, 0);
}
END_TEST

/* ---- match ----------------------------------------------------------------------------------- */

static struct lw_key key_of(unsigned n)
{
    struct lw_key key = {{(uint8_t)n, (uint8_t)(n >> 8), 3}};

    return key;
}

static void put(struct match_table *table, unsigned n, uint32_t next, uint8_t flags)
{
    struct match_entry entry = {.dev_addr = {0x01020304},
                                .fcnt_next = next,
                                .dev_eui = {n},
                                .session = n + 1,
                                .key = key_of(n),
                                .flags = flags};

    match_put(table, &entry);
}

static enum drop find(struct match_table *table, unsigned n, uint32_t fcnt, int64_t now,
                      struct match_proposal *proposal)
{
    struct lw_key key = key_of(n);
    struct lw_seal seal = {.fcnt = fcnt, .f_nwk_s_int = &key, .nwk_s_enc = &key, .app_s_key = &key};
    struct lw_data data = {.dev_addr = {0x01020304}, .port = LW_PORT_NONE};
    uint8_t room[32];
    struct wr wr = wr_of(room, sizeof(room));
    struct lw_frame frame;
    struct match_query query = {.frame = &frame, .now_us = now};

    ck_assert_int_eq(lw_data_write(&wr, LW_UNCONFIRMED_UP, &data, &seal), OK);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    return match_find(table, &query, proposal);
}

START_TEST(the_right_session_is_found_among_many)
{
    struct match_table *table = match_new();
    struct match_proposal proposal;

    ck_assert_int_eq(find(table, 1, 0, 0, &proposal), DROP_UNKNOWN_DEVADDR);
    for (unsigned n = 0; n < 500; n++)
        put(table, n, n * 131, MATCH_SEEN);
    ck_assert_uint_eq(match_count(table), 500);
    for (unsigned n = 0; n < 500; n += 7) {
        ck_assert_int_eq(find(table, n, n * 131 + 3, n * (int64_t)1000000, &proposal), DROP_NONE);
        ck_assert_uint_eq(proposal.dev_eui.v, n);
        ck_assert_uint_eq(proposal.fcnt, n * 131 + 3);
    }
    ck_assert_int_eq(find(table, 777, 5, 1, &proposal), DROP_MIC);
    for (unsigned n = 0; n < 500; n++)
        match_remove(table, (struct lw_dev_addr){0x01020304}, (struct lw_eui){n},
                     n & 1 ? n + 1 : 0);
    ck_assert_uint_eq(match_count(table), 0);
    ck_assert_int_eq(find(table, 1, 0, 0, &proposal), DROP_UNKNOWN_DEVADDR);
    match_free(table);
}
END_TEST

START_TEST(junk_on_one_address_is_capped)
{
    struct match_table *table = match_new();
    struct match_proposal proposal;
    enum drop drop = DROP_MIC;
    unsigned frames = 0;

    for (unsigned n = 0; n < 10000; n++)
        put(table, n, 0, 0);
    while (drop == DROP_MIC && frames < 100) {
        drop = find(table, 20000, 9, 5000000, &proposal);
        frames++;
    }
    ck_assert_int_eq(drop, DROP_MIC_BUDGET);
    ck_assert_uint_le(frames, 3);
    /* The next second has a budget of its own. */
    ck_assert_int_eq(find(table, 9999, 0, 6000000, &proposal), DROP_NONE);
    match_free(table);
}
END_TEST

START_TEST(a_replay_is_proposed_by_its_name)
{
    struct match_table *table = match_new();
    struct match_proposal proposal;

    put(table, 1, 70000, MATCH_SEEN);
    ck_assert_int_eq(find(table, 1, 69990, 0, &proposal), DROP_NONE);
    ck_assert_uint_eq(proposal.fcnt, 69990);
    ck_assert_int_eq(find(table, 1, 5, 0, &proposal), DROP_NONE); /* began again at 0 */
    ck_assert_uint_eq(proposal.fcnt, 5);
    ck_assert(!proposal.reset);
    put(table, 1, 70000, MATCH_SEEN | MATCH_RESETS);
    ck_assert_int_eq(find(table, 1, 5, 0, &proposal), DROP_NONE);
    ck_assert(proposal.reset);
    match_free(table);
}
END_TEST

/* ---- windows --------------------------------------------------------------------------------- */

START_TEST(the_ladder_goes_by_window_then_gateway)
{
    struct device_profile profile = eu_profile(LW_1_0_3);
    struct copy copies[3] = {{.gateway = {1}, .counter_us = 1000, .received_us = 50},
                             {.gateway = {2}, .counter_us = 9000, .received_us = 60},
                             {.gateway = {1}, .counter_us = 1000, .received_us = 50}};
    struct window_route routes[3] = {{.copy = &copies[0], .prefer_not = true},
                                     {.copy = &copies[1]},
                                     {.copy = &copies[2], .prefer_not = true}};
    struct region_channels channels;
    struct session session;
    struct window_input input = {.region = region_get(REGION_EU868),
                                 .revision = RP002_1_0_3,
                                 .session = &session,
                                 .channels = &channels,
                                 .uplink_channel = 1,
                                 .uplink_dr = 5,
                                 .routes = routes,
                                 .route_count = 3};
    struct window_plan plan;

    region_channels_init(input.region, &channels);
    session_init(&session, &profile);
    session.rx1_delay = 5;
    ck_assert_int_eq(window_plan(&input, &plan), OK);
    ck_assert_uint_eq(plan.rung_count, 4);
    ck_assert_uint_eq(plan.rungs[0].gateway.v, 2);
    ck_assert_uint_eq(plan.rungs[0].frequency_hz, 868300000);
    ck_assert_uint_eq(plan.rungs[0].rate.sf, 7);
    ck_assert_uint_eq(plan.rungs[0].counter_us, 5009000);
    ck_assert_uint_eq(plan.rungs[1].gateway.v, 1);
    ck_assert_uint_eq(plan.rungs[2].gateway.v, 2);
    ck_assert_uint_eq(plan.rungs[2].frequency_hz, 869525000);
    ck_assert_uint_eq(plan.rungs[2].counter_us, 6009000);
    ck_assert_int_eq(plan.rungs[2].eirp_dbm, 29);
    ck_assert_uint_eq(plan.room, 51); /* DR0 */
    ck_assert_uint_eq(window_most(&plan), 242);
    /* What fits RX1 alone strikes RX2. */
    ck_assert(window_fit(&plan, 100));
    ck_assert_uint_eq(plan.rung_count, 2);
    ck_assert_uint_eq(plan.room, 242);
    ck_assert(!window_fit(&plan, 243));
    input.route_count = 0;
    ck_assert_int_eq(window_plan(&input, &plan), ERR_NOT_FOUND);
}
END_TEST

/* ---- queue ----------------------------------------------------------------------------------- */

static struct queue_item *item_of(size_t n, uint8_t priority, uint64_t order)
{
    struct queue_item *item = queue_item_new(n);

    item->priority = priority;
    item->order = order;
    item->f_port = 3;
    item->id.b[0] = (uint8_t)order;
    return item;
}

START_TEST(the_queue_goes_by_priority_then_arrival)
{
    struct queue_item *queue = NULL, *item;
    bool waiting;

    queue_insert(&queue, item_of(10, 0, 1));
    queue_insert(&queue, item_of(100, 5, 2));
    queue_insert(&queue, item_of(20, 0, 3));
    item = queue_next(queue, 0, 242, &waiting);
    ck_assert_uint_eq(item->order, 2);
    ck_assert(waiting);
    item = queue_next(queue, 0, 51, &waiting); /* too long: others pass it */
    ck_assert_uint_eq(item->order, 1);
    ck_assert_int_eq(queue->state, QUEUE_TOO_LONG);
    ck_assert(waiting);
    item->state = QUEUE_AWAITING_ACK;
    ck_assert_ptr_null(queue_next(queue, 0, 242, &waiting));
    item->state = QUEUE_QUEUED;
    queue->expires_us = 1000;
    ck_assert_uint_eq(queue_next(queue, 999, 242, &waiting)->order, 2);
    ck_assert_uint_eq(queue_next(queue, 1000, 242, &waiting)->order, 1);
    ck_assert(queue_is_over(queue, 1000));
    while (queue) {
        item = queue;
        queue_unlink(&queue, item);
        free(item);
    }
}
END_TEST

/* Against a plain list of times by device. */
START_TEST(expiries_come_in_order_one_a_device)
{
    struct expiries expiries;
    struct lw_eui eui;
    int64_t at[50] = {0}, last = 0;
    uint64_t random = 1;
    size_t n = 0;

    expiries_init(&expiries);
    for (int i = 0; i < 5000; i++) {
        random = hash_u64(random);
        eui.v = random % 50;
        at[eui.v] = random >> 8 & 3 ? (int64_t)(random >> 16 & 1023) + 1 : 0;
        expiries_set(&expiries, eui, at[eui.v]);
    }
    for (int i = 0; i < 50; i++)
        n += at[i] != 0;
    ck_assert_uint_eq(expiries.count, n);
    ck_assert_uint_eq(expiries.places.count, n);
    ck_assert(!expiries_take(&expiries, expiries_next(&expiries) - 1, &eui));
    for (; expiries_take(&expiries, 2000, &eui); n--) {
        ck_assert_int_ge(at[eui.v], last);
        last = at[eui.v];
        at[eui.v] = 0;
    }
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(expiries_next(&expiries), 0);
    expiries_fini(&expiries);
}
END_TEST

START_TEST(codecs_come_back)
{
    struct device_profile profile = eu_profile(LW_1_1_0);
    struct device_status status = {.last_seen_us = 123456,
                                   .has_status = true,
                                   .battery = 7,
                                   .margin = -3},
                         s2;
    struct session session, again = {0};
    struct queue_item *item = item_of(17, 9, 4), *back;
    struct attempt attempt = {.id = 5, .phy_n = 3, .rung_n = 1, .fcnt_down = 77}, a2;
    struct arena arena;
    struct bytes b;
    uint8_t *old;

    arena_init(&arena, ARENA_JOB_LIMIT);
    session_init(&session, &profile);
    session.fcnt_up_next = 70001;
    session.channels[3] = (struct session_channel){867100000, 0, 5};
    session.adr_count = session.adr_at = 2;
    session.adr[1].snr_q = -8;
    session.pending_mac_n = 5;
    session.acked_fcnt = 300;
    session.refused_dr = 4;
    session.refused_tx_power = 6;
    b = session_state_write(&session, &status, &arena);
    again.keys = session.keys;
    ck_assert_int_eq(session_state_read(b, &again, &s2), OK);
    again.join_eui = session.join_eui;
    again.dev_addr = session.dev_addr;
    ck_assert_int_eq(memcmp(&again, &session, sizeof(session)), 0);
    ck_assert_int_eq(s2.margin, -3);
    for (size_t n = 0; n < b.n; n++)
        ck_assert_int_eq(session_state_read((struct bytes){b.p, n}, &again, &s2), ERR_CORRUPT);
    /* The second format knew no refusals. */
    old = arena_memdup(&arena, b.p, b.n);
    old[0] = 2;
    ck_assert_int_eq(session_state_read((struct bytes){old, b.n - 2}, &again, &s2), OK);
    ck_assert_uint_eq(again.fcnt_up_next, 70001);
    ck_assert_uint_eq(again.refused_dr, 0);
    old[0] = 4;
    ck_assert_int_eq(session_state_read((struct bytes){old, b.n}, &again, &s2), ERR_CORRUPT);
    item->confirmed = item->uncertain = true;
    item->expires_us = 99;
    memset(item->data, 5, 17);
    b = queue_item_write(item, &arena);
    ck_assert_int_eq(queue_item_read(&item->id, 4, b, &back), OK);
    ck_assert(back->confirmed && back->uncertain && back->expires_us == 99 && back->data_n == 17);
    free(back);
    free(item);
    attempt.rungs[0].frequency_hz = 868100000;
    b = attempt_write(&attempt, &arena);
    ck_assert_int_eq(attempt_read(5, (struct lw_eui){0}, b, &a2), OK);
    ck_assert_uint_eq(a2.fcnt_down, 77);
    ck_assert_uint_eq(a2.rungs[0].frequency_hz, 868100000);
    ck_assert_int_eq(attempt_read(5, (struct lw_eui){0}, (struct bytes){b.p, b.n - 1}, &a2),
                     ERR_CORRUPT);
    arena_reset(&arena);
}
END_TEST

START_TEST(a_state_of_the_first_format_is_read)
{
    struct device_profile profile = eu_profile(LW_1_1_0);
    struct device_status status = {.battery = 7}, s2;
    struct session session, again = {0};
    struct arena arena;
    struct bytes b;
    uint8_t *old;

    arena_init(&arena, ARENA_JOB_LIMIT);
    session_init(&session, &profile);
    session.last_attempt = 9;
    session.acked_fcnt = 300;
    b = session_state_write(&session, &status, &arena);
    old = arena_memdup(&arena, b.p, b.n);
    old[0] = 1;
    b = (struct bytes){old, b.n - 2}; /* it had no acked_fcnt */
    ck_assert_int_eq(session_state_read(b, &again, &s2), OK);
    ck_assert_uint_eq(again.last_attempt, 9);
    ck_assert_uint_eq(again.acked_fcnt, 0);
    old[0] = 3; /* of a later program */
    ck_assert_int_eq(session_state_read(b, &again, &s2), ERR_CORRUPT);
    arena_reset(&arena);
}
END_TEST

/* ---- MAC exchange ---------------------------------------------------------------------------- */

START_TEST(a_request_is_made_until_it_is_answered)
{
    static const uint8_t nack[] = {0x03, 0x06}, ack[] = {0x03, 0x07};
    struct device_profile profile = eu_profile(LW_1_0_3);
    struct session session;
    struct mac_out out = {.region = region_get(REGION_EU868),
                          .profile = &profile,
                          .utc_us = 1700000000 * (int64_t)US_PER_S,
                          .room = 15};
    struct mac_in in = {.region = out.region, .profile = &profile};

    profile.status_interval_s = 0;
    session_init(&session, &profile);
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, 0);
    session.flags |= SESSION_ADR;
    session.want_dr = 5;
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, 5);
    ck_assert_uint_eq(out.requests[0], LW_CID_LINK_ADR);
    ck_assert_uint_eq(out.requests[1], 0x50);
    ck_assert_uint_eq(out.requests[2], 0x07); /* the channels it has, no other */
    ck_assert_uint_eq(out.requests[3], 0x00);
    mac_sent(&session, &out);
    /* The mask is refused: asked again, but rarely. */
    mac_read(&session, (struct bytes){nack, 2}, &in);
    ck_assert_uint_eq(session.dr, 0);
    session.fcnt_up_next = 3;
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, 0);
    session.fcnt_up_next = 4;
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, 5);
    mac_sent(&session, &out);
    mac_read(&session, (struct bytes){ack, 2}, &in);
    ck_assert_uint_eq(session.dr, 5);
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, 0);
    /* An answer to nothing changes nothing. */
    in.ignored = 0;
    mac_read(&session, (struct bytes){(const uint8_t *)"\x06\xfe\x05", 3}, &in);
    ck_assert(!in.has_status);
    ck_assert_uint_eq(in.ignored, 1);
    /* A sticky answer without a request asks for a downlink. */
    mac_read(&session, (struct bytes){(const uint8_t *)"\x08", 1}, &in);
    ck_assert(in.must_answer);
}
END_TEST

/* Until 1.0.1 each request is taken by itself: "all narrow channels off" without a wide one would
 * be refused, and what follows be added to the old mask. */
START_TEST(an_old_device_is_never_asked_to_be_deaf)
{
    static const struct chmask eight = {{0xff00}};
    struct device_profile profile = eu_profile(LW_1_0_1);
    struct session session;
    struct mac_out out = {.region = region_get(REGION_US915),
                          .profile = &profile,
                          .network = &eight,
                          .utc_us = 1700000000 * (int64_t)US_PER_S,
                          .room = 15};

    profile.region = REGION_US915;
    profile.status_interval_s = 0;
    session_init(&session, &profile);
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, 15);
    ck_assert(out.requests[2] == 1 && out.requests[4] >> 4 == 7);
    profile.version = LW_1_0_2;
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, 10);
    ck_assert(out.requests[2] == 0 && out.requests[4] >> 4 == 7);
}
END_TEST

/* So are its answers: what it took counts, though the last was refused. From 1.0.2 on all or
 * nothing. */
static void refuse_the_last(enum lw_version version)
{
    const bool old = version < LW_1_0_2;
    static const uint8_t first_two[] = {0x03, 0x07, 0x03, 0x07, 0x03, 0x05};
    static const struct chmask eight = {{0xff00}}, and_one = {{0xff00, 0, 1}};
    struct device_profile profile = eu_profile(version);
    struct session session;
    struct chmask before;
    struct mac_out out = {.region = region_get(REGION_US915),
                          .profile = &profile,
                          .network = &eight,
                          .utc_us = 1700000000 * (int64_t)US_PER_S,
                          .room = 15};
    struct mac_in in = {.region = out.region, .profile = &profile};

    profile.region = REGION_US915;
    profile.status_interval_s = 0;
    session_init(&session, &profile);
    session.flags |= SESSION_ADR;
    before = session.enabled;
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, old ? 15 : 10);
    mac_sent(&session, &out);
    mac_read(&session, (struct bytes){first_two + (old ? 0 : 2), old ? 6 : 4}, &in);
    ck_assert(chmask_equal(&session.enabled, old ? &and_one : &before));
    /* What is left to ask for is asked for. */
    session.fcnt_up_next = 100;
    mac_write(&session, &out);
    ck_assert_uint_eq(out.n, old ? 5 : 10);
}

START_TEST(an_old_device_takes_each_request_by_itself)
{
    refuse_the_last(LW_1_0_1);
    refuse_the_last(LW_1_0_2);
}
END_TEST

/* What mac_read answers to one stream, as hex. */
static const char *answer_to(struct session *session, const struct device_profile *profile,
                             struct bytes stream, int64_t end_gps_us)
{
    static char text[2 * MAC_ANSWERS_MAX + 1];
    static const struct copy copy = {.gateway = {1}, .rate = {.kind = MOD_LORA, .sf = 7}};
    struct mac_in in = {.region = region_get(REGION_EU868),
                        .profile = profile,
                        .copies = &copy,
                        .copy_count = 1,
                        .end_gps_us = end_gps_us};

    mac_read(session, stream, &in);
    return hex_write(text, in.answers, in.answers_n);
}

#define STREAM(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})

START_TEST(what_the_device_asks_is_answered)
{
    struct device_profile profile = eu_profile(LW_1_1_0);
    struct session session;
    int64_t beacon = 128 * (int64_t)US_PER_S;

    session_init(&session, &profile);
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x0b\x01"), 0), "0b01");
    /* Class C is not served: the answer names the class in force. */
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x20\x02"), 0), "2000");
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x10\x03"), 0), "10");
    /* Half a second, and the whole period, before the next beacon, in steps of 30 ms. */
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x12"), beacon - US_PER_S / 2),
                     "12100000");
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x12"), beacon), "12aa1000");
    /* 1.5 s of GPS time: 1 and 128/256. */
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x0d"), 1500000), "0d0100000080");
    /* ResetInd is for ABP devices alone; their parameters are the profile's again. */
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x01\x01"), 0), "");
    session.flags |= SESSION_ABP;
    session.rx1_delay = 9;
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x01\x01"), 0), "0101");
    ck_assert_uint_eq(session.rx1_delay, 1);
    /* An unknown command ends the stream; what stood before it counts. */
    ck_assert_str_eq(answer_to(&session, &profile, STREAM("\x10\x03\x80\x20\x02"), 0), "10");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {adr_agrees_with_the_vectors,
                                  adr_tables,
                                  adr_wants_nothing_from_a_device_without_it,
                                  the_right_session_is_found_among_many,
                                  junk_on_one_address_is_capped,
                                  a_replay_is_proposed_by_its_name,
                                  the_ladder_goes_by_window_then_gateway,
                                  the_queue_goes_by_priority_then_arrival,
                                  codecs_come_back,
                                  expiries_come_in_order_one_a_device,
                                  a_state_of_the_first_format_is_read,
                                  a_request_is_made_until_it_is_answered,
                                  an_old_device_is_never_asked_to_be_deaf,
                                  an_old_device_takes_each_request_by_itself,
                                  what_the_device_asks_is_answered,
                                  NULL};

    return run_suite(suite_of("ns_parts", tests));
}
