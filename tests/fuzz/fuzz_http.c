/*
 * fuzz_http.c - targets, query values and bodies of requests as the handler gets them: the part of
 * net/ that decodes by itself, up to the JSON of the body.
 */
#include "core/json.h"
#include "net/httpd.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void handle(void *owner, struct http_request *request)
{
    struct http_reply reply = {.status = 200};
    const struct node *root;
    const char *why;

    (void)owner;
    if (!utf8_valid(request->path, strlen(request->path)))
        abort();
    for (size_t i = 0; i < request->query_count; i++) {
        if (!http_query(request, request->query[i].key))
            abort();
    }
    if (json_read((const char *)request->body.p, request->body.n, request->arena, &root, &why))
        reply.status = 400;
    http_answer(request, &reply);
}

/* The first line is the target, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct httpd *httpd;
    struct httpd_config config = {.on_request = handle};
    const uint8_t *line = memchr(data, '\n', size);
    size_t n = line ? (size_t)(line - data) : size;
    char target[1024];
    struct http_inject inject = {.method = "POST", .target = target};
    struct http_exchange *exchange;
    const char *why;

    if (!httpd && httpd_start(&config, &httpd, &why))
        abort();
    if (n >= sizeof(target) || memchr(data, 0, n))
        return 0;
    memcpy(target, data, n);
    target[n] = '\0';
    if (line)
        inject.body = (struct bytes){line + 1, size - n - 1};
    exchange = httpd_inject(httpd, &inject);
    if (!http_captured(exchange).ended)
        abort();
    http_inject_close(exchange);
    return 0;
}
