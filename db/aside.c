/* aside.c - a short list under a mutex. */
#include "db/aside.h"

#include "core/log.h"
#include "core/metric.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct asides {
    pthread_mutex_t lock; /* guards all below */
    struct aside *rows;
    size_t n, room;
    struct aside_counts counts;
};

static const char *const names[] = {
#define X(name, text) text,
    ASIDE_TABLE(X)
#undef X
};

const char *aside_name(unsigned kind)
{
    return names[kind];
}

static struct metric unreadable = {.name = "godwit_store_unreadable_rows",
                                   .kind = METRIC_GAUGE,
                                   .help = "Rows that cannot be read and were set aside.",
                                   .label = "kind",
                                   .count = ASIDE_KIND_COUNT,
                                   .value_name = aside_name};

struct asides *asides_new(void)
{
    struct asides *asides = xcalloc(1, sizeof(*asides));

    (void)pthread_mutex_init(&asides->lock, NULL);
    metric_register(&unreadable);
    for (unsigned kind = 0; kind < ASIDE_KIND_COUNT; kind++)
        metric_set(&unreadable, kind, 0);
    return asides;
}

void asides_free(struct asides *asides)
{
    if (!asides)
        return;
    (void)pthread_mutex_destroy(&asides->lock);
    free(asides->rows);
    free(asides);
}

static void count(struct asides *asides, enum aside_kind kind, int by)
{
    asides->counts.n[kind] += (size_t)by;
    metric_set(&unreadable, kind, (int64_t)asides->counts.n[kind]);
}

static bool matches(const struct aside *row, enum aside_kind kind, const char *what,
                    struct lw_eui dev_eui)
{
    return row->kind == kind && row->dev_eui.v == dev_eui.v &&
           (!what || (row->what && strcmp(row->what, what) == 0));
}

static bool is_known(const struct asides *asides, const struct aside *aside)
{
    for (size_t i = 0; i < asides->n; i++) {
        const struct aside *row = &asides->rows[i];

        if (matches(row, aside->kind, aside->what, aside->dev_eui) && row->key.n == aside->key.n &&
            memcmp(row->key.b, aside->key.b, row->key.n) == 0)
            return true;
    }
    return false;
}

static void tell(const struct aside *aside)
{
    char key[2 * sizeof(aside->key.b) + 1];

    LOG_ERROR("row_set_aside", log_str("kind", names[aside->kind]),
              log_str("what", aside->what ? aside->what : ""),
              log_str("key", hex_write(key, aside->key.b, aside->key.n)),
              log_eui("devEui", aside->dev_eui.v), log_str("why", aside->why ? aside->why : ""));
}

void aside_note(struct asides *asides, const struct aside *aside)
{
    (void)pthread_mutex_lock(&asides->lock);
    if (asides->n < ASIDES_MAX && !is_known(asides, aside)) {
        if (asides->n == asides->room) {
            asides->room = asides->room ? 2 * asides->room : 16;
            asides->rows = xrealloc(asides->rows, asides->room * sizeof(*asides->rows));
        }
        asides->rows[asides->n] = *aside;
        asides->rows[asides->n++].why = NULL;
        count(asides, aside->kind, 1);
        tell(aside);
        if (asides->n == ASIDES_MAX)
            LOG_ERROR("no_more_rows_set_aside", log_uint("rows", ASIDES_MAX));
    }
    (void)pthread_mutex_unlock(&asides->lock);
}

void aside_settle(struct asides *asides, enum aside_kind kind, const char *what,
                  struct lw_eui dev_eui)
{
    size_t kept = 0;

    (void)pthread_mutex_lock(&asides->lock);
    for (size_t i = 0; i < asides->n; i++) {
        if (matches(&asides->rows[i], kind, what, dev_eui))
            count(asides, kind, -1);
        else
            asides->rows[kept++] = asides->rows[i];
    }
    asides->n = kept;
    (void)pthread_mutex_unlock(&asides->lock);
}

struct aside_counts asides_of(struct asides *asides, struct lw_eui dev_eui)
{
    struct aside_counts counts = {{0}};

    (void)pthread_mutex_lock(&asides->lock);
    for (size_t i = 0; i < asides->n; i++)
        counts.n[asides->rows[i].kind] += asides->rows[i].dev_eui.v == dev_eui.v;
    (void)pthread_mutex_unlock(&asides->lock);
    return counts;
}

struct aside_counts asides_all(struct asides *asides)
{
    struct aside_counts counts;

    (void)pthread_mutex_lock(&asides->lock);
    counts = asides->counts;
    (void)pthread_mutex_unlock(&asides->lock);
    return counts;
}

bool aside_has(struct asides *asides, enum aside_kind kind, const char *what, struct lw_eui dev_eui)
{
    bool has = false;

    (void)pthread_mutex_lock(&asides->lock);
    for (size_t i = 0; i < asides->n && !has; i++)
        has = matches(&asides->rows[i], kind, what, dev_eui);
    (void)pthread_mutex_unlock(&asides->lock);
    return has;
}
