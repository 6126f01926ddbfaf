/*
 * What a simulated device knows of its region against what the server knows: two tables that were
 * written apart, so that a slip in one of them shows.
 */
#include "region/region.h"
#include "sim/plan.h"
#include "tests/suite.h"

static const struct sim_plan *both(int i, const struct region **region)
{
    enum sim_region sim = SIM_REGION_COUNT;

    *region = region_get((enum region_id)i);
    ck_assert_msg(sim_plan_find(region_name((enum region_id)i), &sim), "%s",
                  region_name((enum region_id)i));
    return sim_plan(sim);
}

static enum sim_region sim_of(int i)
{
    enum sim_region sim = SIM_REGION_COUNT;

    ck_assert(sim_plan_find(region_name((enum region_id)i), &sim));
    return sim;
}

static bool same(const struct data_rate *a, const struct data_rate *b)
{
    return a->kind == b->kind && a->sf == b->sf && a->bandwidth_hz == b->bandwidth_hz &&
           a->bit_rate == b->bit_rate && a->coding_rate == b->coding_rate;
}

START_TEST(data_rates_and_sizes)
{
    const struct region *r;
    const struct sim_plan *plan = both(_i, &r);

    for (unsigned dr = 0; dr <= plan->max_dr; dr++) {
        const struct data_rate *rate = region_rate(r, LW_UP, dr);

        ck_assert(rate ? same(rate, &plan->up[dr]) : !plan->up[dr].sf);
        for (int dwell = 0; dwell < 2; dwell++) {
            struct region_size size = {RP002_1_0_4, LW_UP, (uint8_t)dr, dwell, false};

            /* AS923 had 51 octets at DR2 once: a device of any revision keeps to them. */
            if (r->dwell_ms == 400 && r->plan == REGION_DYNAMIC && dr == 2 && !dwell)
                ck_assert_uint_eq(plan->up_octets[dwell][dr], 51);
            else
                ck_assert_uint_eq(plan->up_octets[dwell][dr], region_max_payload(r, &size));
        }
    }
    for (unsigned dr = 0; dr < SIM_DOWN_RATES; dr++) {
        struct region_size size = {RP002_1_0_4, LW_DOWN, (uint8_t)dr, false, false};
        const struct data_rate *rate = region_rate(r, LW_DOWN, dr);

        ck_assert_uint_eq(plan->down_octets[dr], region_dr_valid(r, RP002_1_0_4, LW_DOWN, dr)
                                                     ? region_max_payload(r, &size)
                                                     : 0);
        if (plan->down_octets[dr])
            ck_assert(same(rate, &plan->down[dr]));
    }
}
END_TEST

START_TEST(rx1_data_rates)
{
    const struct region *r;
    const struct sim_plan *plan = both(_i, &r);

    for (unsigned n = 0; n < 8u * 8 * 4; n++) {
        struct region_rx1 rx1 = {.uplink_dr = n % 8,
                                 .offset = n / 8 % 8,
                                 .downlink_dwell = n / 64 % 2,
                                 .revision = n / 128 ? RP002_1_0_4 : RP001_1_1B};

        if (rx1.uplink_dr < plan->min_dr || rx1.uplink_dr > plan->max_dr ||
            rx1.offset > plan->max_dr_offset || !region_rate(r, LW_UP, rx1.uplink_dr))
            continue;
        ck_assert_msg(region_rx1_dr(r, &rx1) == sim_plan_rx1_dr(sim_of(_i), rx1.uplink_dr,
                                                                rx1.offset, rx1.downlink_dwell,
                                                                n / 128),
                      "%s: DR%u offset %u", plan->name, rx1.uplink_dr, rx1.offset);
    }
}
END_TEST

START_TEST(channels_and_joins)
{
    const struct region *r;
    const struct sim_plan *plan = both(_i, &r);
    struct region_channels channels;

    region_channels_init(r, &channels);
    ck_assert_int_eq(plan->fixed, r->plan == REGION_FIXED);
    ck_assert_uint_eq(chmask_count(&channels.defined),
                      plan->fixed ? sim_plan_fixed_count(plan) : plan->default_channels);
    for (unsigned i = 0; i < chmask_count(&channels.defined); i++) {
        uint32_t hz = plan->fixed ? sim_plan_fixed_hz(plan, i) : plan->default_hz[i];

        ck_assert_uint_eq(channels.at[i].frequency_hz, hz);
        ck_assert_uint_eq(region_rx1_hz(r, &channels, i),
                          plan->fixed ? sim_plan_fixed_rx1_hz(plan, i) : hz);
        ck_assert_int_eq(sim_plan_join(plan, i) >= 0, region_join_index(r, hz) != REGION_NO_JOIN);
    }
}
END_TEST

START_TEST(single_values)
{
    const struct region *r;
    const struct sim_plan *plan = both(_i, &r);
    enum sim_region sim = sim_of(_i);

    ck_assert_uint_eq(plan->min_hz, r->min_hz);
    ck_assert_uint_eq(plan->max_hz, r->max_hz);
    ck_assert_uint_eq(plan->rx2_hz, r->rx2_hz);
    ck_assert_uint_eq(plan->rx2_dr, r->rx2_dr);
    ck_assert_uint_eq(plan->max_dr_offset, r->max_dr_offset);
    ck_assert_int_eq(plan->tx_param_setup, r->tx_param_setup);
    ck_assert_int_eq(plan->dwell, r->uplink_dwell);
    ck_assert_uint_eq(sim_plan_max_power(sim, LW_1_0_4), region_max_tx_power(r, RP002_1_0_4));
    ck_assert_uint_eq(sim_plan_max_power(sim, LW_1_0_2), region_max_tx_power(r, RP001_1_0_2B));
    ck_assert(r->join_drs >> plan->join_min_dr & 1 && r->join_drs >> plan->join_max_dr & 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sim_plan");
    TCase *tc = tcase_create("sim_plan");
    const TTest *const tests[] = {data_rates_and_sizes, rx1_data_rates, channels_and_joins,
                                  single_values, NULL};

    for (const TTest *const *t = tests; *t; t++)
        tcase_add_loop_test(tc, *t, 0, REGION_COUNT);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
