/*
 * events.c - lists of events and frames, newest first.
 *
 * A device's events are a chain through the outbox (mechanics 11), read link by link. An
 * application's are found by looking backwards at a bounded number of rows for each page; a page
 * may then be short, or empty, and still have a nextCursor.
 */
#include "api/events.h"

#include "api/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCAN_MAX 20000

/* ---- names ----------------------------------------------------------------------------------- */

static const void *find(struct api *api, enum record_type type, const struct uuid *id)
{
    struct record_key key = record_key_uuid(id);

    return directory_find(&api->directory, type, &key);
}

struct uuid api_application_tenant(struct api *api, const struct uuid *application)
{
    const struct application *found;
    struct uuid tenant = {{0}};

    api_lock(api);
    found = find(api, REC_APPLICATION, application);
    if (found)
        tenant = found->tenant_id;
    api_unlock(api);
    return tenant;
}

static bool locate(void *arg, struct lw_eui gateway, struct gateway_location *location)
{
    struct api *api = arg;
    struct record_key key = record_key_eui(gateway);
    const struct gateway_config *config;
    bool known;

    api_lock(api);
    config = directory_find(&api->directory, REC_GATEWAY, &key);
    known = config && (config->location.latitude != 0 || config->location.longitude != 0);
    if (known)
        *location = config->location;
    api_unlock(api);
    return known;
}

static void put_tag(struct tags *tags, struct arena *arena, const struct tag *tag)
{
    struct tag copy = {arena_strdup(arena, tag->key), arena_strdup(arena, tag->value)};

    for (size_t i = 0; i < tags->n; i++) {
        if (strcmp(tags->p[i].key, copy.key) == 0) {
            tags->p[i] = copy;
            return;
        }
    }
    tags->p[tags->n++] = copy;
}

/* Tags of the profile, then the device's over them. */
static void take_tags(struct event_context *context, struct arena *arena,
                      const struct device_profile *profile, const struct device_record *device)
{
    size_t room = (profile ? profile->tags.n : 0) + (device ? device->tags.n : 0);

    context->tags.p = arena_array(arena, struct tag, room + 1);
    for (size_t i = 0; profile && i < profile->tags.n; i++)
        put_tag(&context->tags, arena, &profile->tags.p[i]);
    for (size_t i = 0; device && i < device->tags.n; i++)
        put_tag(&context->tags, arena, &device->tags.p[i]);
}

static void take_names(struct api *api, struct arena *arena, const struct device_record *device,
                       struct event_context *context)
{
    const struct application *application;
    const struct tenant *tenant = NULL;
    const struct device_profile *profile = NULL;

    api_lock(api);
    application = find(api, REC_APPLICATION, &context->application_id);
    if (application) {
        context->application_name = arena_strdup(arena, application->name);
        context->tenant_id = application->tenant_id;
        tenant = find(api, REC_TENANT, &application->tenant_id);
    }
    context->tenant_name = tenant ? arena_strdup(arena, tenant->name) : NULL;
    if (device)
        profile = find(api, REC_DEVICE_PROFILE, &device->device_profile_id);
    if (profile) {
        context->device_profile_id = profile->id;
        context->device_profile_name = arena_strdup(arena, profile->name);
        context->region = profile->region;
    }
    take_tags(context, arena, profile, device);
    api_unlock(api);
}

enum err event_prepare(struct api *api, struct store_reader *reader,
                       const struct stored_event *stored, struct arena *arena,
                       struct event_facts *facts, struct event_context *context)
{
    struct record_key key = record_key_eui(stored->dev_eui);
    void *record = NULL;
    const struct device_record *device;
    enum err err = stored->type < EVENT_TYPE_COUNT ? OK : ERR_CORRUPT;

    if (!err)
        err = event_facts_read((enum event_type)stored->type, stored->facts, arena, facts);
    if (err)
        return err;
    (void)!store_record_get(reader, REC_DEVICE, &key, arena, &record);
    device = record;
    *context = (struct event_context){.dev_eui = stored->dev_eui,
                                      .utc_us = stored->utc_us,
                                      .application_id = facts->application_id,
                                      .device_name = device ? device->name : NULL,
                                      .locate = locate,
                                      .arg = api};
    take_names(api, arena, device, context);
    return OK;
}

/* ---- lists ----------------------------------------------------------------------------------- */

struct listing {
    struct call *call;
    size_t limit, printed;
    int type; /* -1: all */
    struct uuid application;
    uint64_t next; /* for the cursor: 0 at the end */
};

static int read_listing(struct call *call, struct listing *listing, uint64_t *before)
{
    const char *type = http_query(call->request, "type");
    int status = call_query_limit(call, &listing->limit);

    listing->call = call;
    listing->type = -1;
    *before = UINT64_MAX;
    if (!status)
        status = call_query_position(call, "cursor", before);
    for (int i = 0; !status && type && i < EVENT_TYPE_COUNT; i++) {
        if (strcmp(type, event_type_text((enum event_type)i)) == 0)
            listing->type = i;
    }
    if (!status && type && listing->type < 0)
        status = call_fail(call, 400, "type must be up, join, ack, txack, status or log");
    return status;
}

static void print_event(struct listing *listing, const struct stored_event *stored)
{
    struct call *call = listing->call;
    struct jw *jw = &call->out;
    struct event_facts facts;
    struct event_context context;
    struct arena arena;
    char id[17];

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (!event_prepare(call->api, call->reader, stored, &arena, &facts, &context)) {
        (void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)stored->pos);
        jw_object(jw);
        jw_key_str(jw, "id", id);
        jw_key_str(jw, "type", event_type_text((enum event_type)stored->type));
        jw_key(jw, "time");
        jw_time(jw, stored->utc_us);
        jw_key(jw, "data");
        event_print(jw, (enum event_type)stored->type, &facts, &context);
        jw_end_object(jw);
        listing->printed++;
    }
    arena_reset(&arena);
}

static void begin_list(struct jw *jw)
{
    jw_object(jw);
    jw_key(jw, "items");
    jw_array(jw);
}

static void end_list(struct jw *jw, uint64_t next)
{
    char cursor[17];

    (void)snprintf(cursor, sizeof(cursor), "%016llx", (unsigned long long)next);
    jw_end_array(jw);
    jw_key_str(jw, "nextCursor", next ? cursor : NULL);
    jw_end_object(jw);
}

/* The cursor is the position from which to go on, inclusive. */
int events_of_device(struct call *call)
{
    struct device_view view;
    struct listing listing = {0};
    struct stored_event event = {0};
    uint64_t pos, cursor;
    enum err err;
    int status = call_device(call, &view);

    if (!status)
        status = read_listing(call, &listing, &cursor);
    if (status)
        return status;
    err = store_event_last(call->reader, view.device->dev_eui, &pos);
    pos = cursor < pos ? cursor : pos;
    begin_list(&call->out);
    while (!err && pos && listing.printed < listing.limit) {
        err = store_event_at(call->reader, pos, &call->arena, &event);
        if (err || event.dev_eui.v != view.device->dev_eui.v)
            break;
        if (listing.type < 0 || listing.type == event.type)
            print_event(&listing, &event);
        pos = event.prev;
    }
    end_list(&call->out, err ? 0 : pos);
    return err == ERR_NOT_FOUND ? 200 : call_err(call, err);
}

static bool take_event(void *arg, const struct stored_event *event)
{
    struct listing *listing = arg;
    struct event_facts facts;
    struct arena arena;

    listing->next = event->pos;
    if (event->type >= EVENT_TYPE_COUNT || (listing->type >= 0 && listing->type != event->type))
        return true;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (!event_facts_read((enum event_type)event->type, event->facts, &arena, &facts) &&
        uuid_equal(&facts.application_id, &listing->application))
        print_event(listing, event);
    arena_reset(&arena);
    return listing->printed < listing->limit;
}

int events_of_application(struct call *call)
{
    struct record_key key = record_key_uuid(&call->params[0].uuid);
    struct listing listing = {.application = call->params[0].uuid};
    uint64_t before, last = 0;
    void *application;
    enum err err;
    int status = call_object(call, REC_APPLICATION, &key, &application);

    if (!status)
        status = read_listing(call, &listing, &before);
    if (status)
        return status;
    begin_list(&call->out);
    err = store_events_back(call->reader, before, SCAN_MAX, take_event, &listing, &last);
    end_list(&call->out, listing.next > 1 ? listing.next : 0);
    return call_err(call, err);
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct frame_list {
    struct call *call;
    size_t limit, n;
    uint64_t last; /* the last that was printed */
    bool more;
};

static bool take_frame(void *arg, const struct frame_row *row)
{
    struct frame_list *list = arg;

    list->more = list->n == list->limit;
    if (list->more)
        return false;
    frame_print(row, &list->call->out);
    list->last = row->seq;
    list->n++;
    return true;
}

/* What was heard before the object was made is not its owner's: the EUI may have been another's. */
static int list_frames(struct call *call, struct lw_eui eui, bool gateway, int64_t since_us)
{
    struct frames_query query = {
        .eui = eui, .gateway = gateway, .before = UINT64_MAX, .since_us = since_us};
    struct frame_list list = {.call = call};
    int status = call_query_limit(call, &list.limit);

    if (!status)
        status = call_query_position(call, "cursor", &query.before);
    if (status)
        return status;
    begin_list(&call->out);
    frames_visit(&call->api->frames, &query, take_frame, &list);
    end_list(&call->out, list.more ? list.last : 0);
    return 200;
}

int frames_of_device(struct call *call)
{
    struct device_view view;
    int status = call_device(call, &view);

    return status ? status
                  : list_frames(call, view.device->dev_eui, false, view.device->head.created_us);
}

int frames_of_gateway(struct call *call)
{
    struct record_key key = record_key_eui(call_eui(call, "gatewayId"));
    void *gateway;
    int status = call_object(call, REC_GATEWAY, &key, &gateway);

    return status ? status
                  : list_frames(call, call_eui(call, "gatewayId"), true,
                                ((const struct record_head *)gateway)->created_us);
}
