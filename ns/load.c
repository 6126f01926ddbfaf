/*
 * load.c - devices, queues and attempts of the store, before the workers start. What cannot be read
 * is set aside (db/aside.h); it never ends the start, and costs nobody else anything.
 */
#include "db/load_ahead.h"
#include "ns/ns_priv.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void set_aside(struct ns *ns, enum aside_kind kind, const char *what,
                      const struct record_key *key, struct lw_eui dev_eui)
{
    aside_note(store_asides(ns->options.store),
               &(struct aside){.kind = kind, .what = what, .key = *key, .dev_eui = dev_eui});
}

/* The sessions of a device while they are put together. */
struct loaded {
    struct session active, pending;
    bool has_active, has_pending;
};

static bool load_session(struct ns *ns, const struct loaded_device *row, struct bytes sealed,
                         const char *slot, struct session *session)
{
    struct record_key key = record_key_eui(row->dev_eui);

    if (session_open(sealed, store_secret(ns->options.store), row->dev_eui, slot, session) == OK)
        return true;
    set_aside(ns, ASIDE_SESSION, slot, &key, row->dev_eui);
    return false;
}

static void load_sessions(struct ns *ns, const struct loaded_device *row, struct device *device,
                          struct loaded *loaded)
{
    loaded->has_active =
        row->active.n && load_session(ns, row, row->active, "active", &loaded->active);
    if (row->active.n && !loaded->has_active)
        device->flags |= DEVICE_CORRUPT;
    loaded->has_pending =
        row->pending.n && load_session(ns, row, row->pending, "pending", &loaded->pending);
    if (row->pending.n && !loaded->has_pending)
        device->flags |= DEVICE_PENDING_LOST;
}

/* Whether the row's state agrees with itself and can be read; the active session has it then. A
 * device that had events alone has neither rev nor state. */
static bool load_state(const struct loaded_device *row, struct device *device,
                       struct loaded *loaded)
{
    struct session session;

    if (row->unreadable)
        return false;
    if (!row->rev)
        return !row->state.n && !row->active.n && !row->pending.n;
    if (!loaded->has_active)
        return session_state_read(row->state, NULL, &device->status) == OK;
    session = loaded->active;
    if (session_state_read(row->state, &session, &device->status))
        return false;
    loaded->active = session;
    return true;
}

/* Without its counters a session is not as it was at activation: they were used. */
static void keep_spoiled(struct ns_worker *worker, const struct loaded_device *row)
{
    struct spoiled *spoiled = xmalloc(sizeof(*spoiled) + row->state.n);

    spoiled->n = row->state.n;
    if (row->state.n)
        memcpy(spoiled->b, row->state.p, row->state.n);
    (void)map_put(&worker->spoiled, row->dev_eui.v, spoiled);
}

static void load_match(struct ns *ns, const struct device *device, const struct session *session,
                       bool pending)
{
    struct match_entry entry = match_entry_of(device, session, pending);

    match_put(ns_front(ns, session->dev_addr)->match, &entry);
}

/* A session whose keys are known stands in the match table in any case, so that its frames are
 * refused by the right name. */
static void load_live(struct ns *ns, const struct loaded_device *row, struct device *device)
{
    struct record_key key = record_key_eui(row->dev_eui);
    struct loaded loaded;

    load_sessions(ns, row, device, &loaded);
    if (device->flags & DEVICE_CORRUPT) {
        keep_spoiled(ns_home(ns, row->dev_eui), row);
    } else if (!load_state(row, device, &loaded)) {
        device->flags |= DEVICE_CORRUPT;
        device->status = (struct device_status){0};
        keep_spoiled(ns_home(ns, row->dev_eui), row);
        set_aside(ns, ASIDE_STATE, NULL, &key, row->dev_eui);
    }
    if (loaded.has_active) {
        load_match(ns, device, &loaded.active, false);
        session_keep(&device->active, &loaded.active);
    }
    if (loaded.has_pending) {
        load_match(ns, device, &loaded.pending, true);
        session_keep(&device->pending, &loaded.pending);
    }
    OPENSSL_cleanse(&loaded, sizeof(loaded));
}

/* Tables that grow while they are filled are filled twice. */
static void load_begin(void *arg, size_t devices)
{
    struct ns *ns = arg;

    for (unsigned i = 0; i < ns->options.workers; i++) {
        devices_reserve(&ns->workers[i].devices, devices / ns->options.workers);
        match_reserve(ns->workers[i].match, devices / ns->options.workers);
    }
}

static void load_device(void *arg, const struct loaded_device *row)
{
    struct ns *ns = arg;
    struct ns_worker *worker = ns_home(ns, row->dev_eui);
    struct device *device = devices_add(&worker->devices, row->dev_eui);
    struct record_key application = record_key_uuid(&row->application_id);
    struct record_key profile = record_key_uuid(&row->device_profile_id);

    device->join_eui = row->join_eui;
    device->application = directory_reserve(&worker->directory, REC_APPLICATION, &application);
    device->profile = directory_reserve(&worker->directory, REC_DEVICE_PROFILE, &profile);
    device->flags |= (uint8_t)((row->is_disabled ? DEVICE_DISABLED : 0) |
                               (row->skip_fcnt_check ? DEVICE_SKIP_FCNT : 0) |
                               (row->has_join_eui ? DEVICE_HAS_JOIN_EUI : 0));
    device->rev = row->rev;
    load_live(ns, row, device);
}

static void load_queue_item(void *arg, const struct op_queue *op)
{
    struct ns_worker *worker = ns_home(arg, op->dev_eui);
    struct device *device = ns_device(worker, op->dev_eui);
    struct queue_item *item;

    if (!device)
        return;
    /* No id would mean all items when it ends. */
    if (uuid_is_zero(&op->id) || queue_item_read(&op->id, op->order, op->item, &item)) {
        struct record_key key = record_key_uuid(&op->id);

        set_aside(arg, ASIDE_QUEUE_ITEM, NULL, &key, op->dev_eui);
        return;
    }
    if (op->order >= worker->order)
        worker->order = op->order + 1;
    queue_item_restarted(item);
    queue_insert(&device->queue, item);
    if (item->expires_us)
        ns_sweep_arm(worker, device);
}

static void load_attempt(void *arg, const struct op_attempt *op)
{
    ns_load_attempt(arg, op);
}

enum err ns_load_records(struct ns *ns, const struct directory *records)
{
    struct directory *first = &ns->workers[0].directory;

    if (records)
        directory_share(first, records);
    else if (directory_load(first, ns->options.store))
        return ERR_STORE;
    for (unsigned i = 1; i < ns->options.workers; i++)
        directory_share(&ns->workers[i].directory, first);
    return OK;
}

enum err ns_load(struct ns *ns)
{
    const struct store_loader loader = {.arg = ns,
                                        .begin = load_begin,
                                        .device = load_device,
                                        .queue_item = load_queue_item,
                                        .attempt = load_attempt};

    return store_load_ahead(ns->options.store, &loader);
}
