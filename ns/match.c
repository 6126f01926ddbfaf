/*
 * match.c - entries in one array, chained by DevAddr; freed entries are used again.
 *
 * A DevAddr with many sessions is walked in order of the distance of the counters: first those for
 * which the frame would be near the expected one. Trials are counted per DevAddr and second.
 */
#include "ns/match.h"

#include "core/arena.h"
#include "core/clock.h"
#include "lorawan/fcnt.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

struct match_table {
    struct match_entry *entries;
    uint32_t count, room, free_list; /* index + 1 */
    size_t used;
    struct map by_addr; /* DevAddr -> index + 1 of the first */
    struct map budget;  /* DevAddr -> trials in the present second; only busy ones stand here */
    int64_t budget_second;
};

struct match_table *match_new(void)
{
    return xcalloc(1, sizeof(struct match_table));
}

void match_free(struct match_table *table)
{
    if (table->entries)
        OPENSSL_cleanse(table->entries, table->room * sizeof(*table->entries));
    free(table->entries);
    map_fini(&table->by_addr);
    map_fini(&table->budget);
    free(table);
}

size_t match_count(const struct match_table *table)
{
    return table->used;
}

static uint32_t first_of(const struct match_table *table, struct lw_dev_addr addr)
{
    return (uint32_t)(uintptr_t)map_get(&table->by_addr, addr.v);
}

static uint32_t entry_new(struct match_table *table)
{
    uint32_t at = table->free_list;

    if (at) {
        table->free_list = table->entries[at - 1].next;
        return at;
    }
    if (table->count == table->room) {
        table->room = table->room ? table->room + table->room / 2 : 64;
        table->entries = xrealloc(table->entries, table->room * sizeof(*table->entries));
    }
    return ++table->count;
}

void match_put(struct match_table *table, const struct match_entry *entry)
{
    uint32_t at = first_of(table, entry->dev_addr);

    while (at && (table->entries[at - 1].dev_eui.v != entry->dev_eui.v ||
                  table->entries[at - 1].session != entry->session))
        at = table->entries[at - 1].next;
    if (at) {
        uint32_t next = table->entries[at - 1].next;

        table->entries[at - 1] = *entry;
        table->entries[at - 1].next = next;
        return;
    }
    at = entry_new(table);
    table->entries[at - 1] = *entry;
    table->entries[at - 1].next = first_of(table, entry->dev_addr);
    (void)map_put(&table->by_addr, entry->dev_addr.v, (void *)(uintptr_t)at);
    table->used++;
}

void match_remove(struct match_table *table, struct lw_dev_addr addr, struct lw_eui dev_eui,
                  uint64_t session)
{
    uint32_t first = first_of(table, addr), *link = &first;

    while (*link) {
        uint32_t at = *link;
        struct match_entry *entry = &table->entries[at - 1];

        if (entry->dev_eui.v != dev_eui.v || (session && entry->session != session)) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        OPENSSL_cleanse(entry, sizeof(*entry));
        entry->next = table->free_list;
        table->free_list = at;
        table->used--;
    }
    if (first)
        (void)map_put(&table->by_addr, addr.v, (void *)(uintptr_t)first);
    else
        (void)map_remove(&table->by_addr, addr.v);
}

/* ---- finding --------------------------------------------------------------------------------- */

/* One more trial on this DevAddr; false if its budget of this second is spent. */
static bool spend(struct match_table *table, struct lw_dev_addr addr, int64_t now_us)
{
    int64_t second = now_us / US_PER_S;
    size_t spent;

    if (second != table->budget_second) {
        map_fini(&table->budget);
        table->budget_second = second;
    }
    spent = (size_t)(uintptr_t)map_get(&table->budget, addr.v);
    if (spent >= MATCH_BUDGET_PER_S)
        return false;
    (void)map_put(&table->budget, addr.v, (void *)(uintptr_t)(spent + 1));
    return true;
}

static bool mic_agrees(const struct match_entry *entry, const struct lw_frame *frame, uint32_t fcnt)
{
    struct lw_mic_input in = lw_mic_input_of(frame, fcnt);

    if (entry->flags & MATCH_1_1)
        return lw_mic_up_f(&entry->key, &in) == frame->mic >> 16;
    return lw_mic_10(&entry->key, &in) == frame->mic;
}

static bool was_tried(const struct match_query *query, uint64_t session)
{
    for (size_t i = 0; i < query->tried_count; i++) {
        if (query->tried[i] == session)
            return true;
    }
    return false;
}

/* The counters an entry may be tried with, the likely one first. A repetition has the counter
 * before the next one. Returns how many. */
static size_t counters_of(const struct match_entry *entry, uint16_t sent, uint32_t fcnt[2])
{
    uint32_t next = entry->flags & MATCH_SEEN ? entry->fcnt_next : 0;
    size_t n = 0;

    if (lw_fcnt_widen(next, sent, &fcnt[n]) != LW_FCNT_EXHAUSTED)
        n++;
    if (entry->flags & MATCH_RESETS && lw_fcnt_reset_candidate(next, sent, &fcnt[n]))
        n++;
    return n;
}

static enum drop try_entry(struct match_table *table, const struct match_query *query,
                           const struct match_entry *entry, struct match_proposal *proposal)
{
    const struct lw_frame *frame = query->frame;
    uint32_t fcnt[2];
    size_t n = counters_of(entry, frame->data.fcnt, fcnt);

    for (size_t i = 0; i < n; i++) {
        if (!spend(table, entry->dev_addr, query->now_us))
            return DROP_MIC_BUDGET;
        if (!mic_agrees(entry, frame, fcnt[i]))
            continue;
        *proposal = (struct match_proposal){
            .dev_eui = entry->dev_eui, .session = entry->session, .fcnt = fcnt[i], .reset = i == 1};
        return DROP_NONE;
    }
    return DROP_MIC;
}

#define NAMED_MOST 16 /* sessions that are looked at only to name what was refused */

/* A counter that lies behind: the frame will be refused, but by its name (a replay, or a device
 * that began again), with the device known to frame log and diagnosis. */
static enum drop name_replay(struct match_table *table, const struct match_query *query,
                             struct match_proposal *proposal)
{
    uint32_t at = first_of(table, query->frame->data.dev_addr);
    uint16_t sent = query->frame->data.fcnt;

    for (unsigned n = 0; at && n < NAMED_MOST; n++, at = table->entries[at - 1].next) {
        const struct match_entry *entry = &table->entries[at - 1];
        uint32_t behind = (entry->fcnt_next & 0xffff0000u) | sent;

        if (!(entry->flags & MATCH_SEEN) || behind >= entry->fcnt_next ||
            was_tried(query, entry->session) || entry->flags & MATCH_1_1 ||
            !spend(table, entry->dev_addr, query->now_us))
            continue;
        for (unsigned i = 0; i < 2; i++, behind = sent) {
            if (!mic_agrees(entry, query->frame, behind))
                continue;
            *proposal = (struct match_proposal){
                .dev_eui = entry->dev_eui, .session = entry->session, .fcnt = behind};
            return DROP_NONE;
        }
    }
    return DROP_MIC;
}

#define NEAR 256u /* distance of counters within which a session is tried in the first round */

static bool is_near(const struct match_entry *entry, uint16_t sent)
{
    uint16_t next = (uint16_t)(entry->flags & MATCH_SEEN ? entry->fcnt_next : 0);

    return (uint16_t)(sent - next) < NEAR || (uint16_t)(next - sent) == 1;
}

enum drop match_find(struct match_table *table, const struct match_query *query,
                     struct match_proposal *proposal)
{
    uint32_t first = first_of(table, query->frame->data.dev_addr);
    enum drop drop = first ? DROP_MIC : DROP_UNKNOWN_DEVADDR;

    /* Rounds: active and near, active, pending. */
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t at = first; at && drop == DROP_MIC; at = table->entries[at - 1].next) {
            const struct match_entry *entry = &table->entries[at - 1];
            bool pending = entry->flags & MATCH_PENDING;
            bool near = is_near(entry, query->frame->data.fcnt);

            if (pending != (round == 2) || (!pending && near != (round == 0)) ||
                was_tried(query, entry->session))
                continue;
            drop = try_entry(table, query, entry, proposal);
        }
    }
    return drop == DROP_MIC ? name_replay(table, query, proposal) : drop;
}
