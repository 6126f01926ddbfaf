#include "sim/crypto.h"
#include "sim/device_priv.h"

#include <assert.h>
#include <string.h>

static const struct sim_plan *plan_of(const struct sim_device *dev)
{
    return sim_plan(dev->region);
}

bool sim_mask_get(const uint8_t mask[SIM_MASK], unsigned channel)
{
    return mask[channel / 8] >> channel % 8 & 1;
}

void sim_mask_set(uint8_t mask[SIM_MASK], unsigned channel, bool on)
{
    uint8_t bit = (uint8_t)(1u << channel % 8);

    mask[channel / 8] = (uint8_t)(on ? mask[channel / 8] | bit : mask[channel / 8] & ~bit);
}

unsigned sim_channel_count(const struct sim_device *dev)
{
    return plan_of(dev)->fixed ? sim_plan_fixed_count(plan_of(dev)) : SIM_CHANNELS;
}

static bool is_wide(const struct sim_plan *plan, unsigned channel)
{
    return plan->wide_dr && channel >= plan->up_rows[0].count;
}

/* Sub-band n of a fixed plan: the n-th eight narrow channels and the n-th wide one. A device of
 * CN470 starts with all channels. */
static void sub_band_on(struct sim_device *dev)
{
    const struct sim_plan *plan = plan_of(dev);
    bool all = dev->sub_band > 8 || !plan->wide_dr;

    memset(dev->mask, 0, sizeof(dev->mask));
    for (unsigned i = 0; i < sim_channel_count(dev); i++) {
        unsigned band = is_wide(plan, i) ? i - plan->up_rows[0].count : i / 8;

        sim_mask_set(dev->mask, i, all || band + 1 == dev->sub_band);
    }
}

void sim_channels_default(struct sim_device *dev)
{
    const struct sim_plan *plan = plan_of(dev);

    if (plan->fixed) {
        sub_band_on(dev);
        return;
    }
    for (unsigned i = 0; i < plan->default_channels; i++) {
        dev->channels[i].frequency = plan->default_hz[i] / plan->unit_hz & 0xffffff;
        dev->channels[i].min_dr = 0;
        dev->channels[i].max_dr = plan->channel_max_dr & 15u;
        sim_mask_set(dev->mask, i, true);
    }
}

bool sim_channel_allows(const struct sim_device *dev, unsigned channel, uint8_t dr)
{
    const struct sim_plan *plan = plan_of(dev);

    if (plan->fixed && is_wide(plan, channel))
        return dr == plan->wide_dr;
    if (plan->fixed)
        return dr >= plan->min_dr && dr <= plan->channel_max_dr;
    return channel < SIM_CHANNELS && dev->channels[channel].frequency &&
           dr >= dev->channels[channel].min_dr && dr <= dev->channels[channel].max_dr;
}

bool sim_frequency_allowed(const struct sim_device *dev, uint32_t hz)
{
    return hz >= plan_of(dev)->min_hz && hz <= plan_of(dev)->max_hz;
}

uint32_t sim_hz(const struct sim_device *dev, uint32_t frequency)
{
    return frequency * plan_of(dev)->unit_hz;
}

/* AS923 and AU915 with uplink dwell time: DR0 and DR1 carry nothing (RP001 2.10.6). */
uint8_t sim_min_dr(const struct sim_device *dev)
{
    return plan_of(dev)->dwell && sim_is(dev, SIM_UP_DWELL) ? 2 : plan_of(dev)->min_dr;
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
        return sim_plan_fixed_hz(plan_of(dev), channel);
    return sim_hz(dev, dev->channels[channel].frequency);
}

bool sim_device_channel_on(const struct sim_device *dev, unsigned channel)
{
    return channel < sim_channel_count(dev) && sim_mask_get(dev->mask, channel);
}

/* ---- choice ---------------------------------------------------------------------------------- */

static unsigned candidates(const struct sim_device *dev, uint8_t dr,
                           uint8_t list[SIM_FIXED_CHANNELS])
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
    uint8_t list[SIM_FIXED_CHANNELS], wanted = tx->dr;
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

/* The fastest rate first, a slower one with every second attempt. */
static uint8_t join_dr(const struct sim_device *dev)
{
    const struct sim_plan *plan = plan_of(dev);
    unsigned down = dev->joins / 2u;

    return (uint8_t)(plan->join_max_dr - down % (plan->join_max_dr - plan->join_min_dr + 1u));
}

/* US915 and AU915: a narrow channel and a wide one in turn (RP002 2.5.2). */
static unsigned join_in_sub_band(struct sim_device *dev, struct sim_tx *tx, uint8_t *list)
{
    const struct sim_plan *plan = plan_of(dev);
    unsigned n;

    tx->dr = dev->joins % 2 ? plan->join_max_dr : plan->join_min_dr;
    n = candidates(dev, tx->dr, list);
    if (!n) { /* the old session's network had switched all of them off */
        sim_channels_default(dev);
        n = candidates(dev, tx->dr, list);
    }
    return n;
}

/* CN470 of RP002 has join channels, enabled or not; the older plan and the dynamic ones join on any
 * channel, resp. any default one. */
void sim_choose_join_channel(struct sim_device *dev, struct sim_tx *tx)
{
    const struct sim_plan *plan = plan_of(dev);
    unsigned count = plan->fixed ? sim_channel_count(dev) : plan->default_channels, n = 0;
    uint8_t list[SIM_FIXED_CHANNELS];

    tx->dr = join_dr(dev);
    if (plan->wide_dr)
        n = join_in_sub_band(dev, tx, list);
    for (unsigned i = 0; !plan->wide_dr && i < count; i++) {
        if (!plan->joins.count || sim_plan_join(plan, i) >= 0)
            list[n++] = (uint8_t)i;
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

        if (!sim_frequency_allowed(dev, sim_hz(dev, frequency)))
            continue;
        dev->channels[channel].frequency = frequency & 0xffffff;
        dev->channels[channel].min_dr = 0;
        dev->channels[channel].max_dr = plan->channel_max_dr & 15u;
        sim_mask_set(dev->mask, channel, true);
    }
}

static bool dynamic_mask(const struct sim_device *dev, uint8_t mask[SIM_MASK], unsigned cntl,
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

/* Bits from `first` on; false: one of a channel that there is not. */
static bool put_group(const struct sim_device *dev, uint8_t mask[SIM_MASK], unsigned first,
                      uint16_t bits)
{
    for (unsigned i = 0; i < 16; i++) {
        if (first + i < sim_channel_count(dev))
            sim_mask_set(mask, first + i, bits >> i & 1);
        else if (bits >> i & 1)
            return false;
    }
    return true;
}

/* RP002 2.5.5 and its like in the other fixed plans: groups of sixteen channels; blocks of eight
 * with their wide channel; all narrow channels on or off, with a mask of the wide ones. */
static bool fixed_mask(const struct sim_device *dev, uint8_t mask[SIM_MASK], unsigned cntl,
                       uint16_t bits)
{
    const struct sim_plan *plan = plan_of(dev);
    bool blocks = cntl == plan->masks.blocks && dev->version >= LW_1_0_3;

    if (cntl < plan->masks.groups)
        return put_group(dev, mask, 16 * cntl, bits);
    if (!blocks && cntl != plan->masks.on && cntl != plan->masks.off)
        return false;
    for (unsigned i = 0; i < sim_channel_count(dev); i++) {
        bool on = blocks ? bits >> i / 8 & 1 : cntl == plan->masks.on;

        if (!is_wide(plan, i))
            sim_mask_set(mask, i, on);
    }
    return !plan->wide_dr || put_group(dev, mask, plan->up_rows[0].count, bits);
}

bool sim_apply_mask(const struct sim_device *dev, uint8_t mask[SIM_MASK], unsigned cntl,
                    uint16_t bits)
{
    return plan_of(dev)->fixed ? fixed_mask(dev, mask, cntl, bits)
                               : dynamic_mask(dev, mask, cntl, bits);
}
