/* WOR, WOR ACK and forwarded frames beyond their vectors: round trips, refusals, edges. */
#include "relay/forward.h"
#include "relay/wor.h"
#include "tests/suite.h"

#include <string.h>

static uint64_t seed = 0x5eed;

static uint32_t any(uint32_t below)
{
    seed = hash_u64(seed);
    return (uint32_t)(seed >> 16) % below;
}

static const struct region *eu(void)
{
    return region_get(REGION_EU868);
}

/* ---- WOR ------------------------------------------------------------------------------------- */

static struct relay_channel any_channel(void)
{
    return (struct relay_channel){.frequency_hz = any(12000000) * 100, .dr = (uint8_t)any(16)};
}

static struct relay_exchange any_exchange(struct relay_wor_keys *keys)
{
    for (unsigned i = 0; i < 16; i++) {
        keys->integrity.b[i] = (uint8_t)any(256);
        keys->encryption.b[i] = (uint8_t)any(256);
    }
    return (struct relay_exchange){.keys = keys,
                                   .dev_addr = {any(UINT32_MAX)},
                                   .wfcnt = any(UINT32_MAX),
                                   .uplink = any_channel(),
                                   .wor = any_channel(),
                                   .ack = any_channel()};
}

static struct relay_state any_state(void)
{
    return (struct relay_state){.t_offset_ms = (uint16_t)any(2048),
                                .cad_periodicity = (uint8_t)any(8),
                                .xtal_accuracy = (uint8_t)any(4),
                                .dr = (uint8_t)any(16),
                                .forward = (uint8_t)any(4),
                                .cad_to_rx = (uint8_t)any(4)};
}

static bool state_equal(const struct relay_state *a, const struct relay_state *b)
{
    return a->t_offset_ms == b->t_offset_ms && a->cad_periodicity == b->cad_periodicity &&
           a->xtal_accuracy == b->xtal_accuracy && a->dr == b->dr && a->forward == b->forward &&
           a->cad_to_rx == b->cad_to_rx;
}

static bool channel_equal(struct relay_channel a, struct relay_channel b)
{
    return a.frequency_hz == b.frequency_hz && a.dr == b.dr;
}

START_TEST(what_is_written_is_read)
{
    for (unsigned i = 0; i < 2000; i++) {
        struct relay_wor_keys keys;
        struct relay_exchange sent = any_exchange(&keys), heard = sent;
        struct relay_state said = any_state(), got;
        uint8_t wor[RELAY_WOR_UPLINK_LEN], ack[RELAY_WOR_ACK_LEN];
        struct wr wr = wr_of(wor, sizeof(wor)), wr_ack = wr_of(ack, sizeof(ack));
        struct relay_wor read;

        relay_wor_uplink_write(&wr, &sent);
        relay_wor_ack_write(&wr_ack, &sent, &said);
        ck_assert(!wr.failed && !wr_ack.failed);
        ck_assert_int_eq(relay_wor_read(wr_bytes(&wr), &read), OK);
        memset(&heard.uplink, 0, sizeof(heard.uplink));
        ck_assert_int_eq(relay_wor_open(&read, &heard), OK);
        ck_assert(channel_equal(heard.uplink, sent.uplink));
        ck_assert_int_eq(relay_wor_ack_open(wr_bytes(&wr_ack), &heard, &got), OK);
        ck_assert(state_equal(&got, &said));
    }
}
END_TEST

START_TEST(one_changed_bit_is_noticed)
{
    struct relay_wor_keys keys;
    struct relay_exchange exchange = any_exchange(&keys), other;
    struct relay_state said = any_state(), got;
    uint8_t wor[RELAY_WOR_UPLINK_LEN], ack[RELAY_WOR_ACK_LEN];
    struct wr wr = wr_of(wor, sizeof(wor)), wr_ack = wr_of(ack, sizeof(ack));
    struct relay_wor read;

    relay_wor_uplink_write(&wr, &exchange);
    relay_wor_ack_write(&wr_ack, &exchange, &said);
    for (unsigned bit = 8; bit < 8 * sizeof(wor); bit++) { /* the type is not signed */
        wor[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(relay_wor_read(wr_bytes(&wr), &read), OK);
        other = exchange;
        ck_assert_int_ne(relay_wor_open(&read, &other), OK);
        wor[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * sizeof(ack); bit++) {
        ack[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_int_eq(relay_wor_ack_open(wr_bytes(&wr_ack), &exchange, &got), ERR_CRYPTO);
        ack[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    other = exchange;
    other.uplink.dr ^= 1; /* the ACK is of another announcement */
    ck_assert_int_eq(relay_wor_ack_open(wr_bytes(&wr_ack), &other, &got), ERR_CRYPTO);
}
END_TEST

START_TEST(wor_of_wrong_shape)
{
    uint8_t octets[20] = {RELAY_WOR_JOIN};
    struct relay_wor_keys keys;
    struct relay_exchange exchange = any_exchange(&keys);
    struct relay_state state = any_state();
    struct relay_wor wor;

    for (size_t n = 0; n <= sizeof(octets); n++)
        ck_assert_int_eq(relay_wor_read((struct bytes){octets, n}, &wor),
                         n == RELAY_WOR_JOIN_LEN ? OK : ERR_MALFORMED);
    octets[0] = 0xf0 | RELAY_WOR_UPLINK; /* reserved bits do not count */
    for (size_t n = 1; n <= sizeof(octets); n++)
        ck_assert_int_eq(relay_wor_read((struct bytes){octets, n}, &wor),
                         n == RELAY_WOR_UPLINK_LEN ? OK : ERR_MALFORMED);
    octets[0] = 2;
    ck_assert_int_eq(relay_wor_read((struct bytes){octets, 15}, &wor), ERR_UNSUPPORTED);
    for (size_t n = 0; n <= sizeof(octets); n++) {
        if (n != RELAY_WOR_ACK_LEN)
            ck_assert_int_eq(relay_wor_ack_open((struct bytes){octets, n}, &exchange, &state),
                             ERR_MALFORMED);
    }
    ck_assert_int_eq(relay_wor_open(&(struct relay_wor){.type = RELAY_WOR_JOIN}, &exchange),
                     ERR_INVALID);
}
END_TEST

static bool uplink_writes(const struct relay_exchange *exchange)
{
    uint8_t octets[RELAY_WOR_UPLINK_LEN];
    struct wr wr = wr_of(octets, sizeof(octets));

    relay_wor_uplink_write(&wr, exchange);
    return !wr.failed;
}

static bool ack_writes(const struct relay_exchange *exchange, const struct relay_state *state)
{
    uint8_t octets[RELAY_WOR_ACK_LEN];
    struct wr wr = wr_of(octets, sizeof(octets));

    relay_wor_ack_write(&wr, exchange, state);
    return !wr.failed;
}

START_TEST(what_no_frame_can_say)
{
    static const struct relay_channel bad[] = {{868100000, 16}, {868100050, 5}, {UINT32_MAX, 5}};
    static const struct relay_state states[] = {
        {.t_offset_ms = 2048}, {.cad_periodicity = 8}, {.xtal_accuracy = 4}, {.dr = 16},
        {.forward = 4},        {.cad_to_rx = 4},
    };
    struct relay_wor_keys keys;
    const struct relay_exchange good = any_exchange(&keys);
    const struct relay_state state = any_state();
    struct relay_state got;
    uint8_t octets[RELAY_WOR_UPLINK_LEN], ack[RELAY_WOR_ACK_LEN];
    struct wr wr = wr_of(octets, sizeof(octets)), wr_ack = wr_of(ack, sizeof(ack));
    struct relay_wor wor;

    relay_wor_uplink_write(&wr, &good);
    relay_wor_ack_write(&wr_ack, &good, &state);
    ck_assert_int_eq(relay_wor_read(wr_bytes(&wr), &wor), OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct relay_exchange uplink = good, frame = good, ack_on = good;
        struct wr join = wr_of(octets, sizeof(octets));

        uplink.uplink = bad[i];
        frame.wor = bad[i];
        ack_on.ack = bad[i];
        ck_assert(!uplink_writes(&uplink) && !uplink_writes(&frame) && uplink_writes(&ack_on));
        ck_assert(!ack_writes(&uplink, &state) && !ack_writes(&ack_on, &state));
        ck_assert_int_eq(relay_wor_open(&wor, &frame), ERR_INVALID);
        ck_assert_int_eq(relay_wor_ack_open(wr_bytes(&wr_ack), &ack_on, &got), ERR_INVALID);
        ck_assert_int_eq(relay_wor_ack_open(wr_bytes(&wr_ack), &uplink, &got), ERR_INVALID);
        relay_wor_join_write(&join, &bad[i]);
        ck_assert(join.failed);
    }
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        ck_assert(!ack_writes(&good, &states[i]));
}
END_TEST

START_TEST(the_relay_widens_the_counter)
{
    static const struct {
        uint32_t last;
        uint16_t sent;
        bool left;
        uint32_t full;
    } rows[] = {
        {0, 0, true, 0},
        {0, 1, true, 1},
        {0, 65535, true, 65535},
        {1, 1, true, 0x10001}, /* not a repetition: rolled over */
        {5, 0, true, 0x10000},
        {0x10000, 0, true, 0x10000},
        {0x1ffff, 0xffff, true, 0x2ffff},
        {0xfffeffff, 3, true, 0xffff0003},
        {0xffff0005, 6, true, 0xffff0006},
        {0xffff0000, 0, true, 0xffff0000},
        {0xffff0005, 5, false, 0},
        {0xffffffff, 0, false, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t full = 0;

        ck_assert_int_eq(relay_wfcnt_widen(rows[i].last, rows[i].sent, &full), rows[i].left);
        ck_assert_uint_eq(full, rows[i].full);
    }
}
END_TEST

START_TEST(codes)
{
    static const unsigned periods[] = {1000, 500, 250, 100, 50, 20, 0, 0};

    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(relay_cad_period_ms(i), periods[i]);
    for (int snr = -128; snr < 128; snr++) {
        int heard = snr < -20 ? -20 : snr > 11 ? 11 : snr;
        ck_assert_int_eq(relay_snr_of(relay_snr_code(snr)), heard);
    }
    for (int rssi = -200; rssi < 50; rssi++) {
        int heard = rssi < -142 ? -142 : rssi > -15 ? -15 : rssi;
        ck_assert_int_eq(relay_rssi_of(relay_rssi_code(rssi)), heard);
    }
}
END_TEST

/* ---- forwarding ------------------------------------------------------------------------------ */

START_TEST(only_uplinks_are_forwarded_up)
{
    static const struct {
        uint8_t mhdr;
        size_t n;
        enum drop drop;
    } rows[] = {
        {0x00, 23, DROP_NONE},
        {0xc0, 19, DROP_NONE},
        {0x40, 12, DROP_NONE},
        {0x80, 13, DROP_NONE},
        {0x20, 17, DROP_NOT_UPLINK},
        {0x60, 12, DROP_NOT_UPLINK},
        {0xa0, 12, DROP_NOT_UPLINK},
        {0xe0, 12, DROP_PROPRIETARY},
        {0x40, 11, DROP_MALFORMED_FRAME},
        {0x41, 12, DROP_MALFORMED_FRAME},
    };
    const struct relay_metadata metadata = {868100000, -100, 3, 5, RELAY_WOR_SECOND};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t phy[32] = {rows[i].mhdr}, octets[64];
        struct wr wr = wr_of(octets, sizeof(octets));
        struct relay_forward_uplink forward;

        relay_forward_uplink_write(&wr, &metadata, (struct bytes){phy, rows[i].n});
        ck_assert_msg(relay_forward_uplink_read(wr_bytes(&wr), eu(), &forward) == rows[i].drop,
                      "row %zu", i);
        ck_assert_int_eq(forward.metadata.rssi_dbm, -100);
    }
}
END_TEST

START_TEST(metadata_that_does_not_fit)
{
    static const struct relay_metadata bad[] = {
        {868100000, -100, 3, 16, RELAY_WOR_DEFAULT},
        {868100000, -100, 3, 5, RELAY_WOR_UNKNOWN},
        {868100001, -100, 3, 5, RELAY_WOR_DEFAULT},
    };
    uint8_t octets[64], phy[12] = {0x40};
    struct relay_forward_uplink forward;
    struct wr wr;

    for (size_t i = 0; i < 3; i++) {
        wr = wr_of(octets, sizeof(octets));
        relay_forward_uplink_write(&wr, &bad[i], (struct bytes){phy, sizeof(phy)});
        ck_assert(wr.failed);
    }
    wr = wr_of(octets, sizeof(octets));
    relay_forward_uplink_write(&wr, &(struct relay_metadata){915000000, -100, 3, 5, 0},
                               (struct bytes){phy, sizeof(phy)});
    ck_assert_int_eq(relay_forward_uplink_read(wr_bytes(&wr), eu(), &forward),
                     DROP_UNKNOWN_CHANNEL);
    octets[2] |= 3; /* no channel of a WOR */
    (void)relay_forward_uplink_read(wr_bytes(&wr), eu(), &forward);
    ck_assert_uint_eq(forward.metadata.wor_channel, RELAY_WOR_UNKNOWN);
    for (uint8_t dr = 0; dr < 16; dr++) { /* in US915 some data rates are of downlinks alone */
        const struct region *us = region_get(REGION_US915);

        wr = wr_of(octets, sizeof(octets));
        relay_forward_uplink_write(&wr, &(struct relay_metadata){902300000, -100, 3, dr, 0},
                                   (struct bytes){phy, sizeof(phy)});
        ck_assert_int_eq(relay_forward_uplink_read(wr_bytes(&wr), us, &forward),
                         region_rate(us, LW_UP, dr) ? DROP_NONE : DROP_UNKNOWN_CHANNEL);
    }
}
END_TEST

START_TEST(a_cut_forward_has_no_frame)
{
    static const uint8_t octets[RELAY_METADATA_LEN];

    for (size_t n = 0; n <= sizeof(octets); n++) {
        struct relay_forward_uplink forward;

        memset(&forward, 0xff, sizeof(forward));
        ck_assert_int_eq(relay_forward_uplink_read((struct bytes){octets, n}, eu(), &forward),
                         DROP_MALFORMED_FRAME);
        ck_assert_uint_eq(forward.frame.phy.n, 0);
    }
}
END_TEST

START_TEST(only_downlinks_are_forwarded_down)
{
    static const struct {
        uint8_t mhdr;
        size_t n;
        bool good;
    } rows[] = {{0x20, 17, true},  {0x20, 33, true},  {0x20, 18, false}, {0x60, 12, true},
                {0xa0, 12, true},  {0x60, 11, false}, {0x40, 12, false}, {0x00, 23, false},
                {0xe0, 12, false}, {0x60, 0, false}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t phy[40] = {rows[i].mhdr};
        struct lw_frame frame;

        ck_assert_int_eq(relay_forward_downlink_read((struct bytes){phy, rows[i].n}, &frame),
                         rows[i].good ? DROP_NONE : DROP_MALFORMED_FRAME);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_is_written_is_read,
                                  one_changed_bit_is_noticed,
                                  wor_of_wrong_shape,
                                  what_no_frame_can_say,
                                  the_relay_widens_the_counter,
                                  codes,
                                  only_uplinks_are_forwarded_up,
                                  metadata_that_does_not_fit,
                                  a_cut_forward_has_no_frame,
                                  only_downlinks_are_forwarded_down,
                                  NULL};

    return run_suite(suite_of("relay_frames", tests));
}
