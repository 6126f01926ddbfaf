/*
 * match.c - entries in blocks that never move, chained by DevAddr; freed entries are used again.
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

#define BLOCK 4096u /* entries; a table of a million would be copied as it grows, or half empty */

struct match_table {
    struct match_entry **blocks;
    uint32_t count, free_list; /* an entry is named by its place + 1 */
    size_t used;
    struct index by_addr; /* the first of each DevAddr */
    struct map budget;    /* DevAddr -> trials in the present second; only busy ones stand here */
    int64_t budget_second;
};

struct match_table *match_new(void)
{
    return xcalloc(1, sizeof(struct match_table));
}

static struct match_entry *entry_at(const struct match_table *table, uint32_t at)
{
    return &table->blocks[(at - 1) / BLOCK][(at - 1) % BLOCK];
}

void match_free(struct match_table *table)
{
    for (uint32_t i = 0; i < table->count; i += BLOCK) {
        OPENSSL_cleanse(table->blocks[i / BLOCK], BLOCK * sizeof(struct match_entry));
        free(table->blocks[i / BLOCK]);
    }
    free(table->blocks);
    index_fini(&table->by_addr);
    map_fini(&table->budget);
    free(table);
}

size_t match_count(const struct match_table *table)
{
    return table->used;
}

/* The first entry of a DevAddr, and where the index names it. */
static uint32_t find_first(const struct match_table *table, struct lw_dev_addr addr, size_t *place)
{
    uint32_t at = index_first(&table->by_addr, index_hash(addr.v), place);

    while (at && entry_at(table, at)->dev_addr.v != addr.v)
        at = index_next(&table->by_addr, place);
    return at;
}

static uint32_t first_of(const struct match_table *table, struct lw_dev_addr addr)
{
    size_t place;

    return find_first(table, addr, &place);
}

bool match_has(const struct match_table *table, struct lw_dev_addr addr)
{
    return first_of(table, addr) != 0;
}

static uint32_t entry_new(struct match_table *table)
{
    uint32_t at = table->free_list;

    if (at) {
        table->free_list = entry_at(table, at)->next;
        return at;
    }
    if (table->count % BLOCK == 0) {
        table->blocks =
            /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers lie there */
            xrealloc(table->blocks, (table->count / BLOCK + 1) * sizeof(*table->blocks));
        table->blocks[table->count / BLOCK] = xcalloc(BLOCK, sizeof(struct match_entry));
    }
    return ++table->count;
}

void match_reserve(struct match_table *table, size_t count)
{
    index_reserve(&table->by_addr, count);
}

void match_put(struct match_table *table, const struct match_entry *entry)
{
    size_t place;
    uint32_t first = find_first(table, entry->dev_addr, &place), at = first, next;

    while (at && (entry_at(table, at)->dev_eui.v != entry->dev_eui.v ||
                  entry_at(table, at)->session != entry->session))
        at = entry_at(table, at)->next;
    if (at) {
        next = entry_at(table, at)->next;
        *entry_at(table, at) = *entry;
        entry_at(table, at)->next = next;
        return;
    }
    at = entry_new(table);
    *entry_at(table, at) = *entry;
    entry_at(table, at)->next = first;
    if (first)
        index_set(&table->by_addr, place, at);
    else
        index_put(&table->by_addr, index_hash(entry->dev_addr.v), at);
    table->used++;
}

void match_remove(struct match_table *table, struct lw_dev_addr addr, struct lw_eui dev_eui,
                  uint64_t session)
{
    size_t place;
    uint32_t former = find_first(table, addr, &place), first = former, *link = &first;

    while (*link) {
        uint32_t at = *link;
        struct match_entry *entry = entry_at(table, at);

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
    if (former && first)
        index_set(&table->by_addr, place, first);
    else if (former)
        index_remove(&table->by_addr, place);
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

    for (unsigned n = 0; at && n < NAMED_MOST; n++, at = entry_at(table, at)->next) {
        const struct match_entry *entry = entry_at(table, at);
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
        for (uint32_t at = first; at && drop == DROP_MIC; at = entry_at(table, at)->next) {
            const struct match_entry *entry = entry_at(table, at);
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
