/*
 * decode.c - explains a PHYPayload down to the last MAC command, with keys also what is encrypted.
 */
#include "cmd/decode.h"

#include "cmd/cmd.h"
#include "lorawan/frame.h"
#include "lorawan/mac.h"
#include "lorawan/multicast.h"
#include "region/cflist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *hex;
    const char *app_s_key, *nwk_s_key, *f_nwk, *s_nwk, *nwk_enc, *app_key, *mc_key, *fcnt, *version;
};

struct keys {
    struct lw_key app_s, f_nwk, s_nwk, nwk_enc, app, mc;
    bool has_app_s, has_f, has_s, has_enc, has_app, has_mc;
    bool is_11; /* the session: FOpts are encrypted, and MICs differ by direction */
    uint32_t fcnt_high;
    uint32_t package_version; /* 0: the newest */
};

static bool parse(int argc, char **argv, struct options *o)
{
    const struct decode_flag flags[] = {{"--app-s-key", &o->app_s_key},
                                        {"--nwk-s-key", &o->nwk_s_key},
                                        {"--f-nwk-s-int-key", &o->f_nwk},
                                        {"--s-nwk-s-int-key", &o->s_nwk},
                                        {"--nwk-s-enc-key", &o->nwk_enc},
                                        {"--app-key", &o->app_key},
                                        {"--mc-key", &o->mc_key},
                                        {"--package-version", &o->version},
                                        {"--fcnt", &o->fcnt}};

    return decode_flags(argc, argv, flags, sizeof(flags) / sizeof(flags[0]), &o->hex) && o->hex;
}

static bool read_key(const char *text, struct lw_key *key, bool *has)
{
    if (!text)
        return true;
    *has = true;
    return hex_read(key->b, 16, text, strlen(text));
}

static bool read_keys(const struct options *o, struct keys *keys)
{
    keys->is_11 = o->f_nwk || o->s_nwk || o->nwk_enc;
    return read_key(o->nwk_s_key, &keys->f_nwk, &keys->has_f) &&
           read_key(o->nwk_s_key, &keys->s_nwk, &keys->has_s) &&
           read_key(o->nwk_s_key, &keys->nwk_enc, &keys->has_enc) &&
           read_key(o->app_s_key, &keys->app_s, &keys->has_app_s) &&
           read_key(o->mc_key, &keys->mc, &keys->has_mc) &&
           read_key(o->app_key, &keys->app, &keys->has_app) &&
           read_key(o->f_nwk, &keys->f_nwk, &keys->has_f) &&
           read_key(o->s_nwk, &keys->s_nwk, &keys->has_s) &&
           read_key(o->nwk_enc, &keys->nwk_enc, &keys->has_enc);
}

static bool read_numbers(const struct options *o, struct keys *keys)
{
    uint32_t fcnt = 0;

    if (o->fcnt && !decode_number(o->fcnt, UINT32_MAX, &fcnt))
        return false;
    keys->fcnt_high = fcnt & 0xffff0000u;
    return !o->version || decode_number(o->version, DECODE_VERSION_MAX, &keys->package_version);
}

void decode_line(const char *name, const char *text)
{
    (void)printf("%-14s %s\n", name, text);
}

void decode_hex(const char *name, struct bytes b)
{
    char text[2 * LW_PHY_MAX + 1];

    decode_line(name, hex_write(text, b.p, b.n));
}

static void print_fctrl(const struct lw_frame *frame)
{
    uint8_t f = frame->data.fctrl;
    bool up = frame->direction == LW_UP;

    (void)printf("%-14s%s%s%s%s\n", "FCtrl", f & LW_FCTRL_ADR ? " ADR" : "",
                 up && f & LW_FCTRL_ADR_ACK_REQ ? " ADRACKReq" : "", f & LW_FCTRL_ACK ? " ACK" : "",
                 f & LW_FCTRL_CLASS_B ? (up ? " ClassB" : " FPending") : "");
}

/* An ACK is signed with the low half of the uplink's counter too, which is not in the frame. */
static bool down_11_good(const struct lw_frame *frame, const struct keys *keys,
                         struct lw_mic_input in)
{
    unsigned most = frame->data.fctrl & LW_FCTRL_ACK ? UINT16_MAX : 0;
    bool good = false;

    for (unsigned conf_fcnt = 0; conf_fcnt <= most && !good; conf_fcnt++) {
        in.conf_fcnt = (uint16_t)conf_fcnt;
        good = lw_mic_down_11(&keys->s_nwk, &in) == frame->mic;
    }
    return good;
}

static void print_mic(const struct lw_frame *frame, const struct keys *keys, uint32_t fcnt)
{
    struct lw_mic_input in = lw_mic_input_of(frame, fcnt);
    bool by_s = keys->is_11 && frame->direction == LW_DOWN, good;

    if (by_s ? !keys->has_s : !keys->has_f)
        return;
    if (!keys->is_11)
        good = lw_mic_10(&keys->f_nwk, &in) == frame->mic;
    else if (frame->direction == LW_UP)
        good = lw_mic_up_f(&keys->f_nwk, &in) == frame->mic >> 16;
    else
        good = down_11_good(frame, keys, in);
    decode_line("",
                good ? "the MIC agrees with the key"
                     : "the MIC does not agree (another key, or give the upper counter by --fcnt)");
}

/* FOpts of 1.1; those of a device from before the erratum if only so they are commands (F-4). */
static void open_fopts(const struct lw_frame *frame, const struct lw_key *key, uint32_t fcnt,
                       uint8_t plain[LW_FOPTS_MAX])
{
    struct lw_crypt which = {frame->data.dev_addr, fcnt, frame->direction};
    struct bytes fopts = frame->data.fopts;
    uint8_t old[LW_FOPTS_MAX];

    lw_crypt_fopts(key, &which, LW_FOPTS_1_1, frame->data.port, fopts, plain);
    lw_crypt_fopts(key, &which, LW_FOPTS_1_1_OLD, frame->data.port, fopts, old);
    if (!lw_mac_stream_valid((struct bytes){plain, fopts.n}, (enum lw_direction)which.direction) &&
        lw_mac_stream_valid((struct bytes){old, fopts.n}, (enum lw_direction)which.direction)) {
        memcpy(plain, old, fopts.n);
        decode_line("", "encrypted as before the erratum of 1.1");
    }
}

static void print_fopts(const struct lw_frame *frame, const struct keys *keys, uint32_t fcnt)
{
    uint8_t plain[LW_FOPTS_MAX];

    if (!frame->data.fopts.n)
        return;
    decode_hex("FOpts", frame->data.fopts);
    if (keys->is_11 && !keys->has_enc)
        return;
    memcpy(plain, frame->data.fopts.p, frame->data.fopts.n);
    if (keys->is_11)
        open_fopts(frame, &keys->nwk_enc, fcnt, plain);
    decode_mac((struct bytes){plain, frame->data.fopts.n}, (enum lw_direction)frame->direction);
}

static void print_payload(const struct lw_frame *frame, const struct keys *keys, uint32_t fcnt)
{
    struct lw_crypt which = {frame->data.dev_addr, fcnt, frame->direction};
    bool network = lw_port_is_network(frame->data.port);
    uint8_t plain[LW_PHY_MAX];

    if (frame->data.port == LW_PORT_NONE)
        return;
    (void)printf("%-14s %d\n", "FPort", frame->data.port);
    decode_hex("FRMPayload", frame->data.payload);
    if (network ? !keys->has_enc : !keys->has_app_s)
        return;
    lw_crypt_payload(network ? &keys->nwk_enc : &keys->app_s, &which, frame->data.payload, plain);
    decode_hex("  decrypted", (struct bytes){plain, frame->data.payload.n});
    (void)decode_payload(frame->data.port, (struct bytes){plain, frame->data.payload.n},
                         (enum lw_direction)frame->direction, keys->package_version);
}

static void print_data(const struct lw_frame *frame, const struct keys *keys)
{
    uint32_t fcnt = keys->fcnt_high | frame->data.fcnt;
    char text[LW_DEV_ADDR_TEXT];

    decode_line("DevAddr", lw_dev_addr_text(text, frame->data.dev_addr));
    print_fctrl(frame);
    (void)printf("%-14s %u\n", "FCnt", frame->data.fcnt);
    print_fopts(frame, keys, fcnt);
    print_payload(frame, keys, fcnt);
    print_mic(frame, keys, fcnt);
}

static void print_join(const struct lw_frame *frame, const struct keys *keys)
{
    char text[LW_EUI_TEXT];

    decode_line("JoinEUI", lw_eui_text(text, frame->join.join_eui));
    decode_line("DevEUI", lw_eui_text(text, frame->join.dev_eui));
    (void)printf("%-14s %u\n", "DevNonce", frame->join.dev_nonce);
    if (keys->has_app)
        decode_line("", lw_mic_plain(&keys->app, frame->msg) == frame->mic
                            ? "the MIC agrees with the key"
                            : "the MIC does not agree with the key");
}

static void print_rejoin(const struct lw_frame *frame, const struct keys *keys)
{
    const struct lw_rejoin *rejoin = &frame->rejoin;
    char text[LW_EUI_TEXT];

    (void)printf("%-14s %u\n", "Type", rejoin->type);
    if (rejoin->type == 1)
        decode_line("JoinEUI", lw_eui_text(text, rejoin->join_eui));
    else
        (void)printf("%-14s %06x\n", "NetID", rejoin->net_id.v);
    decode_line("DevEUI", lw_eui_text(text, rejoin->dev_eui));
    (void)printf("%-14s %u\n", rejoin->type == 1 ? "RJcount1" : "RJcount0", rejoin->rj_count);
    if (keys->is_11 && keys->has_s && rejoin->type != 1)
        decode_line("", lw_mic_plain(&keys->s_nwk, frame->msg) == frame->mic
                            ? "the MIC agrees with the key"
                            : "the MIC does not agree with the key");
}

/* Frequencies, or the numbers of channels (in a plan that the network makes: of places in its list)
 * as "8-15 65". Of a type that there is not, the octets alone. */
static void print_cflist(const uint8_t octets[CFLIST_LEN])
{
    struct cflist list;

    decode_hex("CFList", (struct bytes){octets, CFLIST_LEN});
    if (cflist_read(octets, &list) != OK)
        return;
    (void)printf("  %-12s", list.type ? "channels" : "frequencies");
    for (size_t i = 0; i < CFLIST_FREQUENCIES; i++) {
        if (list.frequency_hz[i])
            (void)printf(" %u", list.frequency_hz[i]);
    }
    for (int i = -1; (i = chmask_next(&list.enabled, i + 1)) >= 0;) {
        int first = i;

        while (chmask_test(&list.enabled, (unsigned)i + 1))
            i++;
        (void)printf(i > first ? " %d-%d" : " %d", first, i);
    }
    (void)putchar('\n');
}

/* By AppKey as in 1.0.x. With OptNeg the MIC is over the request too, which is not here. */
static void print_accept(const struct lw_frame *frame, const struct keys *keys)
{
    struct lw_join_context context = {&keys->app, &keys->app, LW_REQUEST_JOIN, {0}, 0};
    struct lw_join_accept accept;
    char text[LW_DEV_ADDR_TEXT];
    enum err err;

    if (!keys->has_app)
        return;
    err = lw_join_accept_read(frame->phy, &context, &accept);
    if (err == ERR_MALFORMED)
        return; /* reserved bits of the MHDR */
    (void)printf("%-14s %06x\n", "JoinNonce", accept.join_nonce);
    (void)printf("%-14s %06x\n", "NetID", accept.net_id.v);
    decode_line("DevAddr", lw_dev_addr_text(text, accept.dev_addr));
    (void)printf("%-14s OptNeg=%d RX1DRoffset=%u RX2DataRate=%u\n", "DLSettings", accept.opt_neg,
                 accept.rx1_dr_offset, accept.rx2_dr);
    (void)printf("%-14s %u\n", "RxDelay", accept.rx_delay);
    if (accept.has_cflist)
        print_cflist(accept.cflist);
    if (!accept.opt_neg)
        decode_line("", err == OK ? "the MIC agrees with the key"
                                  : "the MIC does not agree with the key");
}

/* A group's keys come from McKey and its address. */
static void use_mc_key(const struct lw_frame *frame, struct keys *keys)
{
    struct lw_mc_keys mc;

    if (!keys->has_mc)
        return;
    lw_mc_keys(&keys->mc, frame->data.dev_addr, &mc);
    keys->app_s = mc.app_s_key;
    keys->f_nwk = keys->nwk_enc = mc.nwk_s_key;
    keys->has_app_s = keys->has_f = keys->has_enc = true;
    keys->is_11 = false;
}

static enum drop print_frame(struct bytes phy, struct keys *keys)
{
    struct lw_frame frame;
    enum drop drop = lw_frame_read(phy, &frame);

    if (drop)
        return drop;
    decode_line("FType", lw_ftype_name((enum lw_ftype)frame.ftype));
    if (lw_ftype_is_data(frame.ftype)) {
        use_mc_key(&frame, keys);
        print_data(&frame, keys);
    } else if (frame.ftype == LW_JOIN_REQUEST) {
        print_join(&frame, keys);
    } else if (frame.ftype == LW_REJOIN_REQUEST) {
        print_rejoin(&frame, keys);
    } else if (frame.ftype == LW_JOIN_ACCEPT) {
        print_accept(&frame, keys);
    } else if (frame.proprietary.n) {
        decode_hex("payload", frame.proprietary);
    }
    if (frame.ftype != LW_PROPRIETARY)
        (void)printf("%-14s %08x\n", "MIC", __builtin_bswap32(frame.mic));
    return DROP_NONE;
}

void decode_nested(struct bytes phy)
{
    struct keys none = {0};
    enum drop drop;

    decode_hex("  frame", phy);
    drop = print_frame(phy, &none);
    if (drop)
        decode_line("", drop_help(drop));
}

static bool has_flag(int argc, char **argv, const char *flag)
{
    bool has = false;

    for (int i = 1; i < argc; i++)
        has = has || strcmp(argv[i], flag) == 0;
    return has;
}

int cmd_decode(int argc, char **argv)
{
    struct options o = {0};
    struct keys keys = {0};
    uint8_t phy[LW_PHY_MAX];
    size_t n;
    enum drop drop;

    if (argc > 1 && !strcmp(argv[1], "--ts002"))
        return cmd_decode_message(argc, argv);
    if (has_flag(argc, argv, "--beacon") || has_flag(argc, argv, "--port"))
        return decode_part(argc, argv);
    if (has_flag(argc, argv, "--wor"))
        return decode_wor(argc, argv);
    if (!parse(argc, argv, &o))
        return cmd_wrong(argv[0], "a PHYPayload in hex is needed");
    if (!read_keys(&o, &keys))
        return cmd_wrong(argv[0], "a key must be 32 hex digits");
    if (!read_numbers(&o, &keys))
        return cmd_wrong(argv[0], "--fcnt has 32 bits, a package's version is 1..254");
    n = hex_read_any(phy, sizeof(phy), o.hex, strlen(o.hex));
    if (n == SIZE_MAX)
        return cmd_fail("%s: must be hex, at most 255 octets", o.hex);
    drop = print_frame((struct bytes){phy, n}, &keys);
    return drop ? cmd_fail("%s", drop_help(drop)) : EXIT_SUCCESS;
}
