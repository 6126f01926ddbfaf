/* window.c - the arithmetic of 18 seconds and two hops. */
#include "relay/window.h"

#include "lorawan/airtime.h"
#include "relay/forward.h"

#define SECOND_US    INT64_C(1000000)
#define OUTER        13 /* MHDR, FHDR, FPort and MIC of the frame to the relay */
#define JOIN_REQUEST 23

int64_t relay_nested_end_us(int64_t relay_uplink_end_us, uint32_t relay_uplink_airtime_us)
{
    return relay_uplink_end_us - relay_uplink_airtime_us - RELAY_FORWARD_DELAY_US;
}

int64_t relay_slack_us(const struct relay_timing *timing, enum relay_window window,
                       uint32_t downlink_airtime_us)
{
    int64_t delay_s = timing->rx1_delay_s ? timing->rx1_delay_s : 1;

    if (window == RELAY_RX2)
        delay_s++;
    return RELAY_RXR_DELAY_US - RELAY_FORWARD_DELAY_US - timing->held_us -
           timing->uplink_airtime_us - delay_s * SECOND_US - downlink_airtime_us;
}

static unsigned less(unsigned from, unsigned by)
{
    return from > by ? from - by : 0;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned relay_down_phy_max(unsigned n_window, unsigned fopts)
{
    return less(n_window, fopts);
}

unsigned relay_down_max(unsigned n_window, unsigned n_rxr, unsigned fopts)
{
    return least(less(n_window, fopts + RELAY_NESTED_DATA), n_rxr);
}

unsigned relay_up_max(unsigned n_device, unsigned n_relay, unsigned fopts)
{
    return least(n_device, less(n_relay, fopts + RELAY_METADATA_LEN + RELAY_NESTED_DATA));
}

bool relay_up_carries_join(unsigned n_relay, unsigned fopts)
{
    return n_relay >= fopts + RELAY_METADATA_LEN + JOIN_REQUEST;
}

unsigned relay_windows(const struct relay_timing *timing, int64_t margin_us,
                       const struct relay_opening openings[RELAY_WINDOWS],
                       const struct relay_load *load)
{
    unsigned usable = 0;

    for (unsigned w = 0; w < RELAY_WINDOWS; w++) {
        size_t payload = load->nested + load->fopts;
        uint32_t airtime;

        if (!openings[w].rate || payload > openings[w].max_payload)
            continue;
        airtime = lw_airtime_frame_us(openings[w].rate, payload + OUTER, LW_DOWN);
        if (relay_slack_us(timing, w, airtime) >= margin_us)
            usable |= 1u << w;
    }
    return usable;
}

bool relay_rxr(const struct region *region, const struct region_rx1 *uplink, uint32_t wor_hz,
               struct relay_channel *rxr)
{
    struct region_rx1 without_offset = *uplink;
    int dr;

    without_offset.offset = 0;
    dr = region_rx1_dr(region, &without_offset);
    if (dr < 0)
        return false;
    *rxr = (struct relay_channel){.frequency_hz = wor_hz, .dr = (uint8_t)dr};
    return true;
}
