/*
 * local.h - administration from the command line: one request to the API of this data directory.
 *
 * If a server runs, it goes through `<data_dir>/admin.sock`; else the store is opened under its
 * lock and the same API answers in this process, without sockets or threads. So every subcommand
 * has the validation, the audit and the texts of the REST interface.
 */
#pragma once

#include "cmd/cmd.h"

struct local_answer {
    int status;
    char *body; /* NUL-terminated; free with free() */
};

/* Exit status 0 and an answer (of any HTTP status), or a message was printed. */
int local_request(const struct settings *settings, const char *method, const char *target,
                  const char *body, struct local_answer *answer);

/* Prints the problem of an answer of status 400 and more; returns 1. */
int local_problem(const struct local_answer *answer);
