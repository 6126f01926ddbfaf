/* events.c - shows or follows the events of a server, as `godwit events`. */
#include "cmd/cmd.h"
#include "core/json.h"
#include "net/httpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *device, *url, *key;
    bool follow;
};

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char **value = strcmp(argv[i], "--device") == 0 ? &o->device
                             : strcmp(argv[i], "--url") == 0  ? &o->url
                             : strcmp(argv[i], "--key") == 0  ? &o->key
                                                              : NULL;

        if (value && i + 1 < argc)
            *value = argv[++i];
        else if (strcmp(argv[i], "--follow") == 0 || strcmp(argv[i], "-f") == 0)
            o->follow = true;
        else
            return false;
    }
    return true;
}

/* Lines of text/event-stream: `event:` then `data:`. */
static bool stream_line(void *arg, const char *text, size_t len)
{
    char *type = arg;

    if (len > 7 && strncmp(text, "event: ", 7) == 0) {
        (void)snprintf(type, 32, "%.*s", (int)(len - 7), text + 7);
    } else if (len > 6 && strncmp(text, "data: ", 6) == 0) {
        (void)printf("%-6s %.*s\n", type, (int)(len - 6), text + 6);
        (void)fflush(stdout);
    }
    return true;
}

static int refused(const struct httpc_response *response)
{
    return cmd_fail("the server answered %d: %s", response->status,
                    response->body ? response->body : "");
}

static int follow(const struct httpc_request *request)
{
    struct httpc_response response = {0};
    const char *why = "";
    char type[32] = "";
    enum err err = httpc_stream(request, stream_line, type, &response, &why);
    int status = err                      ? cmd_fail("%s: %s", request->url, why)
                 : response.status != 200 ? refused(&response)
                                          : EXIT_SUCCESS;

    httpc_free(&response);
    return status;
}

static void print_items(const char *json, size_t n)
{
    struct arena arena;
    const struct node *root = NULL, *items;
    const char *why;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (json_read(json, n, &arena, &root, &why) == OK && (items = node_get(root, "items"))) {
        for (const struct node *item = items->child; item; item = item->next) {
            struct jw jw;

            jw_init(&jw, 1 << 20);
            jw_node(&jw, node_get(item, "data"));
            (void)printf("%-6s %.*s\n", node_get(item, "type")->text, (int)jw.n, jw.p);
            jw_free(&jw);
        }
    }
    arena_reset(&arena);
}

static int show(const struct httpc_request *request)
{
    struct httpc_response response = {0};
    const char *why = "";
    int status = EXIT_SUCCESS;

    if (httpc_do(request, &response, &why))
        status = cmd_fail("%s: %s", request->url, why);
    else if (response.status != 200)
        status = refused(&response);
    else
        print_items(response.body, response.len);
    httpc_free(&response);
    return status;
}

int cmd_events(int argc, char **argv)
{
    struct options o = {.url = "http://127.0.0.1:8080", .key = getenv("GODWIT_API_KEY")};
    struct httpc_request request = {0};
    struct arena arena;
    const char *headers[2] = {0};
    int status;

    if (!parse(argc, argv, &o))
        return cmd_wrong(argv[0], "unknown or incomplete argument");
    if (!o.device && !o.follow) /* there is no list of all devices' events */
        return cmd_wrong(argv[0], "--device or --follow is needed");
    if (!o.key || !*o.key)
        return cmd_wrong(argv[0], "--key or GODWIT_API_KEY is needed");
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    headers[0] = arena_printf(&arena, "Authorization: Bearer %s", o.key);
    request.headers = headers;
    request.url =
        arena_printf(&arena, "%s/api/v1/%s%s%sevents%s", o.url, o.device ? "devices/" : "",
                     o.device ? o.device : "", o.device ? "/" : "", o.follow ? "/stream" : "");
    status = o.follow ? follow(&request) : show(&request);
    arena_reset(&arena);
    return status;
}
