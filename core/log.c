/*
 * log.c - one line per event, formatted on the stack or in a writer, written by one write(2).
 *
 * Folding: a small table counts lines of an event and level in the current second. What is beyond
 * the limit is only counted; the count is told when a later line begins another second. A collision
 * in the table merely starts the count anew.
 */
#include "core/log.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLD_SLOTS     64
#define FOLD_AFTER     20
#define LINE_MAX_BYTES 8192

struct fold {
    char event[64];
    enum log_level level;
    int64_t second;
    unsigned lines;
};

static struct {
    atomic_int level, format;
    pthread_mutex_t lock; /* guards the folds */
    struct fold folds[FOLD_SLOTS];
    int64_t second;
    _Atomic(struct clock *) clock;
    atomic_int fd;
} logger = {.level = LOG_LEVEL_INFO, .lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO};

void log_setup(enum log_level level, enum log_format format)
{
    atomic_store(&logger.level, (int)level);
    atomic_store(&logger.format, (int)format);
}

enum log_level log_level(void)
{
    return (enum log_level)atomic_load_explicit(&logger.level, memory_order_relaxed);
}

void log_redirect(int fd, struct clock *clock)
{
    (void)pthread_mutex_lock(&logger.lock);
    memset(logger.folds, 0, sizeof(logger.folds));
    logger.second = 0;
    (void)pthread_mutex_unlock(&logger.lock);
    atomic_store(&logger.clock, clock);
    atomic_store(&logger.fd, fd);
}

/* ---- one line ------------------------------------------------------------------------------- */

/* Letters, digits and a few signs need no quotes in logfmt. */
static bool is_plain(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        if (s[i] <= ' ' || s[i] >= 0x7f || strchr("\"=\\", s[i]))
            return false;
    }
    return n > 0;
}

/* The writer without its commas: text lines use its buffer and its escaping only. */
static void put_text(struct jw *jw, const char *s)
{
    jw->comma = false;
    jw_raw(jw, s, strlen(s));
}

static const char *value_text(const struct log_value *value, char *to, size_t room)
{
    switch (value->kind) {
    case LOG_V_STR: return value->s ? value->s : "";
    case LOG_V_INT: (void)snprintf(to, room, "%" PRId64, value->i); break;
    case LOG_V_UINT: (void)snprintf(to, room, "%" PRIu64, value->u); break;
    case LOG_V_HEX64: (void)snprintf(to, room, "%016" PRIx64, value->u); break;
    case LOG_V_HEX32: (void)snprintf(to, room, "%08" PRIx64, value->u); break;
    case LOG_V_DOUBLE: (void)snprintf(to, room, "%g", value->d); break;
    }
    return to;
}

static void put_text_value(struct jw *jw, const struct log_value *value)
{
    char room[40];
    const char *text = value_text(value, room, sizeof(room));

    put_text(jw, " ");
    put_text(jw, value->key);
    put_text(jw, "=");
    jw->comma = false;
    if (is_plain(text))
        put_text(jw, text);
    else
        jw_strn(jw, text, strnlen(text, 2048));
}

static void put_json_value(struct jw *jw, const struct log_value *value)
{
    char room[40];

    jw_key(jw, value->key);
    switch (value->kind) {
    case LOG_V_INT: jw_int(jw, value->i); break;
    case LOG_V_UINT: jw_uint(jw, value->u); break;
    case LOG_V_DOUBLE: jw_double(jw, value->d); break;
    case LOG_V_STR:
        if (value->s)
            jw_strn(jw, value->s, strnlen(value->s, 2048));
        else
            jw_null(jw);
        break;
    case LOG_V_HEX64:
    case LOG_V_HEX32: jw_str(jw, value_text(value, room, sizeof(room))); break;
    }
}

static void put_line(struct jw *jw, enum log_level level, const char *event,
                     const struct log_value *values, size_t n)
{
    static const char *const wide[] = {" DEBUG ", " INFO  ", " WARN  ", " ERROR "};
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct clock *clock = atomic_load(&logger.clock);
    char time[CLOCK_TEXT];

    (void)clock_text(time, clock_utc(clock ? clock : clock_system()));
    if (atomic_load(&logger.format) == LOG_TEXT) {
        put_text(jw, time);
        put_text(jw, wide[level]);
        put_text(jw, event);
        for (size_t i = 0; i < n; i++)
            put_text_value(jw, &values[i]);
        return;
    }
    jw_object(jw);
    jw_key_str(jw, "time", time);
    jw_key_str(jw, "level", names[level]);
    jw_key_str(jw, "event", event);
    for (size_t i = 0; i < n; i++)
        put_json_value(jw, &values[i]);
    jw_end_object(jw);
}

static void emit(enum log_level level, const char *event, const struct log_value *values, size_t n)
{
    struct jw jw;
    ssize_t written;
    char *line;

    jw_init(&jw, LINE_MAX_BYTES);
    put_line(&jw, level, event, values, n);
    if (jw.failed) { /* too large: the event alone */
        jw_clear(&jw);
        put_line(&jw, level, event, NULL, 0);
    }
    jw.comma = false;
    jw_raw(&jw, "\n", 1);
    line = jw.failed ? NULL : jw.p;
    if (line) {
        written = write(atomic_load(&logger.fd), line, jw.n);
        (void)written; /* nobody is left to tell */
    }
    jw_free(&jw);
}

/* ---- folding -------------------------------------------------------------------------------- */

/* The folds of past seconds with lines unsaid, moved out so that they are told without the lock. */
static size_t take_folded(int64_t second, struct fold *to)
{
    size_t n = 0;

    if (second == logger.second)
        return 0;
    logger.second = second;
    for (size_t i = 0; i < FOLD_SLOTS; i++) {
        struct fold *fold = &logger.folds[i];

        if (fold->second == second || fold->lines == 0)
            continue;
        if (fold->lines > FOLD_AFTER)
            to[n++] = *fold;
        fold->lines = 0;
    }
    return n;
}

static bool is_folded(enum log_level level, const char *event, int64_t second)
{
    struct bytes name = {(const uint8_t *)event, strlen(event)};
    struct fold *fold = &logger.folds[bytes_hash(name, (uint64_t)level) % FOLD_SLOTS];

    if (fold->second != second || fold->level != level ||
        strncmp(fold->event, event, sizeof(fold->event) - 1) != 0) {
        *fold = (struct fold){.level = level, .second = second};
        (void)snprintf(fold->event, sizeof(fold->event), "%s", event);
    }
    return ++fold->lines > FOLD_AFTER;
}

void log_write(enum log_level level, const char *event, const struct log_value *values, size_t n)
{
    struct clock *clock = atomic_load(&logger.clock);
    int64_t second = clock_mono(clock ? clock : clock_system()) / US_PER_S + 1;
    struct fold told[FOLD_SLOTS];
    size_t folded;
    bool skip;

    (void)pthread_mutex_lock(&logger.lock);
    folded = take_folded(second, told);
    skip = is_folded(level, event, second);
    (void)pthread_mutex_unlock(&logger.lock);
    for (size_t i = 0; i < folded; i++) {
        const struct log_value repeated[] = {log_str("of", told[i].event),
                                             log_uint("count", told[i].lines - FOLD_AFTER)};

        emit(told[i].level, "log_repeated", repeated, 2);
    }
    if (!skip)
        emit(level, event, values, n);
}
