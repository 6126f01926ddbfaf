/*
 * migrate.h - the numbered steps of a schema, embedded from migrations/<engine>/NNNN_name.sql.
 *
 * Each runs in a transaction with its version row inside, after a snapshot of the file when there
 * are data (mechanics 17). Numbers are the same on every engine.
 */
#pragma once

struct migration {
    unsigned number;
    const char *name;
    const char *sql; /* NULL ends the table */
};

extern const struct migration sqlite_migrations[];
extern const struct migration postgres_migrations[];
