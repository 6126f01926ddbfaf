/* common.c - configuration, flags and the store, as all commands need them. */
#include "cmd/cmd.h"
#include "core/log.h"
#include "db/secret.h"
#include "net/httpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_settings(const struct cmd_flags *flags, struct arena *arena, struct settings *settings)
{
    struct field_errors *errors = arena_new(arena, struct field_errors);
    const struct {
        const char *path, *flag, *value;
    } over[] = {{"data_dir", "--data-dir", flags->data_dir},
                {"api.listen", "--http", flags->http},
                {"gateway.udp.listen", "--udp", flags->udp}};
    enum err err;

    field_errors_init(errors, arena);
    err = settings_load(settings, flags->config, errors);
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        enum err bad = over[i].value ? config_set(settings_fields, settings, over[i].path,
                                                  over[i].value, over[i].flag, errors)
                                     : OK;

        err = err ? err : bad;
    }
    if (!err)
        return EXIT_SUCCESS;
    (void)fputs(config_errors_text(errors, flags->config ? flags->config : "configuration"),
                stderr);
    return EXIT_FAILURE;
}

int cmd_open_store(const struct settings *settings, struct arena *arena, struct store **store)
{
    uint8_t master[32];
    struct store_options options = {.url = settings->database_url,
                                    .data_dir = settings->data_dir,
                                    .clock = clock_system(),
                                    .master_key = master};
    const char *why = NULL;

    if (secret_load_master(settings->data_dir, false, master, arena, &why))
        return cmd_fail("%s", why);
    if (store_open(&options, arena, store, &why))
        return cmd_fail("%s", why ? why : "the store cannot be opened");
    return EXIT_SUCCESS;
}

bool cmd_server_runs(const struct settings *settings, struct arena *arena, const char **socket)
{
    struct httpc_request request = {.url = "/healthz", .timeout_us = 2 * (int64_t)US_PER_S};
    struct httpc_response response = {0};
    const char *why;
    bool runs;

    *socket = arena_printf(arena, "%s/admin.sock", settings->data_dir);
    if (access(*socket, F_OK) != 0)
        return false;
    request.unix_path = *socket;
    runs = httpc_do(&request, &response, &why) == OK && response.status == 200;
    httpc_free(&response);
    return runs;
}
