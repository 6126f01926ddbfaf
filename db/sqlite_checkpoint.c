/*
 * sqlite_checkpoint.c - copies the write-ahead log back into the file beside the writer.
 *
 * A checkpoint within a commit stalls it by tens of milliseconds (mechanics 10). So a thread with a
 * connection of its own copies and syncs while the committer goes on appending; each pass leaves a
 * shorter tail. When the tail is short the committer copies it itself, and since nobody writes
 * meanwhile the log is then wholly copied: the next transaction starts it anew from its beginning.
 * What the threads share is a few flags under one mutex; SQLite's own locks do the rest.
 */
#include "core/log.h"
#include "db/sqlite.h"

/* Pages of 4 KiB. */
#define WANTED_PAGES 1024u  /* 4 MiB: larger syncs hold up the commits beside them */
#define TAIL_PAGES   256u   /* the committer's share: some milliseconds */
#define BEHIND_PAGES 16384u /* 64 MiB: the fold waits */
#define PASSES_MAX   6u     /* then the committer does the rest, however long */
#define IDLE_US      ((int64_t)US_PER_S)

static int on_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct checkpoint *checkpoint = &((struct store *)arg)->checkpoint;

    (void)db;
    (void)name;
    if ((uint32_t)pages < checkpoint->wal_pages)
        checkpoint->copied = 0; /* it started anew */
    checkpoint->wal_pages = (uint32_t)pages;
    return SQLITE_OK;
}

static void pass(sqlite3 *db)
{
    int code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (code != SQLITE_OK && code != SQLITE_BUSY)
        LOG_WARN("checkpoint_failed", log_str("reason", sqlite3_errmsg(db)));
}

static void *thread_main(void *arg)
{
    struct checkpoint *checkpoint = arg;

    (void)pthread_setname_np(pthread_self(), "checkpoint");
    (void)pthread_mutex_lock(&checkpoint->lock);
    while (!checkpoint->stopping) {
        if (!checkpoint->wanted) {
            (void)pthread_cond_wait(&checkpoint->wake, &checkpoint->lock);
            continue;
        }
        checkpoint->wanted = false;
        (void)pthread_mutex_unlock(&checkpoint->lock);
        pass(checkpoint->db);
        (void)pthread_mutex_lock(&checkpoint->lock);
        atomic_store(&checkpoint->done, true);
    }
    (void)pthread_mutex_unlock(&checkpoint->lock);
    return NULL;
}

enum err checkpoint_open(struct store *store)
{
    struct checkpoint *checkpoint = &store->checkpoint;
    enum err err;

    (void)sqlite3_wal_hook(store->db, on_wal, store);
    if (!store->options.checkpoint_thread)
        return OK;
    err = sqlite_connect(store->file, store->options.vfs, CONNECT_CHECKPOINT, &checkpoint->db);
    if (err)
        return err;
    (void)pthread_mutex_init(&checkpoint->lock, NULL);
    (void)pthread_cond_init(&checkpoint->wake, NULL);
    if (pthread_create(&checkpoint->thread, NULL, thread_main, checkpoint) == 0)
        return OK;
    (void)sqlite3_close_v2(checkpoint->db);
    checkpoint->db = NULL;
    return ERR_IO;
}

void checkpoint_close(struct store *store)
{
    struct checkpoint *checkpoint = &store->checkpoint;

    if (!checkpoint->db)
        return;
    (void)pthread_mutex_lock(&checkpoint->lock);
    checkpoint->stopping = true;
    (void)pthread_cond_signal(&checkpoint->wake);
    (void)pthread_mutex_unlock(&checkpoint->lock);
    (void)pthread_join(checkpoint->thread, NULL);
    (void)pthread_cond_destroy(&checkpoint->wake);
    (void)pthread_mutex_destroy(&checkpoint->lock);
    (void)sqlite3_close_v2(checkpoint->db);
    checkpoint->db = NULL;
}

/* Copies the rest here. Since only this thread writes, the log is complete then, unless a reader
 * still needs an older page. */
static void finish_here(struct store *store)
{
    struct checkpoint *checkpoint = &store->checkpoint;
    int pages = 0, copied = 0;
    int code =
        sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);

    checkpoint->last_us = clock_mono(store->options.clock);
    if (code == SQLITE_OK && copied >= 0)
        checkpoint->copied = (uint32_t)copied;
    else if (code != SQLITE_OK && code != SQLITE_BUSY)
        LOG_WARN("checkpoint_failed", log_str("reason", sqlite3_errmsg(store->db)));
}

static void ask_thread(struct checkpoint *checkpoint)
{
    checkpoint->asked = true;
    checkpoint->asked_at = checkpoint->wal_pages;
    atomic_store(&checkpoint->done, false);
    (void)pthread_mutex_lock(&checkpoint->lock);
    checkpoint->wanted = true;
    (void)pthread_cond_signal(&checkpoint->wake);
    (void)pthread_mutex_unlock(&checkpoint->lock);
}

/* The tail is what was appended since the last pass was asked for. */
static void poll_thread(struct store *store)
{
    struct checkpoint *checkpoint = &store->checkpoint;
    uint32_t tail = checkpoint->wal_pages;

    if (!checkpoint->asked) {
        checkpoint->passes = 0;
        if (checkpoint->wal_pages - checkpoint->copied >= WANTED_PAGES)
            ask_thread(checkpoint);
        return;
    }
    if (!atomic_load(&checkpoint->done))
        return;
    if (tail >= checkpoint->asked_at)
        tail -= checkpoint->asked_at;
    if (tail > TAIL_PAGES && ++checkpoint->passes < PASSES_MAX) {
        ask_thread(checkpoint);
        return;
    }
    checkpoint->asked = false;
    finish_here(store);
}

void checkpoint_poll(struct store *store, bool housekeeping)
{
    const struct checkpoint *checkpoint = &store->checkpoint;

    if (checkpoint->db)
        poll_thread(store);
    else if (housekeeping && checkpoint->wal_pages > checkpoint->copied &&
             (checkpoint->wal_pages - checkpoint->copied >= WANTED_PAGES ||
              clock_mono(store->options.clock) - checkpoint->last_us >= IDLE_US))
        finish_here(store);
}

bool checkpoint_behind(const struct store *store)
{
    return store->checkpoint.wal_pages - store->checkpoint.copied > BEHIND_PAGES;
}
