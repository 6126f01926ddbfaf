/*
 * decode.c - explains a PHYPayload down to the last MAC command, with keys also what is encrypted.
 */
#include "cmd/cmd.h"
#include "core/clock.h"
#include "lorawan/frame.h"
#include "lorawan/gps.h"
#include "lorawan/mac.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *hex;
    const char *app_s_key, *nwk_s_key, *f_nwk, *s_nwk, *nwk_enc, *app_key, *fcnt;
};

struct keys {
    struct lw_key app_s, f_nwk, s_nwk, nwk_enc, app;
    bool has_app_s, has_nwk, has_11, has_app;
    uint32_t fcnt_high;
};

static bool parse(int argc, char **argv, struct options *o)
{
    const struct {
        const char *flag;
        const char **to;
    } flags[] = {{"--app-s-key", &o->app_s_key},
                 {"--nwk-s-key", &o->nwk_s_key},
                 {"--f-nwk-s-int-key", &o->f_nwk},
                 {"--s-nwk-s-int-key", &o->s_nwk},
                 {"--nwk-s-enc-key", &o->nwk_enc},
                 {"--app-key", &o->app_key},
                 {"--fcnt", &o->fcnt}};

    for (int i = 1; i < argc; i++) {
        const char **to = NULL;

        for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++)
            to = strcmp(argv[i], flags[k].flag) == 0 ? flags[k].to : to;
        if (to && i + 1 < argc)
            *to = argv[++i];
        else if (argv[i][0] != '-' && !o->hex)
            o->hex = argv[i];
        else
            return false;
    }
    return o->hex != NULL;
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
    bool ignored = false;

    if (o->nwk_s_key) {
        if (!read_key(o->nwk_s_key, &keys->f_nwk, &keys->has_nwk))
            return false;
        keys->s_nwk = keys->nwk_enc = keys->f_nwk;
    }
    keys->fcnt_high = o->fcnt ? (uint32_t)strtoul(o->fcnt, NULL, 0) & 0xffff0000u : 0;
    return read_key(o->app_s_key, &keys->app_s, &keys->has_app_s) &&
           read_key(o->app_key, &keys->app, &keys->has_app) &&
           read_key(o->f_nwk, &keys->f_nwk, &keys->has_nwk) &&
           read_key(o->s_nwk, &keys->s_nwk, &keys->has_11) &&
           read_key(o->nwk_enc, &keys->nwk_enc, &ignored);
}

static void line(const char *name, const char *text)
{
    (void)printf("%-14s %s\n", name, text);
}

static void line_hex(const char *name, struct bytes b)
{
    char text[2 * LW_PHY_MAX + 1];

    line(name, hex_write(text, b.p, b.n));
}

static void print_octets(struct bytes b, bool reversed)
{
    for (size_t i = 0; i < b.n; i++)
        (void)printf("%02x", b.p[reversed ? b.n - 1 - i : i]);
}

/* The smallest and the greatest of 32 bits mean "now" and "never" rather than a time. */
static void print_gps(int64_t gps_s)
{
    char text[CLOCK_TEXT];

    (void)printf("%lld", (long long)gps_s);
    if (gps_s && gps_s != UINT32_MAX)
        (void)printf(" (%s)", clock_text(text, lw_utc_of_gps(gps_s * US_PER_S)));
}

static void print_number(const struct lw_field *field, struct bytes payload)
{
    int64_t value = lw_field_get(field, payload);
    char text[LW_DEV_ADDR_TEXT];

    if (field->encoding == LW_ADDR)
        (void)fputs(lw_dev_addr_text(text, (struct lw_dev_addr){(uint32_t)value}), stdout);
    else if (field->encoding == LW_GPS)
        print_gps(value);
    else if (field->encoding == LW_CLASS && value <= LW_CLASS_C)
        (void)putchar("ABC"[value]);
    else
        (void)printf("%lld", (long long)value);
}

static void print_fields(const struct lw_command *def, struct bytes payload);

static void print_list(const struct lw_command *item, struct bytes range)
{
    for (size_t at = 0; at + item->length <= range.n; at += item->length) {
        (void)putchar(at ? ',' : '[');
        print_fields(item, (struct bytes){range.p + at, item->length});
    }
    (void)fputs(range.n ? " ]" : "[]", stdout);
}

/* Whether a number lies in what was sent: a time after an error does not. */
static bool is_there(const struct lw_field *field, struct bytes payload)
{
    return (size_t)field->bit + field->width <= 8 * payload.n;
}

static void print_fields(const struct lw_command *def, struct bytes payload)
{
    for (const struct lw_field *field = def->fields; field->name; field++) {
        if (!is_there(field, payload))
            continue;
        (void)printf(" %s=", field->name);
        if (lw_field_is_number(field))
            print_number(field, payload);
        else if (field->encoding == LW_LIST)
            print_list(field->item, lw_field_range(field, payload));
        else
            print_octets(lw_field_range(field, payload), field->encoding == LW_PREFIX);
    }
}

static void print_command(const struct lw_cmd *cmd)
{
    (void)printf("  %02x %s", cmd->cid, cmd->def->name);
    print_fields(cmd->def, cmd->payload);
    (void)putchar('\n');
}

static void print_stop(const struct lw_cmd_iter *iter)
{
    if (iter->stop != LW_CMD_END)
        (void)printf("  %s from octet %zu on\n",
                     iter->stop == LW_CMD_UNKNOWN ? "an unknown command" : "a cut command",
                     iter->at);
}

static void print_commands(struct bytes stream, enum lw_direction direction)
{
    struct lw_cmd_iter iter = lw_mac_iter_of(stream, direction);
    struct lw_cmd cmd;

    while (lw_cmd_next(&iter, &cmd))
        print_command(&cmd);
    print_stop(&iter);
}

static void print_fctrl(const struct lw_frame *frame)
{
    uint8_t f = frame->data.fctrl;
    bool up = frame->direction == LW_UP;

    (void)printf("%-14s%s%s%s%s\n", "FCtrl", f & LW_FCTRL_ADR ? " ADR" : "",
                 up && f & LW_FCTRL_ADR_ACK_REQ ? " ADRACKReq" : "", f & LW_FCTRL_ACK ? " ACK" : "",
                 f & LW_FCTRL_CLASS_B ? (up ? " ClassB" : " FPending") : "");
}

static void print_mic(const struct lw_frame *frame, const struct keys *keys, uint32_t fcnt)
{
    struct lw_mic_input in = lw_mic_input_of(frame, fcnt);
    bool good;

    if (!keys->has_nwk)
        return;
    if (!keys->has_11)
        good = lw_mic_10(&keys->f_nwk, &in) == frame->mic;
    else if (frame->direction == LW_UP)
        good = lw_mic_up_f(&keys->f_nwk, &in) == frame->mic >> 16;
    else
        good = lw_mic_down_11(&keys->s_nwk, &in) == frame->mic;
    line("", good ? "the MIC agrees with the key"
                  : "the MIC does not agree (another key, or give the upper counter by --fcnt)");
}

static void print_fopts(const struct lw_frame *frame, const struct keys *keys, uint32_t fcnt)
{
    struct lw_crypt which = {frame->data.dev_addr, fcnt, frame->direction};
    uint8_t plain[LW_FOPTS_MAX];

    if (!frame->data.fopts.n)
        return;
    line_hex("FOpts", frame->data.fopts);
    memcpy(plain, frame->data.fopts.p, frame->data.fopts.n);
    if (keys->has_11)
        lw_crypt_fopts(&keys->nwk_enc, &which, LW_FOPTS_1_1, frame->data.port, frame->data.fopts,
                       plain);
    print_commands((struct bytes){plain, frame->data.fopts.n}, (enum lw_direction)frame->direction);
}

static void print_payload(const struct lw_frame *frame, const struct keys *keys, uint32_t fcnt)
{
    struct lw_crypt which = {frame->data.dev_addr, fcnt, frame->direction};
    bool network = lw_port_is_network(frame->data.port);
    uint8_t plain[LW_PHY_MAX];

    if (frame->data.port == LW_PORT_NONE)
        return;
    (void)printf("%-14s %d\n", "FPort", frame->data.port);
    line_hex("FRMPayload", frame->data.payload);
    if (network ? !keys->has_nwk : !keys->has_app_s)
        return;
    lw_crypt_payload(network ? &keys->nwk_enc : &keys->app_s, &which, frame->data.payload, plain);
    line_hex("  decrypted", (struct bytes){plain, frame->data.payload.n});
    if (frame->data.port == 0)
        print_commands((struct bytes){plain, frame->data.payload.n},
                       (enum lw_direction)frame->direction);
}

static void print_data(const struct lw_frame *frame, const struct keys *keys)
{
    uint32_t fcnt = keys->fcnt_high | frame->data.fcnt;
    char text[LW_DEV_ADDR_TEXT];

    line("DevAddr", lw_dev_addr_text(text, frame->data.dev_addr));
    print_fctrl(frame);
    (void)printf("%-14s %u\n", "FCnt", frame->data.fcnt);
    print_fopts(frame, keys, fcnt);
    print_payload(frame, keys, fcnt);
    print_mic(frame, keys, fcnt);
}

static void print_join(const struct lw_frame *frame, const struct keys *keys)
{
    char text[LW_EUI_TEXT];

    line("JoinEUI", lw_eui_text(text, frame->join.join_eui));
    line("DevEUI", lw_eui_text(text, frame->join.dev_eui));
    (void)printf("%-14s %u\n", "DevNonce", frame->join.dev_nonce);
    if (keys->has_app)
        line("", lw_mic_plain(&keys->app, frame->msg) == frame->mic
                     ? "the MIC agrees with the key"
                     : "the MIC does not agree with the key");
}

int cmd_decode(int argc, char **argv)
{
    struct options o = {0};
    struct keys keys = {0};
    struct lw_frame frame;
    uint8_t phy[LW_PHY_MAX];
    size_t n;
    enum drop drop;

    if (!parse(argc, argv, &o))
        return cmd_wrong(argv[0], "a PHYPayload in hex is needed");
    if (!read_keys(&o, &keys))
        return cmd_wrong(argv[0], "a key must be 32 hex digits");
    n = hex_read_any(phy, sizeof(phy), o.hex, strlen(o.hex));
    if (n == SIZE_MAX)
        return cmd_fail("%s: must be hex, at most 255 octets", o.hex);
    drop = lw_frame_read((struct bytes){phy, n}, &frame);
    if (drop)
        return cmd_fail("%s", drop_help(drop));
    line("FType", lw_ftype_name((enum lw_ftype)frame.ftype));
    if (lw_ftype_is_data(frame.ftype))
        print_data(&frame, &keys);
    else if (frame.ftype == LW_JOIN_REQUEST)
        print_join(&frame, &keys);
    if (frame.ftype != LW_PROPRIETARY)
        (void)printf("%-14s %08x\n", "MIC", __builtin_bswap32(frame.mic));
    return EXIT_SUCCESS;
}
