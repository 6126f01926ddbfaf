#include "sim/crypto.h"
#include "sim/device_priv.h"

#include <stdlib.h>
#include <string.h>

#define TOLERANCE_US 20 /* RP002 2.1: a window opens within 20 us of its time */
#define MAX_FCNT_GAP 16384

/* A data frame, taken apart; still encrypted. */
struct down {
    struct bytes msg; /* without the MIC */
    uint8_t mic[4];
    uint8_t fctrl;
    uint16_t fcnt;
    struct bytes fopts, payload;
    int port;
};

/* ---- the window ------------------------------------------------------------------------------ */

static bool same_rate(const struct data_rate *a, const struct data_rate *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == MOD_FSK)
        return a->bit_rate == b->bit_rate;
    return a->sf == b->sf && a->bandwidth_hz == b->bandwidth_hz && a->coding_rate == b->coding_rate;
}

static enum sim_verdict_code fits(const struct sim_window *window, const struct sim_rx *rx)
{
    if (rx->frequency_hz != window->frequency_hz)
        return SIM_WRONG_FREQUENCY;
    if (!same_rate(&rx->rate, &window->rate))
        return SIM_WRONG_RATE;
    return rx->phy.n > window->octets + 13u ? SIM_TOO_LONG : SIM_OK;
}

/* Class C listens on RX2 whenever it is neither sending nor in RX1. */
static bool heard_in_class_c(const struct sim_device *dev, const struct sim_window *rx2,
                             const struct sim_rx *rx)
{
    return dev->config & SIM_CLASS_C && sim_is(dev, SIM_JOINED) && !sim_is(dev, SIM_LAST_JOIN) &&
           rx->start_us > dev->up_end_us && fits(rx2, rx) == SIM_OK;
}

/* Sets verdict->window and off_us; *class_a is false for what class C heard outside the windows. */
static enum sim_verdict_code find_window(const struct sim_device *dev, const struct sim_rx *rx,
                                         struct sim_verdict *verdict, bool *class_a)
{
    struct sim_window windows[2];

    sim_device_windows(dev, windows);
    int64_t off[2] = {rx->start_us - windows[0].start_us, rx->start_us - windows[1].start_us};

    verdict->window = llabs(off[1]) < llabs(off[0]);
    verdict->off_us = off[verdict->window];
    *class_a = sim_is(dev, SIM_LISTENS) && llabs(verdict->off_us) <= TOLERANCE_US;
    if (*class_a)
        return fits(&windows[verdict->window], rx);
    if (heard_in_class_c(dev, &windows[1], rx)) {
        verdict->window = 1;
        return SIM_OK;
    }
    return sim_is(dev, SIM_LISTENS) ? SIM_WRONG_TIME : SIM_NO_WINDOW;
}

/* ---- join-accept ----------------------------------------------------------------------------- */

static bool accept_mic_good(const struct sim_device *dev, const uint8_t *plain, size_t n,
                            uint16_t dev_nonce)
{
    bool is_1_1 = dev->version >= LW_1_1_0 && plain[10] & 0x80;
    uint8_t head[12], mac[16];
    struct wr wr = wr_of(head, sizeof(head));
    struct lw_key key = dev->nwk_key;

    if (is_1_1) {
        sim_join_int_key(dev, &key);
        wr_u8(&wr, 0xff);
        wr_u64le(&wr, dev->join_eui.v);
        wr_u16le(&wr, dev_nonce);
    }
    wr_u8(&wr, SIM_FTYPE_JOIN_ACCEPT);
    sim_cmac(&key, wr_bytes(&wr), (struct bytes){plain, n - 4}, mac);
    return !memcmp(mac, plain + n - 4, 4);
}

static bool accept_settings_good(const struct sim_device *dev, uint8_t settings)
{
    const struct sim_plan *plan = sim_plan(dev->region);
    uint8_t rx2_dr = settings & 0x0f;

    return (settings >> 4 & 7) <= plan->max_dr_offset && rx2_dr < SIM_DOWN_RATES &&
           plan->down_octets[rx2_dr];
}

/* A new session forgets all that the old one had set. */
static void start_session(struct sim_device *dev, const uint8_t *plain, size_t n,
                          uint16_t dev_nonce)
{
    const struct sim_plan *plan = sim_plan(dev->region);
    bool is_1_1 = dev->version >= LW_1_1_0 && plain[10] & 0x80;
    struct rd rd = rd_of(plain, n);

    dev->join_nonce = rd_u24le(&rd);
    rd_u24le(&rd);
    dev->dev_addr.v = rd_u32le(&rd);
    dev->rx = (struct sim_rx_params){.rx2_hz = sim_join_rx2_hz(dev),
                                     .delay_s = plain[11] & 15 ? plain[11] & 15 : 1,
                                     .dr_offset = plain[10] >> 4 & 7,
                                     .rx2_dr = plain[10] & 15};
    dev->state = SIM_JOINED | SIM_JOIN_NONCE | (is_1_1 ? SIM_IS_1_1 | SIM_GREETS : 0) |
                 (plan->dwell ? SIM_UP_DWELL : 0);
    sim_derive_session(dev, plain, plain + 3, dev_nonce);

    dev->fcnt_up = dev->fcnt_down[0] = dev->fcnt_down[1] = 0;
    sim_set_dr(dev, dev->config_dr);
    dev->tx_power = dev->max_duty = dev->sticky_n = dev->once_n = 0;
    dev->nb_trans = 1;
    dev->joins = dev->adr_ack_count = 0;
    memset(dev->dl, 0xff, sizeof(dev->dl));
    memset(dev->channels, 0, sizeof(dev->channels));
    memset(dev->mask, 0, sizeof(dev->mask));
    sim_channels_default(dev);
    if (n == 32)
        sim_apply_cflist(dev, plain + 12);
}

/* The network "decrypts" so that the device needs encryption alone (TS001 6.2.3). */
static enum sim_verdict_code receive_accept(struct sim_device *dev, struct bytes phy,
                                            struct sim_verdict *verdict)
{
    uint16_t dev_nonce = (uint16_t)(dev->dev_nonce - (dev->version >= LW_1_0_4));
    size_t n = phy.n - 1;
    uint8_t plain[32] = {0};

    for (size_t at = 0; at < n; at += 16)
        sim_aes(&dev->nwk_key, phy.p + 1 + at, plain + at);
    if (!accept_mic_good(dev, plain, n, dev_nonce))
        return SIM_MIC;

    uint32_t nonce = plain[0] | (uint32_t)plain[1] << 8 | (uint32_t)plain[2] << 16;

    if (dev->version >= LW_1_0_4 && sim_is(dev, SIM_JOIN_NONCE) && nonce <= dev->join_nonce)
        return SIM_JOIN_NONCE_OLD;
    if (!accept_settings_good(dev, plain[10]))
        return SIM_MALFORMED;
    start_session(dev, plain, n, dev_nonce);
    verdict->flags |= SIM_GOT_JOIN;
    return SIM_OK;
}

/* ---- data frames ----------------------------------------------------------------------------- */

static bool take_apart(struct bytes phy, struct down *down)
{
    struct rd rd = rd_of(phy.p, phy.n - 4);

    *down = (struct down){.msg = {phy.p, phy.n - 4}, .port = -1};
    memcpy(down->mic, phy.p + phy.n - 4, 4);
    rd_take(&rd, 5);
    down->fctrl = rd_u8(&rd);
    down->fcnt = rd_u16le(&rd);
    down->fopts = rd_take(&rd, down->fctrl & 15);
    if (!rd.failed && rd_left(&rd)) {
        down->port = rd_u8(&rd);
        down->payload = rd_take(&rd, rd_left(&rd));
    }
    return !rd.failed && !(down->port == 0 && down->fopts.n);
}

static unsigned counter_of(const struct sim_device *dev, const struct down *down)
{
    return sim_is(dev, SIM_IS_1_1) && down->port > 0;
}

static bool mic_good(const struct sim_device *dev, const struct down *down, uint32_t fcnt)
{
    uint16_t conf_fcnt = down->fctrl & SIM_BIT_ACK ? (uint16_t)(dev->fcnt_up - 1) : 0;
    uint8_t mic[4];

    sim_down_mic(dev, down->msg, fcnt, conf_fcnt, mic);
    return !memcmp(mic, down->mic, 4);
}

/* The full counter is the lowest above the last with these 16 bits; where that gives no MIC, the
 * one at or below the last tells a repetition from a forgery (TS001 4.3.1.5). */
static enum sim_verdict_code check_counter(const struct sim_device *dev, const struct down *down,
                                           uint32_t *fcnt)
{
    unsigned which = counter_of(dev, down);
    uint32_t next = dev->fcnt_down[which], full = (next & 0xffff0000u) | down->fcnt;

    *fcnt = full;
    if (full < next) {
        if (mic_good(dev, down, full)) {
            bool other = memcmp(dev->last_mic[which], down->mic, 4);

            return full + 1 == next && other ? SIM_FCNT_REUSED : SIM_FCNT_REPLAY;
        }
        *fcnt = full + 0x10000;
    }
    if (!mic_good(dev, down, *fcnt))
        return SIM_MIC;
    if (dev->version < LW_1_0_4 && *fcnt - next >= MAX_FCNT_GAP && next)
        return SIM_FCNT_GAP;
    return SIM_OK;
}

/* Decrypts into the verdict. */
static void open_frame(const struct sim_device *dev, const struct down *down,
                       struct sim_verdict *verdict)
{
    struct wr commands = wr_of(verdict->commands, sizeof(verdict->commands));
    struct wr payload = wr_of(verdict->payload, sizeof(verdict->payload));
    struct wr *to = down->port == 0 ? &commands : &payload;

    wr_copy(&commands, down->fopts.p, down->fopts.n);
    sim_crypt_fopts(dev, LW_DOWN, verdict->fcnt, (uint8_t)(1 + counter_of(dev, down)), &commands);
    if (down->port >= 0) {
        wr_copy(to, down->payload.p, down->payload.n);
        sim_crypt_payload(dev, LW_DOWN, verdict->fcnt, down->port, to);
    }
    verdict->port = down->port;
    verdict->commands_n = (uint8_t)wr_len(&commands);
    verdict->payload_n = (uint8_t)wr_len(&payload);
}

/* Any class A downlink ends the repetition of sticky answers and the wait of ADR. */
static void class_a_heard(struct sim_device *dev)
{
    sim_set(dev, SIM_HEARD_DOWN, true);
    sim_set(dev, SIM_LISTENS, false);
    dev->adr_ack_count = 0;
    dev->sticky_n = 0;
}

static void take_header(struct sim_device *dev, const struct down *down,
                        struct sim_verdict *verdict)
{
    bool confirmed = (down->msg.p[0] & 0xe0) == SIM_FTYPE_CONFIRMED_DOWN;

    sim_set(dev, SIM_PENDING_DATA, down->fctrl & SIM_BIT_F_PENDING);
    verdict->flags |= down->fctrl & SIM_BIT_F_PENDING ? SIM_GOT_PENDING : 0;
    verdict->flags |= down->fctrl & SIM_BIT_ADR ? SIM_GOT_ADR_BIT : 0;
    if (confirmed) {
        verdict->flags |= SIM_GOT_CONFIRMED;
        sim_set(dev, SIM_ACK_DUE, true);
        dev->conf_fcnt_down = (uint16_t)verdict->fcnt;
    }
    if (!(down->fctrl & SIM_BIT_ACK))
        return;
    if (!sim_is(dev, SIM_AWAITS_ACK))
        verdict->code = SIM_UNASKED_ACK;
    verdict->flags |= SIM_GOT_ACK;
    sim_set(dev, SIM_AWAITS_ACK, false);
}

static void take_data(struct sim_device *dev, const struct down *down, bool class_a,
                      struct sim_verdict *verdict)
{
    unsigned which = counter_of(dev, down);

    dev->fcnt_down[which] = verdict->fcnt + 1;
    memcpy(dev->last_mic[which], down->mic, 4);
    open_frame(dev, down, verdict);
    if (class_a)
        class_a_heard(dev);
    take_header(dev, down, verdict);

    struct bytes commands = {verdict->commands, verdict->commands_n};

    if (!sim_obey(dev, commands, verdict))
        verdict->code = SIM_BAD_COMMANDS;
}

static void receive_data(struct sim_device *dev, const struct sim_rx *rx,
                         struct sim_verdict *verdict)
{
    struct down down;
    bool class_a;

    if (rx->phy.n < 12 || !take_apart(rx->phy, &down))
        return; /* malformed */
    struct rd rd = rd_of(rx->phy.p + 1, 4);

    if (!sim_is(dev, SIM_JOINED) || rd_u32le(&rd) != dev->dev_addr.v) {
        verdict->code = SIM_NOT_FOR_ME;
        return;
    }
    verdict->code = find_window(dev, rx, verdict, &class_a);
    if (verdict->code == SIM_OK && sim_is(dev, SIM_LAST_JOIN))
        verdict->code = SIM_UNEXPECTED;
    if (verdict->code == SIM_OK)
        verdict->code = check_counter(dev, &down, &verdict->fcnt);
    if (verdict->code != SIM_OK)
        return;
    dev->down_snr_db = rx->snr_db;
    take_data(dev, &down, class_a, verdict);
}

void sim_device_receive(struct sim_device *dev, const struct sim_rx *rx,
                        struct sim_verdict *verdict)
{
    uint8_t type = rx->phy.n ? rx->phy.p[0] & 0xe0 : 0;
    bool class_a;

    *verdict = (struct sim_verdict){.code = SIM_MALFORMED, .port = -1};
    if (!rx->phy.n || rx->phy.p[0] & 3)
        return;
    if (type == SIM_FTYPE_UNCONFIRMED_DOWN || type == SIM_FTYPE_CONFIRMED_DOWN) {
        receive_data(dev, rx, verdict);
        return;
    }
    if (type != SIM_FTYPE_JOIN_ACCEPT) {
        verdict->code = SIM_UNEXPECTED;
        return;
    }
    if (rx->phy.n != 17 && rx->phy.n != 33)
        return;
    verdict->code = find_window(dev, rx, verdict, &class_a);
    if (verdict->code == SIM_OK && !sim_is(dev, SIM_LAST_JOIN))
        verdict->code = SIM_UNEXPECTED;
    if (verdict->code == SIM_OK)
        verdict->code = receive_accept(dev, rx->phy, verdict);
}
