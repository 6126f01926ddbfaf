/* httpc.c - libcurl's easy interface. */
#include "net/httpc.h"

#include "core/arena.h"
#include "core/clock.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_US   (30 * (int64_t)US_PER_S)
#define BODY_MAX     (64u << 20)
#define LINE_LONGEST (1u << 20)

struct transfer {
    CURL *curl;
    char *p; /* the body; for a stream the line that has begun */
    size_t n, room, max;
    bool (*line)(void *arg, const char *text, size_t len);
    void *arg;
    bool too_large, done; /* done: `line` wants no more */
};

static bool append(struct transfer *transfer, const char *p, size_t n)
{
    if (n > transfer->max - transfer->n) {
        transfer->too_large = true;
        return false;
    }
    if (transfer->n + n + 1 > transfer->room) {
        size_t room = transfer->room ? transfer->room : 4096;

        while (room < transfer->n + n + 1)
            room *= 2;
        transfer->p = xrealloc(transfer->p, room);
        transfer->room = room;
    }
    memcpy(transfer->p + transfer->n, p, n);
    transfer->n += n;
    transfer->p[transfer->n] = '\0';
    return true;
}

static bool take_lines(struct transfer *transfer, const char *p, size_t n)
{
    const char *end = p + n, *newline;

    for (; (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1) {
        size_t len;

        if (!append(transfer, p, (size_t)(newline - p)))
            return false;
        len = transfer->n;
        if (len > 0 && transfer->p[len - 1] == '\r')
            transfer->p[--len] = '\0';
        transfer->n = 0;
        if (!transfer->line(transfer->arg, transfer->p, len)) {
            transfer->done = true;
            return false;
        }
    }
    return append(transfer, p, (size_t)(end - p));
}

static size_t on_data(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *transfer = arg;
    long status = 0;
    bool good;

    n *= size;
    if (transfer->line)
        (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    good = status == 200 ? take_lines(transfer, p, n) : append(transfer, p, n);
    return good ? n : 0; /* less than n ends the transfer */
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void set_url(CURL *curl, const struct httpc_request *request)
{
    size_t n = strlen(request->url);
    static const char host[] = "http://localhost";
    char *url;

    if (!request->unix_path) {
        (void)curl_easy_setopt(curl, CURLOPT_URL, request->url);
        return;
    }
    url = xmalloc(sizeof(host) + n);
    memcpy(url, host, sizeof(host) - 1);
    memcpy(url + sizeof(host) - 1, request->url, n + 1);
    (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request->unix_path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url); /* libcurl copies */
    free(url);
}

static void set_body(CURL *curl, const struct httpc_request *request)
{
    const char *method = request->method ? request->method : "GET";

    if (request->body.n > 0 || strcmp(method, "POST") == 0) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.n);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                               request->body.n ? (const char *)request->body.p : "");
    }
    if (strcmp(method, "HEAD") == 0)
        (void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

static struct curl_slist *set_options(const struct httpc_request *request,
                                      struct transfer *transfer)
{
    CURL *curl = transfer->curl;
    int64_t timeout = request->timeout_us ? request->timeout_us : TIMEOUT_US;
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:"); /* no 100-continue */

    for (size_t i = 0; request->headers && request->headers[i]; i++)
        headers = curl_slist_append(headers, request->headers[i]);
    set_url(curl, request);
    set_body(curl, request);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(timeout / US_PER_MS));
    if (!transfer->line)
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(timeout / US_PER_MS));
    return headers;
}

static enum err verdict(const struct transfer *transfer, CURLcode code, const char **why)
{
    *why = NULL;
    if (code == CURLE_OK || transfer->done)
        return OK;
    *why = transfer->too_large ? "the answer is too large" : curl_easy_strerror(code);
    if (transfer->too_large)
        return ERR_LIMIT;
    return code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO;
}

static enum err perform(const struct httpc_request *request, struct transfer *transfer,
                        struct httpc_response *response, const char **why)
{
    struct curl_slist *headers;
    long status = 0;
    enum err err;

    *response = (struct httpc_response){0};
    (void)pthread_once(&once, init_curl);
    transfer->curl = curl_easy_init();
    if (!transfer->curl) {
        *why = "libcurl cannot start";
        return ERR_IO;
    }
    headers = set_options(request, transfer);
    err = verdict(transfer, curl_easy_perform(transfer->curl), why);
    (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(transfer->curl);
    response->status = (int)status;
    if (err) {
        free(transfer->p);
        return err;
    }
    response->body = transfer->p ? transfer->p : xcalloc(1, 1);
    response->len = transfer->n;
    return OK;
}

enum err httpc_do(const struct httpc_request *request, struct httpc_response *response,
                  const char **why)
{
    struct transfer transfer = {.max = request->body_max ? request->body_max : BODY_MAX};

    return perform(request, &transfer, response, why);
}

enum err httpc_stream(const struct httpc_request *request,
                      bool (*line)(void *arg, const char *text, size_t len), void *arg,
                      struct httpc_response *response, const char **why)
{
    struct transfer transfer = {.max = LINE_LONGEST, .line = line, .arg = arg};

    return perform(request, &transfer, response, why);
}

void httpc_free(struct httpc_response *response)
{
    free(response->body);
    *response = (struct httpc_response){0};
}
