/* The HTTP server on real sockets, with suspended answers and streams; and its in-process end. */
#include "core/clock.h"
#include "net/httpc.h"
#include "net/httpd.h"
#include "tests/suite.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- a server whose handler does what the path says ----------------------------------------- */

#define KEPT_MAX 256

static struct {
    struct httpd *httpd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_request *kept[KEPT_MAX]; /* for the answering thread */
    size_t kept_count;
    bool stop;
    struct http_stream *stream;
    unsigned closed;
    pthread_t answering;
    char path[64]; /* of the UNIX socket */
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void reply_text(struct http_request *request, int status, const char *text)
{
    const struct http_pair headers[] = {{"X-Remote", request->remote}};

    http_answer(request, &(struct http_reply){.status = status,
                                              .content_type = "text/plain",
                                              .headers = headers,
                                              .header_count = 1,
                                              .body = {(const uint8_t *)text, strlen(text)}});
}

static void on_closed(void *arg)
{
    (void)arg;
    (void)pthread_mutex_lock(&server.lock);
    server.closed++;
    (void)pthread_cond_broadcast(&server.changed);
    (void)pthread_mutex_unlock(&server.lock);
}

static void keep(struct http_request *request)
{
    (void)pthread_mutex_lock(&server.lock);
    ck_assert_uint_lt(server.kept_count, KEPT_MAX);
    server.kept[server.kept_count++] = request;
    (void)pthread_cond_broadcast(&server.changed);
    (void)pthread_mutex_unlock(&server.lock);
}

static void open_stream(struct http_request *request)
{
    const char *idle = http_query(request, "idle");
    struct http_stream *stream =
        http_stream_open(request, &(struct http_stream_options){.content_type = "text/event-stream",
                                                                .limit = 65536,
                                                                .idle_us = idle ? 1000 : -1,
                                                                .closed = on_closed});

    (void)pthread_mutex_lock(&server.lock);
    server.stream = stream;
    (void)pthread_cond_broadcast(&server.changed);
    (void)pthread_mutex_unlock(&server.lock);
}

static void on_request(void *owner, struct http_request *request)
{
    char text[512];

    (void)owner;
    if (strcmp(request->path, "/later") == 0 || strcmp(request->path, "/never") == 0) {
        keep(request);
    } else if (strcmp(request->path, "/stream") == 0) {
        open_stream(request);
    } else if (strcmp(request->path, "/problem") == 0) {
        http_answer_problem(request, 405, "no \"such\" method");
    } else {
        const char *q = http_query(request, "q"), *h = http_header(request, "x-test");

        (void)snprintf(text, sizeof(text), "%s %s q=%s h=%s body=%zu local=%d", request->method,
                       request->path, q ? q : "-", h ? h : "-", request->body.n, request->local);
        reply_text(request, 200, text);
    }
}

static size_t body_limit(void *owner, const char *method, const char *path)
{
    (void)owner;
    (void)method;
    return strcmp(path, "/small") == 0 ? 10 : 0;
}

/* Answers what is kept, from a thread of its own; "/never" stays. */
static void *answer_kept(void *arg)
{
    (void)pthread_mutex_lock(&server.lock);
    while (!server.stop) {
        struct http_request *request = NULL;

        for (size_t i = 0; i < server.kept_count && !request; i++) {
            if (strcmp(server.kept[i]->path, "/later") != 0)
                continue;
            request = server.kept[i];
            server.kept[i] = server.kept[--server.kept_count];
        }
        if (!request) {
            (void)pthread_cond_wait(&server.changed, &server.lock);
            continue;
        }
        (void)pthread_mutex_unlock(&server.lock);
        reply_text(request, 202, http_query(request, "q"));
        (void)pthread_mutex_lock(&server.lock);
    }
    (void)pthread_mutex_unlock(&server.lock);
    return arg;
}

static void server_start(struct httpd_config config)
{
    const char *why;

    config.on_request = on_request;
    config.body_limit = body_limit;
    (void)snprintf(server.path, sizeof(server.path), "/tmp/godwit-test-%ld.sock", (long)getpid());
    config.listeners[0] = (struct httpd_listener){.address = "127.0.0.1:0"};
    config.listeners[1] = (struct httpd_listener){.path = server.path};
    config.listener_count = 2;
    server.kept_count = 0;
    server.stop = false;
    server.stream = NULL;
    server.closed = 0;
    ck_assert_msg(httpd_start(&config, &server.httpd, &why) == OK, "%s", why);
    ck_assert_int_eq(pthread_create(&server.answering, NULL, answer_kept, NULL), 0);
}

static void server_stop(void)
{
    if (server.httpd)
        httpd_stop(server.httpd);
    server.httpd = NULL;
    (void)pthread_mutex_lock(&server.lock);
    server.stop = true;
    (void)pthread_cond_broadcast(&server.changed);
    (void)pthread_mutex_unlock(&server.lock);
    (void)pthread_join(server.answering, NULL);
    for (size_t i = 0; i < server.kept_count; i++) /* late answers, after the server is gone */
        reply_text(server.kept[i], 200, "late");
}

/* Waits, by the handler's own signals, until the condition holds. */
#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        (void)pthread_mutex_lock(&server.lock);                                                    \
        while (!(condition))                                                                       \
            (void)pthread_cond_wait(&server.changed, &server.lock);                                \
        (void)pthread_mutex_unlock(&server.lock);                                                  \
    } while (0)

/* ---- raw clients ---------------------------------------------------------------------------- */

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(httpd_port(server.httpd, 0)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until `until` is in what came, or the end. */
static const char *hear(int fd, char *text, size_t room, const char *until)
{
    size_t n = 0;
    ssize_t got = 1;

    text[0] = '\0';
    while (n + 1 < room && (!until || !strstr(text, until)) && got > 0) {
        struct pollfd watch = {.fd = fd, .events = POLLIN};

        ck_assert_msg(poll(&watch, 1, 20000) == 1, "nothing more after: %s", text);
        got = recv(fd, text + n, room - 1 - n, 0);
        n += got > 0 ? (size_t)got : 0;
        text[n] = '\0';
    }
    return text;
}

static void ck_has(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no %s in: %s", part, text);
}

START_TEST(answers_at_once)
{
    char text[4096];
    int fd;

    server_start((struct httpd_config){0});
    fd = dial();
    say(fd, "GET /a%20b/c?q=x%26+y&z HTTP/1.1\r\nHost: x\r\nX-Test: 7\r\n\r\n");
    hear(fd, text, sizeof(text), "local=0");
    ck_has(text, "HTTP/1.1 200 OK\r\n");
    ck_has(text, "Content-Type: text/plain\r\n");
    ck_has(text, "X-Remote: 127.0.0.1\r\n");
    ck_has(text, "\r\n\r\nGET /a b/c q=x& y h=7 body=0 local=0");
    say(fd, "BREW /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"); /* kept alive */
    ck_has(hear(fd, text, sizeof(text), "local=0"), "\r\n\r\nBREW /x q=- h=- body=3 local=0");
    say(fd, "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /after HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text), "/after q=");
    ck_has(text, "Content-Length: 29\r\n");
    ck_assert_ptr_null(strstr(text, "GET /h q"));
    say(fd, "GET /problem HTTP/1.1\r\nHost: x\r\n\r\n");
    hear(fd, text, sizeof(text), "}");
    ck_has(text, "HTTP/1.1 405 ");
    ck_has(text, "Content-Type: application/problem+json\r\n");
    ck_has(text, "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405,"
                 "\"detail\":\"no \\\"such\\\" method\"}");
    (void)close(fd);
    server_stop();
}
END_TEST

START_TEST(malformed_and_large_are_refused)
{
    static const char *const bad[] = {"/%", "/%zz", "/%00", "/%ff", "/x?a=%", "/x?a=%00"};
    char text[4096];
    int fd;

    server_start((struct httpd_config){.body_max = 100});
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[100];

        fd = dial();
        (void)snprintf(line, sizeof(line), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", bad[i]);
        say(fd, line);
        ck_has(hear(fd, text, sizeof(text), "}"), "HTTP/1.1 400 ");
        (void)close(fd);
    }
    fd = dial();
    say(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n");
    ck_has(hear(fd, text, sizeof(text), NULL), "HTTP/1.1 413 ");
    (void)close(fd);
    fd = dial();
    say(fd, "PATCH /small HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890");
    ck_has(hear(fd, text, sizeof(text), NULL), "HTTP/1.1 413 ");
    (void)close(fd);
    fd = dial();
    say(fd, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            "b\r\n01234567890\r\n0\r\n\r\n");
    ck_has(hear(fd, text, sizeof(text), NULL), "HTTP/1.1 413 ");
    (void)close(fd);
    fd = dial();
    say(fd, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n");
    ck_has(hear(fd, text, sizeof(text), "local"), "body=10");
    (void)close(fd);
    server_stop();
}
END_TEST

#define CLIENTS 100

START_TEST(many_wait_together)
{
    int fds[CLIENTS];
    char text[4096], want[64];

    server_start((struct httpd_config){0});
    for (int i = 0; i < CLIENTS; i++) {
        char line[100];

        fds[i] = dial();
        (void)snprintf(line, sizeof(line), "GET /later?q=n%dn HTTP/1.1\r\nHost: x\r\n\r\n", i);
        say(fds[i], line);
    }
    for (int i = CLIENTS - 1; i >= 0; i--) {
        (void)snprintf(want, sizeof(want), "\r\n\r\nn%dn", i);
        ck_has(hear(fds[i], text, sizeof(text), want), "HTTP/1.1 202 Accepted\r\n");
        ck_has(text, want);
        (void)close(fds[i]);
    }
    ck_assert_uint_eq(httpd_waiting(server.httpd), 0);
    server_stop();
}
END_TEST

START_TEST(deadline_answers_and_late_is_dropped)
{
    char text[4096];
    int fd;

    server_start((struct httpd_config){.deadline_us = 50000});
    fd = dial();
    say(fd, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_has(hear(fd, text, sizeof(text), "}"), "HTTP/1.1 504 ");
    ck_has(text, "application/problem+json");
    AWAIT(server.kept_count == 1);
    reply_text(server.kept[0], 200, "late");
    server.kept_count = 0;
    say(fd, "GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_has(hear(fd, text, sizeof(text), "local"), "GET /again");
    (void)close(fd);
    server_stop();
}
END_TEST

START_TEST(streams_flow_and_end)
{
    char text[4096];
    struct http_stream *stream;
    int fd;

    server_start((struct httpd_config){0});
    fd = dial();
    say(fd, "GET /stream?idle=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    AWAIT(server.stream != NULL);
    stream = server.stream;
    ck_assert_int_eq(http_stream_write(stream, "id: 1\n\n", 7), OK);
    hear(fd, text, sizeof(text), "id: 1\n\n");
    ck_has(text, "HTTP/1.1 200 OK\r\n");
    ck_has(text, "Content-Type: text/event-stream\r\n");
    hear(fd, text, sizeof(text), ": \n\n"); /* idle */
    ck_assert_int_eq(http_stream_write(stream, "id: 2\n\n", 7), OK);
    hear(fd, text, sizeof(text), "id: 2\n\n");
    http_stream_close(stream);
    hear(fd, text, sizeof(text), "0\r\n\r\n");
    ck_assert_uint_eq(server.closed, 0);
    (void)close(fd);
    server_stop();
}
END_TEST

START_TEST(a_reader_that_sleeps_is_cut)
{
    static char block[4096];
    char text[4096];
    struct http_stream *stream;
    enum err err = OK;
    int fd, written = 0;

    server_start((struct httpd_config){0});
    fd = dial();
    say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    AWAIT(server.stream != NULL);
    stream = server.stream;
    memset(block, 'x', sizeof(block));
    for (; err == OK && written < 100000; written++)
        err = http_stream_write(stream, block, sizeof(block));
    ck_assert_int_eq(err, ERR_FULL);
    http_stream_close(stream);
    while (recv(fd, text, sizeof(text), 0) > 0)
        continue; /* what the kernel had; then the end comes */
    (void)close(fd);
    server_stop();
}
END_TEST

START_TEST(a_client_that_leaves_is_noticed)
{
    struct http_stream *stream;
    int fd;

    server_start((struct httpd_config){0});
    fd = dial();
    say(fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    AWAIT(server.stream != NULL);
    stream = server.stream;
    (void)close(fd);
    AWAIT(server.closed == 1);
    ck_assert_int_eq(http_stream_write(stream, "x", 1), ERR_BAD_STATE);
    http_stream_close(stream);
    server_stop();
    ck_assert_uint_eq(server.closed, 1);
}
END_TEST

START_TEST(stop_ends_all_soon)
{
    char text[4096];
    int64_t start;
    int waiting, streaming, slow;

    server_start((struct httpd_config){0});
    waiting = dial();
    streaming = dial();
    slow = dial();
    say(waiting, "GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
    say(streaming, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    say(slow, "GET /half HTTP/1.1\r\nHo");
    AWAIT(server.kept_count == 1 && server.stream);
    start = clock_mono(clock_system());
    httpd_stop(server.httpd);
    server.httpd = NULL;
    ck_assert_int_lt(clock_mono(clock_system()) - start, 2 * US_PER_S);
    ck_has(hear(waiting, text, sizeof(text), NULL), "HTTP/1.1 503 ");
    ck_has(hear(streaming, text, sizeof(text), NULL), "0\r\n\r\n");
    (void)hear(slow, text, sizeof(text), NULL);
    ck_assert_uint_eq(server.closed, 1);
    ck_assert_int_eq(http_stream_write(server.stream, "x", 1), ERR_BAD_STATE);
    http_stream_close(server.stream);
    (void)close(waiting);
    (void)close(streaming);
    (void)close(slow);
    server_stop();
    ck_assert_int_ne(access(server.path, F_OK), 0);
}
END_TEST

START_TEST(slow_senders_are_cut)
{
    char text[256];
    int fd;

    server_start((struct httpd_config){.receive_us = 100000});
    fd = dial();
    say(fd, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n012");
    ck_assert_str_eq(hear(fd, text, sizeof(text), NULL), "");
    (void)close(fd);
    server_stop();
}
END_TEST

/* One octet of a header after the other, for ever: none of them buys time. */
START_TEST(a_header_that_never_ends_is_cut)
{
    struct pollfd watch;
    char text[256];
    int drops = 0, other;

    server_start((struct httpd_config){.receive_us = 300000});
    watch = (struct pollfd){.fd = dial(), .events = POLLIN | POLLRDHUP};
    say(watch.fd, "GET /x HTTP/1.1\r\nX-Slow: ");
    while (poll(&watch, 1, 20) == 0 && drops++ < 1000)
        (void)send(watch.fd, "a", 1, MSG_NOSIGNAL);
    ck_assert_int_lt(drops, 1000);
    ck_assert_int_le(recv(watch.fd, text, sizeof(text), 0), 0);
    (void)close(watch.fd);
    other = dial();
    say(other, "GET /y HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_has(hear(other, text, sizeof(text), "local"), "GET /y");
    (void)close(other);
    server_stop();
}
END_TEST

/* ---- the client, over both kinds of socket -------------------------------------------------- */

static bool take_line(void *arg, const char *text, size_t len)
{
    char *all = arg;

    ck_assert_uint_eq(strlen(text), len);
    (void)strncat(all, text, 64);
    (void)strncat(all, "|", 2);
    return strcmp(text, "last") != 0;
}

static void *write_stream(void *arg)
{
    AWAIT(server.stream != NULL);
    ck_assert_int_eq(http_stream_write(server.stream, "one\r\ntw", 7), OK);
    ck_assert_int_eq(http_stream_write(server.stream, "o\nlast\nmore\n", 12), OK);
    return arg;
}

START_TEST(client_talks_to_server)
{
    static const char *const headers[] = {"X-Test: 9", NULL};
    struct httpc_request request = {
        .method = "PUT", .url = "/u?q=1", .headers = headers, .body = {(const uint8_t *)"abc", 3}};
    struct httpc_response response;
    struct stat info;
    char url[100], lines[256] = "";
    const char *why;
    pthread_t writer;

    server_start((struct httpd_config){0});
    ck_assert_int_eq(stat(server.path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    request.unix_path = server.path;
    ck_assert_int_eq(httpc_do(&request, &response, &why), OK);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.body, "PUT /u q=1 h=9 body=3 local=1");
    httpc_free(&response);

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/never", httpd_port(server.httpd, 0));
    request = (struct httpc_request){.url = url, .timeout_us = 100000};
    ck_assert_int_eq(httpc_do(&request, &response, &why), ERR_TIMEOUT);
    ck_assert_ptr_nonnull(why);

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/stream", httpd_port(server.httpd, 0));
    ck_assert_int_eq(pthread_create(&writer, NULL, write_stream, NULL), 0);
    ck_assert_int_eq(httpc_stream(&request, take_line, lines, &response, &why), OK);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(lines, "one|two|last|");
    httpc_free(&response);
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
    http_stream_close(server.stream);

    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/problem", httpd_port(server.httpd, 0));
    ck_assert_int_eq(httpc_stream(&request, take_line, lines, &response, &why), OK);
    ck_assert_int_eq(response.status, 405);
    ck_has(response.body, "about:blank");
    httpc_free(&response);
    server_stop();
    request.url = "http://127.0.0.1:1/";
    ck_assert_int_eq(httpc_do(&request, &response, &why), ERR_IO);
}
END_TEST

/* ---- injection ------------------------------------------------------------------------------ */

START_TEST(injected_requests_need_no_thread)
{
    static const struct http_pair headers[] = {{"X-Test", "5"}};
    struct httpd_config config = {.on_request = on_request, .body_limit = body_limit};
    struct clock_double time;
    struct http_exchange *at_once, *later, *stream;
    struct http_captured got;
    const char *why;

    clock_double_init(&time, 0, 0);
    config.clock = &time.clock;
    ck_assert_int_eq(httpd_start(&config, &server.httpd, &why), OK);
    server.kept_count = 0;
    server.closed = 0;
    at_once = httpd_inject(server.httpd, &(struct http_inject){.method = "GET",
                                                               .target = "/a%2fb?x&q=1+2",
                                                               .headers = headers,
                                                               .header_count = 1,
                                                               .local = true});
    got = http_captured(at_once);
    ck_assert_int_eq(got.status, 200);
    ck_assert(got.ended);
    ck_assert_int_eq(memcmp(got.body.p, "GET /a/b q=1 2 h=5 body=0 local=1", got.body.n), 0);
    ck_assert_str_eq(http_captured_header(at_once, "x-remote"), "unix");
    http_inject_close(at_once);

    later = httpd_inject(server.httpd, &(struct http_inject){.method = "GET", .target = "/never"});
    ck_assert_int_eq(http_captured(later).status, 0);
    ck_assert_uint_eq(httpd_waiting(server.httpd), 1);
    clock_double_set(&time, 31 * (int64_t)US_PER_S);
    httpd_tick(server.httpd);
    ck_assert_int_eq(http_captured(later).status, 504);
    reply_text(server.kept[0], 200, "late");
    server.kept_count = 0;
    ck_assert_int_eq(http_captured(later).status, 504);
    http_inject_close(later);

    stream = httpd_inject(server.httpd,
                          &(struct http_inject){.method = "GET", .target = "/stream?idle=1"});
    ck_assert_int_eq(http_stream_write(server.stream, "abc", 3), OK);
    ck_assert_uint_eq(http_captured(stream).body.n, 3);
    http_inject_drain(stream);
    clock_double_set(&time, 32 * (int64_t)US_PER_S);
    httpd_tick(server.httpd);
    ck_assert_uint_eq(http_captured(stream).body.n, 4);
    ck_assert_uint_eq(httpd_streams(server.httpd), 1);
    http_inject_close(stream);
    ck_assert_uint_eq(server.closed, 1);
    ck_assert_uint_eq(httpd_streams(server.httpd), 0);
    ck_assert_int_eq(http_stream_write(server.stream, "abc", 3), ERR_BAD_STATE);
    http_stream_close(server.stream);
    at_once = httpd_inject(server.httpd, &(struct http_inject){.method = "POST",
                                                               .target = "/small",
                                                               .body = {(const uint8_t *)"01234567"
                                                                                         "890",
                                                                        11}});
    ck_assert_int_eq(http_captured(at_once).status, 413);
    http_inject_close(at_once);
    httpd_stop(server.httpd);
}
END_TEST

START_TEST(bad_listeners_say_why)
{
    struct httpd_config config = {.on_request = on_request, .listener_count = 1};
    const char *why;

    config.listeners[0].address = "nonsense";
    ck_assert_int_eq(httpd_start(&config, &server.httpd, &why), ERR_IO);
    ck_assert_str_eq(why, "an address must be HOST:PORT");
    config.listeners[0].address = "192.0.2.1:1";
    ck_assert_int_eq(httpd_start(&config, &server.httpd, &why), ERR_IO);
    ck_assert_ptr_nonnull(why);
    config.listeners[0] = (struct httpd_listener){.path = "/nonexistent/x.sock"};
    ck_assert_int_eq(httpd_start(&config, &server.httpd, &why), ERR_IO);
    config.listeners[0] = (struct httpd_listener){
        .address = "127.0.0.1:0", .cert_pem = "no certificate", .key_pem = "no key"};
    ck_assert_int_eq(httpd_start(&config, &server.httpd, &why), ERR_MALFORMED);
    ck_assert_str_eq(why, "the certificate is not PEM or damaged");
    /* What was started without TLS cannot be renewed into it. */
    server_start((struct httpd_config){0});
    ck_assert_int_eq(httpd_renew(server.httpd, 0, "x", "x", &why), ERR_BAD_STATE);
    ck_assert_int_eq(httpd_renew(server.httpd, 2, "x", "x", &why), ERR_BAD_STATE);
    server_stop();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {answers_at_once,
                                  malformed_and_large_are_refused,
                                  many_wait_together,
                                  deadline_answers_and_late_is_dropped,
                                  streams_flow_and_end,
                                  a_reader_that_sleeps_is_cut,
                                  a_client_that_leaves_is_noticed,
                                  stop_ends_all_soon,
                                  slow_senders_are_cut,
                                  a_header_that_never_ends_is_cut,
                                  client_talks_to_server,
                                  injected_requests_need_no_thread,
                                  bad_listeners_say_why,
                                  NULL};

    return run_suite(suite_of("httpd", tests));
}
