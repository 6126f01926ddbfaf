/* Records, lists, keys, join state and nonces of the store's contract. */
#include "tests/store/kit.h"

#include <string.h>

static struct record_key eui_key(uint64_t eui)
{
    return record_key_eui((struct lw_eui){eui});
}

/* ---- records --------------------------------------------------------------------------------- */

START_TEST(test_record_life)
{
    struct kit kit;
    struct tenant *tenant, *got;
    struct record_key key;
    void *record;

    kit_open(&kit, _i, NULL);
    tenant = kit_record(&kit, REC_TENANT);
    key = record_key_of(REC_TENANT, tenant);
    ck_assert_int_eq(store_record_get(kit.reader, REC_TENANT, &key, &kit.arena, &record),
                     ERR_NOT_FOUND);
    ck_assert_int_eq(kit_put(&kit, REC_TENANT, tenant, 1), ERR_NOT_FOUND);
    ck_ok(kit_put(&kit, REC_TENANT, tenant, 0));
    ck_assert_uint_eq(tenant->head.rev, 1);
    ck_assert_int_eq(kit_put(&kit, REC_TENANT, tenant, 0), ERR_EXISTS);
    clock_double_step_utc(&kit.clock, 5000000);
    tenant->name = "other";
    ck_assert_int_eq(kit_put(&kit, REC_TENANT, tenant, 2), ERR_CONFLICT);
    ck_ok(kit_put(&kit, REC_TENANT, tenant, 1));
    ck_ok(kit_put(&kit, REC_TENANT, tenant, UINT64_MAX));
    ck_ok(store_record_get(kit.reader, REC_TENANT, &key, &kit.arena, &record));
    got = record;
    ck_assert_str_eq(got->name, "other");
    ck_assert_uint_eq(got->head.rev, 3);
    ck_assert_int_eq(got->head.updated_us - got->head.created_us, 5000000);
    ck_assert(uuid_equal(&got->id, &tenant->id));
    ck_assert_int_eq(kit_delete(&kit, REC_TENANT, &key, 2), ERR_CONFLICT);
    ck_ok(kit_delete(&kit, REC_TENANT, &key, 3));
    ck_assert_int_eq(kit_delete(&kit, REC_TENANT, &key, 0), ERR_NOT_FOUND);
    ck_ok(kit_put(&kit, REC_TENANT, tenant, UINT64_MAX)); /* whatever is there: also nothing */
    ck_assert_uint_eq(tenant->head.rev, 1);
    kit_close(&kit);
}
END_TEST

START_TEST(test_parents_and_children)
{
    struct kit kit;
    struct device_record *device;
    struct application *application;
    struct record_key key;

    kit_open_records(&kit, _i, NULL);
    device = kit_record(&kit, REC_DEVICE);
    device->dev_eui.v = 1;
    device->application_id = kit_uuid(77);
    ck_assert_int_eq(kit_put(&kit, REC_DEVICE, device, 0), ERR_REFERENCE);
    ck_ok(kit_device(&kit, 1));
    key = record_key_uuid(&kit.application);
    ck_assert_int_eq(kit_delete(&kit, REC_APPLICATION, &key, 0), ERR_IN_USE);
    key = record_key_uuid(&kit.profile);
    ck_assert_int_eq(kit_delete(&kit, REC_DEVICE_PROFILE, &key, 0), ERR_IN_USE);
    key = record_key_uuid(&kit.tenant);
    ck_assert_int_eq(kit_delete(&kit, REC_TENANT, &key, 0), ERR_IN_USE);
    application = kit_record(&kit, REC_APPLICATION);
    memset(&application->tenant_id, 0, sizeof(application->tenant_id));
    ck_assert_int_eq(kit_put(&kit, REC_APPLICATION, application, 0), ERR_REFERENCE);
    key = eui_key(1);
    ck_ok(kit_delete(&kit, REC_DEVICE, &key, 0));
    key = record_key_uuid(&kit.application);
    ck_ok(kit_delete(&kit, REC_APPLICATION, &key, 0));
    kit_close(&kit);
}
END_TEST

START_TEST(test_email_is_unique)
{
    struct kit kit;
    struct user *one, *two, *got;

    kit_open(&kit, _i, NULL);
    one = kit_record(&kit, REC_USER);
    one->password = "never stored";
    one->password_hash = "$argon2id$";
    ck_ok(kit_put(&kit, REC_USER, one, 0));
    two = kit_record(&kit, REC_USER);
    two->email = "A@EXAMPLE.org";
    ck_assert_int_eq(kit_put(&kit, REC_USER, two, 0), ERR_EXISTS);
    two->email = "b@example.org";
    ck_ok(kit_put(&kit, REC_USER, two, 0));
    two->email = "a@Example.org";
    ck_assert_int_eq(kit_put(&kit, REC_USER, two, 1), ERR_EXISTS);
    ck_ok(store_user_by_email(kit.reader, "A@example.ORG", &kit.arena, &got));
    ck_assert(uuid_equal(&got->id, &one->id));
    ck_assert_str_eq(got->password_hash, "$argon2id$");
    ck_assert(got->password == NULL || got->password[0] == '\0');
    ck_assert_int_eq(store_user_by_email(kit.reader, "c@example.org", &kit.arena, &got),
                     ERR_NOT_FOUND);
    kit_close(&kit);
}
END_TEST

/* What a device had goes with it; its nonces stay. */
START_TEST(test_cascade)
{
    struct kit kit;
    struct change *change;
    struct record_key key = eui_key(5);
    struct bytes sealed;
    uint64_t pos = 9;
    bool used = false;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 5));
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 5, 0, kit_text(&kit, "a"));
    (void)kit_event(&kit, change, 5, kit_text(&kit, "e"));
    (void)kit_queue(&kit, change, 5, 1);
    kit_op(&kit, change, OP_KEYS_PUT)->keys =
        (struct op_keys){.dev_eui = {5}, .sealed = kit_text(&kit, "sealed")};
    kit_op(&kit, change, OP_NONCE_ADD)->nonce =
        (struct op_nonce){.dev_eui = {5}, .join_eui = {6}, .nonce = 7};
    ck_ok(kit_commit(&kit, change));
    ck_ok(kit_delete(&kit, REC_DEVICE, &key, 0));
    ck_assert_int_eq(store_keys_get(kit.reader, (struct lw_eui){5}, &kit.arena, &sealed),
                     ERR_NOT_FOUND);
    ck_ok(store_event_last(kit.reader, (struct lw_eui){5}, &pos));
    ck_assert_uint_eq(pos, 0);
    ck_ok(store_nonce_used(kit.reader,
                           &(struct op_nonce){.dev_eui = {5}, .join_eui = {6}, .nonce = 7}, &used));
    ck_assert(used);
    change = kit_change(&kit);
    (void)kit_queue(&kit, change, 5, 2);
    ck_assert_int_eq(kit_commit(&kit, change), ERR_REFERENCE);
    change = kit_change(&kit);
    kit_op(&kit, change, OP_KEYS_PUT)->keys =
        (struct op_keys){.dev_eui = {5}, .sealed = kit_text(&kit, "sealed")};
    ck_assert_int_eq(kit_commit(&kit, change), ERR_REFERENCE);
    change = kit_change(&kit);
    (void)kit_event(&kit, change, 5, kit_text(&kit, "e"));
    ck_assert_int_eq(kit_commit(&kit, change), ERR_REFERENCE);
    kit_close(&kit);
}
END_TEST

/* A change is whole or nothing, and its neighbours do not suffer. */
START_TEST(test_neighbours)
{
    struct kit kit;
    struct change *batch[4];
    struct bytes sealed;
    size_t done;

    kit_open_records(&kit, _i, NULL);
    for (uint64_t eui = 1; eui <= 3; eui++)
        ck_ok(kit_device(&kit, eui));
    for (size_t i = 0; i < 4; i++) {
        batch[i] = kit_change(&kit);
        (void)kit_event(&kit, batch[i], i + 1, kit_text(&kit, "event"));
        (void)kit_state(&kit, batch[i], i + 1, i == 1 ? 5 : 0, kit_text(&kit, "state"));
    }
    kit_op(&kit, batch[0], OP_KEYS_PUT)->keys =
        (struct op_keys){.dev_eui = {1}, .sealed = kit_text(&kit, "good")};
    kit_op(&kit, batch[2], OP_KEYS_PUT)->keys =
        (struct op_keys){.dev_eui = {99}, .sealed = kit_text(&kit, "bad")};
    ck_ok(store_commit(kit.store, batch, 4, &done));
    ck_assert_uint_eq(done, 4);
    ck_assert_int_eq(batch[0]->result, OK);
    ck_assert_int_eq(batch[1]->result, ERR_CONFLICT);
    ck_assert_int_eq(batch[2]->result, ERR_REFERENCE);
    ck_assert_int_eq(batch[3]->result, ERR_REFERENCE); /* no device 4 */
    ck_assert_uint_eq(store_outbox_end(kit.store), 2);
    ck_ok(store_keys_get(kit.reader, (struct lw_eui){1}, &kit.arena, &sealed));
    ck_assert_uint_eq(sealed.n, 4);
    /* device 3 is as it was: its first state is still to come */
    batch[0] = kit_change(&kit);
    (void)kit_state(&kit, batch[0], 3, 0, kit_text(&kit, "state"));
    ck_ok(kit_commit(&kit, batch[0]));
    kit_close(&kit);
}
END_TEST

/* ---- lists ----------------------------------------------------------------------------------- */

static void put_tenants(struct kit *kit, const char *const *names, size_t n, struct uuid *ids)
{
    for (size_t i = 0; i < n; i++) {
        struct tenant *tenant = kit_record(kit, REC_TENANT);

        tenant->id = kit_uuid(i + 1);
        tenant->name = names[i];
        ids[i] = tenant->id;
        ck_ok(kit_put(kit, REC_TENANT, tenant, 0));
    }
}

static size_t count_found(struct kit *kit, enum record_type type, const char *search)
{
    struct record_query query = {.search = search, .limit = 100, .want_total = true};
    struct record_page page;

    ck_ok(store_record_list(kit->reader, type, &query, &kit->arena, &page));
    ck_assert_uint_eq(page.total, page.n);
    return page.n;
}

START_TEST(test_search)
{
    static const char *const names[] = {"100% wool", "100 wool",    "a_b",
                                        "axb",       "back\\slash", "ABC"};
    struct kit kit;
    struct uuid ids[6];

    kit_open(&kit, _i, NULL);
    put_tenants(&kit, names, 6, ids);
    ck_assert_uint_eq(count_found(&kit, REC_TENANT, "%"), 1);
    ck_assert_uint_eq(count_found(&kit, REC_TENANT, "100"), 2);
    ck_assert_uint_eq(count_found(&kit, REC_TENANT, "_"), 1);
    ck_assert_uint_eq(count_found(&kit, REC_TENANT, "\\"), 1);
    ck_assert_uint_eq(count_found(&kit, REC_TENANT, "abc"), 1);
    ck_assert_uint_eq(count_found(&kit, REC_TENANT, "a"), 4);
    ck_assert_uint_eq(count_found(&kit, REC_TENANT, "' OR 1"), 0);
    kit_close(&kit);
}
END_TEST

START_TEST(test_pages)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    struct kit kit;
    struct uuid ids[5];
    struct record_query query = {.limit = 2, .want_total = true};
    struct record_page page;
    size_t seen = 0;

    kit_open(&kit, _i, NULL);
    put_tenants(&kit, names, 5, ids);
    do {
        ck_ok(store_record_list(kit.reader, REC_TENANT, &query, &kit.arena, &page));
        ck_assert_uint_eq(page.total, 5);
        for (size_t i = 0; i < page.n; i++)
            ck_assert_str_eq(((struct tenant *)page.records[i])->name, names[seen++]);
        query.after = record_key_of(REC_TENANT, page.records[page.n - 1]);
    } while (page.more);
    ck_assert_uint_eq(seen, 5);
    query = (struct record_query){.limit = 5};
    ck_ok(store_record_list(kit.reader, REC_TENANT, &query, &kit.arena, &page));
    ck_assert(page.n == 5 && !page.more);
    query.limit = 0;
    ck_ok(store_record_list(kit.reader, REC_TENANT, &query, &kit.arena, &page));
    ck_assert(page.n == 0 && page.more);
    kit_close(&kit);
}
END_TEST

/* In the order of the bits, whatever the sign of the column. */
START_TEST(test_euis_in_order)
{
    static const uint64_t euis[] = {1, 0x7fffffffffffffff, 0x8000000000000000, 0xff00000000000001,
                                    UINT64_MAX};
    struct kit kit;

    kit_open_records(&kit, _i, NULL);
    for (size_t i = 5; i-- > 0;)
        ck_ok(kit_device(&kit, euis[i]));
    for (size_t limit = 1; limit <= 6; limit++) {
        struct record_query query = {.limit = limit};
        struct record_page page;
        size_t seen = 0;

        do {
            ck_ok(store_record_list(kit.reader, REC_DEVICE, &query, &kit.arena, &page));
            ck_assert_uint_gt(page.n, 0);
            for (size_t i = 0; i < page.n; i++)
                ck_assert_uint_eq(((struct device_record *)page.records[i])->dev_eui.v,
                                  euis[seen++]);
            query.after = record_key_of(REC_DEVICE, page.records[page.n - 1]);
        } while (page.more);
        ck_assert_uint_eq(seen, 5);
    }
    ck_assert_uint_eq(count_found(&kit, REC_DEVICE, "ff0000"), 1);
    ck_assert_uint_eq(count_found(&kit, REC_DEVICE, "FFFFFFFFFFFFFFFF"), 1);
    kit_close(&kit);
}
END_TEST

static size_t count_filtered(struct kit *kit, enum record_type type, const char *column,
                             struct bytes value, const struct uuid *tenants, size_t n)
{
    struct record_query query = {.limit = 1000, .tenants = tenants, .tenant_count = n};
    struct record_page page;
    uint64_t count;

    if (column)
        query.filters[query.filter_count++] = (struct record_filter){column, value};
    ck_ok(store_record_list(kit->reader, type, &query, &kit->arena, &page));
    ck_ok(store_record_count(kit->reader, type, &query, &count));
    ck_assert_uint_eq(count, page.n);
    return page.n;
}

START_TEST(test_filters_and_tenants)
{
    struct kit kit;
    struct uuid many[300], other = kit_uuid(1);
    struct bytes none = {0}, application;
    struct record_query query = {.limit = 1, .filters = {{"doc", {0}}}, .filter_count = 1};
    struct record_page page;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    ck_ok(kit_device(&kit, 2));
    ck_ok(kit_put(&kit, REC_USER, kit_record(&kit, REC_USER), 0));
    application = (struct bytes){kit.application.b, 16};
    ck_assert_uint_eq(count_filtered(&kit, REC_DEVICE, "application_id", application, NULL, 0), 2);
    application.p = other.b;
    ck_assert_uint_eq(count_filtered(&kit, REC_DEVICE, "application_id", application, NULL, 0), 0);
    application.p = kit.application.b;
    for (size_t i = 0; i < 300; i++)
        many[i] = i == 299 ? kit.tenant : kit_uuid(i + 1);
    for (enum record_type type = 0; type < REC_TYPE_COUNT; type++) /* deny by default */
        ck_assert_uint_eq(count_filtered(&kit, type, NULL, none, many, 0), 0);
    ck_assert_uint_eq(count_filtered(&kit, REC_DEVICE, NULL, none, &kit.tenant, 1), 2);
    ck_assert_uint_eq(count_filtered(&kit, REC_DEVICE, NULL, none, many, 299), 0);
    ck_assert_uint_eq(count_filtered(&kit, REC_DEVICE, NULL, none, many, 300), 2);
    ck_assert_uint_eq(count_filtered(&kit, REC_DEVICE, "application_id", application, many, 300),
                      2);
    ck_assert_uint_eq(count_filtered(&kit, REC_APPLICATION, NULL, none, &kit.tenant, 1), 1);
    ck_assert_uint_eq(count_filtered(&kit, REC_TENANT, NULL, none, &kit.tenant, 1), 1);
    ck_assert_uint_eq(count_filtered(&kit, REC_USER, NULL, none, &kit.tenant, 1), 0);
    ck_assert_int_eq(store_record_list(kit.reader, REC_DEVICE, &query, &kit.arena, &page),
                     ERR_INVALID);
    kit_close(&kit);
}
END_TEST

START_TEST(test_tenant_users)
{
    struct kit kit;
    struct user *user;
    struct tenant_user *member, *got;
    struct record_key key;
    void *record;

    kit_open_records(&kit, _i, NULL);
    user = kit_record(&kit, REC_USER);
    ck_ok(kit_put(&kit, REC_USER, user, 0));
    member = kit_record(&kit, REC_TENANT_USER);
    member->tenant_id = kit.tenant;
    member->user_id = kit_uuid(3);
    ck_assert_int_eq(kit_put(&kit, REC_TENANT_USER, member, 0), ERR_REFERENCE);
    member->user_id = user->id;
    member->role = ROLE_VIEWER;
    ck_ok(kit_put(&kit, REC_TENANT_USER, member, 0));
    key = record_key_of(REC_TENANT_USER, member);
    ck_assert_uint_eq(key.n, 32);
    ck_ok(store_record_get(kit.reader, REC_TENANT_USER, &key, &kit.arena, &record));
    got = record;
    ck_assert_int_eq(got->role, ROLE_VIEWER);
    ck_assert_uint_eq(count_filtered(&kit, REC_TENANT_USER, "user_id",
                                     (struct bytes){user->id.b, 16}, &kit.tenant, 1),
                      1);
    key = record_key_uuid(&kit.tenant);
    ck_assert_int_eq(kit_delete(&kit, REC_TENANT, &key, 0), ERR_IN_USE);
    key = record_key_uuid(&user->id);
    ck_ok(kit_delete(&kit, REC_USER, &key, 0)); /* takes its memberships along */
    ck_assert_uint_eq(count_filtered(&kit, REC_TENANT_USER, NULL, (struct bytes){0}, NULL, 0), 0);
    kit_close(&kit);
}
END_TEST

/* ---- keys, join state, nonces --------------------------------------------------------------- */

static enum err put_join(struct kit *kit, uint32_t join_nonce, int32_t last)
{
    struct change *change = kit_change(kit);

    kit_op(kit, change, OP_JOIN_STATE)->join =
        (struct op_join_state){.dev_eui = {1}, .join_nonce = join_nonce, .last_dev_nonce = last};
    return kit_commit(kit, change);
}

START_TEST(test_join_state_grows)
{
    struct kit kit;
    struct join_state state;
    struct change *change;

    kit_open_records(&kit, _i, NULL);
    ck_ok(store_join_state_get(kit.reader, (struct lw_eui){1}, &state));
    ck_assert(state.join_nonce == 0 && state.last_dev_nonce == -1);
    ck_ok(put_join(&kit, 5, 10));
    ck_assert_int_eq(put_join(&kit, 5, 11), ERR_CONFLICT);
    ck_assert_int_eq(put_join(&kit, 4, 11), ERR_CONFLICT);
    ck_ok(put_join(&kit, 6, 12));
    kit_reopen(&kit, NULL);
    ck_ok(store_join_state_get(kit.reader, (struct lw_eui){1}, &state));
    ck_assert(state.join_nonce == 6 && state.last_dev_nonce == 12);
    change = kit_change(&kit);
    kit_op(&kit, change, OP_NONCE_CLEAR)->nonce.dev_eui.v = 1;
    ck_ok(kit_commit(&kit, change));
    ck_ok(store_join_state_get(kit.reader, (struct lw_eui){1}, &state));
    ck_assert(state.join_nonce == 6 && state.last_dev_nonce == -1);
    kit_close(&kit);
}
END_TEST

static enum err add_nonce(struct kit *kit, uint64_t dev, uint64_t join, uint16_t nonce)
{
    struct change *change = kit_change(kit);

    kit_op(kit, change, OP_NONCE_ADD)->nonce =
        (struct op_nonce){.dev_eui = {dev}, .join_eui = {join}, .nonce = nonce};
    return kit_commit(kit, change);
}

START_TEST(test_nonces)
{
    struct kit kit;
    struct op_nonce asked = {.dev_eui = {1}, .join_eui = {UINT64_MAX}, .nonce = 65535};
    struct change *change;
    bool used = true;

    kit_open_records(&kit, _i, NULL);
    ck_ok(store_nonce_used(kit.reader, &asked, &used));
    ck_assert(!used);
    ck_ok(add_nonce(&kit, 1, UINT64_MAX, 65535));
    ck_assert_int_eq(add_nonce(&kit, 1, UINT64_MAX, 65535), ERR_EXISTS);
    ck_ok(add_nonce(&kit, 1, 2, 65535));
    ck_ok(add_nonce(&kit, 2, UINT64_MAX, 65535));
    kit_reopen(&kit, NULL);
    ck_assert_int_eq(add_nonce(&kit, 1, UINT64_MAX, 65535), ERR_EXISTS);
    ck_ok(store_nonce_used(kit.reader, &asked, &used));
    ck_assert(used);
    change = kit_change(&kit);
    kit_op(&kit, change, OP_NONCE_CLEAR)->nonce.dev_eui.v = 1;
    ck_ok(kit_commit(&kit, change));
    ck_ok(add_nonce(&kit, 1, UINT64_MAX, 65535));
    ck_assert_int_eq(add_nonce(&kit, 2, UINT64_MAX, 65535), ERR_EXISTS);
    kit_close(&kit);
}
END_TEST

START_TEST(test_keys)
{
    struct kit kit;
    struct change *change;
    struct bytes sealed;

    kit_open_records(&kit, _i, NULL);
    ck_ok(kit_device(&kit, 1));
    for (unsigned i = 0; i < 2; i++) {
        change = kit_change(&kit);
        kit_op(&kit, change, OP_KEYS_PUT)->keys =
            (struct op_keys){.dev_eui = {1}, .sealed = kit_text(&kit, "blob %u", i)};
        ck_ok(kit_commit(&kit, change));
    }
    ck_ok(store_keys_get(kit.reader, (struct lw_eui){1}, &kit.arena, &sealed));
    ck_assert(bytes_equal(sealed, kit_text(&kit, "blob 1")));
    change = kit_change(&kit);
    kit_op(&kit, change, OP_KEYS_PUT)->keys.dev_eui.v = 1;
    ck_ok(kit_commit(&kit, change));
    ck_assert_int_eq(store_keys_get(kit.reader, (struct lw_eui){1}, &kit.arena, &sealed),
                     ERR_NOT_FOUND);
    kit_close(&kit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {test_record_life,
                                  test_parents_and_children,
                                  test_email_is_unique,
                                  test_cascade,
                                  test_neighbours,
                                  test_search,
                                  test_pages,
                                  test_euis_in_order,
                                  test_filters_and_tenants,
                                  test_tenant_users,
                                  test_join_state_grows,
                                  test_nonces,
                                  test_keys,
                                  NULL};

    return run_suite(store_suite("store_records", tests));
}
