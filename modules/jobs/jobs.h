/*
 * modules/jobs/jobs.h - what has to be done after a COMMIT, and survives a crash: mail, scheduled
 * messages, previews, notices (docs/design/jobs.md).
 *
 * A job is a row that the caller's own transaction adds: it is there when the change is, and else
 * not. After COMMIT a pool of threads runs it, at least once: a crash, also of the machine, while
 * it runs or before its end is written repeats it, so what a job does must bear being done twice.
 * One that fails comes again later, each time after a longer wait, until its attempts are used up.
 *
 * The payload is sealed with the key of the job's space: destroyed with it, the job goes too.
 * Keys and kinds are not sealed: ids, and nothing personal.
 *
 * Threads: jobs_add and jobs_cancel in any body; a kind's `run` on the job pool, where it may block
 * on the network and the database, for no longer than its lease.
 */
#ifndef MODULES_JOBS_JOBS_H
#define MODULES_JOBS_JOBS_H

#include "core/arena.h"
#include "storage/db.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOBS_THREADS = 4,
    JOBS_KINDS_MAX = 32,
    JOBS_KIND_NAME_MAX = 32,   /* bytes of [a-z_.] */
    JOBS_KEY_MAX = 128,        /* bytes */
    JOBS_PAYLOAD_MAX = 65536,  /* bytes: what is larger belongs into a table or an object */
    JOBS_WAITING_MAX = 100000, /* of a kind, due or not: about 10 MB of small ones */
    JOBS_ARENA_MAX = 4 << 20,  /* bytes a run may take */
    JOBS_SLEEP_MAX_MS = 60000, /* so that a clock that was set is noticed */
};

struct jobs;

/* ---- adding: inside a db_write body ---- */

struct jobs_new {
    const char *kind;
    const char *space;   /* whose key seals the payload; NULL: the server's */
    const char *key;     /* one job of the kind and key at a time; NULL: any number */
    const char *payload; /* text, JSON mostly; NULL: "" */
    int64_t due_ms;      /* ms since 1970; in the past: at once */
};

/*
 * One that has the same kind and key already becomes this one, with its payload, time and attempts;
 * when it runs just then, it runs once more afterwards. Errors: STATUS_LIMIT (JOBS_WAITING_MAX),
 * STATUS_INVALID (kind, key or payload too long), and what db_run and the vault return: then
 * nothing is added, and the body should fail with it.
 */
MUST_USE enum status jobs_add(struct db_session *session, const struct jobs_new *job,
                              int64_t now_ms);
/* It will never run (again). Errors: STATUS_NOT_FOUND (no such job, or it runs just now). */
MUST_USE enum status jobs_cancel(struct db_session *session, const char *kind, const char *key);

/* ---- running ---- */

/* Borrowed while it runs. */
struct jobs_job {
    const char *id, *kind;
    const char *space, *key; /* NULL: none */
    const char *payload;
    uint32_t attempt;          /* 1 the first time */
    int64_t created;           /* ms since 1970 */
    const atomic_bool *ending; /* the server stops: give up soon, with any error; it runs again
                                  after the start, and this attempt is not counted */
};

/*
 * STATUS_OK: done. STATUS_INVALID: it never will be, no further attempt. Any other: later again.
 * The arena is this run's.
 */
typedef enum status jobs_run(void *context, const struct jobs_job *job, struct arena *arena);

/* 0: what the comment says. Literals and what outlives the jobs. */
struct jobs_kind {
    const char *name;
    jobs_run *run;
    void *context;
    uint32_t at_once;       /* 1: most that run at the same time, so that a slow kind leaves room */
    uint32_t attempts_max;  /* 10 */
    int64_t lease_ms;       /* 5 minutes: longer than any run; then another may begin */
    int64_t retry_first_ms; /* 5 s before the second attempt, doubled each time, ± a quarter */
    int64_t retry_max_ms;   /* 1 h */
};

/* `metrics` may be NULL. */
MUST_USE enum status jobs_new(struct db *db, struct metrics *metrics, struct jobs **ret_jobs);
/* Before jobs_start; `kind` is copied. Errors: STATUS_LIMIT, STATUS_INVALID, STATUS_EXISTS. */
MUST_USE enum status jobs_kind_add(struct jobs *jobs, const struct jobs_kind *kind);
/* From now on they run; those that a crash has cut off too. Jobs of a kind nobody has added wait.
 * Errors: STATUS_NO_MEMORY, as db_write. */
MUST_USE enum status jobs_start(struct jobs *jobs);
/* Looks at the queue now: for after the clock was set. Adding needs no call. Any thread. */
void jobs_wake(struct jobs *jobs);
/* Waits for those that run. Before the database closes. Accepts NULL, returns NULL. */
struct jobs *jobs_free(struct jobs *jobs);

/* How long after attempt number `attempt` failed the next one is; `random` spreads it. */
int64_t jobs_wait_ms(const struct jobs_kind *kind, uint32_t attempt, uint32_t random);

#endif
