/*
 * event.h - the JSON of an event, as integrations, streams and lists give it out (api.md: Events;
 * ecosystem-apis E2). Member names are ChirpStack v4's; zero and false members are sent.
 *
 * Pure: facts and names in, text out.
 */
#pragma once

#include "core/json.h"
#include "db/event.h"

/* The names of the moment. Strings may be NULL ("" is then printed). */
struct event_context {
    struct lw_eui dev_eui;
    int64_t utc_us;
    struct uuid tenant_id, application_id, device_profile_id;
    const char *tenant_name, *application_name, *device_profile_name, *device_name;
    struct tags tags; /* of profile and device, the device's win */
    uint8_t region;   /* enum region_id of the profile */
    /* Where a gateway is, if it is known; may be NULL. */
    bool (*locate)(void *arg, struct lw_eui gateway, struct gateway_location *location);
    void *arg;
};

/* Writes the `data` member: one object on one line. */
void event_print(struct jw *jw, enum event_type type, const struct event_facts *facts,
                 const struct event_context *context);
