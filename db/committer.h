/*
 * committer.h - the only writer: gathers the changes that wait and commits them as one.
 *
 * A worker of its own. committer_submit may be called from any thread; the change comes back to
 * its `reply_to` worker with `result` set. While the store is away (ERR_AWAY) the committer keeps
 * the batch and tries again with back-off (50 ms, doubled to 2 s); nothing is answered meanwhile
 * except what is marked `fail_fast` or writes records or keys (API writes: 503 at once, mechanics
 * 16; not if it may have been saved). Observers are told of committed records in
 * the order of commit, before the change is answered, and of the outbox's new end.
 */
#pragma once

#include "db/store.h"

struct committer;

struct commit_observer {
    void *ctx;
    /* At the committer. A record was put (record != NULL, with its new rev in head) or deleted. */
    void (*record)(void *ctx, enum record_type type, const struct record_key *key,
                   const void *record);
    /* At the committer, after each commit that appended events. */
    void (*outbox)(void *ctx, uint64_t end);
};

struct committer *committer_new(struct store *store, struct clock *clock,
                                const struct commit_observer *observer);
void committer_free(struct committer *committer);
struct worker *committer_worker(struct committer *committer);

/* Hands over. The change and all it borrows must stay until it came back. */
void committer_submit(struct committer *committer, struct change *change);

/* Bytes of changes that wait, and whether the store has been away (and since when; 0: it is
 * there). Any thread. Beyond COMMITTER_BYTES_MAX new frames are dropped `store_away`. */
#define COMMITTER_BYTES_MAX ((size_t)64 * 1024 * 1024)
size_t committer_waiting_bytes(const struct committer *committer);
int64_t committer_away_since(const struct committer *committer);

/* How long the change has waited that is being written now; 0: none is, or the store is away. Time
 * for which the store was away does not count. Any thread. */
int64_t committer_lag_us(const struct committer *committer, int64_t now_us);
