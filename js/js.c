/* js.c - the join server's worker: loads what the store has, answers, forgets. */
#include "js/js.h"

#include "core/log.h"
#include "db/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT 1
#define KEYS_N (1 + 1 + 3 * 16)

struct js {
    struct worker worker;
    struct store *store;
    struct store_reader *reader;
};

enum err js_keys_seal(const struct secret *secret, struct lw_eui dev_eui,
                      const struct device_keys *keys, struct arena *arena, struct bytes *sealed)
{
    uint8_t plain[KEYS_N], *out = arena_alloc(arena, KEYS_N + SECRET_OVERHEAD);
    struct wr wr = wr_of(plain, sizeof(plain));
    enum err err;

    wr_u8(&wr, FORMAT);
    wr_u8(&wr, (uint8_t)(keys->has_app_key | keys->has_nwk_key << 1 | keys->has_gen_app_key << 2));
    wr_copy(&wr, keys->app_key.b, 16);
    wr_copy(&wr, keys->nwk_key.b, 16);
    wr_copy(&wr, keys->gen_app_key.b, 16);
    err = secret_seal(secret, "device_keys", dev_eui.v, wr_bytes(&wr), out);
    OPENSSL_cleanse(plain, sizeof(plain));
    *sealed = (struct bytes){out, KEYS_N + SECRET_OVERHEAD};
    return err;
}

enum err js_keys_open(const struct secret *secret, struct lw_eui dev_eui, struct bytes sealed,
                      struct device_keys *keys)
{
    uint8_t plain[KEYS_N], has;
    struct rd rd = rd_of(plain, sizeof(plain));
    enum err err;

    memset(keys, 0, sizeof(*keys));
    if (sealed.n != KEYS_N + SECRET_OVERHEAD)
        return ERR_CORRUPT;
    err = secret_open(secret, "device_keys", dev_eui.v, sealed, plain);
    if (err)
        return err;
    if (rd_u8(&rd) != FORMAT)
        err = ERR_CORRUPT;
    has = rd_u8(&rd);
    keys->has_app_key = has & 1;
    keys->has_nwk_key = has >> 1 & 1;
    keys->has_gen_app_key = has >> 2 & 1;
    rd_copy(&rd, keys->app_key.b, 16);
    rd_copy(&rd, keys->nwk_key.b, 16);
    rd_copy(&rd, keys->gen_app_key.b, 16);
    OPENSSL_cleanse(plain, sizeof(plain));
    return err;
}

static enum err load(struct js *js, const struct js_request *request, struct js_device *device)
{
    struct op_nonce nonce = {.dev_eui = request->join.dev_eui,
                             .join_eui = request->join.join_eui,
                             .nonce = request->join.dev_nonce};
    struct arena arena;
    struct bytes sealed;
    enum err err;

    arena_init(&arena, ARENA_JOB_LIMIT);
    err = store_keys_get(js->reader, request->join.dev_eui, &arena, &sealed);
    if (!err)
        err = js_keys_open(store_secret(js->store), request->join.dev_eui, sealed, &device->keys);
    if (!err)
        err = store_join_state_get(js->reader, request->join.dev_eui, &device->state);
    if (!err && request->version < LW_1_0_4)
        err = store_nonce_used(js->reader, &nonce, &device->nonce_used);
    arena_reset(&arena);
    return err;
}

static enum drop drop_of(enum err err)
{
    if (err == ERR_NOT_FOUND)
        return DROP_NO_KEYS;
    return err == ERR_CRYPTO || err == ERR_CORRUPT ? DROP_CORRUPT : DROP_STORE_AWAY;
}

static void take(struct worker *worker, struct mail *mail)
{
    struct js *js = worker->owner;
    struct js_request *request = (struct js_request *)mail;
    struct js_device device = {0};

    request->err = load(js, request, &device);
    if (request->err == OK) {
        js_answer(&device, request);
    } else {
        request->drop = drop_of(request->err);
        if (request->err != ERR_NOT_FOUND)
            LOG_ERROR("join_keys_unreadable", log_eui("devEui", request->join.dev_eui.v),
                      log_err(request->err));
    }
    OPENSSL_cleanse(&device, sizeof(device));
    request->mail.take = request->reply;
    mail_post(request->reply_to, LANE_RADIO, &request->mail);
}

enum err js_new(struct store *store, struct clock *clock, struct js **out)
{
    struct js *js = xcalloc(1, sizeof(*js));
    enum err err = store_reader_open(store, &js->reader);

    if (err) {
        free(js);
        return err;
    }
    js->store = store;
    worker_init(&js->worker, "join-server", clock, js);
    *out = js;
    return OK;
}

void js_free(struct js *js)
{
    store_reader_close(js->reader);
    worker_fini(&js->worker);
    free(js);
}

struct worker *js_worker(struct js *js)
{
    return &js->worker;
}

void js_ask(struct js *js, struct js_request *request)
{
    request->mail.take = take;
    mail_post(&js->worker, LANE_RADIO, &request->mail);
}
