/*
 * provision.h - tells a Godwit server of the simulated gateways and devices, through its REST API;
 * or prints them, for other servers. Blocking; a request each.
 */
#pragma once

#include "sim/fleet.h"

struct sim_provision {
    const char *url; /* "http://127.0.0.1:8080" */
    const char *key; /* API key */
    const char *why; /* set with an error: static, or in `detail` */
    char detail[512];
};

/* Makes gateways, an application, a device profile and the devices with keys (or activation, with
 * ABP) in the first tenant. What is there already (409) stays; the activation of an ABP device is
 * put anew. ERR_DENIED: the server refused; ERR_IO: it does not answer. */
MUST_CHECK enum err sim_provision(struct sim_provision *how, const struct sim_fleet_config *fleet);

/* CSV with a heading: DevEUI, JoinEUI, keys and DevAddr as the version needs them. */
void sim_provision_csv(const struct sim_fleet_config *fleet, FILE *to);
