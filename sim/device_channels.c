#include "sim/crypto.h"
#include "sim/device_priv.h"

#include <assert.h>
#include <string.h>

#define FIXED_CHANNELS 72
#define NARROW         64 /* fixed plans: the 125 kHz channels come first */

static const struct sim_plan *plan_of(const struct sim_device *dev)
{
    return sim_plan(dev->region);
}

bool sim_mask_get(const uint8_t mask[9], unsigned channel)
{
    return mask[channel / 8] >> channel % 8 & 1;
}

void sim_mask_set(uint8_t mask[9], unsigned channel, bool on)
{
    uint8_t bit = (uint8_t)(1u << channel % 8);

    mask[channel / 8] = (uint8_t)(on ? mask[channel / 8] | bit : mask[channel / 8] & ~bit);
}

unsigned sim_channel_count(const struct sim_device *dev)
{
    return plan_of(dev)->fixed ? FIXED_CHANNELS : SIM_CHANNELS;
}

/* Sub-band n of a fixed plan: the n-th eight narrow channels and the n-th wide one. */
static void sub_band_on(struct sim_device *dev)
{
    memset(dev->mask, dev->sub_band > 8 ? 0xff : 0, sizeof(dev->mask));
    if (dev->sub_band > 8)
        return;
    dev->mask[dev->sub_band - 1] = 0xff;
    sim_mask_set(dev->mask, NARROW + dev->sub_band - 1u, true);
}

void sim_channels_default(struct sim_device *dev)
{
    const struct sim_plan *plan = plan_of(dev);

    if (plan->fixed) {
        sub_band_on(dev);
        return;
    }
    for (unsigned i = 0; i < plan->default_channels; i++) {
        dev->channels[i].frequency = plan->default_hz[i] / 100 & 0xffffff;
        dev->channels[i].min_dr = 0;
        dev->channels[i].max_dr = 5;
        sim_mask_set(dev->mask, i, true);
    }
}

bool sim_channel_allows(const struct sim_device *dev, unsigned channel, uint8_t dr)
{
    if (plan_of(dev)->fixed)
        return channel < NARROW ? dr <= 3 : channel < FIXED_CHANNELS && dr == 4;

    return channel < SIM_CHANNELS && dev->channels[channel].frequency &&
           dr >= dev->channels[channel].min_dr && dr <= dev->channels[channel].max_dr;
}

bool sim_frequency_allowed(const struct sim_device *dev, uint32_t hz)
{
    return hz >= plan_of(dev)->min_hz && hz <= plan_of(dev)->max_hz;
}

/* AS923 with uplink dwell time: DR0 and DR1 carry nothing (RP001 2.10.6). */
uint8_t sim_min_dr(const struct sim_device *dev)
{
    return plan_of(dev)->tx_param_setup && sim_is(dev, SIM_UP_DWELL) ? 2 : 0;
}

void sim_set_dr(struct sim_device *dev, uint8_t dr)
{
    uint8_t least = sim_min_dr(dev), most = plan_of(dev)->max_dr;

    dev->dr = dr < least ? least : dr > most ? most : dr;
}

uint32_t sim_device_channel_hz(const struct sim_device *dev, unsigned channel)
{
    if (channel >= sim_channel_count(dev))
        return 0;
    if (plan_of(dev)->fixed)
        return sim_plan_fixed_hz(channel);
    return dev->channels[channel].frequency * 100u;
}

bool sim_device_channel_on(const struct sim_device *dev, unsigned channel)
{
    return channel < sim_channel_count(dev) && sim_mask_get(dev->mask, channel);
}

/* ---- choice ---------------------------------------------------------------------------------- */

static unsigned candidates(const struct sim_device *dev, uint8_t dr, uint8_t list[FIXED_CHANNELS])
{
    unsigned n = 0;

    for (unsigned i = 0; i < sim_channel_count(dev); i++) {
        if (sim_mask_get(dev->mask, i) && sim_channel_allows(dev, i, dr))
            list[n++] = (uint8_t)i;
    }
    return n;
}

static uint8_t choose(struct sim_device *dev, const uint8_t *list, unsigned n)
{
    uint64_t at;

    assert(n > 0);
    at = sim_random(&dev->random) % n;
    if (n > 1 && list[at] == dev->up_channel)
        at = (at + 1) % n;
    return list[at];
}

static void set_channel(struct sim_device *dev, struct sim_tx *tx, uint8_t channel)
{
    tx->channel = channel;
    tx->frequency_hz = sim_device_channel_hz(dev, channel);
    tx->rate = plan_of(dev)->up[tx->dr];
}

void sim_choose_channel(struct sim_device *dev, struct sim_tx *tx)
{
    uint8_t list[FIXED_CHANNELS], wanted = tx->dr;
    unsigned n = candidates(dev, tx->dr, list);

    while (!n && tx->dr > sim_min_dr(dev))
        n = candidates(dev, --tx->dr, list);
    if (!n)
        tx->dr = wanted;
    while (!n && tx->dr < plan_of(dev)->max_dr)
        n = candidates(dev, ++tx->dr, list);
    if (!n) { /* no channel at all is enabled: as after ADR's last step back */
        sim_channels_default(dev);
        tx->dr = sim_min_dr(dev);
        n = candidates(dev, tx->dr, list);
    }
    set_channel(dev, tx, choose(dev, list, n));
}

/* Dynamic plans: a default channel, the data rate falls with every second attempt. Fixed plans: a
 * narrow channel at DR0 and the wide one at DR4 in turn (RP002 2.5.2). */
void sim_choose_join_channel(struct sim_device *dev, struct sim_tx *tx)
{
    const struct sim_plan *plan = plan_of(dev);
    uint8_t list[FIXED_CHANNELS];
    unsigned n = 0, down = dev->joins / 2u;

    if (plan->fixed) {
        tx->dr = dev->joins % 2 ? 4 : 0;
        n = candidates(dev, tx->dr, list);
        if (!n) { /* the old session's network had switched all of them off */
            sim_channels_default(dev);
            n = candidates(dev, tx->dr, list);
        }
    } else {
        tx->dr = (uint8_t)(plan->join_max_dr - down % (plan->join_max_dr - plan->join_min_dr + 1u));
        for (; n < plan->default_channels; n++)
            list[n] = (uint8_t)n;
    }
    set_channel(dev, tx, choose(dev, list, n));
}

/* ---- orders from the network ----------------------------------------------------------------- */

/* TS001 6.2.5, RP002 3.3: five frequencies behind the default channels, or channel masks. */
void sim_apply_cflist(struct sim_device *dev, const uint8_t list[16])
{
    const struct sim_plan *plan = plan_of(dev);
    struct rd rd = rd_of(list, 15);

    if (plan->fixed && list[15] == 1 && dev->version >= LW_1_0_3) {
        memcpy(dev->mask, list, sizeof(dev->mask));
        return;
    }
    if (plan->fixed || list[15] != 0)
        return;
    for (unsigned i = 0; i < 5; i++) {
        uint32_t frequency = rd_u24le(&rd);
        unsigned channel = plan->default_channels + i;

        if (!sim_frequency_allowed(dev, frequency * 100))
            continue;
        dev->channels[channel].frequency = frequency & 0xffffff;
        dev->channels[channel].min_dr = 0;
        dev->channels[channel].max_dr = 5;
        sim_mask_set(dev->mask, channel, true);
    }
}

static bool dynamic_mask(const struct sim_device *dev, uint8_t mask[9], unsigned cntl,
                         uint16_t bits)
{
    if (cntl != 0 && cntl != 6)
        return false;
    for (unsigned i = 0; i < SIM_CHANNELS; i++) {
        bool defined = dev->channels[i].frequency, on = cntl == 6 ? defined : bits >> i & 1;

        if (on && !defined)
            return false;
        sim_mask_set(mask, i, on);
    }
    return true;
}

/* RP002 2.5.5: 0..4 sixteen channels each, 5 blocks of eight with their wide channel, 6 and 7 all
 * narrow channels on or off with a mask of the wide ones. */
static bool fixed_mask(const struct sim_device *dev, uint8_t mask[9], unsigned cntl, uint16_t bits)
{
    uint8_t low = (uint8_t)bits;

    if (cntl < 4) {
        mask[(size_t)2 * cntl] = low;
        mask[(size_t)2 * cntl + 1] = (uint8_t)(bits >> 8);
    } else if (cntl == 4) {
        mask[8] = low;
    } else if (cntl == 5 && dev->version >= LW_1_0_3) {
        for (unsigned i = 0; i < 8; i++)
            mask[i] = low >> i & 1 ? 0xff : 0;
        mask[8] = low;
    } else if (cntl == 6 || cntl == 7) {
        memset(mask, cntl == 6 ? 0xff : 0, 8);
        mask[8] = low;
    } else {
        return false;
    }
    return true;
}

bool sim_apply_mask(const struct sim_device *dev, uint8_t mask[9], unsigned cntl, uint16_t bits)
{
    return plan_of(dev)->fixed ? fixed_mask(dev, mask, cntl, bits)
                               : dynamic_mask(dev, mask, cntl, bits);
}
