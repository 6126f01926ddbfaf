/*
 * count.h - the metrics of the gateway rooms. Counted at their worker, registered by
 * udp_metrics_register. Drops are told to the owner instead, who has one family for all rooms.
 */
#pragma once

#include "core/metric.h"

enum count_datagram { COUNT_PUSH_DATA, COUNT_PULL_DATA, COUNT_TX_ACK, COUNT_DATAGRAMS };

extern struct metric count_datagrams;  /* by enum count_datagram */
extern struct metric count_receptions; /* rxpk, or antennas of one */
extern struct metric count_conflicts;
extern struct metric count_restarts;
extern struct metric count_downlinks; /* final, by enum tx_result */
extern struct metric count_tx_ack;    /* PULL_RESP to TX_ACK */
extern struct metric count_overload;  /* enum overload_level */
extern struct metric count_overflows; /* datagrams lost in the kernel */
