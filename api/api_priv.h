/*
 * api_priv.h - what the files of api/ share.
 */
#pragma once

#include "api/api.h"
#include "api/frames.h"
#include "api/stream.h"
#include "db/directory.h"

#include <pthread.h>

#define API_THREADS_MAX 4

struct api_worker {
    struct worker worker;
    struct store_reader *reader;
};

struct login_slot {
    int64_t since_us;
    unsigned failures;
};
#define LOGIN_SLOTS 16384

struct api {
    struct api_options options;
    uint8_t admin_hash[32]; /* SHA-256 of the admin key */
    uint8_t token_key[32];
    /* Guards the directory, key use and failed logins. A mutex, since libmicrohttpd's threads, API
     * workers and the committer all need them at once and none may wait for a mailbox; held for a
     * look-up, never while the store is asked. */
    pthread_mutex_t lock;
    struct directory directory;
    struct map used; /* hash of an API key's id -> int64_t * (UTC us) */
    struct login_slot logins[LOGIN_SLOTS];
    struct api_worker workers[API_THREADS_MAX];
    unsigned worker_count;
    atomic_uint turn;
    struct frames frames;
    struct streams streams; /* its worker also takes what comes back for waiting handlers */
};

/* Copies of names out of the directory. */
void api_lock(struct api *api);
void api_unlock(struct api *api);
