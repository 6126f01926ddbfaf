/* town.c - the air, the gateways and the devices; see town.h. */
#include "tests/flow/town.h"

#include "lorawan/gps.h"
#include "sim/crypto.h"
#include "tests/store/fault_vfs.h"

#include <check.h>
#include <string.h>

#define PIECE_US  (100 * (int64_t)US_PER_MS) /* the gateways look for datagrams so often */
#define STRIDE_US (20 * (int64_t)US_PER_S)
#define SETTLE_US (50 * (int64_t)US_PER_MS)   /* at the end of a stride */
#define AFTER_US  (2500 * (int64_t)US_PER_MS) /* the longest downlink */

static int64_t now(const struct town *town)
{
    return town->rest.world.clock.mono;
}

uint64_t town_draw(struct town *town, uint64_t n)
{
    return sim_random(&town->random) % n;
}

/* ---- gateways -------------------------------------------------------------------------------- */

static void deliver(struct town *town, const struct address *from, const struct wr *wr)
{
    if (wr_len(wr))
        world_datagram(&town->rest.world, from, wr->start, wr_len(wr));
}

static void pull(struct town *town, struct post *post)
{
    uint8_t data[512];
    struct wr wr = wr_of(data, sizeof(data));

    if (post->back_round)
        return;
    (void)sim_gateway_pull(&post->gw, &wr);
    deliver(town, &post->pull, &wr);
    if (town_draw(town, 6))
        return;
    wr = wr_of(data, sizeof(data));
    (void)sim_gateway_stat(&post->gw, town->rest.world.clock.utc, &wr);
    deliver(town, &post->push, &wr);
}

/* The member that a data frame is for; NULL if there is none. */
static struct member *addressee(struct town *town, const struct sim_txpk *txpk)
{
    struct rd rd = rd_of(txpk->phy + 1, 4);
    uint32_t addr = rd_u32le(&rd);
    struct member *found = NULL;

    for (size_t i = 0; i < town->member_count; i++) {
        struct member *member = &town->members[i];

        if (!sim_device_joined(&member->device) || member->device.dev_addr.v != addr)
            continue;
        ck_assert_msg(!found, "two devices have the DevAddr %08x", addr);
        found = member;
    }
    return found;
}

/* A down counter names one frame: the same octets may go through several gateways, others not. */
static void check_counter(struct town *town, const struct sim_txpk *txpk)
{
    struct member *member;
    uint8_t kind = txpk->phy[0] & 0xe0, fopts = txpk->phy[5] & 15;
    uint16_t fcnt = (uint16_t)(txpk->phy[6] | txpk->phy[7] << 8);
    const uint8_t *mic = txpk->phy + txpk->len - 4;
    unsigned which;

    if (kind != 0x60 && kind != 0xa0)
        return;
    member = addressee(town, txpk);
    ck_assert_msg(member != NULL, "a downlink for nobody");
    which = member->device.state & SIM_IS_1_1 && txpk->len > 12 + fopts && txpk->phy[8 + fopts];
    if (member->last[which].known && memcmp(member->last[which].mic, mic, 4) != 0)
        ck_assert_int_gt((int16_t)(fcnt - member->last[which].fcnt), 0);
    member->last[which].known = true;
    member->last[which].fcnt = fcnt;
    memcpy(member->last[which].mic, mic, 4);
}

static void take_order(struct town *town, unsigned at, const struct world_sent *sent)
{
    struct post *post = &town->posts[at];
    struct sim_txpk txpk;
    uint8_t data[256];
    struct wr wr = wr_of(data, sizeof(data));

    if (sim_gateway_receive(&post->gw, sent->at_us, (struct bytes){sent->data, sent->n}, &txpk) !=
        SIM_PULL_RESP)
        return;
    ck_assert_msg(!txpk.fault, "%s", txpk.fault);
    town->counts.downlinks++;
    check_counter(town, &txpk);
    if (post->back_round)
        return; /* it is away: nobody answers */
    (void)sim_gateway_tx_ack(&post->gw, &txpk, &wr);
    if (town_draw(town, 40))
        deliver(town, &post->pull, &wr);
    if (txpk.result != TX_OK) {
        town->counts.refused++;
        return;
    }
    ck_assert_uint_lt(town->air_count, TOWN_AIR);
    town->air[town->air_count++] = (struct airborne){txpk, at};
}

/* What the server sent since the last look. Answers to that may make it send more. */
static void look(struct town *town)
{
    struct world *world = &town->rest.world;

    for (size_t i = 0; i < world->sent_count; i++) {
        struct world_sent sent = world->sent[i];

        for (unsigned k = 0; k < TOWN_GATEWAYS; k++) {
            if (address_equal(&sent.to, &town->posts[k].pull) ||
                address_equal(&sent.to, &town->posts[k].push))
                take_order(town, k, &sent);
        }
    }
    world->sent_count = 0;
}

/* ---- time ------------------------------------------------------------------------------------ */

static bool anybody_awake(const struct town *town)
{
    if (town->air_count)
        return true;
    for (size_t i = 0; i < town->member_count; i++) {
        if (town->members[i].state != MEMBER_RESTS)
            return true;
    }
    return false;
}

static void pass(struct town *town, int64_t until_us)
{
    struct world *world = &town->rest.world;

    while (now(town) < until_us) {
        int64_t left = until_us - now(town);

        if (!anybody_awake(town) && left > STRIDE_US) {
            clock_double_set(&world->clock, now(town) + STRIDE_US - SETTLE_US);
            world_run(world, SETTLE_US);
        } else {
            world_run(world, left < PIECE_US ? left : PIECE_US);
        }
        if (now(town) >= town->pull_us) {
            town->pull_us = now(town) + STRIDE_US;
            for (size_t i = 0; i < TOWN_GATEWAYS; i++)
                pull(town, &town->posts[i]);
        }
        look(town);
    }
}

/* ---- the air --------------------------------------------------------------------------------- */

static void note_taken(struct town *town, struct member *member, const struct sim_verdict *verdict)
{
    town->counts.taken++;
    member->answers++;
    town->counts.payloads += verdict->payload_n > 0;
    town->counts.acked += !!(verdict->flags & SIM_GOT_ACK);
    if (!(verdict->flags & SIM_GOT_JOIN))
        return;
    town->counts.joined++;
    member->tries = 0;
    memset(member->last, 0, sizeof(member->last));
}

/* A downlink leaves a gateway: whoever listens hears it, and it must be for somebody. */
static void emit(struct town *town, const struct sim_txpk *txpk)
{
    struct sim_rx rx = {.phy = {txpk->phy, txpk->len},
                        .start_us = txpk->start_us,
                        .frequency_hz = txpk->frequency_hz,
                        .rate = txpk->rate,
                        .snr_db = (int8_t)((int)town_draw(town, 20) - 10)};
    bool data = txpk->phy[0] != 0x20;
    struct member *member = data ? addressee(town, txpk) : NULL;
    struct sim_verdict verdict = {.code = SIM_NOT_FOR_ME};

    if (!town_draw(town, TOWN_LOSS)) {
        town->counts.lost++;
        return;
    }
    if (member && member->state == MEMBER_ECHOED) {
        town->counts.strays++;
        return;
    }
    for (size_t i = 0; !data && i < town->member_count && !sim_verdict_taken(verdict.code); i++) {
        if (town->members[i].state == MEMBER_LISTENS && town->members[i].tx.join) {
            member = &town->members[i];
            sim_device_receive(&member->device, &rx, &verdict);
        }
    }
    if (data && member)
        sim_device_receive(&member->device, &rx, &verdict);
    ck_assert_msg(verdict.code == SIM_OK, "round %llu: %s: %s, %lld us off",
                  (unsigned long long)town->round, data ? "data" : "join-accept",
                  sim_verdict_text(verdict.code), (long long)verdict.off_us);
    note_taken(town, member, &verdict);
}

static void emit_due(struct town *town)
{
    for (size_t i = 0; i < town->air_count;) {
        struct sim_txpk txpk = town->air[i].txpk;

        if (txpk.start_us > now(town)) {
            i++;
            continue;
        }
        town->air[i] = town->air[--town->air_count];
        emit(town, &txpk);
    }
}

static void hear(struct town *town, struct post *post, const struct member *member, int64_t end_us)
{
    const struct sim_tx *tx = &member->tx;
    struct sim_heard heard = {
        .phy = {tx->phy, tx->len},
        .end_us = end_us,
        .frequency_hz = tx->frequency_hz,
        .rate = tx->rate,
        .channel = tx->channel,
        .stat = 1,
        .rssi_dbm = (int16_t)(-60 - (int)town_draw(town, 60)),
        .snr_cb = (int16_t)(80 - (int)town_draw(town, 120) - 20 * member->device.tx_power)};
    uint8_t data[SIM_DATAGRAM_MAX];
    struct wr wr = wr_of(data, sizeof(data));

    if (post->gps)
        heard.gps_ms = (uint64_t)(lw_gps_of_utc(town->rest.world.clock.utc) / US_PER_MS);
    (void)sim_gateway_push(&post->gw, &heard, 1, &wr);
    deliver(town, &post->push, &wr);
    if (!town_draw(town, 50))
        deliver(town, &post->push, &wr); /* the network doubles a datagram */
}

/* The end of a transmission: each gateway that is there may hear it. */
static void on_air(struct town *town, struct member *member)
{
    size_t heard = 0;

    for (size_t i = 0; i < TOWN_GATEWAYS; i++) {
        if (town->posts[i].back_round || !town_draw(town, 3))
            continue;
        hear(town, &town->posts[i], member, member->tx.end_us);
        heard++;
    }
    town->counts.unheard += !heard;
}

/* ---- devices --------------------------------------------------------------------------------- */

static void sends(struct town *town, struct member *member)
{
    member->state = MEMBER_SENDS;
    member->next_us = member->tx.end_us;
    town->counts.joins += member->tx.join;
    if (!member->tx.join && member->tx.repetition)
        town->counts.repetitions++;
    else if (!member->tx.join)
        town->counts.uplinks++;
}

static enum err speak(struct town *town, struct member *member)
{
    static const uint8_t payload[11];
    struct sim_message message = {.port = (int)(1 + town_draw(town, 200)),
                                  .confirmed = !town_draw(town, 4),
                                  .payload = {payload, town_draw(town, sizeof(payload) + 1)}};
    bool empty = !town_draw(town, 30);
    enum err err;

    if (!town_draw(town, 20))
        sim_device_ask_link(&member->device);
    if (member->device.version >= LW_1_0_3 && !town_draw(town, 20))
        sim_device_ask_time(&member->device);
    err = sim_device_uplink(&member->device, now(town), empty ? NULL : &message, &member->tx);
    town->counts.confirmed += !err && member->tx.confirmed;
    return err;
}

static void begins(struct town *town, struct member *member)
{
    bool join = !sim_device_joined(&member->device) || member->joins;
    enum err err =
        join ? sim_device_join(&member->device, now(town), &member->tx) : speak(town, member);

    member->next_us = CLOCK_NEVER;
    member->joins = false;
    if (err == OK)
        sends(town, member);
    else
        ck_assert_int_eq(err, ERR_BUSY);
}

/* Both windows are over. */
static void windows_end(struct town *town, struct member *member)
{
    enum err err = member->tx.join ? ERR_NOT_FOUND
                                   : sim_device_repeat(&member->device, now(town), &member->tx);

    if (err == OK) {
        sends(town, member);
        return;
    }
    member->state = MEMBER_RESTS;
    member->next_us = CLOCK_NEVER;
    if (member->tx.join && sim_device_joined(&member->device) && !member->tries)
        member->next_us = now(town) + 3 * (int64_t)US_PER_S; /* and speaks at once */
    else if (member->tx.join && ++member->tries < 4) {
        member->joins = true;
        member->next_us = now(town) + (int64_t)(5 + town_draw(town, 10)) * US_PER_S;
    } else if (!member->tx.join && !town_draw(town, 40)) {
        member->state = MEMBER_WAITS;
        member->next_us = now(town) + 2 * (int64_t)US_PER_S;
    }
}

static void goes_on(struct town *town, struct member *member)
{
    struct sim_window windows[2];

    switch (member->state) {
    case MEMBER_RESTS: begins(town, member); break;
    case MEMBER_SENDS:
        on_air(town, member);
        sim_device_windows(&member->device, windows);
        member->state = MEMBER_LISTENS;
        member->next_us = windows[1].start_us + AFTER_US;
        break;
    case MEMBER_LISTENS: windows_end(town, member); break;
    case MEMBER_WAITS:
        hear(town, &town->posts[town_draw(town, TOWN_GATEWAYS)], member, now(town));
        member->state = MEMBER_ECHOED;
        member->next_us = now(town) + 10 * (int64_t)US_PER_S;
        break;
    case MEMBER_ECHOED:
        member->state = MEMBER_RESTS;
        member->next_us = CLOCK_NEVER;
        break;
    }
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static void begin_round(struct town *town)
{
    int64_t at = now(town) + (int64_t)town_draw(town, US_PER_S);

    town->round++;
    town->round_us += TOWN_ROUND_US;
    town_life(town);
    look(town);
    for (size_t i = 0; i < town->member_count; i++) {
        struct member *member = &town->members[i];

        if (!member->period || member->state != MEMBER_RESTS ||
            (town->round + member->phase) % member->period)
            continue;
        member->joins = !member->abp && !town_draw(town, (uint64_t)TOWN_DAY / member->period);
        member->tries = 0;
        member->next_us = at;
        at += (int64_t)town_draw(town, 4 * (int64_t)US_PER_S);
    }
    arena_reset(&town->rest.world.arena);
}

static int64_t next_of(const struct town *town)
{
    int64_t next = town->round_us;

    for (size_t i = 0; i < town->member_count; i++) {
        if (town->members[i].next_us < next)
            next = town->members[i].next_us;
    }
    for (size_t i = 0; i < town->air_count; i++) {
        if (town->air[i].txpk.start_us < next)
            next = town->air[i].txpk.start_us;
    }
    return next;
}

void town_run(struct town *town, unsigned rounds)
{
    int64_t until = town->round_us + rounds * TOWN_ROUND_US - US_PER_S;

    while (now(town) < until) {
        int64_t next = next_of(town);

        pass(town, next < until ? next : until);
        emit_due(town);
        for (size_t i = 0; i < town->member_count; i++) {
            if (town->members[i].next_us <= now(town))
                goes_on(town, &town->members[i]);
        }
        if (now(town) >= town->round_us)
            begin_round(town);
    }
    town_stream_read(town);
    ck_assert_msg(!anybody_awake(town), "a round is too short");
}

/* ---- begin and end --------------------------------------------------------------------------- */

static void open_posts(struct town *town)
{
    for (unsigned i = 0; i < TOWN_GATEWAYS; i++) {
        struct post *post = &town->posts[i];

        sim_gateway_init(&post->gw, (struct lw_eui){0x02f1000000000000u + i},
                         (uint32_t)sim_random(&town->random));
        ck_assert_int_eq(address_read("192.0.2.1:40001", &post->push), OK);
        post->push.ip[15] = (uint8_t)(i + 1);
        post->pull = post->push;
        post->pull.port++;
        post->gps = i == 1;
        post->gw.version = i == 3 ? 1 : 2;
    }
}

void town_open(struct town *town, const struct town_options *options)
{
    struct world_options world = options->world;

    memset(town, 0, sizeof(*town));
    town->random = options->seed;
    world.seed = options->seed;
    world.vfs = "fault"; /* it does not wait for the disk */
    world.app_reply_us = 100 * US_PER_MS;
    fault_register();
    fault_reset();
    rest_open(&town->rest, &world);
    town->rest.frames_ring = 512;
    town->rest.frames_max_bytes = options->frames_max_bytes;
    rest_restart(&town->rest);
    open_posts(town);
    town_settle(town, options->devices);
    town_stream_open(town);
    town->round_us = town->pull_us = now(town);
}

void town_restart(struct town *town)
{
    http_inject_close(town->stream);
    rest_restart(&town->rest);
    town->rest.world.sent_count = 0;
    town_stream_open(town);
}

void town_close(struct town *town)
{
    http_inject_close(town->stream);
    rest_close(&town->rest);
}
