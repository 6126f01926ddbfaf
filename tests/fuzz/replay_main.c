/* Replays files and directories through a fuzz target, for compilers without libFuzzer. */
#include "core/arena.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST (1u << 20)

static unsigned replayed;

/* A buffer of exactly the input's size, so that AddressSanitizer sees a read beyond it. */
static void replay_file(const char *path)
{
    uint8_t *room = xmalloc(MOST), *exact;
    FILE *file = fopen(path, "rb");
    size_t n;

    if (!file) {
        free(room);
        return;
    }
    n = fread(room, 1, MOST, file);
    fclose(file);
    exact = xmalloc(n ? n : 1);
    memcpy(exact, room, n);
    free(room);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    replayed++;
}

static void replay(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir) {
        replay_file(path);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        char below[1024];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        replay(below);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%u inputs replayed\n", replayed);
    return replayed ? EXIT_SUCCESS : EXIT_FAILURE;
}
