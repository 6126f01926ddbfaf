/*
 * window.h - which receive window of the relay still makes RXR, and what fits through both hops
 * (TS011 4, 6; relay reference 1.2, 1.4, 1.5, 5.8). Pure.
 *
 * The device hears RXR 18 s after the end of its uplink, T. A network server sees only F, the end
 * of the relay's uplink that carried it: T is F less that uplink's airtime, less the 50 ms that a
 * relay waits, less what it was held back by (CSMA, duty cycle), which nobody tells. Times in
 * microseconds on one clock of the caller's.
 */
#pragma once

#include "region/region.h"
#include "relay/wor.h"

#define RELAY_FORWARD_DELAY_US INT64_C(50000)    /* end of the device's uplink to the relay's */
#define RELAY_RXR_DELAY_US     INT64_C(18000000) /* end of the device's uplink to RXR */
#define RELAY_NESTED_DATA      13 /* MHDR, FHDR, FPort and MIC of a nested data frame */
#define RELAY_MARGIN_US        INT64_C(500000) /* for a relay that does not listen before it talks */
#define RELAY_MARGIN_CSMA_US   INT64_C(2000000)
/* A device of the relay role should not have more (reference 1.4, rule 1). */
#define RELAY_RX1_DELAY_MAX_S 10

/* ---- time ------------------------------------------------------------------------------------ */

/* T, at the latest: also the time of the nested frame's reception (DeviceTimeAns). */
int64_t relay_nested_end_us(int64_t relay_uplink_end_us, uint32_t relay_uplink_airtime_us);

struct relay_timing {
    uint32_t uplink_airtime_us; /* of the relay's uplink */
    uint32_t held_us;           /* what the relay is known to hold uplinks back; 0 */
    uint8_t rx1_delay_s;        /* of the RELAY's session, for nested joins too; 0 means 1 */
};

enum relay_window { RELAY_RX1, RELAY_RX2, RELAY_WINDOWS };

/* From the end of the downlink in that window of the relay's to RXR; negative: too late. */
int64_t relay_slack_us(const struct relay_timing *timing, enum relay_window window,
                       uint32_t downlink_airtime_us);

/* ---- size ------------------------------------------------------------------------------------ */
/* N is region_max_payload of a data rate; `fopts` the octets of the outer FOpts. */

/* PHYPayload that a ForwardDownlinkReq can carry: 33 with CFList or 17 for a join-accept. */
unsigned relay_down_phy_max(unsigned n_window, unsigned fopts);
/* FOpts and FRMPayload together of a nested data downlink; `n_rxr` is N of the data rate of RXR. */
unsigned relay_down_max(unsigned n_window, unsigned n_rxr, unsigned fopts);
/* The same of the device's uplink; `n_device`, `n_relay` are N of both uplinks. */
unsigned relay_up_max(unsigned n_device, unsigned n_relay, unsigned fopts);
/* Whether a relay with uplinks of that N can forward a Join-Request at all. */
bool relay_up_carries_join(unsigned n_relay, unsigned fopts);

/* ---- the choice ------------------------------------------------------------------------------ */

/* One window of the relay as for any downlink to it; a NULL rate: there is none. */
struct relay_opening {
    const struct data_rate *rate;
    unsigned max_payload; /* N */
};

struct relay_load {
    size_t nested; /* octets of the PHYPayload for the device */
    size_t fopts;  /* of the frame to the relay */
};

/* The windows in which a ForwardDownlinkReq fits and, by `margin_us`, still makes RXR: bit 0 RX1,
 * bit 1 RX2. 0: do not send it, the relay would be too late. */
unsigned relay_windows(const struct relay_timing *timing, int64_t margin_us,
                       const struct relay_opening openings[RELAY_WINDOWS],
                       const struct relay_load *load);

/* Where RXR is: on the frequency of the WOR that woke the relay, at the data rate of RX1 with
 * offset 0 for the device's uplink. False if the region has no such data rate. Only its size
 * matters to a network server (reference 1.5). */
bool relay_rxr(const struct region *region, const struct region_rx1 *uplink, uint32_t wor_hz,
               struct relay_channel *rxr);
