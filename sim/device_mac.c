#include "sim/device_priv.h"

#include <string.h>

/* Which answers are repeated until a class A downlink comes (mac-layer reference 11). */
enum sticky { NOT_STICKY, STICKY };

static const struct sim_plan *plan_of(const struct sim_device *dev)
{
    return sim_plan(dev->region);
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool sticks(const struct sim_device *dev, uint8_t cid, enum sticky sticky)
{
    if (sticky == NOT_STICKY || dev->version < LW_1_0_2)
        return false;
    return dev->version > LW_1_0_2 || cid == 0x08;
}

/* What the network asks beyond the room for answers stays without one. */
static void answer(struct sim_device *dev, enum sticky sticky, const uint8_t *octets, size_t n)
{
    bool stick = sticks(dev, octets[0], sticky);
    uint8_t *to = stick ? dev->sticky : dev->once;
    uint8_t *used = stick ? &dev->sticky_n : &dev->once_n;
    size_t room = stick ? sizeof(dev->sticky) : sizeof(dev->once);

    if (*used + n > room)
        return;
    memcpy(to + *used, octets, n);
    *used = (uint8_t)(*used + n);
}

static void answer0(struct sim_device *dev, enum sticky sticky, uint8_t cid)
{
    answer(dev, sticky, &cid, 1);
}

static void answer1(struct sim_device *dev, enum sticky sticky, uint8_t cid, unsigned value)
{
    uint8_t octets[2] = {cid, (uint8_t)value};

    answer(dev, sticky, octets, 2);
}

/* Octets of a command from the device, its CID counted. */
static size_t up_length(uint8_t cid)
{
    switch (cid) {
    case 0x06: return 3;
    case 0x02:
    case 0x04:
    case 0x08:
    case 0x09:
    case 0x0c:
    case 0x0d: return 1;
    default: return 2;
    }
}

/* Moves whole commands to `to`; returns how many octets of `from` went. */
static size_t move_whole(const uint8_t *from, size_t n, uint8_t *to, size_t room)
{
    size_t at = 0;

    while (at < n && at + up_length(from[at]) <= room)
        at += up_length(from[at]);
    memcpy(to, from, at);
    return at;
}

size_t sim_take_answers(struct sim_device *dev, uint8_t *to, size_t room)
{
    uint8_t greeting[2] = {dev->config & SIM_ABP ? 0x01 : 0x0b, 1};
    const uint8_t link = 0x02, time = 0x0d;
    size_t n = 0;

    if (sim_is(dev, SIM_GREETS))
        n += move_whole(greeting, 2, to, room);
    n += move_whole(dev->sticky, dev->sticky_n, to + n, room - n);

    size_t sent = move_whole(dev->once, dev->once_n, to + n, room - n);

    n += sent;
    dev->once_n = (uint8_t)(dev->once_n - sent);
    memmove(dev->once, dev->once + sent, dev->once_n);
    if (sim_is(dev, SIM_ASK_LINK) && move_whole(&link, 1, to + n, room - n)) {
        sim_set(dev, SIM_ASK_LINK, false);
        n++;
    }
    if (sim_is(dev, SIM_ASK_TIME) && move_whole(&time, 1, to + n, room - n)) {
        sim_set(dev, SIM_ASK_TIME, false);
        n++;
    }
    return n;
}

/* ---- LinkADRReq ------------------------------------------------------------------------------ */

struct adr_order {
    uint8_t mask[SIM_MASK];
    uint8_t dr, power, nb_trans;
    unsigned bits; /* of the answer: 1 mask, 2 data rate, 4 power */
};

static bool keeps(const struct sim_device *dev, uint8_t value)
{
    return value == 15 && dev->version >= LW_1_0_4;
}

static bool dr_possible(const struct sim_device *dev, const struct adr_order *order)
{
    if (order->dr < sim_min_dr(dev) || order->dr > plan_of(dev)->max_dr)
        return false;
    for (unsigned i = 0; i < sim_channel_count(dev); i++) {
        if (sim_mask_get(order->mask, i) && sim_channel_allows(dev, i, order->dr))
            return true;
    }
    return false;
}

static bool any_channel(const uint8_t mask[SIM_MASK])
{
    for (int i = 0; i < SIM_MASK; i++) {
        if (mask[i])
            return true;
    }
    return false;
}

/* TS001 5.2: masks in order, data rate, power and NbTrans of the last request of the block. */
static void read_block(const struct sim_device *dev, const uint8_t *requests, size_t count,
                       struct adr_order *order)
{
    const uint8_t *last = requests + 5 * (count - 1);
    bool masks = true;

    memcpy(order->mask, dev->mask, sizeof(order->mask));
    for (size_t i = 0; i < count; i++) {
        const uint8_t *r = requests + 5 * i;

        masks &= sim_apply_mask(dev, order->mask, r[4] >> 4 & 7, (uint16_t)(r[2] | r[3] << 8));
    }
    order->dr = keeps(dev, last[1] >> 4) ? dev->dr : last[1] >> 4;
    order->power = keeps(dev, last[1] & 15) ? dev->tx_power : last[1] & 15;
    order->nb_trans = last[4] & 15;
    if (!order->nb_trans)
        order->nb_trans = dev->version >= LW_1_1_0 ? dev->nb_trans : 1;

    masks = masks && any_channel(order->mask);
    if (!masks) /* the data rate is judged by the channels that stay */
        memcpy(order->mask, dev->mask, sizeof(order->mask));

    bool adr = dev->config & SIM_ADR;
    bool power = adr ? order->power <= sim_plan_max_power(dev->region, dev->version)
                     : order->power == dev->tx_power;
    bool dr = (adr || order->dr == dev->dr) && dr_possible(dev, order);

    order->bits = (masks ? 1u : 0) | (dr ? 2u : 0) | (power ? 4u : 0);
}

/* Without ADR the masks and NbTrans count all the same from 1.0.3 on. */
static void apply_order(struct sim_device *dev, const struct adr_order *order)
{
    bool mask_alone = !(dev->config & SIM_ADR) && dev->version >= LW_1_0_3;

    if (order->bits != 7 && !(mask_alone && order->bits & 1))
        return;
    memcpy(dev->mask, order->mask, sizeof(dev->mask));
    dev->nb_trans = order->nb_trans;
    if (order->bits != 7)
        return;
    dev->dr = order->dr;
    dev->tx_power = order->power;
}

static size_t answers_of(const struct sim_device *dev, size_t count)
{
    return dev->version >= LW_1_1_0 && !(dev->config & SIM_FORCE_ADR_ANSWERS) ? 1 : count;
}

/* Contiguous requests are one block from 1.0.2 on, before each stands alone. */
static void obey_link_adr(struct sim_device *dev, const uint8_t *requests, size_t count)
{
    struct adr_order order;

    if (dev->version < LW_1_0_2 && count > 1) {
        for (size_t i = 0; i < count; i++)
            obey_link_adr(dev, requests + 5 * i, 1);
        return;
    }
    read_block(dev, requests, count, &order);
    apply_order(dev, &order);
    for (size_t i = 0; i < answers_of(dev, count); i++)
        answer1(dev, NOT_STICKY, 0x03, order.bits);
}

/* ---- the other commands ---------------------------------------------------------------------- */

static uint32_t frequency_of(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static struct sim_rx_params *rx_next(struct sim_device *dev)
{
    if (!sim_is(dev, SIM_RX_NEXT))
        dev->rx_next = dev->rx;
    sim_set(dev, SIM_RX_NEXT, true);
    return &dev->rx_next;
}

static void on_rx_param_setup(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    uint32_t hz = sim_hz(dev, frequency_of(p + 1));
    uint8_t offset = p[0] >> 4 & 7, dr = p[0] & 15;
    bool dr_good = dr < SIM_DOWN_RATES && plan_of(dev)->down_octets[dr];
    unsigned bits = (sim_frequency_allowed(dev, hz) ? 1u : 0) | (dr_good ? 2u : 0) |
                    (offset <= plan_of(dev)->max_dr_offset ? 4u : 0);

    (void)verdict;
    if (bits == 7) {
        struct sim_rx_params *rx = rx_next(dev);

        rx->rx2_hz = hz;
        rx->rx2_dr = dr;
        rx->dr_offset = offset;
    }
    answer1(dev, STICKY, 0x05, bits);
}

static void on_rx_timing_setup(struct sim_device *dev, const uint8_t *p,
                               struct sim_verdict *verdict)
{
    (void)verdict;
    rx_next(dev)->delay_s = p[0] & 15 ? p[0] & 15 : 1;
    answer0(dev, STICKY, 0x08);
}

static void on_duty_cycle(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    (void)verdict;
    dev->max_duty = p[0] & 15;
    answer0(dev, NOT_STICKY, 0x04);
}

static void on_dev_status(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    int margin = dev->down_snr_db < -32 ? -32 : dev->down_snr_db > 31 ? 31 : dev->down_snr_db;
    uint8_t octets[3] = {0x06, dev->battery, (uint8_t)(margin & 0x3f)};

    (void)p;
    (void)verdict;
    answer(dev, NOT_STICKY, octets, 3);
}

static void drop_dl_channel(struct sim_device *dev, unsigned channel)
{
    for (unsigned i = 0; i < SIM_DL_CHANNELS; i++) {
        if (dev->dl[i].channel == channel)
            dev->dl[i].channel = 0xff;
    }
}

/* Fixed plans ignore it (RP002: silently). Default channels cannot be changed. */
static void on_new_channel(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    uint32_t min_dr = p[4] & 15, max_dr = p[4] >> 4;
    uint8_t index = p[0];
    uint32_t frequency = frequency_of(p + 1);
    unsigned bits = 0;

    (void)verdict;
    if (plan_of(dev)->fixed)
        return;
    if (index >= plan_of(dev)->default_channels && index < SIM_CHANNELS) {
        bits |= !frequency || sim_frequency_allowed(dev, sim_hz(dev, frequency)) ? 1u : 0;
        bits |= !frequency || (min_dr <= max_dr && max_dr <= plan_of(dev)->max_dr) ? 2u : 0;
    }
    if (bits == 3) {
        dev->channels[index].frequency = frequency & 0xffffff;
        dev->channels[index].min_dr = min_dr & 15u;
        dev->channels[index].max_dr = max_dr & 15u;
        sim_mask_set(dev->mask, index, frequency);
        drop_dl_channel(dev, index);
    }
    answer1(dev, NOT_STICKY, 0x07, bits);
}

/* This device keeps four such frequencies; a fifth is refused as one it cannot use. */
static void on_dl_channel(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    uint32_t frequency = frequency_of(p + 1);
    bool defined = p[0] < SIM_CHANNELS && dev->channels[p[0]].frequency;
    struct sim_dl_channel *place = NULL;

    (void)verdict;
    if (plan_of(dev)->fixed)
        return;
    for (unsigned i = 0; i < SIM_DL_CHANNELS; i++) {
        if (dev->dl[i].channel == p[0] || (!place && dev->dl[i].channel == 0xff))
            place = &dev->dl[i];
    }

    bool good = place && sim_frequency_allowed(dev, sim_hz(dev, frequency));

    if (good && defined) {
        drop_dl_channel(dev, p[0]);
        place->channel = p[0];
        place->frequency = frequency & 0xffffff;
    }
    answer1(dev, STICKY, 0x0a, (good ? 1u : 0) | (defined ? 2u : 0));
}

static void on_tx_param_setup(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    (void)verdict;
    if (!plan_of(dev)->tx_param_setup)
        return;
    sim_set(dev, SIM_DOWN_DWELL, p[0] & 0x20);
    sim_set(dev, SIM_UP_DWELL, p[0] & 0x10);
    dev->max_eirp_index = p[0] & 15;
    if (dev->dr < sim_min_dr(dev))
        dev->dr = sim_min_dr(dev);
    answer0(dev, STICKY, 0x09);
}

static void on_greeted(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    (void)verdict;
    if ((p[0] & 15) == 1)
        sim_set(dev, SIM_GREETS, false);
}

static void on_link_check(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    (void)dev;
    verdict->flags |= SIM_GOT_LINK;
    verdict->link_margin_db = p[0];
    verdict->link_gateways = p[1];
}

static void on_device_time(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    struct rd rd = rd_of(p, 5);
    int64_t seconds = rd_u32le(&rd);

    (void)dev;
    verdict->flags |= SIM_GOT_TIME;
    verdict->gps_us = seconds * 1000000 + rd_u8(&rd) * (int64_t)1000000 / 256;
}

static void on_adr_param_setup(struct sim_device *dev, const uint8_t *p,
                               struct sim_verdict *verdict)
{
    (void)verdict;
    dev->adr_limit_exp = p[0] >> 4;
    dev->adr_delay_exp = p[0] & 15;
    answer0(dev, NOT_STICKY, 0x0c);
}

static void on_force_rejoin(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict)
{
    (void)p;
    sim_set(dev, SIM_REJOIN_ASKED, true);
    verdict->flags |= SIM_GOT_REJOIN;
}

static void on_rejoin_param_setup(struct sim_device *dev, const uint8_t *p,
                                  struct sim_verdict *verdict)
{
    (void)p;
    (void)verdict;
    answer1(dev, NOT_STICKY, 0x0f, 1);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* `obey` NULL: known, but nothing for this device (class B, class switch). */
struct command {
    uint8_t length; /* without the CID */
    uint8_t since;  /* enum lw_version */
    void (*obey)(struct sim_device *dev, const uint8_t *p, struct sim_verdict *verdict);
    bool known;
};

/* clang-format off */
static const struct command commands[0x21] = {
    [0x01] = {1, LW_1_1_0, on_greeted, true},            /* ResetConf */
    [0x02] = {2, LW_1_0_0, on_link_check, true},
    [0x03] = {4, LW_1_0_0, NULL, true},                  /* LinkADRReq: in blocks, see sim_obey */
    [0x04] = {1, LW_1_0_0, on_duty_cycle, true},
    [0x05] = {4, LW_1_0_0, on_rx_param_setup, true},
    [0x06] = {0, LW_1_0_0, on_dev_status, true},
    [0x07] = {5, LW_1_0_0, on_new_channel, true},
    [0x08] = {1, LW_1_0_0, on_rx_timing_setup, true},
    [0x09] = {1, LW_1_0_2, on_tx_param_setup, true},
    [0x0a] = {4, LW_1_0_2, on_dl_channel, true},
    [0x0b] = {1, LW_1_1_0, on_greeted, true},            /* RekeyConf */
    [0x0c] = {1, LW_1_1_0, on_adr_param_setup, true},
    [0x0d] = {5, LW_1_0_3, on_device_time, true},
    [0x0e] = {2, LW_1_1_0, on_force_rejoin, true},
    [0x0f] = {1, LW_1_1_0, on_rejoin_param_setup, true},
    [0x10] = {0, LW_1_0_0, NULL, true},                  /* PingSlotInfoAns */
    [0x11] = {4, LW_1_0_0, NULL, true},                  /* PingSlotChannelReq */
    [0x12] = {3, LW_1_0_0, NULL, true},                  /* BeaconTimingAns */
    [0x13] = {3, LW_1_0_0, NULL, true},                  /* BeaconFreqReq */
    [0x20] = {1, LW_1_1_0, NULL, true},                  /* DeviceModeConf */
};
/* clang-format on */

static const struct command *find_command(const struct sim_device *dev, struct bytes at)
{
    const struct command *command = at.p[0] < 0x21 ? &commands[at.p[0]] : NULL;

    if (!command || !command->known || dev->version < command->since || at.n < command->length + 1u)
        return NULL;
    return command;
}

static size_t block_length(struct bytes at)
{
    size_t count = 0;

    while (5 * count + 5 <= at.n && at.p[5 * count] == 0x03)
        count++;
    return count;
}

/* An unknown or cut command ends the rest; what came before stays obeyed. Only the first block of
 * LinkADRReq of a frame counts. */
bool sim_obey(struct sim_device *dev, struct bytes at, struct sim_verdict *verdict)
{
    bool adr_done = false;

    while (at.n) {
        const struct command *command = find_command(dev, at);
        size_t n = command ? command->length + 1u : 0;

        if (!command)
            return false;
        if (at.p[0] == 0x03) {
            n = 5 * block_length(at);
            if (!adr_done)
                obey_link_adr(dev, at.p, n / 5);
            adr_done = true;
        } else if (command->obey) {
            command->obey(dev, at.p + 1, verdict);
        }
        at.p += n;
        at.n -= n;
    }
    return true;
}
