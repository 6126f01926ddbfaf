/* exchange.c - requests from their arrival to the end of their answer, whoever carries them. */
#include "core/json.h"
#include "net/httpd_priv.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define STREAM_LIMIT ((size_t)256 << 10)
#define STREAM_IDLE  (15 * (int64_t)US_PER_S)

static struct http_exchange *exchange_of(struct http_request *request)
{
    return (struct http_exchange *)request;
}

static struct http_exchange *stream_exchange(struct http_stream *stream)
{
    return (struct http_exchange *)((char *)stream - offsetof(struct http_exchange, stream));
}

static void lock(struct httpd *httpd)
{
    (void)pthread_mutex_lock(&httpd->lock);
}

static void unlock(struct httpd *httpd)
{
    (void)pthread_mutex_unlock(&httpd->lock);
}

/* ---- life ----------------------------------------------------------------------------------- */

void httpd_unref(struct httpd *httpd)
{
    if (atomic_fetch_sub(&httpd->refs, 1) != 1)
        return;
    (void)pthread_mutex_destroy(&httpd->lock);
    (void)pthread_cond_destroy(&httpd->quiet);
    arena_reset(&httpd->arena);
    free(httpd);
}

struct http_exchange *exchange_new(struct httpd *httpd, const char *method)
{
    struct http_exchange *exchange = xcalloc(1, sizeof(*exchange));

    atomic_fetch_add(&httpd->refs, 1);
    atomic_init(&exchange->refs, 1);
    exchange->httpd = httpd;
    exchange->fd = -1;
    arena_init(&exchange->arena, ARENA_REQUEST_LIMIT);
    arena_init(&exchange->out, ARENA_REQUEST_LIMIT);
    exchange->request.arena = &exchange->arena;
    exchange->request.head = strcmp(method, "HEAD") == 0;
    exchange->request.method =
        exchange->request.head ? "GET" : arena_strdup(&exchange->arena, method);
    exchange->request.query = exchange->request.headers = NULL;
    return exchange;
}

void exchange_unref(struct http_exchange *exchange)
{
    struct httpd *httpd = exchange->httpd;

    if (atomic_fetch_sub(&exchange->refs, 1) != 1)
        return;
    arena_reset(&exchange->arena);
    arena_reset(&exchange->out);
    free(exchange->body);
    free(exchange->stream.p);
    free(exchange->in);
    free(exchange);
    httpd_unref(httpd);
}

static void list(struct http_exchange **head, struct http_exchange *exchange)
{
    exchange->next = *head;
    exchange->link = head;
    if (*head)
        (*head)->link = &exchange->next;
    *head = exchange;
}

void exchange_unlist(struct http_exchange *exchange)
{
    if (!exchange->link)
        return;
    *exchange->link = exchange->next;
    if (exchange->next)
        exchange->next->link = exchange->link;
    exchange->link = NULL;
    if (exchange->state == EXCHANGE_STREAM)
        exchange->httpd->stream_count--;
    else
        exchange->httpd->waiting_count--;
}

void exchange_wait(struct http_exchange *exchange)
{
    list(&exchange->httpd->waiting, exchange);
    exchange->httpd->waiting_count++;
}

static void wake(struct http_exchange *exchange)
{
    if (!exchange->suspended)
        return;
    exchange->suspended = false;
    exchange->httpd->resume(exchange);
}

/* ---- the request ---------------------------------------------------------------------------- */

const char *http_query(const struct http_request *request, const char *key)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->query[i].key, key) == 0)
            return request->query[i].value;
    }
    return NULL;
}

static const char *find_header(const struct http_pair *headers, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(headers[i].key, key) == 0)
            return headers[i].value;
    }
    return NULL;
}

const char *http_header(const struct http_request *request, const char *key)
{
    return find_header(request->headers, request->header_count, key);
}

bool http_decode(char *text)
{
    char *to = text;

    for (const char *p = text; *p; p++) {
        uint8_t byte;

        if (*p != '%') {
            *to++ = *p;
            continue;
        }
        if (!p[1] || !p[2] || !hex_read(&byte, 1, p + 1, 2) || byte == 0)
            return false;
        *to++ = (char)byte;
        p += 2;
    }
    *to = '\0';
    return utf8_valid(text, (size_t)(to - text));
}

bool exchange_set_target(struct http_exchange *exchange, const char *path)
{
    char *decoded = arena_strdup(&exchange->arena, path);

    exchange->request.route = arena_strdup(&exchange->arena, path);
    exchange->request.path = decoded;
    if (http_decode(decoded))
        return true;
    exchange->malformed = true;
    return false;
}

void exchange_run(struct http_exchange *exchange)
{
    struct httpd *httpd = exchange->httpd;
    bool refused = true;

    exchange->request.body = (struct bytes){(const uint8_t *)exchange->in, exchange->in_len};
    lock(httpd);
    exchange->state = EXCHANGE_RUNNING;
    exchange->deadline_us = clock_mono(httpd->config.clock) + httpd->config.deadline_us;
    if (httpd->stopping)
        exchange_refuse(exchange, 503, "the server stops");
    else if (exchange->too_large)
        exchange_refuse(exchange, 413, "the body is too large");
    else if (exchange->malformed)
        exchange_refuse(exchange, 400, "the path or query is malformed");
    else
        refused = false;
    unlock(httpd);
    if (refused)
        return;
    atomic_fetch_add(&exchange->refs, 1); /* the owner's */
    httpd->config.on_request(httpd->config.owner, &exchange->request);
}

/* ---- answers -------------------------------------------------------------------------------- */

static void keep_answer(struct http_exchange *exchange, const struct http_reply *reply)
{
    exchange->status = reply->status;
    exchange->content_type = arena_strdup(&exchange->out, reply->content_type);
    exchange->headers = arena_array(&exchange->out, struct http_pair, reply->header_count);
    exchange->header_count = reply->header_count;
    for (size_t i = 0; i < reply->header_count; i++) {
        exchange->headers[i].key = arena_strdup(&exchange->out, reply->headers[i].key);
        exchange->headers[i].value = arena_strdup(&exchange->out, reply->headers[i].value);
    }
    exchange->body_len = reply->body.n;
    if (reply->body.n) {
        exchange->body = xmalloc(reply->body.n);
        memcpy(exchange->body, reply->body.p, reply->body.n);
    }
    exchange_unlist(exchange);
    exchange->state = EXCHANGE_ANSWERED;
    wake(exchange);
}

void http_answer(struct http_request *request, const struct http_reply *reply)
{
    struct http_exchange *exchange = exchange_of(request);

    lock(exchange->httpd);
    if (exchange->state == EXCHANGE_RUNNING)
        keep_answer(exchange, reply);
    unlock(exchange->httpd);
    exchange_unref(exchange);
}

const char *http_reason(int status)
{
    /* clang-format off */
    static const struct { int status; const char *text; } reasons[] = {
        {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
        {304, "Not Modified"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
        {404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"},
        {408, "Request Timeout"}, {409, "Conflict"}, {412, "Precondition Failed"},
        {413, "Content Too Large"}, {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"}, {429, "Too Many Requests"},
        {500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
        {503, "Service Unavailable"}, {504, "Gateway Timeout"},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "";
}

static void put_problem(struct jw *jw, int status, const char *detail)
{
    jw_init(jw, 65536);
    jw_object(jw);
    jw_key_str(jw, "type", "about:blank");
    jw_key_str(jw, "title", http_reason(status));
    jw_key_int(jw, "status", status);
    if (detail)
        jw_key_str(jw, "detail", detail);
    jw_end_object(jw);
}

void http_answer_problem(struct http_request *request, int status, const char *detail)
{
    struct jw jw;

    put_problem(&jw, status, detail);
    http_answer(request, &(struct http_reply){.status = status,
                                              .content_type = "application/problem+json",
                                              .body = jw_bytes(&jw)});
    jw_free(&jw);
}

void exchange_refuse(struct http_exchange *exchange, int status, const char *detail)
{
    struct jw jw;

    if (exchange->state != EXCHANGE_RUNNING)
        return;
    put_problem(&jw, status, detail);
    keep_answer(exchange, &(struct http_reply){.status = status,
                                               .content_type = "application/problem+json",
                                               .body = jw_bytes(&jw)});
    jw_free(&jw);
}

/* ---- streams -------------------------------------------------------------------------------- */

struct http_stream *http_stream_open(struct http_request *request,
                                     const struct http_stream_options *options)
{
    struct http_exchange *exchange = exchange_of(request);
    struct httpd *httpd = exchange->httpd;
    struct http_stream *stream = &exchange->stream;

    lock(httpd);
    if (exchange->state != EXCHANGE_RUNNING) {
        unlock(httpd);
        exchange_unref(exchange);
        return NULL;
    }
    exchange_unlist(exchange);
    stream->limit = options->limit ? options->limit : STREAM_LIMIT;
    stream->idle_us = options->idle_us ? options->idle_us : STREAM_IDLE;
    stream->last_us = clock_mono(httpd->config.clock);
    stream->closed = options->closed;
    stream->arg = options->arg;
    exchange->status = 200;
    exchange->content_type = arena_strdup(&exchange->out, options->content_type);
    exchange->state = EXCHANGE_STREAM;
    list(&httpd->streams, exchange);
    httpd->stream_count++;
    wake(exchange);
    unlock(httpd);
    return stream;
}

static enum err append(struct http_stream *stream, const void *p, size_t n)
{
    struct http_exchange *exchange = stream_exchange(stream);

    if (exchange->state != EXCHANGE_STREAM || stream->ending || stream->cut)
        return ERR_BAD_STATE;
    if (n > stream->limit - stream->n) {
        stream->overflowed = true;
        return ERR_FULL;
    }
    if (stream->n + n > stream->room) {
        size_t room = stream->room ? stream->room : 1024;

        while (room < stream->n + n)
            room *= 2;
        stream->p = xrealloc(stream->p, room);
        stream->room = room;
    }
    if (n)
        memcpy(stream->p + stream->n, p, n);
    stream->n += n;
    stream->last_us = clock_mono(exchange->httpd->config.clock);
    wake(exchange);
    return OK;
}

enum err http_stream_write(struct http_stream *stream, const void *p, size_t n)
{
    struct httpd *httpd = stream_exchange(stream)->httpd;
    enum err err;

    lock(httpd);
    err = append(stream, p, n);
    unlock(httpd);
    return err;
}

/* Under the lock, so that the descriptor is still the connection's. */
static void cut(struct http_exchange *exchange)
{
    exchange->stream.cut = true;
    if (exchange->fd >= 0)
        (void)shutdown(exchange->fd, SHUT_RDWR);
    wake(exchange);
}

void http_stream_close(struct http_stream *stream)
{
    struct http_exchange *exchange = stream_exchange(stream);
    struct httpd *httpd = exchange->httpd;

    lock(httpd);
    stream->closed = NULL;
    stream->ending = true;
    if (exchange->state == EXCHANGE_STREAM && stream->overflowed)
        cut(exchange);
    wake(exchange);
    unlock(httpd);
    exchange_unref(exchange);
}

static void tell_closed(struct http_stream *stream)
{
    if (stream->closed)
        stream->closed(stream->arg);
    stream->closed = NULL;
}

void exchange_gone(struct http_exchange *exchange)
{
    exchange_unlist(exchange);
    if (exchange->state == EXCHANGE_STREAM)
        tell_closed(&exchange->stream);
    exchange->state = EXCHANGE_GONE;
    exchange->fd = -1;
    exchange->suspended = false;
}

void exchange_end_all(struct httpd *httpd)
{
    while (httpd->waiting)
        exchange_refuse(httpd->waiting, 503, "the server stops");
    for (struct http_exchange *e = httpd->streams; e; e = e->next) {
        tell_closed(&e->stream);
        e->stream.ending = true;
        wake(e);
    }
}

/* ---- time ----------------------------------------------------------------------------------- */

/* libmicrohttpd does not look at a suspended connection; the kernel knows whether it is alive. */
static bool hung_up(int fd)
{
    struct pollfd watch = {.fd = fd, .events = POLLRDHUP};

    return fd >= 0 && poll(&watch, 1, 0) == 1 &&
           (watch.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void tick_stream(struct http_exchange *exchange, int64_t now)
{
    static const char comment[] = ": \n\n";
    struct http_stream *stream = &exchange->stream;

    if (exchange->suspended && hung_up(exchange->fd)) {
        tell_closed(stream);
        cut(exchange);
        return;
    }
    if (stream->idle_us > 0 && stream->n == 0 && now - stream->last_us >= stream->idle_us)
        (void)!append(stream, comment, sizeof(comment) - 1);
}

void httpd_tick(struct httpd *httpd)
{
    int64_t now = clock_mono(httpd->config.clock);

    lock(httpd);
    for (struct http_exchange *e = httpd->waiting, *next; e; e = next) {
        next = e->next;
        if (e->deadline_us <= now)
            exchange_refuse(e, 504, "not answered in time");
    }
    for (struct http_exchange *e = httpd->streams; e; e = e->next)
        tick_stream(e, now);
    for (struct httpd_connection *c = httpd->connections; c; c = c->next) {
        if (c->since_us != CLOCK_NEVER && now - c->since_us >= httpd->config.receive_us)
            (void)shutdown(c->fd, SHUT_RDWR);
    }
    unlock(httpd);
}

size_t httpd_waiting(struct httpd *httpd)
{
    size_t n;

    lock(httpd);
    n = httpd->waiting_count;
    unlock(httpd);
    return n;
}

size_t httpd_streams(struct httpd *httpd)
{
    size_t n;

    lock(httpd);
    n = httpd->stream_count;
    unlock(httpd);
    return n;
}

/* ---- injection ------------------------------------------------------------------------------ */

/* "a=1&b" into pairs, as libmicrohttpd does it for connections. */
static void set_query(struct http_exchange *exchange, char *text)
{
    struct http_request *request = &exchange->request;
    size_t most = 1;

    for (const char *p = text; *p; p++)
        most += *p == '&';
    request->query = arena_array(&exchange->arena, struct http_pair, most);
    for (char *part; (part = strsep(&text, "&"));) {
        char *value = strchr(part, '=');

        if (!*part)
            continue;
        if (value)
            *value++ = '\0';
        for (char *p = value; p && *p; p++)
            *p = *p == '+' ? ' ' : *p;
        if (!http_decode(part) || (value && !http_decode(value)))
            exchange->malformed = true;
        request->query[request->query_count++] = (struct http_pair){part, value ? value : ""};
    }
}

static void take_in(struct http_exchange *exchange, const struct http_inject *inject)
{
    struct httpd *httpd = exchange->httpd;
    struct http_request *request = &exchange->request;
    size_t max = 0;

    if (httpd->config.body_limit)
        max = httpd->config.body_limit(httpd->config.owner, request->method, request->path);
    exchange->too_large = inject->body.n > (max ? max : httpd->config.body_max);
    if (inject->body.n && !exchange->too_large) {
        exchange->in = xmalloc(inject->body.n);
        memcpy(exchange->in, inject->body.p, inject->body.n);
        exchange->in_len = inject->body.n;
    }
    request->headers = arena_array(&exchange->arena, struct http_pair, inject->header_count);
    request->header_count = inject->header_count;
    for (size_t i = 0; i < inject->header_count; i++) {
        request->headers[i].key = arena_strdup(&exchange->arena, inject->headers[i].key);
        request->headers[i].value = arena_strdup(&exchange->arena, inject->headers[i].value);
    }
    request->local = inject->local;
    memcpy(request->remote, inject->local ? "unix" : "127.0.0.1", inject->local ? 5 : 10);
}

struct http_exchange *httpd_inject(struct httpd *httpd, const struct http_inject *inject)
{
    struct http_exchange *exchange = exchange_new(httpd, inject->method);
    char *target = arena_strdup(&exchange->arena, inject->target);
    char *query = strchr(target, '?');

    if (query)
        *query++ = '\0';
    (void)exchange_set_target(exchange, target);
    if (query)
        set_query(exchange, query);
    take_in(exchange, inject);
    exchange_run(exchange);
    lock(httpd);
    if (exchange->state == EXCHANGE_RUNNING)
        exchange_wait(exchange);
    unlock(httpd);
    return exchange;
}

struct http_captured http_captured(struct http_exchange *exchange)
{
    struct http_captured captured = {0};

    lock(exchange->httpd);
    if (exchange->state == EXCHANGE_ANSWERED || exchange->state == EXCHANGE_STREAM) {
        bool stream = exchange->state == EXCHANGE_STREAM;
        const char *body = stream ? exchange->stream.p : exchange->body;
        size_t n = stream ? exchange->stream.n : exchange->body_len;

        captured = (struct http_captured){
            .status = exchange->status,
            .stream = stream,
            .ended = !stream || exchange->stream.ending,
            .content_type = exchange->content_type,
            .headers = exchange->headers,
            .header_count = exchange->header_count,
            .body = {(const uint8_t *)body, exchange->request.head ? 0 : n},
        };
    }
    unlock(exchange->httpd);
    return captured;
}

const char *http_captured_header(struct http_exchange *exchange, const char *key)
{
    struct http_captured captured = http_captured(exchange);

    if (strcasecmp(key, "Content-Type") == 0)
        return captured.content_type;
    return find_header(captured.headers, captured.header_count, key);
}

void http_inject_drain(struct http_exchange *exchange)
{
    lock(exchange->httpd);
    exchange->stream.n = 0;
    unlock(exchange->httpd);
}

void http_inject_close(struct http_exchange *exchange)
{
    lock(exchange->httpd);
    exchange_gone(exchange);
    unlock(exchange->httpd);
    exchange_unref(exchange);
}
