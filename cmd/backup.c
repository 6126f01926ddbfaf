/*
 * backup.c - backup and restore. A restored store must not repeat a counter: what was sent after
 * the copy was made is unknown to it, so all down counters and JoinNonces move on. A database that
 * has tools of its own for that (PostgreSQL) is restored with them; `restore --counters` does the
 * rest.
 */
#include "db/backup.h"

#include "cmd/cmd.h"
#include "core/log.h"
#include "db/secret.h"
#include "ns/session.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below MAX_FCNT_GAP (16384), which devices before 1.0.4 apply. */
#define DOWN_COUNTER_JUMP 4096
#define CHUNK             500

struct options {
    struct cmd_flags flags;
    const char *file;
    bool verify, counters;
};

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
            o->flags.config = argv[++i];
        else if (strcmp(argv[i], "--data-dir") == 0 && i + 1 < argc)
            o->flags.data_dir = argv[++i];
        else if (strcmp(argv[i], "--verify") == 0)
            o->verify = true;
        else if (strcmp(argv[i], "--counters") == 0)
            o->counters = true;
        else if (argv[i][0] != '-' && !o->file)
            o->file = argv[i];
        else
            return false;
    }
    return o->counters ? !o->file && !o->verify : o->file != NULL;
}

/* Whether the store is a file that is copied and put back here. */
static int by_files(const struct settings *settings)
{
    const char *instead = store_no_backup(settings->database_url);

    return instead ? cmd_fail("%s", instead) : EXIT_SUCCESS;
}

int cmd_backup(int argc, char **argv)
{
    struct options o = {0};
    struct settings settings;
    struct arena arena;
    const char *why = "";
    int status;

    if (!parse(argc, argv, &o) || o.verify || o.counters)
        return cmd_wrong(argv[0], "one file name is needed");
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    status = cmd_settings(&o.flags, &arena, &settings);
    if (status == EXIT_SUCCESS)
        status = by_files(&settings);
    if (status == EXIT_SUCCESS &&
        backup_copy(cmd_store_file(&settings, &arena), o.file, &arena, &why))
        status = cmd_fail("%s", why);
    if (status == EXIT_SUCCESS)
        (void)printf(
            "%s: written. Keep the master key with it: without the key it cannot be read.\n",
            o.file);
    arena_reset(&arena);
    return status;
}

/* ---- restore --------------------------------------------------------------------------------- */

struct jump {
    struct store *store;
    struct change *changes[CHUNK];
    struct arena arena; /* of one chunk */
    size_t n, devices;
    enum err err;
};

static void commit_chunk(struct jump *jump)
{
    size_t done = 0;

    if (!jump->err && jump->n)
        jump->err = store_commit(jump->store, jump->changes, jump->n, &done);
    for (size_t i = 0; !jump->err && i < jump->n; i++)
        jump->err = jump->changes[i]->result;
    jump->n = 0;
    arena_reset(&jump->arena);
}

struct jumped {
    struct lw_eui dev_eui;
    uint64_t rev;
    struct bytes state, pending; /* pending empty: there is none */
};

static uint32_t moved(uint32_t counter)
{
    return counter > UINT32_MAX - DOWN_COUNTER_JUMP ? UINT32_MAX : counter + DOWN_COUNTER_JUMP;
}

/* Changes are gathered while loading and written afterwards: the store is read meanwhile. */
struct gathered_jumps {
    struct store *store;
    struct jumped *list;
    size_t n, room, sessions;
    struct arena arena;
    unsigned unreadable;
};

static void move_session(struct gathered_jumps *g, struct session *session)
{
    session->n_fcnt_down = moved(session->n_fcnt_down);
    session->a_fcnt_down = moved(session->a_fcnt_down);
    g->sessions++;
}

/* The counters of the active session stand in the state. */
static enum err move_active(struct gathered_jumps *g, const struct loaded_device *row,
                            struct bytes *state)
{
    const struct secret *secret = store_secret(g->store);
    struct session session = {0};
    struct device_status status = {0};
    enum err err = OK;

    if (!row->active.n) {
        *state = (struct bytes){arena_memdup(&g->arena, row->state.p, row->state.n), row->state.n};
        return OK;
    }
    err = session_open(row->active, secret, row->dev_eui, "active", &session);
    if (!err)
        err = session_state_read(row->state, &session, &status);
    if (!err) {
        move_session(g, &session);
        *state = session_state_write(&session, &status, &g->arena);
    }
    OPENSSL_cleanse(&session, sizeof(session));
    return err;
}

/* The device may have begun to use it after the copy was made, so it was answered in it. */
static enum err move_pending(struct gathered_jumps *g, const struct loaded_device *row,
                             struct bytes *pending)
{
    const struct secret *secret = store_secret(g->store);
    struct session session = {0};
    enum err err = OK;

    *pending = (struct bytes){0};
    if (!row->pending.n)
        return OK;
    err = session_open(row->pending, secret, row->dev_eui, "pending", &session);
    if (!err) {
        move_session(g, &session);
        err = session_seal(&session, secret, row->dev_eui, "pending", &g->arena, pending);
    }
    OPENSSL_cleanse(&session, sizeof(session));
    return err;
}

static void see_device(void *arg, const struct loaded_device *row)
{
    struct gathered_jumps *g = arg;
    struct jumped jumped = {.dev_eui = row->dev_eui, .rev = row->rev};

    if (!row->active.n && !row->pending.n)
        return;
    if (row->unreadable || move_active(g, row, &jumped.state) ||
        move_pending(g, row, &jumped.pending)) {
        g->unreadable++;
        return;
    }
    if (g->n == g->room) {
        g->room = g->room ? g->room * 2 : 1024;
        g->list = xrealloc(g->list, g->room * sizeof(*g->list));
    }
    g->list[g->n++] = jumped;
}

static enum err write_jumps(struct store *store, const struct gathered_jumps *g)
{
    struct jump jump = {.store = store};

    arena_init(&jump.arena, ARENA_REQUEST_LIMIT);
    for (size_t i = 0; !jump.err && i < g->n; i++) {
        struct change *change = arena_new(&jump.arena, struct change);
        struct op *op = change_add(change, &jump.arena, OP_STATE);

        op->state = (struct op_state){.dev_eui = g->list[i].dev_eui,
                                      .rev = g->list[i].rev,
                                      .state = g->list[i].state,
                                      .set = g->list[i].pending.n ? STATE_SET_PENDING : 0,
                                      .pending = g->list[i].pending};
        jump.changes[jump.n++] = change;
        if (jump.n == CHUNK)
            commit_chunk(&jump);
    }
    commit_chunk(&jump);
    return jump.err;
}

/* `nonces`: the JoinNonces too. */
static int jump_counters(const struct settings *settings, bool nonces, struct arena *arena)
{
    struct gathered_jumps g = {0};
    struct store_loader loader = {.arg = &g, .device = see_device};
    int status = cmd_open_store(settings, arena, &g.store);

    if (status != EXIT_SUCCESS)
        return status;
    arena_init(&g.arena, (size_t)4 << 30);
    if ((nonces && store_jump_join_nonces(g.store, RESTORE_JOIN_NONCE_JUMP)) ||
        store_load(g.store, &loader) || write_jumps(g.store, &g))
        status = cmd_fail("the counters cannot be moved on: do not use this store");
    else
        (void)printf("restored; the down counters of %zu sessions moved on by %d\n", g.sessions,
                     DOWN_COUNTER_JUMP);
    if (g.unreadable)
        (void)fprintf(stderr, "godwit: %u sessions cannot be read\n", g.unreadable);
    store_close(g.store);
    arena_reset(&g.arena);
    free(g.list);
    return status;
}

static int restore(const struct options *o, const struct settings *settings, struct arena *arena)
{
    uint8_t master[32];
    const char *why = "", *socket;

    if (cmd_server_runs(settings, arena, &socket))
        return cmd_fail("a server runs on %s: stop it first", settings->data_dir);
    if (o->counters)
        return jump_counters(settings, true, arena);
    if (by_files(settings) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    if (secret_load_master(settings->data_dir, false, master, arena, &why) ||
        backup_verify(o->file, master, arena, &why))
        return cmd_fail("%s", why);
    if (o->verify) {
        (void)printf("%s: good\n", o->file);
        return EXIT_SUCCESS;
    }
    if (backup_restore(o->file, cmd_store_file(settings, arena), arena, &why))
        return cmd_fail("%s", why);
    return jump_counters(settings, false, arena);
}

int cmd_restore(int argc, char **argv)
{
    struct options o = {0};
    struct settings settings;
    struct arena arena;
    int status;

    if (!parse(argc, argv, &o))
        return cmd_wrong(argv[0], "one file name is needed");
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    log_setup(LOG_LEVEL_WARN, LOG_TEXT);
    status = cmd_settings(&o.flags, &arena, &settings);
    if (status == EXIT_SUCCESS)
        status = restore(&o, &settings, &arena);
    arena_reset(&arena);
    return status;
}
