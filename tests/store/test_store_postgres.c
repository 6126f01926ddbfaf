/* What only PostgreSQL has: answers that are lost, sessions that end, writers beside each other. */
#include "db/postgres.h"
#include "tests/store/kit.h"
#include "tests/store/proxy.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct store_options by_proxy = {.vfs = "fault"};

static PGconn *connect_beside(void)
{
    PGconn *conn = PQconnectdb(getenv("GODWIT_TEST_POSTGRES"));

    ck_assert_int_eq(PQstatus(conn), CONNECTION_OK);
    return conn;
}

/* Whether it was done. */
static bool run(PGconn *conn, const char *sql)
{
    PGresult *result = PQexec(conn, sql);
    bool good =
        PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;

    PQclear(result);
    return good;
}

static bool count_event(void *arg, const struct stored_event *event)
{
    unsigned *n = arg;

    ck_assert_uint_eq(event->pos, ++*n);
    return true;
}

static unsigned events(struct kit *kit)
{
    unsigned n = 0;

    ck_ok(store_events_from(kit->reader, 1, SIZE_MAX, count_event, &n));
    return n;
}

/* A change of everything that an answer would tell: positions, revs, records. */
static struct change *full_change(struct kit *kit, uint64_t rev, struct tenant *tenant)
{
    struct change *change = kit_change(kit);

    (void)kit_event(kit, change, 1, kit_text(kit, "e"));
    (void)kit_state(kit, change, 1, rev, kit_text(kit, "s"));
    kit_op(kit, change, OP_NONCE_ADD)->nonce =
        (struct op_nonce){.dev_eui = {1}, .nonce = (uint16_t)rev};
    kit_op(kit, change, OP_RECORD_PUT)->record =
        (struct op_record){.type = REC_TENANT,
                           .key = record_key_of(REC_TENANT, tenant),
                           .record = tenant,
                           .expected_rev = tenant->head.rev,
                           .utc_us = clock_utc(&kit->clock.clock)};
    return change;
}

static void check_once(struct kit *kit, const struct change *change, uint64_t rev,
                       const struct tenant *tenant)
{
    ck_assert_int_eq(change->result, OK);
    ck_assert_uint_eq(change->first->event.pos, rev + 1);
    ck_assert_uint_eq(tenant->head.rev, rev + 1);
    ck_assert_int_eq(tenant->head.created_us, tenant->head.updated_us);
    ck_assert_uint_eq(events(kit), rev + 1);
    ck_assert_uint_eq(store_outbox_end(kit->store), rev + 2);
}

/* The connection is cut before, in and after the commit, and can be made anew at once. */
START_TEST(test_answer_lost)
{
    static const enum proxy_cut cuts[] = {CUT_BEFORE, CUT_AFTER, CUT_HALF};
    struct kit kit;
    struct tenant *tenant;

    kit_open_records(&kit, 1, &by_proxy);
    ck_ok(kit_device(&kit, 1));
    tenant = kit_record(&kit, REC_TENANT);
    for (uint64_t rev = 0; rev < 3; rev++) {
        struct change *change = full_change(&kit, rev, tenant);

        proxy_arm(1, false, cuts[rev]);
        ck_ok(kit_commit(&kit, change));
        ck_assert_uint_eq(proxy_hits(), 1);
        check_once(&kit, change, rev, tenant);
    }
    kit_close(&kit);
}
END_TEST

/* The same, but for a while nobody can be asked. The change is marked meanwhile. */
START_TEST(test_outcome_unknown)
{
    static const enum proxy_cut cuts[] = {CUT_AFTER, CUT_BEFORE, CUT_AFTER, CUT_HALF};
    struct kit kit;
    struct tenant *tenant;

    kit_open_records(&kit, 1, &by_proxy);
    ck_ok(kit_device(&kit, 1));
    tenant = kit_record(&kit, REC_TENANT);
    for (uint64_t rev = 0; rev < 4; rev++) {
        struct change *change = full_change(&kit, rev, tenant);
        bool more;

        proxy_arm(1, true, cuts[rev]);
        ck_assert_int_eq(kit_commit(&kit, change), ERR_AWAY);
        ck_assert_uint_ne(change->commit_id, 0);
        ck_assert_int_eq(store_housekeep(kit.store, &more), ERR_AWAY);
        ck_assert_int_eq(kit_commit(&kit, change), ERR_AWAY);
        ck_assert_uint_eq(store_outbox_end(kit.store), rev + 1); /* nothing is told */
        proxy_mend();
        if (rev > 1)
            kit_housekeep(&kit);        /* it may be this that finds out */
        store_reader_close(kit.reader); /* its pause after a failure is not over */
        ck_ok(store_reader_open(kit.store, &kit.reader));
        ck_ok(kit_commit(&kit, change));
        check_once(&kit, change, rev, tenant);
    }
    kit_close(&kit);
}
END_TEST

/* Sessions that the server ends are made anew, without an error to anybody. */
START_TEST(test_sessions_end)
{
    struct kit kit;
    struct record_key key;
    struct change *change;
    void *record;
    PGconn *beside = connect_beside();

    kit_open_records(&kit, 1, NULL);
    ck_ok(kit_device(&kit, 1));
    key = record_key_uuid(&kit.tenant);
    for (uint64_t rev = 0; rev < 3; rev++) {
        ck_assert(run(beside, "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity "
                              "WHERE application_name LIKE 'godwit%'"));
        change = kit_change(&kit);
        (void)kit_state(&kit, change, 1, rev, kit_text(&kit, "s"));
        (void)kit_event(&kit, change, 1, kit_text(&kit, "e"));
        ck_ok(kit_commit(&kit, change));
        ck_ok(store_record_get(kit.reader, REC_TENANT, &key, &kit.arena, &record));
        ck_assert_uint_eq(events(&kit), rev + 1);
    }
    PQfinish(beside);
    kit_close(&kit);
}
END_TEST

static enum err commit_event(struct kit *kit)
{
    struct change *change = kit_change(kit);

    (void)kit_event(kit, change, 1, kit_text(kit, "ours"));
    return kit_commit(kit, change);
}

static bool set_is(struct pg *pg, const char *name, const char *value)
{
    struct pg_params params = {0};
    PGresult *result;
    bool same;

    pg_text(&params, name);
    pg_text(&params, value);
    ck_ok(pg_run_sql(pg, "SELECT current_setting($1::text) = $2::text", &params, &result));
    same = pg_get_int(result, 0, 0) != 0;
    PQclear(result);
    return same;
}

/* A line that broke on this side alone: the session at the server, which holds the lock of the
 * database, is ended and not waited for. */
START_TEST(test_former_session)
{
    struct kit kit;
    struct record_key key;
    void *record;
    int line, other;

    kit_open_records(&kit, 1, NULL);
    ck_ok(kit_device(&kit, 1));
    key = record_key_uuid(&kit.tenant);
    ck_ok(store_record_get(kit.reader, REC_TENANT, &key, &kit.arena, &record));
    line = dup(PQsocket(kit.store->pg.conn));
    other = open("/dev/null", O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(dup2(other, PQsocket(kit.store->pg.conn)), 0);
    ck_ok(commit_event(&kit));
    ck_assert_uint_eq(events(&kit), 1);
    ck_assert(PQstatus(kit.reader->pg.conn) == CONNECTION_OK); /* not of the writer */
    (void)close(line);
    (void)close(other);
    kit_close(&kit);
}
END_TEST

/* What waits too long at the server is given up there, and is no answer but a store that is away;
 * it is not saved and can be tried again. */
START_TEST(test_time_limits)
{
    struct kit kit;
    PGconn *beside = connect_beside();

    kit_open_records(&kit, 1, NULL);
    ck_ok(kit_device(&kit, 1));
    ck_assert(set_is(&kit.store->pg, "statement_timeout", "10s"));
    ck_assert(set_is(&kit.reader->pg, "statement_timeout", "20s"));
    ck_assert(set_is(&kit.store->pg, "lock_timeout", "2s"));
    ck_assert(set_is(&kit.reader->pg, "lock_timeout", "2s"));
    ck_assert(set_is(&kit.store->pg, "idle_in_transaction_session_timeout", "30s"));
    ck_assert(run(beside, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                          "'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'"));
    ck_assert(run(beside, "CREATE TRIGGER slow BEFORE INSERT ON outbox FOR EACH ROW "
                          "EXECUTE FUNCTION slow()"));
    ck_ok(pg_script(&kit.store->pg, "SET statement_timeout = 100"));
    ck_assert_int_eq(commit_event(&kit), ERR_AWAY);
    ck_assert_ptr_nonnull(strstr(kit.store->told, "statement timeout"));
    ck_assert(run(beside, "DROP TRIGGER slow ON outbox"));
    ck_ok(commit_event(&kit));
    ck_assert_str_eq(kit.store->told, "");
    ck_assert_uint_eq(events(&kit), 1);
    PQfinish(beside);
    kit_close(&kit);
}
END_TEST

/* Who takes a position first commits first: the later one cannot overtake, whatever it tries, and
 * a reader that saw the later one has seen the earlier one. */
START_TEST(test_commits_in_reverse_order)
{
    struct kit kit;
    PGconn *beside = connect_beside();

    kit_open_records(&kit, 1, NULL);
    ck_ok(kit_device(&kit, 1));
    ck_ok(commit_event(&kit));
    ck_assert(run(beside, "BEGIN"));
    ck_assert(run(beside, "SELECT pg_advisory_xact_lock(" LOCK_ORDER ")"));
    ck_assert(run(beside, "INSERT INTO outbox VALUES (2, 0, 1, 0, 1, 'theirs')"));
    ck_assert_int_eq(commit_event(&kit), ERR_AWAY); /* it waits its time and gives up */
    ck_assert_uint_eq(events(&kit), 1);
    ck_assert(run(beside, "COMMIT"));
    ck_ok(commit_event(&kit)); /* finds position 2 taken and takes the next */
    ck_assert_uint_eq(events(&kit), 3);
    ck_assert_uint_eq(store_outbox_end(kit.store), 4);
    PQfinish(beside);
    kit_close(&kit);
}
END_TEST

/* A row that another process changed is not overwritten: no rev is kept in memory. */
START_TEST(test_writer_beside)
{
    struct kit kit;
    struct change *change;
    PGconn *beside = connect_beside();

    kit_open_records(&kit, 1, NULL);
    ck_ok(kit_device(&kit, 1));
    ck_assert(run(beside, "UPDATE device_state SET rev = 1, state = 'theirs' WHERE dev_eui = 1"));
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, 0, kit_text(&kit, "ours"));
    ck_assert_int_eq(kit_commit(&kit, change), ERR_CONFLICT);
    change = kit_change(&kit);
    (void)kit_state(&kit, change, 1, 1, kit_text(&kit, "ours"));
    ck_ok(kit_commit(&kit, change));
    PQfinish(beside);
    kit_close(&kit);
}
END_TEST

/* A dump reads all partitions; what is written meanwhile and new segments do not wait for it. */
START_TEST(test_beside_a_dump)
{
    struct kit kit;
    struct store_options tune = {.segment_bytes = 200, .outbox_max_bytes = 400};
    PGconn *beside = connect_beside();
    struct store_stats stats;
    bool more;

    kit_open_records(&kit, 1, &tune);
    ck_ok(kit_device(&kit, 1));
    ck_ok(commit_event(&kit));
    ck_assert(run(beside, "BEGIN; LOCK TABLE outbox, outbox_1 IN ACCESS SHARE MODE"));
    for (unsigned i = 0; i < 40; i++) {
        ck_ok(commit_event(&kit));
        ck_ok(store_housekeep(kit.store, &more));
    }
    store_stats(kit.store, &stats);
    ck_assert_uint_eq(stats.outbox_first, 1); /* retention waits */
    ck_assert_uint_eq(stats.outbox_end, 42);
    ck_assert(run(beside, "COMMIT"));
    clock_double_set(&kit.clock, clock_mono(&kit.clock.clock) + 61 * US_PER_S);
    kit_housekeep(&kit);
    store_stats(kit.store, &stats);
    ck_assert_uint_gt(stats.outbox_first, 1);
    PQfinish(beside);
    kit_close(&kit);
}
END_TEST

START_TEST(test_passwords_are_not_told)
{
    static const char *const urls[] = {"postgresql://u:hush@[::1", "postgresql://u:hush@h/d?x=y",
                                       "postgresql://u:hush@127.0.0.1:1/d",
                                       "postgresql:///d?password=hush&host=/nowhere"};
    struct kit kit;
    struct store *store;
    struct store_options options;

    kit_open(&kit, 1, NULL);
    options = kit.options;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const char *why = NULL;

        options.url = urls[i];
        ck_assert_int_eq(store_open(&options, &kit.arena, &store, &why),
                         i < 2 ? ERR_INVALID : ERR_AWAY);
        ck_assert_ptr_nonnull(why);
        ck_assert_ptr_null(strstr(why, "hush"));
    }
    kit_close(&kit);
}
END_TEST

struct seen {
    size_t told, n;
    uint64_t sum;
};

static void on_begin(void *arg, size_t devices)
{
    ((struct seen *)arg)->told = devices;
}

static void on_device(void *arg, const struct loaded_device *device)
{
    struct seen *seen = arg;

    seen->n++;
    seen->sum += device->dev_eui.v;
    ck_assert(!device->unreadable);
    ck_assert_uint_eq(device->rev, device->dev_eui.v);
}

/* The start reads some hundred rows at a time: 1 to 1700, and a last part that is full. */
START_TEST(test_start_in_parts)
{
    static const unsigned counts[] = {1700, 2000};
    struct kit kit;
    struct seen seen = {0};
    struct store_loader loader = {.arg = &seen, .begin = on_begin, .device = on_device};
    PGconn *beside = connect_beside();
    char sql[600];

    kit_open_records(&kit, 1, NULL);
    ck_ok(kit_device(&kit, 1));
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(
            sql, sizeof(sql),
            "INSERT INTO device SELECT n, application_id, device_profile_id, join_eui, "
            "is_disabled, skip_fcnt_check, name, rev, created, updated, doc FROM device, "
            "generate_series(2, %u) n WHERE dev_eui = 1 ON CONFLICT DO NOTHING; "
            "INSERT INTO device_state (dev_eui) SELECT dev_eui FROM device "
            "ON CONFLICT DO NOTHING; UPDATE device_state SET rev = dev_eui; "
            "ANALYZE device",
            counts[i]);
        ck_assert(run(beside, sql));
        seen = (struct seen){0};
        kit_reopen(&kit, &loader);
        ck_assert_uint_eq(seen.told, counts[i]);
        ck_assert_uint_eq(seen.n, counts[i]);
        ck_assert_uint_eq(seen.sum, counts[i] * (counts[i] + UINT64_C(1)) / 2);
    }
    PQfinish(beside);
    kit_close(&kit);
}
END_TEST

START_TEST(test_schema)
{
    struct kit kit;
    struct migration_status status;
    const char *why = NULL;

    kit_open(&kit, 1, NULL);
    ck_ok(store_migration_status(kit.url, NULL, &status, &kit.arena, &why));
    ck_assert_uint_eq(status.applied, status.known);
    store_reader_close(kit.reader);
    store_close(kit.store);
    ck_assert_int_eq(kit.engine->sql(&kit, "UPDATE schema_migration SET number = 99"), 1);
    ck_assert_int_eq(kit_try_open(&kit, NULL, &why), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why, "newer"));
    ck_assert_int_eq(kit.engine->sql(&kit, "UPDATE schema_migration SET number = 1"), 1);
    ck_ok(kit_try_open(&kit, NULL, &why));
    ck_assert_int_eq(store_backup(kit.reader, "/tmp/x", &kit.arena, &why), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(why, "pg_dump"));
    kit_close(&kit);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_answer_lost,    test_outcome_unknown,          test_sessions_end,  test_former_session,
        test_time_limits,    test_commits_in_reverse_order, test_writer_beside, test_beside_a_dump,
        test_start_in_parts, test_passwords_are_not_told,   test_schema,        NULL};

    if (kit_engine_count() < 2) {
        (void)fprintf(stderr, "run me by tests/store/with_postgres.py\n");
        return EXIT_FAILURE;
    }
    return run_suite(suite_of("store_postgres", tests));
}
