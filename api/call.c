/*
 * call.c - the life of one request: reading it, waiting for others, answering.
 */
#include "api/call.h"

#include "api/api_priv.h"
#include "api/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
static const int status_of[ERR_COUNT] = {
    [OK] = 200,            [ERR_NOT_FOUND] = 404,   [ERR_MALFORMED] = 400, [ERR_INVALID] = 422,
    [ERR_LIMIT] = 422,     [ERR_UNSUPPORTED] = 422, [ERR_CONFLICT] = 409,  [ERR_EXISTS] = 409,
    [ERR_REFERENCE] = 422, [ERR_IN_USE] = 409,      [ERR_BAD_STATE] = 409, [ERR_DENIED] = 403,
    [ERR_BUSY] = 503,      [ERR_FULL] = 409,        [ERR_TIMEOUT] = 504,   [ERR_AWAY] = 503,
    [ERR_STORE] = 503,     [ERR_CORRUPT] = 500,     [ERR_CRYPTO] = 500,    [ERR_IO] = 503,
};
/* clang-format on */

struct call *call_new(struct api *api, struct http_request *request)
{
    struct call *call = xcalloc(1, sizeof(*call));

    call->api = api;
    call->clock = api->options.clock;
    call->request = request;
    arena_init(&call->arena, ARENA_REQUEST_LIMIT);
    field_errors_init(&call->errors, &call->arena);
    jw_init(&call->out, CALL_OUT_MAX);
    (void)pthread_mutex_init(&call->lock, NULL);
    (void)pthread_cond_init(&call->cond, NULL);
    return call;
}

void call_free(struct call *call)
{
    jw_free(&call->out);
    arena_reset(&call->arena);
    (void)pthread_cond_destroy(&call->cond);
    (void)pthread_mutex_destroy(&call->lock);
    free(call);
}

/* ---- answering ------------------------------------------------------------------------------- */

void call_header(struct call *call, const char *key, const char *value)
{
    if (call->header_count < CALL_HEADERS)
        call->headers[call->header_count++] =
            (struct http_pair){key, arena_strdup(&call->arena, value)};
}

int call_fail(struct call *call, int status, const char *detail, ...)
{
    va_list list;
    char text[512];

    va_start(list, detail);
    (void)vsnprintf(text, sizeof(text), detail, list);
    va_end(list);
    call->detail = arena_strdup(&call->arena, text);
    return status;
}

int call_err(struct call *call, enum err err)
{
    if (!err)
        return 200;
    if (!call->detail)
        call->detail = err_text(err);
    if (err == ERR_AWAY || err == ERR_BUSY)
        call_header(call, "Retry-After", "2");
    return status_of[err];
}

int call_checked(struct call *call)
{
    return call->errors.n ? 422 : 0;
}

/* One mistake for each place: a value that could not be read is not judged once more. */
static bool is_first(const struct field_errors *errors, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(errors->at[i].where, errors->at[at].where) == 0)
            return false;
    }
    return true;
}

static void write_problem(struct call *call, int status)
{
    struct jw *jw = &call->out;

    jw_clear(jw);
    jw_object(jw);
    jw_key_str(jw, "type", "about:blank");
    jw_key_str(jw, "title", http_reason(status));
    jw_key_int(jw, "status", status);
    if (call->errors.n && !call->detail)
        call->detail = "the body has mistakes";
    if (call->detail)
        jw_key_str(jw, "detail", call->detail);
    if (call->errors.n) {
        jw_key(jw, "errors");
        jw_array(jw);
        for (size_t i = 0; i < call->errors.n; i++) {
            if (!is_first(&call->errors, i))
                continue;
            jw_object(jw);
            jw_key_str(jw, "field", call->errors.at[i].where);
            jw_key_str(jw, "message", call->errors.at[i].what);
            jw_end_object(jw);
        }
        jw_end_array(jw);
    }
    jw_end_object(jw);
}

void call_end(struct call *call, int status)
{
    struct http_reply reply = {.status = status, .content_type = "application/json"};

    if (status == CALL_HANDED)
        return;
    if (status >= 400 && !call->plain)
        write_problem(call, status);
    if (status >= 400 && !call->plain)
        reply.content_type = "application/problem+json";
    else if (call->content_type)
        reply.content_type = call->content_type;
    if (status == 401)
        call_header(call, "WWW-Authenticate", "Bearer");
    reply.headers = call->headers;
    reply.header_count = call->header_count;
    reply.body = jw_bytes(&call->out);
    if (call->out.failed)
        http_answer_problem(call->request, 500, "the answer is too large");
    else
        http_answer(call->request, &reply);
    call_free(call);
}

/* ---- reading --------------------------------------------------------------------------------- */

const struct call_param *call_param(const struct call *call, const char *name)
{
    for (size_t i = 0; i < call->param_count; i++) {
        if (strcmp(call->params[i].name, name) == 0)
            return &call->params[i];
    }
    return NULL;
}

struct lw_eui call_eui(const struct call *call, const char *name)
{
    const struct call_param *param = call_param(call, name);

    return param ? param->eui : (struct lw_eui){0};
}

static bool is_json_type(const char *type)
{
    size_t n = strcspn(type, "; ");

    return (n == 16 && strncasecmp(type, "application/json", n) == 0) ||
           (n == 28 && strncasecmp(type, "application/merge-patch+json", n) == 0);
}

int call_body(struct call *call)
{
    const char *type = http_header(call->request, "Content-Type"), *why = NULL;
    struct bytes body = call->request->body;

    if (type && *type && !is_json_type(type))
        return call_fail(call, 415, "the body must be application/json");
    if (body.n == 0)
        return call_fail(call, 400, "a JSON body is missing");
    if (json_read((const char *)body.p, body.n, &call->arena, &call->body, &why))
        return call_fail(call, 400, "the body is not JSON: %s", why ? why : "malformed");
    return 0;
}

int call_read(struct call *call, const struct field *table, void *object, enum field_mode mode,
              uint64_t *present)
{
    int status = call->body ? 0 : call_body(call);

    if (status)
        return status;
    if (field_read(table, object, call->body, mode, &call->arena, &call->errors, present) &&
        !call->errors.n)
        return call_fail(call, 422, "the body cannot be read");
    return 0;
}

int call_query_uint(struct call *call, const char *key, uint64_t most, uint64_t *value)
{
    const char *text = http_query(call->request, key);
    char *end;
    unsigned long long v;

    if (!text)
        return 0;
    errno = 0;
    v = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || v > most)
        return call_fail(call, 400, "%s must be a number up to %llu", key,
                         (unsigned long long)most);
    *value = v;
    return 0;
}

int call_query_limit(struct call *call, size_t *limit)
{
    uint64_t v = 50;
    int status = call_query_uint(call, "limit", 1000, &v);

    if (!status && v == 0)
        status = call_fail(call, 400, "limit must be 1 to 1000");
    *limit = (size_t)v;
    return status;
}

int call_query_position(struct call *call, const char *key, uint64_t *position)
{
    const char *text = http_query(call->request, key);
    uint8_t raw[8];
    struct rd rd = rd_of(raw, sizeof(raw));

    if (!text)
        return 0;
    if (!hex_read(raw, sizeof(raw), text, strlen(text)))
        return call_fail(call, 400, "%s is none that this server gave", key);
    *position = rd_u64be(&rd);
    return 0;
}

/* ---- waiting --------------------------------------------------------------------------------- */

void call_expect(struct call *call, unsigned answers)
{
    (void)pthread_mutex_lock(&call->lock);
    call->pending += answers;
    (void)pthread_mutex_unlock(&call->lock);
}

void call_arrived(struct call *call)
{
    (void)pthread_mutex_lock(&call->lock);
    call->pending--;
    (void)pthread_cond_signal(&call->cond);
    (void)pthread_mutex_unlock(&call->lock);
}

void call_wait(struct call *call)
{
    const struct api_options *options = &call->api->options;

    (void)pthread_mutex_lock(&call->lock);
    while (call->pending > 0) {
        if (options->pump) {
            (void)pthread_mutex_unlock(&call->lock);
            options->pump(options->pump_ctx);
            (void)pthread_mutex_lock(&call->lock);
        } else {
            (void)pthread_cond_wait(&call->cond, &call->lock);
        }
    }
    (void)pthread_mutex_unlock(&call->lock);
}

static void question_answered(struct worker *worker, struct mail *mail)
{
    (void)worker;
    call_arrived(((struct ns_call *)mail)->owner);
}

void call_ask_all(struct call *call, struct ns_call **questions, size_t count)
{
    call_expect(call, (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        questions[i]->reply = question_answered;
        questions[i]->owner = call;
        ns_ask(call->api->options.ns, questions[i]);
    }
    call_wait(call);
}

enum err call_ask(struct call *call, struct ns_call *question)
{
    call_ask_all(call, &question, 1);
    if (question->why && !call->detail)
        call->detail = arena_strdup(&call->arena, question->why);
    return question->result;
}

struct op *call_op(struct call *call, enum op_kind kind)
{
    return change_add(&call->change, &call->arena, kind);
}

static void saved(struct worker *worker, struct mail *mail)
{
    (void)worker;
    call_arrived(((struct change *)mail)->owner);
}

enum err call_save(struct call *call)
{
    struct change *change = &call->change;

    if (committer_away_since(call->api->options.committer))
        return ERR_AWAY;
    change->reply_to = &call->api->streams.worker;
    change->reply_lane = LANE_RADIO;
    change->done = saved;
    change->owner = call;
    call_expect(call, 1);
    committer_submit(call->api->options.committer, change);
    call_wait(call);
    return change->result;
}
