/* Reads {"txpk":{...}}: one flat object. A scanner of its own, as core/json is too slow for a load
 * generator and gateway/ belongs to the server. */
#include "sim/gateway.h"

#include <stdlib.h>
#include <string.h>

struct scan {
    const char *p, *end;
};

/* A member's value as it stands; strings without their quotes. */
struct value {
    const char *p;
    size_t n;
    bool string;
};

enum seen {
    SEEN_TIME = 1 << 0,
    SEEN_FREQ = 1 << 1,
    SEEN_RFCH = 1 << 2,
    SEEN_MODU = 1 << 3,
    SEEN_DATR = 1 << 4,
    SEEN_CODR = 1 << 5,
    SEEN_FDEV = 1 << 6,
    SEEN_SIZE = 1 << 7,
    SEEN_DATA = 1 << 8,
};

struct reading {
    struct sim_txpk *txpk;
    const char *fault;
    unsigned seen;
    size_t size, data_n;
    bool fsk;
};

static void blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
}

static bool sign(struct scan *s, char c)
{
    blanks(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    return true;
}

static bool string(struct scan *s, struct value *v)
{
    if (!sign(s, '"'))
        return false;
    const char *close = memchr(s->p, '"', (size_t)(s->end - s->p));

    if (!close)
        return false;
    *v = (struct value){s->p, (size_t)(close - s->p), true};
    s->p = close + 1;
    return true;
}

static bool scalar(struct scan *s, struct value *v)
{
    blanks(s);
    if (s->p < s->end && *s->p == '"')
        return string(s, v);
    const char *start = s->p;

    while (s->p < s->end && !strchr(",} \n\t\r{[", *s->p))
        s->p++;
    *v = (struct value){start, (size_t)(s->p - start), false};
    return v->n > 0;
}

static bool is(struct value v, const char *text)
{
    return v.n == strlen(text) && !memcmp(v.p, text, v.n);
}

/* A number as text with a closing NUL, for strtod and strtoull. */
static const char *ended(struct value v, char to[32])
{
    size_t n = v.n < 31 ? v.n : 31;

    memcpy(to, v.p, n);
    to[n] = 0;
    return to;
}

static uint64_t whole(struct reading *r, struct value v)
{
    char text[32], *end;
    uint64_t n = strtoull(ended(v, text), &end, 10);

    if (v.string || *end || text[0] == '-')
        r->fault = "a number is malformed";
    return n;
}

/* The reference multiplies by a million and cuts off: what is not in whole Hz goes astray. */
static uint32_t megahertz(struct reading *r, struct value v)
{
    char text[32], *end;
    double mhz = strtod(ended(v, text), &end);

    if (v.string || *end || mhz <= 0 || mhz > 4000)
        r->fault = "freq is malformed";
    return r->fault ? 0 : (uint32_t)(mhz * 1e6 + 0.5);
}

static void read_rate(struct reading *r, struct value v)
{
    struct data_rate *rate = &r->txpk->rate;
    char text[32], *at;

    if (!v.string) {
        rate->bit_rate = (uint32_t)whole(r, v);
        return;
    }
    ended(v, text);
    rate->sf = strncmp(text, "SF", 2) != 0 ? 0 : (uint8_t)strtoul(text + 2, &at, 10);
    if (!rate->sf || strncmp(at, "BW", 2) != 0) {
        r->fault = "datr is malformed";
        return;
    }
    rate->bandwidth_hz = (uint32_t)strtoul(at + 2, NULL, 10) * 1000;
    if (rate->bandwidth_hz == 812000) /* a name, not the width */
        rate->bandwidth_hz = 812500;
}

/* "4/5", or with the long interleaver of 2.4 GHz "4/8LI". */
static void read_coding(struct reading *r, struct value v)
{
    if (v.n == 5 && !memcmp(v.p + 3, "LI", 2))
        v.n = 3;
    if (v.n == 3 && !memcmp(v.p, "4/", 2) && v.p[2] >= '5' && v.p[2] <= '8')
        r->txpk->rate.coding_rate = (uint8_t)(v.p[2] - '4');
    else
        r->fault = "codr is malformed";
}

static void read_data(struct reading *r, struct value v)
{
    r->data_n = base64_read(r->txpk->phy, sizeof(r->txpk->phy), v.p, v.n);
    if (r->data_n == SIZE_MAX)
        r->fault = "data is no base64 or too long";
    else
        r->txpk->len = (uint8_t)r->data_n;
}

/* The times and flags; false if the key is another. */
static bool read_order(struct reading *r, struct value key, struct value v)
{
    struct sim_txpk *t = r->txpk;

    if (is(key, "imme")) {
        t->imme = is(v, "true");
        r->seen |= t->imme ? SEEN_TIME : 0;
    } else if (is(key, "tmst")) {
        uint64_t tmst = whole(r, v);

        if (tmst > UINT32_MAX)
            r->fault = "tmst exceeds 32 bits";
        t->tmst = (uint32_t)tmst;
        r->seen |= SEEN_TIME;
    } else if (is(key, "tmms")) {
        r->fault = "tmms: this gateway has no GPS";
    } else if (is(key, "ipol")) {
        t->ipol = is(v, "true");
    } else if (is(key, "ncrc")) {
        t->ncrc = is(v, "true");
    } else if (is(key, "powe")) {
        t->power_dbm = (int)whole(r, v);
    } else if (is(key, "rfch")) {
        r->seen |= SEEN_RFCH;
    } else {
        return false;
    }
    return true;
}

static void read_radio(struct reading *r, struct value key, struct value v)
{
    struct sim_txpk *t = r->txpk;

    if (is(key, "freq")) {
        t->frequency_hz = megahertz(r, v);
        r->seen |= SEEN_FREQ;
    } else if (is(key, "modu")) {
        r->fsk = is(v, "FSK");
        t->rate.kind = r->fsk ? MOD_FSK : MOD_LORA;
        if (!r->fsk && !is(v, "LORA"))
            r->fault = "modu is unknown";
        r->seen |= SEEN_MODU;
    } else if (is(key, "datr")) {
        read_rate(r, v);
        r->seen |= SEEN_DATR;
    } else if (is(key, "codr")) {
        read_coding(r, v);
        r->seen |= SEEN_CODR;
    } else if (is(key, "fdev")) {
        r->seen |= SEEN_FDEV;
    } else if (is(key, "size")) {
        r->size = whole(r, v);
        r->seen |= SEEN_SIZE;
    } else if (is(key, "data")) {
        read_data(r, v);
        r->seen |= SEEN_DATA;
    }
}

/* What the reference needs, and what makes a frame that devices can hear: inverted polarity and,
 * with LoRa, no CRC. */
static const char *complete(const struct reading *r)
{
    unsigned all = SEEN_TIME | SEEN_FREQ | SEEN_RFCH | SEEN_MODU | SEEN_DATR | SEEN_SIZE |
                   SEEN_DATA | (r->fsk ? SEEN_FDEV : SEEN_CODR);

    if (r->fault)
        return r->fault;
    if ((r->seen & all) != all)
        return "a mandatory member is missing";
    if (r->size != r->data_n)
        return "size is not the length of data";
    if (r->fsk ? !r->txpk->rate.bit_rate : !r->txpk->rate.bandwidth_hz)
        return "datr does not go with modu";
    if (!r->fsk && !r->txpk->ncrc)
        return "ncrc is not true";
    return r->fsk || r->txpk->ipol ? NULL : "ipol is not true";
}

const char *sim_txpk_read(const char *json, size_t n, struct sim_txpk *txpk)
{
    struct scan s = {json, json + n};
    struct reading r = {.txpk = txpk};
    struct value key, v;

    if (!sign(&s, '{') || !string(&s, &key) || !is(key, "txpk") || !sign(&s, ':') || !sign(&s, '{'))
        return "not a txpk";
    do {
        if (!string(&s, &key) || !sign(&s, ':') || !scalar(&s, &v))
            return "malformed JSON";
        if (!read_order(&r, key, v))
            read_radio(&r, key, v);
    } while (sign(&s, ','));
    if (!sign(&s, '}'))
        return "malformed JSON";
    if (!sign(&s, '}')) /* the outer object's */
        return "malformed JSON";
    return complete(&r);
}
