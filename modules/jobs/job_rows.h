/*
 * modules/jobs/job_rows.h - the rows of jobs. A row is leased while its job runs: `lease` is a
 * number of that run alone, so that a run whose lease ended can do nothing to the next one's.
 * `version` tells whether the job was made anew meanwhile. For bodies of db_write and db_read.
 */
#ifndef MODULES_JOBS_JOB_ROWS_H
#define MODULES_JOBS_JOB_ROWS_H

#include "core/crypto.h"
#include "modules/jobs/jobs.h"

struct job_lease {
    char id[CRYPTO_ID_CHARS + 1];
    int64_t lease; /* > 0 */
    int64_t version;
    uint32_t attempt;
};

/* When the first job of the kind that is not leased is due; INT64_MAX: none. */
MUST_USE enum status job_next(struct db_session *session, const char *kind, int64_t now_ms,
                              int64_t *ret_due_ms);
/* Jobs of the kind there are. */
MUST_USE enum status job_count(struct db_session *session, const char *kind, int64_t *ret_count);
/* Leases the next ones that are due, `most` at most, oldest first. */
MUST_USE enum status job_lease(struct db_session *session, const char *kind, int64_t now_ms,
                               int64_t until_ms, uint32_t most, struct job_lease *ret_leases,
                               uint32_t *ret_count);
/* Errors: STATUS_NOT_FOUND (the lease is over), STATUS_CLOSED (its space is destroyed). */
MUST_USE enum status job_load(struct db_session *session, const struct job_lease *lease,
                              const char *kind, struct arena *arena, struct jobs_job *ret_job);
/* It is over; made anew meanwhile, it waits instead. Errors: STATUS_NOT_FOUND as job_load. */
MUST_USE enum status job_end(struct db_session *session, const struct job_lease *lease,
                             const char *kind);
/* It waits until due_ms; made anew meanwhile, for as long as that said. Errors: as job_end. */
MUST_USE enum status job_put_back(struct db_session *session, const struct job_lease *lease,
                                  int64_t due_ms, uint32_t attempts);
/* Nobody runs anything: all leases end. */
MUST_USE enum status job_leases_end(struct db_session *session);

#endif
