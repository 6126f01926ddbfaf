/* damage.c - see damage.h. */
#include "tests/store/damage.h"

#include "db/sqlite.h"

#include <check.h>

int damage(const char *file, const char *sql)
{
    sqlite3 *db;
    int changes;

    ck_assert_int_eq(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, "unix"), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(db));
    changes = sqlite3_total_changes(db);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
    return changes;
}
