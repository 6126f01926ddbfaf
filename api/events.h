/*
 * events.h - rendering stored events with the names of the moment (private to api/).
 */
#pragma once

#include "api/api_priv.h"
#include "integration/event.h"

/* Decodes an event and gathers names from the directory and the device's record. The strings are in
 * `arena`. */
enum err event_prepare(struct api *api, struct store_reader *reader,
                       const struct stored_event *stored, struct arena *arena,
                       struct event_facts *facts, struct event_context *context) MUST_CHECK;
/* The tenant of an application, zero if it is gone. */
struct uuid api_application_tenant(struct api *api, const struct uuid *application);
