/* town_people.c - who uses REST, who disturbs; see town.h. */
#include "core/json.h"
#include "sim/crypto.h"
#include "sim/identity.h"
#include "tests/flow/town.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API  "/api/v1"
#define KIND 10 /* of devices; see kind_of */

/* ---- REST ------------------------------------------------------------------------------------ */

struct rest_answer town_call(struct town *town, int status, const char *method, const char *path,
                             const char *body)
{
    town->counts.calls++;
    return rest_must(&town->rest, status, method, path, body);
}

static const char *eui_of(struct town *town, const struct member *member)
{
    char text[LW_EUI_TEXT];

    return rest_print(&town->rest, "%s", lw_eui_text(text, member->device.dev_eui));
}

static const char *key_of(struct town *town, const struct lw_key *key)
{
    char text[33];

    return rest_print(&town->rest, "%s", hex_write(text, key->b, sizeof(key->b)));
}

/* ---- settling -------------------------------------------------------------------------------- */

static const enum lw_version versions[] = {LW_1_0_0, LW_1_0_1, LW_1_0_2,
                                           LW_1_0_3, LW_1_0_4, LW_1_1_0};

static void make_profile(struct town *town, size_t at)
{
    struct rest *rest = &town->rest;
    struct rest_answer made =
        town_call(town, 201, "POST", API "/device-profiles",
                  rest_print(rest,
                             "{\"tenantId\":\"%s\",\"name\":\"p%zu\",\"region\":\"EU868\","
                             "\"macVersion\":\"%s\",\"deviceStatusReqIntervalS\":14400,"
                             "\"confirmedRetries\":2,\"flushQueueOnActivate\":%s}",
                             rest_id(rest, &rest->world.tenant), at, lw_version_text(versions[at]),
                             at & 1 ? "true" : "false"));

    (void)snprintf(town->profiles[at], sizeof(town->profiles[at]), "%s",
                   rest_text(made.json, "id"));
}

/* Of each ten devices six are OTAA of the six versions, three ABP, and one never speaks. */
static struct sim_device_config kind_of(struct town *town, size_t i)
{
    static const uint8_t rates[] = {5, 5, 4, 5, 3, 5, 2};
    size_t kind = i % KIND;
    struct sim_device_config config = {.seed = town->random + i,
                                       .version = (uint8_t)LW_1_0_3,
                                       .dr = rates[i % sizeof(rates)],
                                       .flags = i / KIND % 2 ? 0 : SIM_ADR};
    struct sim_identity identity;

    if (kind < 6)
        config.version = (uint8_t)versions[kind];
    else if (kind < 9)
        config.flags |= SIM_ABP;
    if (kind == 7)
        config.version = (uint8_t)LW_1_1_0;
    if (kind == 8)
        config.version = (uint8_t)LW_1_0_2;
    sim_fleet_identity(7, (uint32_t)i + 1, &identity);
    sim_identity_apply(&identity, &config);
    return config;
}

static const char *activation(struct town *town, const struct sim_device_config *config)
{
    bool is_1_1 = config->version >= LW_1_1_0;
    char addr[LW_DEV_ADDR_TEXT];
    const char *more = "";

    if (is_1_1)
        more = rest_print(&town->rest, ",\"sNwkSIntKey\":\"%s\",\"nwkSEncKey\":\"%s\"",
                          key_of(town, &config->s_nwk), key_of(town, &config->nwk_enc));
    return rest_print(&town->rest, "{\"devAddr\":\"%s\",\"appSKey\":\"%s\",\"%s\":\"%s\"%s}",
                      lw_dev_addr_text(addr, config->dev_addr), key_of(town, &config->app_s),
                      is_1_1 ? "fNwkSIntKey" : "nwkSKey", key_of(town, &config->f_nwk), more);
}

static const char *root_keys(struct town *town, const struct sim_device_config *config)
{
    return config->version >= LW_1_1_0
               ? rest_print(&town->rest, "{\"appKey\":\"%s\",\"nwkKey\":\"%s\"}",
                            key_of(town, &config->app_key), key_of(town, &config->nwk_key))
               : rest_print(&town->rest, "{\"appKey\":\"%s\"}", key_of(town, &config->app_key));
}

static void make_member(struct town *town, size_t i)
{
    static const unsigned periods[] = {3, 6, 6, 12, 12, 36};
    struct rest *rest = &town->rest;
    struct sim_device_config config = kind_of(town, i);
    struct member *member = &town->members[i];

    *member = (struct member){.next_us = CLOCK_NEVER, .abp = config.flags & SIM_ABP};
    member->period = i % KIND == 9 ? 0 : periods[i % 6];
    member->phase = (unsigned)(i / 6);
    sim_device_init(&member->device, &config);
    (void)town_call(town, 201, "POST", API "/devices",
                    rest_print(rest,
                               "{\"devEui\":\"%s\",\"name\":\"d%zu\",\"applicationId\":\"%s\","
                               "\"deviceProfileId\":\"%s\"}",
                               eui_of(town, member), i, rest_id(rest, &rest->world.application),
                               town->profiles[config.version]));
    (void)town_call(town, 200, "PUT",
                    rest_print(rest, API "/devices/%s/%s", eui_of(town, member),
                               member->abp ? "activation" : "keys"),
                    member->abp ? activation(town, &config) : root_keys(town, &config));
    arena_reset(&rest->world.arena);
}

void town_settle(struct town *town, size_t devices)
{
    char eui[LW_EUI_TEXT];

    ck_assert_uint_le(devices, TOWN_MEMBERS);
    for (size_t i = 0; i < TOWN_GATEWAYS; i++)
        (void)town_call(town, 201, "POST", API "/gateways",
                        rest_print(&town->rest,
                                   "{\"gatewayId\":\"%s\",\"tenantId\":\"%s\",\"name\":\"g\"}",
                                   lw_eui_text(eui, town->posts[i].gw.eui),
                                   rest_id(&town->rest, &town->rest.world.tenant)));
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        make_profile(town, i);
    for (size_t i = 0; i < devices; i++)
        make_member(town, i);
    town->member_count = devices;
}

/* ---- the stream ------------------------------------------------------------------------------ */

void town_stream_open(struct town *town)
{
    char at[24];

    (void)snprintf(at, sizeof(at), "%016" PRIx64, town->stream_at);
    town->rest.last_event_id = town->stream_at ? at : NULL;
    town->stream = rest_stream(&town->rest, NULL, API "/events/stream");
    ck_assert_int_eq(http_captured(town->stream).status, 200);
}

void town_stream_read(struct town *town)
{
    struct http_captured got;
    const char *text, *at;

    world_run(&town->rest.world, 0);
    httpd_tick(town->rest.httpd);
    got = http_captured(town->stream);
    ck_assert_msg(!got.ended, "the stream was cut");
    text = got.body.n ? arena_strndup(&town->rest.world.arena, (const char *)got.body.p, got.body.n)
                      : "";
    for (at = text; *at; at = strchr(at, '\n') + 1) {
        if (strncmp(at, "id: ", 4) == 0) {
            uint64_t pos = strtoull(at + 4, NULL, 16);

            ck_assert_msg(!town->stream_at || pos == town->stream_at + 1,
                          "event %" PRIu64 " after %" PRIu64, pos, town->stream_at);
            town->stream_at = pos;
            town->counts.events++;
        }
        ck_assert_ptr_nonnull(strchr(at, '\n'));
    }
    http_inject_drain(town->stream);
}

/* ---- who disturbs ---------------------------------------------------------------------------- */

static size_t noise(struct town *town, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)town_draw(town, 256);
    return n;
}

/* Datagrams that are none, or whose text is broken; sometimes of a gateway that nobody knows. */
static void junk(struct town *town)
{
    static const char *const texts[] = {"{\"rxpk\":[{\"tmst\":1,\"freq\":868.1",
                                        "{\"rxpk\":7}",
                                        "[[[[[[[[[[[[[[[[",
                                        "{\"stat\":{\"time\":\"x\"}}",
                                        "",
                                        "{\"rxpk\":[{\"data\":\"====\",\"size\":400}]}"};
    const struct post *post = &town->posts[town_draw(town, TOWN_GATEWAYS)];
    const char *text = texts[town_draw(town, sizeof(texts) / sizeof(texts[0]))];
    uint8_t data[128];
    struct wr wr = wr_of(data, sizeof(data));
    size_t n;

    wr_u8(&wr, (uint8_t)(1 + town_draw(town, 3)));
    wr_u16be(&wr, (uint16_t)town_draw(town, 65536));
    wr_u8(&wr, (uint8_t)town_draw(town, 7));
    wr_u64be(&wr, town_draw(town, 2) ? post->gw.eui.v : sim_random(&town->random));
    wr_copy(&wr, text, strlen(text));
    n = wr_len(&wr);
    if (!town_draw(town, 3))
        n = noise(town, data, town_draw(town, 40));
    world_datagram(&town->rest.world, &post->push, data, n);
    town->counts.nuisances++;
}

/* A gateway that nobody knows asks for downlinks. */
static void unknown_gateway(struct town *town)
{
    struct address from = town->posts[0].pull;
    uint8_t data[12];
    struct wr wr = wr_of(data, sizeof(data));

    from.ip[15] = (uint8_t)(20 + town_draw(town, 200));
    wr_u8(&wr, 2);
    wr_u16be(&wr, (uint16_t)town_draw(town, 65536));
    wr_u8(&wr, 2);
    wr_u64be(&wr, sim_random(&town->random));
    world_datagram(&town->rest.world, &from, data, sizeof(data));
    town->counts.nuisances++;
}

/* A frame of a device that is not of this network: data, a join, or neither. */
static void stranger(struct town *town)
{
    static const uint8_t headers[] = {0x40, 0x80, 0x00, 0xe0, 0x20, 0xc0};
    struct post *post = &town->posts[town_draw(town, TOWN_GATEWAYS)];
    uint8_t phy[64], data[SIM_DATAGRAM_MAX];
    struct wr wr = wr_of(data, sizeof(data));
    struct sim_heard heard = {
        .end_us = town->rest.world.clock.mono,
        .frequency_hz = 868100000,
        .rate = {.kind = MOD_LORA, .sf = 7, .bandwidth_hz = 125000, .coding_rate = 1},
        .stat = 1,
        .rssi_dbm = -100};
    size_t at = town_draw(town, sizeof(headers));
    size_t n = noise(town, phy, headers[at] ? 12 + town_draw(town, 40) : 23);

    phy[0] = headers[at];
    heard.phy = (struct bytes){phy, n};
    /* Half of the data frames bear an address that is in use. */
    if (phy[0] & 0xc0 && town_draw(town, 2)) {
        struct wr addr = wr_of(phy + 1, 4);

        wr_u32le(&addr, town->members[town_draw(town, town->member_count)].device.dev_addr.v);
    }
    if (post->back_round)
        return;
    (void)sim_gateway_push(&post->gw, &heard, 1, &wr);
    world_datagram(&town->rest.world, &post->push, data, wr_len(&wr));
    town->counts.nuisances++;
}

/* Gateways begin anew, go and come back (behind another port), and refuse. */
static void trouble(struct town *town)
{
    struct post *post = &town->posts[town_draw(town, TOWN_GATEWAYS)];

    for (size_t i = 0; i < TOWN_GATEWAYS; i++) {
        if (town->posts[i].back_round == town->round) {
            town->posts[i].back_round = 0;
            town->posts[i].push.port = (uint16_t)(40001 + 2 * town_draw(town, 1000));
            town->posts[i].pull.port = (uint16_t)(town->posts[i].push.port + 1);
        }
    }
    if (post->back_round)
        return;
    switch (town_draw(town, 40)) {
    case 0:
    case 1: {
        uint8_t version = post->gw.version;

        sim_gateway_init(&post->gw, post->gw.eui, (uint32_t)sim_random(&town->random));
        post->gw.version = version;
        town->counts.restarts++;
        break;
    }
    case 2: post->back_round = town->round + 1 + town_draw(town, 18); break;
    case 3:
    case 4:
        post->gw.next_result = (uint8_t)(1 + town_draw(town, TX_GPS_UNLOCKED));
        post->gw.next_result_count = (uint8_t)(1 + town_draw(town, 4));
        break;
    default: break;
    }
}

/* ---- who uses REST --------------------------------------------------------------------------- */

static void queue_one(struct town *town)
{
    struct rest *rest = &town->rest;
    const struct member *member = &town->members[town_draw(town, town->member_count)];
    bool spoken = member->period && sim_device_joined(&member->device);
    char when[CLOCK_TEXT];
    const char *expires = "";

    /* Of who never speaks nothing may wait for ever. */
    if (!spoken || town_draw(town, 2))
        expires =
            rest_print(rest, ",\"expiresAt\":\"%s\"",
                       clock_text(when, rest->world.clock.utc +
                                            (int64_t)(1 + town_draw(town, 14400)) * US_PER_S));
    (void)town_call(town, 201, "POST",
                    rest_print(rest, API "/devices/%s/queue", eui_of(town, member)),
                    rest_print(rest, "{\"fPort\":%d,\"data\":\"AQIDBA==\",\"confirmed\":%s%s}",
                               (int)(1 + town_draw(town, 200)),
                               town_draw(town, 3) ? "false" : "true", expires));
    town->counts.queued++;
}

static void looks_around(struct town *town)
{
    static const char *const of_device[] = {"", "/queue", "/events", "/frames?limit=100",
                                            "/diagnosis"};
    static const char *const others[] = {API "/devices?limit=50", API "/gateways",
                                         API "/gateways:unknown", "/metrics", "/readyz"};
    struct rest *rest = &town->rest;
    const struct member *member = &town->members[town_draw(town, town->member_count)];
    char gateway[LW_EUI_TEXT];

    for (size_t i = 0; i < sizeof(of_device) / sizeof(of_device[0]); i++)
        (void)town_call(town, 200, "GET",
                        rest_print(rest, API "/devices/%s%s", eui_of(town, member), of_device[i]),
                        NULL);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        (void)town_call(town, 200, "GET", others[i], NULL);
    lw_eui_text(gateway, town->posts[town_draw(town, TOWN_GATEWAYS)].gw.eui);
    (void)town_call(town, 200, "GET",
                    rest_print(rest, API "/gateways/%s/frames?limit=100", gateway), NULL);
}

/* A device that never spoke is deleted, with what waits for it, and made anew; another is changed.
 */
static void administers(struct town *town)
{
    struct rest *rest = &town->rest;
    const struct member *other = &town->members[town_draw(town, town->member_count)];
    size_t i = town_draw(town, town->member_count / KIND) * KIND + KIND - 1;

    (void)town_call(town, 204, "DELETE",
                    rest_print(rest, API "/devices/%s", eui_of(town, &town->members[i])), NULL);
    make_member(town, i);
    (void)town_call(town, 200, "PATCH", rest_print(rest, API "/devices/%s", eui_of(town, other)),
                    rest_print(rest, "{\"description\":\"round %" PRIu64 "\"}", town->round));
    town->counts.writes += 4;
}

/* The client of the stream goes and comes back to where it was. */
static void reconnects(struct town *town)
{
    http_inject_close(town->stream);
    rest_step(&town->rest);
    town_stream_open(town);
}

void town_life(struct town *town)
{
    trouble(town);
    junk(town);
    unknown_gateway(town);
    stranger(town);
    stranger(town);
    if (!town_draw(town, 2))
        queue_one(town);
    if (town->round % 6 == 0)
        looks_around(town);
    town_stream_read(town);
    if (town->round % 36 == 0) {
        administers(town);
        reconnects(town);
    }
}
