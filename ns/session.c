/*
 * session.c - a fresh session, and the codecs of its two parts.
 *
 * The state is versioned by its first octet and written densely: it is journalled with each frame.
 */
#include "ns/session.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* Of both parts, whose mutable half is the same. 1: without acked_fcnt; 2: four keys always, and
 * without what was refused. */
#define FORMAT     3
#define STATE_MAX  512
#define SEALED_MAX (STATE_MAX + 128)

void session_init(struct session *session, const struct device_profile *profile)
{
    const struct region *region = region_get((enum region_id)profile->region);
    struct region_channels *channels = xcalloc(1, sizeof(*channels));

    memset(session, 0, sizeof(*session));
    if (RAND_bytes((unsigned char *)&session->number, sizeof(session->number)) != 1)
        abort();          /* without randomness no session is safe */
    session->number |= 1; /* never 0 */
    if (profile->version >= LW_1_1_0)
        session->flags |= SESSION_1_1;
    session->rx1_delay = profile->rx1_delay;
    session->rx1_dr_offset = profile->rx1_dr_offset;
    session->rx2_dr = profile->rx2_dr < 0 ? region->rx2_dr : (uint8_t)profile->rx2_dr;
    session->rx2_hz = profile->rx2_frequency_hz ? profile->rx2_frequency_hz : region->rx2_hz;
    session->flags |= region->uplink_dwell ? SESSION_UL_DWELL : 0;
    session->flags |= region->downlink_dwell ? SESSION_DL_DWELL : 0;
    session->nb_trans = session->want_nb_trans = 1;
    region_channels_init(region, channels);
    session->enabled = channels->defined;
    free(channels);
}

void session_channels(const struct session *session, const struct region *region,
                      struct region_channels *channels)
{
    region_channels_init(region, channels);
    for (unsigned i = 0; i < SESSION_CHANNELS; i++) {
        const struct session_channel *own = &session->channels[i];
        struct region_channel channel = {
            .frequency_hz = own->frequency_hz, .min_dr = own->min_dr, .max_dr = own->max_dr};

        /* A channel that the region's table no longer allows is left out. */
        if (own->frequency_hz && region_channels_put(region, channels, i, &channel) != OK)
            continue;
    }
}

/* ---- state ----------------------------------------------------------------------------------- */

static void write_channels(struct wr *wr, const struct session *session)
{
    uint16_t have = 0;

    for (unsigned i = 0; i < SESSION_CHANNELS; i++)
        have |= (uint16_t)((session->channels[i].frequency_hz != 0) << i);
    wr_u16le(wr, have);
    for (unsigned i = 0; i < SESSION_CHANNELS; i++) {
        if (!session->channels[i].frequency_hz)
            continue;
        wr_u32le(wr, session->channels[i].frequency_hz);
        wr_u8(wr, (uint8_t)(session->channels[i].max_dr << 4 | session->channels[i].min_dr));
    }
    for (unsigned i = 0; i < CHMASK_CHANNELS / 32; i++)
        wr_u32le(wr, session->enabled.w[i]);
}

static void read_channels(struct rd *rd, struct session *session)
{
    uint16_t have = rd_u16le(rd);

    memset(session->channels, 0, sizeof(session->channels));
    memset(&session->enabled, 0, sizeof(session->enabled));
    for (unsigned i = 0; i < SESSION_CHANNELS; i++) {
        uint8_t drs;

        if (!(have >> i & 1))
            continue;
        session->channels[i].frequency_hz = rd_u32le(rd);
        drs = rd_u8(rd);
        session->channels[i].min_dr = drs & 15;
        session->channels[i].max_dr = drs >> 4;
    }
    for (unsigned i = 0; i < CHMASK_CHANNELS / 32; i++)
        session->enabled.w[i] = rd_u32le(rd);
}

static void write_adr(struct wr *wr, const struct session *session)
{
    wr_u8(wr, session->want_dr);
    wr_u8(wr, session->want_tx_power);
    wr_u8(wr, session->want_nb_trans);
    wr_u8(wr, session->adr_nacks);
    wr_u8(wr, session->adr_count);
    wr_u8(wr, session->adr_at);
    for (unsigned i = 0; i < session->adr_count && i < ADR_HISTORY; i++) {
        wr_u16le(wr, session->adr[i].fcnt);
        wr_u8(wr, (uint8_t)session->adr[i].snr_q);
        wr_u8(wr, session->adr[i].tx_power);
    }
}

static void read_adr(struct rd *rd, struct session *session)
{
    session->want_dr = rd_u8(rd);
    session->want_tx_power = rd_u8(rd);
    session->want_nb_trans = rd_u8(rd);
    session->adr_nacks = rd_u8(rd);
    session->adr_count = rd_u8(rd);
    session->adr_at = rd_u8(rd);
    if (session->adr_count > ADR_HISTORY || session->adr_at >= ADR_HISTORY)
        rd->failed = true;
    for (unsigned i = 0; !rd->failed && i < session->adr_count; i++) {
        session->adr[i].fcnt = rd_u16le(rd);
        session->adr[i].snr_q = (int8_t)rd_u8(rd);
        session->adr[i].tx_power = rd_u8(rd);
    }
}

static void write_mutable(struct wr *wr, const struct session *s)
{
    wr_u64le(wr, s->number);
    wr_u16le(wr, s->flags);
    wr_u32le(wr, s->fcnt_up_next);
    wr_u32le(wr, s->n_fcnt_down);
    wr_u32le(wr, s->a_fcnt_down);
    wr_u64le(wr, s->last_up_hash);
    wr_u8(wr, s->rx1_delay);
    wr_u8(wr, s->rx1_dr_offset);
    wr_u8(wr, s->rx2_dr);
    wr_u8(wr, s->dr);
    wr_u8(wr, s->tx_power);
    wr_u8(wr, s->nb_trans);
    wr_u32le(wr, s->rx2_hz);
    write_channels(wr, s);
    write_adr(wr, s);
    wr_blob(wr, s->pending_mac, s->pending_mac_n);
    wr_u32le(wr, s->status_asked_s);
    wr_copy(wr, s->await_item.b, 16);
    wr_u32le(wr, s->await_fcnt);
    wr_u64le(wr, s->last_attempt);
    wr_u16le(wr, s->acked_fcnt);
    wr_u8(wr, s->refused_dr);
    wr_u8(wr, s->refused_tx_power);
}

static void read_mutable(struct rd *rd, uint8_t format, struct session *s)
{
    struct bytes pending;

    s->number = rd_u64le(rd);
    s->flags = rd_u16le(rd);
    s->fcnt_up_next = rd_u32le(rd);
    s->n_fcnt_down = rd_u32le(rd);
    s->a_fcnt_down = rd_u32le(rd);
    s->last_up_hash = rd_u64le(rd);
    s->rx1_delay = rd_u8(rd);
    s->rx1_dr_offset = rd_u8(rd);
    s->rx2_dr = rd_u8(rd);
    s->dr = rd_u8(rd);
    s->tx_power = rd_u8(rd);
    s->nb_trans = rd_u8(rd);
    s->rx2_hz = rd_u32le(rd);
    read_channels(rd, s);
    read_adr(rd, s);
    pending = rd_blob(rd);
    if (pending.n > SESSION_MAC_MAX)
        rd->failed = true;
    s->pending_mac_n = rd->failed ? 0 : (uint8_t)pending.n;
    if (s->pending_mac_n)
        memcpy(s->pending_mac, pending.p, pending.n);
    s->status_asked_s = rd_u32le(rd);
    rd_copy(rd, s->await_item.b, 16);
    s->await_fcnt = rd_u32le(rd);
    s->last_attempt = rd_u64le(rd);
    s->acked_fcnt = format >= 2 ? rd_u16le(rd) : 0;
    s->refused_dr = format >= 3 ? rd_u8(rd) : 0;
    s->refused_tx_power = format >= 3 ? rd_u8(rd) : 0;
}

static uint8_t read_format(struct rd *rd)
{
    uint8_t format = rd_u8(rd);

    if (format < 1 || format > FORMAT)
        rd->failed = true;
    return format;
}

struct bytes session_state_write(const struct session *session, const struct device_status *status,
                                 struct arena *arena)
{
    uint8_t room[STATE_MAX];
    struct wr wr = wr_of(room, sizeof(room));

    wr_u8(&wr, FORMAT);
    wr_u64le(&wr, (uint64_t)status->last_seen_us);
    wr_u8(&wr, status->has_status);
    wr_u8(&wr, status->battery);
    wr_u8(&wr, (uint8_t)status->margin);
    wr_u8(&wr, session != NULL);
    if (session)
        write_mutable(&wr, session);
    if (wr.failed)
        abort(); /* STATE_MAX is ours */
    return (struct bytes){arena_memdup(arena, room, wr_len(&wr)), wr_len(&wr)};
}

enum err session_state_read(struct bytes encoded, struct session *session,
                            struct device_status *status)
{
    struct rd rd = rd_bytes(encoded);
    uint8_t format = read_format(&rd);

    status->last_seen_us = (int64_t)rd_u64le(&rd);
    status->has_status = rd_u8(&rd) != 0;
    status->battery = rd_u8(&rd);
    status->margin = (int8_t)rd_u8(&rd);
    if ((rd_u8(&rd) != 0) != (session != NULL))
        rd.failed = true;
    if (session)
        read_mutable(&rd, format, session);
    return rd.failed ? ERR_CORRUPT : OK;
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Before 1.1 the three network keys are one. */
static bool has_one_network_key(const struct lw_session_keys *keys)
{
    return memcmp(&keys->f_nwk_s_int, &keys->s_nwk_s_int, sizeof(keys->f_nwk_s_int)) == 0 &&
           memcmp(&keys->f_nwk_s_int, &keys->nwk_s_enc, sizeof(keys->f_nwk_s_int)) == 0;
}

static void write_keys(struct wr *wr, const struct lw_session_keys *keys)
{
    bool one = has_one_network_key(keys);

    wr_u8(wr, one);
    wr_copy(wr, keys->app_s_key.b, 16);
    wr_copy(wr, keys->f_nwk_s_int.b, 16);
    if (one)
        return;
    wr_copy(wr, keys->s_nwk_s_int.b, 16);
    wr_copy(wr, keys->nwk_s_enc.b, 16);
}

static void read_keys(struct rd *rd, struct lw_session_keys *keys)
{
    bool one = rd_u8(rd) != 0;

    rd_copy(rd, keys->app_s_key.b, 16);
    rd_copy(rd, keys->f_nwk_s_int.b, 16);
    keys->s_nwk_s_int = keys->nwk_s_enc = keys->f_nwk_s_int;
    if (one)
        return;
    rd_copy(rd, keys->s_nwk_s_int.b, 16);
    rd_copy(rd, keys->nwk_s_enc.b, 16);
}

/* Keys and addresses, then what changes. */
static size_t write_whole(const struct session *session, uint8_t *room, size_t n)
{
    struct wr wr = wr_of(room, n);

    wr_u8(&wr, FORMAT);
    wr_u64le(&wr, session->number);
    write_keys(&wr, &session->keys);
    wr_u64le(&wr, session->join_eui.v);
    wr_u32le(&wr, session->dev_addr.v);
    write_mutable(&wr, session);
    if (wr.failed)
        abort(); /* the room is ours */
    return wr_len(&wr);
}

static enum err read_whole(struct rd rd, struct session *session)
{
    uint8_t format = read_format(&rd);
    uint64_t number = format < 3 ? 0 : rd_u64le(&rd);

    memset(session, 0, sizeof(*session));
    if (format < 3)
        rd_copy(&rd, &session->keys, sizeof(session->keys));
    else
        read_keys(&rd, &session->keys);
    session->join_eui.v = rd_u64le(&rd);
    session->dev_addr.v = rd_u32le(&rd);
    read_mutable(&rd, format, session);
    return rd.failed || (number && number != session->number) ? ERR_CORRUPT : OK;
}

void session_keep(struct session_kept **kept, const struct session *session)
{
    uint8_t room[SEALED_MAX];
    size_t n = session ? write_whole(session, room, sizeof(room)) : 0;

    if (*kept && (*kept)->n != n) {
        OPENSSL_cleanse((*kept)->octets, (*kept)->n);
        free(*kept);
        *kept = NULL;
    }
    if (!session)
        return;
    if (!*kept)
        *kept = xmalloc(sizeof(**kept) + n);
    (*kept)->n = (uint16_t)n;
    memcpy((*kept)->octets, room, n);
    OPENSSL_cleanse(room, n);
}

bool session_unpack(const struct session_kept *kept, struct session *session)
{
    if (!kept)
        return false;
    if (read_whole(rd_of(kept->octets, kept->n), session))
        abort(); /* what we wrote ourselves */
    return true;
}

bool session_is(const struct session_kept *kept, uint64_t number)
{
    struct rd rd;

    if (!kept)
        return false;
    rd = rd_of(kept->octets + 1, kept->n - 1u);
    return rd_u64le(&rd) == number;
}

/* ---- sealed part ----------------------------------------------------------------------------- */

enum err session_seal(const struct session *session, const struct secret *secret,
                      struct lw_eui dev_eui, const char *slot, struct arena *arena,
                      struct bytes *sealed)
{
    uint8_t plain[SEALED_MAX];
    size_t n = write_whole(session, plain, sizeof(plain));
    uint8_t *out = arena_alloc(arena, n + SECRET_OVERHEAD);
    enum err err = secret_seal(secret, slot, dev_eui.v, (struct bytes){plain, n}, out);

    OPENSSL_cleanse(plain, sizeof(plain));
    *sealed = (struct bytes){out, n + SECRET_OVERHEAD};
    return err;
}

enum err session_open(struct bytes sealed, const struct secret *secret, struct lw_eui dev_eui,
                      const char *slot, struct session *session)
{
    uint8_t plain[SEALED_MAX];
    enum err err;

    if (sealed.n < SECRET_OVERHEAD || sealed.n - SECRET_OVERHEAD > sizeof(plain))
        return ERR_CORRUPT;
    err = secret_open(secret, slot, dev_eui.v, sealed, plain);
    if (!err)
        err = read_whole(rd_of(plain, sealed.n - SECRET_OVERHEAD), session);
    OPENSSL_cleanse(plain, sizeof(plain));
    return err;
}

/* ---- derived ids ----------------------------------------------------------------------------- */

struct uuid session_up_id(uint64_t number, uint32_t fcnt_up)
{
    uint8_t name[1 + 8 + 4];
    struct wr wr = wr_of(name, sizeof(name));

    wr_u8(&wr, 'u');
    wr_u64be(&wr, number);
    wr_u32be(&wr, fcnt_up);
    return uuid_derive(name, sizeof(name));
}

struct uuid session_down_id(uint64_t number, uint32_t fcnt_down, bool application_counter,
                            unsigned attempt)
{
    uint8_t name[1 + 8 + 4 + 1 + 4];
    struct wr wr = wr_of(name, sizeof(name));

    wr_u8(&wr, 'd');
    wr_u64be(&wr, number);
    wr_u32be(&wr, fcnt_down);
    wr_u8(&wr, application_counter);
    wr_u32be(&wr, attempt);
    return uuid_derive(name, sizeof(name));
}

struct uuid session_join_id(struct lw_eui join_eui, struct lw_eui dev_eui, uint16_t nonce)
{
    uint8_t name[1 + 8 + 8 + 2];
    struct wr wr = wr_of(name, sizeof(name));

    wr_u8(&wr, 'j');
    wr_u64be(&wr, join_eui.v);
    wr_u64be(&wr, dev_eui.v);
    wr_u16be(&wr, nonce);
    return uuid_derive(name, sizeof(name));
}
