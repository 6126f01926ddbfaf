/* kit_sqlite.c - SQLite as kit.h wants an engine: files in a folder, faults on the disk. */
#include "db/sqlite.h"
#include "tests/store/damage.h"
#include "tests/store/fault_vfs.h"
#include "tests/store/kit.h"

#include <stdio.h>

static void sqlite_fresh(struct kit *kit)
{
    (void)snprintf(kit->url, sizeof(kit->url), "sqlite:store.db");
}

/* What the files hold at this moment is what a killed process leaves. */
static void sqlite_crash(struct kit *kit)
{
    char command[256];

    kit->crashes++;
    (void)snprintf(command, sizeof(command),
                   "cd %s && mkdir c && cp *.db *.db-wal c/ 2>/dev/null; true", kit->dir);
    kit_shell(command);
    store_reader_close(kit->reader);
    store_close(kit->store);
    (void)snprintf(command, sizeof(command),
                   "cd %s && rm -f *.db *.db-wal *.db-shm && mv c/* . && rmdir c", kit->dir);
    kit_shell(command);
}

static int sqlite_sql(struct kit *kit, const char *sql)
{
    return damage(arena_printf(&kit->arena, "%s/store.db", kit->dir), sql);
}

static void sqlite_arm(unsigned at, enum fault_kind kind)
{
    fault.count = fault.hits = 0;
    fault.at = at;
    fault.forever = kind >= FAULT_LASTING;
    fault.code = kind == FAULT_ONCE_OTHER ? SQLITE_FULL : 0;
}

static void sqlite_mend(void)
{
    fault.at = 0;
}

static unsigned sqlite_count(void)
{
    return fault.count;
}

static unsigned sqlite_hits(void)
{
    return fault.hits;
}

static void sqlite_reset(void)
{
    fault_register();
    fault_reset();
}

static void sqlite_aftermath(enum fault_kind kind, unsigned at)
{
    if (kind >= FAULT_POWER_LOSS)
        fault_power_loss(kind == FAULT_TORN ? at : 0);
    fault_reset();
}

static const struct kit_faults sqlite_faults = {sqlite_reset, sqlite_arm,  sqlite_mend,
                                                sqlite_count, sqlite_hits, sqlite_aftermath};

const struct kit_engine kit_sqlite = {.name = "sqlite",
                                      .files = true,
                                      .fresh = sqlite_fresh,
                                      .crash = sqlite_crash,
                                      .sql = sqlite_sql,
                                      .faults = &sqlite_faults};
