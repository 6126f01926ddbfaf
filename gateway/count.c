/* count.c - see count.h. */
#include "gateway/count.h"

#include "gateway/udp.h"

static const char *datagram_name(unsigned at)
{
    static const char *const names[COUNT_DATAGRAMS] = {"push_data", "pull_data", "tx_ack"};

    return names[at];
}

static const char *result_name(unsigned at)
{
    return tx_result_text((enum tx_result)at);
}

struct metric count_datagrams = {.name = "godwit_gateway_datagrams_total",
                                 .kind = METRIC_COUNTER,
                                 .help = "Datagrams of known and unknown gateways, by type.",
                                 .label = "type",
                                 .count = COUNT_DATAGRAMS,
                                 .value_name = datagram_name};

struct metric count_receptions = {.name = "godwit_gateway_receptions_total",
                                  .kind = METRIC_COUNTER,
                                  .help = "Receptions that known gateways told of."};

struct metric count_conflicts = {.name = "godwit_gateway_address_conflicts_total",
                                 .kind = METRIC_COUNTER,
                                 .help = "Datagrams of a gateway from a second address."};

struct metric count_restarts = {.name = "godwit_gateway_restarts_total",
                                .kind = METRIC_COUNTER,
                                .help = "Gateways whose counter began anew."};

struct metric count_downlinks = {.name = "godwit_gateway_downlinks_total",
                                 .kind = METRIC_COUNTER,
                                 .help = "Transmit requests, by what became of them.",
                                 .label = "result",
                                 .count = TX_RESULT_COUNT,
                                 .value_name = result_name};

struct metric count_tx_ack = {.name = "godwit_gateway_tx_ack_seconds",
                              .kind = METRIC_HISTOGRAM,
                              .help = "From the hand-over of a downlink to its TX_ACK."};

struct metric count_overload = {
    .name = "godwit_overload_level",
    .kind = METRIC_GAUGE,
    .help = "0: none; 1: stats are dropped; 2: unknown devices too; 3: the noisiest gateways too."};

struct metric count_overflows = {.name = "godwit_gateway_socket_overflow_total",
                                 .kind = METRIC_COUNTER,
                                 .help = "Datagrams for which the socket's buffer had no room."};

void udp_metrics_register(void)
{
    metric_register(&count_overflows);
    metric_register(&count_datagrams);
    metric_register(&count_receptions);
    metric_register(&count_conflicts);
    metric_register(&count_restarts);
    metric_register(&count_downlinks);
    metric_register(&count_tx_ack);
    metric_register(&count_overload);
}
