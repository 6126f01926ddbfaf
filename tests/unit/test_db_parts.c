/* Secrets, UUIDs, facts of events, and the directory. */
#include "db/directory.h"
#include "db/event.h"
#include "db/secret.h"
#include "tests/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(test_seal)
{
    static const uint8_t master[32] = {1}, other_master[32] = {2};
    static const struct bytes plain = {(const uint8_t *)"0123456789abcdef", 16};
    uint8_t sealed[16 + SECRET_OVERHEAD], again[16 + SECRET_OVERHEAD], out[16], a[32], b[32];
    struct secret secret, other;
    struct bytes blob = {sealed, sizeof(sealed)};

    secret_init(&secret, master);
    secret_init(&other, other_master);
    ck_assert_int_eq(secret_seal(&secret, "keys", 7, plain, sealed), OK);
    ck_assert_int_eq(secret_seal(&secret, "keys", 7, plain, again), OK);
    ck_assert(memcmp(sealed, again, sizeof(sealed)) != 0); /* never the same nonce */
    ck_assert_int_eq(secret_open(&secret, "keys", 7, blob, out), OK);
    ck_assert_mem_eq(out, plain.p, 16);
    ck_assert_int_eq(secret_open(&secret, "keys", 8, blob, out), ERR_CRYPTO);
    ck_assert_int_eq(secret_open(&secret, "meta", 7, blob, out), ERR_CRYPTO);
    ck_assert_int_eq(secret_open(&other, "keys", 7, blob, out), ERR_CRYPTO);
    for (size_t i = 0; i < sizeof(sealed); i++) {
        sealed[i] ^= 0x10;
        ck_assert_int_eq(secret_open(&secret, "keys", 7, blob, out), ERR_CRYPTO);
        sealed[i] ^= 0x10;
    }
    for (size_t n = 0; n < sizeof(sealed); n++)
        ck_assert_int_eq(secret_open(&secret, "keys", 7, (struct bytes){sealed, n}, out),
                         ERR_CRYPTO);
    secret_derive(&secret, "tokens", a);
    secret_derive(&secret, "cookies", b);
    ck_assert(memcmp(a, b, 32) != 0 && memcmp(a, master, 32) != 0);
    secret_wipe(&secret);
    ck_assert(secret.key[0] == 0);
}
END_TEST

START_TEST(test_master_file)
{
    char dir[] = "/tmp/godwit-key-XXXXXX", file[64];
    uint8_t one[32], two[32];
    struct arena arena;
    struct stat st;
    const char *why = NULL;
    FILE *out;

    arena_init(&arena, ARENA_JOB_LIMIT);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(file, sizeof(file), "%s/master-key", dir);
    ck_assert_int_eq(unsetenv("GODWIT_MASTER_KEY"), 0);
    ck_assert_int_eq(secret_load_master(dir, false, one, &arena, &why), ERR_NOT_FOUND);
    ck_assert_int_eq(secret_load_master(dir, true, one, &arena, &why), OK);
    ck_assert_int_eq(secret_load_master(dir, false, two, &arena, &why), OK);
    ck_assert_mem_eq(one, two, 32);
    ck_assert(stat(file, &st) == 0 && (st.st_mode & 0777) == 0600);
    ck_assert_int_eq(setenv("GODWIT_MASTER_KEY", "00", 1), 0);
    ck_assert_int_eq(secret_load_master(dir, false, two, &arena, &why), ERR_CRYPTO);
    ck_assert_int_eq(unsetenv("GODWIT_MASTER_KEY"), 0);
    out = fopen(file, "w");
    ck_assert(out && fputs("short\n", out) >= 0 && fclose(out) == 0);
    ck_assert_int_eq(secret_load_master(dir, true, two, &arena, &why), ERR_CRYPTO);
    ck_assert(unlink(file) == 0 && rmdir(dir) == 0);
    arena_reset(&arena);
}
END_TEST

START_TEST(test_uuid)
{
    char text[UUID_TEXT];
    struct uuid a = uuid_new(1780000000123456), b = uuid_new(1780000000124456), read;

    ck_assert_int_lt(memcmp(a.b, b.b, 6), 0); /* in order of time */
    ck_assert_int_eq(a.b[6] >> 4, 7);
    ck_assert_int_eq(a.b[8] >> 6, 2);
    ck_assert_uint_eq(strlen(uuid_text(text, &a)), 36);
    ck_assert(uuid_read(&read, text) && uuid_equal(&read, &a));
    text[8] = '0';
    ck_assert(!uuid_read(&read, text));
    ck_assert(!uuid_read(&read, "00000000-0000-0000-0000-00000000000"));
    ck_assert(!uuid_read(&read, "00000000-0000-0000-0000-00000000000g"));
    a = uuid_derive("abc", 3);
    b = uuid_derive("abc", 3);
    ck_assert(uuid_equal(&a, &b) && a.b[6] >> 4 == 5);
    b = uuid_derive("abd", 3);
    ck_assert(!uuid_equal(&a, &b));
}
END_TEST

static void fill_facts(struct event_facts *f, struct copy *copies)
{
    memset(copies, 0, AIR_COPIES_MAX * sizeof(*copies));
    for (unsigned i = 0; i < AIR_COPIES_MAX; i++)
        copies[i] = (struct copy){.gateway = {i + 1},
                                  .utc_us = 1780000000000000 + i,
                                  .tmst = i,
                                  .frequency_hz = 868100000,
                                  .rssi_dbm = -120,
                                  .snr_cb = -55,
                                  .region = 3,
                                  .flags = COPY_HAS_TMMS | COPY_HAS_FINE | COPY_HAS_GW_TIME,
                                  .gps_ms = 1ull << 40,
                                  .fine_ns = 999,
                                  .gw_utc_us = 5};
    *f = (struct event_facts){.device_class = 2,
                              .dev_addr = {0x01020304},
                              .fcnt = 70000,
                              .f_port = 223,
                              .dr = 5,
                              .region = 3,
                              .adr = true,
                              .confirmed = true,
                              .data = {(const uint8_t *)"\1\2\3", 3},
                              .copies = copies,
                              .copy_count = AIR_COPIES_MAX,
                              .join_eui = {9},
                              .acknowledged = true,
                              .fcnt_down = 12,
                              .downlink_id = 1ull << 60,
                              .rung = {.gateway = {4}, .eirp_dbm = -3, .window = 2},
                              .battery = 254,
                              .margin = -32,
                              .level = 2,
                              .code = "OTAA",
                              .description = "text",
                              .context = "{}"};
    f->application_id.b[0] = 1;
    f->dedup_id.b[15] = 2;
    f->queue_item_id.b[3] = 3;
}

static void check_facts(enum event_type type, const struct event_facts *f,
                        const struct event_facts *got)
{
    ck_assert(uuid_equal(&f->application_id, &got->application_id));
    ck_assert(uuid_equal(&f->dedup_id, &got->dedup_id));
    ck_assert(got->device_class == 2 && got->dev_addr.v == f->dev_addr.v);
    if (type == EVENT_UP) {
        ck_assert(got->fcnt == f->fcnt && got->f_port == 223 && got->adr && got->confirmed);
        ck_assert(bytes_equal(got->data, f->data));
        ck_assert_uint_eq(got->copy_count, AIR_COPIES_MAX);
        ck_assert_mem_eq(got->copies, f->copies, sizeof(*f->copies) * AIR_COPIES_MAX);
    } else if (type == EVENT_TXACK) {
        ck_assert(got->downlink_id == f->downlink_id && got->rung.eirp_dbm == -3);
        ck_assert(uuid_equal(&f->queue_item_id, &got->queue_item_id));
    } else if (type == EVENT_STATUS) {
        ck_assert(got->battery == 254 && got->margin == -32);
    } else if (type == EVENT_LOG) {
        ck_assert_str_eq(got->code, "OTAA");
        ck_assert_str_eq(got->context, "{}");
    } else if (type == EVENT_ACK) {
        ck_assert(got->acknowledged && got->fcnt_down == 12);
    } else {
        ck_assert_uint_eq(got->join_eui.v, 9);
    }
}

/* Every type comes back as it was; every shorter piece of it is corrupt. */
START_TEST(test_event_facts)
{
    struct copy copies[AIR_COPIES_MAX];
    struct event_facts facts, got;
    struct arena arena;

    arena_init(&arena, (size_t)64 << 20);
    fill_facts(&facts, copies);
    for (enum event_type type = 0; type < EVENT_TYPE_COUNT; type++) {
        struct bytes encoded = event_facts_write(type, &facts, &arena);
        uint8_t *bad = arena_memdup(&arena, encoded.p, encoded.n);

        ck_assert_int_eq(event_facts_read(type, encoded, &arena, &got), OK);
        check_facts(type, &facts, &got);
        for (size_t n = 0; n < encoded.n; n++)
            ck_assert_int_eq(event_facts_read(type, (struct bytes){encoded.p, n}, &arena, &got),
                             ERR_CORRUPT);
        bad[0] ^= 0x40;
        ck_assert_int_eq(event_facts_read(type, (struct bytes){bad, encoded.n}, &arena, &got),
                         ERR_CORRUPT);
    }
    facts.description = arena_alloc(&arena, 20000);
    memset((void *)(uintptr_t)facts.description, 'x', 19999);
    ck_assert_int_eq(
        event_facts_read(EVENT_LOG, event_facts_write(EVENT_LOG, &facts, &arena), &arena, &got),
        OK); /* a long text is cut, not lost with the rest */
    arena_reset(&arena);
}
END_TEST

START_TEST(test_directory)
{
    struct directory directory;
    struct tenant tenant = {.head = {.rev = 4}, .name = "one", .description = ""};
    struct record_key key;
    struct shared_record *shared;
    const struct tenant *found;
    uint32_t slot, at = 0;

    directory_init(&directory);
    tenant.id.b[0] = 1;
    key = record_key_of(REC_TENANT, &tenant);
    ck_assert_uint_eq(directory_slot(&directory, REC_TENANT, &key), DIRECTORY_NONE);
    slot = directory_reserve(&directory, REC_TENANT, &key);
    ck_assert_ptr_null(directory_at(&directory, REC_TENANT, slot));
    shared = shared_record_new(REC_TENANT, &key, &tenant);
    directory_apply(&directory, shared_record_ref(shared));
    tenant.name = "changed outside";
    found = directory_find(&directory, REC_TENANT, &key);
    ck_assert_str_eq(found->name, "one"); /* a copy of its own */
    ck_assert_uint_eq(found->head.rev, 4);
    ck_assert_ptr_eq(directory_at(&directory, REC_TENANT, slot), found);
    directory_apply(&directory, shared_record_new(REC_TENANT, &key, &tenant));
    ck_assert_str_eq(((const struct tenant *)shared->record)->name, "one"); /* still ours */
    shared_record_unref(shared);
    ck_assert_uint_eq(directory_slot(&directory, REC_TENANT, &key), slot);
    ck_assert_ptr_nonnull(directory_next(&directory, REC_TENANT, &at));
    ck_assert_ptr_null(directory_next(&directory, REC_TENANT, &at));
    directory_apply(&directory, shared_record_new(REC_TENANT, &key, NULL));
    ck_assert_ptr_null(directory_find(&directory, REC_TENANT, &key));
    ck_assert_uint_eq(directory_slot(&directory, REC_TENANT, &key), slot);
    for (unsigned i = 2; i < 200; i++) {
        tenant.id.b[0] = (uint8_t)i;
        key = record_key_of(REC_TENANT, &tenant);
        directory_apply(&directory, shared_record_new(REC_TENANT, &key, &tenant));
        ck_assert_ptr_nonnull(directory_find(&directory, REC_TENANT, &key));
    }
    directory_fini(&directory);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_seal,        test_master_file, test_uuid,
                                  test_event_facts, test_directory,   NULL};

    return run_suite(suite_of("db_parts", tests));
}
