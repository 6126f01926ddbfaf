/*
 * cmd.h - the subcommands. Each gets its own arguments (argv[0] is its name) and returns the exit
 * status: 0 good, 1 failed (also a bad configuration), 2 wrong arguments.
 */
#pragma once

#include "cmd/settings.h"

#define EXIT_WRONG 2

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; /* one line; NULL: not in this version */
    const char *usage;
};

extern const struct command commands[];

int cmd_serve(int argc, char **argv);
int cmd_check_config(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_apikey(int argc, char **argv);
int cmd_user(int argc, char **argv);
int cmd_backup(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_simulate(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_decode_message(int argc, char **argv); /* of cmd_decode: --ts002 */
int cmd_regions(int argc, char **argv);
int cmd_version(int argc, char **argv);

/* ---- shared by the commands ------------------------------------------------------------------ */

/* -c FILE, --data-dir DIR, --http, --udp as serve takes them. */
struct cmd_flags {
    const char *config, *data_dir, *http, *udp;
};

/* Loads configuration, then flags over it; prints every mistake to standard error. Returns an exit
 * status; 0: `settings` is good. Memory lives in `arena`. */
int cmd_settings(const struct cmd_flags *flags, struct arena *arena, struct settings *settings);

/* A message to standard error, "godwit: ..."; returns 1. */
int cmd_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with the usage of a command; returns 2. */
int cmd_wrong(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The store of these settings, opened by ourselves under its lock. Exit status. */
int cmd_open_store(const struct settings *settings, struct arena *arena, struct store **store);

/* The path of the SQLite file of these settings. */
const char *cmd_store_file(const struct settings *settings, struct arena *arena);

/* Whether a server runs on this data directory (its admin.sock answers). */
bool cmd_server_runs(const struct settings *settings, struct arena *arena, const char **socket);
