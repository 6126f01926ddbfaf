/*
 * diagnosis.c - what is wrong with a device, in plain words, from what is configured, the live
 * state and the frame log.
 *
 * The rules look at facts only and each says what to do about it. The wrong-key rule tries the
 * root key with its octets turned round, the commonest mistake of all (users: pain 1).
 */
#include "api/api_priv.h"
#include "api/routes.h"
#include "js/js.h"
#include "lorawan/frame.h"

#include <stdio.h>
#include <string.h>

#define FRAMES_LOOKED_AT 64
#define FRAMES_NAMED     5

struct finding {
    const char *code, *severity, *text, *advice;
    int64_t since_us;
    uint64_t frames[FRAMES_NAMED];
    size_t frame_count;
};

struct diagnosis {
    struct call *call;
    struct device_view view;
    struct device_keys keys;
    bool has_keys, keys_unreadable;
    bool has_session, has_pending;
    struct device_status status;
    unsigned looked, up, drops[DROP_COUNT];
    int64_t since[DROP_COUNT];
    uint64_t frames[DROP_COUNT][FRAMES_NAMED];
    bool accepted_last; /* the newest uplink was accepted */
    bool reversed;      /* a join's MIC fits the key turned round */
    struct finding findings[16];
    size_t count;
};

static struct finding *find(struct diagnosis *d, const char *code, const char *severity,
                            const char *text, const char *advice)
{
    struct finding *f = &d->findings[d->count++];

    *f = (struct finding){.code = code, .severity = severity, .text = text, .advice = advice};
    return f;
}

/* ---- facts ----------------------------------------------------------------------------------- */

static bool reversed_key_fits(const struct diagnosis *d, struct bytes phy)
{
    const struct lw_key *root =
        d->view.profile->version >= LW_1_1_0 ? &d->keys.nwk_key : &d->keys.app_key;
    struct lw_key turned;
    struct lw_frame frame;
    bool fits;

    if (!d->has_keys || lw_frame_read(phy, &frame) || frame.ftype != LW_JOIN_REQUEST)
        return false;
    for (size_t i = 0; i < sizeof(turned.b); i++)
        turned.b[i] = root->b[sizeof(turned.b) - 1 - i];
    fits = lw_mic_plain(&turned, frame.msg) == frame.mic;
    lw_key_wipe(&turned);
    return fits;
}

static bool look_at(void *arg, const struct frame_row *row)
{
    struct diagnosis *d = arg;
    enum drop drop = row->entry.drop;

    if (row->entry.direction == LW_UP) {
        if (d->up == 0)
            d->accepted_last = drop == DROP_NONE;
        d->up++;
    }
    if (drop == DROP_NONE)
        return ++d->looked < FRAMES_LOOKED_AT;
    if (d->drops[drop] < FRAMES_NAMED)
        d->frames[drop][d->drops[drop]] = row->seq;
    d->drops[drop]++;
    d->since[drop] = row->entry.utc_us;
    if (drop == DROP_JOIN_MIC && !d->reversed)
        d->reversed = reversed_key_fits(d, row->entry.phy);
    return ++d->looked < FRAMES_LOOKED_AT;
}

static void look_at_frames(struct diagnosis *d)
{
    const struct frames_query query = {.eui = d->view.device->dev_eui,
                                       .before = UINT64_MAX,
                                       .since_us = d->view.device->head.created_us};

    frames_visit(&d->call->api->frames, &query, look_at, d);
}

static int gather(struct diagnosis *d)
{
    struct ns_call *question;
    struct bytes sealed;
    enum err err =
        store_keys_get(d->call->reader, d->view.device->dev_eui, &d->call->arena, &sealed);

    if (!err)
        err = js_keys_open(store_secret(d->call->api->options.store), d->view.device->dev_eui,
                           sealed, &d->keys);
    d->has_keys = !err;
    d->keys_unreadable = err == ERR_CORRUPT || err == ERR_CRYPTO;
    if (err && err != ERR_NOT_FOUND && !d->keys_unreadable)
        return call_err(d->call, err);
    question = ns_call_new(ACT_STATE, d->view.device->dev_eui);
    err = call_ask(d->call, question);
    d->status = question->status;
    d->has_session = question->has_session;
    d->has_pending = question->has_pending;
    ns_call_free(question);
    look_at_frames(d);
    return err && err != ERR_NOT_FOUND ? call_err(d->call, err) : 0;
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* clang-format off */
static const struct drop_rule {
    enum drop drop;
    const char *text, *advice;
} drop_rules[] = {
    {DROP_JOIN_MIC,        "The device asks to join, but its request is signed with another key.", "Compare the root key with the one in the device, digit by digit."},
    {DROP_DEV_NONCE_USED,  "The device asks to join with a DevNonce that it has used before.", "The device forgets its counter when it restarts: let it keep the DevNonce, or clear the used ones (DELETE .../dev-nonces)."},
    {DROP_JOIN_EUI,        "The device asks to join with another JoinEUI than the one that is configured.", "Correct joinEui, or leave it out so that any is accepted."},
    {DROP_NOT_OTAA,        "The device asks to join, but its profile does not allow OTAA.", "Set supportsOtaa in the device profile."},
    {DROP_NO_KEYS,         "The device asks to join, but no root key is known.", "Set the key (PUT .../keys)."},
    {DROP_JOIN_NONCE_SPENT,"All JoinNonces of the device are spent.", "Give the device a new root key."},
    {DROP_JOIN_RATE,       "The device asks to join too often.", "Look why it does not hear the answers: range, receive windows, downlink path."},
    {DROP_JOIN_SERVER_OFF, "The join server is switched off.", "Set join_server.enabled."},
    {DROP_MIC,             "Frames with the device's address arrive that its session key does not fit.", "The device has another session than the server: let it join again, or correct the session keys."},
    {DROP_FCNT_REPLAY,     "The device sends frame counters that were used already.", "It has restarted without keeping its counter: let it join again, or set skipFcntCheck knowing the risk."},
    {DROP_FCNT_EXHAUSTED,  "The frame counter is spent.", "Let the device join again."},
    {DROP_PRIVATE_GATEWAY, "The device is heard by private gateways of other tenants only.", "Put up a gateway of your own, or ask for those to be shared."},
    {DROP_REGION,          "The device sends in another region than its profile says.", "Choose the profile of the right region. A gateway without a region is taken to be in the first configured one that has the channel: give it its own."},
    {DROP_UNKNOWN_CHANNEL, "The device sends on a channel that the region does not have.", "Compare the channel plan of the device with the region's, and the gateway's region with those of network.regions."},
    {DROP_NO_DOWNLINK_PATH,"No gateway could carry an answer to the device.", "Look at the gateway: does it ask for downlinks (PULL_DATA), is its duty cycle used up?"},
    {DROP_TOO_LONG,        "The device sends more than its data rate allows.", "Send less at a time."},
    {DROP_CORRUPT,         "Frames of the device are refused, because what is stored of it cannot be read.", "See the other findings; restore a backup, or let it join again."},
    {DROP_REJOIN,          "The device sends rejoin requests, which this version does not answer.", "Switch them off in the device."},
};
/* clang-format on */

static void judge_drops(struct diagnosis *d)
{
    for (size_t i = 0; i < sizeof(drop_rules) / sizeof(drop_rules[0]) && d->count < 12; i++) {
        const struct drop_rule *rule = &drop_rules[i];
        struct finding *f;

        if (!d->drops[rule->drop])
            continue;
        f = find(d, drop_label(rule->drop), d->accepted_last ? "warning" : "error", rule->text,
                 rule->advice);
        f->since_us = d->since[rule->drop];
        f->frame_count = d->drops[rule->drop] < FRAMES_NAMED ? d->drops[rule->drop] : FRAMES_NAMED;
        memcpy(f->frames, d->frames[rule->drop], sizeof(f->frames));
        if (rule->drop == DROP_JOIN_MIC && d->reversed)
            f->advice = "The key fits when its octets are turned round: enter it most significant "
                        "octet first.";
    }
}

static void judge_configuration(struct diagnosis *d)
{
    if (d->view.device->is_disabled)
        (void)find(d, "device_disabled", "error", "The device is disabled.",
                   "Set isDisabled to false.");
    if (d->keys_unreadable)
        (void)find(d, "keys_unreadable", "error",
                   "The stored root keys cannot be read: the device cannot join.",
                   "Set the key again (PUT .../keys).");
    else if (!d->has_keys && d->view.profile->supports_otaa && !d->has_session)
        (void)find(d, "keys_missing", "error", "No root key is known: the device cannot join.",
                   "Set the key (PUT .../keys), or activate the device by personalisation.");
}

/* Rows that were set aside (db/aside.h). */
static void judge_store(struct diagnosis *d)
{
    struct asides *asides = store_asides(d->call->api->options.store);
    struct aside_counts counts = asides_of(asides, d->view.device->dev_eui);

    if (counts.n[ASIDE_STATE] ||
        aside_has(asides, ASIDE_SESSION, "active", d->view.device->dev_eui))
        (void)find(d, "session_unreadable", "error",
                   "The stored session cannot be read. Its frames are refused: counters that are "
                   "not known could be used twice.",
                   "Let the device join again, or activate it anew under other keys; or restore a "
                   "backup.");
    if (aside_has(asides, ASIDE_SESSION, "pending", d->view.device->dev_eui))
        (void)find(d, "join_unreadable", "warning", "The session of the last join cannot be read.",
                   "Let the device join again.");
    if (counts.n[ASIDE_QUEUE_ITEM])
        (void)find(d, "queue_item_unreadable", "warning",
                   "Items of the queue cannot be read and will not be sent.",
                   "Queue them again; DELETE .../queue removes what cannot be read.");
}

static void judge_silence(struct diagnosis *d)
{
    int64_t silent = clock_utc(d->call->clock) - d->status.last_seen_us;
    int64_t interval = d->view.profile->uplink_interval_s * (int64_t)US_PER_S;
    struct finding *f;

    if (!d->status.last_seen_us && d->up == 0) {
        (void)find(d, "never_heard", "error", "Nothing was ever heard of the device.",
                   "Is it switched on, in range of a gateway, and does it use the right region? "
                   "Look into /gateways:unknown for gateways that are not known yet.");
    } else if (d->status.last_seen_us && interval && silent > 3 * interval) {
        f = find(d, "silent", "warning",
                 "The device has been silent for more than three of its intervals.",
                 "Look at its battery and at the gateways that used to hear it.");
        f->since_us = d->status.last_seen_us;
    }
    if (d->has_pending && !d->has_session)
        (void)find(d, "join_not_confirmed", "warning",
                   "A join was accepted, but the device has not sent anything since.",
                   "It may not hear the join-accept: look at the gateway's downlink path and at "
                   "the receive delays.");
}

/* ---- printing -------------------------------------------------------------------------------- */

static const char *verdict_of(const struct diagnosis *d)
{
    const char *verdict = "The device works.";

    for (size_t i = 0; i < d->count; i++) {
        if (strcmp(d->findings[i].severity, "error") == 0)
            return d->findings[i].text;
        verdict = "The device works, with remarks.";
    }
    return verdict;
}

static void print_finding(struct jw *jw, const struct finding *f)
{
    char id[17];

    jw_object(jw);
    jw_key_str(jw, "code", f->code);
    jw_key_str(jw, "severity", f->severity);
    jw_key_str(jw, "text", f->text);
    jw_key_str(jw, "advice", f->advice);
    jw_key(jw, "since");
    if (f->since_us)
        jw_time(jw, f->since_us);
    else
        jw_null(jw);
    jw_key(jw, "frames");
    jw_array(jw);
    for (size_t i = 0; i < f->frame_count; i++) {
        (void)snprintf(id, sizeof(id), "%016llx", (unsigned long long)f->frames[i]);
        jw_str(jw, id);
    }
    jw_end_array(jw);
    jw_end_object(jw);
}

int diagnosis_get(struct call *call)
{
    struct diagnosis *d = arena_new(&call->arena, struct diagnosis);
    struct jw *jw = &call->out;
    char text[LW_EUI_TEXT];
    int status = call_device(call, &d->view);

    d->call = call;
    if (!status)
        status = gather(d);
    if (!status) {
        judge_configuration(d);
        judge_store(d);
        judge_drops(d);
        judge_silence(d);
        jw_object(jw);
        jw_key_str(jw, "devEui", lw_eui_text(text, d->view.device->dev_eui));
        jw_key_str(jw, "verdict", verdict_of(d));
        jw_key(jw, "findings");
        jw_array(jw);
        for (size_t i = 0; i < d->count; i++)
            print_finding(jw, &d->findings[i]);
        jw_end_array(jw);
        jw_end_object(jw);
    }
    explicit_bzero(&d->keys, sizeof(d->keys));
    return status ? status : 200;
}
