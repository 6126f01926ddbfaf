/* admin.c - apikey, user, migrate: work on the store through the server or under its lock. */
#include "cmd/local.h"
#include "core/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SCOPES_MAX 20

struct options {
    struct cmd_flags flags;
    const char *name, *tenant;
    const char *scopes[SCOPES_MAX];
    size_t scope_count;
    bool admin, status;
    const char *plain[2]; /* arguments without a flag */
    int plain_count;
};

static const char **value_of(struct options *o, const char *arg)
{
    if (strcmp(arg, "-c") == 0)
        return &o->flags.config;
    if (strcmp(arg, "--data-dir") == 0)
        return &o->flags.data_dir;
    if (strcmp(arg, "--name") == 0)
        return &o->name;
    if (strcmp(arg, "--tenant") == 0)
        return &o->tenant;
    if (strcmp(arg, "--scope") == 0 && o->scope_count < SCOPES_MAX)
        return &o->scopes[o->scope_count++];
    return NULL;
}

static bool parse(int argc, char **argv, struct options *o, const char **bad)
{
    for (int i = 1; i < argc; i++) {
        const char **value = value_of(o, argv[i]);

        *bad = argv[i];
        if (value) {
            if (i + 1 == argc)
                return false;
            *value = argv[++i];
        } else if (strcmp(argv[i], "--admin") == 0) {
            o->admin = true;
        } else if (strcmp(argv[i], "--status") == 0) {
            o->status = true;
        } else if (argv[i][0] == '-' || o->plain_count == 2) {
            return false;
        } else {
            o->plain[o->plain_count++] = argv[i];
        }
    }
    return true;
}

static void print_member(const char *json, const char *key)
{
    struct arena arena;
    const struct node *root = NULL, *member;
    const char *why;

    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (json_read(json, strlen(json), &arena, &root, &why) == OK &&
        (member = node_get(root, key)) != NULL)
        (void)printf("%s\n", member->text);
    arena_reset(&arena);
}

static char *apikey_body(const struct options *o)
{
    struct jw jw;

    jw_init(&jw, 65536);
    jw_object(&jw);
    jw_key_str(&jw, "name", o->name);
    if (o->tenant)
        jw_key_str(&jw, "tenantId", o->tenant);
    jw_key_bool(&jw, "isAdmin", o->admin);
    jw_key(&jw, "scopes");
    jw_array(&jw);
    for (size_t i = 0; i < o->scope_count; i++)
        jw_str(&jw, o->scopes[i]);
    jw_end_array(&jw);
    jw_end_object(&jw);
    return jw_take(&jw);
}

int cmd_apikey(int argc, char **argv)
{
    struct options o = {0};
    const char *bad = "";
    struct settings settings;
    struct local_answer answer = {0};
    struct arena arena;
    char *body;
    int status;

    if (!parse(argc, argv, &o, &bad))
        return cmd_wrong(argv[0], "unknown or incomplete argument %s", bad);
    if (o.plain_count != 1 || strcmp(o.plain[0], "create") != 0 || !o.name)
        return cmd_wrong(argv[0], "`create` and --name are needed");
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    body = apikey_body(&o);
    status = cmd_settings(&o.flags, &arena, &settings);
    if (status == EXIT_SUCCESS)
        status = local_request(&settings, "POST", "/api/v1/api-keys", body, &answer);
    if (status == EXIT_SUCCESS && answer.status != 201)
        status = local_problem(&answer);
    else if (status == EXIT_SUCCESS)
        print_member(answer.body, "key");
    free(answer.body);
    free(body);
    arena_reset(&arena);
    return status;
}

/* From the terminal without echo, or the first line of a pipe. */
static bool read_password(char *to, size_t room)
{
    struct termios before, quiet;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0, good;

    if (terminal) {
        (void)fputs("New password: ", stderr);
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    good = fgets(to, (int)room, stdin) != NULL;
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
    }
    to[strcspn(to, "\r\n")] = '\0';
    return good;
}

/* The id of the user with that e-mail, from the list. */
static int find_user(const struct settings *settings, const char *email, struct arena *arena,
                     const char **id)
{
    struct local_answer answer = {0};
    const struct node *root = NULL, *items;
    const char *why;
    int status = local_request(settings, "GET", "/api/v1/users?limit=1000", NULL, &answer);

    *id = NULL;
    if (status == EXIT_SUCCESS && answer.status != 200)
        status = local_problem(&answer);
    if (status == EXIT_SUCCESS &&
        json_read(answer.body, strlen(answer.body), arena, &root, &why) == OK) {
        items = node_get(root, "items");
        for (const struct node *u = items ? items->child : NULL; u; u = u->next) {
            const struct node *member = node_get(u, "email");

            if (member && strcasecmp(member->text, email) == 0)
                *id = arena_strdup(arena, node_get(u, "id")->text);
        }
    }
    free(answer.body);
    if (status == EXIT_SUCCESS && !*id)
        status = cmd_fail("there is no user %s", email);
    return status;
}

static int set_password(const struct settings *settings, const char *email, struct arena *arena)
{
    char password[256];
    struct local_answer answer = {0};
    struct jw jw;
    const char *id;
    char *body;
    int status = find_user(settings, email, arena, &id);

    if (status != EXIT_SUCCESS)
        return status;
    if (!read_password(password, sizeof(password)))
        return cmd_fail("no password was given");
    jw_init(&jw, 4096);
    jw_object(&jw);
    jw_key_str(&jw, "password", password);
    jw_end_object(&jw);
    body = jw_take(&jw);
    status = local_request(settings, "PATCH", arena_printf(arena, "/api/v1/users/%s", id), body,
                           &answer);
    if (status == EXIT_SUCCESS && answer.status != 200)
        status = local_problem(&answer);
    explicit_bzero(password, sizeof(password));
    explicit_bzero(body, strlen(body));
    free(body);
    free(answer.body);
    return status;
}

int cmd_user(int argc, char **argv)
{
    struct options o = {0};
    const char *bad = "";
    struct settings settings;
    struct arena arena;
    int status;

    if (!parse(argc, argv, &o, &bad))
        return cmd_wrong(argv[0], "unknown or incomplete argument %s", bad);
    if (o.plain_count != 2 || strcmp(o.plain[0], "set-password") != 0)
        return cmd_wrong(argv[0], "`set-password` and an e-mail address are needed");
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    status = cmd_settings(&o.flags, &arena, &settings);
    if (status == EXIT_SUCCESS)
        status = set_password(&settings, o.plain[1], &arena);
    arena_reset(&arena);
    return status;
}

const char *cmd_store_file(const struct settings *settings, struct arena *arena)
{
    const char *path = settings->database_url + strlen("sqlite:");

    return *path == '/' ? path : arena_printf(arena, "%s/%s", settings->data_dir, path);
}

int cmd_migrate(int argc, char **argv)
{
    struct options o = {0};
    const char *bad = "";
    struct settings settings;
    struct migration_status at;
    const char *why = NULL;
    struct store *store;
    struct arena arena;
    int status;

    if (!parse(argc, argv, &o, &bad) || o.plain_count)
        return cmd_wrong(argv[0], "unknown or incomplete argument %s", bad);
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    status = cmd_settings(&o.flags, &arena, &settings);
    if (status == EXIT_SUCCESS && !o.status) {
        status = cmd_open_store(&settings, &arena, &store);
        if (status == EXIT_SUCCESS)
            store_close(store);
    }
    if (status == EXIT_SUCCESS &&
        store_migration_status(settings.database_url, settings.data_dir, &at, &arena, &why))
        status = cmd_fail("%s", why ? why : "the schema of the store cannot be read");
    else if (status == EXIT_SUCCESS)
        (void)printf("schema %u, this version knows %u%s\n", at.applied, at.known,
                     at.applied == at.known ? "" : ": run `godwit migrate`");
    arena_reset(&arena);
    return status;
}
