/*
 * decode_join.c - how a device comes to a session: Join-Request, Rejoin-Request, and the
 * join-accept to them, read as the device does.
 */
#include "cmd/decode.h"
#include "lorawan/keys.h"
#include "region/cflist.h"

#include <stdio.h>

static void print_verdict(bool good)
{
    decode_line("", good ? "the MIC agrees with the key" : "the MIC does not agree with the key");
}

static void print_request(const struct lw_frame *frame, const struct decode_join *join)
{
    char text[LW_EUI_TEXT];

    decode_line("JoinEUI", lw_eui_text(text, frame->join.join_eui));
    decode_line("DevEUI", lw_eui_text(text, frame->join.dev_eui));
    (void)printf("%-14s %u\n", "DevNonce", frame->join.dev_nonce);
    if (join->has_root)
        print_verdict(lw_mic_plain(&join->root, frame->msg) == frame->mic);
}

/* Type 1 is signed by JSIntKey, the others by the session's SNwkSIntKey. */
static void print_rejoin(const struct lw_frame *frame, const struct decode_join *join)
{
    const struct lw_rejoin *rejoin = &frame->rejoin;
    struct lw_key key = join->s_nwk;
    char text[LW_EUI_TEXT];

    (void)printf("%-14s %u\n", "Type", rejoin->type);
    if (rejoin->type == 1)
        decode_line("JoinEUI", lw_eui_text(text, rejoin->join_eui));
    else
        (void)printf("%-14s %06x\n", "NetID", rejoin->net_id.v);
    decode_line("DevEUI", lw_eui_text(text, rejoin->dev_eui));
    (void)printf("%-14s %u\n", rejoin->type == 1 ? "RJcount1" : "RJcount0", rejoin->rj_count);
    if (rejoin->type == 1)
        lw_js_int_key(&join->root, rejoin->dev_eui, &key);
    if (rejoin->type == 1 ? join->has_root : join->has_s_nwk)
        print_verdict(lw_mic_plain(&key, frame->msg) == frame->mic);
    lw_key_wipe(&key);
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

/* What the device that sent `request` has to read the answer by. `opt_neg` is the answer's. */
struct reader {
    struct lw_key mic, enc;
    struct lw_join_context context;
};

static void reader_of(const struct decode_join *join, bool opt_neg, struct reader *reader)
{
    const struct lw_frame *request = join->request;
    bool rejoin = request && request->ftype == LW_REJOIN_REQUEST;
    struct lw_eui dev_eui = {0};

    *reader = (struct reader){.mic = join->root, .enc = join->root};
    reader->context =
        (struct lw_join_context){&reader->mic, &reader->enc, LW_REQUEST_JOIN, join->join_eui, 0};
    if (rejoin) {
        dev_eui = request->rejoin.dev_eui;
        reader->context.request = request->rejoin.type;
        reader->context.nonce = request->rejoin.rj_count;
        if (request->rejoin.type == 1)
            reader->context.join_eui = request->rejoin.join_eui;
        lw_js_enc_key(&join->root, dev_eui, &reader->enc);
    } else if (request) {
        dev_eui = request->join.dev_eui;
        reader->context.nonce = request->join.dev_nonce;
        reader->context.join_eui = request->join.join_eui;
    }
    if (request && (opt_neg || rejoin))
        lw_js_int_key(&join->root, dev_eui, &reader->mic);
}

/* With OptNeg, and to a rejoin, the MIC is over the request too; without that it is not judged. */
static void print_accept(const struct lw_frame *frame, const struct decode_join *join)
{
    struct lw_join_accept accept;
    struct reader reader;
    char text[LW_DEV_ADDR_TEXT];
    enum err err;

    if (!join->has_root)
        return;
    reader_of(join, false, &reader);
    err = lw_join_accept_read(frame->phy, &reader.context, &accept);
    if (err == ERR_MALFORMED)
        return; /* reserved bits of the MHDR */
    if (accept.opt_neg) {
        reader_of(join, true, &reader);
        err = lw_join_accept_read(frame->phy, &reader.context, &accept);
    }
    lw_key_wipe(&reader.mic);
    lw_key_wipe(&reader.enc);
    (void)printf("%-14s %06x\n", "JoinNonce", accept.join_nonce);
    (void)printf("%-14s %06x\n", "NetID", accept.net_id.v);
    decode_line("DevAddr", lw_dev_addr_text(text, accept.dev_addr));
    (void)printf("%-14s OptNeg=%d RX1DRoffset=%u RX2DataRate=%u\n", "DLSettings", accept.opt_neg,
                 accept.rx1_dr_offset, accept.rx2_dr);
    (void)printf("%-14s %u\n", "RxDelay", accept.rx_delay);
    if (accept.has_cflist)
        print_cflist(accept.cflist);
    if (!accept.opt_neg || join->request)
        print_verdict(err == OK);
}

void decode_join(const struct lw_frame *frame, const struct decode_join *join)
{
    if (frame->ftype == LW_JOIN_REQUEST)
        print_request(frame, join);
    else if (frame->ftype == LW_REJOIN_REQUEST)
        print_rejoin(frame, join);
    else if (frame->ftype == LW_JOIN_ACCEPT)
        print_accept(frame, join);
}
