/* kit_postgres.c - PostgreSQL as kit.h wants an engine: a schema made anew, faults on the line. */
#include "db/postgres.h"
#include "tests/store/kit.h"
#include "tests/store/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int postgres_sql(struct kit *kit, const char *sql)
{
    PGconn *conn = PQconnectdb(kit->url);
    PGresult *result = PQexec(conn, sql);
    int rows;

    ck_assert_msg(PQresultStatus(result) == PGRES_COMMAND_OK, "%s", PQerrorMessage(conn));
    rows = (int)strtol(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    PQfinish(conn);
    return rows;
}

/* The value of a parameter of the URL. */
static const char *url_part(struct kit *kit, const char *name)
{
    const char *at = strstr(getenv("GODWIT_TEST_POSTGRES"), name);

    ck_assert_ptr_nonnull(at);
    at += strlen(name);
    return arena_strndup(&kit->arena, at, strcspn(at, "&"));
}

/* A new schema is quicker than a new database. */
static void postgres_fresh(struct kit *kit)
{
    (void)snprintf(kit->url, sizeof(kit->url), "%s", getenv("GODWIT_TEST_POSTGRES"));
    (void)postgres_sql(kit, "SET client_min_messages = error; "
                            "DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public");
    if (kit->options.vfs)
        (void)snprintf(kit->url, sizeof(kit->url),
                       "postgresql://postgres@/postgres?host=%s&port=5432&sslmode=disable",
                       proxy_start(url_part(kit, "host="),
                                   (unsigned)strtoul(url_part(kit, "port="), NULL, 10)));
}

/* The server goes on; what the process had open is closed by the kernel. */
static void postgres_crash(struct kit *kit)
{
    kit->crashes++;
    store_reader_close(kit->reader);
    store_close(kit->store);
}

static void postgres_reset(void)
{
    proxy_arm(0, false, CUT_BEFORE);
}

static void postgres_arm(unsigned at, enum fault_kind kind)
{
    static const enum proxy_cut cuts[FAULT_KIND_COUNT] = {CUT_BEFORE, CUT_AFTER, CUT_AFTER,
                                                          CUT_HALF,   CUT_AFTER, CUT_HALF};

    proxy_arm(at, kind >= FAULT_LASTING, kind == FAULT_TORN ? at % 3 : cuts[kind]);
}

static void postgres_aftermath(enum fault_kind kind, unsigned at)
{
    (void)kind;
    (void)at;
    postgres_reset();
}

static const struct kit_faults postgres_faults = {postgres_reset, postgres_arm, proxy_mend,
                                                  proxy_count,    proxy_hits,   postgres_aftermath};

const struct kit_engine kit_postgres = {.name = "postgres",
                                        .fresh = postgres_fresh,
                                        .crash = postgres_crash,
                                        .sql = postgres_sql,
                                        .faults = &postgres_faults};
