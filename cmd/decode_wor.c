/*
 * decode_wor.c - what a device and its relay say to each other: WOR, and the WOR ACK to it (TS011;
 * relay reference 2.1-2.3). No network server sees these frames; who has them, has a sniffer.
 */
#include "cmd/cmd.h"
#include "cmd/decode.h"
#include "relay/wor.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *wor, *wor_on, *ack, *ack_on, *key, *fcnt;
};

static void print_channel(const char *name, const struct relay_channel *channel)
{
    (void)printf("%-14s %" PRIu32 " Hz DR%u\n", name, channel->frequency_hz, channel->dr);
}

/* "865100000,3": frequency in Hz and data rate of a frame of these, as the channel plan has them.
 */
static bool read_channel(const char *text, struct relay_channel *channel)
{
    char hz[16] = "";
    const char *comma = text ? strchr(text, ',') : NULL;
    uint32_t dr;

    if (!comma || (size_t)(comma - text) >= sizeof(hz))
        return false;
    memcpy(hz, text, (size_t)(comma - text));
    if (!decode_number(hz, UINT32_MAX, &channel->frequency_hz) ||
        !decode_number(comma + 1, 15, &dr))
        return false;
    channel->dr = (uint8_t)dr;
    return true;
}

static void print_uplink(const struct relay_wor *wor)
{
    char text[LW_DEV_ADDR_TEXT];

    decode_line("DevAddr", lw_dev_addr_text(text, wor->uplink.dev_addr));
    (void)printf("%-14s %u\n", "WFCnt", wor->uplink.wfcnt);
    decode_hex("encrypted", (struct bytes){wor->uplink.encrypted, sizeof(wor->uplink.encrypted)});
    (void)printf("%-14s %08" PRIx32 "\n", "MIC", __builtin_bswap32(wor->uplink.mic));
}

static int print_ack(struct bytes frame, const struct relay_exchange *exchange)
{
    static const char *const forwarding[] = {"yes", "again in 30 minutes", "again in 60 minutes",
                                             "off"};
    struct relay_state state;
    unsigned period;

    switch (relay_wor_ack_open(frame, exchange, &state)) {
    case OK: break;
    case ERR_CRYPTO:
        return cmd_fail("the MIC of the WOR ACK does not agree with the key, the counter and the "
                        "uplink's channel (is --wor-on right?)");
    default:
        return cmd_fail("no WOR ACK: it has %d octets, and a channel in steps of 100 Hz",
                        RELAY_WOR_ACK_LEN);
    }
    decode_line("WOR ACK", "to it");
    decode_line("", "the MIC agrees with the key");
    period = relay_cad_period_ms(state.cad_periodicity);
    (void)printf("%-14s %u ms\n", "TOffset", state.t_offset_ms);
    (void)printf("%-14s %u", "CADPeriodicity", state.cad_periodicity);
    (void)(period ? printf(" (%u ms)\n", period) : printf(" (reserved)\n"));
    (void)printf("%-14s %u ppm\n", "XTALAccuracy", relay_xtal_ppm(state.xtal_accuracy));
    (void)printf("%-14s DR%u\n", "RelayDataRate", state.dr);
    (void)printf("%-14s %u symbols\n", "CADToRX", relay_cad_to_rx_symbols(state.cad_to_rx));
    decode_line("Forward", forwarding[state.forward & 3]);
    return EXIT_SUCCESS;
}

/* By RootWorSKey, the whole counter and the channel it was heard on. */
static int open_uplink(const struct options *o, const struct relay_wor *wor)
{
    uint8_t room[LW_PHY_MAX];
    struct relay_wor_keys keys;
    struct relay_exchange exchange = {.keys = &keys};
    struct lw_key root;
    uint32_t fcnt = 0;
    size_t n = 0;
    int status = EXIT_SUCCESS;

    if (!read_channel(o->wor_on, &exchange.wor) ||
        (o->ack && !read_channel(o->ack_on, &exchange.ack)))
        return cmd_wrong("decode", "what is encrypted hangs on the channel of the frame: --wor-on "
                                   "and --wor-ack-on HZ,DR");
    if (o->fcnt && !decode_number(o->fcnt, UINT32_MAX, &fcnt))
        return cmd_wrong("decode", "--fcnt has 32 bits");
    if (o->ack && (n = hex_read_any(room, sizeof(room), o->ack, strlen(o->ack))) == SIZE_MAX)
        return cmd_fail("%s: must be hex, at most 255 octets", o->ack);
    if (!hex_read(root.b, sizeof(root.b), o->key, strlen(o->key)))
        return cmd_wrong("decode", "--root-wor-s-key has 32 hex digits");
    exchange.wfcnt = (fcnt & 0xffff0000u) | wor->uplink.wfcnt;
    relay_wor_keys_of(&root, wor->uplink.dev_addr, &keys);
    switch (relay_wor_open(wor, &exchange)) {
    case OK:
        decode_line("", "the MIC agrees with the key");
        print_channel("uplink on", &exchange.uplink);
        if (o->ack)
            status = print_ack((struct bytes){room, n}, &exchange);
        break;
    case ERR_CRYPTO:
        status = cmd_fail("the MIC does not agree with the key and the counter");
        break;
    default:
        status = cmd_fail("%s: no frame names such a channel: steps of 100 Hz", o->wor_on);
        break;
    }
    relay_wor_keys_wipe(&keys);
    lw_key_wipe(&root);
    return status;
}

int decode_wor(int argc, char **argv)
{
    struct options o = {0};
    const struct decode_flag flags[] = {
        {"--wor", &o.wor},           {"--wor-on", &o.wor_on},      {"--wor-ack", &o.ack},
        {"--wor-ack-on", &o.ack_on}, {"--root-wor-s-key", &o.key}, {"--fcnt", &o.fcnt}};
    uint8_t room[LW_PHY_MAX];
    struct relay_wor wor;
    size_t n;

    if (!decode_flags(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), NULL) || !o.wor)
        return cmd_wrong(argv[0], "--wor is followed by the frame in hex");
    if (o.ack && !o.key)
        return cmd_wrong(argv[0], "a WOR ACK cannot be read without --root-wor-s-key");
    n = hex_read_any(room, sizeof(room), o.wor, strlen(o.wor));
    if (n == SIZE_MAX)
        return cmd_fail("%s: must be hex, at most 255 octets", o.wor);
    switch (relay_wor_read((struct bytes){room, n}, &wor)) {
    case OK: break;
    case ERR_UNSUPPORTED:
        return cmd_fail("an unknown type of WOR: 0 announces a join, 1 an uplink");
    default:
        return cmd_fail("no WOR: a join's has %d octets, an uplink's %d", RELAY_WOR_JOIN_LEN,
                        RELAY_WOR_UPLINK_LEN);
    }
    decode_line("WOR", wor.type == RELAY_WOR_JOIN ? "join" : "uplink");
    if (wor.type == RELAY_WOR_JOIN) {
        print_channel("join on", &wor.join);
        return o.ack ? cmd_fail("a relay never acknowledges the WOR of a join") : EXIT_SUCCESS;
    }
    print_uplink(&wor);
    return o.key ? open_uplink(&o, &wor) : EXIT_SUCCESS;
}
