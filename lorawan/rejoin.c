/* rejoin.c - decisions and arithmetic only; the session that they are about is the caller's. */
#include "lorawan/rejoin.h"

#define COUNT_LEAST_LOG2 4  /* RejoinParamSetupReq: 2^(n + 4) uplinks */
#define TIME_LEAST_LOG2  10 /* 2^(n + 10) seconds */
#define N_MOST           15
#define PAUSE_S          32

/* ---- counters -------------------------------------------------------------------------------- */

bool lw_rejoin_count_take(uint32_t *next, uint16_t rj_count)
{
    if (rj_count < *next)
        return false;
    *next = rj_count + UINT32_C(1);
    return true;
}

/* ---- request and answer ---------------------------------------------------------------------- */

bool lw_rejoin_is_for(const struct lw_rejoin *rejoin, struct lw_net_id net_id)
{
    return rejoin->type == 1 || rejoin->net_id.v == net_id.v;
}

bool lw_rejoin_mic_good(const struct lw_frame *frame, const struct lw_key *s_nwk_s_int,
                        const struct lw_key *js_int)
{
    const struct lw_key *key = frame->rejoin.type == 1 ? js_int : s_nwk_s_int;
    uint32_t mic;

    if (!key)
        return false;
    mic = lw_mic_plain(key, frame->msg);
    return bytes_equal_secret(&mic, &frame->mic, sizeof(mic));
}

struct lw_join_context lw_rejoin_context(const struct lw_rejoin *rejoin, struct lw_eui join_eui,
                                         const struct lw_key *js_int, const struct lw_key *js_enc)
{
    return (struct lw_join_context){
        .mic = js_int,
        .enc = js_enc,
        .request = rejoin->type,
        .join_eui = join_eui,
        .nonce = rejoin->rj_count,
    };
}

struct lw_rejoin_effect lw_rejoin_effect(unsigned type)
{
    bool rekeys_only = type == 2;

    return (struct lw_rejoin_effect){
        .resets_radio = !rekeys_only, .may_have_cflist = !rekeys_only, .keeps_queue = rekeys_only};
}

/* ---- RejoinParamSetupReq --------------------------------------------------------------------- */

uint32_t lw_rejoin_max_count(unsigned max_count_n)
{
    return UINT32_C(1) << ((max_count_n & N_MOST) + COUNT_LEAST_LOG2);
}

uint32_t lw_rejoin_max_time_s(unsigned max_time_n)
{
    return UINT32_C(1) << ((max_time_n & N_MOST) + TIME_LEAST_LOG2);
}

/* The greatest n with 2^(n + least) at most `wanted`; 0 if there is none. */
static uint8_t exponent(uint32_t wanted, unsigned least)
{
    uint8_t n = N_MOST;

    while (n > 0 && UINT32_C(1) << (n + least) > wanted)
        n--;
    return n;
}

struct lw_rejoin_param_setup_req lw_rejoin_params(uint32_t uplinks, uint32_t seconds)
{
    return (struct lw_rejoin_param_setup_req){
        .max_time_n = exponent(seconds, TIME_LEAST_LOG2),
        .max_count_n = exponent(uplinks, COUNT_LEAST_LOG2),
    };
}

/* ---- ForceRejoinReq -------------------------------------------------------------------------- */

uint32_t lw_force_rejoin_pause_s(unsigned period)
{
    return (uint32_t)PAUSE_S << (period & 7);
}

uint32_t lw_force_rejoin_lasts_s(const struct lw_force_rejoin_req *req)
{
    return req->max_retries * (lw_force_rejoin_pause_s(req->period) + LW_FORCE_REJOIN_RAND_S);
}

static bool counters_end(const struct lw_rejoin_view *view)
{
    return view->fcnt_up >= LW_FCNT_LATE || view->nfcnt_down >= LW_FCNT_LATE ||
           view->afcnt_down >= LW_FCNT_LATE || view->rj_count0 >= LW_RJ_COUNT_LATE;
}

/* A rekeying disturbs least, so type 0 is asked for only where the radio is the trouble. */
static int wished(const struct lw_rejoin_view *view)
{
    if (view->version < LW_1_1_0 || !view->is_otaa)
        return -1;
    if (view->radio_in_doubt)
        return 0;
    if (view->wants_address || counters_end(view))
        return 2;
    return view->rekey_after_s && view->age_s >= view->rekey_after_s ? 2 : -1;
}

int lw_rejoin_needed(const struct lw_rejoin_view *view)
{
    return view->rj_count0 < LW_REJOIN_COUNTS ? wished(view) : -1;
}

int lw_rejoin_to_force(const struct lw_rejoin_view *view)
{
    if (view->since_asked_s < lw_force_rejoin_lasts_s(&view->asked))
        return -1;
    return lw_rejoin_needed(view);
}

bool lw_rejoin_is_answered(const struct lw_rejoin_view *view, unsigned type)
{
    return type != 0 || wished(view) >= 0;
}
