/*
 * job.h - what runs in the network server: a job goes through a table of named steps.
 *
 * Every step has one signature and one of four verdicts. A job belongs to one worker at a time and
 * moves by mail with its arena; all it needs is in the arena and ends with it (no free in ns/).
 *
 *   STEP_NEXT  go on with the next step
 *   STEP_STOP  the end, with a reason (job->drop), which is counted and logged; not an error
 *   STEP_FAIL  the end, with an error (job->err); by class: conflict runs again, store away stays
 *   STEP_WAIT  parked until somebody resumes it: a commit, the join server, the device, a timer
 *
 * A device has at most one job between `load` and the end of `speak`; others wait in its list. A
 * job that waits for somebody else gives its device back first and resumes at `load`.
 */
#pragma once

#include "core/arena.h"
#include "core/worker.h"
#include "db/store.h"
#include "lorawan/drop.h"

enum step_verdict { STEP_NEXT, STEP_STOP, STEP_FAIL, STEP_WAIT };

struct job;
typedef enum step_verdict step_fn(struct job *job);

struct step {
    const char *name;
    step_fn *run;
    unsigned skip_if; /* job flags with which the step is left out */
    unsigned only_if; /* all of these must be set */
};

enum job_flag {
    JOB_REPETITION = 1 << 0, /* the frame was accepted before: answered, not delivered */
    JOB_HOLDS_DEVICE = 1 << 1,
    JOB_RESET = 1 << 2,   /* the session's counter began again */
    JOB_PROMOTE = 1 << 3, /* first frame of the pending session */
};

enum job_kind { JOB_UPLINK, JOB_JOIN, JOB_DOWNLINK, JOB_TX, JOB_ACT, JOB_SWEEP, JOB_KIND_COUNT };

struct ns;
struct ns_worker;
struct device;

struct job {
    struct mail mail;         /* moves between workers */
    struct ns_worker *worker; /* where it is */
    const struct step *steps; /* ends with a NULL name */
    unsigned at;
    unsigned flags;
    enum job_kind kind;
    enum drop drop;
    enum err err;
    unsigned reruns;
    struct arena arena;
    struct lw_eui dev_eui;
    struct device *device;      /* while JOB_HOLDS_DEVICE */
    struct job *next;           /* in the device's waiting list */
    struct job *before, *after; /* of all jobs, for ns_free */
    struct change change;
    struct timer timer;
    void *work;                     /* struct uplink, struct join, ... by kind */
    void (*ended)(struct job *job); /* last word: answers, releases what is not arena */
    unsigned restart_at;            /* step from which a loser of a race runs again */
};

/* A new job at a worker; its arena holds the job itself. */
struct job *job_new(struct ns_worker *worker, enum job_kind kind, const struct step *steps);

/* Frees every job, wherever it waits; once no worker, committer or join server runs. What an API
 * call asked stays with its caller. */
void job_free_all(struct ns *ns);

/* Runs until the job ends or waits. */
void job_run(struct job *job);

/* Goes on after STEP_WAIT, with the step after the one that waited. At the job's worker. */
void job_resume(struct job *job);

/* Ends a parked job for a reason, as if its step had said STEP_STOP. */
void job_stop(struct job *job, enum drop drop);

enum step_verdict job_drop(struct job *job, enum drop drop);
enum step_verdict job_fail(struct job *job, enum err err);

/* Moves the job to another worker, where it goes on with the next step. */
enum step_verdict job_move(struct job *job, struct ns_worker *to);

/* Takes the device, or waits for it: then the present step runs again when it is free. */
enum step_verdict job_take_device(struct job *job, struct device *device);
/* Gives it back; the next job that waits for it is run. */
void job_give_device(struct job *job);

/* Hands job->change to the committer. When it is saved the job goes on with the next step; a lost
 * race runs again from restart_at, at most twice. */
enum step_verdict job_save(struct job *job);

/* Waits until a moment (monotonic), then goes on with the next step. */
enum step_verdict job_sleep(struct job *job, int64_t until_us);
