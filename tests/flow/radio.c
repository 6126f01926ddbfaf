/* radio.c - the packet forwarder of flow tests. */
#include "tests/flow/radio.h"

#include "core/json.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void radio_open(struct world *world, struct radio *radio, uint64_t gateway)
{
    *radio = (struct radio){
        .gateway = gateway, .version = 2, .tmst_offset = (uint32_t)hash_u64(gateway)};
    ck_assert_int_eq(address_read("192.0.2.1:40001", &radio->push), OK);
    radio->push.ip[15] = (uint8_t)gateway;
    radio->pull = radio->push;
    radio->pull.port = 40002;
    radio_pull(world, radio);
}

static size_t header(uint8_t *to, uint8_t id, uint16_t token, const struct radio *radio)
{
    struct wr wr = wr_of(to, 12);

    wr_u8(&wr, radio->version);
    wr_u16be(&wr, token);
    wr_u8(&wr, id);
    wr_u64be(&wr, radio->gateway);
    return 12;
}

void radio_pull(struct world *world, const struct radio *radio)
{
    uint8_t data[12];

    world_datagram(world, &radio->pull, data, header(data, 2, (uint16_t)world->random, radio));
}

static uint32_t tmst_now(const struct world *world, const struct radio *radio)
{
    return radio->tmst_offset + (uint32_t)world->clock.mono;
}

void radio_heard(struct world *world, const struct radio *radio, struct bytes phy,
                 uint32_t frequency_hz, const char *rate, double snr)
{
    uint8_t data[1024];
    char base64[512], gps[40] = "";
    size_t n = header(data, 0, (uint16_t)(world->clock.mono / 7), radio);

    (void)base64_write(base64, phy.p, phy.n);
    if (radio->gps_ms)
        (void)snprintf(gps, sizeof(gps), "\"tmms\":%lld,", (long long)radio->gps_ms);
    n +=
        (size_t)snprintf((char *)data + n, sizeof(data) - n,
                         "{\"rxpk\":[{%s\"tmst\":%u,\"chan\":0,\"rfch\":0,\"freq\":%.6f,\"stat\":1,"
                         "\"modu\":\"LORA\",\"datr\":\"%s\",\"codr\":\"%s\",\"rssi\":-60,"
                         "\"lsnr\":%.1f,\"size\":%zu,\"data\":\"%s\"}]}",
                         gps, tmst_now(world, radio), frequency_hz / 1e6, rate,
                         strstr(rate, "BW812") ? "4/8LI" : "4/5", snr, phy.n, base64);
    world_datagram(world, &radio->push, data, n);
}

static double number(const struct node *txpk, const char *key)
{
    const struct node *node = node_get(txpk, key);

    ck_assert_msg(node != NULL, "txpk lacks %s", key);
    return node->kind == NODE_INT ? (double)node->integer : node->number;
}

static void read_txpk(struct world *world, const struct world_sent *sent, struct radio_down *down)
{
    const struct node *root, *txpk, *node;
    const char *why = "";

    ck_assert_msg(
        json_read((const char *)sent->data + 4, sent->n - 4, &world->arena, &root, &why) == OK,
        "%s", why);
    txpk = node_get(root, "txpk");
    *down = (struct radio_down){.token = (uint16_t)(sent->data[1] << 8 | sent->data[2]),
                                .frequency_hz = (uint32_t)llround(number(txpk, "freq") * 1e6),
                                .power_dbm = (int)number(txpk, "powe"),
                                .sent_us = sent->at_us};
    node = node_get(txpk, "imme");
    down->immediate = node && node->boolean;
    if (!down->immediate)
        down->tmst = (uint32_t)number(txpk, "tmst");
    (void)snprintf(down->rate, sizeof(down->rate), "%s", node_get(txpk, "datr")->text);
    (void)snprintf(down->coding, sizeof(down->coding), "%s", node_get(txpk, "codr")->text);
    ck_assert(node_get(txpk, "ipol")->boolean);
    ck_assert(node_get(txpk, "ncrc")->boolean);
    node = node_get(txpk, "data");
    down->phy_n = base64_read(down->phy, sizeof(down->phy), node->text, node->len);
    ck_assert_uint_eq(down->phy_n, (size_t)number(txpk, "size"));
}

bool radio_down(struct world *world, const struct radio *radio, size_t *at, struct radio_down *down)
{
    for (; *at < world->sent_count; (*at)++) {
        const struct world_sent *sent = &world->sent[*at];

        if (sent->n < 4 || sent->data[3] != 3 || !address_equal(&sent->to, &radio->pull))
            continue;
        read_txpk(world, sent, down);
        (*at)++;
        return true;
    }
    return false;
}

void radio_ack(struct world *world, const struct radio *radio, const struct radio_down *down,
               const char *error)
{
    uint8_t data[128];
    size_t n = header(data, 5, down->token, radio);

    if (error)
        n += (size_t)snprintf((char *)data + n, sizeof(data) - n,
                              "{\"txpk_ack\":{\"error\":\"%s\"}}", error);
    world_datagram(world, &radio->pull, data, n);
}

int64_t radio_delay_us(const struct radio *radio, const struct radio_down *down, int64_t heard_us)
{
    return (int64_t)(int32_t)(down->tmst - (radio->tmst_offset + (uint32_t)heard_us));
}
