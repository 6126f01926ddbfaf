#include "sim/device.h"

#include "lorawan/airtime.h"
#include "sim/crypto.h"
#include "sim/device_priv.h"

#include <string.h>

#define ADR_ACK_LIMIT_EXP 6 /* 64, RP002 2.1 */
#define ADR_ACK_DELAY_EXP 5 /* 32 */
#define CONFIRMED_TRIES   8 /* transmissions of a confirmed frame before 1.0.4 */
#define FOPTS_MAX         15
#define DUTY_OFF          15

static const struct sim_plan *plan_of(const struct sim_device *dev)
{
    return sim_plan(dev->region);
}

const char *sim_verdict_text(enum sim_verdict_code code)
{
    static const char *const texts[SIM_VERDICT_COUNT] = {
#define X(name, text) text,
        SIM_VERDICT_TABLE(X)
#undef X
    };

    return code < SIM_VERDICT_COUNT ? texts[code] : "?";
}

/* ---- start ----------------------------------------------------------------------------------- */

static void start_abp(struct sim_device *dev, const struct sim_device_config *config)
{
    bool is_1_1 = config->version >= LW_1_1_0;

    dev->dev_addr = config->dev_addr;
    dev->f_nwk = config->f_nwk;
    dev->s_nwk = is_1_1 ? config->s_nwk : config->f_nwk;
    dev->nwk_enc = is_1_1 ? config->nwk_enc : config->f_nwk;
    dev->app_s = config->app_s;
    sim_set(dev, SIM_JOINED, true);
    sim_set(dev, SIM_IS_1_1 | SIM_GREETS, is_1_1);
}

void sim_device_init(struct sim_device *dev, const struct sim_device_config *config)
{
    const struct sim_plan *plan = sim_plan(config->region);

    *dev = (struct sim_device){
        .dev_eui = config->dev_eui,
        .join_eui = config->join_eui,
        .app_key = config->app_key,
        .nwk_key = config->version >= LW_1_1_0 ? config->nwk_key : config->app_key,
        .random = config->seed,
        .rx = {.rx2_hz = config->rx2_hz ? config->rx2_hz : plan->rx2_hz,
               .delay_s = config->rx1_delay_s ? config->rx1_delay_s : 1,
               .dr_offset = config->rx1_dr_offset,
               .rx2_dr = config->rx2_hz ? config->rx2_dr : plan->rx2_dr},
        .region = config->region,
        .version = config->version,
        .config = config->flags,
        .config_dr = config->dr,
        .sub_band = config->sub_band ? config->sub_band : 2,
        .dev_nonce = config->dev_nonce,
        .adr_limit_exp = ADR_ACK_LIMIT_EXP,
        .adr_delay_exp = ADR_ACK_DELAY_EXP,
        .nb_trans = 1,
        .up_channel = 0xff,
        .battery = 255,
    };
    memset(dev->dl, 0xff, sizeof(dev->dl));
    sim_set(dev, SIM_UP_DWELL, plan->dwell);
    sim_channels_default(dev);
    sim_set_dr(dev, config->dr);
    if (config->flags & SIM_ABP)
        start_abp(dev, config);
}

void sim_device_ask_link(struct sim_device *dev)
{
    sim_set(dev, SIM_ASK_LINK, true);
}

void sim_device_ask_time(struct sim_device *dev)
{
    sim_set(dev, SIM_ASK_TIME, true);
}

bool sim_device_joined(const struct sim_device *dev)
{
    return sim_is(dev, SIM_JOINED);
}

/* ---- transmission ---------------------------------------------------------------------------- */

/* DutyCycleReq: after a transmission silence for its airtime times 2^n - 1 (TS001 5.3). */
static void transmit(struct sim_device *dev, int64_t now_us, struct sim_tx *tx)
{
    unsigned duty = dev->max_duty == DUTY_OFF ? 0 : dev->max_duty;

    tx->airtime_us = lw_airtime_frame_us(&tx->rate, tx->len, LW_UP);
    tx->start_us = now_us;
    tx->end_us = now_us + tx->airtime_us;
    dev->up_end_us = tx->end_us;
    dev->up_channel = tx->channel;
    dev->up_dr = tx->dr;
    dev->quiet_until_us = tx->end_us + (int64_t)tx->airtime_us * ((1 << duty) - 1);
    sim_set(dev, SIM_LISTENS, true);
    sim_set(dev, SIM_LAST_JOIN, tx->join);
}

static bool is_quiet(const struct sim_device *dev, int64_t now_us)
{
    return dev->max_duty && now_us < dev->quiet_until_us;
}

/* DevNonce: any number before 1.0.4, then a counter from 0 (TS001 6.2.4). */
static enum err next_dev_nonce(struct sim_device *dev, struct sim_tx *tx)
{
    if (dev->version < LW_1_0_4) {
        tx->dev_nonce = dev->dev_nonce = (uint16_t)sim_random(&dev->random);
        return OK;
    }
    if (dev->dev_nonce == UINT16_MAX)
        return ERR_LIMIT;
    tx->dev_nonce = dev->dev_nonce++;
    return OK;
}

enum err sim_device_join(struct sim_device *dev, int64_t now_us, struct sim_tx *tx)
{
    struct wr wr = wr_of(tx->phy, sizeof(tx->phy));
    enum err err;

    if (is_quiet(dev, now_us))
        return ERR_BUSY;
    *tx = (struct sim_tx){.join = true};
    if ((err = next_dev_nonce(dev, tx)))
        return err;
    wr_u8(&wr, SIM_FTYPE_JOIN_REQUEST);
    wr_u64le(&wr, dev->join_eui.v);
    wr_u64le(&wr, dev->dev_eui.v);
    wr_u16le(&wr, tx->dev_nonce);
    tx->len = (uint8_t)(wr_len(&wr) + 4);
    sim_sign_join(dev, tx);
    sim_choose_join_channel(dev, tx);
    dev->joins++;
    transmit(dev, now_us, tx);
    return OK;
}

/* ---- ADR back-off ---------------------------------------------------------------------------- */

/* TS001 4.3.1.1: with each new uplink without an answer; at LIMIT ask, a DELAY later full power,
 * then with every further DELAY a lower data rate, at last the default channels. */
static bool adr_back_off(struct sim_device *dev)
{
    unsigned limit = 1u << dev->adr_limit_exp, delay = 1u << dev->adr_delay_exp;
    unsigned count = dev->adr_ack_count;

    if (dev->adr_ack_count < UINT16_MAX)
        dev->adr_ack_count++;
    if (count >= limit + delay)
        dev->tx_power = 0;
    if (count < limit + 2 * delay || (count - limit) % delay)
        return count >= limit;

    if (dev->dr > sim_min_dr(dev)) {
        dev->dr--;
    } else {
        sim_channels_default(dev);
        dev->nb_trans = 1;
    }
    return true;
}

/* ---- data frames ----------------------------------------------------------------------------- */

/* What goes into a frame beside its header. */
struct content {
    uint8_t mac[SIM_ANSWERS_MAX + 20];
    size_t mac_n;
    int port;
    struct bytes payload;
};

/* MAC commands go into FOpts; more than fits there goes to FPort 0 and the payload must wait, as
 * it must where both exceed the data rate's limit (TS001 4.3.1.6). */
static void fill_content(struct sim_device *dev, const struct sim_message *message, size_t room,
                         struct sim_tx *tx, struct content *content)
{
    size_t payload_n = message && message->port >= 0 ? message->payload.n : 0;

    *content = (struct content){.port = -1};
    content->mac_n = sim_take_answers(dev, content->mac,
                                      room < sizeof(content->mac) ? room : sizeof(content->mac));
    if (content->mac_n > FOPTS_MAX || content->mac_n + payload_n > room) {
        tx->payload_left_out = message && message->port >= 0;
        content->port = content->mac_n > FOPTS_MAX ? 0 : -1;
        return;
    }
    if (message && message->port >= 0) {
        content->port = message->port;
        content->payload = message->payload;
    }
}

static uint8_t header_bits(struct sim_device *dev, struct sim_tx *tx)
{
    uint8_t bits = 0;

    if (dev->config & SIM_ADR)
        bits = SIM_BIT_ADR | (adr_back_off(dev) ? SIM_BIT_ADR_ACK_REQ : 0);
    if (sim_is(dev, SIM_ACK_DUE)) {
        bits |= SIM_BIT_ACK;
        tx->conf_fcnt = dev->conf_fcnt_down;
    }
    return bits;
}

static void write_frame(const struct sim_device *dev, uint8_t bits, const struct content *content,
                        struct sim_tx *tx)
{
    struct wr wr = wr_of(tx->phy, sizeof(tx->phy) - 4);
    bool in_fopts = content->mac_n <= FOPTS_MAX;

    wr_u8(&wr, tx->confirmed ? SIM_FTYPE_CONFIRMED_UP : SIM_FTYPE_UNCONFIRMED_UP);
    wr_u32le(&wr, dev->dev_addr.v);
    wr_u8(&wr, (uint8_t)(bits | (in_fopts ? content->mac_n : 0)));
    wr_u16le(&wr, (uint16_t)tx->fcnt);

    struct wr part = wr;

    part.start = part.p;
    if (in_fopts) {
        wr_copy(&part, content->mac, content->mac_n);
        sim_crypt_fopts(dev, LW_UP, tx->fcnt, 1, &part);
    }
    if (content->port >= 0) {
        wr_u8(&part, (uint8_t)content->port);
        part.start = part.p;
        if (in_fopts)
            wr_copy(&part, content->payload.p, content->payload.n);
        else
            wr_copy(&part, content->mac, content->mac_n);
        sim_crypt_payload(dev, LW_UP, tx->fcnt, content->port, &part);
    }
    tx->len = (uint8_t)(part.p - tx->phy + 4);
}

/* New receive parameters count from the uplink that carries their answer. */
static void take_new_rx(struct sim_device *dev)
{
    if (sim_is(dev, SIM_RX_NEXT))
        dev->rx = dev->rx_next;
    sim_set(dev, SIM_RX_NEXT, false);
}

enum err sim_device_uplink(struct sim_device *dev, int64_t now_us,
                           const struct sim_message *message, struct sim_tx *tx)
{
    bool dwell = sim_is(dev, SIM_UP_DWELL);
    struct content content;

    if (!sim_is(dev, SIM_JOINED))
        return ERR_BAD_STATE;
    if (is_quiet(dev, now_us))
        return ERR_BUSY;
    if (dev->fcnt_up == UINT32_MAX ||
        (message && message->payload.n > plan_of(dev)->up_octets[dwell][dev->dr]))
        return ERR_LIMIT;

    *tx = (struct sim_tx){.confirmed = message && message->confirmed, .fcnt = dev->fcnt_up++};
    uint8_t bits = header_bits(dev, tx);

    tx->dr = dev->dr;
    sim_choose_channel(dev, tx);
    fill_content(dev, message, plan_of(dev)->up_octets[dwell][tx->dr], tx, &content);
    write_frame(dev, bits, &content, tx);
    sim_sign_uplink(dev, tx);
    take_new_rx(dev);
    sim_set(dev, SIM_ACK_DUE | SIM_HEARD_DOWN, false);
    sim_set(dev, SIM_AWAITS_ACK, tx->confirmed);
    transmit(dev, now_us, tx);
    return OK;
}

static bool repetition_due(const struct sim_device *dev, const struct sim_tx *tx)
{
    unsigned most = dev->nb_trans;

    if (tx->join || tx->fcnt + 1 != dev->fcnt_up)
        return false;
    if (!tx->confirmed)
        return !sim_is(dev, SIM_HEARD_DOWN) && tx->repetition + 1u < most;
    if (dev->version < LW_1_0_4)
        most = CONFIRMED_TRIES;
    return sim_is(dev, SIM_AWAITS_ACK) && tx->repetition + 1u < most;
}

enum err sim_device_repeat(struct sim_device *dev, int64_t now_us, struct sim_tx *tx)
{
    if (!repetition_due(dev, tx))
        return ERR_NOT_FOUND;
    if (is_quiet(dev, now_us))
        return ERR_BUSY;
    tx->repetition++;
    sim_choose_channel(dev, tx);
    sim_sign_uplink(dev, tx);
    transmit(dev, now_us, tx);
    return OK;
}

/* ---- windows --------------------------------------------------------------------------------- */

static uint32_t rx1_frequency(const struct sim_device *dev)
{
    const struct sim_plan *plan = plan_of(dev);

    if (plan->joins.rx1_hz && sim_is(dev, SIM_LAST_JOIN))
        return plan->joins.rx1_hz;
    if (plan->fixed)
        return sim_plan_fixed_rx1_hz(plan, dev->up_channel);
    for (unsigned i = 0; i < SIM_DL_CHANNELS; i++) {
        if (dev->dl[i].channel == dev->up_channel)
            return sim_hz(dev, dev->dl[i].frequency);
    }
    return sim_device_channel_hz(dev, dev->up_channel);
}

/* CN470 of RP002: RX2 goes with the join channel, and stays there for the session. */
uint32_t sim_join_rx2_hz(const struct sim_device *dev)
{
    const struct sim_plan *plan = plan_of(dev);
    int join = sim_plan_join(plan, dev->up_channel);

    return join < 0 ? plan->rx2_hz : plan->joins.rx2_hz + (uint32_t)join * plan->joins.rx2_step_hz;
}

/* A Join-Request is answered with the region's values, not the session's (TS001 6.2.5). */
void sim_device_windows(const struct sim_device *dev, struct sim_window windows[2])
{
    const struct sim_plan *plan = plan_of(dev);
    bool join = sim_is(dev, SIM_LAST_JOIN);
    int64_t rx1_us = dev->up_end_us + (join ? 5 : dev->rx.delay_s) * (int64_t)1000000;

    windows[0] = (struct sim_window){
        .start_us = rx1_us,
        .frequency_hz = rx1_frequency(dev),
        .dr = sim_plan_rx1_dr(dev->region, dev->up_dr, join ? 0 : dev->rx.dr_offset,
                              sim_is(dev, SIM_DOWN_DWELL), dev->version == LW_1_0_4)};
    windows[1] = (struct sim_window){.start_us = rx1_us + 1000000,
                                     .frequency_hz = join ? sim_join_rx2_hz(dev) : dev->rx.rx2_hz,
                                     .dr = join ? plan->rx2_dr : dev->rx.rx2_dr};
    for (int i = 0; i < 2; i++) {
        windows[i].rate = plan->down[windows[i].dr];
        windows[i].octets = plan->down_octets[windows[i].dr];
    }
}
