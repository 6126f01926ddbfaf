/* talk.c - see talk.h. */
#include "tests/flow/talk.h"

#include "tests/store/fault_vfs.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const struct lw_key app_key = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
static const struct lw_key nwk_key = {{15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};

void talk_begin(struct talk *talk, const struct talk_options *options)
{
    const char *region = options->world.region ? options->world.region : "EU868";
    struct device_keys keys = {.app_key = app_key,
                               .nwk_key = nwk_key,
                               .has_app_key = true,
                               .has_nwk_key = options->world.version >= LW_1_1_0};
    struct sim_device_config config = {.dev_eui = {TALK_DEVICE},
                                       .join_eui = {TALK_JOIN_EUI},
                                       .app_key = app_key,
                                       .nwk_key = nwk_key,
                                       .version = (uint8_t)options->world.version,
                                       .flags = options->flags,
                                       .dr = options->dr,
                                       .sub_band = options->sub_band,
                                       .seed = options->world.seed + 1};
    struct world_options world = options->world;
    enum sim_region plan;

    memset(talk, 0, sizeof(*talk));
    talk->snr = 8;
    ck_assert(sim_plan_find(region, &plan));
    config.region = (uint8_t)plan;
    world.vfs = "fault"; /* it does not wait for the disk */
    fault_register();
    fault_reset();
    world_open(&talk->world, &world);
    world_gateway(&talk->world, TALK_GATEWAY);
    world_device(&talk->world, TALK_DEVICE);
    world_keys(&talk->world, TALK_DEVICE, &keys);
    radio_open(&talk->world, &talk->radio, TALK_GATEWAY);
    sim_device_init(&talk->device, &config);
}

void talk_end(struct talk *talk)
{
    ck_assert_int_eq(metric_read(&ns_internal_errors, 0), 0);
    world_close(&talk->world);
}

static void on_air(struct talk *talk)
{
    const struct sim_tx *tx = &talk->tx;
    char rate[32];

    world_run(&talk->world, tx->end_us - talk->world.clock.mono);
    radio_pull(&talk->world, &talk->radio);
    (void)snprintf(rate, sizeof(rate), "SF%uBW%u", tx->rate.sf, tx->rate.bandwidth_hz / 1000);
    radio_heard(&talk->world, &talk->radio, (struct bytes){tx->phy, tx->len}, tx->frequency_hz,
                rate, talk->snr);
}

void talk_speak(struct talk *talk, size_t n, bool confirmed)
{
    uint8_t payload[255] = {0};
    struct sim_message message = {.port = 7, .confirmed = confirmed, .payload = {payload, n}};

    talk->world.sent_count = talk->seen = 0;
    ck_assert_int_eq(sim_device_uplink(&talk->device, talk->world.clock.mono, &message, &talk->tx),
                     OK);
    on_air(talk);
}

static bool told(struct talk *talk)
{
    for (int i = 0; i < 20; i++) {
        world_run(&talk->world, 400000);
        if (radio_down(&talk->world, &talk->radio, &talk->seen, &talk->down))
            return true;
    }
    return false;
}

static void hears(struct talk *talk)
{
    unsigned sf = 0, khz = 0;
    bool wide = strcmp(talk->down.coding, "4/8LI") == 0; /* 2.4 GHz: 812 is a name */
    struct sim_rx rx;

    ck_assert_int_eq(sscanf(talk->down.rate, "SF%uBW%u", &sf, &khz), 2);
    rx = (struct sim_rx){.phy = {talk->down.phy, talk->down.phy_n},
                         .start_us = talk->tx.end_us +
                                     radio_delay_us(&talk->radio, &talk->down, talk->tx.end_us),
                         .frequency_hz = talk->down.frequency_hz,
                         .rate = {.kind = MOD_LORA,
                                  .sf = (uint8_t)sf,
                                  .bandwidth_hz = khz * 1000 + (wide ? 500 : 0),
                                  .coding_rate = wide ? 4 : 1},
                         .snr_db = 5};
    sim_device_receive(&talk->device, &rx, &talk->verdict);
    ck_assert_msg(talk->verdict.code == SIM_OK, "%s, %lld us off",
                  sim_verdict_text(talk->verdict.code), (long long)talk->verdict.off_us);
}

/* Until the windows are over and the duty cycle of the band has room again. */
static void rest(struct talk *talk)
{
    world_run(&talk->world, 120000000);
    radio_pull(&talk->world, &talk->radio);
}

bool talk_listen(struct talk *talk)
{
    bool any = told(talk);

    memset(&talk->verdict, 0, sizeof(talk->verdict));
    if (any) {
        radio_ack(&talk->world, &talk->radio, &talk->down, NULL);
        hears(talk);
    }
    rest(talk);
    return any;
}

bool talk_listen_rx2(struct talk *talk)
{
    ck_assert(told(talk));
    radio_ack(&talk->world, &talk->radio, &talk->down, "COLLISION_PACKET");
    return talk_listen(talk);
}

bool talk_miss(struct talk *talk)
{
    bool any = told(talk);

    memset(&talk->verdict, 0, sizeof(talk->verdict));
    if (any)
        radio_ack(&talk->world, &talk->radio, &talk->down, NULL);
    rest(talk);
    return any;
}

void talk_ask(struct talk *talk)
{
    talk->world.sent_count = talk->seen = 0;
    ck_assert_int_eq(sim_device_join(&talk->device, talk->world.clock.mono, &talk->tx), OK);
    on_air(talk);
}

void talk_join(struct talk *talk)
{
    talk_ask(talk);
    ck_assert_msg(talk_listen(talk), "no join-accept: %s", drop_label(talk->world.last_drop));
    ck_assert(talk->verdict.flags & SIM_GOT_JOIN);
    talk_speak(talk, 1, false);
    (void)talk_listen(talk);
}

/* ---- administration -------------------------------------------------------------------------- */

void talk_queue(struct talk *talk, size_t n)
{
    struct ns_call *call = ns_call_new(ACT_QUEUE_ADD, (struct lw_eui){TALK_DEVICE});

    call->item = queue_item_new(n);
    call->item->f_port = 9;
    ck_assert_int_eq(world_ask(&talk->world, call)->result, OK);
    ns_call_free(call);
}

size_t talk_queued(struct talk *talk, unsigned *state)
{
    struct ns_call *call =
        world_ask(&talk->world, ns_call_new(ACT_QUEUE_LIST, (struct lw_eui){TALK_DEVICE}));
    size_t n = call->item_count;

    if (state && n)
        *state = call->items[0]->state;
    ns_call_free(call);
    return n;
}

size_t talk_events(struct talk *talk, enum event_type type, struct event_facts *last)
{
    struct world_event *events = arena_array(&talk->world.arena, struct world_event, 300);
    size_t n = world_events(&talk->world, TALK_DEVICE, events, 300), count = 0;

    for (size_t i = 0; i < n; i++) {
        if (events[i].stored.type != type)
            continue;
        count++;
        if (last)
            *last = events[i].facts;
    }
    return count;
}

static struct device *device_of(struct talk *talk)
{
    struct lw_eui eui = {TALK_DEVICE};

    return ns_device(ns_home(talk->world.ns, eui), eui);
}

struct session *talk_session(struct talk *talk)
{
    struct device *device = device_of(talk);

    ck_assert(device && session_unpack(device->active, &talk->session));
    return &talk->session;
}

void talk_session_keep(struct talk *talk)
{
    session_keep(&device_of(talk)->active, &talk->session);
}

/* ---- what was heard -------------------------------------------------------------------------- */

size_t talk_link_adr(const struct talk *talk, struct lw_link_adr_req *last)
{
    struct lw_cmd_iter iter =
        lw_mac_iter_of((struct bytes){talk->verdict.commands, talk->verdict.commands_n}, LW_DOWN);
    struct lw_cmd cmd;
    size_t n = 0;

    while (lw_cmd_next(&iter, &cmd)) {
        if (cmd.cid == LW_CID_LINK_ADR)
            n += lw_link_adr_req_read(cmd.payload, last);
    }
    return n;
}

bool talk_heard(const struct talk *talk, uint8_t cid)
{
    struct lw_cmd_iter iter =
        lw_mac_iter_of((struct bytes){talk->verdict.commands, talk->verdict.commands_n}, LW_DOWN);
    struct lw_cmd cmd;

    while (lw_cmd_next(&iter, &cmd)) {
        if (cmd.cid == cid)
            return true;
    }
    return false;
}
