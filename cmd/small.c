/* small.c - check-config, version. */
#include "cmd/cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef GODWIT_COMMIT
#define GODWIT_COMMIT "unknown"
#endif

int cmd_check_config(int argc, char **argv)
{
    struct cmd_flags flags = {0};
    struct settings settings;
    struct arena arena;
    int status;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
            flags.config = argv[++i];
        else if (strcmp(argv[i], "--reference") == 0) {
            char *text = config_reference(settings_fields);

            (void)fputs(text, stdout);
            free(text);
            return EXIT_SUCCESS;
        } else
            return cmd_wrong(argv[0], "unknown argument %s", argv[i]);
    }
    if (!flags.config)
        return cmd_wrong(argv[0], "-c FILE is needed");
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    status = cmd_settings(&flags, &arena, &settings);
    if (status == EXIT_SUCCESS)
        (void)printf("%s: good\n", flags.config);
    arena_reset(&arena);
    return status;
}

int cmd_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("godwit %s (%s)\nengines: sqlite postgresql\n", GODWIT_VERSION, GODWIT_COMMIT);
    return EXIT_SUCCESS;
}
