/* The join server's worker: what it says when the store has no keys, damaged ones, or fails. */
#include "db/secret.h"
#include "js/js.h"
#include "tests/store/damage.h"
#include "tests/store/kit.h"

#include <stdio.h>
#include <string.h>

static const struct lw_eui dev_eui = {0x70b3d57ed0000001};
static const struct lw_key app_key = {{1, 2, 3}};

static void answered(struct worker *worker, struct mail *mail)
{
    struct js_request **got = worker->owner;

    *got = (struct js_request *)mail;
}

/* Asks as a device of that version, and steps both workers until the answer is there. */
static struct js_request ask_as(struct kit *kit, struct js *js, enum lw_version version,
                                uint16_t nonce)
{
    struct js_request request = {.version = version,
                                 .join = {{0x1122334455667788}, dev_eui, nonce},
                                 .reply = answered},
                      *got = NULL;
    struct wr wr = wr_of(request.phy, sizeof(request.phy));
    struct lw_frame frame;
    struct worker asker;

    ck_assert_int_eq(lw_join_request_write(&wr, &request.join, &app_key), OK);
    ck_assert_int_eq(lw_frame_read(wr_bytes(&wr), &frame), DROP_NONE);
    request.mic = frame.mic;
    worker_init(&asker, "asker", &kit->clock.clock, &got);
    request.reply_to = &asker;
    js_ask(js, &request);
    worker_step(js_worker(js), 0);
    worker_step(&asker, 0);
    ck_assert_ptr_eq(got, &request);
    worker_fini(&asker);
    return request;
}

static struct js_request ask(struct kit *kit, struct js *js, uint16_t nonce)
{
    return ask_as(kit, js, LW_1_0_3, nonce);
}

static void put_keys(struct kit *kit, struct bytes sealed)
{
    struct change *change = kit_change(kit);

    kit_op(kit, change, OP_KEYS_PUT)->keys = (struct op_keys){.dev_eui = dev_eui, .sealed = sealed};
    ck_ok(kit_commit(kit, change));
}

static struct bytes seal(struct kit *kit, const void *plain, size_t n)
{
    uint8_t *out = arena_alloc(&kit->arena, n + SECRET_OVERHEAD);

    ck_ok(secret_seal(store_secret(kit->store), "device_keys", dev_eui.v, (struct bytes){plain, n},
                      out));
    return (struct bytes){out, n + SECRET_OVERHEAD};
}

static struct js *begin(struct kit *kit)
{
    struct js *js;

    kit_open_records(kit, 0, NULL);
    ck_ok(kit_device(kit, dev_eui.v));
    ck_ok(js_new(kit->store, &kit->clock.clock, &js));
    return js;
}

static void end(struct kit *kit, struct js *js)
{
    js_free(js);
    kit_close(kit);
}

START_TEST(good_keys_are_used)
{
    const struct device_keys keys = {.app_key = app_key, .has_app_key = true};
    struct kit kit;
    struct js *js = begin(&kit);
    struct js_request request;
    struct bytes sealed;

    ck_ok(js_keys_seal(store_secret(kit.store), dev_eui, &keys, &kit.arena, &sealed));
    put_keys(&kit, sealed);
    request = ask(&kit, js, 7);
    ck_assert_int_eq(request.drop, DROP_NONE);
    ck_assert_uint_eq(request.state.join_nonce, 1);
    ck_assert_uint_eq(request.accept_n, 17);
    ck_assert(request.add_nonce);
    request = ask_as(&kit, js, LW_1_0_4, 7); /* counts */
    ck_assert_int_eq(request.drop, DROP_NONE);
    ck_assert(!request.add_nonce);
    ck_assert_int_eq(request.state.last_dev_nonce, 7);
    end(&kit, js);
}
END_TEST

START_TEST(without_keys)
{
    struct kit kit;
    struct js *js = begin(&kit);
    struct js_request request = ask(&kit, js, 7);

    ck_assert_int_eq(request.drop, DROP_NO_KEYS);
    ck_assert_uint_eq(request.accept_n, 0);
    end(&kit, js);
}
END_TEST

START_TEST(damaged_keys)
{
    uint8_t plain[50] = {2}; /* a format of the future */
    uint8_t spoilt[sizeof(plain) + SECRET_OVERHEAD];
    struct kit kit;
    struct js *js = begin(&kit);
    struct bytes sealed;

    put_keys(&kit, kit_text(&kit, "short"));
    ck_assert_int_eq(ask(&kit, js, 7).drop, DROP_CORRUPT);
    put_keys(&kit, seal(&kit, plain, sizeof(plain)));
    ck_assert_int_eq(ask(&kit, js, 7).drop, DROP_CORRUPT);
    plain[0] = 1;
    sealed = seal(&kit, plain, sizeof(plain));
    memcpy(spoilt, sealed.p, sealed.n);
    spoilt[sealed.n - 1] ^= 1; /* the seal does not hold */
    put_keys(&kit, (struct bytes){spoilt, sealed.n});
    ck_assert_int_eq(ask(&kit, js, 7).err, ERR_CRYPTO);
    end(&kit, js);
}
END_TEST

START_TEST(the_store_fails)
{
    struct kit kit;
    struct js *js = begin(&kit);
    char file[128];

    (void)snprintf(file, sizeof(file), "%s/store.db", kit.dir);
    damage(file, "DROP TABLE device_keys");
    ck_assert_int_eq(ask(&kit, js, 7).drop, DROP_STORE_AWAY);
    end(&kit, js);
}
END_TEST

START_TEST(no_reader)
{
    const struct store_options tune = {.vfs = "fault"};
    const struct kit_faults *faults = kit_engine(0)->faults;
    struct kit kit;
    struct js *js = NULL;

    faults->reset();
    kit_open(&kit, 0, &tune);
    faults->arm(1, FAULT_LASTING);
    ck_assert_int_ne(js_new(kit.store, &kit.clock.clock, &js), OK);
    ck_assert_ptr_null(js);
    faults->reset();
    kit_close(&kit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {good_keys_are_used, without_keys, damaged_keys,
                                  the_store_fails,    no_reader,    NULL};

    return run_suite(suite_of("js_server", tests));
}
