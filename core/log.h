/*
 * log.h - the log: an event name, then keys and values; text (logfmt) or JSON, on standard error.
 *
 * Lines are for operators: the event is a fixed snake_case name, values are data. Never a key,
 * payload or secret. Any thread may log; a line is written by one write(2). A line that repeats
 * (same event and level) more than 20 times a second is folded into a count.
 *
 *     LOG_WARN("gateway_address_conflict", log_eui("gatewayId", id), log_str("address", text));
 */
#pragma once

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_value {
    const char *key;
    enum { LOG_V_STR, LOG_V_INT, LOG_V_UINT, LOG_V_HEX64, LOG_V_HEX32, LOG_V_DOUBLE } kind;
    union {
        const char *s;
        int64_t i;
        uint64_t u;
        double d;
    };
};

static inline struct log_value log_str(const char *key, const char *s)
{
    return (struct log_value){.key = key, .kind = LOG_V_STR, .s = s};
}
static inline struct log_value log_int(const char *key, int64_t i)
{
    return (struct log_value){.key = key, .kind = LOG_V_INT, .i = i};
}
static inline struct log_value log_uint(const char *key, uint64_t u)
{
    return (struct log_value){.key = key, .kind = LOG_V_UINT, .u = u};
}
/* 16 hex digits: EUIs and gateway ids. */
static inline struct log_value log_eui(const char *key, uint64_t eui)
{
    return (struct log_value){.key = key, .kind = LOG_V_HEX64, .u = eui};
}
/* 8 hex digits: DevAddr. */
static inline struct log_value log_addr(const char *key, uint32_t addr)
{
    return (struct log_value){.key = key, .kind = LOG_V_HEX32, .u = addr};
}
static inline struct log_value log_double(const char *key, double d)
{
    return (struct log_value){.key = key, .kind = LOG_V_DOUBLE, .d = d};
}
static inline struct log_value log_err(enum err err)
{
    return (struct log_value){.key = "error", .kind = LOG_V_STR, .s = err_text(err)};
}

void log_setup(enum log_level level, enum log_format format);
enum log_level log_level(void);

/* For tests: writes to `fd`, takes the time from `clock` (NULL: the machine's), forgets folds. */
struct clock;
void log_redirect(int fd, struct clock *clock);

void log_write(enum log_level level, const char *event, const struct log_value *values, size_t n);

#define LOG_AT(level, event, ...)                                                                  \
    do {                                                                                           \
        if ((level) >= log_level()) {                                                              \
            const struct log_value log_values_[] = {__VA_ARGS__};                                  \
            log_write((level), (event), log_values_,                                               \
                      sizeof(log_values_) / sizeof(log_values_[0]));                               \
        }                                                                                          \
    } while (0)
/* At least one value is needed. */
#define LOG_DEBUG(event, ...) LOG_AT(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
#define LOG_INFO(event, ...)  LOG_AT(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define LOG_WARN(event, ...)  LOG_AT(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define LOG_ERROR(event, ...) LOG_AT(LOG_LEVEL_ERROR, event, __VA_ARGS__)
