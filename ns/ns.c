/*
 * ns.c - the workers, what reaches them, and their devices.
 *
 * Sharding: copies go to the worker of the DevAddr (data) or DevEUI (joins), which gathers and
 * matches; a job then moves to the home worker of its device.
 */
#include "core/log.h"
#include "lorawan/frame.h"
#include "ns/ns_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *drop_value(unsigned at)
{
    return drop_label((enum drop)at);
}

static const char *answer_value(unsigned at)
{
    return tx_result_text((enum tx_result)at);
}

/* clang-format off */
struct metric ns_frames = {.name = "godwit_uplink_frames_total", .kind = METRIC_COUNTER, .help = "Transmissions gathered.", .count = 1};
struct metric ns_drops = {.name = "godwit_drops_total", .kind = METRIC_COUNTER, .help = "Frames and jobs that ended without being used, by reason.", .label = "reason", .count = DROP_COUNT, .value_name = drop_value};
struct metric ns_internal_errors = {.name = "godwit_internal_errors_total", .kind = METRIC_COUNTER, .help = "Faults of this program.", .count = 1};
struct metric ns_answers = {.name = "godwit_downlinks_total", .kind = METRIC_COUNTER, .help = "Downlinks by what became of them.", .label = "result", .count = TX_RESULT_COUNT, .value_name = answer_value};
/* clang-format on */

void ns_metrics_register(void)
{
    metric_register(&ns_frames);
    metric_register(&ns_drops);
    metric_register(&ns_internal_errors);
    metric_register(&ns_answers);
}

void ns_count_drop(enum drop drop)
{
    metric_add(&ns_drops, drop, 1);
}

struct ns_worker *ns_home(struct ns *ns, struct lw_eui dev_eui)
{
    return &ns->workers[hash_u64(dev_eui.v) % ns->options.workers];
}

struct ns_worker *ns_front(struct ns *ns, struct lw_dev_addr addr)
{
    return &ns->workers[hash_u64(addr.v) % ns->options.workers];
}

const struct ns_region *ns_region_of(const struct ns *ns, uint8_t region)
{
    for (size_t i = 0; i < ns->options.region_count; i++) {
        if (ns->options.regions[i].region->id == region)
            return &ns->options.regions[i];
    }
    return NULL;
}

/* ---- devices --------------------------------------------------------------------------------- */

struct device *ns_device(struct ns_worker *worker, struct lw_eui dev_eui)
{
    return devices_find(&worker->devices, dev_eui);
}

const struct device_profile *device_profile_of(const struct ns_worker *worker,
                                               const struct device *device)
{
    return directory_at(&worker->directory, REC_DEVICE_PROFILE, device->profile);
}

const struct application *device_application_of(const struct ns_worker *worker,
                                                const struct device *device)
{
    return directory_at(&worker->directory, REC_APPLICATION, device->application);
}

const struct gateway_config *ns_gateway(const struct ns_worker *worker, struct lw_eui id)
{
    struct record_key key = record_key_eui(id);

    return directory_find(&worker->directory, REC_GATEWAY, &key);
}

void device_free(struct ns_worker *worker, struct device *device)
{
    while (device->queue) {
        struct queue_item *item = device->queue;

        device->queue = item->next;
        free(item);
    }
    session_keep(&device->active, NULL);
    session_keep(&device->pending, NULL);
    devices_free(&worker->devices, device);
}

static void device_configure(struct ns_worker *worker, struct device *device,
                             const struct uuid *application, const struct uuid *profile)
{
    struct record_key key = record_key_uuid(application);

    device->application = directory_reserve(&worker->directory, REC_APPLICATION, &key);
    key = record_key_uuid(profile);
    device->profile = directory_reserve(&worker->directory, REC_DEVICE_PROFILE, &key);
}

static void set_flag(struct device *device, enum device_flag flag, bool on)
{
    device->flags = (uint8_t)(on ? device->flags | flag : device->flags & ~flag);
}

struct session *session_copy(struct job *job, const struct session_kept *kept)
{
    struct session *session = kept ? arena_new(&job->arena, struct session) : NULL;

    return session_unpack(kept, session) ? session : NULL;
}

/* ---- the match table, wherever it is --------------------------------------------------------- */

struct match_mail {
    struct mail mail;
    struct match_entry entry;
    bool remove;
    struct job *then;
    struct ns_worker *home;
};

static void match_done(struct worker *worker, struct mail *mail)
{
    struct job *job = (struct job *)mail;

    (void)worker;
    job_resume(job);
}

static void match_take(struct worker *worker, struct mail *mail)
{
    struct ns_worker *front = worker->owner;
    struct match_mail *m = (struct match_mail *)mail;

    if (m->remove)
        match_remove(front->match, m->entry.dev_addr, m->entry.dev_eui, m->entry.session);
    else
        match_put(front->match, &m->entry);
    if (m->then) {
        m->then->mail.take = match_done;
        mail_post(&m->home->worker, LANE_RADIO, &m->then->mail);
    }
    lw_key_wipe(&m->entry.key);
    free(m);
}

static void match_send(struct ns_worker *worker, const struct match_entry *entry, bool remove,
                       struct job *then)
{
    struct match_mail *m = xcalloc(1, sizeof(*m));

    *m = (struct match_mail){
        .mail.take = match_take, .entry = *entry, .remove = remove, .then = then, .home = worker};
    mail_post(&ns_front(worker->ns, entry->dev_addr)->worker, LANE_RADIO, &m->mail);
}

struct match_entry match_entry_of(const struct device *device, const struct session *session,
                                  bool pending)
{
    uint8_t flags = 0;

    flags |= session->flags & SESSION_1_1 ? MATCH_1_1 : 0;
    flags |= session->flags & SESSION_SEEN ? MATCH_SEEN : 0;
    flags |= device->flags & DEVICE_SKIP_FCNT ? MATCH_RESETS : 0;
    flags |= pending ? MATCH_PENDING : 0;
    return (struct match_entry){.dev_addr = session->dev_addr,
                                .fcnt_next = session->fcnt_up_next,
                                .dev_eui = device->dev_eui,
                                .session = session->number,
                                .key = session->keys.f_nwk_s_int,
                                .flags = flags};
}

void ns_match_put(struct ns_worker *worker, const struct device *device,
                  const struct session *session, bool pending, struct job *then)
{
    struct match_entry entry = match_entry_of(device, session, pending);

    match_send(worker, &entry, false, then);
}

void ns_match_remove(struct ns_worker *worker, const struct device *device,
                     const struct session *session)
{
    struct match_entry entry = match_entry_of(device, session, false);

    match_send(worker, &entry, true, NULL);
}

/* ---- saving a device's state ----------------------------------------------------------------- */

static enum err seal_one(struct job *job, const struct session *session, const char *slot,
                         struct bytes *sealed)
{
    const struct secret *secret = store_secret(job->worker->ns->options.store);

    *sealed = (struct bytes){0};
    return session ? session_seal(session, secret, job->dev_eui, slot, &job->arena, sealed) : OK;
}

/* A state that cannot be read stays, as long as the session does: see struct spoiled. */
static struct bytes state_of(struct job *job, const struct state_change *change)
{
    const struct spoiled *spoiled = change->set & STATE_SET_ACTIVE
                                        ? NULL
                                        : map_get(&job->worker->spoiled, job->device->dev_eui.v);

    if (spoiled)
        return (struct bytes){arena_memdup(&job->arena, spoiled->b, spoiled->n), spoiled->n};
    return session_state_write(change->active, change->status, &job->arena);
}

enum err job_change_state(struct job *job, const struct state_change *change)
{
    struct op *op = change_add(&job->change, &job->arena, OP_STATE);
    enum err err = OK;

    op->state = (struct op_state){.dev_eui = job->device->dev_eui,
                                  .rev = job->device->rev,
                                  .state = state_of(job, change),
                                  .set = change->set};
    if (change->set & STATE_SET_ACTIVE)
        err = seal_one(job, change->active, "active", &op->state.active);
    if (!err && change->set & STATE_SET_PENDING)
        err = seal_one(job, change->pending, "pending", &op->state.pending);
    job->change.bytes += op->state.state.n + op->state.active.n + op->state.pending.n;
    return err;
}

/* What was set aside of a device's live state has been replaced, or is gone with the device. */
static void settle_active(struct ns_worker *worker, struct device *device)
{
    struct asides *asides = store_asides(worker->ns->options.store);

    if (!(device->flags & DEVICE_CORRUPT))
        return;
    device->flags &= (uint8_t)~DEVICE_CORRUPT; /* a session that can be relied on again */
    free(map_remove(&worker->spoiled, device->dev_eui.v));
    aside_settle(asides, ASIDE_STATE, NULL, device->dev_eui);
    aside_settle(asides, ASIDE_SESSION, "active", device->dev_eui);
}

static void settle_pending(struct ns_worker *worker, struct device *device)
{
    if (!(device->flags & DEVICE_PENDING_LOST))
        return;
    device->flags &= (uint8_t)~DEVICE_PENDING_LOST;
    aside_settle(store_asides(worker->ns->options.store), ASIDE_SESSION, "pending",
                 device->dev_eui);
}

void device_take_over(struct ns_worker *worker, struct device *device,
                      const struct state_change *change)
{
    device->rev++;
    device->status = *change->status;
    session_keep(&device->active, change->active);
    if (change->set & STATE_SET_ACTIVE)
        settle_active(worker, device);
    if (!(change->set & STATE_SET_PENDING))
        return;
    session_keep(&device->pending, change->pending);
    settle_pending(worker, device);
}

void device_flush_queue(struct ns_worker *worker, struct device *device)
{
    while (device->queue) {
        struct queue_item *item = device->queue;

        queue_unlink(&device->queue, item);
        free(item);
    }
    aside_settle(store_asides(worker->ns->options.store), ASIDE_QUEUE_ITEM, NULL, device->dev_eui);
}

struct event_facts device_facts(const struct job *job, const struct session *session)
{
    struct event_facts facts = {.device_class = LW_CLASS_A};
    const struct record_key *application =
        directory_key(&job->worker->directory, REC_APPLICATION, job->device->application);

    memcpy(facts.application_id.b, application->b, sizeof(facts.application_id.b));
    if (session)
        facts.dev_addr = session->dev_addr;
    return facts;
}

void job_event(struct job *job, enum event_type type, const struct event_facts *facts)
{
    struct op *op = change_add(&job->change, &job->arena, OP_EVENT);

    op->event = (struct op_event){.dev_eui = job->dev_eui,
                                  .utc_us = clock_utc(job->worker->worker.clock),
                                  .type = (uint8_t)type,
                                  .facts = event_facts_write(type, facts, &job->arena)};
    job->change.bytes += op->event.facts.n;
}

void ns_item_event(struct job *job, const struct session *session, const struct uuid *item,
                   const char *code, const char *description)
{
    struct event_facts facts = device_facts(job, session);
    char text[UUID_TEXT];

    facts.level = 2;
    facts.code = code;
    facts.description = description;
    facts.context = arena_printf(&job->arena, "{\"queueItemId\":\"%s\"}", uuid_text(text, item));
    facts.dedup_id = uuid_derive(item->b, sizeof(item->b));
    job_event(job, EVENT_LOG, &facts);
}

void ns_log_frame(struct job *job, const struct gathered *gathered, const char *verdict)
{
    const struct ns_ops *ops = &job->worker->ns->ops;

    for (size_t i = 0; ops->frame && i < gathered->copy_count; i++) {
        const struct copy *copy = &gathered->copies[i];
        struct frame_entry entry = {.utc_us = copy->utc_us,
                                    .direction = LW_UP,
                                    .gateway = copy->gateway,
                                    .dev_eui = job->dev_eui,
                                    .frequency_hz = copy->frequency_hz,
                                    .dr = copy->dr,
                                    .phy = {gathered->phy, gathered->phy_len},
                                    .drop = job->drop,
                                    .verdict = verdict};

        ops->frame(ops->ctx, &entry);
    }
}

/* ---- doors ----------------------------------------------------------------------------------- */

static bool channel_in(const struct ns_region *region, struct copy *copy)
{
    uint8_t channel;

    if (!region_uplink_find(region->region, &region->channels, copy->frequency_hz, &copy->rate,
                            &copy->dr, &channel))
        return false;
    copy->region = (uint8_t)region->region->id;
    return true;
}

bool ns_channel(const struct ns *ns, struct copy *copy)
{
    if (copy->region != GATEWAY_REGION_UNSET) {
        const struct ns_region *region = ns_region_of(ns, copy->region);

        return region && channel_in(region, copy);
    }
    for (size_t i = 0; i < ns->options.region_count; i++) {
        if (channel_in(&ns->options.regions[i], copy))
            return true;
    }
    return false;
}

/* ---- records --------------------------------------------------------------------------------- */

struct record_mail {
    struct mail mail;
    struct shared_record *shared;
};

static void record_take(struct worker *worker, struct mail *mail)
{
    struct record_mail *m = (struct record_mail *)mail;

    directory_apply(&((struct ns_worker *)worker->owner)->directory, m->shared);
    free(m);
}

static void tell_all(struct ns *ns, struct shared_record *shared)
{
    for (unsigned i = 0; i < ns->options.workers; i++) {
        struct record_mail *m = xcalloc(1, sizeof(*m));

        m->mail.take = record_take;
        m->shared = shared_record_ref(shared);
        mail_post(&ns->workers[i].worker, LANE_RADIO, &m->mail);
    }
    shared_record_unref(shared);
}

struct device_mail {
    struct mail mail;
    struct lw_eui dev_eui, join_eui;
    struct uuid application, profile;
    bool deleted, is_disabled, skip_fcnt, has_join_eui;
};

static void remove_match(struct ns_worker *worker, const struct device *device,
                         const struct session_kept *kept)
{
    struct session session;

    if (!session_unpack(kept, &session))
        return;
    ns_match_remove(worker, device, &session);
    lw_session_keys_wipe(&session.keys);
}

static void device_delete(struct ns_worker *worker, struct device *device)
{
    remove_match(worker, device, device->active);
    remove_match(worker, device, device->pending);
    devices_hide(&worker->devices, device);
    ns_sweep_disarm(worker, device);
    settle_active(worker, device);
    settle_pending(worker, device);
    aside_settle(store_asides(worker->ns->options.store), ASIDE_QUEUE_ITEM, NULL, device->dev_eui);
    if (device->flags & DEVICE_BUSY)
        device->flags |= DEVICE_GONE;
    else
        device_free(worker, device);
}

static void device_put(struct ns_worker *worker, const struct device_mail *m)
{
    struct device *device = ns_device(worker, m->dev_eui);
    struct session session;
    bool skipped;

    if (!device) {
        device = devices_add(&worker->devices, m->dev_eui);
    }
    skipped = device->flags & DEVICE_SKIP_FCNT;
    device_configure(worker, device, &m->application, &m->profile);
    set_flag(device, DEVICE_DISABLED, m->is_disabled);
    set_flag(device, DEVICE_SKIP_FCNT, m->skip_fcnt);
    set_flag(device, DEVICE_HAS_JOIN_EUI, m->has_join_eui);
    device->join_eui = m->join_eui;
    if (skipped != m->skip_fcnt && session_unpack(device->active, &session)) {
        ns_match_put(worker, device, &session, false, NULL);
        lw_session_keys_wipe(&session.keys);
    }
}

static void device_take(struct worker *worker, struct mail *mail)
{
    struct ns_worker *home = worker->owner;
    struct device_mail *m = (struct device_mail *)mail;
    struct device *device = ns_device(home, m->dev_eui);

    if (!m->deleted)
        device_put(home, m);
    else if (device)
        device_delete(home, device);
    free(m);
}

static void tell_device(struct ns *ns, const struct record_key *key,
                        const struct device_record *record)
{
    struct device_mail *m = xcalloc(1, sizeof(*m));
    struct rd rd = rd_of(key->b, 8);

    m->mail.take = device_take;
    m->dev_eui.v = rd_u64be(&rd);
    m->deleted = record == NULL;
    if (record) {
        rd = rd_bytes(record->join_eui);
        m->has_join_eui = record->join_eui.n == 8;
        m->join_eui.v = m->has_join_eui ? rd_u64be(&rd) : 0;
        m->application = record->application_id;
        m->profile = record->device_profile_id;
        m->is_disabled = record->is_disabled;
        m->skip_fcnt = record->skip_fcnt_check;
    }
    mail_post(&ns_home(ns, m->dev_eui)->worker, LANE_RADIO, &m->mail);
}

static bool wanted(enum record_type type)
{
    return type == REC_TENANT || type == REC_APPLICATION || type == REC_DEVICE_PROFILE ||
           type == REC_GATEWAY;
}

void ns_record(struct ns *ns, enum record_type type, const struct record_key *key,
               const void *record)
{
    if (type == REC_DEVICE)
        tell_device(ns, key, record);
    else if (wanted(type))
        tell_all(ns, shared_record_new(type, key, record));
}

/* ---- start and end --------------------------------------------------------------------------- */

static void late_copy(void *ctx, const struct heard *heard, uint64_t id)
{
    (void)ctx;
    (void)heard;
    (void)id;
    metric_add(&ns_drops, DROP_LATE_COPY, 1);
}

static void copy_dropped(void *ctx, struct lw_eui gateway, enum drop reason)
{
    (void)ctx;
    (void)gateway;
    metric_add(&ns_drops, reason, 1);
}

static const struct collector_ops collector_ops = {
    .gathered = sort_gathered, .late = late_copy, .dropped = copy_dropped};

static void worker_setup(struct ns *ns, unsigned at)
{
    struct ns_worker *w = &ns->workers[at];

    (void)snprintf(ns->names[at], sizeof(ns->names[at]), "ns-%u", at);
    w->ns = ns;
    w->index = at;
    worker_init(&w->worker, ns->names[at], ns->options.clock, w);
    collector_init(&w->collector, &w->worker, ns->options.dedup_window_us, 0, &collector_ops, w);
    w->match = match_new();
    directory_init(&w->directory);
    map_init(&w->attempts);
    map_init(&w->spoiled);
    ns_sweep_init(w);
}

static unsigned default_workers(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores <= 2 ? 1 : cores > 16 ? 8 : (unsigned)cores / 2;
}

struct ns *ns_new(const struct ns_options *options, const struct ns_ops *ops)
{
    struct ns *ns = xcalloc(1, sizeof(*ns));

    ns->options = *options;
    ns->ops = *ops;
    (void)pthread_mutex_init(&ns->jobs_lock, NULL);
    if (!ns->options.workers)
        ns->options.workers = default_workers();
    ns->workers = xcalloc(ns->options.workers, sizeof(*ns->workers));
    ns->names = xcalloc(ns->options.workers, sizeof(*ns->names));
    for (unsigned i = 0; i < ns->options.workers; i++)
        worker_setup(ns, i);
    /* Ids of attempts go on growing over restarts, so that rows come in order of time. */
    atomic_init(&ns->next_attempt, (uint64_t)clock_utc(options->clock) << 8 >> 1);
    return ns;
}

void ns_free(struct ns *ns)
{
    job_free_all(ns);
    (void)pthread_mutex_destroy(&ns->jobs_lock);
    for (unsigned i = 0; i < ns->options.workers; i++) {
        struct ns_worker *w = &ns->workers[i];
        struct device *device;
        struct map_slot *slot;
        uint32_t place = 0;
        size_t at = 0;

        while ((device = devices_next(&w->devices, &place))) {
            devices_hide(&w->devices, device);
            device_free(w, device);
        }
        while ((slot = map_next(&w->attempts, &at)))
            free(slot->value);
        at = 0;
        while ((slot = map_next(&w->spoiled, &at)))
            free(slot->value);
        devices_fini(&w->devices);
        map_fini(&w->attempts);
        map_fini(&w->spoiled);
        expiries_fini(&w->expiries);
        collector_fini(&w->collector);
        match_free(w->match);
        directory_fini(&w->directory);
        worker_fini(&w->worker);
    }
    free(ns->workers);
    free(ns->names);
    free(ns);
}

unsigned ns_worker_count(const struct ns *ns)
{
    return ns->options.workers;
}

struct worker *ns_worker(struct ns *ns, unsigned at)
{
    return &ns->workers[at].worker;
}
