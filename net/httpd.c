/*
 * httpd.c - exchanges carried by libmicrohttpd.
 *
 * A connection is suspended only in libmicrohttpd's own thread, under our lock, and resumed under
 * it: so nobody resumes what is not suspended, and an answer that comes between the handler's
 * return and the suspension is seen before it.
 */
#include "net/httpd_priv.h"
#include "net/tls.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_US      (250 * (int64_t)US_PER_MS)
#define STREAM_BLOCK 16384u
#define SWALLOW_MAX  4u /* times the limit of a body that is read only to be refused in order */

static void resume(struct http_exchange *exchange)
{
    MHD_resume_connection(exchange->connection);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* What waits in a stream, or a suspension until more comes. */
static ssize_t read_stream(void *cls, uint64_t pos, char *to, size_t room)
{
    struct http_exchange *exchange = cls;
    struct http_stream *stream = &exchange->stream;
    ssize_t n = 0;

    (void)pos;
    (void)pthread_mutex_lock(&exchange->httpd->lock);
    if (stream->cut) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (stream->n > 0) {
        n = (ssize_t)(stream->n < room ? stream->n : room);
        memcpy(to, stream->p, (size_t)n);
        stream->n -= (size_t)n;
        memmove(stream->p, stream->p + n, stream->n);
    } else if (stream->ending) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        exchange->suspended = true;
        MHD_suspend_connection(exchange->connection);
    }
    (void)pthread_mutex_unlock(&exchange->httpd->lock);
    return n;
}

static struct MHD_Response *make_response(struct http_exchange *exchange)
{
    struct MHD_Response *response;

    if (exchange->state == EXCHANGE_STREAM) {
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                     exchange, NULL);
        if (response) {
            (void)MHD_add_response_header(response, "Cache-Control", "no-store");
            (void)MHD_add_response_header(response, "X-Accel-Buffering", "no");
        }
        return response;
    }
    if (exchange->body_len == 0)
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    response = MHD_create_response_from_buffer_with_free_callback(exchange->body_len,
                                                                  exchange->body, free);
    if (response)
        exchange->body = NULL; /* libmicrohttpd frees it */
    return response;
}

/* Once the state is ANSWERED or STREAM, when nobody else touches the answer; without the lock,
 * since libmicrohttpd calls read_stream with a lock of its own that is taken here too. */
static enum MHD_Result queue(struct http_exchange *exchange, bool close)
{
    struct MHD_Response *response = make_response(exchange);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    if (exchange->content_type)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                      exchange->content_type);
    for (size_t i = 0; i < exchange->header_count; i++)
        (void)MHD_add_response_header(response, exchange->headers[i].key,
                                      exchange->headers[i].value);
    if (close)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    result = MHD_queue_response(exchange->connection, (unsigned)exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* After the handler, or after a resumption: the answer, or a suspension until there is one. */
static enum MHD_Result answer_or_suspend(struct http_exchange *exchange)
{
    struct httpd *httpd = exchange->httpd;
    bool waits, close;

    (void)pthread_mutex_lock(&httpd->lock);
    if (httpd->stopping)
        exchange_refuse(exchange, 503, "the server stops");
    close = httpd->stopping || exchange->too_large;
    waits = exchange->state == EXCHANGE_RUNNING;
    if (waits) {
        if (!exchange->link)
            exchange_wait(exchange);
        exchange->suspended = true;
        MHD_suspend_connection(exchange->connection);
    }
    (void)pthread_mutex_unlock(&httpd->lock);
    return waits ? MHD_YES : queue(exchange, close);
}

/* ---- requests ------------------------------------------------------------------------------- */

struct gather {
    struct http_exchange *exchange;
    struct http_pair *pairs;
    size_t n, room;
    bool decode;
};

static enum MHD_Result gather_one(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    struct gather *gather = cls;
    struct arena *arena = &gather->exchange->arena;
    char *k = arena_strdup(arena, key ? key : ""), *v = arena_strdup(arena, value ? value : "");

    (void)kind;
    if (gather->n == gather->room)
        return MHD_NO;
    if (gather->decode && (!http_decode(k) || !http_decode(v)))
        gather->exchange->malformed = true;
    gather->pairs[gather->n++] = (struct http_pair){k, v};
    return MHD_YES;
}

static struct http_pair *gather(struct http_exchange *exchange, enum MHD_ValueKind kind, size_t *n)
{
    int count = MHD_get_connection_values(exchange->connection, kind, NULL, NULL);
    struct gather all = {.exchange = exchange,
                         .room = count > 0 ? (size_t)count : 0,
                         .decode = kind == MHD_GET_ARGUMENT_KIND};

    all.pairs = arena_array(&exchange->arena, struct http_pair, all.room);
    (void)MHD_get_connection_values(exchange->connection, kind, gather_one, &all);
    *n = all.n;
    return all.pairs;
}

static void set_remote(struct http_exchange *exchange, bool local)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct http_request *request = &exchange->request;
    const struct sockaddr *address = info ? info->client_addr : NULL;

    request->local = local;
    (void)snprintf(request->remote, sizeof(request->remote), "%s", local ? "unix" : "");
    if (local || !address)
        return;
    (void)getnameinfo(address,
                      address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                     : sizeof(struct sockaddr_in),
                      request->remote, sizeof(request->remote), NULL, 0, NI_NUMERICHOST);
}

static struct httpd_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* The head of a request is there. */
static struct http_exchange *begin(struct httpd_daemon *daemon, struct MHD_Connection *connection,
                                   const char *path, const char *method)
{
    struct httpd *httpd = daemon->httpd;
    struct http_exchange *exchange = exchange_new(httpd, method);
    struct http_request *request = &exchange->request;
    struct httpd_connection *socket = connection_of(connection);

    exchange->connection = connection;
    exchange->fd = socket ? socket->fd : -1;
    (void)exchange_set_target(exchange, path);
    request->query = gather(exchange, MHD_GET_ARGUMENT_KIND, &request->query_count);
    request->headers = gather(exchange, MHD_HEADER_KIND, &request->header_count);
    set_remote(exchange, daemon->local);
    if (httpd->config.body_limit)
        exchange->in_max =
            httpd->config.body_limit(httpd->config.owner, request->method, request->path);
    if (!exchange->in_max)
        exchange->in_max = httpd->config.body_max;
    return exchange;
}

/* libmicrohttpd takes an answer before the body for these methods only; others are read and thrown
 * away as far as SWALLOW_MAX goes. */
static bool refuse_early(struct http_exchange *exchange, const char *method)
{
    const char *length = http_header(&exchange->request, "Content-Length");

    if (!length || strtoull(length, NULL, 10) <= exchange->in_max)
        return false;
    exchange->too_large = true;
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0;
}

/* Memory grows with what has come, not with what was announced. */
static bool collect(struct http_exchange *exchange, const char *data, size_t n)
{
    if (exchange->too_large || n > exchange->in_max - exchange->in_len) {
        exchange->too_large = true;
        exchange->in_len += n; /* counts on for SWALLOW_MAX; the body is not given to anyone */
        return exchange->in_len <= SWALLOW_MAX * exchange->in_max + 65536;
    }
    if (exchange->in_len + n > exchange->in_room) {
        size_t room = exchange->in_room ? exchange->in_room : 1024;

        while (room < exchange->in_len + n)
            room *= 2;
        exchange->in = xrealloc(exchange->in, room);
        exchange->in_room = room;
    }
    memcpy(exchange->in + exchange->in_len, data, n);
    exchange->in_len += n;
    return true;
}

/* The request is complete: from now on the client waits for us. */
static enum MHD_Result run(struct http_exchange *exchange)
{
    struct httpd *httpd = exchange->httpd;
    struct httpd_connection *socket = connection_of(exchange->connection);

    (void)pthread_mutex_lock(&httpd->lock);
    if (socket)
        socket->since_us = CLOCK_NEVER;
    httpd->live++;
    (void)pthread_mutex_unlock(&httpd->lock);
    exchange_run(exchange);
    return answer_or_suspend(exchange);
}

/* NOLINTNEXTLINE(readability-function-size): the library says which parameters */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *data_size, void **context)
{
    struct http_exchange *exchange = *context;

    (void)version;
    if (!exchange) {
        exchange = begin(cls, connection, url, method);
        *context = exchange;
        return refuse_early(exchange, method) ? run(exchange) : MHD_YES;
    }
    if (*data_size > 0) {
        size_t n = *data_size;

        *data_size = 0;
        return collect(exchange, data, n) ? MHD_YES : MHD_NO;
    }
    if (exchange->state == EXCHANGE_READING)
        return run(exchange);
    return answer_or_suspend(exchange); /* resumed */
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how)
{
    struct http_exchange *exchange = *context;
    struct httpd *httpd = ((struct httpd_daemon *)cls)->httpd;
    struct httpd_connection *socket = connection_of(connection);

    (void)how;
    if (!exchange)
        return;
    *context = NULL;
    (void)pthread_mutex_lock(&httpd->lock);
    if (exchange->state != EXCHANGE_READING) {
        httpd->live--;
        (void)pthread_cond_broadcast(&httpd->quiet);
    }
    exchange_gone(exchange);
    if (socket)
        socket->since_us = clock_mono(httpd->config.clock);
    (void)pthread_mutex_unlock(&httpd->lock);
    exchange_unref(exchange);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct httpd *httpd = ((struct httpd_daemon *)cls)->httpd;
    struct httpd_connection *socket = *context;

    (void)pthread_mutex_lock(&httpd->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

        socket = xcalloc(1, sizeof(*socket));
        socket->fd = info ? info->connect_fd : -1;
        socket->since_us = clock_mono(httpd->config.clock);
        socket->next = httpd->connections;
        socket->link = &httpd->connections;
        if (socket->next)
            socket->next->link = &socket->next;
        httpd->connections = socket;
        *context = socket;
    } else if (socket) {
        *socket->link = socket->next;
        if (socket->next)
            socket->next->link = socket->link;
        free(socket);
        *context = NULL;
    }
    (void)pthread_mutex_unlock(&httpd->lock);
}

/* Paths and parameters stay encoded until we decode them, which finds malformed ones. */
static size_t keep_encoded(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

/* ---- start and stop ------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void no_log(void *cls, const char *format,
                                                         va_list args)
{
    (void)cls;
    (void)format;
    (void)args;
}

static void *start_mhd(struct httpd_daemon *daemon, int fd, const struct httpd_mhd *secret)
{
    const struct httpd_config *config = &daemon->httpd->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (secret->cert ? MHD_USE_TLS : 0);
    struct MHD_OptionItem secrets[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, secret->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, secret->cert},
        {MHD_OPTION_END, 0, NULL},
    };

    if (!secret->cert)
        secrets[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_access, daemon, MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, config->connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->per_address, MHD_OPTION_CONNECTION_TIMEOUT,
        config->idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, config->header_max,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, daemon, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, daemon, MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL, MHD_OPTION_ARRAY,
        secrets, MHD_OPTION_END);
}

static void forget_secret(struct httpd_mhd *mhd)
{
    if (mhd->key)
        OPENSSL_cleanse(mhd->key, strlen(mhd->key));
    free(mhd->cert);
    free(mhd->key);
    *mhd = (struct httpd_mhd){0};
}

static void stop_mhd(struct httpd_mhd *mhd)
{
    MHD_stop_daemon(mhd->mhd);
    forget_secret(mhd);
}

/* Takes the socket over if it succeeds. */
static enum err open_mhd(struct httpd_daemon *daemon, int fd, const struct httpd_listener *with,
                         struct httpd_mhd *mhd, const char **why)
{
    int64_t expires_us;
    bool tls = with->cert_pem && with->key_pem;
    enum err err = tls ? tls_check(with->cert_pem, with->key_pem, &expires_us, why) : OK;

    if (err)
        return err;
    *mhd = (struct httpd_mhd){.cert = tls ? xstrdup(with->cert_pem) : NULL,
                              .key = tls ? xstrdup(with->key_pem) : NULL};
    mhd->mhd = start_mhd(daemon, fd, mhd);
    if (mhd->mhd)
        return OK;
    forget_secret(mhd);
    *why =
        tls ? "the server cannot start with this certificate and key" : "the server cannot start";
    return ERR_IO;
}

static enum err start_listener(struct httpd *httpd, const struct httpd_listener *listener,
                               const char **why)
{
    struct httpd_daemon *daemon = &httpd->daemons[httpd->daemon_count];
    enum err err;
    int fd;

    daemon->httpd = httpd;
    daemon->local = listener->path != NULL;
    fd = daemon->local ? listen_unix(listener->path, why)
                       : listen_tcp(listener->address, &daemon->port, why);
    if (fd < 0)
        return ERR_IO;
    daemon->path = arena_strdup(&httpd->arena, listener->path);
    err = open_mhd(daemon, fd, listener, &daemon->now, why);
    if (err) {
        (void)close(fd);
        if (daemon->path)
            (void)unlink(daemon->path);
        return err;
    }
    httpd->daemon_count++;
    return OK;
}

/* ---- renewal -------------------------------------------------------------------------------- */

/* The new one listens on the same socket before the old one ends to: no connection is refused. */
enum err httpd_renew(struct httpd *httpd, size_t listener, const char *cert_pem,
                     const char *key_pem, const char **why)
{
    struct httpd_daemon *daemon = &httpd->daemons[listener];
    const struct httpd_listener with = {.cert_pem = cert_pem, .key_pem = key_pem};
    const union MHD_DaemonInfo *info;
    struct httpd_mhd made;
    enum err err;
    int fd;

    *why = "connections of too many former certificates are still open";
    if (listener >= httpd->daemon_count || !daemon->now.cert)
        return ERR_BAD_STATE;
    if (daemon->retired_count == HTTPD_RETIRED_MAX)
        return ERR_FULL;
    info = MHD_get_daemon_info(daemon->now.mhd, MHD_DAEMON_INFO_LISTEN_FD);
    fd = info ? fcntl(info->listen_fd, F_DUPFD_CLOEXEC, 0) : -1;
    err = fd < 0 ? ERR_IO : open_mhd(daemon, fd, &with, &made, why);
    if (err) {
        if (fd >= 0)
            (void)close(fd);
        return err;
    }
    fd = MHD_quiesce_daemon(daemon->now.mhd);
    if (fd >= 0)
        (void)close(fd);
    (void)pthread_mutex_lock(&httpd->lock);
    daemon->retired[daemon->retired_count++] = daemon->now;
    daemon->now = made;
    (void)pthread_mutex_unlock(&httpd->lock);
    return OK;
}

static bool is_idle(const struct httpd_mhd *mhd)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(mhd->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info && info->num_connections == 0;
}

/* Ends retired ones that have no connection left; without the lock, which their threads take. */
static void reap(struct httpd *httpd, struct httpd_daemon *daemon)
{
    struct httpd_mhd idle = {0};

    (void)pthread_mutex_lock(&httpd->lock);
    for (size_t i = 0; i < daemon->retired_count && !idle.mhd; i++) {
        if (!is_idle(&daemon->retired[i]))
            continue;
        idle = daemon->retired[i];
        daemon->retired[i] = daemon->retired[--daemon->retired_count];
    }
    (void)pthread_mutex_unlock(&httpd->lock);
    if (idle.mhd)
        stop_mhd(&idle);
}

static void on_tick(struct timer *timer)
{
    struct httpd *httpd = (struct httpd *)((char *)timer - offsetof(struct httpd, tick));

    httpd_tick(httpd);
    for (size_t i = 0; i < httpd->daemon_count; i++)
        reap(httpd, &httpd->daemons[i]);
    timer_set(&httpd->worker.timers, timer, worker_now(&httpd->worker) + TICK_US);
}

static void set_defaults(struct httpd_config *config)
{
    config->clock = config->clock ? config->clock : clock_system();
    config->body_max = config->body_max ? config->body_max : 1u << 20;
    config->connections = config->connections ? config->connections : 2048;
    config->header_max = config->header_max ? config->header_max : 32768;
    config->idle_s = config->idle_s ? config->idle_s : 30;
    config->receive_us = config->receive_us ? config->receive_us : 60 * (int64_t)US_PER_S;
    config->deadline_us = config->deadline_us ? config->deadline_us : 30 * (int64_t)US_PER_S;
}

static void init(struct httpd *httpd, const struct httpd_config *config)
{
    pthread_condattr_t attributes;

    httpd->config = *config;
    set_defaults(&httpd->config);
    atomic_init(&httpd->refs, 1);
    arena_init(&httpd->arena, ARENA_JOB_LIMIT);
    (void)pthread_mutex_init(&httpd->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&httpd->quiet, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    httpd->resume = resume;
}

enum err httpd_start(const struct httpd_config *config, struct httpd **httpd, const char **why)
{
    struct httpd *made = xcalloc(1, sizeof(*made));
    enum err err = OK;

    init(made, config);
    *httpd = NULL;
    *why = NULL;
    for (size_t i = 0; i < config->listener_count && !err; i++)
        err = start_listener(made, &config->listeners[i], why);
    if (made->daemon_count > 0) {
        worker_init(&made->worker, "httpd-tick", made->config.clock, made);
        made->tick.fire = on_tick;
        timer_set(&made->worker.timers, &made->tick, worker_now(&made->worker) + TICK_US);
        worker_start(&made->worker);
    }
    if (err) {
        httpd_stop(made);
        return err;
    }
    *httpd = made;
    return OK;
}

/* Gives the answers up to a second to leave. */
static void wait_until_quiet(struct httpd *httpd)
{
    int64_t until = clock_mono(clock_system()) + US_PER_S;
    struct timespec at = {.tv_sec = until / US_PER_S, .tv_nsec = until % US_PER_S * 1000};
    int error = 0;

    while (httpd->live > 0 && error == 0)
        error = pthread_cond_timedwait(&httpd->quiet, &httpd->lock, &at);
}

void httpd_stop(struct httpd *httpd)
{
    int listeners[HTTPD_LISTENERS_MAX];
    size_t count = httpd->daemon_count;

    for (size_t i = 0; i < count; i++)
        listeners[i] = MHD_quiesce_daemon(httpd->daemons[i].now.mhd);
    (void)pthread_mutex_lock(&httpd->lock);
    httpd->stopping = true;
    exchange_end_all(httpd);
    wait_until_quiet(httpd);
    (void)pthread_mutex_unlock(&httpd->lock);
    if (count > 0) {
        worker_stop(&httpd->worker);
        worker_fini(&httpd->worker);
    }
    for (size_t i = 0; i < count; i++) {
        stop_mhd(&httpd->daemons[i].now);
        for (size_t k = 0; k < httpd->daemons[i].retired_count; k++)
            stop_mhd(&httpd->daemons[i].retired[k]);
        if (listeners[i] >= 0)
            (void)close(listeners[i]);
        if (httpd->daemons[i].path)
            (void)unlink(httpd->daemons[i].path);
    }
    httpd_unref(httpd);
}

uint16_t httpd_port(const struct httpd *httpd, size_t listener)
{
    return listener < httpd->daemon_count ? httpd->daemons[listener].port : 0;
}
