/* main.c - finds the command; help. */
#include "cmd/cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
const struct command commands[] = {
    {"serve",        cmd_serve,        "run the server in the foreground", "serve [-c FILE] [--data-dir DIR] [--http ADDR:PORT] [--udp ADDR:PORT]"},
    {"check-config", cmd_check_config, "check a configuration file", "check-config -c FILE"},
    {"migrate",      cmd_migrate,      "bring the store to this version's schema", "migrate [--status] [-c FILE] [--data-dir DIR]"},
    {"apikey",       cmd_apikey,       "create an API key", "apikey create --name N [--tenant ID] [--admin] [--scope S]... [-c FILE] [--data-dir DIR]"},
    {"user",         cmd_user,         "set a user's password", "user set-password EMAIL [-c FILE] [--data-dir DIR]"},
    {"backup",       cmd_backup,       "write a copy of the store while it is in use", "backup FILE [-c FILE] [--data-dir DIR]"},
    {"restore",      cmd_restore,      "put a backup in place of the store", "restore [--verify] FILE | --counters [-c FILE] [--data-dir DIR]"},
    {"events",       cmd_events,       "show or follow events", "events [--device EUI] [--follow] [--url URL] [--key KEY]"},
    {"simulate",     cmd_simulate,     "virtual devices and gateways", "simulate --help"},
    {"decode",       cmd_decode,       "explain a frame, a payload, a beacon, a WOR or a TS002 message", "decode HEX [--app-key K | --nwk-key K] [--request HEX [--join-eui EUI]] [--app-s-key K] [--nwk-s-key K | --f-nwk-s-int-key K --s-nwk-s-int-key K --nwk-s-enc-key K] [--mc-key K] [--fcnt N] [--package-version V] | --port N HEX [--down] [--package-version V] | --beacon SF HEX | --wor HEX [--root-wor-s-key K --wor-on HZ,DR [--fcnt N] [--wor-ack HEX --wor-ack-on HZ,DR]] | --ts002 FILE [--dialect standard|chirpstack|tts|helium]"},
    {"regions",      cmd_regions,      "show the regional parameters", "regions [NAME]"},
    {"version",      cmd_version,      "print version, commit and engines", "version"},
    {"rotate-key",   NULL, NULL, NULL},
    {"import",       NULL, NULL, NULL},
    {"export",       NULL, NULL, NULL},
    {"settle",       NULL, NULL, NULL},
    {"doctor",       NULL, NULL, NULL},
    {0},
};
/* clang-format on */

static const struct command *find(const char *name)
{
    for (const struct command *c = commands; c->name; c++) {
        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static void usage(FILE *to)
{
    (void)fputs("Godwit, a LoRaWAN network server.\n\nusage: godwit COMMAND [...]\n\n", to);
    for (const struct command *c = commands; c->name; c++) {
        if (c->run)
            (void)fprintf(to, "  %-13s %s\n", c->name, c->help);
    }
    (void)fputs("\n`godwit COMMAND --help` tells more. Exit status: 0 good, 1 failed, 2 wrong "
                "arguments.\n",
                to);
}

int cmd_fail(const char *format, ...)
{
    va_list args;

    (void)fputs("godwit: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return EXIT_FAILURE;
}

int cmd_wrong(const char *command, const char *format, ...)
{
    const struct command *c = find(command);
    va_list args;

    (void)fprintf(stderr, "godwit %s: ", command);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fprintf(stderr, "\nusage: godwit %s\n", c && c->usage ? c->usage : command);
    return EXIT_WRONG;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        usage(stderr);
        return EXIT_WRONG;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return EXIT_SUCCESS;
    }
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version(1, argv);
    command = find(argv[1]);
    if (!command)
        return cmd_wrong("COMMAND [...]", "there is no command %s", argv[1]);
    if (!command->run) {
        (void)fprintf(stderr, "godwit: %s: not in this version\n", command->name);
        return EXIT_WRONG;
    }
    if (command->run != cmd_simulate && asks_for_help(argc - 1, argv + 1)) {
        (void)printf("%s\nusage: godwit %s\n", command->help, command->usage);
        return EXIT_SUCCESS;
    }
    return command->run(argc - 1, argv + 1);
}
