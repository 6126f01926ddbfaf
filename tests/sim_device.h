/*
 * sim_device.h - simulated devices for their tests, and downlinks made by the server's own frame
 * code, which was written apart from the device's.
 */
#pragma once

#include "lorawan/frame.h"
#include "lorawan/keys.h"
#include "sim/device.h"
#include "tests/vectors.h"

#define S 1000000

/* ---- helpers --------------------------------------------------------------------------------- */

static inline struct sim_device_config config_of(enum lw_version version, uint8_t region,
                                                 uint16_t flags)
{
    struct sim_device_config config = {.dev_eui = {0x70b3d57ed0001122},
                                       .join_eui = {0x70b3d57ed0000001},
                                       .region = region,
                                       .version = (uint8_t)version,
                                       .flags = flags,
                                       .dr = 5,
                                       .seed = 7,
                                       .dev_addr = {0x01020304}};

    for (uint8_t i = 0; i < 16; i++) {
        config.app_key.b[i] = i;
        config.nwk_key.b[i] = (uint8_t)(0x10 + i);
        config.f_nwk.b[i] = (uint8_t)(0x20 + i);
        config.s_nwk.b[i] = (uint8_t)(0x30 + i);
        config.nwk_enc.b[i] = (uint8_t)(0x40 + i);
        config.app_s.b[i] = (uint8_t)(0x50 + i);
    }
    return config;
}

static inline struct sim_device abp(enum lw_version version, uint8_t region, uint16_t flags)
{
    struct sim_device_config config = config_of(version, region, flags | SIM_ABP);
    struct sim_device dev;

    sim_device_init(&dev, &config);
    return dev;
}

static inline struct sim_tx uplink(struct sim_device *dev, bool confirmed)
{
    static const uint8_t hello[] = "hello";
    struct sim_message message = {.port = 10, .confirmed = confirmed, .payload = {hello, 5}};
    struct sim_tx tx;

    ck_assert_int_eq(sim_device_uplink(dev, 0, &message, &tx), OK);
    return tx;
}

/* What a server would put into RX1 or RX2. */
struct order {
    uint32_t fcnt;
    int port;
    struct bytes fopts, payload;
    uint8_t fctrl;
    bool confirmed;
    uint16_t conf_fcnt;
    uint8_t window;
};

static inline struct sim_rx down(const struct sim_device *dev, const struct order *order,
                                 uint8_t room[255])
{
    struct sim_window windows[2];
    struct wr wr = wr_of(room, 255);
    struct lw_data data = {.dev_addr = dev->dev_addr,
                           .fctrl = order->fctrl,
                           .port = order->port ? order->port : LW_PORT_NONE,
                           .fopts = order->fopts,
                           .payload = order->payload};
    bool v11 = dev->state & SIM_IS_1_1;
    struct lw_seal seal = {.v11 = v11,
                           .fopts = v11 ? LW_FOPTS_1_1 : LW_FOPTS_PLAIN,
                           .conf_fcnt = order->conf_fcnt,
                           .fcnt = order->fcnt,
                           .f_nwk_s_int = &dev->f_nwk,
                           .s_nwk_s_int = &dev->s_nwk,
                           .nwk_s_enc = &dev->nwk_enc,
                           .app_s_key = &dev->app_s};

    ck_assert_int_eq(lw_data_write(&wr, order->confirmed ? LW_CONFIRMED_DOWN : LW_UNCONFIRMED_DOWN,
                                   &data, &seal),
                     OK);
    sim_device_windows(dev, windows);
    const struct sim_window *w = &windows[order->window];

    return (struct sim_rx){wr_bytes(&wr), w->start_us, w->frequency_hz, w->rate, 5};
}

static inline struct sim_verdict take(struct sim_device *dev, const struct order *order)
{
    uint8_t room[255];
    struct sim_rx rx = down(dev, order, room);
    struct sim_verdict verdict;

    sim_device_receive(dev, &rx, &verdict);
    return verdict;
}

#define ORDER(...) (&(struct order){__VA_ARGS__})

/* Octets from hex text, good for the test's time. */
static inline struct bytes hex(const char *text)
{
    static uint8_t room[4096];
    static size_t used;

    if (used + 256 > sizeof(room))
        used = 0;
    uint8_t *to = room + used;
    size_t n = hex_read_any(to, 256, text, strlen(text));

    ck_assert_uint_ne(n, SIZE_MAX);
    used += n;
    return (struct bytes){to, n};
}

/* FOpts of an uplink in clear, as the server's code reads them. */
static inline size_t fopts_of(const struct sim_device *dev, const struct sim_tx *tx,
                              uint8_t out[15])
{
    struct lw_frame frame;
    struct lw_crypt which = {dev->dev_addr, tx->fcnt, LW_UP};

    ck_assert_int_eq(lw_uplink_read((struct bytes){tx->phy, tx->len}, &frame), DROP_NONE);
    lw_crypt_fopts(&dev->nwk_enc, &which, dev->state & SIM_IS_1_1 ? LW_FOPTS_1_1 : LW_FOPTS_PLAIN,
                   frame.data.port, frame.data.fopts, out);
    return frame.data.fopts.n;
}

static inline void expect_fopts(const struct sim_device *dev, const struct sim_tx *tx,
                                const char *hex)
{
    uint8_t octets[15];
    char text[31];

    ck_assert_str_eq(hex_write(text, octets, fopts_of(dev, tx, octets)), hex);
}

#define expect_code(verdict, wanted)                                                               \
    ck_assert_str_eq(sim_verdict_text((verdict).code), sim_verdict_text(wanted))

static inline struct sim_verdict give_accept(struct sim_device *dev, struct bytes phy)
{
    struct sim_window windows[2];
    struct sim_verdict verdict;

    sim_device_windows(dev, windows);
    struct sim_rx rx = {phy, windows[1].start_us, windows[1].frequency_hz, windows[1].rate, 0};

    sim_device_receive(dev, &rx, &verdict);
    return verdict;
}
