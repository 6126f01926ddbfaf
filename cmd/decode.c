/*
 * decode.c - explains a PHYPayload down to the last MAC command, with keys also what is encrypted.
 */
#include "cmd/decode.h"

#include "cmd/cmd.h"
#include "lorawan/frame.h"
#include "lorawan/mac.h"
#include "lorawan/multicast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *hex;
    const char *app_s_key, *nwk_s_key, *f_nwk, *s_nwk, *nwk_enc, *mc_key, *fcnt, *version;
    const char *app_key, *nwk_key, *request, *join_eui;
};

struct keys {
    struct lw_key app_s, f_nwk, s_nwk, nwk_enc, mc;
    bool has_app_s, has_f, has_s, has_enc, has_mc;
    bool is_11; /* the session: FOpts are encrypted, and MICs differ by direction */
    uint32_t fcnt_high;
    uint32_t package_version; /* 0: the newest */
    struct decode_join join;
};

static bool parse(int argc, char **argv, struct options *o)
{
    const struct decode_flag flags[] = {
        {"--app-s-key", &o->app_s_key},     {"--nwk-s-key", &o->nwk_s_key},
        {"--f-nwk-s-int-key", &o->f_nwk},   {"--s-nwk-s-int-key", &o->s_nwk},
        {"--nwk-s-enc-key", &o->nwk_enc},   {"--app-key", &o->app_key},
        {"--nwk-key", &o->nwk_key},         {"--request", &o->request},
        {"--join-eui", &o->join_eui},       {"--mc-key", &o->mc_key},
        {"--package-version", &o->version}, {"--fcnt", &o->fcnt}};

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
           read_key(o->app_key, &keys->join.root, &keys->join.has_root) &&
           read_key(o->nwk_key, &keys->join.root, &keys->join.has_root) &&
           read_key(o->f_nwk, &keys->f_nwk, &keys->has_f) &&
           read_key(o->s_nwk, &keys->s_nwk, &keys->has_s) &&
           read_key(o->s_nwk, &keys->join.s_nwk, &keys->join.has_s_nwk) &&
           read_key(o->nwk_enc, &keys->nwk_enc, &keys->has_enc);
}

/* What a join-accept answers: its MIC is over that too. */
static bool read_request(const struct options *o, struct decode_join *join, struct lw_frame *frame,
                         uint8_t room[LW_PHY_MAX])
{
    uint8_t eui[8];
    struct rd rd = rd_of(eui, sizeof(eui));
    size_t n;

    if (o->join_eui && !hex_read(eui, sizeof(eui), o->join_eui, strlen(o->join_eui)))
        return false;
    if (o->join_eui)
        join->join_eui.v = rd_u64be(&rd);
    if (!o->request)
        return true;
    n = hex_read_any(room, LW_PHY_MAX, o->request, strlen(o->request));
    if (n == SIZE_MAX || lw_frame_read((struct bytes){room, n}, frame) != DROP_NONE)
        return false;
    join->request = frame;
    if (frame->ftype == LW_REJOIN_REQUEST)
        return frame->rejoin.type == 1 || o->join_eui;
    return frame->ftype == LW_JOIN_REQUEST;
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
    } else if (frame.ftype != LW_PROPRIETARY) {
        decode_join(&frame, &keys->join);
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
    uint8_t phy[LW_PHY_MAX], request[LW_PHY_MAX];
    struct lw_frame asked;
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
    if (!read_request(&o, &keys.join, &asked, request))
        return cmd_wrong(argv[0],
                         "--request is a Join- or Rejoin-Request in hex; rejoins of type 0 "
                         "and 2 need --join-eui, 16 hex digits");
    n = hex_read_any(phy, sizeof(phy), o.hex, strlen(o.hex));
    if (n == SIZE_MAX)
        return cmd_fail("%s: must be hex, at most 255 octets", o.hex);
    drop = print_frame((struct bytes){phy, n}, &keys);
    return drop ? cmd_fail("%s", drop_help(drop)) : EXIT_SUCCESS;
}
