/* load.c - devices, queues and attempts of the store, before the workers start. */
#include "core/log.h"
#include "ns/ns_priv.h"

#include <stdlib.h>

static struct session *load_session(struct ns *ns, const struct loaded_device *row,
                                    struct bytes sealed, const char *slot, struct device *device)
{
    struct session *session = xcalloc(1, sizeof(*session));
    enum err err =
        session_open(sealed, store_secret(ns->options.store), row->dev_eui, slot, session);

    if (!err)
        return session;
    LOG_ERROR("session_unreadable", log_eui("devEui", row->dev_eui.v), log_str("slot", slot),
              log_err(err));
    device->flags |= DEVICE_CORRUPT;
    free(session);
    return NULL;
}

static void load_match(struct ns *ns, const struct device *device, const struct session *session,
                       bool pending)
{
    struct match_entry entry = match_entry_of(device, session, pending);

    match_put(ns_front(ns, session->dev_addr)->match, &entry);
}

static void load_device(void *arg, const struct loaded_device *row)
{
    struct ns *ns = arg;
    struct ns_worker *worker = ns_home(ns, row->dev_eui);
    struct device *device = xcalloc(1, sizeof(*device));
    struct record_key application = record_key_uuid(&row->application_id);
    struct record_key profile = record_key_uuid(&row->device_profile_id);

    device->dev_eui = row->dev_eui;
    device->join_eui = row->join_eui;
    device->application_id = row->application_id;
    device->application = directory_reserve(&worker->directory, REC_APPLICATION, &application);
    device->profile = directory_reserve(&worker->directory, REC_DEVICE_PROFILE, &profile);
    device->flags = (uint8_t)((row->is_disabled ? DEVICE_DISABLED : 0) |
                              (row->skip_fcnt_check ? DEVICE_SKIP_FCNT : 0) |
                              (row->has_join_eui ? DEVICE_HAS_JOIN_EUI : 0));
    device->rev = row->rev;
    if (row->active.n)
        device->active = load_session(ns, row, row->active, "active", device);
    if (row->pending.n)
        device->pending = load_session(ns, row, row->pending, "pending", device);
    if (row->state.n && session_state_read(row->state, device->active, &device->status))
        device->flags |= DEVICE_CORRUPT;
    (void)map_put(&worker->devices, row->dev_eui.v, device);
    if (device->flags & DEVICE_CORRUPT)
        return;
    if (device->active)
        load_match(ns, device, device->active, false);
    if (device->pending)
        load_match(ns, device, device->pending, true);
}

static void load_queue_item(void *arg, const struct op_queue *op)
{
    struct ns_worker *worker = ns_home(arg, op->dev_eui);
    struct device *device = ns_device(worker, op->dev_eui);
    struct queue_item *item;

    if (!device)
        return;
    if (queue_item_read(&op->id, op->order, op->item, &item)) {
        LOG_ERROR("queue_item_unreadable", log_eui("devEui", op->dev_eui.v));
        return;
    }
    if (op->order >= worker->order)
        worker->order = op->order + 1;
    queue_insert(&device->queue, item);
}

static void load_attempt(void *arg, const struct op_attempt *op)
{
    ns_load_attempt(arg, op);
}

static enum err load_records(struct ns *ns)
{
    struct directory *first = &ns->workers[0].directory;
    enum err err = OK;

    if (ns->options.records)
        directory_share(first, ns->options.records);
    else
        err = directory_load(first, ns->options.store);
    ns->options.records = NULL;
    for (unsigned i = 1; !err && i < ns->options.workers; i++)
        directory_share(&ns->workers[i].directory, first);
    return err;
}

enum err ns_load(struct ns *ns)
{
    const struct store_loader loader = {
        .arg = ns, .device = load_device, .queue_item = load_queue_item, .attempt = load_attempt};
    enum err err = load_records(ns);

    return err ? err : store_load(ns->options.store, &loader);
}
