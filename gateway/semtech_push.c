/*
 * semtech_push.c - the JSON of a PUSH_DATA, in one pass.
 *
 * An rxpk is first scanned into an array of numbers and borrowed strings, indexed by key, because
 * its members come in any order and mean different things by modulation; then it is built. The hot
 * path of the whole server: about 0.4 us for an rxpk of 200 octets.
 */
#include "core/clock.h"
#include "gateway/scan.h"
#include "gateway/semtech.h"

#include <math.h>
#include <string.h>

/* Keys of rxpk and of its rsig elements that are numbers, with the decimal digits kept. */
/* clang-format off */
#define RX_NUMBERS(X)                                                                              \
    X(RX_TMST,  't','m','s','t',0,   0)                                                            \
    X(RX_TMMS,  't','m','m','s',0,   0)                                                            \
    X(RX_FTIME, 'f','t','i','m','e', 0)                                                            \
    X(RX_FREQ,  'f','r','e','q',0,   6)                                                            \
    X(RX_CHAN,  'c','h','a','n',0,   0)                                                            \
    X(RX_RFCH,  'r','f','c','h',0,   0)                                                            \
    X(RX_BRD,   'b','r','d',0,0,     0)                                                            \
    X(RX_ANT,   'a','n','t',0,0,     0)                                                            \
    X(RX_STAT,  's','t','a','t',0,   0)                                                            \
    X(RX_RSSI,  'r','s','s','i',0,   0)                                                            \
    X(RX_RSSIC, 'r','s','s','i','c', 0)                                                            \
    X(RX_LSNR,  'l','s','n','r',0,   1)                                                            \
    X(RX_HPW,   'h','p','w',0,0,     0)

#define RX_STRINGS(X)                                                                              \
    X(RX_TIME,  't','i','m','e',0,   0)                                                            \
    X(RX_MODU,  'm','o','d','u',0,   0)                                                            \
    X(RX_DATR,  'd','a','t','r',0,   0)                                                            \
    X(RX_CODR,  'c','o','d','r',0,   0)                                                            \
    X(RX_DATA,  'd','a','t','a',0,   0)                                                            \
    X(RX_RSIG,  'r','s','i','g',0,   0)

#define STAT_NUMBERS(X)                                                                            \
    X(STAT_LATI, 'l','a','t','i',0, 6)                                                             \
    X(STAT_LONG, 'l','o','n','g',0, 6)                                                             \
    X(STAT_ALTI, 'a','l','t','i',0, 3)                                                             \
    X(STAT_RXNB, 'r','x','n','b',0, 0)                                                             \
    X(STAT_RXOK, 'r','x','o','k',0, 0)                                                             \
    X(STAT_RXFW, 'r','x','f','w',0, 0)                                                             \
    X(STAT_ACKR, 'a','c','k','r',0, 3)                                                             \
    X(STAT_DWNB, 'd','w','n','b',0, 0)                                                             \
    X(STAT_TXNB, 't','x','n','b',0, 0)                                                             \
    X(STAT_TEMP, 't','e','m','p',0, 3)

#define NAMES(name, a, b, c, d, e, digits) name,
#define PACKED(a, b, c, d, e)                                                                      \
    ((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 |              \
     (uint64_t)(e) << 32)
#define CASES(name, a, b, c, d, e, digits) case PACKED(a, b, c, d, e): return name;
#define DIGITS(name, a, b, c, d, e, digits) [name] = (digits),

enum rx_key { RX_NUMBERS(NAMES) RX_NUMBER_COUNT, RX_STRING_FIRST = RX_NUMBER_COUNT - 1,
              RX_STRINGS(NAMES) RX_KEY_COUNT, RX_OTHER = RX_KEY_COUNT };
enum stat_key { STAT_NUMBERS(NAMES) STAT_KEY_COUNT, STAT_OTHER = STAT_KEY_COUNT };
/* clang-format on */

static const uint8_t rx_digits[RX_NUMBER_COUNT] = {RX_NUMBERS(DIGITS)};
static const uint8_t stat_digits[STAT_KEY_COUNT] = {STAT_NUMBERS(DIGITS)};

static uint64_t packed(const struct scan_text *key)
{
    uint64_t v = 0;

    if (key->n > 5)
        return 0;
    for (size_t i = 0; i < key->n; i++)
        v |= (uint64_t)(uint8_t)key->p[i] << 8 * i;
    return v;
}

static enum rx_key rx_key_of(const struct scan_text *key)
{
    switch (packed(key)) {
        RX_NUMBERS(CASES)
        RX_STRINGS(CASES)
    default: return RX_OTHER;
    }
}

static enum stat_key stat_key_of(const struct scan_text *key)
{
    switch (packed(key)) {
        STAT_NUMBERS(CASES)
    default: return STAT_OTHER;
    }
}

#define RSIG_MAX 8

/* What one object held; `present` has a bit for each key that was there and readable. */
struct values {
    uint32_t present;
    int64_t number[RX_NUMBER_COUNT];
};

struct rxpk {
    struct values v;
    struct scan_text text[RX_KEY_COUNT - RX_NUMBER_COUNT];
    int64_t datr_number; /* `datr` of FSK, when it is no string */
    size_t rsig_count;
    struct values rsig[RSIG_MAX];
};

static bool has(const struct values *v, enum rx_key key)
{
    return v->present >> key & 1;
}

static const struct scan_text *text_of(const struct rxpk *rx, enum rx_key key)
{
    return has(&rx->v, key) ? &rx->text[key - RX_NUMBER_COUNT] : NULL;
}

/* ---- scan ----------------------------------------------------------------------------------- */

static void read_number(struct scan *s, struct values *v, enum rx_key key)
{
    if (scan_scaled(s, rx_digits[key], &v->number[key]))
        v->present |= 1u << key;
}

static void read_rsig(struct scan *s, struct rxpk *rx)
{
    struct scan_text key;

    if (!scan_open(s, '[')) {
        scan_skip(s);
        return;
    }
    while (scan_item(s)) {
        struct values *v = &rx->rsig[rx->rsig_count];

        if (rx->rsig_count == RSIG_MAX || !scan_open(s, '{')) {
            scan_skip(s);
            continue;
        }
        v->present = 0;
        while (scan_key(s, &key)) {
            enum rx_key k = rx_key_of(&key);

            if (k < RX_NUMBER_COUNT)
                read_number(s, v, k);
            else
                scan_skip(s);
        }
        rx->rsig_count++;
    }
}

static void read_text(struct scan *s, struct rxpk *rx, enum rx_key key)
{
    char c = scan_peek(s);

    if (key == RX_DATR && c >= '0' && c <= '9') {
        if (scan_scaled(s, 0, &rx->datr_number))
            rx->v.present |= 1u << key;
        rx->text[RX_DATR - RX_NUMBER_COUNT].n = 0;
    } else if (scan_string(s, &rx->text[key - RX_NUMBER_COUNT])) {
        rx->v.present |= 1u << key;
    }
}

/* The members of an rxpk whose brace is open. */
static void scan_rxpk(struct scan *s, struct rxpk *rx)
{
    struct scan_text key;

    rx->v.present = 0;
    rx->rsig_count = 0;
    while (scan_key(s, &key)) {
        enum rx_key k = rx_key_of(&key);

        if (k < RX_NUMBER_COUNT)
            read_number(s, &rx->v, k);
        else if (k == RX_RSIG)
            read_rsig(s, rx);
        else if (k == RX_OTHER)
            scan_skip(s);
        else
            read_text(s, rx, k);
    }
}

/* ---- build ---------------------------------------------------------------------------------- */

/* Digits at *p; 0 if there are none or too many. */
static uint32_t small_number(const char **p, const char *end)
{
    uint32_t v = 0;

    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++)
        v = v < 100000 ? v * 10 + (uint32_t)(**p - '0') : 100000;
    return v;
}

static bool expect(const char **p, const char *end, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(end - *p) < n || memcmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

/* The names are in kHz, those of 2.4 GHz truncated. */
static uint32_t bandwidth_of(uint32_t khz)
{
    switch (khz) {
    case 125:
    case 250:
    case 500: return khz * 1000;
    case 203: return 203125;
    case 406: return 406250;
    case 812: return 812500;
    case 1625: return 1625000;
    default: return 0;
    }
}

/* SF7BW125 */
static bool read_lora(const struct scan_text *datr, struct data_rate *rate)
{
    const char *p = datr->p, *end = p + datr->n;
    uint32_t sf;

    if (!expect(&p, end, "SF"))
        return false;
    sf = small_number(&p, end);
    if (sf < 5 || sf > 12 || !expect(&p, end, "BW"))
        return false;
    rate->kind = MOD_LORA;
    rate->sf = (uint8_t)sf;
    rate->bandwidth_hz = bandwidth_of(small_number(&p, end));
    return rate->bandwidth_hz && p == end;
}

/* M0CW137 */
static bool read_lr_fhss(const struct scan_text *datr, struct data_rate *rate)
{
    const char *p = datr->p, *end = p + datr->n;

    if (!expect(&p, end, "M0CW"))
        return false;
    rate->kind = MOD_LR_FHSS;
    rate->bandwidth_hz = small_number(&p, end) * 1000;
    return rate->bandwidth_hz && p == end;
}

/* 4/5 to 4/8, their shortened spellings, with or without the long interleaver's LI. */
static bool read_lora_codr(const struct scan_text *codr, uint8_t *cr)
{
    struct scan_text t = *codr;

    if (t.n == 5 && t.p[3] == 'L' && t.p[4] == 'I')
        t.n = 3;
    if (t.n != 3 || t.p[1] != '/')
        return false;
    if (t.p[0] == '4' && t.p[2] >= '5' && t.p[2] <= '8')
        *cr = (uint8_t)(t.p[2] - '4');
    else if (scan_text_is(&t, "2/3"))
        *cr = 2;
    else if (scan_text_is(&t, "1/2") || scan_text_is(&t, "2/4"))
        *cr = 4;
    else
        return false;
    return true;
}

static uint8_t lr_fhss_codr(const struct scan_text *codr)
{
    if (scan_text_is(codr, "4/6") || scan_text_is(codr, "2/3"))
        return 2;
    return scan_text_is(codr, "2/6") || scan_text_is(codr, "1/3") ? 1 : 0;
}

static bool read_fsk(const struct rxpk *rx, const struct scan_text *datr, struct data_rate *rate)
{
    int64_t v = rx->datr_number; /* the usual form; then there is no text */

    if (datr->n) {
        const char *p = datr->p, *end = p + datr->n;

        v = small_number(&p, end);
        if (p != end)
            return false;
    }
    if (v <= 0 || v > 1000000)
        return false;
    rate->kind = MOD_FSK;
    rate->bit_rate = (uint32_t)v;
    return true;
}

/* `modu` missing: the data rate says it. */
static enum modulation modulation_of(const struct scan_text *modu, const struct scan_text *datr)
{
    if (!modu)
        return !datr->n ? MOD_FSK : datr->p[0] == 'M' ? MOD_LR_FHSS : MOD_LORA;
    if (scan_text_is(modu, "FSK"))
        return MOD_FSK;
    return scan_text_is(modu, "LR-FHSS") ? MOD_LR_FHSS : MOD_LORA;
}

static bool read_rate(const struct rxpk *rx, struct data_rate *rate)
{
    const struct scan_text *modu = text_of(rx, RX_MODU), *datr = text_of(rx, RX_DATR);
    const struct scan_text *codr = text_of(rx, RX_CODR);

    if (!datr)
        return false;
    switch (modulation_of(modu, datr)) {
    case MOD_FSK: return read_fsk(rx, datr, rate);
    case MOD_LR_FHSS:
        if (!datr->n) /* a number is the bit rate of FSK */
            return false;
        rate->coding_rate = codr ? lr_fhss_codr(codr) : 0;
        rate->grid_steps = has(&rx->v, RX_HPW) ? (uint8_t)rx->v.number[RX_HPW] : 0;
        return read_lr_fhss(datr, rate);
    default:
        if (!datr->n || (modu && !scan_text_is(modu, "LORA")))
            return false;
        rate->coding_rate = 1;
        return read_lora(datr, rate) && (!codr || read_lora_codr(codr, &rate->coding_rate));
    }
}

static void read_time(const struct scan_text *time, struct copy *copy)
{
    char text[CLOCK_TEXT * 2];

    if (!time || !time->n || scan_unescape(time, text, sizeof(text)) == SIZE_MAX)
        return;
    if (clock_read(text, &copy->gw_utc_us))
        copy->flags |= COPY_HAS_GW_TIME;
}

static int16_t clamp16(int64_t v)
{
    return (int16_t)(v < INT16_MIN ? INT16_MIN : v > INT16_MAX ? INT16_MAX : v);
}

/* What an rsig element may say again for its antenna. */
static void read_antenna(const struct values *v, struct copy *copy)
{
    if (has(v, RX_CHAN))
        copy->channel = (uint8_t)v->number[RX_CHAN];
    if (has(v, RX_ANT))
        copy->antenna = (uint8_t)v->number[RX_ANT];
    if (has(v, RX_RSSI))
        copy->rssi_dbm = clamp16(v->number[RX_RSSI]);
    if (has(v, RX_RSSIC))
        copy->rssi_dbm = clamp16(v->number[RX_RSSIC]);
    if (has(v, RX_LSNR)) {
        copy->snr_cb = clamp16(v->number[RX_LSNR]);
        copy->flags |= COPY_HAS_SNR;
    }
    if (has(v, RX_FTIME) && v->number[RX_FTIME] >= 0 && v->number[RX_FTIME] < 1000000000) {
        copy->fine_ns = (uint32_t)v->number[RX_FTIME];
        copy->flags |= COPY_HAS_FINE;
    }
}

static bool build_copy(const struct rxpk *rx, struct copy *copy)
{
    const struct values *v = &rx->v;

    *copy = (struct copy){.crc = CRC_OK};
    if (!has(v, RX_TMST) || !has(v, RX_FREQ) || !read_rate(rx, &copy->rate))
        return false;
    if (v->number[RX_TMST] < 0 || v->number[RX_TMST] > UINT32_MAX || v->number[RX_FREQ] <= 0 ||
        v->number[RX_FREQ] > UINT32_MAX)
        return false;
    copy->tmst = (uint32_t)v->number[RX_TMST];
    copy->frequency_hz = (uint32_t)v->number[RX_FREQ];
    copy->rf_chain = has(v, RX_RFCH) ? (uint8_t)v->number[RX_RFCH] : 0;
    copy->board = has(v, RX_BRD) ? (uint8_t)v->number[RX_BRD] : 0;
    if (has(v, RX_TMMS) && v->number[RX_TMMS] > 0) {
        copy->gps_ms = (uint64_t)v->number[RX_TMMS];
        copy->flags |= COPY_HAS_TMMS;
    }
    read_time(text_of(rx, RX_TIME), copy);
    read_antenna(v, copy);
    return true;
}

/* `data`; some encoders escape the slash of base64. */
static bool build_phy(const struct rxpk *rx, struct semtech_rx *out)
{
    const struct scan_text *data = text_of(rx, RX_DATA);
    char plain[BASE64_LEN(LW_PHY_MAX) + 1];
    size_t n;

    if (!data)
        return false;
    if (data->escaped) {
        n = scan_unescape(data, plain, sizeof(plain));
        n = n == SIZE_MAX ? n : base64_read(out->phy, LW_PHY_MAX, plain, n);
    } else {
        n = base64_read(out->phy, LW_PHY_MAX, data->p, data->n);
    }
    if (n == SIZE_MAX || n == 0)
        return false;
    out->phy_len = (uint8_t)n;
    return true;
}

static void tell_drop(const struct semtech_sink *sink, enum drop reason)
{
    if (sink->dropped)
        sink->dropped(sink->ctx, reason);
}

static void tell_rx(const struct rxpk *rx, struct semtech_rx *out, const struct semtech_sink *sink)
{
    if (!sink->rx)
        return;
    if (!rx->rsig_count)
        sink->rx(sink->ctx, out);
    for (size_t i = 0; i < rx->rsig_count; i++) {
        struct copy whole = out->copy;

        read_antenna(&rx->rsig[i], &out->copy);
        sink->rx(sink->ctx, out);
        out->copy = whole;
    }
}

static void build(const struct rxpk *rx, const struct semtech_sink *sink)
{
    struct semtech_rx out;

    /* A bad CRC explains any other fault. */
    if (has(&rx->v, RX_STAT) && rx->v.number[RX_STAT] != 1)
        tell_drop(sink, DROP_BAD_CRC);
    else if (!build_copy(rx, &out.copy) || !build_phy(rx, &out))
        tell_drop(sink, DROP_MALFORMED_RXPK);
    else
        tell_rx(rx, &out, sink);
}

static void read_rxpks(struct scan *s, const struct semtech_sink *sink)
{
    struct rxpk rx;
    unsigned n = 0;

    if (!scan_open(s, '[')) {
        scan_skip(s);
        return;
    }
    while (scan_item(s)) {
        if (!scan_open(s, '{')) {
            scan_skip(s);
            tell_drop(sink, DROP_MALFORMED_RXPK);
            continue;
        }
        scan_rxpk(s, &rx);
        if (s->failed)
            break; /* told by the return value */
        if (++n > SEMTECH_RXPK_MAX)
            tell_drop(sink, DROP_MALFORMED_RXPK);
        else
            build(&rx, sink);
    }
}

/* ---- stat ----------------------------------------------------------------------------------- */

static bool near(double a, double b)
{
    return fabs(a - b) <= 0.001;
}

/* (0, 0) and (10, 20) are what forwarders report that were never told their place. */
static bool is_place(double lat, double lon)
{
    return fabs(lat) <= 90 && fabs(lon) <= 180 && !(near(lat, 0) && near(lon, 0)) &&
           !(near(lat, 10) && near(lon, 20));
}

static uint32_t count_of(int64_t v)
{
    return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void build_stat(const int64_t *v, uint32_t present, struct semtech_stat *stat)
{
    const uint32_t place = 1u << STAT_LATI | 1u << STAT_LONG;
    double lat = (double)v[STAT_LATI] / 1e6, lon = (double)v[STAT_LONG] / 1e6;

    *stat = (struct semtech_stat){.rx = count_of(v[STAT_RXNB]),
                                  .rx_ok = count_of(v[STAT_RXOK]),
                                  .rx_forwarded = count_of(v[STAT_RXFW]),
                                  .down = count_of(v[STAT_DWNB]),
                                  .tx = count_of(v[STAT_TXNB])};
    if ((present & place) == place && is_place(lat, lon)) {
        stat->latitude = lat;
        stat->longitude = lon;
        stat->altitude = (double)v[STAT_ALTI] / 1e3;
        stat->flags |= SEMTECH_STAT_LOCATION;
    }
    if (present >> STAT_ACKR & 1) {
        stat->ack_rate = (double)v[STAT_ACKR] / 1e3;
        stat->flags |= SEMTECH_STAT_ACKR;
    }
    if (present >> STAT_TEMP & 1) {
        stat->temperature = (double)v[STAT_TEMP] / 1e3;
        stat->flags |= SEMTECH_STAT_TEMP;
    }
}

static void read_stat(struct scan *s, const struct semtech_sink *sink)
{
    struct semtech_stat stat;
    struct scan_text key;
    int64_t v[STAT_KEY_COUNT] = {0};
    uint32_t present = 0;

    if (!scan_open(s, '{')) {
        scan_skip(s);
        return;
    }
    while (scan_key(s, &key)) {
        enum stat_key k = stat_key_of(&key);

        if (k == STAT_OTHER)
            scan_skip(s);
        else if (scan_scaled(s, stat_digits[k], &v[k]))
            present |= 1u << k;
    }
    if (s->failed || !sink->stat)
        return;
    build_stat(v, present, &stat);
    sink->stat(sink->ctx, &stat);
}

enum err semtech_read_push(const void *json, size_t n, const struct semtech_sink *sink)
{
    const char *text = json;
    struct scan s;
    struct scan_text key;

    while (n && (!text[n - 1] || strchr(" \r\n\t", text[n - 1])))
        n--;
    s = scan_of(text, n, SEMTECH_DEPTH_MAX);
    if (!scan_open(&s, '{'))
        return ERR_MALFORMED;
    while (scan_key(&s, &key)) {
        if (scan_text_is(&key, "rxpk"))
            read_rxpks(&s, sink);
        else if (scan_text_is(&key, "stat"))
            read_stat(&s, sink);
        else
            scan_skip(&s);
    }
    return s.failed || s.p != s.end ? ERR_MALFORMED : OK;
}
